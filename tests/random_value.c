/* SPDX-License-Identifier: Apache-2.0
 *
 * What the values of a random graph are, and how far off a device may be: operations that
 * round once in one order only must give the same bits; others get an error of their own,
 * and what it does to later results is measured on samples that were moved by it.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/random_graph.h"

#define MOST_ARGS 16

void random_symbols(const struct random_graph *r, int64_t *symbol)
{
	for (int i = 0; i < ADZE_MAX_SYMBOLS; i++)
		symbol[i] = i < r->g->nsymbol ? r->chosen[r->g->symbol[i].name[0] != 't'] : 0;
}

static size_t count_of(const struct random_graph *r, ir_val v)
{
	const adze_shape *s = ir_type(r->g, v);
	int64_t symbol[ADZE_MAX_SYMBOLS];
	size_t n = 1;
	random_symbols(r, symbol);
	for (int i = 0; i < s->rank; i++)
		n *= (size_t)ir_extent(r->g, &s->dim[i], symbol);
	return n;
}

static adze_dtype dtype_of(const struct random_graph *r, ir_val v)
{
	return ir_type(r->g, v)->dtype;
}

static const struct random_value *arg_value(const struct random_graph *r, ir_val v, size_t i)
{
	return &r->value[ir_arg(r->g, v, i)];
}

static enum ew reduces_by(const struct random_graph *r, ir_val v)
{
	return ir_get(r->g, v)->op == OP_REDUCE ? IR_ATTRS(reduce, r->g, v)->by
						: IR_ATTRS(window, r->g, v)->by;
}

/* Whether the result is a sum of floats, whose order is the device's. */
static bool is_sum(const struct random_graph *r, ir_val v)
{
	enum op_class c = ir_class(r->g, v);
	if (!dtype_is_float(dtype_of(r, v)))
		return false;
	if (c == CLASS_GEMM || c == CLASS_CONV)
		return true;
	int op = ir_get(r->g, v)->op;
	return (op == OP_REDUCE || op == OP_REDUCE_WINDOW) && reduces_by(r, v) == EW_ADD;
}

static bool is_product(const struct random_graph *r, ir_val v)
{
	int op = ir_get(r->g, v)->op;
	return (op == OP_REDUCE || op == OP_REDUCE_WINDOW) && dtype_is_float(dtype_of(r, v)) &&
	       reduces_by(r, v) == EW_MUL;
}

/* Functions whose last bits are the implementation's. */
static bool is_approximate(const struct random_graph *r, ir_val v)
{
	static const enum ew list[] = {EW_POW, EW_ATAN2, EW_EXP, EW_EXPM1, EW_LOG, EW_LOG1P,
				       EW_CBRT, EW_SIN, EW_COS, EW_TAN, EW_TANH, EW_ERF,
				       EW_ERF_INV, EW_LOGISTIC, EW_SILU, EW_GELU,
				       EW_GELU_TANH};
	enum ir_op op = (enum ir_op)ir_get(r->g, v)->op;
	if (!op_is_ew_row(op) || !dtype_is_float(dtype_of(r, v)))
		return false;
	for (size_t i = 0; i < COUNT_OF(list); i++)
		if (op_ew(op) == list[i])
			return true;
	return false;
}

/* Functions that jump where an operand moves a little. */
static bool jumps(const struct random_graph *r, ir_val v)
{
	static const enum ew list[] = {EW_FLOOR, EW_CEIL, EW_ROUND, EW_ROUND_AWAY, EW_REM,
				       EW_SIGN, EW_ATAN2, EW_REDUCE_PRECISION};
	enum ir_op op = (enum ir_op)ir_get(r->g, v)->op;
	bool moves = false;
	for (size_t i = 0; i < ir_get(r->g, v)->narg; i++)
		moves |= arg_value(r, v, i)->slack != NULL;
	if (!moves || !dtype_is_float(dtype_of(r, v)) || op == OP_BITCAST || op == OP_SORT)
		return moves;
	for (size_t i = 0; op_is_ew_row(op) && i < COUNT_OF(list); i++)
		if (op_ew(op) == list[i])
			return true;
	return false;
}

static bool evaluate(const struct random_graph *r, ir_val v, const void *const *args, void *out)
{
	int64_t symbol[ADZE_MAX_SYMBOLS];
	struct diag d = {ADZE_OK, ""};
	random_symbols(r, symbol);
	return ir_eval_node(r->g, v, symbol, args, out, &d) == ADZE_OK;
}

/* The operation on the magnitudes of its operands. */
static void evaluate_magnitudes(const struct random_graph *r, ir_val v, void *out)
{
	const void *args[MOST_ARGS] = {NULL};
	void *copy[MOST_ARGS];
	size_t n = ir_get(r->g, v)->narg;
	for (size_t k = 0; k < n; k++) {
		const struct random_value *x = arg_value(r, v, k);
		adze_dtype dtype = dtype_of(r, ir_arg(r->g, v, k));
		args[k] = copy[k] = malloc(x->bytes + 1);
		for (size_t i = 0; i < x->n; i++)
			dtype_store_float(dtype, copy[k], i,
					  fabs(dtype_load_float(dtype, x->data, i)));
	}
	evaluate(r, v, args, out);
	for (size_t k = 0; k < n; k++)
		free(copy[k]);
}

static double largest(const struct random_graph *r, ir_val v, const void *data)
{
	double most = 0;
	for (size_t i = 0; i < r->value[v].n; i++) {
		double x = fabs(dtype_load_float(dtype_of(r, v), data, i));
		most = x > most || isnan(x) ? x : most;
		if (isnan(most))
			return HUGE_VAL;
	}
	return most;
}

/* The largest magnitude among the operands. */
static double largest_operand(const struct random_graph *r, ir_val v)
{
	double most = 0;
	for (size_t i = 0; i < ir_get(r->g, v)->narg; i++)
		most = fmax(most, largest(r, ir_arg(r->g, v, i), arg_value(r, v, i)->data));
	return most;
}

/* Small multiples of 1/8 only: then no sum of f32 rounds, in whatever order. */
static bool sums_exactly(const struct random_graph *r, ir_val v)
{
	for (size_t k = 0; k < ir_get(r->g, v)->narg; k++) {
		const struct random_value *x = arg_value(r, v, k);
		adze_dtype dtype = dtype_of(r, ir_arg(r->g, v, k));
		for (size_t i = 0; i < x->n; i++) {
			double f = 8 * dtype_load_float(dtype, x->data, i);
			if (!(fabs(f) <= 512) || f != rint(f))
				return false;
		}
	}
	void *sums = calloc(1, r->value[v].bytes + 1);
	evaluate_magnitudes(r, v, sums);
	double most = largest(r, v, sums);
	free(sums);
	return most <= 65536;
}

/* Complex numbers are computed by one formula everywhere; but how sums of them are rounded on
 * the way, and what errors of parts become, is not followed. */
static bool is_complex(const struct random_graph *r, ir_val v)
{
	bool is = dtype_is_complex(dtype_of(r, v));
	for (size_t i = 0; i < ir_get(r->g, v)->narg; i++)
		is |= dtype_is_complex(dtype_of(r, ir_arg(r->g, v, i)));
	return is;
}

static bool complex_is_exact(const struct random_graph *r, ir_val v)
{
	enum op_class c = ir_class(r->g, v);
	for (size_t i = 0; i < ir_get(r->g, v)->narg; i++)
		if (arg_value(r, v, i)->slack != NULL)
			return false;
	return c == CLASS_EW || c == CLASS_VIEW || c == CLASS_MOVE || c == CLASS_SRC;
}

static bool is_exact(const struct random_graph *r, ir_val v)
{
	if (ir_get(r->g, v)->op == OP_EXTENT)
		return true;
	for (size_t i = 0; i < ir_get(r->g, v)->narg; i++)
		if (arg_value(r, v, i)->slack != NULL)
			return false;
	if (is_sum(r, v))
		return sums_exactly(r, v);
	return !is_product(r, v) && !is_approximate(r, v) && ir_class(r->g, v) != CLASS_ROW;
}

/* The distance of neighbours at x. */
static double ulp_of(adze_dtype dtype, double x)
{
	struct small_format f = dtype_info(dtype)->format;
	int e = 1 - f.bias;
	if (x != 0 && isfinite(x) && ilogb(x) > e)
		e = ilogb(x);
	return ldexp(1, e - f.mbits);
}

/* An operation that copies elements, or picks some, adds no error. */
static bool rounds(const struct random_graph *r, ir_val v)
{
	enum op_class c = ir_class(r->g, v);
	int op = ir_get(r->g, v)->op;
	return c != CLASS_VIEW && c != CLASS_MOVE && op != OP_SELECT && op != OP_GATHER;
}

/* Fills error[]; false where no bound is known. */
static bool find_errors(struct random_graph *r, ir_val v, double *error)
{
	struct random_value *y = &r->value[v];
	adze_dtype dtype = dtype_of(r, v);
	double eps = dtype == ADZE_F64 ? DBL_EPSILON : (double)FLT_EPSILON;
	double tiny = dtype == ADZE_F64 ? DBL_MIN : (double)FLT_MIN, top = largest_operand(r, v);
	double terms = 4;
	int op = ir_get(r->g, v)->op;
	void *scale = calloc(1, y->bytes + 1);
	bool ok = true;
	for (size_t i = 0; i < ir_get(r->g, v)->narg; i++)
		terms = fmax(terms, (double)arg_value(r, v, i)->n);
	if (is_sum(r, v)) {
		evaluate_magnitudes(r, v, scale);
		ok = largest(r, v, scale) < 1e37 && top < 1e37;
	} else if (ir_class(r->g, v) == CLASS_ROW || is_product(r, v)) {
		ok = top < 100 && (!is_product(r, v) || terms <= 20);
	}
	for (size_t i = 0; i < y->n; i++) {
		double f = fabs(dtype_load_float(dtype, y->data, i));
		error[i] = rounds(r, v) && isfinite(f) ? ulp_of(dtype, f) : 0;
		if (!isfinite(f))
			continue;
		/* Samples of a value and of a view of it may move alike. */
		for (size_t k = 0; op == OP_SUB && k < 2; k++)
			if (arg_value(r, v, k)->slack != NULL)
				error[i] += arg_value(r, v, k)->slack[i];
		if (is_sum(r, v))
			error[i] += eps * (fmin(terms, 64) * dtype_load_float(dtype, scale, i) +
					   terms * tiny);
		else if (is_product(r, v))
			error[i] += eps * terms * f + tiny;
		else if (ir_get(r->g, v)->op == OP_SOFTMAX)
			error[i] += eps * (terms + 2 * top + 32) * f + tiny;
		else if (ir_class(r->g, v) == CLASS_ROW)
			error[i] += eps * 8 * (1 + top) * (1 + top) * fmin(terms, 64);
		else if (is_approximate(r, v))
			error[i] += eps * (64 * f + 8 * (1 + fmin(top, 1e4))) + tiny;
	}
	free(scale);
	return ok && !(is_approximate(r, v) && top > 1e4 && !isinf(top));
}

/* Samples of the result: each element moved up, down, or to either side. */
static void take_samples(struct random_graph *r, ir_val v, const double *error)
{
	struct random_value *y = &r->value[v];
	adze_dtype dtype = dtype_of(r, v);
	const void *args[MOST_ARGS] = {NULL};
	for (int s = 0; s < RANDOM_SAMPLES; s++) {
		y->sample[s] = calloc(1, y->bytes + 1);
		for (size_t k = 0; k < ir_get(r->g, v)->narg; k++) {
			const struct random_value *x = arg_value(r, v, k);
			args[k] = x->slack != NULL ? x->sample[s] : x->data;
		}
		evaluate(r, v, args, y->sample[s]);
		for (size_t i = 0; i < y->n; i++) {
			double f = dtype_load_float(dtype, y->sample[s], i);
			double want = dtype_load_float(dtype, y->data, i);
			double side = random_pick(r, 2) ? 1 : -1;
			/* In half of them errors do not make up for those of operands. */
			if (s < RANDOM_SAMPLES / 2)
				side = f > want || (f == want && s % 2 == 0) ? 1 : -1;
			dtype_store_float(dtype, y->sample[s], i, f + side * error[i]);
		}
	}
}

/* The slack is what samples come apart, and some; false where it says nothing. */
static bool find_slack(struct random_graph *r, ir_val v, const double *error)
{
	struct random_value *y = &r->value[v];
	adze_dtype dtype = dtype_of(r, v);
	double most = 0, size = 0;
	y->slack = calloc(y->n + 1, sizeof *y->slack);
	for (size_t i = 0; i < y->n; i++) {
		double apart = 0, want = dtype_load_float(dtype, y->data, i);
		for (int s = 0; s < RANDOM_SAMPLES; s++) {
			double f = dtype_load_float(dtype, y->sample[s], i);
			if (isfinite(f) != isfinite(want) || isnan(f) != isnan(want))
				return false;
			if (isfinite(f))
				apart = fmax(apart, fabs(f - want));
		}
		y->slack[i] = 2 * error[i] + 4 * apart;
		most = fmax(most, y->slack[i]);
		size = isfinite(want) ? fmax(size, fabs(want)) : size;
	}
	return most <= 0.5 * size + 1e-30 || size == 0;
}

/* Whether errors of operands meet infinities or NaN, where bounds say nothing. */
static bool mixes(const struct random_graph *r, ir_val v)
{
	for (size_t i = 0; i < ir_get(r->g, v)->narg; i++)
		if (arg_value(r, v, i)->slack != NULL)
			return !(largest_operand(r, v) < 1e300) ||
			       !(largest(r, v, r->value[v].data) < 1e300);
	return false;
}

/* Whether an operand may be zero, or of either sign, where the function has a pole or an end. */
static bool nears_pole(const struct random_graph *r, ir_val v)
{
	int op = ir_get(r->g, v)->op;
	if (op != OP_DIV && op != OP_RSQRT && op != OP_SQRT && op != OP_LOG && op != OP_POW)
		return false;
	ir_val a = ir_arg(r->g, v, op == OP_DIV);
	const struct random_value *x = &r->value[a];
	for (size_t i = 0; x->slack != NULL && i < x->n; i++)
		if (!(fabs(dtype_load_float(dtype_of(r, a), x->data, i)) > x->slack[i]))
			return true;
	return false;
}

/* Whether the sign of a NaN counts, which nobody promises of one that was computed. */
static bool tells_nan_apart(const struct random_graph *r, ir_val v)
{
	int op = ir_get(r->g, v)->op;
	if (op != OP_TOTAL_LT && op != OP_TOTAL_LE)
		return false;
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < arg_value(r, v, k)->n; i++)
			if (isnan(dtype_load_float(dtype_of(r, ir_arg(r->g, v, k)),
						   arg_value(r, v, k)->data, i)))
				return true;
	return false;
}

bool random_value_find(struct random_graph *r, ir_val v)
{
	if (v >= r->cap) {
		size_t cap = 2 * v + 64;
		r->value = realloc(r->value, cap * sizeof *r->value);
		memset(r->value + r->cap, 0, (cap - r->cap) * sizeof *r->value);
		r->cap = cap;
	}
	struct random_value *y = &r->value[v];
	const void *args[MOST_ARGS] = {NULL};
	if (y->known)
		return y->usable;
	y->known = true;
	y->n = count_of(r, v);
	dtype_array_bytes(dtype_of(r, v), y->n, &y->bytes);
	if (y->data != NULL || ir_get(r->g, v)->narg > MOST_ARGS) /* a source's, given */
		return y->usable = y->data != NULL;
	y->data = calloc(1, y->bytes + 1);
	for (size_t i = 0; i < ir_get(r->g, v)->narg; i++) {
		if (!arg_value(r, v, i)->usable)
			return false;
		args[i] = arg_value(r, v, i)->data;
	}
	if (tells_nan_apart(r, v) || !evaluate(r, v, args, y->data))
		return false;
	if (is_complex(r, v))
		return y->usable = complex_is_exact(r, v);
	if (is_exact(r, v))
		return y->usable = true;
	if (jumps(r, v) || mixes(r, v) || nears_pole(r, v))
		return false;
	double *error = calloc(y->n + 1, sizeof *error);
	y->usable = find_errors(r, v, error);
	if (y->usable) {
		take_samples(r, v, error);
		y->usable = find_slack(r, v, error);
	}
	free(error);
	return y->usable;
}

/* Any NaN for NaN, part by part. */
static bool same_complex(adze_dtype dtype, const void *a, const void *b)
{
	double x[2], y[2];
	if (!dtype_is_complex(dtype))
		return false;
	dtype_load_complex(dtype, a, 0, x);
	dtype_load_complex(dtype, b, 0, y);
	for (int k = 0; k < 2; k++)
		if (isnan(x[k]) ? !isnan(y[k]) : memcmp(&x[k], &y[k], sizeof x[k]) != 0)
			return false;
	return true;
}

bool random_value_agrees(const struct random_graph *r, ir_val v, const void *got, char *words,
			 size_t cap)
{
	const struct random_value *y = &r->value[v];
	adze_dtype dtype = dtype_of(r, v);
	for (size_t i = 0; i < y->n; i++) {
		uint64_t a[2] = {0, 0}, b[2] = {0, 0};
		dtype_copy_at(dtype, a, 0, got, i);
		dtype_copy_at(dtype, b, 0, y->data, i);
		double f = dtype_is_float(dtype) ? dtype_load_float(dtype, got, i)
						 : (double)dtype_load_int(dtype, got, i);
		double want = dtype_is_float(dtype) ? dtype_load_float(dtype, y->data, i)
						    : (double)dtype_load_int(dtype, y->data, i);
		double slack = y->slack != NULL ? y->slack[i] : 0;
		if (same_complex(dtype, a, b) || memcmp(a, b, sizeof a) == 0 ||
		    (isnan(f) && isnan(want)))
			continue;
		if (y->slack != NULL && fabs(f - want) <= slack)
			continue;
		snprintf(words, cap, "element %zu of %zu: got %.17g, want %.17g, slack %g", i, y->n,
			 f, want, slack);
		return false;
	}
	return true;
}
