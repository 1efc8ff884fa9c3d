/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens a sparse 2 GB safetensors file of 290 tensors, as a model of a billion weights
 * has them, and prints one JSON line: the median time and the resident memory that one
 * open file adds (without its header, which is read and given back).
 *
 * Made in $TMPDIR (else /tmp) and removed.
 */
#include "config.h"

#include "bench/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "safetensors.h"

enum { TENSORS = 290, ROUNDS = 51 };

/* 2 GiB in all: 4096 columns of f16. */
#define ROWS (((int64_t)1 << 31) / TENSORS / 8192)

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Resident KB of this process; smaps_rollup counts exactly, statm only nearly. */
static long resident_kb(void)
{
	char line[256];
	long kb = -1;
	FILE *f = fopen("/proc/self/smaps_rollup", "r");
	while (f != NULL && kb < 0 && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "Rss: %ld kB", &kb) != 1)
			kb = -1;
	if (f != NULL)
		fclose(f);
	return kb;
}

/* The header goes to the file, the data is a hole. */
static adze_status make_file(const char *path, struct diag *d, size_t *header_bytes)
{
	struct text t;
	int64_t at = 0, step = ROWS * 8192;
	text_init(&t, &mem_libc);
	text_u64(&t, 0);
	for (int i = 0; i < TENSORS; i++, at += step)
		text_add(&t, "%s\"model.layers.%d.mlp.weight\":{\"dtype\":\"F16\",\"shape\":["
			     "%" PRId64 ",4096],\"data_offsets\":[%" PRId64 ",%" PRId64 "]}",
			 i == 0 ? "{" : ",", i, ROWS, at, at + step);
	text_add(&t, "}");
	adze_status status = ADZE_E_NOMEM;
	if (!t.failed) {
		for (int i = 0; i < 8; i++)
			t.at[i] = (char)((uint64_t)(t.len - 8) >> 8 * i);
		status = file_write(&mem_libc, path, t.at, t.len, d);
	}
	*header_bytes = t.len;
	if (status == ADZE_OK && truncate(path, (off_t)t.len + (off_t)at) != 0)
		status = fail(d, ADZE_E_IO, "%s: cannot be made 2 GB long", path);
	text_fini(&t);
	return status;
}

static adze_status measure(const char *path, size_t header_bytes, struct diag *d)
{
	double ms[ROUNDS];
	long grown = 0;
	struct stat st;
	for (int i = 0; i < ROUNDS; i++) {
		struct safetensors *s;
		long before = resident_kb();
		double start = now_ms();
		TRY(safetensors_open(&mem_libc, path, d, &s));
		ms[i] = now_ms() - start;
		if (i == 0)
			grown = resident_kb() - before;
		safetensors_close(s);
	}
	if (stat(path, &st) != 0)
		return fail(d, ADZE_E_IO, "%s: is gone", path);
	qsort(ms, ROUNDS, sizeof ms[0], by_value);
	char parameters[128], extra[128];
	struct bench_time t = {ms[ROUNDS / 2] * 1e3,
			       (ms[ROUNDS * 3 / 4] - ms[ROUNDS / 4]) * 1e3, ROUNDS};
	snprintf(parameters, sizeof parameters,
		 "\"file_bytes\":%lld,\"header_bytes\":%zu,\"tensors\":%d",
		 (long long)st.st_size, header_bytes, TENSORS);
	snprintf(extra, sizeof extra, "\"rss_growth_kb\":%ld", grown);
	bench_print("open", parameters, &t, extra);
	return ADZE_OK;
}

int open_bench(void)
{
	char folder[4000], path[4096];
	struct diag d = {0};
	size_t header_bytes;
	const char *base = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/adze-bench-XXXXXX", base != NULL ? base : "/tmp");
	if (mkdtemp(folder) == NULL) {
		fprintf(stderr, "open: cannot make the folder %s\n", folder);
		return 1;
	}
	snprintf(path, sizeof path, "%s/model.safetensors", folder);
	adze_status status = make_file(path, &d, &header_bytes);
	if (status == ADZE_OK)
		status = measure(path, header_bytes, &d);
	if (status != ADZE_OK)
		fprintf(stderr, "open: %s\n", d.text);
	unlink(path);
	rmdir(folder);
	return status != ADZE_OK;
}
