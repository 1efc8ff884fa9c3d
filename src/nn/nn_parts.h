/* SPDX-License-Identifier: Apache-2.0
 *
 * What layers are made of, beside forms.h.
 */
#ifndef ADZE_NN_PARTS_H
#define ADZE_NN_PARTS_H

#include "forms.h"

/** form_floats() of x, of operands that must be there, and of those that are: 8 in all. */
struct tensor_op nn_begin(const char *name, adze_tensor x, const adze_tensor *needed, size_t n,
			  const adze_tensor *optional, size_t m);
/** A weight of narrower floats than x as x's; any other, and the null tensor, as it is. */
adze_tensor nn_weight(struct tensor_op *op, adze_tensor weight, adze_tensor x);
/**
 * y + bias (as nn_weight() gives it), which has one number for each place of an axis (negative:
 * from the end); or y.
 */
adze_tensor nn_bias(struct tensor_op *op, adze_tensor y, adze_tensor bias, int axis);
/** x / sqrt(sum of squares over the axes + eps), which `axes` lists and `at` holds. */
adze_tensor nn_unit(struct tensor_op *op, adze_tensor wide, const struct ir_dims *at,
		    const char *axes, double eps);

/** x without names of axes. */
adze_tensor nn_unnamed(struct tensor_op *op, adze_tensor x);
/** The first axis as axis `to`, those between one place forward. */
adze_tensor nn_first_to(struct tensor_op *op, adze_tensor x, int to);

#endif
