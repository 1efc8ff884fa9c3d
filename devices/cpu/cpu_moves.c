/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps that move elements: boxes, boxes at run-time places, slices picked by index, counts.
 */
#include <string.h>

#include "devices/cpu/cpu_exec.h"
#include "kernels/any.h"

#define TASK_BYTES 65536

static void copy_row(char *y, int64_t y_stride, const char *x, int64_t x_stride, int64_t n,
		     int64_t size)
{
	if (y_stride == 1 && x_stride == 1) {
		memcpy(y, x, (size_t)(n * size));
		return;
	}
	for (int64_t i = 0; i < n; i++)
		memcpy(y + i * y_stride * size, x + i * x_stride * size, (size_t)size);
}

/* Rows first .. end, counted over all but the last axis, of a box with the extents of `to`. */
static void copy_rows(const struct cpu_box *to, const struct cpu_box *from, int64_t first,
		      int64_t end)
{
	int last = to->rank - 1;
	int64_t size = (int64_t)to->size;
	if (to->rank == 0) {
		memcpy(to->at, from->at, to->size);
		return;
	}
	for (int64_t row = first; row < end; row++) {
		int64_t rest = row, y = 0, x = 0;
		for (int i = last - 1; i >= 0; i--) {
			int64_t at = rest % to->extent[i];
			rest /= to->extent[i];
			y += at * to->stride[i];
			x += at * from->stride[i];
		}
		copy_row(to->at + y * size, to->stride[last], from->at + x * size,
			 from->stride[last], to->extent[last], size);
	}
}

static int64_t rows_of(const struct cpu_box *b)
{
	int64_t n = 1;
	for (int i = 0; i + 1 < b->rank; i++)
		n *= b->extent[i];
	return b->count > 0 ? n : 0;
}

static int64_t row_bytes(const struct cpu_box *b)
{
	return (b->rank > 0 ? b->extent[b->rank - 1] : 1) * (int64_t)b->size;
}

static void copy_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	int64_t from, to;
	(void)worker;
	cpu_range(w, task, &from, &to);
	copy_rows(&w->box[0], &w->box[1], from, to);
}

void cpu_run_copy(struct cpu_work *w)
{
	cpu_run_tasks(w, copy_task, rows_of(&w->box[0]),
		      TASK_BYTES / (row_bytes(&w->box[0]) + 1) + 1);
}

/* Whole bytes of any packed type: a task writes no byte of another's. */
#define CONVERT_ELEMENTS (1 << 15)

static void convert_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	adze_dtype to = (adze_dtype)w->step->view[0].dtype;
	adze_dtype from = (adze_dtype)w->step->view[1].dtype;
	int64_t first, end;
	(void)worker;
	cpu_range(w, task, &first, &end);
	any_convert(to, w->box[0].at + first * dtype_info(to)->bits / 8, from,
		    w->box[1].at + first * dtype_info(from)->bits / 8, (size_t)(end - first));
}

void cpu_run_convert(struct cpu_work *w)
{
	cpu_run_tasks(w, convert_task, w->box[0].count, CONVERT_ELEMENTS);
}

static void fill_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	int64_t from, to;
	(void)worker;
	cpu_range(w, task, &from, &to);
	char *y = w->box[0].at + from * (int64_t)w->box[0].size;
	if (w->bound->root != NULL)
		((fill_fn *)w->bound->root->run)(y, w->box[1].at, (size_t)(to - from));
	for (int64_t i = 0; w->bound->root == NULL && i < to - from; i++)
		memcpy(y + i * 16, w->box[1].at, 16);
}

void cpu_run_fill(struct cpu_work *w)
{
	cpu_run_tasks(w, fill_task, w->box[0].count, TASK_BYTES);
}

static int64_t integer(const struct cpu_work *w, int view)
{
	adze_dtype dtype = (adze_dtype)w->step->view[view].dtype;
	int64_t v = dtype_load_int(dtype, w->box[view].at, 0);
	return dtype == ADZE_U64 && v < 0 ? INT64_MAX : v;
}

/* Moves the larger box to the scalars' place, kept inside, and gives it the smaller's extents. */
static struct cpu_box window_of(const struct cpu_work *w, const struct cpu_box *large,
				const struct cpu_box *small)
{
	struct cpu_box b = *large;
	for (int i = 0; i < b.rank; i++) {
		int64_t at = integer(w, 2 + i), most = b.extent[i] - small->extent[i];
		at = at < 0 ? 0 : at > most ? most : at;
		b.at += at * b.stride[i] * (int64_t)b.size;
		b.extent[i] = small->extent[i];
	}
	b.count = small->count;
	return b;
}

void cpu_run_pick(struct cpu_work *w)
{
	struct cpu_box from = window_of(w, &w->box[1], &w->box[0]);
	copy_rows(&w->box[0], &from, 0, rows_of(&w->box[0]));
}

void cpu_run_put(struct cpu_work *w)
{
	struct cpu_box to = window_of(w, &w->box[0], &w->box[1]);
	copy_rows(&to, &w->box[1], 0, rows_of(&w->box[1]));
}

/* Unit: one index for one place of the outer axes. */
static void take_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	const struct cpu_box *y = &w->box[0], *x = &w->box[1], *at = &w->box[2];
	adze_dtype dtype = (adze_dtype)w->step->view[2].dtype;
	int64_t bytes = y->extent[2] * (int64_t)y->size, from, to;
	(void)worker;
	cpu_range(w, task, &from, &to);
	for (int64_t unit = from; unit < to; unit++) {
		int64_t outer = unit / y->extent[1], i = unit % y->extent[1];
		int64_t index = dtype_load_int(dtype, at->at, (size_t)i);
		if (dtype == ADZE_U64 && index < 0)
			index = INT64_MAX;
		index = index < 0 ? 0 : index >= x->extent[1] ? x->extent[1] - 1 : index;
		if (x->extent[1] > 0)
			memcpy(y->at + unit * bytes,
			       x->at + (outer * x->extent[1] + index) * bytes, (size_t)bytes);
		else /* an axis with a symbol that is 0 in this call */
			memset(y->at + unit * bytes, 0, (size_t)bytes);
	}
}

void cpu_run_take(struct cpu_work *w)
{
	const struct cpu_box *y = &w->box[0];
	cpu_run_tasks(w, take_task, y->count > 0 ? y->extent[0] * y->extent[1] : 0,
		      TASK_BYTES / (y->extent[2] * (int64_t)y->size + 1) + 1);
}

void cpu_run_iota(struct cpu_work *w)
{
	const struct cpu_box *y = &w->box[0];
	adze_dtype dtype = (adze_dtype)w->step->view[0].dtype;
	for (int64_t i = 0; i < y->count; i++) {
		int64_t v = i / y->extent[2] % y->extent[1];
		dtype_convert_at(dtype, y->at, (size_t)i, ADZE_I64, &v, 0);
	}
}

void cpu_run_extent(struct cpu_work *w)
{
	int32_t v = (int32_t)w->number[w->step->param[0]];
	memcpy(w->box[0].at, &v, sizeof v);
}
