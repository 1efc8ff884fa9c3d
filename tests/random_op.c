/* SPDX-License-Identifier: Apache-2.0
 *
 * One operation of a random graph: a function for each kind, the table of them at the end.
 */
#include "tests/random_op.h"

#include <math.h>

static adze_dtype int_dtype(struct random_graph *r)
{
	return rare(r, 2) ? ADZE_I32 : (adze_dtype)range(r, ADZE_I2, ADZE_U64);
}

/* A value that is there with so many axes, or a new one. */
static ir_val find_rank(struct random_graph *r, int low, int high, bool is_float)
{
	for (int i = 0; i < 12; i++) {
		ir_val v = random_operand(r);
		const adze_shape *s = ir_type(r->g, v);
		if (s->rank >= low && s->rank <= high && s->dtype != ADZE_BOOL &&
		    (!is_float || dtype_is_float(s->dtype)))
			return v;
	}
	adze_dtype dtype = random_dtype(r);
	if (is_float ? !dtype_is_float(dtype) : dtype == ADZE_BOOL)
		dtype = ADZE_F32;
	adze_shape type = random_type(r, dtype, (int)range(r, low, high));
	return random_source(r, &type);
}

static int64_t any_axis(struct random_graph *r, const adze_shape *s)
{
	return s->rank > 0 ? range(r, 0, s->rank - 1) : 0;
}

static struct ir_dims some_axes(struct random_graph *r, const adze_shape *s)
{
	struct ir_dims d = {.n = 0};
	for (int i = 0; i < s->rank; i++)
		if (rare(r, 2))
			d.at[d.n++] = i;
	return d;
}

/* ---- operations ---- */

static ir_val emit_ew(struct random_graph *r, ir_val x)
{
	static const enum ew often[] = {EW_ADD, EW_SUB, EW_MUL, EW_MAX, EW_NEG, EW_RELU,
					EW_AND, EW_XOR, EW_LT, EW_CLAMP};
	enum ew f = rare(r, 3) ? often[random_pick(r, COUNT_OF(often))]
			       : (enum ew)random_pick(r, EW_COUNT);
	adze_shape type = *ir_type(r->g, x);
	ir_val args[3] = {x, 0, 0};
	for (int i = 0; i < 10; i++, f = (enum ew)random_pick(r, EW_COUNT))
		if (dtype_taken(type.dtype, ew_info(f)->takes))
			break;
	for (int i = 1; i < ew_info(f)->n; i++)
		args[i] = rare(r, 8) ? x : random_like(r, &type);
	if (ew_info(f)->n >= 2 && rare(r, 2)) {
		args[0] = args[1];
		args[1] = x;
	}
	return ir_emit(r->g, op_from_ew(f), args, (size_t)ew_info(f)->n, NULL, NULL);
}

static ir_val emit_select(struct random_graph *r, ir_val x)
{
	adze_shape type = *ir_type(r->g, x), which = type;
	which.dtype = ADZE_BOOL;
	ir_val args[3] = {random_like(r, &which), x, random_like(r, &type)};
	return ir_emit(r->g, OP_SELECT, args, 3, NULL, NULL);
}

static ir_val emit_complex(struct random_graph *r, ir_val x)
{
	adze_shape type = *ir_type(r->g, x);
	type.dtype = rare(r, 2) ? ADZE_F64 : ADZE_F32;
	return ir_emit2(r->g, OP_COMPLEX, random_like(r, &type), random_like(r, &type), NULL);
}

static ir_val emit_convert(struct random_graph *r, ir_val x)
{
	adze_shape type = *ir_type(r->g, x);
	type.dtype = random_dtype(r);
	return ir_emit1(r->g, OP_CONVERT, x, NULL, &type);
}

static enum ew any_reducer(struct random_graph *r, adze_dtype dtype)
{
	static const enum ew list[] = {EW_ADD, EW_MUL, EW_MAX, EW_MIN, EW_AND, EW_OR, EW_XOR};
	for (int i = 0; i < 20; i++) {
		enum ew f = list[random_pick(r, COUNT_OF(list))];
		if (dtype_taken(dtype, ew_info(f)->takes))
			return f;
	}
	return EW_ADD;
}

static ir_val emit_reduce(struct random_graph *r, ir_val x)
{
	const adze_shape *type = ir_type(r->g, x);
	struct attrs_reduce a = {.by = any_reducer(r, type->dtype), .axes = some_axes(r, type)};
	return ir_emit1(r->g, OP_REDUCE, x, &a, NULL);
}

static ir_val emit_arg(struct random_graph *r, ir_val x)
{
	struct attrs_axis a = {.axis = any_axis(r, ir_type(r->g, x))};
	return ir_emit1(r->g, rare(r, 2) ? OP_ARGMAX : OP_ARGMIN, x, &a, NULL);
}

static ir_val emit_softmax(struct random_graph *r, ir_val x)
{
	x = find_rank(r, 1, 4, true);
	if (x == 0)
		return 0;
	struct attrs_axis a = {.axis = any_axis(r, ir_type(r->g, x))};
	return ir_emit1(r->g, OP_SOFTMAX, x, &a, NULL);
}

static ir_val emit_norm(struct random_graph *r, ir_val x)
{
	x = find_rank(r, 1, 4, true);
	if (x == 0)
		return 0;
	adze_shape type = *ir_type(r->g, x), row = shape_make(type.dtype, 0, NULL);
	struct attrs_eps a = {.eps = rare(r, 2) ? 1 : 0.5};
	row.dim[row.rank++] = type.dim[type.rank - 1];
	row.dim[0].name[0] = '\0';
	enum ir_op op = rare(r, 2) ? OP_RMS_NORM : OP_LAYER_NORM;
	ir_val args[3] = {x, random_like(r, &row), random_like(r, &row)};
	return ir_emit(r->g, op, args, 1 + random_pick(r, op == OP_RMS_NORM ? 2 : 3), &a, NULL);
}

/* Axes of x are batch, sum or free; the other operand has them in any order, and more. */
static ir_val emit_dot(struct random_graph *r, ir_val x)
{
	x = find_rank(r, 0, 4, false);
	if (x == 0)
		return 0;
	adze_shape a = *ir_type(r->g, x), b = shape_make(a.dtype, 0, NULL);
	int more = (int)range(r, 0, 2), of[ADZE_MAX_RANK], n = 0;
	struct attrs_dot d = {.batch_a = {.n = 0}};
	for (int i = 0; i < a.rank; i++)
		if (!rare(r, 3))
			of[n++] = i;
	for (int i = 0; i < more; i++)
		of[n++] = -1;
	for (int i = n - 1; i > 0; i--) {
		int k = (int)random_pick(r, (size_t)i + 1), t = of[i];
		of[i] = of[k];
		of[k] = t;
	}
	for (int i = 0; i < n; i++) {
		b.dim[b.rank++] = of[i] < 0 ? random_dim(r) : a.dim[of[i]];
		b.dim[i].name[0] = '\0';
		if (of[i] < 0)
			continue;
		struct ir_dims *at = rare(r, 3) ? &d.batch_a : &d.sum_a;
		struct ir_dims *bt = at == &d.batch_a ? &d.batch_b : &d.sum_b;
		at->at[at->n++] = of[i];
		bt->at[bt->n++] = i;
	}
	if (shape_count(&b) > 4 * (int64_t)r->most)
		return 0;
	return ir_emit2(r->g, OP_DOT, x, random_like(r, &b), &d);
}

static ir_val emit_conv(struct random_graph *r, ir_val x)
{
	x = find_rank(r, 3, 5, false);
	if (x == 0)
		return 0;
	adze_shape a = *ir_type(r->g, x), w = a;
	struct attrs_conv c = {.groups = 0};
	int64_t n = a.rank - 2, channels = a.dim[1].size, group = range(r, 1, 3);
	if (channels == 0 || channels % group != 0)
		group = 1;
	c.groups = group == 1 && rare(r, 2) ? 0 : group;
	w.dim[0] = dim_make(group * range(r, 1, 5));
	w.dim[1] = dim_make(channels / group);
	struct ir_dims *lists[] = {&c.stride, &c.low, &c.high, &c.dilation};
	for (size_t k = 0; k < COUNT_OF(lists); k++)
		lists[k]->n = rare(r, 2) ? n : 0;
	for (int i = 0; i < n; i++) {
		w.dim[2 + i] = dim_make(range(r, 1, 4));
		c.stride.at[i] = c.stride.n ? range(r, 1, 3) : 0;
		c.dilation.at[i] = c.dilation.n ? range(r, 1, 3) : 0;
		c.low.at[i] = c.low.n ? range(r, -1, 3) : 0;
		c.high.at[i] = c.high.n ? range(r, -1, 3) : 0;
	}
	return ir_emit2(r->g, OP_CONV, x, random_like(r, &w), &c);
}

static ir_val emit_window(struct random_graph *r, ir_val x)
{
	const adze_shape *s = ir_type(r->g, x);
	struct attrs_window w = {.by = any_reducer(r, s->dtype), .window = {.n = s->rank}};
	struct ir_dims *lists[] = {&w.stride, &w.low, &w.high, &w.dilation};
	for (size_t k = 0; k < COUNT_OF(lists); k++)
		lists[k]->n = rare(r, 2) ? s->rank : 0;
	for (int i = 0; i < s->rank; i++) {
		bool moves = dim_is_static(&s->dim[i]) && !rare(r, 3);
		w.window.at[i] = moves ? range(r, 1, 3) : 1;
		w.stride.at[i] = w.stride.n == 0 ? 0 : moves ? range(r, 1, 3) : 1;
		w.dilation.at[i] = w.dilation.n == 0 ? 0 : moves ? range(r, 1, 3) : 1;
		w.low.at[i] = w.low.n != 0 && moves ? range(r, 0, 2) : 0;
		w.high.at[i] = w.high.n != 0 && moves ? range(r, 0, 2) : 0;
	}
	return ir_emit1(r->g, OP_REDUCE_WINDOW, x, &w, NULL);
}

/* Splits an axis, joins two, adds one of extent 1, or makes all one. */
static ir_val emit_reshape(struct random_graph *r, ir_val x)
{
	adze_shape from = *ir_type(r->g, x), to = shape_make(from.dtype, 0, NULL);
	size_t how = random_pick(r, 4);
	int at = (int)any_axis(r, &from);
	if (how == 3 && shape_is_static(&from) && from.rank > 1)
		to.dim[to.rank++] = dim_make(shape_count(&from));
	for (int i = 0; i < from.rank && !(how == 3 && to.rank == 1) && to.rank < 6; i++) {
		const adze_dim *d = &from.dim[i];
		if (how == 0 && rare(r, 2))
			to.dim[to.rank++] = dim_make(1);
		if (how == 1 && i == at && !dim_is_static(d) && d->scale == 2) {
			to.dim[to.rank] = *d;
			to.dim[to.rank].scale = 1;
			to.dim[to.rank++].size = d->size / 2;
			to.dim[to.rank++] = dim_make(2);
		} else if (how == 1 && i == at && dim_is_static(d) && d->size % 2 == 0) {
			to.dim[to.rank++] = dim_make(2);
			to.dim[to.rank++] = dim_make(d->size / 2);
		} else if (how == 2 && i == at && i > 0 && dim_is_static(d) &&
			   dim_is_static(&from.dim[i - 1])) {
			to.dim[to.rank - 1] = dim_make(d->size * from.dim[i - 1].size);
		} else {
			to.dim[to.rank++] = *d;
		}
	}
	return ir_emit1(r->g, OP_RESHAPE, x, NULL, &to);
}

static ir_val emit_broadcast(struct random_graph *r, ir_val x)
{
	adze_shape from = *ir_type(r->g, x), to = shape_make(from.dtype, 0, NULL);
	struct attrs_axes a = {.axes = {.n = from.rank}};
	int place[ADZE_MAX_RANK];
	for (int i = 0; i < from.rank; i++)
		place[i] = -1;
	for (int left = from.rank; left > 0 || (to.rank < 5 && rare(r, 3));) {
		if (left == 0 || (rare(r, 4) && to.rank + left < 6)) {
			to.dim[to.rank] = random_dim(r);
			to.dim[to.rank++].name[0] = '\0';
			continue;
		}
		int k = from.rank - left;
		if (rare(r, 4)) /* axes need not keep their order */
			k = (int)any_axis(r, &from);
		while (place[k] >= 0)
			k = (k + 1) % from.rank;
		place[k] = to.rank;
		to.dim[to.rank] = from.dim[k];
		if (dim_is_static(&from.dim[k]) && from.dim[k].size == 1 && rare(r, 2))
			to.dim[to.rank].size = range(r, 1, 5);
		to.rank++;
		left--;
	}
	for (int i = 0; i < from.rank; i++)
		a.axes.at[i] = place[i];
	return ir_emit1(r->g, OP_BROADCAST, x, &a, &to);
}

static ir_val emit_transpose(struct random_graph *r, ir_val x)
{
	struct attrs_axes a = {.axes = {.n = ir_type(r->g, x)->rank}};
	for (int i = 0; i < a.axes.n; i++)
		a.axes.at[i] = i;
	for (int i = (int)a.axes.n - 1; i > 0; i--) {
		int k = (int)random_pick(r, (size_t)i + 1);
		int64_t t = a.axes.at[i];
		a.axes.at[i] = a.axes.at[k];
		a.axes.at[k] = t;
	}
	return ir_emit1(r->g, OP_TRANSPOSE, x, &a, NULL);
}

static ir_val emit_slice(struct random_graph *r, ir_val x)
{
	const adze_shape *s = ir_type(r->g, x);
	struct attrs_slice a = {.start = {.n = s->rank}, .limit = {.n = s->rank}};
	a.stride.n = rare(r, 2) ? s->rank : 0;
	for (int i = 0; i < s->rank; i++) {
		bool cut = dim_is_static(&s->dim[i]) && rare(r, 2);
		a.start.at[i] = cut ? range(r, 0, s->dim[i].size) / 2 : 0;
		a.limit.at[i] = cut ? range(r, a.start.at[i], s->dim[i].size) : s->dim[i].size;
		a.stride.at[i] = a.stride.n == 0 ? 0 : cut ? range(r, 1, 3) : 1;
	}
	return ir_emit1(r->g, OP_SLICE, x, &a, NULL);
}

static ir_val emit_reverse(struct random_graph *r, ir_val x)
{
	const adze_shape *s = ir_type(r->g, x);
	struct attrs_axes a = {.axes = {.n = 0}};
	for (int i = 0; i < s->rank; i++)
		if (dim_is_static(&s->dim[i]) && rare(r, 2))
			a.axes.at[a.axes.n++] = i;
	return ir_emit1(r->g, OP_REVERSE, x, &a, NULL);
}

static ir_val emit_concat(struct random_graph *r, ir_val x)
{
	adze_shape s = *ir_type(r->g, x);
	struct attrs_axis a = {.axis = any_axis(r, &s)};
	ir_val args[4] = {x};
	size_t n = 1 + random_pick(r, 4);
	for (size_t i = 1; i < n; i++) {
		adze_shape other = s;
		if (rare(r, 2) && s.rank > 0 && dim_is_static(&s.dim[a.axis]))
			other.dim[a.axis].size = range(r, 0, 4);
		args[i] = rare(r, 6) ? x : random_like(r, &other);
	}
	return ir_emit(r->g, OP_CONCAT, args, n, &a, NULL);
}

static ir_val emit_pad(struct random_graph *r, ir_val x)
{
	adze_shape s = *ir_type(r->g, x);
	struct attrs_pad a = {.low.n = s.rank, .high.n = s.rank, .interior.n = s.rank};
	for (int i = 0; i < s.rank; i++)
		if (dim_is_static(&s.dim[i]) && !rare(r, 3)) {
			a.low.at[i] = range(r, -2, 2);
			a.high.at[i] = range(r, -2, 2);
			a.interior.at[i] = rare(r, 4) ? range(r, 1, 2) : 0;
		}
	return ir_emit2(r->g, OP_PAD, x, random_scalar(r, s.dtype), &a);
}

/* Integers as other integers, or floats where any will do; the bits of a NaN are not told. */
static ir_val emit_bits(struct random_graph *r, ir_val x)
{
	adze_shape s = *ir_type(r->g, x), to = s;
	to.dtype = r->wild && rare(r, 2) ? random_dtype(r) : int_dtype(r);
	int from_bits = dtype_info(s.dtype)->bits, bits = dtype_info(to.dtype)->bits;
	if (!dtype_is_int(s.dtype) || to.dtype == ADZE_BOOL || rare(r, 4))
		return ir_emit1(r->g, OP_BARRIER, x, NULL, NULL);
	to.dtype = bits > from_bits || s.rank == ADZE_MAX_RANK ? s.dtype : to.dtype;
	if (bits < from_bits && s.rank < ADZE_MAX_RANK)
		to.dim[to.rank++] = dim_make(from_bits / bits);
	return ir_emit1(r->g, OP_BITCAST, x, NULL, &to);
}

static ir_val emit_take(struct random_graph *r, ir_val x)
{
	struct attrs_axis a = {.axis = any_axis(r, ir_type(r->g, x))};
	adze_shape at = random_type(r, int_dtype(r), (int)range(r, 0, 2));
	return ir_emit2(r->g, OP_TAKE, x, random_like(r, &at), &a);
}

/* A state is made of bits that are at hand, so that they are the same for all. */
static ir_val emit_rng(struct random_graph *r, ir_val x)
{
	bool philox = rare(r, 2);
	adze_dtype dtypes[] = {ADZE_U8, ADZE_U16, ADZE_U32, ADZE_U64};
	adze_shape state = shape_make(ADZE_U64, 1, (int64_t[]){philox ? 3 : 2});
	adze_shape to = *ir_type(r->g, x);
	to.dtype = dtypes[random_pick(r, COUNT_OF(dtypes))];
	return ir_emit1(r->g, philox ? OP_RNG_PHILOX : OP_RNG_THREEFRY, random_like(r, &state),
			NULL, &to);
}

static ir_val emit_cumulative(struct random_graph *r, ir_val x)
{
	const adze_shape *s = ir_type(r->g, x);
	struct attrs_cumulative a = {.by = any_reducer(r, s->dtype), .axis = any_axis(r, s),
				     .exclusive = rare(r, 2), .reverse = rare(r, 2)};
	return ir_emit1(r->g, OP_CUMULATIVE, x, &a, NULL);
}

static ir_val emit_top_k(struct random_graph *r, ir_val x)
{
	const adze_shape *s = ir_type(r->g, x);
	struct attrs_top_k a = {.axis = any_axis(r, s), .smallest = rare(r, 2)};
	a.k = s->rank > 0 ? range(r, 0, s->dim[a.axis].size) : 0;
	return ir_emit1(r->g, OP_TOP_K, x, &a, NULL);
}

/* By one compare, which the device knows, or by two, which it runs. */
static ir_val emit_sort(struct random_graph *r, ir_val x)
{
	const adze_shape *s = ir_type(r->g, x);
	adze_dtype dtype = s->dtype;
	if (!dtype_taken(dtype, DTYPE_INT | DTYPE_UINT | DTYPE_FLOAT) || s->rank == 0)
		return 0;
	adze_shape one = shape_make(dtype, 0, NULL);
	struct attrs_sort a = {.axis = any_axis(r, s)};
	adze_graph *b = ir_body_begin(r->g, "before");
	ir_val p = ir_input(b, "a", &one), q = ir_input(b, "b", &one);
	ir_val y = rare(r, 2) ? ir_emit2(b, OP_BEFORE, p, q, NULL)
			      : ir_emit2(b, OP_GT, p, q, NULL);
	if (rare(r, 2))
		y = ir_emit2(b, OP_AND, y, ir_emit2(b, OP_NE, p, q, NULL), NULL);
	ir_output(b, "r", y, 0);
	a.body = ir_body_end(b);
	return ir_emit1(r->g, OP_SORT, x, &a, NULL);
}

/* Rows at places that may be beyond the end, and may meet: the last one stays. */
static ir_val emit_scatter(struct random_graph *r, ir_val x)
{
	adze_shape s = *ir_type(r->g, x), rows = s;
	if (s.rank == 0 || dtype_info(s.dtype)->bits < 8 || !dim_is_static(&s.dim[0]))
		return 0;
	adze_shape at = shape_make(ADZE_I32, 1, (int64_t[]){range(r, 0, 5)});
	adze_shape one = shape_make(s.dtype, 0, NULL);
	rows.dim[0] = at.dim[0];
	struct attrs_scatter a = {.inserted = {.n = 1}, .map = {.n = 1}, .vector = 1};
	for (int i = 1; i < s.rank; i++)
		a.window.at[a.window.n++] = i;
	adze_graph *b = ir_body_begin(r->g, "last");
	ir_input(b, "a", &one);
	ir_output(b, "r", ir_input(b, "b", &one), 0);
	a.body = ir_body_end(b);
	ir_val args[3] = {x, random_like(r, &at), random_like(r, &rows)};
	return ir_emit(r->g, OP_SCATTER, args, 3, &a, NULL);
}

/* Each axis is paired, picked from, or part of the slice. */
static ir_val emit_gather(struct random_graph *r, ir_val x)
{
	adze_shape s = *ir_type(r->g, x), at = shape_make(int_dtype(r), 0, NULL);
	struct attrs_gather a = {.sizes = {.n = s.rank}};
	int offset = 0, more = (int)range(r, 0, 2), rank;
	for (int i = 0; i < s.rank && s.rank < 6; i++) {
		size_t how = random_pick(r, 4);
		a.sizes.at[i] = how > 1 ? s.dim[i].size : 1;
		if (how == 0) {
			a.batch_x.at[a.batch_x.n++] = i;
			a.batch_at.at[a.batch_at.n++] = at.rank;
			at.dim[at.rank++] = s.dim[i];
			continue;
		}
		if (how == 1)
			a.collapsed.at[a.collapsed.n++] = i;
		else if (how == 2 && dim_is_static(&s.dim[i]))
			a.sizes.at[i] = range(r, 0, s.dim[i].size);
		offset += how > 1;
		if (how == 1 || rare(r, 2))
			a.map.at[a.map.n++] = i;
	}
	for (; more > 0; more--)
		at.dim[at.rank++] = random_dim(r);
	a.vector = at.rank;
	rank = at.rank + offset;
	if (a.map.n != 1 || rare(r, 2))
		at.dim[at.rank++] = dim_make(a.map.n);
	for (int i = 0; i < at.rank; i++)
		at.dim[i].name[0] = '\0';
	for (int i = 0; i < rank; i++)
		if (a.offset.n < offset && (rare(r, 2) || rank - i == offset - (int)a.offset.n))
			a.offset.at[a.offset.n++] = i;
	return rank > 6 ? 0 : ir_emit2(r->g, OP_GATHER, x, random_like(r, &at), &a);
}

static ir_val emit_dynamic_slice(struct random_graph *r, ir_val x)
{
	adze_shape s = *ir_type(r->g, x);
	struct attrs_size a = {.size = {.n = s.rank}};
	ir_val args[1 + ADZE_MAX_RANK] = {x};
	for (int i = 0; i < s.rank; i++) {
		bool cut = dim_is_static(&s.dim[i]) && !rare(r, 3);
		a.size.at[i] = cut ? range(r, rare(r, 8) ? 0 : s.dim[i].size / 2, s.dim[i].size)
				   : s.dim[i].size;
		args[1 + i] = random_scalar(r, int_dtype(r));
	}
	return ir_emit(r->g, OP_DYNAMIC_SLICE, args, 1 + (size_t)s.rank, &a, NULL);
}

static ir_val emit_dynamic_update(struct random_graph *r, ir_val x)
{
	adze_shape s = *ir_type(r->g, x), u = s;
	ir_val args[2 + ADZE_MAX_RANK] = {x};
	for (int i = 0; i < s.rank; i++) {
		if (dim_is_static(&s.dim[i]) && !rare(r, 3))
			u.dim[i].size = range(r, rare(r, 8) ? 0 : s.dim[i].size / 2, s.dim[i].size);
		args[2 + i] = random_scalar(r, int_dtype(r));
	}
	args[1] = random_like(r, &u);
	return ir_emit(r->g, OP_DYNAMIC_UPDATE_SLICE, args, 2 + (size_t)s.rank, NULL, NULL);
}

static ir_val emit_extent(struct random_graph *r, ir_val x)
{
	struct attrs_axis a = {.axis = any_axis(r, ir_type(r->g, x))};
	return ir_emit1(r->g, OP_EXTENT, x, &a, NULL);
}

static ir_val emit_iota(struct random_graph *r, ir_val x)
{
	adze_shape s = *ir_type(r->g, x);
	struct attrs_axis a = {.axis = any_axis(r, &s)};
	if (rare(r, 2))
		s.dtype = random_dtype(r);
	return ir_emit(r->g, OP_IOTA, NULL, 0, &a, &s);
}

ir_val random_op(struct random_graph *r, ir_val x)
{
	typedef ir_val emit_function(struct random_graph *r, ir_val x);
	static emit_function *const emit[] = {
		emit_ew,      emit_ew,       emit_ew,      emit_ew,      emit_ew,
		emit_ew,      emit_ew,       emit_ew,      emit_select,  emit_convert,
		emit_convert, emit_reduce,   emit_reduce,  emit_arg,     emit_softmax,
		emit_norm,    emit_dot,      emit_dot,     emit_conv,    emit_window,
		emit_reshape, emit_broadcast, emit_transpose, emit_slice, emit_reverse,
		emit_concat,  emit_pad,      emit_bits,    emit_take,    emit_gather,   emit_rng,
		emit_cumulative, emit_top_k, emit_sort, emit_scatter, emit_complex,
		random_region, random_region,
		emit_dynamic_slice, emit_dynamic_update, emit_extent, emit_iota};
	return emit[random_pick(r, COUNT_OF(emit))](r, x);
}
