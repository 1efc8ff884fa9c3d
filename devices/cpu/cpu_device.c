/* SPDX-License-Identifier: Apache-2.0
 *
 * The CPU driver: executables are lists of kernel calls, buffers are host memory, weights are
 * the mapped pages.
 */
#include <stdio.h>
#include <string.h>

#include "base/fpmode.h"
#include "devices/cpu/cpu_exec.h"
#include "devices/device_profile.h"

#define PLACED_BYTES ((size_t)8 << 20)

struct cpu_device {
	adze_device base;
	struct cpu_pool *pool; /* NULL: one thread */
	int threads;
	bool numa; /* memory on several nodes */
};

static struct cpu_device *cpu_of(adze_device *d)
{
	return (struct cpu_device *)d;
}

/* The best instruction set of a mask, by which an executable is known. */
static enum isa best_isa(unsigned mask)
{
	enum isa best = ISA_SCALAR;
	for (int i = 0; i < ISA_COUNT; i++)
		if ((mask & 1u << i) && i != ISA_BLAS)
			best = (enum isa)i;
	return best;
}

/* CPU devices of a context have one pool. */
static adze_status share_pool(adze_context *c, struct cpu_pool **out, struct diag *d)
{
	adze_status status = ADZE_OK;
	pthread_mutex_lock(&c->lock);
	*out = c->workers;
	if (*out == NULL)
		status = cpu_pool_create(c, c->config.threads, 0, out, d);
	c->workers = *out;
	c->workers_users += status == ADZE_OK;
	pthread_mutex_unlock(&c->lock);
	return status;
}

static void leave_pool(adze_context *c, struct cpu_pool *p)
{
	pthread_mutex_lock(&c->lock);
	bool last = --c->workers_users == 0;
	if (last)
		c->workers = NULL;
	pthread_mutex_unlock(&c->lock);
	if (last)
		cpu_pool_destroy(p);
}

static adze_status open_cpu(adze_context *c, const char *target, adze_device **out,
			    struct diag *d)
{
	const char *isa = isa_name(best_isa(c->isa_mask));
	*out = NULL;
	if (target != NULL && strcmp(target, isa) != 0)
		return fail(d, ADZE_E_DEVICE,
			    "device cpu:%s: this processor and configuration are cpu:%s "
			    "(ADZE_ISA caps it)", target, isa);
	struct cpu_device *dev = mem_new(&c->mem, 1, sizeof *dev);
	if (dev == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a device");
	dev->base.context = c;
	snprintf(dev->base.target, sizeof dev->base.target, "%s", isa);
	adze_status status = ADZE_OK;
	dev->threads = 1;
	dev->numa = cpu_topo_numa("");
	if (c->config.threads != 1) {
		status = share_pool(c, &dev->pool, d);
		if (status == ADZE_OK)
			dev->threads = cpu_pool_threads(dev->pool);
	}
	if (status != ADZE_OK) {
		mem_free(&c->mem, dev, 1, sizeof *dev);
		return status;
	}
	context_log(c, ADZE_LOG_INFO, "device cpu: %s, %d threads", isa, dev->threads);
	*out = &dev->base;
	return ADZE_OK;
}

static void close_cpu(adze_device *d)
{
	struct cpu_device *dev = cpu_of(d);
	if (dev->pool != NULL)
		leave_pool(d->context, dev->pool);
	mem_free(&d->context->mem, dev, 1, sizeof *dev);
}

static bool describe(adze_context *c, struct text *out)
{
	char model[128], topo[256];
	text_add(out, "%s; kernels: %s; ", cpu_model(model, sizeof model),
		 isa_name(best_isa(c->isa_mask)));
	cpu_topo_describe(topo, sizeof topo);
	text_add(out, "%s", topo);
	return true;
}

static adze_status compile(adze_device *dev, const adze_graph *g, const struct exe_beside *beside,
			   struct text *out, struct diag *d)
{
	struct exe_writer w;
	struct arena arena;
	struct cpu_code code;
	const adze_allocator *mem = &dev->context->mem;
	exe_writer_init(&w, mem);
	arena_init(&arena, mem);
	adze_status status = cpu_lower(g, &arena, &code, &w.section[EXE_CONSTS], d);
	if (status == ADZE_OK) {
		exe_write_graph(&w, g, code.arena_bytes, "cpu", dev->target, beside);
		cpu_code_write(&code, &w.section[EXE_CODE]);
		cpu_names_write(&code, &w.section[EXE_NAMES]);
		status = exe_write(&w, out, d);
	}
	arena_fini(&arena);
	exe_writer_fini(&w);
	return status;
}

static adze_status load(adze_device *dev, const struct exe_file *file, void **out, struct diag *d)
{
	struct cpu_loaded *l;
	adze_status status = cpu_load(dev->context, file, cpu_of(dev)->threads, &l, d);
	*out = l;
	return status;
}

static void unload(adze_device *dev, void *loaded)
{
	cpu_unload(dev->context, loaded);
}

/* To the nodes whose threads will use it; below a few huge pages that gains nothing. */
static void place(struct cpu_device *dev, void *at, size_t bytes)
{
	if (dev->numa && dev->pool != NULL && bytes >= PLACED_BYTES)
		cpu_pool_touch(dev->pool, at, bytes);
}

static adze_status frame_create(adze_device *dev, void *loaded, struct device_frame **out,
				struct diag *d)
{
	TRY(cpu_frame_create(dev->context, loaded, out, d));
	/* Scratch is placed by the first use, each worker's by itself. */
	place(cpu_of(dev), (*out)->arena, (*out)->arena_bytes);
	return ADZE_OK;
}

static void frame_destroy(adze_device *dev, struct device_frame *frame)
{
	cpu_frame_destroy(dev->context, frame);
}

static cpu_runner *const runner[CPU_STEP_COUNT] = {
	[CPU_EW] = cpu_run_ew,         [CPU_REDUCE] = cpu_run_reduce,
	[CPU_COLUMNS] = cpu_run_columns, [CPU_ARG] = cpu_run_arg,
	[CPU_ROW] = cpu_run_row,       [CPU_GEMM] = cpu_run_gemm,
	[CPU_CONV] = cpu_run_conv,     [CPU_WINDOW] = cpu_run_window,
	[CPU_COPY] = cpu_run_copy,     [CPU_FILL] = cpu_run_fill,
	[CPU_PICK] = cpu_run_pick,     [CPU_PUT] = cpu_run_put,
	[CPU_TAKE] = cpu_run_take,     [CPU_IOTA] = cpu_run_iota,
	[CPU_EXTENT] = cpu_run_extent, [CPU_PLAIN] = cpu_run_plain,
	[CPU_ATTEND] = cpu_run_attend, [CPU_BLOCKS] = cpu_run_blocks,
	[CPU_BRANCH] = cpu_run_branch, [CPU_WHILE] = cpu_run_while,
	[CPU_SCAN] = cpu_run_scan,     [CPU_CONVERT] = cpu_run_convert,
};

static int bits_of(const struct cpu_view *v)
{
	return dtype_info((adze_dtype)v->dtype)->bits;
}

static char *memory_of(const struct cpu_call *c, const struct cpu_args *args,
		       const struct cpu_view *v)
{
	const struct device_call *call = c->call;
	switch (v->memory) {
	case CPU_INPUT: return args ? args->input[v->index] : call->input[v->index]->data;
	case CPU_WEIGHT: return call->weight[v->index]->data;
	case CPU_OUTPUT: return args ? args->output[v->index] : call->output[v->index]->data;
	case CPU_ARENA: return call->frame->arena + v->byte;
	/* Constants are only read; views on them are not const for the others' sake. */
	default: return (char *)(uintptr_t)c->loaded->file->section[EXE_CONSTS].at + v->byte;
	}
}

static bool is_cancelled(struct cpu_call *c)
{
	c->cancelled |= c->call->cancel != NULL && atomic_load(c->call->cancel);
	return c->cancelled;
}

void cpu_run_block(struct cpu_call *c, uint32_t block, const struct cpu_args *args)
{
	const struct cpu_loaded *l = c->loaded;
	struct device_frame *f = c->call->frame;
	const struct cpu_block *b = &l->code.block[block];
	for (uint32_t i = b->first; i < b->first + b->nstep && !is_cancelled(c); i++) {
		const struct cpu_step *s = &l->code.step[i];
		struct cpu_box *box = &f->box[l->bound[i].first_box];
		for (int k = 0; k < s->nview; k++)
			box[k].at = memory_of(c, args, &s->view[k]) +
				    box[k].offset * bits_of(&s->view[k]) / 8;
		struct cpu_work w = {.call = c, .loaded = l, .step = s, .bound = &l->bound[i],
				     .frame = f, .box = box, .number = f->number,
				     .pool = c->pool};
		if (c->call->profile != NULL)
			cpu_profile_step(&w, runner[s->kind]);
		else
			runner[s->kind](&w);
	}
	/* What stands in an endless loop may have no step that asks. */
	if (block > 0)
		is_cancelled(c);
}

static adze_status run(adze_device *dev, void *loaded, const struct device_call *call,
		       struct diag *d)
{
	TRY(cpu_prepare(call->frame, call->symbol, d));
	struct cpu_pool *pool = cpu_of(dev)->pool;
	fp_mode mode = fp_mode_enter();
	struct cpu_call c = {.loaded = loaded, .call = call, .pool = pool, .record = PROFILE_NONE};
	cpu_run_block(&c, 0, NULL);
	if (c.begun)
		cpu_pool_end(pool, c.team);
	fp_mode_leave(mode);
	return c.cancelled ? fail(d, ADZE_E_CANCELLED, "the call was cancelled") : ADZE_OK;
}

static size_t count_steps(adze_device *dev, void *loaded)
{
	(void)dev;
	return ((const struct cpu_loaded *)loaded)->code.nstep;
}

static adze_status describe_steps(adze_device *dev, void *loaded, const int64_t *symbol,
				  struct device_step *out, struct diag *d)
{
	return cpu_describe_steps(dev->context, loaded, symbol, out, d);
}

static adze_status lend(adze_device *dev, const atomic_bool *until, struct diag *d)
{
	if (cpu_of(dev)->pool == NULL)
		return fail(d, ADZE_E_LIMIT, "the context was made for one thread");
	return cpu_pool_lend(cpu_of(dev)->pool, until, d);
}

static void recall(adze_device *dev)
{
	if (cpu_of(dev)->pool != NULL)
		cpu_pool_recall(cpu_of(dev)->pool);
}

static adze_status alloc(adze_device *dev, size_t bytes, void **out, struct diag *d)
{
	*out = mem_new_aligned(&dev->context->mem, bytes, 64);
	if (*out == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a buffer of %zu bytes", bytes);
	place(cpu_of(dev), *out, bytes);
	return ADZE_OK;
}

static void free_data(adze_device *dev, void *data)
{
	mem_free_aligned(&dev->context->mem, data);
}

static adze_status copy(adze_device *dev, void *to, const void *from, size_t bytes,
			struct diag *d)
{
	(void)dev;
	(void)d;
	if (bytes > 0)
		memcpy(to, from, bytes);
	return ADZE_OK;
}

const struct device_ops cpu_device_ops = {
	.name = "cpu",
	.doc = "Runs on this machine's processor.",
	.narrow_products = true,
	.open = open_cpu,
	.close = close_cpu,
	.describe = describe,
	.compile = compile,
	.load = load,
	.unload = unload,
	.frame_create = frame_create,
	.frame_destroy = frame_destroy,
	.run = run,
	.count_steps = count_steps,
	.describe_steps = describe_steps,
	.lend = lend,
	.recall = recall,
	.alloc = alloc,
	.free = free_data,
	.copy_in = copy,
	.copy_out = copy,
	.shares_host_memory = true,
};
