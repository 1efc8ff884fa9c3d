/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies, the sub-graphs of operations, and packs, the results of those that have several.
 */
#include <stdio.h>
#include <string.h>

#include "ir/infer.h"

#define PACK_ALIGN 64

int64_t ir_body_find(const adze_graph *g, const char *name, size_t len)
{
	for (size_t i = 0; i < g->nbody; i++)
		if (strlen(g->body[i]->name) == len && memcmp(g->body[i]->name, name, len) == 0)
			return (int64_t)i + 1;
	return 0;
}

/* `name`, or name.2 and so on where that is taken; "body" where there is none. */
static const char *make_name(const adze_graph *g, const char *name, char *room, size_t cap)
{
	const char *stem = name != NULL && name[0] != '\0' ? name : "body";
	int n = snprintf(room, cap, "%.100s", stem);
	for (int k = 2; ir_body_find(g, room, (size_t)n) != 0; k++)
		n = snprintf(room, cap, "%.100s.%d", stem, k);
	return room;
}

bool ir_has_body(const adze_graph *g, ir_val v, int64_t number)
{
	const struct ir_node *n = ir_get(g, v);
	const struct attr_schema *s = op_info((enum ir_op)n->op)->attrs;
	for (int i = 0; s->has_bodies && i < s->nfield; i++) {
		const void *at = (const char *)n->attrs + s->field[i].offset;
		const struct ir_bodies *list = at;
		if (s->field[i].kind == ATTR_BODY && *(const ir_attr_BODY *)at == number)
			return true;
		for (int k = 0; s->field[i].kind == ATTR_BODIES && k < list->n; k++)
			if (list->at[k] == number)
				return true;
	}
	return false;
}

/* The body and those in it are that deep; false where that is too deep. */
static bool set_depth(adze_graph *body, int depth)
{
	bool fits = depth <= IR_MAX_DEPTH;
	body->depth = depth;
	for (size_t i = 0; i < body->nbody && fits; i++)
		fits = set_depth(body->body[i], depth + 1);
	return fits;
}

int64_t ir_body_add(adze_graph *g, adze_graph *body)
{
	void *at = g->body;
	if (!set_depth(body, g->depth + 1)) {
		ir_fail(g, &g->at, ADZE_E_LIMIT, "more than %d bodies within each other",
			IR_MAX_DEPTH);
		return 0;
	}
	if (!mem_grow(g->arena.from, &at, &g->body_cap, g->nbody + 1, sizeof(adze_graph *))) {
		fail(&g->diag, ADZE_E_NOMEM, "no memory for the graph");
		return 0;
	}
	g->body = at;
	char room[128];
	const char *name = make_name(g, body->name, room, sizeof room);
	if (strcmp(name, body->name) != 0) {
		char *kept = arena_text(&body->arena, name, strlen(name));
		if (kept == NULL) {
			fail(&g->diag, ADZE_E_NOMEM, "no memory for the graph");
			return 0;
		}
		body->name = kept;
	}
	g->body[g->nbody++] = body;
	return (int64_t)g->nbody;
}

adze_graph *ir_body_begin(adze_graph *g, const char *name)
{
	char room[128];
	if (g->diag.status != ADZE_OK)
		return NULL;
	if (g->depth == IR_MAX_DEPTH) {
		ir_fail(g, &g->at, ADZE_E_LIMIT, "more than %d bodies within each other",
			IR_MAX_DEPTH);
		return NULL;
	}
	adze_graph *body = ir_graph_create(g->arena.from, make_name(g, name, room, sizeof room));
	if (body == NULL || ir_body_add(g, body) == 0) {
		fail(&g->diag, ADZE_E_NOMEM, "no memory for the graph");
		ir_graph_destroy(body);
		return NULL;
	}
	body->parent = g;
	body->depth = g->depth + 1;
	body->stage = g->stage;
	memcpy(body->symbol, g->symbol, sizeof g->symbol);
	body->nsymbol = g->nsymbol;
	ir_at(body, g->at.file, g->at.line, g->at.column);
	return body;
}

int64_t ir_body_end(adze_graph *body)
{
	adze_graph *g = body->parent;
	body->parent = NULL;
	if (body->diag.status != ADZE_OK) {
		fail(&g->diag, body->diag.status, "%s", body->diag.text);
		return 0;
	}
	for (size_t i = 0; i < g->nbody; i++)
		if (g->body[i] == body)
			return (int64_t)i + 1;
	return 0;
}

/* ---- packs ---- */

static int64_t part_bytes(const adze_shape *s)
{
	return (shape_bytes(s) + PACK_ALIGN - 1) / PACK_ALIGN * PACK_ALIGN;
}

int64_t ir_part_offset(const struct ir_results *r, size_t index)
{
	int64_t at = 0;
	for (size_t i = 0; i < index; i++)
		at += part_bytes(&r->type[i]);
	return at;
}

adze_status infer_results(struct ask *q, const adze_shape *type, size_t n)
{
	int64_t bytes = 0;
	struct diag d = {ADZE_OK, ""};
	if (n == 0)
		return infer_refuse(q, "it has no result");
	if (n > IR_MAX_RESULTS)
		return infer_refuse(q, "it has more than 64 results");
	for (size_t i = 0; i < n; i++) {
		if (shape_check(&type[i], &d) != ADZE_OK)
			return infer_refuse(q, d.text);
		if (__builtin_add_overflow(bytes, part_bytes(&type[i]), &bytes))
			return infer_refuse(q, "its results are too large");
		if (q->results != NULL)
			q->results->type[i] = type[i];
	}
	if (q->results != NULL)
		q->results->n = n;
	*q->out = n == 1 ? type[0] : shape_make(ADZE_U8, 1, &bytes);
	return ADZE_OK;
}

bool ir_results(const adze_graph *g, ir_val v, struct ir_results *out)
{
	const struct ir_node *n = ir_get(g, v);
	adze_graph head = *g; /* takes the words that nobody expects */
	adze_shape type;
	bool declared = (op_info((enum ir_op)n->op)->flags & OP_DECLARED) != 0;
	diag_clear(&head.diag);
	out->n = 0;
	adze_status status = ir_infer_results(&head, (enum ir_op)n->op, g->arg + n->arg, n->narg,
					      n->attrs, declared ? ir_type(g, v) : NULL, &type,
					      out);
	if (status == ADZE_OK && out->n == 0) {
		out->n = 1;
		out->type[0] = type;
	}
	return status == ADZE_OK;
}
