/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#define XXH_INLINE_ALL
#define XXH_NO_STREAM
#include <xxhash.h>

uint64_t hash_bytes(const void *bytes, size_t len)
{
	return XXH3_64bits(bytes, len);
}

struct hash128 hash128_bytes(const void *bytes, size_t len)
{
	XXH128_hash_t h = XXH3_128bits(bytes, len);
	return (struct hash128){h.low64, h.high64};
}
