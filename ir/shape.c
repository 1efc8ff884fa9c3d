/* SPDX-License-Identifier: Apache-2.0
 *
 * Shapes: text, checks, sizes.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/graph.h"

/* No extent, count or size in bytes may come near what int64_t holds. */
#define SIZE_LIMIT ((int64_t)1 << 56)

adze_dim dim_make(int64_t extent)
{
	adze_dim d;
	memset(&d, 0, sizeof d);
	d.size = extent;
	d.scale = 1;
	return d;
}

adze_shape shape_make(adze_dtype dtype, int rank, const int64_t *extent)
{
	adze_shape s;
	memset(&s, 0, sizeof s);
	s.dtype = dtype;
	s.rank = rank;
	for (int i = 0; i < rank; i++)
		s.dim[i] = dim_make(extent[i]);
	return s;
}

/* Of ASCII, whatever the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

struct cursor {
	const char *at, *end;
};

static void skip_space(struct cursor *c)
{
	while (c->at < c->end &&
	       (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
		c->at++;
}

static bool take(struct cursor *c, const char *word)
{
	size_t n = strlen(word);
	skip_space(c);
	if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0)
		return false;
	c->at += n;
	return true;
}

static bool take_number(struct cursor *c, int64_t *out)
{
	skip_space(c);
	if (c->at == c->end || !is_digit(*c->at))
		return false;
	int64_t v = 0;
	while (c->at < c->end && is_digit(*c->at)) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, *c->at - '0', &v))
			return false;
		c->at++;
	}
	*out = v;
	return true;
}

static bool take_name(struct cursor *c, char *out)
{
	size_t n = 0;
	skip_space(c);
	while (c->at + n < c->end && is_name(c->at[n]))
		n++;
	if (n == 0 || is_digit(*c->at) || n >= ADZE_MAX_AXIS)
		return false;
	memcpy(out, c->at, n);
	out[n] = '\0';
	c->at += n;
	return true;
}

/* After an optional `name=`: a number, or [number*]symbol<=bound. */
static bool take_extent(struct cursor *c, adze_dim *d)
{
	int64_t n = 1;
	if (take_number(c, &n) && !take(c, "*")) {
		d->size = n;
		return true;
	}
	if (!take_name(c, d->symbol) || !take(c, "<="))
		return false;
	d->scale = n;
	return take_number(c, &d->size) && !__builtin_mul_overflow(d->size, n, &d->size);
}

/* One axis: 128  s=128  t<=512  s=t<=512  _=4*t<=512 */
static bool take_dim(struct cursor *c, adze_dim *d)
{
	memset(d, 0, sizeof *d);
	d->scale = 1;
	struct cursor start = *c;
	if (!take_name(c, d->name))
		return take_extent(c, d);
	if (take(c, "<=")) { /* a bare symbol names its axis too */
		*c = start;
		return take_extent(c, d);
	}
	if (strcmp(d->name, "_") == 0)
		memset(d->name, 0, sizeof d->name);
	return take(c, "=") && take_extent(c, d);
}

adze_status shape_parse(const char *text, size_t len, adze_dtype dtype, adze_shape *out,
			struct diag *d)
{
	struct cursor c = {text, text + len};
	memset(out, 0, sizeof *out);
	out->dtype = dtype;
	bool bracket = take(&c, "[");
	for (skip_space(&c); c.at < c.end && *c.at != ']'; skip_space(&c)) {
		if (out->rank == ADZE_MAX_RANK)
			return fail(d, ADZE_E_LIMIT, "shape '%.*s' has more than %d axes",
				    (int)len, text, ADZE_MAX_RANK);
		const char *start = c.at;
		if (!take_dim(&c, &out->dim[out->rank])) {
			out->rank = 0;
			return fail(d, ADZE_E_SYNTAX,
				    "shape '%.*s': '%.*s' is no axis (want 128, s=128, t<=512, "
				    "s=t<=512 or _=4*t<=512)",
				    (int)(len < 200 ? len : 200), text,
				    (int)(c.end - start < 40 ? c.end - start : 40), start);
		}
		out->rank++;
		take(&c, ",");
	}
	if (bracket && !take(&c, "]"))
		return fail(d, ADZE_E_SYNTAX, "shape '%.*s' lacks its ']'",
			    (int)(len < 200 ? len : 200), text);
	skip_space(&c);
	if (c.at != c.end)
		return fail(d, ADZE_E_SYNTAX, "shape '%.*s' goes on after its end",
			    (int)(len < 200 ? len : 200), text);
	return shape_check(out, d);
}

static void add(char *out, size_t cap, size_t *n, const char *format, ...) PRINTF_LIKE(4, 5);
static void add(char *out, size_t cap, size_t *n, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int k = vsnprintf(out + *n, cap - *n, format, args);
	va_end(args);
	if (k > 0)
		*n = *n + (size_t)k < cap ? *n + (size_t)k : cap - 1;
}

char *shape_print(const adze_shape *s, char *out, size_t cap)
{
	size_t n = 0;
	add(out, cap, &n, "%s[", dtype_info(s->dtype)->name);
	for (int i = 0; i < s->rank; i++) {
		const adze_dim *d = &s->dim[i];
		add(out, cap, &n, "%s", i > 0 ? ", " : "");
		if (dim_is_static(d)) {
			if (d->name[0] != '\0')
				add(out, cap, &n, "%s=", d->name);
			add(out, cap, &n, "%" PRId64, d->size);
			continue;
		}
		if (d->scale != 1 || strcmp(d->name, d->symbol) != 0)
			add(out, cap, &n, "%s=", d->name[0] != '\0' ? d->name : "_");
		if (d->scale != 1)
			add(out, cap, &n, "%" PRId64 "*", d->scale);
		add(out, cap, &n, "%s<=%" PRId64, d->symbol, d->size / d->scale);
	}
	add(out, cap, &n, "]");
	return out;
}

static bool name_is_plain(const char *name)
{
	size_t n = strnlen(name, ADZE_MAX_AXIS);
	if (n == ADZE_MAX_AXIS || is_digit(name[0]) || strcmp(name, "_") == 0)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!is_name(name[i]))
			return false;
	return true;
}

adze_status shape_check(const adze_shape *s, struct diag *d)
{
	if ((unsigned)s->dtype >= ADZE_DTYPE_COUNT)
		return fail(d, ADZE_E_ARGUMENT, "element type %d does not exist", (int)s->dtype);
	if (s->rank < 0 || s->rank > ADZE_MAX_RANK)
		return fail(d, ADZE_E_LIMIT, "a shape has 0 to %d axes, not %d", ADZE_MAX_RANK,
			    (int)s->rank);
	/* Zero extents must not hide an overflow of the others: later reshapes divide. What is
	 * packed counts as bytes, so that elements can be numbered too. */
	int64_t bytes = (int64_t)dtype_bytes(s->dtype);
	for (int i = 0; i < s->rank; i++) {
		const adze_dim *dim = &s->dim[i];
		if (!name_is_plain(dim->name) || !name_is_plain(dim->symbol))
			return fail(d, ADZE_E_ARGUMENT,
				    "axis %d: names are letters, digits and _, up to %d", i,
				    ADZE_MAX_AXIS - 1);
		if (dim->size < 0 || dim->scale < 1 || dim->size % dim->scale != 0)
			return fail(d, ADZE_E_ARGUMENT,
				    "axis %d: extent %" PRId64 " (scale %" PRId64 ") cannot be", i,
				    dim->size, dim->scale);
		int64_t n = dim->size > 0 ? dim->size : dim->scale;
		if (__builtin_mul_overflow(bytes, n, &bytes) || bytes > SIZE_LIMIT)
			return fail(d, ADZE_E_LIMIT, "a shape of more than 2^56 bytes (axis %d)",
				    i);
		for (int j = 0; j < i && dim->name[0] != '\0'; j++)
			if (strcmp(s->dim[j].name, dim->name) == 0)
				return fail(d, ADZE_E_ARGUMENT, "two axes are named '%s'",
					    dim->name);
	}
	return ADZE_OK;
}

bool dim_same(const adze_dim *a, const adze_dim *b)
{
	return a->size == b->size && strcmp(a->symbol, b->symbol) == 0 &&
	       (dim_is_static(a) || a->scale == b->scale);
}

bool shape_same_extents(const adze_shape *a, const adze_shape *b)
{
	if (a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (!dim_same(&a->dim[i], &b->dim[i]))
			return false;
	return true;
}

bool shape_is_static(const adze_shape *s)
{
	for (int i = 0; i < s->rank; i++)
		if (!dim_is_static(&s->dim[i]))
			return false;
	return true;
}

int64_t shape_count(const adze_shape *s)
{
	int64_t n = 1;
	for (int i = 0; i < s->rank; i++)
		n *= s->dim[i].size;
	return n;
}

int64_t shape_bytes(const adze_shape *s)
{
	size_t bytes;
	dtype_array_bytes(s->dtype, (size_t)shape_count(s), &bytes);
	return (int64_t)bytes;
}

int shape_axis(const adze_shape *s, const char *name, size_t len)
{
	char *end;
	char small[ADZE_MAX_AXIS];
	if (len == 0 || len >= sizeof small)
		return -1;
	memcpy(small, name, len);
	small[len] = '\0';
	if (is_digit(small[0]) || small[0] == '-') {
		long v = strtol(small, &end, 10);
		if (*end != '\0' || v >= s->rank || v < -s->rank)
			return -1;
		return (int)(v < 0 ? v + s->rank : v);
	}
	for (int i = 0; i < s->rank; i++)
		if (strcmp(s->dim[i].name, small) == 0)
			return i;
	return -1;
}
