/* SPDX-License-Identifier: Apache-2.0 */
#include "ir/report.h"

#include <inttypes.h>

const char *ir_reason_text(enum ir_reason why)
{
	static const char *const text[] = {
#define REASON(id, words) words,
#include "ir/reasons.def"
	};
	return text[why];
}

/* A report under way. */
struct filler {
	const adze_graph *g;
	struct ir_edge *edge;
	size_t nedge;
	uint32_t *reader; /* by value: the last group that was seen to read it */
};

/* Operand `slot` of a node in group `to`: what it is read from, and the edge where that is
 * another group's. */
static void read_operand(struct filler *f, uint32_t to, size_t slot, struct ir_group_report *q)
{
	const adze_graph *g = f->g;
	ir_val a = g->arg[slot];
	int64_t seen = shape_bytes(ir_type(g, a)), all;
	while (g->group[a] == 0 && (ir_class(g, a) == CLASS_VIEW || ir_is_read_narrow(g, a))) {
		slot = g->node[a].arg;
		a = g->arg[slot];
	}
	if (f->reader[a] == to || g->group[a] == to)
		return;
	f->reader[a] = to;
	all = shape_bytes(ir_type(g, a));
	q->read += all < seen ? all : seen;
	if (g->group[a] != 0)
		f->edge[f->nedge++] = (struct ir_edge){
			.from = g->group[a], .to = to, .value = a,
			.why = g->why != NULL ? (enum ir_reason)g->why[slot] : REASON_GIVEN};
}

static void fill_group(struct filler *f, uint32_t number, struct ir_group_report *q)
{
	const adze_graph *g = f->g;
	q->edge = f->edge + f->nedge;
	q->written = shape_bytes(ir_type(g, q->group->sink));
	for (size_t i = 0; i < q->group->nnode; i++) {
		ir_val v = q->group->node[i];
		if (v != q->group->sink)
			q->saved += shape_bytes(ir_type(g, v));
		for (size_t k = 0; k < g->node[v].narg; k++) {
			ir_val a = ir_arg(g, v, k);
			if (g->group[a] == number)
				q->saved += shape_bytes(ir_type(g, a));
			read_operand(f, number, g->node[v].arg + k, q);
		}
	}
	q->nedge = (size_t)(f->edge + f->nedge - q->edge);
}

bool ir_report_fill(const adze_graph *g, struct arena *arena, struct ir_report *out)
{
	struct filler f = {.g = g};
	struct ir_group *group;
	*out = (struct ir_report){.g = g};
	f.edge = arena_new(arena, g->narg + 1, sizeof *f.edge);
	f.reader = arena_new(arena, g->nnode, sizeof *f.reader);
	if (f.edge == NULL || f.reader == NULL || !ir_groups(g, arena, &group, &out->ngroup))
		return false;
	out->group = arena_new(arena, out->ngroup, sizeof *out->group);
	for (size_t i = 0; out->group != NULL && i < out->ngroup; i++) {
		struct ir_group_report *q = &out->group[i];
		q->group = &group[i];
		fill_group(&f, (uint32_t)i + 1, q);
		out->nnode += group[i].nnode;
		out->read += q->read;
		out->written += q->written;
		out->saved += q->saved;
	}
	return out->group != NULL;
}

static void print_bytes(const struct ir_group_report *q, struct text *out)
{
	text_add(out, "reads %" PRId64 ", writes %" PRId64 ", saves %" PRId64 "\n", q->read,
		 q->written, q->saved);
}

/* "prologue %2 mul %3 exp" */
static void print_side(const adze_graph *g, const char *name, const ir_val *v, size_t n,
		       struct text *out)
{
	if (n > 0)
		text_add(out, "\t%s", name);
	for (size_t i = 0; i < n; i++) {
		text_add(out, " ");
		ir_print_value(g, v[i], out);
		text_add(out, " %s", op_info((enum ir_op)g->node[v[i]].op)->name);
	}
	if (n > 0)
		text_add(out, "\n");
}

static void print_group(const adze_graph *g, uint32_t number, const struct ir_group_report *r,
			struct text *out)
{
	const struct ir_group *q = r->group;
	char type[SHAPE_TEXT];
	text_add(out, "group %" PRIu32 " ", number);
	ir_print_value(g, q->sink, out);
	text_add(out, ": %s; ", shape_print(ir_type(g, q->sink), type, sizeof type));
	print_bytes(r, out);
	print_side(g, "prologue", q->pro, q->npro, out);
	print_side(g, q->root != 0 && ir_class(g, q->root) == CLASS_VIEW ? "copy" : "root",
		   &q->root, q->root != 0, out);
	print_side(g, q->root != 0 ? "epilogue" : "element-wise", q->epi, q->nepi, out);
	for (size_t i = 0; i < r->nedge; i++) {
		const struct ir_edge *e = &r->edge[i];
		text_add(out, "\tapart from group %" PRIu32 " ", e->from);
		ir_print_value(g, e->value, out);
		text_add(out, ": %s\n", ir_reason_text(e->why));
	}
}

void ir_report_print(const adze_graph *g, struct text *out)
{
	struct arena scratch;
	struct ir_report r;
	arena_init(&scratch, g->arena.from);
	if (!ir_report_fill(g, &scratch, &r)) {
		out->failed = true;
		arena_fini(&scratch);
		return;
	}
	text_add(out, "%s %s: %zu operations in %zu groups; reads %" PRId64 ", writes %" PRId64
		      ", saves %" PRId64 " bytes\n",
		 g->depth > 0 ? "body" : "graph", g->name, r.nnode, r.ngroup, r.read, r.written,
		 r.saved);
	for (size_t i = 0; i < r.ngroup; i++)
		print_group(g, (uint32_t)i + 1, &r.group[i], out);
	arena_fini(&scratch);
	for (size_t i = 0; i < g->nbody; i++)
		ir_report_print(g->body[i], out);
}
