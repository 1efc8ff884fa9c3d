/* SPDX-License-Identifier: Apache-2.0 */
#define ISA avx512
#define MR 14
#define NV 2
#include "kernels/simd_avx512.h"
#include "kernels/attend.inc"
