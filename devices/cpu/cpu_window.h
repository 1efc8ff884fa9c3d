/* SPDX-License-Identifier: Apache-2.0
 *
 * What convolutions and windows share: shapes as kernels take them.
 */
#ifndef ADZE_CPU_WINDOW_H
#define ADZE_CPU_WINDOW_H

#include "devices/cpu/cpu_exec.h"
#include "kernels/any.h"
#include "kernels/window.h"

/** One and two axes as two: a window of one row. */
static inline struct window2d cpu_flat_window(const struct any_window *s, int64_t channels,
						int64_t out_channels, int64_t groups)
{
	int x = s->rank - 1;
	bool two = s->rank == 2;
	struct window2d v = {
		.channels = (size_t)channels,
		.height = two ? (size_t)s->in[0] : 1,
		.width = (size_t)s->in[x],
		.out_channels = (size_t)out_channels,
		.out_height = two ? (size_t)s->out[0] : 1,
		.out_width = (size_t)s->out[x],
		.groups = (size_t)groups,
		.window = {two ? (size_t)s->window[0] : 1, (size_t)s->window[x]},
		.stride = {two ? (size_t)s->stride[0] : 1, (size_t)s->stride[x]},
		.dilation = {two ? (size_t)s->dilation[0] : 1, (size_t)s->dilation[x]},
		.pad = {two ? (ptrdiff_t)s->low[0] : 0, (ptrdiff_t)s->low[x]},
	};
	return v;
}

static inline int64_t cpu_plane(const int64_t *n, int rank)
{
	int64_t p = 1;
	for (int i = 0; i < rank; i++)
		p *= n[i];
	return p;
}

#endif
