/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels that move elements: conversions by their definition, fill, gather.
 */
#include <string.h>

#include "kernels/impls.h"
#include "kernels/elem.h"

#define CONVERT(to, from)                                                           \
	void convert_##from##_##to##_scalar(void *y, const void *x, size_t n)       \
	{                                                                           \
		for (size_t i = 0; i < n; i++)                                      \
			dtype_convert((adze_dtype)to##_id, y, (adze_dtype)from##_id, x, i); \
	}
#define CONVERT_ALL(from, ...) FOR_TO(CONVERT, from)
FOR_ALL(CONVERT_ALL, )

#define FILL(bytes, T)                                          \
	void fill_##bytes##_scalar(void *y, const void *x, size_t n) \
	{                                                       \
		T v = *(const T *)x;                            \
		for (size_t i = 0; i < n; i++)                  \
			((T *)y)[i] = v;                        \
	}

#define GATHER(bytes, T)                                                                   \
	void gather_##bytes##_scalar(void *y, const void *x, size_t n, ptrdiff_t stride)   \
	{                                                                                  \
		const T *restrict in = x;                                                  \
		T *restrict out = y;                                                       \
		if (stride == 1 && n != 0)                                                 \
			memcpy(y, x, n * sizeof(T));                                       \
		else                                                                       \
			for (size_t i = 0; i < n; i++, in += stride)                       \
				out[i] = *in;                                              \
	}

#define MOVES(bytes, T) FILL(bytes, T) GATHER(bytes, T)
MOVES(1, uint8_t)
MOVES(2, uint16_t)
MOVES(4, uint32_t)
MOVES(8, uint64_t)

void stream_1_scalar(void *y, const void *x, size_t n)
{
	if (n > 0)
		memcpy(y, x, n);
}
