/* SPDX-License-Identifier: Apache-2.0 */
#define ISA neon
#define MR 12
#define NV 2
#include "kernels/simd_neon.h"
#include "kernels/attend.inc"
