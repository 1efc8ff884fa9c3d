/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference evaluator: reductions, rows, products and windows. Floats are summed in
 * double and rounded once; integers wrap.
 */
#include "ir/eval.h"

#include <math.h>

static double load(const struct eval_array *x, int64_t i)
{
	return dtype_load_float(x->dtype, x->bytes, (size_t)i);
}

static uint64_t load_bits(const struct eval_array *x, int64_t i)
{
	return (uint64_t)dtype_load_int(x->dtype, x->bytes, (size_t)i);
}

static void store(struct eval *e, int64_t i, double v)
{
	dtype_store_float(e->y.dtype, e->out, (size_t)i, v);
}

/* An associative function over some elements. */
struct total {
	enum ew by;
	const struct dtype_info *info;
	double f, c[2]; /* c: complex */
	int64_t i;
};

static struct total total_start(enum ew by, adze_dtype dtype)
{
	uint64_t element[2] = {0, 0};
	struct total t = {.by = by, .info = dtype_info(dtype)};
	if (dtype_is_float(dtype)) {
		t.f = ew_start_float(by, dtype);
		return t;
	}
	ew_start_element(by, dtype, element);
	if (dtype_is_complex(dtype))
		dtype_load_complex(dtype, element, 0, t.c);
	else
		t.i = dtype_load_int(dtype, element, 0);
	return t;
}

static void total_add(struct total *t, const struct eval_array *x, int64_t i)
{
	unsigned bits = (unsigned)t->info->bits;
	double one[2];
	if (t->info->class == DTYPE_COMPLEX) {
		dtype_load_complex(x->dtype, x->bytes, (size_t)i, one);
		ew_complex(t->by, t->c, one, t->c);
	} else if (t->info->class == DTYPE_FLOAT)
		t->f = ew_f64(t->by, t->f, load(x, i), 0);
	else if (t->info->class == DTYPE_INT)
		t->i = ew_i64(t->by, t->i, (int64_t)load_bits(x, i), 0, bits);
	else
		t->i = (int64_t)ew_u64(t->by, (uint64_t)t->i, load_bits(x, i), 0, bits);
}

static void total_store(const struct total *t, struct eval *e, int64_t i)
{
	if (t->info->class == DTYPE_COMPLEX)
		dtype_store_complex(e->y.dtype, e->out, (size_t)i, t->c);
	else if (t->info->class == DTYPE_FLOAT)
		store(e, i, t->f);
	else
		dtype_store_int(e->y.dtype, e->out, (size_t)i, t->i);
}

adze_status eval_reduce(struct eval *e)
{
	const struct attrs_reduce *a = EVAL_ATTRS(reduce, e);
	const struct eval_array *x = &e->x[0];
	struct walk outer = {0}, inner = {0};
	walk_reduced(x, &a->axes, &outer, &inner);
	int64_t n = walk_count(&inner);
	for (int64_t i = 0; i < e->y.count; i++, walk_next(&outer)) {
		struct total t = total_start(a->by, x->dtype);
		for (int64_t k = 0; k < n; k++, walk_next(&inner))
			total_add(&t, x, outer.offset[0] + inner.offset[0]);
		total_store(&t, e, i);
	}
	return ADZE_OK;
}

/* The rows of `x` along an axis: where each begins. */
static struct walk walk_rows(const struct eval_array *x, int64_t axis)
{
	struct walk w = {0};
	for (int i = 0; i < x->rank; i++)
		if (i != axis)
			walk_axis(&w, x->extent[i], x->stride[i], 0);
	return w;
}

/* Whether element i goes before element k in a search for the largest, or smallest. */
static bool beats(const struct eval_array *x, int64_t i, int64_t k, bool smallest)
{
	if (dtype_is_float(x->dtype)) {
		double a = load(x, i), b = load(x, k);
		if (isnan(b))
			return false;
		return isnan(a) || (smallest ? a < b : a > b);
	}
	uint64_t a = load_bits(x, i), b = load_bits(x, k);
	/* With the sign turned over, signed integers compare as unsigned ones do. */
	uint64_t sign = dtype_info(x->dtype)->class == DTYPE_INT ? (uint64_t)1 << 63 : 0;
	return smallest ? (a ^ sign) < (b ^ sign) : (a ^ sign) > (b ^ sign);
}

static adze_status search(struct eval *e, bool smallest)
{
	const struct eval_array *x = &e->x[0];
	int64_t axis = EVAL_ATTRS(axis, e)->axis, step = x->stride[axis];
	struct walk row = walk_rows(x, axis);
	for (int64_t i = 0; i < e->y.count; i++, walk_next(&row)) {
		int64_t best = 0, at = row.offset[0];
		for (int64_t k = 1; k < x->extent[axis]; k++)
			if (beats(x, at + k * step, at + best * step, smallest))
				best = k;
		dtype_store_int(e->y.dtype, e->out, (size_t)i, best);
	}
	return ADZE_OK;
}

adze_status eval_argmax(struct eval *e)
{
	return search(e, false);
}

adze_status eval_argmin(struct eval *e)
{
	return search(e, true);
}

adze_status eval_softmax(struct eval *e)
{
	const struct eval_array *x = &e->x[0];
	int64_t axis = EVAL_ATTRS(axis, e)->axis, step = x->stride[axis], n = x->extent[axis];
	struct walk row = walk_rows(x, axis);
	int64_t rows = walk_count(&row);
	for (int64_t i = 0; i < rows; i++, walk_next(&row)) {
		int64_t at = row.offset[0];
		double top = -HUGE_VAL, sum = 0;
		for (int64_t k = 0; k < n; k++)
			top = ew_f64(EW_MAX, top, load(x, at + k * step), 0);
		for (int64_t k = 0; k < n; k++)
			sum += exp(load(x, at + k * step) - top);
		for (int64_t k = 0; k < n; k++)
			store(e, at + k * step, exp(load(x, at + k * step) - top) / sum);
	}
	return ADZE_OK;
}

/* Rows along the last axis; the mean is taken away only where there is one to take. */
static adze_status normalise(struct eval *e, bool center)
{
	const struct eval_array *x = &e->x[0];
	double eps = EVAL_ATTRS(eps, e)->eps;
	int64_t n = x->extent[x->rank - 1];
	for (int64_t at = 0; at < x->count; at += n) {
		double mean = 0, square = 0;
		for (int64_t k = 0; center && k < n; k++)
			mean += load(x, at + k) / (double)n;
		for (int64_t k = 0; k < n; k++) {
			double v = load(x, at + k) - mean;
			square += v * v;
		}
		double root = sqrt(square / (double)n + eps);
		for (int64_t k = 0; k < n; k++) {
			double v = (load(x, at + k) - mean) / root;
			if (e->nx > 1)
				v *= load(&e->x[1], k);
			if (e->nx > 2)
				v += load(&e->x[2], k);
			store(e, at + k, v);
		}
	}
	return ADZE_OK;
}

adze_status eval_layer_norm(struct eval *e)
{
	return normalise(e, true);
}

adze_status eval_rms_norm(struct eval *e)
{
	return normalise(e, false);
}

/* A sum of products of two operands' elements. */
struct products {
	double f, im;
	uint64_t i;
};

static void products_add(struct products *p, const struct eval *e, int64_t a, int64_t b)
{
	double x[2], y[2], xy[2];
	if (dtype_is_complex(e->y.dtype)) {
		dtype_load_complex(e->x[0].dtype, e->x[0].bytes, (size_t)a, x);
		dtype_load_complex(e->x[1].dtype, e->x[1].bytes, (size_t)b, y);
		ew_complex(EW_MUL, x, y, xy);
		p->f += xy[0];
		p->im += xy[1];
	} else if (dtype_is_float(e->y.dtype))
		p->f += load(&e->x[0], a) * load(&e->x[1], b);
	else
		p->i += load_bits(&e->x[0], a) * load_bits(&e->x[1], b);
}

static void products_store(const struct products *p, struct eval *e, int64_t i)
{
	double sum[2] = {p->f, p->im};
	if (dtype_is_complex(e->y.dtype))
		dtype_store_complex(e->y.dtype, e->out, (size_t)i, sum);
	else if (dtype_is_float(e->y.dtype))
		store(e, i, p->f);
	else
		dtype_store_int(e->y.dtype, e->out, (size_t)i, (int64_t)p->i);
}

static bool has(const struct ir_dims *dims, int64_t axis)
{
	for (int i = 0; i < dims->n; i++)
		if (dims->at[i] == axis)
			return true;
	return false;
}

adze_status eval_dot(struct eval *e)
{
	const struct attrs_dot *d = EVAL_ATTRS(dot, e);
	const struct eval_array *a = &e->x[0], *b = &e->x[1];
	struct walk outer = {0}, inner = {0};
	for (int i = 0; i < d->batch_a.n; i++) {
		int64_t k = d->batch_a.at[i];
		walk_axis(&outer, a->extent[k], a->stride[k], b->stride[d->batch_b.at[i]]);
	}
	for (int i = 0; i < a->rank; i++)
		if (!has(&d->batch_a, i) && !has(&d->sum_a, i))
			walk_axis(&outer, a->extent[i], a->stride[i], 0);
	for (int i = 0; i < b->rank; i++)
		if (!has(&d->batch_b, i) && !has(&d->sum_b, i))
			walk_axis(&outer, b->extent[i], 0, b->stride[i]);
	for (int i = 0; i < d->sum_a.n; i++) {
		int64_t k = d->sum_a.at[i];
		walk_axis(&inner, a->extent[k], a->stride[k], b->stride[d->sum_b.at[i]]);
	}
	int64_t n = walk_count(&inner);
	for (int64_t i = 0; i < e->y.count; i++, walk_next(&outer)) {
		struct products p = {0, 0, 0};
		for (int64_t k = 0; k < n; k++, walk_next(&inner))
			products_add(&p, e, outer.offset[0] + inner.offset[0],
				     outer.offset[1] + inner.offset[1]);
		products_store(&p, e, i);
	}
	return ADZE_OK;
}

adze_status eval_conv(struct eval *e)
{
	const struct attrs_conv *a = EVAL_ATTRS(conv, e);
	const struct eval_array *x = &e->x[0], *w = &e->x[1];
	int spatial = x->rank - 2;
	int64_t groups = a->groups == 0 ? 1 : a->groups;
	struct walk outer = {0}, inner = {0};
	for (int i = 0; i < e->y.rank; i++)
		walk_axis(&outer, e->y.extent[i], 0, 0);
	walk_axis(&inner, w->extent[1], x->stride[1], w->stride[1]);
	for (int s = 0; s < spatial; s++)
		walk_axis(&inner, w->extent[2 + s],
			  dims_or(&a->dilation, s, 1) * x->stride[2 + s], w->stride[2 + s]);
	int64_t n = walk_count(&inner);
	for (int64_t i = 0; i < e->y.count; i++, walk_next(&outer)) {
		struct products p = {0, 0, 0};
		int64_t group = outer.at[1] / (w->extent[0] / groups);
		int64_t first[3];
		int64_t base = outer.at[0] * x->stride[0] + group * w->extent[1] * x->stride[1];
		for (int s = 0; s < spatial; s++) {
			first[s] = outer.at[2 + s] * dims_or(&a->stride, s, 1) -
				   dims_or(&a->low, s, 0);
			base += first[s] * x->stride[2 + s];
		}
		for (int64_t k = 0; k < n; k++, walk_next(&inner)) {
			bool inside = true;
			for (int s = 0; s < spatial; s++) {
				int64_t at = first[s] +
					     inner.at[1 + s] * dims_or(&a->dilation, s, 1);
				inside = inside && at >= 0 && at < x->extent[2 + s];
			}
			if (inside)
				products_add(&p, e, base + inner.offset[0],
					     outer.at[1] * w->stride[0] + inner.offset[1]);
		}
		products_store(&p, e, i);
	}
	return ADZE_OK;
}

/* The places of a window along an axis that lie inside; `first` may be outside. */
static void walk_inside(struct walk *w, int64_t first, int64_t size, int64_t dilation,
			int64_t extent, int64_t stride)
{
	int64_t from = first < 0 ? (-first + dilation - 1) / dilation : 0;
	int64_t to = first < extent ? (extent - 1 - first) / dilation + 1 : 0;
	int64_t n = (to < size ? to : size) - from;
	walk_axis(w, n > 0 ? n : 0, n > 1 ? dilation * stride : 0, 0);
	w->offset[0] += n > 0 ? (first + from * dilation) * stride : 0;
}

adze_status eval_reduce_window(struct eval *e)
{
	const struct attrs_window *a = EVAL_ATTRS(window, e);
	const struct eval_array *x = &e->x[0];
	struct walk outer = {0};
	for (int i = 0; i < x->rank; i++)
		walk_axis(&outer, e->y.extent[i], 0, 0);
	for (int64_t i = 0; i < e->y.count; i++, walk_next(&outer)) {
		struct total t = total_start(a->by, x->dtype);
		struct walk inner = {0};
		for (int s = 0; s < x->rank; s++) {
			int64_t first = outer.at[s] * dims_or(&a->stride, s, 1) -
					dims_or(&a->low, s, 0);
			walk_inside(&inner, first, a->window.at[s], dims_or(&a->dilation, s, 1),
				    x->extent[s], x->stride[s]);
		}
		int64_t n = walk_count(&inner);
		for (int64_t k = 0; k < n; k++, walk_next(&inner))
			total_add(&t, x, inner.offset[0]);
		total_store(&t, e, i);
	}
	return ADZE_OK;
}
