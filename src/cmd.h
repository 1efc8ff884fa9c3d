/* SPDX-License-Identifier: Apache-2.0
 *
 * The command `adze`: what its subcommands share. Results go to standard output, words on
 * failures to standard error as "adze: words". Unlike the library, it may print and exit.
 */
#ifndef ADZE_CMD_H
#define ADZE_CMD_H

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>

#include "adze.h"
#include "base/context.h"
#include "base/text.h"
#include "devices/exe_file.h"
#include "ir/graph.h"

/** Exit codes. */
enum { CMD_OK, CMD_FAILED, CMD_USAGE };

struct cmd {
	const char *name;
	const char *args; /* "GRAPH.air [OPTION]..." */
	const char *doc;  /* one line */
	const char *help; /* lines on the options, and remarks */
	int (*run)(int argc, char **argv); /* argv[0] is the subcommand's name */
};

extern const struct cmd cmd_inspect, cmd_run, cmd_opt, cmd_compile, cmd_graph, cmd_ops,
	cmd_devices, cmd_kernels, cmd_types, cmd_blocks, cmd_passes, cmd_env, cmd_demo, cmd_bench,
	cmd_version;

/* ---- words and options: src/cmd_words.c ---- */

/** "adze: words". Control characters, which may come from a file, are printed as `?`. */
void cmd_error(const char *format, ...) PRINTF_LIKE(1, 2);
/** The same with where to read more; returns CMD_USAGE. */
int cmd_usage(const struct cmd *c, const char *format, ...) PRINTF_LIKE(2, 3);
/** The words of a failure that a context, or a diag, has; return CMD_FAILED. */
int cmd_failed(adze_context *context, adze_status status);
int cmd_failed_diag(const struct diag *d);
/** Prints the help of a subcommand; returns CMD_OK. */
int cmd_print_help(const struct cmd *c);

#define CMD_HELP_OPTION {"help", no_argument, NULL, 'h'}
/** The next option as getopt_long() gives it, -1 at the end, '?' after words on a bad one. */
int cmd_option(const struct cmd *c, int argc, char **argv, const char *letters,
	       const struct option *options);
/** The one operand after the options; NULL, after words, where there is none or are more. */
const char *cmd_operand(const struct cmd *c, int argc, char **argv, const char *what);
/** A whole number of `from` to `to`; false after words. */
bool cmd_number(const struct cmd *c, const char *option, const char *text, long from, long to,
		long *out);

/** A context that logs to standard error; threads 0: as the environment says. NULL after words. */
adze_context *cmd_context(long threads, adze_log_level at_least);

/** Milliseconds of a clock that only goes forward. */
double cmd_now_ms(void);

/* ---- tables and JSON: src/cmd_tables.c ---- */

/** Text in columns as wide as their widest cell; the last one is not padded. */
struct cmd_table {
	char **cell;
	size_t ncell, cap;
	int columns;
};
/** A row of `columns` strings, which are copied. */
void cmd_table_row(struct cmd_table *t, const char *const *cells);
#define CMD_ROW(t, ...) cmd_table_row((t), (const char *const[]){__VA_ARGS__})
/** Prints it, each line after `indent`, and frees it. */
void cmd_table_print(struct cmd_table *t, const char *indent);
void cmd_table_write(struct cmd_table *t, const char *indent, FILE *to);
void cmd_table_free(struct cmd_table *t);

/** Text that shows control characters as `?`; cut to fit. Returns `out`. */
char *cmd_clean(const char *text, char *out, size_t cap);
/** "1.5 kB". Returns `out`. */
char *cmd_bytes(double bytes, char *out, size_t cap);

/** Sets a member, or appends; takes `v`; ends the program where memory is short. */
void cmd_put(json_t *object, const char *key, json_t *v);
void cmd_append(json_t *array, json_t *v);
/** A string; bytes that are not UTF-8 become `?`. */
json_t *cmd_json_text(const char *text);
/** A number; "nan", "inf" or "-inf" where JSON has none. */
json_t *cmd_json_real(double v);
/** Extents as numbers, or as text where there is a symbol. */
json_t *cmd_json_shape(const adze_shape *s);
/** Prints `v` and frees it. */
void cmd_json_print(json_t *v);

/* ---- graphs and executables: src/cmd_files.c ---- */

/** The bytes of an executable, or of a graph's text. */
struct cmd_file {
	char *at;
	size_t len;
	bool is_exe;
};
/** False after words. cmd_file_close() in any case. */
bool cmd_file_open(const char *path, struct cmd_file *out);
void cmd_file_close(struct cmd_file *f);
/** The graph of a text, or the source in an executable; NULL after words. */
adze_graph *cmd_file_graph(const struct cmd_file *f, const char *path);
/** "graph" and so on; false after words. */
bool cmd_stage(const struct cmd *c, const char *name, enum ir_stage *out);
/** Whether each of "fold,fuse" is a pass; false after words. */
bool cmd_pass_list(const struct cmd *c, const char *list);
/** What a graph takes and gives, in `r`; names are the graph's. False without memory. */
bool cmd_signature(const adze_graph *g, struct arena *r, struct exe_signature *out);

/* ---- values of a run: src/cmd_values.c ---- */

/** NAME=FILE of the command line. */
struct cmd_pair {
	const char *name, *file;
};
struct cmd_pairs {
	struct cmd_pair *at;
	size_t n;
};
/** Takes "NAME=FILE" apart, in its place; false after words. */
bool cmd_pairs_add(const struct cmd *c, const char *option, struct cmd_pairs *p, char *text);

/** What an operation takes, as text. */
struct op_info;
void cmd_op_operands(const struct op_info *o, char *out, size_t cap);
void cmd_op_attributes(const struct op_info *o, char *out, size_t cap);
/** The letters of ops.def: "bifcp". */
void cmd_op_takes(const struct op_info *o, char *out, size_t cap);
/** The operation reference, as Markdown. */
void cmd_print_reference(void);

/** Inputs in the order of the signature, from --input and --inputs. */
struct cmd_inputs {
	adze_store *store;
	adze_host_buffer **at;
	size_t n;
};
/** False after words, which name what is missing. cmd_inputs_close() in any case. */
bool cmd_inputs_open(adze_context *context, const struct exe_signature *s,
		     const struct cmd_pairs *pairs, const char *store, struct cmd_inputs *out);
void cmd_inputs_close(struct cmd_inputs *in);

/** Whether every name of `pairs` is an output; false after words. */
bool cmd_outputs_check(const struct exe_signature *s, const struct cmd_pairs *pairs);
/** Writes --output and --outputs; false after words. */
bool cmd_outputs_write(adze_context *context, const struct exe_signature *s,
		       adze_host_buffer *const *out, const struct cmd_pairs *pairs,
		       const char *store);
/** A line with a shape and the first elements; and all of it as JSON. */
void cmd_value_print(const char *name, const adze_host_buffer *value);
json_t *cmd_value_json(const char *name, const adze_host_buffer *value);

#endif
