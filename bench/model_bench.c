/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole models on one thread, their weights random: the time of a call.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>

#include "base/status.h"

enum { MOST_WEIGHTS = 8 };

struct model {
	const char *name, *input;
	void (*build)(adze_tensor x);
	int calls; /* of a repeat */
};

struct job {
	adze_module *module;
	adze_buffer *in, *out;
};

static bool call_once(void *self)
{
	struct job *j = self;
	return adze_call(j->module, &j->in, 1, &j->out, 1, NULL) == ADZE_OK;
}

static adze_tensor linear(adze_tensor x, const char *name, int64_t out, int64_t in)
{
	char full[64], dims[64];
	snprintf(full, sizeof full, "%s.weight", name);
	snprintf(dims, sizeof dims, "out=%lld in=%lld", (long long)out, (long long)in);
	adze_tensor w = adze_weight(x.graph, full, ADZE_F32, dims);
	snprintf(full, sizeof full, "%s.bias", name);
	snprintf(dims, sizeof dims, "out=%lld", (long long)out);
	return adze_add(adze_dot(x, w, "-1=in"), adze_weight(x.graph, full, ADZE_F32, dims));
}

static void build_perceptron(adze_tensor x)
{
	adze_output(linear(adze_relu(linear(x, "fc1", 512, 784)), "fc2", 10, 512), "y");
}

static void build_digits(adze_tensor x)
{
	adze_output(adze_softmax(linear(adze_relu(linear(x, "fc1", 96, 64)), "fc2", 10, 96), "out"),
		    "y");
}

static adze_tensor convolution(adze_tensor x, const char *name, int out, int in)
{
	static const adze_window same = {.low = {1, 1}, .high = {1, 1}};
	char dims[64];
	snprintf(dims, sizeof dims, "out=%d in=%d kh=3 kw=3", out, in);
	adze_tensor w = adze_weight(x.graph, name, ADZE_F32, dims);
	return adze_max_pool2d(adze_relu(adze_conv2d(x, w, &same)), 2, 2, NULL);
}

static void build_fashion(adze_tensor x)
{
	x = convolution(convolution(x, "conv1", 16, 1), "conv2", 32, 16);
	x = adze_relu(linear(adze_reshape(x, "n=? in=1568"), "fc1", 24, 1568));
	adze_output(adze_softmax(linear(x, "fc2", 10, 24), "out"), "y");
}

static adze_status random_buffer(adze_device *device, const adze_shape *shape, uint32_t seed,
				 adze_buffer **out)
{
	adze_status status = adze_buffer_create(device, shape, out);
	float *at = status == ADZE_OK ? adze_buffer_data(*out) : NULL;
	for (int64_t i = 0; at != NULL && i < adze_shape_count(shape); i++) {
		seed = seed * 1664525u + 1013904223u;
		at[i] = ((float)(seed >> 8) / (float)(1 << 23) - 1) / 16;
	}
	return status;
}

static bool bind_random(adze_device *device, adze_exe *exe, struct job *j)
{
	adze_buffer *weight[MOST_WEIGHTS] = {NULL};
	size_t n = adze_exe_count(exe, ADZE_ROLE_WEIGHT);
	adze_shape shape;
	bool good = n <= MOST_WEIGHTS;
	for (size_t i = 0; i < n && good; i++)
		good = adze_exe_value(exe, ADZE_ROLE_WEIGHT, i, NULL, &shape) &&
		       random_buffer(device, &shape, (uint32_t)i + 1, &weight[i]) == ADZE_OK;
	good = good && adze_bind(exe, weight, n, &j->module) == ADZE_OK &&
	       adze_exe_value(exe, ADZE_ROLE_INPUT, 0, NULL, &shape) &&
	       random_buffer(device, &shape, 99, &j->in) == ADZE_OK;
	/* The module keeps them. */
	for (size_t i = 0; i < n; i++)
		adze_buffer_destroy(weight[i]);
	return good;
}

static int run_model(const struct model *m)
{
	if (!bench_wanted(m->name))
		return 0;
	adze_context *context = bench_context(1);
	adze_device *device = NULL;
	adze_graph *g = NULL;
	adze_exe *exe = NULL;
	struct job j = {NULL, NULL, NULL};
	struct bench_time t;
	bool good = adze_device_open(context, "cpu", &device) == ADZE_OK &&
		    adze_graph_create(context, m->name, &g) == ADZE_OK;
	if (good)
		m->build(adze_input(g, "x", ADZE_F32, m->input));
	bench_function *run = call_once;
	void *self = &j;
	good = good && adze_compile(device, g, &exe) == ADZE_OK && bind_random(device, exe, &j) &&
	       bench_measure(&run, &self, 1, m->calls, &t);
	if (good) {
		char parameters[128];
		snprintf(parameters, sizeof parameters,
			 "\"input\":\"%s\",\"dtype\":\"f32\",\"threads\":1,\"arena_bytes\":%zu",
			 m->input, adze_exe_arena_bytes(exe));
		bench_print(m->name, parameters, &t, "");
	}
	int code = good ? 0 : bench_failed(context, m->name);
	adze_buffer_destroy(j.in);
	adze_buffer_destroy(j.out);
	adze_module_destroy(j.module);
	adze_exe_destroy(exe);
	adze_graph_destroy(g);
	adze_device_close(device);
	adze_context_destroy(context);
	return code;
}

int model_bench(void)
{
	static const struct model model[] = {
		{"perceptron_784_512_10", "n=1 in=784", build_perceptron, 500},
		{"digits_batch_1", "n=1 in=64", build_digits, 2000},
		{"digits_batch_64", "n=64 in=64", build_digits, 500},
		{"fashion_batch_1", "n=1 in=1 h=28 w=28", build_fashion, 10},
		{"fashion_batch_64", "n=64 in=1 h=28 w=28", build_fashion, 1},
	};
	int code = 0;
	for (size_t i = 0; i < COUNT_OF(model); i++)
		code |= run_model(&model[i]);
	return code;
}
