/* SPDX-License-Identifier: Apache-2.0
 *
 * Weight files in the safetensors format (github.com/huggingface/safetensors, "Format"):
 * 8 bytes that say how long the header is, little-endian; the header, a JSON object of
 * tensors; their data, row-major, without holes. Also several such files with an index.
 *
 * A file is mapped, and opening reads its header alone. Nothing in it is trusted: every
 * name, number and offset is checked before anything is handed out, and the words of a
 * refusal name the file and the tensor. Files that are damaged or lie are E_FORMAT.
 *
 * JSON is Jansson's. Its memory comes from the C library and not from the allocator; it
 * is given back before a call returns.
 */
#ifndef ADZE_SAFETENSORS_H
#define ADZE_SAFETENSORS_H

#include "base/file.h"

/** The format's limit for the header. */
#define SAFETENSORS_MAX_HEADER 100000000

struct safetensors_entry {
	const char *name;       /* UTF-8, may be empty */
	const char *dtype_name; /* as in the file, such as "F32" */
	adze_shape shape;       /* `dtype` is ADZE_DTYPE_COUNT for types adze does not have */
	const void *data;       /* at any alignment, never NULL, even where `bytes` is 0 */
	size_t bytes;
	size_t file;            /* the index of its file */
};

struct safetensors_pair {
	const char *key, *value;
};

struct safetensors_file {
	const char *path;
	size_t data_start; /* bytes before the data */
	struct file_map map;
};

/** Read-only once open, so any number of threads may look at it. */
struct safetensors {
	const adze_allocator *from;        /* borrowed */
	struct safetensors_entry *entry;   /* sorted by name as strcmp() does */
	size_t nentry;
	struct safetensors_pair *metadata; /* sorted by key */
	size_t nmetadata;
	struct safetensors_file *file;     /* none of a memory one */
	size_t nfile;
	size_t entry_cap, metadata_cap;
	struct arena text;                 /* all names */
};

/**
 * Opens a file; or, where the name ends in ".json", an index and all files it names; or
 * a folder that holds model.safetensors or model.safetensors.index.json (in this order).
 *
 * Of several files the result is one list. The index decides: a tensor it gives to a
 * file must be there, and a tensor it does not name is left out. The metadata is the
 * index's, then that of the files in order of their names; the first value of a key
 * counts, and values that are not text appear as JSON.
 *
 * Errors: E_NOTFOUND where the path or a file of an index is missing, E_LIMIT for more
 * than ADZE_MAX_RANK dimensions, E_FORMAT, E_IO, E_NOMEM. `*out` is NULL on any.
 */
adze_status safetensors_open(const adze_allocator *from, const char *path, struct diag *d,
			     struct safetensors **out);

/** The same of one file in memory, which is borrowed until close. */
adze_status safetensors_open_memory(const adze_allocator *from, const void *bytes, size_t len,
				    struct diag *d, struct safetensors **out);

/** NULL where there is none. Bisects. */
const struct safetensors_entry *safetensors_find(const struct safetensors *s, const char *name);

/** The value of a metadata key, NULL where there is none. */
const char *safetensors_metadata(const struct safetensors *s, const char *key);

void safetensors_close(struct safetensors *s);

/**
 * Writes a file, aside and renamed (base/file.h). Of an entry `name`, `shape` and `data`
 * are read. Data begins at a multiple of 64; tensors follow each other by element size,
 * largest first, else in the order given, so that each is aligned to its elements. The
 * same arguments give the same bytes.
 *
 * Errors: E_ARGUMENT for a name twice, a name or text that is not UTF-8, a shape with a
 * symbol, or data that is NULL where there are bytes; E_LIMIT; those of the file.
 */
adze_status safetensors_write(const adze_allocator *from, const char *path,
			      const struct safetensors_entry *entry, size_t nentry,
			      const struct safetensors_pair *metadata, size_t nmetadata,
			      struct diag *d);

#endif
