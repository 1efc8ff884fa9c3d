/* SPDX-License-Identifier: Apache-2.0
 *
 * The vector vocabulary (simd_generic.h says what the words mean) in NEON of AArch64.
 */
#ifndef ADZE_SIMD_H
#define ADZE_SIMD_H

#ifndef __aarch64__
#error "for AArch64"
#endif

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VL 4

typedef float32x4_t vf;
typedef int32x4_t vi;
typedef uint32x4_t vm;

static inline vf v_set(float x) { return vdupq_n_f32(x); }
static inline vf v_load(const float *p) { return vld1q_f32(p); }
static inline void v_store(float *p, vf x) { vst1q_f32(p, x); }
static inline void v_stream(float *p, vf x) { v_store(p, x); }

static inline vf v_load_part(const float *p, size_t n)
{
	float part[VL] = {0};
	memcpy(part, p, n * sizeof part[0]);
	return vld1q_f32(part);
}

static inline void v_store_part(float *p, vf x, size_t n)
{
	float part[VL];
	vst1q_f32(part, x);
	memcpy(p, part, n * sizeof part[0]);
}

static inline vf widen_f16(uint16x4_t x) { return vcvt_f32_f16(vreinterpret_f16_u16(x)); }
static inline uint16x4_t narrow_f16(vf x) { return vreinterpret_u16_f16(vcvt_f16_f32(x)); }

static inline vf widen_bf16(uint16x4_t x)
{
	return vreinterpretq_f32_u32(vshll_n_u16(x, 16));
}

static inline uint16x4_t narrow_bf16(vf x)
{
	uint32x4_t u = vreinterpretq_u32_f32(x), high = vshrq_n_u32(u, 16);
	uint32x4_t odd = vandq_u32(high, vdupq_n_u32(1));
	uint32x4_t up = vaddq_u32(u, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
	uint32x4_t nan = vorrq_u32(high, vdupq_n_u32(0x40));
	return vmovn_u32(vbslq_u32(vceqq_f32(x, x), vshrq_n_u32(up, 16), nan));
}

#define SIMD_HALF(type)                                                       \
	static inline vf v_load_##type(const uint16_t *p)                     \
	{                                                                     \
		return widen_##type(vld1_u16(p));                             \
	}                                                                     \
	static inline vf v_load_##type##_part(const uint16_t *p, size_t n)    \
	{                                                                     \
		uint16_t part[VL] = {0};                                      \
		memcpy(part, p, n * 2);                                       \
		return v_load_##type(part);                                   \
	}                                                                     \
	static inline void v_store_##type(uint16_t *p, vf x)                  \
	{                                                                     \
		vst1_u16(p, narrow_##type(x));                                \
	}                                                                     \
	static inline void v_store_##type##_part(uint16_t *p, vf x, size_t n) \
	{                                                                     \
		uint16_t part[VL];                                            \
		v_store_##type(part, x);                                      \
		memcpy(p, part, n * 2);                                       \
	}
SIMD_HALF(f16)
SIMD_HALF(bf16)
#undef SIMD_HALF

static inline vf v_gather(const float *p, int stride, vm m)
{
	uint32_t wanted[VL];
	float part[VL] = {0};
	vst1q_u32(wanted, m);
	for (int i = 0; i < VL; i++)
		if (wanted[i])
			part[i] = p[i * stride];
	return vld1q_f32(part);
}

static inline vf v_load_mask(const float *p, vm m) { return v_gather(p, 1, m); }

static inline vf v_add(vf a, vf b) { return vaddq_f32(a, b); }
static inline vf v_sub(vf a, vf b) { return vsubq_f32(a, b); }
static inline vf v_mul(vf a, vf b) { return vmulq_f32(a, b); }
static inline vf v_div(vf a, vf b) { return vdivq_f32(a, b); }
static inline vf v_sqrt(vf a) { return vsqrtq_f32(a); }
static inline vf v_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
static inline vf v_fnma(vf a, vf b, vf c) { return vfmsq_f32(c, a, b); }
/* Exponents of e5m2 are those of f16, of e4m3fn 8 less; f16's subnormals serve both. */
static inline uint16x4_t bytes_as_16(const uint8_t *p)
{
	uint8_t part[8] = {0};
	memcpy(part, p, VL);
	return vget_low_u16(vmovl_u8(vld1_u8(part)));
}

static inline vf v_load_f8e5m2(const uint8_t *p)
{
	return widen_f16(vshl_n_u16(bytes_as_16(p), 8));
}

static inline vf v_load_f8e4m3fn(const uint8_t *p)
{
	uint16x4_t x = bytes_as_16(p), size = vshl_n_u16(vand_u16(x, vdup_n_u16(0x7f)), 7);
	uint16x4_t is_nan = vceq_u16(size, vdup_n_u16(0x7f << 7));
	size = vorr_u16(size, vand_u16(is_nan, vdup_n_u16(0x7c00)));
	uint16x4_t sign = vshl_n_u16(vand_u16(x, vdup_n_u16(0x80)), 8);
	return v_mul(widen_f16(vorr_u16(size, sign)), v_set(256));
}

static inline vf v_load_i8(const uint8_t *p)
{
	int8_t part[8] = {0};
	memcpy(part, p, VL);
	return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vld1_s8(part)))));
}

static inline vf v_neg(vf a) { return vnegq_f32(a); }
static inline vf v_abs(vf a) { return vabsq_f32(a); }
static inline vf v_floor(vf a) { return vrndmq_f32(a); }
static inline vf v_ceil(vf a) { return vrndpq_f32(a); }
static inline vf v_rint(vf a) { return vrndnq_f32(a); }
static inline vf v_trunc(vf a) { return vrndq_f32(a); }
static inline vf v_pick_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
static inline vf v_pick_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
static inline vm v_eq(vf a, vf b) { return vceqq_f32(a, b); }
static inline vm v_ne(vf a, vf b) { return vmvnq_u32(vceqq_f32(a, b)); }
static inline vm v_unordered(vf a, vf b)
{
	return vmvnq_u32(vandq_u32(vceqq_f32(a, a), vceqq_f32(b, b)));
}
static inline vm v_lt(vf a, vf b) { return vcltq_f32(a, b); }
static inline vm v_le(vf a, vf b) { return vcleq_f32(a, b); }
static inline vf v_if(vm m, vf a, vf b) { return vbslq_f32(m, a, b); }
static inline vm m_or(vm a, vm b) { return vorrq_u32(a, b); }
static inline vm m_and(vm a, vm b) { return vandq_u32(a, b); }
static inline int m_any(vm a) { return vmaxvq_u32(a) != 0; }

static inline void m_store(uint8_t *p, vm m, size_t n)
{
	uint32_t one[VL];
	vst1q_u32(one, vshrq_n_u32(m, 31));
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)one[i];
}

static inline vi v_bits(vf a) { return vreinterpretq_s32_f32(a); }
static inline vf v_of_bits(vi a) { return vreinterpretq_f32_s32(a); }
static inline vi v_to_int(vf a) { return vcvtnq_s32_f32(a); }
static inline vf v_from_int(vi a) { return vcvtq_f32_s32(a); }
static inline vi vi_set(int32_t x) { return vdupq_n_s32(x); }
static inline vi vi_add(vi a, vi b) { return vaddq_s32(a, b); }
static inline vi vi_sub(vi a, vi b) { return vsubq_s32(a, b); }
static inline vi vi_and(vi a, vi b) { return vandq_s32(a, b); }
static inline vi vi_or(vi a, vi b) { return vorrq_s32(a, b); }
static inline vi vi_xor(vi a, vi b) { return veorq_s32(a, b); }
static inline vi vi_shl(vi a, int by) { return vshlq_s32(a, vdupq_n_s32(by)); }
static inline vi vi_sar(vi a, int by) { return vshlq_s32(a, vdupq_n_s32(-by)); }

static inline vi vi_shr(vi a, int by)
{
	return vreinterpretq_s32_u32(vshlq_u32(vreinterpretq_u32_s32(a), vdupq_n_s32(-by)));
}

static inline vf v_ldexp(vf a, vf n)
{
	vi i = v_to_int(n), half = vi_sar(i, 1), bias = vi_set(127);
	vf one = v_of_bits(vi_shl(vi_add(half, bias), 23));
	vf two = v_of_bits(vi_shl(vi_add(vi_sub(i, half), bias), 23));
	return v_mul(v_mul(a, one), two);
}

static inline float v_sum(vf a)
{
	float32x2_t half = vadd_f32(vget_low_f32(a), vget_high_f32(a));
	return vget_lane_f32(half, 0) + vget_lane_f32(half, 1);
}

static inline void v_transpose(vf *r)
{
	float32x4x2_t low = vtrnq_f32(r[0], r[1]), high = vtrnq_f32(r[2], r[3]);
	r[0] = vcombine_f32(vget_low_f32(low.val[0]), vget_low_f32(high.val[0]));
	r[1] = vcombine_f32(vget_low_f32(low.val[1]), vget_low_f32(high.val[1]));
	r[2] = vcombine_f32(vget_high_f32(low.val[0]), vget_high_f32(high.val[0]));
	r[3] = vcombine_f32(vget_high_f32(low.val[1]), vget_high_f32(high.val[1]));
}

#define VB 8
#define V_BIAS 0
typedef int16x8_t vb;

static inline vb vb_right(const char *p) { return vmovl_s8(vld1_s8((const int8_t *)p)); }

static inline vb vb_left(int is_signed, const char *p)
{
	if (is_signed)
		return vb_right(p);
	return vreinterpretq_s16_u16(vmovl_u8(vld1_u8((const uint8_t *)p)));
}

static inline vi vb_dot(vi sum, vb a, vb b)
{
	sum = vmlal_s16(sum, vget_low_s16(a), vget_low_s16(b));
	return vmlal_high_s16(sum, a, b);
}

static inline int32_t vi_sum(vi a) { return vaddvq_s32(a); }

#endif
