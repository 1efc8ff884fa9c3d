/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiled executables on disk, found by content: DIR/ab/cdef...adze, named by a hash of
 * the graph's text, the device and the tables of this build. Files are written aside and
 * renamed, so that any number of processes may share a folder. What is damaged, or made by
 * another build, is a miss, and the next executable replaces it. Any thread.
 */
#ifndef ADZE_CACHE_H
#define ADZE_CACHE_H

#include "devices/device.h"

/** Where an executable belongs; `path` is empty where none is kept. */
struct cache_key {
	char folder[4096], path[4160];
};

/** `text`: the canonical text of the graph. */
void cache_find_key(const adze_device *dev, const struct text *text, struct cache_key *out);

/**
 * ADZE_OK with `*out` NULL where there is none, or none that can be used; then the log says
 * why. Fails with E_NOMEM alone.
 */
adze_status cache_load(adze_device *dev, const struct cache_key *key, const struct text *text,
		       struct diag *d, adze_exe **out);

/** Keeps the bytes of an executable. Where they cannot be kept, the log says why. */
void cache_store(adze_device *dev, const struct cache_key *key, const void *bytes, size_t len);

/** All bytes of a file, for mem_free() with their number. */
adze_status cache_read_file(const adze_allocator *a, const char *path, struct diag *d,
			    void **out, size_t *len);

#endif
