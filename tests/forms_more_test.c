/* SPDX-License-Identifier: Apache-2.0
 *
 * The functions of adze_math.h and adze_windows.h against NumPy's numbers (tests/data/forms), by
 * the reference evaluator and on the CPU device; and what they refuse.
 */
#include <math.h>

#include "tests/form_case.h"

static void functions(struct forms *f, adze_tensor x, adze_tensor p, adze_tensor odd)
{
	adze_tensor u = in(f, "u", "24"), inside = in(f, "inside", "22");
	out(f, "exp2", adze_exp2(x));
	out(f, "log2", adze_log2(p));
	out(f, "log10", adze_log10(p));
	out(f, "asin", adze_asin(u));
	out(f, "acos", adze_acos(u));
	out(f, "atan", adze_atan(x));
	out(f, "atan_odd", adze_atan(odd));
	out(f, "degrees", adze_degrees(x));
	out(f, "degrees_odd", adze_degrees(odd));
	out(f, "radians", adze_radians(x));
	out(f, "radians_odd", adze_radians(odd));
	out(f, "sinh", adze_sinh(x));
	out(f, "sinh_odd", adze_sinh(odd));
	out(f, "cosh", adze_cosh(x));
	out(f, "asinh", adze_asinh(x));
	out(f, "asinh_odd", adze_asinh(odd));
	out(f, "acosh", adze_acosh(adze_offset(p, 1)));
	out(f, "atanh", adze_atanh(inside));
	out(f, "trunc", adze_trunc(x));
	out(f, "trunc_odd", adze_trunc(odd));
	out(f, "frac", adze_frac(x));
	out(f, "logit", adze_logit(adze_offset(adze_scale(inside, 0.5), 0.5)));
	out(f, "sinc", adze_sinc(x));
	out(f, "relu6", adze_relu6(adze_scale(x, 2)));
	out(f, "tanh_shrink", adze_tanh_shrink(x));
	out(f, "mask", adze_mask(x, adze_gt(u, adze_scalar_like(u, 0)), 4));
}

static void pairs(struct forms *f, adze_tensor x, adze_tensor y)
{
	adze_tensor a = in(f, "oa", "64"), b = in(f, "ob", "64");
	adze_tensor m = in(f, "m", "40"), n = in(f, "n", "40");
	/* Which NaN has a sign is not told. */
	adze_tensor nan = adze_is_nan(b), sign = adze_mask(b, adze_logical_not(nan), 1);
	out(f, "copysign", adze_copysign(a, sign));
	out(f, "hypot", adze_hypot(a, b));
	out(f, "log_add_exp", adze_log_add_exp(a, b));
	out(f, "xlogy", adze_xlogy(a, b));
	out(f, "is_close", adze_is_close(a, b, 1e-3, 1e-5));
	out(f, "prelu", adze_prelu(x, y));
	out(f, "reglu", adze_reglu(x, y));
	out(f, "mod", adze_mod(x, y));
	out(f, "floor_div", adze_floor_div(x, y));
	out(f, "mod_i", adze_mod(m, n));
	out(f, "floor_div_i", adze_floor_div(m, n));
	out(f, "logical_and", adze_logical_and(m, n));
	out(f, "logical_or", adze_logical_or(m, adze_gt(n, adze_scalar_like(n, 0))));
	out(f, "logical_xor", adze_logical_xor(m, n));
	out(f, "logical_not", adze_logical_not(m));
}

static void numbers(struct forms *f, adze_tensor x, adze_tensor p, adze_tensor odd)
{
	out(f, "scale", adze_scale(x, 0.5));
	out(f, "offset", adze_offset(x, 3));
	out(f, "div_by", adze_div_by(x, 7));
	out(f, "pow_2", adze_pow_by(x, 2));
	out(f, "pow_3", adze_pow_by(x, 3));
	out(f, "pow_half", adze_pow_by(p, 0.5));
	out(f, "pow_less", adze_pow_by(p, -0.5));
	out(f, "pow_back", adze_pow_by(x, -1));
	out(f, "threshold", adze_threshold(x, 0.5, -9));
	out(f, "hard_shrink", adze_hard_shrink(x, 1));
	out(f, "soft_shrink", adze_soft_shrink(x, 1));
	out(f, "heaviside", adze_heaviside(odd, 0.25));
	out(f, "nan_to_num", adze_nan_to_num(odd, 7, 8, -9));
	out(f, "sign_bit", adze_sign_bit(odd));
	out(f, "narrow_half", adze_reduce_precision_to(x, 5, 10));
	out(f, "narrow_own", adze_reduce_precision_to(x, 8, 99));
	out(f, "narrow_two", adze_reduce_precision_to(x, 9, 2));
}

TEST(forms_more, math)
{
	struct forms f;
	forms_begin(&f, "forms/math");
	adze_tensor x = in(&f, "x", "24"), p = in(&f, "p", "24"), odd = in(&f, "odd", "8");
	functions(&f, x, p, odd);
	pairs(&f, x, in(&f, "y", "24"));
	numbers(&f, x, p, odd);
	forms_end(&f);
}

static void products(struct forms *f, adze_tensor x, adze_tensor y, adze_tensor k)
{
	adze_tensor a = in(f, "a", "2 1 3 5"), b = in(f, "b", "4 5 2"), c = in(f, "c", "5");
	adze_tensor r = in(f, "r", "4 3"), t = in(f, "t", "4 3"), t2 = in(f, "t2", "2 3");
	out(f, "matmul", adze_matmul(a, b));
	out(f, "matmul_2", adze_matmul(in(f, "a2", "3 5"), in(f, "b2", "5 2")));
	out(f, "matmul_row", adze_matmul(c, b));
	out(f, "matmul_column", adze_matmul(a, c));
	out(f, "matmul_dot", adze_matmul(c, c));
	out(f, "vecdot", adze_vecdot(x, y, "s"));
	out(f, "vecdot_i", adze_vecdot(k, k, "n"));
	out(f, "cross", adze_cross(r, t, "1"));
	out(f, "kron", adze_kron(r, t2));
}

TEST(forms_more, stats)
{
	struct forms f;
	adze_tensor at;
	forms_begin(&f, "forms/stats");
	adze_tensor x = in(&f, "x", "n<=4 s=5 d=4"), y = in(&f, "y", "n<=4 s=5 d=4");
	adze_tensor z = in(&f, "z", "n<=4 s=5 d=4"), k = in(&f, "k", "n=3 s=5");
	out(&f, "count", adze_count_nonzero(k, "s"));
	out(&f, "count_all", adze_count_nonzero(adze_ne(k, adze_scalar_like(k, 0)), ""));
	out(&f, "nan_sum", adze_nan_sum(z, "s"));
	out(&f, "nan_mean", adze_nan_mean(z, "n s"));
	out(&f, "max", adze_max_with_index(x, "s", &at));
	out(&f, "max_at", at);
	out(&f, "min", adze_min_with_index(k, "n", &at));
	out(&f, "min_at", at);
	out(&f, "softmax_sink", adze_softmax_sink(x, "d", adze_reshape(in(&f, "sink", "n<=4"),
								      "n<=4 1 1")));
	out(&f, "softmax_none", adze_softmax_sink(in(&f, "none", "2 2"), "1", in(&f, "low", "")));
	out(&f, "softmin", adze_softmin(x, "s"));
	out(&f, "distance", adze_distance(x, y, "d", 2));
	out(&f, "norm_3", adze_norm(x, "s", 3));
	out(&f, "norm_0", adze_norm(adze_convert(k, ADZE_F32), "s", 0));
	out(&f, "norm_least", adze_norm(x, "s d", -INFINITY));
	out(&f, "cosine", adze_cosine_similarity(x, y, "s", 1e-8));
	out(&f, "diff", adze_diff(x, "s"));
	out(&f, "diff_i", adze_diff(k, "n"));
	products(&f, x, y, k);
	forms_end(&f);
}

static void boxes(struct forms *f, adze_tensor x, adze_tensor t)
{
	adze_tensor at = in(f, "at", ""), one = adze_scalar_like(at, 1);
	adze_tensor square = adze_slice(x, "h", 0, 4, 1), row = adze_choose(x, "h", 4);
	out(f, "to_last", adze_to_last(x, "w n"));
	out(f, "slice_box", adze_slice_box(t, "h w", (int64_t[]){1, -3}, (int64_t[]){-1, 3}));
	/* 3 is kept to 2, so that 3 fit. */
	out(f, "pick_box", adze_dynamic_slice_box(t, "w h", (adze_tensor[]){one, at},
						  (int64_t[]){2, 3}));
	out(f, "put_box", adze_dynamic_update_box(x, adze_slice(x, "h", 0, 2, 1), "h",
						  (adze_tensor[]){at}));
	out(f, "einsum_diagonal", adze_einsum(&square, 1, "n i i -> i n"));
	out(f, "einsum_trace", adze_einsum((adze_tensor[]){square, row}, 2, "n i i, n i ->"));
}

static void diagonals(struct forms *f, adze_tensor x, adze_tensor t)
{
	static const int64_t offset[] = {0, 2, -3, 4, -5}, far[] = {0, 2, -1};
	char name[64];
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof name, "diag_%d", (int)offset[i]);
		out(f, name, adze_diag(i == 1 ? t : x, "h", "w", offset[i]));
	}
	out(f, "diag_swap", adze_diag(x, "w", "n", 1));
	out(f, "trace", adze_trace(t, "h", "w"));
	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof name, "to_diagonal_%d", (int)far[i]);
		out(f, name, adze_to_diagonal(i == 1 ? t : x, "h", far[i], "v"));
	}
}

static void grids(struct forms *f)
{
	const adze_tensor v[3] = {in(f, "a", "a=2"), in(f, "b", "b=3"), in(f, "c", "c=4")};
	adze_tensor y[3];
	OK(&f->life, adze_meshgrid(v, 3, y));
	out(f, "grid_0", y[0]);
	out(f, "grid_1", y[1]);
	out(f, "grid_2", y[2]);
	out(f, "cartesian", adze_cartesian(v, 2, "pair"));
}

TEST(forms_more, shapes)
{
	struct forms f;
	adze_tensor part[4];
	char name[64];
	forms_begin(&f, "forms/shapes");
	adze_tensor x = in(&f, "x", "n=2 h=5 w=4"), t = in(&f, "t_x", "n<=3 h=5 w=4");
	OK(&f.life, adze_unstack(x, "w", 4, part));
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof name, "unstack_%d", i);
		out(&f, name, part[i]);
	}
	out(&f, "move_last", adze_move_axis(x, "n", -1));
	out(&f, "move_first", adze_move_axis(x, "w", 0));
	boxes(&f, x, t);
	out(&f, "expand", adze_expand(x, 1, "k=3"));
	out(&f, "broadcast_like", adze_broadcast_like(in(&f, "row", "w=4"), t));
	out(&f, "tile", adze_tile(x, (int64_t[]){2, 1, 3}));
	out(&f, "pad_all", adze_pad_all(x, (int64_t[]){1, -1, 3}, (int64_t[]){0, 2, 3}, 6));
	for (int i = -1; i < 4; i++) {
		snprintf(name, sizeof name, "rot90_%d", i);
		out(&f, name, adze_rot90(x, "h", "w", i));
	}
	out(&f, "bytes", adze_bytes(x, "b"));
	diagonals(&f, x, t);
	grids(&f);
	out(&f, "windows", adze_windows(t, "h", 3, 2, "k"));
	out(&f, "zeros", adze_zeros(f.graph, ADZE_F32, "2 3"));
	out(&f, "ones", adze_ones(f.graph, ADZE_I32, "2 3"));
	out(&f, "zeros_like", adze_zeros_like(x));
	out(&f, "ones_like", adze_ones_like(t));
	out(&f, "full_like", adze_full_like(x, 2.5));
	out(&f, "logspace", adze_logspace(f.graph, ADZE_F32, "7", -1, 2, 3));
	out(&f, "causal", adze_causal_mask(f.graph, "s=3 t=5", 0));
	out(&f, "causal_window", adze_causal_mask(f.graph, "s=3 t=5", 2));
	out(&f, "sequence", adze_sequence_mask(in(&f, "n", "2 3"), "t=5"));
	forms_end(&f);
}

TEST(forms_more, quantize)
{
	struct forms f;
	const adze_tensor none = {NULL, 0, 0, NULL};
	forms_begin(&f, "forms/quantize");
	adze_tensor x = in(&f, "x", "r=6 c=5"), s = in(&f, "s", ""), z = in(&f, "z", "");
	adze_tensor rs = in(&f, "rs", "6"), rz = in(&f, "rz", "6"), q = in(&f, "q", "r<=9 c=8");
	adze_tensor q6 = in(&f, "t_q", "r=6 c=8"), one = adze_scalar_like(s, 1);
	out(&f, "quantize", adze_quantize(x, s, z, NULL, ADZE_I8));
	out(&f, "quantize_u", adze_quantize(x, one, none, NULL, ADZE_U8));
	out(&f, "quantize_rows", adze_quantize(x, rs, rz, "r", ADZE_I8));
	out(&f, "dequantize", adze_dequantize(q, s, z, NULL));
	out(&f, "dequantize_rows", adze_dequantize(q6, rs, rz, "r"));
	out(&f, "dequantize_blocks", adze_dequantize(q6, in(&f, "blocks", "6 2"), none, "c"));
	forms_end(&f);
}

static void convolutions(struct forms *f, adze_tensor line, adze_tensor image)
{
	adze_tensor w = in(f, "w", "6 4 3 2"), v = in(f, "v", "4 2 3");
	out(f, "conv", adze_conv(image, w, &(adze_conv_options){
					   .stride = {1, 2}, .low = {1}, .high = {2, 1},
					   .spacing = {2, 3}, .dilation = {1, 2}}));
	out(f, "conv_last", adze_conv(in(f, "nhwc", "n=4 h=6 w=7 c=4"),
				      in(f, "hwio", "h=3 w=2 i=4 o=6"),
				      &(adze_conv_options){.input = "n c h w", .kernel = "o i h w",
							   .output = "n h w o",
							   .reverse = {true, true}}));
	out(f, "conv_batch", adze_conv(image, w, &(adze_conv_options){.stride = {2}, .low = {1, 1},
								      .batch_groups = 2}));
	out(f, "conv_groups", adze_conv(line, v, &(adze_conv_options){
						  .low = {-1}, .high = {3}, .spacing = {2},
						  .groups = 2, .reverse = {true}}));
}

static void pools(struct forms *f, adze_tensor line, adze_tensor image)
{
	adze_tensor at;
	out(f, "avg_inside", adze_avg_pool_inside(line, (int64_t[]){4},
						  &(adze_window3){.stride = {2}, .low = {2},
								  .high = {1}}));
	out(f, "lp_pool", adze_lp_pool(line, 3, (int64_t[]){3}, NULL));
	out(f, "max_pool", adze_max_pool_index(image, (int64_t[]){3, 2},
					       &(adze_window3){.stride = {2, 2}, .low = {1},
							       .dilation = {1, 2}}, &at));
	out(f, "max_pool_at", at);
	out(f, "adaptive_max", adze_adaptive_max_pool(image, (int64_t[]){4, 3}));
	out(f, "adaptive_avg", adze_adaptive_avg_pool(image, (int64_t[]){4, 3}));
	out(f, "adaptive_more", adze_adaptive_avg_pool(line, (int64_t[]){12}));
}

static void resizes(struct forms *f, adze_tensor line)
{
	static const char *const coords[] = {"half", "pytorch", "asymmetric", "corners",
					     "symmetric"};
	static const char *const rounds[] = {"prefer_floor", "prefer_ceil", "floor", "ceil"};
	char name[64];
	for (int i = 0; i < 5; i++) {
		adze_resize_options o = {.mode = ADZE_LINEAR, .coords = (adze_resize_coords)i};
		snprintf(name, sizeof name, "linear_%s", coords[i]);
		out(f, name, adze_resize_with(line, "l", 13, &o));
		o.mode = ADZE_CUBIC;
		snprintf(name, sizeof name, "cubic_%s", coords[i]);
		out(f, name, adze_resize_with(line, "l", 5, &o));
	}
	for (int i = 0; i < 4; i++) {
		adze_resize_options o = {.round = (adze_resize_round)i};
		snprintf(name, sizeof name, "nearest_%s", rounds[i]);
		out(f, name, adze_resize_with(line, "l", 6, &o));
	}
	adze_resize_options one = {.mode = ADZE_LINEAR, .coords = ADZE_PYTORCH_HALF_PIXEL};
	adze_resize_options cubic = {.mode = ADZE_CUBIC, .scale = 1.6, .cubic = -0.5,
				     .exclude_outside = true};
	adze_resize_options scaled = {.mode = ADZE_LINEAR, .scale = 1.6,
				      .coords = ADZE_HALF_PIXEL_SYMMETRIC};
	adze_resize_options smooth = {.mode = ADZE_LINEAR, .antialias = true,
				      .exclude_outside = true};
	adze_resize_options smooth_cubic = {.mode = ADZE_CUBIC, .antialias = true, .cubic = -0.5};
	out(f, "linear_one", adze_resize_with(line, "l", 1, &one));
	out(f, "cubic_scale", adze_resize_with(line, "l", 14, &cubic));
	out(f, "symmetric_scale", adze_resize_with(line, "l", 14, &scaled));
	out(f, "antialias", adze_resize_with(line, "l", 4, &smooth));
	out(f, "antialias_cubic", adze_resize_with(line, "l", 4, &smooth_cubic));
}

TEST(forms_more, images)
{
	struct forms f;
	forms_begin(&f, "forms/images");
	adze_tensor line = in(&f, "line", "n<=3 c=4 l=9");
	adze_tensor image = in(&f, "image", "n=4 c=4 h=6 w=7");
	adze_tensor deep = in(&f, "deep", "n<=3 c=8 h=2 w=3");
	convolutions(&f, line, image);
	pools(&f, line, image);
	resizes(&f, line);
	out(&f, "symmetric", adze_pad_symmetric(image, "h", 3, 6));
	out(&f, "circular", adze_pad_circular(image, "w", 7, 2));
	out(&f, "depth_to_space", adze_depth_to_space(deep, 2));
	out(&f, "space_to_depth", adze_space_to_depth(in(&f, "space", "n<=3 2 4 6"), 2));
	out(&f, "channel_shuffle", adze_channel_shuffle(deep, 2));
	forms_end(&f);
}

TEST(forms_more, refusals)
{
	struct life l;
	const adze_tensor none = {NULL, 0, 0, NULL};
	adze_tensor at;
	life_begin(&l);
	REFUSED(I(x, "4"), adze_sinh(x), ADZE_E_TYPE, "sinh", "i32[4]: it takes floats");
	REFUSED(X(x, "4"); I(y, "4"), adze_mod(x, y), ADZE_E_TYPE, "mod", "element types differ");
	REFUSED(X(x, "4"); adze_tensor b = adze_is_nan(x), adze_floor_div(b, b), ADZE_E_TYPE,
		"floor_div", "integers and floats");
	REFUSED(X(x, "4"), adze_reduce_precision_to(x, 0, 3), ADZE_E_TYPE, "reduce_precision_to",
		"exponent bit");
	REFUSED(X(x, "4"), adze_reduce_precision_to(adze_convert(x, ADZE_F8E4M3FN), 3, 3),
		ADZE_E_TYPE, "reduce_precision_to", "infinities");
	REFUSED(X(x, "4"); I(k, "4"), adze_mask(x, k, 0), ADZE_E_TYPE, "mask", "must be bool");
	REFUSED(X(x, "a=4"), adze_max_with_index(x, "b", &at), ADZE_E_TYPE, "max_with_index",
		"no axis 'b'");
	REFUSED(X(x, "a=4"); X(s, "3"), adze_softmax_sink(x, "a", s), ADZE_E_TYPE, "softmax_sink",
		"extents differ");
	REFUSED(X(x, "a<=4"), adze_diff(x, "a"), ADZE_E_TYPE, "diff", "symbol");
	REFUSED(X(x, "3 4"); X(y, "5 2"), adze_matmul(x, y), ADZE_E_TYPE, "matmul",
		"contracting axes differ");
	REFUSED(X(x, "3 3 4"); X(y, "2 4 2"), adze_matmul(x, y), ADZE_E_TYPE, "matmul",
		"neither the result's extent nor 1");
	REFUSED(X(x, ""); X(y, "4"), adze_matmul(x, y), ADZE_E_TYPE, "matmul", "vectors");
	REFUSED(X(x, "4"), adze_cross(x, x, "0"), ADZE_E_TYPE, "cross", "3 elements");
	REFUSED(X(x, "4"); X(y, "4 4"), adze_kron(x, y), ADZE_E_TYPE, "kron", "as many axes");
	REFUSED(X(x, "4"), adze_move_axis(x, "0", 1), ADZE_E_TYPE, "move_axis", "place");
	REFUSED(X(x, "4"), adze_to_last(x, "q"), ADZE_E_TYPE, "to_last", "no axis 'q'");
	REFUSED(X(x, "4 4"), adze_slice_box(x, "0 1", (int64_t[]){0, 3}, (int64_t[]){1, 2}),
		ADZE_E_TYPE, "slice_box", "outside");
	REFUSED(X(x, "4 4"), adze_dynamic_slice_box(x, "0", &x, (int64_t[]){2}), ADZE_E_TYPE,
		"dynamic_slice_box", "integer scalar");
	REFUSED(X(x, "4 4"), adze_dynamic_slice_box(x, "0", &none, (int64_t[]){2}),
		ADZE_E_ARGUMENT, "dynamic_slice_box", "null tensor");
	REFUSED(X(x, "4 4"), adze_dynamic_update_box(x, x, "0", NULL), ADZE_E_TYPE,
		"dynamic_update_box", "no places");
	REFUSED(X(x, "4"), adze_expand(x, 0, "a=2 b=3"), ADZE_E_TYPE, "expand", "one, as in");
	REFUSED(X(x, "4"), adze_tile(x, NULL), ADZE_E_TYPE, "tile", "no numbers");
	REFUSED(X(x, "4"), adze_pad_all(x, (int64_t[]){-5}, (int64_t[]){0}, 0), ADZE_E_TYPE,
		"pad_all", "more is cut off");
	REFUSED(X(x, "4 4"), adze_rot90(x, "0", "0", 1), ADZE_E_TYPE, "rot90", "one");
	REFUSED(X(x, "4 4"), adze_diag(x, "0", "1", 5), ADZE_E_TYPE, "diag", "outside");
	REFUSED(X(x, "t<=4 4"), adze_diag(x, "0", "1", 0), ADZE_E_TYPE, "diag", "symbol");
	REFUSED(X(x, "4"), adze_to_diagonal(x, "0", (int64_t)1 << 40, NULL), ADZE_E_TYPE,
		"to_diagonal", "too large");
	REFUSED(X(x, "4 4"), adze_cartesian(&x, 1, "p"), ADZE_E_TYPE, "cartesian", "vectors");
	REFUSED(X(x, "a=4"), adze_windows(x, "a", 5, 1, "b"), ADZE_E_TYPE, "windows", "fit");
	REFUSED((void)0, adze_zeros(g, ADZE_F32, "3 ="), ADZE_E_SYNTAX, "zeros", "=");
	REFUSED((void)0, adze_causal_mask(g, "s=3", 0), ADZE_E_TYPE, "causal_mask", "no axis");
	REFUSED((void)0, adze_causal_mask(g, "3 3", -1), ADZE_E_ARGUMENT, "causal_mask", "window");
	REFUSED(X(x, "4"), adze_sequence_mask(x, "t=5"), ADZE_E_TYPE, "sequence_mask", "integers");
	REFUSED(X(x, "4"); I(s, ""), adze_quantize(x, s, none, NULL, ADZE_I8), ADZE_E_TYPE,
		"quantize", "of floats");
	REFUSED(X(x, "4"); X(s, ""), adze_quantize(x, s, none, NULL, ADZE_F16), ADZE_E_TYPE,
		"quantize", "of integers");
	REFUSED(X(x, "4"); X(s, ""), adze_dequantize(x, s, none, NULL), ADZE_E_TYPE, "dequantize",
		"it takes integers");
	REFUSED(I(x, "4 6"); X(s, "4 4"), adze_dequantize(x, s, none, "1"), ADZE_E_TYPE,
		"dequantize", "for each block");
	life_end(&l);
}

TEST(forms_more, refusals_of_windows)
{
	struct life l;
	adze_tensor at;
	life_begin(&l);
	REFUSED(X(x, "1 2 4"); X(w, "3 2"), adze_conv(x, w, NULL), ADZE_E_TYPE, "conv", "batch");
	REFUSED(X(x, "n=1 c=2 w=4"); X(w, "3 2 2"),
		adze_conv(x, w, &(adze_conv_options){.input = "n c"}), ADZE_E_TYPE, "conv",
		"lists each");
	REFUSED(X(x, "n=1 c=2 w=4"); X(w, "3 2 2"),
		adze_conv(x, w, &(adze_conv_options){.output = "n q w"}), ADZE_E_TYPE, "conv",
		"no axis 'q'");
	REFUSED(X(x, "3 2 4"); X(w, "4 2 2"),
		adze_conv(x, w, &(adze_conv_options){.batch_groups = 2}), ADZE_E_TYPE, "conv",
		"divide the batch");
	REFUSED(X(x, "4 2 4"); X(w, "4 1 2"),
		adze_conv(x, w, &(adze_conv_options){.groups = 2, .batch_groups = 2}),
		ADZE_E_TYPE, "conv", "features or of the batch");
	REFUSED(X(x, "1 2 t<=4"); X(w, "4 2 2"),
		adze_conv(x, w, &(adze_conv_options){.spacing = {2}}), ADZE_E_TYPE, "conv",
		"symbol");
	REFUSED(X(x, "1 2 4"), adze_avg_pool_inside(x, NULL, NULL), ADZE_E_TYPE,
		"avg_pool_inside", "size");
	REFUSED(I(x, "1 2 4"), adze_lp_pool(x, 2, (int64_t[]){2}, NULL), ADZE_E_TYPE, "lp_pool",
		"floats");
	REFUSED(X(x, "1 1 4000"), adze_max_pool_index(x, (int64_t[]){2000}, NULL, &at),
		ADZE_E_TYPE, "max_pool_index", "too large");
	REFUSED(X(x, "a=4"), adze_pad_symmetric(x, "a", 5, 0), ADZE_E_TYPE, "pad_symmetric",
		"mirror");
	REFUSED(X(x, "a=4"), adze_pad_circular(x, "a", 0, 5), ADZE_E_TYPE, "pad_circular",
		"comes around");
	REFUSED(X(x, "a=4"),
		adze_resize_with(x, "a", 8, &(adze_resize_options){.scale = -1}), ADZE_E_TYPE,
		"resize_with", "mode");
	REFUSED(X(x, "a=4"),
		adze_resize_with(x, "a", 8, &(adze_resize_options){.mode = ADZE_LINEAR,
								   .scale = 1e-9,
								   .antialias = true}),
		ADZE_E_TYPE, "resize_with", "scale is out of range");
	REFUSED(X(x, "1 6 2 2"), adze_depth_to_space(x, 2), ADZE_E_TYPE, "depth_to_space",
		"square");
	REFUSED(X(x, "1 6 3 2"), adze_space_to_depth(x, 2), ADZE_E_TYPE, "space_to_depth",
		"divide");
	REFUSED(X(x, "1 6 3"), adze_channel_shuffle(x, 4), ADZE_E_TYPE, "channel_shuffle",
		"divide");
	life_end(&l);
}

TEST(forms_more, parts_fail_together)
{
	struct life l;
	adze_graph *g;
	adze_tensor part[3];
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "g", &g));
	X(x, "a=4");
	CHECK(adze_unstack(x, "a", 3, part) == ADZE_E_TYPE);
	CHECK(!adze_is(part[0]) && !adze_is(part[2]));
	CHECK(strstr(adze_graph_words(g), "unstack: f32[a=4]") != NULL);
	adze_graph_destroy(g);
	OK(&l, adze_graph_create(l.context, "g", &g));
	X(y, "a=4 b=3");
	CHECK(adze_meshgrid((adze_tensor[]){y, y}, 2, part) == ADZE_E_TYPE);
	CHECK(!adze_is(part[0]) && !adze_is(part[1]));
	/* The null tensor has no graph, and breaks nothing. */
	const adze_tensor none = {NULL, 0, 0, NULL};
	CHECK(!adze_is(adze_sinh(none)) && !adze_is(adze_hypot(none, none)));
	CHECK(!adze_is(adze_matmul(none, none)) && !adze_is(adze_diag(none, "0", "1", 0)));
	CHECK(!adze_is(adze_quantize(none, none, none, NULL, ADZE_I8)));
	CHECK(!adze_is(adze_conv(none, none, NULL)) && !adze_is(adze_zeros(NULL, ADZE_F32, "2")));
	CHECK(!adze_is(adze_resize_with(none, "a", 3, NULL)));
	CHECK(adze_unstack(none, "a", 1, part) == ADZE_E_ARGUMENT);
	adze_graph_destroy(g);
	life_end(&l);
}

/* What is composed is computed in f32 at least, and rounded once. */
static adze_tensor chain(adze_tensor x)
{
	adze_tensor y = adze_sinh(adze_scale(x, 0.25));
	y = adze_add(y, adze_hypot(x, adze_acosh(adze_offset(adze_square(x), 1))));
	y = adze_log_add_exp(adze_atan(y), adze_soft_shrink(x, 0.5));
	y = adze_add(adze_adaptive_avg_pool(y, (int64_t[]){2, 3}),
		     adze_reshape(adze_div_by(adze_trace(x, "2", "3"), 8), "1 2 1 1"));
	y = adze_softmax_sink(y, "-1", adze_scalar_like(y, 0));
	y = adze_resize_with(y, "-1", 4, &(adze_resize_options){.mode = ADZE_LINEAR});
	return adze_matmul(y, adze_transpose(y, "0 1 3 2"));
}

TEST(forms_more, other_floats)
{
	static const adze_dtype dtype[] = {ADZE_F32, ADZE_F16, ADZE_BF16, ADZE_F64};
	const float data[16] = {1, 2, -3, 4, 0.5f, 6, -7, 8, 9, -1, 11, 2, 3, 4, 5, 6};
	struct life l;
	life_begin(&l);
	static float first[8];
	for (int i = 0; i < 4; i++) {
		adze_graph *g;
		OK(&l, adze_graph_create(l.context, "g", &g));
		adze_tensor x = adze_input(g, "x", ADZE_F32, "1 2 2 4");
		adze_tensor y = chain(adze_convert(x, dtype[i]));
		CHECK_MSG(adze_is(y), "%s", adze_graph_words(g));
		CHECK(adze_tensor_shape(y).dtype == dtype[i]);
		adze_buffer *in = buffer_of(&l, ADZE_F32, "1 2 2 4", data);
		adze_buffer *out = run_once(&l, adze_convert(y, ADZE_F32), &in, 1);
		CHECK(adze_shape_count(adze_buffer_shape(out)) == 8);
		for (int k = 0; k < 8; k++) {
			float have = floats_of(out)[k];
			if (i == 0)
				first[k] = have;
			CHECK_MSG(fabsf(have - first[k]) < 0.03f, "%s, %d: %g, not %g",
				  adze_dtype_name(dtype[i]), k, have, first[k]);
		}
		adze_buffer_destroy(in);
		adze_buffer_destroy(out);
	}
	life_end(&l);
}
