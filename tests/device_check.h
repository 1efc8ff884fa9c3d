/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a graph on a device through its contract alone, for tests that compare devices with
 * ir_eval().
 */
#ifndef ADZE_DEVICE_CHECK_H
#define ADZE_DEVICE_CHECK_H

#include "devices/device.h"

/** A context of its own, `isa` as ADZE_ISA (NULL: the environment's), and `threads`. */
adze_context *device_check_context(const char *isa, int threads);
void device_check_context_free(adze_context *c);

/** The file that a copy of `g` becomes, appended to `bytes`. */
adze_status device_check_compile(adze_device *dev, const adze_graph *g, bool optimise,
				 struct text *bytes, struct diag *d);
/** Makes checksums of a damaged file true, and the end of its description this build's. */
void device_check_mend(unsigned char *file, size_t len);

/**
 * Compiles a copy of `g` on `dev` with all passes (`optimise`) or without fold and simplify,
 * loads and runs it `calls` times with the same frame; a donated input starts as given.
 * Pointers as ir_eval()'s.
 */
adze_status device_check_run(adze_device *dev, const adze_graph *g, bool optimise, int calls,
			     const int64_t *symbol, const void *const *inputs,
			     const void *const *weights, void *const *outputs, struct diag *d);

/** A CPU device of `c` by its driver alone. */
adze_status device_check_open(adze_context *c, adze_device **dev, struct diag *d);

#endif
