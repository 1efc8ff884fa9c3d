/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels that give a block to each row: reductions, searches, softmax and the norms, with
 * element-wise nodes before and after them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "devices/cuda/cuda_kernel.h"

/* As many threads as the row has elements, in whole warps. */
static uint32_t threads_for(const struct cuda_kernel *k, struct ir_size n)
{
	int64_t bound = ir_size_bound(k->e->g, n);
	uint32_t threads = 32;
	while (threads < CUDA_BLOCK && (int64_t)threads < bound)
		threads *= 2;
	return threads;
}

static ir_val operand(const struct cuda_kernel *k)
{
	return ir_arg(k->e->g, k->q->root, 0);
}

/* One loop over the row's elements; the variable of the root's operand. */
static uint32_t open_row(struct cuda_kernel *k, const struct cuda_space *s)
{
	char n[CUDA_SIZE_TEXT];
	cuda_forget(k, s);
	cuda_open(k, "EACH_IN_ROW(idx, k, %s)", cuda_size(k, s->ninner, n));
	cuda_inner_coords(k, s);
	cuda_nodes(k, s, k->q->pro, k->q->npro);
	return cuda_value(k, s, operand(k));
}

static void open_rows(struct cuda_kernel *k, struct cuda_space *s)
{
	char n[CUDA_SIZE_TEXT];
	k->e->needs_rows = true;
	s->row = "row";
	cuda_open(k, "EACH_ROW(idx, row, %s)", cuda_size(k, s->nouter, n));
	cuda_outer_coords(k, s);
}

/* The sink's pointer, to be written. */
static uint32_t result(struct cuda_kernel *k)
{
	ir_val v = k->q->sink;
	return cuda_pointer(k, cuda_ref_of(k->e, v), ir_type(k->e->g, v)->dtype, true);
}

/* ---- REDUCE ---- */

static unsigned away_of(const struct cuda_kernel *k)
{
	const struct ir_node *root = ir_get(k->e->g, k->q->root);
	unsigned away = 0;
	if (root->op != OP_REDUCE)
		return 1u << IR_ATTRS(axis, k->e->g, k->q->root)->axis;
	const struct ir_dims *axes = &IR_ATTRS(reduce, k->e->g, k->q->root)->axes;
	for (int i = 0; i < axes->n; i++)
		away |= 1u << axes->at[i];
	return away;
}

/* The result over the operand's box: it does not move along the axes that fall away. */
static void result_view(const struct cuda_kernel *k, unsigned away, struct ir_view *out)
{
	struct ir_view y;
	int axis = 0;
	ir_view_dense(k->e->g, k->q->root, &y);
	ir_view_dense(k->e->g, operand(k), out);
	out->base = k->q->root;
	for (int i = 0; i < out->rank; i++)
		out->stride[i] = away >> i & 1 ? ir_size_const(0) : y.stride[axis++];
}

static void emit_total(struct cuda_kernel *k, const struct cuda_space *s, adze_dtype dtype)
{
	enum ew by = IR_ATTRS(reduce, k->e->g, k->q->root)->by;
	const char *c = cuda_type_of(dtype), *op = cuda_op(k, by, dtype);
	char bits[CUDA_SIZE_TEXT] = "";
	uint64_t start[1] = {0};
	struct text x;
	if (!dtype_is_float(dtype))
		snprintf(bits, sizeof bits, ", %d", dtype_info(dtype)->bits);
	ew_start_element(by, dtype, start);
	text_init(&x, k->e->out->arena.from);
	cuda_literal(&x, dtype, start);
	cuda_line(k, "%s total = %s;", c, x.at != NULL ? x.at : "");
	text_fini(&x);
	uint32_t v = open_row(k, s);
	cuda_line(k, "total = op_%s(total, v%" PRIu32 "%s);", op, v, bits);
	cuda_close(k);
	cuda_line(k, "total = block_total(total, [](%s a, %s b) { return op_%s(a, b%s); });", c, c,
		  op, bits);
}

static void emit_search(struct cuda_kernel *k, const struct cuda_space *s, adze_dtype dtype)
{
	const char *c = cuda_type_of(dtype);
	const char *which = ir_get(k->e->g, k->q->root)->op == OP_ARGMIN ? "true" : "false";
	cuda_line(k, "best<%s> found = {0, -1};", c);
	uint32_t v = open_row(k, s);
	cuda_line(k, "found = better<%s>(found, best<%s>{v%" PRIu32 ", (i64)k});", which, c, v);
	cuda_close(k);
	cuda_line(k, "found = block_total(found, [](best<%s> a, best<%s> b) {", c, c);
	cuda_line(k, "\treturn better<%s>(a, b);", which);
	cuda_line(k, "});");
	cuda_line(k, "const i64 total = found.at;");
}

/* What one thread of the block does with the row's result. */
static void finish_reduce(struct cuda_kernel *k, const struct cuda_space *s,
			  const struct cuda_space *after)
{
	ir_val root = k->q->root, sink = k->q->sink;
	adze_dtype dtype = ir_type(k->e->g, root)->dtype;
	char keep[CUDA_SIZE_TEXT], index[CUDA_INDEX];
	cuda_forget(k, s);
	cuda_open(k, "if (threadIdx.x == 0)");
	cuda_outer_coords(k, after);
	cuda_keep(k, dtype, keep);
	cuda_line(k, "const %s v%" PRIu32 " = %stotal%s;", cuda_type_of(dtype),
		  cuda_declare(k, root), keep, cuda_keep_end(dtype));
	cuda_nodes(k, after, k->q->epi, k->q->nepi);
	cuda_store(k, ir_type(k->e->g, sink)->dtype, result(k),
		   cuda_leaf_index(k, after, after->nleaf, index), cuda_value(k, after, sink));
	cuda_close(k);
	cuda_forget(k, after);
}

void cuda_emit_reduce(struct cuda_kernel *k)
{
	const adze_graph *g = k->e->g;
	const struct ir_group *q = k->q;
	adze_dtype dtype = ir_type(g, operand(k))->dtype;
	unsigned away = away_of(k);
	struct cuda_space s, after;
	struct ir_view last, dense;
	result_view(k, away, &last);
	ir_view_dense(g, q->root, &dense);
	if (!cuda_space_fill(k, &s, operand(k), away, q->pro, q->npro, operand(k), &last, false) ||
	    !cuda_space_fill(k, &after, q->root, 0, q->epi, q->nepi, 0, &dense, false))
		return;
	after.row = "row";
	after.prefix = 'e';
	open_rows(k, &s);
	if (ir_get(g, q->root)->op == OP_REDUCE)
		emit_total(k, &s, dtype);
	else
		emit_search(k, &s, dtype);
	finish_reduce(k, &s, &after);
	cuda_close(k);
	cuda_launch(k, s.nouter, threads_for(k, s.ninner), 1);
}

/* ---- ROW ---- */

static void emit_sum(struct cuda_kernel *k, const char *c, const char *name)
{
	cuda_line(k, "%s = block_total(%s, [](%s a, %s b) { return a + b; });", name, name, c, c);
}

static void softmax_totals(struct cuda_kernel *k, const struct cuda_space *s, adze_dtype dtype)
{
	const char *c = cuda_type_of(dtype), *max = cuda_op(k, EW_MAX, dtype);
	cuda_line(k, "%s top = -%s;", c,
		  dtype == ADZE_F64 ? "f64_of(0x7ff0000000000000ull)" : "f32_of(0x7f800000u)");
	uint32_t v = open_row(k, s);
	cuda_line(k, "top = op_%s(top, v%" PRIu32 ");", max, v);
	cuda_close(k);
	cuda_line(k, "top = block_total(top, [](%s a, %s b) { return op_%s(a, b); });", c, c, max);
	cuda_line(k, "%s sum = 0;", c);
	v = open_row(k, s);
	cuda_line(k, "sum += exp_of(v%" PRIu32 " - top);", v);
	cuda_close(k);
	emit_sum(k, c, "sum");
}

static void norm_totals(struct cuda_kernel *k, const struct cuda_space *s, adze_dtype dtype)
{
	const char *c = cuda_type_of(dtype);
	bool center = ir_get(k->e->g, k->q->root)->op == OP_LAYER_NORM;
	double eps = IR_ATTRS(eps, k->e->g, k->q->root)->eps;
	char n[CUDA_SIZE_TEXT];
	struct text x;
	uint32_t v;
	cuda_size(k, s->ninner, n);
	if (center) {
		cuda_line(k, "%s mean = 0;", c);
		v = open_row(k, s);
		cuda_line(k, "mean += v%" PRIu32 ";", v);
		cuda_close(k);
		emit_sum(k, c, "mean");
		cuda_line(k, "mean /= (%s)%s;", c, n);
	}
	cuda_line(k, "%s square = 0;", c);
	v = open_row(k, s);
	cuda_line(k, "const %s far = v%" PRIu32 "%s;", c, v, center ? " - mean" : "");
	cuda_line(k, "square += far * far;");
	cuda_close(k);
	emit_sum(k, c, "square");
	text_init(&x, k->e->out->arena.from);
	cuda_literal(&x, ADZE_F64, &eps);
	cuda_line(k, "const %s root = sqrt_of(square / (%s)%s + (%s)%s);", c, c, n, c,
		  x.at != NULL ? x.at : "");
	text_fini(&x);
}

/* Element of the row's scale or bias, which lie along the row. */
static uint32_t load_along(struct cuda_kernel *k, ir_val v)
{
	adze_dtype dtype = ir_type(k->e->g, v)->dtype;
	char coord[1][CUDA_SIZE_TEXT] = {"k"}, index[CUDA_INDEX];
	struct ir_view w;
	struct text x;
	if (!cuda_view(k, v, &w))
		return 0;
	text_init(&x, k->e->out->arena.from);
	uint32_t p = cuda_pointer(k, cuda_ref_of(k->e, w.base), dtype, false);
	cuda_load(k, &x, dtype, p, cuda_index(k, &w, (const char (*)[CUDA_SIZE_TEXT])coord, index));
	cuda_line(k, "const %s v%" PRIu32 " = %s;", cuda_type_of(dtype), k->nvar,
		  x.at != NULL ? x.at : "");
	k->body.failed |= x.failed;
	text_fini(&x);
	return k->nvar++;
}

/* The root's value from its operand's, v. */
static void emit_element(struct cuda_kernel *k, uint32_t v, adze_dtype dtype)
{
	const adze_graph *g = k->e->g;
	ir_val root = k->q->root;
	const char *c = cuda_type_of(dtype);
	char keep[CUDA_SIZE_TEXT], scale[CUDA_SIZE_TEXT] = "", bias[CUDA_SIZE_TEXT] = "";
	bool center = ir_get(g, root)->op == OP_LAYER_NORM;
	if (ir_get(g, root)->narg > 1)
		snprintf(scale, sizeof scale, " * v%" PRIu32, load_along(k, ir_arg(g, root, 1)));
	if (ir_get(g, root)->narg > 2)
		snprintf(bias, sizeof bias, " + v%" PRIu32, load_along(k, ir_arg(g, root, 2)));
	cuda_keep(k, dtype, keep);
	uint32_t y = cuda_declare(k, root);
	if (ir_get(g, root)->op == OP_SOFTMAX)
		cuda_line(k, "const %s v%" PRIu32 " = %sexp_of(v%" PRIu32 " - top) / sum%s;", c, y,
			  keep, v, cuda_keep_end(dtype));
	else
		cuda_line(k, "const %s v%" PRIu32 " = %s(v%" PRIu32 "%s) / root%s%s%s;", c, y, keep,
			  v, center ? " - mean" : "", scale, bias, cuda_keep_end(dtype));
}

void cuda_emit_row(struct cuda_kernel *k)
{
	const adze_graph *g = k->e->g;
	const struct ir_group *q = k->q;
	adze_dtype dtype = ir_type(g, q->root)->dtype;
	int axis = ir_type(g, q->root)->rank - 1;
	char index[CUDA_INDEX];
	struct cuda_space s;
	struct ir_view dense;
	if (ir_get(g, q->root)->op == OP_SOFTMAX)
		axis = (int)IR_ATTRS(axis, g, q->root)->axis;
	ir_view_dense(g, q->root, &dense);
	/* One box for what is before and behind the root: they have the same extents. */
	ir_val *node = arena_new(&k->e->out->arena, q->nnode, sizeof *node);
	if (node == NULL) {
		k->body.failed = true;
		return;
	}
	memcpy(node, q->pro, q->npro * sizeof *node);
	memcpy(node + q->npro, q->epi, q->nepi * sizeof *node);
	if (!cuda_space_fill(k, &s, q->root, 1u << axis, node, q->npro + q->nepi, operand(k),
			     &dense, false))
		return;
	open_rows(k, &s);
	if (ir_get(g, q->root)->op == OP_SOFTMAX)
		softmax_totals(k, &s, dtype);
	else
		norm_totals(k, &s, dtype);
	uint32_t v = open_row(k, &s);
	emit_element(k, v, dtype);
	cuda_nodes(k, &s, q->epi, q->nepi);
	cuda_store(k, ir_type(g, q->sink)->dtype, result(k), cuda_leaf_index(k, &s, s.nleaf, index),
		   cuda_value(k, &s, q->sink));
	cuda_close(k);
	cuda_close(k);
	cuda_forget(k, &s);
	cuda_launch(k, s.nouter, threads_for(k, s.ninner), 1);
}
