/* SPDX-License-Identifier: Apache-2.0
 *
 * Functions on tensors: axes by name, broadcasting, shapes of results, words of refusals.
 */
#include "tests/api_fixture.h"

static adze_graph *new_graph(struct life *l)
{
	adze_graph *g;
	OK(l, adze_graph_create(l->context, "g", &g));
	return g;
}

/* That a tensor has this shape. */
#define IS(x, want)                                                                    \
	do {                                                                           \
		char text_[512];                                                       \
		adze_tensor x_ = (x);                                                  \
		adze_shape s_ = adze_tensor_shape(x_);                                 \
		CHECK_MSG(adze_is(x_), "%s: %s", #x, adze_graph_words(x_.graph));      \
		CHECK_MSG(strcmp(adze_shape_print(&s_, text_, sizeof text_), (want)) == 0, \
			  "%s is %s, not %s", #x, text_, (want));                      \
	} while (0)

/*
 * That building `x` in a graph of its own fails so. `g` is the graph. All of it stands on one
 * line: compilers differ in which one __LINE__ is otherwise.
 */
#define REFUSED(setup, x, want, part)                                                   \
	do {                                                                            \
		adze_graph *g = new_graph(&l);                                          \
		setup;                                                                  \
		CHECK_MSG(adze_graph_status(g) == ADZE_OK, "%s", adze_graph_words(g));  \
		adze_tensor y_ = (x);                                                   \
		char line_[32];                                                         \
		snprintf(line_, sizeof line_, "builder_test.c:%d: ", __LINE__);         \
		CHECK_MSG(!adze_is(y_) && adze_graph_status(g) == (want) &&             \
				  strstr(adze_graph_words(g), (part)) != NULL &&        \
				  strstr(adze_graph_words(g), line_) != NULL,           \
			  "%s: %s '%s'", #x, adze_status_name(adze_graph_status(g)),    \
			  adze_graph_words(g));                                         \
		adze_graph_destroy(g);                                                  \
	} while (0)
#define PAIR(x, y) ((adze_tensor[]){x, y})
#define X(name, dims) adze_tensor name = adze_input(g, #name, ADZE_F32, dims)

TEST(builder, broadcasting)
{
	struct life l;
	life_begin(&l);
	adze_graph *g = new_graph(&l);
	X(x, "b=2 s=3 d=4");
	X(d, "d=4");
	X(b, "b=2");
	X(bd, "b=2 d=4");
	X(plain, "4");
	X(one, "b=2 s=1 d=4");
	X(wide, "b=1 s=3 d=1");
	X(none, "2 3 4");
	X(t, "t<=9 d=4");
	X(s, "");
	IS(adze_add(x, d), "f32[b=2, s=3, d=4]");
	IS(adze_add(d, x), "f32[b=2, s=3, d=4]");
	IS(adze_add(x, b), "f32[b=2, s=3, d=4]");
	IS(adze_add(x, bd), "f32[b=2, s=3, d=4]");
	IS(adze_add(x, plain), "f32[b=2, s=3, d=4]");
	IS(adze_add(x, s), "f32[b=2, s=3, d=4]");
	IS(adze_add(s, s), "f32[]");
	IS(adze_add(one, wide), "f32[b=2, s=3, d=4]");
	IS(adze_add(none, x), "f32[b=2, s=3, d=4]");
	IS(adze_add(none, one), "f32[b=2, s=3, d=4]");
	IS(adze_add(none, plain), "f32[2, 3, 4]");
	IS(adze_add(none, d), "f32[2, 3, d=4]");
	IS(adze_add(t, plain), "f32[t<=9, d=4]");
	IS(adze_lt(t, s), "bool[t<=9, d=4]");
	IS(adze_select(adze_lt(x, s), s, d), "f32[b=2, s=3, d=4]");
	IS(adze_clamp(s, x, d), "f32[b=2, s=3, d=4]");
	IS(adze_clamp(b, s, x), "f32[b=2, s=3, d=4]");
	adze_graph_destroy(g);
	REFUSED(X(p, "s=3"); X(q, "s=4"), adze_add(p, q), ADZE_E_TYPE, "f32[s=3], f32[s=4]: ");
	REFUSED(X(p, "s=3 d=4"); X(q, "d=3 s=4"), adze_mul(p, q), ADZE_E_TYPE, "names of axes");
	REFUSED(X(p, "s=4 d=4"); X(q, "e=4"), adze_mul(p, q), ADZE_E_TYPE, "names of axes");
	REFUSED(X(p, "t<=4"); X(q, "4"), adze_mul(p, q), ADZE_E_TYPE, "extents differ");
	REFUSED(X(p, "4"), adze_add(p, adze_scalar(g, ADZE_I32, 1)), ADZE_E_TYPE, "f32[4], i32[]");
	REFUSED(X(p, "4"), adze_and(p, p), ADZE_E_TYPE, "it takes bool and int");
	life_end(&l);
}

TEST(builder, broadcast_numbers)
{
	struct life l;
	life_begin(&l);
	const float data[6] = {1, 2, 3, 4, 5, 6}, row[3] = {10, 20, 30}, col[2] = {100, 200};
	adze_graph *g = new_graph(&l);
	adze_tensor x = adze_input(g, "x", ADZE_F32, "a=2 b=3");
	adze_tensor r = adze_input(g, "r", ADZE_F32, "b=3");
	adze_tensor c = adze_input(g, "c", ADZE_F32, "a=2");
	adze_tensor y = adze_add(adze_add(c, x), adze_mul(r, adze_scalar_like(r, 2)));
	adze_buffer *in[3] = {buffer_of(&l, ADZE_F32, "2 3", data),
			      buffer_of(&l, ADZE_F32, "3", row), buffer_of(&l, ADZE_F32, "2", col)};
	adze_buffer *out = run_once(&l, y, in, 3);
	check_floats(out, (const float[]){121, 142, 163, 224, 245, 266}, 6);
	for (int i = 0; i < 3; i++)
		adze_buffer_destroy(in[i]);
	adze_buffer_destroy(out);
	life_end(&l);
}

TEST(builder, shapes_of_results)
{
	struct life l;
	life_begin(&l);
	adze_graph *g = new_graph(&l);
	X(x, "b=2 s=6 d=4");
	X(w, "out=5 in=4");
	X(t, "t<=9 d=12");
	X(k, "b=2 k=7 d=4");
	X(image, "n=2 c=3 h=8 w=8");
	X(filter, "o=6 c=3 3 3");
	adze_tensor i = adze_input(g, "i", ADZE_I64, "p=2 q=3");
	adze_tensor at = adze_input(g, "at", ADZE_I32, "");
	const adze_window by_two = {.stride = {2, 2}, .low = {1, 1}, .high = {1, 1}};
	IS(adze_sum(x, "s"), "f32[b=2, d=4]");
	IS(adze_sum(x, "-1 b"), "f32[s=6]");
	IS(adze_sum(x, ""), "f32[]");
	IS(adze_mean(x, "b,s"), "f32[d=4]");
	IS(adze_any(x, "d"), "bool[b=2, s=6]");
	IS(adze_all(i, NULL), "bool[]");
	IS(adze_argmax(x, " s "), "i32[b=2, d=4]");
	IS(adze_softmax(x, "2"), "f32[b=2, s=6, d=4]");
	IS(adze_dot(x, w, "d=in"), "f32[b=2, s=6, out=5]");
	IS(adze_dot(x, k, "d"), "f32[b=2, s=6, k=7]");
	IS(adze_dot(x, w, "-1=1"), "f32[b=2, s=6, out=5]");
	IS(adze_dot(x, x, "b s d"), "f32[]");
	IS(adze_dot(w, t, ""), "f32[out=5, in=4, t<=9, d=12]");
	IS(adze_conv2d(image, filter, NULL), "f32[n=2, o=6, h=6, w=6]");
	IS(adze_conv2d(image, filter, &by_two), "f32[n=2, o=6, h=4, w=4]");
	IS(adze_max_pool2d(image, 2, 2, NULL), "f32[n=2, c=3, h=4, w=4]");
	IS(adze_avg_pool2d(image, 3, 3, &(adze_window){.stride = {1, 2}}),
	   "f32[n=2, c=3, h=6, w=3]");
	IS(adze_reshape(x, "n=? 4"), "f32[n=12, 4]");
	IS(adze_reshape(x, "?"), "f32[48]");
	IS(adze_reshape(x, "[b=2, 3, 2, ?]"), "f32[b=2, 3, 2, 4]");
	IS(adze_reshape(t, "n=? 6"), "f32[n=2*t<=9, 6]");
	IS(adze_reshape(t, "t<=9 h=3 ?"), "f32[t<=9, h=3, 4]");
	IS(adze_rename(x, "_ q d"), "f32[2, q=6, d=4]");
	IS(adze_transpose(x, "d b s"), "f32[d=4, b=2, s=6]");
	IS(adze_broadcast(w, "2 out=5 in=4"), "f32[2, out=5, in=4]");
	IS(adze_broadcast(adze_sum(w, ""), "t<=9"), "f32[t<=9]");
	IS(adze_slice(x, "s", 1, -1, 2), "f32[b=2, s=2, d=4]");
	IS(adze_slice(x, "s", -2, 6, 1), "f32[b=2, s=2, d=4]");
	IS(adze_reverse(x, "s d"), "f32[b=2, s=6, d=4]");
	IS(adze_concat((adze_tensor[]){x, x, adze_rename(k, "b _ d")}, 3, "1"),
	   "f32[b=2, s=19, d=4]");
	IS(adze_pad(x, "s", 1, -2, 0), "f32[b=2, s=5, d=4]");
	IS(adze_take(x, i, "s"), "f32[b=2, p=2, q=3, d=4]");
	IS(adze_dynamic_slice(x, "s", at, 3), "f32[b=2, s=3, d=4]");
	IS(adze_dynamic_update(x, adze_slice(x, "s", 0, 2, 1), "s", at), "f32[b=2, s=6, d=4]");
	IS(adze_extent(t, "t"), "i32[]");
	IS(adze_iota(g, ADZE_I32, "t<=9 3", "t"), "i32[t<=9, 3]");
	IS(adze_convert(x, ADZE_BF16), "bf16[b=2, s=6, d=4]");
	adze_graph_destroy(g);
	life_end(&l);
}

TEST(builder, refusals)
{
	struct life l;
	life_begin(&l);
	REFUSED(X(x, "a=2 b=3"), adze_sum(x, "c"), ADZE_E_TYPE, "no axis 'c' in f32[a=2, b=3]");
	REFUSED(X(x, "a=2 b=3"), adze_sum(x, "a 0"), ADZE_E_TYPE, "twice");
	REFUSED(X(x, "a=2 b=3"), adze_sum(x, "2"), ADZE_E_TYPE, "no axis '2'");
	REFUSED(X(x, "a=2 b=3"), adze_argmax(x, "a b"), ADZE_E_ARGUMENT, "one axis");
	REFUSED(X(x, "a=2 b=3"), adze_softmax(x, NULL), ADZE_E_ARGUMENT, "one axis");
	REFUSED(X(x, "a=2"), adze_mean(adze_convert(x, ADZE_I32), "a"), ADZE_E_TYPE, "floats");
	REFUSED(X(x, "a=2"); X(y, "b=2"), adze_dot(x, y, "a"), ADZE_E_TYPE, "the second has no");
	REFUSED(X(x, "a=2"); X(y, "b=2"), adze_dot(x, y, "b=b"), ADZE_E_TYPE, "the first has no");
	REFUSED(X(x, "a=2"); X(y, "b=3"), adze_dot(x, y, "a=b"), ADZE_E_TYPE, "differ in extent");
	REFUSED(X(x, "a=2"); X(y, "b=2"), adze_dot(x, y, "a=b 0=0"), ADZE_E_TYPE, "twice");
	REFUSED(X(x, "2 3"), adze_conv2d(x, x, NULL), ADZE_E_TYPE, "[batch, channel");
	const adze_window two = {.groups = 2};
	REFUSED(X(x, "1 1 4 4"), adze_max_pool2d(x, 2, 2, &two), ADZE_E_ARGUMENT, "no groups");
	REFUSED(X(x, "1 1 4 4"), adze_max_pool2d(x, 0, 2, NULL), ADZE_E_TYPE, "window");
	REFUSED(X(x, "a=2 b=3"), adze_reshape(x, "? ?"), ADZE_E_SYNTAX, "one extent");
	REFUSED(X(x, "a=2 b=3"), adze_reshape(x, "2?"), ADZE_E_SYNTAX, "one extent");
	REFUSED(X(x, "a=2 b=3"), adze_reshape(x, "4 ?"), ADZE_E_TYPE, "do not divide");
	REFUSED(X(x, "a=0 b=3"), adze_reshape(x, "0 ?"), ADZE_E_TYPE, "anything");
	REFUSED(X(x, "t<=4 s<=4"), adze_reshape(x, "?"), ADZE_E_TYPE, "symbols");
	REFUSED(X(x, "a=2 b=3"), adze_reshape(x, "5"), ADZE_E_TYPE, "number of elements");
	REFUSED(X(x, "a=2 b=3"), adze_reshape(x, "a=="), ADZE_E_SYNTAX, "no axis");
	REFUSED(X(x, "a=2 b=3"), adze_rename(x, "a"), ADZE_E_TYPE, "names 1");
	REFUSED(X(x, "a=2 b=3"), adze_rename(x, "a a"), ADZE_E_ARGUMENT, "named 'a'");
	REFUSED(X(x, "a=2 b=3"), adze_transpose(x, "b"), ADZE_E_TYPE, "lists 1");
	REFUSED(X(x, "a=2 b=3"), adze_broadcast(x, "3 2 b=4"), ADZE_E_TYPE, "extents differ");
	REFUSED(X(x, "a=2 b=3"), adze_broadcast(x, "a=2"), ADZE_E_TYPE, "more axes");
	REFUSED(X(x, "a=2 b=3"), adze_slice(x, "a", 0, 3, 1), ADZE_E_TYPE, "outside");
	REFUSED(X(x, "a=2 b=3"), adze_slice(x, "a", 0, 2, 0), ADZE_E_TYPE, "positive");
	REFUSED(X(x, "t<=2 b=3"), adze_slice(x, "t", 0, 1, 1), ADZE_E_TYPE, "symbol");
	REFUSED(X(x, "a=2 b=3"), adze_take(x, x, "a"), ADZE_E_TYPE, "integers");
	REFUSED(X(x, "2 3"); X(y, "2"), adze_concat(PAIR(x, y), 2, "0"), ADZE_E_TYPE, "axes");
	REFUSED(X(x, "a=2"); (void)x, adze_input(g, "x", ADZE_F32, "3"), ADZE_E_ARGUMENT, "'x'");
	REFUSED((void)0, adze_input(g, "x", ADZE_F32, "3 ="), ADZE_E_SYNTAX, "'x'");
	REFUSED((void)0, adze_weight(g, "w", ADZE_F32, "t<=3"), ADZE_E_TYPE, "no symbols");
	REFUSED((void)0, adze_iota(g, ADZE_I32, "3", "q"), ADZE_E_TYPE, "'q'");
	REFUSED((void)0, adze_scalar(g, (adze_dtype)77, 1), ADZE_E_ARGUMENT, "77");
	REFUSED(X(x, "2"), adze_add(x, (adze_tensor){0}), ADZE_E_ARGUMENT, "null tensor");
	REFUSED(X(x, "2"), adze_add((adze_tensor){0}, x), ADZE_E_ARGUMENT, "null tensor");
	life_end(&l);
}
#undef REFUSED

TEST(builder, two_graphs_do_not_mix)
{
	struct life l;
	life_begin(&l);
	adze_graph *g = new_graph(&l), *h = new_graph(&l);
	adze_tensor x = adze_input(g, "x", ADZE_F32, "2"), y = adze_input(h, "x", ADZE_F32, "2");
	CHECK(!adze_is(adze_add(x, y)));
	CHECK(strstr(adze_graph_words(g), "two graphs") != NULL);
	CHECK(adze_graph_status(h) == ADZE_OK);
	/* Without any graph there is nowhere to keep words, and nothing breaks. */
	adze_tensor none = {NULL, 0, 0, NULL};
	CHECK(!adze_is(adze_add(none, none)) && !adze_is(adze_sum(none, "a")));
	CHECK(!adze_is(adze_reshape(none, "2")) && !adze_is(adze_layer_norm(none, none, none, 0)));
	CHECK(adze_output(none, "y") == ADZE_E_ARGUMENT);
	CHECK(!adze_is(adze_scalar(NULL, ADZE_F32, 1)) && !adze_is(adze_concat(NULL, 0, "a")));
	adze_graph_destroy(g);
	adze_graph_destroy(h);
	life_end(&l);
}

TEST(builder, the_first_failure_is_kept)
{
	struct life l;
	life_begin(&l);
	adze_graph *g = new_graph(&l);
	adze_tensor x = adze_input(g, "x", ADZE_F32, "2");
	adze_tensor bad = adze_sum(x, "q");
	adze_tensor worse = adze_reshape(adze_add(bad, x), "7 7 7");
	CHECK(!adze_is(worse) && adze_tensor_shape(worse).rank == 0);
	CHECK(strstr(adze_graph_words(g), "'q'") != NULL);
	CHECK(adze_output(worse, "y") == ADZE_E_TYPE);
	adze_graph_destroy(g);
	life_end(&l);
}

static adze_buffer *run_unary(struct life *l, adze_tensor y, const char *dims, const float *data)
{
	adze_buffer *x = buffer_of(l, ADZE_F32, dims, data), *out = run_once(l, y, &x, 1);
	adze_buffer_destroy(x);
	return out;
}

TEST(builder, means_and_pools)
{
	struct life l;
	life_begin(&l);
	const float data[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
	adze_graph *g = new_graph(&l);
	adze_tensor x = adze_input(g, "x", ADZE_F32, "a=4 b=4");
	adze_buffer *y = run_unary(&l, adze_mean(x, "a"), "4 4", data);
	check_floats(y, (const float[]){7, 8, 9, 10}, 4);
	adze_buffer_destroy(y);
	g = new_graph(&l);
	x = adze_input(g, "x", ADZE_F32, "t<=100 b=4");
	y = run_unary(&l, adze_mean(x, "t b"), "4 4", data);
	check_floats(y, (const float[]){8.5f}, 1);
	adze_buffer_destroy(y);
	/* 4 times 30000 is beyond what f16 holds; their mean is not. */
	const float big[4] = {30000, 30000, 30000, 30000};
	g = new_graph(&l);
	x = adze_convert(adze_input(g, "x", ADZE_F32, "4"), ADZE_F16);
	y = run_unary(&l, adze_convert(adze_mean(x, ""), ADZE_F32), "4", big);
	CHECK(floats_of(y)[0] > 29990 && floats_of(y)[0] < 30010);
	adze_buffer_destroy(y);
	g = new_graph(&l);
	x = adze_input(g, "x", ADZE_F32, "1 1 4 4");
	y = run_unary(&l, adze_avg_pool2d(x, 2, 2, NULL), "1 1 4 4", data);
	check_floats(y, (const float[]){3.5f, 5.5f, 11.5f, 13.5f}, 4);
	adze_buffer_destroy(y);
	/* Places outside do not count, and the division is by the whole window. */
	g = new_graph(&l);
	x = adze_input(g, "x", ADZE_F32, "1 1 4 4");
	y = run_unary(&l, adze_avg_pool2d(x, 2, 2, &(adze_window){.low = {1, 1}, .high = {1, 1}}),
		      "1 1 4 4", data);
	check_floats(y, (const float[]){0.25f, 1.25f, 1, 3.5f, 8.5f, 5, 3.25f, 7.25f, 4}, 9);
	adze_buffer_destroy(y);
	g = new_graph(&l);
	x = adze_input(g, "x", ADZE_F32, "1 1 4 4");
	y = run_unary(&l, adze_max_pool2d(x, 3, 3, &(adze_window){.stride = {1, 1}}), "1 1 4 4",
		      data);
	check_floats(y, (const float[]){11, 12, 15, 16}, 4);
	adze_buffer_destroy(y);
	life_end(&l);
}

TEST(builder, norms_without_scale_or_bias)
{
	struct life l;
	life_begin(&l);
	const float data[4] = {1, 3, 1, 3};
	const adze_tensor none = {NULL, 0, 0, NULL};
	for (int with = 0; with < 4; with++) {
		const float two[2] = {2, 2}, row[2] = {10, 20};
		adze_shape s = shape_of(ADZE_F32, "d=2");
		adze_graph *g = new_graph(&l);
		adze_tensor x = adze_input(g, "x", ADZE_F32, "s=2 d=2");
		adze_tensor scale = with & 1 ? adze_constant(g, &s, two) : none;
		adze_tensor bias = with & 2 ? adze_constant(g, &s, row) : none;
		adze_buffer *y = run_unary(&l, adze_layer_norm(x, scale, bias, 0), "2 2", data);
		float a = with & 1 ? 2 : 1, b = with & 2 ? 1 : 0;
		check_floats(y, (const float[]){10 * b - a, 20 * b + a, 10 * b - a, 20 * b + a}, 4);
		adze_buffer_destroy(y);
	}
	adze_graph *g = new_graph(&l);
	adze_tensor x = adze_input(g, "x", ADZE_F32, "s=2 d=2");
	adze_buffer *y = run_unary(&l, adze_rms_norm(x, none, 0), "2 2", data);
	const float r = 2.2360679775f;
	check_floats(y, (const float[]){1 / r, 3 / r, 1 / r, 3 / r}, 4);
	adze_buffer_destroy(y);
	life_end(&l);
}

TEST(builder, moves)
{
	struct life l;
	life_begin(&l);
	const float data[6] = {1, 2, 3, 4, 5, 6};
	adze_graph *g = new_graph(&l);
	adze_tensor x = adze_input(g, "x", ADZE_F32, "a=2 b=3");
	adze_buffer *y = run_unary(&l, adze_transpose(x, "b a"), "2 3", data);
	check_floats(y, (const float[]){1, 4, 2, 5, 3, 6}, 6);
	adze_buffer_destroy(y);
	g = new_graph(&l);
	x = adze_input(g, "x", ADZE_F32, "a=2 b=3");
	y = run_unary(&l, adze_pad(adze_slice(x, "b", -2, 3, 1), "a", 1, 0, 9), "2 3", data);
	check_floats(y, (const float[]){9, 9, 2, 3, 5, 6}, 6);
	adze_buffer_destroy(y);
	g = new_graph(&l);
	x = adze_input(g, "x", ADZE_F32, "a=2 b=3");
	x = adze_concat((adze_tensor[]){x, adze_reverse(x, "a b")}, 2, "b");
	y = run_unary(&l, x, "2 3", data);
	check_floats(y, (const float[]){1, 2, 3, 6, 5, 4, 4, 5, 6, 3, 2, 1}, 12);
	adze_buffer_destroy(y);
	const int32_t at[3] = {2, 0, 2};
	adze_shape s = shape_of(ADZE_I32, "k=3");
	g = new_graph(&l);
	x = adze_input(g, "x", ADZE_F32, "a=2 b=3");
	y = run_unary(&l, adze_take(x, adze_constant(g, &s, at), "b"), "2 3", data);
	check_floats(y, (const float[]){3, 1, 3, 6, 4, 6}, 6);
	adze_buffer_destroy(y);
	g = new_graph(&l);
	x = adze_input(g, "x", ADZE_F32, "a=2 b=3");
	y = run_unary(&l, adze_dynamic_slice(x, "b", adze_scalar(g, ADZE_I32, 7), 2), "2 3", data);
	check_floats(y, (const float[]){2, 3, 5, 6}, 4);
	adze_buffer_destroy(y);
	g = new_graph(&l);
	x = adze_input(g, "x", ADZE_F32, "t<=5 b=3");
	adze_tensor n = adze_convert(adze_extent(x, "t"), ADZE_F32);
	adze_tensor i = adze_iota(g, ADZE_F32, "t<=5 b=3", "b");
	y = run_unary(&l, adze_add(adze_mul(x, n), i), "2 3", data);
	check_floats(y, (const float[]){2, 5, 8, 8, 11, 14}, 6);
	adze_buffer_destroy(y);
	life_end(&l);
}

TEST(builder, bits_and_places_between)
{
	struct life l;
	const float data[] = {1, 2, 3};
	life_begin(&l);
	adze_graph *g = new_graph(&l);
	adze_tensor x = adze_input(g, "x", ADZE_F32, "a=3");
	adze_tensor u = adze_bitcast(x, ADZE_U32), b = adze_bitcast(x, ADZE_U8);
	CHECK(adze_tensor_shape(b).rank == 2 && adze_tensor_shape(b).dim[1].size == 4);
	CHECK(strcmp(adze_tensor_shape(u).dim[0].name, "a") == 0);
	adze_tensor two = adze_shl(adze_scalar_like(u, 1), adze_scalar_like(u, 23));
	x = adze_add(adze_bitcast(adze_add(u, two), ADZE_F32), adze_bitcast(b, ADZE_F32));
	adze_buffer *y = run_unary(&l, adze_pad_between(adze_barrier(x), "a", -1, 1, 2, 7), "3",
				   data);
	check_floats(y, (const float[]){7, 7, 6, 7, 7, 9, 7}, 7);
	adze_buffer_destroy(y);
	g = new_graph(&l);
	x = adze_input(g, "x", ADZE_F32, "a=3");
	CHECK(!adze_is(adze_bitcast(x, ADZE_F64)));
	CHECK(strstr(adze_graph_words(g), "builder_test.c") != NULL);
	adze_graph_destroy(g);
	life_end(&l);
}

/* Every row of ew.def is a function whose name it has. */
#define ARGS_1 x
#define ARGS_2 x, x
#define ARGS_3 x, x, x
TEST(builder, every_row_is_a_function)
{
	struct life l;
	int rows = 0, built = 0;
	life_begin(&l);
	static const adze_dtype dtype[] = {ADZE_BOOL, ADZE_I32, ADZE_F32};
	for (int i = 0; i < 3; i++) {
#define EW(name, id, n, takes, flags, start, f, iv, v, doc)                  \
	{                                                                    \
		adze_graph *g = new_graph(&l);                               \
		adze_tensor x = adze_input(g, "x", dtype[i], "2");           \
		adze_tensor y = (adze_##name)(ARGS_##n);                     \
		built += adze_is(y);                                         \
		CHECK(adze_is(y) || strstr(adze_graph_words(g), #name) != NULL); \
		rows++;                                                      \
		adze_graph_destroy(g);                                       \
	}
#include "base/ew.def"
	}
	CHECK_MSG(rows > 100 && built > rows / 3, "%d of %d", built, rows);
	life_end(&l);
}
