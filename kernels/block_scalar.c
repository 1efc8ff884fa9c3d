/* SPDX-License-Identifier: Apache-2.0
 *
 * Rounded rows, and products with weights in blocks, by their formulas.
 */
#include "kernels/block_rows.h"

#include <math.h>

#include "kernels/impls.h"

void round_rows_scalar(int8_t *q, float *scale, int32_t *more, const float *x, size_t k,
		       const struct block_format *f)
{
	for (size_t b = 0; b < k / 32; b++, x += 32, q += 32) {
		uint32_t most = 0, sum[2] = {0, 0};
		for (int i = 0; i < 32; i++) {
			uint32_t bits = float_bits(x[i]) & INT32_MAX;
			most = bits > most ? bits : most;
		}
		float m = bits_float(most), by = m < BLOCK_TINY ? 0 : 127 / m;
		scale[b] = m < BLOCK_TINY ? 0 : (m + m * 0) / 127;
		for (int i = 0; i < 32; i++) {
			float v = rintf(x[i] * by);
			int32_t n = v == v && fabsf(v) <= 127 ? (int32_t)v : 0;
			q[i] = (int8_t)n;
			sum[i / 16] += (uint32_t)n;
		}
		const int32_t half[2] = {(int32_t)sum[0], (int32_t)sum[1]};
		block_more(f, more + b * 32 / (size_t)f->part, scale + b, half, 1);
	}
}

/* One element of the result. */
static float sum_of(enum block_kind b, const struct block_rows *x, size_t row, const uint8_t *w)
{
	const struct block_format *f = block_format(b);
	const int8_t *q = x->q + row * x->k;
	const float *scale = x->scale + row * (x->k / 32);
	size_t each = (size_t)f->elements, part = (size_t)f->part;
	const int32_t *more = x->more + row * (x->k / part);
	struct block_parts p;
	float sum = 0, share;
	for (size_t from = 0; from < x->k; from += each, w += f->bytes) {
		block_unpack(b, w, &p);
		for (size_t i = 0; i < each / part; i++) {
			int32_t dot = 0;
			for (size_t e = 0; e < part; e++)
				dot += p.q[i * part + e] * q[from + i * part + e];
			sum += (float)dot * p.scale[i] * scale[(from + i * part) / 32];
			memcpy(&share, &more[from / part + i], sizeof share);
			sum -= f->has_min ? p.min[i] * share : 0;
		}
	}
	return sum;
}

void gemm_nt_blocks_scalar(enum block_kind b, float *y, ptrdiff_t y_row, ptrdiff_t y_col,
			   const struct block_rows *x, const void *w, ptrdiff_t w_row, size_t m,
			   size_t n, void *work)
{
	(void)work;
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j++)
			y[(ptrdiff_t)i * y_row + (ptrdiff_t)j * y_col] =
				sum_of(b, x, i, (const uint8_t *)w + (ptrdiff_t)j * w_row);
}
