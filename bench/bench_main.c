/* SPDX-License-Identifier: Apache-2.0
 *
 * adze-bench: runs the benches and prints a JSON object a line, the machine's first.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/context.h"
#include "base/cpu.h"
#include "bench/kernel_bench.h"

static const char *filter = "";

bool bench_wanted(const char *name)
{
	return strstr(name, filter) != NULL;
}

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
	double us[2][BENCH_REPEATS];
	for (int i = -1; i < BENCH_REPEATS; i++) {
		for (int k = 0; k < n; k++) {
			double start = now_us();
			for (int c = 0; c < calls; c++)
				if (!run[k](self[k]))
					return false;
			if (i >= 0)
				us[k][i] = (now_us() - start) / calls;
		}
	}
	for (int k = 0; k < n; k++) {
		qsort(us[k], BENCH_REPEATS, sizeof us[k][0], by_value);
		out[k].median = us[k][BENCH_REPEATS / 2];
		out[k].spread = us[k][BENCH_REPEATS * 3 / 4] - us[k][BENCH_REPEATS / 4];
	}
	return true;
}

void bench_print(const char *name, const char *parameters, const struct bench_time *t,
		 const char *extra)
{
	printf("{\"bench\":\"%s\"%s%s,\"median\":%.3f,\"spread\":%.3f,\"unit\":\"us\"%s%s}\n", name,
	       parameters[0] != '\0' ? "," : "", parameters, t->median, t->spread,
	       extra[0] != '\0' ? "," : "", extra);
	fflush(stdout);
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
	char model[256];
	adze_context *context = bench_context(1);
	printf("{\"bench\":\"machine\",\"version\":\"%s\",\"cpu\":\"%s\",\"isa\":[", adze_version(),
	       cpu_model(model, sizeof model));
	const char *comma = "";
	for (int i = 0; i < ISA_COUNT; i++)
		if (context->isa_mask >> i & 1) {
			printf("%s\"%s\"", comma, isa_name((enum isa)i));
			comma = ",";
		}
	printf("],\"threads\":1,\"repeats\":%d}\n", BENCH_REPEATS);
	fflush(stdout);
	adze_context_destroy(context);
}

static int run_kernels(void)
{
	char name[] = "kernels";
	char *argv[] = {name, (char *)(uintptr_t)filter, NULL};
	return kernel_bench(filter[0] != '\0' ? 2 : 1, argv);
}

static int run_open(void)
{
	char name[] = "open";
	char *argv[] = {name, NULL};
	return bench_wanted(name) ? open_bench(1, argv) : 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} part[] = {
	{"compile", compile_bench}, {"graphs", graph_bench}, {"models", model_bench},
	{"products", product_bench}, {"open", run_open},        {"kernels", run_kernels},
};

static int usage(void)
{
	fprintf(stderr, "usage: adze-bench [--filter WORD] "
			"[compile|graphs|models|products|open|kernels]...\n"
			"Benches with WORD in their name, of these parts or of all.\n");
	return 2;
}

int main(int argc, char **argv)
{
	bool named = false;
	int code = 0;
	bool asked[COUNT_OF(part)] = {false};
	for (int i = 1; i < argc; i++) {
		bool known = strcmp(argv[i], "--filter") == 0 && i + 1 < argc;
		if (known)
			filter = argv[++i];
		for (size_t k = 0; k < COUNT_OF(part) && !known; k++)
			if (strcmp(argv[i], part[k].name) == 0)
				known = asked[k] = named = true;
		if (!known)
			return usage();
	}
	print_machine();
	for (size_t k = 0; k < COUNT_OF(part); k++)
		if (asked[k] || !named)
			code |= part[k].run();
	return code;
}
