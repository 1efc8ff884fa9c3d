/* SPDX-License-Identifier: Apache-2.0
 *
 * The memory that a planned graph cannot do without in its order: of all groups, the most that is
 * alive during one. A value lives from its group to the last that reads it; one that is written
 * over in its place has ended when the new one begins.
 */
#include "ir/view.h"

struct lives {
	const adze_graph *g;
	struct arena scratch;
	uint32_t ngroup;
	uint32_t *last; /* by value: the last group that needs it; 0: not in the arena */
	ir_val *sink;   /* by group: its value, where that is in the arena */
	int64_t *step;  /* by group: what begins there less what ended before */
};

static bool in_arena(const adze_graph *g, ir_val v)
{
	return g->group[v] != 0 && g->place[v].kind == PLACE_ARENA;
}

static bool find_sinks(struct lives *w)
{
	const adze_graph *g = w->g;
	for (ir_val v = 1; v < g->nnode; v++)
		w->ngroup = g->group[v] > w->ngroup ? g->group[v] : w->ngroup;
	w->last = arena_new(&w->scratch, g->nnode, sizeof *w->last);
	w->sink = arena_new(&w->scratch, (size_t)w->ngroup + 1, sizeof *w->sink);
	w->step = arena_new(&w->scratch, (size_t)w->ngroup + 2, sizeof *w->step);
	if (w->last == NULL || w->sink == NULL || w->step == NULL)
		return false;
	for (ir_val v = 1; v < g->nnode; v++)
		if (in_arena(g, v)) {
			w->sink[g->group[v]] = v;
			w->last[v] = g->group[v];
		}
	return true;
}

/* Calls `visit` for every value in the arena that a group reads from outside itself. */
static void each_read(struct lives *w, void (*visit)(struct lives *w, uint32_t q, ir_val read))
{
	const adze_graph *g = w->g;
	for (ir_val v = 1; v < g->nnode; v++)
		for (size_t i = 0; g->group[v] != 0 && i < g->node[v].narg; i++) {
			ir_val a = ir_behind(g, ir_arg(g, v, i));
			if (in_arena(g, a) && g->group[a] != g->group[v])
				visit(w, g->group[v], a);
		}
}

static void extend(struct lives *w, uint32_t q, ir_val read)
{
	w->last[read] = w->last[read] > q ? w->last[read] : q;
}

static void end_overwritten(struct lives *w, uint32_t q, ir_val read)
{
	ir_val s = w->sink[q];
	if (s != 0 && w->last[read] == q && w->g->place[s].at == w->g->place[read].at)
		w->last[read] = q - 1;
}

int64_t ir_live_bytes(const adze_graph *g)
{
	struct lives w = {.g = g};
	int64_t now = 0, most = -1;
	arena_init(&w.scratch, g->arena.from);
	if (g->place != NULL && find_sinks(&w)) {
		each_read(&w, extend);
		for (size_t i = 0; i < g->noutput; i++) {
			ir_val v = ir_behind(g, g->output[i].value);
			if (in_arena(g, v))
				w.last[v] = w.ngroup; /* copied to its place at the end */
		}
		each_read(&w, end_overwritten);
		for (ir_val v = 1; v < g->nnode; v++)
			if (w.last[v] != 0) {
				int64_t bytes = (shape_bytes(ir_type(g, v)) + 63) / 64 * 64;
				w.step[g->group[v]] += bytes;
				w.step[w.last[v] + 1] -= bytes;
			}
		most = 0;
		for (uint32_t q = 1; q <= w.ngroup; q++) {
			now += w.step[q];
			most = now > most ? now : most;
		}
	}
	arena_fini(&w.scratch);
	return most;
}
