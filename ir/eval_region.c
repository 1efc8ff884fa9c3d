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
	const void *in[IR_MAX_RESULTS];
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
	       (size_t)e->y.count * e->y.size);
	return ADZE_OK;
}

adze_status eval_if(struct eval *e)
{
	const struct attrs_branches *a = EVAL_ATTRS(branches, e);
	struct results r;
	find_results(e, &r);
	return run_body(e, *(const uint8_t *)e->x[0].bytes ? a->then : a->otherwise, 1, r.at);
}
