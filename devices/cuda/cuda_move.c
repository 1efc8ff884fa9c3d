/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels that put elements at places, one thread an element of the result: sources that are
 * computed, concat, pad, take and the dynamic slices.
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

/* The element of operand `v` at coordinates. */
static void print_element(struct cuda_kernel *k, struct text *out, ir_val v,
			  const coord_text *coord)
{
	adze_dtype dtype = cuda_element(k, v);
	char index[CUDA_INDEX];
	struct ir_view w;
	if (cuda_view(k, v, &w))
		cuda_load(k, out, dtype,
			  cuda_pointer(k, cuda_ref_of(k->e, w.base), dtype, false),
			  cuda_index(k, &w, coord, index));
}

/* `const idx <name>0 = ...` for the integer scalars from operand `first` on, each kept to
 * where a box of `box`'s extents fits into `of`. */
static void emit_starts(struct cuda_kernel *k, size_t first, ir_val of, ir_val box)
{
	struct ir_view big, small;
	char a[CUDA_SIZE_TEXT], b[CUDA_SIZE_TEXT];
	ir_view_dense(k->e->g, of, &big);
	ir_view_dense(k->e->g, box, &small);
	for (int i = 0; i < big.rank; i++) {
		uint32_t v = cuda_scalar(k, arg(k, first + (size_t)i));
		cuda_line(k, "const idx b%d = (idx)kept(v%" PRIu32 ", %s - %s);", i, v,
			  cuda_size(k, big.extent[i], a), cuda_size(k, small.extent[i], b));
	}
}

/* Declares `inside`: whether every coordinate is one of `v`. */
static void emit_inside(struct cuda_kernel *k, ir_val v, const coord_text *coord)
{
	char extent[CUDA_SIZE_TEXT];
	struct ir_view w;
	ir_view_dense(k->e->g, v, &w);
	cuda_line(k, "bool inside = true;");
	for (int i = 0; i < w.rank; i++)
		cuda_line(k, "inside = inside && %s >= 0 && %s < %s;", coord[i], coord[i],
			  cuda_size(k, w.extent[i], extent));
}


/* ---- each operation: the text of the root's value at `o` ---- */

static void print_iota(struct cuda_kernel *k, struct text *out, const coord_text *o)
{
	char at[CUDA_SIZE_TEXT + 8];
	int axis = (int)IR_ATTRS(axis, k->e->g, k->q->root)->axis;
	snprintf(at, sizeof at, "(i64)%s", o[axis]);
	cuda_convert(k, out, ir_type(k->e->g, k->q->root)->dtype, ADZE_I64, at);
}

static void print_extent(struct cuda_kernel *k, struct text *out)
{
	const adze_shape *s = ir_type(k->e->g, arg(k, 0));
	char size[CUDA_SIZE_TEXT], at[CUDA_SIZE_TEXT + 8];
	struct ir_size n = ir_size_of(k->e->g, &s->dim[IR_ATTRS(axis, k->e->g, k->q->root)->axis]);
	snprintf(at, sizeof at, "(i64)%s", cuda_size(k, n, size));
	cuda_convert(k, out, ir_type(k->e->g, k->q->root)->dtype, ADZE_I64, at);
}

static void print_pad(struct cuda_kernel *k, struct text *out, const coord_text *o)
{
	const struct attrs_pad *a = IR_ATTRS(pad, k->e->g, k->q->root);
	coord_text at[ADZE_MAX_RANK];
	for (int i = 0; i < a->low.n; i++) {
		int32_t low = (int32_t)a->low.at[i];
		int64_t apart = dims_or(&a->interior, i, 0) + 1;
		snprintf(at[i], sizeof at[i], "(%.10s - %" PRId32 ")", o[i], low);
		if (apart == 1)
			continue;
		cuda_line(k, "const idx e%d = (idx)apart(%s, %" PRId64 ");", i, at[i], apart);
		snprintf(at[i], sizeof at[i], "e%d", i);
	}
	emit_inside(k, arg(k, 0), (const coord_text *)at);
	text_add(out, "inside ? ");
	print_element(k, out, arg(k, 0), (const coord_text *)at);
	text_add(out, " : v%" PRIu32, cuda_scalar(k, arg(k, 1)));
}

static void print_take(struct cuda_kernel *k, struct text *out, const coord_text *o)
{
	const adze_graph *g = k->e->g;
	const adze_shape *x = ir_type(g, arg(k, 0)), *which = ir_type(g, arg(k, 1));
	int axis = (int)IR_ATTRS(axis, g, k->q->root)->axis;
	coord_text from[ADZE_MAX_RANK];
	char extent[CUDA_SIZE_TEXT];
	struct text at;
	text_init(&at, k->e->out->arena.from);
	print_element(k, &at, arg(k, 1), o + axis);
	cuda_line(k, "const %s which = %s;", cuda_type_of(which->dtype), at.at ? at.at : "");
	k->body.failed |= at.failed;
	text_fini(&at);
	cuda_size(k, ir_size_of(g, &x->dim[axis]), extent);
	cuda_line(k, "const idx at = (idx)kept(which, %s - 1);", extent);
	for (int i = 0; i < x->rank; i++)
		if (i != axis)
			memcpy(from[i], o[i < axis ? i : i - 1 + which->rank], sizeof from[i]);
	snprintf(from[axis], sizeof from[axis], "at");
	/* Of nothing there is nothing to pick. */
	if (!dim_is_static(&x->dim[axis]))
		text_add(out, "%s == 0 ? 0 : ", extent);
	print_element(k, out, arg(k, 0), (const coord_text *)from);
}

static void print_dynamic_slice(struct cuda_kernel *k, struct text *out, const coord_text *o)
{
	coord_text at[ADZE_MAX_RANK];
	emit_starts(k, 1, arg(k, 0), k->q->root);
	for (int i = 0; i < ir_type(k->e->g, arg(k, 0))->rank; i++)
		snprintf(at[i], sizeof at[i], "(%.10s + b%d)", o[i], i);
	print_element(k, out, arg(k, 0), (const coord_text *)at);
}

static void print_dynamic_update(struct cuda_kernel *k, struct text *out, const coord_text *o)
{
	coord_text at[ADZE_MAX_RANK];
	int rank = ir_type(k->e->g, arg(k, 0))->rank;
	emit_starts(k, 2, arg(k, 0), arg(k, 1));
	for (int i = 0; i < rank; i++)
		snprintf(at[i], sizeof at[i], "(%.10s - b%d)", o[i], i);
	emit_inside(k, arg(k, 1), (const coord_text *)at);
	text_add(out, "inside ? ");
	print_element(k, out, arg(k, 1), (const coord_text *)at);
	text_add(out, " : ");
	print_element(k, out, arg(k, 0), o);
}

/* The result takes over the operand's memory: only the box of the update is written. */
static bool updates_in_place(struct cuda_kernel *k)
{
	if (ir_get(k->e->g, k->q->root)->op != OP_DYNAMIC_UPDATE_SLICE || k->q->nepi > 0 ||
	    !ir_has_memory(k->e->g, arg(k, 0)))
		return false;
	struct cuda_ref x = cuda_ref_of(k->e, arg(k, 0)), y = cuda_ref_of(k->e, k->q->sink);
	return x.kind == y.kind && x.at == y.at;
}

static void emit_update(struct cuda_kernel *k)
{
	const adze_graph *g = k->e->g;
	adze_dtype dtype = cuda_element(k, k->q->root);
	char n[CUDA_SIZE_TEXT], index[CUDA_INDEX];
	coord_text o[ADZE_MAX_RANK], at[ADZE_MAX_RANK];
	struct cuda_space s;
	struct ir_view last, y;
	ir_view_dense(g, arg(k, 1), &last);
	ir_view_dense(g, k->q->root, &y);
	if (!cuda_space_fill(k, &s, arg(k, 1), 0, NULL, 0, arg(k, 1), &last, true))
		return;
	cuda_open(k, "EACH_ITEM(idx, i, %s)", cuda_size(k, s.nouter, n));
	cuda_outer_coords(k, &s);
	cuda_coord_names(&s, o);
	emit_starts(k, 2, arg(k, 0), arg(k, 1));
	for (int i = 0; i < y.rank; i++)
		snprintf(at[i], sizeof at[i], "(%.10s + b%d)", o[i], i);
	uint32_t v = cuda_value(k, &s, arg(k, 1));
	cuda_store(k, dtype, cuda_pointer(k, cuda_ref_of(k->e, k->q->sink), dtype, true),
		   cuda_index(k, &y, (const coord_text *)at, index), v);
	cuda_close(k);
	cuda_forget(k, &s);
	cuda_launch(k, s.nouter, CUDA_BLOCK, CUDA_BLOCK);
}

static void print_root(struct cuda_kernel *k, struct text *out, const coord_text *o)
{
	switch (ir_get(k->e->g, k->q->root)->op) {
	case OP_IOTA: print_iota(k, out, o); break;
	case OP_EXTENT: print_extent(k, out); break;
	case OP_PAD: print_pad(k, out, o); break;
	case OP_TAKE: print_take(k, out, o); break;
	case OP_DYNAMIC_SLICE: print_dynamic_slice(k, out, o); break;
	case OP_DYNAMIC_UPDATE_SLICE: print_dynamic_update(k, out, o); break;
	default:
		cuda_refuse(k->e, k->q->root, ADZE_E_UNSUPPORTED, "CUDA cannot compute it yet");
		break;
	}
}

void cuda_emit_move(struct cuda_kernel *k)
{
	const adze_graph *g = k->e->g;
	const struct ir_group *q = k->q;
	char n[CUDA_SIZE_TEXT], index[CUDA_INDEX];
	coord_text o[ADZE_MAX_RANK];
	struct cuda_space s;
	struct ir_view dense;
	struct text x;
	k->raw = ir_class(g, q->root) == CLASS_MOVE && q->nepi == 0;
	if (updates_in_place(k)) {
		emit_update(k);
		return;
	}
	ir_view_dense(g, q->root, &dense);
	if (!cuda_space_fill(k, &s, q->root, 0, q->epi, q->nepi, 0, &dense, true))
		return;
	cuda_open(k, "EACH_ITEM(idx, i, %s)", cuda_size(k, s.nouter, n));
	cuda_outer_coords(k, &s);
	cuda_coord_names(&s, o);
	text_init(&x, k->e->out->arena.from);
	print_root(k, &x, (const coord_text *)o);
	cuda_line(k, "const %s v%" PRIu32 " = %s;", cuda_type_of(cuda_element(k, q->root)),
		  cuda_declare(k, q->root), x.at != NULL ? x.at : "");
	k->body.failed |= x.failed;
	text_fini(&x);
	cuda_nodes(k, &s, q->epi, q->nepi);
	adze_dtype dtype = cuda_element(k, q->sink);
	cuda_store(k, dtype, cuda_pointer(k, cuda_ref_of(k->e, q->sink), dtype, true),
		   cuda_leaf_index(k, &s, s.nleaf, index), cuda_value(k, &s, q->sink));
	cuda_close(k);
	cuda_forget(k, &s);
	cuda_launch(k, s.nouter, CUDA_BLOCK, CUDA_BLOCK);
}

/* ---- concat: a launch for each operand ---- */

static void emit_part(struct cuda_kernel *k, ir_val v, int64_t before)
{
	const adze_graph *g = k->e->g;
	int axis = (int)IR_ATTRS(axis, g, k->q->root)->axis;
	char n[CUDA_SIZE_TEXT], index[CUDA_INDEX];
	struct cuda_space s;
	struct ir_view last, y;
	ir_view_dense(g, v, &last);
	ir_view_dense(g, k->q->root, &y);
	memcpy(last.stride, y.stride, sizeof last.stride);
	last.base = k->q->root;
	last.offset = ir_size_mul(ir_size_const(before), y.stride[axis]);
	if (!cuda_space_fill(k, &s, v, 0, NULL, 0, v, &last, false))
		return;
	k->raw = true;
	cuda_open(k, "EACH_ITEM(idx, i, %s)", cuda_size(k, s.nouter, n));
	cuda_outer_coords(k, &s);
	adze_dtype dtype = cuda_element(k, v);
	uint32_t x = cuda_value(k, &s, v);
	cuda_store(k, dtype, cuda_pointer(k, cuda_ref_of(k->e, k->q->sink), dtype, true),
		   cuda_leaf_index(k, &s, s.nleaf, index), x);
	cuda_close(k);
	cuda_forget(k, &s);
	cuda_launch(k, s.nouter, CUDA_BLOCK, CUDA_BLOCK);
}

void cuda_emit_concat(struct cuda_emitter *e, const struct ir_group *q)
{
	const struct ir_node *root = ir_get(e->g, q->root);
	int axis = (int)IR_ATTRS(axis, e->g, q->root)->axis;
	int64_t before = 0;
	if (q->nnode > 1)
		cuda_refuse(e, q->root, ADZE_E_UNSUPPORTED, "CUDA cannot fuse what follows it");
	for (size_t i = 0; e->status == ADZE_OK && i < root->narg; i++) {
		ir_val v = ir_arg(e->g, q->root, i);
		struct cuda_kernel *k = mem_new(e->out->arena.from, 1, sizeof *k);
		if (k == NULL) {
			e->status = fail(e->d, ADZE_E_NOMEM, "no memory to generate CUDA code");
			return;
		}
		cuda_kernel_init(k, e, q);
		emit_part(k, v, before);
		cuda_kernel_fini(k);
		mem_free(e->out->arena.from, k, 1, sizeof *k);
		before += ir_type(e->g, v)->dim[axis].size;
	}
}
