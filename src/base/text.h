/* SPDX-License-Identifier: Apache-2.0
 *
 * Growing bytes, for text and for files: appends are sticky, so that code that builds
 * has no checks; text_finish() or `failed` tells. Numbers are little-endian.
 */
#ifndef ADZE_TEXT_H
#define ADZE_TEXT_H

#include "base/mem.h"

struct text {
	const adze_allocator *from; /* borrowed */
	char *at;                   /* always ends in a zero byte once not NULL */
	size_t len, cap;
	bool failed;
};

void text_init(struct text *t, const adze_allocator *from);
void text_fini(struct text *t);
void text_add(struct text *t, const char *format, ...) PRINTF_LIKE(2, 3);
void text_bytes(struct text *t, const void *bytes, size_t len);
void text_zeros(struct text *t, size_t len);
void text_u8(struct text *t, uint8_t v);
void text_u16(struct text *t, uint16_t v);
void text_u32(struct text *t, uint32_t v);
void text_u64(struct text *t, uint64_t v);
/** Length as u32, then the bytes. */
void text_name(struct text *t, const char *name);

/** Reads what text_* wrote; sticky as well: after a failure all reads give 0. */
struct reader {
	const unsigned char *at;
	size_t len, pos;
	bool failed;
};

uint8_t read_u8(struct reader *r);
uint16_t read_u16(struct reader *r);
uint32_t read_u32(struct reader *r);
uint64_t read_u64(struct reader *r);
/** `len` bytes in place, NULL past the end. */
const void *read_bytes(struct reader *r, size_t len);
/** A text_name() of at most `cap` - 1 bytes without zeros into `out`. */
void read_name(struct reader *r, char *out, size_t cap);

#endif
