/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations of class PLAIN: that each has its kernel, and that a kernel which says that a call
 * holds stays within it, whatever the call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/graph.h"
#include "kernels/plain.h"
#include "tests/check.h"
#include "tests/compare.h"

static const char *const row[] = {
#define PLAIN(name) #name,
#include "kernels/plain.def"
};

TEST(plain, rows)
{
	size_t n = 0;
	for (int op = OP_NONE + 1; op < OP_COUNT; op++) {
		const struct op_info *o = op_info((enum ir_op)op);
		n += o->class == CLASS_PLAIN;
		CHECK_MSG((o->class == CLASS_PLAIN) == (plain_find(o->name) != NULL), "%s",
			  o->name);
	}
	CHECK(n == COUNT_OF(row));
}

/* ---- calls that files could ask for ---- */

#define MOST_PARAMS 96
#define MOST_BYTES 4096
#define GUARD 64

/* A call and its memory; extents are the arrays' own. */
struct call {
	struct plain p;
	struct plain_body body[2];
	adze_dtype in[2][2 * PLAIN_MOST], out[2][PLAIN_MOST];
	int64_t extent[2 * PLAIN_MOST][ADZE_MAX_RANK];
	int64_t param[MOST_PARAMS];
	int nparam;
};

static int field_params(enum attr_kind kind)
{
	return kind == ATTR_DIMS ? PLAIN_DIMS : kind == ATTR_BODY ? 0 : 1;
}

/* Any function of its operands' bytes will do. */
static void call_body(void *self, void *const *out, const void *const *in, size_t n)
{
	const struct plain_body *b = self;
	for (int k = 0; k < b->nout; k++) {
		size_t size = dtype_bytes(b->out[k]);
		for (size_t i = 0; i < n * size; i++) {
			unsigned sum = 0;
			for (int j = 0; j < b->nin; j++) {
				size_t at = i / size * dtype_bytes(b->in[j]);
				sum = sum * 3 + ((const unsigned char *)in[j])[at];
			}
			((unsigned char *)out[k])[i] = (unsigned char)(b->out[k] == ADZE_BOOL
									       ? sum & 1
									       : sum);
		}
	}
}

static void read_body(const adze_graph *body, struct call *c, int i)
{
	for (size_t k = 0; k < body->ninput; k++)
		c->in[i][k] = ir_type(body, body->input[k])->dtype;
	for (size_t k = 0; k < body->noutput; k++)
		c->out[i][k] = ir_type(body, body->output[k].value)->dtype;
	c->body[i] = (struct plain_body){.call = call_body, .nin = (int)body->ninput,
					 .nout = (int)body->noutput, .ew = EW_COUNT, .same = -1};
	ir_val v = body->output[0].value;
	const struct ir_node *n = ir_get(body, v);
	if (body->noutput == 1 && op_is_ew_row((enum ir_op)n->op) && n->narg == 2) {
		c->body[i].ew = op_ew((enum ir_op)n->op);
		for (int k = 0; k < 2; k++)
			c->body[i].arg[k] = ir_input_index(body, ir_arg(body, v, (size_t)k));
	}
}

/* A copy of a call points to its own parts. */
static void point(struct call *c)
{
	c->p.param = c->param;
	c->p.body = c->body;
	for (int i = 0; i < 2; i++) {
		c->body[i].self = &c->body[i];
		c->body[i].in = c->in[i];
		c->body[i].out = c->out[i];
	}
}

static struct plain_array *array_of(struct call *c, int i)
{
	return i < c->p.ny ? &c->p.y[i] : &c->p.x[i - c->p.ny];
}

/* Types and attributes of the one node of a text, as a device would see them. */
static void read_call(const char *inputs, const char *bodies, const char *line, struct call *c)
{
	char text[2048];
	struct diag d = {ADZE_OK, ""};
	struct ir_results r;
	adze_graph *g;
	snprintf(text, sizeof text, "graph g(%s) {\n%s\n %%1 = %s\n return y=%%1\n}\n", inputs,
		 bodies, line);
	CHECK_MSG(ir_parse(&mem_libc, text, strlen(text), "call", &d, &g) == ADZE_OK, "%s", d.text);
	ir_val v = g->output[0].value;
	const struct attr_schema *schema = op_info((enum ir_op)ir_get(g, v)->op)->attrs;
	memset(c, 0, sizeof *c);
	CHECK(ir_results(g, v, &r));
	c->p.ny = (int)r.n;
	c->p.nx = ir_get(g, v)->narg;
	for (int i = 0; i < c->p.ny + c->p.nx; i++) {
		const adze_shape *s = i < c->p.ny ? &r.type[i]
						  : ir_type(g, ir_arg(g, v, (size_t)(i - c->p.ny)));
		struct plain_array *a = array_of(c, i);
		a->dtype = s->dtype;
		a->rank = s->rank;
		for (int k = 0; k < s->rank; k++)
			c->extent[i][k] = s->dim[k].size;
	}
	int nbody = 0;
	for (int i = 0; i < schema->nfield; i++) {
		const struct attr_field *f = &schema->field[i];
		const char *at = (const char *)ir_get(g, v)->attrs + f->offset;
		size_t n = (size_t)field_params(f->kind);
		if (f->kind == ATTR_BODY)
			read_body(ir_body(g, *(const ir_attr_BODY *)(const void *)at), c, nbody++);
		else if (f->kind == ATTR_EWFN)
			c->param[c->nparam] = (int64_t)*(const enum ew *)(const void *)at;
		else if (f->kind == ATTR_BLOCK)
			c->param[c->nparam] = (int64_t)*(const enum block_kind *)(const void *)at;
		else
			memcpy(c->param + c->nparam, at, n * sizeof *c->param);
		c->nparam += (int)n;
	}
	ir_graph_destroy(g);
}

static size_t pick(uint64_t *seed, size_t n)
{
	return (size_t)(check_random(seed) >> 33) % n;
}

static int64_t odd_number(uint64_t *seed)
{
	static const int64_t odd[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, -1, INT64_MAX, INT64_MIN, 1000};
	return odd[pick(seed, 4) ? pick(seed, 9) : pick(seed, COUNT_OF(odd))];
}

/* What plain.h lets kernels rely on stays true: lists of at most ADZE_MAX_RANK, functions. */
static void damage_body(struct call *c, uint64_t *seed)
{
	struct plain_body *b = &c->body[pick(seed, 2)];
	switch (pick(seed, 5)) {
	case 0:
		b->nin = (int)pick(seed, 6);
		b->ew = EW_COUNT;
		break;
	case 1: b->nout = (int)pick(seed, 4); break;
	case 2: c->in[b - c->body][pick(seed, 4)] = (adze_dtype)pick(seed, ADZE_DTYPE_COUNT); break;
	case 3: c->out[b - c->body][0] = (adze_dtype)pick(seed, ADZE_DTYPE_COUNT); break;
	default:
		/* Those of a body that is one function, which are its inputs. */
		if (b->ew != EW_COUNT && b->nin > 0)
			b->arg[pick(seed, 2)] = (int)pick(seed, (size_t)b->nin);
	}
}

static void damage(struct call *c, const struct attr_schema *schema, uint64_t *seed)
{
	int at = 0, field = (int)pick(seed, (size_t)schema->nfield + 1);
	struct plain_array *a;
	if (schema->has_bodies && pick(seed, 4) == 0) {
		damage_body(c, seed);
		return;
	}
	switch (pick(seed, 4)) {
	case 0:
		a = array_of(c, (int)pick(seed, (size_t)(c->p.ny + c->p.nx)));
		if (pick(seed, 2))
			a->rank = (int)pick(seed, ADZE_MAX_RANK + 1);
		else
			a->dtype = (adze_dtype)pick(seed, ADZE_DTYPE_COUNT);
		return;
	case 1:
		c->extent[pick(seed, (size_t)(c->p.ny + c->p.nx))][pick(seed, ADZE_MAX_RANK)] =
			(int64_t)pick(seed, 9);
		return;
	default: break;
	}
	for (int i = 0; i < schema->nfield && i < field; i++)
		at += field_params(schema->field[i].kind);
	if (field == schema->nfield)
		return;
	if (schema->field[field].kind == ATTR_EWFN)
		c->param[at] = (int64_t)pick(seed, EW_COUNT);
	else if (schema->field[field].kind == ATTR_BLOCK)
		c->param[at] = 1 + (int64_t)pick(seed, BLOCK_COUNT - 1);
	else if (schema->field[field].kind == ATTR_DIMS && pick(seed, 3) == 0)
		c->param[at] = (int64_t)pick(seed, ADZE_MAX_RANK + 1);
	else if (schema->field[field].kind == ATTR_DIMS)
		c->param[at + 1 + (int)pick(seed, ADZE_MAX_RANK)] = odd_number(seed);
	else if (schema->field[field].kind != ATTR_BODY)
		c->param[at] = odd_number(seed);
}

static void *guarded(size_t n, uint64_t *seed)
{
	unsigned char *at = malloc(n + 2 * GUARD);
	for (size_t i = 0; i < n + 2 * GUARD; i++)
		at[i] = i < GUARD || i >= n + GUARD ? 0xa5 : (unsigned char)check_random(seed);
	return at + GUARD;
}

static bool release(void *p, size_t n)
{
	unsigned char *at = (unsigned char *)p - GUARD;
	bool whole = true;
	for (size_t i = 0; i < GUARD; i++)
		whole = whole && at[i] == 0xa5 && at[n + GUARD + i] == 0xa5;
	free(at);
	return whole;
}

static size_t array_bytes(const struct plain_array *a)
{
	return (size_t)a->count * dtype_bytes(a->dtype);
}

/* Runs a call that holds, twice: at once, and in small parts with other scratch. */
static void run_call(const struct plain_kernel *k, struct call *c, uint64_t *seed)
{
	int n = c->p.ny + c->p.nx;
	struct plain_plan plan = k->plan(&c->p);
	CHECK(plan.units >= 0 && plan.cost >= 1 && plan.work < 1 << 24);
	for (int i = 0; i < n; i++)
		array_of(c, i)->at = guarded(array_bytes(array_of(c, i)), seed);
	size_t bytes = array_bytes(&c->p.y[0]);
	void *work = guarded(plan.work, seed), *first = malloc(bytes + 1);
	k->run(&c->p, 0, plan.units, work);
	memcpy(first, c->p.y[0].at, bytes);
	bool whole = release(work, plan.work);
	work = guarded(plan.work, seed);
	for (int64_t from = 0; from < plan.units;) {
		int64_t to = from + 1 + (int64_t)pick(seed, 5);
		to = to < plan.units ? to : plan.units;
		k->run(&c->p, from, to, work);
		from = to;
	}
	CHECK_MSG(memcmp(first, c->p.y[0].at, bytes) == 0, "%s: parts make a difference", k->name);
	whole &= release(work, plan.work);
	for (int i = 0; i < n; i++)
		whole &= release(array_of(c, i)->at, array_bytes(array_of(c, i)));
	CHECK_MSG(whole, "%s leaves its memory", k->name);
	free(first);
}

/* As the device does it: counts, then whether it holds. Large ones are left out. */
static bool holds(const struct plain_kernel *k, struct call *c)
{
	for (int i = 0; i < c->p.ny + c->p.nx; i++) {
		struct plain_array *a = array_of(c, i);
		a->extent = c->extent[i];
		a->count = plain_count(a, 0, a->rank);
		if (array_bytes(a) > MOST_BYTES)
			return false;
	}
	return k->holds(&c->p);
}

/* ---- kernels against the evaluator, without a device ---- */

static void fill(const struct plain_array *a, uint64_t *seed)
{
	adze_dtype part = dtype_part(a->dtype);
	int64_t n = a->count * (part != a->dtype ? 2 : 1);
	for (int64_t i = 0; i < n; i++)
		if (dtype_is_float(part))
			dtype_store_float(part, a->at, (size_t)i, (double)check_random_float(seed));
		else
			dtype_store_int(part, a->at, (size_t)i, (int64_t)pick(seed, 9) - 3);
}

/* Square matrices get a large diagonal, and their inverses stay small. */
static void strengthen(const struct plain_array *a)
{
	adze_dtype part = dtype_part(a->dtype);
	int64_t n = a->rank >= 2 ? a->extent[a->rank - 1] : 0, of = part != a->dtype ? 2 : 1;
	if (n == 0 || n != a->extent[a->rank - 2])
		return;
	for (int64_t at = 0; at < a->count; at += n * n)
		for (int64_t i = 0; i < n; i++)
			dtype_store_float(part, a->at, (size_t)(of * (at + i * (n + 1))), 16);
}

static void check_call(const char *inputs, const char *line, const char *tolerance)
{
	char text[1024], words[400], name[32];
	struct diag d = {ADZE_OK, ""};
	struct call c;
	adze_graph *g;
	uint64_t seed = check_seed();
	const void *in[PLAIN_MOST];
	snprintf(text, sizeof text, "graph g(%s) {\n %%1 = %s\n return y=%%1\n}\n", inputs,
		 line);
	CHECK_MSG(ir_parse(&mem_libc, text, strlen(text), "call", &d, &g) == ADZE_OK, "%s", d.text);
	read_call(inputs, "", line, &c);
	point(&c);
	snprintf(name, sizeof name, "%.*s", (int)strcspn(line, " "), line);
	const struct plain_kernel *k = plain_find(name);
	for (int i = 0; i < c.p.ny + c.p.nx; i++) {
		struct plain_array *a = array_of(&c, i);
		a->extent = c.extent[i];
		a->count = plain_count(a, 0, a->rank);
		a->at = malloc(array_bytes(a) + 1);
		fill(a, &seed);
	}
	if (strcmp(name, "cholesky") == 0 || strcmp(name, "triangular_solve") == 0)
		strengthen(&c.p.x[0]);
	for (int i = 0; i < c.p.nx; i++)
		in[i] = c.p.x[i].at;
	CHECK_MSG(k->holds(&c.p), "%s", line);
	struct plain_plan plan = k->plan(&c.p);
	void *work = malloc(plan.work + 1), *want = malloc(array_bytes(&c.p.y[0]) + 1);
	for (int64_t from = 0; from < plan.units; from += 3)
		k->run(&c.p, from, from + 3 < plan.units ? from + 3 : plan.units, work);
	CHECK(ir_eval(g, NULL, in, NULL, &want, &d) == ADZE_OK);
	CHECK_MSG(compare_tensors(c.p.y[0].dtype, c.p.y[0].at, want, (size_t)c.p.y[0].count,
				  tolerance, words, sizeof words),
		  "%s of %s: %s", line, inputs, words);
	for (int i = 0; i < c.p.ny + c.p.nx; i++)
		free(array_of(&c, i)->at);
	free(work);
	free(want);
	ir_graph_destroy(g);
}

static void check_matrices(const char *dtype, const char *tolerance)
{
	char inputs[128], line[160];
	for (int i = 0; i < 24; i++) {
		int left = i & 1, lower = i >> 1 & 1, unit = i >> 2 & 1, turn = i / 8;
		snprintf(inputs, sizeof inputs, "%%a: %s[2, 5, 5], %%b: %s[2, %d, %d]", dtype,
			 dtype, left ? 5 : 40, left ? 40 : 5);
		snprintf(line, sizeof line, "triangular_solve %%a, %%b, left=%d, lower=%d, unit=%d,"
			 " transpose=%d", left, lower, unit, turn);
		check_call(inputs, line, tolerance);
	}
	snprintf(inputs, sizeof inputs, "%%x: %s[2, 12, 12]", dtype);
	check_call(inputs, "cholesky %x, lower=1", tolerance);
	check_call(inputs, "cholesky %x", tolerance);
}

TEST(plain, matrices)
{
	check_matrices("f32", "rel:1e-5 abs:1e-5");
	check_matrices("f64", "rel:1e-12 abs:1e-12");
	check_matrices("c64", "rel:1e-5 abs:1e-5");
	check_matrices("c128", "rel:1e-12 abs:1e-12");
}

TEST(plain, transforms_of_every_length)
{
	static const int more[] = {49, 60, 64, 97, 100, 121, 127, 128, 143, 169, 210, 243, 256};
	char x[64], fft[64];
	for (int i = 0; i < 41 + (int)COUNT_OF(more); i++) {
		int n = i < 41 ? i : more[i - 41], half = n > 0 ? n / 2 + 1 : 0;
		snprintf(fft, sizeof fft, "fft %%x, lengths=[%d]", n);
		snprintf(x, sizeof x, "%%x: c128[2, %d]", n);
		check_call(x, fft, "rel:1e-13 abs:2e-13");
		snprintf(x, sizeof x, "%%x: c64[2, %d]", n);
		check_call(x, fft, "rel:1e-6 abs:2e-6");
		snprintf(fft, sizeof fft, "fft %%x, lengths=[%d], inverse=1", n);
		check_call(x, fft, "rel:1e-6 abs:1e-7");
		snprintf(fft, sizeof fft, "fft %%x, lengths=[%d], real=1", n);
		snprintf(x, sizeof x, "%%x: f64[3, %d]", n);
		check_call(x, fft, "rel:1e-13 abs:2e-13");
		snprintf(fft, sizeof fft, "fft %%x, lengths=[%d], real=1, inverse=1", n);
		snprintf(x, sizeof x, "%%x: c128[3, %d]", half);
		check_call(x, fft, "rel:1e-13 abs:1e-14");
	}
}

TEST(plain, transforms_over_several_axes)
{
	check_call("%x: c64[2, 6, 5]", "fft %x, lengths=[6, 5]", "rel:1e-6 abs:2e-6");
	check_call("%x: c128[3, 4, 5, 8]", "fft %x, lengths=[4, 5, 8], inverse=1", "abs:1e-14");
	check_call("%x: f32[2, 3, 4, 7]", "fft %x, lengths=[3, 4, 7], real=1", "abs:1e-5");
	check_call("%x: f32[17, 6]", "fft %x, lengths=[17, 6], real=1", "abs:1e-5");
	check_call("%x: c64[2, 3, 4, 4]", "fft %x, lengths=[3, 4, 7], real=1, inverse=1",
		   "abs:1e-6");
	check_call("%x: c64[5, 19, 4]", "fft %x, lengths=[19, 6], real=1, inverse=1", "abs:1e-6");
	check_call("%x: c64[0, 4]", "fft %x, lengths=[4]", "exact");
	check_call("%x: c64[3, 0, 4]", "fft %x, lengths=[0, 4]", "exact");
}

#define ADD "body add(%a: f32[], %b: f32[]) { %1 = add %a, %b return r=%1 } "
#define LESS "body less(%a: f32[], %b: f32[]) { %1 = lt %a, %b return r=%1 } "

/* Name, parameters, bodies, line. */
static const char *const sample[][4] = {
	{"gather", "%x: f32[4, 5, 3], %i: i32[4, 3, 1]", "",
	 "gather %x, %i, collapsed=[1], batch_x=[0], batch_at=[0], map=[1], offset=[2],"
	 " sizes=[1, 1, 3], vector=2"},
	{"gather", "%x: bf16[4, 5], %i: u64[7, 2]", "",
	 "gather %x, %i, map=[1, 0], offset=[1, 2], sizes=[2, 3], vector=1"},
	{"rng_philox", "%s: u64[3]", "", "rng_philox %s : u16[70, 15]"},
	{"rng_threefry", "%s: u64[2]", "", "rng_threefry %s : u64[100]"},
	{"cumulative", "%x: f32[3, 7, 2]", "", "cumulative %x, by=max, axis=1, reverse=1"},
	{"cumulative", "%x: i8[4, 5]", "", "cumulative %x, axis=0, exclusive=1"},
	{"top_k", "%x: f32[3, 9, 2]", "", "top_k %x, axis=1, k=4"},
	{"top_k", "%x: u16[20]", "", "top_k %x, axis=0, k=20, smallest=1"},
	{"dequantize_blocks", "%x: u8[3, 36]", "", "dequantize_blocks %x, format=q4_0"},
	{"dequantize_blocks", "%x: u8[420]", "", "dequantize_blocks %x, format=q6_k, quick=1"},
	{"cholesky", "%x: f64[2, 5, 5]", "", "cholesky %x"},
	{"cholesky", "%x: c64[3, 3]", "", "cholesky %x, lower=1"},
	{"triangular_solve", "%a: c128[2, 2], %b: c128[3, 2]", "",
	 "triangular_solve %a, %b, transpose=2"},
	{"triangular_solve", "%a: f32[2, 3, 3], %b: f32[2, 3, 5]", "",
	 "triangular_solve %a, %b, left=1, transpose=1"},
	{"fft", "%x: c64[2, 12]", "", "fft %x, lengths=[12]"},
	{"fft", "%x: f32[3, 17]", "", "fft %x, lengths=[17], real=1"},
	{"fft", "%x: c128[2, 3, 4, 5]", "", "fft %x, lengths=[3, 4, 8], real=1, inverse=1"},
	{"triangular_solve", "%a: f32[3, 3], %b: f32[5, 3]", "",
	 "triangular_solve %a, %b, lower=1"},
	{"reduce_body", "%x: f32[3, 50, 2], %v: f32[]", ADD,
	 "reduce_body %x, %v, axes=[1], body=add"},
	{"reduce_body", "%x: i8[4, 5], %y: f64[4, 5], %v: i8[], %w: f64[]",
	 "body b(%a: i8[], %b: f64[], %c: i8[], %d: f64[]) { %1 = add %a, %c return v=%1, w=%d }",
	 "reduce_body %x, %y, %v, %w, axes=[0, 1], body=b"},
	{"reduce_window_body", "%x: f32[6, 7], %v: f32[]", ADD,
	 "reduce_window_body %x, %v, window=[2, 3], stride=[2, 1], low=[1, -1], high=[0, 2],"
	 " dilation=[1, 2], base=[2, 1], body=add"},
	{"select_and_scatter", "%x: f32[3, 6, 8], %s: f32[3, 3, 4], %v: f32[]", LESS ADD,
	 "select_and_scatter %x, %s, %v, window=[1, 2, 2], stride=[1, 2, 2], select=less,"
	 " scatter=add"},
	{"scatter", "%x: f32[5, 6], %i: i32[4], %u: f32[4, 6]", ADD,
	 "scatter %x, %i, %u, window=[1], inserted=[0], map=[0], vector=1, body=add"},
	{"scatter", "%x: f32[3, 6], %i: i16[3, 7, 1], %u: f32[3, 7]",
	 "body two(%a: f32[], %b: f32[]) { %1 = mul %a, %b %2 = add %1, %a return r=%2 }",
	 "scatter %x, %i, %u, inserted=[1], batch_x=[0], batch_at=[0], map=[1], vector=2,"
	 " body=two"},
	{"sort", "%x: f32[3, 9, 2]", LESS, "sort %x, axis=1, body=less"},
	{"sort", "%x: i64[40], %y: bf16[40]",
	 "body b(%a: i64[], %b: i64[], %c: bf16[], %d: bf16[]) { %1 = eq %a, %b %2 = lt %c, %d"
	 " %3 = and %1, %2 return r=%3 }", "sort %x, %y, body=b"},
	{"map", "%x: f32[3, 9], %y: i16[3, 9]",
	 "body b(%a: f32[], %c: i16[]) { %1 = neg %a return r=%1, s=%c }", "map %x, %y, body=b"},
};

TEST(plain, damaged_calls_stay_inside)
{
	uint64_t seed = check_seed();
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		bool sampled = false;
		for (size_t k = 0; k < COUNT_OF(sample); k++)
			sampled |= strcmp(row[i], sample[k][0]) == 0;
		CHECK_MSG(sampled, "no sample of %s", row[i]);
	}
	for (size_t i = 0; i < COUNT_OF(sample); i++) {
		const struct plain_kernel *k = plain_find(sample[i][0]);
		const struct op_info *op = op_info(op_find(k->name, strlen(k->name)));
		struct call c, whole;
		size_t n = 0;
		read_call(sample[i][1], sample[i][2], sample[i][3], &whole);
		c = whole;
		point(&c);
		CHECK_MSG(holds(k, &c), "%s", sample[i][3]);
		run_call(k, &c, &seed);
		for (int t = 0; t < 8000; t++) {
			c = whole;
			point(&c);
			for (size_t j = 1 + pick(&seed, 4); j > 0; j--)
				damage(&c, op->attrs, &seed);
			if (holds(k, &c)) {
				run_call(k, &c, &seed);
				n++;
			}
		}
		CHECK_MSG(n > 20, "%s: only %zu calls hold", k->name, n);
	}
}
