/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver of the emitter: groups in turn, element-wise kernels, the functions that the
 * kernels need, and copies to outputs.
 */
#include "devices/cuda/cuda_emit.h"

#include <inttypes.h>
#include <string.h>

#include "devices/cuda/cuda_kernel.h"
#include "devices/device.h"

/* Element-wise nodes alone, or behind a product that is in memory; or a view. */
void cuda_emit_elements(struct cuda_kernel *k)
{
	const adze_graph *g = k->e->g;
	const struct ir_group *q = k->q;
	adze_dtype dtype = ir_type(g, q->sink)->dtype;
	char n[CUDA_SIZE_TEXT], index[CUDA_INDEX];
	struct cuda_space s;
	struct ir_view dense;
	ir_view_dense(g, q->sink, &dense);
	if (!cuda_space_fill(k, &s, q->sink, 0, q->epi, q->nepi, 0, &dense, false))
		return;
	cuda_open(k, "EACH_ITEM(idx, i, %s)", cuda_size(k, s.nouter, n));
	cuda_outer_coords(k, &s);
	cuda_nodes(k, &s, q->epi, q->nepi);
	cuda_store(k, dtype, cuda_pointer(k, cuda_ref_of(k->e, q->sink), dtype, true),
		   cuda_leaf_index(k, &s, s.nleaf, index), cuda_value(k, &s, q->sink));
	cuda_close(k);
	cuda_forget(k, &s);
	cuda_launch(k, s.nouter, CUDA_BLOCK, CUDA_BLOCK);
}

/* A view that is copied out. */
static void emit_view(struct cuda_kernel *k)
{
	const adze_graph *g = k->e->g;
	ir_val v = k->q->sink;
	char n[CUDA_SIZE_TEXT], from[CUDA_INDEX], to[CUDA_INDEX];
	struct cuda_space s;
	struct ir_view w[2];
	ir_view_dense(g, v, &w[1]);
	if (!ir_view_through(g, v, &w[0])) {
		cuda_refuse(k->e, v, ADZE_E_UNSUPPORTED,
			    "its elements cannot be walked with strides");
		return;
	}
	k->raw = true;
	adze_dtype dtype = cuda_element(k, v);
	uint32_t x = cuda_pointer(k, cuda_ref_of(k->e, w[0].base), dtype, false);
	uint32_t y = cuda_pointer(k, cuda_ref_of(k->e, v), dtype, true);
	memset(&s, 0, sizeof s);
	s.row = "i";
	s.prefix = 'o';
	s.nleaf = 1;
	s.outer = w;
	s.inner = arena_new(&k->e->out->arena, 2, sizeof *s.inner);
	s.nouter = ir_size_const(1);
	for (int i = 0; i < w[1].rank; i++)
		s.nouter = ir_size_mul(s.nouter, w[1].extent[i]);
	if (s.inner == NULL) {
		k->body.failed = true;
		return;
	}
	ir_view_collapse(w, 2);
	cuda_open(k, "EACH_ITEM(idx, i, %s)", cuda_size(k, s.nouter, n));
	cuda_outer_coords(k, &s);
	cuda_leaf_index(k, &s, 0, from);
	cuda_line(k, "p%" PRIu32 "[%s] = p%" PRIu32 "[%s];", y, cuda_leaf_index(k, &s, 1, to), x,
		  from);
	cuda_close(k);
	cuda_launch(k, s.nouter, CUDA_BLOCK, CUDA_BLOCK);
}

static void emit_kernel(struct cuda_kernel *k)
{
	const adze_graph *g = k->e->g;
	if (k->q->root == 0) {
		cuda_emit_elements(k);
		return;
	}
	switch (ir_class(g, k->q->root)) {
	case CLASS_VIEW: emit_view(k); break;
	case CLASS_REDUCE: cuda_emit_reduce(k); break;
	case CLASS_ROW: cuda_emit_row(k); break;
	case CLASS_GEMM:
	case CLASS_CONV:
	case CLASS_WINDOW: cuda_emit_sums(k); break;
	case CLASS_SRC:
	case CLASS_MOVE: cuda_emit_move(k); break;
	case CLASS_EW: cuda_emit_elements(k); break;
	case CLASS_ATTEND:
	case CLASS_REGION:
	case CLASS_PLAIN: break; /* refused in emit_group() */
	}
}

static void emit_group(struct cuda_emitter *e, const struct ir_group *q)
{
	if (q->root != 0 && ir_class(e->g, q->root) == CLASS_REGION) {
		e->status = fail(e->d, ADZE_E_UNSUPPORTED,
				 "CUDA cannot run bodies: %s",
				 op_info((enum ir_op)ir_get(e->g, q->root)->op)->name);
		return;
	}
	if (q->root != 0 && (ir_class(e->g, q->root) == CLASS_PLAIN ||
			     ir_class(e->g, q->root) == CLASS_ATTEND)) {
		cuda_refuse(e, q->root, ADZE_E_UNSUPPORTED, "CUDA cannot compute it yet");
		return;
	}
	if (q->root != 0 && ir_get(e->g, q->root)->op == OP_CONCAT) {
		cuda_emit_concat(e, q);
		return;
	}
	if (q->root != 0 && ir_class(e->g, q->root) == CLASS_GEMM && cuda_emit_gemm(e, q))
		return;
	struct cuda_kernel *k = mem_new(e->out->arena.from, 1, sizeof *k);
	if (k == NULL) {
		e->status = fail(e->d, ADZE_E_NOMEM, "no memory to generate CUDA code");
		return;
	}
	cuda_kernel_init(k, e, q);
	emit_kernel(k);
	cuda_kernel_fini(k);
	mem_free(e->out->arena.from, k, 1, sizeof *k);
}

/* An output whose value lies elsewhere: in an input, a weight, a constant, another output. */
static void emit_copy(struct cuda_emitter *e, size_t i)
{
	const adze_graph *g = e->g;
	const struct ir_output *o = &g->output[i];
	struct cuda_ref from = cuda_ref_of(e, o->value);
	struct cuda_ref to = {CUDA_REF_OUTPUT, i};
	if (from.kind == CUDA_REF_OUTPUT && from.at == i)
		return;
	if (o->into != 0 && from.kind == CUDA_REF_INPUT &&
	    (int)from.at == ir_input_index(g, o->into))
		return;
	struct cuda_step *step = cuda_step_add(e, CUDA_COPY);
	if (step == NULL)
		return;
	const adze_shape *s = ir_type(g, o->value);
	step->copy.from = from;
	step->copy.to = to;
	step->copy.bytes = ir_size_const((int64_t)dtype_bytes(s->dtype));
	for (int k = 0; k < s->rank; k++)
		step->copy.bytes = ir_size_mul(step->copy.bytes, ir_size_of(g, &s->dim[k]));
}

/* ---- what stands before the kernels ---- */

static void print_dtypes(const struct cuda_emitter *e, struct text *out)
{
	for (int i = 0; i < ADZE_DTYPE_COUNT; i++) {
		const struct dtype_info *t = dtype_info((adze_dtype)i);
		/* Narrow floats are in the prelude; the others are what formulas work with. */
		if (!e->dtype[i] || t->class == DTYPE_FLOAT || t->bits == 64)
			continue;
		const char *wide = cuda_type_of((adze_dtype)i);
		bool is_bool = t->class == DTYPE_BOOL;
		text_add(out, "DEVICE %s get_%s(%s e) { return e%s; }\n", wide, t->name, t->cuda,
			 is_bool ? " != 0" : "");
		text_add(out, "DEVICE %s put_%s(%s v) { return (%s)%s; }\n", t->cuda, t->name, wide,
			 t->cuda, is_bool ? "(v & 1)" : "v");
	}
}

static void print_op(enum ew f, enum cuda_kind kind, struct text *out)
{
	const struct ew_info *info = ew_info(f);
	bool is_float = kind == KIND_FLOAT || kind == KIND_DOUBLE;
	bool is_pred = info->flags & EW_PRED;
	const char *word = is_float ? "T" : "W";
	text_add(out, "DEVICE %s op_%s(", is_pred ? "u64" : word, info->name);
	for (int i = 0; i < info->n; i++)
		text_add(out, "%s%s %c", i > 0 ? ", " : "", word, 'a' + i);
	text_add(out, "%s) { return %s%s%s; }\n", is_float ? "" : ", unsigned BITS",
		 is_pred ? "(" : "", is_float ? info->float_text : info->integer_text,
		 is_pred ? ") != 0" : "");
}

/* The functions of ew.def, with the meaning that its words have for each type. */
static void print_ops(const struct cuda_emitter *e, struct text *out)
{
	static const char *const words[KIND_COUNT] = {
		"#define T float\n#define F(name) name##f\n#define K(x) ((float)(x))\n",
		"#define T double\n#define F(name) name\n#define K(x) ((double)(x))\n",
		"#define W i64\n#define K(x) (x)\n",
		"#define W u64\n#define K(x) (x)\n",
	};
	text_add(out, "#define U u64\n");
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		bool any = false;
		for (int f = 0; f < EW_COUNT; f++) {
			if (!e->op[f][kind])
				continue;
			if (!any)
				text_add(out, "%s", words[kind]);
			any = true;
			print_op((enum ew)f, (enum cuda_kind)kind, out);
		}
		if (any)
			text_add(out, "#undef T\n#undef W\n#undef F\n#undef K\n");
	}
	text_add(out, "#undef U\n");
}

static void print_source(struct cuda_emitter *e)
{
	struct text *out = &e->out->source;
	if (e->out->code.nkernel == 0)
		return;
	text_add(out, "%s", cuda_prelude);
	if (e->needs_rows)
		text_add(out, "%s", cuda_rows);
	text_add(out, "\n");
	print_dtypes(e, out);
	print_ops(e, out);
	text_bytes(out, e->kernels.at, e->kernels.len);
}

static adze_status emit_all(struct cuda_emitter *e, struct arena *scratch)
{
	const adze_graph *g = e->g;
	struct ir_group *group;
	size_t n;
	if (g->stage != STAGE_PLANNED)
		return fail(e->d, ADZE_E_ARGUMENT, "cuda: the graph is not planned");
	e->local = arena_new(scratch, g->nnode, sizeof *e->local);
	e->const_at = arena_new(scratch, g->nnode, sizeof *e->const_at);
	if (e->local == NULL || e->const_at == NULL || !ir_groups(g, scratch, &group, &n))
		return fail(e->d, ADZE_E_NOMEM, "no memory to generate CUDA code");
	for (size_t i = 0; e->status == ADZE_OK && i < n; i++)
		emit_group(e, &group[i]);
	for (size_t i = 0; e->status == ADZE_OK && i < g->noutput; i++)
		emit_copy(e, i);
	if (e->status != ADZE_OK)
		return e->status;
	print_source(e);
	if (e->out->source.failed || e->kernels.failed || e->out->consts.failed)
		return fail(e->d, ADZE_E_NOMEM, "no memory to generate CUDA code");
	return ADZE_OK;
}

static bool has_type(adze_dtype dtype)
{
	return dtype_info(dtype)->cuda != NULL;
}

adze_status cuda_emit(const adze_graph *g, uint32_t arch, struct cuda_program *out,
		      struct diag *d)
{
	const adze_allocator *a = g->arena.from;
	struct arena scratch;
	memset(out, 0, sizeof *out);
	TRY(device_check_types(g, "CUDA device", has_type, d));
	arena_init(&out->arena, a);
	text_init(&out->source, a);
	text_init(&out->consts, a);
	out->code.arch = arch;
	struct cuda_emitter *e = mem_new(a, 1, sizeof *e);
	if (e == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory to generate CUDA code");
	e->g = g;
	e->out = out;
	e->d = d;
	text_init(&e->kernels, a);
	arena_init(&scratch, a);
	adze_status status = emit_all(e, &scratch);
	arena_fini(&scratch);
	text_fini(&e->kernels);
	mem_free(a, e, 1, sizeof *e);
	return status;
}

void cuda_program_fini(struct cuda_program *p)
{
	text_fini(&p->source);
	text_fini(&p->consts);
	arena_fini(&p->arena);
}
