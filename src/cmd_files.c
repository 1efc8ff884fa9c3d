/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that hold a graph: its text, or an executable with its source.
 */
#include "config.h"

#include <string.h>

#include "base/file.h"
#include "cmd.h"

/* Far beyond any executable that is meant. */
#define FILE_LIMIT ((size_t)1 << 36)

bool cmd_file_open(const char *path, struct cmd_file *out)
{
	struct diag d = {ADZE_OK, ""};
	void *at;
	memset(out, 0, sizeof *out);
	if (file_read(&mem_libc, path, FILE_LIMIT, &d, &at, &out->len) != ADZE_OK) {
		cmd_failed_diag(&d);
		return false;
	}
	out->at = at;
	out->is_exe = out->len >= 8 && memcmp(out->at, EXE_MAGIC, 8) == 0;
	return true;
}

void cmd_file_close(struct cmd_file *f)
{
	if (f->at != NULL)
		mem_free_aligned(&mem_libc, f->at);
	memset(f, 0, sizeof *f);
}

adze_graph *cmd_file_graph(const struct cmd_file *f, const char *path)
{
	struct diag d = {ADZE_OK, ""};
	adze_graph *g = NULL;
	const char *text = f->at;
	size_t len = f->len;
	struct exe_file exe;
	if (!f->is_exe) {
		if (ir_parse(&mem_libc, text, len, path, &d, &g) != ADZE_OK)
			cmd_failed_diag(&d);
		return g;
	}
	if (exe_read(&mem_libc, f->at, f->len, &exe, &d) != ADZE_OK) {
		cmd_error("%s: %s", path, d.text);
	} else if (exe.section[EXE_SOURCE].len == 0) {
		cmd_error("%s: its graph was stripped", path);
	} else if (ir_parse(&mem_libc, (const char *)exe.section[EXE_SOURCE].at,
			    exe.section[EXE_SOURCE].len, path, &d, &g) != ADZE_OK) {
		cmd_failed_diag(&d);
	}
	exe_file_fini(&exe);
	return g;
}

bool cmd_stage(const struct cmd *c, const char *name, enum ir_stage *out)
{
	for (int i = STAGE_GRAPH; i <= STAGE_PLANNED; i++) {
		*out = (enum ir_stage)i;
		if (strcmp(name, ir_stage_name(*out)) == 0)
			return true;
	}
	cmd_usage(c, "there is no stage '%s': graph, lowered, grouped, planned", name);
	return false;
}

bool cmd_pass_list(const struct cmd *c, const char *list)
{
	size_t n;
	const struct ir_pass *pass = ir_passes(&n);
	for (const char *at = list; *at != '\0';) {
		size_t len = strcspn(at, ",");
		bool known = false;
		for (size_t i = 0; i < n; i++)
			known |= strlen(pass[i].name) == len && strncmp(at, pass[i].name, len) == 0;
		if (!known) {
			cmd_usage(c, "there is no pass '%.*s'; `adze passes` lists them", (int)len,
				  at);
			return false;
		}
		at += len + (at[len] == ',');
	}
	return true;
}

static struct exe_value *values(const adze_graph *g, const ir_val *v, size_t n, struct arena *r)
{
	struct exe_value *out = arena_new(r, n + 1, sizeof *out);
	for (size_t i = 0; out != NULL && i < n; i++)
		out[i] = (struct exe_value){IR_ATTRS(name, g, v[i])->name, *ir_type(g, v[i]), -1};
	return out;
}

bool cmd_signature(const adze_graph *g, struct arena *r, struct exe_signature *out)
{
	memset(out, 0, sizeof *out);
	out->graph = g->name;
	out->nsymbol = g->nsymbol;
	memcpy(out->symbol, g->symbol, sizeof out->symbol);
	out->ninput = (uint32_t)g->ninput;
	out->nweight = (uint32_t)g->nweight;
	out->noutput = (uint32_t)g->noutput;
	out->input = values(g, g->input, g->ninput, r);
	out->weight = values(g, g->weight, g->nweight, r);
	out->output = arena_new(r, g->noutput + 1, sizeof *out->output);
	if (out->input == NULL || out->weight == NULL || out->output == NULL) {
		cmd_error("memory could not be had");
		return false;
	}
	for (size_t i = 0; i < g->noutput; i++) {
		const struct ir_output *o = &g->output[i];
		out->output[i] = (struct exe_value){o->name, *ir_type(g, o->value),
						    o->into ? ir_input_index(g, o->into) : -1};
	}
	return true;
}
