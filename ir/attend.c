/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention: softmax(f(q k')) v becomes one operation whose body is f, whatever element-wise
 * function of scores that is: scales, caps, masks, biases by place. What f reads besides is
 * pulled through broadcasts and the like down to what has fewer elements, so that a mask made of
 * compared places is never held as a whole.
 */
#include <string.h>

#include "ir/pass.h"

#define MOST_EXTRA 12  /* operands behind q, k and v */
#define MOST_STEPS 128 /* that are looked at for f: it bounds the depth, too */
#define MOST_VIEWS 8   /* that an operand of f is pulled through */
#define SMALL 16384    /* elements that are made once rather than anew for each score */

/* f under way. `path` is the views between the scores and what is looked at, outermost first. */
struct form {
	struct ir_map *map;
	const uint32_t *uses; /* of map->from */
	adze_graph *body;
	ir_val dot;           /* the scores; 0 so far */
	ir_val score;         /* in the body */
	ir_val extra[MOST_EXTRA], input[MOST_EXTRA]; /* in map->to, and in the body */
	size_t nextra, nstep;
	ir_val path[MOST_VIEWS];
	int npath;
};

static bool is_leading(const struct ir_dims *d)
{
	for (int i = 0; i < d->n; i++)
		if (d->at[i] != i)
			return false;
	return true;
}

/* q [batch, rows, d] with k [batch, t, d]. */
static bool gives_scores(const adze_graph *g, ir_val v)
{
	const struct attrs_dot *d = IR_ATTRS(dot, g, v);
	const adze_shape *q = ir_type(g, ir_arg(g, v, 0)), *k = ir_type(g, ir_arg(g, v, 1));
	return ir_type(g, v)->dtype == ADZE_F32 && is_leading(&d->batch_a) &&
	       is_leading(&d->batch_b) && d->sum_a.n == 1 && d->sum_a.at[0] == q->rank - 1 &&
	       d->sum_b.at[0] == k->rank - 1 && k->rank == d->batch_a.n + 2 &&
	       q->rank >= d->batch_a.n + 2;
}

/* p [batch, rows, t] with v [batch, t, dv]. */
static bool takes_weights(const adze_graph *g, ir_val v)
{
	const struct attrs_dot *d = IR_ATTRS(dot, g, v);
	const adze_shape *p = ir_type(g, ir_arg(g, v, 0)), *x = ir_type(g, ir_arg(g, v, 1));
	return ir_type(g, v)->dtype == ADZE_F32 && is_leading(&d->batch_a) &&
	       is_leading(&d->batch_b) && d->sum_a.n == 1 && d->sum_a.at[0] == p->rank - 1 &&
	       d->sum_b.at[0] == d->batch_a.n && x->rank == d->batch_a.n + 2 &&
	       p->rank >= d->batch_a.n + 2;
}

static bool is_renaming(const adze_graph *g, ir_val v)
{
	return ir_get(g, v)->op == OP_RESHAPE &&
	       shape_same_extents(ir_type(g, v), ir_type(g, ir_arg(g, v, 0)));
}

static ir_val scalar_of(struct form *f, const struct ir_data *data, adze_dtype dtype)
{
	adze_shape type = shape_make(dtype, 0, NULL);
	return ir_const(f->body, &type, data->bytes);
}

/* A value of the old graph as the scores see it: through the views of the path. */
static ir_val lift(struct form *f, ir_val v)
{
	const adze_graph *from = f->map->from;
	ir_val y = f->map->at[v];
	for (int i = f->npath - 1; i >= 0; i--) {
		const struct ir_node *n = ir_get(from, f->path[i]);
		adze_shape type = *ir_type(from, f->path[i]);
		type.dtype = ir_type(from, v)->dtype;
		y = ir_emit1(f->map->to, (enum ir_op)n->op, y, n->attrs, &type);
	}
	return y;
}

/* An input of the body for a value that f reads; 0 where there are too many. */
static ir_val read(struct form *f, ir_val v)
{
	ir_val x = lift(f, v);
	for (size_t i = 0; i < f->nextra; i++)
		if (f->extra[i] == x)
			return f->input[i];
	if (x == 0 || f->nextra == MOST_EXTRA ||
	    dtype_info(ir_type(f->map->to, x)->dtype)->bits < 8)
		return 0;
	char name[] = {'x', (char)('a' + f->nextra), '\0'};
	adze_shape type = shape_make(ir_type(f->map->to, x)->dtype, 0, NULL);
	f->extra[f->nextra] = x;
	f->input[f->nextra] = ir_input(f->body, name, &type);
	return f->input[f->nextra++];
}

static ir_val build(struct form *f, ir_val v);

static ir_val build_node(struct form *f, ir_val v)
{
	const adze_graph *from = f->map->from;
	const struct ir_node *n = ir_get(from, v);
	ir_val arg[3];
	if (n->narg > COUNT_OF(arg) || dtype_info(ir_type(from, v)->dtype)->bits < 8)
		return 0;
	for (size_t i = 0; i < n->narg; i++)
		if ((arg[i] = build(f, ir_arg(from, v, i))) == 0)
			return 0;
	adze_shape type = shape_make(ir_type(from, v)->dtype, 0, NULL);
	return ir_emit(f->body, (enum ir_op)n->op, arg, n->narg, n->attrs, &type);
}

/* A view: what is behind it where that is worth it, else the view itself. */
static ir_val build_view(struct form *f, ir_val v)
{
	const adze_graph *from = f->map->from;
	ir_val x = ir_arg(from, v, 0), y;
	enum ir_op op = (enum ir_op)ir_get(from, v)->op;
	bool moves = op == OP_BROADCAST || op == OP_RESHAPE || op == OP_TRANSPOSE ||
		     op == OP_SLICE || op == OP_REVERSE;
	if (f->npath == 0 && is_renaming(from, v))
		return build(f, x);
	if (ir_get(from, x)->op == OP_CONST && ir_type(from, x)->rank == 0)
		return build(f, x);
	bool large = !shape_is_static(ir_type(from, x)) || shape_count(ir_type(from, x)) > SMALL;
	if (!moves || f->npath == MOST_VIEWS ||
	    (ir_class(from, x) != CLASS_VIEW && (ir_class(from, x) != CLASS_EW || !large)))
		return read(f, v);
	f->path[f->npath++] = v;
	y = build(f, x);
	f->npath--;
	return y;
}

/* The value in the body that stands for an element of `v`; 0 where there is none. */
static ir_val build(struct form *f, ir_val v)
{
	const adze_graph *from = f->map->from;
	const struct ir_node *n = ir_get(from, v);
	if (++f->nstep > MOST_STEPS)
		return 0;
	if (n->op == OP_CONST && ir_type(from, v)->rank == 0)
		return scalar_of(f, &IR_ATTRS(data, from, v)->data, ir_type(from, v)->dtype);
	if (f->npath == 0 && n->op == OP_DOT && f->uses[v] == 1 && gives_scores(from, v) &&
	    f->dot == 0) {
		f->dot = v;
		return f->score;
	}
	if (v == f->dot && f->npath == 0)
		return f->score;
	switch (ir_class(from, v)) {
	case CLASS_VIEW: return build_view(f, v);
	case CLASS_EW: return build_node(f, v);
	default: return read(f, v);
	}
}

/* The attention that ends in the product `v`; 0 where there is none. */
static ir_val find(struct ir_map *map, ir_val v, const uint32_t *uses)
{
	const adze_graph *from = map->from;
	ir_val p = ir_arg(from, v, 0);
	if (!takes_weights(from, v))
		return 0;
	while (is_renaming(from, p) && uses[p] == 1)
		p = ir_arg(from, p, 0);
	if (ir_get(from, p)->op != OP_SOFTMAX || uses[p] != 1 ||
	    IR_ATTRS(axis, from, p)->axis != ir_type(from, p)->rank - 1)
		return 0;
	if (map->to->depth == IR_MAX_DEPTH)
		return 0;
	struct form f = {.map = map, .uses = uses};
	adze_shape scalar = shape_make(ADZE_F32, 0, NULL);
	f.body = ir_body_begin(map->to, "scores");
	if (f.body == NULL)
		return 0;
	f.score = ir_input(f.body, "s", &scalar);
	ir_val y = build(&f, ir_arg(from, p, 0));
	struct attrs_attention a = {.batch = IR_ATTRS(dot, from, v)->batch_a.n};
	if (y != 0)
		ir_output(f.body, "s", y, 0);
	bool fits = y != 0 && f.dot != 0 && f.body->diag.status == ADZE_OK &&
		    IR_ATTRS(dot, from, f.dot)->batch_a.n == a.batch;
	if (!fits)
		diag_clear(&f.body->diag);
	a.body = ir_body_end(f.body);
	if (!fits)
		return 0;
	ir_val arg[3 + MOST_EXTRA] = {map->at[ir_arg(from, f.dot, 0)],
				      map->at[ir_arg(from, f.dot, 1)], map->at[ir_arg(from, v, 1)]};
	for (size_t i = 0; i < f.nextra; i++)
		arg[3 + i] = f.extra[i];
	return ir_emit(map->to, OP_ATTENTION, arg, 3 + f.nextra, &a, NULL);
}

static ir_val rule(struct ir_map *map, ir_val v)
{
	ir_val y = ir_get(map->from, v)->op == OP_DOT ? find(map, v, map->self) : 0;
	if (y == 0)
		return ir_clone(map, v);
	/* Names of axes are those of the product that it was. */
	const adze_shape *want = ir_type(map->from, v), *have = ir_type(map->to, y);
	bool named = false;
	for (int i = 0; i < want->rank; i++)
		named |= strcmp(want->dim[i].name, have->dim[i].name) != 0;
	return named ? ir_emit1(map->to, OP_RESHAPE, y, NULL, want) : y;
}

adze_status ir_attend(adze_graph **g, struct diag *d)
{
	uint32_t *uses = ir_count_uses(*g);
	const adze_allocator *a = (*g)->arena.from;
	size_t n = (*g)->nnode;
	if (uses == NULL)
		return fail(d, ADZE_E_NOMEM, "attend: no memory");
	adze_status status = ir_rewrite(g, rule, uses, d);
	mem_free(a, uses, n, sizeof *uses);
	return status;
}
