/* SPDX-License-Identifier: Apache-2.0
 *
 * Every file of tests/golden/: a graph, what to do with it, and what must come out of that
 * (docs/ir.md says how to write one). ADZE_BLESS=1 writes what came out into the files.
 */
#include "tests/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/report.h"

#define EXPECT "# expect:"
#define ERROR "# error:"

struct golden {
	char path[1200];
	const char *name; /* in path */
	char *text;       /* the file */
	size_t len;
	char passes[200]; /* "" none */
	bool staged;      /* all passes up to `stage` */
	bool report;      /* the fusion report is expected, not the graph */
	enum ir_stage stage;
	const char *expect, *error; /* their lines in the text, or NULL */
};

static char *read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	*len = 0;
	for (size_t n = 1; f != NULL && n > 0; *len += n) {
		text = realloc(text, *len + 65536 + 1);
		n = text != NULL ? fread(text + *len, 1, 65536, f) : 0;
	}
	if (f != NULL)
		fclose(f);
	if (text != NULL)
		text[*len] = '\0';
	return text;
}

/* What follows `key` at the beginning of a line, NULL where no line begins so. */
static const char *find_line(const char *text, const char *key)
{
	for (const char *at = text; at != NULL; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, key, strlen(key)) == 0)
			return at;
	}
	return NULL;
}

static void read_setting(const char *text, const char *key, char *out, size_t cap)
{
	const char *at = find_line(text, key);
	out[0] = '\0';
	if (at == NULL)
		return;
	at += strlen(key);
	at += strspn(at, " ");
	size_t n = strcspn(at, "\r\n");
	snprintf(out, cap, "%.*s", (int)n, at);
}

static bool read_golden(struct golden *t)
{
	char stage[40];
	t->text = read_file(t->path, &t->len);
	if (t->text == NULL)
		return false;
	read_setting(t->text, "# run:", t->passes, sizeof t->passes);
	read_setting(t->text, "# stage:", stage, sizeof stage);
	if (strcmp(t->passes, "none") == 0)
		t->passes[0] = '\0';
	for (int i = STAGE_GRAPH; i <= STAGE_PLANNED; i++) {
		if (strcmp(stage, ir_stage_name((enum ir_stage)i)) == 0) {
			t->stage = (enum ir_stage)i;
			t->staged = true;
		}
	}
	t->report = find_line(t->text, "# report") != NULL;
	t->expect = find_line(t->text, EXPECT);
	t->error = find_line(t->text, ERROR);
	return true;
}

/* Prints and parses again: the same text must come out, and the graph must be fit. */
static bool goes_round(const adze_graph *g, const struct text *first, struct diag *d)
{
	adze_graph *again = NULL;
	struct text second;
	text_init(&second, &mem_libc);
	bool ok = ir_verify(g, d) == ADZE_OK &&
		  ir_parse(&mem_libc, first->at, first->len, "printed", d, &again) == ADZE_OK;
	if (ok) {
		ir_print(again, &second);
		ok = !second.failed && second.len == first->len &&
		     memcmp(second.at, first->at, first->len) == 0;
		if (!ok)
			fail(d, ADZE_E_FORMAT, "printed and parsed again it reads:\n%.700s",
			     second.at != NULL ? second.at : "");
	}
	ir_graph_destroy(again);
	text_fini(&second);
	return ok;
}

/* The text that comes out; on a failure false and the words. */
static bool run_golden(const struct golden *t, struct text *out, struct diag *d)
{
	adze_graph *g = NULL;
	struct ir_pass_options options = {.passes = t->staged ? NULL : t->passes,
					  .until = t->stage,
					  .narrow_products =
						  find_line(t->text, "# narrow") != NULL};
	bool ok = ir_parse(&mem_libc, t->text, t->len, t->name, d, &g) == ADZE_OK;
	if (ok && (t->staged || t->passes[0] != '\0'))
		ok = ir_run_passes(&g, &options, d) == ADZE_OK;
	if (ok) {
		ir_print(g, out);
		ok = !out->failed && goes_round(g, out, d);
	}
	if (ok && t->report) {
		out->len = 0;
		ir_report_print(g, out);
		ok = !out->failed;
	}
	ir_graph_destroy(g);
	return ok;
}

/* Writes each line of `text` as a comment. */
static void add_comment(struct text *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = 0;
		while (i + n < len && text[i + n] != '\n')
			n++;
		text_add(out, "#%s%.*s\n", n > 0 && text[i] != '\t' ? " " : "", (int)n, text + i);
		i += n + 1;
	}
}

static void print_lines(const char *mark, const char *from, const char *to)
{
	while (from < to) {
		size_t n = strcspn(from, "\n");
		fprintf(stderr, "%s%.*s\n", mark, (int)n, from);
		from += n + 1;
	}
}

/* The lines between the common beginning and the common end. */
static void print_difference(const char *want, const char *got)
{
	const char *w = want, *g = got, *we = want + strlen(want), *ge = got + strlen(got);
	size_t n = 0;
	for (size_t i = 0; w[i] != '\0' && w[i] == g[i]; i++)
		if (w[i] == '\n')
			n = i + 1;
	w += n;
	g += n;
	for (;;) {
		const char *a = we, *b = ge;
		if (a == w || b == g)
			break;
		for (a--; a > w && a[-1] != '\n'; a--)
			continue;
		for (b--; b > g && b[-1] != '\n'; b--)
			continue;
		if (we - a != ge - b || memcmp(a, b, (size_t)(we - a)) != 0)
			break;
		we = a;
		ge = b;
	}
	print_lines("  expected ", w, we);
	print_lines("  got      ", g, ge);
}

static bool write_file(const char *path, const struct text *t)
{
	FILE *f = fopen(path, "wb");
	bool ok = f != NULL && fwrite(t->at, 1, t->len, f) == t->len;
	return f != NULL && fclose(f) == 0 && ok;
}

/* The file with a new expectation in the place of the old one. */
static bool bless(const struct golden *t, bool came, const struct text *out, const char *words)
{
	struct text file;
	const char *old = came ? t->expect : t->error;
	size_t head = old != NULL ? (size_t)(old - t->text) : t->len;
	text_init(&file, &mem_libc);
	text_bytes(&file, t->text, head);
	if (came) {
		text_add(&file, EXPECT "\n");
		add_comment(&file, out->at, out->len);
	} else {
		text_add(&file, ERROR " %s\n", words);
		const char *rest = old != NULL ? strchr(old, '\n') : NULL;
		if (rest != NULL)
			text_add(&file, "%s", rest + 1);
	}
	bool ok = !file.failed && write_file(t->path, &file);
	fprintf(stderr, "%s: %s\n", t->name, ok ? "blessed" : "could not be written");
	text_fini(&file);
	return ok;
}

/* "3:14: words": the place as it stands, the words anywhere behind it. */
static bool error_is(const char *line, const char *words)
{
	const char *want = line + strlen(ERROR);
	want += strspn(want, " ");
	size_t place = strcspn(want, " \n"), n = strcspn(want, "\r\n");
	char rest[1100];
	if (n <= place + 1 || strncmp(want, words, place) != 0)
		return false;
	snprintf(rest, sizeof rest, "%.*s", (int)(n - place - 1), want + place + 1);
	return strstr(words + place, rest) != NULL;
}

static bool is_as_expected(const struct golden *t, bool came, const struct text *out,
			   const char *words)
{
	if (!came) {
		if (t->error != NULL && error_is(t->error, words))
			return true;
		fprintf(stderr, "%s: %s\n", t->name, words);
		if (t->error != NULL)
			print_lines("  expected ", t->error, t->error + strcspn(t->error, "\n"));
		return false;
	}
	struct text want;
	text_init(&want, &mem_libc);
	text_add(&want, EXPECT "\n");
	add_comment(&want, out->at, out->len);
	bool ok = t->expect != NULL && strcmp(t->expect, want.at) == 0;
	if (!ok) {
		fprintf(stderr, "%s: what came out is not what the file expects\n", t->name);
		print_difference(t->expect != NULL ? t->expect : "", want.at);
	}
	text_fini(&want);
	return ok;
}

static bool check_golden(const char *dir, const char *name, bool blessing)
{
	struct golden t = {.name = name};
	struct text out;
	struct diag d = {ADZE_OK, ""};
	snprintf(t.path, sizeof t.path, "%s/%s", dir, name);
	if (!read_golden(&t)) {
		fprintf(stderr, "%s cannot be read\n", t.path);
		return false;
	}
	text_init(&out, &mem_libc);
	bool came = run_golden(&t, &out, &d);
	const char *words = d.text;
	if (strncmp(words, name, strlen(name)) == 0 && words[strlen(name)] == ':')
		words += strlen(name) + 1;
	bool ok = is_as_expected(&t, came, &out, words);
	/* A file that expects a graph is not blessed with an error, nor the other way round. */
	if (!ok && blessing && (came ? t.error : t.expect) == NULL)
		ok = bless(&t, came, &out, words);
	text_fini(&out);
	free(t.text);
	return ok;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

TEST(golden, files)
{
	char dir[1024];
	char *name[1000];
	size_t n = 0, failed = 0;
	const char *blessing = getenv("ADZE_BLESS");
	snprintf(dir, sizeof dir, "%s/golden", check_source_dir());
	DIR *d = opendir(dir);
	CHECK_MSG(d != NULL, "%s cannot be opened", dir);
	for (struct dirent *e = readdir(d); e != NULL && n < 1000; e = readdir(d)) {
		size_t len = strlen(e->d_name);
		if (len > 4 && strcmp(e->d_name + len - 4, ".air") == 0)
			name[n++] = strdup(e->d_name);
	}
	closedir(d);
	qsort(name, n, sizeof *name, by_name);
	for (size_t i = 0; i < n; i++) {
		failed += !check_golden(dir, name[i], blessing != NULL && blessing[0] == '1');
		free(name[i]);
	}
	CHECK_MSG(n > 0, "there is no .air file in %s", dir);
	CHECK_MSG(failed == 0,
		  "%zu of %zu golden files differ, see above; where the new text is right, run "
		  "again with ADZE_BLESS=1 to write it into the files",
		  failed, n);
}
