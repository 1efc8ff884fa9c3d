/* SPDX-License-Identifier: Apache-2.0
 *
 * BERT (arXiv:1810.04805) that ends in the mean of its rows, as sentence embeddings do.
 */
#include "bench/nets.h"

#include <stdio.h>

enum { NAME = 96 };

static adze_tensor weight(adze_graph *g, const char *name, const char *kind, int rows, int columns)
{
	char full[2 * NAME], dims[NAME];
	snprintf(full, sizeof full, "%s.%s", name, kind);
	snprintf(dims, sizeof dims, columns > 0 ? "%d %d" : "%d", rows, columns);
	return adze_weight(g, full, ADZE_F32, dims);
}

/* The name of a part of a layer; `layer` -1: of the embeddings. */
static const char *name_part(char name[NAME], int layer, const char *part)
{
	if (layer < 0)
		snprintf(name, NAME, "embeddings.%s", part);
	else
		snprintf(name, NAME, "encoder.layer.%d.%s", layer, part);
	return name;
}

static adze_tensor linear(adze_tensor x, int layer, const char *part, int out, int in)
{
	char name[NAME];
	name_part(name, layer, part);
	struct adze_nn_linear l = {.weight = weight(x.graph, name, "weight", out, in),
				   .bias = weight(x.graph, name, "bias", out, 0)};
	return adze_nn_linear(l, x);
}

static adze_tensor norm(adze_tensor x, int layer, const char *part, int dim)
{
	char name[NAME];
	name_part(name, layer, part);
	struct adze_nn_norm l = {.weight = weight(x.graph, name, "weight", dim, 0),
				 .bias = weight(x.graph, name, "bias", dim, 0)};
	return adze_nn_layer_norm(l, x, 1e-12);
}

static adze_tensor table(adze_graph *g, const char *part, int rows, int dim)
{
	char name[NAME];
	return weight(g, name_part(name, -1, part), "weight", rows, dim);
}

static adze_tensor heads(adze_tensor x, const struct bert_shape *s, int batch, int length)
{
	char dims[NAME];
	snprintf(dims, sizeof dims, "n=%d s=%d h=%d d=%d", batch, length, s->heads,
		 s->dim / s->heads);
	return adze_transpose(adze_reshape(x, dims), "n h s d");
}

static adze_tensor attend(adze_tensor x, const struct bert_shape *s, int i, int batch, int length)
{
	char dims[NAME];
	adze_tensor q = linear(x, i, "attention.self.query", s->dim, s->dim);
	adze_tensor k = linear(x, i, "attention.self.key", s->dim, s->dim);
	adze_tensor v = linear(x, i, "attention.self.value", s->dim, s->dim);
	adze_tensor y = adze_attention(heads(q, s, batch, length), heads(k, s, batch, length),
				       heads(v, s, batch, length), NULL);
	snprintf(dims, sizeof dims, "n=%d s=%d d=%d", batch, length, s->dim);
	y = adze_reshape(adze_transpose(y, "0 2 1 3"), dims);
	return linear(y, i, "attention.output.dense", s->dim, s->dim);
}

void bert_build(adze_graph *g, const struct bert_shape *s, int batch, int length)
{
	char dims[NAME];
	snprintf(dims, sizeof dims, "n=%d s=%d", batch, length);
	struct adze_nn_embedding words = {table(g, "word_embeddings", s->vocab, s->dim)};
	adze_tensor x = adze_nn_embedding(words, adze_input(g, "tokens", ADZE_I32, dims));
	adze_tensor at = table(g, "position_embeddings", s->places, s->dim);
	adze_tensor kind = table(g, "token_type_embeddings", 2, s->dim);
	x = adze_add(x, adze_reshape(adze_slice(kind, "0", 0, 1, 1), "d=?"));
	x = adze_add(x, adze_slice(at, "0", 0, length, 1));
	x = norm(x, -1, "LayerNorm", s->dim);
	for (int i = 0; i < s->layers; i++) {
		x = adze_add(x, attend(x, s, i, batch, length));
		x = norm(x, i, "attention.output.LayerNorm", s->dim);
		adze_tensor y = linear(x, i, "intermediate.dense", s->ffn, s->dim);
		y = linear(adze_gelu(y), i, "output.dense", s->dim, s->ffn);
		x = norm(adze_add(x, y), i, "output.LayerNorm", s->dim);
	}
	adze_output(adze_mean(x, "1"), "y");
}
