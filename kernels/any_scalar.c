/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/any.h"

#include <string.h>

/* A sum of products: of floats and complex numbers in double, else in wide integers. */
struct sum {
	double f, im;
	uint64_t i;
};

static inline void add_product(adze_dtype dtype, struct sum *s, const void *a, int64_t i,
			       const void *b, int64_t j)
{
	double x[2], y[2], xy[2], sum[2] = {s->f, s->im};
	if (dtype_is_complex(dtype)) {
		dtype_load_complex(dtype, a, (size_t)i, x);
		dtype_load_complex(dtype, b, (size_t)j, y);
		ew_complex(EW_MUL, x, y, xy);
		s->f = sum[0] + xy[0];
		s->im = sum[1] + xy[1];
	} else if (dtype_is_float(dtype))
		s->f += dtype_load_float(dtype, a, (size_t)i) *
			dtype_load_float(dtype, b, (size_t)j);
	else
		s->i += (uint64_t)dtype_load_int(dtype, a, (size_t)i) *
			(uint64_t)dtype_load_int(dtype, b, (size_t)j);
}

static inline void store(adze_dtype dtype, void *y, int64_t i, const struct sum *s)
{
	if (dtype_is_complex(dtype))
		dtype_store_complex(dtype, y, (size_t)i, (double[2]){s->f, s->im});
	else if (dtype_is_float(dtype))
		dtype_store_float(dtype, y, (size_t)i, s->f);
	else
		dtype_store_int(dtype, y, (size_t)i, (int64_t)s->i);
}

/* Element `i` of an array; strides may be negative, so not as an index of the loaders. */
static const void *element(adze_dtype dtype, const void *x, int64_t i)
{
	return (const char *)x + i * (int64_t)dtype_bytes(dtype);
}

void any_gemm(adze_dtype dtype, void *c, ptrdiff_t c_row, const void *a, ptrdiff_t a_row,
	      ptrdiff_t a_col, const void *b, ptrdiff_t b_row, ptrdiff_t b_col, size_t m, size_t n,
	      size_t k)
{
	for (ptrdiff_t i = 0; i < (ptrdiff_t)m; i++)
		for (ptrdiff_t j = 0; j < (ptrdiff_t)n; j++) {
			struct sum s = {0, 0, 0};
			for (ptrdiff_t l = 0; l < (ptrdiff_t)k; l++)
				add_product(dtype, &s, element(dtype, a, i * a_row + l * a_col), 0,
					    element(dtype, b, l * b_row + j * b_col), 0);
			store(dtype, c, i * c_row + j, &s);
		}
}

static int64_t product(const int64_t *n, int rank)
{
	int64_t p = 1;
	for (int i = 0; i < rank; i++)
		p *= n[i];
	return p;
}

/* The place in x that place `k` of the window has for output place `at`; -1 outside. */
static int64_t place(const struct any_window *s, const int64_t *at, int64_t k)
{
	int64_t index = 0, step = 1;
	for (int i = s->rank - 1; i >= 0; i--) {
		int64_t p = at[i] * s->stride[i] + k % s->window[i] * s->dilation[i] - s->low[i];
		k /= s->window[i];
		if (p < 0 || p >= s->in[i])
			return -1;
		index += p * step;
		step *= s->in[i];
	}
	return index;
}

static void unravel(const struct any_window *s, int64_t i, int64_t *at)
{
	for (int k = s->rank - 1; k >= 0; k--) {
		at[k] = i % s->out[k];
		i /= s->out[k];
	}
}

void any_conv(adze_dtype dtype, void *y, const void *x, const void *w, int64_t channels,
	      const struct any_window *s)
{
	int64_t n = product(s->out, s->rank), size = product(s->window, s->rank);
	int64_t plane = product(s->in, s->rank), at[ADZE_MAX_RANK];
	for (int64_t i = 0; i < n; i++) {
		struct sum sum = {0, 0, 0};
		unravel(s, i, at);
		for (int64_t k = 0; k < size; k++) {
			int64_t p = place(s, at, k);
			for (int64_t c = 0; p >= 0 && c < channels; c++)
				add_product(dtype, &sum, x, c * plane + p, w, c * size + k);
		}
		store(dtype, y, i, &sum);
	}
}

void any_reduce_window(enum ew f, adze_dtype dtype, void *y, const void *x,
		       const struct any_window *s, int64_t from, int64_t to)
{
	/* Narrow floats are summed in f32. */
	adze_dtype acc = dtype_is_float(dtype) && dtype_bytes(dtype) < 4 ? ADZE_F32 : dtype;
	int64_t size = product(s->window, s->rank), at[ADZE_MAX_RANK];
	for (int64_t i = from; i < to; i++) {
		uint64_t sum[2], one[2];
		ew_start_element(f, dtype, sum);
		if (acc != dtype)
			dtype_convert(acc, sum, dtype, sum, 0);
		unravel(s, i, at);
		for (int64_t k = 0; k < size; k++) {
			int64_t p = place(s, at, k);
			if (p < 0)
				continue;
			const void *from_x = element(dtype, x, p);
			if (acc == dtype)
				memcpy(one, from_x, dtype_bytes(dtype));
			else
				dtype_convert(acc, one, dtype, from_x, 0);
			ew_element(f, acc, sum, sum, one, NULL, 0);
		}
		void *to_y = (char *)y + i * (int64_t)dtype_bytes(dtype);
		if (acc == dtype)
			memcpy(to_y, sum, dtype_bytes(dtype));
		else
			dtype_convert(dtype, to_y, acc, sum, 0);
	}
}
