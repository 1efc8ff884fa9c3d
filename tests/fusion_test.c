/* SPDX-License-Identifier: Apache-2.0
 *
 * What fusion makes of layers as src/nn builds them: no copies, and no group that another could
 * have taken in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/report.h"
#include "tests/api_fixture.h"

#define HEADS 8
#define KV_HEADS 2
#define WIDTH 64 /* of a head */

static adze_tensor weight(adze_graph *g, const char *name, const char *dims)
{
	return adze_weight(g, name, ADZE_F32, dims);
}

static struct adze_nn_linear linear(adze_graph *g, const char *name, int64_t out, int64_t in,
				    bool bias)
{
	char text[64], dims[64];
	struct adze_nn_linear l = {.bias = {0}};
	snprintf(text, sizeof text, "%s.weight", name);
	snprintf(dims, sizeof dims, "%lld %lld", (long long)out, (long long)in);
	l.weight = weight(g, text, dims);
	snprintf(text, sizeof text, "%s.bias", name);
	snprintf(dims, sizeof dims, "%lld", (long long)out);
	if (bias)
		l.bias = weight(g, text, dims);
	return l;
}

/* [tokens, heads * width] to [heads, tokens, width]. */
static adze_tensor split(adze_tensor x, const char *dims)
{
	return adze_transpose(adze_reshape(x, dims), "1 0 2");
}

/* A layer of Llama over a cache of 256 places, for `tokens` at once. */
static void llama(adze_graph *g, const char *tokens)
{
	const int64_t d = HEADS * WIDTH, kv = KV_HEADS * WIDTH, ffn = 1408;
	char dims[128];
	snprintf(dims, sizeof dims, "%s %lld", tokens, (long long)d);
	adze_tensor x = adze_input(g, "x", ADZE_F32, dims);
	snprintf(dims, sizeof dims, "%s", tokens);
	adze_tensor places = adze_input(g, "places", ADZE_I32, dims);
	adze_tensor first = adze_input(g, "first", ADZE_I32, "");
	snprintf(dims, sizeof dims, "%d 256 %d", KV_HEADS, WIDTH);
	snprintf(dims, sizeof dims, "%d 256 %d", KV_HEADS, WIDTH);
	adze_tensor keys = adze_input(g, "keys", ADZE_F32, dims);
	adze_tensor values = adze_input(g, "values", ADZE_F32, dims);
	struct adze_nn_norm before = {weight(g, "norm1", "512"), {0}};
	struct adze_nn_norm between = {weight(g, "norm2", "512"), {0}};
	adze_tensor h = adze_nn_rms_norm(before, x, 1e-5);
	adze_tensor q = adze_nn_linear(linear(g, "q", d, d, false), h);
	adze_tensor k = adze_nn_linear(linear(g, "k", kv, d, false), h);
	adze_tensor v = adze_nn_linear(linear(g, "v", kv, d, false), h);
	char q_dims[64], kv_dims[64];
	snprintf(q_dims, sizeof q_dims, "%s %d %d", tokens, HEADS, WIDTH);
	snprintf(kv_dims, sizeof kv_dims, "%s %d %d", tokens, KV_HEADS, WIDTH);
	adze_rope_options rope = {.base = 10000};
	q = adze_rope(split(q, q_dims), places, "1", &rope);
	k = adze_rope(split(k, kv_dims), places, "1", &rope);
	v = split(v, kv_dims);
	keys = adze_dynamic_update(keys, k, "1", first);
	values = adze_dynamic_update(values, v, "1", first);
	adze_attention_options with = {.causal = true, .first = first};
	adze_tensor y = adze_attention(q, keys, values, &with);
	snprintf(dims, sizeof dims, "%s %lld", tokens, (long long)d);
	y = adze_reshape(adze_transpose(y, "1 0 2"), dims);
	x = adze_add(x, adze_nn_linear(linear(g, "o", d, d, false), y));
	struct adze_nn_mlp mlp = {linear(g, "gate", ffn, d, false), linear(g, "up", ffn, d, false),
				  linear(g, "down", d, ffn, false)};
	y = adze_nn_mlp(mlp, adze_nn_rms_norm(between, x, 1e-5), "silu");
	adze_output(adze_add(x, y), "y");
	adze_output(keys, "keys");
	adze_output(values, "values");
}

static void decode(adze_graph *g)
{
	llama(g, "1");
}

static void prefill(adze_graph *g)
{
	llama(g, "128");
}

/* A layer of MiniLM: [batch, tokens, 384]. */
static void minilm(adze_graph *g)
{
	adze_tensor x = adze_input(g, "x", ADZE_F32, "2 128 384");
	adze_tensor mask = adze_input(g, "mask", ADZE_BOOL, "2 1 1 128");
	adze_tensor q = adze_nn_linear(linear(g, "q", 384, 384, true), x);
	adze_tensor k = adze_nn_linear(linear(g, "k", 384, 384, true), x);
	adze_tensor v = adze_nn_linear(linear(g, "v", 384, 384, true), x);
	q = adze_transpose(adze_reshape(q, "2 128 12 32"), "0 2 1 3");
	k = adze_transpose(adze_reshape(k, "2 128 12 32"), "0 2 1 3");
	v = adze_transpose(adze_reshape(v, "2 128 12 32"), "0 2 1 3");
	adze_attention_options with = {.mask = mask};
	adze_tensor y = adze_attention(q, k, v, &with);
	y = adze_reshape(adze_transpose(y, "0 2 1 3"), "2 128 384");
	struct adze_nn_norm first = {weight(g, "n1.weight", "384"), weight(g, "n1.bias", "384")};
	struct adze_nn_norm second = {weight(g, "n2.weight", "384"), weight(g, "n2.bias", "384")};
	y = adze_nn_linear(linear(g, "o", 384, 384, true), y);
	x = adze_nn_layer_norm(first, adze_add(x, y), 1e-12);
	y = adze_nn_linear(linear(g, "up", 1536, 384, true), x);
	y = adze_nn_activation(y, "gelu");
	y = adze_nn_linear(linear(g, "down", 384, 1536, true), y);
	adze_output(adze_nn_layer_norm(second, adze_add(x, y), 1e-12), "y");
}

static adze_tensor conv_norm(adze_graph *g, adze_tensor x, const char *name, const char *dims,
			     const char *channels, int64_t pad)
{
	static const char *const part[] = {"weight", "bias", "mean", "var"};
	char text[64];
	adze_tensor t[4];
	snprintf(text, sizeof text, "%s.conv", name);
	struct adze_nn_conv c = {weight(g, text, dims), {0}};
	for (int i = 0; i < 4; i++) {
		snprintf(text, sizeof text, "%s.%s", name, part[i]);
		t[i] = weight(g, text, channels);
	}
	struct adze_nn_batch_norm norm = {t[0], t[1], t[2], t[3]};
	adze_window3 w = {.low = {pad, pad}, .high = {pad, pad}};
	return adze_nn_batch_norm(norm, adze_nn_conv(c, x, &w), 1e-5);
}

/* A bottleneck of resnet50. */
static void resnet(adze_graph *g)
{
	adze_tensor x = adze_input(g, "x", ADZE_F32, "1 256 56 56");
	adze_tensor y = adze_relu(conv_norm(g, x, "a", "64 256 1 1", "64", 0));
	y = adze_relu(conv_norm(g, y, "b", "64 64 3 3", "64", 1));
	y = conv_norm(g, y, "c", "256 64 1 1", "256", 0);
	adze_output(adze_relu(adze_add(x, y)), "y");
}

/* The groups that passes make of it, and of these the copies of views. */
static void check_layer(void (*build)(adze_graph *g), size_t groups, size_t copies)
{
	struct life l;
	struct ir_pass_options options = {.until = STAGE_PLANNED, .narrow_products = true};
	struct diag d = {ADZE_OK, ""};
	struct ir_report r;
	struct arena scratch;
	adze_graph *g;
	struct text text;
	size_t copied = 0;
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "layer", &g));
	build(g);
	CHECK_MSG(adze_graph_status(g) == ADZE_OK, "%s", adze_graph_words(g));
	CHECK_MSG(ir_run_passes(&g, &options, &d) == ADZE_OK, "%s", d.text);
	arena_init(&scratch, &mem_libc);
	CHECK(ir_report_fill(g, &scratch, &r));
	text_init(&text, &mem_libc);
	ir_report_print(g, &text);
	CHECK(!text.failed);
	for (size_t i = 0; i < r.ngroup; i++) {
		ir_val root = r.group[i].group->root;
		copied += root != 0 && ir_class(g, root) == CLASS_VIEW;
		for (size_t k = 0; k < r.group[i].nedge; k++)
			CHECK(r.group[i].edge[k].why > REASON_NONE);
	}
	CHECK_MSG(r.ngroup == groups && copied == copies,
		  "%zu groups, not %zu; %zu copies, not %zu\n%s", r.ngroup, groups, copied, copies,
		  text.at);
	text_fini(&text);
	arena_fini(&scratch);
	adze_graph_destroy(g);
	life_end(&l);
}

TEST(fusion, llama_decode)
{
	check_layer(decode, 24, 0);
}

TEST(fusion, llama_prefill)
{
	check_layer(prefill, 23, 0);
}

TEST(fusion, minilm)
{
	check_layer(minilm, 11, 0);
}

TEST(fusion, resnet)
{
	check_layer(resnet, 3, 0);
}
