/* SPDX-License-Identifier: Apache-2.0
 *
 * Attention: many rows against multiply-adds, few rows over a long cache against memory.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>

#include "base/dtype.h"
#include "base/status.h"

enum { HEADS = 32, WIDTH = 64, MOST_CALLERS = 4 };

struct attention {
	const char *name, *mask;
	int rows, keys, kv; /* heads of keys */
	adze_dtype cache;   /* of keys and values */
	adze_attention_options options;
	double seen; /* share of the scores */
};

/* Caches larger than L3 in turn, so that they come from memory. */
struct job {
	adze_module *module;
	adze_buffer *q, *kv[2 * MOST_CALLERS], *out;
	int n, next;
};

static bool call_once(void *self)
{
	struct job *j = self;
	adze_buffer *in[3] = {j->q, j->kv[2 * j->next], j->kv[2 * j->next + 1]};
	j->next = (j->next + 1) % j->n;
	return adze_call(j->module, in, 3, &j->out, 1, NULL) == ADZE_OK;
}

static bool make_buffer(adze_device *device, adze_dtype dtype, const char *dims,
			adze_buffer **out)
{
	adze_shape shape;
	if (adze_shape_parse(dtype, dims, &shape) != ADZE_OK ||
	    adze_buffer_create(device, &shape, out) != ADZE_OK)
		return false;
	bench_fill(dtype, adze_buffer_data(*out), (size_t)adze_shape_count(&shape), 0);
	return true;
}

static bool prepare(adze_device *device, adze_graph *g, const struct attention *a, struct job *j,
		    size_t *arena)
{
	char q[64], kv[64];
	adze_exe *exe;
	snprintf(q, sizeof q, "h=%d s=%d d=%d", HEADS, a->rows, WIDTH);
	snprintf(kv, sizeof kv, "h=%d t=%d d=%d", a->kv, a->keys, WIDTH);
	adze_tensor x = adze_input(g, "q", ADZE_F32, q);
	adze_tensor k = adze_input(g, "k", a->cache, kv), v = adze_input(g, "v", a->cache, kv);
	if (a->cache != ADZE_F32) {
		k = adze_convert(k, ADZE_F32);
		v = adze_convert(v, ADZE_F32);
	}
	adze_output(adze_attention(x, k, v, &a->options), "y");
	if (adze_compile(device, g, &exe) != ADZE_OK)
		return false;
	*arena = adze_exe_arena_bytes(exe);
	bool good = adze_bind(exe, NULL, 0, &j->module) == ADZE_OK &&
		    make_buffer(device, ADZE_F32, q, &j->q);
	adze_exe_destroy(exe);
	j->n = a->rows <= 16 ? MOST_CALLERS : 1;
	for (int i = 0; i < 2 * j->n && good; i++)
		good = make_buffer(device, a->cache, kv, &j->kv[i]);
	return good;
}

static void report(const struct attention *a, int threads, const struct bench_time *t, size_t arena)
{
	const struct ceilings *most = bench_ceilings(threads);
	char parameters[256], extra[256];
	double flops = 4.0 * HEADS * a->rows * a->keys * WIDTH * a->seen, ns = t->median * 1e3;
	double bytes = 2.0 * a->kv * a->keys * WIDTH * (double)dtype_bytes(a->cache) * a->seen;
	double work = most->fma > 0 ? flops / most->fma : 0;
	double moved = most->read > 0 ? bytes / most->read : 0;
	snprintf(parameters, sizeof parameters,
		 "\"heads\":%d,\"kv_heads\":%d,\"rows\":%d,\"keys\":%d,\"width\":%d,"
		 "\"cache\":\"%s\",\"mask\":\"%s\",\"threads\":%d",
		 HEADS, a->kv, a->rows, a->keys, WIDTH, dtype_info(a->cache)->name, a->mask,
		 threads);
	snprintf(extra, sizeof extra,
		 "\"gbs\":%.2f,\"gflops\":%.2f,\"share_of_ceiling\":%.3f,\"arena_bytes\":%zu",
		 bytes / ns, flops / ns, (work > moved ? work : moved) / ns, arena);
	bench_print(a->name, parameters, t, extra);
}

static int run_attention(const struct attention *a, int threads)
{
	adze_context *context = bench_context(threads);
	adze_device *device = NULL;
	adze_graph *g = NULL;
	struct job j = {0};
	struct bench_time t;
	size_t arena = 0;
	bench_function *run = call_once;
	void *self = &j;
	bool good = adze_device_open(context, "cpu", &device) == ADZE_OK &&
		    adze_graph_create(context, a->name, &g) == ADZE_OK &&
		    prepare(device, g, a, &j, &arena) &&
		    bench_measure(&run, &self, 1, j.n, &t);
	if (good)
		report(a, threads, &t, arena);
	int code = good ? 0 : bench_failed(context, a->name);
	adze_buffer_destroy(j.out);
	adze_buffer_destroy(j.q);
	for (int i = 0; i < 2 * j.n; i++)
		adze_buffer_destroy(j.kv[i]);
	adze_module_destroy(j.module);
	adze_graph_destroy(g);
	adze_device_close(device);
	adze_context_destroy(context);
	return code;
}

int attend_bench(void)
{
	static const char prefill[] = "attention_prefill", decode[] = "attention_decode";
	const struct attention all[] = {
		{prefill, "none", 2048, 2048, 32, ADZE_F32, {.scale = 0.125}, 1},
		{prefill, "causal", 2048, 2048, 32, ADZE_F32, {.causal = true}, 0.5},
		{prefill, "causal", 2048, 2048, 4, ADZE_F32, {.causal = true}, 0.5},
		{prefill, "causal", 2048, 2048, 32, ADZE_F16, {.causal = true}, 0.5},
		{prefill, "window", 2048, 2048, 32, ADZE_F32, {.causal = true, .window = 512},
		 0.25 - 1.0 / 32},
		{prefill, "soft_cap", 2048, 2048, 32, ADZE_F32, {.causal = true, .soft_cap = 30},
		 0.5},
		{decode, "none", 1, 8192, 32, ADZE_F32, {.scale = 0.125}, 1},
		{decode, "none", 1, 8192, 4, ADZE_F32, {.scale = 0.125}, 1},
		{decode, "none", 4, 8192, 4, ADZE_F32, {.scale = 0.125}, 1},
		{decode, "none", 1, 8192, 32, ADZE_F16, {.scale = 0.125}, 1},
		{decode, "none", 1, 8192, 4, ADZE_F16, {.scale = 0.125}, 1},
		{decode, "none", 1, 8192, 32, ADZE_BF16, {.scale = 0.125}, 1},
	};
	int code = 0;
	for (size_t i = 0; i < COUNT_OF(all); i++) {
		char name[64];
		snprintf(name, sizeof name, "%s_%s_%s_kv%d_s%d", all[i].name, all[i].mask,
			 dtype_info(all[i].cache)->name, all[i].kv, all[i].rows);
		for (int k = 0; bench_threads(k) > 0 && bench_wanted(name); k++)
			code |= run_attention(&all[i], bench_threads(k));
	}
	return code;
}
