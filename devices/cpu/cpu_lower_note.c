/* SPDX-License-Identifier: Apache-2.0
 *
 * What a step is in the graph, for people: the value it makes, its operations, its source line.
 */
#include <stdio.h>
#include <string.h>

#include "devices/cpu/cpu_lower.h"

/* Of operations that are named. */
#define WHAT 96

/* The number that the text of the graph gives a value, as print.c counts. */
static size_t line_of(struct lowerer *l, ir_val v)
{
	const adze_graph *g = l->g;
	if (l->noted.g != g || l->noted.v > v) {
		l->noted.g = g;
		l->noted.v = 0;
		l->noted.line = 0;
	}
	while (l->noted.v < v) {
		uint16_t op = g->node[++l->noted.v].op;
		l->noted.line += op != OP_INPUT && op != OP_WEIGHT && op != OP_NONE;
	}
	return l->noted.line;
}

static const char *value_of(struct lowerer *l, ir_val sink)
{
	char number[32];
	for (size_t i = 0; i < l->g->noutput; i++)
		if (l->g->output[i].value == sink)
			return l->g->output[i].name;
	int n = snprintf(number, sizeof number, "%%%zu", line_of(l, sink));
	return arena_text(l->arena, number, (size_t)n);
}

/* "dot+add+gelu", and "..." where there are more. */
static const char *operations_of(struct lowerer *l)
{
	char what[WHAT + 8] = "";
	size_t len = 0;
	for (size_t i = 0; i < l->group->nnode; i++) {
		const char *name = op_info((enum ir_op)l->g->node[l->group->node[i]].op)->name;
		size_t n = strlen(name);
		if (len + n + 1 > WHAT) {
			memcpy(what + len, "...", 4);
			len += 3;
			break;
		}
		if (len > 0)
			what[len++] = '+';
		memcpy(what + len, name, n);
		len += n;
	}
	return arena_text(l->arena, what, len);
}

adze_status lower_note(struct lowerer *l, struct cpu_step *s)
{
	if (l->group_number == 0) { /* outputs that are copied to their place */
		s->note = (struct cpu_note){"", "copy", "", 0};
		return ADZE_OK;
	}
	ir_val sink = l->group->sink, root = l->group->root != 0 ? l->group->root : sink;
	const struct ir_where *where = &l->g->where[l->g->node[root].where];
	const char *file = where->file != NULL ? where->file : "", *slash = strrchr(file, '/');
	if (slash != NULL)
		file = slash + 1;
	s->note.value = value_of(l, sink);
	s->note.what = operations_of(l);
	s->note.file = arena_text(l->arena, file, strlen(file));
	s->note.line = where->line;
	return s->note.value != NULL && s->note.what != NULL && s->note.file != NULL
		       ? ADZE_OK
		       : lower_no_memory(l);
}
