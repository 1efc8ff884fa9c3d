/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/op_case.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/compare.h"

static bool refuse(char *message, size_t cap, const char *what, const char *name)
{
	snprintf(message, cap, "%s '%.300s'", what, name);
	return false;
}

/* Types that such a file has no name for lie in it as their bytes, u8 along one axis. */
static bool fits_raw(const adze_shape *type, const adze_shape *have)
{
	const char *name = dtype_info(type->dtype)->safetensors;
	for (int i = 0; i < type->rank; i++)
		if (!dim_is_static(&type->dim[i]))
			return false;
	return (name[0] == '\0' || dtype_is_packed(type->dtype)) && have->dtype == ADZE_U8 &&
	       have->rank == 1 && have->dim[0].size == shape_bytes(type);
}

/* Notes the symbols' values that an input's extents give; whether its type fits. */
static bool bind_symbols(struct op_case *c, const adze_shape *type, const adze_shape *have)
{
	if (fits_raw(type, have))
		return true;
	if (type->dtype != have->dtype || type->rank != have->rank)
		return false;
	for (int i = 0; i < type->rank; i++) {
		const adze_dim *d = &type->dim[i];
		if (!dim_is_static(d))
			c->symbol[ir_symbol_find(c->graph, d->symbol)] =
				have->dim[i].size / d->scale;
	}
	for (int i = 0; i < type->rank; i++)
		if (ir_extent(c->graph, &type->dim[i], c->symbol) != have->dim[i].size)
			return false;
	return true;
}

static bool read_inputs(struct op_case *c, char *message, size_t cap)
{
	const adze_graph *g = c->graph;
	c->inputs = arena_new(&c->memory, g->ninput, sizeof *c->inputs);
	for (size_t i = 0; i < g->ninput; i++) {
		const char *name = IR_ATTRS(name, g, g->input[i])->name;
		const struct safetensors_entry *e = safetensors_find(c->file, name);
		if (e == NULL || !bind_symbols(c, ir_type(g, g->input[i]), &e->shape))
			return refuse(message, cap, "no tensor of that type for input", name);
		c->inputs[i] = arena_text(&c->memory, e->data, e->bytes);
	}
	return true;
}

/* Whether `have` is what an output's type is in this call. */
static bool fits_output(const struct op_case *c, const adze_shape *type, const adze_shape *have)
{
	if (fits_raw(type, have))
		return true;
	if (have->dtype != type->dtype || have->rank != type->rank)
		return false;
	for (int k = 0; k < type->rank; k++)
		if (ir_extent(c->graph, &type->dim[k], c->symbol) != have->dim[k].size)
			return false;
	return true;
}

static bool read_outputs(struct op_case *c, char *message, size_t cap)
{
	const adze_graph *g = c->graph;
	c->outputs = arena_new(&c->memory, g->noutput, sizeof *c->outputs);
	c->want = arena_new(&c->memory, g->noutput, sizeof *c->want);
	c->count = arena_new(&c->memory, g->noutput, sizeof *c->count);
	c->bytes = arena_new(&c->memory, g->noutput, sizeof *c->bytes);
	if (g->noutput == 0)
		return refuse(message, cap, "no output in graph", g->name);
	for (size_t i = 0; i < g->noutput; i++) {
		const adze_shape *type = ir_type(g, g->output[i].value);
		char name[128];
		snprintf(name, sizeof name, "expect.%s", g->output[i].name);
		const struct safetensors_entry *e = safetensors_find(c->file, name);
		if (e == NULL || !fits_output(c, type, &e->shape))
			return refuse(message, cap, "no tensor of the output's type", name);
		c->count[i] = fits_raw(type, &e->shape) ? (size_t)shape_count(type)
							: e->bytes / dtype_bytes(type->dtype);
		c->want[i] = e->data;
		c->bytes[i] = e->bytes;
		c->outputs[i] = arena_new(&c->memory, e->bytes, 1);
		memset(c->outputs[i], 0xa5, e->bytes);
	}
	return true;
}

bool op_case_open(const char *path, struct op_case *c, char *message, size_t cap)
{
	struct diag d = {ADZE_OK, ""};
	memset(c, 0, sizeof *c);
	arena_init(&c->memory, &mem_libc);
	if (safetensors_open(&mem_libc, path, &d, &c->file) != ADZE_OK)
		return refuse(message, cap, "cannot be opened:", d.text);
	const char *text = safetensors_metadata(c->file, "graph");
	c->tolerance = safetensors_metadata(c->file, "tolerance");
	if (text == NULL || c->tolerance == NULL)
		return refuse(message, cap, "no graph or tolerance in", path);
	if (ir_parse(&mem_libc, text, strlen(text), "graph", &d, &c->graph) != ADZE_OK)
		return refuse(message, cap, "cannot be parsed:", d.text);
	return read_inputs(c, message, cap) && read_outputs(c, message, cap);
}

void op_case_close(struct op_case *c)
{
	ir_graph_destroy(c->graph);
	safetensors_close(c->file);
	arena_fini(&c->memory);
}

bool op_case_compare(const struct op_case *c, char *message, size_t cap)
{
	for (size_t i = 0; i < c->graph->noutput; i++) {
		char words[400];
		const struct ir_output *o = &c->graph->output[i];
		if (compare_tensors(ir_type(c->graph, o->value)->dtype, c->outputs[i], c->want[i],
				    c->count[i], c->tolerance, words, sizeof words))
			continue;
		snprintf(message, cap, "output '%s': %s", o->name, words);
		return false;
	}
	return true;
}

void op_case_take_want(const struct op_case *c)
{
	for (size_t i = 0; i < c->graph->noutput; i++)
		memcpy(c->outputs[i], c->want[i], c->bytes[i]);
}

static bool run_file(const char *path, op_case_run *run, void *self, char *message, size_t cap)
{
	struct op_case c;
	struct diag d = {ADZE_OK, ""};
	bool fine = op_case_open(path, &c, message, cap);
	if (fine && run(self, &c, &d) != ADZE_OK)
		fine = refuse(message, cap, "did not run:", d.text);
	fine = fine && op_case_compare(&c, message, cap);
	op_case_close(&c);
	return fine;
}

struct tally {
	size_t nrun, bad;
	char *message;
	size_t len, cap;
};

static void say(struct tally *t, const char *folder, const char *name, const char *words)
{
	if (t->bad++ < 5 && t->len < t->cap)
		t->len += (size_t)snprintf(t->message + t->len, t->cap - t->len, "\n%s/%s: %s",
					   folder, name, words);
}

static void run_folder(const char *folder, op_case_run *run, void *self, struct tally *t)
{
	struct dirent **entry;
	char path[4096], words[512];
	snprintf(path, sizeof path, "%s/data/%s", check_source_dir(), folder);
	int n = scandir(path, &entry, NULL, alphasort);
	size_t before = t->nrun;
	for (int i = 0; i < n; i++) {
		const char *name = entry[i]->d_name, *dot = strrchr(name, '.');
		if (dot != NULL && strcmp(dot, ".safetensors") == 0) {
			snprintf(path, sizeof path, "%s/data/%s/%s", check_source_dir(), folder,
				 name);
			t->nrun++;
			if (!run_file(path, run, self, words, sizeof words))
				say(t, folder, name, words);
		}
		free(entry[i]);
	}
	if (n >= 0)
		free(entry);
	if (t->nrun == before)
		say(t, folder, "", "no case");
}

bool op_case_run_all(const char *folder, op_case_run *run, void *self, size_t *nrun,
		     char *message, size_t cap)
{
	static const char *const folders[] = {"ops", "jax", "torch"};
	struct tally t = {.message = message, .cap = cap};
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (folder == NULL || strcmp(folder, folders[i]) == 0)
			run_folder(folders[i], run, self, &t);
	*nrun = t.nrun;
	if (t.bad > 0 && t.len < cap)
		snprintf(message + t.len, cap - t.len, "\n%zu of %zu files", t.bad, t.nrun);
	return t.bad == 0;
}
