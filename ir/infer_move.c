/* SPDX-License-Identifier: Apache-2.0
 *
 * Type rules of what only moves elements.
 */
#include "ir/infer.h"

/* Product of static extents and scales, and how often each symbol stands in it. */
static int64_t volume(const adze_graph *g, const adze_shape *s, int *power)
{
	int64_t n = 1;
	memset(power, 0, (ADZE_MAX_SYMBOLS + 1) * sizeof *power);
	for (int i = 0; i < s->rank; i++) {
		const adze_dim *d = &s->dim[i];
		n *= dim_is_static(d) ? d->size : d->scale;
		if (!dim_is_static(d)) {
			int k = ir_symbol_find(g, d->symbol);
			power[k < 0 ? ADZE_MAX_SYMBOLS : k]++;
		}
	}
	return n;
}

adze_status infer_reshape(struct ask *q)
{
	const adze_shape *x = infer_type(q, 0), *to = q->declared;
	int have[ADZE_MAX_SYMBOLS + 1], want[ADZE_MAX_SYMBOLS + 1];
	struct diag d = {ADZE_OK, ""};
	if (shape_check(to, &d) != ADZE_OK)
		return infer_refuse(q, d.text);
	if (to->dtype != x->dtype)
		return infer_refuse(q, "element types differ");
	if (volume(q->g, x, have) != volume(q->g, to, want) ||
	    memcmp(have, want, sizeof have) != 0 || shape_count(x) != shape_count(to))
		return infer_refuse(q, "the number of elements differs (symbols split and merge by "
				 "constants only)");
	return infer_declared(q);
}

adze_status infer_broadcast(struct ask *q)
{
	const struct attrs_axes *a = q->attrs;
	const adze_shape *x = infer_type(q, 0), *to = q->declared;
	bool set[ADZE_MAX_RANK];
	if (to->dtype != x->dtype)
		return infer_refuse(q, "element types differ");
	if (to->rank < 0 || to->rank > ADZE_MAX_RANK || a->axes.n != x->rank ||
	    !infer_axis_set(&a->axes, to->rank, set))
		return infer_refuse(q, "axes say which result axis each operand axis becomes");
	for (int i = 0; i < x->rank; i++) {
		const adze_dim *d = &x->dim[i];
		bool one = dim_is_static(d) && d->size == 1;
		if (!one && !dim_same(d, &to->dim[a->axes.at[i]]))
			return infer_refuse(q, "an axis has neither the result's extent nor 1");
	}
	return infer_declared(q);
}

adze_status infer_barrier(struct ask *q)
{
	*q->out = *infer_type(q, 0);
	return ADZE_OK;
}

adze_status infer_bitcast(struct ask *q)
{
	const adze_shape *x = infer_type(q, 0), *to = q->declared;
	int from_bits = dtype_info(x->dtype)->bits, to_bits = dtype_info(to->dtype)->bits;
	/* The narrower one is like the other, with a last axis. */
	const adze_shape *wide = to_bits < from_bits ? x : to, *narrow = wide == x ? to : x;
	int64_t parts = from_bits > to_bits ? from_bits / to_bits : to_bits / from_bits;
	int more = parts > 1;
	struct diag d = {ADZE_OK, ""};
	if (shape_check(to, &d) != ADZE_OK)
		return infer_refuse(q, d.text);
	if (!dtype_is_float(to->dtype) && !dtype_is_int(to->dtype))
		return infer_refuse(q, "to integers and floats only");
	if (narrow->rank != wide->rank + more)
		return infer_refuse(q, "narrower elements have one axis more");
	for (int i = 0; i < wide->rank; i++)
		if (!dim_same(&narrow->dim[i], &wide->dim[i]))
			return infer_refuse(q, "the other axes differ");
	const adze_dim *last = &narrow->dim[narrow->rank > 0 ? narrow->rank - 1 : 0];
	if (more && (!dim_is_static(last) || last->size != parts))
		return infer_refuse(q, "the last axis has the parts of a wider element");
	return infer_declared(q);
}

adze_status infer_transpose(struct ask *q)
{
	const struct attrs_axes *a = q->attrs;
	const adze_shape *x = infer_type(q, 0);
	bool set[ADZE_MAX_RANK];
	if (a->axes.n != x->rank || !infer_axis_set(&a->axes, x->rank, set))
		return infer_refuse(q, "axes name each operand axis once");
	*q->out = *x;
	for (int i = 0; i < x->rank; i++)
		q->out->dim[i] = x->dim[a->axes.at[i]];
	return ADZE_OK;
}

adze_status infer_slice(struct ask *q)
{
	const struct attrs_slice *a = q->attrs;
	const adze_shape *x = infer_type(q, 0);
	*q->out = *x;
	if (a->start.n != x->rank || a->limit.n != x->rank ||
	    !infer_list_ok(&a->stride, x->rank, 1))
		return infer_refuse(q, "start and limit have one number an axis; strides are "
				       "positive");
	for (int i = 0; i < x->rank; i++) {
		int64_t from = a->start.at[i], to = a->limit.at[i], by = dims_or(&a->stride, i, 1);
		if (from < 0 || to < from || to > x->dim[i].size)
			return infer_refuse(q, "start and limit lie outside");
		if (from == 0 && to == x->dim[i].size && by == 1)
			continue;
		if (!dim_is_static(&x->dim[i]))
			return infer_refuse(q, "an axis with a symbol cannot be cut");
		q->out->dim[i].size = (to - from + by - 1) / by;
	}
	return ADZE_OK;
}

adze_status infer_reverse(struct ask *q)
{
	const struct attrs_axes *a = q->attrs;
	bool set[ADZE_MAX_RANK];
	*q->out = *infer_type(q, 0);
	if (!infer_axis_set(&a->axes, q->out->rank, set))
		return infer_refuse(q, "axes are not there, or stand twice");
	for (int i = 0; i < q->out->rank; i++)
		if (set[i] && !dim_is_static(&q->out->dim[i]))
			return infer_refuse(q, "an axis with a symbol cannot be reversed");
	return ADZE_OK;
}

adze_status infer_concat(struct ask *q)
{
	int64_t axis = ((const struct attrs_axis *)q->attrs)->axis;
	*q->out = *infer_type(q, 0);
	if (!infer_axis_ok(q->out, axis))
		return infer_refuse(q, "there is no such axis");
	for (size_t k = 0; k < q->narg; k++) {
		const adze_shape *x = infer_type(q, k);
		if (x->dtype != q->out->dtype || x->rank != q->out->rank)
			return infer_refuse(q, "element types or numbers of axes differ");
		if (!dim_is_static(&x->dim[axis]))
			return infer_refuse(q, "an axis with a symbol cannot be joined");
		for (int i = 0; i < x->rank; i++)
			if (i != axis && !dim_same(&x->dim[i], &q->out->dim[i]))
				return infer_refuse(q, "the other axes differ");
		if (k > 0 && __builtin_add_overflow(q->out->dim[axis].size, x->dim[axis].size,
						    &q->out->dim[axis].size))
			return infer_refuse(q, "the sum of extents overflows");
		if (!infer_merge_names(q->out, x))
			return infer_refuse(q, "names of axes differ");
	}
	return ADZE_OK;
}

adze_status infer_pad(struct ask *q)
{
	const struct attrs_pad *a = q->attrs;
	const adze_shape *x = infer_type(q, 0), *v = infer_type(q, 1);
	*q->out = *x;
	if (v->dtype != x->dtype || v->rank != 0)
		return infer_refuse(q, "what is put around must be a scalar of the same type");
	if (a->low.n != x->rank || a->high.n != x->rank ||
	    !infer_list_ok(&a->low, x->rank, -INT32_MAX) ||
	    !infer_list_ok(&a->high, x->rank, -INT32_MAX) ||
	    !infer_list_ok(&a->interior, x->rank, 0))
		return infer_refuse(q, "low, high and interior have one number an axis");
	for (int i = 0; i < x->rank; i++) {
		int64_t *size = &q->out->dim[i].size, between = dims_or(&a->interior, i, 0), more;
		if (a->low.at[i] == 0 && a->high.at[i] == 0 && between == 0)
			continue;
		if (!dim_is_static(&x->dim[i]))
			return infer_refuse(q, "an axis with a symbol cannot be padded");
		if (__builtin_mul_overflow(*size > 0 ? *size - 1 : 0, between, &more) ||
		    __builtin_add_overflow(*size, more, size))
			return infer_refuse(q, "the extent overflows");
		*size += a->low.at[i] + a->high.at[i];
		if (*size < 0)
			return infer_refuse(q, "more is cut off than there is");
	}
	return ADZE_OK;
}

adze_status infer_take(struct ask *q)
{
	int64_t axis = ((const struct attrs_axis *)q->attrs)->axis;
	const adze_shape *x = infer_type(q, 0), *at = infer_type(q, 1);
	if (!infer_axis_ok(x, axis) || !dtype_is_int(at->dtype))
		return infer_refuse(q, "it takes an axis that is there, and integers");
	if (x->dim[axis].size == 0 && shape_count(at) > 0)
		return infer_refuse(q, "nothing can be taken from an empty axis");
	if (x->rank - 1 + at->rank > ADZE_MAX_RANK)
		return infer_refuse(q, "the result has too many axes");
	*q->out = shape_make(x->dtype, 0, NULL);
	for (int i = 0; i < x->rank; i++) {
		if (i != axis) {
			q->out->dim[q->out->rank++] = x->dim[i];
			continue;
		}
		for (int j = 0; j < at->rank; j++)
			q->out->dim[q->out->rank++] = at->dim[j];
	}
	infer_drop_names(q->out);
	return ADZE_OK;
}

/* The integer scalars from operand `first` on, one an axis of `x`. */
static bool starts_ok(const struct ask *q, size_t first, const adze_shape *x)
{
	if (q->narg != first + (size_t)x->rank)
		return false;
	for (size_t i = first; i < q->narg; i++)
		if (infer_type(q, i)->rank != 0 || !dtype_is_int(infer_type(q, i)->dtype))
			return false;
	return true;
}

adze_status infer_dynamic_slice(struct ask *q)
{
	const struct attrs_size *a = q->attrs;
	const adze_shape *x = infer_type(q, 0);
	*q->out = *x;
	if (!starts_ok(q, 1, x) || a->size.n != x->rank)
		return infer_refuse(q, "it takes a size and an integer scalar for each axis");
	for (int i = 0; i < x->rank; i++) {
		if (a->size.at[i] < 0 || a->size.at[i] > x->dim[i].size)
			return infer_refuse(q, "the box is larger than the operand");
		if (a->size.at[i] == x->dim[i].size)
			continue;
		if (!dim_is_static(&x->dim[i]))
			return infer_refuse(q, "an axis with a symbol cannot be cut");
		q->out->dim[i].size = a->size.at[i];
	}
	return ADZE_OK;
}

adze_status infer_dynamic_update(struct ask *q)
{
	const adze_shape *x = infer_type(q, 0), *u = infer_type(q, 1);
	*q->out = *x;
	if (u->dtype != x->dtype || u->rank != x->rank || !starts_ok(q, 2, x))
		return infer_refuse(q, "it takes an update of the same type and an integer "
				       "scalar for each axis");
	for (int i = 0; i < x->rank; i++)
		if (u->dim[i].size > x->dim[i].size ||
		    (!dim_is_static(&x->dim[i]) && !dim_same(&x->dim[i], &u->dim[i])))
			return infer_refuse(q, "the update is larger than the operand");
	return ADZE_OK;
}
