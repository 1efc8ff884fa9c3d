/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies from values of a graph: what was built between a mark and now moves into bodies, and
 * what it takes from before the mark becomes an operand.
 */
#include <stdio.h>
#include <string.h>

#include "ir/graph.h"

/* Larger constants stay outside. */
#define SMALL_BYTES 4096

ir_val ir_hole(adze_graph *g, const adze_shape *type)
{
	char name[40]; /* another one each time, so that no two are the same value */
	snprintf(name, sizeof name, "hole %zu", g->nnode);
	struct attrs_name attrs = {.name = name};
	return ir_emit(g, OP_INPUT, NULL, 0, &attrs, type);
}

/* What is known of each value. */
enum { IS_HOLE = 1, DEPENDS = 2, INSIDE = 4, NEEDED = 8, CAPTURED = 16 };

struct outliner {
	adze_graph *g;
	const struct ir_outline *o;
	uint8_t *what;
	ir_val *capture;
	size_t ncapture;
};

static bool is_parameter(const adze_graph *g, ir_val v)
{
	return g->node[v].op == OP_INPUT || g->node[v].op == OP_WEIGHT;
}

/* Whether a body has a copy of `v`: it is the body's own, or costs nothing there. */
static bool is_inside(const struct outliner *p, ir_val v)
{
	const adze_graph *g = p->g;
	if (g->node[v].op == OP_PART)
		return p->what[ir_arg(g, v, 0)] & INSIDE;
	if (is_parameter(g, v))
		return false;
	bool free = ir_class(g, v) == CLASS_VIEW ||
		    (ir_class(g, v) == CLASS_SRC && g->node[v].narg == 0 &&
		     (g->node[v].op != OP_CONST || shape_bytes(ir_type(g, v)) <= SMALL_BYTES));
	return free || (v >= p->o->mark && (p->o->all || (p->what[v] & DEPENDS)));
}

static void look_at_all(struct outliner *p)
{
	const adze_graph *g = p->g;
	for (size_t i = 0; i < p->o->nhole; i++)
		p->what[p->o->hole[i]] = IS_HOLE | DEPENDS;
	for (ir_val v = 1; v < g->nnode; v++) {
		for (size_t i = 0; i < g->node[v].narg; i++)
			p->what[v] |= p->what[ir_arg(g, v, i)] & DEPENDS;
		if (!(p->what[v] & IS_HOLE) && is_inside(p, v))
			p->what[v] |= INSIDE;
	}
}

/* Marks what the results of a body need; what of it is not inside is captured. */
static void need(struct outliner *p, const struct ir_outline_body *b)
{
	const adze_graph *g = p->g;
	for (ir_val v = 1; v < g->nnode; v++)
		p->what[v] &= (uint8_t)~NEEDED;
	for (size_t i = 0; i < b->nresult; i++)
		p->what[b->result[i]] |= NEEDED;
	for (ir_val v = (ir_val)g->nnode - 1; v > 0; v--) {
		if (!(p->what[v] & NEEDED))
			continue;
		if (!(p->what[v] & (INSIDE | IS_HOLE)))
			p->what[v] |= CAPTURED;
		for (size_t i = 0; (p->what[v] & INSIDE) && i < g->node[v].narg; i++)
			p->what[ir_arg(g, v, i)] |= NEEDED;
	}
}

static adze_status capture(struct outliner *p)
{
	adze_graph *g = p->g;
	for (size_t i = 0; i < p->o->nbody; i++)
		need(p, &p->o->body[i]);
	for (ir_val v = 1; v < g->nnode; v++) {
		if (!(p->what[v] & CAPTURED))
			continue;
		if (p->ncapture + p->o->nhole == IR_MAX_OPERANDS)
			return ir_fail(g, &g->at, ADZE_E_LIMIT,
				       "a body takes more than %d values from around it",
				       IR_MAX_OPERANDS);
		p->capture[p->ncapture++] = v;
	}
	return ADZE_OK;
}

static void add_input(struct ir_map *map, ir_val v)
{
	char name[40];
	snprintf(name, sizeof name, "x%zu", map->to->ninput);
	map->at[v] = ir_input(map->to, name, ir_type(map->from, v));
}

static void fill(struct outliner *p, struct ir_map *map, const struct ir_outline_body *b)
{
	const adze_graph *g = p->g;
	char name[40];
	need(p, b);
	for (size_t i = 0; i < p->o->nhole; i++)
		add_input(map, p->o->hole[i]);
	for (size_t i = 0; i < p->ncapture; i++)
		add_input(map, p->capture[i]);
	for (ir_val v = 1; v < g->nnode && map->to->diag.status == ADZE_OK; v++) {
		if (!(p->what[v] & NEEDED) || !(p->what[v] & INSIDE))
			continue;
		const struct ir_where *where = &g->where[g->node[v].where];
		ir_at(map->to, where->file, where->line, where->column);
		map->at[v] = ir_clone(map, v);
	}
	for (size_t i = 0; i < b->nresult; i++) {
		snprintf(name, sizeof name, "y%zu", i);
		ir_output(map->to, name, map->at[b->result[i]], 0);
	}
}

/* A graph of its own for one body; NULL, with words in p->g, on failure. */
static adze_graph *make(struct outliner *p, const struct ir_outline_body *b)
{
	adze_graph *g = p->g, *to = ir_graph_create(g->arena.from, b->name);
	struct ir_map map = {.from = g, .to = to};
	map.at = mem_new(g->arena.from, g->nnode, sizeof *map.at);
	map.body = mem_new(g->arena.from, g->nbody, sizeof *map.body);
	adze_status status = ADZE_E_NOMEM;
	if (to != NULL && map.at != NULL && map.body != NULL) {
		to->depth = g->depth + 1;
		to->stage = g->stage;
		memcpy(to->symbol, g->symbol, sizeof g->symbol);
		to->nsymbol = g->nsymbol;
		fill(p, &map, b);
		status = to->diag.status;
	}
	if (status != ADZE_OK)
		fail(&g->diag, status, "%s", to != NULL && to->diag.status != ADZE_OK
						     ? to->diag.text
						     : "no memory for the graph");
	mem_free(g->arena.from, map.at, g->nnode, sizeof *map.at);
	mem_free(g->arena.from, map.body, g->nbody, sizeof *map.body);
	if (status == ADZE_OK)
		return to;
	ir_graph_destroy(to);
	return NULL;
}

/* What now lies in bodies is no value any more. */
static adze_status remove_moved(struct outliner *p)
{
	adze_graph *g = p->g;
	for (ir_val v = p->o->mark; v < g->nnode; v++) {
		bool lasts = g->node[v].narg == 0 && !(p->what[v] & IS_HOLE);
		if (lasts || (!p->o->all && !(p->what[v] & DEPENDS)))
			continue;
		for (size_t i = 0; i < g->noutput; i++)
			if (g->output[i].value == v)
				return ir_fail(g, &g->at, ADZE_E_ARGUMENT,
					       "output '%.100s' is a value inside a body",
					       g->output[i].name);
		g->node[v].op = OP_NONE;
		g->node[v].narg = 0;
	}
	return ADZE_OK;
}

/* Bodies behind the first `kept` that no value has any more, from the end. */
static void drop_bodies(adze_graph *g, size_t kept)
{
	size_t used = kept;
	for (ir_val v = 1; v < g->nnode; v++)
		for (size_t i = used; i < g->nbody; i++)
			if (ir_has_body(g, v, (int64_t)i + 1))
				used = i + 1;
	while (g->nbody > used)
		ir_graph_destroy(g->body[--g->nbody]);
}

static adze_status outline(struct outliner *p, adze_graph **made)
{
	const struct ir_outline *o = p->o;
	adze_graph *g = p->g;
	look_at_all(p);
	TRY(capture(p));
	for (size_t i = 0; i < o->nbody; i++)
		if ((made[i] = make(p, &o->body[i])) == NULL)
			return g->diag.status;
	TRY(remove_moved(p));
	drop_bodies(g, o->mark_body);
	for (size_t i = 0; i < o->nbody; i++) {
		o->body[i].number = ir_body_add(g, made[i]);
		if (o->body[i].number == 0)
			return g->diag.status;
		made[i] = NULL;
	}
	return ADZE_OK;
}

adze_status ir_outline(adze_graph *g, const struct ir_outline *o, ir_val *captured, size_t *n)
{
	struct outliner p = {.g = g, .o = o, .capture = captured};
	adze_graph *made[IR_MAX_BRANCHES] = {NULL};
	*n = 0;
	if (g->diag.status != ADZE_OK)
		return g->diag.status;
	p.what = mem_new(g->arena.from, g->nnode, sizeof *p.what);
	adze_status status = p.what != NULL
				     ? outline(&p, made)
				     : fail(&g->diag, ADZE_E_NOMEM, "no memory for the graph");
	mem_free(g->arena.from, p.what, g->nnode, sizeof *p.what);
	for (size_t i = 0; i < o->nbody; i++)
		ir_graph_destroy(made[i]);
	*n = p.ncapture;
	return status;
}
