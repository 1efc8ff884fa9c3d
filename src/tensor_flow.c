/* SPDX-License-Identifier: Apache-2.0
 *
 * Control flow: the caller's functions build into the graph itself, and what they built then
 * moves into bodies.
 */
#include <string.h>

#include "tensor.h"

/* One of the functions at work. */
struct flow {
	struct tensor_op op;
	const char *file;
	int line;
	ir_val mark;
	size_t mark_body;
	ir_val hole[2 * IR_MAX_RESULTS]; /* what stands for the values of a body */
	size_t nhole;
	struct ir_outline_body body[IR_MAX_BRANCHES];
	ir_val result[IR_MAX_BRANCHES][IR_MAX_RESULTS];
	size_t nbody;
	ir_val args[2 * IR_MAX_RESULTS + IR_MAX_OPERANDS]; /* of the operation */
	size_t narg;
};

static void begin(struct flow *f, const char *name, const char *file, int line,
		  const adze_tensor *x, size_t n)
{
	memset(f, 0, sizeof *f);
	f->op = tensor_begin(name, x, n);
	f->file = file;
	f->line = line;
	if (f->op.graph != NULL)
		adze_graph_at(f->op.graph, file, line);
}

/* From here on the caller's functions build. */
static void mark(struct flow *f)
{
	if (f->op.graph == NULL)
		return;
	f->mark = (ir_val)f->op.graph->nnode;
	f->mark_body = f->op.graph->nbody;
}

static void add_operand(struct flow *f, ir_val v)
{
	f->args[f->narg++] = v;
}

static bool is_count(struct flow *f, size_t n, const char *what)
{
	if (f->op.ok && n > IR_MAX_RESULTS)
		tensor_fail(&f->op, ADZE_E_LIMIT, "it has more than %d %s", IR_MAX_RESULTS, what);
	return f->op.ok;
}

static void add_hole(struct flow *f, const adze_shape *type)
{
	ir_val v = f->op.ok ? ir_hole(f->op.graph, type) : 0;
	f->op.ok &= v != 0;
	f->hole[f->nhole++] = v;
}

/* A body whose results a function has made. */
static void add_body(struct flow *f, const char *name, const adze_tensor *y, size_t n)
{
	adze_graph *g = f->op.graph;
	ir_val *result = f->result[f->nbody];
	f->op.ok &= g->diag.status == ADZE_OK;
	adze_graph_at(g, f->file, f->line);
	for (size_t i = 0; i < n && f->op.ok; i++) {
		if (y[i].id == 0 || y[i].graph != g || y[i].id >= g->nnode ||
		    g->node[y[i].id].op == OP_NONE)
			tensor_fail(&f->op, ADZE_E_ARGUMENT, "result %zu of its %s is %s", i, name,
				    y[i].id == 0 ? "the null tensor"
						 : "no value of the graph, or inside another body");
		result[i] = y[i].id;
	}
	f->body[f->nbody++] = (struct ir_outline_body){name, result, n, 0};
}

static void run_branch(struct flow *f, const char *name, adze_branch *run, void *self, size_t n)
{
	adze_tensor y[IR_MAX_RESULTS];
	memset(y, 0, sizeof y);
	if (!f->op.ok)
		return;
	run(self, y);
	add_body(f, name, y, n);
}

static void run_body(struct flow *f, const char *name, adze_body *run, void *self, size_t n)
{
	adze_tensor x[2 * IR_MAX_RESULTS], y[IR_MAX_RESULTS];
	memset(y, 0, sizeof y);
	if (!f->op.ok)
		return;
	for (size_t i = 0; i < f->nhole; i++)
		x[i] = (adze_tensor){f->op.graph, f->hole[i], 0, NULL};
	run(self, x, y);
	add_body(f, name, y, n);
}

/* Moves what was built into bodies; what they take from around become operands. */
static void move_bodies(struct flow *f, bool all)
{
	struct ir_outline o = {.mark = f->mark, .mark_body = f->mark_body, .hole = f->hole,
			       .nhole = f->nhole, .all = all, .body = f->body,
			       .nbody = f->nbody};
	size_t more = 0;
	if (f->op.ok && ir_outline(f->op.graph, &o, f->args + f->narg, &more) != ADZE_OK)
		f->op.ok = false;
	f->narg += more;
}

/* Emits the operation and hands out its results. */
static adze_status end(struct flow *f, enum ir_op id, const void *attrs, adze_tensor *y, size_t n)
{
	adze_graph *g = f->op.graph;
	struct ir_results r;
	ir_val v = f->op.ok ? ir_emit(g, id, f->args, f->narg, attrs, NULL) : 0;
	bool known = v != 0 && ir_results(g, v, &r) && r.n == n;
	for (size_t i = 0; i < n; i++) {
		struct attrs_part part = {.index = (int64_t)i};
		ir_val one = !known ? 0 : n == 1 ? v : ir_emit1(g, OP_PART, v, &part, &r.type[i]);
		y[i] = (adze_tensor){g, one, 0, NULL};
	}
	return g != NULL ? g->diag.status : ADZE_E_ARGUMENT;
}

adze_status adze_if_at(const char *file, int line, adze_tensor condition, adze_branch *then,
		       adze_branch *otherwise, void *self, adze_tensor *y, size_t n)
{
	struct flow f;
	begin(&f, "if", file, line, &condition, 1);
	mark(&f);
	add_operand(&f, condition.id);
	is_count(&f, n, "results");
	run_branch(&f, "then", then, self, n);
	run_branch(&f, "otherwise", otherwise, self, n);
	move_bodies(&f, true);
	struct attrs_branches attrs = {.then = f.body[0].number, .otherwise = f.body[1].number};
	return end(&f, OP_IF, &attrs, y, n);
}

adze_status adze_case_at(const char *file, int line, adze_tensor index,
			 adze_branch *const *branch, size_t nbranch, void *self, adze_tensor *y,
			 size_t n)
{
	struct flow f;
	struct attrs_cases attrs = {.branches = {.n = (int64_t)nbranch}};
	begin(&f, "case", file, line, &index, 1);
	mark(&f);
	add_operand(&f, index.id);
	is_count(&f, n, "results");
	if (f.op.ok && (nbranch == 0 || nbranch > IR_MAX_BRANCHES))
		tensor_fail(&f.op, ADZE_E_LIMIT, "it has 1 to %d branches, not %zu",
			    IR_MAX_BRANCHES, nbranch);
	for (size_t i = 0; i < nbranch && f.op.ok; i++)
		run_branch(&f, "branch", branch[i], self, n);
	move_bodies(&f, true);
	for (size_t i = 0; i < nbranch && f.op.ok; i++)
		attrs.branches.at[i] = f.body[i].number;
	return end(&f, OP_CASE, &attrs, y, n);
}

adze_status adze_while_at(const char *file, int line, adze_body *test, adze_body *body,
			  void *self, adze_tensor *x, size_t n)
{
	struct flow f;
	begin(&f, "while", file, line, x, n);
	mark(&f);
	is_count(&f, n, "values");
	for (size_t i = 0; i < n && f.op.ok; i++) {
		add_operand(&f, x[i].id);
		add_hole(&f, tensor_type(&f.op, x[i].id));
	}
	run_body(&f, "test", test, self, 1);
	run_body(&f, "body", body, self, n);
	move_bodies(&f, false);
	struct attrs_loop attrs = {.cond = f.body[0].number, .body = f.body[1].number,
				   .carry = (int64_t)n};
	return end(&f, OP_WHILE, &attrs, x, n);
}

/* ---- scan ---- */

/* The sequence with its axis in front. */
static ir_val axis_first(struct flow *f, ir_val x, const char *axis)
{
	int rank = tensor_type(&f->op, x)->rank;
	if (rank == 0)
		return tensor_fail(&f->op, ADZE_E_TYPE, "a sequence has no axis");
	int k = axis != NULL ? tensor_axis_of(&f->op, x, axis) : 0;
	if (k <= 0)
		return f->op.ok ? x : 0;
	struct attrs_axes order = {.axes = {.n = rank, .at = {k}}};
	for (int i = 0, at = 1; i < rank; i++)
		if (i != k)
			order.axes.at[at++] = i;
	ir_val v = ir_emit1(f->op.graph, OP_TRANSPOSE, x, &order, NULL);
	f->op.ok &= v != 0;
	return v;
}

static void add_slice(struct flow *f, ir_val x)
{
	const adze_shape *s = tensor_type(&f->op, x);
	adze_shape slice = shape_make(s->dtype, 0, NULL);
	for (int i = 1; i < s->rank; i++)
		slice.dim[slice.rank++] = s->dim[i];
	add_hole(f, &slice);
}

/* carry[] becomes the last carries. */
static adze_status scan(struct flow *f, adze_body *body, void *self, adze_tensor *carry,
			size_t ncarry, const adze_tensor *over, size_t nover, adze_tensor *y,
			size_t ny, const adze_scan_how *how)
{
	adze_tensor out[2 * IR_MAX_RESULTS];
	bool fine = is_count(f, ncarry, "carries") && is_count(f, nover, "sequences") &&
		    is_count(f, ny, "results") && is_count(f, ncarry + ny, "results");
	for (size_t i = 0; i < ncarry && f->op.ok; i++)
		add_operand(f, carry[i].id);
	for (size_t i = 0; i < nover && f->op.ok; i++)
		add_operand(f, axis_first(f, over[i].id, how->axis));
	mark(f);
	for (size_t i = 0; i < ncarry && f->op.ok; i++)
		add_hole(f, tensor_type(&f->op, f->args[i]));
	for (size_t i = ncarry; i < ncarry + nover && f->op.ok; i++)
		add_slice(f, f->args[i]);
	size_t n = fine ? ncarry + ny : 0;
	run_body(f, "body", body, self, n);
	move_bodies(f, false);
	struct attrs_scan attrs = {.body = f->body[0].number, .carry = (int64_t)ncarry,
				   .over = (int64_t)nover, .length = how->length,
				   .reverse = how->reverse};
	memset(out, 0, sizeof out);
	adze_status status = end(f, OP_SCAN, &attrs, out, n);
	for (size_t i = 0; i < ncarry; i++)
		carry[i] = i < n ? out[i] : (adze_tensor){f->op.graph, 0, 0, NULL};
	for (size_t i = 0; i < ny; i++)
		y[i] = ncarry + i < n ? out[ncarry + i] : (adze_tensor){f->op.graph, 0, 0, NULL};
	return status;
}

adze_status adze_scan_at(const char *file, int line, adze_body *body, void *self,
			 adze_tensor *carry, size_t ncarry, const adze_tensor *over, size_t nover,
			 adze_tensor *y, size_t ny, const adze_scan_how *how)
{
	const adze_scan_how plain = {.axis = NULL};
	struct flow f;
	begin(&f, "scan", file, line, ncarry > 0 ? carry : over, ncarry > 0 ? ncarry : nover);
	for (size_t i = 0; i < nover && ncarry > 0 && f.op.ok; i++) {
		const adze_tensor both[2] = {carry[0], over[i]};
		f.op = tensor_begin("scan", both, 2);
	}
	return scan(&f, body, self, carry, ncarry, over, nover, y, ny, how != NULL ? how : &plain);
}

adze_status adze_map_at(const char *file, int line, adze_body *body, void *self,
			const adze_tensor *over, size_t nover, adze_tensor *y, size_t ny,
			const char *axis)
{
	const adze_scan_how how = {.axis = axis};
	struct flow f;
	begin(&f, "map", file, line, over, nover);
	return scan(&f, body, self, NULL, 0, over, nover, y, ny, &how);
}

/* A counted loop is a scan that carries the count. */
struct counted {
	adze_body *body;
	void *self;
};

static void run_counted(void *self, const adze_tensor *x, adze_tensor *y)
{
	const struct counted *c = self;
	y[0] = (adze_add)(x[0], (adze_scalar_like)(x[0], 1));
	c->body(c->self, x, y + 1);
}

adze_status adze_for_at(const char *file, int line, int64_t count, adze_body *body, void *self,
			adze_tensor *x, size_t n)
{
	const adze_scan_how how = {.length = count};
	struct counted counted = {body, self};
	adze_tensor all[1 + IR_MAX_RESULTS];
	struct flow f;
	begin(&f, "for", file, line, x, n);
	if (f.op.ok && count < 0)
		tensor_fail(&f.op, ADZE_E_ARGUMENT, "its count is negative");
	memset(all, 0, sizeof all);
	if (is_count(&f, n + 1, "values"))
		all[0] = (adze_scalar)(f.op.graph, ADZE_I32, 0);
	for (size_t i = 0; i < n && f.op.ok; i++)
		all[i + 1] = x[i];
	adze_status status = scan(&f, run_counted, &counted, all, f.op.ok ? n + 1 : 0, NULL, 0,
				  NULL, 0, &how);
	for (size_t i = 0; i < n; i++)
		x[i] = i < IR_MAX_RESULTS ? all[i + 1] : (adze_tensor){f.op.graph, 0, 0, NULL};
	return status;
}
