/* SPDX-License-Identifier: Apache-2.0
 *
 * The smallest program: y = relu(x + 1), built, compiled, called.
 *     cc smallest.c $(pkg-config --cflags --libs adze) -o smallest
 */
#include <adze.h>
#include <stdio.h>

int main(void)
{
	float v[3] = {-2, 0, 2};
	char words[256];
	adze_shape shape;
	adze_context *context = NULL;
	adze_device *cpu = NULL;
	adze_graph *graph = NULL;
	adze_exe *exe = NULL;
	adze_module *module = NULL;
	adze_host_buffer *host = NULL;
	adze_buffer *x = NULL, *y = NULL;

	if (adze_context_create(NULL, &context) || adze_graph_create(context, "g", &graph))
		return 1;
	adze_tensor in = adze_input(graph, "x", ADZE_F32, "n=3");
	adze_output(adze_relu(adze_add(in, adze_scalar_like(in, 1))), "y");

	int failed = adze_device_open(context, "cpu", &cpu) || adze_compile(cpu, graph, &exe) ||
		     adze_bind(exe, NULL, 0, &module) || adze_shape_parse(ADZE_F32, "3", &shape) ||
		     adze_host_buffer_borrow(context, &shape, v, &host) ||
		     adze_copy_in(cpu, host, &x) || adze_call(module, &x, 1, &y, 1, NULL) ||
		     adze_copy_from(host, y);
	if (failed)
		fprintf(stderr, "%s\n", adze_context_words(context, words, sizeof words));
	else
		printf("relu(x + 1) = %g %g %g\n", (double)v[0], (double)v[1], (double)v[2]);
	return failed; /* the system takes the memory back; digits.c shows the destroy functions */
}
