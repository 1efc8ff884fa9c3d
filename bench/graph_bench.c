/* SPDX-License-Identifier: Apache-2.0
 *
 * Graphs: how long compiling takes, a chain of element-wise operations against a loop that
 * copies, and a matrix product against OpenBLAS. One thread.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>

#include "ir/graph.h"

#if HAVE_OPENBLAS
#include <cblas.h>
#endif
#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { CHAIN = 16 << 20, SIDE = 1024, LAYERS = 70 };

/* ---- compile ---- */

static adze_tensor linear(adze_tensor x, const char *name, const char *weight_dims,
			  const char *bias_dims)
{
	char full[64];
	snprintf(full, sizeof full, "%s.weight", name);
	adze_tensor w = adze_weight(x.graph, full, ADZE_F32, weight_dims);
	snprintf(full, sizeof full, "%s.bias", name);
	adze_tensor b = adze_weight(x.graph, full, ADZE_F32, bias_dims);
	return adze_add(adze_dot(x, w, "-1=in"), b);
}

/* The network of `adze demo`. */
static void build_digits(adze_graph *g)
{
	adze_tensor x = adze_convert(adze_input(g, "image", ADZE_U8, "n<=64 row=8 column=8"),
				     ADZE_F32);
	x = adze_reshape(x, "n=? in=64");
	x = adze_mul(x, adze_scalar_like(x, 1.0 / 16));
	x = adze_relu(linear(x, "fc1", "out=96 in=64", "out=96"));
	x = linear(x, "fc2", "out=10 in=96", "out=10");
	adze_output(adze_softmax(x, "out"), "probability");
	adze_output(adze_argmax(x, "out"), "label");
}

/* Layers with a residual, as deep as it takes for 500 nodes. */
static void build_deep(adze_graph *g)
{
	adze_tensor x = adze_input(g, "x", ADZE_F32, "t<=16 out=64");
	for (int i = 0; i < LAYERS; i++) {
		char name[32];
		snprintf(name, sizeof name, "layer%d", i);
		x = adze_add(x, adze_gelu(linear(x, name, "out=64 in=64", "out=64")));
	}
	adze_output(x, "y");
}

struct compile_job {
	adze_device *device;
	adze_graph *graph;
};

static bool compile_once(void *self)
{
	const struct compile_job *j = self;
	adze_exe *exe;
	if (adze_compile(j->device, j->graph, &exe) != ADZE_OK)
		return false;
	adze_exe_destroy(exe);
	return true;
}

static int measure_compile(const char *name, void (*build)(adze_graph *g))
{
	if (!bench_wanted(name))
		return 0;
	adze_context *context = bench_context(1);
	struct compile_job j = {NULL, NULL};
	struct bench_time t;
	bool good = adze_device_open(context, "cpu", &j.device) == ADZE_OK &&
		    adze_graph_create(context, name, &j.graph) == ADZE_OK;
	if (good) {
		build(j.graph);
		bench_function *run = compile_once;
		void *self = &j;
		good = bench_measure(&run, &self, 1, 20, &t);
	}
	if (good) {
		char parameters[64];
		snprintf(parameters, sizeof parameters, "\"nodes\":%zu", j.graph->nnode - 1);
		bench_print(name, parameters, &t, "");
	}
	int code = good ? 0 : bench_failed(context, name);
	adze_graph_destroy(j.graph);
	adze_device_close(j.device);
	adze_context_destroy(context);
	return code;
}

int compile_bench(void)
{
	return measure_compile("compile_digits", build_digits) |
	       measure_compile("compile_500_nodes", build_deep);
}

/* ---- calls against a plain loop ---- */

struct call_job {
	adze_module *module;
	adze_buffer *in[2], *out;
	size_t nin;
};

static bool call_once(void *self)
{
	struct call_job *j = self;
	return adze_call(j->module, j->in, j->nin, &j->out, 1, NULL) == ADZE_OK;
}

struct loop_job {
	const float *a, *b;
	float *y;
	size_t n;
};

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void copy_avx2(float *y, const float *x, size_t n)
{
	for (size_t i = 0; i + 8 <= n; i += 8)
		_mm256_storeu_ps(y + i, _mm256_loadu_ps(x + i));
}
#endif

/* Reads and writes the bytes of the chain, and does nothing else. */
static bool copy_once(void *self)
{
	struct loop_job *j = self;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2")) {
		copy_avx2(j->y, j->a, j->n);
		return true;
	}
#endif
	for (size_t i = 0; i < j->n; i++)
		j->y[i] = j->a[i];
	return true;
}

#if HAVE_OPENBLAS
static bool blas_once(void *self)
{
	struct loop_job *j = self;
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1, j->a, SIDE,
		    j->b, SIDE, 0, j->y, SIDE);
	return true;
}
#endif

static void build_chain(adze_graph *g)
{
	adze_tensor x = adze_input(g, "a", ADZE_F32, "n=16777216");
	adze_tensor y = adze_add(x, adze_scalar_like(x, 1.5));
	y = adze_mul(y, adze_scalar_like(x, 0.75));
	y = adze_max(y, adze_scalar_like(x, -0.5));
	y = adze_sub(y, x);
	y = adze_abs(y);
	y = adze_min(y, adze_scalar_like(x, 0.25));
	y = adze_mul(y, x);
	adze_output(adze_neg(y), "y");
}

static void build_product(adze_graph *g)
{
	adze_tensor a = adze_input(g, "a", ADZE_F32, "m=1024 k=1024");
	adze_output(adze_dot(a, adze_input(g, "b", ADZE_F32, "k=1024 n=1024"), "k"), "y");
}

static adze_status make_input(adze_device *device, const char *dims, uint32_t seed,
			      adze_buffer **out)
{
	adze_shape shape;
	adze_status status = adze_shape_parse(ADZE_F32, dims, &shape);
	if (status == ADZE_OK)
		status = adze_buffer_create(device, &shape, out);
	float *at = status == ADZE_OK ? adze_buffer_data(*out) : NULL;
	for (int64_t i = 0; at != NULL && i < adze_shape_count(&shape); i++) {
		seed = seed * 1664525u + 1013904223u;
		at[i] = (float)(seed >> 8) / (float)(1 << 23) - 1;
	}
	return status;
}

struct contest {
	const char *name, *parameters, *rival;
	void (*build)(adze_graph *g);
	bench_function *loop;
	const char *dims[2];
	size_t nin;
	double bytes, flops; /* of a call */
};

static int run_contest(const struct contest *k)
{
	if (!bench_wanted(k->name))
		return 0;
	adze_context *context = bench_context(1);
	adze_device *device = NULL;
	adze_graph *g = NULL;
	adze_exe *exe = NULL;
	struct call_job call = {.nin = k->nin};
	struct bench_time t[2];
	bool good = adze_device_open(context, "cpu", &device) == ADZE_OK &&
		    adze_graph_create(context, k->name, &g) == ADZE_OK;
	if (good)
		k->build(g);
	good = good && adze_compile(device, g, &exe) == ADZE_OK &&
	       adze_bind(exe, NULL, 0, &call.module) == ADZE_OK;
	for (size_t i = 0; i < k->nin && good; i++)
		good = make_input(device, k->dims[i], (uint32_t)i + 1, &call.in[i]) == ADZE_OK;
	good = good && call_once(&call);
	struct loop_job loop = {0};
	if (good) {
		loop.a = adze_buffer_data(call.in[0]);
		loop.b = k->nin > 1 ? adze_buffer_data(call.in[1]) : NULL;
		loop.n = (size_t)adze_shape_count(adze_buffer_shape(call.in[0]));
		/* Memory of the same kind as the result's, and touched. */
		adze_buffer *room = NULL;
		good = make_input(device, k->dims[0], 3, &room) == ADZE_OK;
		loop.y = good ? adze_buffer_data(room) : NULL;
		bench_function *run[2] = {call_once, k->loop};
		void *self[2] = {&call, &loop};
		good = good && bench_measure(run, self, k->loop != NULL ? 2 : 1, 1, t);
		adze_buffer_destroy(room);
	}
	if (good) {
		char extra[256];
		int n = snprintf(extra, sizeof extra, "\"gbs\":%.2f,\"gflops\":%.2f",
				 k->bytes / t[0].median * 1e-3, k->flops / t[0].median * 1e-3);
		if (k->loop != NULL)
			snprintf(extra + n, sizeof extra - (size_t)n,
				 ",\"%s_median\":%.3f,\"%s_spread\":%.3f,\"ratio\":%.3f", k->rival,
				 t[1].median, k->rival, t[1].spread, t[1].median / t[0].median);
		bench_print(k->name, k->parameters, &t[0], extra);
	}
	int code = good ? 0 : bench_failed(context, k->name);
	adze_buffer_destroy(call.out);
	adze_buffer_destroy(call.in[0]);
	adze_buffer_destroy(call.in[1]);
	adze_module_destroy(call.module);
	adze_exe_destroy(exe);
	adze_graph_destroy(g);
	adze_device_close(device);
	adze_context_destroy(context);
	return code;
}

int graph_bench(void)
{
	struct contest chain = {
		"chain", "\"operations\":8,\"elements\":16777216,\"dtype\":\"f32\"", "copy",
		build_chain, copy_once, {"n=16777216", NULL}, 1, 8.0 * CHAIN, 8.0 * CHAIN};
	struct contest product = {
		"product", "\"m\":1024,\"n\":1024,\"k\":1024,\"dtype\":\"f32\"", "openblas",
		build_product, NULL, {"m=1024 k=1024", "k=1024 n=1024"}, 2,
		3.0 * 4 * SIDE * SIDE, 2.0 * SIDE * SIDE * SIDE};
#if HAVE_OPENBLAS
	openblas_set_num_threads(1);
	product.loop = blas_once;
#endif
	return run_contest(&chain) | run_contest(&product);
}
