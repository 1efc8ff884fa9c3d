/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void text_init(struct text *t, const adze_allocator *from)
{
	memset(t, 0, sizeof *t);
	t->from = from;
}

void text_fini(struct text *t)
{
	if (t->from != NULL)
		mem_free(t->from, t->at, t->cap, 1);
	t->at = NULL;
	t->len = t->cap = 0;
}

static bool room(struct text *t, size_t more)
{
	size_t need;
	if (t->failed || !size_add(t->len, more, &need) || !size_add(need, 1, &need)) {
		t->failed = true;
		return false;
	}
	void *at = t->at;
	if (need > t->cap && need < 2 * t->cap)
		need = 2 * t->cap;
	if (!mem_grow(t->from, &at, &t->cap, need, 1)) {
		t->failed = true;
		return false;
	}
	t->at = at;
	return true;
}

void text_add(struct text *t, const char *format, ...)
{
	char small[256];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	if (n < 0) {
		t->failed = true;
	} else if ((size_t)n < sizeof small) {
		text_bytes(t, small, (size_t)n);
	} else if (room(t, (size_t)n)) {
		va_start(args, format);
		vsnprintf(t->at + t->len, (size_t)n + 1, format, args);
		va_end(args);
		t->len += (size_t)n;
	}
}

void text_bytes(struct text *t, const void *bytes, size_t len)
{
	if (!room(t, len))
		return;
	if (len > 0)
		memcpy(t->at + t->len, bytes, len);
	t->len += len;
	t->at[t->len] = '\0';
}

void text_zeros(struct text *t, size_t len)
{
	if (!room(t, len))
		return;
	memset(t->at + t->len, 0, len + 1);
	t->len += len;
}

void text_u8(struct text *t, uint8_t v)
{
	text_bytes(t, &v, 1);
}

void text_u16(struct text *t, uint16_t v)
{
	unsigned char b[2] = {(unsigned char)v, (unsigned char)(v >> 8)};
	text_bytes(t, b, sizeof b);
}

void text_u32(struct text *t, uint32_t v)
{
	unsigned char b[4];
	for (int i = 0; i < 4; i++)
		b[i] = (unsigned char)(v >> (8 * i));
	text_bytes(t, b, sizeof b);
}

void text_u64(struct text *t, uint64_t v)
{
	text_u32(t, (uint32_t)v);
	text_u32(t, (uint32_t)(v >> 32));
}

void text_name(struct text *t, const char *name)
{
	size_t n = strlen(name);
	text_u32(t, (uint32_t)n);
	text_bytes(t, name, n);
}

const void *read_bytes(struct reader *r, size_t len)
{
	if (r->failed || len > r->len - r->pos) {
		r->failed = true;
		return NULL;
	}
	const void *p = r->at + r->pos;
	r->pos += len;
	return p;
}

static uint64_t read_little(struct reader *r, size_t bytes)
{
	const unsigned char *b = read_bytes(r, bytes);
	uint64_t v = 0;
	for (size_t i = 0; b != NULL && i < bytes; i++)
		v |= (uint64_t)b[i] << (8 * i);
	return v;
}

uint8_t read_u8(struct reader *r)
{
	return (uint8_t)read_little(r, 1);
}

uint16_t read_u16(struct reader *r)
{
	return (uint16_t)read_little(r, 2);
}

uint32_t read_u32(struct reader *r)
{
	return (uint32_t)read_little(r, 4);
}

uint64_t read_u64(struct reader *r)
{
	return read_little(r, 8);
}

void read_name(struct reader *r, char *out, size_t cap)
{
	uint32_t n = read_u32(r);
	const char *p = read_bytes(r, n);
	out[0] = '\0';
	if (p == NULL)
		return;
	if (n >= cap || memchr(p, 0, n) != NULL) {
		r->failed = true;
		return;
	}
	memcpy(out, p, n);
	out[n] = '\0';
}
