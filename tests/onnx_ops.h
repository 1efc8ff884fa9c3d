/* SPDX-License-Identifier: Apache-2.0
 *
 * Builders of ONNX operators: one function for each name in onnx_ops.def.
 */
#ifndef ADZE_ONNX_OPS_H
#define ADZE_ONNX_OPS_H

#include "tests/onnx_build.h"

/** Builds b->node; a form that is out of scope says so by ob_skip(). */
typedef void onnx_builder(struct onnx_build *b, int arg);

#define ONNX(op, name, arg) onnx_builder onnx_do_##name;
#include "tests/onnx_ops.def"

/** x rounded to nearest even, shifted by the zero point and kept to its type's range. */
ir_val onnx_quantize(struct onnx_build *b, ir_val x, ir_val scale, ir_val zero, int axis);
/** x less its zero point (none: 0), as i32. */
ir_val onnx_centre(struct onnx_build *b, ir_val x, size_t zero, int axis);
/** Log of the softmax. */
ir_val onnx_log_softmax(struct onnx_build *b, ir_val x, int axis);
/** A convolution by the node's attributes. */
ir_val onnx_conv(struct onnx_build *b, ir_val x, ir_val w);

#endif
