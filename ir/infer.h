/* SPDX-License-Identifier: Apache-2.0
 *
 * What the type rules share. A rule is a function infer_<rule>() of ops.def; only ir/infer*.c
 * include this.
 */
#ifndef ADZE_INFER_H
#define ADZE_INFER_H

#include <string.h>

#include "ir/graph.h"

/** What a rule sees: a node that is not there yet. */
struct ask {
	adze_graph *g;
	enum ir_op op;
	const ir_val *args;
	size_t narg;
	const void *attrs;          /* of the operation's schema */
	const adze_shape *declared; /* of a DECLARED operation: checked, and what was written */
	adze_shape *out;            /* to fill; zero so far */
	struct ir_results *results; /* of infer_results(); NULL: nobody asks */
};

/** Sets q->out, or refuses. The element type of the first operand is one that ops.def takes. */
typedef adze_status infer_rule(struct ask *q);
#define OP(name, id, min, max, cls, takes, rule, attrs, flags, doc) infer_rule infer_##rule;
#include "ir/ops.def"

static inline const adze_shape *infer_type(const struct ask *q, size_t i)
{
	return ir_type(q->g, q->args[i]);
}

/** Refuses with the operation's name, the operands' types and `words`. Returns E_TYPE. */
adze_status infer_refuse(const struct ask *q, const char *words);

/** q->out for an operation whose results have these types: the type of one, a pack of many. */
adze_status infer_results(struct ask *q, const adze_shape *type, size_t n);

/**
 * Checks a body's inputs: types[0 .. n), names of axes apart. Words say which body and input.
 */
adze_status infer_body_takes(const struct ask *q, int64_t body, const adze_shape *types,
			     size_t n);
/** Checks that a body goes from scalars of these types to scalars of those, element-wise. */
adze_status infer_body_scalars(const struct ask *q, int64_t body, const adze_dtype *takes,
			       size_t ntake, const adze_dtype *gives, size_t ngive);
/** Checks a body's outputs likewise. */
adze_status infer_body_gives(const struct ask *q, int64_t body, const adze_shape *types,
			     size_t n);

/** `to` takes the names that it lacks from `from`; false where both have different ones. */
bool infer_merge_names(adze_shape *to, const adze_shape *from);
/** Axes lose a name that an earlier axis has. */
void infer_drop_names(adze_shape *s);

static inline bool infer_axis_ok(const adze_shape *s, int64_t axis)
{
	return axis >= 0 && axis < s->rank;
}
/** Which axes are listed; false where one is not there or stands twice. */
bool infer_axis_set(const struct ir_dims *axes, int rank, bool *set);
/** Whether the list is empty, or has `n` numbers from `least` to INT32_MAX. */
bool infer_list_ok(const struct ir_dims *d, int n, int64_t least);
/** How many places a window of `size` has along `extent`; -1 on overflow. */
int64_t infer_window_count(int64_t extent, int64_t size, int64_t stride, int64_t low,
			   int64_t high, int64_t dilation);

#endif
