/* SPDX-License-Identifier: Apache-2.0
 *
 * adze graph, opt and compile: a graph shown, after some passes, and as an executable.
 */
#include "config.h"

#include <string.h>

#include "cmd.h"

/* Reads, runs passes, prints. */
static int print_after(const char *path, const struct ir_pass_options *passes, bool dot)
{
	struct diag d = {ADZE_OK, ""};
	struct cmd_file file;
	struct text t;
	int code = CMD_FAILED;
	text_init(&t, &mem_libc);
	adze_graph *g = cmd_file_open(path, &file) ? cmd_file_graph(&file, path) : NULL;
	if (g != NULL && ir_run_passes(&g, passes, &d) != ADZE_OK) {
		cmd_error("%s: %s", path, d.text);
	} else if (g != NULL) {
		if (dot)
			ir_print_dot(g, &t);
		else
			ir_print(g, &t);
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
	return path == NULL ? CMD_USAGE : print_after(path, &passes, dot);
}

const struct cmd cmd_graph = {
	"graph", "GRAPH.air|FILE.adze [OPTION]...",
	"Prints the graph of a text or an executable, also for Graphviz.",
	"      --dot          for Graphviz: adze graph F --dot | dot -Tsvg > F.svg\n"
	"  -s, --stage STAGE  as it is then: graph (the default: as written), lowered,\n"
	"                     grouped, planned\n",
	run_graph};

static int run_opt(int argc, char **argv)
{
	static const struct option options[] = {{"passes", required_argument, NULL, 'p'},
						{"stage", required_argument, NULL, 's'},
						CMD_HELP_OPTION,
						{NULL, 0, NULL, 0}};
	struct ir_pass_options passes = {.until = STAGE_PLANNED};
	bool staged = false;
	int c;
	while ((c = cmd_option(&cmd_opt, argc, argv, "p:s:h", options)) != -1) {
		if (c == 'h')
			return cmd_print_help(&cmd_opt);
		if (c == 'p' && cmd_pass_list(&cmd_opt, optarg))
			passes.passes = optarg;
		else if (c == 's' && cmd_stage(&cmd_opt, optarg, &passes.until))
			staged = true;
		else
			return CMD_USAGE;
	}
	if (staged && passes.passes != NULL)
		return cmd_usage(&cmd_opt, "--passes and --stage are not for use together");
	const char *path = cmd_operand(&cmd_opt, argc, argv, "GRAPH.air");
	return path == NULL ? CMD_USAGE : print_after(path, &passes, false);
}

const struct cmd cmd_opt = {
	"opt", "GRAPH.air [OPTION]...", "Prints a graph after passes over it.",
	"  -p, --passes LIST  only these, such as fold,simplify\n"
	"  -s, --stage STAGE  all up to a stage: graph, lowered, grouped, planned\n"
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
