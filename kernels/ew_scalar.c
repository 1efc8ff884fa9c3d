/* SPDX-License-Identifier: Apache-2.0
 *
 * Element-wise functions by their formulas, one element at a time: the reference that all
 * others are compared with.
 */
#define ISA scalar
#define LOOP_IF KEEP_ALL
#define LOOP_BOOLS FOR_BOOL
#define LOOP_INTS FOR_INTS
#define LOOP_FLOATS FOR_FLOATS
#include "kernels/loops.inc"
