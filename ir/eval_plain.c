/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference evaluator: operations of class PLAIN.
 */
#include "base/rng.h"
#include "ir/eval.h"

static int find_axis(const struct ir_dims *d, int64_t axis)
{
	for (int i = 0; i < d->n; i++)
		if (d->at[i] == axis)
			return i;
	return -1;
}

/* Element i of an array of integers, kept to 0 .. most. */
static int64_t load_kept(const struct eval_array *x, int64_t i, int64_t most)
{
	int64_t v = dtype_load_int(x->dtype, x->bytes, (size_t)i);
	if (v > most || (v < 0 && x->dtype == ADZE_U64))
		v = most;
	return v < 0 ? 0 : v;
}

/* StableHLO's words, one element of the result at a time: `batch` are its indices along axes
 * that are not in `offset`, the others count inside the slice. */
adze_status eval_gather(struct eval *e)
{
	const struct attrs_gather *a = EVAL_ATTRS(gather, e);
	const struct eval_array *x = &e->x[0], *at = &e->x[1];
	struct walk w = {0};
	for (int i = 0; i < e->y.rank; i++)
		walk_axis(&w, e->y.extent[i], 0, 0);
	for (int i = 0; i < x->rank; i++)
		if (x->extent[i] == 0) /* a symbol of 0: the result stays zero */
			return ADZE_OK;
	for (int64_t n = 0; n < e->y.count; n++, walk_next(&w)) {
		int64_t batch[ADZE_MAX_RANK] = {0}, first = 0, from = 0;
		for (int i = 0, k = 0; i < e->y.rank; i++) {
			if (find_axis(&a->offset, i) >= 0)
				continue;
			k += k == a->vector;
			first += w.at[i] * at->stride[k];
			batch[k++] = w.at[i];
		}
		for (int i = 0, k = 0; i < x->rank; i++) {
			int c = find_axis(&a->map, i), b = find_axis(&a->batch_x, i);
			int64_t place = b >= 0 ? batch[a->batch_at.at[b]] : 0;
			int64_t step = a->vector < at->rank ? at->stride[a->vector] : 0;
			int64_t most = x->extent[i] - a->sizes.at[i];
			if (c >= 0)
				place += load_kept(at, first + c * step, most > 0 ? most : 0);
			if (b < 0 && find_axis(&a->collapsed, i) < 0)
				place += w.at[a->offset.at[k++]];
			from += place * x->stride[i];
		}
		copy_element(e, n, x, from);
	}
	return ADZE_OK;
}

/* Byte by byte from the block that it stands in. */
adze_status eval_rng_philox(struct eval *e)
{
	uint32_t word[4];
	for (size_t i = 0; i < (size_t)e->y.count * e->y.size; i++) {
		rng_philox_block(e->x[0].bytes, i / 16, word);
		((uint8_t *)e->out)[i] = (uint8_t)(word[i % 16 / 4] >> i % 4 * 8);
	}
	return ADZE_OK;
}

adze_status eval_rng_threefry(struct eval *e)
{
	uint32_t word[2];
	for (size_t i = 0; i < (size_t)e->y.count * e->y.size; i++) {
		rng_threefry_block(e->x[0].bytes, i / 8, word);
		((uint8_t *)e->out)[i] = (uint8_t)(word[i % 8 / 4] >> i % 4 * 8);
	}
	return ADZE_OK;
}
