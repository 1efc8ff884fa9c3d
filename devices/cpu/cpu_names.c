/* SPDX-License-Identifier: Apache-2.0
 *
 * The section of names: docs/executable-format.md.
 */
#include <string.h>

#include "devices/cpu/cpu_code.h"

#define NAME_MOST 255

static void write_name(struct text *t, const char *name)
{
	size_t n = strlen(name) < NAME_MOST ? strlen(name) : NAME_MOST;
	text_u32(t, (uint32_t)n);
	text_bytes(t, name, n);
}

void cpu_names_write(const struct cpu_code *c, struct text *out)
{
	text_u32(out, c->nstep);
	for (uint32_t i = 0; i < c->nstep; i++) {
		const struct cpu_note *n = &c->step[i].note;
		write_name(out, n->value);
		write_name(out, n->what);
		write_name(out, n->file);
		text_u32(out, (uint32_t)n->line);
	}
}

static const char *read_one(struct reader *r, struct arena *arena, bool *no_memory)
{
	char name[NAME_MOST + 1] = "";
	read_name(r, name, sizeof name);
	const char *kept = r->failed ? NULL : arena_text(arena, name, strlen(name));
	*no_memory |= kept == NULL && !r->failed;
	return kept != NULL ? kept : "";
}

adze_status cpu_names_read(const struct exe_file *file, struct cpu_code *c, struct diag *d)
{
	struct exe_section s = file->section[EXE_NAMES];
	struct reader r = {s.at, s.len, 0, false};
	bool no_memory = false, none = s.len == 0;
	if (!none && read_u32(&r) != c->nstep)
		r.failed = true;
	for (uint32_t i = 0; i < c->nstep; i++) {
		struct cpu_note *n = &c->step[i].note;
		*n = (struct cpu_note){"", "", "", 0};
		if (none || r.failed)
			continue;
		n->value = read_one(&r, c->arena, &no_memory);
		n->what = read_one(&r, c->arena, &no_memory);
		n->file = read_one(&r, c->arena, &no_memory);
		n->line = (int32_t)read_u32(&r);
		r.failed |= n->line < 0;
	}
	if (no_memory)
		return fail(d, ADZE_E_NOMEM, "no memory to load an executable");
	if (r.failed || r.pos != r.len)
		return fail(d, ADZE_E_FORMAT, "executable: the names of its steps make no sense");
	return ADZE_OK;
}
