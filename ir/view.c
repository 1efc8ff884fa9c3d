/* SPDX-License-Identifier: Apache-2.0 */
#include "ir/view.h"

#include <string.h>

struct ir_size ir_size_const(int64_t v)
{
	struct ir_size s = {v, {0}};
	return s;
}

struct ir_size ir_size_of(const adze_graph *g, const adze_dim *dim)
{
	struct ir_size s = ir_size_const(dim_is_static(dim) ? dim->size : dim->scale);
	int k = dim_is_static(dim) ? -1 : ir_symbol_find(g, dim->symbol);
	if (k >= 0)
		s.power[k] = 1;
	return s;
}

struct ir_size ir_size_mul(struct ir_size a, struct ir_size b)
{
	/* Strides of axes that have one element mean nothing, and may wrap. */
	a.coef = (int64_t)((uint64_t)a.coef * (uint64_t)b.coef);
	for (int i = 0; i < ADZE_MAX_SYMBOLS; i++)
		a.power[i] = (uint8_t)(a.coef == 0 ? 0 : a.power[i] + b.power[i]);
	return a;
}

bool ir_size_equal(struct ir_size a, struct ir_size b)
{
	return a.coef == b.coef && memcmp(a.power, b.power, sizeof a.power) == 0;
}

bool ir_size_is(struct ir_size a, int64_t v)
{
	return ir_size_equal(a, ir_size_const(v));
}

int64_t ir_size_value(struct ir_size a, const int64_t *symbol)
{
	int64_t v = a.coef;
	for (int i = 0; i < ADZE_MAX_SYMBOLS; i++)
		for (int k = 0; k < a.power[i]; k++)
			v *= symbol[i];
	return v;
}

int64_t ir_size_bound(const adze_graph *g, struct ir_size a)
{
	int64_t bound[ADZE_MAX_SYMBOLS] = {0};
	for (int i = 0; i < g->nsymbol; i++)
		bound[i] = g->symbol[i].bound;
	return ir_size_value(a, bound);
}

/* Row-major strides of the view's extents. */
static void set_dense(struct ir_view *w)
{
	struct ir_size stride = ir_size_const(1);
	for (int i = w->rank - 1; i >= 0; i--) {
		w->stride[i] = stride;
		stride = ir_size_mul(stride, w->extent[i]);
		/* An empty axis must not make strides equal that are not. */
		if (stride.coef == 0)
			stride = ir_size_const(1);
	}
}

static void set_extents(const adze_graph *g, ir_val v, struct ir_view *w)
{
	const adze_shape *s = ir_type(g, v);
	w->rank = s->rank;
	for (int i = 0; i < s->rank; i++)
		w->extent[i] = ir_size_of(g, &s->dim[i]);
}

void ir_view_dense(const adze_graph *g, ir_val v, struct ir_view *out)
{
	memset(out, 0, sizeof *out);
	out->base = v;
	out->dtype = ir_type(g, v)->dtype;
	set_extents(g, v, out);
	set_dense(out);
}

bool ir_view_is_dense(const struct ir_view *w)
{
	struct ir_view dense = *w;
	set_dense(&dense);
	for (int i = 0; i < w->rank; i++)
		if (!ir_size_is(w->extent[i], 1) && !ir_size_equal(w->stride[i], dense.stride[i]))
			return false;
	return true;
}

/* offset += n * stride; false where the sum is no monomial. */
static bool add_offset(struct ir_view *w, int64_t n, struct ir_size stride)
{
	struct ir_size by = ir_size_mul(ir_size_const(n), stride);
	if (by.coef == 0)
		return true;
	if (w->offset.coef == 0) {
		w->offset = by;
		return true;
	}
	if (memcmp(w->offset.power, by.power, sizeof by.power) != 0)
		return false;
	w->offset.coef += by.coef;
	if (w->offset.coef == 0)
		w->offset = ir_size_const(0);
	return true;
}

static bool through_slice(const struct attrs_slice *a, struct ir_view *w)
{
	for (int i = 0; i < w->rank; i++) {
		if (!add_offset(w, a->start.at[i], w->stride[i]))
			return false;
		w->stride[i] =
			ir_size_mul(w->stride[i], ir_size_const(dims_or(&a->stride, i, 1)));
	}
	return true;
}

static bool through_reverse(const struct attrs_axes *a, struct ir_view *w)
{
	for (int i = 0; i < a->axes.n; i++) {
		int64_t axis = a->axes.at[i];
		int64_t n = w->extent[axis].coef; /* static: infer_reverse() */
		if (!add_offset(w, n > 0 ? n - 1 : 0, w->stride[axis]))
			return false;
		w->stride[axis] = ir_size_mul(w->stride[axis], ir_size_const(-1));
	}
	return true;
}

static void through_transpose(const struct attrs_axes *a, struct ir_view *w)
{
	struct ir_view old = *w;
	for (int i = 0; i < w->rank; i++) {
		w->extent[i] = old.extent[a->axes.at[i]];
		w->stride[i] = old.stride[a->axes.at[i]];
	}
}

static void through_broadcast(const adze_graph *g, ir_val v, struct ir_view *w)
{
	const struct attrs_axes *a = IR_ATTRS(axes, g, v);
	struct ir_view old = *w;
	set_extents(g, v, w);
	for (int i = 0; i < w->rank; i++)
		w->stride[i] = ir_size_const(0);
	for (int i = 0; i < old.rank; i++)
		if (!ir_size_is(old.extent[i], 1))
			w->stride[a->axes.at[i]] = old.stride[i];
}

static struct ir_size product(const struct ir_size *s, int from, int to)
{
	struct ir_size p = ir_size_const(1);
	for (int i = from; i < to; i++)
		p = ir_size_mul(p, s[i]);
	return p;
}

/* Whether old axes from..to walk as one: each stride is the next extent times its stride. */
static bool walks_as_one(const struct ir_view *w, int from, int to)
{
	for (int i = from; i + 1 < to; i++)
		if (!ir_size_equal(w->stride[i], ir_size_mul(w->extent[i + 1], w->stride[i + 1])))
			return false;
	return true;
}

/* Cuts both shapes into the shortest runs of axes with the same number of elements; within a
 * run the old axes must walk as one, and the new ones split that walk. */
static bool through_reshape(const adze_graph *g, ir_val v, struct ir_view *w)
{
	bool dense = ir_view_is_dense(w);
	struct ir_view old = {.base = w->base, .dtype = w->dtype, .offset = w->offset};
	for (int i = 0; i < w->rank; i++) {
		if (ir_size_is(w->extent[i], 1))
			continue;
		old.extent[old.rank] = w->extent[i];
		old.stride[old.rank++] = w->stride[i];
	}
	set_extents(g, v, w);
	if (dense || shape_count(ir_type(g, v)) == 0) {
		set_dense(w);
		return true;
	}
	int o = 0, n = 0;
	while (n < w->rank) {
		if (ir_size_is(w->extent[n], 1)) {
			w->stride[n++] = ir_size_const(0);
			continue;
		}
		int oe = o + 1, ne = n + 1;
		struct ir_size left = product(old.extent, o, oe), right = product(w->extent, n, ne);
		while (oe <= old.rank && ne <= w->rank && !ir_size_equal(left, right)) {
			if (ir_size_bound(g, left) < ir_size_bound(g, right) ||
			    (ir_size_bound(g, left) == ir_size_bound(g, right) && oe < old.rank))
				left = product(old.extent, o, ++oe);
			else
				right = product(w->extent, n, ++ne);
		}
		if (oe > old.rank || ne > w->rank || !walks_as_one(&old, o, oe))
			return false;
		struct ir_size stride = old.stride[oe - 1];
		for (int i = ne - 1; i >= n; i--) {
			w->stride[i] = stride;
			stride = ir_size_mul(stride, w->extent[i]);
		}
		o = oe;
		n = ne;
	}
	return true;
}

/* A part lies dense in its pack, which is no longer looked at as bytes. */
static void through_part(const adze_graph *g, ir_val v, struct ir_view *w)
{
	struct ir_results r;
	ir_val base = w->base;
	ir_view_dense(g, v, w);
	w->base = base;
	ir_results(g, ir_arg(g, v, 0), &r);
	int64_t at = ir_part_offset(&r, (size_t)IR_ATTRS(part, g, v)->index);
	w->offset = ir_size_const(at * 8 / dtype_info(w->dtype)->bits);
}

/* Of narrower elements there are several for each; of wider ones, one for each run. */
static bool through_bitcast(const adze_graph *g, ir_val v, struct ir_view *w)
{
	int from = dtype_info(ir_type(g, ir_arg(g, v, 0))->dtype)->bits;
	int to = dtype_info(ir_type(g, v)->dtype)->bits, last = w->rank - 1;
	int64_t parts = from > to ? from / to : to / from;
	if (from < to) {
		if (!ir_size_is(w->stride[last], 1) || w->offset.coef % parts != 0)
			return false;
		for (int i = 0; i < last; i++)
			if (w->stride[i].coef % parts != 0 && !ir_size_is(w->extent[i], 1))
				return false;
		w->rank--;
		for (int i = 0; i < last; i++)
			w->stride[i].coef /= parts;
		w->offset.coef /= parts;
	} else if (from > to) {
		for (int i = 0; i <= last; i++)
			w->stride[i] = ir_size_mul(w->stride[i], ir_size_const(parts));
		w->offset = ir_size_mul(w->offset, ir_size_const(parts));
		w->extent[w->rank] = ir_size_const(parts);
		w->stride[w->rank++] = ir_size_const(1);
	}
	w->dtype = ir_type(g, v)->dtype;
	return true;
}

/* From bytes to the elements that their blocks stand for; whole blocks along the last axis. */
static bool through_blocks(const adze_graph *g, ir_val v, struct ir_view *w)
{
	enum block_kind b = IR_ATTRS(dequantize_blocks, g, v)->format;
	int64_t bytes = block_format(b)->bytes, elements = block_format(b)->elements;
	int last = w->rank - 1;
	if (!ir_size_is(w->stride[last], 1) || w->offset.coef % bytes != 0)
		return false;
	for (int i = 0; i < last; i++) {
		if (ir_size_is(w->extent[i], 1))
			w->stride[i] = ir_size_const(0);
		if (w->stride[i].coef % bytes != 0)
			return false;
		w->stride[i].coef = w->stride[i].coef / bytes * elements;
	}
	w->offset.coef = w->offset.coef / bytes * elements;
	w->extent[last] = ir_size_of(g, &ir_type(g, v)->dim[last]);
	w->dtype = ADZE_F32;
	w->block = b;
	return true;
}

/* One view further: `w` describes the operand of `v`. */
static bool through(const adze_graph *g, ir_val v, struct ir_view *w)
{
	bool ok = true;
	switch (ir_get(g, v)->op) {
	case OP_RESHAPE: return through_reshape(g, v, w);
	case OP_SLICE:
		ok = through_slice(IR_ATTRS(slice, g, v), w);
		set_extents(g, v, w);
		return ok;
	case OP_REVERSE: return through_reverse(IR_ATTRS(axes, g, v), w);
	case OP_BITCAST: return through_bitcast(g, v, w);
	case OP_BARRIER: return true;
	case OP_TRANSPOSE: through_transpose(IR_ATTRS(axes, g, v), w); return true;
	case OP_BROADCAST: through_broadcast(g, v, w); return true;
	case OP_CONVERT: return true; /* w->dtype stays what lies in memory */
	case OP_DEQUANTIZE_BLOCKS: return through_blocks(g, v, w);
	case OP_PART: through_part(g, v, w); return true;
	default: return false;
	}
}

static bool is_passed_through(const adze_graph *g, ir_val v)
{
	if (ir_can_be_narrow(g, v))
		return ir_is_read_narrow(g, v);
	return ir_class(g, v) == CLASS_VIEW && (g->group == NULL || g->group[v] == 0);
}

bool ir_is_read_narrow(const adze_graph *g, ir_val v)
{
	return ir_can_be_narrow(g, v) && g->stage >= STAGE_GROUPED && g->group[v] == 0;
}

ir_val ir_behind(const adze_graph *g, ir_val v)
{
	while (is_passed_through(g, v))
		v = ir_arg(g, v, 0);
	return v;
}

bool ir_view_of(const adze_graph *g, ir_val v, struct ir_view *out)
{
	/* Down to what has memory, then back up: chains are long, the stack is not. */
	ir_val chain[64];
	int n = 0;
	while (is_passed_through(g, v)) {
		if (n == (int)COUNT_OF(chain))
			return false;
		chain[n++] = v;
		v = ir_arg(g, v, 0);
	}
	ir_view_dense(g, v, out);
	while (n > 0)
		if (!through(g, chain[--n], out))
			return false;
	return true;
}

bool ir_view_through(const adze_graph *g, ir_val v, struct ir_view *out)
{
	return ir_view_of(g, ir_arg(g, v, 0), out) && through(g, v, out);
}

void ir_view_collapse(struct ir_view *w, int n)
{
	int rank = 0;
	if (w[0].rank == 0)
		return;
	for (int i = 0; i < w[0].rank; i++) {
		bool drop = ir_size_is(w[0].extent[i], 1);
		bool join = rank > 0 && !drop;
		/* Where there is nothing to walk, any strides do. */
		bool empty = join && (ir_size_is(w[0].extent[rank - 1], 0) ||
				      ir_size_is(w[0].extent[i], 0));
		for (int k = 0; k < n && join && !empty; k++)
			join = ir_size_equal(w[k].stride[rank - 1],
					     ir_size_mul(w[k].extent[i], w[k].stride[i]));
		for (int k = 0; k < n && !drop; k++) {
			int to = join ? rank - 1 : rank;
			struct ir_size extent = w[k].extent[i];
			if (join)
				extent = ir_size_mul(w[k].extent[to], extent);
			w[k].stride[to] = w[k].stride[i];
			w[k].extent[to] = extent;
		}
		rank += !drop && !join;
	}
	for (int k = 0; k < n; k++) {
		if (rank == 0) {
			w[k].extent[0] = ir_size_const(1);
			w[k].stride[0] = ir_size_const(1);
		}
		w[k].rank = rank > 0 ? rank : 1;
	}
}
