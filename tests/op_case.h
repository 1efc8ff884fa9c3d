/* SPDX-License-Identifier: Apache-2.0
 *
 * Cases of tests/data/ops (NumPy's numbers), data/jax and data/torch: a safetensors file with
 * inputs by name, `expect.<output>` tensors, and the metadata "graph" (.air text) and "tolerance"
 * (compare.h). Elements of types that such a file has no name for, and of packed ones, lie in it
 * as their bytes, u8 along one axis. The graph has no weights. Symbols have the values that the
 * inputs' extents give them.
 */
#ifndef ADZE_OP_CASE_H
#define ADZE_OP_CASE_H

#include "ir/graph.h"
#include "safetensors.h"

struct op_case {
	struct safetensors *file;
	adze_graph *graph;
	int64_t symbol[ADZE_MAX_SYMBOLS];
	const void **inputs; /* in the order of the signature, aligned */
	void **outputs;      /* room for results, not zero */
	const void **want;   /* by output */
	size_t *count;       /* elements of each output */
	size_t *bytes;
	const char *tolerance;
	struct arena memory;
};

/** False, and words, for a file that is no case. Close it in either event. */
bool op_case_open(const char *path, struct op_case *c, char *message, size_t cap);
void op_case_close(struct op_case *c);

/** Whether c->outputs are what is expected; words with the output's name where not. */
bool op_case_compare(const struct op_case *c, char *message, size_t cap);

/** Copies what is expected to the outputs: for a device that rightly refuses a case. */
void op_case_take_want(const struct op_case *c);

/** Fills outputs from inputs: what a device under test does. */
typedef adze_status op_case_run(void *self, const struct op_case *c, struct diag *d);

/**
 * Runs every case of all folders; says on failure which ones went wrong first, and how many
 * did. `*nrun` counts the cases that ran. `folder`: "ops", "jax" or "torch" alone; NULL: all.
 */
bool op_case_run_all(const char *folder, op_case_run *run, void *self, size_t *nrun,
		     char *message, size_t cap);

#endif
