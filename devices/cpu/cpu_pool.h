/* SPDX-License-Identifier: Apache-2.0
 *
 * Worker threads of a CPU device. They sleep between calls, spin for a short while between
 * the steps of one call, and share a step's tasks by taking the next number. A call's own
 * thread works too, so a pool of n threads has n - 1 workers. Several calls at once share the
 * workers; each call takes one of them away, so that no more threads work than the pool has.
 * Which thread runs a task never changes what it computes. docs/threads.md says more.
 */
#ifndef ADZE_CPU_POOL_H
#define ADZE_CPU_POOL_H

#include <stdatomic.h>

#include "base/context.h"

#define CPU_MAX_THREADS 1024
#define CPU_MAX_NODES 16

struct cpu_pool;
struct cpu_team; /* what one call has of it */

/** Runs task `task` of a job; `worker` is 0 .. cpu_pool_threads() - 1, each used by one thread
 * at a time within a job. */
typedef void cpu_task(void *job, size_t task, int worker);

/**
 * A pool of up to `threads` threads (0: one for each core that the process may use, within its
 * cpuset and CPU quota), of which no more than `cpus` work at a time (0: the hardware threads
 * that it may use, and then a worker that other processes keep from working rests for a
 * while). Workers are bound to cores
 * through hwloc where the context's configuration wants it, and places for `lent` threads of
 * the program are kept. Workers start at the first run of two tasks; where the system gives
 * fewer, those that are there do the work. E_NOMEM, or E_LIMIT for a number that is not within
 * 0 .. CPU_MAX_THREADS. Words about binding and missing workers go to the log. After fork() a
 * child starts workers of its own. Workers block all signals but those that a fault of their
 * own raises (SIGSEGV and the like), and compute in the default floating-point mode.
 */
adze_status cpu_pool_create(adze_context *c, int threads, int cpus, struct cpu_pool **out,
			    struct diag *d);
void cpu_pool_destroy(struct cpu_pool *p);
int cpu_pool_threads(const struct cpu_pool *p);

/** Begins a call; any number at a time. NULL: one of too many, and it works alone. */
struct cpu_team *cpu_pool_begin(struct cpu_pool *p);
void cpu_pool_end(struct cpu_pool *p, struct cpu_team *t);

/**
 * Runs tasks 0 .. n - 1 and returns when all are done. Between cpu_pool_begin() and _end(), by
 * the thread that began. Where workers are bound on several NUMA nodes, each node first takes
 * its own share of the numbers, the same share of every job. `t` NULL: one after the other,
 * worker 0. n of 0 or 1 wakes nobody.
 */
void cpu_pool_run(struct cpu_team *t, cpu_task *run, void *job, size_t n);

/**
 * The calling thread works until `until` is set and cpu_pool_recall() was called after. E_LIMIT
 * where all places of lent threads are taken.
 */
adze_status cpu_pool_lend(struct cpu_pool *p, const atomic_bool *until, struct diag *d);
/** Has lent threads that sleep look at their flag. */
void cpu_pool_recall(struct cpu_pool *p);

/** Overwrites some bytes of each page, so that new memory comes to the nodes whose share of a
 * job of as many rows it is. */
void cpu_pool_touch(struct cpu_pool *p, void *at, size_t bytes);

/** Cores this process may use: cpuset and CPU quota (cgroup v1 and v2) counted in; at least 1. */
int cpu_topo_cores(void);
/** The same of hardware threads, of which a core may have several. */
int cpu_topo_cpus(void);
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
/** The first hardware thread of a core, and the NUMA node of it: 0, 1 ... of those in use. */
struct cpu_place {
	int cpu, node;
};
/**
 * The cores in `m`, those of a node together, to `place` [0 .. n - 1]; returns how many. With
 * hwloc this takes milliseconds; without it, all is one node.
 */
int cpu_topo_place(const struct cpu_mask *m, struct cpu_place *place, int n);
/** Whether the machine has memory on more than one NUMA node. `root` as below. */
bool cpu_topo_numa(const char *root);
/**
 * Cores' worth of time that cgroups allow this process, rounded up; 0 where there is no limit.
 * `root` is what stands before the paths of files: "" but in tests.
 */
int cpu_topo_quota(const char *root);

#endif
