/* SPDX-License-Identifier: Apache-2.0
 *
 * What adze run --profile writes: the trace as the Trace Event Format wants it, JSON lines that
 * add up, and a drawing that is well formed.
 */
#include <jansson.h>
#include <math.h>
#include <unistd.h>

#include "cmd_profile.h"
#include "svg.h"
#include "tests/api_fixture.h"

static const char graph_text[] =
	"graph traced(%x: f32[n<=600, 300], %w: f32[200, 300]) {\n"
	"	body twice(%n: f32[n<=600, 200]) {\n"
	"		%1 = add %n, %n\n"
	"		return n=%1\n"
	"	}\n"
	"	%1 = dot %x, %w, sum_a=[1], sum_b=[1]\n"
	"	%2 = scan %1, body=twice, carry=1, length=3\n"
	"	%3 = softmax %2, axis=1\n"
	"	return y=%3\n"
	"}\n";

struct traced {
	struct life l;
	adze_exe *exe;
	adze_module *module;
	adze_profile *profile;
	struct profile_view view;
	char folder[512], path[600];
};

static void begin(struct traced *t, int calls)
{
	adze_config config;
	adze_graph *g;
	static float x[600 * 300];
	memset(t, 0, sizeof *t);
	adze_config_init(&config);
	config.cache_dir = check_temp_dir(t->folder, sizeof t->folder);
	config.threads = 2;
	life_begin_with(&t->l, &config);
	OK(&t->l, adze_graph_parse(t->l.context, graph_text, strlen(graph_text), "traced.air", &g));
	OK(&t->l, adze_compile(t->l.device, g, &t->exe));
	adze_graph_destroy(g);
	OK(&t->l, adze_bind(t->exe, NULL, 0, &t->module));
	CHECK(cmd_profile_begin(t->l.context, t->exe, t->module, calls, &t->profile) == CMD_OK);
	adze_buffer *in[2] = {buffer_of(&t->l, ADZE_F32, "600 300", x),
			      buffer_of(&t->l, ADZE_F32, "200 300", x)}, *out = NULL;
	for (int i = 0; i < calls; i++)
		OK(&t->l, adze_call(t->module, in, 2, &out, 1, NULL));
	adze_buffer_destroy(in[0]);
	adze_buffer_destroy(in[1]);
	adze_buffer_destroy(out);
	cmd_profile_view(t->l.context, t->exe, t->profile, "traced", &t->view);
}

static void end(struct traced *t)
{
	cmd_profile_close(&t->view);
	adze_module_destroy(t->module);
	adze_profile_destroy(t->profile);
	adze_exe_destroy(t->exe);
	life_end(&t->l);
}

static const char *path_of(struct traced *t, const char *name)
{
	snprintf(t->path, sizeof t->path, "%s/%s", t->folder, name);
	return t->path;
}

static double number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);
	CHECK_MSG(json_is_number(v), "%s is no number", key);
	return json_number_value(v);
}

static const char *word(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	CHECK_MSG(s != NULL, "%s is no string", key);
	return s;
}

/* Spans of one track, in their order: each lies in the one that is open, or behind it. */
struct track {
	double end[8], last;
	int depth, most;
};

static void check_span(struct track *t, const json_t *e)
{
	double from = number(e, "ts"), to = from + number(e, "dur"), tick = 2e-3;
	CHECK(from >= t->last - tick && to >= from);
	while (t->depth > 0 && from >= t->end[t->depth - 1] - tick)
		t->depth--;
	CHECK_MSG(t->depth == 0 || to <= t->end[t->depth - 1] + tick,
		  "%s leaves what it is inside of", word(e, "name"));
	CHECK(t->depth < 8);
	t->end[t->depth++] = to;
	t->most = t->depth > t->most ? t->depth : t->most;
	t->last = from;
}

TEST(trace, spans_nest_and_follow_each_other)
{
	struct traced t;
	struct track track[8] = {{{0}, 0, 0, 0}};
	int named[8] = {0}, calls = 0, steps = 0;
	begin(&t, 3);
	struct profile_options o = {.trace = path_of(&t, "t.json")};
	CHECK(cmd_profile_write(&t.view, t.profile, &o) == CMD_OK);
	json_t *all = json_load_file(o.trace, 0, NULL), *e;
	json_t *events = json_object_get(all, "traceEvents");
	size_t i;
	CHECK(json_is_array(events));
	/* Calls come before their steps in the file; a viewer sorts by time, as here. */
	for (int round = 0; round < 2; round++)
		json_array_foreach(events, i, e) {
			int tid = (int)number(e, "tid");
			const char *phase = word(e, "ph");
			CHECK(number(e, "pid") == 1 && tid >= 1 && tid < 8);
			if (round == 0) {
				CHECK(strlen(phase) == 1 && strchr("MXI", phase[0]) != NULL);
				named[tid] |= strcmp(word(e, "name"), "thread_name") == 0;
				calls += phase[0] == 'X' && strcmp(word(e, "cat"), "call") == 0;
				steps += phase[0] == 'X' && strcmp(word(e, "cat"), "step") == 0;
			} else if (phase[0] == 'X' && strcmp(word(e, "cat"), "call") != 0) {
				CHECK(named[tid]);
				check_span(&track[tid], e);
			}
		}
	/* product, scan and its body three times, softmax: the body's steps inside of the scan. */
	CHECK(calls == 3 && steps == 3 * 6 && track[1].most == 2);
	json_decref(all);
	end(&t);
}

TEST(trace, steps_say_what_they_are)
{
	struct traced t;
	bool found = false;
	begin(&t, 1);
	struct profile_options o = {.trace = path_of(&t, "t.json")};
	CHECK(cmd_profile_write(&t.view, t.profile, &o) == CMD_OK);
	json_t *all = json_load_file(o.trace, 0, NULL), *e;
	size_t i;
	json_array_foreach(json_object_get(all, "traceEvents"), i, e) {
		const json_t *args = json_object_get(e, "args");
		if (strcmp(word(e, "name"), "gemm f32") != 0 || strcmp(word(e, "cat"), "step") != 0)
			continue;
		found = true;
		CHECK(number(args, "flops") == 2.0 * 600 * 300 * 200);
		CHECK(number(args, "bytes_read") == 4.0 * (600 * 300 + 200 * 300));
		CHECK(strcmp(word(args, "shapes"), "f32[600,200] f32[600,300] f32[300,200]") == 0);
		CHECK(strcmp(word(args, "what"), "dot") == 0 && number(args, "line") == 6);
	}
	CHECK(found);
	json_decref(all);
	end(&t);
}

TEST(lines, add_up)
{
	struct traced t;
	char line[4096];
	double us = 0, flops = 0, total = 0, want = 0;
	int n = 0;
	begin(&t, 4);
	struct profile_options o = {.table = true, .file = path_of(&t, "p.json"), .json = true};
	CHECK(cmd_profile_write(&t.view, t.profile, &o) == CMD_OK);
	FILE *in = fopen(o.file, "r");
	CHECK(in != NULL);
	for (; fgets(line, sizeof line, in) != NULL; n++) {
		json_t *v = json_loads(line, 0, NULL);
		CHECK_MSG(v != NULL, "no JSON: %s", line);
		if (strcmp(word(v, "profile"), "calls") == 0) {
			total = number(v, "steps_us");
			want = number(v, "flops");
			CHECK(number(v, "calls") == 4 && number(v, "lost_records") == 0);
			CHECK(number(v, "live_bytes") <= number(v, "arena_bytes"));
		} else {
			us += number(v, "total_us");
			flops += number(v, "flops");
			CHECK(number(v, "runs") == 4 || number(v, "runs") == 12);
		}
		json_decref(v);
	}
	fclose(in);
	CHECK(n == 5 && fabs(us - total) < 0.01 && flops == want);
	end(&t);
}

static int count(const char *text, const char *what)
{
	int n = 0;
	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

TEST(report, is_well_formed)
{
	struct traced t;
	struct text out;
	begin(&t, 2);
	CHECK(profile_draw(&t.view, &out));
	CHECK(strncmp(out.at, "<svg ", 5) == 0 && count(out.at, "</svg>") == 1);
	CHECK(count(out.at, "<g>") == count(out.at, "</g>") && count(out.at, "<g>") >= 6);
	CHECK(count(out.at, "nan") == 0 && count(out.at, "inf") == 0);
	CHECK(strstr(out.at, "gemm f32") != NULL && strstr(out.at, "softmax f32") != NULL);
	text_fini(&out);
	/* Without ceilings, and without any step. */
	memset(&t.view.ceilings, 0, sizeof t.view.ceilings);
	memset(&t.view.top, 0, sizeof t.view.top);
	CHECK(profile_draw(&t.view, &out));
	CHECK(count(out.at, "nan") == 0 && count(out.at, "inf") == 0);
	text_fini(&out);
	t.view.nrow = 0;
	CHECK(profile_draw(&t.view, &out));
	CHECK(count(out.at, "nan") == 0 && count(out.at, "inf") == 0);
	text_fini(&out);
	end(&t);
}

TEST(ceilings, are_kept)
{
	char folder[512];
	struct ceilings c = {1.5, 2, 3, 4, 5, 6, 7, 8, 9}, have;
	check_temp_dir(folder, sizeof folder);
	CHECK(!ceilings_load(folder, 2, 1, &have) && !ceilings_load(NULL, 2, 1, &have));
	CHECK(ceilings_save(folder, 2, 1, &c) && !ceilings_save(NULL, 2, 1, &c));
	CHECK(ceilings_load(folder, 2, 1, &have) && memcmp(&have, &c, sizeof c) == 0);
	CHECK(!ceilings_load(folder, 1, 1, &have) && !ceilings_load(folder, 2, 3, &have));
	CHECK(!ceilings_save("/dev/null/no", 2, 1, &c));
}
