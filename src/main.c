/* SPDX-License-Identifier: Apache-2.0
 *
 * The command `adze`: finds the subcommand and runs it.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "cmd.h"

static const struct cmd *const row[] = {
	&cmd_demo, &cmd_run,    &cmd_compile, &cmd_inspect, &cmd_graph, &cmd_opt,
	&cmd_ops,  &cmd_passes, &cmd_kernels, &cmd_devices, &cmd_env,   &cmd_types, &cmd_blocks,
	&cmd_bench, &cmd_version,
};

static void print_help(FILE *to)
{
	fprintf(to, "usage: adze COMMAND [OPTION]...\n\n"
		    "Compiles neural networks for a device and runs them.\n\n");
	for (size_t i = 0; i < COUNT_OF(row); i++)
		fprintf(to, "  %-10s%s\n", row[i]->name, row[i]->doc);
	fprintf(to, "\n`adze COMMAND --help` says more. "
		    "Exit codes: 0 done, 1 failed, 2 bad usage.\n");
}

static int run_version(int argc, char **argv)
{
	static const struct option options[] = {CMD_HELP_OPTION, {NULL, 0, NULL, 0}};
	int c = cmd_option(&cmd_version, argc, argv, "h", options);
	if (c == 'h')
		return cmd_print_help(&cmd_version);
	if (c != -1)
		return CMD_USAGE;
	if (optind < argc)
		return cmd_usage(&cmd_version, "takes no operand, not '%s'", argv[optind]);
	printf("adze %s\n", adze_version());
	return CMD_OK;
}

const struct cmd cmd_version = {
	"version", "", "Prints the version.", "", run_version};

static int run(int argc, char **argv)
{
	if (argc < 2) {
		cmd_error("a command is missing");
		print_help(stderr);
		return CMD_USAGE;
	}
	const char *name = argv[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help(stdout);
		return CMD_OK;
	}
	if (strcmp(name, "--version") == 0)
		return run_version(1, argv + 1);
	for (size_t i = 0; i < COUNT_OF(row); i++)
		if (strcmp(name, row[i]->name) == 0)
			return row[i]->run(argc - 1, argv + 1);
	cmd_error("there is no command '%s'; `adze --help` lists them", name);
	return CMD_USAGE;
}

int main(int argc, char **argv)
{
	/* A reader that went away must not leave files that were being written behind. */
	signal(SIGPIPE, SIG_IGN);
	int code = run(argc, argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (errno != EPIPE)
			cmd_error("standard output cannot be written: %s", strerror(errno));
		code = code == CMD_OK ? CMD_FAILED : code;
	}
	return code;
}
