/* SPDX-License-Identifier: Apache-2.0
 *
 * The machine's ceilings: measured once for each number of threads, printed, and kept in the cache
 * for `adze run --profile`.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>

#include "base/context.h"

const struct ceilings *bench_ceilings(int threads)
{
	static struct ceilings seen[CEILINGS_THREADS + 1];
	static bool there[CEILINGS_THREADS + 1];
	int i = threads < CEILINGS_THREADS ? threads : CEILINGS_THREADS;
	adze_context *context;
	if (!there[i] && adze_context_create(NULL, &context) == ADZE_OK) {
		seen[i] = ceilings_measure(i, context->isa_mask, false);
		ceilings_save(context->config.cache_dir, i, context->isa_mask, &seen[i]);
		adze_context_destroy(context);
	}
	there[i] = true;
	return &seen[i];
}

int ceiling_bench(void)
{
	for (int i = 0; bench_threads(i) > 0; i++) {
		char line[512];
		const struct ceilings *c = bench_ceilings(bench_threads(i));
		snprintf(line, sizeof line,
			 "\"bench\":\"ceilings\",\"threads\":%d,\"fma_gflops\":%.1f,"
			 "\"int8_gops\":%.1f,\"read_gbs\":%.1f,\"read_8_rows_gbs\":%.1f,"
			 "\"read_1_row_gbs\":%.1f,\"copy_gbs\":%.1f,\"l1_gbs\":%.0f,"
			 "\"l2_gbs\":%.0f,\"l3_gbs\":%.0f",
			 bench_threads(i), c->fma, c->dot, c->read, c->rows, c->stream, c->copy,
			 c->l1, c->l2, c->l3);
		bench_line(line);
	}
	return 0;
}
