/* SPDX-License-Identifier: Apache-2.0
 *
 * Element types: what dtype.def says, and the value of one element in the widest type
 * of its class.
 */
#ifndef ADZE_DTYPE_H
#define ADZE_DTYPE_H

#include "base/half.h"
#include "base/types.h"

/** Classes are bits, so that a table can say which of them it takes. */
enum dtype_class {
	DTYPE_BOOL = 1, DTYPE_INT = 2, DTYPE_UINT = 4, DTYPE_FLOAT = 8, DTYPE_COMPLEX = 16,
	DTYPE_PACKED = 32 /* no class: also those types of a class that have less than 8 bits */
};

struct dtype_info {
	const char *name;        /* "f32" */
	const char *cuda;        /* the type in CUDA C; NULL: none */
	const char *safetensors; /* "F32"; "": none */
	int bits;
	enum dtype_class class;
	int gguf; /* -1: none */
	struct small_format format; /* of a float */
};

/** The row of a valid `dtype`. */
const struct dtype_info *dtype_info(adze_dtype dtype);
/** Bytes of one element that stands alone: 1 for the packed types. */
size_t dtype_bytes(adze_dtype dtype);
/** Bytes of a dense array, as dtype.def says; false where that overflows. */
bool dtype_array_bytes(adze_dtype dtype, size_t n, size_t *bytes);
bool dtype_is_float(adze_dtype dtype);
bool dtype_is_int(adze_dtype dtype); /* INT or UINT */
bool dtype_is_complex(adze_dtype dtype);
bool dtype_is_packed(adze_dtype dtype); /* less than 8 bits */
/** The type of a complex type's parts, and back; other types are their own. */
adze_dtype dtype_part(adze_dtype dtype);
adze_dtype dtype_whole(adze_dtype part);
/** Whether a set of classes has the type: its class, and PACKED where it needs that. */
bool dtype_taken(adze_dtype dtype, int classes);
/** "bool, integers and floats", for messages. */
const char *dtype_class_words(int classes);

/** By name ("f32") or safetensors' name ("F32"); ADZE_DTYPE_COUNT where there is none. */
adze_dtype dtype_find(const char *name, size_t len);
adze_dtype dtype_find_safetensors(const char *name);

/**
 * Element `i` of an array, and back. Floats are exact as double; a store rounds once, as
 * f64_to_small() says. Integers are cut to the width; a bool is whether not zero. Of complex
 * numbers load_float() gives the real part. Stores of packed elements leave their
 * neighbours as they are, and are no atomic writes.
 */
double dtype_load_float(adze_dtype dtype, const void *at, size_t i);
void dtype_store_float(adze_dtype dtype, void *at, size_t i, double v);
int64_t dtype_load_int(adze_dtype dtype, const void *at, size_t i); /* u64 as its bits */
void dtype_store_int(adze_dtype dtype, void *at, size_t i, int64_t v);
/** Real and imaginary part of a complex element. */
void dtype_load_complex(adze_dtype dtype, const void *at, size_t i, double part[2]);
void dtype_store_complex(adze_dtype dtype, void *at, size_t i, const double part[2]);

/**
 * Element `i` of `from` as `to`; rounded once, from the exact value, as f64_to_small() says.
 * Float to integer cuts towards zero, keeps to the range, and makes 0 of NaN; integers wrap;
 * anything but zero is true. Complex to others takes the real part (to bool: whether either
 * part is not zero); others to complex get 0 as imaginary part. y and x do not overlap,
 * or are the same where both elements have as many bits.
 */
void dtype_convert(adze_dtype to, void *y, adze_dtype from, const void *x, size_t i);
/** Element `j` of y from element `i` of x. */
void dtype_convert_at(adze_dtype to, void *y, size_t j, adze_dtype from, const void *x, size_t i);
/** Copies an element's bits. */
void dtype_copy_at(adze_dtype dtype, void *y, size_t j, const void *x, size_t i);

#endif
