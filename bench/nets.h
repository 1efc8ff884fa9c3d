/* SPDX-License-Identifier: Apache-2.0
 *
 * Networks as a user of adze writes them: layers of adze_nn.h, weights by the names that the
 * Hugging Face gives them. Each function builds one into an empty graph; a failure is the
 * graph's. To start from one of them, copy its file: it needs adze.h alone.
 */
#ifndef ADZE_NETS_H
#define ADZE_NETS_H

#include "adze.h"

/** Extents of a Llama. */
struct llama_shape {
	int dim, layers, heads, kv_heads, ffn, vocab;
	int places; /* of the caches */
};

/**
 * Inputs: "tokens", i32 of the shape `tokens` ("s=1", "s<=512"); "place", where the first of
 * them stands, i32[]; caches "keys0", "values0" ..., f32[kv_heads, places, width], which are
 * results too and live from call to call. Result "logits", f32[1, vocab], of the last token.
 * Matrices are of type `weights`, "f16", or packed in a block format, "q4_k"; norms are f32.
 */
void llama_build(adze_graph *g, const struct llama_shape *s, const char *weights,
		 const char *tokens);

/** Extents of a BERT without a pooler. */
struct bert_shape {
	int dim, layers, heads, ffn, vocab, places;
};

/** Sentences "tokens", i32[batch, length], none of them padded: "y", f32[batch, dim], the means
 * of the last layer's rows. */
void bert_build(adze_graph *g, const struct bert_shape *s, int batch, int length);

/** Extents of a residual network of bottlenecks: ResNet-50 is {64, {3, 4, 6, 3}, 1000}. */
struct resnet_shape {
	int width, blocks[4], classes;
};

/** Images "x", f32[batch, 3, side, side], to "y", f32[batch, classes] (arXiv:1512.03385). */
void resnet_build(adze_graph *g, const struct resnet_shape *s, int batch, int side);

#endif
