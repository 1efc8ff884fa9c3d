/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of rows of f32 with weights in blocks. Where x may be rounded, it is, once for all
 * threads, and its rows go to the kernel that reads blocks. Otherwise some rows of w at a time
 * are decoded to f32, and meet all rows of x while they are in the second-level cache.
 */
#include "devices/cpu/cpu_exec.h"

/* Rows of x that meet a piece of w; and pieces: floats, rows at most. */
#define MOST_ROWS BLOCK_ROWS
#define PIECE_FLOATS ((int64_t)1 << 16)
#define PIECE_ROWS 48
#define ROWS_AT_ONCE 8
#define TASKS_A_THREAD 4
/* Numbers that are rounded by one thread before others are worth waking. */
#define FEW_NUMBERS (1 << 16)

/* Numbers of one product, strides in elements, w in bytes. */
struct product {
	enum block_kind block;
	int64_t m, n, k;
	int64_t y_row, y_col, x_row, x_col, w_row;
	int nouter;
	int64_t offset[3]; /* of the product that is under way, in y, x and w */
	int64_t from, rows; /* of x, likewise */
	int64_t piece;      /* rows of w */
	const float *x;     /* its rows, dense along k */
	int64_t row;
	struct block_rows rounded;
};

static struct product read_product(const struct cpu_work *w)
{
	const struct cpu_box *y = &w->box[0], *x = &w->box[1], *b = &w->box[2];
	int o = y->rank - 2;
	struct product p = {.block = (enum block_kind)w->step->param[0],
			    .m = y->extent[o], .n = y->extent[o + 1], .k = x->extent[o + 1],
			    .y_row = y->stride[o], .y_col = y->stride[o + 1],
			    .x_row = x->stride[o], .x_col = x->stride[o + 1],
			    .w_row = b->stride[o], .nouter = o};
	return p;
}

static int64_t clamp(int64_t v, int64_t least, int64_t most)
{
	return v < least ? least : v > most ? most : v;
}

/* Rows of w that are decoded at once. */
static int64_t piece_rows(int64_t k)
{
	return clamp(PIECE_FLOATS / (k > 0 ? k : 1) / ROWS_AT_ONCE * ROWS_AT_ONCE, ROWS_AT_ONCE,
		     PIECE_ROWS);
}

bool cpu_blocks_holds(const struct cpu_step *s)
{
	return s->nview >= 3 && s->view[0].rank >= 2 && s->view[1].rank == s->view[0].rank &&
	       s->view[2].rank == s->view[0].rank && s->view[0].dtype == ADZE_F32 &&
	       s->view[1].dtype == ADZE_F32 && s->view[2].dtype == ADZE_U8 && s->nparam == 2 &&
	       block_is(s->param[0]) && (s->param[1] == 0 || s->param[1] == 1);
}

/* The epilogue counts elements of the result by the strides of y. */
static bool epilogue_fits(const struct cpu_box *y)
{
	int o = y->rank - 2;
	int64_t last = 0;
	for (int i = 0; i < y->rank; i++) {
		if (y->stride[i] < 0 && y->extent[i] > 1)
			return false;
		last += y->extent[i] > 1 ? (y->extent[i] - 1) * y->stride[i] : 0;
	}
	return y->count == 0 ||
	       (last < y->count && (y->stride[o + 1] == 1 || y->extent[o + 1] == 1 ||
				    y->stride[o] == 1 || y->extent[o] == 1));
}

bool cpu_blocks_agrees(const struct cpu_step *s, const struct cpu_box *box)
{
	const struct cpu_box *y = &box[0], *x = &box[1], *w = &box[2];
	const struct block_format *f = block_format((enum block_kind)s->param[0]);
	int o = y->rank - 2;
	for (int i = 0; i < o; i++)
		if (x->extent[i] != y->extent[i] || w->extent[i] != y->extent[i])
			return false;
	return x->extent[o] == y->extent[o] && w->extent[o] == y->extent[o + 1] &&
	       w->extent[o + 1] % f->bytes == 0 && x->extent[o + 1] % f->elements == 0 &&
	       w->extent[o + 1] / f->bytes == x->extent[o + 1] / f->elements &&
	       (w->stride[o + 1] == 1 || w->extent[o + 1] <= 1) &&
	       (s->epi.nload == 0 || epilogue_fits(y));
}

/* The first worker's scratch also has the rows of x for all of them: rounded, which takes less
 * than two bytes a number, and behind that copied. */
#define ROUNDED 2
static size_t rows_bytes(int64_t m, int64_t k)
{
	size_t n = (size_t)clamp(m, 0, MOST_ROWS) * (size_t)k;
	return size_round_up(n * (ROUNDED + sizeof(float)), 64);
}

/* Where the parts of struct block_rows begin. */
static void set_rounded(struct block_rows *r, char *at, int64_t rows, int64_t k)
{
	r->k = (size_t)k;
	r->scale = (float *)at;
	at += rows * (k / 32) * (int64_t)sizeof(float);
	r->more = (int32_t *)at;
	at += rows * (k / 16) * (int64_t)sizeof(int32_t);
	r->q = (int8_t *)at;
}

size_t cpu_blocks_scratch(const struct cpu_step *s, const struct cpu_bound *b,
			  const int64_t *number)
{
	const struct cpu_view *x = &s->view[1];
	int64_t m = number[x->extent[x->rank - 2]], k = number[x->extent[x->rank - 1]];
	size_t own = b->root != NULL ? b->root->gemm_work
				     : (size_t)piece_rows(k) * (size_t)k * sizeof(float);
	return rows_bytes(m, k) + own + 128;
}

static char *own_scratch(const struct cpu_work *w, int worker)
{
	return cpu_scratch(w, worker) + size_round_up(cpu_prog_bytes(&w->step->epi), 64);
}

/* Offsets, in elements, of the product number `i`. */
static void set_offsets(const struct cpu_work *w, struct product *p, int64_t i)
{
	p->offset[0] = p->offset[1] = p->offset[2] = 0;
	for (int k = p->nouter - 1; k >= 0; k--) {
		int64_t at = i % w->box[0].extent[k];
		i /= w->box[0].extent[k];
		for (int v = 0; v < 3; v++)
			p->offset[v] += at * w->box[v].stride[k];
	}
}

/* ---- columns of the result ---- */

static void epilogue(const struct cpu_work *w, const struct product *p, char *scratch,
		     int64_t from, int64_t n)
{
	int64_t at = p->offset[0] + p->from * p->y_row + from * p->y_col;
	bool along = p->y_col == 1 || p->n == 1;
	for (int64_t i = 0; i < (along ? p->rows : n); i++)
		cpu_run_epilogue(w, scratch, at + i * (along ? p->y_row : p->y_col),
				 along ? n : p->rows);
}

static void decoded_columns(const struct cpu_work *w, const struct product *p, int64_t from,
			    int64_t n, float *y, const char *at, char *scratch)
{
	const struct block_format *f = block_format(p->block);
	float *piece = (float *)(scratch + rows_bytes(p->m, p->k));
	for (int64_t j = 0, more; j < n; j += more) {
		more = n - j < p->piece ? n - j : p->piece;
		for (int64_t i = 0; i < more; i++)
			block_decode(p->block, at + (from + j + i) * p->w_row,
				     (size_t)(p->k / f->elements), piece + i * p->k);
		((gemm_nt_fn *)w->bound->second->run)(y + (from + j) * p->y_col, p->y_row, p->y_col,
						      p->x, p->row, piece, p->k, (size_t)p->rows,
						      (size_t)more, (size_t)p->k);
	}
}

static void columns_task(void *self, size_t task, int worker)
{
	const struct cpu_work *w = self;
	const struct product *p = w->shared;
	char *scratch = cpu_scratch(w, worker);
	int64_t from, to;
	cpu_range(w, task, &from, &to);
	from *= p->piece;
	to = to * p->piece < p->n ? to * p->piece : p->n;
	float *y = (float *)w->box[0].at + p->offset[0] + p->from * p->y_row;
	const char *at = w->box[2].at + p->offset[2];
	char *own = own_scratch(w, worker);
	if (w->bound->root == NULL)
		decoded_columns(w, p, from, to - from, y, at, own);
	else
		((gemm_nt_blocks_fn *)w->bound->root->run)(
			p->block, y + from * p->y_col, p->y_row, p->y_col, &p->rounded,
			at + from * p->w_row, p->w_row, (size_t)p->rows, (size_t)(to - from),
			own + rows_bytes(p->m, p->k));
	if (w->step->epi.nload > 0) {
		cpu_prog_begin(w, &w->step->epi, scratch);
		epilogue(w, p, scratch, from, to - from);
	}
}

/* Unit: a row of x. */
static void round_task(void *self, size_t task, int worker)
{
	const struct cpu_work *w = self;
	const struct product *p = w->shared;
	const struct block_format *f = block_format(p->block);
	const struct block_rows *r = &p->rounded;
	int64_t from, to;
	(void)worker;
	cpu_range(w, task, &from, &to);
	/* They are the first worker's scratch, which this step may write. */
	for (int64_t i = from; i < to; i++)
		((round_rows_fn *)w->bound->second->run)(
			(int8_t *)(uintptr_t)r->q + i * p->k,
			(float *)(uintptr_t)r->scale + i * (p->k / 32),
			(int32_t *)(uintptr_t)r->more + i * (p->k / f->part), p->x + i * p->row,
			(size_t)p->k, f);
}

static void round_rows(struct cpu_work *w, struct product *p)
{
	set_rounded(&p->rounded, own_scratch(w, 0), p->rows, p->k);
	cpu_run_tasks(w, round_task, p->rows, FEW_NUMBERS / (p->k + 1) + 1);
}

/* Rows of f32 along the sum: where they are, or copied. */
static void set_rows(const struct cpu_work *w, struct product *p)
{
	const float *x = (const float *)w->box[1].at + p->offset[1] + p->from * p->x_row;
	p->x = x;
	p->row = p->x_row;
	if (p->x_col == 1 || p->k <= 1)
		return;
	float *to = (float *)(own_scratch(w, 0) + ROUNDED * p->rows * p->k);
	for (int64_t i = 0; i < p->rows; i++)
		for (int64_t q = 0; q < p->k; q++)
			to[i * p->k + q] = x[i * p->x_row + q * p->x_col];
	p->x = to;
	p->row = p->k;
}

static void run_rows(struct cpu_work *w, struct product *p)
{
	int threads = w->pool != NULL ? cpu_pool_threads(w->pool) : 1;
	int64_t tasks = p->rows * p->n * p->k / TASK_PRODUCTS;
	int64_t want = clamp(tasks, 1, threads == 1 ? 1 : TASKS_A_THREAD * (int64_t)threads);
	int64_t units = (p->n + p->piece - 1) / p->piece;
	set_rows(w, p);
	w->shared = p;
	if (w->bound->root != NULL)
		round_rows(w, p);
	cpu_run_tasks(w, columns_task, units, (units + want - 1) / want);
}

void cpu_run_blocks(struct cpu_work *w)
{
	struct product p = read_product(w);
	int64_t outer = 1;
	for (int i = 0; i < p.nouter; i++)
		outer *= w->box[0].extent[i];
	if (p.m == 0 || p.n == 0)
		return;
	p.piece = w->bound->root != NULL ? w->bound->root->nr : piece_rows(p.k);
	for (int64_t i = 0; i < outer; i++) {
		set_offsets(w, &p, i);
		for (p.from = 0; p.from < p.m; p.from += p.rows) {
			p.rows = clamp(p.m - p.from, 0, MOST_ROWS);
			run_rows(w, &p);
		}
	}
}
