/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parser and the printer of the text form both know: how numbers, names and
 * elements of constants are spelled. Independent of the locale; no state.
 */
#ifndef ADZE_LEXEME_H
#define ADZE_LEXEME_H

#include "base/dtype.h"
#include "base/text.h"

/** Bytes that any printed number fits in, with its zero. */
#define LEX_NUMBER 72
/** Longest number that is read. */
#define LEX_LONGEST 120

/** [A-Za-z_][A-Za-z0-9_.]*: such a name stands without quotes. */
bool lex_is_identifier(const char *text, size_t len);

/** Index of the first byte that is zero or not part of UTF-8 text; `len` where there is none. */
size_t lex_not_utf8(const char *text, size_t len);

/** Appends a name, in quotes with JSON's escapes where it is no identifier. */
void lex_print_name(struct text *out, const char *name);

/** All of `text` as a decimal integer with an optional '-'; false if it is none, or too big. */
bool lex_int(const char *text, size_t len, int64_t *out);

/**
 * All of `text` as a number: -1.5e+3, inf, nan, each with an optional '-'. Rounded once, to
 * the nearest double; what is beyond the range becomes infinite.
 */
bool lex_float(const char *text, size_t len, double *out);

/** The shortest text from which lex_float() reads `v` again; NaN loses its payload. */
void lex_print_float(double v, char out[LEX_NUMBER]);

/**
 * Element `i` of `bytes` from a text: true or false for bool, an integer in the range of the
 * type, a number that the float type can hold (rounded). NULL, or why not, in words that
 * follow the text.
 */
const char *lex_element(const char *text, size_t len, adze_dtype dtype, void *bytes, size_t i);

/** The shortest text that lex_element() makes element `i` of; false where there is none. */
bool lex_print_element(adze_dtype dtype, const void *bytes, size_t i, char out[LEX_NUMBER]);

#endif
