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

adze_status infer_body_takes(const struct ask *q, int64_t body, const adze_shape *types, size_t n)
{
	if (body < 1 || (uint64_t)body > q->g->nbody)
		return infer_refuse(q, "it lacks a body");
	const adze_graph *b = ir_body(q->g, body);
	if (b->ninput != n)
		return refuse_count(q, body, b->ninput, "inputs", n);
	for (size_t i = 0; i < n; i++)
		if (!same_type(ir_type(b, b->input[i]), &types[i]))
			return refuse_body(q, body, "input", i, ir_type(b, b->input[i]), &types[i]);
	return ADZE_OK;
}

adze_status infer_body_gives(const struct ask *q, int64_t body, const adze_shape *types, size_t n)
{
	const adze_graph *b = ir_body(q->g, body);
	if (b->noutput != n)
		return refuse_count(q, body, b->noutput, "outputs", n);
	for (size_t i = 0; i < n; i++)
		if (!same_type(ir_type(b, b->output[i].value), &types[i]))
			return refuse_body(q, body, "output", i, ir_type(b, b->output[i].value),
					   &types[i]);
	return ADZE_OK;
}

/* The types of operands from .. narg, which a body takes; `types` has room for the limit. */
static adze_status operand_types(const struct ask *q, size_t from, adze_shape *types, size_t *n)
{
	*n = q->narg - from;
	if (*n > IR_MAX_RESULTS)
		return infer_refuse(q, "it has more than 64 operands for its bodies");
	for (size_t i = 0; i < *n; i++)
		types[i] = *infer_type(q, from + i);
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

adze_status infer_if(struct ask *q)
{
	const struct attrs_branches *a = q->attrs;
	adze_shape types[IR_MAX_RESULTS];
	size_t n;
	if (infer_type(q, 0)->rank != 0)
		return infer_refuse(q, "the first operand must be a scalar");
	TRY(operand_types(q, 1, types, &n));
	TRY(infer_body_takes(q, a->then, types, n));
	TRY(infer_body_takes(q, a->otherwise, types, n));
	TRY(output_types(q, a->then, types, &n));
	TRY(infer_body_gives(q, a->otherwise, types, n));
	return infer_results(q, types, n);
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
