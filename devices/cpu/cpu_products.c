/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps that sum products: matrix products, convolutions; and windows, which move alike.
 */
#include <string.h>

#include "devices/cpu/cpu_exec.h"
#include "kernels/any.h"

/* Products a task should have at least: some microseconds, against the tenth or ten that waking
 * another thread takes. */
#define TASK_PRODUCTS (1 << 19)

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

/* One row: x by columns j0 .. of the matrix, through the kernel its strides suit. */
static void one_row_f32(const struct cpu_work *w, const struct matrices *q, char *scratch, float *c,
			const float *a, const float *b, int64_t n)
{
	char *work = scratch + cpu_prog_bytes(&w->step->epi);
	if (q->a_col != 1 && q->k > 1) {
		float *x = (float *)work;
		for (int64_t i = 0; i < q->k; i++)
			x[i] = a[i * q->a_col];
		a = x;
	}
	if (q->b_row == 1 || q->k == 1)
		((gemv_nt_f32_fn *)w->bound->second->run)(c, a, b, q->b_col, (size_t)n,
							  (size_t)q->k);
	else
		((gemv_nn_f32_fn *)w->bound->third->run)(c, a, b, q->b_row, (size_t)n,
							 (size_t)q->k);
}

static void block(const struct cpu_work *w, const struct matrices *q, char *scratch, char *c,
		  const char *a, const char *b, int64_t m, int64_t n)
{
	adze_dtype dtype = (adze_dtype)w->step->view[1].dtype;
	bool row = q->m == 1 && (q->b_row == 1 || q->b_col == 1 || q->k == 1);
	char *work = scratch + cpu_prog_bytes(&w->step->epi);
	if (dtype != ADZE_F32)
		any_gemm(dtype, c, q->c_row, a, q->a_row, q->a_col, b, q->b_row, q->b_col,
			 (size_t)m, (size_t)n, (size_t)q->k);
	else if (row)
		one_row_f32(w, q, scratch, (float *)c, (const float *)a, (const float *)b, n);
	else
		((gemm_f32_fn *)w->bound->root->run)(
			(float *)c, q->c_row, (const float *)a, q->a_row, q->a_col,
			(const float *)b, q->b_row, q->b_col, (size_t)m, (size_t)n, (size_t)q->k,
			work);
}

/* Unit: one block of one product. */
static void gemm_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	struct matrices q = read_matrices(w);
	char *scratch = cpu_scratch(w, worker);
	int64_t from, to, size = (int64_t)w->box[0].size, in = (int64_t)w->box[1].size;
	cpu_range(w, task, &from, &to);
	if (w->step->epi.nload > 0)
		cpu_prog_begin(w, &w->step->epi, scratch);
	for (int64_t unit = from; unit < to; unit++) {
		int64_t at_n = unit % w->blocks_n, rest = unit / w->blocks_n;
		int64_t i = rest % w->blocks_m * w->block_m, j = at_n * w->block_n;
		int64_t offset[3];
		outer_offsets(w, q.nouter, rest / w->blocks_m, offset);
		int64_t m = q.m - i < w->block_m ? q.m - i : w->block_m;
		int64_t n = q.n - j < w->block_n ? q.n - j : w->block_n;
		int64_t c = offset[0] + i * q.c_row + j;
		block(w, &q, scratch, w->box[0].at + c * size,
		      w->box[1].at + (offset[1] + i * q.a_row) * in,
		      w->box[2].at + (offset[2] + j * q.b_col) * in, m, n);
		if (w->step->epi.nload == 0)
			continue;
		if (n == q.n && q.c_row == n) {
			cpu_run_epilogue(w, scratch, c, m * n);
			continue;
		}
		for (int64_t r = 0; r < m; r++)
			cpu_run_epilogue(w, scratch, c + r * q.c_row, n);
	}
}

static int64_t round_up(int64_t v, int64_t to)
{
	return (v + to - 1) / to * to;
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
	w->block_m = q.m;
	w->block_n = q.n;
	int64_t tasks = w->outer * q.m * q.n * (q.k > 0 ? q.k : 1) / TASK_PRODUCTS;
	int64_t want = tasks < threads ? tasks : threads;
	if (want > w->outer) {
		/* Whole register tiles, along the longer side. */
		int64_t parts = (want + w->outer - 1) / w->outer;
		int64_t mr = w->bound->root != NULL && w->bound->root->mr ? w->bound->root->mr : 1;
		int64_t nr = w->bound->root != NULL && w->bound->root->nr ? w->bound->root->nr : 16;
		if (q.m / mr > q.n / nr)
			w->block_m = round_up((q.m + parts - 1) / parts, mr);
		else
			w->block_n = round_up((q.n + parts - 1) / parts, nr);
	}
	w->blocks_m = (q.m + w->block_m - 1) / w->block_m;
	w->blocks_n = (q.n + w->block_n - 1) / w->block_n;
	int64_t units = w->outer * w->blocks_m * w->blocks_n;
	int64_t grain = want > 1 ? units / (want * 4) : units;
	cpu_run_tasks(w, gemm_task, units, grain);
}

/* ---- convolutions ---- */

static struct any_window conv_window(const struct cpu_work *w)
{
	const int64_t *p = w->step->param;
	struct any_window s = {.rank = w->box[0].rank - 2};
	for (int i = 0; i < s.rank; i++) {
		s.in[i] = w->box[1].extent[2 + i];
		s.out[i] = w->box[0].extent[2 + i];
		s.window[i] = w->box[2].extent[2 + i];
		s.stride[i] = p[i];
		s.low[i] = p[s.rank + i];
		s.dilation[i] = p[2 * s.rank + i];
	}
	return s;
}

/* One and two axes as two: a window of one row. */
static struct window2d flat_window(const struct any_window *s, int64_t channels,
				   int64_t out_channels, int64_t groups)
{
	int x = s->rank - 1;
	bool two = s->rank == 2;
	struct window2d v = {
		.channels = (size_t)channels,
		.height = two ? (size_t)s->in[0] : 1,
		.width = (size_t)s->in[x],
		.out_channels = (size_t)out_channels,
		.out_height = two ? (size_t)s->out[0] : 1,
		.out_width = (size_t)s->out[x],
		.groups = (size_t)groups,
		.window = {two ? (size_t)s->window[0] : 1, (size_t)s->window[x]},
		.stride = {two ? (size_t)s->stride[0] : 1, (size_t)s->stride[x]},
		.dilation = {two ? (size_t)s->dilation[0] : 1, (size_t)s->dilation[x]},
		.pad = {two ? (ptrdiff_t)s->low[0] : 0, (ptrdiff_t)s->low[x]},
	};
	return v;
}

static int64_t plane(const int64_t *n, int rank)
{
	int64_t p = 1;
	for (int i = 0; i < rank; i++)
		p *= n[i];
	return p;
}

/* Unit: one output channel of one image. */
static void conv_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	const struct cpu_box *y = &w->box[0], *x = &w->box[1], *k = &w->box[2];
	struct any_window s = conv_window(w);
	int64_t groups = w->step->param[3 * s.rank], channels = x->extent[1];
	int64_t outs = y->extent[1], of_group = outs / groups;
	int64_t in_plane = plane(s.in, s.rank), out_plane = plane(s.out, s.rank);
	int64_t from, to, size = (int64_t)y->size;
	struct window2d flat = flat_window(&s, channels, outs, groups);
	char *scratch = cpu_scratch(w, worker);
	cpu_range(w, task, &from, &to);
	if (w->step->epi.nload > 0)
		cpu_prog_begin(w, &w->step->epi, scratch);
	for (int64_t unit = from, next; unit < to; unit = next) {
		int64_t image = unit / outs, first = unit % outs;
		next = (image + 1) * outs < to ? (image + 1) * outs : to;
		int64_t end = first + (next - unit);
		char *yi = y->at + image * outs * out_plane * size;
		const char *xi = x->at + image * channels * in_plane * size;
		if (w->bound->root != NULL)
			((conv2d_f32_fn *)w->bound->root->run)((float *)yi, (const float *)xi,
							       (const float *)k->at, &flat,
							       (size_t)first, (size_t)end);
		for (int64_t o = first; w->bound->root == NULL && o < end; o++) {
			int64_t each = channels / groups, taps = plane(s.window, s.rank);
			any_conv((adze_dtype)w->step->view[0].dtype, yi + o * out_plane * size,
				 xi + o / of_group * each * in_plane * size,
				 k->at + o * each * taps * size, each, &s);
		}
		cpu_run_epilogue(w, scratch, (image * outs + first) * out_plane,
				 (end - first) * out_plane);
	}
}

void cpu_run_conv(struct cpu_work *w)
{
	struct any_window s = conv_window(w);
	int64_t units = w->box[0].extent[0] * w->box[0].extent[1];
	int64_t each = plane(s.out, s.rank) * plane(s.window, s.rank) * w->box[2].extent[1];
	if (w->box[0].count > 0)
		cpu_run_tasks(w, conv_task, units, TASK_PRODUCTS / (each + 1) + 1);
}

/* ---- windows ---- */

static struct any_window pool_window(const struct cpu_work *w)
{
	const int64_t *p = w->step->param + 1;
	struct any_window s = {.rank = w->box[0].rank};
	for (int i = 0; i < s.rank; i++) {
		s.in[i] = w->box[1].extent[i];
		s.out[i] = w->box[0].extent[i];
		s.window[i] = p[i];
		s.stride[i] = p[s.rank + i];
		s.low[i] = p[2 * s.rank + i];
		s.dilation[i] = p[3 * s.rank + i];
	}
	return s;
}

/* Whether the window moves along the last two axes alone, which the kernel serves. */
static bool is_pool2d(const struct any_window *s)
{
	for (int i = 0; i < s->rank - 2; i++)
		if (s->window[i] != 1 || s->in[i] != s->out[i] || s->stride[i] != 1 ||
		    s->low[i] != 0)
			return false;
	return s->rank >= 2;
}

/* Unit: one plane where the kernel serves, else one element. */
static void pool_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	struct any_window s = pool_window(w);
	char *scratch = cpu_scratch(w, worker);
	int64_t from, to, each = 1;
	cpu_range(w, task, &from, &to);
	if (w->bound->root != NULL && is_pool2d(&s)) {
		struct any_window last = {.rank = 2};
		for (int i = 0; i < 2; i++) {
			int k = s.rank - 2 + i;
			last.in[i] = s.in[k];
			last.out[i] = s.out[k];
			last.window[i] = s.window[k];
			last.stride[i] = s.stride[k];
			last.dilation[i] = s.dilation[k];
			last.low[i] = s.low[k];
		}
		int64_t planes = plane(s.in, s.rank - 2);
		struct window2d flat = flat_window(&last, planes, planes, 1);
		each = plane(last.out, 2);
		((pool_f32_fn *)w->bound->root->run)((float *)w->box[0].at,
						     (const float *)w->box[1].at, &flat,
						     (size_t)from, (size_t)to);
	} else {
		any_reduce_window((enum ew)w->step->param[0], (adze_dtype)w->step->view[0].dtype,
				  w->box[0].at, w->box[1].at, &s, from, to);
	}
	if (w->step->epi.nload > 0) {
		cpu_prog_begin(w, &w->step->epi, scratch);
		cpu_run_epilogue(w, scratch, from * each, (to - from) * each);
	}
}

void cpu_run_window(struct cpu_work *w)
{
	struct any_window s = pool_window(w);
	bool planes = w->bound->root != NULL && is_pool2d(&s);
	int64_t taps = plane(s.window, s.rank);
	int64_t each = planes ? taps * plane(s.out + s.rank - 2, 2) : taps;
	int64_t units = planes ? plane(s.in, s.rank - 2) : w->box[0].count;
	if (w->box[0].count > 0)
		cpu_run_tasks(w, pool_task, units, TASK_PRODUCTS / (each + 1) + 1);
}
