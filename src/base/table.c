/* SPDX-License-Identifier: Apache-2.0 */
#include "base/table.h"

static uint32_t fold(uint64_t hash)
{
	return (uint32_t)(hash ^ hash >> 32);
}

static void put(struct table_slot *slot, size_t cap, struct table_slot s)
{
	size_t i = s.hash & (cap - 1);
	while (slot[i].id != 0)
		i = (i + 1) & (cap - 1);
	slot[i] = s;
}

bool table_add(struct table *t, const adze_allocator *a, uint64_t hash, uint32_t id)
{
	if (t->n * 2 >= t->cap) {
		size_t cap = t->cap > 0 ? t->cap * 2 : 64;
		struct table_slot *slot = mem_new(a, cap, sizeof *slot);
		if (slot == NULL)
			return false;
		for (size_t i = 0; i < t->cap; i++)
			if (t->slot[i].id != 0)
				put(slot, cap, t->slot[i]);
		mem_free(a, t->slot, t->cap, sizeof *t->slot);
		t->slot = slot;
		t->cap = cap;
	}
	put(t->slot, t->cap, (struct table_slot){fold(hash), id});
	t->n++;
	return true;
}

void table_fini(struct table *t, const adze_allocator *a)
{
	mem_free(a, t->slot, t->cap, sizeof *t->slot);
	*t = (struct table){NULL, 0, 0};
}

uint32_t table_next(const struct table *t, uint64_t hash, size_t *at)
{
	uint32_t want = fold(hash);
	while (*at < t->cap) {
		const struct table_slot *s = &t->slot[(want + *at) & (t->cap - 1)];
		if (s->id == 0)
			return 0;
		++*at;
		if (s->hash == want)
			return s->id;
	}
	return 0;
}
