/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms on images and the like, as those of adze_forms.h: convolutions, pools, padding, resizing.
 */
#ifndef ADZE_WINDOWS_H
#define ADZE_WINDOWS_H

/** As adze_window for 1 to 3 spatial axes; those that are not there are not looked at. */
typedef struct adze_window3 {
	int64_t stride[3], dilation[3], low[3], high[3], groups;
} adze_window3;

/** [n, c, l] with [o, c / groups, l]; [n, c, d, h, w] with [o, c / groups, d, h, w]. */
ADZE_API adze_tensor adze_conv1d(adze_tensor x, adze_tensor weight, const adze_window3 *window);
ADZE_API adze_tensor adze_conv3d(adze_tensor x, adze_tensor weight, const adze_window3 *window);
/** [n, c, 1 to 3 axes] with [c, o / groups, ...]: extents become (n - 1) stride + (k - 1)
 * dilation + 1 - low - high; a `high` less by one is an output padding of one. */
ADZE_API adze_tensor adze_conv_transpose(adze_tensor x, adze_tensor weight,
					 const adze_window3 *window);
/** Over windows of the 1 to 3 axes behind [n, c]; stride 0: the window's. The mean divides by
 * the whole window's size. */
ADZE_API adze_tensor adze_max_pool(adze_tensor x, const int64_t *size,
				   const adze_window3 *window);
ADZE_API adze_tensor adze_avg_pool(adze_tensor x, const int64_t *size,
				   const adze_window3 *window);
/** To those extents: place i of n takes floor(i m / n) to ceil((i + 1) m / n); over all spatial
 * axes, which fall away. */
ADZE_API adze_tensor adze_adaptive_max_pool(adze_tensor x, const int64_t *extent);
ADZE_API adze_tensor adze_adaptive_avg_pool(adze_tensor x, const int64_t *extent);
ADZE_API adze_tensor adze_global_max_pool(adze_tensor x);
ADZE_API adze_tensor adze_global_avg_pool(adze_tensor x);
/** Mirrored at the outermost elements; the outermost elements again. */
ADZE_API adze_tensor adze_pad_reflect(adze_tensor x, const char *axis, int64_t low, int64_t high);
ADZE_API adze_tensor adze_pad_replicate(adze_tensor x, const char *axis, int64_t low,
					int64_t high);
/** LINEAR, CUBIC (a = -3/4): centres of pixels; _CORNERS: outermost centres meet. */
typedef enum adze_resize_mode {
	ADZE_NEAREST,
	ADZE_LINEAR,
	ADZE_LINEAR_CORNERS,
	ADZE_CUBIC,
	ADZE_CUBIC_CORNERS
} adze_resize_mode;
/** Another extent of one axis; of the last two. */
ADZE_API adze_tensor adze_resize(adze_tensor x, const char *axis, int64_t extent,
				 adze_resize_mode mode);
ADZE_API adze_tensor adze_resize2d(adze_tensor x, int64_t height, int64_t width,
				   adze_resize_mode mode);
/** [n, c r r, h, w] to [n, c, h r, w r], and back. */
ADZE_API adze_tensor adze_pixel_shuffle(adze_tensor x, int64_t r);
ADZE_API adze_tensor adze_pixel_unshuffle(adze_tensor x, int64_t r);

/** Where a place of the result lies in the operand, i from 0: (i + 1/2) / scale - 1/2 and, of an
 * extent of 1, at 0; i / scale; outermost centres meet; centred where the scale is no quotient. */
typedef enum adze_resize_coords {
	ADZE_HALF_PIXEL,
	ADZE_PYTORCH_HALF_PIXEL,
	ADZE_ASYMMETRIC,
	ADZE_ALIGN_CORNERS,
	ADZE_HALF_PIXEL_SYMMETRIC
} adze_resize_coords;
/** How ADZE_NEAREST rounds: halves down, halves up, always down, always up. */
typedef enum adze_resize_round {
	ADZE_ROUND_PREFER_FLOOR,
	ADZE_ROUND_PREFER_CEIL,
	ADZE_ROUND_DOWN,
	ADZE_ROUND_UP
} adze_resize_round;
/** Zero-initialise. The words of ONNX's Resize. */
typedef struct adze_resize_options {
	adze_resize_mode mode;
	adze_resize_coords coords;
	adze_resize_round round;
	double scale;         /* of the result to the operand; 0: the extents' quotient */
	double cubic;         /* the coefficient a; 0: -3/4 */
	bool exclude_outside; /* what lies outside has no weight; else it is as the outermost */
	bool antialias;       /* a smaller result takes as many more elements */
} adze_resize_options;
/** Zero-initialise: 0 stands for 1 in stride, spacing, dilation and groups. */
typedef struct adze_conv_options {
	/* Axes of x: batch, features, spatial ones ("n c h w" of x[n h w c]); of the kernel: out,
	 * in, spatial ones; the order of the result's, in which batch, features, spatial ones
	 * are 0, 1, 2 ... if they have no names. NULL: as they are. */
	const char *input, *kernel, *output;
	int64_t stride[3], low[3], high[3];
	int64_t spacing[3];   /* x moves apart, zeros between, before it is padded */
	int64_t dilation[3];  /* the kernel moves apart */
	int64_t groups;       /* of features */
	int64_t batch_groups; /* x is [groups n, ...]: a part of the kernel's out for each group */
	bool reverse[3];      /* the kernel backwards */
} adze_conv_options;
/** Any order of axes, StableHLO's convolution: see adze_conv_options, which may be NULL. */
ADZE_API adze_tensor adze_conv(adze_tensor x, adze_tensor kernel,
			       const adze_conv_options *options);
/** The mean of what lies inside; the p-th root of the sum of |x|^p. */
ADZE_API adze_tensor adze_avg_pool_inside(adze_tensor x, const int64_t *size,
					  const adze_window3 *window);
ADZE_API adze_tensor adze_lp_pool(adze_tensor x, double p, const int64_t *size,
				  const adze_window3 *window);
/** adze_max_pool(), and into *index (i64) where in the spatial axes, row-major, the largest is; up
 * to 1024 elements in a window. */
ADZE_API adze_tensor adze_max_pool_index(adze_tensor x, const int64_t *size,
					 const adze_window3 *window, adze_tensor *index);
/** Mirrored with the outermost elements twice; going around (NumPy symmetric, wrap). */
ADZE_API adze_tensor adze_pad_symmetric(adze_tensor x, const char *axis, int64_t low,
					int64_t high);
ADZE_API adze_tensor adze_pad_circular(adze_tensor x, const char *axis, int64_t low,
				       int64_t high);
/** Another extent of one axis, with all options; `options` may be NULL. */
ADZE_API adze_tensor adze_resize_with(adze_tensor x, const char *axis, int64_t extent,
				      const adze_resize_options *options);
/** As the pixel shuffles with blocks' places before channels (ONNX DepthToSpace, DCR); channels
 * [groups, n] as [n, groups]. */
ADZE_API adze_tensor adze_depth_to_space(adze_tensor x, int64_t r);
ADZE_API adze_tensor adze_space_to_depth(adze_tensor x, int64_t r);
ADZE_API adze_tensor adze_channel_shuffle(adze_tensor x, int64_t groups);

#define adze_conv1d(x, ...) adze_conv1d(ADZE_AT(x), __VA_ARGS__)
#define adze_conv3d(x, ...) adze_conv3d(ADZE_AT(x), __VA_ARGS__)
#define adze_conv_transpose(x, ...) adze_conv_transpose(ADZE_AT(x), __VA_ARGS__)
#define adze_max_pool(x, ...) adze_max_pool(ADZE_AT(x), __VA_ARGS__)
#define adze_avg_pool(x, ...) adze_avg_pool(ADZE_AT(x), __VA_ARGS__)
#define adze_adaptive_max_pool(x, ...) adze_adaptive_max_pool(ADZE_AT(x), __VA_ARGS__)
#define adze_adaptive_avg_pool(x, ...) adze_adaptive_avg_pool(ADZE_AT(x), __VA_ARGS__)
#define adze_global_max_pool(x) adze_global_max_pool(ADZE_AT(x))
#define adze_global_avg_pool(x) adze_global_avg_pool(ADZE_AT(x))
#define adze_pad_reflect(x, axis, low, high) adze_pad_reflect(ADZE_AT(x), axis, low, high)
#define adze_pad_replicate(x, axis, low, high) adze_pad_replicate(ADZE_AT(x), axis, low, high)
#define adze_resize(x, axis, extent, mode) adze_resize(ADZE_AT(x), axis, extent, mode)
#define adze_resize2d(x, height, width, mode) adze_resize2d(ADZE_AT(x), height, width, mode)
#define adze_pixel_shuffle(x, r) adze_pixel_shuffle(ADZE_AT(x), r)
#define adze_pixel_unshuffle(x, r) adze_pixel_unshuffle(ADZE_AT(x), r)
#define adze_conv(x, ...) adze_conv(ADZE_AT(x), __VA_ARGS__)
#define adze_avg_pool_inside(x, ...) adze_avg_pool_inside(ADZE_AT(x), __VA_ARGS__)
#define adze_lp_pool(x, ...) adze_lp_pool(ADZE_AT(x), __VA_ARGS__)
#define adze_max_pool_index(x, ...) adze_max_pool_index(ADZE_AT(x), __VA_ARGS__)
#define adze_pad_symmetric(x, axis, low, high) adze_pad_symmetric(ADZE_AT(x), axis, low, high)
#define adze_pad_circular(x, axis, low, high) adze_pad_circular(ADZE_AT(x), axis, low, high)
#define adze_resize_with(x, ...) adze_resize_with(ADZE_AT(x), __VA_ARGS__)
#define adze_depth_to_space(x, r) adze_depth_to_space(ADZE_AT(x), r)
#define adze_space_to_depth(x, r) adze_space_to_depth(ADZE_AT(x), r)
#define adze_channel_shuffle(x, groups) adze_channel_shuffle(ADZE_AT(x), groups)

#endif
