/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#define ISA avx2
#define BK_R 3
#define BK_V 2
#define BK_SIGNED 1
#define BK_EACH(DO, part, min, wide) \
	DO(1, part, min, wide) DO(2, part, min, wide) DO(3, part, min, wide)
#include "kernels/simd_avx2.h"

/* Sums of two products of 7 bits and 8 are within 16 bits; of two signed bytes the first gives
 * its sign to the second. */
static inline vi bk_dot(vi sum, vi w, vi x, int wide)
{
	vi two = wide ? _mm256_maddubs_epi16(_mm256_sign_epi8(w, w), _mm256_sign_epi8(x, w))
		      : _mm256_maddubs_epi16(w, x);
	return _mm256_add_epi32(sum, _mm256_madd_epi16(two, _mm256_set1_epi16(1)));
}

static inline void bk_turn(vi *out, const unsigned char *at, const ptrdiff_t *off)
{
	vi r[4];
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++)
		r[i] = _mm256_inserti128_si256(
			_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)(at + off[i]))),
			_mm_loadu_si128((const __m128i *)(at + off[i + 4])), 1);
	vi a = _mm256_unpacklo_epi32(r[0], r[1]), b = _mm256_unpackhi_epi32(r[0], r[1]);
	vi c = _mm256_unpacklo_epi32(r[2], r[3]), d = _mm256_unpackhi_epi32(r[2], r[3]);
	out[0] = _mm256_unpacklo_epi64(a, c);
	out[1] = _mm256_unpackhi_epi64(a, c);
	out[2] = _mm256_unpacklo_epi64(b, d);
	out[3] = _mm256_unpackhi_epi64(b, d);
}

static inline vf bk_halves(const unsigned char *at, const ptrdiff_t *off)
{
	uint16_t h[8];
	for (int i = 0; i < 8; i++)
		memcpy(&h[i], at + off[i], 2);
	return v_load_f16(h);
}

static inline vi bk_words(const unsigned char *at, const ptrdiff_t *off)
{
	int32_t h[8];
	for (int i = 0; i < 8; i++)
		memcpy(&h[i], at + off[i], 4);
	return _mm256_loadu_si256((const __m256i *)h);
}

static inline vi bk_look(const signed char *table, vi bytes)
{
	__m128i t = _mm_loadu_si128((const __m128i *)(const void *)table);
	return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(t), bytes);
}

static inline vi bk_max(vi a, vi b) { return _mm256_max_epi32(a, b); }

static inline void bk_store(signed char *p, vi v)
{
	__m128i two = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
	_mm_storel_epi64((__m128i *)(void *)p, _mm_packs_epi16(two, two));
}

#include "kernels/block.inc"
