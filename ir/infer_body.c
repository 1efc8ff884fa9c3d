/* SPDX-License-Identifier: Apache-2.0
 *
 * Type rules of operations whose bodies work on scalars.
 */
#include "ir/infer.h"

#include <stdio.h>

#define ELEMENTS (DTYPE_BOOL | DTYPE_INT | DTYPE_UINT | DTYPE_FLOAT | DTYPE_COMPLEX)

/* Words about one operand. */
static adze_status refuse_operand(const struct ask *q, size_t i, const char *words)
{
	char all[SHAPE_TEXT + 200], shape[SHAPE_TEXT];
	snprintf(all, sizeof all, "operand %zu, %s, %s", i,
		 shape_print(infer_type(q, i), shape, sizeof shape), words);
	return infer_refuse(q, all);
}

/* A body on scalars has element-wise operations and constants alone. */
static adze_status check_scalars(const struct ask *q, int64_t body)
{
	const adze_graph *b = ir_body(q->g, body);
	char words[SHAPE_TEXT + 200], shape[SHAPE_TEXT];
	for (ir_val v = 1; v < b->nnode; v++) {
		enum ir_op op = (enum ir_op)ir_get(b, v)->op;
		words[0] = '\0';
		if (ir_class(b, v) != CLASS_EW && op != OP_INPUT && op != OP_CONST)
			snprintf(words, sizeof words,
				 "body '%.60s' has %s, which is not element-wise", b->name,
				 op_info(op)->name);
		else if (ir_type(b, v)->rank != 0)
			snprintf(words, sizeof words, "body '%.60s' works on %s, not on scalars",
				 b->name, shape_print(ir_type(b, v), shape, sizeof shape));
		if (words[0] != '\0')
			return infer_refuse(q, words);
	}
	return ADZE_OK;
}

/* A body from scalars of these types to scalars of those. */
adze_status infer_body_scalars(const struct ask *q, int64_t body, const adze_dtype *takes,
			       size_t ntake, const adze_dtype *gives, size_t ngive)
{
	adze_shape types[2 * IR_MAX_RESULTS];
	for (size_t i = 0; i < ntake; i++)
		types[i] = shape_make(takes[i], 0, NULL);
	TRY(infer_body_takes(q, body, types, ntake));
	for (size_t i = 0; i < ngive; i++)
		types[i] = shape_make(gives[i], 0, NULL);
	TRY(infer_body_gives(q, body, types, ngive));
	return check_scalars(q, body);
}

/* The element types of operands 0 .. n, twice; they have one shape, whose names go to *shape. */
static adze_status same_shapes(const struct ask *q, size_t n, adze_dtype *types,
			       adze_shape *shape)
{
	if (n > IR_MAX_RESULTS)
		return infer_refuse(q, "it has more than 64 results");
	*shape = *infer_type(q, 0);
	for (size_t i = 0; i < n; i++) {
		const adze_shape *x = infer_type(q, i);
		types[i] = types[n + i] = x->dtype;
		if (!dtype_taken(x->dtype, ELEMENTS))
			return refuse_operand(q, i, "has elements of less than a byte");
		if (!shape_same_extents(x, shape))
			return refuse_operand(q, i, "has another shape than the first");
		if (!infer_merge_names(shape, x))
			return refuse_operand(q, i, "has other names of axes than those before");
	}
	return ADZE_OK;
}

/* Results of one shape, of these element types. */
static adze_status give(struct ask *q, const adze_shape *shape, const adze_dtype *types, size_t n)
{
	adze_shape result[IR_MAX_RESULTS];
	for (size_t i = 0; i < n; i++) {
		result[i] = *shape;
		result[i].dtype = types[i];
	}
	return infer_results(q, result, n);
}

/* n operands of one shape, n scalars of their types, and a body that joins two of each. */
static adze_status check_reduction(const struct ask *q, int64_t body, adze_dtype *types,
				   adze_shape *shape)
{
	size_t n = q->narg / 2;
	if (q->narg % 2 != 0)
		return infer_refuse(q, "it takes operands and as many scalars to begin with");
	TRY(same_shapes(q, n, types, shape));
	for (size_t i = 0; i < n; i++)
		if (infer_type(q, n + i)->rank != 0 || infer_type(q, n + i)->dtype != types[i])
			return refuse_operand(q, n + i, "must be a scalar of its operand's type");
	return infer_body_scalars(q, body, types, 2 * n, types, n);
}

adze_status infer_reduce_body(struct ask *q)
{
	const struct attrs_reduce_body *a = q->attrs;
	adze_dtype types[2 * IR_MAX_RESULTS];
	adze_shape x, y;
	bool gone[ADZE_MAX_RANK];
	TRY(check_reduction(q, a->body, types, &x));
	if (!infer_axis_set(&a->axes, x.rank, gone))
		return infer_refuse(q, "axes are not there, or stand twice");
	y = shape_make(x.dtype, 0, NULL);
	for (int i = 0; i < x.rank; i++)
		if (!gone[i])
			y.dim[y.rank++] = x.dim[i];
	return give(q, &y, types, q->narg / 2);
}

/* Lists with a number for each axis, or none. */
static bool window_lists(const struct attrs_window_body *w, int rank)
{
	return w->window.n == rank && infer_list_ok(&w->window, rank, 1) &&
	       infer_list_ok(&w->stride, rank, 1) && infer_list_ok(&w->dilation, rank, 1) &&
	       infer_list_ok(&w->base, rank, 1) && infer_list_ok(&w->low, rank, -INT32_MAX) &&
	       infer_list_ok(&w->high, rank, -INT32_MAX);
}

/* Windows along each axis of `x` into *y, which is `x` so far. */
static adze_status count_windows(const struct ask *q, const struct attrs_window_body *w,
				 const adze_shape *x, adze_shape *y)
{
	if (!window_lists(w, x->rank))
		return infer_refuse(q, "the window has one number an axis; sizes, strides and "
				       "dilations are positive");
	for (int i = 0; i < x->rank; i++) {
		int64_t size = w->window.at[i], stride = dims_or(&w->stride, i, 1);
		int64_t low = dims_or(&w->low, i, 0), high = dims_or(&w->high, i, 0);
		int64_t base = dims_or(&w->base, i, 1), n = x->dim[i].size;
		if (size == 1 && stride == 1 && low == 0 && high == 0 && base == 1)
			continue;
		if (!dim_is_static(&x->dim[i]))
			return infer_refuse(q, "a window cannot move along a symbol");
		if (n > 0 && __builtin_mul_overflow(n - 1, base, &n))
			return infer_refuse(q, "the dilated operand is too large");
		n += x->dim[i].size > 0;
		y->dim[i].size = infer_window_count(n, size, stride, low, high,
						    dims_or(&w->dilation, i, 1));
		if (y->dim[i].size < 0)
			return infer_refuse(q, "the window is too large");
	}
	return ADZE_OK;
}

adze_status infer_window_body(struct ask *q)
{
	const struct attrs_window_body *w = q->attrs;
	adze_dtype types[2 * IR_MAX_RESULTS];
	adze_shape x, y;
	TRY(check_reduction(q, w->body, types, &x));
	y = x;
	TRY(count_windows(q, w, &x, &y));
	return give(q, &y, types, q->narg / 2);
}

adze_status infer_select_scatter(struct ask *q)
{
	const struct attrs_select_scatter *a = q->attrs;
	const adze_shape *x = infer_type(q, 0), *source = infer_type(q, 1);
	struct attrs_window_body w = {.window = a->window, .stride = a->stride, .low = a->low,
				      .high = a->high};
	adze_dtype types[2] = {x->dtype, x->dtype}, truth = ADZE_BOOL;
	adze_shape windows = *x;
	char words[2 * SHAPE_TEXT], shape[SHAPE_TEXT];
	if (source->dtype != x->dtype || infer_type(q, 2)->dtype != x->dtype)
		return infer_refuse(q, "element types differ");
	if (infer_type(q, 2)->rank != 0)
		return refuse_operand(q, 2, "must be a scalar");
	TRY(infer_body_scalars(q, a->select, types, 2, &truth, 1));
	TRY(infer_body_scalars(q, a->scatter, types, 2, types, 1));
	TRY(count_windows(q, &w, x, &windows));
	if (!shape_same_extents(&windows, source)) {
		snprintf(words, sizeof words, "has not an element for each window of %s",
			 shape_print(&windows, shape, sizeof shape));
		return refuse_operand(q, 1, words);
	}
	*q->out = *x;
	return ADZE_OK;
}

/* ---- scatter ---- */

static bool is_rising(const struct ir_dims *d)
{
	for (int i = 1; i < d->n; i++)
		if (d->at[i] <= d->at[i - 1])
			return false;
	return true;
}

/* Lists of axes of an operand and of the indices: in range, none twice where that matters. */
static const char *scatter_lists(const struct attrs_scatter *a, const adze_shape *x,
				 const adze_shape *at, bool *gone)
{
	bool set[ADZE_MAX_RANK], paired[ADZE_MAX_RANK];
	if (!infer_axis_set(&a->inserted, x->rank, gone) ||
	    !infer_axis_set(&a->batch_x, x->rank, paired) || !is_rising(&a->inserted) ||
	    !is_rising(&a->batch_x))
		return "inserted and batch_x list axes of the operand, rising";
	if (a->vector < 0 || a->vector > at->rank)
		return "vector is an axis of the indices, or their number of axes";
	if (!infer_axis_set(&a->map, x->rank, set))
		return "map lists axes of the operand, each once";
	for (int i = 0; i < x->rank; i++) {
		if (paired[i] && (gone[i] || set[i]))
			return "an axis of batch_x is in no other list";
		gone[i] |= paired[i];
	}
	if (!infer_axis_set(&a->batch_at, at->rank, set) || a->batch_at.n != a->batch_x.n ||
	    (a->vector < at->rank && set[a->vector]))
		return "batch_at lists an axis of the indices for each one of batch_x";
	for (int i = 0; i < a->batch_x.n; i++)
		if (!dim_same(&x->dim[a->batch_x.at[i]], &at->dim[a->batch_at.at[i]]))
			return "paired axes differ in extent";
	if (a->vector < at->rank ? !dim_is_static(&at->dim[a->vector]) ||
					   at->dim[a->vector].size != a->map.n
				 : a->map.n != 1)
		return "the vectors have a number for each axis of map";
	return NULL;
}

/* Axes of the updates: of the slice, no larger than the operand's; the others the indices'. */
static const char *update_axes(const struct attrs_scatter *a, const adze_shape *x,
			       const adze_shape *at, const adze_shape *u, const bool *gone)
{
	bool in_window[ADZE_MAX_RANK];
	int k = 0, axis = 0, whole = 0;
	for (int i = 0; i < x->rank; i++)
		whole += !gone[i];
	if (a->window.n != whole || !is_rising(&a->window) ||
	    !infer_axis_set(&a->window, u->rank, in_window))
		return "window lists the updates' axes of a slice, rising";
	if (u->rank != whole + at->rank - (a->vector < at->rank))
		return "the updates have the axes of a slice and those of the indices";
	for (int i = 0; i < u->rank; i++) {
		if (in_window[i]) {
			while (gone[k])
				k++;
			if (!dim_same(&u->dim[i], &x->dim[k]) &&
			    (!dim_is_static(&u->dim[i]) || u->dim[i].size > x->dim[k].size))
				return "a slice is larger than the operand";
			k++;
			continue;
		}
		axis += axis == a->vector;
		if (!dim_same(&u->dim[i], &at->dim[axis++]))
			return "axes of the updates and of the indices differ in extent";
	}
	return NULL;
}

adze_status infer_scatter(struct ask *q)
{
	const struct attrs_scatter *a = q->attrs;
	size_t n = q->narg / 2;
	adze_dtype types[2 * IR_MAX_RESULTS];
	adze_shape x;
	bool gone[ADZE_MAX_RANK];
	if (q->narg % 2 != 1)
		return infer_refuse(q, "it takes operands, indices, and as many updates");
	TRY(same_shapes(q, n, types, &x));
	const adze_shape *at = infer_type(q, n), *first = infer_type(q, n + 1);
	if (!dtype_is_int(at->dtype) || !dtype_taken(at->dtype, ELEMENTS))
		return refuse_operand(q, n, "must be indices: integers");
	const char *words = scatter_lists(a, &x, at, gone);
	if (words != NULL)
		return infer_refuse(q, words);
	words = update_axes(a, &x, at, first, gone);
	if (words != NULL)
		return refuse_operand(q, n + 1, words);
	for (size_t i = 0; i < n; i++) {
		const adze_shape *u = infer_type(q, n + 1 + i);
		if (u->dtype != types[i])
			return refuse_operand(q, n + 1 + i, "is of another element type than "
							    "its operand");
		if (!shape_same_extents(u, first))
			return refuse_operand(q, n + 1 + i, "has another shape than the first "
							    "updates");
	}
	TRY(infer_body_scalars(q, a->body, types, 2 * n, types, n));
	return give(q, &x, types, n);
}

/* ---- sort and map ---- */

adze_status infer_sort(struct ask *q)
{
	const struct attrs_sort *a = q->attrs;
	adze_dtype types[2 * IR_MAX_RESULTS], pairs[2 * IR_MAX_RESULTS], truth = ADZE_BOOL;
	adze_shape x;
	TRY(same_shapes(q, q->narg, types, &x));
	if (!infer_axis_ok(&x, a->axis))
		return infer_refuse(q, "there is no such axis");
	if (x.dim[a->axis].size > INT32_MAX)
		return infer_refuse(q, "the axis is too long");
	for (size_t i = 0; i < 2 * q->narg; i++)
		pairs[i] = types[i / 2];
	TRY(infer_body_scalars(q, a->body, pairs, 2 * q->narg, &truth, 1));
	return give(q, &x, types, q->narg);
}

adze_status infer_map(struct ask *q)
{
	int64_t body = ((const struct attrs_body *)q->attrs)->body;
	adze_dtype types[2 * IR_MAX_RESULTS], gives[IR_MAX_RESULTS];
	adze_shape x;
	TRY(same_shapes(q, q->narg, types, &x));
	if (body < 1 || (uint64_t)body > q->g->nbody)
		return infer_refuse(q, "it lacks a body");
	const adze_graph *b = ir_body(q->g, body);
	if (b->noutput > IR_MAX_RESULTS)
		return infer_refuse(q, "it has more than 64 results");
	for (size_t i = 0; i < b->noutput; i++)
		gives[i] = ir_type(b, b->output[i].value)->dtype;
	TRY(infer_body_scalars(q, body, types, q->narg, gives, b->noutput));
	return give(q, &x, gives, b->noutput);
}

/* Leading axes of an operand like q's: the batch, and the rows where it has those. */
static bool leads(const adze_shape *x, const adze_shape *q, int n)
{
	if (x->rank < n)
		return false;
	for (int i = 0; i < n; i++)
		if (!dim_same(&x->dim[i], &q->dim[i]))
			return false;
	return true;
}

adze_status infer_attention(struct ask *q)
{
	const struct attrs_attention *a = q->attrs;
	const adze_shape *x = infer_type(q, 0), *k = infer_type(q, 1), *v = infer_type(q, 2);
	adze_dtype takes[IR_MAX_RESULTS];
	int nb = (int)a->batch;
	if (q->narg - 2 > IR_MAX_RESULTS)
		return infer_refuse(q, "it has more than 64 operands for its body");
	if (a->batch < 0 || a->batch > x->rank - 2)
		return infer_refuse(q, "batch counts more axes than the first operand has");
	if (x->dtype != ADZE_F32 || k->dtype != ADZE_F32 || v->dtype != ADZE_F32)
		return infer_refuse(q, "its operands are of f32");
	if (k->rank != nb + 2 || v->rank != nb + 2 || !leads(k, x, nb) || !leads(v, x, nb) ||
	    !dim_same(&k->dim[nb + 1], &x->dim[x->rank - 1]) ||
	    !dim_same(&k->dim[nb], &v->dim[nb]))
		return infer_refuse(q, "it takes q [batch.., rows.., d], k [batch.., t, d] and v "
				       "[batch.., t, dv]");
	takes[0] = x->dtype;
	for (size_t i = 3; i < q->narg; i++) {
		const adze_shape *e = infer_type(q, i);
		takes[i - 2] = e->dtype;
		if (!dtype_taken(e->dtype, ELEMENTS))
			return refuse_operand(q, i, "has elements of less than a byte");
		if (e->rank != x->rank || !leads(e, x, x->rank - 1) ||
		    !dim_same(&e->dim[e->rank - 1], &k->dim[nb]))
			return refuse_operand(q, i, "has not the shape of the scores");
	}
	TRY(infer_body_scalars(q, a->body, takes, q->narg - 2, takes, 1));
	*q->out = *x;
	q->out->dim[x->rank - 1] = v->dim[nb + 1];
	infer_drop_names(q->out);
	return ADZE_OK;
}
