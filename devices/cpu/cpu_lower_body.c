/* SPDX-License-Identifier: Apache-2.0
 *
 * Lowering of bodies of scalars. Every value has a slot of its own: bodies are short, and so their
 * results stay where they are until they are taken.
 */
#include <string.h>

#include "devices/cpu/cpu_lower.h"

/* A body under way; `slot` by value: 1 + slot, 0 for one that nothing needs. */
struct body {
	struct lowerer *l;
	const adze_graph *g;
	struct cpu_body *out;
	uint16_t *slot;
};

static void mark_needed(const struct body *b)
{
	const adze_graph *g = b->g;
	for (size_t i = 0; i < g->noutput; i++)
		b->slot[g->output[i].value] = 1;
	for (ir_val v = (ir_val)g->nnode - 1; v > 0; v--)
		for (size_t i = 0; b->slot[v] != 0 && i < g->node[v].narg; i++)
			b->slot[ir_arg(g, v, i)] = 1;
}

/* Slots: inputs, constants, then the others in their order. */
static adze_status choose_slots(const struct body *b)
{
	const adze_graph *g = b->g;
	struct cpu_prog *p = &b->out->prog;
	size_t next = g->ninput;
	for (size_t i = 0; i < g->ninput; i++)
		b->slot[g->input[i]] = (uint16_t)(1 + i);
	for (int consts = 1; consts >= 0; consts--) {
		for (ir_val v = 1; v < g->nnode && next < CPU_MAX_SLOTS; v++) {
			bool is_const = g->node[v].op == OP_CONST;
			if (b->slot[v] == 0 || g->node[v].op == OP_INPUT || is_const != consts)
				continue;
			b->slot[v] = (uint16_t)++next;
			b->out->nconst += (uint16_t)is_const;
			p->nins += !is_const;
		}
	}
	if (next >= CPU_MAX_SLOTS)
		return lower_unsupported(b->l, b->l->group->root, "its body is too long");
	b->out->nin = (uint16_t)g->ninput;
	b->out->nout = (uint16_t)g->noutput;
	p->nload = (uint16_t)(b->out->nin + b->out->nconst);
	p->nslot = (uint16_t)next;
	return ADZE_OK;
}

static void emit_values(const struct body *b)
{
	const adze_graph *g = b->g;
	struct cpu_prog *p = &b->out->prog;
	for (ir_val v = 1; v < g->nnode; v++) {
		if (b->slot[v] == 0)
			continue;
		uint16_t slot = (uint16_t)(b->slot[v] - 1);
		if (slot < p->nload)
			b->out->type[slot] = (uint8_t)ir_type(g, v)->dtype;
		if (g->node[v].op == OP_CONST) {
			const struct ir_data *data = &IR_ATTRS(data, g, v)->data;
			memcpy(b->out->value[slot - b->out->nin], data->bytes, data->len);
		} else if (slot >= p->nload) {
			struct cpu_ins *s = &p->ins[slot - p->nload];
			lower_ins(g, v, s);
			s->dst = slot;
			for (int k = 0; k < s->nsrc; k++)
				s->src[k] = (uint16_t)(b->slot[ir_arg(g, v, (size_t)k)] - 1);
		}
	}
	for (size_t i = 0; i < g->noutput; i++) {
		ir_val v = g->output[i].value;
		b->out->out[i] = (uint16_t)(b->slot[v] - 1);
		b->out->type[p->nload + i] = (uint8_t)ir_type(g, v)->dtype;
	}
}

static adze_status lower_body(struct lowerer *l, const adze_graph *g, struct cpu_body *out)
{
	struct body b = {l, g, out, arena_new(l->arena, g->nnode, sizeof(uint16_t))};
	struct cpu_prog *p = &out->prog;
	if (b.slot == NULL)
		return lower_no_memory(l);
	if (g->ninput >= CPU_MAX_SLOTS || g->noutput > CPU_MAX_PLAIN)
		return lower_unsupported(l, l->group->root, "its body has too many values");
	mark_needed(&b);
	TRY(choose_slots(&b));
	out->type = arena_new(l->arena, (size_t)p->nload + out->nout, sizeof *out->type);
	out->value = arena_new(l->arena, out->nconst, sizeof *out->value);
	out->out = arena_new(l->arena, out->nout, sizeof *out->out);
	p->ins = arena_new(l->arena, p->nins, sizeof *p->ins);
	if (out->type == NULL || out->value == NULL || out->out == NULL || p->ins == NULL)
		return lower_no_memory(l);
	emit_values(&b);
	return ADZE_OK;
}

adze_status lower_bodies(struct lowerer *l)
{
	const struct ir_node *n = ir_get(l->g, l->group->root);
	const struct attr_schema *schema = op_info((enum ir_op)n->op)->attrs;
	struct cpu_step *s = l->step;
	if (!schema->has_bodies)
		return ADZE_OK;
	s->body = arena_new(l->arena, CPU_MAX_BODIES, sizeof *s->body);
	if (s->body == NULL)
		return lower_no_memory(l);
	for (int i = 0; i < schema->nfield; i++) {
		const struct attr_field *f = &schema->field[i];
		const char *at = (const char *)n->attrs + f->offset;
		if (f->kind == ATTR_BODY)
			TRY(lower_body(l, ir_body(l->g, *(const ir_attr_BODY *)(const void *)at),
				       &s->body[s->nbody++]));
	}
	return ADZE_OK;
}
