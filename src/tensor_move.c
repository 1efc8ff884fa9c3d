/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions that move elements: other shapes, other orders, parts, joins.
 */
#include "tensor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- reshape ---- */

/* Static extents and factors, and how often each symbol stands in them. */
struct volume {
	int64_t size;
	int power[ADZE_MAX_SYMBOLS];
};

static struct volume volume_of(const adze_graph *g, const adze_shape *s, int without)
{
	struct volume v = {1, {0}};
	for (int i = 0; i < s->rank; i++) {
		int k = dim_is_static(&s->dim[i]) ? -1 : ir_symbol_find(g, s->dim[i].symbol);
		if (i == without)
			continue;
		v.size *= k < 0 ? s->dim[i].size : s->dim[i].scale;
		if (k >= 0)
			v.power[k]++;
	}
	return v;
}

/* The extent that makes `to` as large as `x`. */
static const char *solve(const adze_graph *g, const adze_shape *x, adze_shape *to, int axis)
{
	struct volume have = volume_of(g, x, -1), rest = volume_of(g, to, axis);
	int symbol = -1;
	if (rest.size == 0)
		return "'?' could be anything beside an empty axis";
	if (have.size % rest.size != 0)
		return "the other extents do not divide the number of elements";
	for (int i = 0; i < g->nsymbol; i++) {
		int left = have.power[i] - rest.power[i];
		if (left < 0 || left > 1 || (left == 1 && symbol >= 0))
			return "'?' would be no extent: symbols split and merge by constants";
		if (left == 1)
			symbol = i;
	}
	adze_dim *d = &to->dim[axis];
	d->size = have.size / rest.size;
	if (symbol < 0)
		return NULL;
	if (d->size == 0)
		return "'?' could be anything beside an empty axis";
	d->scale = d->size;
	d->size *= g->symbol[symbol].bound;
	memcpy(d->symbol, g->symbol[symbol].name, ADZE_MAX_AXIS);
	return NULL;
}

/* The shape that `dims` says, with a `?` read as 1; *axis is where it stands, or -1. */
static bool parse_open(struct tensor_op *op, adze_dtype dtype, const char *dims, adze_shape *out,
		       int *axis)
{
	char text[512];
	struct diag d = {ADZE_OK, ""};
	size_t n = dims != NULL ? strlen(dims) : 0;
	*axis = -1;
	if (dims == NULL || n >= sizeof text) {
		tensor_fail(op, ADZE_E_ARGUMENT, "there are no dims, or too many");
		return false;
	}
	memcpy(text, dims, n + 1);
	char *open = strchr(text, '?');
	if (open != NULL && (strchr(open + 1, '?') != NULL ||
			     strchr(" \t\n,]", open[1]) == NULL ||
			     (open > text && strchr(" \t\n,[=", open[-1]) == NULL))) {
		tensor_fail(op, ADZE_E_SYNTAX, "'%.200s': one extent may be '?', as in 'n=?'",
			    dims);
		return false;
	}
	if (open != NULL) {
		/* What stands before it says which axis it is. */
		adze_shape before;
		size_t start = (size_t)(open - text);
		while (start > 0 && strchr(" \t\n,[", text[start - 1]) == NULL)
			start--;
		*open = '1';
		if (shape_parse(text + (text[0] == '['), start - (text[0] == '[' && start > 0),
				dtype, &before, &d) == ADZE_OK)
			*axis = before.rank;
	}
	if (d.status == ADZE_OK)
		shape_parse(text, n, dtype, out, &d);
	if (d.status != ADZE_OK)
		tensor_fail(op, d.status, "%s", d.text);
	return op->ok;
}

adze_tensor(adze_reshape)(adze_tensor x, const char *dims)
{
	struct tensor_op op = tensor_begin("reshape", &x, 1);
	char a[SHAPE_TEXT];
	adze_shape to;
	int axis;
	if (!op.ok || !parse_open(&op, tensor_type(&op, x.id)->dtype, dims, &to, &axis))
		return tensor_end(&op, 0);
	const char *words = axis >= 0 ? solve(op.graph, tensor_type(&op, x.id), &to, axis) : NULL;
	if (words != NULL)
		tensor_fail(&op, ADZE_E_TYPE, "%s to '%.100s': %s",
			    shape_print(tensor_type(&op, x.id), a, sizeof a), dims, words);
	return tensor_end(&op, op.ok ? ir_emit1(op.graph, OP_RESHAPE, x.id, NULL, &to) : 0);
}

adze_tensor(adze_rename)(adze_tensor x, const char *names)
{
	struct tensor_op op = tensor_begin("rename", &x, 1);
	if (!op.ok)
		return tensor_end(&op, 0);
	adze_shape to = *tensor_type(&op, x.id);
	char text[SHAPE_TEXT];
	const char *at = names != NULL ? names : "";
	int count = 0;
	for (size_t n; (n = tensor_word(&at)) > 0; at += n, count++) {
		if (count >= to.rank)
			continue;
		memset(to.dim[count].name, 0, ADZE_MAX_AXIS);
		if (n >= ADZE_MAX_AXIS)
			tensor_fail(&op, ADZE_E_LIMIT, "'%.*s': a name has up to %d letters",
				    (int)(n < 40 ? n : 40), at, ADZE_MAX_AXIS - 1);
		else if (n != 1 || at[0] != '_')
			memcpy(to.dim[count].name, at, n);
	}
	if (op.ok && count != to.rank)
		tensor_fail(&op, ADZE_E_TYPE, "%s has %d axes, and '%.100s' names %d",
			    shape_print(tensor_type(&op, x.id), text, sizeof text), (int)to.rank,
			    names != NULL ? names : "", count);
	return tensor_end(&op, op.ok ? ir_emit1(op.graph, OP_RESHAPE, x.id, NULL, &to) : 0);
}

/* ---- views ---- */

adze_tensor(adze_transpose)(adze_tensor x, const char *axes)
{
	struct tensor_op op = tensor_begin("transpose", &x, 1);
	struct attrs_axes attrs;
	char text[SHAPE_TEXT];
	if (!op.ok || !tensor_axes(&op, x.id, axes, &attrs.axes))
		return tensor_end(&op, 0);
	int rank = tensor_type(&op, x.id)->rank;
	if (attrs.axes.n != rank)
		tensor_fail(&op, ADZE_E_TYPE, "%s has %d axes, and '%.100s' lists %d",
			    shape_print(tensor_type(&op, x.id), text, sizeof text), rank,
			    axes != NULL ? axes : "", (int)attrs.axes.n);
	return tensor_end(&op, op.ok ? ir_emit1(op.graph, OP_TRANSPOSE, x.id, &attrs, NULL) : 0);
}

adze_tensor(adze_broadcast)(adze_tensor x, const char *dims)
{
	struct tensor_op op = tensor_begin("broadcast", &x, 1);
	struct diag d = {ADZE_OK, ""};
	adze_shape to;
	if (!op.ok)
		return tensor_end(&op, 0);
	if (dims == NULL)
		fail(&d, ADZE_E_ARGUMENT, "there are no dims");
	else
		shape_parse(dims, strlen(dims), tensor_type(&op, x.id)->dtype, &to, &d);
	if (d.status != ADZE_OK)
		tensor_fail(&op, d.status, "%s", d.text);
	return tensor_end(&op, op.ok ? tensor_fit(&op, x.id, &to) : 0);
}

adze_tensor(adze_slice)(adze_tensor x, const char *axis, int64_t from, int64_t to, int64_t step)
{
	struct tensor_op op = tensor_begin("slice", &x, 1);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	if (k < 0)
		return tensor_end(&op, 0);
	const adze_shape *s = tensor_type(&op, x.id);
	struct attrs_slice attrs;
	memset(&attrs, 0, sizeof attrs);
	attrs.start.n = attrs.limit.n = attrs.stride.n = s->rank;
	for (int i = 0; i < s->rank; i++) {
		attrs.limit.at[i] = s->dim[i].size;
		attrs.stride.at[i] = 1;
	}
	attrs.start.at[k] = from < 0 ? from + s->dim[k].size : from;
	attrs.limit.at[k] = to < 0 ? to + s->dim[k].size : to;
	attrs.stride.at[k] = step;
	return tensor_end(&op, ir_emit1(op.graph, OP_SLICE, x.id, &attrs, NULL));
}

adze_tensor(adze_reverse)(adze_tensor x, const char *axes)
{
	struct tensor_op op = tensor_begin("reverse", &x, 1);
	struct attrs_axes attrs;
	ir_val y = 0;
	if (op.ok && tensor_axes(&op, x.id, axes, &attrs.axes))
		y = ir_emit1(op.graph, OP_REVERSE, x.id, &attrs, NULL);
	return tensor_end(&op, y);
}

adze_tensor(adze_bitcast)(adze_tensor x, adze_dtype dtype)
{
	struct tensor_op op = tensor_begin("bitcast", &x, 1);
	if (op.ok && (unsigned)dtype >= ADZE_DTYPE_COUNT)
		tensor_fail(&op, ADZE_E_ARGUMENT, "element type %d does not exist", (int)dtype);
	if (!op.ok)
		return tensor_end(&op, 0);
	adze_shape to = *tensor_type(&op, x.id);
	int have = dtype_info(to.dtype)->bits, want = dtype_info(dtype)->bits;
	if (want < have && to.rank < ADZE_MAX_RANK)
		to.dim[to.rank++] = dim_make(have / want);
	else if (want > have && to.rank > 0)
		to.rank--;
	to.dtype = dtype;
	return tensor_end(&op, ir_emit1(op.graph, OP_BITCAST, x.id, NULL, &to));
}

adze_tensor(adze_barrier)(adze_tensor x)
{
	struct tensor_op op = tensor_begin("barrier", &x, 1);
	return tensor_end(&op, op.ok ? ir_emit1(op.graph, OP_BARRIER, x.id, NULL, NULL) : 0);
}

/* ---- joins and parts ---- */

adze_tensor adze_concat_at(const char *file, int line, const adze_tensor *x, size_t n,
			   const char *axis)
{
	struct tensor_op op = tensor_begin("concat", x, n);
	adze_graph_at(op.graph, file, line);
	if (n == 0 || !op.ok)
		return tensor_end(&op, 0);
	struct attrs_axis attrs = {.axis = tensor_axis_of(&op, x[0].id, axis)};
	const adze_allocator *a = op.graph->arena.from;
	ir_val few[16], *v = few, y = 0;
	if (n > COUNT_OF(few) && (v = mem_new(a, n, sizeof *v)) == NULL)
		tensor_fail(&op, ADZE_E_NOMEM, "no memory for %zu operands", n);
	if (op.ok) {
		for (size_t i = 0; i < n; i++)
			v[i] = x[i].id;
		y = ir_emit(op.graph, OP_CONCAT, v, n, &attrs, NULL);
	}
	if (v != few)
		mem_free(a, v, n, sizeof *v);
	return tensor_end(&op, y);
}

static adze_tensor pad(const char *name, adze_tensor x, const char *axis, int64_t low,
		       int64_t high, int64_t between, double value)
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	if (k < 0)
		return tensor_end(&op, 0);
	struct attrs_pad attrs;
	memset(&attrs, 0, sizeof attrs);
	attrs.low.n = attrs.high.n = tensor_type(&op, x.id)->rank;
	attrs.low.at[k] = low;
	attrs.high.at[k] = high;
	if (between != 0) {
		attrs.interior.n = attrs.low.n;
		attrs.interior.at[k] = between;
	}
	ir_val v = ir_scalar(op.graph, tensor_type(&op, x.id)->dtype, value);
	return tensor_end(&op, ir_emit2(op.graph, OP_PAD, x.id, v, &attrs));
}

adze_tensor(adze_pad)(adze_tensor x, const char *axis, int64_t low, int64_t high, double value)
{
	return pad("pad", x, axis, low, high, 0, value);
}

adze_tensor(adze_pad_between)(adze_tensor x, const char *axis, int64_t low, int64_t high,
			      int64_t between, double value)
{
	return pad("pad_between", x, axis, low, high, between, value);
}

adze_tensor(adze_take)(adze_tensor x, adze_tensor indices, const char *axis)
{
	const adze_tensor all[2] = {x, indices};
	struct tensor_op op = tensor_begin("take", all, 2);
	struct attrs_axis attrs = {.axis = op.ok ? tensor_axis_of(&op, x.id, axis) : 0};
	return tensor_end(&op, op.ok ? ir_emit2(op.graph, OP_TAKE, x.id, indices.id, &attrs) : 0);
}

/* One start an axis: `start` along `k`, zero along the others. */
static void emit_starts(struct tensor_op *op, int rank, int k, ir_val start, ir_val *out)
{
	adze_dtype dtype = tensor_type(op, start)->dtype;
	ir_val zero = rank > 1 ? ir_scalar(op->graph, dtype, 0) : 0;
	for (int i = 0; i < rank; i++)
		out[i] = i == k ? start : zero;
}

adze_tensor(adze_dynamic_slice)(adze_tensor x, const char *axis, adze_tensor start, int64_t size)
{
	const adze_tensor all[2] = {x, start};
	struct tensor_op op = tensor_begin("dynamic_slice", all, 2);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	if (k < 0)
		return tensor_end(&op, 0);
	const adze_shape *s = tensor_type(&op, x.id);
	int rank = s->rank;
	struct attrs_size attrs;
	memset(&attrs, 0, sizeof attrs);
	attrs.size.n = rank;
	for (int i = 0; i < rank; i++)
		attrs.size.at[i] = i == k ? size : s->dim[i].size;
	ir_val v[1 + ADZE_MAX_RANK] = {x.id};
	emit_starts(&op, rank, k, start.id, v + 1);
	return tensor_end(&op, ir_emit(op.graph, OP_DYNAMIC_SLICE, v, 1 + (size_t)rank, &attrs,
				       NULL));
}

adze_tensor(adze_dynamic_update)(adze_tensor x, adze_tensor update, const char *axis,
				 adze_tensor start)
{
	const adze_tensor all[3] = {x, update, start};
	struct tensor_op op = tensor_begin("dynamic_update", all, 3);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	if (k < 0)
		return tensor_end(&op, 0);
	int rank = tensor_type(&op, x.id)->rank;
	ir_val v[2 + ADZE_MAX_RANK] = {x.id, update.id};
	emit_starts(&op, rank, k, start.id, v + 2);
	return tensor_end(&op, ir_emit(op.graph, OP_DYNAMIC_UPDATE_SLICE, v, 2 + (size_t)rank,
				       NULL, NULL));
}
