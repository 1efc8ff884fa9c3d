/* SPDX-License-Identifier: Apache-2.0
 *
 * Type rules: the type of a result from the types of operands, attributes and, for
 * operations whose type is declared, from what was written. A rule is a function
 * infer_<rule>() of ops.def; a missing one does not link. Refusals name the operation,
 * the types and the place it was called from.
 */
#include <inttypes.h>
#include <string.h>

#include "ir/graph.h"

/* What a rule sees. */
struct ask {
	adze_graph *g;
	enum ir_op op;
	const ir_val *args;
	size_t narg;
	const void *attrs;
	const adze_shape *declared;
	adze_shape *out;
};

static const adze_shape *arg_type(const struct ask *q, size_t i)
{
	return ir_type(q->g, q->args[i]);
}

/* Refuses with the operation's name, `words`, and the operands' types. */
static adze_status refuse(const struct ask *q, const char *words)
{
	char list[900], one[SHAPE_TEXT];
	size_t n = 0;
	list[0] = '\0';
	for (size_t i = 0; i < q->narg && i < 3 && n + 4 < sizeof list; i++) {
		shape_print(arg_type(q, i), one, sizeof one);
		size_t len = strlen(one);
		if (n + len + 8 > sizeof list)
			break;
		memcpy(list + n, i > 0 ? ", " : " ", 2);
		n += i > 0 ? 2 : 1;
		memcpy(list + n, one, len + 1);
		n += len;
	}
	if (q->declared != NULL && (op_info(q->op)->flags & OP_DECLARED))
		return ir_fail(q->g, &q->g->at, ADZE_E_TYPE, "%s%s to %s: %s",
			       op_info(q->op)->name, list,
			       shape_print(q->declared, one, sizeof one), words);
	return ir_fail(q->g, &q->g->at, ADZE_E_TYPE, "%s%s: %s", op_info(q->op)->name, list,
		       words);
}

static bool takes(adze_dtype dtype, int classes)
{
	return (dtype_info(dtype)->class & classes) != 0;
}

/* `to` takes the names that it lacks from `from`; false where both have different ones. */
static bool merge_names(adze_shape *to, const adze_shape *from)
{
	for (int i = 0; i < to->rank; i++) {
		if (from->dim[i].name[0] == '\0')
			continue;
		if (to->dim[i].name[0] == '\0')
			strcpy(to->dim[i].name, from->dim[i].name);
		else if (strcmp(to->dim[i].name, from->dim[i].name) != 0)
			return false;
	}
	/* A name that moved in must not meet itself on another axis. */
	for (int i = 0; i < to->rank; i++)
		for (int j = 0; j < i; j++)
			if (to->dim[i].name[0] != '\0' &&
			    strcmp(to->dim[i].name, to->dim[j].name) == 0)
				return false;
	return true;
}

static adze_status infer_declared(struct ask *q)
{
	*q->out = *q->declared;
	return ADZE_OK;
}

static adze_status infer_const(struct ask *q)
{
	const struct attrs_data *a = q->attrs;
	if (!shape_is_static(q->declared))
		return refuse(q, "a constant has no symbols");
	if ((int64_t)a->data.len != shape_bytes(q->declared))
		return refuse(q, "its elements do not fill that type");
	return infer_declared(q);
}

static bool axis_ok(const adze_shape *s, int64_t axis)
{
	return axis >= 0 && axis < s->rank;
}

static adze_status infer_iota(struct ask *q)
{
	if (!axis_ok(q->declared, ((const struct attrs_axis *)q->attrs)->axis))
		return refuse(q, "there is no such axis");
	if (q->declared->dtype == ADZE_BOOL)
		return refuse(q, "it counts in numbers, not in bool");
	return infer_declared(q);
}

static adze_status infer_extent(struct ask *q)
{
	if (!axis_ok(arg_type(q, 0), ((const struct attrs_axis *)q->attrs)->axis))
		return refuse(q, "there is no such axis");
	*q->out = shape_make(ADZE_I32, 0, NULL);
	return ADZE_OK;
}

static adze_status infer_ew(struct ask *q)
{
	const struct ew_info *f = ew_info(op_ew(q->op));
	*q->out = *arg_type(q, 0);
	if (!takes(q->out->dtype, f->takes))
		return refuse(q, "it does not take that element type");
	for (size_t i = 1; i < q->narg; i++) {
		if (arg_type(q, i)->dtype != q->out->dtype)
			return refuse(q, "element types differ");
		if (!shape_same_extents(arg_type(q, i), q->out))
			return refuse(q, "shapes differ");
		if (!merge_names(q->out, arg_type(q, i)))
			return refuse(q, "names of axes differ");
	}
	if (f->flags & EW_PRED)
		q->out->dtype = ADZE_BOOL;
	return ADZE_OK;
}

static adze_status infer_select(struct ask *q)
{
	*q->out = *arg_type(q, 1);
	if (arg_type(q, 0)->dtype != ADZE_BOOL)
		return refuse(q, "the first operand must be bool");
	if (arg_type(q, 2)->dtype != q->out->dtype)
		return refuse(q, "element types differ");
	for (size_t i = 0; i < 3; i += 2) {
		if (!shape_same_extents(arg_type(q, i), q->out))
			return refuse(q, "shapes differ");
		if (!merge_names(q->out, arg_type(q, i)))
			return refuse(q, "names of axes differ");
	}
	return ADZE_OK;
}

static adze_status infer_convert(struct ask *q)
{
	*q->out = *arg_type(q, 0);
	if (!shape_same_extents(q->out, q->declared))
		return refuse(q, "shapes differ");
	if (!merge_names(q->out, q->declared))
		return refuse(q, "names of axes differ");
	q->out->dtype = q->declared->dtype;
	return ADZE_OK;
}

/* Which axes are listed: false where one is not there or stands twice. */
static bool axis_set(const struct ir_dims *axes, int rank, bool *set)
{
	memset(set, 0, ADZE_MAX_RANK * sizeof *set);
	if (axes->n < 0 || axes->n > rank)
		return false;
	for (int i = 0; i < axes->n; i++) {
		if (axes->at[i] < 0 || axes->at[i] >= rank || set[axes->at[i]])
			return false;
		set[axes->at[i]] = true;
	}
	return true;
}

static adze_status infer_reduce(struct ask *q)
{
	const struct attrs_reduce *a = q->attrs;
	const adze_shape *x = arg_type(q, 0);
	bool gone[ADZE_MAX_RANK];
	if ((unsigned)a->by >= EW_COUNT || !(ew_info(a->by)->flags & EW_ASSOC))
		return refuse(q, "that function cannot reduce");
	if (!takes(x->dtype, ew_info(a->by)->takes))
		return refuse(q, "the function does not take that element type");
	if (!axis_set(&a->axes, x->rank, gone))
		return refuse(q, "axes are not there, or stand twice");
	*q->out = shape_make(x->dtype, 0, NULL);
	for (int i = 0; i < x->rank; i++)
		if (!gone[i])
			q->out->dim[q->out->rank++] = x->dim[i];
	return ADZE_OK;
}

static adze_status infer_arg(struct ask *q)
{
	int64_t axis = ((const struct attrs_axis *)q->attrs)->axis;
	const adze_shape *x = arg_type(q, 0);
	if (!axis_ok(x, axis))
		return refuse(q, "there is no such axis");
	if (x->dtype == ADZE_BOOL || dtype_info(x->dtype)->class == DTYPE_BOOL)
		return refuse(q, "it does not take that element type");
	if (x->dim[axis].size == 0 || x->dim[axis].size > INT32_MAX)
		return refuse(q, "the axis is empty, or too long for an i32");
	*q->out = shape_make(ADZE_I32, 0, NULL);
	for (int i = 0; i < x->rank; i++)
		if (i != axis)
			q->out->dim[q->out->rank++] = x->dim[i];
	return ADZE_OK;
}

static adze_status infer_softmax(struct ask *q)
{
	*q->out = *arg_type(q, 0);
	if (!axis_ok(q->out, ((const struct attrs_axis *)q->attrs)->axis))
		return refuse(q, "there is no such axis");
	return dtype_is_float(q->out->dtype) ? ADZE_OK : refuse(q, "it takes floats");
}

static adze_status infer_norm(struct ask *q)
{
	const adze_shape *x = arg_type(q, 0);
	*q->out = *x;
	if (!dtype_is_float(x->dtype))
		return refuse(q, "it takes floats");
	if (x->rank < 1)
		return refuse(q, "it works along the last axis, and there is none");
	for (size_t i = 1; i < q->narg; i++)
		if (arg_type(q, i)->dtype != x->dtype || arg_type(q, i)->rank != 1 ||
		    !dim_same(&arg_type(q, i)->dim[0], &x->dim[x->rank - 1]))
			return refuse(q, "scale and bias have one number for each element of the "
					 "last axis");
	return ADZE_OK;
}

/* The part of a dot's rule that both operands share: lists in range, no axis twice. */
static bool dot_axes(const adze_shape *s, const struct ir_dims *batch, const struct ir_dims *sum,
		     bool *used)
{
	bool second[ADZE_MAX_RANK];
	if (!axis_set(batch, s->rank, used) || !axis_set(sum, s->rank, second))
		return false;
	for (int i = 0; i < s->rank; i++) {
		if (used[i] && second[i])
			return false;
		used[i] |= second[i];
	}
	return true;
}

static adze_status infer_dot(struct ask *q)
{
	const struct attrs_dot *d = q->attrs;
	const adze_shape *a = arg_type(q, 0), *b = arg_type(q, 1);
	bool used_a[ADZE_MAX_RANK], used_b[ADZE_MAX_RANK];
	if (a->dtype != b->dtype)
		return refuse(q, "element types differ");
	if (a->dtype == ADZE_BOOL)
		return refuse(q, "it takes numbers");
	if (d->batch_a.n != d->batch_b.n || d->sum_a.n != d->sum_b.n ||
	    !dot_axes(a, &d->batch_a, &d->sum_a, used_a) ||
	    !dot_axes(b, &d->batch_b, &d->sum_b, used_b))
		return refuse(q, "batch and contracting axes do not pair up");
	for (int i = 0; i < d->sum_a.n; i++)
		if (!dim_same(&a->dim[d->sum_a.at[i]], &b->dim[d->sum_b.at[i]]))
			return refuse(q, "contracting axes differ in extent");
	if (a->rank + b->rank - d->batch_a.n - 2 * d->sum_a.n > ADZE_MAX_RANK)
		return refuse(q, "the result has too many axes");
	*q->out = shape_make(a->dtype, 0, NULL);
	for (int i = 0; i < d->batch_a.n; i++) {
		if (!dim_same(&a->dim[d->batch_a.at[i]], &b->dim[d->batch_b.at[i]]))
			return refuse(q, "batch axes differ in extent");
		q->out->dim[q->out->rank++] = a->dim[d->batch_a.at[i]];
	}
	for (int i = 0; i < a->rank; i++)
		if (!used_a[i])
			q->out->dim[q->out->rank++] = a->dim[i];
	for (int i = 0; i < b->rank; i++)
		if (!used_b[i])
			q->out->dim[q->out->rank++] = b->dim[i];
	/* Free axes of the second lose a name that the first brought already. */
	for (int i = 0; i < q->out->rank; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(q->out->dim[i].name, q->out->dim[j].name) == 0)
				memset(q->out->dim[i].name, 0, ADZE_MAX_AXIS);
	return ADZE_OK;
}

static bool list_ok(const struct ir_dims *d, int n, int64_t least)
{
	if (d->n != 0 && d->n != n)
		return false;
	for (int i = 0; i < d->n; i++)
		if (d->at[i] < least || d->at[i] > INT32_MAX)
			return false;
	return true;
}

/* How many places a window of `size` has along `extent`; -1 on overflow. */
static int64_t window_count(int64_t extent, int64_t size, int64_t stride, int64_t low,
			    int64_t high, int64_t dilation)
{
	int64_t span, padded;
	if (size == 0 || __builtin_mul_overflow(size - 1, dilation, &span) ||
	    __builtin_add_overflow(extent, low + high, &padded))
		return -1;
	return padded <= span ? 0 : (padded - span - 1) / stride + 1;
}

static adze_status infer_conv(struct ask *q)
{
	const struct attrs_conv *c = q->attrs;
	const adze_shape *x = arg_type(q, 0), *w = arg_type(q, 1);
	int n = x->rank - 2;
	int64_t groups = c->groups == 0 ? 1 : c->groups;
	if (x->dtype != w->dtype || !takes(x->dtype, DTYPE_FLOAT | DTYPE_INT | DTYPE_UINT))
		return refuse(q, "it takes two operands of one type of number");
	if (n < 1 || n > 3 || w->rank != x->rank)
		return refuse(q, "it takes [batch, channel, 1 to 3 spatial axes] and "
				 "[out, channel / groups, as many]");
	if (!list_ok(&c->stride, n, 1) || !list_ok(&c->dilation, n, 1) ||
	    !list_ok(&c->low, n, -INT32_MAX) || !list_ok(&c->high, n, -INT32_MAX))
		return refuse(q, "stride, padding and dilation have one number a spatial axis");
	for (int i = 1; i < w->rank * 2; i++)
		if (i < x->rank ? !dim_is_static(&x->dim[i]) : !dim_is_static(&w->dim[i - w->rank]))
			return refuse(q, "only the batch axis may be a symbol");
	if (groups < 1 || x->dim[1].size % groups != 0 ||
	    x->dim[1].size / groups != w->dim[1].size ||
	    w->dim[0].size % groups != 0)
		return refuse(q, "channels do not agree with the weight and its groups");
	*q->out = *x;
	q->out->dim[1] = dim_make(w->dim[0].size);
	strcpy(q->out->dim[1].name, w->dim[0].name);
	for (int i = 0; i < n; i++) {
		int64_t k = window_count(x->dim[2 + i].size, w->dim[2 + i].size,
					 dims_or(&c->stride, i, 1), dims_or(&c->low, i, 0),
					 dims_or(&c->high, i, 0), dims_or(&c->dilation, i, 1));
		if (k < 0)
			return refuse(q, "the window is empty");
		q->out->dim[2 + i].size = k;
	}
	for (int i = 0; i < q->out->rank; i++)
		if (i != 1 && strcmp(q->out->dim[1].name, q->out->dim[i].name) == 0)
			memset(q->out->dim[1].name, 0, ADZE_MAX_AXIS);
	return ADZE_OK;
}

static adze_status infer_window(struct ask *q)
{
	const struct attrs_window *w = q->attrs;
	const adze_shape *x = arg_type(q, 0);
	*q->out = *x;
	if ((unsigned)w->by >= EW_COUNT || !(ew_info(w->by)->flags & EW_ASSOC) ||
	    !takes(x->dtype, ew_info(w->by)->takes))
		return refuse(q, "that function cannot reduce that element type");
	if (w->window.n != x->rank || !list_ok(&w->window, x->rank, 1) ||
	    !list_ok(&w->stride, x->rank, 1) || !list_ok(&w->dilation, x->rank, 1) ||
	    !list_ok(&w->low, x->rank, 0) || !list_ok(&w->high, x->rank, 0))
		return refuse(q, "the window has one number an axis, none negative");
	for (int i = 0; i < x->rank; i++) {
		int64_t size = w->window.at[i], stride = dims_or(&w->stride, i, 1);
		int64_t low = dims_or(&w->low, i, 0), high = dims_or(&w->high, i, 0);
		if (size == 1 && stride == 1 && low == 0 && high == 0)
			continue;
		if (!dim_is_static(&x->dim[i]))
			return refuse(q, "a window cannot move along a symbol");
		q->out->dim[i].size = window_count(x->dim[i].size, size, stride, low, high,
						   dims_or(&w->dilation, i, 1));
	}
	return ADZE_OK;
}

/* Product of static extents and scales, and how often each symbol stands in it. */
static int64_t volume(const adze_graph *g, const adze_shape *s, int *power)
{
	int64_t n = 1;
	memset(power, 0, (ADZE_MAX_SYMBOLS + 1) * sizeof *power);
	for (int i = 0; i < s->rank; i++) {
		const adze_dim *d = &s->dim[i];
		n *= dim_is_static(d) ? d->size : d->scale;
		if (!dim_is_static(d)) {
			int k = ir_symbol_find(g, d->symbol);
			power[k < 0 ? ADZE_MAX_SYMBOLS : k]++;
		}
	}
	return n;
}

static adze_status infer_reshape(struct ask *q)
{
	const adze_shape *x = arg_type(q, 0), *to = q->declared;
	int have[ADZE_MAX_SYMBOLS + 1], want[ADZE_MAX_SYMBOLS + 1];
	struct diag d = {ADZE_OK, ""};
	if (shape_check(to, &d) != ADZE_OK)
		return refuse(q, d.text);
	if (to->dtype != x->dtype)
		return refuse(q, "element types differ");
	if (volume(q->g, x, have) != volume(q->g, to, want) ||
	    memcmp(have, want, sizeof have) != 0 || shape_count(x) != shape_count(to))
		return refuse(q, "the number of elements differs (symbols split and merge by "
				 "constants only)");
	return infer_declared(q);
}

static adze_status infer_broadcast(struct ask *q)
{
	const struct attrs_axes *a = q->attrs;
	const adze_shape *x = arg_type(q, 0), *to = q->declared;
	bool set[ADZE_MAX_RANK];
	if (to->dtype != x->dtype)
		return refuse(q, "element types differ");
	if (to->rank < 0 || to->rank > ADZE_MAX_RANK || a->axes.n != x->rank ||
	    !axis_set(&a->axes, to->rank, set))
		return refuse(q, "axes say, for each operand axis, which result axis it becomes");
	for (int i = 0; i < x->rank; i++) {
		const adze_dim *d = &x->dim[i];
		bool one = dim_is_static(d) && d->size == 1;
		if (!one && !dim_same(d, &to->dim[a->axes.at[i]]))
			return refuse(q, "an axis has neither the result's extent nor 1");
	}
	return infer_declared(q);
}

static adze_status infer_transpose(struct ask *q)
{
	const struct attrs_axes *a = q->attrs;
	const adze_shape *x = arg_type(q, 0);
	bool set[ADZE_MAX_RANK];
	if (a->axes.n != x->rank || !axis_set(&a->axes, x->rank, set))
		return refuse(q, "axes name each operand axis once");
	*q->out = *x;
	for (int i = 0; i < x->rank; i++)
		q->out->dim[i] = x->dim[a->axes.at[i]];
	return ADZE_OK;
}

static adze_status infer_slice(struct ask *q)
{
	const struct attrs_slice *a = q->attrs;
	const adze_shape *x = arg_type(q, 0);
	*q->out = *x;
	if (a->start.n != x->rank || a->limit.n != x->rank || !list_ok(&a->stride, x->rank, 1))
		return refuse(q, "start and limit have one number an axis; strides are positive");
	for (int i = 0; i < x->rank; i++) {
		int64_t from = a->start.at[i], to = a->limit.at[i], by = dims_or(&a->stride, i, 1);
		if (from < 0 || to < from || to > x->dim[i].size)
			return refuse(q, "start and limit lie outside");
		if (from == 0 && to == x->dim[i].size && by == 1)
			continue;
		if (!dim_is_static(&x->dim[i]))
			return refuse(q, "an axis with a symbol cannot be cut");
		q->out->dim[i].size = (to - from + by - 1) / by;
	}
	return ADZE_OK;
}

static adze_status infer_reverse(struct ask *q)
{
	const struct attrs_axes *a = q->attrs;
	bool set[ADZE_MAX_RANK];
	*q->out = *arg_type(q, 0);
	if (!axis_set(&a->axes, q->out->rank, set))
		return refuse(q, "axes are not there, or stand twice");
	for (int i = 0; i < q->out->rank; i++)
		if (set[i] && !dim_is_static(&q->out->dim[i]))
			return refuse(q, "an axis with a symbol cannot be reversed");
	return ADZE_OK;
}

static adze_status infer_concat(struct ask *q)
{
	int64_t axis = ((const struct attrs_axis *)q->attrs)->axis;
	*q->out = *arg_type(q, 0);
	if (!axis_ok(q->out, axis))
		return refuse(q, "there is no such axis");
	for (size_t k = 0; k < q->narg; k++) {
		const adze_shape *x = arg_type(q, k);
		if (x->dtype != q->out->dtype || x->rank != q->out->rank)
			return refuse(q, "element types or numbers of axes differ");
		if (!dim_is_static(&x->dim[axis]))
			return refuse(q, "an axis with a symbol cannot be joined");
		for (int i = 0; i < x->rank; i++)
			if (i != axis && !dim_same(&x->dim[i], &q->out->dim[i]))
				return refuse(q, "the other axes differ");
		if (k > 0 && __builtin_add_overflow(q->out->dim[axis].size, x->dim[axis].size,
						    &q->out->dim[axis].size))
			return refuse(q, "the sum of extents overflows");
		if (!merge_names(q->out, x))
			return refuse(q, "names of axes differ");
	}
	return ADZE_OK;
}

static adze_status infer_pad(struct ask *q)
{
	const struct attrs_pad *a = q->attrs;
	const adze_shape *x = arg_type(q, 0), *v = arg_type(q, 1);
	*q->out = *x;
	if (v->dtype != x->dtype || v->rank != 0)
		return refuse(q, "what is put around must be a scalar of the same type");
	if (a->low.n != x->rank || a->high.n != x->rank || !list_ok(&a->low, x->rank, -INT32_MAX) ||
	    !list_ok(&a->high, x->rank, -INT32_MAX))
		return refuse(q, "low and high have one number an axis");
	for (int i = 0; i < x->rank; i++) {
		if (a->low.at[i] == 0 && a->high.at[i] == 0)
			continue;
		if (!dim_is_static(&x->dim[i]))
			return refuse(q, "an axis with a symbol cannot be padded");
		q->out->dim[i].size += a->low.at[i] + a->high.at[i];
		if (q->out->dim[i].size < 0)
			return refuse(q, "more is cut off than there is");
	}
	return ADZE_OK;
}

static adze_status infer_take(struct ask *q)
{
	int64_t axis = ((const struct attrs_axis *)q->attrs)->axis;
	const adze_shape *x = arg_type(q, 0), *at = arg_type(q, 1);
	if (!axis_ok(x, axis) || !dtype_is_int(at->dtype))
		return refuse(q, "it takes an axis that is there, and integers");
	if (x->dim[axis].size == 0 && shape_count(at) > 0)
		return refuse(q, "nothing can be taken from an empty axis");
	if (x->rank - 1 + at->rank > ADZE_MAX_RANK)
		return refuse(q, "the result has too many axes");
	*q->out = shape_make(x->dtype, 0, NULL);
	for (int i = 0; i < x->rank; i++) {
		if (i != axis) {
			q->out->dim[q->out->rank++] = x->dim[i];
			continue;
		}
		for (int j = 0; j < at->rank; j++)
			q->out->dim[q->out->rank++] = at->dim[j];
	}
	for (int i = 0; i < q->out->rank; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(q->out->dim[i].name, q->out->dim[j].name) == 0)
				memset(q->out->dim[i].name, 0, ADZE_MAX_AXIS);
	return ADZE_OK;
}

/* The integer scalars from operand `first` on, one an axis of `x`. */
static bool starts_ok(const struct ask *q, size_t first, const adze_shape *x)
{
	if (q->narg != first + (size_t)x->rank)
		return false;
	for (size_t i = first; i < q->narg; i++)
		if (arg_type(q, i)->rank != 0 || !dtype_is_int(arg_type(q, i)->dtype))
			return false;
	return true;
}

static adze_status infer_dynamic_slice(struct ask *q)
{
	const struct attrs_size *a = q->attrs;
	const adze_shape *x = arg_type(q, 0);
	*q->out = *x;
	if (!starts_ok(q, 1, x) || a->size.n != x->rank)
		return refuse(q, "it takes a size and an integer scalar for each axis");
	for (int i = 0; i < x->rank; i++) {
		if (a->size.at[i] < 0 || a->size.at[i] > x->dim[i].size)
			return refuse(q, "the box is larger than the operand");
		if (a->size.at[i] == x->dim[i].size)
			continue;
		if (!dim_is_static(&x->dim[i]))
			return refuse(q, "an axis with a symbol cannot be cut");
		q->out->dim[i].size = a->size.at[i];
	}
	return ADZE_OK;
}

static adze_status infer_dynamic_update(struct ask *q)
{
	const adze_shape *x = arg_type(q, 0), *u = arg_type(q, 1);
	*q->out = *x;
	if (u->dtype != x->dtype || u->rank != x->rank || !starts_ok(q, 2, x))
		return refuse(q, "it takes an update of the same type and an integer scalar for "
				 "each axis");
	for (int i = 0; i < x->rank; i++)
		if (u->dim[i].size > x->dim[i].size ||
		    (!dim_is_static(&x->dim[i]) && !dim_same(&x->dim[i], &u->dim[i])))
			return refuse(q, "the update is larger than the operand");
	return ADZE_OK;
}

typedef adze_status infer_fn(struct ask *q);

static infer_fn *const rule_of[OP_COUNT] = {
	NULL,
#define OP(name, id, min, max, cls, rule, attrs, flags, doc) infer_##rule,
#include "ir/ops.def"
};

adze_status ir_infer(adze_graph *g, enum ir_op op, const ir_val *args, size_t narg,
		     const void *attrs, const adze_shape *declared, adze_shape *out)
{
	struct ask q = {g, op, args, narg, attrs, declared, out};
	struct diag d = {ADZE_OK, ""};
	memset(out, 0, sizeof *out);
	if (declared != NULL && shape_check(declared, &d) != ADZE_OK)
		return ir_fail(g, &g->at, d.status, "%s: %s", op_info(op)->name, d.text);
	return rule_of[op](&q);
}
