/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames: what one running call needs. Numbers and boxes are worked out for the call's symbols,
 * and checked, before any step runs.
 */
#include <inttypes.h>
#include <string.h>

#include "devices/cpu/cpu_exec.h"

/* No number that is worked out may come near what int64_t holds. */
#define NUMBER_LIMIT ((int64_t)1 << 56)

bool cpu_number_value(const struct ir_size *s, const int64_t *symbol, int64_t *out)
{
	int64_t v = s->coef;
	for (int i = 0; i < ADZE_MAX_SYMBOLS; i++)
		for (int k = 0; k < s->power[i]; k++)
			if (__builtin_mul_overflow(v, symbol[i], &v))
				return false;
	*out = v;
	return v > -NUMBER_LIMIT && v < NUMBER_LIMIT;
}

static int64_t value_bytes(const struct exe_signature *s, const adze_shape *shape,
			   const int64_t *symbol)
{
	adze_shape actual = device_shape(s, shape, symbol);
	return shape_bytes(&actual);
}

/* Of a body's value; numbers are below NUMBER_LIMIT. */
static int64_t element_bytes(const struct cpu_value *v, const int64_t *number)
{
	size_t bytes;
	dtype_array_bytes((adze_dtype)v->dtype, (size_t)number[v->count], &bytes);
	return (int64_t)bytes;
}

static int64_t memory_bytes(const struct cpu_loaded *l, uint32_t block, const struct cpu_view *v,
			    const struct device_frame *f)
{
	const struct exe_signature *s = &l->file->signature;
	const struct cpu_block *b = &l->code.block[block];
	switch (v->memory) {
	case CPU_INPUT:
		return block > 0 ? element_bytes(&b->input[v->index], f->number)
				 : value_bytes(s, &s->input[v->index].shape, f->symbol);
	case CPU_WEIGHT: return value_bytes(s, &exe_weight(s, v->index)->shape, f->symbol);
	case CPU_OUTPUT:
		return block > 0 ? element_bytes(&b->output[v->index], f->number)
				 : value_bytes(s, &s->output[v->index].shape, f->symbol);
	case CPU_ARENA: return (int64_t)s->arena_bytes;
	default: return (int64_t)l->file->section[EXE_CONSTS].len;
	}
}

/* Whether packed elements lie together, from a whole byte on, in so many bytes. */
static bool packed_inside(const struct cpu_view *v, const struct cpu_box *b, int64_t bytes)
{
	int bits = dtype_info((adze_dtype)v->dtype)->bits;
	return b->dense && b->offset >= 0 && b->offset * bits % 8 == 0 &&
	       v->byte <= (uint64_t)NUMBER_LIMIT &&
	       (int64_t)v->byte + ((b->offset + b->count) * bits + 7) / 8 <= bytes;
}

/* Works a box out; false where it leaves its memory. */
static bool set_box(const struct device_frame *f, uint32_t block, const struct cpu_view *v,
		    struct cpu_box *b)
{
	const int64_t *number = f->number;
	int64_t low, high, step = 1;
	memset(b, 0, sizeof *b);
	b->rank = v->rank;
	b->size = dtype_bytes((adze_dtype)v->dtype);
	b->offset = low = high = number[v->offset];
	b->count = 1;
	b->splat = v->rank > 0;
	for (int i = 0; i < v->rank; i++) {
		int64_t n = number[v->extent[i]], stride = number[v->stride[i]], reach;
		if (n < 0 || __builtin_mul_overflow(b->count, n, &b->count) ||
		    b->count > NUMBER_LIMIT ||
		    __builtin_mul_overflow(n > 0 ? n - 1 : 0, stride, &reach) ||
		    __builtin_add_overflow(reach < 0 ? low : high, reach,
					   reach < 0 ? &low : &high))
			return false;
		b->extent[i] = n;
		b->stride[i] = stride;
		b->splat &= stride == 0 || n == 1;
	}
	b->dense = true;
	for (int i = v->rank - 1; i >= 0; i--) {
		b->dense &= b->extent[i] == 1 || b->stride[i] == step;
		step *= b->extent[i];
	}
	b->dense |= b->count == 0;
	if (b->dense)
		b->splat = false;
	if (b->count == 0)
		return true;
	int64_t bytes = memory_bytes(f->loaded, block, v, f), begin, end;
	if (dtype_is_packed((adze_dtype)v->dtype))
		return packed_inside(v, b, bytes);
	return !__builtin_mul_overflow(low, (int64_t)b->size, &begin) &&
	       !__builtin_mul_overflow(high + 1, (int64_t)b->size, &end) &&
	       v->byte <= (uint64_t)NUMBER_LIMIT && begin + (int64_t)v->byte >= 0 &&
	       !__builtin_add_overflow(end, (int64_t)v->byte, &end) && end <= bytes;
}

static bool prog_agrees(const struct cpu_prog *p, const struct cpu_box *box, int64_t count)
{
	for (int i = 0; i < p->nload; i++)
		if (box[p->load[i]].count != count)
			return false;
	return true;
}

static bool extents_agree(const struct cpu_box *a, const struct cpu_box *b, int n)
{
	for (int i = 0; i < n; i++)
		if (a->extent[i] != b->extent[i])
			return false;
	return true;
}

static bool gemm_agrees(const struct cpu_box *box)
{
	int o = box[0].rank - 2;
	return extents_agree(&box[0], &box[1], o + 1) && extents_agree(&box[0], &box[2], o) &&
	       box[0].extent[o + 1] == box[2].extent[o + 1] &&
	       box[1].extent[o + 1] == box[2].extent[o] &&
	       (box[0].stride[o + 1] == 1 || box[0].extent[o + 1] <= 1);
}

static bool conv_agrees(const struct cpu_step *s, const struct cpu_box *box)
{
	const struct cpu_box *y = &box[0], *x = &box[1], *w = &box[2];
	int n = y->rank - 2;
	int64_t groups = s->param[3 * n];
	for (int i = 0; i < n; i++)
		if (w->extent[2 + i] < 1)
			return false;
	return y->dense && x->dense && w->dense && y->extent[0] == x->extent[0] &&
	       y->extent[1] == w->extent[0] && y->extent[1] % groups == 0 &&
	       x->extent[1] == w->extent[1] * groups;
}

/* Whether the sizes of a step go together, now that they are known, and scratch is enough. */
static bool agree(const struct cpu_loaded *l, const struct cpu_step *s, const struct cpu_bound *b,
		  const struct cpu_box *box, const int64_t *number, size_t scratch)
{
	size_t work;
	int64_t count = box[0].count, length = 0;
	if (!prog_agrees(&s->epi, box, count))
		return false;
	switch ((enum cpu_step_kind)s->kind) {
	case CPU_EW: return box[0].dense && prog_agrees(&s->pro, box, count);
	case CPU_REDUCE:
	case CPU_COLUMNS:
	case CPU_ARG:
		length = number[s->param[1]];
		return box[0].dense && length >= 0 &&
		       !__builtin_mul_overflow(length, count, &length) &&
		       prog_agrees(&s->pro, box, length) &&
		       (s->kind != CPU_COLUMNS ||
			(number[s->param[2]] >= 0 &&
			 (number[s->param[2]] == 0 ? count == 0
						   : count % number[s->param[2]] == 0)));
	case CPU_ROW:
		length = number[s->param[0]];
		for (int i = 1; i <= s->param[1]; i++)
			if (!box[i].dense || box[i].count != length)
				return false;
		return box[0].dense && prog_agrees(&s->pro, box, count) &&
		       (length > 0 ? count % length == 0 : count == 0);
	case CPU_GEMM: return gemm_agrees(box);
	case CPU_CONV: return conv_agrees(s, box) && cpu_conv_scratch(s, b, box) <= scratch;
	case CPU_WINDOW: return box[0].dense && box[1].dense;
	case CPU_COPY: return extents_agree(&box[0], &box[1], box[0].rank);
	case CPU_FILL: return box[0].dense;
	case CPU_PICK:
	case CPU_PUT:
		for (int i = 0; i < box[0].rank; i++)
			if (s->kind == CPU_PICK ? box[0].extent[i] > box[1].extent[i]
						: box[1].extent[i] > box[0].extent[i])
				return false;
		return true;
	case CPU_TAKE:
		return box[0].dense && box[1].dense && box[2].dense &&
		       box[0].extent[0] == box[1].extent[0] &&
		       box[0].extent[2] == box[1].extent[2] && box[0].extent[1] == box[2].count;
	case CPU_ATTEND: return cpu_attend_agrees(s, box);
	case CPU_BLOCKS: return cpu_blocks_agrees(s, box);
	case CPU_PLAIN: return cpu_plain_agrees(s, b, box, &work) && work <= scratch;
	case CPU_BRANCH:
	case CPU_WHILE:
	case CPU_SCAN: return cpu_region_agrees(&l->code, s, box, number);
	case CPU_CONVERT: return box[0].dense && box[1].dense && box[1].count == count;
	default: return box[0].dense;
	}
}

static size_t larger(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* Scratch of one worker for a step: strips, and behind them a row or a kernel's own. */
static size_t step_scratch(const struct cpu_loaded *l, uint32_t i, const int64_t *number)
{
	const struct cpu_step *s = &l->code.step[i];
	const struct cpu_bound *b = &l->bound[i];
	size_t strips = larger(cpu_prog_bytes(&s->pro), cpu_prog_bytes(&s->epi)) +
			2 * CPU_SLOT_BYTES;
	size_t own = 0;
	if (s->kind == CPU_ARG)
		own = (size_t)number[s->param[1]] * dtype_bytes((adze_dtype)s->pro.dtype);
	else if (s->kind == CPU_ROW)
		own = (size_t)number[s->param[0]] * dtype_bytes((adze_dtype)s->pro.dtype);
	else if (s->kind == CPU_ATTEND)
		own = cpu_attend_scratch(s, b, number);
	else if (s->kind == CPU_BLOCKS)
		own = cpu_blocks_scratch(s, b, number);
	else if (s->kind == CPU_GEMM) {
		const struct cpu_view *a = &s->view[1], *y = &s->view[0];
		own = cpu_gemm_scratch(b, number[a->extent[a->rank - 2]],
				       number[y->extent[y->rank - 1]],
				       number[a->extent[a->rank - 1]]) + 64;
	}
	return own > SIZE_MAX / 2 ? own : size_round_up(strips + own, 64);
}

/* Scratch of a step whose own depends on its boxes, at the bounds of the symbols; false where its
 * sizes make no sense. */
static bool boxes_scratch(const struct device_frame *f, uint32_t block, uint32_t i, size_t *work)
{
	const struct cpu_loaded *l = f->loaded;
	const struct cpu_step *s = &l->code.step[i];
	struct cpu_box *box = f->box + l->bound[i].first_box;
	bool inside = true;
	for (int k = 0; k < s->nview; k++)
		inside &= set_box(f, block, &s->view[k], &box[k]);
	if (!inside || s->kind == CPU_PLAIN)
		return inside && cpu_plain_agrees(s, &l->bound[i], box, work);
	*work = cpu_conv_scratch(s, &l->bound[i], box) + cpu_prog_bytes(&s->epi) +
		2 * CPU_SLOT_BYTES;
	return conv_agrees(s, box);
}

static adze_status block_scratch(struct device_frame *f, uint32_t block, struct diag *d)
{
	const struct cpu_loaded *l = f->loaded;
	const struct cpu_block *b = &l->code.block[block];
	for (uint32_t i = b->first; i < b->first + b->nstep; i++) {
		size_t work = 0;
		if (l->code.step[i].kind != CPU_PLAIN && l->code.step[i].kind != CPU_CONV)
			work = step_scratch(l, i, f->number);
		else if (!boxes_scratch(f, block, i, &work))
			return fail(d, ADZE_E_FORMAT, "executable: a size is out of range");
		size_t shared = l->code.step[i].kind != CPU_ATTEND
					? 0
					: cpu_attend_shared(&l->code, &l->code.step[i], f->number);
		if (work > SIZE_MAX / 2 || shared > SIZE_MAX / 2)
			return fail(d, ADZE_E_NOMEM, "no memory for a call");
		f->shared_bytes = larger(f->shared_bytes, shared);
		f->scratch_bytes = larger(f->scratch_bytes, size_round_up(work, 64));
	}
	return ADZE_OK;
}

/* Works out at the bounds of the symbols how much scratch there must be. */
static adze_status bounds(struct device_frame *f, struct diag *d)
{
	const struct cpu_loaded *l = f->loaded;
	const struct exe_signature *s = &l->file->signature;
	for (int i = 0; i < s->nsymbol; i++)
		f->symbol[i] = s->symbol[i].bound;
	for (uint32_t i = 0; i < l->code.nnumber; i++)
		if (!cpu_number_value(&l->code.number[i], f->symbol, &f->number[i]))
			return fail(d, ADZE_E_FORMAT, "executable: a size is out of range");
	f->scratch_bytes = 64;
	for (uint32_t i = 0; i < l->code.nblock; i++)
		TRY(block_scratch(f, i, d));
	return ADZE_OK;
}

adze_status cpu_frame_create(adze_context *c, struct cpu_loaded *l, struct device_frame **out,
			     struct diag *d)
{
	struct device_frame *f = mem_new(&c->mem, 1, sizeof *f);
	*out = NULL;
	if (f == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a call");
	f->loaded = l;
	f->number = mem_new(&c->mem, l->code.nnumber, sizeof *f->number);
	f->box = mem_new(&c->mem, l->nbox, sizeof *f->box);
	f->lane = mem_new(&c->mem, (size_t)l->threads, sizeof *f->lane);
	adze_status status = f->number != NULL && f->box != NULL && f->lane != NULL
				     ? bounds(f, d)
				     : fail(d, ADZE_E_NOMEM, "no memory for a call");
	if (status == ADZE_OK) {
		size_t all;
		f->arena_bytes = (size_t)l->file->signature.arena_bytes;
		f->arena = mem_new_aligned(&c->mem, f->arena_bytes, 64);
		f->scratch = size_mul(f->scratch_bytes, (size_t)l->threads, &all)
				     ? mem_new_aligned(&c->mem, all, 64)
				     : NULL;
		f->shared = mem_new_aligned(&c->mem, f->shared_bytes, 64);
		if (f->arena == NULL || f->scratch == NULL || f->shared == NULL)
			status = fail(d, ADZE_E_NOMEM, "no memory for a call: %zu bytes",
				      f->arena_bytes);
	}
	if (status == ADZE_OK && l->file->signature.nsymbol == 0)
		status = cpu_prepare(f, f->symbol, d);
	if (status != ADZE_OK) {
		cpu_frame_destroy(c, f);
		return status;
	}
	*out = f;
	return ADZE_OK;
}

void cpu_frame_destroy(adze_context *c, struct device_frame *f)
{
	if (f == NULL)
		return;
	const struct cpu_loaded *l = f->loaded;
	mem_free(&c->mem, f->number, l->code.nnumber, sizeof *f->number);
	mem_free(&c->mem, f->box, l->nbox, sizeof *f->box);
	mem_free(&c->mem, f->lane, (size_t)l->threads, sizeof *f->lane);
	mem_free_aligned(&c->mem, f->arena);
	mem_free_aligned(&c->mem, f->scratch);
	mem_free_aligned(&c->mem, f->shared);
	mem_free(&c->mem, f, 1, sizeof *f);
}

static adze_status prepare_block(struct device_frame *f, uint32_t block, struct diag *d)
{
	const struct cpu_loaded *l = f->loaded;
	const struct cpu_block *b = &l->code.block[block];
	for (uint32_t i = b->first; i < b->first + b->nstep; i++) {
		const struct cpu_step *s = &l->code.step[i];
		struct cpu_box *box = &f->box[l->bound[i].first_box];
		bool inside = true;
		for (int k = 0; k < s->nview; k++)
			inside &= set_box(f, block, &s->view[k], &box[k]);
		if (!inside || !agree(l, s, &l->bound[i], box, f->number, f->scratch_bytes))
			return fail(d, ADZE_E_FORMAT,
				    "executable: step %" PRIu32 " (%s) leaves its memory", i,
				    cpu_step_name((enum cpu_step_kind)s->kind));
	}
	return ADZE_OK;
}

adze_status cpu_prepare(struct device_frame *f, const int64_t *symbol, struct diag *d)
{
	const struct cpu_loaded *l = f->loaded;
	size_t bytes = (size_t)l->file->signature.nsymbol * sizeof *symbol;
	if (f->prepared && memcmp(f->symbol, symbol, bytes) == 0)
		return ADZE_OK;
	f->prepared = false;
	memmove(f->symbol, symbol, bytes);
	for (uint32_t i = 0; i < l->code.nnumber; i++)
		if (!cpu_number_value(&l->code.number[i], f->symbol, &f->number[i]))
			return fail(d, ADZE_E_FORMAT, "executable: a size is out of range");
	for (uint32_t i = 0; i < l->code.nblock; i++)
		TRY(prepare_block(f, i, d));
	f->prepared = true;
	return ADZE_OK;
}
