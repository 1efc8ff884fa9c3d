/* SPDX-License-Identifier: Apache-2.0
 *
 * What the functions of adze_forms.h are made of: others of adze.h, as f_add() and the like
 * for the element-wise ones, between form_begin() and form_end().
 */
#ifndef ADZE_FORM_PARTS_H
#define ADZE_FORM_PARTS_H

#include "tensor.h"

#define FORM_PARAMS_1 adze_tensor a
#define FORM_PARAMS_2 adze_tensor a, adze_tensor b
#define FORM_PARAMS_3 adze_tensor a, adze_tensor b, adze_tensor c
#define FORM_ARGS_1 a
#define FORM_ARGS_2 a, b
#define FORM_ARGS_3 a, b, c
#define EW(name, id, n, takes, flags, start, f, i, v, doc)          \
	static inline adze_tensor f_##name(FORM_PARAMS_##n)         \
	{                                                           \
		return (adze_##name)(FORM_ARGS_##n);                \
	}
#include "base/ew.def"

/** A scalar of x's type. */
static inline adze_tensor f_num(adze_tensor x, double v)
{
	return (adze_scalar_like)(x, v);
}
/** x times, and plus, a number. */
static inline adze_tensor f_scale(adze_tensor x, double v)
{
	return f_mul(x, f_num(x, v));
}
static inline adze_tensor f_shift(adze_tensor x, double v)
{
	return f_add(x, f_num(x, v));
}

/** tensor_begin() that refuses operands that are no floats. */
struct tensor_op form_floats(const char *name, const adze_tensor *x, size_t n);
/**
 * The result, or the broken tensor. Words of a function below get the form's name in front:
 * every form ends with it.
 */
adze_tensor form_end(struct tensor_op *op, adze_tensor y);
/** A value as a tensor; 0 is the broken one. */
static inline adze_tensor form_of(const struct tensor_op *op, ir_val v)
{
	return (adze_tensor){op->graph, v, 0, NULL};
}
/** Words with the shape of `x` before them; the broken tensor. */
adze_tensor form_refuse(struct tensor_op *op, adze_tensor x, const char *words);

/** The axes that are listed, or all. */
bool form_axes(struct tensor_op *op, adze_tensor x, const char *axes, struct ir_dims *out);
/** What a reduction of `x` over those axes gave, with them again, of extent 1. */
adze_tensor form_keep(struct tensor_op *op, adze_tensor y, adze_tensor x,
		      const struct ir_dims *axes);
/** How many elements lie along those axes in a call, as a scalar. */
adze_tensor form_count(struct tensor_op *op, adze_tensor x, const struct ir_dims *axes,
		       adze_dtype dtype);
/** Narrow floats as f32. */
adze_tensor form_wide(adze_tensor x);
/** 0, 1 ... along an axis of a shape, whose element type does not count. */
adze_tensor form_iota(struct tensor_op *op, const adze_shape *shape, adze_dtype dtype, int axis);
/** x under another shape; its element type does not count. */
adze_tensor form_reshape(struct tensor_op *op, adze_tensor x, const adze_shape *shape);
/** x whose axis i becomes axis axes[i] of a shape. */
adze_tensor form_spread(struct tensor_op *op, adze_tensor x, const adze_shape *shape,
			const struct ir_dims *axes);
/** The axis, whose extent is a number; -1 with words. */
int form_fixed(struct tensor_op *op, adze_tensor x, const char *axis);
/** x at places of axis `axis`, [n] of them or [n, m]; the axes of that take its place. The first
 * keeps its name. */
adze_tensor form_places(struct tensor_op *op, adze_tensor x, int axis, const int32_t *at,
			int64_t n, int64_t m);
/** An axis of that extent; names that are too long are refused. */
adze_dim form_dim(struct tensor_op *op, int64_t extent, const char *name);
/** A shape with another axis before axis `at`; false, with words, beyond ADZE_MAX_RANK. */
bool form_insert(struct tensor_op *op, adze_shape *shape, int at, adze_dim dim);

#endif
