/* SPDX-License-Identifier: Apache-2.0
 *
 * Complex numbers: a loop for each function of ew_complex.def and each type, and reductions.
 */
#include "kernels/any.h"

#include "base/ew_complex.h"

static inline double _Complex load_c64(const void *x, size_t i)
{
	const float *p = (const float *)x + 2 * i;
	return ewc_make((double)p[0], (double)p[1]);
}

static inline void store_c64(void *y, size_t i, double _Complex v)
{
	float *p = (float *)y + 2 * i;
	p[0] = (float)creal(v);
	p[1] = (float)cimag(v);
}

static inline double _Complex load_c128(const void *x, size_t i)
{
	const double *p = (const double *)x + 2 * i;
	return ewc_make(p[0], p[1]);
}

static inline void store_c128(void *y, size_t i, double _Complex v)
{
	double *p = (double *)y + 2 * i;
	p[0] = creal(v);
	p[1] = cimag(v);
}

/* What is stored: a whole number, its real part, or whether it is not 0. */
enum give { GIVE_WHOLE, GIVE_PART, GIVE_TRUTH };

static enum give gives(enum ew f)
{
	int flags = ew_info(f)->flags;
	return flags & EW_PRED ? GIVE_TRUTH : flags & EW_PART ? GIVE_PART : GIVE_WHOLE;
}

/* `b` is `a` where the function has no second operand. */
#define COMPLEX_LOOP(type, part_type, name)                                                \
	for (size_t i = 0; i < n; i++) {                                                   \
		double _Complex v = ewc_one_##name(load_##type(a, i), load_##type(b, i));  \
		if (give == GIVE_WHOLE)                                                    \
			store_##type(y, i, v);                                             \
		else if (give == GIVE_PART)                                                \
			((part_type *)y)[i] = (part_type)creal(v);                         \
		else                                                                       \
			((uint8_t *)y)[i] = creal(v) != 0;                                 \
	}

static void loop_c64(enum ew f, void *y, const void *a, const void *b, size_t n)
{
	enum give give = gives(f);
	switch (f) {
#define EWC(name, id, formula) \
	case EW_##id: COMPLEX_LOOP(c64, float, name) break;
#include "base/ew_complex.def"
	default: break;
	}
}

static void loop_c128(enum ew f, void *y, const void *a, const void *b, size_t n)
{
	enum give give = gives(f);
	switch (f) {
#define EWC(name, id, formula) \
	case EW_##id: COMPLEX_LOOP(c128, double, name) break;
#include "base/ew_complex.def"
	default: break;
	}
}

void any_ew_complex(enum ew f, adze_dtype dtype, void *y, const void *a, const void *b, size_t n)
{
	(dtype == ADZE_C64 ? loop_c64 : loop_c128)(f, y, a, b != NULL ? b : a, n);
}

void any_complex(adze_dtype part, void *y, const void *re, const void *im, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (part == ADZE_F32)
			store_c64(y, i, ewc_make((double)((const float *)re)[i],
						 (double)((const float *)im)[i]));
		else
			store_c128(y, i, ewc_make(((const double *)re)[i],
						  ((const double *)im)[i]));
}

void any_reduce_complex(enum ew f, adze_dtype dtype, void *acc, const void *x, size_t n,
			bool columns)
{
	double total[2], one[2];
	dtype_load_complex(dtype, acc, 0, total);
	for (size_t i = 0; i < n; i++) {
		if (columns)
			dtype_load_complex(dtype, acc, i, total);
		dtype_load_complex(dtype, x, i, one);
		ew_complex(f, total, one, total);
		if (columns)
			dtype_store_complex(dtype, acc, i, total);
	}
	if (!columns)
		dtype_store_complex(dtype, acc, 0, total);
}
