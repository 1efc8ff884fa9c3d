/* SPDX-License-Identifier: Apache-2.0
 *
 * Element types: what dtype.def says, and the value of one element in the widest type
 * of its class.
 */
#ifndef ADZE_DTYPE_H
#define ADZE_DTYPE_H

#include "base/types.h"

/** Classes are bits, so that a table can say which of them it takes. */
enum dtype_class {
	DTYPE_BOOL = 1, DTYPE_INT = 2, DTYPE_UINT = 4, DTYPE_FLOAT = 8, DTYPE_COMPLEX = 16,
	DTYPE_PACKED = 32 /* no class: also those types of a class that have less than 8 bits */
};

struct dtype_info {
	const char *name;        /* "f32" */
	const char *cuda;        /* the type in CUDA C */
	const char *safetensors; /* "F32" */
	int bits;
	enum dtype_class class;
	int gguf; /* -1: none */
};

/** The row of a valid `dtype`. */
const struct dtype_info *dtype_info(adze_dtype dtype);
size_t dtype_bytes(adze_dtype dtype);
bool dtype_is_float(adze_dtype dtype);
bool dtype_is_int(adze_dtype dtype); /* INT or UINT */
/** Whether a set of classes has the type: its class, and PACKED where it needs that. */
bool dtype_taken(adze_dtype dtype, int classes);
/** "bool, integers and floats", for messages. */
const char *dtype_class_words(int classes);

/** By name ("f32") or safetensors' name ("F32"); ADZE_DTYPE_COUNT where there is none. */
adze_dtype dtype_find(const char *name, size_t len);
adze_dtype dtype_find_safetensors(const char *name);

/**
 * Element `i` of an array, and back. Floats are exact as double; a store rounds once, to
 * nearest even. Integers are cut to the width; a bool is whether not zero.
 */
double dtype_load_float(adze_dtype dtype, const void *at, size_t i);
void dtype_store_float(adze_dtype dtype, void *at, size_t i, double v);
int64_t dtype_load_int(adze_dtype dtype, const void *at, size_t i); /* u64 as its bits */
void dtype_store_int(adze_dtype dtype, void *at, size_t i, int64_t v);

/**
 * Element `i` of `from` as `to`. Integer to float rounds to nearest even; float to
 * integer cuts towards zero, keeps to the range, and makes 0 of NaN; anything but zero
 * is true.
 */
void dtype_convert(adze_dtype to, void *y, adze_dtype from, const void *x, size_t i);

#endif
