/* SPDX-License-Identifier: Apache-2.0
 *
 * What a profile holds, as a table, as JSON lines, and as a trace in the Trace Event Format of
 * Chrome and Perfetto.
 */
#include "config.h"

#include "cmd_profile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/file.h"
#include "devices/cpu/cpu_pool.h"
#include "devices/device.h"

/* Records of all calls together, at most: 56 bytes each. */
#define MOST_RECORDS ((size_t)1 << 20)
/* Rows of the table; JSON has all. */
#define MOST_ROWS 40

int cmd_profile_begin(adze_context *c, adze_exe *exe, adze_module *m, long calls,
		      adze_profile **out)
{
	adze_device *dev = exe->device;
	size_t steps = dev->ops->count_steps != NULL ? dev->ops->count_steps(dev, exe->loaded) : 0;
	size_t records;
	/* A record for a step and one for each thread of it, and some for loops. */
	if (!size_mul(steps, 3 * (size_t)calls, &records) || records > MOST_RECORDS)
		records = MOST_RECORDS;
	adze_status status = adze_profile_create(exe, (size_t)calls, records + 65536, out);
	if (status == ADZE_OK)
		status = adze_module_profile(m, *out);
	return status == ADZE_OK ? CMD_OK : cmd_failed(c, status);
}

/* ---- rows ---- */

static void *need(void *p)
{
	if (p == NULL) {
		cmd_error("memory could not be had");
		exit(CMD_FAILED);
	}
	return p;
}

static int longest_first(const void *a, const void *b)
{
	const struct profile_row *x = a, *y = b;
	return (x->ns < y->ns) - (x->ns > y->ns);
}

static bool alike(const adze_profile_step *a, const adze_profile_step *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->what, b->what) == 0 &&
	       strcmp(a->shapes, b->shapes) == 0;
}

static void add_cost(adze_cost *to, const adze_cost *c)
{
	to->read += c->read;
	to->written += c->written;
	to->flops += c->flops;
	to->ops += c->ops;
}

static void add_step(struct profile_view *v, const adze_profile_step *s)
{
	uint64_t ns = s->total_ns - s->inside_ns;
	struct profile_row *r = v->row;
	while (r < v->row + v->nrow && !alike(&r->step, s))
		r++;
	v->steps_ns += ns;
	add_cost(&v->cost, &s->cost);
	if (r == v->row + v->nrow) {
		*r = (struct profile_row){.step = *s, .steps = 1, .ns = ns};
		v->nrow++;
		return;
	}
	r->steps++;
	r->ns += ns;
	r->step.runs += s->runs;
	r->step.median_ns += s->median_ns;
	add_cost(&r->step.cost, &s->cost);
}

static void find_shares(struct profile_view *v)
{
	for (size_t i = 0; i < v->nrow; i++) {
		struct profile_row *r = &v->row[i];
		adze_bound bound;
		double least = adze_cost_seconds(&r->step.cost, &v->top, &bound);
		r->share = r->ns > 0 ? least / ((double)r->ns * 1e-9) : 0;
		r->bound = bound == ADZE_BOUND_NONE      ? "-"
			   : bound == ADZE_BOUND_COMPUTE ? "compute"
			   : r->share > 1                ? "cache"
							 : "memory";
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static void add_calls(struct profile_view *v, const adze_profile *p)
{
	uint64_t start, end, *ns = need(calloc(v->calls + 1, sizeof *ns));
	size_t n = 0;
	for (size_t i = 0; adze_profile_call_at(p, i, &start, &end); i++) {
		if (end == 0)
			continue;
		ns[n++] = end - start;
		v->calls_ns += end - start;
	}
	qsort(ns, n, sizeof *ns, by_value);
	v->median_ns = ns[n / 2];
	free(ns);
}

static void find_ceilings(struct profile_view *v, adze_context *c)
{
	int cores = cpu_topo_cores();
	v->threads = c->config.threads > 0 && c->config.threads < cores ? c->config.threads : cores;
	/* What is measured quickly may have met other work, and is not kept. */
	if (!ceilings_load(c->config.cache_dir, v->threads, c->isa_mask, &v->ceilings))
		v->ceilings = ceilings_measure(v->threads, c->isa_mask, true);
	const struct ceilings *t = &v->ceilings;
	v->top = (adze_ceilings){t->fma * 1e9, t->dot * 1e9, t->read * 1e9, t->copy * 1e9};
}

void cmd_profile_view(adze_context *c, adze_exe *exe, adze_profile *p, const char *graph,
		      struct profile_view *v)
{
	adze_profile_step s;
	char model[128];
	size_t n = 0;
	*v = (struct profile_view){.graph = graph, .arena_bytes = adze_exe_arena_bytes(exe),
				   .live_bytes = adze_exe_live_bytes(exe),
				   .weight_bytes = adze_exe_weight_bytes(exe)};
	find_ceilings(v, c);
	snprintf(v->device, sizeof v->device, "%s, %s, %d thread%s",
		 cpu_model(model, sizeof model), exe->device->target, v->threads,
		 v->threads > 1 ? "s" : "");
	v->calls = adze_profile_calls(p, &v->lost_calls);
	v->records = adze_profile_records(p, &v->lost_records);
	while (adze_profile_step_at(p, n, &s))
		n++;
	v->row = need(calloc(n + 1, sizeof *v->row));
	for (size_t i = 0; adze_profile_step_at(p, i, &s); i++)
		if (s.runs > 0)
			add_step(v, &s);
	find_shares(v);
	add_calls(v, p);
	qsort(v->row, v->nrow, sizeof *v->row, longest_first);
}

void cmd_profile_close(struct profile_view *v)
{
	free(v->row);
	v->row = NULL;
}

/* ---- the table ---- */

static const char *print(char *out, size_t cap, const char *format, double v)
{
	snprintf(out, cap, format, v);
	return out;
}
#define NUMBER(format, v) print((char[32]){0}, 32, format, v)

/* Operations and bytes a nanosecond; "-" for none. */
static const char *rate(char *out, size_t cap, double work, double ns)
{
	if (work <= 0 || ns <= 0)
		return "-";
	return print(out, cap, work / ns < 9.95 ? "%.2f" : "%.1f", work / ns);
}
#define RATE(work, ns) rate((char[32]){0}, 32, work, ns)

static void add_row(struct cmd_table *t, const struct profile_view *v, const struct profile_row *r)
{
	const adze_profile_step *s = &r->step;
	double ns = (double)r->ns, calls = v->calls > 0 ? (double)v->calls : 1;
	char where[300] = "", what[128];
	if (s->file[0] != '\0')
		snprintf(where, sizeof where, "%.200s:%d", s->file, s->line);
	if (r->steps > 1)
		snprintf(what, sizeof what, "%.80s (%zu alike)", s->what, r->steps);
	else
		snprintf(what, sizeof what, "%.80s %.40s", s->what, s->value);
	CMD_ROW(t, s->name, what, NUMBER("%.0f", (double)s->runs),
		NUMBER("%.1f", ns / calls * 1e-3),
		NUMBER("%.1f", v->calls_ns > 0 ? 100 * ns / (double)v->calls_ns : 0),
		RATE(s->cost.read + s->cost.written, ns), RATE(s->cost.flops + s->cost.ops, ns),
		r->share > 0 ? NUMBER("%.0f %%", 100 * r->share) : "-", r->bound, where);
}

static void print_ends(const struct profile_view *v, FILE *to)
{
	char a[32], b[32], w[32];
	const struct ceilings *c = &v->ceilings;
	double calls = v->calls > 0 ? (double)v->calls : 1;
	fprintf(to, "%zu call%s, median %.1f us, mean %.1f us, of which %.1f us between steps\n",
		v->calls, v->calls == 1 ? "" : "s", (double)v->median_ns * 1e-3,
		(double)v->calls_ns / calls * 1e-3,
		((double)v->calls_ns - (double)v->steps_ns) / calls * 1e-3);
	fprintf(to, "memory of a call: %s, at least %s in this order; weights: %s\n",
		cmd_bytes((double)v->arena_bytes, a, sizeof a),
		cmd_bytes((double)v->live_bytes, b, sizeof b),
		cmd_bytes((double)v->weight_bytes, w, sizeof w));
	if (c->fma > 0)
		fprintf(to, "ceilings (%s): %.0f GFLOP/s of f32, %.0f Gop/s of int8, "
			    "memory read %.1f, copied %.1f GB/s\n", v->device, c->fma, c->dot,
			v->top.read * 1e-9, c->copy);
	else
		fprintf(to, "ceilings (%s): this build cannot measure them\n", v->device);
	if (v->lost_records > 0 || v->lost_calls > 0)
		fprintf(to, "%zu records and %zu calls found no room: use a smaller --repeat\n",
			v->lost_records, v->lost_calls);
}

static void print_table(const struct profile_view *v, FILE *to)
{
	struct cmd_table t = {.columns = 10};
	uint64_t rest = 0;
	CMD_ROW(&t, "STEP", "WHAT", "RUNS", "US A CALL", "%", "GB/S", "GFLOP/S", "CEILING", "BOUND",
		"WHERE");
	for (size_t i = 0; i < v->nrow; i++) {
		if (i < MOST_ROWS)
			add_row(&t, v, &v->row[i]);
		else
			rest += v->row[i].ns;
	}
	cmd_table_write(&t, "", to);
	if (v->nrow > MOST_ROWS)
		fprintf(to, "%zu kinds of step more: %.1f %% of the time (--json has all)\n",
			v->nrow - MOST_ROWS, 100 * (double)rest / ((double)v->calls_ns + 1));
	print_ends(v, to);
}

/* ---- JSON lines ---- */

static void put_real(json_t *o, const char *key, double v)
{
	cmd_put(o, key, json_real(v));
}

static void put_count(json_t *o, const char *key, double v)
{
	cmd_put(o, key, json_integer((json_int_t)v));
}

static void put_cost(json_t *o, const adze_cost *c)
{
	put_count(o, "bytes_read", c->read);
	put_count(o, "bytes_written", c->written);
	put_count(o, "flops", c->flops);
	put_count(o, "int_ops", c->ops);
}

static void print_line(json_t *o, FILE *to)
{
	json_dumpf(o, to, JSON_COMPACT);
	fputc('\n', to);
	json_decref(o);
}

static json_t *call_json(const struct profile_view *v)
{
	json_t *o = json_object();
	cmd_put(o, "profile", json_string("calls"));
	cmd_put(o, "graph", cmd_json_text(v->graph));
	cmd_put(o, "machine", cmd_json_text(v->device));
	put_count(o, "threads", v->threads);
	put_count(o, "calls", (double)v->calls);
	put_real(o, "median_us", (double)v->median_ns * 1e-3);
	put_real(o, "total_us", (double)v->calls_ns * 1e-3);
	put_real(o, "steps_us", (double)v->steps_ns * 1e-3);
	put_cost(o, &v->cost);
	put_count(o, "arena_bytes", (double)v->arena_bytes);
	put_count(o, "live_bytes", (double)v->live_bytes);
	put_count(o, "weight_bytes", (double)v->weight_bytes);
	put_count(o, "lost_records", (double)v->lost_records);
	put_count(o, "lost_calls", (double)v->lost_calls);
	put_real(o, "ceiling_gflops", v->ceilings.fma);
	put_real(o, "ceiling_int8_gops", v->ceilings.dot);
	put_real(o, "ceiling_read_gbs", v->top.read * 1e-9);
	put_real(o, "ceiling_copy_gbs", v->ceilings.copy);
	return o;
}

static json_t *row_json(const struct profile_view *v, const struct profile_row *r)
{
	const adze_profile_step *s = &r->step;
	json_t *o = json_object();
	double ns = r->ns > 0 ? (double)r->ns : 1;
	cmd_put(o, "profile", json_string("step"));
	cmd_put(o, "step", cmd_json_text(s->name));
	cmd_put(o, "what", cmd_json_text(s->what));
	cmd_put(o, "value", cmd_json_text(s->value));
	cmd_put(o, "kernel", cmd_json_text(s->kernel));
	cmd_put(o, "shapes", cmd_json_text(s->shapes));
	cmd_put(o, "file", cmd_json_text(s->file));
	put_count(o, "line", s->line);
	put_count(o, "alike", (double)r->steps);
	put_count(o, "runs", (double)s->runs);
	put_real(o, "total_us", (double)r->ns * 1e-3);
	put_real(o, "median_us", (double)s->median_ns * 1e-3 / (double)r->steps);
	put_real(o, "share_of_time", v->calls_ns > 0 ? (double)r->ns / (double)v->calls_ns : 0);
	put_cost(o, &s->cost);
	put_real(o, "gbs", (s->cost.read + s->cost.written) / ns);
	put_real(o, "gflops", (s->cost.flops + s->cost.ops) / ns);
	put_real(o, "share_of_ceiling", r->share);
	cmd_put(o, "bound", json_string(r->bound));
	return o;
}

static void print_lines(const struct profile_view *v, FILE *to)
{
	print_line(call_json(v), to);
	for (size_t i = 0; i < v->nrow; i++)
		print_line(row_json(v, &v->row[i]), to);
}

/* ---- the trace ---- */

/* Tracks: calls with their steps, then what each thread did of steps that several share. */
enum { TRACK_CALLS = 1, TRACK_WORKERS };

static json_t *event(const char *phase, const char *name, int track)
{
	json_t *o = json_object();
	cmd_put(o, "ph", json_string(phase));
	cmd_put(o, "name", cmd_json_text(name));
	put_count(o, "pid", 1);
	put_count(o, "tid", track);
	return o;
}

static void print_event(json_t *o, const char *comma, FILE *to)
{
	json_dumpf(o, to, JSON_COMPACT);
	fprintf(to, "%s\n", comma);
	json_decref(o);
}

static void print_name(const char *kind, const char *name, int track, FILE *to)
{
	json_t *o = event("M", kind, track), *args = json_object();
	cmd_put(args, "name", cmd_json_text(name));
	cmd_put(o, "args", args);
	print_event(o, ",", to);
}

static json_t *span(const char *name, const char *category, int track, uint64_t start,
		    uint64_t end, uint64_t zero)
{
	json_t *o = event("X", name, track);
	cmd_put(o, "cat", json_string(category));
	put_real(o, "ts", (double)(start - zero) * 1e-3);
	put_real(o, "dur", (double)(end - start) * 1e-3);
	return o;
}

static json_t *record_event(adze_profile *p, const adze_profile_record *r, uint64_t zero)
{
	adze_profile_step s;
	adze_profile_step_at(p, r->step, &s);
	bool part = r->worker >= 0;
	json_t *o = span(s.name, part ? "part" : "step",
			 part ? TRACK_WORKERS + r->worker : TRACK_CALLS, r->start_ns, r->end_ns,
			 zero);
	json_t *args = json_object();
	cmd_put(args, "what", cmd_json_text(s.what));
	cmd_put(args, "value", cmd_json_text(s.value));
	put_count(args, "call", r->call);
	if (!part) {
		cmd_put(args, "shapes", cmd_json_text(r->shapes));
		cmd_put(args, "kernel", cmd_json_text(s.kernel));
		cmd_put(args, "file", cmd_json_text(s.file));
		put_count(args, "line", s.line);
		put_cost(args, &r->cost);
	}
	cmd_put(o, "args", args);
	return o;
}

static void print_trace(adze_profile *p, const struct profile_view *v, FILE *to)
{
	adze_profile_record r;
	uint64_t start, end, zero = 0;
	int workers = 0;
	char name[64];
	for (size_t i = 0; adze_profile_record_at(p, i, &r); i++)
		workers = r.worker >= workers ? r.worker + 1 : workers;
	adze_profile_call_at(p, 0, &zero, &end);
	fprintf(to, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n");
	print_name("process_name", v->graph, TRACK_CALLS, to);
	print_name("thread_name", "calls", TRACK_CALLS, to);
	for (int i = 0; i < workers; i++) {
		snprintf(name, sizeof name, i == 0 ? "thread that calls" : "worker %d", i);
		print_name("thread_name", name, TRACK_WORKERS + i, to);
	}
	for (size_t i = 0; adze_profile_call_at(p, i, &start, &end); i++) {
		snprintf(name, sizeof name, "call %zu", i);
		if (end > 0)
			print_event(span(name, "call", TRACK_CALLS, start, end, zero), ",", to);
	}
	for (size_t i = 0; adze_profile_record_at(p, i, &r); i++)
		print_event(record_event(p, &r, zero), ",", to);
	/* The format allows no comma behind the last, so a mark of the end comes last. */
	json_t *last = event("I", "end", TRACK_CALLS);
	put_real(last, "ts", (double)(end > zero ? end - zero : 0) * 1e-3);
	cmd_put(last, "s", json_string("g"));
	print_event(last, "", to);
	fprintf(to, "]}\n");
}

/* ---- files ---- */

struct memory_file {
	FILE *to;
	char *at;
	size_t len;
};

static bool memory_open(struct memory_file *m)
{
	*m = (struct memory_file){NULL, NULL, 0};
	m->to = open_memstream(&m->at, &m->len);
	return m->to != NULL;
}

/* Writes what was printed, and frees it. */
static int memory_write(struct memory_file *m, const char *path)
{
	struct diag d = {ADZE_OK, ""};
	bool good = fclose(m->to) == 0;
	if (!good)
		fail(&d, ADZE_E_NOMEM, "%s: no memory", path);
	else
		file_write(&mem_libc, path, m->at, m->len, &d);
	free(m->at);
	return d.status == ADZE_OK ? CMD_OK : cmd_failed_diag(&d);
}

static void print_profile(const struct profile_view *v, const struct profile_options *o, FILE *to)
{
	if (o->json)
		print_lines(v, to);
	else
		print_table(v, to);
}

static int write_table(const struct profile_view *v, const struct profile_options *o)
{
	struct memory_file m;
	if (!memory_open(&m))
		return cmd_failed(NULL, ADZE_E_NOMEM);
	print_profile(v, o, m.to);
	return memory_write(&m, o->file);
}

static int write_trace(adze_profile *p, const struct profile_view *v, const char *path)
{
	struct memory_file m;
	if (!memory_open(&m))
		return cmd_failed(NULL, ADZE_E_NOMEM);
	print_trace(p, v, m.to);
	return memory_write(&m, path);
}

static int write_report(const struct profile_view *v, const char *path)
{
	struct diag d = {ADZE_OK, ""};
	struct text out;
	if (!profile_draw(v, &out))
		fail(&d, ADZE_E_NOMEM, "%s: no memory", path);
	else
		file_write(&mem_libc, path, out.at, out.len, &d);
	text_fini(&out);
	return d.status == ADZE_OK ? CMD_OK : cmd_failed_diag(&d);
}

int cmd_profile_write(const struct profile_view *v, adze_profile *p,
		      const struct profile_options *o)
{
	int code = o->table && o->file != NULL ? write_table(v, o) : CMD_OK;
	if (code == CMD_OK && o->report != NULL)
		code = write_report(v, o->report);
	if (code == CMD_OK && o->trace != NULL)
		code = write_trace(p, v, o->trace);
	return code;
}

void cmd_profile_print(const struct profile_view *v, const struct profile_options *o)
{
	if (o->table && o->file == NULL)
		print_profile(v, o, stdout);
}
