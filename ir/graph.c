/* SPDX-License-Identifier: Apache-2.0 */
#include "ir/graph.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fpmode.h"
#include "base/hash.h"

#define NODE_LIMIT ((size_t)1 << 24)

static bool grow(adze_graph *g, void *array, size_t *cap, size_t need, size_t size)
{
	void *at;
	memcpy(&at, array, sizeof at);
	if (!mem_grow(g->arena.from, &at, cap, need, size)) {
		fail(&g->diag, ADZE_E_NOMEM, "no memory for the graph");
		return false;
	}
	memcpy(array, &at, sizeof at);
	return true;
}

adze_graph *ir_graph_create(const adze_allocator *a, const char *name)
{
	adze_graph *g = mem_new(a, 1, sizeof *g);
	if (g == NULL)
		return NULL;
	arena_init(&g->arena, a);
	if (name == NULL || name[0] == '\0')
		name = "graph";
	g->name = arena_text(&g->arena, name, strlen(name));
	if (g->name == NULL || !grow(g, &g->node, &g->node_cap, 1, sizeof *g->node) ||
	    !grow(g, &g->type, &g->type_cap, 1, sizeof *g->type) ||
	    !grow(g, &g->arg, &g->arg_cap, 1, sizeof *g->arg) ||
	    !grow(g, &g->where, &g->where_cap, 1, sizeof *g->where)) {
		ir_graph_destroy(g);
		return NULL;
	}
	g->nnode = g->ntype = g->nwhere = 1;
	return g;
}

void ir_graph_destroy(adze_graph *g)
{
	if (g == NULL)
		return;
	const adze_allocator *a = g->arena.from;
	mem_free(a, g->node, g->node_cap, sizeof *g->node);
	mem_free(a, g->arg, g->arg_cap, sizeof *g->arg);
	mem_free(a, g->type, g->type_cap, sizeof *g->type);
	mem_free(a, g->where, g->where_cap, sizeof *g->where);
	mem_free(a, g->input, g->input_cap, sizeof *g->input);
	mem_free(a, g->weight, g->weight_cap, sizeof *g->weight);
	mem_free(a, g->output, g->output_cap, sizeof *g->output);
	for (size_t i = 0; i < g->nbody; i++)
		ir_graph_destroy(g->body[i]);
	mem_free(a, g->body, g->body_cap, sizeof *g->body);
	table_fini(&g->nodes, a);
	table_fini(&g->types, a);
	table_fini(&g->parameters, a);
	table_fini(&g->outputs, a);
	arena_fini(&g->arena);
	mem_free(a, g, 1, sizeof *g);
}

void ir_at(adze_graph *g, const char *file, int line, int column)
{
	const char *kept = g->at.file;
	if (file == NULL)
		kept = NULL;
	else if (kept == NULL || strcmp(kept, file) != 0)
		kept = arena_text(&g->arena, file, strlen(file));
	g->at = (struct ir_where){kept, line, column};
}

adze_status ir_fail(adze_graph *g, const struct ir_where *where, adze_status status,
		    const char *format, ...)
{
	char words[DIAG_BYTES / 2];
	va_list args;
	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);
	if (where == NULL || where->file == NULL)
		return fail(&g->diag, status, "%s", words);
	if (where->column > 0)
		return fail(&g->diag, status, "%.400s:%d:%d: %s", where->file, where->line,
			    where->column, words);
	return fail(&g->diag, status, "%.400s:%d: %s", where->file, where->line, words);
}

int ir_symbol_find(const adze_graph *g, const char *name)
{
	for (int i = 0; i < g->nsymbol; i++)
		if (strcmp(g->symbol[i].name, name) == 0)
			return i;
	return -1;
}

/* Notes the symbol of `dim`; a name has one bound in a graph. */
static adze_status add_symbol(adze_graph *g, const adze_dim *dim, const struct ir_where *where)
{
	int64_t bound = dim->size / dim->scale;
	int i = ir_symbol_find(g, dim->symbol);
	if (i < 0 && g->parent != NULL) {
		/* Its table stays the beginning of its parent's: a call gives symbols by place. */
		memcpy(g->symbol, g->parent->symbol, sizeof g->symbol);
		g->nsymbol = g->parent->nsymbol;
		i = ir_symbol_find(g, dim->symbol);
		if (i < 0)
			return ir_fail(g, where, ADZE_E_TYPE,
				       "symbol '%s' stands in a body, but not around it",
				       dim->symbol);
	}
	if (i >= 0 && g->symbol[i].bound != bound)
		return ir_fail(g, where, ADZE_E_TYPE,
			       "symbol '%s' has the bounds %" PRId64 " and %" PRId64, dim->symbol,
			       g->symbol[i].bound, bound);
	if (i >= 0)
		return ADZE_OK;
	if (g->nsymbol == ADZE_MAX_SYMBOLS)
		return ir_fail(g, where, ADZE_E_LIMIT, "more than %d symbols", ADZE_MAX_SYMBOLS);
	memcpy(g->symbol[g->nsymbol].name, dim->symbol, ADZE_MAX_AXIS);
	g->symbol[g->nsymbol++].bound = bound;
	return ADZE_OK;
}

uint32_t ir_intern(adze_graph *g, const adze_shape *type, const struct ir_where *where)
{
	struct diag d = {ADZE_OK, ""};
	if (shape_check(type, &d) != ADZE_OK) {
		ir_fail(g, where, d.status, "%s", d.text);
		return 0;
	}
	adze_shape clean; /* text and padding without leftovers, so that bytes compare */
	memset(&clean, 0, sizeof clean);
	clean.dtype = type->dtype;
	clean.rank = type->rank;
	for (int i = 0; i < type->rank; i++) {
		clean.dim[i].size = type->dim[i].size;
		clean.dim[i].scale = dim_is_static(&type->dim[i]) ? 1 : type->dim[i].scale;
		strcpy(clean.dim[i].name, type->dim[i].name);
		strcpy(clean.dim[i].symbol, type->dim[i].symbol);
		if (!dim_is_static(&clean.dim[i]) &&
		    add_symbol(g, &clean.dim[i], where) != ADZE_OK)
			return 0;
	}
	size_t used = offsetof(adze_shape, dim) + (size_t)clean.rank * sizeof(adze_dim);
	uint64_t hash = hash_bytes(&clean, used);
	uint32_t id;
	for (size_t at = 0; (id = table_next(&g->types, hash, &at)) != 0;)
		if (memcmp(&g->type[id], &clean, used) == 0)
			return id;
	if (!grow(g, &g->type, &g->type_cap, g->ntype + 1, sizeof *g->type))
		return 0;
	id = (uint32_t)g->ntype;
	if (!table_add(&g->types, g->arena.from, hash, id)) {
		fail(&g->diag, ADZE_E_NOMEM, "no memory for the graph");
		return 0;
	}
	g->type[id] = clean;
	g->ntype++;
	return id;
}

/* A copy of `attrs` with what it points to, all in the arena. */
static const void *keep_attrs(adze_graph *g, const struct attr_schema *s, const void *attrs)
{
	char *copy = arena_new(&g->arena, 1, s->bytes);
	if (copy == NULL)
		return NULL;
	memcpy(copy, attrs, s->bytes);
	for (int i = 0; i < s->nfield; i++) {
		void *at = copy + s->field[i].offset;
		if (s->field[i].kind == ATTR_NAME) {
			ir_attr_NAME *name = at;
			*name = arena_text(&g->arena, *name, strlen(*name));
			if (*name == NULL)
				return NULL;
		} else if (s->field[i].kind == ATTR_DATA) {
			struct ir_data *d = at;
			d->bytes = arena_text(&g->arena, d->bytes, d->len);
			if (d->bytes == NULL)
				return NULL;
		}
	}
	return copy;
}

static uint64_t node_hash(enum ir_op op, const ir_val *args, size_t narg, const void *attrs,
			  uint32_t type)
{
	uint64_t h = hash_bytes(args, narg * sizeof *args);
	h = (h ^ attrs_hash(op_info(op)->attrs, attrs)) * 0x9e3779b97f4a7c15u;
	return h ^ ((uint64_t)op << 32 | type) * 0xd6e8feb86659fd93u;
}

static bool node_is(const adze_graph *g, ir_val v, enum ir_op op, const ir_val *args, size_t narg,
		    const void *attrs, uint32_t type)
{
	const struct ir_node *n = &g->node[v];
	return n->op == op && n->narg == narg && n->type == type &&
	       (narg == 0 || memcmp(g->arg + n->arg, args, narg * sizeof *args) == 0) &&
	       attrs_equal(op_info(op)->attrs, n->attrs, attrs);
}

static uint32_t keep_where(adze_graph *g)
{
	if (g->at.file == NULL)
		return 0;
	const struct ir_where *last = &g->where[g->nwhere - 1];
	if (memcmp(last, &g->at, sizeof *last) == 0)
		return (uint32_t)(g->nwhere - 1);
	if (!grow(g, &g->where, &g->where_cap, g->nwhere + 1, sizeof *g->where))
		return 0;
	g->where[g->nwhere] = g->at;
	return (uint32_t)g->nwhere++;
}

static ir_val append(adze_graph *g, enum ir_op op, const ir_val *args, size_t narg,
		     const void *attrs, uint32_t type)
{
	if (g->nnode >= NODE_LIMIT) {
		ir_fail(g, &g->at, ADZE_E_LIMIT, "more than %zu nodes", NODE_LIMIT);
		return 0;
	}
	if (!grow(g, &g->node, &g->node_cap, g->nnode + 1, sizeof *g->node) ||
	    !grow(g, &g->arg, &g->arg_cap, g->narg + narg, sizeof *g->arg))
		return 0;
	const struct attr_schema *schema = op_info(op)->attrs;
	const void *kept = NULL;
	if (schema->nfield > 0 && (kept = keep_attrs(g, schema, attrs)) == NULL) {
		fail(&g->diag, ADZE_E_NOMEM, "no memory for the graph");
		return 0;
	}
	ir_val v = (ir_val)g->nnode;
	g->node[v] = (struct ir_node){(uint16_t)op,        (uint16_t)narg, type,
				      (uint32_t)g->narg, keep_where(g),  kept};
	if (narg > 0)
		memcpy(g->arg + g->narg, args, narg * sizeof *args);
	g->narg += narg;
	g->nnode++;
	return v;
}

static ir_val fail_value(adze_graph *g, adze_status status, const char *words, enum ir_op op)
{
	ir_fail(g, &g->at, status, "%s: %s", op_info(op)->name, words);
	return 0;
}

ir_val ir_emit(adze_graph *g, enum ir_op op, const ir_val *args, size_t narg,
	       const void *attrs, const adze_shape *declared)
{
	if (g->diag.status != ADZE_OK)
		return 0;
	const struct op_info *info = op_info(op);
	if (narg < info->min_args || narg > info->max_args)
		return fail_value(g, ADZE_E_ARGUMENT, "wrong number of operands", op);
	for (size_t i = 0; i < narg; i++)
		if (args[i] == 0 || args[i] >= g->nnode || g->node[args[i]].op == OP_NONE)
			return fail_value(g, ADZE_E_ARGUMENT, "an operand is no value", op);
	if (info->attrs->nfield > 0 && attrs == NULL)
		return fail_value(g, ADZE_E_ARGUMENT, "lacks its attributes", op);
	if ((info->flags & OP_DECLARED) && declared == NULL)
		return fail_value(g, ADZE_E_TYPE, "the type of its result must be written", op);
	adze_shape type;
	if (ir_infer(g, op, args, narg, attrs, declared, &type) != ADZE_OK)
		return 0;
	uint32_t t = ir_intern(g, &type, &g->at);
	if (t == 0)
		return 0;
	const void *said = info->attrs->nfield > 0 ? attrs : NULL;
	uint64_t hash = node_hash(op, args, narg, said, t);
	ir_val v;
	for (size_t at = 0; (v = table_next(&g->nodes, hash, &at)) != 0;)
		if (node_is(g, v, op, args, narg, said, t))
			return v;
	v = append(g, op, args, narg, said, t);
	if (v != 0 && !table_add(&g->nodes, g->arena.from, hash, v))
		return fail_value(g, ADZE_E_NOMEM, "no memory for the graph", op);
	return v;
}

ir_val ir_emit1(adze_graph *g, enum ir_op op, ir_val x, const void *attrs,
		const adze_shape *declared)
{
	return ir_emit(g, op, &x, 1, attrs, declared);
}

ir_val ir_emit2(adze_graph *g, enum ir_op op, ir_val x, ir_val y, const void *attrs)
{
	ir_val args[2] = {x, y};
	return ir_emit(g, op, args, 2, attrs, NULL);
}

static ir_val find_parameter(const adze_graph *g, const char *name, uint64_t hash)
{
	ir_val v;
	for (size_t at = 0; (v = table_next(&g->parameters, hash, &at)) != 0;)
		if (strcmp(IR_ATTRS(name, g, v)->name, name) == 0)
			return v;
	return 0;
}

static ir_val parameter(adze_graph *g, enum ir_op op, const char *name, const adze_shape *type)
{
	if (g->diag.status != ADZE_OK)
		return 0;
	if (name == NULL || name[0] == '\0')
		return fail_value(g, ADZE_E_ARGUMENT, "has no name", op);
	uint64_t hash = hash_bytes(name, strlen(name));
	if (find_parameter(g, name, hash) != 0) {
		ir_fail(g, &g->at, ADZE_E_ARGUMENT, "%s: '%s' is there already",
			op_info(op)->name, name);
		return 0;
	}
	if (op == OP_WEIGHT && g->depth > 0) {
		ir_fail(g, &g->at, ADZE_E_ARGUMENT, "weight: '%s': a body has no weights; give it "
			"the value as an input", name);
		return 0;
	}
	if (op == OP_WEIGHT && !shape_is_static(type)) {
		ir_fail(g, &g->at, ADZE_E_TYPE, "weight: '%s' has a symbol, but is bound before "
			"any call", name);
		return 0;
	}
	struct attrs_name attrs = {.name = name};
	ir_val v = ir_emit(g, op, NULL, 0, &attrs, type);
	bool input = op == OP_INPUT;
	size_t n = input ? g->ninput : g->nweight;
	if (v == 0 || !grow(g, input ? &g->input : &g->weight,
			    input ? &g->input_cap : &g->weight_cap, n + 1, sizeof(ir_val)))
		return 0;
	if (!table_add(&g->parameters, g->arena.from, hash, v))
		return fail_value(g, ADZE_E_NOMEM, "no memory for the graph", op);
	g->node[v].arg = (uint32_t)n;
	if (input)
		g->input[g->ninput++] = v;
	else
		g->weight[g->nweight++] = v;
	return v;
}

ir_val ir_input(adze_graph *g, const char *name, const adze_shape *type)
{
	return parameter(g, OP_INPUT, name, type);
}

ir_val ir_weight(adze_graph *g, const char *name, const adze_shape *type)
{
	return parameter(g, OP_WEIGHT, name, type);
}

ir_val ir_const(adze_graph *g, const adze_shape *type, const void *bytes)
{
	struct diag d = {ADZE_OK, ""};
	if (g->diag.status == ADZE_OK && shape_check(type, &d) != ADZE_OK) {
		ir_fail(g, &g->at, d.status, "const: %s", d.text);
		return 0;
	}
	if (g->diag.status != ADZE_OK)
		return 0;
	struct attrs_data attrs = {.data = {bytes, (size_t)shape_bytes(type)}};
	return ir_emit(g, OP_CONST, NULL, 0, &attrs, type);
}

ir_val ir_scalar(adze_graph *g, adze_dtype dtype, double v)
{
	uint64_t bytes[2] = {0, 0};
	adze_shape type = shape_make(dtype, 0, NULL);
	fp_mode mode = fp_mode_enter();
	if (dtype_is_float(dtype))
		dtype_store_float(dtype, bytes, 0, v);
	else
		dtype_convert(dtype, bytes, ADZE_F64, &v, 0);
	fp_mode_leave(mode);
	return ir_const(g, &type, bytes);
}

void ir_output(adze_graph *g, const char *name, ir_val value, ir_val into)
{
	if (g->diag.status != ADZE_OK)
		return;
	if (value == 0 || value >= g->nnode || name == NULL || name[0] == '\0') {
		ir_fail(g, &g->at, ADZE_E_ARGUMENT, "an output needs a name and a value");
		return;
	}
	uint64_t hash = hash_bytes(name, strlen(name));
	uint32_t k;
	for (size_t at = 0; (k = table_next(&g->outputs, hash, &at)) != 0;)
		if (strcmp(g->output[k - 1].name, name) == 0) {
			ir_fail(g, &g->at, ADZE_E_ARGUMENT, "output '%s' is there already", name);
			return;
		}
	for (size_t i = 0; into != 0 && i < g->noutput; i++)
		if (g->output[i].into == into) {
			ir_fail(g, &g->at, ADZE_E_ARGUMENT,
				"output '%s': its input is given to another output", name);
			return;
		}
	if (into != 0) {
		const adze_shape *have = ir_type(g, value);
		if (ir_input_index(g, into) < 0 || have->dtype != ir_type(g, into)->dtype ||
		    !shape_same_extents(have, ir_type(g, into))) {
			char a[SHAPE_TEXT], b[SHAPE_TEXT];
			ir_fail(g, &g->at, ADZE_E_TYPE,
				"output '%s' of %s cannot take the place of %s", name,
				shape_print(have, a, sizeof a),
				shape_print(ir_type(g, into), b, sizeof b));
			return;
		}
	}
	char *kept = arena_text(&g->arena, name, strlen(name));
	if (kept == NULL ||
	    !grow(g, &g->output, &g->output_cap, g->noutput + 1, sizeof *g->output) ||
	    !table_add(&g->outputs, g->arena.from, hash, (uint32_t)g->noutput + 1)) {
		fail(&g->diag, ADZE_E_NOMEM, "no memory for the graph");
		return;
	}
	g->output[g->noutput++] = (struct ir_output){kept, value, into};
}

int ir_input_index(const adze_graph *g, ir_val v)
{
	return g->node[v].op == OP_INPUT ? (int)g->node[v].arg : -1;
}

int ir_weight_index(const adze_graph *g, ir_val v)
{
	if (g->node[v].op == OP_PREPARED)
		return (int)(g->nweight + (size_t)IR_ATTRS(prepared, g, v)->index);
	return g->node[v].op == OP_WEIGHT ? (int)g->node[v].arg : -1;
}

bool ir_is_given(const adze_graph *g, ir_val v)
{
	enum ir_op op = (enum ir_op)g->node[v].op;
	return op == OP_INPUT || op == OP_WEIGHT || op == OP_CONST || op == OP_PREPARED;
}

size_t ir_prepared(const adze_graph *g, ir_val *out)
{
	size_t n = 0;
	for (ir_val v = 1; v < g->nnode; v++) {
		if (g->node[v].op != OP_PREPARED)
			continue;
		if (out != NULL)
			out[IR_ATTRS(prepared, g, v)->index] = v;
		n++;
	}
	return n;
}

int64_t ir_extent(const adze_graph *g, const adze_dim *dim, const int64_t *symbol)
{
	if (dim_is_static(dim))
		return dim->size;
	int i = ir_symbol_find(g, dim->symbol);
	return dim->scale * (symbol != NULL && i >= 0 ? symbol[i] : dim->size / dim->scale);
}

uint32_t *ir_count_uses(const adze_graph *g)
{
	uint32_t *uses = mem_new(g->arena.from, g->nnode, sizeof *uses);
	for (ir_val v = 1; uses != NULL && v < g->nnode; v++)
		for (size_t i = 0; i < g->node[v].narg; i++)
			uses[ir_arg(g, v, i)]++;
	for (size_t i = 0; uses != NULL && i < g->noutput; i++)
		uses[g->output[i].value]++;
	return uses;
}
