/* SPDX-License-Identifier: Apache-2.0 */
#include "base/block.h"

#include <math.h>

#include "base/status.h"

#define WITH_MIN true
#define WITH_PACKS true
#define WITH_NONE false

const struct block_format *block_format(enum block_kind b)
{
	static const struct block_format row[BLOCK_COUNT] = {
		{"", 0, 0, 0, 0, 0, 0, false, false, ""},
#define BLOCK(name, id, gguf, elements, bytes, part, least, most, minimum, packs, doc) \
	{#name, gguf, elements, bytes, part, least, most, WITH_##minimum, WITH_##packs, doc},
#include "base/block.def"
	};
	return &row[b];
}

enum block_kind block_find(const char *name, size_t len)
{
	for (int b = BLOCK_NONE + 1; b < BLOCK_COUNT; b++) {
		const char *row = block_format((enum block_kind)b)->name;
		if (strlen(row) == len && memcmp(row, name, len) == 0)
			return (enum block_kind)b;
	}
	return BLOCK_NONE;
}

static uint32_t bytes_of(const uint8_t *p, int n)
{
	uint32_t v = 0;
	for (int i = 0; i < n; i++)
		v |= (uint32_t)p[i] << 8 * i;
	return v;
}

static float half_at(const uint8_t *p)
{
	return f16_to_f32((uint16_t)bytes_of(p, 2));
}

static void one_scale(struct block_parts *o, int parts, float scale, float min)
{
	for (int i = 0; i < parts; i++) {
		o->scale[i] = scale;
		o->min[i] = min;
	}
}

/* ---- blocks of 32: the low halves of 16 bytes, then the high ones ---- */

static void nibbles(struct block_parts *o, const uint8_t *qs, int less)
{
	for (int i = 0; i < 16; i++) {
		o->q[i] = (int8_t)((qs[i] & 15) - less);
		o->q[i + 16] = (int8_t)((qs[i] >> 4) - less);
	}
}

static void fifth_bits(struct block_parts *o, const uint8_t *qh)
{
	uint32_t bits = bytes_of(qh, 4);
	for (int i = 0; i < 32; i++)
		o->q[i] = (int8_t)(o->q[i] + (int)(bits >> i & 1) * 16);
}

static void unpack_q4_0(const uint8_t *p, struct block_parts *o)
{
	one_scale(o, 1, half_at(p), 0);
	nibbles(o, p + 2, 8);
}

static void unpack_q4_1(const uint8_t *p, struct block_parts *o)
{
	one_scale(o, 1, half_at(p), -half_at(p + 2));
	nibbles(o, p + 4, 0);
}

static void unpack_q5_0(const uint8_t *p, struct block_parts *o)
{
	one_scale(o, 1, half_at(p), 0);
	nibbles(o, p + 6, 16);
	fifth_bits(o, p + 2);
}

static void unpack_q5_1(const uint8_t *p, struct block_parts *o)
{
	one_scale(o, 1, half_at(p), -half_at(p + 2));
	nibbles(o, p + 8, 0);
	fifth_bits(o, p + 4);
}

static void unpack_q8_0(const uint8_t *p, struct block_parts *o)
{
	one_scale(o, 1, half_at(p), 0);
	memcpy(o->q, p + 2, 32);
}

const int8_t block_steps_iq4[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
				     1,    13,   25,  38,  53,  69,  89,  113};
const int8_t block_steps_fp4[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

static void steps(int8_t *q, const int8_t *step, const uint8_t *qs, int half)
{
	for (int i = 0; i < half; i++) {
		q[i] = step[qs[i] & 15];
		q[i + half] = step[qs[i] >> 4];
	}
}

static void unpack_iq4_nl(const uint8_t *p, struct block_parts *o)
{
	one_scale(o, 1, half_at(p), 0);
	steps(o->q, block_steps_iq4, p + 2, 16);
}

static void unpack_mxfp4(const uint8_t *p, struct block_parts *o)
{
	one_scale(o, 1, block_scale_mxfp4(p[0]), 0);
	steps(o->q, block_steps_fp4, p + 1, 16);
}

/* Scales are f8e4m3fn whose sign is not looked at, halved; NaN is 0, but with a sign a number. */
static void unpack_nvfp4(const uint8_t *p, struct block_parts *o)
{
	for (int i = 0; i < 4; i++) {
		int e = p[i] >> 3 & 15, m = p[i] & 7;
		double v = (e == 0 ? m : m + 8) * power_of_two((e == 0 ? 1 : e) - 11);
		o->scale[i] = p[i] == 0x7f ? 0 : (float)v;
		o->min[i] = 0;
		steps(o->q + 16 * i, block_steps_fp4, p + 4 + 8 * i, 8);
	}
}

/* ---- blocks of 256 ---- */

static void unpack_q2_k(const uint8_t *p, struct block_parts *o)
{
	float d = half_at(p + 80), least = half_at(p + 82);
	for (int i = 0; i < 16; i++) {
		o->scale[i] = d * (float)(p[i] & 15);
		o->min[i] = least * (float)(p[i] >> 4);
	}
	for (int i = 0; i < 256; i++)
		o->q[i] = (int8_t)(p[16 + i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3);
}

/* Low 4 bits of a scale in the first 8 bytes, high 2 in the 4 behind. */
static void unpack_q3_k(const uint8_t *p, struct block_parts *o)
{
	const uint8_t *scales = p + 96;
	float d = half_at(p + 108);
	for (int i = 0; i < 16; i++) {
		int low = scales[i % 8] >> i / 8 * 4 & 15;
		int high = scales[8 + i % 4] >> i / 4 * 2 & 3;
		o->scale[i] = d * (float)((low | high << 4) - 32);
		o->min[i] = 0;
	}
	for (int i = 0; i < 256; i++) {
		int low = p[32 + i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3;
		o->q[i] = (int8_t)(low - (p[i % 32] >> i / 32 & 1 ? 0 : 4));
	}
}

/* Scales and minimums of 6 bits: the first 4 of both whole, of the others 4 bits in the last bytes
 * and 2 above the first ones. */
static void scales_k(const uint8_t *p, struct block_parts *o)
{
	float d = half_at(p), least = half_at(p + 2);
	const uint8_t *s = p + 4;
	for (int i = 0; i < 8; i++) {
		int scale = i < 4 ? s[i] & 63 : (s[i + 4] & 15) | (s[i - 4] >> 6) << 4;
		int min = i < 4 ? s[i + 4] & 63 : s[i + 4] >> 4 | (s[i] >> 6) << 4;
		o->scale[i] = d * (float)scale;
		o->min[i] = least * (float)min;
	}
}

static void unpack_q4_k(const uint8_t *p, struct block_parts *o)
{
	scales_k(p, o);
	for (int i = 0; i < 256; i++)
		o->q[i] = (int8_t)(p[16 + i / 64 * 32 + i % 32] >> i % 64 / 32 * 4 & 15);
}

static void unpack_q5_k(const uint8_t *p, struct block_parts *o)
{
	scales_k(p, o);
	for (int i = 0; i < 256; i++) {
		int low = p[48 + i / 64 * 32 + i % 32] >> i % 64 / 32 * 4 & 15;
		o->q[i] = (int8_t)(low | (p[16 + i % 32] >> i / 32 & 1) << 4);
	}
}

static void unpack_q6_k(const uint8_t *p, struct block_parts *o)
{
	float d = half_at(p + 208);
	for (int i = 0; i < 16; i++) {
		o->scale[i] = d * (float)(int8_t)p[192 + i];
		o->min[i] = 0;
	}
	for (int i = 0; i < 256; i++) {
		int low = p[i / 128 * 64 + i % 64] >> i % 128 / 64 * 4 & 15;
		int high = p[128 + i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3;
		o->q[i] = (int8_t)((low | high << 4) - 32);
	}
}

static void unpack_iq4_xs(const uint8_t *p, struct block_parts *o)
{
	float d = half_at(p);
	uint32_t high = bytes_of(p + 2, 2);
	for (int i = 0; i < 8; i++) {
		int scale = (p[4 + i / 2] >> i % 2 * 4 & 15) | (int)(high >> 2 * i & 3) << 4;
		o->scale[i] = d * (float)(scale - 32);
		o->min[i] = 0;
		steps(o->q + 32 * i, block_steps_iq4, p + 8 + 16 * i, 16);
	}
}

/* A fifth of a byte's 5 digits to the base of 3, which stand as a fraction of 256. */
static int digit(uint8_t byte, int place)
{
	static const uint8_t power[5] = {1, 3, 9, 27, 81};
	return ((uint8_t)(byte * power[place]) * 3 >> 8) - 1;
}

static void unpack_tq1_0(const uint8_t *p, struct block_parts *o)
{
	one_scale(o, 8, half_at(p + 52), 0);
	for (int i = 0; i < 160; i++)
		o->q[i] = (int8_t)digit(p[i % 32], i / 32);
	for (int i = 0; i < 80; i++)
		o->q[160 + i] = (int8_t)digit(p[32 + i % 16], i / 16);
	for (int i = 0; i < 16; i++)
		o->q[240 + i] = (int8_t)digit(p[48 + i % 4], i / 4);
}

static void unpack_tq2_0(const uint8_t *p, struct block_parts *o)
{
	one_scale(o, 8, half_at(p + 64), 0);
	for (int i = 0; i < 256; i++)
		o->q[i] = (int8_t)((p[i / 128 * 32 + i % 32] >> i % 128 / 32 * 2 & 3) - 1);
}

/* ---- blocks of 256 from tables ---- */

/* 8 numbers of a table of twos, negative where `signs` says. */
static void eight(int8_t *q, uint16_t row, uint32_t signs)
{
	static const int8_t number[4] = {8, 25, 43, 0};
	for (int i = 0; i < 8; i++) {
		int8_t v = number[row >> 2 * i & 3];
		q[i] = (int8_t)(signs >> i & 1 ? -v : v);
	}
}

static const int8_t fours_xxs[8] = {4, 12, 20, 28, 36, 44, 52, 62};
static const int8_t fours_s[8] = {1, 3, 5, 7, 9, 11, 13, 15};

static void four(int8_t *q, const int8_t *number, uint16_t row, uint32_t signs)
{
	for (int i = 0; i < 4; i++) {
		int8_t v = number[row >> 4 * i & 7];
		q[i] = (int8_t)(signs >> i & 1 ? -v : v);
	}
}

/* 7 signs are written; the eighth makes their number even. */
static uint32_t even_signs(uint32_t seven)
{
	return seven | (uint32_t)__builtin_parity(seven) << 7;
}

static void unpack_iq2_xxs(const uint8_t *p, struct block_parts *o)
{
	float d = half_at(p);
	for (int i = 0; i < 8; i++) {
		const uint8_t *at = p + 2 + 8 * i;
		uint32_t more = bytes_of(at + 4, 4);
		o->scale[i] = d * (0.5f + (float)(more >> 28)) * 0.25f;
		o->min[i] = 0;
		for (int k = 0; k < 4; k++)
			eight(o->q + 32 * i + 8 * k, block_grid_iq2_xxs[at[k]],
			      even_signs(more >> 7 * k & 127));
	}
}

static void scales_of_16(const uint8_t *scales, float d, struct block_parts *o)
{
	for (int i = 0; i < 16; i++) {
		o->scale[i] = d * (0.5f + (float)(scales[i / 2] >> i % 2 * 4 & 15)) * 0.25f;
		o->min[i] = 0;
	}
}

static void unpack_iq2_xs(const uint8_t *p, struct block_parts *o)
{
	scales_of_16(p + 66, half_at(p), o);
	for (int i = 0; i < 32; i++) {
		uint32_t v = bytes_of(p + 2 + 2 * i, 2);
		eight(o->q + 8 * i, block_grid_iq2_xs[v & 511], even_signs(v >> 9));
	}
}

static void unpack_iq2_s(const uint8_t *p, struct block_parts *o)
{
	scales_of_16(p + 74, half_at(p), o);
	for (int i = 0; i < 32; i++) {
		int row = p[2 + i] | (p[66 + i / 4] >> i % 4 * 2 & 3) << 8;
		eight(o->q + 8 * i, block_grid_iq2_s[row], p[34 + i]);
	}
}

static void unpack_iq3_xxs(const uint8_t *p, struct block_parts *o)
{
	float d = half_at(p);
	for (int i = 0; i < 8; i++) {
		uint32_t more = bytes_of(p + 66 + 4 * i, 4);
		o->scale[i] = d * (0.5f + (float)(more >> 28)) * 0.5f;
		o->min[i] = 0;
		for (int k = 0; k < 8; k++)
			four(o->q + 32 * i + 4 * k, fours_xxs,
			     block_grid_iq3_xxs[p[2 + 8 * i + k]],
			     even_signs(more >> k / 2 * 7 & 127) >> k % 2 * 4);
	}
}

static void unpack_iq3_s(const uint8_t *p, struct block_parts *o)
{
	float d = half_at(p);
	for (int i = 0; i < 8; i++) {
		o->scale[i] = d * (float)(1 + 2 * (p[106 + i / 2] >> i % 2 * 4 & 15));
		o->min[i] = 0;
	}
	for (int i = 0; i < 64; i++) {
		int row = p[2 + i] | (p[66 + i / 8] >> i % 8 & 1) << 8;
		four(o->q + 4 * i, fours_s, block_grid_iq3_s[row], p[74 + i / 2] >> i % 2 * 4);
	}
}

/* Eighths: 8 times -1, 0 or 1, and 1 more or less. */
static void ternary(int8_t *q, uint16_t row, bool less)
{
	for (int i = 0; i < 8; i++)
		q[i] = (int8_t)(((row >> 2 * i & 3) - 1) * 8 + (less ? -1 : 1));
}

static void unpack_iq1_s(const uint8_t *p, struct block_parts *o)
{
	float d = half_at(p);
	for (int i = 0; i < 8; i++) {
		uint32_t high = bytes_of(p + 34 + 2 * i, 2);
		o->scale[i] = d * (float)(2 * (high >> 12 & 7) + 1) * 0.125f;
		o->min[i] = 0;
		for (int k = 0; k < 4; k++) {
			uint32_t row = p[2 + 4 * i + k] | (high >> 3 * k & 7) << 8;
			ternary(o->q + 32 * i + 8 * k, block_grid_iq1_s[row], high >> 15 & 1);
		}
	}
}

/* The block's scale lies in the top 4 bits of 4 words. */
static void unpack_iq1_m(const uint8_t *p, struct block_parts *o)
{
	uint32_t d = 0;
	for (int i = 0; i < 4; i++)
		d |= bytes_of(p + 48 + 2 * i, 2) >> 12 << 4 * i;
	for (int i = 0; i < 16; i++) {
		uint32_t scale = bytes_of(p + 48 + i / 4 * 2, 2) >> i % 4 * 3 & 7;
		o->scale[i] = f16_to_f32((uint16_t)d) * (float)(2 * scale + 1) * 0.125f;
		o->min[i] = 0;
	}
	for (int i = 0; i < 32; i++) {
		int high = p[32 + i / 2] >> i % 2 * 4 & 15;
		ternary(o->q + 8 * i, block_grid_iq1_s[p[i] | (high & 7) << 8], high >> 3);
	}
}

void block_unpack(enum block_kind b, const void *at, struct block_parts *out)
{
	switch (b) {
#define BLOCK(name, id, ...) case BLOCK_##id: unpack_##name(at, out); break;
#include "base/block.def"
	default: break;
	}
}

void block_decode(enum block_kind b, const void *at, size_t n, float *y)
{
	const struct block_format *f = block_format(b);
	const uint8_t *from = at;
	struct block_parts p;
	for (; n > 0; n--, from += f->bytes, y += f->elements) {
		block_unpack(b, from, &p);
		for (int i = 0; i < f->elements; i++) {
			float v = p.scale[i / f->part] * (float)p.q[i];
			y[i] = v - p.min[i / f->part];
		}
	}
}
