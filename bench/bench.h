/* SPDX-License-Identifier: Apache-2.0
 *
 * What the programs of bench/ share: time of a function, and JSON lines.
 */
#ifndef ADZE_BENCH_H
#define ADZE_BENCH_H

#include <stdbool.h>

#include "adze.h"

/** One repeat of what is measured; false ends the measurement. */
typedef bool bench_function(void *self);

/** Microseconds of one call: the median, and the distance of the quartiles. */
struct bench_time {
	double median, spread;
};

enum { BENCH_REPEATS = 15 };

/**
 * Times `n` functions (at most 2) in turn, so that both meet the same machine: one round to
 * warm up, then BENCH_REPEATS rounds of `calls` calls. False where one failed.
 */
bool bench_measure(bench_function *const *run, void *const *self, int n, int calls,
		   struct bench_time *out);

/** Whether a bench of this name is asked for. */
bool bench_wanted(const char *name);
/** {"bench":NAME,PARAMETERS,"median":..,"spread":..,"unit":"us"EXTRA}; either may be "". */
void bench_print(const char *name, const char *parameters, const struct bench_time *t,
		 const char *extra);
/** Prints a failure's words; returns 1. */
int bench_failed(adze_context *context, const char *name);
/** A context with `threads` and no cache; exits without memory. */
adze_context *bench_context(int threads);

/** The most that `threads` threads reach: f32 multiply-adds and int8 products in operations a
 * nanosecond, reading memory in bytes a nanosecond; 0 where this build cannot measure it. */
struct bench_ceilings {
	double fma, dot, read;
};
struct bench_ceilings bench_ceilings(int threads);

/** Parts of adze-bench: each prints its lines and returns an exit code. */
int compile_bench(void);
int graph_bench(void);
int model_bench(void);
int product_bench(void);
int open_bench(int argc, char **argv);

#endif
