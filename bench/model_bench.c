/* SPDX-License-Identifier: Apache-2.0
 *
 * Whole models, their weights random: the time of a call. Llama decodes one token behind 64
 * others, or takes a prompt.
 */
#include "config.h"

#include "bench/bench.h"

#include <stdio.h>
#include <string.h>

#include "base/dtype.h"
#include "base/status.h"
#include "bench/nets.h"

enum { MOST_VALUES = 64, PLACE = 64, PROMPT = 512, SENTENCE = 128, IMAGE = 224 };

struct model {
	char name[96];
	const char *file; /* models of the same one share weights */
	void (*build)(adze_graph *g, const struct model *m);
	const void *shape;
	const char *weights; /* of matrices: an element type, or a block format */
	int batch, length; /* how often a call uses each matrix: batch * length */
	int64_t vocab;     /* integers of inputs are below */
	double once;       /* elements of matrices that only one row of a call meets */
	double flops;      /* besides those of matrices */
	int calls;         /* of a repeat */
};

struct job {
	adze_context *context;
	adze_device *device;
	adze_module *module;
	adze_buffer *in[MOST_VALUES], *out[MOST_VALUES];
	size_t nin, nout, arena, live;
};

static bool call_once(void *self)
{
	struct job *j = self;
	return adze_call(j->module, j->in, j->nin, j->out, j->nout, NULL) == ADZE_OK;
}

/* ---- the models ---- */

static const struct llama_shape llama[] = {
	{2048, 22, 32, 4, 5632, 32000, 1024}, /* TinyLlama */
	{768, 12, 12, 12, 2048, 32000, 1024},
};
static const char *const llama_name[] = {"llama_1b", "llama_110m"};
static const struct bert_shape minilm = {384, 6, 12, 1536, 30522, 512};
static const struct resnet_shape resnet50 = {64, {3, 4, 6, 3}, 1000};

static void build_llama(adze_graph *g, const struct model *m)
{
	llama_build(g, m->shape, m->weights, m->length == 1 ? "s=1" : "s<=512");
}

static void build_bert(adze_graph *g, const struct model *m)
{
	bert_build(g, m->shape, m->batch, m->length);
}

static void build_resnet(adze_graph *g, const struct model *m)
{
	resnet_build(g, m->shape, m->batch, IMAGE);
}

static adze_tensor linear(adze_tensor x, const char *name, int64_t out, int64_t in)
{
	char full[64], dims[64];
	snprintf(full, sizeof full, "%s.weight", name);
	snprintf(dims, sizeof dims, "%lld %lld", (long long)out, (long long)in);
	struct adze_nn_linear l = {.weight = adze_weight(x.graph, full, ADZE_F32, dims)};
	snprintf(full, sizeof full, "%s.bias", name);
	snprintf(dims, sizeof dims, "%lld", (long long)out);
	l.bias = adze_weight(x.graph, full, ADZE_F32, dims);
	return adze_nn_linear(l, x);
}

static adze_tensor input(adze_graph *g, const struct model *m, const char *format)
{
	char dims[64];
	snprintf(dims, sizeof dims, format, m->batch);
	return adze_input(g, "x", ADZE_F32, dims);
}

static void build_perceptron(adze_graph *g, const struct model *m)
{
	adze_tensor x = adze_relu(linear(input(g, m, "%d 784"), "fc1", 512, 784));
	adze_output(linear(x, "fc2", 10, 512), "y");
}

static void build_digits(adze_graph *g, const struct model *m)
{
	adze_tensor x = adze_relu(linear(input(g, m, "%d 64"), "fc1", 96, 64));
	adze_output(adze_softmax(linear(x, "fc2", 10, 96), "-1"), "y");
}

static adze_tensor convolution(adze_tensor x, const char *name, int out, int in)
{
	static const adze_window same = {.low = {1, 1}, .high = {1, 1}};
	char dims[64];
	snprintf(dims, sizeof dims, "%d %d 3 3", out, in);
	adze_tensor w = adze_weight(x.graph, name, ADZE_F32, dims);
	return adze_max_pool2d(adze_relu(adze_conv2d(x, w, &same)), 2, 2, NULL);
}

static void build_fashion(adze_graph *g, const struct model *m)
{
	adze_tensor x = input(g, m, "%d 1 28 28");
	x = convolution(convolution(x, "conv1", 16, 1), "conv2", 32, 16);
	x = adze_relu(linear(adze_reshape(x, "n=? in=1568"), "fc1", 24, 1568));
	adze_output(adze_softmax(linear(x, "fc2", 10, 24), "-1"), "y");
}

/* ---- their time ---- */

/* A buffer for input `i`. Symbols are the length of the call, and what is a scalar is a place. */
static bool make_input(const struct model *m, adze_exe *exe, size_t i, struct job *j)
{
	adze_shape s;
	if (!adze_exe_value(exe, ADZE_ROLE_INPUT, i, NULL, &s))
		return false;
	for (int k = 0; k < s.rank; k++)
		if (s.dim[k].symbol[0] != '\0') {
			s.dim[k].symbol[0] = '\0';
			s.dim[k].size = m->length;
		}
	if (adze_buffer_create(j->device, &s, &j->in[i]) != ADZE_OK)
		return false;
	void *at = adze_buffer_data(j->in[i]);
	bench_fill(s.dtype, at, (size_t)adze_shape_count(&s), m->vocab);
	if (s.rank == 0)
		dtype_store_int(s.dtype, at, 0, m->length == 1 ? PLACE : 0);
	return true;
}

static bool is_packed(const struct model *m)
{
	return adze_block_bytes(m->weights, 256) > 0;
}

/* Weights of another file go first: two at a time may be more than there is memory. */
static bool make_weights(const struct model *m, const adze_exe *exe, struct bench_weights *w,
			 const char **file)
{
	if (*file != NULL && strcmp(*file, m->file) == 0)
		return true;
	bench_weights_free(w);
	const char *format = is_packed(m) ? m->weights : NULL;
	*file = bench_weights_create(exe, format, w) ? m->file : NULL;
	return *file != NULL;
}

static bool prepare(const struct model *m, adze_graph *g, struct bench_weights *w,
		    const char **file, struct job *j)
{
	adze_exe *exe;
	adze_store *store = NULL;
	m->build(g, m);
	if (adze_compile(j->device, g, &exe) != ADZE_OK)
		return false;
	j->nin = adze_exe_count(exe, ADZE_ROLE_INPUT);
	j->nout = adze_exe_count(exe, ADZE_ROLE_OUTPUT);
	j->arena = adze_exe_arena_bytes(exe);
	j->live = adze_exe_live_bytes(exe);
	bool good = j->nin <= MOST_VALUES && j->nout <= MOST_VALUES &&
		    make_weights(m, exe, w, file) &&
		    adze_store_open_memory(j->context, w->at, w->bytes, &store) == ADZE_OK &&
		    adze_bind_store(exe, store, &j->module) == ADZE_OK;
	for (size_t i = 0; i < j->nin && good; i++)
		good = make_input(m, exe, i, j);
	for (size_t i = 0; i < j->nout && good; i++)
		if (adze_exe_donated(exe, i) >= 0)
			j->out[i] = j->in[adze_exe_donated(exe, i)];
	adze_store_close(store);
	adze_exe_destroy(exe);
	return good;
}

static void release(struct job *j)
{
	for (size_t i = 0; i < j->nout; i++) {
		bool donated = false;
		for (size_t k = 0; k < j->nin; k++)
			donated |= j->in[k] == j->out[i];
		if (!donated)
			adze_buffer_destroy(j->out[i]);
	}
	for (size_t i = 0; i < j->nin; i++)
		adze_buffer_destroy(j->in[i]);
	adze_module_destroy(j->module);
	adze_device_close(j->device);
	adze_context_destroy(j->context);
}

static void report(const struct model *m, int threads, const struct bench_weights *w,
		   const struct job *j, const struct bench_time *t)
{
	char parameters[128], extra[256];
	const struct ceilings *most = bench_ceilings(threads);
	double rows = (double)m->batch * m->length, ns = t->median * 1e3;
	double flops = m->flops + 2 * (w->matrix_count - m->once) * rows + 2 * m->once;
	/* Few weights stay in the caches from call to call. */
	double rate = w->matrix_bytes < 8e6 ? most->l3 : most->read;
	double peak = is_packed(m) ? most->dot : most->fma;
	double work = peak > 0 ? flops / peak : 0;
	double moved = rate > 0 ? w->matrix_bytes / rate : 0;
	snprintf(parameters, sizeof parameters, "\"threads\":%d", threads);
	snprintf(extra, sizeof extra,
		 "\"rows_s\":%.1f,\"gflops\":%.1f,\"gbs\":%.1f,\"share_of_ceiling\":%.3f,"
		 "\"weight_bytes\":%.0f,\"arena_bytes\":%zu,\"live_bytes\":%zu",
		 rows / ns * 1e9, flops / ns, w->matrix_bytes / ns,
		 (work > moved ? work : moved) / ns, w->matrix_bytes, j->arena, j->live);
	bench_print(m->name, parameters, t, extra);
}

static int run_model(const struct model *m, struct bench_weights *w, const char **file)
{
	int code = 0;
	for (int i = 0; bench_threads(i) > 0 && bench_wanted(m->name); i++) {
		struct job j = {.context = bench_context(bench_threads(i))};
		struct bench_time t;
		adze_graph *g = NULL;
		bench_function *run = call_once;
		void *self = &j;
		bool good = adze_device_open(j.context, "cpu", &j.device) == ADZE_OK &&
			    adze_graph_create(j.context, m->name, &g) == ADZE_OK &&
			    prepare(m, g, w, file, &j) &&
			    bench_measure(&run, &self, 1, m->calls, &t);
		if (good)
			report(m, bench_threads(i), w, &j, &t);
		else
			code |= bench_failed(j.context, m->name);
		adze_graph_destroy(g);
		release(&j);
	}
	return code;
}

static int run_llama(size_t which, const char *weights, struct bench_weights *w,
		     const char **file)
{
	static const int length[] = {1, 16, 128, PROMPT};
	const struct llama_shape *s = &llama[which];
	char name[32];
	int code = 0;
	snprintf(name, sizeof name, "%s_%s", llama_name[which], weights);
	for (size_t i = 0; i < COUNT_OF(length); i++) {
		double head = (double)s->vocab * s->dim;
		/* Keys and values that each row sees, twice two operations for each number. */
		double seen = length[i] == 1 ? PLACE + 1 : (length[i] + 1) / 2.0;
		struct model m = {.file = name, .build = build_llama, .shape = s,
				  .weights = weights, .batch = 1, .length = length[i],
				  .vocab = s->vocab, .once = head, .calls = 1,
				  .flops = 4.0 * s->layers * s->dim * seen * length[i]};
		if (length[i] == 1)
			snprintf(m.name, sizeof m.name, "%s_decode", name);
		else
			snprintf(m.name, sizeof m.name, "%s_prefill_%d", name, length[i]);
		code |= run_model(&m, w, file);
	}
	*file = NULL; /* the name goes */
	return code;
}

int model_bench(void)
{
	static const char *const type[] = {"f32", "f16", "bf16", "q8_0", "q4_0", "q4_k"};
	static const struct model small[] = {
		{"perceptron_784_512_10", "perceptron", build_perceptron, NULL, "f32", 1, 1, 0,
		 0, 0, 500},
		{"digits_batch_1", "digits", build_digits, NULL, "f32", 1, 1, 0, 0, 0, 2000},
		{"digits_batch_64", "digits", build_digits, NULL, "f32", 64, 1, 0, 0, 0, 500},
		{"fashion_batch_1", "fashion", build_fashion, NULL, "f32", 1, 1, 0, 0, 4.1e6,
		 10},
		{"fashion_batch_64", "fashion", build_fashion, NULL, "f32", 64, 1, 0, 0, 2.6e8,
		 1},
		{"minilm_batch_1", "minilm", build_bert, &minilm, "f32", 1, SENTENCE, 30522, 0,
		 4.0 * 6 * SENTENCE * SENTENCE * 384, 1},
		{"minilm_batch_8", "minilm", build_bert, &minilm, "f32", 8, SENTENCE, 30522, 0,
		 8 * 4.0 * 6 * SENTENCE * SENTENCE * 384, 1},
		{"resnet50_batch_1", "resnet50", build_resnet, &resnet50, "f32", 1, 1, 0, 0,
		 8.13e9, 1},
	};
	struct bench_weights w = {0};
	const char *file = NULL;
	int code = 0;
	for (size_t i = 0; i < COUNT_OF(small); i++)
		code |= run_model(&small[i], &w, &file);
	for (size_t i = COUNT_OF(llama); i-- > 0;)
		for (size_t k = 0; k < COUNT_OF(type); k++)
			code |= run_llama(i, type[k], &w, &file);
	bench_weights_free(&w);
	return code;
}
