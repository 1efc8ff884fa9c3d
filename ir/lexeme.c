/* SPDX-License-Identifier: Apache-2.0 */
#include "ir/lexeme.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Not <ctype.h>: that follows the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool lex_is_identifier(const char *text, size_t len)
{
	if (len == 0 || !is_letter(text[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_letter(text[i]) && !is_digit(text[i]) && text[i] != '.')
			return false;
	return true;
}

/* Bytes of the character at `s`, 0 where it is none (RFC 3629, section 4). */
static size_t character(const unsigned char *s, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n == 0 || n > len || s[0] > 0xf4 || s[0] == 0)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	if (s[0] == 0xed)
		high = 0x9f;
	if (s[0] == 0xf0)
		low = 0x90;
	if (s[0] == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < n; i++, low = 0x80, high = 0xbf)
		if (s[i] < low || s[i] > high)
			return 0;
	return n;
}

size_t lex_not_utf8(const char *text, size_t len)
{
	size_t i = 0;
	while (i < len) {
		size_t n = character((const unsigned char *)text + i, len - i);
		if (n == 0)
			return i;
		i += n;
	}
	return len;
}

void lex_print_name(struct text *out, const char *name)
{
	size_t len = strlen(name);
	if (lex_is_identifier(name, len)) {
		text_bytes(out, name, len);
		return;
	}
	text_bytes(out, "\"", 1);
	for (const char *c = name; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			text_add(out, "\\%c", *c);
		else if (*c == '\n')
			text_bytes(out, "\\n", 2);
		else if (*c == '\t')
			text_bytes(out, "\\t", 2);
		else if ((unsigned char)*c < 0x20 || *c == 0x7f)
			text_add(out, "\\u%04x", (unsigned)*c);
		else
			text_bytes(out, c, 1);
	}
	text_bytes(out, "\"", 1);
}

static bool magnitude(const char *text, size_t len, uint64_t *out)
{
	uint64_t v = 0;
	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]) || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text[i] - '0'), &v))
			return false;
	}
	*out = v;
	return true;
}

bool lex_int(const char *text, size_t len, int64_t *out)
{
	bool negative = len > 0 && text[0] == '-';
	uint64_t v;
	if (!magnitude(text + negative, len - negative, &v) || v > (uint64_t)INT64_MAX + negative)
		return false;
	*out = (int64_t)(negative ? 0 - v : v);
	return true;
}

static size_t digits(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && is_digit(text[n]))
		n++;
	return n;
}

/* -?digits[.digits][e[+-]digits], nothing else that strtod() takes. */
static bool is_decimal(const char *text, size_t len)
{
	size_t i = len > 0 && text[0] == '-', n = digits(text + i, len - i);
	if (n == 0)
		return false;
	i += n;
	if (i < len && text[i] == '.') {
		i++;
		i += digits(text + i, len - i);
	}
	if (i < len && (text[i] == 'e' || text[i] == 'E')) {
		i++;
		i += i < len && (text[i] == '-' || text[i] == '+');
		n = digits(text + i, len - i);
		if (n == 0)
			return false;
		i += n;
	}
	return i == len;
}

/* What the C library takes for the decimal point now: any bytes, by locale. */
static size_t decimal_point(char out[16])
{
	char half[32];
	int n = snprintf(half, sizeof half, "%.1f", 0.5);
	size_t len = n >= 3 && n - 2 < 16 ? (size_t)n - 2 : 0;
	memcpy(out, half + 1, len);
	return len;
}

bool lex_float(const char *text, size_t len, double *out)
{
	bool negative = len > 0 && text[0] == '-';
	if (len - negative == 3 && memcmp(text + negative, "inf", 3) == 0) {
		*out = negative ? -HUGE_VAL : HUGE_VAL;
		return true;
	}
	if (len - negative == 3 && memcmp(text + negative, "nan", 3) == 0) {
		*out = copysign(__builtin_nan(""), negative ? -1.0 : 1.0);
		return true;
	}
	if (len > LEX_LONGEST || !is_decimal(text, len))
		return false;
	char number[LEX_LONGEST + 17], point[16];
	size_t n = 0, npoint = decimal_point(point);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '.') {
			memcpy(number + n, point, npoint);
			n += npoint;
		} else {
			number[n++] = text[i];
		}
	}
	number[n] = '\0';
	*out = strtod(number, NULL);
	return true;
}

/* "%.*g" with '.' for the locale's decimal point. */
static void print_digits(double v, int precision, char out[LEX_NUMBER])
{
	char number[64];
	size_t n = 0;
	bool point = false;
	snprintf(number, sizeof number, "%.*g", precision, v);
	for (const char *c = number; *c != '\0' && n + 1 < LEX_NUMBER; c++) {
		bool plain = is_digit(*c) || *c == '-' || *c == '+' || *c == 'e';
		if (plain)
			out[n++] = *c;
		else if (!point)
			out[n++] = '.';
		point = point || !plain;
	}
	out[n] = '\0';
}

static bool print_special(double v, char out[LEX_NUMBER])
{
	if (isfinite(v))
		return false;
	snprintf(out, LEX_NUMBER, "%s%s", signbit(v) ? "-" : "", isnan(v) ? "nan" : "inf");
	return true;
}

void lex_print_float(double v, char out[LEX_NUMBER])
{
	char text[LEX_NUMBER];
	double again;
	if (print_special(v, out))
		return;
	out[0] = '\0';
	for (int precision = 1; precision <= 17; precision++) {
		print_digits(v, precision, text);
		if (lex_float(text, strlen(text), &again) && again == v &&
		    (out[0] == '\0' || strlen(text) < strlen(out)))
			strcpy(out, text);
	}
}

static const char *float_element(const char *text, size_t len, adze_dtype dtype, void *bytes,
				 size_t i)
{
	double v;
	if (!lex_float(text, len, &v))
		return "is no number";
	dtype_store_float(dtype, bytes, i, v);
	double kept = dtype_load_float(dtype, bytes, i);
	/* What has no infinity to say so: half a unit in the last place of the largest. */
	struct small_format f = dtype_info(dtype)->format;
	bool beyond = f.special == SMALL_FINITE &&
		      fabs(v) - fabs(kept) >
			      power_of_two((1 << f.ebits) - 2 - f.bias - f.mbits);
	if (beyond || (isfinite(v) ? !isfinite(kept) : isinf(v) && !isinf(kept)))
		return "is beyond the range of the element type";
	if (isnan(v) && !isnan(kept))
		return "is no number that the element type has";
	return NULL;
}

static const char *int_element(const char *text, size_t len, adze_dtype dtype, void *bytes,
			       size_t i)
{
	const struct dtype_info *info = dtype_info(dtype);
	bool is_signed = info->class == DTYPE_INT;
	bool negative = len > 0 && text[0] == '-';
	uint64_t v, most = UINT64_MAX >> (64 - info->bits + is_signed);
	if (digits(text + negative, len - negative) != len - negative || len == negative)
		return "is no integer";
	if (!magnitude(text + negative, len - negative, &v) ||
	    v > (negative ? is_signed * (most + 1) : most))
		return "is beyond the range of the element type";
	dtype_store_int(dtype, bytes, i, (int64_t)(negative ? 0 - v : v));
	return NULL;
}

/* 1.5-2i: where the imaginary part begins; 0 where there is none. */
static size_t imaginary(const char *text, size_t len)
{
	if (len == 0 || text[len - 1] != 'i')
		return 0;
	for (size_t k = len - 1; k > 1; k--)
		if ((text[k - 1] == '+' || text[k - 1] == '-') && text[k - 2] != 'e' &&
		    text[k - 2] != 'E')
			return k - 1;
	return 0;
}

static const char *complex_element(const char *text, size_t len, adze_dtype dtype, void *bytes,
				   size_t i)
{
	adze_dtype part = dtype_part(dtype);
	size_t k = imaginary(text, len);
	if (k == 0)
		return "is no complex number such as 1-2i";
	const char *why = float_element(text, k, part, bytes, 2 * i);
	k += text[k] == '+';
	return why != NULL ? why : float_element(text + k, len - 1 - k, part, bytes, 2 * i + 1);
}

const char *lex_element(const char *text, size_t len, adze_dtype dtype, void *bytes, size_t i)
{
	if (dtype == ADZE_BOOL) {
		bool yes = len == 4 && memcmp(text, "true", 4) == 0;
		if (!yes && (len != 5 || memcmp(text, "false", 5) != 0))
			return "is neither true nor false";
		dtype_store_int(dtype, bytes, i, yes);
		return NULL;
	}
	return dtype_is_int(dtype)       ? int_element(text, len, dtype, bytes, i)
	       : dtype_is_complex(dtype) ? complex_element(text, len, dtype, bytes, i)
					 : float_element(text, len, dtype, bytes, i);
}

/* Whether `text` gives the bits of element i. */
static bool gives(const char *text, adze_dtype dtype, const void *bytes, size_t i)
{
	uint64_t element[2] = {0, 0}, want[2] = {0, 0};
	dtype_copy_at(dtype, want, 0, bytes, i);
	return lex_element(text, strlen(text), dtype, element, 0) == NULL &&
	       memcmp(element, want, sizeof want) == 0;
}

/* In the fewest digits that give the same bits; false where none do. */
static bool print_float_element(adze_dtype dtype, const void *bytes, size_t i, char *out)
{
	char text[LEX_NUMBER];
	double v = dtype_load_float(dtype, bytes, i);
	if (print_special(v, out))
		return gives(out, dtype, bytes, i);
	out[0] = '\0';
	for (int precision = 1; precision <= 17; precision++) {
		print_digits(v, precision, text);
		if (gives(text, dtype, bytes, i) && (out[0] == '\0' || strlen(text) < strlen(out)))
			strcpy(out, text);
	}
	return out[0] != '\0';
}

bool lex_print_element(adze_dtype dtype, const void *bytes, size_t i, char out[LEX_NUMBER])
{
	char part[2][LEX_NUMBER];
	if (dtype_is_float(dtype))
		return print_float_element(dtype, bytes, i, out);
	if (dtype_is_complex(dtype)) {
		adze_dtype of = dtype_part(dtype);
		if (!print_float_element(of, bytes, 2 * i, part[0]) ||
		    !print_float_element(of, bytes, 2 * i + 1, part[1]))
			return false;
		snprintf(out, LEX_NUMBER, "%.30s%s%.30si", part[0], part[1][0] == '-' ? "" : "+",
			 part[1]);
		return true;
	}
	int64_t v = dtype_load_int(dtype, bytes, i);
	if (dtype == ADZE_BOOL)
		strcpy(out, v != 0 ? "true" : "false");
	else if (dtype_info(dtype)->class == DTYPE_UINT)
		snprintf(out, LEX_NUMBER, "%" PRIu64, (uint64_t)v);
	else
		snprintf(out, LEX_NUMBER, "%" PRId64, v);
	return gives(out, dtype, bytes, i);
}
