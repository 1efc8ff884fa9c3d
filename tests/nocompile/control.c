/* SPDX-License-Identifier: Apache-2.0
 *
 * Compiles: what the others do wrong, done right.
 */
#include "common.h"

adze_status life(adze_context *context, adze_device *device, adze_store *store);
adze_status life(adze_context *context, adze_device *device, adze_store *store)
{
	adze_graph *graph = NULL;
	adze_host_buffer *host = NULL;
	struct cat m;
	struct dog n;
	struct cat_buffers b;
	struct dog_buffers c;
	struct cat_forward_in in;
	struct dog_forward_in din;
	struct cat_forward_args args;
	struct dog_forward_args dargs;
	struct cat_forward_results results = {NULL};
	struct dog_forward_results dresults = {NULL, NULL};
	cat_forward_exe exe;
	dog_forward_exe dexe;
	cat_forward_module module;
	dog_forward_module dmodule;
	adze_shape shape;
	adze_status status = adze_graph_create(context, "g", &graph);
	status = cat_fill(graph, store, "cat", &m);
	status = dog_fill(graph, store, "dog", &n);
	in.x = adze_input(graph, "x", ADZE_F32, "s=1 d=2");
	din.x = in.x;
	din.cache = adze_input(graph, "cache", ADZE_F32, "s=1 d=2");
	status = cat_forward_compile(device, graph, m, in, &exe);
	status = dog_forward_compile(device, graph, n, din, &dexe);
	status = cat_load(device, store, "cat", &b);
	status = dog_load(device, store, "dog", &c);
	status = cat_forward_bind(exe, b, "cat", &module);
	status = dog_forward_bind(dexe, c, "dog", &dmodule);
	status = adze_shape_parse(ADZE_F32, "s=1 d=2", &shape);
	status = adze_host_buffer_create(context, &shape, &host);
	status = adze_copy_in(device, host, &args.x);
	dargs.x = dargs.cache = args.x;
	status = cat_forward_call(module, args, &results);
	status = dog_forward_call(dmodule, dargs, &dresults);
	status = adze_copy_out(results.y, &host);
	return status;
}
