/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "bench/bench.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/dtype.h"
#include "base/mem.h"
#include "base/text.h"

/* Values are made once and repeated: what follows is a copy. A prime, so that rows differ. */
enum { PATTERN = 65521 };

void bench_fill(adze_dtype dtype, void *at, size_t n, int64_t below)
{
	uint32_t seed = 2026;
	size_t made = n < PATTERN ? n : PATTERN, each = dtype_bytes(dtype);
	for (size_t i = 0; i < made; i++) {
		seed = seed * 1664525u + 1013904223u;
		if (dtype_is_float(dtype))
			dtype_store_float(dtype, at, i, ((double)(seed >> 8) / (1 << 23) - 1) / 16);
		else
			dtype_store_int(dtype, at, i,
					below > 0 ? (int64_t)(seed >> 8) % below
						  : (int64_t)(seed >> 24) - 128);
	}
	for (size_t i = made; i < n; i += made)
		memcpy((char *)at + i * each, at, (n - i < made ? n - i : made) * each);
}

/* Bytes of a block format, of values as bench_fill() makes them. */
static bool fill_packed(const char *format, char *at, size_t bytes)
{
	size_t n = (size_t)256 * 257, made = adze_block_bytes(format, n);
	float *x = malloc(n * sizeof *x);
	char *block = malloc(made);
	bool good = x != NULL && block != NULL;
	if (good) {
		bench_fill(ADZE_F32, x, n, 0);
		good = adze_block_quantize(format, x, n, block) == ADZE_OK;
	}
	for (size_t i = 0; good && i < bytes; i += made)
		memcpy(at + i, block, bytes - i < made ? bytes - i : made);
	free(x);
	free(block);
	return good;
}

bool bench_fill_format(adze_dtype dtype, const char *format, void *at, size_t n)
{
	if (format != NULL && dtype == ADZE_U8)
		return fill_packed(format, at, n);
	bench_fill(dtype, at, n, 0);
	return true;
}

static bool fill_weight(const adze_shape *s, const char *format, char *at)
{
	size_t n = (size_t)adze_shape_count(s);
	bool good = bench_fill_format(s->dtype, format, at, n);
	for (size_t i = 0; s->rank < 2 && dtype_is_float(s->dtype) && i < n; i++)
		dtype_store_float(s->dtype, at, i, 1 + dtype_load_float(s->dtype, at, i));
	return good;
}

/* The header; tensors lie behind each other as they are listed. */
static void write_header(const adze_exe *exe, struct text *t, size_t *data)
{
	const char *name;
	adze_shape s;
	*data = 0;
	text_u64(t, 0);
	for (size_t i = 0; adze_exe_value(exe, ADZE_ROLE_WEIGHT, i, &name, &s); i++) {
		size_t bytes = (size_t)adze_shape_bytes(&s);
		text_add(t, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i == 0 ? "{" : ",", name,
			 dtype_info(s.dtype)->safetensors);
		for (int k = 0; k < s.rank; k++)
			text_add(t, "%s%" PRId64, k > 0 ? "," : "", s.dim[k].size);
		text_add(t, "],\"data_offsets\":[%zu,%zu]}", *data, *data + bytes);
		*data += bytes;
	}
	text_add(t, "}");
	while (t->len % 64 != 0)
		text_add(t, " ");
}

bool bench_weights_create(const adze_exe *exe, const char *format, struct bench_weights *out)
{
	struct text t;
	const char *name;
	adze_shape s;
	size_t data;
	*out = (struct bench_weights){0};
	text_init(&t, &mem_libc);
	write_header(exe, &t, &data);
	void *at = MAP_FAILED;
	if (!t.failed)
		at = mmap(NULL, t.len + data, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	if (at == MAP_FAILED) {
		fprintf(stderr, "adze-bench: no memory for weights\n");
		text_fini(&t);
		return false;
	}
	out->at = at;
	out->bytes = t.len + data;
	madvise(at, out->bytes, MADV_HUGEPAGE);
	for (int i = 0; i < 8; i++)
		t.at[i] = (char)((uint64_t)(t.len - 8) >> 8 * i);
	memcpy(at, t.at, t.len);
	char *to = out->at + t.len;
	bool good = true;
	for (size_t i = 0; adze_exe_value(exe, ADZE_ROLE_WEIGHT, i, &name, &s); i++) {
		double bytes = (double)adze_shape_bytes(&s), count = (double)adze_shape_count(&s);
		good = good && fill_weight(&s, format, to);
		to += adze_shape_bytes(&s);
		if (s.dtype == ADZE_U8 && format != NULL)
			count *= 256.0 / (double)adze_block_bytes(format, 256);
		if (s.rank > 1 && strstr(name, "embed") == NULL) {
			out->matrix_bytes += bytes;
			out->matrix_count += count;
		}
	}
	text_fini(&t);
	return good;
}

void bench_weights_free(struct bench_weights *w)
{
	if (w->at != NULL)
		munmap(w->at, w->bytes);
	w->at = NULL;
}
