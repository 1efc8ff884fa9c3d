/* SPDX-License-Identifier: Apache-2.0
 *
 * The worker pool. One 32-bit word, `state`, says all that threads agree on: a call is on, a
 * job is open, its number, and how many workers are inside it. A worker enters by adding one,
 * and only what it finds in the same step counts; the caller closes a job and waits for those
 * inside. So nobody waits for a worker that the system did not run in time to enter.
 *
 * Sleeping is by futex on that word, since unlike a condition variable it has nothing that a
 * forked child could wait for in vain.
 */
#include "config.h"

#include "devices/cpu/cpu_pool.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* state: workers inside, flags, number of the job. */
#define INSIDE 0x7ffu
#define OPEN 0x800u  /* a job can be entered */
#define WAIT 0x1000u /* the caller sleeps until nobody is inside */
#define CALL 0x2000u /* between begin and end: workers spin */
#define STOP 0x4000u
#define ONE_JOB 0x8000u
#define JOB (~(ONE_JOB - 1))

/* Who sleeps on state, as the bits that FUTEX_WAKE_BITSET asks for. */
#define WORKERS 1u
#define CALLER 2u

#define LINE 64
#define SPIN_NS 60000  /* several times what it takes to wake a thread */
#define PAUSE_NS 5000
#define AWAY_NS 20000
#define YIELD_NS 20000 /* as long as threads outnumber cores */

struct worker {
	struct cpu_pool *pool;
	pthread_t thread;
	int index; /* 1 .. threads - 1 */
};

struct cpu_pool {
	_Alignas(LINE) atomic_uint state;
	_Alignas(LINE) atomic_size_t next; /* task that nobody has yet */
	_Alignas(LINE) atomic_int sleepers;
	atomic_int holder; /* the process whose call has the workers, 0: none */
	_Alignas(LINE) cpu_task *run; /* the job; constant while open or entered */
	void *job;
	size_t ntask;

	int threads, started; /* `started` workers, the first ones */
	bool crowded;         /* more threads than cores: a spin takes them from work */
	pid_t pid;            /* of the process that started them; 0: not yet */
	bool ready;           /* the holder: workers of this process were started */
	struct worker *worker;
	adze_context *context;
	struct cpu_mask mask; /* of the thread that made the pool */
	bool has_mask;
};

static void futex_wait(atomic_uint *at, unsigned seen, unsigned who)
{
	syscall(SYS_futex, at, FUTEX_WAIT_BITSET_PRIVATE, seen, NULL, NULL, who);
}

static void futex_wake(atomic_uint *at, int n, unsigned who)
{
	syscall(SYS_futex, at, FUTEX_WAKE_BITSET_PRIVATE, n, NULL, NULL, who);
}

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void rest(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	/* `yield` does nothing on many of these; this waits about as long as x86's pause. */
	__asm__ volatile("isb" ::: "memory");
#else
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

/* A patience of bounded time. Zero-initialise. */
struct spin {
	int64_t since, last;
	unsigned turns;
};

/*
 * Waits a moment; false when the time is up. Soon it offers the processor to others, who may
 * be the ones that are waited for. Having been away for long means that somebody else needs
 * it: a thread that sleeps is then run sooner, when there is work, than one that used up its
 * share by spinning.
 */
static bool turn(struct spin *s, bool crowded)
{
	bool yield = crowded || (s->since != 0 && s->last - s->since >= PAUSE_NS);
	if (yield) {
		sched_yield();
	} else {
		rest();
		if (++s->turns % 32 != 0)
			return true;
	}
	int64_t t = now();
	if (s->since == 0)
		s->since = s->last = t;
	bool away = t - s->last > AWAY_NS;
	s->last = t;
	return !away && t - s->since < (crowded ? YIELD_NS : SPIN_NS);
}

static bool concerns(unsigned state, unsigned done)
{
	return (state & STOP) || ((state & OPEN) && (state & JOB) != done);
}

/* Until somebody wakes the workers, or there is something to do. */
static void sleep_worker(struct cpu_pool *p, unsigned done)
{
	int error = EAGAIN;
	/* In this order with post(), which changes the state and then counts sleepers: one of
	 * the two sees the other. */
	atomic_fetch_add(&p->sleepers, 1);
	while (error == EAGAIN) {
		unsigned s = atomic_load(&p->state);
		if (concerns(s, done))
			break;
		errno = 0;
		futex_wait(&p->state, s, WORKERS);
		error = errno;
	}
	atomic_fetch_sub(&p->sleepers, 1);
}

/* The state that holds a job other than `done`, or STOP. */
static unsigned await(struct cpu_pool *p, unsigned done)
{
	struct spin spin = {0};
	for (;;) {
		unsigned s = atomic_load_explicit(&p->state, memory_order_relaxed);
		if (concerns(s, done))
			return s;
		if ((s & CALL) && turn(&spin, p->crowded))
			continue;
		sleep_worker(p, done);
		spin = (struct spin){0};
	}
}

static void take_tasks(struct cpu_pool *p, int worker)
{
	for (;;) {
		size_t task = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
		if (task >= p->ntask)
			return;
		p->run(p->job, task, worker);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct cpu_pool *p = w->pool;
	unsigned done = 0;
	char name[16];
	snprintf(name, sizeof name, "adze-%d", w->index);
	pthread_setname_np(pthread_self(), name);
	for (;;) {
		if (await(p, done) & STOP)
			return NULL;
		/* The job may be another one by now, or closed: this decides. */
		unsigned s = atomic_fetch_add_explicit(&p->state, 1, memory_order_acq_rel);
		done = s & JOB;
		if (s & OPEN)
			take_tasks(p, w->index);
		s = atomic_fetch_sub_explicit(&p->state, 1, memory_order_acq_rel);
		if ((s & INSIDE) == 1 && (s & WAIT))
			futex_wake(&p->state, 1, CALLER);
	}
}

/* ---- starting ---- */

static int start_threads(struct cpu_pool *p)
{
	sigset_t block, before;
	int error = 0;
	sigfillset(&block);
	/* Raised by what a thread itself does: blocked, they would kill the process past its
	 * own handler. */
	static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS};
	for (size_t i = 0; i < COUNT_OF(own); i++)
		sigdelset(&block, own[i]);
	pthread_sigmask(SIG_SETMASK, &block, &before);
	for (int i = 0; i < p->threads - 1 && error == 0; i++) {
		struct worker *w = &p->worker[i];
		w->pool = p;
		w->index = i + 1;
		error = pthread_create(&w->thread, NULL, work, w);
		p->started += error == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static int set_affinity(struct worker *w, const struct cpu_mask *m)
{
	return pthread_setaffinity_np(w->thread, sizeof m->bits,
				      (const cpu_set_t *)(const void *)m->bits);
}

/* Worker i to core i; core 0 is left for the caller, whose own affinity is not ours. */
static void bind_cores(struct cpu_pool *p, adze_log_level level)
{
	adze_context *c = p->context;
	int cpu[CPU_MAX_THREADS], failed = 0;
	int found = cpu_topo_place(&p->mask, cpu, p->threads);
	if (found < p->threads) {
		context_log(c, level, "threads are not bound: %d threads, %d cores", p->threads,
			    found);
		return;
	}
	for (int i = 0; i < p->started; i++) {
		const int bits = 8 * (int)sizeof(unsigned long);
		int at = cpu[p->worker[i].index];
		struct cpu_mask one = {{0}};
		one.bits[at / bits] = 1ul << (at % bits);
		failed += set_affinity(&p->worker[i], &one) != 0;
	}
	if (failed > 0)
		context_log(c, level, "%d of %d workers could not be bound to a core", failed,
			    p->started);
	else
		context_log(c, ADZE_LOG_DEBUG, "%d workers are bound to a core each",
			    p->started);
}

static void bind_threads(struct cpu_pool *p)
{
	const char *mode = p->context->config.bind != NULL ? p->context->config.bind : "auto";
	bool on = strcmp(mode, "on") == 0, off = strcmp(mode, "off") == 0;
	struct cpu_mask here;
	if (p->started == 0)
		return;
	if (!p->has_mask || !cpu_topo_mask(&here)) {
		if (on)
			context_log(p->context, ADZE_LOG_WARN, "threads are not bound: the system"
				    " does not tell what this process may run on");
		return;
	}
	bool same = memcmp(&here, &p->mask, sizeof here) == 0;
	/* Workers have their maker's affinity: if the program bound this thread meanwhile, all
	 * of them would crowd where it is. */
	for (int i = 0; i < p->started && !same; i++)
		set_affinity(&p->worker[i], &p->mask);
	/* With fewer threads than cores, as a CPU quota makes them, other processes have their
	 * part of the cores, and each would bind to the first ones. */
	if (on)
		bind_cores(p, ADZE_LOG_WARN);
	else if (!off && same && cpu_topo_cores_in(&p->mask) == p->threads)
		bind_cores(p, ADZE_LOG_DEBUG);
}

/* By the one that holds the pool, so no worker of this process is about. */
static void start(struct cpu_pool *p)
{
	atomic_store(&p->state, 0);
	atomic_store(&p->sleepers, 0);
	p->started = 0;
	p->pid = getpid();
	int error = start_threads(p);
	if (error != 0)
		context_log(p->context, ADZE_LOG_WARN, "only %d of %d threads: %s",
			    p->started + 1, p->threads, strerror(error));
	bind_threads(p);
}

/* ---- the interface ---- */

adze_status cpu_pool_create(adze_context *c, int threads, struct cpu_pool **out, struct diag *d)
{
	*out = NULL;
	if (threads < 0 || threads > CPU_MAX_THREADS)
		return fail(d, ADZE_E_LIMIT, "threads: %d is not within 0 .. %d", threads,
			    CPU_MAX_THREADS);
	int cores = cpu_topo_cores();
	if (threads == 0)
		threads = cores < CPU_MAX_THREADS ? cores : CPU_MAX_THREADS;
	struct cpu_pool *p = mem_new_aligned(&c->mem, sizeof *p, LINE);
	struct worker *w = mem_new(&c->mem, (size_t)threads - 1, sizeof *w);
	if (p == NULL || w == NULL) {
		mem_free_aligned(&c->mem, p);
		mem_free(&c->mem, w, (size_t)threads - 1, sizeof *w);
		return fail(d, ADZE_E_NOMEM, "no memory for %d threads", threads);
	}
	memset(p, 0, sizeof *p);
	atomic_init(&p->state, 0);
	atomic_init(&p->next, 0);
	atomic_init(&p->sleepers, 0);
	atomic_init(&p->holder, 0);
	p->threads = threads;
	p->crowded = threads > cores;
	p->worker = w;
	p->context = c;
	p->has_mask = cpu_topo_mask(&p->mask);
	*out = p;
	return ADZE_OK;
}

void cpu_pool_destroy(struct cpu_pool *p)
{
	if (p == NULL)
		return;
	const adze_allocator *mem = &p->context->mem;
	/* A forked child has no workers to join. */
	if (p->pid == getpid()) {
		atomic_fetch_or(&p->state, STOP);
		futex_wake(&p->state, INT_MAX, WORKERS);
		for (int i = 0; i < p->started; i++)
			pthread_join(p->worker[i].thread, NULL);
	}
	mem_free(mem, p->worker, (size_t)p->threads - 1, sizeof *p->worker);
	mem_free_aligned(mem, p);
}

int cpu_pool_threads(const struct cpu_pool *p)
{
	return p->threads;
}

bool cpu_pool_begin(struct cpu_pool *p)
{
	int self = (int)getpid();
	int holder = atomic_load(&p->holder);
	/* A holder of another process was copied by fork(), in the midst of a call there. */
	if (holder == self || !atomic_compare_exchange_strong(&p->holder, &holder, self))
		return false;
	p->ready = p->pid == self;
	atomic_fetch_or_explicit(&p->state, CALL, memory_order_relaxed);
	return true;
}

void cpu_pool_end(struct cpu_pool *p)
{
	atomic_fetch_and_explicit(&p->state, ~CALL, memory_order_relaxed);
	atomic_store_explicit(&p->holder, 0, memory_order_release);
}

/* Opens the job, and wakes as many workers as it lacks. */
static void post(struct cpu_pool *p)
{
	atomic_fetch_add(&p->state, ONE_JOB | OPEN);
	int asleep = atomic_load(&p->sleepers);
	if (asleep == 0)
		return;
	size_t use = p->ntask - 1 < (size_t)p->started ? p->ntask - 1 : (size_t)p->started;
	int lack = (int)use - (p->started - asleep);
	if (lack > 0)
		futex_wake(&p->state, lack, WORKERS);
}

/* Closes the job and waits until nobody is inside. */
static void close_job(struct cpu_pool *p)
{
	struct spin spin = {0};
	unsigned s = atomic_fetch_and_explicit(&p->state, ~OPEN, memory_order_acq_rel);
	while ((s & INSIDE) != 0 && turn(&spin, p->crowded))
		s = atomic_load_explicit(&p->state, memory_order_acquire);
	if ((s & INSIDE) == 0)
		return;
	s = atomic_fetch_or(&p->state, WAIT) | WAIT;
	while ((s & INSIDE) != 0) {
		futex_wait(&p->state, s, CALLER);
		s = atomic_load(&p->state);
	}
	atomic_fetch_and_explicit(&p->state, ~WAIT, memory_order_relaxed);
}

void cpu_pool_run(struct cpu_pool *p, cpu_task *run, void *job, size_t n)
{
	/* A program whose steps are all small never pays for threads. */
	if (p != NULL && n > 1 && !p->ready) {
		start(p);
		atomic_fetch_or_explicit(&p->state, CALL, memory_order_relaxed);
		p->ready = true;
	}
	if (p == NULL || n <= 1 || p->started == 0) {
		for (size_t i = 0; i < n; i++)
			run(job, i, 0);
		return;
	}
	p->run = run;
	p->job = job;
	p->ntask = n;
	atomic_store_explicit(&p->next, 0, memory_order_relaxed);
	post(p);
	take_tasks(p, 0);
	close_job(p);
}
