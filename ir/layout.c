/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout: rewrites what strides cannot serve, so that devices see only forms they can walk.
 * Products whose contracting axes do not lie next to each other get a transposed operand
 * (fuse.c copies it out); a softmax along an inner axis gets it moved to the end and back; an
 * output that is a donated input is copied first, since another output overwrites it. A loop's
 * body writes its carries over themselves. What
 * moves the start of several axes of a shape with symbols is done axis by axis: one offset is
 * one product of symbols.
 */
#include <string.h>

#include "ir/group.h"
#include "ir/pass.h"

static bool walks_as_one(const struct ir_view *w, const struct ir_dims *sum)
{
	struct ir_view part;
	memset(&part, 0, sizeof part);
	for (int i = 0; i < sum->n; i++) {
		part.extent[part.rank] = w->extent[sum->at[i]];
		part.stride[part.rank++] = w->stride[sum->at[i]];
	}
	ir_view_collapse(&part, 1);
	return part.rank <= 1;
}

/* Whether the contracting axes of an operand walk with one stride, as a view and also if it is
 * copied out, which fuse.c decides. */
static bool sums_as_one(const adze_graph *g, ir_val v, const struct ir_dims *sum)
{
	struct ir_view w;
	if (ir_view_of(g, v, &w) && !walks_as_one(&w, sum))
		return false;
	ir_view_dense(g, v, &w);
	return walks_as_one(&w, sum);
}

static bool in_list(const struct ir_dims *list, int64_t axis)
{
	for (int i = 0; i < list->n; i++)
		if (list->at[i] == axis)
			return true;
	return false;
}

/* The operand with axes batch, free, sum; the lists then say so. */
static ir_val reorder(adze_graph *to, ir_val x, struct ir_dims *batch, struct ir_dims *sum)
{
	int rank = ir_type(to, x)->rank;
	struct attrs_axes t = {0};
	for (int i = 0; i < batch->n; i++)
		t.axes.at[t.axes.n++] = batch->at[i];
	for (int i = 0; i < rank; i++)
		if (!in_list(batch, i) && !in_list(sum, i))
			t.axes.at[t.axes.n++] = i;
	for (int i = 0; i < sum->n; i++)
		t.axes.at[t.axes.n++] = sum->at[i];
	for (int i = 0; i < batch->n; i++)
		batch->at[i] = i;
	for (int i = 0; i < sum->n; i++)
		sum->at[i] = rank - sum->n + i;
	return ir_emit1(to, OP_TRANSPOSE, x, &t, NULL);
}

static ir_val dot(struct ir_map *map, ir_val v)
{
	const adze_graph *from = map->from;
	struct attrs_dot d = *IR_ATTRS(dot, from, v);
	ir_val a = map->at[ir_arg(from, v, 0)], b = map->at[ir_arg(from, v, 1)];
	if (!sums_as_one(map->to, a, &d.sum_a))
		a = reorder(map->to, a, &d.batch_a, &d.sum_a);
	if (!sums_as_one(map->to, b, &d.sum_b))
		b = reorder(map->to, b, &d.batch_b, &d.sum_b);
	return ir_emit2(map->to, OP_DOT, a, b, &d);
}

static ir_val softmax(struct ir_map *map, ir_val v)
{
	const adze_graph *from = map->from;
	int rank = ir_type(from, v)->rank;
	struct attrs_axis axis = *IR_ATTRS(axis, from, v);
	if (axis.axis == rank - 1)
		return ir_clone(map, v);
	struct attrs_axes swap = {.axes = {.n = rank}};
	for (int i = 0; i < rank; i++)
		swap.axes.at[i] = i;
	swap.axes.at[axis.axis] = rank - 1;
	swap.axes.at[rank - 1] = axis.axis;
	axis.axis = rank - 1;
	ir_val x = ir_emit1(map->to, OP_TRANSPOSE, map->at[ir_arg(from, v, 0)], &swap, NULL);
	ir_val y = ir_emit1(map->to, OP_SOFTMAX, x, &axis, NULL);
	return ir_emit1(map->to, OP_TRANSPOSE, y, &swap, NULL);
}

static ir_val slice_axis(adze_graph *to, ir_val x, int axis, int64_t start, int64_t limit,
			 int64_t stride)
{
	const adze_shape *s = ir_type(to, x);
	struct attrs_slice a = {.start = {.n = s->rank}, .limit = {.n = s->rank},
				.stride = {.n = s->rank}};
	for (int i = 0; i < s->rank; i++) {
		a.limit.at[i] = i == axis ? limit : s->dim[i].size;
		a.stride.at[i] = i == axis ? stride : 1;
	}
	a.start.at[axis] = start;
	return ir_emit1(to, OP_SLICE, x, &a, NULL);
}

static ir_val slice(struct ir_map *map, ir_val v)
{
	const struct attrs_slice *a = IR_ATTRS(slice, map->from, v);
	const adze_shape *s = ir_type(map->from, ir_arg(map->from, v, 0));
	ir_val y = map->at[ir_arg(map->from, v, 0)];
	int moved = 0;
	for (int i = 0; i < s->rank; i++)
		moved += a->start.at[i] > 0;
	if (shape_is_static(s) || moved < 2)
		return ir_clone(map, v);
	for (int i = 0; i < s->rank; i++)
		if (a->start.at[i] > 0 || a->limit.at[i] < s->dim[i].size ||
		    dims_or(&a->stride, i, 1) > 1)
			y = slice_axis(map->to, y, i, a->start.at[i], a->limit.at[i],
				       dims_or(&a->stride, i, 1));
	return y;
}

static ir_val reverse(struct ir_map *map, ir_val v)
{
	const struct attrs_axes *a = IR_ATTRS(axes, map->from, v);
	ir_val y = map->at[ir_arg(map->from, v, 0)];
	if (shape_is_static(ir_type(map->from, v)) || a->axes.n < 2)
		return ir_clone(map, v);
	for (int i = 0; i < a->axes.n; i++) {
		struct attrs_axes one = {.axes = {.n = 1, .at = {a->axes.at[i]}}};
		y = ir_emit1(map->to, OP_REVERSE, y, &one, NULL);
	}
	return y;
}

/* What stands between elements first, and then what is around them: a pad or slices. */
static ir_val spread_axis(adze_graph *to, ir_val x, ir_val with, int axis, int64_t low,
			  int64_t high, int64_t between)
{
	int rank = ir_type(to, x)->rank;
	struct attrs_pad one = {.low = {.n = rank}, .high = {.n = rank}, .interior = {.n = rank}};
	one.low.at[axis] = low > 0 ? low : 0;
	one.high.at[axis] = high > 0 ? high : 0;
	one.interior.at[axis] = between;
	ir_val y = ir_emit2(to, OP_PAD, x, with, &one);
	if (y == 0 || (low >= 0 && high >= 0))
		return y;
	int64_t size = ir_type(to, y)->dim[axis].size;
	return slice_axis(to, y, axis, low < 0 ? -low : 0, high < 0 ? size + high : size, 1);
}

/* What is cut off is a slice; what is put around, a pad. */
static ir_val pad(struct ir_map *map, ir_val v)
{
	const struct attrs_pad *a = IR_ATTRS(pad, map->from, v);
	const adze_shape *s = ir_type(map->from, ir_arg(map->from, v, 0));
	ir_val y = map->at[ir_arg(map->from, v, 0)], with = map->at[ir_arg(map->from, v, 1)];
	if (shape_is_static(s))
		return ir_clone(map, v);
	for (int i = 0; i < s->rank; i++) {
		int64_t low = a->low.at[i], high = a->high.at[i], size = s->dim[i].size;
		int64_t between = dims_or(&a->interior, i, 0);
		if (low == 0 && high == 0 && between == 0)
			continue;
		if (between > 0) {
			y = spread_axis(map->to, y, with, i, low, high, between);
			continue;
		}
		int64_t from = low >= 0 ? 0 : -low < size ? -low : size;
		int64_t to = high >= 0 ? size : size + high > from ? size + high : from;
		int64_t more = size + low + high - (to - from);
		struct attrs_pad one = {.low = {.n = s->rank}, .high = {.n = s->rank}};
		one.low.at[i] = low < 0 ? 0 : low < more ? low : more;
		one.high.at[i] = more - one.low.at[i];
		if (to - from < size)
			y = slice_axis(map->to, y, i, from, to, 1);
		if (more > 0)
			y = ir_emit2(map->to, OP_PAD, y, with, &one);
	}
	return y;
}

static ir_val rule(struct ir_map *map, ir_val v)
{
	switch (ir_get(map->from, v)->op) {
	case OP_DOT: return dot(map, v);
	case OP_SOFTMAX: return softmax(map, v);
	case OP_SLICE: return slice(map, v);
	case OP_REVERSE: return reverse(map, v);
	case OP_PAD: return pad(map, v);
	default: return ir_clone(map, v);
	}
}

static bool is_donated(const adze_graph *g, ir_val input)
{
	for (size_t i = 0; i < g->noutput; i++)
		if (g->output[i].into == input && g->output[i].value != input)
			return true;
	return false;
}

/* Adds a node's bodies to the count of their uses. */
static void count_bodies(const adze_graph *g, ir_val v, uint32_t *uses)
{
	const struct ir_node *n = ir_get(g, v);
	const struct attr_schema *s = op_info((enum ir_op)n->op)->attrs;
	for (int i = 0; s->has_bodies && i < s->nfield; i++) {
		const void *at = (const char *)n->attrs + s->field[i].offset;
		const struct ir_bodies *list = at;
		if (s->field[i].kind == ATTR_BODY && *(const ir_attr_BODY *)at > 0)
			uses[*(const ir_attr_BODY *)at - 1]++;
		for (int k = 0; s->field[i].kind == ATTR_BODIES && k < list->n; k++)
			uses[list->at[k] - 1]++;
	}
}

/* A carry lies in memory of the loop's own, which a body that is used once may write over. */
static void donate_carries(adze_graph *g, const uint32_t *uses)
{
	for (ir_val v = 1; v < g->nnode; v++) {
		enum ir_op op = (enum ir_op)ir_get(g, v)->op;
		if (op != OP_WHILE && op != OP_SCAN)
			continue;
		int64_t body = op == OP_WHILE ? IR_ATTRS(loop, g, v)->body
					      : IR_ATTRS(scan, g, v)->body;
		int64_t carry = op == OP_WHILE ? IR_ATTRS(loop, g, v)->carry
					       : IR_ATTRS(scan, g, v)->carry;
		adze_graph *b = g->body[body - 1];
		for (int64_t i = 0; i < carry && uses[body - 1] == 1; i++)
			b->output[i].into = b->input[i];
	}
}

static adze_status write_in_place(adze_graph *g)
{
	uint32_t *uses = mem_new(g->arena.from, g->nbody, sizeof *uses);
	if (uses == NULL)
		return fail(&g->diag, ADZE_E_NOMEM, "no memory for the graph");
	for (ir_val v = 1; v < g->nnode; v++)
		count_bodies(g, v, uses);
	donate_carries(g, uses);
	mem_free(g->arena.from, uses, g->nbody, sizeof *uses);
	return ADZE_OK;
}

adze_status ir_layout(adze_graph **g, struct diag *d)
{
	adze_graph *to;
	adze_status status = ir_rebuild(*g, rule, NULL, NULL, 0, &to);
	for (size_t i = 0; status == ADZE_OK && i < to->noutput; i++) {
		ir_val v = to->output[i].value;
		if (ir_input_index(to, v) < 0 || !is_donated(to, v))
			continue;
		adze_shape type = *ir_type(to, v);
		to->output[i].value = ir_emit1(to, OP_RESHAPE, v, NULL, &type);
		status = to->diag.status;
	}
	if (status == ADZE_OK)
		status = write_in_place(to);
	return ir_replace(g, to, status, d);
}
