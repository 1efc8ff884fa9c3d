/* SPDX-License-Identifier: Apache-2.0
 *
 * adze inspect: what is in a weight file, a .npy file, an executable or a graph.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "base/dtype.h"
#include "base/file.h"
#include "cmd.h"
#include "npy.h"
#include "safetensors.h"

/* Metadata is cut to this on a terminal; JSON has all of it. */
enum { METADATA_SHOWN = 300 };

/* ---- weight files ---- */

static void shape_cell(const adze_shape *s, char *out, size_t cap)
{
	size_t at = (size_t)snprintf(out, cap, "[");
	for (int i = 0; i < s->rank && at < cap; i++)
		at += (size_t)snprintf(out + at, cap - at, "%s%" PRId64, i > 0 ? ", " : "",
				       s->dim[i].size);
	if (at < cap)
		snprintf(out + at, cap - at, "]");
}

static void print_store(const char *path, const struct safetensors *s)
{
	struct cmd_table t = {.columns = 4};
	char text[512], size[32];
	uint64_t total = 0;
	CMD_ROW(&t, "NAME", "TYPE", "SHAPE", "BYTES");
	for (size_t i = 0; i < s->nentry; i++) {
		const struct safetensors_entry *e = &s->entry[i];
		char shape[256], bytes[32];
		shape_cell(&e->shape, shape, sizeof shape);
		snprintf(bytes, sizeof bytes, "%zu", e->bytes);
		CMD_ROW(&t, e->name, e->dtype_name, shape, bytes);
		total += e->bytes;
	}
	printf("%s: safetensors, %zu tensor%s, %s", cmd_clean(path, text, sizeof text), s->nentry,
	       s->nentry == 1 ? "" : "s", cmd_bytes((double)total, size, sizeof size));
	if (s->nfile > 1)
		printf(" in %zu files", s->nfile);
	putchar('\n');
	if (s->nentry > 0)
		cmd_table_print(&t, "  ");
	else
		cmd_table_free(&t);
	if (s->nmetadata == 0)
		return;
	t = (struct cmd_table){.columns = 2};
	for (size_t i = 0; i < s->nmetadata; i++) {
		snprintf(text, sizeof text, "%.*s%s", METADATA_SHOWN, s->metadata[i].value,
			 strlen(s->metadata[i].value) > METADATA_SHOWN ? " ..." : "");
		CMD_ROW(&t, s->metadata[i].key, text);
	}
	puts("metadata");
	cmd_table_print(&t, "  ");
}

static void print_store_json(const char *path, const struct safetensors *s)
{
	json_t *o = json_object(), *files = json_array(), *tensors = json_array();
	json_t *metadata = json_object();
	for (size_t i = 0; i < s->nfile; i++)
		cmd_append(files, cmd_json_text(s->file[i].path));
	for (size_t i = 0; i < s->nentry; i++) {
		const struct safetensors_entry *e = &s->entry[i];
		json_t *v = json_object();
		cmd_put(v, "name", cmd_json_text(e->name));
		cmd_put(v, "dtype", cmd_json_text(e->dtype_name));
		cmd_put(v, "shape", cmd_json_shape(&e->shape));
		cmd_put(v, "bytes", json_integer((json_int_t)e->bytes));
		cmd_append(tensors, v);
	}
	for (size_t i = 0; i < s->nmetadata; i++)
		cmd_put(metadata, s->metadata[i].key, cmd_json_text(s->metadata[i].value));
	cmd_put(o, "path", cmd_json_text(path));
	cmd_put(o, "kind", json_string("safetensors"));
	cmd_put(o, "files", files);
	cmd_put(o, "tensors", tensors);
	cmd_put(o, "metadata", metadata);
	cmd_json_print(o);
}

static int inspect_store(const char *path, bool json)
{
	struct diag d = {ADZE_OK, ""};
	struct safetensors *s;
	if (safetensors_open(&mem_libc, path, &d, &s) != ADZE_OK)
		return cmd_failed_diag(&d);
	if (json)
		print_store_json(path, s);
	else
		print_store(path, s);
	safetensors_close(s);
	return CMD_OK;
}

/* ---- .npy ---- */

static int inspect_npy(const char *path, bool json)
{
	struct diag d = {ADZE_OK, ""};
	struct npy n;
	if (npy_read(&mem_libc, path, &d, &n) != ADZE_OK)
		return cmd_failed_diag(&d);
	const char *dtype = dtype_info(n.shape.dtype)->name;
	if (json) {
		json_t *o = json_object();
		cmd_put(o, "path", cmd_json_text(path));
		cmd_put(o, "kind", json_string("npy"));
		cmd_put(o, "dtype", json_string(dtype));
		cmd_put(o, "shape", cmd_json_shape(&n.shape));
		cmd_put(o, "bytes", json_integer((json_int_t)n.bytes));
		cmd_json_print(o);
	} else {
		char text[512], shape[256];
		shape_cell(&n.shape, shape, sizeof shape);
		printf("%s: npy, %s%s, %zu bytes\n", cmd_clean(path, text, sizeof text), dtype,
		       shape, n.bytes);
	}
	npy_close(&n);
	return CMD_OK;
}

/* ---- graphs and executables ---- */

static void values_rows(struct cmd_table *t, const char *role, const struct exe_signature *s,
			const struct exe_value *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		char shape[SHAPE_TEXT], bytes[32], note[128] = "";
		snprintf(bytes, sizeof bytes, "%" PRId64, shape_bytes(&v[i].shape));
		if (v[i].into >= 0)
			snprintf(note, sizeof note, "takes the memory of input %s",
				 s->input[v[i].into].name);
		CMD_ROW(t, role, v[i].name, shape_print(&v[i].shape, shape, sizeof shape), bytes,
			note);
	}
}

static void print_signature(const struct exe_signature *s)
{
	struct cmd_table t = {.columns = 5};
	CMD_ROW(&t, "ROLE", "NAME", "SHAPE", "BYTES", "");
	values_rows(&t, "input", s, s->input, s->ninput);
	values_rows(&t, "weight", s, s->weight, s->nweight);
	values_rows(&t, "output", s, s->output, s->noutput);
	cmd_table_print(&t, "  ");
}

static json_t *values_json(const struct exe_value *v, uint32_t n)
{
	json_t *a = json_array();
	for (uint32_t i = 0; i < n; i++) {
		json_t *o = json_object(), *axes = json_array();
		for (int k = 0; k < v[i].shape.rank; k++)
			cmd_append(axes, cmd_json_text(v[i].shape.dim[k].name));
		cmd_put(o, "name", cmd_json_text(v[i].name));
		cmd_put(o, "dtype", json_string(dtype_info(v[i].shape.dtype)->name));
		cmd_put(o, "shape", cmd_json_shape(&v[i].shape));
		cmd_put(o, "axes", axes);
		cmd_put(o, "bytes", json_integer(shape_bytes(&v[i].shape)));
		if (v[i].into >= 0)
			cmd_put(o, "into_input", json_integer(v[i].into));
		cmd_append(a, o);
	}
	return a;
}

static json_t *signature_json(const char *path, const char *kind, const struct exe_signature *s)
{
	json_t *o = json_object();
	cmd_put(o, "path", cmd_json_text(path));
	cmd_put(o, "kind", json_string(kind));
	cmd_put(o, "graph", cmd_json_text(s->graph));
	cmd_put(o, "inputs", values_json(s->input, s->ninput));
	cmd_put(o, "weights", values_json(s->weight, s->nweight));
	cmd_put(o, "outputs", values_json(s->output, s->noutput));
	return o;
}

static const char *const section_name[EXE_KIND_COUNT] = {
	"", "meta", "signature", "code", "consts", "cubin", "ptx", "source",
	"prepare", "names"};

static void print_exe_json(const char *path, const struct exe_file *x)
{
	json_t *o = signature_json(path, "executable", &x->signature), *sections = json_array();
	char print[32];
	snprintf(print, sizeof print, "%016" PRIx64, x->meta.fingerprint);
	cmd_put(o, "device", cmd_json_text(x->meta.device));
	cmd_put(o, "target", cmd_json_text(x->meta.target));
	cmd_put(o, "fingerprint", json_string(print));
	cmd_put(o, "arena_bytes", json_integer((json_int_t)x->signature.arena_bytes));
	cmd_put(o, "live_bytes", json_integer((json_int_t)x->signature.live_bytes));
	for (int i = 1; i < EXE_KIND_COUNT; i++) {
		json_t *v = json_object();
		cmd_put(v, "name", json_string(section_name[i]));
		cmd_put(v, "bytes", json_integer((json_int_t)x->section[i].len));
		if (x->section[i].len > 0)
			cmd_append(sections, v);
		else
			json_decref(v);
	}
	cmd_put(o, "sections", sections);
	cmd_json_print(o);
}

static int inspect_exe(const char *path, const struct cmd_file *file, bool json)
{
	struct diag d = {ADZE_OK, ""};
	struct exe_file x;
	int code = CMD_OK;
	if (exe_read(&mem_libc, file->at, file->len, &x, &d) != ADZE_OK) {
		cmd_error("%s: %s", path, d.text);
		code = CMD_FAILED;
	} else if (json) {
		print_exe_json(path, &x);
	} else {
		char text[512], name[512], size[32], least[32];
		printf("%s: executable of graph %s for %s:%s, %s\n",
		       cmd_clean(path, text, sizeof text),
		       cmd_clean(x.signature.graph, name, sizeof name), x.meta.device,
		       x.meta.target, cmd_bytes((double)file->len, size, sizeof size));
		print_signature(&x.signature);
		printf("memory of a call: %s, at least %s in this order\nsections:",
		       cmd_bytes((double)x.signature.arena_bytes, size, sizeof size),
		       cmd_bytes((double)x.signature.live_bytes, least, sizeof least));
		for (int i = 1; i < EXE_KIND_COUNT; i++)
			if (x.section[i].len > 0)
				printf(" %s %zu", section_name[i], x.section[i].len);
		putchar('\n');
	}
	exe_file_fini(&x);
	return code;
}

static int inspect_graph(const char *path, const struct cmd_file *file, bool json)
{
	struct exe_signature s;
	struct arena r;
	int code = CMD_FAILED;
	arena_init(&r, &mem_libc);
	adze_graph *g = cmd_file_graph(file, path);
	if (g != NULL && cmd_signature(g, &r, &s)) {
		code = CMD_OK;
		if (json) {
			json_t *o = signature_json(path, "graph", &s);
			cmd_put(o, "stage", json_string(ir_stage_name(g->stage)));
			cmd_put(o, "nodes", json_integer((json_int_t)g->nnode - 1));
			cmd_json_print(o);
		} else {
			char text[512], name[512];
			printf("%s: graph %s, %zu nodes\n", cmd_clean(path, text, sizeof text),
			       cmd_clean(g->name, name, sizeof name), g->nnode - 1);
			print_signature(&s);
		}
	}
	ir_graph_destroy(g);
	arena_fini(&r);
	return code;
}

/* ---- which it is ---- */

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text), k = strlen(end);
	return n >= k && strcmp(text + n - k, end) == 0;
}

static int inspect(const char *path, bool json)
{
	struct diag d = {ADZE_OK, ""};
	struct file_map map;
	char magic[8] = "";
	if (file_is_folder(path) || ends_in(path, ".json"))
		return inspect_store(path, json);
	if (file_map_open(path, &d, &map) != ADZE_OK)
		return cmd_failed_diag(&d);
	if (map.bytes >= sizeof magic)
		memcpy(magic, map.at, sizeof magic);
	file_map_close(&map);
	if (memcmp(magic, "\x93NUMPY", 6) == 0 || ends_in(path, ".npy"))
		return inspect_npy(path, json);
	bool exe = memcmp(magic, EXE_MAGIC, sizeof magic) == 0 || ends_in(path, ".adze");
	if (!exe && !ends_in(path, ".air"))
		return inspect_store(path, json);
	struct cmd_file file;
	int code = CMD_FAILED;
	if (cmd_file_open(path, &file))
		code = exe ? inspect_exe(path, &file, json) : inspect_graph(path, &file, json);
	cmd_file_close(&file);
	return code;
}

static int run_inspect(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'}, CMD_HELP_OPTION, {NULL, 0, NULL, 0}};
	bool json = false;
	int c;
	while ((c = cmd_option(&cmd_inspect, argc, argv, "h", options)) != -1) {
		if (c == 'h')
			return cmd_print_help(&cmd_inspect);
		if (c != 'j')
			return CMD_USAGE;
		json = true;
	}
	const char *path = cmd_operand(&cmd_inspect, argc, argv, "a file");
	return path == NULL ? CMD_USAGE : inspect(path, json);
}

const struct cmd cmd_inspect = {
	"inspect", "FILE [--json]", "Shows what is in a file of weights, a graph, an executable.",
	"      --json  as JSON\n"
	"\n"
	"FILE is .safetensors, the .index.json of a sharded one, a folder with either, .npy,\n"
	".adze or .air.\n",
	run_inspect};
