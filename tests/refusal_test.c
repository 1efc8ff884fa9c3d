/* SPDX-License-Identifier: Apache-2.0
 *
 * What type rules refuse: every row of refusals.def, and that each thing that a rule can say is
 * said by the row of an operation of that rule.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/graph.h"
#include "tests/check.h"

struct refusal {
	const char *before, *line, *words;
	bool body; /* `before` is lines of the graph, else its parameters */
};

static const struct refusal rows[] = {
#define REFUSED(parameters, line, words) {parameters, line, words, false},
#define BODY_REFUSED(before, line, words) {before, line, words, true},
#include "tests/refusals.def"
};

/* What cannot be asked for in text, or only at a size that no test has. */
static const char *const unreachable[] = {
	"its elements do not fill that type", /* the parser counts them, */
	"a constant has no symbols",          /* and sees symbols */
	"the sum of extents overflows",
	"its results are too large",
	"the dilated operand is too large",
	"the window is too large",
	"it stands in a body, which has no weights", /* prepare_test */
	"its extents must be known",                 /* prepare_test */
	"it has more than 64 results",
	"it has more than 64 operands for its body",
	"it has more than 512 operands for its bodies",
	"a body has more than 64 outputs",
};

/* The operation of a line. */
static enum ir_op op_of(const char *line)
{
	return op_find(line, strcspn(line, " "));
}

TEST(refusal, every_row)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct refusal *r = &rows[i];
		char text[2000], at[40];
		struct diag d = {ADZE_OK, ""};
		adze_graph *g = NULL;
		int n = snprintf(text, sizeof text, "graph g(%s) {\n%s\n",
				 r->body ? "%p: bool[], %q: bool[2], %x: f32[2], %w: weight f32[2]"
					 : r->before,
				 r->body ? r->before : "");
		int line = 1;
		for (int k = 0; k < n; k++)
			line += text[k] == '\n';
		snprintf(text + n, sizeof text - (size_t)n, "%%refused = %s\nreturn\n}\n", r->line);
		snprintf(at, sizeof at, "t.air:%d:12: ", line);
		adze_status status = ir_parse(&mem_libc, text, strlen(text), "t.air", &d, &g);
		CHECK_MSG(status == ADZE_E_TYPE && g == NULL, "row %zu (%s): status %d, '%s'", i,
			  r->line, (int)status, d.text);
		CHECK_MSG(strncmp(d.text, at, strlen(at)) == 0, "row %zu: no '%s' in '%s'", i, at,
			  d.text);
		const char *name = op_info(op_of(r->line))->name;
		CHECK_MSG(strncmp(d.text + strlen(at), name, strlen(name)) == 0,
			  "row %zu: '%s' does not begin with %s", i, d.text, name);
		CHECK_MSG(strstr(d.text, r->words) != NULL, "row %zu (%s): no '%s' in '%s'", i,
			  r->line, r->words, d.text);
	}
}

/* ---- what the rules can say ---- */

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = calloc(1, 200000);
	CHECK_MSG(f != NULL && text != NULL, "%s cannot be read", path);
	CHECK(fread(text, 1, 199999, f) > 0);
	fclose(f);
	return text;
}

/* The strings of infer_refuse(q, "..." "..."), joined; false where it is given none. */
static bool read_words(const char *at, char *words, size_t cap)
{
	size_t n = 0;
	at = strchr(at, ',') + 1;
	for (;; at++) {
		at += strspn(at, " \t\n");
		if (*at != '"')
			break;
		for (at++; *at != '"'; at++)
			if (n + 1 < cap)
				words[n++] = *at;
	}
	words[n] = '\0';
	return n > 0;
}

/* Whether a row has these words from a rule of this name; "": from any. */
static bool is_heard(const char *rule, const char *words)
{
	for (size_t i = 0; i < COUNT_OF(unreachable); i++)
		if (strcmp(unreachable[i], words) == 0)
			return true;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const char *said = rows[i].words;
		bool same = strncmp(words, said, strlen(said)) == 0 || strstr(said, words) != NULL;
		if (same && (rule[0] == '\0' ||
			     strcmp(op_info(op_of(rows[i].line))->rule, rule) == 0))
			return true;
	}
	return false;
}

/* Goes through a file of rules; returns how many refusals nobody hears. */
static int check_file(const char *path)
{
	char *text = read_file(path), rule[80] = "", words[400];
	int deaf = 0;
	for (char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "adze_status infer_", 18) == 0)
			snprintf(rule, sizeof rule, "%.*s", (int)strcspn(line + 18, "("),
				 line + 18);
		else if (isalpha((unsigned char)line[0]))
			rule[0] = '\0'; /* a function that rules share */
		for (int op = OP_NONE; rule[0] != '\0'; op++) {
			if (op == OP_COUNT)
				rule[0] = '\0';
			else if (strcmp(op_info((enum ir_op)op)->rule, rule) == 0)
				break;
		}
		size_t len = strcspn(line, "\n");
		char *at = strstr(line, "infer_refuse(q, ");
		if (at == NULL || at > line + len || !read_words(at, words, sizeof words) ||
		    is_heard(rule, words))
			continue;
		fprintf(stderr, "# no row of refusals.def hears infer_%s() say \"%s\"\n", rule,
			words);
		deaf++;
	}
	free(text);
	return deaf;
}

TEST(refusal, every_rule_is_heard)
{
	char path[1400];
	int deaf = 0, files = 0;
	char folder_name[1100];
	snprintf(folder_name, sizeof folder_name, "%s/../ir", check_source_dir());
	DIR *folder = opendir(folder_name);
	CHECK(folder != NULL);
	for (struct dirent *e; (e = readdir(folder)) != NULL;) {
		size_t n = strlen(e->d_name);
		if (strncmp(e->d_name, "infer", 5) != 0 || strcmp(e->d_name + n - 2, ".c") != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder_name, e->d_name);
		deaf += check_file(path);
		files++;
	}
	closedir(folder);
	CHECK_MSG(files >= 4, "%d files of rules", files);
	CHECK_MSG(deaf == 0, "%d refusals have no row, see above", deaf);
}
