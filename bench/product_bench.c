/* SPDX-License-Identifier: Apache-2.0
 *
 * Products y = x W^T through a graph, with weights that are larger than the caches, against what
 * the machine can do and against OpenBLAS in the same run. One and two threads.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "base/status.h"

#if HAVE_OPENBLAS
#include <cblas.h>
#endif

enum { WIDTH = 8192, LENGTH = 4096 };

/* Element types; what differs from the result's is converted in the graph. */
struct types {
	adze_dtype y, x, w;
};

struct product {
	adze_module *module;
	adze_buffer *x, *y;
	const float *plain_x, *plain_w; /* for the rival, which has f32 alone */
	float *plain_y;
	int m;
};

static bool call_once(void *self)
{
	struct product *p = self;
	return adze_call(p->module, &p->x, 1, &p->y, 1, NULL) == ADZE_OK;
}

#if HAVE_OPENBLAS
static bool blas_once(void *self)
{
	struct product *p = self;
	if (p->m == 1)
		cblas_sgemv(CblasRowMajor, CblasNoTrans, WIDTH, LENGTH, 1, p->plain_w, LENGTH,
			    p->plain_x, 1, 0, p->plain_y, 1);
	else
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, p->m, WIDTH, LENGTH, 1,
			    p->plain_x, LENGTH, p->plain_w, LENGTH, 0, p->plain_y, WIDTH);
	return true;
}
#endif

static adze_status random_buffer(adze_device *device, adze_dtype dtype, int rows,
				 const char *names, adze_buffer **out)
{
	adze_shape shape;
	char dims[64];
	uint32_t seed = (uint32_t)rows;
	snprintf(dims, sizeof dims, names, rows, LENGTH);
	adze_status status = adze_shape_parse(dtype, dims, &shape);
	if (status == ADZE_OK)
		status = adze_buffer_create(device, &shape, out);
	void *at = status == ADZE_OK ? adze_buffer_data(*out) : NULL;
	for (size_t i = 0; at != NULL && i < (size_t)rows * LENGTH; i++) {
		seed = seed * 1664525u + 1013904223u;
		if (dtype_is_float(dtype))
			dtype_store_float(dtype, at, i, (double)(seed >> 8) / (1 << 23) - 1);
		else
			dtype_store_int(dtype, at, i, (int64_t)(seed >> 24) - 128);
	}
	return status;
}

static adze_tensor build(adze_graph *g, const struct types *t, int m)
{
	char dims[64];
	snprintf(dims, sizeof dims, "m=%d k=%d", m, LENGTH);
	adze_tensor x = adze_input(g, "x", t->x, dims);
	snprintf(dims, sizeof dims, "n=%d k=%d", WIDTH, LENGTH);
	adze_tensor w = adze_weight(g, "w", t->w, dims);
	return adze_dot(adze_convert(x, t->y), adze_convert(w, t->y), "k");
}

static void report(const struct types *type, int m, int threads, const struct bench_time *t,
		   bool rival)
{
	char parameters[128], extra[256];
	const struct bench_ceilings *most = bench_ceilings(threads);
	double flops = 2.0 * m * WIDTH * LENGTH, ns = t[0].median * 1e3;
	double bytes = (double)WIDTH * LENGTH * dtype_bytes(type->w);
	double peak = type->y == ADZE_I32 ? most->dot : most->fma;
	double work = peak > 0 ? flops / peak : 0, moved = peak > 0 ? bytes / most->read : 0;
	snprintf(parameters, sizeof parameters,
		 "\"m\":%d,\"n\":%d,\"k\":%d,\"x\":\"%s\",\"w\":\"%s\",\"threads\":%d", m, WIDTH,
		 LENGTH, dtype_info(type->x)->name, dtype_info(type->w)->name, threads);
	int n = snprintf(extra, sizeof extra,
			 "\"gbs\":%.1f,\"gflops\":%.1f,\"share_of_ceiling\":%.3f", bytes / ns,
			 flops / ns, (work > moved ? work : moved) / ns);
	if (rival)
		snprintf(extra + n, sizeof extra - (size_t)n, ",\"ratio\":%.3f",
			 t[1].median / t[0].median);
	bench_print("product_nt", parameters, t, extra);
	if (rival)
		bench_print_peer("product_nt", parameters, "openblas", &t[1]);
}

static int run_product(const struct types *type, int m, int threads)
{
	adze_context *context = bench_context(threads);
	adze_device *device = NULL;
	adze_graph *g = NULL;
	adze_exe *exe = NULL;
	adze_buffer *w = NULL;
	struct product p = {.m = m};
	struct bench_time t[2];
	bench_function *run[2] = {call_once, NULL};
	void *self[2] = {&p, &p};
	int n = 1;
	bool good = adze_device_open(context, "cpu", &device) == ADZE_OK &&
		    adze_graph_create(context, "product", &g) == ADZE_OK;
	if (good)
		adze_output(build(g, type, m), "y");
	good = good && adze_compile(device, g, &exe) == ADZE_OK &&
	       random_buffer(device, type->w, WIDTH, "n=%d k=%d", &w) == ADZE_OK &&
	       adze_bind(exe, &w, 1, &p.module) == ADZE_OK &&
	       random_buffer(device, type->x, m, "m=%d k=%d", &p.x) == ADZE_OK;
#if HAVE_OPENBLAS
	openblas_set_num_threads(threads);
	if (good && type->w == ADZE_F32) {
		run[1] = blas_once;
		p.plain_x = adze_buffer_data(p.x);
		p.plain_w = adze_buffer_data(w);
		p.plain_y = calloc((size_t)m * WIDTH, sizeof(float));
		good = p.plain_y != NULL;
		n = 2;
	}
#endif
	/* One after the other: OpenBLAS's threads stay awake for a while, on the cores of ours. */
	for (int i = 0; i < n && good; i++)
		good = bench_measure(run + i, self + i, 1, 1, t + i);
	if (good)
		report(type, m, threads, t, n > 1);
	int code = good ? 0 : bench_failed(context, "product_nt");
	free(p.plain_y);
	adze_buffer_destroy(p.x);
	adze_buffer_destroy(p.y);
	adze_buffer_destroy(w);
	adze_module_destroy(p.module);
	adze_exe_destroy(exe);
	adze_graph_destroy(g);
	adze_device_close(device);
	adze_context_destroy(context);
	return code;
}

int product_bench(void)
{
	static const int rows[] = {1, 2, 4, 8, 16, 32, 64, 128, 512};
	static const struct types type[] = {
		{ADZE_F32, ADZE_F32, ADZE_F32},	   {ADZE_F32, ADZE_F32, ADZE_F16},
		{ADZE_BF16, ADZE_BF16, ADZE_BF16}, {ADZE_I32, ADZE_I8, ADZE_I8},
		{ADZE_I32, ADZE_U8, ADZE_I8},
	};
	int code = 0;
	for (int t = 0; bench_threads(t) > 0; t++)
		for (size_t i = 0; i < COUNT_OF(type); i++)
			for (size_t k = 0; k < COUNT_OF(rows); k++) {
				char name[64];
				snprintf(name, sizeof name, "product_nt_%s_%s_m%d",
					 dtype_info(type[i].x)->name, dtype_info(type[i].w)->name,
					 rows[k]);
				if (bench_wanted(name))
					code |= run_product(&type[i], rows[k], bench_threads(t));
			}
	return code;
}
