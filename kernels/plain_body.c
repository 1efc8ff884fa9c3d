/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/plain_body.h"

/* ---- elements by place ---- */

#define BY_SIZE(DO)                          \
	switch (size) {                      \
	case 1: DO(1) break;                 \
	case 2: DO(2) break;                 \
	case 4: DO(4) break;                 \
	case 8: DO(8) break;                 \
	default: DO(size) break;             \
	}

void plain_pick(void *to, const void *from, const int64_t *at, const void *otherwise, int64_t n,
		size_t size)
{
	char *y = to;
	const char *x = from;
#define PICK(bytes)                                                                       \
	for (int64_t i = 0; i < n; i++)                                                   \
		memcpy(y + i * (int64_t)(bytes),                                          \
		       at[i] < 0 ? (const char *)otherwise : x + at[i] * (int64_t)(bytes), \
		       bytes);
	BY_SIZE(PICK)
}

void plain_put(void *to, const int64_t *at, const void *from, int64_t n, size_t size)
{
	char *y = to;
	const char *x = from;
#define PUT(bytes)                      \
	for (int64_t i = 0; i < n; i++) \
		memcpy(y + at[i] * (int64_t)(bytes), x + i * (int64_t)(bytes), bytes);
	BY_SIZE(PUT)
}

void plain_fill(void *to, const void *from, int64_t n, size_t size)
{
	char *y = to;
#define FILL(bytes)                     \
	for (int64_t i = 0; i < n; i++) \
		memcpy(y + i * (int64_t)(bytes), from, bytes);
	BY_SIZE(FILL)
}

bool plain_joins(const struct plain_body *b, const struct plain_array *x, int n)
{
	if (b->nin != 2 * n || b->nout != n)
		return false;
	for (int i = 0; i < n; i++)
		if (b->in[i] != x[i].dtype || b->in[n + i] != x[i].dtype ||
		    b->out[i] != x[i].dtype)
			return false;
	return true;
}

bool plain_side_by_side(const struct plain *p, int n)
{
	if (n < 1 || n > p->nx)
		return false;
	for (int i = 0; i < n; i++)
		if (!plain_same_extents(&p->x[i], &p->x[0]))
			return false;
	return true;
}

/* ---- windows ---- */

static int64_t number(const struct plain_dims *d, int i, int64_t otherwise)
{
	return d == NULL || d->n == 0 ? otherwise : d->at[i];
}

static bool list_holds(const struct plain_dims *d, int rank, int64_t least)
{
	if (d == NULL || d->n == 0)
		return true;
	for (int i = 0; i < rank; i++)
		if (d->at[i] < least || d->at[i] > INT32_MAX)
			return false;
	return d->n == rank;
}

/* How many windows lie along axis i; -1 where that is too much to count. */
static int64_t count_windows(const struct plain_windows *w, int i, int64_t high)
{
	int64_t n, span = (w->size[i] - 1) * w->dilation[i] + 1;
	if (__builtin_mul_overflow(w->in[i] - 1, w->base[i], &n) || n > INT64_MAX / 4)
		return -1;
	n = (w->in[i] > 0 ? n + 1 : 0) + w->low[i] + high;
	return n < span ? 0 : (n - span) / w->stride[i] + 1;
}

bool plain_windows(const struct plain_array *x, const struct plain_array *windows,
		   const struct plain_dims *size, const struct plain_dims *stride,
		   const struct plain_dims *low, const struct plain_dims *high,
		   const struct plain_dims *dilation, const struct plain_dims *base,
		   struct plain_windows *out)
{
	*out = (struct plain_windows){.rank = x->rank, .places = 1};
	if (windows->rank != x->rank || size->n != x->rank || !list_holds(size, x->rank, 1) ||
	    !list_holds(stride, x->rank, 1) || !list_holds(low, x->rank, -INT32_MAX) ||
	    !list_holds(high, x->rank, -INT32_MAX) || !list_holds(dilation, x->rank, 1) ||
	    !list_holds(base, x->rank, 1))
		return false;
	plain_strides(x, out->step);
	for (int i = 0; i < x->rank; i++) {
		out->in[i] = x->extent[i];
		out->out[i] = windows->extent[i];
		out->size[i] = size->at[i];
		out->stride[i] = number(stride, i, 1);
		out->low[i] = number(low, i, 0);
		out->dilation[i] = number(dilation, i, 1);
		out->base[i] = number(base, i, 1);
		if (__builtin_mul_overflow(out->places, out->size[i], &out->places) ||
		    count_windows(out, i, number(high, i, 0)) != out->out[i])
			return false;
	}
	return true;
}

void plain_windows_below(struct plain_windows *w, int n)
{
	struct plain_windows all = *w;
	w->rank -= n;
	for (int i = 0; i < w->rank; i++) {
		w->in[i] = all.in[n + i];
		w->out[i] = all.out[n + i];
		w->step[i] = all.step[n + i];
		w->size[i] = all.size[n + i];
		w->stride[i] = all.stride[n + i];
		w->low[i] = all.low[n + i];
		w->dilation[i] = all.dilation[n + i];
		w->base[i] = all.base[n + i];
	}
}

/* Where place k of window at[] along axis i is; -1 in padding. */
static int64_t place_along(const struct plain_windows *w, int i, int64_t at, int64_t k)
{
	int64_t p = at * w->stride[i] + k * w->dilation[i] - w->low[i];
	if (p < 0 || (w->base[i] > 1 && p % w->base[i] != 0))
		return -1;
	p = w->base[i] > 1 ? p / w->base[i] : p;
	return p < w->in[i] ? p : -1;
}

void plain_window_places(const struct plain_windows *w, int64_t place, int64_t from, int64_t n,
			 int64_t *at)
{
	int64_t k[ADZE_MAX_RANK], row[ADZE_MAX_RANK];
	int last = w->rank - 1;
	if (last < 0) {
		*at = 0;
		return;
	}
	for (int i = last; i >= 0; i--) {
		k[i] = place % w->size[i];
		place /= w->size[i];
		row[i] = from % w->out[i];
		from /= w->out[i];
	}
	while (n > 0) {
		int64_t run = w->out[last] - row[last], offset = 0;
		run = run < n ? run : n;
		for (int i = 0; i < last && offset >= 0; i++) {
			int64_t p = place_along(w, i, row[i], k[i]);
			offset = p < 0 ? -1 : offset + p * w->step[i];
		}
		for (int64_t i = 0; i < run; i++) {
			int64_t p = place_along(w, last, row[last] + i, k[last]);
			at[i] = p < 0 || offset < 0 ? -1 : offset + p * w->step[last];
		}
		at += run;
		n -= run;
		row[last] = 0;
		for (int i = last - 1; i >= 0 && ++row[i] == w->out[i]; i--)
			row[i] = 0;
	}
}

/* ---- updates ---- */

/* Places of a strip, by hash: a table four times as large. */
#define TABLE (4 * PLAIN_STRIP)
struct seen {
	uint32_t turn[TABLE];
	int64_t at[TABLE];
};

size_t plain_join_bytes(int n)
{
	return sizeof(struct seen) + 3 * (size_t)n * PLAIN_STRIP_BYTES;
}

void plain_join_begin(struct plain_join *j, const struct plain_body *body,
		      const struct plain_array *y, int n, char *work)
{
	j->body = body;
	j->n = n;
	j->work = work;
	j->turn = 0;
	j->native = NULL;
	memset(((struct seen *)(void *)work)->turn, 0, sizeof(uint32_t) * TABLE);
	for (int i = 0; i < n; i++)
		j->size[i] = dtype_bytes(y[i].dtype);
	if (n == 1 && body->arg[0] != body->arg[1])
		j->native = plain_native_join(body->ew, y->dtype);
}

static char *strip(const struct plain_join *j, int kind, int i)
{
	return j->work + sizeof(struct seen) + (size_t)(kind * j->n + i) * PLAIN_STRIP_BYTES;
}

static void call(struct plain_join *j, const void *const *in, void *const *out, int64_t n)
{
	j->body->call(j->body->self, out, in, (size_t)n);
}

/* Places that all differ. */
static void join_apart(struct plain_join *j, const int64_t *to, const int64_t *from, int64_t n)
{
	const void *in[2 * PLAIN_MOST];
	void *out[PLAIN_MOST];
	for (int i = 0; i < j->n; i++) {
		plain_pick(strip(j, 0, i), j->y[i], to, NULL, n, j->size[i]);
		plain_pick(strip(j, 1, i), j->u[i], from, NULL, n, j->size[i]);
		in[i] = strip(j, 0, i);
		in[j->n + i] = strip(j, 1, i);
		out[i] = strip(j, 2, i);
	}
	call(j, in, out, n);
	for (int i = 0; i < j->n; i++)
		plain_put(j->y[i], to, out[i], n, j->size[i]);
}

/* Marks a place; false where it is marked already. */
static bool mark(struct seen *s, uint32_t turn, int64_t at)
{
	uint64_t i = (uint64_t)at * 0x9e3779b97f4a7c15u >> 53;
	for (; s->turn[i] == turn; i = (i + 1) % TABLE)
		if (s->at[i] == at)
			return false;
	s->turn[i] = turn;
	s->at[i] = at;
	return true;
}

_Static_assert(TABLE == 1 << (64 - 53), "the hash has as many bits as the table has places");

void plain_join_at(struct plain_join *j, const int64_t *to, const int64_t *from, int64_t n)
{
	struct seen *s = (struct seen *)(void *)j->work;
	int64_t first = 0;
	if (j->native != NULL) {
		j->native(j->y[0], j->u[0], to, from, n);
		return;
	}
	if (n == 0)
		return;
	if (j->n == 1 && j->body->same == 1) {
		plain_pick(strip(j, 0, 0), j->u[0], from, NULL, n, j->size[0]);
		plain_put(j->y[0], to, strip(j, 0, 0), n, j->size[0]);
		return;
	}
	j->turn++;
	for (int64_t i = 0; i < n; i++) {
		if (mark(s, j->turn, to[i]))
			continue;
		join_apart(j, to + first, from + first, i - first);
		first = i;
		mark(s, ++j->turn, to[i]);
	}
	join_apart(j, to + first, from + first, n - first);
}

void plain_join_run(struct plain_join *j, int64_t to, int64_t from, int64_t n)
{
	const void *in[2 * PLAIN_MOST];
	void *out[PLAIN_MOST];
	for (int64_t at = 0; at < n; at += PLAIN_STRIP) {
		int64_t len = n - at < PLAIN_STRIP ? n - at : PLAIN_STRIP;
		for (int i = 0; i < j->n; i++) {
			in[i] = j->y[i] + (to + at) * (int64_t)j->size[i];
			in[j->n + i] = j->u[i] + (from + at) * (int64_t)j->size[i];
			out[i] = strip(j, 2, i);
		}
		call(j, in, out, len);
		for (int i = 0; i < j->n; i++)
			memcpy(j->y[i] + (to + at) * (int64_t)j->size[i], out[i],
			       (size_t)len * j->size[i]);
	}
}
