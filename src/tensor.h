/* SPDX-License-Identifier: Apache-2.0
 *
 * What the functions on tensors are made of: operands checked, axes found by name, shapes
 * broadcast. Each public function is tensor_begin(), emitting, tensor_end().
 */
#ifndef ADZE_TENSOR_H
#define ADZE_TENSOR_H

#include "internal.h"

/** A function at work. */
struct tensor_op {
	adze_graph *graph; /* NULL where no operand has one */
	const char *name;  /* for words */
	bool ok;           /* false: broken; nothing more is to be emitted */
};

/**
 * Looks at the operands: the graph is theirs, and the place where it is built that of the
 * first. Null tensors and operands of two graphs break it, with words.
 */
struct tensor_op tensor_begin(const char *name, const adze_tensor *x, size_t n);
/** The same without operands. */
struct tensor_op tensor_begin_graph(const char *name, adze_graph *graph);
/** `v`, or the broken tensor. */
adze_tensor tensor_end(const struct tensor_op *op, ir_val v);
/** Records a failure and breaks the operation. Returns 0. */
ir_val tensor_fail(struct tensor_op *op, adze_status status, const char *format, ...)
	PRINTF_LIKE(3, 4);

static inline const adze_shape *tensor_type(const struct tensor_op *op, ir_val v)
{
	return ir_type(op->graph, v);
}

/** The index of an axis; words and -1 where it is not there. */
int tensor_axis(struct tensor_op *op, const adze_shape *s, const char *text, size_t len);
int tensor_axis_of(struct tensor_op *op, ir_val x, const char *axis);
/** A list of axes. False with words where one is not there, or stands twice. */
bool tensor_axes(struct tensor_op *op, ir_val x, const char *axes, struct ir_dims *out);
/** The next word of a list that blanks and commas divide: its length, 0 at the end. */
size_t tensor_word(const char **at);

/** The common shape of `n` values, by the rule in adze.h, and the values as that shape. */
bool tensor_join(struct tensor_op *op, ir_val *x, size_t n);
/** One value broadcast to `shape`, whose element type does not count. */
ir_val tensor_fit(struct tensor_op *op, ir_val x, const adze_shape *shape);

/** The shape that `dims` says; `name`, where there is one, stands before the words. */
bool tensor_dims(struct tensor_op *op, const char *name, adze_dtype dtype, const char *dims,
		 adze_shape *out);

/** A value as another element type; itself where it has it. */
ir_val tensor_cast(struct tensor_op *op, ir_val x, adze_dtype dtype);

#endif
