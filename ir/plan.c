/* SPDX-License-Identifier: Apache-2.0
 *
 * Plan: gives the sink of every group its memory: an output's, a donated input's, or an offset
 * in one arena that is sized for the symbols' bounds. A result takes over an operand's memory
 * where the operand dies and the group reads it in step with writing. Offsets: each block in the
 * lowest gap among those that live at the same time, inserted in the order, of a few, that needs
 * least memory.
 */
#include <string.h>

#include "ir/group.h"
#include "ir/pass.h"

#define ALIGN 64
/* What a search for better offsets may take: blocks squared, times tries; a millisecond. */
#define SEARCH_STEPS (1 << 19)

struct block {
	int64_t bytes, at;
	uint32_t from, to; /* groups during which it lives, inclusive */
};

struct planner {
	adze_graph *g;
	struct arena scratch;
	struct ir_group *group;
	size_t n;
	uint32_t *last;      /* by value: the last group that reads its memory */
	struct block *block;
	size_t nblock;
	uint32_t *block_of;  /* by value: 1 + index, 0 none */
};

/* Every read of memory by a group, one by one. */
static void fill_last(struct planner *p)
{
	const adze_graph *g = p->g;
	for (ir_val v = 1; v < g->nnode; v++) {
		uint32_t q = g->group[v];
		for (size_t i = 0; q != 0 && i < g->node[v].narg; i++) {
			ir_val a = ir_behind(g, ir_arg(g, v, i));
			if (g->group[a] != q && p->last[a] < q)
				p->last[a] = q;
		}
	}
	/* Outputs that are copied to their place at the end. */
	for (size_t i = 0; i < g->noutput; i++)
		p->last[ir_behind(g, g->output[i].value)] = UINT32_MAX;
}

/* Whether group `q` may write its result over `x`, which it reads: each element is read before
 * the same element is written, and nothing else of it is read. */
static bool reads_in_step(const struct planner *p, const struct ir_group *q, ir_val x)
{
	const adze_graph *g = p->g;
	if (dtype_info(ir_type(g, x)->dtype)->bits !=
		    dtype_info(ir_type(g, q->sink)->dtype)->bits ||
	    !shape_same_extents(ir_type(g, x), ir_type(g, q->sink)))
		return false;
	bool update = q->root != 0 && g->node[q->root].op == OP_DYNAMIC_UPDATE_SLICE;
	if (q->root != 0 && !update)
		return false;
	for (size_t k = 0; k < q->nnode; k++) {
		ir_val v = q->node[k];
		for (size_t i = 0; i < g->node[v].narg; i++) {
			ir_val a = ir_arg(g, v, i);
			if (ir_behind(g, a) == x && (a != x || (update && i != 0)))
				return false;
		}
	}
	return true;
}

/* Whether the result may go straight to the donated input's memory: all other readers of the
 * input run earlier. */
static bool may_overwrite(const struct planner *p, uint32_t q, ir_val input)
{
	const adze_graph *g = p->g;
	for (size_t i = 0; i < g->noutput; i++)
		if (ir_behind(g, g->output[i].value) == input)
			return false;
	uint32_t last = p->last[input];
	return last < q || (last == q && reads_in_step(p, &p->group[q - 1], input));
}

static bool place_at_home(struct planner *p, ir_val sink, uint32_t q)
{
	adze_graph *g = p->g;
	for (size_t i = 0; i < g->noutput; i++) {
		const struct ir_output *o = &g->output[i];
		if (o->value != sink)
			continue;
		if (o->into == 0)
			g->place[sink] = (struct ir_place){PLACE_OUTPUT, (int64_t)i};
		else if (may_overwrite(p, q, o->into))
			g->place[sink] =
				(struct ir_place){PLACE_INPUT, ir_input_index(g, o->into)};
		else
			continue;
		return true;
	}
	return false;
}

/* A block whose value dies in this group and may be written over; NULL where there is none. */
static struct block *take_over(struct planner *p, uint32_t q)
{
	const adze_graph *g = p->g;
	const struct ir_group *group = &p->group[q - 1];
	for (size_t k = 0; k < group->nnode; k++) {
		ir_val v = group->node[k];
		for (size_t i = 0; i < g->node[v].narg; i++) {
			ir_val a = ir_arg(g, v, i);
			if (p->block_of[a] != 0 && p->last[a] == q &&
			    reads_in_step(p, group, a))
				return &p->block[p->block_of[a] - 1];
		}
	}
	return NULL;
}

static void place_in_arena(struct planner *p, ir_val sink, uint32_t q)
{
	uint32_t last = p->last[sink] > q ? p->last[sink] : q;
	struct block *b = take_over(p, q);
	if (b == NULL) {
		b = &p->block[p->nblock++];
		b->from = q;
		int64_t bytes = shape_bytes(ir_type(p->g, sink));
		b->bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
	}
	b->to = last;
	p->block_of[sink] = (uint32_t)(b - p->block) + 1;
}

/* ---- offsets ---- */

enum rank { BY_START, BY_AREA, BY_SIZE, RANK_COUNT };

/* What the most living blocks need at once: no order of insertion takes less. */
static int64_t least_bytes(struct planner *p, int64_t *change)
{
	int64_t now = 0, peak = 0;
	for (size_t i = 0; i < p->nblock; i++) {
		const struct block *b = &p->block[i];
		change[b->from] += b->bytes;
		if (b->to < p->n)
			change[b->to + 1] -= b->bytes;
	}
	for (size_t q = 0; q <= p->n; q++) {
		now += change[q];
		peak = now > peak ? now : peak;
	}
	return peak;
}

static bool goes_before(const struct planner *p, enum rank rank, uint32_t i, uint32_t k)
{
	const struct block *a = &p->block[i], *b = &p->block[k];
	double wide[2] = {(double)a->bytes, (double)b->bytes};
	if (rank == BY_START)
		return a->from != b->from ? a->from < b->from : a->bytes > b->bytes;
	if (rank == BY_AREA) {
		wide[0] *= (a->to < p->n ? a->to : p->n) - a->from + 1.0;
		wide[1] *= (b->to < p->n ? b->to : p->n) - b->from + 1.0;
	}
	return wide[0] != wide[1] ? wide[0] > wide[1] : i < k;
}

/* A merge sort: graphs have thousands of groups. `room` has p->nblock places. */
static void sort_blocks(const struct planner *p, enum rank rank, uint32_t *list, uint32_t *room)
{
	size_t n = p->nblock;
	for (size_t i = 0; i < n; i++)
		list[i] = (uint32_t)i;
	for (size_t width = 1; width < n; width *= 2) {
		for (size_t at = 0; at < n; at += 2 * width) {
			size_t i = at, mid = at + width < n ? at + width : n, k = mid;
			size_t end = at + 2 * width < n ? at + 2 * width : n;
			for (size_t to = at; to < end; to++) {
				bool left = i < mid && (k == end ||
							!goes_before(p, rank, list[k], list[i]));
				room[to] = left ? list[i++] : list[k++];
			}
		}
		memcpy(list, room, n * sizeof *list);
	}
}

/* Each block of the list at the lowest offset that is free all its life; the end of the last. */
static int64_t insert_blocks(struct planner *p, const uint32_t *list, uint32_t *by_offset)
{
	int64_t top = 0;
	for (size_t i = 0; i < p->nblock; i++) {
		struct block *b = &p->block[list[i]];
		int64_t at = 0;
		for (size_t k = 0; k < i; k++) {
			const struct block *o = &p->block[by_offset[k]];
			if (o->to < b->from || o->from > b->to)
				continue;
			if (o->at - at >= b->bytes)
				break;
			at = o->at + o->bytes > at ? o->at + o->bytes : at;
		}
		b->at = at;
		top = at + b->bytes > top ? at + b->bytes : top;
		size_t k = i;
		for (; k > 0 && p->block[by_offset[k - 1]].at > at; k--)
			by_offset[k] = by_offset[k - 1];
		by_offset[k] = list[i];
	}
	return top;
}

/* The block that reaches highest goes to the front, or half the way to it. */
static void promote(const struct planner *p, uint32_t *list, int64_t top, bool half)
{
	size_t i = 0;
	while (p->block[list[i]].at + p->block[list[i]].bytes != top)
		i++;
	size_t to = half ? i / 2 : 0;
	uint32_t up = list[i];
	memmove(list + to + 1, list + to, (i - to) * sizeof *list);
	list[to] = up;
}

/* Tries orders of insertion until one needs no more than what must be, and keeps the best: first
 * those of the ranks, then with what reached highest put first. */
static bool lay_out(struct planner *p)
{
	struct arena *r = &p->scratch;
	size_t n = p->nblock, tries = n > 0 ? SEARCH_STEPS / (n * n) : 0;
	uint32_t *list = arena_new(r, n + 1, sizeof *list);
	uint32_t *room = arena_new(r, n + 1, sizeof *room);
	uint32_t *kept = arena_new(r, n + 1, sizeof *kept);
	int64_t *change = arena_new(r, p->n + 2, sizeof *change), best = INT64_MAX, top = 0, least;
	if (list == NULL || room == NULL || kept == NULL || change == NULL)
		return false;
	least = least_bytes(p, change);
	for (size_t i = 0; i < RANK_COUNT + tries && best > least; i++) {
		if (i < RANK_COUNT)
			sort_blocks(p, (enum rank)i, list, room);
		else
			promote(p, list, top, i % 2 > 0);
		top = insert_blocks(p, list, room);
		if (top < best) {
			best = top;
			memcpy(kept, list, n * sizeof *kept);
		}
	}
	p->g->arena_bytes = top != best ? insert_blocks(p, kept, room) : top;
	return true;
}

static adze_status plan(struct planner *p, struct diag *d)
{
	adze_graph *g = p->g;
	struct arena *r = &p->scratch;
	if (!ir_groups(g, r, &p->group, &p->n))
		return fail(d, ADZE_E_NOMEM, "plan: no memory");
	p->last = arena_new(r, g->nnode, sizeof *p->last);
	p->block = arena_new(r, p->n + 1, sizeof *p->block);
	p->block_of = arena_new(r, g->nnode, sizeof *p->block_of);
	g->place = arena_new(&g->arena, g->nnode, sizeof *g->place);
	if (p->last == NULL || p->block == NULL || p->block_of == NULL || g->place == NULL)
		return fail(d, ADZE_E_NOMEM, "plan: no memory");
	fill_last(p);
	for (size_t i = 0; i < g->ninput; i++)
		g->place[g->input[i]] = (struct ir_place){PLACE_INPUT, (int64_t)i};
	for (uint32_t q = 1; q <= p->n; q++) {
		ir_val sink = p->group[q - 1].sink;
		if (!place_at_home(p, sink, q))
			place_in_arena(p, sink, q);
	}
	if (!lay_out(p))
		return fail(d, ADZE_E_NOMEM, "plan: no memory");
	for (ir_val v = 1; v < g->nnode; v++)
		if (p->block_of[v] != 0)
			g->place[v] = (struct ir_place){PLACE_ARENA,
							p->block[p->block_of[v] - 1].at};
	return ADZE_OK;
}

adze_status ir_plan(adze_graph **g, struct diag *d)
{
	struct planner p = {.g = *g};
	arena_init(&p.scratch, (*g)->arena.from);
	adze_status status = plan(&p, d);
	arena_fini(&p.scratch);
	if (status != ADZE_OK)
		(*g)->place = NULL;
	return status;
}
