/* SPDX-License-Identifier: Apache-2.0
 *
 * The vector vocabulary (simd_generic.h says what the words mean) in AVX2, FMA and F16C.
 */
#ifndef ADZE_SIMD_H
#define ADZE_SIMD_H

#if !defined(__AVX2__) || !defined(__FMA__) || !defined(__F16C__)
#error "compile with -mavx2 -mfma -mf16c"
#endif

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define VL 8

typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm;

static inline __m256i part_mask(size_t n)
{
	return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n),
				  _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vf v_set(float x) { return _mm256_set1_ps(x); }
static inline vf v_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void v_store(float *p, vf x) { _mm256_storeu_ps(p, x); }
static inline void v_stream(float *p, vf x) { _mm256_stream_ps(p, x); }
static inline void v_stream_end(void) { _mm_sfence(); }

static inline vf v_load_part(const float *p, size_t n)
{
	return _mm256_maskload_ps(p, part_mask(n));
}

static inline void v_store_part(float *p, vf x, size_t n)
{
	_mm256_maskstore_ps(p, part_mask(n), x);
}

static inline vf widen_f16(__m128i x) { return _mm256_cvtph_ps(x); }

static inline __m128i narrow_f16(vf x)
{
	return _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

static inline vf widen_bf16(__m128i x)
{
	return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16));
}

static inline __m128i narrow_bf16(vf x)
{
	__m256i u = _mm256_castps_si256(x), high = _mm256_srli_epi32(u, 16);
	__m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
	__m256i up = _mm256_add_epi32(u, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
	__m256i nan = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
	__m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
	__m256i r = _mm256_blendv_epi8(_mm256_srli_epi32(up, 16), nan, is_nan);
	return _mm_packus_epi32(_mm256_castsi256_si128(r), _mm256_extracti128_si256(r, 1));
}

#define SIMD_HALF(type)                                                            \
	static inline vf v_load_##type(const uint16_t *p)                          \
	{                                                                          \
		return widen_##type(_mm_loadu_si128((const __m128i *)p));          \
	}                                                                          \
	static inline vf v_load_##type##_part(const uint16_t *p, size_t n)         \
	{                                                                          \
		uint16_t part[VL] = {0};                                           \
		memcpy(part, p, n * 2);                                            \
		return v_load_##type(part);                                        \
	}                                                                          \
	static inline void v_store_##type(uint16_t *p, vf x)                       \
	{                                                                          \
		_mm_storeu_si128((__m128i *)p, narrow_##type(x));                  \
	}                                                                          \
	static inline void v_store_##type##_part(uint16_t *p, vf x, size_t n)      \
	{                                                                          \
		uint16_t part[VL];                                                 \
		v_store_##type(part, x);                                           \
		memcpy(p, part, n * 2);                                            \
	}
SIMD_HALF(f16)
SIMD_HALF(bf16)
#undef SIMD_HALF

static inline vf v_load_mask(const float *p, vm m)
{
	return _mm256_maskload_ps(p, _mm256_castps_si256(m));
}

static inline vf v_gather(const float *p, int stride, vm m)
{
	vi at = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
				   _mm256_set1_epi32(stride));
	return _mm256_mask_i32gather_ps(_mm256_setzero_ps(), p, at, m, 4);
}

static inline vf v_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf v_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf v_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf v_div(vf a, vf b) { return _mm256_div_ps(a, b); }
static inline vf v_sqrt(vf a) { return _mm256_sqrt_ps(a); }
static inline vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
static inline vf v_fnma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
static inline __m128i bytes_as_16(const uint8_t *p)
{
	return _mm_cvtepu8_epi16(_mm_loadl_epi64((const __m128i *)p));
}

/* Exponents of e5m2 are those of f16, of e4m3fn 8 less; f16's subnormals serve both. */
static inline vf v_load_f8e5m2(const uint8_t *p)
{
	return widen_f16(_mm_slli_epi16(bytes_as_16(p), 8));
}

static inline vf v_load_f8e4m3fn(const uint8_t *p)
{
	__m128i x = bytes_as_16(p);
	__m128i size = _mm_slli_epi16(_mm_and_si128(x, _mm_set1_epi16(0x7f)), 7);
	__m128i is_nan = _mm_cmpeq_epi16(size, _mm_set1_epi16(0x7f << 7));
	size = _mm_or_si128(size, _mm_and_si128(is_nan, _mm_set1_epi16(0x7c00)));
	__m128i sign = _mm_slli_epi16(_mm_and_si128(x, _mm_set1_epi16(0x80)), 8);
	return v_mul(widen_f16(_mm_or_si128(size, sign)), v_set(256));
}

static inline vf v_load_i8(const uint8_t *p)
{
	return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

static inline vf v_neg(vf a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
static inline vf v_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
static inline vf v_floor(vf a) { return _mm256_floor_ps(a); }
static inline vf v_ceil(vf a) { return _mm256_ceil_ps(a); }

static inline vf v_rint(vf a)
{
	return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

static inline vf v_trunc(vf a)
{
	return _mm256_round_ps(a, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

static inline vf v_pick_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf v_pick_min(vf a, vf b) { return _mm256_min_ps(a, b); }
static inline vm v_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
static inline vm v_ne(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_NEQ_UQ); }
static inline vm v_unordered(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_UNORD_Q); }
static inline vm v_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
static inline vm v_le(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
static inline vf v_if(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }
static inline vm m_or(vm a, vm b) { return _mm256_or_ps(a, b); }
static inline vm m_and(vm a, vm b) { return _mm256_and_ps(a, b); }
static inline int m_any(vm a) { return _mm256_movemask_ps(a); }

static inline void m_store(uint8_t *p, vm m, size_t n)
{
	__m256i one = _mm256_srli_epi32(_mm256_castps_si256(m), 31);
	__m128i half = _mm_packs_epi32(_mm256_castsi256_si128(one),
				       _mm256_extracti128_si256(one, 1));
	uint64_t bytes;
	_mm_storel_epi64((__m128i *)&bytes, _mm_packus_epi16(half, half));
	if (n == VL)
		memcpy(p, &bytes, VL);
	else
		memcpy(p, &bytes, n);
}

static inline vi v_bits(vf a) { return _mm256_castps_si256(a); }
static inline vf v_of_bits(vi a) { return _mm256_castsi256_ps(a); }
static inline vi v_to_int(vf a) { return _mm256_cvtps_epi32(a); }
static inline vf v_from_int(vi a) { return _mm256_cvtepi32_ps(a); }
static inline vi vi_set(int32_t x) { return _mm256_set1_epi32(x); }
static inline vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
static inline vi vi_shl(vi a, int by) { return _mm256_slli_epi32(a, by); }
static inline vi vi_shr(vi a, int by) { return _mm256_srli_epi32(a, by); }
static inline vi vi_sar(vi a, int by) { return _mm256_srai_epi32(a, by); }

static inline vf v_ldexp(vf a, vf n)
{
	vi i = v_to_int(n), half = vi_sar(i, 1), bias = vi_set(127);
	vf one = v_of_bits(vi_shl(vi_add(half, bias), 23));
	vf two = v_of_bits(vi_shl(vi_add(vi_sub(i, half), bias), 23));
	return v_mul(v_mul(a, one), two);
}

static inline float v_sum(vf a)
{
	__m128 x = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
	x = _mm_add_ps(x, _mm_movehl_ps(x, x));
	return _mm_cvtss_f32(_mm_add_ss(x, _mm_movehdup_ps(x)));
}

/* Pairs, quarters, halves. */
static inline __attribute__((always_inline)) void v_transpose(vf *r)
{
	vf t[8];
#pragma GCC unroll 4
	for (int i = 0; i < 8; i += 2) {
		t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
		t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
	}
#pragma GCC unroll 2
	for (int i = 0; i < 8; i += 4) {
		r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
		r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
		r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
		r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
	}
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		vf low = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
		r[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
		r[i] = low;
	}
}

/* Bytes as 16 bits: products of them are exact, and so are sums of two. */
#define VB 16
#define V_BIAS 0
typedef __m256i vb;

static inline vb vb_left(int is_signed, const char *p)
{
	__m128i x = _mm_loadu_si128((const __m128i *)p);
	return is_signed ? _mm256_cvtepi8_epi16(x) : _mm256_cvtepu8_epi16(x);
}

static inline vb vb_right(const char *p) { return vb_left(1, p); }

static inline vi vb_dot(vi sum, vb a, vb b)
{
	return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}

static inline int32_t vi_sum(vi a)
{
	__m128i x = _mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
	x = _mm_add_epi32(x, _mm_shuffle_epi32(x, 0x4e));
	return _mm_cvtsi128_si32(_mm_add_epi32(x, _mm_shuffle_epi32(x, 0xb1)));
}

#endif
