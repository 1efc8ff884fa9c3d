/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference evaluator: operations that run bodies, and the parts of packs.
 */
#include "ir/eval.h"

/* Where the results of e->v lie in its pack. */
struct results {
	size_t n;
	void *at[IR_MAX_RESULTS];
};

static void find_results(struct eval *e, struct results *out)
{
	struct ir_results r;
	ir_results(e->g, e->v, &r);
	out->n = r.n;
	for (size_t i = 0; i < r.n; i++)
		out->at[i] = (char *)e->out + ir_part_offset(&r, i);
}

/* Runs a body on operands from `first` on. */
static adze_status run_body(struct eval *e, int64_t body, size_t first, void *const *out)
{
	const void *in[IR_MAX_OPERANDS];
	for (size_t i = first; i < e->nx; i++)
		in[i - first] = e->x[i].bytes;
	return ir_eval(ir_body(e->g, body), e->symbol, in, NULL, out, e->d);
}

adze_status eval_part(struct eval *e)
{
	struct ir_results r;
	ir_results(e->g, ir_arg(e->g, e->v, 0), &r);
	const char *from = e->x[0].bytes;
	memcpy(e->out, from + ir_part_offset(&r, (size_t)EVAL_ATTRS(part, e)->index),
	       e->y.all);
	return ADZE_OK;
}

adze_status eval_prepared(struct eval *e)
{
	struct results r;
	find_results(e, &r);
	return run_body(e, EVAL_ATTRS(prepared, e)->body, 0, r.at);
}

adze_status eval_if(struct eval *e)
{
	const struct attrs_branches *a = EVAL_ATTRS(branches, e);
	struct results r;
	find_results(e, &r);
	return run_body(e, *(const uint8_t *)e->x[0].bytes ? a->then : a->otherwise, 1, r.at);
}

adze_status eval_case(struct eval *e)
{
	const struct ir_bodies *b = &EVAL_ATTRS(cases, e)->branches;
	int32_t at;
	struct results r;
	memcpy(&at, e->x[0].bytes, sizeof at);
	find_results(e, &r);
	return run_body(e, b->at[at >= 0 && at < b->n ? at : b->n - 1], 1, r.at);
}

/* The inputs of a body and room for new carries. */
struct loop {
	struct results r;
	const void *in[IR_MAX_OPERANDS]; /* of the body: carries in r.at, others as they were */
	void *next[IR_MAX_RESULTS];     /* what it gives: new carries in `room`, the others */
	size_t carry, bytes[IR_MAX_RESULTS];
	char *room;
	size_t room_bytes;
};

/* The carries, which are the first results, become those operands. */
static adze_status loop_begin(struct eval *e, struct loop *l, int64_t carry)
{
	size_t total = 0;
	find_results(e, &l->r);
	l->carry = (size_t)carry;
	for (size_t i = 0; i < e->nx; i++)
		l->in[i] = e->x[i].bytes;
	for (size_t i = 0; i < l->carry; i++) {
		l->bytes[i] = e->x[i].all;
		if (!size_add(total, l->bytes[i], &total) || !size_add(total, 63, &total))
			return fail(e->d, ADZE_E_LIMIT, "carries are too large");
		total -= total % 64;
	}
	l->room_bytes = total;
	l->room = mem_new(e->g->arena.from, total, 1);
	if (l->room == NULL)
		return fail(e->d, ADZE_E_NOMEM, "no memory for the carries of a loop");
	total = 0;
	for (size_t i = 0; i < l->carry; i++) {
		if (l->bytes[i] > 0)
			memcpy(l->r.at[i], l->in[i], l->bytes[i]);
		l->in[i] = l->r.at[i];
		l->next[i] = l->room + total;
		total += (l->bytes[i] + 63) / 64 * 64;
	}
	return ADZE_OK;
}

static adze_status loop_step(struct eval *e, struct loop *l, int64_t body)
{
	TRY(ir_eval(ir_body(e->g, body), e->symbol, l->in, NULL, l->next, e->d));
	for (size_t i = 0; i < l->carry; i++)
		if (l->bytes[i] > 0)
			memcpy(l->r.at[i], l->next[i], l->bytes[i]);
	return ADZE_OK;
}

adze_status eval_while(struct eval *e)
{
	const struct attrs_loop *a = EVAL_ATTRS(loop, e);
	struct loop l = {.room = NULL};
	adze_status status = loop_begin(e, &l, a->carry);
	while (status == ADZE_OK) {
		uint8_t more = 0;
		status = ir_eval(ir_body(e->g, a->cond), e->symbol, l.in, NULL, (void *[]){&more},
				 e->d);
		if (status != ADZE_OK || !more)
			break;
		status = loop_step(e, &l, a->body);
	}
	mem_free(e->g->arena.from, l.room, l.room_bytes, 1);
	return status;
}

/* Bytes of a value of a body in this call. */
static int64_t bytes_in(const adze_graph *b, ir_val v, const int64_t *symbol)
{
	const adze_shape *s = ir_type(b, v);
	int64_t n = 1;
	size_t bytes;
	for (int i = 0; i < s->rank; i++)
		n *= ir_extent(b, &s->dim[i], symbol);
	dtype_array_bytes(s->dtype, (size_t)n, &bytes);
	return (int64_t)bytes;
}

adze_status eval_scan(struct eval *e)
{
	const struct attrs_scan *a = EVAL_ATTRS(scan, e);
	const adze_graph *b = ir_body(e->g, a->body);
	int64_t n = a->over > 0 ? e->x[a->carry].extent[0] : a->length;
	struct loop l = {.room = NULL};
	adze_status status = loop_begin(e, &l, a->carry);
	for (int64_t k = 0; status == ADZE_OK && k < n; k++) {
		int64_t at = a->reverse ? n - 1 - k : k;
		for (int64_t i = a->carry; i < a->carry + a->over; i++)
			l.in[i] = (const char *)e->x[i].bytes +
				  at * bytes_in(b, b->input[i], e->symbol);
		for (size_t i = l.carry; i < b->noutput; i++)
			l.next[i] = (char *)l.r.at[i] +
				    at * bytes_in(b, b->output[i].value, e->symbol);
		status = loop_step(e, &l, a->body);
	}
	mem_free(e->g->arena.from, l.room, l.room_bytes, 1);
	return status;
}
