/* SPDX-License-Identifier: Apache-2.0
 *
 * Lowering of element-wise nodes to strip programs.
 */
#include <string.h>

#include "devices/cpu/cpu_lower.h"

struct lower_space lower_whole(const adze_graph *g, ir_val v)
{
	struct lower_space s = {ir_type(g, v)->rank, {0}};
	for (int i = 0; i < s.rank; i++)
		s.axis[i] = i;
	return s;
}

static void permute(struct ir_view *w, const struct lower_space *s)
{
	struct ir_view old = *w;
	for (int i = 0; i < s->rank; i++) {
		w->extent[i] = old.extent[s->axis[i]];
		w->stride[i] = old.stride[s->axis[i]];
	}
}

/* Walk of a program's operands: views of the same space, joined axes by joined axes. */
struct lower_loads {
	struct ir_view view[CPU_MAX_SLOTS];
	ir_val value[CPU_MAX_SLOTS]; /* 0: the root's result in the sink's memory */
	int n;
};

static bool find_load(const struct lower_loads *o, ir_val v, int *at)
{
	for (int i = 0; i < o->n; i++)
		if (o->value[i] == v) {
			*at = i;
			return true;
		}
	return false;
}

static adze_status collect_loads(struct lowerer *l, const ir_val *node, size_t n,
				 const struct lower_space *space, struct lower_loads *o)
{
	const adze_graph *g = l->g;
	int at;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < g->node[node[i]].narg; k++) {
			ir_val a = ir_arg(g, node[i], k);
			bool inside = g->group[a] == l->group_number;
			if (inside || find_load(o, a, &at))
				continue;
			if (o->n >= CPU_MAX_SLOTS / 2)
				return fail(l->diag, ADZE_E_LIMIT,
					    "a group reads more than %d values", o->n);
			if (!ir_view_of(g, a, &o->view[o->n]))
				return lower_unsupported(l, node[i], "an operand has no strides");
			permute(&o->view[o->n], space);
			o->value[o->n++] = a;
		}
	return ADZE_OK;
}

/* Scratch slots, taken again once their value is not needed. */
struct slots {
	bool used[CPU_MAX_SLOTS];
	uint16_t top;
};

static uint16_t take_slot(struct slots *s, uint16_t first)
{
	for (uint16_t i = first; i < CPU_MAX_SLOTS; i++)
		if (!s->used[i]) {
			s->used[i] = true;
			s->top = i + 1 > s->top ? (uint16_t)(i + 1) : s->top;
			return i;
		}
	return CPU_RESULT;
}

void lower_ins(const adze_graph *g, ir_val v, struct cpu_ins *s)
{
	const struct ir_node *n = &g->node[v];
	s->nsrc = (uint8_t)n->narg;
	s->dtype = (uint8_t)ir_type(g, ir_arg(g, v, 0))->dtype;
	s->to = s->dtype;
	if (n->op == OP_CONVERT) {
		s->kind = CPU_INS_CONVERT;
		s->to = (uint8_t)ir_type(g, v)->dtype;
	} else if (n->op == OP_COMPLEX) {
		s->kind = CPU_INS_COMPLEX;
		s->to = (uint8_t)ir_type(g, v)->dtype;
	} else if (n->op == OP_SELECT) {
		s->kind = CPU_INS_SELECT;
		s->dtype = (uint8_t)ir_type(g, v)->dtype;
	} else {
		s->kind = CPU_INS_EW;
		s->ew = (uint16_t)op_ew((enum ir_op)n->op);
	}
}

static bool used_later(const struct lowerer *l, const ir_val *node, size_t n, size_t after,
		       ir_val v)
{
	for (size_t i = after; i < n; i++)
		for (size_t k = 0; k < l->g->node[node[i]].narg; k++)
			if (ir_arg(l->g, node[i], k) == v)
				return true;
	return false;
}

/* Frees the strips of operands of node[i] that nothing reads later; `size` not 0: only of those
 * with elements of that size. */
static void free_strips(const struct lowerer *l, const ir_val *node, size_t n, size_t i,
			const struct cpu_ins *s, int nload, size_t size, struct slots *slots)
{
	const adze_graph *g = l->g;
	for (int k = 0; k < s->nsrc; k++) {
		ir_val a = ir_arg(g, node[i], (size_t)k);
		if (s->src[k] >= nload && s->src[k] != s->dst &&
		    !used_later(l, node, n, i + 1, a) &&
		    (size == 0 || dtype_bytes(ir_type(g, a)->dtype) == size))
			slots->used[s->src[k]] = false;
	}
}

/* The instructions for `node`s; loads have the slots 0 .. nload - 1. */
static adze_status emit_program(struct lowerer *l, const ir_val *node, size_t n,
				const struct lower_loads *o, struct cpu_prog *p)
{
	const adze_graph *g = l->g;
	struct slots slots = {{false}, (uint16_t)o->n};
	p->ins = arena_new(l->arena, n, sizeof *p->ins);
	if (p->ins == NULL)
		return lower_no_memory(l);
	for (size_t i = 0; i < n; i++) {
		struct cpu_ins *s = &p->ins[p->nins++];
		lower_ins(g, node[i], s);
		for (int k = 0; k < s->nsrc; k++) {
			ir_val a = ir_arg(g, node[i], (size_t)k);
			int at = 0;
			if (a == l->group->root)
				a = 0;
			if (find_load(o, a, &at))
				s->src[k] = (uint16_t)at;
			else
				s->src[k] = (uint16_t)(l->slot[a] - 1);
		}
		/* An operand that dies here gives its strip to a result of the same size;
		 * a larger one would run over elements that are still to be read. */
		size_t size = dtype_bytes(ir_type(g, node[i])->dtype);
		free_strips(l, node, n, i, s, o->n, size, &slots);
		s->dst = i + 1 == n ? CPU_RESULT : take_slot(&slots, (uint16_t)o->n);
		free_strips(l, node, n, i, s, o->n, 0, &slots);
		if (i + 1 < n && s->dst == CPU_RESULT)
			return fail(l->diag, ADZE_E_LIMIT, "a group needs too many strips");
		l->slot[node[i]] = (uint16_t)(s->dst + 1);
	}
	p->nslot = slots.top;
	return ADZE_OK;
}

adze_status lower_program(struct lowerer *l, const ir_val *node, size_t n, ir_val result,
			  const struct lower_space *space, bool epi, struct cpu_prog *p)
{
	const adze_graph *g = l->g;
	if (l->loads == NULL)
		l->loads = arena_new(l->arena, 1, sizeof *l->loads);
	struct lower_loads *o = l->loads;
	if (o == NULL)
		return lower_no_memory(l);
	o->n = 0;
	if (epi) {
		ir_view_dense(g, l->group->root, &o->view[o->n]);
		o->value[o->n++] = 0;
	}
	if (n == 0) {
		if (!ir_view_of(g, result, &o->view[0]))
			return lower_unsupported(l, result, "it has no strides");
		permute(&o->view[0], space);
		o->value[o->n++] = result;
	}
	TRY(collect_loads(l, node, n, space, o));
	if (o->n == 0)
		return lower_unsupported(l, result, "it reads nothing");
	for (int i = 0; i < o->n; i++)
		o->view[i].rank = space->rank;
	/* The space itself is dense: joining axes must not join what it keeps apart. */
	ir_view_collapse(o->view, o->n);
	p->nload = (uint16_t)o->n;
	p->nslot = p->nload;
	p->dtype = (uint8_t)ir_type(g, result)->dtype;
	p->load = arena_new(l->arena, (size_t)o->n, sizeof *p->load);
	if (p->load == NULL)
		return lower_no_memory(l);
	for (int i = 0; i < o->n; i++) {
		bool root = o->value[i] == 0;
		p->load[i] = lower_add_view(
			l, root ? lower_sink_view(l, &o->view[i], ir_type(g, l->group->root)->dtype)
				: lower_to_view(l, &o->view[i]));
	}
	return n == 0 ? ADZE_OK : emit_program(l, node, n, o, p);
}

adze_status lower_epilogue(struct lowerer *l)
{
	const struct ir_group *q = l->group;
	if (q->nepi == 0)
		return ADZE_OK;
	struct lower_space space = lower_whole(l->g, q->sink);
	return lower_program(l, q->epi, q->nepi, q->sink, &space, true, &l->step->epi);
}
