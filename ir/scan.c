/* SPDX-License-Identifier: Apache-2.0 */
#include "ir/scan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ir/lexeme.h"

/* ---- places and words ---- */

/* Line and column, in characters, of `pos`, which is not before p->known. */
struct spot scan_spot(struct scan *p, size_t pos)
{
	struct spot *k = &p->known;
	for (; k->pos < pos; k->pos++) {
		if (p->text[k->pos] == '\n') {
			k->line++;
			k->column = 1;
		} else if (((unsigned char)p->text[k->pos] & 0xc0) != 0x80) {
			k->column++;
		}
	}
	return *k;
}

bool scan_fail(struct scan *p, const struct spot *at, adze_status status, const char *format, ...)
{
	char words[DIAG_BYTES / 2];
	va_list args;
	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);
	p->status = fail(p->diag, status, "%.400s:%d:%d: %s", p->file, at->line, at->column, words);
	return false;
}

bool scan_no_memory(struct scan *p)
{
	p->status = fail(p->diag, ADZE_E_NOMEM, "%.400s: no memory for the graph", p->file);
	return false;
}

/* ---- characters ---- */

char scan_peek(const struct scan *p)
{
	return p->pos < p->len ? p->text[p->pos] : '\0';
}

void scan_skip(struct scan *p)
{
	for (; p->pos < p->len; p->pos++) {
		char c = p->text[p->pos];
		if (c == '#') {
			const char *end = memchr(p->text + p->pos, '\n', p->len - p->pos);
			p->pos = end != NULL ? (size_t)(end - p->text) : p->len - 1;
		} else if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
			return;
		}
	}
}

struct spot scan_here(struct scan *p)
{
	scan_skip(p);
	return scan_spot(p, p->pos);
}

bool scan_expected(struct scan *p, const char *what)
{
	struct spot at = scan_here(p);
	size_t n = 0;
	if (p->pos == p->len)
		return scan_fail(p, &at, ADZE_E_SYNTAX, "expected %s, but the text ends", what);
	while (n < 20 && p->pos + n < p->len && (unsigned char)p->text[p->pos + n] > ' ')
		n++;
	while (n > 0 && p->pos + n < p->len && ((unsigned char)p->text[p->pos + n] & 0xc0) == 0x80)
		n++; /* not half a character */
	return scan_fail(p, &at, ADZE_E_SYNTAX, "expected %s, not '%.*s'", what, (int)n,
			 p->text + p->pos);
}

bool scan_next_is(struct scan *p, char c)
{
	scan_skip(p);
	return p->pos < p->len && p->text[p->pos] == c;
}

bool scan_accept(struct scan *p, char c)
{
	if (!scan_next_is(p, c))
		return false;
	p->pos++;
	return true;
}

bool scan_expect(struct scan *p, char c)
{
	char what[4] = {'\'', c, '\'', '\0'};
	return scan_accept(p, c) || scan_expected(p, what);
}

bool scan_in_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '.';
}

/* Letters, digits, '_' and '.' that follow; may be none. */
size_t scan_word(struct scan *p)
{
	size_t n = 0;
	scan_skip(p);
	while (p->pos + n < p->len && scan_in_word(p->text[p->pos + n]))
		n++;
	return n;
}

bool scan_word_is(struct scan *p, const char *word)
{
	size_t n = scan_word(p);
	return n == strlen(word) && memcmp(p->text + p->pos, word, n) == 0;
}

bool scan_accept_word(struct scan *p, const char *word)
{
	if (!scan_word_is(p, word))
		return false;
	p->pos += strlen(word);
	return true;
}

/* Characters that numbers, nan, true and so on are made of. */
size_t scan_number(struct scan *p)
{
	size_t n = 0;
	scan_skip(p);
	while (p->pos + n < p->len) {
		char c = p->text[p->pos + n];
		if (!scan_in_word(c) && c != '-' && c != '+')
			break;
		n++;
	}
	return n;
}

bool scan_int(struct scan *p, int64_t least, int64_t most, int64_t *out)
{
	struct spot at = scan_here(p);
	size_t n = scan_number(p);
	const char *text = p->text + p->pos;
	if (n == 0)
		return scan_expected(p, "an integer");
	if (!lex_int(text, n, out))
		return scan_fail(p, &at, ADZE_E_SYNTAX, "'%.*s' is no integer of 64 bits",
				 (int)(n < 40 ? n : 40), text);
	if (*out < least || *out > most)
		return scan_fail(p, &at, ADZE_E_SYNTAX,
				 "%" PRId64 " is not in the range %" PRId64 " to %" PRId64, *out,
				 least, most);
	p->pos += n;
	return true;
}

/* ---- names ---- */

static bool read_hex4(const char *s, unsigned *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		char c = s[i];
		unsigned v = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
			     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
						    : 16;
		if (v == 16)
			return false;
		*out = *out * 16 + v;
	}
	return true;
}

static size_t put_utf8(char *out, unsigned c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[5] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(lead[n] | c);
	return n;
}

/* The escape at `s`, behind the backslash: its length, 0 where it is none. */
static size_t read_escape(const char *s, size_t len, char *out, size_t *nout)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at = len > 0 && s[0] != '\0' ? strchr(from, s[0]) : NULL;
	unsigned high, low;
	if (at != NULL) {
		out[(*nout)++] = to[at - from];
		return 1;
	}
	if (len < 5 || s[0] != 'u' || !read_hex4(s + 1, &high) || high == 0 ||
	    (high >= 0xdc00 && high <= 0xdfff))
		return 0;
	if (high < 0xd800 || high > 0xdbff) {
		*nout += put_utf8(out + *nout, high);
		return 5;
	}
	if (len < 11 || s[5] != '\\' || s[6] != 'u' || !read_hex4(s + 7, &low) || low < 0xdc00 ||
	    low > 0xdfff)
		return 0;
	*nout += put_utf8(out + *nout, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
	return 11;
}

/* A text in quotes; the result, in the scratch arena, is never longer than what is written. */
static bool read_quoted(struct scan *p, const char **out, size_t *nout)
{
	struct spot at = scan_here(p);
	const char *s = p->text + p->pos + 1;
	size_t most = p->len - p->pos - 1, len = 0;
	while (len < most && s[len] != '"' && (unsigned char)s[len] >= ' ')
		len += s[len] == '\\' ? 2 : 1;
	if (len >= most || s[len] != '"')
		return scan_fail(p, &at, ADZE_E_SYNTAX, "the quote is not closed on its line");
	char *name = arena_new(&p->scratch, len + 1, 1);
	if (name == NULL)
		return scan_no_memory(p);
	*nout = 0;
	for (size_t i = 0; i < len;) {
		if (s[i] != '\\') {
			name[(*nout)++] = s[i++];
			continue;
		}
		size_t n = read_escape(s + i + 1, len - i - 1, name, nout);
		if (n == 0) {
			at = scan_spot(p, p->pos + 1 + i);
			return scan_fail(p, &at, ADZE_E_SYNTAX, "no such escape in a quoted name");
		}
		i += n + 1;
	}
	if (*nout == 0)
		return scan_fail(p, &at, ADZE_E_SYNTAX, "a name is empty");
	p->pos += len + 2;
	*out = name;
	return true;
}

/* A plain or a quoted name, `what` for messages. */
bool scan_name(struct scan *p, const char *what, const char **out, size_t *nout)
{
	if (scan_next_is(p, '"'))
		return read_quoted(p, out, nout);
	size_t n = scan_word(p);
	if (!lex_is_identifier(p->text + p->pos, n))
		return scan_expected(p, what);
	*out = p->text + p->pos;
	*nout = n;
	p->pos += n;
	return true;
}

/* ---- types ---- */

bool scan_type(struct scan *p, adze_shape *out)
{
	struct spot at = scan_here(p);
	size_t n = scan_word(p), len = 0;
	const char *word = p->text + p->pos;
	adze_dtype dtype = dtype_find(word, n);
	if (n == 0)
		return scan_expected(p, "a type like f32[2, 3]");
	if (dtype == ADZE_DTYPE_COUNT)
		return scan_fail(p, &at, ADZE_E_SYNTAX, "'%.*s' is no element type",
				 (int)(n < 40 ? n : 40), word);
	p->pos += n;
	if (scan_peek(p) != '[')
		return scan_expected(p, "'[' and the extents, or '[]' for a scalar,");
	const char *shape = p->text + p->pos;
	size_t most = p->len - p->pos;
	while (len < most && shape[len] != ']' && shape[len] != '\n' && shape[len] != '#')
		len++;
	if (len == most || shape[len] != ']')
		return scan_fail(p, &at, ADZE_E_SYNTAX, "the type lacks its ']' on this line");
	len++;
	struct diag d = {ADZE_OK, ""};
	if (len > SHAPE_TEXT)
		return scan_fail(p, &at, ADZE_E_LIMIT, "a type is longer than %d characters",
				 SHAPE_TEXT);
	if (shape_parse(shape, len, dtype, out, &d) != ADZE_OK)
		return scan_fail(p, &at, d.status, "%s", d.text);
	p->pos += len;
	return true;
}
