/* SPDX-License-Identifier: Apache-2.0 */
#define ISA avx2
#include "kernels/simd_avx2.h"
#include "kernels/ew.inc"
#include "kernels/chain.inc"
#include "kernels/stream.inc"

#define LOOP_IF IF_GAIN
#define LOOP_BOOLS FOR_BOOL
#define LOOP_INTS FOR_LOOP_INTS
#define LOOP_FLOATS FOR_LOOP_FLOATS
#include "kernels/loops.inc"
#include "kernels/convert_loops.inc"
