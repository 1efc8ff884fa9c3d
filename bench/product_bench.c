/* SPDX-License-Identifier: Apache-2.0
 *
 * Products y = x W' through a graph, with weights that are larger than the caches, against what
 * the machine can do and against peers in the same run.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/status.h"
#include "bench/peers.h"

enum { WIDTH = 8192, LENGTH = 4096 };

/* Element types; what differs from the result's is converted in the graph. Weights may be packed
 * in a block format. */
struct types {
	const char *y, *x, *w;
};

struct job {
	adze_context *context;
	adze_device *device;
	adze_graph *graph;
	adze_module *module;
	adze_buffer *x, *w, *y;
	void *room; /* for a peer's result */
};

static const struct bench_peer *const peer[] = {
#if HAVE_OPENBLAS
	&bench_openblas,
#endif
#if HAVE_ONEDNN
	&bench_onednn,
#endif
#if HAVE_XNNPACK
	&bench_xnnpack,
#endif
	NULL,
};

static bool call_once(void *self)
{
	struct job *j = self;
	return adze_call(j->module, &j->x, 1, &j->y, 1, NULL) == ADZE_OK;
}

static adze_dtype weight_type(const struct types *t)
{
	return adze_block_bytes(t->w, LENGTH) > 0 ? ADZE_U8 : adze_dtype_find(t->w);
}

/* Columns of the weight as it lies. */
static int weight_columns(const struct types *t)
{
	size_t packed = adze_block_bytes(t->w, LENGTH);
	return packed > 0 ? (int)packed : LENGTH;
}

static adze_tensor build(adze_graph *g, const struct types *t, int m)
{
	char dims[64];
	adze_dtype y = adze_dtype_find(t->y);
	snprintf(dims, sizeof dims, "%d %d", m, LENGTH);
	adze_tensor x = adze_input(g, "x", adze_dtype_find(t->x), dims);
	snprintf(dims, sizeof dims, "%d %d", WIDTH, weight_columns(t));
	adze_tensor w = adze_weight(g, "w", weight_type(t), dims);
	if (weight_columns(t) != LENGTH)
		w = adze_nn_packed(w, t->w);
	return adze_dot(adze_convert(x, y), adze_convert(w, y), "1=1");
}

static bool make(struct job *j, adze_dtype dtype, int rows, int columns, const char *format,
		 adze_buffer **out)
{
	adze_shape shape;
	char dims[64];
	snprintf(dims, sizeof dims, "%d %d", rows, columns);
	if (adze_shape_parse(dtype, dims, &shape) != ADZE_OK ||
	    adze_buffer_create(j->device, &shape, out) != ADZE_OK)
		return false;
	return bench_fill_format(dtype, format, adze_buffer_data(*out),
				 (size_t)rows * (size_t)columns);
}

static bool prepare(struct job *j, const struct types *t, int m)
{
	adze_exe *exe = NULL;
	bool packed = weight_columns(t) != LENGTH;
	if (adze_device_open(j->context, "cpu", &j->device) != ADZE_OK ||
	    adze_graph_create(j->context, "product", &j->graph) != ADZE_OK)
		return false;
	adze_output(build(j->graph, t, m), "y");
	bool good = adze_compile(j->device, j->graph, &exe) == ADZE_OK &&
		    make(j, weight_type(t), WIDTH, weight_columns(t), packed ? t->w : NULL,
			 &j->w) &&
		    adze_bind(exe, &j->w, 1, &j->module) == ADZE_OK &&
		    make(j, adze_dtype_find(t->x), m, LENGTH, NULL, &j->x);
	adze_exe_destroy(exe);
	j->room = calloc((size_t)m * WIDTH, sizeof(float));
	return good && j->room != NULL;
}

static void report(const struct types *type, int m, int threads, const struct bench_time *t,
		   const char *const *name, int n)
{
	char parameters[128], extra[256];
	const struct ceilings *most = bench_ceilings(threads);
	double flops = 2.0 * m * WIDTH * LENGTH, ns = t[0].median * 1e3, best = 0;
	double bytes = (double)WIDTH * weight_columns(type) *
		       (double)adze_dtype_bytes(weight_type(type));
	bool ints = strcmp(type->y, "i32") == 0 || weight_columns(type) != LENGTH;
	double peak = ints ? most->dot : most->fma;
	double work = peak > 0 ? flops / peak : 0, moved = peak > 0 ? bytes / most->read : 0;
	snprintf(parameters, sizeof parameters,
		 "\"m\":%d,\"n\":%d,\"k\":%d,\"x\":\"%s\",\"w\":\"%s\",\"threads\":%d", m, WIDTH,
		 LENGTH, type->x, type->w, threads);
	for (int i = 1; i < n; i++)
		best = i == 1 || t[i].median < best ? t[i].median : best;
	int at = snprintf(extra, sizeof extra,
			  "\"gbs\":%.1f,\"gflops\":%.1f,\"share_of_ceiling\":%.3f", bytes / ns,
			  flops / ns, (work > moved ? work : moved) / ns);
	if (n > 1)
		snprintf(extra + at, sizeof extra - (size_t)at, ",\"ratio\":%.3f",
			 best / t[0].median);
	bench_print("product_nt", parameters, t, extra);
	for (int i = 1; i < n; i++)
		bench_print_peer("product_nt", parameters, name[i], &t[i]);
}

/* By turns with the peers that have such products. */
static bool measure(struct job *j, const struct types *type, int m, int threads)
{
	struct bench_product p = {m, WIDTH, LENGTH, threads, adze_dtype_find(type->y),
				  adze_dtype_find(type->x), weight_type(type),
				  adze_buffer_data(j->x), adze_buffer_data(j->w), j->room};
	struct bench_time t[BENCH_MOST];
	bench_function *run[BENCH_MOST] = {call_once};
	void *self[BENCH_MOST] = {j};
	const struct bench_peer *of[BENCH_MOST] = {NULL};
	const char *name[BENCH_MOST] = {"adze"};
	int n = 1;
	for (int i = 0; peer[i] != NULL && weight_columns(type) == LENGTH; i++) {
		self[n] = peer[i]->open(&p);
		if (self[n] == NULL)
			continue;
		run[n] = peer[i]->run;
		name[n] = peer[i]->name;
		of[n++] = peer[i];
	}
	bool good = bench_measure(run, self, n, 1, t);
	if (good)
		report(type, m, threads, t, name, n);
	for (int i = 1; i < n; i++)
		of[i]->close(self[i]);
	return good;
}

static int run_product(const struct types *type, int m, int threads)
{
	struct job j = {.context = bench_context(threads)};
	bool good = prepare(&j, type, m) && measure(&j, type, m, threads);
	int code = good ? 0 : bench_failed(j.context, "product_nt");
	free(j.room);
	adze_buffer_destroy(j.x);
	adze_buffer_destroy(j.y);
	adze_buffer_destroy(j.w);
	adze_module_destroy(j.module);
	adze_graph_destroy(j.graph);
	adze_device_close(j.device);
	adze_context_destroy(j.context);
	return code;
}

int product_bench(void)
{
	static const int rows[] = {1, 2, 4, 8, 16, 32, 64, 128, 512};
	static const struct types type[] = {
		{"f32", "f32", "f32"},   {"f32", "f32", "f16"},	 {"f32", "f32", "bf16"},
		{"bf16", "bf16", "bf16"}, {"i32", "i8", "i8"},	 {"i32", "u8", "i8"},
		{"f32", "f32", "f8e4m3fn"}, {"f32", "f32", "f8e5m2"}, {"f32", "f32", "i8"},
		{"f32", "f32", "q8_0"},  {"f32", "f32", "q4_0"}, {"f32", "f32", "q4_k"},
	};
	int code = 0;
	for (int t = 0; bench_threads(t) > 0; t++)
		for (size_t i = 0; i < COUNT_OF(type); i++)
			for (size_t k = 0; k < COUNT_OF(rows); k++) {
				char name[64];
				snprintf(name, sizeof name, "product_nt_%s_%s_m%d", type[i].x,
					 type[i].w, rows[k]);
				if (bench_wanted(name))
					code |= run_product(&type[i], rows[k], bench_threads(t));
			}
	return code;
}
