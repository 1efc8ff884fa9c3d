/* SPDX-License-Identifier: Apache-2.0
 *
 * Type rules of products, convolutions and windows.
 */
#include "ir/infer.h"

/* The part of a dot's rule that both operands share: lists in range, no axis twice. */
static bool dot_axes(const adze_shape *s, const struct ir_dims *batch, const struct ir_dims *sum,
		     bool *used)
{
	bool second[ADZE_MAX_RANK];
	if (!infer_axis_set(batch, s->rank, used) || !infer_axis_set(sum, s->rank, second))
		return false;
	for (int i = 0; i < s->rank; i++) {
		if (used[i] && second[i])
			return false;
		used[i] |= second[i];
	}
	return true;
}

adze_status infer_dot(struct ask *q)
{
	const struct attrs_dot *d = q->attrs;
	const adze_shape *a = infer_type(q, 0), *b = infer_type(q, 1);
	bool used_a[ADZE_MAX_RANK], used_b[ADZE_MAX_RANK];
	if (a->dtype != b->dtype)
		return infer_refuse(q, "element types differ");
	if (d->batch_a.n != d->batch_b.n || d->sum_a.n != d->sum_b.n ||
	    !dot_axes(a, &d->batch_a, &d->sum_a, used_a) ||
	    !dot_axes(b, &d->batch_b, &d->sum_b, used_b))
		return infer_refuse(q, "batch and contracting axes do not pair up");
	for (int i = 0; i < d->sum_a.n; i++)
		if (!dim_same(&a->dim[d->sum_a.at[i]], &b->dim[d->sum_b.at[i]]))
			return infer_refuse(q, "contracting axes differ in extent");
	if (a->rank + b->rank - d->batch_a.n - 2 * d->sum_a.n > ADZE_MAX_RANK)
		return infer_refuse(q, "the result has too many axes");
	*q->out = shape_make(a->dtype, 0, NULL);
	for (int i = 0; i < d->batch_a.n; i++) {
		if (!dim_same(&a->dim[d->batch_a.at[i]], &b->dim[d->batch_b.at[i]]))
			return infer_refuse(q, "batch axes differ in extent");
		q->out->dim[q->out->rank++] = a->dim[d->batch_a.at[i]];
	}
	for (int i = 0; i < a->rank; i++)
		if (!used_a[i])
			q->out->dim[q->out->rank++] = a->dim[i];
	for (int i = 0; i < b->rank; i++)
		if (!used_b[i])
			q->out->dim[q->out->rank++] = b->dim[i];
	/* Free axes of the second lose a name that the first brought already. */
	infer_drop_names(q->out);
	return ADZE_OK;
}

adze_status infer_conv(struct ask *q)
{
	const struct attrs_conv *c = q->attrs;
	const adze_shape *x = infer_type(q, 0), *w = infer_type(q, 1);
	int n = x->rank - 2;
	int64_t groups = c->groups == 0 ? 1 : c->groups;
	if (x->dtype != w->dtype)
		return infer_refuse(q, "element types differ");
	if (n < 1 || n > 3 || w->rank != x->rank)
		return infer_refuse(q, "it takes [batch, channel, 1 to 3 spatial axes] and "
				 "[out, channel / groups, as many]");
	if (!infer_list_ok(&c->stride, n, 1) || !infer_list_ok(&c->dilation, n, 1) ||
	    !infer_list_ok(&c->low, n, -INT32_MAX) || !infer_list_ok(&c->high, n, -INT32_MAX))
		return infer_refuse(q, "stride, padding and dilation have one number a "
				       "spatial axis");
	for (int i = 1; i < w->rank * 2; i++)
		if (i < x->rank ? !dim_is_static(&x->dim[i]) : !dim_is_static(&w->dim[i - w->rank]))
			return infer_refuse(q, "only the batch axis may be a symbol");
	if (groups < 1 || x->dim[1].size % groups != 0 ||
	    x->dim[1].size / groups != w->dim[1].size ||
	    w->dim[0].size % groups != 0)
		return infer_refuse(q, "channels do not agree with the weight and its groups");
	*q->out = *x;
	q->out->dim[1] = dim_make(w->dim[0].size);
	strcpy(q->out->dim[1].name, w->dim[0].name);
	for (int i = 0; i < n; i++) {
		int64_t k = infer_window_count(x->dim[2 + i].size, w->dim[2 + i].size,
					 dims_or(&c->stride, i, 1), dims_or(&c->low, i, 0),
					 dims_or(&c->high, i, 0), dims_or(&c->dilation, i, 1));
		if (k < 0)
			return infer_refuse(q, "the window is empty");
		q->out->dim[2 + i].size = k;
	}
	for (int i = 0; i < q->out->rank; i++)
		if (i != 1 && strcmp(q->out->dim[1].name, q->out->dim[i].name) == 0)
			memset(q->out->dim[1].name, 0, ADZE_MAX_AXIS);
	return ADZE_OK;
}

adze_status infer_window(struct ask *q)
{
	const struct attrs_window *w = q->attrs;
	const adze_shape *x = infer_type(q, 0);
	*q->out = *x;
	if ((unsigned)w->by >= EW_COUNT || !(ew_info(w->by)->flags & EW_ASSOC) ||
	    !dtype_taken(x->dtype, ew_info(w->by)->takes))
		return infer_refuse(q, "that function cannot reduce that element type");
	if (w->window.n != x->rank || !infer_list_ok(&w->window, x->rank, 1) ||
	    !infer_list_ok(&w->stride, x->rank, 1) || !infer_list_ok(&w->dilation, x->rank, 1) ||
	    !infer_list_ok(&w->low, x->rank, 0) || !infer_list_ok(&w->high, x->rank, 0))
		return infer_refuse(q, "the window has one number an axis, none negative");
	for (int i = 0; i < x->rank; i++) {
		int64_t size = w->window.at[i], stride = dims_or(&w->stride, i, 1);
		int64_t low = dims_or(&w->low, i, 0), high = dims_or(&w->high, i, 0);
		if (size == 1 && stride == 1 && low == 0 && high == 0)
			continue;
		if (!dim_is_static(&x->dim[i]))
			return infer_refuse(q, "a window cannot move along a symbol");
		q->out->dim[i].size = infer_window_count(x->dim[i].size, size, stride, low, high,
						   dims_or(&w->dilation, i, 1));
	}
	return ADZE_OK;
}
