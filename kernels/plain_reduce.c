/* SPDX-License-Identifier: Apache-2.0
 *
 * Reductions by bodies. A long row is cut into equal parts, which are joined side by side, then
 * neighbour by neighbour: how depends on its length alone, and order is kept, so that a body need
 * not be commutative. Also map.
 */
#include "kernels/plain_body.h"

/* ---- reduce_body ---- */

#define MOST_LANES 64
#define LANE_STEPS 16 /* a row is cut where each part has so many elements */

struct axis {
	int64_t n, step;
};

struct form {
	int n;                 /* operands */
	int nkept, ngone;
	struct axis kept[ADZE_MAX_RANK], gone[ADZE_MAX_RANK];
	int64_t length, lanes, rows; /* of a row; parts of it; rows at once */
};

/* Joins axes that are one walk. */
static int join_axes(struct axis *a, int n)
{
	int kept = 0;
	for (int i = 0; i < n; i++) {
		struct axis *last = kept > 0 ? &a[kept - 1] : NULL;
		if (a[i].n == 1)
			continue;
		if (last != NULL && last->step == plain_wrap(a[i].n, a[i].step))
			*last = (struct axis){plain_wrap(last->n, a[i].n), a[i].step};
		else
			a[kept++] = a[i];
	}
	return kept;
}

static bool fill(const struct plain *p, struct form *f)
{
	int64_t stride[ADZE_MAX_RANK];
	bool gone[ADZE_MAX_RANK];
	*f = (struct form){.n = p->ny, .length = 1, .lanes = 1};
	if (p->nx != 2 * p->ny || !plain_side_by_side(p, p->ny) ||
	    !plain_joins(p->body, p->x, p->ny) ||
	    !plain_axis_set(plain_dims(p, 0), p->x[0].rank, gone))
		return false;
	plain_strides(&p->x[0], stride);
	for (int i = 0; i < p->x[0].rank; i++) {
		struct axis a = {p->x[0].extent[i], stride[i]};
		if (gone[i]) {
			f->gone[f->ngone++] = a;
			if (__builtin_mul_overflow(f->length, a.n, &f->length))
				return false;
		} else {
			f->kept[f->nkept++] = a;
		}
	}
	for (int i = 0; i < f->n; i++) {
		const struct plain_array *y = &p->y[i], *init = &p->x[f->n + i];
		if (y->dtype != p->x[i].dtype || init->dtype != y->dtype || init->rank != 0 ||
		    y->rank != f->nkept)
			return false;
		for (int k = 0; k < f->nkept; k++)
			if (y->extent[k] != f->kept[k].n)
				return false;
	}
	f->nkept = join_axes(f->kept, f->nkept);
	f->ngone = join_axes(f->gone, f->ngone);
	while (f->lanes < MOST_LANES && f->length / (2 * f->lanes) >= LANE_STEPS)
		f->lanes *= 2;
	f->rows = PLAIN_STRIP / f->lanes;
	return true;
}

bool plain_reduce_body_holds(const struct plain *p)
{
	struct form f;
	return fill(p, &f);
}

struct plain_plan plain_reduce_body_plan(const struct plain *p)
{
	struct form f;
	fill(p, &f);
	int64_t n = f.length > 0 ? f.length : 1;
	return (struct plain_plan){(p->y[0].count + f.rows - 1) / f.rows,
				   n < INT32_MAX ? n * f.rows * f.n : INT32_MAX,
				   3 * (size_t)f.n * PLAIN_STRIP_BYTES};
}

/* Where element i of a walk lies. */
static int64_t place_of(const struct axis *a, int n, int64_t i)
{
	int64_t at = 0;
	for (int k = n - 1; k >= 0; k--) {
		at += i % a[k].n * a[k].step;
		i /= a[k].n;
	}
	return at;
}

/* Some rows under way: strips of [lanes, rows]. */
struct rows {
	const struct plain *p;
	const struct form *f;
	int64_t n, row[PLAIN_STRIP];
	bool together; /* rows lie side by side */
	char *sum[PLAIN_MOST], *next[PLAIN_MOST], *other[PLAIN_MOST];
};

static size_t size_of(const struct rows *r, int i)
{
	return dtype_bytes(r->p->x[i].dtype);
}

/* Element `step` of every part of every row, or the last one where a part has no more. */
static void fetch(const struct rows *r, int64_t step, char *const *to)
{
	const struct form *f = r->f;
	int64_t at[PLAIN_STRIP];
	for (int64_t k = 0; k < f->lanes; k++) {
		int64_t first = k * f->length / f->lanes, end = (k + 1) * f->length / f->lanes;
		int64_t i = first + step < end ? first + step : end - 1;
		int64_t lane = f->ngone == 1 ? i * f->gone[0].step
					     : place_of(f->gone, f->ngone, i);
		for (int64_t j = 0; j < r->n; j++)
			at[k * r->n + j] = lane + r->row[j];
	}
	for (int i = 0; i < f->n; i++) {
		size_t size = size_of(r, i);
		const char *x = r->p->x[i].at;
		for (int64_t k = 0; r->together && k < f->lanes; k++)
			memcpy(to[i] + (size_t)(k * r->n) * size,
			       x + at[k * r->n] * (int64_t)size, (size_t)r->n * size);
		if (!r->together)
			plain_pick(to[i], x, at, NULL, f->lanes * r->n, size);
	}
}

static void call(const struct rows *r, char *const *a, char *const *b, char *const *y, int64_t n)
{
	const void *in[2 * PLAIN_MOST];
	void *out[PLAIN_MOST];
	for (int i = 0; i < r->f->n; i++) {
		in[i] = a[i];
		in[r->f->n + i] = b[i];
		out[i] = y[i];
	}
	r->p->body->call(r->p->body->self, out, in, (size_t)n);
}

static void swap(struct rows *r)
{
	for (int i = 0; i < r->f->n; i++) {
		char *old = r->sum[i];
		r->sum[i] = r->other[i];
		r->other[i] = old;
	}
}

/* Parts that have an element less keep what they had. */
static void keep_short(const struct rows *r, int64_t step)
{
	const struct form *f = r->f;
	for (int64_t k = 0; k < f->lanes; k++) {
		if (k * f->length / f->lanes + step < (k + 1) * f->length / f->lanes)
			continue;
		for (int i = 0; i < f->n; i++) {
			size_t bytes = (size_t)r->n * size_of(r, i);
			memcpy(r->other[i] + (size_t)k * bytes, r->sum[i] + (size_t)k * bytes,
			       bytes);
		}
	}
}

/* Neighbouring parts become one: those before to r->next, those behind to r->other. */
static void halve(struct rows *r, int64_t lanes)
{
	for (int i = 0; i < r->f->n; i++) {
		size_t bytes = (size_t)r->n * size_of(r, i);
		for (int64_t k = 0; k < lanes; k++)
			memcpy((k % 2 ? r->other[i] : r->next[i]) + (size_t)(k / 2) * bytes,
			       r->sum[i] + (size_t)k * bytes, bytes);
	}
	call(r, r->next, r->other, r->sum, lanes / 2 * r->n);
}

static void reduce_rows(struct rows *r, int64_t first)
{
	const struct form *f = r->f;
	char *y[PLAIN_MOST];
	int64_t steps = (f->length + f->lanes - 1) / f->lanes;
	for (int i = 0; i < f->n; i++) {
		y[i] = (char *)r->p->y[i].at + first * (int64_t)size_of(r, i);
		plain_fill(f->length > 0 ? r->next[i] : y[i], r->p->x[f->n + i].at, r->n,
			   size_of(r, i));
	}
	if (f->length == 0)
		return;
	fetch(r, 0, r->sum);
	for (int64_t k = 1; k < steps; k++) {
		fetch(r, k, r->next);
		call(r, r->sum, r->next, r->other, f->lanes * r->n);
		if (k + 1 == steps)
			keep_short(r, k);
		swap(r);
	}
	for (int64_t lanes = f->lanes; lanes > 1; lanes /= 2)
		halve(r, lanes);
	for (int i = 0; i < f->n; i++)
		plain_fill(r->next[i], r->p->x[f->n + i].at, r->n, size_of(r, i));
	call(r, r->next, r->sum, y, r->n);
}

void plain_reduce_body_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	struct form f;
	struct rows r = {.p = p, .f = &f};
	fill(p, &f);
	for (int i = 0; i < f.n; i++) {
		r.sum[i] = (char *)work + 3 * (size_t)i * PLAIN_STRIP_BYTES;
		r.next[i] = r.sum[i] + PLAIN_STRIP_BYTES;
		r.other[i] = r.next[i] + PLAIN_STRIP_BYTES;
	}
	for (int64_t unit = from; unit < to; unit++) {
		int64_t first = unit * f.rows, left = p->y[0].count - first;
		r.n = left < f.rows ? left : f.rows;
		for (int64_t i = 0; i < r.n; i++)
			r.row[i] = place_of(f.kept, f.nkept, first + i);
		r.together = r.row[r.n - 1] - r.row[0] == r.n - 1;
		reduce_rows(&r, first);
	}
}

/* ---- reduce_window_body ---- */

enum {
	WINDOW = 0, STRIDE = PLAIN_DIMS, LOW = 2 * PLAIN_DIMS, HIGH = 3 * PLAIN_DIMS,
	DILATION = 4 * PLAIN_DIMS, BASE = 5 * PLAIN_DIMS
};

static bool windows(const struct plain *p, struct plain_windows *w)
{
	return plain_windows(&p->x[0], &p->y[0], plain_dims(p, WINDOW), plain_dims(p, STRIDE),
			     plain_dims(p, LOW), plain_dims(p, HIGH), plain_dims(p, DILATION),
			     plain_dims(p, BASE), w);
}

bool plain_reduce_window_body_holds(const struct plain *p)
{
	struct plain_windows w;
	int n = p->ny;
	if (p->nx != 2 * n || !plain_side_by_side(p, n) || !plain_joins(p->body, p->x, n) ||
	    !windows(p, &w))
		return false;
	for (int i = 0; i < n; i++)
		if (p->y[i].dtype != p->x[i].dtype || p->x[n + i].dtype != p->x[i].dtype ||
		    p->x[n + i].rank != 0 || !plain_same_extents(&p->y[i], &p->y[0]))
			return false;
	return true;
}

struct plain_plan plain_reduce_window_body_plan(const struct plain *p)
{
	struct plain_windows w;
	windows(p, &w);
	int64_t cost = w.places < INT32_MAX / PLAIN_STRIP ? w.places * PLAIN_STRIP : INT32_MAX;
	return (struct plain_plan){(p->y[0].count + PLAIN_STRIP - 1) / PLAIN_STRIP, cost,
				   3 * (size_t)p->ny * PLAIN_STRIP_BYTES};
}

void plain_reduce_window_body_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	struct plain_windows w;
	struct form f = {.n = p->ny};
	struct rows r = {.p = p, .f = &f};
	int64_t at[PLAIN_STRIP];
	windows(p, &w);
	for (int i = 0; i < f.n; i++) {
		r.sum[i] = (char *)work + 3 * (size_t)i * PLAIN_STRIP_BYTES;
		r.next[i] = r.sum[i] + PLAIN_STRIP_BYTES;
		r.other[i] = r.next[i] + PLAIN_STRIP_BYTES;
	}
	for (int64_t unit = from; unit < to; unit++) {
		int64_t first = unit * PLAIN_STRIP, left = p->y[0].count - first;
		r.n = left < PLAIN_STRIP ? left : PLAIN_STRIP;
		for (int i = 0; i < f.n; i++)
			plain_fill(r.sum[i], p->x[f.n + i].at, r.n, size_of(&r, i));
		for (int64_t k = 0; k < w.places; k++) {
			plain_window_places(&w, k, first, r.n, at);
			for (int i = 0; i < f.n; i++)
				plain_pick(r.next[i], p->x[i].at, at, p->x[f.n + i].at, r.n,
					   size_of(&r, i));
			call(&r, r.sum, r.next, r.other, r.n);
			swap(&r);
		}
		for (int i = 0; i < f.n; i++)
			memcpy((char *)p->y[i].at + first * (int64_t)size_of(&r, i), r.sum[i],
			       (size_t)r.n * size_of(&r, i));
	}
}

/* ---- map ---- */

#define MAP_UNIT (8 * PLAIN_STRIP)

bool plain_map_holds(const struct plain *p)
{
	const struct plain_body *b = p->body;
	if (!plain_side_by_side(p, p->nx) || b->nin != p->nx || b->nout != p->ny)
		return false;
	for (int i = 0; i < p->nx; i++)
		if (b->in[i] != p->x[i].dtype)
			return false;
	for (int i = 0; i < p->ny; i++)
		if (b->out[i] != p->y[i].dtype || !plain_same_extents(&p->y[i], &p->x[0]))
			return false;
	return true;
}

struct plain_plan plain_map_plan(const struct plain *p)
{
	return (struct plain_plan){(p->y[0].count + MAP_UNIT - 1) / MAP_UNIT, MAP_UNIT, 0};
}

void plain_map_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	const void *in[PLAIN_MOST];
	void *out[PLAIN_MOST];
	int64_t first = from * MAP_UNIT, end = to * MAP_UNIT;
	(void)work;
	end = end < p->y[0].count ? end : p->y[0].count;
	for (int i = 0; i < p->nx; i++)
		in[i] = (const char *)p->x[i].at + first * (int64_t)dtype_bytes(p->x[i].dtype);
	for (int i = 0; i < p->ny; i++)
		out[i] = (char *)p->y[i].at + first * (int64_t)dtype_bytes(p->y[i].dtype);
	p->body->call(p->body->self, out, in, (size_t)(end - first));
}
