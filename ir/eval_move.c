/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference evaluator: operations that put elements at other places.
 */
#include "ir/eval.h"

adze_status eval_reshape(struct eval *e)
{
	if (e->y.count > 0)
		memcpy(e->out, e->x[0].bytes, e->y.all);
	return ADZE_OK;
}

adze_status eval_bitcast(struct eval *e)
{
	return eval_reshape(e);
}

adze_status eval_barrier(struct eval *e)
{
	return eval_reshape(e);
}

/* Each element of the result in turn from where `w` stands in the operand. */
static adze_status gather(struct eval *e, struct walk *w)
{
	for (int64_t i = 0; i < e->y.count; i++, walk_next(w))
		copy_element(e, i, &e->x[0], w->offset[0]);
	return ADZE_OK;
}

adze_status eval_broadcast(struct eval *e)
{
	const struct ir_dims *axes = &EVAL_ATTRS(axes, e)->axes;
	const struct eval_array *x = &e->x[0];
	struct walk w = {0};
	for (int i = 0; i < e->y.rank; i++)
		walk_axis(&w, e->y.extent[i], 0, 0);
	for (int i = 0; i < x->rank; i++)
		w.step[0][axes->at[i]] = x->extent[i] == 1 ? 0 : x->stride[i];
	return gather(e, &w);
}

adze_status eval_transpose(struct eval *e)
{
	const struct ir_dims *axes = &EVAL_ATTRS(axes, e)->axes;
	struct walk w = {0};
	for (int i = 0; i < e->y.rank; i++)
		walk_axis(&w, e->y.extent[i], e->x[0].stride[axes->at[i]], 0);
	return gather(e, &w);
}

adze_status eval_slice(struct eval *e)
{
	const struct attrs_slice *a = EVAL_ATTRS(slice, e);
	const int64_t *stride = e->x[0].stride;
	struct walk w = {0};
	for (int i = 0; i < e->y.rank; i++) {
		walk_axis(&w, e->y.extent[i], dims_or(&a->stride, i, 1) * stride[i], 0);
		w.offset[0] += a->start.at[i] * stride[i];
	}
	return gather(e, &w);
}

adze_status eval_reverse(struct eval *e)
{
	const struct ir_dims *axes = &EVAL_ATTRS(axes, e)->axes;
	const struct eval_array *x = &e->x[0];
	struct walk w = {0};
	for (int i = 0; i < x->rank; i++)
		walk_axis(&w, x->extent[i], x->stride[i], 0);
	for (int i = 0; i < axes->n; i++) {
		int64_t k = axes->at[i];
		w.step[0][k] = -x->stride[k];
		w.offset[0] += (x->extent[k] - 1) * x->stride[k];
	}
	return gather(e, &w);
}

/* All of `x` into the box of the result that begins at element `base`. */
static void place(struct eval *e, const struct eval_array *x, int64_t base)
{
	struct walk w = {0};
	for (int i = 0; i < x->rank; i++)
		walk_axis(&w, x->extent[i], e->y.stride[i], 0);
	for (int64_t i = 0; i < x->count; i++, walk_next(&w))
		copy_element(e, base + w.offset[0], x, i);
}

adze_status eval_concat(struct eval *e)
{
	int64_t axis = EVAL_ATTRS(axis, e)->axis, at = 0;
	for (size_t k = 0; k < e->nx; k++) {
		place(e, &e->x[k], at * e->y.stride[axis]);
		at += e->x[k].extent[axis];
	}
	return ADZE_OK;
}

adze_status eval_pad(struct eval *e)
{
	const struct attrs_pad *a = EVAL_ATTRS(pad, e);
	const struct eval_array *x = &e->x[0];
	struct walk w = {0};
	for (int i = 0; i < e->y.rank; i++)
		walk_axis(&w, e->y.extent[i], 0, 0);
	for (int64_t i = 0; i < e->y.count; i++, walk_next(&w)) {
		bool inside = true;
		int64_t from = 0;
		for (int k = 0; k < x->rank; k++) {
			int64_t at = w.at[k] - a->low.at[k];
			int64_t apart = dims_or(&a->interior, k, 0) + 1;
			inside = inside && at >= 0 && at % apart == 0 && at / apart < x->extent[k];
			from += at / apart * x->stride[k];
		}
		if (inside)
			copy_element(e, i, x, from);
		else
			copy_element(e, i, &e->x[1], 0);
	}
	return ADZE_OK;
}

adze_status eval_take(struct eval *e)
{
	const struct eval_array *x = &e->x[0], *which = &e->x[1];
	int64_t axis = EVAL_ATTRS(axis, e)->axis;
	int64_t inner = x->stride[axis], extent = x->extent[axis];
	int64_t block = inner * extent;
	int64_t outer = 1;
	for (int i = 0; i < axis; i++)
		outer *= x->extent[i];
	/* A symbol of 0: there is nothing to pick, and the result stays zero. */
	if (extent == 0)
		return ADZE_OK;
	for (int64_t o = 0, y = 0; o < outer; o++)
		for (int64_t j = 0; j < which->count; j++) {
			int64_t from = o * block + eval_load_kept(which, j, extent - 1) * inner;
			for (int64_t i = 0; i < inner; i++, y++)
				copy_element(e, y, x, from + i);
		}
	return ADZE_OK;
}

/* The first element of a box of `size` in `of`, at the scalars from operand `first` on. */
static int64_t find_box(const struct eval *e, const struct eval_array *of, const int64_t *size,
			int first)
{
	int64_t base = 0;
	for (int i = 0; i < of->rank; i++)
		base += eval_load_kept(&e->x[first + i], 0, of->extent[i] - size[i]) *
			of->stride[i];
	return base;
}

adze_status eval_dynamic_slice(struct eval *e)
{
	const struct eval_array *x = &e->x[0];
	struct walk w = {0};
	for (int i = 0; i < e->y.rank; i++)
		walk_axis(&w, e->y.extent[i], x->stride[i], 0);
	w.offset[0] = find_box(e, x, e->y.extent, 1);
	return gather(e, &w);
}

adze_status eval_dynamic_update_slice(struct eval *e)
{
	TRY(eval_reshape(e));
	place(e, &e->x[1], find_box(e, &e->x[0], e->x[1].extent, 2));
	return ADZE_OK;
}
