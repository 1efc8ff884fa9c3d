/* SPDX-License-Identifier: Apache-2.0
 *
 * Lowering of attention: all operands get the same outer axes, then rows or keys, then widths.
 * Row axes that one stride walks in all of them become one, so that queries which share their
 * keys are one product.
 */
#include "devices/cpu/cpu_lower.h"

/* Whether axes i and i + 1 are one walk. */
static bool is_one_walk(const struct ir_view *w, int i)
{
	return ir_size_is(w->extent[i], 1) || ir_size_is(w->extent[i + 1], 1) ||
	       ir_size_equal(w->stride[i], ir_size_mul(w->extent[i + 1], w->stride[i + 1]));
}

/* Makes axes i and i + 1 one. */
static void join(struct ir_view *w, int i)
{
	if (!ir_size_is(w->extent[i + 1], 1))
		w->stride[i] = w->stride[i + 1];
	w->extent[i] = ir_size_mul(w->extent[i], w->extent[i + 1]);
	w->rank--;
	for (int k = i + 1; k < w->rank; k++) {
		w->extent[k] = w->extent[k + 1];
		w->stride[k] = w->stride[k + 1];
	}
}

/* [batch.., t, width] with the outer row axes of q, along which it does not move. */
static void spread(struct ir_view *w, const struct ir_view *q, int batch, int outer)
{
	struct ir_view old = *w;
	w->rank = outer + 2;
	for (int i = batch; i < outer; i++) {
		w->extent[i] = q->extent[i];
		w->stride[i] = ir_size_const(0);
	}
	for (int i = 0; i < 2; i++) {
		w->extent[outer + i] = old.extent[batch + i];
		w->stride[outer + i] = old.stride[batch + i];
	}
}

adze_status lower_attend(struct lowerer *l)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root;
	size_t n = g->node[root].narg;
	int batch = (int)IR_ATTRS(attention, g, root)->batch;
	struct ir_view *view = arena_new(l->arena, n + 1, sizeof *view);
	if (view == NULL || lower_add_step(l, CPU_ATTEND, root) == NULL)
		return lower_no_memory(l);
	if (n - 3 > CPU_MAX_PLAIN)
		return lower_unsupported(l, root, "its body reads too many operands");
	ir_view_dense(g, root, &view[0]);
	for (size_t i = 0; i < n; i++)
		if (!ir_view_of(g, ir_arg(g, root, i), &view[1 + i]))
			return lower_unsupported(l, root, "an operand has no strides");
	/* Keys and values, views 2 and 3, have no rows. */
	int rows = view[0].rank - 2;
	for (bool joins = true; rows > batch && joins; rows -= joins) {
		for (size_t i = 0; i <= n; i++)
			joins &= i == 2 || i == 3 || is_one_walk(&view[i], rows - 1);
		for (size_t i = 0; joins && i <= n; i++)
			if (i != 2 && i != 3)
				join(&view[i], rows - 1);
	}
	spread(&view[2], &view[1], batch, rows);
	spread(&view[3], &view[1], batch, rows);
	lower_add_view(l, lower_sink_view(l, &view[0], view[0].dtype));
	for (size_t i = 1; i <= n; i++)
		lower_add_view(l, lower_to_view(l, &view[i]));
	return lower_bodies(l);
}
