/* SPDX-License-Identifier: Apache-2.0
 *
 * Lowering of operations that run bodies. Every operand and result of a body is dense; what a
 * loop needs besides its results lies behind the graph's arena.
 */
#include <string.h>

#include "devices/cpu/cpu_lower.h"

static struct ir_size count_of(const adze_graph *g, const adze_shape *s)
{
	int all[ADZE_MAX_RANK];
	for (int i = 0; i < ADZE_MAX_RANK; i++)
		all[i] = i;
	return lower_count_of(g, s, all, s->rank);
}

adze_status lower_values(struct lowerer *l, struct cpu_block *b)
{
	const adze_graph *g = l->g;
	b->ninput = (uint32_t)g->ninput;
	b->noutput = (uint32_t)g->noutput;
	b->input = arena_new(l->arena, g->ninput, sizeof *b->input);
	b->output = arena_new(l->arena, g->noutput, sizeof *b->output);
	if (b->input == NULL || b->output == NULL)
		return lower_no_memory(l);
	for (size_t i = 0; i < g->ninput; i++) {
		const adze_shape *s = ir_type(g, g->input[i]);
		b->input[i] = (struct cpu_value){(uint8_t)s->dtype, lower_number(l, count_of(g, s)),
						 -1};
	}
	for (size_t i = 0; i < g->noutput; i++) {
		const struct ir_output *o = &g->output[i];
		const adze_shape *s = ir_type(g, o->value);
		b->output[i] = (struct cpu_value){(uint8_t)s->dtype,
						  lower_number(l, count_of(g, s)),
						  o->into != 0 ? ir_input_index(g, o->into) : -1};
	}
	return ADZE_OK;
}

/* Elements one behind the other. */
static struct cpu_view dense(struct lowerer *l, ir_val base, const adze_shape *s,
			     struct ir_size offset)
{
	struct ir_view w = {.base = base, .dtype = s->dtype, .rank = 1,
			    .extent = {count_of(l->g, s)}, .stride = {ir_size_const(1)},
			    .offset = offset};
	return lower_to_view(l, &w);
}

static void add_results(struct lowerer *l)
{
	ir_val root = l->group->root;
	struct ir_results r;
	ir_results(l->g, root, &r);
	for (size_t i = 0; i < r.n; i++) {
		int64_t at = ir_part_offset(&r, i) / (int64_t)dtype_bytes(r.type[i].dtype);
		lower_add_view(l, dense(l, root, &r.type[i], ir_size_const(r.n > 1 ? at : 0)));
	}
	lower_add_param(l, (int64_t)r.n);
}

static adze_status add_operands(struct lowerer *l, size_t from)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root;
	for (size_t i = from; i < g->node[root].narg; i++) {
		ir_val x = ir_arg(g, root, i);
		struct ir_view w;
		if (!ir_view_of(g, x, &w) || !ir_view_is_dense(&w))
			return lower_unsupported(l, root, "an operand is not dense");
		lower_add_view(l, dense(l, w.base, ir_type(g, x), w.offset));
	}
	return ADZE_OK;
}

/* Room behind the graph's arena, at `*at` from its beginning on. */
static adze_status add_spare(struct lowerer *l, const adze_shape *s, uint64_t *at)
{
	struct cpu_view v = {.memory = CPU_ARENA, .dtype = (uint8_t)s->dtype, .rank = 1};
	uint64_t from = l->arena_from + size_round_up((size_t)l->g->arena_bytes, EXE_ALIGN);
	if (__builtin_add_overflow(from, *at, &v.byte) ||
	    __builtin_add_overflow(*at, (uint64_t)shape_bytes(s) + 2 * EXE_ALIGN, at))
		return fail(l->diag, ADZE_E_LIMIT, "the bodies need more memory than there can be");
	*at -= *at % EXE_ALIGN;
	v.extent[0] = lower_number(l, count_of(l->g, s));
	v.stride[0] = lower_number(l, ir_size_const(1));
	v.offset = lower_number(l, ir_size_const(0));
	lower_add_view(l, v);
	if (*at > l->spare_bytes)
		l->spare_bytes = *at;
	return ADZE_OK;
}

/* For each carry that its body does not write in its place. */
static adze_status add_spares(struct lowerer *l, int64_t body, int64_t carry, uint64_t at)
{
	const adze_graph *b = ir_body(l->g, body);
	for (int64_t i = 0; i < carry; i++)
		if (b->output[i].into == 0)
			TRY(add_spare(l, ir_type(l->g, ir_arg(l->g, l->group->root, (size_t)i)),
				      &at));
	return ADZE_OK;
}

static void add_block(struct lowerer *l, int64_t body)
{
	lower_add_param(l, l->body_block[body - 1]);
}

static adze_status lower_branch(struct lowerer *l)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root;
	add_results(l);
	TRY(add_operands(l, 0));
	if (g->node[root].op == OP_IF) {
		const struct attrs_branches *a = IR_ATTRS(branches, g, root);
		add_block(l, a->then);
		add_block(l, a->otherwise);
		return ADZE_OK;
	}
	const struct ir_bodies *b = &IR_ATTRS(cases, g, root)->branches;
	for (int64_t i = 0; i < b->n; i++)
		add_block(l, b->at[i]);
	return ADZE_OK;
}

static adze_status lower_while(struct lowerer *l)
{
	const struct attrs_loop *a = IR_ATTRS(loop, l->g, l->group->root);
	const adze_shape truth = shape_make(ADZE_BOOL, 0, NULL);
	uint64_t at = 0;
	add_results(l);
	TRY(add_spare(l, &truth, &at));
	TRY(add_spares(l, a->body, a->carry, at));
	TRY(add_operands(l, 0));
	add_block(l, a->cond);
	add_block(l, a->body);
	return ADZE_OK;
}

static adze_status lower_scan(struct lowerer *l)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root;
	const struct attrs_scan *a = IR_ATTRS(scan, g, root);
	struct ir_size length = ir_size_const(a->length);
	if (a->over > 0)
		length = ir_size_of(g, &ir_type(g, ir_arg(g, root, (size_t)a->carry))->dim[0]);
	lower_add_param(l, a->carry);
	lower_add_param(l, a->over);
	add_results(l);
	TRY(add_spares(l, a->body, a->carry, 0));
	TRY(add_operands(l, 0));
	lower_add_param(l, lower_number(l, length));
	lower_add_param(l, a->reverse);
	add_block(l, a->body);
	return ADZE_OK;
}

static bool has_packed(const adze_graph *g, ir_val v)
{
	struct ir_results r;
	bool packed = false;
	ir_results(g, v, &r);
	for (size_t i = 0; i < r.n; i++)
		packed |= dtype_is_packed(r.type[i].dtype);
	for (size_t i = 0; i < g->node[v].narg; i++)
		packed |= dtype_is_packed(ir_type(g, ir_arg(g, v, i))->dtype);
	return packed;
}

adze_status lower_region(struct lowerer *l)
{
	ir_val root = l->group->root;
	if (has_packed(l->g, root))
		return lower_unsupported(l, root, "on the CPU bodies neither take nor give packed "
					 "elements; convert them before");
	enum cpu_step_kind kind = CPU_STEP_COUNT;
	switch (l->g->node[root].op) {
	case OP_IF:
	case OP_CASE: kind = CPU_BRANCH; break;
	case OP_WHILE: kind = CPU_WHILE; break;
	case OP_SCAN: kind = CPU_SCAN; break;
	default: return lower_unsupported(l, root, "the CPU has no kernel for it");
	}
	if (lower_add_step(l, kind, root) == NULL)
		return ADZE_E_NOMEM;
	return kind == CPU_WHILE ? lower_while(l) : kind == CPU_SCAN ? lower_scan(l)
								      : lower_branch(l);
}

static void number_body(struct lowerer *l, int64_t body, uint32_t *next)
{
	if (l->body_block[body - 1] == 0)
		l->body_block[body - 1] = (*next)++;
}

adze_status lower_body_blocks(struct lowerer *l, uint32_t next)
{
	const adze_graph *g = l->g;
	l->body_block = arena_new(l->arena, g->nbody, sizeof *l->body_block);
	if (l->body_block == NULL)
		return lower_no_memory(l);
	for (ir_val v = 1; v < g->nnode; v++) {
		const struct attr_schema *s = op_info((enum ir_op)g->node[v].op)->attrs;
		for (int i = 0; ir_class(g, v) == CLASS_REGION && i < s->nfield; i++) {
			const void *at = (const char *)g->node[v].attrs + s->field[i].offset;
			const struct ir_bodies *list = at;
			if (s->field[i].kind == ATTR_BODY)
				number_body(l, *(const ir_attr_BODY *)at, &next);
			for (int k = 0; s->field[i].kind == ATTR_BODIES && k < list->n; k++)
				number_body(l, list->at[k], &next);
		}
	}
	return ADZE_OK;
}
