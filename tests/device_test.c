/* SPDX-License-Identifier: Apache-2.0
 *
 * The CPU device against others' numbers (op_case.h) and against ir_eval(), through the
 * device contract: every case goes through the executable format.
 */
#include "tests/device_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/compare.h"
#include "tests/op_case.h"

struct setting {
	adze_device *dev;
	bool optimise;
};

static adze_status run_case(void *self, const struct op_case *c, struct diag *d)
{
	const struct setting *s = self;
	return device_check_run(s->dev, c->graph, s->optimise, 1, c->symbol, c->inputs, NULL,
				c->outputs, d);
}

static void all_cases(int threads, bool optimise, const char *isa)
{
	char message[4096] = "";
	size_t n = 0;
	adze_context *c = device_check_context(isa, threads);
	struct setting s = {NULL, optimise};
	struct diag d = {ADZE_OK, ""};
	CHECK_MSG(device_check_open(c, &s.dev, &d) == ADZE_OK, "%s", d.text);
	bool ok = op_case_run_all(NULL, run_case, &s, &n, message, sizeof message);
	CHECK_MSG(ok, "%s", message);
	CHECK(n > 50);
	device_release(s.dev);
	device_check_context_free(c);
}

TEST(device, numbers_one_thread)
{
	all_cases(1, true, NULL);
}

TEST(device, numbers_three_threads)
{
	all_cases(3, true, NULL);
}

TEST(device, numbers_without_simplification)
{
	all_cases(1, false, NULL);
}

TEST(device, numbers_scalar)
{
	all_cases(2, true, "scalar");
}

/* Every graph of these is run at some symbol values on `threads` threads against eval. */
struct graph_case {
	const char *name, *text, *tolerance;
	int calls; /* with donated state: eval is called as often */
};

static const struct graph_case graph_case[] = {
	{"perceptron",
	 "graph g(%x: f32[b<=33, 64], %w1: weight f32[96, 64], %b1: weight f32[96],"
	 " %w2: weight f32[10, 96]) {\n"
	 " %1 = dot %x, %w1, sum_a=[1], sum_b=[1]\n"
	 " %2 = broadcast %b1, axes=[1] : f32[b<=33, 96]\n"
	 " %3 = add %1, %2\n %4 = relu %3\n"
	 " %5 = dot %4, %w2, sum_a=[1], sum_b=[1]\n %6 = softmax %5, axis=1\n"
	 " return p=%6\n}\n", "rel:2e-5 abs:1e-6", 1},
	{"attention",
	 "graph g(%q: f32[t<=40, 4, 16], %k: f32[t<=40, 4, 16], %v: f32[t<=40, 4, 16]) {\n"
	 " %1 = dot %q, %k, batch_a=[1], batch_b=[1], sum_a=[2], sum_b=[2]\n"
	 " %2 = const {0.25} : f32[]\n %3 = broadcast %2 : f32[4, t<=40, _=t<=40]\n"
	 " %4 = mul %1, %3\n %5 = softmax %4, axis=2\n"
	 " %6 = dot %5, %v, batch_a=[0], batch_b=[1], sum_a=[2], sum_b=[0]\n"
	 " %7 = transpose %6, axes=[1, 0, 2]\n %8 = reshape %7 : f32[t<=40, 64]\n"
	 " return y=%8\n}\n", "rel:2e-5 abs:1e-6", 1},
	{"counter and ring",
	 "graph g(%n: i32[], %ring: f32[5, 3], %x: f32[1, 3]) {\n"
	 " %1 = const {1} : i32[]\n %2 = add %n, %1\n %3 = const {5} : i32[]\n"
	 " %4 = rem %n, %3\n %5 = const {0} : i32[]\n"
	 " %6 = dynamic_update_slice %ring, %x, %4, %5\n"
	 " %7 = reduce %6, axes=[0]\n"
	 " return n=%2 into %n, ring=%6 into %ring, sum=%7\n}\n", "rel:1e-6", 7},
	{"swap of states",
	 "graph g(%a: f32[100], %b: f32[100]) {\n %1 = add %a, %b\n"
	 " return a=%b into %a, b=%a into %b, s=%1\n}\n", "exact", 3},
	{"reductions",
	 "graph g(%x: f32[t<=9, 70, 33]) {\n %1 = mul %x, %x\n"
	 " %2 = reduce %1, axes=[0, 1]\n %3 = reduce %1, by=max, axes=[2]\n"
	 " %4 = reduce %1, axes=[1]\n %5 = exp %3\n %6 = argmax %x, axis=1\n"
	 " return a=%2, b=%5, c=%4, d=%6\n}\n", "rel:1e-5 abs:1e-5", 1},
	{"long rows",
	 "graph g(%x: f32[3, 9001], %s: f32[9001]) {\n %1 = abs %x\n"
	 " %2 = reduce %1, axes=[1]\n %3 = layer_norm %1, %s, eps=1e-5\n %4 = tanh %3\n"
	 " %5 = reduce %x, axes=[0]\n return a=%2, b=%4, c=%5\n}\n", "rel:2e-5 abs:1e-5", 1},
	{"bf16 sums",
	 "graph g(%x: bf16[4, 5000]) {\n %1 = mul %x, %x\n %2 = reduce %1, axes=[1]\n"
	 " %3 = reduce %x, axes=[0]\n return a=%2, b=%3\n}\n", "rel:0.016 abs:1e-2", 1},
	{"moves",
	 "graph g(%x: f32[t<=6, 4, 5], %i: i64[3]) {\n"
	 " %1 = transpose %x, axes=[2, 0, 1]\n %2 = reshape %1 : f32[5, _=4*t<=6]\n"
	 " %3 = slice %2, start=[1, 0], limit=[4, 24], stride=[2, 1]\n %4 = neg %3\n"
	 " %5 = concat %x, %x, axis=1\n %6 = take %5, %i, axis=1\n"
	 " %7 = reverse %6, axes=[2]\n %8 = const {9} : f32[]\n"
	 " %9 = pad %7, %8, low=[0, 1, -1], high=[0, 0, 2]\n %10 = extent %x, axis=0\n"
	 " return a=%4, b=%9, t=%10, c=%2\n}\n", "exact", 1},
	{"views of views",
	 "graph g(%x: f32[6, 8]) {\n %1 = reshape %x : f32[2, 3, 8]\n"
	 " %2 = transpose %1, axes=[2, 0, 1]\n %3 = reshape %2 : f32[48]\n"
	 " %4 = exp %3\n %5 = dot %2, %1, sum_a=[1, 2], sum_b=[0, 1]\n"
	 " return a=%4, b=%5, c=%3\n}\n", "rel:1e-5", 1},
	{"strips of several sizes",
	 "graph g(%a: u16[70], %b: i16[70], %p: bool[70], %x: f32[70]) {\n"
	 " %1 = max %a, %a\n %2 = add %1, %a\n %3 = convert %2 : f32[70]\n"
	 " %4 = add %3, %3\n %5 = neg %b\n %6 = convert %5 : f64[70]\n %7 = neg %6\n"
	 " %8 = lt %x, %3\n %9 = not %8\n %10 = select %9, %x, %4\n %11 = neg %10\n"
	 " return a=%4, b=%7, c=%11\n}\n", "exact", 1},
	{"several axes around a symbol",
	 "graph g(%x: f32[5, t<=7, 6], %v: f32[]) {\n"
	 " %1 = reverse %x, axes=[0, 2]\n"
	 " %2 = slice %x, start=[1, 0, 2], limit=[5, 7, 6], stride=[2, 1, 1]\n"
	 " %3 = pad %x, %v, low=[2, 0, 1], high=[0, 0, 1]\n"
	 " %4 = pad %x, %v, low=[-1, 0, -2], high=[1, 0, 3]\n"
	 " %5 = pad %x, %v, low=[-7, 0, 8], high=[3, 0, -7]\n %6 = neg %1\n"
	 " return a=%1, b=%2, c=%3, d=%4, e=%5, f=%6\n}\n", "exact", 1},
	{"product through a view that is an output",
	 "graph g(%x: f32[1], %w: f32[2, 1, 2, 3]) {\n"
	 " %1 = broadcast %x, axes=[0] : f32[2, 7, 2, 1, 2]\n"
	 " %2 = dot %w, %1, sum_a=[0, 2, 1], sum_b=[0, 2, 3]\n"
	 " return a=%1, b=%2\n}\n", "rel:1e-6 abs:1e-6", 1},
	{"windows along outer axes, and of nothing",
	 "graph g(%x: f32[8, 3, 7, 1], %h: f8e4m3fn[3, 4], %e: f32[1, 0]) {\n"
	 " %1 = reduce_window %x, window=[1, 1, 3, 2], stride=[1, 2, 2, 1],"
	 " low=[0, 2, 2, 0], high=[0, 0, 0, 1]\n"
	 " %2 = reduce_window %h, by=min, window=[1, 1], low=[0, 1], high=[1, 0]\n"
	 " %3 = slice %h, start=[0, 0], limit=[3, 0]\n %4 = reduce %3, by=max, axes=[1]\n"
	 " %5 = slice %h, start=[0, 0], limit=[0, 4]\n %6 = reduce %5, by=min, axes=[0]\n"
	 " %7 = reduce_window %e, by=mul, window=[1, 3], stride=[2, 2], low=[2, 1],"
	 " high=[0, 2], dilation=[3, 3] : f32[2, 0]\n"
	 " return a=%1, b=%2, c=%4, d=%6, e=%7\n}\n", "rel:1e-6 abs:1e-6", 1},
	{"gather through views",
	 "graph g(%x: f32[t<=9, 4, 6], %i: i32[t<=9, 5], %j: i64[3, 2]) {\n"
	 " %1 = transpose %x, axes=[1, 0, 2]\n"
	 " %2 = gather %1, %i, collapsed=[2], batch_x=[1], batch_at=[0], map=[2], offset=[0],"
	 " sizes=[4, 1, 1], vector=2 : f32[4, t<=9, 5]\n"
	 " %3 = slice %i, start=[0, 1], limit=[9, 3] : i32[t<=9, 2]\n"
	 " %4 = gather %x, %3, collapsed=[0, 1], map=[1, 0], offset=[1], sizes=[1, 1, 6],"
	 " vector=1 : f32[t<=9, 6]\n"
	 " %5 = gather %x, %j, collapsed=[1], map=[1, 2], offset=[0, 2], sizes=[9, 1, 2],"
	 " vector=1 : f32[t<=9, 3, 2]\n %6 = exp %5\n %7 = neg %4\n"
	 " return a=%2, b=%7, c=%6\n}\n", "rel:1e-6", 1},
	{"bits under other names",
	 "graph g(%x: f32[t<=6, 8], %w: weight u8[5, 16], %n: u32[4, 2], %i: i32[3]) {\n"
	 " %1 = bitcast %x : u16[t<=6, 8, 2]\n %2 = slice %1, start=[0, 2, 1], limit=[6, 7, 2]\n"
	 " %3 = not %2\n %4 = slice %w, start=[1, 4], limit=[5, 12]\n"
	 " %5 = reshape %4 : u8[4, 2, 4]\n %6 = bitcast %5 : i32[4, 2]\n"
	 " %7 = bitcast %n : i32[4, 2]\n %8 = xor %6, %7\n"
	 " %9 = slice %w, start=[0, 3], limit=[5, 11]\n %10 = reshape %9 : u8[5, 2, 4]\n"
	 " %11 = bitcast %10 : u32[5, 2]\n %12 = add %11, %11\n"
	 " %13 = bitcast %x : i32[t<=6, 8]\n %14 = take %13, %i, axis=1\n"
	 " %15 = transpose %x, axes=[1, 0]\n %16 = bitcast %15 : u8[8, t<=6, 4]\n"
	 " %17 = dot %8, %6, sum_a=[1], sum_b=[1]\n %18 = bitcast %12 : u8[5, 2, 4]\n"
	 " return a=%3, b=%8, c=%12, d=%14, e=%16, f=%17, g=%18\n}\n", "exact", 1},
	{"barriers",
	 "graph g(%x: f32[t<=6, 8]) {\n %1 = exp %x\n %2 = barrier %1\n %3 = neg %2\n"
	 " %4 = transpose %x, axes=[1, 0]\n %5 = barrier %4\n %6 = abs %5\n"
	 " %7 = const {2} : f32[]\n %8 = barrier %7\n %9 = broadcast %8 : f32[t<=6, 8]\n"
	 " %10 = mul %3, %9\n return a=%3, b=%6, c=%10, d=%2, e=%8\n}\n", "rel:1e-6", 1},
	{"between elements",
	 "graph g(%x: f32[5, t<=7, 6], %v: f32[]) {\n"
	 " %1 = pad %x, %v, low=[1, 0, 2], high=[0, 0, 1], interior=[2, 0, 1]\n"
	 " %2 = pad %x, %v, low=[-4, 0, -2], high=[-1, 0, -3], interior=[2, 0, 1]\n"
	 " %3 = reverse %x, axes=[0]\n"
	 " %4 = pad %3, %v, low=[-1, 0, 5], high=[3, 0, -16], interior=[1, 0, 1]\n"
	 " %5 = slice %x, start=[1, 0, 2], limit=[4, 7, 3]\n"
	 " %6 = pad %5, %v, low=[0, 0, 0], high=[0, 0, 0], interior=[3, 0, 9]\n"
	 " return a=%1, b=%2, c=%4, d=%6\n}\n", "exact", 1},
	{"if with a pack, an input and a constant as results",
	 "graph g(%p: bool[], %x: f32[t<=9, 3], %y: f32[t<=9, 3]) {\n"
	 " body a(%x: f32[t<=9, 3], %y: f32[t<=9, 3]) {\n  %1 = add %x, %y\n"
	 "  %2 = const {7} : f32[]\n  return a=%1, b=%x, c=%2, d=%1\n }\n"
	 " body b(%x: f32[t<=9, 3], %y: f32[t<=9, 3]) {\n  %1 = exp %y\n"
	 "  %2 = reduce %1, axes=[0, 1]\n  return a=%y, b=%x, c=%2, d=%1\n }\n"
	 " %1 = slice %x, start=[0, 0], limit=[9, 3]\n %2 = if %p, %1, %y, then=a, otherwise=b\n"
	 " %3 = part %2 : f32[t<=9, 3]\n %4 = part %2, index=1 : f32[t<=9, 3]\n"
	 " %5 = part %2, index=2 : f32[]\n %6 = part %2, index=3 : f32[t<=9, 3]\n"
	 " %7 = mul %3, %6\n return a=%3, b=%4, c=%5, d=%7\n}\n", "rel:2e-5 abs:1e-5", 1},
	{"case of views",
	 "graph g(%i: i32[], %x: f32[6, 4]) {\n"
	 " body a(%x: f32[4, 6]) {\n  %1 = neg %x\n  return r=%1\n }\n"
	 " body b(%x: f32[4, 6]) {\n  %1 = reverse %x, axes=[0]\n  return r=%1\n }\n"
	 " body c(%x: f32[4, 6]) {\n  %1 = const {2} : f32[]\n"
	 "  %2 = broadcast %1 : f32[4, 6]\n  return r=%2\n }\n"
	 " %1 = transpose %x, axes=[1, 0]\n %2 = case %i, %1, branches=[a, b, c]\n"
	 " %3 = sub %2, %1\n return a=%2, b=%3\n}\n", "exact", 1},
	{"loops in loops",
	 "graph g(%n: i32[], %x: f32[t<=7, 5], %w: weight f32[5, 5], %s: f32[5]) {\n"
	 " body more(%i: i32[], %h: f32[5], %x: f32[t<=7, 5], %w: f32[5, 5], %n: i32[]) {\n"
	 "  %1 = lt %i, %n\n  return more=%1\n }\n"
	 " body turn(%i: i32[], %h: f32[5], %x: f32[t<=7, 5], %w: f32[5, 5], %n: i32[]) {\n"
	 "  body step(%h: f32[5], %x: f32[5], %w: f32[5, 5], %p: bool[]) {\n"
	 "   body up(%h: f32[5]) {\n    %1 = tanh %h\n    return h=%1\n   }\n"
	 "   body same(%h: f32[5]) {\n    return h=%h\n   }\n"
	 "   %1 = dot %h, %w, sum_a=[0], sum_b=[0]\n   %2 = add %1, %x\n"
	 "   %3 = if %p, %2, then=up, otherwise=same\n   return h=%3\n  }\n"
	 "  %1 = const {2} : i32[]\n  %2 = rem %i, %1\n  %3 = const {0} : i32[]\n"
	 "  %4 = eq %2, %3\n"
	 "  %5 = scan %h, %x, %w, %4, body=step, carry=1, over=1\n"
	 "  %6 = const {1} : i32[]\n  %7 = add %i, %6\n  return i=%7, h=%5\n }\n"
	 " %1 = const {0} : i32[]\n"
	 " %2 = while %1, %s, %x, %w, %n, cond=more, body=turn, carry=2\n"
	 " %3 = part %2 : i32[]\n %4 = part %2, index=1 : f32[5]\n"
	 " return i=%3, h=%4\n}\n", "rel:1e-4 abs:1e-4", 1},
	{"scan that swaps, backwards, with results that are operands",
	 "graph g(%a: f32[4], %b: f32[4], %x: f32[t<=7, 4], %y: i32[_=t<=7]) {\n"
	 " body step(%a: f32[4], %b: f32[4], %x: f32[4], %y: i32[], %k: f32[4]) {\n"
	 "  %1 = add %a, %x\n  %2 = mul %1, %k\n  return a=%b, b=%1, p=%2, q=%y, r=%x, s=%k\n"
	 " }\n %1 = scan %a, %b, %x, %y, %b, body=step, carry=2, over=2, reverse=1\n"
	 " %2 = part %1 : f32[4]\n %3 = part %1, index=1 : f32[4]\n"
	 " %4 = part %1, index=2 : f32[t<=7, 4]\n %5 = part %1, index=3 : i32[t<=7]\n"
	 " %6 = part %1, index=4 : f32[t<=7, 4]\n %7 = part %1, index=5 : f32[t<=7, 4]\n"
	 " return a=%2, b=%3, c=%4, d=%5, e=%6, f=%7\n}\n", "rel:1e-6", 1},
	{"loops that share their body with a branch",
	 "graph g(%p: bool[], %x: f32[6], %y: f32[]) {\n"
	 " body more(%x: f32[6], %y: f32[]) {\n  %1 = reduce %x, by=max, axes=[0]\n"
	 "  %2 = const {50} : f32[]\n  %3 = lt %1, %2\n  return r=%3\n }\n"
	 " body step(%x: f32[6], %y: f32[]) {\n  %1 = abs %y\n  %2 = const {1} : f32[]\n"
	 "  %3 = add %1, %2\n  %4 = broadcast %3 : f32[6]\n  %5 = add %x, %4\n"
	 "  return x=%5\n }\n"
	 " %1 = while %x, %y, cond=more, body=step, carry=1\n"
	 " %2 = if %p, %x, %y, then=step, otherwise=step\n"
	 " return a=%1, b=%2\n}\n", "rel:1e-5", 1},
	{"scan over a cache that is written in its place",
	 "graph g(%ring: f32[5, 64], %x: f32[t<=7, 64]) {\n"
	 " body step(%ring: f32[5, 64], %i: i32[], %x: f32[64]) {\n"
	 "  %1 = reshape %x : f32[1, 64]\n  %2 = const {0} : i32[]\n"
	 "  %3 = dynamic_update_slice %ring, %1, %i, %2\n  %4 = const {1} : i32[]\n"
	 "  %5 = add %i, %4\n  %6 = reduce %3, axes=[0, 1]\n"
	 "  return ring=%3, i=%5, sum=%6\n }\n"
	 " %1 = const {0} : i32[]\n"
	 " %2 = scan %ring, %1, %x, body=step, carry=2, over=1\n"
	 " %3 = part %2 : f32[5, 64]\n %4 = part %2, index=2 : f32[t<=7]\n"
	 " return ring=%3 into %ring, sum=%4\n}\n", "rel:1e-5 abs:1e-5", 3},
	{"random bits of all widths, cut anywhere",
	 "graph g(%s: u64[3], %k: u64[2], %x: f32[t<=9]) {\n"
	 " %1 = rng_philox %s : u8[t<=9, 7, 13]\n %2 = rng_philox %s : u64[3, t<=9, 401]\n"
	 " %3 = rng_threefry %k : u16[5, t<=9]\n %4 = rng_threefry %k : u32[2000]\n"
	 " return a=%1, b=%2, c=%3, d=%4\n}\n", "exact", 1},
	{"running totals and best",
	 "graph g(%x: f32[t<=300, 5, 70], %i: i32[2500, u<=3]) {\n"
	 " %1 = transpose %x, axes=[1, 0, 2]\n %2 = cumulative %1, axis=1\n"
	 " %3 = cumulative %x, by=max, axis=2, exclusive=1\n"
	 " %4 = cumulative %x, by=min, axis=1, reverse=1\n %5 = cumulative %i, axis=0\n"
	 " %6 = top_k %x, axis=2, k=7\n %7 = top_k %1, axis=0, k=2, smallest=1\n"
	 " return a=%2, b=%3, c=%4, d=%5, e=%6, f=%7\n}\n", "exact", 1},
	{"weights in blocks, alone and in products from both sides",
	 "graph g(%x: f32[t<=40, 64], %w: weight u8[3, 5, 36], %i: i32[4], %b: f32[5]) {\n"
	 " %1 = dequantize_blocks %w, format=q4_0 : f32[3, 5, 64]\n"
	 " %2 = dot %x, %1, sum_a=[1], sum_b=[2] : f32[t<=40, 3, 5]\n"
	 " %3 = dot %1, %x, sum_a=[2], sum_b=[1] : f32[3, 5, t<=40]\n"
	 " %4 = slice %1, start=[1, 0, 0], limit=[2, 5, 64] : f32[1, 5, 64]\n"
	 " %5 = reshape %4 : f32[5, 64]\n"
	 " %6 = dot %x, %5, sum_a=[1], sum_b=[1] : f32[t<=40, 5]\n"
	 " %7 = broadcast %b, axes=[1] : f32[t<=40, 5]\n %8 = add %6, %7\n %9 = relu %8\n"
	 " %10 = take %w, %i : u8[4, 5, 36]\n"
	 " %11 = dequantize_blocks %10, format=q4_0, quick=1 : f32[4, 5, 64]\n"
	 " return a=%2, b=%3, c=%9, d=%11\n}\n", "rel:1e-5 abs:1e-6", 1},
	{"factors and solutions",
	 "graph g(%x: f32[t<=4, 6, 6], %b: f32[t<=4, 90, 6]) {\n %1 = const {8} : f32[]\n"
	 " %2 = iota axis=0 : i32[6, 6]\n %3 = iota axis=1 : i32[6, 6]\n %4 = eq %2, %3\n"
	 " %5 = broadcast %1 : f32[6, 6]\n %6 = const {0} : f32[]\n"
	 " %7 = broadcast %6 : f32[6, 6]\n %8 = select %4, %5, %7\n"
	 " %9 = broadcast %8, axes=[1, 2] : f32[t<=4, 6, 6]\n"
	 " %10 = dot %x, %x, batch_a=[0], batch_b=[0], sum_a=[2], sum_b=[2]\n"
	 " %11 = add %9, %10\n %12 = cholesky %11, lower=1\n"
	 " %13 = triangular_solve %12, %b, lower=1\n %14 = transpose %b, axes=[0, 2, 1]\n"
	 " %15 = triangular_solve %12, %14, left=1, lower=1, transpose=1\n"
	 " return a=%12, b=%13, c=%15\n}\n", "rel:1e-5 abs:1e-5", 1},
	{"bodies of scalars",
	 "graph g(%x: f32[t<=40, 9], %k: i32[t<=40], %i: i32[7, 1], %u: f32[7, 9], %v: f32[],"
	 " %n: i32[]) {\n"
	 " body less(%a: f32[], %b: f32[]) { %1 = before %a, %b return r=%1 }\n"
	 " body turned(%a: f32[], %b: f32[]) { %1 = before %b, %a return r=%1 }\n"
	 " body keys(%a: i32[], %b: i32[], %c: f32[], %d: f32[]) { %1 = lt %a, %b\n"
	 "  %2 = eq %a, %b %3 = gt %c, %d %4 = and %2, %3 %5 = or %1, %4 return r=%5 }\n"
	 " body best(%v: f32[], %i: i32[], %w: f32[], %k: i32[]) { %1 = ge %v, %w\n"
	 "  %2 = select %1, %v, %w %3 = select %1, %i, %k return v=%2, i=%3 }\n"
	 " body add(%a: f32[], %b: f32[]) { %1 = add %a, %b return r=%1 }\n"
	 " body mix(%a: f32[], %b: f32[]) { %1 = const {0.5} : f32[] %2 = mul %a, %1\n"
	 "  %3 = add %2, %b return r=%3 }\n"
	 " %1 = sort %x, axis=0, body=less\n %2 = sort %x, axis=1, body=turned\n"
	 " %3 = slice %x, start=[0, 2], limit=[40, 3]\n %4 = reshape %3 : f32[t<=40]\n"
	 " %5 = sort %k, %4, body=keys\n %6 = part %5 : i32[t<=40]\n"
	 " %7 = part %5, index=1 : f32[t<=40]\n"
	 " %8 = iota axis=0 : i32[t<=40, 9]\n"
	 " %9 = reduce_body %x, %8, %v, %n, axes=[0], body=best\n"
	 " %10 = part %9 : f32[9]\n %11 = part %9, index=1 : i32[9]\n"
	 " %12 = reduce_body %x, %v, axes=[0, 1], body=add\n %13 = neg %12\n"
	 " %14 = reduce_window_body %x, %v, window=[1, 3], base=[1, 2], low=[0, 2], high=[0, -1],"
	 " body=mix\n"
	 " %15 = scatter %x, %i, %u, window=[1], inserted=[0], map=[0], vector=1, body=add\n"
	 " %16 = scatter %x, %i, %u, window=[1], inserted=[0], map=[0], vector=1, body=mix\n"
	 " %17 = select_and_scatter %x, %2, %v, window=[1, 1], select=less, scatter=mix\n"
	 " return a=%1, b=%2, c=%6, d=%7, e=%10, f=%11, g=%13, h=%14, i=%15, j=%16, k=%17\n}\n",
	 "rel:1e-5 abs:1e-4", 1},
	{"attention: heads that share keys, places and a cap, rows beyond a tile",
	 "graph g(%q: f32[2, 4, t<=140, 20], %k: f32[2, 2, 300, 20], %v: f32[2, 2, 300, 9],"
	 " %first: i32[]) {\n %1 = reshape %q : f32[2, 2, 2, t<=140, 20]\n"
	 " %2 = dot %1, %k, batch_a=[0, 1], batch_b=[0, 1], sum_a=[4], sum_b=[3]\n"
	 " %3 = tanh %2\n %4 = const {3} : f32[]\n %5 = broadcast %4 : f32[2, 2, 2, t<=140, 300]\n"
	 " %6 = mul %3, %5\n %7 = iota : i32[t<=140]\n"
	 " %8 = broadcast %7, axes=[0] : i32[t<=140, 300]\n %9 = iota : i32[300]\n"
	 " %10 = broadcast %9, axes=[1] : i32[t<=140, 300]\n"
	 " %11 = broadcast %first : i32[t<=140, 300]\n"
	 " %12 = add %8, %11\n %13 = le %10, %12\n"
	 " %14 = broadcast %13, axes=[3, 4] : bool[2, 2, 2, t<=140, 300]\n"
	 " %15 = const {-1e30} : f32[]\n %16 = broadcast %15 : f32[2, 2, 2, t<=140, 300]\n"
	 " %17 = select %14, %6, %16\n %18 = softmax %17, axis=4\n"
	 " %19 = dot %18, %v, batch_a=[0, 1], batch_b=[0, 1], sum_a=[4], sum_b=[2]\n"
	 " return y=%19\n}\n", "rel:1e-4 abs:1e-5", 1},
	{"attention of transposed operands with a mask that is added",
	 "graph g(%q: f32[5, 3, 16], %k: f32[7, 3, 16], %v: f32[7, 3, 16], %m: f32[5, 7]) {\n"
	 " %1 = transpose %q, axes=[1, 0, 2]\n %2 = transpose %k, axes=[1, 0, 2]\n"
	 " %3 = transpose %v, axes=[1, 0, 2]\n"
	 " %4 = dot %1, %2, batch_a=[0], batch_b=[0], sum_a=[2], sum_b=[2]\n"
	 " %5 = broadcast %m, axes=[1, 2] : f32[3, 5, 7]\n %6 = add %4, %5\n"
	 " %7 = softmax %6, axis=2\n"
	 " %8 = dot %7, %3, batch_a=[0], batch_b=[0], sum_a=[2], sum_b=[1]\n"
	 " %9 = transpose %8, axes=[1, 0, 2]\n return y=%9\n}\n", "rel:1e-5 abs:1e-6", 1},
	{"attention: causal over 300 keys of f16 and values of bf16, in a window, with a cap",
	 "graph g(%q: f32[2, 300, 20], %k: f16[2, 300, 20], %v: bf16[2, 300, 9]) {\n"
	 " body seen(%s: f32[], %i: i32[], %j: i32[]) {\n  %c = const {3} : f32[]\n"
	 "  %1 = tanh %s\n  %2 = mul %1, %c\n  %3 = le %j, %i\n  %w = const {40} : i32[]\n"
	 "  %4 = sub %i, %w\n  %5 = gt %j, %4\n  %6 = and %3, %5\n  %7 = const {-1e30} : f32[]\n"
	 "  %8 = select %6, %2, %7\n  return s=%8\n }\n"
	 " %1 = convert %k : f32[2, 300, 20]\n %2 = convert %v : f32[2, 300, 9]\n"
	 " %3 = iota : i32[300]\n %4 = broadcast %3, axes=[1] : i32[2, 300, 300]\n"
	 " %5 = broadcast %3, axes=[2] : i32[2, 300, 300]\n"
	 " %6 = attention %q, %1, %2, %4, %5, batch=1, body=seen\n return y=%6\n}\n",
	 "rel:1e-4 abs:1e-5", 1},
	{"attention: few rows of groups over parts of a cache, the last of which nobody sees",
	 "graph g(%q: f32[2, 3, 4, 16], %k: bf16[2, 700, 16], %v: f16[2, 700, 40],"
	 " %n: i32[4]) {\n"
	 " body seen(%s: f32[], %i: i32[], %j: i32[]) {\n  %c = const {0.25} : f32[]\n"
	 "  %2 = mul %s, %c\n  %a = const {300} : i32[]\n  %b = add %i, %a\n  %3 = le %j, %b\n"
	 "  %7 = const {-inf} : f32[]\n  %8 = select %3, %2, %7\n  return s=%8\n }\n"
	 " %1 = convert %k : f32[2, 700, 16]\n %2 = convert %v : f32[2, 700, 40]\n"
	 " %3 = iota : i32[700]\n %4 = broadcast %n, axes=[2] : i32[2, 3, 4, 700]\n"
	 " %5 = broadcast %3, axes=[3] : i32[2, 3, 4, 700]\n"
	 " %6 = attention %q, %1, %2, %4, %5, batch=1, body=seen\n return y=%6\n}\n",
	 "rel:1e-4 abs:1e-5", 1},
	{"attention: rows that see nothing, by a finite score and by -inf; an empty cache",
	 "graph g(%q: f32[20, 8], %k: f32[t<=30, 8], %v: f32[t<=30, 8], %m: bool[20, t<=30]) {\n"
	 " body low(%s: f32[], %m: bool[], %i: i32[]) {\n  %a = const {11} : i32[]\n"
	 "  %1 = lt %i, %a\n  %2 = and %m, %1\n  %7 = const {-3.4e38} : f32[]\n"
	 "  %8 = select %2, %s, %7\n  return s=%8\n }\n"
	 " body gone(%s: f32[], %m: bool[], %i: i32[]) {\n  %a = const {11} : i32[]\n"
	 "  %1 = lt %i, %a\n  %2 = and %m, %1\n  %z = const {0} : f32[]\n"
	 "  %7 = const {-inf} : f32[]\n  %6 = select %2, %z, %7\n  %8 = add %s, %6\n"
	 "  return s=%8\n }\n"
	 " %3 = iota : i32[20]\n %4 = broadcast %3, axes=[0] : i32[20, t<=30]\n"
	 " %5 = attention %q, %k, %v, %m, %4, batch=0, body=low\n"
	 " %6 = attention %q, %k, %v, %m, %4, batch=0, body=gone\n return y=%5, z=%6\n}\n",
	 "rel:1e-4 abs:1e-5", 1},
	{"totals of exponents, and a gather where there is nothing: random graphs found them",
	 "graph g(%x: f8e8m0fnu[5, 6], %y: f8e8m0fnu[t<=9, 2], %i: i32[3, 1]) {\n"
	 " %c = const {8.673617379884035e-19} : f8e8m0fnu[]\n"
	 " %s = broadcast %c : f8e8m0fnu[5, 6]\n %m = min %x, %s\n"
	 " %1 = cumulative %m, by=mul, axis=1\n %2 = reduce %m, by=mul, axes=[0]\n"
	 " %3 = cumulative %x, axis=0, reverse=1\n"
	 " %4 = gather %y, %i, collapsed=[0], map=[0], offset=[1], sizes=[1, 2], vector=1\n"
	 " return a=%1, b=%2, c=%3, d=%4\n}\n", "exact", 1},
	{"same value twice",
	 "graph g(%x: f32[8], %w: weight f32[8]) {\n %1 = exp %x\n"
	 " return a=%1, b=%1, c=%x, d=%w\n}\n", "rel:1e-6", 1},
};

static void *random_bytes(const adze_shape *s, const adze_graph *g, const int64_t *symbol,
			  uint64_t *seed, size_t *bytes)
{
	size_t n = 1;
	for (int i = 0; i < s->rank; i++)
		n *= (size_t)ir_extent(g, &s->dim[i], symbol);
	*bytes = n * dtype_bytes(s->dtype);
	char *p = malloc(*bytes + 1);
	for (size_t i = 0; i < n; i++) {
		if (dtype_is_float(s->dtype))
			dtype_store_float(s->dtype, p, i, (double)check_random_float(seed));
		else
			dtype_store_int(s->dtype, p, i, (int64_t)(check_random(seed) % 7));
	}
	return p;
}

static void eval_calls(const adze_graph *g, int calls, const int64_t *symbol, void **in,
		       void **weight, void **out)
{
	struct diag d = {ADZE_OK, ""};
	for (int k = 0; k < calls; k++) {
		adze_status status = ir_eval(g, symbol, (const void *const *)in,
					     (const void *const *)weight, out, &d);
		CHECK_MSG(status == ADZE_OK, "%s", d.text);
		for (size_t i = 0; i < g->noutput && k + 1 < calls; i++) {
			if (g->output[i].into == 0)
				continue;
			int j = ir_input_index(g, g->output[i].into);
			memcpy(in[j], out[i], (size_t)shape_bytes(ir_type(g, g->input[j])));
		}
	}
}

static void compare_outputs(const struct graph_case *c, const adze_graph *g,
			    const int64_t *symbol, void **got, void **want, const char *setting)
{
	char message[1024];
	for (size_t i = 0; i < g->noutput; i++) {
		const adze_shape *s = ir_type(g, g->output[i].value);
		size_t n = 1;
		for (int k = 0; k < s->rank; k++)
			n *= (size_t)ir_extent(g, &s->dim[k], symbol);
		CHECK_MSG(compare_tensors(s->dtype, got[i], want[i], n, c->tolerance, message,
					  sizeof message),
			  "%s, %s, output %s: %s", c->name, setting, g->output[i].name, message);
	}
}

static void one_graph(const struct graph_case *c, adze_device *dev, bool optimise, int64_t value)
{
	struct diag d = {ADZE_OK, ""};
	adze_graph *g;
	uint64_t seed = check_seed();
	int64_t symbol[ADZE_MAX_SYMBOLS];
	void *in[8], *again[8], *weight[8], *got[12], *want[12];
	size_t bytes;
	char setting[128];
	snprintf(setting, sizeof setting, "symbols at %d, optimise %d", (int)value, optimise);
	CHECK_MSG(ir_parse(&mem_libc, c->text, strlen(c->text), c->name, &d, &g) == ADZE_OK, "%s",
		  d.text);
	for (int i = 0; i < ADZE_MAX_SYMBOLS; i++)
		symbol[i] = i < g->nsymbol && value < g->symbol[i].bound ? value
			    : i < g->nsymbol ? g->symbol[i].bound : 0;
	for (size_t i = 0; i < g->ninput; i++) {
		in[i] = random_bytes(ir_type(g, g->input[i]), g, symbol, &seed, &bytes);
		again[i] = malloc(bytes + 1);
		memcpy(again[i], in[i], bytes);
	}
	for (size_t i = 0; i < g->nweight; i++)
		weight[i] = random_bytes(ir_type(g, g->weight[i]), g, symbol, &seed, &bytes);
	for (size_t i = 0; i < g->noutput; i++) {
		got[i] = random_bytes(ir_type(g, g->output[i].value), g, symbol, &seed, &bytes);
		want[i] = malloc(bytes + 1);
	}
	adze_status status = device_check_run(dev, g, optimise, c->calls, symbol,
					      (const void *const *)in,
					      (const void *const *)weight, got, &d);
	CHECK_MSG(status == ADZE_OK, "%s, %s: %s", c->name, setting, d.text);
	eval_calls(g, c->calls, symbol, again, weight, want);
	compare_outputs(c, g, symbol, got, want, setting);
	for (size_t i = 0; i < g->ninput; i++) {
		free(in[i]);
		free(again[i]);
	}
	for (size_t i = 0; i < g->nweight; i++)
		free(weight[i]);
	for (size_t i = 0; i < g->noutput; i++) {
		free(got[i]);
		free(want[i]);
	}
	ir_graph_destroy(g);
}

static void all_graphs(int threads)
{
	static const int64_t value[] = {0, 1, 7, 40};
	adze_context *c = device_check_context(NULL, threads);
	adze_device *dev;
	struct diag d = {ADZE_OK, ""};
	CHECK_MSG(device_check_open(c, &dev, &d) == ADZE_OK, "%s", d.text);
	for (size_t i = 0; i < COUNT_OF(graph_case); i++)
		for (size_t k = 0; k < COUNT_OF(value); k++)
			for (int optimise = 0; optimise < 2; optimise++)
				one_graph(&graph_case[i], dev, optimise, value[k]);
	device_release(dev);
	device_check_context_free(c);
}

TEST(device, graphs_against_eval)
{
	all_graphs(1);
}

/* Many rows and few, of which one is cut into parts. */
static void attend_on(int threads, float *y, float *z)
{
	static const char text[] =
		"graph g(%q: f32[3, 290, 24], %k: f32[3, 1000, 24], %v: f32[3, 1000, 33]) {\n"
		" body near(%s: f32[], %i: i32[], %j: i32[]) {\n  %3 = le %j, %i\n"
		"  %7 = const {-1e30} : f32[]\n  %8 = select %3, %s, %7\n  return s=%8\n }\n"
		" %1 = iota : i32[290]\n %2 = broadcast %1, axes=[1] : i32[3, 290, 1000]\n"
		" %3 = iota : i32[1000]\n %4 = broadcast %3, axes=[2] : i32[3, 290, 1000]\n"
		" %5 = attention %q, %k, %v, %2, %4, batch=1, body=near\n"
		" %6 = slice %q, start=[0, 0, 0], limit=[3, 5, 24], stride=[1, 1, 1]\n"
		" %8 = slice %4, start=[0, 0, 0], limit=[3, 5, 1000], stride=[1, 1, 1]\n"
		" %9 = attention %6, %k, %v, %8, %8, batch=1, body=near\n"
		" return y=%5, z=%9\n}\n";
	static float q[3 * 290 * 24], k[3 * 1000 * 24], v[3 * 1000 * 33];
	struct diag d = {ADZE_OK, ""};
	uint64_t seed = 7;
	adze_context *c = device_check_context(NULL, threads);
	adze_device *dev;
	adze_graph *g;
	for (size_t i = 0; i < COUNT_OF(q); i++)
		q[i] = check_random_float(&seed);
	for (size_t i = 0; i < COUNT_OF(k); i++)
		k[i] = check_random_float(&seed);
	for (size_t i = 0; i < COUNT_OF(v); i++)
		v[i] = check_random_float(&seed);
	CHECK_MSG(device_check_open(c, &dev, &d) == ADZE_OK, "%s", d.text);
	CHECK_MSG(ir_parse(&mem_libc, text, strlen(text), "threads", &d, &g) == ADZE_OK, "%s",
		  d.text);
	const void *in[3] = {q, k, v};
	void *out[2] = {y, z};
	CHECK_MSG(device_check_run(dev, g, true, 1, NULL, in, NULL, out, &d) == ADZE_OK, "%s",
		  d.text);
	ir_graph_destroy(g);
	device_release(dev);
	device_check_context_free(c);
}

TEST(device, attention_is_the_same_for_any_threads)
{
	static float y[3][3 * 290 * 33], z[3][3 * 5 * 33];
	static const int threads[] = {1, 2, 5};
	for (int i = 0; i < 3; i++) {
		attend_on(threads[i], y[i], z[i]);
		CHECK(memcmp(y[i], y[0], sizeof y[0]) == 0);
		CHECK(memcmp(z[i], z[0], sizeof z[0]) == 0);
	}
}

TEST(device, graphs_on_three_threads)
{
	all_graphs(3);
}
