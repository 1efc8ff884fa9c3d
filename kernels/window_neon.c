/* SPDX-License-Identifier: Apache-2.0 */
#define ISA neon
#include "kernels/simd_neon.h"
#include "kernels/pool.inc"
