/* SPDX-License-Identifier: Apache-2.0
 *
 * Profiles: when each step of an executable ran, and what it took. A part of adze.h. A profile is
 * made before the calls that it records; a call then allocates nothing, and takes the next free
 * record as each step begins. Calls of several threads may record at the same time.
 *
 *     adze_profile_create(exe, 100, 100 * 64, &profile);
 *     adze_module_profile(module, profile);
 *     ... calls ...
 *     for (size_t i = 0; adze_profile_step_at(profile, i, &step); i++)
 *             printf("%s %s: %.1f us\n", step.name, step.value, step.total_ns * 1e-3);
 *
 * What reads a profile waits until no call records to it.
 */
#ifndef ADZE_PROFILE_H
#define ADZE_PROFILE_H

/**
 * Room for `calls` calls and `records` records: one for each step of a call, and one more for each
 * thread that works on it; steps in a loop count each time. E_UNSUPPORTED where the device cannot
 * tell.
 */
ADZE_API adze_status adze_profile_create(adze_exe *exe, size_t calls, size_t records,
					 adze_profile **out);
/** No module records to it any more: see adze_module_profile(). */
ADZE_API void adze_profile_destroy(adze_profile *profile);
/** Forgets what it has; no call may be under way. */
ADZE_API void adze_profile_clear(adze_profile *profile);

/**
 * Calls of the module that begin from now on record to `profile`, which is of its executable;
 * NULL: they record nothing. The profile must outlive calls that have begun.
 */
ADZE_API adze_status adze_module_profile(adze_module *module, adze_profile *profile);

/** Calls, and records, that it has; `lost`: how many more found no room. May be NULL. */
ADZE_API size_t adze_profile_calls(const adze_profile *profile, size_t *lost);
ADZE_API size_t adze_profile_records(const adze_profile *profile, size_t *lost);

/** A record: one run of a step, or (worker >= 0) one thread's part of it. */
typedef struct adze_profile_record {
	uint32_t call, step;   /* from 0 */
	int32_t worker;        /* -1: the step; 0: the thread that called */
	uint32_t inside;       /* the record of the loop, branch or step that it is a part of */
	uint64_t start_ns, end_ns; /* CLOCK_MONOTONIC */
	adze_cost cost;        /* of the step, for the sizes of this call */
	const char *shapes;    /* what it makes and reads: until another record is asked for */
} adze_profile_record;
#define ADZE_PROFILE_NONE UINT32_MAX /* `inside` of a step of the graph itself */

/** In the order in which they began, of each call. False where `i` is past the end. */
ADZE_API bool adze_profile_record_at(adze_profile *profile, size_t i, adze_profile_record *out);
/** When a call began and ended (0: it failed), without its checks. False past the end. */
ADZE_API bool adze_profile_call_at(const adze_profile *profile, size_t i, uint64_t *start_ns,
				   uint64_t *end_ns);

/** A step: what it is, and what all its records say. Strings live as long as the executable. */
typedef struct adze_profile_step {
	const char *name;   /* "gemm f32": the kind of step; lives as long as the profile */
	const char *kernel; /* the function, "softmax_f32_avx2"; "" where there are several */
	const char *value;  /* what it makes: "%12" of the planned graph, an output's name, or "" */
	const char *what;   /* the operations in it: "dot+add+gelu"; or "" */
	const char *shapes; /* of what it makes, then of what it reads, in one of the calls */
	const char *file;   /* the line of the program that asked for it; "" and 0: not known */
	int line;
	uint64_t runs;      /* those below are 0 where it never ran */
	uint64_t min_ns, median_ns, total_ns;
	uint64_t inside_ns; /* of the total: in steps that it ran, as loops and branches do */
	adze_cost cost;     /* of all runs together */
} adze_profile_step;

/** Step `i` of the executable. False where there is none. */
ADZE_API bool adze_profile_step_at(adze_profile *profile, size_t i, adze_profile_step *out);

/** The most that a machine does in a second; 0: not known. `adze bench ceilings` measures it. */
typedef struct adze_ceilings {
	double flops; /* of f32 */
	double ops;   /* of sums of products of bytes */
	double read;  /* bytes read from memory */
	double copy;  /* bytes copied in memory, read and written together */
} adze_ceilings;

typedef enum adze_bound {
	ADZE_BOUND_NONE,   /* nothing is counted, or no ceiling known */
	ADZE_BOUND_MEMORY, /* reading and writing takes longest */
	ADZE_BOUND_COMPUTE
} adze_bound;

/**
 * The least seconds that work can take: what binds it, to `bound` unless that is NULL. That by the
 * time that it took is its share of the ceiling; above 1 where operands came from a cache.
 */
ADZE_API double adze_cost_seconds(const adze_cost *cost, const adze_ceilings *ceilings,
				  adze_bound *bound);

#endif
