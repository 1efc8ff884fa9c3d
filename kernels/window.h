/* SPDX-License-Identifier: Apache-2.0
 *
 * Which places of a window lie inside the image.
 */
#ifndef ADZE_WINDOW_H
#define ADZE_WINDOW_H

#include <math.h>

#include "kernels/kernels.h"

/** The most places of a convolution's tile, of any instruction set. */
#define CONV_COLUMNS 64
/** The most places that are done as rows where they fill no vector. */
#define CONV_DOTS 4
/* Floats of packed patches, which should stay in the second cache. */
#define CONV_PATCHES (128 << 10)

/**
 * Of a window's places along one axis, those from `*from` on and before `*to` lie inside
 * 0 .. extent, where the first place is at `at` and places are `dilation` apart. Empty:
 * from = to.
 */
static inline void window_inside(ptrdiff_t at, size_t extent, size_t window, size_t dilation,
				 size_t *from, size_t *to)
{
	size_t lo = at < 0 ? ((size_t)-at + dilation - 1) / dilation : 0;
	size_t hi = 0;
	if (at < (ptrdiff_t)extent)
		hi = ((size_t)((ptrdiff_t)extent - 1 - at)) / dilation + 1;
	hi = hi < window ? hi : window;
	*from = lo < hi ? lo : hi;
	*to = hi;
}

/** The place of output `i`'s window along axis 0 or 1. */
static inline ptrdiff_t window_at(const struct window2d *s, int axis, size_t i)
{
	return (ptrdiff_t)(i * s->stride[axis]) - s->pad[axis];
}

/**
 * How a part of a convolution is made: the image is read in place, or what the part needs of it
 * is copied first, for each channel of a group `phases` of rows x pitch: the places that are
 * stride apart, side by side.
 */
struct conv_block {
	int copies;
	size_t rows, pitch, phases[2], plane;
	int few;      /* patches are packed, for so many steps of the sum: rows are short */
	size_t steps;
	size_t patches, image; /* floats of `work` for them, and for the image */
};

/* Places of a window's axis that differ by more than strides: 1 + the largest. */
static inline size_t conv_phases(const struct window2d *s, int axis)
{
	size_t most = 0;
	for (size_t t = 0; t < s->window[axis] && most + 1 < s->stride[axis]; t++) {
		size_t phase = t * s->dilation[axis] % s->stride[axis];
		most = phase > most ? phase : most;
	}
	return most + 1;
}

static inline void conv_copies(const struct window2d *s, const struct conv_part *p,
			       struct conv_block *b)
{
	size_t reach[2];
	for (int i = 0; i < 2; i++) {
		reach[i] = (s->window[i] - 1) * s->dilation[i] / s->stride[i];
		b->phases[i] = conv_phases(s, i);
	}
	b->rows = p->bottom - p->top + reach[0];
	b->pitch = p->right - p->left + reach[1];
	/* An odd number of cache lines, so that channels do not push each other out. */
	b->plane = ((b->phases[0] * b->phases[1] * b->rows * b->pitch + 15) / 16 | 1) * 16;
	b->image = s->channels / s->groups * b->plane + CONV_COLUMNS;
}

/* Whether packed patches leave so much less of vectors unused that packing them pays, which
 * costs a place some products for each step of the sum. Only of whole images, so that a result
 * does not depend on how they are cut. */
static inline int conv_is_few(const struct window2d *s, const struct conv_part *p,
			      const struct conv_block *b)
{
	size_t outs = s->out_channels / s->groups, n = s->out_height * s->out_width;
	size_t along = ((s->out_height - 1) * b->pitch + s->out_width + 15) / 16 * 16 * outs;
	size_t rest = n % 16 <= CONV_DOTS ? n % 16 * 2 : 16;
	return s->channels >= s->groups && p->top == 0 && p->left == 0 &&
	       p->bottom == s->out_height && p->right == s->out_width &&
	       (n / 16 * 16 + rest) * outs + 8 * n < along;
}

static inline struct conv_block conv_block(const struct window2d *s, const struct conv_part *p)
{
	size_t per = s->channels / s->groups, taps = s->window[0] * s->window[1];
	size_t columns = p->right - p->left, n = (p->bottom - p->top) * columns;
	int copies = taps != 1 || columns != s->width || s->pad[0] != 0 || s->pad[1] != 0 ||
		     s->stride[0] != 1 || s->stride[1] != 1 || s->out_height > s->height ||
		     s->out_width != s->width;
	struct conv_block b = {.copies = copies, .pitch = s->width,
			       .plane = s->height * s->width, .image = CONV_COLUMNS * per};
	if (copies)
		conv_copies(s, p, &b);
	b.few = conv_is_few(s, p, &b);
	if (b.few) {
		size_t width = (n + CONV_COLUMNS - 1) / CONV_COLUMNS * CONV_COLUMNS;
		b.steps = CONV_PATCHES / width > 64 ? CONV_PATCHES / width : 64;
		b.steps = b.steps < per * taps ? b.steps : per * taps;
		b.patches = (width + CONV_DOTS) * b.steps + 16 +
			    s->out_channels / s->groups * width;
	}
	return b;
}

/* What tap `t` of the window adds to an output's place in the copy. */
static inline size_t conv_tap(const struct window2d *s, const struct conv_block *b, size_t t)
{
	size_t row = t / s->window[1] * s->dilation[0], column = t % s->window[1] * s->dilation[1];
	size_t phase = row % s->stride[0] * b->phases[1] + column % s->stride[1];
	return (phase * b->rows + row / s->stride[0]) * b->pitch + column / s->stride[1];
}

/** Bytes of `work` for a part; SIZE_MAX where they are beyond all reason. */
static inline size_t conv_work(const struct window2d *s, const struct conv_part *p)
{
	double extent[2] = {(double)(p->bottom - p->top), (double)(p->right - p->left)};
	double taps = 1, outs = extent[0] * extent[1], copy = 1;
	double per = (double)(s->channels / s->groups);
	for (int i = 0; i < 2; i++) {
		double window = (double)s->window[i], stride = (double)s->stride[i];
		taps *= window;
		copy *= (extent[i] + (window - 1) * (double)s->dilation[i] / stride) *
			(stride < window ? stride : window);
	}
	if (outs * (double)s->out_channels + taps + per * (copy + 128) > 1e12)
		return SIZE_MAX;
	struct conv_block b = conv_block(s, p);
	return s->window[0] * s->window[1] * sizeof(size_t) +
	       (b.patches + b.image) * sizeof(float);
}

/** One pooled output: its window over one channel `x`, by rows and columns, in order. */
#define WINDOW_POOL(name, BEGIN, STEP)                                                        \
	static inline float window_##name(const float *x, const struct window2d *s, size_t i, \
					  size_t j)                                           \
	{                                                                                     \
		ptrdiff_t top = window_at(s, 0, i), left = window_at(s, 1, j);                \
		size_t r0, r1, c0, c1;                                                        \
		window_inside(top, s->height, s->window[0], s->dilation[0], &r0, &r1);        \
		window_inside(left, s->width, s->window[1], s->dilation[1], &c0, &c1);        \
		float v = BEGIN;                                                              \
		for (size_t r = r0; r < r1; r++) {                                            \
			const float *row = x + (top + (ptrdiff_t)(r * s->dilation[0])) *      \
						       (ptrdiff_t)s->width;                   \
			for (size_t q = c0; q < c1; q++) {                                    \
				float e = row[left + (ptrdiff_t)(q * s->dilation[1])];        \
				v = STEP;                                                     \
			}                                                                     \
		}                                                                             \
		return v;                                                                     \
	}

static inline float window_larger(float a, float b)
{
	return a > b || a != a ? a : a < b || b != b ? b : ew_hi_f32(a, b);
}

WINDOW_POOL(max, -HUGE_VALF, window_larger(v, e))
WINDOW_POOL(add, 0, v + e)

#endif
