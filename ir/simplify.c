/* SPDX-License-Identifier: Apache-2.0
 *
 * Pass `simplify`: algebra. A rule looks at one node of the new graph and gives a value
 * that is the same bit for bit, or the node itself. What is true of all floats, NaN, -0 and
 * infinities too, is done; what is only nearly true (x + 0, x * 0, a * b * c) is not. One rule
 * has the order of a sum for its own: a reduction by a body is left that.
 */
#include "ir/pass.h"

#include <string.h>

/* Rules, in the order they are tried, by the class of the nodes they look at. */
#define RULES(RULE)                                                                \
	RULE(EW, put_constant_right)  /* c + x: x + c */                           \
	RULE(EW, drop_neutral)        /* x * 1, x / 1, x - 0, x + -0, max(x, -inf): x */ \
	RULE(EW, take_absorbing)      /* integers: x * 0: 0, x & 0: 0 */           \
	RULE(EW, join_equal)          /* max(x, x): x */                           \
	RULE(EW, drop_twice)          /* -(-x): x */                               \
	RULE(EW, drop_again)          /* abs(abs(x)): abs(x) */                    \
	RULE(EW, choose)              /* select(true, x, y): x, select(c, x, x): x */ \
	RULE(EW, drop_convert)        /* to the type it has, or through a wider one */ \
	RULE(EW, compute_splat)       /* f(all 1, all 2): all f(1, 2) */           \
	RULE(VIEW, move_splat)        /* all 1, moved: all 1 */                    \
	RULE(VIEW, join_reshapes)     /* of a reshape, or to the shape it has */   \
	RULE(VIEW, join_transposes)   /* of a transpose, or in order */            \
	RULE(VIEW, join_broadcasts)   /* of a broadcast, or to the shape it has */ \
	RULE(VIEW, drop_bitcast)      /* to the type it has, or through another */ \
	RULE(VIEW, drop_reverse)      /* twice, or of nothing */                   \
	RULE(VIEW, drop_slice)        /* of everything */                          \
	RULE(MOVE, drop_pad)          /* of nothing */                             \
	RULE(MOVE, drop_concat)       /* of one */                                 \
	RULE(MOVE, take_blocks)       /* of what blocks stand for: the blocks first */ \
	RULE(PLAIN, use_reduce)       /* by a body that is one associative function */

/* Far more than a chain of rules on one node has; a guard against rules that undo others. */
#define MOST_STEPS 100

static enum ir_op op_of(const adze_graph *g, ir_val v)
{
	return (enum ir_op)ir_get(g, v)->op;
}

/* The one element that all of `v` is, looking through views; NULL where it has several. */
static const void *find_splat(const adze_graph *g, ir_val v)
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
static ir_val emit_splat(adze_graph *g, ir_val scalar, ir_val like)
{
	adze_shape type = *ir_type(g, like);
	if (type.rank == 0 || scalar == 0)
		return scalar;
	struct attrs_axes none = {.axes = {.n = 0}};
	return ir_emit1(g, OP_BROADCAST, scalar, &none, &type);
}

static ir_val emit_element(adze_graph *g, adze_dtype dtype, const void *element)
{
	adze_shape scalar = shape_make(dtype, 0, NULL);
	return ir_const(g, &scalar, element);
}

/* ---- element-wise ---- */

static bool is_ew2(const adze_graph *g, ir_val v)
{
	return op_is_ew_row(op_of(g, v)) && ir_get(g, v)->narg == 2;
}

static ir_val put_constant_right(adze_graph *g, ir_val v)
{
	if (!is_ew2(g, v) || !(ew_info(op_ew(op_of(g, v)))->flags & EW_COMM))
		return v;
	ir_val a = ir_arg(g, v, 0), b = ir_arg(g, v, 1);
	if (find_splat(g, b) != NULL || op_of(g, b) == OP_CONST)
		return v;
	if (find_splat(g, a) == NULL && op_of(g, a) != OP_CONST)
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

static ir_val drop_neutral(adze_graph *g, ir_val v)
{
	uint64_t element = 0;
	if (!is_ew2(g, v))
		return v;
	adze_dtype dtype = ir_type(g, ir_arg(g, v, 0))->dtype;
	const void *right = find_splat(g, ir_arg(g, v, 1));
	if (right == NULL || !neutral_element(op_ew(op_of(g, v)), dtype, &element) ||
	    memcmp(right, &element, dtype_bytes(dtype)) != 0)
		return v;
	return ir_arg(g, v, 0);
}

static ir_val take_absorbing(adze_graph *g, ir_val v)
{
	/* f(x, e) = e where e is what the other function starts with. */
	static const enum ew other[][2] = {{EW_MUL, EW_ADD}, {EW_AND, EW_OR}, {EW_OR, EW_AND},
					   {EW_MAX, EW_MIN}, {EW_MIN, EW_MAX}};
	adze_dtype dtype = ir_type(g, v)->dtype;
	if (!is_ew2(g, v) || dtype_is_float(dtype) || dtype_is_complex(dtype))
		return v;
	const void *right = find_splat(g, ir_arg(g, v, 1));
	for (size_t i = 0; right != NULL && i < COUNT_OF(other); i++) {
		uint64_t element = 0;
		ew_start_element(other[i][1], dtype, &element);
		if (op_ew(op_of(g, v)) == other[i][0] &&
		    memcmp(right, &element, dtype_bytes(dtype)) == 0)
			return ir_arg(g, v, 1);
	}
	return v;
}

static ir_val join_equal(adze_graph *g, ir_val v)
{
	if (is_ew2(g, v) && (ew_info(op_ew(op_of(g, v)))->flags & EW_IDEM) &&
	    ir_arg(g, v, 0) == ir_arg(g, v, 1))
		return ir_arg(g, v, 0);
	return v;
}

static ir_val drop_twice(adze_graph *g, ir_val v)
{
	enum ir_op op = op_of(g, v);
	if ((op == OP_NEG || op == OP_NOT) && op_of(g, ir_arg(g, v, 0)) == op &&
	    ir_type(g, v)->dtype != ADZE_F8E8M0FNU) /* which has no sign */
		return ir_arg(g, ir_arg(g, v, 0), 0);
	return v;
}

static ir_val drop_again(adze_graph *g, ir_val v)
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

static ir_val choose(adze_graph *g, ir_val v)
{
	if (op_of(g, v) != OP_SELECT)
		return v;
	if (ir_arg(g, v, 1) == ir_arg(g, v, 2))
		return ir_arg(g, v, 1);
	const uint8_t *which = find_splat(g, ir_arg(g, v, 0));
	return which == NULL ? v : ir_arg(g, v, *which ? 1 : 2);
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

static ir_val drop_convert(adze_graph *g, ir_val v)
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

static ir_val compute_splat(adze_graph *g, ir_val v)
{
	const struct ir_node *n = ir_get(g, v);
	ir_val scalar[3];
	size_t narg = n->narg;
	if (ir_type(g, v)->rank == 0)
		return v;
	for (size_t i = 0; i < narg; i++)
		if (find_splat(g, ir_arg(g, v, i)) == NULL)
			return v;
	for (size_t i = 0; i < narg; i++) {
		ir_val x = ir_arg(g, v, i);
		scalar[i] = emit_element(g, ir_type(g, x)->dtype, find_splat(g, x));
	}
	adze_shape type = shape_make(ir_type(g, v)->dtype, 0, NULL);
	ir_val y = ir_emit(g, op_of(g, v), scalar, narg, NULL, &type);
	return emit_splat(g, ir_fold_value(g, y), v);
}

/* ---- views ---- */

static ir_val move_splat(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	const void *element = find_splat(g, x);
	if (element == NULL || op_of(g, v) == OP_BITCAST || op_of(g, v) == OP_BARRIER ||
	    (op_of(g, v) == OP_BROADCAST && ir_type(g, x)->rank == 0 &&
				op_of(g, x) == OP_CONST))
		return v;
	return emit_splat(g, emit_element(g, ir_type(g, v)->dtype, element), v);
}

static bool same_shape(const adze_graph *g, ir_val x, ir_val y)
{
	return shape_same_extents(ir_type(g, x), ir_type(g, y));
}

static ir_val join_reshapes(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_RESHAPE)
		return v;
	if (ir_get(g, v)->type == ir_get(g, x)->type)
		return x;
	if (op_of(g, x) != OP_RESHAPE)
		return v;
	adze_shape type = *ir_type(g, v);
	return ir_emit1(g, OP_RESHAPE, ir_arg(g, x, 0), NULL, &type);
}

static bool in_order(const struct ir_dims *axes)
{
	for (int i = 0; i < axes->n; i++)
		if (axes->at[i] != i)
			return false;
	return true;
}

/* first, then second: axis i of the operand comes to second[first[i]]. */
static struct attrs_axes compose(const struct ir_dims *first, const struct ir_dims *second)
{
	struct attrs_axes both = {.axes = {.n = first->n}};
	for (int i = 0; i < first->n; i++)
		both.axes.at[i] = second->at[first->at[i]];
	return both;
}

static ir_val join_transposes(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_TRANSPOSE)
		return v;
	if (in_order(&IR_ATTRS(axes, g, v)->axes))
		return x;
	if (op_of(g, x) != OP_TRANSPOSE)
		return v;
	/* Here the lists say where an axis comes from: the outer one is looked up first. */
	struct attrs_axes both = compose(&IR_ATTRS(axes, g, v)->axes, &IR_ATTRS(axes, g, x)->axes);
	return ir_emit1(g, OP_TRANSPOSE, ir_arg(g, x, 0), &both, NULL);
}

static ir_val join_broadcasts(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_BROADCAST)
		return v;
	if (same_shape(g, x, v) && in_order(&IR_ATTRS(axes, g, v)->axes))
		return x;
	if (op_of(g, x) != OP_BROADCAST)
		return v;
	struct attrs_axes both = compose(&IR_ATTRS(axes, g, x)->axes, &IR_ATTRS(axes, g, v)->axes);
	adze_shape type = *ir_type(g, v);
	return ir_emit1(g, OP_BROADCAST, ir_arg(g, x, 0), &both, &type);
}

static ir_val drop_bitcast(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_BITCAST)
		return v;
	if (op_of(g, x) == OP_BITCAST)
		x = ir_arg(g, x, 0);
	/* What has the same extents has elements as wide. */
	if (ir_type(g, x)->dtype == ir_type(g, v)->dtype)
		return x;
	return v;
}

/* The axes along which a reverse moves anything, as bits. */
static unsigned reversed_axes(const adze_graph *g, ir_val v)
{
	const struct ir_dims *axes = &IR_ATTRS(axes, g, v)->axes;
	unsigned set = 0;
	for (int i = 0; i < axes->n; i++)
		if (ir_type(g, v)->dim[axes->at[i]].size > 1)
			set |= 1u << axes->at[i];
	return set;
}

static ir_val drop_reverse(adze_graph *g, ir_val v)
{
	ir_val x = ir_arg(g, v, 0);
	if (op_of(g, v) != OP_REVERSE)
		return v;
	if (reversed_axes(g, v) == 0)
		return x;
	if (op_of(g, x) == OP_REVERSE && reversed_axes(g, x) == reversed_axes(g, v))
		return ir_arg(g, x, 0);
	return v;
}

static ir_val drop_slice(adze_graph *g, ir_val v)
{
	/* With the operand's extent the result has all of it: places do not repeat. */
	if (op_of(g, v) == OP_SLICE && same_shape(g, ir_arg(g, v, 0), v))
		return ir_arg(g, v, 0);
	return v;
}

/* ---- moves ---- */

static ir_val drop_pad(adze_graph *g, ir_val v)
{
	if (op_of(g, v) != OP_PAD)
		return v;
	const struct attrs_pad *a = IR_ATTRS(pad, g, v);
	for (int i = 0; i < a->low.n; i++)
		if (a->low.at[i] != 0 || a->high.at[i] != 0 || dims_or(&a->interior, i, 0) != 0)
			return v;
	return ir_arg(g, v, 0);
}

static ir_val drop_concat(adze_graph *g, ir_val v)
{
	return op_of(g, v) == OP_CONCAT && ir_get(g, v)->narg == 1 ? ir_arg(g, v, 0) : v;
}

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
	const void *from = find_splat(g, init);
	if (from == NULL || !(ew_info(*out)->flags & EW_ASSOC) ||
	    dtype_is_complex(dtype) || dtype == ADZE_F8E8M0FNU)
		return false;
	ew_start_element(*out, dtype, start);
	return memcmp(from, start, dtype_bytes(dtype)) == 0;
}

/* A few rows of a table in blocks, and not all of it, become f32. */
static ir_val take_blocks(adze_graph *g, ir_val v)
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

static ir_val use_reduce(adze_graph *g, ir_val v)
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
#define RULE(cls, run) {CLASS_##cls, run},
	RULES(RULE)
#undef RULE
};

/* `y` with the names of axes that `v` has: who uses it sees no other type. */
static ir_val keep_type(adze_graph *g, ir_val v, ir_val y)
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
		ir_val y = keep_type(g, v, rule[i].run(g, v));
		if (y != v)
			return y;
	}
	return ir_fold_value(g, v);
}

static ir_val improve(struct ir_map *map, ir_val old)
{
	ir_val v = ir_clone(map, old);
	for (int i = 0; v != 0 && i < MOST_STEPS; i++) {
		ir_val y = step(map->to, v);
		if (y == v)
			break;
		v = y;
	}
	return v;
}

adze_status ir_simplify(adze_graph **g, struct diag *d)
{
	return ir_rewrite(g, improve, NULL, d);
}
