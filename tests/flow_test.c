/* SPDX-License-Identifier: Apache-2.0
 *
 * Branches and loops through the public API: what they compute, what they take from around
 * them, and what is refused.
 */
#include <pthread.h>
#include <stdlib.h>

#include "tests/api_fixture.h"

static adze_graph *graph_of(struct life *l)
{
	adze_graph *g;
	OK(l, adze_graph_create(l->context, "g", &g));
	return g;
}

/* Runs `m` on `input`, with one result. */
static adze_buffer *call(struct life *l, adze_module *m, adze_buffer **input, size_t n)
{
	adze_buffer *out = NULL;
	OK(l, adze_call(m, input, n, &out, 1, NULL));
	return out;
}

static adze_buffer *scalar_of(struct life *l, float v)
{
	return buffer_of(l, ADZE_F32, "", &v);
}

/* ---- branches ---- */

struct both {
	adze_tensor a, b;
};

static void sum_and_exp(void *self, adze_tensor *y)
{
	const struct both *s = self;
	y[0] = adze_add(s->a, s->b);
	y[1] = adze_exp(s->a);
}

static void swap(void *self, adze_tensor *y)
{
	const struct both *s = self;
	y[0] = s->b;
	y[1] = s->a;
}

TEST(flow, if_takes_what_is_around)
{
	struct life l;
	life_begin(&l);
	for (uint8_t p = 0; p < 2; p++) {
		adze_graph *g = graph_of(&l);
		adze_tensor y[2], c = adze_input(g, "c", ADZE_BOOL, "");
		struct both s = {adze_input(g, "a", ADZE_F32, "n=3"),
				 adze_input(g, "b", ADZE_F32, "n=3")};
		const float a[3] = {0, 1, 2}, b[3] = {10, 20, 30};
		const float want[2][3] = {{10, 21, 32}, {11, 2.71828183f + 20, 7.3890561f + 30}};
		CHECK_MSG(adze_if(c, sum_and_exp, swap, &s, y, 2) == ADZE_OK, "%s",
			  adze_graph_words(g));
		adze_buffer *in[3] = {buffer_of(&l, ADZE_BOOL, "", &p),
				      buffer_of(&l, ADZE_F32, "n=3", a),
				      buffer_of(&l, ADZE_F32, "n=3", b)};
		/* a + b + exp(a) - a, or b + a */
		adze_tensor sum = adze_add(y[0], y[1]);
		adze_buffer *out = run_once(&l, p ? adze_sub(sum, s.a) : sum, in, 3);
		check_floats(out, want[p], 3);
		adze_buffer_destroy(out);
		for (int i = 0; i < 3; i++)
			adze_buffer_destroy(in[i]);
	}
	life_end(&l);
}

static void times_ten(void *self, adze_tensor *y)
{
	const adze_tensor *x = self;
	y[0] = adze_mul(*x, adze_scalar_like(*x, 10));
}

static void less_one(void *self, adze_tensor *y)
{
	const adze_tensor *x = self;
	y[0] = adze_sub(*x, adze_scalar_like(*x, 1));
}

static void in_a_branch(void *self, adze_tensor *y)
{
	const adze_tensor *x = self;
	adze_tensor big = adze_gt(*x, adze_scalar_like(*x, 100));
	adze_if(big, less_one, times_ten, self, y, 1);
}

TEST(flow, case_and_branches_in_branches)
{
	struct life l;
	life_begin(&l);
	adze_branch *const branch[] = {times_ten, less_one, in_a_branch};
	adze_graph *g = graph_of(&l);
	adze_tensor y, i = adze_input(g, "i", ADZE_I32, ""), x = adze_input(g, "x", ADZE_F32, "");
	CHECK(adze_case(i, branch, 3, &x, &y, 1) == ADZE_OK);
	adze_output(y, "y");
	adze_module *m = module_of(&l, g);
	const int32_t at[] = {0, 1, 2, 2, -5, 7};
	const float given[] = {4, 4, 4, 200, 200, 5}, want[] = {40, 3, 40, 199, 199, 50};
	for (int k = 0; k < 6; k++) {
		adze_buffer *in[2] = {buffer_of(&l, ADZE_I32, "", &at[k]),
				      scalar_of(&l, given[k])};
		adze_buffer *out = call(&l, m, in, 2);
		check_floats(out, &want[k], 1);
		adze_buffer_destroy(out);
		adze_buffer_destroy(in[0]);
		adze_buffer_destroy(in[1]);
	}
	adze_module_destroy(m);
	adze_graph_destroy(g);
	life_end(&l);
}

/* ---- while and for ---- */

struct newton {
	adze_tensor of, least;
};

static void is_off(void *self, const adze_tensor *x, adze_tensor *y)
{
	const struct newton *s = self;
	adze_tensor error = adze_sub(adze_mul(x[0], x[0]), s->of);
	y[0] = adze_gt(adze_maximum(adze_abs(error), ""), s->least);
}

static void improve(void *self, const adze_tensor *x, adze_tensor *y)
{
	const struct newton *s = self;
	adze_tensor half = adze_scalar_like(x[0], 0.5);
	y[0] = adze_mul(half, adze_add(x[0], adze_div(s->of, x[0])));
	y[1] = adze_add(x[1], adze_scalar_like(x[1], 1));
}

TEST(flow, while_finds_roots)
{
	struct life l;
	life_begin(&l);
	adze_graph *g = graph_of(&l);
	struct newton s = {.of = adze_input(g, "x", ADZE_F32, "t<=8")};
	s.least = adze_scalar(g, ADZE_F32, 1e-4);
	adze_tensor x[2] = {adze_full(g, ADZE_F32, "t<=8", 1), adze_scalar(g, ADZE_I32, 0)};
	CHECK_MSG(adze_while(is_off, improve, &s, x, 2) == ADZE_OK, "%s", adze_graph_words(g));
	adze_output(x[0], "y");
	adze_output(x[1], "rounds");
	adze_module *m = module_of(&l, g);
	const float given[4] = {1, 2, 9, 100}, want[4] = {1, 1.41421356f, 3, 10};
	const int32_t count[5] = {0, 0, 3, 5, 7};
	for (int t = 1; t <= 4; t++) {
		char dims[16];
		sprintf(dims, "t=%d", t);
		adze_buffer *in = buffer_of(&l, ADZE_F32, dims, given), *out[2] = {NULL, NULL};
		OK(&l, adze_call(m, &in, 1, out, 2, NULL));
		check_floats(out[0], want, (size_t)t);
		int32_t rounds = *(const int32_t *)adze_buffer_data(out[1]);
		CHECK_MSG(rounds == count[t], "%d rounds", rounds);
		adze_buffer_destroy(in);
		adze_buffer_destroy(out[0]);
		adze_buffer_destroy(out[1]);
	}
	adze_module_destroy(m);
	adze_graph_destroy(g);
	life_end(&l);
}

static void fibonacci(void *self, const adze_tensor *x, adze_tensor *y)
{
	(void)self;
	y[0] = x[2];
	y[1] = adze_add(x[1], x[2]);
}

TEST(flow, for_counts)
{
	struct life l;
	life_begin(&l);
	const float want[] = {0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55};
	for (int n = 0; n <= 10; n++) {
		adze_graph *g = graph_of(&l);
		adze_tensor x[2] = {adze_scalar(g, ADZE_F32, 0), adze_scalar(g, ADZE_F32, 1)};
		CHECK_MSG(adze_for(n, fibonacci, NULL, x, 2) == ADZE_OK, "%s",
			  adze_graph_words(g));
		adze_buffer *out = run_once(&l, x[0], NULL, 0);
		check_floats(out, &want[n], 1);
		adze_buffer_destroy(out);
	}
	life_end(&l);
}

static void add_round(void *self, const adze_tensor *x, adze_tensor *y)
{
	const adze_tensor *by = self;
	y[0] = adze_add(x[1], adze_mul(adze_convert(x[0], ADZE_F32), *by));
}

/* Ten times 0 + 1 + 2 + 3, through three levels. */
static void add_rounds(void *self, const adze_tensor *x, adze_tensor *y)
{
	adze_tensor z[1] = {x[1]};
	adze_for(4, add_round, self, z, 1);
	y[0] = z[0];
}

TEST(flow, loops_in_loops)
{
	struct life l;
	life_begin(&l);
	adze_graph *g = graph_of(&l);
	adze_tensor by = adze_input(g, "by", ADZE_F32, ""), x = adze_scalar(g, ADZE_F32, 5);
	CHECK_MSG(adze_for(10, add_rounds, &by, &x, 1) == ADZE_OK, "%s", adze_graph_words(g));
	adze_buffer *in = scalar_of(&l, 3), *out = run_once(&l, x, &in, 1);
	check_floats(out, (float[]){5 + 10 * 6 * 3}, 1);
	adze_buffer_destroy(out);
	adze_buffer_destroy(in);
	life_end(&l);
}

/* ---- scan ---- */

struct rnn {
	adze_tensor wx, wh, b;
};

static void rnn_step(void *self, const adze_tensor *x, adze_tensor *y)
{
	const struct rnn *m = self;
	adze_tensor h = adze_add(adze_dot(m->wx, x[1], "i"), adze_dot(m->wh, x[0], "h"));
	y[0] = y[1] = adze_tanh(adze_add(adze_rename(h, "h"), m->b));
}

static void fill(float *at, int n, int first)
{
	for (int i = 0; i < n; i++)
		at[i] = (float)((i * 7 + first) % 11 - 5) / 8;
}

/* Numbers of NumPy, in double. */
static const float rnn_forward[12] = {0.24491866f, -0.67096707f, 0.01562373f,  -0.70099599f,
				      -0.62904125f, -0.0944922f,  -0.51789821f, -0.50175368f,
				      0.46323243f,  -0.39953245f, -0.63165497f, 0.44755401f};
static const float rnn_backward[12] = {0.17411616f,  -0.66733143f, 0.10252214f,  -0.53875479f,
				       -0.39089906f, 0.28425298f,  -0.52969587f, -0.59799353f,
				       0.23638005f,  -0.28845021f, -0.59637356f, 0.43718879f};

/* `axis` 0: x is [t, i]; else [i, t]. */
static adze_tensor rnn(adze_graph *g, bool reverse, bool turned, adze_tensor *last)
{
	struct rnn m = {adze_input(g, "wx", ADZE_F32, "o=3 i=2"),
			adze_input(g, "wh", ADZE_F32, "o=3 h=3"),
			adze_input(g, "b", ADZE_F32, "h=3")};
	adze_tensor x = adze_input(g, "x", ADZE_F32, turned ? "i=2 t<=9" : "t<=9 i=2"), y;
	const adze_scan_how how = {.axis = "t", .reverse = reverse};
	*last = adze_full(g, ADZE_F32, "h=3", 0);
	CHECK_MSG(adze_scan(rnn_step, &m, last, 1, &x, 1, &y, 1, &how) == ADZE_OK, "%s",
		  adze_graph_words(g));
	return y;
}

TEST(flow, scan_is_an_rnn)
{
	struct life l;
	float wx[6], wh[9], b[3], x[8], turned[8];
	life_begin(&l);
	fill(x, 8, 1);
	fill(wx, 6, 2);
	fill(wh, 9, 3);
	fill(b, 3, 4);
	for (int i = 0; i < 8; i++)
		turned[i % 2 * 4 + i / 2] = x[i];
	for (int k = 0; k < 4; k++) {
		adze_graph *g = graph_of(&l);
		const float *want = k & 1 ? rnn_backward : rnn_forward;
		adze_tensor last, y = rnn(g, k & 1, k & 2, &last);
		char text[200];
		adze_shape s = adze_tensor_shape(y);
		CHECK(strcmp(adze_shape_print(&s, text, sizeof text), "f32[t<=9, h=3]") == 0);
		adze_output(last, "last");
		adze_output(y, "y");
		adze_buffer *in[4] = {buffer_of(&l, ADZE_F32, "o=3 i=2", wx),
				      buffer_of(&l, ADZE_F32, "o=3 h=3", wh),
				      buffer_of(&l, ADZE_F32, "h=3", b),
				      buffer_of(&l, ADZE_F32, k & 2 ? "i=2 t=4" : "t=4 i=2",
						k & 2 ? turned : x)};
		adze_buffer *out[2] = {NULL, NULL};
		adze_module *m = module_of(&l, g);
		OK(&l, adze_call(m, in, 4, out, 2, NULL));
		check_floats(out[0], k & 1 ? want : want + 9, 3);
		check_floats(out[1], want, 12);
		adze_module_destroy(m);
		adze_graph_destroy(g);
		for (int i = 0; i < 4; i++)
			adze_buffer_destroy(in[i]);
		adze_buffer_destroy(out[0]);
		adze_buffer_destroy(out[1]);
	}
	life_end(&l);
}

static void square_and_count(void *self, const adze_tensor *x, adze_tensor *y)
{
	(void)self;
	y[0] = adze_mul(x[0], x[0]);
	y[1] = adze_sum(x[1], "");
}

TEST(flow, map_goes_over_an_axis)
{
	struct life l;
	life_begin(&l);
	adze_graph *g = graph_of(&l);
	const float x[6] = {1, 2, 3, 4, 5, 6}, want[6] = {1, 16, 4, 25, 9, 36};
	adze_tensor over[2] = {adze_input(g, "x", ADZE_F32, "a=2 b=3"), {NULL, 0, 0, NULL}}, y[2];
	over[1] = adze_mul(over[0], over[0]);
	CHECK_MSG(adze_map(square_and_count, NULL, over, 2, y, 2, "b") == ADZE_OK, "%s",
		  adze_graph_words(g));
	adze_output(y[1], "sums");
	adze_output(y[0], "squares");
	adze_module *m = module_of(&l, g);
	adze_buffer *in = buffer_of(&l, ADZE_F32, "a=2 b=3", x), *out[2] = {NULL, NULL};
	OK(&l, adze_call(m, &in, 1, out, 2, NULL));
	check_floats(out[0], (float[]){17, 29, 45}, 3);
	check_floats(out[1], want, 6);
	check_shape(out[1], "f32[b=3, a=2]");
	adze_module_destroy(m);
	adze_graph_destroy(g);
	adze_buffer_destroy(in);
	adze_buffer_destroy(out[0]);
	adze_buffer_destroy(out[1]);
	life_end(&l);
}

/* ---- what moves into bodies, and what does not ---- */

static const char *text_of(struct life *l, adze_graph *g, char *room, size_t cap)
{
	adze_host_buffer *text;
	OK(l, adze_graph_print(l->context, g, &text));
	size_t n = (size_t)adze_shape_count(adze_host_buffer_shape(text));
	CHECK(n < cap);
	memcpy(room, adze_host_buffer_data(text), n);
	room[n] = '\0';
	adze_host_buffer_destroy(text);
	return room;
}

static void scaled(void *self, const adze_tensor *x, adze_tensor *y)
{
	const adze_tensor *w = self;
	adze_tensor once = adze_exp(*w);
	y[0] = adze_add(x[1], adze_broadcast(once, "n=4"));
}

TEST(flow, what_does_not_change_is_computed_once)
{
	struct life l;
	char room[4096];
	life_begin(&l);
	adze_graph *g = graph_of(&l), *copy;
	adze_tensor w = adze_weight(g, "w", ADZE_F32, ""), x = adze_input(g, "x", ADZE_F32, "n=4");
	CHECK(adze_for(7, scaled, &w, &x, 1) == ADZE_OK);
	adze_output(x, "y");
	const char *text = text_of(&l, g, room, sizeof room);
	const char *body = strstr(text, "body body(%x0: i32[], %x1: f32[n=4], %x2: f32[])");
	const char *exp = strstr(text, "exp %w");
	CHECK_MSG(body != NULL && exp != NULL && strstr(text, "hole") == NULL, "%s", text);
	CHECK_MSG(strstr(body, "broadcast %x2") != NULL && strstr(text, "length=7") > exp, "%s",
		  text);
	OK(&l, adze_graph_parse(l.context, text, strlen(text), "again", &copy));
	adze_graph_destroy(copy);
	adze_graph_destroy(g);
	life_end(&l);
}

static void costly(void *self, adze_tensor *y)
{
	const adze_tensor *x = self;
	y[0] = adze_exp(*x);
}

static void same(void *self, adze_tensor *y)
{
	y[0] = *(const adze_tensor *)self;
}

static void maybe_costly(void *self, const adze_tensor *x, adze_tensor *y)
{
	const struct both *s = self;
	adze_tensor z;
	adze_if(s->a, costly, same, (void *)(uintptr_t)&s->b, &z, 1);
	y[0] = adze_add(x[1], z);
}

/* What only a branch needs is done in the branch, and that once. */
TEST(flow, branches_stay_lazy)
{
	struct life l;
	char room[4096];
	life_begin(&l);
	adze_graph *g = graph_of(&l);
	struct both s = {adze_input(g, "p", ADZE_BOOL, ""), adze_input(g, "x", ADZE_F32, "")};
	adze_tensor y = adze_scalar(g, ADZE_F32, 0);
	CHECK_MSG(adze_for(3, maybe_costly, &s, &y, 1) == ADZE_OK, "%s", adze_graph_words(g));
	adze_output(y, "y");
	const char *text = text_of(&l, g, room, sizeof room);
	const char *then = strstr(text, "body then("), *exp = strstr(text, "exp ");
	CHECK_MSG(then != NULL && exp > then && exp < strstr(then, "}"), "%s", text);
	CHECK_MSG(strstr(text, "= if ") > strstr(text, "body body("), "%s", text);
	adze_graph_destroy(g);
	life_end(&l);
}

/* ---- refusals ---- */

static void no_result(void *self, adze_tensor *y)
{
	(void)self;
	(void)y;
}

static void keep(void *self, adze_tensor *y)
{
	struct both *s = self;
	s->b = y[0] = adze_exp(s->a);
}

static void adds_shapes(void *self, adze_tensor *y)
{
	const struct both *s = self;
	y[0] = adze_dot(s->a, s->b, "k");
}

static void has_output(void *self, adze_tensor *y)
{
	y[0] = adze_exp(*(const adze_tensor *)self);
	adze_output(y[0], "inner");
}

static void wide(void *self, const adze_tensor *x, adze_tensor *y)
{
	(void)self;
	y[0] = adze_convert(x[0], ADZE_F64);
}

static void check_refused(struct life *l, adze_graph *g, const char *words)
{
	char all[1024];
	snprintf(all, sizeof all, "%s", adze_graph_words(g));
	CHECK_MSG(adze_graph_status(g) != ADZE_OK && strstr(all, words) != NULL,
		  "'%s' is not in '%s'", words, all);
	CHECK_MSG(strstr(all, "flow_test.c:") != NULL, "'%s' names no line", all);
	adze_graph_destroy(g);
	(void)l;
}

TEST(flow, refusals)
{
	struct life l;
	life_begin(&l);
	struct both s;
	adze_tensor y, c, d;
#define BEGIN                                            \
	adze_graph *g = graph_of(&l);                    \
	s.a = adze_input(g, "a", ADZE_F32, "n=3");       \
	s.b = adze_input(g, "b", ADZE_F32, "m=3");       \
	c = adze_input(g, "c", ADZE_BOOL, "")
	{
		BEGIN;
		CHECK(adze_if(c, no_result, same, &s, &y, 1) != ADZE_OK && !adze_is(y));
		check_refused(&l, g, "if: result 0 of its then is the null tensor");
	}
	{
		BEGIN;
		CHECK(adze_if(c, keep, same, &s, &y, 1) == ADZE_OK);
		CHECK(!adze_is(adze_neg(s.b)));
		check_refused(&l, g, "neg: operand 1 is a value inside a body that is done");
	}
	{
		BEGIN;
		adze_if(c, adds_shapes, same, &s, &y, 1);
		check_refused(&l, g, "dot");
	}
	{
		BEGIN;
		adze_if(c, has_output, same, &s, &y, 1);
		check_refused(&l, g, "output 'inner' is a value inside a body");
	}
	{
		BEGIN;
		adze_if(s.a, keep, same, &s, &y, 1);
		check_refused(&l, g, "it takes bool, not f32");
	}
	{
		BEGIN;
		d = adze_scalar(g, ADZE_F32, 1);
		adze_for(2, wide, NULL, &d, 1);
		check_refused(&l, g, "output 1 of body 'body' is f64[], not f32[]");
	}
	{
		BEGIN;
		adze_map(wide, NULL, &c, 1, &y, 1, NULL);
		check_refused(&l, g, "map: a sequence has no axis");
	}
	{
		BEGIN;
		adze_map(wide, NULL, &s.a, 1, &y, 1, "z");
		check_refused(&l, g, "map: there is no axis 'z' in f32[n=3]");
	}
	{
		BEGIN;
		d = adze_scalar(g, ADZE_F32, 1);
		adze_for(-1, wide, NULL, &d, 1);
		check_refused(&l, g, "for: its count is negative");
	}
	{
		BEGIN;
		adze_graph *other = graph_of(&l);
		d = adze_scalar(other, ADZE_F32, 1);
		adze_scan(wide, NULL, &s.a, 1, &d, 1, NULL, 0, NULL);
		check_refused(&l, g, "its operands are of two graphs");
		adze_graph_destroy(other);
	}
	life_end(&l);
}

/* ---- cancelling ---- */

static void forever(void *self, const adze_tensor *x, adze_tensor *y)
{
	(void)self;
	y[0] = adze_ge(x[0], adze_scalar_like(x[0], -1));
}

static void nothing(void *self, const adze_tensor *x, adze_tensor *y)
{
	(void)self;
	y[0] = x[0];
}

static void *stop_later(void *self)
{
	const struct timespec soon = {.tv_nsec = 20000000};
	nanosleep(&soon, NULL);
	adze_cancel_set(self, true);
	return NULL;
}

TEST(flow, endless_loops_are_cancelled)
{
	struct life l;
	life_begin(&l);
	adze_graph *g = graph_of(&l);
	adze_tensor x = adze_input(g, "x", ADZE_F32, "");
	CHECK(adze_while(forever, nothing, NULL, &x, 1) == ADZE_OK);
	adze_output(x, "y");
	adze_module *m = module_of(&l, g);
	adze_buffer *in = scalar_of(&l, 3), *out = NULL;
	adze_cancel *stop;
	pthread_t thread;
	OK(&l, adze_cancel_create(l.context, &stop));
	CHECK(pthread_create(&thread, NULL, stop_later, stop) == 0);
	FAILS(&l, adze_call(m, &in, 1, &out, 1, stop), ADZE_E_CANCELLED, "cancelled");
	CHECK(out == NULL);
	pthread_join(thread, NULL);
	adze_cancel_destroy(stop);
	adze_module_destroy(m);
	adze_graph_destroy(g);
	adze_buffer_destroy(in);
	life_end(&l);
}

/* ---- memory ---- */

static adze_status live(adze_context *c, adze_device *dev, float *result)
{
	adze_graph *g = NULL;
	adze_exe *exe = NULL;
	adze_module *m = NULL;
	adze_buffer *out = NULL;
	adze_status status = adze_graph_create(c, NULL, &g);
	if (status == ADZE_OK) {
		struct both s = {adze_scalar(g, ADZE_BOOL, 1), adze_scalar(g, ADZE_F32, 2)};
		adze_tensor x = adze_scalar(g, ADZE_F32, 5);
		s.a = adze_gt(adze_exp(s.b), s.b);
		adze_for(3, maybe_costly, &s, &x, 1);
		adze_for(2, add_rounds, &s.b, &x, 1);
		adze_output(x, "y");
		status = adze_compile(dev, g, &exe);
	}
	if (status == ADZE_OK)
		status = adze_bind(exe, NULL, 0, &m);
	if (status == ADZE_OK)
		status = adze_call(m, NULL, 0, &out, 1, NULL);
	if (status == ADZE_OK)
		*result = *(const float *)adze_buffer_data(out);
	adze_buffer_destroy(out);
	adze_module_destroy(m);
	adze_exe_destroy(exe);
	adze_graph_destroy(g);
	return status;
}

/* The life of a model with loops, with the allocator failing from the nth request on. */
TEST(flow, no_memory_at_any_point)
{
	adze_status status = ADZE_E_NOMEM;
	float y = 0;
	long n = 0;
	for (; status == ADZE_E_NOMEM; n++) {
		struct life l;
		adze_config config;
		adze_config_init(&config);
		config.cache_dir = NULL;
		config.threads = 1;
		life_begin_with(&l, &config);
		l.memory.fail_after = l.memory.calls + n;
		status = live(l.context, l.device, &y);
		l.memory.fail_after = -1;
		life_end(&l);
		CHECK(n < 20000);
	}
	CHECK_MSG(status == ADZE_OK && n > 100, "%s after %ld", adze_status_name(status), n);
	/* 5 + 3 exp(2) + 2 * (0 + 1 + 2 + 3) * 2 */
	CHECK_MSG(y > 51.167f && y < 51.168f, "%g", (double)y);
}
