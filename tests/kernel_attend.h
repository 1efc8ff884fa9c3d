/* SPDX-License-Identifier: Apache-2.0
 *
 * What kernel_test.c checks the parts of attention with: by their formulas, in double.
 */
#ifndef ADZE_KERNEL_ATTEND_H
#define ADZE_KERNEL_ATTEND_H

#include "tests/kernel_fixture.h"

static const struct kernel_impl *attend_tile(const struct bench *t)
{
	size_t n;
	const struct kernel_impl *impl = kernels_impls(&n);
	for (size_t i = 0; i < n; i++)
		if (impl[i].isa == t->impl->isa && strcmp(impl[i].family, "attend_scores_f32") == 0)
			return &impl[i];
	return NULL;
}

static void check_attend_pack(struct bench *t)
{
	static const size_t rows[] = {0, 1, 7, 14, 33, 64}, steps[] = {0, 1, 8, 19, 64};
	const struct kernel_impl *tile = attend_tile(t);
	size_t size = dtype_bytes(t->dtype), width[] = {1, tile->mr, tile->nr};
	for (size_t s = 0; s < COUNT_OF(rows) * COUNT_OF(steps) * COUNT_OF(width) * 3; s++) {
		size_t n = rows[s % COUNT_OF(rows)];
		size_t k = steps[s / COUNT_OF(rows) % COUNT_OF(steps)];
		size_t w = width[s / COUNT_OF(rows) / COUNT_OF(steps) % COUNT_OF(width)];
		size_t how = s / COUNT_OF(rows) / COUNT_OF(steps) / COUNT_OF(width);
		/* Steps adjacent, rows adjacent, neither. */
		size_t across = how == 0 ? k + 1 : how == 1 ? 1 : 2 * k + 3;
		size_t along = how == 0 ? 1 : how == 1 ? n + 2 : 2;
		size_t span = n == 0 || k == 0 ? 0 : (n - 1) * across + (k - 1) * along + 1;
		size_t panels = (n + w - 1) / w, bytes = (panels * k * w + ATTEND_PAD) * 4;
		char *x = area_place(&t->a, span * size, 0);
		float *y = area_place(&t->y, bytes, 0);
		fill_any(t, t->dtype, x, span);
		((attend_pack_fn *)t->run)(y, x, (ptrdiff_t)across, (ptrdiff_t)along, n, k, w);
		check_area(t, &t->y, y, bytes, n);
		for (size_t i = 0; i < panels * w * k; i++) {
			size_t row = i / (w * k) * w + i % w, p = i / w % k;
			float want = 0;
			if (row < n)
				want = (float)dtype_load_float(t->dtype, x,
							       row * across + p * along);
			compare(t, ADZE_F32, y + i, &want, 1, NULL);
		}
	}
}

static void check_attend_scores(struct bench *t)
{
	static const size_t width[] = {0, 1, 5, 64, 128}, count[] = {0, 1, 31, 64, 256};
	size_t mr = t->impl->mr, nr = t->impl->nr;
	for (size_t s = 0; s < COUNT_OF(width) * COUNT_OF(count); s++) {
		size_t d = width[s % COUNT_OF(width)], n = count[s / COUNT_OF(width)];
		size_t keys = (n + nr - 1) / nr * nr, bytes = (mr - 1) * ATTEND_KEYS * 4 + keys * 4;
		float *q = area_place(&t->a, mr * d * 4, 0);
		float *k = area_place(&t->b, keys * d * 4, 0);
		float *y = area_place(&t->y, n > 0 ? bytes : 0, 0);
		fill_plain(t, ADZE_F32, q, mr * d, 1);
		fill_plain(t, ADZE_F32, k, keys * d, 1);
		((attend_scores_fn *)t->run)(y, q, k, d, n, mr, nr);
		check_area(t, &t->y, y, n > 0 ? bytes : 0, n);
		for (size_t i = 0; i < mr * keys; i++) {
			size_t row = i / keys, j = i % keys;
			double sum = 0, size = 0;
			for (size_t p = 0; p < d; p++) {
				double v = (double)q[p * mr + row] *
					   (double)k[(j / nr * d + p) * nr + j % nr];
				sum += v;
				size += fabs(v);
			}
			float want = (float)sum;
			compare(t, ADZE_F32, y + row * ATTEND_KEYS + j, &want, 1, &size);
		}
	}
}

/* A row by the formula. */
static void soften_row(const struct bench *t, const float *x, const float *s, size_t n,
		       float factor, const float *old, const float *got)
{
	double most = (double)old[0], total = 0, size = 1;
	for (size_t j = 0; j < n; j++)
		most = (double)(x[j] * factor) > most ? (double)(x[j] * factor) : most;
	double scale = (double)old[0] == most ? 1 : exp((double)old[0] - most);
	for (size_t j = 0; j < n; j++) {
		double from = most == (double)-INFINITY ? 0 : most;
		float want = (float)exp((double)x[j] * (double)factor - from);
		/* As exact as its argument, of magnitude `most`, can be. */
		double room = (double)want * (1 + fabs(most) / 16) + 1e-37;
		total += (double)want;
		compare(t, ADZE_F32, s + j, &want, 1, &room);
	}
	total += (double)old[1] * scale;
	float want[3] = {(float)most, (float)total, (float)scale};
	size = fabs(total) * (1 + fabs(most) / 16) + 1e-37;
	compare(t, ADZE_F32, got, want, 1, NULL);
	compare(t, ADZE_F32, got + 1, want + 1, 1, &size);
	compare(t, ADZE_F32, got + 2, want + 2, 1, NULL);
}

static void check_attend_soften(struct bench *t)
{
	static const size_t count[] = {0, 1, 3, 16, 33, 64, 127, 256};
	static float x[20 * ATTEND_KEYS];
	static const float special[] = {NAN, INFINITY, -INFINITY, -1e30f, -FLT_MAX, 3000};
	for (size_t s = 0; s < COUNT_OF(count) * 20; s++) {
		size_t n = count[s % COUNT_OF(count)], rows = s / COUNT_OF(count);
		size_t bytes = rows == 0 ? 0 : ((rows - 1) * ATTEND_KEYS + n) * 4;
		float *y = area_place(&t->y, bytes, 0), *most = area_place(&t->a, rows * 4, 0);
		float *total = area_place(&t->b, rows * 4, 0);
		float *scale = area_place(&t->c, rows * 4, 0), factor = s % 2 ? 0.125f : 1;
		float old[20][2];
		for (size_t i = 0; i < rows; i++) {
			fill_plain(t, ADZE_F32, y + i * ATTEND_KEYS, n, 20);
			/* Rows of one special value, and rows with one. */
			float odd = special[i % COUNT_OF(special)];
			for (size_t j = 0; j < n && i % 4 == 3; j++)
				y[i * ATTEND_KEYS + j] = odd;
			if (n > 0 && i % 4 == 2)
				y[i * ATTEND_KEYS + check_random(&t->seed) % n] = odd;
			most[i] = old[i][0] = i % 3 == 0 ? -INFINITY : i % 3 == 1 ? 4 : -2e3f;
			total[i] = old[i][1] = i % 3 == 0 ? 0 : 2.5f;
			memcpy(x + i * ATTEND_KEYS, y + i * ATTEND_KEYS, n * 4);
		}
		((attend_soften_fn *)t->run)(y, rows, n, factor, most, total, scale);
		check_area(t, &t->a, most, rows * 4, n);
		check_area(t, &t->b, total, rows * 4, n);
		check_area(t, &t->c, scale, rows * 4, n);
		for (size_t i = 0; i < rows; i++)
			soften_row(t, x + i * ATTEND_KEYS, y + i * ATTEND_KEYS, n, factor, old[i],
				   (const float[]){most[i], total[i], scale[i]});
	}
}

static void check_attend_values(struct bench *t)
{
	static const size_t width[] = {1, 31, 64, 100}, count[] = {0, 1, 31, 256};
	const struct kernel_impl *tile = attend_tile(t);
	size_t mr = tile->mr, nr = tile->nr;
	static float before[16 * 128];
	for (size_t s = 0; s < COUNT_OF(width) * COUNT_OF(count); s++) {
		size_t dv = width[s % COUNT_OF(width)], n = count[s / COUNT_OF(width)];
		size_t panels = (dv + nr - 1) / nr, all = panels * nr, gap = 5;
		float *p = area_place(&t->a, ((mr - 1) * ATTEND_KEYS + n) * 4, 0);
		float *v = area_place(&t->b, (panels * n * nr + (panels - 1) * gap) * 4, 0);
		float *y = area_place(&t->y, mr * all * 4, 0);
		float *scale = area_place(&t->c, mr * 4, 0);
		fill_plain(t, ADZE_F32, p, (mr - 1) * ATTEND_KEYS + n, 1);
		fill_plain(t, ADZE_F32, v, panels * n * nr + (panels - 1) * gap, 1);
		fill_plain(t, ADZE_F32, y, mr * all, 1);
		fill_plain(t, ADZE_F32, scale, mr, 1);
		CHECK(mr * all <= COUNT_OF(before));
		memcpy(before, y, mr * all * 4);
		((attend_values_fn *)t->run)(y, scale, p, v, (ptrdiff_t)(n * nr + gap), n, dv, mr,
					     nr);
		check_area(t, &t->y, y, mr * all * 4, n);
		for (size_t i = 0; i < mr * all; i++) {
			size_t panel = i / (mr * nr), row = i / nr % mr;
			double sum = (double)before[i] * (double)scale[row], size = fabs(sum);
			for (size_t j = 0; j < n; j++) {
				double x = (double)p[row * ATTEND_KEYS + j] *
					   (double)v[panel * (n * nr + gap) + j * nr + i % nr];
				sum += x;
				size += fabs(x);
			}
			float want = (float)sum;
			compare(t, ADZE_F32, y + i, &want, 1, &size);
		}
	}
}

static void check_attend_dots(struct bench *t)
{
	static const size_t width[] = {0, 1, 9, 16, 64, 100}, count[] = {0, 1, 3, 31, 256};
	size_t size = dtype_bytes(t->dtype);
	for (size_t s = 0; s < COUNT_OF(width) * COUNT_OF(count) * 10; s++) {
		size_t d = width[s % COUNT_OF(width)], rows = s / COUNT_OF(width) / COUNT_OF(count);
		size_t n = count[s / COUNT_OF(width) % COUNT_OF(count)], row = d + s % 3;
		size_t scores = rows == 0 || n == 0 ? 0 : (rows - 1) * ATTEND_KEYS + n;
		size_t keys = n == 0 ? 0 : (n - 1) * row + d, q_row = d + 1;
		float *q = area_place(&t->a, (rows == 0 ? 0 : rows * q_row - 1) * 4, 0);
		char *k = area_place(&t->b, keys * size, 0);
		float *y = area_place(&t->y, scores * 4, 0);
		fill_plain(t, ADZE_F32, q, rows == 0 ? 0 : rows * q_row - 1, 1);
		fill_plain(t, t->dtype, k, keys, 1);
		((attend_dots_fn *)t->run)(y, q, (ptrdiff_t)q_row, k, (ptrdiff_t)row, rows, n, d);
		check_area(t, &t->y, y, scores * 4, n);
		for (size_t i = 0; i < rows * n; i++) {
			double sum = 0, all = 0;
			for (size_t p = 0; p < d; p++) {
				double x = (double)q[i / n * q_row + p] *
					   dtype_load_float(t->dtype, k, i % n * row + p);
				sum += x;
				all += fabs(x);
			}
			float want = (float)sum;
			compare(t, ADZE_F32, y + i / n * ATTEND_KEYS + i % n, &want, 1, &all);
		}
	}
}

static void check_attend_few(struct bench *t)
{
	static const size_t width[] = {0, 1, 9, 32, 64, 100}, count[] = {0, 1, 31, 256};
	size_t size = dtype_bytes(t->dtype);
	for (size_t s = 0; s < COUNT_OF(width) * COUNT_OF(count) * 10; s++) {
		size_t dv = width[s % COUNT_OF(width)];
		size_t rows = s / COUNT_OF(width) / COUNT_OF(count);
		size_t n = count[s / COUNT_OF(width) % COUNT_OF(count)], row = dv + s % 3;
		size_t weights = rows == 0 ? 0 : (rows - 1) * ATTEND_KEYS + n;
		size_t values = n == 0 ? 0 : (n - 1) * row + dv;
		float *p = area_place(&t->a, weights * 4, 0);
		char *v = area_place(&t->b, values * size, 0);
		float *y = area_place(&t->y, rows * dv * 4, 0);
		fill_plain(t, ADZE_F32, p, weights, 1);
		fill_plain(t, t->dtype, v, values, 1);
		((attend_few_fn *)t->run)(y, (ptrdiff_t)dv, p, v, (ptrdiff_t)row, rows, n, dv);
		check_area(t, &t->y, y, rows * dv * 4, n);
		for (size_t i = 0; i < rows * dv; i++) {
			double sum = 0, all = 0;
			for (size_t j = 0; j < n; j++) {
				double x = (double)p[i / dv * ATTEND_KEYS + j] *
					   dtype_load_float(t->dtype, v, j * row + i % dv);
				sum += x;
				all += fabs(x);
			}
			float want = (float)sum;
			compare(t, ADZE_F32, y + i, &want, 1, &all);
		}
	}
}

#endif
