/* SPDX-License-Identifier: Apache-2.0
 *
 * Groups: the unit that runs as one kernel. A group is a set of nodes of which one value, the
 * sink's, is seen outside. It is one of
 *   EW nodes alone, all of the sink's extents;
 *   a root of another class, EW nodes after it (epilogue, the extents of the root's result)
 *     and, where the root is REDUCE or ROW, EW nodes before its first operand (prologue, the
 *     extents of that operand);
 *   one view that is copied out.
 * fuse.c forms them; verify.c and devices read them.
 */
#ifndef ADZE_GROUP_H
#define ADZE_GROUP_H

#include "ir/view.h"

struct ir_group {
	ir_val sink;
	ir_val root;        /* 0: EW nodes alone */
	const ir_val *node; /* all, in order */
	size_t nnode;
	/* EW nodes, in order: those that the root needs, then the others. */
	const ir_val *pro, *epi;
	size_t npro, nepi;
};

/**
 * The groups of a grouped graph, [0] being group 1; in `arena`. False without memory.
 */
bool ir_groups(const adze_graph *g, struct arena *arena, struct ir_group **out, size_t *n);

/** Why an operand is made by another group than the one that reads it: reasons.def. */
enum ir_reason {
#define REASON(id, words) REASON_##id,
#include "ir/reasons.def"
	REASON_COUNT
};

/** Whether the value has memory: an input, weight or constant, or the sink of a group. */
bool ir_has_memory(const adze_graph *g, ir_val v);

/**
 * How a dot runs: loops outside, then an m x k by k x n product. Axes in the order of the
 * result: outer loops first.
 */
struct ir_dot_form {
	int nouter;
	struct ir_size outer[ADZE_MAX_RANK];    /* extents */
	struct ir_size outer_a[ADZE_MAX_RANK], outer_b[ADZE_MAX_RANK], outer_c[ADZE_MAX_RANK];
	struct ir_size m, n, k;
	struct ir_size a_row, a_col, b_row, b_col, c_row; /* strides in elements */
	ir_val a, b;                            /* what holds the operands */
	adze_dtype a_dtype, b_dtype;            /* their elements, which may be converted */
	enum block_kind a_block, b_block;            /* blocks that hold them, and are decoded */
	struct ir_size a_offset, b_offset;
};

/**
 * Whether a product of `to` may read operands of `a` and `b` itself, converting each element:
 * f16 and bf16 as f32, the second alone or both; f8e4m3fn, f8e5m2 and i8 as f32, f16 or bf16, the
 * second alone; i8 and u8 as i32, u8 in the first alone.
 */
bool ir_dot_converts(adze_dtype to, adze_dtype a, adze_dtype b);

/**
 * Whether an operand of f32 can be read from blocks of `b` itself: they lie along the sum, and
 * every step is one of whole blocks.
 */
bool ir_dot_walks_blocks(const struct ir_dot_form *f, bool first, enum block_kind b);
/** Whether the product can be made at all of what the form says lies in memory: of `to`
 * itself, as ir_dot_converts() says, or one operand of f32 in blocks. */
bool ir_dot_reads(const struct ir_dot_form *f, adze_dtype to);

/** False where an operand's contracting axes cannot be walked with one stride. */
bool ir_dot_form(const adze_graph *g, ir_val dot, struct ir_dot_form *out);

/** Whether `v` is a conversion that attention does itself, of queries, keys and values. */
static inline bool ir_attention_converts(const adze_graph *g, ir_val v)
{
	if (g->node[v].op != OP_CONVERT || ir_type(g, v)->dtype != ADZE_F32)
		return false;
	adze_dtype from = ir_type(g, ir_arg(g, v, 0))->dtype;
	return from == ADZE_F16 || from == ADZE_BF16;
}

/** Whether a node has packed elements, or reads them: they have no strides that strips could
 * follow, so that what sees them is a group alone. */
static inline bool ir_sees_packed(const adze_graph *g, ir_val v)
{
	bool packed = dtype_is_packed(ir_type(g, v)->dtype);
	for (size_t i = 0; i < g->node[v].narg; i++)
		packed |= dtype_is_packed(ir_type(g, ir_arg(g, v, i))->dtype);
	return packed;
}

#endif
