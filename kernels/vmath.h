/* SPDX-License-Identifier: Apache-2.0
 *
 * Mathematical functions over the vector vocabulary, for the `vector` column of ew.def.
 *
 * Each gives the corner cases of C's function (NaN, infinities, signed zeros, subnormals,
 * overflow). Largest errors in units in the last place, found by trying all 2^32 floats
 * against the C library in double precision:
 *    exp 1.05   expm1 1.44   log 0.90   log1p 1.32   tanh 1.34   erf 1.21
 *    sin 1.57   cos 1.58   tan 3.68   erf_inv 3.23
 *    logistic 2.49 (above -88; below, 0, as its formula)
 * cbrt, pow, atan2 and fmod, and the lanes of sin, cos and tan beyond SIN_FAR, call the C
 * library lane by lane: slow, and as exact as that. gelu and gelu_tanh err by 2e-7 |x| where
 * their formulas subtract nearly equal numbers, as these do themselves.
 *
 * Polynomials are least-maximum fits (Lawson's iteration at 400 Chebyshev points, 40 digits)
 * over the ranges that are named beside them. Ranges are reduced after W. J. Cody and
 * W. Waite, Software Manual for the Elementary Functions, 1980.
 *
 * Include after one simd_*.h.
 */
#ifndef ADZE_VMATH_H
#define ADZE_VMATH_H

#include <math.h>

#define LN2_HIGH 0x1.62e430p-1f
#define LN2_LOW -0x1.05c610p-29f

/* 0, 1, 2 ... */
static inline vf v_numbers(void)
{
	static const float number[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
	_Static_assert(VL <= sizeof number / sizeof number[0], "one for each lane");
	return v_load(number);
}

/* The lanes from `lo` on and before `hi`. */
static inline vm v_range(size_t lo, size_t hi)
{
	vf number = v_numbers();
	return m_and(v_le(v_set((float)lo), number), v_lt(number, v_set((float)hi)));
}

/* The next three are plain C functions on each lane. */
static inline vf v_lanes1(float (*f)(float), vf a)
{
	float x[VL];
	v_store(x, a);
	for (int i = 0; i < VL; i++)
		x[i] = f(x[i]);
	return v_load(x);
}

static inline vf v_lanes2(float (*f)(float, float), vf a, vf b)
{
	float x[VL], y[VL];
	v_store(x, a);
	v_store(y, b);
	for (int i = 0; i < VL; i++)
		x[i] = f(x[i], y[i]);
	return v_load(x);
}

/* Lanes of `y` that are in `m` become f(x); a lane never depends on its neighbours. */
static inline vf v_patch(vm m, float (*f)(float), vf x, vf y)
{
	return m_any(m) ? v_if(m, v_lanes1(f, x), y) : y;
}

static inline vf v_pow(vf a, vf b) { return v_lanes2(powf, a, b); }
static inline vf v_atan2(vf a, vf b) { return v_lanes2(atan2f, a, b); }
static inline vf v_fmod(vf a, vf b) { return v_lanes2(fmodf, a, b); }
static inline vf v_cbrt(vf a) { return v_lanes1(cbrtf, a); }

/* NaN wins, and +0 over -0: of two equal numbers, the bits that both have. */
static inline vf v_max(vf a, vf b)
{
	vf m = v_of_bits(vi_and(v_bits(v_pick_max(a, b)), v_bits(v_pick_max(b, a))));
	return v_if(v_unordered(a, b), v_add(a, b), m);
}

static inline vf v_min(vf a, vf b)
{
	vf m = v_of_bits(vi_or(v_bits(v_pick_min(a, b)), v_bits(v_pick_min(b, a))));
	return v_if(v_unordered(a, b), v_add(a, b), m);
}

static inline vf v_clamp(vf a, vf b, vf c)
{
	return v_min(v_max(b, a), c);
}

static inline vf v_sign(vf a)
{
	vf zero = v_set(0);
	return v_if(v_lt(zero, a), v_set(1), v_if(v_lt(a, zero), v_set(-1), a));
}

static inline vf v_relu(vf a)
{
	return v_pick_max(v_set(0), a);
}

static inline vf v_copy_sign(vf magnitude, vf sign)
{
	vi top = vi_set(INT32_MIN);
	return v_of_bits(vi_or(v_bits(v_abs(magnitude)), vi_and(v_bits(sign), top)));
}

/* The largest float below 1/2, so that what is just below a half stays below. */
static inline vf v_round_away(vf a)
{
	return v_copy_sign(v_trunc(v_add(v_abs(a), v_set(0x1.fffffep-2f))), a);
}

/* x = n ln 2 + r with |r| <= ln(2) / 2; x must be within +-150. */
static inline vf v_exp_reduce(vf x, vf *n)
{
	*n = v_rint(v_mul(x, v_set(0x1.715476p+0f)));
	return v_fnma(*n, v_set(LN2_LOW), v_fnma(*n, v_set(LN2_HIGH), x));
}

/* exp(r) = 1 + r + r^2 p(r). */
static inline vf v_exp(vf x)
{
	vf n, r = v_exp_reduce(v_pick_max(v_set(-105), v_pick_min(v_set(90), x)), &n);
	vf p = v_fma(v_set(0.0013950601f), r, v_set(0.00836895313f));
	p = v_fma(p, r, v_set(0.041666206f));
	p = v_fma(p, r, v_set(0.166665182f));
	p = v_fma(p, r, v_set(0.5f));
	p = v_fma(p, v_mul(r, r), r);
	return v_ldexp(v_add(p, v_set(1)), n);
}

/* As exp() without the 1, which is added to the power of two; half of it, lest 2^128. */
static inline vf v_expm1(vf x)
{
	vf n, r = v_exp_reduce(v_pick_max(v_set(-30), v_pick_min(v_set(89), x)), &n);
	vf p = v_fma(v_set(0.000199141898f), r, v_set(0.0013941105f));
	p = v_fma(p, r, v_set(0.00833327323f));
	p = v_fma(p, r, v_set(0.041666355f));
	p = v_fma(p, r, v_set(0.166666672f));
	p = v_fma(p, r, v_set(0.5f));
	p = v_fma(p, v_mul(r, r), r);
	vf half = v_ldexp(v_set(0.5f), n);
	vf y = v_fma(half, p, v_sub(half, v_set(0.5f)));
	y = v_if(v_eq(n, v_set(0)), p, v_add(y, y));
	return v_if(v_eq(x, v_set(0)), x, y);
}

/* log(2^k (1 + f)) with 1 + f within sqrt(1/2) .. sqrt(2): f - f^2 / 2 + f^3 p(f). */
static inline vf v_log_of(vf f, vf k)
{
	vf p = v_fma(v_set(0.0691540241f), f, v_set(-0.117898248f));
	p = v_fma(p, f, v_set(0.118729696f));
	p = v_fma(p, f, v_set(-0.123843454f));
	p = v_fma(p, f, v_set(0.142186582f));
	p = v_fma(p, f, v_set(-0.16669251f));
	p = v_fma(p, f, v_set(0.200022265f));
	p = v_fma(p, f, v_set(-0.249999866f));
	p = v_fma(p, f, v_set(0.333333105f));
	p = v_fma(p, f, v_set(-0.5f));
	vf low = v_fma(k, v_set(LN2_LOW), v_mul(v_mul(f, f), p));
	return v_fma(k, v_set(LN2_HIGH), v_add(low, f));
}

/* A positive finite x as 2^k (1 + f) as above. */
static inline vf v_log_split(vf x, vf *k)
{
	vm small = v_lt(x, v_set(0x1p-126f));
	x = v_if(small, v_mul(x, v_set(0x1p24f)), x);
	vi base = vi_set(0x3f3504f3); /* sqrt(1/2) */
	vi above = vi_sub(v_bits(x), base);
	*k = v_sub(v_from_int(vi_sar(above, 23)), v_if(small, v_set(24), v_set(0)));
	vf m = v_of_bits(vi_add(vi_and(above, vi_set(0x7fffff)), base));
	return v_sub(m, v_set(1));
}

/* What log() gives beyond the positive finite numbers, where `at` is its argument. */
static inline vf v_log_corners(vf at, vf y)
{
	vf inf = v_set(HUGE_VALF), zero = v_set(0);
	y = v_if(v_lt(at, inf), y, at); /* infinity and NaN as they are */
	y = v_if(v_eq(at, zero), v_neg(inf), y);
	return v_if(v_lt(at, zero), v_set(NAN), y);
}

static inline vf v_log(vf x)
{
	vf k, f = v_log_split(x, &k);
	return v_log_corners(x, v_log_of(f, k));
}

/* Near 0, x is f itself. Elsewhere what was lost in 1 + x is added to the logarithm. */
static inline vf v_log1p(vf x)
{
	vf one = v_set(1), u = v_add(x, one);
	vf big = v_if(v_lt(x, one), one, x), rest = v_if(v_lt(x, one), x, one);
	vf lost = v_sub(rest, v_sub(u, big));
	vf k, f = v_log_split(u, &k);
	vm near = m_and(v_lt(v_set(-0.2928f), x), v_lt(x, v_set(0.4142f)));
	f = v_if(near, x, v_add(f, v_set(0)));
	k = v_if(near, v_set(0), k);
	vf y = v_log_of(f, k);
	y = v_if(near, y, v_add(y, v_div(lost, u)));
	y = v_log_corners(u, y);
	return v_if(v_eq(x, v_set(0)), x, y);
}

/* Up to 0.625: x + x^3 p(x^2); beyond: 1 - 2 / (exp(2 x) + 1). */
static inline vf v_tanh(vf x)
{
	vf z = v_mul(x, x), a = v_abs(x), one = v_set(1);
	vf p = v_fma(v_set(-0.00571704144f), z, v_set(0.0206505843f));
	p = v_fma(p, z, v_set(-0.0537434965f));
	p = v_fma(p, z, v_set(0.133314908f));
	p = v_fma(p, z, v_set(-0.333332837f));
	p = v_fma(p, v_mul(z, x), x);
	vf y = v_sub(one, v_div(v_set(2), v_add(v_exp(v_add(a, a)), one)));
	return v_copy_sign(v_if(v_lt(a, v_set(0.625f)), p, y), x);
}

/* Up to 0.9: x + x p(x^2); beyond: 1 - exp(q(x)), where q fits log(erfc(x)) up to 3.95. */
static inline vf v_erf(vf x)
{
	vf z = v_mul(x, x), a = v_abs(x);
	vf p = v_fma(v_set(-0.000611129333f), z, v_set(0.00501622865f));
	p = v_fma(p, z, v_set(-0.0267819576f));
	p = v_fma(p, z, v_set(0.112822302f));
	p = v_fma(p, z, v_set(-0.376125336f));
	p = v_fma(p, z, v_set(0.128379151f));
	p = v_fma(p, x, x);
	a = v_pick_min(v_set(3.95f), a);
	vf q = v_fma(v_set(-2.06291406e-05f), a, v_set(0.00042908403f));
	q = v_fma(q, a, v_set(-0.00414505927f));
	q = v_fma(q, a, v_set(0.0250511523f));
	q = v_fma(q, a, v_set(-0.108174898f));
	q = v_fma(q, a, v_set(-0.633442044f));
	q = v_fma(q, a, v_set(-1.12946808f));
	q = v_fma(q, a, v_set(0.000165006873f));
	vf y = v_copy_sign(v_sub(v_set(1), v_exp(q)), x);
	return v_if(v_lt(a, v_set(0.9f)), p, v_if(v_eq(x, x), y, x));
}

/* With w = -log(1 - x^2): x p(w - 2.5) up to 5; beyond, x q(sqrt(w) - 3). */
static inline vf v_erf_inv(vf x)
{
	vf a = v_abs(x), one = v_set(1);
	vf w = v_neg(v_log(v_mul(v_sub(one, a), v_add(one, a))));
	vf s = v_sub(w, v_set(2.5f)), t = v_sub(v_sqrt(w), v_set(3));
	vf p = v_fma(v_set(-8.79111095e-09f), s, v_set(2.32324826e-08f));
	p = v_fma(p, s, v_set(4.66171286e-07f));
	p = v_fma(p, s, v_set(-3.46270303e-06f));
	p = v_fma(p, s, v_set(-4.96334997e-06f));
	p = v_fma(p, s, v_set(0.00021834443f));
	p = v_fma(p, s, v_set(-0.0012527419f));
	p = v_fma(p, s, v_set(-0.00417738687f));
	p = v_fma(p, s, v_set(0.24664028f));
	p = v_fma(p, s, v_set(1.50140941f));
	vf q = v_fma(v_set(0.000102778635f), t, v_set(-0.000296346174f));
	q = v_fma(q, t, v_set(-3.85742642e-05f));
	q = v_fma(q, t, v_set(0.00146847777f));
	q = v_fma(q, t, v_set(-0.00360677391f));
	q = v_fma(q, t, v_set(0.00569339609f));
	q = v_fma(q, t, v_set(-0.00763528701f));
	q = v_fma(q, t, v_set(0.00944452547f));
	q = v_fma(q, t, v_set(1.00167489f));
	q = v_fma(q, t, v_set(2.83297682f));
	vf y = v_mul(x, v_if(v_lt(w, v_set(5)), p, q));
	return v_if(v_eq(a, one), v_mul(x, v_set(HUGE_VALF)), y);
}

#define SIN_FAR 60000.0f

/* x = q pi / 2 + r with |r| <= pi / 4; pi / 2 in three parts. */
static inline vf v_sin_reduce(vf x, vi *q)
{
	vf n = v_rint(v_mul(x, v_set(0x1.45f306p-1f)));
	vf r = v_fnma(n, v_set(0x1.921fb6p+0f), x);
	r = v_fnma(n, v_set(-0x1.777a5cp-25f), r);
	*q = v_to_int(n);
	return v_fnma(n, v_set(-0x1.ee59dap-50f), r);
}

static inline vf v_sin_of(vf r)
{
	vf z = v_mul(r, r);
	vf p = v_fma(v_set(2.71823728e-06f), z, v_set(-0.000198393274f));
	p = v_fma(p, z, v_set(0.00833332911f));
	p = v_fma(p, z, v_set(-0.166666672f));
	return v_fma(p, v_mul(z, r), r);
}

static inline vf v_cos_of(vf r)
{
	vf z = v_mul(r, r);
	vf p = v_fma(v_set(-2.72095463e-07f), z, v_set(2.47995122e-05f));
	p = v_fma(p, z, v_set(-0.00138888834f));
	p = v_fma(p, z, v_set(0.0416666679f));
	return v_fma(p, v_mul(z, z), v_fma(v_set(-0.5f), z, v_set(1)));
}

static inline vm v_is_odd(vi q)
{
	return v_ne(v_from_int(vi_and(q, vi_set(1))), v_set(0));
}

/* Changes the sign of the lanes where `q` has its second bit. */
static inline vf v_turn(vf y, vi q)
{
	return v_of_bits(vi_xor(v_bits(y), vi_shl(vi_and(q, vi_set(2)), 30)));
}

static inline vf v_sin(vf x)
{
	vi q;
	vf r = v_sin_reduce(x, &q);
	vf y = v_turn(v_if(v_is_odd(q), v_cos_of(r), v_sin_of(r)), q);
	y = v_if(v_eq(x, v_set(0)), x, y);
	return v_patch(v_lt(v_set(SIN_FAR), v_abs(x)), sinf, x, y);
}

static inline vf v_cos(vf x)
{
	vi q;
	vf r = v_sin_reduce(x, &q);
	vf y = v_if(v_is_odd(q), v_sin_of(r), v_cos_of(r));
	y = v_turn(y, vi_add(q, vi_set(1)));
	return v_patch(v_lt(v_set(SIN_FAR), v_abs(x)), cosf, x, y);
}

static inline vf v_tan(vf x)
{
	vi q;
	vf r = v_sin_reduce(x, &q), s = v_sin_of(r), c = v_cos_of(r);
	vm odd = v_is_odd(q);
	vf y = v_div(v_if(odd, v_neg(c), s), v_if(odd, s, c));
	y = v_if(v_eq(x, v_set(0)), x, y);
	return v_patch(v_lt(v_set(SIN_FAR), v_abs(x)), tanf, x, y);
}

static inline vf v_logistic(vf x)
{
	vf one = v_set(1);
	return v_div(one, v_add(one, v_exp(v_neg(x))));
}

static inline vf v_gelu(vf x)
{
	vf e = v_erf(v_mul(x, v_set(0.70710678118654752440f)));
	return v_mul(v_mul(v_set(0.5f), x), v_add(v_set(1), e));
}

static inline vf v_gelu_tanh(vf x)
{
	vf cube = v_mul(v_mul(v_mul(v_set(0.044715f), x), x), x);
	vf t = v_tanh(v_mul(v_set(0.79788456080286535588f), v_add(x, cube)));
	return v_mul(v_mul(v_set(0.5f), x), v_add(v_set(1), t));
}

/* The key of ew.h in two halves, each of which a float holds. */
static inline void v_total_key(vf a, vf *high, vf *low)
{
	vf q = v_if(v_unordered(a, a), v_of_bits(vi_or(v_bits(a), vi_set(INT32_MAX))), a);
	vi u = v_bits(q);
	u = vi_xor(u, vi_shr(vi_sar(u, 31), 1));
	*high = v_from_int(vi_sar(u, 16));
	*low = v_from_int(vi_and(u, vi_set(0xffff)));
}

static inline vm v_total_lt(vf a, vf b)
{
	vf ah, al, bh, bl;
	v_total_key(a, &ah, &al);
	v_total_key(b, &bh, &bl);
	return m_or(v_lt(ah, bh), m_and(v_eq(ah, bh), v_lt(al, bl)));
}

static inline vm v_total_le(vf a, vf b)
{
	vf ah, al, bh, bl;
	v_total_key(a, &ah, &al);
	v_total_key(b, &bh, &bl);
	return m_or(v_lt(ah, bh), m_and(v_eq(ah, bh), v_le(al, bl)));
}

/* As reduce_precision() of ew.c, with scales that f32 has room for. */
static inline vf v_reduce_precision(vf a, vf b, vf c)
{
	vf x = v_abs(a), one = v_set(1), zero = v_set(0), inf = v_set(HUGE_VALF);
	vf e = v_trunc(v_pick_min(v_pick_max(v_abs(b), one), v_set(8)));
	vf m = v_trunc(v_pick_min(v_pick_max(c, zero), v_set(23)));
	vf half = v_ldexp(one, v_sub(e, one)), low = v_sub(v_set(2), half);
	vf k = v_sub(v_from_int(vi_shr(v_bits(x), 23)), v_set(127));
	k = v_pick_max(k, v_set(-126));
	k = v_if(v_lt(b, zero), v_pick_max(k, low), k);
	vm big = v_lt(v_set(100), k);
	k = v_if(big, v_sub(k, v_set(32)), k);
	x = v_if(big, v_mul(x, v_set(0x1p-32f)), x);
	vf far = v_ldexp(one, v_sub(v_add(k, v_set(23)), m));
	x = v_if(v_lt(x, far), v_sub(v_add(x, far), far), x);
	x = v_if(big, v_mul(x, v_set(0x1p32f)), x);
	vm none = m_and(v_lt(zero, b), v_lt(x, v_ldexp(one, low)));
	x = v_if(none, zero, v_if(v_le(v_ldexp(one, half), x), inf, x));
	return v_if(v_lt(v_abs(a), inf), v_copy_sign(x, a), a);
}

#endif
