/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer of safetensors files: safetensors_write() of safetensors.h.
 */
#include <jansson.h>
#include <string.h>

#include "base/dtype.h"
#include "base/text.h"
#include "safetensors.h"

/* Element sizes, in the order in which tensors lie in the file. */
static const size_t sizes[] = {8, 4, 2, 1};
#define DTYPE(name, id, bits, cls, format, ctype, cuda, st, gguf)                         \
	_Static_assert(bits == 64 || bits == 32 || bits == 16 || bits <= 8 || sizeof st == 1, \
		       #name);
#include "base/dtype.def"

/* How far data is from the beginning of the file at least, and a divisor of it. */
#define DATA_ALIGN 64

static adze_status no_memory(const char *path, struct diag *d)
{
	return fail(d, ADZE_E_NOMEM, "%s: no memory for its header", path);
}

static adze_status entry_bytes(const char *path, const struct safetensors_entry *e,
			       struct diag *d, size_t *bytes)
{
	const adze_shape *s = &e->shape;
	*bytes = 0;
	if (s->dtype < 0 || s->dtype >= ADZE_DTYPE_COUNT || s->rank < 0 ||
	    s->rank > ADZE_MAX_RANK)
		return fail(d, ADZE_E_ARGUMENT, "%s: tensor '%.99s' has no valid shape", path,
			    e->name);
	const struct dtype_info *t = dtype_info(s->dtype);
	if (t->safetensors[0] == '\0')
		return fail(d, ADZE_E_UNSUPPORTED, "%s: tensor '%.99s' is of %s, for which "
			    "safetensors has no dtype; convert it first", path, e->name, t->name);
	size_t n = (size_t)t->bits;
	for (int32_t i = 0; i < s->rank; i++) {
		if (s->dim[i].symbol[0] != '\0' || s->dim[i].size < 0)
			return fail(d, ADZE_E_ARGUMENT, "%s: dimension %d of tensor '%.99s' has "
				    "no fixed size", path, (int)i, e->name);
		if ((uintmax_t)s->dim[i].size > SIZE_MAX ||
		    !size_mul(n, (size_t)s->dim[i].size, &n))
			return fail(d, ADZE_E_LIMIT, "%s: tensor '%.99s' is too large", path,
				    e->name);
	}
	if (n > 0 && e->data == NULL)
		return fail(d, ADZE_E_ARGUMENT, "%s: tensor '%.99s' has no data", path, e->name);
	if (n % 8 != 0)
		return fail(d, ADZE_E_UNSUPPORTED, "%s: tensor '%.99s': its elements do not fill "
			    "whole bytes, which safetensors asks for", path, e->name);
	*bytes = n / 8;
	return ADZE_OK;
}

static json_t *describe(const struct safetensors_entry *e, size_t begin, size_t end)
{
	json_t *shape = json_array();
	for (int32_t i = 0; i < e->shape.rank; i++) {
		if (json_array_append_new(shape, json_integer(e->shape.dim[i].size)) != 0) {
			json_decref(shape);
			return NULL;
		}
	}
	return json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_info(e->shape.dtype)->safetensors,
			 "shape", shape, "data_offsets", (json_int_t)begin, (json_int_t)end);
}

/* Jansson refuses text that is not UTF-8 and memory that is not there alike. */
static adze_status refused(const char *path, const char *what, const char *name, struct diag *d)
{
	return fail(d, ADZE_E_ARGUMENT, "%s: %s '%.99s' is not UTF-8, or there is no memory for "
		    "it", path, what, name);
}

static adze_status add_entry(json_t *root, const char *path, const struct safetensors_entry *e,
			     size_t *end, struct diag *d)
{
	size_t bytes, begin = *end;
	TRY(entry_bytes(path, e, d, &bytes));
	if (strcmp(e->name, "__metadata__") == 0)
		return fail(d, ADZE_E_ARGUMENT, "%s: the format allows no tensor of the name "
			    "__metadata__", path);
	if (json_object_get(root, e->name) != NULL)
		return fail(d, ADZE_E_ARGUMENT, "%s: there are two tensors '%.99s'", path,
			    e->name);
	if (!size_add(*end, bytes, end) || *end > INT64_MAX)
		return fail(d, ADZE_E_LIMIT, "%s: its data is too large", path);
	if (json_object_set_new(root, e->name, describe(e, begin, *end)) != 0)
		return refused(path, "the name", e->name, d);
	return ADZE_OK;
}

static adze_status add_metadata(json_t *root, const char *path,
				const struct safetensors_pair *pair, size_t n, struct diag *d)
{
	json_t *map = json_object();
	if (n == 0 || map == NULL) {
		json_decref(map);
		return n == 0 ? ADZE_OK : no_memory(path, d);
	}
	if (json_object_set_new(root, "__metadata__", map) != 0)
		return no_memory(path, d);
	for (size_t i = 0; i < n; i++) {
		if (json_object_get(map, pair[i].key) != NULL)
			return fail(d, ADZE_E_ARGUMENT, "%s: there are two values of the "
				    "metadata '%.99s'", path, pair[i].key);
		if (json_object_set_new(map, pair[i].key, json_string(pair[i].value)) != 0)
			return refused(path, "the metadata", pair[i].key, d);
	}
	return ADZE_OK;
}

static int dump_text(const char *bytes, size_t len, void *self)
{
	text_bytes(self, bytes, len);
	return 0;
}

/* Everything before the data: the length, the JSON, spaces. */
static adze_status make_header(json_t *root, const char *path, struct diag *d, struct text *t)
{
	static const char blank[DATA_ALIGN] = "                                "
					      "                                ";
	text_u64(t, 0);
	if (json_dump_callback(root, dump_text, t, JSON_COMPACT) != 0 || t->failed)
		return no_memory(path, d);
	text_bytes(t, blank, size_round_up(t->len, DATA_ALIGN) - t->len);
	if (t->failed)
		return no_memory(path, d);
	if (t->len - 8 > SAFETENSORS_MAX_HEADER)
		return fail(d, ADZE_E_LIMIT, "%s: its header would have %zu bytes; the format "
			    "allows %d", path, t->len - 8, SAFETENSORS_MAX_HEADER);
	for (int i = 0; i < 8; i++)
		t->at[i] = (char)((uint64_t)(t->len - 8) >> 8 * i);
	return ADZE_OK;
}

static adze_status write_data(struct file_writer *w, const char *path,
			      const struct safetensors_entry *entry, size_t n, struct diag *d)
{
	for (size_t k = 0; k < COUNT_OF(sizes); k++) {
		for (size_t i = 0; i < n; i++) {
			size_t bytes;
			if (dtype_bytes(entry[i].shape.dtype) != sizes[k])
				continue;
			TRY(entry_bytes(path, &entry[i], d, &bytes));
			TRY(file_writer_write(w, entry[i].data, bytes, d));
		}
	}
	return ADZE_OK;
}

static adze_status write_file(const adze_allocator *from, const char *path,
			      const struct text *header, const struct safetensors_entry *entry,
			      size_t n, struct diag *d)
{
	struct file_writer w;
	TRY(file_writer_open(from, path, d, &w));
	adze_status status = file_writer_write(&w, header->at, header->len, d);
	if (status == ADZE_OK)
		status = write_data(&w, path, entry, n, d);
	if (status == ADZE_OK)
		return file_writer_commit(&w, d);
	file_writer_discard(&w);
	return status;
}

/* All members of the header; checks every entry. */
static adze_status fill(json_t *root, const char *path, const struct safetensors_entry *entry,
			size_t nentry, const struct safetensors_pair *metadata,
			size_t nmetadata, struct diag *d)
{
	size_t end = 0, bytes;
	TRY(add_metadata(root, path, metadata, nmetadata, d));
	/* Before their types are looked up. */
	for (size_t i = 0; i < nentry; i++)
		TRY(entry_bytes(path, &entry[i], d, &bytes));
	for (size_t k = 0; k < COUNT_OF(sizes); k++)
		for (size_t i = 0; i < nentry; i++)
			if (dtype_bytes(entry[i].shape.dtype) == sizes[k])
				TRY(add_entry(root, path, &entry[i], &end, d));
	return ADZE_OK;
}

adze_status safetensors_write(const adze_allocator *from, const char *path,
			      const struct safetensors_entry *entry, size_t nentry,
			      const struct safetensors_pair *metadata, size_t nmetadata,
			      struct diag *d)
{
	json_t *root = json_object();
	if (root == NULL)
		return no_memory(path, d);
	struct text header;
	text_init(&header, from);
	adze_status status = fill(root, path, entry, nentry, metadata, nmetadata, d);
	if (status == ADZE_OK)
		status = make_header(root, path, d, &header);
	json_decref(root);
	if (status == ADZE_OK)
		status = write_file(from, path, &header, entry, nentry, d);
	text_fini(&header);
	return status;
}
