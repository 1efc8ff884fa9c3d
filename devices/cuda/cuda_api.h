/* SPDX-License-Identifier: Apache-2.0
 *
 * NVIDIA's libraries, opened with dlopen(). Nothing here is global; whoever opens a library
 * closes it.
 */
#ifndef ADZE_CUDA_API_H
#define ADZE_CUDA_API_H

#include "base/context.h"

struct nvrtc_program; /* NVRTC's own */

enum cuda_library {
#define LIBRARY(id, config, ...) CUDA_LIBRARY_##id,
#define CALL(library, result, name, params)
#include "devices/cuda/cuda_api.def"
	CUDA_LIBRARY_COUNT
};

struct cuda_api {
	void *library[CUDA_LIBRARY_COUNT]; /* dlopen()'s; NULL: not open */
#define LIBRARY(id, config, ...)
#define CALL(library, result, name, params) result(*name) params;
#include "devices/cuda/cuda_api.def"
};

/**
 * Opens a library by the context's configuration, and looks all of its calls up. E_DEVICE,
 * with words that name it, where it is not there or lacks a call. `api` starts zeroed.
 */
adze_status cuda_api_open(struct cuda_api *api, const adze_context *c, enum cuda_library which,
			  struct diag *d);
/** Closes what is open. */
void cuda_api_close(struct cuda_api *api);

#endif
