/* SPDX-License-Identifier: Apache-2.0
 *
 * The vector vocabulary in plain C, for any number of lanes, and its description. Bodies
 * (*.inc) are written in these words alone; simd_avx2.h, simd_avx512.h and simd_neon.h say
 * the same in intrinsics. This one is for tests: it runs the bodies on any machine.
 *
 * VL lanes. vf: floats; vi: 32-bit integers; vm: a mask, one truth for each lane.
 *   v_set v_load v_store           any alignment
 *   v_stream                       a store past the caches, to an aligned place
 *   v_load_part v_store_part       the first n < VL lanes; others are 0, or left alone
 *   v_load_mask v_gather           lanes of a mask, the others 0 and not touched; `gather`
 *                                  takes every stride-th element
 *   v_load_f16, _bf16, v_store_f16, _bf16, and _part: likewise, converted, rounded once
 *   v_load_f8e4m3fn, _f8e5m2, _i8  of VL bytes
 *   v_add v_sub v_mul v_div v_sqrt v_fma(a b + c) v_fnma(c - a b): one rounding each
 *   v_neg v_abs v_floor v_ceil v_rint v_trunc
 *   v_pick_max(a, b) = a > b ? a : b and v_pick_min(a, b) = a < b ? a : b, exactly, so that
 *      NaN in either gives b
 *   v_eq v_ne v_lt v_le            NaN as in C; v_unordered: whether either is NaN
 *   v_if(m, a, b) m_or m_and m_any; m_store: bytes of 0 or 1 for the first n <= VL lanes
 *   v_bits v_of_bits               the bits of floats as integers and back
 *   v_to_int (to nearest even), v_from_int; vi_set vi_add vi_sub vi_and vi_or vi_xor
 *   vi_shl vi_shr vi_sar           by a constant; shr fills with zeros
 *   v_ldexp(a, n)                  a 2^n, n integers as floats, |n| <= 252; overflows to
 *                                  infinity, rounds once where subnormal and |a| in 0.5 .. 2
 *   v_sum                          of all lanes: the upper half on the lower, and so on
 *   v_transpose(vf r[VL])          lane j of r[i] becomes lane i of r[j]
 *   vb_left(is_signed, p) vb_right(p)  VB bytes, i8 or u8 and i8, as vb_dot() takes them
 *   vb_dot(vi sum, left, right)    adds the VB products, shared out among the lanes; a left
 *                                  byte that is_signed counts V_BIAS more than it is
 *   vi_sum                         of all lanes, with wrap
 */
#ifndef ADZE_SIMD_H
#define ADZE_SIMD_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "base/half.h"

#ifndef VL
#define VL 16
#endif

typedef struct {
	float at[VL];
} vf;
typedef struct {
	int32_t at[VL];
} vi;
typedef struct {
	uint8_t at[VL];
} vm;

#define LANES for (int i = 0; i < VL; i++)
#define GENERIC(R, name, params, expr)       \
	static inline R name params          \
	{                                    \
		R r;                         \
		LANES r.at[i] = (expr);      \
		return r;                    \
	}

GENERIC(vf, v_set, (float x), x)
GENERIC(vf, v_load, (const float *p), p[i])
GENERIC(vf, v_load_part, (const float *p, size_t n), (size_t)i < n ? p[i] : 0)
GENERIC(vf, v_load_f16, (const uint16_t *p), f16_to_f32(p[i]))
GENERIC(vf, v_load_f16_part, (const uint16_t *p, size_t n), (size_t)i < n ? f16_to_f32(p[i]) : 0)
GENERIC(vf, v_load_bf16, (const uint16_t *p), bf16_to_f32(p[i]))
GENERIC(vf, v_load_bf16_part, (const uint16_t *p, size_t n),
	(size_t)i < n ? bf16_to_f32(p[i]) : 0)

GENERIC(vf, v_load_f8e4m3fn, (const uint8_t *p),
	(float)small_to_f64(p[i], SMALL_FORMAT(4, 3, 7, FN)))
GENERIC(vf, v_load_f8e5m2, (const uint8_t *p),
	(float)small_to_f64(p[i], SMALL_FORMAT(5, 2, 15, IEEE)))
GENERIC(vf, v_load_i8, (const uint8_t *p), (int8_t)p[i])

static inline void v_store_part(float *p, vf x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = x.at[i];
}

static inline void v_store_f16_part(uint16_t *p, vf x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = f32_to_f16(x.at[i]);
}

static inline void v_store_bf16_part(uint16_t *p, vf x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = f32_to_bf16(x.at[i]);
}

static inline void v_store(float *p, vf x) { v_store_part(p, x, VL); }
static inline void v_stream(float *p, vf x) { v_store(p, x); }
static inline void v_store_f16(uint16_t *p, vf x) { v_store_f16_part(p, x, VL); }
static inline void v_store_bf16(uint16_t *p, vf x) { v_store_bf16_part(p, x, VL); }

GENERIC(vf, v_add, (vf a, vf b), a.at[i] + b.at[i])
GENERIC(vf, v_sub, (vf a, vf b), a.at[i] - b.at[i])
GENERIC(vf, v_mul, (vf a, vf b), a.at[i] * b.at[i])
GENERIC(vf, v_div, (vf a, vf b), a.at[i] / b.at[i])
GENERIC(vf, v_sqrt, (vf a), sqrtf(a.at[i]))
GENERIC(vf, v_fma, (vf a, vf b, vf c), fmaf(a.at[i], b.at[i], c.at[i]))
GENERIC(vf, v_fnma, (vf a, vf b, vf c), fmaf(-a.at[i], b.at[i], c.at[i]))
GENERIC(vf, v_neg, (vf a), -a.at[i])
GENERIC(vf, v_abs, (vf a), fabsf(a.at[i]))
GENERIC(vf, v_floor, (vf a), floorf(a.at[i]))
GENERIC(vf, v_ceil, (vf a), ceilf(a.at[i]))
GENERIC(vf, v_rint, (vf a), rintf(a.at[i]))
GENERIC(vf, v_trunc, (vf a), truncf(a.at[i]))
GENERIC(vf, v_pick_max, (vf a, vf b), a.at[i] > b.at[i] ? a.at[i] : b.at[i])
GENERIC(vf, v_pick_min, (vf a, vf b), a.at[i] < b.at[i] ? a.at[i] : b.at[i])
GENERIC(vm, v_eq, (vf a, vf b), a.at[i] == b.at[i])
GENERIC(vm, v_ne, (vf a, vf b), a.at[i] != b.at[i])
GENERIC(vm, v_unordered, (vf a, vf b), a.at[i] != a.at[i] || b.at[i] != b.at[i])
GENERIC(vm, v_lt, (vf a, vf b), a.at[i] < b.at[i])
GENERIC(vm, v_le, (vf a, vf b), a.at[i] <= b.at[i])
GENERIC(vf, v_if, (vm m, vf a, vf b), m.at[i] ? a.at[i] : b.at[i])
GENERIC(vm, m_or, (vm a, vm b), a.at[i] | b.at[i])
GENERIC(vm, m_and, (vm a, vm b), a.at[i] & b.at[i])
GENERIC(vi, v_bits, (vf a), (int32_t)float_bits(a.at[i]))
GENERIC(vf, v_of_bits, (vi a), bits_float((uint32_t)a.at[i]))
GENERIC(vi, v_to_int, (vf a), fabsf(a.at[i]) < 0x1p31f ? (int32_t)rintf(a.at[i]) : INT32_MIN)
GENERIC(vf, v_from_int, (vi a), (float)a.at[i])
GENERIC(vi, vi_set, (int32_t x), x)
GENERIC(vi, vi_add, (vi a, vi b), (int32_t)((uint32_t)a.at[i] + (uint32_t)b.at[i]))
GENERIC(vi, vi_sub, (vi a, vi b), (int32_t)((uint32_t)a.at[i] - (uint32_t)b.at[i]))
GENERIC(vi, vi_and, (vi a, vi b), a.at[i] & b.at[i])
GENERIC(vi, vi_or, (vi a, vi b), a.at[i] | b.at[i])
GENERIC(vi, vi_xor, (vi a, vi b), a.at[i] ^ b.at[i])
GENERIC(vi, vi_shl, (vi a, int by), (int32_t)((uint32_t)a.at[i] << by))
GENERIC(vi, vi_shr, (vi a, int by), (int32_t)((uint32_t)a.at[i] >> by))
GENERIC(vi, vi_sar, (vi a, int by), a.at[i] >> by)
GENERIC(vf, v_ldexp, (vf a, vf n), n.at[i] == n.at[i] ? ldexpf(a.at[i], (int)n.at[i]) : a.at[i])

GENERIC(vf, v_load_mask, (const float *p, vm m), m.at[i] ? p[i] : 0)
GENERIC(vf, v_gather, (const float *p, int stride, vm m), m.at[i] ? p[i * stride] : 0)

static inline int m_any(vm a)
{
	int any = 0;
	LANES any |= a.at[i];
	return any;
}

static inline void m_store(uint8_t *p, vm m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = m.at[i];
}

static inline float v_sum(vf a)
{
	for (int half = VL / 2; half > 0; half /= 2)
		for (int i = 0; i < half; i++)
			a.at[i] += a.at[i + half];
	return a.at[0];
}

static inline void v_transpose(vf *r)
{
	LANES for (int j = 0; j < i; j++)
	{
		float x = r[i].at[j];
		r[i].at[j] = r[j].at[i];
		r[j].at[i] = x;
	}
}

#define VB (2 * VL)
#define V_BIAS 128
typedef struct {
	int16_t at[VB];
} vb;

static inline vb vb_left(int is_signed, const char *p)
{
	vb r;
	for (int i = 0; i < VB; i++)
		r.at[i] = is_signed ? (int8_t)p[i] + V_BIAS : (uint8_t)p[i];
	return r;
}

static inline vb vb_right(const char *p)
{
	vb r;
	for (int i = 0; i < VB; i++)
		r.at[i] = (int8_t)p[i];
	return r;
}

static inline vi vb_dot(vi sum, vb a, vb b)
{
	for (int i = 0; i < VB; i++)
		sum.at[i / 2] = (int32_t)((uint32_t)sum.at[i / 2] +
					  (uint32_t)(a.at[i] * b.at[i]));
	return sum;
}

static inline int32_t vi_sum(vi a)
{
	uint32_t sum = 0;
	LANES sum += (uint32_t)a.at[i];
	return (int32_t)sum;
}

#undef LANES
#undef GENERIC

#endif
