/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "devices/cpu/cpu_wait.h"

#include <sched.h>
#include <time.h>

#if HAVE_FUTEX
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <pthread.h>
#endif

#define SPIN_NS 60000  /* several times what it takes to wake a thread */
#define PAUSE_NS 5000
#define AWAY_NS 20000

int64_t cpu_now(void)
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

/*
 * Soon it offers the processor to others, who may be the ones that are waited for. Having been
 * away for long means that somebody else needs it: a thread that sleeps is then run sooner,
 * when there is work, than one that used up its share by spinning.
 */
bool cpu_spin_turn(struct cpu_spin *s)
{
	if (s->since != 0 && s->last - s->since >= PAUSE_NS) {
		sched_yield();
	} else {
		rest();
		if (++s->turns % 32 != 0)
			return true;
	}
	int64_t t = cpu_now();
	if (s->since == 0)
		s->since = s->last = t;
	bool away = t - s->last > AWAY_NS;
	s->last = t;
	return !away && t - s->since < SPIN_NS;
}

#if HAVE_FUTEX
void cpu_sleep(atomic_uint *word, unsigned seen)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

void cpu_wake(atomic_uint *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
#else
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

void cpu_sleep(atomic_uint *word, unsigned seen)
{
	pthread_mutex_lock(&lock);
	while (atomic_load(word) == seen)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

void cpu_wake(atomic_uint *word)
{
	(void)word;
	pthread_mutex_lock(&lock);
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}
#endif
