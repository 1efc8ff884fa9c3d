/* SPDX-License-Identifier: Apache-2.0
 *
 * What is recorded of the calls of one executable. All memory is there before a call, which
 * takes the next free record by one atomic addition, so that several calls may record at once;
 * what finds no record is counted. Costs are not recorded: the driver tells them afterwards,
 * for the values that a call gave the symbols.
 */
#ifndef ADZE_DEVICE_PROFILE_H
#define ADZE_DEVICE_PROFILE_H

#include <time.h>

#include "devices/device.h"

#define PROFILE_NONE UINT32_MAX

struct profile_record {
	uint64_t start, end; /* nanoseconds of CLOCK_MONOTONIC */
	uint32_t step, call;
	uint32_t inside;     /* record of the step that ran it; PROFILE_NONE */
	int32_t worker;      /* -1: the step; else a thread's part of it */
};

struct profile_call {
	uint64_t start, end; /* of the device's part of a call; end 0: it failed */
	int64_t symbol[ADZE_MAX_SYMBOLS];
};

struct device_profile {
	size_t most_records, most_calls;
	struct profile_record *record;
	struct profile_call *call;
	atomic_size_t nrecord, ncall; /* asked for; above the most: lost */
};

/** What a step of an executable is. Strings live as long as the executable. */
struct device_step {
	const char *name;   /* "gemm f32 bf16": what runs */
	const char *kernel; /* its function; "" where that is many, or none */
	const char *value;  /* of the planned graph: "%12", or an output's name; or "" */
	const char *what;   /* its operations: "dot, add, gelu"; or "" */
	const char *file;   /* where a program asked for it; "" where that is not known */
	int line;
	char text[40];      /* what `name` points to */
	char shapes[120];   /* of what it makes, then of what it reads: "f32[7,32] f32[7,64]" */
	adze_cost cost;
};

static inline uint64_t profile_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/** A record from now on; PROFILE_NONE where there is none left. */
static inline uint32_t profile_begin(struct device_profile *p, uint32_t call,
				     uint32_t step, uint32_t inside)
{
	size_t i = atomic_fetch_add_explicit(&p->nrecord, 1, memory_order_relaxed);
	if (i >= p->most_records)
		return PROFILE_NONE;
	p->record[i] = (struct profile_record){profile_now(), 0, step, call, inside, -1};
	return (uint32_t)i;
}

static inline void profile_end(struct device_profile *p, uint32_t record)
{
	if (record != PROFILE_NONE)
		p->record[record].end = profile_now();
}

/** A thread's part of a step that is over. */
static inline void profile_part(struct device_profile *p, uint32_t inside, int worker,
				uint64_t start, uint64_t end)
{
	size_t i = atomic_fetch_add_explicit(&p->nrecord, 1, memory_order_relaxed);
	if (inside == PROFILE_NONE || i >= p->most_records)
		return;
	const struct profile_record *s = &p->record[inside];
	p->record[i] = (struct profile_record){start, end, s->step, s->call, inside, worker};
}

#endif
