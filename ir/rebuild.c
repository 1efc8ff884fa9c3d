/* SPDX-License-Identifier: Apache-2.0
 *
 * Rewriting: a pass reads one graph and emits another through a map. What nothing uses any
 * more falls away, and equal nodes become one, by the emitting alone.
 */
#include <string.h>

#include "ir/graph.h"

/* A copy of a body in the new graph, made when the first node asks for it. */
static int64_t move_body(struct ir_map *map, int64_t number)
{
	adze_graph *copy, *to = map->to;
	if (number <= 0 || map->body[number - 1] != 0)
		return number <= 0 ? 0 : map->body[number - 1];
	adze_status status = ir_rebuild(ir_body(map->from, number), NULL, NULL, NULL, 0, &copy);
	if (status != ADZE_OK)
		fail(&to->diag, status, "%s", copy != NULL ? copy->diag.text : status_text(status));
	else
		map->body[number - 1] = ir_body_add(to, copy);
	if (map->body[number - 1] == 0)
		ir_graph_destroy(copy);
	return map->body[number - 1];
}

/* The attributes of `v` for the new graph, in `room` where they differ; NULL on failure. */
static const void *move_bodies(struct ir_map *map, ir_val v, union attrs_any *room)
{
	const struct ir_node *n = ir_get(map->from, v);
	const struct attr_schema *s = op_info((enum ir_op)n->op)->attrs;
	if (!s->has_bodies)
		return n->attrs;
	memcpy(room, n->attrs, s->bytes);
	bool ok = true;
	for (int i = 0; i < s->nfield; i++) {
		void *at = (char *)room + s->field[i].offset;
		if (s->field[i].kind == ATTR_BODY) {
			ir_attr_BODY *body = at;
			*body = move_body(map, *body);
			ok &= *body != 0;
		} else if (s->field[i].kind == ATTR_BODIES) {
			struct ir_bodies *list = at;
			for (int k = 0; k < list->n; k++) {
				list->at[k] = move_body(map, list->at[k]);
				ok &= list->at[k] != 0;
			}
		}
	}
	return ok ? room : NULL;
}

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
	union attrs_any moved;
	const void *attrs = move_bodies(map, v, &moved);
	ir_val y = attrs != NULL || n->attrs == NULL
			   ? ir_emit(map->to, (enum ir_op)n->op, args, n->narg, attrs,
				     ir_type(map->from, v))
			   : 0;
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
	struct ir_map map = {from, ir_graph_create(a, from->name), NULL, NULL, self};
	bool *live = find_live(from);
	map.at = mem_new(a, from->nnode, sizeof *map.at);
	map.body = mem_new(a, from->nbody, sizeof *map.body);
	adze_status status = ADZE_E_NOMEM;
	if (map.to != NULL && live != NULL && map.at != NULL && map.body != NULL) {
		map.to->stage = from->stage;
		map.to->depth = from->depth;
		/* Symbols keep their numbers, used or not: a call gives them in this order. */
		memcpy(map.to->symbol, from->symbol, sizeof from->symbol);
		map.to->nsymbol = from->nsymbol;
		rebuild_into(&map, rule, order, norder, live);
		status = map.to->diag.status;
	}
	mem_free(a, live, from->nnode, sizeof *live);
	mem_free(a, map.at, from->nnode, sizeof *map.at);
	mem_free(a, map.body, from->nbody, sizeof *map.body);
	*out = map.to;
	if (status == ADZE_E_NOMEM && map.to != NULL) {
		ir_graph_destroy(map.to);
		*out = NULL;
	}
	return status;
}
