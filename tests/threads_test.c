/* SPDX-License-Identifier: Apache-2.0
 *
 * What programs with threads of their own may do: change the floating-point mode, lend threads,
 * call several executables at once. And that a call asks for no memory at all.
 */
#include "tests/check.h"

#include <fenv.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "tests/api_fixture.h"
#include "tests/device_check.h"
#include "tests/random_graph.h"

/* ---- memory: every malloc of this program, whoever asks ---- */

#if defined(__has_feature)
#define FEATURE(name) __has_feature(name)
#else
#define FEATURE(name) 0
#endif
#if defined(__GLIBC__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__) && \
	!FEATURE(thread_sanitizer) && !FEATURE(address_sanitizer)
#define COUNTS_MALLOC 1
void *__libc_malloc(size_t n);
void *malloc(size_t n);

static atomic_long mallocs;

void *malloc(size_t n)
{
	atomic_fetch_add(&mallocs, 1);
	return __libc_malloc(n);
}
#else
#define COUNTS_MALLOC 0
static atomic_long mallocs;
#endif

/* ---- the floating-point mode ---- */

#if defined(__x86_64__)
#define HAS_MODES 1
typedef unsigned mode_word;

static mode_word get_mode(void)
{
	return _mm_getcsr() & ~0x3fu; /* without flags */
}

static void set_mode(mode_word m)
{
	_mm_setcsr(m);
}

/* Upwards; toward zero without denormals; downwards with traps for all but inexact results. */
static const mode_word modes[] = {0x5f80, 0xffc0, 0x3f80 & ~0xf80u};
#define NORMAL 0x1f80u
#elif defined(__aarch64__)
#define HAS_MODES 1
typedef uint64_t mode_word;

static mode_word get_mode(void)
{
	mode_word m;
	__asm__ volatile("mrs %0, fpcr" : "=r"(m));
	return m;
}

static void set_mode(mode_word m)
{
	__asm__ volatile("msr fpcr, %0" ::"r"(m));
}

static const mode_word modes[] = {1u << 22, 3u << 22 | 1u << 24};
#define NORMAL 0u
#else
#define HAS_MODES 0
#endif

#if HAS_MODES
#define MOST_OUTPUTS 64

/* All outputs of a graph in the default mode to `out`, or compared with it in mode `m`. */
static void run_in_mode(adze_device *dev, const struct random_graph *r, mode_word m, void **out,
			bool compare)
{
	const adze_graph *g = r->g;
	const void *input[64], *weight[64];
	void *got[MOST_OUTPUTS];
	int64_t symbol[ADZE_MAX_SYMBOLS];
	struct diag d = {ADZE_OK, ""};
	CHECK(g->ninput <= 64 && g->nweight <= 64 && g->noutput <= MOST_OUTPUTS);
	for (size_t i = 0; i < g->ninput; i++)
		input[i] = r->value[g->input[i]].data;
	for (size_t i = 0; i < g->nweight; i++)
		weight[i] = r->value[g->weight[i]].data;
	for (size_t i = 0; i < g->noutput; i++)
		got[i] = calloc(1, r->value[g->output[i].value].bytes + 1);
	random_symbols(r, symbol);
	set_mode(m);
	adze_status status = device_check_run(dev, g, true, 1, symbol, input, weight, got, &d);
	mode_word after = get_mode();
	set_mode(NORMAL);
	CHECK_MSG(status == ADZE_OK, "seed %llu: %s", (unsigned long long)r->seed, d.text);
	CHECK_MSG(after == m, "seed %llu: the mode was %#llx and is %#llx",
		  (unsigned long long)r->seed, (unsigned long long)m, (unsigned long long)after);
	for (size_t i = 0; i < g->noutput; i++) {
		size_t bytes = r->value[g->output[i].value].bytes;
		CHECK_MSG(!compare || memcmp(got[i], out[i], bytes) == 0,
			  "seed %llu, mode %#llx: output %s differs", (unsigned long long)r->seed,
			  (unsigned long long)m, g->output[i].name);
		if (compare)
			free(got[i]);
		else
			out[i] = got[i];
	}
}

/* Random graphs have denormals, NaN and infinities among their values. */
TEST(fp_mode, results_do_not_depend_on_it)
{
	adze_context *c[2] = {device_check_context(NULL, 1), device_check_context(NULL, 3)};
	adze_device *dev[2];
	struct diag d = {ADZE_OK, ""};
	for (int i = 0; i < 2; i++)
		CHECK_MSG(device_check_open(c[i], &dev[i], &d) == ADZE_OK, "%s", d.text);
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct random_graph *r = random_graph_create(check_seed() + seed);
		void *want[MOST_OUTPUTS];
		run_in_mode(dev[0], r, NORMAL, want, false);
		for (size_t m = 0; m < sizeof modes / sizeof modes[0]; m++)
			run_in_mode(dev[seed % 2], r, modes[m], want, true);
		for (size_t i = 0; i < r->g->noutput; i++)
			free(want[i]);
		random_graph_destroy(r);
	}
	for (int i = 0; i < 2; i++) {
		device_release(dev[i]);
		device_check_context_free(c[i]);
	}
}

/* A product and a sum of denormals: rounding and flushing would both show. */
static void check_product(struct life *l, adze_module *m, adze_buffer *x, mode_word mode,
			  adze_buffer **y)
{
	set_mode(mode);
	adze_status status = adze_call(m, &x, 1, y, 1, NULL);
	set_mode(NORMAL);
	OK(l, status);
}

TEST(fp_mode, calls_with_workers)
{
	struct life l;
	adze_config config;
	adze_buffer *want = NULL, *got = NULL;
	enum { N = 1 << 20 };
	adze_config_init(&config);
	config.cache_dir = NULL;
	config.threads = 5;
	life_begin_with(&l, &config);
	adze_graph *g;
	OK(&l, adze_graph_create(l.context, "denormals", &g));
	adze_tensor t = adze_input(g, "x", ADZE_F32, "n=1048576");
	adze_output(adze_add(adze_mul(t, t), adze_mul(adze_scalar(g, ADZE_F32, 0.1), t)), "y");
	adze_module *m = module_of(&l, g);
	adze_graph_destroy(g);
	float *data = malloc(N * sizeof *data);
	uint64_t state = check_seed();
	for (int i = 0; i < N; i++) {
		uint32_t bits = (uint32_t)check_random(&state) & 0x83ffffffu;
		memcpy(&data[i], &bits, 4); /* below 2^-119, half of them denormal */
	}
	adze_buffer *x = buffer_of(&l, ADZE_F32, "n=1048576", data);
	check_product(&l, m, x, NORMAL, &want);
	for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
		check_product(&l, m, x, modes[i], &got);
		CHECK_MSG(memcmp(floats_of(want), floats_of(got), N * 4) == 0, "mode %zu", i);
	}
	free(data);
	adze_buffer_destroy(x);
	adze_buffer_destroy(want);
	adze_buffer_destroy(got);
	adze_module_destroy(m);
	life_end(&l);
}
#endif

/* ---- several executables, several threads ---- */

struct net {
	adze_module *module;
	adze_buffer *x, *want;
};

/* A layer of its own size, large enough for several threads. */
static void make_net(struct life *l, struct net *n, int wide)
{
	char dims[64];
	adze_graph *g;
	float *data = malloc((size_t)wide * 512 * sizeof *data);
	for (int i = 0; i < wide * 512; i++)
		data[i] = (float)(i * 7919 % 1000) / 1000 - 0.5f;
	OK(l, adze_graph_create(l->context, "net", &g));
	snprintf(dims, sizeof dims, "n=64 d=%d", wide);
	adze_tensor t = adze_input(g, "x", ADZE_F32, dims);
	snprintf(dims, sizeof dims, "o=512 d=%d", wide);
	adze_tensor u = adze_input(g, "w", ADZE_F32, dims);
	adze_output(adze_softmax(adze_gelu(adze_dot(t, u, "d")), "o"), "y");
	n->module = module_of(l, g);
	adze_graph_destroy(g);
	snprintf(dims, sizeof dims, "o=512 d=%d", wide);
	n->x = buffer_of(l, ADZE_F32, dims, data);
	free(data);
}

static adze_status call_net(const struct net *n, adze_buffer *w, adze_buffer *x, adze_buffer **y)
{
	adze_buffer *in[2] = {x, w};
	return adze_call(n->module, in, 2, y, 1, NULL);
}

struct user {
	struct life *life;
	const struct net *net;
	adze_buffer *x;
	int calls, wrong;
};

static void *use(void *self)
{
	struct user *u = self;
	adze_buffer *y = NULL;
	for (int i = 0; i < u->calls; i++) {
		u->wrong += call_net(u->net, u->net->x, u->x, &y) != ADZE_OK ||
			    memcmp(adze_buffer_data(y), adze_buffer_data(u->net->want),
				   64 * 512 * sizeof(float)) != 0;
	}
	adze_buffer_destroy(y);
	return NULL;
}

static void *lend(void *self)
{
	void **arg = self;
	adze_status status = adze_device_lend(arg[0], arg[1]);
	return status == ADZE_OK ? self : NULL;
}

/* Two executables, six threads that call them, one device or two; and lent threads. */
static void share(int threads, int lent)
{
	struct life l;
	adze_config config;
	struct net net[2];
	struct user user[6];
	pthread_t t[6], lender[4];
	adze_cancel *until;
	adze_buffer *x[2];
	adze_config_init(&config);
	config.cache_dir = NULL;
	config.threads = threads;
	config.lent = lent;
	life_begin_with(&l, &config);
	OK(&l, adze_cancel_create(l.context, &until));
	void *arg[2] = {l.device, until};
	for (int i = 0; i < 2; i++) {
		char dims[64];
		make_net(&l, &net[i], 96 + 160 * i);
		snprintf(dims, sizeof dims, "n=64 d=%d", 96 + 160 * i);
		x[i] = buffer_of(&l, ADZE_F32, dims, adze_buffer_data(net[i].x));
		net[i].want = NULL;
		OK(&l, call_net(&net[i], net[i].x, x[i], &net[i].want));
	}
	for (int i = 0; i < lent; i++)
		CHECK(pthread_create(&lender[i], NULL, lend, arg) == 0);
	for (int i = 0; i < 6; i++) {
		user[i] = (struct user){&l, &net[i % 2], x[i % 2], 30, 0};
		CHECK(pthread_create(&t[i], NULL, use, &user[i]) == 0);
	}
	for (int i = 0; i < 6; i++) {
		pthread_join(t[i], NULL);
		CHECK(user[i].wrong == 0);
	}
	struct user alone = {&l, &net[1], x[1], 30, 0};
	use(&alone);
	CHECK(alone.wrong == 0);
	adze_cancel_set(until, true);
	adze_device_recall(l.device);
	for (int i = 0; i < lent; i++) {
		void *good;
		pthread_join(lender[i], &good);
		CHECK(good == arg);
	}
	adze_cancel_destroy(until);
	for (int i = 0; i < 2; i++) {
		adze_buffer_destroy(x[i]);
		adze_buffer_destroy(net[i].x);
		adze_buffer_destroy(net[i].want);
		adze_module_destroy(net[i].module);
	}
	life_end(&l);
}

TEST(threads, calls_share_them)
{
	for (int threads = 1; threads <= 5; threads++)
		share(threads, 0);
}

TEST(threads, lent_ones)
{
	share(3, 1);
	share(5, 4);
}

TEST(threads, lending_is_checked)
{
	struct life l;
	adze_config config;
	adze_device *trace;
	adze_cancel *until;
	adze_context *none;
	adze_config_init(&config);
	config.threads = 3;
	config.lent = 1;
	life_begin_with(&l, &config);
	OK(&l, adze_cancel_create(l.context, &until));
	adze_cancel_set(until, true);
	FAILS(&l, adze_device_lend(l.device, NULL), ADZE_E_ARGUMENT, "flag");
	OK(&l, adze_device_lend(l.device, until)); /* at once: the flag is set */
	OK(&l, adze_device_open(l.context, "trace", &trace));
	FAILS(&l, adze_device_lend(trace, until), ADZE_E_UNSUPPORTED, "trace");
	adze_device_recall(trace);
	adze_device_close(trace);
	adze_cancel_destroy(until);
	life_end(&l);
	config.threads = 1;
	life_begin_with(&l, &config);
	OK(&l, adze_cancel_create(l.context, &until));
	FAILS(&l, adze_device_lend(l.device, until), ADZE_E_LIMIT, "one thread");
	adze_cancel_destroy(until);
	life_end(&l);
	config.lent = -1;
	CHECK(adze_context_create(&config, &none) == ADZE_E_ARGUMENT && none == NULL);
	config.lent = 0;
	config.threads = 10000;
	CHECK(adze_context_create(&config, &none) == ADZE_E_ARGUMENT && none == NULL);
}

TEST(threads, devices_of_a_context_share_them)
{
	struct life l;
	adze_config config;
	adze_device *second;
	adze_config_init(&config);
	config.threads = 4;
	life_begin_with(&l, &config);
	OK(&l, adze_device_open(l.context, "cpu", &second));
	CHECK(l.context->workers != NULL && l.context->workers_users == 2);
	adze_device_close(second);
	CHECK(l.context->workers_users == 1);
	life_end(&l);
}

/* Of a call with workers, whoever the memory would be asked of. */
TEST(threads, a_call_asks_for_no_memory)
{
	if (!COUNTS_MALLOC)
		SKIP("malloc cannot be counted here");
	for (int threads = 1; threads <= 3; threads++) {
		struct life l;
		adze_config config;
		struct net net;
		adze_buffer *y = NULL;
		adze_config_init(&config);
		config.cache_dir = NULL;
		config.threads = threads;
		life_begin_with(&l, &config);
		make_net(&l, &net, 256);
		adze_buffer *x = buffer_of(&l, ADZE_F32, "n=64 d=256", adze_buffer_data(net.x));
		OK(&l, call_net(&net, net.x, x, &y));
		long before = atomic_load(&mallocs), calls = l.memory.calls;
		adze_status status = ADZE_OK;
		for (int i = 0; i < 20 && status == ADZE_OK; i++)
			status = call_net(&net, net.x, x, &y);
		long after = atomic_load(&mallocs);
		CHECK(status == ADZE_OK && after > 0);
		CHECK_MSG(after == before && l.memory.calls == calls, "%ld and %ld allocations",
			  after - before, l.memory.calls - calls);
		adze_buffer_destroy(x);
		adze_buffer_destroy(y);
		adze_buffer_destroy(net.x);
		adze_module_destroy(net.module);
		life_end(&l);
	}
}
