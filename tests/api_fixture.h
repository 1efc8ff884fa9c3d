/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests of the public API share: a context whose memory is counted, a CPU device,
 * graphs that are built, run once and compared.
 */
#ifndef ADZE_API_FIXTURE_H
#define ADZE_API_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "adze.h"
#include "tests/check.h"

struct life {
	struct check_memory memory;
	adze_context *context;
	adze_device *device;
	char words[1024];
};

#define OK(l, call)                                                                   \
	do {                                                                          \
		adze_status status_ = (call);                                         \
		CHECK_MSG(status_ == ADZE_OK, "%s: %s %s", #call, adze_status_name(status_), \
			  adze_context_words((l)->context, (l)->words, sizeof (l)->words)); \
	} while (0)

/* That a call fails so, and that its words hold `part`. */
#define FAILS(l, call, want, part)                                                           \
	do {                                                                                 \
		adze_status status_ = (call);                                                \
		adze_context_words((l)->context, (l)->words, sizeof (l)->words);             \
		CHECK_MSG(status_ == (want) && strstr((l)->words, (part)) != NULL,           \
			  "%s: %s '%s'", #call, adze_status_name(status_), (l)->words);      \
	} while (0)

static inline void life_begin_with(struct life *l, adze_config *config)
{
	memset(&l->memory, 0, sizeof l->memory);
	l->memory.fail_after = -1;
	config->allocator = (adze_allocator){check_resize, &l->memory};
	CHECK(adze_context_create(config, &l->context) == ADZE_OK);
	OK(l, adze_device_open(l->context, "cpu", &l->device));
}

static inline void life_begin(struct life *l)
{
	adze_config config;
	adze_config_init(&config);
	config.cache_dir = NULL;
	life_begin_with(l, &config);
}

static inline void life_end(struct life *l)
{
	adze_device_close(l->device);
	OK(l, adze_context_destroy(l->context));
	CHECK_MSG(l->memory.live_blocks == 0 && l->memory.live_bytes == 0,
		  "%ld blocks, %ld bytes are left", l->memory.live_blocks, l->memory.live_bytes);
}

static inline adze_shape shape_of(adze_dtype dtype, const char *dims)
{
	adze_shape s;
	CHECK_MSG(adze_shape_parse(dtype, dims, &s) == ADZE_OK, "shape '%s'", dims);
	return s;
}

/* A buffer with these elements. */
static inline adze_buffer *buffer_of(struct life *l, adze_dtype dtype, const char *dims,
				     const void *data)
{
	adze_shape shape = shape_of(dtype, dims);
	adze_host_buffer *host;
	adze_buffer *b;
	OK(l, adze_host_buffer_borrow(l->context, &shape, (void *)(uintptr_t)data, &host));
	OK(l, adze_copy_in(l->device, host, &b));
	adze_host_buffer_destroy(host);
	return b;
}

/* Compiles a graph without weights, and binds it. */
static inline adze_module *module_of(struct life *l, adze_graph *g)
{
	adze_exe *exe;
	adze_module *m;
	CHECK_MSG(adze_graph_status(g) == ADZE_OK, "%s", adze_graph_words(g));
	OK(l, adze_compile(l->device, g, &exe));
	OK(l, adze_bind(exe, NULL, 0, &m));
	adze_exe_destroy(exe);
	return m;
}

/* The first `n` elements of a buffer of f32. */
static inline const float *floats_of(adze_buffer *b)
{
	CHECK(adze_buffer_shape(b)->dtype == ADZE_F32);
	return adze_buffer_data(b);
}

/* Makes `y` the one result of its graph, runs it on `input`, and destroys the graph. */
static inline adze_buffer *run_once(struct life *l, adze_tensor y, adze_buffer **input, size_t n)
{
	adze_buffer *out = NULL;
	adze_output(y, "y");
	adze_module *m = module_of(l, y.graph);
	OK(l, adze_call(m, input, n, &out, 1, NULL));
	adze_module_destroy(m);
	adze_graph_destroy(y.graph);
	return out;
}

static inline void check_floats(adze_buffer *b, const float *want, size_t n)
{
	const float *have = floats_of(b);
	CHECK(adze_shape_count(adze_buffer_shape(b)) == (int64_t)n);
	for (size_t i = 0; i < n; i++)
		CHECK_MSG(have[i] - want[i] < 1e-5f && want[i] - have[i] < 1e-5f,
			  "element %zu is %g, not %g", i, have[i], want[i]);
}

static inline void check_shape(adze_buffer *b, const char *want)
{
	char text[512];
	adze_shape_print(adze_buffer_shape(b), text, sizeof text);
	CHECK_MSG(strcmp(text, want) == 0, "the shape is %s, not %s", text, want);
}

/* ---- weight files in memory ---- */

struct file_bytes {
	char at[65536];
	size_t header, data; /* bytes so far; the header without its end */
	char tensors[32768];
};

static inline void file_begin(struct file_bytes *f)
{
	memset(f, 0, sizeof *f);
	f->header = 1;
}

/* Adds a tensor of f32: element i is `first` + i * `step`. */
static inline void file_add(struct file_bytes *f, const char *name, const char *dims, float first,
			    float step)
{
	adze_shape s = shape_of(ADZE_F32, dims);
	size_t n = (size_t)adze_shape_count(&s);
	char *head = f->at + 8;
	head[0] = '{';
	CHECK(f->header + 256 < 16384 && f->data + n * 4 <= sizeof f->tensors);
	f->header += (size_t)sprintf(head + f->header, "%s\"%s\":{\"dtype\":\"F32\",\"shape\":[",
				     f->header > 1 ? "," : "", name);
	for (int i = 0; i < s.rank; i++)
		f->header += (size_t)sprintf(head + f->header, "%s%d", i > 0 ? "," : "",
					     (int)s.dim[i].size);
	f->header += (size_t)sprintf(head + f->header, "],\"data_offsets\":[%zu,%zu]}", f->data,
				     f->data + n * 4);
	for (size_t i = 0; i < n; i++) {
		float v = first + (float)i * step;
		memcpy(f->tensors + f->data + i * 4, &v, 4);
	}
	f->data += n * 4;
}

/* Bytes of the whole file, at f->at. `skew`: bytes that the data is moved from alignment. */
static inline size_t file_end(struct file_bytes *f, size_t skew)
{
	char *head = f->at + 8;
	head[0] = '{';
	head[f->header++] = '}';
	while ((f->header + 8) % 8 != skew)
		head[f->header++] = ' ';
	for (int i = 0; i < 8; i++)
		f->at[i] = (char)((uint64_t)f->header >> (8 * i));
	memcpy(head + f->header, f->tensors, f->data);
	return 8 + f->header + f->data;
}

#endif
