/* SPDX-License-Identifier: Apache-2.0
 *
 * The command's words and options.
 */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"

static void print_error(const char *before, const char *format, va_list args)
{
	char text[4 * DIAG_BYTES], clean[4 * DIAG_BYTES];
	vsnprintf(text, sizeof text, format, args);
	fprintf(stderr, "adze: %s%s\n", before, cmd_clean(text, clean, sizeof clean));
}

void cmd_error(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	print_error("", format, args);
	va_end(args);
}

int cmd_usage(const struct cmd *c, const char *format, ...)
{
	char before[64];
	va_list args;
	va_start(args, format);
	snprintf(before, sizeof before, "%s: ", c->name);
	print_error(before, format, args);
	va_end(args);
	fprintf(stderr, "Try `adze %s --help`.\n", c->name);
	return CMD_USAGE;
}

int cmd_failed(adze_context *context, adze_status status)
{
	char words[DIAG_BYTES] = "";
	if (context != NULL)
		adze_context_words(context, words, sizeof words);
	cmd_error("%s", words[0] != '\0' ? words : adze_status_text(status));
	return CMD_FAILED;
}

int cmd_failed_diag(const struct diag *d)
{
	cmd_error("%s", d->text[0] != '\0' ? d->text : status_text(d->status));
	return CMD_FAILED;
}

int cmd_print_help(const struct cmd *c)
{
	printf("usage: adze %s%s%s\n\n%s\n", c->name, c->args[0] != '\0' ? " " : "", c->args,
	       c->doc);
	if (c->help[0] != '\0')
		printf("\n%s", c->help);
	return CMD_OK;
}

/* How many options begin so. */
static int matches(const struct option *options, const char *text)
{
	int n = 0;
	text += strspn(text, "-");
	for (; options->name != NULL; options++)
		n += strncmp(options->name, text, strcspn(text, "=")) == 0;
	return n;
}

int cmd_option(const struct cmd *c, int argc, char **argv, const char *letters,
	       const struct option *options)
{
	char with_colon[64];
	snprintf(with_colon, sizeof with_colon, ":%s", letters);
	opterr = 0;
	int at = optind;
	int got = getopt_long(argc, argv, with_colon, options, NULL);
	if (got == ':') {
		cmd_usage(c, "option '%s' needs a value", argv[optind - 1]);
		return '?';
	}
	if (got == '?') {
		const char *text = optind > at ? argv[optind - 1] : argv[at];
		if (optopt != 0 && strncmp(text, "--", 2) == 0)
			cmd_usage(c, "option '%s' takes no value", text);
		else if (optopt != 0)
			cmd_usage(c, "there is no option '-%c'", optopt);
		else if (matches(options, text) > 1)
			cmd_usage(c, "option '%s' is short for several", text);
		else
			cmd_usage(c, "there is no option '%s'", text);
	}
	return got;
}

const char *cmd_operand(const struct cmd *c, int argc, char **argv, const char *what)
{
	if (optind >= argc) {
		cmd_usage(c, "%s is missing", what);
		return NULL;
	}
	if (optind + 1 < argc) {
		cmd_usage(c, "'%s' is one operand too many", argv[optind + 1]);
		return NULL;
	}
	return argv[optind];
}

bool cmd_number(const struct cmd *c, const char *option, const char *text, long from, long to,
		long *out)
{
	char *end;
	errno = 0;
	*out = strtol(text, &end, 10);
	if (errno == 0 && end != text && *end == '\0' && *out >= from && *out <= to)
		return true;
	cmd_usage(c, "%s takes a number of %ld to %ld, not '%s'", option, from, to, text);
	return false;
}

static void print_log(void *self, adze_log_level level, const char *text)
{
	static const char *const name[] = {"error", "warning", "info", "debug"};
	char clean[DIAG_BYTES];
	(void)self;
	fprintf(stderr, "adze: %s: %s\n", name[level], cmd_clean(text, clean, sizeof clean));
}

adze_context *cmd_context(long threads, adze_log_level at_least)
{
	adze_config config;
	adze_context *context;
	adze_config_init(&config);
	config.log = print_log;
	if (config.log_level < at_least)
		config.log_level = at_least;
	if (threads > 0)
		config.threads = (int)threads;
	adze_status status = adze_context_create(&config, &context);
	if (status != ADZE_OK)
		cmd_error("no context: %s; `adze env` lists the variables that are read",
			  adze_status_text(status));
	return context;
}

double cmd_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}
