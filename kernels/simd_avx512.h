/* SPDX-License-Identifier: Apache-2.0
 *
 * The vector vocabulary (simd_generic.h says what the words mean) in AVX-512 F, BW, DQ, VL.
 */
#ifndef ADZE_SIMD_H
#define ADZE_SIMD_H

#if !defined(__AVX512F__) || !defined(__AVX512BW__) || !defined(__AVX512DQ__) || \
	!defined(__AVX512VL__)
#error "compile with -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma -mf16c"
#endif

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#define VL 16

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

static inline __mmask16 part_mask(size_t n) { return (__mmask16)((1u << n) - 1); }

static inline vf v_set(float x) { return _mm512_set1_ps(x); }
static inline vf v_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void v_store(float *p, vf x) { _mm512_storeu_ps(p, x); }
static inline void v_stream(float *p, vf x) { _mm512_stream_ps(p, x); }
static inline void v_stream_end(void) { _mm_sfence(); }

static inline vf v_load_part(const float *p, size_t n)
{
	return _mm512_maskz_loadu_ps(part_mask(n), p);
}

static inline void v_store_part(float *p, vf x, size_t n)
{
	_mm512_mask_storeu_ps(p, part_mask(n), x);
}

static inline vf widen_f16(__m256i x) { return _mm512_cvtph_ps(x); }

static inline __m256i narrow_f16(vf x)
{
	return _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

static inline vf widen_bf16(__m256i x)
{
	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}

/* Not vcvtneps2bf16, which makes zeros of subnormals. */
static inline __m256i narrow_bf16(vf x)
{
	__m512i u = _mm512_castps_si512(x), high = _mm512_srli_epi32(u, 16);
	__m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
	__m512i up = _mm512_add_epi32(u, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
	__mmask16 is_nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
	up = _mm512_srli_epi32(up, 16);
	up = _mm512_mask_or_epi32(up, is_nan, high, _mm512_set1_epi32(0x40));
	return _mm512_cvtepi32_epi16(up);
}

#define SIMD_HALF(type)                                                              \
	static inline vf v_load_##type(const uint16_t *p)                            \
	{                                                                            \
		return widen_##type(_mm256_loadu_si256((const __m256i *)p));         \
	}                                                                            \
	static inline vf v_load_##type##_part(const uint16_t *p, size_t n)           \
	{                                                                            \
		return widen_##type(_mm256_maskz_loadu_epi16(part_mask(n), p));      \
	}                                                                            \
	static inline void v_store_##type(uint16_t *p, vf x)                         \
	{                                                                            \
		_mm256_storeu_si256((__m256i *)p, narrow_##type(x));                 \
	}                                                                            \
	static inline void v_store_##type##_part(uint16_t *p, vf x, size_t n)        \
	{                                                                            \
		_mm256_mask_storeu_epi16(p, part_mask(n), narrow_##type(x));         \
	}
SIMD_HALF(f16)
SIMD_HALF(bf16)
#undef SIMD_HALF

static inline vf v_load_mask(const float *p, vm m) { return _mm512_maskz_loadu_ps(m, p); }

static inline vf v_gather(const float *p, int stride, vm m)
{
	vi number = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
	vi at = _mm512_mullo_epi32(number, _mm512_set1_epi32(stride));
	return _mm512_mask_i32gather_ps(_mm512_setzero_ps(), m, at, p, 4);
}

static inline vf v_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf v_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf v_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf v_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf v_sqrt(vf a) { return _mm512_sqrt_ps(a); }
static inline vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
static inline vf v_fnma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
static inline vf v_neg(vf a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
static inline vf v_abs(vf a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }

static inline __m256i bytes_as_16(const uint8_t *p)
{
	return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)p));
}

/* Exponents of e5m2 are those of f16, of e4m3fn 8 less; f16's subnormals serve both. */
static inline vf v_load_f8e5m2(const uint8_t *p)
{
	return widen_f16(_mm256_slli_epi16(bytes_as_16(p), 8));
}

static inline vf v_load_f8e4m3fn(const uint8_t *p)
{
	__m256i x = bytes_as_16(p);
	__m256i size = _mm256_slli_epi16(_mm256_and_si256(x, _mm256_set1_epi16(0x7f)), 7);
	__m256i is_nan = _mm256_cmpeq_epi16(size, _mm256_set1_epi16(0x7f << 7));
	size = _mm256_or_si256(size, _mm256_and_si256(is_nan, _mm256_set1_epi16(0x7c00)));
	__m256i sign = _mm256_slli_epi16(_mm256_and_si256(x, _mm256_set1_epi16(0x80)), 8);
	return v_mul(widen_f16(_mm256_or_si256(size, sign)), v_set(256));
}

static inline vf v_load_i8(const uint8_t *p)
{
	return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}

#define SIMD_ROUND(name, mode)                                                    \
	static inline vf name(vf a)                                               \
	{                                                                         \
		return _mm512_roundscale_ps(a, (mode) | _MM_FROUND_NO_EXC);       \
	}
SIMD_ROUND(v_floor, _MM_FROUND_TO_NEG_INF)
SIMD_ROUND(v_ceil, _MM_FROUND_TO_POS_INF)
SIMD_ROUND(v_rint, _MM_FROUND_TO_NEAREST_INT)
SIMD_ROUND(v_trunc, _MM_FROUND_TO_ZERO)
#undef SIMD_ROUND

static inline vf v_pick_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf v_pick_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vm v_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline vm v_ne(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_NEQ_UQ); }
static inline vm v_unordered(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q); }
static inline vm v_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline vm v_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
static inline vf v_if(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
static inline vm m_or(vm a, vm b) { return (vm)(a | b); }
static inline vm m_and(vm a, vm b) { return (vm)(a & b); }
static inline int m_any(vm a) { return a; }

static inline void m_store(uint8_t *p, vm m, size_t n)
{
	__m128i one = _mm_maskz_set1_epi8(m, 1);
	if (n == VL)
		_mm_storeu_si128((__m128i *)p, one);
	else
		_mm_mask_storeu_epi8(p, part_mask(n), one);
}

static inline vi v_bits(vf a) { return _mm512_castps_si512(a); }
static inline vf v_of_bits(vi a) { return _mm512_castsi512_ps(a); }
static inline vi v_to_int(vf a) { return _mm512_cvtps_epi32(a); }
static inline vf v_from_int(vi a) { return _mm512_cvtepi32_ps(a); }
static inline vi vi_set(int32_t x) { return _mm512_set1_epi32(x); }
static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
static inline vi vi_shl(vi a, int by) { return _mm512_slli_epi32(a, (unsigned)by); }
static inline vi vi_shr(vi a, int by) { return _mm512_srli_epi32(a, (unsigned)by); }
static inline vi vi_sar(vi a, int by) { return _mm512_srai_epi32(a, (unsigned)by); }
static inline vf v_ldexp(vf a, vf n) { return _mm512_scalef_ps(a, n); }
static inline float v_sum(vf a) { return _mm512_reduce_add_ps(a); }

/* 4 x 4 within quarters, then quarters among registers. */
static inline __attribute__((always_inline)) void v_transpose(vf *r)
{
	vf t[16];
#pragma GCC unroll 8
	for (int i = 0; i < 16; i += 2) {
		t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
		t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 16; i += 4) {
		r[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
		r[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
		r[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
		r[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xee);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		vf a = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
		vf b = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
		vf c = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
		vf d = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
		r[i] = _mm512_shuffle_f32x4(a, c, 0x88);
		r[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
		r[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
		r[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
	}
}

#ifdef __AVX512VNNI__
/* Four products of an unsigned and a signed byte a lane, which do not saturate. */
#define VB 64
#define V_BIAS 128
typedef __m512i vb;

static inline vb vb_right(const char *p) { return _mm512_loadu_si512(p); }

static inline vb vb_left(int is_signed, const char *p)
{
	vb x = vb_right(p);
	return is_signed ? _mm512_xor_si512(x, _mm512_set1_epi8(-128)) : x;
}

static inline vi vb_dot(vi sum, vb a, vb b) { return _mm512_dpbusd_epi32(sum, a, b); }
#else
/* Bytes as 16 bits: products of them are exact, and so are sums of two. */
#define VB 32
#define V_BIAS 0
typedef __m512i vb;

static inline vb vb_left(int is_signed, const char *p)
{
	__m256i x = _mm256_loadu_si256((const __m256i *)p);
	return is_signed ? _mm512_cvtepi8_epi16(x) : _mm512_cvtepu8_epi16(x);
}

static inline vb vb_right(const char *p) { return vb_left(1, p); }

static inline vi vb_dot(vi sum, vb a, vb b)
{
	return _mm512_add_epi32(sum, _mm512_madd_epi16(a, b));
}
#endif

static inline int32_t vi_sum(vi a) { return _mm512_reduce_add_epi32(a); }

#endif
