/* SPDX-License-Identifier: Apache-2.0
 *
 * One element of every function of ew.def as a small function for each type that formulas
 * are computed in: one_add_f32(), one_add_f64(), one_add_i64(), one_add_u64(), and by
 * element type: ONE_bf16(add, a, b, c). The file that includes this is compiled without
 * contraction of a * b + c, so that results are the same everywhere.
 */
#ifndef ADZE_EW_ONE_H
#define ADZE_EW_ONE_H

#include "kernels/elem.h"

#define EW_WORDS_F32
#include "base/ew_words.h"
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc)               \
	static inline float one_##name##_f32(float a, float b, float c)    \
	{                                                                  \
		(void)a, (void)b, (void)c;                                 \
		return (float)(fx);                                        \
	}
#include "base/ew.def"

#define EW_WORDS_F64
#include "base/ew_words.h"
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc)               \
	static inline double one_##name##_f64(double a, double b, double c) \
	{                                                                  \
		(void)a, (void)b, (void)c;                                 \
		return (double)(fx);                                       \
	}
#include "base/ew.def"

#define BITS bits
#define EW_WORDS_I64
#include "base/ew_words.h"
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc)                              \
	static inline int64_t one_##name##_i64(int64_t a, int64_t b, int64_t c, unsigned bits) \
	{                                                                                 \
		(void)a, (void)b, (void)c, (void)bits;                                    \
		return (int64_t)(ix);                                                     \
	}
#include "base/ew.def"

#define EW_WORDS_U64
#include "base/ew_words.h"
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc)                        \
	static inline uint64_t one_##name##_u64(uint64_t a, uint64_t b, uint64_t c, \
						unsigned bits)                      \
	{                                                                           \
		(void)a, (void)b, (void)c, (void)bits;                              \
		return (uint64_t)(ix);                                              \
	}
#include "base/ew.def"

#undef BITS
#undef T
#undef F
#undef K
#undef W
#undef U

#define ONE_f8e4m3fn(name, a, b, c) one_##name##_f32(a, b, c)
#define ONE_f8e5m2(name, a, b, c) one_##name##_f32(a, b, c)
#define ONE_f16(name, a, b, c) one_##name##_f32(a, b, c)
#define ONE_bf16(name, a, b, c) one_##name##_f32(a, b, c)
#define ONE_f32(name, a, b, c) one_##name##_f32(a, b, c)
#define ONE_f64(name, a, b, c) one_##name##_f64(a, b, c)
#define ONE_i8(name, a, b, c) one_##name##_i64(a, b, c, 8)
#define ONE_i16(name, a, b, c) one_##name##_i64(a, b, c, 16)
#define ONE_i32(name, a, b, c) one_##name##_i64(a, b, c, 32)
#define ONE_i64(name, a, b, c) one_##name##_i64(a, b, c, 64)
#define ONE_u8(name, a, b, c) one_##name##_u64(a, b, c, 8)
#define ONE_u16(name, a, b, c) one_##name##_u64(a, b, c, 16)
#define ONE_u32(name, a, b, c) one_##name##_u64(a, b, c, 32)
#define ONE_u64(name, a, b, c) one_##name##_u64(a, b, c, 64)
#define ONE_bool(name, a, b, c) one_##name##_u64(a, b, c, 8)

#endif
