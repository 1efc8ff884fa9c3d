/* SPDX-License-Identifier: Apache-2.0
 *
 * Random bits by counters: base/rng.h. A unit is a run of blocks; elements are the stream of
 * words cut into as many bytes as they have, least significant first.
 */
#include <string.h>

#include "base/rng.h"
#include "kernels/plain.h"

#define RUN 256 /* blocks of a unit */

static bool holds(const struct plain *p, int64_t words)
{
	const struct plain_array *x = &p->x[0];
	adze_dtype y = p->y[0].dtype;
	return x->dtype == ADZE_U64 && x->rank == 1 && x->extent[0] == words &&
	       dtype_info(y)->class == DTYPE_UINT && dtype_info(y)->bits >= 8;
}

static struct plain_plan plan(const struct plain *p, int64_t block)
{
	int64_t bytes = p->y[0].count * (int64_t)dtype_bytes(p->y[0].dtype);
	return (struct plain_plan){(bytes + RUN * block - 1) / (RUN * block), RUN * block, 0};
}

/* Blocks of `size` bytes; the last one of all is cut. */
static void run(const struct plain *p, int64_t from, int64_t to, size_t size)
{
	size_t bytes = (size_t)p->y[0].count * dtype_bytes(p->y[0].dtype);
	uint64_t state[3] = {0};
	uint32_t word[4];
	memcpy(state, p->x[0].at, (size_t)p->x[0].count * sizeof *state);
	for (uint64_t i = (uint64_t)from * RUN; i < (uint64_t)to * RUN; i++) {
		size_t at = (size_t)i * size;
		if (at >= bytes)
			return;
		if (size == sizeof word)
			rng_philox_block(state, i, word);
		else
			rng_threefry_block(state, i, word);
		memcpy((char *)p->y[0].at + at, word, bytes - at < size ? bytes - at : size);
	}
}

bool plain_rng_philox_holds(const struct plain *p)
{
	return holds(p, 3);
}

struct plain_plan plain_rng_philox_plan(const struct plain *p)
{
	return plan(p, 16);
}

void plain_rng_philox_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	(void)work;
	run(p, from, to, 16);
}

bool plain_rng_threefry_holds(const struct plain *p)
{
	return holds(p, 2);
}

struct plain_plan plain_rng_threefry_plan(const struct plain *p)
{
	return plan(p, 8);
}

void plain_rng_threefry_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	(void)work;
	run(p, from, to, 8);
}
