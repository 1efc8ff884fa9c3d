/* SPDX-License-Identifier: Apache-2.0
 *
 * The graph for Graphviz: a box for each node, a frame for each group.
 */
#include <inttypes.h>
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

static void print_box(const adze_graph *g, ir_val v, const char *indent, struct text *out)
{
	const struct ir_node *n = &g->node[v];
	bool parameter = n->op == OP_INPUT || n->op == OP_WEIGHT;
	char type[SHAPE_TEXT];
	text_add(out, "%sn%" PRIu32 " [label=\"", indent, v);
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
static bool print_groups(const adze_graph *g, struct text *out)
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
			text_add(out, "\tsubgraph cluster_%zu {\n\t\tlabel=\"%zu\";\n", k, k);
			for (size_t i = start[k - 1]; i < start[k]; i++)
				print_box(g, list[i], "\t\t", out);
			text_add(out, "\t}\n");
		}
		for (size_t i = 0; i < start[0]; i++)
			print_box(g, list[i], "\t", out);
	}
	bool done = start != NULL && list != NULL;
	mem_free(a, start, cap + 1, sizeof *start);
	mem_free(a, list, cap, sizeof *list);
	return done;
}

void ir_print_dot(const adze_graph *g, struct text *out)
{
	text_add(out, "digraph \"");
	print_escaped(g->name, strlen(g->name), out);
	text_add(out, "\" {\n\tnode [shape=box];\n");
	if (!print_groups(g, out)) {
		out->failed = true;
		return;
	}
	for (ir_val v = 1; v < g->nnode; v++)
		for (size_t i = 0; i < g->node[v].narg; i++)
			text_add(out, "\tn%" PRIu32 " -> n%" PRIu32 ";\n", ir_arg(g, v, i), v);
	for (size_t i = 0; i < g->noutput; i++) {
		text_add(out, "\to%zu [label=\"", i);
		print_escaped(g->output[i].name, strlen(g->output[i].name), out);
		text_add(out, "\", shape=ellipse];\n\tn%" PRIu32 " -> o%zu;\n", g->output[i].value,
			 i);
	}
	text_add(out, "}\n");
}
