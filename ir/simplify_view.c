/* SPDX-License-Identifier: Apache-2.0
 *
 * Pass `simplify`: the rules of views and moves.
 */
#include "ir/simplify.h"

bool simplify_is_squeeze(const adze_graph *g, ir_val v)
{
	if (op_of(g, v) != OP_RESHAPE)
		return false;
	const adze_shape *a = ir_type(g, v), *b = ir_type(g, ir_arg(g, v, 0));
	int k = 0;
	for (int i = 0; i < a->rank; i++) {
		while (k < b->rank && !dim_same(&a->dim[i], &b->dim[k]) && dim_is_one(&b->dim[k]))
			k++;
		if (k < b->rank && dim_same(&a->dim[i], &b->dim[k]))
			k++;
		else if (!dim_is_one(&a->dim[i]))
			return false;
	}
	while (k < b->rank && dim_is_one(&b->dim[k]))
		k++;
	return k == b->rank;
}

/* ---- views ---- */

ir_val simplify_move_splat(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	const void *element = ir_find_splat(g, x);
	if (element == NULL || op_of(g, v) == OP_BITCAST || op_of(g, v) == OP_BARRIER ||
	    (op_of(g, v) == OP_BROADCAST && ir_type(g, x)->rank == 0 &&
				op_of(g, x) == OP_CONST))
		return v;
	return simplify_splat(g, simplify_element(g, ir_type(g, v)->dtype, element), v);
}

ir_val simplify_join_reshapes(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_RESHAPE)
		return v;
	if (ir_get(g, v)->type == ir_get(g, x)->type)
		return x;
	if (op_of(g, x) != OP_RESHAPE)
		return v;
	adze_shape type = *ir_type(g, v);
	return ir_emit1(g, OP_RESHAPE, ir_arg(g, x, 0), NULL, &type);
}

static bool in_order(const struct ir_dims *axes)
{
	for (int i = 0; i < axes->n; i++)
		if (axes->at[i] != i)
			return false;
	return true;
}

/* first, then second: axis i of the operand comes to second[first[i]]. */
static struct attrs_axes compose(const struct ir_dims *first, const struct ir_dims *second)
{
	struct attrs_axes both = {.axes = {.n = first->n}};
	for (int i = 0; i < first->n; i++)
		both.axes.at[i] = second->at[first->at[i]];
	return both;
}

ir_val simplify_join_transposes(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_TRANSPOSE)
		return v;
	if (in_order(&IR_ATTRS(axes, g, v)->axes))
		return x;
	if (op_of(g, x) != OP_TRANSPOSE)
		return v;
	/* Here the lists say where an axis comes from: the outer one is looked up first. */
	struct attrs_axes both = compose(&IR_ATTRS(axes, g, v)->axes, &IR_ATTRS(axes, g, x)->axes);
	return ir_emit1(g, OP_TRANSPOSE, ir_arg(g, x, 0), &both, NULL);
}

ir_val simplify_join_broadcasts(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_BROADCAST)
		return v;
	if (same_shape(g, x, v) && in_order(&IR_ATTRS(axes, g, v)->axes))
		return x;
	if (op_of(g, x) != OP_BROADCAST)
		return v;
	struct attrs_axes both = compose(&IR_ATTRS(axes, g, x)->axes, &IR_ATTRS(axes, g, v)->axes);
	adze_shape type = *ir_type(g, v);
	return ir_emit1(g, OP_BROADCAST, ir_arg(g, x, 0), &both, &type);
}

ir_val simplify_use_reshape(adze_graph *g, ir_val v)
{
	if (op_of(g, v) != OP_TRANSPOSE)
		return v;
	const struct ir_dims *axes = &IR_ATTRS(axes, g, v)->axes;
	const adze_shape *s = ir_type(g, ir_arg(g, v, 0));
	int64_t last = -1;
	for (int i = 0; i < axes->n; i++) {
		const adze_dim *d = &s->dim[axes->at[i]];
		if (dim_is_one(d))
			continue;
		if (axes->at[i] < last)
			return v;
		last = axes->at[i];
	}
	adze_shape type = *ir_type(g, v);
	return ir_emit1(g, OP_RESHAPE, ir_arg(g, v, 0), NULL, &type);
}

ir_val simplify_spread_reshape(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_BROADCAST || !simplify_is_squeeze(g, x))
		return v;
	const adze_shape *a = ir_type(g, x), *b = ir_type(g, ir_arg(g, x, 0));
	struct attrs_axes axes = {.axes = {.n = b->rank}};
	int k = 0;
	for (int i = 0; i < a->rank && k < b->rank; i++)
		if (dim_same(&a->dim[i], &b->dim[k]))
			axes.axes.at[k++] = IR_ATTRS(axes, g, v)->axes.at[i];
	if (k < b->rank)
		return v; /* it drops axes, too */
	adze_shape type = *ir_type(g, v);
	return ir_emit1(g, OP_BROADCAST, ir_arg(g, x, 0), &axes, &type);
}

ir_val simplify_drop_bitcast(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_BITCAST)
		return v;
	if (op_of(g, x) == OP_BITCAST)
		x = ir_arg(g, x, 0);
	/* What has the same extents has elements as wide. */
	if (ir_type(g, x)->dtype == ir_type(g, v)->dtype)
		return x;
	return v;
}

/* The axes along which a reverse moves anything, as bits. */
static unsigned reversed_axes(const adze_graph *g, ir_val v)
{
	const struct ir_dims *axes = &IR_ATTRS(axes, g, v)->axes;
	unsigned set = 0;
	for (int i = 0; i < axes->n; i++)
		if (ir_type(g, v)->dim[axes->at[i]].size > 1)
			set |= 1u << axes->at[i];
	return set;
}

ir_val simplify_drop_reverse(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_REVERSE)
		return v;
	if (reversed_axes(g, v) == 0)
		return x;
	if (op_of(g, x) == OP_REVERSE && reversed_axes(g, x) == reversed_axes(g, v))
		return ir_arg(g, x, 0);
	return v;
}

ir_val simplify_drop_slice(adze_graph *g, ir_val v)
{
	/* With the operand's extent the result has all of it: places do not repeat. */
	if (op_of(g, v) == OP_SLICE && same_shape(g, ir_arg(g, v, 0), v))
		return ir_arg(g, v, 0);
	return v;
}

/* The part of a concat that holds all of a slice, and where that begins in it; 0 for none. */
static ir_val find_part(const adze_graph *g, ir_val concat, const struct attrs_slice *a,
			int64_t *start)
{
	int64_t axis = IR_ATTRS(axis, g, concat)->axis, at = 0;
	for (size_t i = 0; i < ir_get(g, concat)->narg; i++) {
		ir_val x = ir_arg(g, concat, i);
		int64_t size = ir_type(g, x)->dim[axis].size;
		if (a->start.at[axis] >= at && a->limit.at[axis] <= at + size) {
			*start = at;
			return x;
		}
		at += size;
	}
	return 0;
}

ir_val simplify_join_slices(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_SLICE)
		return v;
	struct attrs_slice a = *IR_ATTRS(slice, g, v);
	if (op_of(g, x) == OP_CONCAT) {
		int64_t axis = IR_ATTRS(axis, g, x)->axis, start = 0;
		ir_val part = find_part(g, x, &a, &start);
		a.start.at[axis] -= start;
		a.limit.at[axis] -= start;
		return part != 0 ? ir_emit1(g, OP_SLICE, part, &a, NULL) : v;
	}
	if (op_of(g, x) != OP_SLICE)
		return v;
	const struct attrs_slice *b = IR_ATTRS(slice, g, x);
	for (int i = 0; i < a.start.n; i++) {
		int64_t step = dims_or(&b->stride, i, 1), from = b->start.at[i];
		bool none = a.limit.at[i] == a.start.at[i];
		/* Up to the last element that is taken, so that it stays inside. */
		a.limit.at[i] = none ? from : from + (a.limit.at[i] - 1) * step + 1;
		a.start.at[i] = none ? from : from + a.start.at[i] * step;
		a.stride.at[i] = dims_or(&IR_ATTRS(slice, g, v)->stride, i, 1) * step;
	}
	a.stride.n = a.start.n;
	return ir_emit1(g, OP_SLICE, ir_arg(g, x, 0), &a, NULL);
}

/* ---- moves ---- */

ir_val simplify_drop_pad(adze_graph *g, ir_val v)
{
	if (op_of(g, v) != OP_PAD)
		return v;
	const struct attrs_pad *a = IR_ATTRS(pad, g, v);
	for (int i = 0; i < a->low.n; i++)
		if (a->low.at[i] != 0 || a->high.at[i] != 0 || dims_or(&a->interior, i, 0) != 0)
			return v;
	return ir_arg(g, v, 0);
}

ir_val simplify_drop_concat(adze_graph *g, ir_val v)
{
	return op_of(g, v) == OP_CONCAT && ir_get(g, v)->narg == 1 ? ir_arg(g, v, 0) : v;
}

/* What lies side by side in `x` along the axis becomes one slice of both; 0 where it does not. */
static ir_val join_two(adze_graph *g, ir_val a, ir_val b, int64_t axis)
{
	if (op_of(g, a) != OP_SLICE || op_of(g, b) != OP_SLICE ||
	    ir_arg(g, a, 0) != ir_arg(g, b, 0))
		return 0;
	struct attrs_slice both = *IR_ATTRS(slice, g, a), right = *IR_ATTRS(slice, g, b);
	if (both.limit.at[axis] != right.start.at[axis] || dims_or(&both.stride, (int)axis, 1) != 1)
		return 0;
	both.limit.at[axis] = right.limit.at[axis];
	right.start.at[axis] = both.start.at[axis];
	if (both.stride.n == 0 && right.stride.n == both.start.n) {
		both.stride = right.stride;
		for (int i = 0; i < both.stride.n; i++)
			if (right.stride.at[i] != 1)
				return 0;
	} else if (right.stride.n == 0 && both.stride.n == both.start.n) {
		right.stride.n = both.stride.n;
		for (int i = 0; i < both.stride.n; i++)
			right.stride.at[i] = 1;
	}
	return attrs_equal(op_info(OP_SLICE)->attrs, &both, &right)
		       ? ir_emit1(g, OP_SLICE, ir_arg(g, a, 0), &both, NULL)
		       : 0;
}

ir_val simplify_join_concats(adze_graph *g, ir_val v)
{
	ir_val part[64];
	size_t n = 0, narg = ir_get(g, v)->narg;
	bool joined = false;
	if (op_of(g, v) != OP_CONCAT)
		return v;
	const struct attrs_axis a = *IR_ATTRS(axis, g, v);
	for (size_t i = 0; i < narg; i++) {
		ir_val x = ir_arg(g, v, i);
		bool same = op_of(g, x) == OP_CONCAT && IR_ATTRS(axis, g, x)->axis == a.axis;
		size_t more = same ? ir_get(g, x)->narg : 1;
		joined |= same;
		for (size_t k = 0; k < more; k++) {
			ir_val next = same ? ir_arg(g, x, k) : x;
			ir_val both = n > 0 ? join_two(g, part[n - 1], next, a.axis) : 0;
			joined |= both != 0;
			if (both == 0 && n == COUNT_OF(part))
				return v;
			part[both != 0 ? n - 1 : n++] = both != 0 ? both : next;
		}
	}
	return joined ? ir_emit(g, OP_CONCAT, part, n, &a, NULL) : v;
}
