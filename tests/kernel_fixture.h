/* SPDX-License-Identifier: Apache-2.0
 *
 * What kernel_test.c checks kernels with: memory that ends at a page that faults, values that
 * are likely to be wrong, and the comparison with a family's tolerance.
 */
#ifndef ADZE_KERNEL_FIXTURE_H
#define ADZE_KERNEL_FIXTURE_H

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/dtype.h"
#include "base/status.h"
#include "kernels/kernels.h"
#include "tests/check.h"

#define LARGE 4099
#define AREA_BYTES ((size_t)4 << 20)
#define CANARY 0xa5
#define FRONT 64 /* canary bytes before a result */

/* Memory whose end is the end of a page, with a page behind it that faults. */
struct area {
	unsigned char *start, *end;
};

static struct area area_open(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *p = mmap(NULL, AREA_BYTES + page, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK(mprotect(p + AREA_BYTES, page, PROT_NONE) == 0);
	return (struct area){p, p + AREA_BYTES};
}

/* `bytes` that end `behind` bytes before the page, everything around them canaries. */
static void *area_place(struct area *m, size_t bytes, size_t behind)
{
	CHECK(bytes + behind + FRONT <= AREA_BYTES);
	unsigned char *p = m->end - behind - bytes;
	memset(p - FRONT, CANARY, FRONT + bytes + behind);
	return p;
}

static bool area_intact(struct area *m, const void *at, size_t bytes)
{
	const unsigned char *p = at;
	for (const unsigned char *q = p - FRONT; q < p; q++)
		if (*q != CANARY)
			return false;
	for (const unsigned char *q = p + bytes; q < m->end; q++)
		if (*q != CANARY)
			return false;
	return true;
}

/* The test at hand: a row, its family, its scalar row, and places for its arrays. */
struct bench {
	const struct kernel_impl *impl;
	const struct kernel_family *family;
	void (*run)(void);
	void (*scalar)(void);
	adze_dtype dtype; /* of the operands */
	enum ew ew;
	uint64_t seed;
	struct area y, a, b, c;
	bool tiny; /* of products: the operand in `a` is denormal */
};

static void say_where(const struct bench *t, char *out, size_t cap)
{
	snprintf(out, cap, "repeat: ADZE_SEED=%llu ADZE_KERNEL=%s ./kernel_test",
		 (unsigned long long)check_seed(), t->impl->function);
}

static double ordered(adze_dtype dtype, const void *at, size_t i)
{
	uint16_t u = ((const uint16_t *)at)[i];
	(void)dtype;
	return u & 0x8000 ? -(double)(u & 0x7fff) : (double)u;
}

static double distance(adze_dtype dtype, const void *x, const void *y, size_t i)
{
	size_t size = dtype_bytes(dtype);
	const char *p = (const char *)x + i * size, *q = (const char *)y + i * size;
	if (memcmp(p, q, size) == 0)
		return 0;
	if (!dtype_is_float(dtype))
		return 1e30;
	double v = dtype_load_float(dtype, x, i), w = dtype_load_float(dtype, y, i);
	if (isnan(v) || isnan(w))
		return isnan(v) && isnan(w) ? 0 : 1e30;
	double d = dtype == ADZE_F64   ? check_ulp64(v, w)
		   : dtype == ADZE_F32 ? check_ulp((float)v, (float)w)
		   : size == 2	       ? fabs(ordered(dtype, x, i) - ordered(dtype, y, i))
				       : 1e30;
	return d == 0 ? 0.5 : d; /* zeros of different signs */
}

/* `magnitude`: what goes into each result, as f64; NULL: the result's own. */
static void compare(const struct bench *t, adze_dtype dtype, const void *got, const void *want,
		    size_t n, const double *magnitude)
{
	char where[256];
	for (size_t i = 0; i < n; i++) {
		double d = distance(dtype, got, want, i);
		if (d <= t->family->ulp)
			continue;
		double g = dtype_load_float(dtype, got, i), w = dtype_load_float(dtype, want, i);
		double m = magnitude != NULL ? magnitude[i] : fabs(w);
		if (t->family->relative > 0 && fabs(g - w) <= t->family->relative * m)
			continue;
		say_where(t, where, sizeof where);
		CHECK_MSG(false, "%s: n=%zu element %zu is %.9g (%a), not %.9g (%a): %g ulp; %s",
			  t->impl->function, n, i, g, g, w, w, d, where);
	}
}

static void check_area(const struct bench *t, struct area *m, const void *at, size_t bytes,
		       size_t n)
{
	char where[256];
	say_where(t, where, sizeof where);
	CHECK_MSG(area_intact(m, at, bytes), "%s: n=%zu wrote beyond its result; %s",
		  t->impl->function, n, where);
}

static const double odd_value[] = {
	NAN,	   -0.0,    0.0,      HUGE_VAL, -HUGE_VAL, 0x1p-149,	-0x1p-149, 0x1.fffffcp-127,
	0x1p-126,  FLT_MAX, -FLT_MAX, 1,	-1,	   0.5,		-0.5,	   1.5,
	2.5,	   -2.5,    0x1p23,   -0x1p23,	0.49999997, 88.722839, 88.8,	   -87.4,
	-103.9,	   -104.1,  3.14159274, 1e5,	-1e10,	   65504,	65520,	   6e-8,
	0x1p-24,   0x1p-25, 127.5,    -129,	2147483648.0, -2147483904.0, 9.3e18, -9.3e18,
	3e38,	   1e-40,   -1e-3,    0.9,	-0.625,	   9.02,	60001,	   -3.95,
	0x1p-1074, -0x1.8p-1030,
};

/* Odd values first, then bits at random and, for floats, numbers of everyday size. NaNs are
 * quiet: what functions of the C library make of others differs, as 754 allows. */
static void fill_any(struct bench *t, adze_dtype dtype, void *to, size_t n)
{
	size_t size = dtype_bytes(dtype), turn = check_random(&t->seed) % COUNT_OF(odd_value);
	for (size_t i = 0; i < n; i++) {
		uint64_t bits = check_random(&t->seed);
		size_t odd = (i + turn) % (2 * COUNT_OF(odd_value));
		if (dtype == ADZE_BOOL)
			((uint8_t *)to)[i] = bits & 1;
		else if (dtype_is_float(dtype) && odd < COUNT_OF(odd_value))
			dtype_store_float(dtype, to, i, odd_value[odd]);
		else if (dtype_is_float(dtype) && (bits & 3) != 0)
			dtype_store_float(dtype, to, i,
					  (double)check_random_float(&t->seed) *
						  ((bits & 4) != 0 ? 8 : 100));
		else if (!dtype_is_float(dtype) && (bits & 3) == 0)
			dtype_store_int(dtype, to, i, (int64_t)(bits >> 8 & 15) - 4);
		else
			memcpy((char *)to + i * size, &bits, size);
		if (dtype_is_float(dtype) && isnan(dtype_load_float(dtype, to, i)))
			dtype_store_float(dtype, to, i, NAN);
	}
}

/* One in eight is denormal, where floats have 16 bits or more. */
static void fill_plain(struct bench *t, adze_dtype dtype, void *to, size_t n, double scale)
{
	double least = dtype == ADZE_F64 ? 0x1p-1040 : dtype == ADZE_F16 ? 0x1p-20 : 0x1p-130;
	for (size_t i = 0; i < n; i++) {
		uint64_t bits = check_random(&t->seed);
		if (!dtype_is_float(dtype)) {
			dtype_store_int(dtype, to, i, (int64_t)bits);
			continue;
		}
		bool tiny = bits % 8 == 0 && dtype_bytes(dtype) > 1;
		dtype_store_float(dtype, to, i,
				  (double)check_random_float(&t->seed) * (tiny ? least : scale));
	}
}

static const size_t lanes_of[ISA_COUNT] = {8, 8, 4, 8, 16, 16, 16};

/* Calls `check` with the sizes that matter, arrays at the page and one element before. */
static void each_size(struct bench *t, void (*check)(struct bench *, size_t n, size_t off))
{
	size_t vl = lanes_of[t->impl->isa];
	size_t size[] = {0, 1, 2, vl - 1, vl, vl + 1, 2 * vl + 3, 4 * vl, 8 * vl + 5, 61, LARGE};
	for (size_t i = 0; i < COUNT_OF(size); i++)
		for (size_t off = 0; off < 2; off++)
			check(t, size[i], off);
}

static adze_dtype bits_type(size_t bytes)
{
	return bytes == 1 ? ADZE_U8 : bytes == 2 ? ADZE_U16 : bytes == 4 ? ADZE_U32 : ADZE_U64;
}

#endif
