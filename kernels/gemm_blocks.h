/* SPDX-License-Identifier: Apache-2.0
 *
 * Block sizes of the packed matrix product, for each instruction set, and the workspace they
 * make: a block of `mc` x `kc` of the left operand, in slivers of `mr` rows, should stay in
 * the second-level cache; `kc` x `nr` of the right one in the first; `kc` x `nc` in the
 * third. `mc` is a multiple of mr, `nc` of nr. `kc` fixes the order of sums.
 */
#ifndef ADZE_GEMM_BLOCKS_H
#define ADZE_GEMM_BLOCKS_H

/* Floats that a vector's store may reach beyond the last sliver. */
#define GEMM_PAD 16

#define GEMM_WORK(mc, nc, kc) ((((size_t)(mc) + (size_t)(nc)) * (size_t)(kc) + GEMM_PAD) * 4)

#define GEMM_MC_GENERIC 24
#define GEMM_NC_GENERIC 64
#define GEMM_KC_GENERIC 64
#define GEMM_WORK_GENERIC GEMM_WORK(GEMM_MC_GENERIC, GEMM_NC_GENERIC, GEMM_KC_GENERIC)

#define GEMM_MC_NEON 128
#define GEMM_NC_NEON 1020
#define GEMM_KC_NEON 256
#define GEMM_WORK_NEON GEMM_WORK(GEMM_MC_NEON, GEMM_NC_NEON, GEMM_KC_NEON)

#define GEMM_MC_AVX2 144
#define GEMM_NC_AVX2 1024
#define GEMM_KC_AVX2 256
#define GEMM_WORK_AVX2 GEMM_WORK(GEMM_MC_AVX2, GEMM_NC_AVX2, GEMM_KC_AVX2)

#define GEMM_MC_AVX512 196
#define GEMM_NC_AVX512 1024
#define GEMM_KC_AVX512 256
#define GEMM_WORK_AVX512 GEMM_WORK(GEMM_MC_AVX512, GEMM_NC_AVX512, GEMM_KC_AVX512)

/* What gemm_f32_openblas() copies an operand through, k steps at a time. */
#define GEMM_WORK_OPENBLAS ((size_t)1 << 20)

#endif
