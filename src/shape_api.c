/* SPDX-License-Identifier: Apache-2.0
 *
 * Shapes and element types for programs.
 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

adze_status adze_shape_parse(adze_dtype dtype, const char *dims, adze_shape *out)
{
	struct diag d = {ADZE_OK, ""};
	memset(out, 0, sizeof *out);
	if (dims == NULL)
		return ADZE_E_ARGUMENT;
	adze_status status = shape_parse(dims, strlen(dims), dtype, out, &d);
	if (status != ADZE_OK)
		memset(out, 0, sizeof *out);
	return status;
}

char *adze_shape_print(const adze_shape *shape, char *text, size_t size)
{
	if (size == 0)
		return text;
	if (shape_check(shape, NULL) != ADZE_OK)
		snprintf(text, size, "no shape");
	else
		shape_print(shape, text, size);
	return text;
}

int64_t adze_shape_count(const adze_shape *shape)
{
	return shape_count(shape);
}

int64_t adze_shape_bytes(const adze_shape *shape)
{
	return (unsigned)shape->dtype < ADZE_DTYPE_COUNT ? shape_bytes(shape) : 0;
}

int adze_shape_axis(const adze_shape *shape, const char *axis)
{
	return axis != NULL ? shape_axis(shape, axis, strlen(axis)) : -1;
}

const char *adze_dtype_name(adze_dtype dtype)
{
	return (unsigned)dtype < ADZE_DTYPE_COUNT ? dtype_info(dtype)->name : "unknown";
}

size_t adze_dtype_bytes(adze_dtype dtype)
{
	return (unsigned)dtype < ADZE_DTYPE_COUNT ? dtype_bytes(dtype) : 0;
}

int adze_dtype_bits(adze_dtype dtype)
{
	return (unsigned)dtype < ADZE_DTYPE_COUNT ? dtype_info(dtype)->bits : 0;
}

adze_dtype adze_dtype_find(const char *name)
{
	return name != NULL ? dtype_find(name, strlen(name)) : ADZE_DTYPE_COUNT;
}
