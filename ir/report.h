/* SPDX-License-Identifier: Apache-2.0
 *
 * The fusion report: what each group holds and saves, and for each edge between two groups why
 * they are not one. Reasons are those of fuse.c as it decided (graph->why).
 */
#ifndef ADZE_REPORT_H
#define ADZE_REPORT_H

#include "ir/group.h"

/** A group reads the result of another. */
struct ir_edge {
	uint32_t from, to; /* groups */
	ir_val value;      /* the sink of `from` */
	enum ir_reason why;
};

/** Bytes are those of the symbols' bounds. */
struct ir_group_report {
	const struct ir_group *group;
	int64_t read, written;
	/* What values inside would have cost in memory: each written once, read by each user. */
	int64_t saved;
	const struct ir_edge *edge; /* to this group */
	size_t nedge;
};

struct ir_report {
	const adze_graph *g;
	struct ir_group_report *group; /* [0] is group 1 */
	size_t ngroup, nnode;          /* nodes in groups */
	int64_t read, written, saved;
};

/** What a grouped graph holds, in `arena`, without its bodies. False without memory. */
bool ir_report_fill(const adze_graph *g, struct arena *arena, struct ir_report *out);

/** The words of reasons.def. */
const char *ir_reason_text(enum ir_reason why);

/** The report as text, with those of the graph's bodies behind it. */
void ir_report_print(const adze_graph *g, struct text *out);

#endif
