/* SPDX-License-Identifier: Apache-2.0
 *
 * Pass `lift`: views that keep element-wise work apart move to where they do not. What follows a
 * reshape is computed in the shape before it, where its other operands can be read so by strides,
 * and the reshape comes behind: it costs nothing there. And where a transpose, with a reshape
 * behind it that strides cannot follow, would be a copy of what element-wise operations made,
 * these are computed in the new order at once.
 */
#include <string.h>

#include "ir/group.h"
#include "ir/pass.h"

/* Operations that move together at most: a group has no more. */
#define MOST_MOVED 32
#define MOST_VIEWS 8

struct lifter {
	const uint32_t *uses; /* of the old graph */
	bool *is_output;
	int moved;
};

static bool takes_epilogue(enum op_class c)
{
	return c == CLASS_EW || c == CLASS_REDUCE || c == CLASS_ROW || c == CLASS_GEMM ||
	       c == CLASS_CONV || c == CLASS_WINDOW;
}

/* An element-wise operation of the old graph that one other reads, as it is in the new one. */
static bool moves_along(const struct ir_map *map, ir_val old)
{
	struct lifter *l = map->self;
	return ir_class(map->from, old) == CLASS_EW && l->uses[old] == 1 &&
	       ir_get(map->to, map->at[old])->op == ir_get(map->from, old)->op &&
	       ir_get(map->from, old)->narg <= 3 && ++l->moved <= MOST_MOVED;
}

/* An old element-wise operation on new operands, in their shape. */
static ir_val emit_like(struct ir_map *map, ir_val old, const ir_val *arg)
{
	adze_shape type = *ir_type(map->to, arg[0]);
	type.dtype = ir_type(map->from, old)->dtype;
	return ir_emit(map->to, (enum ir_op)ir_get(map->from, old)->op, arg,
		       ir_get(map->from, old)->narg, NULL, &type);
}

/* ---- under a reshape ---- */

/* The old value in another shape with as many elements; 0 where strides cannot read it so. */
static ir_val in_shape(struct ir_map *map, ir_val old, const adze_shape *shape)
{
	adze_graph *to = map->to;
	struct attrs_axes none = {.axes = {.n = 0}};
	ir_val x = map->at[old], arg[3];
	adze_shape type = *shape;
	struct ir_view w;
	type.dtype = ir_type(to, x)->dtype;
	const void *element = ir_find_splat(to, x);
	if (element != NULL) {
		adze_shape scalar = shape_make(type.dtype, 0, NULL);
		x = ir_const(to, &scalar, element);
		return shape->rank == 0 ? x : ir_emit1(to, OP_BROADCAST, x, &none, &type);
	}
	if (ir_get(to, x)->op == OP_RESHAPE &&
	    shape_same_extents(ir_type(to, ir_arg(to, x, 0)), shape))
		return ir_arg(to, x, 0);
	if (moves_along(map, old)) {
		for (size_t i = 0; i < ir_get(map->from, old)->narg; i++)
			if ((arg[i] = in_shape(map, ir_arg(map->from, old, i), shape)) == 0)
				return 0;
		return emit_like(map, old, arg);
	}
	bool view = ir_class(to, x) == CLASS_VIEW;
	x = ir_emit1(to, OP_RESHAPE, x, NULL, &type);
	return view && !ir_view_of(to, x, &w) ? 0 : x;
}

/* What operand `old` reshapes, if that can take its reader in; 0 where it is no such thing. */
static ir_val reshaped(const struct ir_map *map, ir_val old)
{
	const struct lifter *l = map->self;
	const adze_graph *from = map->from, *to = map->to;
	ir_val x = map->at[old];
	if (ir_get(to, x)->op != OP_RESHAPE || l->uses[old] != 1)
		return 0;
	ir_val a = ir_arg(to, x, 0);
	/* Either this pass put the reshape there, or it stood there and alone reads the value. */
	if (ir_class(from, old) != CLASS_EW &&
	    (ir_get(from, old)->op != OP_RESHAPE || l->uses[ir_arg(from, old, 0)] != 1 ||
	     map->at[ir_arg(from, old, 0)] != a))
		return 0;
	return takes_epilogue(ir_class(to, a)) && ir_find_splat(to, a) == NULL ? a : 0;
}

static ir_val under_reshape(struct ir_map *map, ir_val v)
{
	struct lifter *l = map->self;
	const struct ir_node *n = ir_get(map->from, v);
	ir_val a = 0, arg[3];
	if (l->is_output[v] || n->narg > COUNT_OF(arg))
		return 0;
	for (size_t i = 0; i < n->narg && a == 0; i++)
		a = reshaped(map, ir_arg(map->from, v, i));
	if (a == 0)
		return 0;
	const adze_shape shape = *ir_type(map->to, a), type = *ir_type(map->from, v);
	l->moved = 0;
	for (size_t i = 0; i < n->narg; i++)
		if ((arg[i] = in_shape(map, ir_arg(map->from, v, i), &shape)) == 0)
			return 0;
	return ir_emit1(map->to, OP_RESHAPE, emit_like(map, v, arg), NULL, &type);
}

/* ---- before a transpose ---- */

/* Views of the old graph, the last one first. */
struct chain {
	ir_val at[MOST_VIEWS];
	int n;
};

/* The old value seen through the chain; 0 where strides cannot follow, or where a product or the
 * like would lose its epilogue. */
static ir_val through_chain(struct ir_map *map, ir_val old, const struct chain *c)
{
	const struct lifter *l = map->self;
	const adze_graph *from = map->from;
	enum op_class class = ir_class(from, old);
	ir_val arg[3], x = map->at[old];
	struct ir_view w;
	if (moves_along(map, old)) {
		for (size_t i = 0; i < ir_get(from, old)->narg; i++)
			if ((arg[i] = through_chain(map, ir_arg(from, old, i), c)) == 0)
				return 0;
		return emit_like(map, old, arg);
	}
	if (class != CLASS_EW && takes_epilogue(class) && l->uses[old] == 1)
		return 0;
	for (int i = c->n - 1; i >= 0; i--) {
		const struct ir_node *n = ir_get(from, c->at[i]);
		adze_shape type = *ir_type(from, c->at[i]);
		type.dtype = ir_type(map->to, x)->dtype;
		x = ir_emit1(map->to, (enum ir_op)n->op, x, n->attrs, &type);
	}
	return x != 0 && ir_view_of(map->to, x, &w) ? x : 0;
}

static ir_val before_transpose(struct ir_map *map, ir_val v)
{
	struct lifter *l = map->self;
	const adze_graph *from = map->from;
	struct chain c = {.n = 0};
	struct ir_view w;
	ir_val e = ir_arg(from, v, 0);
	for (; c.n < MOST_VIEWS && l->uses[e] == 1 &&
	       (ir_get(from, e)->op == OP_TRANSPOSE || ir_get(from, e)->op == OP_RESHAPE);
	     e = ir_arg(from, e, 0))
		c.at[c.n++] = e;
	l->moved = 0;
	if (c.n == 0 || !moves_along(map, e) || ir_view_of(map->to, ir_clone(map, v), &w))
		return 0;
	const adze_shape type = *ir_type(from, v);
	l->moved = 0;
	ir_val y = through_chain(map, e, &c);
	return y != 0 ? ir_emit1(map->to, OP_RESHAPE, y, NULL, &type) : 0;
}

static ir_val rule(struct ir_map *map, ir_val v)
{
	ir_val y = 0;
	if (ir_class(map->from, v) == CLASS_EW && !ir_sees_packed(map->from, v))
		y = under_reshape(map, v);
	else if (ir_get(map->from, v)->op == OP_RESHAPE)
		y = before_transpose(map, v);
	return y != 0 ? y : ir_clone(map, v);
}

adze_status ir_lift(adze_graph **g, struct diag *d)
{
	const adze_allocator *a = (*g)->arena.from;
	size_t n = (*g)->nnode;
	uint32_t *uses = ir_count_uses(*g);
	struct lifter l = {.uses = uses, .is_output = mem_new(a, n, sizeof *l.is_output)};
	adze_status status = ADZE_E_NOMEM;
	if (uses == NULL || l.is_output == NULL) {
		fail(d, status, "lift: no memory");
	} else {
		for (size_t i = 0; i < (*g)->noutput; i++)
			l.is_output[(*g)->output[i].value] = true;
		status = ir_rewrite(g, rule, &l, d);
	}
	mem_free(a, uses, n, sizeof *uses);
	mem_free(a, l.is_output, n, sizeof *l.is_output);
	return status;
}
