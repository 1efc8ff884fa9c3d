/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference evaluator: operations of class PLAIN.
 */
#include "base/rng.h"
#include "ir/eval.h"

#include <math.h>

#define TURN 6.283185307179586476925286766559

static int find_axis(const struct ir_dims *d, int64_t axis)
{
	for (int i = 0; i < d->n; i++)
		if (d->at[i] == axis)
			return i;
	return -1;
}

/* StableHLO's words, one element of the result at a time: `batch` are its indices along axes
 * that are not in `offset`, the others count inside the slice. */
adze_status eval_gather(struct eval *e)
{
	const struct attrs_gather *a = EVAL_ATTRS(gather, e);
	const struct eval_array *x = &e->x[0], *at = &e->x[1];
	struct walk w = {0};
	for (int i = 0; i < e->y.rank; i++)
		walk_axis(&w, e->y.extent[i], 0, 0);
	for (int i = 0; i < x->rank; i++)
		if (x->extent[i] == 0) /* a symbol of 0: the result stays zero */
			return ADZE_OK;
	for (int64_t n = 0; n < e->y.count; n++, walk_next(&w)) {
		int64_t batch[ADZE_MAX_RANK] = {0}, first = 0, from = 0;
		for (int i = 0, k = 0; i < e->y.rank; i++) {
			if (find_axis(&a->offset, i) >= 0)
				continue;
			k += k == a->vector;
			first += w.at[i] * at->stride[k];
			batch[k++] = w.at[i];
		}
		for (int i = 0, k = 0; i < x->rank; i++) {
			int c = find_axis(&a->map, i), b = find_axis(&a->batch_x, i);
			int64_t place = b >= 0 ? batch[a->batch_at.at[b]] : 0;
			int64_t step = a->vector < at->rank ? at->stride[a->vector] : 0;
			int64_t most = x->extent[i] - a->sizes.at[i];
			if (c >= 0)
				place += eval_load_kept(at, first + c * step, most > 0 ? most : 0);
			if (b < 0 && find_axis(&a->collapsed, i) < 0)
				place += w.at[a->offset.at[k++]];
			from += place * x->stride[i];
		}
		copy_element(e, n, x, from);
	}
	return ADZE_OK;
}

/* Byte by byte from the block that it stands in. */
adze_status eval_rng_philox(struct eval *e)
{
	uint32_t word[4];
	for (size_t i = 0; i < (size_t)e->y.count * e->y.size; i++) {
		rng_philox_block(e->x[0].bytes, i / 16, word);
		((uint8_t *)e->out)[i] = (uint8_t)(word[i % 16 / 4] >> i % 4 * 8);
	}
	return ADZE_OK;
}

adze_status eval_rng_threefry(struct eval *e)
{
	uint32_t word[2];
	for (size_t i = 0; i < (size_t)e->y.count * e->y.size; i++) {
		rng_threefry_block(e->x[0].bytes, i / 8, word);
		((uint8_t *)e->out)[i] = (uint8_t)(word[i % 8 / 4] >> i % 4 * 8);
	}
	return ADZE_OK;
}

/* The lines of `x` along an axis: where each begins in x, and in the result. */
static struct walk walk_lines(const struct eval *e, int64_t axis)
{
	struct walk w = {0};
	for (int i = 0; i < e->x[0].rank; i++)
		if (i != axis)
			walk_axis(&w, e->x[0].extent[i], e->x[0].stride[i], e->y.stride[i]);
	return w;
}

static double load(const struct eval_array *x, int64_t i)
{
	return dtype_load_float(x->dtype, x->bytes, (size_t)i);
}

adze_status eval_cumulative(struct eval *e)
{
	const struct attrs_cumulative *a = EVAL_ATTRS(cumulative, e);
	const struct eval_array *x = &e->x[0];
	int64_t n = x->extent[a->axis], step = x->stride[a->axis];
	bool floats = dtype_is_float(x->dtype);
	struct walk line = walk_lines(e, a->axis);
	struct eval_array total = *x; /* of integers: one element */
	uint64_t element = 0, one = 0;
	total.bytes = &element;
	for (int64_t lines = walk_count(&line); lines > 0; lines--, walk_next(&line)) {
		ew_start_element(a->by, x->dtype, &element);
		double sum = floats ? ew_start_float(a->by, x->dtype) : 0;
		for (int64_t k = 0; k < n; k++) {
			int64_t i = line.offset[0] + (a->reverse ? n - 1 - k : k) * step;
			for (int after = 0; after < 2; after++) {
				if (after == a->exclusive && floats)
					sum = ew_f64(a->by, sum, load(x, i), 0);
				else if (after == a->exclusive) {
					dtype_copy_at(x->dtype, &one, 0, x->bytes, (size_t)i);
					ew_element(a->by, x->dtype, &element, &element, &one, NULL,
						   0);
				} else if (floats)
					dtype_store_float(e->y.dtype, e->out, (size_t)i, sum);
				else
					copy_element(e, i, &total, 0);
			}
		}
	}
	return ADZE_OK;
}

/* Whether element i is before element k of the same line; equal ones are by their index. */
static bool before(const struct eval_array *x, int64_t i, int64_t k, bool smallest)
{
	if (dtype_is_float(x->dtype)) {
		double a = load(x, i), b = load(x, k);
		if (isnan(a) || isnan(b))
			return isnan(a) != isnan(b) && (isnan(a) != 0) != smallest;
		return smallest ? a < b : a > b;
	}
	int64_t a = dtype_load_int(x->dtype, x->bytes, (size_t)i);
	int64_t b = dtype_load_int(x->dtype, x->bytes, (size_t)k);
	/* With the sign turned over, unsigned integers compare as signed ones do. */
	if (x->dtype == ADZE_U64) {
		a ^= INT64_MIN;
		b ^= INT64_MIN;
	}
	return smallest ? a < b : a > b;
}

/* Each element goes to the place that is the number of those before it. */
adze_status eval_top_k(struct eval *e)
{
	const struct attrs_top_k *a = EVAL_ATTRS(top_k, e);
	const struct eval_array *x = &e->x[0];
	int64_t n = x->extent[a->axis], step = x->stride[a->axis];
	struct walk line = walk_lines(e, a->axis);
	for (int64_t lines = walk_count(&line); lines > 0; lines--, walk_next(&line)) {
		for (int64_t i = 0; i < n; i++) {
			int64_t at = line.offset[0] + i * step, place = 0;
			for (int64_t k = 0; k < n; k++) {
				int64_t other = line.offset[0] + k * step;
				place += before(x, other, at, a->smallest != 0) ||
					 (k < i && !before(x, at, other, a->smallest != 0));
			}
			int64_t to = line.offset[1] + place * e->y.stride[a->axis];
			if (place < a->k)
				dtype_store_int(e->y.dtype, e->out, (size_t)to, i);
		}
	}
	return ADZE_OK;
}

adze_status eval_dequantize_blocks(struct eval *e)
{
	enum block_kind b = EVAL_ATTRS(dequantize_blocks, e)->format;
	block_decode(b, e->x[0].bytes, (size_t)(e->x[0].count / block_format(b)->bytes), e->out);
	return ADZE_OK;
}

/* Complex numbers as pairs; of other floats the second is 0. */
static void load_pair(const struct eval_array *x, int64_t i, double *part)
{
	part[1] = 0;
	if (dtype_is_complex(x->dtype))
		dtype_load_complex(x->dtype, x->bytes, (size_t)i, part);
	else
		part[0] = load(x, i);
}

static void store_pair(struct eval *e, int64_t i, const double *part)
{
	if (dtype_is_complex(e->y.dtype))
		dtype_store_complex(e->y.dtype, e->out, (size_t)i, part);
	else
		dtype_store_float(e->y.dtype, e->out, (size_t)i, part[0]);
}

/* v less a times b; where `adjoint`, b's conjugate. */
static void take_off(double *v, const double *a, const double *b, bool adjoint)
{
	double im = adjoint ? -b[1] : b[1];
	v[0] -= a[0] * b[0] - a[1] * im;
	v[1] -= a[0] * im + a[1] * b[0];
}

static void divide(double *v, const double *by)
{
	double square = by[0] * by[0] + by[1] * by[1];
	double re = v[0] * by[0] + v[1] * by[1], im = v[1] * by[0] - v[0] * by[1];
	v[0] = by[1] == 0 ? v[0] / by[0] : re / square;
	v[1] = by[1] == 0 ? v[1] / by[0] : im / square;
}

/* Element (i, j), j <= i, of the factor l, whose rows are as far as it goes. */
static void factor_element(double *l, int64_t n, int64_t i, int64_t j)
{
	double *v = l + 2 * (i * n + j);
	for (int64_t k = 0; k < j; k++)
		take_off(v, l + 2 * (i * n + k), l + 2 * (j * n + k), true);
	if (j < i) {
		divide(v, l + 2 * (j * n + j));
		return;
	}
	v[0] = v[0] > 0 ? sqrt(v[0]) : (double)NAN;
	v[1] = 0;
}

/* Of a = u' u the lower triangle is the adjoint of the upper one, and l that of u. */
adze_status eval_cholesky(struct eval *e)
{
	const struct eval_array *x = &e->x[0];
	bool lower = EVAL_ATTRS(lower, e)->lower != 0;
	int64_t n = x->extent[x->rank - 1];
	size_t room = (size_t)n * (size_t)n;
	double *l = mem_new(e->g->arena.from, room, 2 * sizeof *l);
	if (l == NULL)
		return fail(e->d, ADZE_E_NOMEM, "no memory for a factor");
	for (int64_t at = 0; at < x->count; at += n * n) {
		memset(l, 0, room * 2 * sizeof *l);
		for (int64_t i = 0; i < n; i++)
			for (int64_t j = 0; j <= i; j++) {
				double *v = l + 2 * (i * n + j);
				load_pair(x, at + (lower ? i * n + j : j * n + i), v);
				v[1] = lower ? v[1] : -v[1];
				factor_element(l, n, i, j);
			}
		for (int64_t i = 0; i < n * n; i++) {
			double *v = l + 2 * i;
			v[1] = lower ? v[1] : -v[1];
			store_pair(e, at + (lower ? i : i % n * n + i / n), v);
		}
	}
	mem_free(e->g->arena.from, l, room, 2 * sizeof *l);
	return ADZE_OK;
}

adze_status eval_triangular_solve(struct eval *e)
{
	const struct attrs_triangular_solve *t = EVAL_ATTRS(triangular_solve, e);
	const struct eval_array *a = &e->x[0], *b = &e->x[1];
	int64_t n = a->extent[a->rank - 1], sides = b->count / (a->count / n);
	/* x a = b is a' x' = b': rows are then columns, and the lower triangle the upper one. */
	bool turned = (t->transpose != 0) == (t->left != 0), adjoint = t->transpose == 2;
	bool forward = (t->lower != 0) != turned;
	double *x = mem_new(e->g->arena.from, (size_t)n, 2 * sizeof *x), part[2];
	if (x == NULL)
		return fail(e->d, ADZE_E_NOMEM, "no memory for a solution");
	for (int64_t s = 0; s < b->count / n; s++) {
		const int64_t matrix = s / sides * n * n, side = s % sides;
		const int64_t at = s / sides * n * sides + (t->left ? side : side * n);
		for (int64_t step = 0; step < n; step++) {
			int64_t i = forward ? step : n - 1 - step;
			load_pair(b, at + i * (t->left ? sides : 1), x + 2 * i);
			for (int64_t k = forward ? 0 : i + 1; k < (forward ? i : n); k++) {
				load_pair(a, matrix + (turned ? k * n + i : i * n + k), part);
				take_off(x + 2 * i, x + 2 * k, part, adjoint);
			}
			load_pair(a, matrix + i * n + i, part);
			part[1] = adjoint ? -part[1] : part[1];
			if (!t->unit)
				divide(x + 2 * i, part);
		}
		for (int64_t i = 0; i < n; i++)
			store_pair(e, at + i * (t->left ? sides : 1), x + 2 * i);
	}
	mem_free(e->g->arena.from, x, (size_t)n, 2 * sizeof *x);
	return ADZE_OK;
}

/* One transform of those of a batch. */
struct fft {
	int n; /* axes */
	int64_t length[3];
	bool inverse;
	int64_t x_last; /* extent of the last axis */
	int64_t x;      /* its first element */
};

/* Element at[] of what is transformed: of a real line's half, the other half is its mirror. */
static void fft_load(const struct eval *e, const struct fft *f, const int64_t *at, double *part)
{
	int64_t i = 0, last = at[f->n - 1];
	bool mirrored = last >= f->x_last;
	for (int k = 0; k < f->n; k++) {
		int64_t n = f->length[k], place = mirrored ? (n - at[k]) % n : at[k];
		i = i * (k + 1 < f->n ? n : f->x_last) + place;
	}
	load_pair(&e->x[0], f->x + i, part);
	part[1] = mirrored ? -part[1] : part[1];
}

/* Element to[] of the result: the sum over all of x. */
static void fft_sum(const struct eval *e, const struct fft *f, const int64_t *to, double *sum)
{
	struct walk w = {0};
	for (int i = 0; i < f->n; i++)
		walk_axis(&w, f->length[i], 0, 0);
	sum[0] = sum[1] = 0;
	for (int64_t left = walk_count(&w); left > 0; left--, walk_next(&w)) {
		double part[2], turns = 0;
		fft_load(e, f, w.at, part);
		for (int i = 0; i < f->n; i++)
			turns += (double)(w.at[i] * to[i] % f->length[i]) / (double)f->length[i];
		double re = cos(TURN * turns), im = sin(TURN * turns) * (f->inverse ? 1 : -1);
		sum[0] += part[0] * re - part[1] * im;
		sum[1] += part[0] * im + part[1] * re;
	}
	for (int i = 0; i < 2 && f->inverse; i++)
		sum[i] /= (double)walk_count(&w);
}

adze_status eval_fft(struct eval *e)
{
	const struct attrs_fft *a = EVAL_ATTRS(fft, e);
	const struct eval_array *x = &e->x[0];
	struct fft f = {.n = (int)a->lengths.n, .inverse = a->inverse != 0};
	struct walk w = {0};
	int64_t each = 1;
	f.x_last = x->extent[x->rank - 1];
	for (int i = 0; i < f.n; i++) {
		f.length[i] = a->lengths.at[i];
		walk_axis(&w, i + 1 < f.n ? f.length[i] : e->y.extent[x->rank - 1], 0, 0);
		each *= i + 1 < f.n ? f.length[i] : f.x_last;
	}
	for (int64_t i = 0; i < e->y.count; i++, walk_next(&w)) {
		double sum[2];
		f.x = i / walk_count(&w) * each;
		fft_sum(e, &f, w.at, sum);
		store_pair(e, i, sum);
	}
	return ADZE_OK;
}
