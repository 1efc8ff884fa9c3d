/* SPDX-License-Identifier: Apache-2.0
 *
 * Llama (arXiv:2302.13971) with grouped heads and a cache of keys and values.
 */
#include "bench/nets.h"

#include <stdio.h>

#define ATTENTION(T, O, S, L) \
	S(adze_nn_linear, q_proj) S(adze_nn_linear, k_proj) S(adze_nn_linear, v_proj) \
	S(adze_nn_linear, o_proj)
ADZE_STRUCT(attention, ATTENTION);
#define LAYER(T, O, S, L)                                                  \
	S(adze_nn_norm, input_layernorm) S(attention, self_attn)           \
	S(adze_nn_norm, post_attention_layernorm) S(adze_nn_mlp, mlp)
ADZE_STRUCT(layer, LAYER);

enum { NAME = 96 };

/* A weight [out, in] of an element type, or the bytes of a block format. */
static adze_tensor matrix(adze_graph *g, const char *name, const char *type, int out, int in)
{
	char dims[NAME];
	size_t packed = adze_block_bytes(type, (size_t)in);
	snprintf(dims, sizeof dims, "%d %d", out, packed > 0 ? (int)packed : in);
	return adze_weight(g, name, packed > 0 ? ADZE_U8 : adze_dtype_find(type), dims);
}

static struct adze_nn_linear linear(adze_graph *g, const char *name, const char *type, int out,
				    int in)
{
	adze_tensor w = matrix(g, name, type, out, in);
	bool packed = adze_block_bytes(type, (size_t)in) > 0;
	return (struct adze_nn_linear){.weight = packed ? adze_nn_packed(w, type) : w};
}

static struct adze_nn_linear part(adze_graph *g, int layer, const char *name, const char *type,
				  int out, int in)
{
	char full[2 * NAME];
	snprintf(full, sizeof full, "model.layers.%d.%s.weight", layer, name);
	return linear(g, full, type, out, in);
}

static struct adze_nn_norm norm(adze_graph *g, int layer, const char *name, int dim)
{
	char full[2 * NAME], dims[NAME];
	snprintf(full, sizeof full, "model.layers.%d.%s.weight", layer, name);
	snprintf(dims, sizeof dims, "%d", dim);
	return (struct adze_nn_norm){.weight = adze_weight(g, full, ADZE_F32, dims)};
}

static struct layer make_layer(adze_graph *g, const struct llama_shape *s, const char *t,
			       int i)
{
	int kv = s->dim / s->heads * s->kv_heads;
	struct layer l = {.input_layernorm = norm(g, i, "input_layernorm", s->dim)};
	l.self_attn.q_proj = part(g, i, "self_attn.q_proj", t, s->dim, s->dim);
	l.self_attn.k_proj = part(g, i, "self_attn.k_proj", t, kv, s->dim);
	l.self_attn.v_proj = part(g, i, "self_attn.v_proj", t, kv, s->dim);
	l.self_attn.o_proj = part(g, i, "self_attn.o_proj", t, s->dim, s->dim);
	l.post_attention_layernorm = norm(g, i, "post_attention_layernorm", s->dim);
	l.mlp.gate_proj = part(g, i, "mlp.gate_proj", t, s->ffn, s->dim);
	l.mlp.up_proj = part(g, i, "mlp.up_proj", t, s->ffn, s->dim);
	l.mlp.down_proj = part(g, i, "mlp.down_proj", t, s->dim, s->ffn);
	return l;
}

/* Where the tokens of a call stand: the first, and all of them. */
struct places {
	adze_tensor first, all;
};

/* [s, heads * width] as [heads, s, width]. */
static adze_tensor split(adze_tensor x, int heads, int width)
{
	char dims[NAME];
	snprintf(dims, sizeof dims, "s=? h=%d d=%d", heads, width);
	return adze_transpose(adze_reshape(x, dims), "h s d");
}

static adze_tensor attend(struct attention l, const struct llama_shape *s, adze_tensor x,
			  struct places at, adze_tensor cache[2])
{
	int width = s->dim / s->heads;
	char dims[NAME];
	adze_tensor q = split(adze_nn_linear(l.q_proj, x), s->heads, width);
	adze_tensor k = split(adze_nn_linear(l.k_proj, x), s->kv_heads, width);
	adze_tensor v = split(adze_nn_linear(l.v_proj, x), s->kv_heads, width);
	q = adze_rope(q, at.all, "s", NULL);
	k = adze_rope(k, at.all, "s", NULL);
	cache[0] = adze_dynamic_update(cache[0], k, "t", at.first);
	cache[1] = adze_dynamic_update(cache[1], v, "t", at.first);
	adze_attention_options causal = {.causal = true, .first = at.first};
	adze_tensor y = adze_attention(q, cache[0], cache[1], &causal);
	snprintf(dims, sizeof dims, "s=? d=%d", s->dim);
	return adze_nn_linear(l.o_proj, adze_reshape(adze_transpose(y, "1 0 2"), dims));
}

static adze_tensor run_layer(struct layer l, const struct llama_shape *s, adze_tensor x,
			     struct places at, adze_tensor cache[2])
{
	adze_tensor y = adze_nn_rms_norm(l.input_layernorm, x, 1e-5);
	x = adze_add(x, attend(l.self_attn, s, y, at, cache));
	y = adze_nn_rms_norm(l.post_attention_layernorm, x, 1e-5);
	return adze_add(x, adze_nn_mlp(l.mlp, y, "silu"));
}

/* Rows of a table, as f32. */
static adze_tensor embed(adze_tensor table, const char *type, adze_tensor tokens)
{
	adze_tensor rows = adze_nn_embedding((struct adze_nn_embedding){table}, tokens);
	return adze_tensor_shape(table).dtype == ADZE_U8 ? adze_dequantize_blocks(rows, type)
							 : adze_convert(rows, ADZE_F32);
}

void llama_build(adze_graph *g, const struct llama_shape *s, const char *weights,
		 const char *tokens)
{
	static const char *const kind[2] = {"keys", "values"};
	char name[NAME], dims[NAME];
	adze_tensor table = matrix(g, "model.embed_tokens.weight", weights, s->vocab, s->dim);
	adze_tensor x = embed(table, weights, adze_input(g, "tokens", ADZE_I32, tokens));
	struct places at = {.first = adze_input(g, "place", ADZE_I32, "")};
	at.all = adze_add(adze_iota(g, ADZE_I32, tokens, "s"), at.first);
	snprintf(dims, sizeof dims, "h=%d t=%d d=%d", s->kv_heads, s->places, s->dim / s->heads);
	for (int i = 0; i < s->layers; i++) {
		adze_tensor cache[2];
		for (int k = 0; k < 2; k++) {
			snprintf(name, sizeof name, "%s%d", kind[k], i);
			cache[k] = adze_input(g, name, ADZE_F32, dims);
		}
		x = run_layer(make_layer(g, s, weights, i), s, x, at, cache);
		for (int k = 0; k < 2; k++) {
			snprintf(name, sizeof name, "%s%d", kind[k], i);
			adze_output(cache[k], name);
		}
	}
	/* The head is of the last token alone. */
	adze_tensor last = adze_sub(adze_extent(x, "0"), adze_scalar(g, ADZE_I32, 1));
	snprintf(dims, sizeof dims, "%d", s->dim);
	struct adze_nn_norm norm = {.weight = adze_weight(g, "model.norm.weight", ADZE_F32, dims)};
	x = adze_nn_rms_norm(norm, adze_take(x, adze_reshape(last, "1"), "0"), 1e-5);
	struct adze_nn_linear head = linear(g, "lm_head.weight", weights, s->vocab, s->dim);
	adze_output(adze_nn_linear(head, x), "logits");
}
