/* SPDX-License-Identifier: Apache-2.0
 *
 * Rewriting: a pass reads one graph and emits another through a map. What nothing uses any
 * more falls away, and equal nodes become one, by the emitting alone.
 */
#include <string.h>

#include "ir/graph.h"

ir_val ir_clone(struct ir_map *map, ir_val v)
{
	const struct ir_node *n = ir_get(map->from, v);
	ir_val few[8], *args = few;
	const adze_allocator *a = map->to->arena.from;
	if (n->narg > COUNT_OF(few) && (args = mem_new(a, n->narg, sizeof *args)) == NULL) {
		fail(&map->to->diag, ADZE_E_NOMEM, "no memory for the graph");
		return 0;
	}
	for (size_t i = 0; i < n->narg; i++)
		args[i] = map->at[ir_arg(map->from, v, i)];
	ir_val y = ir_emit(map->to, (enum ir_op)n->op, args, n->narg, n->attrs,
			   ir_type(map->from, v));
	if (args != few)
		mem_free(a, args, n->narg, sizeof *args);
	return y;
}

/* Marks what outputs reach; nodes are in topological order, so one sweep does. */
static bool *find_live(const adze_graph *g)
{
	bool *live = mem_new(g->arena.from, g->nnode, sizeof *live);
	if (live == NULL)
		return NULL;
	for (size_t i = 0; i < g->noutput; i++)
		live[g->output[i].value] = true;
	for (ir_val v = (ir_val)g->nnode - 1; v > 0; v--)
		for (size_t i = 0; live[v] && i < g->node[v].narg; i++)
			live[ir_arg(g, v, i)] = true;
	return live;
}

static void rebuild_into(struct ir_map *map, ir_rule *rule, const ir_val *order, size_t norder,
			 const bool *live)
{
	const adze_graph *from = map->from;
	adze_graph *to = map->to;
	for (size_t i = 0; i < from->ninput; i++) {
		ir_val v = from->input[i];
		map->at[v] = ir_input(to, IR_ATTRS(name, from, v)->name, ir_type(from, v));
	}
	for (size_t i = 0; i < from->nweight; i++) {
		ir_val v = from->weight[i];
		if (live[v])
			map->at[v] = ir_weight(to, IR_ATTRS(name, from, v)->name,
					       ir_type(from, v));
	}
	size_t n = order != NULL ? norder : from->nnode;
	for (size_t i = order != NULL ? 0 : 1; i < n && to->diag.status == ADZE_OK; i++) {
		ir_val v = order != NULL ? order[i] : (ir_val)i;
		if (!live[v] || map->at[v] != 0)
			continue;
		const struct ir_where *where = &from->where[from->node[v].where];
		ir_at(to, where->file, where->line, where->column);
		map->at[v] = rule != NULL ? rule(map, v) : ir_clone(map, v);
	}
	for (size_t i = 0; i < from->noutput; i++) {
		const struct ir_output *o = &from->output[i];
		ir_output(to, o->name, map->at[o->value], o->into ? map->at[o->into] : 0);
	}
}

adze_status ir_rebuild(const adze_graph *from, ir_rule *rule, void *self, const ir_val *order,
		       size_t norder, adze_graph **out)
{
	const adze_allocator *a = from->arena.from;
	struct ir_map map = {from, ir_graph_create(a, from->name), NULL, self};
	bool *live = find_live(from);
	map.at = mem_new(a, from->nnode, sizeof *map.at);
	adze_status status = ADZE_E_NOMEM;
	if (map.to != NULL && live != NULL && map.at != NULL) {
		map.to->stage = from->stage;
		/* Symbols keep their numbers, used or not: a call gives them in this order. */
		memcpy(map.to->symbol, from->symbol, sizeof from->symbol);
		map.to->nsymbol = from->nsymbol;
		rebuild_into(&map, rule, order, norder, live);
		status = map.to->diag.status;
	}
	mem_free(a, live, from->nnode, sizeof *live);
	mem_free(a, map.at, from->nnode, sizeof *map.at);
	*out = map.to;
	if (status == ADZE_E_NOMEM && map.to != NULL) {
		ir_graph_destroy(map.to);
		*out = NULL;
	}
	return status;
}
