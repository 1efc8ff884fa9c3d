/* SPDX-License-Identifier: Apache-2.0 */
#define ISA avx512
#include "kernels/simd_avx512.h"
#include "kernels/pool.inc"
