/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gemm_blocks.h"

#define ISA neon
#define NT_R 4
#define NT_C 6
#define MR 8
#define MR_ONE GEMM_MR_NEON
#define NV 3
#define GEMM_ROWS(DO) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8)
#define GEMM_MORE(DO)
#define NC GEMM_NC_NEON
#define KC GEMM_KC_NEON
#include "kernels/simd_neon.h"
#include "kernels/gemm.inc"
#include "kernels/conv.inc"
#include "kernels/gemm_nt.inc"
#include "kernels/gemm_nt_float.inc"
#include "kernels/gemm_nt_int.inc"
#include "kernels/gemv.inc"
