/* SPDX-License-Identifier: Apache-2.0
 *
 * Packing of blocks. Of the formats for 32 every step is rounded as gguf's does it, so that the
 * bytes are the same.
 */
#include "base/block.h"

#include <math.h>

#include "base/status.h"

static void put_half(uint8_t *p, float v)
{
	uint16_t h = f32_to_f16(v);
	p[0] = (uint8_t)h;
	p[1] = (uint8_t)(h >> 8);
}

/* Truncated and kept to 0 .. most; NaN gives 0. */
static int kept(float v, int most)
{
	return !(v > 0) ? 0 : v > (float)most ? most : (int)v;
}

/* Rounded, halves away from zero, and kept to least .. most. */
static int nearest(float v, int least, int most)
{
	v = roundf(v);
	return !(v > (float)least) ? least : v > (float)most ? most : (int)v;
}

static float inverse(float d)
{
	return d == 0 ? 0 : 1 / d;
}

/* The number that is farthest from 0, the first of equals. */
static float farthest(const float *x, int n)
{
	float most = x[0];
	for (int i = 1; i < n; i++)
		if (fabsf(x[i]) > fabsf(most))
			most = x[i];
	return most;
}

static void range(const float *x, int n, float *least, float *most)
{
	*least = *most = x[0];
	for (int i = 1; i < n; i++) {
		*least = x[i] < *least ? x[i] : *least;
		*most = x[i] > *most ? x[i] : *most;
	}
}

static void put_nibbles(uint8_t *qs, const int *q)
{
	for (int i = 0; i < 16; i++)
		qs[i] = (uint8_t)((q[i] & 15) | (q[i + 16] & 15) << 4);
}

static void put_fifth(uint8_t *qh, const int *q)
{
	memset(qh, 0, 4);
	for (int i = 0; i < 32; i++)
		qh[i / 8] |= (uint8_t)((q[i] >> 4) << i % 8);
}

/* Steps of a scale so that the farthest number is the least one. */
static float even_steps(const float *x, int half, int *q)
{
	float d = farthest(x, 32) / (float)-half, by = inverse(d);
	for (int i = 0; i < 32; i++)
		q[i] = kept(x[i] * by + ((float)half + 0.5f), 2 * half - 1);
	return d;
}

static float steps_above(const float *x, int most, int *q, float *least)
{
	float high;
	range(x, 32, least, &high);
	float d = (high - *least) / (float)most, by = inverse(d);
	for (int i = 0; i < 32; i++)
		q[i] = kept((x[i] - *least) * by + 0.5f, most);
	return d;
}

static void pack_q4_0(const float *x, uint8_t *p)
{
	int q[32];
	put_half(p, even_steps(x, 8, q));
	put_nibbles(p + 2, q);
}

static void pack_q4_1(const float *x, uint8_t *p)
{
	int q[32];
	float least;
	put_half(p, steps_above(x, 15, q, &least));
	put_half(p + 2, least);
	put_nibbles(p + 4, q);
}

static void pack_q5_0(const float *x, uint8_t *p)
{
	int q[32];
	put_half(p, even_steps(x, 16, q));
	put_fifth(p + 2, q);
	put_nibbles(p + 6, q);
}

static void pack_q5_1(const float *x, uint8_t *p)
{
	int q[32];
	float least;
	put_half(p, steps_above(x, 31, q, &least));
	put_half(p + 2, least);
	put_fifth(p + 4, q);
	put_nibbles(p + 8, q);
}

static void pack_q8_0(const float *x, uint8_t *p)
{
	float d = fabsf(farthest(x, 32)) / 127, by = inverse(d);
	put_half(p, d);
	for (int i = 0; i < 32; i++)
		p[2 + i] = (uint8_t)nearest(x[i] * by, -128, 127);
}

/* Scales and minimums for 32 are steps of the block's; numbers are steps of what those became. */
static void pack_q4_k(const float *x, uint8_t *p)
{
	float scale[8], min[8], d = 0, dmin = 0;
	for (int i = 0; i < 8; i++) {
		float low, high;
		range(x + 32 * i, 32, &low, &high);
		low = low < 0 ? low : 0;
		scale[i] = (high - low) / 15;
		min[i] = -low;
		d = scale[i] > d ? scale[i] : d;
		dmin = min[i] > dmin ? min[i] : dmin;
	}
	memset(p, 0, 144);
	put_half(p, d / 63);
	put_half(p + 2, dmin / 63);
	d = f16_to_f32(f32_to_f16(d / 63));
	dmin = f16_to_f32(f32_to_f16(dmin / 63));
	for (int i = 0; i < 8; i++) {
		int s = nearest(scale[i] * inverse(d), 0, 63);
		int m = nearest(min[i] * inverse(dmin), 0, 63);
		uint8_t *at = p + 4 + i % 4;
		at[0] |= (uint8_t)(i < 4 ? s : (s >> 4) << 6);
		at[4] |= (uint8_t)(i < 4 ? m : (m >> 4) << 6);
		at[8] |= (uint8_t)(i < 4 ? 0 : (s & 15) | (m & 15) << 4);
		float by = inverse(d * (float)s), least = dmin * (float)m;
		for (int k = 0; k < 32; k++) {
			int q = nearest((x[32 * i + k] + least) * by, 0, 15);
			p[16 + i / 2 * 32 + k] |= (uint8_t)(q << i % 2 * 4);
		}
	}
}

static void pack_q6_k(const float *x, uint8_t *p)
{
	float scale[16], d = 0;
	for (int i = 0; i < 16; i++) {
		scale[i] = farthest(x + 16 * i, 16) / -32;
		d = fabsf(scale[i]) > d ? fabsf(scale[i]) : d;
	}
	memset(p, 0, 210);
	put_half(p + 208, d / 127);
	d = f16_to_f32(f32_to_f16(d / 127));
	for (int i = 0; i < 256; i++) {
		int s = nearest(scale[i / 16] * inverse(d), -127, 127);
		int q = nearest(x[i] * inverse(d * (float)s), -32, 31) + 32;
		p[192 + i / 16] = (uint8_t)s;
		p[i / 128 * 64 + i % 64] |= (uint8_t)((q & 15) << i % 128 / 64 * 4);
		p[128 + i / 128 * 32 + i % 32] |= (uint8_t)((q >> 4) << i % 128 / 32 * 2);
	}
}

bool block_pack(enum block_kind b, const float *x, size_t n, void *at)
{
	const struct block_format *f = block_format(b);
	uint8_t *to = at;
	for (; f->packs && n > 0; n--, to += f->bytes, x += f->elements) {
		switch (b) {
		case BLOCK_Q4_0: pack_q4_0(x, to); break;
		case BLOCK_Q4_1: pack_q4_1(x, to); break;
		case BLOCK_Q5_0: pack_q5_0(x, to); break;
		case BLOCK_Q5_1: pack_q5_1(x, to); break;
		case BLOCK_Q8_0: pack_q8_0(x, to); break;
		case BLOCK_Q4_K: pack_q4_k(x, to); break;
		default: pack_q6_k(x, to); break;
		}
	}
	return f->packs;
}
