/* SPDX-License-Identifier: Apache-2.0
 *
 * Residual networks of bottlenecks, with the stride on the 3x3 convolution, as torchvision has
 * them; weights by its names.
 */
#include "bench/nets.h"

#include <stdio.h>

enum { NAME = 96, WIDEN = 4 };

static adze_tensor weight(adze_graph *g, const char *name, const char *kind, const char *dims)
{
	char full[3 * NAME];
	snprintf(full, sizeof full, "%s.%s", name, kind);
	return adze_weight(g, full, ADZE_F32, dims);
}

/* A convolution of out x in x edge x edge, and its norm. */
static adze_tensor conv(adze_tensor x, const char *prefix, const char *name, const char *norm,
			const int size[3], int stride)
{
	char full[2 * NAME], dims[NAME];
	int edge = size[2];
	snprintf(full, sizeof full, "%s%s", prefix, name);
	snprintf(dims, sizeof dims, "%d %d %d %d", size[0], size[1], edge, edge);
	struct adze_nn_conv c = {.weight = weight(x.graph, full, "weight", dims)};
	adze_window3 window = {.stride = {stride, stride}, .low = {edge / 2, edge / 2},
			       .high = {edge / 2, edge / 2}};
	snprintf(full, sizeof full, "%s%s", prefix, norm);
	snprintf(dims, sizeof dims, "%d", size[0]);
	struct adze_nn_batch_norm b = {
		.weight = weight(x.graph, full, "weight", dims),
		.bias = weight(x.graph, full, "bias", dims),
		.running_mean = weight(x.graph, full, "running_mean", dims),
		.running_var = weight(x.graph, full, "running_var", dims)};
	return adze_nn_batch_norm(b, adze_nn_conv(c, x, &window), 1e-5);
}

static adze_tensor run_block(adze_tensor x, const char *prefix, int in, int width, int stride)
{
	int out = width * WIDEN;
	adze_tensor y = adze_relu(conv(x, prefix, "conv1", "bn1", (int[]){width, in, 1}, 1));
	y = adze_relu(conv(y, prefix, "conv2", "bn2", (int[]){width, width, 3}, stride));
	y = conv(y, prefix, "conv3", "bn3", (int[]){out, width, 1}, 1);
	if (in != out || stride != 1)
		x = conv(x, prefix, "downsample.0", "downsample.1", (int[]){out, in, 1}, stride);
	return adze_relu(adze_add(x, y));
}

void resnet_build(adze_graph *g, const struct resnet_shape *s, int batch, int side)
{
	static const adze_window half = {.stride = {2, 2}, .low = {1, 1}, .high = {1, 1}};
	char dims[NAME];
	int in = s->width;
	snprintf(dims, sizeof dims, "%d 3 %d %d", batch, side, side);
	adze_tensor x = adze_input(g, "x", ADZE_F32, dims);
	x = adze_relu(conv(x, "", "conv1", "bn1", (int[]){in, 3, 7}, 2));
	x = adze_max_pool2d(x, 3, 3, &half);
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < s->blocks[i]; k++) {
			char prefix[NAME];
			int width = s->width << i;
			snprintf(prefix, sizeof prefix, "layer%d.%d.", i + 1, k);
			x = run_block(x, prefix, in, width, i > 0 && k == 0 ? 2 : 1);
			in = width * WIDEN;
		}
	x = adze_mean(x, "2 3");
	snprintf(dims, sizeof dims, "%d %d", s->classes, in);
	struct adze_nn_linear fc = {.weight = weight(g, "fc", "weight", dims)};
	snprintf(dims, sizeof dims, "%d", s->classes);
	fc.bias = weight(g, "fc", "bias", dims);
	adze_output(adze_nn_linear(fc, x), "y");
}
