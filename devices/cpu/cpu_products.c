/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions; and windows, which move alike. Matrix products: cpu_gemm.c.
 */
#include "devices/cpu/cpu_exec.h"
#include "kernels/any.h"

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
