/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "bench/peers.h"

#include <stdint.h>
#include <stdlib.h>

#if HAVE_ONEDNN
#include <oneapi/dnnl/dnnl.h>

/* Of the OpenMP library that oneDNN is linked with. */
void omp_set_num_threads(int n);

struct product {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	dnnl_primitive_t primitive;
	dnnl_memory_t x, w, y;
};

static dnnl_data_type_t type_of(adze_dtype dtype)
{
	switch (dtype) {
	case ADZE_F32: return dnnl_f32;
	case ADZE_BF16: return dnnl_bf16;
	case ADZE_I8: return dnnl_s8;
	case ADZE_U8: return dnnl_u8;
	case ADZE_I32: return dnnl_s32;
	default: return dnnl_data_type_undef;
	}
}

/* The weights in the order that the primitive asks for. */
static bool reorder(struct product *q, const struct bench_product *p,
		    const dnnl_memory_desc_t *plain, const_dnnl_primitive_desc_t want)
{
	const dnnl_memory_desc_t *w = dnnl_primitive_desc_query_md(want, dnnl_query_weights_md, 0);
	dnnl_memory_t from = NULL;
	dnnl_primitive_desc_t desc = NULL;
	dnnl_primitive_t move = NULL;
	bool good = dnnl_memory_create(&q->w, w, q->engine, DNNL_MEMORY_ALLOCATE) == 0 &&
		    dnnl_memory_create(&from, plain, q->engine, (void *)(uintptr_t)p->at_w) == 0 &&
		    dnnl_reorder_primitive_desc_create(&desc, plain, q->engine, w, q->engine,
						       NULL) == 0 &&
		    dnnl_primitive_create(&move, desc) == 0;
	dnnl_exec_arg_t arg[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, q->w}};
	good = good && dnnl_primitive_execute(move, q->stream, 2, arg) == 0 &&
	       dnnl_stream_wait(q->stream) == 0;
	dnnl_primitive_destroy(move);
	dnnl_primitive_desc_destroy(desc);
	dnnl_memory_destroy(from);
	return good;
}

static bool prepare(struct product *q, const struct bench_product *p)
{
	const dnnl_dims_t dx = {p->m, p->k}, dw = {p->k, p->n}, dy = {p->m, p->n};
	const dnnl_dims_t transposed = {1, p->k};
	dnnl_memory_desc_t x, w, any, y;
	dnnl_matmul_desc_t desc;
	dnnl_primitive_desc_t found = NULL;
	dnnl_data_type_t type = type_of(p->w);
	bool good = dnnl_memory_desc_init_by_tag(&x, 2, dx, type_of(p->x), dnnl_ab) == 0 &&
		    dnnl_memory_desc_init_by_strides(&w, 2, dw, type, transposed) == 0 &&
		    dnnl_memory_desc_init_by_tag(&any, 2, dw, type, dnnl_format_tag_any) == 0 &&
		    dnnl_memory_desc_init_by_tag(&y, 2, dy, type_of(p->y), dnnl_ab) == 0 &&
		    dnnl_engine_create(&q->engine, dnnl_cpu, 0) == 0 &&
		    dnnl_stream_create(&q->stream, q->engine, dnnl_stream_default_flags) == 0 &&
		    dnnl_matmul_desc_init(&desc, &x, &any, NULL, &y) == 0 &&
		    dnnl_primitive_desc_create(&found, &desc, NULL, q->engine, NULL) == 0 &&
		    reorder(q, p, &w, found) && dnnl_primitive_create(&q->primitive, found) == 0;
	good = good &&
	       dnnl_memory_create(&q->x, &x, q->engine, (void *)(uintptr_t)p->at_x) == 0 &&
	       dnnl_memory_create(&q->y, &y, q->engine, p->at_y) == 0;
	dnnl_primitive_desc_destroy(found);
	return good;
}

static void close_product(void *self)
{
	struct product *q = self;
	dnnl_primitive_destroy(q->primitive);
	dnnl_memory_destroy(q->x);
	dnnl_memory_destroy(q->w);
	dnnl_memory_destroy(q->y);
	dnnl_stream_destroy(q->stream);
	dnnl_engine_destroy(q->engine);
	free(q);
}

static void *open_product(const struct bench_product *p)
{
	struct product *q = calloc(1, sizeof *q);
	omp_set_num_threads(p->threads);
	bool mixed = (p->x == ADZE_F32) != (p->w == ADZE_F32);
	if (q != NULL && (mixed || type_of(p->x) == dnnl_data_type_undef ||
			  type_of(p->w) == dnnl_data_type_undef || !prepare(q, p))) {
		close_product(q);
		return NULL;
	}
	return q;
}

static bool run(void *self)
{
	struct product *q = self;
	dnnl_exec_arg_t arg[] = {
		{DNNL_ARG_SRC, q->x}, {DNNL_ARG_WEIGHTS, q->w}, {DNNL_ARG_DST, q->y}};
	return dnnl_primitive_execute(q->primitive, q->stream, 3, arg) == 0 &&
	       dnnl_stream_wait(q->stream) == 0;
}

const struct bench_peer bench_onednn = {"onednn", open_product, run, close_product};
#endif
