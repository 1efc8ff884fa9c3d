/* SPDX-License-Identifier: Apache-2.0
 *
 * The maker of random graphs: a function for each kind of operation takes a value that is
 * there and makes one from it. What the type rules refuse is left out.
 */
#include "tests/random_op.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

size_t random_pick(struct random_graph *r, size_t n)
{
	return (size_t)(check_random(&r->state) >> 33) % n;
}

/* ---- elements ---- */

static double any_float(struct random_graph *r, size_t how)
{
	static const double special[] = {0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, 1e-40, 3e38,
					 -1e-45, 65504, 448, 57344, 1e-7, 2.5, -0.5, 1e300, 6e-8,
					 2147483648.0, -129, 255.5};
	if (r->wild && rare(r, 2))
		return special[random_pick(r, COUNT_OF(special))];
	return how == 0 ? (double)range(r, -8, 8) / 2
			: (double)check_random_float(&r->state) * (how == 1 ? 1 : 4);
}

static int64_t any_int(struct random_graph *r)
{
	static const int64_t special[] = {INT64_MIN, INT64_MAX, INT32_MIN, INT32_MAX, -128, 127,
					  255, -32768, 65535, 16777217, 31, 32, 63, 64, 8};
	if (r->wild && rare(r, 2))
		return rare(r, 2) ? (int64_t)check_random(&r->state)
				  : special[random_pick(r, COUNT_OF(special))];
	return range(r, -3, 6);
}

static void fill(struct random_graph *r, adze_dtype dtype, void *at, size_t n)
{
	size_t how = random_pick(r, 3);
	n *= dtype_is_complex(dtype) ? 2 : 1;
	dtype = dtype_part(dtype);
	for (size_t i = 0; i < n; i++) {
		if (dtype_is_float(dtype))
			dtype_store_float(dtype, at, i, any_float(r, how));
		else if (dtype == ADZE_BOOL)
			dtype_store_int(dtype, at, i, range(r, 0, 1));
		else
			dtype_store_int(dtype, at, i, any_int(r));
	}
}

/* ---- types ---- */

adze_dtype random_dtype(struct random_graph *r)
{
	adze_dtype dtype = (adze_dtype)random_pick(r, ADZE_DTYPE_COUNT);
	return rare(r, 2) ? ADZE_F32 : dtype;
}

adze_dim random_dim(struct random_graph *r)
{
	static const int64_t small[] = {1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9};
	adze_dim d = dim_make(small[random_pick(r, COUNT_OF(small))]);
	if (r->most > 1000 && rare(r, 2))
		d.size = range(r, 10, 70);
	if (rare(r, 50))
		d.size = 0;
	if (rare(r, 6)) {
		int k = (int)random_pick(r, 2);
		strcpy(d.symbol, k == 0 ? "t" : "u");
		d.scale = rare(r, 4) ? 2 : 1;
		d.size = r->bound[k] * d.scale;
	}
	if (rare(r, 16))
		strcpy(d.name, rare(r, 2) ? "a" : "b");
	return d;
}

adze_shape random_type(struct random_graph *r, adze_dtype dtype, int rank)
{
	adze_shape s = shape_make(dtype, 0, NULL);
	for (int i = 0; i < rank; i++) {
		s.dim[s.rank++] = random_dim(r);
		if (shape_count(&s) > (int64_t)r->most) {
			s.dim[i] = dim_make(1);
			continue;
		}
		for (int k = 0; k < i; k++)
			if (strcmp(s.dim[k].name, s.dim[i].name) == 0)
				s.dim[i].name[0] = '\0';
	}
	return s;
}

/* ---- values ---- */

/* Puts a value into the pool if it is small enough and a device can be judged by it. */
static ir_val keep(struct random_graph *r, ir_val v)
{
	diag_clear(&r->g->diag);
	if (v == 0 || shape_count(ir_type(r->g, v)) > 4 * (int64_t)r->most ||
	    !random_value_find(r, v))
		return 0;
	r->pool = realloc(r->pool, (r->npool + 1) * sizeof *r->pool);
	r->pool[r->npool++] = v;
	return v;
}

/* Makes value[v] that of a source, before random_value_find() looks at it. */
static void give(struct random_graph *r, ir_val v, void *data)
{
	if (v >= r->cap) {
		size_t cap = 2 * v + 64;
		r->value = realloc(r->value, cap * sizeof *r->value);
		memset(r->value + r->cap, 0, (cap - r->cap) * sizeof *r->value);
		r->cap = cap;
	}
	r->value[v].data = data;
}

static ir_val new_const(struct random_graph *r, const adze_shape *type)
{
	uint64_t bytes[2 * 64] = {0};
	if (!shape_is_static(type) || shape_count(type) > 64)
		return 0;
	fill(r, type->dtype, bytes, (size_t)shape_count(type));
	return keep(r, ir_const(r->g, type, bytes));
}

ir_val random_source(struct random_graph *r, const adze_shape *type)
{
	char name[16];
	ir_val v;
	if (rare(r, 4) && (v = new_const(r, type)) != 0)
		return v;
	bool weight = rare(r, 3) && shape_is_static(type);
	snprintf(name, sizeof name, "%c%zu", weight ? 'w' : 'x',
		 weight ? r->g->nweight : r->g->ninput);
	v = (weight ? ir_weight : ir_input)(r->g, name, type);
	if (v == 0)
		return keep(r, v);
	/* At the bound there is room for each call. */
	size_t n = (size_t)shape_count(type);
	void *data = calloc(1, (size_t)shape_bytes(type) + 1);
	fill(r, type->dtype, data, n);
	give(r, v, data);
	return keep(r, v);
}

ir_val random_operand(struct random_graph *r)
{
	size_t near = r->npool < 6 ? r->npool : 6;
	return r->pool[rare(r, 3) ? random_pick(r, r->npool)
				  : r->npool - 1 - random_pick(r, near)];
}

/* A value of that type: one that is there, or a new source, perhaps broadcast. */
ir_val random_like(struct random_graph *r, const adze_shape *type)
{
	for (int i = 0; i < 20 && !rare(r, 12); i++) {
		ir_val v = random_operand(r);
		if (ir_type(r->g, v)->dtype == type->dtype &&
		    shape_same_extents(ir_type(r->g, v), type))
			return v;
	}
	if (type->rank == 0 || rare(r, 2))
		return random_source(r, type);
	struct attrs_axes a = {.axes = {.n = 0}};
	adze_shape part = shape_make(type->dtype, 0, NULL);
	for (int i = 0; i < type->rank; i++)
		if (rare(r, 3)) {
			part.dim[part.rank++] = rare(r, 3) ? dim_make(1) : type->dim[i];
			a.axes.at[a.axes.n++] = i;
		}
	return keep(r, ir_emit1(r->g, OP_BROADCAST, random_source(r, &part), &a, type));
}

ir_val random_scalar(struct random_graph *r, adze_dtype dtype)
{
	adze_shape s = shape_make(dtype, 0, NULL);
	return random_like(r, &s);
}

/* ---- graphs ---- */

static void grow(struct random_graph *r)
{
	keep(r, random_op(r, random_operand(r)));
}

/* An input of the same type that no other output has been given; 0 for none. */
static ir_val pick_into(struct random_graph *r, ir_val v)
{
	adze_graph *g = r->g;
	for (size_t i = 0; i < g->ninput; i++) {
		bool taken = false;
		for (size_t k = 0; k < g->noutput; k++)
			taken = taken || g->output[k].into == g->input[i];
		if (!taken && ir_get(g, g->input[i])->type == ir_get(g, v)->type)
			return g->input[i];
	}
	return 0;
}

static void add_outputs(struct random_graph *r)
{
	uint32_t *uses = calloc(r->g->nnode, sizeof *uses);
	for (size_t i = 0; i < r->npool; i++)
		for (size_t k = 0; k < ir_get(r->g, r->pool[i])->narg; k++)
			uses[ir_arg(r->g, r->pool[i], k)]++;
	for (size_t i = r->npool; i-- > 0 && r->g->noutput < 16;) {
		char name[16];
		ir_val v = r->pool[i];
		if (i + 1 < r->npool && (uses[v] > 0 || ir_class(r->g, v) == CLASS_SRC) &&
		    !rare(r, 12))
			continue;
		snprintf(name, sizeof name, "y%zu", r->g->noutput);
		ir_output(r->g, name, v, rare(r, 3) ? pick_into(r, v) : 0);
		if (rare(r, 20)) { /* the same value twice */
			snprintf(name, sizeof name, "y%zu", r->g->noutput);
			ir_output(r->g, name, v, 0);
		}
	}
	free(uses);
}

/* Inputs that say what the symbols are, as no other input may. */
static void add_symbols(struct random_graph *r)
{
	for (int k = 0; k < 2; k++) {
		adze_shape type = shape_make(ADZE_U8, 1, &r->bound[k]);
		strcpy(type.dim[0].symbol, k == 0 ? "t" : "u");
		type.dim[0].scale = 1;
		ir_val v = ir_input(r->g, type.dim[0].symbol, &type);
		give(r, v, calloc(1, (size_t)r->bound[k]));
		keep(r, v);
	}
}

struct random_graph *random_graph_create(uint64_t seed)
{
	struct random_graph *r = calloc(1, sizeof *r);
	r->seed = r->state = seed;
	r->g = ir_graph_create(&mem_libc, "random");
	r->wild = rare(r, 4);
	r->most = rare(r, 12) ? 4000 : 300;
	r->bound[0] = r->most > 1000 ? 60 : 7;
	r->bound[1] = 5;
	for (int i = 0; i < 2; i++)
		r->chosen[i] = rare(r, 3) ? r->bound[i] : range(r, 0, r->bound[i]);
	size_t nodes = (size_t)range(r, 2, 40);
	add_symbols(r);
	while (r->npool < 3 + nodes / 16) {
		adze_shape type = random_type(r, random_dtype(r), (int)range(r, 0, 4));
		random_source(r, &type);
	}
	for (int i = 0; i < 400 && r->npool < nodes + 2; i++)
		grow(r);
	add_outputs(r);
	CHECK_MSG(r->g->diag.status == ADZE_OK, "%s", r->g->diag.text);
	return r;
}

void random_graph_destroy(struct random_graph *r)
{
	for (size_t v = 0; v < r->cap; v++) {
		free(r->value[v].data);
		free(r->value[v].slack);
		for (int s = 0; s < RANDOM_SAMPLES; s++)
			free(r->value[v].sample[s]);
	}
	ir_graph_destroy(r->g);
	free(r->value);
	free(r->pool);
	free(r);
}

/* Copies a node; a source, or what is cut, with the bytes that it has. */
static ir_val copy_node(struct random_graph *to, const struct random_graph *from, ir_val v,
			const ir_val *at, bool cut)
{
	const adze_graph *g = from->g;
	int op = ir_get(g, v)->op;
	ir_val args[ADZE_MAX_RANK + 8], y;
	char name[32];
	if (!cut && op != OP_INPUT && op != OP_WEIGHT) {
		for (size_t i = 0; i < ir_get(g, v)->narg; i++)
			args[i] = at[ir_arg(g, v, i)];
		y = ir_emit(to->g, (enum ir_op)op, args, ir_get(g, v)->narg, ir_get(g, v)->attrs,
			    ir_type(g, v));
		return y;
	}
	snprintf(name, sizeof name, "cut%u", (unsigned)v);
	y = cut ? ir_input(to->g, name, ir_type(g, v))
		: (op == OP_INPUT ? ir_input : ir_weight)(to->g, IR_ATTRS(name, g, v)->name,
							  ir_type(g, v));
	if (y != 0) {
		size_t n = (size_t)shape_bytes(ir_type(g, v));
		char *data = calloc(1, n + 1);
		memcpy(data, from->value[v].data, from->value[v].bytes);
		give(to, y, data);
	}
	return y;
}

struct random_graph *random_graph_part(const struct random_graph *r, size_t drop, ir_val cut)
{
	const adze_graph *g = r->g;
	bool *live = calloc(g->nnode, sizeof *live), ok = true;
	ir_val *at = calloc(g->nnode, sizeof *at);
	struct random_graph *p = calloc(1, sizeof *p);
	*p = (struct random_graph){.seed = r->seed, .state = r->seed, .wild = r->wild,
				   .most = r->most};
	memcpy(p->bound, r->bound, sizeof p->bound);
	memcpy(p->chosen, r->chosen, sizeof p->chosen);
	p->g = ir_graph_create(&mem_libc, "random");
	for (size_t i = 0; i < g->noutput; i++) {
		live[g->output[i].value] |= i != drop;
		live[g->output[i].into] |= i != drop;
	}
	for (size_t i = 0; i < 2; i++) /* of add_symbols() */
		live[g->input[i]] = true;
	/* All bodies, so that they keep their numbers. */
	for (size_t i = 0; i < g->nbody; i++) {
		adze_graph *body;
		CHECK(ir_rebuild(g->body[i], NULL, NULL, NULL, 0, &body) == ADZE_OK);
		CHECK(ir_body_add(p->g, body) == (int64_t)i + 1);
	}
	for (size_t v = g->nnode; v-- > 1;)
		for (size_t k = 0; k < g->node[v].narg && live[v] && v != cut; k++)
			live[ir_arg(g, (ir_val)v, k)] = true;
	ok = cut == 0 || live[cut];
	for (size_t v = 1; v < g->nnode && ok; v++)
		if (live[v]) {
			at[v] = copy_node(p, r, (ir_val)v, at, v == cut);
			ok = at[v] != 0 && random_value_find(p, at[v]);
		}
	for (size_t i = 0; i < g->noutput && ok; i++)
		if (i != drop)
			ir_output(p->g, g->output[i].name, at[g->output[i].value],
				  at[g->output[i].into]);
	free(live);
	free(at);
	if (ok && p->g->noutput > 0 && p->g->diag.status == ADZE_OK)
		return p;
	random_graph_destroy(p);
	return NULL;
}
