/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gemm_blocks.h"

#define ISA avx512
#define NT_R 4
#define NT_C 6
#define MR 8
#define MR_ONE GEMM_MR_AVX512
#define NV 3
#define GEMM_ROWS(DO) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8)
#define GEMM_MORE(DO) DO(9) DO(10) DO(11)
#define NC GEMM_NC_AVX512
#define KC GEMM_KC_AVX512
#include "kernels/simd_avx512.h"
#include "kernels/gemm.inc"
#include "kernels/conv.inc"
#include "kernels/gemm_nt.inc"
#include "kernels/gemm_nt_float.inc"
#include "kernels/gemm_nt_int.inc"
#include "kernels/gemv.inc"
