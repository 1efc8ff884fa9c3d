/* SPDX-License-Identifier: Apache-2.0
 *
 * Kernels: the function types, each with its contract, and the table of implementations.
 *
 * A kernel allocates nothing, keeps nothing, fails never, reads no environment and asks
 * nothing of the CPU; any alignment, tails inside, strides in elements; what it writes does
 * not depend on how a caller split the work along rows or strips. Sums of f32, f16 and bf16
 * products are kept in f32, of f64 in f64, of integers in their own type with wrap; one
 * rounding on store. An operand may be the result itself where a contract says so; other
 * overlap is not allowed. n may be 0.
 */
#ifndef ADZE_KERNELS_H
#define ADZE_KERNELS_H

#include "base/block.h"
#include "base/cpu.h"
#include "base/ew.h"

/**
 * y[i] = f(a[i], b[i], c[i]) for i < n, element-wise, as ew.def defines f; operands that f
 * has not are ignored. y has the operands' type, or bool (0 or 1) for a predicate. y may be
 * any operand of the same type. Families: one a row of ew.def and element type it takes,
 * `add_f32`. Also `select_1`, `select_2`, `select_4`, `select_8` (bytes of an element):
 * y[i] = a[i] ? b[i] : c[i] with a of bool.
 */
typedef void ew_fn(void *y, const void *a, const void *b, const void *c, size_t n);

/**
 * A chain of element-wise functions of f32: a = x[i], then for each op in turn a = f(a),
 * f(a, b) or f(b, a), and y[i] = a in the end, bit for bit what the functions' own kernels make
 * of it; `chain_f32`. b is operand[i], *operand, or a. Functions: those that kernels_chains()
 * says; one of a single operand has form 0. y may be x or an operand. `past`: y goes past the
 * caches, as that of stream_fn.
 */
struct chain_op {
	uint8_t ew;   /* enum ew */
	uint8_t form; /* enum chain_form bits */
	const float *operand;
};
enum chain_form {
	CHAIN_OPERAND_ROW = 1, /* b is operand[i] */
	CHAIN_OPERAND_ONE = 2, /* b is *operand; neither: b is a */
	CHAIN_SECOND = 4       /* f(b, a) */
};
typedef void chain_f32_fn(float *y, const float *x, const struct chain_op *op, size_t nop,
			  size_t n, int past);
/** Whether a function of f32 can stand in a chain: it has one or two operands, gives a number,
 * and a vector form that pays. */
bool kernels_chains(enum ew f);

/** y[i] = x[i] as the other type, as dtype_convert(); `convert_f32_bf16`. y is not x. */
typedef void convert_fn(void *y, const void *x, size_t n);

/** y[i] = *x for i < n: `fill_1`, `fill_2`, `fill_4`, `fill_8`. */
typedef void fill_fn(void *y, const void *x, size_t n);

/**
 * The n bytes of x to y, past the caches where the machine can, for results that are larger than
 * they are: `stream_1`. Other threads may read what went past the caches once it has been called
 * with n of 0.
 */
typedef void stream_fn(void *y, const void *x, size_t n);

/**
 * y[i] = x[i * stride] for i < n; strides may be 0 or negative: `gather_1` ... `gather_8`.
 */
typedef void gather_fn(void *y, const void *x, size_t n, ptrdiff_t stride);

/**
 * *y = f over x[0..n), `*y` the function's start where n is 0: `reduce_add_f32` and so on,
 * one for each row of ew.def that is ASSOC and each type. The order of a float sum is fixed
 * by n alone.
 */
typedef void reduce_fn(void *y, const void *x, size_t n);

/**
 * acc[j] = f(acc[j], x[j]) for j < n, where acc is f32 for f16, bf16 and the 8-bit floats,
 * else of x's type: `reduce_step_add_bf16`. For reductions over axes that are not innermost.
 */
typedef void reduce_step_fn(void *acc, const void *x, size_t n);

/**
 * y[i] = exp(x[i] - max x) / sum over the row; `softmax_f32`, `_f16`, `_bf16`, `_f64`. A row
 * of -inf alone gives NaN, as the formula does. y may be x.
 */
typedef void softmax_fn(void *y, const void *x, size_t n);

/**
 * y[i] = (x[i] - mean) / sqrt(variance + eps) * scale[i] + bias[i], variance over n, two
 * passes: `layer_norm_f32`, `_f16`, `_bf16`, `_f64`. scale and bias, of x's type, may be
 * NULL. y may be x.
 */
typedef void layer_norm_fn(void *y, const void *x, const void *scale, const void *bias,
			   size_t n, double eps);

/** y[i] = x[i] / sqrt(mean of squares + eps) * scale[i]; `rms_norm_f32` ... scale may be NULL. */
typedef void rms_norm_fn(void *y, const void *x, const void *scale, size_t n, double eps);

/** Index of the largest (smallest) element, the first of equals; NaN wins: `argmax_f32` ... for
 * every type but bool and the 8-bit floats. n is at least 1. */
typedef int64_t arg_fn(const void *x, size_t n);

/**
 * c = a b over m x k and k x n matrices, overwriting c, which is f32. Element (i, j) of a is
 * a[i * a_row + j * a_col], of b likewise, of the family's types, taken as f32; rows of c are
 * c_row apart, columns adjacent. `work` has gemm_work bytes of the implementation's row,
 * aligned to 64. Every element's sum runs in an order that depends on k alone. k of 0 gives
 * zeros. `gemm_f32`, `gemm_f16`, `gemm_bf16`: both of the type; `gemm_f32_f16`,
 * `gemm_f32_bf16`: a of f32, b of the other; `gemm_f32_i8` and so on: a of f32, f16 or bf16, b of
 * f8e4m3fn, f8e5m2 or i8.
 */
typedef void gemm_fn(float *c, ptrdiff_t c_row, const void *a, ptrdiff_t a_row, ptrdiff_t a_col,
		     const void *b, ptrdiff_t b_row, ptrdiff_t b_col, size_t m, size_t n,
		     size_t k, void *work);

/**
 * y[i * y_row + j * y_col] = sum over p of x[i * x_row + p] w[j * w_row + p], i < m, j < n,
 * p < k: both with rows along the sum, as weights lie in files. x and y are f32, w of the
 * family's type, each weight taken as f32: `gemm_nt_f32`, `gemm_nt_f16`, `gemm_nt_bf16`,
 * `gemm_nt_f8e4m3fn`, `gemm_nt_f8e5m2`, and `gemm_nt_f32_i8` of i8. Reads
 * w once for 32 rows of x, 4 to 8 rows of it at once, and asks for the rows after those, so
 * that a few rows of x run at the speed of memory. The order of a sum depends on k alone: a
 * row comes out the same, whatever rows it shares the call with.
 */
typedef void gemm_nt_fn(float *y, ptrdiff_t y_row, ptrdiff_t y_col, const float *x,
			ptrdiff_t x_row, const void *w, ptrdiff_t w_row, size_t m, size_t n,
			size_t k);

/**
 * As gemm_nt_fn, of bytes, summed in i32 with wrap: x of i8 and w of i8, `gemm_nt_i8`; x of u8
 * and w of i8, `gemm_nt_u8_i8`. Exact.
 */
typedef void gemm_nt_int_fn(int32_t *y, ptrdiff_t y_row, ptrdiff_t y_col, const void *x,
			    ptrdiff_t x_row, const void *w, ptrdiff_t w_row, size_t m, size_t n,
			    size_t k);

/**
 * Rows of f32 whose products with weights in blocks are made of bytes. Each 32 numbers x are
 * scale * q, q from -127 to 127 the nearest integers and scale a 127th of the largest magnitude,
 * so that no number is off by more than a 254th of that. Numbers of less than 1e-30 all together
 * count as 0; 32 with NaN or an infinity among them have a scale of NaN.
 * A product with weights w is then off by no more than the sum over each 32 of
 * max |x| / 254 * sum |w|, besides the rounding of sums.
 */
struct block_rows {
	size_t k;             /* of a row; a multiple of the format's elements */
	const int8_t *q;      /* [rows][k] */
	const float *scale;   /* [rows][k / 32] */
	/* [rows][k / part]: block_base() times the sum of q over a part; as the bits of an f32,
	 * where the format has minimums, scale times the sum. */
	const int32_t *more;
};
/** Most rows of x in a product of them. */
#define BLOCK_ROWS 128

/** What is taken off a format's integers so that they are unsigned: the least, or, where they
 * then have more than 7 bits, -128. */
static inline int block_base(const struct block_format *f)
{
	return f->most - f->least > 127 ? -128 : f->least;
}

/** One row of struct block_rows, of k numbers, for products with weights of `f`: `round_rows`. */
typedef void round_rows_fn(int8_t *q, float *scale, int32_t *more, const float *x, size_t k,
			   const struct block_format *f);

/**
 * y[i * y_row + j * y_col] = sum over k of x[i] w[j], i < m <= BLOCK_ROWS, j < n: row j of w lies
 * in blocks of `b`, w_row bytes after the one before: `gemm_nt_blocks`. Sums over a part of a
 * block are of integers, exact; they are scaled and summed up in f32, in the order of the parts.
 * A row comes out the same, whatever rows and columns it shares the call with. `work` has
 * gemm_work bytes, aligned to 64.
 */
typedef void gemm_nt_blocks_fn(enum block_kind b, float *y, ptrdiff_t y_row, ptrdiff_t y_col,
			       const struct block_rows *x, const void *w, ptrdiff_t w_row, size_t m,
			       size_t n, void *work);

/** y[j] = sum over i of w[i * w_row + j] x[i]: rows across the sum: `gemv_nn_f32`. */
typedef void gemv_nn_f32_fn(float *y, const float *x, const float *w, ptrdiff_t w_row, size_t n,
			    size_t k);

/**
 * Attention by tiles of some rows of queries and ATTEND_KEYS keys at most (devices/cpu/
 * cpu_attend.c). mr and nr are those of the row of attend_scores_f32; a sliver is mr rows.
 *
 * `attend_pack_f32`, `_f16`, `_bf16`: panels of w rows each, as f32. Element (i, p), i < n,
 * p < k, is x[i * across + p * along] and goes to to[(i / w * k + p) * w + i % w]; what fills up
 * the last panel is 0. `to` has room for ATTEND_PAD floats more.
 */
#define ATTEND_KEYS 256
#define ATTEND_PAD 16
typedef void attend_pack_fn(float *to, const void *x, ptrdiff_t across, ptrdiff_t along, size_t n,
			    size_t k, size_t w);

/** s[i * ATTEND_KEYS + j] = sum over p < d of q[p * mr + i] k[(j / nr * d + p) * nr + j % nr] for
 * i < mr and j < n rounded up to nr: `attend_scores_f32`. */
typedef void attend_scores_fn(float *s, const float *q, const float *k, size_t d, size_t n,
			      size_t mr, size_t nr);

/**
 * Scores to weights, in place, with running maximum and sum (M. Milakov and N. Gimelshein,
 * arXiv:1805.02867), for rows ATTEND_KEYS apart, of n each: most becomes the larger of most and
 * factor * s, scale = exp(old most - most), s = exp(factor * s - most), total = total * scale +
 * their sum: `attend_soften_f32`. factor > 0. While most is -infinity, 0 stands for it, and scale
 * is 1. NaN makes no maximum, but a total of NaN. What is less than most by 106 weighs 0.
 */
typedef void attend_soften_fn(float *s, size_t rows, size_t n, float factor, float *most,
			      float *total, float *scale);

/** y[(c / nr * mr + i) * nr + c % nr], i < mr, c < dv rounded up to nr, becomes that * scale[i] +
 * sum over j < n of p[i * ATTEND_KEYS + j] v[c / nr * v_panel + j * nr + c % nr]:
 * `attend_values_f32`. */
typedef void attend_values_fn(float *y, const float *scale, const float *p, const float *v,
			      ptrdiff_t v_panel, size_t n, size_t dv, size_t mr, size_t nr);

/** s[i * ATTEND_KEYS + j] = sum over p < d of q[i * q_row + p] k[j * k_row + p] for few rows and
 * j < n: `attend_dots_f32`, `_f16`, `_bf16` by the type of k. */
typedef void attend_dots_fn(float *s, const float *q, ptrdiff_t q_row, const void *k,
			    ptrdiff_t k_row, size_t rows, size_t n, size_t d);

/** y[i * y_row + c] = sum over j < n of p[i * ATTEND_KEYS + j] v[j * v_row + c] for few rows and
 * c < dv: `attend_few_f32`, `_f16`, `_bf16` by the type of v. */
typedef void attend_few_fn(float *y, ptrdiff_t y_row, const float *p, const void *v,
			   ptrdiff_t v_row, size_t rows, size_t n, size_t dv);

/** Shape of a two-dimensional convolution or pooling, dense NCHW. */
struct window2d {
	size_t channels, height, width;         /* of x */
	size_t out_channels, out_height, out_width; /* of y; pooling: out_channels = channels */
	size_t groups;                          /* convolution: both channel counts are multiples */
	size_t window[2], stride[2], dilation[2];
	ptrdiff_t pad[2];                       /* before the first row and column; may be < 0 */
};

/** A part of a convolution's result: channels from .. to of rows top .. bottom and columns
 * left .. right; none of them is empty. */
struct conv_part {
	size_t from, to, top, bottom, left, right;
};

/**
 * What becomes of a convolution's results before they leave the cache: of each sum, relu((sum -
 * sub[o]) * mul[o] + add[o] + other), every step rounded, without the steps that are NULL or
 * false; o is the channel, `other` lies as y does. Then `run`, where there is one, is told of each
 * range of channels that are there for all of the part.
 */
struct conv_after {
	const float *sub, *mul, *add, *other;
	int relu;
	void (*run)(void *self, size_t first, size_t end);
	void *self;
};

/**
 * One image: a part of y, of x of channels x height x width and w of out_channels x (channels /
 * groups) x window: `conv2d_f32`. Places outside x count as zero. `work` has the conv_work()
 * bytes of window.h, aligned to 64. Every sum runs in an order that the shape alone decides.
 */
typedef void conv2d_f32_fn(float *y, const float *x, const float *w, const struct window2d *s,
			   const struct conv_part *p, void *work, const struct conv_after *after);

/**
 * One image, channels from <= c < to: the largest, or the sum, over each window; places outside
 * x do not count: `pool_max_f32`, `pool_add_f32`.
 */
typedef void pool_f32_fn(float *y, const float *x, const struct window2d *s, size_t from,
			 size_t to);

/** A row of impls.def. */
struct kernel_impl {
	const char *family;   /* "add_f32" */
	const char *function; /* "add_f32_avx2" */
	enum isa isa;
	void (*run)(void); /* the function, cast; the family tells its type */
	uint16_t mr, nr;   /* gemm, attend_scores: the register tile; 0 elsewhere */
	size_t gemm_work;  /* gemm: bytes of `work` */
};

/** A row of kernels.def: what all implementations of a family share. */
struct kernel_family {
	const char *name;
	const char *type;   /* the function type's name, "ew_fn" */
	double ulp;         /* most units in the last place from the scalar row, ... */
	double relative;    /* ... or this share of the sum of magnitudes */
	double flops, bytes; /* for each element, for bench and profile; 0: not meaningful */
};

/** All rows, in their order; `*n` is their number. */
const struct kernel_impl *kernels_impls(size_t *n);
const struct kernel_family *kernels_families(size_t *n);

/** The row of kernels.def of that name; NULL where there is none. As fast as kernels_find(). */
const struct kernel_family *kernels_family(const char *name);

/**
 * The best row of a family for a CPU with `isa_mask` (bits 1 << enum isa; cpu_isa_mask()): of
 * those it can run, the one whose instruction set comes last. GENERIC rows are never chosen.
 * NULL where the family is unknown. Half a microsecond; no state.
 */
const struct kernel_impl *kernels_find(const char *family, unsigned isa_mask);

#endif
