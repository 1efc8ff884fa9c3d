/* SPDX-License-Identifier: Apache-2.0
 *
 * One kernel while its text is made: its parameters, indices, values, and the parts that all
 * kinds of kernels share. Only devices/cuda/cuda_{emit,kernel,value,row,move}.c include this.
 *
 * Names in the text: p0, p1 ... pointers; z0 ... sizes that depend on symbols, s0 ... the
 * same as `idx`, the kernel's index type; v0 ... values; i, row, k loop variables; and o0 ...,
 * e0 ..., c0 ... coordinates along axes.
 */
#ifndef ADZE_CUDA_KERNEL_H
#define ADZE_CUDA_KERNEL_H

#include "devices/cuda/cuda_emit.h"
#include "ir/group.h"

#define CUDA_BLOCK 256
/* Pointers and sizes of a kernel: together under the 4 KiB that all drivers take. */
#define CUDA_MAX_REF 256
#define CUDA_MAX_SIZE 128
#define CUDA_INDEX 1024 /* bytes of the text of an index */

/* The types that formulas are computed in. */
enum cuda_kind { KIND_FLOAT, KIND_DOUBLE, KIND_I64, KIND_U64, KIND_COUNT };

struct cuda_text; /* a kernel that is there already */

struct cuda_emitter {
	const adze_graph *g;
	struct cuda_program *out;
	struct diag *d;
	adze_status status;       /* sticky */
	struct text kernels;
	struct cuda_text *made;
	size_t kernel_cap, step_cap;
	bool op[EW_COUNT][KIND_COUNT]; /* functions that the text needs */
	bool dtype[ADZE_DTYPE_COUNT];
	bool needs_rows;
	uint64_t *const_at;       /* by value: 1 + offset in the CONSTS section */
	uint32_t *local;          /* by value: 1 + number of its variable */
};

struct cuda_kernel {
	struct cuda_emitter *e;
	const struct ir_group *q;
	struct text body;
	int depth;                /* of indentation */
	bool wide;                /* indices need 64 bits */
	bool raw;                 /* floats are moved as bits */
	uint32_t nvar;
	uint32_t nref, nsize;
	struct cuda_ref ref[CUDA_MAX_REF];
	adze_dtype dtype[CUDA_MAX_REF];
	bool written[CUDA_MAX_REF];
	struct ir_size size[CUDA_MAX_SIZE];
	ir_val stored;            /* a value inside the group that is in memory, or 0 ... */
	struct cuda_ref stored_at; /* ... and where */
};

/**
 * A box that a kernel walks: outer axes, and inner ones for kernels on rows. Leaves are the
 * operands that come from memory, as views over the box, cut in the two parts; behind them in
 * both arrays stands `last`, the view that is written.
 */
struct cuda_space {
	int nleaf;
	ir_val *leaf;
	struct ir_view *outer, *inner;
	struct ir_size nouter, ninner; /* elements */
	const char *row;   /* the outer loop's variable */
	char prefix;       /* of the outer coordinates' names */
};

/* ---- cuda_kernel.c ---- */

/** Records a failure about `v`: "file:line:column: operation: words". */
void cuda_refuse(struct cuda_emitter *e, ir_val v, adze_status status, const char *words);
void cuda_kernel_init(struct cuda_kernel *k, struct cuda_emitter *e, const struct ir_group *q);
void cuda_kernel_fini(struct cuda_kernel *k);
/** Adds a line to the body; open and close change the indentation by braces. */
void cuda_line(struct cuda_kernel *k, const char *format, ...) PRINTF_LIKE(2, 3);
void cuda_open(struct cuda_kernel *k, const char *format, ...) PRINTF_LIKE(2, 3);
void cuda_close(struct cuda_kernel *k);
/** Makes the kernel, unless an equal one is there, and a step that launches it. */
void cuda_launch(struct cuda_kernel *k, struct ir_size items, uint32_t threads,
		 uint32_t per_block);
/** A new step, zero but for its kind; NULL without memory. */
struct cuda_step *cuda_step_add(struct cuda_emitter *e, enum cuda_step_kind kind);

/** Where the memory of `v` (a source, or the sink of a group) is. */
struct cuda_ref cuda_ref_of(struct cuda_emitter *e, ir_val v);
/** The number of the pointer for a place. */
uint32_t cuda_pointer(struct cuda_kernel *k, struct cuda_ref at, adze_dtype dtype, bool written);
/** The text of a size: a number, or the name of a parameter. `out` is returned. */
#define CUDA_SIZE_TEXT 32
const char *cuda_size(struct cuda_kernel *k, struct ir_size s, char *out);
/** offset + coord[0] * stride[0] + ... */
const char *cuda_index(struct cuda_kernel *k, const struct ir_view *w,
		       const char (*coord)[CUDA_SIZE_TEXT], char *out);

/** The view of operand `v`, with the words of a refusal where strides cannot say it. */
bool cuda_view(struct cuda_kernel *k, ir_val v, struct ir_view *out);

/**
 * The box of `over`'s extents; axes where `inner` has its bit are inner ones. Leaves: operands
 * of `node` from outside the group and `extra` (0: none) if it is from outside. `last` has the
 * box's extents; axes are joined where all views allow it, unless `keep`.
 */
bool cuda_space_fill(struct cuda_kernel *k, struct cuda_space *s, ir_val over, unsigned inner,
		     const ir_val *node, size_t nnode, ir_val extra, const struct ir_view *last,
		     bool keep);
/** Declares the coordinates of the outer, or inner, loop's variable. */
void cuda_outer_coords(struct cuda_kernel *k, const struct cuda_space *s);
void cuda_inner_coords(struct cuda_kernel *k, const struct cuda_space *s);
/** The names of the outer coordinates, axis by axis. */
void cuda_coord_names(const struct cuda_space *s, char (*coord)[CUDA_SIZE_TEXT]);
/** The index of leaf `i`, or of `last` with i = nleaf. */
const char *cuda_leaf_index(struct cuda_kernel *k, const struct cuda_space *s, int i, char *out);

/* ---- cuda_value.c ---- */

enum cuda_kind cuda_kind_of(adze_dtype dtype);
/** "float", "double", "i64", "u64". */
const char *cuda_type_of(adze_dtype dtype);
/** The type that elements of `v` are handled as: its own, or of floats the bits if k->raw. */
adze_dtype cuda_element(const struct cuda_kernel *k, ir_val v);
/** "get_f16(put_f16(" and "))" around what rounds to `dtype`; empty where nothing does. */
const char *cuda_keep(struct cuda_kernel *k, adze_dtype dtype, char *out);
const char *cuda_keep_end(adze_dtype dtype);
/** Element p<pointer>[index] of `dtype` as text, to be read. */
void cuda_load(struct cuda_kernel *k, struct text *out, adze_dtype dtype, uint32_t pointer,
	       const char *index);
void cuda_store(struct cuda_kernel *k, adze_dtype dtype, uint32_t pointer, const char *index,
		uint32_t var);
/** A literal of the type that `dtype` is computed in, for the element at `bytes`. */
void cuda_literal(struct text *out, adze_dtype dtype, const void *bytes);
/** The name of an element-wise function, which the text then has. */
const char *cuda_op(struct cuda_kernel *k, enum ew f, adze_dtype dtype);
/** Gives `v` the next variable and returns its number. */
uint32_t cuda_declare(struct cuda_kernel *k, ir_val v);
/** Forgets the variables of the group: a new scope begins. */
void cuda_forget(struct cuda_kernel *k, const struct cuda_space *s);
/** The variable of `v`, which is loaded if it is a leaf that has none yet. */
uint32_t cuda_value(struct cuda_kernel *k, const struct cuda_space *s, ir_val v);
/** Lines for element-wise nodes. */
void cuda_nodes(struct cuda_kernel *k, const struct cuda_space *s, const ir_val *node, size_t n);
/** One integer, read from the scalar `v`: its variable. */
uint32_t cuda_scalar(struct cuda_kernel *k, ir_val v);
/** The text `x` of type `from` converted to `to`. */
void cuda_convert(struct cuda_kernel *k, struct text *out, adze_dtype to, adze_dtype from,
		  const char *x);

/* ---- kinds of kernels ---- */

void cuda_emit_elements(struct cuda_kernel *k); /* cuda_emit.c */
void cuda_emit_reduce(struct cuda_kernel *k);   /* cuda_row.c */
void cuda_emit_row(struct cuda_kernel *k);
void cuda_emit_move(struct cuda_kernel *k);     /* cuda_move.c: one thread an element */
void cuda_emit_concat(struct cuda_emitter *e, const struct ir_group *q);
void cuda_emit_sums(struct cuda_kernel *k);     /* cuda_sums.c: conv, window, dot */
bool cuda_emit_gemm(struct cuda_emitter *e, const struct ir_group *q); /* cuda_gemm.c */

/* ---- cuda_text.c, made of kernels/cuda/ ---- */
extern const char cuda_prelude[], cuda_rows[];

#endif
