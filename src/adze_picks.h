/* SPDX-License-Identifier: Apache-2.0
 *
 * More forms, as those of adze_forms.h: elements picked by index, running totals, the best of an
 * axis, Fourier transforms, triangular matrices. Indices are integers and kept to the range.
 */
#ifndef ADZE_PICKS_H
#define ADZE_PICKS_H

/**
 * x at indices[k] along the k-th of the listed axes; the n indices are joined as operands of
 * element-wise functions are. An axis of the indices that has the name of another axis of x goes
 * along with it. Result axes: those of the indices, then the rest of x.
 */
ADZE_API adze_tensor adze_gather(adze_tensor x, const char *axes, const adze_tensor *indices,
				 size_t n);
/** The same by vectors: the last axis of `at` has an integer for each listed axis. */
ADZE_API adze_tensor adze_gather_nd(adze_tensor x, adze_tensor at, const char *axes);
/** Slices that begin there: size[k] along the k-th listed axis, all of the others. */
ADZE_API adze_tensor adze_gather_slices(adze_tensor x, adze_tensor at, const char *axes,
					const int64_t *size);
/** Element indices[.., i, ..] of x[.., :, ..] (NumPy take_along_axis, PyTorch gather): as many
 * axes, the others of equal extent, or 1 on either side. */
ADZE_API adze_tensor adze_take_along(adze_tensor x, adze_tensor indices, const char *axis);

/** Totals of all elements up to each one, floats in double and rounded once. */
ADZE_API adze_tensor adze_cumsum(adze_tensor x, const char *axis);
ADZE_API adze_tensor adze_cumprod(adze_tensor x, const char *axis);
ADZE_API adze_tensor adze_cummax(adze_tensor x, const char *axis);
ADZE_API adze_tensor adze_cummin(adze_tensor x, const char *axis);
/** By an associative element-wise function, "add" or "and"; exclusive: without the element
 * itself; reverse: from the end. */
ADZE_API adze_tensor adze_cumulative(adze_tensor x, const char *axis, const char *by,
				     bool exclusive, bool reverse);

/** The k largest (or smallest) along an axis in their order, equal ones by their index, and into
 * *indices (not NULL) where they were (i32). NaN is the largest. */
ADZE_API adze_tensor adze_top_k(adze_tensor x, const char *axis, int64_t k, bool smallest,
				adze_tensor *indices);

/** Discrete Fourier transforms over 1 to 3 axes of fixed extents; the inverse is divided by their
 * product. rfft is of real numbers and gives n / 2 + 1 along the last listed axis, irfft takes
 * such and gives `length` along it, 0: 2 (n - 1). */
ADZE_API adze_tensor adze_fft(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_ifft(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_rfft(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_irfft(adze_tensor x, const char *axes, int64_t length);

/** The lower factor l of a = l l', or the upper u of a = u' u, of the last two axes. */
ADZE_API adze_tensor adze_cholesky(adze_tensor a, bool lower);
/** Zero-initialise: the upper triangle, x a = b. */
typedef struct adze_triangular_options {
	bool left;      /* a x = b */
	bool lower;     /* the lower triangle is read */
	bool unit;      /* 1 on the diagonal, which is not read */
	int transpose;  /* of a: 0 as it is, 1 transposed, 2 its adjoint */
} adze_triangular_options;
/** The x of a x = b or x a = b over the last two axes; `options` may be NULL. */
ADZE_API adze_tensor adze_triangular_solve(adze_tensor a, adze_tensor b,
					   const adze_triangular_options *options);
/** The x of l l' x = b. */
ADZE_API adze_tensor adze_cholesky_solve(adze_tensor l, adze_tensor b);

#define adze_gather(x, ...) adze_gather(ADZE_AT(x), __VA_ARGS__)
#define adze_gather_nd(x, at, axes) adze_gather_nd(ADZE_AT(x), at, axes)
#define adze_gather_slices(x, ...) adze_gather_slices(ADZE_AT(x), __VA_ARGS__)
#define adze_take_along(x, indices, axis) adze_take_along(ADZE_AT(x), indices, axis)
#define adze_cumsum(x, axis) adze_cumsum(ADZE_AT(x), axis)
#define adze_cumprod(x, axis) adze_cumprod(ADZE_AT(x), axis)
#define adze_cummax(x, axis) adze_cummax(ADZE_AT(x), axis)
#define adze_cummin(x, axis) adze_cummin(ADZE_AT(x), axis)
#define adze_cumulative(x, axis, by, exclusive, reverse) \
	adze_cumulative(ADZE_AT(x), axis, by, exclusive, reverse)
#define adze_top_k(x, axis, k, smallest, indices) \
	adze_top_k(ADZE_AT(x), axis, k, smallest, indices)
#define adze_fft(x, axes) adze_fft(ADZE_AT(x), axes)
#define adze_ifft(x, axes) adze_ifft(ADZE_AT(x), axes)
#define adze_rfft(x, axes) adze_rfft(ADZE_AT(x), axes)
#define adze_irfft(x, axes, length) adze_irfft(ADZE_AT(x), axes, length)
#define adze_cholesky(a, lower) adze_cholesky(ADZE_AT(a), lower)
#define adze_triangular_solve(a, ...) adze_triangular_solve(ADZE_AT(a), __VA_ARGS__)
#define adze_cholesky_solve(l, b) adze_cholesky_solve(ADZE_AT(l), b)

#endif
