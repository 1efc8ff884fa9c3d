/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions along axes: reductions, softmax and norms, products, convolution, pooling.
 */
#include "tensor.h"

#include <string.h>

/* ---- reductions ---- */

/* The axes of a reduction: those listed, or all. */
static bool reduced_axes(struct tensor_op *op, ir_val x, const char *axes, struct ir_dims *out)
{
	if (!tensor_axes(op, x, axes, out))
		return false;
	if (out->n == 0)
		for (int rank = tensor_type(op, x)->rank; out->n < rank; out->n++)
			out->at[out->n] = out->n;
	return true;
}

static ir_val emit_reduce(struct tensor_op *op, ir_val x, enum ew by, const struct ir_dims *axes)
{
	struct attrs_reduce attrs = {.by = by, .axes = *axes};
	return x != 0 ? ir_emit1(op->graph, OP_REDUCE, x, &attrs, NULL) : 0;
}

static adze_tensor reduce(const char *name, adze_tensor x, enum ew by, const char *axes)
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	struct ir_dims at;
	ir_val y = 0;
	if (op.ok && reduced_axes(&op, x.id, axes, &at))
		y = emit_reduce(&op, x.id, by, &at);
	return tensor_end(&op, y);
}

adze_tensor(adze_sum)(adze_tensor x, const char *axes)
{
	return reduce("sum", x, EW_ADD, axes);
}

adze_tensor(adze_prod)(adze_tensor x, const char *axes)
{
	return reduce("prod", x, EW_MUL, axes);
}

adze_tensor(adze_maximum)(adze_tensor x, const char *axes)
{
	return reduce("maximum", x, EW_MAX, axes);
}

adze_tensor(adze_minimum)(adze_tensor x, const char *axes)
{
	return reduce("minimum", x, EW_MIN, axes);
}

static adze_tensor reduce_truth(const char *name, adze_tensor x, enum ew by, const char *axes)
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	struct ir_dims at;
	ir_val y = 0;
	if (op.ok && reduced_axes(&op, x.id, axes, &at))
		y = emit_reduce(&op, tensor_cast(&op, x.id, ADZE_BOOL), by, &at);
	return tensor_end(&op, y);
}

adze_tensor(adze_any)(adze_tensor x, const char *axes)
{
	return reduce_truth("any", x, EW_OR, axes);
}

adze_tensor(adze_all)(adze_tensor x, const char *axes)
{
	return reduce_truth("all", x, EW_AND, axes);
}

/* A sum of many narrow floats would leave their range before the division. */
static adze_dtype wide_float(adze_dtype dtype)
{
	return dtype == ADZE_F64 ? ADZE_F64 : ADZE_F32;
}

static bool takes_floats(struct tensor_op *op, ir_val x)
{
	char shape[SHAPE_TEXT];
	const adze_shape *s = tensor_type(op, x);
	if (!dtype_is_float(s->dtype))
		tensor_fail(op, ADZE_E_TYPE, "%s: it takes floats",
			    shape_print(s, shape, sizeof shape));
	return op->ok;
}

/* How many elements a call finds along those axes, as a scalar of `dtype`. */
static ir_val emit_count(struct tensor_op *op, ir_val x, const struct ir_dims *axes,
			 adze_dtype dtype)
{
	double fixed = 1;
	for (int i = 0; i < axes->n; i++) {
		const adze_dim *d = &tensor_type(op, x)->dim[axes->at[i]];
		fixed *= dim_is_static(d) ? (double)d->size : 1;
	}
	ir_val n = ir_scalar(op->graph, dtype, fixed);
	for (int i = 0; i < axes->n && n != 0; i++) {
		struct attrs_axis attrs = {.axis = axes->at[i]};
		if (dim_is_static(&tensor_type(op, x)->dim[axes->at[i]]))
			continue;
		ir_val extent = ir_emit1(op->graph, OP_EXTENT, x, &attrs, NULL);
		extent = extent != 0 ? tensor_cast(op, extent, dtype) : 0;
		n = ir_emit2(op->graph, OP_MUL, n, extent, NULL);
	}
	return n;
}

/* y / n for a scalar n, as `dtype`. */
static ir_val emit_quotient(struct tensor_op *op, ir_val y, ir_val n, adze_dtype dtype)
{
	ir_val v[2] = {y, n};
	if (y == 0 || n == 0 || !tensor_join(op, v, 2))
		return 0;
	y = ir_emit2(op->graph, OP_DIV, v[0], v[1], NULL);
	return y != 0 ? tensor_cast(op, y, dtype) : 0;
}

adze_tensor(adze_mean)(adze_tensor x, const char *axes)
{
	struct tensor_op op = tensor_begin("mean", &x, 1);
	struct ir_dims at;
	ir_val y = 0;
	if (op.ok && takes_floats(&op, x.id) && reduced_axes(&op, x.id, axes, &at)) {
		adze_dtype dtype = tensor_type(&op, x.id)->dtype, wide = wide_float(dtype);
		ir_val n = emit_count(&op, x.id, &at, wide);
		y = emit_reduce(&op, tensor_cast(&op, x.id, wide), EW_ADD, &at);
		y = emit_quotient(&op, y, n, dtype);
	}
	return tensor_end(&op, y);
}

static adze_tensor along_axis(const char *name, adze_tensor x, enum ir_op id, const char *axis)
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	struct attrs_axis attrs = {.axis = op.ok ? tensor_axis_of(&op, x.id, axis) : 0};
	return tensor_end(&op, op.ok ? ir_emit1(op.graph, id, x.id, &attrs, NULL) : 0);
}

adze_tensor(adze_argmax)(adze_tensor x, const char *axis)
{
	return along_axis("argmax", x, OP_ARGMAX, axis);
}

adze_tensor(adze_argmin)(adze_tensor x, const char *axis)
{
	return along_axis("argmin", x, OP_ARGMIN, axis);
}

adze_tensor(adze_softmax)(adze_tensor x, const char *axis)
{
	return along_axis("softmax", x, OP_SOFTMAX, axis);
}

/* ---- norms ---- */

static adze_tensor norm(const char *name, enum ir_op id, adze_tensor x, adze_tensor scale,
			double eps)
{
	const adze_tensor all[2] = {x, scale};
	size_t n = adze_is(scale) ? 2 : 1;
	struct tensor_op op = tensor_begin(name, all, n);
	const ir_val v[2] = {x.id, scale.id};
	struct attrs_eps attrs = {.eps = eps};
	return tensor_end(&op, op.ok ? ir_emit(op.graph, id, v, n, &attrs, NULL) : 0);
}

adze_tensor(adze_layer_norm)(adze_tensor x, adze_tensor scale, adze_tensor bias, double eps)
{
	if (!adze_is(bias))
		return norm("layer_norm", OP_LAYER_NORM, x, scale, eps);
	if (!adze_is(scale)) {
		adze_tensor y = norm("layer_norm", OP_LAYER_NORM, x, scale, eps);
		return (adze_add)(y, bias);
	}
	const adze_tensor all[3] = {x, scale, bias};
	struct tensor_op op = tensor_begin("layer_norm", all, 3);
	const ir_val v[3] = {x.id, scale.id, bias.id};
	struct attrs_eps attrs = {.eps = eps};
	return tensor_end(&op, op.ok ? ir_emit(op.graph, OP_LAYER_NORM, v, 3, &attrs, NULL) : 0);
}

adze_tensor(adze_rms_norm)(adze_tensor x, adze_tensor scale, double eps)
{
	return norm("rms_norm", OP_RMS_NORM, x, scale, eps);
}

/* ---- products ---- */

static void refuse_dot(struct tensor_op *op, ir_val a, ir_val b, const char *axes,
		       const char *words)
{
	char s[SHAPE_TEXT / 2], t[SHAPE_TEXT / 2];
	tensor_fail(op, ADZE_E_TYPE, "%s, %s over '%.60s': %s",
		    shape_print(tensor_type(op, a), s, sizeof s),
		    shape_print(tensor_type(op, b), t, sizeof t), axes, words);
}

/* "d", "d=in", "-1=1" ... */
static bool summed_axes(struct tensor_op *op, ir_val a, ir_val b, const char *axes,
			struct attrs_dot *dot)
{
	const char *at = axes;
	for (size_t n; (n = tensor_word(&at)) > 0; at += n) {
		const char *equal = memchr(at, '=', n), *other = equal != NULL ? equal + 1 : at;
		size_t left = equal != NULL ? (size_t)(equal - at) : n;
		int i = shape_axis(tensor_type(op, a), at, left);
		int j = shape_axis(tensor_type(op, b), other, (size_t)(at + n - other));
		if (i < 0 || j < 0) {
			refuse_dot(op, a, b, axes, i < 0 ? "the first has no such axis"
							 : "the second has no such axis");
			return false;
		}
		for (int64_t k = 0; k < dot->sum_a.n; k++)
			if (dot->sum_a.at[k] == i || dot->sum_b.at[k] == j) {
				refuse_dot(op, a, b, axes, "an axis stands twice");
				return false;
			}
		dot->sum_a.at[dot->sum_a.n++] = i;
		dot->sum_b.at[dot->sum_b.n++] = j;
	}
	return true;
}

static bool holds(const struct ir_dims *dims, int64_t axis)
{
	for (int64_t i = 0; i < dims->n; i++)
		if (dims->at[i] == axis)
			return true;
	return false;
}

adze_tensor(adze_dot)(adze_tensor a, adze_tensor b, const char *axes)
{
	const adze_tensor all[2] = {a, b};
	struct tensor_op op = tensor_begin("dot", all, 2);
	struct attrs_dot dot;
	memset(&dot, 0, sizeof dot);
	if (!op.ok || !summed_axes(&op, a.id, b.id, axes != NULL ? axes : "", &dot))
		return tensor_end(&op, 0);
	const adze_shape *s = tensor_type(&op, a.id), *t = tensor_type(&op, b.id);
	for (int i = 0; i < s->rank; i++) {
		int j = s->dim[i].name[0] != '\0'
				? shape_axis(t, s->dim[i].name, strlen(s->dim[i].name))
				: -1;
		if (j < 0 || holds(&dot.sum_a, i) || holds(&dot.sum_b, j))
			continue;
		dot.batch_a.at[dot.batch_a.n++] = i;
		dot.batch_b.at[dot.batch_b.n++] = j;
	}
	return tensor_end(&op, ir_emit2(op.graph, OP_DOT, a.id, b.id, &dot));
}

/* ---- windows ---- */

static bool is_image(struct tensor_op *op, ir_val x)
{
	char shape[SHAPE_TEXT];
	if (tensor_type(op, x)->rank != 4)
		tensor_fail(op, ADZE_E_TYPE, "%s: it takes [batch, channel, height, width]",
			    shape_print(tensor_type(op, x), shape, sizeof shape));
	return op->ok;
}

static int64_t or_one(int64_t v)
{
	return v == 0 ? 1 : v;
}

static struct ir_dims pair(int64_t height, int64_t width)
{
	return (struct ir_dims){.n = 2, .at = {height, width}};
}

/* Numbers of the spatial axes behind `rest` twice. */
static struct ir_dims four(int64_t rest, int64_t height, int64_t width)
{
	return (struct ir_dims){.n = 4, .at = {rest, rest, height, width}};
}

adze_tensor(adze_conv2d)(adze_tensor x, adze_tensor weight, const adze_window *window)
{
	static const adze_window plain;
	const adze_tensor all[2] = {x, weight};
	struct tensor_op op = tensor_begin("conv2d", all, 2);
	const adze_window *w = window != NULL ? window : &plain;
	ir_val y = 0;
	if (op.ok && is_image(&op, x.id) && is_image(&op, weight.id)) {
		struct attrs_conv attrs = {
			.stride = pair(or_one(w->stride[0]), or_one(w->stride[1])),
			.low = pair(w->low[0], w->low[1]),
			.high = pair(w->high[0], w->high[1]),
			.dilation = pair(or_one(w->dilation[0]), or_one(w->dilation[1])),
			.groups = w->groups,
		};
		y = ir_emit2(op.graph, OP_CONV, x.id, weight.id, &attrs);
	}
	return tensor_end(&op, y);
}

static ir_val emit_pool(struct tensor_op *op, ir_val x, enum ew by, int64_t height,
			int64_t width, const adze_window *window)
{
	static const adze_window plain;
	const adze_window *w = window != NULL ? window : &plain;
	if (w->groups > 1)
		return tensor_fail(op, ADZE_E_ARGUMENT, "a pool has no groups");
	struct attrs_window attrs = {
		.by = by,
		.window = four(1, height, width),
		.stride = four(1, w->stride[0] == 0 ? height : w->stride[0],
			       w->stride[1] == 0 ? width : w->stride[1]),
		.low = four(0, w->low[0], w->low[1]),
		.high = four(0, w->high[0], w->high[1]),
		.dilation = four(1, or_one(w->dilation[0]), or_one(w->dilation[1])),
	};
	return x != 0 ? ir_emit1(op->graph, OP_REDUCE_WINDOW, x, &attrs, NULL) : 0;
}

adze_tensor(adze_max_pool2d)(adze_tensor x, int64_t height, int64_t width,
			     const adze_window *window)
{
	struct tensor_op op = tensor_begin("max_pool2d", &x, 1);
	ir_val y = 0;
	if (op.ok && is_image(&op, x.id))
		y = emit_pool(&op, x.id, EW_MAX, height, width, window);
	return tensor_end(&op, y);
}

adze_tensor(adze_avg_pool2d)(adze_tensor x, int64_t height, int64_t width,
			     const adze_window *window)
{
	struct tensor_op op = tensor_begin("avg_pool2d", &x, 1);
	ir_val y = 0;
	if (op.ok && is_image(&op, x.id) && takes_floats(&op, x.id)) {
		adze_dtype dtype = tensor_type(&op, x.id)->dtype, wide = wide_float(dtype);
		y = emit_pool(&op, tensor_cast(&op, x.id, wide), EW_ADD, height, width, window);
		ir_val n = ir_scalar(op.graph, wide, (double)height * (double)width);
		y = emit_quotient(&op, y, n, dtype);
	}
	return tensor_end(&op, y);
}
