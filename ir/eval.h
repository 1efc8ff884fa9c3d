/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the reference evaluator share: one node being evaluated, its operands
 * as dense arrays, and walks over boxes. Only ir/eval*.c include this.
 */
#ifndef ADZE_EVAL_H
#define ADZE_EVAL_H

#include <string.h>

#include "ir/graph.h"

/** A dense row-major array; extents are those of this call. */
struct eval_array {
	adze_dtype dtype;
	int rank;
	size_t size; /* bytes of an element that stands alone */
	size_t all;  /* bytes of the array */
	int64_t extent[ADZE_MAX_RANK];
	int64_t stride[ADZE_MAX_RANK]; /* in elements */
	int64_t count;
	const void *bytes;
};

/** One node at work. */
struct eval {
	const adze_graph *g;
	ir_val v;
	size_t nx;
	const struct eval_array *x; /* the operands */
	struct eval_array y;
	void *out; /* y.bytes, to be written; zero so far */
	const int64_t *symbol;
	struct diag *d;
};

/** Fills e->out. One for every row of ops.def, eval_<name>(). */
typedef adze_status eval_function(struct eval *e);
#define OP(name, id, min, max, cls, takes, rule, attrs, flags, doc) eval_function eval_##name;
#include "ir/ops.def"

/** An array of that shape in a call. */
struct eval_array eval_array_of(const adze_graph *g, const adze_shape *s, const int64_t *symbol,
				const void *bytes);

#define EVAL_ATTRS(schema, e) IR_ATTRS(schema, (e)->g, (e)->v)

/** A box walked in row-major order; two offsets, in elements, go along. */
struct walk {
	int rank;
	int64_t extent[2 * ADZE_MAX_RANK];
	int64_t at[2 * ADZE_MAX_RANK];
	int64_t step[2][2 * ADZE_MAX_RANK];
	int64_t offset[2];
};

/** Adds an axis, inside those that are there. Zero-initialise before the first. */
static inline void walk_axis(struct walk *w, int64_t extent, int64_t step0, int64_t step1)
{
	int i = w->rank++;
	w->extent[i] = extent;
	w->at[i] = 0;
	w->step[0][i] = step0;
	w->step[1][i] = step1;
}

/** Places in the box; 1 for no axis. */
static inline int64_t walk_count(const struct walk *w)
{
	int64_t n = 1;
	for (int i = 0; i < w->rank; i++)
		n *= w->extent[i];
	return n;
}

/** The next place; after the last one the first one again. */
static inline void walk_next(struct walk *w)
{
	for (int i = w->rank - 1; i >= 0; i--) {
		w->offset[0] += w->step[0][i];
		w->offset[1] += w->step[1][i];
		if (++w->at[i] < w->extent[i])
			return;
		w->at[i] = 0;
		w->offset[0] -= w->step[0][i] * w->extent[i];
		w->offset[1] -= w->step[1][i] * w->extent[i];
	}
}

/** Element i of an array of integers, kept to 0 .. most; 0 where `most` is negative. */
static inline int64_t eval_load_kept(const struct eval_array *x, int64_t i, int64_t most)
{
	int64_t v = dtype_load_int(x->dtype, x->bytes, (size_t)i);
	if (v > most || (v < 0 && x->dtype == ADZE_U64))
		v = most;
	return v < 0 ? 0 : v;
}

/** The axes of `x`: those that a reduction over `axes` takes away to `inner`, others to `outer`. */
static inline void walk_reduced(const struct eval_array *x, const struct ir_dims *axes,
				struct walk *outer, struct walk *inner)
{
	for (int i = 0; i < x->rank; i++) {
		bool away = false;
		for (int k = 0; k < axes->n; k++)
			away = away || axes->at[k] == i;
		walk_axis(away ? inner : outer, x->extent[i], x->stride[i], 0);
	}
}

/** Element `from` of `x` to element `to` of the result. */
static inline void copy_element(struct eval *e, int64_t to, const struct eval_array *x,
				int64_t from)
{
	dtype_copy_at(x->dtype, e->out, (size_t)to, x->bytes, (size_t)from);
}

#endif
