/* SPDX-License-Identifier: Apache-2.0
 *
 * Element-wise functions: what ew.def says about each, one element of each, and the
 * helpers that its formulas call.
 */
#ifndef ADZE_EW_H
#define ADZE_EW_H

#include <string.h>

#include "base/dtype.h"

enum ew {
#define EW(name, id, n, takes, flags, start, f, i, v, doc) EW_##id,
#include "base/ew.def"
	EW_COUNT
};

enum ew_flag { EW_COMM = 1, EW_ASSOC = 2, EW_PRED = 4, EW_IDEM = 8, EW_PART = 16 };
enum ew_start { EW_NONE, EW_ZERO, EW_ONE, EW_LOWEST, EW_HIGHEST, EW_ONES };

struct ew_info {
	const char *name;
	int n;          /* operands */
	int takes;      /* enum dtype_class bits */
	int flags;      /* enum ew_flag bits */
	enum ew_start start;
	const char *float_text;   /* the formulas, for generated code */
	const char *integer_text;
	const char *doc;
};

const struct ew_info *ew_info(enum ew f);
/** EW_COUNT where there is none. */
enum ew ew_find(const char *name, size_t len);

/** One element, in the type that the formula is computed in. */
float ew_f32(enum ew f, float a, float b, float c);
double ew_f64(enum ew f, double a, double b, double c);
int64_t ew_i64(enum ew f, int64_t a, int64_t b, int64_t c, unsigned bits);
uint64_t ew_u64(enum ew f, uint64_t a, uint64_t b, uint64_t c, unsigned bits);

/** Of complex numbers, as real and imaginary part; false where ew_complex.def has no row. */
bool ew_complex(enum ew f, const double a[2], const double b[2], double y[2]);

/** The type of f's result on operands of a type that it takes. */
adze_dtype ew_result(enum ew f, adze_dtype dtype);

/**
 * y[i] = f(a[i], b[i], c[i]) where every operand is of `dtype` and y is of ew_result(), as the
 * table defines it; unused operands may be NULL.
 */
void ew_element(enum ew f, adze_dtype dtype, void *y, const void *a, const void *b,
		const void *c, size_t i);

/** The element that a reduction by `f` begins with, into the one element at `y`. */
void ew_start_element(enum ew f, adze_dtype dtype, void *y);
/** The number that it stands for in a float type, which need not be able to hold it. */
double ew_start_float(enum ew f, adze_dtype dtype);

static inline float ew_hi_f32(float a, float b) { return __builtin_signbit(a) ? b : a; }
static inline float ew_lo_f32(float a, float b) { return __builtin_signbit(a) ? a : b; }
static inline double ew_hi_f64(double a, double b) { return __builtin_signbit(a) ? b : a; }
static inline double ew_lo_f64(double a, double b) { return __builtin_signbit(a) ? a : b; }

static inline float ew_clamp_f32(float a, float b, float c)
{
	if (a != a || b != b || c != c)
		return a + b + c;
	float m = b > a ? b : b < a ? a : ew_hi_f32(a, b);
	return m < c ? m : m > c ? c : ew_lo_f32(m, c);
}

static inline double ew_clamp_f64(double a, double b, double c)
{
	if (a != a || b != b || c != c)
		return a + b + c;
	double m = b > a ? b : b < a ? a : ew_hi_f64(a, b);
	return m < c ? m : m > c ? c : ew_lo_f64(m, c);
}

/* Integers in the total order of the floats; all NaNs of a sign are one. */
static inline int64_t ew_key_f32(float a)
{
	int32_t u;
	memcpy(&u, &a, sizeof u);
	u |= a != a ? INT32_MAX : 0;
	return u < 0 ? u ^ INT32_MAX : u;
}

static inline int64_t ew_key_f64(double a)
{
	int64_t u;
	memcpy(&u, &a, sizeof u);
	u |= a != a ? INT64_MAX : 0;
	return u < 0 ? u ^ INT64_MAX : u;
}

double ew_erf_inv_f64(double a);
float ew_erf_inv_f32(float a);
double ew_reduce_precision_f64(double a, double b, double c);
float ew_reduce_precision_f32(float a, float b, float c);

static inline uint64_t ew_low(uint64_t a, unsigned bits)
{
	return a & (UINT64_MAX >> (64 - bits));
}

static inline uint64_t ew_popcnt(uint64_t a)
{
	return (uint64_t)__builtin_popcountll(a);
}

static inline uint64_t ew_clz(uint64_t a, unsigned bits)
{
	return a == 0 ? bits : (uint64_t)__builtin_clzll(a) - (64 - bits);
}

static inline int64_t ew_idiv_i64(int64_t a, int64_t b)
{
	return b == 0 ? -1 : b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

static inline uint64_t ew_idiv_u64(uint64_t a, uint64_t b)
{
	return b == 0 ? UINT64_MAX : a / b;
}

static inline int64_t ew_irem_i64(int64_t a, int64_t b)
{
	return b == 0 ? a : b == -1 ? 0 : a % b;
}

static inline uint64_t ew_irem_u64(uint64_t a, uint64_t b)
{
	return b == 0 ? a : a % b;
}

static inline uint64_t ew_ipow_u64(uint64_t a, uint64_t b)
{
	uint64_t y = 1;
	for (; b != 0; b >>= 1, a *= a)
		if (b & 1)
			y *= a;
	return y;
}

/* A negative exponent gives the integer part of the quotient: 0, or +-1 for a of +-1. */
static inline int64_t ew_ipow_i64(int64_t a, int64_t b)
{
	if (b < 0)
		return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : a == 0 ? -1 : 0;
	return (int64_t)ew_ipow_u64((uint64_t)a, (uint64_t)b);
}

static inline int64_t ew_shr_i64(int64_t a, int64_t b, unsigned bits)
{
	return a >> ((uint64_t)b >= bits ? 63 : b);
}

/* Unsigned types have a sign bit for this purpose too: the shift is defined on bits. */
static inline uint64_t ew_shr_u64(uint64_t a, uint64_t b, unsigned bits)
{
	int64_t s = (int64_t)(a << (64 - bits));
	return (uint64_t)(s >> (64 - bits) >> (b >= bits ? 63 : b));
}

static inline int64_t ew_isign_i64(int64_t a)
{
	return (a > 0) - (a < 0);
}

static inline uint64_t ew_isign_u64(uint64_t a)
{
	return a != 0;
}

static inline int64_t ew_iabs_i64(int64_t a)
{
	return a < 0 ? (int64_t)(0 - (uint64_t)a) : a;
}

static inline uint64_t ew_iabs_u64(uint64_t a)
{
	return a;
}

#endif
