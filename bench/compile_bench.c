/* SPDX-License-Identifier: Apache-2.0
 *
 * How long compiling takes: passes, lowering and loading of an executable, without a cache.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>

#include "bench/nets.h"
#include "ir/graph.h"

enum { LAYERS = 70 };

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

/* TinyLlama's graph. */
static const struct llama_shape llama = {2048, 22, 32, 4, 5632, 32000, 1024};

static void build_decode(adze_graph *g)
{
	llama_build(g, &llama, "f16", "s=1");
}

static void build_prompt(adze_graph *g)
{
	llama_build(g, &llama, "f16", "s<=512");
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
		good = bench_measure(&run, &self, 1, 5, &t);
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
	       measure_compile("compile_500_nodes", build_deep) |
	       measure_compile("compile_llama_decode", build_decode) |
	       measure_compile("compile_llama_prompt", build_prompt);
}

