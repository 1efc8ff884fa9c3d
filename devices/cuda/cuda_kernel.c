/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/cuda/cuda_kernel.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Indices and what is added to them stay within an int below this many elements. */
#define NARROW_COUNT ((int64_t)1 << 30)

void cuda_refuse(struct cuda_emitter *e, ir_val v, adze_status status, const char *words)
{
	const struct ir_where *w = &e->g->where[ir_get(e->g, v)->where];
	const char *op = op_info((enum ir_op)ir_get(e->g, v)->op)->name;
	if (e->status != ADZE_OK)
		return;
	e->status = status;
	if (ir_get(e->g, v)->where == 0 || w->file == NULL)
		fail(e->d, status, "%s: %s", op, words);
	else if (w->column > 0)
		fail(e->d, status, "%.400s:%d:%d: %s: %s", w->file, w->line, w->column, op, words);
	else
		fail(e->d, status, "%.400s:%d: %s: %s", w->file, w->line, op, words);
}

static bool no_memory(struct cuda_emitter *e)
{
	if (e->status == ADZE_OK)
		e->status = fail(e->d, ADZE_E_NOMEM, "no memory to generate CUDA code");
	return false;
}

static bool is_large(const adze_graph *g, ir_val v)
{
	while (true) {
		if (shape_count(ir_type(g, v)) >= NARROW_COUNT)
			return true;
		if (ir_class(g, v) != CLASS_VIEW)
			return false;
		v = ir_arg(g, v, 0);
	}
}

void cuda_kernel_init(struct cuda_kernel *k, struct cuda_emitter *e, const struct ir_group *q)
{
	memset(k, 0, sizeof *k);
	k->e = e;
	k->q = q;
	k->depth = 1;
	text_init(&k->body, e->out->arena.from);
	for (size_t i = 0; i < q->nnode; i++) {
		ir_val v = q->node[i];
		k->wide |= is_large(e->g, v);
		for (size_t n = 0; n < ir_get(e->g, v)->narg; n++)
			k->wide |= is_large(e->g, ir_arg(e->g, v, n));
	}
}

void cuda_kernel_fini(struct cuda_kernel *k)
{
	text_fini(&k->body);
}

static void add_line(struct cuda_kernel *k, const char *format, va_list args, const char *end)
{
	char line[2 * CUDA_INDEX + 256];
	int n = vsnprintf(line, sizeof line, format, args);
	if (n < 0 || (size_t)n >= sizeof line) {
		k->body.failed = true;
		return;
	}
	for (int i = 0; i < k->depth; i++)
		text_u8(&k->body, '\t');
	text_bytes(&k->body, line, (size_t)n);
	text_bytes(&k->body, end, strlen(end));
}

void cuda_line(struct cuda_kernel *k, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_line(k, format, args, "\n");
	va_end(args);
}

void cuda_open(struct cuda_kernel *k, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_line(k, format, args, " {\n");
	va_end(args);
	k->depth++;
}

void cuda_close(struct cuda_kernel *k)
{
	k->depth--;
	cuda_line(k, "}");
}

/* ---- launches ---- */

struct cuda_text {
	struct cuda_text *before;
	uint32_t kernel, threads;
	size_t len;
	char *at;
};

/* Doubles an array in the arena when it is full. */
static void *grow(struct cuda_emitter *e, void *at, size_t *cap, size_t n, size_t size)
{
	if (n < *cap)
		return at;
	size_t want = *cap == 0 ? 16 : 2 * *cap;
	void *to = arena_new(&e->out->arena, want, size);
	if (to == NULL) {
		no_memory(e);
		return NULL;
	}
	if (n > 0)
		memcpy(to, at, n * size);
	*cap = want;
	return to;
}

struct cuda_step *cuda_step_add(struct cuda_emitter *e, enum cuda_step_kind kind)
{
	struct cuda_code *c = &e->out->code;
	struct cuda_step *step = grow(e, c->step, &e->step_cap, c->nstep, sizeof *step);
	if (step == NULL)
		return NULL;
	c->step = step;
	step += c->nstep++;
	step->kind = kind;
	return step;
}

/* Parameters and body: all of a kernel but its name. */
static void print_kernel(const struct cuda_kernel *k, struct text *out)
{
	const char *comma = "";
	text_add(out, "(");
	for (uint32_t i = 0; i < k->nref; i++, comma = ", ")
		text_add(out, "%s%s%s *p%" PRIu32, comma, k->written[i] ? "" : "const ",
			 dtype_info(k->dtype[i])->cuda, i);
	for (uint32_t i = 0; i < k->nsize; i++, comma = ", ")
		text_add(out, "%si64 z%" PRIu32, comma, i);
	text_add(out, ")\n{\n\ttypedef %s idx;\n", k->wide ? "i64" : "int");
	for (uint32_t i = 0; i < k->nsize; i++)
		text_add(out, "\tconst idx s%" PRIu32 " = (idx)z%" PRIu32 ";\n", i, i);
	text_bytes(out, k->body.at, k->body.len);
	text_add(out, "}\n");
}

/* The number of the kernel with this text and block size; a new one where there is none. */
static uint32_t find_kernel(struct cuda_kernel *k, uint32_t threads, const struct text *t)
{
	struct cuda_emitter *e = k->e;
	struct cuda_code *c = &e->out->code;
	for (struct cuda_text *m = e->made; m != NULL; m = m->before)
		if (m->threads == threads && m->len == t->len &&
		    memcmp(m->at, t->at, t->len) == 0)
			return m->kernel;
	struct cuda_text *m = arena_new(&e->out->arena, 1, sizeof *m);
	char(*names)[CUDA_NAME] = grow(e, c->kernel, &e->kernel_cap, c->nkernel, CUDA_NAME);
	if (m == NULL || names == NULL) {
		no_memory(e);
		return 0;
	}
	m->at = arena_text(&e->out->arena, t->at, t->len);
	m->len = m->at != NULL ? t->len : 0;
	m->kernel = c->nkernel;
	m->threads = threads;
	m->before = e->made;
	e->made = m;
	c->kernel = names;
	ir_val named = k->q->root != 0 && k->stored == 0 ? k->q->root : k->q->sink;
	snprintf(names[c->nkernel], CUDA_NAME, "k%" PRIu32 "_%s", c->nkernel,
		 op_info((enum ir_op)ir_get(e->g, named)->op)->name);
	text_add(&e->kernels, "\nKERNEL __launch_bounds__(%" PRIu32 ") %s", threads,
		 names[c->nkernel]);
	text_bytes(&e->kernels, t->at, t->len);
	return c->nkernel++;
}

void cuda_launch(struct cuda_kernel *k, struct ir_size items, uint32_t threads,
		 uint32_t per_block)
{
	struct cuda_emitter *e = k->e;
	struct text t;
	if (items.coef == 0)
		return;
	text_init(&t, e->out->arena.from);
	print_kernel(k, &t);
	if (k->body.failed || t.failed)
		no_memory(e);
	struct cuda_step *step = e->status == ADZE_OK ? cuda_step_add(e, CUDA_LAUNCH) : NULL;
	if (step != NULL) {
		struct cuda_launch *l = &step->launch;
		l->kernel = find_kernel(k, threads, &t);
		l->threads = threads;
		l->per_block = per_block;
		l->items = items;
		l->nref = k->nref;
		l->nsize = k->nsize;
		l->ref = arena_new(&e->out->arena, k->nref, sizeof *l->ref);
		l->size = arena_new(&e->out->arena, k->nsize, sizeof *l->size);
		if (l->ref == NULL || l->size == NULL) {
			no_memory(e);
		} else {
			memcpy(l->ref, k->ref, k->nref * sizeof *l->ref);
			memcpy(l->size, k->size, k->nsize * sizeof *l->size);
		}
	}
	text_fini(&t);
}

/* ---- places, sizes, indices ---- */

static uint64_t const_offset(struct cuda_emitter *e, ir_val v)
{
	struct text *t = &e->out->consts;
	const struct ir_data *data = &IR_ATTRS(data, e->g, v)->data;
	if (e->const_at[v] == 0) {
		text_zeros(t, size_round_up(t->len, EXE_ALIGN) - t->len);
		e->const_at[v] = t->len + 1;
		text_bytes(t, data->bytes, data->len);
	}
	return e->const_at[v] - 1;
}

struct cuda_ref cuda_ref_of(struct cuda_emitter *e, ir_val v)
{
	const adze_graph *g = e->g;
	int weight = ir_weight_index(g, v);
	if (weight >= 0)
		return (struct cuda_ref){CUDA_REF_WEIGHT, (uint64_t)weight};
	if (ir_get(g, v)->op == OP_CONST)
		return (struct cuda_ref){CUDA_REF_CONST, const_offset(e, v)};
	uint64_t at = (uint64_t)g->place[v].at;
	switch (g->place[v].kind) {
	case PLACE_INPUT: return (struct cuda_ref){CUDA_REF_INPUT, at};
	case PLACE_OUTPUT: return (struct cuda_ref){CUDA_REF_OUTPUT, at};
	case PLACE_ARENA: return (struct cuda_ref){CUDA_REF_ARENA, at};
	case PLACE_NONE: break;
	}
	cuda_refuse(e, v, ADZE_E_TYPE, "a value that a group reads has no memory");
	return (struct cuda_ref){CUDA_REF_ARENA, 0};
}

uint32_t cuda_pointer(struct cuda_kernel *k, struct cuda_ref at, adze_dtype dtype, bool written)
{
	for (uint32_t i = 0; i < k->nref; i++)
		if (k->ref[i].kind == at.kind && k->ref[i].at == at.at && k->dtype[i] == dtype &&
		    k->written[i] == written)
			return i;
	if (k->nref == CUDA_MAX_REF) {
		cuda_refuse(k->e, k->q->sink, ADZE_E_LIMIT, "its group reads too many values");
		return 0;
	}
	k->ref[k->nref] = at;
	k->dtype[k->nref] = dtype;
	k->written[k->nref] = written;
	return k->nref++;
}

const char *cuda_size(struct cuda_kernel *k, struct ir_size s, char *out)
{
	bool is_static = true;
	for (int i = 0; i < ADZE_MAX_SYMBOLS; i++)
		is_static &= s.power[i] == 0;
	if (is_static) {
		snprintf(out, CUDA_SIZE_TEXT, "%" PRId64 "%s", s.coef, k->wide ? "ll" : "");
		return out;
	}
	uint32_t i = 0;
	while (i < k->nsize && !ir_size_equal(k->size[i], s))
		i++;
	if (i == CUDA_MAX_SIZE) {
		cuda_refuse(k->e, k->q->sink, ADZE_E_LIMIT, "its group has too many sizes");
		i = 0;
	} else if (i == k->nsize) {
		k->size[k->nsize++] = s;
	}
	snprintf(out, CUDA_SIZE_TEXT, "s%" PRIu32, i);
	return out;
}

/* Appends to a text of CUDA_INDEX bytes. */
static void append(struct cuda_kernel *k, char *out, const char *format, ...) PRINTF_LIKE(3, 4);
static void append(struct cuda_kernel *k, char *out, const char *format, ...)
{
	size_t at = strlen(out);
	va_list args;
	va_start(args, format);
	int n = vsnprintf(out + at, CUDA_INDEX - at, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= CUDA_INDEX - at)
		k->body.failed = true;
}

static void append_terms(struct cuda_kernel *k, const struct ir_view *w,
			 const char (*coord)[CUDA_SIZE_TEXT], char *out)
{
	char size[CUDA_SIZE_TEXT];
	if (w->offset.coef != 0)
		append(k, out, "%s%s", out[0] ? " + " : "", cuda_size(k, w->offset, size));
	for (int i = 0; i < w->rank; i++) {
		if (w->stride[i].coef == 0 || ir_size_is(w->extent[i], 1))
			continue;
		const char *plus = out[0] ? " + " : "";
		if (ir_size_is(w->stride[i], 1))
			append(k, out, "%s%s", plus, coord[i]);
		else
			append(k, out, "%s%s * %s", plus, coord[i],
			       cuda_size(k, w->stride[i], size));
	}
}

const char *cuda_index(struct cuda_kernel *k, const struct ir_view *w,
		       const char (*coord)[CUDA_SIZE_TEXT], char *out)
{
	out[0] = '\0';
	append_terms(k, w, coord, out);
	if (out[0] == '\0')
		append(k, out, "0");
	return out;
}

/* ---- spaces ---- */

bool cuda_view(struct cuda_kernel *k, ir_val v, struct ir_view *out)
{
	if (k->stored != 0 && v == k->stored) {
		ir_view_dense(k->e->g, v, out);
		return true;
	}
	if (ir_view_of(k->e->g, v, out))
		return true;
	cuda_refuse(k->e, v, ADZE_E_UNSUPPORTED, "its elements cannot be walked with strides");
	return false;
}

static bool is_leaf(const struct cuda_kernel *k, ir_val v)
{
	const adze_graph *g = k->e->g;
	return v == k->stored || g->group[v] != g->group[k->q->sink];
}

static void add_leaf(struct cuda_kernel *k, struct cuda_space *s, ir_val v)
{
	if (v == 0 || !is_leaf(k, v))
		return;
	for (int i = 0; i < s->nleaf; i++)
		if (s->leaf[i] == v)
			return;
	s->leaf[s->nleaf++] = v;
}

/* The axes of `w` in or not in the set; the offset goes with the outer ones. */
static void part_of(const struct ir_view *w, unsigned inner, bool is_inner, struct ir_view *out)
{
	memset(out, 0, sizeof *out);
	out->base = w->base;
	if (!is_inner)
		out->offset = w->offset;
	for (int i = 0; i < w->rank; i++) {
		if ((inner >> i & 1) != is_inner)
			continue;
		out->extent[out->rank] = w->extent[i];
		out->stride[out->rank++] = w->stride[i];
	}
}

/* The view of a leaf over the box `all`; a scalar is repeated all over it. */
static bool leaf_view(struct cuda_kernel *k, ir_val v, const struct ir_view *all,
		      struct ir_view *out)
{
	if (!cuda_view(k, v, out))
		return false;
	if (out->rank == 0 && all->rank > 0) {
		out->rank = all->rank;
		for (int i = 0; i < all->rank; i++) {
			out->extent[i] = all->extent[i];
			out->stride[i] = ir_size_const(0);
		}
	}
	if (out->rank == all->rank)
		return true;
	cuda_refuse(k->e, v, ADZE_E_TYPE, "its group walks another box");
	return false;
}

static struct ir_size count_of(const struct ir_view *w)
{
	struct ir_size n = ir_size_const(1);
	for (int i = 0; i < w->rank; i++)
		n = ir_size_mul(n, w->extent[i]);
	return n;
}

bool cuda_space_fill(struct cuda_kernel *k, struct cuda_space *s, ir_val over, unsigned inner,
		     const ir_val *node, size_t nnode, ir_val extra, const struct ir_view *last,
		     bool keep)
{
	const adze_graph *g = k->e->g;
	struct arena *r = &k->e->out->arena;
	struct ir_view all, one;
	size_t most = 2;
	for (size_t i = 0; i < nnode; i++)
		most += ir_get(g, node[i])->narg;
	memset(s, 0, sizeof *s);
	s->row = "i";
	s->prefix = 'o';
	s->leaf = arena_new(r, most, sizeof *s->leaf);
	s->outer = arena_new(r, most, sizeof *s->outer);
	s->inner = arena_new(r, most, sizeof *s->inner);
	if (s->leaf == NULL || s->outer == NULL || s->inner == NULL)
		return no_memory(k->e);
	for (size_t i = 0; i < nnode; i++)
		for (size_t n = 0; n < ir_get(g, node[i])->narg; n++)
			add_leaf(k, s, ir_arg(g, node[i], n));
	add_leaf(k, s, extra);
	ir_view_dense(g, over, &all);
	for (int i = 0; i <= s->nleaf; i++) {
		if (i == s->nleaf)
			one = *last;
		else if (!leaf_view(k, s->leaf[i], &all, &one))
			return false;
		part_of(&one, inner, false, &s->outer[i]);
		part_of(&one, inner, true, &s->inner[i]);
	}
	s->nouter = count_of(&s->outer[s->nleaf]);
	part_of(&all, inner, true, &one);
	s->ninner = count_of(&one);
	if (!keep) {
		ir_view_collapse(s->outer, s->nleaf + 1);
		ir_view_collapse(s->inner, s->nleaf + 1);
	}
	return true;
}

static void name_coords(const struct ir_view *w, const char *linear, char prefix,
			char (*coord)[CUDA_SIZE_TEXT])
{
	for (int i = 0; i < w->rank; i++) {
		if (w->rank == 1)
			snprintf(coord[i], CUDA_SIZE_TEXT, "%s", linear);
		else
			snprintf(coord[i], CUDA_SIZE_TEXT, "%c%d", prefix, i);
	}
}

static void declare_coords(struct cuda_kernel *k, const struct ir_view *w, const char *linear,
			   char prefix)
{
	char size[CUDA_SIZE_TEXT];
	if (w->rank < 2)
		return;
	cuda_line(k, "idx %c = %s;", prefix, linear);
	for (int i = w->rank - 1; i > 0; i--) {
		cuda_size(k, w->extent[i], size);
		cuda_line(k, "const idx %c%d = %c %% %s;", prefix, i, prefix, size);
		cuda_line(k, "%c /= %s;", prefix, size);
	}
	cuda_line(k, "const idx %c0 = %c;", prefix, prefix);
}

void cuda_outer_coords(struct cuda_kernel *k, const struct cuda_space *s)
{
	declare_coords(k, &s->outer[s->nleaf], s->row, s->prefix);
}

void cuda_inner_coords(struct cuda_kernel *k, const struct cuda_space *s)
{
	declare_coords(k, &s->inner[s->nleaf], "k", 'c');
}

void cuda_coord_names(const struct cuda_space *s, char (*coord)[CUDA_SIZE_TEXT])
{
	name_coords(&s->outer[s->nleaf], s->row, s->prefix, coord);
}

/* What lies dense is walked as the loop's variable goes. */
static void append_part(struct cuda_kernel *k, const struct ir_view *w, const char *linear,
			char prefix, char *out)
{
	char coord[ADZE_MAX_RANK][CUDA_SIZE_TEXT];
	struct ir_view flat = {.base = w->base, .rank = 1, .offset = w->offset};
	flat.stride[0] = ir_size_const(1);
	if (w->rank < 2 || !ir_view_is_dense(w))
		flat = *w;
	name_coords(&flat, linear, prefix, coord);
	append_terms(k, &flat, (const char (*)[CUDA_SIZE_TEXT])coord, out);
}

const char *cuda_leaf_index(struct cuda_kernel *k, const struct cuda_space *s, int i, char *out)
{
	out[0] = '\0';
	append_part(k, &s->outer[i], s->row, s->prefix, out);
	append_part(k, &s->inner[i], "k", 'c', out);
	if (out[0] == '\0')
		append(k, out, "0");
	return out;
}
