/* SPDX-License-Identifier: Apache-2.0 */
#define ISA generic
#include "kernels/simd_generic.h"
#include "kernels/pool.inc"
