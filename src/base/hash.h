/* SPDX-License-Identifier: Apache-2.0
 *
 * Hashes: XXH3 of the xxHash library, header only (github.com/Cyan4973/xxHash). They
 * find accidents, not attackers.
 */
#ifndef ADZE_HASH_H
#define ADZE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *bytes, size_t len);

struct hash128 {
	uint64_t low, high;
};

struct hash128 hash128_bytes(const void *bytes, size_t len);

#endif
