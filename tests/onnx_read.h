/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads ONNX models and tensors: the part of onnx.proto that the node tests use, from
 * protobuf's wire format. Everything lies in an arena. Sources: the Protocol Buffers
 * encoding, and the messages and field numbers of the ONNX specification (IR.md).
 */
#ifndef ADZE_ONNX_READ_H
#define ADZE_ONNX_READ_H

#include "base/dtype.h"
#include "base/mem.h"

/** A dense tensor; `shape` has no names. */
struct onnx_tensor {
	const char *name;
	adze_shape shape;
	void *data;      /* aligned to 16 */
	bool bad;        /* strings, complex numbers: nothing that adze has */
};

struct onnx_attr {
	const char *name, *text;
	double f;
	int64_t i;
	struct onnx_tensor *tensor;
	int64_t *ints;
	double *floats;
	const char **texts;
	size_t nint, nfloat, ntext;
	size_t int_cap, float_cap, text_cap;
};

struct onnx_node {
	const char *op, *domain;
	const char **input, **output;
	size_t ninput, noutput, input_cap, output_cap;
	struct onnx_attr *attr;
	size_t nattr, attr_cap;
};

/** A declared input or output of a graph. */
struct onnx_value {
	const char *name;
	bool tensor; /* else a sequence, a map or an optional */
	adze_dtype dtype; /* of a tensor; ADZE_DTYPE_COUNT where adze has none */
};

struct onnx_model {
	int64_t opset; /* of the default domain */
	struct onnx_node *node;
	struct onnx_tensor *init;
	struct onnx_value *input, *output;
	size_t nnode, ninit, ninput, noutput;
	size_t node_cap, init_cap, input_cap, output_cap;
};

/** A whole file, zero behind it; NULL where it cannot be read. */
void *onnx_file(struct arena *r, const char *path, size_t *size);
/** False for what is not such a message, or uses something that is not read. */
bool onnx_read_model(struct arena *r, const void *bytes, size_t size, struct onnx_model *out);
bool onnx_read_tensor(struct arena *r, const void *bytes, size_t size, struct onnx_tensor *out);

/** NULL where the node has no such attribute. */
const struct onnx_attr *onnx_attr(const struct onnx_node *n, const char *name);
/** What an element type of the specification is here; ADZE_DTYPE_COUNT for none. */
adze_dtype onnx_dtype(int64_t type);

#endif
