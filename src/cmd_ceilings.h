/* SPDX-License-Identifier: Apache-2.0
 *
 * What this machine can do at most. The library never measures; the commands do, and keep what
 * they found in the cache folder, by processor, instruction sets and threads.
 */
#ifndef ADZE_CMD_CEILINGS_H
#define ADZE_CMD_CEILINGS_H

#include <stdbool.h>

/**
 * Of f32 multiply-adds and int8 products, operations a nanosecond; of reading memory by 8
 * neighbouring rows and in one stream, and the better of both, of copying it (bytes read and
 * written), of reading caches, bytes a nanosecond. 0 where this build cannot measure it.
 */
struct ceilings {
	double fma, dot, read, rows, stream, copy, l1, l2, l3;
};

/** Most threads that are measured; more count as so many. */
#define CEILINGS_THREADS 64

/**
 * Measures with `threads` threads and these instruction sets (bits 1 << enum isa): the best of
 * several runs, since a ceiling is what can be reached at all. `quick`: some 200 ms in all, and
 * neither of the caches but the second; else a second or more.
 */
struct ceilings ceilings_measure(int threads, unsigned isa_mask, bool quick);

/** What was kept in `folder`, which may be NULL; false where there is nothing of use. */
bool ceilings_load(const char *folder, int threads, unsigned isa_mask, struct ceilings *out);
/** Keeps it there; false, without words, where that cannot be. */
bool ceilings_save(const char *folder, int threads, unsigned isa_mask, const struct ceilings *c);

#endif
