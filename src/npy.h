/* SPDX-License-Identifier: Apache-2.0
 *
 * Tensors in NumPy's .npy files, versions 1.0, 2.0 and 3.0 (NumPy Enhancement Proposal 1
 * and numpy.lib.format). Little-endian, C order, types that both sides have: bool, i8 to
 * i64, u8 to u64, f16, f32, f64.
 */
#ifndef ADZE_NPY_H
#define ADZE_NPY_H

#include "base/mem.h"

struct npy {
	adze_shape shape;           /* axes have no names */
	const void *data;           /* aligned to its elements; never NULL */
	size_t bytes;
	void *owned;                /* what close gives back; NULL for borrowed memory */
	const adze_allocator *from; /* borrowed */
};

/**
 * Reads a file, pipe or device to its end. Data is aligned to 64 in files that NumPy has
 * written since 1.14.
 *
 * Errors: E_FORMAT for what is no such file, or whose data is shorter or longer than its
 * shape says; E_UNSUPPORTED for another type, byte order or Fortran order; E_LIMIT for
 * more than ADZE_MAX_RANK dimensions; those of file_read(). `*out` is zero on any.
 */
adze_status npy_read(const adze_allocator *from, const char *path, struct diag *d,
		     struct npy *out);

/** The same of memory, which is borrowed; `data` then lies as it lies there. */
adze_status npy_read_memory(const void *bytes, size_t len, struct diag *d, struct npy *out);

/** Of a zero one: does nothing. */
void npy_close(struct npy *n);

/**
 * Writes version 1.0, aside and renamed (base/file.h); data begins at a multiple of 64.
 * bf16 and the 8-bit floats are E_UNSUPPORTED: NumPy has none, safetensors does.
 */
adze_status npy_write(const adze_allocator *from, const char *path, const adze_shape *shape,
		      const void *data, struct diag *d);

#endif
