/* SPDX-License-Identifier: Apache-2.0
 *
 * What kernel_test.c checks products of matrices with: all by the definition, in double or in
 * wide integers.
 */
#ifndef ADZE_KERNEL_PRODUCTS_H
#define ADZE_KERNEL_PRODUCTS_H

#include "tests/kernel_fixture.h"

/* An operand of rows x columns, and the same as f32, dense. */
struct operand {
	adze_dtype dtype;
	char *at; /* of element (0, 0) */
	ptrdiff_t row, col;
	float plain[1 << 17];
};

static const void *element(const struct operand *x, size_t i, size_t j)
{
	ptrdiff_t at = (ptrdiff_t)i * x->row + (ptrdiff_t)j * x->col;
	return x->at + at * (ptrdiff_t)dtype_bytes(x->dtype);
}

/* how: 0 rows adjacent, 1 columns, 2 neither, 3 backwards. */
static void place_operand(struct bench *t, struct area *m, struct operand *x, int how, size_t rows,
			  size_t columns)
{
	ptrdiff_t r = (ptrdiff_t)rows, c = (ptrdiff_t)columns;
	size_t size = dtype_bytes(x->dtype);
	x->row = how == 0 ? c : how == 1 ? 1 : how == 2 ? 2 * c + 1 : -c;
	x->col = how == 0 ? 1 : how == 1 ? r : how == 2 ? 2 : -1;
	x->at = area_place(m, 0, 0);
	if (rows == 0 || columns == 0)
		return;
	size_t span = 1 + (size_t)(labs(x->row) * (r - 1) + labs(x->col) * (c - 1));
	x->at = area_place(m, span * size, 0);
	/* Now and then one side is denormal, and the other so large that products are not. */
	if (m == &t->a)
		t->tiny = check_random(&t->seed) % 4 == 0;
	double tiny = x->dtype == ADZE_F32 || x->dtype == ADZE_BF16 ? 0x1p-127
		      : x->dtype == ADZE_F16			 ? 0x1p-15
								 : 1;
	fill_plain(t, x->dtype, x->at, span,
		   !t->tiny ? 1 : m == &t->a ? tiny : size > 1 ? 0x1p12 : 1);
	x->at += how == 3 ? (span - 1) * size : 0;
	CHECK(rows * columns <= COUNT_OF(x->plain));
	for (size_t i = 0; i < rows; i++)
		for (size_t j = 0; j < columns; j++)
			x->plain[i * columns + j] =
				(float)dtype_load_float(x->dtype, element(x, i, j), 0);
}

/* a b over rows of a and columns (rows where nt) of b: by the definition, in double; and the sum
 * of the magnitudes. */
static void product_formula(const struct operand *a, const struct operand *b, bool nt, size_t m,
			    size_t n, size_t k, float *want, double *magnitude)
{
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < n; j++) {
			double sum = 0, size = 0;
			for (size_t p = 0; p < k; p++) {
				double v = (double)a->plain[i * k + p] *
					   (double)b->plain[nt ? j * k + p : p * n + j];
				sum += v;
				size += fabs(v);
			}
			want[i * n + j] = (float)sum;
			magnitude[i * n + j] = size;
		}
}

/* A row alone, in two halves: the same bits. */
static void check_split_rows(const struct bench *t, const float *y, ptrdiff_t y_row,
			     const struct operand *a, const struct operand *b, size_t m, size_t n,
			     size_t k, void *work)
{
	static float row[2048];
	gemm_fn *run = (gemm_fn *)t->run;
	if (t->impl->isa == ISA_BLAS || n > COUNT_OF(row))
		return;
	for (size_t i = 0; i < m; i++) {
		size_t half = n / 2;
		run(row, 1, element(a, i, 0), a->row, a->col, b->at, b->row, b->col, 1, half, k,
		    work);
		run(row + half, 1, element(a, i, 0), a->row, a->col, element(b, 0, half), b->row,
		    b->col, 1, n - half, k, work);
		CHECK_MSG(memcmp(row, y + (ptrdiff_t)i * y_row, n * sizeof *row) == 0,
			  "%s: row %zu of %zux%zux%zu alone differs", t->impl->function, i, m, n,
			  k);
	}
}

/* "gemm_f32_i8": f32; "gemm_f16": f16. */
static adze_dtype left_type(const struct bench *t)
{
	const char *name = t->family->name + strlen("gemm_");
	return dtype_find(name, strcspn(name, "_"));
}

static void check_product(struct bench *t, const size_t size[3], int how_a, int how_b)
{
	static float want[1 << 16];
	static double magnitude[1 << 16];
	static struct operand a, b;
	static _Alignas(64) unsigned char work[16 << 20];
	size_t m = size[0], n = size[1], k = size[2];
	ptrdiff_t y_row = (ptrdiff_t)n + 3;
	CHECK(t->impl->gemm_work <= sizeof work);
	CHECK(m * n <= COUNT_OF(want));
	b.dtype = t->dtype;
	a.dtype = left_type(t);
	place_operand(t, &t->a, &a, how_a, m, k);
	place_operand(t, &t->b, &b, how_b, k, n);
	size_t bytes = m == 0 || n == 0 ? 0 : ((m - 1) * (size_t)y_row + n) * sizeof(float);
	float *y = area_place(&t->y, bytes, 0);
	product_formula(&a, &b, false, m, n, k, want, magnitude);
	((gemm_fn *)t->run)(y, y_row, a.at, a.row, a.col, b.at, b.row, b.col, m, n, k, work);
	check_area(t, &t->y, y, bytes, n);
	for (size_t i = 0; i < m; i++) {
		compare(t, ADZE_F32, y + (ptrdiff_t)i * y_row, want + i * n, n, magnitude + i * n);
		for (size_t j = n; n > 0 && j < (size_t)y_row && i + 1 < m; j++)
			CHECK_MSG(memcmp(y + (ptrdiff_t)i * y_row + j, "\xa5\xa5\xa5\xa5",
					 4) == 0,
				  "%s: wrote between rows", t->impl->function);
	}
	check_split_rows(t, y, y_row, &a, &b, m, n, k, work);
}

static void check_gemm(struct bench *t)
{
	size_t mr = t->impl->mr ? t->impl->mr : 4, nr = t->impl->nr ? t->impl->nr : 8;
	size_t size[][3] = {
		{0, 5, 3},	{5, 0, 3},	  {4, 7, 0},	       {1, 1, 1},
		{mr, nr, 1},	{mr - 1, nr, 17}, {mr + 1, nr - 1, 8}, {2 * mr, nr + 1, 5},
		{3 * mr + 1, 2 * nr + 3, 61}, {1, 10, 300}, {2, 3 * nr, 61},
		{7, 5, 601},	{67, 71, 73},	  {205, 61, 270},      {3, 1200, 61},
	};
	for (size_t i = 0; i < COUNT_OF(size); i++)
		for (int how = 0; how < 16; how++)
			if (i > 3 || how == 0)
				check_product(t, size[i], how % 4, how / 4);
}

/* Both operands with rows along the sum, the result by rows or by columns, odd values or none. */
static void check_nt_of(struct bench *t, size_t m, size_t n, size_t k, bool odd)
{
	static float want[1 << 13], alone[64];
	static double magnitude[1 << 13];
	static struct operand x, w;
	gemm_nt_fn *run = (gemm_nt_fn *)t->run;
	CHECK(m * n <= COUNT_OF(want) && n <= COUNT_OF(alone));
	x.dtype = ADZE_F32;
	w.dtype = t->dtype;
	place_operand(t, &t->a, &x, 0, m, k);
	place_operand(t, &t->b, &w, 0, n, k);
	for (size_t i = 0; odd && dtype_is_float(w.dtype) && i < n; i += 3) {
		size_t p = k * i / n;
		dtype_store_float(w.dtype, w.at, i * k + p,
				  i % 2 ? NAN : i % 4 ? HUGE_VAL : 0x1p-16);
		w.plain[i * k + p] = (float)dtype_load_float(w.dtype, w.at, i * k + p);
	}
	product_formula(&x, &w, true, m, n, k, want, magnitude);
	for (int columns = 0; columns < 2; columns++) {
		ptrdiff_t y_row = columns ? 1 : (ptrdiff_t)n + 1;
		ptrdiff_t y_col = columns ? (ptrdiff_t)m : 1;
		size_t last = m * n == 0 ? 0 : (size_t)((ptrdiff_t)(m - 1) * y_row +
							(ptrdiff_t)(n - 1) * y_col) + 1;
		float *y = area_place(&t->y, last * 4, 0);
		run(y, y_row, y_col, (const float *)x.at, x.row, w.at, w.row, m, n, k);
		check_area(t, &t->y, y, last * 4, n);
		for (size_t i = 0; i < m; i++) {
			run(alone, 0, 1, element(&x, i, 0), x.row, w.at, w.row, 1, n, k);
			for (size_t j = 0; j < n; j++) {
				float *at = y + (ptrdiff_t)i * y_row + (ptrdiff_t)j * y_col;
				compare(t, ADZE_F32, at, want + i * n + j, 1,
					magnitude + i * n + j);
				CHECK_MSG(distance(ADZE_F32, at, alone + j, 0) == 0,
					  "%s: row %zu of %zux%zux%zu alone differs",
					  t->impl->function, i, m, n, k);
			}
		}
	}
}

static void check_nt(struct bench *t)
{
	static const size_t rows[] = {0, 1, 2, 3, 4, 5, 7, 8, 11, 32, 37};
	static const size_t width[] = {0, 1, 7, 8, 9, 25};
	static const size_t length[] = {0, 1, 3, 8, 15, 16, 17, 61, 600, 1100};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t j = 0; j < COUNT_OF(width); j++)
			for (size_t k = 0; k < COUNT_OF(length); k++)
				check_nt_of(t, rows[i], width[j], length[k],
					    length[k] > 0 && (i + j + k) % 2);
}

/* Any bytes, the extreme ones often. */
static void fill_bytes(struct bench *t, uint8_t *to, size_t n)
{
	static const uint8_t often[] = {0x80, 0x7f, 0xff, 0};
	for (size_t i = 0; i < n; i++) {
		uint64_t bits = check_random(&t->seed);
		to[i] = bits & 0x300 ? (uint8_t)bits : often[bits >> 10 & 3];
	}
}

static void check_nt_int(struct bench *t)
{
	static const size_t rows[] = {0, 1, 2, 3, 5, 8, 32, 37}, width[] = {0, 1, 7, 8, 25};
	static const size_t length[] = {0, 1, 15, 16, 63, 64, 65, 300, 2047, 2100};
	static int32_t want[37 * 25];
	for (size_t s = 0; s < COUNT_OF(rows) * COUNT_OF(width) * COUNT_OF(length); s++) {
		size_t m = rows[s % COUNT_OF(rows)], k = length[s / COUNT_OF(rows) % 10];
		size_t n = width[s / COUNT_OF(rows) / COUNT_OF(length)], gap = s % 3;
		ptrdiff_t row = (ptrdiff_t)(k + gap), y_row = s % 2 ? 1 : (ptrdiff_t)n + 1;
		ptrdiff_t y_col = s % 2 ? (ptrdiff_t)m : 1;
		size_t last = m * n == 0 ? 0 : (size_t)((ptrdiff_t)(m - 1) * y_row +
							(ptrdiff_t)(n - 1) * y_col) + 1;
		size_t x_bytes = m == 0 ? 0 : (m - 1) * (k + gap) + k;
		size_t w_bytes = n == 0 ? 0 : (n - 1) * (k + gap) + k;
		uint8_t *x = area_place(&t->a, x_bytes, 0), *w = area_place(&t->b, w_bytes, 0);
		int32_t *y = area_place(&t->y, last * 4, 0);
		fill_bytes(t, x, x_bytes);
		fill_bytes(t, w, w_bytes);
		for (size_t i = 0; i < m * n; i++) {
			int64_t sum = 0;
			for (size_t p = 0; p < k; p++) {
				uint8_t v = x[i / n * (k + gap) + p];
				int8_t u = (int8_t)w[i % n * (k + gap) + p];
				bool plain = strcmp(t->family->name, "gemm_nt_i8") == 0;
				sum += (plain ? (int8_t)v : (int)v) * u;
			}
			want[i] = (int32_t)sum;
		}
		((gemm_nt_int_fn *)t->run)(y, y_row, y_col, x, row, w, row, m, n, k);
		check_area(t, &t->y, y, last * 4, n);
		for (size_t i = 0; i < m * n; i++)
			compare(t, ADZE_I32,
				y + (ptrdiff_t)(i / n) * y_row + (ptrdiff_t)(i % n) * y_col,
				want + i, 1, NULL);
	}
}

static void check_nn(struct bench *t)
{
	static const size_t size[] = {0, 1, 3, 4, 5, 8, 11, 16, 17, 35, 61};
	static float want[5000], alone[64];
	static double magnitude[5000];
	static struct operand x, w;
	gemv_nn_f32_fn *run = (gemv_nn_f32_fn *)t->run;
	x.dtype = w.dtype = ADZE_F32;
	for (size_t s = 0; s < COUNT_OF(size) * (COUNT_OF(size) + 1); s++) {
		size_t k = size[s % COUNT_OF(size)];
		size_t n = s / COUNT_OF(size) < COUNT_OF(size) ? size[s / COUNT_OF(size)] : 4500;
		if (n == 4500 && k > 27)
			k = 27;
		place_operand(t, &t->a, &w, 0, k, n);
		place_operand(t, &t->b, &x, 0, 1, k);
		float *y = area_place(&t->y, n * 4, 0);
		product_formula(&x, &w, false, 1, n, k, want, magnitude);
		run(y, (const float *)x.at, (const float *)w.at, w.row, n, k);
		check_area(t, &t->y, y, n * 4, n);
		compare(t, ADZE_F32, y, want, n, magnitude);
		for (size_t j = 0; j < n && n < 100; j++) {
			run(alone, (const float *)x.at, element(&w, 0, j), w.row, 1, k);
			CHECK_MSG(memcmp(alone, y + j, 4) == 0,
				  "%s: output %zu of %zu alone differs", t->impl->function, j, n);
		}
	}
}

#endif
