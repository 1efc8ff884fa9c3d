/* SPDX-License-Identifier: Apache-2.0
 *
 * Products as call records for cuBLASLt, each followed by an element-wise kernel for what is
 * fused to it.
 */
#include <string.h>

#include "devices/cuda/cuda_kernel.h"

/* One of the two strides of a matrix must be 1; the extents say which ones matter. */
static bool set_layout(struct cuda_matrix *m, struct ir_size rows, struct ir_size row,
		       struct ir_size columns, struct ir_size column)
{
	bool plain = ir_size_is(column, 1) || ir_size_is(columns, 1);
	bool turned = ir_size_is(row, 1) || ir_size_is(rows, 1);
	struct ir_size leading = plain ? row : column, least = plain ? columns : rows;
	if (!plain && !turned)
		return false;
	m->transposed = !plain;
	/* A single row, or one repeated: any distance that a row fits into does. */
	if (ir_size_is(plain ? rows : columns, 1))
		leading = least;
	m->leading = leading;
	return leading.coef > 0;
}

/* Outer loops that walk as one become one. */
static void join_loops(struct cuda_gemm *m)
{
	uint32_t n = 0;
	for (uint32_t i = 0; i < m->nloop; i++) {
		struct ir_size e = m->loop[i];
		if (ir_size_is(e, 1))
			continue;
		bool join = n > 0 &&
			    ir_size_equal(m->loop_a[n - 1], ir_size_mul(e, m->loop_a[i])) &&
			    ir_size_equal(m->loop_b[n - 1], ir_size_mul(e, m->loop_b[i])) &&
			    ir_size_equal(m->loop_c[n - 1], ir_size_mul(e, m->loop_c[i]));
		uint32_t to = join ? n - 1 : n++;
		m->loop[to] = join ? ir_size_mul(m->loop[to], e) : e;
		m->loop_a[to] = m->loop_a[i];
		m->loop_b[to] = m->loop_b[i];
		m->loop_c[to] = m->loop_c[i];
	}
	m->nloop = n;
}

/* False where cuBLASLt cannot take the product as it lies. */
static bool fill(const adze_graph *g, ir_val dot, struct cuda_gemm *m)
{
	struct ir_dot_form f;
	memset(m, 0, sizeof *m);
	m->dtype = ir_type(g, dot)->dtype;
	if (m->dtype != ADZE_F16 && m->dtype != ADZE_BF16 && m->dtype != ADZE_F32 &&
	    m->dtype != ADZE_F64)
		return false;
	if (!ir_dot_form(g, dot, &f) || f.a_offset.coef < 0 || f.b_offset.coef < 0)
		return false;
	m->m = f.m;
	m->n = f.n;
	m->k = f.k;
	m->a.offset = f.a_offset;
	m->b.offset = f.b_offset;
	if (!set_layout(&m->a, f.m, f.a_row, f.k, f.a_col) ||
	    !set_layout(&m->b, f.k, f.b_row, f.n, f.b_col) ||
	    !set_layout(&m->c, f.m, f.c_row, f.n, ir_size_const(1)))
		return false;
	m->nloop = (uint32_t)f.nouter;
	memcpy(m->loop, f.outer, sizeof m->loop);
	memcpy(m->loop_a, f.outer_a, sizeof m->loop_a);
	memcpy(m->loop_b, f.outer_b, sizeof m->loop_b);
	memcpy(m->loop_c, f.outer_c, sizeof m->loop_c);
	join_loops(m);
	return true;
}

/* The product waits in place of the result, or in scratch memory if it is larger or smaller
 * than that. */
static struct cuda_ref wait_at(struct cuda_emitter *e, const struct ir_group *q)
{
	int64_t bytes = shape_bytes(ir_type(e->g, q->root));
	size_t have = dtype_bytes(ir_type(e->g, q->sink)->dtype);
	if (have == dtype_bytes(ir_type(e->g, q->root)->dtype))
		return cuda_ref_of(e, q->sink);
	if ((uint64_t)bytes > e->out->code.scratch_bytes)
		e->out->code.scratch_bytes = (uint64_t)bytes;
	return (struct cuda_ref){CUDA_REF_SCRATCH, 0};
}

bool cuda_emit_gemm(struct cuda_emitter *e, const struct ir_group *q)
{
	struct ir_dot_form f;
	struct cuda_gemm m;
	if (!fill(e->g, q->root, &m) || !ir_dot_form(e->g, q->root, &f))
		return false;
	struct cuda_step *step = cuda_step_add(e, CUDA_GEMM);
	if (step == NULL)
		return true;
	m.a.at = cuda_ref_of(e, f.a);
	m.b.at = cuda_ref_of(e, f.b);
	m.c.at = wait_at(e, q);
	step->gemm = m;
	if (q->nepi == 0)
		return true;
	struct cuda_kernel *k = mem_new(e->out->arena.from, 1, sizeof *k);
	if (k == NULL) {
		e->status = fail(e->d, ADZE_E_NOMEM, "no memory to generate CUDA code");
		return true;
	}
	cuda_kernel_init(k, e, q);
	k->stored = q->root;
	k->stored_at = m.c.at;
	cuda_emit_elements(k);
	cuda_kernel_fini(k);
	mem_free(e->out->arena.from, k, 1, sizeof *k);
	return true;
}
