/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention by tiles: a tile of rows meets one block of keys after the other, with the softmax
 * kept as a running maximum and sum of each row (M. Milakov and N. Gimelshein, arXiv:1805.02867;
 * T. Dao et al., arXiv:2205.14135), so that no more than a sliver of scores is ever there. Tiles
 * do not hang on the number of threads. What the body makes of a block is worked out beforehand
 * where it can be: scores times a factor need no body, and what nobody sees is passed over.
 */
#include "devices/cpu/cpu_attend.h"

#include <math.h>
#include <string.h>

/* Scores below the largest by this much weigh exactly 0 in f32. */
#define FAR 150.0
/* Sums of scores below this are worth a bound of the scores themselves. */
#define HIDDEN -1000.0
/* Rows of an axis that is cut to tiles by itself. */
#define LONG_AXIS 64

static bool is_keyed(int dtype)
{
	return dtype == ADZE_F32 || dtype == ADZE_F16 || dtype == ADZE_BF16;
}

bool cpu_attend_holds(const struct cpu_step *s)
{
	int rank = s->view[0].rank, nrow = s->nparam == 1 ? (int)s->param[0] : 0;
	if (s->nparam != 1 || s->nview < 4 || s->nview > 4 + CPU_MAX_PLAIN ||
	    s->param[0] < 1 || s->param[0] > rank - 1 || s->nbody != 1 ||
	    s->body[0].nin != s->nview - 3 || s->body[0].nout != 1 ||
	    s->body[0].type[0] != ADZE_F32 ||
	    s->body[0].type[s->body[0].prog.nload] != ADZE_F32 || s->pro.nload != 0 ||
	    s->view[0].dtype != ADZE_F32)
		return false;
	for (int i = 0; i < s->nview; i++) {
		bool keys = i == 2 || i == 3;
		if (s->view[i].rank != (keys ? rank - nrow + 1 : rank) ||
		    (i < 4 ? !is_keyed(s->view[i].dtype)
			   : s->view[i].dtype != s->body[0].type[i - 3]))
			return false;
	}
	return true;
}

bool cpu_attend_agrees(const struct cpu_step *s, const struct cpu_box *box)
{
	int rank = box[0].rank, o = rank - 1 - (int)s->param[0];
	for (int i = 1; i < s->nview; i++)
		for (int k = 0; k < (i == 2 || i == 3 ? o : rank - 1); k++)
			if (box[i].extent[k] != box[0].extent[k])
				return false;
	for (int i = 4; i < s->nview; i++)
		if (box[i].extent[rank - 1] != box[2].extent[o])
			return false;
	return box[1].extent[rank - 1] == box[2].extent[o + 1] &&
	       box[3].extent[o] == box[2].extent[o] &&
	       box[3].extent[o + 1] == box[0].extent[rank - 1] &&
	       (box[0].stride[rank - 1] == 1 || box[0].extent[rank - 1] <= 1);
}

/* ---- numbers and scratch ---- */

static size_t round_to(size_t n, size_t by)
{
	return (n + by - 1) / by * by;
}

/* Places in a tile's scratch; `base` NULL: how large it is. */
static size_t share(struct cpu_attend *a, const struct cpu_step *s, char *base)
{
	size_t rows = round_to(ATTEND_ROWS > ATTEND_FEW ? ATTEND_ROWS : ATTEND_FEW, a->mr);
	size_t high = a->mr > ATTEND_FEW ? a->mr : ATTEND_FEW, scores = high * ATTEND_KEYS;
	size_t keys = round_to(ATTEND_KEYS, a->nr), width = round_to((size_t)a->dv, a->nr);
	/* Queries pass through the room of sums. */
	size_t wide = width > (size_t)a->d ? width : (size_t)a->d, at = 0;
	struct {
		float **to;
		size_t n;
	} part[] = {{&a->q_pack, rows * (size_t)a->d}, {&a->sums, rows * wide},
		    {&a->k_pack, keys * (size_t)a->d}, {&a->v_pack, ATTEND_KEYS * width},
		    {&a->scores, scores}, {&a->before, scores}, {&a->after, scores},
		    {&a->most, rows}, {&a->total, rows}, {&a->scale, rows}};
	for (size_t i = 0; i < COUNT_OF(part); i++) {
		*part[i].to = base != NULL ? (float *)(void *)(base + at) : NULL;
		at += size_round_up((part[i].n + ATTEND_PAD) * sizeof(float), 64);
	}
	for (int i = 4; i < s->nview; i++) {
		a->extra_tile[i - 4] = base != NULL ? base + at : NULL;
		at += size_round_up(scores * dtype_bytes((adze_dtype)s->view[i].dtype), 64);
	}
	if (base != NULL)
		cpu_body_begin(&s->body[0], &a->w->bound->body[0], base + at, &a->body);
	return at + cpu_bodies_bytes(s);
}

size_t cpu_attend_scratch(const struct cpu_step *s, const struct cpu_bound *b,
			  const int64_t *number)
{
	const struct cpu_view *y = &s->view[0], *q = &s->view[1];
	const struct kernel_impl *k = b->attend[CPU_ATTEND_SCORES];
	struct cpu_attend a = {.d = number[q->extent[q->rank - 1]],
			       .dv = number[y->extent[y->rank - 1]], .mr = k->mr, .nr = k->nr};
	if (a.d < 0 || a.d > INT32_MAX || a.dv < 0 || a.dv > INT32_MAX)
		return SIZE_MAX;
	return share(&a, s, NULL);
}

/* The product of some extents, INT32_MAX where it is more; *fixed: whether it is at every call. */
static int64_t count_axes(const struct cpu_code *c, const struct cpu_view *v, int from, int to,
			  const int64_t *number, bool *fixed)
{
	int64_t n = 1;
	*fixed = true;
	for (int i = from; i < to; i++) {
		for (int k = 0; k < ADZE_MAX_SYMBOLS; k++)
			*fixed &= c->number[v->extent[i]].power[k] == 0;
		if (__builtin_mul_overflow(n, number[v->extent[i]], &n) || n > INT32_MAX || n < 0)
			return INT32_MAX;
	}
	return n;
}

size_t cpu_attend_shared(const struct cpu_code *c, const struct cpu_step *s,
			 const int64_t *number)
{
	const struct cpu_view *y = &s->view[0], *k = &s->view[2];
	int outer = y->rank - 1 - (int)s->param[0];
	bool fixed, any;
	int64_t m = count_axes(c, y, outer, y->rank - 1, number, &fixed);
	if (fixed && m > ATTEND_FEW)
		return 0;
	return cpu_attend_parts(m < ATTEND_FEW ? m : ATTEND_FEW,
				count_axes(c, k, outer, outer + 1, number, &any),
				count_axes(c, y, y->rank - 1, y->rank, number, &any),
				count_axes(c, y, 0, outer, number, &any));
}

static void read_step(const struct cpu_work *w, struct cpu_attend *a)
{
	const struct cpu_box *box = w->box;
	int nrow = (int)w->step->param[0], o = box[0].rank - 1 - nrow;
	const struct kernel_impl *k = w->bound->attend[CPU_ATTEND_SCORES];
	memset(a, 0, sizeof *a);
	a->w = w;
	a->nouter = o;
	a->nrow = nrow;
	a->nextra = w->step->nview - 4;
	a->m = 1;
	for (int i = o; i < o + nrow; i++)
		a->m *= box[0].extent[i];
	a->t = box[2].extent[o];
	a->d = box[2].extent[o + 1];
	a->dv = box[3].extent[o + 1];
	a->y = &box[0];
	a->q = &box[1];
	a->k = &box[2];
	a->v = &box[3];
	a->extra = box + 4;
	a->mr = k->mr;
	a->nr = k->nr;
}

void cpu_attend_begin(const struct cpu_work *w, int worker, struct cpu_attend *a)
{
	read_step(w, a);
	share(a, w->step, cpu_scratch(w, worker));
}

/* ---- where things are ---- */

static int64_t outer_offset(const struct cpu_attend *a, const struct cpu_box *b)
{
	int64_t offset = 0, i = a->outer;
	for (int k = a->nouter - 1; k >= 0; k--) {
		offset += i % a->y->extent[k] * b->stride[k];
		i /= a->y->extent[k];
	}
	return offset;
}

int64_t cpu_attend_row(const struct cpu_attend *a, const struct cpu_box *b, int64_t row)
{
	int64_t offset = outer_offset(a, b), i = a->first + row;
	for (int k = a->nouter + a->nrow - 1; k > a->nouter; k--) {
		offset += i % a->y->extent[k] * b->stride[k];
		i /= a->y->extent[k];
	}
	return offset + i * b->stride[a->nouter];
}

void cpu_attend_seek(struct cpu_attend *a, int64_t outer, int64_t first, int64_t rows)
{
	a->outer = outer;
	a->first = first;
	a->rows = rows;
	int64_t axis = a->y->extent[a->nouter + a->nrow - 1];
	a->straight = first % axis + rows <= axis;
	a->k_at = a->k->at + outer_offset(a, a->k) * (int64_t)a->k->size;
	a->v_at = a->v->at + outer_offset(a, a->v) * (int64_t)a->v->size;
	a->block = -1;
	a->unseen = -INFINITY;
	a->skips = true;
}

void cpu_attend_queries(const struct cpu_attend *a, float *to)
{
	attend_pack_fn *pack = (attend_pack_fn *)cpu_attend_kernel(a, CPU_ATTEND_PACK_Q);
	const struct cpu_box *q = a->q;
	for (int64_t i = 0; i < a->rows; i++)
		pack(to + i * a->d, q->at + cpu_attend_row(a, q, i) * (int64_t)q->size,
		     q->stride[q->rank - 1], 0, (size_t)a->d, 1, (size_t)a->d);
}

/* ---- the body ---- */

/* One operand's elements for rows x keys of the tile, row behind row. */
static void fill_tile(const struct cpu_attend *a, int which, int64_t row, int64_t rows,
		      int64_t key, int64_t n)
{
	const struct cpu_box *b = &a->extra[which];
	int64_t size = (int64_t)b->size, col = b->stride[b->rank - 1], before = 0;
	int64_t first = cpu_attend_row(a, b, row) + key * col, step = b->stride[b->rank - 2];
	char *y = a->extra_tile[which];
	for (int64_t i = 0; i < rows; i++, y += n * size) {
		int64_t at = a->straight ? first + i * step
					 : cpu_attend_row(a, b, row + i) + key * col;
		const char *x = b->at + at * size;
		if (i > 0 && at == before) {
			memcpy(y, y - n * size, (size_t)(n * size));
		} else if (col == 1) {
			memcpy(y, x, (size_t)(n * size));
		} else if (col == 0) {
			memcpy(y, x, (size_t)size);
			for (int64_t done = 1; done < n; done *= 2)
				memcpy(y + done * size, y,
				       (size_t)((done < n - done ? done : n - done) * size));
		} else {
			for (int64_t j = 0; j < n; j++)
				memcpy(y + j * size, x + j * col * size, (size_t)size);
		}
		before = at;
	}
}

static void copy_scores(float *to, int64_t to_row, const float *from, int64_t from_row,
			int64_t rows, int64_t n)
{
	for (int64_t i = 0; i < rows; i++)
		memcpy(to + i * to_row, from + i * from_row, (size_t)n * sizeof *to);
}

void cpu_attend_body(const struct cpu_attend *a, float *scores, int64_t row, int64_t rows,
		     int64_t key, int64_t n)
{
	const void *in[1 + CPU_MAX_PLAIN] = {scores};
	for (int i = 0; i < a->nextra; i++) {
		fill_tile(a, i, row, rows, key, n);
		in[1 + i] = a->extra_tile[i];
	}
	if (n < ATTEND_KEYS) {
		copy_scores(a->before, n, scores, ATTEND_KEYS, rows, n);
		in[0] = a->before;
	}
	cpu_body_call((void *)(uintptr_t)&a->body, (void *[]){a->after}, in, (size_t)(rows * n));
	copy_scores(scores, ATTEND_KEYS, a->after, n, rows, n);
}

/* Of what is the same in all rows: worked out once for a block, and for each of its panels. */
static struct cpu_range range_of_keys(struct cpu_attend *a, int which, const char *x, int64_t key,
				      int64_t keys)
{
	const struct cpu_box *b = &a->extra[which];
	struct cpu_range *known = NULL;
	if (key == a->block && keys == a->block_keys)
		known = &a->known[which][0];
	else if (a->block >= 0 && keys <= (int64_t)a->nr)
		known = &a->known[which][1 + (key - a->block) / (int64_t)a->nr];
	if (known != NULL && known->kind != CPU_RANGE_ANY)
		return *known;
	struct cpu_range r = cpu_range_of((adze_dtype)a->w->step->view[4 + which].dtype,
					  a->w->bound->range[which], x, b->stride[b->rank - 1],
					  keys);
	if (known != NULL)
		*known = r;
	return r;
}

/* Of an operand of the body. Rows that are all different are looked through for a sliver at most:
 * for more, that is work which is seldom worth it. */
static struct cpu_range range_of_extra(struct cpu_attend *a, int which, int64_t row,
				       int64_t rows, int64_t key, int64_t keys)
{
	const struct cpu_box *b = &a->extra[which];
	const struct kernel_impl *const *by = a->w->bound->range[which];
	adze_dtype dtype = (adze_dtype)a->w->step->view[4 + which].dtype;
	int64_t size = (int64_t)b->size, col = b->stride[b->rank - 1];
	int64_t step = b->stride[b->rank - 2], at = cpu_attend_row(a, b, row) + key * col;
	if (a->straight && step == 0)
		return range_of_keys(a, which, b->at + at * size, key, keys);
	if (a->straight && col == 0)
		return cpu_range_of(dtype, by, b->at + at * size, step, rows);
	struct cpu_range all = cpu_range_of(dtype, by, b->at + at * size, col, keys);
	for (int64_t i = 1; i < rows && all.kind != CPU_RANGE_ANY; i++) {
		int64_t next = cpu_attend_row(a, b, row + i) + key * col;
		if (next == at)
			continue;
		if (rows > (int64_t)a->mr && col != 0)
			return (struct cpu_range){CPU_RANGE_ANY, 0, 0, 0};
		at = next;
		all = cpu_range_join(all, cpu_range_of(dtype, by, b->at + at * size, col, keys));
	}
	return all;
}

struct cpu_range cpu_attend_range(struct cpu_attend *a, int64_t row, int64_t rows,
				  int64_t key, int64_t keys)
{
	struct cpu_range in[CPU_MAX_PLAIN];
	for (int i = 0; i < a->nextra; i++)
		in[i] = range_of_extra(a, i, row, rows, key, keys);
	return cpu_range_of_body(&a->w->step->body[0], in);
}

bool cpu_attend_skips(struct cpu_attend *a, const struct cpu_range *r, double bound)
{
	double most = r->hi + (r->kind == CPU_RANGE_SCORE ? r->factor * bound : 0);
	bool same = r->kind == CPU_RANGE_NUMBER || (r->kind == CPU_RANGE_SCORE && r->hi < HIDDEN);
	if (!a->skips || !same || !(most < HIDDEN))
		return false;
	a->unseen = fmax(a->unseen, most);
	return true;
}

bool cpu_attend_enough(const struct cpu_attend *a, const float *most)
{
	for (int64_t i = 0; i < a->rows; i++)
		if (!((double)most[i] - a->unseen > FAR) && a->unseen > -INFINITY)
			return false;
	return true;
}

void cpu_attend_write(const struct cpu_attend *a, int64_t at, const float *sums, size_t panel,
		      float total)
{
	float *y = (float *)(void *)a->y->at + cpu_attend_row(a, a->y, at);
	float share = a->t > 0 ? 1 / total : 0;
	for (size_t c = 0; c < (size_t)a->dv; c += a->nr, sums += panel) {
		size_t n = (size_t)a->dv - c < a->nr ? (size_t)a->dv - c : a->nr;
		for (size_t i = 0; i < n; i++)
			y[c + i] = sums[i] * share;
	}
}

/* ---- many rows ---- */

/* Panels of the block of keys from .. from + n and of their values. */
static void pack_block(const struct cpu_attend *a, int64_t from, int64_t n)
{
	const int64_t *k = a->k->stride + a->nouter, *v = a->v->stride + a->nouter;
	((attend_pack_fn *)cpu_attend_kernel(a, CPU_ATTEND_PACK_K))(
		a->k_pack, a->k_at + from * k[0] * (int64_t)a->k->size, k[0], k[1], (size_t)n,
		(size_t)a->d, a->nr);
	((attend_pack_fn *)cpu_attend_kernel(a, CPU_ATTEND_PACK_V))(
		a->v_pack, a->v_at + from * v[0] * (int64_t)a->v->size, v[1], v[0], (size_t)a->dv,
		(size_t)n, a->nr);
}

/* Keys key .. key + n of the block that begins at `from` and has `all`. */
struct span {
	int64_t from, all, key, n;
};

/* A sliver of rows meets some keys of a block. `factor` 0: the body makes the scores. */
static void meet(struct cpu_attend *a, int64_t row, const struct span *s, float factor)
{
	float *sums = a->sums + row * (int64_t)round_to((size_t)a->dv, a->nr);
	int64_t rows = a->rows - row < (int64_t)a->mr ? a->rows - row : (int64_t)a->mr;
	size_t n = (size_t)s->n;
	((attend_scores_fn *)cpu_attend_kernel(a, CPU_ATTEND_SCORES))(
		a->scores, a->q_pack + row * a->d, a->k_pack + s->key * a->d, (size_t)a->d, n,
		a->mr, a->nr);
	if (factor == 0)
		cpu_attend_body(a, a->scores, row, rows, s->from + s->key, s->n);
	((attend_soften_fn *)cpu_attend_kernel(a, CPU_ATTEND_SOFTEN))(
		a->scores, a->mr, n, factor == 0 ? 1 : factor, a->most + row, a->total + row,
		a->scale);
	((attend_values_fn *)cpu_attend_kernel(a, CPU_ATTEND_VALUES))(
		sums, a->scale, a->scores, a->v_pack + s->key * (int64_t)a->nr,
		(ptrdiff_t)(s->all * (int64_t)a->nr), n, (size_t)a->dv, a->mr, a->nr);
}

/* What a range says is to be done: -1 nothing, 0 the body, else scores times this. */
static float decide(struct cpu_attend *a, const struct cpu_range *r)
{
	if (cpu_attend_skips(a, r, NAN))
		return -1;
	bool plain = r->kind == CPU_RANGE_SCORE && r->lo == 0 && r->hi == 0;
	return plain ? (float)r->factor : 0;
}

/* A sliver and a block of which only parts are seen, or seen plainly: panel by panel, those
 * that are alike together. */
static void meet_parts(struct cpu_attend *a, int64_t row, int64_t from, int64_t n)
{
	int64_t rows = a->rows - row < (int64_t)a->mr ? a->rows - row : (int64_t)a->mr;
	struct span s = {from, n, 0, 0};
	float now = -1;
	for (int64_t key = 0; key < n; key += (int64_t)a->nr) {
		int64_t keys = n - key < (int64_t)a->nr ? n - key : (int64_t)a->nr;
		struct cpu_range r = cpu_attend_range(a, row, rows, from + key, keys);
		float next = decide(a, &r);
		if (key == 0 || next != now) {
			if (s.n > 0 && now >= 0)
				meet(a, row, &s, now);
			s.key = key;
			s.n = 0;
			now = next;
		}
		s.n += keys;
	}
	if (s.n > 0 && now >= 0)
		meet(a, row, &s, now);
}

static void meet_block(struct cpu_attend *a, int64_t from, int64_t n)
{
	a->block = from;
	a->block_keys = n;
	for (int i = 0; i < a->nextra; i++)
		memset(a->known[i], 0, sizeof a->known[i]);
	struct cpu_range all = cpu_attend_range(a, 0, a->rows, from, n);
	float plan = decide(a, &all);
	bool packed = false;
	struct span s = {from, n, 0, n};
	for (int64_t row = 0; row < a->rows && plan >= 0; row += (int64_t)a->mr) {
		int64_t rows = a->rows - row < (int64_t)a->mr ? a->rows - row : (int64_t)a->mr;
		float by = plan;
		if (plan == 0 && a->nextra > 0) {
			struct cpu_range r = cpu_attend_range(a, row, rows, from, n);
			by = decide(a, &r);
		}
		if (by < 0)
			continue;
		if (!packed)
			pack_block(a, from, n);
		packed = true;
		if (by == 0 && a->nextra > 0)
			meet_parts(a, row, from, n);
		else
			meet(a, row, &s, by);
	}
}

static void meet_keys(struct cpu_attend *a)
{
	size_t rows = round_to((size_t)a->rows, a->mr);
	memset(a->sums, 0, rows * round_to((size_t)a->dv, a->nr) * sizeof(float));
	memset(a->total, 0, rows * sizeof(float));
	for (size_t i = 0; i < rows; i++)
		a->most[i] = -INFINITY;
	for (int64_t from = 0; from < a->t; from += ATTEND_KEYS)
		meet_block(a, from, a->t - from < ATTEND_KEYS ? a->t - from : ATTEND_KEYS);
}

static void write_rows(const struct cpu_attend *a)
{
	size_t width = round_to((size_t)a->dv, a->nr);
	for (int64_t i = 0; i < a->rows; i++) {
		size_t row = (size_t)i % a->mr;
		cpu_attend_write(a, i, a->sums + ((size_t)i - row) * width + row * a->nr,
				 a->mr * a->nr, a->total[i]);
	}
}

/* Rows that are cut to tiles by themselves, and how many a tile has. */
static void cut_rows(const struct cpu_attend *a, int64_t *axis, int64_t *rows)
{
	int64_t last = a->y->extent[a->nouter + a->nrow - 1], mr = (int64_t)a->mr;
	*axis = last >= LONG_AXIS ? last : a->m;
	int64_t slivers = (*axis + mr - 1) / mr, most = ATTEND_ROWS / mr;
	int64_t tiles = (slivers + most - 1) / most;
	*rows = (slivers + tiles - 1) / tiles * mr;
}

/* Unit: one tile. Those of the same keys follow each other, and those of the last rows come first:
 * a causal mask makes them the longest. */
static void attend_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	struct cpu_attend a;
	int64_t from, to, axis, rows;
	cpu_range(w, task, &from, &to);
	cpu_attend_begin(w, worker, &a);
	cut_rows(&a, &axis, &rows);
	for (int64_t unit = from; unit < to; unit++) {
		int64_t tile = w->blocks_m - 1 - unit % w->blocks_m;
		int64_t line = unit / w->blocks_m % w->blocks_n;
		int64_t outer = unit / w->blocks_m / w->blocks_n;
		int64_t first = tile * rows, n = axis - first < rows ? axis - first : rows;
		cpu_attend_seek(&a, outer, line * axis + first, n);
		cpu_attend_queries(&a, a.sums);
		((attend_pack_fn *)w->bound->attend[CPU_ATTEND_PACK]->run)(
			a.q_pack, a.sums, a.d, 1, (size_t)n, (size_t)a.d, a.mr);
		meet_keys(&a);
		if (!cpu_attend_enough(&a, a.most)) {
			a.skips = false;
			meet_keys(&a);
		}
		write_rows(&a);
	}
}

void cpu_run_attend(struct cpu_work *w)
{
	struct cpu_attend a;
	int64_t axis, rows;
	read_step(w, &a);
	if (a.y->count == 0)
		return;
	cut_rows(&a, &axis, &rows);
	w->outer = a.y->count / a.dv / a.m;
	w->blocks_m = (axis + rows - 1) / rows;
	w->blocks_n = a.m / axis;
	if (a.m <= ATTEND_FEW && a.k->stride[a.nouter + 1] == 1 && a.v->stride[a.nouter + 1] == 1) {
		cpu_attend_run_few(w);
		return;
	}
	int64_t cost = rows * a.t * (a.d + a.dv) + 1;
	cpu_run_tasks(w, attend_task, w->outer * w->blocks_m * w->blocks_n,
		      TASK_PRODUCTS / 2 / cost + 1);
}
