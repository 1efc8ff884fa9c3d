/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products. A few rows against a matrix whose rows lie along the sum go to the kernel
 * that reads that matrix once, one row against a matrix that lies across it to another, the
 * rest to the packed product; a product of 16-bit floats is made in f32 and rounded once.
 */
#include "devices/cpu/cpu_exec.h"
#include "kernels/any.h"
#include "kernels/gemm_blocks.h"

/* The most rows that do not go to the packed product: above, packing pays, later where elements
 * are converted. */
#define FEW_ROWS 16
#define FEW_ROWS_F32 8
/* A block that is made in f32 first: its columns at most, and its floats. */
#define WIDE_COLUMNS 512
#define WIDE_BLOCK (1 << 18)
/* Blocks for each thread, so that a late one does not hold the rest. Each packs its part of the
 * right matrix, as narrow as RIGHT_LEAST, for this many rows of the left one at least. */
#define BLOCKS_A_THREAD 8
#define LEFT_LEAST 256
#define RIGHT_LEAST 128
/* Elements of a result that an epilogue finds in the cache. */
#define NEAR_RESULT (1 << 17)

/* Rows and columns of bytes that are turned at a time where they do not lie along the sum. */
#define BYTE_ROWS 32
#define BYTE_COLUMNS 48

/* PLAIN: loops for any type. BYTES: of i8 and u8 in i32. NT, TN: the rows of b, of a are what is
 * read once. */
enum route {
	ROUTE_PLAIN, ROUTE_BYTES, ROUTE_PACKED, ROUTE_NT, ROUTE_TN, ROUTE_NN
};

/* Numbers of one product: strides in elements. */
struct matrices {
	int64_t m, n, k;
	int64_t a_row, a_col, b_row, b_col, c_row;
	int nouter;
};

static struct matrices read_matrices(const struct cpu_work *w)
{
	const struct cpu_box *c = &w->box[0], *a = &w->box[1], *b = &w->box[2];
	int o = c->rank - 2;
	return (struct matrices){c->extent[o],     c->extent[o + 1], a->extent[o + 1],
				 a->stride[o],     a->stride[o + 1], b->stride[o],
				 b->stride[o + 1], c->stride[o],     o};
}

/* Offsets, in elements, of the product number `i` in the three operands. */
static void outer_offsets(const struct cpu_work *w, int nouter, int64_t i, int64_t *offset)
{
	offset[0] = offset[1] = offset[2] = 0;
	for (int k = nouter - 1; k >= 0; k--) {
		int64_t at = i % w->box[0].extent[k];
		i /= w->box[0].extent[k];
		for (int v = 0; v < 3; v++)
			offset[v] += at * w->box[v].stride[k];
	}
}

static enum route find_route(const struct cpu_work *w, const struct matrices *q)
{
	const struct cpu_view *v = w->step->view;
	bool along_a = (q->a_col == 1 || q->k <= 1) && v[1].dtype == v[2].dtype;
	bool along_b = q->b_row == 1 || q->k <= 1;
	int64_t few = v[2].dtype == ADZE_F32 ? FEW_ROWS_F32 : FEW_ROWS;
	if (w->bound->root == NULL)
		return w->bound->second != NULL ? ROUTE_BYTES : ROUTE_PLAIN;
	if (along_b && q->m <= few && (q->m <= q->n || !along_a))
		return ROUTE_NT;
	if (along_a && q->n <= few)
		return ROUTE_TN;
	if (q->m == 1 && q->b_col == 1 && w->bound->third != NULL)
		return ROUTE_NN;
	return ROUTE_PACKED;
}

/* ---- one block ---- */

/* A block of the three matrices; c of f32, or in its own type and to be made in `wide`. */
struct part {
	char *c;
	const char *a, *b;
	int64_t m, n;
	char *work; /* cpu_gemm_scratch() bytes */
};

/* Rows of f32 along the sum: where they are, or copied. */
static const float *plain_rows(const struct cpu_bound *b, adze_dtype dtype, const char *x,
			       int64_t *row, int64_t col, int64_t rows, int64_t k, float *to)
{
	size_t size = dtype_bytes(dtype);
	if (dtype == ADZE_F32 && (col == 1 || k <= 1))
		return (const float *)x;
	for (int64_t i = 0; i < rows; i++) {
		const char *from = x + i * *row * (int64_t)size;
		if (col == 1)
			((convert_fn *)b->widen->run)(to + i * k, from, (size_t)k);
		for (int64_t p = 0; p < k && col != 1; p++)
			dtype_convert(ADZE_F32, to + i * k + p, dtype,
				      from + p * col * (int64_t)size, 0);
	}
	*row = k;
	return to;
}

static void few_rows(const struct cpu_work *w, const struct matrices *q, const struct part *p,
		     float *c, int64_t c_row)
{
	const struct cpu_bound *b = w->bound;
	bool swap = w->route == ROUTE_TN;
	float *copy = (float *)p->work;
	int64_t row = swap ? q->b_col : q->a_row, rows = swap ? p->n : p->m;
	const float *x = plain_rows(b, (adze_dtype)w->step->view[swap ? 2 : 1].dtype,
				    swap ? p->b : p->a, &row, swap ? q->b_row : q->a_col, rows,
				    q->k, copy);
	((gemm_nt_fn *)b->second->run)(c, swap ? 1 : c_row, swap ? c_row : 1, x, row,
				       swap ? p->a : p->b, swap ? q->a_row : q->b_col,
				       (size_t)rows, (size_t)(swap ? p->m : p->n), (size_t)q->k);
}

/* One row by a matrix whose rows lie across the sum. */
static void one_row(const struct cpu_work *w, const struct matrices *q, const struct part *p)
{
	int64_t row = q->k;
	const float *x = plain_rows(w->bound, ADZE_F32, p->a, &row, q->a_col, 1, q->k,
				    (float *)p->work);
	((gemv_nn_f32_fn *)w->bound->third->run)((float *)p->c, x, (const float *)p->b, q->b_row,
						 (size_t)p->n, (size_t)q->k);
}

static void make_wide(const struct cpu_work *w, const struct matrices *q, const struct part *p,
		      float *c, int64_t c_row)
{
	if (w->route == ROUTE_PACKED)
		((gemm_fn *)w->bound->root->run)(c, c_row, p->a, q->a_row, q->a_col, p->b,
						 q->b_row, q->b_col, (size_t)p->m, (size_t)p->n,
						 (size_t)q->k, p->work);
	else
		few_rows(w, q, p, c, c_row);
}

static size_t work_bytes(const struct cpu_bound *b, int64_t m, int64_t n, int64_t k)
{
	int64_t rows = m < n ? n : m;
	size_t copy = (size_t)((rows < FEW_ROWS ? rows : FEW_ROWS) * k) * sizeof(float);
	size_t own = b->root->gemm_work;
	return (own > copy ? own : copy) / 64 * 64 + 64;
}

size_t cpu_gemm_scratch(const struct cpu_bound *b, int64_t m, int64_t n, int64_t k)
{
	if (b->root == NULL)
		return b->second != NULL ? (size_t)((BYTE_ROWS + BYTE_COLUMNS) * k) : 0;
	return work_bytes(b, m, n, k) + (b->narrow != NULL ? WIDE_BLOCK * sizeof(float) : 0);
}

/* Up to `rows` of *n rows of bytes along the sum: where they are, or turned. */
static const char *byte_rows(const char *x, int64_t *row, int64_t col, int64_t *n, int64_t rows,
			     int64_t k, char *to)
{
	if (col == 1 || k <= 1)
		return x;
	*n = *n < rows ? *n : rows;
	for (int64_t i = 0; i < *n; i++)
		for (int64_t p = 0; p < k; p++)
			to[i * k + p] = x[i * *row + p * col];
	*row = k;
	return to;
}

static void byte_block(const struct cpu_work *w, const struct matrices *q, const struct part *p)
{
	gemm_nt_int_fn *run = (gemm_nt_int_fn *)w->bound->second->run;
	for (int64_t j = 0, n; j < p->n; j += n) {
		int64_t b_row = q->b_col;
		n = p->n - j;
		const char *b = byte_rows(p->b + j * q->b_col, &b_row, q->b_row, &n, BYTE_COLUMNS,
					  q->k, p->work + BYTE_ROWS * q->k);
		for (int64_t i = 0, m; i < p->m; i += m) {
			int64_t a_row = q->a_row;
			m = p->m - i;
			const char *a = byte_rows(p->a + i * q->a_row, &a_row, q->a_col, &m,
						  BYTE_ROWS, q->k, p->work);
			run((int32_t *)p->c + i * q->c_row + j, q->c_row, 1, a, a_row, b, b_row,
			    (size_t)m, (size_t)n, (size_t)q->k);
		}
	}
}

static void block(const struct cpu_work *w, const struct matrices *q, const struct part *p)
{
	if (w->route == ROUTE_PLAIN) {
		any_gemm((adze_dtype)w->step->view[1].dtype, p->c, q->c_row, p->a, q->a_row,
			 q->a_col, p->b, q->b_row, q->b_col, (size_t)p->m, (size_t)p->n,
			 (size_t)q->k);
	} else if (w->route == ROUTE_BYTES) {
		byte_block(w, q, p);
	} else if (w->route == ROUTE_NN) {
		one_row(w, q, p);
	} else if (w->bound->narrow == NULL) {
		make_wide(w, q, p, (float *)p->c, q->c_row);
	} else {
		float *wide = (float *)(p->work + work_bytes(w->bound, q->m, q->n, q->k));
		make_wide(w, q, p, wide, p->n);
		for (int64_t i = 0; i < p->m; i++)
			((convert_fn *)w->bound->narrow->run)(
				p->c + i * q->c_row * (int64_t)w->box[0].size, wide + i * p->n,
				(size_t)p->n);
	}
}

/* ---- all blocks ---- */

/* Unit: one block of one product. */
static void gemm_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	struct matrices q = read_matrices(w);
	char *scratch = cpu_scratch(w, worker);
	const struct cpu_box *box = w->box;
	int64_t from, to;
	cpu_range(w, task, &from, &to);
	if (w->step->epi.nload > 0)
		cpu_prog_begin(w, &w->step->epi, scratch);
	for (int64_t unit = from; unit < to; unit++) {
		int64_t at_n = unit % w->blocks_n, rest = unit / w->blocks_n;
		int64_t i = rest % w->blocks_m * w->block_m, j = at_n * w->block_n;
		int64_t offset[3];
		outer_offsets(w, q.nouter, rest / w->blocks_m, offset);
		int64_t c = offset[0] + i * q.c_row + j;
		struct part p = {
			box[0].at + c * (int64_t)box[0].size,
			box[1].at + (offset[1] + i * q.a_row) * (int64_t)box[1].size,
			box[2].at + (offset[2] + j * q.b_col) * (int64_t)box[2].size,
			q.m - i < w->block_m ? q.m - i : w->block_m,
			q.n - j < w->block_n ? q.n - j : w->block_n,
			scratch + size_round_up(cpu_prog_bytes(&w->step->epi), 64)};
		block(w, &q, &p);
		if (w->step->epi.nload == 0)
			continue;
		if (p.n == q.n && q.c_row == p.n) {
			cpu_run_epilogue(w, scratch, c, p.m * p.n);
			continue;
		}
		for (int64_t r = 0; r < p.m; r++)
			cpu_run_epilogue(w, scratch, c + r * q.c_row, p.n);
	}
}

static int64_t round_up(int64_t v, int64_t to)
{
	return (v + to - 1) / to * to;
}

static int64_t at_least(int64_t v, int64_t least)
{
	return v > least ? v : least;
}

/* Parts of one side, whole tiles each. */
static int64_t part_of(int64_t n, int64_t parts, int64_t tile, int64_t least)
{
	return at_least(round_up((n + parts - 1) / parts, tile), least);
}

/* The side that is packed is cut first, since what is packed twice costs twice. */
static void cut_packed(struct cpu_work *w, const struct matrices *q, int64_t parts)
{
	bool swap = gemm_swaps(q->a_col, q->b_row, (size_t)q->m, (size_t)q->n);
	int64_t right = swap ? q->m : q->n, left = swap ? q->n : q->m;
	int64_t of_right = part_of(right, parts, 16, RIGHT_LEAST);
	int64_t done = (right + of_right - 1) / of_right;
	int64_t of_left = part_of(left, (parts + done - 1) / done, 48, LEFT_LEAST);
	w->block_m = swap ? of_right : of_left;
	w->block_n = swap ? of_left : of_right;
}

/* Cuts a product in about `parts`: what is read once along its rows, others along the longer
 * side. A block that is made in f32 first is no larger than its place. */
static void cut(struct cpu_work *w, const struct matrices *q, int64_t parts)
{
	w->block_m = q->m;
	w->block_n = q->n;
	if (w->route == ROUTE_NT || w->route == ROUTE_NN)
		w->block_n = part_of(q->n, parts, 48, 1);
	else if (w->route == ROUTE_TN)
		w->block_m = part_of(q->m, parts, 48, 1);
	else if (w->route == ROUTE_PACKED)
		cut_packed(w, q, parts);
	else if (q->m > q->n)
		w->block_m = part_of(q->m, parts, 1, w->route == ROUTE_BYTES ? BYTE_ROWS : 1);
	else
		w->block_n = part_of(q->n, parts, 16, BYTE_COLUMNS);
	if (w->bound->narrow == NULL)
		return;
	if (w->block_n > WIDE_COLUMNS)
		w->block_n = WIDE_COLUMNS;
	if (w->block_m > WIDE_BLOCK / w->block_n)
		w->block_m = WIDE_BLOCK / w->block_n;
}

void cpu_run_gemm(struct cpu_work *w)
{
	struct matrices q = read_matrices(w);
	int threads = w->pool != NULL ? cpu_pool_threads(w->pool) : 1;
	w->outer = 1;
	for (int k = 0; k < q.nouter; k++)
		w->outer *= w->box[0].extent[k];
	if (w->outer == 0 || q.m == 0 || q.n == 0)
		return;
	w->route = find_route(w, &q);
	int64_t tasks = w->outer * q.m * q.n * (q.k > 0 ? q.k : 1) / TASK_PRODUCTS;
	int64_t want = threads == 1 ? 1 : BLOCKS_A_THREAD * (int64_t)threads;
	want = at_least(tasks < want ? tasks : want, 1);
	if (w->step->epi.nload > 0)
		want = at_least(want, w->box[0].count / NEAR_RESULT);
	cut(w, &q, (want + w->outer - 1) / w->outer);
	w->blocks_m = (q.m + w->block_m - 1) / w->block_m;
	w->blocks_n = (q.n + w->block_n - 1) / w->block_n;
	int64_t units = w->outer * w->blocks_m * w->blocks_n;
	cpu_run_tasks(w, gemm_task, units, units / want);
}
