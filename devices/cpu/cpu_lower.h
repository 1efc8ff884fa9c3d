/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of cpu_lower.c share: a lowering under way, and how steps are put together.
 */
#ifndef ADZE_CPU_LOWER_H
#define ADZE_CPU_LOWER_H

#include "devices/cpu/cpu_code.h"
#include "ir/group.h"

struct lowerer {
	const adze_graph *g;
	struct arena *arena;
	struct cpu_code *code;
	struct text *consts;
	struct diag *diag;
	const adze_allocator *mem;
	size_t number_cap, step_cap;
	uint64_t *const_at; /* by value: 1 + offset, 0 none */
	uint16_t *slot;     /* by value, while a program is made: 1 + slot */
	struct lower_loads *loads; /* room for the operands of a program, or NULL so far */
	const struct ir_group *group;
	uint32_t group_number;
	struct cpu_step *step; /* under way */
	size_t view_cap;       /* of step->view */
	uint64_t arena_from;   /* where the graph's arena begins in that of the call */
	uint64_t spare_bytes;  /* behind it: what steps that run bodies need besides */
	struct {
		const adze_graph *g;
		ir_val v;
		size_t line;
	} noted; /* the value whose number in the text was found last */
	uint32_t *body_block;  /* by body of the graph: its block, 0 where it has none */
};

adze_status lower_no_memory(struct lowerer *l);
adze_status lower_unsupported(struct lowerer *l, ir_val v, const char *words);
/** The index of a number in the table; few different ones, so a search will do. */
uint32_t lower_number(struct lowerer *l, struct ir_size s);
struct cpu_view lower_to_view(struct lowerer *l, const struct ir_view *w);
/** A view of the sink's memory, in the root's type. */
struct cpu_view lower_sink_view(struct lowerer *l, const struct ir_view *w, adze_dtype dtype);
struct cpu_step *lower_add_step(struct lowerer *l, enum cpu_step_kind kind, ir_val root);
uint16_t lower_add_view(struct lowerer *l, struct cpu_view v);
void lower_add_param(struct lowerer *l, int64_t v);
adze_status lower_operand(struct lowerer *l, ir_val v, struct cpu_view *out);
adze_status lower_add_operand(struct lowerer *l, ir_val v);
struct cpu_view lower_root_view(struct lowerer *l);
struct cpu_view lower_flat_sink(struct lowerer *l, adze_dtype dtype);
/** The sink as a copy of what `w` describes. */
adze_status lower_copy_of(struct lowerer *l, const struct ir_view *w, struct cpu_view to);
struct ir_size lower_count_of(const adze_graph *g, const adze_shape *s, const int *axis, int n);

/* Strip programs: cpu_lower_prog.c. */
/** Which axis of the space a program runs in comes from which axis of its values. */
struct lower_space {
	int rank;
	int axis[ADZE_MAX_RANK];
};
/** The space of a value's own axes. */
struct lower_space lower_whole(const adze_graph *g, ir_val v);
/**
 * A program for `node`s in a space, whose result is `result`: of no instruction where there is
 * no node, and `result` then is what is read. `epi`: the first operand is the root's result.
 */
adze_status lower_program(struct lowerer *l, const ir_val *node, size_t n, ir_val result,
			  const struct lower_space *space, bool epi, struct cpu_prog *p);
/** The group's epilogue as the step's. */
adze_status lower_epilogue(struct lowerer *l);

/** What a step is in the graph: cpu_lower_note.c. */
adze_status lower_note(struct lowerer *l, struct cpu_step *s);

/* Groups whose root moves elements, or counts: cpu_lower_move.c. */
adze_status lower_move(struct lowerer *l);
adze_status lower_source(struct lowerer *l);
adze_status lower_plain(struct lowerer *l);
/* Groups that run bodies: cpu_lower_region.c. */
adze_status lower_region(struct lowerer *l);
/** The block's values from the graph's inputs and outputs; for bodies. */
adze_status lower_values(struct lowerer *l, struct cpu_block *b);
/** Blocks, from `next` on, for the bodies of regions; other bodies are part of a step. */
adze_status lower_body_blocks(struct lowerer *l, uint32_t next);

/** cpu_lower_attend.c. */
adze_status lower_attend(struct lowerer *l);

/** The instruction for an element-wise node, but for its slots. */
void lower_ins(const adze_graph *g, ir_val v, struct cpu_ins *s);
/** The bodies of the group's root as programs of the step under way: cpu_lower_body.c. */
adze_status lower_bodies(struct lowerer *l);

/** cpu_lower_dot.c: the views of the group's product, result first. */
adze_status lower_dot_views(struct lowerer *l);
/** cpu_lower_blocks.c: the step of a product one of whose operands lies in blocks. */
adze_status lower_dot_blocks(struct lowerer *l, const struct ir_dot_form *f);

#endif
