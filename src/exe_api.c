/* SPDX-License-Identifier: Apache-2.0
 *
 * Executables for programs: files, and what they take and give.
 */
#include "base/file.h"
#include "cache.h"
#include "internal.h"

bool adze_exe_was_cached(const adze_exe *x)
{
	return x->cached;
}

void adze_exe_destroy(adze_exe *x)
{
	exe_release(x);
}

adze_status adze_exe_save(const adze_exe *x, const char *path)
{
	adze_context *c = x->device->context;
	struct diag d = {ADZE_OK, ""};
	file_write(&c->mem, path, x->bytes, x->nbytes, &d);
	return context_keep(c, &d);
}

adze_status adze_exe_open(adze_device *dev, const char *path, adze_exe **out)
{
	adze_context *c = dev->context;
	struct diag d = {ADZE_OK, ""}, words = {ADZE_OK, ""};
	void *bytes;
	size_t len;
	*out = NULL;
	if (cache_read_file(&c->mem, path, &d, &bytes, &len) == ADZE_OK &&
	    device_load(dev, bytes, len, out, &words) != ADZE_OK)
		fail(&d, words.status, "%.400s: %s", path, words.text);
	return context_keep(c, &d);
}

static const struct exe_value *values(const adze_exe *x, adze_role role, size_t *n)
{
	const struct exe_signature *s = &x->file.signature;
	switch (role) {
	case ADZE_ROLE_INPUT: *n = s->ninput; return s->input;
	case ADZE_ROLE_WEIGHT: *n = s->nweight; return s->weight;
	case ADZE_ROLE_OUTPUT: *n = s->noutput; return s->output;
	}
	*n = 0;
	return NULL;
}

size_t adze_exe_count(const adze_exe *x, adze_role role)
{
	size_t n;
	values(x, role, &n);
	return n;
}

bool adze_exe_value(const adze_exe *x, adze_role role, size_t i, const char **name,
		    adze_shape *shape)
{
	size_t n;
	const struct exe_value *v = values(x, role, &n);
	if (i >= n)
		return false;
	if (name != NULL)
		*name = v[i].name;
	if (shape != NULL)
		*shape = v[i].shape;
	return true;
}

int adze_exe_donated(const adze_exe *x, size_t output)
{
	const struct exe_signature *s = &x->file.signature;
	return output < s->noutput ? s->output[output].into : -1;
}

size_t adze_exe_arena_bytes(const adze_exe *x)
{
	return (size_t)x->file.signature.arena_bytes;
}

size_t adze_exe_live_bytes(const adze_exe *x)
{
	return (size_t)x->file.signature.live_bytes;
}

size_t adze_exe_weight_bytes(const adze_exe *x)
{
	const struct exe_signature *s = &x->file.signature;
	size_t bytes = 0;
	for (uint32_t i = 0; i < s->nweight; i++)
		if (!size_add(bytes, (size_t)shape_bytes(&s->weight[i].shape), &bytes))
			return SIZE_MAX;
	return bytes;
}
