/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of attention share: a step's numbers, the tile at hand, and the scratch that a
 * tile works in.
 */
#ifndef ADZE_CPU_ATTEND_H
#define ADZE_CPU_ATTEND_H

#include "devices/cpu/cpu_body.h"
#include "devices/cpu/cpu_range.h"

#define ATTEND_ROWS 256 /* of a tile, about */
#define ATTEND_PANEL 8  /* keys of a panel, at least */
#define ATTEND_FEW 16   /* rows, for which keys are read as they lie, part by part */

/** Strides in elements. Rows are counted over all axes between the outer ones and the last. */
struct cpu_attend {
	const struct cpu_work *w;
	int nouter, nrow, nextra;
	int64_t m, t, d, dv;
	const struct cpu_box *y, *q, *k, *v, *extra;
	size_t mr, nr;
	struct cpu_body_run body;
	/* The tile at hand: rows first .. first + rows of outer place `outer`. */
	int64_t outer, first, rows;
	bool straight; /* its rows are one stride apart */
	const char *k_at, *v_at;
	/* The block at hand, -1 for none, and what is known of what the body reads of its keys: of
	 * all of them, and panel by panel; ANY: not yet. */
	int64_t block, block_keys;
	struct cpu_range known[CPU_MAX_PLAIN][1 + ATTEND_KEYS / ATTEND_PANEL];
	/* What is known of scores that were passed over: none is more than this. */
	double unseen;
	bool skips;
	/* Scratch: slivers of queries and of sums, panels of keys and of values, scores, and those
	 * before and after the body; a number for each row; elements of extras. */
	float *q_pack, *sums, *k_pack, *v_pack, *scores, *before, *after;
	float *most, *total, *scale;
	char *extra_tile[CPU_MAX_PLAIN];
};

/** A step's numbers, and a worker's scratch. */
void cpu_attend_begin(const struct cpu_work *w, int worker, struct cpu_attend *a);
/** The tile at `outer`, from row `first` on. */
void cpu_attend_seek(struct cpu_attend *a, int64_t outer, int64_t first, int64_t rows);
/** Elements from a box's start at the tile's outer place to row `row` of it. */
int64_t cpu_attend_row(const struct cpu_attend *a, const struct cpu_box *b, int64_t row);
/** Queries of the tile as f32, one behind the other, to `to`. */
void cpu_attend_queries(const struct cpu_attend *a, float *to);
/** What the body makes of rows x keys of the tile; rows count from its first one. */
struct cpu_range cpu_attend_range(struct cpu_attend *a, int64_t row, int64_t rows,
				  int64_t key, int64_t keys);
/**
 * Whether such a range may be passed over; then a->unseen counts it in. `bound`: no score is
 * more, nor less than -bound; NaN: not known.
 */
bool cpu_attend_skips(struct cpu_attend *a, const struct cpu_range *r, double bound);
/** The body on scores of rows x keys, ATTEND_KEYS apart, in their place. */
void cpu_attend_body(const struct cpu_attend *a, float *scores, int64_t row, int64_t rows,
		     int64_t key, int64_t keys);
/** Whether what was passed over weighs nothing in any row whose maximum is most[0 .. rows). */
bool cpu_attend_enough(const struct cpu_attend *a, const float *most);
/** A row of the result: sums / total, `at` counting from the tile's first row. */
void cpu_attend_write(const struct cpu_attend *a, int64_t at, const float *sums, size_t panel,
		      float total);
static inline void (*cpu_attend_kernel(const struct cpu_attend *a, int which))(void)
{
	return a->w->bound->attend[which]->run;
}

/** Few rows: cpu_attend_few.c. */
void cpu_attend_run_few(struct cpu_work *w);
/** Bytes that all workers of it share. */
size_t cpu_attend_parts(int64_t m, int64_t t, int64_t dv, int64_t outer);

#endif
