/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "bench/peers.h"

#include <stdint.h>

#if HAVE_OPENBLAS
#include <cblas.h>

static void *open_product(const struct bench_product *p)
{
	if (p->x != ADZE_F32 || p->w != ADZE_F32)
		return NULL;
	openblas_set_num_threads(p->threads);
	return (void *)(uintptr_t)p;
}

static bool run(void *self)
{
	const struct bench_product *p = self;
	if (p->m == 1)
		cblas_sgemv(CblasRowMajor, CblasNoTrans, p->n, p->k, 1, p->at_w, p->k, p->at_x, 1,
			    0, p->at_y, 1);
	else
		cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, p->m, p->n, p->k, 1, p->at_x,
			    p->k, p->at_w, p->k, 0, p->at_y, p->n);
	return true;
}

static void close_product(void *self)
{
	(void)self;
}

const struct bench_peer bench_openblas = {"openblas", open_product, run, close_product};
#endif
