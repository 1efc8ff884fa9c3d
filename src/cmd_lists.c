/* SPDX-License-Identifier: Apache-2.0
 *
 * adze ops, passes, kernels, devices, env: what there is, from the tables.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "devices/cpu/cpu_report.h"
#include "devices/device.h"

enum form { FORM_TABLE, FORM_JSON, FORM_MARKDOWN };

/* Options of a list, which has at most one operand. CMD_OK, or the exit code + 1. */
static int list_options(const struct cmd *c, int argc, char **argv, bool markdown,
			enum form *form, const char **operand)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						CMD_HELP_OPTION,
						{"markdown", no_argument, NULL, 'm'},
						{NULL, 0, NULL, 0}};
	static const struct option plain[] = {{"json", no_argument, NULL, 'j'},
					      CMD_HELP_OPTION,
					      {NULL, 0, NULL, 0}};
	int k;
	*form = FORM_TABLE;
	while ((k = cmd_option(c, argc, argv, "h", markdown ? options : plain)) != -1) {
		if (k == 'h')
			return 1 + cmd_print_help(c);
		if (k != 'j' && k != 'm')
			return 1 + CMD_USAGE;
		*form = k == 'j' ? FORM_JSON : FORM_MARKDOWN;
	}
	if (operand != NULL && optind < argc)
		*operand = argv[optind++];
	if (optind < argc)
		return 1 + cmd_usage(c, "'%s' is one operand too many", argv[optind]);
	return 0;
}

/* ---- ops ---- */

void cmd_op_operands(const struct op_info *o, char *out, size_t cap)
{
	if (o->min_args == o->max_args)
		snprintf(out, cap, "%u", o->min_args);
	else if (o->max_args == OP_MANY)
		snprintf(out, cap, "%u or more", o->min_args);
	else
		snprintf(out, cap, "%u to %u", o->min_args, o->max_args);
}

void cmd_op_attributes(const struct op_info *o, char *out, size_t cap)
{
	size_t at = 0;
	out[0] = '\0';
	for (int i = 0; i < o->attrs->nfield && at < cap; i++)
		at += (size_t)snprintf(out + at, cap - at, "%s%s", i > 0 ? ", " : "",
				       o->attrs->field[i].name);
}

void cmd_op_takes(const struct op_info *o, char *out, size_t cap)
{
	static const struct {
		int class;
		char letter;
	} letters[] = {{DTYPE_BOOL, 'b'}, {DTYPE_INT, 'i'}, {DTYPE_FLOAT, 'f'},
		       {DTYPE_COMPLEX, 'c'}, {DTYPE_PACKED, 'p'}};
	size_t n = 0;
	for (size_t i = 0; i < COUNT_OF(letters) && n + 1 < cap; i++)
		if (o->takes & letters[i].class)
			out[n++] = letters[i].letter;
	out[n] = '\0';
}

static json_t *op_json(const struct op_info *o)
{
	json_t *v = json_object(), *attrs = json_array();
	for (int i = 0; i < o->attrs->nfield; i++)
		cmd_append(attrs, json_string(o->attrs->field[i].name));
	cmd_put(v, "name", json_string(o->name));
	cmd_put(v, "class", json_string(op_class_name(o->class)));
	cmd_put(v, "min_operands", json_integer(o->min_args));
	cmd_put(v, "max_operands",
		o->max_args == OP_MANY ? json_null() : json_integer(o->max_args));
	char takes[16];
	cmd_op_takes(o, takes, sizeof takes);
	cmd_put(v, "attributes", attrs);
	cmd_put(v, "takes", json_string(takes));
	cmd_put(v, "type_written", json_boolean(o->flags & OP_DECLARED));
	cmd_put(v, "doc", json_string(o->doc));
	return v;
}

static int run_ops(int argc, char **argv)
{
	enum form form;
	int code = list_options(&cmd_ops, argc, argv, true, &form, NULL);
	if (code != 0)
		return code - 1;
	if (form == FORM_MARKDOWN) {
		cmd_print_reference();
		return CMD_OK;
	}
	if (form == FORM_JSON) {
		json_t *list = json_array();
		for (int i = 1; i < OP_COUNT; i++)
			cmd_append(list, op_json(op_info((enum ir_op)i)));
		cmd_json_print(list);
		return CMD_OK;
	}
	struct cmd_table t = {.columns = 6};
	CMD_ROW(&t, "NAME", "CLASS", "OPERANDS", "TAKES", "ATTRIBUTES", "WHAT IT IS");
	for (int i = 1; i < OP_COUNT; i++) {
		const struct op_info *o = op_info((enum ir_op)i);
		char n[32], attrs[256], takes[16];
		cmd_op_operands(o, n, sizeof n);
		cmd_op_takes(o, takes, sizeof takes);
		cmd_op_attributes(o, attrs, sizeof attrs);
		CMD_ROW(&t, o->name, op_class_name(o->class), n, takes, attrs, o->doc);
	}
	cmd_table_print(&t, "");
	return CMD_OK;
}

const struct cmd cmd_ops = {
	"ops", "[--json|--markdown]", "Lists the operations of graphs.",
	"      --json      as JSON\n"
	"      --markdown  as the operation reference\n"
	"\nTAKES: b bool, i integers, f floats, c complex, p also those of less than 8 bits.\n",
	run_ops};

/* ---- the shorter lists ---- */

/* Rows of strings under heads: a table, or a JSON object a row with the heads as keys. */
struct list {
	struct cmd_table table;
	json_t *json; /* NULL: a table */
	const char *const *key;
};

static void list_init(struct list *l, enum form form, const char *const *key,
		      const char *const *head, int columns)
{
	*l = (struct list){.table.columns = columns, .key = key};
	if (form == FORM_JSON)
		l->json = json_array();
	else
		cmd_table_row(&l->table, head);
}

/* truth[k]: cell k is "yes" or something else, a boolean in JSON; NULL: none is. */
static void list_row(struct list *l, const char *const *cells, const bool *truth)
{
	if (l->json == NULL) {
		cmd_table_row(&l->table, cells);
		return;
	}
	json_t *o = json_object();
	for (int i = 0; i < l->table.columns; i++)
		cmd_put(o, l->key[i], truth != NULL && truth[i]
					      ? json_boolean(strcmp(cells[i], "yes") == 0)
					      : cmd_json_text(cells[i]));
	cmd_append(l->json, o);
}

static int list_print(struct list *l)
{
	if (l->json != NULL)
		cmd_json_print(l->json);
	else
		cmd_table_print(&l->table, "");
	return CMD_OK;
}

static int run_passes(int argc, char **argv)
{
	static const char *const key[] = {"name", "needs", "gives", "doc"};
	static const char *const head[] = {"NAME", "NEEDS", "GIVES", "WHAT IT DOES"};
	struct list l;
	enum form form;
	int code = list_options(&cmd_passes, argc, argv, false, &form, NULL);
	if (code != 0)
		return code - 1;
	list_init(&l, form, key, head, 4);
	size_t n;
	const struct ir_pass *p = ir_passes(&n);
	for (size_t i = 0; i < n; i++) {
		const char *cell[] = {p[i].name, ir_stage_name(p[i].needs),
				      ir_stage_name(p[i].gives), p[i].doc};
		list_row(&l, cell, NULL);
	}
	return list_print(&l);
}

static const char *dtype_class_name(adze_dtype dtype)
{
	switch (dtype_info(dtype)->class) {
	case DTYPE_BOOL: return "bool";
	case DTYPE_INT: return "int";
	case DTYPE_UINT: return "uint";
	case DTYPE_FLOAT: return "float";
	default: return "complex";
	}
}

static int run_types(int argc, char **argv)
{
	static const char *const key[] = {"name", "bits", "class", "safetensors", "cuda"};
	static const char *const head[] = {"NAME", "BITS", "CLASS", "SAFETENSORS", "CUDA"};
	static const bool truth[] = {false, false, false, false, true};
	struct list l;
	enum form form;
	int code = list_options(&cmd_types, argc, argv, false, &form, NULL);
	if (code != 0)
		return code - 1;
	list_init(&l, form, key, head, 5);
	for (int i = 0; i < ADZE_DTYPE_COUNT; i++) {
		const struct dtype_info *t = dtype_info((adze_dtype)i);
		char bits[8];
		snprintf(bits, sizeof bits, "%d", t->bits);
		const char *cell[] = {t->name, bits, dtype_class_name((adze_dtype)i),
				      t->safetensors, t->cuda != NULL ? "yes" : "no"};
		list_row(&l, cell, truth);
	}
	return list_print(&l);
}

const struct cmd cmd_types = {
	"types", "[--json]", "Lists the element types.", "      --json  as JSON\n", run_types};

static int run_blocks(int argc, char **argv)
{
	static const char *const key[] = {"name", "gguf", "numbers", "bytes", "what"};
	static const char *const head[] = {"NAME", "GGUF", "NUMBERS", "BYTES", "WHAT"};
	static const bool truth[5] = {false};
	struct list l;
	enum form form;
	int code = list_options(&cmd_blocks, argc, argv, false, &form, NULL);
	if (code != 0)
		return code - 1;
	list_init(&l, form, key, head, 5);
	for (int i = BLOCK_NONE + 1; i < BLOCK_COUNT; i++) {
		const struct block_format *f = block_format((enum block_kind)i);
		char gguf[12], elements[12], bytes[12];
		snprintf(gguf, sizeof gguf, "%d", f->gguf);
		snprintf(elements, sizeof elements, "%d", f->elements);
		snprintf(bytes, sizeof bytes, "%d", f->bytes);
		const char *cell[] = {f->name, gguf, elements, bytes, f->doc};
		list_row(&l, cell, truth);
	}
	return list_print(&l);
}

const struct cmd cmd_blocks = {
	"blocks", "[--json]", "Lists the formats of weights in blocks.", "      --json  as JSON\n",
	run_blocks};

const struct cmd cmd_passes = {
	"passes", "[--json]", "Lists the passes over graphs, in their order.",
	"      --json  as JSON\n", run_passes};

static int run_kernels(int argc, char **argv)
{
	static const char *const key[] = {"family", "function", "isa", "usable", "selected"};
	static const char *const head[] = {"FAMILY", "FUNCTION", "ISA", "USABLE", "SELECTED"};
	static const bool truth[] = {false, false, false, true, true};
	struct list l;
	enum form form;
	const char *only = NULL;
	int code = list_options(&cmd_kernels, argc, argv, false, &form, &only);
	if (code != 0)
		return code - 1;
	adze_context *context = cmd_context(0, ADZE_LOG_ERROR);
	if (context == NULL)
		return CMD_FAILED;
	size_t found = 0;
	list_init(&l, form, key, head, 5);
	struct cpu_kernel_row r;
	for (size_t i = 0; cpu_kernel_row(i, context->isa_mask, &r); i++) {
		const char *cell[] = {r.family, r.function, r.isa, r.usable ? "yes" : "no",
				      r.selected ? "yes" : form == FORM_JSON ? "no" : ""};
		if (only != NULL && strstr(r.family, only) == NULL)
			continue;
		found++;
		list_row(&l, cell, truth);
	}
	adze_context_destroy(context);
	if (found > 0)
		return list_print(&l);
	cmd_table_free(&l.table);
	json_decref(l.json);
	cmd_error("no kernel family has '%s' in its name", only);
	return CMD_FAILED;
}

const struct cmd cmd_kernels = {
	"kernels", "[WORD] [--json]", "Lists the CPU kernels, and which ones this machine uses.",
	"      --json  as JSON\n"
	"\n"
	"With WORD, the families that have it in their name: adze kernels gemm\n",
	run_kernels};

static int run_devices(int argc, char **argv)
{
	static const char *const key[] = {"name", "usable", "words", "doc"};
	static const char *const head[] = {"NAME", "USABLE", "HERE", "WHAT IT IS"};
	static const bool truth[] = {false, true, false, false};
	struct list l;
	enum form form;
	int code = list_options(&cmd_devices, argc, argv, false, &form, NULL);
	if (code != 0)
		return code - 1;
	adze_context *context = cmd_context(0, ADZE_LOG_ERROR);
	if (context == NULL)
		return CMD_FAILED;
	list_init(&l, form, key, head, 4);
	size_t n;
	const struct device_ops *const *row = device_rows(&n);
	for (size_t i = 0; i < n; i++) {
		struct text words;
		text_init(&words, &mem_libc);
		bool usable = row[i]->describe(context, &words);
		const char *cell[] = {row[i]->name, usable ? "yes" : "no",
				      words.at != NULL ? words.at : "", row[i]->doc};
		list_row(&l, cell, truth);
		text_fini(&words);
	}
	adze_context_destroy(context);
	return list_print(&l);
}

const struct cmd cmd_devices = {
	"devices", "[--json]", "Lists the devices, and whether they can be used here.",
	"      --json  as JSON\n", run_devices};

static int run_env(int argc, char **argv)
{
	static const char *const key[] = {"name", "value", "default", "doc"};
	static const char *const head[] = {"NAME", "VALUE", "DEFAULT", "WHAT IT DOES"};
	static const struct {
		const char *name, *otherwise, *doc;
	} row[] = {
#define ENV(name, field, otherwise, doc) {#name, otherwise, doc},
#include "base/env.def"
	};
	struct list l;
	enum form form;
	int code = list_options(&cmd_env, argc, argv, false, &form, NULL);
	if (code != 0)
		return code - 1;
	list_init(&l, form, key, head, 4);
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		const char *value = getenv(row[i].name);
		const char *cell[] = {row[i].name, value != NULL ? value : "", row[i].otherwise,
				      row[i].doc};
		list_row(&l, cell, NULL);
	}
	return list_print(&l);
}

const struct cmd cmd_env = {
	"env", "[--json]", "Lists the environment variables that are read.",
	"      --json  as JSON\n", run_env};
