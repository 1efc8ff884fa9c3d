/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms of gather, cumulative, top_k, fft and triangular matrices: axes by name.
 */
#include "forms.h"

#include <string.h>

/* ---- gather ---- */

static bool has(const struct ir_dims *d, int64_t axis)
{
	for (int i = 0; i < d->n; i++)
		if (d->at[i] == axis)
			return true;
	return false;
}

static void add(struct ir_dims *d, int64_t axis)
{
	d->at[d->n++] = axis;
}

/* The axis of `at`, below `rank`, that has the name of axis i of x; -1 where none has. */
static int same_name(const adze_shape *x, int i, const adze_shape *at, int rank)
{
	for (int k = 0; k < rank && x->dim[i].name[0] != '\0'; k++)
		if (strcmp(at->dim[k].name, x->dim[i].name) == 0)
			return k;
	return -1;
}

/* x at the vectors of `at` along a->map, of a->sizes there; all of the axes that are in no list.
 * The result has the axes of `at`, then those of a slice. */
static adze_tensor gather(struct tensor_op *op, adze_tensor x, adze_tensor at,
			  struct attrs_gather *a)
{
	const adze_shape *xs = tensor_type(op, x.id), *as = tensor_type(op, at.id);
	int64_t rank = as->rank - (a->vector < as->rank), slice = 0;
	a->sizes.n = xs->rank;
	for (int i = 0; i < xs->rank; i++) {
		if (!has(&a->map, i))
			a->sizes.at[i] = has(&a->batch_x, i) ? 1 : xs->dim[i].size;
		slice += !has(&a->collapsed, i) && !has(&a->batch_x, i);
	}
	if (rank + slice > ADZE_MAX_RANK)
		return form_refuse(op, x, "the result has too many axes");
	for (int64_t i = 0; i < slice; i++)
		add(&a->offset, rank + i);
	return form_of(op, ir_emit2(op->graph, OP_GATHER, x.id, at.id, a));
}

static void sort(struct ir_dims *d)
{
	for (int i = 1; i < d->n; i++)
		for (int k = i; k > 0 && d->at[k] < d->at[k - 1]; k--) {
			int64_t t = d->at[k];
			d->at[k] = d->at[k - 1];
			d->at[k - 1] = t;
		}
}

/* One element along each axis of a->map, with axes of the same name side by side. */
static adze_tensor gather_elements(struct tensor_op *op, adze_tensor x, adze_tensor at,
				   struct attrs_gather *a)
{
	const adze_shape *xs = tensor_type(op, x.id), *as = tensor_type(op, at.id);
	a->collapsed = a->map;
	sort(&a->collapsed);
	for (int i = 0; i < a->map.n; i++)
		a->sizes.at[a->map.at[i]] = 1;
	for (int i = 0; i < xs->rank; i++) {
		int k = same_name(xs, i, as, (int)a->vector);
		if (k < 0 || has(&a->map, i))
			continue;
		add(&a->batch_x, i);
		add(&a->batch_at, k);
	}
	return gather(op, x, at, a);
}

/* Indices as one tensor, whose last axis has a number for each of them. */
static adze_tensor join_indices(struct tensor_op *op, const adze_tensor *indices, size_t n)
{
	ir_val v[ADZE_MAX_RANK];
	adze_tensor part[ADZE_MAX_RANK];
	bool same = true;
	for (size_t i = 0; i < n; i++) {
		v[i] = indices[i].id;
		adze_dtype dtype = tensor_type(op, v[i])->dtype;
		if (!dtype_is_int(dtype))
			return form_refuse(op, indices[i], "indices are integers");
		same &= dtype == tensor_type(op, v[0])->dtype;
	}
	if (!tensor_join(op, v, n))
		return form_of(op, 0);
	for (size_t i = 0; i < n; i++)
		part[i] = form_of(op, same ? v[i] : tensor_cast(op, v[i], ADZE_I64));
	if (n == 1)
		return part[0];
	return (adze_stack_at)(op->graph->at.file, op->graph->at.line, part, n, -1, "");
}

adze_tensor(adze_gather)(adze_tensor x, const char *axes, const adze_tensor *indices, size_t n)
{
	adze_tensor all[1 + ADZE_MAX_RANK] = {x};
	size_t some = n < ADZE_MAX_RANK ? n : ADZE_MAX_RANK;
	if (some > 0)
		memcpy(all + 1, indices, some * sizeof *all);
	struct tensor_op op = tensor_begin("gather", all, 1 + some);
	struct attrs_gather a;
	memset(&a, 0, sizeof a);
	if (!op.ok || !tensor_axes(&op, x.id, axes, &a.map))
		return form_end(&op, x);
	if (n == 0 || (size_t)a.map.n != n)
		return form_end(&op, form_refuse(&op, x, "an index is needed for each axis"));
	adze_tensor at = join_indices(&op, indices, n);
	if (!adze_is(at))
		return form_end(&op, at);
	a.vector = tensor_type(&op, at.id)->rank - (n > 1);
	return form_end(&op, gather_elements(&op, x, at, &a));
}

/* The axes that vectors move along; false, with words, where they are none. */
static bool vector_axes(struct tensor_op *op, adze_tensor x, adze_tensor at, const char *axes,
			struct attrs_gather *a)
{
	memset(a, 0, sizeof *a);
	if (!op->ok || !tensor_axes(op, x.id, axes, &a->map))
		return false;
	const adze_shape *s = tensor_type(op, at.id);
	a->vector = s->rank - 1;
	if (s->rank > 0 && dim_is_static(&s->dim[s->rank - 1]) &&
	    s->dim[s->rank - 1].size == a->map.n)
		return true;
	form_refuse(op, at, "its last axis has an integer for each axis");
	return false;
}

adze_tensor(adze_gather_nd)(adze_tensor x, adze_tensor at, const char *axes)
{
	const adze_tensor all[2] = {x, at};
	struct tensor_op op = tensor_begin("gather_nd", all, 2);
	struct attrs_gather a;
	bool ok = vector_axes(&op, x, at, axes, &a);
	return form_end(&op, ok ? gather_elements(&op, x, at, &a) : x);
}

adze_tensor(adze_gather_slices)(adze_tensor x, adze_tensor at, const char *axes,
				const int64_t *size)
{
	const adze_tensor all[2] = {x, at};
	struct tensor_op op = tensor_begin("gather_slices", all, 2);
	struct attrs_gather a;
	if (!vector_axes(&op, x, at, axes, &a))
		return form_end(&op, x);
	for (int i = 0; i < a.map.n; i++)
		a.sizes.at[a.map.at[i]] = size[i];
	return form_end(&op, gather(&op, x, at, &a));
}

/* x with the extents and names of `to`, where its own are the same, 1 or not there. */
static adze_tensor spread(struct tensor_op *op, adze_tensor x, const adze_shape *to)
{
	struct ir_dims axes = {.n = to->rank};
	const adze_shape *s = tensor_type(op, x.id);
	bool same = shape_same_extents(s, to);
	for (int i = 0; i < to->rank; i++) {
		axes.at[i] = i;
		same &= strcmp(s->dim[i].name, to->dim[i].name) == 0;
	}
	return same ? x : form_spread(op, x, to, &axes);
}

static adze_tensor take_along(struct tensor_op *op, adze_tensor x, adze_tensor indices, int axis)
{
	adze_shape xs = *tensor_type(op, x.id), is = *tensor_type(op, indices.id);
	struct attrs_gather a;
	memset(&a, 0, sizeof a);
	if (!dtype_is_int(is.dtype) || is.rank != xs.rank)
		return form_refuse(op, indices, "indices are integers of as many axes");
	for (int i = 0; i < xs.rank; i++) {
		adze_dim *d = &xs.dim[i], *e = &is.dim[i];
		if (e->name[0] == '\0')
			memcpy(e->name, d->name, sizeof e->name);
		if (i == axis)
			continue;
		bool one = dim_is_static(e) && e->size == 1;
		adze_dim from = one ? *d : *e;
		adze_dim *to = one ? e : d;
		char name[ADZE_MAX_AXIS];
		memcpy(name, to->name, sizeof name);
		if (one || (dim_is_static(d) && d->size == 1))
			*to = from;
		memcpy(to->name, name, sizeof name);
		add(&a.batch_x, i);
		add(&a.batch_at, i);
	}
	x = spread(op, x, &xs);
	indices = spread(op, indices, &is);
	if (!adze_is(x) || !adze_is(indices))
		return form_of(op, 0);
	add(&a.map, axis);
	a.collapsed = a.map;
	a.vector = is.rank;
	a.sizes.at[axis] = 1;
	return gather(op, x, indices, &a);
}

adze_tensor(adze_take_along)(adze_tensor x, adze_tensor indices, const char *axis)
{
	const adze_tensor all[2] = {x, indices};
	struct tensor_op op = tensor_begin("take_along", all, 2);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	return form_end(&op, k < 0 ? x : take_along(&op, x, indices, k));
}

/* ---- running totals, the best ---- */

static adze_tensor cumulative(const char *name, adze_tensor x, const char *axis, enum ew by,
			      bool exclusive, bool reverse)
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	struct attrs_cumulative a = {.by = by, .axis = k, .exclusive = exclusive,
				     .reverse = reverse};
	if (k >= 0)
		x = form_of(&op, ir_emit1(op.graph, OP_CUMULATIVE, x.id, &a, NULL));
	return form_end(&op, x);
}

adze_tensor(adze_cumsum)(adze_tensor x, const char *axis)
{
	return cumulative("cumsum", x, axis, EW_ADD, false, false);
}

adze_tensor(adze_cumprod)(adze_tensor x, const char *axis)
{
	return cumulative("cumprod", x, axis, EW_MUL, false, false);
}

adze_tensor(adze_cummax)(adze_tensor x, const char *axis)
{
	return cumulative("cummax", x, axis, EW_MAX, false, false);
}

adze_tensor(adze_cummin)(adze_tensor x, const char *axis)
{
	return cumulative("cummin", x, axis, EW_MIN, false, false);
}

adze_tensor(adze_cumulative)(adze_tensor x, const char *axis, const char *by, bool exclusive,
			     bool reverse)
{
	enum ew f = by != NULL ? ew_find(by, strlen(by)) : EW_COUNT;
	if (f != EW_COUNT)
		return cumulative("cumulative", x, axis, f, exclusive, reverse);
	struct tensor_op op = tensor_begin("cumulative", &x, 1);
	if (op.ok)
		tensor_fail(&op, ADZE_E_ARGUMENT, "there is no function '%.40s'",
			    by != NULL ? by : "");
	return form_end(&op, x);
}

adze_tensor(adze_top_k)(adze_tensor x, const char *axis, int64_t k, bool smallest,
			adze_tensor *indices)
{
	struct tensor_op op = tensor_begin("top_k", &x, 1);
	struct attrs_top_k a = {.k = k, .smallest = smallest};
	adze_tensor at = form_of(&op, 0), y = at;
	a.axis = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	if (op.ok)
		at = form_of(&op, ir_emit1(op.graph, OP_TOP_K, x.id, &a, NULL));
	if (adze_is(at))
		y = take_along(&op, x, at, (int)a.axis);
	y = form_end(&op, y);
	if (indices != NULL)
		*indices = adze_is(y) ? at : y;
	return y;
}

/* ---- fft ---- */

/* x with its axes in that order. */
static adze_tensor ordered(struct tensor_op *op, adze_tensor x, const struct ir_dims *order)
{
	struct attrs_axes a = {.axes = *order};
	return form_of(op, ir_emit1(op->graph, OP_TRANSPOSE, x.id, &a, NULL));
}

/* The other axes, then the listed ones; false where that is how they are. */
static bool put_last(const struct ir_dims *listed, int rank, struct ir_dims *order)
{
	bool moves = false;
	memset(order, 0, sizeof *order);
	for (int i = 0; i < rank; i++)
		if (!has(listed, i))
			add(order, i);
	for (int i = 0; i < listed->n; i++)
		add(order, listed->at[i]);
	for (int i = 0; i < rank; i++)
		moves |= order->at[i] != i;
	return moves;
}

static adze_tensor fft(const char *name, adze_tensor x, const char *axes, bool inverse, bool real,
		       int64_t length)
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	struct attrs_fft a;
	struct ir_dims listed, order, back;
	memset(&a, 0, sizeof a);
	memset(&back, 0, sizeof back);
	if (!op.ok || !tensor_axes(&op, x.id, axes, &listed))
		return form_end(&op, x);
	adze_dtype dtype = tensor_type(&op, x.id)->dtype;
	bool from_real = real && !inverse;
	if (dtype_is_float(dtype) && (from_real || !real)) {
		dtype = dtype == ADZE_F64 ? ADZE_F64 : ADZE_F32;
		x = form_of(&op, tensor_cast(&op, x.id, from_real ? dtype : dtype_whole(dtype)));
	}
	if (!adze_is(x))
		return form_end(&op, x);
	int rank = tensor_type(&op, x.id)->rank;
	bool moves = put_last(&listed, rank, &order);
	if (moves)
		x = ordered(&op, x, &order);
	const adze_shape *s = tensor_type(&op, x.id);
	a.inverse = inverse;
	a.real = real;
	a.lengths.n = listed.n;
	for (int i = 0; i < listed.n; i++)
		a.lengths.at[i] = s->dim[rank - listed.n + i].size;
	if (real && inverse && listed.n > 0) {
		int64_t *last = &a.lengths.at[listed.n - 1];
		*last = length != 0 ? length : *last > 0 ? 2 * (*last - 1) : 0;
	}
	adze_tensor y = form_of(&op, ir_emit1(op.graph, OP_FFT, x.id, &a, NULL));
	back.n = rank;
	for (int i = 0; i < rank; i++)
		back.at[order.at[i]] = i;
	return form_end(&op, moves && adze_is(y) ? ordered(&op, y, &back) : y);
}

adze_tensor(adze_fft)(adze_tensor x, const char *axes)
{
	return fft("fft", x, axes, false, false, 0);
}

adze_tensor(adze_ifft)(adze_tensor x, const char *axes)
{
	return fft("ifft", x, axes, true, false, 0);
}

adze_tensor(adze_rfft)(adze_tensor x, const char *axes)
{
	return fft("rfft", x, axes, false, true, 0);
}

adze_tensor(adze_irfft)(adze_tensor x, const char *axes, int64_t length)
{
	return fft("irfft", x, axes, true, true, length);
}

/* ---- triangular matrices ---- */

adze_tensor(adze_cholesky)(adze_tensor a, bool lower)
{
	struct tensor_op op = tensor_begin("cholesky", &a, 1);
	struct attrs_lower by = {.lower = lower};
	return form_end(&op, op.ok ? form_of(&op, ir_emit1(op.graph, OP_CHOLESKY, a.id, &by, NULL))
				   : a);
}

static adze_tensor solve(struct tensor_op *op, adze_tensor a, adze_tensor b,
			 const adze_triangular_options *o)
{
	struct attrs_triangular_solve by = {.left = o->left, .lower = o->lower, .unit = o->unit,
					    .transpose = o->transpose};
	return form_of(op, ir_emit2(op->graph, OP_TRIANGULAR_SOLVE, a.id, b.id, &by));
}

adze_tensor(adze_triangular_solve)(adze_tensor a, adze_tensor b,
				   const adze_triangular_options *options)
{
	const adze_tensor all[2] = {a, b};
	struct tensor_op op = tensor_begin("triangular_solve", all, 2);
	adze_triangular_options none = {.left = false};
	return form_end(&op, op.ok ? solve(&op, a, b, options != NULL ? options : &none) : a);
}

adze_tensor(adze_cholesky_solve)(adze_tensor l, adze_tensor b)
{
	const adze_tensor all[2] = {l, b};
	struct tensor_op op = tensor_begin("cholesky_solve", all, 2);
	adze_triangular_options there = {.left = true, .lower = true}, back = there;
	back.transpose = 2;
	adze_tensor y = op.ok ? solve(&op, l, b, &there) : l;
	return form_end(&op, adze_is(y) && op.ok ? solve(&op, l, y, &back) : y);
}
