/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ew.h"

#include <string.h>

enum { B = DTYPE_BOOL, I = DTYPE_INT | DTYPE_UINT, F = DTYPE_FLOAT };
enum { COMM = EW_COMM, ASSOC = EW_ASSOC, PRED = EW_PRED, IDEM = EW_IDEM };

static const struct ew_info row[EW_COUNT] = {
#define EW(name, id, n, takes, flags, start, f, i, v, doc) \
	{#name, n, takes, flags, EW_##start, #f, #i, doc},
#include "base/ew.def"
};

const struct ew_info *ew_info(enum ew f)
{
	return &row[f];
}

enum ew ew_find(const char *name, size_t len)
{
	for (int i = 0; i < EW_COUNT; i++)
		if (strlen(row[i].name) == len && memcmp(row[i].name, name, len) == 0)
			return (enum ew)i;
	return EW_COUNT;
}

#define EW_WORDS_F32
#include "base/ew_words.h"
float ew_f32(enum ew f, float a, float b, float c)
{
	(void)c;
	switch (f) {
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc) \
	case EW_##id: return (float)(fx);
#include "base/ew.def"
	default: return 0;
	}
}

#define EW_WORDS_F64
#include "base/ew_words.h"
double ew_f64(enum ew f, double a, double b, double c)
{
	(void)c;
	switch (f) {
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc) \
	case EW_##id: return (double)(fx);
#include "base/ew.def"
	default: return 0;
	}
}

#define BITS bits
#define EW_WORDS_I64
#include "base/ew_words.h"
int64_t ew_i64(enum ew f, int64_t a, int64_t b, int64_t c, unsigned bits)
{
	(void)c;
	switch (f) {
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc) \
	case EW_##id: return (int64_t)(ix);
#include "base/ew.def"
	default: return 0;
	}
}

#define EW_WORDS_U64
#include "base/ew_words.h"
uint64_t ew_u64(enum ew f, uint64_t a, uint64_t b, uint64_t c, unsigned bits)
{
	(void)c;
	switch (f) {
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc) \
	case EW_##id: return (uint64_t)(ix);
#include "base/ew.def"
	default: return 0;
	}
}

static void float_element(enum ew f, adze_dtype dtype, void *y, const void *a, const void *b,
			  const void *c, size_t i)
{
	double x[3] = {0, 0, 0};
	const void *arg[3] = {a, b, c};
	for (int k = 0; k < row[f].n; k++)
		x[k] = dtype_load_float(dtype, arg[k], i);
	double v = dtype == ADZE_F64
			   ? ew_f64(f, x[0], x[1], x[2])
			   : (double)ew_f32(f, (float)x[0], (float)x[1], (float)x[2]);
	if (row[f].flags & EW_PRED)
		((uint8_t *)y)[i] = v != 0;
	else
		dtype_store_float(dtype, y, i, v);
}

void ew_element(enum ew f, adze_dtype dtype, void *y, const void *a, const void *b,
		const void *c, size_t i)
{
	if (dtype_is_float(dtype)) {
		float_element(f, dtype, y, a, b, c, i);
		return;
	}
	const struct dtype_info *info = dtype_info(dtype);
	int64_t x[3] = {0, 0, 0};
	const void *arg[3] = {a, b, c};
	for (int k = 0; k < row[f].n; k++)
		x[k] = dtype_load_int(dtype, arg[k], i);
	int64_t v;
	if (info->class == DTYPE_INT)
		v = ew_i64(f, x[0], x[1], x[2], (unsigned)info->bits);
	else
		v = (int64_t)ew_u64(f, (uint64_t)x[0], (uint64_t)x[1], (uint64_t)x[2],
				    (unsigned)info->bits);
	if (row[f].flags & EW_PRED)
		((uint8_t *)y)[i] = v != 0;
	else
		dtype_store_int(dtype, y, i, dtype == ADZE_BOOL ? v & 1 : v);
}

void ew_start_element(enum ew f, adze_dtype dtype, void *y)
{
	const struct dtype_info *info = dtype_info(dtype);
	bool is_float = info->class == DTYPE_FLOAT;
	int64_t top = (int64_t)(UINT64_MAX >> (64 - info->bits + (info->class == DTYPE_INT)));
	switch (row[f].start) {
	case EW_ONE:
		if (is_float)
			dtype_store_float(dtype, y, 0, 1);
		else
			dtype_store_int(dtype, y, 0, 1);
		break;
	case EW_LOWEST:
		if (is_float)
			dtype_store_float(dtype, y, 0, dtype == ADZE_F8E4M3FN ? -448 : -HUGE_VAL);
		else
			dtype_store_int(dtype, y, 0, info->class == DTYPE_INT ? -top - 1 : 0);
		break;
	case EW_HIGHEST:
		if (is_float)
			dtype_store_float(dtype, y, 0, dtype == ADZE_F8E4M3FN ? 448 : HUGE_VAL);
		else
			dtype_store_int(dtype, y, 0, top);
		break;
	case EW_ONES: dtype_store_int(dtype, y, 0, dtype == ADZE_BOOL ? 1 : -1); break;
	default: memset(y, 0, dtype_bytes(dtype)); break;
	}
}
