/* SPDX-License-Identifier: Apache-2.0
 *
 * adze-bench: runs the benches and prints a row of a table, or a JSON object, for each.
 */
#include "config.h"

#include "bench/bench.h"

#include <getopt.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/context.h"
#include "base/cpu.h"

enum { MOST_COUNTS = 16 };

static regex_t filter;
static bool filtered, json;
static int thread_count[MOST_COUNTS] = {1, 2}, ncount = 2;

bool bench_wanted(const char *name)
{
	return !filtered || regexec(&filter, name, 0, NULL, 0) == 0;
}

int bench_threads(int i)
{
	return i < ncount ? thread_count[i] : 0;
}

/* ---- time ---- */

static double now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec * 1e-3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

bool bench_measure(bench_function *const *run, void *const *self, int n, int calls,
		   struct bench_time *out)
{
	double us[BENCH_MOST][BENCH_REPEATS], begin = now_us();
	const struct timespec pause = {0, 20000000};
	int repeats = BENCH_REPEATS;
	for (int i = -1; i < repeats; i++) {
		for (int k = 0; k < n; k++) {
			/* Threads of the one before fall asleep, this one's wake. */
			if (n > 1 && i >= 0) {
				nanosleep(&pause, NULL);
				if (!run[k](self[k]))
					return false;
			}
			double start = now_us();
			for (int c = 0; c < calls; c++)
				if (!run[k](self[k]))
					return false;
			if (i >= 0)
				us[k][i] = (now_us() - start) / calls;
		}
		if (i < 0 && now_us() - begin > 2e5)
			repeats = BENCH_REPEATS_LONG;
	}
	for (int k = 0; k < n; k++) {
		qsort(us[k], (size_t)repeats, sizeof us[k][0], by_value);
		out[k].median = us[k][repeats / 2];
		out[k].spread = us[k][repeats * 3 / 4] - us[k][repeats / 4];
		out[k].repeats = repeats;
	}
	return true;
}

/* ---- lines ---- */

/* "name":"value","n":1 as name=value  n=1. Nothing here has commas inside of quotes. */
static void print_plain(const char *fields)
{
	for (; *fields != '\0'; fields++) {
		if (*fields == ',')
			fputs("  ", stdout);
		else if (*fields == ':')
			putchar('=');
		else if (*fields != '"')
			putchar(*fields);
	}
	putchar('\n');
	fflush(stdout);
}

void bench_line(const char *fields)
{
	if (!json) {
		print_plain(fields);
		return;
	}
	printf("{%s}\n", fields);
	fflush(stdout);
}

static void print_row(const char *name, const char *parameters, const char *engine,
		      const struct bench_time *t, const char *extra)
{
	char line[2048], *unit = "us";
	double scale = 1;
	if (json) {
		snprintf(line, sizeof line,
			 "\"bench\":\"%s\"%s%s,\"engine\":\"%s\",\"median\":%.3f,"
			 "\"spread\":%.3f,\"unit\":\"us\",\"repeats\":%d%s%s", name,
			 parameters[0] != '\0' ? "," : "", parameters, engine, t->median,
			 t->spread, t->repeats, extra[0] != '\0' ? "," : "", extra);
		bench_line(line);
		return;
	}
	if (t->median >= 1e4) {
		scale = 1e-3;
		unit = "ms";
	}
	printf("%-26s %-9s %10.2f %s +- %4.1f %%  ", name, engine, t->median * scale, unit,
	       100 * t->spread / (t->median > 0 ? t->median : 1));
	snprintf(line, sizeof line, "%s%s%s", parameters,
		 parameters[0] != '\0' && extra[0] != '\0' ? "," : "", extra);
	print_plain(line);
}

void bench_print(const char *name, const char *parameters, const struct bench_time *t,
		 const char *extra)
{
	print_row(name, parameters, "adze", t, extra);
}

void bench_print_peer(const char *name, const char *parameters, const char *engine,
		      const struct bench_time *t)
{
	print_row(name, parameters, engine, t, "");
}

int bench_failed(adze_context *context, const char *name)
{
	char words[1024];
	fprintf(stderr, "%s: %s\n", name, adze_context_words(context, words, sizeof words));
	return 1;
}

adze_context *bench_context(int threads)
{
	adze_config config;
	adze_context *context;
	adze_config_init(&config);
	config.threads = threads;
	config.cache_dir = NULL;
	if (adze_context_create(&config, &context) != ADZE_OK) {
		fprintf(stderr, "adze-bench: no context\n");
		exit(1);
	}
	return context;
}

static void print_machine(void)
{
	char model[256], line[512];
	adze_context *context = bench_context(1);
	int n = snprintf(line, sizeof line,
			 "\"bench\":\"machine\",\"version\":\"%s\",\"cpu\":\"%s\",\"isa\":\"",
			 adze_version(), cpu_model(model, sizeof model));
	for (int i = 0; i < ISA_COUNT; i++)
		if (context->isa_mask >> i & 1)
			n += snprintf(line + n, sizeof line - (size_t)n, " %s",
				      isa_name((enum isa)i));
	snprintf(line + n, sizeof line - (size_t)n, "\"");
	bench_line(line);
	adze_context_destroy(context);
}

/* ---- the command line ---- */

static const struct {
	const char *part, *name; /* NAME is what the filter sees where a bench has no finer one */
	int (*run)(void);
} bench[] = {
	{"ceilings", "ceilings", ceiling_bench}, {"kernels", "", kernel_bench},
	{"graphs", "", compile_bench},		 {"graphs", "", graph_bench},
	{"graphs", "", attend_bench},
	{"graphs", "", block_bench},
	{"graphs", "", product_bench},		 {"graphs", "open", open_bench},
	{"graphs", "profile", profile_bench},
	{"models", "", model_bench},		 {"pool", "", pool_bench},
};

/* As the command `adze` words it, which runs this program. */
static int usage(const char *words, const char *which)
{
	fprintf(stderr, "adze: bench: %s '%s'\nTry `adze bench --help`.\n", words, which);
	return 2;
}

static bool read_threads(const char *text)
{
	char *end;
	for (ncount = 0; ncount < MOST_COUNTS; text = end + 1) {
		long n = strtol(text, &end, 10);
		if (end == text || n < 1 || n > 4096)
			return false;
		thread_count[ncount++] = (int)n;
		if (*end != ',')
			return *end == '\0';
	}
	return false;
}

int main(int argc, char **argv)
{
	static const struct option option[] = {{"filter", required_argument, NULL, 'f'},
					       {"threads", required_argument, NULL, 't'},
					       {"json", no_argument, NULL, 'j'},
					       {NULL, 0, NULL, 0}};
	int code = 0, c;
	bool asked[COUNT_OF(bench)] = {false}, named = false;
	opterr = 0;
	while ((c = getopt_long(argc, argv, "", option, NULL)) != -1) {
		if (c == 'j')
			json = true;
		else if (c == 't' && !read_threads(optarg))
			return usage("there are no numbers of threads in", optarg);
		else if (c == 'f' && regcomp(&filter, optarg, REG_EXTENDED | REG_NOSUB) != 0)
			return usage("it is no regular expression:", optarg);
		else if (c == '?')
			return usage("it takes no option", argv[optind - 1]);
		filtered |= c == 'f';
	}
	for (; optind < argc; optind++) {
		bool known = false;
		for (size_t k = 0; k < COUNT_OF(bench); k++)
			if (strcmp(argv[optind], bench[k].part) == 0)
				known = named = asked[k] = true;
		if (!known)
			return usage("there is no part", argv[optind]);
	}
	print_machine();
	for (size_t k = 0; k < COUNT_OF(bench); k++)
		if ((asked[k] || !named) &&
		    (bench[k].name[0] == '\0' || bench_wanted(bench[k].name)))
			code |= bench[k].run();
	return code;
}
