/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dtype.h"

#include <string.h>

#define FORMAT(ebits, mbits, bias, special) {ebits, mbits, bias, SMALL_##special}
static const struct dtype_info row[ADZE_DTYPE_COUNT] = {
#define DTYPE(name, id, bits, cls, format, ctype, cuda, st, gguf) \
	{#name, cuda, st, bits, DTYPE_##cls, gguf, format},
#include "base/dtype.def"
};

const struct dtype_info *dtype_info(adze_dtype dtype)
{
	return &row[dtype];
}

size_t dtype_bytes(adze_dtype dtype)
{
	return ((size_t)row[dtype].bits + 7) / 8;
}

bool dtype_array_bytes(adze_dtype dtype, size_t n, size_t *bytes)
{
	size_t bits = (size_t)row[dtype].bits;
	if (bits < 8) {
		size_t each = 8 / bits;
		*bytes = n / each + (n % each != 0);
		return true;
	}
	if (!__builtin_mul_overflow(n, bits / 8, bytes))
		return true;
	*bytes = 0;
	return false;
}

bool dtype_is_float(adze_dtype dtype)
{
	return row[dtype].class == DTYPE_FLOAT;
}

bool dtype_is_int(adze_dtype dtype)
{
	return (row[dtype].class & (DTYPE_INT | DTYPE_UINT)) != 0;
}

bool dtype_is_complex(adze_dtype dtype)
{
	return row[dtype].class == DTYPE_COMPLEX;
}

bool dtype_is_packed(adze_dtype dtype)
{
	return row[dtype].bits < 8;
}

adze_dtype dtype_part(adze_dtype dtype)
{
	return dtype == ADZE_C64 ? ADZE_F32 : dtype == ADZE_C128 ? ADZE_F64 : dtype;
}

adze_dtype dtype_whole(adze_dtype part)
{
	return part == ADZE_F32 ? ADZE_C64 : part == ADZE_F64 ? ADZE_C128 : part;
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
		if (name[0] != '\0' && strcmp(row[i].safetensors, name) == 0)
			return (adze_dtype)i;
	return ADZE_DTYPE_COUNT;
}

/* Where element `i` of a packed array lies: its byte, and how far up in that. */
static size_t packed_byte(int bits, size_t i, int *shift)
{
	size_t each = 8 / (size_t)bits;
	*shift = (int)(i % each) * bits;
	return i / each;
}

static unsigned load_packed(int bits, const void *at, size_t i)
{
	int shift;
	size_t k = packed_byte(bits, i, &shift);
	return (unsigned)((const uint8_t *)at)[k] >> shift & ((1u << bits) - 1);
}

static void store_packed(int bits, void *at, size_t i, unsigned v)
{
	int shift;
	uint8_t *p = (uint8_t *)at + packed_byte(bits, i, &shift);
	unsigned mask = ((1u << bits) - 1) << shift;
	*p = (uint8_t)((*p & ~mask) | (v << shift & mask));
}

double dtype_load_float(adze_dtype dtype, const void *at, size_t i)
{
	const struct dtype_info *t = &row[dtype];
	switch (dtype) {
	case ADZE_F16: return (double)f16_to_f32(((const uint16_t *)at)[i]);
	case ADZE_BF16: return (double)bf16_to_f32(((const uint16_t *)at)[i]);
	case ADZE_F32: return (double)((const float *)at)[i];
	case ADZE_F64: return ((const double *)at)[i];
	case ADZE_C64: return (double)((const float *)at)[2 * i];
	case ADZE_C128: return ((const double *)at)[2 * i];
	default: break;
	}
	if (t->class != DTYPE_FLOAT)
		return (double)dtype_load_int(dtype, at, i);
	return small_to_f64(t->bits < 8 ? load_packed(t->bits, at, i) : ((const uint8_t *)at)[i],
			    t->format);
}

void dtype_store_float(adze_dtype dtype, void *at, size_t i, double v)
{
	const struct dtype_info *t = &row[dtype];
	switch (dtype) {
	case ADZE_F16:
	case ADZE_BF16: ((uint16_t *)at)[i] = (uint16_t)f64_to_small(v, t->format); return;
	case ADZE_F32: ((float *)at)[i] = (float)v; return;
	case ADZE_F64: ((double *)at)[i] = v; return;
	case ADZE_C64:
	case ADZE_C128: dtype_store_complex(dtype, at, i, (double[2]){v, 0}); return;
	default: break;
	}
	if (t->class != DTYPE_FLOAT)
		dtype_store_int(dtype, at, i, (int64_t)v);
	else if (t->bits < 8)
		store_packed(t->bits, at, i, f64_to_small(v, t->format));
	else
		((uint8_t *)at)[i] = (uint8_t)f64_to_small(v, t->format);
}

void dtype_load_complex(adze_dtype dtype, const void *at, size_t i, double part[2])
{
	adze_dtype of = dtype_part(dtype);
	part[0] = dtype_load_float(of, at, 2 * i);
	part[1] = dtype_load_float(of, at, 2 * i + 1);
}

void dtype_store_complex(adze_dtype dtype, void *at, size_t i, const double part[2])
{
	adze_dtype of = dtype_part(dtype);
	dtype_store_float(of, at, 2 * i, part[0]);
	dtype_store_float(of, at, 2 * i + 1, part[1]);
}

int64_t dtype_load_int(adze_dtype dtype, const void *at, size_t i)
{
	switch (dtype) {
	case ADZE_BOOL: return ((const uint8_t *)at)[i] != 0;
	case ADZE_I2: return (int64_t)(load_packed(2, at, i) ^ 2) - 2;
	case ADZE_I4: return (int64_t)(load_packed(4, at, i) ^ 8) - 8;
	case ADZE_U2: return load_packed(2, at, i);
	case ADZE_U4: return load_packed(4, at, i);
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
	case ADZE_I2:
	case ADZE_U2:
	case ADZE_I4:
	case ADZE_U4: store_packed(row[dtype].bits, at, i, (unsigned)v); break;
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

/* Neither type is complex. */
static void convert_real(adze_dtype to, void *y, size_t j, adze_dtype from, const void *x,
			 size_t i)
{
	bool from_float = dtype_is_float(from);
	if (to == ADZE_BOOL) {
		bool v = from_float ? dtype_load_float(from, x, i) != 0
				    : dtype_load_int(from, x, i) != 0;
		((uint8_t *)y)[j] = v;
	} else if (dtype_is_float(to)) {
		if (from_float) {
			dtype_store_float(to, y, j, dtype_load_float(from, x, i));
			return;
		}
		int64_t v = dtype_load_int(from, x, i);
		bool is_signed = from != ADZE_U64;
		if (to == ADZE_F64)
			((double *)y)[j] = is_signed ? (double)v : (double)(uint64_t)v;
		else
			dtype_store_float(to, y, j, int_to_odd(v, is_signed));
	} else if (from_float) {
		double v = dtype_load_float(from, x, i);
		dtype_store_int(to, y, j, cut(v, row[to].bits, row[to].class == DTYPE_INT));
	} else {
		dtype_store_int(to, y, j, dtype_load_int(from, x, i));
	}
}

void dtype_convert_at(adze_dtype to, void *y, size_t j, adze_dtype from, const void *x, size_t i)
{
	adze_dtype to_part = dtype_part(to), from_part = dtype_part(from);
	bool to_complex = to_part != to, from_complex = from_part != from;
	double part[2] = {0, 0};
	if (!to_complex && !from_complex) {
		convert_real(to, y, j, from, x, i);
	} else if (!to_complex && to == ADZE_BOOL) {
		dtype_load_complex(from, x, i, part);
		((uint8_t *)y)[j] = part[0] != 0 || part[1] != 0;
	} else if (!to_complex) {
		convert_real(to, y, j, from_part, x, 2 * i);
	} else if (from_complex) {
		dtype_load_complex(from, x, i, part);
		dtype_store_complex(to, y, j, part);
	} else {
		convert_real(to_part, y, 2 * j, from, x, i);
		dtype_store_float(to_part, y, 2 * j + 1, 0);
	}
}

void dtype_convert(adze_dtype to, void *y, adze_dtype from, const void *x, size_t i)
{
	dtype_convert_at(to, y, i, from, x, i);
}

void dtype_copy_at(adze_dtype dtype, void *y, size_t j, const void *x, size_t i)
{
	int bits = row[dtype].bits;
	size_t size = (size_t)bits / 8;
	if (bits < 8)
		store_packed(bits, y, j, load_packed(bits, x, i));
	else
		memcpy((char *)y + j * size, (const char *)x + i * size, size);
}
