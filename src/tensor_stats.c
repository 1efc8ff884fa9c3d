/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms that reduce: counts, sums without NaN, moments, norms of pairs, softmax with a sink;
 * and products of whole axes.
 */
#include "forms.h"

#include <math.h>
#include <string.h>

static adze_dtype dtype_of(adze_tensor x)
{
	return adze_tensor_shape(x).dtype;
}

adze_tensor(adze_count_nonzero)(adze_tensor x, const char *axes)
{
	struct tensor_op op = tensor_begin("count_nonzero", &x, 1);
	adze_tensor one = dtype_of(x) == ADZE_BOOL ? x : f_ne(x, f_num(x, 0));
	return form_end(&op, (adze_sum)((adze_convert)(one, ADZE_I64), axes));
}

/* x with 0 for NaN. */
static adze_tensor without_nan(adze_tensor x)
{
	return (adze_select)(f_eq(x, x), x, f_num(x, 0));
}

adze_tensor(adze_nan_sum)(adze_tensor x, const char *axes)
{
	struct tensor_op op = form_floats("nan_sum", &x, 1);
	adze_tensor y = (adze_sum)(without_nan(form_wide(x)), axes);
	return form_end(&op, (adze_convert)(y, dtype_of(x)));
}

adze_tensor(adze_nan_mean)(adze_tensor x, const char *axes)
{
	struct tensor_op op = form_floats("nan_mean", &x, 1);
	adze_tensor w = form_wide(x), sum = (adze_sum)(without_nan(w), axes);
	adze_tensor n = (adze_sum)((adze_convert)(f_eq(w, w), dtype_of(w)), axes);
	return form_end(&op, (adze_convert)(f_div(sum, n), dtype_of(x)));
}

static adze_tensor with_index(const char *name, adze_tensor x, const char *axis,
			      adze_tensor *index, adze_tensor (*value)(adze_tensor, const char *),
			      adze_tensor (*place)(adze_tensor, const char *))
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	if (op.ok)
		tensor_axis_of(&op, x.id, axis);
	adze_tensor at = op.ok ? place(x, axis) : x;
	adze_tensor y = form_end(&op, op.ok ? value(x, axis) : x);
	if (index != NULL)
		*index = adze_is(y) ? at : y;
	return y;
}

adze_tensor(adze_max_with_index)(adze_tensor x, const char *axis, adze_tensor *index)
{
	return with_index("max_with_index", x, axis, index, adze_maximum, adze_argmax);
}

adze_tensor(adze_min_with_index)(adze_tensor x, const char *axis, adze_tensor *index)
{
	return with_index("min_with_index", x, axis, index, adze_minimum, adze_argmin);
}

/* The softmax with exp(sink) more in each sum: shifted by the larger of them. */
adze_tensor(adze_softmax_sink)(adze_tensor x, const char *axis, adze_tensor sink)
{
	const adze_tensor all[2] = {x, sink};
	struct tensor_op op = form_floats("softmax_sink", all, 2);
	struct ir_dims at = {.n = 1};
	at.at[0] = op.ok ? tensor_axis_of(&op, x.id, axis) : 0;
	if (!op.ok)
		return form_end(&op, x);
	adze_tensor w = form_wide(x), s = (adze_convert)(sink, dtype_of(w));
	adze_tensor m = f_max(form_keep(&op, (adze_maximum)(w, axis), w, &at), s);
	/* A row of nothing: zeros, not NaN. */
	m = (adze_select)(f_is_finite(m), m, f_num(m, 0));
	adze_tensor e = f_exp(f_sub(w, m)), more = f_exp(f_sub(s, m));
	adze_tensor sum = f_add(form_keep(&op, (adze_sum)(e, axis), w, &at), more);
	adze_tensor y = f_div(e, (adze_select)(f_eq(sum, f_num(sum, 0)), f_num(sum, 1), sum));
	return form_end(&op, (adze_convert)(y, dtype_of(x)));
}

adze_tensor(adze_softmin)(adze_tensor x, const char *axis)
{
	struct tensor_op op = form_floats("softmin", &x, 1);
	return form_end(&op, (adze_softmax)(f_neg(x), axis));
}

/* |a|^p summed, and its root; `p` as adze_norm() takes it. */
adze_tensor(adze_distance)(adze_tensor a, adze_tensor b, const char *axes, double p)
{
	const adze_tensor x[2] = {a, b};
	struct tensor_op op = form_floats("distance", x, 2);
	return form_end(&op, (adze_norm)(f_sub(a, b), axes, p));
}

adze_tensor(adze_cosine_similarity)(adze_tensor a, adze_tensor b, const char *axes, double eps)
{
	const adze_tensor x[2] = {a, b};
	struct tensor_op op = form_floats("cosine_similarity", x, 2);
	adze_tensor v = form_wide(a), w = form_wide(b), least = f_num(v, eps);
	adze_tensor sum = (adze_sum)(f_mul(v, w), axes);
	adze_tensor size = f_mul(f_max((adze_norm)(v, axes, 2), least),
				 f_max((adze_norm)(w, axes, 2), least));
	return form_end(&op, (adze_convert)(f_div(sum, size), dtype_of(a)));
}

adze_tensor(adze_diff)(adze_tensor x, const char *axis)
{
	struct tensor_op op = tensor_begin("diff", &x, 1);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	if (k < 0)
		return form_end(&op, x);
	int64_t n = tensor_type(&op, x.id)->dim[k].size, last = n > 0 ? n : 1;
	return form_end(&op, f_sub((adze_slice)(x, axis, last > n ? 0 : 1, n, 1),
				   (adze_slice)(x, axis, 0, last - 1, 1)));
}

/* ---- products ---- */

/* Axes of the result of matmul: batch axes, broadcast, then rows of a and columns of b. */
static bool spread_batch(struct tensor_op *op, adze_tensor *a, adze_tensor *b)
{
	adze_shape s = *tensor_type(op, a->id), t = *tensor_type(op, b->id);
	adze_shape batch = s.rank >= t.rank ? s : t;
	int n = batch.rank - 2;
	for (int i = 0; i < n; i++) {
		int j = i - (batch.rank - s.rank), k = i - (batch.rank - t.rank);
		const adze_dim *d = j >= 0 ? &s.dim[j] : NULL, *e = k >= 0 ? &t.dim[k] : NULL;
		bool one = d != NULL && dim_is_static(d) && d->size == 1;
		batch.dim[i] = d == NULL || (one && e != NULL) ? *e : *d;
	}
	for (int side = 0; side < 2; side++) {
		adze_tensor *x = side == 0 ? a : b;
		adze_shape own = side == 0 ? s : t, to = batch;
		struct ir_dims at = {.n = own.rank};
		for (int i = 0; i < own.rank; i++)
			at.at[i] = batch.rank - own.rank + i;
		memcpy(to.dim + n, own.dim + own.rank - 2, 2 * sizeof to.dim[0]);
		for (int i = 0; i < to.rank; i++)
			memset(to.dim[i].name, 0, ADZE_MAX_AXIS);
		if (n > 0)
			*x = form_spread(op, *x, &to, &at);
	}
	return op->ok && adze_is(*a) && adze_is(*b);
}

adze_tensor(adze_matmul)(adze_tensor a, adze_tensor b)
{
	const adze_tensor x[2] = {a, b};
	struct tensor_op op = tensor_begin("matmul", x, 2);
	struct attrs_dot dot;
	memset(&dot, 0, sizeof dot);
	for (int i = 0; i < 2 && op.ok; i++)
		if (tensor_type(&op, x[i].id)->rank == 0)
			form_refuse(&op, x[i], "it takes vectors and matrices");
	if (!op.ok)
		return form_end(&op, a);
	int rows = tensor_type(&op, a.id)->rank, columns = tensor_type(&op, b.id)->rank;
	bool batched = (rows > 2 && columns > 1) || (columns > 2 && rows > 1);
	if (batched && !spread_batch(&op, &a, &b))
		return form_end(&op, a);
	rows = adze_tensor_shape(a).rank;
	columns = adze_tensor_shape(b).rank;
	for (int i = 0; batched && i < rows - 2; i++) {
		dot.batch_a.at[dot.batch_a.n++] = i;
		dot.batch_b.at[dot.batch_b.n++] = i;
	}
	dot.sum_a.n = dot.sum_b.n = 1;
	dot.sum_a.at[0] = rows - 1;
	dot.sum_b.at[0] = columns > 1 ? columns - 2 : 0;
	adze_tensor y = form_of(&op, ir_emit2(op.graph, OP_DOT, a.id, b.id, &dot));
	/* A vector times matrices: their batch axes come first already. */
	return form_end(&op, y);
}

adze_tensor(adze_vecdot)(adze_tensor a, adze_tensor b, const char *axis)
{
	const adze_tensor x[2] = {a, b};
	struct tensor_op op = tensor_begin("vecdot", x, 2);
	if (op.ok && dtype_is_float(dtype_of(a))) {
		adze_tensor y = (adze_sum)(f_mul(form_wide(a), form_wide(b)), axis);
		return form_end(&op, (adze_convert)(y, dtype_of(a)));
	}
	return form_end(&op, (adze_sum)(f_mul(a, b), axis));
}

/* Element i of `axis`, which stays, of extent 1. */
static adze_tensor part(adze_tensor x, const char *axis, int64_t i)
{
	return (adze_slice)(x, axis, i, i + 1, 1);
}

adze_tensor(adze_cross)(adze_tensor a, adze_tensor b, const char *axis)
{
	const adze_tensor x[2] = {a, b};
	struct tensor_op op = tensor_begin("cross", x, 2);
	for (int i = 0; i < 2 && op.ok; i++) {
		int k = tensor_axis_of(&op, x[i].id, axis);
		if (k >= 0 && tensor_type(&op, x[i].id)->dim[k].size != 3)
			form_refuse(&op, x[i], "the axis has other than 3 elements");
	}
	if (!op.ok)
		return form_end(&op, a);
	adze_tensor y[3];
	for (int i = 0; i < 3; i++) {
		int j = (i + 1) % 3, k = (i + 2) % 3;
		y[i] = f_sub(f_mul(part(a, axis, j), part(b, axis, k)),
			     f_mul(part(a, axis, k), part(b, axis, j)));
	}
	return form_end(&op, adze_concat_at(NULL, 0, y, 3, axis));
}

/* Axes in pairs, of a and of b, each pair then as one. */
adze_tensor(adze_kron)(adze_tensor a, adze_tensor b)
{
	const adze_tensor x[2] = {a, b};
	struct tensor_op op = tensor_begin("kron", x, 2);
	int rank = op.ok ? tensor_type(&op, a.id)->rank : 0;
	if (op.ok && (tensor_type(&op, b.id)->rank != rank || rank > ADZE_MAX_RANK / 2))
		form_refuse(&op, b, "it takes as many axes in both, up to 4");
	if (op.ok && (!shape_is_static(tensor_type(&op, a.id)) ||
		      !shape_is_static(tensor_type(&op, b.id))))
		form_refuse(&op, a, "an axis has a symbol");
	if (!op.ok)
		return form_end(&op, a);
	adze_shape to = *tensor_type(&op, a.id);
	struct attrs_axes order = {.axes = {.n = 2 * rank}};
	for (int i = 0; i < rank; i++) {
		order.axes.at[2 * i] = i;
		order.axes.at[2 * i + 1] = rank + i;
		to.dim[i].size *= tensor_type(&op, b.id)->dim[i].size;
	}
	adze_tensor y = (adze_outer)(a, b);
	if (adze_is(y))
		y = form_of(&op, ir_emit1(op.graph, OP_TRANSPOSE, y.id, &order, NULL));
	return form_end(&op, form_reshape(&op, y, &to));
}
