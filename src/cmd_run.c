/* SPDX-License-Identifier: Apache-2.0
 *
 * adze run: a graph, or an executable, with weights and inputs from files. On the device
 * `reference` the evaluator that defines every operation runs, on the graph as it is written.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd_profile.h"
#include "devices/device.h"

struct options {
	const char *path, *weights, *inputs, *outputs, *device;
	struct cmd_pairs input, output;
	long threads, repeat;
	bool json, verbose;
	struct profile_options profile;
};

struct run {
	const struct options *o;
	struct cmd_file file;
	adze_context *context;
	adze_graph *graph;         /* reference alone */
	struct arena arena;
	struct exe_signature own;  /* reference alone */
	const struct exe_signature *sig;
	struct cmd_inputs in;
	adze_host_buffer **out;    /* one for each output */
	adze_store *store;
	adze_device *device;
	adze_exe *exe;
	adze_module *module;
	adze_profile *profile;
	adze_buffer **input, **output;
	double compile_ms, bind_ms, *call_ms;
};

static const struct option long_options[] = {
	{"weights", required_argument, NULL, 'w'}, {"input", required_argument, NULL, 'i'},
	{"inputs", required_argument, NULL, 'I'},  {"output", required_argument, NULL, 'o'},
	{"outputs", required_argument, NULL, 'O'}, {"device", required_argument, NULL, 'd'},
	{"threads", required_argument, NULL, 't'}, {"repeat", required_argument, NULL, 'r'},
	{"json", no_argument, NULL, 'j'},          {"verbose", no_argument, NULL, 'v'},
	{"profile", optional_argument, NULL, 'p'},
	{"profile-trace", required_argument, NULL, 'T'},
	{"report", required_argument, NULL, 'R'},  CMD_HELP_OPTION,
	{NULL, 0, NULL, 0}};

static int take_options(int argc, char **argv, struct options *o)
{
	const struct cmd *c = &cmd_run;
	int k;
	while ((k = cmd_option(c, argc, argv, "w:i:o:d:t:r:vh", long_options)) != -1) {
		bool good = true;
		switch (k) {
		case 'w': o->weights = optarg; break;
		case 'i': good = cmd_pairs_add(c, "--input", &o->input, optarg); break;
		case 'I': o->inputs = optarg; break;
		case 'o': good = cmd_pairs_add(c, "--output", &o->output, optarg); break;
		case 'O': o->outputs = optarg; break;
		case 'd': o->device = optarg; break;
		case 't': good = cmd_number(c, "--threads", optarg, 1, 1024, &o->threads); break;
		case 'r': good = cmd_number(c, "--repeat", optarg, 1, 1000000, &o->repeat); break;
		case 'j': o->json = true; break;
		case 'v': o->verbose = true; break;
		case 'p':
			o->profile.table = true;
			o->profile.file = optarg;
			break;
		case 'T': o->profile.trace = optarg; break;
		case 'R': o->profile.report = optarg; break;
		case 'h': cmd_print_help(c); return -1;
		default: return CMD_USAGE;
		}
		if (!good)
			return CMD_USAGE;
	}
	o->profile.json = o->json;
	o->path = cmd_operand(c, argc, argv, "GRAPH.air or FILE.adze");
	if (o->path == NULL)
		return CMD_USAGE;
	if (strcmp(o->device, "trace") == 0 && (o->output.n > 0 || o->outputs != NULL))
		return cmd_usage(c, "the device trace computes nothing that could be written");
	if (strcmp(o->device, "reference") == 0 && profile_wanted(&o->profile))
		return cmd_usage(c, "the reference has no steps that could be profiled");
	return CMD_OK;
}

/* ---- on a device ---- */

static int compile(struct run *r)
{
	const struct options *o = r->o;
	adze_status status = adze_device_open(r->context, o->device, &r->device);
	if (status != ADZE_OK)
		return cmd_failed(r->context, status);
	double start = cmd_now_ms();
	if (r->file.is_exe) {
		status = adze_exe_open(r->device, o->path, &r->exe);
	} else {
		adze_graph *g;
		status = adze_graph_parse(r->context, r->file.at, r->file.len, o->path, &g);
		if (status == ADZE_OK)
			status = adze_compile(r->device, g, &r->exe);
		adze_graph_destroy(g);
	}
	r->compile_ms = cmd_now_ms() - start;
	if (status != ADZE_OK)
		return cmd_failed(r->context, status);
	if (o->verbose && r->file.is_exe)
		fprintf(stderr, "adze: opened in %.3f ms\n", r->compile_ms);
	else if (adze_exe_was_cached(r->exe) && !o->json)
		fprintf(stderr, "adze: found in the cache for %s in %.3f ms\n", o->device,
			r->compile_ms);
	else if (o->verbose)
		fprintf(stderr, "adze: compiled for %s in %.3f ms\n", o->device, r->compile_ms);
	r->sig = &r->exe->file.signature;
	return CMD_OK;
}

static int need_weights(const struct run *r)
{
	char shape[SHAPE_TEXT];
	if (r->sig->nweight == 0 || r->o->weights != NULL)
		return CMD_OK;
	cmd_error("weight '%s' %s%s missing; give --weights FILE.safetensors",
		  r->sig->weight[0].name,
		  shape_print(&r->sig->weight[0].shape, shape, sizeof shape),
		  r->sig->nweight > 1 ? " and others are" : " is");
	return CMD_FAILED;
}

static int bind(struct run *r)
{
	double start = cmd_now_ms();
	adze_status status = ADZE_OK;
	if (r->o->weights != NULL)
		status = adze_store_open(r->context, r->o->weights, &r->store);
	if (status == ADZE_OK && r->store != NULL)
		status = adze_bind_store(r->exe, r->store, &r->module);
	else if (status == ADZE_OK)
		status = adze_bind(r->exe, NULL, 0, &r->module);
	for (uint32_t i = 0; i < r->sig->ninput && status == ADZE_OK; i++)
		status = adze_copy_in(r->device, r->in.at[i], &r->input[i]);
	r->bind_ms = cmd_now_ms() - start;
	return status == ADZE_OK ? CMD_OK : cmd_failed(r->context, status);
}

static int run_device(struct run *r)
{
	int code = bind(r);
	adze_status status = ADZE_OK;
	if (code == CMD_OK && profile_wanted(&r->o->profile))
		code = cmd_profile_begin(r->context, r->exe, r->module, r->o->repeat, &r->profile);
	if (code != CMD_OK)
		return code;
	for (long i = 0; i < r->o->repeat && status == ADZE_OK; i++) {
		double start = cmd_now_ms();
		status = adze_call(r->module, r->input, r->sig->ninput, r->output, r->sig->noutput,
				   NULL);
		r->call_ms[i] = cmd_now_ms() - start;
	}
	for (uint32_t i = 0; i < r->sig->noutput && status == ADZE_OK; i++)
		status = adze_copy_out(r->output[i], &r->out[i]);
	return status == ADZE_OK ? CMD_OK : cmd_failed(r->context, status);
}

/* ---- the reference ---- */

static int parse_reference(struct run *r)
{
	r->graph = cmd_file_graph(&r->file, r->o->path);
	if (r->graph == NULL || !cmd_signature(r->graph, &r->arena, &r->own))
		return CMD_FAILED;
	r->sig = &r->own;
	return CMD_OK;
}

/* The weights' bytes, in the order of the signature. */
static int view_weights(struct run *r, adze_host_buffer **weight)
{
	if (r->o->weights == NULL)
		return CMD_OK;
	adze_status status = adze_store_open(r->context, r->o->weights, &r->store);
	for (uint32_t i = 0; i < r->sig->nweight && status == ADZE_OK; i++) {
		const struct exe_value *want = &r->sig->weight[i];
		status = adze_store_view(r->store, want->name, &weight[i]);
		if (status == ADZE_OK &&
		    !device_fits(adze_host_buffer_shape(weight[i]), &want->shape)) {
			char a[SHAPE_TEXT], b[SHAPE_TEXT];
			cmd_error("weight '%s' is %s, and is %s in %s", want->name,
				  shape_print(&want->shape, a, sizeof a),
				  shape_print(adze_host_buffer_shape(weight[i]), b, sizeof b),
				  r->o->weights);
			return CMD_FAILED;
		}
	}
	return status == ADZE_OK ? CMD_OK : cmd_failed(r->context, status);
}

/* The values of symbols, and results of the shapes that follow from them. */
static int make_results(struct run *r, int64_t *symbol)
{
	const struct exe_signature *s = r->sig;
	struct diag d = {ADZE_OK, ""};
	adze_buffer *shape = arena_new(&r->arena, s->ninput + 1, sizeof *shape);
	adze_buffer **at = arena_new(&r->arena, s->ninput + 1, sizeof *at);
	if (shape == NULL || at == NULL)
		return cmd_failed(NULL, ADZE_E_NOMEM);
	for (uint32_t i = 0; i < s->ninput; i++) {
		shape[i].shape = *adze_host_buffer_shape(r->in.at[i]);
		at[i] = &shape[i];
	}
	if (device_symbols(s, at, symbol, &d) != ADZE_OK)
		return cmd_failed_diag(&d);
	for (uint32_t i = 0; i < s->noutput; i++) {
		adze_shape want = device_shape(s, &s->output[i].shape, symbol);
		adze_status status = adze_host_buffer_create(r->context, &want, &r->out[i]);
		if (status != ADZE_OK)
			return cmd_failed(r->context, status);
	}
	return CMD_OK;
}

/* State of one call becomes the input of the next. */
static bool carry_state(struct run *r, const void **in)
{
	for (uint32_t i = 0; i < r->sig->noutput; i++) {
		int32_t into = r->sig->output[i].into;
		if (into < 0)
			continue;
		size_t bytes = (size_t)shape_bytes(adze_host_buffer_shape(r->out[i]));
		void *copy = arena_new(&r->arena, bytes + 1, 1);
		if (copy == NULL)
			return false;
		memcpy(copy, adze_host_buffer_data(r->out[i]), bytes);
		in[into] = copy;
	}
	return true;
}

static int evaluate(struct run *r, adze_host_buffer *const *weight, const int64_t *symbol)
{
	const struct exe_signature *s = r->sig;
	struct diag d = {ADZE_OK, ""};
	const void **in = arena_new(&r->arena, s->ninput + 1, sizeof *in);
	const void **w = arena_new(&r->arena, s->nweight + 1, sizeof *w);
	void **out = arena_new(&r->arena, s->noutput + 1, sizeof *out);
	if (in == NULL || w == NULL || out == NULL)
		return cmd_failed(NULL, ADZE_E_NOMEM);
	for (uint32_t i = 0; i < s->ninput; i++)
		in[i] = adze_host_buffer_data(r->in.at[i]);
	for (uint32_t i = 0; i < s->nweight; i++)
		w[i] = adze_host_buffer_data(weight[i]);
	for (uint32_t i = 0; i < s->noutput; i++)
		out[i] = adze_host_buffer_data(r->out[i]);
	for (long i = 0; i < r->o->repeat; i++) {
		if (i > 0 && !carry_state(r, in))
			return cmd_failed(NULL, ADZE_E_NOMEM);
		double start = cmd_now_ms();
		if (ir_eval(r->graph, symbol, in, w, out, &d) != ADZE_OK)
			return cmd_failed_diag(&d);
		r->call_ms[i] = cmd_now_ms() - start;
	}
	return CMD_OK;
}

static int run_reference(struct run *r)
{
	int64_t symbol[ADZE_MAX_SYMBOLS];
	uint32_t n = r->sig->nweight;
	adze_host_buffer **weight = arena_new(&r->arena, n + 1, sizeof *weight);
	if (weight == NULL)
		return cmd_failed(NULL, ADZE_E_NOMEM);
	int code = view_weights(r, weight);
	if (code == CMD_OK)
		code = make_results(r, symbol);
	if (code == CMD_OK)
		code = evaluate(r, weight, symbol);
	for (uint32_t i = 0; i < n; i++)
		adze_host_buffer_destroy(weight[i]);
	return code;
}

/* ---- results ---- */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print_json(const struct run *r)
{
	json_t *o = json_object(), *outputs = json_array();
	long n = r->o->repeat;
	cmd_put(o, "graph", cmd_json_text(r->sig->graph));
	cmd_put(o, "device", cmd_json_text(r->o->device));
	if (r->exe != NULL) {
		cmd_put(o, "cached", json_boolean(!r->file.is_exe && adze_exe_was_cached(r->exe)));
		cmd_put(o, "compile_ms", json_real(r->compile_ms));
		cmd_put(o, "bind_ms", json_real(r->bind_ms));
		cmd_put(o, "arena_bytes", json_integer((json_int_t)adze_exe_arena_bytes(r->exe)));
	}
	cmd_put(o, "calls", json_integer(n));
	cmd_put(o, "call_median_ms", json_real(r->call_ms[n / 2]));
	cmd_put(o, "call_best_ms", json_real(r->call_ms[0]));
	for (uint32_t i = 0; i < r->sig->noutput && strcmp(r->o->device, "trace") != 0; i++)
		cmd_append(outputs, cmd_value_json(r->sig->output[i].name, r->out[i]));
	cmd_put(o, "outputs", outputs);
	cmd_json_print(o);
}

static int show(struct run *r)
{
	const struct options *o = r->o;
	if (!cmd_outputs_write(r->context, r->sig, r->out, &o->output, o->outputs))
		return CMD_FAILED;
	qsort(r->call_ms, (size_t)o->repeat, sizeof r->call_ms[0], by_value);
	bool lines = o->profile.table && o->profile.file == NULL;
	if (o->json) {
		if (!lines)
			print_json(r);
		return CMD_OK;
	}
	bool quiet = o->output.n > 0 || o->outputs != NULL || strcmp(o->device, "trace") == 0;
	for (uint32_t i = 0; i < r->sig->noutput && !quiet; i++)
		cmd_value_print(r->sig->output[i].name, r->out[i]);
	if (o->repeat > 1)
		printf("%ld calls: median %.4f ms, best %.4f ms\n", o->repeat,
		       r->call_ms[o->repeat / 2], r->call_ms[0]);
	return CMD_OK;
}

static int run_steps(struct run *r)
{
	bool reference = strcmp(r->o->device, "reference") == 0;
	bool trace = strcmp(r->o->device, "trace") == 0;
	r->context = cmd_context(r->o->threads, trace ? ADZE_LOG_INFO : ADZE_LOG_ERROR);
	if (r->context == NULL || !cmd_file_open(r->o->path, &r->file))
		return CMD_FAILED;
	int code = reference ? parse_reference(r) : compile(r);
	if (code == CMD_OK && !cmd_outputs_check(r->sig, &r->o->output))
		code = CMD_FAILED;
	if (code == CMD_OK && !cmd_inputs_open(r->context, r->sig, &r->o->input, r->o->inputs,
					       &r->in))
		code = CMD_FAILED;
	if (code == CMD_OK)
		code = need_weights(r);
	if (code != CMD_OK)
		return code;
	r->out = arena_new(&r->arena, r->sig->noutput + 1, sizeof *r->out);
	r->input = arena_new(&r->arena, r->sig->ninput + 1, sizeof *r->input);
	r->output = arena_new(&r->arena, r->sig->noutput + 1, sizeof *r->output);
	r->call_ms = arena_new(&r->arena, (size_t)r->o->repeat, sizeof *r->call_ms);
	if (r->out == NULL || r->input == NULL || r->output == NULL || r->call_ms == NULL)
		return cmd_failed(NULL, ADZE_E_NOMEM);
	code = reference ? run_reference(r) : run_device(r);
	if (code != CMD_OK || r->profile == NULL)
		return code == CMD_OK ? show(r) : code;
	struct profile_view v;
	cmd_profile_view(r->context, r->exe, r->profile, r->sig->graph, &v);
	code = cmd_profile_write(&v, r->profile, &r->o->profile);
	if (code == CMD_OK)
		code = show(r);
	if (code == CMD_OK)
		cmd_profile_print(&v, &r->o->profile);
	cmd_profile_close(&v);
	return code;
}

static void run_fini(struct run *r)
{
	for (uint32_t i = 0; r->out != NULL && i < r->sig->noutput; i++) {
		/* A donated input is its output, too, and has one owner. */
		if (r->sig->output[i].into < 0)
			adze_buffer_destroy(r->output[i]);
		adze_host_buffer_destroy(r->out[i]);
	}
	for (uint32_t i = 0; r->input != NULL && i < r->sig->ninput; i++)
		adze_buffer_destroy(r->input[i]);
	adze_module_destroy(r->module);
	adze_profile_destroy(r->profile);
	cmd_inputs_close(&r->in);
	adze_exe_destroy(r->exe);
	adze_store_close(r->store);
	adze_device_close(r->device);
	ir_graph_destroy(r->graph);
	if (r->context != NULL)
		adze_context_destroy(r->context);
	cmd_file_close(&r->file);
	arena_fini(&r->arena);
}

static int run_command(int argc, char **argv)
{
	struct options o = {.device = "cpu", .repeat = 1};
	struct run r = {.o = &o};
	int code = take_options(argc, argv, &o);
	if (code == CMD_OK) {
		arena_init(&r.arena, &mem_libc);
		code = run_steps(&r);
		run_fini(&r);
	}
	free(o.input.at);
	free(o.output.at);
	return code < 0 ? CMD_OK : code;
}

const struct cmd cmd_run = {
	"run", "GRAPH.air|FILE.adze [OPTION]...", "Runs a graph, or an executable.",
	"  -w, --weights FILE       weights: .safetensors, an index, or a folder\n"
	"  -i, --input NAME=FILE    an input from a .npy file; one for each\n"
	"      --inputs FILE        inputs by name from a .safetensors file\n"
	"  -o, --output NAME=FILE   writes an output as .npy; one for each\n"
	"      --outputs FILE       writes all outputs as .safetensors\n"
	"  -d, --device NAME        cpu (the default), reference, trace, cuda\n"
	"  -t, --threads N          most threads of a call\n"
	"  -r, --repeat N           calls N times; state goes from call to call\n"
	"      --json               prints outputs in full, and times, as JSON\n"
	"      --profile[=FILE]     a table of the steps, their times, bytes and operations;\n"
	"                           with --json an object a line, and no outputs\n"
	"      --profile-trace FILE all steps of all calls, for chrome://tracing or Perfetto\n"
	"      --report FILE.svg    a roofline: how near the steps are to what the machine can do\n"
	"  -v, --verbose            says how long compiling or opening took\n"
	"\n"
	"The device `reference` evaluates the graph as docs/ir.md defines it, slowly. `trace`\n"
	"computes nothing and logs what it was asked. Without --output and --outputs a short\n"
	"summary of each output is printed.\n",
	run_command};
