/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/onnx_build.h"

#include <string.h>

ir_val ob_skip(struct onnx_build *b, const char *reason)
{
	if (b->skip == NULL)
		b->skip = reason;
	return 0;
}

void ob_bind(struct onnx_build *b, const char *name, ir_val v)
{
	if (b->nname == b->name_cap) {
		struct onnx_name *more;
		b->name_cap = b->name_cap == 0 ? 64 : b->name_cap * 2;
		more = arena_new(b->r, b->name_cap, sizeof *more);
		if (b->nname > 0)
			memcpy(more, b->name, b->nname * sizeof *more);
		b->name = more;
	}
	b->name[b->nname++] = (struct onnx_name){name, v};
}

ir_val ob_find(const struct onnx_build *b, const char *name)
{
	for (size_t i = b->nname; i-- > 0;)
		if (strcmp(b->name[i].name, name) == 0)
			return b->name[i].v;
	return 0;
}

bool ob_has(const struct onnx_build *b, size_t i)
{
	return i < b->node->ninput && b->node->input[i][0] != '\0';
}

ir_val ob_in(struct onnx_build *b, size_t i)
{
	ir_val v = ob_has(b, i) ? ob_find(b, b->node->input[i]) : 0;
	return v != 0 ? v : ob_skip(b, "an operand that is no tensor of the case");
}

bool ob_wants(const struct onnx_build *b, size_t i)
{
	return i < b->node->noutput && b->node->output[i][0] != '\0';
}

void ob_out(struct onnx_build *b, size_t i, ir_val v)
{
	if (ob_wants(b, i))
		ob_bind(b, b->node->output[i], v);
}

int64_t ob_int(const struct onnx_build *b, const char *name, int64_t otherwise)
{
	const struct onnx_attr *a = onnx_attr(b->node, name);
	return a != NULL ? a->i : otherwise;
}

double ob_float(const struct onnx_build *b, const char *name, double otherwise)
{
	const struct onnx_attr *a = onnx_attr(b->node, name);
	return a != NULL ? a->f : otherwise;
}

const char *ob_text(const struct onnx_build *b, const char *name, const char *otherwise)
{
	const struct onnx_attr *a = onnx_attr(b->node, name);
	return a != NULL && a->text != NULL ? a->text : otherwise;
}

bool ob_is(const struct onnx_build *b, const char *name, const char *value)
{
	return strcmp(ob_text(b, name, ""), value) == 0;
}

struct ir_dims ob_dims(struct onnx_build *b, const char *name, int n, int64_t otherwise)
{
	const struct onnx_attr *a = onnx_attr(b->node, name);
	struct ir_dims d = {.n = n};
	if (n < 0 || n > ADZE_MAX_RANK || (a != NULL && a->nint != (size_t)n)) {
		ob_skip(b, "a list of another length than the operand's rank");
		return (struct ir_dims){0};
	}
	for (int i = 0; i < n; i++)
		d.at[i] = a != NULL ? a->ints[i] : otherwise;
	return d;
}

struct ir_dims ob_list(struct onnx_build *b, const char *name, size_t i)
{
	const struct onnx_attr *a = onnx_attr(b->node, name);
	struct ir_dims d = {.n = -1};
	ir_val v = a == NULL && ob_has(b, i) ? ob_in(b, i) : 0;
	int64_t n = a != NULL ? (int64_t)a->nint : -1;
	if (v != 0) {
		adze_shape t = ob_type(b, v);
		n = shape_count(&t);
	}
	if (n > ADZE_MAX_RANK)
		ob_skip(b, "more than 8 axes");
	if (n < 0 || n > ADZE_MAX_RANK)
		return d;
	d.n = n;
	for (int k = 0; k < n; k++)
		d.at[k] = a != NULL ? a->ints[k] : ob_known_int(b, v, (size_t)k);
	return d;
}

int ob_axis(const struct onnx_build *b, ir_val x, int64_t axis)
{
	return (int)(axis < 0 ? axis + ob_rank(b, x) : axis);
}

const void *ob_known(struct onnx_build *b, ir_val v)
{
	static const int64_t no_symbol[ADZE_MAX_SYMBOLS];
	const adze_graph *g = b->g;
	if (v == 0)
		return NULL;
	if (v >= b->known_cap) {
		size_t cap = g->nnode * 2;
		const void **more = arena_new(b->r, cap, sizeof *more);
		if (b->known_cap > 0)
			memcpy(more, b->known, b->known_cap * sizeof *more);
		b->known = more;
		b->known_cap = cap;
	}
	if (b->known[v] != NULL)
		return b->known[v];
	size_t n = ir_get(g, v)->narg;
	const void **x = arena_new(b->r, n + 1, sizeof *x), *y;
	for (size_t i = 0; i < n; i++) {
		x[i] = ob_known(b, ir_arg(g, v, i));
		if (x[i] == NULL)
			return NULL;
	}
	if (ir_get(g, v)->op == OP_INPUT) {
		y = b->input[ir_input_index(g, v)];
	} else if (ir_get(g, v)->op == OP_CONST) {
		y = IR_ATTRS(data, g, v)->data.bytes;
	} else {
		void *made = arena_new(b->r, (size_t)shape_bytes(ir_type(g, v)) + 16, 1);
		y = made;
		if (ir_eval_node(g, v, no_symbol, x, made, &b->g->diag) != ADZE_OK)
			return NULL;
	}
	b->known[v] = y;
	return y;
}

int64_t ob_known_int(struct onnx_build *b, ir_val v, size_t i)
{
	const void *at = ob_known(b, v);
	adze_dtype d = ob_dtype(b, v);
	if (at == NULL)
		return 0;
	return dtype_is_float(d) ? (int64_t)dtype_load_float(d, at, i) : dtype_load_int(d, at, i);
}

double ob_known_float(struct onnx_build *b, ir_val v, size_t i)
{
	const void *at = ob_known(b, v);
	adze_dtype d = ob_dtype(b, v);
	if (at == NULL)
		return 0;
	return dtype_is_float(d) ? dtype_load_float(d, at, i) : (double)dtype_load_int(d, at, i);
}

adze_shape ob_type(const struct onnx_build *b, ir_val v)
{
	return v != 0 ? *ir_type(b->g, v) : shape_make(ADZE_F32, 0, NULL);
}

int ob_rank(const struct onnx_build *b, ir_val v)
{
	return ob_type(b, v).rank;
}

int64_t ob_dim(const struct onnx_build *b, ir_val v, int axis)
{
	adze_shape t = ob_type(b, v);
	return axis >= 0 && axis < t.rank ? t.dim[axis].size : 1;
}

adze_dtype ob_dtype(const struct onnx_build *b, ir_val v)
{
	return ob_type(b, v).dtype;
}

ir_val ob_fill(struct onnx_build *b, ir_val x, double value)
{
	adze_shape t = ob_type(b, x);
	return ob_broadcast(b, ir_scalar(b->g, t.dtype, value), &t);
}

ir_val ob_ints(struct onnx_build *b, const int64_t *at, int64_t n)
{
	adze_shape t = shape_make(ADZE_I64, 1, &n);
	int64_t none = 0;
	return ir_const(b->g, &t, n > 0 ? at : &none);
}

ir_val ob_floats(struct onnx_build *b, adze_dtype dtype, const double *at, int rank,
		 const int64_t *dims)
{
	adze_shape t = shape_make(dtype, rank, dims);
	size_t n = (size_t)shape_count(&t);
	void *bytes = arena_new(b->r, (size_t)shape_bytes(&t) + 16, 1);
	for (size_t i = 0; i < n; i++)
		dtype_store_float(dtype, bytes, i, at[i]);
	return ir_const(b->g, &t, bytes);
}

ir_val ob_iota(struct onnx_build *b, adze_dtype dtype, const adze_shape *like, int axis)
{
	adze_shape t = *like;
	t.dtype = dtype;
	return ir_emit(b->g, OP_IOTA, NULL, 0, &(struct attrs_axis){.axis = axis}, &t);
}

ir_val ob_broadcast(struct onnx_build *b, ir_val x, const adze_shape *to)
{
	struct attrs_axes a = {0};
	adze_shape t = ob_type(b, x), want = *to;
	want.dtype = t.dtype;
	if (x == 0 || shape_same_extents(&t, &want))
		return x;
	a.axes.n = t.rank;
	for (int i = 0; i < t.rank; i++)
		a.axes.at[i] = want.rank - t.rank + i;
	return ir_emit1(b->g, OP_BROADCAST, x, &a, &want);
}

ir_val ob_ew1(struct onnx_build *b, enum ir_op op, ir_val x)
{
	return ir_emit1(b->g, op, x, NULL, NULL);
}

/* The shape that both broadcast to. */
static adze_shape meet(const struct onnx_build *b, ir_val x, ir_val y)
{
	adze_shape s = ob_type(b, x), t = ob_type(b, y);
	if (s.rank < t.rank) {
		adze_shape swap = s;
		s = t;
		t = swap;
	}
	for (int i = 1; i <= t.rank; i++)
		if (s.dim[s.rank - i].size == 1)
			s.dim[s.rank - i].size = t.dim[t.rank - i].size;
	return s;
}

ir_val ob_ew2(struct onnx_build *b, enum ir_op op, ir_val x, ir_val y)
{
	adze_shape s = meet(b, x, y);
	return ir_emit2(b->g, op, ob_broadcast(b, x, &s), ob_broadcast(b, y, &s), NULL);
}

ir_val ob_ewk(struct onnx_build *b, enum ir_op op, ir_val x, double value)
{
	return ir_emit2(b->g, op, x, ob_fill(b, x, value), NULL);
}

ir_val ob_select(struct onnx_build *b, ir_val c, ir_val x, ir_val y)
{
	adze_shape s = meet(b, x, y);
	ir_val args[3] = {c, ob_broadcast(b, x, &s), y};
	s = meet(b, c, args[1]);
	args[0] = ob_broadcast(b, c, &s);
	args[1] = ob_broadcast(b, x, &s);
	args[2] = ob_broadcast(b, y, &s);
	return ir_emit(b->g, OP_SELECT, args, 3, NULL, NULL);
}

ir_val ob_convert(struct onnx_build *b, ir_val x, adze_dtype dtype)
{
	adze_shape t = ob_type(b, x);
	if (t.dtype == dtype)
		return x;
	t.dtype = dtype;
	return ir_emit1(b->g, OP_CONVERT, x, NULL, &t);
}

ir_val ob_reshape(struct onnx_build *b, ir_val x, int rank, const int64_t *dims)
{
	if (rank > ADZE_MAX_RANK)
		return ob_skip(b, "more than 8 axes");
	adze_shape t = shape_make(ob_dtype(b, x), rank, dims), have = ob_type(b, x);
	return shape_same_extents(&t, &have) ? x : ir_emit1(b->g, OP_RESHAPE, x, NULL, &t);
}

ir_val ob_unsqueeze(struct onnx_build *b, ir_val x, int axis)
{
	int64_t d[ADZE_MAX_RANK + 1];
	int n = ob_rank(b, x), k = 0;
	for (int i = 0; i <= n; i++) {
		if (i == axis)
			d[k++] = 1;
		if (i < n)
			d[k++] = ob_dim(b, x, i);
	}
	return ob_reshape(b, x, k, d);
}

ir_val ob_squeeze(struct onnx_build *b, ir_val x, int axis)
{
	int64_t d[ADZE_MAX_RANK];
	int n = ob_rank(b, x), k = 0;
	for (int i = 0; i < n; i++)
		if (i != axis)
			d[k++] = ob_dim(b, x, i);
	return ob_reshape(b, x, k, d);
}

ir_val ob_transpose(struct onnx_build *b, ir_val x, const int *perm)
{
	struct attrs_axes a = {.axes.n = ob_rank(b, x)};
	for (int i = 0; i < a.axes.n; i++)
		a.axes.at[i] = perm[i];
	return ir_emit1(b->g, OP_TRANSPOSE, x, &a, NULL);
}

ir_val ob_swap(struct onnx_build *b, ir_val x, int i, int j)
{
	int perm[ADZE_MAX_RANK];
	for (int k = 0; k < ADZE_MAX_RANK; k++)
		perm[k] = k == i ? j : k == j ? i : k;
	return i == j ? x : ob_transpose(b, x, perm);
}

ir_val ob_slice(struct onnx_build *b, ir_val x, int axis, int64_t from, int64_t to, int64_t step)
{
	struct attrs_slice a = {0};
	int n = ob_rank(b, x);
	int64_t extent = ob_dim(b, x, axis);
	if (step < 0) {
		struct attrs_axes r = {.axes = {1, {axis}}};
		x = ir_emit1(b->g, OP_REVERSE, x, &r, NULL);
		from = extent - 1 - from;
		to = extent - 1 - to;
		step = -step;
	}
	if (to < from)
		to = from;
	a.start.n = a.limit.n = a.stride.n = n;
	for (int i = 0; i < n; i++) {
		a.start.at[i] = i == axis ? from : 0;
		a.limit.at[i] = i == axis ? to : ob_dim(b, x, i);
		a.stride.at[i] = i == axis ? step : 1;
	}
	return ir_emit1(b->g, OP_SLICE, x, &a, NULL);
}

ir_val ob_concat(struct onnx_build *b, const ir_val *x, size_t n, int axis)
{
	return ir_emit(b->g, OP_CONCAT, x, n, &(struct attrs_axis){.axis = axis}, NULL);
}

ir_val ob_pad(struct onnx_build *b, ir_val x, int axis, int64_t low, int64_t high, double v)
{
	struct attrs_pad a = {.low.n = ob_rank(b, x), .high.n = ob_rank(b, x)};
	a.low.at[axis] = low;
	a.high.at[axis] = high;
	return ir_emit2(b->g, OP_PAD, x, ir_scalar(b->g, ob_dtype(b, x), v), &a);
}

/* Indices below zero count from the end of an axis of `extent`. */
static ir_val from_end(struct onnx_build *b, ir_val at, int64_t extent)
{
	ir_val low = ob_ewk(b, OP_LT, at, 0);
	return ob_select(b, low, ob_ewk(b, OP_ADD, at, (double)extent), at);
}

ir_val ob_take(struct onnx_build *b, ir_val x, ir_val at, int axis)
{
	at = from_end(b, at, ob_dim(b, x, axis));
	return ir_emit2(b->g, OP_TAKE, x, at, &(struct attrs_axis){.axis = axis});
}

ir_val ob_take_along(struct onnx_build *b, ir_val x, ir_val at, int axis)
{
	adze_shape t = ob_type(b, x), to = ob_type(b, at);
	int64_t count = shape_count(&t), stride = 1;
	ir_val flat = ob_fill(b, at, 0);
	if (t.rank != to.rank)
		return ob_skip(b, "indices of another rank");
	for (int i = t.rank; i-- > 0;) {
		ir_val k = i == axis ? from_end(b, at, t.dim[i].size)
				     : ob_iota(b, to.dtype, &to, i);
		flat = ob_ew2(b, OP_ADD, flat, ob_ewk(b, OP_MUL, k, (double)stride));
		stride *= t.dim[i].size;
	}
	x = ob_reshape(b, x, 1, &count);
	return ir_emit2(b->g, OP_TAKE, x, flat, &(struct attrs_axis){.axis = 0});
}

ir_val ob_reduce(struct onnx_build *b, enum ew by, ir_val x, const bool *axes, bool keep)
{
	struct attrs_reduce a = {.by = by};
	int64_t d[ADZE_MAX_RANK];
	int n = ob_rank(b, x);
	for (int i = 0; i < n; i++) {
		d[i] = axes[i] ? 1 : ob_dim(b, x, i);
		if (axes[i])
			a.axes.at[a.axes.n++] = i;
	}
	x = ir_emit1(b->g, OP_REDUCE, x, &a, NULL);
	return keep ? ob_reshape(b, x, n, d) : x;
}

ir_val ob_reduce1(struct onnx_build *b, enum ew by, ir_val x, int axis, bool keep)
{
	bool set[ADZE_MAX_RANK] = {0};
	set[axis] = true;
	return ob_reduce(b, by, x, set, keep);
}

ir_val ob_matmul(struct onnx_build *b, ir_val x, ir_val y)
{
	bool row = ob_rank(b, x) == 1, column = ob_rank(b, y) == 1;
	struct attrs_dot d = {0};
	x = row ? ob_unsqueeze(b, x, 0) : x;
	y = column ? ob_unsqueeze(b, y, 1) : y;
	adze_shape s = ob_type(b, x), t = ob_type(b, y);
	int n = s.rank > t.rank ? s.rank : t.rank;
	adze_shape to[2] = {s.rank >= t.rank ? s : t, s.rank >= t.rank ? s : t};
	for (int i = 3; i <= n; i++) {
		int64_t p = i <= s.rank ? s.dim[s.rank - i].size : 1;
		int64_t q = i <= t.rank ? t.dim[t.rank - i].size : 1;
		to[0].dim[n - i].size = to[1].dim[n - i].size = p > q ? p : q;
		d.batch_a.at[n - i] = d.batch_b.at[n - i] = n - i;
	}
	for (int i = 1; i <= 2; i++) {
		to[0].dim[n - i] = s.dim[s.rank - i];
		to[1].dim[n - i] = t.dim[t.rank - i];
	}
	d.batch_a.n = d.batch_b.n = n - 2;
	d.sum_a = (struct ir_dims){1, {n - 1}};
	d.sum_b = (struct ir_dims){1, {n - 2}};
	ir_val z = ir_emit2(b->g, OP_DOT, ob_broadcast(b, x, &to[0]), ob_broadcast(b, y, &to[1]),
			    &d);
	z = row ? ob_squeeze(b, z, n - 2) : z;
	return column ? ob_squeeze(b, z, ob_rank(b, z) - 1) : z;
}
