/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs what the CUDA device generates without a GPU: its text is compiled by the host's C++
 * compiler behind tests/cuda_shim.h, its steps are walked as a driver would. It shows that
 * text and steps are right, not that a GPU agrees.
 */
#ifndef ADZE_CUDA_HOST_H
#define ADZE_CUDA_HOST_H

#include "devices/cuda/cuda_emit.h"

/** Whether there is a C++ compiler that can be called. */
bool cuda_host_is_there(void);

/** Whether a planned graph has what CUDA cannot do yet; checks that it is refused with words. */
bool cuda_host_refuses(const adze_graph *g);

/**
 * Runs a planned graph once: inputs, weights and outputs as ir_eval() takes them. Files are
 * made in `folder`. E_UNSUPPORTED and the like from the emitter, E_DEVICE and words where the
 * text does not compile or a kernel goes wrong.
 */
adze_status cuda_host_run(const adze_graph *g, const char *folder, const int64_t *symbol,
			  const void *const *inputs, const void *const *weights,
			  void *const *outputs, struct diag *d);

#endif
