/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps that work on rows: reductions, arg-reductions, softmax and norms, with what was fused
 * before and after them. A row is done by one thread, in strips of fixed length, so sums do
 * not depend on how rows were shared out.
 */
#include <string.h>

#include "devices/cpu/cpu_exec.h"
#include "kernels/any.h"

#define TASK_ELEMENTS (8 * CPU_STRIP)
/* Bytes of a row that may go past the caches. */
#define STREAM_ROW ((size_t)64 << 10)

static adze_dtype wide(adze_dtype dtype)
{
	return dtype_is_float(dtype) && dtype_bytes(dtype) < 4 ? ADZE_F32 : dtype;
}

static int64_t rows_a_task(int64_t length)
{
	return length > 0 ? TASK_ELEMENTS / length : TASK_ELEMENTS;
}

/* One row that the program has to make: strip by strip, in the wide type. */
static void reduce_strips(const struct cpu_work *w, char *scratch, int64_t row, char *y)
{
	const struct cpu_prog *p = &w->step->pro;
	enum ew f = (enum ew)w->step->param[0];
	adze_dtype dtype = (adze_dtype)p->dtype, acc = wide(dtype);
	char *tail = scratch + cpu_prog_bytes(p) + CPU_SLOT_BYTES;
	uint64_t sum[2], part[2];
	ew_start_element(f, dtype, sum);
	if (acc != dtype)
		dtype_convert(acc, sum, dtype, sum, 0);
	for (int64_t at = 0; at < w->length; at += CPU_STRIP) {
		int64_t n = w->length - at < CPU_STRIP ? w->length - at : CPU_STRIP;
		const char *x = cpu_prog_strip(w, p, &w->bound->pro, scratch,
					       row * w->length + at, n, NULL);
		if (acc != dtype) {
			((convert_fn *)w->bound->third->run)(tail, x, (size_t)n);
			x = tail;
		}
		if (dtype_is_complex(dtype)) {
			any_reduce_complex(f, dtype, sum, x, (size_t)n, false);
			continue;
		}
		((reduce_fn *)w->bound->second->run)(part, x, (size_t)n);
		ew_element(f, acc, sum, sum, part, NULL, 0);
	}
	dtype_convert(dtype, y, acc, sum, 0);
	if (acc == dtype)
		memcpy(y, sum, dtype_bytes(dtype));
}

static void reduce_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	const struct cpu_prog *p = &w->step->pro;
	char *scratch = cpu_scratch(w, worker);
	int64_t from, to;
	cpu_range(w, task, &from, &to);
	cpu_prog_begin(w, p, scratch);
	for (int64_t row = from; row < to; row++) {
		char *y = w->box[0].at + row * (int64_t)w->box[0].size;
		const char *x = cpu_prog_direct(w, p, row * w->length, w->length);
		if (x != NULL && w->length > 0 && w->bound->root != NULL)
			((reduce_fn *)w->bound->root->run)(y, x, (size_t)w->length);
		else
			reduce_strips(w, scratch, row, y);
	}
	if (w->step->epi.nload > 0) {
		cpu_prog_begin(w, &w->step->epi, scratch);
		cpu_run_epilogue(w, scratch, from, to - from);
	}
}

void cpu_run_reduce(struct cpu_work *w)
{
	w->length = w->number[w->step->param[1]];
	cpu_run_tasks(w, reduce_task, w->box[0].count, rows_a_task(w->length));
}

/* Unit: a strip of the inner axes, for one place of the outer ones. */
static void columns_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	const struct cpu_prog *p = &w->step->pro;
	enum ew f = (enum ew)w->step->param[0];
	adze_dtype dtype = (adze_dtype)p->dtype, acc = wide(dtype);
	char *scratch = cpu_scratch(w, worker);
	char *sum = scratch + cpu_prog_bytes(p) + CPU_SLOT_BYTES;
	int64_t from, to, strips = (w->inner + CPU_STRIP - 1) / CPU_STRIP;
	uint64_t start[2];
	ew_start_element(f, dtype, start);
	if (acc != dtype)
		dtype_convert(acc, start, dtype, start, 0);
	cpu_range(w, task, &from, &to);
	for (int64_t unit = from; unit < to; unit++) {
		int64_t outer = unit / strips, col = unit % strips * CPU_STRIP;
		int64_t n = w->inner - col < CPU_STRIP ? w->inner - col : CPU_STRIP;
		size_t size = dtype_bytes(acc);
		cpu_prog_begin(w, p, scratch);
		for (int64_t i = 0; i < n; i++)
			memcpy(sum + (size_t)i * size, start, size);
		for (int64_t r = 0; r < w->length; r++) {
			const char *x = cpu_prog_strip(
				w, p, &w->bound->pro, scratch,
				(outer * w->length + r) * w->inner + col, n, NULL);
			if (w->bound->root == NULL)
				any_reduce_complex(f, dtype, sum, x, (size_t)n, true);
			else
				((reduce_step_fn *)w->bound->root->run)(sum, x, (size_t)n);
		}
		int64_t at = outer * w->inner + col;
		char *y = w->box[0].at + at * (int64_t)w->box[0].size;
		if (acc != dtype)
			((convert_fn *)w->bound->third->run)(y, sum, (size_t)n);
		else
			memcpy(y, sum, (size_t)n * size);
		if (w->step->epi.nload > 0) {
			cpu_prog_begin(w, &w->step->epi, scratch);
			cpu_run_epilogue(w, scratch, at, n);
		}
	}
}

void cpu_run_columns(struct cpu_work *w)
{
	w->length = w->number[w->step->param[1]];
	w->inner = w->number[w->step->param[2]];
	if (w->inner == 0)
		return;
	int64_t strips = (w->inner + CPU_STRIP - 1) / CPU_STRIP;
	int64_t strip = w->inner < CPU_STRIP ? w->inner : CPU_STRIP;
	cpu_run_tasks(w, columns_task, w->box[0].count / w->inner * strips,
		      rows_a_task(w->length * strip));
}

/* Scratch for a row, behind the strips. */
static char *row_place(const struct cpu_work *w, char *scratch)
{
	size_t epi = cpu_prog_bytes(&w->step->epi);
	size_t pro = cpu_prog_bytes(&w->step->pro) + CPU_SLOT_BYTES;
	return scratch + (pro > epi ? pro : epi);
}

/* The whole row one behind the other: in place, or made in scratch. */
static const char *whole_row(const struct cpu_work *w, char *scratch, int64_t row)
{
	const struct cpu_prog *p = &w->step->pro;
	const char *x = cpu_prog_direct(w, p, row * w->length, w->length);
	if (x != NULL)
		return x;
	char *to = row_place(w, scratch);
	cpu_prog_run(w, p, &w->bound->pro, scratch, row * w->length, w->length, to);
	return to;
}

static void arg_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	char *scratch = cpu_scratch(w, worker);
	int64_t from, to;
	cpu_range(w, task, &from, &to);
	cpu_prog_begin(w, &w->step->pro, scratch);
	for (int64_t row = from; row < to; row++) {
		const char *x = whole_row(w, scratch, row);
		/* An axis with a symbol may be empty in a call; there is no index then. */
		int32_t at = w->length == 0 ? 0
					    : (int32_t)((arg_fn *)w->bound->root->run)(
						      x, (size_t)w->length);
		memcpy(w->box[0].at + row * 4, &at, 4);
	}
	if (w->step->epi.nload > 0) {
		cpu_prog_begin(w, &w->step->epi, scratch);
		cpu_run_epilogue(w, scratch, from, to - from);
	}
}

void cpu_run_arg(struct cpu_work *w)
{
	w->length = w->number[w->step->param[1]];
	cpu_run_tasks(w, arg_task, w->box[0].count, rows_a_task(w->length));
}

static void row_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	const struct cpu_step *s = w->step;
	char *scratch = cpu_scratch(w, worker);
	int64_t from, to;
	size_t n = (size_t)w->length, size = w->box[0].size;
	const char *scale = s->param[1] > 0 ? w->box[1].at : NULL;
	const char *bias = s->param[1] > 1 ? w->box[2].at : NULL;
	/* A row that the first caches hold, and that nothing follows, goes to memory from there. */
	bool stream = cpu_streams(w) && n * size <= STREAM_ROW && s->epi.nload == 0;
	cpu_range(w, task, &from, &to);
	for (int64_t row = from; row < to; row++) {
		if (row == from || s->epi.nload > 0)
			cpu_prog_begin(w, &s->pro, scratch);
		char *home = w->box[0].at + (size_t)row * n * size;
		char *y = stream ? row_place(w, scratch) : home;
		const char *x = whole_row(w, scratch, row);
		if (s->op == OP_SOFTMAX)
			((softmax_fn *)w->bound->root->run)(y, x, n);
		else if (s->op == OP_LAYER_NORM)
			((layer_norm_fn *)w->bound->root->run)(y, x, scale, bias, n, s->eps);
		else
			((rms_norm_fn *)w->bound->root->run)(y, x, scale, n, s->eps);
		if (stream)
			((stream_fn *)w->bound->stream->run)(home, y, n * size);
		if (s->epi.nload > 0) {
			cpu_prog_begin(w, &s->epi, scratch);
			cpu_run_epilogue(w, scratch, row * w->length, w->length);
		}
	}
	if (stream)
		((stream_fn *)w->bound->stream->run)(scratch, scratch, 0);
}

void cpu_run_row(struct cpu_work *w)
{
	w->length = w->number[w->step->param[0]];
	if (w->length > 0)
		cpu_run_tasks(w, row_task, w->box[0].count / w->length, rows_a_task(w->length));
}
