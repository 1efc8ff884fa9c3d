/* SPDX-License-Identifier: Apache-2.0 */
#define ISA avx2
#define MR 6
#define NV 2
#include "kernels/simd_avx2.h"
#include "kernels/attend.inc"
