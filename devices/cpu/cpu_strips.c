/* SPDX-License-Identifier: Apache-2.0
 *
 * Strip programs: fused element-wise work as a list of vector kernels over strips that stay in
 * the first cache. One pass over memory, whatever the number of operations.
 */
#include <string.h>

#include "devices/cpu/cpu_exec.h"
#include "kernels/any.h"

/* Elements a task should have, so that taking it costs nothing against doing it. */
#define TASK_ELEMENTS (16 * CPU_STRIP)

void cpu_call_run(struct cpu_call *c, cpu_task *task, void *job, size_t n)
{
	if (n > 1 && c->pool != NULL && !c->begun) {
		c->team = cpu_pool_begin(c->pool);
		c->begun = true;
	}
	cpu_pool_run(c->team, task, job, n);
}

void cpu_run_tasks(struct cpu_work *w, cpu_task *task, int64_t units, int64_t grain)
{
	w->units = units;
	w->grain = grain < 1 ? 1 : grain;
	size_t n = units > 0 ? (size_t)((units + w->grain - 1) / w->grain) : 0;
	if (w->call->call->profile != NULL)
		cpu_profile_tasks(w, task, n);
	else
		cpu_call_run(w->call, task, w, n);
}

static char *slot(char *scratch, int i)
{
	return scratch + (size_t)i * CPU_SLOT_BYTES;
}

static const struct cpu_box *load_box(const struct cpu_work *w, const struct cpu_prog *p, int i)
{
	return &w->box[p->load[i]];
}

static void fill(char *y, const char *x, int64_t n, size_t size)
{
	size_t done = n > 0 ? size : 0, all = (size_t)n * size;
	memcpy(y, x, done);
	for (size_t more; done < all; done += more) {
		more = done < all - done ? done : all - done;
		memcpy(y + done, y, more);
	}
}

/* y[i] = x[i * stride], strides in elements. */
static void gather(char *y, const char *x, int64_t n, int64_t stride, size_t size)
{
	if (stride == 1)
		memcpy(y, x, (size_t)n * size);
	else if (stride == 0)
		fill(y, x, n, size);
	else if (size == 4)
		for (int64_t i = 0; i < n; i++)
			memcpy(y + 4 * i, x + 4 * stride * i, 4);
	else
		for (int64_t i = 0; i < n; i++)
			memcpy(y + (int64_t)size * i, x + (int64_t)size * stride * i, size);
}

/* Elements from .. from + n of the walk, one behind the other at y. */
static void fetch(const struct cpu_box *b, int64_t from, int64_t n, char *y)
{
	int64_t at[ADZE_MAX_RANK], offset = 0, rest = from;
	int last = b->rank - 1;
	if (last < 0) {
		memcpy(y, b->at, b->size);
		return;
	}
	for (int i = last; i >= 0; i--) {
		at[i] = rest % b->extent[i];
		rest /= b->extent[i];
		offset += at[i] * b->stride[i];
	}
	while (n > 0) {
		int64_t run = b->extent[last] - at[last];
		run = run < n ? run : n;
		gather(y, b->at + offset * (int64_t)b->size, run, b->stride[last], b->size);
		y += run * (int64_t)b->size;
		n -= run;
		offset -= at[last] * b->stride[last];
		at[last] = 0;
		for (int i = last - 1; i >= 0; i--) {
			offset += b->stride[i];
			if (++at[i] < b->extent[i])
				break;
			offset -= at[i] * b->stride[i];
			at[i] = 0;
		}
	}
}

/* Where elements from .. from + n lie in place, or NULL. */
static const char *in_place(const struct cpu_box *b, int64_t from, int64_t n)
{
	if (b->dense)
		return b->at + from * (int64_t)b->size;
	int last = b->rank - 1;
	if (last < 1 || b->stride[last] != 1)
		return NULL;
	int64_t col = from % b->extent[last], rest = from / b->extent[last];
	if (col + n > b->extent[last])
		return NULL;
	int64_t offset = col;
	for (int i = last - 1; i >= 0; i--) {
		offset += rest % b->extent[i] * b->stride[i];
		rest /= b->extent[i];
	}
	return b->at + offset * (int64_t)b->size;
}

void cpu_prog_begin(const struct cpu_work *w, const struct cpu_prog *p, char *scratch)
{
	for (int i = 0; i < p->nload; i++) {
		const struct cpu_box *b = load_box(w, p, i);
		int64_t n = b->count < CPU_STRIP ? b->count : CPU_STRIP;
		if (b->splat && n > 0)
			fill(slot(scratch, i), b->at, n, b->size);
	}
}

/* Instructions that hand one value on, in registers. */
static void run_chain(const struct cpu_work *w, const struct cpu_prog *p,
		      const struct cpu_piece *piece, const char *const *at, char *to, int64_t n,
		      bool past)
{
	struct chain_op op[CPU_MAX_SLOTS];
	for (int i = 0; i < piece->n; i++) {
		const struct cpu_ins *s = &p->ins[piece->first + i];
		/* Which operand is the value that is handed on; the first instruction's first. */
		int carried = i > 0 && s->src[0] != s[-1].dst;
		int other = s->src[!carried];
		bool both = s->nsrc < 2 || s->src[0] == s->src[1];
		bool one = !both && other < p->nload && load_box(w, p, other)->splat;
		op[i] = (struct chain_op){
			.ew = (uint8_t)s->ew,
			.form = (uint8_t)((both  ? 0
					   : one ? CHAIN_OPERAND_ONE
						 : CHAIN_OPERAND_ROW) |
					  (carried ? CHAIN_SECOND : 0)),
			.operand = both ? NULL : (const float *)at[other]};
	}
	const char *x = at[p->ins[piece->first].src[0]];
	((chain_f32_fn *)piece->run)((float *)to, (const float *)x, op, (size_t)piece->n,
				     (size_t)n, past);
}

/* What has no kernel. */
static void run_any(const struct cpu_ins *s, char *y, const char *a, const char *b, const char *c,
		    size_t n)
{
	adze_dtype dtype = (adze_dtype)s->dtype;
	switch ((enum cpu_ins_kind)s->kind) {
	case CPU_INS_CONVERT: any_convert((adze_dtype)s->to, y, dtype, a, n); break;
	case CPU_INS_COMPLEX: any_complex(dtype, y, a, b, n); break;
	case CPU_INS_SELECT:
		for (size_t i = 0; i < n; i++)
			memmove(y + 16 * i, (a[i] != 0 ? b : c) + 16 * i, 16);
		break;
	default: any_ew_complex((enum ew)s->ew, dtype, y, a, b, n); break;
	}
}

void cpu_ins_run(const struct cpu_ins *s, void (*run)(void), void *y, const void *a, const void *b,
		 const void *c, size_t n)
{
	if (run == NULL)
		run_any(s, y, a, b, c, n);
	else if (s->kind == CPU_INS_CONVERT)
		((convert_fn *)run)(y, a, n);
	else
		((ew_fn *)run)(y, a, b, c, n);
}

static void run_piece(const struct cpu_work *w, const struct cpu_prog *p,
		      const struct cpu_piece *piece, const char *const *at, char *to, int64_t n,
		      bool past)
{
	const struct cpu_ins *s = &p->ins[piece->first];
	if (piece->n > 1)
		run_chain(w, p, piece, at, to, n, past);
	else
		cpu_ins_run(s, piece->run, to, at[s->src[0]],
			    s->nsrc > 1 ? at[s->src[1]] : NULL, s->nsrc > 2 ? at[s->src[2]] : NULL,
			    (size_t)n);
}

const char *cpu_prog_strip(const struct cpu_work *w, const struct cpu_prog *p,
			   const struct cpu_pieces *run, char *scratch, int64_t from, int64_t n,
			   char *y)
{
	const char *at[CPU_MAX_SLOTS];
	for (int i = 0; i < p->nload; i++) {
		const struct cpu_box *b = load_box(w, p, i);
		at[i] = b->splat ? slot(scratch, i) : in_place(b, from, n);
		if (at[i] != NULL)
			continue;
		char *to = p->nins == 0 && y != NULL ? y : slot(scratch, i);
		fetch(b, from, n, to);
		at[i] = to;
	}
	if (p->nins == 0) {
		if (y != NULL && at[0] != y)
			memcpy(y, at[0], (size_t)n * load_box(w, p, 0)->size);
		return y != NULL ? y : at[0];
	}
	for (int i = p->nload; i < p->nslot; i++)
		at[i] = slot(scratch, i);
	if (y == NULL)
		y = slot(scratch, p->nslot);
	for (int i = 0; i < run->n; i++) {
		const struct cpu_piece *piece = &run->at[i];
		uint16_t dst = p->ins[piece->first + piece->n - 1].dst;
		run_piece(w, p, piece, at, dst == CPU_RESULT ? y : slot(scratch, dst), n,
			  w->past && dst == CPU_RESULT);
	}
	return y;
}

const char *cpu_prog_direct(const struct cpu_work *w, const struct cpu_prog *p, int64_t from,
			    int64_t n)
{
	return p->nins == 0 && !load_box(w, p, 0)->splat ? in_place(load_box(w, p, 0), from, n)
							 : NULL;
}

/* The row length at which strips are cut so that operands can be read where they lie; 0: any. */
static int64_t cut_length(const struct cpu_work *w, const struct cpu_prog *p)
{
	for (int i = 0; i < p->nload; i++) {
		const struct cpu_box *b = load_box(w, p, i);
		if (!b->dense && !b->splat && b->rank > 1 && b->extent[b->rank - 1] >= 64)
			return b->extent[b->rank - 1];
	}
	return 0;
}

/* Whether the program is one kernel that reads its operands where they lie: no strip is made
 * then, and none needs to be short. */
static bool needs_no_strips(const struct cpu_work *w, const struct cpu_prog *p,
			    const struct cpu_pieces *run)
{
	if (run->n != 1)
		return false;
	for (int i = 0; i < p->nload; i++) {
		const struct cpu_box *b = load_box(w, p, i);
		bool first = p->ins[0].src[0] == i;
		if (!b->dense && !(b->splat && run->at[0].n > 1 && !first))
			return false;
	}
	return true;
}

void cpu_prog_run(const struct cpu_work *w, const struct cpu_prog *p,
		  const struct cpu_pieces *run, char *scratch, int64_t from, int64_t n, char *y)
{
	int64_t cut = cut_length(w, p), size = (int64_t)dtype_bytes((adze_dtype)p->dtype);
	int64_t strip = needs_no_strips(w, p, run) ? n : CPU_STRIP;
	while (n > 0) {
		int64_t len = n < strip ? n : strip;
		if (cut > 0 && cut - from % cut < len)
			len = cut - from % cut;
		cpu_prog_strip(w, p, run, scratch, from, len, y);
		from += len;
		y += len * size;
		n -= len;
	}
}

/* How results leave: as ever, past the caches from a strip, or by the chain that makes them. */
enum { EW_PLAIN, EW_STREAMS, EW_CHAIN_STREAMS };

/* By strips that go to memory from the first cache. */
static void stream_strips(const struct cpu_work *w, char *scratch, int64_t from, int64_t n, char *y)
{
	const struct cpu_prog *p = &w->step->pro;
	int64_t cut = cut_length(w, p), size = (int64_t)w->box[0].size;
	for (int64_t len; n > 0; from += len, n -= len, y += len * size) {
		len = n < CPU_STRIP ? n : CPU_STRIP;
		if (cut > 0 && cut - from % cut < len)
			len = cut - from % cut;
		const char *x = cpu_prog_strip(w, p, &w->bound->pro, scratch, from, len, NULL);
		((stream_fn *)w->bound->stream->run)(y, x, (size_t)(len * size));
	}
}

static void ew_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	const struct cpu_prog *p = &w->step->pro;
	char *scratch = cpu_scratch(w, worker);
	int64_t from, to;
	cpu_range(w, task, &from, &to);
	cpu_prog_begin(w, p, scratch);
	char *y = w->box[0].at + from * (int64_t)w->box[0].size;
	if (w->route == EW_STREAMS)
		stream_strips(w, scratch, from, to - from, y);
	else
		cpu_prog_run(w, p, &w->bound->pro, scratch, from, to - from, y);
	if (w->route != EW_PLAIN)
		((stream_fn *)w->bound->stream->run)(y, y, 0);
}

void cpu_run_ew(struct cpu_work *w)
{
	const struct cpu_pieces *run = &w->bound->pro;
	bool streams = cpu_streams(w), chain = run->n > 0 && run->at[run->n - 1].n > 1;
	w->route = !streams ? EW_PLAIN : chain ? EW_CHAIN_STREAMS : EW_STREAMS;
	w->past = w->route == EW_CHAIN_STREAMS;
	cpu_run_tasks(w, ew_task, w->box[0].count, TASK_ELEMENTS);
}

void cpu_run_epilogue(const struct cpu_work *w, char *scratch, int64_t from, int64_t n)
{
	const struct cpu_prog *p = &w->step->epi;
	if (p->nload == 0 || n == 0)
		return;
	/* The sink's memory begins where the root's first operand, its result, does. */
	const struct cpu_box *b = load_box(w, p, 0);
	cpu_prog_run(w, p, &w->bound->epi, scratch, from, n, b->at + from * (int64_t)b->size);
}
