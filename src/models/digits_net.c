/* SPDX-License-Identifier: Apache-2.0
 *
 * A perceptron with one hidden layer for 8x8 images of handwritten digits, 0 to 16.
 */
#include "models/net.h"

#define DIGITS(T, O, S, L) S(adze_nn_linear, fc1) S(adze_nn_linear, fc2)
ADZE_STRUCT(digits, DIGITS);

#define DIGITS_IN(A) A(image)
#define DIGITS_OUT(A) A(probability) A(label)
ADZE_FUNCTION(digits_forward, digits, DIGITS_IN, DIGITS_OUT);

static struct digits_forward_out digits_forward(struct digits m, struct digits_forward_in in)
{
	adze_tensor x = adze_reshape(adze_convert(in.image, ADZE_F32), "n=? in=64");
	adze_tensor h = adze_mul(x, adze_scalar_like(x, 1.0 / 16));
	h = adze_relu(adze_nn_linear(m.fc1, h));
	adze_tensor logits = adze_nn_linear(m.fc2, h);
	return (struct digits_forward_out){adze_softmax(logits, "-1"),
					   adze_argmax(logits, "-1")};
}

static adze_status describe(adze_graph *graph, const adze_store *store)
{
	struct digits model;
	struct digits_forward_in in = {adze_input(graph, "image", ADZE_U8, "n<=64 row=8 column=8")};
	adze_status status = digits_fill(graph, store, "", &model);
	return status == ADZE_OK ? digits_forward_build(graph, model, in) : status;
}

static adze_status load(adze_device *device, adze_store *store, void *buffers)
{
	return digits_load(device, store, "", buffers);
}

static adze_status bind(adze_exe *exe, void *buffers, adze_module **out)
{
	const struct digits_buffers *b = buffers;
	digits_forward_module module;
	adze_status status = digits_forward_bind((digits_forward_exe){exe}, *b, "", &module);
	*out = module.module;
	return status;
}

static void unload(void *buffers)
{
	digits_free(buffers);
}

const struct net digits_net = {
	"digits", 8, 8, 64, sizeof(struct digits_buffers), describe, load, bind, unload};
