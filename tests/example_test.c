/* SPDX-License-Identifier: Apache-2.0
 *
 * The examples of the operation reference: texts are parsed and printed again, calls build a
 * graph that computes; and every operation has one. lint.sh sees that every function has.
 */
#include <stdlib.h>

#include "ir/graph.h"
#include "op_examples.h"
#include "tests/api_fixture.h"

static bool has_op(const adze_graph *g, enum ir_op op)
{
	for (ir_val v = 1; v < g->nnode; v++)
		if (ir_get(g, v)->op == op)
			return true;
	return false;
}

TEST(example, operations)
{
	struct op_example e;
	char room[2][128], text[2048];
	for (int i = 1; i < OP_COUNT; i++) {
		enum ir_op op = (enum ir_op)i;
		struct diag d = {ADZE_OK, ""};
		struct text again;
		adze_graph *g;
		CHECK_MSG(op_example(op, &e, room), "%s has no example", op_info(op)->name);
		CHECK(strstr(e.line, op_info(op)->name) != NULL || op == OP_INPUT ||
		      op == OP_WEIGHT);
		int n = snprintf(text, sizeof text, "graph e(%s) {\n%s%s\nreturn y=%.*s\n}\n",
				 e.params, e.before, e.line, (int)strcspn(e.line, " "), e.line);
		CHECK(n > 0 && (size_t)n < sizeof text);
		CHECK_MSG(ir_parse(&mem_libc, text, (size_t)n, "example", &d, &g) == ADZE_OK,
			  "%s: %s", e.line, d.text);
		CHECK_MSG(has_op(g, op), "%s", e.line);
		/* As the printer writes it. */
		text_init(&again, &mem_libc);
		ir_print(g, &again);
		CHECK_MSG(strstr(again.at, e.line) != NULL, "%s in %s", e.line, again.at);
		text_fini(&again);
		ir_graph_destroy(g);
	}
}

/* What the calls take and give, under the names that they have there. */
#define EXAMPLE_INPUT(name, dtype, dims) static adze_tensor name;
#include "examples.def"
static adze_graph *g;
static adze_tensor more, part[8];
static const adze_tensor none;

static void make_inputs(adze_graph *graph)
{
	g = graph;
#define EXAMPLE_INPUT(name, dtype, dims) name = adze_input(g, #name, ADZE_##dtype, dims);
#include "examples.def"
}

#define EXAMPLE(name, ...)                       \
	static bool call_##name(void)            \
	{                                        \
		adze_tensor y = __VA_ARGS__;     \
		adze_output(y, "y");             \
		return adze_is(y);               \
	}
#define EXAMPLE_PARTS(name, ...)                                        \
	static bool call_##name(void)                                   \
	{                                                               \
		bool fine = __VA_ARGS__ == ADZE_OK && adze_is(part[1]); \
		adze_output(part[1], "y");                              \
		return fine;                                            \
	}
#include "examples.def"

static const struct {
	const char *name;
	bool (*call)(void);
} calls[] = {
#define EXAMPLE(name, ...) {#name, call_##name},
#define EXAMPLE_PARTS(name, ...) {#name, call_##name},
#include "examples.def"
};

/* Computed from zeros. */
static void check_runs(const adze_graph *graph, const char *name)
{
	static const char zeros[1 << 16];
	const void *input[32];
	struct diag d = {ADZE_OK, ""};
	void *y = malloc((size_t)shape_bytes(ir_type(graph, graph->output[0].value)) + 1);
	CHECK(y != NULL && graph->ninput <= COUNT_OF(input) && graph->noutput == 1);
	for (size_t i = 0; i < graph->ninput; i++) {
		CHECK(shape_bytes(ir_type(graph, graph->input[i])) <= (int64_t)sizeof zeros);
		input[i] = zeros;
	}
	CHECK_MSG(ir_eval(graph, NULL, input, NULL, &y, &d) == ADZE_OK, "%s: %s", name, d.text);
	free(y);
}

TEST(example, functions)
{
	struct life l;
	life_begin(&l);
	for (size_t k = 0; k < COUNT_OF(calls); k++) {
		adze_graph *graph;
		OK(&l, adze_graph_create(l.context, "e", &graph));
		make_inputs(graph);
		CHECK_MSG(calls[k].call(), "%s: %s", calls[k].name, adze_graph_words(graph));
		check_runs(graph, calls[k].name);
		adze_graph_destroy(graph);
	}
	life_end(&l);
}
