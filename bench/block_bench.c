/* SPDX-License-Identifier: Apache-2.0
 *
 * Products y = x W^T through a graph, with weights in blocks: several matrices in turn, so that
 * they come from memory. As a share of the ceiling that binds: reading, or products of int8.
 */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/block.h"
#include "base/status.h"

enum { WIDTH = 2048, LENGTH = 2048, MATRICES = 64, MOST_CALLS = 16 };

struct product {
	adze_module *module[MATRICES];
	adze_buffer *x, *y;
	int next;
};

/* Some calls, each with another matrix. */
static bool call_some(void *self)
{
	struct product *p = self;
	bool good = true;
	for (int i = 0; i < MOST_CALLS && good; i++) {
		p->next = (p->next + 1) % MATRICES;
		good = adze_call(p->module[p->next], &p->x, 1, &p->y, 1, NULL) == ADZE_OK;
	}
	return good;
}

/* Blocks of numbers, the same for all matrices: what is measured does not look at them. */
static adze_status fill(adze_device *device, const struct block_format *f, adze_buffer **out)
{
	adze_shape shape;
	char dims[64];
	uint32_t seed = 1;
	size_t row = LENGTH / (size_t)f->elements * (size_t)f->bytes;
	snprintf(dims, sizeof dims, "n=%d k=%zu", WIDTH, row);
	adze_status status = adze_shape_parse(ADZE_U8, dims, &shape);
	if (status == ADZE_OK)
		status = adze_buffer_create(device, &shape, out);
	unsigned char *at = status == ADZE_OK ? adze_buffer_data(*out) : NULL;
	for (size_t i = 0; at != NULL && i < row * WIDTH; i++) {
		seed = seed * 1664525u + 1013904223u;
		at[i] = (seed >> 24) & 0x3f; /* no f16 of these is large */
	}
	return status;
}

static adze_status make_x(adze_device *device, int m, adze_buffer **out)
{
	adze_shape shape;
	char dims[64];
	snprintf(dims, sizeof dims, "m=%d k=%d", m, LENGTH);
	adze_status status = adze_shape_parse(ADZE_F32, dims, &shape);
	if (status == ADZE_OK)
		status = adze_buffer_create(device, &shape, out);
	if (status == ADZE_OK)
		bench_fill(ADZE_F32, adze_buffer_data(*out), (size_t)m * LENGTH, 0);
	return status;
}

static adze_tensor build(adze_graph *g, const struct block_format *f, int m, bool exact)
{
	char dims[64];
	snprintf(dims, sizeof dims, "m=%d k=%d", m, LENGTH);
	adze_tensor x = adze_input(g, "x", ADZE_F32, dims);
	snprintf(dims, sizeof dims, "n=%d k=%d", WIDTH, LENGTH / f->elements * f->bytes);
	adze_tensor w = adze_weight(g, "w", ADZE_U8, dims);
	return adze_dot(x, exact ? adze_dequantize_blocks(w, f->name) : adze_nn_packed(w, f->name),
			"k");
}

static void report(const struct block_format *f, int m, int threads, bool exact,
		   const struct bench_time *t)
{
	char parameters[128], extra[128];
	const struct ceilings *most = bench_ceilings(threads);
	double ops = 2.0 * m * WIDTH * LENGTH, ns = t->median * 1e3 / MOST_CALLS;
	double bytes = (double)WIDTH * LENGTH / f->elements * f->bytes;
	double peak = exact ? most->fma : most->dot;
	double work = peak > 0 ? ops / peak : 0, moved = peak > 0 ? bytes / most->read : 0;
	snprintf(parameters, sizeof parameters,
		 "\"m\":%d,\"n\":%d,\"k\":%d,\"w\":\"%s\",\"exact\":%s,\"threads\":%d", m, WIDTH,
		 LENGTH, f->name, exact ? "true" : "false", threads);
	snprintf(extra, sizeof extra,
		 "\"us_each\":%.1f,\"gbs\":%.1f,\"gops\":%.1f,\"share_of_ceiling\":%.3f",
		 ns / 1e3, bytes / ns, ops / ns, (work > moved ? work : moved) / ns);
	bench_print("product_blocks", parameters, t, extra);
}

static int run(enum block_kind b, int m, int threads, bool exact)
{
	adze_context *context = bench_context(threads);
	const struct block_format *f = block_format(b);
	adze_device *device = NULL;
	adze_graph *g = NULL;
	adze_exe *exe = NULL;
	struct product p = {.next = 0};
	struct bench_time t;
	bench_function *call = call_some;
	void *self = &p;
	bool good = adze_device_open(context, "cpu", &device) == ADZE_OK &&
		    adze_graph_create(context, "product", &g) == ADZE_OK;
	if (good)
		adze_output(build(g, f, m, exact), "y");
	good = good && adze_compile(device, g, &exe) == ADZE_OK &&
	       make_x(device, m, &p.x) == ADZE_OK;
	for (int i = 0; i < MATRICES && good; i++) {
		adze_buffer *w = NULL;
		good = fill(device, f, &w) == ADZE_OK &&
		       adze_bind(exe, &w, 1, &p.module[i]) == ADZE_OK;
		adze_buffer_destroy(w); /* the module keeps it */
	}
	if (good && bench_measure(&call, &self, 1, 1, &t))
		report(f, m, threads, exact, &t);
	else
		good = false;
	int code = good ? 0 : bench_failed(context, "product_blocks");
	for (int i = 0; i < MATRICES; i++)
		adze_module_destroy(p.module[i]);
	adze_buffer_destroy(p.x);
	adze_buffer_destroy(p.y);
	adze_exe_destroy(exe);
	adze_graph_destroy(g);
	adze_device_close(device);
	adze_context_destroy(context);
	return code;
}

int block_bench(void)
{
	static const enum block_kind kind[] = {BLOCK_Q8_0, BLOCK_Q4_0, BLOCK_Q4_K, BLOCK_Q6_K,
					       BLOCK_Q5_K, BLOCK_IQ4_XS, BLOCK_IQ2_XS};
	static const int rows[] = {1, 4, 16, 64, 128};
	int code = 0;
	for (int t = 0; bench_threads(t) > 0; t++)
		for (size_t i = 0; i < COUNT_OF(kind); i++)
			for (size_t k = 0; k < 2 * COUNT_OF(rows); k++) {
				char name[64];
				bool exact = k >= COUNT_OF(rows);
				int m = rows[k % COUNT_OF(rows)];
				snprintf(name, sizeof name, "product_blocks_%s%s_m%d",
					 block_format(kind[i])->name, exact ? "_exact" : "", m);
				if (bench_wanted(name))
					code |= run(kind[i], m, bench_threads(t), exact);
			}
	return code;
}
