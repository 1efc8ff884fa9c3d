/* SPDX-License-Identifier: Apache-2.0 */
#include "nn/nn.h"

static adze_tensor with_bias(adze_tensor y, adze_tensor bias)
{
	return adze_is(bias) ? adze_add(y, bias) : y;
}

adze_tensor nn_linear(struct nn_linear l, adze_tensor x)
{
	return with_bias(adze_dot(x, l.weight, "-1=in"), l.bias);
}

adze_tensor nn_conv2d(struct nn_conv2d l, adze_tensor x, const adze_window *window)
{
	return with_bias(adze_conv2d(x, l.weight, window), l.bias);
}
