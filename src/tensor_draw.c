/* SPDX-License-Identifier: Apache-2.0
 *
 * Samples of distributions, each a pure function of random bits (adze_rng_bits()).
 */
#include "forms.h"

#include <math.h>
#include <string.h>

/* "s=4, t<=9" of a shape, as text that says what dims are. */
static void dims_text(const adze_shape *s, char *text, size_t cap)
{
	shape_print(s, text, cap);
	char *open = strchr(text, '['), *close = strrchr(text, ']');
	size_t n = open != NULL && close != NULL ? (size_t)(close - open - 1) : 0;
	if (n > 0)
		memmove(text, open + 1, n);
	text[n] = '\0';
}

/* The type that samples are computed in, and that of the bits that make one. */
static adze_dtype wide_of(adze_dtype dtype)
{
	return dtype == ADZE_F64 ? ADZE_F64 : ADZE_F32;
}

/* Whole numbers below 2^digits, 24 of them or, for f64, 53, less `drop`, as floats. */
static adze_tensor draw(adze_tensor state, adze_dtype wide, const char *dims, int drop,
			adze_tensor *next)
{
	bool large = wide == ADZE_F64;
	adze_tensor bits = (adze_rng_bits)(state, large ? ADZE_U64 : ADZE_U32, dims, next);
	bits = f_ushr(bits, f_num(bits, (large ? 11 : 8) + drop));
	/* Signed: floats of signed integers are what processors make. */
	return (adze_convert)((adze_convert)(bits, large ? ADZE_I64 : ADZE_I32), wide);
}

/* 0 to 1, without 1. */
static adze_tensor unit(adze_tensor state, adze_dtype wide, const char *dims, adze_tensor *next)
{
	return f_scale(draw(state, wide, dims, 0, next), wide == ADZE_F64 ? 0x1p-53 : 0x1p-24);
}

/* 0 to 1, without both: odd numbers over a power of two. */
static adze_tensor open_unit(adze_tensor state, adze_dtype wide, const char *dims,
			     adze_tensor *next)
{
	adze_tensor odd = f_shift(f_scale(draw(state, wide, dims, 1, next), 2), 1);
	return f_scale(odd, wide == ADZE_F64 ? 0x1p-53 : 0x1p-24);
}

static struct tensor_op begin(const char *name, adze_tensor state, adze_dtype dtype)
{
	struct tensor_op op = tensor_begin(name, &state, 1);
	if (op.ok && ((unsigned)dtype >= ADZE_DTYPE_COUNT || !dtype_is_float(dtype)))
		form_refuse(&op, state, "it gives floats");
	return op;
}

/* The sample as `dtype`; the next state broken where it is. */
static adze_tensor end(struct tensor_op *op, adze_tensor y, adze_dtype dtype, adze_tensor *next)
{
	y = form_end(op, op->ok ? (adze_convert)(y, dtype) : y);
	if (next != NULL && !adze_is(y))
		*next = y;
	return y;
}

adze_tensor(adze_uniform)(adze_tensor state, adze_dtype dtype, const char *dims, double low,
			  double high, adze_tensor *next)
{
	struct tensor_op op = begin("uniform", state, dtype);
	adze_tensor u = op.ok ? unit(state, wide_of(dtype), dims, next) : state;
	return end(&op, f_shift(f_scale(u, high - low), low), dtype, next);
}

/* The inverse of the distribution, erf_inv() but for scales, of numbers within -1 and 1. */
adze_tensor(adze_normal)(adze_tensor state, adze_dtype dtype, const char *dims, double mean,
			 double deviation, adze_tensor *next)
{
	struct tensor_op op = begin("normal", state, dtype);
	adze_tensor u = op.ok ? open_unit(state, wide_of(dtype), dims, next) : state;
	adze_tensor y = f_scale(f_erf_inv(f_shift(f_scale(u, 2), -1)), sqrt(2) * deviation);
	return end(&op, f_shift(y, mean), dtype, next);
}

adze_tensor(adze_truncated_normal)(adze_tensor state, adze_dtype dtype, const char *dims,
				   double low, double high, adze_tensor *next)
{
	struct tensor_op op = begin("truncated_normal", state, dtype);
	if (op.ok && !(low < high))
		tensor_fail(&op, ADZE_E_ARGUMENT, "%g is not below %g", low, high);
	adze_tensor u = op.ok ? unit(state, wide_of(dtype), dims, next) : state;
	double from = erf(low / sqrt(2)), to = erf(high / sqrt(2));
	adze_tensor y = f_scale(f_erf_inv(f_shift(f_scale(u, to - from), from)), sqrt(2));
	/* Rounding must not lead outside. */
	return end(&op, f_clamp(f_num(y, low), y, f_num(y, high)), dtype, next);
}

adze_tensor(adze_exponential)(adze_tensor state, adze_dtype dtype, const char *dims, double rate,
			      adze_tensor *next)
{
	struct tensor_op op = begin("exponential", state, dtype);
	adze_tensor u = op.ok ? unit(state, wide_of(dtype), dims, next) : state;
	return end(&op, f_scale(f_log1p(f_neg(u)), -1 / rate), dtype, next);
}

adze_tensor(adze_gumbel)(adze_tensor state, adze_dtype dtype, const char *dims, adze_tensor *next)
{
	struct tensor_op op = begin("gumbel", state, dtype);
	adze_tensor u = op.ok ? open_unit(state, wide_of(dtype), dims, next) : state;
	return end(&op, f_neg(f_log(f_neg(f_log(u)))), dtype, next);
}

adze_tensor(adze_randint)(adze_tensor state, adze_dtype dtype, const char *dims, int64_t low,
			  int64_t high, adze_tensor *next)
{
	struct tensor_op op = tensor_begin("randint", &state, 1);
	uint64_t many = (uint64_t)high - (uint64_t)low;
	adze_shape one = shape_make(ADZE_U64, 0, NULL);
	if (op.ok && ((unsigned)dtype >= ADZE_DTYPE_COUNT || !dtype_is_int(dtype)))
		form_refuse(&op, state, "it gives integers");
	if (op.ok && low >= high)
		tensor_fail(&op, ADZE_E_ARGUMENT, "there is no number from %lld on and below %lld",
			    (long long)low, (long long)high);
	if (!op.ok)
		return end(&op, state, ADZE_I64, next);
	/* Of 2^64 / many, what is left over is too few to be seen. */
	adze_tensor bits = (adze_rng_bits)(state, ADZE_U64, dims, next);
	adze_tensor y = f_rem(bits, (adze_constant)(op.graph, &one, &many));
	return end(&op, f_add(y, (adze_constant)(op.graph, &one, &low)), dtype, next);
}

adze_tensor(adze_bernoulli)(adze_tensor state, adze_tensor p, adze_tensor *next)
{
	const adze_tensor x[2] = {p, state};
	char dims[SHAPE_TEXT];
	struct tensor_op op = tensor_begin("bernoulli", x, 2);
	if (op.ok && !dtype_is_float(tensor_type(&op, p.id)->dtype))
		form_refuse(&op, p, "probabilities are floats");
	if (!op.ok)
		return end(&op, p, ADZE_BOOL, next);
	adze_tensor w = form_wide(p);
	dims_text(tensor_type(&op, p.id), dims, sizeof dims);
	adze_tensor u = unit(state, adze_tensor_shape(w).dtype, dims, next);
	return end(&op, f_lt(u, w), ADZE_BOOL, next);
}

adze_tensor(adze_dropout)(adze_tensor state, adze_tensor x, double p, adze_tensor *next)
{
	const adze_tensor both[2] = {x, state};
	char dims[SHAPE_TEXT];
	struct tensor_op op = form_floats("dropout", &x, 1);
	if (op.ok)
		op = tensor_begin("dropout", both, 2);
	if (op.ok && !(p >= 0 && p < 1))
		tensor_fail(&op, ADZE_E_ARGUMENT, "%g is not a chance below 1", p);
	if (!op.ok)
		return end(&op, x, ADZE_F32, next);
	dims_text(tensor_type(&op, x.id), dims, sizeof dims);
	adze_tensor u = unit(state, ADZE_F32, dims, next);
	adze_tensor y = (adze_select)(f_lt(u, f_num(u, p)), f_num(x, 0), f_scale(x, 1 / (1 - p)));
	return end(&op, y, adze_tensor_shape(x).dtype, next);
}

/* The largest of logits with Gumbel noise: each index by its softmax. */
adze_tensor(adze_categorical)(adze_tensor state, adze_tensor logits, const char *axis,
			      adze_tensor *next)
{
	const adze_tensor both[2] = {logits, state};
	char dims[SHAPE_TEXT];
	struct tensor_op op = form_floats("categorical", &logits, 1);
	if (op.ok)
		op = tensor_begin("categorical", both, 2);
	if (!op.ok)
		return end(&op, logits, ADZE_I32, next);
	adze_tensor w = form_wide(logits);
	dims_text(tensor_type(&op, logits.id), dims, sizeof dims);
	adze_tensor noise = (adze_gumbel)(state, adze_tensor_shape(w).dtype, dims, next);
	return end(&op, (adze_argmax)(f_add(w, noise), axis), ADZE_I32, next);
}
