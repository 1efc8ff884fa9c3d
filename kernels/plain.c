/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/plain_complex.h"

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

#define LOAD(id, ctype, wide)                                                    \
	case ADZE_##id: {                                                        \
		const char *at = (const char *)x->at + from * (int64_t)sizeof(ctype); \
		ctype v;                                                         \
		for (int64_t i = 0; i < n; i++) {                                \
			memcpy(&v, at + i * step * (int64_t)sizeof v, sizeof v); \
			to[i] = (wide)v;                                         \
		}                                                                \
		break;                                                           \
	}
#define STORE(id, ctype)                                                         \
	case ADZE_##id: {                                                        \
		char *at = (char *)y->at + to * (int64_t)sizeof(ctype);          \
		for (int64_t i = 0; i < n; i++) {                                \
			ctype v = (ctype)from[i];                                \
			memcpy(at + i * step * (int64_t)sizeof v, &v, sizeof v); \
		}                                                                \
		break;                                                           \
	}

void plain_load_bits(int64_t *to, const struct plain_array *x, int64_t from, int64_t step,
		     int64_t n)
{
	switch (x->dtype) {
	LOAD(BOOL, uint8_t, int64_t)
	LOAD(I8, int8_t, int64_t)
	LOAD(I16, int16_t, int64_t)
	LOAD(I32, int32_t, int64_t)
	LOAD(I64, int64_t, int64_t)
	LOAD(U8, uint8_t, int64_t)
	LOAD(U16, uint16_t, int64_t)
	LOAD(U32, uint32_t, int64_t)
	LOAD(U64, uint64_t, int64_t)
	default:
		for (int64_t i = 0; i < n; i++)
			to[i] = dtype_load_int(x->dtype, x->at, (size_t)(from + i * step));
		break;
	}
}

void plain_load_ints(int64_t *to, const struct plain_array *x, int64_t from, int64_t step,
		     int64_t n)
{
	plain_load_bits(to, x, from, step, n);
	for (int64_t i = 0; x->dtype == ADZE_U64 && i < n; i++)
		to[i] = to[i] < 0 ? INT64_MAX : to[i];
}

void plain_store_bits(const struct plain_array *y, int64_t to, int64_t step, const int64_t *from,
		      int64_t n)
{
	switch (y->dtype) {
	STORE(BOOL, uint8_t)
	STORE(I8, int8_t)
	STORE(I16, int16_t)
	STORE(I32, int32_t)
	STORE(I64, int64_t)
	STORE(U8, uint8_t)
	STORE(U16, uint16_t)
	STORE(U32, uint32_t)
	STORE(U64, uint64_t)
	default: break;
	}
}

void plain_load_floats(double *to, const struct plain_array *x, int64_t from, int64_t step,
		       int64_t n)
{
	switch (x->dtype) {
	LOAD(F32, float, double)
	LOAD(F64, double, double)
	default:
		for (int64_t i = 0; i < n; i++)
			to[i] = dtype_load_float(x->dtype, x->at, (size_t)(from + i * step));
		break;
	}
}

void plain_store_floats(const struct plain_array *y, int64_t to, int64_t step,
			const double *from, int64_t n)
{
	switch (y->dtype) {
	STORE(F32, float)
	STORE(F64, double)
	default:
		for (int64_t i = 0; i < n; i++)
			dtype_store_float(y->dtype, y->at, (size_t)(to + i * step), from[i]);
		break;
	}
}

/* Pairs of numbers of a type. */
static struct plain_array parts_of(const struct plain_array *a)
{
	struct plain_array part = *a;
	part.dtype = dtype_part(a->dtype);
	return part;
}

void plain_load_complex(struct complex *to, const struct plain_array *x, int64_t from,
			int64_t step, int64_t n)
{
	struct plain_array part = parts_of(x);
	double *at = &to->re;
	if (part.dtype != x->dtype && step == 1) {
		plain_load_floats(at, &part, 2 * from, 1, 2 * n);
	} else if (part.dtype != x->dtype) {
		for (int64_t i = 0; i < n; i++)
			plain_load_floats(at + 2 * i, &part, 2 * (from + i * step), 1, 2);
	} else {
		plain_load_floats(at, x, from, step, n);
		for (int64_t i = n - 1; i >= 0; i--)
			to[i] = (struct complex){at[i], 0};
	}
}

void plain_store_complex(const struct plain_array *y, int64_t to, int64_t step,
			 const struct complex *from, int64_t n)
{
	struct plain_array part = parts_of(y);
	double re[64];
	if (part.dtype != y->dtype && step == 1) {
		plain_store_floats(&part, 2 * to, 1, &from->re, 2 * n);
		return;
	}
	for (int64_t i = 0; i < n && part.dtype != y->dtype; i++)
		plain_store_floats(&part, 2 * (to + i * step), 1, &from[i].re, 2);
	for (int64_t i = 0, m; i < n && part.dtype == y->dtype; i += m) {
		m = n - i < (int64_t)COUNT_OF(re) ? n - i : (int64_t)COUNT_OF(re);
		for (int64_t k = 0; k < m; k++)
			re[k] = from[i + k].re;
		plain_store_floats(y, to + i * step, step, re, m);
	}
}

void plain_strides(const struct plain_array *a, int64_t *stride)
{
	int64_t n = 1;
	for (int i = a->rank - 1; i >= 0; i--) {
		stride[i] = n;
		n = plain_wrap(n, a->extent[i]);
	}
}
