/* SPDX-License-Identifier: Apache-2.0
 *
 * A layer of gated delta nets as Qwen3.5 has it: projections, a causal convolution of queries,
 * keys and values, the delta rule, a norm with a gate.
 */
#include <math.h>
#include <string.h>

#include "nn/nn_parts.h"

struct net {
	struct tensor_op op;
	struct adze_nn_gated_delta_net l;
	adze_dim n, s;
	int64_t key_heads, heads, d, e; /* widths of keys and values */
};

/* Extent `axis` of a weight; -1 where it has not so many. */
static int64_t extent(const struct net *r, adze_tensor w, int rank, int axis)
{
	const adze_shape *s = tensor_type(&r->op, w.id);
	return s->rank == rank && dim_is_static(&s->dim[axis]) ? s->dim[axis].size : -1;
}

static bool begin(struct net *r, adze_tensor x, const adze_gated_delta_options *with)
{
	const adze_tensor all[4] = {r->l.in_proj_qkv.weight, r->l.in_proj_z.weight,
				    r->l.conv1d.weight, r->l.A_log};
	r->op = nn_begin("nn_gated_delta_net", x, all, 4, NULL, 0);
	if (!r->op.ok)
		return false;
	const adze_shape *t = tensor_type(&r->op, x.id);
	int64_t all_widths = extent(r, all[0], 2, 0), values = extent(r, all[1], 2, 0);
	r->key_heads = with != NULL ? with->key_heads : 0;
	r->heads = extent(r, all[3], 1, 0);
	int64_t keys = (all_widths - values) / 2;
	if (t->rank != 3)
		form_refuse(&r->op, x, "it takes [n, s, d]");
	else if (r->key_heads < 1 || r->heads < 1 || values < 1 || keys < 1 ||
		 keys % r->key_heads != 0 || values % r->heads != 0 ||
		 (all_widths - values) % 2 != 0)
		tensor_fail(&r->op, ADZE_E_TYPE, "projections to %lld and %lld are not of %lld "
						 "key heads and %lld value heads",
			    (long long)all_widths, (long long)values, (long long)r->key_heads,
			    (long long)r->heads);
	if (!r->op.ok)
		return false;
	r->n = t->dim[0];
	r->s = t->dim[1];
	r->d = keys / r->key_heads;
	r->e = values / r->heads;
	return true;
}

/* Columns from .. of [n, s, c] as [n, heads, s, width]. */
static adze_tensor split(struct net *r, adze_tensor x, int64_t from, int64_t heads, int64_t width)
{
	const adze_shape to = {.rank = 4,
			       .dim = {r->n, r->s, dim_make(heads), dim_make(width)}};
	x = (adze_slice)(x, "-1", from, from + heads * width, 1);
	x = form_reshape(&r->op, x, &to);
	return adze_is(x) ? (adze_transpose)(x, "0 2 1 3") : x;
}

static adze_tensor zeros(struct net *r)
{
	const struct ir_dims none = {.n = 0};
	const adze_shape to = {.rank = 4, .dim = {r->n, dim_make(r->heads), dim_make(r->d),
						  dim_make(r->e)}};
	return form_spread(&r->op, (adze_scalar)(r->op.graph, ADZE_F32, 0), &to, &none);
}

/* norm(y) silu(z), y [n, heads, s, e], z [n, s, heads e]: as z. */
static adze_tensor gated_norm(struct net *r, adze_tensor y, adze_tensor z, double eps)
{
	const adze_shape s = adze_tensor_shape(z);
	const adze_shape wide = {.rank = 4, .dim = {r->n, r->s, dim_make(r->heads),
						    dim_make(r->e)}};
	if (!adze_is(y) || !adze_is(z))
		return form_of(&r->op, 0);
	y = (adze_nn_rms_norm)(r->l.norm, (adze_transpose)(y, "0 2 1 3"), eps);
	adze_tensor gate = f_silu(form_wide(form_reshape(&r->op, z, &wide)));
	y = (adze_convert)(f_mul(form_wide(y), gate), s.dtype);
	return form_reshape(&r->op, y, &s);
}

adze_tensor(adze_nn_gated_delta_net)(struct adze_nn_gated_delta_net l, adze_tensor x,
				     adze_tensor conv_state, adze_tensor state,
				     const adze_gated_delta_options *options,
				     adze_tensor *next_conv_state, adze_tensor *next_state)
{
	struct net r = {.l = l};
	adze_tensor y = form_of(&r.op, 0), last = {x.graph, 0, 0, NULL}, mixed;
	if (next_conv_state != NULL)
		*next_conv_state = last;
	if (next_state != NULL)
		*next_state = last;
	if (!begin(&r, x, options))
		return form_end(&r.op, last);
	mixed = (adze_nn_linear)(l.in_proj_qkv, x);
	if (adze_is(mixed))
		mixed = (adze_transpose)(mixed, "0 2 1");
	mixed = (adze_nn_causal_conv)(l.conv1d, mixed, conv_state, next_conv_state);
	if (adze_is(mixed))
		mixed = (adze_transpose)(f_silu(mixed), "0 2 1");
	adze_tensor z = (adze_nn_linear)(l.in_proj_z, x);
	adze_tensor beta = f_logistic((adze_nn_linear)(l.in_proj_b, x));
	adze_tensor g = (adze_nn_delta_decay)((adze_nn_linear)(l.in_proj_a, x), l.A_log, l.dt_bias);
	if (adze_is(mixed) && adze_is(g) && adze_is(beta)) {
		const adze_delta_options with = {.normalize = true, .chunk = options->chunk};
		int64_t keys = r.key_heads * r.d;
		y = (adze_nn_delta_rule)(split(&r, mixed, 0, r.key_heads, r.d),
					 split(&r, mixed, keys, r.key_heads, r.d),
					 split(&r, mixed, 2 * keys, r.heads, r.e),
					 (adze_transpose)(g, "0 2 1"),
					 (adze_transpose)(beta, "0 2 1"),
					 adze_is(state) ? state : zeros(&r), &with, &last);
	}
	y = gated_norm(&r, y, z, options->eps);
	y = form_end(&r.op, (adze_nn_linear)(l.out_proj, y));
	if (next_state != NULL)
		*next_state = adze_is(y) ? last : y;
	return y;
}
