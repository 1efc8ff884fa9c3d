/* SPDX-License-Identifier: Apache-2.0
 *
 * The canonical text of a graph: docs/ir.md. What parse.c leaves out or fills in by itself
 * is left out here.
 */
#include <inttypes.h>
#include <string.h>

#include "ir/graph.h"
#include "ir/lexeme.h"

/* Longer heads get a line for each parameter. */
#define HEAD_COLUMNS 100
/* Longer constants are printed as bytes. */
#define ELEMENTS_PRINTED 64

static bool is_parameter(const adze_graph *g, ir_val v)
{
	return g->node[v].op == OP_INPUT || g->node[v].op == OP_WEIGHT;
}

/* Parameters stand in the head, and what moved into a body there. */
static bool has_line(const adze_graph *g, ir_val v)
{
	return !is_parameter(g, v) && g->node[v].op != OP_NONE;
}

/* Nodes that have a line count from 1. */
static size_t number_of(const adze_graph *g, ir_val v)
{
	size_t n = 0;
	for (ir_val i = 1; i <= v; i++)
		n += has_line(g, i);
	return n;
}

/* `number` NULL: counted here. */
static void print_value(const adze_graph *g, const uint32_t *number, ir_val v, struct text *out)
{
	text_bytes(out, "%", 1);
	if (is_parameter(g, v))
		lex_print_name(out, IR_ATTRS(name, g, v)->name);
	else
		text_add(out, "%zu", number != NULL ? number[v] : number_of(g, v));
}

static void print_type(const adze_shape *type, struct text *out)
{
	char text[SHAPE_TEXT];
	text_add(out, "%s", shape_print(type, text, sizeof text));
}

static void print_dims(const struct ir_dims *d, struct text *out)
{
	text_bytes(out, "[", 1);
	for (int i = 0; i < d->n; i++)
		text_add(out, "%s%" PRId64, i > 0 ? ", " : "", d->at[i]);
	text_bytes(out, "]", 1);
}

/* {1, 2.5}; false, and nothing is printed, where that would not say it all. */
static bool print_elements(const struct ir_data *d, const adze_shape *type, struct text *out)
{
	size_t n = (size_t)shape_count(type), start = out->len;
	char number[LEX_NUMBER];
	if (n > ELEMENTS_PRINTED)
		return false;
	text_bytes(out, "{", 1);
	for (size_t i = 0; i < n; i++) {
		if (!lex_print_element(type->dtype, d->bytes, i, number)) {
			out->len = start;
			return false;
		}
		text_add(out, "%s%s", i > 0 ? ", " : "", number);
	}
	text_bytes(out, "}", 1);
	return true;
}

static void print_data(const struct ir_data *d, const adze_shape *type, struct text *out)
{
	static const char digit[] = "0123456789abcdef";
	const unsigned char *bytes = d->bytes;
	size_t size = dtype_bytes(dtype_part(type->dtype));
	const uint16_t one = 1;
	bool swap = *(const unsigned char *)&one == 0; /* the text is little-endian */
	if (print_elements(d, type, out))
		return;
	text_bytes(out, "hex\"", 4);
	for (size_t i = 0; i < d->len; i++) {
		size_t within = i % size;
		unsigned char b = bytes[swap ? i - within + (size - 1 - within) : i];
		char two[2] = {digit[b >> 4], digit[b & 15]};
		text_bytes(out, two, 2);
	}
	text_bytes(out, "\"", 1);
}

/* Whether the field says nothing: 0, empty, add. */
static bool is_empty(const struct attr_field *f, const void *at)
{
	const ir_attr_FLOAT zero = 0; /* not -0, which says something */
	switch (f->kind) {
	case ATTR_INT: return *(const ir_attr_INT *)at == 0;
	case ATTR_FLOAT: return memcmp(at, &zero, sizeof zero) == 0;
	case ATTR_EWFN: return *(const ir_attr_EWFN *)at == EW_ADD;
	case ATTR_BLOCK: return *(const ir_attr_BLOCK *)at == BLOCK_NONE;
	case ATTR_DIMS: return ((const ir_attr_DIMS *)at)->n == 0;
	case ATTR_NAME: return true; /* a parameter's, which stands before the ':' */
	case ATTR_DATA: return false;
	case ATTR_BODY: return *(const ir_attr_BODY *)at == 0;
	case ATTR_BODIES: return ((const ir_attr_BODIES *)at)->n == 0;
	}
	return true;
}

static void print_bodies(const adze_graph *g, const struct ir_bodies *b, struct text *out)
{
	text_bytes(out, "[", 1);
	for (int i = 0; i < b->n; i++) {
		text_add(out, "%s", i > 0 ? ", " : "");
		lex_print_name(out, ir_body(g, b->at[i])->name);
	}
	text_bytes(out, "]", 1);
}

static void print_field(const adze_graph *g, const struct attr_field *f, const void *at,
			const adze_shape *type, struct text *out)
{
	char number[LEX_NUMBER];
	if (f->kind == ATTR_DATA) {
		print_data(at, type, out);
		return;
	}
	text_add(out, "%s=", f->name);
	switch (f->kind) {
	case ATTR_INT: text_add(out, "%" PRId64, *(const ir_attr_INT *)at); break;
	case ATTR_FLOAT:
		lex_print_float(*(const ir_attr_FLOAT *)at, number);
		text_add(out, "%s", number);
		break;
	case ATTR_EWFN: text_add(out, "%s", ew_info(*(const ir_attr_EWFN *)at)->name); break;
	case ATTR_BLOCK: text_add(out, "%s", block_format(*(const ir_attr_BLOCK *)at)->name); break;
	case ATTR_DIMS: print_dims(at, out); break;
	case ATTR_BODY: lex_print_name(out, ir_body(g, *(const ir_attr_BODY *)at)->name); break;
	case ATTR_BODIES: print_bodies(g, at, out); break;
	case ATTR_NAME:
	case ATTR_DATA: break;
	}
}

static void print_place(const struct ir_place *p, struct text *out)
{
	static const char letter[] = {
		[PLACE_ARENA] = 'a', [PLACE_OUTPUT] = 'o', [PLACE_INPUT] = 'i'};
	if (p->kind != PLACE_NONE)
		text_add(out, " ^%c%" PRId64, letter[p->kind], p->at);
}

static void print_columns(const adze_graph *g, ir_val v, struct text *out)
{
	if (g->group != NULL && g->stage >= STAGE_GROUPED && g->group[v] != 0)
		text_add(out, " @%" PRIu32, g->group[v]);
	if (g->place != NULL && g->stage >= STAGE_PLANNED)
		print_place(&g->place[v], out);
}

static void print_parameter(const adze_graph *g, ir_val v, struct text *out)
{
	print_value(g, NULL, v, out);
	text_add(out, ": %s", g->node[v].op == OP_WEIGHT ? "weight " : "");
	print_type(ir_type(g, v), out);
	if (g->place == NULL || g->stage < STAGE_PLANNED)
		return;
	/* An input lies in its own memory: parse.c fills that in. */
	const struct ir_place *p = &g->place[v];
	int own = ir_input_index(g, v);
	if (own < 0 || p->kind != PLACE_INPUT || p->at != own)
		print_place(p, out);
}

static void print_node(const adze_graph *g, const uint32_t *number, ir_val v, struct text *out)
{
	const struct ir_node *n = &g->node[v];
	const struct op_info *info = op_info((enum ir_op)n->op);
	const char *between = " ";
	print_value(g, number, v, out);
	text_add(out, " = %s", info->name);
	for (size_t i = 0; i < n->narg; i++, between = ", ") {
		text_add(out, "%s", between);
		print_value(g, number, ir_arg(g, v, i), out);
	}
	for (int i = 0; n->attrs != NULL && i < info->attrs->nfield; i++) {
		const struct attr_field *f = &info->attrs->field[i];
		const void *at = (const char *)n->attrs + f->offset;
		if (is_empty(f, at))
			continue;
		text_add(out, "%s", between);
		print_field(g, f, at, ir_type(g, v), out);
		between = ", ";
	}
	text_add(out, " : ");
	print_type(ir_type(g, v), out);
	print_columns(g, v, out);
}

static void print_parameters(const adze_graph *g, const char *between, struct text *out)
{
	for (size_t i = 0; i < g->ninput + g->nweight; i++) {
		text_add(out, "%s", i > 0 || between[1] != ' ' ? between + (i == 0) : "");
		print_parameter(g, i < g->ninput ? g->input[i] : g->weight[i - g->ninput], out);
	}
}

static void print_head(const adze_graph *g, struct text *out)
{
	size_t start = out->len;
	text_add(out, "%s ", g->depth > 0 ? "body" : "graph");
	lex_print_name(out, g->name);
	text_add(out, "(");
	size_t list = out->len;
	print_parameters(g, ", ", out);
	if (out->len - start > HEAD_COLUMNS) {
		out->len = list;
		print_parameters(g, ",\n\t\t", out);
	}
	text_add(out, ")");
	if (g->stage != STAGE_GRAPH && g->depth == 0)
		text_add(out, " stage=%s", ir_stage_name(g->stage));
	if (g->stage >= STAGE_PLANNED)
		text_add(out, " arena=%" PRId64, g->arena_bytes);
	text_add(out, " {\n");
}

static void print_indent(int depth, struct text *out)
{
	for (int i = 0; i < depth; i++)
		text_bytes(out, "\t", 1);
}

static void print_outputs(const adze_graph *g, const uint32_t *number, struct text *out)
{
	print_indent(g->depth + 1, out);
	text_add(out, "return");
	for (size_t i = 0; i < g->noutput; i++) {
		const struct ir_output *o = &g->output[i];
		text_add(out, i > 0 ? ", " : " ");
		lex_print_name(out, o->name);
		text_add(out, "=");
		print_value(g, number, o->value, out);
		if (o->into == 0)
			continue;
		text_add(out, " into ");
		print_value(g, number, o->into, out);
	}
	text_add(out, "\n");
	print_indent(g->depth, out);
	text_add(out, "}\n");
}

void ir_print(const adze_graph *g, struct text *out)
{
	uint32_t *number = mem_new(g->arena.from, g->nnode, sizeof *number), n = 0;
	if (number == NULL) {
		out->failed = true;
		return;
	}
	print_indent(g->depth, out);
	print_head(g, out);
	for (size_t i = 0; i < g->nbody; i++)
		ir_print(g->body[i], out);
	for (ir_val v = 1; v < g->nnode; v++)
		if (has_line(g, v))
			number[v] = ++n;
	for (ir_val v = 1; v < g->nnode; v++) {
		if (!has_line(g, v))
			continue;
		print_indent(g->depth + 1, out);
		print_node(g, number, v, out);
		text_add(out, "\n");
	}
	print_outputs(g, number, out);
	mem_free(g->arena.from, number, g->nnode, sizeof *number);
}

void ir_print_value(const adze_graph *g, ir_val v, struct text *out)
{
	print_value(g, NULL, v, out);
}

void ir_print_node(const adze_graph *g, ir_val v, struct text *out)
{
	if (is_parameter(g, v))
		print_parameter(g, v, out);
	else
		print_node(g, NULL, v, out);
}
