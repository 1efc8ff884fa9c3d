/* SPDX-License-Identifier: Apache-2.0
 *
 * The layers of src/nn against the numbers of PyTorch and transformers (tests/data/nn), by the
 * reference evaluator and on the CPU device; and what they refuse.
 */
#include <math.h>

#include "tests/form_case.h"
#include "tests/nn_doc.h"

static const adze_tensor none;

/* Buffers of zeros, 2 where an extent is chosen. */
static void zeros_of(struct life *l, adze_exe *exe, adze_role role, adze_buffer **out)
{
	size_t n = adze_exe_count(exe, role);
	CHECK(n <= 8);
	for (size_t i = 0; i < n; i++) {
		adze_shape s;
		adze_host_buffer *host;
		CHECK(adze_exe_value(exe, role, i, NULL, &s));
		for (int k = 0; k < s.rank; k++)
			if (!dim_is_static(&s.dim[k]))
				s.dim[k] = dim_make(2);
		OK(l, adze_host_buffer_create(l->context, &s, &host));
		OK(l, adze_copy_in(l->device, host, &out[i]));
		adze_host_buffer_destroy(host);
	}
}

/* docs/nn.md: what it shows is built, compiled and run. */
TEST(nn, examples_of_the_page)
{
	size_t n = sizeof doc_examples / sizeof doc_examples[0];
	struct life l;
	life_begin(&l);
	CHECK(n >= 12);
	for (size_t k = 0; k < n; k++) {
		adze_buffer *in[8], *weight[8], *out[4] = {NULL};
		adze_graph *g;
		adze_exe *exe;
		adze_module *m;
		OK(&l, adze_graph_create(l.context, "example", &g));
		adze_output(doc_examples[k](g), "y");
		CHECK_MSG(adze_graph_status(g) == ADZE_OK, "example %zu: %s", k,
			  adze_graph_words(g));
		OK(&l, adze_compile(l.device, g, &exe));
		zeros_of(&l, exe, ADZE_ROLE_INPUT, in);
		zeros_of(&l, exe, ADZE_ROLE_WEIGHT, weight);
		OK(&l, adze_bind(exe, weight, g->nweight, &m));
		OK(&l, adze_call(m, in, g->ninput, out, g->noutput, NULL));
		for (size_t i = 0; i < g->noutput; i++)
			if (adze_exe_donated(exe, i) < 0)
				adze_buffer_destroy(out[i]);
		for (size_t i = 0; i < g->ninput; i++)
			adze_buffer_destroy(in[i]);
		for (size_t i = 0; i < g->nweight; i++)
			adze_buffer_destroy(weight[i]);
		adze_module_destroy(m);
		adze_exe_destroy(exe);
		adze_graph_destroy(g);
	}
	life_end(&l);
}

TEST(nn, linear)
{
	struct forms f;
	forms_begin(&f, "nn/linear");
	adze_tensor x = in(&f, "x", "a<=9 b=2 c=8"), b = in(&f, "b", NULL), q = in(&f, "q", NULL);
	struct adze_nn_linear l = {in(&f, "w", NULL), b};
	out(&f, "linear", adze_nn_linear(l, x));
	l.bias = none;
	out(&f, "linear_plain", adze_nn_linear(l, x));
	struct adze_nn_scaled_linear s = {q, in(&f, "rows", NULL), b};
	out(&f, "scaled_rows", adze_nn_scaled_linear(s, x));
	s.weight_scale = in(&f, "blocks", NULL);
	out(&f, "scaled_blocks", adze_nn_scaled_linear(s, x));
	s.weight = adze_convert(adze_mul(l.weight, adze_scalar(f.graph, ADZE_F32, 0.25)),
				ADZE_F8E4M3FN);
	out(&f, "scaled_narrow", adze_nn_scaled_linear(s, x));
	s.weight = q;
	s.weight_scale = in(&f, "one", NULL);
	s.bias = none;
	out(&f, "scaled_one", adze_nn_scaled_linear(s, x));
	const struct adze_nn_embedding e = {in(&f, "table", NULL)};
	out(&f, "embedding", adze_nn_embedding(e, in(&f, "ids", "n<=4 3")));
	const struct adze_nn_mlp m = {{in(&f, "gate", NULL), none}, {in(&f, "up", NULL), none},
				      {in(&f, "down", NULL), none}};
	adze_tensor y = in(&f, "m", "s<=8 8");
	out(&f, "mlp", adze_nn_mlp(m, y, "silu"));
	out(&f, "mlp_gelu", adze_nn_mlp(m, y, "gelu_pytorch_tanh"));
	forms_end(&f);
}

TEST(nn, conv)
{
	struct forms f;
	forms_begin(&f, "nn/conv");
	adze_tensor line = in(&f, "line", "n<=4 c=4 l=9"), image = in(&f, "image", "n<=4 4 6 8");
	struct adze_nn_conv l = {in(&f, "w1", NULL), in(&f, "b6", NULL)};
	out(&f, "conv1", adze_nn_conv(l, line, &(adze_window3){.stride = {2}, .low = {2},
							       .high = {2}, .dilation = {2},
							       .groups = 2}));
	l.weight = in(&f, "w2", NULL);
	out(&f, "conv2", adze_nn_conv(l, image, &(adze_window3){.stride = {1, 2}, .low = {1},
								.high = {1}}));
	adze_window3 by = {.stride = {2, 1}, .low = {1}, .high = {1}, .groups = 2};
	l.weight = in(&f, "t2", NULL);
	out(&f, "transpose2", adze_nn_conv_transpose(l, image, &by));
	l = (struct adze_nn_conv){in(&f, "w3", NULL), in(&f, "b3", NULL)};
	by = (adze_window3){.low = {0, 1, 1}, .high = {0, 1, 1}};
	out(&f, "conv3", adze_nn_conv(l, in(&f, "cube", NULL), &by));
	by = (adze_window3){.stride = {3}, .low = {1}, .high = {1}};
	l.weight = in(&f, "t1", NULL);
	out(&f, "transpose1", adze_nn_conv_transpose(l, line, &by));
	forms_end(&f);
}

TEST(nn, norms)
{
	struct forms f;
	forms_begin(&f, "nn/norm");
	adze_tensor x = in(&f, "x", "n<=4 c=6 h=3 w=4");
	struct adze_nn_norm four = {in(&f, "w4", NULL), in(&f, "b4", NULL)}, absent = {none, none};
	struct adze_nn_norm six = {in(&f, "w6", NULL), in(&f, "b6", NULL)};
	out(&f, "layer_norm", adze_nn_layer_norm(four, x, 1e-5));
	out(&f, "layer_norm_plain", adze_nn_layer_norm(absent, x, 1e-3));
	absent.bias = four.bias;
	out(&f, "layer_norm_bias", adze_nn_layer_norm(absent, x, 1e-3));
	absent.bias = none;
	out(&f, "rms_norm_bias", adze_nn_rms_norm(four, x, 1e-6));
	four.bias = none;
	out(&f, "rms_norm", adze_nn_rms_norm(four, x, 1e-6));
	out(&f, "group_norm", adze_nn_group_norm(six, x, 3, 1e-5));
	out(&f, "instance_norm", adze_nn_instance_norm(six, x, 1e-5));
	out(&f, "instance_norm_plain", adze_nn_instance_norm(absent, x, 1e-5));
	struct adze_nn_batch_norm b = {six.weight, six.bias, in(&f, "mean", NULL),
				       in(&f, "var", NULL)};
	out(&f, "batch_norm", adze_nn_batch_norm(b, x, 1e-3));
	b.weight = b.bias = none;
	out(&f, "batch_norm_plain", adze_nn_batch_norm(b, x, 1e-3));
	out(&f, "variance", adze_nn_variance_normalize(x, "c w", 1e-3));
	out(&f, "l2", adze_nn_l2_normalize(x, "h", 1e-2));
	forms_end(&f);
}

TEST(nn, activations)
{
	static const char *const name[] = {
		"relu", "relu2", "leaky_relu", "elu", "selu", "celu", "silu", "gelu", "gelu_new",
		"quick_gelu", "sigmoid", "tanh", "hardsigmoid", "hardswish", "softplus", "softsign",
		"mish", "linear"};
	struct forms f;
	forms_begin(&f, "nn/activation");
	adze_tensor x = in(&f, "x", "n<=40");
	for (size_t i = 0; i < sizeof name / sizeof name[0]; i++)
		out(&f, name[i], adze_nn_activation(x, name[i]));
	forms_end(&f);
}

static void sequences(struct forms *f, struct adze_nn_cell lstm, struct adze_nn_cell gru,
		      adze_tensor h, adze_tensor c)
{
	adze_tensor x = in(f, "line", "n<=4 s<=9 5"), last, last_c;
	out(f, "lstm_along", adze_nn_lstm(lstm, x, h, c, false, &last, &last_c));
	out(f, "lstm_along_h", last);
	out(f, "lstm_along_c", last_c);
	out(f, "lstm_back", adze_nn_lstm(lstm, x, h, c, true, &last, &last_c));
	out(f, "lstm_back_h", last);
	out(f, "lstm_back_c", last_c);
	out(f, "gru_along", adze_nn_gru(gru, x, h, false, &last));
	out(f, "gru_along_h", last);
	out(f, "gru_back", adze_nn_gru(gru, x, h, true, &last));
	out(f, "gru_back_h", last);
}

TEST(nn, cells)
{
	struct forms f;
	forms_begin(&f, "nn/cell");
	adze_tensor x = in(&f, "x", "n<=4 5"), h = in(&f, "h", "n<=4 3"), next;
	struct adze_nn_cell l = {in(&f, "wx", NULL), in(&f, "wh", NULL), in(&f, "bx", NULL),
				 in(&f, "bh", NULL)};
	const struct adze_nn_cell lstm = l;
	adze_tensor c = in(&f, "s", "n<=4 3");
	out(&f, "lstm_h", adze_nn_lstm_cell(l, x, h, c, &next));
	out(&f, "lstm_c", next);
	l = (struct adze_nn_cell){adze_slice(l.weight_ih, "0", 0, 9, 1),
				  adze_slice(l.weight_hh, "0", 0, 9, 1),
				  adze_slice(l.bias_ih, "0", 0, 9, 1),
				  adze_slice(l.bias_hh, "0", 0, 9, 1)};
	out(&f, "gru", adze_nn_gru_cell(l, x, h));
	sequences(&f, lstm, l, h, c);
	forms_end(&f);
}

static void masked(struct forms *f, adze_tensor q, adze_tensor k, adze_tensor v)
{
	adze_attention_options with = {.causal = true};
	out(f, "causal", adze_attention(q, k, v, &with));
	with.window = 3;
	out(f, "window", adze_attention(q, k, v, &with));
	with.window = 2;
	with.sinks = in(f, "sinks", NULL);
	out(f, "sunk", adze_attention(q, k, v, &with));
	with = (adze_attention_options){.causal = true, .soft_cap = 1.5};
	out(f, "cap", adze_attention(q, k, v, &with));
	with = (adze_attention_options){.causal = true};
	with.first = adze_scalar(f->graph, ADZE_I64, 2);
	out(f, "cached", adze_attention(q, k, v, &with));
	with.first = in(f, "first", "b=2");
	out(f, "each", adze_attention(q, k, v, &with));
}

TEST(nn, attention)
{
	struct forms f;
	forms_begin(&f, "nn/attention");
	adze_tensor q = in(&f, "q", "b=2 h=4 s<=5 d=8"), k = in(&f, "k", "b=2 h=2 t<=9 d=8");
	adze_tensor v = in(&f, "v", "b=2 h=2 t<=9 6");
	adze_attention_options with = {.scale = 0.3};
	out(&f, "plain", adze_attention(q, k, v, NULL));
	out(&f, "scale", adze_attention(q, k, v, &with));
	out(&f, "one_head", adze_attention(adze_slice(q, "h", 0, 1, 1), adze_slice(k, "h", 0, 1, 1),
					   adze_slice(v, "h", 0, 1, 1), NULL));
	with = (adze_attention_options){.mask = in(&f, "flag", "b=2 1 s<=5 t<=9")};
	out(&f, "flagged", adze_attention(q, k, v, &with));
	with.mask = in(&f, "add", "h=4 s<=5 t<=9");
	out(&f, "added", adze_attention(q, k, v, &with));
	masked(&f, q, k, v);
	forms_end(&f);
}

static void yarns(struct forms *f, adze_tensor x, adze_tensor far)
{
	adze_rope_options with = {.base = 1000, .scaling = ADZE_ROPE_YARN, .factor = 4,
				  .original = 64};
	out(f, "yarn", adze_rope(x, far, "s", &with));
	with.base = 0;
	with.exact_bounds = true;
	with.fast = 8;
	with.slow = 2;
	out(f, "yarn_exact", adze_rope(x, far, "s", &with));
	with = (adze_rope_options){.layout = ADZE_ROPE_PAIRS, .scaling = ADZE_ROPE_YARN,
				   .factor = 4, .original = 64, .mscale = 0.7, .mscale_all = 1.4};
	out(f, "yarn_mscale", adze_rope(x, far, "s", &with));
}

static void layouts(struct forms *f, adze_tensor x, adze_tensor at, adze_tensor far)
{
	adze_rope_options with = {.width = 8, .base = 500};
	out(f, "halves", adze_rope(x, at, "s", NULL));
	out(f, "pairs", adze_rope(x, far, "s",
				  &(adze_rope_options){.layout = ADZE_ROPE_PAIRS}));
	out(f, "halves_part", adze_rope(x, far, "s", &with));
	with.layout = ADZE_ROPE_PAIRS;
	out(f, "pairs_part", adze_rope(x, at, "s", &with));
	with.layout = ADZE_ROPE_SPREAD;
	out(f, "spread_part", adze_rope(x, at, "s", &with));
}

TEST(nn, rope)
{
	struct forms f;
	double shorter[8], longer[8];
	forms_begin(&f, "nn/rope");
	adze_tensor x = in(&f, "x", "b=2 s<=9 h=2 d=16"), at = in(&f, "at", "s<=9");
	adze_tensor far = in(&f, "far", "b=2 s<=9");
	layouts(&f, x, at, far);
	adze_rope_options with = {.scaling = ADZE_ROPE_LINEAR, .factor = 4};
	out(&f, "linear", adze_rope(x, far, "s", &with));
	with = (adze_rope_options){.scaling = ADZE_ROPE_DYNAMIC, .factor = 3, .original = 64};
	out(&f, "dynamic_near", adze_rope(x, at, "s", &with));
	out(&f, "dynamic_far", adze_rope(x, far, "s", &with));
	with = (adze_rope_options){.scaling = ADZE_ROPE_LLAMA3, .base = 500, .factor = 8,
				   .original = 256};
	out(&f, "llama3", adze_rope(x, far, "s", &with));
	yarns(&f, x, far);
	for (int i = 0; i < 8; i++) {
		shorter[i] = 1 + i / 7.0;
		longer[i] = 1 + 19 * i / 7.0;
	}
	with = (adze_rope_options){.scaling = ADZE_ROPE_LONG, .factor = 8, .original = 64,
				   .short_factor = shorter, .long_factor = longer};
	out(&f, "long_near", adze_rope(x, at, "s", &with));
	out(&f, "long_far", adze_rope(x, far, "s", &with));
	with = (adze_rope_options){.scaling = ADZE_ROPE_PROPORTIONAL, .factor = 2, .width = 8,
				   .layout = ADZE_ROPE_SPREAD};
	out(&f, "proportional", adze_rope(x, far, "s", &with));
	forms_end(&f);
}

TEST(nn, moe)
{
	struct forms f;
	forms_begin(&f, "nn/moe");
	adze_tensor logits = in(&f, "logits", "a<=4 b=2 e=8"), x = in(&f, "x", "a<=4 b=2 d=6");
	struct adze_nn_experts l = {in(&f, "up", NULL), in(&f, "down", NULL)};
	adze_route_options with = {.top_k = 3};
	out(&f, "soft", adze_nn_route(logits, &with));
	with.normalize = true;
	adze_tensor dense = adze_nn_route(logits, &with), i;
	adze_tensor few = adze_nn_route_chosen(logits, &with, &i);
	out(&f, "soft_normal", dense);
	out(&f, "chosen_weights", few);
	out(&f, "chosen_indices", i);
	out(&f, "experts", adze_nn_experts(l, x, dense, "silu"));
	out(&f, "experts_chosen", adze_nn_experts_chosen(l, x, few, i, "silu"));
	with = (adze_route_options){.top_k = 3, .sigmoid = true, .bias = in(&f, "bias", NULL)};
	out(&f, "biased", adze_nn_route(logits, &with));
	with.groups = 4;
	with.top_groups = 2;
	with.normalize = true;
	with.scale = 2.5;
	out(&f, "grouped", adze_nn_route(logits, &with));
	forms_end(&f);
}

TEST(nn, refusals_of_moe)
{
	struct life l;
	adze_route_options by = {.top_k = 5};
	adze_tensor i;
	life_begin(&l);
	REFUSED(X(x, "2 4"), adze_nn_route(x, NULL), ADZE_E_ARGUMENT, "nn_route", "top_k");
	REFUSED(X(x, "2 4"), adze_nn_route(x, &by), ADZE_E_ARGUMENT, "nn_route", "top_k is");
	REFUSED(X(x, "2 t<=4"), adze_nn_route_chosen(x, &by, &i), ADZE_E_TYPE, "nn_route_chosen",
		"f32[2, t<=4]: it takes [.., experts]");
	CHECK(!adze_is(i));
	by = (adze_route_options){.top_k = 2, .groups = 3, .top_groups = 1};
	REFUSED(X(x, "2 4"), adze_nn_route(x, &by), ADZE_E_ARGUMENT, "nn_route", "groups divide");
	by = (adze_route_options){.top_k = 2};
	REFUSED(X(x, "2 4"); X(b, "3"); by.bias = b, adze_nn_route(x, &by), ADZE_E_TYPE, "nn_route",
		"f32[3]: a bias");
	REFUSED(X(x, "2 4"); X(w, "2 3"); X(u, "3 8 4"); X(d, "3 4 5");
		struct adze_nn_experts m = {u KOMMA d}, adze_nn_experts(m, x, w, "silu"),
		ADZE_E_TYPE, "nn_experts", "f32[3, 8, 4]: the experts are");
	REFUSED(X(x, "2 4"); X(w, "2 2"); X(u, "3 8 4"); X(d, "3 4 4");
		struct adze_nn_experts m = {u KOMMA d}, adze_nn_experts(m, x, w, "silu"),
		ADZE_E_TYPE, "nn_experts", "f32[2, 2]: the weights are [.., experts]");
	REFUSED(X(x, "2 4"); X(w, "5 2"); I(k, "5 2"); X(u, "3 8 4"); X(d, "3 4 4");
		struct adze_nn_experts m = {u KOMMA d},
		adze_nn_experts_chosen(m, x, w, k, "silu"), ADZE_E_TYPE, "nn_experts_chosen",
		"f32[5, 2]: the weights are of other tokens");
	REFUSED(X(x, "2 4"); X(w, "2 2"); I(k, "2 3"); X(u, "3 8 4"); X(d, "3 4 4");
		struct adze_nn_experts m = {u KOMMA d},
		adze_nn_experts_chosen(m, x, w, k, "silu"), ADZE_E_TYPE, "nn_experts_chosen",
		"i32[2, 3]: indices are");
	life_end(&l);
}

static void causal_convs(struct forms *f)
{
	adze_tensor x = in(f, "x", "n<=4 c=6 s=5"), next;
	struct adze_nn_conv l = {in(f, "w", NULL), in(f, "bias", NULL)};
	out(f, "conv", adze_nn_causal_conv(l, x, none, NULL));
	l.bias = none;
	out(f, "conv_on", adze_nn_causal_conv(l, x, in(f, "before", "n<=4 6 3"), &next));
	out(f, "conv_state", next);
}

static void symbol_steps(struct forms *f)
{
	const adze_delta_options with = {.normalize = true, .chunk = 1};
	adze_tensor q = in(f, "t_q", "n<=4 2 s<=16 8"), k = in(f, "t_k", "n<=4 2 s<=16 8");
	adze_tensor v = in(f, "t_v", "n<=4 4 s<=16 6"), s = in(f, "t_state", "n<=4 4 8 6"), last;
	adze_tensor g = in(f, "g", "n<=4 4 s<=16"), b = adze_logistic(in(f, "t_b", "n<=4 4 s<=16"));
	out(f, "symbol", adze_nn_delta_rule(q, k, v, g, b, s, &with, &last));
	out(f, "symbol_state", last);
}

/* What a decoder does: one position. */
static void first_of(struct forms *f, adze_tensor x[5], adze_tensor s)
{
	const adze_delta_options with = {.normalize = true};
	for (int i = 0; i < 5; i++)
		x[i] = adze_slice(x[i], "2", 0, 1, 1);
	out(f, "first", adze_nn_delta_rule(x[0], x[1], x[2], x[3], x[4], s, &with, &s));
	out(f, "first_state", s);
}

TEST(nn, delta)
{
	static const struct { const char *name; int64_t chunk; } way[] = {
		{"step", 1}, {"four", 4}, {"eight", 8}, {"one", 0}};
	struct forms f;
	forms_begin(&f, "nn/delta");
	adze_tensor q = in(&f, "q", "n<=4 h=2 s=11 d=8"), k = in(&f, "k", "n<=4 h=2 s=11 d=8");
	adze_tensor v = in(&f, "v", "n<=4 h=4 s=11 e=6"), s = in(&f, "state", "n<=4 4 8 6"), last;
	adze_tensor a = adze_transpose(in(&f, "a", "n<=4 h=4 s=11"), "n s h");
	adze_tensor g = adze_nn_delta_decay(a, in(&f, "log", NULL), in(&f, "dt", NULL));
	adze_tensor beta = adze_logistic(in(&f, "b", "n<=4 h=4 s=11"));
	out(&f, "decay", g);
	g = adze_transpose(g, "0 2 1");
	for (int i = 0; i < 4; i++) {
		char name[32];
		const adze_delta_options with = {.normalize = true, .chunk = way[i].chunk};
		out(&f, way[i].name, adze_nn_delta_rule(q, k, v, g, beta, s, &with, &last));
		snprintf(name, sizeof name, "%s_state", way[i].name);
		out(&f, name, last);
	}
	first_of(&f, (adze_tensor[]){q, k, v, g, beta}, s);
	const adze_delta_options with = {.scale = 0.3 / sqrt(8), .chunk = 5};
	k = adze_mul(k, adze_scalar_like(k, 0.3));
	s = adze_mul(s, adze_scalar_like(s, 0));
	out(&f, "plain", adze_nn_delta_rule(q, k, v, g, beta, s, &with, &last));
	out(&f, "plain_state", last);
	causal_convs(&f);
	symbol_steps(&f);
	forms_end(&f);
}

/* At once, and as a decoder's calls do it, by the states between. */
TEST(nn, delta_net)
{
	struct forms f;
	forms_begin(&f, "nn/delta_net");
	adze_gated_delta_options with = {.key_heads = 2, .eps = 1e-6};
	adze_tensor x = in(&f, "x", "n<=4 s=7 8"), conv, state;
	const struct adze_nn_gated_delta_net l = {
		.in_proj_qkv = {.weight = in(&f, "in_proj_qkv.weight", NULL)},
		.in_proj_z = {.weight = in(&f, "in_proj_z.weight", NULL)},
		.in_proj_b = {.weight = in(&f, "in_proj_b.weight", NULL)},
		.in_proj_a = {.weight = in(&f, "in_proj_a.weight", NULL)},
		.conv1d = {.weight = in(&f, "conv1d.weight", NULL)},
		.A_log = in(&f, "A_log", NULL), .dt_bias = in(&f, "dt_bias", NULL),
		.norm = {.weight = in(&f, "norm.weight", NULL)},
		.out_proj = {.weight = in(&f, "out_proj.weight", NULL)}};
	out(&f, "whole", adze_nn_gated_delta_net(l, x, none, none, &with, NULL, NULL));
	with.chunk = 2;
	out(&f, "before", adze_nn_gated_delta_net(l, adze_slice(x, "s", 0, 4, 1), none, none, &with,
						  &conv, &state));
	with.chunk = 1;
	out(&f, "behind", adze_nn_gated_delta_net(l, adze_slice(x, "s", 4, 7, 1), conv, state,
						  &with, &conv, &state));
	forms_end(&f);
}

TEST(nn, refusals_of_delta)
{
	struct life l;
	adze_tensor n;
	const adze_delta_options bad = {.chunk = -1};
	life_begin(&l);
	REFUSED(X(q, "2 3 4"); X(v, "2 3 5"); X(r, "2 3"); X(s, "2 5 4"),
		adze_nn_delta_rule(q, q, v, r, r, s, NULL, &n), ADZE_E_TYPE, "nn_delta_rule",
		"f32[2, 3, 5]: the values' shape");
	CHECK(!adze_is(n));
	REFUSED(X(q, "2 t<=3 4"); X(v, "2 t<=3 5"); X(r, "2 t<=3"); X(s, "2 4 5"),
		adze_nn_delta_rule(q, q, v, r, r, s, NULL, &n), ADZE_E_TYPE, "nn_delta_rule",
		"step by step");
	REFUSED(X(q, "2 3 4"); X(r, "2 3 1"); X(s, "2 4 4"),
		adze_nn_delta_rule(q, q, q, r, r, s, NULL, &n), ADZE_E_TYPE, "nn_delta_rule",
		"f32[2, 3, 4]: it takes");
	REFUSED(X(q, "2 3 4"); X(r, "2 3"); X(s, "2 4 4"),
		adze_nn_delta_rule(q, q, q, r, r, s, &bad, &n), ADZE_E_ARGUMENT, "nn_delta_rule",
		"-1 positions");
	REFUSED(X(x, "2 4"); X(a, "3"), adze_nn_delta_decay(x, a, a), ADZE_E_TYPE,
		"nn_delta_decay", "f32[3]");
	REFUSED(X(x, "2 4 6"); X(w, "20 6"); X(a, "4"); X(c, "20 1 4");
		const struct adze_nn_gated_delta_net m =
			{.in_proj_qkv.weight = w KOMMA .in_proj_z.weight = w KOMMA .A_log = a KOMMA
				 .conv1d.weight = c},
		adze_nn_gated_delta_net(m, x, none, none, NULL, NULL, NULL), ADZE_E_TYPE,
		"nn_gated_delta_net", "projections to 20 and 20");
	REFUSED(X(x, "2 4 6"); X(w, "4 2 3"); struct adze_nn_conv m = {w KOMMA none},
		adze_nn_causal_conv(m, x, none, &n), ADZE_E_TYPE, "nn_causal_conv",
		"f32[2, 4, 6]: it takes");
	REFUSED(X(x, "2 4 6"); X(w, "4 1 3"); X(s, "2 4 3");
		struct adze_nn_conv m = {w KOMMA none}, adze_nn_causal_conv(m, x, s, &n),
		ADZE_E_TYPE, "nn_causal_conv", "f32[2, 4, 3]: the state is");
	life_end(&l);
}

/* A model struct of layers finds them in a store by the names of weight files. */
#define NN_BLOCK(T, O, S, L) \
	S(adze_nn_norm, norm) S(adze_nn_linear, proj) S(adze_nn_mlp, mlp) S(adze_nn_cell, cell)
ADZE_STRUCT(nn_block, NN_BLOCK);

TEST(nn, fills_from_a_store)
{
	static struct file_bytes f;
	struct life l;
	struct nn_block m;
	adze_store *store;
	adze_graph *g;
	life_begin(&l);
	file_begin(&f);
	file_add(&f, "b.cell.weight_hh", "4 1", 0, 1);
	file_add(&f, "b.cell.weight_ih", "4 2", 0, 1);
	file_add(&f, "b.mlp.down_proj.weight", "2 3", 0, 1);
	file_add(&f, "b.mlp.gate_proj.weight", "3 2", 0, 1);
	file_add(&f, "b.mlp.up_proj.weight", "3 2", 0, 1);
	file_add(&f, "b.norm.weight", "2", 0, 1);
	file_add(&f, "b.proj.bias", "2", 0, 1);
	file_add(&f, "b.proj.weight", "2 2", 0, 1);
	OK(&l, adze_store_open_memory(l.context, f.at, file_end(&f, 0), &store));
	OK(&l, adze_graph_create(l.context, "g", &g));
	OK(&l, nn_block_fill(g, store, "b", &m));
	CHECK(adze_is(m.norm.weight) && !adze_is(m.norm.bias) && adze_is(m.proj.bias));
	CHECK(adze_is(m.mlp.up_proj.weight) && adze_is(m.cell.weight_hh));
	adze_tensor x = adze_input(g, "x", ADZE_F32, "s=3 d=2");
	x = adze_nn_mlp(m.mlp, adze_nn_linear(m.proj, adze_nn_rms_norm(m.norm, x, 1e-6)), "silu");
	CHECK_MSG(adze_is(x), "%s", adze_graph_words(g));
	FAILS(&l, nn_block_fill(g, store, "c", &m), ADZE_E_NOTFOUND, "c.proj.weight");
	adze_graph_destroy(g);
	adze_store_close(store);
	life_end(&l);
}

TEST(nn, refusals)
{
	struct life l;
	life_begin(&l);
	REFUSED(X(x, "2 3"); X(w, "4 5"); struct adze_nn_linear m = {w KOMMA none},
		adze_nn_linear(m, x), ADZE_E_TYPE, "nn_linear", "f32[2, 3], f32[4, 5]");
	REFUSED(X(x, "2 3"); struct adze_nn_linear m = {none KOMMA none}, adze_nn_linear(m, x),
		ADZE_E_ARGUMENT, "nn_linear", "operand 2 is the null tensor");
	REFUSED(X(x, "2 3"); X(w, "4 3"); X(b, "3"); struct adze_nn_linear m = {w KOMMA b},
		adze_nn_linear(m, x), ADZE_E_TYPE, "nn_linear", "f32[3]: a bias");
	REFUSED(X(x, "2 3"); X(w, "3"); struct adze_nn_linear m = {w KOMMA none},
		adze_nn_linear(m, x), ADZE_E_TYPE, "nn_linear", "f32[3]: a weight is [out, in]");
	REFUSED(X(x, "2 4"); X(w, "4 4"); X(s, "3 2");
		struct adze_nn_scaled_linear m = {w KOMMA s KOMMA none},
		adze_nn_scaled_linear(m, x), ADZE_E_TYPE, "nn_scaled_linear",
		"f32[3, 2]: its blocks");
	REFUSED(X(x, "2 4"); X(w, "4 4"); X(s, "3");
		struct adze_nn_scaled_linear m = {w KOMMA s KOMMA none},
		adze_nn_scaled_linear(m, x), ADZE_E_TYPE, "nn_scaled_linear", "f32[3]: a scale");
	REFUSED(X(x, "1 2 4"); X(w, "2 2"); struct adze_nn_conv m = {w KOMMA none},
		adze_nn_conv(m, x, NULL), ADZE_E_TYPE, "nn_conv", "f32[2, 2]: a weight");
	REFUSED(X(x, "1 2 4 4"); X(w, "2 2 3"); struct adze_nn_conv m = {w KOMMA none},
		adze_nn_conv_transpose(m, x, NULL), ADZE_E_TYPE, "nn_conv_transpose",
		"f32[1, 2, 4, 4]: it has not");
	REFUSED(X(x, "2 3"); X(w, "4"); struct adze_nn_norm m = {w KOMMA none},
		adze_nn_rms_norm(m, x, 0), ADZE_E_TYPE, "nn_rms_norm", "f32[2, 3], f32[4]");
	REFUSED(X(x, "2 3"), adze_nn_activation(x, "sulu"), ADZE_E_NOTFOUND, "nn_activation",
		"'sulu'");
	REFUSED(I(x, "2 3"), adze_nn_l2_normalize(x, "", 0), ADZE_E_TYPE, "nn_l2_normalize",
		"i32[2, 3]: it takes floats");
	life_end(&l);
}

TEST(nn, refusals_of_parts)
{
	struct life l;
	adze_tensor n;
	life_begin(&l);
	REFUSED(X(x, "2"); X(w, "4 5"); struct adze_nn_embedding m = {w}, adze_nn_embedding(m, x),
		ADZE_E_TYPE, "nn_embedding", "f32[2]");
	REFUSED(I(x, "2"); X(w, "4"); struct adze_nn_embedding m = {w}, adze_nn_embedding(m, x),
		ADZE_E_TYPE, "nn_embedding", "f32[4]: a weight is [v, d]");
	REFUSED(X(x, "2 4"); X(w, "4");
		struct adze_nn_batch_norm m = {w KOMMA w KOMMA none KOMMA w},
		adze_nn_batch_norm(m, x, 0), ADZE_E_ARGUMENT, "nn_batch_norm", "operand 2 is");
	REFUSED(X(x, "2 4 3"); X(w, "3"); struct adze_nn_batch_norm m = {none KOMMA none KOMMA w
									     KOMMA w},
		adze_nn_batch_norm(m, x, 0), ADZE_E_TYPE, "nn_batch_norm", "f32[3]: it has one");
	REFUSED(X(x, "2 4 3"); struct adze_nn_norm m = {none KOMMA none},
		adze_nn_group_norm(m, x, 3, 0), ADZE_E_TYPE, "nn_group_norm",
		"f32[2, 4, 3]: the groups do not divide");
	REFUSED(X(x, "2 4 3"); X(w, "3"); struct adze_nn_norm m = {w KOMMA none},
		adze_nn_instance_norm(m, x, 0), ADZE_E_TYPE, "nn_instance_norm", "f32[3]");
	REFUSED(X(x, "2 4"); X(w, "4"); X(b, "3"); struct adze_nn_norm m = {w KOMMA b},
		adze_nn_layer_norm(m, x, 0), ADZE_E_TYPE, "nn_layer_norm", "f32[3]");
	REFUSED(X(x, "2 4"); X(w, "4 4"); struct adze_nn_linear a = {w KOMMA none};
		struct adze_nn_mlp m = {a KOMMA a KOMMA a}, adze_nn_mlp(m, x, "glu"),
		ADZE_E_NOTFOUND, "nn_mlp", "'glu'");
	REFUSED(X(x, "2 4"); X(w, "16 4");
		struct adze_nn_cell m = {w KOMMA w KOMMA none KOMMA none},
		adze_nn_lstm(m, x, x, x, false, NULL, &n), ADZE_E_TYPE, "nn_lstm",
		"f32[2, 4]: x and the state");
	REFUSED(X(x, "3 2 4"); X(h, "3 4"); X(w, "16 4");
		struct adze_nn_cell m = {w KOMMA w KOMMA none KOMMA none},
		adze_nn_gru(m, x, h, false, &n), ADZE_E_TYPE, "nn_gru", "f32[16, 4]: a weight is");
	CHECK(!adze_is(n));
	REFUSED(X(x, "2 4"), adze_nn_variance_normalize(x, "q", 0), ADZE_E_TYPE,
		"nn_variance_normalize", "no axis 'q' in f32[2, 4]");
	life_end(&l);
}

/* One of each kind on a type of floats, from f32 [2, 4, 8] to f32 [2, 4, 8]. */
static adze_tensor mixed(adze_tensor x, adze_dtype dtype)
{
	const adze_tensor w = adze_convert(adze_slice(adze_reshape(x, "8 8"), "0", 0, 8, 1), dtype);
	const adze_tensor row = adze_reshape(adze_slice(w, "0", 0, 1, 1), "8");
	const struct adze_nn_norm norm = {row, row};
	const struct adze_nn_linear l = {w, row};
	const struct adze_nn_scaled_linear q = {adze_convert(w, ADZE_I8), row, row};
	const struct adze_nn_experts e = {
		adze_reshape(adze_concat(((adze_tensor[]){w, w, w, w}), 4, "0"), "2 16 8"),
		adze_reshape(adze_concat(((adze_tensor[]){w, w}), 2, "0"), "2 8 8")};
	adze_route_options one = {.top_k = 1, .normalize = true};
	adze_rope_options by = {.scaling = ADZE_ROPE_YARN, .factor = 2, .original = 16};
	adze_attention_options causal = {.causal = true};
	adze_tensor last, y = adze_convert(adze_reshape(x, "2 4 8"), dtype);
	y = adze_nn_linear(l, adze_nn_layer_norm(norm, y, 1e-5));
	y = adze_add(y, adze_nn_scaled_linear(q, adze_nn_rms_norm(norm, y, 1e-5)));
	y = adze_rope(y, adze_iota(x.graph, ADZE_I32, "4", "0"), "1", &by);
	y = adze_nn_l2_normalize(adze_attention(y, y, y, &causal), "-1", 1e-3);
	adze_tensor g = adze_neg(adze_square(adze_slice(y, "-1", 0, 1, 1)));
	g = adze_reshape(g, "2 4");
	adze_tensor s = adze_reshape(adze_concat(((adze_tensor[]){w, w}), 2, "0"), "2 8 8");
	y = adze_add(y, adze_nn_delta_rule(y, y, y, g, g, s, NULL, &last));
	adze_tensor r = adze_nn_route(adze_slice(y, "-1", 0, 2, 1), &one);
	y = adze_nn_variance_normalize(adze_nn_experts(e, y, r, "gelu"), "-1", 1e-3);
	y = adze_add(y, adze_sum(last, "0 1"));
	CHECK_MSG(adze_is(y) && adze_tensor_shape(y).dtype == dtype, "%s",
		  adze_graph_words(x.graph));
	return adze_convert(y, ADZE_F32);
}

/* Other floats than f32 go through all, and stay near its numbers. */
TEST(nn, other_floats)
{
	static const adze_dtype dtype[] = {ADZE_F32, ADZE_F64, ADZE_F16, ADZE_BF16};
	float data[64], first[64];
	struct life l;
	life_begin(&l);
	for (int i = 0; i < 64; i++)
		data[i] = (float)((i * 37 + 11) % 64) / 64 - 0.5f;
	for (int i = 0; i < 4; i++) {
		adze_graph *g;
		OK(&l, adze_graph_create(l.context, "g", &g));
		adze_tensor y = mixed(adze_input(g, "x", ADZE_F32, "64"), dtype[i]);
		adze_buffer *in = buffer_of(&l, ADZE_F32, "64", data);
		adze_buffer *out = run_once(&l, y, &in, 1);
		double off = 0;
		for (int k = 0; k < 64; k++) {
			off += fabs((double)(floats_of(out)[k] - (i > 0 ? first[k] : 0)));
			first[k] = i > 0 ? first[k] : floats_of(out)[k];
		}
		CHECK_MSG(i == 0 ? off > 10 : off / 64 < (i == 1 ? 1e-4 : 0.05), "%s is off by %g",
			  adze_dtype_name(dtype[i]), off / 64);
		adze_buffer_destroy(in);
		adze_buffer_destroy(out);
	}
	life_end(&l);
}

/* bf16 weights beside f32 values are as if they were f32, but for the order of sums. */
TEST(nn, narrow_weights)
{
	float data[64];
	struct life l;
	adze_graph *g;
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "g", &g));
	for (int i = 0; i < 64; i++)
		data[i] = (float)((i * 37 + 11) % 64) / 100 - 0.3f;
	adze_tensor x = adze_input(g, "x", ADZE_F32, "8 8"), y[2], none_yet = {g, 0, 0, NULL};
	const adze_tensor narrow = adze_convert(x, ADZE_BF16);
	for (int i = 0; i < 2; i++) {
		adze_tensor w = i == 0 ? narrow : adze_convert(narrow, ADZE_F32);
		adze_tensor row = adze_reshape(adze_slice(w, "0", 0, 1, 1), "8"), next;
		const struct adze_nn_norm norm = {row, row};
		const struct adze_nn_batch_norm b = {row, row, row, adze_square(row)};
		const struct adze_nn_linear linear = {w, row};
		const struct adze_nn_conv conv = {adze_reshape(w, "8 8 1"), row};
		const struct adze_nn_cell cell = {adze_reshape(w, "8 8"), adze_reshape(
			adze_slice(w, "1", 0, 2, 1), "8 2"), row, none_yet};
		const struct adze_nn_experts e = {adze_reshape(w, "1 8 8"),
						  adze_reshape(adze_slice(w, "1", 0, 4, 1),
							       "1 8 4")};
		adze_tensor h = adze_nn_layer_norm(norm, adze_nn_rms_norm(norm, x, 1e-5), 1e-5);
		h = adze_nn_linear(linear, h);
		adze_tensor image = adze_nn_conv(conv, adze_reshape(h, "1 8 8"), NULL);
		image = adze_nn_batch_norm(b, adze_nn_group_norm(norm, image, 2, 1e-5), 1e-2);
		h = adze_reshape(image, "8 8");
		adze_tensor one = adze_full(g, ADZE_F32, "8 1", 1);
		adze_tensor first = adze_full(g, ADZE_I32, "8 1", 0);
		h = adze_add(adze_nn_experts(e, h, one, "silu"),
			     adze_nn_experts_chosen(e, h, one, first, "silu"));
		adze_tensor s = adze_slice(h, "1", 0, 2, 1);
		y[i] = adze_add(adze_nn_lstm_cell(cell, h, s, s, &next), next);
	}
	adze_buffer *in = buffer_of(&l, ADZE_F32, "8 8", data);
	adze_tensor off = adze_maximum(adze_abs(adze_sub(y[0], y[1])), "");
	adze_output(adze_sum(adze_square(y[0]), ""), "size");
	adze_output(off, "off");
	adze_module *m = module_of(&l, g);
	adze_buffer *out[2] = {NULL};
	OK(&l, adze_call(m, &in, 1, out, 2, NULL));
	CHECK_MSG(floats_of(out[0])[0] > 0.1f, "%g", floats_of(out[0])[0]);
	CHECK_MSG(floats_of(out[1])[0] < 1e-4f, "off by %g", floats_of(out[1])[0]);
	adze_buffer_destroy(in);
	adze_buffer_destroy(out[0]);
	adze_buffer_destroy(out[1]);
	adze_module_destroy(m);
	adze_graph_destroy(g);
	life_end(&l);
}

static adze_rope_options scaled(adze_rope_scaling scaling, double factor, int64_t original)
{
	return (adze_rope_options){.scaling = scaling, .factor = factor, .original = original};
}

TEST(nn, refusals_of_rope)
{
	struct life l;
	life_begin(&l);
	adze_rope_options by = scaled(ADZE_ROPE_YARN, 4, 0);
	REFUSED(X(x, "s=4 d=8"); X(p, "4"), adze_rope(x, p, "s", NULL), ADZE_E_TYPE, "rope",
		"f32[4]: places are integers");
	REFUSED(X(x, "s=4 d=8"); I(p, "2 4"), adze_rope(x, p, "s", NULL), ADZE_E_TYPE, "rope",
		"i32[2, 4]: places");
	REFUSED(X(x, "s=4 d=8"); I(p, "4"), adze_rope(x, p, "s", &by), ADZE_E_ARGUMENT, "rope",
		"original");
	by = scaled(ADZE_ROPE_LINEAR, -1, 0);
	REFUSED(X(x, "s=4 d=8"); I(p, "4"), adze_rope(x, p, "s", &by), ADZE_E_ARGUMENT, "rope",
		"positive");
	by = scaled(ADZE_ROPE_LONG, 2, 64);
	REFUSED(X(x, "s=4 d=8"); I(p, "4"), adze_rope(x, p, "s", &by), ADZE_E_ARGUMENT, "rope",
		"short_factor");
	by = scaled(ADZE_ROPE_DYNAMIC, 2, 64);
	REFUSED(X(x, "s=4 d=2"); I(p, "4"), adze_rope(x, p, "s", &by), ADZE_E_ARGUMENT, "rope",
		"two pairs");
	by = scaled((adze_rope_scaling)77, 2, 64);
	REFUSED(X(x, "s=4 d=8"); I(p, "4"), adze_rope(x, p, "s", &by), ADZE_E_ARGUMENT, "rope",
		"no such scaling");
	by = (adze_rope_options){.layout = ADZE_ROPE_SPREAD, .width = 2};
	REFUSED(X(x, "s=4 d=7"); I(p, "4"), adze_rope(x, p, "s", &by), ADZE_E_TYPE, "rope",
		"f32[s=4, d=7]");
	life_end(&l);
}

TEST(nn, refusals_of_attention)
{
	struct life l;
	life_begin(&l);
	adze_attention_options by = {.causal = true};
	REFUSED(X(q, "2 4 3 8"); X(k, "2 2 3 8"); I(n, "3"); by.first = n,
		adze_attention(q, k, k, &by), ADZE_E_TYPE, "attention",
		"i32[3]: the first place is an integer");
	REFUSED(X(q, "4 3 8"); X(k, "2 3 8"); X(n, "1"); by.first = n,
		adze_attention(q, k, k, &by), ADZE_E_TYPE, "attention",
		"f32[1]: the first place is an integer");
	REFUSED(X(q, "4 3 8"); X(k, "2 3 8"); I(m, "3 3");
		by = (adze_attention_options){.mask = m},
		adze_attention(q, k, k, &by), ADZE_E_TYPE, "attention", "i32[3, 3]: a mask");
	REFUSED(X(q, "4 3 8"); X(k, "2 3 8"); X(m, "3 5");
		by = (adze_attention_options){.mask = m},
		adze_attention(q, k, k, &by), ADZE_E_TYPE, "attention", "3, 5");
	life_end(&l);
}
