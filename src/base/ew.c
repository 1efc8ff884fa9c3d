/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ew.h"

#include <math.h>
#include <string.h>

enum {
	B = DTYPE_BOOL, I = DTYPE_INT | DTYPE_UINT, F = DTYPE_FLOAT, C = DTYPE_COMPLEX,
	P = DTYPE_PACKED
};
enum { COMM = EW_COMM, ASSOC = EW_ASSOC, PRED = EW_PRED, IDEM = EW_IDEM,
       PART = EW_PART };

static const struct ew_info row[EW_COUNT] = {
#define EW(name, id, n, takes, flags, start, f, i, v, doc) \
	{#name, n, takes, flags, EW_##start, #f, #i, doc},
#include "base/ew.def"
};

const struct ew_info *ew_info(enum ew f)
{
	return &row[f];
}

enum ew ew_find(const char *name, size_t len)
{
	for (int i = 0; i < EW_COUNT; i++)
		if (strlen(row[i].name) == len && memcmp(row[i].name, name, len) == 0)
			return (enum ew)i;
	return EW_COUNT;
}

/*
 * From S. Winitzki's approximation (2008), good to 0.4 %, by three of Halley's steps, each of
 * which triples the digits. Near one the complement is what has digits.
 */
double ew_erf_inv_f64(double a)
{
	double x = fabs(a), y = x * 0.8862269254527580 * (1 + x * x * 0.2617993877991494);
	if (!(x < 1))
		return x > 1 ? NAN : x == 1 ? copysign(HUGE_VAL, a) : a;
	if (x > 0.25) {
		double l = log((1 - x) * (1 + x)), t = 4.330746750799873 + l / 2;
		y = sqrt(sqrt(t * t - l / 0.147) - t);
	}
	for (int i = 0; i < 3 && x > 0; i++) {
		double d = x < 0.5 ? erf(y) - x : (1 - x) - erfc(y);
		d /= 1.1283791670955126 * exp(-y * y);
		y -= d / (1 + y * d);
	}
	return copysign(y, a);
}

float ew_erf_inv_f32(float a)
{
	return (float)ew_erf_inv_f64((double)a);
}

/* Adding a number whose last place is that of the rounding does it, to nearest even. */
static double reduce_precision(double a, double b, double c, int ebits, int mbits)
{
	double x = fabs(a), size = fabs(b);
	int e = size >= 1 ? (size < ebits ? (int)size : ebits) : 1;
	int m = c >= 0 ? (c < mbits ? (int)c : mbits) : 0;
	int low = 2 - (1 << (e - 1)), least = 2 - (1 << (ebits - 1));
	if (!(x > 0 && x < HUGE_VAL))
		return a;
	int k = ilogb(x);
	k = k < least ? least : k;
	k = b < 0 && k < low ? low : k;
	double by = k > 900 ? 0x1p-64 : 1; /* what is added must be finite */
	x *= by;
	double far = ldexp(by, k + 52 - m);
	x = x < far ? x + far - far : x;
	x /= by;
	if (x >= ldexp(1, 1 << (e - 1)))
		x = HUGE_VAL;
	else if (b > 0 && x < ldexp(1, low))
		x = 0;
	return copysign(x, a);
}

double ew_reduce_precision_f64(double a, double b, double c)
{
	return reduce_precision(a, b, c, 11, 52);
}

float ew_reduce_precision_f32(float a, float b, float c)
{
	return (float)reduce_precision((double)a, (double)b, (double)c, 8, 23);
}

#define EW_WORDS_F32
#include "base/ew_words.h"
float ew_f32(enum ew f, float a, float b, float c)
{
	(void)c;
	switch (f) {
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc) \
	case EW_##id: return (float)(fx);
#include "base/ew.def"
	default: return 0;
	}
}

#define EW_WORDS_F64
#include "base/ew_words.h"
double ew_f64(enum ew f, double a, double b, double c)
{
	(void)c;
	switch (f) {
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc) \
	case EW_##id: return (double)(fx);
#include "base/ew.def"
	default: return 0;
	}
}

#define BITS bits
#define EW_WORDS_I64
#include "base/ew_words.h"
int64_t ew_i64(enum ew f, int64_t a, int64_t b, int64_t c, unsigned bits)
{
	(void)c;
	switch (f) {
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc) \
	case EW_##id: return (int64_t)(ix);
#include "base/ew.def"
	default: return 0;
	}
}

#define EW_WORDS_U64
#include "base/ew_words.h"
uint64_t ew_u64(enum ew f, uint64_t a, uint64_t b, uint64_t c, unsigned bits)
{
	(void)c;
	switch (f) {
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc) \
	case EW_##id: return (uint64_t)(ix);
#include "base/ew.def"
	default: return 0;
	}
}

static void float_element(enum ew f, adze_dtype dtype, void *y, const void *a, const void *b,
			  const void *c, size_t i)
{
	double x[3] = {0, 0, 0};
	const void *arg[3] = {a, b, c};
	for (int k = 0; k < row[f].n; k++)
		x[k] = dtype_load_float(dtype, arg[k], i);
	double v = dtype == ADZE_F64
			   ? ew_f64(f, x[0], x[1], x[2])
			   : (double)ew_f32(f, (float)x[0], (float)x[1], (float)x[2]);
	if (row[f].flags & EW_PRED)
		((uint8_t *)y)[i] = v != 0;
	else
		dtype_store_float(dtype, y, i, v);
}

adze_dtype ew_result(enum ew f, adze_dtype dtype)
{
	return row[f].flags & EW_PRED   ? ADZE_BOOL
	       : row[f].flags & EW_PART ? dtype_part(dtype)
					: dtype;
}

static void complex_element(enum ew f, adze_dtype dtype, void *y, const void *a, const void *b,
			    size_t i)
{
	double x[2], z[2] = {0, 0}, v[2] = {0, 0};
	dtype_load_complex(dtype, a, i, x);
	if (row[f].n > 1)
		dtype_load_complex(dtype, b, i, z);
	ew_complex(f, x, z, v);
	if (row[f].flags & EW_PRED)
		((uint8_t *)y)[i] = v[0] != 0;
	else if (row[f].flags & EW_PART)
		dtype_store_float(dtype_part(dtype), y, i, v[0]);
	else
		dtype_store_complex(dtype, y, i, v);
}

void ew_element(enum ew f, adze_dtype dtype, void *y, const void *a, const void *b,
		const void *c, size_t i)
{
	if (dtype_is_float(dtype)) {
		float_element(f, dtype, y, a, b, c, i);
		return;
	}
	if (dtype_is_complex(dtype)) {
		complex_element(f, dtype, y, a, b, i);
		return;
	}
	const struct dtype_info *info = dtype_info(dtype);
	int64_t x[3] = {0, 0, 0};
	const void *arg[3] = {a, b, c};
	for (int k = 0; k < row[f].n; k++)
		x[k] = dtype_load_int(dtype, arg[k], i);
	int64_t v;
	if (info->class == DTYPE_INT)
		v = ew_i64(f, x[0], x[1], x[2], (unsigned)info->bits);
	else
		v = (int64_t)ew_u64(f, (uint64_t)x[0], (uint64_t)x[1], (uint64_t)x[2],
				    (unsigned)info->bits);
	if (row[f].flags & EW_PRED)
		((uint8_t *)y)[i] = v != 0;
	else
		dtype_store_int(dtype, y, i, dtype == ADZE_BOOL ? v & 1 : v);
}

double ew_start_float(enum ew f, adze_dtype dtype)
{
	struct small_format t = dtype_info(dtype)->format;
	bool infinite = t.special == SMALL_IEEE;
	double most = HUGE_VAL, least = -HUGE_VAL;
	if (!infinite) { /* the largest and least of the codes that are no NaN */
		uint32_t ones = (1u << (t.ebits + t.mbits)) - 1;
		bool ones_is_nan = t.special == SMALL_FN || t.special == SMALL_SCALE;
		most = small_to_f64(ones - ones_is_nan, t);
		least = t.special == SMALL_SCALE ? small_to_f64(0, t) : -most;
	}
	switch (row[f].start) {
	case EW_ONE: return 1;
	case EW_LOWEST: return least;
	case EW_HIGHEST: return most;
	default: return 0;
	}
}

void ew_start_element(enum ew f, adze_dtype dtype, void *y)
{
	const struct dtype_info *info = dtype_info(dtype);
	memset(y, 0, dtype_bytes(dtype));
	if (info->class == DTYPE_FLOAT || info->class == DTYPE_COMPLEX) {
		dtype_store_float(dtype, y, 0,
				  info->class == DTYPE_FLOAT ? ew_start_float(f, dtype)
							     : row[f].start == EW_ONE);
		return;
	}
	int64_t top = (int64_t)(UINT64_MAX >> (64 - info->bits + (info->class == DTYPE_INT)));
	int64_t start = 0;
	switch (row[f].start) {
	case EW_ONE: start = 1; break;
	case EW_LOWEST: start = info->class == DTYPE_INT ? -top - 1 : 0; break;
	case EW_HIGHEST: start = top; break;
	case EW_ONES: start = dtype == ADZE_BOOL ? 1 : -1; break;
	default: break;
	}
	dtype_store_int(dtype, y, 0, start);
}
