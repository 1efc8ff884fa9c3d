/* SPDX-License-Identifier: Apache-2.0
 *
 * Products one of whose operands lies in blocks: the other one gives the rows of x, whichever
 * stands first.
 */
#include "devices/cpu/cpu_lower.h"

/* Axes [outer.., rows, cols] of the memory of `base`. */
static struct ir_view matrix(const struct ir_dot_form *f, ir_val base, adze_dtype dtype,
			     const struct ir_size *outer, struct ir_size offset)
{
	struct ir_view w = {.base = base, .dtype = dtype, .rank = f->nouter + 2,
			    .offset = offset};
	for (int i = 0; i < f->nouter; i++) {
		w.extent[i] = f->outer[i];
		w.stride[i] = outer[i];
	}
	return w;
}

static void set_axis(struct ir_view *w, int axis, struct ir_size extent, struct ir_size stride)
{
	w->extent[axis] = extent;
	w->stride[axis] = stride;
}

static struct ir_size in_bytes(struct ir_size elements, enum block_kind b)
{
	elements.coef = elements.coef / block_format(b)->elements * block_format(b)->bytes;
	return elements;
}

/* The operation that the product has taken in, behind views. */
static ir_val dequantized(const adze_graph *g, ir_val v)
{
	while (g->node[v].op != OP_DEQUANTIZE_BLOCKS)
		v = ir_arg(g, v, 0);
	return v;
}

adze_status lower_dot_blocks(struct lowerer *l, const struct ir_dot_form *f)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root;
	bool first = f->a_block != BLOCK_NONE;
	enum block_kind b = first ? f->a_block : f->b_block;
	struct ir_size none = ir_size_const(0), one = ir_size_const(1);
	int o = f->nouter;
	if (o > ADZE_MAX_RANK - 2)
		return lower_unsupported(l, root, "it has too many axes");
	if (lower_add_step(l, CPU_BLOCKS, root) == NULL)
		return ADZE_E_NOMEM;
	struct ir_view y = matrix(f, l->group->sink, ADZE_F32, f->outer_c, none);
	set_axis(&y, o, first ? f->n : f->m, first ? one : f->c_row);
	set_axis(&y, o + 1, first ? f->m : f->n, first ? f->c_row : one);
	struct ir_view x = matrix(f, first ? f->b : f->a, ADZE_F32, first ? f->outer_b : f->outer_a,
				  first ? f->b_offset : f->a_offset);
	set_axis(&x, o, first ? f->n : f->m, first ? f->b_col : f->a_row);
	set_axis(&x, o + 1, f->k, first ? f->b_row : f->a_col);
	struct ir_view w = matrix(f, first ? f->a : f->b, ADZE_U8, first ? f->outer_a : f->outer_b,
				  in_bytes(first ? f->a_offset : f->b_offset, b));
	for (int i = 0; i < o; i++)
		w.stride[i] = in_bytes(w.stride[i], b);
	set_axis(&w, o, first ? f->m : f->n, in_bytes(first ? f->a_row : f->b_col, b));
	set_axis(&w, o + 1, in_bytes(f->k, b), one);
	lower_add_view(l, lower_to_view(l, &y));
	lower_add_view(l, lower_to_view(l, &x));
	lower_add_view(l, lower_to_view(l, &w));
	ir_val from = dequantized(g, ir_arg(g, root, first ? 0 : 1));
	lower_add_param(l, (int64_t)b);
	lower_add_param(l, IR_ATTRS(dequantize_blocks, g, from)->quick);
	return l->diag->status;
}
