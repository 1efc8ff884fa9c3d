/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ir/lexeme.h"
#include "ir/scan.h"

bool scan_at_literal(struct scan *p)
{
	return scan_next_is(p, '{') ||
	       (scan_word_is(p, "hex") && p->pos + 3 < p->len && p->text[p->pos + 3] == '"');
}

bool scan_literal(struct scan *p, struct literal *out)
{
	out->at = scan_here(p);
	out->is_hex = scan_peek(p) != '{';
	if (out->is_hex)
		p->pos += strlen("hex");
	p->pos++;
	out->pos = p->pos;
	if (out->is_hex) {
		const char *end = memchr(p->text + p->pos, '"', p->len - p->pos);
		if (end == NULL)
			return scan_fail(p, &out->at, ADZE_E_SYNTAX, "the quote is not closed");
		out->len = (size_t)(end - p->text) - p->pos;
		p->pos += out->len + 1;
		return true;
	}
	for (; !scan_next_is(p, '}'); p->pos++)
		if (p->pos == p->len)
			return scan_fail(p, &out->at, ADZE_E_SYNTAX, "the '{' is not closed");
	p->pos++;
	return true;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool fill_hex(struct scan *p, const struct literal *lit, const adze_shape *type,
		     unsigned char *bytes)
{
	const char *s = p->text + lit->pos;
	size_t size = dtype_bytes(dtype_part(type->dtype));
	const uint16_t one = 1;
	bool swap = *(const unsigned char *)&one == 0; /* the text is little-endian */
	for (size_t i = 0; i < lit->len; i += 2) {
		int high = hex_digit(s[i]), low = hex_digit(s[i + 1]);
		if (high < 0 || low < 0)
			return scan_fail(p, &lit->at, ADZE_E_SYNTAX,
					 "hex digits are 0 to 9 and a to f, two a byte");
		size_t k = i / 2, within = k % size;
		bytes[swap ? k - within + (size - 1 - within) : k] =
			(unsigned char)(high << 4 | low);
		if (type->dtype == ADZE_BOOL && (high << 4 | low) > 1)
			return scan_fail(p, &lit->at, ADZE_E_SYNTAX, "a bool is 00 or 01");
	}
	return true;
}

static bool fill_elements(struct scan *p, const struct literal *lit, const adze_shape *type,
			  void *bytes)
{
	size_t back = p->pos, count = (size_t)shape_count(type), i = 0;
	struct spot known = p->known;
	p->pos = lit->pos;
	p->known = lit->at;
	for (; !scan_next_is(p, '}'); i++) {
		struct spot at = scan_here(p);
		size_t n = scan_number(p);
		if (i == count)
			return scan_fail(p, &at, ADZE_E_TYPE,
					 "more than the %zu elements of the type", count);
		if (n == 0)
			return scan_expected(p, "an element");
		const char *why = lex_element(p->text + p->pos, n, type->dtype, bytes, i);
		if (why != NULL)
			return scan_fail(p, &at, ADZE_E_SYNTAX, "%s: '%.*s' %s",
					 dtype_info(type->dtype)->name, (int)(n < 40 ? n : 40),
					 p->text + p->pos, why);
		p->pos += n;
		if (!scan_accept(p, ',') && !scan_next_is(p, '}'))
			return scan_expected(p, "',' or '}'");
	}
	if (i != count)
		return scan_fail(p, &lit->at, ADZE_E_TYPE, "%zu elements for a type of %zu", i,
				 count);
	p->pos = back;
	p->known = known;
	return true;
}

void *scan_data(struct scan *p, const struct literal *lit, const adze_shape *type, size_t *len)
{
	char want[SHAPE_TEXT];
	if (!shape_is_static(type)) {
		scan_fail(p, &lit->at, ADZE_E_TYPE, "const: %s has a symbol",
			  shape_print(type, want, sizeof want));
		return NULL;
	}
	/* An element takes a character at least: no type makes us ask for more than the text. */
	*len = (size_t)shape_bytes(type);
	if (lit->is_hex ? *len != lit->len / 2 || lit->len % 2 != 0
			: (size_t)shape_count(type) > p->len) {
		scan_fail(p, &lit->at, ADZE_E_TYPE, "const: the data is not %zu bytes, as %s is",
			  *len, shape_print(type, want, sizeof want));
		return NULL;
	}
	void *bytes = mem_new(p->from, *len, 1);
	if (bytes == NULL) {
		scan_no_memory(p);
		return NULL;
	}
	if (lit->is_hex ? fill_hex(p, lit, type, bytes) : fill_elements(p, lit, type, bytes))
		return bytes;
	mem_free(p->from, bytes, *len, 1);
	return NULL;
}
