/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of functions on tensors share: a file of tests/data whose tensors are inputs, weights
 * and, as `expect.NAME`, results; a graph that has a call for each result is run by the reference
 * evaluator and on the CPU device, and both must give the file's numbers.
 */
#ifndef ADZE_FORM_CASE_H
#define ADZE_FORM_CASE_H

#include <inttypes.h>

#include "ir/graph.h"
#include "safetensors.h"
#include "tests/api_fixture.h"
#include "tests/compare.h"

/* A graph that has the calls of one file as its results. */
struct forms {
	struct life life;
	adze_graph *graph;
	struct safetensors *file;
	size_t ncase;
};

static inline void forms_begin(struct forms *f, const char *name)
{
	char path[4096];
	struct diag d = {ADZE_OK, ""};
	memset(f, 0, sizeof *f);
	life_begin(&f->life);
	OK(&f->life, adze_graph_create(f->life.context, name, &f->graph));
	snprintf(path, sizeof path, "%s/data/%s.safetensors", check_source_dir(), name);
	CHECK_MSG(safetensors_open(&mem_libc, path, &d, &f->file) == ADZE_OK, "%s", d.text);
}

/* An input; of "t_x" the data is that of x, so that both may be there with unlike axes. */
static inline const struct safetensors_entry *entry_of(struct forms *f, const char *name)
{
	const struct safetensors_entry *e =
		safetensors_find(f->file, name + (strncmp(name, "t_", 2) == 0 ? 2 : 0));
	CHECK_MSG(e != NULL, "no tensor for '%s'", name);
	return e;
}

/* Under the axes `dims`, or, where it is NULL, without names. */
static inline adze_tensor in(struct forms *f, const char *name, const char *dims)
{
	const adze_shape *s = &entry_of(f, name)->shape;
	char text[256] = "";
	for (int i = 0, n = 0; dims == NULL && i < s->rank; i++)
		n += snprintf(text + n, sizeof text - (size_t)n, "%" PRId64 " ", s->dim[i].size);
	return adze_input(f->graph, name, s->dtype, dims != NULL ? dims : text);
}

static inline void out(struct forms *f, const char *name, adze_tensor y)
{
	CHECK_MSG(adze_is(y), "%s: %s", name, adze_graph_words(f->graph));
	CHECK_MSG(adze_output(y, name) == ADZE_OK, "%s: %s", name, adze_graph_words(f->graph));
	f->ncase++;
}

static inline void check_result(struct forms *f, size_t i, const char *where, const void *got)
{
	const struct ir_output *o = &f->graph->output[i];
	char name[128], words[400];
	snprintf(name, sizeof name, "expect.%s", o->name);
	const struct safetensors_entry *e = entry_of(f, name);
	CHECK_MSG(e->shape.dtype == ir_type(f->graph, o->value)->dtype, "%s: %s", o->name,
		  adze_dtype_name(ir_type(f->graph, o->value)->dtype));
	bool fine = compare_tensors(e->shape.dtype, got, e->data,
				    e->bytes / adze_dtype_bytes(e->shape.dtype),
				    "rel:1e-5 abs:1e-5", words, sizeof words);
	CHECK_MSG(fine, "%s, %s: %s", o->name, where, words);
}

/* The symbols' values that the inputs' extents give; that results have the file's extents. */
static inline void forms_bind(struct forms *f, int64_t *symbol)
{
	const adze_graph *g = f->graph;
	for (size_t i = 0; i < g->ninput; i++) {
		const adze_shape *s = ir_type(g, g->input[i]);
		const adze_shape *have = &entry_of(f, IR_ATTRS(name, g, g->input[i])->name)->shape;
		for (int k = 0; k < s->rank; k++)
			if (!dim_is_static(&s->dim[k]))
				symbol[ir_symbol_find(g, s->dim[k].symbol)] =
					have->dim[k].size / s->dim[k].scale;
	}
	for (size_t i = 0; i < g->noutput; i++) {
		const adze_shape *s = ir_type(g, g->output[i].value);
		char name[128];
		snprintf(name, sizeof name, "expect.%s", g->output[i].name);
		const adze_shape *want = &entry_of(f, name)->shape;
		CHECK_MSG(s->rank == want->rank, "%s has %d axes", name, (int)s->rank);
		for (int k = 0; k < s->rank; k++)
			CHECK_MSG(ir_extent(g, &s->dim[k], symbol) == want->dim[k].size,
				  "%s: axis %d", name, k);
	}
}

#define FORMS_MOST 160

static inline void check_eval(struct forms *f, const int64_t *symbol)
{
	const adze_graph *g = f->graph;
	const void *input[FORMS_MOST], *weight[FORMS_MOST];
	void *output[FORMS_MOST];
	struct diag d = {ADZE_OK, ""};
	struct arena memory;
	arena_init(&memory, &mem_libc);
	for (size_t i = 0; i < g->ninput; i++) {
		const struct safetensors_entry *e =
			entry_of(f, IR_ATTRS(name, g, g->input[i])->name);
		input[i] = arena_text(&memory, e->data, e->bytes);
	}
	for (size_t i = 0; i < g->nweight; i++)
		weight[i] = entry_of(f, IR_ATTRS(name, g, g->weight[i])->name)->data;
	for (size_t i = 0; i < g->noutput; i++)
		output[i] = arena_new(&memory, 1,
				      (size_t)shape_bytes(ir_type(g, g->output[i].value)));
	CHECK_MSG(ir_eval(g, symbol, input, weight, output, &d) == ADZE_OK, "%s", d.text);
	for (size_t i = 0; i < g->noutput; i++)
		check_result(f, i, "by eval", output[i]);
	arena_fini(&memory);
}

/* The file's tensors of these names as buffers, in their order. */
static inline void load(struct forms *f, const ir_val *value, size_t n, adze_buffer **out)
{
	for (size_t i = 0; i < n; i++) {
		const struct safetensors_entry *e =
			entry_of(f, IR_ATTRS(name, f->graph, value[i])->name);
		adze_host_buffer *host;
		OK(&f->life, adze_host_buffer_borrow(f->life.context, &e->shape,
						     (void *)(uintptr_t)e->data, &host));
		OK(&f->life, adze_copy_in(f->life.device, host, &out[i]));
		adze_host_buffer_destroy(host);
	}
}

static inline adze_module *bind(struct forms *f)
{
	adze_buffer *weight[FORMS_MOST];
	adze_exe *exe;
	adze_module *m;
	size_t n = f->graph->nweight;
	if (n == 0)
		return module_of(&f->life, f->graph);
	OK(&f->life, adze_compile(f->life.device, f->graph, &exe));
	load(f, f->graph->weight, n, weight);
	OK(&f->life, adze_bind(exe, weight, n, &m));
	adze_exe_destroy(exe);
	for (size_t i = 0; i < n; i++)
		adze_buffer_destroy(weight[i]);
	return m;
}

static inline void check_cpu(struct forms *f)
{
	const adze_graph *g = f->graph;
	adze_buffer *input[FORMS_MOST], *output[FORMS_MOST] = {NULL};
	adze_module *m = bind(f);
	load(f, g->input, g->ninput, input);
	OK(&f->life, adze_call(m, input, g->ninput, output, g->noutput, NULL));
	for (size_t i = 0; i < g->noutput; i++) {
		check_result(f, i, "on cpu", adze_buffer_data(output[i]));
		if (g->output[i].into == 0)
			adze_buffer_destroy(output[i]);
	}
	for (size_t i = 0; i < g->ninput; i++)
		adze_buffer_destroy(input[i]);
	adze_module_destroy(m);
}

static inline void forms_end(struct forms *f)
{
	int64_t symbol[ADZE_MAX_SYMBOLS] = {0};
	size_t expected = 0;
	for (size_t i = 0; i < f->file->nentry; i++)
		expected += strncmp(f->file->entry[i].name, "expect.", 7) == 0;
	CHECK_MSG(expected == f->ncase, "%zu of %zu results have a call", f->ncase, expected);
	CHECK(f->ncase <= FORMS_MOST && f->graph->ninput <= FORMS_MOST &&
	      f->graph->nweight <= FORMS_MOST);
	forms_bind(f, symbol);
	check_eval(f, symbol);
	check_cpu(f);
	adze_graph_destroy(f->graph);
	safetensors_close(f->file);
	life_end(&f->life);
}

/* ---- what is refused ---- */

/* Whether the words begin with a line near `last`: compilers differ in which line of a call of
 * several lines is its own. */
static inline bool names_line(const char *words, const char *name, const char *file, int last)
{
	char want[96];
	const char *base = strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file;
	for (int line = last - 6; line <= last + 6; line++) {
		snprintf(want, sizeof want, "%s:%d: %s: ", base, line, name);
		if (strstr(words, want) != NULL)
			return true;
	}
	return false;
}

/* That building `y` fails so, with the line and the form's name in the words. */
#define REFUSED(setup, y, want, name, part)                                               \
	do {                                                                              \
		adze_graph *g;                                                            \
		OK(&l, adze_graph_create(l.context, "g", &g));                            \
		setup;                                                                    \
		CHECK_MSG(adze_graph_status(g) == ADZE_OK, "%s", adze_graph_words(g));    \
		adze_tensor y_ = (y);                                                     \
		CHECK_MSG(!adze_is(y_) && adze_graph_status(g) == (want) &&               \
				  strstr(adze_graph_words(g), (part)) != NULL &&          \
				  names_line(adze_graph_words(g), name, __FILE__, __LINE__), \
			  "%s: %s '%s'", #y, adze_status_name(adze_graph_status(g)),      \
			  adze_graph_words(g));                                           \
		adze_graph_destroy(g);                                                    \
	} while (0)
/* In `setup`, whose commas would part arguments. */
#define KOMMA ,
#define X(name, dims) adze_tensor name = adze_input(g, #name, ADZE_F32, dims)
#define I(name, dims) adze_tensor name = adze_input(g, #name, ADZE_I32, dims)

#endif
