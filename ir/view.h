/* SPDX-License-Identifier: Apache-2.0
 *
 * How values lie in memory. Every value with memory of its own is dense and row-major in the
 * extents of the call; views (reshape, transpose, broadcast, slice, reverse) are strides over
 * such a value where strides can say it. Extents and strides that depend on symbols are
 * monomials, so that they are worked out once a call.
 */
#ifndef ADZE_VIEW_H
#define ADZE_VIEW_H

#include "ir/graph.h"

/** coef times the product of symbols' values, each to its power. */
struct ir_size {
	int64_t coef;
	uint8_t power[ADZE_MAX_SYMBOLS];
};

struct ir_size ir_size_of(const adze_graph *g, const adze_dim *dim);
struct ir_size ir_size_const(int64_t v);
struct ir_size ir_size_mul(struct ir_size a, struct ir_size b);
bool ir_size_equal(struct ir_size a, struct ir_size b);
bool ir_size_is(struct ir_size a, int64_t v);
/** Its value; and its value at the symbols' bounds. */
int64_t ir_size_value(struct ir_size a, const int64_t *symbol);
int64_t ir_size_bound(const adze_graph *g, struct ir_size a);

/** Element (i, j, ...) of a value is element offset + i * stride[0] + ... of `base`. */
struct ir_view {
	ir_val base; /* a value with memory of its own */
	adze_dtype dtype; /* of the elements, which the bytes of `base` hold */
	enum block_kind block; /* in which they lie; strides are in what those stand for */
	int rank;
	struct ir_size extent[ADZE_MAX_RANK];
	struct ir_size stride[ADZE_MAX_RANK]; /* in elements; coef may be 0 or negative */
	struct ir_size offset;
};

/** The value itself, dense. */
void ir_view_dense(const adze_graph *g, ir_val v, struct ir_view *out);

/**
 * `v` through views to what holds its elements: a value that is no view, or a view that a
 * group copies out (g->group[v] != 0). False where strides cannot say it.
 */
bool ir_view_of(const adze_graph *g, ir_val v, struct ir_view *out);

/** Whether the operation is one that products may do themselves: a conversion, or of blocks. */
static inline bool ir_can_be_narrow(const adze_graph *g, ir_val v)
{
	return g->node[v].op == OP_CONVERT || g->node[v].op == OP_DEQUANTIZE_BLOCKS;
}

/** Whether `v` is such a one that fusion put in no group: products, and they alone, read
 * what is behind it, as view.dtype and view.block say, and convert each element. */
bool ir_is_read_narrow(const adze_graph *g, ir_val v);

/** The value whose memory `v` is read from: `v`, or what is behind its views and such
 * conversions. */
ir_val ir_behind(const adze_graph *g, ir_val v);

/** As ir_view_of(), for a view that is copied out: through `v` itself to its operand. */
bool ir_view_through(const adze_graph *g, ir_val v, struct ir_view *out);

/** Whether the elements lie row-major and without gaps from `offset` on. */
bool ir_view_is_dense(const struct ir_view *w);

/**
 * The fewest axes that describe the same walk: drops axes of extent 1 and joins neighbours
 * i, i+1 where stride[i] = extent[i+1] * stride[i+1], in all `n` views at once (they have
 * the same extents). At least one axis stays unless every rank is 0.
 */
void ir_view_collapse(struct ir_view *w, int n);

#endif
