/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference evaluator: operations whose bodies work on scalars. Reductions go from first to
 * last, updates in row-major order, and a sort merges runs of 1, 2, 4 ... elements.
 */
#include <math.h>

#include "ir/eval.h"

/* Elements of any type. */
struct scalars {
	uint64_t room[IR_MAX_RESULTS][2];
	void *at[IR_MAX_RESULTS];
};

static void scalars_init(struct scalars *s)
{
	for (size_t i = 0; i < IR_MAX_RESULTS; i++)
		s->at[i] = s->room[i];
}

static void load(void *to, const struct eval_array *x, int64_t i)
{
	memcpy(to, (const char *)x->bytes + (size_t)i * x->size, x->size);
}

static void store(const struct eval_array *y, int64_t i, const void *from)
{
	memcpy((char *)(uintptr_t)y->bytes + (size_t)i * y->size, from, y->size);
}

/* The results of the node as arrays; their number. */
static size_t results(const struct eval *e, struct eval_array *y)
{
	struct ir_results r;
	ir_results(e->g, e->v, &r);
	for (size_t i = 0; i < r.n; i++)
		y[i] = eval_array_of(e->g, &r.type[i], e->symbol,
				     (char *)e->out + ir_part_offset(&r, i));
	return r.n;
}

/* A body on elements. `out` may be what goes in. */
static adze_status call(const struct eval *e, int64_t body, const void *const *in, void *const *out)
{
	return ir_eval(ir_body(e->g, body), e->symbol, in, NULL, out, e->d);
}

/* What n operands have come to, and the next elements: what a reduction's body takes. */
struct so_far {
	size_t n;
	struct scalars sum, next;
	const void *in[2 * IR_MAX_RESULTS];
};

static void begin(struct so_far *s, size_t n)
{
	s->n = n;
	scalars_init(&s->sum);
	scalars_init(&s->next);
	for (size_t i = 0; i < n; i++) {
		s->in[i] = s->sum.at[i];
		s->in[n + i] = s->next.at[i];
	}
}

static void load_all(const struct scalars *to, const struct eval_array *x, size_t n, int64_t i)
{
	for (size_t k = 0; k < n; k++)
		load(to->at[k], &x[k], i);
}

adze_status eval_reduce_body(struct eval *e)
{
	const struct attrs_reduce_body *a = EVAL_ATTRS(reduce_body, e);
	const struct eval_array *x = &e->x[0];
	struct eval_array y[IR_MAX_RESULTS];
	struct walk outer = {0}, inner = {0};
	struct so_far s;
	begin(&s, results(e, y));
	walk_reduced(x, &a->axes, &outer, &inner);
	int64_t n = walk_count(&inner);
	for (int64_t i = 0; i < y[0].count; i++, walk_next(&outer)) {
		load_all(&s.sum, x + s.n, s.n, 0);
		for (int64_t k = 0; k < n; k++, walk_next(&inner)) {
			load_all(&s.next, x, s.n, outer.offset[0] + inner.offset[0]);
			TRY(call(e, a->body, s.in, s.sum.at));
		}
		for (size_t k = 0; k < s.n; k++)
			store(&y[k], i, s.sum.at[k]);
	}
	return ADZE_OK;
}

/* Where place `at` of the window `window` is in `x`; -1 where that is padding. */
static int64_t find_place(const struct attrs_window_body *a, const struct eval_array *x,
			  const int64_t *window, const int64_t *at)
{
	int64_t offset = 0;
	for (int i = 0; i < x->rank; i++) {
		int64_t base = dims_or(&a->base, i, 1);
		int64_t p = window[i] * dims_or(&a->stride, i, 1) +
			    at[i] * dims_or(&a->dilation, i, 1) - dims_or(&a->low, i, 0);
		if (p < 0 || p % base != 0 || p / base >= x->extent[i])
			return -1;
		offset += p / base * x->stride[i];
	}
	return offset;
}

static void walk_window(struct walk *w, const struct ir_dims *window)
{
	for (int i = 0; i < window->n; i++)
		walk_axis(w, window->at[i], 0, 0);
}

adze_status eval_reduce_window_body(struct eval *e)
{
	const struct attrs_window_body *a = EVAL_ATTRS(window_body, e);
	struct eval_array y[IR_MAX_RESULTS];
	struct walk outer = {0}, inner = {0};
	struct so_far s;
	begin(&s, results(e, y));
	for (int i = 0; i < y[0].rank; i++)
		walk_axis(&outer, y[0].extent[i], 0, 0);
	walk_window(&inner, &a->window);
	int64_t n = walk_count(&inner);
	for (int64_t i = 0; i < y[0].count; i++, walk_next(&outer)) {
		load_all(&s.sum, e->x + s.n, s.n, 0);
		for (int64_t k = 0; k < n; k++, walk_next(&inner)) {
			int64_t from = find_place(a, &e->x[0], outer.at, inner.at);
			load_all(&s.next, from < 0 ? e->x + s.n : e->x, s.n, from < 0 ? 0 : from);
			TRY(call(e, a->body, s.in, s.sum.at));
		}
		for (size_t k = 0; k < s.n; k++)
			store(&y[k], i, s.sum.at[k]);
	}
	return ADZE_OK;
}

/* The place that `select` picks in a window; -1 where all of it is padding. */
static adze_status pick_place(const struct eval *e, const struct attrs_window_body *a,
			      int64_t select, const int64_t *window, int64_t *out)
{
	const struct eval_array *x = &e->x[0];
	struct walk inner = {0};
	uint64_t so_far[2], next[2];
	const void *in[2] = {so_far, next};
	uint8_t stay = true;
	walk_window(&inner, &a->window);
	*out = -1;
	for (int64_t k = walk_count(&inner); k > 0; k--, walk_next(&inner)) {
		int64_t at = find_place(a, x, window, inner.at);
		if (at < 0)
			continue;
		load(next, x, at);
		if (*out >= 0)
			TRY(call(e, select, in, (void *[]){&stay}));
		if (*out < 0 || !stay) {
			*out = at;
			memcpy(so_far, next, sizeof next);
		}
	}
	return ADZE_OK;
}

adze_status eval_select_and_scatter(struct eval *e)
{
	const struct attrs_select_scatter *a = EVAL_ATTRS(select_scatter, e);
	struct attrs_window_body w = {.window = a->window, .stride = a->stride, .low = a->low,
				      .high = a->high};
	const struct eval_array *source = &e->x[1];
	struct walk outer = {0};
	struct so_far s;
	begin(&s, 1);
	for (int64_t i = 0; i < e->y.count; i++)
		copy_element(e, i, &e->x[2], 0);
	for (int i = 0; i < source->rank; i++)
		walk_axis(&outer, source->extent[i], 0, 0);
	for (int64_t i = 0; i < source->count; i++, walk_next(&outer)) {
		int64_t at;
		TRY(pick_place(e, &w, a->select, outer.at, &at));
		if (at < 0)
			continue;
		load(s.sum.at[0], &e->y, at);
		load(s.next.at[0], source, i);
		TRY(call(e, a->scatter, s.in, s.sum.at));
		store(&e->y, at, s.sum.at[0]);
	}
	return ADZE_OK;
}

/* ---- scatter ---- */

static int find_axis(const struct ir_dims *d, int64_t axis)
{
	for (int i = 0; i < d->n; i++)
		if (d->at[i] == axis)
			return i;
	return -1;
}

/* Where the update at `at` goes in `x`; -1 where that is out of range. */
static int64_t find_target(const struct attrs_scatter *a, const struct eval_array *x,
			   const struct eval_array *index, const struct eval_array *u,
			   const int64_t *at)
{
	int64_t batch[ADZE_MAX_RANK] = {0}, first = 0, to = 0;
	int64_t step = a->vector < index->rank ? index->stride[a->vector] : 0;
	for (int i = 0, k = 0; i < u->rank; i++) {
		if (find_axis(&a->window, i) >= 0)
			continue;
		k += k == a->vector;
		first += at[i] * index->stride[k];
		batch[k++] = at[i];
	}
	for (int i = 0, k = 0; i < x->rank; i++) {
		int c = find_axis(&a->map, i), b = find_axis(&a->batch_x, i);
		int64_t place = b >= 0 ? batch[a->batch_at.at[b]] : 0, start = 0;
		if (b < 0 && find_axis(&a->inserted, i) < 0)
			place = at[a->window.at[k++]];
		if (c >= 0)
			start = dtype_load_int(index->dtype, index->bytes,
					       (size_t)(first + c * step));
		/* An index beyond i64 is out of range, too. */
		if ((start < 0 && index->dtype == ADZE_U64) ||
		    __builtin_add_overflow(place, start, &place) || place < 0 ||
		    place >= x->extent[i])
			return -1;
		to += place * x->stride[i];
	}
	return to;
}

adze_status eval_scatter(struct eval *e)
{
	const struct attrs_scatter *a = EVAL_ATTRS(scatter, e);
	struct eval_array y[IR_MAX_RESULTS];
	struct walk w = {0};
	struct so_far s;
	begin(&s, results(e, y));
	const struct eval_array *u = &e->x[s.n + 1];
	for (size_t k = 0; k < s.n; k++)
		if (y[k].count > 0)
			memcpy((char *)(uintptr_t)y[k].bytes, e->x[k].bytes,
			       (size_t)y[k].count * y[k].size);
	for (int i = 0; i < u->rank; i++)
		walk_axis(&w, u->extent[i], 0, 0);
	for (int64_t i = 0; i < u->count; i++, walk_next(&w)) {
		int64_t to = find_target(a, &e->x[0], &e->x[s.n], u, w.at);
		if (to < 0)
			continue;
		load_all(&s.sum, y, s.n, to);
		load_all(&s.next, u, s.n, i);
		TRY(call(e, a->body, s.in, s.sum.at));
		for (size_t k = 0; k < s.n; k++)
			store(&y[k], to, s.sum.at[k]);
	}
	return ADZE_OK;
}

/* ---- sort and map ---- */

/* A row under way: elements i of it lie at first + i * step. */
struct row {
	const struct eval *e;
	int64_t body, first, step, n;
	int64_t *at, *merged;
};

static adze_status goes_before(const struct row *r, int64_t a, int64_t b, bool *out)
{
	const struct eval *e = r->e;
	const void *in[2 * IR_MAX_RESULTS];
	uint8_t before;
	for (size_t k = 0; k < e->nx; k++) {
		const char *bytes = e->x[k].bytes;
		in[2 * k] = bytes + (size_t)(r->first + a * r->step) * e->x[k].size;
		in[2 * k + 1] = bytes + (size_t)(r->first + b * r->step) * e->x[k].size;
	}
	TRY(call(e, r->body, in, (void *[]){&before}));
	*out = before;
	return ADZE_OK;
}

/* Runs from .. middle and middle .. to of r->at as one, into r->merged. */
static adze_status merge(const struct row *r, int64_t from, int64_t middle, int64_t to)
{
	int64_t a = from, b = middle;
	for (int64_t i = from; i < to; i++) {
		bool second = a == middle;
		if (a < middle && b < to)
			TRY(goes_before(r, r->at[b], r->at[a], &second));
		r->merged[i] = r->at[second ? b++ : a++];
	}
	return ADZE_OK;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static adze_status sort_row(struct row *r)
{
	for (int64_t i = 0; i < r->n; i++)
		r->at[i] = i;
	for (int64_t run = 1; run < r->n; run *= 2) {
		for (int64_t i = 0; i < r->n; i += 2 * run)
			TRY(merge(r, i, least(i + run, r->n), least(i + 2 * run, r->n)));
		int64_t *old = r->at;
		r->at = r->merged;
		r->merged = old;
	}
	return ADZE_OK;
}

static adze_status sort_rows(struct row *r, const struct eval_array *y, int64_t axis)
{
	const struct eval *e = r->e;
	struct walk rows = {0};
	for (int i = 0; i < y[0].rank; i++)
		if (i != axis)
			walk_axis(&rows, y[0].extent[i], y[0].stride[i], 0);
	for (int64_t left = walk_count(&rows); left > 0; left--, walk_next(&rows)) {
		r->first = rows.offset[0];
		TRY(sort_row(r));
		for (size_t k = 0; k < e->nx; k++)
			for (int64_t i = 0; i < r->n; i++)
				store(&y[k], r->first + i * r->step,
				      (const char *)e->x[k].bytes +
				      (size_t)(r->first + r->at[i] * r->step) * y[k].size);
	}
	return ADZE_OK;
}

adze_status eval_sort(struct eval *e)
{
	const struct attrs_sort *a = EVAL_ATTRS(sort, e);
	struct eval_array y[IR_MAX_RESULTS];
	results(e, y);
	struct row r = {.e = e, .body = a->body, .step = y[0].stride[a->axis],
			.n = y[0].extent[a->axis]};
	size_t bytes = (size_t)r.n * sizeof *r.at;
	int64_t *room = mem_new(e->g->arena.from, 2, bytes);
	if (room == NULL)
		return fail(e->d, ADZE_E_NOMEM, "no memory to sort");
	r.at = room;
	r.merged = room + r.n;
	adze_status status = y[0].count > 0 ? sort_rows(&r, y, a->axis) : ADZE_OK;
	mem_free(e->g->arena.from, room, 2, bytes);
	return status;
}

adze_status eval_map(struct eval *e)
{
	struct eval_array y[IR_MAX_RESULTS];
	size_t n = results(e, y);
	const void *in[IR_MAX_RESULTS];
	void *out[IR_MAX_RESULTS];
	for (int64_t i = 0; i < y[0].count; i++) {
		for (size_t k = 0; k < e->nx; k++)
			in[k] = (const char *)e->x[k].bytes + (size_t)i * e->x[k].size;
		for (size_t k = 0; k < n; k++)
			out[k] = (char *)(uintptr_t)y[k].bytes + (size_t)i * y[k].size;
		TRY(call(e, EVAL_ATTRS(body, e)->body, in, out));
	}
	return ADZE_OK;
}

/* One row of scores, as the body makes them, in their own type: `at` counts rows. */
static adze_status score_row(struct eval *e, int64_t row, int64_t head, int64_t nt, int64_t nd,
			     void *scores)
{
	const struct eval_array *q = &e->x[0], *k = &e->x[1];
	struct scalars one;
	const void *in[IR_MAX_RESULTS];
	scalars_init(&one);
	for (size_t i = 0; i < e->nx - 2; i++)
		in[i] = one.at[i];
	for (int64_t t = 0; t < nt; t++) {
		double sum = 0;
		for (int64_t i = 0; i < nd; i++)
			sum += dtype_load_float(q->dtype, q->bytes, (size_t)(row * nd + i)) *
			       dtype_load_float(k->dtype, k->bytes,
						(size_t)((head * nt + t) * nd + i));
		dtype_store_float(q->dtype, one.at[0], 0, sum);
		for (size_t i = 3; i < e->nx; i++)
			load(one.at[i - 2], &e->x[i], row * nt + t);
		TRY(call(e, EVAL_ATTRS(attention, e)->body, in,
			 (void *[]){(char *)scores + (size_t)t * q->size}));
	}
	return ADZE_OK;
}

/* In double from the scores on: weights have no rounding of their own. */
adze_status eval_attention(struct eval *e)
{
	const struct eval_array *q = &e->x[0], *v = &e->x[2];
	int nb = (int)EVAL_ATTRS(attention, e)->batch;
	int64_t nt = v->extent[nb], nd = q->extent[q->rank - 1], nv = v->extent[nb + 1];
	int64_t rows = 1, each = 1;
	for (int i = 0; i < q->rank - 1; i++) {
		rows *= q->extent[i];
		each *= i < nb ? 1 : q->extent[i];
	}
	size_t bytes = (size_t)nt * q->size;
	char *scores = mem_new(e->g->arena.from, (size_t)nt, q->size);
	adze_status status = scores != NULL ? ADZE_OK
					    : fail(e->d, ADZE_E_NOMEM, "no memory for scores");
	for (int64_t row = 0; row < rows && status == ADZE_OK; row++) {
		double most = -INFINITY, total = 0;
		status = score_row(e, row, row / each, nt, nd, scores);
		for (int64_t t = 0; t < nt; t++) {
			double s = dtype_load_float(q->dtype, scores, (size_t)t);
			most = s > most || s != s ? s : most;
		}
		for (int64_t t = 0; t < nt; t++)
			total += exp(dtype_load_float(q->dtype, scores, (size_t)t) - most);
		for (int64_t i = 0; i < nv; i++) {
			double sum = 0;
			for (int64_t t = 0; t < nt; t++)
				sum += exp(dtype_load_float(q->dtype, scores, (size_t)t) - most) /
				       total *
				       dtype_load_float(v->dtype, v->bytes,
							(size_t)((row / each * nt + t) * nv + i));
			dtype_store_float(e->y.dtype, e->out, (size_t)(row * nv + i), sum);
		}
	}
	mem_free(e->g->arena.from, scores, bytes, 1);
	return status;
}
