/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels over one row, by their formulas: reductions, softmax, normalisations, arg. The
 * reference that all others are compared with.
 */
#include <math.h>

#include "kernels/ew_one.h"
#include "kernels/impls.h"

/* Sums run in eight parts by index, which errs less than one long sum. */
#define SUM_PARTS 8

static float total_f32(const float part[SUM_PARTS])
{
	return ((part[0] + part[1]) + (part[2] + part[3])) +
	       ((part[4] + part[5]) + (part[6] + part[7]));
}

static double total_f64(const double part[SUM_PARTS])
{
	return ((part[0] + part[1]) + (part[2] + part[3])) +
	       ((part[4] + part[5]) + (part[6] + part[7]));
}

/* Reductions, in the type that formulas are computed in; the result is rounded once. */
#define REDUCE_STEP(type, held, name)                                                     \
	void reduce_step_##name##_##type##_scalar(void *acc, const void *x, size_t n)     \
	{                                                                                 \
		for (size_t i = 0; i < n; i++)                                            \
			store_##held(acc, i,                                              \
				     ONE_##type(name, load_##held(acc, i), load_##type(x, i), 0)); \
	}
#define REDUCE(type, name, id)                                                            \
	void reduce_##name##_##type##_scalar(void *y, const void *x, size_t n)            \
	{                                                                                 \
		ew_start_element(EW_##id, (adze_dtype)type##_id, y);                      \
		type##_wide v = load_##type(y, 0);                                        \
		for (size_t i = 0; i < n; i++)                                            \
			v = ONE_##type(name, v, load_##type(x, i), 0);                    \
		store_##type(y, 0, v);                                                    \
	}
#define REDUCE_SUM(type, wide)                                                 \
	void reduce_add_##type##_scalar(void *y, const void *x, size_t n)      \
	{                                                                      \
		type##_wide part[SUM_PARTS] = {0};                             \
		for (size_t i = 0; i < n; i++)                                 \
			part[i % SUM_PARTS] += load_##type(x, i);              \
		store_##type(y, 0, total_##wide(part));                        \
	}

#define ASSOC TAKEN
#define COMM
#define IDEM
#define EW_DO(type, name, id, n, start, ...) \
	IF_FLAG(__VA_ARGS__)(REDUCE_STEP(type, type, name) REDUCE(type, name, id))
#define EW_FLOATS FOR_NONE
#include "kernels/ew_types.h"

#define IS_SUM_ADD TAKEN
#define EW_DO(type, name, id, n, start, ...)                              \
	IF_FLAG(__VA_ARGS__)(UNLESS_FLAG(IS_SUM_##id)(REDUCE(type, name, id)))
#define EW_BOOLS FOR_NONE
#define EW_INTS FOR_NONE
#include "kernels/ew_types.h"
#define SUM_F32(type, ...) REDUCE_SUM(type, f32)
FOR_NARROW(SUM_F32, )
REDUCE_SUM(f64, f64)

#define EW_DO(type, name, id, n, start, ...) IF_FLAG(__VA_ARGS__)(REDUCE_STEP(type, f32, name))
#define EW_BOOLS FOR_NONE
#define EW_INTS FOR_NONE
#define EW_FLOATS FOR_NARROW
#include "kernels/ew_types.h"
#define EW_DO(type, name, id, n, start, ...) IF_FLAG(__VA_ARGS__)(REDUCE_STEP(type, f64, name))
#define EW_BOOLS FOR_NONE
#define EW_INTS FOR_NONE
#define EW_FLOATS FOR_LOOP_FLOATS
#include "kernels/ew_types.h"

/* A narrow result is not read back: exp() is computed twice, and rounded once. */
#define SOFTMAX(type, T, wide, EXP, LEAST)                                       \
	void softmax_##type##_scalar(void *y, const void *x, size_t n)           \
	{                                                                        \
		T top = -LEAST, part[SUM_PARTS] = {0};                           \
		for (size_t i = 0; i < n; i++)                                   \
			top = load_##type(x, i) > top ? load_##type(x, i) : top; \
		for (size_t i = 0; i < n; i++)                                   \
			part[i % SUM_PARTS] += EXP(load_##type(x, i) - top);     \
		T sum = total_##wide(part);                                      \
		for (size_t i = 0; i < n; i++)                                   \
			store_##type(y, i, EXP(load_##type(x, i) - top) / sum);  \
	}

#define LAYER_NORM(type, T, wide, SQRT)                                                   \
	void layer_norm_##type##_scalar(void *y, const void *x, const void *scale,        \
					const void *bias, size_t n, double eps)           \
	{                                                                                 \
		T part[SUM_PARTS] = {0}, square[SUM_PARTS] = {0};                         \
		for (size_t i = 0; i < n; i++)                                            \
			part[i % SUM_PARTS] += load_##type(x, i);                         \
		T mean = total_##wide(part) / (T)n;                                       \
		for (size_t i = 0; i < n; i++) {                                          \
			T d = load_##type(x, i) - mean;                                   \
			square[i % SUM_PARTS] += d * d;                                   \
		}                                                                         \
		T by = 1 / SQRT(total_##wide(square) / (T)n + (T)eps);                    \
		for (size_t i = 0; i < n; i++) {                                          \
			T v = (load_##type(x, i) - mean) * by;                            \
			v = scale != NULL ? v * load_##type(scale, i) : v;                \
			v = bias != NULL ? v + load_##type(bias, i) : v;                  \
			store_##type(y, i, v);                                            \
		}                                                                         \
	}

#define RMS_NORM(type, T, wide, SQRT)                                                         \
	void rms_norm_##type##_scalar(void *y, const void *x, const void *scale, size_t n,    \
				      double eps)                                             \
	{                                                                                     \
		T square[SUM_PARTS] = {0};                                                    \
		for (size_t i = 0; i < n; i++)                                                \
			square[i % SUM_PARTS] += load_##type(x, i) * load_##type(x, i);       \
		T by = 1 / SQRT(total_##wide(square) / (T)n + (T)eps);                        \
		for (size_t i = 0; i < n; i++) {                                              \
			T v = load_##type(x, i) * by;                                         \
			store_##type(y, i, scale != NULL ? v * load_##type(scale, i) : v);    \
		}                                                                             \
	}

#define NORMS_F32(type, ...)                         \
	SOFTMAX(type, float, f32, expf, HUGE_VALF)   \
	LAYER_NORM(type, float, f32, sqrtf)          \
	RMS_NORM(type, float, f32, sqrtf)
FOR_VECTOR_FLOATS(NORMS_F32, )
SOFTMAX(f64, double, f64, exp, HUGE_VAL)
LAYER_NORM(f64, double, f64, sqrt)
RMS_NORM(f64, double, f64, sqrt)

#define ARG_BY(name, type, BETTER)                                   \
	int64_t name##_##type##_scalar(const void *x, size_t n)      \
	{                                                            \
		size_t at = 0;                                       \
		type##_wide best = load_##type(x, 0);                \
		for (size_t i = 1; i < n && best == best; i++) {     \
			type##_wide v = load_##type(x, i);           \
			if (v BETTER best || v != v) {               \
				at = i;                              \
				best = v;                            \
			}                                            \
		}                                                    \
		return (int64_t)at;                                  \
	}
#define ARG(type, ...) ARG_BY(argmax, type, >) ARG_BY(argmin, type, <)
FOR_INTS(ARG, )
FOR_ROW_FLOATS(ARG, )
