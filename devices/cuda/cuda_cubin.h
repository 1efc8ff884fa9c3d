/* SPDX-License-Identifier: Apache-2.0
 *
 * A look into machine code for NVIDIA GPUs: ELF files, read with full bounds checks.
 */
#ifndef ADZE_CUDA_CUBIN_H
#define ADZE_CUDA_CUBIN_H

#include "base/status.h"

/** E_FORMAT and words unless it is 64-bit little-endian ELF for CUDA; `*arch`: 80 for sm_80. */
adze_status cuda_cubin_check(const void *bytes, size_t len, uint32_t *arch, struct diag *d);

/** Whether a file that cuda_cubin_check() accepts has a function of that name. */
bool cuda_cubin_has(const void *bytes, size_t len, const char *name);

#endif
