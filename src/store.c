/* SPDX-License-Identifier: Apache-2.0
 *
 * Weight files as stores: finding tensors by name, and loading them.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

static void destroy(adze_store *s)
{
	adze_context *c = s->context;
	safetensors_close(s->file);
	mem_free(&c->mem, s->name, s->name_len + 1, 1);
	mem_free(&c->mem, s, 1, sizeof *s);
	context_release(c);
}

static void release(void *keep)
{
	adze_store *s = keep;
	if (s != NULL && atomic_fetch_sub(&s->refs, 1) == 1)
		destroy(s);
}

void store_retain(adze_store *s)
{
	atomic_fetch_add(&s->refs, 1);
}

static adze_store *make(adze_context *c, const char *name)
{
	adze_store *s = mem_new(&c->mem, 1, sizeof *s);
	if (s == NULL)
		return NULL;
	s->name_len = strlen(name);
	s->name = mem_new(&c->mem, s->name_len + 1, 1);
	if (s->name == NULL) {
		mem_free(&c->mem, s, 1, sizeof *s);
		return NULL;
	}
	memcpy(s->name, name, s->name_len);
	s->context = c;
	context_retain(c);
	atomic_init(&s->refs, 1);
	return s;
}

static adze_status open_store(adze_context *c, const char *name, const void *bytes, size_t size,
			      adze_store **out)
{
	struct diag d = {ADZE_OK, ""};
	adze_store *s = make(c, name);
	*out = NULL;
	if (s == NULL)
		return context_fail(c, ADZE_E_NOMEM, "no memory for a store");
	adze_status status =
		bytes != NULL ? safetensors_open_memory(&c->mem, bytes, size, &d, &s->file)
			      : safetensors_open(&c->mem, name, &d, &s->file);
	if (status != ADZE_OK) {
		destroy(s);
		return context_keep(c, &d);
	}
	*out = s;
	return ADZE_OK;
}

adze_status adze_store_open(adze_context *c, const char *path, adze_store **out)
{
	*out = NULL;
	if (path == NULL)
		return context_fail(c, ADZE_E_ARGUMENT, "a store has a path");
	return open_store(c, path, NULL, 0, out);
}

adze_status adze_store_open_memory(adze_context *c, const void *bytes, size_t size,
				   adze_store **out)
{
	return open_store(c, "memory", bytes != NULL ? bytes : "", size, out);
}

void adze_store_close(adze_store *store)
{
	release(store);
}

size_t adze_store_count(const adze_store *s)
{
	return s->file->nentry;
}

bool adze_store_entry(const adze_store *s, size_t i, const char **name, adze_shape *shape)
{
	if (i >= s->file->nentry)
		return false;
	if (name != NULL)
		*name = s->file->entry[i].name;
	if (shape != NULL)
		*shape = s->file->entry[i].shape;
	return true;
}

/* How many letters must be changed, added or left out (Levenshtein 1966); names are cut. */
static size_t distance(const char *a, const char *b)
{
	enum { LONGEST = 120 };
	unsigned char row[LONGEST + 1];
	size_t n = strnlen(a, LONGEST), m = strnlen(b, LONGEST);
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned char)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned char before = row[0];
		row[0] = (unsigned char)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned char least = (unsigned char)(before + (a[i - 1] != b[j - 1]));
			before = row[j];
			if (row[j] + 1 < least)
				least = (unsigned char)(row[j] + 1);
			if (row[j - 1] + 1 < least)
				least = (unsigned char)(row[j - 1] + 1);
			row[j] = least;
		}
	}
	return row[m];
}

#define SIMILAR 3

static adze_status not_found(const adze_store *s, const char *name, struct diag *d)
{
	const struct safetensors *f = s->file;
	size_t best[SIMILAR], far[SIMILAR], n = 0, most = strlen(name) / 2;
	for (size_t i = 0; i < f->nentry; i++) {
		size_t k, apart = distance(name, f->entry[i].name);
		if (apart > most)
			continue;
		for (k = n < SIMILAR ? n++ : SIMILAR; k > 0 && far[k - 1] > apart; k--) {
			if (k < SIMILAR) {
				best[k] = best[k - 1];
				far[k] = far[k - 1];
			}
		}
		if (k < SIMILAR) {
			best[k] = i;
			far[k] = apart;
		}
	}
	char list[400] = "";
	size_t at = 0;
	for (size_t k = 0; k < n && at < sizeof list; k++)
		at += (size_t)snprintf(list + at, sizeof list - at, "%s'%.100s'",
				       k == 0 ? "" : ", ", f->entry[best[k]].name);
	return fail(d, ADZE_E_NOTFOUND, "%.300s: there is no tensor '%.200s' among %zu%s%s",
		    s->name, name, f->nentry, n > 0 ? "; similar: " : "", list);
}

adze_status store_find(const adze_store *s, const char *name,
		       const struct safetensors_entry **out, struct diag *d)
{
	*out = safetensors_find(s->file, name);
	return *out != NULL ? ADZE_OK : not_found(s, name, d);
}

adze_status store_shape(const adze_store *s, const struct safetensors_entry *e, adze_shape *out,
			struct diag *d)
{
	*out = e->shape;
	if ((unsigned)e->shape.dtype >= ADZE_DTYPE_COUNT)
		return fail(d, ADZE_E_UNSUPPORTED,
			    "%.300s: tensor '%.200s' has elements of %s, which adze has not",
			    s->name, e->name, e->dtype_name);
	return ADZE_OK;
}

adze_status adze_store_find(const adze_store *s, const char *name, adze_shape *shape)
{
	struct diag d = {ADZE_OK, ""};
	const struct safetensors_entry *e;
	if (name == NULL)
		fail(&d, ADZE_E_ARGUMENT, "a tensor has a name");
	else if (store_find(s, name, &e, &d) == ADZE_OK && shape != NULL)
		*shape = e->shape;
	return context_keep(s->context, &d);
}

const char *adze_store_metadata(const adze_store *s, const char *key)
{
	return safetensors_metadata(s->file, key);
}

static bool aligned(const void *at, adze_dtype dtype)
{
	return (uintptr_t)at % dtype_bytes(dtype_part(dtype)) == 0;
}

adze_status store_load(adze_store *s, const struct safetensors_entry *e, const adze_shape *shape,
		       adze_device *dev, struct diag *d, adze_buffer **out)
{
	if (!dev->ops->shares_host_memory || !aligned(e->data, shape->dtype))
		return buffer_fill_new(dev, shape, e->data, d, out);
	store_retain(s);
	adze_status status = buffer_borrow(dev, shape, (void *)(uintptr_t)e->data, s, release, d,
					   out);
	if (status != ADZE_OK)
		release(s);
	return status;
}

adze_status adze_store_load(adze_store *s, const char *name, adze_device *dev, adze_buffer **out)
{
	struct diag d = {ADZE_OK, ""};
	const struct safetensors_entry *e;
	adze_shape shape;
	*out = NULL;
	if (name == NULL)
		fail(&d, ADZE_E_ARGUMENT, "a tensor has a name");
	else if (store_find(s, name, &e, &d) == ADZE_OK &&
		 store_shape(s, e, &shape, &d) == ADZE_OK)
		store_load(s, e, &shape, dev, &d, out);
	return context_keep(s->context, &d);
}

adze_status adze_store_view(adze_store *s, const char *name, adze_host_buffer **out)
{
	struct diag d = {ADZE_OK, ""};
	const struct safetensors_entry *e;
	adze_shape shape;
	*out = NULL;
	if (name == NULL)
		fail(&d, ADZE_E_ARGUMENT, "a tensor has a name");
	else if (store_find(s, name, &e, &d) == ADZE_OK &&
		 store_shape(s, e, &shape, &d) == ADZE_OK)
		host_buffer_make(s->context, &shape, (void *)(uintptr_t)e->data, false, &d, out);
	return context_keep(s->context, &d);
}
