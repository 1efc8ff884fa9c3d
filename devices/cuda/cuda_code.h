/* SPDX-License-Identifier: Apache-2.0
 *
 * The CODE section of an executable for CUDA: what a call does, step by step. Byte by byte in
 * docs/executable-format-cuda.md. The kernels that are launched are in the CUBIN section.
 */
#ifndef ADZE_CUDA_CODE_H
#define ADZE_CUDA_CODE_H

#include "devices/exe_file.h"
#include "ir/view.h"

#define CUDA_CODE_VERSION 1
/** Bytes of a kernel's name with its final zero. */
#define CUDA_NAME 48
/** Most blocks of a launch; kernels stride by the grid. */
#define CUDA_MAX_BLOCKS 65535

enum cuda_ref_kind {
	CUDA_REF_INPUT = 1, /* by index in the signature */
	CUDA_REF_WEIGHT,
	CUDA_REF_OUTPUT,
	CUDA_REF_ARENA,     /* `at`: offset in bytes */
	CUDA_REF_CONST,     /* `at`: offset in the CONSTS section */
	CUDA_REF_SCRATCH,   /* `at`: offset in scratch memory of the call */
	CUDA_REF_COUNT
};

/** Where an argument lies. */
struct cuda_ref {
	enum cuda_ref_kind kind;
	uint64_t at; /* index, or offset */
};

/**
 * A launch of `kernel` with arguments: pointers, then 64-bit integers. The grid has
 * ceil(items / per_block) blocks, at most CUDA_MAX_BLOCKS; no launch where items is 0.
 */
struct cuda_launch {
	uint32_t kernel;    /* index in cuda_code.kernel */
	uint32_t threads;   /* of a block: 32 to 1024, a multiple of 32 */
	uint32_t per_block; /* items that one block takes at a time */
	struct ir_size items;
	uint32_t nref, nsize;
	struct cuda_ref *ref;
	struct ir_size *size;
};

/** How the elements of one matrix lie: row-major, or transposed. */
struct cuda_matrix {
	struct cuda_ref at;
	struct ir_size offset;  /* of the first element, in elements */
	struct ir_size leading; /* elements from one row (transposed: column) to the next */
	bool transposed;
};

/**
 * c = a * b for row-major c of m x n, summed over k, once for each index of the loops (outer
 * ones first), whose strides are in elements. cuBLASLt's matrices are column-major: give it
 * b and a in the other order and n x m. Where k is 0, c becomes zeros.
 */
struct cuda_gemm {
	adze_dtype dtype; /* f16, bf16, f32: summed in f32; f64 in f64 */
	struct ir_size m, n, k;
	struct cuda_matrix a, b, c;
	uint32_t nloop;
	struct ir_size loop[ADZE_MAX_RANK];
	struct ir_size loop_a[ADZE_MAX_RANK], loop_b[ADZE_MAX_RANK], loop_c[ADZE_MAX_RANK];
};

/** A copy on the device. */
struct cuda_copy {
	struct cuda_ref from, to;
	struct ir_size bytes;
};

enum cuda_step_kind { CUDA_LAUNCH = 1, CUDA_GEMM, CUDA_COPY };

struct cuda_step {
	enum cuda_step_kind kind;
	union {
		struct cuda_launch launch;
		struct cuda_gemm gemm;
		struct cuda_copy copy;
	};
};

/** Arrays are in somebody's arena. */
struct cuda_code {
	uint32_t arch; /* 80 for sm_80 */
	uint64_t scratch_bytes;
	uint32_t nkernel, nstep;
	char (*kernel)[CUDA_NAME]; /* different names, letters digits and _ */
	struct cuda_step *step;
};

/** Appends the section. Deterministic. */
void cuda_code_write(const struct cuda_code *code, struct text *out);

/**
 * Reads and checks the section of `file`: every count, index, size and offset against the
 * signature and the other sections; and that the CUBIN section has machine code for `arch`
 * with every kernel. E_FORMAT or E_VERSION with words. Arrays go into `arena`.
 */
adze_status cuda_code_read(const struct exe_file *file, struct arena *arena,
			   struct cuda_code *out, struct diag *d);

#endif
