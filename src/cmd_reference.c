/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference of operations and of functions on tensors, from the tables, as Markdown.
 */
#include "config.h"

#include "cmd.h"
#include "op_examples.h"

static const char *title_of(enum op_class c)
{
	switch (c) {
	case CLASS_SRC: return "Sources";
	case CLASS_EW: return "Element-wise";
	case CLASS_REDUCE: return "Reductions";
	case CLASS_ROW: return "Rows";
	case CLASS_GEMM: return "Matrix products";
	case CLASS_CONV: return "Convolutions";
	case CLASS_WINDOW: return "Windows";
	case CLASS_VIEW: return "Views";
	case CLASS_MOVE: return "Moves";
	case CLASS_ATTEND: return "Attention";
	case CLASS_REGION: return "Bodies";
	case CLASS_PLAIN: return "Others";
	}
	return op_class_name(c);
}

static void print_table(enum op_class c)
{
	printf("\n## %s\n\n| operation | operands | takes | attributes | what it is |\n"
	       "|---|---|---|---|---|\n",
	       title_of(c));
	for (int i = 1; i < OP_COUNT; i++) {
		const struct op_info *o = op_info((enum ir_op)i);
		char n[32], takes[16], attrs[256];
		if (o->class != c)
			continue;
		cmd_op_operands(o, n, sizeof n);
		cmd_op_attributes(o, attrs, sizeof attrs);
		cmd_op_takes(o, takes, sizeof takes);
		printf("| `%s` | %s | %s | %s | %s%s |\n", o->name, n, takes, attrs, o->doc,
		       o->flags & OP_DECLARED ? " Its type is written." : "");
	}
}

static void print_examples(enum op_class c)
{
	struct op_example e;
	char room[2][128];
	printf("\n```\n");
	for (int i = 1; i < OP_COUNT; i++)
		if (op_info((enum ir_op)i)->class == c && op_example((enum ir_op)i, &e, room))
			printf("%s%s%s%s%s\n", e.params[0] != '\0' ? "# " : "", e.params,
			       e.params[0] != '\0' ? "\n" : "", e.before, e.line);
	printf("```\n");
}

static void print_functions(void)
{
	static const struct {
		const char *name, *dtype, *dims;
	} input[] = {
#define EXAMPLE_INPUT(name, dtype, dims) {#name, #dtype, dims},
#include "examples.def"
	};
	static const char *const call[] = {
#define EXAMPLE(name, ...) #__VA_ARGS__,
#define EXAMPLE_PARTS(name, ...) #__VA_ARGS__,
#include "examples.def"
	};
	printf("\n# Functions on tensors\n\n"
	       "Beside those that have the names of the element-wise operations, as "
	       "`adze_add(a, b)`. The headers\nsay what they take and give. Here, `g` is a "
	       "graph, `more` a tensor, `part` has room for tensors, `none` is\nthe null tensor, "
	       "and\n\n```c\n");
	for (size_t i = 0; i < COUNT_OF(input); i++)
		printf("adze_tensor %s = adze_input(g, \"%s\", ADZE_%s, \"%s\");\n", input[i].name,
		       input[i].name, input[i].dtype, input[i].dims);
	printf("```\n\n```c\n");
	for (size_t i = 0; i < COUNT_OF(call); i++)
		printf("%s;\n", call[i]);
	printf("```\n");
}

void cmd_print_reference(void)
{
	printf("# Operations\n\n"
	       "Made from the tables `ir/ops.def`, `src/base/ew.def` and `src/examples.def` by "
	       "`adze ops --markdown`.\ndocs/ir.md says how a graph is written; `ir/eval.c` "
	       "defines what each one does. Above each example stand\nthe graph's parameters.\n");
	for (int c = CLASS_SRC; c <= CLASS_PLAIN; c++) {
		print_table((enum op_class)c);
		print_examples((enum op_class)c);
	}
	print_functions();
}
