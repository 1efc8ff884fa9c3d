/* SPDX-License-Identifier: Apache-2.0
 *
 * Profiles: what steps cost against numbers worked out by hand, records and their times, calls of
 * several threads, and what is refused.
 */
#include <math.h>
#include <pthread.h>

#include "tests/api_fixture.h"

/* A module of a graph's text, a profile of it, and buffers of zeros for its inputs. */
struct profiled {
	struct life l;
	adze_exe *exe;
	adze_module *module;
	adze_profile *profile;
	adze_buffer *input[4], *output[4];
	size_t ninput, noutput;
};

static void begin(struct profiled *p, const char *text, size_t records, int threads)
{
	adze_config config;
	adze_graph *g;
	memset(p, 0, sizeof *p);
	adze_config_init(&config);
	config.cache_dir = NULL;
	config.threads = threads;
	life_begin_with(&p->l, &config);
	OK(&p->l, adze_graph_parse(p->l.context, text, strlen(text), "test.air", &g));
	OK(&p->l, adze_compile(p->l.device, g, &p->exe));
	adze_graph_destroy(g);
	OK(&p->l, adze_bind(p->exe, NULL, 0, &p->module));
	OK(&p->l, adze_profile_create(p->exe, 8, records, &p->profile));
	OK(&p->l, adze_module_profile(p->module, p->profile));
	p->ninput = adze_exe_count(p->exe, ADZE_ROLE_INPUT);
	p->noutput = adze_exe_count(p->exe, ADZE_ROLE_OUTPUT);
}

/* Inputs of zeros, with this value for every symbol. */
static void give(struct profiled *p, int64_t symbol)
{
	for (size_t i = 0; i < p->ninput; i++) {
		adze_shape s;
		adze_host_buffer *host;
		CHECK(adze_exe_value(p->exe, ADZE_ROLE_INPUT, i, NULL, &s));
		for (int k = 0; k < s.rank; k++)
			if (s.dim[k].symbol[0] != '\0') {
				s.dim[k].size = s.dim[k].scale * symbol;
				s.dim[k].symbol[0] = '\0';
				s.dim[k].scale = 0;
			}
		for (int k = 0; k < s.rank; k++) {
			char dims[64], all[256] = "";
			for (int j = 0; j < s.rank; j++) {
				snprintf(dims, sizeof dims, " %lld", (long long)s.dim[j].size);
				strcat(all, dims);
			}
			CHECK(adze_shape_parse(s.dtype, all, &s) == ADZE_OK);
		}
		adze_buffer_destroy(p->input[i]);
		OK(&p->l, adze_host_buffer_create(p->l.context, &s, &host));
		OK(&p->l, adze_copy_in(p->l.device, host, &p->input[i]));
		adze_host_buffer_destroy(host);
	}
}

static void call(struct profiled *p, int64_t symbol)
{
	give(p, symbol);
	OK(&p->l, adze_call(p->module, p->input, p->ninput, p->output, p->noutput, NULL));
}

static void end(struct profiled *p)
{
	for (size_t i = 0; i < p->ninput; i++)
		adze_buffer_destroy(p->input[i]);
	for (size_t i = 0; i < p->noutput; i++)
		adze_buffer_destroy(p->output[i]);
	adze_module_destroy(p->module);
	adze_profile_destroy(p->profile);
	adze_exe_destroy(p->exe);
	life_end(&p->l);
}

/* The step whose name begins so. */
static adze_profile_step find(struct profiled *p, const char *name)
{
	adze_profile_step s;
	for (size_t i = 0; adze_profile_step_at(p->profile, i, &s); i++)
		if (strncmp(s.name, name, strlen(name)) == 0)
			return s;
	CHECK_MSG(false, "there is no step %s", name);
	return s;
}

static void check_cost(const adze_cost *c, double read, double written, double flops, double ops)
{
	CHECK_MSG(c->read == read && c->written == written && c->flops == flops && c->ops == ops,
		  "read %g, written %g, flops %g, ops %g; not %g, %g, %g, %g", c->read, c->written,
		  c->flops, c->ops, read, written, flops, ops);
}

/* One call of a graph whose one step, or the one named, costs so much. */
static void check_one(const char *text, int64_t symbol, const char *step, double read,
		      double written, double flops, double ops)
{
	struct profiled p;
	begin(&p, text, 64, 1);
	call(&p, symbol);
	adze_profile_step s = find(&p, step);
	CHECK(s.runs == 1 && s.min_ns == s.total_ns && s.median_ns == s.total_ns);
	check_cost(&s.cost, read, written, flops, ops);
	end(&p);
}

static const char product[] =
	"graph g(%x: f32[t<=512, 64], %w: f32[32, 64]) {\n"
	"	%1 = dot %x, %w, sum_a=[1], sum_b=[1]\n"
	"	%2 = relu %1\n"
	"	return y=%2\n}\n";

TEST(cost, product)
{
	/* x and w once, y once; two for each product, one for each relu. */
	check_one(product, 7, "gemm f32", 4 * (7 * 64 + 32 * 64), 4 * 7 * 32,
		  2 * 7 * 32 * 64 + 7 * 32, 0);
	check_one(product, 512, "gemm f32", 4 * (512 * 64 + 32 * 64), 4 * 512 * 32,
		  2 * 512 * 32 * 64 + 512 * 32, 0);
	check_one(product, 0, "gemm f32", 4 * 32 * 64, 0, 0, 0);
}

TEST(cost, product_of_bytes)
{
	check_one("graph g(%x: u8[5, 96], %w: i8[40, 96]) {\n"
		  "	%1 = convert %x : i32[5, 96]\n	%2 = convert %w : i32[40, 96]\n"
		  "	%3 = dot %1, %2, sum_a=[1], sum_b=[1]\n	return y=%3\n}\n",
		  0, "gemm u8 i8", 5 * 96 + 40 * 96, 4 * 5 * 40, 0, 2 * 5 * 40 * 96);
}

TEST(cost, batched_product)
{
	check_one("graph g(%x: f64[3, 4, 5], %w: f64[3, 5, 6]) {\n"
		  "	%1 = dot %x, %w, sum_a=[2], sum_b=[1], batch_a=[0], batch_b=[0]\n"
		  "	return y=%1\n}\n",
		  0, "gemm f64", 8 * (3 * 4 * 5 + 3 * 5 * 6), 8 * 3 * 4 * 6, 2 * 3 * 4 * 6 * 5, 0);
}

TEST(cost, elements)
{
	/* A row that is broadcast is read once. */
	check_one("graph g(%a: f32[n<=50, 100], %b: f32[n<=50, 100], %c: f32[100]) {\n"
		  "	%1 = mul %a, %b\n	%2 = exp %1\n	%3 = broadcast %c, axes=[1] : "
		  "f32[n<=50, 100]\n	%4 = add %2, %3\n	return y=%4\n}\n",
		  10, "ew f32", 4 * (1000 + 1000 + 100), 4 * 1000, 3 * 1000, 0);
	/* An operand that stands twice is read once; integers are not floats. */
	check_one("graph g(%a: i32[7, 9]) {\n	%1 = mul %a, %a\n	return y=%1\n}\n", 0,
		  "ew i32", 4 * 63, 4 * 63, 0, 63);
}

TEST(cost, rows)
{
	/* 20 for each element: kernels.def. */
	check_one("graph g(%a: f32[10, n<=100]) {\n	%1 = softmax %a, axis=1\n"
		  "	return y=%1\n}\n",
		  30, "softmax f32", 4 * 300, 4 * 300, 20 * 300, 0);
	check_one("graph g(%a: f32[10, 16], %s: f32[16]) {\n"
		  "	%1 = rms_norm %a, %s, eps=1e-5\n	return y=%1\n}\n",
		  0, "rms_norm f32", 4 * (160 + 16), 4 * 160, 4 * 160, 0);
}

TEST(cost, reductions)
{
	/* A square for each element, and a sum. */
	check_one("graph g(%a: f32[6, 50]) {\n	%1 = mul %a, %a\n"
		  "	%2 = reduce %1, axes=[1]\n	return y=%2\n}\n",
		  0, "reduce f32", 4 * 300, 4 * 6, 600, 0);
	check_one("graph g(%a: f32[6, 50]) {\n	%1 = reduce %a, axes=[0]\n	return y=%1\n}\n",
		  0, "columns f32", 4 * 300, 4 * 50, 300, 0);
	check_one("graph g(%a: i32[6, 50]) {\n	%1 = argmax %a, axis=1\n	return y=%1\n}\n",
		  0, "arg i32", 4 * 300, 4 * 6, 0, 300);
}

TEST(cost, convolution)
{
	/* 16 x 14 x 14 results, each of 8 x 3 x 3 products. */
	check_one("graph g(%x: f32[2, 8, 16, 16], %w: f32[16, 8, 3, 3]) {\n"
		  "	%1 = conv %x, %w\n	return y=%1\n}\n",
		  0, "conv f32", 4 * (2 * 8 * 256 + 16 * 72), 4 * 2 * 16 * 196,
		  2.0 * 2 * 16 * 196 * 72, 0);
	/* Four groups: a quarter of the channels each. */
	check_one("graph g(%x: f32[1, 8, 10], %w: f32[8, 2, 3]) {\n"
		  "	%1 = conv %x, %w, groups=4\n	return y=%1\n}\n",
		  0, "conv f32", 4 * (80 + 48), 4 * 8 * 8, 2.0 * 8 * 8 * 2 * 3, 0);
}

TEST(cost, moves)
{
	/* Rows that are taken, and their indices; not all of the table. */
	check_one("graph g(%x: f32[1000, 16], %i: i32[n<=9]) {\n"
		  "	%1 = take %x, %i, axis=0\n	return y=%1\n}\n",
		  4, "take f32", 4 * 64 + 4 * 4, 4 * 64, 0, 0);
	check_one("graph g(%x: f32[1000, 16], %i: i32[]) {\n"
		  "	%1 = dynamic_slice %x, %i, %i, size=[3, 5]\n	return y=%1\n}\n",
		  0, "pick f32", 4 * 15 + 4 + 4, 4 * 15, 0, 0);
}

static const char loop[] =
	"graph loop(%n: f32[100]) {\n"
	"	body twice(%n: f32[100]) {\n"
	"		%1 = add %n, %n\n"
	"		return n=%1\n"
	"	}\n"
	"	%1 = scan %n, body=twice, carry=1, length=3\n"
	"	return n=%1\n"
	"}\n";

TEST(profile, loops_hold_their_steps)
{
	struct profiled p;
	adze_profile_record outer, inner;
	begin(&p, loop, 64, 1);
	call(&p, 0);
	CHECK(adze_profile_records(p.profile, NULL) == 4);
	CHECK(adze_profile_record_at(p.profile, 0, &outer));
	CHECK(outer.inside == ADZE_PROFILE_NONE && outer.worker == -1);
	check_cost(&outer.cost, 0, 0, 0, 0);
	uint64_t before = outer.start_ns, sum = 0;
	for (size_t i = 1; i < 4; i++) {
		CHECK(adze_profile_record_at(p.profile, i, &inner));
		CHECK(inner.inside == 0 && inner.step != outer.step);
		CHECK(inner.start_ns >= before && inner.end_ns >= inner.start_ns);
		check_cost(&inner.cost, 400, 400, 100, 0);
		before = inner.end_ns;
		sum += inner.end_ns - inner.start_ns;
	}
	CHECK(outer.end_ns >= before);
	adze_profile_step s = find(&p, "scan");
	CHECK(s.runs == 1 && s.inside_ns == sum && s.total_ns >= sum);
	s = find(&p, "ew f32");
	CHECK(s.runs == 3 && s.total_ns == sum && s.inside_ns == 0);
	CHECK(s.min_ns <= s.median_ns && 3 * s.min_ns <= s.total_ns);
	check_cost(&s.cost, 1200, 1200, 300, 0);
	CHECK(!adze_profile_record_at(p.profile, 4, &inner));
	end(&p);
}

TEST(profile, symbols_of_each_call)
{
	struct profiled p;
	adze_profile_record r;
	uint64_t start, finish, before = 0;
	begin(&p, product, 64, 1);
	call(&p, 7);
	call(&p, 500);
	call(&p, 7);
	CHECK(adze_profile_calls(p.profile, NULL) == 3);
	static const double rows[] = {7, 500, 7};
	for (uint32_t i = 0; i < 3; i++) {
		CHECK(adze_profile_record_at(p.profile, i, &r) && r.call == i);
		check_cost(&r.cost, 4 * (rows[i] * 64 + 2048), 128 * rows[i],
			   rows[i] * (2 * 2048 + 32), 0);
		CHECK(adze_profile_call_at(p.profile, i, &start, &finish));
		CHECK(before <= start && start <= r.start_ns && r.start_ns <= r.end_ns &&
		      r.end_ns <= finish);
		before = finish;
	}
	adze_profile_step all = find(&p, "gemm");
	check_cost(&all.cost, 4 * (514 * 64 + 3 * 2048), 128 * 514, 514 * 4128, 0);
	adze_profile_clear(p.profile);
	CHECK(adze_profile_records(p.profile, NULL) == 0 && find(&p, "gemm").runs == 0);
	OK(&p.l, adze_module_profile(p.module, NULL));
	call(&p, 7);
	CHECK(adze_profile_calls(p.profile, NULL) == 0);
	end(&p);
}

TEST(profile, what_steps_are)
{
	struct profiled p;
	begin(&p, product, 8, 1);
	adze_profile_step s = find(&p, "gemm f32");
	CHECK(strcmp(s.value, "y") == 0 && strcmp(s.what, "dot+relu") == 0);
	CHECK(strcmp(s.file, "test.air") == 0 && s.line == 2);
	CHECK(strncmp(s.kernel, "gemm", 4) == 0 && s.runs == 0 && s.cost.flops == 0);
	CHECK(!adze_profile_step_at(p.profile, 1, &s));
	end(&p);
	begin(&p, "graph g(%a: f32[9, 9]) {\n	%1 = softmax %a, axis=1\n"
		  "	%2 = softmax %1, axis=0\n	return y=%2\n}\n", 8, 1);
	CHECK(adze_profile_step_at(p.profile, 0, &s) && s.value[0] == '%');
	end(&p);
}

TEST(profile, records_that_find_no_room)
{
	struct profiled p;
	size_t lost;
	begin(&p, loop, 3, 1);
	call(&p, 0);
	CHECK(adze_profile_records(p.profile, &lost) == 3 && lost == 1);
	CHECK(find(&p, "ew f32").runs == 2);
	for (int i = 0; i < 9; i++)
		call(&p, 0);
	CHECK(adze_profile_records(p.profile, NULL) == 3);
	CHECK(adze_profile_calls(p.profile, &lost) == 8 && lost == 2);
	end(&p);
}

TEST(profile, no_allocation_in_a_call)
{
	struct profiled p;
	begin(&p, loop, 64, 1);
	call(&p, 0);
	long before = p.l.memory.calls;
	OK(&p.l, adze_call(p.module, p.input, p.ninput, p.output, p.noutput, NULL));
	CHECK(p.l.memory.calls == before);
	end(&p);
}

#define CALLS 50
static void *call_often(void *self)
{
	struct profiled *p = self;
	adze_buffer *out = NULL;
	for (int i = 0; i < CALLS; i++)
		if (adze_call(p->module, p->input, p->ninput, &out, 1, NULL) != ADZE_OK)
			return p;
	adze_buffer_destroy(out);
	return NULL;
}

/* Of several threads that call one module, each call has its own records, in their order. */
static void check_calls(struct profiled *p, size_t calls)
{
	adze_profile_record r;
	uint64_t last[4 * CALLS] = {0};
	size_t steps[4 * CALLS] = {0}, lost;
	CHECK(adze_profile_calls(p->profile, &lost) == calls && lost == 0);
	size_t n = adze_profile_records(p->profile, &lost);
	CHECK(lost == 0);
	for (size_t i = 0; i < n; i++) {
		CHECK(adze_profile_record_at(p->profile, i, &r) && r.call < calls);
		uint64_t from, to;
		CHECK(adze_profile_call_at(p->profile, r.call, &from, &to));
		CHECK(from <= r.start_ns && r.start_ns <= r.end_ns && r.end_ns <= to);
		if (r.worker >= 0) {
			adze_profile_record step;
			CHECK(adze_profile_record_at(p->profile, r.inside, &step));
			CHECK(step.call == r.call && step.step == r.step && step.worker == -1 &&
			      step.start_ns <= r.start_ns && r.end_ns <= step.end_ns);
			continue;
		}
		CHECK(r.start_ns >= last[r.call]);
		last[r.call] = r.start_ns;
		steps[r.call]++;
	}
	for (size_t i = 0; i < calls; i++)
		CHECK(steps[i] == 2);
}

TEST(profile, several_calls_at_once)
{
	struct profiled p;
	pthread_t thread[3];
	begin(&p, "graph g(%a: f32[300, 700], %w: f32[200, 700]) {\n"
		  "	%1 = dot %a, %w, sum_a=[1], sum_b=[1]\n	%2 = softmax %1, axis=1\n"
		  "	return y=%2\n}\n", 64, 2);
	adze_profile_destroy(p.profile);
	OK(&p.l, adze_profile_create(p.exe, 4 * CALLS, 4 * CALLS * 8, &p.profile));
	OK(&p.l, adze_module_profile(p.module, p.profile));
	give(&p, 0);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&thread[i], NULL, call_often, &p) == 0);
	CHECK(call_often(&p) == NULL);
	for (int i = 0; i < 3; i++) {
		void *failed;
		pthread_join(thread[i], &failed);
		CHECK(failed == NULL);
	}
	check_calls(&p, 4 * CALLS);
	end(&p);
}

TEST(profile, what_is_refused)
{
	struct profiled p, other;
	adze_profile *q;
	begin(&p, product, 8, 1);
	begin(&other, loop, 8, 1);
	FAILS(&p.l, adze_module_profile(p.module, other.profile), ADZE_E_ARGUMENT,
	      "another executable");
	FAILS(&p.l, adze_profile_create(p.exe, 0, 8, &q), ADZE_E_ARGUMENT, "1 to");
	CHECK(q == NULL);
	FAILS(&p.l, adze_profile_create(p.exe, 8, SIZE_MAX, &q), ADZE_E_ARGUMENT, "1 to");
	adze_profile_destroy(NULL);
	end(&other);
	end(&p);
}

TEST(profile, devices_that_cannot_tell)
{
	adze_context *c;
	adze_device *trace;
	adze_graph *g;
	adze_exe *exe;
	adze_profile *q;
	char words[256];
	CHECK(adze_context_create(NULL, &c) == ADZE_OK);
	CHECK(adze_device_open(c, "trace", &trace) == ADZE_OK);
	CHECK(adze_graph_parse(c, loop, strlen(loop), "loop", &g) == ADZE_OK);
	CHECK(adze_compile(trace, g, &exe) == ADZE_OK);
	CHECK(adze_profile_create(exe, 1, 1, &q) == ADZE_E_UNSUPPORTED && q == NULL);
	CHECK(strstr(adze_context_words(c, words, sizeof words), "trace") != NULL);
	adze_exe_destroy(exe);
	adze_graph_destroy(g);
	adze_device_close(trace);
	CHECK(adze_context_destroy(c) == ADZE_OK);
}

TEST(profile, no_memory)
{
	struct profiled p;
	adze_profile *q;
	begin(&p, loop, 8, 1);
	for (long i = 0;; i++) {
		p.l.memory.fail_after = p.l.memory.calls + i;
		adze_status status = adze_profile_create(p.exe, 4, 4, &q);
		p.l.memory.fail_after = -1;
		if (status == ADZE_OK)
			break;
		CHECK(status == ADZE_E_NOMEM && q == NULL && i < 20);
	}
	adze_profile_destroy(q);
	end(&p);
}

TEST(profile, what_binds)
{
	adze_ceilings top = {100, 400, 10, 5};
	adze_bound bound;
	adze_cost none = {0, 0, 0, 0}, read = {20, 0, 10, 0}, copy = {20, 10, 0, 0};
	adze_cost work = {1, 0, 500, 0}, bytes = {1, 0, 0, 800};
	CHECK(adze_cost_seconds(&none, &top, &bound) == 0 && bound == ADZE_BOUND_NONE);
	CHECK(adze_cost_seconds(&read, &top, &bound) == 2 && bound == ADZE_BOUND_MEMORY);
	/* 10 read and 10 written as a copy, 10 more read. */
	CHECK(adze_cost_seconds(&copy, &top, &bound) == 5 && bound == ADZE_BOUND_MEMORY);
	CHECK(adze_cost_seconds(&work, &top, &bound) == 5 && bound == ADZE_BOUND_COMPUTE);
	CHECK(adze_cost_seconds(&bytes, &top, NULL) == 2);
	adze_ceilings unknown = {0, 0, 0, 0};
	CHECK(adze_cost_seconds(&work, &unknown, &bound) == 0 && bound == ADZE_BOUND_NONE);
}

TEST(memory, what_lives_at_once)
{
	struct profiled p;
	/* %1, %2 and %3 while the third is made; then %2 is over. */
	begin(&p, "graph g(%x: f32[16, 16]) {\n"
		  "	%1 = softmax %x, axis=1\n	%2 = softmax %1, axis=0\n"
		  "	%3 = softmax %2, axis=1\n	%4 = add %1, %3\n"
		  "	%5 = softmax %4, axis=0\n	return y=%5\n}\n", 8, 1);
	size_t live = adze_exe_live_bytes(p.exe), arena = adze_exe_arena_bytes(p.exe);
	CHECK_MSG(live == 3 * 1024 && arena == live, "%zu of %zu", live, arena);
	CHECK(adze_exe_weight_bytes(p.exe) == 0);
	end(&p);
}
