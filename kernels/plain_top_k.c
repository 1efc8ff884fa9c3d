/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the k largest, or smallest, elements of a line are, the first of them in front. A heap
 * holds the best so far with the worst of them on top, so a line of n takes n log k steps at
 * most, and n for one whose best come early. A unit is a line along the axis.
 */
#include <string.h>

#include "kernels/plain.h"

#define RUN 256

enum { AXIS, COUNT, SMALLEST };

/* Keys compare as elements do. */
struct entry {
	uint64_t key;
	int64_t index;
};

bool plain_top_k_holds(const struct plain *p)
{
	const struct plain_array *x = &p->x[0], *y = &p->y[0];
	int64_t axis = p->param[AXIS], k = p->param[COUNT];
	bool same = x->rank == y->rank && y->dtype == ADZE_I32 && axis >= 0 && axis < x->rank &&
		    (dtype_is_int(x->dtype) || dtype_is_float(x->dtype));
	for (int i = 0; same && i < x->rank; i++)
		same = y->extent[i] == (i == axis ? k : x->extent[i]);
	return same && k >= 0 && k <= x->extent[axis] && x->extent[axis] <= INT32_MAX;
}

struct plain_plan plain_top_k_plan(const struct plain *p)
{
	const struct plain_array *x = &p->x[0];
	int64_t n = x->extent[p->param[AXIS]], k = p->param[COUNT];
	return (struct plain_plan){k > 0 && n > 0 ? x->count / n : 0, n + 1,
				   plain_bytes((size_t)k, sizeof(struct entry))};
}

static bool worse(const struct entry *a, const struct entry *b)
{
	return a->key != b->key ? a->key < b->key : a->index > b->index;
}

/* Puts `e` where heap[at] was, with the worst on top. */
static void sift(struct entry *heap, int64_t n, int64_t at, struct entry e)
{
	for (int64_t next; (next = 2 * at + 1) < n; at = next) {
		next += next + 1 < n && worse(&heap[next + 1], &heap[next]);
		if (!worse(&heap[next], &e))
			break;
		heap[at] = heap[next];
	}
	heap[at] = e;
}

/* NaN is above all others, and the zeros are one. */
static uint64_t float_key(double v)
{
	uint64_t bits;
	v = v == 0 ? 0 : v;
	memcpy(&bits, &v, sizeof bits);
	return v != v ? UINT64_MAX : bits >> 63 ? ~bits : bits | (uint64_t)1 << 63;
}

/* Of a key the number; of a NaN's one that nothing is compared with. */
static double key_float(uint64_t key)
{
	double v;
	uint64_t bits = key >> 63 ? key & ~((uint64_t)1 << 63) : ~key;
	memcpy(&v, &bits, sizeof v);
	return v;
}

/* Some elements of a line. */
struct elements {
	bool floats, smallest;
	uint64_t turn; /* what makes keys of them */
	union {
		double f[RUN];
		int64_t i[RUN];
	} v;
};

static void load(const struct plain *p, struct elements *e, int64_t from, int64_t step, int64_t n)
{
	if (e->floats)
		plain_load_floats(e->v.f, &p->x[0], from, step, n);
	else
		plain_load_bits(e->v.i, &p->x[0], from, step, n);
}

static uint64_t key_of(const struct elements *e, int64_t i)
{
	return (e->floats ? float_key(e->v.f[i]) : (uint64_t)e->v.i[i]) ^ e->turn;
}

/* The first of from .. n whose key may be above `bar`; NaN always may. */
static int64_t next_of(const struct elements *e, int64_t from, int64_t n, uint64_t bar)
{
	double f = key_float(bar ^ e->turn);
	if (!e->floats)
		while (from < n && key_of(e, from) <= bar)
			from++;
	else if (e->smallest)
		while (from < n && e->v.f[from] >= f)
			from++;
	else
		while (from < n && e->v.f[from] <= f)
			from++;
	return from;
}

static void fill_heap(const struct plain *p, struct entry *heap, int64_t k, int64_t from,
		      int64_t step)
{
	const struct plain_array *x = &p->x[0];
	int64_t n = x->extent[p->param[AXIS]], have = 0;
	bool is_signed = dtype_info(x->dtype)->class == DTYPE_INT;
	struct elements e = {.floats = dtype_is_float(x->dtype), .smallest = p->param[SMALLEST]};
	e.turn = (e.smallest ? UINT64_MAX : 0) ^ (is_signed ? (uint64_t)1 << 63 : 0);
	for (int64_t at = 0; at < n; at += RUN) {
		int64_t m = n - at < RUN ? n - at : RUN, i = 0;
		load(p, &e, from + at * step, step, m);
		for (; i < m && have < k; i++)
			heap[have++] = (struct entry){key_of(&e, i), at + i};
		for (int64_t j = k / 2; at < k && have == k && j-- > 0;)
			sift(heap, k, j, heap[j]);
		while ((i = next_of(&e, i, m, heap[0].key)) < m) {
			struct entry better = {key_of(&e, i), at + i};
			i++;
			if (better.key > heap[0].key)
				sift(heap, k, 0, better);
		}
	}
}

void plain_top_k_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	const struct plain_array *x = &p->x[0], *y = &p->y[0];
	int axis = (int)p->param[AXIS];
	int64_t n = x->extent[axis], k = p->param[COUNT];
	int64_t inner = plain_count(x, axis + 1, x->rank);
	struct entry *heap = work;
	for (int64_t unit = from; unit < to; unit++) {
		int64_t outer = unit / inner, first = unit % inner;
		fill_heap(p, heap, k, outer * n * inner + first, inner);
		for (int64_t left = k; left > 0; left--) {
			int64_t index = heap[0].index;
			sift(heap, left - 1, 0, heap[left - 1]);
			plain_store_bits(y, (outer * k + left - 1) * inner + first, 1, &index, 1);
		}
	}
}
