/* SPDX-License-Identifier: Apache-2.0
 *
 * What the two parts of the maker of random graphs share: random_graph.c makes values, sources
 * and whole graphs, random_op.c one more operation.
 */
#ifndef ADZE_RANDOM_OP_H
#define ADZE_RANDOM_OP_H

#include "tests/random_graph.h"

/* True once in n. */
static inline bool rare(struct random_graph *r, size_t n)
{
	return random_pick(r, n) == 0;
}

static inline int64_t range(struct random_graph *r, int64_t low, int64_t high)
{
	return low + (int64_t)random_pick(r, (size_t)(high - low + 1));
}

adze_dtype random_dtype(struct random_graph *r);
adze_dim random_dim(struct random_graph *r);
adze_shape random_type(struct random_graph *r, adze_dtype dtype, int rank);
ir_val random_source(struct random_graph *r, const adze_shape *type);
ir_val random_operand(struct random_graph *r);
/** A value of that type: one that is there, or a new source, perhaps broadcast. */
ir_val random_like(struct random_graph *r, const adze_shape *type);
ir_val random_scalar(struct random_graph *r, adze_dtype dtype);

/** One more operation, `x` among its operands; 0 where it cannot be. */
ir_val random_op(struct random_graph *r, ir_val x);
/** The same with bodies: one result of a branch or a loop. */
ir_val random_region(struct random_graph *r, ir_val x);

#endif
