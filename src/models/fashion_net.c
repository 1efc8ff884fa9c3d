/* SPDX-License-Identifier: Apache-2.0
 *
 * A small convolutional network for the 28x28 images of Fashion-MNIST, 0 to 255.
 */
#include "models/net.h"

#define FASHION(T, O, S, L) \
	S(adze_nn_conv, conv1) S(adze_nn_conv, conv2) S(adze_nn_linear, fc1) S(adze_nn_linear, fc2)
ADZE_STRUCT(fashion, FASHION);

#define FASHION_IN(A) A(image)
#define FASHION_OUT(A) A(probability) A(label)
ADZE_FUNCTION(fashion_forward, fashion, FASHION_IN, FASHION_OUT);

static adze_tensor layer(struct adze_nn_conv conv, adze_tensor x)
{
	static const adze_window3 same = {.low = {1, 1}, .high = {1, 1}};
	return adze_max_pool2d(adze_relu(adze_nn_conv(conv, x, &same)), 2, 2, NULL);
}

static struct fashion_forward_out fashion_forward(struct fashion m, struct fashion_forward_in in)
{
	adze_tensor x = adze_reshape(adze_convert(in.image, ADZE_F32), "n=? in=1 h=28 w=28");
	adze_tensor h = adze_mul(x, adze_scalar_like(x, 1.0 / 255));
	h = adze_reshape(layer(m.conv2, layer(m.conv1, h)), "n=? in=1568");
	h = adze_relu(adze_nn_linear(m.fc1, h));
	adze_tensor logits = adze_nn_linear(m.fc2, h);
	return (struct fashion_forward_out){adze_softmax(logits, "-1"),
					    adze_argmax(logits, "-1")};
}

static adze_status describe(adze_graph *graph, const adze_store *store)
{
	struct fashion model;
	struct fashion_forward_in in = {
		adze_input(graph, "image", ADZE_U8, "n<=64 row=28 column=28")};
	adze_status status = fashion_fill(graph, store, "", &model);
	return status == ADZE_OK ? fashion_forward_build(graph, model, in) : status;
}

static adze_status load(adze_device *device, adze_store *store, void *buffers)
{
	return fashion_load(device, store, "", buffers);
}

static adze_status bind(adze_exe *exe, void *buffers, adze_module **out)
{
	const struct fashion_buffers *b = buffers;
	fashion_forward_module module;
	adze_status status = fashion_forward_bind((fashion_forward_exe){exe}, *b, "", &module);
	*out = module.module;
	return status;
}

static void unload(void *buffers)
{
	fashion_free(buffers);
}

const struct net fashion_net = {
	"fashion", 28, 28, 64, sizeof(struct fashion_buffers), describe, load, bind, unload};
