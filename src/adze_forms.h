/* SPDX-License-Identifier: Apache-2.0
 *
 * More functions on tensors, each composed of the operations in adze.h, which includes this.
 * Axes are names or numbers; symbols work where the operations below allow it, and the words
 * of a refusal name the function here. Sums of narrow floats are taken in f32.
 */
#ifndef ADZE_FORMS_H
#define ADZE_FORMS_H

/** log(1 + exp(x)); -log(1 + exp(-x)); x / (1 + |x|); x tanh(softplus(x)). */
ADZE_API adze_tensor adze_softplus(adze_tensor x);
ADZE_API adze_tensor adze_log_sigmoid(adze_tensor x);
ADZE_API adze_tensor adze_softsign(adze_tensor x);
ADZE_API adze_tensor adze_mish(adze_tensor x);
/** x / 6 + 1/2 kept to 0 and 1; x times that; x logistic(1.702 x). */
ADZE_API adze_tensor adze_hard_sigmoid(adze_tensor x);
ADZE_API adze_tensor adze_hard_swish(adze_tensor x);
ADZE_API adze_tensor adze_quick_gelu(adze_tensor x);
/** x where positive, else slope x; a (exp(x) - 1); a (exp(x / a) - 1); selu's constants. */
ADZE_API adze_tensor adze_leaky_relu(adze_tensor x, double slope);
ADZE_API adze_tensor adze_elu(adze_tensor x, double a);
ADZE_API adze_tensor adze_celu(adze_tensor x, double a);
ADZE_API adze_tensor adze_selu(adze_tensor x);
/** cap tanh(x / cap). */
ADZE_API adze_tensor adze_soft_cap(adze_tensor x, double cap);
/** silu(gate) up; gelu(gate) up. */
ADZE_API adze_tensor adze_swiglu(adze_tensor gate, adze_tensor up);
ADZE_API adze_tensor adze_geglu(adze_tensor gate, adze_tensor up);
/** x x; 1 / x; remainder by a constant; kept between constants; a + t (b - a). */
ADZE_API adze_tensor adze_square(adze_tensor x);
ADZE_API adze_tensor adze_reciprocal(adze_tensor x);
ADZE_API adze_tensor adze_fmod(adze_tensor x, double divisor);
ADZE_API adze_tensor adze_clamp_to(adze_tensor x, double low, double high);
ADZE_API adze_tensor adze_lerp(adze_tensor a, adze_tensor b, adze_tensor t);
ADZE_API adze_tensor adze_is_nan(adze_tensor x);
ADZE_API adze_tensor adze_is_inf(adze_tensor x);
/** `value` where the mask is true, else x. */
ADZE_API adze_tensor adze_masked_fill(adze_tensor x, adze_tensor mask, double value);

/** log of the sum of exp, shifted by the largest; x less that. */
ADZE_API adze_tensor adze_log_sum_exp(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_log_softmax(adze_tensor x, const char *axes);
/** Sum of squares around the mean by the count less `correction`; its square root. */
ADZE_API adze_tensor adze_var(adze_tensor x, const char *axes, double correction);
ADZE_API adze_tensor adze_std(adze_tensor x, const char *axes, double correction);
/** p 1: sum of magnitudes; 2: root of the sum of squares; INFINITY: largest magnitude. */
ADZE_API adze_tensor adze_norm(adze_tensor x, const char *axes, double p);
/** x over its 2-norm, or over eps where that is larger. */
ADZE_API adze_tensor adze_l2_normalize(adze_tensor x, const char *axes, double eps);

/** One axis as several: adze_split_axis(x, "d", "h=12 k=?"); several as one, named `name`. */
ADZE_API adze_tensor adze_split_axis(adze_tensor x, const char *axis, const char *dims);
ADZE_API adze_tensor adze_merge_axes(adze_tensor x, const char *axes, const char *name);
/** All axes as one; a new axis of extent 1 at place `at` (-1: last); axes of extent 1 gone. */
ADZE_API adze_tensor adze_flatten(adze_tensor x, const char *name);
ADZE_API adze_tensor adze_insert_axis(adze_tensor x, int at, const char *name);
ADZE_API adze_tensor adze_squeeze(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_swap_axes(adze_tensor x, const char *a, const char *b);
/** Element `i` along an axis, which falls away; negative: from the end. */
ADZE_API adze_tensor adze_choose(adze_tensor x, const char *axis, int64_t i);
/** `n` tensors side by side along a new axis at place `at`. */
ADZE_API adze_tensor adze_stack_at(const char *file, int line, const adze_tensor *x, size_t n,
				   int at, const char *name);
#define adze_stack(...) adze_stack_at(__FILE__, __LINE__, __VA_ARGS__)
/** Parts of those sizes, or `n` equal ones, into `out`; broken tensors on a failure. */
ADZE_API adze_status adze_split(adze_tensor x, const char *axis, const int64_t *size, size_t n,
				adze_tensor *out);
ADZE_API adze_status adze_chunk(adze_tensor x, const char *axis, size_t n, adze_tensor *out);
/** The axis n times behind itself; each element n times. */
ADZE_API adze_tensor adze_repeat(adze_tensor x, const char *axis, int64_t n);
ADZE_API adze_tensor adze_stutter(adze_tensor x, const char *axis, int64_t n);
/** Element i to place i + shift, around the end. */
ADZE_API adze_tensor adze_roll(adze_tensor x, const char *axis, int64_t shift);
/** Keeps column - row <= offset; >= offset; == offset; elsewhere 0. */
ADZE_API adze_tensor adze_tril(adze_tensor x, const char *row, const char *column, int64_t offset);
ADZE_API adze_tensor adze_triu(adze_tensor x, const char *row, const char *column, int64_t offset);
ADZE_API adze_tensor adze_diagonal(adze_tensor x, const char *row, const char *column,
				   int64_t offset);
/** A last axis `dim` ("v=10") that is 1 where it counts the index, else 0. */
ADZE_API adze_tensor adze_one_hot(adze_tensor indices, const char *dim, adze_dtype dtype);
/** Rows of [v, d] by integers. */
ADZE_API adze_tensor adze_embedding(adze_tensor weight, adze_tensor indices);
/** Products of all pairs: axes of a, then of b. */
ADZE_API adze_tensor adze_outer(adze_tensor a, adze_tensor b);
/** Sums of products, axes by letters or names: (list, 2, "b i k, b k j -> b i j"). A name twice in
 * an operand is its diagonal. */
ADZE_API adze_tensor adze_einsum_at(const char *file, int line, const adze_tensor *x, size_t n,
				    const char *spec);
#define adze_einsum(...) adze_einsum_at(__FILE__, __LINE__, __VA_ARGS__)

/** Along the one axis of `dim`: from, from + step ...; from ... to, both ends in. */
ADZE_API adze_tensor adze_arange(adze_graph *graph, adze_dtype dtype, const char *dim,
				 double from, double step);
ADZE_API adze_tensor adze_linspace(adze_graph *graph, adze_dtype dtype, const char *dim,
				   double from, double to);
/** One value everywhere; 1 where both axes count the same, else 0. */
ADZE_API adze_tensor adze_full(adze_graph *graph, adze_dtype dtype, const char *dims,
			       double value);
ADZE_API adze_tensor adze_eye(adze_graph *graph, adze_dtype dtype, const char *dims,
			      const char *row, const char *column);

/** [n, c, ...] by statistics of each channel; scale and bias, of [c], may be null tensors. */
ADZE_API adze_tensor adze_batch_norm(adze_tensor x, adze_tensor mean, adze_tensor variance,
				     adze_tensor scale, adze_tensor bias, double eps);
/** Over groups of channels with all spatial axes; over each channel. */
ADZE_API adze_tensor adze_group_norm(adze_tensor x, int64_t groups, adze_tensor scale,
				     adze_tensor bias, double eps);
ADZE_API adze_tensor adze_instance_norm(adze_tensor x, adze_tensor scale, adze_tensor bias,
					double eps);

/** Zero-initialise. */
typedef struct adze_attention_options {
	adze_tensor mask;  /* [.., q, k]: bool, true may be seen; or a float, added */
	adze_tensor first; /* place of the first query: an integer, or [first axis], one for each
			    * of a batch; null: keys - queries */
	adze_tensor sinks; /* [heads]: a logit more in each row's sum, of no value */
	bool causal;       /* a query sees keys up to its place */
	int64_t window;    /* and only the last so many; 0: all */
	double scale;      /* 0: 1 / sqrt(width) */
	double soft_cap;   /* 0: none */
} adze_attention_options;
/**
 * q [.., heads, s, d], k and v [.., kv heads, t, d]; heads are a multiple of kv heads, which as
 * many heads in a row share. A row that sees nothing, or whose mask is -infinity throughout, is
 * 0. Who sees whom is compared from places as the scores are made; it is no constant. With a
 * cache of keys, t is the cache's extent and `first` how many are in it: those behind the last
 * query are not seen. `options` may be NULL.
 */
ADZE_API adze_tensor adze_attention(adze_tensor q, adze_tensor k, adze_tensor v,
				    const adze_attention_options *options);
/** Weights of a recurrent cell: [gates, in], [gates, d]; biases [gates] may be null tensors. */
typedef struct adze_cell {
	adze_tensor weight_x, weight_h, bias_x, bias_h;
} adze_cell;
/** The next state [.., d] from x [.., in]: gates reset, update, new. */
ADZE_API adze_tensor adze_gru_cell(adze_tensor x, adze_tensor h, adze_cell cell);
/** The next h, and c into *next_c: gates input, forget, cell, output. */
ADZE_API adze_tensor adze_lstm_cell(adze_tensor x, adze_tensor h, adze_tensor c, adze_cell cell,
				    adze_tensor *next_c);

/* ---- random numbers ---- */

/**
 * Random bits: u8, u16, u32 or u64 in the shape `dims`, as a pure function of `state`, which is
 * u64[3] (key, counter low, counter high: the stream of Philox4x32-10) or u64[2] (key, counter:
 * Threefry2x32-20); Salmon et al., SC 2011. *next, where it is not NULL, is the state behind
 * what `dims` needs at its bounds: for another call, or for an output into the input that the
 * state came from. Equal states give equal bits on every device and number of threads.
 */
ADZE_API adze_tensor adze_rng_bits(adze_tensor state, adze_dtype dtype, const char *dims,
				   adze_tensor *next);

#define adze_softplus(x) adze_softplus(ADZE_AT(x))
#define adze_log_sigmoid(x) adze_log_sigmoid(ADZE_AT(x))
#define adze_softsign(x) adze_softsign(ADZE_AT(x))
#define adze_mish(x) adze_mish(ADZE_AT(x))
#define adze_hard_sigmoid(x) adze_hard_sigmoid(ADZE_AT(x))
#define adze_hard_swish(x) adze_hard_swish(ADZE_AT(x))
#define adze_quick_gelu(x) adze_quick_gelu(ADZE_AT(x))
#define adze_leaky_relu(x, slope) adze_leaky_relu(ADZE_AT(x), slope)
#define adze_elu(x, a) adze_elu(ADZE_AT(x), a)
#define adze_celu(x, a) adze_celu(ADZE_AT(x), a)
#define adze_selu(x) adze_selu(ADZE_AT(x))
#define adze_soft_cap(x, cap) adze_soft_cap(ADZE_AT(x), cap)
#define adze_swiglu(gate, up) adze_swiglu(ADZE_AT(gate), up)
#define adze_geglu(gate, up) adze_geglu(ADZE_AT(gate), up)
#define adze_square(x) adze_square(ADZE_AT(x))
#define adze_reciprocal(x) adze_reciprocal(ADZE_AT(x))
#define adze_fmod(x, divisor) adze_fmod(ADZE_AT(x), divisor)
#define adze_clamp_to(x, low, high) adze_clamp_to(ADZE_AT(x), low, high)
#define adze_lerp(a, b, t) adze_lerp(ADZE_AT(a), b, t)
#define adze_is_nan(x) adze_is_nan(ADZE_AT(x))
#define adze_is_inf(x) adze_is_inf(ADZE_AT(x))
#define adze_masked_fill(x, mask, value) adze_masked_fill(ADZE_AT(x), mask, value)
#define adze_log_sum_exp(x, axes) adze_log_sum_exp(ADZE_AT(x), axes)
#define adze_log_softmax(x, axes) adze_log_softmax(ADZE_AT(x), axes)
#define adze_var(x, axes, correction) adze_var(ADZE_AT(x), axes, correction)
#define adze_std(x, axes, correction) adze_std(ADZE_AT(x), axes, correction)
#define adze_norm(x, axes, p) adze_norm(ADZE_AT(x), axes, p)
#define adze_l2_normalize(x, axes, eps) adze_l2_normalize(ADZE_AT(x), axes, eps)
#define adze_split_axis(x, axis, dims) adze_split_axis(ADZE_AT(x), axis, dims)
#define adze_merge_axes(x, axes, name) adze_merge_axes(ADZE_AT(x), axes, name)
#define adze_flatten(x, name) adze_flatten(ADZE_AT(x), name)
#define adze_insert_axis(x, at, name) adze_insert_axis(ADZE_AT(x), at, name)
#define adze_squeeze(x, axes) adze_squeeze(ADZE_AT(x), axes)
#define adze_swap_axes(x, a, b) adze_swap_axes(ADZE_AT(x), a, b)
#define adze_choose(x, axis, i) adze_choose(ADZE_AT(x), axis, i)
#define adze_split(x, ...) adze_split(ADZE_AT(x), __VA_ARGS__)
#define adze_chunk(x, ...) adze_chunk(ADZE_AT(x), __VA_ARGS__)
#define adze_repeat(x, axis, n) adze_repeat(ADZE_AT(x), axis, n)
#define adze_stutter(x, axis, n) adze_stutter(ADZE_AT(x), axis, n)
#define adze_roll(x, axis, shift) adze_roll(ADZE_AT(x), axis, shift)
#define adze_tril(x, row, column, offset) adze_tril(ADZE_AT(x), row, column, offset)
#define adze_triu(x, row, column, offset) adze_triu(ADZE_AT(x), row, column, offset)
#define adze_diagonal(x, row, column, offset) adze_diagonal(ADZE_AT(x), row, column, offset)
#define adze_one_hot(indices, dim, dtype) adze_one_hot(ADZE_AT(indices), dim, dtype)
#define adze_embedding(weight, indices) adze_embedding(ADZE_AT(weight), indices)
#define adze_outer(a, b) adze_outer(ADZE_AT(a), b)
#define adze_arange(graph, dtype, dim, from, step) \
	adze_arange(ADZE_GRAPH_AT(graph), dtype, dim, from, step)
#define adze_linspace(graph, dtype, dim, from, to) \
	adze_linspace(ADZE_GRAPH_AT(graph), dtype, dim, from, to)
#define adze_full(graph, dtype, dims, value) adze_full(ADZE_GRAPH_AT(graph), dtype, dims, value)
#define adze_eye(graph, dtype, dims, row, column) \
	adze_eye(ADZE_GRAPH_AT(graph), dtype, dims, row, column)
#define adze_batch_norm(x, mean, variance, scale, bias, eps) \
	adze_batch_norm(ADZE_AT(x), mean, variance, scale, bias, eps)
#define adze_group_norm(x, groups, scale, bias, eps) \
	adze_group_norm(ADZE_AT(x), groups, scale, bias, eps)
#define adze_instance_norm(x, scale, bias, eps) adze_instance_norm(ADZE_AT(x), scale, bias, eps)
#define adze_attention(q, ...) adze_attention(ADZE_AT(q), __VA_ARGS__)
#define adze_gru_cell(x, ...) adze_gru_cell(ADZE_AT(x), __VA_ARGS__)
#define adze_lstm_cell(x, ...) adze_lstm_cell(ADZE_AT(x), __VA_ARGS__)
#define adze_rng_bits(state, dtype, dims, next) adze_rng_bits(ADZE_AT(state), dtype, dims, next)

#endif
