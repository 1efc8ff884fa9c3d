/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#define ISA vnni
#define BK_R 6
#define BK_V 2
#define BK_SIGNED 0
#define BK_EACH(DO, part, min, wide)                                                     \
	DO(1, part, min, wide) DO(2, part, min, wide) DO(3, part, min, wide)             \
	DO(4, part, min, wide) DO(5, part, min, wide) DO(6, part, min, wide)
#include "kernels/simd_avx512.h"

static inline vi bk_dot(vi sum, vi w, vi x, int wide)
{
	(void)wide;
	return _mm512_dpbusd_epi32(sum, w, x);
}

/* A row in each quarter, rows 4 apart; then 4 x 4 words within the quarters. */
static inline void bk_turn(vi *out, const uint8_t *at, const ptrdiff_t *off)
{
	vi r[4];
#pragma GCC unroll 4
	for (int i = 0; i < 4; i++) {
		r[i] = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(at + off[i])));
		r[i] = _mm512_mask_broadcast_i32x4(
			r[i], 0x00f0, _mm_loadu_si128((const __m128i *)(at + off[i + 4])));
		r[i] = _mm512_mask_broadcast_i32x4(
			r[i], 0x0f00, _mm_loadu_si128((const __m128i *)(at + off[i + 8])));
		r[i] = _mm512_mask_broadcast_i32x4(
			r[i], 0xf000, _mm_loadu_si128((const __m128i *)(at + off[i + 12])));
	}
	vi a = _mm512_unpacklo_epi32(r[0], r[1]), b = _mm512_unpackhi_epi32(r[0], r[1]);
	vi c = _mm512_unpacklo_epi32(r[2], r[3]), d = _mm512_unpackhi_epi32(r[2], r[3]);
	out[0] = _mm512_unpacklo_epi64(a, c);
	out[1] = _mm512_unpackhi_epi64(a, c);
	out[2] = _mm512_unpacklo_epi64(b, d);
	out[3] = _mm512_unpackhi_epi64(b, d);
}

static inline int bk_half(const uint8_t *at)
{
	uint16_t h;
	memcpy(&h, at, sizeof h);
	return h;
}

static inline vf bk_halves(const uint8_t *at, const ptrdiff_t *off)
{
	__m256i h = _mm256_setzero_si256();
#define HALF(i) h = _mm256_insert_epi16(h, bk_half(at + off[i]), i);
	HALF(0) HALF(1) HALF(2) HALF(3) HALF(4) HALF(5) HALF(6) HALF(7)
	HALF(8) HALF(9) HALF(10) HALF(11) HALF(12) HALF(13) HALF(14) HALF(15)
#undef HALF
	return _mm512_cvtph_ps(h);
}

static inline vi bk_words(const uint8_t *at, const ptrdiff_t *off)
{
	__m256i a = _mm512_i64gather_epi32(_mm512_loadu_si512(off), at, 1);
	__m256i b = _mm512_i64gather_epi32(_mm512_loadu_si512(off + 8), at, 1);
	return _mm512_inserti64x4(_mm512_castsi256_si512(a), b, 1);
}

static inline vi bk_look(const signed char *table, vi bytes)
{
	__m128i t = _mm_loadu_si128((const __m128i *)(const void *)table);
	return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(t), bytes);
}

static inline vi bk_max(vi a, vi b) { return _mm512_max_epi32(a, b); }

static inline void bk_store(signed char *p, vi v)
{
	_mm_storeu_si128((__m128i *)(void *)p, _mm512_cvtepi32_epi8(v));
}

#include "kernels/block.inc"
