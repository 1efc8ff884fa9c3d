/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention by tiles: a block of rows meets one block of keys after the other, with the softmax
 * kept as a running maximum and sum of each row (M. Milakov and N. Gimelshein, arXiv:1805.02867;
 * T. Dao et al., arXiv:2205.14135), so that no more than a tile of scores is ever there. Blocks
 * do not hang on the number of threads. Tiles that the body says nobody sees are passed over.
 */
#include <math.h>
#include <string.h>

#include "devices/cpu/cpu_body.h"

#define ROWS 128 /* of a tile */
#define KEYS 256
#define FEW 32   /* rows, for which keys are not packed */
/* Scores below the largest by this much weigh exactly 0 in f32. */
#define FAR 150.0f
/* Products a task should have at least. */
#define TASK_SIZE (1 << 18)

/* Numbers of one step; strides in elements. q, k, v, y in this order where there is one each. */
struct attend {
	const struct cpu_work *w;
	int nouter, nextra;
	int64_t m, t, d, dv;
	const struct cpu_box *y, *q, *k, *v, *extra;
	struct cpu_body_run body;
	/* Of the block at hand. */
	int64_t rows;
	char *y_at, *q_at, *k_at, *v_at, *extra_at[CPU_MAX_PLAIN];
	/* Scratch: scores before and after the body, products, sums; elements of extras. */
	float *before, *after, *part, *most, *total;
	char *tile[CPU_MAX_PLAIN];
	char *work;
};

static struct attend read_step(const struct cpu_work *w)
{
	const struct cpu_box *box = w->box;
	int o = box[0].rank - 2;
	return (struct attend){.w = w, .nouter = o, .nextra = w->step->nview - 4,
			       .m = box[0].extent[o], .t = box[2].extent[o],
			       .d = box[1].extent[o + 1], .dv = box[0].extent[o + 1],
			       .y = &box[0], .q = &box[1], .k = &box[2], .v = &box[3],
			       .extra = box + 4};
}

bool cpu_attend_holds(const struct cpu_step *s)
{
	int rank = s->view[0].rank;
	if (s->nview < 4 || s->nview > 4 + CPU_MAX_PLAIN || rank < 2 || s->nparam != 0 ||
	    s->nbody != 1 || s->body[0].nin != s->nview - 3 || s->body[0].nout != 1 ||
	    s->body[0].type[0] != ADZE_F32 ||
	    s->body[0].type[s->body[0].prog.nload] != ADZE_F32 || s->pro.nload != 0)
		return false;
	for (int i = 0; i < s->nview; i++)
		if (s->view[i].rank != rank || (i < 4 && s->view[i].dtype != ADZE_F32) ||
		    (i >= 4 && s->view[i].dtype != s->body[0].type[i - 3]))
			return false;
	return true;
}

bool cpu_attend_agrees(const struct cpu_step *s, const struct cpu_box *box)
{
	int o = box[0].rank - 2;
	for (int i = 1; i < s->nview; i++) {
		for (int k = 0; k < o; k++)
			if (box[i].extent[k] != box[0].extent[k])
				return false;
		bool rows = i == 1 || i >= 4;
		if (box[i].extent[o] != (rows ? box[0].extent[o] : box[2].extent[o]))
			return false;
		if (i >= 4 && box[i].extent[o + 1] != box[2].extent[o])
			return false;
	}
	return box[1].extent[o + 1] == box[2].extent[o + 1] &&
	       box[3].extent[o + 1] == box[0].extent[o + 1] &&
	       (box[0].stride[o + 1] == 1 || box[0].extent[o + 1] <= 1);
}

static size_t block_rows(int64_t m)
{
	return m < ROWS ? (size_t)(m > 0 ? m : 1) : ROWS;
}

size_t cpu_attend_scratch(const struct cpu_step *s, const struct cpu_bound *b,
			  const int64_t *number)
{
	const struct cpu_view *y = &s->view[0];
	size_t rows = block_rows(number[y->extent[y->rank - 2]]), scores = rows * KEYS;
	size_t width = (size_t)number[y->extent[y->rank - 1]];
	size_t n = (2 * scores + rows * width + 2 * rows) * sizeof(float) + 64 * 8;
	for (int i = 4; i < s->nview; i++)
		n += scores * dtype_bytes((adze_dtype)s->view[i].dtype) + 64;
	return n + cpu_bodies_bytes(s) + b->root->gemm_work;
}

static char *take(char **scratch, size_t bytes)
{
	char *at = *scratch;
	*scratch += size_round_up(bytes, 64);
	return at;
}

static void share_scratch(struct attend *a, char *scratch)
{
	size_t rows = block_rows(a->m), scores = rows * KEYS * sizeof(float);
	a->work = take(&scratch, a->w->bound->root->gemm_work);
	a->before = (float *)take(&scratch, scores);
	a->after = (float *)take(&scratch, scores);
	a->part = (float *)take(&scratch, rows * (size_t)a->dv * sizeof(float));
	a->most = (float *)take(&scratch, rows * sizeof(float));
	a->total = (float *)take(&scratch, rows * sizeof(float));
	for (int i = 0; i < a->nextra; i++)
		a->tile[i] = take(&scratch, rows * KEYS * a->extra[i].size);
	cpu_body_begin(&a->w->step->body[0], &a->w->bound->body[0], scratch, &a->body);
}

/* Where a box is at outer place `i` and row `row`. */
static char *seek(const struct attend *a, const struct cpu_box *b, int64_t i, int64_t row)
{
	int64_t offset = row * b->stride[a->nouter];
	for (int k = a->nouter - 1; k >= 0; k--) {
		offset += i % b->extent[k] * b->stride[k];
		i /= b->extent[k];
	}
	return b->at + offset * (int64_t)b->size;
}

/* One operand's elements for the tile of keys from .. from + n, row behind row. */
static void fill_tile(const struct attend *a, int which, int64_t from, int64_t n)
{
	const struct cpu_box *b = &a->extra[which];
	int64_t size = (int64_t)b->size, row = b->stride[a->nouter], col = b->stride[a->nouter + 1];
	const char *x = a->extra_at[which] + from * col * size;
	char *y = a->tile[which];
	if (col == 0 && from > 0 && n == KEYS) /* as for the keys before */
		return;
	for (int64_t i = 0; i < a->rows; i++, y += n * size) {
		if (i > 0 && row == 0) {
			memcpy(y, a->tile[which], (size_t)(n * size));
		} else if (col == 1) {
			memcpy(y, x + i * row * size, (size_t)(n * size));
		} else if (col == 0) {
			memcpy(y, x + i * row * size, (size_t)size);
			for (int64_t done = 1; done < n; done *= 2)
				memcpy(y + done * size, y,
				       (size_t)((done < n - done ? done : n - done) * size));
		} else {
			for (int64_t j = 0; j < n; j++)
				memcpy(y + j * size, x + (i * row + j * col) * size, (size_t)size);
		}
	}
}

/* scores[i, j] = q[i] k[from + j]. */
static void multiply_keys(const struct attend *a, int64_t from, int64_t n)
{
	const struct cpu_bound *b = a->w->bound;
	const float *q = (const float *)a->q_at;
	int o = a->nouter;
	const float *k = (const float *)a->k_at + from * a->k->stride[o];
	/* Few rows: each key is read once, as it lies. */
	if (a->rows <= FEW && (a->q->stride[o + 1] == 1 || a->d <= 1) &&
	    (a->k->stride[o + 1] == 1 || a->d <= 1)) {
		((gemm_nt_fn *)b->attend[CPU_ATTEND_NT]->run)(
			a->before, n, 1, q, a->q->stride[o], k, a->k->stride[o], (size_t)a->rows,
			(size_t)n, (size_t)a->d);
		return;
	}
	((gemm_fn *)b->root->run)(a->before, n, q, a->q->stride[o], a->q->stride[o + 1], k,
				  a->k->stride[o + 1], a->k->stride[o], (size_t)a->rows, (size_t)n,
				  (size_t)a->d, a->work);
}

/* part[i] = weights[i] v[from ..]. */
static void multiply_values(const struct attend *a, int64_t from, int64_t n)
{
	const struct cpu_bound *b = a->w->bound;
	int o = a->nouter;
	const float *v = (const float *)a->v_at + from * a->v->stride[o];
	if (a->rows <= 4 && (a->v->stride[o + 1] == 1 || a->dv <= 1)) {
		for (int64_t i = 0; i < a->rows; i++)
			((gemv_nn_f32_fn *)b->attend[CPU_ATTEND_NN]->run)(
				a->part + i * a->dv, a->after + i * n, v, a->v->stride[o],
				(size_t)a->dv, (size_t)n);
		return;
	}
	((gemm_fn *)b->root->run)(a->part, a->dv, a->after, n, 1, v, a->v->stride[o],
				  a->v->stride[o + 1], (size_t)a->rows, (size_t)a->dv, (size_t)n,
				  a->work);
}

/* Row i's scores to weights; what it has so far is scaled to its new maximum, and the tile's
 * part added. */
static void weigh_row(const struct attend *a, int64_t i, int64_t n)
{
	const struct cpu_bound *b = a->w->bound;
	float *row = a->after + i * n, most, sum;
	((reduce_fn *)b->attend[CPU_ATTEND_MAX]->run)(&most, row, (size_t)n);
	if (a->most[i] > most || a->most[i] != a->most[i])
		most = a->most[i];
	if (most == -INFINITY) { /* nothing yet: 0 / 0 in the end */
		memset(row, 0, (size_t)n * sizeof *row);
		return;
	}
	const struct chain_op weigh[2] = {{EW_SUB, CHAIN_OPERAND_ONE, &most}, {EW_EXP, 0, NULL}};
	((chain_f32_fn *)b->attend[CPU_ATTEND_CHAIN]->run)(row, row, weigh, 2, (size_t)n);
	((reduce_fn *)b->attend[CPU_ATTEND_SUM]->run)(&sum, row, (size_t)n);
	float scale = expf(a->most[i] - most);
	float *y = (float *)a->y_at + i * a->y->stride[a->nouter];
	a->total[i] = a->total[i] * scale + sum;
	a->most[i] = most;
	const struct chain_op shrink = {EW_MUL, CHAIN_OPERAND_ONE, &scale};
	if (scale != 1)
		((chain_f32_fn *)b->attend[CPU_ATTEND_CHAIN]->run)(y, y, &shrink, 1,
								   (size_t)a->dv);
}

/* The block's rows against all keys. `skips`: tiles that nobody sees are passed over. */
static void run_block(struct attend *a, bool skips)
{
	const struct cpu_bound *b = a->w->bound;
	int64_t row = a->y->stride[a->nouter];
	for (int64_t i = 0; i < a->rows; i++) {
		memset((float *)a->y_at + i * row, 0, (size_t)a->dv * sizeof(float));
		a->most[i] = -INFINITY;
		a->total[i] = 0;
	}
	for (int64_t from = 0; from < a->t; from += KEYS) {
		int64_t n = a->t - from < KEYS ? a->t - from : KEYS;
		const void *in[1 + CPU_MAX_PLAIN] = {a->before};
		for (int i = 0; i < a->nextra; i++) {
			fill_tile(a, i, from, n);
			in[1 + i] = a->tile[i];
		}
		if (skips && !cpu_body_sees(&a->body, in, (size_t)(a->rows * n)))
			continue;
		multiply_keys(a, from, n);
		cpu_body_call(&a->body, (void *[]){a->after}, in, (size_t)(a->rows * n));
		for (int64_t i = 0; i < a->rows; i++)
			weigh_row(a, i, n);
		multiply_values(a, from, n);
		for (int64_t i = 0; i < a->rows; i++) {
			float *y = (float *)a->y_at + i * row;
			const struct chain_op more = {EW_ADD, CHAIN_OPERAND_ROW,
						      a->part + i * a->dv};
			((chain_f32_fn *)b->attend[CPU_ATTEND_CHAIN]->run)(y, y, &more, 1,
									   (size_t)a->dv);
		}
	}
}

/* Whether what was passed over weighs nothing in any row. */
static bool saw_enough(const struct attend *a)
{
	float unseen = a->w->bound->body[0].unseen;
	for (int64_t i = 0; i < a->rows; i++)
		if (!(a->most[i] - unseen > FAR))
			return false;
	return true;
}

/* Unit: one block of rows of one place of the outer axes. */
static void attend_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	struct attend a = read_step(w);
	int64_t from, to;
	cpu_range(w, task, &from, &to);
	share_scratch(&a, cpu_scratch(w, worker));
	for (int64_t unit = from; unit < to; unit++) {
		int64_t outer = unit / w->blocks_m, first = unit % w->blocks_m * ROWS;
		bool skips = w->bound->body[0].guard != NULL;
		a.rows = a.m - first < ROWS ? a.m - first : ROWS;
		a.y_at = seek(&a, a.y, outer, first);
		a.q_at = seek(&a, a.q, outer, first);
		a.k_at = seek(&a, a.k, outer, 0);
		a.v_at = seek(&a, a.v, outer, 0);
		for (int i = 0; i < a.nextra; i++)
			a.extra_at[i] = seek(&a, &a.extra[i], outer, first);
		run_block(&a, skips);
		if (skips && !saw_enough(&a))
			run_block(&a, false);
		for (int64_t i = 0; i < a.rows; i++) {
			float *y = (float *)a.y_at + i * a.y->stride[a.nouter];
			const struct chain_op share = {EW_DIV, CHAIN_OPERAND_ONE, &a.total[i]};
			((chain_f32_fn *)w->bound->attend[CPU_ATTEND_CHAIN]->run)(y, y, &share, 1,
										  (size_t)a.dv);
		}
	}
}

void cpu_run_attend(struct cpu_work *w)
{
	struct attend a = read_step(w);
	int64_t outer = 1;
	for (int k = 0; k < a.nouter; k++)
		outer *= a.y->extent[k];
	w->blocks_m = (a.m + ROWS - 1) / ROWS;
	int64_t cost = (a.m < ROWS ? a.m : ROWS) * a.t * (a.d + a.dv) + 1;
	if (a.y->count > 0)
		cpu_run_tasks(w, attend_task, outer * w->blocks_m, TASK_SIZE / cost + 1);
}
