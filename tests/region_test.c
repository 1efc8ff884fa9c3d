/* SPDX-License-Identifier: Apache-2.0
 *
 * Control flow: what if, case, while and scan refuse, and what they mean by hand.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/device_check.h"

static adze_graph *parse(const char *text)
{
	struct diag d = {ADZE_OK, ""};
	adze_graph *g = NULL;
	CHECK_MSG(ir_parse(&mem_libc, text, strlen(text), "t.air", &d, &g) == ADZE_OK, "%s",
		  d.text);
	return g;
}

static void check_refused(const char *text, const char *words)
{
	struct diag d = {ADZE_OK, ""};
	adze_graph *g;
	CHECK(ir_parse(&mem_libc, text, strlen(text), "t.air", &d, &g) != ADZE_OK && g == NULL);
	CHECK_MSG(strstr(d.text, words) != NULL, "'%s' is not in '%s'", words, d.text);
}

static void eval(const adze_graph *g, const int64_t *symbol, const void *const *in,
		 void *const *out)
{
	struct diag d = {ADZE_OK, ""};
	CHECK_MSG(ir_eval(g, symbol, in, NULL, out, &d) == ADZE_OK, "%s", d.text);
}

/* ---- refusals ---- */

#define SAME "body same(%a: f32[]) { return r=%a }\n"
#define TRUE "body yes(%a: f32[]) { %1 = const {true} : bool[] return r=%1 }\n"

TEST(region, case_refuses)
{
	check_refused("graph g(%i: i64[], %x: f32[]) { " SAME
		      "%1 = case %i, %x, branches=[same] return }",
		      "case i64[], f32[]: the first operand must be an i32 scalar");
	check_refused("graph g(%i: i32[1], %x: f32[]) { " SAME
		      "%1 = case %i, %x, branches=[same] return }",
		      "the first operand must be an i32 scalar");
	check_refused("graph g(%i: f32[], %x: f32[]) { " SAME
		      "%1 = case %i, %x, branches=[same] return }", "it takes integers, not f32");
	check_refused("graph g(%i: i32[], %x: f32[]) { %1 = case %i, %x return }",
		      "it has no branches");
	check_refused("graph g(%i: i32[]) { " SAME "%1 = case %i, branches=[same] return }",
		      "body 'same' has 1 inputs, not 0");
	check_refused("graph g(%i: i32[], %x: f32[]) { " SAME TRUE
		      "%1 = case %i, %x, branches=[same, yes] return }",
		      "output 0 of body 'yes' is bool[], not f32[]");
	check_refused("graph g(%i: i32[], %x: f32[]) { " SAME
		      "%1 = case %i, %x, branches=[same, other] return }",
		      "no body 'other' stands before this line");
}

TEST(region, while_refuses)
{
	check_refused("graph g(%x: f32[]) { " SAME TRUE
		      "%1 = while %x, cond=yes, body=same return }",
		      "carry is not within 1 and the number of operands");
	check_refused("graph g(%x: f32[]) { " SAME TRUE
		      "%1 = while %x, cond=yes, body=same, carry=2 return }",
		      "carry is not within 1 and the number of operands");
	check_refused("graph g(%x: f32[]) { " SAME
		      "%1 = while %x, cond=same, body=same, carry=1 return }",
		      "output 0 of body 'same' is f32[], not bool[]");
	check_refused("graph g(%x: f32[]) { " TRUE
		      "%1 = while %x, cond=yes, body=yes, carry=1 return }",
		      "output 0 of body 'yes' is bool[], not f32[]");
	check_refused("graph g(%x: f32[2]) { " SAME TRUE
		      "%1 = while %x, cond=yes, body=same, carry=1 return }",
		      "input 0 of body 'yes' is f32[], not f32[2]");
	check_refused("graph g(%x: f32[], %y: f32[]) { body yes(%a: f32[], %b: f32[]) {"
		      " %1 = lt %a, %b return r=%1 } body two(%a: f32[], %b: f32[]) {"
		      " return r=%a, s=%b }"
		      " %1 = while %x, %y, cond=yes, body=two, carry=1 return }",
		      "body 'two' has 2 outputs, not 1");
	check_refused("graph g(%x: f32[]) { " TRUE "%1 = while %x, cond=yes, carry=1 return }",
		      "it lacks a body");
}

TEST(region, scan_refuses)
{
	check_refused("graph g(%x: f32[]) { " SAME "%1 = scan %x, body=same, carry=2 return }",
		      "carry and over count more operands than there are");
	check_refused("graph g(%x: f32[]) { " SAME
		      "%1 = scan %x, body=same, carry=1, over=1 return }",
		      "carry and over count more operands than there are");
	check_refused("graph g(%x: f32[]) { " SAME
		      "%1 = scan %x, body=same, carry=9223372036854775807,"
		      " over=9223372036854775807 return }",
		      "carry and over count more operands than there are");
	check_refused("graph g(%x: f32[]) { " SAME "%1 = scan %x, body=same, over=1 return }",
		      "a sequence has no axis");
	check_refused("graph g(%x: f32[4]) { " SAME
		      "%1 = scan %x, body=same, over=1, length=4 return }",
		      "its sequences say its length");
	check_refused("graph g(%x: f32[]) { " SAME
		      "%1 = scan %x, body=same, carry=1, length=-1 return }",
		      "its length is negative");
	check_refused("graph g(%x: f32[4]) { " SAME
		      "%1 = scan %x, body=same, over=1, reverse=2 return }",
		      "reverse is 0 or 1");
	check_refused("graph g(%x: f32[4], %y: f32[5]) {"
		      " body both(%a: f32[], %b: f32[]) { return r=%a }"
		      " %1 = scan %x, %y, body=both, over=2 return }",
		      "sequences differ in their axis 0");
	check_refused("graph g(%x: f32[4, 2]) { " SAME "%1 = scan %x, body=same, over=1 return }",
		      "input 0 of body 'same' is f32[], not f32[2]");
	check_refused("graph g(%x: f32[]) { body none(%a: f32[]) { return }"
		      " %1 = scan %x, body=none, carry=1, length=2 return }",
		      "body 'none' has 0 outputs, not 1");
	check_refused("graph g() { body none() { return }"
		      " %1 = scan body=none, length=2 return }", "it has no result");
	check_refused("graph g(%x: f32[1, 1, 1, 1, 1, 1, 1, 1]) {"
		      " body big(%a: f32[1, 1, 1, 1, 1, 1, 1]) {"
		      " %1 = reshape %a : f32[1, 1, 1, 1, 1, 1, 1, 1] return r=%1 }"
		      " %1 = scan %x, body=big, over=1 return }",
		      "a stacked result would have more than 8 axes");
}

TEST(region, what_is_no_carry_is_not_overwritten)
{
	check_refused("graph g(%p: bool[], %x: f32[]) {"
		      " body same(%a: f32[]) { %1 = neg %a return r=%1 into %a }\n"
		      "%1 = if %p, %x, then=same, otherwise=same return }",
		      "an output of its body goes into an input that is no carry of that place");
	check_refused("graph g(%x: f32[], %y: f32[]) { body yes(%a: f32[], %b: f32[]) {"
		      " %1 = lt %a, %b return r=%1 } body step(%a: f32[], %b: f32[]) {"
		      " %1 = neg %a return r=%1 into %b }"
		      " %1 = while %x, %y, cond=yes, body=step, carry=1 return }",
		      "goes into an input that is no carry of that place");
	check_refused("graph g(%x: f32[4]) { body step(%a: f32[]) {"
		      " %1 = neg %a return r=%1 into %a } %1 = scan %x, body=step, over=1 return }",
		      "goes into an input that is no carry of that place");
}

/* ---- meaning ---- */

TEST(region, case_out_of_range_is_the_last)
{
	adze_graph *g = parse("graph g(%i: i32[], %x: f32[2]) {\n"
			      " body zero(%a: f32[2]) { return r=%a }\n"
			      " body one(%a: f32[2]) { %1 = neg %a return r=%1 }\n"
			      " body two(%a: f32[2]) { %1 = add %a, %a return r=%1 }\n"
			      " %1 = case %i, %x, branches=[zero, one, two]\n return r=%1\n}\n");
	const int32_t at[] = {0, 1, 2, 3, -1, INT32_MAX, INT32_MIN};
	const float x[2] = {1, 3};
	for (size_t k = 0; k < COUNT_OF(at); k++) {
		float y[2];
		eval(g, NULL, (const void *[]){&at[k], x}, (void *[]){y});
		const float want[3][2] = {{1, 3}, {-1, -3}, {2, 6}};
		size_t branch = at[k] >= 0 && at[k] < 3 ? (size_t)at[k] : 2;
		CHECK_MSG(memcmp(y, want[branch], sizeof y) == 0, "at %d: %g %g", at[k],
			  (double)y[0], (double)y[1]);
	}
	ir_graph_destroy(g);
}

/* Pairs of Fibonacci numbers, as long as the first is below a limit that stays. */
static const char fibonacci[] =
	"graph g(%a: i64[], %b: i64[], %most: i64[]) {\n"
	"\tbody below(%a: i64[], %b: i64[], %most: i64[]) {\n"
	"\t\t%1 = lt %a, %most : bool[]\n"
	"\t\treturn more=%1\n"
	"\t}\n"
	"\tbody next(%a: i64[], %b: i64[], %most: i64[]) {\n"
	"\t\t%1 = add %a, %b : i64[]\n"
	"\t\treturn a=%b, b=%1\n"
	"\t}\n"
	"\t%1 = while %a, %b, %most, cond=below, body=next, carry=2 : u8[128]\n"
	"\t%2 = part %1 : i64[]\n"
	"\t%3 = part %1, index=1 : i64[]\n"
	"\treturn a=%2, b=%3\n"
	"}\n";

TEST(region, while_counts)
{
	adze_graph *g = parse(fibonacci);
	const int64_t a = 0, b = 1, most[] = {-1, 0, 1, 100, 1000000000000};
	const int64_t want[][2] = {{0, 1}, {0, 1}, {1, 1}, {144, 233},
				   {1548008755920, 2504730781961}};
	for (size_t k = 0; k < COUNT_OF(most); k++) {
		int64_t y[2];
		eval(g, NULL, (const void *[]){&a, &b, &most[k]}, (void *[]){&y[0], &y[1]});
		CHECK_MSG(memcmp(y, want[k], sizeof y) == 0, "%lld %lld", (long long)y[0],
			  (long long)y[1]);
	}
	struct text out;
	text_init(&out, &mem_libc);
	ir_print(g, &out);
	CHECK_MSG(strcmp(out.at, fibonacci) == 0, "%s", out.at);
	text_fini(&out);
	ir_graph_destroy(g);
}

/* A sum so far and the products with what stays, over a sequence with a symbol. */
static const char running[] =
	"graph g(%%s: f32[], %%x: f32[t<=5, 2], %%w: f32[2]) {\n"
	" body step(%%s: f32[], %%x: f32[2], %%w: f32[2]) {\n"
	"  %%1 = mul %%x, %%w\n %%2 = reduce %%1, axes=[0]\n %%3 = add %%s, %%2\n"
	"  return s=%%3, p=%%1, so_far=%%s\n }\n"
	" %%1 = scan %%s, %%x, %%w, body=step, carry=1, over=1%s\n"
	" %%2 = part %%1 : f32[]\n %%3 = part %%1, index=1 : f32[t<=5, 2]\n"
	" %%4 = part %%1, index=2 : f32[t<=5]\n return s=%%2, p=%%3, f=%%4\n}\n";

TEST(region, scan_stacks)
{
	const float s = 100, x[6] = {1, 2, 3, 4, 5, 6}, w[2] = {10, 1};
	const float product[6] = {10, 2, 30, 4, 50, 6};
	const float total[4] = {100, 112, 146, 202};
	const float so_far[2][3] = {{100, 112, 146}, {190, 156, 100}};
	for (int reverse = 0; reverse < 2; reverse++) {
		char text[1000];
		snprintf(text, sizeof text, running, reverse ? ", reverse=1" : "");
		adze_graph *g = parse(text);
		for (int64_t t = 0; t <= 3; t++) {
			float sum = 0, p[10], f[5];
			eval(g, &t, (const void *[]){&s, x, w}, (void *[]){&sum, p, f});
			CHECK(memcmp(p, product, (size_t)t * 8) == 0);
			CHECK(t < 3 || memcmp(f, so_far[reverse], sizeof so_far[0]) == 0);
			CHECK(sum == total[t]);
		}
		ir_graph_destroy(g);
	}
}

TEST(region, scan_without_sequences)
{
	adze_graph *g = parse("graph g(%x: i32[]) {\n"
			      " body step(%x: i32[]) { %1 = add %x, %x return x=%1, was=%x }\n"
			      " %1 = scan %x, body=step, carry=1, length=5\n"
			      " %2 = part %1 : i32[]\n %3 = part %1, index=1 : i32[5]\n"
			      " return x=%2, all=%3\n}\n");
	const int32_t x = 3, want[5] = {3, 6, 12, 24, 48};
	int32_t last, all[5];
	eval(g, NULL, (const void *[]){&x}, (void *[]){&last, all});
	CHECK(last == 96 && memcmp(all, want, sizeof all) == 0);
	ir_graph_destroy(g);
}

TEST(region, names_of_axes)
{
	adze_graph *g = parse("graph g(%x: f32[s=3, d=2]) {\n"
			      " body same(%a: f32[2]) { return r=%a }\n"
			      " body named(%a: f32[2]) { %1 = reshape %a : f32[s=2] return r=%1 }\n"
			      " %1 = scan %x, body=same, over=1 : f32[s=3, 2]\n"
			      " %2 = scan %x, body=named, over=1 : f32[3, s=2]\n"
			      " return a=%1, b=%2\n}\n");
	ir_graph_destroy(g);
}

/* Nothing is computed that may have no end. */
TEST(region, fold_leaves_loops_alone)
{
	adze_graph *g = parse("graph g() {\n"
			      " body yes(%a: f32[]) { %1 = const {true} : bool[] return r=%1 }\n"
			      " body same(%a: f32[]) { return r=%a }\n"
			      " %1 = const {1} : f32[]\n"
			      " %2 = while %1, cond=yes, body=same, carry=1\n return r=%2\n}\n");
	struct ir_pass_options options = {.until = STAGE_PLANNED};
	struct diag d = {ADZE_OK, ""};
	CHECK_MSG(ir_run_passes(&g, &options, &d) == ADZE_OK, "%s", d.text);
	CHECK(ir_get(g, g->output[0].value)->op == OP_WHILE);
	ir_graph_destroy(g);
}

static const char shared[] =
	"graph g(%x: f32[], %y: f32[]) {\n"
	" body yes(%a: f32[], %b: f32[]) { %1 = lt %a, %b return r=%1 }\n"
	" body step(%a: f32[], %b: f32[]) { %1 = add %a, %b return r=%1 }\n"
	" %1 = while %x, %y, cond=yes, body=step, carry=1\n";

static void check_into(const char *more, bool into)
{
	char text[1000];
	snprintf(text, sizeof text, "%s%s", shared, more);
	adze_graph *g = parse(text);
	struct ir_pass_options options = {.passes = "layout"};
	struct diag d = {ADZE_OK, ""};
	CHECK_MSG(ir_run_passes(&g, &options, &d) == ADZE_OK, "%s", d.text);
	CHECK_MSG(ir_verify(g, &d) == ADZE_OK, "%s", d.text);
	CHECK((ir_body(g, ir_body_find(g, "step", 4))->output[0].into != 0) == into);
	ir_graph_destroy(g);
}

/* A carry is written over the old one, unless the body serves elsewhere, too. */
TEST(region, carries_in_place)
{
	check_into(" return r=%1\n}\n", true);
	check_into(" %2 = lt %x, %y\n %3 = if %2, %x, %y, then=step, otherwise=step\n"
		   " return r=%1, s=%3\n}\n", false);
}

/* ---- on the CPU ---- */

static adze_device *open_cpu(int threads)
{
	struct diag d = {ADZE_OK, ""};
	const char *target;
	adze_context *c = device_check_context(NULL, threads);
	const struct device_ops *ops = device_find("cpu", &target);
	adze_device *dev;
	CHECK_MSG(ops->open(c, target, &dev, &d) == ADZE_OK, "%s", d.text);
	dev->ops = ops;
	context_retain(c);
	atomic_init(&dev->refs, 1);
	return dev;
}

static void close_cpu(adze_device *dev)
{
	adze_context *c = dev->context;
	device_release(dev);
	device_check_context_free(c);
}

/* Products that are worth several threads, in a loop in a loop, and a branch. */
static const char rounds[] =
	"graph g(%x: f32[t<=6, 96, 128], %h: f32[96, 128], %w: f32[128, 128]) {\n"
	" body more(%i: i32[], %h: f32[96, 128], %x: f32[t<=6, 96, 128], %w: f32[128, 128]) {\n"
	"  %1 = const {3} : i32[]\n  %2 = lt %i, %1\n  return more=%2\n }\n"
	" body turn(%i: i32[], %h: f32[96, 128], %x: f32[t<=6, 96, 128], %w: f32[128, 128]) {\n"
	"  body step(%h: f32[96, 128], %x: f32[96, 128], %w: f32[128, 128], %i: i32[]) {\n"
	"   body even(%h: f32[96, 128]) {\n    %1 = softmax %h, axis=1\n    return h=%1\n   }\n"
	"   body odd(%h: f32[96, 128]) {\n    %1 = tanh %h\n    return h=%1\n   }\n"
	"   %1 = dot %h, %w, sum_a=[1], sum_b=[0]\n   %2 = add %1, %x\n"
	"   %3 = case %i, %2, branches=[even, odd]\n   return h=%3\n  }\n"
	"  %1 = scan %h, %x, %w, %i, body=step, carry=1, over=1\n"
	"  %2 = const {1} : i32[]\n  %3 = add %i, %2\n  return i=%3, h=%1\n }\n"
	" %1 = const {0} : i32[]\n"
	" %2 = while %1, %h, %x, %w, cond=more, body=turn, carry=2\n"
	" %3 = part %2, index=1 : f32[96, 128]\n return h=%3\n}\n";

static float *random_floats(size_t n, uint64_t *seed)
{
	float *x = malloc(n * sizeof *x);
	for (size_t i = 0; i < n; i++)
		x[i] = (float)check_random_float(seed) / 8;
	return x;
}

TEST(region, threads_do_not_change_bits)
{
	const size_t n = 96 * 128, t = 5;
	const int threads[] = {1, 2, 5};
	const int64_t symbol[1] = {(int64_t)t};
	uint64_t seed = check_seed();
	float *in[3] = {random_floats(t * n, &seed), random_floats(n, &seed),
			random_floats(128 * 128, &seed)};
	float *first = malloc(n * sizeof *first), *y = malloc(n * sizeof *y);
	adze_graph *g = parse(rounds);
	for (size_t k = 0; k < COUNT_OF(threads); k++) {
		struct diag d = {ADZE_OK, ""};
		adze_device *dev = open_cpu(threads[k]);
		CHECK_MSG(device_check_run(dev, g, true, 1, symbol, (const void *const *)in, NULL,
					   (void *[]){k == 0 ? first : y}, &d) == ADZE_OK, "%s",
			  d.text);
		CHECK_MSG(k == 0 || memcmp(first, y, n * sizeof *y) == 0, "%d threads",
			  threads[k]);
		close_cpu(dev);
	}
	for (int i = 0; i < 3; i++)
		free(in[i]);
	free(first);
	free(y);
	ir_graph_destroy(g);
}

/* Loads, and makes what a call needs, which looks at all sizes; true where both are done. */
static bool opens(adze_device *dev, const unsigned char *file, size_t len)
{
	struct diag d = {ADZE_OK, ""};
	struct device_frame *frame = NULL;
	adze_exe *x;
	unsigned char *copy = mem_new(&dev->context->mem, len, 1);
	memcpy(copy, file, len);
	device_check_mend(copy, len);
	if (device_load(dev, copy, len, &x, &d) != ADZE_OK)
		return false;
	bool fine = x->file.signature.arena_bytes < 1 << 24 &&
		    dev->ops->frame_create(dev, x->loaded, &frame, &d) == ADZE_OK;
	if (fine)
		dev->ops->frame_destroy(dev, frame);
	exe_release(x);
	return fine;
}

/* Whatever byte is wrong: refused, or harmless. */
TEST(region, damaged_code)
{
	adze_device *dev = open_cpu(1);
	adze_graph *g = parse(fibonacci);
	struct diag d = {ADZE_OK, ""};
	struct text bytes;
	size_t refused = 0;
	text_init(&bytes, &mem_libc);
	CHECK_MSG(device_check_compile(dev, g, true, &bytes, &d) == ADZE_OK, "%s", d.text);
	unsigned char *file = (unsigned char *)bytes.at;
	CHECK(opens(dev, file, bytes.len));
	for (size_t i = 64; i < bytes.len; i++) {
		const unsigned char was = file[i], want[] = {0, 1, 0x7f, 0xff};
		for (size_t k = 0; k < sizeof want; k++) {
			file[i] = want[k];
			refused += !opens(dev, file, bytes.len);
		}
		file[i] = was;
	}
	CHECK_MSG(refused > 1000, "only %zu of %zu were refused", refused, 4 * bytes.len);
	text_fini(&bytes);
	ir_graph_destroy(g);
	close_cpu(dev);
}
