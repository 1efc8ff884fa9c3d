/* SPDX-License-Identifier: Apache-2.0
 *
 * What a profile costs: a call of many small steps without one, and with one, in turn.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>

enum { STEPS = 64, WIDTH = 16, CALLS = 500 };

struct job {
	adze_module *module;
	adze_profile *profile; /* NULL: none is recorded */
	adze_buffer *in, *out;
};

static bool call(void *self)
{
	struct job *j = self;
	if (j->profile != NULL)
		adze_profile_clear(j->profile);
	return adze_module_profile(j->module, j->profile) == ADZE_OK &&
	       adze_call(j->module, &j->in, 1, &j->out, 1, NULL) == ADZE_OK;
}

static adze_status prepare(adze_device *device, adze_graph *g, adze_exe **exe, struct job *j)
{
	adze_tensor x = adze_input(g, "x", ADZE_F32, "16");
	for (int i = 0; i < STEPS; i++)
		x = adze_barrier(adze_add(x, x));
	adze_output(x, "y");
	adze_shape shape;
	adze_status status = adze_shape_parse(ADZE_F32, "16", &shape);
	if (status == ADZE_OK)
		status = adze_compile(device, g, exe);
	if (status == ADZE_OK)
		status = adze_bind(*exe, NULL, 0, &j[0].module);
	if (status == ADZE_OK)
		status = adze_profile_create(*exe, 1, 4 * STEPS, &j[1].profile);
	if (status == ADZE_OK)
		status = adze_buffer_create(device, &shape, &j[0].in);
	if (status == ADZE_OK)
		status = adze_buffer_create(device, &shape, &j[0].out);
	if (status == ADZE_OK)
		bench_fill(ADZE_F32, adze_buffer_data(j[0].in), WIDTH, 1);
	j[1].module = j[0].module;
	j[1].in = j[0].in;
	j[1].out = j[0].out;
	return status;
}

int profile_bench(void)
{
	static const char name[] = "profile";
	struct job j[2] = {{0}};
	struct bench_time t[2];
	adze_context *context = bench_context(1);
	adze_device *device = NULL;
	adze_graph *g = NULL;
	adze_exe *exe = NULL;
	int code = 0;
	if (!bench_wanted(name))
		goto out;
	if (adze_device_open(context, "cpu", &device) == ADZE_OK &&
	    adze_graph_create(context, name, &g) == ADZE_OK &&
	    prepare(device, g, &exe, j) == ADZE_OK &&
	    bench_measure((bench_function *[]){call, call}, (void *[]){&j[0], &j[1]}, 2, CALLS,
			  t)) {
		char extra[128];
		snprintf(extra, sizeof extra,
			 "\"steps\":%d,\"profiled_us\":%.3f,\"ns_a_step\":%.1f", STEPS,
			 t[1].median, (t[1].median - t[0].median) * 1e3 / STEPS);
		bench_print(name, "\"threads\":1", &t[0], extra);
	} else {
		code = bench_failed(context, name);
	}
out:
	adze_buffer_destroy(j[0].in);
	adze_buffer_destroy(j[0].out);
	adze_module_destroy(j[0].module);
	adze_profile_destroy(j[1].profile);
	adze_exe_destroy(exe);
	adze_graph_destroy(g);
	adze_device_close(device);
	adze_context_destroy(context);
	return code;
}
