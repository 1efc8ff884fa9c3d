/* SPDX-License-Identifier: Apache-2.0
 *
 * Host buffers, buffers, and the copies between them.
 */
#include "internal.h"

#include <string.h>

#include "npy.h"

/* ---- host buffers ---- */

static adze_status check_static(const adze_shape *shape, struct diag *d)
{
	TRY(shape_check(shape, d));
	if (shape_is_static(shape))
		return ADZE_OK;
	char text[SHAPE_TEXT];
	return fail(d, ADZE_E_ARGUMENT, "a buffer's shape has no symbols, and %s has",
		    shape_print(shape, text, sizeof text));
}

adze_status host_buffer_make(adze_context *c, const adze_shape *shape, void *data, bool owned,
			     struct diag *d, adze_host_buffer **out)
{
	adze_host_buffer *b = mem_new(&c->mem, 1, sizeof *b);
	*out = NULL;
	if (b == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a host buffer");
	b->context = c;
	context_retain(c);
	b->shape = *shape;
	b->data = data;
	b->owned = owned;
	*out = b;
	return ADZE_OK;
}

/* Memory of its own, not cleared. */
static adze_status host_buffer_new(adze_context *c, const adze_shape *shape, struct diag *d,
				   adze_host_buffer **out)
{
	*out = NULL;
	TRY(check_static(shape, d));
	size_t bytes = (size_t)shape_bytes(shape);
	void *data = mem_new_aligned(&c->mem, bytes, 64);
	if (data == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a host buffer of %zu bytes", bytes);
	adze_status status = host_buffer_make(c, shape, data, true, d, out);
	if (status != ADZE_OK)
		mem_free_aligned(&c->mem, data);
	return status;
}

adze_status adze_host_buffer_create(adze_context *c, const adze_shape *shape,
				    adze_host_buffer **out)
{
	struct diag d = {ADZE_OK, ""};
	if (host_buffer_new(c, shape, &d, out) != ADZE_OK)
		return context_keep(c, &d);
	memset((*out)->data, 0, (size_t)shape_bytes(shape));
	return ADZE_OK;
}

adze_status adze_host_buffer_borrow(adze_context *c, const adze_shape *shape, void *data,
				    adze_host_buffer **out)
{
	struct diag d = {ADZE_OK, ""};
	*out = NULL;
	if (check_static(shape, &d) == ADZE_OK && data == NULL && shape_bytes(shape) > 0)
		fail(&d, ADZE_E_ARGUMENT, "a borrowed host buffer has data");
	if (d.status == ADZE_OK)
		host_buffer_make(c, shape, data, false, &d, out);
	return context_keep(c, &d);
}

void adze_host_buffer_destroy(adze_host_buffer *b)
{
	if (b == NULL)
		return;
	adze_context *c = b->context;
	if (b->owned)
		mem_free_aligned(&c->mem, b->data);
	mem_free(&c->mem, b, 1, sizeof *b);
	context_release(c);
}

void *adze_host_buffer_data(const adze_host_buffer *b)
{
	return b->data;
}

const adze_shape *adze_host_buffer_shape(const adze_host_buffer *b)
{
	return &b->shape;
}

adze_status adze_npy_read(adze_context *c, const char *path, adze_host_buffer **out)
{
	struct diag d = {ADZE_OK, ""};
	struct npy file;
	*out = NULL;
	if (npy_read(&c->mem, path, &d, &file) == ADZE_OK) {
		if (host_buffer_new(c, &file.shape, &d, out) == ADZE_OK && file.bytes > 0)
			memcpy((*out)->data, file.data, file.bytes);
		npy_close(&file);
	}
	return context_keep(c, &d);
}

adze_status adze_npy_write(const adze_host_buffer *b, const char *path)
{
	struct diag d = {ADZE_OK, ""};
	npy_write(&b->context->mem, path, &b->shape, b->data, &d);
	return context_keep(b->context, &d);
}

/* ---- buffers ---- */

static adze_status make(adze_device *dev, const adze_shape *shape, struct diag *d,
			adze_buffer **out)
{
	adze_buffer *b = mem_new(&dev->context->mem, 1, sizeof *b);
	*out = b;
	if (b == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a buffer");
	b->device = dev;
	b->shape = *shape;
	atomic_init(&b->refs, 1);
	return ADZE_OK;
}

adze_status buffer_create(adze_device *dev, const adze_shape *shape, size_t bytes,
			  struct diag *d, adze_buffer **out)
{
	adze_buffer *b;
	*out = NULL;
	TRY(check_static(shape, d));
	TRY(make(dev, shape, d, &b));
	b->bytes = bytes;
	adze_status status = dev->ops->alloc(dev, bytes > 0 ? bytes : 1, &b->data, d);
	if (status != ADZE_OK) {
		mem_free(&dev->context->mem, b, 1, sizeof *b);
		return fail(d, status, "no buffer of %zu bytes on device %s", bytes,
			    dev->ops->name);
	}
	device_retain(dev);
	*out = b;
	return ADZE_OK;
}

adze_status buffer_borrow(adze_device *dev, const adze_shape *shape, void *data, void *keep,
			  void (*release)(void *keep), struct diag *d, adze_buffer **out)
{
	adze_buffer *b;
	*out = NULL;
	TRY(make(dev, shape, d, &b));
	b->data = data;
	b->bytes = (size_t)shape_bytes(shape);
	b->borrowed = true;
	b->keep = keep;
	b->release = release;
	device_retain(dev);
	*out = b;
	return ADZE_OK;
}

void buffer_retain(adze_buffer *b)
{
	atomic_fetch_add(&b->refs, 1);
}

void adze_buffer_destroy(adze_buffer *b)
{
	if (b == NULL || atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	adze_device *dev = b->device;
	if (!b->borrowed)
		dev->ops->free(dev, b->data);
	else if (b->release != NULL)
		b->release(b->keep);
	mem_free(&dev->context->mem, b, 1, sizeof *b);
	device_release(dev);
}

adze_status adze_buffer_create(adze_device *dev, const adze_shape *shape, adze_buffer **out)
{
	struct diag d = {ADZE_OK, ""};
	*out = NULL;
	if (check_static(shape, &d) == ADZE_OK)
		buffer_create(dev, shape, (size_t)shape_bytes(shape), &d, out);
	return context_keep(dev->context, &d);
}

const adze_shape *adze_buffer_shape(const adze_buffer *b)
{
	return &b->shape;
}

void *adze_buffer_data(adze_buffer *b)
{
	return b->device->ops->shares_host_memory ? b->data : NULL;
}

/* ---- copies ---- */

static adze_status check_same(const adze_shape *to, const adze_shape *from, struct diag *d)
{
	char a[SHAPE_TEXT], b[SHAPE_TEXT];
	if (device_fits(from, to))
		return ADZE_OK;
	return fail(d, ADZE_E_TYPE, "copy: %s cannot be copied to %s",
		    shape_print(from, a, sizeof a), shape_print(to, b, sizeof b));
}

static adze_status copy_in(adze_buffer *to, const void *from, struct diag *d)
{
	size_t bytes = (size_t)shape_bytes(&to->shape);
	const struct device_ops *ops = to->device->ops;
	return bytes > 0 ? ops->copy_in(to->device, to->data, from, bytes, d) : ADZE_OK;
}

adze_status buffer_fill_new(adze_device *dev, const adze_shape *shape, const void *bytes,
			    struct diag *d, adze_buffer **out)
{
	TRY(buffer_create(dev, shape, (size_t)shape_bytes(shape), d, out));
	adze_status status = copy_in(*out, bytes, d);
	if (status != ADZE_OK) {
		adze_buffer_destroy(*out);
		*out = NULL;
	}
	return status;
}

adze_status(adze_copy_in)(adze_device *dev, const adze_host_buffer *from, adze_buffer **out)
{
	struct diag d = {ADZE_OK, ""};
	buffer_fill_new(dev, &from->shape, from->data, &d, out);
	return context_keep(dev->context, &d);
}

adze_status(adze_copy_to)(adze_buffer *to, const adze_host_buffer *from)
{
	struct diag d = {ADZE_OK, ""};
	if (to->borrowed)
		fail(&d, ADZE_E_ARGUMENT, "copy: the buffer lies in a weight file");
	else if (check_same(&to->shape, &from->shape, &d) == ADZE_OK)
		copy_in(to, from->data, &d);
	return context_keep(to->device->context, &d);
}

static adze_status copy_out(adze_host_buffer *to, const adze_buffer *from, struct diag *d)
{
	size_t bytes = (size_t)shape_bytes(&from->shape);
	const struct device_ops *ops = from->device->ops;
	return bytes > 0 ? ops->copy_out(from->device, to->data, from->data, bytes, d) : ADZE_OK;
}

adze_status(adze_copy_out)(adze_buffer *from, adze_host_buffer **out)
{
	struct diag d = {ADZE_OK, ""};
	adze_context *c = from->device->context;
	if (host_buffer_new(c, &from->shape, &d, out) == ADZE_OK &&
	    copy_out(*out, from, &d) != ADZE_OK) {
		adze_host_buffer_destroy(*out);
		*out = NULL;
	}
	return context_keep(c, &d);
}

adze_status(adze_copy_from)(adze_host_buffer *to, adze_buffer *from)
{
	struct diag d = {ADZE_OK, ""};
	if (check_same(&to->shape, &from->shape, &d) == ADZE_OK)
		copy_out(to, from, &d);
	return context_keep(from->device->context, &d);
}
