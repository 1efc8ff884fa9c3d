/* SPDX-License-Identifier: Apache-2.0
 *
 * Graphs and what goes into and out of them; the parts that functions on tensors share.
 */
#include "tensor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- graphs ---- */

adze_status adze_graph_create(adze_context *c, const char *name, adze_graph **out)
{
	*out = ir_graph_create(&c->mem, name);
	return *out != NULL ? ADZE_OK
			    : context_fail(c, ADZE_E_NOMEM, "no memory for a graph");
}

adze_status adze_graph_parse(adze_context *c, const char *text, size_t size, const char *file,
			     adze_graph **out)
{
	struct diag d = {ADZE_OK, ""};
	*out = NULL;
	if (text == NULL)
		return context_fail(c, ADZE_E_ARGUMENT, "a graph has a text");
	ir_parse(&c->mem, text, size, file != NULL ? file : "graph", &d, out);
	return context_keep(c, &d);
}

void adze_graph_destroy(adze_graph *graph)
{
	ir_graph_destroy(graph);
}

adze_status adze_graph_status(const adze_graph *graph)
{
	return graph != NULL ? graph->diag.status : ADZE_E_ARGUMENT;
}

const char *adze_graph_words(const adze_graph *graph)
{
	return graph != NULL ? graph->diag.text : "there is no graph";
}

adze_status adze_graph_print(adze_context *c, const adze_graph *graph, adze_host_buffer **out)
{
	struct text t;
	*out = NULL;
	text_init(&t, &c->mem);
	ir_print(graph, &t);
	int64_t n = (int64_t)t.len;
	adze_shape shape = shape_make(ADZE_U8, 1, &n);
	adze_status status = t.failed ? context_fail(c, ADZE_E_NOMEM, "no memory for the text")
				      : adze_host_buffer_create(c, &shape, out);
	if (status == ADZE_OK && t.len > 0)
		memcpy((*out)->data, t.at, t.len);
	text_fini(&t);
	return status;
}

adze_graph *adze_graph_at(adze_graph *graph, const char *file, int line)
{
	if (graph != NULL && file != NULL)
		ir_at(graph, file, line, 0);
	return graph;
}

/* ---- operations ---- */

ir_val tensor_fail(struct tensor_op *op, adze_status status, const char *format, ...)
{
	char words[DIAG_BYTES / 2];
	va_list args;
	va_start(args, format);
	vsnprintf(words, sizeof words, format, args);
	va_end(args);
	op->ok = false;
	if (op->graph != NULL)
		ir_fail(op->graph, &op->graph->at, status, "%s: %s", op->name, words);
	return 0;
}

struct tensor_op tensor_begin_graph(const char *name, adze_graph *graph)
{
	return (struct tensor_op){graph, name, graph != NULL && graph->diag.status == ADZE_OK};
}

struct tensor_op tensor_begin(const char *name, const adze_tensor *x, size_t n)
{
	adze_graph *g = NULL;
	for (size_t i = 0; i < n && g == NULL; i++)
		g = x[i].graph;
	if (n > 0)
		adze_graph_at(g, x[0].file, x[0].line);
	struct tensor_op op = tensor_begin_graph(name, g);
	for (size_t i = 0; i < n && op.ok; i++)
		if (x[i].id == 0)
			tensor_fail(&op, ADZE_E_ARGUMENT,
				    "operand %zu is the null tensor (a weight that is absent?)",
				    i + 1);
		else if (x[i].graph != g)
			tensor_fail(&op, ADZE_E_ARGUMENT, "its operands are of two graphs");
		else if (x[i].id >= g->nnode)
			tensor_fail(&op, ADZE_E_ARGUMENT, "operand %zu is no value of the graph",
				    i + 1);
		else if (g->node[x[i].id].op == OP_NONE)
			tensor_fail(&op, ADZE_E_ARGUMENT,
				    "operand %zu is a value inside a body that is done", i + 1);
	return op;
}

adze_tensor tensor_end(const struct tensor_op *op, ir_val v)
{
	return (adze_tensor){op->graph, op->ok ? v : 0, 0, NULL};
}

/* ---- axes ---- */

int tensor_axis(struct tensor_op *op, const adze_shape *s, const char *text, size_t len)
{
	char shape[SHAPE_TEXT];
	int i = shape_axis(s, text, len);
	if (i < 0)
		tensor_fail(op, ADZE_E_TYPE, "there is no axis '%.*s' in %s",
			    (int)(len < 40 ? len : 40), text,
			    shape_print(s, shape, sizeof shape));
	return i;
}

int tensor_axis_of(struct tensor_op *op, ir_val x, const char *axis)
{
	const char *at = axis != NULL ? axis : "";
	size_t n = tensor_word(&at), more = n;
	const char *rest = at + n;
	if (n > 0)
		more = tensor_word(&rest);
	if (n == 0 || more > 0) {
		tensor_fail(op, ADZE_E_ARGUMENT, "it takes one axis, not '%.100s'",
			    axis != NULL ? axis : "");
		return -1;
	}
	return tensor_axis(op, tensor_type(op, x), at, n);
}

size_t tensor_word(const char **at)
{
	*at += strspn(*at, " \t\n,");
	return strcspn(*at, " \t\n,");
}

bool tensor_axes(struct tensor_op *op, ir_val x, const char *axes, struct ir_dims *out)
{
	const adze_shape *s = tensor_type(op, x);
	char shape[SHAPE_TEXT];
	memset(out, 0, sizeof *out);
	const char *at = axes != NULL ? axes : "";
	for (size_t n; (n = tensor_word(&at)) > 0; at += n) {
		int k = tensor_axis(op, s, at, n);
		if (k < 0)
			return false;
		for (int64_t i = 0; i < out->n; i++)
			if (out->at[i] == k) {
				tensor_fail(op, ADZE_E_TYPE,
					    "axis '%.*s' of %s stands twice in '%.100s'",
					    (int)(n < 40 ? n : 40), at,
					    shape_print(s, shape, sizeof shape), axes);
				return false;
			}
		out->at[out->n++] = k;
	}
	return true;
}

/* ---- sources and results ---- */

adze_shape adze_tensor_shape(adze_tensor x)
{
	if (x.graph == NULL || x.id == 0 || x.id >= x.graph->nnode)
		return shape_make(ADZE_F32, 0, NULL);
	return *ir_type(x.graph, x.id);
}

bool tensor_dims(struct tensor_op *op, const char *name, adze_dtype dtype, const char *dims,
		 adze_shape *out)
{
	struct diag d = {ADZE_OK, ""};
	if (!op->ok)
		return false;
	if (dims == NULL)
		fail(&d, ADZE_E_ARGUMENT, "there are no dims");
	else
		shape_parse(dims, strlen(dims), dtype, out, &d);
	if (d.status != ADZE_OK)
		tensor_fail(op, d.status, "%s%.100s%s%s", name != NULL ? "'" : "",
			    name != NULL ? name : "", name != NULL ? "': " : "", d.text);
	return op->ok;
}

adze_tensor adze_input_at(adze_graph *graph, const char *name, adze_dtype dtype,
			  const char *dims, const char *file, int line)
{
	struct tensor_op op = tensor_begin_graph("input", adze_graph_at(graph, file, line));
	adze_shape shape;
	ir_val v = 0;
	if (tensor_dims(&op, name, dtype, dims, &shape))
		v = ir_input(graph, name, &shape);
	return tensor_end(&op, v);
}

adze_tensor adze_weight_at(adze_graph *graph, const char *name, adze_dtype dtype,
			   const char *dims, const char *file, int line)
{
	struct tensor_op op = tensor_begin_graph("weight", adze_graph_at(graph, file, line));
	adze_shape shape;
	ir_val v = 0;
	if (tensor_dims(&op, name, dtype, dims, &shape)) {
		if (shape_is_static(&shape))
			v = ir_weight(graph, name, &shape);
		else
			tensor_fail(&op, ADZE_E_TYPE,
				    "'%.100s' of '%.100s': a weight has no symbols",
				    name != NULL ? name : "", dims);
	}
	return tensor_end(&op, v);
}

static ir_val find_input(const adze_graph *g, const char *name)
{
	for (size_t i = 0; name != NULL && i < g->ninput; i++)
		if (strcmp(IR_ATTRS(name, g, g->input[i])->name, name) == 0)
			return g->input[i];
	return 0;
}

adze_status(adze_output)(adze_tensor x, const char *name)
{
	struct tensor_op op = tensor_begin("output", &x, 1);
	if (op.graph == NULL)
		return ADZE_E_ARGUMENT;
	if (op.ok)
		ir_output(op.graph, name, x.id, find_input(op.graph, name));
	return op.graph->diag.status;
}

void adze_function_output(adze_graph *graph, adze_tensor x, const char *name)
{
	if (x.graph == NULL)
		x.graph = graph;
	struct tensor_op op = tensor_begin_graph("output", graph);
	if (op.ok && x.graph != graph)
		tensor_fail(&op, ADZE_E_ARGUMENT, "'%.100s' is of another graph", name);
	else
		(void)(adze_output)(x, name);
}

adze_status adze_function_inputs(adze_graph *graph, const adze_tensor *in,
				 const char *const *name, size_t n)
{
	struct tensor_op op = tensor_begin_graph("function", graph);
	if (graph == NULL)
		return ADZE_E_ARGUMENT;
	if (op.ok && (graph->ninput != n || graph->noutput != 0))
		tensor_fail(&op, ADZE_E_ARGUMENT,
			    "it has %zu inputs, and its graph %zu, and %zu results already", n,
			    graph->ninput, graph->noutput);
	for (size_t i = 0; i < n && op.ok; i++) {
		const char *have = IR_ATTRS(name, graph, graph->input[i])->name;
		if (strcmp(have, name[i]) != 0)
			tensor_fail(&op, ADZE_E_ARGUMENT,
				    "input %zu is '%.100s', and the graph's is '%.100s'", i,
				    name[i], have);
		else if (in[i].graph != graph || in[i].id != graph->input[i])
			tensor_fail(&op, ADZE_E_ARGUMENT,
				    "'%.100s' was not given the input of that name", name[i]);
	}
	return graph->diag.status;
}

adze_tensor(adze_constant)(adze_graph *graph, const adze_shape *shape, const void *data)
{
	struct tensor_op op = tensor_begin_graph("constant", graph);
	ir_val v = 0;
	if (op.ok && data == NULL && (shape_check(shape, NULL) != ADZE_OK ||
				      shape_bytes(shape) > 0))
		tensor_fail(&op, ADZE_E_ARGUMENT, "it has no data, or no shape");
	if (op.ok)
		v = ir_const(graph, shape, data != NULL ? data : "");
	return tensor_end(&op, v);
}

static ir_val emit_scalar(struct tensor_op *op, adze_dtype dtype, double value)
{
	if (op->ok && (unsigned)dtype >= ADZE_DTYPE_COUNT)
		return tensor_fail(op, ADZE_E_ARGUMENT, "element type %d does not exist",
				   (int)dtype);
	return op->ok ? ir_scalar(op->graph, dtype, value) : 0;
}

adze_tensor(adze_scalar)(adze_graph *graph, adze_dtype dtype, double value)
{
	struct tensor_op op = tensor_begin_graph("scalar", graph);
	return tensor_end(&op, emit_scalar(&op, dtype, value));
}

adze_tensor(adze_scalar_like)(adze_tensor x, double value)
{
	struct tensor_op op = tensor_begin("scalar", &x, 1);
	return tensor_end(&op, op.ok ? emit_scalar(&op, tensor_type(&op, x.id)->dtype, value) : 0);
}

adze_tensor(adze_iota)(adze_graph *graph, adze_dtype dtype, const char *dims, const char *axis)
{
	struct tensor_op op = tensor_begin_graph("iota", graph);
	adze_shape shape;
	ir_val v = 0;
	if (tensor_dims(&op, NULL, dtype, dims, &shape)) {
		const char *name = axis != NULL ? axis : "";
		struct attrs_axis attrs = {.axis = tensor_axis(&op, &shape, name, strlen(name))};
		if (op.ok)
			v = ir_emit(graph, OP_IOTA, NULL, 0, &attrs, &shape);
	}
	return tensor_end(&op, v);
}

adze_tensor(adze_extent)(adze_tensor x, const char *axis)
{
	struct tensor_op op = tensor_begin("extent", &x, 1);
	ir_val v = 0;
	struct attrs_axis attrs = {.axis = op.ok ? tensor_axis_of(&op, x.id, axis) : 0};
	if (op.ok)
		v = ir_emit1(op.graph, OP_EXTENT, x.id, &attrs, NULL);
	return tensor_end(&op, v);
}
