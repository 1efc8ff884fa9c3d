/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer (libFuzzer's entry point) of the safetensors reader: whatever the bytes, the
 * call returns, what it hands out lies within them, and every name is found again.
 */
#include <stdlib.h>

#include "safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag d = {0};
	struct safetensors *s;
	adze_status status = safetensors_open_memory(&mem_libc, data, size, &d, &s);
	if (status != ADZE_OK) {
		if (s != NULL || d.status != status || d.text[0] == '\0')
			abort();
		return 0;
	}
	const uint8_t *end = data + size;
	for (size_t i = 0; i < s->nentry; i++) {
		const struct safetensors_entry *e = &s->entry[i];
		const uint8_t *at = e->data;
		if (at < data || at > end || e->bytes > (size_t)(end - at))
			abort();
		if (safetensors_find(s, e->name) != e)
			abort();
		if (e->shape.rank < 0 || e->shape.rank > ADZE_MAX_RANK)
			abort();
		for (int32_t k = 0; k < e->shape.rank; k++)
			if (e->shape.dim[k].size < 0)
				abort();
	}
	for (size_t i = 0; i < s->nmetadata; i++)
		if (safetensors_metadata(s, s->metadata[i].key) != s->metadata[i].value)
			abort();
	safetensors_close(s);
	return 0;
}
