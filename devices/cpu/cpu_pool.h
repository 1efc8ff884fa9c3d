/* SPDX-License-Identifier: Apache-2.0
 *
 * Worker threads of a CPU device. They sleep between calls, spin for a short while between
 * the steps of one call, and share a step's tasks by taking the next number. A call's own
 * thread works too, so a pool of n threads has n - 1 workers. Which thread runs a task never
 * changes what it computes.
 */
#ifndef ADZE_CPU_POOL_H
#define ADZE_CPU_POOL_H

#include "base/context.h"

#define CPU_MAX_THREADS 1024

struct cpu_pool;

/** Runs task `task` of a job; `worker` is 0 .. cpu_pool_threads() - 1, each used by one thread
 * at a time within a job. */
typedef void cpu_task(void *job, size_t task, int worker);

/**
 * A pool of up to `threads` threads (0: one for each core that the process may use, within its
 * cpuset and CPU quota); workers are bound to cores through hwloc where the context's
 * configuration wants it. Workers start at the first run of two tasks; where the system gives
 * fewer, those that are there do the work. E_NOMEM, or E_LIMIT for a number that is not within
 * 0 .. CPU_MAX_THREADS. Words about binding and missing workers go to the log.
 * After fork() a child starts workers of its own. Workers block all
 * signals but those that a fault of their own raises (SIGSEGV and the like).
 */
adze_status cpu_pool_create(adze_context *c, int threads, struct cpu_pool **out, struct diag *d);
void cpu_pool_destroy(struct cpu_pool *p);
int cpu_pool_threads(const struct cpu_pool *p);

/**
 * Takes the workers for a call; false where another call has them, and the caller then works
 * alone: cpu_pool_run() with `p` NULL.
 */
bool cpu_pool_begin(struct cpu_pool *p);
void cpu_pool_end(struct cpu_pool *p);

/**
 * Runs tasks 0 .. n - 1 and returns when all are done. Between cpu_pool_begin() and _end(), by
 * the thread that began. `p` NULL: one after the other, worker 0. n of 0 or 1 wakes nobody.
 */
void cpu_pool_run(struct cpu_pool *p, cpu_task *run, void *job, size_t n);

/** Cores this process may use: cpuset and CPU quota (cgroup v1 and v2) counted in; at least 1. */
int cpu_topo_cores(void);
/** "2 cores, 1 NUMA node, ..." for `adze devices`. */
void cpu_topo_describe(char *out, size_t cap);

/** Hardware threads by the system's numbers, as sched_getaffinity() fills them in. */
#define CPU_MASK_BITS 8192
struct cpu_mask {
	unsigned long bits[CPU_MASK_BITS / 8 / sizeof(unsigned long)];
};

/** What the calling thread may run on; false where the system does not tell. */
bool cpu_topo_mask(struct cpu_mask *out);
/** Cores with a hardware thread in `m`. CPU quota does not count. Reads a few small files. */
int cpu_topo_cores_in(const struct cpu_mask *m);
/**
 * The first hardware thread of each core in `m`, neighbours next to each other, to
 * `cpu` [0 .. n - 1]; returns how many. With hwloc this takes milliseconds.
 */
int cpu_topo_place(const struct cpu_mask *m, int *cpu, int n);
/**
 * Cores' worth of time that cgroups allow this process, rounded up; 0 where there is no limit.
 * `root` is what stands before the paths of files: "" but in tests.
 */
int cpu_topo_quota(const char *root);

#endif
