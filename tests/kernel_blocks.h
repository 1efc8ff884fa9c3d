/* SPDX-License-Identifier: Apache-2.0
 *
 * What kernel_test.c checks products with weights in blocks with: rounded rows against the scalar
 * kernel and against what they stand for, products against sums in double of what blocks hold.
 */
#ifndef ADZE_KERNEL_BLOCKS_H
#define ADZE_KERNEL_BLOCKS_H

#include "base/block.h"
#include "kernels/block_rows.h"
#include "tests/kernel_fixture.h"

enum { MOST_BLOCK_K = 1536 };

/* A row as kernels give it, and places for it that end at a page. */
struct rounded {
	int8_t *q;
	float *scale;
	int32_t *more;
};

static void check_round_of(struct bench *t, const struct block_format *f, size_t k)
{
	static int8_t q[MOST_BLOCK_K];
	static float scale[MOST_BLOCK_K / 32];
	static int32_t more[MOST_BLOCK_K / 16];
	size_t parts = k / (size_t)f->part;
	float *x = area_place(&t->a, k * 4, 0);
	struct rounded r = {area_place(&t->y, k, 0), area_place(&t->b, k / 32 * 4, 0),
			    area_place(&t->c, parts * 4, 0)};
	for (size_t i = 0; i < k; i++) {
		x[i] = check_random_float(&t->seed) * (i / 32 % 5 == 1 ? 1e-35f : 10);
		if (i / 32 % 5 == 2 && check_random(&t->seed) % 16 == 0)
			x[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? HUGE_VALF : FLT_MAX;
		x[i] = i / 32 % 5 == 3 ? truncf(x[i]) / 2 : x[i];
	}
	((round_rows_fn *)t->run)(r.q, r.scale, r.more, x, k, f);
	((round_rows_fn *)t->scalar)(q, scale, more, x, k, f);
	check_area(t, &t->y, r.q, k, k);
	check_area(t, &t->b, r.scale, k / 32 * 4, k);
	check_area(t, &t->c, r.more, parts * 4, k);
	compare(t, ADZE_F32, r.scale, scale, k / 32, NULL);
	for (size_t i = 0; i < k; i++) {
		float most = 0, s = scale[i / 32];
		bool finite = true;
		for (size_t p = i / 32 * 32; p < i / 32 * 32 + 32; p++) {
			finite = finite && isfinite(x[p]);
			most = fmaxf(most, fabsf(x[p]));
		}
		CHECK_MSG(isnan(s) == !finite, "%s: %zu: scale %g", t->impl->function, i,
			  (double)s);
		if (isnan(s))
			continue;
		CHECK_MSG(r.q[i] == q[i], "%s: k=%zu number %zu is %d, not %d", t->impl->function,
			  k, i, r.q[i], q[i]);
		CHECK_MSG(fabs((double)s * q[i] - (double)x[i]) <=
				  (double)most / 254 * 1.00001 + (double)BLOCK_TINY,
			  "%s: %g becomes %g", t->impl->function, (double)x[i], (double)s * q[i]);
		if (!f->has_min)
			CHECK_MSG(r.more[i / (size_t)f->part] == more[i / (size_t)f->part],
				  "%s: sum %zu", t->impl->function, i / (size_t)f->part);
		else
			compare(t, ADZE_F32, r.more + i / (size_t)f->part,
				more + i / (size_t)f->part, 1, NULL);
	}
}

static void check_round(struct bench *t)
{
	static const size_t length[] = {0, 32, 64, 256, 480, 512, 544, 1024};
	for (int b = BLOCK_NONE + 1; b < BLOCK_COUNT; b++)
		for (size_t i = 0; i < COUNT_OF(length); i++)
			check_round_of(t, block_format((enum block_kind)b), length[i]);
}

/* Blocks whose numbers are finite, and not all tiny. */
static void fill_blocks(struct bench *t, enum block_kind b, uint8_t *at, size_t n)
{
	const struct block_format *f = block_format(b);
	float y[BLOCK_ELEMENTS];
	for (size_t i = 0; i < n; i++, at += f->bytes) {
		float most;
		bool finite;
		do {
			most = 0;
			finite = true;
			for (int k = 0; k < f->bytes; k++)
				at[k] = (uint8_t)(check_random(&t->seed) >> 20);
			block_decode(b, at, 1, y);
			for (int k = 0; k < f->elements; k++) {
				finite = finite && isfinite(y[k]);
				most = fmaxf(most, fabsf(y[k]));
			}
		} while (!finite || most < 1e-3f || most > 1e3f);
	}
}

/* Element (i, j) in double, and the magnitudes that go into it. */
static double block_formula(enum block_kind b, const struct block_rows *x, size_t i,
			    const uint8_t *w, double *magnitude)
{
	const struct block_format *f = block_format(b);
	struct block_parts p;
	double sum = 0;
	*magnitude = 0;
	for (size_t k = 0; k < x->k; k++) {
		size_t e = k % (size_t)f->elements, part = e / (size_t)f->part;
		if (e == 0)
			block_unpack(b, w + k / (size_t)f->elements * (size_t)f->bytes, &p);
		double v = (double)x->scale[i * (x->k / 32) + k / 32] * x->q[i * x->k + k];
		double by = (double)p.scale[part] * p.q[e], less = (double)p.min[part];
		sum += v * (by - less);
		*magnitude += fabs(v) * (fabs(by) + fabs(less));
	}
	return sum;
}

static void check_blocks_of(struct bench *t, enum block_kind b, size_t m, size_t n, size_t k)
{
	static int8_t q[40 * MOST_BLOCK_K];
	static float scale[40 * MOST_BLOCK_K / 32], x[40 * MOST_BLOCK_K], alone[128];
	static int32_t more[40 * MOST_BLOCK_K / 16];
	static _Alignas(64) unsigned char work[BLOCK_WORK];
	const struct block_format *f = block_format(b);
	const struct block_rows rows = {k, q, scale, more};
	size_t row = k / (size_t)f->elements * (size_t)f->bytes;
	gemm_nt_blocks_fn *run = (gemm_nt_blocks_fn *)t->run;
	round_rows_fn *round = (round_rows_fn *)kernels_find("round_rows", 1u << ISA_SCALAR)->run;
	CHECK(t->impl->gemm_work <= sizeof work && m <= 40 && n <= COUNT_OF(alone));
	fill_plain(t, ADZE_F32, x, m * k, 3);
	for (size_t i = 0; i < m; i++)
		round(q + i * k, scale + i * (k / 32), more + i * (k / (size_t)f->part), x + i * k,
		      k, f);
	uint8_t *w = area_place(&t->b, n * row, 0);
	fill_blocks(t, b, w, n * k / (size_t)f->elements);
	for (int columns = 0; columns < 2; columns++) {
		ptrdiff_t y_row = columns ? 1 : (ptrdiff_t)n + 1;
		ptrdiff_t y_col = columns ? (ptrdiff_t)m : 1;
		size_t last = m * n == 0 ? 0 : (size_t)((ptrdiff_t)(m - 1) * y_row +
							(ptrdiff_t)(n - 1) * y_col) + 1;
		float *y = area_place(&t->y, last * 4, 0);
		run(b, y, y_row, y_col, &rows, w, (ptrdiff_t)row, m, n, work);
		check_area(t, &t->y, y, last * 4, n);
		for (size_t i = 0; i < m; i++) {
			const struct block_rows one = {k, q + i * k, scale + i * (k / 32),
						       more + i * (k / (size_t)f->part)};
			size_t half = n / 2;
			run(b, alone, 0, 1, &one, w, (ptrdiff_t)row, 1, half, work);
			run(b, alone + half, 0, 1, &one, w + half * row, (ptrdiff_t)row, 1,
			    n - half, work);
			for (size_t j = 0; j < n; j++) {
				float *at = y + (ptrdiff_t)i * y_row + (ptrdiff_t)j * y_col;
				double magnitude;
				float want = (float)block_formula(b, &rows, i, w + j * row,
								  &magnitude);
				compare(t, ADZE_F32, at, &want, 1, &magnitude);
				CHECK_MSG(distance(ADZE_F32, at, alone + j, 0) == 0,
					  "%s of %s: row %zu of %zux%zux%zu alone differs",
					  t->impl->function, f->name, i, m, n, k);
			}
		}
	}
}

static void check_blocks(struct bench *t)
{
	static const size_t size[][3] = {
		{0, 5, 256}, {3, 0, 256}, {2, 3, 0},   {1, 1, 256},   {1, 70, 512}, {2, 33, 768},
		{3, 17, 256}, {4, 5, 256}, {5, 31, 512}, {7, 40, 1536}, {13, 9, 512}, {37, 66, 256},
	};
	bool slow = t->impl->isa == ISA_SCALAR || t->impl->isa == ISA_GENERIC;
	for (int b = BLOCK_NONE + 1; b < BLOCK_COUNT; b++)
		for (size_t i = 0; i < COUNT_OF(size); i++)
			if (!slow || i < 5 || i % 4 == (size_t)b % 4)
				check_blocks_of(t, (enum block_kind)b, size[i][0], size[i][1],
						size[i][2]);
}

#endif
