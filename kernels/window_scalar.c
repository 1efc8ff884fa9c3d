/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolution and pooling by their definition.
 */
#include "kernels/impls.h"
#include "kernels/window.h"

/* One output element: `x` is the group's first channel, `w` the output channel's weights. */
static float conv_one(const float *x, const float *w, const struct window2d *s, size_t i, size_t j)
{
	size_t per = s->channels / s->groups, plane = s->height * s->width;
	size_t area = s->window[0] * s->window[1];
	ptrdiff_t top = window_at(s, 0, i), left = window_at(s, 1, j);
	size_t r0, r1, c0, c1;
	window_inside(top, s->height, s->window[0], s->dilation[0], &r0, &r1);
	window_inside(left, s->width, s->window[1], s->dilation[1], &c0, &c1);
	float sum = 0;
	for (size_t ch = 0; ch < per; ch++, x += plane, w += area)
		for (size_t r = r0; r < r1; r++) {
			ptrdiff_t y = top + (ptrdiff_t)(r * s->dilation[0]);
			const float *row = x + y * (ptrdiff_t)s->width;
			for (size_t q = c0; q < c1; q++)
				sum += row[left + (ptrdiff_t)(q * s->dilation[1])] *
				       w[r * s->window[1] + q];
		}
	return sum;
}

static float conv_finish(const struct conv_after *f, size_t o, size_t at, float v)
{
	v = f->sub != NULL ? v - f->sub[o] : v;
	v = f->mul != NULL ? v * f->mul[o] : v;
	v = f->add != NULL ? v + f->add[o] : v;
	v = f->other != NULL ? v + f->other[at] : v;
	return f->relu && v < 0 ? 0 : v;
}

void conv2d_f32_scalar(float *y, const float *x, const float *w, const struct window2d *s,
		       const struct conv_part *p, void *work, const struct conv_after *after)
{
	size_t per = s->channels / s->groups, outs = s->out_channels / s->groups;
	(void)work;
	for (size_t o = p->from; o < p->to; o++) {
		const float *group = x + o / outs * per * s->height * s->width;
		const float *weights = w + o * per * s->window[0] * s->window[1];
		for (size_t i = p->top; i < p->bottom; i++)
			for (size_t j = p->left; j < p->right; j++) {
				size_t at = (o * s->out_height + i) * s->out_width + j;
				y[at] = conv_finish(after, o, at,
						    conv_one(group, weights, s, i, j));
			}
	}
	if (after->run != NULL)
		after->run(after->self, p->from, p->to);
}

#define POOL(name)                                                                         \
	void pool_##name##_f32_scalar(float *y, const float *x, const struct window2d *s,  \
				      size_t from, size_t to)                              \
	{                                                                                  \
		for (size_t c = from; c < to; c++) {                                       \
			const float *plane = x + c * s->height * s->width;                 \
			float *out = y + c * s->out_height * s->out_width;                 \
			for (size_t i = 0; i < s->out_height; i++)                         \
				for (size_t j = 0; j < s->out_width; j++)                  \
					*out++ = window_##name(plane, s, i, j);            \
		}                                                                          \
	}
POOL(max)
POOL(add)
