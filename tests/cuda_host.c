/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/cuda_host.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

/* Few blocks, so that kernels have to stride by the grid. */
#define HOST_BLOCKS 3

struct host {
	const adze_graph *g;
	const struct cuda_program *program;
	const int64_t *symbol;
	void **input; /* copies: donated ones are written */
	const void *const *weight;
	void *const *output;
	char *arena, *scratch;
	void *library;
	struct diag *d;
};

bool cuda_host_refuses(const adze_graph *g)
{
	bool refuses = false;
	for (ir_val v = 1; v < g->nnode; v++)
		refuses |= ir_class(g, v) == CLASS_PLAIN || ir_class(g, v) == CLASS_REGION ||
			   ir_class(g, v) == CLASS_ATTEND ||
			   dtype_info(ir_type(g, v)->dtype)->cuda == NULL;
	if (!refuses)
		return false;
	struct diag d = {ADZE_OK, ""};
	struct cuda_program p;
	adze_status status = cuda_emit(g, 80, &p, &d);
	CHECK_MSG(status == ADZE_E_UNSUPPORTED && strstr(d.text, "CUDA") != NULL, "%s: %s",
		  g->name, d.text);
	cuda_program_fini(&p);
	return true;
}

static const char *compiler(void)
{
	const char *name = getenv("CXX");
	return name != NULL && name[0] != '\0' ? name : "g++";
}

bool cuda_host_is_there(void)
{
	char command[1024];
	snprintf(command, sizeof command, "%s --version >/dev/null 2>&1", compiler());
	return system(command) == 0;
}

static bool write_text(const char *path, const struct cuda_program *p)
{
	FILE *f = fopen(path, "w");
	if (f == NULL)
		return false;
	fprintf(f, "#include \"%s/cuda_shim.h\"\n", check_source_dir());
	fwrite(p->source.at, 1, p->source.len, f);
	for (uint32_t i = 0; i < p->code.nkernel; i++)
		fprintf(f, "SHIM_KERNEL(%s)\n", p->code.kernel[i]);
	return fclose(f) == 0;
}

/* The library of the text before this one: a graph often runs more than once. */
static struct {
	char *source;
	void *library;
} last;

static void keep(const struct cuda_program *p, void *library)
{
	free(last.source);
	if (last.library != NULL)
		dlclose(last.library);
	last.source = malloc(p->source.len + 1);
	last.library = library;
	if (last.source != NULL)
		memcpy(last.source, p->source.at, p->source.len + 1);
}

/* A new name each time: dlopen() knows a library again by its name. */
static adze_status build(struct host *h, const char *folder)
{
	static int count;
	if (last.source != NULL && strcmp(last.source, h->program->source.at) == 0) {
		h->library = last.library;
		return ADZE_OK;
	}
	char source[4200], library[4200], log[4200], command[16384], words[400] = "";
	snprintf(source, sizeof source, "%s/kernels%d.cc", folder, count);
	snprintf(library, sizeof library, "%s/kernels%d.so", folder, count);
	snprintf(log, sizeof log, "%s/kernels%d.log", folder, count++);
	if (!write_text(source, h->program))
		return fail(h->d, ADZE_E_IO, "cannot write %s", source);
	snprintf(command, sizeof command,
		 "%s -std=c++17 -O0 -ffp-contract=off -fwrapv -w -shared -fPIC -o '%s' '%s' "
		 "2>'%s'", compiler(), library, source, log);
	if (system(command) != 0) {
		FILE *f = fopen(log, "r");
		size_t n = f != NULL ? fread(words, 1, sizeof words - 1, f) : 0;
		words[n] = '\0';
		return fail(h->d, ADZE_E_DEVICE, "%s does not compile: %s", source, words);
	}
	h->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	remove(source);
	remove(library);
	remove(log);
	if (h->library == NULL)
		return fail(h->d, ADZE_E_DEVICE, "%s", dlerror());
	keep(h->program, h->library);
	return ADZE_OK;
}

static void *at(const struct host *h, struct cuda_ref r)
{
	switch (r.kind) {
	case CUDA_REF_INPUT: return h->input[r.at];
	case CUDA_REF_WEIGHT: return (void *)(uintptr_t)h->weight[r.at];
	case CUDA_REF_OUTPUT: {
		ir_val into = h->g->output[r.at].into;
		return into ? h->input[ir_input_index(h->g, into)] : h->output[r.at];
	}
	case CUDA_REF_ARENA: return h->arena + r.at;
	case CUDA_REF_CONST: return h->program->consts.at + r.at;
	default: return h->scratch + r.at;
	}
}

static adze_status launch(struct host *h, const struct cuda_launch *l)
{
	const char *name = h->program->code.kernel[l->kernel];
	char symbol[CUDA_NAME + 8];
	void *pointer[512], *args[1024];
	int64_t size[512], items = ir_size_value(l->items, h->symbol);
	bool (*run)(void **args, unsigned blocks, unsigned threads);
	if (items == 0)
		return ADZE_OK;
	snprintf(symbol, sizeof symbol, "run_%s", name);
	void *address = dlsym(h->library, symbol);
	if (address == NULL || l->nref > 512 || l->nsize > 512)
		return fail(h->d, ADZE_E_DEVICE, "no kernel %s", name);
	memcpy(&run, &address, sizeof run);
	for (uint32_t i = 0; i < l->nref; i++) {
		pointer[i] = at(h, l->ref[i]);
		args[i] = &pointer[i];
	}
	for (uint32_t i = 0; i < l->nsize; i++) {
		size[i] = ir_size_value(l->size[i], h->symbol);
		args[l->nref + i] = &size[i];
	}
	int64_t blocks = (items + l->per_block - 1) / l->per_block;
	if (!run(args, blocks < HOST_BLOCKS ? (unsigned)blocks : HOST_BLOCKS, l->threads))
		return fail(h->d, ADZE_E_DEVICE, "%s: threads part at a barrier", name);
	return ADZE_OK;
}

static double element(const struct host *h, const struct cuda_matrix *m, adze_dtype dtype,
		      int64_t row, int64_t column, int64_t loops)
{
	int64_t leading = ir_size_value(m->leading, h->symbol);
	int64_t i = m->transposed ? column * leading + row : row * leading + column;
	i += ir_size_value(m->offset, h->symbol) + loops;
	return dtype_load_float(dtype, at(h, m->at), (size_t)i);
}

/* One product of the loops; the strides of the loops are added up in a, b and c. */
static void multiply(const struct host *h, const struct cuda_gemm *m, int64_t a, int64_t b,
		     int64_t c)
{
	int64_t rows = ir_size_value(m->m, h->symbol), columns = ir_size_value(m->n, h->symbol);
	int64_t leading = ir_size_value(m->c.leading, h->symbol);
	c += ir_size_value(m->c.offset, h->symbol);
	for (int64_t i = 0; i < rows; i++)
		for (int64_t j = 0; j < columns; j++) {
			double sum = 0;
			for (int64_t k = 0; k < ir_size_value(m->k, h->symbol); k++)
				sum += element(h, &m->a, m->dtype, i, k, a) *
				       element(h, &m->b, m->dtype, k, j, b);
			dtype_store_float(m->dtype, at(h, m->c.at),
					  (size_t)(c + i * leading + j), sum);
		}
}

static void gemm(const struct host *h, const struct cuda_gemm *m)
{
	int64_t index[ADZE_MAX_RANK] = {0}, count = 1;
	for (uint32_t i = 0; i < m->nloop; i++)
		count *= ir_size_value(m->loop[i], h->symbol);
	for (int64_t n = 0; n < count; n++) {
		int64_t a = 0, b = 0, c = 0, left = n;
		for (uint32_t i = m->nloop; i-- > 0;) {
			int64_t extent = ir_size_value(m->loop[i], h->symbol);
			index[i] = left % extent;
			left /= extent;
			a += index[i] * ir_size_value(m->loop_a[i], h->symbol);
			b += index[i] * ir_size_value(m->loop_b[i], h->symbol);
			c += index[i] * ir_size_value(m->loop_c[i], h->symbol);
		}
		multiply(h, m, a, b, c);
	}
}

static adze_status walk(struct host *h)
{
	const struct cuda_code *code = &h->program->code;
	for (uint32_t i = 0; i < code->nstep; i++) {
		const struct cuda_step *s = &code->step[i];
		if (s->kind == CUDA_LAUNCH) {
			TRY(launch(h, &s->launch));
		} else if (s->kind == CUDA_GEMM) {
			gemm(h, &s->gemm);
		} else {
			size_t n = (size_t)ir_size_value(s->copy.bytes, h->symbol);
			if (n > 0)
				memmove(at(h, s->copy.to), at(h, s->copy.from), n);
		}
	}
	return ADZE_OK;
}

static size_t bytes_of(const adze_graph *g, ir_val v, const int64_t *symbol)
{
	const adze_shape *s = ir_type(g, v);
	size_t n = dtype_bytes(s->dtype);
	for (int i = 0; i < s->rank; i++)
		n *= (size_t)ir_extent(g, &s->dim[i], symbol);
	return n;
}

/* Memory starts as a NaN in every type of float, so that what is not written shows. */
static char *dirty(size_t n)
{
	char *p = aligned_alloc(EXE_ALIGN, size_round_up(n + 1, EXE_ALIGN));
	if (p != NULL)
		memset(p, 0xff, n);
	return p;
}

static adze_status run(struct host *h, const char *folder, const void *const *inputs)
{
	const adze_graph *g = h->g;
	h->input = calloc(g->ninput + 1, sizeof *h->input);
	h->arena = dirty((size_t)g->arena_bytes);
	h->scratch = dirty((size_t)h->program->code.scratch_bytes);
	if (h->input == NULL || h->arena == NULL || h->scratch == NULL)
		return fail(h->d, ADZE_E_NOMEM, "no memory for a run");
	for (size_t i = 0; i < g->ninput; i++) {
		size_t n = bytes_of(g, g->input[i], h->symbol);
		h->input[i] = dirty(n);
		if (h->input[i] == NULL)
			return fail(h->d, ADZE_E_NOMEM, "no memory for a run");
		if (n > 0)
			memcpy(h->input[i], inputs[i], n);
	}
	if (h->program->code.nkernel > 0)
		TRY(build(h, folder));
	TRY(walk(h));
	for (size_t i = 0; i < g->noutput; i++)
		if (g->output[i].into != 0)
			memcpy(h->output[i], h->input[ir_input_index(g, g->output[i].into)],
			       bytes_of(g, g->output[i].value, h->symbol));
	return ADZE_OK;
}

/* Weights, and behind them what is prepared of them, by ir_eval(); NULL without memory. */
static const void **prepare(const adze_graph *g, const int64_t *symbol,
			    const void *const *weights, struct arena *room, struct diag *d)
{
	ir_val list[IR_MAX_PREPARED];
	size_t n = ir_prepared(g, list);
	const void **all = arena_new(room, g->nweight + n + 1, sizeof *all);
	for (size_t i = 0; i < g->nweight && all != NULL; i++)
		all[i] = weights[i];
	for (size_t i = 0; i < n && all != NULL; i++) {
		const void *in[IR_MAX_OPERANDS];
		void *out[IR_MAX_RESULTS];
		struct ir_results r;
		char *to = arena_new(room, (size_t)shape_bytes(ir_type(g, list[i])) + 1, 1);
		if (to == NULL || !ir_results(g, list[i], &r))
			return NULL;
		all[g->nweight + i] = to;
		for (size_t k = 0; k < r.n; k++)
			out[k] = to + ir_part_offset(&r, k);
		for (size_t k = 0; k < g->node[list[i]].narg; k++)
			in[k] = all[ir_weight_index(g, ir_arg(g, list[i], k))];
		if (ir_eval(ir_body(g, IR_ATTRS(prepared, g, list[i])->body), symbol, in, NULL,
			    out, d) != ADZE_OK)
			return NULL;
	}
	return all;
}

adze_status cuda_host_run(const adze_graph *g, const char *folder, const int64_t *symbol,
			  const void *const *inputs, const void *const *weights,
			  void *const *outputs, struct diag *d)
{
	struct cuda_program program;
	struct arena room;
	arena_init(&room, &mem_libc);
	struct host h = {.g = g, .program = &program, .symbol = symbol, .output = outputs,
			 .weight = prepare(g, symbol, weights, &room, d), .d = d};
	adze_status status = cuda_emit(g, 80, &program, d);
	if (status == ADZE_OK && h.weight == NULL)
		status = fail(d, ADZE_E_NOMEM, "no memory for weights");
	if (status == ADZE_OK)
		status = run(&h, folder, inputs);
	for (size_t i = 0; h.input != NULL && i < g->ninput; i++)
		free(h.input[i]);
	free(h.input);
	free(h.arena);
	free(h.scratch);
	arena_fini(&room);
	cuda_program_fini(&program);
	return status;
}
