/* SPDX-License-Identifier: Apache-2.0
 *
 * Fusion: gives every node the number of the group that runs as one kernel. First it decides
 * which views are copied out, because strides or their reader cannot follow them. Then it goes
 * backwards: a node joins the group of its users where they all are in one group and the rules
 * below hold, so nothing can lead out of a group and back in. It reads classes, not names.
 * group.h says what a group may be.
 */
#include <string.h>

#include "ir/group.h"
#include "ir/pass.h"

/* Longer groups would need more strips in L1 than there is room for. */
#define GROUP_NODES 32

enum side { SIDE_EPI, SIDE_PRO };

/* A conversion that products do themselves, while groups are chosen. */
#define NARROW UINT32_MAX

struct fuser {
	adze_graph *g;
	const adze_allocator *mem;
	uint32_t *first, *user; /* users of v: user[first[v] .. first[v + 1]) */
	bool *is_output;
	uint8_t *side;          /* of EW nodes in a group */
	ir_val *root;           /* by group (its sink's value): the root, or 0 */
	uint32_t *size;         /* by group: nodes */
};

static void copy_out(adze_graph *g, ir_val v, enum ir_reason why)
{
	if (ir_class(g, v) == CLASS_VIEW && g->group[v] == 0) {
		g->group[v] = v;
		g->why[g->node[v].arg] = (uint8_t)why;
	}
}

static void copy_out_unless_dense(adze_graph *g, ir_val v)
{
	struct ir_view w;
	if (ir_class(g, v) == CLASS_VIEW && (!ir_view_of(g, v, &w) || !ir_view_is_dense(&w)))
		copy_out(g, v, REASON_DENSE);
}

/* Whether devices copy the elements of this operand from wherever they lie. */
static bool is_gathered(const adze_graph *g, ir_val v, size_t i)
{
	if (ir_sees_packed(g, v))
		return false;
	switch (g->node[v].op) {
	case OP_CONCAT: return true;
	case OP_DYNAMIC_SLICE: return i == 0;
	case OP_DYNAMIC_UPDATE_SLICE: return i == 1;
	default: return false;
	}
}

/* What a reader asks of its operands, by class. */
static void choose_operands(adze_graph *g, ir_val v)
{
	struct ir_view w;
	struct ir_dot_form form;
	switch (ir_class(g, v)) {
	case CLASS_GEMM:
		if (!ir_dot_form(g, v, &form)) {
			copy_out(g, ir_arg(g, v, 0), REASON_SUM);
			copy_out(g, ir_arg(g, v, 1), REASON_SUM);
		}
		break;
	case CLASS_ROW: /* the row itself may be strided, what scales it not */
		for (size_t i = 1; i < g->node[v].narg; i++)
			copy_out_unless_dense(g, ir_arg(g, v, i));
		break;
	case CLASS_CONV:
	case CLASS_WINDOW:
	case CLASS_MOVE:
	case CLASS_REGION:
	case CLASS_PLAIN:
		for (size_t i = 0; i < g->node[v].narg; i++)
			if (!is_gathered(g, v, i) || !ir_view_of(g, ir_arg(g, v, i), &w))
				copy_out_unless_dense(g, ir_arg(g, v, i));
		break;
	default:
		if (ir_sees_packed(g, v) && g->node[v].narg > 0)
			copy_out_unless_dense(g, ir_arg(g, v, 0));
		break;
	}
}

static size_t count_copies(const adze_graph *g)
{
	size_t n = 0;
	for (ir_val v = 1; v < g->nnode; v++)
		n += g->group[v] != 0;
	return n;
}

/* A view that is copied out changes the strides of those behind it, so that is repeated until
 * no more are. */
static void choose_views(adze_graph *g)
{
	struct ir_view w;
	size_t before;
	for (size_t i = 0; i < g->noutput; i++)
		copy_out(g, g->output[i].value, REASON_OUTPUT);
	do {
		before = count_copies(g);
		for (ir_val v = 1; v < g->nnode; v++) {
			if (ir_class(g, v) != CLASS_VIEW)
				choose_operands(g, v);
			else if (!ir_view_through(g, v, &w))
				copy_out(g, ir_arg(g, v, 0), REASON_STRIDES);
			else if (ir_sees_packed(g, v))
				copy_out_unless_dense(g, ir_arg(g, v, 0));
		}
	} while (count_copies(g) > before);
}

static bool list_users(struct fuser *f)
{
	adze_graph *g = f->g;
	f->first = mem_new(f->mem, g->nnode + 2, sizeof *f->first);
	f->user = mem_new(f->mem, g->narg + 1, sizeof *f->user);
	if (f->first == NULL || f->user == NULL)
		return false;
	for (ir_val v = 1; v < g->nnode; v++)
		for (size_t i = 0; i < g->node[v].narg; i++)
			f->first[ir_arg(g, v, i) + 2]++;
	for (size_t v = 1; v < g->nnode + 2; v++)
		f->first[v] += f->first[v - 1];
	for (ir_val v = 1; v < g->nnode; v++)
		for (size_t i = 0; i < g->node[v].narg; i++)
			f->user[f->first[ir_arg(g, v, i) + 1]++] = v;
	return true;
}

/* Whether the operand's elements lie where strides of the conversion find them. */
static bool lies_there(const adze_graph *g, ir_val convert)
{
	struct ir_view w;
	ir_val v = ir_arg(g, convert, 0);
	if (g->node[convert].op == OP_DEQUANTIZE_BLOCKS)
		return ir_view_through(g, convert, &w);
	return ir_class(g, v) != CLASS_VIEW || g->group[v] != 0;
}

/* Whether `v` is one of the queries, keys or values of an attention that reads such types. */
static bool is_attended(const adze_graph *g, ir_val v, ir_val user)
{
	if (g->node[user].op != OP_ATTENTION)
		return false;
	for (size_t i = 3; i < g->node[user].narg; i++)
		if (ir_arg(g, user, i) == v)
			return false;
	while (ir_class(g, v) == CLASS_VIEW && g->group[v] == 0)
		v = ir_arg(g, v, 0);
	return ir_attention_converts(g, v);
}

/* Marks conversions that products and attention alone read, through views or not. */
static void mark_narrow(struct fuser *f)
{
	adze_graph *g = f->g;
	uint8_t *only = f->side; /* by value: whether products alone read it; cleared again */
	for (ir_val v = (ir_val)g->nnode - 1; v > 0; v--) {
		only[v] = !f->is_output[v] && f->first[v] < f->first[v + 1];
		for (uint32_t i = f->first[v]; i < f->first[v + 1]; i++) {
			ir_val user = f->user[i];
			bool through = ir_class(g, user) == CLASS_VIEW &&
				       g->node[user].op != OP_BITCAST && g->group[user] == 0;
			only[v] &= g->node[user].op == OP_DOT || (through && only[user]) ||
				   is_attended(g, v, user);
		}
		if (only[v] && ir_can_be_narrow(g, v) && lies_there(g, v))
			g->group[v] = NARROW;
	}
	memset(only, 0, g->nnode);
}

/* What a product's operand is in memory; returns the conversion that was seen through, or 0. */
static ir_val operand_type(const adze_graph *g, ir_val v, adze_dtype *dtype, enum block_kind *block)
{
	*dtype = ir_type(g, v)->dtype;
	while (ir_class(g, v) == CLASS_VIEW && g->group[v] == 0)
		v = ir_arg(g, v, 0);
	bool narrow = g->group[v] == NARROW, blocks = g->node[v].op == OP_DEQUANTIZE_BLOCKS;
	if (narrow && !blocks)
		*dtype = ir_type(g, ir_arg(g, v, 0))->dtype;
	*block = narrow && blocks ? IR_ATTRS(dequantize_blocks, g, v)->format : BLOCK_NONE;
	return narrow ? v : 0;
}

/* Takes the marks back that a product has no kernel for, until every one is left with what it
 * can read. */
static void choose_narrow(struct fuser *f)
{
	adze_graph *g = f->g;
	bool again = g->narrow_products;
	if (again)
		mark_narrow(f);
	while (again) {
		again = false;
		for (ir_val v = 1; v < g->nnode; v++) {
			struct ir_dot_form f;
			if (g->node[v].op != OP_DOT || !ir_dot_form(g, v, &f))
				continue;
			ir_val a = operand_type(g, ir_arg(g, v, 0), &f.a_dtype, &f.a_block);
			ir_val b = operand_type(g, ir_arg(g, v, 1), &f.b_dtype, &f.b_block);
			if ((a == 0 && b == 0) || ir_dot_reads(&f, ir_type(g, v)->dtype))
				continue;
			/* The first operand alone has no kernel; without it the second may. Blocks
			 * are what pays most. */
			bool second = b != 0 && f.a_block != BLOCK_NONE && f.b_block == BLOCK_NONE;
			g->group[a != 0 && !second ? a : b] = 0;
			again = true;
		}
	}
}

/* Why `v` cannot be fed to `user` within its group; or NONE, and the side that reads it. */
static enum ir_reason refuses(const struct fuser *f, ir_val v, ir_val user, enum side *side)
{
	const adze_graph *g = f->g;
	enum op_class c = ir_class(g, user);
	if (c == CLASS_VIEW)
		return g->group[user] != 0 ? (enum ir_reason)g->why[g->node[user].arg]
					   : REASON_VIEW;
	if (ir_sees_packed(g, v) || ir_sees_packed(g, user))
		return REASON_PACKED;
	if (g->group[user] == NARROW)
		return REASON_READER;
	*side = SIDE_PRO;
	if (c == CLASS_EW)
		*side = (enum side)f->side[user];
	else if (c != CLASS_REDUCE && c != CLASS_ROW)
		return REASON_READER;
	for (size_t i = 1; c != CLASS_EW && i < g->node[user].narg; i++)
		if (ir_arg(g, user, i) == v)
			return REASON_SCALE;
	return REASON_NONE;
}

/* Why `v` can join no group of what reads it, but for what single readers refuse; or NONE, the
 * group, and the side it is on. */
static enum ir_reason joins(const struct fuser *f, ir_val v, uint32_t *group, enum side *side)
{
	const adze_graph *g = f->g;
	enum op_class c = ir_class(g, v);
	enum side one = SIDE_EPI;
	*group = 0;
	if (f->is_output[v] || f->first[v] == f->first[v + 1])
		return REASON_OUTPUT;
	for (uint32_t i = f->first[v]; i < f->first[v + 1]; i++) {
		ir_val user = f->user[i];
		if (refuses(f, v, user, &one) != REASON_NONE ||
		    (*group != 0 && g->group[user] != *group))
			return REASON_GROUPS;
		if (*group != 0 && one != *side)
			return REASON_SIDES;
		*group = g->group[user];
		*side = one;
	}
	if (f->size[*group] >= GROUP_NODES)
		return REASON_FULL;
	if (c == CLASS_EW)
		return REASON_NONE;
	if (c != CLASS_REDUCE && c != CLASS_ROW && c != CLASS_GEMM && c != CLASS_CONV &&
	    c != CLASS_WINDOW)
		return REASON_MAKER;
	if (f->root[*group] != 0)
		return REASON_ROOT;
	if (*side != SIDE_EPI)
		return REASON_PROLOGUE;
	/* A root's result stands in the sink's memory until the epilogue has read it. */
	return dtype_bytes(ir_type(g, v)->dtype) == dtype_bytes(ir_type(g, *group)->dtype)
		       ? REASON_NONE
		       : REASON_SIZE;
}

/* For each edge from `v`: what is against it alone, else what is against all of them. */
static void keep_reasons(struct fuser *f, ir_val v, enum ir_reason all)
{
	adze_graph *g = f->g;
	for (uint32_t i = f->first[v]; i < f->first[v + 1]; i++) {
		ir_val user = f->user[i];
		enum side side;
		enum ir_reason one = refuses(f, v, user, &side);
		for (size_t k = 0; k < g->node[user].narg; k++)
			if (ir_arg(g, user, k) == v)
				g->why[g->node[user].arg + k] =
					(uint8_t)(one != REASON_NONE ? one : all);
	}
}

/* Whether `u`, whose group is that of `v`'s reader, needs nothing of that group but `v`. */
static bool follows_alone(const struct fuser *f, ir_val v, ir_val u)
{
	const adze_graph *g = f->g;
	if (ir_class(g, u) != CLASS_EW || f->first[v] + 1 != f->first[v + 1] ||
	    dtype_bytes(ir_type(g, u)->dtype) != dtype_bytes(ir_type(g, v)->dtype))
		return false;
	for (size_t i = 0; i < g->node[u].narg; i++)
		if (ir_arg(g, u, i) != v && g->group[ir_arg(g, u, i)] == g->group[u])
			return false;
	return true;
}

/* Where the group of its reader has a root, a convolution takes what follows it alone into a group
 * of its own: it is done while results are in the cache, and the other group reads one value less
 * often. False where nothing does. */
static bool take_followers(struct fuser *f, ir_val v)
{
	adze_graph *g = f->g;
	ir_val last = v;
	if (ir_class(g, v) != CLASS_CONV || f->first[v] + 1 != f->first[v + 1])
		return false;
	uint32_t from = g->group[f->user[f->first[v]]];
	while (f->first[last] + 1 == f->first[last + 1]) {
		ir_val u = f->user[f->first[last]];
		if (g->group[u] != from || u == from || !follows_alone(f, last, u))
			break;
		last = u;
	}
	if (last == v)
		return false;
	for (ir_val u = v; u != last;) {
		u = f->user[f->first[u]];
		g->group[u] = last;
		f->side[u] = SIDE_EPI;
		f->size[from]--;
		f->size[last]++;
	}
	g->group[v] = last;
	f->size[last]++;
	f->root[last] = v;
	keep_reasons(f, v, REASON_NONE);
	keep_reasons(f, last, REASON_ROOT);
	return true;
}

static void join(struct fuser *f, ir_val v)
{
	adze_graph *g = f->g;
	enum side side = SIDE_EPI;
	uint32_t group;
	enum ir_reason why = joins(f, v, &group, &side);
	if (why == REASON_ROOT && take_followers(f, v))
		return;
	if (why != REASON_NONE) {
		group = v;
		side = SIDE_EPI;
	}
	keep_reasons(f, v, why);
	g->group[v] = group;
	f->size[group]++;
	f->side[v] = (uint8_t)side;
	if (ir_class(g, v) != CLASS_EW)
		f->root[group] = v;
}

/* Values of sinks become 1, 2 ... in their order, which is an order of execution. */
static void number(adze_graph *g, uint32_t *name)
{
	uint32_t n = 0;
	for (ir_val v = 1; v < g->nnode; v++)
		if (g->group[v] == v)
			name[v] = ++n;
	for (ir_val v = 1; v < g->nnode; v++)
		g->group[v] = g->group[v] && g->group[v] != NARROW ? name[g->group[v]] : 0;
}

static bool needs_group(const adze_graph *g, ir_val v)
{
	return !ir_is_given(g, v) && ir_class(g, v) != CLASS_VIEW;
}

adze_status ir_fuse(adze_graph **graph, struct diag *d)
{
	adze_graph *g = *graph;
	size_t n = g->nnode;
	struct fuser f = {.g = g, .mem = g->arena.from};
	adze_status status = ADZE_OK;
	f.is_output = mem_new(f.mem, n, sizeof *f.is_output);
	f.side = mem_new(f.mem, n, sizeof *f.side);
	f.root = mem_new(f.mem, n, sizeof *f.root);
	f.size = mem_new(f.mem, n, sizeof *f.size);
	g->group = arena_new(&g->arena, n, sizeof *g->group);
	g->why = arena_new(&g->arena, g->narg + 1, sizeof *g->why);
	if (f.is_output == NULL || f.side == NULL || f.root == NULL || f.size == NULL ||
	    g->group == NULL || g->why == NULL || !list_users(&f)) {
		status = fail(d, ADZE_E_NOMEM, "fuse: no memory");
		g->group = NULL;
		g->why = NULL;
	} else {
		for (size_t i = 0; i < g->noutput; i++)
			f.is_output[g->output[i].value] = true;
		choose_views(g);
		choose_narrow(&f);
		for (ir_val v = (ir_val)n - 1; v > 0; v--)
			if (needs_group(g, v) && g->group[v] != NARROW)
				join(&f, v);
			else if (g->group[v] == v)
				keep_reasons(&f, v, REASON_MAKER);
		number(g, f.root);
	}
	mem_free(f.mem, f.is_output, n, sizeof *f.is_output);
	mem_free(f.mem, f.side, n, sizeof *f.side);
	mem_free(f.mem, f.root, n, sizeof *f.root);
	mem_free(f.mem, f.size, n, sizeof *f.size);
	mem_free(f.mem, f.first, n + 2, sizeof *f.first);
	mem_free(f.mem, f.user, g->narg + 1, sizeof *f.user);
	return status;
}
