/* SPDX-License-Identifier: Apache-2.0
 *
 * Places in memory: what a call needs against what the most living results need at once.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/check.h"
#include "tests/random_graph.h"

/* Plans the graph; adds what it needs to *bytes, what it must to *least. */
static void plan(adze_graph **g, int64_t *bytes, int64_t *least)
{
	struct diag d = {ADZE_OK, ""};
	struct ir_pass_options options = {.until = STAGE_PLANNED};
	CHECK_MSG(ir_run_passes(g, &options, &d) == ADZE_OK, "%s", d.text);
	int64_t live = ir_live_bytes(*g);
	CHECK_MSG(live >= 0 && (*g)->arena_bytes >= live, "%s: %lld bytes cannot do", (*g)->name,
		  (long long)(*g)->arena_bytes);
	*bytes += (*g)->arena_bytes;
	*least += live;
}

/* Gaps that no order of insertion fills are rare: in all within two per cent. */
TEST(plan, random_graphs_need_little_more_than_they_must)
{
	int64_t bytes = 0, least = 0;
	size_t more = 0;
	uint64_t seed = check_seed();
	for (size_t i = 0; i < 2000; i++) {
		struct random_graph *r = random_graph_create(seed + i);
		plan(&r->g, &bytes, &least);
		more += r->g->arena_bytes > ir_live_bytes(r->g);
		random_graph_destroy(r);
	}
	printf("# %zu of 2000 graphs need more, %.3f %% in all\n", more,
	       100.0 * (double)(bytes - least) / (double)least);
	CHECK_MSG(bytes - least <= least / 50, "%lld bytes where %lld would do", (long long)bytes,
		  (long long)least);
}

/* An extent as networks have them: some widths, some of them double. */
static int64_t draw_size(uint64_t *seed)
{
	static const int64_t width[] = {256, 512, 768, 1024, 2048, 3072};
	return width[check_random(seed) % 6];
}

/* Branches of several sizes that live on for some layers, as in networks with skips. */
static adze_graph *make_skips(int n, uint64_t *seed)
{
	adze_graph *g = ir_graph_create(&mem_libc, "skips");
	adze_shape one = shape_make(ADZE_F32, 1, (int64_t[]){1});
	ir_val last[8];
	for (int i = 0; i < 8; i++) {
		char name[16];
		int64_t size = draw_size(seed);
		adze_shape type = shape_make(ADZE_F32, 1, &size);
		snprintf(name, sizeof name, "x%d", i);
		last[i] = ir_emit1(g, OP_EXP, ir_input(g, name, &type), NULL, NULL);
	}
	for (int i = 0; i < n; i++) {
		int at = (int)(check_random(seed) % 8), with = (int)(check_random(seed) % 8);
		struct attrs_axis axis = {.axis = 0};
		int64_t size = draw_size(seed);
		adze_shape type = shape_make(ADZE_F32, 1, &size);
		ir_val both[] = {last[at], last[with]};
		ir_val y = ir_emit(g, OP_CONCAT, both, 2, &axis, NULL);
		struct attrs_reduce by = {.by = EW_MAX, .axes = {.n = 1}};
		y = ir_emit1(g, OP_RESHAPE, ir_emit1(g, OP_REDUCE, y, &by, NULL), NULL, &one);
		y = ir_emit1(g, OP_BROADCAST, y, &(struct attrs_axes){.axes = {.n = 1}}, &type);
		last[at] = ir_emit1(g, OP_EXP, y, NULL, NULL);
	}
	for (int i = 0; i < 8; i++) {
		char name[16];
		snprintf(name, sizeof name, "y%d", i);
		ir_output(g, name, ir_emit1(g, OP_NEG, last[i], NULL, NULL), 0);
	}
	CHECK_MSG(g->diag.status == ADZE_OK, "%s", g->diag.text);
	return g;
}

TEST(plan, skips_need_little_more_than_they_must)
{
	int64_t bytes = 0, least = 0;
	uint64_t seed = check_seed();
	for (int i = 0; i < 100; i++) {
		adze_graph *g = make_skips(100, &seed);
		plan(&g, &bytes, &least);
		ir_graph_destroy(g);
	}
	printf("# %.3f %% more than must be\n", 100.0 * (double)(bytes - least) / (double)least);
	CHECK(bytes - least <= least / 16);
}
