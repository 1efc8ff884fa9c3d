/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms of operations with bodies of scalars: sort, scatter, reductions by the caller's functions.
 */
#include "forms.h"

#include <string.h>

/* ---- bodies ---- */

/* A body of one element-wise operation on inputs a and b of `n`; b < 0: input a itself. */
static int64_t ew_body(struct tensor_op *op, const char *name, enum ir_op id,
		       const adze_dtype *types, int n, int a, int b)
{
	adze_graph *body = op->ok ? ir_body_begin(op->graph, name) : NULL;
	ir_val in[4];
	for (int i = 0; i < n && body != NULL; i++) {
		const char input[2] = {(char)('a' + i), '\0'};
		adze_shape scalar = shape_make(types[i], 0, NULL);
		in[i] = ir_input(body, input, &scalar);
	}
	if (body != NULL)
		ir_output(body, "y", b < 0 ? in[a] : ir_emit2(body, id, in[a], in[b], NULL), 0);
	int64_t number = body != NULL ? ir_body_end(body) : 0;
	op->ok &= number != 0;
	return number;
}

/* A body that the caller's function makes, from scalars of these types to ny results. */
static int64_t run_body(struct tensor_op *op, const char *name, const adze_dtype *types, size_t n,
			adze_body *run, void *self, size_t ny)
{
	adze_graph *g = op->graph;
	adze_tensor x[2 * IR_MAX_RESULTS], y[IR_MAX_RESULTS];
	ir_val hole[2 * IR_MAX_RESULTS], result[IR_MAX_RESULTS], captured[IR_MAX_OPERANDS];
	struct ir_outline_body body = {name, result, ny, 0};
	struct ir_outline o = {.hole = hole, .nhole = n, .all = true, .body = &body, .nbody = 1};
	size_t ncaptured = 0;
	if (!op->ok)
		return 0;
	struct ir_where at = g->at;
	o.mark = (ir_val)g->nnode;
	o.mark_body = g->nbody;
	for (size_t i = 0; i < n; i++) {
		adze_shape scalar = shape_make(types[i], 0, NULL);
		hole[i] = ir_hole(g, &scalar);
		x[i] = form_of(op, hole[i]);
	}
	memset(y, 0, sizeof y);
	run(self, x, y);
	op->ok &= g->diag.status == ADZE_OK;
	ir_at(g, at.file, at.line, at.column);
	for (size_t i = 0; i < ny && op->ok; i++) {
		result[i] = y[i].id;
		if (y[i].id == 0 || y[i].graph != g || y[i].id >= g->nnode)
			tensor_fail(op, ADZE_E_ARGUMENT, "result %zu of its function is %s", i,
				    y[i].id == 0 ? "the null tensor" : "no value of the graph");
	}
	if (op->ok && ir_outline(g, &o, captured, &ncaptured) != ADZE_OK)
		op->ok = false;
	if (op->ok && ncaptured > 0)
		tensor_fail(op, ADZE_E_ARGUMENT,
			    "its function uses a tensor that it is not given, and no constant");
	return op->ok ? body.number : 0;
}

/* The results of an operation that has several, or one. */
static adze_status give(struct tensor_op *op, enum ir_op id, const ir_val *args, size_t narg,
			const void *attrs, adze_tensor *y, size_t n)
{
	struct ir_results r = {.n = 0};
	ir_val v = op->ok ? ir_emit(op->graph, id, args, narg, attrs, NULL) : 0;
	bool known = v != 0 && ir_results(op->graph, v, &r) && r.n == n;
	for (size_t i = 0; i < n; i++) {
		struct attrs_part part = {.index = (int64_t)i};
		ir_val one = !known ? 0
			     : n == 1 ? v
				      : ir_emit1(op->graph, OP_PART, v, &part, &r.type[i]);
		y[i] = form_end(op, form_of(op, one));
	}
	return op->graph != NULL ? op->graph->diag.status : ADZE_E_ARGUMENT;
}

static struct tensor_op begin_at(const char *name, const char *file, int line,
				 const adze_tensor *x, size_t n)
{
	struct tensor_op op = tensor_begin(name, x, n);
	if (op.graph != NULL)
		adze_graph_at(op.graph, file, line);
	if (op.ok && (n == 0 || n > IR_MAX_RESULTS))
		tensor_fail(&op, ADZE_E_LIMIT, "it takes 1 to %d tensors, not %zu",
			    IR_MAX_RESULTS, n);
	return op;
}

/* ---- sort ---- */

/* x and, where `places` is asked for, what stood where. */
static adze_tensor sort(struct tensor_op *op, adze_tensor x, const char *axis, bool descending,
			bool places)
{
	int k = op->ok ? tensor_axis_of(op, x.id, axis) : -1;
	if (k < 0)
		return form_of(op, 0);
	const adze_shape *s = tensor_type(op, x.id);
	const adze_dtype types[4] = {s->dtype, s->dtype, ADZE_I32, ADZE_I32};
	ir_val args[2] = {x.id, places ? form_iota(op, s, ADZE_I32, k).id : 0};
	struct attrs_sort attrs = {.axis = k};
	adze_tensor y[2];
	attrs.body = ew_body(op, descending ? "descending" : "ascending", OP_BEFORE, types,
			     places ? 4 : 2, descending, !descending);
	give(op, OP_SORT, args, places ? 2 : 1, &attrs, y, places ? 2 : 1);
	return y[places];
}

adze_tensor(adze_sort)(adze_tensor x, const char *axis, bool descending)
{
	struct tensor_op op = tensor_begin("sort", &x, 1);
	return form_end(&op, sort(&op, x, axis, descending, false));
}

adze_tensor(adze_argsort)(adze_tensor x, const char *axis, bool descending)
{
	struct tensor_op op = tensor_begin("argsort", &x, 1);
	return form_end(&op, sort(&op, x, axis, descending, true));
}

/* Element `k` in order; negative: the middle one. */
static adze_tensor ranked(const char *name, adze_tensor x, const char *axis, int64_t k)
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	int at = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	if (at < 0)
		return form_end(&op, x);
	const adze_dim *d = &tensor_type(&op, x.id)->dim[at];
	if (!dim_is_static(d))
		return form_end(&op, form_refuse(&op, x, "the axis has a symbol"));
	if (d->size == 0 || k >= d->size)
		return form_end(&op, form_refuse(&op, x, "there are not as many elements"));
	adze_tensor y = sort(&op, x, axis, false, false);
	return form_end(&op, (adze_choose)(y, axis, k < 0 ? (d->size - 1) / 2 : k));
}

adze_tensor(adze_kth_value)(adze_tensor x, const char *axis, int64_t k)
{
	return ranked("kth_value", x, axis, k < 0 ? INT64_MAX : k);
}

adze_tensor(adze_median)(adze_tensor x, const char *axis)
{
	return ranked("median", x, axis, -1);
}

adze_status adze_sort_by_at(const char *file, int line, const adze_tensor *x, size_t n,
			    const char *axis, adze_body *before, void *self, adze_tensor *y)
{
	struct tensor_op op = begin_at("sort_by", file, line, x, n);
	struct attrs_sort attrs = {.axis = op.ok ? tensor_axis_of(&op, x[0].id, axis) : -1};
	adze_dtype types[2 * IR_MAX_RESULTS];
	ir_val args[IR_MAX_RESULTS];
	for (size_t i = 0; i < n && op.ok; i++) {
		args[i] = x[i].id;
		types[2 * i] = types[2 * i + 1] = tensor_type(&op, x[i].id)->dtype;
	}
	attrs.body = run_body(&op, "before", types, 2 * n, before, self, 1);
	return give(&op, OP_SORT, args, n, &attrs, y, n);
}

/* ---- scatter ---- */

static adze_tensor scatter(struct tensor_op *op, adze_tensor x, adze_tensor at, adze_tensor u,
			   struct attrs_scatter *a, adze_update how)
{
	static const struct {
		const char *name;
		enum ir_op op;
	} join[] = {{"set", OP_NONE}, {"add", OP_ADD}, {"mul", OP_MUL}, {"max", OP_MAX},
		    {"min", OP_MIN}};
	if (op->ok && (unsigned)how >= COUNT_OF(join))
		tensor_fail(op, ADZE_E_ARGUMENT, "there is no such way to update");
	if (!op->ok)
		return form_of(op, 0);
	adze_dtype dtype = tensor_type(op, x.id)->dtype;
	const adze_dtype types[2] = {dtype, dtype};
	const ir_val args[3] = {x.id, at.id, u.id};
	bool set = join[how].op == OP_NONE;
	a->body = ew_body(op, join[how].name, join[how].op, types, 2, set, set ? -1 : 1);
	return form_of(op, op->ok ? ir_emit(op->graph, OP_SCATTER, args, 3, a, NULL) : 0);
}

adze_tensor(adze_scatter)(adze_tensor x, adze_tensor indices, adze_tensor updates,
			  const char *axis, adze_update how)
{
	const adze_tensor all[3] = {x, indices, updates};
	struct tensor_op op = tensor_begin("scatter", all, 3);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	if (k < 0)
		return form_end(&op, x);
	int rank = tensor_type(&op, x.id)->rank;
	struct attrs_scatter a = {.inserted = {.n = 1, .at = {k}}, .map = {.n = 1, .at = {k}},
				  .vector = rank};
	if (tensor_type(&op, indices.id)->rank != rank)
		return form_end(&op, form_refuse(&op, indices, "indices have the axes of x"));
	for (int i = 0; i < rank; i++) {
		if (i == k)
			continue;
		a.batch_x.at[a.batch_x.n++] = i;
		a.batch_at.at[a.batch_at.n++] = i;
	}
	return form_end(&op, scatter(&op, x, indices, updates, &a, how));
}

adze_tensor(adze_scatter_nd)(adze_tensor x, adze_tensor at, adze_tensor updates, const char *axes,
			     adze_update how)
{
	const adze_tensor all[3] = {x, at, updates};
	struct tensor_op op = tensor_begin("scatter_nd", all, 3);
	struct attrs_scatter a;
	bool picked[ADZE_MAX_RANK] = {false};
	memset(&a, 0, sizeof a);
	if (!op.ok || !tensor_axes(&op, x.id, axes, &a.map))
		return form_end(&op, x);
	const adze_shape *xs = tensor_type(&op, x.id), *as = tensor_type(&op, at.id);
	a.vector = as->rank - 1;
	if (as->rank == 0 || !dim_is_static(&as->dim[a.vector]) ||
	    as->dim[a.vector].size != a.map.n)
		return form_end(&op, form_refuse(&op, at, "its last axis has an integer for each "
							  "axis"));
	for (int i = 0; i < a.map.n; i++)
		picked[a.map.at[i]] = true;
	for (int i = 0; i < xs->rank; i++)
		if (picked[i])
			a.inserted.at[a.inserted.n++] = i;
	for (int i = 0; i < xs->rank - a.map.n; i++)
		a.window.at[a.window.n++] = a.vector + i;
	return form_end(&op, scatter(&op, x, at, updates, &a, how));
}

static adze_tensor index_add(struct tensor_op *op, adze_tensor x, adze_tensor indices,
			     adze_tensor updates, int axis)
{
	struct attrs_scatter a = {.inserted = {.n = 1, .at = {axis}},
				  .map = {.n = 1, .at = {axis}}, .vector = 1};
	if (tensor_type(op, indices.id)->rank != 1)
		return form_refuse(op, indices, "indices have one axis");
	for (int i = 0; i < tensor_type(op, x.id)->rank; i++)
		if (i != axis)
			a.window.at[a.window.n++] = i;
	return scatter(op, x, indices, updates, &a, ADZE_UPDATE_ADD);
}

adze_tensor(adze_index_add)(adze_tensor x, adze_tensor indices, adze_tensor updates,
			    const char *axis)
{
	const adze_tensor all[3] = {x, indices, updates};
	struct tensor_op op = tensor_begin("index_add", all, 3);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	return form_end(&op, k < 0 ? x : index_add(&op, x, indices, updates, k));
}

adze_tensor(adze_segment_sum)(adze_tensor x, adze_tensor ids, const char *axis, const char *dim)
{
	const adze_tensor all[2] = {x, ids};
	struct tensor_op op = tensor_begin("segment_sum", all, 2);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	adze_shape to, one;
	if (k < 0)
		return form_end(&op, x);
	to = *tensor_type(&op, x.id);
	if (shape_parse(dim, strlen(dim), to.dtype, &one, &op.graph->diag) != ADZE_OK)
		return form_end(&op, x);
	if (one.rank != 1)
		return form_end(&op, form_refuse(&op, x, "one axis takes the place of another"));
	to.dim[k] = one.dim[0];
	adze_tensor zero = form_spread(&op, f_num(x, 0), &to, &(struct ir_dims){.n = 0});
	return form_end(&op, adze_is(zero) ? index_add(&op, zero, ids, x, k) : zero);
}

/* ---- reductions ---- */

/* x and init as operands, and the body that joins them. */
static int64_t reduction(struct tensor_op *op, const adze_tensor *x, size_t n,
			 const adze_tensor *init, adze_body *join, void *self, ir_val *args)
{
	adze_dtype types[2 * IR_MAX_RESULTS];
	for (size_t i = 0; i < n && op->ok; i++) {
		const adze_tensor pair[2] = {x[i], init[i]};
		op->ok &= tensor_begin(op->name, pair, 2).ok;
		if (!op->ok)
			return 0;
		args[i] = x[i].id;
		args[n + i] = init[i].id;
		types[i] = types[n + i] = tensor_type(op, x[i].id)->dtype;
	}
	return run_body(op, "join", types, 2 * n, join, self, n);
}

adze_status adze_reduce_by_at(const char *file, int line, const adze_tensor *x, size_t n,
			      const adze_tensor *init, const char *axes, adze_body *join,
			      void *self, adze_tensor *y)
{
	struct tensor_op op = begin_at("reduce_by", file, line, x, n);
	struct attrs_reduce_body a;
	ir_val args[2 * IR_MAX_RESULTS];
	memset(&a, 0, sizeof a);
	if (op.ok)
		form_axes(&op, x[0], axes, &a.axes);
	a.body = reduction(&op, x, n, init, join, self, args);
	return give(&op, OP_REDUCE_BODY, args, 2 * n, &a, y, n);
}

static struct ir_dims window_list(const int64_t *from, int rank, int64_t otherwise)
{
	struct ir_dims d = {.n = rank};
	for (int i = 0; i < rank; i++)
		d.at[i] = from[i] != 0 ? from[i] : otherwise;
	return d;
}

adze_status adze_reduce_window_by_at(const char *file, int line, const adze_tensor *x, size_t n,
				     const adze_tensor *init, const adze_moving *window,
				     adze_body *join, void *self, adze_tensor *y)
{
	struct tensor_op op = begin_at("reduce_window_by", file, line, x, n);
	int rank = op.ok ? tensor_type(&op, x[0].id)->rank : 0;
	ir_val args[2 * IR_MAX_RESULTS];
	struct attrs_window_body a = {
		.window = window_list(window->size, rank, 1),
		.stride = window_list(window->stride, rank, 1),
		.low = window_list(window->low, rank, 0),
		.high = window_list(window->high, rank, 0),
		.dilation = window_list(window->dilation, rank, 1),
		.base = window_list(window->base, rank, 1)};
	a.body = reduction(&op, x, n, init, join, self, args);
	return give(&op, OP_REDUCE_WINDOW_BODY, args, 2 * n, &a, y, n);
}
