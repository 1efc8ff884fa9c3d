/* SPDX-License-Identifier: Apache-2.0
 *
 * Loading: code is read, kernels are found by name, and before a call with new symbols every
 * view is checked against the memory it lies in. After that nothing can leave its bounds.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "devices/cpu/cpu_body.h"
#include "ir/group.h"

static const struct kernel_impl *find(adze_context *c, struct diag *d, const char *format, ...)
	PRINTF_LIKE(3, 4);
static const struct kernel_impl *find(adze_context *c, struct diag *d, const char *format, ...)
{
	char family[64];
	va_list args;
	va_start(args, format);
	vsnprintf(family, sizeof family, format, args);
	va_end(args);
	const struct kernel_impl *k = kernels_find(family, c->isa_mask);
	if (k == NULL)
		fail(d, ADZE_E_UNSUPPORTED, "executable: this build has no kernel %s", family);
	else
		context_log(c, ADZE_LOG_DEBUG, "kernel %s: %s", family, k->function);
	return k;
}

static const char *type_name(int dtype)
{
	return dtype_info((adze_dtype)dtype)->name;
}

static const struct kernel_impl *find_ins(adze_context *c, const struct cpu_ins *s,
					  struct diag *d)
{
	static const struct kernel_impl any = {.function = "plain loops"};
	char family[64];
	bool is_any = s->kind == CPU_INS_COMPLEX || dtype_bytes((adze_dtype)s->dtype) > 8 ||
		      (s->kind == CPU_INS_EW && dtype_is_complex((adze_dtype)s->dtype));
	snprintf(family, sizeof family, "convert_%s_%s", type_name(s->dtype), type_name(s->to));
	if (is_any || (s->kind == CPU_INS_CONVERT && kernels_find(family, c->isa_mask) == NULL))
		return &any;
	if (s->kind == CPU_INS_CONVERT)
		return find(c, d, "convert_%s_%s", type_name(s->dtype), type_name(s->to));
	if (s->kind == CPU_INS_SELECT)
		return find(c, d, "select_%d", (int)dtype_bytes((adze_dtype)s->dtype));
	return find(c, d, "%s_%s", ew_info((enum ew)s->ew)->name, type_name(s->dtype));
}

static bool can_chain(const struct cpu_ins *s)
{
	return s->kind == CPU_INS_EW && s->dtype == ADZE_F32 && kernels_chains((enum ew)s->ew);
}

static bool reads(const struct cpu_ins *s, uint16_t slot)
{
	for (int k = 0; k < s->nsrc; k++)
		if (s->src[k] == slot)
			return true;
	return false;
}

/* Whether instruction i hands its value to i + 1, and to no other. */
static bool hands_on(const struct cpu_prog *p, int i)
{
	uint16_t slot = p->ins[i].dst;
	if (i + 1 >= p->nins || !can_chain(&p->ins[i]) || !can_chain(&p->ins[i + 1]) ||
	    !reads(&p->ins[i + 1], slot))
		return false;
	for (int k = i + 1; k < p->nins; k++) {
		if (k > i + 1 && reads(&p->ins[k], slot))
			return false;
		if (p->ins[k].dst == slot)
			break;
	}
	return true;
}

static adze_status bind_prog(adze_context *c, struct cpu_loaded *l, const struct cpu_prog *p,
			     struct cpu_pieces *out, struct diag *d)
{
	if (p->nload == 0)
		return ADZE_OK;
	out->at = arena_new(&l->arena, p->nins, sizeof *out->at);
	if (out->at == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory to load an executable");
	for (int i = 0; i < p->nins;) {
		int n = 1;
		while (hands_on(p, i + n - 1))
			n++;
		const struct kernel_impl *k = n > 1 ? find(c, d, "chain_f32")
						    : find_ins(c, &p->ins[i], d);
		if (k == NULL)
			return d->status;
		out->at[out->n++] = (struct cpu_piece){k->run, (uint16_t)i, (uint16_t)n};
		i += n;
	}
	return ADZE_OK;
}

/* What a body is where it is one function of two inputs, or one of its inputs. */
static void describe_body(const struct cpu_body *b, struct plain_body *out)
{
	const struct cpu_ins *s = b->prog.ins;
	out->ew = EW_COUNT;
	out->same = b->nout == 1 && b->out[0] < b->nin ? b->out[0] : -1;
	if (b->nout != 1 || b->prog.nins != 1 || s->kind != CPU_INS_EW || s->nsrc != 2 ||
	    b->out[0] != s->dst || s->src[0] >= b->nin || s->src[1] >= b->nin)
		return;
	out->ew = (enum ew)s->ew;
	out->arg[0] = s->src[0];
	out->arg[1] = s->src[1];
}

/* Each instruction by itself: results of several may be wanted. */
static adze_status bind_body(adze_context *c, struct cpu_loaded *l, const struct cpu_body *b,
			     struct cpu_bound_body *out, struct diag *d)
{
	adze_dtype *type = arena_new(&l->arena, (size_t)b->nin + b->nout, sizeof *type);
	out->run = arena_new(&l->arena, b->prog.nins, sizeof *out->run);
	if (type == NULL || out->run == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory to load an executable");
	for (int i = 0; i < b->nin; i++)
		type[i] = (adze_dtype)b->type[i];
	for (int i = 0; i < b->nout; i++)
		type[b->nin + i] = (adze_dtype)b->type[b->prog.nload + i];
	for (int i = 0; i < b->prog.nins; i++) {
		const struct kernel_impl *k = find_ins(c, &b->prog.ins[i], d);
		if (k == NULL)
			return d->status;
		out->run[i] = k->run;
	}
	out->plain = (struct plain_body){.nin = b->nin, .nout = b->nout, .in = type,
					 .out = type + b->nin};
	describe_body(b, &out->plain);
	return ADZE_OK;
}

static bool is_narrow(int dtype)
{
	return dtype_is_float((adze_dtype)dtype) && dtype_bytes((adze_dtype)dtype) < 4;
}

static void bind_reduce(adze_context *c, const struct cpu_step *s, struct cpu_bound *b,
			struct diag *d)
{
	const char *f = ew_info((enum ew)s->param[0])->name;
	const char *type = type_name(s->pro.dtype);
	const char *acc = is_narrow(s->pro.dtype) ? "f32" : type;
	if (dtype_is_complex((adze_dtype)s->pro.dtype))
		return; /* any_reduce_complex() */
	if (s->kind == CPU_COLUMNS) {
		b->root = find(c, d, "reduce_step_%s_%s", f, type);
		if (acc != type)
			b->third = find(c, d, "convert_f32_%s", type);
	} else {
		b->root = find(c, d, "reduce_%s_%s", f, type);
		b->second = find(c, d, "reduce_%s_%s", f, acc);
		if (acc != type)
			b->third = find(c, d, "convert_%s_f32", type);
	}
}

/* f32, 16-bit floats, f32 by weights of 16-bit floats, any of them by weights of 8 bits, and bytes
 * in i32 have kernels. */
static void bind_gemm(adze_context *c, const struct cpu_step *s, struct cpu_bound *b,
		      struct diag *d)
{
	const char *type = type_name(s->view[2].dtype);
	bool narrow = s->view[0].dtype != ADZE_F32;
	if (s->view[2].dtype == ADZE_I8 && s->view[0].dtype == ADZE_I32) {
		b->second = find(c, d, s->view[1].dtype == ADZE_U8 ? "gemm_nt_u8_i8"
								   : "gemm_nt_i8");
		return;
	}
	const char *left = type_name(s->view[1].dtype);
	if (s->view[0].dtype != ADZE_F32 && s->view[0].dtype != ADZE_F16 &&
	    s->view[0].dtype != ADZE_BF16) {
		context_log(c, ADZE_LOG_INFO, "product of %s: plain loops", type);
		return;
	}
	if (s->view[1].dtype == s->view[2].dtype)
		b->root = find(c, d, "gemm_%s", type);
	else
		b->root = find(c, d, "gemm_%s_%s", left, type);
	b->second = find(c, d, s->view[2].dtype == ADZE_I8 ? "gemm_nt_f32_%s" : "gemm_nt_%s", type);
	if (s->view[1].dtype != ADZE_F32)
		b->widen = find(c, d, "convert_%s_f32", type_name(s->view[1].dtype));
	if (narrow)
		b->narrow = find(c, d, "convert_f32_%s", type_name(s->view[0].dtype));
	else if (s->view[2].dtype == ADZE_F32)
		b->third = find(c, d, "gemv_nn_f32");
}

static void bind_attend(adze_context *c, struct cpu_loaded *l, const struct cpu_step *s,
			struct cpu_bound *b, struct diag *d)
{
	static const struct {
		const char *family;
		int view; /* whose type goes with it; 0: f32 */
	} kernel[CPU_ATTEND_KERNELS] = {
		[CPU_ATTEND_PACK] = {"attend_pack_%s", 0},
		[CPU_ATTEND_PACK_Q] = {"attend_pack_%s", 1},
		[CPU_ATTEND_PACK_K] = {"attend_pack_%s", 2},
		[CPU_ATTEND_PACK_V] = {"attend_pack_%s", 3},
		[CPU_ATTEND_SCORES] = {"attend_scores_%s", 0},
		[CPU_ATTEND_SOFTEN] = {"attend_soften_%s", 0},
		[CPU_ATTEND_VALUES] = {"attend_values_%s", 0},
		[CPU_ATTEND_DOTS] = {"attend_dots_%s", 2},
		[CPU_ATTEND_FEW] = {"attend_few_%s", 3}};
	for (int i = 0; i < CPU_ATTEND_KERNELS; i++) {
		char family[64];
		snprintf(family, sizeof family, kernel[i].family,
			 type_name(s->view[kernel[i].view].dtype));
		b->attend[i] = find(c, d, "%s", family);
	}
	b->range = arena_new(&l->arena, (size_t)s->nview - 4 + 1, sizeof *b->range);
	if (b->range == NULL)
		fail(d, ADZE_E_NOMEM, "no memory to load an executable");
	for (int i = 4; i < s->nview && b->range != NULL; i++) {
		const char *type = type_name(s->view[i].dtype);
		if (s->view[i].dtype != ADZE_F32 && s->view[i].dtype != ADZE_I32)
			continue;
		b->range[i - 4][0] = find(c, d, "reduce_min_%s", type);
		b->range[i - 4][1] = find(c, d, "reduce_max_%s", type);
	}
}

static void bind_blocks(adze_context *c, const struct cpu_step *s, struct cpu_bound *b,
			struct diag *d)
{
	b->second = find(c, d, s->param[1] ? "round_rows" : "gemm_nt_f32");
	if (s->param[1])
		b->root = find(c, d, "gemm_nt_blocks");
	else
		context_log(c, ADZE_LOG_INFO, "product with %s: decoded to f32",
			    block_format((enum block_kind)s->param[0])->name);
}

static void bind_root(adze_context *c, struct cpu_loaded *l, const struct cpu_step *s,
		      struct cpu_bound *b, struct diag *d)
{
	const char *type = type_name(s->view[0].dtype);
	if (s->kind == CPU_EW || s->kind == CPU_ROW)
		b->stream = find(c, d, "stream_1");
	switch ((enum cpu_step_kind)s->kind) {
	case CPU_REDUCE:
	case CPU_COLUMNS: bind_reduce(c, s, b, d); break;
	case CPU_ARG:
		b->root = find(c, d, "%s_%s", s->param[0] ? "argmin" : "argmax",
			       type_name(s->pro.dtype));
		break;
	case CPU_ROW: b->root = find(c, d, "%s_%s", op_info((enum ir_op)s->op)->name, type); break;
	case CPU_GEMM: bind_gemm(c, s, b, d); break;
	case CPU_CONV:
		if (s->view[0].dtype == ADZE_F32 && s->view[0].rank <= 4)
			b->root = find(c, d, "conv2d_f32");
		else
			context_log(c, ADZE_LOG_INFO, "convolution of %s: plain loops", type);
		break;
	case CPU_WINDOW:
		if (s->view[0].dtype == ADZE_F32 && s->param[0] == EW_MAX)
			b->root = find(c, d, "pool_max_f32");
		else if (s->view[0].dtype == ADZE_F32 && s->param[0] == EW_ADD)
			b->root = find(c, d, "pool_add_f32");
		else
			context_log(c, ADZE_LOG_INFO, "window of %s: plain loops", type);
		break;
	case CPU_FILL:
		if (dtype_bytes((adze_dtype)s->view[0].dtype) <= 8)
			b->root = find(c, d, "fill_%d",
				       (int)dtype_bytes((adze_dtype)s->view[0].dtype));
		break;
	case CPU_ATTEND: bind_attend(c, l, s, b, d); break;
	case CPU_BLOCKS: bind_blocks(c, s, b, d); break;
	case CPU_PLAIN:
		b->plain = plain_find(op_info((enum ir_op)s->op)->name);
		context_log(c, ADZE_LOG_INFO, "%s of %s: plain loops", b->plain->name, type);
		break;
	default: break;
	}
}

/* ---- what a kind of step must have; sizes are checked in agree() ---- */

static bool is_number(const struct cpu_code *c, int64_t i)
{
	return i >= 0 && i < (int64_t)c->nnumber;
}

static bool same_type(const struct cpu_step *s, int a, int b)
{
	return s->view[a].dtype == s->view[b].dtype;
}

static bool scalars_from(const struct cpu_step *s, int first)
{
	if (s->nview != first + s->view[0].rank)
		return false;
	for (int i = first; i < s->nview; i++)
		if (s->view[i].rank != 0 || !dtype_is_int((adze_dtype)s->view[i].dtype))
			return false;
	return true;
}

static bool row_holds(const struct cpu_code *c, const struct cpu_step *s)
{
	int extra = s->op == OP_SOFTMAX ? 0 : s->op == OP_LAYER_NORM ? 2 : 1;
	if (s->nparam != 2 || !is_number(c, s->param[0]) || s->param[1] < 0 ||
	    s->param[1] > extra || s->nview < 1 + s->param[1] || s->pro.nload == 0 ||
	    s->pro.dtype != s->view[0].dtype ||
	    (s->op != OP_SOFTMAX && s->op != OP_LAYER_NORM && s->op != OP_RMS_NORM))
		return false;
	for (int i = 1; i <= s->param[1]; i++)
		if (!same_type(s, 0, i) || s->view[i].rank != 1)
			return false;
	return true;
}

/* Operands of the result's type, or such as the product converts. */
static bool product_types(const struct cpu_step *s)
{
	return (same_type(s, 0, 1) && same_type(s, 0, 2)) ||
	       ir_dot_converts((adze_dtype)s->view[0].dtype, (adze_dtype)s->view[1].dtype,
			       (adze_dtype)s->view[2].dtype);
}

static bool positive(const int64_t *p, int n)
{
	for (int i = 0; i < n; i++)
		if (p[i] < 1 || p[i] > INT32_MAX)
			return false;
	return true;
}

static bool small(const int64_t *p, int n)
{
	for (int i = 0; i < n; i++)
		if (p[i] < -INT32_MAX || p[i] > INT32_MAX)
			return false;
	return true;
}

static bool conv_holds(const struct cpu_step *s)
{
	int n = s->view[0].rank - 2;
	return n >= 1 && n <= 3 && s->nview >= 3 && s->nparam == 3 * n + 1 &&
	       s->view[1].rank == n + 2 && s->view[2].rank == n + 2 && same_type(s, 0, 1) &&
	       same_type(s, 0, 2) && positive(s->param, n) && small(s->param + n, n) &&
	       positive(s->param + 2 * n, n + 1);
}

static bool window_holds(const struct cpu_step *s)
{
	int n = s->view[0].rank;
	return s->nview >= 2 && s->nparam == 1 + 4 * n && s->view[1].rank == n &&
	       same_type(s, 0, 1) && s->param[0] >= 0 && s->param[0] < EW_COUNT &&
	       (ew_info((enum ew)s->param[0])->flags & EW_ASSOC) &&
	       positive(s->param + 1, 2 * n) && small(s->param + 1 + 2 * n, n) &&
	       positive(s->param + 1 + 3 * n, n);
}

static bool is_donated(const struct cpu_loaded *l, uint32_t block, uint32_t input)
{
	const struct exe_signature *f = &l->file->signature;
	const struct cpu_block *b = &l->code.block[block];
	bool donated = false;
	for (uint32_t i = 0; block == 0 && i < f->noutput; i++)
		donated |= f->output[i].into == (int32_t)input;
	for (uint32_t i = 0; i < b->noutput; i++)
		donated |= b->output[i].into == (int32_t)input;
	return donated;
}

/* Results go to the arena, to outputs, and to inputs that were given for it. */
static bool may_write(const struct cpu_loaded *l, uint32_t block, const struct cpu_step *s)
{
	int n = s->kind == CPU_PLAIN ? (int)s->param[0] : cpu_region_writes(&l->code, s);
	for (int k = 0; k < n; k++) {
		const struct cpu_view *v = &s->view[k];
		if (v->memory != CPU_ARENA && v->memory != CPU_OUTPUT &&
		    (v->memory != CPU_INPUT || !is_donated(l, block, v->index)))
			return false;
	}
	return true;
}

/* Packed elements have no strides: one kind of step sees them. */
static bool whole_bytes(const struct cpu_step *s)
{
	for (int i = 0; i < s->nview; i++)
		if (dtype_is_packed((adze_dtype)s->view[i].dtype))
			return false;
	return true;
}

static bool step_holds(const struct cpu_code *c, const struct cpu_step *s)
{
	bool reduces = s->kind == CPU_REDUCE || s->kind == CPU_COLUMNS;
	switch ((enum cpu_step_kind)s->kind) {
	case CPU_EW: return s->pro.nload > 0 && s->pro.dtype == s->view[0].dtype;
	case CPU_REDUCE:
	case CPU_COLUMNS:
	case CPU_ARG:
		return s->nparam == (s->kind == CPU_COLUMNS ? 3 : 2) && s->pro.nload > 0 &&
		       is_number(c, s->param[1]) &&
		       (s->kind != CPU_COLUMNS || is_number(c, s->param[2])) &&
		       (!reduces || (s->param[0] >= 0 && s->param[0] < EW_COUNT &&
				     (ew_info((enum ew)s->param[0])->flags & EW_ASSOC))) &&
		       s->view[0].dtype == (reduces ? s->pro.dtype : ADZE_I32);
	case CPU_ROW: return row_holds(c, s);
	case CPU_GEMM:
		return s->nview >= 3 && s->view[0].rank >= 2 && product_types(s) &&
		       s->view[1].rank == s->view[0].rank &&
		       s->view[2].rank == s->view[0].rank;
	case CPU_CONV: return conv_holds(s);
	case CPU_WINDOW: return window_holds(s);
	case CPU_COPY:
		return s->nview == 2 && same_type(s, 0, 1) && s->view[0].rank == s->view[1].rank;
	case CPU_FILL: return s->nview == 2 && same_type(s, 0, 1) && s->view[1].rank == 0;
	case CPU_PICK:
	case CPU_PUT:
		return s->nview >= 2 && same_type(s, 0, 1) &&
		       s->view[0].rank == s->view[1].rank && scalars_from(s, 2);
	case CPU_TAKE:
		return s->nview == 3 && s->view[0].rank == 3 && s->view[1].rank == 3 &&
		       s->view[2].rank == 1 && same_type(s, 0, 1) &&
		       dtype_is_int((adze_dtype)s->view[2].dtype);
	case CPU_IOTA: return s->nview == 1 && s->view[0].rank == 3;
	case CPU_EXTENT:
		return s->nview == 1 && s->nparam == 1 && is_number(c, s->param[0]) &&
		       s->view[0].dtype == ADZE_I32;
	case CPU_PLAIN: return cpu_plain_step_holds(s);
	case CPU_ATTEND: return cpu_attend_holds(s);
	case CPU_BLOCKS: return cpu_blocks_holds(s);
	case CPU_BRANCH:
	case CPU_WHILE:
	case CPU_SCAN: return cpu_region_holds(c, s);
	case CPU_CONVERT: return s->nview == 2 && s->pro.nload == 0;
	default: return false;
	}
}

static bool epilogue_holds(const struct cpu_step *s)
{
	if (s->epi.nload == 0)
		return true;
	bool rooted = s->kind == CPU_REDUCE || s->kind == CPU_COLUMNS || s->kind == CPU_ARG ||
		      s->kind == CPU_ROW || s->kind == CPU_GEMM || s->kind == CPU_CONV ||
		      s->kind == CPU_WINDOW || s->kind == CPU_BLOCKS;
	const struct cpu_view *first = &s->view[s->epi.load[0]];
	return rooted && first->memory == s->view[0].memory && first->index == s->view[0].index &&
	       first->byte == s->view[0].byte && first->dtype == s->view[0].dtype &&
	       dtype_bytes((adze_dtype)s->epi.dtype) == dtype_bytes((adze_dtype)first->dtype);
}

static adze_status bind_step(adze_context *c, struct cpu_loaded *l, uint32_t block, uint32_t i,
			     struct diag *d)
{
	const struct cpu_step *s = &l->code.step[i];
	struct cpu_bound *b = &l->bound[i];
	if ((s->kind != CPU_CONVERT && !whole_bytes(s)) || !step_holds(&l->code, s) ||
	    !epilogue_holds(s) || !may_write(l, block, s))
		return fail(d, ADZE_E_FORMAT, "executable: step %" PRIu32 " (%s) makes no sense", i,
			    cpu_step_name((enum cpu_step_kind)s->kind));
	b->first_box = l->nbox;
	l->nbox += s->nview;
	TRY(bind_prog(c, l, &s->pro, &b->pro, d));
	TRY(bind_prog(c, l, &s->epi, &b->epi, d));
	for (int i = 0; i < s->nbody; i++)
		TRY(bind_body(c, l, &s->body[i], &b->body[i], d));
	bind_root(c, l, s, b, d);
	return d->status;
}

static adze_status bind_block(adze_context *c, struct cpu_loaded *l, uint32_t block,
			      struct diag *d)
{
	const struct cpu_block *b = &l->code.block[block];
	for (uint32_t i = 0; i < b->nstep; i++)
		TRY(bind_step(c, l, block, b->first + i, d));
	return ADZE_OK;
}

adze_status cpu_load(adze_context *c, const struct exe_file *file, int threads,
		     struct cpu_loaded **out, struct diag *d)
{
	struct cpu_loaded *l = mem_new(&c->mem, 1, sizeof *l);
	*out = NULL;
	if (l == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory to load an executable");
	arena_init(&l->arena, &c->mem);
	l->file = file;
	l->threads = threads;
	adze_status status = cpu_code_read(file, &l->arena, &l->code, d);
	if (status == ADZE_OK)
		status = cpu_names_read(file, &l->code, d);
	if (status == ADZE_OK) {
		l->bound = arena_new(&l->arena, l->code.nstep, sizeof *l->bound);
		if (l->bound == NULL)
			status = fail(d, ADZE_E_NOMEM, "no memory to load an executable");
	}
	for (uint32_t i = 0; i < l->code.nblock && status == ADZE_OK; i++)
		status = bind_block(c, l, i, d);
	if (status != ADZE_OK) {
		cpu_unload(c, l);
		return status;
	}
	*out = l;
	return ADZE_OK;
}

void cpu_unload(adze_context *c, struct cpu_loaded *l)
{
	if (l == NULL)
		return;
	arena_fini(&l->arena);
	mem_free(&c->mem, l, 1, sizeof *l);
}
