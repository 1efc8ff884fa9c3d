/* SPDX-License-Identifier: Apache-2.0 */
#define ISA generic
#define MR 6
#define NV 2
#include "kernels/simd_generic.h"
#include "kernels/attend.inc"
