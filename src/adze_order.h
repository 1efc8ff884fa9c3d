/* SPDX-License-Identifier: Apache-2.0
 *
 * Sorting, updates at indices, and reductions by functions of the caller's; adze.h includes this.
 * Such a function is called once, at once, and makes scalars y from the scalars x that it is given
 * and from constants, by functions that work element by element. `self` is passed on to it.
 */
#ifndef ADZE_ORDER_H
#define ADZE_ORDER_H

/** In ascending order along an axis, NaN last; or descending, NaN first. Equals stay as they
 * stood, and -0 equals 0. argsort: where each of them was, i32. */
ADZE_API adze_tensor adze_sort(adze_tensor x, const char *axis, bool descending);
ADZE_API adze_tensor adze_argsort(adze_tensor x, const char *axis, bool descending);
/** The k-th least along an axis, from 0 on; the middle one, or the lower of the two. */
ADZE_API adze_tensor adze_kth_value(adze_tensor x, const char *axis, int64_t k);
ADZE_API adze_tensor adze_median(adze_tensor x, const char *axis);
/**
 * y[0 .. n) are x[0 .. n), of one shape, ordered along an axis of the first. `before` is given two
 * elements of each, side by side (x[0] and x[1] of the first tensor), and makes y[0]: whether the
 * first ones go before the second ones.
 */
ADZE_API adze_status adze_sort_by_at(const char *file, int line, const adze_tensor *x, size_t n,
				     const char *axis, adze_body *before, void *self,
				     adze_tensor *y);

/** How an update and what is there become one. */
typedef enum adze_update {
	ADZE_UPDATE_SET,
	ADZE_UPDATE_ADD,
	ADZE_UPDATE_MUL,
	ADZE_UPDATE_MAX,
	ADZE_UPDATE_MIN
} adze_update;
/* Updates apply in row-major order; those whose indices are out of range are dropped. */
/** x with updates at indices[.., i, ..] along an axis (PyTorch scatter, scatter_reduce): indices
 * and updates have the axes of x, and along the others its extents. */
ADZE_API adze_tensor adze_scatter(adze_tensor x, adze_tensor indices, adze_tensor updates,
				  const char *axis, adze_update how);
/** x with updates at vectors, as adze_gather_nd() picks: the last axis of `at` has an integer for
 * each listed axis; updates have the other axes of `at`, then the rest of x. */
ADZE_API adze_tensor adze_scatter_nd(adze_tensor x, adze_tensor at, adze_tensor updates,
				     const char *axes, adze_update how);
/** Slice i of the updates, which have the axes of x, added to slice indices[i] of x. */
ADZE_API adze_tensor adze_index_add(adze_tensor x, adze_tensor indices, adze_tensor updates,
				    const char *axis);
/** Sums of the slices of x along an axis, by number: slice i is part of sum ids[i]. `dim`, the
 * axis that takes its place ("g=5"), says how many there are. */
ADZE_API adze_tensor adze_segment_sum(adze_tensor x, adze_tensor ids, const char *axis,
				      const char *dim);

/**
 * y[0 .. n) are x[0 .. n), of one shape, reduced over axes, from the scalars init[0 .. n) on. The
 * function, which is to be associative, is given what n elements have come to, then the next n.
 */
ADZE_API adze_status adze_reduce_by_at(const char *file, int line, const adze_tensor *x, size_t n,
				       const adze_tensor *init, const char *axes,
				       adze_body *join, void *self, adze_tensor *y);
/** A window along every axis, by axis. 0 stands for 1, but for padding, which may be negative. */
typedef struct adze_moving {
	int64_t size[8], stride[8], dilation[8];
	int64_t base[8];         /* dilation of x */
	int64_t low[8], high[8]; /* padding with the scalars, which count */
} adze_moving;
/** As adze_reduce_by(), over the windows of x. */
ADZE_API adze_status adze_reduce_window_by_at(const char *file, int line, const adze_tensor *x,
					      size_t n, const adze_tensor *init,
					      const adze_moving *window, adze_body *join,
					      void *self, adze_tensor *y);

#define adze_sort(x, axis, descending) adze_sort(ADZE_AT(x), axis, descending)
#define adze_argsort(x, axis, descending) adze_argsort(ADZE_AT(x), axis, descending)
#define adze_kth_value(x, axis, k) adze_kth_value(ADZE_AT(x), axis, k)
#define adze_median(x, axis) adze_median(ADZE_AT(x), axis)
#define adze_sort_by(...) adze_sort_by_at(__FILE__, __LINE__, __VA_ARGS__)
#define adze_scatter(x, ...) adze_scatter(ADZE_AT(x), __VA_ARGS__)
#define adze_scatter_nd(x, ...) adze_scatter_nd(ADZE_AT(x), __VA_ARGS__)
#define adze_index_add(x, ...) adze_index_add(ADZE_AT(x), __VA_ARGS__)
#define adze_segment_sum(x, ...) adze_segment_sum(ADZE_AT(x), __VA_ARGS__)
#define adze_reduce_by(...) adze_reduce_by_at(__FILE__, __LINE__, __VA_ARGS__)
#define adze_reduce_window_by(...) adze_reduce_window_by_at(__FILE__, __LINE__, __VA_ARGS__)

#endif
