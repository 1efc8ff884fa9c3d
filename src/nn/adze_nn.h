/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers of networks, each composed of the operations in adze.h, which includes this: where a
 * layer has weights, a struct of them (ADZE_STRUCT, with the names that PyTorch and the Hugging
 * Face give them in weight files) and a function that takes it first; else a function alone.
 * Where there are many knobs, a struct of options, of which 0 is the default.
 *
 * Refusals name the layer, the shapes and the caller's line. A layer whose input is of narrow
 * floats takes its sums in f32, and its result is of the input's type. Weights of narrower floats
 * than the input are read as the input's type. Weights have no names of axes, and so give none:
 * name what comes out with adze_rename() where names are wanted.
 */
#ifndef ADZE_NN_H
#define ADZE_NN_H

/* ---- linear, embedding, convolution ---- */

#define ADZE_NN_LINEAR(T, O, S, L) T(weight, "") O(bias, "")
ADZE_STRUCT(adze_nn_linear, ADZE_NN_LINEAR);
/** x W' + b over the last axis: [.., in] by [out, in] and [out] to [.., out]. */
ADZE_API adze_tensor adze_nn_linear(struct adze_nn_linear l, adze_tensor x);

/*
 * A weight [out, in] of integers or narrow floats, and what it is multiplied with. The scale
 * is a scalar, [out] (a channel each), or [out / m, in / n] (a block of m by n each; [out, 1] and
 * [1, 1] are of that kind).
 */
#define ADZE_NN_SCALED_LINEAR(T, O, S, L) T(weight, "") T(weight_scale, "") O(bias, "")
ADZE_STRUCT(adze_nn_scaled_linear, ADZE_NN_SCALED_LINEAR);
/**
 * x (W s)' + b. A scale for each channel, or one for all, is applied to the sums; with blocks
 * along `in` the weight is widened first, [out, in] of f32 in each call.
 */
ADZE_API adze_tensor adze_nn_scaled_linear(struct adze_nn_scaled_linear l, adze_tensor x);

#define ADZE_NN_EMBEDDING(T, O, S, L) T(weight, "")
ADZE_STRUCT(adze_nn_embedding, ADZE_NN_EMBEDDING);
/** Rows of [v, d] by integers [..]: [.., d]. Those outside are kept to the range. */
ADZE_API adze_tensor adze_nn_embedding(struct adze_nn_embedding l, adze_tensor ids);
/**
 * A weight whose rows are packed in blocks of a GGUF format, as the f32 weight of a layer:
 * bytes (u8) [.., in / elements * bytes] as [.., in]. Products with it may round the other
 * operand to 8 bits for each 32 numbers, as docs/nn.md says; adze_dequantize_blocks() is the
 * same for products of f32.
 */
ADZE_API adze_tensor adze_nn_packed(adze_tensor weight, const char *format);

#define ADZE_NN_CONV(T, O, S, L) T(weight, "") O(bias, "")
ADZE_STRUCT(adze_nn_conv, ADZE_NN_CONV);
/**
 * [n, in, 1 to 3 axes] with [out, in / groups, as many axes] and [out]. `window` NULL: stride 1,
 * no padding.
 */
ADZE_API adze_tensor adze_nn_conv(struct adze_nn_conv l, adze_tensor x,
				  const adze_window3 *window);
/** With [in, out / groups, as many axes], as adze_conv_transpose(). */
ADZE_API adze_tensor adze_nn_conv_transpose(struct adze_nn_conv l, adze_tensor x,
					    const adze_window3 *window);

/* ---- norms ---- */

#define ADZE_NN_NORM(T, O, S, L) O(weight, "") O(bias, "")
ADZE_STRUCT(adze_nn_norm, ADZE_NN_NORM);
/** Along the last axis, of [d] weights (arXiv:1607.06450, arXiv:1910.07467). */
ADZE_API adze_tensor adze_nn_layer_norm(struct adze_nn_norm l, adze_tensor x, double eps);
ADZE_API adze_tensor adze_nn_rms_norm(struct adze_nn_norm l, adze_tensor x, double eps);
/** [n, c, ..], of [c] weights: over groups of channels, or each (arXiv:1803.08494, 1607.08022). */
ADZE_API adze_tensor adze_nn_group_norm(struct adze_nn_norm l, adze_tensor x, int64_t groups,
					double eps);
ADZE_API adze_tensor adze_nn_instance_norm(struct adze_nn_norm l, adze_tensor x, double eps);

#define ADZE_NN_BATCH_NORM(T, O, S, L) \
	O(weight, "") O(bias, "") T(running_mean, "") T(running_var, "")
ADZE_STRUCT(adze_nn_batch_norm, ADZE_NN_BATCH_NORM);
/** [n, c, ..] by the statistics of training, of [c] (arXiv:1502.03167). */
ADZE_API adze_tensor adze_nn_batch_norm(struct adze_nn_batch_norm l, adze_tensor x, double eps);

/** (x - mean) / sqrt(variance + eps); x / sqrt(sum of squares + eps). Over those axes. */
ADZE_API adze_tensor adze_nn_variance_normalize(adze_tensor x, const char *axes, double eps);
ADZE_API adze_tensor adze_nn_l2_normalize(adze_tensor x, const char *axes, double eps);

/* ---- activations and what is made of them ---- */

/**
 * An activation by the name that model configurations give it: "relu", "relu2", "leaky_relu"
 * (0.01), "elu", "selu", "celu", "silu" or "swish", "gelu", "gelu_new", "gelu_fast",
 * "gelu_pytorch_tanh" or "gelu_tanh", "quick_gelu", "sigmoid", "hardsigmoid", "hardswish",
 * "tanh", "softplus", "softsign", "mish", "linear" or "identity".
 */
ADZE_API adze_tensor adze_nn_activation(adze_tensor x, const char *name);

#define ADZE_NN_MLP(T, O, S, L) \
	S(adze_nn_linear, gate_proj) S(adze_nn_linear, up_proj) S(adze_nn_linear, down_proj)
ADZE_STRUCT(adze_nn_mlp, ADZE_NN_MLP);
/** down(activation(gate(x)) up(x)) (arXiv:2002.05202). */
ADZE_API adze_tensor adze_nn_mlp(struct adze_nn_mlp l, adze_tensor x, const char *activation);

/* ---- recurrent cells ---- */

/* PyTorch's order of gates: LSTM input, forget, cell, output; GRU reset, update, new. */
#define ADZE_NN_CELL(T, O, S, L) \
	T(weight_ih, "") T(weight_hh, "") O(bias_ih, "") O(bias_hh, "")
ADZE_STRUCT(adze_nn_cell, ADZE_NN_CELL);
/** x [.., in], state [.., d], weights [gates d, in] and [gates d, d]: the next state. */
ADZE_API adze_tensor adze_nn_gru_cell(struct adze_nn_cell l, adze_tensor x, adze_tensor h);
/** The same; the next c into *next_c. */
ADZE_API adze_tensor adze_nn_lstm_cell(struct adze_nn_cell l, adze_tensor x, adze_tensor h,
				       adze_tensor c, adze_tensor *next_c);
/**
 * Along a sequence [.., s, in], which may be a symbol, from its end where `reverse` is set, with
 * states [.., d]: every h, [.., s, d], and the last states, into pointers that may be NULL.
 */
ADZE_API adze_tensor adze_nn_gru(struct adze_nn_cell l, adze_tensor x, adze_tensor h,
				 bool reverse, adze_tensor *next_h);
ADZE_API adze_tensor adze_nn_lstm(struct adze_nn_cell l, adze_tensor x, adze_tensor h,
				  adze_tensor c, bool reverse, adze_tensor *next_h,
				  adze_tensor *next_c);

/* ---- rotary positions (arXiv:2104.09864) ---- */

/** Where the two elements of pair i lie, of `width` that turn of an axis of d. */
typedef enum adze_rope_layout {
	ADZE_ROPE_HALVES, /* i and width / 2 + i (GPT-NeoX, Llama in the Hugging Face's files) */
	ADZE_ROPE_PAIRS,  /* 2 i and 2 i + 1 (GPT-J, Llama in Meta's files) */
	ADZE_ROPE_SPREAD  /* i and d / 2 + i, whatever the width (Gemma 4) */
} adze_rope_layout;

/** How far pair i turns in a place: f(i) = base^(-2 i / width), or what is made of it. */
typedef enum adze_rope_scaling {
	ADZE_ROPE_PLAIN,
	ADZE_ROPE_LINEAR,  /* f / factor (arXiv:2306.15595) */
	ADZE_ROPE_DYNAMIC, /* base grows with the largest place of the call, beyond `original` */
	ADZE_ROPE_LLAMA3,  /* slow pairs / factor, fast ones as they are, between them a blend */
	ADZE_ROPE_YARN,    /* the same by other bounds; results times `attention` (2309.00071) */
	ADZE_ROPE_LONG,    /* f / short_factor, or long_factor beyond `original` (2402.13753) */
	ADZE_ROPE_PROPORTIONAL /* base^(-2 i / d) / factor: of the whole axis (Gemma 4) */
} adze_rope_scaling;

/** Zero-initialise. In brackets: what 0 stands for. */
typedef struct adze_rope_options {
	double base;              /* [10000] rope_theta */
	int64_t width;            /* [all] so many of the last axis turn: partial rotary */
	adze_rope_layout layout;
	adze_rope_scaling scaling;
	double factor;            /* [1] */
	int64_t original;         /* original_max_position_embeddings */
	double low, high;         /* LLAMA3 [1, 4] low_freq_factor, high_freq_factor */
	double fast, slow;        /* YARN [32, 1] beta_fast, beta_slow */
	double mscale, mscale_all; /* YARN [the rule for none] mscale, mscale_all_dim */
	bool exact_bounds;        /* YARN: bounds are not rounded to whole pairs */
	double attention;         /* YARN, LONG [by the rule] attention_factor */
	const double *short_factor, *long_factor; /* LONG: width / 2 each */
} adze_rope_options;

/**
 * Pairs of the last axis turned by the places of `axis`: integers [axis] or [first axis, axis].
 * Angles are f32. The rules of scaling are those of transformers' modeling_rope_utils.
 */
ADZE_API adze_tensor adze_rope(adze_tensor x, adze_tensor places, const char *axis,
			       const adze_rope_options *options);

/* ---- mixtures of experts (arXiv:1701.06538) ---- */

/** Zero-initialise. */
typedef struct adze_route_options {
	int64_t top_k;      /* so many experts a token; there is no default */
	bool sigmoid;       /* scores are the logistic of logits, not their softmax */
	bool normalize;     /* the weights of a token sum to 1 */
	adze_tensor bias;   /* [e] added to scores for the choice alone (DeepSeek-V3) */
	int64_t groups;     /* experts are in so many groups, of which those whose best two */
	int64_t top_groups; /* sum to most, so many, may be chosen from (DeepSeek-V3) */
	double scale;       /* [1] of the weights */
} adze_route_options;
/**
 * Router logits [.., e] to f32 weights [.., e], 0 for experts that are not chosen; of equals the
 * first is. A softmax over the chosen alone is `normalize`.
 */
ADZE_API adze_tensor adze_nn_route(adze_tensor logits, const adze_route_options *options);
/** The same as [.., top_k], the best first, with their i32 indices. */
ADZE_API adze_tensor adze_nn_route_chosen(adze_tensor logits, const adze_route_options *options,
					  adze_tensor *indices);

/* [e, 2 f, d], the gate before what it gates, and [e, d, f]. */
#define ADZE_NN_EXPERTS(T, O, S, L) T(gate_up_proj, "") T(down_proj, "")
ADZE_STRUCT(adze_nn_experts, ADZE_NN_EXPERTS);
/**
 * The sum over experts of weights [.., e] times down(activation(gate(x)) up(x)), x [.., d].
 * Every expert works on every token: e / top_k of the least work, in two large products. For
 * many tokens, among which all experts are needed.
 */
ADZE_API adze_tensor adze_nn_experts(struct adze_nn_experts l, adze_tensor x, adze_tensor weights,
				     const char *activation);
/**
 * The same by weights and indices [.., top_k]. Each token copies the weights of its experts,
 * 3 f d top_k elements: for few tokens, such as one that is decoded.
 */
ADZE_API adze_tensor adze_nn_experts_chosen(struct adze_nn_experts l, adze_tensor x,
					    adze_tensor weights, adze_tensor indices,
					    const char *activation);

/* ---- gated delta nets (arXiv:2412.06464) ---- */

/** Zero-initialise. */
typedef struct adze_delta_options {
	bool normalize; /* q and k to unit length, with 1e-6 beneath the root */
	double scale;   /* [1 / sqrt(width)] of q */
	int64_t chunk;  /* [64] positions that are worked on together; 1: step by step */
} adze_delta_options;
/**
 * Linear attention whose state is corrected at each position t, all in f32:
 *     S = exp(g[t]) S;  S = S + k[t]' beta[t] (v[t] - k[t] S);  y[t] = scale q[t] S
 * q and k [.., kv heads, s, d], v [.., heads, s, e], g and beta [.., heads, s], state S
 * [.., heads, d, e]; heads are a multiple of kv heads. Gives y as v, and the last S. Chunks of c
 * give the same by products of matrices, with c + 2 d + e numbers a position and head at a time.
 * With chunk 1, s may be a symbol. A decoder's call has s = 1.
 */
ADZE_API adze_tensor adze_nn_delta_rule(adze_tensor q, adze_tensor k, adze_tensor v,
					adze_tensor g, adze_tensor beta, adze_tensor state,
					const adze_delta_options *options,
					adze_tensor *next_state);
/** g = -exp(a_log) softplus(x + dt_bias), in f32: x [.., heads], the others [heads]. */
ADZE_API adze_tensor adze_nn_delta_decay(adze_tensor x, adze_tensor a_log, adze_tensor dt_bias);
/**
 * Each of [n, c, s] convolved with the k of [c, 1, k] up to its place. `state` [n, c, k - 1] is
 * what came before, or the null tensor: zeros; what comes before the next call goes into
 * *next_state, which may be NULL.
 */
ADZE_API adze_tensor adze_nn_causal_conv(struct adze_nn_conv l, adze_tensor x, adze_tensor state,
					 adze_tensor *next_state);

#define ADZE_NN_GATED_DELTA_NET(T, O, S, L)                                               \
	S(adze_nn_linear, in_proj_qkv) S(adze_nn_linear, in_proj_z)                       \
	S(adze_nn_linear, in_proj_b) S(adze_nn_linear, in_proj_a) S(adze_nn_conv, conv1d) \
	T(A_log, "") T(dt_bias, "") S(adze_nn_norm, norm) S(adze_nn_linear, out_proj)
ADZE_STRUCT(adze_nn_gated_delta_net, ADZE_NN_GATED_DELTA_NET);
/** Zero-initialise; there is no default for key_heads. */
typedef struct adze_gated_delta_options {
	int64_t key_heads; /* of queries and of keys */
	int64_t chunk;     /* as in adze_delta_options */
	double eps;        /* of the norm */
} adze_gated_delta_options;
/**
 * The whole layer, as Qwen3.5 has it: x [n, s, d] to [n, s, d]. States are those of
 * adze_nn_causal_conv() and of adze_nn_delta_rule(); null tensors are zeros, and the last ones go
 * into pointers that may be NULL.
 */
ADZE_API adze_tensor adze_nn_gated_delta_net(struct adze_nn_gated_delta_net l, adze_tensor x,
					     adze_tensor conv_state, adze_tensor state,
					     const adze_gated_delta_options *options,
					     adze_tensor *next_conv_state,
					     adze_tensor *next_state);

/* ---- from logits to tokens ----
 *
 * A setting is a tensor, so that each call, and each row of a batch, may have its own: a scalar,
 * or one for each row of logits [.., v]. A row does not depend on its neighbours.
 */

/** Zero-initialise: null tensors do nothing. */
typedef struct adze_penalty_options {
	adze_tensor repetition; /* f32: logits of tokens that were are divided, negative ones
				 * multiplied, by it (arXiv:1909.05858) */
	adze_tensor presence;   /* f32: taken off the logits of tokens that were */
	adze_tensor frequency;  /* f32: as often as they were */
} adze_penalty_options;
/**
 * Logits [.., v] with penalties by how often each token was: integers [.., v]. Call it twice
 * where the prompt counts for one penalty alone. A bias of logits is adze_add().
 */
ADZE_API adze_tensor adze_nn_penalize(adze_tensor logits, adze_tensor counts,
				      const adze_penalty_options *options);
/**
 * Counts [.., v] with the tokens [..], or [.., n], counted too; those outside of v are not, such
 * as -1 for none. As an output of its input's name, counts live from call to call. v times n
 * comparisons.
 */
ADZE_API adze_tensor adze_nn_count_tokens(adze_tensor counts, adze_tensor ids);

/** Zero-initialise: null tensors do nothing. Applied in this order. */
typedef struct adze_sample_options {
	adze_tensor temperature; /* f32: divides logits; 0: the largest logit is the choice */
	adze_tensor top_k;       /* integers: the k largest logits stay; 0 or less: all */
	adze_tensor top_p;       /* f32: the fewest, largest that sum to p; 1: all */
	adze_tensor min_p;       /* f32: those of at least p times the largest probability */
	adze_tensor seed;        /* integers, not negative; null: the largest logit */
	adze_tensor step;        /* integers, not negative: which token of its request */
} adze_sample_options;
/**
 * Logits as f32, divided by the temperature, -infinity where a token is not to be chosen. Equal
 * logits stay or go together. 32 sums over v each for top_k and top_p, and no sort.
 */
ADZE_API adze_tensor adze_nn_sample_filter(adze_tensor logits,
					   const adze_sample_options *options);
/**
 * A token for each row, i32 [..], with the probability that softmax gives what is left. The same
 * seed, step and logits always give the same token: chance is Threefry-2x32 of the seed over
 * (token, step), by the Gumbel-max rule (arXiv:1411.0030). Without a seed, or with temperature
 * 0, the largest logit, the first of equals.
 */
ADZE_API adze_tensor adze_nn_sample(adze_tensor logits, const adze_sample_options *options);

#define adze_nn_linear(l, x) adze_nn_linear(l, ADZE_AT(x))
#define adze_nn_scaled_linear(l, x) adze_nn_scaled_linear(l, ADZE_AT(x))
#define adze_nn_packed(weight, format) adze_nn_packed(ADZE_AT(weight), format)
#define adze_nn_embedding(l, ids) adze_nn_embedding(l, ADZE_AT(ids))
#define adze_nn_conv(l, x, ...) adze_nn_conv(l, ADZE_AT(x), __VA_ARGS__)
#define adze_nn_conv_transpose(l, x, ...) adze_nn_conv_transpose(l, ADZE_AT(x), __VA_ARGS__)
#define adze_nn_layer_norm(l, x, eps) adze_nn_layer_norm(l, ADZE_AT(x), eps)
#define adze_nn_rms_norm(l, x, eps) adze_nn_rms_norm(l, ADZE_AT(x), eps)
#define adze_nn_group_norm(l, x, groups, eps) adze_nn_group_norm(l, ADZE_AT(x), groups, eps)
#define adze_nn_instance_norm(l, x, eps) adze_nn_instance_norm(l, ADZE_AT(x), eps)
#define adze_nn_batch_norm(l, x, eps) adze_nn_batch_norm(l, ADZE_AT(x), eps)
#define adze_nn_variance_normalize(x, axes, eps) adze_nn_variance_normalize(ADZE_AT(x), axes, eps)
#define adze_nn_l2_normalize(x, axes, eps) adze_nn_l2_normalize(ADZE_AT(x), axes, eps)
#define adze_nn_activation(x, name) adze_nn_activation(ADZE_AT(x), name)
#define adze_nn_mlp(l, x, activation) adze_nn_mlp(l, ADZE_AT(x), activation)
#define adze_nn_gru_cell(l, x, h) adze_nn_gru_cell(l, ADZE_AT(x), h)
#define adze_nn_lstm_cell(l, x, ...) adze_nn_lstm_cell(l, ADZE_AT(x), __VA_ARGS__)
#define adze_nn_gru(l, x, ...) adze_nn_gru(l, ADZE_AT(x), __VA_ARGS__)
#define adze_nn_lstm(l, x, ...) adze_nn_lstm(l, ADZE_AT(x), __VA_ARGS__)
#define adze_nn_route(logits, ...) adze_nn_route(ADZE_AT(logits), __VA_ARGS__)
#define adze_nn_route_chosen(logits, ...) adze_nn_route_chosen(ADZE_AT(logits), __VA_ARGS__)
#define adze_nn_experts(l, x, ...) adze_nn_experts(l, ADZE_AT(x), __VA_ARGS__)
#define adze_nn_experts_chosen(l, x, ...) adze_nn_experts_chosen(l, ADZE_AT(x), __VA_ARGS__)
#define adze_nn_delta_rule(q, ...) adze_nn_delta_rule(ADZE_AT(q), __VA_ARGS__)
#define adze_nn_delta_decay(x, ...) adze_nn_delta_decay(ADZE_AT(x), __VA_ARGS__)
#define adze_nn_causal_conv(l, x, ...) adze_nn_causal_conv(l, ADZE_AT(x), __VA_ARGS__)
#define adze_nn_gated_delta_net(l, x, ...) adze_nn_gated_delta_net(l, ADZE_AT(x), __VA_ARGS__)
#define adze_nn_penalize(logits, ...) adze_nn_penalize(ADZE_AT(logits), __VA_ARGS__)
#define adze_nn_count_tokens(counts, ids) adze_nn_count_tokens(counts, ADZE_AT(ids))
#define adze_nn_sample_filter(logits, ...) adze_nn_sample_filter(ADZE_AT(logits), __VA_ARGS__)
#define adze_nn_sample(logits, ...) adze_nn_sample(ADZE_AT(logits), __VA_ARGS__)
#define adze_rope(x, ...) adze_rope(ADZE_AT(x), __VA_ARGS__)

#endif
