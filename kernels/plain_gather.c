/* SPDX-License-Identifier: Apache-2.0
 *
 * The general gather. A unit is one vector of indices: one slice of the operand goes to the
 * result. Axes of the result that come from indices are batch axes, the others slice axes.
 */
#include <string.h>

#include "kernels/plain.h"

#define RUN 256 /* units whose places are worked out together */

enum {
	OFFSET = 0, COLLAPSED = PLAIN_DIMS, BATCH_X = 2 * PLAIN_DIMS, BATCH_AT = 3 * PLAIN_DIMS,
	MAP = 4 * PLAIN_DIMS, SIZES = 5 * PLAIN_DIMS, VECTOR = 6 * PLAIN_DIMS
};

/* An axis that is walked; steps are in elements. */
struct axis {
	int64_t n, y, x, at;
};

struct form {
	int nbatch, nslice, ncoord;
	struct axis batch[ADZE_MAX_RANK], slice[ADZE_MAX_RANK];
	int64_t most[ADZE_MAX_RANK]; /* by coordinate: the last start, and its step in x */
	int64_t step[ADZE_MAX_RANK];
	int64_t vector;              /* from one coordinate to the next in the indices */
	int64_t each;                /* elements of a slice */
	bool nothing;                /* an axis that one is picked from is empty */
};

/* Drops axes of one place, and joins neighbours that are one walk. */
static int join(struct axis *a, int n)
{
	int kept = 0;
	for (int i = 0; i < n; i++) {
		struct axis *last = kept > 0 ? &a[kept - 1] : NULL;
		if (a[i].n == 1)
			continue;
		if (last != NULL && last->y == a[i].n * a[i].y && last->x == a[i].n * a[i].x &&
		    last->at == a[i].n * a[i].at) {
			last->n *= a[i].n;
			last->y = a[i].y;
			last->x = a[i].x;
			last->at = a[i].at;
		} else {
			a[kept++] = a[i];
		}
	}
	return kept;
}

/* The axes of the operand: part of a slice, collapsed, or paired with one of the indices'. */
static bool slice_axes(const struct plain *p, const int64_t *sy, const int64_t *sx, struct form *f)
{
	const struct plain_dims *offset = plain_dims(p, OFFSET), *size = plain_dims(p, SIZES);
	const struct plain_array *x = &p->x[0], *y = &p->y[0];
	bool gone[ADZE_MAX_RANK], paired[ADZE_MAX_RANK];
	int k = 0;
	if (size->n != x->rank || !plain_axis_set(plain_dims(p, COLLAPSED), x->rank, gone) ||
	    !plain_axis_set(plain_dims(p, BATCH_X), x->rank, paired))
		return false;
	for (int i = 0; i < x->rank; i++) {
		if (size->at[i] < 0 || (gone[i] && paired[i]))
			return false;
		if (paired[i])
			continue;
		if (gone[i]) {
			if (size->at[i] != 1)
				return false;
			f->nothing |= x->extent[i] == 0;
			continue;
		}
		int64_t n = size->at[i] < x->extent[i] ? size->at[i] : x->extent[i];
		if (k >= offset->n || y->extent[offset->at[k]] != n)
			return false;
		f->slice[f->nslice++] = (struct axis){n, sy[offset->at[k]], sx[i], 0};
		f->each *= n;
		k++;
	}
	return k == offset->n;
}

static bool batch_axes(const struct plain *p, const bool *is_offset, const int64_t *sy,
		       const int64_t *sx, const int64_t *sat, struct form *f)
{
	const struct plain_dims *px = plain_dims(p, BATCH_X), *pat = plain_dims(p, BATCH_AT);
	const struct plain_array *x = &p->x[0], *at = &p->x[1], *y = &p->y[0];
	int64_t vector = p->param[VECTOR], step[ADZE_MAX_RANK] = {0};
	bool paired[ADZE_MAX_RANK];
	if (px->n != pat->n || !plain_axis_set(pat, at->rank, paired) ||
	    (vector < at->rank && paired[vector]))
		return false;
	for (int i = 0; i < px->n; i++) {
		if (x->extent[px->at[i]] != at->extent[pat->at[i]])
			return false;
		step[pat->at[i]] = sx[px->at[i]];
	}
	int k = 0;
	for (int i = 0; i < at->rank; i++) {
		if (i == vector)
			continue;
		while (k < y->rank && is_offset[k])
			k++;
		if (k == y->rank || y->extent[k] != at->extent[i])
			return false;
		f->batch[f->nbatch++] = (struct axis){at->extent[i], sy[k], step[i], sat[i]};
		k++;
	}
	return true;
}

static bool coordinates(const struct plain *p, const int64_t *sx, const int64_t *sat,
			struct form *f)
{
	const struct plain_dims *map = plain_dims(p, MAP), *size = plain_dims(p, SIZES);
	const struct plain_array *x = &p->x[0], *at = &p->x[1];
	int64_t vector = p->param[VECTOR];
	bool set[ADZE_MAX_RANK], paired[ADZE_MAX_RANK];
	f->vector = vector < at->rank ? sat[vector] : 0;
	f->ncoord = (int)map->n;
	if (!plain_axis_set(map, x->rank, set) ||
	    !plain_axis_set(plain_dims(p, BATCH_X), x->rank, paired) ||
	    map->n != (vector < at->rank ? at->extent[vector] : 1))
		return false;
	for (int i = 0; i < map->n; i++) {
		int64_t most = x->extent[map->at[i]] - size->at[map->at[i]];
		if (paired[map->at[i]])
			return false;
		f->most[i] = most > 0 ? most : 0;
		f->step[i] = sx[map->at[i]];
	}
	return true;
}

static bool fill(const struct plain *p, struct form *f)
{
	const struct plain_array *x = &p->x[0], *at = &p->x[1], *y = &p->y[0];
	int64_t sx[ADZE_MAX_RANK], sat[ADZE_MAX_RANK], sy[ADZE_MAX_RANK], vector = p->param[VECTOR];
	bool is_offset[ADZE_MAX_RANK];
	memset(f, 0, sizeof *f);
	f->each = 1;
	if (x->dtype != y->dtype || !dtype_is_int(at->dtype) || vector < 0 || vector > at->rank ||
	    !plain_axis_set(plain_dims(p, OFFSET), y->rank, is_offset) ||
	    y->rank != at->rank - (vector < at->rank) + plain_dims(p, OFFSET)->n)
		return false;
	plain_strides(x, sx);
	plain_strides(at, sat);
	plain_strides(y, sy);
	if (!slice_axes(p, sy, sx, f) || !batch_axes(p, is_offset, sy, sx, sat, f) ||
	    !coordinates(p, sx, sat, f))
		return false;
	f->nbatch = join(f->batch, f->nbatch);
	f->nslice = join(f->slice, f->nslice);
	return true;
}

bool plain_gather_holds(const struct plain *p)
{
	struct form f;
	return fill(p, &f);
}

struct plain_plan plain_gather_plan(const struct plain *p)
{
	struct form f;
	fill(p, &f);
	int64_t units = p->y[0].count > 0 ? 1 : 0;
	for (int i = 0; i < f.nbatch; i++)
		units *= units > 0 ? f.batch[i].n : 1;
	return (struct plain_plan){units, 1 + f.each + f.ncoord, 0};
}

#define COPY_ONE(bytes)                                                                   \
	case bytes:                                                                       \
		for (int64_t i = 0; i < n; i++)                                           \
			memcpy(y + i * y_step * (bytes), x + place[i] * (bytes), (bytes)); \
		break;

/* Slices of one element. */
static void copy_elements(char *y, int64_t y_step, const char *x, const int64_t *place, int64_t n,
			  size_t size)
{
	switch (size) {
	COPY_ONE(1)
	COPY_ONE(2)
	COPY_ONE(4)
	COPY_ONE(8)
	COPY_ONE(16)
	default: break;
	}
}

/* Slices of several elements, one element of all of them after the other. */
static void copy_by_element(const struct form *f, int axis, char *y, int64_t y_step, const char *x,
			    const int64_t *place, int64_t n, size_t size)
{
	if (axis == f->nslice) {
		copy_elements(y, y_step, x, place, n, size);
		return;
	}
	const struct axis *a = &f->slice[axis];
	for (int64_t i = 0; i < a->n; i++)
		copy_by_element(f, axis + 1, y + i * a->y * (int64_t)size, y_step,
				x + i * a->x * (int64_t)size, place, n, size);
}

static void copy_slice(const struct form *f, int axis, char *y, const char *x, int64_t size)
{
	const struct axis *a = &f->slice[axis];
	if (axis + 1 == f->nslice && a->x == 1 && a->y == 1) {
		memcpy(y, x, (size_t)(a->n * size));
		return;
	}
	for (int64_t i = 0; i < a->n; i++, y += a->y * size, x += a->x * size) {
		if (axis + 1 < f->nslice)
			copy_slice(f, axis + 1, y, x, size);
		else
			memcpy(y, x, (size_t)size);
	}
}

/* Where in x the slices of n units begin, the first of which reads indices from `at` on. */
static void find_places(const struct plain *p, const struct form *f, const struct axis *a,
			int64_t x, int64_t at, int64_t n, int64_t *place)
{
	int64_t v[RUN];
	for (int64_t i = 0; i < n; i++)
		place[i] = x + i * a->x;
	for (int k = 0; k < f->ncoord; k++) {
		int64_t most = f->most[k], step = f->step[k];
		plain_load_ints(v, &p->x[1], at + k * f->vector, a->at, n);
		for (int64_t i = 0; i < n; i++) {
			int64_t kept = v[i] < 0 ? 0 : v[i] > most ? most : v[i];
			place[i] += kept * step;
		}
	}
}

static void copy_run(const struct plain *p, const struct form *f, const struct axis *a, int64_t y,
		     const int64_t *place, int64_t n)
{
	int64_t size = (int64_t)dtype_bytes(p->y[0].dtype);
	char *to = (char *)p->y[0].at + y * size;
	const char *x = p->x[0].at;
	const struct axis *in = f->nslice > 0 ? &f->slice[f->nslice - 1] : NULL;
	/* Elements of a slice that do not lie side by side are best taken with their neighbours. */
	if (in == NULL || in->n < 8 || ((in->x != 1 || in->y != 1) && a->y <= in->y)) {
		copy_by_element(f, 0, to, a->y, x, place, n, (size_t)size);
		return;
	}
	for (int64_t i = 0; i < n; i++)
		copy_slice(f, 0, to + i * a->y * size, x + place[i] * size, size);
}

void plain_gather_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	static const struct axis one = {1, 0, 0, 0};
	int64_t place[RUN];
	struct form f;
	(void)work;
	fill(p, &f);
	if (f.nothing) { /* an axis with a symbol that is 0 in this call */
		if (from == 0)
			memset(p->y[0].at, 0,
			       (size_t)p->y[0].count * dtype_bytes(p->y[0].dtype));
		return;
	}
	int last = f.nbatch - 1;
	const struct axis *a = last >= 0 ? &f.batch[last] : &one;
	for (int64_t unit = from; unit < to;) {
		int64_t rest = unit / a->n, first = unit % a->n, n = a->n - first;
		int64_t y = first * a->y, x = first * a->x, at = first * a->at;
		n = n < to - unit ? n : to - unit;
		n = n < RUN ? n : RUN;
		for (int i = last - 1; i >= 0; i--) {
			int64_t k = rest % f.batch[i].n;
			rest /= f.batch[i].n;
			y += k * f.batch[i].y;
			x += k * f.batch[i].x;
			at += k * f.batch[i].at;
		}
		find_places(p, &f, a, x, at, n, place);
		copy_run(p, &f, a, y, place, n);
		unit += n;
	}
}
