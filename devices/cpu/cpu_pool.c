/* SPDX-License-Identifier: Apache-2.0
 *
 * The worker pool. A call that began has a team: one 32-bit word, its state, says all that
 * threads agree on: whether a job is open, its number, and how many workers are inside it. A
 * worker enters by adding one, and only what it finds in the same step counts; the caller
 * closes a job and waits for those inside. So nobody waits for a worker that the system did
 * not run in time to enter.
 *
 * Sleeping is on a word of each worker, since unlike a condition variable it has nothing that
 * a forked child could wait for in vain. Who wakes a worker takes it off the count of those
 * asleep, so that the next job does not wake it again before the system has run it; and a
 * woken worker wakes others where enough is left to do, so that a caller wakes few.
 *
 * A worker that the system stopped in the midst of a task, to run another process, keeps its
 * caller waiting for a time slice. Such a worker rests for many times that, so that beside
 * busy processes a call takes little longer than it would alone.
 */
#include "config.h"

#include "devices/cpu/cpu_pool.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fpmode.h"
#include "devices/cpu/cpu_wait.h"

/* A team's state: workers inside, flags, number of the job. */
#define INSIDE 0x7ffu
#define OPEN 0x800u  /* a job can be entered */
#define WAIT 0x1000u /* the caller sleeps until nobody is inside */
#define ONE_JOB 0x2000u
#define JOB (~(ONE_JOB - 1))

#define LINE 64
#define TEAMS 16 /* calls that workers help at a time */
#define WAKES 2  /* workers that one thread wakes */

#define LATE_NS 300000 /* and the time of LATE_TASKS: nobody is as late who was not stopped */
#define LATE_TASKS 4
#define REST 8 /* times as long as it was late, if it was before: within */
#define AGAIN_NS 1000000000

/* Tasks that belong to the workers of a node, until they have none left. */
struct part {
	_Alignas(LINE) atomic_size_t next; /* that nobody has yet */
	size_t end;
};

struct cpu_team {
	struct cpu_pool *pool;
	atomic_uint *state;
	atomic_int taken;
	cpu_task *run; /* the job; constant while open or entered */
	void *job;
	atomic_llong waits; /* since when the caller does, with none of the tasks left; 0 */
	atomic_llong late;  /* later than this a worker is */
	struct part part[CPU_MAX_NODES];
};

struct worker {
	_Alignas(LINE) atomic_uint asleep; /* 1: until somebody wakes it */
	const atomic_bool *leave;
	struct cpu_pool *pool;
	pthread_t thread; /* of those that the pool started */
	int index;        /* 1 .. threads - 1 */
	int node;
	atomic_int core;  /* its hardware thread; -1: it is not bound */
	atomic_int here;  /* a lent thread is */
	atomic_llong rests; /* until this time; 0 */
	long stops;       /* how often the system stopped it, as far as it has looked: */
	long long looked;
	unsigned done[TEAMS]; /* the last job of each team that it has seen */
};

struct cpu_pool {
	_Alignas(LINE) atomic_uint state[TEAMS]; /* all that a spinning worker looks at, with: */
	_Alignas(LINE) atomic_int callers;       /* calls that have begun */
	atomic_bool stop;
	_Alignas(LINE) atomic_int asleep;  /* and not woken yet */
	atomic_int present;                /* workers, asleep or not */
	atomic_int stage;                  /* of starting workers */
	atomic_int owner;                  /* the process whose workers these are; 0: none yet */

	int threads, lent; /* `lent` workers, the first ones, are threads of the program */
	int most;          /* threads that work at a time */
	int started;
	int nodes, first[CPU_MAX_NODES + 1]; /* threads first[k] .. first[k + 1] - 1: of node k */
	struct worker *worker;
	adze_context *context;
	struct cpu_mask mask; /* of the thread that made the pool */
	bool has_mask;
	bool may_rest;
	atomic_int free_core; /* that no worker is bound to; -1: they are not bound, or one moves */
	struct cpu_team team[TEAMS];
};

enum stage { NOT_STARTED, STARTING, STARTED };

/* ---- sleeping ---- */

/* Workers that may work now: each call has a thread of its own. */
static int limit_of(struct cpu_pool *p)
{
	return p->most - atomic_load_explicit(&p->callers, memory_order_relaxed);
}

static bool rests(struct worker *w)
{
	long long until = atomic_load_explicit(&w->rests, memory_order_relaxed);
	return until != 0 && cpu_now() < until;
}

static bool wake_one(struct worker *w)
{
	unsigned one = 1;
	if (atomic_load_explicit(&w->asleep, memory_order_relaxed) == 0 ||
	    !atomic_compare_exchange_strong(&w->asleep, &one, 0))
		return false;
	atomic_fetch_sub(&w->pool->asleep, 1);
	cpu_wake(&w->asleep);
	return true;
}

/* Wakes a few workers where `left` tasks are more than those that are awake and not among the
 * `inside` yet. The last of those that are awake sees all others inside, so none is forgotten. */
static void call_workers(struct cpu_pool *p, size_t left, int inside)
{
	int asleep = atomic_load(&p->asleep), limit = limit_of(p), lack = limit - inside;
	if (asleep == 0 || lack <= 0)
		return;
	lack = left < (size_t)lack ? (int)left : lack;
	lack -= atomic_load(&p->present) - asleep - inside;
	lack = lack < WAKES ? lack : WAKES;
	for (int i = 0; i < limit && lack > 0; i++)
		lack -= !rests(&p->worker[i]) && wake_one(&p->worker[i]);
}

enum { NOTHING = -1, LEAVE = -2 };

/* The team, if any, whose open job this worker should enter: of several the one with the
 * fewest workers. */
static int find_team(struct worker *w)
{
	struct cpu_pool *p = w->pool;
	unsigned least = INSIDE + 1;
	int found = NOTHING;
	if (atomic_load(w->leave))
		return LEAVE;
	if (w->index > limit_of(p) || rests(w))
		return NOTHING;
	for (int i = 0; i < TEAMS; i++) {
		unsigned s = atomic_load(&p->state[i]);
		if ((s & OPEN) && (s & JOB) != w->done[i] && (s & INSIDE) < least) {
			least = s & INSIDE;
			found = i;
		}
	}
	return found;
}

/* Until somebody wakes it, or there is something to do. */
static void sleep_worker(struct worker *w)
{
	unsigned one = 1;
	atomic_store(&w->asleep, 1);
	/* In this order with who opens a job and then looks at the count: one of the two sees
	 * the other. */
	atomic_fetch_add(&w->pool->asleep, 1);
	if (find_team(w) != NOTHING && atomic_compare_exchange_strong(&w->asleep, &one, 0)) {
		atomic_fetch_sub(&w->pool->asleep, 1);
		return;
	}
	while (atomic_load(&w->asleep) == 1)
		cpu_sleep(&w->asleep, 1);
}

/* The team to work with, or LEAVE. */
static int await(struct worker *w)
{
	struct cpu_spin spin = {0};
	for (;;) {
		int found = find_team(w);
		if (found != NOTHING)
			return found;
		if (w->index <= limit_of(w->pool) && !rests(w) && cpu_spin_turn(&spin))
			continue;
		sleep_worker(w);
		spin = (struct cpu_spin){0};
	}
}

/* ---- working ---- */

static size_t tasks_left(struct cpu_team *t)
{
	size_t left = 0;
	for (int k = 0; k < t->pool->nodes; k++) {
		size_t next = atomic_load_explicit(&t->part[k].next, memory_order_relaxed);
		left += next < t->part[k].end ? t->part[k].end - next : 0;
	}
	return left;
}

/* Those of its own node first, then what other nodes have left. Returns how many. */
static size_t take_tasks(struct cpu_team *t, int index, int node)
{
	int nodes = t->pool->nodes;
	size_t n = 0;
	for (int i = 0; i < nodes; i++) {
		struct part *part = &t->part[node + i < nodes ? node + i : node + i - nodes];
		for (;;) {
			size_t task = atomic_fetch_add_explicit(&part->next, 1,
								memory_order_relaxed);
			if (task >= part->end)
				break;
			t->run(t->job, task, index);
			n++;
		}
	}
	return n;
}

/* Before it leaves a job whose caller waits for it. */
static void note_late(struct worker *w, struct cpu_team *t)
{
	struct rusage use;
	long long since = atomic_load(&t->waits), now = since != 0 ? cpu_now() : 0;
	if (since == 0 || now - since < atomic_load(&t->late) ||
	    getrusage(RUSAGE_THREAD, &use) != 0)
		return;
	if (use.ru_nivcsw != w->stops && now - w->looked < AGAIN_NS)
		atomic_store(&w->rests, now + REST * (now - since));
	w->stops = use.ru_nivcsw;
	w->looked = now;
}

static void work(struct worker *w)
{
	struct cpu_pool *p = w->pool;
	for (;;) {
		int i = await(w);
		if (i == LEAVE)
			return;
		struct cpu_team *t = &p->team[i];
		/* The job may be another one by now, or closed: this decides. */
		unsigned s = atomic_fetch_add_explicit(&p->state[i], 1, memory_order_acq_rel);
		w->done[i] = s & JOB;
		if (s & OPEN) {
			size_t left = tasks_left(t);
			if (left > 1)
				call_workers(p, left - 1, (int)(s & INSIDE) + 1);
			take_tasks(t, w->index, w->node);
			if (p->may_rest)
				note_late(w, t);
		}
		s = atomic_fetch_sub_explicit(&p->state[i], 1, memory_order_acq_rel);
		if ((s & INSIDE) == 1 && (s & WAIT))
			cpu_wake(&p->state[i]);
	}
}

static void *begin_work(void *arg)
{
	struct worker *w = arg;
	char name[16];
	snprintf(name, sizeof name, "adze-%d", w->index);
	pthread_setname_np(pthread_self(), name);
	fp_mode_enter();
	work(w);
	return NULL;
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
	for (int i = p->lent; i < p->most - 1 && error == 0; i++) {
		struct worker *w = &p->worker[i];
		w->leave = &p->stop;
		/* It counts before it runs, since it may sleep at once. */
		atomic_fetch_add(&p->present, 1);
		error = pthread_create(&w->thread, NULL, begin_work, w);
		p->started += error == 0;
		if (error != 0)
			atomic_fetch_sub(&p->present, 1);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return error;
}

static int set_affinity(struct worker *w, const struct cpu_mask *m)
{
	return pthread_setaffinity_np(w->thread, sizeof m->bits,
				      (const cpu_set_t *)(const void *)m->bits);
}

static bool bind_one(struct worker *w, int core)
{
	const int bits = 8 * (int)sizeof(unsigned long);
	struct cpu_mask one = {{0}};
	one.bits[core / bits] = 1ul << (core % bits);
	atomic_store(&w->core, core);
	return set_affinity(w, &one) == 0;
}

/* The system may have put the caller where a worker is bound, which would share its time: that
 * worker takes the core that was left for callers. */
static void make_way(struct cpu_pool *p)
{
	int here = sched_getcpu(), way = atomic_load(&p->free_core);
	if (way < 0 || here < 0 || here == way)
		return;
	for (int i = p->lent; i < p->lent + p->started; i++) {
		if (atomic_load_explicit(&p->worker[i].core, memory_order_relaxed) != here)
			continue;
		if (atomic_compare_exchange_strong(&p->free_core, &way, -1)) {
			bind_one(&p->worker[i], way);
			atomic_store(&p->free_core, here);
		}
		return;
	}
}

/* Which threads belong to which node. Places are in the order of nodes, and so are threads. */
static void own_nodes(struct cpu_pool *p, const struct cpu_place *place)
{
	int nodes = 1;
	for (int i = 1; i < p->threads; i++) {
		if (place[i].node != place[i - 1].node && nodes < CPU_MAX_NODES)
			p->first[nodes++] = i;
		p->worker[i - 1].node = nodes - 1;
	}
	p->first[nodes] = p->threads;
	p->nodes = nodes;
}

/* Worker i to core i; core 0 is left for the caller, whose own affinity is not ours. */
static void bind_cores(struct cpu_pool *p, adze_log_level level)
{
	adze_context *c = p->context;
	struct cpu_place place[CPU_MAX_THREADS];
	int failed = 0, found = cpu_topo_place(&p->mask, place, p->threads);
	if (found < p->threads) {
		context_log(c, level, "threads are not bound: %d threads, %d cores", p->threads,
			    found);
		return;
	}
	own_nodes(p, place);
	for (int i = p->lent; i < p->lent + p->started; i++)
		failed += !bind_one(&p->worker[i], place[i + 1].cpu);
	atomic_store(&p->free_core, failed == 0 ? place[0].cpu : -1);
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
	for (int i = p->lent; i < p->lent + p->started && !same; i++)
		set_affinity(&p->worker[i], &p->mask);
	/* With fewer threads than cores, as a CPU quota makes them, other processes have their
	 * part of the cores, and each would bind to the first ones. */
	if (on)
		bind_cores(p, ADZE_LOG_WARN);
	else if (!off && same && cpu_topo_cores_in(&p->mask) == p->threads)
		bind_cores(p, ADZE_LOG_DEBUG);
}

/* By one thread at a time, and no team has a job open that workers could be in. */
static void start(struct cpu_pool *p)
{
	int error = start_threads(p);
	if (error != 0)
		context_log(p->context, ADZE_LOG_WARN, "only %d of %d threads: %s",
			    p->lent + p->started + 1, p->most, strerror(error));
	bind_threads(p);
}

static bool try_start(struct cpu_pool *p)
{
	int stage = NOT_STARTED;
	if (atomic_load_explicit(&p->stage, memory_order_acquire) == STARTED)
		return true;
	if (!atomic_compare_exchange_strong(&p->stage, &stage, STARTING))
		return false; /* another call starts them meanwhile */
	start(p);
	make_way(p);
	atomic_store_explicit(&p->stage, STARTED, memory_order_release);
	return true;
}

/* As it is before anything began. */
static void reset(struct cpu_pool *p)
{
	for (int i = 0; i < TEAMS; i++) {
		atomic_store(&p->state[i], 0);
		atomic_store(&p->team[i].taken, 0);
	}
	for (int i = 0; i < p->threads - 1; i++) {
		atomic_store(&p->worker[i].asleep, 0);
		atomic_store(&p->worker[i].here, 0);
		atomic_store(&p->worker[i].rests, 0);
		atomic_store(&p->worker[i].core, -1);
		memset(p->worker[i].done, 0, sizeof p->worker[i].done);
	}
	atomic_store(&p->callers, 0);
	atomic_store(&p->asleep, 0);
	atomic_store(&p->present, 0);
	atomic_store(&p->stage, NOT_STARTED);
	atomic_store(&p->free_core, -1);
	p->started = 0;
}

/* A forked child has none of the threads that the pool tells of. */
static void claim(struct cpu_pool *p)
{
	int self = (int)getpid(), owner = atomic_load(&p->owner);
	while (owner != self) {
		/* Its negative: a thread of this process is at it. */
		if (owner == -self) {
			sched_yield();
			owner = atomic_load(&p->owner);
		} else if (atomic_compare_exchange_strong(&p->owner, &owner, -self)) {
			reset(p);
			atomic_store(&p->owner, self);
			return;
		}
	}
}

/* ---- the interface ---- */

static void init(struct cpu_pool *p, adze_context *c, struct worker *w)
{
	p->context = c;
	p->worker = w;
	p->nodes = 1;
	p->first[1] = p->threads;
	atomic_init(&p->owner, 0);
	atomic_init(&p->stop, false);
	for (int i = 0; i < TEAMS; i++) {
		p->team[i].pool = p;
		p->team[i].state = &p->state[i];
	}
	for (int i = 0; i < p->threads - 1; i++) {
		w[i].pool = p;
		w[i].index = i + 1;
	}
	reset(p);
	p->has_mask = cpu_topo_mask(&p->mask);
}

adze_status cpu_pool_create(adze_context *c, int threads, int cpus, struct cpu_pool **out,
			    struct diag *d)
{
	int lent = c->config.lent;
	*out = NULL;
	if (threads < 0 || threads > CPU_MAX_THREADS)
		return fail(d, ADZE_E_LIMIT, "threads: %d is not within 0 .. %d", threads,
			    CPU_MAX_THREADS);
	if (threads == 0)
		threads = cpu_topo_cores();
	if (threads > CPU_MAX_THREADS)
		threads = CPU_MAX_THREADS;
	bool may_rest = cpus == 0;
	if (cpus == 0)
		cpus = cpu_topo_cpus();
	lent = lent < threads ? lent : threads - 1;
	size_t bytes = (size_t)(threads - 1) * sizeof(struct worker);
	struct cpu_pool *p = mem_new_aligned(&c->mem, sizeof *p, LINE);
	struct worker *w = mem_new_aligned(&c->mem, bytes, LINE);
	if (p == NULL || w == NULL) {
		mem_free_aligned(&c->mem, p);
		mem_free_aligned(&c->mem, w);
		return fail(d, ADZE_E_NOMEM, "no memory for %d threads", threads);
	}
	memset(p, 0, sizeof *p);
	memset(w, 0, bytes);
	p->threads = threads;
	p->lent = lent;
	p->may_rest = may_rest;
	p->most = threads < cpus ? threads : cpus;
	init(p, c, w);
	*out = p;
	return ADZE_OK;
}

void cpu_pool_destroy(struct cpu_pool *p)
{
	if (p == NULL)
		return;
	const adze_allocator *mem = &p->context->mem;
	/* A forked child has no workers to join. */
	if (atomic_load(&p->owner) == (int)getpid()) {
		atomic_store(&p->stop, true);
		for (int i = p->lent; i < p->lent + p->started; i++)
			wake_one(&p->worker[i]);
		for (int i = p->lent; i < p->lent + p->started; i++)
			pthread_join(p->worker[i].thread, NULL);
	}
	mem_free_aligned(mem, p->worker);
	mem_free_aligned(mem, p);
}

int cpu_pool_threads(const struct cpu_pool *p)
{
	return p->threads;
}

struct cpu_team *cpu_pool_begin(struct cpu_pool *p)
{
	claim(p);
	if (atomic_load_explicit(&p->stage, memory_order_acquire) == STARTED)
		make_way(p);
	atomic_fetch_add(&p->callers, 1);
	for (int i = 0; i < TEAMS; i++)
		if (atomic_exchange_explicit(&p->team[i].taken, 1, memory_order_acquire) == 0)
			return &p->team[i];
	return NULL;
}

void cpu_pool_end(struct cpu_pool *p, struct cpu_team *t)
{
	if (t != NULL)
		atomic_store_explicit(&t->taken, 0, memory_order_release);
	atomic_fetch_sub(&p->callers, 1);
}

/* Each node has the part of the tasks that its threads are of all threads. */
static void fill_parts(struct cpu_team *t, size_t n)
{
	const struct cpu_pool *p = t->pool;
	size_t begin = 0;
	for (int k = 0; k < p->nodes; k++) {
		size_t threads = (size_t)p->threads, first = (size_t)p->first[k + 1];
		t->part[k].end = n / threads * first + n % threads * first / threads;
		atomic_store_explicit(&t->part[k].next, begin, memory_order_relaxed);
		begin = t->part[k].end;
	}
}

static void sleep_caller(struct cpu_team *t)
{
	unsigned s = atomic_fetch_or(t->state, WAIT) | WAIT;
	while ((s & INSIDE) != 0) {
		cpu_sleep(t->state, s);
		s = atomic_load(t->state);
	}
	atomic_fetch_and_explicit(t->state, ~WAIT, memory_order_relaxed);
}

/* Closes the job, that began at `start` and of which the caller did `done` tasks, and waits until
 * nobody is inside. */
static void close_job(struct cpu_team *t, int64_t start, size_t done)
{
	struct cpu_spin spin = {0};
	unsigned s = atomic_fetch_and_explicit(t->state, ~OPEN, memory_order_acq_rel);
	if ((s & INSIDE) == 0)
		return;
	if (t->pool->may_rest) {
		int64_t now = cpu_now();
		atomic_store_explicit(&t->late, (now - start) / (int64_t)(done + 1) * LATE_TASKS +
							LATE_NS, memory_order_relaxed);
		atomic_store(&t->waits, now);
	}
	do
		s = atomic_load_explicit(t->state, memory_order_acquire);
	while ((s & INSIDE) != 0 && cpu_spin_turn(&spin));
	if ((s & INSIDE) != 0)
		sleep_caller(t);
	atomic_store_explicit(&t->waits, 0, memory_order_relaxed);
}

void cpu_pool_run(struct cpu_team *t, cpu_task *run, void *job, size_t n)
{
	/* A program whose steps are all small never pays for threads, and with as many calls as
	 * threads each is on its own. */
	if (t == NULL || n <= 1 || limit_of(t->pool) <= 0 || !try_start(t->pool) ||
	    atomic_load_explicit(&t->pool->present, memory_order_relaxed) == 0) {
		for (size_t i = 0; i < n; i++)
			run(job, i, 0);
		return;
	}
	t->run = run;
	t->job = job;
	fill_parts(t, n);
	int64_t start = t->pool->may_rest ? cpu_now() : 0;
	atomic_fetch_add(t->state, ONE_JOB | OPEN);
	call_workers(t->pool, n - 1, 0);
	close_job(t, start, take_tasks(t, 0, 0));
}

/* ---- threads of the program ---- */

adze_status cpu_pool_lend(struct cpu_pool *p, const atomic_bool *until, struct diag *d)
{
	claim(p);
	for (int i = 0; i < p->lent; i++) {
		struct worker *w = &p->worker[i];
		if (atomic_exchange(&w->here, 1) != 0)
			continue;
		w->leave = until;
		atomic_fetch_add(&p->present, 1);
		fp_mode mode = fp_mode_enter();
		work(w);
		fp_mode_leave(mode);
		atomic_fetch_sub(&p->present, 1);
		atomic_store(&w->here, 0);
		return ADZE_OK;
	}
	return fail(d, ADZE_E_LIMIT, "no place for another thread: the context was made for %d "
		    "that are lent, of %d threads in all", p->lent, p->threads);
}

void cpu_pool_recall(struct cpu_pool *p)
{
	for (int i = 0; i < p->lent; i++)
		wake_one(&p->worker[i]);
}

/* ---- memory ---- */

#define TOUCH 65536
#define LEAST_PAGE 4096

struct memory {
	volatile char *at;
	size_t bytes;
};

static void touch_task(void *job, size_t task, int worker)
{
	const struct memory *m = job;
	size_t end = (task + 1) * TOUCH < m->bytes ? (task + 1) * TOUCH : m->bytes;
	(void)worker;
	for (size_t i = task * TOUCH; i < end; i += LEAST_PAGE)
		m->at[i] = 0;
}

void cpu_pool_touch(struct cpu_pool *p, void *at, size_t bytes)
{
	struct memory m = {at, bytes};
	struct cpu_team *t = cpu_pool_begin(p);
	cpu_pool_run(t, touch_task, &m, (bytes + TOUCH - 1) / TOUCH);
	cpu_pool_end(p, t);
}
