/* SPDX-License-Identifier: Apache-2.0
 *
 * Floats narrower than 32 bits, by integer arithmetic alone; exact, and rounded to
 * nearest even. Formats: IEEE 754-2019 (binary16); bfloat16, the upper half of a float;
 * the 8-bit formats of arXiv:2209.05433 (e4m3fn, e5m2) and arXiv:2206.02915 (fnuz); those of
 * the OCP Microscaling Formats specification 1.0 (f4e2m1, f8e8m0fnu); the others as StableHLO
 * names them.
 */
#ifndef ADZE_HALF_H
#define ADZE_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t float_bits(float f)
{
	uint32_t u;
	memcpy(&u, &f, sizeof u);
	return u;
}

static inline float bits_float(uint32_t u)
{
	float f;
	memcpy(&f, &u, sizeof f);
	return f;
}

static inline float bf16_to_f32(uint16_t h)
{
	return bits_float((uint32_t)h << 16);
}

static inline uint16_t f32_to_bf16(float f)
{
	uint32_t u = float_bits(f);
	if ((u & 0x7fffffffu) > 0x7f800000u)
		return (uint16_t)(u >> 16 | 0x40);
	return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static inline float f16_to_f32(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16;
	uint32_t rest = h & 0x7fff;
	if (rest >= 0x7c00) /* infinity, NaN (made quiet) */
		return bits_float(sign | 0x7f800000u | (rest & 0x3ff) << 13 |
				  ((rest & 0x3ff) != 0 ? 0x400000u : 0));
	if (rest >= 0x0400)
		return bits_float(sign | (rest + (112u << 10)) << 13);
	float f = (float)rest * 0x1p-24f; /* a subnormal is a multiple of 2^-24 */
	return bits_float(sign | float_bits(f));
}

/** How a small float uses its bits: sign (but for SCALE), exponent, stored mantissa. */
enum small_special {
	SMALL_NONE,   /* no float */
	SMALL_IEEE,   /* the highest exponent is infinity, and NaN */
	SMALL_FN,     /* no infinity; all ones is NaN */
	SMALL_FNUZ,   /* no infinity, no -0: what would be -0 is the one NaN */
	SMALL_FINITE, /* neither infinity nor NaN */
	SMALL_SCALE   /* powers of two: no sign, no zero, no mantissa; all ones is NaN */
};
struct small_format {
	int ebits, mbits, bias;
	enum small_special special;
};

#define SMALL_FORMAT(ebits, mbits, bias, special) \
	((struct small_format){ebits, mbits, bias, SMALL_##special})

static inline double power_of_two(int e)
{
	uint64_t u = (uint64_t)(e + 1023) << 52;
	double d;
	memcpy(&d, &u, sizeof d);
	return d;
}

/* What a NaN becomes, or with `over` what is beyond the largest number; neither has a sign. */
static inline uint32_t small_beyond(struct small_format f, uint32_t sign, int over)
{
	uint32_t ones = (1u << (f.ebits + f.mbits)) - 1, inf = ones >> f.mbits << f.mbits;
	uint32_t minus = 1u << (f.ebits + f.mbits);
	switch (f.special) {
	case SMALL_IEEE: return sign | inf | (over ? 0 : 1u << (f.mbits - 1));
	case SMALL_FN: return sign | ones;
	case SMALL_FNUZ: return minus;
	case SMALL_FINITE: return over ? sign | ones : sign ^ minus;
	default: return ones;
	}
}

/**
 * A double as a smaller float, rounded once to nearest even. Beyond the largest: infinity
 * where the format has it (IEEE); NaN in FN, FNUZ and SCALE; the largest in FINITE. NaN stays
 * NaN with its sign; in FINITE it becomes a zero of the other sign. -0 becomes 0 in FNUZ.
 * In SCALE zero and what is negative become NaN, and less than the least becomes the least.
 * All as ml_dtypes 0.5.3 does it, but for numbers between the two least of SCALE, which it
 * rounds up.
 */
static inline uint32_t f64_to_small(double d, struct small_format f)
{
	uint64_t u;
	memcpy(&u, &d, sizeof u);
	uint32_t sign = f.special == SMALL_SCALE ? 0 : (uint32_t)(u >> 63) << (f.ebits + f.mbits);
	uint32_t zero = f.special == SMALL_FNUZ ? 0 : sign;
	uint64_t mag = u & 0x7fffffffffffffffu, m = (mag & 0xfffffffffffffu) | 1ull << 52;
	if (mag > 0x7ff0000000000000u || (f.special == SMALL_SCALE && (mag == 0 || u != mag)))
		return small_beyond(f, sign, 0);
	if (mag == 0x7ff0000000000000u)
		return small_beyond(f, sign, 1);
	/* The exponent field; subnormal doubles are far below every format here. */
	int exponent = (int)(mag >> 52) - 1023 + f.bias, drop = 52 - f.mbits;
	if (exponent <= 0 && f.special == SMALL_SCALE) {
		if (exponent < 0 || mag >> 52 == 0)
			return 0;
	} else if (exponent <= 0) {
		drop += 1 - exponent;
		exponent = 1;
	}
	if (drop > 54)
		return zero;
	uint64_t kept = m >> drop;
	uint64_t rest = m & ((1ull << drop) - 1), half = 1ull << (drop - 1);
	kept += rest > half || (rest == half && (kept & 1));
	/* The hidden bit is part of `kept`: the exponent field carries by plain addition. */
	uint64_t bits = ((uint64_t)exponent << f.mbits) + kept - (1ull << f.mbits);
	uint64_t ones = (1ull << (f.ebits + f.mbits)) - 1;
	uint64_t most = f.special == SMALL_IEEE ? (ones >> f.mbits << f.mbits) - 1
			: f.special == SMALL_FN || f.special == SMALL_SCALE ? ones - 1
									    : ones;
	if (bits > most)
		return small_beyond(f, sign, 1);
	return bits == 0 ? zero : sign | (uint32_t)bits;
}

static inline double small_to_f64(uint32_t h, struct small_format f)
{
	uint32_t ones = (1u << (f.ebits + f.mbits)) - 1, mag = h & ones;
	uint32_t e = mag >> f.mbits, m = mag & ((1u << f.mbits) - 1);
	int negative = (h >> (f.ebits + f.mbits)) & 1;
	double v;
	if (f.special == SMALL_SCALE)
		return mag == ones ? __builtin_nan("") : power_of_two((int)e - f.bias);
	if (f.special == SMALL_FNUZ && negative && mag == 0)
		return -__builtin_nan("");
	if (f.special == SMALL_FN && mag == ones)
		v = __builtin_nan("");
	else if (f.special == SMALL_IEEE && e == ones >> f.mbits)
		v = m == 0 ? __builtin_inf() : __builtin_nan("");
	else
		v = (double)(e == 0 ? m : m | 1u << f.mbits) *
		    power_of_two((e == 0 ? 1 : (int)e) - f.bias - f.mbits);
	return negative ? -v : v;
}

static inline uint16_t f32_to_f16(float f)
{
	return (uint16_t)f64_to_small((double)f, SMALL_FORMAT(5, 10, 15, IEEE));
}

#endif
