/* SPDX-License-Identifier: Apache-2.0
 *
 * What all drivers share: finding them, counting references, loading, and the shapes of a
 * call.
 */
#include "config.h"

#include "devices/device.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DEVICE(name, doc) extern const struct device_ops name##_device_ops;
#include "devices/devices.def"

static const struct device_ops *const row[] = {
#define DEVICE(name, doc) &name##_device_ops,
#include "devices/devices.def"
};

const struct device_ops *const *device_rows(size_t *n)
{
	*n = COUNT_OF(row);
	return row;
}

const struct device_ops *device_find(const char *name, const char **target)
{
	size_t n = strcspn(name, ":");
	*target = name[n] == ':' ? name + n + 1 : NULL;
	for (size_t i = 0; i < COUNT_OF(row); i++)
		if (strlen(row[i]->name) == n && memcmp(row[i]->name, name, n) == 0)
			return row[i];
	return NULL;
}

void device_retain(adze_device *d)
{
	atomic_fetch_add(&d->refs, 1);
}

void device_release(adze_device *d)
{
	if (d == NULL || atomic_fetch_sub(&d->refs, 1) != 1)
		return;
	adze_context *c = d->context;
	d->ops->close(d);
	context_release(c);
}

adze_status device_load(adze_device *dev, void *bytes, size_t len, adze_exe **out,
			struct diag *d)
{
	adze_context *c = dev->context;
	adze_exe *x = mem_new(&c->mem, 1, sizeof *x);
	*out = NULL;
	if (x == NULL) {
		mem_free(&c->mem, bytes, len, 1);
		return fail(d, ADZE_E_NOMEM, "no memory for an executable");
	}
	x->device = dev;
	device_retain(dev);
	atomic_init(&x->refs, 1);
	x->bytes = bytes;
	x->nbytes = len;
	adze_status status = exe_read(&c->mem, bytes, len, &x->file, d);
	if (status == ADZE_OK && (strcmp(x->file.meta.device, dev->ops->name) != 0))
		status = fail(d, ADZE_E_VERSION, "executable: made for device %s, not for %s",
			      x->file.meta.device, dev->ops->name);
	if (status == ADZE_OK && strcmp(x->file.meta.target, dev->target) != 0)
		status = fail(d, ADZE_E_VERSION, "executable: made for %s:%s, and this is %s:%s",
			      x->file.meta.device, x->file.meta.target, dev->ops->name,
			      dev->target);
	if (status == ADZE_OK)
		status = dev->ops->load(dev, &x->file, &x->loaded, d);
	if (status != ADZE_OK) {
		exe_release(x);
		return status;
	}
	*out = x;
	return ADZE_OK;
}

void exe_retain(adze_exe *x)
{
	atomic_fetch_add(&x->refs, 1);
}

void exe_release(adze_exe *x)
{
	if (x == NULL || atomic_fetch_sub(&x->refs, 1) != 1)
		return;
	adze_device *dev = x->device;
	if (x->loaded != NULL)
		dev->ops->unload(dev, x->loaded);
	exe_file_fini(&x->file);
	mem_free(&dev->context->mem, x->bytes, x->nbytes, 1);
	mem_free(&dev->context->mem, x, 1, sizeof *x);
	device_release(dev);
}

static int find_symbol(const struct exe_signature *s, const char *name)
{
	for (int i = 0; i < s->nsymbol; i++)
		if (strcmp(s->symbol[i].name, name) == 0)
			return i;
	return -1;
}

static adze_status mismatch(const struct exe_value *want, const adze_shape *have,
			    const char *words, struct diag *d)
{
	char a[SHAPE_TEXT], b[SHAPE_TEXT];
	return fail(d, ADZE_E_TYPE, "input '%s' is %s, and was given %s: %s", want->name,
		    shape_print(&want->shape, a, sizeof a), shape_print(have, b, sizeof b), words);
}

/* One axis of an input: agrees, or gives a symbol its value. NULL, or what is wrong. */
static const char *take_dim(const struct exe_signature *s, const adze_dim *want, int64_t have,
			    int64_t *symbol)
{
	if (dim_is_static(want))
		return have == want->size ? NULL : "extents differ";
	int k = find_symbol(s, want->symbol);
	if (have > want->size)
		return "beyond the symbol's bound";
	if (have % want->scale != 0)
		return "no multiple of the symbol's factor";
	if (symbol[k] >= 0 && symbol[k] * want->scale != have)
		return "a symbol has two values";
	symbol[k] = have / want->scale;
	return NULL;
}

adze_status device_symbols(const struct exe_signature *s, adze_buffer *const *input,
			   int64_t *symbol, struct diag *d)
{
	for (int i = 0; i < s->nsymbol; i++)
		symbol[i] = -1;
	for (uint32_t i = 0; i < s->ninput; i++) {
		const struct exe_value *want = &s->input[i];
		const adze_shape *have = &input[i]->shape;
		if (have->dtype != want->shape.dtype)
			return mismatch(want, have, "element types differ", d);
		if (have->rank != want->shape.rank)
			return mismatch(want, have, "numbers of axes differ", d);
		for (int k = 0; k < have->rank; k++) {
			const char *words = take_dim(s, &want->shape.dim[k], have->dim[k].size,
						     symbol);
			if (words != NULL)
				return mismatch(want, have, words, d);
			if (want->shape.dim[k].name[0] != '\0' && have->dim[k].name[0] != '\0' &&
			    strcmp(want->shape.dim[k].name, have->dim[k].name) != 0)
				return mismatch(want, have, "names of axes differ", d);
		}
	}
	/* A symbol that no input has is at its bound. */
	for (int i = 0; i < s->nsymbol; i++)
		if (symbol[i] < 0)
			symbol[i] = s->symbol[i].bound;
	return ADZE_OK;
}

adze_status device_check_types(const adze_graph *g, const char *device, bool (*has)(adze_dtype),
			       struct diag *d)
{
	char words[200];
	for (ir_val v = 1; v < g->nnode; v++) {
		adze_dtype dtype = ir_type(g, v)->dtype;
		const struct ir_where *w = &g->where[g->node[v].where];
		if (has(dtype))
			continue;
		snprintf(words, sizeof words, "%s: the %s cannot compute with %s",
			 op_info((enum ir_op)g->node[v].op)->name, device,
			 dtype_info(dtype)->name);
		if (w->file != NULL)
			return fail(d, ADZE_E_UNSUPPORTED, "%s:%d: %s", w->file, w->line, words);
		return fail(d, ADZE_E_UNSUPPORTED, "%s", words);
	}
	for (size_t i = 0; i < g->nbody; i++)
		TRY(device_check_types(g->body[i], device, has, d));
	return ADZE_OK;
}

adze_shape device_shape(const struct exe_signature *s, const adze_shape *shape,
			const int64_t *symbol)
{
	adze_shape out = *shape;
	for (int i = 0; i < out.rank; i++) {
		adze_dim *d = &out.dim[i];
		if (dim_is_static(d))
			continue;
		d->size = d->scale * symbol[find_symbol(s, d->symbol)];
		d->scale = 1;
		memset(d->symbol, 0, sizeof d->symbol);
	}
	return out;
}

bool device_fits(const adze_shape *have, const adze_shape *want)
{
	return have->dtype == want->dtype && shape_same_extents(have, want);
}
