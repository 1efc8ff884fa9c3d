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

void chain_f32_scalar(float *y, const float *x, const struct chain_op *op, size_t nop, size_t n,
		      int past)
{
	(void)past;
	for (size_t i = 0; i < n; i++) {
		float a = x[i];
		for (size_t k = 0; k < nop; k++) {
			float b = op[k].form & CHAIN_OPERAND_ROW   ? op[k].operand[i]
				  : op[k].form & CHAIN_OPERAND_ONE ? *op[k].operand
								   : a;
			int second = op[k].form & CHAIN_SECOND;
			a = ew_f32((enum ew)op[k].ew, second ? b : a, second ? a : b, 0);
		}
		y[i] = a;
	}
}
