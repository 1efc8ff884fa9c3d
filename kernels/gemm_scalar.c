/* SPDX-License-Identifier: Apache-2.0
 *
 * Products of matrices, and of a matrix and a vector, by their definition. Every sum runs
 * in order, from the first product to the last.
 */
#include "base/half.h"
#include "kernels/impls.h"

#define SAME(x) x

#define GEMM(family, left, read_left, right, read_right)                                      \
	void gemm_##family##_scalar(float *c, ptrdiff_t c_row, const void *a,                 \
				    ptrdiff_t a_row, ptrdiff_t a_col, const void *b,          \
				    ptrdiff_t b_row, ptrdiff_t b_col, size_t m, size_t n,     \
				    size_t k, void *work)                                     \
	{                                                                                     \
		const left *x = a;                                                            \
		(void)work;                                                                   \
		for (size_t i = 0; i < m; i++, c += c_row, x += a_row) {                      \
			for (size_t j = 0; j < n; j++)                                        \
				c[j] = 0;                                                     \
			for (size_t p = 0; p < k; p++) {                                      \
				float v = read_left(x[(ptrdiff_t)p * a_col]);                 \
				const right *row = (const right *)b + (ptrdiff_t)p * b_row;   \
				for (size_t j = 0; j < n; j++, row += b_col)                  \
					c[j] += v * read_right(*row);                         \
			}                                                                     \
		}                                                                             \
	}
GEMM(f32, float, SAME, float, SAME)
GEMM(f16, uint16_t, f16_to_f32, uint16_t, f16_to_f32)
GEMM(bf16, uint16_t, bf16_to_f32, uint16_t, bf16_to_f32)
GEMM(f32_f16, float, SAME, uint16_t, f16_to_f32)
GEMM(f32_bf16, float, SAME, uint16_t, bf16_to_f32)

static float e4m3fn_to_f32(uint8_t x)
{
	return (float)small_to_f64(x, SMALL_FORMAT(4, 3, 7, FN));
}

static float e5m2_to_f32(uint8_t x)
{
	return (float)small_to_f64(x, SMALL_FORMAT(5, 2, 15, IEEE));
}

#define GEMM_BYTES(type, right, read)                         \
	GEMM(f32_##type, float, SAME, right, read)            \
	GEMM(f16_##type, uint16_t, f16_to_f32, right, read)   \
	GEMM(bf16_##type, uint16_t, bf16_to_f32, right, read)
GEMM_BYTES(f8e4m3fn, uint8_t, e4m3fn_to_f32)
GEMM_BYTES(f8e5m2, uint8_t, e5m2_to_f32)
GEMM_BYTES(i8, int8_t, SAME)

#define GEMM_NT(type, weight, read)                                                            \
	void gemm_nt_##type##_scalar(float *y, ptrdiff_t y_row, ptrdiff_t y_col,              \
				     const float *x, ptrdiff_t x_row, const void *w,          \
				     ptrdiff_t w_row, size_t m, size_t n, size_t k)           \
	{                                                                                     \
		for (size_t i = 0; i < m; i++, y += y_row, x += x_row) {                      \
			const weight *row = w;                                                \
			for (size_t j = 0; j < n; j++, row += w_row) {                        \
				float sum = 0;                                                \
				for (size_t p = 0; p < k; p++)                                \
					sum += x[p] * read(row[p]);                           \
				y[(ptrdiff_t)j * y_col] = sum;                                \
			}                                                                     \
		}                                                                             \
	}
GEMM_NT(f32, float, SAME)
GEMM_NT(f16, uint16_t, f16_to_f32)
GEMM_NT(bf16, uint16_t, bf16_to_f32)
GEMM_NT(f8e4m3fn, uint8_t, e4m3fn_to_f32)
GEMM_NT(f8e5m2, uint8_t, e5m2_to_f32)
GEMM_NT(f32_i8, int8_t, SAME)

#define GEMM_NT_INT(family, left)                                                             \
	void gemm_nt_##family##_scalar(int32_t *y, ptrdiff_t y_row, ptrdiff_t y_col,          \
				       const void *x, ptrdiff_t x_row, const void *w,         \
				       ptrdiff_t w_row, size_t m, size_t n, size_t k)         \
	{                                                                                     \
		const left *from = x;                                                         \
		for (size_t i = 0; i < m; i++, y += y_row, from += x_row) {                   \
			const int8_t *row = w;                                                \
			for (size_t j = 0; j < n; j++, row += w_row) {                        \
				uint32_t sum = 0;                                             \
				for (size_t p = 0; p < k; p++)                                \
					sum += (uint32_t)(from[p] * row[p]);                  \
				y[(ptrdiff_t)j * y_col] = (int32_t)sum;                       \
			}                                                                     \
		}                                                                             \
	}
GEMM_NT_INT(i8, int8_t)
GEMM_NT_INT(u8_i8, uint8_t)

void gemv_nn_f32_scalar(float *y, const float *x, const float *w, ptrdiff_t w_row, size_t n,
			size_t k)
{
	for (size_t j = 0; j < n; j++)
		y[j] = 0;
	for (size_t i = 0; i < k; i++, w += w_row)
		for (size_t j = 0; j < n; j++)
			y[j] += w[j] * x[i];
}
