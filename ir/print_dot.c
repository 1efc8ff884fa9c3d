/* SPDX-License-Identifier: Apache-2.0
 *
 * The graph for Graphviz: a box for each node, a frame for each group and each body.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ir/graph.h"
#include "ir/lexeme.h"

/* `text` inside a quoted string of the dot language. */
static void print_escaped(const char *text, size_t len, struct text *out)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			text_bytes(out, "\\", 1);
		if (text[i] == '\n')
			text_bytes(out, "\\n", 2);
		else
			text_bytes(out, &text[i], 1);
	}
}

/* Names of boxes in bodies begin with the places of the bodies around them. */
#define PREFIX (IR_MAX_DEPTH * 22)

static void print_box(const adze_graph *g, const char *prefix, ir_val v, const char *indent,
		      struct text *out)
{
	const struct ir_node *n = &g->node[v];
	if (n->op == OP_NONE)
		return;
	bool parameter = n->op == OP_INPUT || n->op == OP_WEIGHT;
	char type[SHAPE_TEXT];
	text_add(out, "%s%sn%" PRIu32 " [label=\"", indent, prefix, v);
	if (parameter) {
		const char *name = IR_ATTRS(name, g, v)->name;
		print_escaped(name, strlen(name), out);
	} else {
		text_add(out, "%s", op_info((enum ir_op)n->op)->name);
	}
	text_add(out, "\\n%s\"%s];\n", shape_print(ir_type(g, v), type, sizeof type),
		 n->op == OP_WEIGHT ? ", style=filled"
		 : parameter        ? ", style=bold"
				    : "");
}

static uint32_t group_of(const adze_graph *g, ir_val v)
{
	return g->group != NULL && g->stage >= STAGE_GROUPED ? g->group[v] : 0;
}

/* The frames: values sorted by group by counting, so that it takes one pass. */
static bool print_groups(const adze_graph *g, const char *prefix, struct text *out)
{
	const adze_allocator *a = g->arena.from;
	size_t cap = g->nnode + 1;
	uint32_t *start = mem_new(a, cap + 1, sizeof *start), *list = mem_new(a, cap, sizeof *list);
	if (start != NULL && list != NULL) {
		for (ir_val v = 1; v < g->nnode; v++)
			if (group_of(g, v) < cap)
				start[group_of(g, v) + 1]++;
		for (size_t i = 1; i <= cap; i++)
			start[i] += start[i - 1];
		for (ir_val v = 1; v < g->nnode; v++)
			if (group_of(g, v) < cap)
				list[start[group_of(g, v)]++] = v;
		/* start[k] is now where group k ends. */
		for (size_t k = 1; k < cap; k++) {
			if (start[k] == start[k - 1])
				continue;
			text_add(out, "\tsubgraph cluster_%s%zu {\n\t\tlabel=\"%zu\";\n",
				 prefix, k, k);
			for (size_t i = start[k - 1]; i < start[k]; i++)
				print_box(g, prefix, list[i], "\t\t", out);
			text_add(out, "\t}\n");
		}
		for (size_t i = 0; i < start[0]; i++)
			print_box(g, prefix, list[i], "\t", out);
	}
	bool done = start != NULL && list != NULL;
	mem_free(a, start, cap + 1, sizeof *start);
	mem_free(a, list, cap, sizeof *list);
	return done;
}

static bool print_inside(const adze_graph *g, const char *prefix, struct text *out)
{
	char inner[PREFIX];
	bool done = print_groups(g, prefix, out);
	for (size_t i = 0; i < g->nbody && done; i++) {
		const adze_graph *b = g->body[i];
		snprintf(inner, sizeof inner, "%sb%zu_", prefix, i + 1);
		text_add(out, "\tsubgraph cluster_%s {\n\t\tlabel=\"", inner);
		print_escaped(b->name, strlen(b->name), out);
		text_add(out, "\";\n");
		done = print_inside(b, inner, out);
		text_add(out, "\t}\n");
	}
	for (ir_val v = 1; v < g->nnode; v++)
		for (size_t i = 0; i < g->node[v].narg; i++)
			text_add(out, "\t%sn%" PRIu32 " -> %sn%" PRIu32 ";\n", prefix,
				 ir_arg(g, v, i), prefix, v);
	for (size_t i = 0; i < g->noutput; i++) {
		text_add(out, "\t%so%zu [label=\"", prefix, i);
		print_escaped(g->output[i].name, strlen(g->output[i].name), out);
		text_add(out, "\", shape=ellipse];\n\t%sn%" PRIu32 " -> %so%zu;\n", prefix,
			 g->output[i].value, prefix, i);
	}
	return done;
}

void ir_print_dot(const adze_graph *g, struct text *out)
{
	text_add(out, "digraph \"");
	print_escaped(g->name, strlen(g->name), out);
	text_add(out, "\" {\n\tnode [shape=box];\n");
	if (!print_inside(g, "", out))
		out->failed = true;
	text_add(out, "}\n");
}
