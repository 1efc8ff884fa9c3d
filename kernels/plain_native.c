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

struct native {
	enum ew ew;
	adze_dtype dtype;
	plain_native *run;
};

static const struct native native[] = {
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
