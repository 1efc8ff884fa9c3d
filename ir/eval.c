/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference evaluator: its driver, sources and element-wise operations. eval_nn.c has
 * what computes, eval_move.c what only moves elements.
 */
#include "ir/eval.h"

#define EW(name, id, n, takes, flags, start, f, i, v, doc)                               \
	adze_status eval_##name(struct eval *e)                                          \
	{                                                                                \
		const void *x[3] = {NULL, NULL, NULL};                                   \
		for (size_t k = 0; k < e->nx; k++)                                       \
			x[k] = e->x[k].bytes;                                            \
		for (int64_t at = 0; at < e->y.count; at++)                              \
			ew_element(EW_##id, e->x[0].dtype, e->out, x[0], x[1], x[2],     \
				   (size_t)at);                                          \
		return ADZE_OK;                                                          \
	}
#include "base/ew.def"

adze_status eval_complex(struct eval *e)
{
	const struct eval_array *x = e->x;
	for (size_t i = 0; i < (size_t)e->y.count; i++) {
		dtype_copy_at(x[0].dtype, e->out, 2 * i, x[0].bytes, i);
		dtype_copy_at(x[1].dtype, e->out, 2 * i + 1, x[1].bytes, i);
	}
	return ADZE_OK;
}

adze_status eval_select(struct eval *e)
{
	const uint8_t *which = e->x[0].bytes;
	for (int64_t i = 0; i < e->y.count; i++)
		copy_element(e, i, &e->x[which[i] ? 1 : 2], i);
	return ADZE_OK;
}

adze_status eval_convert(struct eval *e)
{
	for (int64_t i = 0; i < e->y.count; i++)
		dtype_convert(e->y.dtype, e->out, e->x[0].dtype, e->x[0].bytes, (size_t)i);
	return ADZE_OK;
}

/* Sources that somebody holds. ir_eval() uses their bytes in place. */
adze_status eval_const(struct eval *e)
{
	const struct ir_data *data = &EVAL_ATTRS(data, e)->data;
	if (data->len > 0)
		memcpy(e->out, data->bytes, data->len);
	return ADZE_OK;
}

static adze_status refuse(struct eval *e)
{
	return fail(e->d, ADZE_E_ARGUMENT, "%s \"%s\" has no value here",
		    op_info((enum ir_op)ir_get(e->g, e->v)->op)->name, EVAL_ATTRS(name, e)->name);
}

adze_status eval_input(struct eval *e)
{
	return refuse(e);
}

adze_status eval_weight(struct eval *e)
{
	return refuse(e);
}

adze_status eval_iota(struct eval *e)
{
	struct walk w = {0};
	for (int i = 0; i < e->y.rank; i++)
		walk_axis(&w, e->y.extent[i], i == EVAL_ATTRS(axis, e)->axis, 0);
	for (int64_t i = 0; i < e->y.count; i++, walk_next(&w))
		dtype_convert_at(e->y.dtype, e->out, (size_t)i, ADZE_I64, &w.offset[0], 0);
	return ADZE_OK;
}

adze_status eval_extent(struct eval *e)
{
	dtype_store_int(e->y.dtype, e->out, 0, e->x[0].extent[EVAL_ATTRS(axis, e)->axis]);
	return ADZE_OK;
}

static eval_function *const function[OP_COUNT] = {
#define OP(name, id, min, max, cls, takes, rule, attrs, flags, doc) [OP_##id] = eval_##name,
#include "ir/ops.def"
};

struct eval_array eval_array_of(const adze_graph *g, const adze_shape *s, const int64_t *symbol,
				const void *bytes)
{
	struct eval_array a = {.dtype = s->dtype, .rank = s->rank, .count = 1, .bytes = bytes};
	a.size = dtype_bytes(s->dtype);
	for (int i = s->rank - 1; i >= 0; i--) {
		a.extent[i] = ir_extent(g, &s->dim[i], symbol);
		a.stride[i] = a.count;
		a.count *= a.extent[i];
	}
	dtype_array_bytes(s->dtype, (size_t)a.count, &a.all);
	return a;
}

static struct eval_array array_of(const adze_graph *g, ir_val v, const int64_t *symbol,
				  const void *bytes)
{
	return eval_array_of(g, ir_type(g, v), symbol, bytes);
}

/* `x` has room for the node's operands. */
static adze_status run_node(const adze_graph *g, ir_val v, const int64_t *symbol,
			    struct eval_array *x, void *out, struct diag *d)
{
	struct eval e = {.g = g, .v = v, .nx = ir_get(g, v)->narg, .x = x, .out = out,
			 .symbol = symbol, .d = d};
	e.y = array_of(g, v, symbol, out);
	if (e.y.count == 0)
		return ADZE_OK;
	return function[ir_get(g, v)->op](&e);
}

adze_status ir_eval_node(const adze_graph *g, ir_val v, const int64_t *symbol,
			 const void *const *args, void *out, struct diag *d)
{
	size_t n = ir_get(g, v)->narg;
	struct eval_array *x = mem_new(g->arena.from, n, sizeof *x);
	if (x == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory to evaluate a node");
	for (size_t i = 0; i < n; i++)
		x[i] = array_of(g, ir_arg(g, v, i), symbol, args[i]);
	adze_status status = run_node(g, v, symbol, x, out, d);
	mem_free(g->arena.from, x, n, sizeof *x);
	return status;
}

/* A value while the graph runs. */
struct value {
	uint32_t uses; /* still to come; 0 from the start: not live */
	const void *bytes;
	void *owned; /* what to free, of `size` bytes; NULL where bytes are lent */
	size_t size;
};

struct run {
	const adze_graph *g;
	const int64_t *symbol;
	const void *const *inputs, *const *weights;
	struct value *value;   /* by node */
	struct eval_array *x;  /* room for the operands of any node */
	size_t nx;
	struct diag *d;
};

static void release(struct run *r, ir_val v)
{
	struct value *p = &r->value[v];
	if (--p->uses > 0)
		return;
	mem_free(r->g->arena.from, p->owned, p->size, 1);
	p->owned = NULL;
	p->bytes = NULL;
}

static void count_uses(struct run *r)
{
	const adze_graph *g = r->g;
	for (size_t i = 0; i < g->noutput; i++)
		r->value[g->output[i].value].uses++;
	for (size_t v = g->nnode; v-- > 1;) {
		if (r->value[v].uses == 0)
			continue;
		for (size_t i = 0; i < g->node[v].narg; i++)
			r->value[ir_arg(g, (ir_val)v, i)].uses++;
		if (g->node[v].narg > r->nx)
			r->nx = g->node[v].narg;
	}
}

/* The bytes of a source that the caller or the graph holds; NULL for other nodes. */
static const void *find_given(const struct run *r, ir_val v)
{
	switch (ir_get(r->g, v)->op) {
	case OP_INPUT: return r->inputs[ir_input_index(r->g, v)];
	case OP_WEIGHT: return r->weights[ir_weight_index(r->g, v)];
	case OP_CONST: return IR_ATTRS(data, r->g, v)->data.bytes;
	default: return NULL;
	}
}

static adze_status own(struct run *r, struct value *p, const struct eval_array *a)
{
	p->size = a->all;
	p->owned = mem_new(r->g->arena.from, p->size, 1);
	p->bytes = p->owned;
	if (p->owned == NULL)
		return fail(r->d, ADZE_E_NOMEM, "no memory for a value of %zu bytes", p->size);
	return ADZE_OK;
}

static adze_status evaluate(struct run *r, ir_val v)
{
	const adze_graph *g = r->g;
	struct value *p = &r->value[v];
	struct eval_array y = array_of(g, v, r->symbol, NULL);
	const void *given = find_given(r, v);
	if (given != NULL && (uintptr_t)given % dtype_bytes(dtype_part(y.dtype)) == 0) {
		p->bytes = given;
		return ADZE_OK;
	}
	TRY(own(r, p, &y));
	if (given != NULL) {
		memcpy(p->owned, given, p->size);
		return ADZE_OK;
	}
	size_t n = ir_get(g, v)->narg;
	for (size_t i = 0; i < n; i++) {
		ir_val x = ir_arg(g, v, i);
		r->x[i] = array_of(g, x, r->symbol, r->value[x].bytes);
	}
	TRY(run_node(g, v, r->symbol, r->x, p->owned, r->d));
	for (size_t i = 0; i < n; i++)
		release(r, ir_arg(g, v, i));
	return ADZE_OK;
}

static adze_status check_symbols(const adze_graph *g, const int64_t *symbol, struct diag *d)
{
	for (int i = 0; symbol != NULL && i < g->nsymbol; i++)
		if (symbol[i] < 0 || symbol[i] > g->symbol[i].bound)
			return fail(d, ADZE_E_ARGUMENT, "%s is %lld, not within 0 to %lld",
				    g->symbol[i].name, (long long)symbol[i],
				    (long long)g->symbol[i].bound);
	return ADZE_OK;
}

static adze_status run_all(struct run *r, void *const *outputs)
{
	const adze_graph *g = r->g;
	for (size_t v = 1; v < g->nnode; v++)
		if (r->value[v].uses > 0)
			TRY(evaluate(r, (ir_val)v));
	for (size_t i = 0; i < g->noutput; i++) {
		ir_val v = g->output[i].value;
		struct eval_array y = array_of(g, v, r->symbol, r->value[v].bytes);
		if (y.count > 0)
			memcpy(outputs[i], y.bytes, y.all);
	}
	return ADZE_OK;
}

adze_status ir_eval(const adze_graph *g, const int64_t *symbol, const void *const *inputs,
		    const void *const *weights, void *const *outputs, struct diag *d)
{
	const adze_allocator *a = g->arena.from;
	struct run r = {.g = g, .symbol = symbol, .inputs = inputs, .weights = weights, .d = d};
	TRY(check_symbols(g, symbol, d));
	r.value = mem_new(a, g->nnode, sizeof *r.value);
	adze_status status = ADZE_E_NOMEM;
	if (r.value != NULL) {
		count_uses(&r);
		r.x = mem_new(a, r.nx, sizeof *r.x);
	}
	if (r.x != NULL)
		status = run_all(&r, outputs);
	else
		fail(d, ADZE_E_NOMEM, "no memory to evaluate a graph");
	for (size_t v = 0; r.value != NULL && v < g->nnode; v++)
		mem_free(a, r.value[v].owned, r.value[v].size, 1);
	mem_free(a, r.x, r.nx, sizeof *r.x);
	mem_free(a, r.value, g->nnode, sizeof *r.value);
	return status;
}
