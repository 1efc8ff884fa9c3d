/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether tensors agree, by the tolerances that tests/data/ops writes in its files.
 */
#ifndef ADZE_COMPARE_H
#define ADZE_COMPARE_H

#include "base/dtype.h"

/**
 * Compares `n` elements, at any alignment, by `tolerance`:
 *   exact        the same bits; any NaN for any NaN
 *   ulp:N        at most N representable values apart; zeros of both signs are one
 *   rel:R abs:A  |got - want| <= A + R * |want|; either part may be left out
 * Infinities and NaN must be where they are wanted. Integers and bools are always exact.
 * On a difference, or a tolerance that cannot be read, false, and words in `message`: how
 * many elements differ, and which one does most.
 */
bool compare_tensors(adze_dtype dtype, const void *got, const void *want, size_t n,
		     const char *tolerance, char *message, size_t cap);

#endif
