/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms of one element at a time: functions of floats that are composed, in f32 at least, of
 * those in ew.def; arithmetic with numbers; what is true of elements.
 */
#include "forms.h"

#include <math.h>

#define LN2 0.693147180559945309417
#define PI 3.14159265358979323846

static adze_dtype dtype_of(adze_tensor x)
{
	return adze_tensor_shape(x).dtype;
}

static adze_tensor choose(adze_tensor condition, adze_tensor a, adze_tensor b)
{
	return (adze_select)(condition, a, b);
}

/* Whether x has the sign bit; NaNs have signs too. */
static adze_tensor negative(adze_tensor x)
{
	return f_total_lt(x, f_num(x, 0));
}

static adze_tensor with_sign(adze_tensor magnitude, adze_tensor sign)
{
	adze_tensor m = f_abs(magnitude);
	return choose(negative(sign), f_neg(m), m);
}

/* ---- functions of one float: made of `w`, which is x in f32 at least ---- */

#define FLOAT_FORM(name, expr)                                             \
	static adze_tensor make_##name(adze_tensor w)                      \
	{                                                                  \
		return expr;                                               \
	}                                                                  \
	adze_tensor(adze_##name)(adze_tensor x)                            \
	{                                                                  \
		struct tensor_op op = form_floats(#name, &x, 1);           \
		adze_tensor y = make_##name(form_wide(x));                 \
		return form_end(&op, (adze_convert)(y, dtype_of(x)));      \
	}

FLOAT_FORM(exp2, f_pow(f_num(w, 2), w))
FLOAT_FORM(log2, f_scale(f_log(w), 1 / LN2))
FLOAT_FORM(log10, f_scale(f_log(w), 0.434294481903251827651))
FLOAT_FORM(atan, f_atan2(w, f_num(w, 1)))

/* sqrt((1 - x) (1 + x)), exact near one. */
static adze_tensor beside(adze_tensor w)
{
	return f_sqrt(f_mul(f_sub(f_num(w, 1), w), f_shift(w, 1)));
}
FLOAT_FORM(asin, f_atan2(w, beside(w)))
FLOAT_FORM(acos, f_atan2(beside(w), w))

/* exp(|x|) / 2, which may be finite where exp(|x|) is not. */
static adze_tensor half_exp(adze_tensor w)
{
	return f_exp(f_shift(f_abs(w), -LN2));
}

/* Near 0 by expm1(), where the difference of exponentials would lose digits. */
static adze_tensor hyperbolic_sine(adze_tensor w)
{
	adze_tensor h = half_exp(w), t = f_expm1(f_abs(w));
	adze_tensor far = f_sub(h, f_div(f_num(w, 0.25), h));
	adze_tensor near = f_scale(f_add(t, f_div(t, f_shift(t, 1))), 0.5);
	return with_sign(choose(f_lt(f_abs(w), f_num(w, 1)), near, far), w);
}
FLOAT_FORM(sinh, hyperbolic_sine(w))

static adze_tensor hyperbolic_cosine(adze_tensor w)
{
	adze_tensor h = half_exp(w);
	return f_add(h, f_div(f_num(w, 0.25), h));
}
FLOAT_FORM(cosh, hyperbolic_cosine(w))

/* log(2 a) where a squared would overflow, and 1 is nothing beside it. */
static adze_tensor log_of_twice(adze_tensor a)
{
	return f_shift(f_log(a), LN2);
}

static adze_tensor far_from_one(adze_tensor a)
{
	return f_gt(a, f_num(a, 1e9));
}

static adze_tensor area_sine(adze_tensor w)
{
	adze_tensor a = f_abs(w), s = f_mul(a, a), root = f_sqrt(f_shift(s, 1));
	adze_tensor y = f_log1p(f_add(a, f_div(s, f_shift(root, 1))));
	return with_sign(choose(far_from_one(a), log_of_twice(a), y), w);
}
FLOAT_FORM(asinh, area_sine(w))

static adze_tensor area_cosine(adze_tensor w)
{
	adze_tensor t = f_shift(w, -1);
	adze_tensor y = f_log1p(f_add(t, f_sqrt(f_mul(t, f_shift(t, 2)))));
	return choose(far_from_one(w), log_of_twice(w), y);
}
FLOAT_FORM(acosh, area_cosine(w))

static adze_tensor area_tangent(adze_tensor w)
{
	adze_tensor a = f_abs(w);
	adze_tensor y = f_log1p(f_div(f_scale(a, 2), f_sub(f_num(w, 1), a)));
	return with_sign(f_scale(y, 0.5), w);
}
FLOAT_FORM(atanh, area_tangent(w))

static adze_tensor cut(adze_tensor w)
{
	return choose(negative(w), f_ceil(w), f_floor(w));
}
FLOAT_FORM(trunc, cut(w))
FLOAT_FORM(frac, f_sub(w, cut(w)))
FLOAT_FORM(logit, f_log(f_div(w, f_sub(f_num(w, 1), w))))

static adze_tensor cardinal_sine(adze_tensor w)
{
	adze_tensor a = f_scale(w, PI);
	return choose(f_eq(w, f_num(w, 0)), f_num(w, 1), f_div(f_sin(a), a));
}
FLOAT_FORM(sinc, cardinal_sine(w))
FLOAT_FORM(degrees, f_scale(w, 180 / PI))
FLOAT_FORM(radians, f_scale(w, PI / 180))
FLOAT_FORM(relu6, f_min(f_max(w, f_num(w, 0)), f_num(w, 6)))
FLOAT_FORM(tanh_shrink, f_sub(w, f_tanh(w)))

/* ---- of two floats ---- */

#define FLOAT_FORM_2(name, expr)                                              \
	static adze_tensor make_##name(adze_tensor a, adze_tensor b)          \
	{                                                                     \
		return expr;                                                  \
	}                                                                     \
	adze_tensor(adze_##name)(adze_tensor a, adze_tensor b)                \
	{                                                                     \
		const adze_tensor x[2] = {a, b};                              \
		struct tensor_op op = form_floats(#name, x, 2);               \
		if (op.ok && dtype_of(a) != dtype_of(b))                      \
			form_refuse(&op, b, "element types differ");          \
		adze_tensor y = make_##name(form_wide(a), form_wide(b));      \
		return form_end(&op, (adze_convert)(y, dtype_of(a)));         \
	}

FLOAT_FORM_2(copysign, with_sign(a, b))

static adze_tensor length(adze_tensor a, adze_tensor b)
{
	adze_tensor more = f_max(f_abs(a), f_abs(b)), less = f_min(f_abs(a), f_abs(b));
	adze_tensor r = f_div(less, more), y = f_mul(more, f_sqrt(f_shift(f_mul(r, r), 1)));
	adze_tensor inf = f_eq(more, f_num(more, HUGE_VAL)), none = f_eq(more, f_num(more, 0));
	return choose(f_or(inf, none), more, y);
}
FLOAT_FORM_2(hypot, length(a, b))

/* Two infinities of one sign have no difference. */
static adze_tensor log_add(adze_tensor a, adze_tensor b)
{
	adze_tensor far = f_log1p(f_exp(f_neg(f_abs(f_sub(a, b)))));
	adze_tensor same = f_eq(a, b);
	return f_add(f_max(a, b), choose(same, f_num(a, LN2), far));
}
FLOAT_FORM_2(log_add_exp, log_add(a, b))

static adze_tensor times_log(adze_tensor a, adze_tensor b)
{
	adze_tensor none = f_and(f_eq(a, f_num(a, 0)), f_eq(b, b));
	return choose(none, f_num(a, 0), f_mul(a, f_log(b)));
}
FLOAT_FORM_2(xlogy, times_log(a, b))
FLOAT_FORM_2(prelu, choose(f_gt(a, f_num(a, 0)), a, f_mul(a, b)))
FLOAT_FORM_2(reglu, f_mul(f_relu(a), b))

/* ---- arithmetic ---- */

static struct tensor_op begin_pair(const char *name, adze_tensor a, adze_tensor b)
{
	const adze_tensor x[2] = {a, b};
	struct tensor_op op = tensor_begin(name, x, 2);
	if (op.ok && dtype_of(a) != dtype_of(b))
		form_refuse(&op, b, "element types differ");
	if (op.ok && !dtype_is_float(dtype_of(a)) && !dtype_is_int(dtype_of(a)))
		form_refuse(&op, a, "it takes integers and floats");
	return op;
}

/* The remainder with the divisor's sign. */
static adze_tensor modulo(adze_tensor a, adze_tensor b)
{
	adze_tensor r = f_rem(a, b), zero = f_num(r, 0);
	adze_tensor apart = f_ne(f_lt(r, zero), f_lt(b, zero));
	return choose(f_and(f_ne(r, zero), apart), f_add(r, b), r);
}

adze_tensor(adze_mod)(adze_tensor a, adze_tensor b)
{
	struct tensor_op op = begin_pair("mod", a, b);
	if (op.ok && dtype_is_float(dtype_of(a))) {
		adze_tensor y = modulo(form_wide(a), form_wide(b));
		return form_end(&op, (adze_convert)(y, dtype_of(a)));
	}
	return form_end(&op, modulo(a, b));
}

adze_tensor(adze_floor_div)(adze_tensor a, adze_tensor b)
{
	struct tensor_op op = begin_pair("floor_div", a, b);
	if (op.ok && dtype_is_float(dtype_of(a))) {
		adze_tensor v = form_wide(a), w = form_wide(b);
		/* What is left is a multiple, but for rounding. */
		adze_tensor y = f_round(f_div(f_sub(v, modulo(v, w)), w));
		y = choose(f_eq(w, f_num(w, 0)), f_div(v, w), y);
		return form_end(&op, (adze_convert)(y, dtype_of(a)));
	}
	adze_tensor r = f_rem(a, b), zero = f_num(r, 0);
	adze_tensor apart = f_ne(f_lt(r, zero), f_lt(b, zero));
	adze_tensor less = (adze_convert)(f_and(f_ne(r, zero), apart), dtype_of(a));
	return form_end(&op, f_sub(f_div(a, b), less));
}

static adze_tensor with_number(const char *name, adze_tensor x, double v,
			       adze_tensor (*f)(adze_tensor, adze_tensor))
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	return form_end(&op, f(x, f_num(x, v)));
}

adze_tensor(adze_scale)(adze_tensor x, double by)
{
	return with_number("scale", x, by, f_mul);
}

adze_tensor(adze_offset)(adze_tensor x, double by)
{
	return with_number("offset", x, by, f_add);
}

adze_tensor(adze_div_by)(adze_tensor x, double by)
{
	return with_number("div_by", x, by, f_div);
}

adze_tensor(adze_pow_by)(adze_tensor x, double power)
{
	struct tensor_op op = tensor_begin("pow_by", &x, 1);
	bool is_float = op.ok && dtype_is_float(dtype_of(x));
	adze_tensor y;
	if (power == 2)
		y = f_mul(x, x);
	else if (power == 0.5 && is_float)
		y = f_sqrt(x);
	else if (power == -0.5 && is_float)
		y = f_rsqrt(x);
	else if (power == -1 && is_float)
		y = f_div(f_num(x, 1), x);
	else
		y = f_pow(x, f_num(x, power));
	return form_end(&op, y);
}

adze_tensor(adze_threshold)(adze_tensor x, double least, double otherwise)
{
	struct tensor_op op = tensor_begin("threshold", &x, 1);
	adze_tensor keep = f_or(f_gt(x, f_num(x, least)), f_ne(x, x));
	return form_end(&op, choose(keep, x, f_num(x, otherwise)));
}

adze_tensor(adze_hard_shrink)(adze_tensor x, double within)
{
	struct tensor_op op = form_floats("hard_shrink", &x, 1);
	adze_tensor none = f_le(f_abs(x), f_num(x, within));
	return form_end(&op, choose(none, f_num(x, 0), x));
}

adze_tensor(adze_soft_shrink)(adze_tensor x, double within)
{
	struct tensor_op op = form_floats("soft_shrink", &x, 1);
	adze_tensor less = f_sub(x, f_clamp(f_num(x, -within), x, f_num(x, within)));
	return form_end(&op, less);
}

adze_tensor(adze_heaviside)(adze_tensor x, double at_zero)
{
	struct tensor_op op = form_floats("heaviside", &x, 1);
	adze_tensor step = choose(f_gt(x, f_num(x, 0)), f_num(x, 1), f_num(x, 0));
	adze_tensor y = choose(f_eq(x, f_num(x, 0)), f_num(x, at_zero), step);
	return form_end(&op, choose(f_ne(x, x), x, y));
}

adze_tensor(adze_nan_to_num)(adze_tensor x, double nan, double high, double low)
{
	struct tensor_op op = form_floats("nan_to_num", &x, 1);
	adze_tensor y = choose(f_eq(x, f_num(x, HUGE_VAL)), f_num(x, high), x);
	y = choose(f_eq(x, f_num(x, -HUGE_VAL)), f_num(x, low), y);
	return form_end(&op, choose(f_ne(x, x), f_num(x, nan), y));
}

/* 0 where numbers take the place of infinities. */
static int exponent_bits_of(adze_dtype dtype)
{
	switch (dtype) {
	case ADZE_F8E5M2:
	case ADZE_F16: return 5;
	case ADZE_BF16:
	case ADZE_F32: return 8;
	case ADZE_F64: return 11;
	default: return 0;
	}
}

/*
 * What has as many exponent bits as x, or more, neither overflows nor is flushed: then numbers
 * are rounded as x's own, subnormal ones too (StableHLO, reduce_precision).
 */
adze_tensor(adze_reduce_precision_to)(adze_tensor x, int exponent_bits, int mantissa_bits)
{
	struct tensor_op op = form_floats("reduce_precision_to", &x, 1);
	if (op.ok && (exponent_bits < 1 || mantissa_bits < 0))
		form_refuse(&op, x, "it takes an exponent bit, at least");
	int own = op.ok ? exponent_bits_of(dtype_of(x)) : 0;
	if (op.ok && own == 0)
		form_refuse(&op, x, "it takes floats that have infinities");
	double e = exponent_bits < own ? exponent_bits : -own;
	double m = mantissa_bits < 52 ? mantissa_bits : 52;
	adze_tensor y = f_reduce_precision(x, f_num(x, e), f_num(x, m));
	return form_end(&op, y);
}

/* ---- truth ---- */

static adze_tensor truth(adze_tensor x)
{
	return dtype_of(x) == ADZE_BOOL ? x : f_ne(x, f_num(x, 0));
}

static adze_tensor logical(const char *name, adze_tensor a, adze_tensor b,
			   adze_tensor (*f)(adze_tensor, adze_tensor))
{
	const adze_tensor x[2] = {a, b};
	struct tensor_op op = tensor_begin(name, x, 2);
	return form_end(&op, f(truth(a), truth(b)));
}

adze_tensor(adze_logical_and)(adze_tensor a, adze_tensor b)
{
	return logical("logical_and", a, b, f_and);
}

adze_tensor(adze_logical_or)(adze_tensor a, adze_tensor b)
{
	return logical("logical_or", a, b, f_or);
}

adze_tensor(adze_logical_xor)(adze_tensor a, adze_tensor b)
{
	return logical("logical_xor", a, b, f_xor);
}

adze_tensor(adze_logical_not)(adze_tensor x)
{
	struct tensor_op op = tensor_begin("logical_not", &x, 1);
	return form_end(&op, f_not(truth(x)));
}

adze_tensor(adze_sign_bit)(adze_tensor x)
{
	struct tensor_op op = form_floats("sign_bit", &x, 1);
	return form_end(&op, negative(x));
}

adze_tensor(adze_is_close)(adze_tensor a, adze_tensor b, double relative, double absolute)
{
	const adze_tensor x[2] = {a, b};
	struct tensor_op op = form_floats("is_close", x, 2);
	adze_tensor v = form_wide(a), w = form_wide(b);
	adze_tensor room = f_shift(f_scale(f_abs(w), relative), absolute);
	adze_tensor near = f_and(f_le(f_abs(f_sub(v, w)), room), f_is_finite(w));
	return form_end(&op, f_or(near, f_eq(v, w)));
}

adze_tensor(adze_mask)(adze_tensor x, adze_tensor keep, double value)
{
	const adze_tensor all[2] = {x, keep};
	struct tensor_op op = tensor_begin("mask", all, 2);
	return form_end(&op, choose(keep, x, f_num(x, value)));
}
