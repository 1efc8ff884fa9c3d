/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of builders, and those of element-wise operators.
 */
#include "tests/onnx_ops.h"

#include <math.h>
#include <string.h>

struct entry {
	const char *op;
	onnx_builder *build;
	int arg;
};

static const struct entry builder[] = {
#define ONNX(op, name, arg) {#op, onnx_do_##name, arg},
#include "tests/onnx_ops.def"
};

struct reason {
	const char *op, *words;
};

static const struct reason reason[] = {
#define SKIP(op, words) {#op, words},
#include "tests/onnx_skip.def"
};

const char *onnx_skip_reason(const char *op)
{
	for (size_t i = 0; i < sizeof reason / sizeof *reason; i++)
		if (strcmp(reason[i].op, op) == 0)
			return reason[i].words;
	return NULL;
}

static const struct entry *find_builder(const char *op)
{
	for (size_t i = 0; i < sizeof builder / sizeof *builder; i++)
		if (strcmp(builder[i].op, op) == 0)
			return &builder[i];
	return NULL;
}

bool onnx_build(struct onnx_build *b)
{
	const struct onnx_model *m = b->model;
	/* An operator without a builder decides, wherever it stands. */
	for (size_t i = 0; i < m->nnode; i++) {
		const char *op = m->node[i].op, *words = onnx_skip_reason(op);
		if (find_builder(op) != NULL)
			continue;
		if (words != NULL)
			ob_skip(b, words);
		else
			fail(&b->g->diag, ADZE_E_NOTFOUND, "%s is in neither table", op);
		return false;
	}
	for (size_t i = 0; i < m->nnode && b->skip == NULL; i++) {
		const struct entry *e = find_builder(m->node[i].op);
		b->node = &m->node[i];
		ir_at(b->g, e->op, (int)i + 1, 0);
		e->build(b, e->arg);
		if (b->g->diag.status != ADZE_OK)
			return false;
	}
	return b->skip == NULL;
}

void onnx_do_unary(struct onnx_build *b, int arg)
{
	ob_out(b, 0, ob_ew1(b, (enum ir_op)arg, ob_in(b, 0)));
}

void onnx_do_binary(struct onnx_build *b, int arg)
{
	ob_out(b, 0, ob_ew2(b, (enum ir_op)arg, ob_in(b, 0), ob_in(b, 1)));
}

void onnx_do_identity(struct onnx_build *b, int arg)
{
	(void)arg;
	ob_out(b, 0, ob_in(b, 0));
}

/* Max, Min, Sum of all operands; OP_DIV: their mean. */
void onnx_do_fold(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	enum ir_op op = arg == OP_DIV ? OP_ADD : (enum ir_op)arg;
	for (size_t i = 1; i < b->node->ninput; i++)
		x = ob_ew2(b, op, x, ob_in(b, i));
	ob_out(b, 0, arg == OP_DIV ? ob_ewk(b, OP_DIV, x, (double)b->node->ninput) : x);
}

static ir_val square(struct onnx_build *b, ir_val x)
{
	return ob_ew2(b, OP_MUL, x, x);
}

void onnx_do_asin(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), one = ob_fill(b, x, 1);
	(void)arg;
	ob_out(b, 0, ob_ew2(b, OP_ATAN2, x,
			    ob_ew1(b, OP_SQRT, ob_ew2(b, OP_SUB, one, square(b, x)))));
}

void onnx_do_acos(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), one = ob_fill(b, x, 1);
	(void)arg;
	ob_out(b, 0, ob_ew2(b, OP_ATAN2,
			    ob_ew1(b, OP_SQRT, ob_ew2(b, OP_SUB, one, square(b, x))), x));
}

void onnx_do_atan(struct onnx_build *b, int arg)
{
	(void)arg;
	ob_out(b, 0, ob_ewk(b, OP_ATAN2, ob_in(b, 0), 1));
}

static void log_of_root(struct onnx_build *b, double add)
{
	ir_val x = ob_in(b, 0);
	ir_val root = ob_ew1(b, OP_SQRT, ob_ewk(b, OP_ADD, square(b, x), add));
	ob_out(b, 0, ob_ew1(b, OP_LOG, ob_ew2(b, OP_ADD, x, root)));
}

void onnx_do_asinh(struct onnx_build *b, int arg)
{
	(void)arg;
	log_of_root(b, 1);
}

void onnx_do_acosh(struct onnx_build *b, int arg)
{
	(void)arg;
	log_of_root(b, -1);
}

void onnx_do_atanh(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	(void)arg;
	ob_out(b, 0, ob_ewk(b, OP_MUL,
			    ob_ew2(b, OP_SUB, ob_ew1(b, OP_LOG1P, x),
				   ob_ew1(b, OP_LOG1P, ob_ew1(b, OP_NEG, x))), 0.5));
}

void onnx_do_hyperbolic(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), up, down;
	if (arg) {
		up = ob_ew1(b, OP_EXP, x);
		down = ob_ew1(b, OP_EXP, ob_ew1(b, OP_NEG, x));
		up = ob_ew2(b, OP_ADD, up, down);
	} else {
		up = ob_ew1(b, OP_EXPM1, x);
		down = ob_ew1(b, OP_EXPM1, ob_ew1(b, OP_NEG, x));
		up = ob_ew2(b, OP_SUB, up, down);
	}
	ob_out(b, 0, ob_ewk(b, OP_MUL, up, 0.5));
}

void onnx_do_bit_shift(struct onnx_build *b, int arg)
{
	(void)arg;
	onnx_do_binary(b, ob_is(b, "direction", "LEFT") ? OP_SHL : OP_USHR);
}

void onnx_do_reciprocal(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	(void)arg;
	ob_out(b, 0, ob_ew2(b, OP_DIV, ob_fill(b, x, 1), x));
}

void onnx_do_cast(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	adze_dtype to = arg ? ob_dtype(b, ob_in(b, 1)) : onnx_dtype(ob_int(b, "to", 0));
	if (to == ADZE_DTYPE_COUNT)
		ob_skip(b, "strings");
	else
		ob_out(b, 0, ob_convert(b, x, to));
}

void onnx_do_clip(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	(void)arg;
	if (ob_has(b, 1))
		x = ob_ew2(b, OP_MAX, x, ob_in(b, 1));
	else if (onnx_attr(b->node, "min") != NULL)
		x = ob_ewk(b, OP_MAX, x, ob_float(b, "min", 0));
	if (ob_has(b, 2))
		x = ob_ew2(b, OP_MIN, x, ob_in(b, 2));
	else if (onnx_attr(b->node, "max") != NULL)
		x = ob_ewk(b, OP_MIN, x, ob_float(b, "max", 0));
	ob_out(b, 0, x);
}

/* x where positive, else scale * (exp(x / width) - 1). */
static ir_val soft_step(struct onnx_build *b, ir_val x, double scale, double width)
{
	ir_val low = ob_ew1(b, OP_EXPM1, width == 1 ? x : ob_ewk(b, OP_DIV, x, width));
	return ob_select(b, ob_ewk(b, OP_GT, x, 0), x, ob_ewk(b, OP_MUL, low, scale));
}

void onnx_do_elu(struct onnx_build *b, int arg)
{
	(void)arg;
	ob_out(b, 0, soft_step(b, ob_in(b, 0), ob_float(b, "alpha", 1), 1));
}

void onnx_do_celu(struct onnx_build *b, int arg)
{
	double alpha = ob_float(b, "alpha", 1);
	(void)arg;
	ob_out(b, 0, soft_step(b, ob_in(b, 0), alpha, alpha));
}

void onnx_do_selu(struct onnx_build *b, int arg)
{
	ir_val x = soft_step(b, ob_in(b, 0), ob_float(b, "alpha", 1.67326319217681884765625), 1);
	(void)arg;
	ob_out(b, 0, ob_ewk(b, OP_MUL, x, ob_float(b, "gamma", 1.05070102214813232421875)));
}

/* HardSigmoid; HardSwish is x times it, with its own slope. */
void onnx_do_hard_sigmoid(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	double slope = arg ? 1.0 / 6 : ob_float(b, "alpha", 0.2);
	ir_val y = ob_ewk(b, OP_ADD, ob_ewk(b, OP_MUL, x, slope), ob_float(b, "beta", 0.5));
	ir_val args[3] = {ob_fill(b, x, 0), y, ob_fill(b, x, 1)};
	y = ir_emit(b->g, OP_CLAMP, args, 3, NULL, NULL);
	ob_out(b, 0, arg ? ob_ew2(b, OP_MUL, x, y) : y);
}

static void slope_below(struct onnx_build *b, ir_val x, ir_val slope)
{
	ob_out(b, 0, ob_select(b, ob_ewk(b, OP_LT, x, 0), ob_ew2(b, OP_MUL, x, slope), x));
}

void onnx_do_leaky_relu(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	(void)arg;
	slope_below(b, x, ob_fill(b, x, ob_float(b, "alpha", 0.01)));
}

void onnx_do_prelu(struct onnx_build *b, int arg)
{
	(void)arg;
	slope_below(b, ob_in(b, 0), ob_in(b, 1));
}

void onnx_do_softplus(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	ir_val low = ob_ew1(b, OP_EXP, ob_ew1(b, OP_NEG, ob_ew1(b, OP_ABS, x)));
	(void)arg;
	ob_out(b, 0, ob_ew2(b, OP_ADD, ob_ew1(b, OP_RELU, x), ob_ew1(b, OP_LOG1P, low)));
}

void onnx_do_softsign(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	(void)arg;
	ob_out(b, 0, ob_ew2(b, OP_DIV, x, ob_ewk(b, OP_ADD, ob_ew1(b, OP_ABS, x), 1)));
}

void onnx_do_thresholded_relu(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	(void)arg;
	ob_out(b, 0, ob_select(b, ob_ewk(b, OP_GT, x, ob_float(b, "alpha", 1)), x,
			       ob_fill(b, x, 0)));
}

void onnx_do_shrink(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	double bias = ob_float(b, "bias", 0), lambd = ob_float(b, "lambd", 0.5);
	ir_val y = ob_select(b, ob_ewk(b, OP_GT, x, lambd), ob_ewk(b, OP_SUB, x, bias),
			     ob_fill(b, x, 0));
	(void)arg;
	ob_out(b, 0, ob_select(b, ob_ewk(b, OP_LT, x, -lambd), ob_ewk(b, OP_ADD, x, bias), y));
}

/* With fmod the dividend's sign, otherwise the divisor's. */
void onnx_do_mod(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), y = ob_in(b, 1), r = ob_ew2(b, OP_REM, x, y);
	(void)arg;
	if (ob_int(b, "fmod", 0) == 0) {
		ir_val differ = ob_ew2(b, OP_XOR, ob_ewk(b, OP_LT, r, 0), ob_ewk(b, OP_LT, y, 0));
		differ = ob_ew2(b, OP_AND, differ, ob_ewk(b, OP_NE, r, 0));
		r = ob_select(b, differ, ob_ew2(b, OP_ADD, r, y), r);
	}
	ob_out(b, 0, r);
}

/* The result has the base's type, whatever the exponent's. */
void onnx_do_pow(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), y = ob_in(b, 1);
	adze_dtype want = ob_dtype(b, x), other = ob_dtype(b, y);
	(void)arg;
	if (want != other) {
		adze_dtype wide = dtype_is_float(want) ? want
				  : dtype_is_float(other) ? ADZE_F64
							  : want;
		x = ob_convert(b, x, wide);
		y = ob_convert(b, y, wide);
	}
	ob_out(b, 0, ob_convert(b, ob_ew2(b, OP_POW, x, y), want));
}

void onnx_do_is_nan(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	(void)arg;
	ob_out(b, 0, ob_ew2(b, OP_NE, x, x));
}

void onnx_do_is_inf(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), none = ob_ewk(b, OP_LT, ob_fill(b, x, 0), 0);
	ir_val up = ob_int(b, "detect_positive", 1) ? ob_ewk(b, OP_EQ, x, INFINITY) : none;
	ir_val down = ob_int(b, "detect_negative", 1) ? ob_ewk(b, OP_EQ, x, -INFINITY) : none;
	(void)arg;
	ob_out(b, 0, ob_ew2(b, OP_OR, up, down));
}

void onnx_do_where(struct onnx_build *b, int arg)
{
	(void)arg;
	ob_out(b, 0, ob_select(b, ob_in(b, 0), ob_in(b, 1), ob_in(b, 2)));
}

/* Only as at inference: what is kept is everything. */
void onnx_do_dropout(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	bool training = ob_has(b, 2) && ob_known_int(b, ob_in(b, 2), 0) != 0;
	double ratio = ob_has(b, 1) ? ob_known_float(b, ob_in(b, 1), 0) : ob_float(b, "ratio", 0.5);
	(void)arg;
	if (training && ratio != 0) {
		ob_skip(b, "random numbers");
		return;
	}
	ob_out(b, 0, x);
	if (ob_wants(b, 1))
		ob_out(b, 1, ob_ew2(b, OP_EQ, ob_fill(b, x, 0), ob_fill(b, x, 0)));
}

/* x of one number an element, or one an entry of `axis`, as the operand's rank. */
static ir_val along(struct onnx_build *b, ir_val x, ir_val like, int axis)
{
	int64_t d[ADZE_MAX_RANK];
	adze_shape t = ob_type(b, x);
	if (t.rank != 1)
		return x;
	for (int i = 0; i < ADZE_MAX_RANK; i++)
		d[i] = 1;
	if (t.dim[0].size > 1 && axis >= 0)
		d[axis] = t.dim[0].size;
	return ob_reshape(b, x, ob_rank(b, like), d);
}

ir_val onnx_quantize(struct onnx_build *b, ir_val x, ir_val scale, ir_val zero, int axis)
{
	adze_dtype to = zero != 0 ? ob_dtype(b, zero) : ADZE_U8;
	x = ob_ew1(b, OP_ROUND, ob_ew2(b, OP_DIV, x, along(b, scale, x, axis)));
	if (zero != 0)
		x = ob_ew2(b, OP_ADD, x, along(b, ob_convert(b, zero, ob_dtype(b, x)), x, axis));
	return ob_convert(b, x, to);
}

void onnx_do_quantize(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	(void)arg;
	ob_out(b, 0, onnx_quantize(b, x, ob_in(b, 1), ob_has(b, 2) ? ob_in(b, 2) : 0,
				   ob_axis(b, x, ob_int(b, "axis", 1))));
}

ir_val onnx_centre(struct onnx_build *b, ir_val x, size_t zero, int axis)
{
	x = ob_convert(b, x, ADZE_I32);
	if (!ob_has(b, zero))
		return x;
	return ob_ew2(b, OP_SUB, x, along(b, ob_convert(b, ob_in(b, zero), ADZE_I32), x, axis));
}

void onnx_do_dequantize(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), scale = ob_in(b, 1);
	int axis = ob_axis(b, x, ob_int(b, "axis", 1));
	(void)arg;
	x = ob_convert(b, onnx_centre(b, x, 2, axis), ob_dtype(b, scale));
	ob_out(b, 0, ob_ew2(b, OP_MUL, x, along(b, scale, x, axis)));
}

void onnx_do_dynamic_quantize(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), nought = ir_scalar(b->g, ob_dtype(b, x), 0);
	bool all[ADZE_MAX_RANK];
	(void)arg;
	memset(all, true, sizeof all);
	ir_val top = ob_ew2(b, OP_MAX, ob_reduce(b, EW_MAX, x, all, false), nought);
	ir_val low = ob_ew2(b, OP_MIN, ob_reduce(b, EW_MIN, x, all, false), nought);
	ir_val scale = ob_ewk(b, OP_DIV, ob_ew2(b, OP_SUB, top, low), 255);
	ir_val zero = ob_ew1(b, OP_NEG, ob_ew2(b, OP_DIV, low, scale));
	zero = ob_convert(b, ob_ew1(b, OP_ROUND, zero), ADZE_U8);
	ob_out(b, 0, onnx_quantize(b, x, scale, zero, 0));
	ob_out(b, 1, scale);
	ob_out(b, 2, zero);
}
