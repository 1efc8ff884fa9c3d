/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "bench/peers.h"

#include <math.h>
#include <stdlib.h>

#if HAVE_XNNPACK
#include <xnnpack.h>

struct product {
	xnn_operator_t op;
	pthreadpool_t pool;
};

static void close_product(void *self)
{
	struct product *q = self;
	if (q->op != NULL)
		xnn_delete_operator(q->op);
	if (q->pool != NULL)
		pthreadpool_destroy(q->pool);
	free(q);
}

/* It copies the weights into its own order. */
static void *open_product(const struct bench_product *p)
{
	size_t n = (size_t)p->n, k = (size_t)p->k;
	if (p->x != ADZE_F32 || p->w != ADZE_F32 || xnn_initialize(NULL) != xnn_status_success)
		return NULL;
	struct product *q = calloc(1, sizeof *q);
	if (q == NULL)
		return NULL;
	q->pool = pthreadpool_create((size_t)p->threads);
	if (xnn_create_fully_connected_nc_f32(k, n, k, n, p->at_w, NULL, -INFINITY, INFINITY, 0,
					      &q->op) != xnn_status_success ||
	    xnn_setup_fully_connected_nc_f32(q->op, (size_t)p->m, p->at_x, p->at_y, q->pool) !=
		    xnn_status_success) {
		close_product(q);
		return NULL;
	}
	return q;
}

static bool run(void *self)
{
	struct product *q = self;
	return xnn_run_operator(q->op, q->pool) == xnn_status_success;
}

const struct bench_peer bench_xnnpack = {"xnnpack", open_product, run, close_product};
#endif
