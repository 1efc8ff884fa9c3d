/* SPDX-License-Identifier: Apache-2.0 */
#include "ir/group.h"

#include <string.h>

bool ir_has_memory(const adze_graph *g, ir_val v)
{
	if (ir_class(g, v) == CLASS_SRC && g->group[v] == 0)
		return true;
	if (g->group[v] == 0)
		return false;
	return g->place == NULL || g->place[v].kind != PLACE_NONE;
}

static bool is_root(const adze_graph *g, ir_val v)
{
	return ir_class(g, v) != CLASS_EW;
}

/* Splits the EW nodes of `q` in those the root reads, and the others; `list` has room. */
static void split(const adze_graph *g, struct ir_group *q, ir_val *list, bool *before)
{
	for (size_t i = q->nnode; q->root != 0 && i-- > 0;) {
		ir_val v = q->node[i];
		for (size_t k = 0; (v == q->root || before[v]) && k < g->node[v].narg; k++) {
			ir_val a = ir_arg(g, v, k);
			before[a] = g->group[a] == g->group[v];
		}
	}
	size_t n = 0;
	q->pro = list;
	for (size_t i = 0; i < q->nnode; i++)
		if (q->node[i] != q->root && before[q->node[i]])
			list[n++] = q->node[i];
	q->npro = n;
	q->epi = list + n;
	for (size_t i = 0; i < q->nnode; i++)
		if (q->node[i] != q->root && !before[q->node[i]])
			list[n++] = q->node[i];
	q->nepi = n - q->npro;
}

bool ir_groups(const adze_graph *g, struct arena *arena, struct ir_group **out, size_t *n)
{
	uint32_t count = 0;
	for (ir_val v = 1; v < g->nnode; v++)
		count = g->group[v] > count ? g->group[v] : count;
	struct ir_group *q = arena_new(arena, count, sizeof *q);
	ir_val *list = arena_new(arena, g->nnode, 2 * sizeof *list);
	bool *before = arena_new(arena, g->nnode, sizeof *before);
	if (q == NULL || list == NULL || before == NULL)
		return false;
	for (ir_val v = 1; v < g->nnode; v++)
		if (g->group[v] != 0)
			q[g->group[v] - 1].nnode++;
	ir_val *at = list;
	for (uint32_t i = 0; i < count; i++) {
		q[i].node = at;
		at += q[i].nnode;
		q[i].nnode = 0;
	}
	for (ir_val v = 1; v < g->nnode; v++) {
		if (g->group[v] == 0)
			continue;
		struct ir_group *o = &q[g->group[v] - 1];
		list[(size_t)(o->node - list) + o->nnode++] = v;
		o->sink = v;
		if (is_root(g, v))
			o->root = v;
	}
	ir_val *sides = list + g->nnode;
	for (uint32_t i = 0; i < count; i++) {
		split(g, &q[i], sides, before);
		sides += q[i].nnode;
	}
	*out = q;
	*n = count;
	return true;
}

bool ir_dot_converts(adze_dtype to, adze_dtype a, adze_dtype b)
{
	bool bytes = b == ADZE_F8E4M3FN || b == ADZE_F8E5M2 || b == ADZE_I8;
	if (to == ADZE_F32 && (b == ADZE_F16 || b == ADZE_BF16))
		return a == b || a == ADZE_F32;
	if (to == ADZE_F32 || to == ADZE_F16 || to == ADZE_BF16)
		return a == to && bytes;
	return to == ADZE_I32 && b == ADZE_I8 && (a == ADZE_I8 || a == ADZE_U8);
}

bool ir_dot_walks_blocks(const struct ir_dot_form *f, bool first, enum block_kind b)
{
	int64_t n = block_format(b)->elements;
	struct ir_size row = first ? f->a_row : f->b_col, col = first ? f->a_col : f->b_row;
	struct ir_size rows = first ? f->m : f->n, offset = first ? f->a_offset : f->b_offset;
	bool whole = ir_size_is(col, 1) && f->k.coef % n == 0 && offset.coef % n == 0 &&
		     (row.coef % n == 0 || ir_size_is(rows, 1));
	for (int i = 0; i < f->nouter && whole; i++)
		whole = (first ? f->outer_a[i] : f->outer_b[i]).coef % n == 0;
	return whole;
}

bool ir_dot_reads(const struct ir_dot_form *f, adze_dtype to)
{
	bool plain = f->a_dtype == to && f->b_dtype == to;
	if (f->a_block == BLOCK_NONE && f->b_block == BLOCK_NONE)
		return plain || ir_dot_converts(to, f->a_dtype, f->b_dtype);
	if (f->a_block != BLOCK_NONE && f->b_block != BLOCK_NONE)
		return false;
	bool first = f->a_block != BLOCK_NONE;
	return plain && to == ADZE_F32 &&
	       ir_dot_walks_blocks(f, first, first ? f->a_block : f->b_block);
}

/* Axes of the operand that are in none of the two lists, or in the one. */
static void pick(const struct ir_view *w, const struct ir_dims *axes, struct ir_view *out)
{
	memset(out, 0, sizeof *out);
	for (int i = 0; i < axes->n; i++) {
		out->extent[out->rank] = w->extent[axes->at[i]];
		out->stride[out->rank++] = w->stride[axes->at[i]];
	}
}

static void free_axes(int rank, const struct ir_dims *a, const struct ir_dims *b,
		      struct ir_dims *out)
{
	memset(out, 0, sizeof *out);
	for (int i = 0; i < rank; i++) {
		bool used = false;
		for (int k = 0; k < a->n; k++)
			used |= a->at[k] == i;
		for (int k = 0; k < b->n; k++)
			used |= b->at[k] == i;
		if (!used)
			out->at[out->n++] = i;
	}
}

/* Adds loops over the axes of `w`, which step `c` as well. */
static void add_outer(struct ir_dot_form *f, const struct ir_view *w, const struct ir_view *c,
		      int n, bool in_a, bool in_b, const struct ir_view *other)
{
	for (int i = 0; i < n; i++) {
		int k = f->nouter++;
		struct ir_size zero = ir_size_const(0);
		f->outer[k] = w->extent[i];
		f->outer_a[k] = in_a ? w->stride[i] : zero;
		f->outer_b[k] = in_b ? (in_a ? other->stride[i] : w->stride[i]) : zero;
		f->outer_c[k] = c->stride[i];
	}
}

/* Collapses free axes with the result's; all but the last become outer loops. */
static void free_side(struct ir_dot_form *f, const struct ir_view *w, const struct ir_view *c,
		      int first, bool is_a)
{
	struct ir_view both[2] = {*w, *w};
	for (int i = 0; i < w->rank; i++)
		both[1].stride[i] = c->stride[first + i];
	ir_view_collapse(both, 2);
	int last = both[0].rank - 1;
	struct ir_size one = ir_size_const(1);
	if (last >= 0)
		add_outer(f, &both[0], &both[1], last, is_a, !is_a, NULL);
	struct ir_size n = last >= 0 ? both[0].extent[last] : one;
	struct ir_size stride = last >= 0 ? both[0].stride[last] : one;
	if (is_a) {
		f->m = n;
		f->a_row = stride;
		f->c_row = last >= 0 ? both[1].stride[last] : one;
	} else {
		f->n = n;
		f->b_col = stride;
	}
}

bool ir_dot_form(const adze_graph *g, ir_val dot, struct ir_dot_form *f)
{
	const struct attrs_dot *d = IR_ATTRS(dot, g, dot);
	struct ir_view a, b, c, part[2];
	struct ir_dims axes;
	memset(f, 0, sizeof *f);
	if (!ir_view_of(g, ir_arg(g, dot, 0), &a) || !ir_view_of(g, ir_arg(g, dot, 1), &b))
		return false;
	ir_view_dense(g, dot, &c);
	f->a = a.base;
	f->b = b.base;
	f->a_offset = a.offset;
	f->b_offset = b.offset;
	f->a_dtype = a.dtype;
	f->b_dtype = b.dtype;
	f->a_block = a.block;
	f->b_block = b.block;

	struct ir_view batch_b;
	pick(&a, &d->batch_a, &part[0]);
	pick(&b, &d->batch_b, &batch_b);
	add_outer(f, &part[0], &c, part[0].rank, true, true, &batch_b);

	int first = (int)d->batch_a.n;
	free_axes(a.rank, &d->batch_a, &d->sum_a, &axes);
	pick(&a, &axes, &part[0]);
	free_side(f, &part[0], &c, first, true);
	first += part[0].rank;
	free_axes(b.rank, &d->batch_b, &d->sum_b, &axes);
	pick(&b, &axes, &part[0]);
	free_side(f, &part[0], &c, first, false);

	pick(&a, &d->sum_a, &part[0]);
	pick(&b, &d->sum_b, &part[1]);
	ir_view_collapse(part, 2);
	if (part[0].rank > 1)
		return false;
	struct ir_size one = ir_size_const(1);
	f->k = part[0].rank == 1 ? part[0].extent[0] : one;
	f->a_col = part[0].rank == 1 ? part[0].stride[0] : one;
	f->b_row = part[0].rank == 1 ? part[1].stride[0] : one;
	return true;
}
