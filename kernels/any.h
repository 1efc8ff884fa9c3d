/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain loops for any element type, where no kernel of impls.def serves: conversions of rare
 * types, products, convolutions and windows of types other than f32. Sums are kept in double,
 * or in wide integers with wrap; one rounding on store.
 */
#ifndef ADZE_ANY_H
#define ADZE_ANY_H

#include "base/ew.h"

/**
 * n elements of x as the other type, as dtype_convert(). Packed arrays begin with a byte, and
 * the unused bits of the last one become zero. y is x only where both elements have as many
 * bits. Under 4 ns an element between f32 and what has 8 bits or less.
 */
void any_convert(adze_dtype to, void *y, adze_dtype from, const void *x, size_t n);

/** y[i] = f(a[i], b[i]) of complex numbers, as ew_element(); b may be NULL where f has none. */
void any_ew_complex(enum ew f, adze_dtype dtype, void *y, const void *a, const void *b, size_t n);
/** y[i] = re[i] + i im[i], of parts of f32 or f64. */
void any_complex(adze_dtype part, void *y, const void *re, const void *im, size_t n);
/**
 * *acc = f over *acc and x[0..n), in double; with `columns` acc[i] = f(acc[i], x[i]) instead, each
 * rounded.
 */
void any_reduce_complex(enum ew f, adze_dtype dtype, void *acc, const void *x, size_t n,
			bool columns);

/** As gemm_fn, in elements of `dtype`. */
void any_gemm(adze_dtype dtype, void *c, ptrdiff_t c_row, const void *a, ptrdiff_t a_row,
	      ptrdiff_t a_col, const void *b, ptrdiff_t b_row, ptrdiff_t b_col, size_t m, size_t n,
	      size_t k);

/** A convolution or window over up to ADZE_MAX_RANK axes, dense operands. */
struct any_window {
	int rank;                                /* axes that the window moves along */
	int64_t in[ADZE_MAX_RANK], out[ADZE_MAX_RANK]; /* extents */
	int64_t window[ADZE_MAX_RANK], stride[ADZE_MAX_RANK], dilation[ADZE_MAX_RANK];
	int64_t low[ADZE_MAX_RANK];              /* padding before */
};

/**
 * One output channel of one image: y has product(out) elements; x `channels` times product(in),
 * w `channels` times product(window).
 */
void any_conv(adze_dtype dtype, void *y, const void *x, const void *w, int64_t channels,
	      const struct any_window *s);
/** Elements from .. to of y: `f` over the window of each; places outside do not count. */
void any_reduce_window(enum ew f, adze_dtype dtype, void *y, const void *x,
		       const struct any_window *s, int64_t from, int64_t to);

#endif
