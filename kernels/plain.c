/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/plain.h"

#include <string.h>

static const struct plain_kernel row[] = {
#define PLAIN(name) {#name, plain_##name##_holds, plain_##name##_plan, plain_##name##_run},
#include "kernels/plain.def"
};

const struct plain_kernel *plain_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(row); i++)
		if (strcmp(row[i].name, name) == 0)
			return &row[i];
	return NULL;
}

bool plain_axis_set(const struct plain_dims *d, int rank, bool *set)
{
	memset(set, 0, ADZE_MAX_RANK * sizeof *set);
	for (int i = 0; i < d->n; i++) {
		if (d->at[i] < 0 || d->at[i] >= rank || set[d->at[i]])
			return false;
		set[d->at[i]] = true;
	}
	return true;
}

#define LOAD(id, ctype)                                                      \
	case ADZE_##id: {                                                    \
		const char *at = (const char *)x->at + from * (int64_t)sizeof(ctype); \
		ctype v;                                                     \
		for (int64_t i = 0; i < n; i++) {                            \
			memcpy(&v, at + i * step * (int64_t)sizeof v, sizeof v); \
			to[i] = (int64_t)v;                                  \
		}                                                            \
		break;                                                       \
	}

void plain_load_ints(int64_t *to, const struct plain_array *x, int64_t from, int64_t step,
		     int64_t n)
{
	switch (x->dtype) {
	LOAD(I8, int8_t)
	LOAD(I16, int16_t)
	LOAD(I32, int32_t)
	LOAD(I64, int64_t)
	LOAD(U8, uint8_t)
	LOAD(U16, uint16_t)
	LOAD(U32, uint32_t)
	LOAD(U64, int64_t)
	default: memset(to, 0, (size_t)n * sizeof *to); break;
	}
	for (int64_t i = 0; x->dtype == ADZE_U64 && i < n; i++)
		to[i] = to[i] < 0 ? INT64_MAX : to[i];
}
