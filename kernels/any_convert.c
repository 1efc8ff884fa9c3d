/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversion between any two types. What comes from 8 bits or less is looked up in a table
 * that is made at the start; small floats come from f32 by inlined arithmetic; the rest goes
 * element by element as the definition says.
 */
#include "kernels/any.h"

#include <string.h>

/* Elements at a time: whole bytes of any packed type. */
#define CHUNK 1024
/* Fewer are not worth a table. */
#define TABLE_PAYS 128

static void unpack(unsigned bits, uint8_t *code, const uint8_t *x, size_t n)
{
	unsigned mask = (1u << bits) - 1, each = 8 / bits;
	for (size_t i = 0; i < n; i++)
		code[i] = (uint8_t)((unsigned)x[i / each] >> i % each * bits & mask);
}

/* The unused high bits of the last byte become zero. */
static void pack(unsigned bits, uint8_t *y, const uint8_t *code, size_t n)
{
	unsigned mask = (1u << bits) - 1, each = 8 / bits;
	for (size_t i = 0; i < n; i += each) {
		unsigned byte = 0;
		for (unsigned k = 0; k < each && i + k < n; k++)
			byte |= (code[i + k] & mask) << k * bits;
		y[i / each] = (uint8_t)byte;
	}
}

struct table {
	uint64_t at[512]; /* 256 elements of up to 16 bytes */
};

/* Every code of a type of up to 8 bits as the other type; packed elements take a byte each. */
static void make_table(adze_dtype to, struct table *t, adze_dtype from)
{
	size_t n = (size_t)1 << dtype_info(from)->bits;
	bool loose = dtype_is_packed(to);
	memset(t, 0, sizeof *t);
	for (size_t i = 0; i < n; i++) {
		uint8_t code = (uint8_t)i;
		if (loose)
			dtype_convert_at(to, (char *)t->at + i, 0, from, &code, 0);
		else
			dtype_convert_at(to, t->at, i, from, &code, 0);
	}
}

static void look_up(void *y, const struct table *t, const uint8_t *code, size_t n, size_t size)
{
	const char *at = (const char *)t->at;
#define LOOK_UP(bytes)                                                                      \
	case bytes:                                                                         \
		for (size_t i = 0; i < n; i++)                                              \
			memcpy((char *)y + i * bytes, at + (size_t)code[i] * bytes, bytes); \
		break;
	switch (size) {
		LOOK_UP(1)
		LOOK_UP(2)
		LOOK_UP(4)
		LOOK_UP(8)
		LOOK_UP(16)
	}
}

/* f32 as codes of a small float; false where `to` is none. */
static bool codes_of_f32(adze_dtype to, uint8_t *code, const float *x, size_t n)
{
#define FORMAT(ebits, mbits, bias, special) SMALL_FORMAT(ebits, mbits, bias, special)
#define CODES(id, format)                                                     \
	case ADZE_##id:                                                       \
		for (size_t i = 0; i < n; i++)                                \
			code[i] = (uint8_t)f64_to_small((double)x[i], format); \
		return true;
#define IF_CODES_FLOAT(id, bits, format) IF_CODES_##bits(id, format)
#define IF_CODES_BOOL(...)
#define IF_CODES_INT(...)
#define IF_CODES_UINT(...)
#define IF_CODES_COMPLEX(...)
#define IF_CODES_4 CODES
#define IF_CODES_8 CODES
#define IF_CODES_16(...)
#define IF_CODES_32(...)
#define IF_CODES_64(...)
	switch (to) {
#define DTYPE(name, id, bits, cls, format, ctype, cuda, st, gguf) IF_CODES_##cls(id, bits, format)
#include "base/dtype.def"
	default: return false;
	}
}

/* Integers of a few bits: towards zero and kept to the range. */
static bool packed_ints_of_f32(adze_dtype to, uint8_t *code, const float *x, size_t n)
{
	const struct dtype_info *t = dtype_info(to);
	if (!dtype_is_int(to) || t->bits >= 8)
		return false;
	float low = t->class == DTYPE_INT ? -(float)(1 << (t->bits - 1)) : 0;
	float high = (float)((1 << (t->bits - (t->class == DTYPE_INT))) - 1);
	for (size_t i = 0; i < n; i++) {
		float v = x[i] > low ? x[i] : x[i] != x[i] ? 0 : low;
		code[i] = (uint8_t)(int)(v < high ? v : high);
	}
	return true;
}

/* One chunk: `code` is from's codes where it is of 8 bits or less, `loose` a room for codes. */
static void convert_chunk(adze_dtype to, void *y, adze_dtype from, const void *x,
			  const struct table *table, size_t n)
{
	uint8_t in[CHUNK], out[CHUNK];
	unsigned to_bits = (unsigned)dtype_info(to)->bits;
	unsigned from_bits = (unsigned)dtype_info(from)->bits;
	bool loose = to_bits < 8, done = true;
	const uint8_t *code = x;
	if (table != NULL && from_bits < 8) {
		unpack(from_bits, in, x, n);
		code = in;
	}
	if (table != NULL)
		look_up(loose ? out : y, table, code, n, dtype_bytes(to));
	else if (from == ADZE_F32)
		done = codes_of_f32(to, loose ? out : y, x, n) ||
		       (loose && packed_ints_of_f32(to, out, x, n));
	else
		done = false;
	for (size_t i = 0; i < n && !done; i++) {
		if (loose)
			out[i] = 0;
		dtype_convert_at(to, loose ? &out[i] : y, loose ? 0 : i, from, x, i);
	}
	if (loose)
		pack(to_bits, y, out, n);
}

void any_convert(adze_dtype to, void *y, adze_dtype from, const void *x, size_t n)
{
	struct table table;
	size_t to_bits = (size_t)dtype_info(to)->bits, from_bits = (size_t)dtype_info(from)->bits;
	bool by_table = from_bits <= 8 && from != ADZE_BOOL && n >= TABLE_PAYS;
	if (by_table)
		make_table(to, &table, from);
	for (size_t i = 0; i < n; i += CHUNK) {
		size_t m = n - i < CHUNK ? n - i : CHUNK;
		convert_chunk(to, (char *)y + i * to_bits / 8, from,
			      (const char *)x + i * from_bits / 8, by_table ? &table : NULL, m);
	}
}
