/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#define ISA vnni
#define NT_R 4
#define NT_C 6
#include "kernels/simd_avx512.h"
#include "kernels/gemm_nt.inc"
#include "kernels/gemm_nt_int.inc"
