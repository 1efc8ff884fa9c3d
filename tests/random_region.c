/* SPDX-License-Identifier: Apache-2.0
 *
 * Branches and loops for random graphs. Their bodies round in one way only, element by element,
 * so that a device must give the same bits.
 */
#include <stdio.h>
#include <string.h>

#include "tests/random_op.h"

#define MOST_VALUES 12

/* A body under way: values of one type. */
struct making {
	struct random_graph *r;
	adze_graph *g;
	adze_shape type;
	ir_val at[MOST_VALUES];
	size_t n;
	int depth;
};

static int64_t make_body(struct random_graph *r, adze_graph *g, const adze_shape *type, size_t nin,
			 size_t nout, bool counts, int depth);

static ir_val pick(struct making *m)
{
	return m->at[random_pick(m->r, m->n)];
}

static void add_ew(struct making *m)
{
	static const enum ew list[] = {EW_ADD, EW_SUB, EW_MUL, EW_MIN, EW_MAX,
				       EW_NEG, EW_ABS, EW_AND, EW_OR,  EW_XOR};
	enum ew f = list[random_pick(m->r, COUNT_OF(list))];
	ir_val args[2] = {pick(m), pick(m)};
	if (dtype_taken(m->type.dtype, ew_info(f)->takes))
		m->at[m->n++] = ir_emit(m->g, op_from_ew(f), args, (size_t)ew_info(f)->n, NULL,
					NULL);
}

static void add_reverse(struct making *m)
{
	struct attrs_axes a = {.axes = {.n = 1}};
	if (m->type.rank == 0)
		return;
	a.axes.at[0] = (int64_t)random_pick(m->r, (size_t)m->type.rank);
	if (dim_is_static(&m->type.dim[a.axes.at[0]]))
		m->at[m->n++] = ir_emit1(m->g, OP_REVERSE, pick(m), &a, NULL);
}

/* A body in the body, twice. */
static void add_scan(struct making *m)
{
	ir_val args[2] = {pick(m), pick(m)};
	int64_t body = m->depth < 2 ? make_body(m->r, m->g, &m->type, 2, 1, false, m->depth + 1)
				    : 0;
	struct attrs_scan a = {.body = body, .carry = 1, .length = 2};
	if (body != 0)
		m->at[m->n++] = ir_emit(m->g, OP_SCAN, args, 2, &a, NULL);
}

/* `counts`: the first input is an i32 scalar, and the first output is one more. */
static int64_t make_body(struct random_graph *r, adze_graph *g, const adze_shape *type, size_t nin,
			 size_t nout, bool counts, int depth)
{
	const adze_shape number = shape_make(ADZE_I32, 0, NULL);
	if (g->diag.status != ADZE_OK) /* an operand was refused */
		return 0;
	struct making m = {.r = r, .g = ir_body_begin(g, NULL), .type = *type, .depth = depth};
	char name[32];
	ir_val count = counts ? ir_input(m.g, "i", &number) : 0;
	while (m.n < nin) {
		snprintf(name, sizeof name, "x%zu", m.n);
		m.at[m.n++] = ir_input(m.g, name, type);
	}
	for (size_t k = random_pick(r, 6); k > 0 && m.n < MOST_VALUES; k--) {
		if (rare(r, 5))
			add_reverse(&m);
		else if (rare(r, 8))
			add_scan(&m);
		else
			add_ew(&m);
	}
	if (counts)
		ir_output(m.g, "i", ir_emit2(m.g, OP_ADD, count, ir_scalar(m.g, ADZE_I32, 1), NULL),
			  0);
	for (size_t i = 0; i < nout; i++) {
		snprintf(name, sizeof name, "y%zu", i);
		ir_output(m.g, name, pick(&m), 0);
	}
	return ir_body_end(m.g);
}

static int64_t make_test(struct random_graph *r, const adze_shape *type, size_t nin)
{
	const adze_shape number = shape_make(ADZE_I32, 0, NULL);
	adze_graph *g = ir_body_begin(r->g, "test");
	ir_val count = ir_input(g, "i", &number);
	char name[32];
	for (size_t i = 0; i < nin; i++) {
		snprintf(name, sizeof name, "x%zu", i);
		ir_input(g, name, type);
	}
	ir_val most = ir_scalar(g, ADZE_I32, (double)random_pick(r, 5));
	ir_output(g, "more", ir_emit2(g, OP_LT, count, most, NULL), 0);
	return ir_body_end(g);
}

static adze_shape unnamed(const adze_shape *s, int from)
{
	adze_shape out = shape_make(s->dtype, 0, NULL);
	for (int i = from; i < s->rank; i++) {
		out.dim[out.rank] = s->dim[i];
		memset(out.dim[out.rank++].name, 0, sizeof out.dim[0].name);
	}
	return out;
}

/* One of the results, where there are some; 0 where a device's answer cannot be judged. */
static ir_val one_result(struct random_graph *r, ir_val v, const ir_val *args, size_t n)
{
	struct ir_results all;
	for (size_t i = 0; i < n; i++)
		if (args[i] == 0 || r->value[args[i]].slack != NULL)
			return 0;
	if (v == 0 || !ir_results(r->g, v, &all) || all.n == 1)
		return v;
	struct attrs_part a = {.index = (int64_t)random_pick(r, all.n)};
	if (!random_value_find(r, v))
		return 0;
	return ir_emit1(r->g, OP_PART, v, &a, &all.type[a.index]);
}

static ir_val emit_branch(struct random_graph *r, ir_val x)
{
	adze_shape type = unnamed(ir_type(r->g, x), 0);
	bool two = rare(r, 2);
	size_t nin = 1 + random_pick(r, 3), nout = 1 + random_pick(r, 3);
	ir_val args[4] = {random_scalar(r, two ? ADZE_BOOL : ADZE_I32), x};
	for (size_t i = 1; i < nin; i++)
		args[1 + i] = random_like(r, &type);
	struct attrs_cases a = {.branches = {.n = (int64_t)(two ? 2 : 1 + random_pick(r, 4))}};
	for (int64_t i = 0; i < a.branches.n; i++)
		a.branches.at[i] = make_body(r, r->g, &type, nin, nout, false, 0);
	struct attrs_branches b = {.then = a.branches.at[0], .otherwise = a.branches.at[1]};
	for (size_t i = 0; i <= nin; i++)
		if (args[i] == 0)
			return 0;
	ir_val v = two ? ir_emit(r->g, OP_IF, args, 1 + nin, &b, NULL)
		       : ir_emit(r->g, OP_CASE, args, 1 + nin, &a, NULL);
	return one_result(r, v, args, 1 + nin);
}

static ir_val emit_while(struct random_graph *r, ir_val x)
{
	adze_shape type = unnamed(ir_type(r->g, x), 0);
	size_t nin = 1 + random_pick(r, 3), carry = 1 + random_pick(r, nin);
	ir_val args[4] = {ir_scalar(r->g, ADZE_I32, (double)random_pick(r, 3)), x};
	for (size_t i = 1; i < nin; i++)
		args[1 + i] = random_like(r, &type);
	for (size_t i = 0; i <= nin; i++)
		if (args[i] == 0 || !random_value_find(r, args[i]))
			return 0;
	struct attrs_loop a = {.cond = make_test(r, &type, nin), .carry = (int64_t)carry + 1};
	a.body = make_body(r, r->g, &type, nin, carry, true, 0);
	return one_result(r, ir_emit(r->g, OP_WHILE, args, 1 + nin, &a, NULL), args, 1 + nin);
}

static ir_val emit_scan(struct random_graph *r, ir_val x)
{
	adze_shape whole = unnamed(ir_type(r->g, x), 0), slice = unnamed(&whole, 1);
	size_t carry = random_pick(r, 3), over = 1 + random_pick(r, 2), more = random_pick(r, 2);
	size_t n = 0, out = random_pick(r, 3);
	ir_val args[8];
	if (whole.rank == 0 || (carry + out == 0))
		return 0;
	for (size_t i = 0; i < carry; i++)
		args[n++] = random_like(r, &slice);
	args[n++] = x;
	for (size_t i = 1; i < over; i++)
		args[n++] = random_like(r, &whole);
	for (size_t i = 0; i < more; i++)
		args[n++] = random_like(r, &slice);
	for (size_t i = 0; i < n; i++)
		if (args[i] == 0)
			return 0;
	struct attrs_scan a = {.carry = (int64_t)carry, .over = (int64_t)over,
			       .reverse = rare(r, 2)};
	a.body = make_body(r, r->g, &slice, n, carry + out, false, 0);
	return one_result(r, ir_emit(r->g, OP_SCAN, args, n, &a, NULL), args, n);
}

ir_val random_region(struct random_graph *r, ir_val x)
{
	if (dtype_is_packed(ir_type(r->g, x)->dtype)) /* which devices refuse */
		return 0;
	switch (random_pick(r, 3)) {
	case 0: return emit_branch(r, x);
	case 1: return emit_while(r, x);
	default: return emit_scan(r, x);
	}
}
