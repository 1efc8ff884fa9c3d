/* SPDX-License-Identifier: Apache-2.0
 *
 * One element of every type, for kernels that are plain loops, and lists of the types, for
 * kernels that are made by macro. `f16_held` holds an element (dtype.def), `f16_wide` is
 * what formulas compute it in, and load_f16() and store_f16() go between the two.
 */
#ifndef ADZE_ELEM_H
#define ADZE_ELEM_H

#include "base/half.h"
#include "kernels/kernels.h"

#define DTYPE(name, id, bits, cls, format, ctype, cuda, st, gguf) \
	typedef ctype name##_held;                                \
	enum { name##_id = ADZE_##id, name##_bits = bits };
#include "base/dtype.def"

/* A macro of <stdbool.h> would take the place of the element type's name in the lists. */
#undef bool

/* Choosing rows of a table while it expands: words such as F or PRED are macros meanwhile,
 * and the wanted one is TAKEN. Its commas make YES the second argument of IF_TAKES_(), which
 * else is NO. Several of a kind, because a macro does not expand within itself. */
#define TAKEN , YES,
#define IF_YES(...) __VA_ARGS__
#define IF_NO(...)
#define IF_TAKES(...) IF_TAKES_(__VA_ARGS__, NO, )
#define IF_TAKES_(a, b, ...) IF_##b
#define IF_FLAG(...) IF_FLAG_(__VA_ARGS__, NO, )
#define IF_FLAG_(a, b, ...) IF_##b
#define UNLESS_FLAG(...) UNLESS_FLAG_(__VA_ARGS__, NO, )
#define UNLESS_FLAG_(a, b, ...) UNLESS_##b
#define UNLESS_YES(...)
#define UNLESS_NO(...) __VA_ARGS__
#define IF_GAIN(...) IF_GAIN_(__VA_ARGS__, NO, )
#define IF_GAIN_(a, b, ...) GAIN_##b
#define GAIN_YES(...)
#define GAIN_NO(...) __VA_ARGS__
#define KEEP_ALL(...) GAIN_NO

#define FOR_NONE(DO, ...)
#define FOR_BOOL(DO, ...) DO(bool, __VA_ARGS__)
#define FOR_SIGNED(DO, ...) \
	DO(i8, __VA_ARGS__) DO(i16, __VA_ARGS__) DO(i32, __VA_ARGS__) DO(i64, __VA_ARGS__)
#define FOR_UNSIGNED(DO, ...) \
	DO(u8, __VA_ARGS__) DO(u16, __VA_ARGS__) DO(u32, __VA_ARGS__) DO(u64, __VA_ARGS__)
#define FOR_INTS(DO, ...) FOR_SIGNED(DO, __VA_ARGS__) FOR_UNSIGNED(DO, __VA_ARGS__)
#define FOR_F8(DO, ...) DO(f8e4m3fn, __VA_ARGS__) DO(f8e5m2, __VA_ARGS__)
#define FOR_HALVES(DO, ...) DO(f16, __VA_ARGS__) DO(bf16, __VA_ARGS__)
#define FOR_VECTOR_FLOATS(DO, ...) FOR_HALVES(DO, __VA_ARGS__) DO(f32, __VA_ARGS__)
#define FOR_NARROW(DO, ...) FOR_F8(DO, __VA_ARGS__) FOR_VECTOR_FLOATS(DO, __VA_ARGS__)
#define FOR_ROW_FLOATS(DO, ...) \
	FOR_VECTOR_FLOATS(DO, __VA_ARGS__) DO(f64, __VA_ARGS__)
#define FOR_FLOATS(DO, ...) FOR_F8(DO, __VA_ARGS__) FOR_ROW_FLOATS(DO, __VA_ARGS__)
#define FOR_ALL(DO, ...) \
	FOR_BOOL(DO, __VA_ARGS__) FOR_INTS(DO, __VA_ARGS__) FOR_FLOATS(DO, __VA_ARGS__)

/* The same list again, for a list inside a list. */
#define FOR_TO(DO, ...)                                                                  \
	DO(bool, __VA_ARGS__) DO(i8, __VA_ARGS__) DO(i16, __VA_ARGS__) DO(i32, __VA_ARGS__) \
	DO(i64, __VA_ARGS__) DO(u8, __VA_ARGS__) DO(u16, __VA_ARGS__) DO(u32, __VA_ARGS__) \
	DO(u64, __VA_ARGS__) DO(f8e4m3fn, __VA_ARGS__) DO(f8e5m2, __VA_ARGS__)             \
	DO(f16, __VA_ARGS__) DO(bf16, __VA_ARGS__) DO(f32, __VA_ARGS__) DO(f64, __VA_ARGS__)

/* Types that loops are compiled for with each instruction set. */
#define FOR_LOOP_INTS(DO, ...) DO(i32, __VA_ARGS__) DO(i64, __VA_ARGS__)
#define FOR_LOOP_FLOATS(DO, ...) DO(f64, __VA_ARGS__)

/* Conversions likewise: DO(from, to). The vector ones are those between f32, f16, bf16. */
#define FOR_LOOP_CONVERSIONS(DO)                                                          \
	DO(bool, f32) DO(i8, f32) DO(u8, f32) DO(i32, f32) DO(i64, f32) DO(f64, f32)       \
	DO(f32, f64) DO(i32, f64) DO(i64, f64) DO(f32, bool) DO(f32, i32) DO(f32, i64)     \
	DO(i32, i64) DO(i64, i32) DO(bool, i32)
#define FOR_VECTOR_CONVERSIONS(DO) \
	DO(f16, f32) DO(bf16, f32) DO(f32, f16) DO(f32, bf16) DO(f16, bf16) DO(bf16, f16)

/* Rows that an instruction set does not have, because they were measured to be no faster than
 * the scalar ones: what calls the C library lane by lane, or the compiler does not vectorise. */
#define NO_GAIN_f64_rem TAKEN
#define NO_GAIN_f64_pow TAKEN
#define NO_GAIN_f64_max TAKEN
#define NO_GAIN_f64_min TAKEN
#define NO_GAIN_f64_atan2 TAKEN
#define NO_GAIN_f64_exp TAKEN
#define NO_GAIN_f64_expm1 TAKEN
#define NO_GAIN_f64_log TAKEN
#define NO_GAIN_f64_log1p TAKEN
#define NO_GAIN_f64_cbrt TAKEN
#define NO_GAIN_f64_sin TAKEN
#define NO_GAIN_f64_cos TAKEN
#define NO_GAIN_f64_tan TAKEN
#define NO_GAIN_f64_tanh TAKEN
#define NO_GAIN_f64_erf TAKEN
#define NO_GAIN_f64_logistic TAKEN
#define NO_GAIN_f64_silu TAKEN
#define NO_GAIN_f64_gelu TAKEN
#define NO_GAIN_f64_gelu_tanh TAKEN
#define NO_GAIN_i32_div TAKEN
#define NO_GAIN_i32_rem TAKEN
#define NO_GAIN_i32_pow TAKEN
#define NO_GAIN_i32_clz TAKEN
#define NO_GAIN_i64_div TAKEN
#define NO_GAIN_i64_rem TAKEN
#define NO_GAIN_i64_pow TAKEN
#define NO_GAIN_i64_clz TAKEN
#define NO_GAIN_f32_rem TAKEN
#define NO_GAIN_f32_pow TAKEN
#define NO_GAIN_f32_atan2 TAKEN
#define NO_GAIN_f32_cbrt TAKEN
#define NO_GAIN_bf16_atan2 TAKEN

/* Types that kernels compute in as another type, or not at all: any_convert() alone knows
 * them. */
#define FOR_RARE(DO, ...)                                                                   \
	DO(i2, __VA_ARGS__) DO(i4, __VA_ARGS__) DO(u2, __VA_ARGS__) DO(u4, __VA_ARGS__)     \
	DO(f4e2m1, __VA_ARGS__) DO(f8e3m4, __VA_ARGS__) DO(f8e4m3, __VA_ARGS__)             \
	DO(f8e4m3fnuz, __VA_ARGS__) DO(f8e4m3b11fnuz, __VA_ARGS__)                          \
	DO(f8e5m2fnuz, __VA_ARGS__) DO(f8e8m0fnu, __VA_ARGS__) DO(c64, __VA_ARGS__)         \
	DO(c128, __VA_ARGS__)

#define ELEM_COUNT(type, ...) +1
_Static_assert(0 FOR_ALL(ELEM_COUNT, ) FOR_RARE(ELEM_COUNT, ) == ADZE_DTYPE_COUNT,
	       "the lists name every type once");

#define ELEM_INT(type, W)                                                          \
	typedef W type##_wide;                                                     \
	static inline W load_##type(const void *p, size_t i)                       \
	{                                                                          \
		return (W)((const type##_held *)p)[i];                             \
	}                                                                          \
	static inline void store_##type(void *p, size_t i, W v)                    \
	{                                                                          \
		((type##_held *)p)[i] = (type##_held)v;                            \
	}

FOR_SIGNED(ELEM_INT, int64_t)
FOR_UNSIGNED(ELEM_INT, uint64_t)

typedef uint64_t bool_wide;
typedef float f8e4m3fn_wide, f8e5m2_wide, f16_wide, bf16_wide, f32_wide;
typedef double f64_wide;

static inline uint64_t load_bool(const void *p, size_t i)
{
	return ((const uint8_t *)p)[i] != 0;
}

static inline void store_bool(void *p, size_t i, uint64_t v)
{
	((uint8_t *)p)[i] = (uint8_t)(v & 1);
}

static inline float load_f8e4m3fn(const void *p, size_t i)
{
	return (float)small_to_f64(((const uint8_t *)p)[i], SMALL_FORMAT(4, 3, 7, FN));
}

static inline void store_f8e4m3fn(void *p, size_t i, float v)
{
	((uint8_t *)p)[i] = (uint8_t)f64_to_small((double)v, SMALL_FORMAT(4, 3, 7, FN));
}

static inline float load_f8e5m2(const void *p, size_t i)
{
	return (float)small_to_f64(((const uint8_t *)p)[i], SMALL_FORMAT(5, 2, 15, IEEE));
}

static inline void store_f8e5m2(void *p, size_t i, float v)
{
	((uint8_t *)p)[i] = (uint8_t)f64_to_small((double)v, SMALL_FORMAT(5, 2, 15, IEEE));
}

static inline float load_f16(const void *p, size_t i)
{
	return f16_to_f32(((const uint16_t *)p)[i]);
}

static inline void store_f16(void *p, size_t i, float v)
{
	((uint16_t *)p)[i] = f32_to_f16(v);
}

static inline float load_bf16(const void *p, size_t i)
{
	return bf16_to_f32(((const uint16_t *)p)[i]);
}

static inline void store_bf16(void *p, size_t i, float v)
{
	((uint16_t *)p)[i] = f32_to_bf16(v);
}

static inline float load_f32(const void *p, size_t i)
{
	return ((const float *)p)[i];
}

static inline void store_f32(void *p, size_t i, float v)
{
	((float *)p)[i] = v;
}

static inline double load_f64(const void *p, size_t i)
{
	return ((const double *)p)[i];
}

static inline void store_f64(void *p, size_t i, double v)
{
	((double *)p)[i] = v;
}

#endif
