/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs the pipeline of passes.def.
 */
#include "config.h" /* NDEBUG */

#include "ir/pass.h"

#include <string.h>

#include "base/fpmode.h"

static const struct ir_pass row[] = {
#define PASS(name, needs, gives, doc) {#name, doc, STAGE_##needs, STAGE_##gives, ir_##name},
#include "ir/passes.def"
};

const struct ir_pass *ir_passes(size_t *n)
{
	*n = COUNT_OF(row);
	return row;
}

const char *ir_stage_name(enum ir_stage stage)
{
	static const char *const name[] = {"graph", "lowered", "grouped", "planned"};
	return name[stage];
}

/* Whether "a,b,c" holds `name`. */
static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *at = list; at != NULL && *at != '\0'; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, name, n) == 0 && (at[n] == '\0' || at[n] == ','))
			return true;
	}
	return false;
}

static adze_status check_list(const char *list, struct diag *d)
{
	for (const char *at = list; at != NULL && *at != '\0';) {
		size_t n = strcspn(at, ",");
		bool known = false;
		for (size_t i = 0; i < COUNT_OF(row); i++)
			known |= strlen(row[i].name) == n && memcmp(row[i].name, at, n) == 0;
		if (!known)
			return fail(d, ADZE_E_NOTFOUND, "there is no pass '%.*s'", (int)n, at);
		at += n + (at[n] == ',');
	}
	return ADZE_OK;
}

adze_status ir_replace(adze_graph **g, adze_graph *by, adze_status status, struct diag *d)
{
	if (status != ADZE_OK) {
		fail(d, status, "%s", by != NULL ? by->diag.text : status_text(status));
		ir_graph_destroy(by);
		return status;
	}
	ir_graph_destroy(*g);
	*g = by;
	return ADZE_OK;
}

adze_status ir_rewrite(adze_graph **g, ir_rule *rule, void *self, struct diag *d)
{
	adze_graph *to = NULL, *swept = NULL;
	adze_status status = ir_rebuild(*g, rule, self, NULL, 0, &to);
	if (status != ADZE_OK)
		return ir_replace(g, to, status, d);
	status = ir_rebuild(to, NULL, NULL, NULL, 0, &swept);
	ir_graph_destroy(to);
	return ir_replace(g, swept, status, d);
}

/* A pass on a graph and on its bodies: all are of one stage. */
static adze_status run_pass(const struct ir_pass *pass, bool narrow, adze_graph **g,
			    struct diag *d)
{
	(*g)->narrow_products = narrow;
	TRY(pass->run(g, d));
	(*g)->stage = pass->gives;
	for (size_t i = 0; i < (*g)->nbody; i++)
		TRY(run_pass(pass, narrow, &(*g)->body[i], d));
	return ADZE_OK;
}

static adze_status run_passes(adze_graph **g, const struct ir_pass_options *options,
			      struct diag *d)
{
	TRY(check_list(options->passes, d));
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		if (options->passes != NULL ? !listed(options->passes, row[i].name)
					    : row[i].gives > options->until ||
						      listed(options->without, row[i].name))
			continue;
		if ((*g)->stage < row[i].needs)
			return fail(d, ADZE_E_ARGUMENT,
				    "pass %s needs a graph that is %s, and this one is %s",
				    row[i].name, ir_stage_name(row[i].needs),
				    ir_stage_name((*g)->stage));
		if ((*g)->stage > row[i].gives)
			continue;
		TRY(run_pass(&row[i], options->narrow_products, g, d));
#ifndef NDEBUG
		TRY(ir_verify(*g, d));
#endif
		if (options->after != NULL)
			TRY(options->after(options->self, row[i].name, *g));
	}
	return ADZE_OK;
}

adze_status ir_run_passes(adze_graph **g, const struct ir_pass_options *options, struct diag *d)
{
	fp_mode mode = fp_mode_enter(); /* folding computes */
	adze_status status = run_passes(g, options, d);
	fp_mode_leave(mode);
	return status;
}
