/* SPDX-License-Identifier: Apache-2.0
 *
 * Block formats for programs that make or read weight files.
 */
#include "internal.h"

#include <string.h>

#include "base/block.h"

static enum block_kind find(const char *format)
{
	return format != NULL ? block_find(format, strlen(format)) : BLOCK_NONE;
}

size_t adze_block_bytes(const char *format, size_t n)
{
	enum block_kind b = find(format);
	const struct block_format *f = block_format(b);
	size_t bytes;
	if (b == BLOCK_NONE || n % (size_t)f->elements != 0 ||
	    !size_mul(n / (size_t)f->elements, (size_t)f->bytes, &bytes))
		return 0;
	return bytes;
}

/* How many blocks n numbers are. */
static adze_status whole_blocks(enum block_kind b, size_t n, size_t *blocks)
{
	if (b == BLOCK_NONE || n % (size_t)block_format(b)->elements != 0)
		return ADZE_E_ARGUMENT;
	*blocks = n / (size_t)block_format(b)->elements;
	return ADZE_OK;
}

adze_status adze_block_quantize(const char *format, const float *x, size_t n, void *out)
{
	size_t blocks;
	enum block_kind b = find(format);
	TRY(whole_blocks(b, n, &blocks));
	return block_pack(b, x, blocks, out) ? ADZE_OK : ADZE_E_UNSUPPORTED;
}

adze_status adze_block_dequantize(const char *format, const void *x, size_t n, float *out)
{
	size_t blocks;
	enum block_kind b = find(format);
	TRY(whole_blocks(b, n, &blocks));
	block_decode(b, x, blocks, out);
	return ADZE_OK;
}
