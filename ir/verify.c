/* SPDX-License-Identifier: Apache-2.0
 *
 * Checks a graph against what its stage promises: for tests, for builds with assertions
 * after every pass, and for texts, whose groups and places are claims.
 */
#include <inttypes.h>
#include <string.h>

#include "base/hash.h"
#include "ir/group.h"
#include "ir/lexeme.h"

#define ARENA_ALIGN 64

struct check {
	const adze_graph *g;
	const adze_allocator *from;
	struct diag *d;
	/* By value, for groups: when it is there, and the last group that reads it. */
	uint32_t *ready, *last;
	uint32_t *sink; /* by group */
	uint32_t ngroup;
	struct ir_group *group; /* planned: [0] is group 1 */
};

/* ---- words ---- */

static adze_status bad(const struct check *c, const char *words)
{
	return fail(c->d, ADZE_E_TYPE, "graph %s: %s", c->g->name, words);
}

static adze_status no_memory(const struct check *c)
{
	return fail(c->d, ADZE_E_NOMEM, "no memory to verify the graph");
}

/* For a node that may not even be fit to be printed. */
static adze_status bad_node(const struct check *c, ir_val v, const char *words)
{
	return fail(c->d, ADZE_E_TYPE, "graph %s: node %" PRIu32 ": %s", c->g->name, v, words);
}

/* For a node whose operands, type and attributes are known to be there. */
static adze_status bad_line(const struct check *c, ir_val v, const char *words)
{
	struct text line;
	text_init(&line, c->from);
	ir_print_node(c->g, v, &line);
	adze_status status = fail(c->d, ADZE_E_TYPE, "%.300s: %s",
				  line.failed || line.at == NULL ? "a node" : line.at, words);
	text_fini(&line);
	return status;
}

/* ---- every stage ---- */

static bool body_is_there(const adze_graph *g, int64_t number)
{
	return number > 0 && (uint64_t)number <= g->nbody;
}

static bool field_is_valid(const adze_graph *g, const struct attr_field *f, const void *at)
{
	const struct ir_bodies *bodies = at;
	const struct ir_dims *dims = at;
	const struct ir_data *data = at;
	switch (f->kind) {
	case ATTR_EWFN: return (unsigned)*(const enum ew *)at < EW_COUNT;
	case ATTR_BLOCK:
		return (unsigned)*(const enum block_kind *)at < BLOCK_COUNT;
	case ATTR_DIMS: return dims->n >= 0 && dims->n <= ADZE_MAX_RANK;
	case ATTR_NAME: return *(const char *const *)at != NULL;
	case ATTR_DATA: return data->bytes != NULL || data->len == 0;
	case ATTR_BODY: return body_is_there(g, *(const ir_attr_BODY *)at);
	case ATTR_BODIES:
		for (int i = 0; bodies->n >= 0 && bodies->n <= IR_MAX_BRANCHES && i < bodies->n;
		     i++)
			if (!body_is_there(g, bodies->at[i]))
				return false;
		return bodies->n >= 0 && bodies->n <= IR_MAX_BRANCHES;
	case ATTR_INT:
	case ATTR_FLOAT: break;
	}
	return true;
}

static adze_status check_node(const struct check *c, ir_val v)
{
	const adze_graph *g = c->g;
	const struct ir_node *n = &g->node[v];
	if (n->op == OP_NONE && g->stage == STAGE_GRAPH && n->narg == 0)
		return ADZE_OK; /* it moved into a body */
	if (n->op == OP_NONE || n->op >= OP_COUNT)
		return bad_node(c, v, "there is no such operation");
	const struct op_info *info = op_info((enum ir_op)n->op);
	if (n->type == 0 || n->type >= g->ntype)
		return bad_node(c, v, "its type is not there");
	if (n->where >= g->nwhere)
		return bad_node(c, v, "its place in the source is not there");
	if (n->narg > 0 && (n->arg > g->narg || n->narg > g->narg - n->arg))
		return bad_node(c, v, "its operands are not there");
	if (n->narg < info->min_args || n->narg > info->max_args)
		return bad_node(c, v, "wrong number of operands");
	for (size_t i = 0; i < n->narg; i++)
		if (ir_arg(g, v, i) == 0 || ir_arg(g, v, i) >= v ||
		    g->node[ir_arg(g, v, i)].op == OP_NONE)
			return bad_node(c, v, "an operand does not stand before it");
	if (info->attrs->nfield > 0 && n->attrs == NULL)
		return bad_node(c, v, "its attributes are not there");
	for (int i = 0; i < info->attrs->nfield; i++) {
		const struct attr_field *f = &info->attrs->field[i];
		if (!field_is_valid(g, f, (const char *)n->attrs + f->offset))
			return bad_node(c, v, "an attribute is not in range");
	}
	return ADZE_OK;
}

static adze_status check_types(const struct check *c)
{
	const adze_graph *g = c->g;
	struct diag d = {ADZE_OK, ""};
	if (g->nsymbol < 0 || g->nsymbol > ADZE_MAX_SYMBOLS)
		return bad(c, "too many symbols");
	for (size_t t = 1; t < g->ntype; t++) {
		const adze_shape *s = &g->type[t];
		if (shape_check(s, &d) != ADZE_OK)
			return bad(c, d.text);
		for (int i = 0; i < s->rank; i++) {
			if (dim_is_static(&s->dim[i]))
				continue;
			int k = ir_symbol_find(g, s->dim[i].symbol);
			if (k < 0 || g->symbol[k].bound != s->dim[i].size / s->dim[i].scale)
				return bad(c, "a type has a symbol, or a bound, that the graph "
					      "does not have");
		}
	}
	return ADZE_OK;
}

/* The type rules once more, on a copy of the head that takes the words. */
static adze_status check_inferred(const struct check *c)
{
	const adze_graph *g = c->g;
	adze_graph head = *g;
	adze_shape type;
	diag_clear(&head.diag);
	for (ir_val v = 1; v < g->nnode; v++) {
		const struct ir_node *n = &g->node[v];
		const adze_shape *have = ir_type(g, v);
		bool declared = (op_info((enum ir_op)n->op)->flags & OP_DECLARED) != 0;
		if (n->op == OP_NONE)
			continue;
		head.at = g->where[n->where];
		if (ir_infer(&head, (enum ir_op)n->op, g->arg + n->arg, n->narg, n->attrs,
			     declared ? have : NULL, &type) != ADZE_OK)
			return bad_line(c, v, head.diag.text);
		bool same = type.dtype == have->dtype && shape_same_extents(&type, have);
		for (int i = 0; same && i < have->rank; i++)
			same = strcmp(type.dim[i].name, have->dim[i].name) == 0;
		if (!same)
			return bad_line(c, v, "its type is not the one that its operands give");
	}
	return ADZE_OK;
}

/* A set of names; `slot` has a power of two of places, more than there will be names. */
struct names {
	const char **slot;
	size_t cap;
};

static bool names_create(const struct check *c, size_t n, struct names *out)
{
	for (out->cap = 8; out->cap < 2 * n; out->cap *= 2)
		continue;
	out->slot = mem_new(c->from, out->cap, sizeof *out->slot);
	return out->slot != NULL;
}

/* Words where the name cannot be, or is there already. */
static const char *names_add(struct names *s, const char *name)
{
	size_t len = strlen(name), i = hash_bytes(name, len) & (s->cap - 1);
	if (len == 0 || lex_not_utf8(name, len) != len)
		return "a name is empty or not UTF-8";
	for (; s->slot[i] != NULL; i = (i + 1) & (s->cap - 1))
		if (strcmp(s->slot[i], name) == 0)
			return "two inputs, weights or outputs have the same name";
	s->slot[i] = name;
	return NULL;
}

/* Adds the names of a list of inputs or weights, which are all there are of them. */
static const char *add_parameters(const adze_graph *g, enum ir_op op, const ir_val *list, size_t n,
				  struct names *names)
{
	size_t there = 0;
	for (ir_val v = 1; v < g->nnode; v++)
		there += g->node[v].op == op;
	const char *words = there != n ? "the lists of inputs and weights are not complete" : NULL;
	for (size_t i = 0; i < n && words == NULL; i++) {
		if (list[i] == 0 || list[i] >= g->nnode || g->node[list[i]].op != op)
			return "the lists of inputs and weights have something else in them";
		words = names_add(names, IR_ATTRS(name, g, list[i])->name);
	}
	return words;
}

static adze_status check_parameters(const struct check *c)
{
	const adze_graph *g = c->g;
	struct names names;
	if (!names_create(c, g->ninput + g->nweight, &names))
		return no_memory(c);
	const char *words = add_parameters(g, OP_INPUT, g->input, g->ninput, &names);
	if (words == NULL)
		words = add_parameters(g, OP_WEIGHT, g->weight, g->nweight, &names);
	mem_free(c->from, names.slot, names.cap, sizeof *names.slot);
	return words == NULL ? ADZE_OK : bad(c, words);
}

/* Prepared nodes have the numbers 0, 1 ..., each once. */
static adze_status check_prepared(const struct check *c)
{
	bool seen[IR_MAX_PREPARED] = {false};
	size_t n = ir_prepared(c->g, NULL);
	for (ir_val v = 1; v < c->g->nnode; v++) {
		if (c->g->node[v].op != OP_PREPARED)
			continue;
		int64_t i = IR_ATTRS(prepared, c->g, v)->index;
		if (i < 0 || (uint64_t)i >= n || i >= IR_MAX_PREPARED || seen[i])
			return bad_line(c, v, "its index stands twice, or one before it nowhere");
		seen[i] = true;
	}
	return ADZE_OK;
}

/* What becomes of the memory of an input. */
enum fate { KEPT, GIVEN, OVERWRITTEN };

/* `fate` by value: of inputs that an output takes already. */
static const char *output_words(const adze_graph *g, const struct ir_output *o, uint8_t *fate)
{
	if (o->value == 0 || o->value >= g->nnode || o->into >= g->nnode ||
	    g->node[o->value].op == OP_NONE)
		return "an output is no value";
	if (o->into == 0)
		return NULL;
	if (g->node[o->into].op != OP_INPUT)
		return "an output goes into what is no input";
	if (fate[o->into] != KEPT)
		return "an input is given to two outputs";
	fate[o->into] = o->value == o->into ? GIVEN : OVERWRITTEN;
	if (ir_type(g, o->value)->dtype != ir_type(g, o->into)->dtype ||
	    !shape_same_extents(ir_type(g, o->value), ir_type(g, o->into)))
		return "an output goes into an input of another type";
	return NULL;
}

static adze_status check_outputs(const struct check *c)
{
	const adze_graph *g = c->g;
	struct names names = {NULL, 0};
	uint8_t *fate = mem_new(c->from, g->nnode, sizeof *fate);
	const char *words = NULL;
	bool memory = fate != NULL && names_create(c, g->noutput, &names);
	for (size_t i = 0; memory && words == NULL && i < g->noutput; i++) {
		words = output_words(g, &g->output[i], fate);
		if (words == NULL)
			words = names_add(&names, g->output[i].name);
	}
	for (size_t i = 0; memory && words == NULL && i < g->noutput; i++) {
		if (g->stage >= STAGE_LOWERED && fate[g->output[i].value] == OVERWRITTEN)
			words = "an output is an input that another output overwrites";
	}
	mem_free(c->from, fate, g->nnode, sizeof *fate);
	mem_free(c->from, names.slot, names.cap, sizeof *names.slot);
	return !memory ? no_memory(c) : words == NULL ? ADZE_OK : bad(c, words);
}

/* ---- grouped ---- */

static uint32_t later(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* Numbers without gaps, what must have one has one; finds sinks. */
static adze_status check_numbers(struct check *c)
{
	const adze_graph *g = c->g;
	for (ir_val v = 1; v < g->nnode; v++) {
		uint32_t k = g->group[v];
		bool given = ir_is_given(g, v);
		if (k >= g->nnode)
			return bad_line(c, v, "more groups than nodes");
		if (k == 0 && !given && ir_class(g, v) != CLASS_VIEW && !ir_can_be_narrow(g, v))
			return bad_line(c, v, "it must be in a group");
		if (k != 0 && given)
			return bad_line(c, v, "what is given to a graph is in no group");
		c->ngroup = later(c->ngroup, k);
		c->sink[k] = v; /* the last one; of group 0 it means nothing */
	}
	for (uint32_t k = 1; k <= c->ngroup; k++)
		if (c->sink[k] == 0)
			return bad(c, "a number between the groups' is left out");
	return ADZE_OK;
}

/* Execution in the order of the numbers has every operand there; sets c->ready. */
static adze_status check_order(struct check *c)
{
	const adze_graph *g = c->g;
	for (ir_val v = 1; v < g->nnode; v++) {
		uint32_t k = g->group[v];
		for (size_t i = 0; i < g->node[v].narg; i++) {
			ir_val a = ir_arg(g, v, i);
			c->ready[v] = later(c->ready[v], c->ready[a]);
			if (k != 0 && c->ready[a] > k)
				return bad_line(c, v, "it needs what a later group makes");
			if (g->group[a] != 0 && g->group[a] != k && c->sink[g->group[a]] != a)
				return bad_line(c, a,
						"it is used outside of its group, of which "
						"it is not the last");
			/* What a group makes can be seen through a view when it is done. */
			if (k != 0 && g->group[a] == 0 && c->ready[a] == k)
				return bad_line(c, v, "it looks through a view at its own group");
		}
		c->ready[v] = later(c->ready[v], k);
	}
	for (size_t i = 0; i < g->noutput; i++) {
		ir_val v = g->output[i].value;
		if (g->group[v] != 0 && c->sink[g->group[v]] != v)
			return bad_line(c, v, "it is an output, but not the last of its group");
	}
	return ADZE_OK;
}

/* A group has one node at most that is not element-wise. */
static adze_status check_roots(struct check *c)
{
	const adze_graph *g = c->g;
	bool *rooted = mem_new(c->from, (size_t)c->ngroup + 1, sizeof *rooted);
	adze_status status = rooted != NULL ? ADZE_OK : no_memory(c);
	for (ir_val v = 1; status == ADZE_OK && v < g->nnode; v++) {
		if (g->group[v] == 0 || ir_class(g, v) == CLASS_EW)
			continue;
		if (rooted[g->group[v]])
			status = bad_line(c, v,
					  "its group has two nodes that are not "
					  "element-wise");
		rooted[g->group[v]] = true;
	}
	mem_free(c->from, rooted, (size_t)c->ngroup + 1, sizeof *rooted);
	return status;
}

/* Conversions in no group are operands of products and of attention alone, of types that those
 * convert. */
static adze_status check_narrow(const struct check *c, ir_val v)
{
	const adze_graph *g = c->g;
	for (size_t i = 0; i < g->node[v].narg; i++) {
		ir_val a = ir_arg(g, v, i);
		while (ir_class(g, a) == CLASS_VIEW && g->group[a] == 0)
			a = ir_arg(g, a, 0);
		bool passes = ir_class(g, v) == CLASS_VIEW && g->group[v] == 0;
		bool attends = g->node[v].op == OP_ATTENTION && i < 3 &&
			       ir_attention_converts(g, a);
		if (ir_is_read_narrow(g, a) && !passes && !attends && g->node[v].op != OP_DOT)
			return bad_line(c, v, "it reads what a product alone converts");
	}
	return ADZE_OK;
}

static adze_status check_dots(const struct check *c)
{
	struct ir_dot_form form;
	const adze_graph *g = c->g;
	for (ir_val v = 1; v < g->nnode; v++) {
		TRY(check_narrow(c, v));
		if (g->node[v].op != OP_DOT)
			continue;
		if (!ir_dot_form(g, v, &form))
			return bad_line(c, v, "strides cannot walk its contracting axes");
		if (!ir_dot_reads(&form, ir_type(g, v)->dtype))
			return bad_line(c, v, "no product converts operands of these types");
	}
	for (size_t i = 0; i < g->noutput; i++)
		if (ir_is_read_narrow(g, g->output[i].value))
			return bad_line(c, g->output[i].value, "an output must be in a group");
	return ADZE_OK;
}

static adze_status check_grouped(struct check *c)
{
	if (c->g->group == NULL)
		return bad(c, "it has no groups");
	TRY(check_numbers(c));
	TRY(check_order(c));
	TRY(check_roots(c));
	return check_dots(c);
}

/* ---- planned ---- */

/* The last group that reads each value, itself or through views; outputs are read at the end. */
static void find_last(struct check *c)
{
	const adze_graph *g = c->g;
	for (size_t i = 0; i < g->noutput; i++)
		c->last[g->output[i].value] = c->ngroup + 1;
	for (ir_val v = (ir_val)g->nnode - 1; v > 0; v--) {
		uint32_t read = g->group[v] != 0 ? g->group[v] : c->last[v];
		for (size_t i = 0; i < g->node[v].narg; i++)
			c->last[ir_arg(g, v, i)] = later(c->last[ir_arg(g, v, i)], read);
	}
}

/* The value with memory behind views. */
static ir_val behind(const adze_graph *g, ir_val v)
{
	while ((ir_class(g, v) == CLASS_VIEW || ir_can_be_narrow(g, v)) && g->group[v] == 0)
		v = ir_arg(g, v, 0);
	return v;
}

/* Whether the last group that reads `x` may write `v`, its result, to the same memory: it reads
 * and writes element by element, or only writes a part of it anew. */
static bool may_replace(const struct check *c, ir_val x, ir_val v)
{
	const adze_graph *g = c->g;
	const struct ir_group *q = &c->group[g->group[v] - 1];
	bool update = q->root != 0 && g->node[q->root].op == OP_DYNAMIC_UPDATE_SLICE;
	if (!shape_same_extents(ir_type(g, x), ir_type(g, v)) ||
	    dtype_info(ir_type(g, x)->dtype)->bits != dtype_info(ir_type(g, v)->dtype)->bits ||
	    (q->root != 0 && (!update || q->nnode != 1)))
		return false;
	for (size_t k = 0; k < q->nnode; k++) {
		const struct ir_node *n = &g->node[q->node[k]];
		for (size_t i = 0; i < n->narg; i++) {
			ir_val a = g->arg[n->arg + i];
			if (behind(g, a) == x && (a != x || (update && i != 0)))
				return false;
		}
	}
	return true;
}

/* Whether `v` is an output that goes into input `at`. */
static bool replaces(const adze_graph *g, ir_val v, int64_t at)
{
	for (size_t i = 0; i < g->noutput; i++)
		if (g->output[i].value == v && g->output[i].into == g->input[at])
			return true;
	return false;
}

static const char *input_words(const struct check *c, ir_val v, int64_t at)
{
	const adze_graph *g = c->g;
	if (at < 0 || (uint64_t)at >= g->ninput || !replaces(g, v, at))
		return "it does not replace the input that it is placed in";
	ir_val x = g->input[at];
	if (c->last[x] > g->group[v])
		return "a later group still reads that input";
	return c->last[x] < g->group[v] || may_replace(c, x, v)
		       ? NULL
		       : "it overwrites an input that it still reads";
}

static const char *place_words(const struct check *c, ir_val v)
{
	const adze_graph *g = c->g;
	const struct ir_place *p = &g->place[v];
	uint32_t k = g->group[v];
	if (g->node[v].op == OP_INPUT)
		return p->kind == PLACE_INPUT && p->at == ir_input_index(g, v)
			       ? NULL
			       : "an input lies in its own memory";
	if (k == 0 || c->sink[k] != v)
		return p->kind == PLACE_NONE ? NULL : "it has a place, but nothing to put there";
	switch (p->kind) {
	case PLACE_NONE: return "the last of a group needs a place";
	case PLACE_ARENA:
		if (p->at < 0 || p->at % ARENA_ALIGN != 0)
			return "its place is no multiple of 64";
		return p->at <= g->arena_bytes &&
				       shape_bytes(ir_type(g, v)) <= g->arena_bytes - p->at
			       ? NULL
			       : "its place goes beyond the arena";
	case PLACE_OUTPUT:
		return p->at >= 0 && (uint64_t)p->at < g->noutput &&
				       g->output[p->at].value == v && g->output[p->at].into == 0
			       ? NULL
			       : "it is not the output that it is placed in";
	case PLACE_INPUT: return input_words(c, v, p->at);
	}
	return "there is no such place";
}

static bool overlap(const adze_graph *g, ir_val a, ir_val b)
{
	const struct ir_place *p = &g->place[a], *q = &g->place[b];
	int64_t na = shape_bytes(ir_type(g, a)), nb = shape_bytes(ir_type(g, b));
	return na > 0 && nb > 0 && p->at < q->at + nb && q->at < p->at + na;
}

/* Walks the groups in order; `live` lists the values in the arena that are still read. */
static adze_status check_overlaps(struct check *c, ir_val *live)
{
	const adze_graph *g = c->g;
	size_t n = 0;
	for (uint32_t k = 1; k <= c->ngroup; k++) {
		ir_val v = c->sink[k];
		size_t kept = 0;
		if (g->place[v].kind != PLACE_ARENA)
			continue;
		for (size_t i = 0; i < n; i++) {
			if (c->last[live[i]] < k)
				continue;
			bool over = c->last[live[i]] == k &&
				    g->place[live[i]].at == g->place[v].at &&
				    may_replace(c, live[i], v);
			if (!over && overlap(g, live[i], v))
				return bad_line(c, v, "its place holds a value that is still read");
			live[kept++] = live[i];
		}
		n = kept;
		live[n++] = v;
	}
	return ADZE_OK;
}

static adze_status check_planned(struct check *c)
{
	const adze_graph *g = c->g;
	if (g->place == NULL)
		return bad(c, "it has no places");
	if (g->arena_bytes < 0)
		return bad(c, "the size of its arena is negative");
	struct arena scratch;
	size_t ngroup;
	arena_init(&scratch, c->from);
	adze_status status = ADZE_OK;
	ir_val *live = arena_new(&scratch, (size_t)c->ngroup + 1, sizeof *live);
	if (live == NULL || !ir_groups(g, &scratch, &c->group, &ngroup))
		status = no_memory(c);
	else
		find_last(c);
	for (ir_val v = 1; status == ADZE_OK && v < g->nnode; v++) {
		const char *words = place_words(c, v);
		if (words != NULL)
			status = bad_line(c, v, words);
	}
	if (status == ADZE_OK)
		status = check_overlaps(c, live);
	arena_fini(&scratch);
	return status;
}

static adze_status check_columns(struct check *c)
{
	size_t n = c->g->nnode + 1;
	c->ready = mem_new(c->from, n, sizeof *c->ready);
	c->last = mem_new(c->from, n, sizeof *c->last);
	c->sink = mem_new(c->from, n, sizeof *c->sink);
	adze_status status = ADZE_OK;
	if (c->ready == NULL || c->last == NULL || c->sink == NULL)
		status = no_memory(c);
	if (status == ADZE_OK)
		status = check_grouped(c);
	if (status == ADZE_OK && c->g->stage >= STAGE_PLANNED)
		status = check_planned(c);
	mem_free(c->from, c->ready, n, sizeof *c->ready);
	mem_free(c->from, c->last, n, sizeof *c->last);
	mem_free(c->from, c->sink, n, sizeof *c->sink);
	return status;
}

static adze_status check_bodies(const struct check *c)
{
	const adze_graph *g = c->g;
	if (g->depth < 0 || g->depth > IR_MAX_DEPTH || (g->depth == IR_MAX_DEPTH && g->nbody > 0))
		return bad(c, "bodies within bodies go too deep");
	for (size_t i = 0; i < g->nbody; i++) {
		const adze_graph *b = g->body[i];
		if (b->stage != g->stage || b->depth != g->depth + 1)
			return bad(c, "a body is at another stage, or depth, than its graph");
		if (b->nweight > 0)
			return bad(c, "a body has weights: they are inputs of bodies");
		if (b->nsymbol > g->nsymbol ||
		    memcmp(b->symbol, g->symbol, (size_t)b->nsymbol * sizeof *b->symbol) != 0)
			return bad(c, "a body has other symbols than its graph");
		TRY(ir_verify(b, c->d));
	}
	return ADZE_OK;
}

adze_status ir_verify(const adze_graph *g, struct diag *d)
{
	struct check c = {.g = g, .from = g->arena.from, .d = d};
	if (g->diag.status != ADZE_OK)
		return fail(d, g->diag.status, "%s", g->diag.text);
	if (g->nnode == 0 || (unsigned)g->stage > STAGE_PLANNED)
		return bad(&c, "it is no graph");
	for (ir_val v = 1; v < g->nnode; v++)
		TRY(check_node(&c, v));
	TRY(check_bodies(&c));
	TRY(check_types(&c));
	TRY(check_parameters(&c));
	TRY(check_prepared(&c));
	TRY(check_inferred(&c));
	TRY(check_outputs(&c));
	return g->stage >= STAGE_GROUPED ? check_columns(&c) : ADZE_OK;
}
