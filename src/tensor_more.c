/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms that work element by element or reduce, sources, and what all forms share.
 */
#include "forms.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what forms share ---- */

struct tensor_op form_floats(const char *name, const adze_tensor *x, size_t n)
{
	struct tensor_op op = tensor_begin(name, x, n);
	for (size_t i = 0; i < n && op.ok; i++)
		if (!dtype_is_float(tensor_type(&op, x[i].id)->dtype))
			form_refuse(&op, x[i], "it takes floats");
	return op;
}

adze_tensor form_end(struct tensor_op *op, adze_tensor y)
{
	adze_graph *g = op->graph;
	if (op->ok && g->diag.status != ADZE_OK) {
		struct diag d = g->diag;
		char place[DIAG_BYTES];
		int n = g->at.file != NULL ? snprintf(place, sizeof place, "%.400s:%d: ",
						      g->at.file, g->at.line)
					   : 0;
		bool placed = n > 0 && strncmp(d.text, place, (size_t)n) == 0;
		g->diag = (struct diag){ADZE_OK, ""};
		tensor_fail(op, d.status, "%s", d.text + (placed ? n : 0));
	}
	return tensor_end(op, y.id);
}

adze_tensor form_refuse(struct tensor_op *op, adze_tensor x, const char *words)
{
	char shape[SHAPE_TEXT];
	if (op->ok)
		tensor_fail(op, ADZE_E_TYPE, "%s: %s",
			    shape_print(tensor_type(op, x.id), shape, sizeof shape), words);
	return form_of(op, 0);
}

bool form_axes(struct tensor_op *op, adze_tensor x, const char *axes, struct ir_dims *out)
{
	memset(out, 0, sizeof *out);
	if (!op->ok || !tensor_axes(op, x.id, axes, out))
		return false;
	if (out->n == 0)
		for (int rank = tensor_type(op, x.id)->rank; out->n < rank; out->n++)
			out->at[out->n] = out->n;
	return true;
}

adze_tensor form_reshape(struct tensor_op *op, adze_tensor x, const adze_shape *shape)
{
	if (!op->ok || !adze_is(x))
		return form_of(op, 0);
	adze_shape to = *shape;
	to.dtype = tensor_type(op, x.id)->dtype;
	return form_of(op, ir_emit1(op->graph, OP_RESHAPE, x.id, NULL, &to));
}

adze_tensor form_keep(struct tensor_op *op, adze_tensor y, adze_tensor x,
		      const struct ir_dims *axes)
{
	if (!op->ok || !adze_is(x))
		return form_of(op, 0);
	adze_shape to = *tensor_type(op, x.id);
	for (int64_t i = 0; i < axes->n; i++) {
		adze_dim one = dim_make(1);
		memcpy(one.name, to.dim[axes->at[i]].name, sizeof one.name);
		to.dim[axes->at[i]] = one;
	}
	return form_reshape(op, y, &to);
}

adze_tensor form_count(struct tensor_op *op, adze_tensor x, const struct ir_dims *axes,
		       adze_dtype dtype)
{
	double fixed = 1;
	for (int64_t i = 0; i < axes->n; i++) {
		const adze_dim *d = &tensor_type(op, x.id)->dim[axes->at[i]];
		fixed *= dim_is_static(d) ? (double)d->size : 1;
	}
	adze_tensor n = (adze_scalar)(op->graph, dtype, fixed);
	for (int64_t i = 0; i < axes->n; i++) {
		char axis[16];
		snprintf(axis, sizeof axis, "%d", (int)axes->at[i]);
		if (!dim_is_static(&tensor_type(op, x.id)->dim[axes->at[i]]))
			n = f_mul(n, (adze_convert)((adze_extent)(x, axis), dtype));
	}
	return n;
}

adze_tensor form_wide(adze_tensor x)
{
	return adze_tensor_shape(x).dtype == ADZE_F64 ? x : (adze_convert)(x, ADZE_F32);
}

adze_tensor form_iota(struct tensor_op *op, const adze_shape *shape, adze_dtype dtype, int axis)
{
	adze_shape to = *shape;
	struct attrs_axis attrs = {.axis = axis};
	to.dtype = dtype;
	return form_of(op, op->ok ? ir_emit(op->graph, OP_IOTA, NULL, 0, &attrs, &to) : 0);
}

adze_tensor form_spread(struct tensor_op *op, adze_tensor x, const adze_shape *shape,
			const struct ir_dims *axes)
{
	if (!op->ok || !adze_is(x))
		return form_of(op, 0);
	adze_shape to = *shape;
	struct attrs_axes attrs = {.axes = *axes};
	to.dtype = tensor_type(op, x.id)->dtype;
	return form_of(op, ir_emit1(op->graph, OP_BROADCAST, x.id, &attrs, &to));
}

bool form_insert(struct tensor_op *op, adze_shape *shape, int at, adze_dim dim)
{
	char text[SHAPE_TEXT];
	if (shape->rank >= ADZE_MAX_RANK)
		tensor_fail(op, ADZE_E_LIMIT, "%s: an axis more than %d",
			    shape_print(shape, text, sizeof text), ADZE_MAX_RANK);
	if (!op->ok)
		return false;
	for (int i = shape->rank++; i > at; i--)
		shape->dim[i] = shape->dim[i - 1];
	shape->dim[at] = dim;
	return true;
}

/* ---- element by element ---- */

static adze_tensor choose(adze_tensor condition, adze_tensor a, adze_tensor b)
{
	return (adze_select)(condition, a, b);
}

static adze_tensor positive(adze_tensor x)
{
	return f_gt(x, f_num(x, 0));
}

#define FORM_1(name, y)                                                       \
	adze_tensor(adze_##name)(adze_tensor x)                               \
	{                                                                     \
		struct tensor_op op = form_floats(#name, &x, 1);              \
		return form_end(&op, y);                                      \
	}
#define FORM_1_BY(name, by, y)                                                \
	adze_tensor(adze_##name)(adze_tensor x, double by)                    \
	{                                                                     \
		struct tensor_op op = form_floats(#name, &x, 1);              \
		return form_end(&op, y);                                      \
	}

/* exp() is of numbers that are not positive, and so stays finite. */
FORM_1(softplus, f_add(f_relu(x), f_log1p(f_exp(f_neg(f_abs(x))))))
FORM_1(log_sigmoid, f_neg((adze_softplus)(f_neg(x))))
FORM_1(softsign, f_div(x, f_shift(f_abs(x), 1)))
FORM_1(mish, f_mul(x, f_tanh((adze_softplus)(x))))
FORM_1(hard_sigmoid, f_clamp(f_num(x, 0), f_shift(f_scale(x, 1.0 / 6), 0.5), f_num(x, 1)))
FORM_1(hard_swish, f_mul(x, (adze_hard_sigmoid)(x)))
FORM_1(quick_gelu, f_mul(x, f_logistic(f_scale(x, 1.702))))
FORM_1_BY(leaky_relu, slope, choose(positive(x), x, f_scale(x, slope)))
FORM_1_BY(elu, a, choose(positive(x), x, f_scale(f_expm1(x), a)))
FORM_1_BY(celu, a, choose(positive(x), x, f_scale(f_expm1(f_div(x, f_num(x, a))), a)))
/* arXiv:1706.02515 */
FORM_1(selu, f_scale((adze_elu)(x, 1.6732632423543772848170429916717),
		     1.0507009873554804934193349852946))
FORM_1_BY(soft_cap, cap, f_scale(f_tanh(f_div(x, f_num(x, cap))), cap))
FORM_1(reciprocal, f_div(f_num(x, 1), x))
FORM_1(is_nan, f_ne(x, x))
FORM_1(is_inf, f_eq(f_abs(x), f_num(x, INFINITY)))

static adze_tensor gated(const char *name, adze_tensor gate, adze_tensor up,
			 adze_tensor (*f)(adze_tensor))
{
	const adze_tensor x[2] = {gate, up};
	struct tensor_op op = form_floats(name, x, 2);
	return form_end(&op, f_mul(f(gate), up));
}

adze_tensor(adze_swiglu)(adze_tensor gate, adze_tensor up)
{
	return gated("swiglu", gate, up, f_silu);
}

adze_tensor(adze_geglu)(adze_tensor gate, adze_tensor up)
{
	return gated("geglu", gate, up, f_gelu);
}

adze_tensor(adze_square)(adze_tensor x)
{
	struct tensor_op op = tensor_begin("square", &x, 1);
	return form_end(&op, f_mul(x, x));
}

adze_tensor(adze_fmod)(adze_tensor x, double divisor)
{
	struct tensor_op op = tensor_begin("fmod", &x, 1);
	return form_end(&op, f_rem(x, f_num(x, divisor)));
}

adze_tensor(adze_clamp_to)(adze_tensor x, double low, double high)
{
	struct tensor_op op = tensor_begin("clamp_to", &x, 1);
	if (op.ok && !(low <= high))
		tensor_fail(&op, ADZE_E_ARGUMENT, "low %g is above high %g", low, high);
	return form_end(&op, f_clamp(f_num(x, low), x, f_num(x, high)));
}

adze_tensor(adze_lerp)(adze_tensor a, adze_tensor b, adze_tensor t)
{
	const adze_tensor x[3] = {a, b, t};
	struct tensor_op op = form_floats("lerp", x, 3);
	return form_end(&op, f_add(a, f_mul(t, f_sub(b, a))));
}

adze_tensor(adze_masked_fill)(adze_tensor x, adze_tensor mask, double value)
{
	const adze_tensor all[2] = {x, mask};
	struct tensor_op op = tensor_begin("masked_fill", all, 2);
	return form_end(&op, choose(mask, f_num(x, value), x));
}

/* ---- reductions ---- */

/* The largest, kept; 0 where it is no number to subtract. */
static adze_tensor largest(struct tensor_op *op, adze_tensor x, const char *axes,
			   const struct ir_dims *at)
{
	adze_tensor m = (adze_maximum)(x, axes);
	return form_keep(op, choose(f_is_finite(m), m, f_num(x, 0)), x, at);
}

/* log sum exp(x), with the reduced axes of extent 1; x is wide. */
static adze_tensor log_sum(struct tensor_op *op, adze_tensor x, const char *axes,
			   const struct ir_dims *at)
{
	adze_tensor m = largest(op, x, axes, at);
	adze_tensor sum = (adze_sum)(f_exp(f_sub(x, m)), axes);
	return f_add(m, f_log(form_keep(op, sum, x, at)));
}

static adze_dtype dtype_of(adze_tensor x)
{
	return adze_tensor_shape(x).dtype;
}

adze_tensor(adze_log_sum_exp)(adze_tensor x, const char *axes)
{
	struct tensor_op op = form_floats("log_sum_exp", &x, 1);
	struct ir_dims at;
	if (!form_axes(&op, x, axes, &at))
		return form_end(&op, x);
	adze_tensor wide = form_wide(x), y = log_sum(&op, wide, axes, &at);
	/* The reduced shape is that of any reduction. */
	adze_shape to = adze_tensor_shape((adze_maximum)(wide, axes));
	return form_end(&op, (adze_convert)(form_reshape(&op, y, &to), dtype_of(x)));
}

adze_tensor(adze_log_softmax)(adze_tensor x, const char *axes)
{
	struct tensor_op op = form_floats("log_softmax", &x, 1);
	struct ir_dims at;
	if (!form_axes(&op, x, axes, &at))
		return form_end(&op, x);
	adze_tensor wide = form_wide(x), d = f_sub(wide, largest(&op, wide, axes, &at));
	adze_tensor sum = form_keep(&op, (adze_sum)(f_exp(d), axes), x, &at);
	return form_end(&op, (adze_convert)(f_sub(d, f_log(sum)), dtype_of(x)));
}

static adze_tensor variance(struct tensor_op *op, adze_tensor x, const char *axes,
			    double correction)
{
	struct ir_dims at;
	if (!form_axes(op, x, axes, &at))
		return x;
	adze_tensor w = form_wide(x), d = f_sub(w, form_keep(op, (adze_mean)(w, axes), w, &at));
	adze_tensor n = form_count(op, x, &at, dtype_of(w));
	return f_div((adze_sum)(f_mul(d, d), axes), f_shift(n, -correction));
}

adze_tensor(adze_var)(adze_tensor x, const char *axes, double correction)
{
	struct tensor_op op = form_floats("var", &x, 1);
	return form_end(&op, (adze_convert)(variance(&op, x, axes, correction), dtype_of(x)));
}

adze_tensor(adze_std)(adze_tensor x, const char *axes, double correction)
{
	struct tensor_op op = form_floats("std", &x, 1);
	adze_tensor y = f_sqrt(variance(&op, x, axes, correction));
	return form_end(&op, (adze_convert)(y, dtype_of(x)));
}

static adze_tensor norm_of(adze_tensor wide, const char *axes, double p)
{
	adze_tensor size = f_abs(wide);
	if (p == 2)
		return f_sqrt((adze_sum)(f_mul(wide, wide), axes));
	if (isinf(p))
		return p > 0 ? (adze_maximum)(size, axes) : (adze_minimum)(size, axes);
	if (p == 0)
		return (adze_sum)((adze_convert)(f_ne(size, f_num(size, 0)), dtype_of(wide)), axes);
	if (p == 1)
		return (adze_sum)(size, axes);
	adze_tensor sum = (adze_sum)(f_pow(size, f_num(size, p)), axes);
	return f_pow(sum, f_num(sum, 1 / p));
}

adze_tensor(adze_norm)(adze_tensor x, const char *axes, double p)
{
	struct tensor_op op = form_floats("norm", &x, 1);
	if (op.ok && isnan(p))
		tensor_fail(&op, ADZE_E_ARGUMENT, "p is no number");
	return form_end(&op, (adze_convert)(norm_of(form_wide(x), axes, p), dtype_of(x)));
}

adze_tensor(adze_l2_normalize)(adze_tensor x, const char *axes, double eps)
{
	struct tensor_op op = form_floats("l2_normalize", &x, 1);
	struct ir_dims at;
	if (!form_axes(&op, x, axes, &at))
		return form_end(&op, x);
	adze_tensor wide = form_wide(x);
	adze_tensor n = f_max(norm_of(wide, axes, 2), f_num(wide, eps));
	adze_tensor y = f_div(wide, form_keep(&op, n, x, &at));
	return form_end(&op, (adze_convert)(y, dtype_of(x)));
}

/* ---- sources ---- */

/* 0, 1 ... along the only axis, as f64, which holds every extent. */
static adze_tensor steps(struct tensor_op *op, const char *dim)
{
	adze_tensor i = (adze_iota)(op->graph, ADZE_F64, dim, "0");
	if (adze_is(i) && adze_tensor_shape(i).rank != 1)
		form_refuse(op, i, "it has one axis");
	return i;
}

adze_tensor(adze_arange)(adze_graph *graph, adze_dtype dtype, const char *dim, double from,
			 double step)
{
	struct tensor_op op = tensor_begin_graph("arange", graph);
	adze_tensor i = steps(&op, dim);
	return form_end(&op, (adze_convert)(f_shift(f_scale(i, step), from), dtype));
}

adze_tensor(adze_linspace)(adze_graph *graph, adze_dtype dtype, const char *dim, double from,
			   double to)
{
	struct tensor_op op = tensor_begin_graph("linspace", graph);
	adze_tensor i = steps(&op, dim);
	adze_tensor last = f_shift((adze_convert)((adze_extent)(i, "0"), ADZE_F64), -1);
	adze_tensor share = f_div(i, f_max(last, f_num(i, 1)));
	adze_tensor y = f_shift(f_scale(share, to - from), from);
	/* Rounding must not miss the end; of one element, the first end is it. */
	adze_tensor end = f_and(f_eq(i, last), positive(last));
	return form_end(&op, (adze_convert)(choose(end, f_num(i, to), y), dtype));
}

adze_tensor(adze_full)(adze_graph *graph, adze_dtype dtype, const char *dims, double value)
{
	struct tensor_op op = tensor_begin_graph("full", graph);
	adze_tensor v = (adze_scalar)(graph, dtype, value);
	return form_end(&op, (adze_broadcast)(v, dims));
}

adze_tensor(adze_eye)(adze_graph *graph, adze_dtype dtype, const char *dims, const char *row,
		      const char *column)
{
	struct tensor_op op = tensor_begin_graph("eye", graph);
	adze_tensor i = (adze_iota)(graph, ADZE_I32, dims, row);
	adze_tensor j = (adze_iota)(graph, ADZE_I32, dims, column);
	return form_end(&op, (adze_convert)(f_eq(i, j), dtype));
}
