/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms that are layers without their weights: norms over channels, attention.
 */
#include "forms.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- norms ---- */

/* A number for each channel, [c], as the shape of x; the null tensor stays. */
static adze_tensor by_channel(struct tensor_op *op, adze_tensor x, adze_tensor v)
{
	struct ir_dims axis = {.n = 1, .at = {1}};
	if (!adze_is(v) || !op->ok)
		return v;
	const adze_shape *s = tensor_type(op, x.id), *t = tensor_type(op, v.id);
	if (t->rank != 1 || t->dtype != s->dtype || !dim_same(&t->dim[0], &s->dim[1]))
		return form_refuse(op, v, "it has one number for each channel");
	return form_spread(op, v, s, &axis);
}

static adze_tensor scaled(struct tensor_op *op, adze_tensor y, adze_tensor scale,
			  adze_tensor bias)
{
	if (op->ok && adze_is(y) && adze_is(scale))
		y = f_mul(y, by_channel(op, y, scale));
	if (op->ok && adze_is(y) && adze_is(bias))
		y = f_add(y, by_channel(op, y, bias));
	return y;
}

/* tensor_begin() with operands that may be absent. */
static struct tensor_op begin_some(const char *name, adze_tensor x, const adze_tensor *more,
				   size_t n)
{
	adze_tensor all[8] = {x};
	size_t count = 1;
	for (size_t i = 0; i < n; i++)
		if (adze_is(more[i]))
			all[count++] = more[i];
	struct tensor_op op = form_floats(name, all, count);
	if (op.ok && tensor_type(&op, x.id)->rank < 2)
		form_refuse(&op, x, "it takes two axes or more");
	return op;
}

adze_tensor(adze_batch_norm)(adze_tensor x, adze_tensor mean, adze_tensor variance,
			     adze_tensor scale, adze_tensor bias, double eps)
{
	const adze_tensor more[2] = {scale, bias}, needed[3] = {x, mean, variance};
	struct tensor_op op = tensor_begin("batch_norm", needed, 3);
	if (op.ok)
		op = begin_some("batch_norm", x, more, 2);
	if (!op.ok)
		return form_end(&op, x);
	/* One product and one sum an element; what is of channels alone is folded. */
	adze_tensor by = f_rsqrt(f_shift(variance, eps));
	by = adze_is(scale) ? f_mul(by, scale) : by;
	adze_tensor y = f_sub(x, by_channel(&op, x, mean));
	return form_end(&op, scaled(&op, y, by, bias));
}

/* Normal along all but [n, groups], without scale and bias. */
static adze_tensor grouped(struct tensor_op *op, adze_tensor x, int64_t groups)
{
	const adze_shape s = *tensor_type(op, x.id);
	char text[SHAPE_TEXT];
	if (!dim_is_static(&s.dim[1]) || groups < 1 || s.dim[1].size % groups != 0)
		return form_refuse(op, x, "the groups do not divide the channels");
	adze_shape flat = s;
	flat.rank = 1;
	if (s.dim[0].name[0] == '\0' && !dim_is_static(&s.dim[0]))
		memcpy(flat.dim[0].name, "n", 2);
	char axes[SHAPE_TEXT], *open, *close;
	shape_print(&flat, axes, sizeof axes);
	open = strchr(axes, '[');
	close = strrchr(axes, ']');
	snprintf(text, sizeof text, "%.*s %" PRId64 " ?", (int)(close - open - 1), open + 1,
		 groups);
	return (adze_reshape)(x, text);
}

static adze_tensor group_norm(const char *name, adze_tensor x, int64_t groups,
			      adze_tensor scale, adze_tensor bias, double eps)
{
	const adze_tensor more[2] = {scale, bias}, none = {NULL, 0, 0, NULL};
	struct tensor_op op = begin_some(name, x, more, 2);
	if (!op.ok)
		return form_end(&op, x);
	const adze_shape s = *tensor_type(&op, x.id);
	adze_tensor y = grouped(&op, x, groups == 0 ? s.dim[1].size : groups);
	if (adze_is(y))
		y = form_reshape(&op, (adze_layer_norm)(y, none, none, eps), &s);
	return form_end(&op, scaled(&op, y, scale, bias));
}

adze_tensor(adze_group_norm)(adze_tensor x, int64_t groups, adze_tensor scale, adze_tensor bias,
			     double eps)
{
	return group_norm("group_norm", x, groups == 0 ? -1 : groups, scale, bias, eps);
}

adze_tensor(adze_instance_norm)(adze_tensor x, adze_tensor scale, adze_tensor bias, double eps)
{
	return group_norm("instance_norm", x, 0, scale, bias, eps);
}

/* ---- attention ---- */

/* Batch axes, then kv heads, heads of a group, queries and keys: axes of the scores. */
struct attend {
	struct tensor_op *op;
	const adze_attention_options *with;
	int nbatch;
	adze_shape scores; /* [.., kv, group, s, t] */
};

/* The common refusals, and q as [.., kv, group, s, d]. */
static adze_tensor split_heads(struct tensor_op *op, adze_tensor q, adze_tensor k, adze_tensor v)
{
	if (!op->ok)
		return q;
	const adze_shape *s = tensor_type(op, q.id), *t = tensor_type(op, k.id),
			 *u = tensor_type(op, v.id);
	int n = s->rank - 3;
	if (n < 0 || t->rank != s->rank || u->rank != s->rank || s->rank >= ADZE_MAX_RANK)
		return form_refuse(op, q, "it takes [.., heads, positions, width] three times");
	const adze_dim *heads = &s->dim[n], *kv = &t->dim[n];
	if (!dim_is_static(heads) || !dim_is_static(kv) || kv->size == 0 ||
	    heads->size % kv->size != 0)
		return form_refuse(op, q, "its heads are no multiple of those of the keys");
	adze_shape to = *s;
	for (int i = 0; i < to.rank; i++)
		memset(to.dim[i].name, 0, ADZE_MAX_AXIS);
	to.dim[n] = dim_make(heads->size / kv->size);
	return form_insert(op, &to, n, dim_make(kv->size)) ? form_reshape(op, q, &to) : q;
}

/* Sums over axis `sum_a` of a and `sum_b` of b, whose first `batch` axes are of a batch. */
static adze_tensor batched(struct tensor_op *op, adze_tensor a, adze_tensor b, int batch,
			   int sum_a, int sum_b)
{
	struct attrs_dot dot;
	memset(&dot, 0, sizeof dot);
	for (int i = 0; i < batch; i++) {
		dot.batch_a.at[dot.batch_a.n++] = i;
		dot.batch_b.at[dot.batch_b.n++] = i;
	}
	dot.sum_a.at[dot.sum_a.n++] = sum_a;
	dot.sum_b.at[dot.sum_b.n++] = sum_b;
	bool fine = op->ok && adze_is(a) && adze_is(b);
	return form_of(op, fine ? ir_emit2(op->graph, OP_DOT, a.id, b.id, &dot) : 0);
}

/* The place of the first query, as `pair`: a number, or one for each of a batch. */
static adze_tensor first_place(const struct attend *a, adze_tensor q, adze_tensor k,
			       const adze_shape *pair)
{
	struct tensor_op *op = a->op;
	adze_tensor first = a->with->first;
	char axis[16];
	snprintf(axis, sizeof axis, "%d", a->nbatch + 1);
	if (!adze_is(first))
		return f_sub((adze_extent)(k, axis), (adze_extent)(q, axis));
	const adze_shape *s = tensor_type(op, first.id);
	const struct ir_dims at = {.n = s->rank, .at = {0}};
	bool each = s->rank == 1 && a->nbatch == 1 && dim_same(&s->dim[0], &pair->dim[0]);
	if (dtype_is_float(s->dtype) || s->dtype == ADZE_BOOL || (s->rank != 0 && !each))
		return form_refuse(op, first, "the first place is an integer, or [first axis]");
	return form_spread(op, (adze_convert)(first, ADZE_I32), pair, &at);
}

/* 0, 1 ... along an axis, of which one row is made. */
static adze_tensor count_along(struct tensor_op *op, const adze_shape *shape, int axis)
{
	const adze_shape row = {.dtype = ADZE_I32, .rank = 1, .dim = {shape->dim[axis]}};
	const struct ir_dims at = {.n = 1, .at = {axis}};
	return form_spread(op, form_iota(op, &row, ADZE_I32, 0), shape, &at);
}

/* Whether a query may see a key, by their places: [s, t], or [b, 1, s, t]; the null tensor:
 * always. */
static adze_tensor sight(const struct attend *a, adze_tensor q, adze_tensor k)
{
	struct tensor_op *op = a->op;
	const adze_dim *last = a->scores.dim + a->scores.rank - 2;
	adze_shape pair = {.dtype = ADZE_I32, .rank = 2, .dim = {last[0], last[1]}};
	adze_tensor first = a->with->first;
	if (!a->with->causal && a->with->window <= 0)
		return form_of(op, 0);
	if (adze_is(first) && tensor_type(op, first.id)->rank == 1 && a->nbatch == 1)
		pair = (adze_shape){.dtype = ADZE_I32, .rank = 4,
				    .dim = {a->scores.dim[0], dim_make(1), last[0], last[1]}};
	first = first_place(a, q, k, &pair);
	if (!op->ok)
		return form_of(op, 0);
	adze_tensor i = f_add(count_along(op, &pair, pair.rank - 2), first);
	adze_tensor j = count_along(op, &pair, pair.rank - 1);
	adze_tensor see = f_le(j, i);
	if (a->with->window <= 0)
		return see;
	adze_tensor near = f_gt(j, f_shift(i, -(double)a->with->window));
	return a->with->causal ? f_and(see, near) : near;
}

/* v broadcast to a shape like that of the scores: its last axes are its, heads, if there,
 * split. */
static adze_tensor fit(const struct attend *a, adze_tensor v, const adze_shape *shape)
{
	struct tensor_op *op = a->op;
	adze_shape to = *shape;
	if (!op->ok || !adze_is(v))
		return v;
	adze_shape s = *tensor_type(op, v.id);
	to.dtype = s.dtype;
	int heads = s.rank - 3;
	for (int i = 0; i < s.rank; i++)
		memset(s.dim[i].name, 0, ADZE_MAX_AXIS);
	if (heads >= 0) {
		bool all = dim_is_static(&s.dim[heads]) && s.dim[heads].size != 1;
		adze_dim kv = all ? to.dim[a->nbatch] : dim_make(1);
		if (all)
			s.dim[heads] = to.dim[a->nbatch + 1];
		if (!form_insert(op, &s, heads, kv))
			return v;
	}
	v = form_reshape(op, v, &s);
	return form_of(op, op->ok && adze_is(v) ? tensor_fit(op, v.id, &to) : 0);
}

/* 0 for queries that see nothing; y is as the scores, but for its last axis. */
static adze_tensor blank_rows(const struct attend *a, adze_tensor y, adze_tensor see)
{
	struct tensor_op *op = a->op;
	const struct ir_dims last = {.n = 1, .at = {tensor_type(op, see.id)->rank - 1}};
	adze_tensor any = form_keep(op, (adze_any)(see, "-1"), see, &last);
	const adze_shape to = *tensor_type(op, y.id);
	any = fit(a, any, &to);
	return op->ok ? (adze_select)(any, y, f_num(y, 0)) : y;
}

/* Softmax over the last axis in which `sinks`, [kv, group] if there, take part. */
static adze_tensor weigh(const struct attend *a, adze_tensor scores)
{
	struct tensor_op *op = a->op;
	struct ir_dims last = {.n = 1, .at = {a->scores.rank - 1}};
	struct ir_dims at = {.n = 2, .at = {a->nbatch, a->nbatch + 1}};
	if (!adze_is(a->with->sinks) || !op->ok)
		return (adze_softmax)(scores, "-1");
	adze_shape two = a->scores, row = a->scores;
	two.rank = 2;
	memmove(two.dim, a->scores.dim + a->nbatch, 2 * sizeof two.dim[0]);
	row.dim[row.rank - 1] = dim_make(1);
	adze_tensor sink = form_reshape(op, form_wide(a->with->sinks), &two);
	sink = form_spread(op, sink, &row, &at);
	adze_tensor m = form_keep(op, (adze_maximum)(scores, "-1"), scores, &last);
	m = f_max(m, sink);
	adze_tensor e = f_exp(f_sub(scores, m));
	adze_tensor sum = form_keep(op, (adze_sum)(e, "-1"), scores, &last);
	return f_div(e, f_add(sum, f_exp(f_sub(sink, m))));
}

/* Whether each row is sure to see a key, its own: places alone decide, and none is before 0. */
static bool all_see(const struct attend *a)
{
	const adze_dim *s = &a->scores.dim[a->scores.rank - 2], *t = s + 1;
	bool fits = dim_same(s, t) || (dim_is_static(s) && dim_is_static(t) && s->size <= t->size);
	return fits && !adze_is(a->with->mask) && !adze_is(a->with->first);
}

static adze_tensor attend(struct attend *a, adze_tensor q, adze_tensor k, adze_tensor v,
			  adze_tensor wide)
{
	const adze_attention_options *with = a->with;
	struct tensor_op *op = a->op;
	int rank = tensor_type(op, wide.id)->rank;
	adze_dim width = tensor_type(op, wide.id)->dim[rank - 1];
	if (with->scale == 0 && (!dim_is_static(&width) || width.size == 0))
		return form_refuse(op, q, "there is no width to take the scale from");
	double scale = with->scale != 0 ? with->scale : 1 / sqrt((double)width.size);
	adze_dtype result = adze_tensor_shape(v).dtype;
	adze_tensor y = batched(op, form_wide(wide), form_wide(k), a->nbatch + 1, rank - 1,
				rank - 2);
	if (!adze_is(y))
		return y;
	y = f_scale(y, scale);
	if (with->soft_cap != 0)
		y = f_scale(f_tanh(f_scale(y, 1 / with->soft_cap)), with->soft_cap);
	if (!adze_is(y))
		return y;
	a->scores = *tensor_type(op, y.id);
	for (int i = 0; i < a->scores.rank; i++)
		memset(a->scores.dim[i].name, 0, ADZE_MAX_AXIS);
	y = form_reshape(op, y, &a->scores);
	adze_tensor see = sight(a, q, k), mask = with->mask;
	if (op->ok && adze_is(mask)) {
		bool truth = tensor_type(op, mask.id)->dtype == ADZE_BOOL;
		if (!truth && !dtype_is_float(tensor_type(op, mask.id)->dtype))
			return form_refuse(op, mask, "a mask is of bool or of floats");
		if (!truth)
			mask = (adze_convert)(mask, tensor_type(op, y.id)->dtype);
		adze_tensor open = truth ? mask : f_gt(mask, f_num(mask, -INFINITY));
		if (!truth)
			y = f_add(y, fit(a, mask, &a->scores));
		see = adze_is(see) ? f_and(see, open) : open;
	}
	/* Finite, so that a row of nothing has no NaN on its way to 0. */
	if (adze_is(see))
		y = (adze_select)(fit(a, see, &a->scores), y, f_num(y, -1e30));
	y = batched(op, weigh(a, y), form_wide(v), a->nbatch + 1, a->scores.rank - 1, rank - 3);
	if (op->ok && adze_is(y))
		y = (adze_convert)(y, result);
	return adze_is(see) && adze_is(y) && !all_see(a) ? blank_rows(a, y, see) : y;
}

adze_tensor(adze_attention)(adze_tensor q, adze_tensor k, adze_tensor v,
			    const adze_attention_options *options)
{
	static const adze_attention_options none;
	const adze_tensor x[3] = {q, k, v};
	struct tensor_op op = form_floats("attention", x, 3);
	struct attend a = {.op = &op, .with = options != NULL ? options : &none};
	adze_tensor wide = split_heads(&op, q, k, v);
	if (!op.ok || !adze_is(wide))
		return form_end(&op, form_of(&op, 0));
	adze_shape to = *tensor_type(&op, q.id);
	a.nbatch = to.rank - 3;
	adze_tensor y = attend(&a, q, k, v, wide);
	to.dim[to.rank - 1] = tensor_type(&op, v.id)->dim[to.rank - 1];
	return form_end(&op, form_reshape(&op, y, &to));
}
