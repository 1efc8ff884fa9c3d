/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the text form piece by piece, for parse.c: characters, words, numbers, names,
 * types, the data of constants. Everything but scan_peek() skips white space and comments
 * first. What returns bool records a failure, with its place, and gives false.
 */
#ifndef ADZE_SCAN_H
#define ADZE_SCAN_H

#include "ir/graph.h"

/** A place in the text; line and column count from 1, columns in characters. */
struct spot {
	size_t pos;
	int line, column;
};

struct scan {
	const adze_allocator *from;
	const char *file, *text; /* borrowed */
	size_t len;
	size_t pos;
	struct spot known; /* trails `pos`; its column is counted up when it is asked for */
	struct arena scratch;
	struct diag *diag; /* borrowed, may be NULL */
	adze_status status;
};

/** The place of `pos`, which must not be before one that was asked for. */
struct spot scan_spot(struct scan *p, size_t pos);
/** The place of what comes next. */
struct spot scan_here(struct scan *p);

/** These record a failure and are false: words, what was expected here, no memory. */
bool scan_fail(struct scan *p, const struct spot *at, adze_status status, const char *format, ...)
	PRINTF_LIKE(4, 5);
bool scan_expected(struct scan *p, const char *what);
bool scan_no_memory(struct scan *p);

/** The character at `pos`, zero at the end. */
char scan_peek(const struct scan *p);
void scan_skip(struct scan *p);
bool scan_next_is(struct scan *p, char c);
/** Whether `c` came next; it is then behind us. */
bool scan_accept(struct scan *p, char c);
bool scan_expect(struct scan *p, char c);

/** Letters, digits, '_' and '.': what words are made of. */
bool scan_in_word(char c);
/** How long the word that comes next is, 0 for none. It stays before us. */
size_t scan_word(struct scan *p);
bool scan_word_is(struct scan *p, const char *word);
bool scan_accept_word(struct scan *p, const char *word);

/** How long the number (or nan, true ...) that comes next is. It stays before us. */
size_t scan_number(struct scan *p);
bool scan_int(struct scan *p, int64_t least, int64_t most, int64_t *out);

/** A plain or a quoted name, in the text or in p->scratch; `what` for messages. */
bool scan_name(struct scan *p, const char *what, const char **out, size_t *nout);
bool scan_type(struct scan *p, adze_shape *out);

/** The data of a constant, found; read when its type is known. */
struct literal {
	bool is_hex;
	size_t pos; /* behind the '{' or the quote */
	size_t len; /* hex digits */
	struct spot at;
};

/** Whether {...} or hex"..." comes next. */
bool scan_at_literal(struct scan *p);
bool scan_literal(struct scan *p, struct literal *out);
/**
 * The bytes of a literal of that type; NULL after a failure. The caller gives them back:
 * mem_free(p->from, bytes, *len, 1).
 */
void *scan_data(struct scan *p, const struct literal *lit, const adze_shape *type, size_t *len);

#endif
