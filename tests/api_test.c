/* SPDX-License-Identifier: Apache-2.0
 *
 * The public API: contexts, shapes, buffers, graphs, executables, calls.
 */
#include <pthread.h>
#include <unistd.h>

#include "tests/api_fixture.h"

/* ---- contexts, shapes, buffers ---- */

static void keep_line(void *self, adze_log_level level, const char *text)
{
	(void)level;
	snprintf(self, 256, "%s", text);
}

TEST(api, config_is_checked)
{
	adze_context *c;
	adze_config config;
	char line[256] = "";
	adze_config_init(&config);
	CHECK(config.log == NULL && config.threads >= 0);
	config.log = keep_line;
	config.log_self = line;
	adze_config bad = config;
	bad.threads = 1025;
	CHECK(adze_context_create(&bad, &c) == ADZE_E_ARGUMENT && c == NULL);
	CHECK_MSG(strstr(line, "threads") != NULL, "'%s'", line);
	bad = config;
	bad.threads = -1;
	CHECK(adze_context_create(&bad, &c) == ADZE_E_ARGUMENT);
	bad = config;
	bad.isa = "mmx";
	CHECK(adze_context_create(&bad, &c) == ADZE_E_ARGUMENT);
	CHECK_MSG(strstr(line, "'mmx'") != NULL, "'%s'", line);
	bad = config;
	bad.blas = "perhaps";
	CHECK(adze_context_create(&bad, &c) == ADZE_E_ARGUMENT);
	bad = config;
	bad.log_level = (adze_log_level)9;
	CHECK(adze_context_create(&bad, &c) == ADZE_E_ARGUMENT);
	CHECK(adze_context_create(NULL, &c) == ADZE_OK);
	CHECK(adze_context_destroy(c) == ADZE_OK);
	CHECK(adze_context_destroy(NULL) == ADZE_OK);
}

TEST(api, context_stays_while_something_needs_it)
{
	struct life l;
	adze_buffer *b;
	adze_host_buffer *h;
	adze_shape s = shape_of(ADZE_F32, "2 3");
	life_begin(&l);
	OK(&l, adze_buffer_create(l.device, &s, &b));
	OK(&l, adze_host_buffer_create(l.context, &s, &h));
	adze_device_close(l.device);
	FAILS(&l, adze_context_destroy(l.context), ADZE_E_ARGUMENT, "still there");
	adze_buffer_destroy(b);
	FAILS(&l, adze_context_destroy(l.context), ADZE_E_ARGUMENT, "still there");
	adze_host_buffer_destroy(h);
	l.device = NULL;
	life_end(&l);
}

TEST(api, devices_are_found_by_name)
{
	struct life l;
	adze_device *d;
	life_begin(&l);
	FAILS(&l, adze_device_open(l.context, "tpu", &d), ADZE_E_NOTFOUND, "cpu, trace");
	CHECK(d == NULL);
	FAILS(&l, adze_device_open(l.context, "cpu:z80", &d), ADZE_E_DEVICE, "z80");
	OK(&l, adze_device_open(l.context, "trace", &d));
	adze_device_close(d);
	adze_device_close(NULL);
	life_end(&l);
}

TEST(api, names_and_words)
{
	CHECK(strcmp(adze_status_name(ADZE_E_TYPE), "E_TYPE") == 0);
	CHECK(strcmp(adze_status_text(ADZE_OK), "success") == 0);
	CHECK(adze_status_name((adze_status)99) != NULL);
	CHECK(adze_version()[0] >= '0' && adze_version()[0] <= '9');
	CHECK(strcmp(adze_dtype_name(ADZE_BF16), "bf16") == 0);
	CHECK(strcmp(adze_dtype_name((adze_dtype)-1), "unknown") == 0);
	CHECK(adze_dtype_find("i64") == ADZE_I64 && adze_dtype_bytes(ADZE_I64) == 8);
	CHECK(adze_dtype_find("int") == ADZE_DTYPE_COUNT);
	CHECK(adze_dtype_find(NULL) == ADZE_DTYPE_COUNT);
}

TEST(api, shapes)
{
	char text[64];
	adze_shape s = shape_of(ADZE_F16, "s=4 t<=8, 3");
	CHECK(strcmp(adze_shape_print(&s, text, sizeof text), "f16[s=4, t<=8, 3]") == 0);
	CHECK(adze_shape_count(&s) == 96 && adze_shape_bytes(&s) == 192);
	CHECK(adze_shape_axis(&s, "t") == 1 && adze_shape_axis(&s, "-1") == 2);
	CHECK(adze_shape_axis(&s, "q") == -1 && adze_shape_axis(&s, "3") == -1);
	CHECK(strcmp(adze_shape_print(&s, text, 4), "f16") == 0);
	CHECK(adze_shape_parse(ADZE_F32, "4 x", &s) == ADZE_E_SYNTAX && s.rank == 0);
	CHECK(adze_shape_parse(ADZE_F32, "1 2 3 4 5 6 7 8 9", &s) == ADZE_E_LIMIT);
	CHECK(adze_shape_parse(ADZE_F32, "99999999999 99999999999", &s) == ADZE_E_LIMIT);
	CHECK(adze_shape_parse(ADZE_F32, NULL, &s) == ADZE_E_ARGUMENT);
	s.rank = 77;
	CHECK(strcmp(adze_shape_print(&s, text, sizeof text), "no shape") == 0);
}

TEST(api, copies)
{
	struct life l;
	life_begin(&l);
	const float data[6] = {1, 2, 3, 4, 5, 6};
	adze_buffer *b = buffer_of(&l, ADZE_F32, "2 3", data);
	adze_host_buffer *h, *small;
	OK(&l, adze_copy_out(b, &h));
	CHECK(memcmp(adze_host_buffer_data(h), data, sizeof data) == 0);
	CHECK((uintptr_t)adze_host_buffer_data(h) % 64 == 0);
	((float *)adze_host_buffer_data(h))[5] = 7;
	OK(&l, adze_copy_to(b, h));
	CHECK(floats_of(b)[5] == 7);
	adze_shape s = shape_of(ADZE_F32, "3 2");
	OK(&l, adze_host_buffer_create(l.context, &s, &small));
	FAILS(&l, adze_copy_to(b, small), ADZE_E_TYPE, "f32[3, 2]");
	FAILS(&l, adze_copy_from(small, b), ADZE_E_TYPE, "f32[2, 3]");
	OK(&l, adze_copy_from(h, b));
	adze_host_buffer_destroy(small);
	adze_host_buffer_destroy(h);
	adze_buffer_destroy(b);
	s = shape_of(ADZE_F32, "t<=4");
	FAILS(&l, adze_buffer_create(l.device, &s, &b), ADZE_E_ARGUMENT, "symbols");
	FAILS(&l, adze_host_buffer_create(l.context, &s, &h), ADZE_E_ARGUMENT, "symbols");
	s = shape_of(ADZE_F32, "4");
	FAILS(&l, adze_host_buffer_borrow(l.context, &s, NULL, &h), ADZE_E_ARGUMENT, "data");
	s = shape_of(ADZE_F32, "4 0");
	OK(&l, adze_host_buffer_create(l.context, &s, &h));
	OK(&l, adze_copy_in(l.device, h, &b));
	adze_host_buffer_destroy(h);
	adze_buffer_destroy(b);
	life_end(&l);
}

TEST(api, npy_files)
{
	struct life l;
	char dir[512], path[600];
	life_begin(&l);
	check_temp_dir(dir, sizeof dir);
	snprintf(path, sizeof path, "%s/x.npy", dir);
	adze_shape s = shape_of(ADZE_I32, "2 2");
	int32_t data[4] = {1, -2, 3, -4};
	adze_host_buffer *h, *back;
	FAILS(&l, adze_npy_read(l.context, path, &back), ADZE_E_NOTFOUND, path);
	OK(&l, adze_host_buffer_borrow(l.context, &s, data, &h));
	OK(&l, adze_npy_write(h, path));
	OK(&l, adze_npy_read(l.context, path, &back));
	CHECK(memcmp(adze_host_buffer_data(back), data, sizeof data) == 0);
	CHECK(adze_host_buffer_shape(back)->rank == 2);
	adze_host_buffer_destroy(h);
	adze_host_buffer_destroy(back);
	unlink(path);
	rmdir(dir);
	life_end(&l);
}

/* ---- calls ---- */

/* x of t x 4 by a constant 4 x 2, plus a row. */
static adze_graph *build_rows(struct life *l)
{
	adze_graph *g;
	static const float w[8] = {1, 2, 3, 4, 5, 6, 7, 8}, row[2] = {0.5f, -0.5f};
	adze_shape ws = shape_of(ADZE_F32, "d=4 o=2"), rs = shape_of(ADZE_F32, "o=2");
	OK(l, adze_graph_create(l->context, "rows", &g));
	adze_tensor x = adze_input(g, "x", ADZE_F32, "t<=512 d=4");
	adze_tensor y = adze_dot(x, adze_constant(g, &ws, w), "d");
	y = adze_add(y, adze_constant(g, &rs, row));
	adze_output(y, "y");
	return g;
}

static void check_rows(adze_buffer *y, int t, float first)
{
	const adze_shape *s = adze_buffer_shape(y);
	CHECK(s->rank == 2 && s->dim[0].size == t && s->dim[1].size == 2);
	CHECK(s->dim[0].symbol[0] == '\0');
	const float *v = floats_of(y);
	for (int i = 0; i < t; i++) {
		float x = first + (float)i;
		CHECK_MSG(v[2 * i] == 16 * x + 0.5f && v[2 * i + 1] == 20 * x - 0.5f,
			  "t=%d row %d: %g %g", t, i, v[2 * i], v[2 * i + 1]);
	}
}

static adze_buffer *make_rows(struct life *l, int t, float first)
{
	static _Thread_local float data[512 * 4];
	char dims[32];
	for (int i = 0; i < t * 4; i++)
		data[i] = first + (float)(i / 4);
	snprintf(dims, sizeof dims, "%d 4", t);
	return buffer_of(l, ADZE_F32, dims, data);
}

TEST(api, one_executable_for_every_value_of_a_symbol)
{
	struct life l;
	static const int value[] = {1, 7, 512, 1, 0, 100};
	life_begin(&l);
	adze_graph *g = build_rows(&l);
	adze_module *m = module_of(&l, g);
	adze_graph_destroy(g);
	adze_buffer *kept = NULL;
	for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
		adze_buffer *x = make_rows(&l, value[i], 3), *y = NULL;
		OK(&l, adze_call(m, &x, 1, &y, 1, NULL));
		check_rows(y, value[i], 3);
		/* A result of one value has room for those of others. */
		OK(&l, adze_call(m, &x, 1, &kept, 1, NULL));
		check_rows(kept, value[i], 3);
		adze_buffer_destroy(x);
		adze_buffer_destroy(y);
	}
	adze_buffer_destroy(kept);
	adze_module_destroy(m);
	life_end(&l);
}

TEST(api, words_of_a_call_that_does_not_fit)
{
	struct life l;
	life_begin(&l);
	adze_graph *g = build_rows(&l);
	adze_module *m = module_of(&l, g);
	adze_graph_destroy(g);
	static const float zeros[600 * 5];
	adze_buffer *y = NULL, *x = buffer_of(&l, ADZE_F32, "7 5", zeros);
	FAILS(&l, adze_call(m, &x, 1, &y, 1, NULL), ADZE_E_TYPE, "input 'x'");
	CHECK(strstr(l.words, "f32[t<=512, d=4]") != NULL && strstr(l.words, "f32[7, 5]") != NULL);
	CHECK(y == NULL);
	adze_buffer_destroy(x);
	x = buffer_of(&l, ADZE_F32, "513 4", zeros);
	FAILS(&l, adze_call(m, &x, 1, &y, 1, NULL), ADZE_E_TYPE, "bound");
	adze_buffer_destroy(x);
	x = buffer_of(&l, ADZE_I32, "7 4", zeros);
	FAILS(&l, adze_call(m, &x, 1, &y, 1, NULL), ADZE_E_TYPE, "i32[7, 4]");
	adze_buffer_destroy(x);
	x = NULL;
	FAILS(&l, adze_call(m, &x, 1, &y, 1, NULL), ADZE_E_ARGUMENT, "'x' is missing");
	x = buffer_of(&l, ADZE_F32, "7 4", zeros);
	FAILS(&l, adze_call(m, &x, 1, &y, 0, NULL), ADZE_E_ARGUMENT, "1 results");
	y = x;
	FAILS(&l, adze_call(m, &x, 1, &y, 1, NULL), ADZE_E_ARGUMENT, "is an input too");
	y = buffer_of(&l, ADZE_F32, "6 2", zeros);
	FAILS(&l, adze_call(m, &x, 1, &y, 1, NULL), ADZE_E_ARGUMENT, "56 bytes");
	adze_buffer_destroy(y);
	adze_device *other;
	adze_shape s = shape_of(ADZE_F32, "7 2");
	OK(&l, adze_device_open(l.context, "cpu", &other));
	OK(&l, adze_buffer_create(other, &s, &y));
	FAILS(&l, adze_call(m, &x, 1, &y, 1, NULL), ADZE_E_ARGUMENT, "another device");
	adze_buffer_destroy(y);
	adze_device_close(other);
	adze_buffer_destroy(x);
	adze_module_destroy(m);
	life_end(&l);
}

TEST(api, two_results_need_two_buffers)
{
	struct life l;
	adze_graph *g;
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "two", &g));
	adze_tensor x = adze_input(g, "x", ADZE_F32, "4");
	adze_output(adze_exp(x), "a");
	adze_output(adze_neg(x), "b");
	adze_module *m = module_of(&l, g);
	const float data[4] = {1, 2, 3, 4};
	adze_buffer *in = buffer_of(&l, ADZE_F32, "4", data);
	adze_buffer *out[2] = {NULL, NULL};
	out[0] = out[1] = buffer_of(&l, ADZE_F32, "4", data);
	FAILS(&l, adze_call(m, &in, 1, out, 2, NULL), ADZE_E_ARGUMENT, "another output");
	out[1] = NULL;
	OK(&l, adze_call(m, &in, 1, out, 2, NULL));
	check_floats(out[1], (const float[]){-1, -2, -3, -4}, 4);
	adze_buffer_destroy(out[0]);
	adze_buffer_destroy(out[1]);
	adze_buffer_destroy(in);
	adze_module_destroy(m);
	adze_graph_destroy(g);
	life_end(&l);
}

TEST(api, cancelled_calls)
{
	struct life l;
	adze_cancel *stop;
	life_begin(&l);
	adze_graph *g = build_rows(&l);
	adze_module *m = module_of(&l, g);
	adze_graph_destroy(g);
	adze_buffer *x = make_rows(&l, 7, 1), *y = NULL;
	OK(&l, adze_cancel_create(l.context, &stop));
	adze_cancel_set(stop, true);
	FAILS(&l, adze_call(m, &x, 1, &y, 1, stop), ADZE_E_CANCELLED, "rows");
	CHECK(y == NULL);
	adze_cancel_set(stop, false);
	OK(&l, adze_call(m, &x, 1, &y, 1, stop));
	check_rows(y, 7, 1);
	adze_cancel_destroy(stop);
	adze_cancel_destroy(NULL);
	adze_buffer_destroy(x);
	adze_buffer_destroy(y);
	adze_module_destroy(m);
	life_end(&l);
}

TEST(api, a_call_allocates_nothing)
{
	struct life l;
	adze_config config;
	adze_config_init(&config);
	config.cache_dir = NULL;
	life_begin_with(&l, &config);
	adze_graph *g = build_rows(&l);
	adze_module *m = module_of(&l, g);
	adze_graph_destroy(g);
	adze_buffer *x = make_rows(&l, 100, 1), *y = NULL;
	OK(&l, adze_call(m, &x, 1, &y, 1, NULL));
	long before = l.memory.calls;
	for (int i = 0; i < 10; i++)
		OK(&l, adze_call(m, &x, 1, &y, 1, NULL));
	CHECK_MSG(l.memory.calls == before, "%ld allocations", l.memory.calls - before);
	check_rows(y, 100, 1);
	adze_buffer_destroy(x);
	adze_buffer_destroy(y);
	adze_module_destroy(m);
	life_end(&l);
}

struct caller {
	struct life *life;
	adze_module *module;
	int number;
};

static void *call_often(void *self)
{
	struct caller *c = self;
	struct life *l = c->life;
	for (int i = 0; i < 50; i++) {
		int t = 1 + (c->number * 61 + i * 17) % 512;
		adze_buffer *x = make_rows(l, t, (float)c->number), *y = NULL;
		OK(l, adze_call(c->module, &x, 1, &y, 1, NULL));
		check_rows(y, t, (float)c->number);
		adze_buffer_destroy(x);
		adze_buffer_destroy(y);
	}
	return NULL;
}

TEST(api, eight_threads_call_one_module)
{
	struct life l;
	struct caller caller[8];
	pthread_t thread[8];
	life_begin(&l);
	adze_graph *g = build_rows(&l);
	adze_module *m = module_of(&l, g);
	adze_graph_destroy(g);
	for (int i = 0; i < 8; i++) {
		caller[i] = (struct caller){&l, m, i};
		CHECK(pthread_create(&thread[i], NULL, call_often, &caller[i]) == 0);
	}
	for (int i = 0; i < 8; i++)
		pthread_join(thread[i], NULL);
	adze_module_destroy(m);
	life_end(&l);
}

/* ---- state ---- */

TEST(api, a_counter_lives_from_call_to_call)
{
	struct life l;
	adze_graph *g;
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "counter", &g));
	adze_tensor n = adze_input(g, "n", ADZE_I32, "");
	adze_tensor next = adze_add(n, adze_scalar(g, ADZE_I32, 1));
	adze_output(adze_mul(n, adze_scalar(g, ADZE_I32, 10)), "tens");
	adze_output(next, "n");
	adze_exe *exe;
	adze_module *m;
	OK(&l, adze_compile(l.device, g, &exe));
	CHECK(adze_exe_donated(exe, 0) == -1 && adze_exe_donated(exe, 1) == 0);
	OK(&l, adze_bind(exe, NULL, 0, &m));
	const int32_t zero = 0;
	adze_buffer *count = buffer_of(&l, ADZE_I32, "", &zero), *out[2] = {NULL, NULL};
	for (int i = 0; i < 5; i++) {
		OK(&l, adze_call(m, &count, 1, out, 2, NULL));
		CHECK(out[1] == count);
		CHECK_MSG(*(int32_t *)adze_buffer_data(count) == i + 1, "%d",
			  *(int32_t *)adze_buffer_data(count));
		CHECK_MSG(*(int32_t *)adze_buffer_data(out[0]) == 10 * i, "%d",
			  *(int32_t *)adze_buffer_data(out[0]));
	}
	adze_buffer *other = buffer_of(&l, ADZE_I32, "", &zero), *wrong[2] = {out[0], other};
	FAILS(&l, adze_call(m, &count, 1, wrong, 2, NULL), ADZE_E_ARGUMENT, "memory of its");
	wrong[0] = count;
	wrong[1] = NULL;
	FAILS(&l, adze_call(m, &count, 1, wrong, 2, NULL), ADZE_E_ARGUMENT, "output 'tens'");
	adze_buffer_destroy(other);
	adze_buffer_destroy(out[0]);
	adze_buffer_destroy(count);
	adze_module_destroy(m);
	adze_exe_destroy(exe);
	adze_graph_destroy(g);
	life_end(&l);
}

TEST(api, a_ring_buffer_lives_from_call_to_call)
{
	struct life l;
	adze_graph *g;
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "ring", &g));
	adze_tensor ring = adze_input(g, "ring", ADZE_F32, "k=4 d=2");
	adze_tensor at = adze_input(g, "at", ADZE_I32, "");
	adze_tensor x = adze_input(g, "x", ADZE_F32, "k=1 d=2");
	adze_tensor next = adze_dynamic_update(ring, x, "k", at);
	adze_tensor one = adze_scalar(g, ADZE_I32, 1), four = adze_scalar(g, ADZE_I32, 4);
	adze_output(adze_sum(next, "k"), "sum");
	adze_output(next, "ring");
	adze_output(adze_rem(adze_add(at, one), four), "at");
	adze_module *m = module_of(&l, g);
	adze_graph_destroy(g);
	static const float zeros[8];
	const int32_t zero = 0;
	float want[8] = {0};
	adze_buffer *state = buffer_of(&l, ADZE_F32, "4 2", zeros);
	adze_buffer *place = buffer_of(&l, ADZE_I32, "", &zero), *out[3] = {NULL, NULL, NULL};
	for (int i = 0; i < 11; i++) {
		const float row[2] = {(float)i, (float)-i};
		adze_buffer *in[3] = {state, place, buffer_of(&l, ADZE_F32, "1 2", row)};
		OK(&l, adze_call(m, in, 3, out, 3, NULL));
		memcpy(want + i % 4 * 2, row, sizeof row);
		check_floats(state, want, 8);
		float sum[2] = {0, 0};
		for (int k = 0; k < 8; k++)
			sum[k % 2] += want[k];
		check_floats(out[0], sum, 2);
		CHECK(out[1] == state && out[2] == place);
		CHECK(*(int32_t *)adze_buffer_data(place) == (i + 1) % 4);
		adze_buffer_destroy(in[2]);
	}
	adze_buffer_destroy(out[0]);
	adze_buffer_destroy(state);
	adze_buffer_destroy(place);
	adze_module_destroy(m);
	life_end(&l);
}

/* ---- executables ---- */

TEST(api, executables_in_files)
{
	struct life l;
	char dir[512], path[600];
	adze_exe *exe, *back;
	adze_module *m;
	const char *name;
	adze_shape s;
	life_begin(&l);
	check_temp_dir(dir, sizeof dir);
	snprintf(path, sizeof path, "%s/rows.adze", dir);
	adze_graph *g = build_rows(&l);
	OK(&l, adze_compile(l.device, g, &exe));
	adze_graph_destroy(g);
	CHECK(adze_exe_count(exe, ADZE_ROLE_INPUT) == 1);
	CHECK(adze_exe_count(exe, ADZE_ROLE_WEIGHT) == 0);
	CHECK(adze_exe_value(exe, ADZE_ROLE_OUTPUT, 0, &name, &s) && strcmp(name, "y") == 0);
	CHECK(strcmp(s.dim[0].symbol, "t") == 0 && s.dim[0].size == 512);
	CHECK(!adze_exe_value(exe, ADZE_ROLE_OUTPUT, 1, &name, &s));
	CHECK(!adze_exe_was_cached(exe));
	OK(&l, adze_exe_save(exe, path));
	adze_exe_destroy(exe);
	OK(&l, adze_exe_open(l.device, path, &back));
	OK(&l, adze_bind(back, NULL, 0, &m));
	adze_exe_destroy(back);
	adze_buffer *x = make_rows(&l, 9, 2), *y = NULL;
	OK(&l, adze_call(m, &x, 1, &y, 1, NULL));
	check_rows(y, 9, 2);
	adze_buffer_destroy(x);
	adze_buffer_destroy(y);
	adze_module_destroy(m);
	adze_device *trace;
	OK(&l, adze_device_open(l.context, "trace", &trace));
	FAILS(&l, adze_exe_open(trace, path, &back), ADZE_E_VERSION, "for device cpu");
	adze_device_close(trace);
	CHECK(truncate(path, 100) == 0);
	FAILS(&l, adze_exe_open(l.device, path, &back), ADZE_E_FORMAT, path);
	unlink(path);
	FAILS(&l, adze_exe_open(l.device, path, &back), ADZE_E_NOTFOUND, path);
	FAILS(&l, adze_exe_open(l.device, dir, &back), ADZE_E_IO, dir);
	rmdir(dir);
	life_end(&l);
}

TEST(api, zero_extents_work)
{
	struct life l;
	adze_graph *g;
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "nothing", &g));
	adze_tensor x = adze_input(g, "x", ADZE_F32, "a=0 b=3");
	adze_output(adze_sum(x, "a"), "sum");
	adze_output(adze_exp(x), "exp");
	adze_output(adze_dot(x, x, "a"), "dot");
	adze_module *m = module_of(&l, g);
	adze_graph_destroy(g);
	adze_buffer *in = buffer_of(&l, ADZE_F32, "0 3", ""), *out[3] = {NULL, NULL, NULL};
	OK(&l, adze_call(m, &in, 1, out, 3, NULL));
	check_floats(out[0], (const float[]){0, 0, 0}, 3);
	CHECK(adze_shape_count(adze_buffer_shape(out[1])) == 0);
	for (int i = 0; i < 3; i++)
		adze_buffer_destroy(out[i]);
	adze_buffer_destroy(in);
	adze_module_destroy(m);
	life_end(&l);
}

/* ---- futures ---- */

struct told {
	adze_future *future;
	pthread_mutex_t gate; /* the work waits in its report while this is held */
	double share;
	int reports;
	bool ordered;
};

static void be_told(void *self, double share, const char *what)
{
	struct told *t = self;
	pthread_mutex_lock(&t->gate);
	t->ordered = (t->reports == 0 || share >= t->share) && what[0] != '\0';
	t->share = share;
	t->reports++;
	pthread_mutex_unlock(&t->gate);
}

TEST(api, futures_compile)
{
	struct life l;
	adze_future *f;
	adze_exe *exe;
	adze_module *m;
	struct told told = {.gate = PTHREAD_MUTEX_INITIALIZER};
	adze_progress progress = {be_told, &told};
	life_begin(&l);
	adze_graph *g = build_rows(&l);
	pthread_mutex_lock(&told.gate);
	OK(&l, adze_compile_async(l.device, g, &progress, &f));
	adze_graph_destroy(g);
	CHECK(adze_future_wait(f, 0) == ADZE_E_TIMEOUT);
	CHECK(adze_future_wait(f, 2000000) == ADZE_E_TIMEOUT);
	CHECK(adze_future_exe(f, &exe) == ADZE_E_TIMEOUT && exe == NULL);
	CHECK(adze_future_words(f)[0] == '\0');
	pthread_mutex_unlock(&told.gate);
	OK(&l, adze_future_wait(f, -1));
	OK(&l, adze_future_wait(f, 0));
	CHECK(told.reports > 2 && told.share == 1 && told.ordered);
	OK(&l, adze_future_exe(f, &exe));
	adze_exe *again;
	FAILS(&l, adze_future_exe(f, &again), ADZE_E_ARGUMENT, "taken");
	adze_future_destroy(f);
	OK(&l, adze_bind(exe, NULL, 0, &m));
	adze_exe_destroy(exe);
	adze_buffer *x = make_rows(&l, 3, 2), *y = NULL;
	OK(&l, adze_call(m, &x, 1, &y, 1, NULL));
	check_rows(y, 3, 2);
	adze_buffer_destroy(x);
	adze_buffer_destroy(y);
	adze_module_destroy(m);
	life_end(&l);
}

TEST(api, futures_are_cancelled)
{
	struct life l;
	adze_future *f;
	adze_exe *exe;
	struct told told = {.gate = PTHREAD_MUTEX_INITIALIZER};
	adze_progress progress = {be_told, &told};
	life_begin(&l);
	adze_graph *g = build_rows(&l);
	pthread_mutex_lock(&told.gate);
	OK(&l, adze_compile_async(l.device, g, &progress, &f));
	adze_future_cancel(f);
	pthread_mutex_unlock(&told.gate);
	CHECK(adze_future_wait(f, -1) == ADZE_E_CANCELLED);
	CHECK(strstr(adze_future_words(f), "cancelled") != NULL);
	CHECK(adze_future_exe(f, &exe) == ADZE_E_CANCELLED && exe == NULL);
	CHECK(told.share < 1);
	adze_future_destroy(f);
	/* One that nobody waits for, and whose result nobody takes. */
	OK(&l, adze_compile_async(l.device, g, NULL, &f));
	adze_future_destroy(f);
	OK(&l, adze_compile_async(l.device, g, NULL, &f));
	OK(&l, adze_future_wait(f, -1));
	adze_future_destroy(f);
	adze_future_destroy(NULL);
	adze_graph_destroy(g);
	life_end(&l);
}

TEST(api, compile_reports_the_first_failure)
{
	struct life l;
	adze_graph *g;
	adze_exe *exe;
	adze_future *f;
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "wrong", &g));
	FAILS(&l, adze_compile(l.device, g, &exe), ADZE_E_ARGUMENT, "no result");
	adze_tensor x = adze_input(g, "x", ADZE_F32, "s=3 d=4");
	adze_tensor y = adze_input(g, "y", ADZE_F32, "s=3 d=5");
	adze_tensor z = adze_add(x, y);
	int line = __LINE__ - 1;
	char where[64];
	CHECK(!adze_is(z) && adze_graph_status(g) == ADZE_E_TYPE);
	snprintf(where, sizeof where, "api_test.c:%d:", line);
	CHECK_MSG(strstr(adze_graph_words(g), where) != NULL, "%s", adze_graph_words(g));
	CHECK_MSG(strstr(adze_graph_words(g), "add: f32[s=3, d=4], f32[s=3, d=5]") != NULL, "%s",
		  adze_graph_words(g));
	adze_output(adze_exp(z), "z");
	FAILS(&l, adze_compile(l.device, g, &exe), ADZE_E_TYPE, where);
	CHECK(exe == NULL);
	FAILS(&l, adze_compile_async(l.device, g, NULL, &f), ADZE_E_TYPE, where);
	CHECK(f == NULL);
	adze_graph_destroy(g);
	life_end(&l);
}

TEST(api, graphs_from_text)
{
	struct life l;
	adze_graph *g;
	adze_host_buffer *text;
	life_begin(&l);
	FAILS(&l, adze_graph_parse(l.context, "graph g(", 8, "g.air", &g), ADZE_E_SYNTAX,
	      "g.air:1");
	CHECK(g == NULL);
	adze_graph *rows = build_rows(&l);
	OK(&l, adze_graph_print(l.context, rows, &text));
	const adze_shape *s = adze_host_buffer_shape(text);
	CHECK(s->rank == 1 && s->dtype == ADZE_U8);
	OK(&l, adze_graph_parse(l.context, adze_host_buffer_data(text), (size_t)s->dim[0].size,
				NULL, &g));
	adze_host_buffer_destroy(text);
	adze_graph_destroy(rows);
	adze_module *m = module_of(&l, g);
	adze_graph_destroy(g);
	adze_buffer *x = make_rows(&l, 5, 2), *y = NULL;
	OK(&l, adze_call(m, &x, 1, &y, 1, NULL));
	check_rows(y, 5, 2);
	adze_buffer_destroy(x);
	adze_buffer_destroy(y);
	adze_module_destroy(m);
	life_end(&l);
}
