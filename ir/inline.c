/* SPDX-License-Identifier: Apache-2.0
 *
 * Pass `inline`: a branch that is known to be taken stands where its operation stood, and so does
 * the body of a map, on whole operands. A pack that is used other than by its parts stays.
 */
#include <string.h>

#include "ir/pass.h"

struct inliner {
	bool *whole;    /* by old value: something else than a part uses it */
	ir_val **result; /* by old value: what its branch gave in the new graph */
	struct arena scratch;
	bool found;
};

/* The body that a map, or a node with a known choice, runs; 0 where it is not known. */
static int64_t taken(const struct ir_map *map, ir_val v)
{
	const adze_graph *from = map->from;
	enum ir_op op = (enum ir_op)from->node[v].op;
	if (op == OP_MAP)
		return IR_ATTRS(body, from, v)->body;
	if (op != OP_IF && op != OP_CASE)
		return 0;
	ir_val choice = map->at[ir_arg(from, v, 0)];
	if (ir_get(map->to, choice)->op != OP_CONST)
		return 0;
	const void *bytes = IR_ATTRS(data, map->to, choice)->data.bytes;
	if (op == OP_IF)
		return *(const uint8_t *)bytes ? IR_ATTRS(branches, from, v)->then
					       : IR_ATTRS(branches, from, v)->otherwise;
	const struct ir_bodies *b = &IR_ATTRS(cases, from, v)->branches;
	int32_t at;
	memcpy(&at, bytes, sizeof at);
	return b->at[at >= 0 && at < b->n ? at : b->n - 1];
}

/* `x` under a type that has the same extents, and maybe other names of axes. */
static ir_val renamed(adze_graph *g, ir_val x, const adze_shape *type)
{
	adze_shape to = *type;
	uint32_t t = x != 0 ? ir_intern(g, &to, NULL) : 0;
	if (t == 0 || ir_get(g, x)->type == t)
		return x;
	return ir_emit1(g, OP_RESHAPE, x, NULL, &to);
}

/* The nodes of a body in the new graph; its outputs into `out`. */
static void copy_body(struct ir_map *map, ir_val v, const adze_graph *b, ir_val *out)
{
	adze_graph *to = map->to;
	const adze_allocator *a = to->arena.from;
	struct ir_map inner = {.from = b, .to = to};
	inner.at = mem_new(a, b->nnode, sizeof *inner.at);
	inner.body = mem_new(a, b->nbody, sizeof *inner.body);
	if (inner.at == NULL || inner.body == NULL)
		fail(&to->diag, ADZE_E_NOMEM, "no memory for the graph");
	for (size_t i = 0; i < b->ninput && to->diag.status == ADZE_OK; i++)
		inner.at[b->input[i]] = renamed(to, map->at[ir_arg(map->from, v, i + 1)],
						ir_type(b, b->input[i]));
	for (ir_val k = 1; k < b->nnode && to->diag.status == ADZE_OK; k++) {
		const struct ir_where *where = &b->where[b->node[k].where];
		if (b->node[k].op == OP_INPUT)
			continue;
		ir_at(to, where->file, where->line, where->column);
		inner.at[k] = ir_clone(&inner, k);
	}
	for (size_t i = 0; i < b->noutput && to->diag.status == ADZE_OK; i++)
		out[i] = inner.at[b->output[i].value];
	mem_free(a, inner.at, b->nnode, sizeof *inner.at);
	mem_free(a, inner.body, b->nbody, sizeof *inner.body);
}

/* A node of a body of scalars on values of a shape. */
static ir_val spread(adze_graph *to, const adze_graph *b, ir_val k, const ir_val *at,
		     const adze_shape *shape)
{
	const struct ir_node *n = ir_get(b, k);
	adze_shape type = *shape;
	ir_val args[4];
	type.dtype = ir_type(b, k)->dtype;
	if (n->op == OP_CONST) {
		struct attrs_axes none = {.axes = {.n = 0}};
		ir_val one = ir_const(to, ir_type(b, k), IR_ATTRS(data, b, k)->data.bytes);
		return ir_emit1(to, OP_BROADCAST, one, &none, &type);
	}
	for (size_t i = 0; i < n->narg && i < COUNT_OF(args); i++)
		args[i] = at[ir_arg(b, k, i)];
	return ir_emit(to, (enum ir_op)n->op, args, n->narg, n->attrs, &type);
}

/* The same for the body of a map. */
static void spread_body(struct ir_map *map, ir_val v, const adze_graph *b, ir_val *out)
{
	adze_graph *to = map->to;
	adze_shape shape = *ir_type(to, map->at[ir_arg(map->from, v, 0)]);
	ir_val *at = mem_new(to->arena.from, b->nnode, sizeof *at);
	if (at == NULL)
		fail(&to->diag, ADZE_E_NOMEM, "no memory for the graph");
	for (size_t i = 0; i < b->ninput && at != NULL; i++)
		at[b->input[i]] = map->at[ir_arg(map->from, v, i)];
	for (ir_val k = 1; k < b->nnode && to->diag.status == ADZE_OK; k++)
		if (b->node[k].op != OP_INPUT)
			at[k] = spread(to, b, k, at, &shape);
	for (size_t i = 0; i < b->noutput && to->diag.status == ADZE_OK; i++)
		out[i] = at[b->output[i].value];
	mem_free(to->arena.from, at, b->nnode, sizeof *at);
}

static ir_val rule(struct ir_map *map, ir_val v)
{
	struct inliner *p = map->self;
	const adze_graph *from = map->from;
	if (from->node[v].op == OP_PART && p->result[ir_arg(from, v, 0)] != NULL) {
		int64_t i = IR_ATTRS(part, from, v)->index;
		return renamed(map->to, p->result[ir_arg(from, v, 0)][i], ir_type(from, v));
	}
	int64_t body = taken(map, v);
	if (body == 0)
		return ir_clone(map, v);
	const adze_graph *b = ir_body(from, body);
	if (b->noutput > 1 && p->whole[v])
		return ir_clone(map, v);
	p->found = true;
	ir_val *out = arena_new(&p->scratch, b->noutput, sizeof *out);
	if (out == NULL) {
		fail(&map->to->diag, ADZE_E_NOMEM, "no memory for the graph");
		return 0;
	}
	if (from->node[v].op == OP_MAP)
		spread_body(map, v, b, out);
	else
		copy_body(map, v, b, out);
	if (b->noutput == 1)
		return renamed(map->to, out[0], ir_type(from, v));
	p->result[v] = out;
	return out[0];
}

static adze_status run_once(adze_graph **graph, bool *found, struct diag *d)
{
	adze_graph *g = *graph;
	const adze_allocator *a = g->arena.from;
	size_t n = g->nnode;
	struct inliner p = {.whole = mem_new(a, n, sizeof *p.whole),
			    .result = mem_new(a, n, sizeof *p.result)};
	arena_init(&p.scratch, a);
	adze_status status = ADZE_E_NOMEM;
	if (p.whole != NULL && p.result != NULL) {
		for (ir_val v = 1; v < n; v++)
			for (size_t i = 0; i < g->node[v].narg; i++)
				p.whole[ir_arg(g, v, i)] |= g->node[v].op != OP_PART;
		for (size_t i = 0; i < g->noutput; i++)
			p.whole[g->output[i].value] = true;
		status = ir_rewrite(graph, rule, &p, d);
	} else {
		fail(d, status, "inline: no memory");
	}
	*found = p.found;
	mem_free(a, p.whole, n, sizeof *p.whole);
	mem_free(a, p.result, n, sizeof *p.result);
	arena_fini(&p.scratch);
	return status;
}

adze_status ir_inline(adze_graph **graph, struct diag *d)
{
	/* What came out of a branch may be a known branch itself. */
	bool found = true;
	for (int i = 0; i < IR_MAX_DEPTH && found; i++)
		TRY(run_once(graph, &found, d));
	return ADZE_OK;
}
