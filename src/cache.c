/* SPDX-License-Identifier: Apache-2.0 */
#include "cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "source_id.h"

/* The hashes of both parts are hashed again: the text is long and need not be copied. */
static struct hash128 hash_key(const adze_device *dev, const struct text *text)
{
	struct {
		char device[16], target[64];
		uint64_t version, fingerprint, source;
		struct hash128 text;
	} key;
	memset(&key, 0, sizeof key);
	snprintf(key.device, sizeof key.device, "%s", dev->ops->name);
	snprintf(key.target, sizeof key.target, "%s", dev->target);
	key.version = EXE_VERSION;
	key.fingerprint = exe_fingerprint();
	key.source = SOURCE_ID; /* passes and drivers are more than their tables */
	key.text = hash128_bytes(text->at, text->len);
	return hash128_bytes(&key, sizeof key);
}

void cache_find_key(const adze_device *dev, const struct text *text, struct cache_key *out)
{
	const char *dir = dev->context->config.cache_dir;
	out->folder[0] = out->path[0] = '\0';
	if (dir == NULL)
		return;
	struct hash128 h = hash_key(dev, text);
	int n = snprintf(out->folder, sizeof out->folder, "%s/%02x", dir,
			 (unsigned)(h.high >> 56));
	if (n < 0 || (size_t)n >= sizeof out->folder) {
		context_log(dev->context, ADZE_LOG_WARN, "cache: the folder's path is too long");
		return;
	}
	snprintf(out->path, sizeof out->path, "%s/%016" PRIx64 "%016" PRIx64 ".adze", out->folder,
		 h.high, h.low);
}

adze_status cache_read_file(const adze_allocator *a, const char *path, struct diag *d,
			    void **out, size_t *len)
{
	struct file_map map;
	*out = NULL;
	*len = 0;
	TRY(file_map_open(path, d, &map));
	adze_status status = ADZE_OK;
	void *bytes = mem_new(a, map.bytes, 1);
	if (bytes == NULL)
		status = fail(d, ADZE_E_NOMEM, "%s: no memory to read %zu bytes", path, map.bytes);
	else
		status = file_map_read(&map, path, 0, bytes, map.bytes, d);
	if (status == ADZE_OK) {
		*out = bytes;
		*len = map.bytes;
	} else {
		mem_free(a, bytes, map.bytes, 1);
	}
	file_map_close(&map);
	return status;
}

/* Hashes may meet: the graph in the file must be this one. */
static bool holds(const adze_exe *x, const struct text *text)
{
	const struct exe_section *s = &x->file.section[EXE_SOURCE];
	return s->len == text->len && memcmp(s->at, text->at, text->len) == 0;
}

adze_status cache_load(adze_device *dev, const struct cache_key *key, const struct text *text,
		       struct diag *d, adze_exe **out)
{
	adze_context *c = dev->context;
	struct diag words = {ADZE_OK, ""};
	void *bytes;
	size_t len;
	*out = NULL;
	if (key->path[0] == '\0')
		return ADZE_OK;
	adze_status status = cache_read_file(&c->mem, key->path, &words, &bytes, &len);
	if (status == ADZE_E_NOTFOUND)
		return ADZE_OK;
	if (status == ADZE_OK)
		status = device_load(dev, bytes, len, out, &words);
	if (status == ADZE_OK && !holds(*out, text)) {
		exe_release(*out);
		*out = NULL;
		status = fail(&words, ADZE_E_FORMAT, "it holds another graph");
	}
	if (status == ADZE_E_NOMEM)
		return fail(d, status, "%s", words.text);
	if (status != ADZE_OK) {
		context_log(c, ADZE_LOG_INFO, "cache: %.600s cannot be used, compiling: %.300s",
			    key->path, words.text);
		return ADZE_OK;
	}
	(*out)->cached = true;
	context_log(c, ADZE_LOG_INFO, "cache: found %.900s", key->path);
	return ADZE_OK;
}

void cache_store(adze_device *dev, const struct cache_key *key, const void *bytes, size_t len)
{
	adze_context *c = dev->context;
	struct diag d = {ADZE_OK, ""};
	if (key->path[0] == '\0')
		return;
	struct file_writer w;
	if (file_make_folder(&c->mem, key->folder, &d) == ADZE_OK &&
	    file_writer_open(&c->mem, key->path, &d, &w) == ADZE_OK) {
		/* Waiting for the disk would take ten times what compiling does. */
		w.replaceable = true;
		if (file_writer_write(&w, bytes, len, &d) == ADZE_OK)
			file_writer_commit(&w, &d);
		else
			file_writer_discard(&w);
	}
	if (d.status != ADZE_OK)
		context_log(c, ADZE_LOG_WARN, "cache: not kept: %s", d.text);
	else
		context_log(c, ADZE_LOG_INFO, "cache: kept %.900s", key->path);
}
