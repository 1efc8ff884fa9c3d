/* SPDX-License-Identifier: Apache-2.0
 *
 * Scatter and select_and_scatter. Updates apply in row-major order. A unit of a scatter is a part
 * of the result that lies in one piece: each goes through all updates and takes its own.
 */
#include "kernels/plain_body.h"

enum {
	WINDOW = 0, INSERTED = PLAIN_DIMS, BATCH_X = 2 * PLAIN_DIMS, BATCH_AT = 3 * PLAIN_DIMS,
	MAP = 4 * PLAIN_DIMS, VECTOR = 5 * PLAIN_DIMS
};

#define UNIT_BYTES (1 << 18) /* of a part of the result, at least */
#define MOST_UNITS 16
#define RUN_PART 64   /* elements of a slice that are worth going through the places once more */
#define LONG_RUN 16   /* elements side by side that are worth a call of their own */

/* An axis of the updates. */
struct axis {
	int64_t n;
	int x;       /* the operands' axis that it moves along; -1: none */
	int64_t at;  /* step in the indices; 0: none */
};

struct form {
	int n, rank, nindex;          /* operands; axes of the updates; numbers of a vector */
	struct axis axis[ADZE_MAX_RANK];
	int64_t extent[ADZE_MAX_RANK], step[ADZE_MAX_RANK]; /* of the operands */
	int xrank;
	int map[ADZE_MAX_RANK];       /* by number of a vector: the operands' axis */
	bool mapped[ADZE_MAX_RANK];   /* by operands' axis */
	int64_t vector;               /* from one number to the next in the indices */
};

static bool lists_hold(const struct plain *p, const struct plain_array *x,
		       const struct plain_array *at, bool *gone, struct form *f)
{
	const struct plain_dims *px = plain_dims(p, BATCH_X), *pat = plain_dims(p, BATCH_AT);
	const struct plain_dims *map = plain_dims(p, MAP);
	bool paired[ADZE_MAX_RANK], taken[ADZE_MAX_RANK];
	int64_t vector = p->param[VECTOR];
	if (vector < 0 || vector > at->rank || px->n != pat->n ||
	    !plain_axis_set(plain_dims(p, INSERTED), x->rank, gone) ||
	    !plain_axis_set(px, x->rank, paired) || !plain_axis_set(pat, at->rank, taken) ||
	    !plain_axis_set(map, x->rank, f->mapped) || (vector < at->rank && taken[vector]) ||
	    map->n != (vector < at->rank ? at->extent[vector] : 1))
		return false;
	for (int i = 0; i < x->rank; i++) {
		if (paired[i] && (gone[i] || f->mapped[i]))
			return false;
		gone[i] |= paired[i];
	}
	f->nindex = (int)map->n;
	for (int i = 0; i < map->n; i++)
		f->map[i] = (int)map->at[i];
	return true;
}

static bool axes_hold(const struct plain *p, const struct plain_array *x,
		      const struct plain_array *at, const struct plain_array *u, const bool *gone,
		      struct form *f)
{
	const struct plain_dims *px = plain_dims(p, BATCH_X), *pat = plain_dims(p, BATCH_AT);
	int64_t vector = p->param[VECTOR], step[ADZE_MAX_RANK];
	bool in_window[ADZE_MAX_RANK];
	int k = 0, axis = 0;
	plain_strides(at, step);
	f->vector = vector < at->rank ? step[vector] : 0;
	if (!plain_axis_set(plain_dims(p, WINDOW), u->rank, in_window))
		return false;
	for (int i = 0; i < u->rank; i++) {
		struct axis *a = &f->axis[i];
		*a = (struct axis){u->extent[i], -1, 0};
		if (in_window[i]) {
			while (k < x->rank && gone[k])
				k++;
			if (k == x->rank)
				return false;
			a->x = k++;
			continue;
		}
		axis += axis == vector;
		if (axis >= at->rank || at->extent[axis] != a->n)
			return false;
		a->at = step[axis];
		for (int b = 0; b < pat->n; b++)
			if (pat->at[b] == axis)
				a->x = (int)px->at[b];
		axis++;
	}
	while (k < x->rank && gone[k])
		k++;
	axis += axis == vector && axis < at->rank;
	return k == x->rank && axis == at->rank;
}

static bool fill(const struct plain *p, struct form *f)
{
	int n = p->ny;
	bool gone[ADZE_MAX_RANK];
	memset(f, 0, sizeof *f);
	if (p->nx != 2 * n + 1 || !plain_side_by_side(p, n) || !plain_joins(p->body, p->x, n))
		return false;
	const struct plain_array *x = &p->x[0], *at = &p->x[n], *u = &p->x[n + 1];
	if (!dtype_is_int(at->dtype))
		return false;
	for (int i = 0; i < n; i++)
		if (p->y[i].dtype != p->x[i].dtype || u[i].dtype != p->x[i].dtype ||
		    !plain_same_extents(&p->y[i], x) || !plain_same_extents(&u[i], u))
			return false;
	f->n = n;
	f->rank = u->rank;
	f->xrank = x->rank;
	plain_strides(x, f->step);
	for (int i = 0; i < x->rank; i++)
		f->extent[i] = x->extent[i];
	return lists_hold(p, x, at, gone, f) && axes_hold(p, x, at, u, gone, f);
}

bool plain_scatter_holds(const struct plain *p)
{
	struct form f;
	return fill(p, &f);
}

/* Every part goes through all places: as many as cost less than what is copied and joined. */
static int64_t count_units(const struct plain *p, const struct form *f)
{
	const struct axis *last = &f->axis[f->rank > 0 ? f->rank - 1 : 0];
	int64_t bytes = p->y[0].count * (int64_t)dtype_bytes(p->y[0].dtype);
	int64_t run = f->rank > 0 && last->at == 0 ? last->n / RUN_PART : 0;
	int64_t copied = p->y[0].count / (16 * p->x[p->ny + 1].count + 1);
	int64_t units = run > copied ? run : copied;
	if (units > bytes / UNIT_BYTES)
		units = bytes / UNIT_BYTES;
	return units < 1 ? 1 : units > MOST_UNITS ? MOST_UNITS : units;
}

/* Strips of the places of updates: targets, updates, numbers of an index. */
#define PLACES_BYTES (3 * PLAIN_STRIP * sizeof(int64_t))

struct plain_plan plain_scatter_plan(const struct plain *p)
{
	struct form f;
	fill(p, &f);
	return (struct plain_plan){count_units(p, &f), 1 << 20,
				   PLACES_BYTES + plain_join_bytes(p->ny)};
}

/* A part of the result, from element `low` to `high`, under way. */
struct part {
	const struct plain *p;
	const struct form *f;
	struct plain_join join;
	int64_t low, high, n;   /* n places wait */
	int64_t *to, *from, *number;
};

static void flush(struct part *r)
{
	plain_join_at(&r->join, r->to, r->from, r->n);
	r->n = 0;
}

static void add_place(struct part *r, int64_t to, int64_t from)
{
	if (to < r->low || to >= r->high)
		return;
	r->to[r->n] = to;
	r->from[r->n++] = from;
	if (r->n == PLAIN_STRIP)
		flush(r);
}

/* Updates from .. from + n, whose targets are first + i * step. */
static void add_run(struct part *r, int64_t first, int64_t step, int64_t from, int64_t n)
{
	if (step != 1 || n < LONG_RUN) {
		for (int64_t i = 0; i < n; i++)
			add_place(r, first + i * step, from + i);
		return;
	}
	int64_t skip = first < r->low ? r->low - first : 0;
	int64_t end = first + n > r->high ? r->high - first : n;
	if (skip >= end)
		return;
	flush(r);
	plain_join_run(&r->join, first + skip, from + skip, end - skip);
}

/* Where a row of updates begins: its place along each axis of the operands but for what the
 * indices say and for the last axis, and its place in the indices. */
struct row {
	int64_t at[ADZE_MAX_RANK], place[ADZE_MAX_RANK], index, from;
};

static void begin_row(const struct form *f, struct row *w)
{
	memset(w->place, 0, sizeof w->place);
	w->index = 0;
	for (int i = 0; i + 1 < f->rank; i++) {
		if (f->axis[i].x >= 0)
			w->place[f->axis[i].x] += w->at[i];
		w->index += w->at[i] * f->axis[i].at;
	}
}

/* The last axis is part of a slice: one vector of indices serves. */
static void slice_row(struct part *r, struct row *w)
{
	const struct form *f = r->f;
	const struct axis *last = f->rank > 0 ? &f->axis[f->rank - 1] : NULL;
	int64_t to = 0, first = 0, n = last != NULL ? last->n : 1, skip = 0;
	int64_t along = last != NULL ? last->x : -1;
	for (int i = 0; i < f->nindex; i++) {
		int64_t v;
		plain_load_ints(&v, &r->p->x[f->n], w->index + i * f->vector, 0, 1);
		if (__builtin_add_overflow(w->place[f->map[i]], v, &w->place[f->map[i]]))
			return;
	}
	for (int i = 0; i < f->xrank; i++) {
		if (i == along)
			continue;
		if (w->place[i] < 0 || w->place[i] >= f->extent[i])
			return;
		to += w->place[i] * f->step[i];
	}
	if (along >= 0) {
		first = w->place[along];
		if (first >= f->extent[along] || first <= -n)
			return;
		skip = first < 0 ? -first : 0;
		n = f->extent[along] - first < n ? f->extent[along] - first : n;
		first += skip;
		n -= skip;
	}
	int64_t step = along >= 0 ? f->step[along] : 0;
	add_run(r, to + first * step, step, w->from + skip, n);
}

/* The last axis is one of the indices: each element has its vector. Elements i .. i + n. */
static void index_strip(struct part *r, const struct row *w, int64_t i, int64_t n, int64_t *to)
{
	const struct form *f = r->f;
	const struct axis *last = &f->axis[f->rank - 1];
	for (int64_t k = 0; k < n; k++)
		to[k] = 0;
	for (int a = 0; a < f->xrank; a++) {
		int64_t place = w->place[a], extent = f->extent[a];
		int64_t each = last->x == a ? 1 : 0, first = place + each * i;
		if (f->mapped[a])
			continue;
		for (int64_t k = 0; k < n; k++) {
			int64_t v = first + each * k;
			to[k] = v < 0 || v >= extent || to[k] < 0 ? -1 : to[k] + v * f->step[a];
		}
	}
	for (int c = 0; c < f->nindex; c++) {
		int64_t place = w->place[f->map[c]], extent = f->extent[f->map[c]];
		int64_t step = f->step[f->map[c]];
		plain_load_ints(r->number, &r->p->x[f->n],
				w->index + c * f->vector + i * last->at, last->at, n);
		for (int64_t k = 0; k < n; k++) {
			int64_t v = r->number[k];
			/* place is at least 0 and below any extent. */
			bool inside = v < extent - place && v >= -place;
			to[k] = inside && to[k] >= 0 ? to[k] + (place + v) * step : -1;
		}
	}
}

static void index_row(struct part *r, const struct row *w)
{
	int64_t to[PLAIN_STRIP], all = r->f->axis[r->f->rank - 1].n;
	for (int64_t i = 0; i < all; i += PLAIN_STRIP) {
		int64_t n = all - i < PLAIN_STRIP ? all - i : PLAIN_STRIP;
		index_strip(r, w, i, n, to);
		for (int64_t k = 0; k < n; k++)
			add_place(r, to[k], w->from + i + k);
	}
}

static void scatter_part(struct part *r)
{
	const struct form *f = r->f;
	struct row w = {.from = 0};
	int last = f->rank - 1;
	int64_t count = r->p->x[f->n + 1].count, n = f->rank > 0 ? f->axis[last].n : 1;
	/* An axis that the slices do not have, and that no index moves along, may be empty. */
	for (; w.from < count && r->high > r->low; w.from += n) {
		begin_row(f, &w);
		if (f->rank > 0 && f->axis[last].at != 0)
			index_row(r, &w);
		else
			slice_row(r, &w);
		for (int i = last - 1; i >= 0; i--) {
			if (++w.at[i] < f->axis[i].n)
				break;
			w.at[i] = 0;
		}
	}
	flush(r);
}

void plain_scatter_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	struct form f;
	struct part r = {.p = p, .f = &f, .to = work};
	fill(p, &f);
	int64_t units = count_units(p, &f), count = p->y[0].count;
	r.from = r.to + PLAIN_STRIP;
	r.number = r.from + PLAIN_STRIP;
	plain_join_begin(&r.join, p->body, p->y, f.n, (char *)work + PLACES_BYTES);
	for (int i = 0; i < f.n; i++) {
		r.join.y[i] = p->y[i].at;
		r.join.u[i] = p->x[f.n + 1 + i].at;
	}
	for (int64_t unit = from; unit < to; unit++) {
		r.low = count / units * unit;
		r.high = unit + 1 == units ? count : r.low + count / units;
		for (int i = 0; i < f.n; i++) {
			size_t size = dtype_bytes(p->y[i].dtype);
			if (r.high > r.low)
				memcpy((char *)p->y[i].at + r.low * (int64_t)size,
				       (const char *)p->x[i].at + r.low * (int64_t)size,
				       (size_t)(r.high - r.low) * size);
		}
		scatter_part(&r);
	}
}

/* ---- select_and_scatter: a unit is one place of the first axes, which no window crosses ---- */

enum { SIZE = 0, STRIDE = PLAIN_DIMS, LOW = 2 * PLAIN_DIMS, HIGH = 3 * PLAIN_DIMS };

struct select_form {
	struct plain_windows w; /* of one unit */
	int64_t units, in, out; /* elements of a unit: of the operand, and of the source */
};

static bool fill_select(const struct plain *p, struct select_form *f)
{
	const struct plain_array *x = &p->x[0], *source = &p->x[1];
	int first = 0;
	f->units = 1;
	if (!plain_windows(x, source, plain_dims(p, SIZE), plain_dims(p, STRIDE),
			   plain_dims(p, LOW), plain_dims(p, HIGH), NULL, NULL, &f->w))
		return false;
	while (first < x->rank && f->w.size[first] == 1 && f->w.stride[first] == 1 &&
	       f->w.low[first] == 0 && f->w.in[first] == f->w.out[first])
		f->units = plain_wrap(f->units, f->w.in[first++]);
	plain_windows_below(&f->w, first);
	f->in = f->units != 0 ? x->count / f->units : 0;
	f->out = f->units != 0 ? source->count / f->units : 0;
	if (x->count == 0)
		f->units = 0;
	return true;
}

bool plain_select_and_scatter_holds(const struct plain *p)
{
	const struct plain_body *select = &p->body[0];
	const struct plain_array *x = &p->x[0], *y = &p->y[0];
	struct select_form f;
	return p->nx == 3 && p->ny == 1 && y->dtype == x->dtype && p->x[1].dtype == x->dtype &&
	       p->x[2].dtype == x->dtype && p->x[2].rank == 0 && plain_same_extents(x, y) &&
	       select->nin == 2 && select->nout == 1 && select->in[0] == x->dtype &&
	       select->in[1] == x->dtype && select->out[0] == ADZE_BOOL &&
	       plain_joins(&p->body[1], x, 1) && fill_select(p, &f);
}

/* Places so far, next places, elements of both, what select says; then those of the joining. */
#define SELECT_BYTES (4 * PLAIN_STRIP * sizeof(int64_t) + 2 * PLAIN_STRIP_BYTES)

struct plain_plan plain_select_and_scatter_plan(const struct plain *p)
{
	struct select_form f;
	fill_select(p, &f);
	int64_t cost = f.in;
	if (__builtin_mul_overflow(f.out, f.w.places, &f.out) ||
	    __builtin_add_overflow(cost, f.out, &cost))
		cost = INT64_MAX;
	return (struct plain_plan){f.units, cost > 0 ? cost : 1,
				   SELECT_BYTES + plain_join_bytes(1)};
}

/* One strip of windows of a unit: the place that is picked in each, -1 where there is none. */
static void pick_places(const struct plain *p, const struct select_form *f, const char *x,
			int64_t first, int64_t n, int64_t *best)
{
	const struct plain_body *select = &p->body[0];
	size_t size = dtype_bytes(p->x[0].dtype);
	int64_t *next = best + PLAIN_STRIP;
	uint8_t *stay = (uint8_t *)(next + PLAIN_STRIP);
	char *a = (char *)(next + 3 * PLAIN_STRIP), *b = a + PLAIN_STRIP_BYTES;
	for (int64_t i = 0; i < n; i++)
		best[i] = -1;
	plain_fill(a, p->x[2].at, n, size);
	for (int64_t k = 0; k < f->w.places; k++) {
		plain_window_places(&f->w, k, first, n, next);
		plain_pick(b, x, next, p->x[2].at, n, size);
		select->call(select->self, (void *[]){stay}, (const void *[]){a, b}, (size_t)n);
		for (int64_t i = 0; i < n; i++) {
			if (next[i] < 0 || (best[i] >= 0 && stay[i]))
				continue;
			best[i] = next[i];
			memcpy(a + i * (int64_t)size, b + i * (int64_t)size, size);
		}
	}
}

void plain_select_and_scatter_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	struct select_form f;
	struct plain_join join;
	int64_t *best = work, source[PLAIN_STRIP];
	int64_t size = (int64_t)dtype_bytes(p->x[0].dtype);
	fill_select(p, &f);
	plain_join_begin(&join, &p->body[1], p->y, 1, (char *)work + SELECT_BYTES);
	for (int64_t unit = from; unit < to; unit++) {
		const char *x = (const char *)p->x[0].at + unit * f.in * size;
		join.y[0] = (char *)p->y[0].at + unit * f.in * size;
		join.u[0] = (const char *)p->x[1].at + unit * f.out * size;
		plain_fill(join.y[0], p->x[2].at, f.in, (size_t)size);
		for (int64_t first = 0; first < f.out; first += PLAIN_STRIP) {
			int64_t n = f.out - first < PLAIN_STRIP ? f.out - first : PLAIN_STRIP;
			int64_t kept = 0;
			pick_places(p, &f, x, first, n, best);
			for (int64_t i = 0; i < n; i++) {
				if (best[i] < 0)
					continue;
				source[kept] = first + i;
				best[kept++] = best[i];
			}
			plain_join_at(&join, best, source, kept);
		}
	}
}
