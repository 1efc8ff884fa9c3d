/* SPDX-License-Identifier: Apache-2.0
 *
 * One complex element of every function of ew_complex.def: ewc_one_add(a, b), and so on; and the
 * helpers that its formulas call.
 */
#ifndef ADZE_EW_COMPLEX_H
#define ADZE_EW_COMPLEX_H

#include <complex.h>
#include <math.h>
#include <string.h>

#include "base/ew.h"

/* Other files use the letter for integers. */
#undef I

static inline double _Complex ewc_make(double re, double im)
{
	/* Not CMPLX(), which not every compiler has; a complex number lies as its two parts. */
	const double part[2] = {re, im};
	double _Complex v;
	memcpy(&v, part, sizeof v);
	return v;
}

/* x^0 is 1 and 0^y is 0, which logarithms would make NaN. */
static inline double _Complex ewc_pow(double _Complex a, double _Complex b)
{
	if (b == 0)
		return 1;
	if (a == 0 && creal(b) > 0)
		return 0;
	return cpow(a, b);
}

/* -i log((b + i a) / sqrt(a^2 + b^2)) */
static inline double _Complex ewc_atan2(double _Complex a, double _Complex b)
{
	double _Complex i = ewc_make(0, 1);
	return -i * clog((b + i * a) / csqrt(a * a + b * b));
}

/* e^x cos y - 1 is expm1(x) cos y - 2 sin^2(y / 2), which cancels nothing. */
static inline double _Complex ewc_expm1(double _Complex a)
{
	double x = creal(a), y = cimag(a), s = sin(y / 2);
	if (y == 0)
		return ewc_make(expm1(x), y);
	return ewc_make(expm1(x) * cos(y) - 2 * s * s, exp(x) * sin(y));
}

/* |1 + a|^2 is 1 + (x (2 + x) + y^2); where that may overflow, 1 is nothing. */
static inline double _Complex ewc_log1p(double _Complex a)
{
	double x = creal(a), y = cimag(a);
	if (!(cabs(a) < 0.5))
		return clog(ewc_make(1 + x, y));
	return ewc_make(0.5 * log1p(x * (2 + x) + y * y), atan2(y, 1 + x));
}

/* The principal root. */
static inline double _Complex ewc_cbrt(double _Complex a)
{
	double r = cbrt(cabs(a)), t = carg(a) / 3;
	if (a == 0)
		return a;
	return ewc_make(r * cos(t), r * sin(t));
}

#define EWC(name, id, formula)                                                        \
	static inline double _Complex ewc_one_##name(double _Complex a, double _Complex b) \
	{                                                                             \
		(void)b;                                                              \
		return formula;                                                       \
	}
#include "base/ew_complex.def"

#endif
