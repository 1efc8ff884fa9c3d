/* SPDX-License-Identifier: Apache-2.0
 *
 * Which places of a window lie inside the image.
 */
#ifndef ADZE_WINDOW_H
#define ADZE_WINDOW_H

#include <math.h>

#include "kernels/kernels.h"

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
