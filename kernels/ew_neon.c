/* SPDX-License-Identifier: Apache-2.0 */
#define ISA neon
#include "kernels/simd_neon.h"
#include "kernels/ew.inc"
#include "kernels/chain.inc"

#define LOOP_IF IF_GAIN
#define LOOP_BOOLS FOR_BOOL
#define LOOP_INTS FOR_LOOP_INTS
#define LOOP_FLOATS FOR_LOOP_FLOATS
#include "kernels/loops.inc"
#include "kernels/convert_loops.inc"
