/* SPDX-License-Identifier: Apache-2.0
 *
 * A product's operands as matrices, with loops outside.
 */
#include "devices/cpu/cpu_lower.h"
#include "ir/group.h"

static struct cpu_view matrix(struct lowerer *l, const struct ir_dot_form *f, ir_val base,
			      adze_dtype dtype, const struct ir_size *outer, struct ir_size rows,
			      struct ir_size row, struct ir_size cols, struct ir_size col,
			      struct ir_size offset)
{
	struct ir_view w = {.base = base, .dtype = dtype, .rank = f->nouter + 2,
			    .offset = offset};
	for (int i = 0; i < f->nouter; i++) {
		w.extent[i] = f->outer[i];
		w.stride[i] = outer[i];
	}
	w.extent[f->nouter] = rows;
	w.stride[f->nouter] = row;
	w.extent[f->nouter + 1] = cols;
	w.stride[f->nouter + 1] = col;
	return lower_to_view(l, &w);
}

adze_status lower_dot_views(struct lowerer *l)
{
	const adze_graph *g = l->g;
	const struct ir_group *q = l->group;
	struct ir_dot_form f;
	if (!ir_dot_form(g, q->root, &f))
		return lower_unsupported(l, q->root, "its operands have no strides");
	if (f.nouter > ADZE_MAX_RANK - 2)
		return lower_unsupported(l, q->root, "it has too many axes");
	struct ir_size none = ir_size_const(0), one = ir_size_const(1);
	adze_dtype c = ir_type(g, q->root)->dtype;
	lower_add_view(l, matrix(l, &f, q->sink, c, f.outer_c, f.m, f.c_row, f.n, one, none));
	lower_add_view(l, matrix(l, &f, f.a, f.a_dtype, f.outer_a, f.m, f.a_row, f.k, f.a_col,
				 f.a_offset));
	lower_add_view(l, matrix(l, &f, f.b, f.b_dtype, f.outer_b, f.k, f.b_row, f.n, f.b_col,
				 f.b_offset));
	return l->diag->status;
}
