/* SPDX-License-Identifier: Apache-2.0
 *
 * Steps that run blocks: a branch of several, and loops. Carries of a loop lie in its results
 * from the start, where its body finds them.
 */
#include <string.h>

#include "devices/cpu/cpu_exec.h"

/* ---- what their parameters say ---- */

/* Views: results, then a bool, then spares, then operands. */
struct region {
	int nresult, nflag, nspare, nchoice, noperand;
	int carry, over; /* of a loop: the first operands */
	const struct cpu_block *body, *cond;
};

static int count_spares(const struct cpu_block *body, int carry)
{
	int n = 0;
	for (int i = 0; i < carry && i < (int)body->noutput; i++)
		n += body->output[i].into < 0;
	return n;
}

/* False where the numbers make no sense. */
static bool find_region(const struct cpu_code *c, const struct cpu_step *s, struct region *r)
{
	int least = s->kind == CPU_SCAN ? 6 : s->kind == CPU_WHILE ? 3 : 2;
	memset(r, 0, sizeof *r);
	if (s->nparam < least || (s->kind != CPU_BRANCH && s->nparam > least))
		return false;
	for (int i = 0; i < (s->kind == CPU_SCAN ? 3 : 1); i++)
		if (s->param[i] < 0 || s->param[i] > IR_MAX_RESULTS)
			return false;
	if (s->kind == CPU_BRANCH) {
		r->nresult = (int)s->param[0];
		r->nchoice = 1;
		r->body = &c->block[s->param[1]];
	} else if (s->kind == CPU_WHILE) {
		r->carry = r->nresult = (int)s->param[0];
		r->nflag = 1;
		r->cond = &c->block[s->param[1]];
		r->body = &c->block[s->param[2]];
	} else {
		r->carry = (int)s->param[0];
		r->over = (int)s->param[1];
		r->nresult = (int)s->param[2];
		r->body = &c->block[s->param[5]];
	}
	r->nspare = count_spares(r->body, r->carry);
	r->noperand = s->nview - r->nresult - r->nflag - r->nspare - r->nchoice;
	return r->nresult >= 1 && r->nresult >= r->carry && r->noperand >= r->carry + r->over &&
	       r->noperand <= IR_MAX_OPERANDS;
}

static int first_spare(const struct region *r)
{
	return r->nresult + r->nflag;
}

static int first_operand(const struct region *r)
{
	return r->nresult + r->nflag + r->nspare + r->nchoice;
}

int cpu_region_writes(const struct cpu_code *c, const struct cpu_step *s)
{
	struct region r;
	const int64_t *block;
	if (cpu_step_blocks(s, &block) == 0)
		return 1;
	return find_region(c, s, &r) ? r.nresult + r.nflag + r.nspare : s->nview;
}

/* ---- checks ---- */

static bool takes(const struct region *r, const struct cpu_step *s, const struct cpu_block *b)
{
	if ((int)b->ninput != r->noperand)
		return false;
	for (int i = 0; i < r->noperand; i++)
		if (b->input[i].dtype != s->view[first_operand(r) + i].dtype)
			return false;
	return true;
}

/* A carry goes over itself, or to a spare; nothing else goes over an input. */
static bool gives(const struct region *r, const struct cpu_step *s, const struct cpu_block *b)
{
	int spare = first_spare(r);
	if ((int)b->noutput != r->nresult)
		return false;
	for (int i = 0; i < r->nresult; i++) {
		int into = b->output[i].into;
		if (b->output[i].dtype != s->view[i].dtype || (into >= 0 && into != i) ||
		    (into >= 0 && i >= r->carry))
			return false;
		if (i < r->carry && (s->view[i].dtype != s->view[first_operand(r) + i].dtype ||
				     (into < 0 && s->view[spare++].dtype != s->view[i].dtype)))
			return false;
	}
	return true;
}

bool cpu_region_holds(const struct cpu_code *c, const struct cpu_step *s)
{
	struct region r;
	if (!find_region(c, s, &r))
		return false;
	if (s->kind == CPU_BRANCH) {
		uint8_t choice = s->view[r.nresult].dtype;
		for (int i = 1; i < s->nparam; i++)
			if (!takes(&r, s, &c->block[s->param[i]]) ||
			    !gives(&r, s, &c->block[s->param[i]]))
				return false;
		return choice == ADZE_I32 || (choice == ADZE_BOOL && s->nparam == 3);
	}
	if (s->kind == CPU_WHILE &&
	    (!takes(&r, s, r.cond) || r.cond->noutput != 1 || r.cond->output[0].into >= 0 ||
	     r.cond->output[0].dtype != ADZE_BOOL || s->view[r.nresult].dtype != ADZE_BOOL))
		return false;
	if (s->kind == CPU_SCAN && (s->param[3] < 0 || s->param[3] >= c->nnumber ||
				    s->param[4] < 0 || s->param[4] > 1))
		return false;
	return takes(&r, s, r.body) && gives(&r, s, r.body);
}

/* Whether a view has `times` as many elements as a body's value, one behind the other. */
static bool is_sized(const struct cpu_box *box, const struct cpu_value *v, int64_t times,
		     const int64_t *number)
{
	int64_t count;
	return box->dense && number[v->count] >= 0 &&
	       !__builtin_mul_overflow(number[v->count], times, &count) && box->count == count;
}

static bool block_agrees(const struct region *r, const struct cpu_block *b,
			 const struct cpu_box *box, int64_t times, const int64_t *number)
{
	int spare = first_spare(r);
	for (int i = 0; i < r->noperand; i++) {
		bool slices = i >= r->carry && i < r->carry + r->over;
		if (!is_sized(&box[first_operand(r) + i], &b->input[i], slices ? times : 1, number))
			return false;
	}
	for (int i = 0; i < r->nresult && b != r->cond; i++) {
		if (!is_sized(&box[i], &b->output[i], i < r->carry ? 1 : times, number))
			return false;
		/* A new carry has the size of the old. */
		if (i < r->carry &&
		    (number[b->input[i].count] != number[b->output[i].count] ||
		     (b->output[i].into < 0 &&
		      !is_sized(&box[spare++], &b->output[i], 1, number))))
			return false;
	}
	return true;
}

bool cpu_region_agrees(const struct cpu_code *c, const struct cpu_step *s,
		       const struct cpu_box *box, const int64_t *number)
{
	struct region r;
	if (!find_region(c, s, &r))
		return false;
	if (s->kind == CPU_BRANCH) {
		for (int i = 1; i < s->nparam; i++)
			if (!block_agrees(&r, &c->block[s->param[i]], box, 1, number))
				return false;
		return box[r.nresult].count == 1;
	}
	if (s->kind == CPU_WHILE && (!block_agrees(&r, r.cond, box, 1, number) ||
				     box[r.nresult].count != 1 ||
				     number[r.cond->output[0].count] != 1))
		return false;
	int64_t times = s->kind == CPU_SCAN ? number[s->param[3]] : 1;
	return times >= 0 && block_agrees(&r, r.body, box, times, number);
}

/* ---- running ---- */

static void move(char *to, const char *from, const struct cpu_box *size)
{
	size_t bytes = (size_t)size->count * size->size;
	if (bytes > 0 && to != from)
		memmove(to, from, bytes);
}

void cpu_run_branch(struct cpu_work *w)
{
	const struct cpu_step *s = w->step;
	struct cpu_args args;
	struct region r;
	find_region(&w->loaded->code, s, &r);
	int64_t n = s->nparam - 1, at;
	if (s->view[r.nresult].dtype == ADZE_BOOL) {
		at = *(const uint8_t *)w->box[r.nresult].at ? 0 : 1;
	} else {
		int32_t choice;
		memcpy(&choice, w->box[r.nresult].at, sizeof choice);
		at = choice >= 0 && choice < n ? choice : n - 1;
	}
	for (int i = 0; i < r.noperand; i++)
		args.input[i] = w->box[first_operand(&r) + i].at;
	for (int i = 0; i < r.nresult; i++)
		args.output[i] = w->box[i].at;
	cpu_run_block(w->call, (uint32_t)s->param[1 + at], &args);
}

/* The carries move in; what stays the same is where it is. */
static void loop_begin(struct cpu_work *w, struct region *r, struct cpu_args *args)
{
	int operand, spare;
	find_region(&w->loaded->code, w->step, r);
	operand = first_operand(r);
	spare = first_spare(r);
	for (int i = 0; i < r->noperand; i++)
		args->input[i] = w->box[operand + i].at;
	for (int i = 0; i < r->carry; i++) {
		move(w->box[i].at, w->box[operand + i].at, &w->box[i]);
		args->input[i] = args->output[i] = w->box[i].at;
		if (r->body->output[i].into < 0)
			args->output[i] = w->box[spare++].at;
	}
}

static void loop_step(struct cpu_work *w, const struct region *r, struct cpu_args *args)
{
	cpu_run_block(w->call, (uint32_t)(r->body - w->loaded->code.block), args);
	for (int i = 0; i < r->carry; i++)
		move(args->input[i], args->output[i], &w->box[i]);
}

void cpu_run_while(struct cpu_work *w)
{
	struct cpu_args args, test;
	struct region r;
	loop_begin(w, &r, &args);
	memcpy(test.input, args.input, (size_t)r.noperand * sizeof *test.input);
	test.output[0] = w->box[r.nresult].at;
	for (;;) {
		cpu_run_block(w->call, (uint32_t)(r.cond - w->loaded->code.block), &test);
		if (w->call->cancelled || *(const uint8_t *)test.output[0] == 0)
			return;
		loop_step(w, &r, &args);
	}
}

void cpu_run_scan(struct cpu_work *w)
{
	const struct cpu_step *s = w->step;
	struct cpu_args args;
	struct region r;
	loop_begin(w, &r, &args);
	int64_t n = w->number[s->param[3]];
	for (int64_t k = 0; k < n && !w->call->cancelled; k++) {
		int64_t at = s->param[4] ? n - 1 - k : k;
		for (int i = r.carry; i < r.carry + r.over; i++) {
			const struct cpu_box *x = &w->box[first_operand(&r) + i];
			args.input[i] = x->at + x->count / n * at * (int64_t)x->size;
		}
		for (int i = r.carry; i < r.nresult; i++)
			args.output[i] = w->box[i].at +
					 w->box[i].count / n * at * (int64_t)w->box[i].size;
		loop_step(w, &r, &args);
	}
}
