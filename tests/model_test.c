/* SPDX-License-Identifier: Apache-2.0
 *
 * Stores, model structs and typed functions, and what becomes of them without memory.
 */
#include <unistd.h>

#include "tests/api_fixture.h"

#define LINEAR(T, O, S, L) T(weight, "out in") O(bias, "out")
ADZE_STRUCT(linear, LINEAR);
#define NORM(T, O, S, L) T(scale, "d") O(bias, "_")
ADZE_STRUCT(norm, NORM);
#define LAYER(T, O, S, L) S(norm, before) S(linear, up)
ADZE_STRUCT(layer, LAYER);
#define NET(T, O, S, L) T(embed, "v d") L(layer, layers) S(linear, head) O(extra, "")
ADZE_STRUCT(net, NET);

static adze_tensor apply_linear(struct linear l, adze_tensor x)
{
	adze_tensor y = adze_dot(x, l.weight, "d=in");
	return adze_is(l.bias) ? adze_add(y, l.bias) : y;
}

#define NET_IN(A) A(tokens) A(count)
#define NET_OUT(A) A(answer) A(count)
ADZE_FUNCTION(net_forward, net, NET_IN, NET_OUT);

struct net_forward_out net_forward(struct net m, struct net_forward_in in)
{
	adze_tensor x = adze_take(m.embed, in.tokens, "v");
	for (size_t i = 0; i < m.layers.count; i++) {
		struct layer *l = &m.layers.at[i];
		adze_tensor y = adze_layer_norm(x, l->before.scale, l->before.bias, 1e-5);
		y = adze_rename(apply_linear(l->up, y), "t d");
		x = adze_add(x, adze_gelu(y));
	}
	struct net_forward_out out;
	out.answer = apply_linear(m.head, x);
	out.count = adze_add(in.count, adze_extent(in.tokens, "t"));
	return out;
}

/* Three layers of 4; layer 1 has no bias. `without`: a tensor that is left out. */
static size_t make_net(struct file_bytes *f, const char *prefix, const char *without, size_t skew)
{
	static const char *const tensor[][2] = {
		{"embed", "6 4"},
		{"layers.0.before.scale", "4"},
		{"layers.0.before.bias", "4"},
		{"layers.0.up.weight", "4 4"},
		{"layers.0.up.bias", "4"},
		{"layers.1.before.scale", "4"},
		{"layers.1.up.weight", "4 4"},
		{"layers.2.before.scale", "4"},
		{"layers.2.up.weight", "4 4"},
		{"layers.2.up.bias", "4"},
		{"head.weight", "3 4"},
		{"head.bias", "3"},
		{"layers.x", "1"}, /* what is no layer does not count */
		{"layers.07.x", "1"},
	};
	file_begin(f);
	for (size_t i = 0; i < sizeof tensor / sizeof *tensor; i++) {
		char name[128];
		if (without != NULL && strcmp(tensor[i][0], without) == 0)
			continue;
		snprintf(name, sizeof name, "%s%s", prefix, tensor[i][0]);
		file_add(f, name, tensor[i][1], 0.25f * (float)(i + 1), 0.125f);
	}
	return file_end(f, skew);
}

static struct net_forward_in make_inputs(adze_graph *g)
{
	struct net_forward_in in;
	in.tokens = adze_input(g, "tokens", ADZE_I32, "t<=8");
	in.count = adze_input(g, "count", ADZE_I32, "");
	return in;
}

/* The whole life; its status, and words in the context. Two numbers of the answer. */
static adze_status live(adze_context *c, adze_device *dev, const void *bytes, size_t size,
			const char *prefix, float *answer)
{
	adze_store *store = NULL;
	adze_graph *g = NULL;
	struct net m;
	struct net_buffers b = {0};
	net_forward_exe exe = {NULL};
	net_forward_module module = {NULL};
	struct net_forward_args args = {NULL, NULL};
	struct net_forward_results results = {NULL, NULL};
	adze_host_buffer *host = NULL, *back = NULL;
	const int32_t token[3] = {5, 0, 2}, zero = 0;
	adze_shape s = shape_of(ADZE_I32, "3"), scalar = shape_of(ADZE_I32, "");
	adze_status status = adze_store_open_memory(c, bytes, size, &store);
#define STEP(call) \
	if (status == ADZE_OK) status = (call)
	STEP(adze_graph_create(c, "net", &g));
	STEP(net_fill(g, store, prefix, &m));
	STEP(net_forward_compile(dev, g, m, make_inputs(g), &exe));
	adze_graph_destroy(g);
	STEP(net_load(dev, store, prefix, &b));
	STEP(net_forward_bind(exe, b, prefix, &module));
	STEP(adze_host_buffer_borrow(c, &s, (void *)(uintptr_t)token, &host));
	STEP(adze_copy_in(dev, host, &args.tokens));
	adze_host_buffer_destroy(host);
	host = NULL;
	STEP(adze_host_buffer_borrow(c, &scalar, (void *)(uintptr_t)&zero, &host));
	STEP(adze_copy_in(dev, host, &args.count));
	adze_host_buffer_destroy(host);
	STEP(net_forward_call(module, args, &results));
	STEP(net_forward_call(module, args, &results));
	STEP(adze_copy_out(results.answer, &back));
#undef STEP
	if (status == ADZE_OK) {
		CHECK(results.count == args.count);
		CHECK(*(const int32_t *)adze_buffer_data(args.count) == 6);
		memcpy(answer, adze_host_buffer_data(back), 2 * sizeof *answer);
	}
	adze_host_buffer_destroy(back);
	adze_buffer_destroy(results.answer);
	adze_buffer_destroy(args.tokens);
	adze_buffer_destroy(args.count);
	net_forward_module_free(module);
	net_forward_exe_free(exe);
	net_free(&b);
	CHECK(b.embed == NULL && b.layers.at == NULL && b.layers.count == 0);
	adze_store_close(store);
	return status;
}

TEST(model, the_whole_life)
{
	static struct file_bytes f;
	struct life l;
	float aligned[2], moved[2], below[2];
	life_begin(&l);
	OK(&l, live(l.context, l.device, f.at, make_net(&f, "", NULL, 0), NULL, aligned));
	/* Data at odd places is copied, and the answer is the same. */
	OK(&l, live(l.context, l.device, f.at, make_net(&f, "", NULL, 3), "", moved));
	OK(&l, live(l.context, l.device, f.at, make_net(&f, "a.b.", NULL, 0), "a.b", below));
	CHECK(memcmp(aligned, moved, sizeof aligned) == 0);
	CHECK(memcmp(aligned, below, sizeof aligned) == 0);
	CHECK(aligned[0] == aligned[0] && aligned[0] != 0 && aligned[0] != aligned[1]);
	life_end(&l);
}

TEST(model, a_missing_tensor_is_named)
{
	static struct file_bytes f;
	struct life l;
	float y[2];
	life_begin(&l);
	size_t n = make_net(&f, "", "layers.1.up.weight", 0);
	FAILS(&l, live(l.context, l.device, f.at, n, NULL, y), ADZE_E_NOTFOUND,
	      "'layers.1.up.weight'");
	CHECK_MSG(strstr(l.words, "similar: 'layers.0.up.weight', 'layers.2.up.weight'") != NULL,
		  "%s", l.words);
	n = make_net(&f, "", "head.weight", 0);
	FAILS(&l, live(l.context, l.device, f.at, n, NULL, y), ADZE_E_NOTFOUND, "'head.weight'");
	FAILS(&l, live(l.context, l.device, f.at, n, "other", y), ADZE_E_NOTFOUND, "'other.embed'");
	life_end(&l);
}

TEST(model, layers_are_counted)
{
	static struct file_bytes f;
	struct life l;
	adze_store *s;
	struct net_buffers b;
	life_begin(&l);
	/* Layer 1 is not there at all, and one claims to be the 5000th. */
	file_begin(&f);
	file_add(&f, "embed", "6 4", 0, 1);
	file_add(&f, "layers.0.before.scale", "4", 0, 1);
	file_add(&f, "layers.0.up.weight", "4 4", 0, 1);
	file_add(&f, "layers.2.before.scale", "4", 0, 1);
	file_add(&f, "layers.2.up.weight", "4 4", 0, 1);
	file_add(&f, "head.weight", "3 4", 0, 1);
	OK(&l, adze_store_open_memory(l.context, f.at, file_end(&f, 0), &s));
	FAILS(&l, net_load(l.device, s, NULL, &b), ADZE_E_NOTFOUND, "'layers.1.before.scale'");
	CHECK(b.embed == NULL && b.layers.at == NULL);
	adze_store_close(s);
	file_begin(&f);
	file_add(&f, "embed", "6 4", 0, 1);
	file_add(&f, "head.weight", "3 4", 0, 1);
	file_add(&f, "layers.5000000000000000000000.up.weight", "1", 0, 1);
	OK(&l, adze_store_open_memory(l.context, f.at, file_end(&f, 0), &s));
	FAILS(&l, net_load(l.device, s, NULL, &b), ADZE_E_NOTFOUND, "only 1 of them");
	adze_store_close(s);
	/* None is fine. */
	file_begin(&f);
	file_add(&f, "embed", "6 4", 0, 1);
	file_add(&f, "head.weight", "3 4", 0, 1);
	OK(&l, adze_store_open_memory(l.context, f.at, file_end(&f, 0), &s));
	OK(&l, net_load(l.device, s, NULL, &b));
	CHECK(b.layers.count == 0 && b.layers.at == NULL && b.head.bias == NULL);
	net_free(&b);
	adze_store_close(s);
	life_end(&l);
}

TEST(model, axes_must_be_those_of_the_declaration)
{
	static struct file_bytes f;
	struct life l;
	adze_store *s;
	adze_graph *g;
	struct linear m;
	struct linear_buffers b;
	life_begin(&l);
	file_begin(&f);
	file_add(&f, "weight", "2 3 4", 0, 1);
	OK(&l, adze_store_open_memory(l.context, f.at, file_end(&f, 0), &s));
	OK(&l, adze_graph_create(l.context, NULL, &g));
	FAILS(&l, linear_load(l.device, s, NULL, &b), ADZE_E_TYPE, "'out in'");
	CHECK(b.weight == NULL);
	FAILS(&l, linear_fill(g, s, NULL, &m), ADZE_E_TYPE, "f32[2, 3, 4]");
	CHECK(adze_graph_status(g) == ADZE_E_TYPE);
	adze_graph_destroy(g);
	adze_store_close(s);
	life_end(&l);
}

TEST(model, names_of_axes_and_absent_tensors)
{
	static struct file_bytes f;
	struct life l;
	adze_store *s;
	adze_graph *g;
	struct net m;
	struct net_buffers b;
	life_begin(&l);
	OK(&l, adze_store_open_memory(l.context, f.at, make_net(&f, "", NULL, 0), &s));
	OK(&l, adze_graph_create(l.context, NULL, &g));
	OK(&l, net_fill(g, s, NULL, &m));
	CHECK(m.layers.count == 3 && !adze_is(m.extra) && m.extra.graph == g);
	CHECK(adze_is(m.layers.at[0].up.bias) && !adze_is(m.layers.at[1].up.bias));
	adze_shape shape = adze_tensor_shape(m.layers.at[2].up.weight);
	CHECK(strcmp(shape.dim[0].name, "out") == 0 && strcmp(shape.dim[1].name, "in") == 0);
	shape = adze_tensor_shape(m.layers.at[0].before.bias);
	CHECK(shape.dim[0].name[0] == '\0');
	CHECK(adze_tensor_shape(m.extra).rank == 0);
	/* An absent tensor that is used all the same. */
	CHECK(!adze_is(adze_add(m.embed, m.extra)));
	CHECK_MSG(strstr(adze_graph_words(g), "null tensor") != NULL, "%s", adze_graph_words(g));
	adze_graph_destroy(g);
	OK(&l, net_load(l.device, s, NULL, &b));
	/* On this device they are the file's own bytes, and outlive the store's handle. */
	adze_store_close(s);
	CHECK(strcmp(adze_buffer_shape(b.layers.at[0].up.bias)->dim[0].name, "out") == 0);
	CHECK((const char *)adze_buffer_data(b.embed) >= f.at &&
	      (const char *)adze_buffer_data(b.embed) < f.at + sizeof f.at);
	CHECK(floats_of(b.embed)[0] == 0.25f);
	adze_host_buffer *h;
	OK(&l, adze_copy_out(b.embed, &h));
	FAILS(&l, adze_copy_to(b.embed, h), ADZE_E_ARGUMENT, "weight file");
	adze_host_buffer_destroy(h);
	net_free(&b);
	life_end(&l);
}

TEST(model, stores)
{
	static struct file_bytes f;
	struct life l;
	adze_store *s;
	adze_host_buffer *h;
	adze_buffer *b;
	adze_shape shape;
	const char *name;
	char dir[512], path[600];
	life_begin(&l);
	size_t n = make_net(&f, "", NULL, 0);
	check_temp_dir(dir, sizeof dir);
	snprintf(path, sizeof path, "%s/model.safetensors", dir);
	FAILS(&l, adze_store_open(l.context, path, &s), ADZE_E_NOTFOUND, path);
	CHECK(s == NULL);
	FILE *file = fopen(path, "wb");
	CHECK(file != NULL && fwrite(f.at, 1, n, file) == n && fclose(file) == 0);
	OK(&l, adze_store_open(l.context, dir, &s));
	CHECK(adze_store_count(s) == 14);
	CHECK(adze_store_entry(s, 0, &name, &shape) && strcmp(name, "embed") == 0);
	CHECK(!adze_store_entry(s, 14, &name, &shape));
	OK(&l, adze_store_find(s, "head.bias", &shape));
	CHECK(shape.rank == 1 && shape.dim[0].size == 3);
	FAILS(&l, adze_store_find(s, "head.biass", &shape), ADZE_E_NOTFOUND, "'head.bias'");
	CHECK(strstr(l.words, dir) != NULL);
	CHECK(adze_store_metadata(s, "format") == NULL);
	OK(&l, adze_store_view(s, "head.bias", &h));
	CHECK(((const float *)adze_host_buffer_data(h))[0] == 3);
	adze_host_buffer_destroy(h);
	FAILS(&l, adze_store_load(s, "nothing at all", l.device, &b), ADZE_E_NOTFOUND, "among 14");
	CHECK(b == NULL);
	OK(&l, adze_store_load(s, "head.bias", l.device, &b));
	adze_store_close(s);
	CHECK(floats_of(b)[0] == 3);
	adze_buffer_destroy(b);
	unlink(path);
	rmdir(dir);
	FAILS(&l, adze_store_open_memory(l.context, f.at, 20, &s), ADZE_E_FORMAT, "memory");
	FAILS(&l, adze_store_open_memory(l.context, NULL, 0, &s), ADZE_E_FORMAT, "memory");
	adze_store_close(NULL);
	life_end(&l);
}

static adze_exe *compile_linear(struct life *l, adze_store *s)
{
	adze_graph *g;
	struct linear m;
	adze_exe *exe;
	OK(l, adze_graph_create(l->context, "linear", &g));
	OK(l, linear_fill(g, s, "", &m));
	adze_output(apply_linear(m, adze_input(g, "x", ADZE_F32, "t=1 d=3")), "y");
	OK(l, adze_compile(l->device, g, &exe));
	adze_graph_destroy(g);
	CHECK(adze_exe_count(exe, ADZE_ROLE_WEIGHT) == 2);
	return exe;
}

TEST(model, weights_are_checked_when_bound)
{
	static struct file_bytes f, other;
	struct life l;
	adze_store *s, *t;
	adze_module *m;
	adze_buffer *w[2] = {NULL, NULL};
	life_begin(&l);
	file_begin(&f);
	file_add(&f, "weight", "2 3", 1, 1);
	file_add(&f, "bias", "2", 10, 1);
	OK(&l, adze_store_open_memory(l.context, f.at, file_end(&f, 0), &s));
	file_begin(&other);
	file_add(&other, "weight", "3 2", 1, 1);
	file_add(&other, "bias", "2", 1, 1);
	OK(&l, adze_store_open_memory(l.context, other.at, file_end(&other, 0), &t));
	adze_exe *exe = compile_linear(&l, s);
	FAILS(&l, adze_bind(exe, w, 1, &m), ADZE_E_ARGUMENT, "2 weights");
	FAILS(&l, adze_bind(exe, w, 2, &m), ADZE_E_ARGUMENT, "is missing");
	FAILS(&l, adze_bind_store(exe, t, &m), ADZE_E_TYPE, "'weight'");
	CHECK(strstr(l.words, "f32[out=2, in=3]") != NULL && strstr(l.words, "f32[3, 2]") != NULL);
	struct linear_buffers b;
	OK(&l, linear_load(l.device, t, NULL, &b));
	FAILS(&l, adze_model_bind(exe, &b, NULL, linear_buffers_visit, &m), ADZE_E_TYPE,
	      "'weight'");
	linear_free(&b);
	adze_store_close(t);
	OK(&l, adze_bind_store(exe, s, &m));
	adze_store_close(s);
	adze_exe_destroy(exe);
	const float data[3] = {1, 2, 3};
	adze_buffer *x = buffer_of(&l, ADZE_F32, "1 3", data), *y = NULL;
	OK(&l, adze_call(m, &x, 1, &y, 1, NULL));
	check_floats(y, (const float[]){24, 43}, 2);
	adze_buffer_destroy(x);
	adze_buffer_destroy(y);
	adze_module_destroy(m);
	adze_module_destroy(NULL);
	life_end(&l);
}

TEST(model, what_is_not_used_is_not_asked_for)
{
	static struct file_bytes f;
	struct life l;
	adze_store *s;
	adze_graph *g;
	adze_exe *exe;
	struct net m;
	life_begin(&l);
	OK(&l, adze_store_open_memory(l.context, f.at, make_net(&f, "", NULL, 0), &s));
	OK(&l, adze_graph_create(l.context, NULL, &g));
	OK(&l, net_fill(g, s, NULL, &m));
	adze_output(adze_exp(m.head.bias), "y");
	OK(&l, adze_compile(l.device, g, &exe));
	CHECK(adze_exe_count(exe, ADZE_ROLE_WEIGHT) == 1);
	adze_exe_destroy(exe);
	adze_graph_destroy(g);
	adze_store_close(s);
	life_end(&l);
}

TEST(model, functions_check_their_inputs_and_results)
{
	static struct file_bytes f;
	struct life l;
	adze_store *s;
	adze_graph *g;
	net_forward_exe exe;
	struct net m;
	struct net_forward_in in;
	life_begin(&l);
	OK(&l, adze_store_open_memory(l.context, f.at, make_net(&f, "", NULL, 0), &s));
	OK(&l, adze_graph_create(l.context, NULL, &g));
	OK(&l, net_fill(g, s, NULL, &m));
	in.count = adze_input(g, "count", ADZE_I32, "");
	in.tokens = adze_input(g, "tokens", ADZE_I32, "t<=8");
	FAILS(&l, net_forward_compile(l.device, g, m, in, &exe), ADZE_E_ARGUMENT, "'tokens'");
	CHECK(exe.exe == NULL);
	adze_graph_destroy(g);
	OK(&l, adze_graph_create(l.context, NULL, &g));
	OK(&l, net_fill(g, s, NULL, &m));
	in = make_inputs(g);
	adze_tensor swap = in.count;
	in.count = in.tokens;
	in.tokens = swap;
	FAILS(&l, net_forward_compile(l.device, g, m, in, &exe), ADZE_E_ARGUMENT, "'tokens'");
	adze_graph_destroy(g);
	OK(&l, adze_graph_create(l.context, NULL, &g));
	OK(&l, net_fill(g, s, NULL, &m));
	in = make_inputs(g);
	adze_input(g, "more", ADZE_F32, "3");
	FAILS(&l, net_forward_compile(l.device, g, m, in, &exe), ADZE_E_ARGUMENT, "2 inputs");
	adze_graph_destroy(g);
	/* A result that the function forgot. */
	OK(&l, adze_graph_create(l.context, NULL, &g));
	adze_function_output(g, (adze_tensor){NULL, 0, 0, NULL}, "answer");
	CHECK(adze_graph_status(g) == ADZE_E_ARGUMENT);
	adze_graph_destroy(g);
	adze_store_close(s);
	life_end(&l);
}

/* ---- beside the caller ---- */

struct steps {
	adze_future **future;
	int reports, stop_after;
	double share;
};

static void count_steps(void *self, double share, const char *what)
{
	struct steps *t = self;
	t->share = share;
	CHECK(what[0] != '\0');
	/* The future is not known here before load_async has returned. */
	if (++t->reports == t->stop_after) {
		adze_future *f;
		while ((f = __atomic_load_n(t->future, __ATOMIC_SEQ_CST)) == NULL)
			usleep(100);
		adze_future_cancel(f);
	}
}

TEST(model, loading_beside_the_caller)
{
	static struct file_bytes f;
	struct life l;
	adze_store *s;
	adze_future *future = NULL, *slot = NULL;
	adze_exe *exe;
	struct net_buffers b;
	struct steps steps = {&slot, 0, 0, 0};
	adze_progress progress = {count_steps, &steps};
	life_begin(&l);
	OK(&l, adze_store_open_memory(l.context, f.at, make_net(&f, "", NULL, 0), &s));
	OK(&l, net_load_async(l.device, s, NULL, &b, &progress, &future));
	OK(&l, adze_future_wait(future, 10000000000));
	CHECK(adze_future_exe(future, &exe) == ADZE_E_ARGUMENT);
	adze_future_destroy(future);
	CHECK_MSG(steps.reports == 13 && steps.share == 1, "%d", steps.reports);
	CHECK(b.layers.count == 3 && floats_of(b.embed)[0] == 0.25f);
	net_free(&b);
	/* Stopped in the middle. */
	steps = (struct steps){&slot, 0, 4, 0};
	OK(&l, net_load_async(l.device, s, NULL, &b, &progress, &future));
	__atomic_store_n(&slot, future, __ATOMIC_SEQ_CST);
	CHECK(adze_future_wait(future, -1) == ADZE_E_CANCELLED && steps.reports == 4);
	CHECK(b.embed == NULL && b.layers.at == NULL);
	/* What the caller puts there now is the caller's. */
	OK(&l, net_load(l.device, s, NULL, &b));
	adze_future_destroy(future);
	CHECK(floats_of(b.embed)[0] == 0.25f);
	net_free(&b);
	/* Nobody ever waited: nothing is left behind. */
	OK(&l, net_load_async(l.device, s, NULL, &b, NULL, &future));
	adze_store_close(s);
	adze_future_destroy(future);
	CHECK(b.embed == NULL);
	life_end(&l);
}

/* ---- without memory ---- */

/*
 * A context, a device and the whole life with the allocator failing from the nth request
 * on: E_NOMEM, nothing left. True once it succeeded.
 */
static bool survive(const char *bytes, size_t size, long fail_after)
{
	struct check_memory memory = {.fail_after = fail_after};
	adze_config config;
	adze_context *c;
	adze_device *dev = NULL;
	float y[2];
	char words[256] = "";
	adze_config_init(&config);
	config.cache_dir = NULL;
	config.threads = 1;
	config.allocator = (adze_allocator){check_resize, &memory};
	adze_status status = adze_context_create(&config, &c);
	if (status == ADZE_OK) {
		status = adze_device_open(c, "cpu", &dev);
		if (status == ADZE_OK)
			status = live(c, dev, bytes, size, NULL, y);
		adze_context_words(c, words, sizeof words);
		adze_device_close(dev);
		CHECK_MSG(adze_context_destroy(c) == ADZE_OK, "after %ld: something is left",
			  fail_after);
	}
	CHECK_MSG(status == ADZE_OK || status == ADZE_E_NOMEM, "after %ld: %s %s", fail_after,
		  adze_status_name(status), words);
	CHECK_MSG(memory.live_blocks == 0 && memory.live_bytes == 0,
		  "after %ld: %ld blocks, %ld bytes are left", fail_after, memory.live_blocks,
		  memory.live_bytes);
	return status == ADZE_OK;
}

TEST(model, no_memory_at_any_point)
{
	static struct file_bytes f;
	size_t size = make_net(&f, "", NULL, 3);
	long n = 0;
	while (!survive(f.at, size, n)) {
		n++;
		CHECK_MSG(n < 20000, "it never succeeds");
	}
	CHECK_MSG(n > 50, "only %ld requests", n);
}

TEST(model, no_memory_beside_the_caller)
{
	static struct file_bytes f;
	struct life l;
	adze_store *s;
	adze_graph *g;
	struct net m;
	struct net_buffers b;
	adze_exe *exe;
	life_begin(&l);
	OK(&l, adze_store_open_memory(l.context, f.at, make_net(&f, "", NULL, 3), &s));
	OK(&l, adze_graph_create(l.context, NULL, &g));
	OK(&l, net_fill(g, s, NULL, &m));
	adze_output(adze_exp(m.head.weight), "y");
	for (int compile = 0; compile < 2; compile++) {
		adze_status status = ADZE_E_NOMEM;
		long n = 0;
		for (; status != ADZE_OK; n++) {
			adze_future *future;
			l.memory.fail_after = l.memory.calls + n;
			status = compile ? adze_compile_async(l.device, g, NULL, &future)
					 : net_load_async(l.device, s, NULL, &b, NULL, &future);
			CHECK((status == ADZE_OK) == (future != NULL));
			if (status == ADZE_OK)
				status = adze_future_wait(future, -1);
			l.memory.fail_after = -1;
			if (status == ADZE_OK && compile)
				OK(&l, adze_future_exe(future, &exe));
			CHECK(status == ADZE_OK || status == ADZE_E_NOMEM);
			CHECK(compile || status == ADZE_OK || b.layers.at == NULL);
			adze_future_destroy(future);
			CHECK(n < 10000);
		}
		CHECK_MSG(n > 15, "only %ld requests", n);
	}
	adze_exe_destroy(exe);
	net_free(&b);
	adze_graph_destroy(g);
	adze_store_close(s);
	life_end(&l);
}
