/* SPDX-License-Identifier: Apache-2.0 */
#include "safetensors.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/dtype.h"
#include "base/text.h"

/* Deeper JSON than a header or index needs; keeps Jansson's recursion off small stacks. */
#define MAX_NESTING 32

/* What the format knows beyond dtype.def: such tensors are listed, not computed with. */
static const struct {
	const char *name;
	unsigned bits;
} other_type[] = {
	{"F6_E2M3", 6},
	{"F6_E3M2", 6},
};

/* A text from a file as it may stand in a message: short, and without control bytes. */
struct shown {
	char text[100];
};

static struct shown show(const char *text)
{
	struct shown s;
	size_t n = 0;
	for (; text[n] != '\0' && n + 4 < sizeof s.text; n++) {
		unsigned char c = (unsigned char)text[n];
		s.text[n] = c < 0x20 || c == 0x7f ? '?' : text[n];
	}
	if (text[n] != '\0') {
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
		memcpy(s.text + n, "...", 3);
		n += 3;
	}
	s.text[n] = '\0';
	return s;
}

/* Whose header is read: the words' path, the file's number, and where its data lies. */
struct source {
	const char *path;
	size_t file;
	const char *data;
	size_t bytes;
};

static adze_status no_memory(const char *path, struct diag *d)
{
	return fail(d, ADZE_E_NOMEM, "%s: no memory for its list of tensors", path);
}

static adze_status bad(const struct source *in, const char *name, struct diag *d,
		       const char *what)
{
	return fail(d, ADZE_E_FORMAT, "%s: tensor '%s': %s", in->path, show(name).text, what);
}

static bool nested_too_deep(const char *text, size_t len)
{
	int depth = 0;
	bool quoted = false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			depth++;
		else if (!quoted && (c == '}' || c == ']'))
			depth--;
		if (depth > MAX_NESTING)
			return true;
	}
	return false;
}

static adze_status parse_json(const char *text, size_t len, const char *path, struct diag *d,
			      json_t **out)
{
	*out = NULL;
	if (nested_too_deep(text, len))
		return fail(d, ADZE_E_FORMAT, "%s: its JSON is nested too deep", path);
	json_error_t error;
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (root == NULL && json_error_code(&error) == json_error_out_of_memory)
		return no_memory(path, d);
	if (root == NULL)
		return fail(d, ADZE_E_FORMAT, "%s: its JSON is not valid: %s (byte %d)", path,
			    show(error.text).text, error.position);
	if (!json_is_object(root)) {
		json_decref(root);
		return fail(d, ADZE_E_FORMAT, "%s: its JSON is not an object", path);
	}
	*out = root;
	return ADZE_OK;
}

static adze_status add_metadata(struct safetensors *s, const char *key, const char *value,
				size_t len, const char *path, struct diag *d)
{
	void *at = s->metadata;
	if (!mem_grow(s->from, &at, &s->metadata_cap, s->nmetadata + 1, sizeof *s->metadata))
		return no_memory(path, d);
	s->metadata = at;
	struct safetensors_pair *pair = &s->metadata[s->nmetadata];
	pair->key = arena_text(&s->text, key, strlen(key));
	pair->value = arena_text(&s->text, value, len);
	if (pair->key == NULL || pair->value == NULL)
		return no_memory(path, d);
	s->nmetadata++;
	return ADZE_OK;
}

static int by_key(const void *a, const void *b)
{
	const struct safetensors_pair *x = a, *y = b;
	return strcmp(x->key, y->key);
}

static const struct safetensors_pair *find_pair(const struct safetensors_pair *pair, size_t n,
						const char *key)
{
	struct safetensors_pair like = {key, NULL};
	return n == 0 ? NULL : bsearch(&like, pair, n, sizeof like, by_key);
}

/* Sorts what one file added to the `old` pairs; keys that were there stay what they were. */
static void merge_metadata(struct safetensors *s, size_t old)
{
	size_t n = old;
	for (size_t i = old; i < s->nmetadata; i++)
		if (find_pair(s->metadata, old, s->metadata[i].key) == NULL)
			s->metadata[n++] = s->metadata[i];
	s->nmetadata = n;
	if (n > old)
		qsort(s->metadata, n, sizeof *s->metadata, by_key);
}

static adze_status read_metadata(struct safetensors *s, const struct source *in, json_t *map,
				 struct diag *d)
{
	const char *key;
	json_t *value;
	size_t old = s->nmetadata;
	if (!json_is_object(map))
		return fail(d, ADZE_E_FORMAT, "%s: __metadata__ is not an object", in->path);
	json_object_foreach(map, key, value) {
		if (!json_is_string(value))
			return fail(d, ADZE_E_FORMAT, "%s: __metadata__ '%s' is not a string",
				    in->path, show(key).text);
		TRY(add_metadata(s, key, json_string_value(value), json_string_length(value),
				 in->path, d));
	}
	merge_metadata(s, old);
	return ADZE_OK;
}

static adze_status read_dtype(const struct source *in, json_t *info,
			      struct safetensors_entry *e, size_t *bits, struct diag *d)
{
	const char *dtype = json_string_value(json_object_get(info, "dtype"));
	if (dtype == NULL)
		return bad(in, e->name, d, "has no dtype, or it is not a string");
	e->shape.dtype = dtype_find_safetensors(dtype);
	if (e->shape.dtype != ADZE_DTYPE_COUNT) {
		e->dtype_name = dtype_info(e->shape.dtype)->safetensors;
		*bits = (size_t)dtype_info(e->shape.dtype)->bits;
		return ADZE_OK;
	}
	for (size_t i = 0; i < COUNT_OF(other_type); i++) {
		if (strcmp(other_type[i].name, dtype) != 0)
			continue;
		e->dtype_name = other_type[i].name;
		*bits = other_type[i].bits;
		return ADZE_OK;
	}
	return fail(d, ADZE_E_FORMAT, "%s: tensor '%s': '%s' is not a dtype of the format",
		    in->path, show(e->name).text, show(dtype).text);
}

/* Elements of the shape. A shape with a zero must be sound without it too, so that
 * strides never overflow. */
static adze_status read_shape(const struct source *in, json_t *info,
			      struct safetensors_entry *e, size_t *count, struct diag *d)
{
	json_t *shape = json_object_get(info, "shape");
	if (!json_is_array(shape))
		return bad(in, e->name, d, "has no shape, or it is not an array");
	size_t rank = json_array_size(shape);
	size_t others = 1;
	*count = 1;
	if (rank > ADZE_MAX_RANK)
		return fail(d, ADZE_E_LIMIT, "%s: tensor '%s': has %zu dimensions; at most %d "
			    "are possible", in->path, show(e->name).text, rank, ADZE_MAX_RANK);
	for (size_t i = 0; i < rank; i++) {
		json_t *dim = json_array_get(shape, i);
		json_int_t n = json_integer_value(dim);
		if (!json_is_integer(dim))
			return bad(in, e->name, d, "its shape has something that is not an "
				   "integer");
		if (n < 0)
			return bad(in, e->name, d, "its shape has a negative dimension");
		if ((uintmax_t)n > SIZE_MAX || (n > 0 && !size_mul(others, (size_t)n, &others)))
			return bad(in, e->name, d, "its shape is too large for this machine");
		*count *= (size_t)n;
		e->shape.dim[i].size = n;
		e->shape.dim[i].scale = 1;
	}
	e->shape.rank = (int32_t)rank;
	return ADZE_OK;
}

static adze_status read_offsets(const struct source *in, json_t *info,
				struct safetensors_entry *e, struct diag *d)
{
	json_t *offsets = json_object_get(info, "data_offsets");
	json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
	if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last))
		return bad(in, e->name, d, "its data_offsets are not two integers");
	json_int_t begin = json_integer_value(first), end = json_integer_value(last);
	if (begin < 0 || end < begin)
		return fail(d, ADZE_E_FORMAT, "%s: tensor '%s': its data_offsets %" PRIdMAX
			    " to %" PRIdMAX " are no range", in->path, show(e->name).text,
			    (intmax_t)begin, (intmax_t)end);
	if ((uintmax_t)end > in->bytes)
		return fail(d, ADZE_E_FORMAT, "%s: tensor '%s': its data ends at byte %" PRIdMAX
			    ", but the file has %zu bytes of data: truncated?", in->path,
			    show(e->name).text, (intmax_t)end, in->bytes);
	e->data = in->data + begin;
	e->bytes = (size_t)(end - begin);
	return ADZE_OK;
}

/* Fills the next entry, for which there is room. */
static adze_status read_tensor(struct safetensors *s, const struct source *in,
			       const char *name, json_t *info, struct diag *d)
{
	struct safetensors_entry *e = &s->entry[s->nentry];
	size_t bits = 0, count = 0, total;
	memset(e, 0, sizeof *e);
	e->file = in->file;
	e->name = arena_text(&s->text, name, strlen(name));
	if (e->name == NULL)
		return no_memory(in->path, d);
	if (!json_is_object(info))
		return bad(in, name, d, "is not described by an object");
	TRY(read_dtype(in, info, e, &bits, d));
	TRY(read_shape(in, info, e, &count, d));
	TRY(read_offsets(in, info, e, d));
	if (!size_mul(count, bits, &total))
		return bad(in, name, d, "its shape is too large for this machine");
	if (total % 8 != 0)
		return bad(in, name, d, "its elements do not fill whole bytes");
	if (total / 8 != e->bytes)
		return fail(d, ADZE_E_FORMAT, "%s: tensor '%s': its shape and dtype %s take %zu "
			    "bytes, its data_offsets give %zu", in->path, show(name).text,
			    e->dtype_name, total / 8, e->bytes);
	s->nentry++;
	return ADZE_OK;
}

static int by_place(const void *a, const void *b)
{
	const struct safetensors_entry *x = a, *y = b;
	if (x->data != y->data)
		return (const char *)x->data < (const char *)y->data ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
	const struct safetensors_entry *x = a, *y = b;
	return strcmp(x->name, y->name);
}

/* Sorts the entries of one file by place. */
static adze_status check_cover(struct safetensors_entry *e, size_t n, const struct source *in,
			       struct diag *d)
{
	size_t end = 0;
	qsort(e, n, sizeof *e, by_place);
	for (size_t i = 0; i < n; i++) {
		size_t begin = (size_t)((const char *)e[i].data - in->data);
		if (begin < end)
			return fail(d, ADZE_E_FORMAT, "%s: tensor '%s' begins at byte %zu, "
				    "inside tensor '%s', which ends at byte %zu", in->path,
				    show(e[i].name).text, begin, show(e[i - 1].name).text, end);
		if (begin > end)
			return fail(d, ADZE_E_FORMAT, "%s: the data from byte %zu to tensor '%s' "
				    "at byte %zu belongs to no tensor", in->path, end,
				    show(e[i].name).text, begin);
		end += e[i].bytes;
	}
	if (end != in->bytes)
		return fail(d, ADZE_E_FORMAT, "%s: %zu bytes after the last tensor belong to "
			    "none", in->path, in->bytes - end);
	return ADZE_OK;
}

static adze_status read_members(struct safetensors *s, json_t *root, const struct source *in,
				struct diag *d)
{
	const char *name;
	json_t *value;
	/* One more, so that there is an array even of none. */
	void *at = s->entry;
	size_t first = s->nentry, need = first + json_object_size(root) + 1;
	if (!mem_grow(s->from, &at, &s->entry_cap, need, sizeof *s->entry))
		return no_memory(in->path, d);
	s->entry = at;
	json_object_foreach(root, name, value) {
		if (strcmp(name, "__metadata__") == 0)
			TRY(read_metadata(s, in, value, d));
		else
			TRY(read_tensor(s, in, name, value, d));
	}
	return check_cover(s->entry + first, s->nentry - first, in, d);
}

/* Appends the tensors and the metadata of one header. */
static adze_status read_header(struct safetensors *s, const char *text, size_t len,
			       const struct source *in, struct diag *d)
{
	json_t *root;
	TRY(parse_json(text, len, in->path, d, &root));
	adze_status status = read_members(s, root, in, d);
	json_decref(root);
	return status;
}

/* The header's length from the first 8 bytes of a file of `bytes`. */
static adze_status header_length(const unsigned char head[8], size_t bytes, const char *path,
				 struct diag *d, size_t *len)
{
	struct reader r = {head, 8, 0, false};
	uint64_t n = read_u64(&r);
	*len = 0;
	if (n > SAFETENSORS_MAX_HEADER)
		return fail(d, ADZE_E_FORMAT, "%s: its header would have %" PRIu64 " bytes; the "
			    "format allows %d", path, n, SAFETENSORS_MAX_HEADER);
	if (n > bytes - 8)
		return fail(d, ADZE_E_FORMAT, "%s: its header would have %" PRIu64 " bytes, but "
			    "only %zu follow: truncated?", path, n, bytes - 8);
	*len = (size_t)n;
	return ADZE_OK;
}

static adze_status too_short(const char *path, size_t bytes, struct diag *d)
{
	return fail(d, ADZE_E_FORMAT, "%s: %zu bytes are no safetensors file, which begins with "
		    "8 bytes of length", path, bytes);
}

static adze_status read_mapped(struct safetensors *s, size_t file, struct diag *d)
{
	struct safetensors_file *f = &s->file[file];
	unsigned char head[8];
	size_t len;
	if (f->map.bytes < 8)
		return too_short(f->path, f->map.bytes, d);
	TRY(file_map_read(&f->map, f->path, 0, head, 8, d));
	TRY(header_length(head, f->map.bytes, f->path, d, &len));
	/* Read, not through the mapping: a page touched there can come with 2 MB around it. */
	char *text = mem_new_aligned(s->from, len + 1, 16);
	if (text == NULL)
		return no_memory(f->path, d);
	adze_status status = file_map_read(&f->map, f->path, 8, text, len, d);
	f->data_start = 8 + len;
	struct source in = {f->path, file, (const char *)f->map.at + 8 + len,
			    f->map.bytes - 8 - len};
	if (status == ADZE_OK)
		status = read_header(s, text, len, &in, d);
	mem_free_aligned(s->from, text);
	file_map_detach(&f->map);
	return status;
}

/* Opens file number s->nfile, for which there is room. */
static adze_status open_file(struct safetensors *s, const char *path, struct diag *d)
{
	struct safetensors_file *f = &s->file[s->nfile];
	f->path = arena_text(&s->text, path, strlen(path));
	if (f->path == NULL)
		return no_memory(path, d);
	TRY(file_map_open(path, d, &f->map));
	return read_mapped(s, s->nfile++, d);
}

static adze_status new_files(struct safetensors *s, size_t n, const char *path, struct diag *d)
{
	s->file = arena_new(&s->text, n, sizeof *s->file);
	return s->file != NULL ? ADZE_OK : no_memory(path, d);
}

/* Whether a shard's name stays within the folder of the index, and is no index itself. */
static bool is_plain(const char *name)
{
	static const char suffix[] = ".safetensors";
	size_t len = strlen(name);
	if (len < sizeof suffix || strcmp(name + len - (sizeof suffix - 1), suffix) != 0)
		return false;
	if (name[0] == '/' || strchr(name, '\\') != NULL)
		return false;
	for (const char *part = name; part != NULL; part = strchr(part, '/')) {
		part += *part == '/';
		if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
			return false;
	}
	return true;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The different files of a weight_map, sorted; the names are the JSON's. */
static adze_status list_shards(struct safetensors *s, const char *path, json_t *map,
			       struct diag *d, const char ***out, size_t *n)
{
	const char *name;
	json_t *value;
	size_t size = json_object_size(map);
	const char **list = arena_new(&s->text, size, sizeof *list);
	if (list == NULL)
		return no_memory(path, d);
	size_t all = 0;
	json_object_foreach(map, name, value) {
		const char *shard = json_string_value(value);
		if (shard == NULL)
			return fail(d, ADZE_E_FORMAT, "%s: the file of tensor '%s' is not a "
				    "string", path, show(name).text);
		if (!is_plain(shard))
			return fail(d, ADZE_E_FORMAT, "%s: the file '%s' of tensor '%s' is not "
				    "a .safetensors file in the folder of the index", path,
				    show(shard).text, show(name).text);
		list[all++] = shard;
	}
	qsort(list, all, sizeof *list, by_text);
	*n = 0;
	for (size_t i = 0; i < all; i++)
		if (*n == 0 || strcmp(list[i], list[*n - 1]) != 0)
			list[(*n)++] = list[i];
	*out = list;
	return ADZE_OK;
}

static adze_status open_shard(struct safetensors *s, const char *index, const char *shard,
			      json_t *map, struct diag *d)
{
	const char *slash = strrchr(index, '/');
	struct text path;
	size_t first = s->nentry;
	text_init(&path, s->from);
	text_bytes(&path, index, slash == NULL ? 0 : (size_t)(slash - index) + 1);
	text_bytes(&path, shard, strlen(shard));
	adze_status status;
	if (path.failed)
		status = no_memory(index, d);
	else if (!file_exists(path.at))
		status = fail(d, ADZE_E_NOTFOUND, "%s: names the file '%s', which is not there",
			      index, show(shard).text);
	else
		status = open_file(s, path.at, d);
	text_fini(&path);
	TRY(status);
	size_t keep = first;
	for (size_t i = first; i < s->nentry; i++) {
		const char *of = json_string_value(json_object_get(map, s->entry[i].name));
		if (of != NULL && strcmp(of, shard) == 0)
			s->entry[keep++] = s->entry[i];
	}
	s->nentry = keep;
	return ADZE_OK;
}

static int dump_text(const char *bytes, size_t len, void *self)
{
	text_bytes(self, bytes, len);
	return 0;
}

static adze_status index_metadata(struct safetensors *s, const char *path, json_t *map,
				  struct diag *d)
{
	const char *key;
	json_t *value;
	json_object_foreach(map, key, value) {
		struct text t;
		text_init(&t, s->from);
		adze_status status = ADZE_OK;
		if (json_is_string(value))
			text_bytes(&t, json_string_value(value), json_string_length(value));
		else if (json_dump_callback(value, dump_text, &t,
					    JSON_COMPACT | JSON_ENCODE_ANY) != 0)
			status = no_memory(path, d);
		if (t.failed)
			status = no_memory(path, d);
		if (status == ADZE_OK)
			status = add_metadata(s, key, t.at, t.len, path, d);
		text_fini(&t);
		TRY(status);
	}
	merge_metadata(s, 0);
	return ADZE_OK;
}

/* After all shards: whether each tensor of the index was in its shard. */
static adze_status check_index(struct safetensors *s, const char *path, json_t *map,
			       struct diag *d)
{
	const char *name;
	json_t *value;
	qsort(s->entry, s->nentry, sizeof *s->entry, by_name);
	json_object_foreach(map, name, value) {
		if (safetensors_find(s, name) == NULL)
			return fail(d, ADZE_E_FORMAT, "%s: tensor '%s' is not in '%s'", path,
				    show(name).text, show(json_string_value(value)).text);
	}
	return ADZE_OK;
}

static adze_status read_index(struct safetensors *s, const char *path, json_t *root,
			      struct diag *d)
{
	json_t *map = json_object_get(root, "weight_map");
	if (!json_is_object(map) || json_object_size(map) == 0)
		return fail(d, ADZE_E_FORMAT, "%s: has no weight_map, or an empty one", path);
	const char **shard;
	size_t n;
	TRY(index_metadata(s, path, json_object_get(root, "metadata"), d));
	TRY(list_shards(s, path, map, d, &shard, &n));
	TRY(new_files(s, n, path, d));
	for (size_t i = 0; i < n; i++)
		TRY(open_shard(s, path, shard[i], map, d));
	return check_index(s, path, map, d);
}

static adze_status open_index(struct safetensors *s, const char *path, struct diag *d)
{
	void *text;
	size_t len;
	json_t *root;
	TRY(file_read(s->from, path, SAFETENSORS_MAX_HEADER, d, &text, &len));
	adze_status status = parse_json(text, len, path, d, &root);
	mem_free_aligned(s->from, text);
	TRY(status);
	status = read_index(s, path, root, d);
	json_decref(root);
	return status;
}

static adze_status open_folder(struct safetensors *s, const char *path, struct diag *d)
{
	struct text file;
	text_init(&file, s->from);
	text_add(&file, "%s/model.safetensors", path);
	adze_status status;
	if (file.failed) {
		status = no_memory(path, d);
	} else if (file_exists(file.at)) {
		status = new_files(s, 1, path, d);
		if (status == ADZE_OK)
			status = open_file(s, file.at, d);
	} else {
		text_add(&file, ".index.json");
		if (file.failed)
			status = no_memory(path, d);
		else if (file_exists(file.at))
			status = open_index(s, file.at, d);
		else
			status = fail(d, ADZE_E_NOTFOUND, "%s: holds neither model.safetensors "
				      "nor model.safetensors.index.json", path);
	}
	text_fini(&file);
	return status;
}

static adze_status open_path(struct safetensors *s, const char *path, struct diag *d)
{
	size_t len = strlen(path);
	if (file_is_folder(path))
		return open_folder(s, path, d);
	if (len >= 5 && strcmp(path + len - 5, ".json") == 0)
		return open_index(s, path, d);
	TRY(new_files(s, 1, path, d));
	return open_file(s, path, d);
}

static struct safetensors *create(const adze_allocator *from)
{
	struct safetensors *s = mem_new(from, 1, sizeof *s);
	if (s != NULL) {
		s->from = from;
		arena_init(&s->text, from);
	}
	return s;
}

static adze_status finish(struct safetensors *s, adze_status status, struct safetensors **out)
{
	if (status != ADZE_OK) {
		safetensors_close(s);
		return status;
	}
	qsort(s->entry, s->nentry, sizeof *s->entry, by_name);
	*out = s;
	return ADZE_OK;
}

adze_status safetensors_open(const adze_allocator *from, const char *path, struct diag *d,
			     struct safetensors **out)
{
	*out = NULL;
	struct safetensors *s = create(from);
	if (s == NULL)
		return no_memory(path, d);
	return finish(s, open_path(s, path, d), out);
}

static adze_status open_bytes(struct safetensors *s, const char *bytes, size_t len,
			      struct diag *d)
{
	static const char path[] = "safetensors in memory";
	unsigned char head[8];
	size_t n;
	if (len < 8)
		return too_short(path, len, d);
	memcpy(head, bytes, 8);
	TRY(header_length(head, len, path, d, &n));
	struct source in = {path, 0, bytes + 8 + n, len - 8 - n};
	return read_header(s, bytes + 8, n, &in, d);
}

adze_status safetensors_open_memory(const adze_allocator *from, const void *bytes, size_t len,
				    struct diag *d, struct safetensors **out)
{
	*out = NULL;
	struct safetensors *s = create(from);
	if (s == NULL)
		return no_memory("safetensors in memory", d);
	return finish(s, open_bytes(s, bytes, len, d), out);
}

const struct safetensors_entry *safetensors_find(const struct safetensors *s, const char *name)
{
	size_t low = 0, high = s->nentry;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(s->entry[mid].name, name);
		if (order == 0)
			return &s->entry[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const char *safetensors_metadata(const struct safetensors *s, const char *key)
{
	const struct safetensors_pair *pair = find_pair(s->metadata, s->nmetadata, key);
	return pair == NULL ? NULL : pair->value;
}

void safetensors_close(struct safetensors *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->nfile; i++)
		file_map_close(&s->file[i].map);
	arena_fini(&s->text);
	mem_free(s->from, s->entry, s->entry_cap, sizeof *s->entry);
	mem_free(s->from, s->metadata, s->metadata_cap, sizeof *s->metadata);
	mem_free(s->from, s, 1, sizeof *s);
}
