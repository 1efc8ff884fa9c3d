/* SPDX-License-Identifier: Apache-2.0
 *
 * The kernels of this build as rows of words, for reports.
 */
#ifndef ADZE_CPU_REPORT_H
#define ADZE_CPU_REPORT_H

#include <stdbool.h>
#include <stddef.h>

struct cpu_kernel_row {
	const char *family;   /* "add_f32" */
	const char *type;     /* the function type, "ew_fn" */
	const char *function; /* "add_f32_avx2" */
	const char *isa;      /* "avx2" */
	bool usable;          /* with `isa_mask` */
	bool selected;        /* the best of its family for `isa_mask` */
};

/** Row `i` of impls.def for a processor with `isa_mask`; false past the end. */
bool cpu_kernel_row(size_t i, unsigned isa_mask, struct cpu_kernel_row *out);

#endif
