/* SPDX-License-Identifier: Apache-2.0
 *
 * What kernels of products with weights in blocks share.
 */
#ifndef ADZE_BLOCK_ROWS_H
#define ADZE_BLOCK_ROWS_H

#include "kernels/kernels.h"

/* Bytes that an implementation may need of `work`. */
#define BLOCK_WORK (64 << 10)
/* Blocks of x whose magnitudes are all less count as zeros: 127 over them would be infinite. */
#define BLOCK_TINY 1e-30f

/* Whether a format's integers need 8 bits. */
static inline int block_is_wide(const struct block_format *f)
{
	return f->most - f->least > 127;
}

/* What follows from a block's sums over 16 and 16. */
static inline void block_more(const struct block_format *f, int32_t *more, const float *scale,
			      const int32_t *sum, size_t n)
{
	int base = block_base(f);
	for (size_t i = 0; i < n * 32 / (size_t)f->part; i++) {
		uint32_t all = f->part == 16 ? (uint32_t)sum[i]
					     : (uint32_t)sum[2 * i] + (uint32_t)sum[2 * i + 1];
		float share = scale[f->part == 16 ? i / 2 : i] * (float)(int32_t)all;
		uint32_t v = all * (uint32_t)base;
		if (f->has_min)
			memcpy(&v, &share, sizeof v);
		more[i] = (int32_t)v;
	}
}

#endif
