/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers: a struct of weights as a weight file has them, and the function that builds the
 * layer from operations. Failures are sticky, as in all of building a graph.
 */
#ifndef ADZE_NN_H
#define ADZE_NN_H

#include "adze.h"

#define NN_LINEAR(T, O, S, L) T(weight, "out in") O(bias, "out")
ADZE_STRUCT(nn_linear, NN_LINEAR);

/** x W' + b over the last axis of x, which becomes the axis `out`. */
adze_tensor nn_linear(struct nn_linear l, adze_tensor x);

#define NN_CONV2D(T, O, S, L) T(weight, "out in kh kw") O(bias, "out")
ADZE_STRUCT(nn_conv2d, NN_CONV2D);

/** [n, in, h, w] to [n, out, h', w']; `window` as adze_conv2d() takes it. */
adze_tensor nn_conv2d(struct nn_conv2d l, adze_tensor x, const adze_window *window);

#endif
