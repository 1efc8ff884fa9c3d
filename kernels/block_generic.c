/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#define ISA generic
#define BK_R 2
#define BK_V 1
#define BK_SIGNED 1
#define BK_EACH(DO, part, min, wide) DO(1, part, min, wide) DO(2, part, min, wide)
#include "kernels/simd_generic.h"

static inline vi bk_dot(vi sum, vi w, vi x, int wide)
{
	for (int i = 0; i < 4 * VL; i++) {
		int a = (int)((uint32_t)w.at[i / 4] >> i % 4 * 8 & 255);
		int b = (int8_t)((uint32_t)x.at[i / 4] >> i % 4 * 8);
		sum.at[i / 4] += (wide ? (int8_t)a : a) * b;
	}
	return sum;
}

static inline void bk_turn(vi *out, const uint8_t *at, const ptrdiff_t *off)
{
	for (int j = 0; j < 4; j++)
		for (int i = 0; i < VL; i++)
			memcpy(&out[j].at[i], at + off[i] + 4 * j, 4);
}

static inline vf bk_halves(const uint8_t *at, const ptrdiff_t *off)
{
	uint16_t h[VL];
	for (int i = 0; i < VL; i++)
		memcpy(&h[i], at + off[i], 2);
	return v_load_f16(h);
}

static inline vi bk_words(const uint8_t *at, const ptrdiff_t *off)
{
	vi r;
	for (int i = 0; i < VL; i++)
		memcpy(&r.at[i], at + off[i], 4);
	return r;
}

static inline vi bk_look(const int8_t *table, vi bytes)
{
	vi r;
	for (int i = 0; i < VL; i++) {
		uint32_t v = 0;
		for (int k = 0; k < 4; k++)
			v |= (uint32_t)(uint8_t)table[(uint32_t)bytes.at[i] >> 8 * k & 15] << 8 * k;
		r.at[i] = (int32_t)v;
	}
	return r;
}

static inline vi bk_max(vi a, vi b)
{
	for (int i = 0; i < VL; i++)
		a.at[i] = a.at[i] > b.at[i] ? a.at[i] : b.at[i];
	return a;
}

static inline void bk_store(int8_t *p, vi v)
{
	for (int i = 0; i < VL; i++)
		p[i] = (int8_t)v.at[i];
}

#include "kernels/block.inc"
