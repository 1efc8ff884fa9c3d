/* SPDX-License-Identifier: Apache-2.0
 *
 * The worker pool: every task once, whatever the number of threads, and no hang in what a
 * program may do to it.
 */
#include "tests/check.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/pool_fixture.h"

/* ---- jobs ---- */

TEST(pool, each_task_once)
{
	static const size_t number[] = {0, 1, 2, 3, 7, 8, 9, 1000, MOST};
	struct count *c = malloc(sizeof *c);
	struct fixture f;
	setup(&f, "auto");
	for (int threads = 1; threads <= 8; threads++) {
		struct cpu_pool *p = make(&f, threads);
		CHECK(cpu_pool_threads(p) == threads);
		struct cpu_team *t = begin(p);
		for (size_t i = 0; i < COUNT_OF(number); i++) {
			memset(c, 0, sizeof *c);
			c->threads = threads;
			cpu_pool_run(t, count_task, c, number[i]);
			check_counts(c, number[i]);
		}
		cpu_pool_end(p, t);
		unmake(&f, p);
	}
	memset(c, 0, sizeof *c);
	c->threads = 1;
	cpu_pool_run(NULL, count_task, c, 1000);
	check_counts(c, 1000);
	free(c);
}

/* Not atomic: that run() has seen all tasks of a job is then for ThreadSanitizer to say. */
struct plain {
	uint64_t add;
	uint64_t value[64];
};

static void plain_task(void *job, size_t task, int worker)
{
	struct plain *c = job;
	(void)worker;
	c->value[task] += c->add * (task + 1);
}

static void many_runs(int threads, int runs, bool calls)
{
	struct fixture f;
	setup(&f, "auto");
	struct cpu_pool *p = make(&f, threads);
	struct plain c = {0, {0}};
	uint64_t state = check_seed(), want[64] = {0};
	struct cpu_team *t = begin(p);
	for (int i = 0; i < runs; i++) {
		size_t n = check_random(&state) % (COUNT_OF(want) + 1);
		c.add = check_random(&state);
		for (size_t k = 0; k < n; k++)
			want[k] += c.add * (k + 1);
		cpu_pool_run(t, plain_task, &c, n);
		if (calls) {
			cpu_pool_end(p, t);
			if (i % 100 == 0)
				pause_ms(1);
			t = begin(p);
		}
		CHECK_MSG(memcmp(c.value, want, sizeof want) == 0, "%d threads, run %d, %zu tasks",
			  threads, i, n);
	}
	cpu_pool_end(p, t);
	unmake(&f, p);
}

TEST(pool, many_runs)
{
	for (int threads = 1; threads <= 8; threads++)
		many_runs(threads, threads <= 4 ? 10000 : 2000, false);
}

TEST(pool, many_calls)
{
	for (int threads = 2; threads <= 8; threads += 2)
		many_runs(threads, 1000, true);
}

TEST(pool, tasks_run_at_the_same_time)
{
	for (int threads = 2; threads <= 8; threads++) {
		struct fixture f;
		setup(&f, "off");
		struct cpu_pool *p = make(&f, threads);
		struct meeting m = {0};
		for (int call = 0; call < 5; call++) {
			struct cpu_team *t = begin(p);
			for (int i = 0; i < 20; i++) {
				/* Spinning workers at first, then such that fell asleep. */
				if (i >= 15)
					pause_ms(2);
				m.asleep = i % 2 == 0;
				meet_in(t, &m, threads);
			}
			cpu_pool_end(p, t);
		}
		for (int i = 1; i < threads; i++) {
			char want[32];
			snprintf(want, sizeof want, "adze-%d", i);
			CHECK_MSG(strcmp(m.name[i], want) == 0, "%s is called %s", want, m.name[i]);
		}
		unmake(&f, p);
	}
}

/* ---- who has the workers ---- */

#define CALLS 40
TEST(pool, any_number_of_calls)
{
	struct fixture f;
	struct cpu_team *t[CALLS];
	struct plain job = {1, {0}};
	int alone = 0;
	setup(&f, "auto");
	struct cpu_pool *p = make(&f, 3);
	for (int i = 0; i < CALLS; i++) {
		t[i] = cpu_pool_begin(p);
		alone += t[i] == NULL;
		for (int k = 0; k < i; k++)
			CHECK(t[i] == NULL || t[i] != t[k]);
		cpu_pool_run(t[i], plain_task, &job, 64);
		CHECK(job.value[63] == (uint64_t)(i + 1) * 64);
	}
	CHECK(alone > 0 && alone < CALLS);
	for (int i = 0; i < CALLS; i++)
		cpu_pool_end(p, t[i]);
	cpu_pool_end(p, begin(p));
	unmake(&f, p);
}

struct rival {
	struct cpu_pool *pool;
	struct plain job;
	int wrong;
};

static void *compete(void *arg)
{
	struct rival *r = arg;
	r->job.add = 1;
	for (uint64_t i = 1; i <= 2000; i++) {
		struct cpu_team *t = cpu_pool_begin(r->pool);
		for (int k = 0; k < 3; k++)
			cpu_pool_run(t, plain_task, &r->job, 64);
		cpu_pool_end(r->pool, t);
		for (size_t k = 0; k < 64; k++)
			r->wrong += r->job.value[k] != 3 * i * (k + 1);
	}
	return NULL;
}

TEST(pool, threads_compete_for_it)
{
	struct fixture f;
	struct rival r[6];
	pthread_t t[6];
	setup(&f, "auto");
	for (int threads = 2; threads <= 8; threads += 3) {
		struct cpu_pool *p = make(&f, threads);
		memset(r, 0, sizeof r);
		for (int i = 0; i < 6; i++) {
			r[i].pool = p;
			CHECK(pthread_create(&t[i], NULL, compete, &r[i]) == 0);
		}
		for (int i = 0; i < 6; i++) {
			pthread_join(t[i], NULL);
			CHECK(r[i].wrong == 0);
		}
		unmake(&f, p);
	}
}

/* Each call has a thread of its own, so that of five threads two calls leave three workers. */
struct crowd {
	struct cpu_pool *pool;
	atomic_int busy, most, wrong;
	int threads;
};

static void crowd_task(void *job, size_t task, int worker)
{
	struct crowd *c = job;
	(void)task;
	int now = atomic_fetch_add(&c->busy, 1) + 1, most = atomic_load(&c->most);
	while (now > most && !atomic_compare_exchange_weak(&c->most, &most, now))
		;
	/* Two calls have begun before any job: the last worker has no place. */
	if (worker >= c->threads - 1)
		atomic_fetch_add(&c->wrong, 1);
	if (task % 8 == 0)
		sched_yield();
	atomic_fetch_sub(&c->busy, 1);
}

static void *crowd_call(void *arg)
{
	struct crowd *c = arg;
	struct cpu_team *t = cpu_pool_begin(c->pool);
	for (int i = 0; i < 300; i++)
		cpu_pool_run(t, crowd_task, c, 100);
	cpu_pool_end(c->pool, t);
	return NULL;
}

TEST(pool, no_more_threads_work_than_it_has)
{
	struct fixture f;
	struct crowd c = {.threads = 5};
	pthread_t t;
	setup(&f, "auto");
	c.pool = make(&f, c.threads);
	struct cpu_team *mine = begin(c.pool);
	CHECK(pthread_create(&t, NULL, crowd_call, &c) == 0);
	pthread_join(t, NULL);
	cpu_pool_end(c.pool, mine);
	CHECK(c.wrong == 0);
	CHECK_MSG(c.most >= 1 && c.most <= 4, "%d threads work", c.most);
	unmake(&f, c.pool);
}

/* ---- lent threads ---- */

struct lender {
	struct cpu_pool *pool;
	atomic_bool until;
	adze_status status;
};

static void *lend(void *arg)
{
	struct lender *l = arg;
	struct diag d = {ADZE_OK, ""};
	l->status = cpu_pool_lend(l->pool, &l->until, &d);
	return NULL;
}

TEST(pool, lent_threads)
{
	struct fixture f;
	struct lender l[3];
	pthread_t t[3];
	struct diag d = {ADZE_OK, ""};
	setup(&f, "auto");
	f.context.config.lent = 2;
	for (int round = 0; round < 20; round++) {
		struct meeting m = {0};
		struct cpu_pool *p = make(&f, 4); /* the call's, one of the pool, two lent */
		for (int i = 0; i < 3; i++) {
			l[i].pool = p;
			atomic_init(&l[i].until, false);
		}
		for (int i = 0; i < 2; i++)
			CHECK(pthread_create(&t[i], NULL, lend, &l[i]) == 0);
		for (int i = 0; i < 5; i++) {
			meet(p, &m);
			if (i % 2 == 1)
				pause_ms(1);
		}
		CHECK(strcmp(m.name[3], "adze-3") == 0 && strncmp(m.name[1], "adze", 4) != 0);
		CHECK(cpu_pool_lend(p, &l[2].until, &d) == ADZE_E_LIMIT);
		/* One goes, another comes. */
		atomic_store(&l[0].until, true);
		cpu_pool_recall(p);
		pthread_join(t[0], NULL);
		CHECK(l[0].status == ADZE_OK);
		CHECK(pthread_create(&t[2], NULL, lend, &l[2]) == 0);
		meet(p, &m);
		for (int i = 1; i < 3; i++)
			atomic_store(&l[i].until, true);
		cpu_pool_recall(p);
		for (int i = 1; i < 3; i++)
			pthread_join(t[i], NULL);
		/* A flag that is set before is seen at once. */
		d = (struct diag){ADZE_OK, ""};
		CHECK(cpu_pool_lend(p, &l[0].until, &d) == ADZE_OK);
		struct plain job = {1, {0}};
		struct cpu_team *team = begin(p);
		cpu_pool_run(team, plain_task, &job, 64);
		cpu_pool_end(p, team);
		CHECK(job.value[63] == 64);
		unmake(&f, p);
	}
}

/* ---- making and ending ---- */

TEST(pool, numbers_of_threads)
{
	static const int bad[] = {-1, CPU_MAX_THREADS + 1, 10000};
	struct fixture f;
	struct cpu_pool *p;
	setup(&f, "auto");
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct diag d = {ADZE_OK, ""};
		p = (void *)&f;
		CHECK(cpu_pool_create(&f.context, bad[i], 0, &p, &d) == ADZE_E_LIMIT);
		CHECK(p == NULL && strstr(d.text, "threads") != NULL);
	}
	p = make(&f, 0);
	CHECK(cpu_pool_threads(p) == cpu_topo_cores());
	unmake(&f, p);
	p = make(&f, CPU_MAX_THREADS);
	CHECK(cpu_pool_threads(p) == CPU_MAX_THREADS);
	unmake(&f, p); /* none has started */
}

TEST(pool, more_threads_than_cores_rest)
{
	struct fixture f;
	struct cpu_pool *p;
	struct diag d = {ADZE_OK, ""};
	struct crowd c = {.threads = CPU_MAX_THREADS};
	int cpus = cpu_topo_cpus();
	setup(&f, "off");
	CHECK(cpus >= cpu_topo_cores());
	CHECK(cpu_pool_create(&f.context, CPU_MAX_THREADS, 0, &p, &d) == ADZE_OK);
	CHECK(cpu_pool_threads(p) == CPU_MAX_THREADS);
	c.pool = p;
	crowd_call(&c);
	CHECK(c.wrong == 0);
	CHECK_MSG(c.most <= cpus, "%d threads work", c.most);
	unmake(&f, p);
}

TEST(pool, hundreds_of_threads)
{
	struct fixture f;
	setup(&f, "auto");
	struct count *c = calloc(1, sizeof *c);
	struct cpu_pool *p = make(&f, 300);
	c->threads = 300;
	struct cpu_team *t = begin(p);
	cpu_pool_run(t, count_task, c, MOST);
	check_counts(c, MOST);
	cpu_pool_end(p, t);
	unmake(&f, p);
	free(c);
}

TEST(pool, destroy)
{
	struct fixture f;
	struct plain job = {1, {0}};
	setup(&f, "auto");
	cpu_pool_destroy(NULL);
	unmake(&f, make(&f, 4)); /* never begun */
	for (int i = 0; i < 60; i++) {
		struct cpu_pool *p = make(&f, 4);
		struct cpu_team *t = begin(p);
		if (i % 3 > 0)
			cpu_pool_run(t, plain_task, &job, 64);
		cpu_pool_end(p, t);
		if (i % 3 > 1)
			pause_ms(1); /* workers are asleep */
		unmake(&f, p);
	}
}

TEST(pool, no_memory)
{
	struct fixture f;
	setup(&f, "auto");
	for (int i = 0; i < 2; i++) {
		struct diag d = {ADZE_OK, ""};
		struct cpu_pool *p = (void *)&f;
		f.memory.fail_after = f.memory.calls + i;
		CHECK(cpu_pool_create(&f.context, 4, 4, &p, &d) == ADZE_E_NOMEM);
		CHECK(p == NULL && d.text[0] != '\0' && f.memory.live_blocks == 0);
	}
}

static bool is_emulated(void)
{
	const char *emulator = getenv("EMULATOR");
	return emulator != NULL && emulator[0] != '\0';
}

TEST(pool, system_gives_fewer_threads)
{
	struct fixture f;
	struct rlimit limit;
	long pages = 0;
	if (SANITIZED)
		SKIP("sanitizers need address space without limit");
	if (is_emulated())
		SKIP("an emulator needs address space without limit");
	FILE *statm = fopen("/proc/self/statm", "r");
	if (statm == NULL || fscanf(statm, "%ld", &pages) != 1)
		SKIP("the system does not tell how much address space is used");
	fclose(statm);
	CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
	limit.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + ((rlim_t)40 << 20);
	setup(&f, "auto");
	struct count *c = calloc(1, sizeof *c);
	struct cpu_pool *p = make(&f, 1000);
	c->threads = 1000;
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0);
	struct cpu_team *t = begin(p);
	cpu_pool_run(t, count_task, c, 1000);
	CHECK_MSG(f.warnings == 1 && strstr(f.words, "of 1000 threads") != NULL, "%d: %s",
		  f.warnings, f.words);
	check_counts(c, 1000);
	cpu_pool_end(p, t);
	cpu_pool_end(p, begin(p));
	CHECK(f.warnings == 1);
	unmake(&f, p);
	free(c);
}

/* ---- what a program may do ---- */

/* In a child: works with the pool and ends it. A hang is ended by the alarm. */
static void use_in_child(struct fixture *f, struct cpu_pool *p, bool run)
{
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		struct count *c = calloc(1, sizeof *c);
		bool right = true;
		alarm(30);
		if (run) {
			c->threads = cpu_pool_threads(p);
			struct cpu_team *t = cpu_pool_begin(p);
			for (int i = 0; i < 100; i++)
				cpu_pool_run(t, count_task, c, 1000);
			right = t != NULL && c->wrong == 0 && c->times[0] == 100 &&
				c->times[999] == 100;
			cpu_pool_end(p, t);
		}
		cpu_pool_destroy(p);
		_exit(right && f->memory.live_blocks == 0 ? 0 : 1);
	}
	int status = -1;
	CHECK(waitpid(child, &status, 0) == child);
	CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %#x",
		  status);
}

struct occupied {
	struct cpu_pool *pool;
	atomic_bool begun, stop;
};

/* That a task runs says that all workers were started: a fork in the midst of that would leave
 * the child with locks that nobody opens. */
static void long_task(void *job, size_t task, int worker)
{
	struct occupied *o = job;
	(void)task;
	(void)worker;
	atomic_store(&o->begun, true);
	while (!atomic_load(&o->stop))
		pause_ms(1);
}

static void *occupy(void *arg)
{
	struct occupied *o = arg;
	struct cpu_team *t = cpu_pool_begin(o->pool);
	cpu_pool_run(t, long_task, o, 8);
	cpu_pool_end(o->pool, t);
	return t != NULL ? arg : NULL;
}

TEST(pool, forked_child)
{
	struct fixture f;
	struct plain job = {1, {0}};
	struct occupied o = {0};
	pthread_t t;
	void *got;
#if defined(__SANITIZE_THREAD__) || FEATURE(thread_sanitizer)
	SKIP("ThreadSanitizer allows no threads in a forked child");
#endif
	if (is_emulated())
		SKIP("qemu-user fails on threads in a forked child (its own assertion)");
	setup(&f, "auto");
	struct cpu_pool *p = make(&f, 4);
	use_in_child(&f, p, true); /* not begun yet */
	struct cpu_team *team = begin(p);
	cpu_pool_run(team, plain_task, &job, 64);
	cpu_pool_end(p, team);
	use_in_child(&f, p, false);
	use_in_child(&f, p, true);
	o.pool = p;
	CHECK(pthread_create(&t, NULL, occupy, &o) == 0);
	while (!atomic_load(&o.begun))
		pause_ms(1);
	pause_ms(5);
	use_in_child(&f, p, false);
	use_in_child(&f, p, true);
	atomic_store(&o.stop, true);
	pthread_join(t, &got);
	CHECK(got != NULL);
	unmake(&f, p);
}

static atomic_int signals, strangers;
static atomic_int main_thread;

static void on_signal(int number)
{
	(void)number;
	atomic_fetch_add(&signals, 1);
	if ((int)syscall(SYS_gettid) != atomic_load(&main_thread))
		atomic_fetch_add(&strangers, 1);
}

TEST(pool, signals_stay_away_from_workers)
{
	struct fixture f;
	struct plain job = {1, {0}};
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = on_signal; /* without SA_RESTART */
	CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
	atomic_store(&main_thread, (int)syscall(SYS_gettid));
	setup(&f, "auto");
	for (int i = 0; i < 20; i++) {
		struct cpu_pool *p = make(&f, 4);
		struct cpu_team *t = begin(p);
		for (int k = 0; k < 100; k++) {
			kill(getpid(), SIGUSR1);
			cpu_pool_run(t, plain_task, &job, 64);
		}
		cpu_pool_end(p, t);
		kill(getpid(), SIGUSR1);
		unmake(&f, p);
	}
	CHECK(signals > 0);
	CHECK(strangers == 0);
}

/* ---- nodes ---- */

struct shares {
	struct meeting first;
	atomic_int wrong, times[64];
	atomic_int begun[2];
};

/* A thread's first task is the first of its node's. */
static void share_task(void *job, size_t task, int worker)
{
	struct shares *s = job;
	atomic_fetch_add(&s->times[task], 1);
	if (atomic_exchange(&s->begun[worker], 1) != 0)
		return;
	if (task != (worker == 0 ? 0 : 32))
		atomic_fetch_add(&s->wrong, 1);
	while (!atomic_load(&s->begun[0]) || !atomic_load(&s->begun[1]))
		sched_yield();
}

TEST(pool, nodes_take_their_own_first)
{
	struct fixture f;
	struct cpu_mask all;
	struct shares s;
	CHECK(cpu_topo_mask(&all));
	if (!HAVE_HWLOC || cpu_topo_cores_in(&all) != 2 || !mask_has(&all, 0) || !mask_has(&all, 1))
		SKIP("a machine with the processors 0 and 1 is made to seem one of two nodes");
	setenv("HWLOC_SYNTHETIC", "numa:2 core:1 pu:1", 1);
	setup(&f, "on");
	struct cpu_pool *p = make(&f, 2);
	for (int i = 0; i < 100; i++) {
		memset(&s, 0, sizeof s);
		struct cpu_team *t = begin(p);
		cpu_pool_run(t, share_task, &s, 64);
		cpu_pool_end(p, t);
		CHECK_MSG(s.wrong == 0, "a thread began with another node's share");
		for (int k = 0; k < 64; k++)
			CHECK(s.times[k] == 1);
	}
	/* Each count of tasks is divided whole. */
	struct count *c = malloc(sizeof *c);
	for (size_t n = 0; n < 70; n++) {
		memset(c, 0, sizeof *c);
		c->threads = 2;
		struct cpu_team *t = begin(p);
		cpu_pool_run(t, count_task, c, n);
		cpu_pool_end(p, t);
		check_counts(c, n);
	}
	free(c);
	CHECK_MSG(f.warnings == 0, "%s", f.words);
	unmake(&f, p);
}

TEST(pool, touch)
{
	struct fixture f;
	setup(&f, "auto");
	struct cpu_pool *p = make(&f, 3);
	static const size_t bytes[] = {0, 1, 4097, 65536, 65537, 1000000};
	for (size_t i = 0; i < COUNT_OF(bytes); i++) {
		char *at = malloc(bytes[i] + 1);
		memset(at, 1, bytes[i] + 1);
		cpu_pool_touch(p, at, bytes[i]);
		for (size_t k = 0; k < bytes[i]; k++)
			CHECK(at[k] == (k % 4096 != 0));
		CHECK(at[bytes[i]] == 1);
		free(at);
	}
	unmake(&f, p);
}
