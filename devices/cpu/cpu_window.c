/* SPDX-License-Identifier: Apache-2.0
 *
 * Windows that move over an array: pooling.
 */
#include "devices/cpu/cpu_window.h"

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
		int64_t planes = cpu_plane(s.in, s.rank - 2);
		struct window2d flat = cpu_flat_window(&last, planes, planes, 1);
		each = cpu_plane(last.out, 2);
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
	int64_t taps = cpu_plane(s.window, s.rank);
	int64_t each = planes ? taps * cpu_plane(s.out + s.rank - 2, 2) : taps;
	int64_t units = planes ? cpu_plane(s.in, s.rank - 2) : w->box[0].count;
	if (w->box[0].count > 0)
		cpu_run_tasks(w, pool_task, units, TASK_PRODUCTS / (each + 1) + 1);
}
