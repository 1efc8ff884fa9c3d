/* SPDX-License-Identifier: Apache-2.0 */
#define ISA neon
#define BK_R 3
#define BK_V 4
#define BK_SIGNED 1
#define BK_EACH(DO, part, min, wide) \
	DO(1, part, min, wide) DO(2, part, min, wide) DO(3, part, min, wide)
#include "kernels/simd_neon.h"

/* What is unsigned has 7 bits. */
static inline vi bk_dot(vi sum, vi w, vi x, int wide)
{
	int8x16_t a = vreinterpretq_s8_s32(w), b = vreinterpretq_s8_s32(x);
	int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b)), high = vmull_high_s8(a, b);
	(void)wide;
	return vaddq_s32(sum, vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high)));
}

static inline void bk_turn(vi *out, const uint8_t *at, const ptrdiff_t *off)
{
	vf r[4];
	for (int i = 0; i < 4; i++)
		r[i] = vreinterpretq_f32_u8(vld1q_u8(at + off[i]));
	v_transpose(r);
	for (int i = 0; i < 4; i++)
		out[i] = vreinterpretq_s32_f32(r[i]);
}

static inline vf bk_halves(const uint8_t *at, const ptrdiff_t *off)
{
	uint16_t h[4];
	for (int i = 0; i < 4; i++)
		memcpy(&h[i], at + off[i], 2);
	return v_load_f16(h);
}

static inline vi bk_words(const uint8_t *at, const ptrdiff_t *off)
{
	int32_t h[4];
	for (int i = 0; i < 4; i++)
		memcpy(&h[i], at + off[i], 4);
	return vld1q_s32(h);
}

static inline vi bk_look(const int8_t *table, vi bytes)
{
	return vreinterpretq_s32_s8(vqtbl1q_s8(vld1q_s8(table), vreinterpretq_u8_s32(bytes)));
}

static inline vi bk_max(vi a, vi b) { return vmaxq_s32(a, b); }

static inline void bk_store(int8_t *p, vi v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (int8_t)v[i];
}

#include "kernels/block.inc"
