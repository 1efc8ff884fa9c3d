/* SPDX-License-Identifier: Apache-2.0
 *
 * Passes fold and simplify: each rule on a small graph, and random graphs that must mean
 * the same, bit for bit, before and after.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ir/pass.h"
#include "tests/check.h"
#include "tests/compare.h"

typedef adze_status pass_function(adze_graph **g, struct diag *d);

/* ---- one rule at a time ---- */

#define HEAD                                                                                \
	"graph t(%x: f32[2, 3], %i: i32[2, 3], %p: bool[2, 3], %h: bf16[2, 3],\n"           \
	"        %n: f32[a=2, b=3], %t: f32[t<=7, 2], %b: i8[2, 3]) {\n"

static adze_graph *parse(const char *body)
{
	char text[4096];
	struct diag d = {ADZE_OK, ""};
	adze_graph *g = NULL;
	snprintf(text, sizeof text, "%s%s}\n", HEAD, body);
	CHECK_MSG(ir_parse(&mem_libc, text, strlen(text), "test", &d, &g) == ADZE_OK, "%s\n%s",
		  d.text, text);
	return g;
}

static void check_rewrite(pass_function *pass, const char *from, const char *to)
{
	adze_graph *g = parse(from), *want = parse(to);
	struct text got, expected;
	struct diag d = {ADZE_OK, ""};
	text_init(&got, &mem_libc);
	text_init(&expected, &mem_libc);
	CHECK_MSG(pass(&g, &d) == ADZE_OK, "%s", d.text);
	CHECK_MSG(ir_verify(g, &d) == ADZE_OK, "%s", d.text);
	ir_print(g, &got);
	ir_print(want, &expected);
	CHECK_MSG(strcmp(got.at, expected.at) == 0, "got\n%sbut wanted\n%s", got.at, expected.at);
	text_fini(&got);
	text_fini(&expected);
	ir_graph_destroy(g);
	ir_graph_destroy(want);
}

static void simplified(const char *from, const char *to)
{
	check_rewrite(ir_simplify, from, to);
}

/* Nothing to simplify. */
static void kept(const char *body)
{
	check_rewrite(ir_simplify, body, body);
}

#define SPLAT(name, value, type) \
	"%" name "0 = const {" value "} : " type "[]\n" \
	"%" name " = broadcast %" name "0, axes=[] : " type "[2, 3]\n"

TEST(simplify, neutral_operands)
{
	simplified(SPLAT("c", "1", "f32") "%y = mul %x, %c : f32[2, 3]\nreturn y=%y\n",
		   "return y=%x\n");
	simplified(SPLAT("c", "1", "f32") "%y = mul %c, %x : f32[2, 3]\nreturn y=%y\n",
		   "return y=%x\n");
	simplified(SPLAT("c", "1", "f32") "%y = div %x, %c : f32[2, 3]\nreturn y=%y\n",
		   "return y=%x\n");
	simplified(SPLAT("c", "-0", "f32") "%y = add %x, %c : f32[2, 3]\nreturn y=%y\n",
		   "return y=%x\n");
	simplified(SPLAT("c", "0", "f32") "%y = sub %x, %c : f32[2, 3]\nreturn y=%y\n",
		   "return y=%x\n");
	simplified(SPLAT("c", "-inf", "f32") "%y = max %x, %c : f32[2, 3]\nreturn y=%y\n",
		   "return y=%x\n");
	simplified(SPLAT("c", "0", "i32") "%y = add %i, %c : i32[2, 3]\nreturn y=%y\n",
		   "return y=%i\n");
	simplified(SPLAT("c", "0", "i32") "%y = shl %i, %c : i32[2, 3]\nreturn y=%y\n",
		   "return y=%i\n");
	simplified(SPLAT("c", "-1", "i32") "%y = and %i, %c : i32[2, 3]\nreturn y=%y\n",
		   "return y=%i\n");
	simplified(SPLAT("c", "true", "bool") "%y = and %p, %c : bool[2, 3]\nreturn y=%y\n",
		   "return y=%p\n");
	simplified("%c = const {1, 1, 1, 1, 1, 1} : f32[2, 3]\n"
		   "%y = mul %x, %c : f32[2, 3]\nreturn y=%y\n",
		   "return y=%x\n");
}

TEST(simplify, not_for_floats)
{
	kept(SPLAT("c", "0", "f32") "%y = add %x, %c : f32[2, 3]\nreturn y=%y\n");
	kept(SPLAT("c", "-0", "f32") "%y = sub %x, %c : f32[2, 3]\nreturn y=%y\n");
	kept(SPLAT("c", "0", "f32") "%y = mul %x, %c : f32[2, 3]\nreturn y=%y\n");
	kept("%y = sub %x, %x : f32[2, 3]\nreturn y=%y\n");
	kept("%y = div %x, %x : f32[2, 3]\nreturn y=%y\n");
	kept("%y = eq %x, %x : bool[2, 3]\nreturn y=%y\n");
}

TEST(simplify, algebra)
{
	simplified(SPLAT("c", "0", "i32") "%y = mul %i, %c : i32[2, 3]\nreturn y=%y\n",
		   SPLAT("c", "0", "i32") "return y=%c\n");
	simplified(SPLAT("c", "true", "bool") "%y = or %p, %c : bool[2, 3]\nreturn y=%y\n",
		   SPLAT("c", "true", "bool") "return y=%c\n");
	simplified("%y = max %x, %x : f32[2, 3]\nreturn y=%y\n", "return y=%x\n");
	simplified("%y = or %i, %i : i32[2, 3]\nreturn y=%y\n", "return y=%i\n");
	simplified("%1 = neg %x : f32[2, 3]\n%y = neg %1 : f32[2, 3]\nreturn y=%y\n",
		   "return y=%x\n");
	simplified("%1 = not %p : bool[2, 3]\n%y = not %1 : bool[2, 3]\nreturn y=%y\n",
		   "return y=%p\n");
	simplified("%1 = abs %x : f32[2, 3]\n%2 = abs %1 : f32[2, 3]\n%y = abs %2 : f32[2, 3]\n"
		   "return y=%y\n",
		   "%y = abs %x : f32[2, 3]\nreturn y=%y\n");
	simplified(SPLAT("c", "2", "f32") "%y = add %c, %x : f32[2, 3]\nreturn y=%y\n",
		   SPLAT("c", "2", "f32") "%y = add %x, %c : f32[2, 3]\nreturn y=%y\n");
	kept(SPLAT("c", "2", "f32") "%y = sub %c, %x : f32[2, 3]\nreturn y=%y\n");
}

TEST(simplify, select)
{
	simplified(SPLAT("c", "false", "bool")
		   "%1 = neg %x : f32[2, 3]\n%y = select %c, %x, %1 : f32[2, 3]\nreturn y=%y\n",
		   "%1 = neg %x : f32[2, 3]\nreturn y=%1\n");
	simplified("%y = select %p, %x, %x : f32[2, 3]\nreturn y=%y\n", "return y=%x\n");
}

TEST(simplify, convert)
{
	simplified("%y = convert %x : f32[2, 3]\nreturn y=%y\n", "return y=%x\n");
	simplified("%1 = convert %h : f32[2, 3]\n%y = convert %1 : bf16[2, 3]\nreturn y=%y\n",
		   "return y=%h\n");
	simplified("%1 = convert %h : f32[2, 3]\n%y = convert %1 : f64[2, 3]\nreturn y=%y\n",
		   "%y = convert %h : f64[2, 3]\nreturn y=%y\n");
	simplified("%1 = convert %b : f32[2, 3]\n%y = convert %1 : i8[2, 3]\nreturn y=%y\n",
		   "return y=%b\n");
	/* -1 becomes 0 through a float, and 255 without it. */
	kept("%1 = convert %b : f32[2, 3]\n%y = convert %1 : u8[2, 3]\nreturn y=%y\n");
	kept("%1 = convert %x : bf16[2, 3]\n%y = convert %1 : f32[2, 3]\nreturn y=%y\n");
	kept("%1 = convert %i : f32[2, 3]\n%y = convert %1 : i32[2, 3]\nreturn y=%y\n");
	kept("%1 = convert %h : f16[2, 3]\n%y = convert %1 : f32[2, 3]\nreturn y=%y\n");
}

TEST(simplify, splats)
{
	simplified(SPLAT("c", "2", "f32") SPLAT("d", "3", "f32")
		   "%1 = mul %c, %d : f32[2, 3]\n%y = add %x, %1 : f32[2, 3]\nreturn y=%y\n",
		   SPLAT("c", "6", "f32") "%y = add %x, %c : f32[2, 3]\nreturn y=%y\n");
	simplified(SPLAT("c", "2", "f32")
		   "%1 = reshape %c : f32[6]\n%y = transpose %c, axes=[1, 0] : f32[3, 2]\n"
		   "return a=%1, b=%y\n",
		   "%c = const {2} : f32[]\n%1 = broadcast %c, axes=[] : f32[6]\n"
		   "%y = broadcast %c, axes=[] : f32[3, 2]\nreturn a=%1, b=%y\n");
}

TEST(simplify, reshapes)
{
	simplified("%1 = reshape %x : f32[6]\n%y = reshape %1 : f32[3, 2]\nreturn y=%y\n",
		   "%y = reshape %x : f32[3, 2]\nreturn y=%y\n");
	simplified("%1 = reshape %x : f32[6]\n%y = reshape %1 : f32[2, 3]\nreturn y=%y\n",
		   "return y=%x\n");
	kept("%y = reshape %x : f32[2, 1, 3]\nreturn y=%y\n");
	kept("%y = reshape %x : f32[c=2, d=3]\nreturn y=%y\n");
}

TEST(simplify, transposes)
{
	simplified("%y = transpose %t, axes=[0, 1] : f32[t<=7, 2]\nreturn y=%y\n",
		   "return y=%t\n");
	simplified("%0 = reshape %x : f32[1, 2, 3]\n"
		   "%1 = transpose %0, axes=[2, 1, 0] : f32[3, 2, 1]\n"
		   "%y = transpose %1, axes=[0, 2, 1] : f32[3, 1, 2]\nreturn y=%y\n",
		   "%0 = reshape %x : f32[1, 2, 3]\n"
		   "%y = transpose %0, axes=[2, 0, 1] : f32[3, 1, 2]\nreturn y=%y\n");
	simplified("%0 = reshape %x : f32[1, 2, 3]\n"
		   "%y = transpose %0, axes=[1, 0, 2] : f32[2, 1, 3]\nreturn y=%y\n",
		   "%y = reshape %x : f32[2, 1, 3]\nreturn y=%y\n");
}

TEST(simplify, broadcasts)
{
	simplified("%y = broadcast %x, axes=[0, 1] : f32[2, 3]\nreturn y=%y\n", "return y=%x\n");
	simplified("%1 = broadcast %x, axes=[1, 2] : f32[4, 2, 3]\n"
		   "%y = broadcast %1, axes=[0, 3, 1] : f32[4, 3, 5, 2]\nreturn y=%y\n",
		   "%y = broadcast %x, axes=[3, 1] : f32[4, 3, 5, 2]\nreturn y=%y\n");
	kept("%y = broadcast %t, axes=[1, 0] : f32[2, t<=7]\nreturn y=%y\n");
	simplified("%1 = reshape %x : f32[2, 1, 3]\n"
		   "%y = broadcast %1, axes=[1, 2, 3] : f32[5, 2, 4, 3]\nreturn y=%y\n",
		   "%y = broadcast %x, axes=[1, 3] : f32[5, 2, 4, 3]\nreturn y=%y\n");
	kept("%1 = reshape %x : f32[6]\n"
	     "%y = broadcast %1, axes=[1] : f32[2, 6]\nreturn y=%y\n");
}

/* What is spread is computed before it is. */
TEST(simplify, computed_before)
{
	simplified("%1 = reduce %x, axes=[1] : f32[2]\n%2 = reshape %1 : f32[2, 1]\n"
		   "%c = const {3} : f32[]\n%3 = broadcast %c, axes=[] : f32[2, 1]\n"
		   "%4 = div %2, %3 : f32[2, 1]\n%5 = broadcast %4, axes=[0, 1] : f32[2, 3]\n"
		   "%6 = exp %5 : f32[2, 3]\n%y = sub %x, %6 : f32[2, 3]\nreturn y=%y\n",
		   "%1 = reduce %x, axes=[1] : f32[2]\n"
		   "%c = const {3} : f32[]\n%3 = broadcast %c, axes=[] : f32[2]\n"
		   "%4 = div %1, %3 : f32[2]\n%5 = exp %4 : f32[2]\n"
		   "%6 = broadcast %5, axes=[0] : f32[2, 3]\n"
		   "%y = sub %x, %6 : f32[2, 3]\nreturn y=%y\n");
	simplified("%1 = broadcast %x, axes=[1, 2] : f32[4, 2, 3]\n"
		   "%2 = broadcast %n, axes=[1, 2] : f32[4, a=2, b=3]\n"
		   "%y = add %1, %2 : f32[4, a=2, b=3]\nreturn y=%y\n",
		   "%1 = add %x, %n : f32[a=2, b=3]\n"
		   "%y = broadcast %1, axes=[1, 2] : f32[4, a=2, b=3]\nreturn y=%y\n");
	/* Spread otherwise, or not by much; and what is given stays in its shape. */
	kept("%1 = broadcast %x, axes=[1, 2] : f32[3, 2, 3]\n"
	     "%2 = broadcast %x, axes=[1, 0] : f32[3, 2, 3]\n"
	     "%y = add %1, %2 : f32[3, 2, 3]\nreturn y=%y\n");
	kept("%1 = reshape %x : f32[2, 3, 1]\n%y = exp %1 : f32[2, 3, 1]\nreturn y=%y\n");
}

TEST(simplify, slices_and_concats)
{
	simplified("%1 = concat %x, %x, %n, axis=1 : f32[a=2, b=9]\n"
		   "%y = slice %1, start=[0, 7], limit=[1, 9] : f32[a=1, b=2]\nreturn y=%y\n",
		   "%y = slice %n, start=[0, 1], limit=[1, 3] : f32[a=1, b=2]\nreturn y=%y\n");
	simplified("%1 = slice %x, start=[0, 0], limit=[2, 3], stride=[1, 2] : f32[2, 2]\n"
		   "%y = slice %1, start=[0, 1], limit=[2, 2] : f32[2, 1]\nreturn y=%y\n",
		   "%y = slice %x, start=[0, 2], limit=[2, 3], stride=[1, 2] : f32[2, 1]\n"
		   "return y=%y\n");
	simplified("%1 = slice %x, start=[0, 0], limit=[2, 3], stride=[1, 2] : f32[2, 2]\n"
		   "%y = slice %1, start=[0, 2], limit=[2, 2] : f32[2, 0]\nreturn y=%y\n",
		   "%y = slice %x, start=[0, 0], limit=[2, 0], stride=[1, 2] : f32[2, 0]\n"
		   "return y=%y\n");
	simplified("%1 = concat %x, %x, axis=0 : f32[4, 3]\n"
		   "%y = concat %x, %1, axis=0 : f32[6, 3]\nreturn y=%y\n",
		   "%y = concat %x, %x, %x, axis=0 : f32[6, 3]\nreturn y=%y\n");
	simplified("%1 = slice %x, start=[0, 0], limit=[2, 1] : f32[2, 1]\n"
		   "%2 = slice %x, start=[0, 1], limit=[2, 3], stride=[1, 1] : f32[2, 2]\n"
		   "%y = concat %1, %2, axis=1 : f32[2, 3]\nreturn y=%y\n",
		   "return y=%x\n");
}

TEST(simplify, signs)
{
	simplified("%1 = neg %n : f32[a=2, b=3]\n%y = add %x, %1 : f32[a=2, b=3]\nreturn y=%y\n",
		   "%y = sub %x, %n : f32[a=2, b=3]\nreturn y=%y\n");
	simplified("%1 = neg %i : i32[2, 3]\n%y = add %1, %i : i32[2, 3]\nreturn y=%y\n",
		   "%y = sub %i, %i : i32[2, 3]\nreturn y=%y\n");
	simplified("%1 = neg %x : f32[2, 3]\n%y = sub %x, %1 : f32[2, 3]\nreturn y=%y\n",
		   "%y = add %x, %x : f32[2, 3]\nreturn y=%y\n");
	simplified("%1 = neg %x : f32[2, 3]\n%y = mul %1, %1 : f32[2, 3]\nreturn y=%y\n",
		   "%y = mul %x, %x : f32[2, 3]\nreturn y=%y\n");
	/* -(x) - y and (-x) * y are no less work the other way. */
	kept("%1 = neg %x : f32[2, 3]\n%y = sub %1, %x : f32[2, 3]\nreturn y=%y\n");
}

TEST(simplify, products_for_quotients)
{
	simplified(SPLAT("c", "8", "f32") "%y = div %x, %c : f32[2, 3]\nreturn y=%y\n",
		   SPLAT("c", "0.125", "f32") "%y = mul %x, %c : f32[2, 3]\nreturn y=%y\n");
	simplified(SPLAT("c", "-0.5", "bf16") "%y = div %h, %c : bf16[2, 3]\nreturn y=%y\n",
		   SPLAT("c", "-2", "bf16") "%y = mul %h, %c : bf16[2, 3]\nreturn y=%y\n");
	simplified(SPLAT("c", "2", "f32") "%y = pow %x, %c : f32[2, 3]\nreturn y=%y\n",
		   "%y = mul %x, %x : f32[2, 3]\nreturn y=%y\n");
	kept(SPLAT("c", "3", "f32") "%y = div %x, %c : f32[2, 3]\nreturn y=%y\n");
	kept(SPLAT("c", "0", "f32") "%y = div %x, %c : f32[2, 3]\nreturn y=%y\n");
	/* 2^-140 is a number, 2^140 is not. */
	kept(SPLAT("c", "7.1746481e-43", "f32") "%y = div %x, %c : f32[2, 3]\nreturn y=%y\n");
	kept(SPLAT("c", "2", "i32") "%y = div %i, %c : i32[2, 3]\nreturn y=%y\n");
	kept("%1 = convert %x : f64[2, 3]\n" SPLAT("c", "2", "f64")
	     "%y = pow %1, %c : f64[2, 3]\nreturn y=%y\n");
}

TEST(simplify, negations)
{
	simplified("%1 = eq %x, %n : bool[a=2, b=3]\n%y = not %1 : bool[a=2, b=3]\nreturn y=%y\n",
		   "%y = ne %x, %n : bool[a=2, b=3]\nreturn y=%y\n");
	simplified("%c = add %i, %i : i32[2, 3]\n%1 = le %i, %c : bool[2, 3]\n"
		   "%y = not %1 : bool[2, 3]\nreturn y=%y\n",
		   "%c = add %i, %i : i32[2, 3]\n%y = gt %i, %c : bool[2, 3]\nreturn y=%y\n");
	simplified("%1 = not %p : bool[2, 3]\n%2 = neg %x : f32[2, 3]\n"
		   "%y = select %1, %x, %2 : f32[2, 3]\nreturn y=%y\n",
		   "%2 = neg %x : f32[2, 3]\n%y = select %p, %2, %x : f32[2, 3]\nreturn y=%y\n");
	/* Neither NaN < 1 nor NaN >= 1. */
	kept("%1 = lt %x, %n : bool[a=2, b=3]\n%y = not %1 : bool[a=2, b=3]\nreturn y=%y\n");
}

TEST(simplify, moves_of_nothing)
{
	simplified("%y = slice %t, start=[0, 0], limit=[7, 2] : f32[t<=7, 2]\nreturn y=%y\n",
		   "return y=%t\n");
	simplified("%1 = reverse %x, axes=[1] : f32[2, 3]\n"
		   "%y = reverse %1, axes=[1] : f32[2, 3]\nreturn y=%y\n",
		   "return y=%x\n");
	simplified("%c = const {0} : f32[]\n"
		   "%y = pad %x, %c, low=[0, 0], high=[0, 0] : f32[2, 3]\nreturn y=%y\n",
		   "return y=%x\n");
	simplified("%y = concat %x, axis=0 : f32[2, 3]\nreturn y=%y\n", "return y=%x\n");
	kept("%c = const {0} : f32[]\n"
	     "%y = pad %x, %c, low=[1, 0], high=[-1, 0] : f32[2, 3]\nreturn y=%y\n");
	kept("%y = slice %x, start=[0, 0], limit=[2, 3], stride=[1, 2] : f32[2, 2]\n"
	     "return y=%y\n");
}

/* A value that takes another's place keeps the type that its users saw. */
TEST(simplify, names_of_axes)
{
	simplified("%c = const {1, 1, 1, 1, 1, 1} : f32[a=2, b=3]\n"
		   "%y = mul %x, %c : f32[a=2, b=3]\nreturn y=%y\n",
		   "%y = reshape %x : f32[a=2, b=3]\nreturn y=%y\n");
	simplified("%c = const {1, 1, 1, 1, 1, 1} : f32[2, 3]\n"
		   "%y = mul %n, %c : f32[a=2, b=3]\nreturn y=%y\n",
		   "return y=%n\n");
}

TEST(simplify, one_rule_opens_the_next)
{
	simplified("%e = extent %x, axis=0 : i32[]\n%2 = const {2} : i32[]\n"
		   "%3 = sub %e, %2 : i32[]\n%4 = convert %3 : f32[]\n"
		   "%5 = broadcast %4, axes=[] : f32[2, 3]\n%6 = neg %5 : f32[2, 3]\n"
		   "%7 = neg %x : f32[2, 3]\n%8 = add %6, %7 : f32[2, 3]\n"
		   "%y = neg %8 : f32[2, 3]\n%z = neg %y : f32[2, 3]\nreturn y=%z\n",
		   "%1 = neg %x : f32[2, 3]\nreturn y=%1\n");
}

TEST(fold, constants)
{
	check_rewrite(ir_fold,
		      "%c = const {1, 2, 3} : f32[3]\n%d = const {4, 5, 6} : f32[3]\n"
		      "%1 = mul %c, %d : f32[3]\n%2 = reduce %1, by=add, axes=[0] : f32[]\n"
		      "%3 = sqrt %2 : f32[]\n%y = broadcast %3, axes=[] : f32[2, 3]\n"
		      "%e = extent %t, axis=1 : i32[]\nreturn y=%y, e=%e\n",
		      "%1 = const {5.656854} : f32[]\n%y = broadcast %1, axes=[] : f32[2, 3]\n"
		      "%e = const {2} : i32[]\nreturn y=%y, e=%e\n");
}

TEST(fold, nothing_that_grows)
{
	const char *body = "%c = const {1} : f32[]\n%1 = broadcast %c, axes=[] : f32[100]\n"
			   "%2 = iota axis=0 : f32[3]\n"
			   "%3 = pad %1, %c, low=[1], high=[1] : f32[102]\n"
			   "%4 = extent %t, axis=0 : i32[]\n"
			   "%5 = const {1, 2, 3, 4, 5, 6, 7, 8, 9} : f32[9]\n"
			   "%6 = dot %5, %5 : f32[9, 9]\n"
			   "return a=%1, b=%2, c=%3, d=%4, e=%6\n";
	check_rewrite(ir_fold, body, body);
}

/* ---- random graphs ---- */

#define MOST_VALUES 40

struct source {
	uint64_t seed;
	adze_graph *g;
	ir_val value[MOST_VALUES];
	size_t n;
};

static size_t pick(struct source *s, size_t n)
{
	return (size_t)(check_random(&s->seed) >> 33) % n;
}

static ir_val pick_value(struct source *s)
{
	return s->value[pick(s, 3) == 0 ? pick(s, s->n) : s->n - 1 - pick(s, s->n < 8 ? s->n : 8)];
}

/* One element: one of those that rules care about, or any. */
static void fill_element(struct source *s, adze_dtype dtype, void *at, size_t i)
{
	static const double special[] = {0, -0.0, 1, -1, 2, 0.5, INFINITY, -INFINITY, NAN, 1e-40};
	static const int64_t whole[] = {0, 1, -1, 2, INT64_MIN, INT64_MAX, 127, 128, 31, 8};
	size_t k = pick(s, COUNT_OF(special) + 3);
	double any = (double)check_random_float(&s->seed) * 100;
	double v = k < COUNT_OF(special) ? special[k] : any;
	if (dtype_is_float(dtype))
		dtype_store_float(dtype, at, i, v);
	else if (dtype_is_complex(dtype))
		dtype_store_complex(dtype, at, i, (double[2]){v, any});
	else
		dtype_store_int(dtype, at, i,
				k < COUNT_OF(whole) ? whole[k] : (int64_t)check_random(&s->seed));
}

static ir_val emit_const(struct source *s, const adze_shape *type)
{
	uint64_t bytes[2 * 64] = {0};
	if (!shape_is_static(type) || shape_count(type) > 64)
		return 0;
	bool all = pick(s, 2) == 0;
	for (int64_t i = 0; i < shape_count(type); i++) {
		if (all && i > 0)
			dtype_copy_at(type->dtype, bytes, (size_t)i, bytes, 0);
		else
			fill_element(s, type->dtype, bytes, (size_t)i);
	}
	return ir_const(s->g, type, bytes);
}

static ir_val emit_splat(struct source *s, const adze_shape *type)
{
	struct attrs_axes none = {.axes = {.n = 0}};
	adze_shape scalar = shape_make(type->dtype, 0, NULL);
	return ir_emit1(s->g, OP_BROADCAST, emit_const(s, &scalar), &none, type);
}

/* A value of that type: one that is there, a splat, or a constant. */
static ir_val find_like(struct source *s, const adze_shape *type)
{
	for (int i = 0; i < 20; i++) {
		ir_val v = pick_value(s);
		if (ir_type(s->g, v)->dtype == type->dtype &&
		    shape_same_extents(ir_type(s->g, v), type))
			return v;
	}
	ir_val v = pick(s, 2) == 0 ? emit_const(s, type) : 0;
	return v != 0 ? v : emit_splat(s, type);
}

static ir_val emit_ew(struct source *s, ir_val x)
{
	static const enum ew often[] = {EW_ADD, EW_SUB, EW_MUL, EW_DIV, EW_MAX, EW_MIN, EW_AND,
					EW_OR,  EW_XOR, EW_SHL, EW_SHR, EW_NEG, EW_NOT, EW_ABS};
	enum ew f = pick(s, 3) > 0 ? often[pick(s, COUNT_OF(often))] : (enum ew)pick(s, EW_COUNT);
	adze_shape type = *ir_type(s->g, x);
	ir_val args[3] = {x, 0, 0};
	if (!dtype_taken(type.dtype, ew_info(f)->takes))
		return 0;
	for (int i = 1; i < ew_info(f)->n; i++)
		args[i] = find_like(s, &type);
	if (ew_info(f)->n == 2 && pick(s, 2) == 0) {
		args[0] = args[1];
		args[1] = x;
	}
	return ir_emit(s->g, op_from_ew(f), args, (size_t)ew_info(f)->n, NULL, NULL);
}

static ir_val emit_select(struct source *s, ir_val x)
{
	adze_shape type = *ir_type(s->g, x), which = type;
	which.dtype = ADZE_BOOL;
	ir_val args[3] = {find_like(s, &which), x, find_like(s, &type)};
	return ir_emit(s->g, OP_SELECT, args, 3, NULL, NULL);
}

static ir_val emit_convert(struct source *s, ir_val x)
{
	adze_shape type = *ir_type(s->g, x);
	type.dtype = (adze_dtype)pick(s, ADZE_DTYPE_COUNT);
	return ir_emit1(s->g, OP_CONVERT, x, NULL, &type);
}

/* Takes axes of extent 1 out or puts one in, or makes two axes one. */
static ir_val emit_reshape(struct source *s, ir_val x)
{
	adze_shape from = *ir_type(s->g, x), to = shape_make(from.dtype, 0, NULL);
	size_t how = pick(s, 3);
	for (int i = 0; i < from.rank && to.rank < 5; i++) {
		if (how == 0 && pick(s, 2) == 0)
			to.dim[to.rank++] = dim_make(1);
		if (how == 2 && i == 1 && dim_is_static(&from.dim[0]) &&
		    dim_is_static(&from.dim[1]))
			to.dim[0] = dim_make(from.dim[0].size * from.dim[1].size);
		else if (how != 1 || from.dim[i].size != 1 || !dim_is_static(&from.dim[i]))
			to.dim[to.rank++] = from.dim[i];
	}
	return ir_emit1(s->g, OP_RESHAPE, x, NULL, &to);
}

static ir_val emit_transpose(struct source *s, ir_val x)
{
	struct attrs_axes a = {.axes = {.n = ir_type(s->g, x)->rank}};
	for (int i = 0; i < a.axes.n; i++)
		a.axes.at[i] = i;
	for (int i = (int)a.axes.n - 1; i > 0 && pick(s, 5) > 0; i--) {
		int k = (int)pick(s, (size_t)i + 1);
		int64_t t = a.axes.at[i];
		a.axes.at[i] = a.axes.at[k];
		a.axes.at[k] = t;
	}
	return ir_emit1(s->g, OP_TRANSPOSE, x, &a, NULL);
}

static ir_val emit_broadcast(struct source *s, ir_val x)
{
	adze_shape from = *ir_type(s->g, x), to = shape_make(from.dtype, 0, NULL);
	struct attrs_axes a = {.axes = {.n = from.rank}};
	for (int i = 0; i < from.rank; i++) {
		if (pick(s, 5) == 0 && to.rank + from.rank - i < ADZE_MAX_RANK)
			to.dim[to.rank++] = dim_make((int64_t)pick(s, 3));
		a.axes.at[i] = to.rank;
		to.dim[to.rank] = from.dim[i];
		if (dim_is_static(&from.dim[i]) && from.dim[i].size == 1 && pick(s, 2) == 0)
			to.dim[to.rank].size = 2;
		to.rank++;
	}
	return ir_emit1(s->g, OP_BROADCAST, x, &a, &to);
}

static ir_val emit_slice(struct source *s, ir_val x)
{
	const adze_shape *type = ir_type(s->g, x);
	struct attrs_slice a = {.start = {.n = type->rank}, .limit = {.n = type->rank}};
	if (pick(s, 2) == 0)
		a.stride.n = type->rank;
	for (int i = 0; i < type->rank; i++) {
		bool cut = dim_is_static(&type->dim[i]) && type->dim[i].size > 0 && pick(s, 3) == 0;
		a.start.at[i] = cut ? (int64_t)pick(s, (size_t)type->dim[i].size) : 0;
		a.limit.at[i] = type->dim[i].size;
		a.stride.at[i] = a.stride.n == 0 ? 0 : cut ? 1 + (int64_t)pick(s, 2) : 1;
	}
	return ir_emit1(s->g, OP_SLICE, x, &a, NULL);
}

static ir_val emit_reverse(struct source *s, ir_val x)
{
	const adze_shape *type = ir_type(s->g, x);
	struct attrs_axes a = {.axes = {.n = 0}};
	for (int i = 0; i < type->rank; i++)
		if (dim_is_static(&type->dim[i]) && pick(s, 2) == 0)
			a.axes.at[a.axes.n++] = i;
	return ir_emit1(s->g, OP_REVERSE, x, &a, NULL);
}

static ir_val emit_pad(struct source *s, ir_val x)
{
	adze_shape type = *ir_type(s->g, x), scalar = shape_make(type.dtype, 0, NULL);
	struct attrs_pad a = {.low = {.n = type.rank}, .high = {.n = type.rank}};
	for (int i = 0; i < type.rank && pick(s, 2) == 0; i++)
		if (dim_is_static(&type.dim[i])) {
			a.low.at[i] = (int64_t)pick(s, 3) - 1;
			a.high.at[i] = (int64_t)pick(s, 3) - 1;
		}
	return ir_emit2(s->g, OP_PAD, x, emit_const(s, &scalar), &a);
}

static ir_val emit_concat(struct source *s, ir_val x)
{
	adze_shape type = *ir_type(s->g, x);
	if (type.rank == 0)
		return 0;
	struct attrs_axis a = {.axis = (int64_t)pick(s, (size_t)type.rank)};
	ir_val args[2] = {x, find_like(s, &type)};
	return ir_emit(s->g, OP_CONCAT, args, 1 + pick(s, 2), &a, NULL);
}

static ir_val emit_reduce(struct source *s, ir_val x)
{
	const adze_shape *type = ir_type(s->g, x);
	struct attrs_reduce a = {.by = (enum ew)pick(s, EW_COUNT)};
	for (int i = 0; i < type->rank; i++)
		if (pick(s, 2) == 0)
			a.axes.at[a.axes.n++] = i;
	return ir_emit1(s->g, OP_REDUCE, x, &a, NULL);
}

static ir_val emit_extent(struct source *s, ir_val x)
{
	const adze_shape *type = ir_type(s->g, x);
	struct attrs_axis a = {.axis = type->rank > 0 ? (int64_t)pick(s, (size_t)type->rank) : 0};
	return ir_emit1(s->g, OP_EXTENT, x, &a, NULL);
}

static ir_val emit_iota(struct source *s, ir_val x)
{
	adze_shape type = *ir_type(s->g, x);
	struct attrs_axis a = {.axis = type.rank > 0 ? (int64_t)pick(s, (size_t)type.rank) : 0};
	return ir_emit(s->g, OP_IOTA, NULL, 0, &a, &type);
}

static ir_val emit_take(struct source *s, ir_val x)
{
	const adze_shape *type = ir_type(s->g, x);
	struct attrs_axis a = {.axis = type->rank > 0 ? (int64_t)pick(s, (size_t)type->rank) : 0};
	return ir_emit2(s->g, OP_TAKE, x, pick_value(s), &a);
}

/* Refused operations are part of the game: they leave the graph as it was. */
static void grow(struct source *s)
{
	typedef ir_val emit_function(struct source *s, ir_val x);
	static emit_function *const once[] = {emit_ew,  emit_ew,     emit_ew,     emit_ew,
					      emit_ew,  emit_ew,     emit_select, emit_slice,
					      emit_pad, emit_concat, emit_reduce, emit_extent,
					      emit_iota, emit_take};
	static emit_function *const twice[] = {emit_convert, emit_reshape, emit_transpose,
					       emit_broadcast, emit_reverse};
	ir_val y = pick_value(s);
	size_t k = pick(s, COUNT_OF(once) + COUNT_OF(twice));
	if (k < COUNT_OF(once)) {
		y = once[k](s, y);
	} else {
		y = twice[k - COUNT_OF(once)](s, y);
		y = y != 0 ? twice[k - COUNT_OF(once)](s, y) : 0;
	}
	diag_clear(&s->g->diag);
	if (y != 0 && shape_count(ir_type(s->g, y)) <= 200 && ir_type(s->g, y)->rank <= 5)
		s->value[s->n++] = y;
}

static adze_graph *make_graph(uint64_t seed)
{
	static const char *const type[] = {"2, 3", "t<=4, 2", "a=2, b=3", "2, 3", "", "3, 1, 2"};
	struct source s = {.seed = seed, .g = ir_graph_create(&mem_libc, "random")};
	for (size_t i = 0; i < 8; i++) {
		char name[8];
		adze_shape shape;
		const char *text = type[pick(&s, COUNT_OF(type))];
		adze_dtype dtype = pick(&s, 2) == 0 ? ADZE_F32
						    : (adze_dtype)pick(&s, ADZE_DTYPE_COUNT);
		char list[32];
		snprintf(name, sizeof name, "x%zu", i);
		snprintf(list, sizeof list, "[%s]", text);
		CHECK(shape_parse(list, strlen(list), dtype, &shape, NULL) == ADZE_OK);
		s.value[s.n++] = ir_input(s.g, name, &shape);
	}
	for (int i = 0; i < 400 && s.n < MOST_VALUES; i++)
		grow(&s);
	CHECK(s.n == MOST_VALUES);
	for (size_t i = 0; i < 12; i++) {
		char name[8];
		snprintf(name, sizeof name, "y%zu", i);
		ir_output(s.g, name, s.value[s.n - 1 - 2 * i], 0);
	}
	CHECK_MSG(s.g->diag.status == ADZE_OK, "%s", s.g->diag.text);
	return s.g;
}

static void run(const adze_graph *g, uint64_t seed, int64_t t, char (*room)[4096])
{
	static uint64_t given[8][2 * 32];
	struct source s = {.seed = seed ^ (uint64_t)t};
	const void *inputs[8];
	void *outputs[12];
	struct diag d = {ADZE_OK, ""};
	int64_t symbol[ADZE_MAX_SYMBOLS] = {t};
	for (size_t i = 0; i < g->ninput; i++) {
		adze_dtype dtype = ir_type(g, g->input[i])->dtype;
		for (size_t k = 0; k < 32; k++)
			fill_element(&s, dtype, given[i], k);
		inputs[i] = given[i];
	}
	for (size_t i = 0; i < g->noutput; i++)
		outputs[i] = room[i];
	CHECK_MSG(ir_eval(g, symbol, inputs, NULL, outputs, &d) == ADZE_OK, "%s", d.text);
}

static void check_same(const adze_graph *before, const adze_graph *after, uint64_t seed,
		       const char *pass)
{
	static char want[12][4096], got[12][4096];
	CHECK(before->ninput == after->ninput && before->noutput == after->noutput);
	for (int64_t t = 0; t <= 4; t++) {
		run(before, seed, t, want);
		run(after, seed, t, got);
		for (size_t i = 0; i < before->noutput; i++) {
			const adze_shape *y = ir_type(before, before->output[i].value);
			char words[400];
			size_t n = 1;
			for (int k = 0; k < y->rank; k++)
				n *= (size_t)ir_extent(before, &y->dim[k], &t);
			CHECK(memcmp(y, ir_type(after, after->output[i].value), sizeof *y) == 0);
			CHECK_MSG(compare_tensors(y->dtype, got[i], want[i], n, "exact", words,
						  sizeof words),
				  "seed %llu, t %lld, after %s, output %zu: %s",
				  (unsigned long long)seed, (long long)t, pass, i, words);
		}
	}
}

static void check_pass(const adze_graph *before, adze_graph **g, pass_function *pass,
		       const char *name, uint64_t seed)
{
	struct diag d = {ADZE_OK, ""};
	CHECK_MSG(pass(g, &d) == ADZE_OK, "seed %llu: %s", (unsigned long long)seed, d.text);
	CHECK_MSG(ir_verify(*g, &d) == ADZE_OK, "seed %llu: %s", (unsigned long long)seed, d.text);
	check_same(before, *g, seed, name);
}

/* Run again, the pass must find nothing more to do. */
static void check_done(adze_graph **g, pass_function *pass, uint64_t seed)
{
	struct text first, second;
	struct diag d = {ADZE_OK, ""};
	text_init(&first, &mem_libc);
	text_init(&second, &mem_libc);
	ir_print(*g, &first);
	CHECK_MSG(pass(g, &d) == ADZE_OK, "%s", d.text);
	ir_print(*g, &second);
	CHECK_MSG(strcmp(first.at, second.at) == 0, "seed %llu: first\n%sthen\n%s",
		  (unsigned long long)seed, first.at, second.at);
	text_fini(&first);
	text_fini(&second);
}

TEST(rewrite, random_graphs_mean_the_same)
{
	uint64_t seed = check_seed();
	size_t before = 0, after = 0;
	for (int i = 0; i < 1000; i++) {
		uint64_t one = check_random(&seed);
		adze_graph *g = make_graph(one), *to = NULL;
		CHECK(ir_rebuild(g, NULL, NULL, NULL, 0, &to) == ADZE_OK);
		before += to->nnode;
		check_same(g, to, one, "copying");
		check_pass(g, &to, ir_fold, "fold", one);
		check_pass(g, &to, ir_simplify, "simplify", one);
		after += to->nnode;
		check_done(&to, ir_simplify, one);
		check_done(&to, ir_fold, one);
		ir_graph_destroy(g);
		ir_graph_destroy(to);
	}
	CHECK_MSG(after * 10 < before * 9, "%zu nodes became %zu", before, after);
}

#define CHAIN 256

/* Elements of all magnitudes: all of a type of 8 bits, else any bits and what rules look at. */
static void fill_chain(adze_dtype dtype, uint64_t *bytes)
{
	struct source s = {.seed = check_seed()};
	size_t size = dtype_bytes(dtype);
	for (size_t i = 0; i < CHAIN; i++) {
		uint64_t bits[2] = {size == 1 ? i : check_random(&s.seed), check_random(&s.seed)};
		if (dtype == ADZE_BOOL)
			bits[0] &= 1;
		dtype_copy_at(dtype, bytes, i, bits, 0);
		if (size > 1 && i % 2 == 0)
			fill_element(&s, dtype, bytes, i);
	}
}

TEST(rewrite, every_chain_of_converts)
{
	static uint64_t x[2 * CHAIN], want[2 * CHAIN], got[2 * CHAIN];
	const int64_t extent = CHAIN;
	size_t shorter = 0;
	for (int i = 0; i < ADZE_DTYPE_COUNT * ADZE_DTYPE_COUNT * ADZE_DTYPE_COUNT; i++) {
		adze_shape type[3];
		int rest = i;
		for (int k = 0; k < 3; k++, rest /= ADZE_DTYPE_COUNT)
			type[k] = shape_make((adze_dtype)(rest % ADZE_DTYPE_COUNT), 1, &extent);
		adze_graph *g = ir_graph_create(&mem_libc, "chain");
		ir_val v = ir_input(g, "x", &type[0]);
		for (int k = 1; k < 3; k++)
			v = ir_emit1(g, OP_CONVERT, v, NULL, &type[k]);
		ir_output(g, "y", v, 0);
		struct diag d = {ADZE_OK, ""};
		char words[400];
		const void *inputs[] = {x};
		void *before[] = {want}, *after[] = {got};
		fill_chain(type[0].dtype, x);
		CHECK_MSG(ir_eval(g, NULL, inputs, NULL, before, &d) == ADZE_OK, "%s", d.text);
		CHECK_MSG(ir_simplify(&g, &d) == ADZE_OK, "%s", d.text);
		CHECK_MSG(ir_eval(g, NULL, inputs, NULL, after, &d) == ADZE_OK, "%s", d.text);
		CHECK_MSG(compare_tensors(type[2].dtype, got, want, CHAIN, "exact", words,
					  sizeof words),
			  "%s to %s to %s: %s", dtype_info(type[0].dtype)->name,
			  dtype_info(type[1].dtype)->name, dtype_info(type[2].dtype)->name, words);
		shorter += g->nnode < 4;
		ir_graph_destroy(g);
	}
	CHECK_MSG(shorter > 1000, "%zu chains got shorter", shorter);
}

TEST(rewrite, memory_that_cannot_be_had)
{
	static pass_function *const pass[] = {ir_fold, ir_simplify};
	struct check_memory m = {.fail_after = -1};
	adze_allocator a = {check_resize, &m};
	for (size_t i = 0; i < COUNT_OF(pass); i++) {
		adze_status status;
		long n = 0;
		do {
			adze_graph *g = make_graph(7), *to = NULL;
			const adze_allocator *had = g->arena.from;
			CHECK(g != NULL && had == &mem_libc);
			struct text t;
			struct diag d = {ADZE_OK, ""};
			text_init(&t, &mem_libc);
			ir_print(g, &t);
			CHECK_MSG(ir_parse(&a, t.at, t.len, "t", &d, &to) == ADZE_OK, "%s", d.text);
			m.fail_after = m.calls + n;
			status = pass[i](&to, &d);
			m.fail_after = -1;
			CHECK(status == ADZE_OK || status == ADZE_E_NOMEM);
			CHECK(status == d.status);
			CHECK(ir_verify(to, &d) == ADZE_OK || status != ADZE_OK);
			ir_graph_destroy(to);
			ir_graph_destroy(g);
			text_fini(&t);
			CHECK_MSG(m.live_blocks == 0, "%ld blocks left", m.live_blocks);
		} while (status != ADZE_OK && ++n < 2000);
		CHECK_MSG(status == ADZE_OK && n > 10, "%ld calls failed", n);
	}
}
