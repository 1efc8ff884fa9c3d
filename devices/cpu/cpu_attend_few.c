/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention of few rows over many keys: keys and values are read once, as they lie, in parts of
 * ATTEND_KEYS that any thread may take. Each part has a maximum, a total and sums of its own,
 * which are put together in the order of the parts.
 */
#include "devices/cpu/cpu_attend.h"

#include <math.h>
#include <string.h>

/* Keys that are passed over at the ends of a part, together. */
#define STEP 32

/* What a part says of each row, and of what it passed over. */
struct part {
	float *most, *total, *unseen, *sums;
};

static size_t part_floats(int64_t m, int64_t dv)
{
	return size_round_up((size_t)m * ((size_t)dv + 2) + 1, 16);
}

static int64_t count_parts(int64_t t)
{
	return t > ATTEND_KEYS ? (t + ATTEND_KEYS - 1) / ATTEND_KEYS : 1;
}

size_t cpu_attend_parts(int64_t m, int64_t t, int64_t dv, int64_t outer)
{
	size_t n;
	if (!size_mul((size_t)outer, (size_t)count_parts(t), &n) ||
	    !size_mul(n, part_floats(m, dv) * sizeof(float), &n))
		return SIZE_MAX;
	return n;
}

static struct part get_part(const struct cpu_attend *a, int64_t i)
{
	float *at = (float *)(void *)a->w->frame->shared +
		    (size_t)(a->outer * count_parts(a->t) + i) * part_floats(a->m, a->dv);
	return (struct part){at, at + a->m, at + 2 * a->m, at + 2 * a->m + 1};
}

static void begin(struct cpu_attend *a, int64_t outer)
{
	cpu_attend_seek(a, outer, 0, a->m);
	cpu_attend_queries(a, a->q_pack);
}

/* Leaves out what nobody sees at either end; false where nothing is left. */
static bool narrow(struct cpu_attend *a, int64_t *from, int64_t *to)
{
	while (*from < *to) {
		int64_t n = *to - *from < STEP ? *to - *from : STEP;
		struct cpu_range r = cpu_attend_range(a, 0, a->m, *from, n);
		if (!cpu_attend_skips(a, &r, NAN))
			break;
		*from += n;
	}
	while (*from < *to) {
		int64_t n = *to - *from < STEP ? *to - *from : STEP;
		struct cpu_range r = cpu_attend_range(a, 0, a->m, *to - n, n);
		if (!cpu_attend_skips(a, &r, NAN))
			break;
		*to -= n;
	}
	return *from < *to;
}

static void run_part(struct cpu_attend *a, int64_t i)
{
	int64_t from = i * ATTEND_KEYS, to = from + ATTEND_KEYS < a->t ? from + ATTEND_KEYS : a->t;
	const int64_t *k = a->k->stride + a->nouter, *v = a->v->stride + a->nouter;
	struct part p = get_part(a, i);
	size_t rows = (size_t)a->m;
	a->unseen = -INFINITY;
	for (size_t r = 0; r < rows; r++) {
		p.most[r] = -INFINITY;
		p.total[r] = 0;
	}
	struct cpu_range all = cpu_attend_range(a, 0, a->m, from, to - from);
	bool plain = all.kind == CPU_RANGE_SCORE && all.lo == 0 && all.hi == 0;
	bool some = plain || narrow(a, &from, &to);
	*p.unseen = (float)a->unseen;
	if (!some || to <= from) {
		memset(p.sums, 0, rows * (size_t)a->dv * sizeof *p.sums);
		return;
	}
	size_t n = (size_t)(to - from);
	((attend_dots_fn *)cpu_attend_kernel(a, CPU_ATTEND_DOTS))(
		a->scores, a->q_pack, a->d, a->k_at + from * k[0] * (int64_t)a->k->size, k[0],
		rows, n, (size_t)a->d);
	if (!plain)
		cpu_attend_body(a, a->scores, 0, a->m, from, to - from);
	((attend_soften_fn *)cpu_attend_kernel(a, CPU_ATTEND_SOFTEN))(
		a->scores, rows, n, plain ? (float)all.factor : 1, p.most, p.total, a->scale);
	((attend_few_fn *)cpu_attend_kernel(a, CPU_ATTEND_FEW))(
		p.sums, a->dv, a->scores, a->v_at + from * v[0] * (int64_t)a->v->size, v[0], rows,
		n, (size_t)a->dv);
}

/* Unit: one part of one outer place. */
static void part_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	struct cpu_attend a;
	int64_t unit, to;
	cpu_range(w, task, &unit, &to);
	cpu_attend_begin(w, worker, &a);
	int64_t parts = count_parts(a.t), outer = -1;
	for (; unit < to; unit++) {
		if (unit / parts != outer)
			begin(&a, outer = unit / parts);
		run_part(&a, unit % parts);
	}
}

/* Maxima over all parts, and what they passed over. */
static void find_most(struct cpu_attend *a)
{
	a->unseen = -INFINITY;
	for (int64_t r = 0; r < a->m; r++)
		a->most[r] = -INFINITY;
	for (int64_t i = 0; i < count_parts(a->t); i++) {
		struct part p = get_part(a, i);
		a->unseen = fmax(a->unseen, (double)*p.unseen);
		for (int64_t r = 0; r < a->m; r++)
			a->most[r] = p.most[r] > a->most[r] ? p.most[r] : a->most[r];
	}
}

static void join_row(struct cpu_attend *a, int64_t r)
{
	float total = 0;
	memset(a->sums, 0, (size_t)a->dv * sizeof *a->sums);
	for (int64_t i = 0; i < count_parts(a->t); i++) {
		struct part p = get_part(a, i);
		float scale = p.most[r] == a->most[r] ? 1 : expf(p.most[r] - a->most[r]);
		total += p.total[r] * scale;
		for (int64_t c = 0; c < a->dv; c++)
			a->sums[c] += p.sums[r * a->dv + c] * scale;
	}
	cpu_attend_write(a, r, a->sums, a->nr, total);
}

/* Unit: one outer place. */
static void join_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	struct cpu_attend a;
	int64_t unit, to;
	cpu_range(w, task, &unit, &to);
	cpu_attend_begin(w, worker, &a);
	for (; unit < to; unit++) {
		begin(&a, unit);
		find_most(&a);
		if (!cpu_attend_enough(&a, a.most)) {
			a.skips = false;
			for (int64_t i = 0; i < count_parts(a.t); i++)
				run_part(&a, i);
			find_most(&a);
		}
		for (int64_t r = 0; r < a.m; r++)
			join_row(&a, r);
	}
}

void cpu_attend_run_few(struct cpu_work *w)
{
	struct cpu_attend a;
	cpu_attend_begin(w, 0, &a);
	int64_t keys = a.t < ATTEND_KEYS ? a.t : ATTEND_KEYS, parts = count_parts(a.t);
	cpu_run_tasks(w, part_task, w->outer * parts,
		      TASK_PRODUCTS / (a.m * keys * (a.d + a.dv) + 1) + 1);
	cpu_run_tasks(w, join_task, w->outer,
		      TASK_PRODUCTS / (a.m * parts * (a.dv + 16) + 1) + 1);
}
