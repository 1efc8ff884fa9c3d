/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/gemm_blocks.h"

#define ISA generic
#define NT_R 3
#define NT_C 4
#define MR 6
#define MR_ONE GEMM_MR_GENERIC
#define NV 2
#define GEMM_ROWS(DO) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6)
#define GEMM_MORE(DO)
#define NC GEMM_NC_GENERIC
#define KC GEMM_KC_GENERIC
#include "kernels/simd_generic.h"
#include "kernels/gemm.inc"
#include "kernels/conv.inc"
#include "kernels/gemm_nt.inc"
#include "kernels/gemm_nt_float.inc"
#include "kernels/gemm_nt_int.inc"
#include "kernels/gemv.inc"
