/* SPDX-License-Identifier: Apache-2.0
 *
 * ONNX's backend node tests, from Debian's libonnx-testdata: each case whose operators have
 * a builder is evaluated, and run on the CPU device with and without simplification, and its
 * results are compared as ONNX's own runner does. ADZE_ONNX_DATA names another folder;
 * ADZE_ONNX_CASE runs one case.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/compare.h"
#include "tests/device_check.h"
#include "tests/onnx_build.h"

#define ONNX_DATA "/usr/share/libonnx-testdata/data/node"
#define TOLERANCE "rel:1e-3 abs:1e-7"
/* Its numbers were cut, not rounded: one unit of the last place is what the two differ by. */
#define TOLERANCE_BF16 "ulp:1"

/* How often a reason kept cases out. */
struct tally {
	const char *reason;
	int n;
};

struct report {
	adze_device *device;
	int ran, passed, failed, skipped;
	struct tally why[64];
	size_t nwhy;
	char words[16384]; /* of the first failures */
};

struct node_case {
	const char *name, *folder;
	struct arena r;
	struct onnx_model model;
	struct onnx_build b;
	struct onnx_tensor *want;
	char words[1024];
};

static void count_skip(struct report *t, const char *reason)
{
	size_t i = 0;
	t->skipped++;
	while (i < t->nwhy && strcmp(t->why[i].reason, reason) != 0)
		i++;
	if (i == t->nwhy && t->nwhy < sizeof t->why / sizeof *t->why)
		t->why[t->nwhy++].reason = reason;
	if (i < t->nwhy)
		t->why[i].n++;
}

/* Reads input_<i>.pb or output_<i>.pb. The files hold the bits of bf16 as u16. */
static bool read_data(struct node_case *c, const char *what, size_t i,
		      const struct onnx_value *declared, struct onnx_tensor *out)
{
	char path[4096];
	size_t size;
	snprintf(path, sizeof path, "%s/%s/test_data_set_0/%s_%zu.pb", c->folder, c->name, what, i);
	void *bytes = onnx_file(&c->r, path, &size);
	if (bytes != NULL && onnx_read_tensor(&c->r, bytes, size, out)) {
		if (declared->dtype == ADZE_BF16 && out->shape.dtype == ADZE_U16)
			out->shape.dtype = ADZE_BF16;
		return true;
	}
	snprintf(c->words, sizeof c->words, "%.900s cannot be read", path);
	return false;
}

static ir_val bind_input(struct node_case *c, size_t i, struct onnx_tensor *t)
{
	struct onnx_build *b = &c->b;
	b->input[i] = t->data;
	return ir_input(b->g, c->model.input[i].name, &t->shape);
}

/* Inputs and expected outputs; false where they cannot be read, or are out of scope. */
static bool read_tensors(struct node_case *c)
{
	const struct onnx_model *m = &c->model;
	struct onnx_build *b = &c->b;
	for (size_t i = 0; i < m->ninput + m->noutput; i++)
		if (!(i < m->ninput ? m->input[i] : m->output[i - m->ninput]).tensor) {
			ob_skip(b, "sequences and optionals");
			return false;
		}
	b->input = arena_new(&c->r, m->ninput + 1, sizeof *b->input);
	c->want = arena_new(&c->r, m->noutput + 1, sizeof *c->want);
	for (size_t i = 0; i < m->ninput; i++) {
		struct onnx_tensor t;
		if (!read_data(c, "input", i, &m->input[i], &t))
			return false;
		if (t.bad) {
			ob_skip(b, "strings");
			return false;
		}
		ob_bind(b, m->input[i].name, bind_input(c, i, &t));
	}
	for (size_t i = 0; i < m->ninit; i++) {
		if (m->init[i].bad)
			ob_skip(b, "strings");
		else
			ob_bind(b, m->init[i].name,
				ir_const(b->g, &m->init[i].shape, m->init[i].data));
	}
	for (size_t i = 0; i < m->noutput; i++) {
		if (!read_data(c, "output", i, &m->output[i], &c->want[i]))
			return false;
		if (c->want[i].bad)
			ob_skip(b, "strings");
	}
	return b->skip == NULL;
}

/* Names the results, which must have the expected types. */
static bool take_outputs(struct node_case *c)
{
	struct onnx_build *b = &c->b;
	for (size_t i = 0; i < c->model.noutput; i++) {
		const char *name = c->model.output[i].name;
		ir_val v = ob_find(b, name);
		char got[SHAPE_TEXT], want[SHAPE_TEXT];
		adze_shape t = ob_type(b, v), w = c->want[i].shape;
		if (v == 0 || t.dtype != w.dtype || !shape_same_extents(&t, &w)) {
			snprintf(c->words, sizeof c->words, "%s is %s, not %s", name,
				 v == 0 ? "not built" : shape_print(&t, got, sizeof got),
				 shape_print(&w, want, sizeof want));
			return false;
		}
		char label[32];
		snprintf(label, sizeof label, "y%zu", i);
		ir_output(b->g, label, v, 0);
	}
	return true;
}

/* `how`: "eval", or "cpu" and "cpu plain" on the device. */
static bool run_and_compare(struct node_case *c, adze_device *device, const char *how)
{
	static const int64_t no_symbol[ADZE_MAX_SYMBOLS];
	struct onnx_build *b = &c->b;
	struct diag d = {ADZE_OK, ""};
	size_t n = c->model.noutput;
	void **out = arena_new(&c->r, n + 1, sizeof *out);
	char message[600];
	for (size_t i = 0; i < n; i++)
		out[i] = arena_new(&c->r, (size_t)shape_bytes(&c->want[i].shape) + 16, 1);
	adze_status s = how[0] == 'e'
		? ir_eval(b->g, no_symbol, b->input, NULL, out, &d)
		: device_check_run(device, b->g, strcmp(how, "cpu") == 0, 1, no_symbol, b->input,
				   NULL, out, &d);
	if (s != ADZE_OK) {
		snprintf(c->words, sizeof c->words, "%s: %.900s", how, d.text);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		const adze_shape *t = &c->want[i].shape;
		const char *tolerance = t->dtype == ADZE_BF16 ? TOLERANCE_BF16 : TOLERANCE;
		if (compare_tensors(t->dtype, out[i], c->want[i].data, (size_t)shape_count(t),
				    tolerance, message, sizeof message))
			continue;
		snprintf(c->words, sizeof c->words, "%s: %s: %s", how, c->model.output[i].name,
			 message);
		return false;
	}
	return true;
}

/* Fills c->words where the case fails; b.skip where it is out of scope. */
static bool try_case(struct node_case *c, adze_device *device)
{
	static const char *const how[] = {"eval", "cpu", "cpu plain"};
	char path[4096];
	size_t size;
	snprintf(path, sizeof path, "%s/%s/model.onnx", c->folder, c->name);
	void *bytes = onnx_file(&c->r, path, &size);
	if (bytes == NULL || !onnx_read_model(&c->r, bytes, size, &c->model)) {
		snprintf(c->words, sizeof c->words, "the model cannot be read");
		return false;
	}
	if (!read_tensors(c) || !onnx_build(&c->b)) {
		if (c->b.g->diag.status != ADZE_OK)
			snprintf(c->words, sizeof c->words, "%s", c->b.g->diag.text);
		return false;
	}
	if (!take_outputs(c))
		return false;
	for (size_t i = 0; i < sizeof how / sizeof *how; i++)
		if (!run_and_compare(c, device, how[i]))
			return false;
	return true;
}

static void run_case(struct report *t, const char *folder, const char *name)
{
	struct node_case c = {.name = name, .folder = folder};
	arena_init(&c.r, &mem_libc);
	c.b.g = ir_graph_create(&mem_libc, "case");
	c.b.r = &c.r;
	c.b.model = &c.model;
	bool ok = try_case(&c, t->device);
	if (c.b.skip != NULL) {
		count_skip(t, c.b.skip);
	} else {
		t->ran++;
		t->passed += ok;
		t->failed += !ok;
	}
	if (!ok && c.b.skip == NULL) {
		size_t n = strlen(t->words);
		snprintf(t->words + n, sizeof t->words - n, "%s: %.150s\n", name, c.words);
		if (getenv("ADZE_ONNX_CASE") != NULL) {
			struct text text;
			text_init(&text, &mem_libc);
			ir_print(c.b.g, &text);
			printf("# %.*s\n", (int)text.len, text.at);
			text_fini(&text);
		}
	}
	ir_graph_destroy(c.b.g);
	arena_fini(&c.r);
}

static void print_report(const struct report *t)
{
	printf("# %d of ONNX's node cases: %d ran, %d passed, %d failed; %d out of scope:\n",
	       t->ran + t->skipped, t->ran, t->passed, t->failed, t->skipped);
	for (size_t i = 0; i < t->nwhy; i++)
		printf("#   %3d %s\n", t->why[i].n, t->why[i].reason);
	fflush(stdout);
}

TEST(onnx, node_cases)
{
	static struct report t;
	const char *folder = getenv("ADZE_ONNX_DATA"), *only = getenv("ADZE_ONNX_CASE");
	struct dirent **list;
	folder = folder != NULL ? folder : ONNX_DATA;
	int n = scandir(folder, &list, NULL, alphasort);
	if (n < 0)
		SKIP("no ONNX cases in %s: apt-get install -y libonnx-testdata", folder);
	adze_context *c = device_check_context(NULL, 1);
	struct diag d = {ADZE_OK, ""};
	CHECK_MSG(device_check_open(c, &t.device, &d) == ADZE_OK, "%s", d.text);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		if (strncmp(name, "test_", 5) == 0 && (only == NULL || strcmp(only, name) == 0))
			run_case(&t, folder, name);
		free(list[i]);
	}
	free(list);
	device_release(t.device);
	device_check_context_free(c);
	print_report(&t);
	CHECK_MSG(t.failed == 0, "%d cases failed:\n%s", t.failed, t.words);
	/* A reader that lost its way would leave most cases out. */
	CHECK(only != NULL || t.passed > t.skipped);
}
