/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static void *libc_resize(void *self, void *ptr, size_t old_size, size_t new_size)
{
	(void)self;
	(void)old_size;
	if (new_size == 0) {
		free(ptr);
		return NULL;
	}
	return realloc(ptr, new_size);
}

const adze_allocator mem_libc = {libc_resize, NULL};

void *mem_new(const adze_allocator *a, size_t n, size_t size)
{
	size_t bytes;
	if (!size_mul(n, size, &bytes))
		return NULL;
	if (bytes == 0)
		bytes = 1;
	void *p = a->resize(a->self, NULL, 0, bytes);
	if (p != NULL)
		memset(p, 0, bytes);
	return p;
}

void mem_free(const adze_allocator *a, void *ptr, size_t n, size_t size)
{
	if (ptr == NULL)
		return;
	size_t bytes = n * size;
	a->resize(a->self, ptr, bytes ? bytes : 1, 0);
}

/* The bytes before an aligned block say where its memory begins and how long it is. */
struct aligned_head {
	void *start;
	size_t bytes;
};

/* Large pages where the system has them to give: reading many rows at once, half of the time goes
 * into page tables otherwise. */
static void advise(char *at, size_t bytes)
{
#ifdef MADV_HUGEPAGE
	const uintptr_t page = (uintptr_t)2 << 20;
	uintptr_t from = ((uintptr_t)at + page - 1) & ~(page - 1);
	uintptr_t to = ((uintptr_t)at + bytes) & ~(page - 1);
	if (bytes >= 4 * page)
		(void)madvise(at + (from - (uintptr_t)at), to - from, MADV_HUGEPAGE);
#else
	(void)at;
	(void)bytes;
#endif
}

void *mem_new_aligned(const adze_allocator *a, size_t bytes, size_t align)
{
	size_t total;
	if (align < sizeof(void *))
		align = sizeof(void *);
	if (!size_add(bytes, align + sizeof(struct aligned_head), &total))
		return NULL;
	char *start = a->resize(a->self, NULL, 0, total);
	if (start == NULL)
		return NULL;
	if (a->resize == libc_resize)
		advise(start, total);
	uintptr_t at = ((uintptr_t)start + sizeof(struct aligned_head) + align - 1) &
		       ~(uintptr_t)(align - 1);
	char *p = start + (at - (uintptr_t)start);
	struct aligned_head head = {start, total};
	memcpy(p - sizeof head, &head, sizeof head);
	return p;
}

void mem_free_aligned(const adze_allocator *a, void *ptr)
{
	if (ptr == NULL)
		return;
	struct aligned_head head;
	memcpy(&head, (char *)ptr - sizeof head, sizeof head);
	a->resize(a->self, head.start, head.bytes, 0);
}

bool mem_grow(const adze_allocator *a, void **ptr, size_t *cap, size_t need, size_t size)
{
	if (need <= *cap)
		return true;
	size_t want = *cap + *cap / 2 + 8;
	size_t bytes;
	if (want < need)
		want = need;
	if (!size_mul(want, size, &bytes))
		return false;
	char *p = a->resize(a->self, *ptr, *cap * size, bytes);
	if (p == NULL)
		return false;
	memset(p + *cap * size, 0, bytes - *cap * size);
	*ptr = p;
	*cap = want;
	return true;
}

struct arena_chunk {
	struct arena_chunk *before;
	size_t bytes; /* of the whole chunk */
	size_t used;  /* with this header */
	size_t pad;
};

#define ARENA_CHUNK 16384

void arena_init(struct arena *r, const adze_allocator *from)
{
	r->from = from;
	r->chunk = NULL;
	r->used = 0;
}

void arena_fini(struct arena *r)
{
	while (r->chunk != NULL) {
		struct arena_chunk *c = r->chunk;
		r->chunk = c->before;
		r->from->resize(r->from->self, c, c->bytes, 0);
	}
}

void *arena_new(struct arena *r, size_t n, size_t size)
{
	size_t bytes;
	if (!size_mul(n, size, &bytes) || bytes > SIZE_MAX / 2)
		return NULL;
	bytes = size_round_up(bytes ? bytes : 1, 16);
	struct arena_chunk *c = r->chunk;
	if (c == NULL || c->bytes - c->used < bytes) {
		size_t head = size_round_up(sizeof *c, 16);
		size_t total = bytes + head > ARENA_CHUNK ? bytes + head : ARENA_CHUNK;
		if (r->used > total && r->used / 2 > total)
			total = r->used / 2;
		c = r->from->resize(r->from->self, NULL, 0, total);
		if (c == NULL)
			return NULL;
		c->before = r->chunk;
		c->bytes = total;
		c->used = head;
		r->chunk = c;
	}
	void *p = (char *)c + c->used;
	c->used += bytes;
	r->used += bytes;
	memset(p, 0, bytes);
	return p;
}

char *arena_text(struct arena *r, const char *text, size_t len)
{
	char *p = arena_new(r, len + 1, 1);
	if (p != NULL && len > 0)
		memcpy(p, text, len);
	return p;
}
