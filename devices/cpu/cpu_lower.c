/* SPDX-License-Identifier: Apache-2.0
 *
 * From a planned graph to steps: the one file that sees an operation and a CPU kernel
 * together. Each group becomes one step, or a few where it is a move.
 */
#include <string.h>

#include "devices/cpu/cpu_lower.h"

adze_status lower_no_memory(struct lowerer *l)
{
	return fail(l->diag, ADZE_E_NOMEM, "no memory to compile");
}

adze_status lower_unsupported(struct lowerer *l, ir_val v, const char *words)
{
	const struct ir_where *w = &l->g->where[l->g->node[v].where];
	char type[SHAPE_TEXT];
	shape_print(ir_type(l->g, v), type, sizeof type);
	const char *name = op_info((enum ir_op)l->g->node[v].op)->name;
	if (w->file != NULL)
		return fail(l->diag, ADZE_E_UNSUPPORTED, "%s:%d: %s to %s: %s", w->file, w->line,
			    name, type, words);
	return fail(l->diag, ADZE_E_UNSUPPORTED, "%s to %s: %s", name, type, words);
}

uint32_t lower_number(struct lowerer *l, struct ir_size s)
{
	struct cpu_code *c = l->code;
	for (uint32_t i = 0; i < c->nnumber; i++)
		if (ir_size_equal(c->number[i], s))
			return i;
	void *at = c->number;
	if (!mem_grow(l->mem, &at, &l->number_cap, (size_t)c->nnumber + 1, sizeof s)) {
		lower_no_memory(l);
		return 0;
	}
	c->number = at;
	c->number[c->nnumber] = s;
	return c->nnumber++;
}

/* Where the elements of a value with memory begin. */
static void place(struct lowerer *l, ir_val v, struct cpu_view *out)
{
	const adze_graph *g = l->g;
	memset(out, 0, sizeof *out);
	out->dtype = (uint8_t)ir_type(g, v)->dtype;
	int weight = ir_weight_index(g, v);
	if (weight >= 0) {
		out->memory = CPU_WEIGHT;
		out->index = (uint32_t)weight;
	} else if (g->node[v].op == OP_CONST) {
		const struct ir_data *data = &IR_ATTRS(data, g, v)->data;
		if (l->const_at[v] == 0) {
			text_zeros(l->consts,
				   size_round_up(l->consts->len, EXE_ALIGN) - l->consts->len);
			l->const_at[v] = l->consts->len + 1;
			text_bytes(l->consts, data->bytes, data->len);
		}
		out->memory = CPU_CONST;
		out->byte = l->const_at[v] - 1;
	} else {
		const struct ir_place *p = &g->place[v];
		out->memory = p->kind == PLACE_ARENA    ? CPU_ARENA
			      : p->kind == PLACE_OUTPUT ? CPU_OUTPUT
							: CPU_INPUT;
		if (p->kind == PLACE_ARENA)
			out->byte = l->arena_from + (uint64_t)p->at;
		else
			out->index = (uint32_t)p->at;
	}
}

struct cpu_view lower_to_view(struct lowerer *l, const struct ir_view *w)
{
	struct cpu_view v;
	place(l, w->base, &v);
	v.dtype = (uint8_t)w->dtype;
	v.rank = (uint8_t)w->rank;
	for (int i = 0; i < w->rank; i++) {
		v.extent[i] = lower_number(l, w->extent[i]);
		v.stride[i] = lower_number(l, w->stride[i]);
	}
	v.offset = lower_number(l, w->offset);
	return v;
}

struct cpu_view lower_sink_view(struct lowerer *l, const struct ir_view *w, adze_dtype dtype)
{
	struct ir_view at_sink = *w;
	at_sink.base = l->group->sink;
	struct cpu_view v = lower_to_view(l, &at_sink);
	v.dtype = (uint8_t)dtype;
	return v;
}

struct cpu_step *lower_add_step(struct lowerer *l, enum cpu_step_kind kind, ir_val root)
{
	struct cpu_code *c = l->code;
	void *at = c->step;
	if (!mem_grow(l->mem, &at, &l->step_cap, (size_t)c->nstep + 1, sizeof *c->step)) {
		lower_no_memory(l);
		return NULL;
	}
	c->step = at;
	struct cpu_step *s = &c->step[c->nstep++];
	memset(s, 0, sizeof *s);
	s->kind = (uint8_t)kind;
	s->op = root != 0 ? l->g->node[root].op : OP_NONE;
	s->group = l->group_number;
	l->view_cap = 8;
	s->view = arena_new(l->arena, l->view_cap, sizeof *s->view);
	s->param = arena_new(l->arena, CPU_MAX_PARAMS, sizeof *s->param);
	if (s->view == NULL || s->param == NULL) {
		lower_no_memory(l);
		return NULL;
	}
	l->step = s;
	return lower_note(l, s) == ADZE_OK ? s : NULL;
}

uint16_t lower_add_view(struct lowerer *l, struct cpu_view v)
{
	struct cpu_step *s = l->step;
	if (s->nview == CPU_MAX_VIEWS) {
		fail(l->diag, ADZE_E_LIMIT, "a group reads more than %d values", CPU_MAX_VIEWS);
		return 0;
	}
	if (s->nview == l->view_cap) {
		struct cpu_view *more = arena_new(l->arena, 2 * l->view_cap, sizeof *more);
		if (more == NULL) {
			lower_no_memory(l);
			return 0;
		}
		memcpy(more, s->view, s->nview * sizeof *more);
		s->view = more;
		l->view_cap *= 2;
	}
	s->view[s->nview] = v;
	return s->nview++;
}

void lower_add_param(struct lowerer *l, int64_t v)
{
	if (l->step->nparam < CPU_MAX_PARAMS)
		l->step->param[l->step->nparam++] = v;
}

/* ---- one kind of group after the other ---- */

static struct ir_view flat(struct lowerer *l, ir_val v)
{
	struct ir_view w;
	ir_view_dense(l->g, v, &w);
	ir_view_collapse(&w, 1);
	return w;
}

struct cpu_view lower_flat_sink(struct lowerer *l, adze_dtype dtype)
{
	ir_val v = l->group->root != 0 ? l->group->root : l->group->sink;
	struct ir_view w = flat(l, v);
	return lower_sink_view(l, &w, dtype);
}

/* Dense elements as another type, or packed ones as they are. */
static adze_status lower_dense(struct lowerer *l, const struct ir_view *w, struct cpu_view to)
{
	if (lower_add_step(l, CPU_CONVERT, 0) == NULL)
		return ADZE_E_NOMEM;
	lower_add_view(l, to);
	lower_add_view(l, lower_to_view(l, w));
	return ADZE_OK;
}

adze_status lower_copy_of(struct lowerer *l, const struct ir_view *w, struct cpu_view to)
{
	struct ir_view from = *w;
	ir_view_collapse(&from, 1);
	if (dtype_is_packed((adze_dtype)to.dtype))
		return lower_dense(l, &from, to);
	struct cpu_step *s = lower_add_step(l, CPU_EW, 0);
	if (s == NULL)
		return ADZE_E_NOMEM;
	lower_add_view(l, to);
	s->pro.load = arena_new(l->arena, 1, sizeof *s->pro.load);
	if (s->pro.load == NULL)
		return lower_no_memory(l);
	s->pro.nload = s->pro.nslot = 1;
	s->pro.dtype = to.dtype;
	s->pro.load[0] = lower_add_view(l, lower_to_view(l, &from));
	return ADZE_OK;
}

static adze_status lower_view(struct lowerer *l)
{
	struct ir_view w;
	ir_val v = l->group->sink;
	if (!ir_view_through(l->g, v, &w))
		return lower_unsupported(l, v, "it has no strides");
	return lower_copy_of(l, &w, lower_flat_sink(l, ir_type(l->g, v)->dtype));
}

static adze_status lower_ew(struct lowerer *l)
{
	const struct ir_group *q = l->group;
	if (ir_sees_packed(l->g, q->sink)) {
		struct ir_view w = flat(l, ir_arg(l->g, q->sink, 0));
		ir_view_of(l->g, ir_arg(l->g, q->sink, 0), &w);
		ir_view_collapse(&w, 1);
		return lower_dense(l, &w, lower_flat_sink(l, ir_type(l->g, q->sink)->dtype));
	}
	struct cpu_step *s = lower_add_step(l, CPU_EW, 0);
	if (s == NULL)
		return ADZE_E_NOMEM;
	lower_add_view(l, lower_flat_sink(l, ir_type(l->g, q->sink)->dtype));
	struct lower_space space = lower_whole(l->g, q->sink);
	return lower_program(l, q->node, q->nnode, q->sink, &space, false, &s->pro);
}

struct ir_size lower_count_of(const adze_graph *g, const adze_shape *s, const int *axis, int n)
{
	struct ir_size p = ir_size_const(1);
	for (int i = 0; i < n; i++)
		p = ir_size_mul(p, ir_size_of(g, &s->dim[axis[i]]));
	return p;
}

/* Kept axes first, then the others; returns how many are kept. */
static int split_axes(int rank, const bool *gone, struct lower_space *s)
{
	s->rank = 0;
	for (int i = 0; i < rank; i++)
		if (!gone[i])
			s->axis[s->rank++] = i;
	int kept = s->rank;
	for (int i = 0; i < rank; i++)
		if (gone[i])
			s->axis[s->rank++] = i;
	return kept;
}

static adze_status lower_reduce(struct lowerer *l)
{
	const adze_graph *g = l->g;
	const struct ir_group *q = l->group;
	ir_val root = q->root, x = ir_arg(g, root, 0);
	const adze_shape *xs = ir_type(g, x);
	bool arg = g->node[root].op != OP_REDUCE;
	bool gone[ADZE_MAX_RANK] = {false};
	if (arg)
		gone[IR_ATTRS(axis, g, root)->axis] = true;
	else
		for (int i = 0; i < IR_ATTRS(reduce, g, root)->axes.n; i++)
			gone[IR_ATTRS(reduce, g, root)->axes.at[i]] = true;
	struct lower_space space;
	int kept = split_axes(xs->rank, gone, &space);
	/* Axes that stay behind the last one that goes are walked side by side. */
	int inner = 0;
	while (!arg && inner < kept && !gone[xs->rank - 1 - inner])
		inner++;
	bool columns = inner > 0 && kept < xs->rank;
	enum cpu_step_kind kind = arg ? CPU_ARG : columns ? CPU_COLUMNS : CPU_REDUCE;
	struct cpu_step *s = lower_add_step(l, kind, root);
	if (s == NULL)
		return ADZE_E_NOMEM;
	if (arg && (xs->dtype == ADZE_F8E4M3FN || xs->dtype == ADZE_F8E5M2))
		return lower_unsupported(l, root, "8-bit floats are for storage; convert first");
	lower_add_view(l, lower_flat_sink(l, ir_type(g, root)->dtype));
	struct ir_size length = lower_count_of(g, xs, space.axis + kept, xs->rank - kept);
	lower_add_param(l, arg ? g->node[root].op == OP_ARGMIN
			       : (int64_t)IR_ATTRS(reduce, g, root)->by);
	lower_add_param(l, lower_number(l, length));
	if (columns) { /* outer, gone, inner */
		struct ir_size n = lower_count_of(g, xs, space.axis + kept - inner, inner);
		int tail[ADZE_MAX_RANK];
		memcpy(tail, space.axis + kept - inner, (size_t)inner * sizeof *tail);
		memmove(space.axis + kept - inner, space.axis + kept,
			(size_t)(xs->rank - kept) * sizeof *tail);
		memcpy(space.axis + xs->rank - inner, tail, (size_t)inner * sizeof *tail);
		lower_add_param(l, lower_number(l, n));
	}
	TRY(lower_program(l, q->pro, q->npro, x, &space, false, &s->pro));
	return lower_epilogue(l);
}

static adze_status lower_row(struct lowerer *l)
{
	const adze_graph *g = l->g;
	const struct ir_group *q = l->group;
	ir_val root = q->root, x = ir_arg(g, root, 0);
	const adze_shape *xs = ir_type(g, x);
	struct cpu_step *s = lower_add_step(l, CPU_ROW, root);
	if (s == NULL)
		return ADZE_E_NOMEM;
	if (xs->dtype == ADZE_F8E4M3FN || xs->dtype == ADZE_F8E5M2)
		return lower_unsupported(l, root, "8-bit floats are for storage; convert first");
	lower_add_view(l, lower_flat_sink(l, xs->dtype));
	int last = xs->rank - 1;
	lower_add_param(l, lower_number(l, lower_count_of(g, xs, &last, 1)));
	if (g->node[root].op != OP_SOFTMAX)
		s->eps = IR_ATTRS(eps, g, root)->eps;
	for (size_t i = 1; i < g->node[root].narg; i++) {
		struct ir_view w;
		if (!ir_view_of(g, ir_arg(g, root, i), &w))
			return lower_unsupported(l, root, "an operand has no strides");
		lower_add_view(l, lower_to_view(l, &w));
	}
	lower_add_param(l, (int64_t)g->node[root].narg - 1);
	struct lower_space space = lower_whole(g, x);
	TRY(lower_program(l, q->pro, q->npro, x, &space, false, &s->pro));
	return lower_epilogue(l);
}

static adze_status lower_dot(struct lowerer *l)
{
	struct ir_dot_form f;
	if (ir_dot_form(l->g, l->group->root, &f) && (f.a_block || f.b_block)) {
		TRY(lower_dot_blocks(l, &f));
		return lower_epilogue(l);
	}
	if (lower_add_step(l, CPU_GEMM, l->group->root) == NULL)
		return ADZE_E_NOMEM;
	TRY(lower_dot_views(l));
	return lower_epilogue(l);
}

adze_status lower_operand(struct lowerer *l, ir_val v, struct cpu_view *out)
{
	struct ir_view w;
	if (!ir_view_of(l->g, v, &w))
		return lower_unsupported(l, v, "it has no strides");
	*out = lower_to_view(l, &w);
	return ADZE_OK;
}

adze_status lower_add_operand(struct lowerer *l, ir_val v)
{
	struct cpu_view w;
	TRY(lower_operand(l, v, &w));
	lower_add_view(l, w);
	return ADZE_OK;
}

struct cpu_view lower_root_view(struct lowerer *l)
{
	struct ir_view w;
	ir_view_dense(l->g, l->group->root, &w);
	return lower_sink_view(l, &w, ir_type(l->g, l->group->root)->dtype);
}

static void add_dims(struct lowerer *l, const struct ir_dims *d, int n, int64_t otherwise)
{
	for (int i = 0; i < n; i++)
		lower_add_param(l, dims_or(d, i, otherwise));
}

static adze_status lower_conv(struct lowerer *l)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root;
	const struct attrs_conv *a = IR_ATTRS(conv, g, root);
	int n = ir_type(g, root)->rank - 2;
	if (lower_add_step(l, CPU_CONV, root) == NULL)
		return ADZE_E_NOMEM;
	lower_add_view(l, lower_root_view(l));
	TRY(lower_add_operand(l, ir_arg(g, root, 0)));
	TRY(lower_add_operand(l, ir_arg(g, root, 1)));
	add_dims(l, &a->stride, n, 1);
	add_dims(l, &a->low, n, 0);
	add_dims(l, &a->dilation, n, 1);
	lower_add_param(l, a->groups == 0 ? 1 : a->groups);
	return lower_epilogue(l);
}

static adze_status lower_window(struct lowerer *l)
{
	const adze_graph *g = l->g;
	ir_val root = l->group->root;
	const struct attrs_window *a = IR_ATTRS(window, g, root);
	int n = ir_type(g, root)->rank;
	if (lower_add_step(l, CPU_WINDOW, root) == NULL)
		return ADZE_E_NOMEM;
	lower_add_view(l, lower_root_view(l));
	TRY(lower_add_operand(l, ir_arg(g, root, 0)));
	lower_add_param(l, (int64_t)a->by);
	add_dims(l, &a->window, n, 1);
	add_dims(l, &a->stride, n, 1);
	add_dims(l, &a->low, n, 0);
	add_dims(l, &a->dilation, n, 1);
	return lower_epilogue(l);
}

static adze_status lower_group(struct lowerer *l)
{
	ir_val root = l->group->root;
	if (root == 0)
		return lower_ew(l);
	switch (ir_class(l->g, root)) {
	case CLASS_VIEW: return lower_view(l);
	case CLASS_REDUCE: return lower_reduce(l);
	case CLASS_ROW: return lower_row(l);
	case CLASS_GEMM: return lower_dot(l);
	case CLASS_CONV: return lower_conv(l);
	case CLASS_WINDOW: return lower_window(l);
	case CLASS_MOVE: return lower_move(l);
	case CLASS_ATTEND: return lower_attend(l);
	case CLASS_PLAIN: return lower_plain(l);
	case CLASS_SRC: return lower_source(l);
	case CLASS_REGION: return lower_region(l);
	default: return lower_unsupported(l, root, "the CPU has no kernel for it");
	}
}

/* Outputs whose value lies elsewhere are copied to their place at the end. */
static adze_status copy_outputs(struct lowerer *l)
{
	const adze_graph *g = l->g;
	for (size_t i = 0; i < g->noutput; i++) {
		const struct ir_output *o = &g->output[i];
		struct ir_view w;
		struct cpu_view home, have;
		ir_view_dense(g, o->value, &w);
		have = lower_to_view(l, &w);
		ir_view_collapse(&w, 1);
		home = lower_to_view(l, &w);
		home.memory = o->into != 0 ? CPU_INPUT : CPU_OUTPUT;
		home.index = o->into != 0 ? (uint32_t)ir_input_index(g, o->into) : (uint32_t)i;
		home.byte = 0;
		if (have.memory == home.memory && have.index == home.index)
			continue;
		l->group_number = 0;
		TRY(lower_copy_of(l, &w, home));
	}
	return ADZE_OK;
}

/* Numbers and steps grew outside the arena; now they move in. */
static adze_status settle(struct lowerer *l)
{
	struct cpu_code *c = l->code;
	struct ir_size *number = arena_new(l->arena, c->nnumber, sizeof *number);
	struct cpu_step *step = arena_new(l->arena, c->nstep, sizeof *step);
	if (number != NULL && c->nnumber > 0)
		memcpy(number, c->number, c->nnumber * sizeof *number);
	if (step != NULL && c->nstep > 0)
		memcpy(step, c->step, c->nstep * sizeof *step);
	mem_free(l->mem, c->number, l->number_cap, sizeof *c->number);
	mem_free(l->mem, c->step, l->step_cap, sizeof *c->step);
	c->number = number;
	c->step = step;
	return number != NULL && step != NULL ? ADZE_OK : lower_no_memory(l);
}

/* What the pass widen leaves to be done in types of which there are no kernels. */
static adze_status check_packed(struct lowerer *l)
{
	for (ir_val v = 1; v < l->g->nnode; v++) {
		enum ir_op op = (enum ir_op)l->g->node[v].op;
		bool source = ir_is_given(l->g, v);
		bool dense = op == OP_CONVERT || op == OP_RESHAPE || op == OP_BITCAST ||
			     op == OP_BARRIER || op == OP_EXTENT || op == OP_PART;
		if (ir_sees_packed(l->g, v) && !source && !dense)
			return lower_unsupported(l, v, "packed elements are computed in wider "
						       "types, by the pass widen");
	}
	return ADZE_OK;
}

/* What a graph needs in the call's arena, and behind it what its bodies need. */
static adze_status grow_arena(struct lowerer *l, uint64_t *end)
{
	if (__builtin_add_overflow(l->arena_from, (uint64_t)l->g->arena_bytes, end) ||
	    __builtin_add_overflow(*end, l->spare_bytes, end) || *end > INT64_MAX)
		return fail(l->diag, ADZE_E_LIMIT, "the bodies need more memory than there can be");
	if (*end > l->code->arena_bytes)
		l->code->arena_bytes = *end;
	return ADZE_OK;
}

/* The steps of one graph, without those of its bodies. */
static adze_status lower_graph(struct lowerer *l)
{
	const adze_graph *g = l->g;
	struct ir_group *group;
	size_t n = 0;
	l->const_at = arena_new(l->arena, g->nnode, sizeof *l->const_at);
	l->slot = arena_new(l->arena, g->nnode, sizeof *l->slot);
	if (l->const_at == NULL || l->slot == NULL || !ir_groups(g, l->arena, &group, &n))
		return lower_no_memory(l);
	TRY(check_packed(l));
	l->spare_bytes = 0;
	for (size_t i = 0; i < n; i++) {
		l->group = &group[i];
		l->group_number = (uint32_t)i + 1;
		TRY(lower_group(l));
	}
	return copy_outputs(l);
}

static size_t count_bodies(const adze_graph *g)
{
	size_t n = g->nbody;
	for (size_t i = 0; i < g->nbody; i++)
		n += count_bodies(g->body[i]);
	return n;
}

/* The graph, then its bodies, then theirs: a block stands before those that it runs. Bodies of
 * one graph never run at the same time, and so share their part of the arena. */
static adze_status lower_blocks(struct lowerer *l, const adze_graph *g)
{
	struct cpu_code *c = l->code;
	size_t n = 1 + count_bodies(g);
	const adze_graph **graph = arena_new(l->arena, n, sizeof *graph);
	uint64_t *from = arena_new(l->arena, n, sizeof *from), end;
	c->block = arena_new(l->arena, n, sizeof *c->block);
	if (graph == NULL || from == NULL || c->block == NULL)
		return lower_no_memory(l);
	graph[0] = g;
	n = 1;
	for (; c->nblock < n; c->nblock++) {
		struct cpu_block *b = &c->block[c->nblock];
		l->g = graph[c->nblock];
		l->arena_from = from[c->nblock];
		TRY(lower_body_blocks(l, (uint32_t)n));
		b->first = c->nstep;
		if (c->nblock > 0)
			TRY(lower_values(l, b));
		TRY(lower_graph(l));
		b->nstep = c->nstep - b->first;
		TRY(grow_arena(l, &end));
		for (size_t i = 0; i < l->g->nbody; i++) {
			if (l->body_block[i] == 0)
				continue;
			graph[l->body_block[i]] = l->g->body[i];
			from[l->body_block[i]] = size_round_up((size_t)end, EXE_ALIGN);
			n++;
		}
	}
	return ADZE_OK;
}

adze_status cpu_lower(const adze_graph *g, struct arena *arena, struct cpu_code *out,
		      struct text *consts, struct diag *d)
{
	struct lowerer l = {.arena = arena, .code = out, .consts = consts, .diag = d,
			    .mem = arena->from};
	memset(out, 0, sizeof *out);
	out->arena = arena;
	adze_status status = lower_blocks(&l, g);
	adze_status settled = settle(&l);
	if (status == ADZE_OK)
		status = settled;
	if (status == ADZE_OK && (d->status != ADZE_OK || consts->failed))
		status = d->status != ADZE_OK ? d->status : lower_no_memory(&l);
	return status;
}
