/* SPDX-License-Identifier: Apache-2.0
 *
 * Pass `prepare`: what depends on weights alone is computed once, when they are bound. It
 * becomes the body of a `prepared` node, where that needs no more memory than the weights that
 * it is made of: a converted or dequantized weight would, and products read those as they are.
 * What depends on nothing at all, such as a table of sines, is prepared where it is costly.
 */
#include <stdio.h>

#include "ir/pass.h"

/* Nodes behind one result; and its bytes where no weight is behind it. */
#define MOST_CONE 256
#define MOST_TABLE (1 << 22)
/* Weights behind one result, so that a node with all its results has not too many. */
#define MOST_WEIGHTS (IR_MAX_OPERANDS / IR_MAX_RESULTS)

struct preparer {
	adze_graph *g;
	const adze_allocator *mem;
	bool *fixed;     /* by value: weights and constants alone are behind it */
	uint32_t *mark;  /* by value: the last cone that it was met in */
	uint32_t cone;
	ir_val *stack;
	ir_val *list;    /* what is prepared, in order */
	size_t n;
	uint32_t *place; /* by value: 1 + its place in the list, or 0 */
	ir_val *made;    /* by number of the node: what it is in the new graph */
};

/* ---- what is prepared ---- */

static bool is_fixed(const struct preparer *p, ir_val v)
{
	const adze_graph *g = p->g;
	enum ir_op op = (enum ir_op)g->node[v].op;
	enum op_class c = ir_class(g, v);
	if (op == OP_WEIGHT || op == OP_CONST)
		return true;
	if (op == OP_INPUT || op == OP_EXTENT || op == OP_PREPARED || op == OP_BARRIER ||
	    c == CLASS_REGION || c == CLASS_ATTEND || !shape_is_static(ir_type(g, v)))
		return false;
	for (size_t i = 0; i < g->node[v].narg; i++)
		if (!p->fixed[ir_arg(g, v, i)])
			return false;
	return true;
}

static bool is_costly(const adze_graph *g, ir_val v)
{
	switch (g->node[v].op) {
	case OP_SIN:
	case OP_COS:
	case OP_TAN:
	case OP_EXP:
	case OP_LOG:
	case OP_POW:
	case OP_ERF: return true;
	default:
		return ir_class(g, v) != CLASS_EW && ir_class(g, v) != CLASS_VIEW &&
		       ir_class(g, v) != CLASS_SRC;
	}
}

/* Whether memory and time are saved by preparing `v`, which is fixed. */
static bool pays(struct preparer *p, ir_val v)
{
	const adze_graph *g = p->g;
	struct ir_results r;
	int64_t bytes = 0;
	size_t n = 0, met = 0;
	bool costly = false;
	int weights = 0;
	if (ir_class(g, v) == CLASS_VIEW || ir_class(g, v) == CLASS_SRC ||
	    dtype_is_packed(ir_type(g, v)->dtype) || !ir_results(g, v, &r) || r.n > 1)
		return false;
	p->mark[v] = ++p->cone;
	p->stack[n++] = v;
	while (n > 0) {
		ir_val x = p->stack[--n];
		if (++met > MOST_CONE)
			return false;
		if (g->node[x].op == OP_WEIGHT) {
			weights++;
			bytes += shape_bytes(ir_type(g, x));
		}
		costly |= is_costly(g, x);
		for (size_t i = 0; i < g->node[x].narg; i++) {
			ir_val a = ir_arg(g, x, i);
			if (p->mark[a] == p->cone || n == MOST_CONE)
				continue;
			p->mark[a] = p->cone;
			p->stack[n++] = a;
		}
	}
	if (weights == 0)
		return costly && shape_bytes(ir_type(g, v)) <= MOST_TABLE;
	return weights <= MOST_WEIGHTS && shape_bytes(ir_type(g, v)) <= bytes;
}

/* From results to operands: what is needed and pays is prepared, behind the rest it goes on. */
static void choose(struct preparer *p)
{
	const adze_graph *g = p->g;
	uint32_t *needed = p->place; /* until places are known */
	for (size_t i = 0; i < g->noutput; i++)
		needed[g->output[i].value] = 1;
	for (ir_val v = (ir_val)g->nnode - 1; v > 0; v--) {
		bool take = needed[v] && p->fixed[v] && pays(p, v);
		for (size_t i = 0; needed[v] && !take && i < g->node[v].narg; i++)
			needed[ir_arg(g, v, i)] = 1;
		needed[v] = take;
	}
	for (ir_val v = 1; v < g->nnode; v++) {
		if (!p->place[v] || p->n == IR_MAX_PREPARED * IR_MAX_RESULTS) {
			p->place[v] = 0;
			continue;
		}
		p->list[p->n++] = v;
		p->place[v] = (uint32_t)p->n;
	}
}

/* ---- bodies ---- */

/* Puts what results `from` to `to` of the list need into a body; its weights into `arg`, their
 * number into *narg. 0 after a failure. */
static int64_t build_body(struct ir_map *map, size_t from, size_t to, ir_val *arg, size_t *narg)
{
	struct preparer *p = map->self;
	const adze_graph *g = map->from;
	adze_graph *body = ir_body_begin(map->to, "prepare");
	struct ir_map inner = {.from = g, .to = body};
	inner.at = mem_new(p->mem, g->nnode, sizeof *inner.at);
	inner.body = mem_new(p->mem, g->nbody, sizeof *inner.body);
	if (body == NULL || inner.at == NULL || inner.body == NULL)
		fail(&map->to->diag, ADZE_E_NOMEM, "no memory for the graph");
	p->cone++;
	for (size_t i = from; i < to; i++)
		p->mark[p->list[i]] = p->cone;
	for (ir_val v = p->list[to - 1]; v > 0; v--)
		for (size_t i = 0; p->mark[v] == p->cone && i < g->node[v].narg; i++)
			p->mark[ir_arg(g, v, i)] = p->cone;
	*narg = 0;
	for (ir_val v = 1; v <= p->list[to - 1] && map->to->diag.status == ADZE_OK; v++) {
		if (p->mark[v] != p->cone)
			continue;
		if (g->node[v].op == OP_WEIGHT) {
			arg[(*narg)++] = map->at[v];
			inner.at[v] = ir_input(body, IR_ATTRS(name, g, v)->name, ir_type(g, v));
		} else {
			inner.at[v] = ir_clone(&inner, v);
		}
	}
	for (size_t i = from; i < to && map->to->diag.status == ADZE_OK; i++) {
		char name[16];
		snprintf(name, sizeof name, "y%zu", i - from);
		ir_output(body, name, inner.at[p->list[i]], 0);
	}
	mem_free(p->mem, inner.at, g->nnode, sizeof *inner.at);
	mem_free(p->mem, inner.body, g->nbody, sizeof *inner.body);
	return body != NULL ? ir_body_end(body) : 0;
}

static ir_val rule(struct ir_map *map, ir_val v)
{
	struct preparer *p = map->self;
	if (p->place[v] == 0)
		return ir_clone(map, v);
	size_t at = p->place[v] - 1, k = at / IR_MAX_RESULTS, from = k * IR_MAX_RESULTS;
	size_t to = from + IR_MAX_RESULTS < p->n ? from + IR_MAX_RESULTS : p->n, narg;
	if (p->made[k] == 0) {
		ir_val arg[IR_MAX_OPERANDS];
		struct attrs_prepared a = {.index = (int64_t)k};
		a.body = build_body(map, from, to, arg, &narg);
		if (a.body != 0)
			p->made[k] = ir_emit(map->to, OP_PREPARED, arg, narg, &a, NULL);
	}
	if (to - from == 1 || p->made[k] == 0)
		return p->made[k];
	struct attrs_part part = {.index = (int64_t)(at - from)};
	return ir_emit1(map->to, OP_PART, p->made[k], &part, ir_type(map->from, v));
}

adze_status ir_prepare(adze_graph **graph, struct diag *d)
{
	adze_graph *g = *graph;
	size_t n = g->nnode;
	struct preparer p = {.g = g, .mem = g->arena.from};
	adze_status status = ADZE_OK;
	if (g->depth > 0 || ir_prepared(g, NULL) > 0)
		return ADZE_OK; /* bodies have no weights; or it has been done */
	p.fixed = mem_new(p.mem, n, sizeof *p.fixed);
	p.mark = mem_new(p.mem, n, sizeof *p.mark);
	p.place = mem_new(p.mem, n, sizeof *p.place);
	p.list = mem_new(p.mem, n, sizeof *p.list);
	p.stack = mem_new(p.mem, MOST_CONE + 1, sizeof *p.stack);
	p.made = mem_new(p.mem, n / IR_MAX_RESULTS + 1, sizeof *p.made);
	if (p.fixed == NULL || p.mark == NULL || p.place == NULL || p.list == NULL ||
	    p.stack == NULL || p.made == NULL) {
		status = fail(d, ADZE_E_NOMEM, "prepare: no memory");
	} else {
		for (ir_val v = 1; v < n; v++)
			p.fixed[v] = is_fixed(&p, v);
		choose(&p);
		if (p.n > 0)
			status = ir_rewrite(graph, rule, &p, d);
	}
	mem_free(p.mem, p.fixed, n, sizeof *p.fixed);
	mem_free(p.mem, p.mark, n, sizeof *p.mark);
	mem_free(p.mem, p.place, n, sizeof *p.place);
	mem_free(p.mem, p.list, n, sizeof *p.list);
	mem_free(p.mem, p.stack, MOST_CONE + 1, sizeof *p.stack);
	mem_free(p.mem, p.made, n / IR_MAX_RESULTS + 1, sizeof *p.made);
	return status;
}
