/* SPDX-License-Identifier: Apache-2.0
 *
 * adze graph, opt and compile: a graph shown, after some passes, and as an executable.
 */
#include "config.h"

#include <string.h>

#include "cmd.h"
#include "devices/device.h"
#include "ir/report.h"

/* What is printed of a graph. */
enum form { FORM_TEXT, FORM_DOT, FORM_REPORT, FORM_JSON };

/* ---- the fusion report as JSON ---- */

static json_t *value_json(const adze_graph *g, ir_val v)
{
	struct text t;
	text_init(&t, &mem_libc);
	ir_print_value(g, v, &t);
	json_t *o = json_object();
	cmd_put(o, "value", cmd_json_text(t.at != NULL ? t.at : ""));
	cmd_put(o, "operation", json_string(op_info((enum ir_op)g->node[v].op)->name));
	text_fini(&t);
	return o;
}

static json_t *values_json(const adze_graph *g, const ir_val *v, size_t n)
{
	json_t *a = json_array();
	for (size_t i = 0; i < n; i++)
		cmd_append(a, value_json(g, v[i]));
	return a;
}

static json_t *group_json(const adze_graph *g, size_t number, const struct ir_group_report *r)
{
	const struct ir_group *q = r->group;
	json_t *o = json_object(), *edges = json_array();
	cmd_put(o, "group", json_integer((json_int_t)number));
	cmd_put(o, "sink", value_json(g, q->sink));
	cmd_put(o, "dtype", json_string(dtype_info(ir_type(g, q->sink)->dtype)->name));
	cmd_put(o, "shape", cmd_json_shape(ir_type(g, q->sink)));
	cmd_put(o, "root", q->root != 0 ? value_json(g, q->root) : json_null());
	cmd_put(o, "prologue", values_json(g, q->pro, q->npro));
	cmd_put(o, q->root != 0 ? "epilogue" : "elementwise", values_json(g, q->epi, q->nepi));
	cmd_put(o, "read", json_integer(r->read));
	cmd_put(o, "written", json_integer(r->written));
	cmd_put(o, "saved", json_integer(r->saved));
	for (size_t i = 0; i < r->nedge; i++) {
		const struct ir_edge *e = &r->edge[i];
		json_t *edge = value_json(g, e->value);
		cmd_put(edge, "from", json_integer(e->from));
		cmd_put(edge, "why", json_string(ir_reason_text(e->why)));
		cmd_append(edges, edge);
	}
	cmd_put(o, "apart_from", edges);
	return o;
}

/* NULL without memory. */
static json_t *report_json(const adze_graph *g)
{
	struct arena scratch;
	struct ir_report r;
	arena_init(&scratch, &mem_libc);
	json_t *o = ir_report_fill(g, &scratch, &r) ? json_object() : NULL;
	if (o != NULL) {
		json_t *groups = json_array(), *bodies = json_array();
		for (size_t i = 0; i < r.ngroup; i++)
			cmd_append(groups, group_json(g, i + 1, &r.group[i]));
		cmd_put(o, "graph", cmd_json_text(g->name));
		cmd_put(o, "operations", json_integer((json_int_t)r.nnode));
		cmd_put(o, "read", json_integer(r.read));
		cmd_put(o, "written", json_integer(r.written));
		cmd_put(o, "saved", json_integer(r.saved));
		cmd_put(o, "groups", groups);
		for (size_t i = 0; i < g->nbody; i++)
			cmd_append(bodies, report_json(g->body[i]));
		cmd_put(o, "bodies", bodies);
	}
	arena_fini(&scratch);
	return o;
}

/* ---- graphs printed ---- */

/* False where there is nothing to report. */
static bool form_graph(const adze_graph *g, enum form form, const char *path, struct text *t)
{
	bool report = form == FORM_REPORT || form == FORM_JSON;
	if (report && g->stage < STAGE_GROUPED) {
		cmd_error("%s: there are no groups: pass fuse makes them", path);
		return false;
	}
	if (form == FORM_JSON)
		cmd_json_print(report_json(g));
	else if (form == FORM_REPORT)
		ir_report_print(g, t);
	else if (form == FORM_DOT)
		ir_print_dot(g, t);
	else
		ir_print(g, t);
	return true;
}

/* Reads, runs passes, prints. */
static int print_after(const char *path, const struct ir_pass_options *passes, enum form form)
{
	struct diag d = {ADZE_OK, ""};
	struct cmd_file file;
	struct text t;
	int code = CMD_FAILED;
	text_init(&t, &mem_libc);
	adze_graph *g = cmd_file_open(path, &file) ? cmd_file_graph(&file, path) : NULL;
	if (g != NULL && ir_run_passes(&g, passes, &d) != ADZE_OK) {
		cmd_error("%s: %s", path, d.text);
	} else if (g != NULL && form_graph(g, form, path, &t)) {
		if (t.failed)
			cmd_error("memory could not be had");
		else if (t.at == NULL || fwrite(t.at, 1, t.len, stdout) == t.len)
			code = CMD_OK;
	}
	ir_graph_destroy(g);
	text_fini(&t);
	cmd_file_close(&file);
	return code;
}

static int run_graph(int argc, char **argv)
{
	static const struct option options[] = {{"dot", no_argument, NULL, 'D'},
						{"stage", required_argument, NULL, 's'},
						CMD_HELP_OPTION,
						{NULL, 0, NULL, 0}};
	struct ir_pass_options passes = {.until = STAGE_GRAPH};
	bool dot = false;
	int c;
	while ((c = cmd_option(&cmd_graph, argc, argv, "s:h", options)) != -1) {
		if (c == 'h')
			return cmd_print_help(&cmd_graph);
		if (c == 'D')
			dot = true;
		else if (c != 's' || !cmd_stage(&cmd_graph, optarg, &passes.until))
			return CMD_USAGE;
	}
	/* The graph as it is written: no pass at all. */
	if (passes.until == STAGE_GRAPH)
		passes.passes = "";
	const char *path = cmd_operand(&cmd_graph, argc, argv, "GRAPH.air or FILE.adze");
	return path == NULL ? CMD_USAGE : print_after(path, &passes, dot ? FORM_DOT : FORM_TEXT);
}

const struct cmd cmd_graph = {
	"graph", "GRAPH.air|FILE.adze [OPTION]...",
	"Prints the graph of a text or an executable, also for Graphviz.",
	"      --dot          for Graphviz: adze graph F --dot | dot -Tsvg > F.svg\n"
	"  -s, --stage STAGE  as it is then: graph (the default: as written), lowered,\n"
	"                     grouped, planned\n",
	run_graph};

/* Passes as they run for a device; false after words. */
static bool passes_of(const char *device, struct ir_pass_options *passes)
{
	const char *target;
	const struct device_ops *ops = device_find(device, &target);
	if (ops == NULL) {
		cmd_usage(&cmd_opt, "there is no device '%s'", device);
		return false;
	}
	passes->without = ops->without_passes;
	passes->narrow_products = ops->narrow_products;
	return true;
}

static int run_opt(int argc, char **argv)
{
	static const struct option options[] = {{"passes", required_argument, NULL, 'p'},
						{"stage", required_argument, NULL, 's'},
						{"device", required_argument, NULL, 'd'},
						{"report", no_argument, NULL, 'r'},
						{"json", no_argument, NULL, 'j'},
						CMD_HELP_OPTION,
						{NULL, 0, NULL, 0}};
	struct ir_pass_options passes = {.until = STAGE_PLANNED};
	enum form form = FORM_TEXT;
	bool staged = false;
	const char *device = NULL;
	int c;
	while ((c = cmd_option(&cmd_opt, argc, argv, "p:s:d:rjh", options)) != -1) {
		if (c == 'h')
			return cmd_print_help(&cmd_opt);
		if (c == 'p' && cmd_pass_list(&cmd_opt, optarg))
			passes.passes = optarg;
		else if (c == 's' && cmd_stage(&cmd_opt, optarg, &passes.until))
			staged = true;
		else if (c == 'd')
			device = optarg;
		else if (c == 'r' || c == 'j')
			form = c == 'j' ? FORM_JSON : form == FORM_TEXT ? FORM_REPORT : form;
		else
			return CMD_USAGE;
	}
	if (staged && passes.passes != NULL)
		return cmd_usage(&cmd_opt, "--passes and --stage are not for use together");
	if (device == NULL && form != FORM_TEXT)
		device = "cpu";
	if (device != NULL && !passes_of(device, &passes))
		return CMD_USAGE;
	const char *path = cmd_operand(&cmd_opt, argc, argv, "GRAPH.air");
	return path == NULL ? CMD_USAGE : print_after(path, &passes, form);
}

const struct cmd cmd_opt = {
	"opt", "GRAPH.air [OPTION]...", "Prints a graph after passes over it.",
	"  -p, --passes LIST  only these, such as fold,simplify\n"
	"  -s, --stage STAGE  all up to a stage: graph, lowered, grouped, planned\n"
	"  -d, --device NAME  as for this device: cpu, cuda (with --report, cpu)\n"
	"  -r, --report       what runs as one, what that saves, and why no more does\n"
	"  -j, --json         the report as JSON\n"
	"\n"
	"Without an option all passes run. `adze passes` lists them in their order.\n",
	run_opt};

static int compile(const char *path, const char *device, const char *to, bool verbose)
{
	struct cmd_file file;
	adze_device *dev = NULL;
	adze_graph *g = NULL;
	adze_exe *exe = NULL;
	adze_context *context = cmd_context(0, ADZE_LOG_ERROR);
	if (context == NULL)
		return CMD_FAILED;
	int code = CMD_FAILED;
	if (cmd_file_open(path, &file)) {
		if (file.is_exe) {
			cmd_error("%s: is an executable already", path);
		} else {
			double start = cmd_now_ms();
			adze_status status = adze_device_open(context, device, &dev);
			if (status == ADZE_OK)
				status = adze_graph_parse(context, file.at, file.len, path, &g);
			if (status == ADZE_OK)
				status = adze_compile(dev, g, &exe);
			if (status == ADZE_OK && verbose)
				fprintf(stderr, "adze: %s for %s in %.3f ms\n",
					adze_exe_was_cached(exe) ? "found in the cache"
								 : "compiled",
					device, cmd_now_ms() - start);
			if (status == ADZE_OK)
				status = adze_exe_save(exe, to);
			code = status == ADZE_OK ? CMD_OK : cmd_failed(context, status);
		}
	}
	adze_exe_destroy(exe);
	adze_graph_destroy(g);
	adze_device_close(dev);
	cmd_file_close(&file);
	adze_context_destroy(context);
	return code;
}

static int run_compile(int argc, char **argv)
{
	static const struct option options[] = {{"output", required_argument, NULL, 'o'},
						{"device", required_argument, NULL, 'd'},
						{"verbose", no_argument, NULL, 'v'},
						CMD_HELP_OPTION,
						{NULL, 0, NULL, 0}};
	const char *device = "cpu", *to = NULL;
	bool verbose = false;
	int c;
	while ((c = cmd_option(&cmd_compile, argc, argv, "o:d:vh", options)) != -1) {
		switch (c) {
		case 'o': to = optarg; break;
		case 'd': device = optarg; break;
		case 'v': verbose = true; break;
		case 'h': return cmd_print_help(&cmd_compile);
		default: return CMD_USAGE;
		}
	}
	const char *path = cmd_operand(&cmd_compile, argc, argv, "GRAPH.air");
	if (path == NULL)
		return CMD_USAGE;
	if (to == NULL)
		return cmd_usage(&cmd_compile, "-o FILE.adze is missing");
	return compile(path, device, to, verbose);
}

const struct cmd cmd_compile = {
	"compile", "GRAPH.air -o FILE.adze [OPTION]...", "Compiles a graph to an executable file.",
	"  -o, --output FILE  where the executable goes\n"
	"  -d, --device NAME  cpu (the default), or cuda:sm_80 and the like\n"
	"  -v, --verbose      says how long it took, and if it was in the cache\n",
	run_compile};
