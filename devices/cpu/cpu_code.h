/* SPDX-License-Identifier: Apache-2.0
 *
 * What the CPU device's code section says: steps, each one group of the graph. All memory a
 * step touches is described by its views, so that one check covers every kind of step. Sizes
 * that depend on symbols are numbers in one table, worked out when a call's symbols change.
 */
#ifndef ADZE_CPU_CODE_H
#define ADZE_CPU_CODE_H

#include "base/text.h"
#include "devices/exe_file.h"
#include "ir/view.h"

/** Where bytes lie. */
enum cpu_memory { CPU_INPUT, CPU_WEIGHT, CPU_OUTPUT, CPU_ARENA, CPU_CONST, CPU_MEMORY_COUNT };

/** A box of elements in memory: extents, strides and offset are indices of numbers. */
struct cpu_view {
	uint8_t memory; /* enum cpu_memory */
	uint8_t dtype;
	uint8_t rank;
	uint32_t index; /* of the input, weight or output; 0 for the others */
	uint64_t byte;  /* where it begins in the arena or the constants; 0 for the others */
	uint32_t extent[ADZE_MAX_RANK], stride[ADZE_MAX_RANK], offset;
};

/**
 * An instruction of a strip program: a kernel on strips. Slots below the program's nload are
 * its operands; the others are strips of scratch; CPU_RESULT is where the program's result
 * goes.
 */
enum cpu_ins_kind {
	CPU_INS_EW, CPU_INS_CONVERT, CPU_INS_SELECT, CPU_INS_COMPLEX, CPU_INS_KIND_COUNT
};
#define CPU_RESULT 0xffff
struct cpu_ins {
	uint8_t kind;   /* enum cpu_ins_kind */
	uint8_t dtype;  /* EW, SELECT, COMPLEX: of the operands; CONVERT: from */
	uint8_t to;     /* CONVERT: to; COMPLEX: the complex type */
	uint8_t nsrc;
	uint16_t ew;    /* EW: enum ew; written by name */
	uint16_t dst, src[3];
};

/** Element-wise work in strips: `load` are indices of the step's views. */
#define CPU_MAX_SLOTS 128
struct cpu_prog {
	uint16_t nload, nins, nslot; /* nslot counts loads and scratch strips */
	uint8_t dtype;               /* of the result */
	uint16_t *load;
	struct cpu_ins *ins;         /* none: the one load is the result */
};

/**
 * A body of scalars. `prog` is a program without operands of its own: its slots below nload are
 * what goes in, then constants. `type` are their types, and behind them those of the results.
 */
#define CPU_MAX_BODIES 2
struct cpu_body {
	uint16_t nin, nconst, nout;
	uint8_t *type;          /* of nin + nconst + nout */
	uint64_t (*value)[2];   /* bytes of the constants */
	uint16_t *out;          /* slots of the results */
	struct cpu_prog prog;
};

/**
 * Steps; `view` [0] is always the result. A `pro` program makes the rows that the root reads,
 * an `epi` program works on the result in its place, its first load.
 *   EW       pro: the group. A view that is copied out has no instruction.
 *   REDUCE   rows: pro's space is [rows, length]; param: by, rows' axes as below
 *   COLUMNS  reduction over axes that are not innermost: pro's space is [outer, length, inner]
 *   ARG      as REDUCE; param 0: 1 for the least
 *   ROW      op: SOFTMAX, LAYER_NORM, RMS_NORM; view 1.. scale and bias; eps
 *   GEMM     views: c [outer.., m, n], a [outer.., m, k], b [outer.., k, n]
 *   CONV     views: y, x, w, dense; param: stride, low, dilation of 3 axes each, groups
 *   WINDOW   views: y, x, dense; param: by, then window, stride, low, dilation by axis
 *   COPY     view 1 is copied to view 0 elsewhere than in the order of the result: a box
 *   FILL     view 0 is filled with the scalar of view 1
 *   PICK     view 0 from view 1 at the scalars of views 2..: a box at run-time places
 *   PUT      view 1 into view 0 at the scalars of views 2..
 *   TAKE     views: y [outer, count, inner], x [outer, axis, inner], indices [count]
 *   IOTA     view 0 [outer, length, inner]
 *   EXTENT   param 0: number whose value is stored
 *   PLAIN    op: its row of kernels/plain.def; param 0: number of results, the first views,
 *            before the operands; then the attributes (cpu_plain_params)
 *   BRANCH   views: results, the choice, operands; param: results, then blocks: the one that an
 *            i32 says, out of range the last; a bool that is true says the first
 *   WHILE    views: results, a bool, spares, operands; param: results, blocks cond and body
 *   SCAN     views: results, spares, operands; param: carries, sequences, results, number of
 *            slices, 1: backwards, block
 *   ATTEND   views: y [outer.., rows.., dv], q [outer.., rows.., d], k [outer.., t, d],
 *            v [outer.., t, dv], then what the body reads besides scores [outer.., rows.., t];
 *            param 0: number of row axes
 *   BLOCKS   a product with weights in blocks: views y [outer.., m, n], x [outer.., m, k], both
 *            f32, w [outer.., n, bytes]; param: enum block_kind, 1: x may be rounded
 *   CONVERT  view 1 as the type of view 0, dense; the one kind that may see packed types
 * A loop's carries lie in its first results. Its body writes a new one over the old where its
 * block says so, and else to a spare, of which there is one for each of those.
 */
enum cpu_step_kind {
	CPU_EW, CPU_REDUCE, CPU_COLUMNS, CPU_ARG, CPU_ROW, CPU_GEMM, CPU_CONV, CPU_WINDOW,
	CPU_COPY, CPU_FILL, CPU_PICK, CPU_PUT, CPU_TAKE, CPU_IOTA, CPU_EXTENT, CPU_PLAIN,
	CPU_BRANCH, CPU_WHILE, CPU_SCAN, CPU_CONVERT, CPU_ATTEND, CPU_BLOCKS,
	CPU_STEP_COUNT
};

/** What a step is in the graph, for people; strings are "" and the line 0 where not known. */
struct cpu_note {
	const char *value; /* that it makes: "%12", or an output's name */
	const char *what;  /* its operations: "dot+add" */
	const char *file;  /* that asked for it */
	int32_t line;
};

#define CPU_MAX_VIEWS 800
#define CPU_MAX_PARAMS 96
#define CPU_MAX_PLAIN 16 /* results of a PLAIN step, and operands */
struct cpu_step {
	uint8_t kind;   /* enum cpu_step_kind */
	uint16_t op;    /* enum ir_op of the root; written by name */
	uint16_t nview, nparam;
	uint32_t group; /* of the graph, for reports */
	double eps;
	struct cpu_view *view;
	int64_t *param;
	struct cpu_prog pro, epi; /* nload 0: there is none */
	struct cpu_note note;     /* in a section of its own */
	uint8_t nbody;            /* PLAIN: those of its attributes, in their order */
	struct cpu_body *body;
};

/** What a body takes or gives: elements one behind the other. */
struct cpu_value {
	uint8_t dtype;
	uint32_t count; /* number */
	int32_t into;   /* of an output: the input that it replaces, -1 for none */
};

/**
 * Steps first .. first + nstep run one after the other. Block 0 is the graph, whose inputs and
 * outputs are the signature's; the others are bodies with values of their own, and have no
 * weights. A step runs blocks behind its own alone.
 */
struct cpu_block {
	uint32_t first, nstep;
	uint32_t ninput, noutput; /* at most IR_MAX_OPERANDS, IR_MAX_RESULTS; of block 0: none */
	struct cpu_value *input, *output;
	int depth; /* bodies around it, at most IR_MAX_DEPTH; not in the file */
};

struct cpu_code {
	uint32_t nnumber, nstep, nblock;
	struct ir_size *number;
	struct cpu_step *step;
	struct cpu_block *block;
	uint64_t arena_bytes; /* of all blocks; when read: the signature's */
	struct arena *arena; /* borrowed: holds all of it */
};

void cpu_code_write(const struct cpu_code *c, struct text *out);

/**
 * Reads and checks counts, indices and types; not whether views stay inside memory, which
 * depends on symbols: cpu_frame_prepare() does that before anything runs.
 */
adze_status cpu_code_read(const struct exe_file *file, struct arena *arena, struct cpu_code *out,
			  struct diag *d);

/** The section of names, and back: of steps that are there. */
void cpu_names_write(const struct cpu_code *c, struct text *out);
adze_status cpu_names_read(const struct exe_file *file, struct cpu_code *c, struct diag *d);

const char *cpu_step_name(enum cpu_step_kind kind);
/** The blocks that a step runs: how many, and their numbers among its parameters. */
size_t cpu_step_blocks(const struct cpu_step *s, const int64_t **block);
/** One step as a line of text, for the trace device and reports. */
void cpu_step_print(const struct cpu_code *c, const struct cpu_step *s, struct text *out);

/**
 * Attributes as numbers, field by field (struct plain); how many, -1 where a field is neither a
 * number nor a body or they are more than CPU_MAX_PARAMS - 1. `out` may be NULL.
 */
int cpu_plain_params(const struct attr_schema *schema, const void *attrs, int64_t *out);

/**
 * Graph to code, and its constants to `consts`. E_UNSUPPORTED with the operation and its place
 * where there is no kernel for it.
 */
adze_status cpu_lower(const adze_graph *g, struct arena *arena, struct cpu_code *out,
		      struct text *consts, struct diag *d);

#endif
