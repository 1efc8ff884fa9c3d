/* SPDX-License-Identifier: Apache-2.0
 *
 * Random graphs over every operation and element type, with the operands of one call, and
 * for each value what a device may answer: the same bits, or within a slack that grows with
 * the roundings on the way to it.
 */
#ifndef ADZE_RANDOM_GRAPH_H
#define ADZE_RANDOM_GRAPH_H

#include "ir/graph.h"

/* Runs of the inexact part with every result moved by its own error: how far they come
 * apart says what errors of operands do to a result. */
#define RANDOM_SAMPLES 8

/** A value of the graph in this call, as ir_eval_node() defines it. */
struct random_value {
	bool known, usable; /* usable: a device's answer can be told right from wrong */
	size_t n, bytes;
	void *data;
	double *slack;      /* by element; NULL: the same bits, or a NaN for a NaN */
	void *sample[RANDOM_SAMPLES]; /* NULL where slack is */
};

struct random_graph {
	uint64_t seed, state;
	adze_graph *g;
	bool wild;     /* NaN, infinities, denormals, extreme integers */
	size_t most;   /* elements of a value */
	int64_t bound[2], chosen[2]; /* of the symbols t and u */
	struct random_value *value;  /* by node */
	size_t cap;
	ir_val *pool;  /* what operands are picked from */
	size_t npool;
};

/** The same seed makes the same graph. It has outputs, and is at STAGE_GRAPH. */
struct random_graph *random_graph_create(uint64_t seed);
void random_graph_destroy(struct random_graph *r);

/**
 * The same call of a part of the graph: without output `drop` (SIZE_MAX: with all), and
 * with an input that holds its value in the place of `cut` (0: none). NULL where nothing
 * would be left, or a value is not usable.
 */
struct random_graph *random_graph_part(const struct random_graph *r, size_t drop, ir_val cut);

/** Makes value[v] known; operands must be. False where it is not usable. */
bool random_value_find(struct random_graph *r, ir_val v);
/** The values of the graph's symbols. */
void random_symbols(const struct random_graph *r, int64_t *symbol);
/** Whether got[] is right for `v`; where not, the worst element in `words`. */
bool random_value_agrees(const struct random_graph *r, ir_val v, const void *got, char *words,
			 size_t cap);

/** A number below n. */
size_t random_pick(struct random_graph *r, size_t n);

#endif
