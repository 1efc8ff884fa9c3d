/* SPDX-License-Identifier: Apache-2.0
 *
 * Waiting: spinning for a bounded time, and sleeping on a word.
 */
#ifndef ADZE_CPU_WAIT_H
#define ADZE_CPU_WAIT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** Nanoseconds of the clock that nobody sets. */
int64_t cpu_now(void);

/** A patience of bounded time. Zero-initialise. */
struct cpu_spin {
	int64_t since, last;
	unsigned turns;
};

/** Waits a moment; false when the time is up, after some 60 microseconds. */
bool cpu_spin_turn(struct cpu_spin *s);

/**
 * Sleeps while the word is `seen`, until cpu_wake(); may also return without reason. A word
 * has at most one sleeper. A futex; without them (--disable-futex) a mutex and a condition
 * that all words share, which a child forked in the midst of another thread's wait may find
 * locked.
 */
void cpu_sleep(atomic_uint *word, unsigned seen);
/** After the word was changed. */
void cpu_wake(atomic_uint *word);

#endif
