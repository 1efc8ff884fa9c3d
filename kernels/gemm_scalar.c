/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of matrices, and of a matrix and a vector, by their definition. Every sum runs
 * in order, from the first product to the last.
 */
#include "kernels/impls.h"

void gemm_f32_scalar(float *c, ptrdiff_t c_row, const float *a, ptrdiff_t a_row, ptrdiff_t a_col,
		     const float *b, ptrdiff_t b_row, ptrdiff_t b_col, size_t m, size_t n,
		     size_t k, void *work)
{
	(void)work;
	for (size_t i = 0; i < m; i++, c += c_row, a += a_row) {
		for (size_t j = 0; j < n; j++)
			c[j] = 0;
		for (size_t p = 0; p < k; p++) {
			float v = a[(ptrdiff_t)p * a_col];
			const float *row = b + (ptrdiff_t)p * b_row;
			for (size_t j = 0; j < n; j++, row += b_col)
				c[j] += v * *row;
		}
	}
}

void gemv_nt_f32_scalar(float *y, const float *x, const float *w, ptrdiff_t w_row, size_t n,
			size_t k)
{
	for (size_t j = 0; j < n; j++, w += w_row) {
		float sum = 0;
		for (size_t i = 0; i < k; i++)
			sum += w[i] * x[i];
		y[j] = sum;
	}
}

void gemv_nn_f32_scalar(float *y, const float *x, const float *w, ptrdiff_t w_row, size_t n,
			size_t k)
{
	for (size_t j = 0; j < n; j++)
		y[j] = 0;
	for (size_t i = 0; i < k; i++, w += w_row)
		for (size_t j = 0; j < n; j++)
			y[j] += w[j] * x[i];
}
