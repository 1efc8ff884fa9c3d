/* SPDX-License-Identifier: Apache-2.0
 *
 * What hangs everything together: configuration, allocator, log, the words of failures that
 * have no other object. Safe from any thread.
 */
#ifndef ADZE_CONTEXT_H
#define ADZE_CONTEXT_H

#include <pthread.h>

#include "base/mem.h"

struct adze_context {
	adze_allocator mem;
	adze_config config;     /* strings in `arena` */
	struct arena arena;
	unsigned isa_mask;      /* usable instruction sets: bits 1 << enum isa of cpu.h */
	pthread_mutex_t lock;   /* of the below */
	struct diag last;       /* the latest failure */
	int live;               /* devices and stores that are open */
	void *workers;          /* the pool that its CPU devices share; NULL: none is open */
	int workers_users;
};

/** Logs a line where `level` is wanted. */
void context_log(adze_context *c, adze_log_level level, const char *format, ...)
	PRINTF_LIKE(3, 4);
bool context_logs(const adze_context *c, adze_log_level level);

/** Keeps the words of a failure as the context's latest, and returns its status. */
adze_status context_keep(adze_context *c, const struct diag *d);
adze_status context_fail(adze_context *c, adze_status status, const char *format, ...)
	PRINTF_LIKE(3, 4);

/** Counts an object that needs the context, and off again. */
void context_retain(adze_context *c);
void context_release(adze_context *c);

#endif
