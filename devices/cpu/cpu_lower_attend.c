/* SPDX-License-Identifier: Apache-2.0
 *
 * Lowering of attention: outer axes, then rows or keys, then widths. Row axes that one stride
 * walks in all operands become one.
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
	for (int i = view[0].rank - 3; i >= batch; i--) {
		bool joins = true;
		for (size_t k = 0; k <= n; k++)
			joins &= k == 2 || k == 3 || is_one_walk(&view[k], i);
		for (size_t k = 0; joins && k <= n; k++)
			if (k != 2 && k != 3)
				join(&view[k], i);
	}
	lower_add_view(l, lower_sink_view(l, &view[0], view[0].dtype));
	for (size_t i = 1; i <= n; i++)
		lower_add_view(l, lower_to_view(l, &view[i]));
	lower_add_param(l, view[0].rank - 1 - batch);
	return lower_bodies(l);
}
