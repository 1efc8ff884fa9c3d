/* SPDX-License-Identifier: Apache-2.0
 *
 * Pass match: each spelling of patterns.def becomes its operation, which gives the same numbers;
 * what only looks like one stays as it is.
 */
#include <stdio.h>
#include <string.h>

#include "ir/graph.h"
#include "tests/check.h"
#include "tests/compare.h"

#define HEAD                                                                                 \
	"graph t(%x: f32[4, 6], %w: f32[6], %b: f32[6], %z: f32[2, 3, 4, 6], %h: bf16[4, 6]," \
	" %s: f32[t<=4, 6]) {\n"
/* A number all over a shape. */
#define ALL(name, value, dims) \
	"%" name "0 = const {" value "} : f32[]\n%" name " = broadcast %" name "0 : f32[" dims "]\n"
#define SPREAD(name, x) "%" name " = broadcast %" x ", axes=[0] : f32[4, 6]\n"
#define LAST(name, x) "%" name " = broadcast %" x ", axes=[1] : f32[4, 6]\n"

#define MOST 2048
static float given[6][MOST], result[2][MOST];

static adze_graph *parse(const char *body)
{
	char text[8192];
	struct diag d = {ADZE_OK, ""};
	adze_graph *g = NULL;
	snprintf(text, sizeof text, "%s%s}\n", HEAD, body);
	CHECK_MSG(ir_parse(&mem_libc, text, strlen(text), "test", &d, &g) == ADZE_OK, "%s\n%s",
		  d.text, text);
	return g;
}

static void evaluate(const adze_graph *g, float *y)
{
	const void *in[6] = {given[0], given[1], given[2], given[3], given[4], given[5]};
	void *out[1] = {y};
	int64_t symbol[ADZE_MAX_SYMBOLS] = {3};
	struct diag d = {ADZE_OK, ""};
	CHECK_MSG(ir_eval(g, symbol, in, NULL, out, &d) == ADZE_OK, "%s", d.text);
}

static void fill_given(void)
{
	uint32_t seed = 12345;
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < MOST; k++) {
			seed = seed * 1664525 + 1013904223;
			given[i][k] = (float)(seed >> 8) / (1 << 22) - 2;
		}
	for (size_t k = 0; k < MOST; k++)
		dtype_store_float(ADZE_BF16, given[4], k, given[0][k]);
}

/* After simplify and match, the graph has `has` in its text and none of `gone`, and gives the
 * same numbers. */
static void becomes(const char *body, const char *has, const char *gone)
{
	struct ir_pass_options options = {.passes = "fold,simplify,match"};
	struct diag d = {ADZE_OK, ""};
	struct text text;
	char words[400];
	adze_graph *before = parse(body), *after = parse(body);
	CHECK_MSG(ir_run_passes(&after, &options, &d) == ADZE_OK, "%s", d.text);
	text_init(&text, &mem_libc);
	ir_print(after, &text);
	CHECK_MSG(strstr(text.at, has) != NULL, "no '%s' in\n%s", has, text.at);
	CHECK_MSG(strstr(text.at, gone) == NULL, "'%s' in\n%s", gone, text.at);
	fill_given();
	evaluate(before, result[0]);
	evaluate(after, result[1]);
	const adze_shape *y = ir_type(before, before->output[0].value);
	CHECK(memcmp(y, ir_type(after, after->output[0].value), sizeof *y) == 0);
	CHECK_MSG(compare_tensors(y->dtype, result[1], result[0], (size_t)shape_count(y) / 4 * 3,
				  y->dtype == ADZE_BF16 ? "ulp:2" : "rel:2e-5 abs:2e-6", words,
				  sizeof words),
		  "%s\n%s", words, text.at);
	text_fini(&text);
	ir_graph_destroy(before);
	ir_graph_destroy(after);
}

/* None of the operations that match makes of anything. */
static void stays(const char *body, const char *without)
{
	becomes(body, "graph", without);
}

#define ONE ALL("one", "1", "4, 6")
#define HALF ALL("half", "0.5", "4, 6")

TEST(match, logistic)
{
	becomes(ONE "%1 = neg %x\n%2 = exp %1\n%3 = add %2, %one\n%4 = div %one, %3\nreturn y=%4\n",
		"logistic", "exp");
	stays(ONE "%1 = exp %x\n%2 = add %1, %one\n%3 = div %one, %2\nreturn y=%3\n", "logistic");
}

TEST(match, silu)
{
	becomes("%1 = logistic %x\n%2 = mul %1, %x\nreturn y=%2\n", "silu", "logistic");
	becomes(ONE "%1 = neg %x\n%2 = exp %1\n%3 = add %one, %2\n%4 = div %x, %3\nreturn y=%4\n",
		"silu", "exp");
	becomes(ONE "%1 = neg %x\n%2 = exp %1\n%3 = add %one, %2\n%4 = div %one, %3\n"
		"%5 = mul %x, %4\nreturn y=%5\n",
		"silu", "exp");
	stays("%1 = logistic %x\n%2 = exp %x\n%3 = mul %1, %2\nreturn y=%3\n", "silu");
}

TEST(match, gelu)
{
#define ERF ALL("r", "1.4142135", "4, 6") "%1 = div %x, %r\n%2 = erf %1\n%3 = add %2, %one\n"
	becomes(ONE HALF ERF "%4 = mul %x, %3\n%5 = mul %4, %half\nreturn y=%5\n", "gelu", "erf");
	becomes(ONE HALF ERF "%4 = mul %half, %x\n%5 = mul %4, %3\nreturn y=%5\n", "gelu", "erf");
	becomes(ONE ALL("two", "2", "4, 6") ERF "%4 = div %3, %two\n%5 = mul %x, %4\nreturn y=%5\n",
		"gelu", "erf");
	becomes(ONE HALF ALL("r", "0.70710677", "4, 6")
		"%1 = mul %r, %x\n%2 = erf %1\n%3 = add %one, %2\n%4 = mul %3, %half\n"
		"%5 = mul %4, %x\nreturn y=%5\n",
		"gelu", "erf");
	stays(ONE ALL("half", "0.51", "4, 6") ERF
	      "%4 = mul %x, %3\n%5 = mul %4, %half\nreturn y=%5\n",
	      "gelu");
}

TEST(match, gelu_tanh)
{
#define CUBIC ALL("k", "0.044715", "4, 6") ALL("p", "0.7978846", "4, 6")
#define TANH "%t = tanh %a\n%u = add %t, %one\n%v = mul %x, %u\n%y = mul %v, %half\nreturn y=%y\n"
	becomes(ONE HALF CUBIC ALL("three", "3", "4, 6")
		"%1 = pow %x, %three\n%2 = mul %1, %k\n%3 = add %x, %2\n%a = mul %3, %p\n" TANH,
		"gelu_tanh", " tanh");
	becomes(ONE HALF CUBIC "%1 = mul %x, %x\n%2 = mul %1, %x\n%3 = mul %2, %k\n"
		"%4 = add %3, %x\n%a = mul %p, %4\n" TANH,
		"gelu_tanh", " tanh");
	becomes(ONE HALF CUBIC "%1 = mul %k, %x\n%2 = mul %1, %x\n%3 = add %2, %one\n"
		"%4 = mul %x, %p\n%a = mul %4, %3\n" TANH,
		"gelu_tanh", " tanh");
	becomes(CUBIC ALL("q", "1.5957692", "4, 6")
		"%1 = mul %x, %x\n%2 = mul %1, %x\n%3 = mul %2, %k\n%4 = add %3, %x\n"
		"%5 = mul %q, %4\n%6 = logistic %5\n%7 = mul %x, %6\nreturn y=%7\n",
		"gelu_tanh", "logistic");
}

TEST(match, softmax)
{
#define MOST_OF "%m = reduce %x, by=max, axes=[1]\n"
#define EXP "%d = sub %x, %n\n%e = exp %d\n%f = reduce %e, axes=[1]\n"
	becomes(MOST_OF SPREAD("n", "m") EXP SPREAD("g", "f") "%y = div %e, %g\nreturn y=%y\n",
		"softmax", "reduce");
	/* Axes that are kept, and 1 / sum. */
	becomes(MOST_OF "%k = reshape %m : f32[4, 1]\n%n = broadcast %k, axes=[0, 1] : f32[4, 6]\n"
		EXP "%l = reshape %f : f32[4, 1]\n" ALL("one", "1", "4, 1") "%i = div %one, %l\n"
		"%g = broadcast %i, axes=[0, 1] : f32[4, 6]\n%y = mul %g, %e\nreturn y=%y\n",
		"softmax", "reduce");
	/* Along the first axis, and of a symbol. */
	becomes("%m = reduce %x, by=max, axes=[0]\n" LAST("n", "m")
		"%d = sub %x, %n\n%e = exp %d\n%f = reduce %e, axes=[0]\n" LAST("g", "f")
		"%y = div %e, %g\nreturn y=%y\n",
		"softmax", "reduce");
	becomes("%m = reduce %s, by=max, axes=[1]\n%n = broadcast %m, axes=[0] : f32[t<=4, 6]\n"
		"%d = sub %s, %n\n%e = exp %d\n%f = reduce %e, axes=[1]\n"
		"%g = broadcast %f, axes=[0] : f32[t<=4, 6]\n%y = div %e, %g\nreturn y=%y\n",
		"softmax", "reduce");
	/* Without the largest it overflows; other axes; another sum. */
	stays("%e = exp %x\n%f = reduce %e, axes=[1]\n" SPREAD("g", "f")
	      "%y = div %e, %g\nreturn y=%y\n", "softmax");
	stays("%m = reduce %x, by=max, axes=[0]\n" LAST("n", "m") EXP SPREAD("g", "f")
	      "%y = div %e, %g\nreturn y=%y\n", "softmax");
	stays(MOST_OF SPREAD("n", "m") "%d = sub %x, %n\n%e = exp %d\n%f = reduce %d, axes=[1]\n"
	      SPREAD("g", "f") "%y = div %e, %g\nreturn y=%y\n", "softmax");
}

#define EPS "%eps = const {1e-05} : f32[]\n%eps4 = broadcast %eps : f32[4]\n"
#define SIX "%six = const {6} : f32[]\n%six4 = broadcast %six : f32[4]\n"
#define MEAN "%m = reduce %x, axes=[1]\n%mean = div %m, %six4\n" SPREAD("ms", "mean") \
	"%d = sub %x, %ms\n"
#define VARIANCE "%dd = mul %d, %d\n%v = reduce %dd, axes=[1]\n%var = div %v, %six4\n" \
	"%ve = add %var, %eps4\n"

TEST(match, layer_norm)
{
	becomes(SIX EPS MEAN VARIANCE "%r = rsqrt %ve\n" SPREAD("rs", "r")
		"%y = mul %d, %rs\nreturn y=%y\n", "layer_norm", "reduce");
	becomes(SIX EPS MEAN VARIANCE "%r = sqrt %ve\n" SPREAD("rs", "r") LAST("ws", "w")
		LAST("bs", "b") "%1 = div %d, %rs\n%2 = mul %1, %ws\n%y = add %2, %bs\n"
		"return y=%y\n", "layer_norm", "reduce");
	/* The root of kept axes joins the scale first; 1 / n; 1 / sqrt; a power of 2. */
	becomes(EPS "%n = const {0.16666667} : f32[]\n%n4 = broadcast %n : f32[4]\n"
		"%m = reduce %x, axes=[1]\n%mean = mul %m, %n4\n%mk = reshape %mean : f32[4, 1]\n"
		"%ms = broadcast %mk, axes=[0, 1] : f32[4, 6]\n%d = sub %x, %ms\n"
		ALL("two", "2", "4, 6") "%dd = pow %d, %two\n%v = reduce %dd, axes=[1]\n"
		"%var = mul %v, %n4\n%ve = add %var, %eps4\n%r = sqrt %ve\n"
		"%o = const {1} : f32[]\n%o4 = broadcast %o : f32[4]\n%i = div %o4, %r\n"
		SPREAD("is", "i") LAST("ws", "w") LAST("bs", "b")
		"%1 = mul %is, %ws\n%2 = mul %d, %1\n%y = add %bs, %2\nreturn y=%y\n",
		"layer_norm", "reduce");
	/* From the mean of squares. */
#define SQUARES "%xx = mul %x, %x\n%q = reduce %xx, axes=[1]\n%qm = div %q, %six4\n" \
	"%mm = mul %mean, %mean\n%var = sub %qm, %mm\n"
	becomes(SIX EPS MEAN SQUARES "%ve = add %var, %eps4\n%r = rsqrt %ve\n" SPREAD("rs", "r")
		"%y = mul %d, %rs\nreturn y=%y\n", "layer_norm", "reduce");
	becomes(SIX EPS MEAN SQUARES "%o = const {0} : f32[]\n%o4 = broadcast %o : f32[4]\n"
		"%c = max %var, %o4\n%ve = add %c, %eps4\n%r = rsqrt %ve\n" SPREAD("rs", "r")
		"%y = mul %d, %rs\nreturn y=%y\n", "layer_norm", "reduce");
	/* Rows of several axes, as of groups of channels. */
	becomes(EPS "%n = const {72} : f32[]\n%n2 = broadcast %n : f32[2]\n"
		"%e2 = broadcast %eps : f32[2]\n"
		"%m = reduce %z, axes=[1, 2, 3]\n%mean = div %m, %n2\n"
		"%ms = broadcast %mean, axes=[0] : f32[2, 3, 4, 6]\n%d = sub %z, %ms\n"
		"%dd = mul %d, %d\n%v = reduce %dd, axes=[1, 2, 3]\n%var = div %v, %n2\n"
		"%ve = add %var, %e2\n%r = sqrt %ve\n"
		"%rs = broadcast %r, axes=[0] : f32[2, 3, 4, 6]\n%y = div %d, %rs\nreturn y=%y\n",
		"layer_norm", "reduce");
	/* Divided by another count; along the first axis. */
	stays("%six = const {5} : f32[]\n%six4 = broadcast %six : f32[4]\n" EPS MEAN VARIANCE
	      "%r = rsqrt %ve\n" SPREAD("rs", "r") "%y = mul %d, %rs\nreturn y=%y\n", "layer_norm");
	stays("%four = const {4} : f32[]\n%four6 = broadcast %four : f32[6]\n"
	      "%eps = const {1e-05} : f32[]\n%eps6 = broadcast %eps : f32[6]\n"
	      "%m = reduce %x, axes=[0]\n%mean = div %m, %four6\n" LAST("ms", "mean")
	      "%d = sub %x, %ms\n%dd = mul %d, %d\n%v = reduce %dd, axes=[0]\n"
	      "%var = div %v, %four6\n%ve = add %var, %eps6\n%r = rsqrt %ve\n" LAST("rs", "r")
	      "%y = mul %d, %rs\nreturn y=%y\n", "layer_norm");
}

TEST(match, rms_norm)
{
#define SQUARE "%xx = mul %x, %x\n%q = reduce %xx, axes=[1]\n%qm = div %q, %six4\n" \
	"%qe = add %qm, %eps4\n"
	becomes(SIX EPS SQUARE "%r = rsqrt %qe\n" SPREAD("rs", "r") LAST("ws", "w")
		"%1 = mul %x, %rs\n%y = mul %ws, %1\nreturn y=%y\n", "rms_norm", "reduce");
	becomes(SIX EPS SQUARE "%r = sqrt %qe\n" SPREAD("rs", "r")
		"%y = div %x, %rs\nreturn y=%y\n", "rms_norm", "reduce");
	becomes(SIX EPS SQUARE "%p = const {-0.5} : f32[]\n%p4 = broadcast %p : f32[4]\n"
		"%r = pow %qe, %p4\n" SPREAD("rs", "r") LAST("ws", "w")
		"%1 = mul %rs, %ws\n%y = mul %x, %1\nreturn y=%y\n", "rms_norm", "reduce");
	/* In f32, of bf16. */
	becomes(SIX EPS "%f = convert %h : f32[4, 6]\n%xx = mul %f, %f\n%q = reduce %xx, axes=[1]\n"
		"%qm = div %q, %six4\n%qe = add %qm, %eps4\n%r = rsqrt %qe\n" SPREAD("rs", "r")
		"%1 = mul %f, %rs\n%2 = convert %1 : bf16[4, 6]\nreturn y=%2\n",
		"rms_norm", "reduce");
	/* The numbers of one axis along another; a mean of something else. */
	stays("%xx = mul %x, %x\n%q = reduce %xx, axes=[1]\n%r = rsqrt %q\n" SPREAD("rs", "r")
	      "%y = mul %x, %rs\nreturn y=%y\n", "rms_norm");
	stays(SIX EPS "%xx = mul %x, %x\n%xy = mul %xx, %x\n%q = reduce %xy, axes=[1]\n"
	      "%a = abs %q\n%qm = div %a, %six4\n%qe = add %qm, %eps4\n%r = rsqrt %qe\n"
	      SPREAD("rs", "r") "%y = mul %x, %rs\nreturn y=%y\n", "rms_norm");
}

TEST(match, rotation)
{
	becomes("%1 = slice %z, start=[0, 0, 0, 3], limit=[2, 3, 4, 6]\n%2 = neg %1\n"
		"%3 = slice %z, start=[0, 0, 0, 0], limit=[2, 3, 4, 3]\n"
		"%4 = concat %2, %3, axis=3\nreturn y=%4\n",
		"reverse", "concat");
	becomes("%1 = slice %s, start=[0, 3], limit=[4, 6]\n%2 = neg %1\n"
		"%3 = slice %s, start=[0, 0], limit=[4, 3]\n%4 = concat %2, %3, axis=1\n"
		"return y=%4\n",
		"reverse", "concat");
	stays("%1 = slice %x, start=[0, 2], limit=[4, 6]\n%2 = neg %1\n"
	      "%3 = slice %x, start=[0, 0], limit=[4, 2]\n%4 = concat %2, %3, axis=1\n"
	      "return y=%4\n", "reverse");
	stays("%1 = slice %x, start=[0, 0], limit=[4, 3]\n%2 = neg %1\n"
	      "%3 = slice %x, start=[0, 3], limit=[4, 6]\n%4 = concat %2, %3, axis=1\n"
	      "return y=%4\n", "reverse");
}
