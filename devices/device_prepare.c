/* SPDX-License-Identifier: Apache-2.0
 *
 * Prepared values: the bodies of prepared nodes are executables inside the executable, which run
 * once, when weights are bound.
 */
#include <string.h>

#include "devices/device.h"

adze_status device_compile(adze_device *dev, const adze_graph *g, const char *source,
			   struct text *out, struct diag *d)
{
	const adze_allocator *mem = &dev->context->mem;
	ir_val list[IR_MAX_PREPARED];
	size_t n = ir_prepared(g, list);
	struct text prepare;
	struct exe_beside beside = {source, &prepare};
	adze_status status = ADZE_OK;
	text_init(&prepare, mem);
	for (size_t i = 0; i < n && status == ADZE_OK; i++) {
		static const struct exe_beside nothing;
		struct text file;
		text_init(&file, mem);
		status = dev->ops->compile(dev, ir_body(g, IR_ATTRS(prepared, g, list[i])->body),
					   &nothing, &file, d);
		exe_write_prepare(&prepare, g, list[i], &file);
		text_fini(&file);
	}
	if (status == ADZE_OK && prepare.failed)
		status = fail(d, ADZE_E_NOMEM, "no memory for the executable");
	if (status == ADZE_OK)
		status = dev->ops->compile(dev, g, &beside, out, d);
	text_fini(&prepare);
	return status;
}

/* Whether an executable takes these weights and gives `bytes` bytes in all. */
static bool fits(const adze_exe *x, const struct exe_prepare *p, const struct exe_signature *own,
		 int64_t bytes)
{
	const struct exe_signature *inner = &x->file.signature;
	int64_t at = 0;
	if (inner->ninput != p->nweight || inner->nweight > 0 || inner->nprepared > 0 ||
	    inner->noutput == 0 || inner->noutput > IR_MAX_RESULTS)
		return false;
	for (uint32_t i = 0; i < p->nweight; i++)
		if (!device_fits(&own->weight[p->weight[i]].shape, &inner->input[i].shape))
			return false;
	for (uint32_t i = 0; i < inner->noutput; i++) {
		if (inner->output[i].into >= 0 || !shape_is_static(&inner->output[i].shape))
			return false;
		at = (at + 63) / 64 * 64;
		if (__builtin_add_overflow(at, shape_bytes(&inner->output[i].shape), &at))
			return false;
	}
	return at <= bytes;
}

static adze_status run_one(adze_exe *x, const struct exe_prepare *p, adze_buffer *const *weight,
			   char *data, struct diag *d)
{
	adze_device *dev = x->device;
	const struct exe_signature *s = &x->file.signature;
	adze_buffer result[IR_MAX_RESULTS], *output[IR_MAX_RESULTS], *input[IR_MAX_OPERANDS];
	const int64_t symbol[ADZE_MAX_SYMBOLS] = {0}; /* it has the graph's, and uses none */
	struct device_call call = {.input = input, .output = output, .symbol = symbol};
	int64_t at = 0;
	for (uint32_t i = 0; i < p->nweight; i++)
		input[i] = weight[p->weight[i]];
	for (uint32_t i = 0; i < s->noutput; i++) {
		memset(&result[i], 0, sizeof result[i]);
		result[i].device = dev;
		result[i].shape = s->output[i].shape;
		result[i].bytes = (size_t)shape_bytes(&s->output[i].shape);
		at = (at + 63) / 64 * 64;
		result[i].data = data + at;
		at += (int64_t)result[i].bytes;
		output[i] = &result[i];
	}
	TRY(dev->ops->frame_create(dev, x->loaded, &call.frame, d));
	adze_status status = dev->ops->run(dev, x->loaded, &call, d);
	dev->ops->frame_destroy(dev, call.frame);
	return status;
}

adze_status device_prepare(const adze_exe *x, adze_buffer *const *weight, void *const *data,
			   struct diag *d)
{
	const adze_allocator *mem = &x->device->context->mem;
	const struct exe_signature *s = &x->file.signature;
	for (uint32_t i = 0; i < s->nprepared; i++) {
		const struct exe_prepare *p = &x->file.prepare[i];
		adze_exe *inner;
		void *bytes = mem_new(mem, p->len, 1);
		if (bytes == NULL)
			return fail(d, ADZE_E_NOMEM, "no memory to prepare weights");
		memcpy(bytes, p->at, p->len);
		TRY(device_load(x->device, bytes, p->len, &inner, d));
		adze_status status =
			fits(inner, p, s, shape_bytes(&s->prepared[i].shape))
				? run_one(inner, p, weight, data[i], d)
				: fail(d, ADZE_E_FORMAT, "executable: what prepares weights gives "
				       "something else");
		exe_release(inner);
		if (status != ADZE_OK)
			return fail(d, status, "weights could not be prepared");
	}
	return ADZE_OK;
}
