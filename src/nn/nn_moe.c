/* SPDX-License-Identifier: Apache-2.0
 *
 * Mixtures of experts. The best k of e are found by counting, for each, how many are better:
 * e * e comparisons a token, which is little beside what one expert does.
 */
#include <math.h>
#include <string.h>

#include "nn/nn_parts.h"

/* ---- ranks ---- */

static adze_shape without_names(adze_shape s)
{
	for (int i = 0; i < s.rank; i++)
		memset(s.dim[i].name, 0, ADZE_MAX_AXIS);
	return s;
}

/* `v`, whose last axis becomes axis `at` of `to`, its others the first ones. */
static adze_tensor spread_last(struct tensor_op *op, adze_tensor v, const adze_shape *to, int at)
{
	struct ir_dims axes = {.n = adze_is(v) ? tensor_type(op, v.id)->rank : 0};
	for (int i = 0; i < axes.n; i++)
		axes.at[i] = i;
	if (axes.n > 0)
		axes.at[axes.n - 1] = at;
	return form_spread(op, v, to, &axes);
}

/* x with another axis of extent n before its last, or behind it, as a shape without names. */
static bool beside(struct tensor_op *op, adze_tensor x, int64_t n, bool before, adze_shape *out)
{
	if (!op->ok || !adze_is(x))
		return false;
	*out = without_names(*tensor_type(op, x.id));
	return form_insert(op, out, out->rank - before, dim_make(n));
}

/* How many of the last axis are larger, or equal and before: i32. */
static adze_tensor rank_of(struct tensor_op *op, adze_tensor x)
{
	adze_shape pair;
	int64_t n = adze_is(x) ? adze_tensor_shape(x).dim[adze_tensor_shape(x).rank - 1].size : 0;
	if (!beside(op, x, n, false, &pair))
		return form_of(op, 0);
	int last = pair.rank - 1;
	adze_tensor a = spread_last(op, x, &pair, last - 1), b = spread_last(op, x, &pair, last);
	adze_tensor i = form_iota(op, &pair, ADZE_I32, last - 1);
	adze_tensor j = form_iota(op, &pair, ADZE_I32, last);
	adze_tensor better = f_or(f_gt(b, a), f_and(f_eq(b, a), f_lt(j, i)));
	return (adze_sum)((adze_convert)(better, ADZE_I32), "-1");
}

static adze_tensor keep_below(adze_tensor rank, int64_t n, adze_tensor x, double otherwise)
{
	return (adze_select)(f_lt(rank, f_num(rank, (double)n)), x, f_num(x, otherwise));
}

/* ---- routing ---- */

struct route {
	struct tensor_op op;
	adze_route_options with;
	int64_t experts;
	adze_tensor score; /* [.., e] f32: what becomes of the logits */
	adze_tensor rank;  /* [.., e] i32 by the scores and the bias */
};

/* -infinity for experts of groups that are not among the best, by their best two. */
static adze_tensor limit_groups(struct route *r, adze_tensor choice)
{
	struct tensor_op *op = &r->op;
	const adze_shape s = without_names(*tensor_type(op, choice.id));
	adze_shape split = s;
	int last = s.rank - 1;
	split.dim[last] = dim_make(r->with.groups);
	if (!form_insert(op, &split, s.rank, dim_make(r->experts / r->with.groups)))
		return choice;
	adze_tensor part = form_reshape(op, choice, &split);
	adze_tensor best = (adze_sum)(keep_below(rank_of(op, part), 2, part, 0), "-1");
	struct ir_dims axes = {.n = s.rank};
	for (int i = 0; i < s.rank; i++)
		axes.at[i] = i;
	adze_tensor rank = form_spread(op, rank_of(op, best), &split, &axes);
	return form_reshape(op, keep_below(rank, r->with.top_groups, part, -INFINITY), &s);
}

static bool refuse_route(struct route *r, const char *words)
{
	tensor_fail(&r->op, ADZE_E_ARGUMENT, "%s", words);
	return false;
}

static bool check_route(struct route *r, adze_tensor logits)
{
	const adze_shape *s = tensor_type(&r->op, logits.id);
	if (s->rank < 1 || !dim_is_static(&s->dim[s->rank - 1])) {
		form_refuse(&r->op, logits, "it takes [.., experts]");
		return false;
	}
	r->experts = s->dim[s->rank - 1].size;
	if (r->with.top_k < 1 || r->with.top_k > r->experts)
		return refuse_route(r, "top_k is from 1 to the number of experts");
	if (r->with.groups == 0)
		return true;
	if (r->with.groups < 0 || r->experts % r->with.groups != 0 || r->with.top_groups < 1 ||
	    r->with.top_groups > r->with.groups ||
	    r->with.top_groups * (r->experts / r->with.groups) < r->with.top_k)
		return refuse_route(r, "groups divide the experts, and top_groups of them hold "
				       "top_k");
	return true;
}

static bool begin_route(struct route *r, const char *name, adze_tensor logits,
			const adze_route_options *with)
{
	*r = (struct route){.op = nn_begin(name, logits, NULL, 0,
					   with != NULL ? &with->bias : NULL, with != NULL)};
	if (!r->op.ok)
		return false;
	if (with == NULL)
		return refuse_route(r, "it needs options: top_k");
	r->with = *with;
	if (!check_route(r, logits))
		return false;
	adze_tensor x = (adze_convert)(logits, ADZE_F32);
	r->score = with->sigmoid ? f_logistic(x) : (adze_softmax)(x, "-1");
	adze_tensor choice = r->score;
	if (adze_is(with->bias))
		choice = nn_bias(&r->op, choice, (adze_convert)(with->bias, ADZE_F32), -1);
	if (with->groups > 1 && r->op.ok && adze_is(choice))
		choice = limit_groups(r, choice);
	r->rank = rank_of(&r->op, choice);
	return r->op.ok && adze_is(r->rank);
}

/* Weights, of which those of a token lie along the last axis, as the options say. */
static adze_tensor finish_weights(struct route *r, adze_tensor w)
{
	const struct ir_dims last = {.n = 1, .at = {adze_tensor_shape(w).rank - 1}};
	if (r->with.normalize)
		w = f_div(w, f_shift(form_keep(&r->op, (adze_sum)(w, "-1"), w, &last), 1e-20));
	return r->with.scale != 0 ? f_scale(w, r->with.scale) : w;
}

adze_tensor(adze_nn_route)(adze_tensor logits, const adze_route_options *options)
{
	struct route r;
	if (!begin_route(&r, "nn_route", logits, options))
		return form_end(&r.op, form_of(&r.op, 0));
	adze_tensor w = keep_below(r.rank, r.with.top_k, r.score, 0);
	return form_end(&r.op, finish_weights(&r, w));
}

adze_tensor(adze_nn_route_chosen)(adze_tensor logits, const adze_route_options *options,
				  adze_tensor *indices)
{
	struct route r;
	adze_shape pair;
	*indices = (adze_tensor){logits.graph, 0, 0, NULL};
	if (!begin_route(&r, "nn_route_chosen", logits, options) ||
	    !beside(&r.op, r.rank, r.with.top_k, true, &pair))
		return form_end(&r.op, form_of(&r.op, 0));
	int last = pair.rank - 1;
	adze_tensor hit = f_eq(spread_last(&r.op, r.rank, &pair, last),
			       form_iota(&r.op, &pair, ADZE_I32, last - 1));
	adze_tensor i = form_iota(&r.op, &pair, ADZE_I32, last);
	adze_tensor score = spread_last(&r.op, r.score, &pair, last);
	adze_tensor w = (adze_sum)((adze_select)(hit, score, f_num(score, 0)), "-1");
	*indices = (adze_sum)((adze_select)(hit, i, f_num(i, 0)), "-1");
	adze_tensor y = form_end(&r.op, finish_weights(&r, w));
	if (!adze_is(y))
		*indices = y;
	return y;
}

/* ---- experts ---- */

static struct tensor_op begin_experts(const char *name, struct adze_nn_experts l, adze_tensor x,
				      adze_tensor weights)
{
	const adze_tensor all[3] = {l.gate_up_proj, l.down_proj, weights};
	struct tensor_op op = nn_begin(name, x, all, 3, NULL, 0);
	if (!op.ok)
		return op;
	const adze_shape *s = tensor_type(&op, x.id), *w = tensor_type(&op, weights.id),
			 *u = tensor_type(&op, all[0].id), *d = tensor_type(&op, all[1].id);
	bool fits = u->rank == 3 && d->rank == 3 && dim_same(&u->dim[0], &d->dim[0]) &&
		    dim_same(&u->dim[2], &d->dim[1]) && u->dim[1].size == 2 * d->dim[2].size;
	if (!fits)
		form_refuse(&op, all[0], "the experts are [e, 2 f, d] and [e, d, f]");
	else if (s->rank < 1 || s->rank != w->rank || s->rank + 2 > ADZE_MAX_RANK ||
		 !dim_same(&s->dim[s->rank - 1], &u->dim[2]))
		form_refuse(&op, x, "x is [.., d], and the weights have as many axes");
	for (int i = 0; i < s->rank - 1 && op.ok; i++)
		if (!dim_same(&s->dim[i], &w->dim[i]))
			form_refuse(&op, weights, "the weights are of other tokens than x");
	return op;
}

/* activation(gate) up of [.., gate and up], times weights [..]. */
static adze_tensor gate_and_weigh(struct tensor_op *op, adze_tensor both, adze_tensor weights,
				  const char *activation)
{
	if (!op->ok || !adze_is(both))
		return both;
	const adze_shape s = adze_tensor_shape(both);
	int64_t f = s.dim[s.rank - 1].size / 2;
	adze_tensor gate = form_wide((adze_slice)(both, "-1", 0, f, 1));
	adze_tensor up = form_wide((adze_slice)(both, "-1", f, 2 * f, 1));
	adze_tensor h = f_mul((adze_nn_activation)(gate, activation), up);
	if (!op->ok || !adze_is(h))
		return h;
	adze_shape to = without_names(*tensor_type(op, h.id));
	struct ir_dims axes = {.n = to.rank - 1};
	for (int i = 0; i < to.rank - 1; i++)
		axes.at[i] = i;
	weights = (adze_convert)(weights, to.dtype);
	h = f_mul(form_reshape(op, h, &to), form_spread(op, weights, &to, &axes));
	return (adze_convert)(h, s.dtype);
}

adze_tensor(adze_nn_experts)(struct adze_nn_experts l, adze_tensor x, adze_tensor weights,
			     const char *activation)
{
	struct tensor_op op = begin_experts("nn_experts", l, x, weights);
	if (op.ok && !dim_same(&tensor_type(&op, weights.id)
					->dim[tensor_type(&op, weights.id)->rank - 1],
			       &tensor_type(&op, l.down_proj.id)->dim[0]))
		form_refuse(&op, weights, "the weights are [.., experts]");
	if (!op.ok)
		return form_end(&op, x);
	adze_tensor both = (adze_dot)(x, nn_weight(&op, l.gate_up_proj, x), "-1=2");
	adze_tensor h = gate_and_weigh(&op, both, weights, activation);
	struct attrs_dot dot;
	memset(&dot, 0, sizeof dot);
	int rank = tensor_type(&op, x.id)->rank;
	/* Each expert by itself, then the sum: down_proj stays as it lies. */
	dot.batch_a = (struct ir_dims){.n = 1, .at = {rank - 1}};
	dot.batch_b = (struct ir_dims){.n = 1, .at = {0}};
	dot.sum_a = (struct ir_dims){.n = 1, .at = {rank}};
	dot.sum_b = (struct ir_dims){.n = 1, .at = {2}};
	adze_tensor y = form_of(&op, 0);
	adze_tensor down = nn_weight(&op, l.down_proj, x);
	if (op.ok && adze_is(h))
		y = form_of(&op, ir_emit2(op.graph, OP_DOT, h.id, down.id, &dot));
	return form_end(&op, (adze_sum)(y, "0"));
}

/* Sums over the last `n` axes of a and `sum_b` of b, whose first `batch` axes are of a batch. */
static adze_tensor each_token(struct tensor_op *op, adze_tensor a, adze_tensor b, int batch, int n,
			      const int *sum_b)
{
	struct attrs_dot dot;
	memset(&dot, 0, sizeof dot);
	if (!op->ok || !adze_is(a) || !adze_is(b))
		return form_of(op, 0);
	for (int i = 0; i < batch; i++) {
		dot.batch_a.at[dot.batch_a.n++] = i;
		dot.batch_b.at[dot.batch_b.n++] = i;
	}
	for (int i = 0; i < n; i++) {
		dot.sum_a.at[dot.sum_a.n++] = tensor_type(op, a.id)->rank - n + i;
		dot.sum_b.at[dot.sum_b.n++] = sum_b[i];
	}
	return form_of(op, ir_emit2(op->graph, OP_DOT, a.id, b.id, &dot));
}

adze_tensor(adze_nn_experts_chosen)(struct adze_nn_experts l, adze_tensor x, adze_tensor weights,
				    adze_tensor indices, const char *activation)
{
	struct tensor_op op = begin_experts("nn_experts_chosen", l, x, weights);
	const adze_tensor all[2] = {x, indices};
	if (op.ok)
		op = tensor_begin(op.name, all, 2);
	if (!op.ok)
		return form_end(&op, x);
	const adze_shape *w = tensor_type(&op, weights.id), *i = tensor_type(&op, indices.id);
	if (!shape_same_extents(w, i))
		return form_end(&op, form_refuse(&op, indices, "indices are as the weights"));
	int batch = w->rank - 1;
	const int up[1] = {batch + 2}, down[2] = {batch, batch + 2};
	adze_tensor of = nn_weight(&op, (adze_take)(l.gate_up_proj, indices, "0"), x);
	adze_tensor both = each_token(&op, x, of, batch, 1, up);
	adze_tensor h = gate_and_weigh(&op, both, weights, activation);
	of = nn_weight(&op, (adze_take)(l.down_proj, indices, "0"), x);
	return form_end(&op, each_token(&op, h, of, batch, 2, down));
}
