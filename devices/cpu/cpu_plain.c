/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps that are one function of dense operands: the rows of kernels/plain.def.
 */
#include <string.h>

#include "devices/cpu/cpu_body.h"

/* Elements that a task should touch at least. */
#define TASK_COST 32768

_Static_assert(CPU_MAX_PLAIN == PLAIN_MOST, "a step is one call");

static int field_params(enum attr_kind kind)
{
	switch (kind) {
	case ATTR_INT:
	case ATTR_FLOAT:
	case ATTR_EWFN:
	case ATTR_BLOCK: return 1;
	case ATTR_DIMS: return PLAIN_DIMS;
	case ATTR_BODY: return 0;
	default: return -1;
	}
}

int cpu_plain_params(const struct attr_schema *schema, const void *attrs, int64_t *out)
{
	int n = 0;
	for (int i = 0; i < schema->nfield; i++) {
		const struct attr_field *f = &schema->field[i];
		const void *at = out != NULL ? (const char *)attrs + f->offset : NULL;
		int count = field_params(f->kind);
		if (count < 0 || n + count >= CPU_MAX_PARAMS)
			return -1;
		if (out != NULL && f->kind == ATTR_EWFN)
			out[n] = (int64_t)*(const enum ew *)at;
		else if (out != NULL && f->kind == ATTR_BLOCK)
			out[n] = (int64_t)*(const enum block_kind *)at;
		else if (out != NULL)
			memcpy(out + n, at, (size_t)count * sizeof *out);
		n += count;
	}
	return n;
}

/* Whether numbers are such as the schema's fields can give. */
static bool params_hold(const struct attr_schema *schema, const int64_t *param)
{
	for (int i = 0; i < schema->nfield; i++) {
		enum attr_kind kind = schema->field[i].kind;
		if (kind == ATTR_EWFN && (*param < 0 || *param >= EW_COUNT))
			return false;
		if (kind == ATTR_BLOCK && !block_is(*param))
			return false;
		if (kind == ATTR_DIMS && (*param < 0 || *param > ADZE_MAX_RANK))
			return false;
		param += field_params(kind);
	}
	return true;
}

/* As many bodies as the schema's fields. */
static bool bodies_hold(const struct cpu_step *s, const struct attr_schema *schema)
{
	int n = 0;
	for (int i = 0; i < schema->nfield; i++)
		n += schema->field[i].kind == ATTR_BODY;
	return s->nbody == n;
}

bool cpu_plain_step_holds(const struct cpu_step *s)
{
	const struct op_info *op = op_info((enum ir_op)s->op);
	if (op->class != CLASS_PLAIN || plain_find(op->name) == NULL || s->pro.nload != 0 ||
	    s->epi.nload != 0 || s->nparam < 1)
		return false;
	int64_t ny = s->param[0];
	if (ny < 1 || ny > PLAIN_MOST || ny > s->nview)
		return false;
	int64_t nx = s->nview - ny;
	for (int i = 0; i < s->nview; i++)
		if (dtype_is_packed((adze_dtype)s->view[i].dtype))
			return false;
	if (nx > 0 && !dtype_taken((adze_dtype)s->view[ny].dtype, op->takes))
		return false;
	return nx <= PLAIN_MOST && nx >= (int64_t)op->min_args &&
	       nx <= (int64_t)op->max_args &&
	       s->nparam == 1 + cpu_plain_params(op->attrs, NULL, NULL) &&
	       params_hold(op->attrs, s->param + 1) && bodies_hold(s, op->attrs);
}

static void set_array(const struct cpu_step *s, const struct cpu_box *box, int i,
		      struct plain_array *out)
{
	*out = (struct plain_array){(adze_dtype)s->view[i].dtype, box[i].rank, box[i].extent,
				    box[i].count, box[i].at};
}

/* The step as its kernel sees it. `body` has room for those of the step. */
static void set_plain(const struct cpu_step *s, const struct cpu_bound *b,
		      const struct cpu_box *box, struct plain *p, struct plain_body *body)
{
	p->ny = (int)s->param[0];
	p->nx = s->nview - p->ny;
	p->param = s->param + 1;
	p->body = body;
	for (int i = 0; i < s->nbody; i++)
		body[i] = b->body[i].plain;
	for (int i = 0; i < p->ny; i++)
		set_array(s, box, i, &p->y[i]);
	for (int i = 0; i < p->nx; i++)
		set_array(s, box, p->ny + i, &p->x[i]);
}

/* ---- running ---- */

bool cpu_plain_agrees(const struct cpu_step *s, const struct cpu_bound *b,
		      const struct cpu_box *box, size_t *work)
{
	struct plain p;
	struct plain_body body[CPU_MAX_BODIES];
	for (int i = 0; i < s->nview; i++)
		if (!box[i].dense)
			return false;
	set_plain(s, b, box, &p, body);
	if (!b->plain->holds(&p))
		return false;
	if (!size_add(b->plain->plan(&p).work, cpu_bodies_bytes(s), work))
		*work = SIZE_MAX;
	return true;
}

static void plain_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	struct plain p;
	struct plain_body body[CPU_MAX_BODIES];
	struct cpu_body_run state[CPU_MAX_BODIES];
	char *scratch = cpu_scratch(w, worker);
	int64_t from, to;
	cpu_range(w, task, &from, &to);
	set_plain(w->step, w->bound, w->box, &p, body);
	for (int i = 0; i < w->step->nbody; i++) {
		cpu_body_begin(&w->step->body[i], &w->bound->body[i], scratch, &state[i]);
		scratch += cpu_body_bytes(&w->step->body[i]);
		body[i].call = cpu_body_call;
		body[i].self = &state[i];
	}
	w->bound->plain->run(&p, from, to, scratch);
}

void cpu_run_plain(struct cpu_work *w)
{
	struct plain p;
	struct plain_body body[CPU_MAX_BODIES];
	set_plain(w->step, w->bound, w->box, &p, body);
	struct plain_plan plan = w->bound->plain->plan(&p);
	cpu_run_tasks(w, plain_task, plan.units, TASK_COST / plan.cost + 1);
}
