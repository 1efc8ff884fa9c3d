/* SPDX-License-Identifier: Apache-2.0
 *
 * Pass `fold`: nodes that depend on constants alone become constants. What would grow the
 * executable (a broadcast, an iota) or take long to compute stays as it is.
 */
#include "ir/pass.h"

/* Bytes that a result may have though its operands have fewer. */
#define SMALL_BYTES 64
#define MOST_BYTES (1 << 20)
/* Elements read; for products, elements read for all results. */
#define MOST_WORK (1 << 20)

static bool is_const(const adze_graph *g, ir_val v)
{
	return ir_get(g, v)->op == OP_CONST;
}

/* An extent needs no operand's bytes, only its type. */
static bool is_known_extent(const adze_graph *g, ir_val v)
{
	return ir_get(g, v)->op == OP_EXTENT &&
	       dim_is_static(&ir_type(g, ir_arg(g, v, 0))->dim[IR_ATTRS(axis, g, v)->axis]);
}

static bool pays(const adze_graph *g, ir_val v)
{
	const adze_shape *y = ir_type(g, v);
	int64_t bytes = 0, most = 0, work = 0;
	if (ir_get(g, v)->op == OP_BARRIER)
		return false;
	if (ir_get(g, v)->narg == 0 || !shape_is_static(y) || shape_bytes(y) > MOST_BYTES)
		return false;
	for (size_t i = 0; i < ir_get(g, v)->narg; i++) {
		ir_val x = ir_arg(g, v, i);
		if (!is_const(g, x))
			return false;
		int64_t n = shape_count(ir_type(g, x));
		bytes += shape_bytes(ir_type(g, x));
		work += n;
		most = n > most ? n : most;
	}
	bool grows = shape_bytes(y) > bytes;
	switch (ir_class(g, v)) {
	case CLASS_SRC:
	case CLASS_WINDOW:
	case CLASS_ATTEND:
	case CLASS_REGION: return false; /* a loop may have no end */
	/* A broadcast costs its users nothing and says that all elements are one. */
	case CLASS_VIEW: return !grows && work <= MOST_WORK;
	case CLASS_EW: return work <= MOST_WORK;
	default: break;
	}
	if (grows && shape_bytes(y) > SMALL_BYTES)
		return false;
	switch (ir_class(g, v)) {
	case CLASS_GEMM:
	case CLASS_CONV:
	case CLASS_PLAIN:
		return most <= MOST_WORK && shape_count(y) * most <= MOST_WORK;
	default: return work <= MOST_WORK;
	}
}

/* Evaluates `v` into `out`; `args` has room for its operands. */
static adze_status evaluate(adze_graph *g, ir_val v, const void **args, void *out)
{
	for (size_t i = 0; i < ir_get(g, v)->narg; i++) {
		ir_val x = ir_arg(g, v, i);
		args[i] = is_const(g, x) ? IR_ATTRS(data, g, x)->data.bytes : NULL;
	}
	return ir_eval_node(g, v, NULL, args, out, &g->diag);
}

ir_val ir_fold_value(adze_graph *g, ir_val v)
{
	if (v == 0 || !(is_known_extent(g, v) || pays(g, v)))
		return v;
	const adze_allocator *a = g->arena.from;
	adze_shape type = *ir_type(g, v);
	size_t bytes = (size_t)shape_bytes(&type), narg = ir_get(g, v)->narg;
	const void **args = mem_new(a, narg, sizeof *args);
	void *out = mem_new(a, bytes, 1);
	ir_val folded = 0;
	if (args == NULL || out == NULL)
		fail(&g->diag, ADZE_E_NOMEM, "no memory to fold constants");
	else if (evaluate(g, v, args, out) == ADZE_OK)
		folded = ir_const(g, &type, out);
	mem_free(a, out, bytes, 1);
	mem_free(a, args, narg, sizeof *args);
	return folded;
}

static ir_val fold(struct ir_map *map, ir_val v)
{
	return ir_fold_value(map->to, ir_clone(map, v));
}

adze_status ir_fold(adze_graph **g, struct diag *d)
{
	return ir_rewrite(g, fold, NULL, d);
}
