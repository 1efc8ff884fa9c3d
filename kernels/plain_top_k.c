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

static void load_keys(uint64_t *key, const struct plain *p, int64_t from, int64_t step, int64_t n)
{
	const struct plain_array *x = &p->x[0];
	uint64_t turn = p->param[SMALLEST] ? UINT64_MAX : 0;
	union {
		double f[RUN];
		int64_t i[RUN];
	} v;
	if (dtype_is_float(x->dtype)) {
		plain_load_floats(v.f, x, from, step, n);
		for (int64_t i = 0; i < n; i++)
			key[i] = float_key(v.f[i]) ^ turn;
		return;
	}
	plain_load_bits(v.i, x, from, step, n);
	turn ^= dtype_info(x->dtype)->class == DTYPE_INT ? (uint64_t)1 << 63 : 0;
	for (int64_t i = 0; i < n; i++)
		key[i] = (uint64_t)v.i[i] ^ turn;
}

static void fill_heap(const struct plain *p, struct entry *heap, int64_t k, int64_t from,
		      int64_t step)
{
	int64_t n = p->x[0].extent[p->param[AXIS]], have = 0;
	uint64_t key[RUN];
	for (int64_t at = 0; at < n; at += RUN) {
		int64_t m = n - at < RUN ? n - at : RUN, i = 0;
		load_keys(key, p, from + at * step, step, m);
		for (; i < m && have < k; i++)
			heap[have++] = (struct entry){key[i], at + i};
		for (int64_t j = k / 2; at < k && have == k && j-- > 0;)
			sift(heap, k, j, heap[j]);
		for (; i < m; i++)
			if (key[i] > heap[0].key)
				sift(heap, k, 0, (struct entry){key[i], at + i});
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
