/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels where each thread sums up one element of the result: convolutions, moving windows,
 * and products that cuBLASLt cannot take.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "devices/cuda/cuda_kernel.h"

typedef char coord_text[CUDA_SIZE_TEXT];

static ir_val arg(const struct cuda_kernel *k, size_t i)
{
	return ir_arg(k->e->g, k->q->root, i);
}

/* `const <type> name = element of operand n at coord`. */
static void emit_element(struct cuda_kernel *k, size_t n, const char *name,
			 const coord_text *coord)
{
	adze_dtype dtype = ir_type(k->e->g, arg(k, n))->dtype;
	char index[CUDA_INDEX];
	struct ir_view w;
	struct text x;
	if (!cuda_view(k, arg(k, n), &w))
		return;
	text_init(&x, k->e->out->arena.from);
	cuda_load(k, &x, dtype, cuda_pointer(k, cuda_ref_of(k->e, w.base), dtype, false),
		  cuda_index(k, &w, coord, index));
	cuda_line(k, "const %s %s = %s;", cuda_type_of(dtype), name, x.at != NULL ? x.at : "");
	k->body.failed |= x.failed;
	text_fini(&x);
}

/* Products of integers wrap, which only unsigned ones may do in C++. */
static void emit_product(struct cuda_kernel *k, const coord_text *a, const coord_text *b)
{
	bool is_float = dtype_is_float(ir_type(k->e->g, arg(k, 0))->dtype);
	emit_element(k, 0, "a", a);
	emit_element(k, 1, "b", b);
	cuda_line(k, is_float ? "total += a * b;" : "total += (u64)a * (u64)b;");
}

static const char *total_type(const struct cuda_kernel *k)
{
	adze_dtype dtype = ir_type(k->e->g, k->q->root)->dtype;
	return dtype_is_float(dtype) ? cuda_type_of(dtype) : "u64";
}

static void open_axis(struct cuda_kernel *k, const char *prefix, int i, struct ir_size extent)
{
	char n[CUDA_SIZE_TEXT];
	cuda_open(k, "for (idx %s%d = 0; %s%d < %s; %s%d++)", prefix, i, prefix, i,
		  cuda_size(k, extent, n), prefix, i);
}

/* ---- dot ---- */

static bool has(const struct ir_dims *dims, int64_t axis)
{
	for (int i = 0; i < dims->n; i++)
		if (dims->at[i] == axis)
			return true;
	return false;
}

static void emit_dot(struct cuda_kernel *k, const coord_text *o)
{
	const struct attrs_dot *d = IR_ATTRS(dot, k->e->g, k->q->root);
	coord_text a[ADZE_MAX_RANK], b[ADZE_MAX_RANK];
	struct ir_view x, y;
	int at = (int)d->batch_a.n;
	ir_view_dense(k->e->g, arg(k, 0), &x);
	ir_view_dense(k->e->g, arg(k, 1), &y);
	for (int i = 0; i < d->batch_a.n; i++) {
		memcpy(a[d->batch_a.at[i]], o[i], sizeof a[0]);
		memcpy(b[d->batch_b.at[i]], o[i], sizeof b[0]);
	}
	for (int i = 0; i < x.rank; i++)
		if (!has(&d->batch_a, i) && !has(&d->sum_a, i))
			memcpy(a[i], o[at++], sizeof a[0]);
	for (int i = 0; i < y.rank; i++)
		if (!has(&d->batch_b, i) && !has(&d->sum_b, i))
			memcpy(b[i], o[at++], sizeof b[0]);
	for (int i = 0; i < d->sum_a.n; i++) {
		open_axis(k, "k", i, x.extent[d->sum_a.at[i]]);
		snprintf(a[d->sum_a.at[i]], sizeof a[0], "k%d", i);
		snprintf(b[d->sum_b.at[i]], sizeof b[0], "k%d", i);
	}
	emit_product(k, (const coord_text *)a, (const coord_text *)b);
	for (int i = 0; i < d->sum_a.n; i++)
		cuda_close(k);
}

/* ---- conv, reduce_window ---- */

/* Declares x<i>, where tap w<i> stands in the operand, and passes over what is outside. */
static void emit_tap(struct cuda_kernel *k, int i, const char *out, int64_t stride, int64_t low,
		     int64_t dilation, struct ir_size extent)
{
	char n[CUDA_SIZE_TEXT];
	cuda_line(k, "const idx x%d = %s * %" PRId64 " - (%" PRId64 ") + w%d * %" PRId64 ";", i,
		  out, stride, low, i, dilation);
	cuda_line(k, "if (x%d < 0 || x%d >= %s)", i, i, cuda_size(k, extent, n));
	cuda_line(k, "\tcontinue;");
}

static void emit_conv(struct cuda_kernel *k, const coord_text *o)
{
	const struct attrs_conv *c = IR_ATTRS(conv, k->e->g, k->q->root);
	int64_t groups = c->groups == 0 ? 1 : c->groups;
	coord_text a[ADZE_MAX_RANK], b[ADZE_MAX_RANK];
	struct ir_view x, w;
	ir_view_dense(k->e->g, arg(k, 0), &x);
	ir_view_dense(k->e->g, arg(k, 1), &w);
	memcpy(a[0], o[0], sizeof a[0]);
	memcpy(b[0], o[1], sizeof b[0]);
	open_axis(k, "w", 1, w.extent[1]);
	snprintf(b[1], sizeof b[1], "w1");
	/* Channels of the group of this output channel. */
	cuda_line(k, "const idx x1 = %s / %" PRId64 " * %" PRId64 " + w1;", o[1],
		  w.extent[0].coef / groups > 0 ? w.extent[0].coef / groups : 1,
		  w.extent[1].coef);
	snprintf(a[1], sizeof a[1], "x1");
	for (int i = 2; i < x.rank; i++) {
		open_axis(k, "w", i, w.extent[i]);
		emit_tap(k, i, o[i], dims_or(&c->stride, i - 2, 1), dims_or(&c->low, i - 2, 0),
			 dims_or(&c->dilation, i - 2, 1), x.extent[i]);
		snprintf(a[i], sizeof a[i], "x%d", i);
		snprintf(b[i], sizeof b[i], "w%d", i);
	}
	emit_product(k, (const coord_text *)a, (const coord_text *)b);
	for (int i = 1; i < x.rank; i++)
		cuda_close(k);
}

static void emit_window(struct cuda_kernel *k, const coord_text *o)
{
	const struct attrs_window *c = IR_ATTRS(window, k->e->g, k->q->root);
	adze_dtype dtype = ir_type(k->e->g, k->q->root)->dtype;
	const char *op = cuda_op(k, c->by, dtype);
	coord_text a[ADZE_MAX_RANK];
	struct ir_view x;
	ir_view_dense(k->e->g, arg(k, 0), &x);
	for (int i = 0; i < x.rank; i++) {
		open_axis(k, "w", i, ir_size_const(c->window.at[i]));
		emit_tap(k, i, o[i], dims_or(&c->stride, i, 1), dims_or(&c->low, i, 0),
			 dims_or(&c->dilation, i, 1), x.extent[i]);
		snprintf(a[i], sizeof a[i], "x%d", i);
	}
	emit_element(k, 0, "a", (const coord_text *)a);
	if (dtype_is_float(dtype))
		cuda_line(k, "total = op_%s(total, a);", op);
	else
		cuda_line(k, "total = op_%s(total, a, %d);", op, dtype_info(dtype)->bits);
	for (int i = 0; i < x.rank; i++)
		cuda_close(k);
}

static void declare_total(struct cuda_kernel *k)
{
	const adze_graph *g = k->e->g;
	adze_dtype dtype = ir_type(g, k->q->root)->dtype;
	uint64_t start = 0;
	struct text x;
	if (ir_get(g, k->q->root)->op != OP_REDUCE_WINDOW) {
		cuda_line(k, "%s total = 0;", total_type(k));
		return;
	}
	ew_start_element(IR_ATTRS(window, g, k->q->root)->by, dtype, &start);
	text_init(&x, k->e->out->arena.from);
	cuda_literal(&x, dtype, &start);
	cuda_line(k, "%s total = %s;", cuda_type_of(dtype), x.at != NULL ? x.at : "");
	k->body.failed |= x.failed;
	text_fini(&x);
}

static void emit_root(struct cuda_kernel *k, const coord_text *o)
{
	adze_dtype dtype = ir_type(k->e->g, k->q->root)->dtype;
	char keep[CUDA_SIZE_TEXT];
	declare_total(k);
	switch (ir_class(k->e->g, k->q->root)) {
	case CLASS_GEMM: emit_dot(k, o); break;
	case CLASS_CONV: emit_conv(k, o); break;
	default: emit_window(k, o); break;
	}
	cuda_keep(k, dtype, keep);
	cuda_line(k, "const %s v%" PRIu32 " = %s(%s)total%s;", cuda_type_of(dtype),
		  cuda_declare(k, k->q->root), keep, cuda_type_of(dtype), cuda_keep_end(dtype));
}

void cuda_emit_sums(struct cuda_kernel *k)
{
	const adze_graph *g = k->e->g;
	const struct ir_group *q = k->q;
	adze_dtype dtype = ir_type(g, q->sink)->dtype;
	char n[CUDA_SIZE_TEXT], index[CUDA_INDEX];
	coord_text o[ADZE_MAX_RANK];
	struct cuda_space s;
	struct ir_view dense;
	ir_view_dense(g, q->root, &dense);
	if (!cuda_space_fill(k, &s, q->root, 0, q->epi, q->nepi, 0, &dense, true))
		return;
	cuda_open(k, "EACH_ITEM(idx, i, %s)", cuda_size(k, s.nouter, n));
	cuda_outer_coords(k, &s);
	cuda_coord_names(&s, o);
	emit_root(k, (const coord_text *)o);
	cuda_nodes(k, &s, q->epi, q->nepi);
	cuda_store(k, dtype, cuda_pointer(k, cuda_ref_of(k->e, q->sink), dtype, true),
		   cuda_leaf_index(k, &s, s.nleaf, index), cuda_value(k, &s, q->sink));
	cuda_close(k);
	cuda_forget(k, &s);
	cuda_launch(k, s.nouter, CUDA_BLOCK, CUDA_BLOCK);
}
