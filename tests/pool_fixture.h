/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of the worker pool share: a context whose log and memory are watched, jobs that
 * count, and such whose tasks meet.
 */
#ifndef ADZE_POOL_FIXTURE_H
#define ADZE_POOL_FIXTURE_H

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "devices/cpu/cpu_pool.h"
#include "tests/check.h"

#if defined(__has_feature)
#define FEATURE(name) __has_feature(name)
#else
#define FEATURE(name) 0
#endif
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__) || \
	FEATURE(thread_sanitizer) || FEATURE(address_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* ---- a context, and what is logged to it ---- */

struct fixture {
	adze_context context;
	struct check_memory memory;
	atomic_int warnings;
	char words[256]; /* of the latest warning */
};

static inline void keep_log(void *self, adze_log_level level, const char *text)
{
	struct fixture *f = self;
	if (level > ADZE_LOG_WARN)
		return;
	atomic_fetch_add(&f->warnings, 1);
	snprintf(f->words, sizeof f->words, "%s", text);
}

static inline void setup(struct fixture *f, const char *bind)
{
	memset(f, 0, sizeof *f);
	f->memory.fail_after = -1;
	f->context.mem = (adze_allocator){check_resize, &f->memory};
	f->context.config.log = keep_log;
	f->context.config.log_self = f;
	f->context.config.log_level = ADZE_LOG_DEBUG;
	f->context.config.bind = bind;
}

/* As many threads work at a time, however few cores there are: each test has them race. */
static inline struct cpu_pool *make(struct fixture *f, int threads)
{
	struct cpu_pool *p;
	struct diag d = {ADZE_OK, ""};
	CHECK_MSG(cpu_pool_create(&f->context, threads, threads, &p, &d) == ADZE_OK, "%s", d.text);
	return p;
}

static inline struct cpu_team *begin(struct cpu_pool *p)
{
	struct cpu_team *t = cpu_pool_begin(p);
	CHECK(t != NULL);
	return t;
}

static inline void unmake(struct fixture *f, struct cpu_pool *p)
{
	cpu_pool_destroy(p);
	CHECK(f->memory.live_blocks == 0 && f->memory.live_bytes == 0);
}

static inline void pause_ms(int ms)
{
	struct timespec t = {ms / 1000, ms % 1000 * 1000000};
	while (nanosleep(&t, &t) != 0)
		;
}

static inline void set_bit(struct cpu_mask *m, int i)
{
	const int bits = 8 * (int)sizeof m->bits[0];
	m->bits[i / bits] |= 1ul << i % bits;
}

static inline bool mask_has(const struct cpu_mask *m, int i)
{
	const int bits = 8 * (int)sizeof m->bits[0];
	return m->bits[i / bits] >> (i % bits) & 1;
}

/* ---- jobs ---- */

#define MOST 10000
struct count {
	atomic_int times[MOST];
	atomic_int busy[CPU_MAX_THREADS]; /* by worker */
	atomic_int wrong;
	atomic_ulong sum;
	int threads;
};

static inline void count_task(void *job, size_t task, int worker)
{
	struct count *c = job;
	if (worker < 0 || worker >= c->threads || atomic_exchange(&c->busy[worker], 1) != 0) {
		atomic_fetch_add(&c->wrong, 1);
		return;
	}
	atomic_fetch_add(&c->times[task], 1);
	atomic_fetch_add(&c->sum, task * task);
	atomic_store(&c->busy[worker], 0);
}

static inline void check_counts(struct count *c, size_t n)
{
	unsigned long want = 0;
	CHECK(c->wrong == 0);
	for (size_t i = 0; i < MOST; i++)
		CHECK_MSG(c->times[i] == (i < n), "%d threads, %zu tasks: task %zu ran %d times",
			  c->threads, n, i, c->times[i]);
	for (size_t i = 0; i < n; i++)
		want += i * i;
	CHECK(c->sum == want);
}

/* As many tasks as threads, none of which ends before all have begun. */
struct meeting {
	int size;
	bool asleep; /* wait without using the processor */
	atomic_int here;
	char name[64][16];
	struct cpu_mask mask[64];
};

static inline void meet_task(void *job, size_t task, int worker)
{
	struct meeting *m = job;
	(void)task;
	pthread_getname_np(pthread_self(), m->name[worker], sizeof m->name[worker]);
	cpu_topo_mask(&m->mask[worker]);
	atomic_fetch_add(&m->here, 1);
	while (atomic_load(&m->here) < m->size) {
		if (m->asleep)
			pause_ms(1);
		else
			sched_yield();
	}
}

static inline void meet_in(struct cpu_team *t, struct meeting *m, int size)
{
	m->size = size;
	atomic_store(&m->here, 0);
	cpu_pool_run(t, meet_task, m, (size_t)size);
	CHECK(m->here == size);
}

static inline void meet(struct cpu_pool *p, struct meeting *m)
{
	struct cpu_team *t = begin(p);
	meet_in(t, m, cpu_pool_threads(p));
	cpu_pool_end(p, t);
}

#endif
