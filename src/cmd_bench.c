/* SPDX-License-Identifier: Apache-2.0
 *
 * adze bench: becomes adze-bench, which lies beside the command, or in bench/ of a build folder.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static int run(int argc, char **argv)
{
	static const char *const place[] = {"adze-bench", "bench/adze-bench"};
	char self[PATH_MAX], path[PATH_MAX + 32];
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return cmd_print_help(&cmd_bench);
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	if (n <= 0) {
		cmd_error("its own place cannot be read: %s", strerror(errno));
		return CMD_FAILED;
	}
	self[n] = '\0';
	char *slash = strrchr(self, '/');
	int folder = slash != NULL ? (int)(slash - self) : 0;
	for (size_t i = 0; i < COUNT_OF(place); i++) {
		snprintf(path, sizeof path, "%.*s/%s", folder, self, place[i]);
		execv(path, argv);
	}
	cmd_error("adze-bench is not beside it, in %.*s: %s", folder, self, strerror(errno));
	return CMD_FAILED;
}

const struct cmd cmd_bench = {
	"bench", "[ceilings|kernels|graphs|models|pool]... [OPTION]...",
	"Measures this machine, and adze on it.",
	"  --filter R       those whose name a regular expression finds\n"
	"  --threads N,..   with so many threads each; 1,2 by default\n"
	"  --json           one JSON object a line\n",
	run};
