/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks that classify images, each behind one face, so that one program runs any of them.
 * The types of a model, its weights and its function stay in its own file.
 */
#ifndef ADZE_NET_H
#define ADZE_NET_H

#include "adze.h"

struct net {
	const char *name;
	int64_t rows, columns; /* of an image of u8 */
	int64_t batch;         /* most images of a call */
	size_t buffers_bytes;  /* of what load() fills */

	/**
	 * Builds the graph: input `image` u8[n<=batch, rows, columns]; outputs `probability`
	 * f32[n, classes] and `label` i32[n].
	 */
	adze_status (*describe)(adze_graph *graph, const adze_store *store);
	/** Weights as buffers into zeroed `buffers`; unload() in any case. */
	adze_status (*load)(adze_device *device, adze_store *store, void *buffers);
	adze_status (*bind)(adze_exe *exe, void *buffers, adze_module **out);
	void (*unload)(void *buffers);
};

/** scripts/train_digits.py and scripts/train_fashion.py make their weights. */
extern const struct net digits_net, fashion_net;

#endif
