/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps that are one function of dense operands: the rows of kernels/plain.def.
 */
#include <string.h>

#include "devices/cpu/cpu_exec.h"
#include "kernels/any.h"

/* Elements that a task should touch at least. */
#define TASK_COST 32768

_Static_assert(CPU_MAX_PLAIN == PLAIN_MOST, "a step is one call");

static int field_params(enum attr_kind kind)
{
	switch (kind) {
	case ATTR_INT:
	case ATTR_FLOAT:
	case ATTR_EWFN: return 1;
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

/* ---- bodies ---- */

/* Elements that a body works on at once, and room for them, whatever their type. */
#define BODY_STRIP 512
#define BODY_SLOT_BYTES ((size_t)BODY_STRIP * 16)

/* A body of a task: strips of scratch for its constants and for what it works out. */
struct body {
	const struct cpu_body *body;
	const struct cpu_bound_body *bound;
	char *scratch;
	size_t size[CPU_MAX_SLOTS]; /* bytes of an element, by slot */
};

static size_t body_bytes(const struct cpu_body *b)
{
	return (size_t)(b->prog.nslot - b->nin) * BODY_SLOT_BYTES;
}

static size_t bodies_bytes(const struct cpu_step *s)
{
	size_t n = 0;
	for (int i = 0; i < s->nbody; i++)
		n += body_bytes(&s->body[i]);
	return n;
}

static char *body_slot(const struct body *b, int i)
{
	return b->scratch + (size_t)(i - b->body->nin) * BODY_SLOT_BYTES;
}

/* n elements, no more than a strip. */
static void run_strip(const struct body *b, void *const *out, const void *const *in, size_t n)
{
	const struct cpu_body *p = b->body;
	const void *at[CPU_MAX_SLOTS];
	for (int i = 0; i < p->prog.nslot; i++)
		at[i] = i < p->nin ? in[i] : body_slot(b, i);
	/* Values that are results are made where those go. */
	for (int i = p->nout - 1; i >= 0; i--)
		if (p->out[i] >= p->prog.nload)
			at[p->out[i]] = out[i];
	for (int i = 0; i < p->prog.nins; i++) {
		const struct cpu_ins *s = &p->prog.ins[i];
		void *y = (void *)(uintptr_t)at[s->dst];
		const void *c = s->nsrc > 2 ? at[s->src[2]] : NULL;
		if (s->kind == CPU_INS_CONVERT && b->bound->run[i] == NULL)
			any_convert((adze_dtype)s->to, y, (adze_dtype)s->dtype, at[s->src[0]], n);
		else if (s->kind == CPU_INS_CONVERT)
			((convert_fn *)b->bound->run[i])(y, at[s->src[0]], n);
		else
			((ew_fn *)b->bound->run[i])(y, at[s->src[0]],
						    s->nsrc > 1 ? at[s->src[1]] : NULL, c, n);
	}
	for (int i = 0; i < p->nout; i++)
		if (at[p->out[i]] != out[i])
			memcpy(out[i], at[p->out[i]], n * b->size[p->out[i]]);
}

static void run_body(void *self, void *const *out, const void *const *in, size_t n)
{
	const struct body *b = self;
	const void *x[CPU_MAX_SLOTS];
	void *y[CPU_MAX_PLAIN];
	if (n <= BODY_STRIP) {
		run_strip(b, out, in, n);
		return;
	}
	for (size_t from = 0; from < n; from += BODY_STRIP) {
		for (int i = 0; i < b->body->nin; i++)
			x[i] = (const char *)in[i] + from * b->size[i];
		for (int i = 0; i < b->body->nout; i++)
			y[i] = (char *)out[i] + from * b->size[b->body->out[i]];
		run_strip(b, y, x, n - from < BODY_STRIP ? n - from : BODY_STRIP);
	}
}

static void begin_body(const struct cpu_body *body, const struct cpu_bound_body *bound,
		       char *scratch, struct body *b)
{
	b->body = body;
	b->bound = bound;
	b->scratch = scratch;
	for (int i = 0; i < body->prog.nload; i++)
		b->size[i] = dtype_bytes((adze_dtype)body->type[i]);
	for (int i = 0; i < body->nout; i++)
		b->size[body->out[i]] = dtype_bytes((adze_dtype)body->type[body->prog.nload + i]);
	for (int i = 0; i < body->nconst; i++) {
		size_t size = b->size[body->nin + i];
		for (size_t k = 0; k < BODY_STRIP; k++)
			memcpy(body_slot(b, body->nin + i) + k * size, body->value[i], size);
	}
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
	if (!size_add(b->plain->plan(&p).work, bodies_bytes(s), work))
		*work = SIZE_MAX;
	return true;
}

static void plain_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	struct plain p;
	struct plain_body body[CPU_MAX_BODIES];
	struct body state[CPU_MAX_BODIES];
	char *scratch = cpu_scratch(w, worker);
	int64_t from, to;
	cpu_range(w, task, &from, &to);
	set_plain(w->step, w->bound, w->box, &p, body);
	for (int i = 0; i < w->step->nbody; i++) {
		begin_body(&w->step->body[i], &w->bound->body[i], scratch, &state[i]);
		scratch += body_bytes(&w->step->body[i]);
		body[i].call = run_body;
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
