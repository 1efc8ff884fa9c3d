/* SPDX-License-Identifier: Apache-2.0
 *
 * Pass `widen`: types of less than 8 bits, and floats of 8 bits that no device has kernels for,
 * are computed in a type of whole bytes (i8, u8, f32): operands are converted, the operation is
 * done there, its result is converted back. It means what ir/eval.c says of the narrow type:
 * integers wrap when they are cut, floats are computed in f32 and rounded once. What depends on
 * the width (shifts to the right, counts of bits, where a reduction starts) is put right. What
 * only puts elements elsewhere moves whole bytes; behind this pass only inputs, weights,
 * constants, convert, reshape and bitcast see packed elements.
 */
#include "ir/pass.h"

/* What an operation does to elements. */
enum use { USE_NONE, USE_MOVES, USE_COMPUTES };

static enum use use_of(const adze_graph *g, ir_val v)
{
	const struct op_info *info = op_info((enum ir_op)ir_get(g, v)->op);
	struct ir_results r;
	switch (ir_get(g, v)->op) {
	case OP_INPUT:
	case OP_WEIGHT:
	case OP_CONST:
	case OP_EXTENT:
	case OP_CONVERT:
	case OP_RESHAPE:
	case OP_BITCAST:
	case OP_BARRIER:
	case OP_PART: return USE_NONE;
	case OP_GATHER:
	case OP_IOTA:
	case OP_SELECT: return USE_MOVES;
	default: break;
	}
	/* Bodies are graphs of their own; packs hold results as the types that they have. */
	if (info->attrs->has_bodies)
		return USE_NONE;
	if (info->class == CLASS_PLAIN && ir_results(g, v, &r) && r.n > 1)
		return USE_NONE;
	return info->class == CLASS_VIEW || info->class == CLASS_MOVE ? USE_MOVES : USE_COMPUTES;
}

/* The type that elements have instead while `v` looks at them. */
static adze_dtype wide_of(const adze_graph *g, ir_val v, adze_dtype dtype)
{
	const struct dtype_info *info = dtype_info(dtype);
	enum use use = use_of(g, v);
	enum op_class c = ir_class(g, v);
	bool has_kernels = dtype == ADZE_F8E4M3FN || dtype == ADZE_F8E5M2;
	/* Those are for storage: nothing walks along rows of them. */
	if (c == CLASS_ROW || c == CLASS_PLAIN || ir_get(g, v)->op == OP_ARGMAX ||
	    ir_get(g, v)->op == OP_ARGMIN)
		has_kernels = false;
	if (use == USE_NONE)
		return dtype;
	if (info->class == DTYPE_FLOAT && (info->bits < 8 || (info->bits == 8 && !has_kernels &&
							     use == USE_COMPUTES)))
		/* Totals of f8e8m0fnu may be less than f32 has, and are no zeros. */
		return dtype == ADZE_F8E8M0FNU && (c == CLASS_REDUCE || c == CLASS_WINDOW ||
						   ir_get(g, v)->op == OP_CUMULATIVE)
			       ? ADZE_F64 : ADZE_F32;
	if (info->bits < 8)
		return info->class == DTYPE_INT ? ADZE_I8 : ADZE_U8;
	return dtype;
}

static ir_val emit_convert(adze_graph *g, ir_val x, adze_dtype dtype)
{
	if (x == 0 || ir_type(g, x)->dtype == dtype)
		return x;
	adze_shape type = *ir_type(g, x);
	type.dtype = dtype;
	return ir_emit1(g, OP_CONVERT, x, NULL, &type);
}

/* f(x, a number for each element): of integers, or of f32. */
static ir_val emit_with(adze_graph *g, enum ir_op op, ir_val x, double number)
{
	if (x == 0)
		return 0;
	adze_shape type = *ir_type(g, x);
	struct attrs_axes none = {.axes = {.n = 0}};
	ir_val scalar = ir_scalar(g, type.dtype, number);
	if (type.rank > 0)
		scalar = ir_emit1(g, OP_BROADCAST, scalar, &none, &type);
	return ir_emit2(g, op, x, scalar, NULL);
}

/* The other integers of that width. */
static adze_dtype turn_sign(adze_dtype dtype)
{
	switch (dtype) {
	case ADZE_I2: return ADZE_U2;
	case ADZE_U2: return ADZE_I2;
	case ADZE_I4: return ADZE_U4;
	case ADZE_U4: return ADZE_I4;
	default: return dtype;
	}
}

/* The first operand as an operation wants it that looks at bits beyond the width: with zeros
 * there, or for shr copies of the sign. */
static ir_val fill_high_bits(adze_graph *g, enum ir_op op, ir_val x, adze_dtype *wide)
{
	adze_dtype dtype = ir_type(g, x)->dtype;
	bool signs = op == OP_SHR, zeros = op == OP_USHR || op == OP_POPCNT || op == OP_CLZ;
	if (!dtype_is_packed(dtype) || !(signs || zeros))
		return x;
	*wide = signs ? ADZE_I8 : ADZE_U8;
	bool is_signed = dtype_info(dtype)->class == DTYPE_INT;
	return is_signed == signs ? x : emit_convert(g, x, turn_sign(dtype));
}

/* A reduction of nothing gives where it starts, and the wide type starts further out. */
static ir_val keep_start(adze_graph *g, enum ew by, adze_dtype narrow, ir_val y)
{
	enum ew_start start = ew_info(by)->start;
	uint64_t element = 0;
	if (y == 0 || (start != EW_LOWEST && start != EW_HIGHEST) ||
	    dtype_info(narrow)->format.special == SMALL_IEEE)
		return y;
	ew_start_element(by, narrow, &element);
	double most = dtype_is_float(narrow) ? ew_start_float(by, narrow)
					     : (double)dtype_load_int(narrow, &element, 0);
	return emit_with(g, start == EW_LOWEST ? OP_MAX : OP_MIN, y, most);
}

/* `v` on wide operands, in args; `wide` is the type of its result there. */
static ir_val emit_wide(struct ir_map *map, ir_val v, const ir_val *args, adze_dtype wide)
{
	const struct ir_node *n = ir_get(map->from, v);
	adze_graph *g = map->to;
	adze_shape type = *ir_type(map->from, v);
	adze_dtype narrow = type.dtype;
	type.dtype = wide;
	ir_val y = ir_emit(g, (enum ir_op)n->op, args, n->narg, n->attrs, &type);
	if (n->op == OP_REDUCE)
		return keep_start(g, IR_ATTRS(reduce, map->from, v)->by, narrow, y);
	if (n->op == OP_REDUCE_WINDOW)
		return keep_start(g, IR_ATTRS(window, map->from, v)->by, narrow, y);
	if (n->op == OP_CUMULATIVE)
		return keep_start(g, IR_ATTRS(cumulative, map->from, v)->by, narrow, y);
	if (n->op == OP_CLZ && dtype_is_packed(narrow))
		return emit_with(g, OP_SUB, y, 8 - dtype_info(narrow)->bits);
	return y;
}

static bool is_narrow(const adze_graph *g, ir_val v)
{
	bool narrow = wide_of(g, v, ir_type(g, v)->dtype) != ir_type(g, v)->dtype;
	for (size_t i = 0; i < ir_get(g, v)->narg; i++) {
		adze_dtype dtype = ir_type(g, ir_arg(g, v, i))->dtype;
		narrow |= wide_of(g, v, dtype) != dtype;
	}
	return narrow;
}

static ir_val widen(struct ir_map *map, ir_val v)
{
	const struct ir_node *n = ir_get(map->from, v);
	adze_graph *g = map->to;
	adze_dtype dtype = ir_type(map->from, v)->dtype, wide = wide_of(map->from, v, dtype);
	if (!is_narrow(map->from, v))
		return ir_clone(map, v);
	ir_val *args = mem_new(g->arena.from, n->narg, sizeof *args);
	if (args == NULL) {
		fail(&g->diag, ADZE_E_NOMEM, "no memory for the graph");
		return 0;
	}
	for (size_t i = 0; i < n->narg; i++) {
		ir_val x = map->at[ir_arg(map->from, v, i)];
		adze_dtype as = wide_of(map->from, v, ir_type(g, x)->dtype);
		if (i == 0) {
			adze_dtype before = as;
			x = fill_high_bits(g, (enum ir_op)n->op, x, &as);
			wide = as != before ? as : wide;
		} else if (op_is_ew_row((enum ir_op)n->op)) {
			as = args[0] != 0 ? ir_type(g, args[0])->dtype : as;
		}
		args[i] = emit_convert(g, x, as);
	}
	ir_val y = emit_convert(g, emit_wide(map, v, args, wide), dtype);
	mem_free(g->arena.from, args, n->narg, sizeof *args);
	return y;
}

adze_status ir_widen(adze_graph **g, struct diag *d)
{
	return ir_rewrite(g, widen, NULL, d);
}
