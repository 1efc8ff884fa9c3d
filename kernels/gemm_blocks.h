/* SPDX-License-Identifier: Apache-2.0
 *
 * Block sizes of the matrix product for each instruction set, and the workspace they make:
 * `nc` x `kc` of the right operand, packed, should stay in the second-level cache; `mr` rows of
 * `kc` of the left one in the first, with rows that lie in one of its sets: no more of them than
 * it has ways. `kc` fixes the order of sums.
 */
#ifndef ADZE_GEMM_BLOCKS_H
#define ADZE_GEMM_BLOCKS_H

#include <stddef.h>

/* Floats that a vector's store may reach beyond what is copied. */
#define GEMM_PAD 16

#define GEMM_LEFT(mr, kc) ((size_t)(mr) * ((kc) + GEMM_PAD) + GEMM_PAD)
#define GEMM_RIGHT(nc, kc) ((size_t)(nc) * (kc) + GEMM_PAD)
/* Rows of a result that is made turned, before it is turned back. */
#define GEMM_TURNED 1024
#define GEMM_WORK(mr, nc, kc) \
	((GEMM_LEFT(mr, kc) + GEMM_RIGHT(nc, kc) + (size_t)GEMM_TURNED * (nc) + GEMM_PAD) * 4)

#define GEMM_MR_GENERIC 6
#define GEMM_NC_GENERIC 64
#define GEMM_KC_GENERIC 64
#define GEMM_WORK_GENERIC GEMM_WORK(GEMM_MR_GENERIC, GEMM_NC_GENERIC, GEMM_KC_GENERIC)

#define GEMM_MR_NEON 8
#define GEMM_NC_NEON 240
#define GEMM_KC_NEON 256
#define GEMM_WORK_NEON GEMM_WORK(GEMM_MR_NEON, GEMM_NC_NEON, GEMM_KC_NEON)

#define GEMM_MR_AVX2 6
#define GEMM_NC_AVX2 256
#define GEMM_KC_AVX2 256
#define GEMM_WORK_AVX2 GEMM_WORK(GEMM_MR_AVX2, GEMM_NC_AVX2, GEMM_KC_AVX2)

#define GEMM_MR_AVX512 11
#define GEMM_NC_AVX512 256
#define GEMM_KC_AVX512 512
#define GEMM_WORK_AVX512 GEMM_WORK(GEMM_MR_AVX512, GEMM_NC_AVX512, GEMM_KC_AVX512)

/* What gemm_f32_openblas() copies an operand through, k steps at a time. */
#define GEMM_WORK_OPENBLAS ((size_t)1 << 20)

/* Whether b is better to the left, where rows along the sum need no packing: b has them and a
 * has not, or both have and b is the larger one. */
static inline int gemm_swaps(ptrdiff_t a_col, ptrdiff_t b_row, size_t m, size_t n)
{
	return b_row == 1 && (a_col != 1 || m < n);
}

#endif
