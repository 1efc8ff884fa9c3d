/* SPDX-License-Identifier: Apache-2.0
 *
 * Fuzzer (libFuzzer's entry point) of the .npy reader: whatever the bytes, the call
 * returns, and what it hands out lies within them.
 */
#include <stdlib.h>

#include "npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag d = {0};
	struct npy n;
	adze_status status = npy_read_memory(data, size, &d, &n);
	if (status != ADZE_OK) {
		if (n.data != NULL || d.status != status || d.text[0] == '\0')
			abort();
		return 0;
	}
	if ((const uint8_t *)n.data + n.bytes != data + size)
		abort();
	npy_close(&n);
	return 0;
}
