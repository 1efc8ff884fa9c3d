/* SPDX-License-Identifier: Apache-2.0
 *
 * CUDA C text to machine code, by NVRTC.
 */
#ifndef ADZE_CUDA_COMPILE_H
#define ADZE_CUDA_COMPILE_H

#include "base/text.h"
#include "devices/cuda/cuda_api.h"

/**
 * Appends the machine code for sm_<arch>, and the PTX for newer chips with its final zero
 * byte. E_DEVICE with NVRTC's own words where it refuses the text. `api` has NVRTC open.
 * Products are not fused with sums (--fmad=false), so that results can be compared bit by
 * bit; that costs speed where arithmetic and not memory is the limit.
 */
adze_status cuda_compile(const struct cuda_api *api, const char *source, uint32_t arch,
			 struct text *cubin, struct text *ptx, struct diag *d);

/** Whether NVRTC compiles for sm_<arch>; with words, that list what it does, where not. */
adze_status cuda_arch_check(const struct cuda_api *api, const adze_allocator *a, uint32_t arch,
			    struct diag *d);

#endif
