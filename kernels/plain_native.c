/* SPDX-License-Identifier: Apache-2.0
 *
 * Updates joined by one function of ew.def, a loop for each and for each element type.
 */
#include "kernels/plain_body.h"

#include "kernels/ew_one.h" /* last: it forgets the word bool */

/* Of one associative function, element by element. */
#define JOIN(type, name)                                                                   \
	static void join_##name##_##type(void *y, const void *u, const int64_t *to,        \
					 const int64_t *from, int64_t n)                   \
	{                                                                                  \
		for (int64_t i = 0; i < n; i++)                                            \
			store_##type(y, (size_t)to[i],                                     \
				     ONE_##type(name, load_##type(y, (size_t)to[i]),       \
						load_##type(u, (size_t)from[i]), 0));      \
	}
#define ASSOC TAKEN
#define COMM
#define IDEM
#define PRED
#define EW_DO(type, name, id, n, start, ...) IF_FLAG(__VA_ARGS__)(JOIN(type, name))
#include "kernels/ew_types.h"

/* The larger, or smaller, by whole numbers of the same order, for these need no jump that cannot
 * be foreseen: `flip` is 0 for the larger, -1 for the smaller. Of NaNs the number is the most. */
#define KEY(bits, u, inf, flip)                                                            \
	((u & INT##bits##_MAX) > inf ? INT##bits##_MAX                                     \
				     : ((u >> (bits - 1) & INT##bits##_MAX) ^ u ^ flip))
#define PICK(type, bits, name, inf, flip)                                                  \
	static void pick_##name##_##type(void *y, const void *u, const int64_t *to,        \
					 const int64_t *from, int64_t n)                   \
	{                                                                                  \
		for (int64_t i = 0; i < n; i++) {                                          \
			int##bits##_t a, b;                                                \
			char *at = (char *)y + to[i] * (int64_t)sizeof a;                  \
			memcpy(&a, at, sizeof a);                                          \
			memcpy(&b, (const char *)u + from[i] * (int64_t)sizeof b, sizeof b); \
			a = KEY(bits, a, inf, flip) >= KEY(bits, b, inf, flip) ? a : b;    \
			memcpy(at, &a, sizeof a);                                          \
		}                                                                          \
	}
#define F32_INF 0x7f800000
#define F64_INF 0x7ff0000000000000
PICK(f32, 32, max, F32_INF, 0)
PICK(f64, 64, max, F64_INF, 0)
PICK(f32, 32, min, F32_INF, -1)
PICK(f64, 64, min, F64_INF, -1)

struct native {
	enum ew ew;
	adze_dtype dtype;
	plain_native *run;
};

static const struct native native[] = { /* the first that fits */
	{EW_MAX, ADZE_F32, pick_max_f32}, {EW_MAX, ADZE_F64, pick_max_f64},
	{EW_MIN, ADZE_F32, pick_min_f32}, {EW_MIN, ADZE_F64, pick_min_f64},
#define EW_DO(type, name, id, n, start, ...) \
	IF_FLAG(__VA_ARGS__)({EW_##id, (adze_dtype)type##_id, join_##name##_##type},)
#include "kernels/ew_types.h"
};

plain_native *plain_native_join(enum ew ew, adze_dtype dtype)
{
	for (size_t i = 0; i < COUNT_OF(native); i++)
		if (native[i].ew == ew && native[i].dtype == dtype)
			return native[i].run;
	return NULL;
}
