/* SPDX-License-Identifier: Apache-2.0
 *
 * The rules of pass `simplify`: those of views and moves are in simplify_view.c, the others in
 * simplify.c. A rule looks at one node and gives a value that is the same bit for bit, or the
 * node itself.
 */
#ifndef ADZE_SIMPLIFY_H
#define ADZE_SIMPLIFY_H

#include "ir/pass.h"

/* Rules, in the order they are tried, by the class of the nodes they look at. */
#define RULES(RULE)                                                                \
	RULE(EW, put_constant_right)  /* c + x: x + c */                           \
	RULE(EW, drop_neutral)        /* x * 1, x / 1, x - 0, x + -0, max(x, -inf): x */ \
	RULE(EW, take_absorbing)      /* integers: x * 0: 0, x & 0: 0 */           \
	RULE(EW, join_equal)          /* max(x, x): x */                           \
	RULE(EW, drop_twice)          /* -(-x): x */                               \
	RULE(EW, drop_again)          /* abs(abs(x)): abs(x) */                    \
	RULE(EW, choose)              /* select(true, x, y): x, select(c, x, x): x */ \
	RULE(EW, drop_not)            /* !(a == b): a != b, select(!c, x, y): select(c, y, x) */ \
	RULE(EW, move_sign)           /* x + -y: x - y, x - -y: x + y, -x * -y: x * y */ \
	RULE(EW, use_product)         /* x / 2: x * 0.5, pow(x, 2): x * x */       \
	RULE(EW, drop_convert)        /* to the type it has, or through a wider one */ \
	RULE(EW, compute_splat)       /* f(all 1, all 2): all f(1, 2) */           \
	RULE(EW, compute_before)      /* f(spread x): spread f(x) */               \
	RULE(VIEW, move_splat)        /* all 1, moved: all 1 */                    \
	RULE(VIEW, join_reshapes)     /* of a reshape, or to the shape it has */   \
	RULE(VIEW, join_transposes)   /* of a transpose, or in order */            \
	RULE(VIEW, use_reshape)       /* a transpose that moves axes of one element */ \
	RULE(VIEW, join_broadcasts)   /* of a broadcast, or to the shape it has */ \
	RULE(VIEW, spread_reshape)    /* a broadcast of a reshape that adds axes of 1 */ \
	RULE(VIEW, drop_bitcast)      /* to the type it has, or through another */ \
	RULE(VIEW, drop_reverse)      /* twice, or of nothing */                   \
	RULE(VIEW, drop_slice)        /* of everything */                          \
	RULE(VIEW, join_slices)       /* of a slice, or within a part of a concat */ \
	RULE(MOVE, drop_pad)          /* of nothing */                             \
	RULE(MOVE, drop_concat)       /* of one */                                 \
	RULE(MOVE, take_blocks)       /* of what blocks stand for: the blocks first */ \
	RULE(MOVE, join_concats)      /* of a concat, or of slices that lie side by side */ \
	RULE(PLAIN, use_reduce)       /* by a body that is one associative function */

#define RULE(cls, run) ir_val simplify_##run(adze_graph *g, ir_val v);
RULES(RULE)
#undef RULE

static inline enum ir_op op_of(const adze_graph *g, ir_val v)
{
	return (enum ir_op)ir_get(g, v)->op;
}

static inline bool same_shape(const adze_graph *g, ir_val x, ir_val y)
{
	return shape_same_extents(ir_type(g, x), ir_type(g, y));
}

static inline bool dim_is_one(const adze_dim *d)
{
	return dim_is_static(d) && d->size == 1;
}

/** A constant scalar; and a value of `like`'s shape all of whose elements are a scalar. */
ir_val simplify_element(adze_graph *g, adze_dtype dtype, const void *element);
ir_val simplify_splat(adze_graph *g, ir_val scalar, ir_val like);
/** Whether it is a reshape that only adds or drops axes of one element. */
bool simplify_is_squeeze(const adze_graph *g, ir_val v);

#endif
