/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms of shapes: parts, moved and new axes, diagonals, grids, windows along an axis; sources
 * that count or are one value; masks of places.
 */
#include "forms.h"

#include <math.h>
#include <string.h>

static adze_dtype dtype_of(adze_tensor x)
{
	return adze_tensor_shape(x).dtype;
}

int form_fixed(struct tensor_op *op, adze_tensor x, const char *axis)
{
	int k = op->ok ? tensor_axis_of(op, x.id, axis) : -1;
	if (k >= 0 && !dim_is_static(&tensor_type(op, x.id)->dim[k]))
		form_refuse(op, x, "the axis has a symbol");
	return op->ok ? k : -1;
}

adze_dim form_dim(struct tensor_op *op, int64_t extent, const char *name)
{
	adze_dim d = dim_make(extent);
	size_t n = name != NULL && strcmp(name, "_") != 0 ? strlen(name) : 0;
	if (n >= ADZE_MAX_AXIS)
		tensor_fail(op, ADZE_E_LIMIT, "'%.40s': a name has up to %d letters", name,
			    ADZE_MAX_AXIS - 1);
	else if (n > 0)
		memcpy(d.name, name, n);
	return d;
}

adze_tensor form_places(struct tensor_op *op, adze_tensor x, int axis, const int32_t *at,
			int64_t n, int64_t m)
{
	const int64_t extent[2] = {n, m};
	adze_shape s = shape_make(ADZE_I32, m > 0 ? 2 : 1, extent);
	struct attrs_axis attrs = {.axis = axis};
	ir_val list = op->ok && adze_is(x) ? ir_const(op->graph, &s, at) : 0;
	if (list == 0)
		return form_of(op, 0);
	adze_dim have = tensor_type(op, x.id)->dim[axis];
	adze_tensor y = form_of(op, ir_emit2(op->graph, OP_TAKE, x.id, list, &attrs));
	if (!adze_is(y))
		return y;
	adze_shape to = *tensor_type(op, y.id);
	memcpy(to.dim[axis].name, have.name, sizeof have.name);
	return form_reshape(op, y, &to);
}

/* ---- parts ---- */

adze_status(adze_unstack)(adze_tensor x, const char *axis, size_t n, adze_tensor *out)
{
	struct tensor_op op = tensor_begin("unstack", &x, 1);
	int k = form_fixed(&op, x, axis);
	if (k >= 0 && tensor_type(&op, x.id)->dim[k].size != (int64_t)n)
		form_refuse(&op, x, "the axis has another number of elements");
	for (size_t i = 0; i < n && op.ok; i++)
		out[i] = (adze_choose)(x, axis, (int64_t)i);
	adze_tensor y = form_end(&op, x);
	for (size_t i = 0; i < n && !adze_is(y); i++)
		out[i] = y;
	return adze_is(y) ? ADZE_OK : op.graph == NULL ? ADZE_E_ARGUMENT : op.graph->diag.status;
}

adze_tensor(adze_move_axis)(adze_tensor x, const char *axis, int at)
{
	struct tensor_op op = tensor_begin("move_axis", &x, 1);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1, n = 0;
	if (k < 0)
		return form_end(&op, x);
	int rank = tensor_type(&op, x.id)->rank, to = at < 0 ? at + rank : at;
	if (to < 0 || to >= rank)
		return form_end(&op, form_refuse(&op, x, "there is no such place for an axis"));
	struct attrs_axes attrs = {.axes = {.n = rank}};
	for (int i = 0; i < rank; i++) {
		n += n == k;
		attrs.axes.at[i] = i == to ? k : n++;
	}
	return form_end(&op, form_of(&op, ir_emit1(op.graph, OP_TRANSPOSE, x.id, &attrs, NULL)));
}

adze_tensor(adze_to_last)(adze_tensor x, const char *axes)
{
	struct tensor_op op = tensor_begin("to_last", &x, 1);
	struct ir_dims list;
	if (!op.ok || !tensor_axes(&op, x.id, axes, &list))
		return form_end(&op, x);
	int rank = tensor_type(&op, x.id)->rank, first = rank - (int)list.n, n = 0;
	bool listed[ADZE_MAX_RANK] = {false};
	struct attrs_axes attrs = {.axes = {.n = rank}};
	for (int64_t k = 0; k < list.n; k++) {
		listed[list.at[k]] = true;
		attrs.axes.at[first + k] = list.at[k];
	}
	for (int i = 0; i < rank; i++)
		if (!listed[i])
			attrs.axes.at[n++] = i;
	return form_end(&op, form_of(&op, ir_emit1(op.graph, OP_TRANSPOSE, x.id, &attrs, NULL)));
}

/* ---- boxes: the listed axes at once ---- */

adze_tensor(adze_slice_box)(adze_tensor x, const char *axes, const int64_t *from,
			    const int64_t *to)
{
	struct tensor_op op = tensor_begin("slice_box", &x, 1);
	struct ir_dims list;
	struct attrs_slice a;
	memset(&a, 0, sizeof a);
	if (op.ok && (from == NULL || to == NULL))
		form_refuse(&op, x, "there are no places");
	if (!op.ok || !tensor_axes(&op, x.id, axes, &list))
		return form_end(&op, x);
	const adze_shape *s = tensor_type(&op, x.id);
	a.start.n = a.limit.n = s->rank;
	for (int i = 0; i < s->rank; i++)
		a.limit.at[i] = s->dim[i].size;
	for (int64_t k = 0; k < list.n; k++) {
		int64_t i = list.at[k], size = s->dim[i].size;
		a.start.at[i] = from[k] < 0 ? from[k] + size : from[k];
		a.limit.at[i] = to[k] < 0 ? to[k] + size : to[k];
	}
	return form_end(&op, form_of(&op, ir_emit1(op.graph, OP_SLICE, x.id, &a, NULL)));
}

/* x, `more` operands, and a start for each axis: those given, 0 for the others. */
static adze_tensor with_starts(struct tensor_op *op, enum ir_op id, adze_tensor x,
			       const adze_tensor *update, const char *axes,
			       const adze_tensor *start, const int64_t *size)
{
	struct ir_dims list;
	struct attrs_size attrs = {.size = {.n = 0}};
	ir_val v[2 + ADZE_MAX_RANK] = {x.id, update != NULL ? update->id : 0};
	size_t first = update != NULL ? 2 : 1;
	if (!op->ok || !tensor_axes(op, x.id, axes, &list))
		return x;
	if (start == NULL || (update == NULL && size == NULL))
		return form_refuse(op, x, "there are no places");
	int rank = tensor_type(op, x.id)->rank;
	adze_tensor all[1 + ADZE_MAX_RANK] = {x};
	memcpy(all + 1, start, (size_t)list.n * sizeof *start);
	struct tensor_op check = tensor_begin(op->name, all, 1 + (size_t)list.n);
	op->ok = check.ok;
	for (int i = 0; i < rank && op->ok; i++) {
		v[first + (size_t)i] = ir_scalar(op->graph, ADZE_I32, 0);
		attrs.size.at[i] = tensor_type(op, x.id)->dim[i].size;
	}
	for (int64_t k = 0; k < list.n && op->ok; k++) {
		v[first + (size_t)list.at[k]] = start[k].id;
		attrs.size.at[list.at[k]] = size != NULL ? size[k] : 0;
	}
	attrs.size.n = rank;
	return form_of(op, op->ok ? ir_emit(op->graph, id, v, first + (size_t)rank,
					    update != NULL ? NULL : (const void *)&attrs, NULL)
				  : 0);
}

adze_tensor(adze_dynamic_slice_box)(adze_tensor x, const char *axes, const adze_tensor *start,
				    const int64_t *size)
{
	struct tensor_op op = tensor_begin("dynamic_slice_box", &x, 1);
	return form_end(&op, with_starts(&op, OP_DYNAMIC_SLICE, x, NULL, axes, start, size));
}

adze_tensor(adze_dynamic_update_box)(adze_tensor x, adze_tensor update, const char *axes,
				     const adze_tensor *start)
{
	const adze_tensor all[2] = {x, update};
	struct tensor_op op = tensor_begin("dynamic_update_box", all, 2);
	return form_end(&op, with_starts(&op, OP_DYNAMIC_UPDATE_SLICE, x, &update, axes, start,
					 NULL));
}

adze_tensor(adze_expand)(adze_tensor x, int at, const char *dim)
{
	struct tensor_op op = tensor_begin("expand", &x, 1);
	struct diag d = {ADZE_OK, ""};
	adze_shape more;
	if (!op.ok)
		return form_end(&op, x);
	if (dim == NULL || shape_parse(dim, strlen(dim), ADZE_I64, &more, &d) != ADZE_OK ||
	    more.rank != 1)
		return form_end(&op, form_refuse(&op, x, "the new axis is one, as in \"h=4\""));
	adze_shape to = *tensor_type(&op, x.id);
	struct ir_dims axes = {.n = to.rank};
	int place = at < 0 ? at + to.rank + 1 : at;
	if (place < 0 || place > to.rank)
		return form_end(&op, form_refuse(&op, x, "there is no such place for an axis"));
	for (int i = 0; i < to.rank; i++)
		axes.at[i] = i + (i >= place);
	if (!form_insert(&op, &to, place, more.dim[0]))
		return form_end(&op, x);
	return form_end(&op, form_spread(&op, x, &to, &axes));
}

adze_tensor(adze_broadcast_like)(adze_tensor x, adze_tensor like)
{
	const adze_tensor all[2] = {x, like};
	struct tensor_op op = tensor_begin("broadcast_like", all, 2);
	adze_shape to = adze_tensor_shape(like);
	to.dtype = dtype_of(x);
	return form_end(&op, form_of(&op, op.ok ? tensor_fit(&op, x.id, &to) : 0));
}

adze_tensor(adze_tile)(adze_tensor x, const int64_t *times)
{
	struct tensor_op op = tensor_begin("tile", &x, 1);
	static const char *const axis[] = {"0", "1", "2", "3", "4", "5", "6", "7"};
	int rank = op.ok ? tensor_type(&op, x.id)->rank : 0;
	if (op.ok && times == NULL && rank > 0)
		form_refuse(&op, x, "there are no numbers of times");
	adze_tensor y = x;
	for (int i = 0; i < rank && op.ok; i++)
		if (times[i] != 1)
			y = (adze_repeat)(y, axis[i], times[i]);
	return form_end(&op, y);
}

adze_tensor(adze_pad_all)(adze_tensor x, const int64_t *low, const int64_t *high, double value)
{
	struct tensor_op op = tensor_begin("pad_all", &x, 1);
	struct attrs_pad attrs;
	memset(&attrs, 0, sizeof attrs);
	int rank = op.ok ? tensor_type(&op, x.id)->rank : 0;
	if (op.ok && (low == NULL || high == NULL))
		form_refuse(&op, x, "there are no numbers of places");
	if (!op.ok)
		return form_end(&op, x);
	attrs.low.n = attrs.high.n = rank;
	for (int i = 0; i < rank; i++) {
		attrs.low.at[i] = low[i];
		attrs.high.at[i] = high[i];
	}
	adze_tensor v = f_num(x, value);
	return form_end(&op, form_of(&op, ir_emit2(op.graph, OP_PAD, x.id, v.id, &attrs)));
}

adze_tensor(adze_rot90)(adze_tensor x, const char *from, const char *to, int quarters)
{
	struct tensor_op op = tensor_begin("rot90", &x, 1);
	int i = op.ok ? tensor_axis_of(&op, x.id, from) : -1;
	int j = i >= 0 ? tensor_axis_of(&op, x.id, to) : -1, turn = quarters & 3;
	if (j >= 0 && i == j)
		form_refuse(&op, x, "both axes are one");
	if (j < 0 || !op.ok)
		return form_end(&op, x);
	struct attrs_axes swap = {.axes = {.n = tensor_type(&op, x.id)->rank}};
	struct attrs_axes back = {.axes = {.n = 0}};
	for (int k = 0; k < swap.axes.n; k++)
		swap.axes.at[k] = k == i ? j : k == j ? i : k;
	/* A half turn reverses both; the others swap, and reverse one. */
	back.axes.n = turn == 2 ? 2 : turn != 0;
	back.axes.at[0] = turn == 3 ? j : i;
	back.axes.at[1] = turn == 2 ? j : 0;
	adze_tensor y = x;
	if (turn & 1)
		y = form_of(&op, ir_emit1(op.graph, OP_TRANSPOSE, y.id, &swap, NULL));
	if (turn != 0 && adze_is(y))
		y = form_of(&op, ir_emit1(op.graph, OP_REVERSE, y.id, &back, NULL));
	return form_end(&op, y);
}

/* Bytes along one last axis. */
adze_tensor(adze_bytes)(adze_tensor x, const char *name)
{
	struct tensor_op op = tensor_begin("bytes", &x, 1);
	adze_tensor y = op.ok && dtype_of(x) != ADZE_U8 ? (adze_bitcast)(x, ADZE_U8) : x;
	return form_end(&op, (adze_flatten)(y, name));
}

/* ---- diagonals ---- */

adze_tensor(adze_diag)(adze_tensor x, const char *row, const char *column, int64_t offset)
{
	struct tensor_op op = tensor_begin("diag", &x, 1);
	int i = form_fixed(&op, x, row), j = i >= 0 ? form_fixed(&op, x, column) : -1;
	if (j >= 0 && i == j)
		form_refuse(&op, x, "row and column are one axis");
	if (j < 0 || !op.ok)
		return form_end(&op, x);
	/* Rows and columns last; then one axis, of which every (columns + 1)-th is wanted. */
	adze_shape s = *tensor_type(&op, x.id), flat = s;
	int64_t n = s.dim[i].size, m = s.dim[j].size;
	int64_t up = offset < 0 ? -offset : 0, right = offset > 0 ? offset : 0;
	struct attrs_axes order = {.axes = {.n = s.rank}};
	struct attrs_slice cut;
	memset(&cut, 0, sizeof cut);
	if (up > n || right > m)
		return form_end(&op, form_refuse(&op, x, "the diagonal lies outside"));
	int64_t length = n - up < m - right ? n - up : m - right;
	flat.rank = 0;
	for (int k = 0; k < s.rank; k++)
		if (k != i && k != j) {
			order.axes.at[flat.rank] = k;
			flat.dim[flat.rank++] = s.dim[k];
		}
	order.axes.at[s.rank - 2] = i;
	order.axes.at[s.rank - 1] = j;
	flat.dim[flat.rank++] = dim_make(n * m);
	cut.start.n = cut.limit.n = cut.stride.n = flat.rank;
	for (int k = 0; k < flat.rank; k++) {
		cut.limit.at[k] = flat.dim[k].size;
		cut.stride.at[k] = 1;
	}
	int last = flat.rank - 1;
	cut.start.at[last] = length > 0 ? up * m + right : 0;
	cut.limit.at[last] = cut.start.at[last] + (length > 0 ? (length - 1) * (m + 1) + 1 : 0);
	cut.stride.at[last] = m + 1;
	adze_tensor y = form_of(&op, ir_emit1(op.graph, OP_TRANSPOSE, x.id, &order, NULL));
	y = form_reshape(&op, y, &flat);
	if (adze_is(y))
		y = form_of(&op, ir_emit1(op.graph, OP_SLICE, y.id, &cut, NULL));
	return form_end(&op, y);
}

adze_tensor(adze_trace)(adze_tensor x, const char *row, const char *column)
{
	struct tensor_op op = tensor_begin("trace", &x, 1);
	return form_end(&op, (adze_sum)((adze_diag)(x, row, column, 0), "-1"));
}

adze_tensor(adze_to_diagonal)(adze_tensor x, const char *axis, int64_t offset, const char *column)
{
	struct tensor_op op = tensor_begin("to_diagonal", &x, 1);
	int k = form_fixed(&op, x, axis);
	int64_t far = offset < 0 ? -offset : offset;
	if (k < 0)
		return form_end(&op, x);
	if (far > INT32_MAX)
		return form_end(&op, form_refuse(&op, x, "the offset is too large"));
	/* Rows: x along its axis, padded to the square; spread over columns; masked. */
	adze_tensor y = (adze_pad)(x, axis, offset < 0 ? far : 0, offset > 0 ? far : 0, 0);
	if (!adze_is(y))
		return form_end(&op, y);
	adze_shape to = *tensor_type(&op, y.id);
	struct ir_dims axes = {.n = to.rank};
	for (int i = 0; i < to.rank; i++)
		axes.at[i] = i + (i > k);
	adze_dim other = form_dim(&op, to.dim[k].size, column);
	if (!op.ok || !form_insert(&op, &to, k + 1, other))
		return form_end(&op, x);
	adze_tensor at = form_iota(&op, &to, ADZE_I64, k);
	adze_tensor by = form_iota(&op, &to, ADZE_I64, k + 1);
	adze_tensor on = f_eq(f_shift(at, (double)offset), by);
	y = form_spread(&op, y, &to, &axes);
	return form_end(&op, (adze_select)(on, y, f_num(y, 0)));
}

/* ---- grids ---- */

/* Vector i as the axes of all, into out[i]. */
static bool grid(struct tensor_op *op, const adze_tensor *x, size_t n, adze_tensor *out)
{
	adze_shape to = shape_make(ADZE_F32, 0, NULL);
	if (op->ok && n > ADZE_MAX_RANK)
		tensor_fail(op, ADZE_E_LIMIT, "a grid has up to %d axes", ADZE_MAX_RANK);
	for (size_t i = 0; i < n && op->ok; i++) {
		if (tensor_type(op, x[i].id)->rank != 1)
			form_refuse(op, x[i], "it takes vectors");
		to.dim[to.rank++] = tensor_type(op, x[i].id)->dim[0];
	}
	for (int i = 0; i < to.rank; i++)
		for (int k = 0; k < i; k++)
			if (strcmp(to.dim[i].name, to.dim[k].name) == 0)
				memset(to.dim[i].name, 0, ADZE_MAX_AXIS);
	for (size_t i = 0; i < n && op->ok; i++) {
		struct ir_dims at = {.n = 1, .at = {(int64_t)i}};
		out[i] = form_spread(op, x[i], &to, &at);
	}
	return op->ok;
}

adze_status(adze_meshgrid)(const adze_tensor *x, size_t n, adze_tensor *out)
{
	struct tensor_op op = tensor_begin("meshgrid", x, n);
	adze_tensor y = n > 0 ? x[0] : form_of(&op, 0);
	grid(&op, x, n, out);
	y = form_end(&op, y);
	for (size_t i = 0; i < n && !adze_is(y); i++)
		out[i] = y;
	return adze_is(y) ? ADZE_OK : op.graph == NULL ? ADZE_E_ARGUMENT : op.graph->diag.status;
}

adze_tensor adze_cartesian_at(const char *file, int line, const adze_tensor *x, size_t n,
			      const char *name)
{
	struct tensor_op op = tensor_begin("cartesian", x, n);
	adze_tensor part[ADZE_MAX_RANK], y = form_of(&op, 0);
	adze_graph_at(op.graph, file, line);
	if (n > 0 && grid(&op, x, n, part))
		y = adze_stack_at(file, line, part, n, -1, name);
	return form_end(&op, y);
}

adze_tensor(adze_windows)(adze_tensor x, const char *axis, int64_t size, int64_t step,
			  const char *name)
{
	struct tensor_op op = tensor_begin("windows", &x, 1);
	int k = form_fixed(&op, x, axis);
	int64_t extent = k >= 0 ? tensor_type(&op, x.id)->dim[k].size : 0;
	if (k >= 0 && (size < 1 || step < 1 || size > extent || extent > INT32_MAX))
		form_refuse(&op, x, "such windows do not fit into the axis");
	if (!op.ok)
		return form_end(&op, x);
	int64_t n = (extent - size) / step + 1;
	const adze_allocator *a = op.graph->arena.from;
	int32_t *at = n * size <= INT32_MAX ? mem_new(a, (size_t)(n * size), sizeof *at) : NULL;
	if (at == NULL) {
		tensor_fail(&op, ADZE_E_NOMEM, "no memory for the places");
		return form_end(&op, x);
	}
	for (int64_t i = 0; i < n * size; i++)
		at[i] = (int32_t)(i / size * step + i % size);
	adze_tensor y = form_places(&op, x, k, at, n, size);
	mem_free(a, at, (size_t)(n * size), sizeof *at);
	adze_dim inner = form_dim(&op, size, name);
	if (op.ok && adze_is(y)) {
		adze_shape to = *tensor_type(&op, y.id);
		to.dim[k + 1] = inner;
		y = form_reshape(&op, y, &to);
	}
	return form_end(&op, y);
}

/* ---- sources ---- */

adze_tensor(adze_zeros)(adze_graph *graph, adze_dtype dtype, const char *dims)
{
	struct tensor_op op = tensor_begin_graph("zeros", graph);
	return form_end(&op, (adze_full)(graph, dtype, dims, 0));
}

adze_tensor(adze_ones)(adze_graph *graph, adze_dtype dtype, const char *dims)
{
	struct tensor_op op = tensor_begin_graph("ones", graph);
	return form_end(&op, (adze_full)(graph, dtype, dims, 1));
}

adze_tensor(adze_full_like)(adze_tensor x, double value)
{
	struct tensor_op op = tensor_begin("full_like", &x, 1);
	return form_end(&op, (adze_broadcast_like)(f_num(x, value), x));
}

adze_tensor(adze_zeros_like)(adze_tensor x)
{
	struct tensor_op op = tensor_begin("zeros_like", &x, 1);
	return form_end(&op, (adze_full_like)(x, 0));
}

adze_tensor(adze_ones_like)(adze_tensor x)
{
	struct tensor_op op = tensor_begin("ones_like", &x, 1);
	return form_end(&op, (adze_full_like)(x, 1));
}

adze_tensor(adze_logspace)(adze_graph *graph, adze_dtype dtype, const char *dim, double from,
			   double to, double base)
{
	struct tensor_op op = tensor_begin_graph("logspace", graph);
	adze_tensor at = (adze_linspace)(graph, ADZE_F64, dim, from, to);
	return form_end(&op, (adze_convert)(f_pow(f_num(at, base), at), dtype));
}

/* ---- masks ---- */

adze_tensor(adze_causal_mask)(adze_graph *graph, const char *dims, int64_t window)
{
	struct tensor_op op = tensor_begin_graph("causal_mask", graph);
	adze_tensor i = (adze_iota)(graph, ADZE_I32, dims, "-2");
	adze_tensor j = (adze_iota)(graph, ADZE_I32, dims, "-1");
	if (op.ok && (window < 0 || window > INT32_MAX))
		tensor_fail(&op, ADZE_E_ARGUMENT, "a window has 0 (all) or more places");
	/* The last query sees the last key. */
	adze_tensor first = f_sub((adze_extent)(j, "-1"), (adze_extent)(j, "-2"));
	adze_tensor at = f_add(i, first), see = f_le(j, at);
	if (window > 0)
		see = f_and(see, f_gt(j, f_shift(at, -(double)window)));
	return form_end(&op, see);
}

adze_tensor(adze_sequence_mask)(adze_tensor lengths, const char *dim)
{
	struct tensor_op op = tensor_begin("sequence_mask", &lengths, 1);
	if (op.ok && !dtype_is_int(dtype_of(lengths)))
		form_refuse(&op, lengths, "it takes integers");
	adze_tensor n = (adze_expand)((adze_convert)(lengths, ADZE_I64), -1, dim);
	adze_shape to = adze_tensor_shape(n);
	adze_tensor i = form_iota(&op, &to, ADZE_I64, to.rank > 0 ? to.rank - 1 : 0);
	return form_end(&op, f_lt(i, n));
}
