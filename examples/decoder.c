/* SPDX-License-Identifier: Apache-2.0
 *
 * A small transformer that decodes: rotary positions, grouped attention over a cache of keys and
 * values that lives from call to call, a gated MLP, a sampler with a seed. Its weights are
 * random, so what it says means nothing; it says the same each time.
 *     cc decoder.c $(pkg-config --cflags --libs adze) -o decoder
 */
#include <adze.h>
#include <stdio.h>
#include <stdlib.h>

/* 256 tokens, width 64, 4 heads of 16 that share 2 of keys and values, 32 places. */
#define LAYERS 2

#define LAYER(T, O, S, L)                                                               \
	S(adze_nn_norm, norm1) S(adze_nn_linear, q) S(adze_nn_linear, k) S(adze_nn_linear, v) \
	S(adze_nn_linear, o) S(adze_nn_norm, norm2) S(adze_nn_mlp, mlp)
ADZE_STRUCT(layer, LAYER);

/* [1, heads * 16] as [heads, 1, 16]. */
static adze_tensor heads(adze_tensor x, const char *dims)
{
	return adze_transpose(adze_reshape(x, dims), "h s d");
}

/* One token's x [1, 64] at `place`; the caches [2, 32, 16] become those with its key and value. */
static adze_tensor run_layer(struct layer l, adze_tensor x, adze_tensor place, adze_tensor cache[2])
{
	adze_tensor h = adze_nn_rms_norm(l.norm1, x, 1e-6), places = adze_reshape(place, "s=1");
	adze_tensor q = heads(adze_nn_linear(l.q, h), "s=1 h=4 d=16");
	adze_tensor k = heads(adze_nn_linear(l.k, h), "s=1 h=2 d=16");
	adze_tensor v = heads(adze_nn_linear(l.v, h), "s=1 h=2 d=16");
	q = adze_rope(q, places, "s", NULL);
	k = adze_rope(k, places, "s", NULL);
	cache[0] = adze_dynamic_update(cache[0], k, "s", place);
	cache[1] = adze_dynamic_update(cache[1], v, "s", place);
	adze_attention_options causal = {.causal = true, .first = place};
	h = adze_attention(q, cache[0], cache[1], &causal);
	h = adze_reshape(adze_transpose(h, "1 0 2"), "1 64");
	x = adze_add(x, adze_nn_linear(l.o, h));
	return adze_add(x, adze_nn_mlp(l.mlp, adze_nn_rms_norm(l.norm2, x, 1e-6), "silu"));
}

/* A weight by the name of its layer, so that a store could hold it. */
static adze_tensor weight(adze_graph *g, int layer, const char *name, const char *dims)
{
	char full[64];
	snprintf(full, sizeof full, "layers.%d.%s.weight", layer, name);
	return adze_weight(g, full, ADZE_F32, dims);
}

static struct layer make_layer(adze_graph *g, int i)
{
	struct layer l = {.norm1 = {.weight = weight(g, i, "norm1", "64")}};
	l.norm2.weight = weight(g, i, "norm2", "64");
	l.q.weight = weight(g, i, "q", "64 64");
	l.k.weight = weight(g, i, "k", "32 64");
	l.v.weight = weight(g, i, "v", "32 64");
	l.o.weight = weight(g, i, "o", "64 64");
	l.mlp.gate_proj.weight = weight(g, i, "mlp.gate_proj", "128 64");
	l.mlp.up_proj.weight = weight(g, i, "mlp.up_proj", "128 64");
	l.mlp.down_proj.weight = weight(g, i, "mlp.down_proj", "64 128");
	return l;
}

/* Inputs token, place, then the caches; results the next token, then the caches. */
static void build(adze_graph *g)
{
	adze_tensor token = adze_input(g, "token", ADZE_I32, "1");
	adze_tensor place = adze_input(g, "place", ADZE_I32, ""), cache[LAYERS][2];
	struct adze_nn_embedding embed = {adze_weight(g, "embed.weight", ADZE_F32, "256 64")};
	adze_tensor x = adze_nn_embedding(embed, token);
	char name[2][16];
	for (int i = 0; i < LAYERS; i++)
		for (int k = 0; k < 2; k++) {
			snprintf(name[k], sizeof name[k], "%s%d", k ? "values" : "keys", i);
			cache[i][k] = adze_input(g, name[k], ADZE_F32, "h=2 s=32 d=16");
		}
	for (int i = 0; i < LAYERS; i++)
		x = run_layer(make_layer(g, i), x, place, cache[i]);
	struct adze_nn_linear head = {.weight = embed.weight};
	adze_sample_options with = {.seed = adze_scalar(g, ADZE_I32, 2026), .step = place,
				    .temperature = adze_scalar(g, ADZE_F32, 2),
				    .top_p = adze_scalar(g, ADZE_F32, 0.9)};
	adze_output(adze_nn_sample(adze_nn_linear(head, x), &with), "next");
	for (int i = 0; i < LAYERS; i++)
		for (int k = 0; k < 2; k++) {
			snprintf(name[k], sizeof name[k], "%s%d", k ? "values" : "keys", i);
			adze_output(cache[i][k], name[k]);
		}
}

/* A buffer for input or weight `i`: zeros, or random from -1/2 to 1/2. */
static int make(adze_context *c, adze_device *cpu, adze_exe *exe, adze_role role, size_t i,
		adze_buffer **out)
{
	adze_shape shape;
	adze_host_buffer *host;
	if (!adze_exe_value(exe, role, i, NULL, &shape) ||
	    adze_host_buffer_create(c, &shape, &host))
		return 1;
	float *v = adze_host_buffer_data(host);
	for (int64_t k = 0; role == ADZE_ROLE_WEIGHT && k < adze_shape_count(&shape); k++)
		v[k] = (float)(rand() / (double)RAND_MAX - 0.5);
	int failed = adze_copy_in(cpu, host, out);
	adze_host_buffer_destroy(host);
	return failed;
}

int main(void)
{
	char words[512];
	adze_context *c = NULL;
	adze_device *cpu = NULL;
	adze_graph *g = NULL;
	adze_exe *exe = NULL;
	adze_module *m = NULL;
	adze_buffer *weights[64], *in[2 + 2 * LAYERS], *out[1 + 2 * LAYERS];
	if (adze_context_create(NULL, &c) || adze_graph_create(c, "decoder", &g))
		return 1;
	build(g);
	int failed = adze_device_open(c, "cpu", &cpu) || adze_compile(cpu, g, &exe);
	size_t n = failed ? 0 : adze_exe_count(exe, ADZE_ROLE_WEIGHT);
	for (size_t i = 0; i < n && !failed; i++)
		failed = make(c, cpu, exe, ADZE_ROLE_WEIGHT, i, &weights[i]);
	for (size_t i = 0; i < 2 + 2 * LAYERS && !failed; i++)
		failed = make(c, cpu, exe, ADZE_ROLE_INPUT, i, &in[i]);
	failed = failed || adze_bind(exe, weights, n, &m);
	printf("tokens:");
	for (int place = 0; place < 16 && !failed; place++) {
		*(int32_t *)adze_buffer_data(in[1]) = place;
		for (int i = 0; i < 2 * LAYERS; i++)
			out[1 + i] = in[2 + i];
		out[0] = NULL;
		failed = adze_call(m, in, 2 + 2 * LAYERS, out, 1 + 2 * LAYERS, NULL);
		if (!failed) {
			adze_buffer_destroy(in[0]);
			in[0] = out[0]; /* the token is the next call's input */
			printf(" %d", (int)*(int32_t *)adze_buffer_data(in[0]));
		}
	}
	printf("\n");
	if (failed)
		fprintf(stderr, "%s\n", adze_context_words(c, words, sizeof words));
	return failed; /* the system takes the memory back; digits.c shows the destroy functions */
}
