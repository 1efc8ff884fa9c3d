/* SPDX-License-Identifier: Apache-2.0
 *
 * From a planned graph to CUDA C text and the steps of a call. The text includes no header;
 * it is the text of kernels/cuda/, functions made of ew.def's formulas, and one kernel for each
 * different group. Element-wise values are rounded to their element type after every
 * operation, as ir/eval.c does; sums are kept in f32 (f64 for f64) and rounded once. The same
 * graph gives the same bytes.
 */
#ifndef ADZE_CUDA_EMIT_H
#define ADZE_CUDA_EMIT_H

#include "devices/cuda/cuda_code.h"

struct cuda_program {
	struct arena arena; /* of the arrays in `code` */
	struct text source; /* CUDA C; empty where nothing is launched */
	struct text consts; /* the CONSTS section */
	struct cuda_code code;
};

/**
 * Fills `out`; cuda_program_fini() in any case. E_UNSUPPORTED, with the operation and its
 * place in the source, for what CUDA cannot do.
 */
adze_status cuda_emit(const adze_graph *g, uint32_t arch, struct cuda_program *out,
		      struct diag *d);
void cuda_program_fini(struct cuda_program *p);

#endif
