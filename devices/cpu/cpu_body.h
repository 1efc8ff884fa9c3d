/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of scalars at work: programs of element-wise kernels on what they are given, strip by
 * strip.
 */
#ifndef ADZE_CPU_BODY_H
#define ADZE_CPU_BODY_H

#include "devices/cpu/cpu_exec.h"

/** A body of a task: strips of scratch for its constants and for what it works out. */
struct cpu_body_run {
	const struct cpu_body *body;
	const struct cpu_bound_body *bound;
	char *scratch;
	size_t size[CPU_MAX_SLOTS]; /* bytes of an element, by slot */
};

/** Bytes of scratch of one body; of all that a step has. */
size_t cpu_body_bytes(const struct cpu_body *b);
size_t cpu_bodies_bytes(const struct cpu_step *s);

void cpu_body_begin(const struct cpu_body *body, const struct cpu_bound_body *bound,
		    char *scratch, struct cpu_body_run *b);
/** struct plain_body's `call`: `self` is the struct cpu_body_run. */
void cpu_body_call(void *self, void *const *out, const void *const *in, size_t n);

#endif
