/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash table from hashes to ids, open addressing; what an id stands for, and whether it is the
 * one that is looked for, is the caller's to know. Zero-initialise. Ids are not 0.
 */
#ifndef ADZE_TABLE_H
#define ADZE_TABLE_H

#include "base/mem.h"

struct table_slot {
	uint32_t hash, id;
};

struct table {
	struct table_slot *slot;
	size_t cap, n; /* cap: a power of two, or 0 */
};

/** False, and nothing changed, without memory. */
bool table_add(struct table *t, const adze_allocator *a, uint64_t hash, uint32_t id);
void table_fini(struct table *t, const adze_allocator *a);

/**
 * The ids of a hash one after the other, then 0: `*at` begins at 0.
 *     for (size_t at = 0; (id = table_next(t, hash, &at)) != 0;)
 */
uint32_t table_next(const struct table *t, uint64_t hash, size_t *at);

#endif
