/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/cpu/cpu_body.h"

#include <string.h>


/* Elements that a body works on at once, and room for them, whatever their type. */
#define BODY_STRIP 512
#define BODY_SLOT_BYTES ((size_t)BODY_STRIP * 16)

size_t cpu_body_bytes(const struct cpu_body *b)
{
	return (size_t)(b->prog.nslot - b->nin) * BODY_SLOT_BYTES;
}

size_t cpu_bodies_bytes(const struct cpu_step *s)
{
	size_t n = 0;
	for (int i = 0; i < s->nbody; i++)
		n += cpu_body_bytes(&s->body[i]);
	return n;
}

static char *body_slot(const struct cpu_body_run *b, int i)
{
	return b->scratch + (size_t)(i - b->body->nin) * BODY_SLOT_BYTES;
}

/* Where the strips of all slots are. */
static void place_slots(const struct cpu_body_run *b, const void *const *in, const void **at)
{
	for (int i = 0; i < b->body->prog.nslot; i++)
		at[i] = i < b->body->nin ? in[i] : body_slot(b, i);
}

static void run_ins(const struct cpu_body_run *b, int i, const void *const *at, size_t n)
{
	const struct cpu_ins *s = &b->body->prog.ins[i];
	cpu_ins_run(s, b->bound->run[i], (void *)(uintptr_t)at[s->dst], at[s->src[0]],
		    s->nsrc > 1 ? at[s->src[1]] : NULL, s->nsrc > 2 ? at[s->src[2]] : NULL, n);
}

/* n elements, no more than a strip. */
static void run_strip(const struct cpu_body_run *b, void *const *out, const void *const *in,
		      size_t n)
{
	const struct cpu_body *p = b->body;
	const void *at[CPU_MAX_SLOTS];
	place_slots(b, in, at);
	/* Values that are results are made where those go. */
	for (int i = p->nout - 1; i >= 0; i--)
		if (p->out[i] >= p->prog.nload)
			at[p->out[i]] = out[i];
	for (int i = 0; i < p->prog.nins; i++)
		run_ins(b, i, at, n);
	for (int i = 0; i < p->nout; i++)
		if (at[p->out[i]] != out[i])
			memcpy(out[i], at[p->out[i]], n * b->size[p->out[i]]);
}

void cpu_body_call(void *self, void *const *out, const void *const *in, size_t n)
{
	const struct cpu_body_run *b = self;
	const void *x[CPU_MAX_SLOTS];
	void *y[CPU_MAX_PLAIN];
	if (n <= BODY_STRIP) {
		run_strip(b, out, in, n);
		return;
	}
	for (size_t from = 0; from < n; from += BODY_STRIP) {
		for (int i = 0; i < b->body->nin; i++)
			x[i] = (const char *)in[i] + from * b->size[i];
		for (int i = 0; i < b->body->nout; i++)
			y[i] = (char *)out[i] + from * b->size[b->body->out[i]];
		run_strip(b, y, x, n - from < BODY_STRIP ? n - from : BODY_STRIP);
	}
}

void cpu_body_begin(const struct cpu_body *body, const struct cpu_bound_body *bound,
		    char *scratch, struct cpu_body_run *b)
{
	b->body = body;
	b->bound = bound;
	b->scratch = scratch;
	for (int i = 0; i < body->prog.nload; i++)
		b->size[i] = dtype_bytes((adze_dtype)body->type[i]);
	for (int i = 0; i < body->nout; i++)
		b->size[body->out[i]] = dtype_bytes((adze_dtype)body->type[body->prog.nload + i]);
	for (int i = 0; i < body->nconst; i++) {
		size_t size = b->size[body->nin + i];
		for (size_t k = 0; k < BODY_STRIP; k++)
			memcpy(body_slot(b, body->nin + i) + k * size, body->value[i], size);
	}
}
