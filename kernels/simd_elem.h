/* SPDX-License-Identifier: Apache-2.0
 *
 * Loads of elements whose type a constant argument says, as f32, over the vector vocabulary.
 * The includer has included a simd_*.h.
 */
#ifndef ADZE_SIMD_ELEM_H
#define ADZE_SIMD_ELEM_H

#include <string.h>

#include "base/half.h"

#define FOR_ELEMS(DO) DO(f32) DO(f16) DO(bf16) DO(f8e4m3fn) DO(f8e5m2) DO(i8)
#define ELEM_NAME(type) ELEM_##type,
enum elem { FOR_ELEMS(ELEM_NAME) };

#define ALWAYS static inline __attribute__((always_inline))

ALWAYS size_t elem_size(enum elem type)
{
	return type == ELEM_f32 ? 4 : type == ELEM_f16 || type == ELEM_bf16 ? 2 : 1;
}

ALWAYS vf elem_load(enum elem type, const char *p)
{
	switch (type) {
	case ELEM_f16: return v_load_f16((const uint16_t *)p);
	case ELEM_bf16: return v_load_bf16((const uint16_t *)p);
	case ELEM_f8e4m3fn: return v_load_f8e4m3fn((const uint8_t *)p);
	case ELEM_f8e5m2: return v_load_f8e5m2((const uint8_t *)p);
	case ELEM_i8: return v_load_i8((const uint8_t *)p);
	default: return v_load((const float *)p);
	}
}

ALWAYS vf elem_load_part(enum elem type, const char *p, size_t n)
{
	uint8_t part[VL] = {0};
	if (elem_size(type) == 1) {
		memcpy(part, p, n);
		return elem_load(type, (const char *)part);
	}
	return type == ELEM_f32	  ? v_load_part((const float *)p, n)
	       : type == ELEM_f16 ? v_load_f16_part((const uint16_t *)p, n)
				  : v_load_bf16_part((const uint16_t *)p, n);
}

ALWAYS float elem_get(enum elem type, const char *p)
{
	switch (type) {
	case ELEM_f16: return f16_to_f32(*(const uint16_t *)p);
	case ELEM_bf16: return bf16_to_f32(*(const uint16_t *)p);
	case ELEM_f8e4m3fn: return (float)small_to_f64(*(const uint8_t *)p,
						       SMALL_FORMAT(4, 3, 7, FN));
	case ELEM_f8e5m2: return (float)small_to_f64(*(const uint8_t *)p,
						     SMALL_FORMAT(5, 2, 15, IEEE));
	case ELEM_i8: return *(const int8_t *)p;
	default: return *(const float *)p;
	}
}

/* Lane i: v_sum(r[i]), to the bit. */
ALWAYS vf v_sums(vf *r)
{
	v_transpose(r);
#pragma GCC unroll 4
	for (int half = VL / 2; half > 0; half /= 2)
#pragma GCC unroll 8
		for (int i = 0; i < half; i++)
			r[i] = v_add(r[i], r[i + half]);
	return r[0];
}

/* The same of integers, which lie in r as bits. */
ALWAYS vi vi_sums(vf *r)
{
	v_transpose(r);
#pragma GCC unroll 4
	for (int half = VL / 2; half > 0; half /= 2)
#pragma GCC unroll 8
		for (int i = 0; i < half; i++)
			r[i] = v_of_bits(vi_add(v_bits(r[i]), v_bits(r[i + half])));
	return v_bits(r[0]);
}

#endif
