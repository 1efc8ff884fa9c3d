/* SPDX-License-Identifier: Apache-2.0
 *
 * Type rules of operations with bodies, and of what takes their results apart.
 */
#include "ir/infer.h"

#include <stdio.h>

static bool same_type(const adze_shape *a, const adze_shape *b)
{
	return a->dtype == b->dtype && shape_same_extents(a, b);
}

static adze_status refuse_body(const struct ask *q, int64_t body, const char *what, size_t i,
			       const adze_shape *have, const adze_shape *want)
{
	char words[2 * SHAPE_TEXT + 200], a[SHAPE_TEXT], b[SHAPE_TEXT];
	snprintf(words, sizeof words, "%s %zu of body '%.60s' is %s, not %s", what, i,
		 ir_body(q->g, body)->name, shape_print(have, a, sizeof a),
		 shape_print(want, b, sizeof b));
	return infer_refuse(q, words);
}

static adze_status refuse_count(const struct ask *q, int64_t body, size_t n, const char *what,
				size_t want)
{
	char words[200];
	snprintf(words, sizeof words, "body '%.60s' has %zu %s, not %zu",
		 ir_body(q->g, body)->name, n, what, want);
	return infer_refuse(q, words);
}

static adze_status takes_count(const struct ask *q, int64_t body, size_t n)
{
	if (body < 1 || (uint64_t)body > q->g->nbody)
		return infer_refuse(q, "it lacks a body");
	if (n > IR_MAX_OPERANDS)
		return infer_refuse(q, "it has more than 512 operands for its bodies");
	if (ir_body(q->g, body)->ninput != n)
		return refuse_count(q, body, ir_body(q->g, body)->ninput, "inputs", n);
	return ADZE_OK;
}

static adze_status takes_one(const struct ask *q, int64_t body, size_t i, const adze_shape *type)
{
	const adze_graph *b = ir_body(q->g, body);
	const adze_shape *have = ir_type(b, b->input[i]);
	return same_type(have, type) ? ADZE_OK
				     : refuse_body(q, body, "input", i, have, type);
}

adze_status infer_body_takes(const struct ask *q, int64_t body, const adze_shape *types, size_t n)
{
	TRY(takes_count(q, body, n));
	for (size_t i = 0; i < n; i++)
		TRY(takes_one(q, body, i, &types[i]));
	return ADZE_OK;
}

/* Whether the first `n` outputs have these types. */
static adze_status gives_first(const struct ask *q, int64_t body, const adze_shape *types, size_t n)
{
	const adze_graph *b = ir_body(q->g, body);
	if (b->noutput < n)
		return refuse_count(q, body, b->noutput, "outputs", n);
	for (size_t i = 0; i < n; i++)
		if (!same_type(ir_type(b, b->output[i].value), &types[i]))
			return refuse_body(q, body, "output", i, ir_type(b, b->output[i].value),
					   &types[i]);
	return ADZE_OK;
}

/* Only a carry may be written over itself: its memory is the loop's. */
static adze_status check_into(const struct ask *q, int64_t body, size_t carry)
{
	const adze_graph *b = ir_body(q->g, body);
	for (size_t i = 0; i < b->noutput; i++)
		if (b->output[i].into != 0 &&
		    (i >= carry || b->output[i].into != b->input[i]))
			return infer_refuse(q, "an output of its body goes into an input that is "
					       "no carry of that place");
	return ADZE_OK;
}

adze_status infer_body_gives(const struct ask *q, int64_t body, const adze_shape *types, size_t n)
{
	if (ir_body(q->g, body)->noutput > n)
		return refuse_count(q, body, ir_body(q->g, body)->noutput, "outputs", n);
	TRY(gives_first(q, body, types, n));
	return check_into(q, body, 0);
}

/* Checks a body's inputs against operands from .. narg. */
static adze_status takes_operands(const struct ask *q, int64_t body, size_t from)
{
	const adze_graph *b;
	TRY(takes_count(q, body, q->narg - from));
	b = ir_body(q->g, body);
	for (size_t i = 0; i < b->ninput; i++)
		TRY(takes_one(q, body, i, infer_type(q, from + i)));
	return ADZE_OK;
}

static adze_status output_types(const struct ask *q, int64_t body, adze_shape *types, size_t *n)
{
	const adze_graph *b = ir_body(q->g, body);
	*n = b->noutput;
	if (*n > IR_MAX_RESULTS)
		return infer_refuse(q, "a body has more than 64 outputs");
	for (size_t i = 0; i < *n; i++)
		types[i] = *ir_type(b, b->output[i].value);
	return ADZE_OK;
}

adze_status infer_prepared(struct ask *q)
{
	const struct attrs_prepared *a = q->attrs;
	adze_shape types[IR_MAX_RESULTS];
	size_t n;
	if (q->g->depth > 0)
		return infer_refuse(q, "it stands in a body, which has no weights");
	for (size_t i = 0; i < q->narg; i++)
		if (q->g->node[q->args[i]].op != OP_WEIGHT)
			return infer_refuse(q, "its operands must be weights");
	if (a->index < 0 || a->index >= IR_MAX_PREPARED)
		return infer_refuse(q, "its index must be 0 to 1023");
	TRY(takes_operands(q, a->body, 0));
	TRY(output_types(q, a->body, types, &n));
	for (size_t i = 0; i < n; i++)
		if (!shape_is_static(&types[i]))
			return infer_refuse(q, "its extents must be known");
	return infer_results(q, types, n);
}

adze_status infer_if(struct ask *q)
{
	const struct attrs_branches *a = q->attrs;
	adze_shape types[IR_MAX_RESULTS];
	size_t n;
	if (infer_type(q, 0)->rank != 0)
		return infer_refuse(q, "the first operand must be a scalar");
	TRY(takes_operands(q, a->then, 1));
	TRY(takes_operands(q, a->otherwise, 1));
	TRY(output_types(q, a->then, types, &n));
	TRY(infer_body_gives(q, a->then, types, n));
	TRY(infer_body_gives(q, a->otherwise, types, n));
	return infer_results(q, types, n);
}

adze_status infer_case(struct ask *q)
{
	const struct ir_bodies *b = &((const struct attrs_cases *)q->attrs)->branches;
	adze_shape types[IR_MAX_RESULTS];
	size_t n;
	if (infer_type(q, 0)->rank != 0 || infer_type(q, 0)->dtype != ADZE_I32)
		return infer_refuse(q, "the first operand must be an i32 scalar");
	if (b->n < 1 || b->n > IR_MAX_BRANCHES)
		return infer_refuse(q, "it has no branches");
	for (int64_t i = 0; i < b->n; i++)
		TRY(takes_operands(q, b->at[i], 1));
	TRY(output_types(q, b->at[0], types, &n));
	for (int64_t i = 0; i < b->n; i++)
		TRY(infer_body_gives(q, b->at[i], types, n));
	return infer_results(q, types, n);
}

/* Whether a loop's body gives its carries, the first operands, and as many more as it likes. */
static adze_status gives_carries(const struct ask *q, int64_t body, size_t carry,
				 adze_shape *types)
{
	for (size_t i = 0; i < carry; i++)
		types[i] = *infer_type(q, i);
	TRY(gives_first(q, body, types, carry));
	return check_into(q, body, carry);
}

adze_status infer_while(struct ask *q)
{
	const struct attrs_loop *a = q->attrs;
	const adze_shape truth = shape_make(ADZE_BOOL, 0, NULL);
	adze_shape types[IR_MAX_RESULTS];
	if (a->carry < 1 || (uint64_t)a->carry > q->narg)
		return infer_refuse(q, "carry is not within 1 and the number of operands");
	if (a->carry > IR_MAX_RESULTS)
		return infer_refuse(q, "it has more than 64 results");
	size_t carry = (size_t)a->carry;
	TRY(takes_operands(q, a->cond, 0));
	TRY(takes_operands(q, a->body, 0));
	TRY(infer_body_gives(q, a->cond, &truth, 1));
	if (ir_body(q->g, a->body)->noutput > carry)
		return refuse_count(q, a->body, ir_body(q->g, a->body)->noutput, "outputs", carry);
	TRY(gives_carries(q, a->body, carry, types));
	return infer_results(q, types, carry);
}

/* A slice of a sequence: the type without axis 0. */
static adze_shape slice_of(const adze_shape *s)
{
	adze_shape out = shape_make(s->dtype, 0, NULL);
	for (int i = 1; i < s->rank; i++)
		out.dim[out.rank++] = s->dim[i];
	return out;
}

/* Slices stacked along a new axis 0, which gives up a name that the slice has. */
static adze_shape stack_of(const adze_shape *s, adze_dim length)
{
	adze_shape out = shape_make(s->dtype, 0, NULL);
	for (int i = 0; i < s->rank; i++)
		if (strcmp(s->dim[i].name, length.name) == 0)
			memset(length.name, 0, sizeof length.name);
	out.dim[out.rank++] = length;
	for (int i = 0; i < s->rank; i++)
		out.dim[out.rank++] = s->dim[i];
	return out;
}

/* How many slices there are. */
static adze_status find_length(const struct ask *q, adze_dim *length)
{
	const struct attrs_scan *a = q->attrs;
	if (a->carry < 0 || a->over < 0 || (uint64_t)a->carry > q->narg ||
	    (uint64_t)a->over > q->narg - (uint64_t)a->carry)
		return infer_refuse(q, "carry and over count more operands than there are");
	if (a->carry > IR_MAX_RESULTS)
		return infer_refuse(q, "it has more than 64 results");
	if (a->reverse != 0 && a->reverse != 1)
		return infer_refuse(q, "reverse is 0 or 1");
	if (a->length < 0 || (a->over > 0 && a->length != 0))
		return infer_refuse(q, a->over > 0 ? "its sequences say its length"
						   : "its length is negative");
	*length = dim_make(a->length);
	for (int64_t i = a->carry; i < a->carry + a->over; i++) {
		const adze_shape *s = infer_type(q, (size_t)i);
		if (s->rank == 0)
			return infer_refuse(q, "a sequence has no axis");
		if (dtype_is_packed(s->dtype))
			return infer_refuse(q, "slices of packed elements need not be whole bytes");
		if (i == a->carry)
			*length = s->dim[0];
		else if (!dim_same(&s->dim[0], length))
			return infer_refuse(q, "sequences differ in their axis 0");
	}
	return ADZE_OK;
}

static adze_status takes_slices(const struct ask *q)
{
	const struct attrs_scan *a = q->attrs;
	TRY(takes_count(q, a->body, q->narg));
	for (size_t i = 0; i < q->narg; i++) {
		bool slices = (int64_t)i >= a->carry && (int64_t)i < a->carry + a->over;
		adze_shape type = slices ? slice_of(infer_type(q, i)) : *infer_type(q, i);
		TRY(takes_one(q, a->body, i, &type));
	}
	return ADZE_OK;
}

adze_status infer_scan(struct ask *q)
{
	const struct attrs_scan *a = q->attrs;
	adze_shape types[IR_MAX_RESULTS];
	adze_dim length;
	TRY(find_length(q, &length));
	TRY(takes_slices(q));
	TRY(gives_carries(q, a->body, (size_t)a->carry, types));
	const adze_graph *b = ir_body(q->g, a->body);
	for (size_t i = (size_t)a->carry; i < b->noutput && b->noutput <= IR_MAX_RESULTS; i++) {
		const adze_shape *s = ir_type(b, b->output[i].value);
		if (dtype_is_packed(s->dtype))
			return infer_refuse(q, "slices of packed elements need not be whole bytes");
		if (s->rank == ADZE_MAX_RANK)
			return infer_refuse(q, "a stacked result would have more than 8 axes");
		types[i] = stack_of(s, length);
	}
	return infer_results(q, types, b->noutput);
}

adze_status infer_part(struct ask *q)
{
	const struct attrs_part *a = q->attrs;
	struct ir_results r;
	if (!ir_results(q->g, q->args[0], &r) || r.n < 2)
		return infer_refuse(q, "its operand has one result alone");
	if (a->index < 0 || (uint64_t)a->index >= r.n)
		return infer_refuse(q, "there is no such result");
	if (!same_type(&r.type[a->index], q->declared))
		return infer_refuse(q, "that result has another type");
	*q->out = *q->declared;
	return infer_merge_names(q->out, &r.type[a->index])
		       ? ADZE_OK
		       : infer_refuse(q, "names of axes differ");
}
