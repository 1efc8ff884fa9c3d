/* SPDX-License-Identifier: Apache-2.0
 *
 * Engines that adze bench measures in its own process, on products y = x W'.
 */
#ifndef ADZE_PEERS_H
#define ADZE_PEERS_H

#include "bench/bench.h"

/** y [m, n] of x [m, k] and w [n, k], dense. */
struct bench_product {
	int m, n, k, threads;
	adze_dtype y, x, w;
	const void *at_x, *at_w;
	void *at_y;
};

struct bench_peer {
	const char *name;
	/** What `run` takes, with the weights in the peer's own order; NULL where it has no
	 * product of these types. The product outlives it. */
	void *(*open)(const struct bench_product *p);
	bench_function *run;
	void (*close)(void *self);
};

extern const struct bench_peer bench_openblas, bench_onednn, bench_xnnpack;

#endif
