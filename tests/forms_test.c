/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of adze_forms.h against NumPy's numbers (tests/data/forms), by the reference
 * evaluator and on the CPU device; and what they refuse.
 */
#include <math.h>

#include "tests/form_case.h"

static void element_wise(struct forms *f)
{
	adze_tensor x = in(f, "x", "28"), y = in(f, "y", "28"), odd = in(f, "odd", "6");
	out(f, "softplus", adze_softplus(x));
	out(f, "log_sigmoid", adze_log_sigmoid(x));
	out(f, "softsign", adze_softsign(x));
	out(f, "mish", adze_mish(x));
	out(f, "hard_sigmoid", adze_hard_sigmoid(x));
	out(f, "hard_swish", adze_hard_swish(x));
	out(f, "quick_gelu", adze_quick_gelu(x));
	out(f, "leaky_relu", adze_leaky_relu(x, 0.1));
	out(f, "elu", adze_elu(x, 0.7));
	out(f, "celu", adze_celu(x, 2));
	out(f, "selu", adze_selu(x));
	out(f, "soft_cap", adze_soft_cap(x, 5));
	out(f, "swiglu", adze_swiglu(x, y));
	out(f, "geglu", adze_geglu(x, y));
	out(f, "square", adze_square(x));
	out(f, "reciprocal", adze_reciprocal(y));
	out(f, "fmod", adze_fmod(x, 1.25));
	out(f, "clamp_to", adze_clamp_to(x, -1, 2));
	out(f, "lerp", adze_lerp(x, y, in(f, "t", "28")));
	out(f, "is_nan", adze_is_nan(odd));
	out(f, "is_inf", adze_is_inf(odd));
	out(f, "masked_fill", adze_masked_fill(x, in(f, "m", "28"), 9));
}

TEST(forms, elements)
{
	struct forms f;
	forms_begin(&f, "forms/elements");
	element_wise(&f);
	adze_tensor r = in(&f, "r", "a=3 b=5 c=4"), t = in(&f, "t_r", "a=3 u<=9 4");
	out(&f, "log_sum_exp", adze_log_sum_exp(r, "b"));
	out(&f, "log_sum_exp_all", adze_log_sum_exp(t, ""));
	out(&f, "log_sum_exp_low", adze_log_sum_exp(in(&f, "low", "4 3"), "1"));
	out(&f, "log_softmax", adze_log_softmax(t, "u"));
	out(&f, "log_softmax_two", adze_log_softmax(r, "a c"));
	out(&f, "var", adze_var(r, "b", 0));
	out(&f, "var_symbol", adze_var(t, "u", 0));
	out(&f, "var_one", adze_var(r, "0 -1", 1));
	out(&f, "std", adze_std(t, "", 1));
	out(&f, "norm_1", adze_norm(r, "b", 1));
	out(&f, "norm_2", adze_norm(r, "b", 2));
	out(&f, "norm_symbol", adze_norm(t, "u", 2));
	out(&f, "norm_max", adze_norm(t, "u", INFINITY));
	out(&f, "l2_normalize", adze_l2_normalize(r, "b", 1e-12));
	out(&f, "arange", adze_arange(f.graph, ADZE_F32, "n=7", -4, 3));
	out(&f, "arange_i", adze_arange(f.graph, ADZE_I32, "7", -4, 3));
	out(&f, "linspace", adze_linspace(f.graph, ADZE_F32, "n=11", -1, 2.3));
	out(&f, "linspace_one", adze_linspace(f.graph, ADZE_F32, "1", 5, 9));
	out(&f, "linspace_symbol", adze_linspace(f.graph, ADZE_F32, "u<=9", 0, 1));
	out(&f, "full", adze_full(f.graph, ADZE_F32, "a=2 3", 2.5));
	out(&f, "eye", adze_eye(f.graph, ADZE_F32, "a=3 b=5", "a", "b"));
	forms_end(&f);
}

static void einsums(struct forms *f)
{
	adze_tensor a = in(f, "a", "b=2 3 5"), b = in(f, "b", "2 5 4"), c = in(f, "c", "4 2");
	const adze_tensor ab[2] = {a, b}, ac[2] = {a, c};
	out(f, "einsum", adze_einsum((adze_tensor[]){a, b}, 2, "b i k, b k j -> b i j"));
	out(f, "einsum_order", adze_einsum(ab, 2, "b i k,b k j->j b i"));
	out(f, "einsum_one", adze_einsum(&a, 1, "b i k -> k b"));
	out(f, "einsum_three",
	    adze_einsum((adze_tensor[]){a, b, c}, 3, "b i k, b k j, j b -> b i"));
	out(f, "einsum_outside", adze_einsum(ac, 2, "b i k, j m -> i j"));
	out(f, "einsum_scalar", adze_einsum(ab, 2, "b i k, b k j ->"));
}

static void split_and_merge(struct forms *f, adze_tensor x, adze_tensor t, adze_tensor y)
{
	out(f, "split_axis", adze_split_axis(x, "s", "h=2 k=?"));
	out(f, "split_symbol", adze_split_axis(t, "-1", "k=? 2"));
	out(f, "merge_axes", adze_merge_axes(t, "0 u", "n"));
	out(f, "merge_far", adze_merge_axes(adze_transpose(x, "d b s"), "d b", ""));
	out(f, "flatten", adze_flatten(t, "n"));
	out(f, "insert_axis", adze_insert_axis(t, 1, "one"));
	out(f, "insert_last", adze_insert_axis(x, -1, NULL));
	out(f, "squeeze", adze_squeeze(adze_insert_axis(t, 1, "one"), "one"));
	out(f, "swap_axes", adze_swap_axes(x, "b", "d"));
	out(f, "choose", adze_choose(x, "s", 2));
	out(f, "choose_end", adze_choose(x, "d", -1));
	out(f, "stack", adze_stack((adze_tensor[]){x, y, x}, 3, 1, "layer"));
}

TEST(forms, parts)
{
	struct forms f;
	forms_begin(&f, "forms/parts");
	adze_tensor x = in(&f, "x", "b=2 s=6 d=4"), t = in(&f, "t_x", "2 u<=9 4"), part[3];
	split_and_merge(&f, x, t, in(&f, "y", "b=2 s=6 d=4"));
	CHECK(adze_split(x, "s", (int64_t[]){1, 3, 2}, 3, part) == ADZE_OK);
	out(&f, "split_0", part[0]);
	out(&f, "split_1", part[1]);
	out(&f, "split_2", part[2]);
	CHECK(adze_chunk(x, "s", 3, part) == ADZE_OK);
	out(&f, "chunk_0", part[0]);
	out(&f, "chunk_1", part[1]);
	out(&f, "chunk_2", part[2]);
	out(&f, "repeat", adze_repeat(x, "s", 3));
	out(&f, "repeat_symbol", adze_repeat(t, "u", 2));
	out(&f, "stutter", adze_stutter(x, "d", 2));
	out(&f, "stutter_symbol", adze_stutter(t, "u", 2));
	out(&f, "roll", adze_roll(x, "s", 2));
	out(&f, "roll_back", adze_roll(x, "s", -15));
	out(&f, "roll_symbol", adze_roll(t, "u", -4));
	out(&f, "tril", adze_tril(x, "s", "d", 1));
	out(&f, "triu", adze_triu(x, "s", "d", -2));
	out(&f, "tril_symbol", adze_tril(t, "u", "2", 0));
	out(&f, "diagonal", adze_diagonal(x, "s", "d", -1));
	adze_tensor ids = in(&f, "ids", "p=2 q=3");
	out(&f, "one_hot", adze_one_hot(ids, "v=6", ADZE_F32));
	out(&f, "one_hot_wide", adze_one_hot(in(&f, "byte", "3"), "v=300", ADZE_I8));
	adze_tensor table = in(&f, "table", "v=6 d=5");
	out(&f, "embedding", adze_embedding(table, ids));
	out(&f, "outer", adze_outer(x, table));
	einsums(&f);
	forms_end(&f);
}

static void resizes(struct forms *f, adze_tensor line)
{
	static const char *const name[] = {"nearest", "linear", "linear_corners", "cubic",
					   "cubic_corners"};
	for (int i = 0; i < 5; i++) {
		char text[64];
		snprintf(text, sizeof text, "%s_up", name[i]);
		out(f, text, adze_resize(line, "l", 13, (adze_resize_mode)i));
		snprintf(text, sizeof text, "%s_down", name[i]);
		out(f, text, adze_resize(line, "l", 4, (adze_resize_mode)i));
	}
}

TEST(forms, windows)
{
	struct forms f;
	forms_begin(&f, "forms/windows");
	adze_tensor line = in(&f, "line", "n<=3 c=4 l=9"), cube = in(&f, "cube", "1 2 4 5 4");
	adze_tensor image = in(&f, "image", "n<=3 c=4 h=6 w=8");
	out(&f, "conv1d", adze_conv1d(line, in(&f, "w1", "o=6 2 3"),
				      &(adze_window3){.stride = {2}, .low = {1}, .high = {2},
						      .dilation = {2}, .groups = 2}));
	out(&f, "conv3d", adze_conv3d(cube, in(&f, "w3", "3 2 2 3 2"),
				      &(adze_window3){.stride = {1, 2, 1}, .low = {0, 1, 1},
						      .high = {1, 1, 0}, .dilation = {2}}));
	out(&f, "transpose1",
	    adze_conv_transpose(line, in(&f, "t1", "4 3 3"),
				&(adze_window3){.stride = {3}, .low = {1}, .dilation = {2}}));
	out(&f, "transpose2",
	    adze_conv_transpose(image, in(&f, "t2", "4 3 3 2"),
				&(adze_window3){.stride = {2, 1}, .low = {1}, .high = {0, -1},
						.dilation = {1, 2}, .groups = 2}));
	out(&f, "transpose3",
	    adze_conv_transpose(cube, in(&f, "t3", "2 2 2 2 3"),
				&(adze_window3){.stride = {2, 1, 2}, .low = {1, 0, 2},
						.high = {1, 1, 1}}));
	out(&f, "max_pool1", adze_max_pool(line, (int64_t[]){3}, &(adze_window3){.stride = {2}}));
	out(&f, "avg_pool1", adze_avg_pool(line, (int64_t[]){4}, NULL));
	out(&f, "max_pool3", adze_max_pool(cube, (int64_t[]){2, 2, 3},
					   &(adze_window3){.stride = {1, 2, 1}}));
	out(&f, "avg_pool3", adze_avg_pool(cube, (int64_t[]){2, 5, 2}, NULL));
	out(&f, "adaptive_max", adze_adaptive_max_pool(image, (int64_t[]){3, 2}));
	out(&f, "adaptive_avg", adze_adaptive_avg_pool(image, (int64_t[]){1, 4}));
	out(&f, "global_max", adze_global_max_pool(image));
	out(&f, "global_avg", adze_global_avg_pool(cube));
	out(&f, "reflect", adze_pad_reflect(image, "h", 3, 5));
	out(&f, "replicate", adze_pad_replicate(image, "w", 2, 11));
	resizes(&f, line);
	out(&f, "resize2d", adze_resize2d(image, 9, 5, ADZE_LINEAR));
	out(&f, "shuffle", adze_pixel_shuffle(image, 2));
	out(&f, "unshuffle", adze_pixel_unshuffle(in(&f, "shuffled", "n<=3 1 12 16"), 2));
	forms_end(&f);
}

static void attentions(struct forms *f)
{
	adze_tensor q = in(f, "q", "b=2 h=4 s=3 d=8"), k = in(f, "k", "b=2 h=2 t=5 d=8");
	adze_tensor v = in(f, "v", "b=2 h=2 t=5 e=6"), tq = in(f, "t_q", "2 4 s<=7 8");
	adze_tensor tk = in(f, "t_k", "2 2 t<=9 8"), tv = in(f, "t_v", "2 2 t<=9 6");
	const adze_attention_options causal = {.causal = true};
	out(f, "attention", adze_attention(q, k, v, NULL));
	out(f, "attention_symbol", adze_attention(tq, tk, tv, NULL));
	out(f, "causal", adze_attention(q, k, v, &causal));
	out(f, "causal_symbol", adze_attention(tq, tk, tv, &causal));
	out(f, "causal_first",
	    adze_attention(q, k, v, &(adze_attention_options){
					    .causal = true,
					    .first = adze_scalar(f->graph, ADZE_I32, 1)}));
	out(f, "window", adze_attention(tq, tk, tv, &(adze_attention_options){.causal = true,
									      .window = 2}));
	out(f, "masked", adze_attention(q, k, v, &(adze_attention_options){
							 .mask = in(f, "mask", "s=3 t=5")}));
	out(f, "added",
	    adze_attention(q, k, v, &(adze_attention_options){.mask = in(f, "add", "1 3 5"),
							      .soft_cap = 2}));
	out(f, "with_sinks", adze_attention(tq, tk, tv,
				       &(adze_attention_options){.causal = true,
								 .sinks = in(f, "sinks", "4")}));
}

static void ropes(struct forms *f)
{
	adze_tensor p = in(f, "p", "b=2 s=5 h=2 d=8"), t = in(f, "t_p", "2 r<=9 2 8");
	adze_tensor at = in(f, "at", "s=5"), at2 = in(f, "at2", "b=2 s=5");
	out(f, "rope", adze_rope(p, at, "s", NULL));
	out(f, "rope_symbol", adze_rope(t, in(f, "t_at", "r<=9"), "r", NULL));
	out(f, "rope_pairs",
	    adze_rope(p, at2, "s", &(adze_rope_options){.base = 500, .layout = ADZE_ROPE_PAIRS}));
	out(f, "rope_part",
	    adze_rope(p, at2, "s", &(adze_rope_options){.width = 4, .factor = 2,
							 .scaling = ADZE_ROPE_LINEAR}));
	out(f, "rope_part_pairs",
	    adze_rope(p, at, "s", &(adze_rope_options){.width = 6, .layout = ADZE_ROPE_PAIRS}));
}

TEST(forms, layers)
{
	struct forms f;
	const adze_tensor none = {NULL, 0, 0, NULL};
	forms_begin(&f, "forms/layers");
	adze_tensor x = in(&f, "x", "n<=3 c=6 3 4"), mean = in(&f, "mean", "c=6");
	adze_tensor var = in(&f, "variance", "c=6"), a = in(&f, "scale", "6");
	adze_tensor b = in(&f, "bias", "6");
	out(&f, "batch_norm", adze_batch_norm(x, mean, var, a, b, 1e-3));
	out(&f, "batch_plain", adze_batch_norm(x, mean, var, none, none, 1e-3));
	out(&f, "group_norm", adze_group_norm(x, 3, a, b, 1e-5));
	out(&f, "instance_norm", adze_instance_norm(x, a, b, 1e-5));
	attentions(&f);
	ropes(&f);
	adze_tensor z = in(&f, "z", "m<=4 in=5"), h = in(&f, "h", "m<=4 d=3");
	adze_cell cell = {in(&f, "wx", "g=12 in=5"), in(&f, "wh", "g=12 d=3"),
			  in(&f, "bx", "12"), in(&f, "bh", "12")};
	adze_tensor c;
	out(&f, "lstm_h", adze_lstm_cell(z, h, in(&f, "s", "m<=4 d=3"), cell, &c));
	out(&f, "lstm_c", c);
	cell.weight_x = adze_slice(cell.weight_x, "g", 0, 9, 1);
	cell.weight_h = adze_slice(cell.weight_h, "g", 0, 9, 1);
	cell.bias_x = adze_slice(cell.bias_x, "0", 0, 9, 1);
	cell.bias_h = adze_slice(cell.bias_h, "0", 0, 9, 1);
	out(&f, "gru", adze_gru_cell(z, h, cell));
	cell.bias_x = cell.bias_h = none;
	out(&f, "gru_plain", adze_gru_cell(z, h, cell));
	forms_end(&f);
}

/* Other floats than f32: all goes together, and small numbers stay near those of f32. */
TEST(forms, other_floats)
{
	static const adze_dtype dtype[] = {ADZE_F16, ADZE_BF16, ADZE_F64};
	const float data[16] = {1, 2, -3, 4, 0.5f, 6, -7, 8, 9, -1, 11, 2, 3, 4, 5, 6};
	struct life l;
	life_begin(&l);
	for (int i = -1; i < 3; i++) {
		adze_graph *g;
		OK(&l, adze_graph_create(l.context, "g", &g));
		adze_tensor x = adze_input(g, "x", ADZE_F32, "1 2 2 4");
		adze_tensor y = i >= 0 ? adze_convert(x, dtype[i]) : x;
		adze_tensor at = adze_iota(g, ADZE_I32, "2", "0"), none = {NULL, 0, 0, NULL};
		const adze_attention_options with = {.causal = true,
						     .sinks = adze_slice(adze_sum(y, "0 2 3"),
									 "0", 0, 2, 1)};
		y = adze_rope(y, at, "2", NULL);
		y = adze_attention(y, y, y, &with);
		y = adze_group_norm(adze_mish(y), 1, none, none, 1e-5);
		y = adze_resize(adze_avg_pool(y, (int64_t[]){2, 1}, NULL), "-1", 6, ADZE_CUBIC);
		y = adze_add(adze_log_softmax(y, "-1"), adze_std(y, "", 1));
		y = adze_l2_normalize(y, "1 -1", 1e-6);
		adze_buffer *in = buffer_of(&l, ADZE_F32, "1 2 2 4", data);
		adze_buffer *out = run_once(&l, adze_convert(y, ADZE_F32), &in, 1);
		static float first[12];
		CHECK(adze_shape_count(adze_buffer_shape(out)) == 12);
		for (int k = 0; k < 12; k++) {
			float have = floats_of(out)[k];
			if (i < 0)
				first[k] = have;
			CHECK_MSG(fabsf(have - first[k]) < 0.03f, "%s, %d: %g, not %g",
				  i < 0 ? "f32" : adze_dtype_name(dtype[i]), k, have, first[k]);
		}
		adze_buffer_destroy(in);
		adze_buffer_destroy(out);
	}
	life_end(&l);
}

TEST(forms, refusals)
{
	struct life l;
	life_begin(&l);
	REFUSED(I(x, "4"), adze_leaky_relu(x, 0.1), ADZE_E_TYPE, "leaky_relu", "i32[4]: it takes");
	REFUSED(I(x, "4"), adze_is_nan(x), ADZE_E_TYPE, "is_nan", "floats");
	REFUSED(X(x, "a=4"); X(y, "a=3"), adze_swiglu(x, y), ADZE_E_TYPE, "swiglu",
		"mul: f32[a=4], f32[a=3]: extents differ");
	REFUSED(X(x, "4"), adze_clamp_to(x, 2, 1), ADZE_E_ARGUMENT, "clamp_to", "above");
	REFUSED(X(x, "4"), adze_norm(x, "", NAN), ADZE_E_ARGUMENT, "norm", "no number");
	REFUSED(X(x, "a=4"), adze_var(x, "q", 0), ADZE_E_TYPE, "var", "no axis 'q' in f32[a=4]");
	REFUSED(X(x, "a=4"), adze_split_axis(x, "a", "3 ?"), ADZE_E_TYPE, "split_axis", "divide");
	REFUSED(X(x, "t<=4 s<=4"), adze_flatten(x, "n"), ADZE_E_TYPE, "flatten", "symbols");
	REFUSED(X(x, "a=4"), adze_insert_axis(x, 3, "b"), ADZE_E_TYPE, "insert_axis", "place");
	REFUSED(X(x, "a=4"), adze_squeeze(x, "a"), ADZE_E_TYPE, "squeeze", "not 1");
	REFUSED(X(x, "1 1 1 1 1 1 1 1"), adze_insert_axis(x, 0, ""), ADZE_E_LIMIT, "insert_axis",
		"8");
	REFUSED(X(x, "a=4"), adze_choose(x, "a", 4), ADZE_E_TYPE, "choose", "element");
	REFUSED(X(x, "t<=4"), adze_choose(x, "t", 0), ADZE_E_TYPE, "choose", "symbol");
	REFUSED(X(x, "4"), adze_stack((adze_tensor[]){x, x}, 2, 2, ""), ADZE_E_TYPE, "stack",
		"place");
	REFUSED(X(x, "4"); X(y, "3"), adze_stack((adze_tensor[]){x, y}, 2, 0, ""), ADZE_E_TYPE,
		"stack", "the other axes differ");
	REFUSED(X(x, "4"), adze_repeat(x, "0", -1), ADZE_E_TYPE, "repeat", "times");
	REFUSED(X(x, "4 4"), adze_tril(x, "0", "0", 0), ADZE_E_TYPE, "tril", "one axis");
	REFUSED(X(x, "4"), adze_one_hot(x, "3", ADZE_F32), ADZE_E_TYPE, "one_hot", "integers");
	REFUSED(I(x, "4"), adze_one_hot(x, "3 4", ADZE_F32), ADZE_E_ARGUMENT, "one_hot",
		"one axis");
	REFUSED(X(x, "3 4"), adze_einsum(&x, 1, "a b c -> a"), ADZE_E_TYPE, "einsum", "f32[3, 4]");
	REFUSED(X(x, "3 4"), adze_einsum(&x, 1, "a b"), ADZE_E_SYNTAX, "einsum", "->");
	REFUSED(X(x, "3 4"), adze_einsum(&x, 1, "a b, c -> a"), ADZE_E_SYNTAX, "einsum", "number");
	REFUSED(X(x, "3 3"), adze_einsum(&x, 1, "a b -> a a"), ADZE_E_SYNTAX, "einsum", "twice");
	REFUSED(X(x, "3 4"), adze_einsum(&x, 1, "a a -> a"), ADZE_E_TYPE, "einsum", "two extents");
	REFUSED(X(x, "3 4"), adze_einsum(&x, 1, "a b -> c"), ADZE_E_TYPE, "einsum", "'c'");
	REFUSED((void)0, adze_arange(g, ADZE_F32, "2 3", 0, 1), ADZE_E_TYPE, "arange", "one axis");
	REFUSED((void)0, adze_full(g, ADZE_F32, "2 =", 0), ADZE_E_SYNTAX, "full", "=");
	life_end(&l);
}

static adze_cell cell_of(adze_tensor weight_x, adze_tensor weight_h)
{
	return (adze_cell){.weight_x = weight_x, .weight_h = weight_h};
}

TEST(forms, refusals_of_layers)
{
	struct life l;
	const adze_window3 two = {.groups = 2};
	const adze_tensor none = {NULL, 0, 0, NULL};
	life_begin(&l);
	REFUSED(X(x, "1 2 4 4"), adze_conv1d(x, x, NULL), ADZE_E_TYPE, "conv1d", "length");
	REFUSED(X(x, "1 2 t<=4"); X(w, "2 2 1"), adze_conv_transpose(x, w, NULL), ADZE_E_TYPE,
		"conv_transpose", "symbol");
	REFUSED(X(x, "1 3 4"); X(w, "3 2 1"), adze_conv_transpose(x, w, &two), ADZE_E_TYPE,
		"conv_transpose", "groups");
	REFUSED(X(x, "1 3 4"), adze_max_pool(x, NULL, NULL), ADZE_E_TYPE, "max_pool", "size");
	REFUSED(X(x, "1 3 4"), adze_adaptive_avg_pool(x, (int64_t[]){0}), ADZE_E_TYPE,
		"adaptive_avg_pool", "from 1 on");
	REFUSED(X(x, "a=4"), adze_pad_reflect(x, "a", 4, 0), ADZE_E_TYPE, "pad_reflect", "mirror");
	REFUSED(X(x, "t<=4"), adze_pad_replicate(x, "t", 1, 0), ADZE_E_TYPE, "pad_replicate",
		"symbol");
	REFUSED(I(x, "a=4"), adze_resize(x, "a", 8, ADZE_LINEAR), ADZE_E_TYPE, "resize", "floats");
	REFUSED(X(x, "1 6 2 2"), adze_pixel_shuffle(x, 2), ADZE_E_TYPE, "pixel_shuffle", "square");
	REFUSED(X(x, "1 6 2 2"), adze_group_norm(x, 4, (adze_tensor){0}, (adze_tensor){0}, 0),
		ADZE_E_TYPE, "group_norm", "groups");
	REFUSED(X(x, "1 6 2"); X(a, "5"), adze_group_norm(x, 2, a, a, 0), ADZE_E_TYPE,
		"group_norm", "f32[5]: it has one number");
	REFUSED(X(q, "3 2 8"); X(k, "2 2 8"), adze_attention(q, k, k, NULL), ADZE_E_TYPE,
		"attention", "multiple");
	REFUSED(X(q, "2 2 8"); X(k, "2 2 6"), adze_attention(q, k, k, NULL), ADZE_E_TYPE,
		"attention", "contracting");
	REFUSED(X(x, "s=4 d=7"); I(p, "4"), adze_rope(x, p, "s", NULL), ADZE_E_TYPE, "rope",
		"even");
	REFUSED(X(x, "s=4 d=8"); I(p, "5"), adze_rope(x, p, "s", NULL), ADZE_E_TYPE, "rope",
		"i32[5]: places");
	REFUSED(X(x, "1 4"); adze_cell c = cell_of(x, none), adze_gru_cell(x, x, c),
		ADZE_E_ARGUMENT, "gru_cell", "null tensor");
	REFUSED(X(x, "4 4"); adze_cell c = cell_of(x, x), adze_gru_cell(x, x, c),
		ADZE_E_TYPE, "gru_cell", "gates");
	life_end(&l);
}

TEST(forms, parts_fail_together)
{
	struct life l;
	adze_graph *g;
	adze_tensor part[3];
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "g", &g));
	X(x, "a=7");
	CHECK(adze_chunk(x, "a", 3, part) == ADZE_E_TYPE);
	CHECK(!adze_is(part[0]) && !adze_is(part[2]));
	CHECK(strstr(adze_graph_words(g), "chunk: f32[a=7]") != NULL);
	adze_graph_destroy(g);
	OK(&l, adze_graph_create(l.context, "g", &g));
	X(y, "a=7");
	CHECK(adze_split(y, "a", (int64_t[]){3, 3}, 2, part) == ADZE_E_TYPE);
	CHECK(!adze_is(part[0]) && !adze_is(part[1]));
	CHECK(strstr(adze_graph_words(g), "split: f32[a=7]") != NULL);
	/* The null tensor has no graph, and breaks nothing. */
	const adze_tensor none = {NULL, 0, 0, NULL};
	CHECK(adze_split(none, "a", (int64_t[]){3}, 1, part) == ADZE_E_ARGUMENT);
	CHECK(!adze_is(part[0]) && !adze_is(adze_mish(none)) && !adze_is(adze_var(none, "", 0)));
	CHECK(!adze_is(adze_attention(none, none, none, NULL)));
	CHECK(!adze_is(adze_rope(none, none, "a", NULL)) && !adze_is(adze_linspace(NULL, ADZE_F32,
										  "3", 0, 1)));
	adze_graph_destroy(g);
	life_end(&l);
}
