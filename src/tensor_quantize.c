/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms of quantized values: integers that stand for (integer - zero point) x scale.
 */
#include "forms.h"

#include <string.h>

/*
 * `v` as the shape of x: a scalar; [n] for the n elements of an axis; or with x's axes, of
 * which `axis` may have fewer elements, each for a block of x's.
 */
static adze_tensor fit(struct tensor_op *op, adze_tensor v, adze_tensor x, const char *axis)
{
	if (!op->ok || !adze_is(v))
		return form_of(op, 0);
	const adze_shape *s = tensor_type(op, x.id), *t = tensor_type(op, v.id);
	struct ir_dims at = {.n = t->rank};
	if (t->rank == 0)
		return form_spread(op, v, s, &at);
	int k = tensor_axis_of(op, x.id, axis);
	if (k < 0)
		return form_of(op, 0);
	at.at[0] = k;
	if (t->rank == 1 && s->rank != 1)
		return form_spread(op, v, s, &at);
	if (t->rank != s->rank || !dim_is_static(&s->dim[k]) || !dim_is_static(&t->dim[k]) ||
	    t->dim[k].size < 1 || s->dim[k].size % t->dim[k].size != 0)
		return form_refuse(op, v, "it is a scalar, has one number for each element of the "
					  "axis, or for each block of them");
	int64_t block = s->dim[k].size / t->dim[k].size;
	char at_axis[2] = {(char)('0' + k), '\0'};
	if (block > 1)
		v = (adze_stutter)(v, at_axis, block);
	for (int i = 0; i < s->rank; i++)
		at.at[i] = i;
	return form_spread(op, v, s, &at);
}

static struct tensor_op begin(const char *name, adze_tensor x, adze_tensor scale, adze_tensor zero)
{
	const adze_tensor all[3] = {x, scale, zero};
	struct tensor_op op = tensor_begin(name, all, adze_is(zero) ? 3 : 2);
	if (op.ok && !dtype_is_float(tensor_type(&op, scale.id)->dtype))
		form_refuse(&op, scale, "a scale is of floats");
	return op;
}

adze_tensor(adze_quantize)(adze_tensor x, adze_tensor scale, adze_tensor zero, const char *axis,
			   adze_dtype dtype)
{
	struct tensor_op op = begin("quantize", x, scale, zero);
	if (op.ok && !dtype_is_float(tensor_type(&op, x.id)->dtype))
		form_refuse(&op, x, "it takes floats");
	if (op.ok && ((unsigned)dtype >= ADZE_DTYPE_COUNT || !dtype_is_int(dtype)))
		form_refuse(&op, x, "the result is of integers");
	if (!op.ok)
		return form_end(&op, x);
	adze_tensor w = form_wide(x);
	adze_dtype wide = adze_tensor_shape(w).dtype;
	adze_tensor y = f_round(f_div(w, fit(&op, (adze_convert)(scale, wide), x, axis)));
	if (adze_is(zero))
		y = f_add(y, fit(&op, (adze_convert)(zero, wide), x, axis));
	/* Which keeps to the range. */
	return form_end(&op, (adze_convert)(y, dtype));
}

static adze_tensor blocks(struct tensor_op *op, adze_tensor x, const char *format, bool quick)
{
	struct attrs_dequantize_blocks a = {.quick = quick};
	if (op->ok && format != NULL)
		a.format = block_find(format, strlen(format));
	if (op->ok && a.format == BLOCK_NONE)
		tensor_fail(op, ADZE_E_ARGUMENT, "there is no block format '%.40s'",
			    format != NULL ? format : "");
	return form_of(op, op->ok ? ir_emit1(op->graph, OP_DEQUANTIZE_BLOCKS, x.id, &a, NULL) : 0);
}

adze_tensor(adze_dequantize_blocks)(adze_tensor x, const char *format)
{
	struct tensor_op op = tensor_begin("dequantize_blocks", &x, 1);
	return form_end(&op, blocks(&op, x, format, false));
}

adze_tensor(adze_nn_packed)(adze_tensor weight, const char *format)
{
	struct tensor_op op = tensor_begin("nn_packed", &weight, 1);
	return form_end(&op, blocks(&op, weight, format, true));
}

adze_tensor(adze_dequantize)(adze_tensor x, adze_tensor scale, adze_tensor zero, const char *axis)
{
	struct tensor_op op = begin("dequantize", x, scale, zero);
	if (op.ok && !dtype_is_int(tensor_type(&op, x.id)->dtype))
		form_refuse(&op, x, "it takes integers");
	if (!op.ok)
		return form_end(&op, x);
	adze_dtype to = adze_tensor_shape(scale).dtype;
	adze_tensor s = form_wide(scale), y = (adze_convert)(x, adze_tensor_shape(s).dtype);
	if (adze_is(zero))
		y = f_sub(y, fit(&op, (adze_convert)(zero, adze_tensor_shape(s).dtype), x, axis));
	return form_end(&op, (adze_convert)(f_mul(y, fit(&op, s, x, axis)), to));
}
