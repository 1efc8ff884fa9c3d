/* SPDX-License-Identifier: Apache-2.0
 *
 * What builders of ONNX operators are written with: values by name, their numbers where an
 * operator needs them while the graph is built, and short forms of ir_emit() that broadcast.
 */
#ifndef ADZE_ONNX_BUILD_H
#define ADZE_ONNX_BUILD_H

#include "ir/graph.h"
#include "tests/onnx_read.h"

struct onnx_name {
	const char *name;
	ir_val v;
};

/** A case under construction. Emitting is sticky, as the graph's; so is `skip`. */
struct onnx_build {
	adze_graph *g;
	struct arena *r;
	const struct onnx_model *model;
	const void **input;       /* data of the graph's inputs, in their order */
	size_t input_cap;
	struct onnx_name *name;
	size_t nname, name_cap;
	const void **known;       /* by value: its numbers, where they were asked for */
	size_t known_cap;
	const struct onnx_node *node; /* the one that is built */
	const char *skip;         /* why this form is out of scope; NULL while it is not */
};

/** Builds all nodes of the model through the table of onnx_ops.c. False: see `skip`, g->diag. */
bool onnx_build(struct onnx_build *b);
/** Why an operator is in no table of builders (onnx_skip.def); NULL where it is unknown. */
const char *onnx_skip_reason(const char *op);

/** The first reason stays. Returns 0. */
ir_val ob_skip(struct onnx_build *b, const char *reason);
void ob_bind(struct onnx_build *b, const char *name, ir_val v);
ir_val ob_find(const struct onnx_build *b, const char *name);

/** Operand and result of the node; ob_has() where it may be left out. */
bool ob_has(const struct onnx_build *b, size_t i);
ir_val ob_in(struct onnx_build *b, size_t i);
void ob_out(struct onnx_build *b, size_t i, ir_val v);
bool ob_wants(const struct onnx_build *b, size_t i);

/** Attributes, or what stands for them. */
int64_t ob_int(const struct onnx_build *b, const char *name, int64_t otherwise);
double ob_float(const struct onnx_build *b, const char *name, double otherwise);
const char *ob_text(const struct onnx_build *b, const char *name, const char *otherwise);
bool ob_is(const struct onnx_build *b, const char *name, const char *value);
/** A list attribute of `n` numbers, each `otherwise` where it is absent. */
struct ir_dims ob_dims(struct onnx_build *b, const char *name, int n, int64_t otherwise);
/** A list that is the attribute `name`, or operand `i` in later versions; n -1: absent. */
struct ir_dims ob_list(struct onnx_build *b, const char *name, size_t i);
/** Axis counted from the end where negative. */
int ob_axis(const struct onnx_build *b, ir_val x, int64_t axis);

/** The numbers of a value, computed from the case's inputs. NULL after a failure. */
const void *ob_known(struct onnx_build *b, ir_val v);
/** An integer or float of it. */
int64_t ob_known_int(struct onnx_build *b, ir_val v, size_t i);
double ob_known_float(struct onnx_build *b, ir_val v, size_t i);

/** The type of a value; a scalar for 0. */
adze_shape ob_type(const struct onnx_build *b, ir_val v);
int ob_rank(const struct onnx_build *b, ir_val v);
int64_t ob_dim(const struct onnx_build *b, ir_val v, int axis);
adze_dtype ob_dtype(const struct onnx_build *b, ir_val v);

/** A constant like `x` in type and shape; a list of integers; as i64. */
ir_val ob_fill(struct onnx_build *b, ir_val x, double value);
ir_val ob_ints(struct onnx_build *b, const int64_t *at, int64_t n);
ir_val ob_floats(struct onnx_build *b, adze_dtype dtype, const double *at, int rank,
		 const int64_t *dims);
ir_val ob_iota(struct onnx_build *b, adze_dtype dtype, const adze_shape *like, int axis);

/** NumPy's broadcasting. */
ir_val ob_broadcast(struct onnx_build *b, ir_val x, const adze_shape *to);
ir_val ob_ew1(struct onnx_build *b, enum ir_op op, ir_val x);
ir_val ob_ew2(struct onnx_build *b, enum ir_op op, ir_val x, ir_val y);
/** x op value. */
ir_val ob_ewk(struct onnx_build *b, enum ir_op op, ir_val x, double value);
ir_val ob_select(struct onnx_build *b, ir_val c, ir_val x, ir_val y);
ir_val ob_convert(struct onnx_build *b, ir_val x, adze_dtype dtype);

ir_val ob_reshape(struct onnx_build *b, ir_val x, int rank, const int64_t *dims);
/** With an axis of extent 1 put in before `axis`, or the axis taken away. */
ir_val ob_unsqueeze(struct onnx_build *b, ir_val x, int axis);
ir_val ob_squeeze(struct onnx_build *b, ir_val x, int axis);
ir_val ob_transpose(struct onnx_build *b, ir_val x, const int *perm);
/** Swaps two axes. */
ir_val ob_swap(struct onnx_build *b, ir_val x, int i, int j);
/** from, from + step ... below `to`; a step below zero goes down to above `to`. */
ir_val ob_slice(struct onnx_build *b, ir_val x, int axis, int64_t from, int64_t to,
		int64_t step);
ir_val ob_concat(struct onnx_build *b, const ir_val *x, size_t n, int axis);
ir_val ob_pad(struct onnx_build *b, ir_val x, int axis, int64_t low, int64_t high, double v);
/** Indices below zero count from the end. */
ir_val ob_take(struct onnx_build *b, ir_val x, ir_val at, int axis);
/** Result element where `axis` of x has the index in `at`, which has x's rank. */
ir_val ob_take_along(struct onnx_build *b, ir_val x, ir_val at, int axis);
/** Over the axes of the set; `keep`: they stay with extent 1. */
ir_val ob_reduce(struct onnx_build *b, enum ew by, ir_val x, const bool *axes, bool keep);
ir_val ob_reduce1(struct onnx_build *b, enum ew by, ir_val x, int axis, bool keep);
/** NumPy's matmul. */
ir_val ob_matmul(struct onnx_build *b, ir_val x, ir_val y);

#endif
