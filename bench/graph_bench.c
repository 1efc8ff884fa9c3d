/* SPDX-License-Identifier: Apache-2.0
 *
 * Graphs of one or a few operations against what the machine can do: element-wise chains and
 * rows from memory, a product that fits into caches against OpenBLAS.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"

#if HAVE_OPENBLAS
#include <cblas.h>
#endif

enum { MOST_IN = 4, SIDE = 1024 };
#define ELEMENTS (16 << 20) /* of f32: 64 MiB */

struct contest {
	const char *name, *parameters;
	void (*build)(const adze_tensor *x);
	const char *in[MOST_IN]; /* shapes of f32 */
	bench_function *peer;    /* "openblas" */
	double bytes, flops;     /* of a call; bytes go to memory or come from it */
};

struct job {
	adze_module *module;
	adze_buffer *in[MOST_IN], *out;
	size_t nin;
	float *room; /* for the peer's result */
};

static bool call_once(void *self)
{
	struct job *j = self;
	return adze_call(j->module, j->in, j->nin, &j->out, 1, NULL) == ADZE_OK;
}

/* ---- the graphs ---- */

static void build_chain(const adze_tensor *in)
{
	adze_tensor x = in[0], y = adze_add(x, adze_scalar_like(x, 1.5));
	y = adze_mul(y, adze_scalar_like(x, 0.75));
	y = adze_max(y, adze_scalar_like(x, -0.5));
	y = adze_sub(y, x);
	y = adze_abs(y);
	y = adze_min(y, adze_scalar_like(x, 0.25));
	y = adze_mul(y, x);
	adze_output(adze_neg(y), "y");
}

static void build_gelu(const adze_tensor *in)
{
	adze_output(adze_add(adze_gelu(in[0]), in[1]), "y");
}

static void build_gate(const adze_tensor *in)
{
	adze_output(adze_mul(adze_silu(in[0]), in[1]), "y");
}

static void build_softmax(const adze_tensor *in)
{
	adze_output(adze_softmax(in[0], "1"), "y");
}

static void build_layer_norm(const adze_tensor *in)
{
	adze_output(adze_layer_norm(in[0], in[1], in[2], 1e-5), "y");
}

static void build_rms_norm(const adze_tensor *in)
{
	adze_output(adze_rms_norm(in[0], in[1], 1e-5), "y");
}

static void build_add_norm(const adze_tensor *in)
{
	adze_output(adze_rms_norm(adze_add(in[0], in[1]), in[2], 1e-5), "y");
}

static void build_product(const adze_tensor *in)
{
	adze_output(adze_dot(in[0], in[1], "k"), "y");
}

#if HAVE_OPENBLAS
static bool blas_once(void *self)
{
	struct job *j = self;
	cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1,
		    adze_buffer_data(j->in[0]), SIDE, adze_buffer_data(j->in[1]), SIDE, 0, j->room,
		    SIDE);
	return true;
}
#define OPENBLAS blas_once
#else
#define OPENBLAS NULL
#endif

#define ROWS "4096 4096"
static const struct contest contest[] = {
	{"chain", "\"operations\":8,\"elements\":16777216,\"dtype\":\"f32\"", build_chain,
	 {"n=16777216"}, NULL, 8.0 * ELEMENTS, 8.0 * ELEMENTS},
	{"gelu_add", "\"elements\":16777216,\"dtype\":\"f32\"", build_gelu,
	 {"n=16777216", "n=16777216"}, NULL, 12.0 * ELEMENTS, 2.0 * ELEMENTS},
	{"silu_mul", "\"elements\":16777216,\"dtype\":\"f32\"", build_gate,
	 {"n=16777216", "n=16777216"}, NULL, 12.0 * ELEMENTS, 2.0 * ELEMENTS},
	{"softmax", "\"rows\":4096,\"columns\":4096,\"dtype\":\"f32\"", build_softmax, {ROWS}, NULL,
	 8.0 * ELEMENTS, 0},
	{"layer_norm", "\"rows\":4096,\"columns\":4096,\"dtype\":\"f32\"", build_layer_norm,
	 {ROWS, "4096", "4096"}, NULL, 8.0 * ELEMENTS, 0},
	{"rms_norm", "\"rows\":4096,\"columns\":4096,\"dtype\":\"f32\"", build_rms_norm,
	 {ROWS, "4096"}, NULL, 8.0 * ELEMENTS, 0},
	{"add_rms_norm", "\"rows\":4096,\"columns\":4096,\"dtype\":\"f32\"", build_add_norm,
	 {ROWS, ROWS, "4096"}, NULL, 12.0 * ELEMENTS, 0},
	{"product", "\"m\":1024,\"n\":1024,\"k\":1024,\"dtype\":\"f32\"", build_product,
	 {"m=1024 k=1024", "k=1024 n=1024"}, OPENBLAS, 0, 2.0 * SIDE * SIDE * SIDE},
};

/* ---- their time ---- */

static adze_status make_input(adze_device *device, const char *dims, adze_buffer **out)
{
	adze_shape shape;
	adze_status status = adze_shape_parse(ADZE_F32, dims, &shape);
	if (status == ADZE_OK)
		status = adze_buffer_create(device, &shape, out);
	if (status == ADZE_OK)
		bench_fill(ADZE_F32, adze_buffer_data(*out), (size_t)adze_shape_count(&shape), 0);
	return status;
}

static bool prepare(adze_device *device, adze_graph *g, const struct contest *k, struct job *j,
		    size_t *arena)
{
	adze_tensor x[MOST_IN];
	adze_exe *exe;
	char name[] = "a";
	for (; j->nin < MOST_IN && k->in[j->nin] != NULL; j->nin++, name[0]++) {
		x[j->nin] = adze_input(g, name, ADZE_F32, k->in[j->nin]);
		if (make_input(device, k->in[j->nin], &j->in[j->nin]) != ADZE_OK)
			return false;
	}
	k->build(x);
	if (adze_compile(device, g, &exe) != ADZE_OK)
		return false;
	*arena = adze_exe_arena_bytes(exe);
	bool good = adze_bind(exe, NULL, 0, &j->module) == ADZE_OK;
	adze_exe_destroy(exe);
	j->room = k->peer != NULL ? malloc(sizeof(float) * SIDE * SIDE) : NULL;
	return good && (k->peer == NULL || j->room != NULL);
}

static void report(const struct contest *k, int threads, const struct bench_time *t, size_t arena)
{
	char parameters[256], extra[256];
	const struct ceilings *most = bench_ceilings(threads);
	double ns = t[0].median * 1e3, work = most->fma > 0 ? k->flops / most->fma : 0;
	double moved = most->copy > 0 ? k->bytes / most->copy : 0;
	snprintf(parameters, sizeof parameters, "%s,\"threads\":%d", k->parameters, threads);
	int n = snprintf(extra, sizeof extra,
			 "\"gbs\":%.2f,\"gflops\":%.2f,\"share_of_ceiling\":%.3f,"
			 "\"arena_bytes\":%zu",
			 k->bytes / ns, k->flops / ns, (work > moved ? work : moved) / ns, arena);
	if (k->peer != NULL)
		snprintf(extra + n, sizeof extra - (size_t)n, ",\"ratio\":%.3f",
			 t[1].median / t[0].median);
	bench_print(k->name, parameters, &t[0], extra);
	if (k->peer != NULL)
		bench_print_peer(k->name, parameters, "openblas", &t[1]);
}

static int run_contest(const struct contest *k, int threads)
{
	adze_context *context = bench_context(threads);
	adze_device *device = NULL;
	adze_graph *g = NULL;
	struct job j = {0};
	struct bench_time t[2];
	size_t arena = 0;
	bench_function *run[2] = {call_once, k->peer};
	void *self[2] = {&j, &j};
#if HAVE_OPENBLAS
	openblas_set_num_threads(threads);
#endif
	bool good = adze_device_open(context, "cpu", &device) == ADZE_OK &&
		    adze_graph_create(context, k->name, &g) == ADZE_OK &&
		    prepare(device, g, k, &j, &arena) &&
		    bench_measure(run, self, k->peer != NULL ? 2 : 1, 1, t);
	if (good)
		report(k, threads, t, arena);
	int code = good ? 0 : bench_failed(context, k->name);
	free(j.room);
	adze_buffer_destroy(j.out);
	for (size_t i = 0; i < j.nin; i++)
		adze_buffer_destroy(j.in[i]);
	adze_module_destroy(j.module);
	adze_graph_destroy(g);
	adze_device_close(device);
	adze_context_destroy(context);
	return code;
}

int graph_bench(void)
{
	int code = 0;
	for (size_t i = 0; i < COUNT_OF(contest); i++)
		for (int k = 0; bench_threads(k) > 0 && bench_wanted(contest[i].name); k++)
			code |= run_contest(&contest[i], bench_threads(k));
	return code;
}
