/* SPDX-License-Identifier: Apache-2.0
 *
 * Complex numbers in double, for kernels that compute with them. As pairs, because the C type's
 * product and quotient look for infinities, and take many times as long.
 */
#ifndef ADZE_PLAIN_COMPLEX_H
#define ADZE_PLAIN_COMPLEX_H

#include "kernels/plain.h"

struct complex {
	double re, im;
};

static inline struct complex complex_add(struct complex a, struct complex b)
{
	return (struct complex){a.re + b.re, a.im + b.im};
}

static inline struct complex complex_sub(struct complex a, struct complex b)
{
	return (struct complex){a.re - b.re, a.im - b.im};
}

static inline struct complex complex_mul(struct complex a, struct complex b)
{
	return (struct complex){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/** Divides by the larger part first (Smith, CACM 5, 1962). */
static inline struct complex complex_div(struct complex a, struct complex b)
{
	double ratio, by;
	if ((b.re < 0 ? -b.re : b.re) >= (b.im < 0 ? -b.im : b.im)) {
		ratio = b.im / b.re;
		by = b.re + b.im * ratio;
		return (struct complex){(a.re + a.im * ratio) / by, (a.im - a.re * ratio) / by};
	}
	ratio = b.re / b.im;
	by = b.re * ratio + b.im;
	return (struct complex){(a.re * ratio + a.im) / by, (a.im * ratio - a.re) / by};
}

static inline struct complex complex_conj(struct complex a)
{
	return (struct complex){a.re, -a.im};
}

/** As plain_load_floats() and plain_store_floats(), of floats with 0 as their imaginary part. */
void plain_load_complex(struct complex *to, const struct plain_array *x, int64_t from,
			int64_t step, int64_t n);
void plain_store_complex(const struct plain_array *y, int64_t to, int64_t step,
			 const struct complex *from, int64_t n);

#endif
