/* SPDX-License-Identifier: Apache-2.0
 *
 * From logits to tokens. No logit is moved: what may be chosen is found by its smallest logit,
 * bit by bit, so that the work is of 32 sums over the vocabulary rather than of a sort.
 */
#include <math.h>
#include <string.h>

#include "nn/nn_parts.h"

/* Logits at work: z f32 [.., v], without names. */
struct sample {
	struct tensor_op op;
	adze_shape s, row; /* of z; and without the last axis */
	adze_tensor z;
};

static adze_shape unnamed(adze_shape s)
{
	for (int i = 0; i < s.rank; i++)
		memset(s.dim[i].name, 0, ADZE_MAX_AXIS);
	return s;
}

static bool begin(struct sample *r, const char *name, adze_tensor logits)
{
	*r = (struct sample){.op = form_floats(name, &logits, 1)};
	if (!r->op.ok)
		return false;
	r->s = unnamed(*tensor_type(&r->op, logits.id));
	if (r->s.rank < 1 || !dim_is_static(&r->s.dim[r->s.rank - 1]) ||
	    r->s.dim[r->s.rank - 1].size > 1 << 24) {
		form_refuse(&r->op, logits, "it takes [.., vocabulary], of up to 2^24");
		return false;
	}
	r->s.dtype = ADZE_F32;
	r->row = r->s;
	r->row.rank--;
	r->z = form_reshape(&r->op, (adze_convert)(logits, ADZE_F32), &r->s);
	return r->op.ok && adze_is(r->z);
}

/* A number for each row, [..], as [.., v]. */
static adze_tensor over_row(struct sample *r, adze_tensor v)
{
	struct ir_dims at = {.n = r->row.rank};
	for (int i = 0; i < at.n; i++)
		at.at[i] = i;
	return form_spread(&r->op, v, &r->s, &at);
}

/* A setting, which is a scalar or one for each row, as [..] of a type. */
static adze_tensor setting(struct sample *r, adze_tensor v, adze_dtype dtype)
{
	struct tensor_op *op = &r->op;
	const struct ir_dims none = {.n = 0};
	if (!op->ok)
		return form_of(op, 0);
	const adze_tensor both[2] = {r->z, v};
	struct tensor_op check = tensor_begin(op->name, both, 2);
	op->ok = check.ok;
	if (!op->ok)
		return form_of(op, 0);
	const adze_shape *t = tensor_type(op, v.id);
	if (t->dtype == ADZE_BOOL || dtype_is_float(t->dtype) != dtype_is_float(dtype))
		return form_refuse(op, v, dtype_is_float(dtype) ? "this setting is a float"
								: "this setting is an integer");
	if (t->rank == 0)
		return form_spread(op, (adze_convert)(v, dtype), &r->row, &none);
	if (!shape_same_extents(t, &r->row))
		return form_refuse(op, v, "a setting is a scalar, or one for each row of logits");
	return form_reshape(op, (adze_convert)(v, dtype), &r->row);
}

/* ---- penalties ---- */

adze_tensor(adze_nn_penalize)(adze_tensor logits, adze_tensor counts,
			      const adze_penalty_options *with)
{
	struct sample r;
	if (!begin(&r, "nn_penalize", logits))
		return form_end(&r.op, form_of(&r.op, 0));
	const adze_tensor both[2] = {r.z, counts};
	struct tensor_op check = tensor_begin(r.op.name, both, 2);
	r.op.ok = check.ok;
	const adze_shape *t = r.op.ok ? tensor_type(&r.op, counts.id) : NULL;
	if (r.op.ok && (!shape_same_extents(t, &r.s) || dtype_is_float(t->dtype) ||
			t->dtype == ADZE_BOOL))
		form_refuse(&r.op, counts, "counts are integers, as many as logits");
	if (!r.op.ok || with == NULL)
		return form_end(&r.op, r.op.ok ? logits : form_of(&r.op, 0));
	adze_tensor z = r.z, n = form_reshape(&r.op, (adze_convert)(counts, ADZE_F32), &r.s);
	adze_tensor seen = f_gt(n, f_num(n, 0));
	if (adze_is(with->repetition)) {
		adze_tensor by = over_row(&r, setting(&r, with->repetition, ADZE_F32));
		adze_tensor less = (adze_select)(f_gt(z, f_num(z, 0)), f_div(z, by), f_mul(z, by));
		z = (adze_select)(seen, less, z);
	}
	if (adze_is(with->frequency))
		z = f_sub(z, f_mul(n, over_row(&r, setting(&r, with->frequency, ADZE_F32))));
	if (adze_is(with->presence)) {
		adze_tensor by = over_row(&r, setting(&r, with->presence, ADZE_F32));
		z = f_sub(z, (adze_select)(seen, by, f_num(by, 0)));
	}
	const adze_shape as = adze_tensor_shape(logits);
	return form_end(&r.op, form_reshape(&r.op, (adze_convert)(z, as.dtype), &as));
}

adze_tensor(adze_nn_count_tokens)(adze_tensor counts, adze_tensor ids)
{
	const adze_tensor both[2] = {ids, counts};
	struct tensor_op op = tensor_begin("nn_count_tokens", both, 2);
	if (!op.ok)
		return form_end(&op, ids);
	const adze_shape s = *tensor_type(&op, counts.id), *t = tensor_type(&op, ids.id);
	bool many = t->rank == s.rank;
	if (s.rank < 1 || !dim_is_static(&s.dim[s.rank - 1]) || dtype_is_float(s.dtype) ||
	    s.dtype == ADZE_BOOL || dtype_is_float(t->dtype) || t->dtype == ADZE_BOOL ||
	    (!many && t->rank != s.rank - 1) || t->rank + 1 > ADZE_MAX_RANK)
		return form_end(&op, form_refuse(&op, ids, "tokens are integers [..] or [.., n], "
							   "and counts integers [.., v]"));
	for (int i = 0; i < s.rank - 1; i++)
		if (!dim_same(&s.dim[i], &t->dim[i]))
			return form_end(&op, form_refuse(&op, ids, "its rows are not the counts'"));
	adze_shape each = unnamed(*t);
	struct ir_dims at = {.n = t->rank};
	for (int i = 0; i < t->rank; i++)
		at.at[i] = i;
	adze_dim v = dim_make(s.dim[s.rank - 1].size);
	if (!form_insert(&op, &each, t->rank, v))
		return form_end(&op, ids);
	adze_tensor wide = form_spread(&op, (adze_convert)(ids, ADZE_I32), &each, &at);
	adze_tensor hit = f_eq(wide, form_iota(&op, &each, ADZE_I32, each.rank - 1));
	hit = (adze_convert)(hit, s.dtype);
	if (many)
		hit = (adze_sum)(hit, "-2");
	return form_end(&op, f_add(counts, form_reshape(&op, hit, &s)));
}

/* ---- what may be chosen ---- */

/*
 * Floats in the order of u32: key = bits ^ (negative ? ~0 : 1 << 31). The float of a key; below
 * the key of -infinity lie NaNs, which here are -infinity.
 */
static adze_tensor float_of(adze_tensor key)
{
	adze_tensor least = f_max(key, f_num(key, 0x007fffff)), top = f_num(key, 0x80000000);
	adze_tensor turn = (adze_select)(f_ge(least, top), top, f_num(key, 0xffffffff));
	return (adze_bitcast)(f_xor(least, turn), ADZE_F32);
}

/*
 * The largest float, [..], such that `amount` summed over logits that are not smaller reaches
 * `enough`: by the bits of its key from the highest. Sums in a fixed order grow with what is in
 * them, so the answer is one number whatever the rounding.
 */
static adze_tensor smallest_of(struct sample *r, adze_tensor amount, adze_tensor enough)
{
	const struct ir_dims nothing = {.n = 0};
	adze_tensor t = form_spread(&r->op, (adze_scalar)(r->op.graph, ADZE_U32, 0), &r->row,
				    &nothing);
	for (int bit = 31; bit >= 0; bit--) {
		adze_tensor more = f_or(t, f_num(t, ldexp(1, bit)));
		adze_tensor in = f_ge(r->z, over_row(r, float_of(more)));
		adze_tensor sum = (adze_sum)((adze_select)(in, amount, f_num(amount, 0)), "-1");
		t = (adze_select)(f_ge(sum, enough), more, t);
	}
	return float_of(t);
}

/* -infinity for smaller logits, where `all` of a row is not set. */
static void drop(struct sample *r, adze_tensor least, adze_tensor all)
{
	least = (adze_select)(all, f_num(least, -INFINITY), least);
	r->z = (adze_select)(f_ge(r->z, over_row(r, least)), r->z, f_num(r->z, -INFINITY));
}

static void keep_top_k(struct sample *r, adze_tensor top_k)
{
	adze_tensor k = setting(r, top_k, ADZE_I32);
	const struct ir_dims nothing = {.n = 0};
	/* f32 counts exactly up to 2^24 logits. */
	adze_tensor one = form_spread(&r->op, (adze_scalar)(r->op.graph, ADZE_F32, 1), &r->s,
				      &nothing);
	drop(r, smallest_of(r, one, (adze_convert)(k, ADZE_F32)), f_le(k, f_num(k, 0)));
}

/* exp(z - the largest). */
static adze_tensor shares(struct sample *r)
{
	return f_exp(f_sub(r->z, over_row(r, (adze_maximum)(r->z, "-1"))));
}

static void keep_top_p(struct sample *r, adze_tensor top_p)
{
	adze_tensor p = setting(r, top_p, ADZE_F32), share = shares(r);
	adze_tensor enough = f_mul(p, (adze_sum)(share, "-1"));
	drop(r, smallest_of(r, share, enough), f_ge(p, f_num(p, 1)));
}

static void keep_min_p(struct sample *r, adze_tensor min_p)
{
	adze_tensor p = over_row(r, setting(r, min_p, ADZE_F32));
	r->z = (adze_select)(f_ge(shares(r), p), r->z, f_num(r->z, -INFINITY));
}

/* Temperature and what is kept; *warm is whether a row's temperature is not 0, if it has one. */
static void filter(struct sample *r, const adze_sample_options *with, adze_tensor *warm)
{
	*warm = form_of(&r->op, 0);
	if (adze_is(with->temperature)) {
		adze_tensor t = setting(r, with->temperature, ADZE_F32);
		*warm = f_gt(t, f_num(t, 0));
		r->z = f_div(r->z, over_row(r, (adze_select)(*warm, t, f_num(t, 1))));
	}
	if (adze_is(with->top_k))
		keep_top_k(r, with->top_k);
	if (adze_is(with->top_p))
		keep_top_p(r, with->top_p);
	if (adze_is(with->min_p))
		keep_min_p(r, with->min_p);
}

adze_tensor(adze_nn_sample_filter)(adze_tensor logits, const adze_sample_options *options)
{
	struct sample r;
	adze_tensor warm;
	if (!begin(&r, "nn_sample_filter", logits))
		return form_end(&r.op, form_of(&r.op, 0));
	if (options != NULL)
		filter(&r, options, &warm);
	adze_shape as = adze_tensor_shape(logits);
	return form_end(&r.op, form_reshape(&r.op, r.z, &as));
}

/* ---- chance ---- */

static adze_tensor rotate(adze_tensor x, int by)
{
	return f_or(f_shl(x, f_num(x, by)), f_ushr(x, f_num(x, 32 - by)));
}

/* Threefry-2x32 of 20 rounds (Salmon et al., SC 2011): the first word; all i32, whose bits
 * alone count, of one shape. */
static adze_tensor threefry(const adze_tensor key[2], adze_tensor a, adze_tensor b)
{
	static const int turn[8] = {13, 15, 26, 6, 17, 29, 16, 24};
	const adze_tensor k[3] = {
		key[0], key[1], f_xor(f_xor(key[0], key[1]), f_num(key[0], 0x1BD11BDA))};
	a = f_add(a, k[0]);
	b = f_add(b, k[1]);
	for (int round = 0; round < 20; round++) {
		a = f_add(a, b);
		b = f_xor(rotate(b, turn[round % 8]), a);
		if (round % 4 != 3)
			continue;
		int n = round / 4 + 1;
		a = f_add(a, k[n % 3]);
		b = f_add(f_add(b, k[(n + 1) % 3]), f_num(b, n));
	}
	return a;
}

/* The low bits of u64, [..], as i32 over the rows. */
static adze_tensor bits_over_row(struct sample *r, adze_tensor v)
{
	return over_row(r, (adze_bitcast)((adze_convert)(v, ADZE_U32), ADZE_I32));
}

/* Numbers of Gumbel's distribution, [.., v], from seed, step and token alone. */
static adze_tensor gumbel(struct sample *r, const adze_sample_options *with)
{
	const adze_shape row = {.dtype = ADZE_I32, .rank = 1, .dim = {r->s.dim[r->row.rank]}};
	const struct ir_dims last = {.n = 1, .at = {r->row.rank}};
	adze_tensor seed = setting(r, with->seed, ADZE_U64), step = form_of(&r->op, 0);
	adze_tensor low = f_and(seed, f_num(seed, 4294967295.0));
	const adze_tensor key[2] = {bits_over_row(r, low),
				    bits_over_row(r, f_ushr(seed, f_num(seed, 32)))};
	adze_tensor token = form_iota(&r->op, &row, ADZE_I32, 0);
	token = form_spread(&r->op, token, &r->s, &last);
	if (adze_is(with->step))
		step = bits_over_row(r, setting(r, with->step, ADZE_U64));
	else
		step = f_sub(token, token);
	adze_tensor bits = threefry(key, token, step);
	/* 23 bits and a half: never 0 nor 1. */
	adze_tensor u = (adze_convert)(f_ushr(bits, f_num(bits, 9)), ADZE_F32);
	u = f_scale(f_shift(u, 0.5), ldexp(1, -23));
	return f_neg(f_log(f_neg(f_log(u))));
}

adze_tensor(adze_nn_sample)(adze_tensor logits, const adze_sample_options *options)
{
	struct sample r;
	adze_tensor warm;
	if (!begin(&r, "nn_sample", logits))
		return form_end(&r.op, form_of(&r.op, 0));
	if (options != NULL && adze_is(options->seed)) {
		filter(&r, options, &warm);
		adze_tensor g = gumbel(&r, options);
		if (adze_is(warm))
			g = (adze_select)(over_row(&r, warm), g, f_num(g, 0));
		r.z = f_add(r.z, g);
	}
	adze_shape as = adze_tensor_shape(logits);
	as.rank--;
	return form_end(&r.op, form_reshape(&r.op, (adze_argmax)(r.z, "-1"), &as));
}
