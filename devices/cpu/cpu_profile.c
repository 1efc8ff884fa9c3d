/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps that are recorded, and what they are. Each thread's first and last task of a step are the
 * ends of its part.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/block.h"
#include "devices/cpu/cpu_exec.h"
#include "devices/device_profile.h"

void cpu_profile_step(struct cpu_work *w, cpu_runner *run)
{
	struct cpu_call *c = w->call;
	struct device_profile *p = c->call->profile;
	uint32_t outer = c->record, step = (uint32_t)(w->step - w->loaded->code.step);
	c->record = profile_begin(p, c->call->number, step, outer);
	run(w);
	profile_end(p, c->record);
	c->record = outer;
}

struct timed {
	struct cpu_work *w;
	cpu_task *task;
};

static void timed_task(void *job, size_t task, int worker)
{
	const struct timed *t = job;
	struct cpu_lane *lane = &t->w->frame->lane[worker];
	uint64_t start = profile_now();
	t->task(t->w, task, worker);
	lane->end = profile_now();
	if (lane->start == 0)
		lane->start = start;
}

void cpu_profile_tasks(struct cpu_work *w, cpu_task *task, size_t n)
{
	struct timed t = {w, task};
	int threads = w->pool != NULL && n > 1 ? cpu_pool_threads(w->pool) : 0;
	struct cpu_lane *lane = w->frame->lane;
	if (threads == 0) {
		cpu_call_run(w->call, task, w, n);
		return;
	}
	for (int i = 0; i < threads; i++)
		lane[i].start = 0;
	cpu_call_run(w->call, timed_task, &t, n);
	for (int i = 0; i < threads; i++)
		if (lane[i].start != 0)
			profile_part(w->call->call->profile, w->call->record, i, lane[i].start,
				     lane[i].end);
}

/* ---- what a step is ---- */

static const char *type_name(int dtype)
{
	return dtype_info((adze_dtype)dtype)->name;
}

/* "softmax f32"; of products both operands' types. */
static void name_step(const struct cpu_step *s, struct device_step *out)
{
	const char *what = cpu_step_name((enum cpu_step_kind)s->kind);
	if ((s->kind == CPU_ROW || s->kind == CPU_PLAIN) && s->op != OP_NONE)
		what = op_info((enum ir_op)s->op)->name;
	bool other = (s->kind == CPU_GEMM && s->view[1].dtype != s->view[2].dtype) ||
		     (s->kind == CPU_CONVERT && s->view[0].dtype != s->view[1].dtype);
	int first = s->kind == CPU_GEMM || s->kind == CPU_CONVERT || s->kind == CPU_ARG ? 1 : 0;
	if (s->kind == CPU_BLOCKS)
		snprintf(out->text, sizeof out->text, "gemm %s %s", type_name(s->view[1].dtype),
			 block_format((enum block_kind)s->param[0])->name);
	else if (s->kind == CPU_ARG && s->pro.nload > 0)
		snprintf(out->text, sizeof out->text, "%s %s", what, type_name(s->pro.dtype));
	else
		snprintf(out->text, sizeof out->text, "%s %s%s%s", what,
			 type_name(s->view[first].dtype), other ? " " : "",
			 !other                    ? ""
			 : s->kind == CPU_CONVERT ? type_name(s->view[0].dtype)
						   : type_name(s->view[2].dtype));
	out->name = out->text;
}

/* Extents of the views, as long as there is room; broadcast axes as they are walked. */
static void show_shapes(const struct cpu_step *s, const int64_t *number, char *out, size_t cap)
{
	size_t len = 0;
	for (int k = 0; k < s->nview; k++) {
		const struct cpu_view *v = &s->view[k];
		char text[256];
		int n = snprintf(text, sizeof text, "%s%s[", k > 0 ? " " : "", type_name(v->dtype));
		for (int i = 0; i < v->rank; i++)
			n += snprintf(text + n, sizeof text - (size_t)n, "%s%" PRId64,
				      i > 0 ? "," : "", number[v->extent[i]]);
		n += snprintf(text + n, sizeof text - (size_t)n, "]");
		bool fits = len + (size_t)n + 5 < cap;
		len += (size_t)snprintf(out + len, cap - len, "%s", fits ? text : " ...");
		if (!fits)
			return;
	}
}

/* The kernel's function, where one does it all. */
static const char *kernel_of(const struct cpu_bound *b)
{
	size_t n;
	const struct kernel_impl *row = kernels_impls(&n);
	if (b->root != NULL)
		return b->root->function;
	if (b->second != NULL)
		return b->second->function;
	for (size_t i = 0; i < n && b->pro.n == 1; i++)
		if (row[i].run == b->pro.at[0].run)
			return row[i].function;
	return "";
}

adze_status cpu_describe_steps(adze_context *c, const struct cpu_loaded *l, const int64_t *symbol,
			       struct device_step *out, struct diag *d)
{
	adze_status status = ADZE_OK;
	int64_t *number = mem_new(&c->mem, l->code.nnumber, sizeof *number);
	if (number == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory to describe steps");
	for (uint32_t i = 0; i < l->code.nnumber && status == ADZE_OK; i++)
		if (!cpu_number_value(&l->code.number[i], symbol, &number[i]))
			status = fail(d, ADZE_E_FORMAT, "executable: a size is out of range");
	for (uint32_t i = 0; i < l->code.nstep && status == ADZE_OK; i++) {
		const struct cpu_step *s = &l->code.step[i];
		memset(&out[i], 0, sizeof out[i]);
		name_step(s, &out[i]);
		show_shapes(s, number, out[i].shapes, sizeof out[i].shapes);
		out[i].kernel = kernel_of(&l->bound[i]);
		out[i].value = s->note.value;
		out[i].what = s->note.what;
		out[i].file = s->note.file;
		out[i].line = s->note.line;
		out[i].cost = cpu_step_cost(s, number);
	}
	mem_free(&c->mem, number, l->code.nnumber, sizeof *number);
	return status;
}
