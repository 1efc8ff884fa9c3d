/* SPDX-License-Identifier: Apache-2.0
 *
 * Pass `simplify`: algebra. A rule looks at one node of the new graph and gives a value
 * that is the same bit for bit, or the node itself. What is true of all floats, NaN, -0 and
 * infinities too, is done; what is only nearly true (x + 0, x * 0, a * b * c) is not. One rule
 * has the order of a sum for its own: a reduction by a body is left that.
 */
#include "ir/simplify.h"

#include <math.h>
#include <string.h>

/* Far more than a chain of rules on one node has; a guard against rules that undo others. */
#define MOST_STEPS 100

/* A value as all rules leave it; what rules make besides their result goes through it. */
static ir_val settle(adze_graph *g, ir_val v);

const void *ir_find_splat(const adze_graph *g, ir_val v)
{
	while (ir_class(g, v) == CLASS_VIEW && op_of(g, v) != OP_BITCAST &&
	       op_of(g, v) != OP_BARRIER)
		v = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_CONST)
		return NULL;
	const struct ir_data *data = &IR_ATTRS(data, g, v)->data;
	size_t size = dtype_bytes(ir_type(g, v)->dtype);
	/* A packed element is no bytes that could be compared, or stand alone. */
	if (data->len < size || dtype_is_packed(ir_type(g, v)->dtype) ||
	    memcmp(data->bytes, (const char *)data->bytes + size, data->len - size) != 0)
		return NULL;
	return data->bytes;
}

/* A value of `like`'s shape and the type of `scalar`, all of whose elements are that. */
ir_val simplify_splat(adze_graph *g, ir_val scalar, ir_val like)
{
	adze_shape type = *ir_type(g, like);
	if (type.rank == 0 || scalar == 0)
		return scalar;
	type.dtype = ir_type(g, scalar)->dtype;
	struct attrs_axes none = {.axes = {.n = 0}};
	return ir_emit1(g, OP_BROADCAST, scalar, &none, &type);
}

ir_val simplify_element(adze_graph *g, adze_dtype dtype, const void *element)
{
	adze_shape scalar = shape_make(dtype, 0, NULL);
	return ir_const(g, &scalar, element);
}

/* ---- element-wise ---- */

static bool is_ew2(const adze_graph *g, ir_val v)
{
	return op_is_ew_row(op_of(g, v)) && ir_get(g, v)->narg == 2;
}

ir_val simplify_put_constant_right(adze_graph *g, ir_val v)
{
	if (!is_ew2(g, v) || !(ew_info(op_ew(op_of(g, v)))->flags & EW_COMM))
		return v;
	ir_val a = ir_arg(g, v, 0), b = ir_arg(g, v, 1);
	if (ir_find_splat(g, b) != NULL || op_of(g, b) == OP_CONST)
		return v;
	if (ir_find_splat(g, a) == NULL && op_of(g, a) != OP_CONST)
		return v;
	return ir_emit2(g, op_of(g, v), b, a, NULL);
}

/* The element e with f(x, e) = x for all x, into `out`; false where there is none. */
static bool neutral_element(enum ew f, adze_dtype dtype, void *out)
{
	const struct ew_info *info = ew_info(f);
	enum ew as = f;
	if (f == EW_SUB || f == EW_SHL || f == EW_SHR || f == EW_USHR)
		as = EW_ADD;
	else if (f == EW_DIV || f == EW_POW)
		as = EW_MUL;
	else if (!(info->flags & EW_ASSOC) || info->start == EW_NONE)
		return false;
	/* Complex products of infinities with 1 are NaN; powers of two have no zero. */
	if (dtype_is_complex(dtype) || dtype == ADZE_F8E8M0FNU)
		return false;
	ew_start_element(as, dtype, out);
	/* A sum of floats starts at +0, and -0 + +0 is +0: what changes nothing is -0. */
	if (dtype_is_float(dtype) && info->start == EW_ZERO)
		dtype_store_float(dtype, out, 0, -0.0);
	return true;
}

ir_val simplify_drop_neutral(adze_graph *g, ir_val v)
{
	uint64_t element = 0;
	if (!is_ew2(g, v))
		return v;
	adze_dtype dtype = ir_type(g, ir_arg(g, v, 0))->dtype;
	const void *right = ir_find_splat(g, ir_arg(g, v, 1));
	if (right == NULL || !neutral_element(op_ew(op_of(g, v)), dtype, &element) ||
	    memcmp(right, &element, dtype_bytes(dtype)) != 0)
		return v;
	return ir_arg(g, v, 0);
}

ir_val simplify_take_absorbing(adze_graph *g, ir_val v)
{
	/* f(x, e) = e where e is what the other function starts with. */
	static const enum ew other[][2] = {{EW_MUL, EW_ADD}, {EW_AND, EW_OR}, {EW_OR, EW_AND},
					   {EW_MAX, EW_MIN}, {EW_MIN, EW_MAX}};
	adze_dtype dtype = ir_type(g, v)->dtype;
	if (!is_ew2(g, v) || dtype_is_float(dtype) || dtype_is_complex(dtype))
		return v;
	const void *right = ir_find_splat(g, ir_arg(g, v, 1));
	for (size_t i = 0; right != NULL && i < COUNT_OF(other); i++) {
		uint64_t element = 0;
		ew_start_element(other[i][1], dtype, &element);
		if (op_ew(op_of(g, v)) == other[i][0] &&
		    memcmp(right, &element, dtype_bytes(dtype)) == 0)
			return ir_arg(g, v, 1);
	}
	return v;
}

ir_val simplify_join_equal(adze_graph *g, ir_val v)
{
	if (is_ew2(g, v) && (ew_info(op_ew(op_of(g, v)))->flags & EW_IDEM) &&
	    ir_arg(g, v, 0) == ir_arg(g, v, 1))
		return ir_arg(g, v, 0);
	return v;
}

ir_val simplify_drop_twice(adze_graph *g, ir_val v)
{
	enum ir_op op = op_of(g, v);
	if ((op == OP_NEG || op == OP_NOT) && op_of(g, ir_arg(g, v, 0)) == op &&
	    ir_type(g, v)->dtype != ADZE_F8E8M0FNU) /* which has no sign */
		return ir_arg(g, ir_arg(g, v, 0), 0);
	return v;
}

ir_val simplify_drop_again(adze_graph *g, ir_val v)
{
	switch (op_of(g, v)) {
	case OP_ABS:
	case OP_SIGN:
	case OP_RELU:
	case OP_FLOOR:
	case OP_CEIL:
	case OP_ROUND:
	case OP_ROUND_AWAY:
		return op_of(g, ir_arg(g, v, 0)) == op_of(g, v) ? ir_arg(g, v, 0) : v;
	default: return v;
	}
}

ir_val simplify_choose(adze_graph *g, ir_val v)
{
	if (op_of(g, v) != OP_SELECT)
		return v;
	if (ir_arg(g, v, 1) == ir_arg(g, v, 2))
		return ir_arg(g, v, 1);
	const uint8_t *which = ir_find_splat(g, ir_arg(g, v, 0));
	return which == NULL ? v : ir_arg(g, v, *which ? 1 : 2);
}

ir_val simplify_drop_not(adze_graph *g, ir_val v)
{
	static const enum ir_op other[][2] = {{OP_EQ, OP_NE}, {OP_LT, OP_GE}, {OP_GT, OP_LE}};
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) == OP_SELECT && op_of(g, x) == OP_NOT) {
		ir_val arg[3] = {ir_arg(g, x, 0), ir_arg(g, v, 2), ir_arg(g, v, 1)};
		return ir_emit(g, OP_SELECT, arg, 3, NULL, NULL);
	}
	if (op_of(g, v) != OP_NOT || ir_type(g, v)->dtype != ADZE_BOOL)
		return v;
	for (size_t i = 0; i < 2 * COUNT_OF(other); i++) {
		enum ir_op from = other[i / 2][i % 2], to = other[i / 2][1 - i % 2];
		/* With NaN, neither of two is less. */
		if (op_of(g, x) == from &&
		    (i < 2 || !dtype_is_float(ir_type(g, ir_arg(g, x, 0))->dtype)))
			return ir_emit2(g, to, ir_arg(g, x, 0), ir_arg(g, x, 1), NULL);
	}
	return v;
}

ir_val simplify_move_sign(adze_graph *g, ir_val v)
{
	enum ir_op op = op_of(g, v);
	if ((op != OP_ADD && op != OP_SUB && op != OP_MUL) ||
	    dtype_is_complex(ir_type(g, v)->dtype) || ir_type(g, v)->dtype == ADZE_F8E8M0FNU)
		return v;
	ir_val a = ir_arg(g, v, 0), b = ir_arg(g, v, 1);
	bool first = op_of(g, a) == OP_NEG, second = op_of(g, b) == OP_NEG;
	if (op == OP_MUL)
		return first && second
			       ? ir_emit2(g, OP_MUL, ir_arg(g, a, 0), ir_arg(g, b, 0), NULL)
			       : v;
	if (second)
		return ir_emit2(g, op == OP_ADD ? OP_SUB : OP_ADD, a, ir_arg(g, b, 0), NULL);
	return first && op == OP_ADD ? ir_emit2(g, OP_SUB, b, ir_arg(g, a, 0), NULL) : v;
}

/* Division by a power of two is multiplication by another, if that is a number, too; a square
 * is computed in double and rounded once, like a product, in types of up to 32 bits. */
ir_val simplify_use_product(adze_graph *g, ir_val v)
{
	adze_dtype dtype = ir_type(g, v)->dtype;
	uint64_t element = 0;
	int exponent;
	if ((op_of(g, v) != OP_DIV && op_of(g, v) != OP_POW) || !dtype_is_float(dtype) ||
	    dtype_is_packed(dtype) || dtype == ADZE_F8E8M0FNU)
		return v;
	const void *right = ir_find_splat(g, ir_arg(g, v, 1));
	double by = right != NULL ? dtype_load_float(dtype, right, 0) : 0;
	if (op_of(g, v) == OP_POW)
		return by == 2 && dtype_info(dtype)->bits <= 32
			       ? ir_emit2(g, OP_MUL, ir_arg(g, v, 0), ir_arg(g, v, 0), NULL)
			       : v;
	if (by == 0 || !isfinite(by) || fabs(frexp(by, &exponent)) != 0.5)
		return v;
	dtype_store_float(dtype, &element, 0, 1 / by);
	if (dtype_load_float(dtype, &element, 0) != 1 / by)
		return v;
	ir_val scale = simplify_splat(g, simplify_element(g, dtype, &element), ir_arg(g, v, 1));
	return ir_emit2(g, OP_MUL, ir_arg(g, v, 0), scale, NULL);
}

/* The numbers of a type: m * 2^e below 2^top, where m has `digits` bits and e >= low. */
struct numbers {
	bool negative, zero, minus_zero, infinite, nan;
	int digits, low, top;
};

static struct numbers numbers_of(adze_dtype dtype)
{
	const struct dtype_info *info = dtype_info(dtype);
	struct small_format f = info->format;
	if (info->class == DTYPE_FLOAT)
		return (struct numbers){
			.negative = f.special != SMALL_SCALE,
			.zero = f.special != SMALL_SCALE,
			.minus_zero = f.special != SMALL_SCALE && f.special != SMALL_FNUZ,
			.infinite = f.special == SMALL_IEEE,
			.nan = f.special != SMALL_FINITE,
			.digits = f.mbits + 1,
			.low = (f.special != SMALL_SCALE) - f.bias - f.mbits,
			.top = (1 << f.ebits) - f.bias - (f.special == SMALL_IEEE)};
	if (info->class == DTYPE_UINT || info->class == DTYPE_BOOL) {
		int bits = info->class == DTYPE_BOOL ? 1 : info->bits;
		return (struct numbers){.zero = true, .digits = bits, .top = bits};
	}
	/* The least one, -2^(bits - 1), is a power of two: only `top` must reach it. */
	return (struct numbers){.negative = true, .zero = true, .digits = info->bits - 1,
				.top = info->bits};
}

/* Whether every number of `from` is one of `to`. */
static bool holds_all(adze_dtype to, adze_dtype from)
{
	struct numbers a = numbers_of(from), b = numbers_of(to);
	enum small_special special = dtype_info(to)->format.special;
	if (to == from)
		return true;
	if (to == ADZE_BOOL || (dtype_is_float(from) && !dtype_is_float(to)) ||
	    dtype_is_complex(to) || dtype_is_complex(from))
		return false;
	/* The code of the largest is NaN. */
	b.top -= special == SMALL_FN || special == SMALL_SCALE;
	return a.negative <= b.negative && a.zero <= b.zero && a.minus_zero <= b.minus_zero &&
	       a.infinite <= b.infinite && a.nan <= b.nan && a.digits <= b.digits &&
	       a.low >= b.low && a.top <= b.top;
}

ir_val simplify_drop_convert(adze_graph *g, ir_val v)
{
	if (op_of(g, v) != OP_CONVERT)
		return v;
	ir_val x = ir_arg(g, v, 0);
	adze_dtype to = ir_type(g, v)->dtype, through = ir_type(g, x)->dtype;
	if (to == through)
		return x;
	if (op_of(g, x) != OP_CONVERT || dtype_is_complex(to))
		return v;
	ir_val first = ir_arg(g, x, 0);
	adze_dtype from = ir_type(g, first)->dtype;
	if (!holds_all(through, from))
		return v;
	/* Floats to integers keep to the range, integers to integers wrap. */
	if (!dtype_is_float(from) && dtype_is_float(through) && dtype_is_int(to) &&
	    !holds_all(to, from))
		return v;
	adze_shape type = *ir_type(g, v);
	return ir_emit1(g, OP_CONVERT, first, NULL, &type);
}

ir_val simplify_compute_splat(adze_graph *g, ir_val v)
{
	const struct ir_node *n = ir_get(g, v);
	ir_val scalar[3];
	size_t narg = n->narg;
	if (ir_type(g, v)->rank == 0)
		return v;
	for (size_t i = 0; i < narg; i++)
		if (ir_find_splat(g, ir_arg(g, v, i)) == NULL)
			return v;
	for (size_t i = 0; i < narg; i++) {
		ir_val x = ir_arg(g, v, i);
		scalar[i] = simplify_element(g, ir_type(g, x)->dtype, ir_find_splat(g, x));
	}
	adze_shape type = shape_make(ir_type(g, v)->dtype, 0, NULL);
	ir_val y = ir_emit(g, op_of(g, v), scalar, narg, NULL, &type);
	return simplify_splat(g, ir_fold_value(g, y), v);
}

/* Whether it is worth computing what is behind this view rather than the view: there is half as
 * much of it at most, or it is what one of the ways to keep an axis makes of a sum. */
static bool computes_before(const adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) == OP_BROADCAST)
		return shape_count(ir_type(g, x)) <= shape_count(ir_type(g, v)) / 2;
	enum op_class class = ir_class(g, x);
	return simplify_is_squeeze(g, v) && class != CLASS_VIEW && class != CLASS_SRC;
}

ir_val simplify_compute_before(adze_graph *g, ir_val v)
{
	const struct ir_node *n = ir_get(g, v);
	size_t narg = n->narg;
	ir_val arg[3], view = 0;
	for (size_t i = 0; i < narg; i++) {
		ir_val a = ir_arg(g, v, i);
		if (ir_find_splat(g, a) != NULL)
			continue;
		if (ir_class(g, a) != CLASS_VIEW || (view == 0 && !computes_before(g, a)))
			return v;
		view = view == 0 ? a : view;
		if (op_of(g, a) != op_of(g, view) ||
		    !same_shape(g, ir_arg(g, a, 0), ir_arg(g, view, 0)) ||
		    !attrs_equal(op_info(op_of(g, a))->attrs, ir_get(g, a)->attrs,
				 ir_get(g, view)->attrs))
			return v;
	}
	if (view == 0 || narg > COUNT_OF(arg) || dtype_is_packed(ir_type(g, v)->dtype))
		return v;
	for (size_t i = 0; i < narg; i++) {
		ir_val a = ir_arg(g, v, i);
		const void *element = ir_find_splat(g, a);
		if (element == NULL) {
			arg[i] = ir_arg(g, a, 0);
			continue;
		}
		arg[i] = simplify_element(g, ir_type(g, a)->dtype, element);
		arg[i] = simplify_splat(g, arg[i], ir_arg(g, view, 0));
	}
	adze_shape small = *ir_type(g, ir_arg(g, view, 0)), type = *ir_type(g, v);
	const void *attrs = ir_get(g, view)->attrs;
	small.dtype = type.dtype;
	enum ir_op op = op_of(g, view);
	ir_val y = settle(g, ir_emit(g, op_of(g, v), arg, narg, NULL, &small));
	return ir_emit1(g, op, y, attrs, &type);
}

/* ---- reductions ---- */

/* The associative function that a body is, and that what it begins with is neutral to. */
static bool find_function(const adze_graph *g, int64_t body, ir_val init, enum ew *out)
{
	const adze_graph *b = ir_body(g, body);
	uint64_t start[2] = {0, 0};
	ir_val y = b->noutput == 1 ? b->output[0].value : 0;
	adze_dtype dtype = ir_type(g, init)->dtype;
	if (y == 0 || !is_ew2(b, y) || op_of(b, ir_arg(b, y, 0)) != OP_INPUT ||
	    op_of(b, ir_arg(b, y, 1)) != OP_INPUT || ir_arg(b, y, 0) == ir_arg(b, y, 1))
		return false;
	*out = op_ew(op_of(b, y));
	const void *from = ir_find_splat(g, init);
	if (from == NULL || !(ew_info(*out)->flags & EW_ASSOC) ||
	    dtype_is_complex(dtype) || dtype == ADZE_F8E8M0FNU)
		return false;
	ew_start_element(*out, dtype, start);
	return memcmp(from, start, dtype_bytes(dtype)) == 0;
}

/* A few rows of a table in blocks, and not all of it, become f32. */
ir_val simplify_take_blocks(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_TAKE || op_of(g, x) != OP_DEQUANTIZE_BLOCKS ||
	    IR_ATTRS(axis, g, v)->axis == ir_type(g, x)->rank - 1)
		return v;
	struct attrs_axis axis = *IR_ATTRS(axis, g, v);
	struct attrs_dequantize_blocks blocks = *IR_ATTRS(dequantize_blocks, g, x);
	const ir_val args[2] = {ir_arg(g, x, 0), ir_arg(g, v, 1)};
	ir_val rows = ir_emit(g, OP_TAKE, args, 2, &axis, NULL);
	return ir_emit1(g, OP_DEQUANTIZE_BLOCKS, rows, &blocks, NULL);
}

ir_val simplify_use_reduce(adze_graph *g, ir_val v)
{
	enum ew by;
	if (op_of(g, v) == OP_REDUCE_BODY && ir_get(g, v)->narg == 2) {
		const struct attrs_reduce_body *a = IR_ATTRS(reduce_body, g, v);
		if (!find_function(g, a->body, ir_arg(g, v, 1), &by))
			return v;
		struct attrs_reduce reduce = {.by = by, .axes = a->axes};
		return ir_emit1(g, OP_REDUCE, ir_arg(g, v, 0), &reduce, NULL);
	}
	if (op_of(g, v) != OP_REDUCE_WINDOW_BODY || ir_get(g, v)->narg != 2)
		return v;
	const struct attrs_window_body *a = IR_ATTRS(window_body, g, v);
	for (int i = 0; i < a->window.n; i++)
		if (dims_or(&a->base, i, 1) != 1 || dims_or(&a->low, i, 0) < 0 ||
		    dims_or(&a->high, i, 0) < 0)
			return v;
	if (!find_function(g, a->body, ir_arg(g, v, 1), &by))
		return v;
	struct attrs_window window = {.by = by, .window = a->window, .stride = a->stride,
				      .low = a->low, .high = a->high, .dilation = a->dilation};
	return ir_emit1(g, OP_REDUCE_WINDOW, ir_arg(g, v, 0), &window, NULL);
}

/* ---- the pass ---- */

struct rule {
	enum op_class class;
	ir_val (*run)(adze_graph *g, ir_val v);
};

static const struct rule rule[] = {
#define RULE(cls, run) {CLASS_##cls, simplify_##run},
	RULES(RULE)
#undef RULE
};

ir_val ir_keep_type(adze_graph *g, ir_val v, ir_val y)
{
	if (y == 0 || ir_get(g, y)->type == ir_get(g, v)->type)
		return y;
	adze_shape type = *ir_type(g, v);
	return ir_emit1(g, OP_RESHAPE, y, NULL, &type);
}

static ir_val step(adze_graph *g, ir_val v)
{
	for (size_t i = 0; i < COUNT_OF(rule); i++) {
		if (rule[i].class != ir_class(g, v))
			continue;
		ir_val y = ir_keep_type(g, v, rule[i].run(g, v));
		if (y != v)
			return y;
	}
	return ir_fold_value(g, v);
}

static ir_val settle(adze_graph *g, ir_val v)
{
	for (int i = 0; v != 0 && i < MOST_STEPS; i++) {
		ir_val y = step(g, v);
		if (y == v)
			break;
		v = y;
	}
	return v;
}

static ir_val improve(struct ir_map *map, ir_val old)
{
	return settle(map->to, ir_clone(map, old));
}

adze_status ir_simplify(adze_graph **g, struct diag *d)
{
	return ir_rewrite(g, improve, NULL, d);
}
