/* SPDX-License-Identifier: Apache-2.0
 *
 * Lowering of operations that move elements: joined, padded, picked by index, at run-time
 * places; and of those that count.
 */
#include <string.h>

#include "devices/cpu/cpu_lower.h"

/* A box of the sink's memory: its extents, from `start` on along each axis, every step-th. */
static struct cpu_view box(struct lowerer *l, const adze_shape *extents, const int64_t *start,
			   const int64_t *step)
{
	struct ir_view w;
	ir_view_dense(l->g, l->group->sink, &w);
	for (int i = 0; i < w.rank; i++) {
		w.extent[i] = ir_size_of(l->g, &extents->dim[i]);
		struct ir_size by = ir_size_mul(w.stride[i], ir_size_const(start[i]));
		w.stride[i] = ir_size_mul(w.stride[i], ir_size_const(step != NULL ? step[i] : 1));
		if (by.coef == 0)
			continue;
		/* One axis at most has a start where strides have symbols: concat, pad. */
		memcpy(w.offset.power, by.power, sizeof by.power);
		w.offset.coef += by.coef;
	}
	return lower_to_view(l, &w);
}

static adze_status lower_concat(struct lowerer *l)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root;
	int64_t axis = IR_ATTRS(axis, g, root)->axis, start[ADZE_MAX_RANK] = {0};
	for (size_t i = 0; i < g->node[root].narg; i++) {
		ir_val x = ir_arg(g, root, i);
		const adze_shape *xs = ir_type(g, x);
		if (lower_add_step(l, CPU_COPY, root) == NULL)
			return ADZE_E_NOMEM;
		lower_add_view(l, box(l, xs, start, NULL));
		TRY(lower_add_operand(l, x));
		start[axis] += xs->dim[axis].size;
	}
	return ADZE_OK;
}

/*
 * Element e of an axis comes to low + e * step. Those that come to places that are there: where
 * the first one comes to, how many are before it, and into *size how many they are.
 */
static void find_inside(int64_t low, int64_t step, int64_t places, int64_t *size, int64_t *start,
			int64_t *cut)
{
	int64_t end = places > low ? (places - low - 1) / step + 1 : 0;
	*cut = low < 0 ? (-low + step - 1) / step : 0;
	*cut = *cut < *size ? *cut : *size;
	*start = low + *cut * step;
	end = end < *size ? end : *size;
	*size = end > *cut ? end - *cut : 0;
	/* Of nothing, any place does that is there. */
	if (*size == 0)
		*start = 0;
}

static adze_status lower_pad(struct lowerer *l)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root;
	const struct attrs_pad *a = IR_ATTRS(pad, g, root);
	const adze_shape *ys = ir_type(g, root);
	adze_shape inside = *ir_type(g, ir_arg(g, root, 0));
	int64_t start[ADZE_MAX_RANK] = {0}, cut[ADZE_MAX_RANK] = {0}, step[ADZE_MAX_RANK];
	for (int i = 0; i < inside.rank; i++) {
		step[i] = dims_or(&a->interior, i, 0) + 1;
		if (a->low.at[i] == 0 && a->high.at[i] == 0 && step[i] == 1)
			continue;
		if (!dim_is_static(&ys->dim[i]))
			return lower_unsupported(l, root, "an axis with a symbol cannot be padded");
		find_inside(a->low.at[i], step[i], ys->dim[i].size, &inside.dim[i].size, &start[i],
			    &cut[i]);
	}
	if (lower_add_step(l, CPU_FILL, root) == NULL)
		return ADZE_E_NOMEM;
	lower_add_view(l, lower_flat_sink(l, ys->dtype));
	TRY(lower_add_operand(l, ir_arg(g, root, 1)));
	struct ir_view x;
	if (!ir_view_of(g, ir_arg(g, root, 0), &x))
		return lower_unsupported(l, root, "its operand has no strides");
	for (int i = 0; i < x.rank; i++) {
		x.extent[i] = ir_size_of(g, &inside.dim[i]);
		struct ir_size by = ir_size_mul(x.stride[i], ir_size_const(cut[i]));
		if (by.coef == 0)
			continue;
		if (x.offset.coef != 0 && memcmp(x.offset.power, by.power, sizeof by.power) != 0)
			return lower_unsupported(l, root,
						 "symbols stand behind two axes that it moves");
		memcpy(x.offset.power, by.power, sizeof by.power);
		x.offset.coef += by.coef;
	}
	if (lower_add_step(l, CPU_COPY, root) == NULL)
		return ADZE_E_NOMEM;
	lower_add_view(l, box(l, &inside, start, step));
	lower_add_view(l, lower_to_view(l, &x));
	return ADZE_OK;
}

static adze_status lower_take(struct lowerer *l)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root, x = ir_arg(g, root, 0), at = ir_arg(g, root, 1);
	const adze_shape *xs = ir_type(g, x);
	int axis = (int)IR_ATTRS(axis, g, root)->axis, all[ADZE_MAX_RANK];
	for (int i = 0; i < ADZE_MAX_RANK; i++)
		all[i] = i;
	struct ir_size outer = lower_count_of(g, xs, all, axis);
	struct ir_size inner = lower_count_of(g, xs, all + axis + 1, xs->rank - axis - 1);
	struct ir_size length = ir_size_of(g, &xs->dim[axis]);
	struct ir_size count = lower_count_of(g, ir_type(g, at), all, ir_type(g, at)->rank);
	struct ir_size one = ir_size_const(1);
	if (lower_add_step(l, CPU_TAKE, root) == NULL)
		return ADZE_E_NOMEM;
	struct ir_view y = {.base = l->group->sink, .dtype = xs->dtype, .rank = 3,
			    .extent = {outer, count, inner},
			    .stride = {ir_size_mul(count, inner), inner, one}};
	struct ir_view from, index;
	if (!ir_view_of(g, x, &from) || !ir_view_of(g, at, &index))
		return lower_unsupported(l, root, "an operand has no strides");
	from = (struct ir_view){.base = from.base, .dtype = from.dtype, .rank = 3,
				.extent = {outer, length, inner},
				.stride = {ir_size_mul(length, inner), inner, one},
				.offset = from.offset};
	index = (struct ir_view){.base = index.base, .dtype = index.dtype, .rank = 1,
				 .extent = {count},
				 .stride = {one}, .offset = index.offset};
	lower_add_view(l, lower_to_view(l, &y));
	lower_add_view(l, lower_to_view(l, &from));
	lower_add_view(l, lower_to_view(l, &index));
	return ADZE_OK;
}

static bool same_memory(const struct cpu_view *a, const struct cpu_view *b)
{
	return a->memory == b->memory && a->index == b->index && a->byte == b->byte &&
	       a->offset == b->offset;
}

static adze_status lower_dynamic(struct lowerer *l)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root, x = ir_arg(g, root, 0);
	bool put = g->node[root].op == OP_DYNAMIC_UPDATE_SLICE;
	struct cpu_view from, to = lower_root_view(l);
	TRY(lower_operand(l, x, &from));
	if (put && !same_memory(&to, &from)) {
		struct ir_view w;
		if (!ir_view_of(g, x, &w))
			return lower_unsupported(l, root, "its operand has no strides");
		TRY(lower_copy_of(l, &w, lower_flat_sink(l, ir_type(g, root)->dtype)));
	}
	if (lower_add_step(l, put ? CPU_PUT : CPU_PICK, root) == NULL)
		return ADZE_E_NOMEM;
	lower_add_view(l, to);
	TRY(lower_add_operand(l, put ? ir_arg(g, root, 1) : x));
	for (size_t i = put ? 2 : 1; i < g->node[root].narg; i++)
		TRY(lower_add_operand(l, ir_arg(g, root, i)));
	return ADZE_OK;
}

adze_status lower_move(struct lowerer *l)
{
	switch (l->g->node[l->group->root].op) {
	case OP_CONCAT: return lower_concat(l);
	case OP_PAD: return lower_pad(l);
	case OP_TAKE: return lower_take(l);
	case OP_DYNAMIC_SLICE:
	case OP_DYNAMIC_UPDATE_SLICE: return lower_dynamic(l);
	default: return lower_unsupported(l, l->group->root, "the CPU has no kernel for it");
	}
}

adze_status lower_source(struct lowerer *l)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root;
	bool iota = g->node[root].op == OP_IOTA;
	int axis = (int)IR_ATTRS(axis, g, root)->axis, all[ADZE_MAX_RANK];
	for (int i = 0; i < ADZE_MAX_RANK; i++)
		all[i] = i;
	if (lower_add_step(l, iota ? CPU_IOTA : CPU_EXTENT, root) == NULL)
		return ADZE_E_NOMEM;
	if (!iota) {
		lower_add_view(l, lower_flat_sink(l, ADZE_I32));
		const adze_shape *xs = ir_type(g, ir_arg(g, root, 0));
		lower_add_param(l, lower_number(l, ir_size_of(g, &xs->dim[axis])));
		return ADZE_OK;
	}
	const adze_shape *s = ir_type(g, root);
	struct ir_size n = ir_size_of(g, &s->dim[axis]);
	struct ir_size inner = lower_count_of(g, s, all + axis + 1, s->rank - axis - 1);
	struct ir_view y = {.base = l->group->sink, .dtype = s->dtype, .rank = 3,
			    .extent = {lower_count_of(g, s, all, axis), n, inner},
			    .stride = {ir_size_mul(n, inner), inner, ir_size_const(1)}};
	lower_add_view(l, lower_to_view(l, &y));
	return ADZE_OK;
}

/* A result in the sink's memory, which is a pack where there are several. */
static struct cpu_view result_view(struct lowerer *l, const struct ir_results *r, size_t i)
{
	const adze_shape *s = &r->type[i];
	int64_t at = ir_part_offset(r, i) * 8 / dtype_info(s->dtype)->bits;
	struct ir_view w = {.base = l->group->sink, .dtype = s->dtype, .rank = s->rank,
			    .offset = ir_size_const(at)};
	struct ir_size step = ir_size_const(1);
	for (int k = s->rank - 1; k >= 0; k--) {
		w.extent[k] = ir_size_of(l->g, &s->dim[k]);
		w.stride[k] = step;
		step = ir_size_mul(step, w.extent[k]);
	}
	return lower_to_view(l, &w);
}

adze_status lower_plain(struct lowerer *l)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root;
	const struct attr_schema *schema = op_info((enum ir_op)g->node[root].op)->attrs;
	struct ir_results results;
	struct cpu_step *s = lower_add_step(l, CPU_PLAIN, root);
	if (s == NULL)
		return ADZE_E_NOMEM;
	if (!ir_results(g, root, &results))
		return lower_unsupported(l, root, "its results are not known");
	if (results.n > CPU_MAX_PLAIN || g->node[root].narg > CPU_MAX_PLAIN)
		return lower_unsupported(l, root, "it has too many operands or results");
	for (size_t i = 0; i < results.n; i++)
		lower_add_view(l, result_view(l, &results, i));
	for (size_t i = 0; i < g->node[root].narg; i++)
		TRY(lower_add_operand(l, ir_arg(g, root, i)));
	s->param[0] = (int64_t)results.n;
	int n = cpu_plain_params(schema, g->node[root].attrs, s->param + 1);
	if (n < 0)
		return lower_unsupported(l, root, "its attributes are no numbers");
	s->nparam = (uint16_t)(1 + n);
	return lower_bodies(l);
}
