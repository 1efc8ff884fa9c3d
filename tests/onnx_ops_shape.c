/* SPDX-License-Identifier: Apache-2.0
 *
 * ONNX operators that move elements, make constants, or look at shapes.
 */
#include <math.h>
#include <string.h>

#include "tests/onnx_ops.h"

static int64_t product(const adze_shape *t, int from, int to)
{
	int64_t n = 1;
	for (int i = from; i < to; i++)
		n *= t->dim[i].size;
	return n;
}

void onnx_do_reshape(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	adze_shape t = ob_type(b, x);
	struct ir_dims d = ob_list(b, "shape", 1);
	int64_t known = 1;
	int open = -1;
	(void)arg;
	for (int i = 0; i < d.n; i++) {
		if (d.at[i] == 0 && ob_int(b, "allowzero", 0) == 0)
			d.at[i] = t.dim[i].size;
		if (d.at[i] < 0)
			open = i;
		else
			known *= d.at[i];
	}
	if (open >= 0)
		d.at[open] = known > 0 ? shape_count(&t) / known : 0;
	ob_out(b, 0, ob_reshape(b, x, (int)d.n, d.at));
}

void onnx_do_flatten(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	adze_shape t = ob_type(b, x);
	int axis = ob_axis(b, x, ob_int(b, "axis", 1));
	int64_t d[2] = {product(&t, 0, axis), product(&t, axis, t.rank)};
	(void)arg;
	ob_out(b, 0, ob_reshape(b, x, 2, d));
}

void onnx_do_squeeze(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	struct ir_dims axes = ob_list(b, "axes", 1);
	int64_t d[ADZE_MAX_RANK];
	int n = ob_rank(b, x), k = 0;
	(void)arg;
	for (int i = 0; i < n; i++) {
		bool gone = axes.n < 0 && ob_dim(b, x, i) == 1;
		for (int j = 0; j < axes.n; j++)
			gone |= ob_axis(b, x, axes.at[j]) == i;
		if (!gone)
			d[k++] = ob_dim(b, x, i);
	}
	ob_out(b, 0, ob_reshape(b, x, k, d));
}

void onnx_do_unsqueeze(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	struct ir_dims axes = ob_list(b, "axes", 1);
	int n = ob_rank(b, x) + (int)axes.n, k = 0;
	int64_t d[2 * ADZE_MAX_RANK];
	(void)arg;
	for (int i = 0; i < n; i++) {
		bool made = false;
		for (int j = 0; j < axes.n; j++)
			made |= (axes.at[j] < 0 ? axes.at[j] + n : axes.at[j]) == i;
		d[i] = made ? 1 : ob_dim(b, x, k);
		k += !made;
	}
	ob_out(b, 0, ob_reshape(b, x, n, d));
}

void onnx_do_transpose(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	const struct onnx_attr *a = onnx_attr(b->node, "perm");
	int perm[ADZE_MAX_RANK], n = ob_rank(b, x);
	(void)arg;
	for (int i = 0; i < n; i++)
		perm[i] = a != NULL ? (int)a->ints[i] : n - 1 - i;
	ob_out(b, 0, ob_transpose(b, x, perm));
}

void onnx_do_expand(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	struct ir_dims d = ob_list(b, "shape", 1);
	adze_shape t = ob_type(b, x), to = shape_make(t.dtype, (int)d.n, d.at);
	(void)arg;
	if (to.rank < t.rank) {
		adze_shape swap = to;
		to = t;
		t = swap;
	}
	for (int i = 1; i <= t.rank; i++)
		if (to.dim[to.rank - i].size == 1)
			to.dim[to.rank - i].size = t.dim[t.rank - i].size;
	ob_out(b, 0, ob_broadcast(b, x, &to));
}

void onnx_do_tile(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	struct ir_dims times = ob_list(b, "repeats", 1);
	ir_val copy[64];
	(void)arg;
	for (int i = 0; i < times.n; i++) {
		if (times.at[i] < 1 || times.at[i] > 64) {
			ob_skip(b, "no, or more than 64, repeats");
			return;
		}
		for (int k = 0; k < times.at[i]; k++)
			copy[k] = x;
		x = ob_concat(b, copy, (size_t)times.at[i], i);
	}
	ob_out(b, 0, x);
}

void onnx_do_concat(struct onnx_build *b, int arg)
{
	ir_val *x = arena_new(b->r, b->node->ninput + 1, sizeof *x);
	(void)arg;
	for (size_t i = 0; i < b->node->ninput; i++)
		x[i] = ob_in(b, i);
	ob_out(b, 0, ob_concat(b, x, b->node->ninput, ob_axis(b, x[0], ob_int(b, "axis", 1))));
}

void onnx_do_split(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	int axis = ob_axis(b, x, ob_int(b, "axis", 0));
	struct ir_dims sizes = ob_list(b, "split", 1);
	int64_t at = 0, n = (int64_t)b->node->noutput;
	(void)arg;
	for (int i = 0; i < n; i++) {
		int64_t size = sizes.n == n ? sizes.at[i] : ob_dim(b, x, axis) / n;
		ob_out(b, (size_t)i, ob_slice(b, x, axis, at, at + size, 1));
		at += size;
	}
}

static int64_t within(int64_t v, int64_t low, int64_t high)
{
	return v < low ? low : v > high ? high : v;
}

void onnx_do_slice(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	struct ir_dims from = ob_list(b, "starts", 1), to = ob_list(b, "ends", 2);
	struct ir_dims axes = ob_list(b, "axes", 3), step = ob_list(b, "steps", 4);
	(void)arg;
	for (int i = 0; i < from.n; i++) {
		int axis = ob_axis(b, x, axes.n > 0 ? axes.at[i] : i);
		int64_t by = step.n > 0 ? step.at[i] : 1, n = ob_dim(b, x, axis);
		int64_t start = from.at[i] < 0 ? from.at[i] + n : from.at[i];
		int64_t end = to.at[i] < 0 ? to.at[i] + n : to.at[i];
		start = by > 0 ? within(start, 0, n) : within(start, 0, n - 1);
		end = by > 0 ? within(end, 0, n) : within(end, -1, n - 1);
		x = ob_slice(b, x, axis, start, end, by);
	}
	ob_out(b, 0, x);
}

void onnx_do_gather(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	(void)arg;
	ob_out(b, 0, ob_take(b, x, ob_in(b, 1), ob_axis(b, x, ob_int(b, "axis", 0))));
}

/* x[i, j, ...] with the axis' index replaced; the other axes of the indices must be x's. */
void onnx_do_gather_elements(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	(void)arg;
	ob_out(b, 0, ob_take_along(b, x, ob_in(b, 1), ob_axis(b, x, ob_int(b, "axis", 0))));
}

/* Rows of x, flattened over what is indexed, at the number that each tuple of indices gives. */
void onnx_do_gather_nd(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), at = ob_in(b, 1), flat = 0;
	adze_shape t = ob_type(b, x), s = ob_type(b, at);
	int batch = (int)ob_int(b, "batch_dims", 0);
	int64_t n = s.dim[s.rank - 1].size, d[ADZE_MAX_RANK], stride = 1;
	int last = s.rank - 1, k = 1;
	(void)arg;
	for (int i = batch + (int)n; i-- > batch;) {
		ir_val one = ob_squeeze(b, ob_slice(b, at, last, i - batch, i - batch + 1, 1),
					last);
		one = ob_select(b, ob_ewk(b, OP_LT, one, 0),
				ob_ewk(b, OP_ADD, one, (double)t.dim[i].size), one);
		one = ob_ewk(b, OP_MUL, one, (double)stride);
		flat = flat == 0 ? one : ob_ew2(b, OP_ADD, flat, one);
		stride *= t.dim[i].size;
	}
	for (int i = batch; i-- > 0;) {
		adze_shape like = ob_type(b, flat);
		ir_val one = ob_ewk(b, OP_MUL, ob_iota(b, s.dtype, &like, i), (double)stride);
		flat = ob_ew2(b, OP_ADD, flat, one);
		stride *= t.dim[i].size;
	}
	d[0] = stride;
	for (int i = batch + (int)n; i < t.rank; i++)
		d[k++] = t.dim[i].size;
	x = ob_reshape(b, x, k, d);
	ob_out(b, 0, ir_emit2(b->g, OP_TAKE, x, flat, &(struct attrs_axis){.axis = 0}));
}

void onnx_do_compress(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), keep = ob_in(b, 1);
	const struct onnx_attr *a = onnx_attr(b->node, "axis");
	adze_shape t = ob_type(b, x);
	int64_t n = ob_dim(b, keep, 0), k = 0, count = shape_count(&t);
	int64_t *at = arena_new(b->r, (size_t)n + 1, sizeof *at);
	(void)arg;
	for (int64_t i = 0; i < n; i++)
		if (ob_known_int(b, keep, (size_t)i) != 0)
			at[k++] = i;
	x = a != NULL ? x : ob_reshape(b, x, 1, &count);
	ob_out(b, 0, ob_take(b, x, ob_ints(b, at, k), a != NULL ? ob_axis(b, x, a->i) : 0));
}

void onnx_do_one_hot(struct onnx_build *b, int arg)
{
	ir_val at = ob_in(b, 0), values = ob_in(b, 2);
	int64_t depth = ob_known_int(b, ob_in(b, 1), 0);
	int n = ob_rank(b, at), axis = (int)ob_int(b, "axis", -1);
	(void)arg;
	axis = axis < 0 ? axis + n + 1 : axis;
	at = ob_convert(b, at, ADZE_I64);
	at = ob_select(b, ob_ewk(b, OP_LT, at, 0), ob_ewk(b, OP_ADD, at, (double)depth), at);
	at = ob_unsqueeze(b, at, axis);
	adze_shape to = ob_type(b, at);
	to.dim[axis].size = depth;
	ir_val hot = ob_ew2(b, OP_EQ, at, ob_iota(b, ADZE_I64, &to, axis));
	ir_val off = ob_reshape(b, ob_slice(b, values, 0, 0, 1, 1), 0, NULL);
	ir_val on = ob_reshape(b, ob_slice(b, values, 0, 1, 2, 1), 0, NULL);
	ob_out(b, 0, ob_select(b, hot, on, off));
}

/* The place in an axis of n that place i outside of it repeats. */
static int64_t mirrored(int64_t i, int64_t n, bool edge)
{
	if (edge || n == 1)
		return within(i, 0, n - 1);
	int64_t period = 2 * (n - 1);
	i = ((i % period) + period) % period;
	return i < n ? i : period - i;
}

static ir_val pad_by_take(struct onnx_build *b, ir_val x, int axis, int64_t low, int64_t high,
			  bool edge)
{
	int64_t n = ob_dim(b, x, axis), count = n + low + high;
	int64_t *at = arena_new(b->r, (size_t)count + 1, sizeof *at);
	for (int64_t i = 0; i < count; i++)
		at[i] = mirrored(i - low, n, edge);
	return ob_take(b, x, ob_ints(b, at, count), axis);
}

void onnx_do_pad(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	const struct onnx_attr *a = onnx_attr(b->node, "pads");
	const char *mode = ob_text(b, "mode", "constant");
	double value = ob_has(b, 2) ? ob_known_float(b, ob_in(b, 2), 0) : ob_float(b, "value", 0);
	int n = ob_rank(b, x);
	(void)arg;
	for (int i = 0; i < n; i++) {
		int64_t low = a != NULL ? a->ints[i] : ob_known_int(b, ob_in(b, 1), (size_t)i);
		int64_t high = a != NULL ? a->ints[n + i]
					 : ob_known_int(b, ob_in(b, 1), (size_t)(n + i));
		if (strcmp(mode, "constant") == 0)
			x = ob_pad(b, x, i, low, high, value);
		else
			x = pad_by_take(b, x, i, low, high, strcmp(mode, "edge") == 0);
	}
	ob_out(b, 0, x);
}

void onnx_do_depth_to_space(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	int64_t k = ob_int(b, "blocksize", 1), n = ob_dim(b, x, 0), c = ob_dim(b, x, 1) / (k * k);
	int64_t h = ob_dim(b, x, 2), w = ob_dim(b, x, 3);
	(void)arg;
	if (ob_is(b, "mode", "CRD")) {
		x = ob_reshape(b, x, 6, (int64_t[]){n, c, k, k, h, w});
		x = ob_transpose(b, x, (int[]){0, 1, 4, 2, 5, 3});
	} else {
		x = ob_reshape(b, x, 6, (int64_t[]){n, k, k, c, h, w});
		x = ob_transpose(b, x, (int[]){0, 3, 4, 1, 5, 2});
	}
	ob_out(b, 0, ob_reshape(b, x, 4, (int64_t[]){n, c, h * k, w * k}));
}

void onnx_do_space_to_depth(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	int64_t k = ob_int(b, "blocksize", 1), n = ob_dim(b, x, 0), c = ob_dim(b, x, 1);
	int64_t h = ob_dim(b, x, 2) / k, w = ob_dim(b, x, 3) / k;
	(void)arg;
	x = ob_reshape(b, x, 6, (int64_t[]){n, c, h, k, w, k});
	x = ob_transpose(b, x, (int[]){0, 3, 5, 1, 2, 4});
	ob_out(b, 0, ob_reshape(b, x, 4, (int64_t[]){n, c * k * k, h, w}));
}

void onnx_do_constant(struct onnx_build *b, int arg)
{
	const struct onnx_attr *a = b->node->nattr == 1 ? &b->node->attr[0] : NULL;
	int64_t n;
	(void)arg;
	if (a == NULL || (a->tensor != NULL && a->tensor->bad)) {
		ob_skip(b, "strings");
	} else if (a->tensor != NULL) {
		ob_out(b, 0, ir_const(b->g, &a->tensor->shape, a->tensor->data));
	} else if (strcmp(a->name, "value_float") == 0) {
		ob_out(b, 0, ir_scalar(b->g, ADZE_F32, a->f));
	} else if (strcmp(a->name, "value_int") == 0) {
		ob_out(b, 0, ir_scalar(b->g, ADZE_I64, (double)a->i));
	} else if (strcmp(a->name, "value_floats") == 0) {
		n = (int64_t)a->nfloat;
		ob_out(b, 0, ob_floats(b, ADZE_F32, a->floats, 1, &n));
	} else if (strcmp(a->name, "value_ints") == 0) {
		ob_out(b, 0, ob_ints(b, a->ints, (int64_t)a->nint));
	} else {
		ob_skip(b, "strings");
	}
}

void onnx_do_constant_of_shape(struct onnx_build *b, int arg)
{
	const struct onnx_attr *a = onnx_attr(b->node, "value");
	struct ir_dims d = ob_list(b, "shape", 0);
	adze_dtype dtype = a != NULL ? a->tensor->shape.dtype : ADZE_F32;
	adze_shape none = shape_make(dtype, 0, NULL), to = shape_make(dtype, (int)d.n, d.at);
	(void)arg;
	ir_val v = a != NULL ? ir_const(b->g, &none, a->tensor->data)
			     : ir_scalar(b->g, dtype, 0);
	ob_out(b, 0, ob_broadcast(b, v, &to));
}

void onnx_do_shape(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	int n = ob_rank(b, x);
	int64_t d[ADZE_MAX_RANK], from = ob_int(b, "start", 0), to = ob_int(b, "end", n);
	(void)arg;
	from = within(from < 0 ? from + n : from, 0, n);
	to = within(to < 0 ? to + n : to, from, n);
	for (int i = 0; i < n; i++)
		d[i] = ob_dim(b, x, i);
	ob_out(b, 0, ob_ints(b, d + from, to - from));
}

void onnx_do_size(struct onnx_build *b, int arg)
{
	adze_shape t = ob_type(b, ob_in(b, 0));
	(void)arg;
	ob_out(b, 0, ir_scalar(b->g, ADZE_I64, (double)shape_count(&t)));
}

void onnx_do_range(struct onnx_build *b, int arg)
{
	ir_val from = ob_in(b, 0), by = ob_in(b, 2);
	double start = ob_known_float(b, from, 0), step = ob_known_float(b, by, 0);
	double count = ceil((ob_known_float(b, ob_in(b, 1), 0) - start) / step);
	int64_t n = count > 0 && count < 1e6 ? (int64_t)count : 0;
	adze_shape t = shape_make(ob_dtype(b, from), 1, &n);
	(void)arg;
	ir_val x = ob_ew2(b, OP_MUL, ob_iota(b, t.dtype, &t, 0), by);
	ob_out(b, 0, ob_ew2(b, OP_ADD, x, from));
}

/* column - row of the last two axes. */
static ir_val diagonal(struct onnx_build *b, const adze_shape *t)
{
	return ob_ew2(b, OP_SUB, ob_iota(b, ADZE_I64, t, t->rank - 1),
		      ob_iota(b, ADZE_I64, t, t->rank - 2));
}

void onnx_do_eye_like(struct onnx_build *b, int arg)
{
	adze_shape t = ob_type(b, ob_in(b, 0));
	adze_dtype to = onnx_attr(b->node, "dtype") != NULL ? onnx_dtype(ob_int(b, "dtype", 1))
							    : t.dtype;
	(void)arg;
	ir_val on = ob_ewk(b, OP_EQ, diagonal(b, &t), (double)ob_int(b, "k", 0));
	ob_out(b, 0, ob_convert(b, on, to));
}

void onnx_do_trilu(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	adze_shape t = ob_type(b, x);
	double k = ob_has(b, 1) ? (double)ob_known_int(b, ob_in(b, 1), 0) : 0;
	bool upper = ob_int(b, "upper", 1) != 0;
	(void)arg;
	ir_val keep = ob_ewk(b, upper ? OP_GE : OP_LE, diagonal(b, &t), k);
	ob_out(b, 0, ob_select(b, keep, x, ob_fill(b, x, 0)));
}

/* Each batch entry's first `len` steps backwards: a place picked for every element. */
void onnx_do_reverse_sequence(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), len = ob_in(b, 1);
	int time = (int)ob_int(b, "time_axis", 0), batch = (int)ob_int(b, "batch_axis", 1);
	adze_shape t = ob_type(b, x);
	int64_t d[ADZE_MAX_RANK];
	(void)arg;
	for (int i = 0; i < t.rank; i++)
		d[i] = i == batch ? t.dim[i].size : 1;
	len = ob_broadcast(b, ob_reshape(b, len, t.rank, d), &t);
	ir_val step = ob_iota(b, ob_dtype(b, len), &t, time);
	ir_val back = ob_ewk(b, OP_SUB, ob_ew2(b, OP_SUB, len, step), 1);
	ir_val at = ob_select(b, ob_ew2(b, OP_LT, step, len), back, step);
	ob_out(b, 0, ob_take_along(b, x, at, time));
}
