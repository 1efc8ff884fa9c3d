/* SPDX-License-Identifier: Apache-2.0
 *
 * adze run --profile: what is recorded of its calls, as a table, JSON lines, a trace, a drawing.
 */
#ifndef ADZE_CMD_PROFILE_H
#define ADZE_CMD_PROFILE_H

#include "cmd.h"
#include "cmd_ceilings.h"

/** What the options ask for. */
struct profile_options {
	bool table;         /* --profile */
	const char *file;   /* where the table goes; NULL: standard output */
	const char *trace, *report;
	bool json;          /* the table as JSON lines */
};
static inline bool profile_wanted(const struct profile_options *o)
{
	return o->table || o->trace != NULL || o->report != NULL;
}

/** Steps that are alike, of the same operations on the same shapes, with their times added up. */
struct profile_row {
	adze_profile_step step; /* the first of them; its numbers are of all */
	size_t steps;
	uint64_t ns;            /* of all their runs, without what ran inside */
	double share;           /* of the ceiling that binds */
	const char *bound;      /* "memory", "compute", "cache", "-" */
};

struct profile_view {
	const char *graph;
	char device[512]; /* "AMD EPYC, avx512, 2 threads" */
	int threads;
	struct ceilings ceilings;
	adze_ceilings top;
	struct profile_row *row; /* those that ran, the longest first */
	size_t nrow;
	size_t calls, lost_calls, records, lost_records;
	uint64_t calls_ns, steps_ns, median_ns; /* of all calls, of their steps, of a call */
	adze_cost cost;
	size_t arena_bytes, live_bytes, weight_bytes;
};

/** A profile with room for so many calls, and the module records to it. */
int cmd_profile_begin(adze_context *c, adze_exe *exe, adze_module *m, long calls,
		      adze_profile **out);
/** After the calls: adds up; may measure the machine. cmd_profile_close() then. */
void cmd_profile_view(adze_context *c, adze_exe *exe, adze_profile *p, const char *graph,
		      struct profile_view *out);
void cmd_profile_close(struct profile_view *v);
/** Writes the files that are asked for; then what goes to standard output. */
int cmd_profile_write(const struct profile_view *v, adze_profile *p,
		      const struct profile_options *o);
void cmd_profile_print(const struct profile_view *v, const struct profile_options *o);

/** The drawing: text_fini() in any case; false without memory. cmd_roofline.c. */
bool profile_draw(const struct profile_view *v, struct text *out);

#endif
