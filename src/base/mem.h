/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory: the allocator hook, checked sizes, growable arrays and arenas. mem.c is the one
 * file that knows malloc().
 */
#ifndef ADZE_MEM_H
#define ADZE_MEM_H

#include "base/status.h"

/** What a NULL hook stands for: the C library's. */
extern const adze_allocator mem_libc;

/** Zeroed memory of `n` times `size` bytes; NULL where it cannot be had or overflows. */
void *mem_new(const adze_allocator *a, size_t n, size_t size);
void mem_free(const adze_allocator *a, void *ptr, size_t n, size_t size);

/** As mem_new(), not zeroed, aligned to `align` (a power of two); freed by the other. */
void *mem_new_aligned(const adze_allocator *a, size_t bytes, size_t align);
void mem_free_aligned(const adze_allocator *a, void *ptr);

/**
 * Makes room for `need` elements of `size` bytes in `*ptr`, which holds `*cap`; grows by
 * half at least. New bytes are zero. False, and nothing changed, without memory.
 */
bool mem_grow(const adze_allocator *a, void **ptr, size_t *cap, size_t need, size_t size);

/** a * b and a + b; false on overflow. */
static inline bool size_mul(size_t a, size_t b, size_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

static inline bool size_add(size_t a, size_t b, size_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}

static inline size_t size_round_up(size_t n, size_t align)
{
	return (n + align - 1) & ~(align - 1);
}

/** Memory that is given back all at once. Zero-initialise but for `from`. */
struct arena {
	const adze_allocator *from; /* borrowed */
	struct arena_chunk *chunk;
	size_t used; /* bytes handed out since arena_init() */
};

void arena_init(struct arena *r, const adze_allocator *from);
void arena_fini(struct arena *r);

/** Zeroed memory aligned to 16; NULL without memory. */
void *arena_new(struct arena *r, size_t n, size_t size);
char *arena_text(struct arena *r, const char *text, size_t len);

#endif
