/* SPDX-License-Identifier: Apache-2.0
 *
 * Floats narrower than 32 bits, by integer arithmetic alone; exact, and rounded to
 * nearest even. Formats: IEEE 754-2019 (binary16); bfloat16, the upper half of a float;
 * the two 8-bit formats of arXiv:2209.05433 (e4m3 has no infinity and one NaN each sign).
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

/**
 * A double as a float of `ebits` exponent and `mbits` stored mantissa bits, with sign.
 * Values beyond the largest become infinity, or NaN where `finite` says that the format
 * has no infinity (its NaN is all ones).
 */
static inline uint32_t f64_to_small(double d, int ebits, int mbits, int finite)
{
	uint64_t u;
	memcpy(&u, &d, sizeof u);
	uint32_t sign = (uint32_t)(u >> 63) << (ebits + mbits);
	uint32_t inf = ((1u << ebits) - 1) << mbits;
	uint32_t nan = finite ? inf | ((1u << mbits) - 1) : inf | 1u << (mbits - 1);
	uint64_t mag = u & 0x7fffffffffffffffu;
	if (mag > 0x7ff0000000000000u)
		return sign | nan;
	if (mag == 0x7ff0000000000000u)
		return sign | (finite ? nan : inf);
	int bias = (1 << (ebits - 1)) - 1;
	int e = (int)(mag >> 52) - 1023;
	uint64_t m = mag & 0xfffffffffffffu;
	if (mag >> 52 == 0)
		return sign; /* a subnormal double is far below every format here */
	m |= 1ull << 52;
	int drop = 52 - mbits;
	int exponent = e + bias;
	if (exponent <= 0) {
		drop += 1 - exponent;
		exponent = 1;
	}
	if (drop > 54)
		return sign;
	uint64_t kept = m >> drop;
	uint64_t rest = m & ((1ull << drop) - 1), half = 1ull << (drop - 1);
	kept += rest > half || (rest == half && (kept & 1));
	/* With the hidden bit the exponent field carries by plain addition. */
	uint64_t bits = ((uint64_t)(exponent - 1) << mbits) + kept;
	uint64_t most = finite ? (uint64_t)nan - 1 : (uint64_t)inf - 1;
	if (bits > most)
		return sign | (finite ? nan : inf);
	return sign | (uint32_t)bits;
}

static inline double small_to_f64(uint32_t h, int ebits, int mbits, int finite)
{
	uint32_t mag = h & ((1u << (ebits + mbits)) - 1);
	int negative = (h >> (ebits + mbits)) & 1;
	uint32_t e = mag >> mbits, m = mag & ((1u << mbits) - 1);
	uint32_t top = (1u << ebits) - 1;
	int bias = (1 << (ebits - 1)) - 1;
	double v;
	if (e == top && (!finite || m == (1u << mbits) - 1)) {
		v = !finite && m == 0 ? __builtin_inf() : __builtin_nan("");
	} else {
		int shift = (e == 0 ? 1 : (int)e) - bias - mbits;
		v = (double)(e == 0 ? m : m | 1u << mbits);
		v = __builtin_ldexp(v, shift);
	}
	return negative ? -v : v;
}

static inline uint16_t f32_to_f16(float f)
{
	return (uint16_t)f64_to_small((double)f, 5, 10, 0);
}

#endif
