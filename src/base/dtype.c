/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dtype.h"

#include <string.h>

#include "base/half.h"

static const struct dtype_info row[ADZE_DTYPE_COUNT] = {
#define DTYPE(name, id, bits, cls, ctype, cuda, st, gguf) \
	{#name, cuda, st, bits, DTYPE_##cls, gguf},
#include "base/dtype.def"
};

const struct dtype_info *dtype_info(adze_dtype dtype)
{
	return &row[dtype];
}

size_t dtype_bytes(adze_dtype dtype)
{
	return (size_t)row[dtype].bits / 8;
}

bool dtype_is_float(adze_dtype dtype)
{
	return row[dtype].class == DTYPE_FLOAT;
}

bool dtype_is_int(adze_dtype dtype)
{
	return (row[dtype].class & (DTYPE_INT | DTYPE_UINT)) != 0;
}

bool dtype_taken(adze_dtype dtype, int classes)
{
	return (row[dtype].class & classes) != 0 &&
	       (row[dtype].bits >= 8 || (classes & DTYPE_PACKED) != 0);
}

const char *dtype_class_words(int classes)
{
	static const char *const words[16] = {
		"nothing", "bool", "integers", "bool and integers", "floats", "bool and floats",
		"integers and floats", "bool, integers and floats", "complex numbers",
		"bool and complex numbers", "integers and complex numbers",
		"bool, integers and complex numbers", "floats and complex numbers",
		"bool, floats and complex numbers", "integers, floats and complex numbers",
		"bool, integers, floats and complex numbers"};
	int i = (classes & DTYPE_BOOL) != 0;
	i += (classes & (DTYPE_INT | DTYPE_UINT)) != 0 ? 2 : 0;
	i += (classes & DTYPE_FLOAT) != 0 ? 4 : 0;
	i += (classes & DTYPE_COMPLEX) != 0 ? 8 : 0;
	return words[i];
}

adze_dtype dtype_find(const char *name, size_t len)
{
	for (int i = 0; i < ADZE_DTYPE_COUNT; i++)
		if (strlen(row[i].name) == len && memcmp(row[i].name, name, len) == 0)
			return (adze_dtype)i;
	return ADZE_DTYPE_COUNT;
}

adze_dtype dtype_find_safetensors(const char *name)
{
	for (int i = 0; i < ADZE_DTYPE_COUNT; i++)
		if (strcmp(row[i].safetensors, name) == 0)
			return (adze_dtype)i;
	return ADZE_DTYPE_COUNT;
}

double dtype_load_float(adze_dtype dtype, const void *at, size_t i)
{
	switch (dtype) {
	case ADZE_F8E4M3FN: return small_to_f64(((const uint8_t *)at)[i], 4, 3, 1);
	case ADZE_F8E5M2: return small_to_f64(((const uint8_t *)at)[i], 5, 2, 0);
	case ADZE_F16: return (double)f16_to_f32(((const uint16_t *)at)[i]);
	case ADZE_BF16: return (double)bf16_to_f32(((const uint16_t *)at)[i]);
	case ADZE_F32: return (double)((const float *)at)[i];
	case ADZE_F64: return ((const double *)at)[i];
	default: return (double)dtype_load_int(dtype, at, i);
	}
}

void dtype_store_float(adze_dtype dtype, void *at, size_t i, double v)
{
	switch (dtype) {
	case ADZE_F8E4M3FN: ((uint8_t *)at)[i] = (uint8_t)f64_to_small(v, 4, 3, 1); break;
	case ADZE_F8E5M2: ((uint8_t *)at)[i] = (uint8_t)f64_to_small(v, 5, 2, 0); break;
	case ADZE_F16: ((uint16_t *)at)[i] = (uint16_t)f64_to_small(v, 5, 10, 0); break;
	case ADZE_BF16: ((uint16_t *)at)[i] = (uint16_t)f64_to_small(v, 8, 7, 0); break;
	case ADZE_F32: ((float *)at)[i] = (float)v; break;
	case ADZE_F64: ((double *)at)[i] = v; break;
	default: dtype_store_int(dtype, at, i, (int64_t)v); break;
	}
}

int64_t dtype_load_int(adze_dtype dtype, const void *at, size_t i)
{
	switch (dtype) {
	case ADZE_BOOL: return ((const uint8_t *)at)[i] != 0;
	case ADZE_I8: return ((const int8_t *)at)[i];
	case ADZE_I16: return ((const int16_t *)at)[i];
	case ADZE_I32: return ((const int32_t *)at)[i];
	case ADZE_I64: return ((const int64_t *)at)[i];
	case ADZE_U8: return ((const uint8_t *)at)[i];
	case ADZE_U16: return ((const uint16_t *)at)[i];
	case ADZE_U32: return ((const uint32_t *)at)[i];
	case ADZE_U64: return (int64_t)((const uint64_t *)at)[i];
	default: return 0;
	}
}

void dtype_store_int(adze_dtype dtype, void *at, size_t i, int64_t v)
{
	switch (dtype) {
	case ADZE_BOOL: ((uint8_t *)at)[i] = v != 0; break;
	case ADZE_I8:
	case ADZE_U8: ((uint8_t *)at)[i] = (uint8_t)v; break;
	case ADZE_I16:
	case ADZE_U16: ((uint16_t *)at)[i] = (uint16_t)v; break;
	case ADZE_I32:
	case ADZE_U32: ((uint32_t *)at)[i] = (uint32_t)v; break;
	case ADZE_I64:
	case ADZE_U64: ((uint64_t *)at)[i] = (uint64_t)v; break;
	default: break;
	}
}

/* Towards zero, kept to the range of an integer type of `bits`. */
static int64_t cut(double v, int bits, bool is_signed)
{
	if (v != v)
		return 0;
	if (is_signed) {
		double top = __builtin_ldexp(1.0, bits - 1);
		if (v >= top)
			return (int64_t)(UINT64_MAX >> (65 - bits));
		if (v <= -top)
			return (int64_t)(UINT64_MAX << (bits - 1));
		return (int64_t)v;
	}
	if (v <= 0)
		return 0;
	if (v >= __builtin_ldexp(1.0, bits))
		return (int64_t)(UINT64_MAX >> (64 - bits));
	return (int64_t)(uint64_t)v;
}

/* An integer as a double that has at most 53 bits and rounds the same way further down:
 * where bits fall off, the lowest kept one remembers them (rounding to odd). */
static double int_to_odd(int64_t v, bool is_signed)
{
	bool negative = is_signed && v < 0;
	uint64_t u = negative ? 0 - (uint64_t)v : (uint64_t)v;
	uint64_t lost = u & 0x7ff;
	if (u >> 53 != 0)
		u = (u & ~(uint64_t)0x7ff) | (lost != 0 ? 0x800 : 0);
	return negative ? -(double)u : (double)u;
}

void dtype_convert(adze_dtype to, void *y, adze_dtype from, const void *x, size_t i)
{
	bool from_float = dtype_is_float(from);
	if (to == ADZE_BOOL) {
		bool v = from_float ? dtype_load_float(from, x, i) != 0
				    : dtype_load_int(from, x, i) != 0;
		((uint8_t *)y)[i] = v;
	} else if (dtype_is_float(to)) {
		if (from_float) {
			dtype_store_float(to, y, i, dtype_load_float(from, x, i));
			return;
		}
		int64_t v = dtype_load_int(from, x, i);
		bool is_signed = from != ADZE_U64;
		if (to == ADZE_F64)
			((double *)y)[i] = is_signed ? (double)v : (double)(uint64_t)v;
		else
			dtype_store_float(to, y, i, int_to_odd(v, is_signed));
	} else if (from_float) {
		double v = dtype_load_float(from, x, i);
		dtype_store_int(to, y, i, cut(v, row[to].bits, row[to].class == DTYPE_INT));
	} else {
		dtype_store_int(to, y, i, dtype_load_int(from, x, i));
	}
}
