/* SPDX-License-Identifier: Apache-2.0
 *
 * More forms, as those of adze_forms.h: mathematics, reductions, shapes, sources, quantization.
 * Functions of floats are computed in f32 at least and rounded once.
 */
#ifndef ADZE_MATH_H
#define ADZE_MATH_H

/** 2^x; logarithms (NumPy exp2, log2, log10). */
ADZE_API adze_tensor adze_exp2(adze_tensor x);
ADZE_API adze_tensor adze_log2(adze_tensor x);
ADZE_API adze_tensor adze_log10(adze_tensor x);
/** Of angles, and back. */
ADZE_API adze_tensor adze_asin(adze_tensor x);
ADZE_API adze_tensor adze_acos(adze_tensor x);
ADZE_API adze_tensor adze_atan(adze_tensor x);
ADZE_API adze_tensor adze_degrees(adze_tensor x);
ADZE_API adze_tensor adze_radians(adze_tensor x);
/** Hyperbolic functions and their inverses. */
ADZE_API adze_tensor adze_sinh(adze_tensor x);
ADZE_API adze_tensor adze_cosh(adze_tensor x);
ADZE_API adze_tensor adze_asinh(adze_tensor x);
ADZE_API adze_tensor adze_acosh(adze_tensor x);
ADZE_API adze_tensor adze_atanh(adze_tensor x);
/** Without what is behind the point; only that. The sign of zero stays. */
ADZE_API adze_tensor adze_trunc(adze_tensor x);
ADZE_API adze_tensor adze_frac(adze_tensor x);
/** log(x / (1 - x)); sin(pi x) / (pi x); x kept to 0 .. 6; x - tanh(x). */
ADZE_API adze_tensor adze_logit(adze_tensor x);
ADZE_API adze_tensor adze_sinc(adze_tensor x);
ADZE_API adze_tensor adze_relu6(adze_tensor x);
ADZE_API adze_tensor adze_tanh_shrink(adze_tensor x);
/** a with the sign of b; sqrt(a^2 + b^2); log(exp(a) + exp(b)); a log(b), and 0 where a is 0. */
ADZE_API adze_tensor adze_copysign(adze_tensor a, adze_tensor b);
ADZE_API adze_tensor adze_hypot(adze_tensor a, adze_tensor b);
ADZE_API adze_tensor adze_log_add_exp(adze_tensor a, adze_tensor b);
ADZE_API adze_tensor adze_xlogy(adze_tensor a, adze_tensor b);
/** a where positive, else a b; relu(a) b. */
ADZE_API adze_tensor adze_prelu(adze_tensor a, adze_tensor b);
ADZE_API adze_tensor adze_reglu(adze_tensor a, adze_tensor b);
/** Remainder with the sign of the divisor, and the quotient rounded down, as in Python: of integers
 * and floats (NumPy remainder, floor_divide). */
ADZE_API adze_tensor adze_mod(adze_tensor a, adze_tensor b);
ADZE_API adze_tensor adze_floor_div(adze_tensor a, adze_tensor b);
/** x by a number: times, plus, divided by, to the power of. */
ADZE_API adze_tensor adze_scale(adze_tensor x, double by);
ADZE_API adze_tensor adze_offset(adze_tensor x, double by);
ADZE_API adze_tensor adze_div_by(adze_tensor x, double by);
ADZE_API adze_tensor adze_pow_by(adze_tensor x, double power);
/** x where above `least`, else another number; 0 within -w .. w, else x, or x moved by w towards
 * 0. */
ADZE_API adze_tensor adze_threshold(adze_tensor x, double least, double otherwise);
ADZE_API adze_tensor adze_hard_shrink(adze_tensor x, double within);
ADZE_API adze_tensor adze_soft_shrink(adze_tensor x, double within);
/** 0 below zero, 1 above; numbers in the place of NaN, infinity and -infinity. */
ADZE_API adze_tensor adze_heaviside(adze_tensor x, double at_zero);
ADZE_API adze_tensor adze_nan_to_num(adze_tensor x, double nan, double high, double low);
/** x rounded to a float of so many exponent and mantissa bits: to nearest even, too large ones to
 * infinity, those below the least normal one to 0 (StableHLO reduce_precision). Of f8e5m2 and
 * wider floats. */
ADZE_API adze_tensor adze_reduce_precision_to(adze_tensor x, int exponent_bits,
					      int mantissa_bits);
/** Of what is not zero, as bool. */
ADZE_API adze_tensor adze_logical_and(adze_tensor a, adze_tensor b);
ADZE_API adze_tensor adze_logical_or(adze_tensor a, adze_tensor b);
ADZE_API adze_tensor adze_logical_xor(adze_tensor a, adze_tensor b);
ADZE_API adze_tensor adze_logical_not(adze_tensor x);
/** Whether the sign is set, of -0 and NaN too; whether |a - b| <= absolute + relative |b|. */
ADZE_API adze_tensor adze_sign_bit(adze_tensor x);
ADZE_API adze_tensor adze_is_close(adze_tensor a, adze_tensor b, double relative,
				   double absolute);
/** x where `keep` is true, else `value`. */
ADZE_API adze_tensor adze_mask(adze_tensor x, adze_tensor keep, double value);

/** How many are not zero (i64); sum and mean of those that are not NaN. */
ADZE_API adze_tensor adze_count_nonzero(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_nan_sum(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_nan_mean(adze_tensor x, const char *axes);
/** The largest, smallest along an axis, and into *index (may be NULL) its index, the first of
 * equals. */
ADZE_API adze_tensor adze_max_with_index(adze_tensor x, const char *axis, adze_tensor *index);
ADZE_API adze_tensor adze_min_with_index(adze_tensor x, const char *axis, adze_tensor *index);
/** Softmax with exp(sink) more in each sum; `sink` is broadcast to x without the axis' elements. A
 * row of -infinity is 0. Softmax of -x. */
ADZE_API adze_tensor adze_softmax_sink(adze_tensor x, const char *axis, adze_tensor sink);
ADZE_API adze_tensor adze_softmin(adze_tensor x, const char *axis);
/** The norm of a - b; the cosine of the angle between them, each norm eps at least. */
ADZE_API adze_tensor adze_distance(adze_tensor a, adze_tensor b, const char *axes, double p);
ADZE_API adze_tensor adze_cosine_similarity(adze_tensor a, adze_tensor b, const char *axes,
					    double eps);
/** Element i + 1 less element i. */
ADZE_API adze_tensor adze_diff(adze_tensor x, const char *axis);
/** Matrices times matrices: the last axis of a with the last but one of b; a vector is a row, or a
 * column; axes before are a batch, broadcast, and lose their names (NumPy matmul). */
ADZE_API adze_tensor adze_matmul(adze_tensor a, adze_tensor b);
/** Sum of products along an axis; of vectors of 3 elements; of all blocks a[i] b (NumPy kron). */
ADZE_API adze_tensor adze_vecdot(adze_tensor a, adze_tensor b, const char *axis);
ADZE_API adze_tensor adze_cross(adze_tensor a, adze_tensor b, const char *axis);
ADZE_API adze_tensor adze_kron(adze_tensor a, adze_tensor b);

/** All elements of an axis, `n` of them, one by one, into `out`; broken tensors on a failure. */
ADZE_API adze_status adze_unstack(adze_tensor x, const char *axis, size_t n, adze_tensor *out);
/** The axis at another place (-1: last); a new axis `dim` ("h=4") at place `at`, along which x
 * repeats. */
ADZE_API adze_tensor adze_move_axis(adze_tensor x, const char *axis, int at);
ADZE_API adze_tensor adze_expand(adze_tensor x, int at, const char *dim);
/** The listed axes last, in that order (PyTorch movedim). */
ADZE_API adze_tensor adze_to_last(adze_tensor x, const char *axes);
/** Elements from[k] up to below to[k] of the k-th listed axis; negative ones count from its end. */
ADZE_API adze_tensor adze_slice_box(adze_tensor x, const char *axes, const int64_t *from,
				    const int64_t *to);
/** size[k] elements along the k-th listed axis from the integer scalar start[k] on, all of the
 * others; x with `update` written there. Boxes are kept inside. */
ADZE_API adze_tensor adze_dynamic_slice_box(adze_tensor x, const char *axes,
					    const adze_tensor *start, const int64_t *size);
ADZE_API adze_tensor adze_dynamic_update_box(adze_tensor x, adze_tensor update, const char *axes,
					     const adze_tensor *start);
/** To the shape of another, by the rule of element-wise operations; each axis times[i] times. */
ADZE_API adze_tensor adze_broadcast_like(adze_tensor x, adze_tensor like);
ADZE_API adze_tensor adze_tile(adze_tensor x, const int64_t *times);
/** Padding of all axes at once: low[i] before and high[i] after axis i; negative cuts. */
ADZE_API adze_tensor adze_pad_all(adze_tensor x, const int64_t *low, const int64_t *high,
				  double value);
/** Turned by so many quarters from one axis towards another (NumPy rot90). */
ADZE_API adze_tensor adze_rot90(adze_tensor x, const char *from, const char *to, int quarters);
/** The bytes of all elements along one axis. */
ADZE_API adze_tensor adze_bytes(adze_tensor x, const char *name);
/** Elements with column - row = offset, as a last axis; their sum for offset 0; an axis as such a
 * diagonal, a new axis `column` behind it (PyTorch diagonal, trace, diag_embed). */
ADZE_API adze_tensor adze_diag(adze_tensor x, const char *row, const char *column,
			       int64_t offset);
ADZE_API adze_tensor adze_trace(adze_tensor x, const char *row, const char *column);
ADZE_API adze_tensor adze_to_diagonal(adze_tensor x, const char *axis, int64_t offset,
				      const char *column);
/** `n` vectors, each as a tensor with the axes of all, into `out`; all pairs (triples ...) of their
 * elements along a last axis `name` (NumPy meshgrid with ij indexing; cartesian product). */
ADZE_API adze_status adze_meshgrid(const adze_tensor *x, size_t n, adze_tensor *out);
ADZE_API adze_tensor adze_cartesian_at(const char *file, int line, const adze_tensor *x, size_t n,
				       const char *name);
#define adze_cartesian(...) adze_cartesian_at(__FILE__, __LINE__, __VA_ARGS__)
/** Windows of `size` that move by `step`: the axis counts them, a new one behind it their elements
 * (PyTorch unfold). */
ADZE_API adze_tensor adze_windows(adze_tensor x, const char *axis, int64_t size, int64_t step,
				  const char *name);
/** 0, 1, one value everywhere. */
ADZE_API adze_tensor adze_zeros(adze_graph *graph, adze_dtype dtype, const char *dims);
ADZE_API adze_tensor adze_ones(adze_graph *graph, adze_dtype dtype, const char *dims);
ADZE_API adze_tensor adze_zeros_like(adze_tensor x);
ADZE_API adze_tensor adze_ones_like(adze_tensor x);
ADZE_API adze_tensor adze_full_like(adze_tensor x, double value);
/** Powers of `base` from base^from to base^to. */
ADZE_API adze_tensor adze_logspace(adze_graph *graph, adze_dtype dtype, const char *dim,
				   double from, double to, double base);
/** Of dims "s t": whether query s may see key t, the last query the last key; the last `window` of
 * those (0: all). Whether place < length, along a new last axis `dim`. */
ADZE_API adze_tensor adze_causal_mask(adze_graph *graph, const char *dims, int64_t window);
ADZE_API adze_tensor adze_sequence_mask(adze_tensor lengths, const char *dim);

/** round(x / scale) + zero as integers of `dtype`, halves to even, kept to its range (StableHLO
 * uniform_quantize); (x - zero) scale in the type of the scale. `zero` may be the null tensor. Both
 * are scalars; or [n] for an axis; or have all axes, of which `axis` may have fewer elements, each
 * for a block of x. */
ADZE_API adze_tensor adze_quantize(adze_tensor x, adze_tensor scale, adze_tensor zero,
				   const char *axis, adze_dtype dtype);
ADZE_API adze_tensor adze_dequantize(adze_tensor x, adze_tensor scale, adze_tensor zero,
				     const char *axis);

/** The f32 that bytes (u8) stand for: blocks of a GGUF format ("q4_0", "q6_k") along the last axis,
 * [.., n / elements * bytes] to [.., n]. A product reads them as they lie. */
ADZE_API adze_tensor adze_dequantize_blocks(adze_tensor x, const char *format);

/* ---- samples: of `state`, as adze_rng_bits() takes it; *next, which may be NULL, the state for
 * more. f64 has 53 random bits, other floats have 24, computed in f32. ---- */

/** From low up to high; rounding may give `high`. */
ADZE_API adze_tensor adze_uniform(adze_tensor state, adze_dtype dtype, const char *dims,
				  double low, double high, adze_tensor *next);
/** Of that mean and standard deviation; of 0 and 1, within low and high. */
ADZE_API adze_tensor adze_normal(adze_tensor state, adze_dtype dtype, const char *dims,
				 double mean, double deviation, adze_tensor *next);
ADZE_API adze_tensor adze_truncated_normal(adze_tensor state, adze_dtype dtype, const char *dims,
					   double low, double high, adze_tensor *next);
/** Of density rate exp(-rate x); -log(-log(u)). */
ADZE_API adze_tensor adze_exponential(adze_tensor state, adze_dtype dtype, const char *dims,
				      double rate, adze_tensor *next);
ADZE_API adze_tensor adze_gumbel(adze_tensor state, adze_dtype dtype, const char *dims,
				 adze_tensor *next);
/** Integers from low on and below high. */
ADZE_API adze_tensor adze_randint(adze_tensor state, adze_dtype dtype, const char *dims,
				  int64_t low, int64_t high, adze_tensor *next);
/** True with probability p, in its shape; x / (1 - p), or 0 with probability p. */
ADZE_API adze_tensor adze_bernoulli(adze_tensor state, adze_tensor p, adze_tensor *next);
ADZE_API adze_tensor adze_dropout(adze_tensor state, adze_tensor x, double p, adze_tensor *next);
/** An index (i32) along an axis, which falls away, with the probabilities of its softmax. */
ADZE_API adze_tensor adze_categorical(adze_tensor state, adze_tensor logits, const char *axis,
				      adze_tensor *next);

#define adze_exp2(x) adze_exp2(ADZE_AT(x))
#define adze_log2(x) adze_log2(ADZE_AT(x))
#define adze_log10(x) adze_log10(ADZE_AT(x))
#define adze_asin(x) adze_asin(ADZE_AT(x))
#define adze_acos(x) adze_acos(ADZE_AT(x))
#define adze_atan(x) adze_atan(ADZE_AT(x))
#define adze_degrees(x) adze_degrees(ADZE_AT(x))
#define adze_radians(x) adze_radians(ADZE_AT(x))
#define adze_sinh(x) adze_sinh(ADZE_AT(x))
#define adze_cosh(x) adze_cosh(ADZE_AT(x))
#define adze_asinh(x) adze_asinh(ADZE_AT(x))
#define adze_acosh(x) adze_acosh(ADZE_AT(x))
#define adze_atanh(x) adze_atanh(ADZE_AT(x))
#define adze_trunc(x) adze_trunc(ADZE_AT(x))
#define adze_frac(x) adze_frac(ADZE_AT(x))
#define adze_logit(x) adze_logit(ADZE_AT(x))
#define adze_sinc(x) adze_sinc(ADZE_AT(x))
#define adze_relu6(x) adze_relu6(ADZE_AT(x))
#define adze_tanh_shrink(x) adze_tanh_shrink(ADZE_AT(x))
#define adze_copysign(a, b) adze_copysign(ADZE_AT(a), b)
#define adze_hypot(a, b) adze_hypot(ADZE_AT(a), b)
#define adze_log_add_exp(a, b) adze_log_add_exp(ADZE_AT(a), b)
#define adze_xlogy(a, b) adze_xlogy(ADZE_AT(a), b)
#define adze_prelu(a, b) adze_prelu(ADZE_AT(a), b)
#define adze_reglu(a, b) adze_reglu(ADZE_AT(a), b)
#define adze_mod(a, b) adze_mod(ADZE_AT(a), b)
#define adze_floor_div(a, b) adze_floor_div(ADZE_AT(a), b)
#define adze_scale(x, by) adze_scale(ADZE_AT(x), by)
#define adze_offset(x, by) adze_offset(ADZE_AT(x), by)
#define adze_div_by(x, by) adze_div_by(ADZE_AT(x), by)
#define adze_pow_by(x, power) adze_pow_by(ADZE_AT(x), power)
#define adze_threshold(x, least, otherwise) adze_threshold(ADZE_AT(x), least, otherwise)
#define adze_hard_shrink(x, within) adze_hard_shrink(ADZE_AT(x), within)
#define adze_soft_shrink(x, within) adze_soft_shrink(ADZE_AT(x), within)
#define adze_heaviside(x, at_zero) adze_heaviside(ADZE_AT(x), at_zero)
#define adze_nan_to_num(x, nan, high, low) adze_nan_to_num(ADZE_AT(x), nan, high, low)
#define adze_reduce_precision_to(x, exponent_bits, mantissa_bits) \
	adze_reduce_precision_to(ADZE_AT(x), exponent_bits, mantissa_bits)
#define adze_logical_and(a, b) adze_logical_and(ADZE_AT(a), b)
#define adze_logical_or(a, b) adze_logical_or(ADZE_AT(a), b)
#define adze_logical_xor(a, b) adze_logical_xor(ADZE_AT(a), b)
#define adze_logical_not(x) adze_logical_not(ADZE_AT(x))
#define adze_sign_bit(x) adze_sign_bit(ADZE_AT(x))
#define adze_is_close(a, b, relative, absolute) adze_is_close(ADZE_AT(a), b, relative, absolute)
#define adze_mask(x, keep, value) adze_mask(ADZE_AT(x), keep, value)
#define adze_count_nonzero(x, axes) adze_count_nonzero(ADZE_AT(x), axes)
#define adze_nan_sum(x, axes) adze_nan_sum(ADZE_AT(x), axes)
#define adze_nan_mean(x, axes) adze_nan_mean(ADZE_AT(x), axes)
#define adze_max_with_index(x, ...) adze_max_with_index(ADZE_AT(x), __VA_ARGS__)
#define adze_min_with_index(x, ...) adze_min_with_index(ADZE_AT(x), __VA_ARGS__)
#define adze_softmax_sink(x, axis, sink) adze_softmax_sink(ADZE_AT(x), axis, sink)
#define adze_softmin(x, axis) adze_softmin(ADZE_AT(x), axis)
#define adze_distance(a, b, axes, p) adze_distance(ADZE_AT(a), b, axes, p)
#define adze_cosine_similarity(a, b, axes, eps) adze_cosine_similarity(ADZE_AT(a), b, axes, eps)
#define adze_diff(x, axis) adze_diff(ADZE_AT(x), axis)
#define adze_matmul(a, b) adze_matmul(ADZE_AT(a), b)
#define adze_vecdot(a, b, axis) adze_vecdot(ADZE_AT(a), b, axis)
#define adze_cross(a, b, axis) adze_cross(ADZE_AT(a), b, axis)
#define adze_kron(a, b) adze_kron(ADZE_AT(a), b)
#define adze_unstack(x, ...) adze_unstack(ADZE_AT(x), __VA_ARGS__)
#define adze_move_axis(x, axis, at) adze_move_axis(ADZE_AT(x), axis, at)
#define adze_expand(x, at, dim) adze_expand(ADZE_AT(x), at, dim)
#define adze_to_last(x, axes) adze_to_last(ADZE_AT(x), axes)
#define adze_slice_box(x, ...) adze_slice_box(ADZE_AT(x), __VA_ARGS__)
#define adze_dynamic_slice_box(x, ...) adze_dynamic_slice_box(ADZE_AT(x), __VA_ARGS__)
#define adze_dynamic_update_box(x, ...) adze_dynamic_update_box(ADZE_AT(x), __VA_ARGS__)
#define adze_broadcast_like(x, like) adze_broadcast_like(ADZE_AT(x), like)
#define adze_tile(x, ...) adze_tile(ADZE_AT(x), __VA_ARGS__)
#define adze_pad_all(x, ...) adze_pad_all(ADZE_AT(x), __VA_ARGS__)
#define adze_rot90(x, from, to, quarters) adze_rot90(ADZE_AT(x), from, to, quarters)
#define adze_bytes(x, name) adze_bytes(ADZE_AT(x), name)
#define adze_diag(x, row, column, offset) adze_diag(ADZE_AT(x), row, column, offset)
#define adze_trace(x, row, column) adze_trace(ADZE_AT(x), row, column)
#define adze_to_diagonal(x, axis, offset, column) \
	adze_to_diagonal(ADZE_AT(x), axis, offset, column)
#define adze_windows(x, axis, size, step, name) adze_windows(ADZE_AT(x), axis, size, step, name)
#define adze_zeros(graph, dtype, dims) adze_zeros(ADZE_GRAPH_AT(graph), dtype, dims)
#define adze_ones(graph, dtype, dims) adze_ones(ADZE_GRAPH_AT(graph), dtype, dims)
#define adze_zeros_like(x) adze_zeros_like(ADZE_AT(x))
#define adze_ones_like(x) adze_ones_like(ADZE_AT(x))
#define adze_full_like(x, value) adze_full_like(ADZE_AT(x), value)
#define adze_logspace(graph, dtype, dim, from, to, base) \
	adze_logspace(ADZE_GRAPH_AT(graph), dtype, dim, from, to, base)
#define adze_causal_mask(graph, dims, window) adze_causal_mask(ADZE_GRAPH_AT(graph), dims, window)
#define adze_sequence_mask(lengths, dim) adze_sequence_mask(ADZE_AT(lengths), dim)
#define adze_quantize(x, scale, zero, axis, dtype) \
	adze_quantize(ADZE_AT(x), scale, zero, axis, dtype)
#define adze_dequantize(x, scale, zero, axis) adze_dequantize(ADZE_AT(x), scale, zero, axis)
#define adze_dequantize_blocks(x, format) adze_dequantize_blocks(ADZE_AT(x), format)
#define adze_uniform(state, ...) adze_uniform(ADZE_AT(state), __VA_ARGS__)
#define adze_normal(state, ...) adze_normal(ADZE_AT(state), __VA_ARGS__)
#define adze_truncated_normal(state, ...) adze_truncated_normal(ADZE_AT(state), __VA_ARGS__)
#define adze_exponential(state, ...) adze_exponential(ADZE_AT(state), __VA_ARGS__)
#define adze_gumbel(state, ...) adze_gumbel(ADZE_AT(state), __VA_ARGS__)
#define adze_randint(state, ...) adze_randint(ADZE_AT(state), __VA_ARGS__)
#define adze_bernoulli(state, ...) adze_bernoulli(ADZE_AT(state), __VA_ARGS__)
#define adze_dropout(state, ...) adze_dropout(ADZE_AT(state), __VA_ARGS__)
#define adze_categorical(state, ...) adze_categorical(ADZE_AT(state), __VA_ARGS__)

#endif
