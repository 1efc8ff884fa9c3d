/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference evaluator on cases small enough to work out by hand: corner cases, empty
 * extents, symbols, memory. Graphs give outputs in pairs, what is and what should be.
 */
#include <stdio.h>
#include <string.h>

#include "ir/graph.h"
#include "tests/check.h"
#include "tests/compare.h"

static adze_graph *parse(const adze_allocator *a, const char *text)
{
	struct diag d = {ADZE_OK, ""};
	adze_graph *g = NULL;
	CHECK_MSG(ir_parse(a, text, strlen(text), "test", &d, &g) == ADZE_OK, "%s\n%s", d.text,
		  text);
	return g;
}

static size_t count_of(const adze_graph *g, ir_val v, const int64_t *symbol)
{
	size_t n = 1;
	for (int i = 0; i < ir_type(g, v)->rank; i++)
		n *= (size_t)ir_extent(g, &ir_type(g, v)->dim[i], symbol);
	return n;
}

/* Runs the graph, and compares each even output with the odd one that follows. */
static void check_pairs(const char *text, const int64_t *symbol, const void *const *inputs)
{
	static char room[16][4096];
	void *outputs[16];
	struct diag d = {ADZE_OK, ""};
	adze_graph *g = parse(&mem_libc, text);
	CHECK(g->noutput > 0 && g->noutput % 2 == 0 && g->noutput <= COUNT_OF(room));
	for (size_t i = 0; i < g->noutput; i++) {
		memset(room[i], 0x5a + (int)i, sizeof room[i]);
		outputs[i] = room[i];
		CHECK(shape_bytes(ir_type(g, g->output[i].value)) <= (int64_t)sizeof room[i]);
	}
	CHECK_MSG(ir_eval(g, symbol, inputs, NULL, outputs, &d) == ADZE_OK, "%s", d.text);
	for (size_t i = 0; i < g->noutput; i += 2) {
		ir_val v = g->output[i].value, want = g->output[i + 1].value;
		char words[400];
		size_t n = count_of(g, v, symbol);
		CHECK(ir_type(g, v)->dtype == ir_type(g, want)->dtype);
		CHECK(n == count_of(g, want, symbol));
		CHECK_MSG(compare_tensors(ir_type(g, v)->dtype, outputs[i], outputs[i + 1], n,
					  "exact", words, sizeof words),
			  "%s: %s", g->output[i].name, words);
	}
	ir_graph_destroy(g);
}

/* `body` has constants only and gives values %y0, %w0, %y1, %w1 ... up to `pairs`. */
static void check_body(int pairs, const char *body)
{
	char text[4096], outs[512];
	size_t n = 0;
	for (int i = 0; i < pairs; i++)
		n += (size_t)snprintf(outs + n, sizeof outs - n, "%sy%d=%%y%d, w%d=%%w%d",
				      i > 0 ? ", " : "", i, i, i, i);
	snprintf(text, sizeof text, "graph t() {\n%s\nreturn %s\n}\n", body, outs);
	check_pairs(text, NULL, NULL);
}

TEST(eval, extremes_of_floats)
{
	check_body(4, "%a = const {nan, 1, -0, 0, -inf, 2} : f32[6]\n"
		      "%b = const {1, nan, 0, -0, inf, 3} : f32[6]\n"
		      "%y0 = max %a, %b : f32[6]\n"
		      "%w0 = const {nan, nan, 0, 0, inf, 3} : f32[6]\n"
		      "%y1 = min %a, %b : f32[6]\n"
		      "%w1 = const {nan, nan, -0, -0, -inf, 2} : f32[6]\n"
		      "%y2 = relu %a : f32[6]\n"
		      "%w2 = const {nan, 1, -0, 0, 0, 2} : f32[6]\n"
		      "%y3 = lt %a, %b : bool[6]\n"
		      "%w3 = const {false, false, false, false, true, true} : bool[6]\n");
}

TEST(eval, division)
{
	check_body(5, "%a = const {7, -7, 5, -128, 0} : i8[5]\n"
		      "%b = const {2, 2, 0, -1, 0} : i8[5]\n"
		      "%y0 = div %a, %b : i8[5]\n"
		      "%w0 = const {3, -3, -1, -128, -1} : i8[5]\n"
		      "%y1 = rem %a, %b : i8[5]\n"
		      "%w1 = const {1, -1, 5, 0, 0} : i8[5]\n"
		      "%c = const {1, 0, -1} : f32[3]\n"
		      "%z = const {0, 0, -0} : f32[3]\n"
		      "%y2 = div %c, %z : f32[3]\n"
		      "%w2 = const {inf, nan, inf} : f32[3]\n"
		      "%u = const {200, 9} : u8[2]\n"
		      "%v = const {0, 2} : u8[2]\n"
		      "%y3 = div %u, %v : u8[2]\n"
		      "%w3 = const {255, 4} : u8[2]\n"
		      "%y4 = pow %u, %v : u8[2]\n"
		      "%w4 = const {1, 81} : u8[2]\n");
}

TEST(eval, wrapping_and_bits)
{
	check_body(5, "%a = const {127, -128, 100} : i8[3]\n"
		      "%b = const {1, -1, 100} : i8[3]\n"
		      "%y0 = add %a, %b : i8[3]\n"
		      "%w0 = const {-128, 127, -56} : i8[3]\n"
		      "%y1 = mul %a, %b : i8[3]\n"
		      "%w1 = const {127, -128, 16} : i8[3]\n"
		      "%s = const {1, 8, 7} : i8[3]\n"
		      "%y2 = shr %a, %s : i8[3]\n"
		      "%w2 = const {63, -1, 0} : i8[3]\n"
		      "%y3 = shl %a, %s : i8[3]\n"
		      "%w3 = const {-2, 0, 0} : i8[3]\n"
		      "%y4 = clz %a : i8[3]\n"
		      "%w4 = const {1, 0, 1} : i8[3]\n");
}

TEST(eval, convert_and_select)
{
	check_body(4, "%a = const {nan, 1e9, -1.9, 2.5, -inf} : f32[5]\n"
		      "%y0 = convert %a : i8[5]\n"
		      "%w0 = const {0, 127, -1, 2, -128} : i8[5]\n"
		      "%y1 = convert %a : bool[5]\n"
		      "%w1 = const {true, true, true, true, true} : bool[5]\n"
		      "%i = const {300, -1, 16777217, 0, 1} : i32[5]\n"
		      "%y2 = convert %i : u8[5]\n"
		      "%w2 = const {44, 255, 1, 0, 1} : u8[5]\n"
		      "%p = const {true, false, true, false, true} : bool[5]\n"
		      "%b = const {1, 2, 3, 4, 5} : f32[5]\n"
		      "%y3 = select %p, %a, %b : f32[5]\n"
		      "%w3 = const {nan, 2, -1.9, 4, -inf} : f32[5]\n");
}

TEST(eval, sources)
{
	check_body(4, "%y0 = iota axis=1 : f32[2, 3]\n"
		      "%w0 = const {0, 1, 2, 0, 1, 2} : f32[2, 3]\n"
		      "%y1 = iota axis=0 : i16[2, 3]\n"
		      "%w1 = const {0, 0, 0, 1, 1, 1} : i16[2, 3]\n"
		      "%y2 = extent %y0, axis=1 : i32[]\n"
		      "%w2 = const {3} : i32[]\n"
		      "%f = iota axis=0 : f8e4m3fn[20]\n"
		      "%y3 = slice %f, start=[16], limit=[20] : f8e4m3fn[4]\n"
		      "%w3 = const {16, 16, 18, 20} : f8e4m3fn[4]\n");
}

TEST(eval, reduce)
{
	check_body(7, "%a = const {1, 2, 3, 4, nan, -6} : f32[2, 3]\n"
		      "%y0 = reduce %a, by=add, axes=[0] : f32[3]\n"
		      "%w0 = const {5, nan, -3} : f32[3]\n"
		      "%y1 = reduce %a, by=max, axes=[1] : f32[2]\n"
		      "%w1 = const {3, nan} : f32[2]\n"
		      "%y2 = reduce %a, by=mul, axes=[] : f32[2, 3]\n"
		      "%w2 = const {1, 2, 3, 4, nan, -6} : f32[2, 3]\n"
		      "%i = const {100, 100, -3, 7} : i8[4]\n"
		      "%y3 = reduce %i, by=add, axes=[0] : i8[]\n"
		      "%w3 = const {-52} : i8[]\n"
		      "%y4 = reduce %i, by=min, axes=[0] : i8[]\n"
		      "%w4 = const {-3} : i8[]\n"
		      "%p = const {true, false, true, true} : bool[2, 2]\n"
		      "%y5 = reduce %p, by=and, axes=[1] : bool[2]\n"
		      "%w5 = const {false, true} : bool[2]\n"
		      "%u = const {255, 1} : u8[2]\n"
		      "%y6 = reduce %u, by=max, axes=[0] : u8[]\n"
		      "%w6 = const {255} : u8[]\n");
}

TEST(eval, sums_round_once)
{
	check_body(2, "%a = const {2048, 1, 1, 1} : f16[4]\n"
		      "%y0 = reduce %a, by=add, axes=[0] : f16[]\n"
		      "%w0 = const {2052} : f16[]\n" /* 2051: a tie, to even */
		      "%b = const {1, 1, 1, 1} : f16[4]\n"
		      "%y1 = dot %a, %b, sum_a=[0], sum_b=[0] : f16[]\n"
		      "%w1 = const {2052} : f16[]\n");
}

TEST(eval, nothing_to_reduce)
{
	check_body(6, "%a = const {} : f32[2, 0]\n"
		      "%y0 = reduce %a, by=add, axes=[1] : f32[2]\n"
		      "%w0 = const {0, 0} : f32[2]\n"
		      "%y1 = reduce %a, by=max, axes=[1] : f32[2]\n"
		      "%w1 = const {-inf, -inf} : f32[2]\n"
		      "%y2 = reduce %a, by=add, axes=[0] : f32[0]\n"
		      "%w2 = const {} : f32[0]\n"
		      "%i = const {} : i8[0]\n"
		      "%y3 = reduce %i, by=min, axes=[0] : i8[]\n"
		      "%w3 = const {127} : i8[]\n"
		      "%b = const {} : f32[0, 2]\n"
		      "%y4 = dot %a, %b, sum_a=[1], sum_b=[0] : f32[2, 2]\n"
		      "%w4 = const {0, 0, 0, 0} : f32[2, 2]\n"
		      "%y5 = softmax %a, axis=1 : f32[2, 0]\n"
		      "%w5 = const {} : f32[2, 0]\n");
}

TEST(eval, search)
{
	check_body(5, "%a = const {1, 3, 3, nan, 5, nan} : f32[2, 3]\n"
		      "%y0 = argmax %a, axis=1 : i32[2]\n"
		      "%w0 = const {1, 0} : i32[2]\n"
		      "%y1 = argmin %a, axis=1 : i32[2]\n"
		      "%w1 = const {0, 0} : i32[2]\n"
		      "%y2 = argmax %a, axis=0 : i32[3]\n"
		      "%w2 = const {1, 1, 1} : i32[3]\n"
		      "%u = const {1, 18446744073709551615, 2} : u64[3]\n"
		      "%y3 = argmax %u, axis=0 : i32[]\n"
		      "%w3 = const {1} : i32[]\n"
		      "%i = const {1, -1, 2} : i64[3]\n"
		      "%y4 = argmin %i, axis=0 : i32[]\n"
		      "%w4 = const {1} : i32[]\n");
}

TEST(eval, rows)
{
	check_body(5, "%a = const {1000, 1000, -inf, -inf} : f32[2, 2]\n"
		      "%y0 = softmax %a, axis=1 : f32[2, 2]\n"
		      "%w0 = const {0.5, 0.5, nan, nan} : f32[2, 2]\n"
		      "%y1 = softmax %a, axis=0 : f32[2, 2]\n"
		      "%w1 = const {1, 1, 0, 0} : f32[2, 2]\n"
		      "%b = const {1, 3, 5, 5} : f32[2, 2]\n"
		      "%s = const {2, 3} : f32[2]\n"
		      "%o = const {10, 20} : f32[2]\n"
		      "%y2 = layer_norm %b, %s, %o, eps=0 : f32[2, 2]\n"
		      "%w2 = const {8, 23, nan, nan} : f32[2, 2]\n"
		      "%y3 = layer_norm %b, eps=3 : f32[2, 2]\n"
		      "%w3 = const {-0.5, 0.5, 0, 0} : f32[2, 2]\n"
		      "%c = const {1, 7, 0, 0} : f32[2, 2]\n"
		      "%y4 = rms_norm %c, %s, eps=0 : f32[2, 2]\n"
		      "%w4 = const {0.4, 4.2, nan, nan} : f32[2, 2]\n");
}

TEST(eval, products)
{
	check_body(4, "%a = const {1, 2, 3, 4, 5, 6} : f32[2, 3]\n"
		      "%b = const {1, 0, 2, 0, 1, 3} : f32[2, 3]\n"
		      "%y0 = dot %a, %b, sum_a=[1], sum_b=[1] : f32[2, 2]\n"
		      "%w0 = const {7, 11, 16, 23} : f32[2, 2]\n"
		      "%y1 = dot %a, %b, batch_a=[0], batch_b=[0], sum_a=[1], sum_b=[1] : f32[2]\n"
		      "%w1 = const {7, 23} : f32[2]\n"
		      "%i = const {100, 3} : i8[2]\n"
		      "%y2 = dot %i, %i, sum_a=[0], sum_b=[0] : i8[]\n"
		      "%w2 = const {25} : i8[]\n" /* 10009 mod 256 */
		      "%y3 = dot %i, %i : i8[2, 2]\n"
		      "%w3 = const {16, 44, 44, 9} : i8[2, 2]\n");
}

TEST(eval, convolution)
{
	check_body(4, "%x = const {1, 2, 3, 4, 5} : f32[1, 1, 5]\n"
		      "%k = const {1, 10} : f32[1, 1, 2]\n"
		      "%y0 = conv %x, %k : f32[1, 1, 4]\n"
		      "%w0 = const {21, 32, 43, 54} : f32[1, 1, 4]\n"
		      "%y1 = conv %x, %k, stride=[2], low=[1], high=[2], dilation=[2]"
		      " : f32[1, 1, 3]\n"
		      "%w1 = const {20, 42, 4} : f32[1, 1, 3]\n"
		      "%g = const {1, 2, 3, 4} : f32[1, 2, 2]\n"
		      "%h = const {1, 10} : f32[2, 1, 1]\n"
		      "%y2 = conv %g, %h, groups=2 : f32[1, 2, 2]\n"
		      "%w2 = const {1, 2, 30, 40} : f32[1, 2, 2]\n"
		      "%y3 = conv %x, %k, low=[-1], high=[-1] : f32[1, 1, 2]\n"
		      "%w3 = const {32, 43} : f32[1, 1, 2]\n");
}

TEST(eval, windows)
{
	check_body(4, "%x = const {-1, -2, -3, -4, -5} : f32[5]\n"
		      "%y0 = reduce_window %x, by=max, window=[3], low=[1], high=[1] : f32[5]\n"
		      "%w0 = const {-1, -1, -2, -3, -4} : f32[5]\n"
		      "%y1 = reduce_window %x, by=add, window=[2], stride=[2] : f32[2]\n"
		      "%w1 = const {-3, -7} : f32[2]\n"
		      "%y2 = reduce_window %x, by=add, window=[2], dilation=[3] : f32[2]\n"
		      "%w2 = const {-5, -7} : f32[2]\n"
		      "%y3 = reduce_window %x, by=min, window=[1], low=[1], stride=[5] : f32[2]\n"
		      "%w3 = const {inf, -5} : f32[2]\n");
}

TEST(eval, views)
{
	check_body(6, "%a = const {1, 2, 3, 4, 5, 6} : i32[2, 3]\n"
		      "%y0 = transpose %a, axes=[1, 0] : i32[3, 2]\n"
		      "%w0 = const {1, 4, 2, 5, 3, 6} : i32[3, 2]\n"
		      "%y1 = slice %a, start=[0, 0], limit=[2, 3], stride=[1, 2] : i32[2, 2]\n"
		      "%w1 = const {1, 3, 4, 6} : i32[2, 2]\n"
		      "%y2 = reverse %a, axes=[1] : i32[2, 3]\n"
		      "%w2 = const {3, 2, 1, 6, 5, 4} : i32[2, 3]\n"
		      "%y3 = reshape %a : i32[3, 2]\n"
		      "%w3 = const {1, 2, 3, 4, 5, 6} : i32[3, 2]\n"
		      "%b = const {7, 8} : i32[2, 1]\n"
		      "%y4 = broadcast %b, axes=[1, 2] : i32[2, 2, 3]\n"
		      "%w4 = const {7, 7, 7, 8, 8, 8, 7, 7, 7, 8, 8, 8} : i32[2, 2, 3]\n"
		      "%y5 = broadcast %b, axes=[1, 0] : i32[1, 2]\n"
		      "%w5 = const {7, 8} : i32[1, 2]\n");
}

TEST(eval, moves)
{
	check_body(4, "%a = const {1, 2, 3, 4} : i32[2, 2]\n"
		      "%b = const {5, 6} : i32[2, 1]\n"
		      "%c = const {} : i32[2, 0]\n"
		      "%y0 = concat %a, %c, %b, axis=1 : i32[2, 3]\n"
		      "%w0 = const {1, 2, 5, 3, 4, 6} : i32[2, 3]\n"
		      "%n = const {9} : i32[]\n"
		      "%y1 = pad %a, %n, low=[1, -1], high=[0, 2] : i32[3, 3]\n"
		      "%w1 = const {9, 9, 9, 2, 9, 9, 4, 9, 9} : i32[3, 3]\n"
		      "%y2 = pad %a, %n, low=[-2, 0], high=[0, 0] : i32[0, 2]\n"
		      "%w2 = const {} : i32[0, 2]\n"
		      "%y3 = pad %a, %n, low=[-3, 0], high=[2, 0] : i32[1, 2]\n"
		      "%w3 = const {9, 9} : i32[1, 2]\n");
}

TEST(eval, picks_are_kept_inside)
{
	check_body(6, "%a = const {1, 2, 3, 4, 5, 6} : i32[3, 2]\n"
		      "%i = const {-5, 1, 99} : i64[3]\n"
		      "%y0 = take %a, %i, axis=0 : i32[3, 2]\n"
		      "%w0 = const {1, 2, 3, 4, 5, 6} : i32[3, 2]\n"
		      "%u = const {18446744073709551615, 0} : u64[1, 2]\n"
		      "%y1 = take %a, %u, axis=1 : i32[3, 1, 2]\n"
		      "%w1 = const {2, 1, 4, 3, 6, 5} : i32[3, 1, 2]\n"
		      "%far = const {7} : i8[]\n"
		      "%near = const {-7} : i8[]\n"
		      "%y2 = dynamic_slice %a, %far, %near, size=[2, 1] : i32[2, 1]\n"
		      "%w2 = const {3, 5} : i32[2, 1]\n"
		      "%p = const {8, 9} : i32[1, 2]\n"
		      "%y3 = dynamic_update_slice %a, %p, %far, %far : i32[3, 2]\n"
		      "%w3 = const {1, 2, 3, 4, 8, 9} : i32[3, 2]\n"
		      "%q = const {} : i32[0, 2]\n"
		      "%y4 = dynamic_update_slice %a, %q, %far, %far : i32[3, 2]\n"
		      "%w4 = const {1, 2, 3, 4, 5, 6} : i32[3, 2]\n"
		      "%none = const {} : i32[0]\n"
		      "%y5 = take %a, %none, axis=0 : i32[0, 2]\n"
		      "%w5 = const {} : i32[0, 2]\n");
}

TEST(eval, symbols)
{
	static const float x[14] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
	for (int64_t t = 0; t <= 7; t++) {
		float sum[2] = {0, 0}, twice[14];
		int32_t n = (int32_t)t;
		for (int i = 0; i < 2 * t; i++) {
			sum[i % 2] += x[i];
			twice[i] = x[i % 2 * t + i / 2];
		}
		const void *inputs[] = {x, sum, twice, &n};
		check_pairs("graph t(%x: f32[t<=7, 2], %sum: f32[2], %turned: f32[t<=7, 2],\n"
			    "        %n: i32[]) {\n"
			    "%1 = reduce %x, by=add, axes=[0] : f32[2]\n"
			    "%2 = extent %x, axis=0 : i32[]\n"
			    "%3 = reshape %x : f32[2, t<=7]\n"
			    "%4 = transpose %3, axes=[1, 0] : f32[t<=7, 2]\n"
			    "return sum=%1, sum_want=%sum, n=%2, n_want=%n, turned=%4,\n"
			    "       turned_want=%turned\n"
			    "}\n",
			    &t, inputs);
	}
}

TEST(eval, take_from_an_axis_that_is_empty_now)
{
	int64_t t = 0;
	static const float zero[2];
	static const int32_t which[2] = {0, 3};
	const void *inputs[] = {zero, which, zero};
	check_pairs("graph t(%x: f32[t<=7], %i: i32[2], %w: f32[2]) {\n"
		    "%1 = take %x, %i, axis=0 : f32[2]\n"
		    "return y=%1, y_want=%w\n"
		    "}\n",
		    &t, inputs);
}

TEST(eval, symbols_out_of_bounds)
{
	adze_graph *g = parse(&mem_libc, "graph t(%x: f32[t<=7]) {\n%1 = neg %x : f32[t<=7]\n"
					 "return y=%1\n}\n");
	float x[8] = {0}, y[8];
	const void *inputs[] = {x};
	void *outputs[] = {y};
	for (int i = 0; i < 2; i++) {
		struct diag d = {ADZE_OK, ""};
		int64_t t = i == 0 ? 8 : -1;
		CHECK(ir_eval(g, &t, inputs, NULL, outputs, &d) == ADZE_E_ARGUMENT);
		CHECK_MSG(strncmp(d.text, "t is ", 5) == 0, "%s", d.text);
	}
	ir_graph_destroy(g);
}

static const char *const everything =
	"graph t(%x: f32[2, 3], %w: weight f32[3, 2]) {\n"
	"%1 = dot %x, %w, sum_a=[1], sum_b=[0] : f32[2, 2]\n"
	"%2 = concat %1, %1, axis=1 : f32[2, 4]\n"
	"%3 = softmax %2, axis=1 : f32[2, 4]\n"
	"return y=%3, z=%1\n}\n";

TEST(eval, sources_without_values)
{
	adze_graph *g = parse(&mem_libc, everything);
	float x[6] = {1, 2, 3, 4, 5, 6}, y[8], z[4];
	const void *given[] = {x}, *nothing[] = {NULL};
	void *outputs[] = {y, z};
	struct diag d = {ADZE_OK, ""};
	CHECK(ir_eval(g, NULL, nothing, given, outputs, &d) == ADZE_E_ARGUMENT);
	CHECK_MSG(strstr(d.text, "input \"x\"") != NULL, "%s", d.text);
	diag_clear(&d);
	CHECK(ir_eval(g, NULL, given, nothing, outputs, &d) == ADZE_E_ARGUMENT);
	CHECK_MSG(strstr(d.text, "weight \"w\"") != NULL, "%s", d.text);
	ir_graph_destroy(g);
}

TEST(eval, bytes_at_any_address)
{
	adze_graph *g = parse(&mem_libc, everything);
	float x[6] = {1, 2, 3, 4, 5, 6}, w[6] = {1, 0, 0, 1, 1, 1}, y[8], z[4];
	char odd[sizeof w + 1];
	memcpy(odd + 1, w, sizeof w);
	const void *inputs[] = {x}, *weights[] = {odd + 1};
	void *outputs[] = {y, z};
	struct diag d = {ADZE_OK, ""};
	CHECK_MSG(ir_eval(g, NULL, inputs, weights, outputs, &d) == ADZE_OK, "%s", d.text);
	CHECK(z[0] == 4 && z[1] == 5 && z[2] == 10 && z[3] == 11);
	ir_graph_destroy(g);
}

TEST(eval, memory_that_cannot_be_had)
{
	struct check_memory m = {.fail_after = -1};
	adze_allocator a = {check_resize, &m};
	adze_graph *g = parse(&a, everything);
	float x[6] = {1, 2, 3, 4, 5, 6}, w[6] = {1, 0, 0, 1, 1, 1}, y[8], z[4];
	const void *inputs[] = {x}, *weights[] = {w};
	void *outputs[] = {y, z};
	long live = m.live_blocks, n = 0;
	adze_status status;
	do {
		struct diag d = {ADZE_OK, ""};
		m.fail_after = m.calls + n;
		status = ir_eval(g, NULL, inputs, weights, outputs, &d);
		m.fail_after = -1;
		CHECK(status == d.status);
		CHECK(status == ADZE_OK || status == ADZE_E_NOMEM);
		CHECK_MSG(m.live_blocks == live, "%ld blocks left", m.live_blocks - live);
	} while (status != ADZE_OK && ++n < 100);
	CHECK_MSG(status == ADZE_OK && n == 5, "%ld calls failed", n);
	ir_graph_destroy(g);
	CHECK(m.live_blocks == 0);
}
