/* SPDX-License-Identifier: Apache-2.0
 *
 * Pass `match`: an operation that a graph spells out in others becomes that operation. What is
 * looked for stands in patterns.def, whose forms are matched as they are written. And a half of
 * rotary positions, concat(-b, a) of [a, b], becomes a view with signs, which strip programs
 * read by strides.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/pass.h"
#include "ir/view.h"

struct pattern {
	enum ir_op op;
	const char *form;
};

static const struct pattern pattern[] = {
#define PATTERN(op, form) {OP_##op, form},
#include "ir/patterns.def"
};

#define MOST_PARTS 5 /* of a product or sum in a form */
#define MOST_ROWS 4

/* What was found so far: plain data, so that a wrong way is undone by copying it back. */
struct found {
	ir_val var[26];    /* by letter */
	ir_val row[MOST_ROWS]; /* values that are spread along rows */
	int nrow;
	unsigned axes;     /* those of rows, as bits; 0: no sum so far */
	double eps;
	bool has_eps;
};

struct matcher {
	adze_graph *g;
	struct found f;
};

static enum ir_op op_of(const adze_graph *g, ir_val v)
{
	return (enum ir_op)ir_get(g, v)->op;
}

/* ---- forms ---- */

static const char *skip_space(const char *p)
{
	while (*p == ' ')
		p++;
	return p;
}

/* Behind the form at `p`. */
static const char *skip_form(const char *p)
{
	int depth = 0;
	p = skip_space(p);
	do {
		depth += (*p == '(') - (*p == ')');
		p++;
	} while (depth > 0 || (*p != ' ' && *p != ')' && *p != '\0'));
	return p;
}

/* The forms after the head of the list at `p`, "(head a b)". */
static int list_forms(const char *p, const char **form)
{
	int n = 0;
	for (p = skip_space(p + strcspn(p, " ")); *p != ')'; p = skip_space(skip_form(p)))
		form[n++] = p;
	return n;
}

static bool head_is(const char *p, const char *name)
{
	size_t n = strlen(name);
	return p[0] == '(' && strncmp(p + 1, name, n) == 0 && p[1 + n] == ' ';
}

/* ---- values ---- */

/* Whether all elements are one number, and which. */
static bool find_number(const adze_graph *g, ir_val v, double *out)
{
	adze_dtype dtype = ir_type(g, v)->dtype;
	const void *at = dtype_is_float(dtype) ? ir_find_splat(g, v) : NULL;
	if (at != NULL)
		*out = dtype_load_float(dtype, at, 0);
	return at != NULL;
}

/* `want` as the type has it, or with the error of one more rounding, as of 1 / sqrt(2). */
static bool is_number(const adze_graph *g, ir_val v, double want, bool inverse)
{
	double have, step = dtype_info(ir_type(g, v)->dtype)->bits > 16 ? 1e-6 : 4e-3;
	if (!find_number(g, v, &have) || (inverse && have == 0))
		return false;
	have = inverse ? 1 / have : have;
	return fabs(have - want) <= step * fabs(want);
}

static ir_val behind_views(const adze_graph *g, ir_val v)
{
	while (op_of(g, v) == OP_BROADCAST || op_of(g, v) == OP_RESHAPE ||
	       op_of(g, v) == OP_TRANSPOSE)
		v = ir_arg(g, v, 0);
	return v;
}

/* How many elements are summed to one. */
static double count_along(const adze_graph *g, ir_val x, unsigned axes)
{
	const adze_shape *s = ir_type(g, x);
	double n = 1;
	for (int i = 0; i < s->rank; i++)
		if (axes >> i & 1)
			n *= dim_is_static(&s->dim[i]) ? (double)s->dim[i].size : NAN;
	return n;
}

/* ---- matching: `inverse`: the form is to match 1 / v ---- */

static bool match(struct matcher *m, const char *p, ir_val v, bool inverse);

/* A sum or largest element over the axes of rows. */
static bool match_reduce(struct matcher *m, const char *p, ir_val v, enum ew by)
{
	const adze_graph *g = m->g;
	const char *form[MOST_PARTS];
	unsigned axes = 0;
	if (op_of(g, v) != OP_REDUCE || IR_ATTRS(reduce, g, v)->by != by)
		return false;
	for (int i = 0; i < IR_ATTRS(reduce, g, v)->axes.n; i++)
		axes |= 1u << IR_ATTRS(reduce, g, v)->axes.at[i];
	if (axes == 0 || (m->f.axes != 0 && m->f.axes != axes))
		return false;
	m->f.axes = axes;
	list_forms(p, form);
	return match(m, form[0], ir_arg(g, v, 0), false);
}

/* A sum times 1 / n, or divided by n. */
static bool match_mean(struct matcher *m, const char *p, ir_val v)
{
	const adze_graph *g = m->g;
	bool divided = op_of(g, v) == OP_DIV;
	if (!divided && op_of(g, v) != OP_MUL)
		return false;
	ir_val sum = ir_arg(g, v, 0);
	return match_reduce(m, p, sum, EW_ADD) &&
	       is_number(g, ir_arg(g, v, 1), count_along(g, ir_arg(g, sum, 0), m->f.axes),
			 !divided);
}

/* `which` of the forms against v, as factors or summands however they are nested. */
static bool match_parts(struct matcher *m, const char *const *form, unsigned which, bool product,
			ir_val v, bool inverse)
{
	const adze_graph *g = m->g;
	enum ir_op op = op_of(g, v);
	double power;
	if ((which & (which - 1)) == 0) {
		int i = 0;
		while (which >> i != 1)
			i++;
		return match(m, form[i], v, inverse);
	}
	if (product && op == OP_POW && find_number(g, ir_arg(g, v, 1), &power) && !inverse) {
		double n = 0;
		bool all = true;
		for (int i = 0; i < MOST_PARTS; i++)
			n += which >> i & 1;
		for (int i = 0; i < MOST_PARTS && all && n == power; i++)
			all = !(which >> i & 1) || match(m, form[i], ir_arg(g, v, 0), false);
		return n == power && all;
	}
	bool divides = product && op == OP_DIV;
	if (op != (product ? OP_MUL : OP_ADD) && !divides)
		return false;
	const struct found before = m->f;
	for (unsigned left = (which - 1) & which; left != 0; left = (left - 1) & which) {
		if (match_parts(m, form, left, product, ir_arg(g, v, 0), inverse) &&
		    match_parts(m, form, which & ~left, product, ir_arg(g, v, 1),
				inverse != divides))
			return true;
		m->f = before;
	}
	return false;
}

/* 1 / sqrt(a), whichever way it is written; sqrt(a) where 1 / v is asked for. */
static bool match_rsqrt(struct matcher *m, const char *p, ir_val v, bool inverse)
{
	const adze_graph *g = m->g;
	const char *form[MOST_PARTS];
	enum ir_op op = op_of(g, v);
	double power;
	list_forms(p, form);
	if (op == OP_DIV && !inverse)
		return is_number(g, ir_arg(g, v, 0), 1, false) &&
		       match_rsqrt(m, p, ir_arg(g, v, 1), true);
	if (op == OP_POW)
		return find_number(g, ir_arg(g, v, 1), &power) &&
		       power == (inverse ? 0.5 : -0.5) &&
		       match(m, form[0], ir_arg(g, v, 0), false);
	return op == (inverse ? OP_SQRT : OP_RSQRT) && match(m, form[0], ir_arg(g, v, 0), false);
}

/* A vector along the last axis of v. */
static bool match_vector(struct matcher *m, const char *p, ir_val v)
{
	const adze_graph *g = m->g;
	struct ir_view w;
	ir_val x = behind_views(g, v);
	int last = ir_type(g, v)->rank - 1;
	if (last < 0 || x == v || !ir_view_of(g, v, &w) || w.base != x)
		return false;
	for (int i = 0; i < last; i++)
		if (!ir_size_is(w.extent[i], 1) && !ir_size_is(w.stride[i], 0))
			return false;
	const char *form[MOST_PARTS];
	list_forms(p, form);
	return ir_size_is(w.stride[last], 1) && ir_size_is(w.offset, 0) &&
	       shape_is_static(ir_type(g, x)) &&
	       ir_size_is(w.extent[last], shape_count(ir_type(g, x))) &&
	       match(m, form[0], x, false);
}

static bool match_row(struct matcher *m, const char *p, ir_val v, bool inverse)
{
	const char *form[MOST_PARTS];
	if (m->f.nrow == MOST_ROWS)
		return false;
	list_forms(p, form);
	m->f.row[m->f.nrow++] = v;
	return match(m, form[0], behind_views(m->g, v), inverse);
}

/* Any other operation, by its name. */
static bool match_operation(struct matcher *m, const char *p, ir_val v)
{
	const adze_graph *g = m->g;
	const char *form[MOST_PARTS];
	enum ir_op op = op_of(g, v);
	size_t n = strcspn(p + 1, " )"), narg = (size_t)list_forms(p, form);
	const struct op_info *info = op_info(op);
	if (strlen(info->name) != n || memcmp(info->name, p + 1, n) != 0 ||
	    ir_get(g, v)->narg != narg)
		return false;
	if (op == OP_LAYER_NORM || op == OP_RMS_NORM) {
		m->f.eps = IR_ATTRS(eps, g, v)->eps;
		m->f.has_eps = true;
	}
	const struct found before = m->f;
	bool swaps = op_is_ew_row(op) && (ew_info(op_ew(op))->flags & EW_COMM);
	for (size_t turn = 0; turn <= (swaps ? 1 : 0); turn++) {
		bool all = true;
		for (size_t i = 0; i < narg && all; i++)
			all = match(m, form[turn ? narg - 1 - i : i], ir_arg(g, v, i), false);
		if (all)
			return true;
		m->f = before;
	}
	return false;
}

static bool match_variable(struct matcher *m, char letter, ir_val v)
{
	ir_val *at = &m->f.var[letter - 'a'];
	if (*at == 0)
		*at = v;
	return *at == v;
}

static bool match_list(struct matcher *m, const char *p, ir_val v, bool inverse)
{
	const adze_graph *g = m->g;
	const char *form[MOST_PARTS];
	int n = list_forms(p, form);
	if (head_is(p, "inv") && inverse)
		return match(m, form[0], v, false);
	if (head_is(p, "inv"))
		return op_of(g, v) == OP_DIV && is_number(g, ir_arg(g, v, 0), 1, false) &&
		       match(m, form[0], ir_arg(g, v, 1), false);
	if (head_is(p, "rsqrt"))
		return match_rsqrt(m, p, v, inverse);
	if (head_is(p, "row"))
		return match_row(m, p, v, inverse);
	if (head_is(p, "*"))
		return match_parts(m, form, (1u << n) - 1, true, v, inverse);
	if (inverse)
		return false;
	if (head_is(p, "+"))
		return match_parts(m, form, (1u << n) - 1, false, v, false);
	if (head_is(p, "="))
		return match(m, form[1], v, false) && match_variable(m, form[0][0], v);
	if (head_is(p, "sum"))
		return match_reduce(m, p, v, EW_ADD);
	if (head_is(p, "most"))
		return match_reduce(m, p, v, EW_MAX);
	if (head_is(p, "mean"))
		return match_mean(m, p, v);
	if (head_is(p, "vec"))
		return match_vector(m, p, v);
	return match_operation(m, p, v);
}

static bool match(struct matcher *m, const char *p, ir_val v, bool inverse)
{
	p = skip_space(p);
	if (*p == '(')
		return match_list(m, p, v, inverse);
	if (*p >= '0' && *p <= '9')
		return is_number(m->g, v, strtod(p, NULL), inverse);
	if (inverse)
		return false;
	if (strncmp(p, "eps", 3) == 0)
		return m->f.has_eps = find_number(m->g, v, &m->f.eps) && m->f.eps >= 0;
	return match_variable(m, *p, v);
}

/* ---- what a form stands for ---- */

/* Whether a value is one number for each row of x: it stands still along the rows, and steps
 * densely along the other axes. */
static bool is_spread(const adze_graph *g, ir_val v, ir_val x, unsigned axes)
{
	struct ir_view w;
	struct ir_size step = ir_size_const(1);
	if (!shape_same_extents(ir_type(g, v), ir_type(g, x)) || !ir_view_of(g, v, &w) ||
	    w.base != behind_views(g, v) || !ir_size_is(w.offset, 0))
		return false;
	for (int i = w.rank - 1; i >= 0; i--) {
		bool along = axes >> i & 1;
		if (ir_size_is(w.extent[i], 1))
			continue;
		if (!ir_size_equal(w.stride[i], along ? ir_size_const(0) : step))
			return false;
		step = along ? step : ir_size_mul(step, w.extent[i]);
	}
	return true;
}

/* The axes are the last ones. */
static bool are_last(int rank, unsigned axes)
{
	unsigned all = (1u << rank) - 1, below = all & ~axes;
	return axes != 0 && (below & (below + 1)) == 0;
}

/* x with its last axes, those of rows, as one; extents of rows are static. */
static ir_val flatten(adze_graph *g, ir_val x, unsigned axes)
{
	const adze_shape *s = ir_type(g, x);
	adze_shape flat = shape_make(s->dtype, 0, NULL);
	int64_t n = 1;
	for (int i = 0; i < s->rank; i++) {
		if (!(axes >> i & 1))
			flat.dim[flat.rank++] = s->dim[i];
		else
			n *= s->dim[i].size;
	}
	flat.dim[flat.rank++] = dim_make(n);
	return flat.rank == s->rank ? x : ir_emit1(g, OP_RESHAPE, x, NULL, &flat);
}

static ir_val as_vector(adze_graph *g, ir_val v)
{
	int64_t n = shape_count(ir_type(g, v));
	adze_shape type = shape_make(ir_type(g, v)->dtype, 1, &n);
	return ir_type(g, v)->rank == 1 ? v : ir_emit1(g, OP_RESHAPE, v, NULL, &type);
}

static ir_val emit_norm(struct matcher *m, enum ir_op op)
{
	adze_graph *g = m->g;
	ir_val arg[3] = {m->f.var['x' - 'a'], m->f.var['w' - 'a'], m->f.var['b' - 'a']};
	struct attrs_eps eps = {.eps = m->f.eps};
	const adze_shape s = *ir_type(g, arg[0]);
	unsigned axes = m->f.axes != 0 ? m->f.axes : 1u << (s.rank - 1);
	size_t n = 1;
	if (!are_last(s.rank, axes) || isnan(count_along(g, arg[0], axes)))
		return 0;
	arg[0] = flatten(g, arg[0], axes);
	for (; n < 3 && arg[n] != 0; n++) {
		/* A vector along the last axis is one along the whole row only if that is it. */
		if (axes != 1u << (s.rank - 1) || ir_type(g, arg[n])->dtype != s.dtype)
			return 0;
		arg[n] = as_vector(g, arg[n]);
	}
	ir_val y = ir_emit(g, op, arg, n, &eps, NULL);
	return y != 0 && ir_type(g, y)->rank != s.rank ? ir_emit1(g, OP_RESHAPE, y, NULL, &s) : y;
}

static ir_val emit_softmax(struct matcher *m)
{
	struct attrs_axis a = {.axis = 0};
	if ((m->f.axes & (m->f.axes - 1)) != 0)
		return 0;
	while (m->f.axes >> a.axis != 1)
		a.axis++;
	return ir_emit1(m->g, OP_SOFTMAX, m->f.var['x' - 'a'], &a, NULL);
}

/* The operation that v is by a pattern; v itself where it is none. */
static ir_val find_operation(adze_graph *g, ir_val v)
{
	adze_dtype dtype = ir_type(g, v)->dtype;
	if (ir_class(g, v) != CLASS_EW || !dtype_is_float(dtype) || dtype_info(dtype)->bits < 16)
		return v;
	for (size_t i = 0; i < COUNT_OF(pattern); i++) {
		struct matcher m = {.g = g};
		ir_val y = 0;
		bool fits = match(&m, pattern[i].form, v, false);
		ir_val x = m.f.var['x' - 'a'];
		for (int k = 0; fits && k < m.f.nrow; k++)
			fits = is_spread(g, m.f.row[k], x, m.f.axes);
		if (!fits)
			continue;
		if (pattern[i].op == OP_SOFTMAX)
			y = emit_softmax(&m);
		else if (op_info(pattern[i].op)->class == CLASS_ROW)
			y = emit_norm(&m, pattern[i].op);
		else
			y = ir_emit1(g, pattern[i].op, x, NULL, NULL);
		if (y != 0)
			return ir_keep_type(g, v, y);
	}
	return v;
}

/* ---- rotations ---- */

/* The slice of all but axis `axis`, where it begins and ends there; its operand, or 0. */
static ir_val slice_along(const adze_graph *g, ir_val v, int axis, int64_t *from, int64_t *to)
{
	if (op_of(g, v) != OP_SLICE)
		return 0;
	const struct attrs_slice *a = IR_ATTRS(slice, g, v);
	const adze_shape *s = ir_type(g, ir_arg(g, v, 0));
	for (int i = 0; i < s->rank; i++)
		if (dims_or(&a->stride, i, 1) != 1 ||
		    (i != axis && (a->start.at[i] != 0 || a->limit.at[i] != s->dim[i].size)))
			return 0;
	*from = a->start.at[axis];
	*to = a->limit.at[axis];
	return ir_arg(g, v, 0);
}

/* concat(-b, a) of x = [a, b]: the halves changed places, times [-1, 1]. */
static ir_val find_rotation(adze_graph *g, ir_val v)
{
	static const double sign[2] = {-1, 1};
	int64_t from[2], to[2];
	ir_val x[2];
	if (op_of(g, v) != OP_CONCAT || ir_get(g, v)->narg != 2 ||
	    op_of(g, ir_arg(g, v, 0)) != OP_NEG || ir_type(g, v)->rank == ADZE_MAX_RANK)
		return v;
	const adze_shape s = *ir_type(g, v);
	int axis = (int)IR_ATTRS(axis, g, v)->axis;
	int64_t n = s.dim[axis].size;
	x[0] = slice_along(g, ir_arg(g, ir_arg(g, v, 0), 0), axis, &from[0], &to[0]);
	x[1] = slice_along(g, ir_arg(g, v, 1), axis, &from[1], &to[1]);
	if (x[0] == 0 || x[0] != x[1] || from[0] != n / 2 || to[0] != n || from[1] != 0 ||
	    to[1] != n / 2 || n % 2 != 0 || !shape_same_extents(ir_type(g, x[0]), &s) ||
	    !dtype_is_float(s.dtype) || dtype_is_packed(s.dtype) || s.dtype == ADZE_F8E8M0FNU)
		return v;
	const int64_t both = 2;
	adze_shape pairs = s, two = shape_make(s.dtype, 1, &both);
	uint64_t bytes[2] = {0, 0};
	memmove(pairs.dim + axis + 1, pairs.dim + axis,
		(size_t)(s.rank - axis) * sizeof pairs.dim[0]);
	pairs.rank++;
	pairs.dim[axis] = dim_make(2);
	pairs.dim[axis + 1] = dim_make(n / 2);
	for (size_t i = 0; i < 2; i++)
		dtype_store_float(s.dtype, bytes, i, sign[i]);
	struct attrs_axes swap = {.axes = {.n = 1, .at = {axis}}};
	ir_val y = ir_emit1(g, OP_RESHAPE, x[0], NULL, &pairs);
	y = ir_emit1(g, OP_REVERSE, y, &swap, NULL);
	ir_val signs = ir_emit1(g, OP_BROADCAST, ir_const(g, &two, bytes), &swap, &pairs);
	return ir_emit1(g, OP_RESHAPE, ir_emit2(g, OP_MUL, y, signs, NULL), NULL, &s);
}

/* ---- the pass ---- */

static ir_val rule(struct ir_map *map, ir_val old)
{
	ir_val v = ir_clone(map, old);
	return v == 0 ? 0 : find_rotation(map->to, find_operation(map->to, v));
}

adze_status ir_match(adze_graph **g, struct diag *d)
{
	return ir_rewrite(g, rule, NULL, d);
}
