/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/device_check.h"

#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/hash.h"

adze_context *device_check_context(const char *isa, int threads)
{
	adze_context *c = calloc(1, sizeof *c);
	if (isa == NULL)
		isa = getenv("ADZE_ISA");
	c->mem = mem_libc;
	c->config.threads = threads;
	c->config.bind = "off";
	c->config.blas = "auto";
	c->config.nvrtc = "libnvrtc.so";
	c->config.libcuda = "libcuda.so.1";
	c->config.cublaslt = "libcublasLt.so";
	c->isa_mask = cpu_isa_mask();
	if (isa != NULL)
		cpu_isa_cap(isa, &c->isa_mask);
	pthread_mutex_init(&c->lock, NULL);
	return c;
}

void device_check_context_free(adze_context *c)
{
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static adze_status make_buffer(adze_device *dev, const struct exe_signature *s,
			       const adze_shape *shape, const int64_t *symbol, const void *from,
			       adze_buffer *b, struct diag *d)
{
	memset(b, 0, sizeof *b);
	b->device = dev;
	b->shape = device_shape(s, shape, symbol);
	b->bytes = (size_t)shape_bytes(&b->shape);
	TRY(dev->ops->alloc(dev, b->bytes, &b->data, d));
	if (from != NULL)
		return dev->ops->copy_in(dev, b->data, from, b->bytes, d);
	memset(b->data, 0xa5, b->bytes);
	return ADZE_OK;
}

/* The index of what `name` names in the graph as it was given. */
static size_t index_of(const adze_graph *g, const ir_val *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(IR_ATTRS(name, g, list[i])->name, name) == 0)
			return i;
	return 0;
}

static adze_status run_loaded(adze_device *dev, const adze_graph *g, adze_exe *x, int calls,
			      const int64_t *symbol, const void *const *inputs,
			      const void *const *weights, void *const *outputs, struct diag *d)
{
	const struct exe_signature *s = &x->file.signature;
	uint32_t n = s->ninput + s->nweight + s->nprepared + s->noutput, k = 0;
	adze_buffer *all = calloc(n + 1, sizeof *all), **at = calloc(n + 1, sizeof *at);
	adze_status status = ADZE_OK;
	int64_t found[ADZE_MAX_SYMBOLS];
	for (uint32_t i = 0; i < s->ninput && status == ADZE_OK; i++, k++)
		status = make_buffer(dev, s, &s->input[i].shape, symbol, inputs[i], &all[k], d);
	for (uint32_t i = 0; i < s->nweight && status == ADZE_OK; i++, k++)
		status = make_buffer(
			dev, s, &s->weight[i].shape, symbol,
			weights[index_of(g, g->weight, g->nweight, s->weight[i].name)], &all[k], d);
	for (uint32_t i = 0; i < n; i++)
		at[i] = &all[i];
	void **data = calloc(s->nprepared + 1, sizeof *data);
	for (uint32_t i = 0; i < s->nprepared && status == ADZE_OK; i++, k++) {
		status = make_buffer(dev, s, &s->prepared[i].shape, symbol, NULL, &all[k], d);
		data[i] = all[k].data;
	}
	if (status == ADZE_OK)
		status = device_prepare(x, at + s->ninput, data, d);
	free(data);
	for (uint32_t i = 0; i < s->noutput && status == ADZE_OK; i++, k++) {
		status = make_buffer(dev, s, &s->output[i].shape, symbol, NULL, &all[k], d);
		if (s->output[i].into >= 0)
			at[k] = &all[s->output[i].into];
	}
	struct device_call call = {.input = at, .weight = at + s->ninput,
				   .output = at + n - s->noutput, .symbol = found};
	if (status == ADZE_OK)
		status = device_symbols(s, at, found, d);
	if (status == ADZE_OK)
		status = dev->ops->frame_create(dev, x->loaded, &call.frame, d);
	for (int i = 0; i < calls && status == ADZE_OK; i++)
		status = dev->ops->run(dev, x->loaded, &call, d);
	for (uint32_t i = 0; i < s->noutput && status == ADZE_OK; i++)
		status = dev->ops->copy_out(dev, outputs[i], call.output[i]->data,
					    call.output[i]->bytes, d);
	if (call.frame != NULL)
		dev->ops->frame_destroy(dev, call.frame);
	for (uint32_t i = 0; i < n; i++)
		if (all[i].data != NULL)
			dev->ops->free(dev, all[i].data);
	free(all);
	free(at);
	return status;
}

adze_status device_check_compile(adze_device *dev, const adze_graph *g, bool optimise,
				 struct text *bytes, struct diag *d)
{
	adze_graph *copy;
	struct ir_pass_options options = {.until = STAGE_PLANNED,
					  .narrow_products = dev->ops->narrow_products};
	if (!optimise)
		options.passes = "widen,layout,fuse,order,plan";
	adze_status status = ir_rebuild(g, NULL, NULL, NULL, 0, &copy);
	if (status != ADZE_OK) {
		fail(d, status, "%s", copy != NULL ? copy->diag.text : "no memory");
		ir_graph_destroy(copy);
		return status;
	}
	status = ir_run_passes(&copy, &options, d);
	if (status == ADZE_OK)
		status = ir_verify(copy, d);
	if (status == ADZE_OK)
		status = device_compile(dev, copy, NULL, bytes, d);
	ir_graph_destroy(copy);
	return status;
}

adze_status device_check_run(adze_device *dev, const adze_graph *g, bool optimise, int calls,
			     const int64_t *symbol, const void *const *inputs,
			     const void *const *weights, void *const *outputs, struct diag *d)
{
	struct text bytes;
	adze_exe *x = NULL;
	text_init(&bytes, &dev->context->mem);
	adze_status status = device_check_compile(dev, g, optimise, &bytes, d);
	if (status == ADZE_OK) {
		char *file = mem_new(&dev->context->mem, bytes.len, 1);
		memcpy(file, bytes.at, bytes.len);
		status = device_load(dev, file, bytes.len, &x, d);
	}
	if (status == ADZE_OK)
		status = run_loaded(dev, g, x, calls, symbol, inputs, weights, outputs, d);
	exe_release(x);
	text_fini(&bytes);
	return status;
}

static void put(unsigned char *at, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t get(const unsigned char *at, int bytes)
{
	uint64_t v = 0;
	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)at[i] << (8 * i);
	return v;
}

void device_check_mend(unsigned char *file, size_t len)
{
	uint64_t n = get(file + 12, 4);
	if (n > EXE_KIND_COUNT || 64 + n * 32 > len)
		return;
	put(file + 16, len, 8);
	for (uint64_t i = 0; i < n; i++) {
		unsigned char *e = file + 64 + i * 32;
		uint64_t at = get(e + 8, 8), bytes = get(e + 16, 8);
		if (at > len || bytes > len - at)
			return;
		if (get(e, 4) == EXE_META && bytes > 8)
			put(file + at + bytes - 8, exe_fingerprint(), 8);
		put(e + 24, hash_bytes(file + at, bytes), 8);
	}
	put(file + 24, 0, 8);
	put(file + 24, hash_bytes(file, 64 + n * 32), 8);
}

adze_status device_check_open(adze_context *c, adze_device **dev, struct diag *d)
{
	const char *target;
	const struct device_ops *ops = device_find("cpu", &target);
	if (!ops)
		return fail(d, ADZE_E_UNSUPPORTED, "there is no CPU device");
	TRY(ops->open(c, target, dev, d));
	(*dev)->ops = ops;
	context_retain(c);
	atomic_init(&(*dev)->refs, 1);
	return ADZE_OK;
}
