/* SPDX-License-Identifier: Apache-2.0
 *
 * The device that executes nothing. It lowers a graph as the CPU does, and a call logs the
 * steps instead of running them, at ADZE_LOG_INFO; what moves memory is logged at
 * ADZE_LOG_DEBUG. All outputs of a call are zeros, donated ones too. Made to see lowering and
 * the order of calls on any machine.
 */
#include "config.h"

#include "devices/device.h"

#include <inttypes.h>
#include <string.h>

#include "devices/cpu/cpu_code.h"

extern const struct device_ops trace_device_ops; /* a row of devices.def */

/* Whose lowering it shows. */
#define TARGET "cpu"
#define ALIGN 64

struct device_frame {
	struct text line;
	bool *shown; /* by block, in this call */
	size_t nblock;
};

struct trace_exe {
	struct arena arena;
	struct cpu_code code;
	const struct exe_signature *signature;
};

static adze_status trace_open(adze_context *c, const char *target, adze_device **out,
			      struct diag *d)
{
	*out = NULL;
	if (target != NULL && strcmp(target, TARGET) != 0)
		return fail(d, ADZE_E_ARGUMENT, "device trace: target '%s' is not known; there is"
			    " only '" TARGET "'", target);
	adze_device *dev = mem_new(&c->mem, 1, sizeof *dev);
	if (dev == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a device");
	dev->context = c;
	memcpy(dev->target, TARGET, sizeof TARGET);
	*out = dev;
	return ADZE_OK;
}

static void trace_close(adze_device *dev)
{
	mem_free(&dev->context->mem, dev, 1, sizeof *dev);
}

static bool trace_describe(adze_context *c, struct text *out)
{
	(void)c;
	text_add(out, "always usable; executes nothing, outputs are zeros");
	return true;
}

static adze_status trace_compile(adze_device *dev, const adze_graph *g,
				 const struct exe_beside *beside, struct text *out, struct diag *d)
{
	const adze_allocator *mem = &dev->context->mem;
	struct exe_writer w;
	struct arena arena = {0};
	struct cpu_code code;
	arena_init(&arena, mem);
	exe_writer_init(&w, mem);
	adze_status status = cpu_lower(g, &arena, &code, &w.section[EXE_CONSTS], d);
	if (status == ADZE_OK) {
		cpu_code_write(&code, &w.section[EXE_CODE]);
		exe_write_graph(&w, g, code.arena_bytes, trace_device_ops.name, dev->target,
				beside);
		status = exe_write(&w, out, d);
	}
	exe_writer_fini(&w);
	arena_fini(&arena);
	return status;
}

static void trace_unload(adze_device *dev, void *loaded)
{
	struct trace_exe *x = loaded;
	arena_fini(&x->arena);
	mem_free(&dev->context->mem, x, 1, sizeof *x);
}

static adze_status trace_load(adze_device *dev, const struct exe_file *file, void **out,
			      struct diag *d)
{
	struct trace_exe *x = mem_new(&dev->context->mem, 1, sizeof *x);
	*out = NULL;
	if (x == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for an executable");
	arena_init(&x->arena, &dev->context->mem);
	x->signature = &file->signature;
	adze_status status = cpu_code_read(file, &x->arena, &x->code, d);
	if (status != ADZE_OK) {
		trace_unload(dev, x);
		return status;
	}
	*out = x;
	return ADZE_OK;
}

static adze_status trace_frame_create(adze_device *dev, void *loaded, struct device_frame **out,
				      struct diag *d)
{
	const struct trace_exe *x = loaded;
	const adze_allocator *mem = &dev->context->mem;
	struct device_frame *f = mem_new(mem, 1, sizeof *f);
	*out = NULL;
	if (f != NULL) {
		text_init(&f->line, mem);
		f->nblock = x->code.nblock;
		f->shown = mem_new(mem, f->nblock, sizeof *f->shown);
	}
	if (f == NULL || f->shown == NULL) {
		mem_free(mem, f, 1, sizeof *f);
		return fail(d, ADZE_E_NOMEM, "no memory for a call");
	}
	*out = f;
	return ADZE_OK;
}

static void trace_frame_destroy(adze_device *dev, struct device_frame *frame)
{
	if (frame == NULL)
		return;
	text_fini(&frame->line);
	mem_free(&dev->context->mem, frame->shown, frame->nblock, sizeof *frame->shown);
	mem_free(&dev->context->mem, frame, 1, sizeof *frame);
}

/* Logs what is in `line`, and empties it. */
static adze_status log_line(adze_device *dev, struct text *line, struct diag *d)
{
	bool failed = line->failed;
	if (!failed)
		context_log(dev->context, ADZE_LOG_INFO, "trace: %s", line->at);
	text_fini(line);
	text_init(line, &dev->context->mem);
	return failed ? fail(d, ADZE_E_NOMEM, "no memory for a line of the trace") : ADZE_OK;
}

static adze_status log_call(adze_device *dev, const struct trace_exe *x,
			    const struct device_call *call, struct diag *d)
{
	const struct exe_signature *s = x->signature;
	struct text *line = &call->frame->line;
	text_add(line, "call '%s', %" PRIu32 " steps", s->graph, x->code.nstep);
	for (int i = 0; i < s->nsymbol; i++)
		text_add(line, ", %s = %" PRId64, s->symbol[i].name, call->symbol[i]);
	return log_line(dev, line, d);
}

static void clear_outputs(const struct exe_signature *s, const struct device_call *call)
{
	for (uint32_t i = 0; i < s->noutput; i++) {
		adze_shape shape = device_shape(s, &s->output[i].shape, call->symbol);
		size_t bytes = (size_t)shape_bytes(&shape);
		if (bytes > 0)
			memset(call->output[i]->data, 0, bytes);
	}
}

/* The steps of a block, and further in those of the blocks that they run, each block once. */
static adze_status log_block(adze_device *dev, const struct trace_exe *x, uint32_t number,
			     const struct device_call *call, struct diag *d)
{
	const struct cpu_block *b = &x->code.block[number];
	struct text *line = &call->frame->line;
	bool wanted = context_logs(dev->context, ADZE_LOG_INFO);
	for (uint32_t i = b->first; i < b->first + b->nstep; i++) {
		const int64_t *block = NULL;
		size_t n = cpu_step_blocks(&x->code.step[i], &block);
		if (call->cancel != NULL && atomic_load(call->cancel))
			return fail(d, ADZE_E_CANCELLED, "the call was cancelled at step %"
				    PRIu32 " of %" PRIu32, i, x->code.nstep);
		if (!wanted)
			continue;
		text_add(line, "%*sstep %" PRIu32 " ", 2 * b->depth, "", i);
		cpu_step_print(&x->code, &x->code.step[i], line);
		TRY(log_line(dev, line, d));
		for (size_t k = 0; k < n; k++) {
			if (call->frame->shown[block[k]])
				continue;
			call->frame->shown[block[k]] = true;
			text_add(line, "%*sblock %" PRIu32, 2 * b->depth + 1, "",
				 (uint32_t)block[k]);
			TRY(log_line(dev, line, d));
			TRY(log_block(dev, x, (uint32_t)block[k], call, d));
		}
	}
	return ADZE_OK;
}

static adze_status trace_run(adze_device *dev, void *loaded, const struct device_call *call,
			     struct diag *d)
{
	const struct trace_exe *x = loaded;
	if (context_logs(dev->context, ADZE_LOG_INFO))
		TRY(log_call(dev, x, call, d));
	memset(call->frame->shown, 0, call->frame->nblock * sizeof *call->frame->shown);
	TRY(log_block(dev, x, 0, call, d));
	clear_outputs(x->signature, call);
	return ADZE_OK;
}

static adze_status trace_alloc(adze_device *dev, size_t bytes, void **out, struct diag *d)
{
	*out = mem_new_aligned(&dev->context->mem, bytes, ALIGN);
	if (*out == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a buffer of %zu bytes", bytes);
	context_log(dev->context, ADZE_LOG_DEBUG, "trace: alloc %zu bytes", bytes);
	return ADZE_OK;
}

static void trace_free(adze_device *dev, void *data)
{
	mem_free_aligned(&dev->context->mem, data);
}

static adze_status trace_copy_in(adze_device *dev, void *to, const void *host, size_t bytes,
				 struct diag *d)
{
	(void)d;
	if (bytes > 0)
		memcpy(to, host, bytes);
	context_log(dev->context, ADZE_LOG_DEBUG, "trace: copy in %zu bytes", bytes);
	return ADZE_OK;
}

static adze_status trace_copy_out(adze_device *dev, void *host, const void *from, size_t bytes,
				  struct diag *d)
{
	(void)d;
	if (bytes > 0)
		memcpy(host, from, bytes);
	context_log(dev->context, ADZE_LOG_DEBUG, "trace: copy out %zu bytes", bytes);
	return ADZE_OK;
}

const struct device_ops trace_device_ops = {
	.name = "trace",
	.doc = "Executes nothing; logs what it was asked, and gives zeros.",
	.narrow_products = true,
	.open = trace_open,
	.close = trace_close,
	.describe = trace_describe,
	.compile = trace_compile,
	.load = trace_load,
	.unload = trace_unload,
	.frame_create = trace_frame_create,
	.frame_destroy = trace_frame_destroy,
	.run = trace_run,
	.alloc = trace_alloc,
	.free = trace_free,
	.copy_in = trace_copy_in,
	.copy_out = trace_copy_out,
	.shares_host_memory = true,
};
