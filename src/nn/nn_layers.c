/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/nn_parts.h"

#include <string.h>

/* ---- what layers share ---- */

struct tensor_op nn_begin(const char *name, adze_tensor x, const adze_tensor *needed, size_t n,
			  const adze_tensor *optional, size_t m)
{
	adze_tensor all[8] = {x};
	size_t count = 1;
	for (size_t i = 0; i < n; i++)
		all[count++] = needed[i];
	for (size_t i = 0; i < m; i++)
		if (adze_is(optional[i]))
			all[count++] = optional[i];
	return form_floats(name, all, count);
}

adze_tensor nn_weight(struct tensor_op *op, adze_tensor weight, adze_tensor x)
{
	if (!op->ok || !adze_is(weight) || !adze_is(x))
		return weight;
	adze_dtype to = tensor_type(op, x.id)->dtype;
	return dtype_info(tensor_type(op, weight.id)->dtype)->bits < dtype_info(to)->bits
		       ? (adze_convert)(weight, to)
		       : weight;
}

adze_tensor nn_bias(struct tensor_op *op, adze_tensor y, adze_tensor bias, int axis)
{
	if (!op->ok || !adze_is(y) || !adze_is(bias))
		return y;
	bias = nn_weight(op, bias, y);
	const adze_shape s = *tensor_type(op, y.id);
	const adze_shape *t = tensor_type(op, bias.id);
	struct ir_dims at = {.n = 1, .at = {axis < 0 ? axis + s.rank : axis}};
	if (t->rank != 1 || !dim_same(&t->dim[0], &s.dim[at.at[0]]))
		return form_refuse(op, bias, "a bias has one number for each channel");
	return f_add(y, form_spread(op, bias, &s, &at));
}

/* Whether the weight of a convolution is one, and as x is. */
static bool is_window(struct tensor_op *op, adze_tensor x, adze_tensor weight)
{
	int rank = op->ok ? tensor_type(op, weight.id)->rank : 0;
	if (op->ok && (rank < 3 || rank > 5))
		form_refuse(op, weight, "a weight is [channels, channels, 1 to 3 axes]");
	if (op->ok && tensor_type(op, x.id)->rank != rank)
		form_refuse(op, x, "it has not as many axes as the weight");
	return op->ok;
}

adze_tensor nn_unnamed(struct tensor_op *op, adze_tensor x)
{
	if (!op->ok || !adze_is(x))
		return form_of(op, 0);
	adze_shape s = *tensor_type(op, x.id);
	for (int i = 0; i < s.rank; i++)
		memset(s.dim[i].name, 0, ADZE_MAX_AXIS);
	return form_reshape(op, x, &s);
}

adze_tensor nn_first_to(struct tensor_op *op, adze_tensor x, int to)
{
	if (!op->ok || !adze_is(x))
		return form_of(op, 0);
	struct attrs_axes order = {.axes = {.n = tensor_type(op, x.id)->rank}};
	for (int i = 0; i < order.axes.n; i++)
		order.axes.at[i] = i < to ? i + 1 : i > to ? i : 0;
	return form_of(op, ir_emit1(op->graph, OP_TRANSPOSE, x.id, &order, NULL));
}

static bool has_rank(struct tensor_op *op, adze_tensor x, int rank, const char *words)
{
	if (op->ok && tensor_type(op, x.id)->rank != rank)
		form_refuse(op, x, words);
	return op->ok;
}

/* ---- linear, embedding, convolution ---- */

adze_tensor(adze_nn_linear)(struct adze_nn_linear l, adze_tensor x)
{
	struct tensor_op op = nn_begin("nn_linear", x, &l.weight, 1, &l.bias, 1);
	adze_tensor y = x;
	if (has_rank(&op, l.weight, 2, "a weight is [out, in]"))
		y = (adze_dot)(x, nn_weight(&op, l.weight, x), "-1=1");
	return form_end(&op, nn_bias(&op, y, l.bias, -1));
}

/* Each element of a block times the block's number, in f32. */
static adze_tensor widen(struct tensor_op *op, adze_tensor w, adze_tensor scale)
{
	const adze_shape s = *tensor_type(op, w.id), *t = tensor_type(op, scale.id);
	adze_shape blocks = s, fine = s;
	blocks.rank = 4;
	for (int i = 0; i < 2; i++) {
		int64_t n = t->dim[i].size;
		if (n < 1 || s.dim[i].size % n != 0)
			return form_refuse(op, scale, "its blocks do not divide the weight");
		blocks.dim[2 * i] = dim_make(n);
		blocks.dim[2 * i + 1] = dim_make(s.dim[i].size / n);
	}
	const struct ir_dims at = {.n = 2, .at = {0, 2}};
	w = form_reshape(op, (adze_convert)(w, ADZE_F32), &blocks);
	scale = form_spread(op, (adze_convert)(scale, ADZE_F32), &blocks, &at);
	return form_reshape(op, f_mul(w, scale), &fine);
}

adze_tensor(adze_nn_scaled_linear)(struct adze_nn_scaled_linear l, adze_tensor x)
{
	const adze_tensor all[3] = {x, l.weight, l.weight_scale};
	struct tensor_op op = tensor_begin("nn_scaled_linear", all, 3);
	if (op.ok)
		op = nn_begin("nn_scaled_linear", x, &l.weight_scale, 1, &l.bias, 1);
	if (!has_rank(&op, l.weight, 2, "a weight is [out, in]"))
		return form_end(&op, x);
	adze_tensor wide = (adze_convert)(x, ADZE_F32), scale = l.weight_scale, y;
	const adze_shape t = *tensor_type(&op, scale.id), *w = tensor_type(&op, l.weight.id);
	bool one = adze_shape_count(&t) == 1;
	bool rows = t.rank >= 1 && t.rank <= 2 && dim_same(&t.dim[0], &w->dim[0]) &&
		    (t.rank == 1 || t.dim[1].size == 1);
	if (one || rows) {
		adze_shape flat = t;
		flat.rank = one ? 0 : 1;
		y = (adze_dot)(wide, (adze_convert)(l.weight, ADZE_F32), "-1=1");
		scale = form_reshape(&op, (adze_convert)(scale, ADZE_F32), &flat);
		y = f_mul(y, scale);
	} else if (has_rank(&op, scale, 2, "a scale is a scalar, [out], or of blocks")) {
		y = (adze_dot)(wide, widen(&op, l.weight, scale), "-1=1");
	} else {
		return form_end(&op, x);
	}
	if (adze_is(l.bias))
		y = nn_bias(&op, y, (adze_convert)(l.bias, ADZE_F32), -1);
	return form_end(&op, (adze_convert)(y, adze_tensor_shape(x).dtype));
}

adze_tensor(adze_nn_embedding)(struct adze_nn_embedding l, adze_tensor ids)
{
	const adze_tensor all[2] = {ids, l.weight};
	struct tensor_op op = tensor_begin("nn_embedding", all, 2);
	adze_tensor y = ids;
	if (has_rank(&op, l.weight, 2, "a weight is [v, d]"))
		y = (adze_embedding)(l.weight, ids);
	return form_end(&op, y);
}

static adze_tensor convolve(adze_tensor x, adze_tensor weight, const adze_window3 *window)
{
	static const adze_window3 none;
	const adze_window3 *w = window != NULL ? window : &none;
	int rank = adze_tensor_shape(weight).rank;
	if (rank == 4)
		return (adze_conv2d)(x, weight,
				     &(adze_window){.stride = {w->stride[0], w->stride[1]},
						    .dilation = {w->dilation[0], w->dilation[1]},
						    .low = {w->low[0], w->low[1]},
						    .high = {w->high[0], w->high[1]},
						    .groups = w->groups});
	return rank == 3 ? (adze_conv1d)(x, weight, w) : (adze_conv3d)(x, weight, w);
}

adze_tensor(adze_nn_conv)(struct adze_nn_conv l, adze_tensor x, const adze_window3 *window)
{
	struct tensor_op op = nn_begin("nn_conv", x, &l.weight, 1, &l.bias, 1);
	adze_tensor y = is_window(&op, x, l.weight)
				? convolve(x, nn_weight(&op, l.weight, x), window)
				 : x;
	return form_end(&op, nn_bias(&op, y, l.bias, 1));
}

adze_tensor(adze_nn_conv_transpose)(struct adze_nn_conv l, adze_tensor x,
				    const adze_window3 *window)
{
	struct tensor_op op = nn_begin("nn_conv_transpose", x, &l.weight, 1, &l.bias, 1);
	adze_tensor y = x;
	if (is_window(&op, x, l.weight))
		y = (adze_conv_transpose)(x, nn_weight(&op, l.weight, x), window);
	return form_end(&op, nn_bias(&op, y, l.bias, 1));
}

/* ---- norms ---- */

static void widen_norm(struct tensor_op *op, struct adze_nn_norm *l, adze_tensor x)
{
	l->weight = nn_weight(op, l->weight, x);
	l->bias = nn_weight(op, l->bias, x);
}

adze_tensor(adze_nn_layer_norm)(struct adze_nn_norm l, adze_tensor x, double eps)
{
	const adze_tensor more[2] = {l.weight, l.bias};
	struct tensor_op op = nn_begin("nn_layer_norm", x, NULL, 0, more, 2);
	widen_norm(&op, &l, x);
	return form_end(&op, op.ok ? (adze_layer_norm)(x, l.weight, l.bias, eps) : x);
}

adze_tensor(adze_nn_rms_norm)(struct adze_nn_norm l, adze_tensor x, double eps)
{
	const adze_tensor more[2] = {l.weight, l.bias};
	struct tensor_op op = nn_begin("nn_rms_norm", x, NULL, 0, more, 2);
	widen_norm(&op, &l, x);
	adze_tensor y = op.ok ? (adze_rms_norm)(x, l.weight, eps) : x;
	return form_end(&op, nn_bias(&op, y, l.bias, -1));
}

adze_tensor(adze_nn_group_norm)(struct adze_nn_norm l, adze_tensor x, int64_t groups, double eps)
{
	const adze_tensor more[2] = {l.weight, l.bias};
	struct tensor_op op = nn_begin("nn_group_norm", x, NULL, 0, more, 2);
	widen_norm(&op, &l, x);
	return form_end(&op, op.ok ? (adze_group_norm)(x, groups, l.weight, l.bias, eps) : x);
}

adze_tensor(adze_nn_instance_norm)(struct adze_nn_norm l, adze_tensor x, double eps)
{
	const adze_tensor more[2] = {l.weight, l.bias};
	struct tensor_op op = nn_begin("nn_instance_norm", x, NULL, 0, more, 2);
	widen_norm(&op, &l, x);
	return form_end(&op, op.ok ? (adze_instance_norm)(x, l.weight, l.bias, eps) : x);
}

adze_tensor(adze_nn_batch_norm)(struct adze_nn_batch_norm l, adze_tensor x, double eps)
{
	const adze_tensor needed[2] = {l.running_mean, l.running_var};
	const adze_tensor more[2] = {l.weight, l.bias};
	struct tensor_op op = nn_begin("nn_batch_norm", x, needed, 2, more, 2);
	adze_tensor y = x;
	if (op.ok)
		y = (adze_batch_norm)(x, nn_weight(&op, l.running_mean, x),
				      nn_weight(&op, l.running_var, x),
				      nn_weight(&op, l.weight, x), nn_weight(&op, l.bias, x), eps);
	return form_end(&op, y);
}

adze_tensor nn_unit(struct tensor_op *op, adze_tensor wide, const struct ir_dims *at,
		    const char *axes, double eps)
{
	adze_tensor sum = form_keep(op, (adze_sum)(f_mul(wide, wide), axes), wide, at);
	return f_mul(wide, f_rsqrt(f_shift(sum, eps)));
}

adze_tensor(adze_nn_l2_normalize)(adze_tensor x, const char *axes, double eps)
{
	struct tensor_op op = form_floats("nn_l2_normalize", &x, 1);
	struct ir_dims at;
	if (!form_axes(&op, x, axes, &at))
		return form_end(&op, x);
	adze_tensor y = nn_unit(&op, form_wide(x), &at, axes, eps);
	return form_end(&op, (adze_convert)(y, adze_tensor_shape(x).dtype));
}

adze_tensor(adze_nn_variance_normalize)(adze_tensor x, const char *axes, double eps)
{
	struct tensor_op op = form_floats("nn_variance_normalize", &x, 1);
	struct ir_dims at;
	if (!form_axes(&op, x, axes, &at))
		return form_end(&op, x);
	adze_tensor wide = form_wide(x);
	adze_tensor d = f_sub(wide, form_keep(&op, (adze_mean)(wide, axes), wide, &at));
	adze_tensor v = form_keep(&op, (adze_mean)(f_mul(d, d), axes), wide, &at);
	adze_tensor y = f_mul(d, f_rsqrt(f_shift(v, eps)));
	return form_end(&op, (adze_convert)(y, adze_tensor_shape(x).dtype));
}

/* ---- activations ---- */

static adze_tensor same(adze_tensor x)
{
	return x;
}

static adze_tensor relu2(adze_tensor x)
{
	return (adze_square)(f_relu(x));
}

static adze_tensor leaky(adze_tensor x)
{
	return (adze_leaky_relu)(x, 0.01);
}

static adze_tensor elu(adze_tensor x)
{
	return (adze_elu)(x, 1);
}

static adze_tensor celu(adze_tensor x)
{
	return (adze_celu)(x, 1);
}

static const struct activation {
	const char *name;
	adze_tensor (*f)(adze_tensor);
} activations[] = {
	{"relu", f_relu},
	{"relu2", relu2},
	{"leaky_relu", leaky},
	{"elu", elu},
	{"selu", adze_selu},
	{"celu", celu},
	{"silu", f_silu},
	{"swish", f_silu},
	{"gelu", f_gelu},
	{"gelu_new", f_gelu_tanh},
	{"gelu_fast", f_gelu_tanh},
	{"gelu_pytorch_tanh", f_gelu_tanh},
	{"gelu_tanh", f_gelu_tanh},
	{"quick_gelu", adze_quick_gelu},
	{"sigmoid", f_logistic},
	{"hardsigmoid", adze_hard_sigmoid},
	{"hardswish", adze_hard_swish},
	{"tanh", f_tanh},
	{"softplus", adze_softplus},
	{"softsign", adze_softsign},
	{"mish", adze_mish},
	{"linear", same},
	{"identity", same},
};

static adze_tensor activate(struct tensor_op *op, adze_tensor x, const char *name)
{
	if (!op->ok || !adze_is(x))
		return x;
	for (size_t i = 0; i < sizeof activations / sizeof activations[0]; i++)
		if (name != NULL && strcmp(activations[i].name, name) == 0)
			return activations[i].f(x);
	tensor_fail(op, ADZE_E_NOTFOUND, "there is no activation '%.60s'",
		    name != NULL ? name : "");
	return form_of(op, 0);
}

adze_tensor(adze_nn_activation)(adze_tensor x, const char *name)
{
	struct tensor_op op = form_floats("nn_activation", &x, 1);
	return form_end(&op, activate(&op, x, name));
}

adze_tensor(adze_nn_mlp)(struct adze_nn_mlp l, adze_tensor x, const char *activation)
{
	struct tensor_op op = form_floats("nn_mlp", &x, 1);
	if (!op.ok)
		return form_end(&op, x);
	adze_tensor gate = activate(&op, (adze_nn_linear)(l.gate_proj, x), activation);
	adze_tensor up = (adze_nn_linear)(l.up_proj, x);
	return form_end(&op, op.ok ? (adze_nn_linear)(l.down_proj, f_mul(gate, up)) : x);
}
