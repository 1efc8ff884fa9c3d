/* SPDX-License-Identifier: Apache-2.0
 *
 * Type rules of operations of class PLAIN.
 */
#include "ir/infer.h"

static bool is_rising(const struct ir_dims *d)
{
	for (int i = 1; i < d->n; i++)
		if (d->at[i] <= d->at[i - 1])
			return false;
	return true;
}

/* Lists of axes without the sizes: all in range, none twice where that matters. */
static adze_status gather_lists(const struct ask *q, bool *gone, bool *paired)
{
	const struct attrs_gather *a = q->attrs;
	const adze_shape *x = infer_type(q, 0), *at = infer_type(q, 1);
	bool set[ADZE_MAX_RANK], map[ADZE_MAX_RANK];
	if (!infer_axis_set(&a->collapsed, x->rank, gone) ||
	    !infer_axis_set(&a->batch_x, x->rank, paired) || !is_rising(&a->collapsed) ||
	    !is_rising(&a->batch_x))
		return infer_refuse(q, "collapsed and batch_x list axes of the first operand, "
				       "rising");
	if (a->vector < 0 || a->vector > at->rank)
		return infer_refuse(q, "vector is an axis of the indices, or their number of axes");
	if (!infer_axis_set(&a->map, x->rank, map))
		return infer_refuse(q, "map lists axes of the first operand, each once");
	for (int i = 0; i < x->rank; i++)
		if (paired[i] && (gone[i] || map[i]))
			return infer_refuse(q, "an axis of batch_x is in no other list");
	if (!infer_axis_set(&a->batch_at, at->rank, set) || a->batch_at.n != a->batch_x.n ||
	    (a->vector < at->rank && set[a->vector]))
		return infer_refuse(q, "batch_at lists an axis of the indices for each one of "
				       "batch_x");
	for (int i = 0; i < a->batch_x.n; i++)
		if (!dim_same(&x->dim[a->batch_x.at[i]], &at->dim[a->batch_at.at[i]]))
			return infer_refuse(q, "paired axes differ in extent");
	if (a->vector < at->rank ? !dim_is_static(&at->dim[a->vector]) ||
					   at->dim[a->vector].size != a->map.n
				 : a->map.n != 1)
		return infer_refuse(q, "the vectors have a number for each axis of map");
	return ADZE_OK;
}

/* The axes of a slice: those of x, cut to their sizes. */
static adze_status slice_dims(const struct ask *q, const bool *gone, const bool *paired,
			      adze_dim *out, int *n)
{
	const struct attrs_gather *a = q->attrs;
	const adze_shape *x = infer_type(q, 0);
	for (int i = 0; i < x->rank; i++) {
		if (a->sizes.at[i] < 0 || a->sizes.at[i] > x->dim[i].size)
			return infer_refuse(q, "a size is larger than the axis");
		if ((gone[i] || paired[i]) && a->sizes.at[i] != 1 &&
		    (gone[i] || x->dim[i].size != 0))
			return infer_refuse(q, "the size of an axis that is not in the slice is 1");
		if (gone[i] || paired[i])
			continue;
		out[*n] = x->dim[i];
		if (a->sizes.at[i] != x->dim[i].size && !dim_is_static(&x->dim[i]))
			return infer_refuse(q, "an axis with a symbol cannot be cut");
		if (dim_is_static(&x->dim[i]))
			out[*n].size = a->sizes.at[i];
		++*n;
	}
	return ADZE_OK;
}

adze_status infer_gather(struct ask *q)
{
	const struct attrs_gather *a = q->attrs;
	const adze_shape *x = infer_type(q, 0), *at = infer_type(q, 1);
	bool gone[ADZE_MAX_RANK], paired[ADZE_MAX_RANK], is_offset[ADZE_MAX_RANK];
	adze_dim dim[ADZE_MAX_RANK];
	int nslice = 0, k = 0, axis = 0;
	if (!dtype_is_int(at->dtype))
		return infer_refuse(q, "indices are integers");
	TRY(gather_lists(q, gone, paired));
	if (a->sizes.n != x->rank)
		return infer_refuse(q, "sizes has a number for each axis of the first operand");
	TRY(slice_dims(q, gone, paired, dim, &nslice));
	int rank = nslice + at->rank - (a->vector < at->rank);
	if (rank > ADZE_MAX_RANK)
		return infer_refuse(q, "the result has too many axes");
	if (a->offset.n != nslice || !is_rising(&a->offset) ||
	    !infer_axis_set(&a->offset, rank, is_offset))
		return infer_refuse(q, "offset lists the result's axes of a slice, rising");
	*q->out = shape_make(x->dtype, 0, NULL);
	q->out->rank = rank;
	for (int i = 0; i < rank; i++) {
		axis += !is_offset[i] && axis == a->vector;
		q->out->dim[i] = is_offset[i] ? dim[k++] : at->dim[axis++];
	}
	infer_drop_names(q->out);
	return ADZE_OK;
}

adze_status infer_rng(struct ask *q)
{
	const adze_shape *x = infer_type(q, 0), *y = q->declared;
	int64_t words = q->op == OP_RNG_PHILOX ? 3 : 2;
	if (x->dtype != ADZE_U64 || x->rank != 1 || !dim_is_static(&x->dim[0]) ||
	    x->dim[0].size != words)
		return infer_refuse(q, words == 3 ? "its state is u64[3]" : "its state is u64[2]");
	if (dtype_info(y->dtype)->class != DTYPE_UINT || dtype_info(y->dtype)->bits < 8)
		return infer_refuse(q, "it gives u8, u16, u32 or u64");
	*q->out = *y;
	return ADZE_OK;
}

adze_status infer_cumulative(struct ask *q)
{
	const struct attrs_cumulative *a = q->attrs;
	const adze_shape *x = infer_type(q, 0);
	*q->out = *x;
	if ((unsigned)a->by >= EW_COUNT || !(ew_info(a->by)->flags & EW_ASSOC))
		return infer_refuse(q, "that function is not associative");
	if (!dtype_taken(x->dtype, ew_info(a->by)->takes))
		return infer_refuse(q, "the function does not take that element type");
	if (!infer_axis_ok(x, a->axis))
		return infer_refuse(q, "there is no such axis");
	if (a->exclusive < 0 || a->exclusive > 1 || a->reverse < 0 || a->reverse > 1)
		return infer_refuse(q, "exclusive and reverse are 0 or 1");
	return ADZE_OK;
}

adze_status infer_top_k(struct ask *q)
{
	const struct attrs_top_k *a = q->attrs;
	const adze_shape *x = infer_type(q, 0);
	*q->out = *x;
	q->out->dtype = ADZE_I32;
	if (!infer_axis_ok(x, a->axis))
		return infer_refuse(q, "there is no such axis");
	if (!dim_is_static(&x->dim[a->axis]))
		return infer_refuse(q, "an axis with a symbol cannot be cut");
	if (a->k < 0 || a->k > x->dim[a->axis].size || x->dim[a->axis].size > INT32_MAX)
		return infer_refuse(q, "k is more than the axis has, or that more than an i32");
	if (a->smallest < 0 || a->smallest > 1)
		return infer_refuse(q, "smallest is 0 or 1");
	q->out->dim[a->axis].size = a->k;
	return ADZE_OK;
}

adze_status infer_dequantize_blocks(struct ask *q)
{
	const struct attrs_dequantize_blocks *a = q->attrs;
	const adze_shape *x = infer_type(q, 0);
	const struct block_format *f = block_format(a->format);
	if (x->dtype != ADZE_U8)
		return infer_refuse(q, "blocks are bytes, u8");
	if (a->format == BLOCK_NONE)
		return infer_refuse(q, "it has a format, such as q4_0");
	if (a->quick < 0 || a->quick > 1)
		return infer_refuse(q, "quick is 0 or 1");
	if (x->rank < 1 || !dim_is_static(&x->dim[x->rank - 1]) ||
	    x->dim[x->rank - 1].size % f->bytes != 0)
		return infer_refuse(q, "the last axis is not one of whole blocks");
	*q->out = *x;
	q->out->dtype = ADZE_F32;
	q->out->dim[x->rank - 1].size = x->dim[x->rank - 1].size / f->bytes * f->elements;
	return ADZE_OK;
}

static bool is_square(const adze_shape *s)
{
	return s->rank >= 2 && dim_same(&s->dim[s->rank - 2], &s->dim[s->rank - 1]);
}

adze_status infer_cholesky(struct ask *q)
{
	const struct attrs_lower *a = q->attrs;
	*q->out = *infer_type(q, 0);
	if (!is_square(q->out))
		return infer_refuse(q, "the last two axes are those of square matrices");
	if (a->lower < 0 || a->lower > 1)
		return infer_refuse(q, "lower is 0 or 1");
	return ADZE_OK;
}

adze_status infer_triangular_solve(struct ask *q)
{
	const struct attrs_triangular_solve *t = q->attrs;
	const adze_shape *a = infer_type(q, 0), *b = infer_type(q, 1);
	*q->out = *b;
	if (!is_square(a))
		return infer_refuse(q, "the last two axes are those of square matrices");
	if (b->dtype != a->dtype || b->rank != a->rank)
		return infer_refuse(q, "element types or numbers of axes differ");
	if (t->left < 0 || t->left > 1 || t->lower < 0 || t->lower > 1 || t->unit < 0 ||
	    t->unit > 1 || t->transpose < 0 || t->transpose > 2)
		return infer_refuse(q, "left, lower and unit are 0 or 1, transpose up to 2");
	for (int i = 0; i < a->rank - 2; i++)
		if (!dim_same(&a->dim[i], &b->dim[i]))
			return infer_refuse(q, "the other axes differ");
	if (!dim_same(&a->dim[a->rank - 1], &b->dim[b->rank - (t->left ? 2 : 1)]))
		return infer_refuse(q, "the second has not as many equations as the first");
	return ADZE_OK;
}

/* The element types of x and the result; false where x has another. */
static bool fft_types(const struct attrs_fft *a, adze_dtype x, adze_dtype *y)
{
	bool from_real = a->real && !a->inverse;
	*y = from_real ? dtype_whole(x) : a->real ? dtype_part(x) : x;
	return from_real ? x == ADZE_F32 || x == ADZE_F64 : dtype_is_complex(x);
}

adze_status infer_fft(struct ask *q)
{
	const struct attrs_fft *a = q->attrs;
	const adze_shape *x = infer_type(q, 0);
	int n = (int)a->lengths.n, first = x->rank - n;
	*q->out = *x;
	if (a->inverse < 0 || a->inverse > 1 || a->real < 0 || a->real > 1)
		return infer_refuse(q, "inverse and real are 0 or 1");
	if (!fft_types(a, x->dtype, &q->out->dtype))
		return infer_refuse(q, "it takes c64 and c128; f32 and f64 where it is real and "
				       "not inverse");
	if (n < 1 || n > 3 || first < 0)
		return infer_refuse(q, "lengths are those of the last 1 to 3 axes");
	for (int i = 0; i < n; i++) {
		int64_t length = a->lengths.at[i], half = length > 0 ? length / 2 + 1 : 0;
		bool cut = a->real && i + 1 == n;
		if (!dim_is_static(&x->dim[first + i]))
			return infer_refuse(q, "an axis with a symbol has no length");
		if (length < 0 || x->dim[first + i].size != (cut && a->inverse ? half : length))
			return infer_refuse(q, "an axis has not the length that is given");
		q->out->dim[first + i].size = cut && !a->inverse ? half : length;
	}
	return ADZE_OK;
}
