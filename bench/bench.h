/* SPDX-License-Identifier: Apache-2.0
 *
 * What the benches share: time of a function, lines of results, weights of a model.
 */
#ifndef ADZE_BENCH_H
#define ADZE_BENCH_H

#include <stdbool.h>

#include "adze.h"
#include "cmd_ceilings.h"

/** One repeat of what is measured; false ends the measurement. */
typedef bool bench_function(void *self);

/** Microseconds of one call: the median, and the distance of the quartiles. */
struct bench_time {
	double median, spread;
	int repeats;
};

enum { BENCH_REPEATS = 15, BENCH_REPEATS_LONG = 7, BENCH_MOST = 4 };

/**
 * Times `n` functions (at most BENCH_MOST) in turn, so that all meet the same machine: one round
 * to warm up, then BENCH_REPEATS rounds of `calls` calls, or BENCH_REPEATS_LONG where a round
 * takes longer than 0.2 s. Before its turn in a round each waits and is called once. False
 * where one failed.
 */
bool bench_measure(bench_function *const *run, void *const *self, int n, int calls,
		   struct bench_time *out);

/** Whether a bench of this name is asked for. */
bool bench_wanted(const char *name);
/** Threads to measure with: that of `i`, 0 past the end. */
int bench_threads(int i);

/** {"bench":NAME,PARAMETERS,"median":..,"spread":..,"unit":"us"EXTRA}; either may be "". Names
 * what is measured by all that stands before the median. */
void bench_print(const char *name, const char *parameters, const struct bench_time *t,
		 const char *extra);
/** The same of an engine that is not adze: "openblas". */
void bench_print_peer(const char *name, const char *parameters, const char *engine,
		      const struct bench_time *t);
/** A line of another kind: the inside of a JSON object, without braces. */
void bench_line(const char *fields);

/** Prints a failure's words; returns 1. */
int bench_failed(adze_context *context, const char *name);
/** A context with `threads` and no cache; exits without memory. */
adze_context *bench_context(int threads);

/** Measured once for each number of threads. */
const struct ceilings *bench_ceilings(int threads);

/** A weight file in memory with random values for all weights of an executable: matrices of
 * mean 0, all else around 1; bytes in blocks of `format` where that is not NULL. */
struct bench_weights {
	char *at;
	size_t bytes, room;
	double matrix_bytes; /* of weights that a call reads as a whole, not in rows: all but those
			      * of "embed" in their name */
	double matrix_count; /* the numbers in them */
};
bool bench_weights_create(const adze_exe *exe, const char *format,
			  struct bench_weights *out);
void bench_weights_free(struct bench_weights *w);
/** Random values of mean 0 (floats), or from 0 to `below` - 1 (integers). */
void bench_fill(adze_dtype dtype, void *at, size_t n, int64_t below);
/** The same; of u8, where `format` is not NULL, such values in blocks of it. False without
 * memory. */
bool bench_fill_format(adze_dtype dtype, const char *format, void *at, size_t n);

/** Parts of adze-bench: each prints its lines and returns an exit code. */
int ceiling_bench(void);
int attend_bench(void);
int kernel_bench(void);
int block_bench(void);
int compile_bench(void);
int graph_bench(void);
int model_bench(void);
int open_bench(void);
int profile_bench(void);
int pool_bench(void);
int product_bench(void);

#endif
