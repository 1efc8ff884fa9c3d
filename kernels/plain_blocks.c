/* SPDX-License-Identifier: Apache-2.0
 *
 * The f32 that blocks of bytes stand for. A unit is a block.
 */
#include "kernels/plain.h"

enum { FORMAT };

bool plain_dequantize_blocks_holds(const struct plain *p)
{
	const struct plain_array *x = &p->x[0], *y = &p->y[0];
	const struct block_format *f = block_format((enum block_kind)p->param[FORMAT]);
	int last = x->rank - 1;
	bool same = x->dtype == ADZE_U8 && y->dtype == ADZE_F32 && x->rank == y->rank && last >= 0;
	for (int i = 0; same && i < last; i++)
		same = y->extent[i] == x->extent[i];
	return same && x->extent[last] % f->bytes == 0 && y->extent[last] % f->elements == 0 &&
	       x->extent[last] / f->bytes == y->extent[last] / f->elements;
}

struct plain_plan plain_dequantize_blocks_plan(const struct plain *p)
{
	const struct block_format *f = block_format((enum block_kind)p->param[FORMAT]);
	return (struct plain_plan){p->x[0].count / f->bytes, f->elements, 0};
}

void plain_dequantize_blocks_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	enum block_kind b = (enum block_kind)p->param[FORMAT];
	const struct block_format *f = block_format(b);
	(void)work;
	block_decode(b, (const char *)p->x[0].at + from * f->bytes, (size_t)(to - from),
		     (float *)p->y[0].at + from * f->elements);
}
