/* SPDX-License-Identifier: Apache-2.0
 *
 * The worker pool: what a barrier costs, how soon a sleeping worker works, and what work with
 * barriers takes when there are more threads than cores, other processes or other calls.
 */
#include "config.h"

#include "bench/bench.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/context.h"
#include "devices/cpu/cpu_pool.h"

enum { RUNS = 1000, JOBS = 100, TASKS = 32, SPINS = 2000 };

struct job {
	struct cpu_pool *pool;
	struct cpu_team *team;
	size_t ntask;
	int pause_us;
	atomic_bool met;
	atomic_int here;
};

static void nothing(void *self, size_t task, int worker)
{
	(void)self;
	(void)task;
	(void)worker;
}

/* Some microseconds of arithmetic that needs no memory. */
static void some_work(void *self, size_t task, int worker)
{
	double x = 1 + (double)task;
	(void)self;
	(void)worker;
	for (int i = 0; i < SPINS; i++)
		x = x * 0.999 + 0.5;
	atomic_signal_fence(memory_order_seq_cst);
	if (x == 0)
		sched_yield();
}

/* Both tasks at the same time: task 0 ends when a worker has come for the other one. */
static void meet(void *self, size_t task, int worker)
{
	struct job *j = self;
	(void)task;
	if (worker != 0)
		atomic_store(&j->met, true);
	while (!atomic_load_explicit(&j->met, memory_order_relaxed))
		;
}

/* As many tasks as threads, and none ends before all threads are there. */
static void gather(void *self, size_t task, int worker)
{
	struct job *j = self;
	(void)task;
	(void)worker;
	atomic_fetch_add(&j->here, 1);
	while (atomic_load_explicit(&j->here, memory_order_relaxed) < (int)j->ntask)
		;
}

static bool run_jobs(struct job *j, cpu_task *task)
{
	j->team = cpu_pool_begin(j->pool);
	for (int i = 0; i < RUNS; i++) {
		atomic_store_explicit(&j->here, 0, memory_order_relaxed);
		cpu_pool_run(j->team, task, j, j->ntask);
	}
	cpu_pool_end(j->pool, j->team);
	return true;
}

static bool run_empty(void *self)
{
	return run_jobs(self, nothing);
}

static bool run_barriers(void *self)
{
	return run_jobs(self, gather);
}

static bool run_work(void *self)
{
	struct job *j = self;
	j->team = cpu_pool_begin(j->pool);
	for (int i = 0; i < JOBS; i++)
		cpu_pool_run(j->team, some_work, j, TASKS);
	cpu_pool_end(j->pool, j->team);
	return true;
}

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

/* From opening a job until a worker that slept (`pause_us` before) works on it. */
static struct bench_time wake(struct job *j)
{
	struct bench_time t = {0, 0, 50};
	double least = 1e9;
	for (int i = 0; i < 50; i++) {
		struct timespec rest = {0, j->pause_us * 1000};
		if (j->pause_us > 0)
			nanosleep(&rest, NULL);
		atomic_store(&j->met, false);
		double start = now_us();
		j->team = cpu_pool_begin(j->pool);
		cpu_pool_run(j->team, meet, j, 2);
		cpu_pool_end(j->pool, j->team);
		double us = now_us() - start;
		t.median += us / 50;
		least = us < least ? us : least;
	}
	t.spread = t.median - least;
	return t;
}

static bool time_one(bench_function *run, struct job *j, int calls, struct bench_time *t)
{
	void *self = j;
	return bench_measure(&run, &self, 1, calls, t);
}

static void scale(struct bench_time *t, double by)
{
	t->median *= by;
	t->spread *= by;
}

static struct cpu_pool *make(adze_context *c, int threads)
{
	struct diag d = {ADZE_OK, ""};
	struct cpu_pool *p;
	cpu_pool_create(c, threads, 0, &p, &d);
	return p;
}

static void barriers(adze_context *c, int threads)
{
	char text[96];
	struct bench_time t;
	struct job j = {.pool = make(c, threads), .ntask = (size_t)threads, .pause_us = 2000};
	snprintf(text, sizeof text, "\"threads\":%d", threads);
	if (j.pool != NULL && bench_wanted("pool_empty") && time_one(run_empty, &j, 1, &t)) {
		scale(&t, 1.0 / RUNS);
		bench_print("pool_empty", text, &t, "");
	}
	if (j.pool != NULL && bench_wanted("pool_barrier") && time_one(run_barriers, &j, 1, &t)) {
		scale(&t, 1.0 / RUNS);
		bench_print("pool_barrier", text, &t, "");
	}
	if (j.pool != NULL && threads > 1 && bench_wanted("pool_wake")) {
		t = wake(&j);
		bench_print("pool_wake", text, &t, "\"state\":\"asleep\"");
		j.pause_us = 0;
		t = wake(&j);
		bench_print("pool_wake", text, &t, "\"state\":\"awake\"");
	}
	cpu_pool_destroy(j.pool);
}

/* ---- work, and what else the machine does ---- */

static pid_t start_rival(void)
{
	pid_t pid = fork();
	if (pid == 0)
		for (;;)
			some_work(NULL, 0, 0);
	return pid;
}

static void end_rival(pid_t pid)
{
	if (pid > 0 && kill(pid, SIGKILL) == 0)
		waitpid(pid, NULL, 0);
}

/* JOBS jobs of TASKS tasks, each job with its barrier; `ratio`: to as many threads as cores. */
static double work(adze_context *c, int threads, int rivals, double base)
{
	char text[96], extra[64] = "";
	struct bench_time t = {0, 0, 50};
	pid_t rival[8];
	struct job j = {.pool = make(c, threads)};
	rivals = rivals < 8 ? rivals : 8;
	for (int i = 0; i < rivals; i++)
		rival[i] = start_rival();
	if (j.pool != NULL && time_one(run_work, &j, 1, &t)) {
		snprintf(text, sizeof text, "\"threads\":%d,\"rivals\":%d", threads, rivals);
		if (base > 0)
			snprintf(extra, sizeof extra, "\"slower\":%.3f", t.median / base);
		bench_print("pool_work", text, &t, extra);
	}
	for (int i = 0; i < rivals; i++)
		end_rival(rival[i]);
	cpu_pool_destroy(j.pool);
	return t.median;
}

static void crowds(adze_context *c)
{
	int cores = cpu_topo_cores();
	if (!bench_wanted("pool_work"))
		return;
	double one = work(c, 1, 0, 0), base = work(c, cores, 0, one);
	work(c, 2 * cores, 0, base);
	work(c, 4 * cores, 0, base);
	/* A fair part of the machine is what is left beside a process that never rests. */
	double lone = work(c, 1, 1, one);
	work(c, cores, 1, lone);
	work(c, 2 * cores, 1, lone);
	work(c, cores, cores, 0);
	work(c, 1, cores, 0);
}

/* ---- several calls at once ---- */

static void *call_beside(void *self)
{
	for (int i = 0; i < BENCH_REPEATS; i++)
		run_work(self);
	return NULL;
}

static bool run_calls(void *self)
{
	struct job *j = self, own[8];
	pthread_t t[8];
	int n = 0;
	for (int i = 0; i < (int)j->ntask && i < 8; i++) {
		own[n] = (struct job){.pool = j->pool};
		n += pthread_create(&t[n], NULL, call_beside, &own[n]) == 0;
	}
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	return n == (int)j->ntask;
}

/* The time for each JOBS jobs when `calls` threads have one pool. */
static void calls(adze_context *c, int callers)
{
	char text[96];
	struct bench_time t;
	struct job j = {.pool = make(c, 0), .ntask = (size_t)callers};
	snprintf(text, sizeof text, "\"threads\":%d,\"callers\":%d", cpu_topo_cores(), callers);
	if (j.pool != NULL && bench_wanted("pool_calls") && time_one(run_calls, &j, 1, &t)) {
		scale(&t, 1.0 / (BENCH_REPEATS * callers));
		bench_print("pool_calls", text, &t, "");
	}
	cpu_pool_destroy(j.pool);
}

int pool_bench(void)
{
	adze_context *c = bench_context(0);
	int cores = cpu_topo_cores();
	for (int threads = 1; threads <= cores; threads = threads < 4 ? threads + 1 : 2 * threads)
		barriers(c, threads);
	crowds(c);
	for (int n = 1; n <= 4; n *= 2)
		calls(c, n);
	adze_context_destroy(c);
	return 0;
}
