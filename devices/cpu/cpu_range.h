/* SPDX-License-Identifier: Apache-2.0
 *
 * What a body makes of a whole tile of scores, known before any score is: interval arithmetic
 * on what it reads besides. So a mask costs nothing where all of a tile is seen, and a tile that
 * nobody sees is passed over.
 */
#ifndef ADZE_CPU_RANGE_H
#define ADZE_CPU_RANGE_H

#include "devices/cpu/cpu_exec.h"

/**
 * What is known of a value in a tile:
 *   NUMBER  it is from lo to hi, wherever it is
 *   SCORE   it is factor times the score, plus something from lo to hi; factor > 0
 *   ANY     nothing
 */
struct cpu_range {
	enum { CPU_RANGE_ANY, CPU_RANGE_NUMBER, CPU_RANGE_SCORE } kind;
	double factor, lo, hi;
};

/** The result of an ATTEND step's body; `in` is of what it reads besides the score. */
struct cpu_range cpu_range_of_body(const struct cpu_body *b, const struct cpu_range *in);

/**
 * Of n elements, `stride` elements apart; by[0] and by[1] are reduce_min_ and reduce_max_ of the
 * type, or NULL. ANY where one is NaN, or the type has no loop.
 */
struct cpu_range cpu_range_of(adze_dtype dtype, const struct kernel_impl *const *by,
			      const char *x, int64_t stride, int64_t n);

/** Both together. */
struct cpu_range cpu_range_join(struct cpu_range a, struct cpu_range b);

#endif
