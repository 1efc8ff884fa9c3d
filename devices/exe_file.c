/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes and reads executable files; docs/executable-format.md has the bytes.
 */
#include "devices/exe_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "kernels/kernels.h"

#define HEADER_BYTES 64
#define ENTRY_BYTES 32
#define NAME_LIMIT 4096
#define VALUE_LIMIT 1000000

uint64_t exe_fingerprint(void)
{
	/* What stands in the tables, as text: an executable names operations and kernels. */
	uint64_t h = EXE_VERSION;
#define MIX(word) h = h * 0x9e3779b97f4a7c15u + hash_bytes((word), strlen(word))
	for (int i = 1; i < OP_COUNT; i++) {
		const struct op_info *o = op_info((enum ir_op)i);
		MIX(o->name);
		for (int k = 0; k < o->attrs->nfield; k++)
			MIX(o->attrs->field[k].name);
	}
	for (int i = 0; i < EW_COUNT; i++) {
		MIX(ew_info((enum ew)i)->float_text);
		MIX(ew_info((enum ew)i)->integer_text);
	}
	for (int i = 0; i < ADZE_DTYPE_COUNT; i++)
		MIX(dtype_info((adze_dtype)i)->name);
	size_t n;
	const struct ir_pass *pass = ir_passes(&n);
	for (size_t i = 0; i < n; i++)
		MIX(pass[i].name);
	const struct kernel_impl *impl = kernels_impls(&n);
	for (size_t i = 0; i < n; i++)
		MIX(impl[i].function);
#undef MIX
	return h;
}

void exe_writer_init(struct exe_writer *w, const adze_allocator *a)
{
	for (int i = 0; i < EXE_KIND_COUNT; i++)
		text_init(&w->section[i], a);
}

void exe_writer_fini(struct exe_writer *w)
{
	for (int i = 0; i < EXE_KIND_COUNT; i++)
		text_fini(&w->section[i]);
}

void exe_write_shape(struct text *t, const adze_shape *s)
{
	text_u8(t, (uint8_t)s->dtype);
	text_u8(t, (uint8_t)s->rank);
	for (int i = 0; i < s->rank; i++) {
		text_u64(t, (uint64_t)s->dim[i].size);
		text_u64(t, (uint64_t)s->dim[i].scale);
		text_name(t, s->dim[i].name);
		text_name(t, s->dim[i].symbol);
	}
}

void exe_read_shape(struct reader *r, adze_shape *s)
{
	memset(s, 0, sizeof *s);
	s->dtype = (adze_dtype)read_u8(r);
	s->rank = read_u8(r);
	if (s->rank > ADZE_MAX_RANK) {
		r->failed = true;
		s->rank = 0;
	}
	for (int i = 0; i < s->rank; i++) {
		s->dim[i].size = (int64_t)read_u64(r);
		s->dim[i].scale = (int64_t)read_u64(r);
		read_name(r, s->dim[i].name, ADZE_MAX_AXIS);
		read_name(r, s->dim[i].symbol, ADZE_MAX_AXIS);
	}
	if (!r->failed && shape_check(s, NULL) != ADZE_OK)
		r->failed = true;
	if (r->failed)
		memset(s, 0, sizeof *s);
}

static void write_values(struct text *t, const adze_graph *g, const ir_val *v, size_t n)
{
	text_u32(t, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		text_name(t, IR_ATTRS(name, g, v[i])->name);
		exe_write_shape(t, ir_type(g, v[i]));
	}
}

static void write_prepared(struct text *t, const adze_graph *g)
{
	ir_val list[IR_MAX_PREPARED];
	size_t n = ir_prepared(g, list);
	text_u32(t, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		char name[32];
		snprintf(name, sizeof name, "prepared.%zu", i);
		text_name(t, name);
		exe_write_shape(t, ir_type(g, list[i]));
	}
}

void exe_write_graph(struct exe_writer *w, const adze_graph *g, uint64_t arena_bytes,
		     const char *device, const char *target, const struct exe_beside *beside)
{
	struct text *t = &w->section[EXE_META];
	text_name(t, device);
	text_name(t, target);
	text_u64(t, exe_fingerprint());

	t = &w->section[EXE_SIGNATURE];
	text_name(t, g->name);
	text_u32(t, (uint32_t)g->nsymbol);
	for (int i = 0; i < g->nsymbol; i++) {
		text_name(t, g->symbol[i].name);
		text_u64(t, (uint64_t)g->symbol[i].bound);
	}
	write_values(t, g, g->input, g->ninput);
	write_values(t, g, g->weight, g->nweight);
	write_prepared(t, g);
	text_u32(t, (uint32_t)g->noutput);
	for (size_t i = 0; i < g->noutput; i++) {
		const struct ir_output *o = &g->output[i];
		text_name(t, o->name);
		exe_write_shape(t, ir_type(g, o->value));
		text_u32(t, o->into ? (uint32_t)ir_input_index(g, o->into) : UINT32_MAX);
	}
	/* What bodies and the device need besides counts as it is. */
	int64_t live = ir_live_bytes(g);
	t->failed |= live < 0;
	text_u64(t, arena_bytes);
	text_u64(t, arena_bytes - (uint64_t)g->arena_bytes + (uint64_t)live);
	if (beside->source != NULL)
		text_bytes(&w->section[EXE_SOURCE], beside->source, strlen(beside->source));
	if (beside->prepare != NULL)
		text_bytes(&w->section[EXE_PREPARE], beside->prepare->at, beside->prepare->len);
}

void exe_write_prepare(struct text *section, const adze_graph *g, ir_val v,
		       const struct text *file)
{
	const struct ir_node *n = ir_get(g, v);
	text_u32(section, n->narg);
	for (size_t i = 0; i < n->narg; i++)
		text_u32(section, (uint32_t)ir_weight_index(g, ir_arg(g, v, i)));
	text_u64(section, file->len);
	text_bytes(section, file->at, file->len);
}

static void pad_to(struct text *t, size_t start, size_t align)
{
	size_t n = t->len - start;
	text_zeros(t, size_round_up(n, align) - n);
}

adze_status exe_write(const struct exe_writer *w, struct text *out, struct diag *d)
{
	size_t start = out->len;
	uint32_t n = 0;
	for (int i = 0; i < EXE_KIND_COUNT; i++) {
		n += w->section[i].len > 0;
		if (w->section[i].failed)
			return fail(d, ADZE_E_NOMEM, "no memory for the executable");
	}
	struct text head;
	text_init(&head, out->from);
	text_bytes(&head, EXE_MAGIC, 8);
	text_u32(&head, EXE_VERSION);
	text_u32(&head, n);
	uint64_t at = size_round_up(HEADER_BYTES + (size_t)n * ENTRY_BYTES, EXE_ALIGN);
	uint64_t end = at;
	for (int i = 0; i < EXE_KIND_COUNT; i++)
		if (w->section[i].len > 0)
			end = size_round_up(end, EXE_ALIGN) + w->section[i].len;
	text_u64(&head, end);
	text_zeros(&head, HEADER_BYTES - head.len);
	for (int i = 0; i < EXE_KIND_COUNT; i++) {
		const struct text *s = &w->section[i];
		if (s->len == 0)
			continue;
		at = size_round_up(at, EXE_ALIGN);
		text_u32(&head, (uint32_t)i);
		text_u32(&head, 0);
		text_u64(&head, at);
		text_u64(&head, s->len);
		text_u64(&head, hash_bytes(s->at, s->len));
		at += s->len;
	}
	/* The header's checksum covers it and the table, with its own place zero. */
	if (!head.failed) {
		uint64_t sum = hash_bytes(head.at, head.len);
		for (int i = 0; i < 8; i++)
			head.at[24 + i] = (char)(sum >> (8 * i));
		text_bytes(out, head.at, head.len);
	}
	for (int i = 0; i < EXE_KIND_COUNT; i++) {
		if (w->section[i].len == 0)
			continue;
		pad_to(out, start, EXE_ALIGN);
		text_bytes(out, w->section[i].at, w->section[i].len);
	}
	bool failed = head.failed || out->failed;
	text_fini(&head);
	return failed ? fail(d, ADZE_E_NOMEM, "no memory for the executable") : ADZE_OK;
}

static adze_status damaged(struct diag *d, const char *what)
{
	return fail(d, ADZE_E_FORMAT, "executable: %s", what);
}

static adze_status read_sections(const unsigned char *at, size_t len, struct exe_file *out,
				 const adze_allocator *a, struct diag *d)
{
	struct reader r = {at, len, 0, false};
	if (len < HEADER_BYTES || memcmp(at, EXE_MAGIC, 8) != 0)
		return damaged(d, "this is no executable file of adze");
	r.pos = 8;
	uint32_t version = read_u32(&r), n = read_u32(&r);
	if (version != EXE_VERSION)
		return fail(d, ADZE_E_VERSION, "executable: format version %" PRIu32
			    ", this build reads %d", version, EXE_VERSION);
	uint64_t total = read_u64(&r), sum = read_u64(&r);
	if (total != len)
		return damaged(d, "the file's length is not what its header says");
	if (n > EXE_KIND_COUNT || HEADER_BYTES + (size_t)n * ENTRY_BYTES > len)
		return damaged(d, "the table of sections does not fit");
	size_t head_bytes = HEADER_BYTES + (size_t)n * ENTRY_BYTES;
	unsigned char *copy = mem_new(a, head_bytes, 1);
	if (copy == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory to read an executable");
	memcpy(copy, at, head_bytes);
	memset(copy + 24, 0, 8);
	uint64_t have = hash_bytes(copy, head_bytes);
	mem_free(a, copy, head_bytes, 1);
	if (have != sum)
		return damaged(d, "the header's checksum is wrong");
	r.pos = HEADER_BYTES;
	for (uint32_t i = 0; i < n; i++) {
		uint32_t kind = read_u32(&r);
		read_u32(&r);
		uint64_t from = read_u64(&r), bytes = read_u64(&r), check = read_u64(&r);
		if (kind == 0 || kind >= EXE_KIND_COUNT || out->section[kind].at != NULL)
			return damaged(d, "an unknown section, or one that stands twice");
		if (from % EXE_ALIGN != 0 || from < head_bytes || from > len ||
		    bytes > len - from || bytes == 0)
			return damaged(d, "a section lies outside the file");
		if (hash_bytes(at + from, bytes) != check)
			return damaged(d, "a section's checksum is wrong");
		out->section[kind] = (struct exe_section){at + from, bytes};
	}
	return ADZE_OK;
}

static char *read_text(struct reader *r, struct arena *arena, bool *no_memory)
{
	uint32_t n = read_u32(r);
	const char *p = n <= NAME_LIMIT ? read_bytes(r, n) : NULL;
	char *kept = NULL;
	if (p != NULL && memchr(p, 0, n) == NULL) {
		kept = arena_text(arena, p, n);
		*no_memory |= kept == NULL;
	}
	if (kept == NULL)
		r->failed = true;
	return kept;
}

static struct exe_value *read_values(struct reader *r, struct arena *arena, uint32_t *n,
				     bool outputs, bool *no_memory)
{
	*n = read_u32(r);
	/* Each takes ten bytes at least, so a lying count meets the end soon. */
	if (*n > VALUE_LIMIT || *n > (r->len - r->pos) / 6)
		r->failed = true;
	struct exe_value *v = r->failed ? NULL : arena_new(arena, *n, sizeof *v);
	if (v == NULL) {
		*no_memory |= !r->failed;
		r->failed = true;
		*n = 0;
	}
	for (uint32_t i = 0; i < *n && !r->failed; i++) {
		v[i].name = read_text(r, arena, no_memory);
		exe_read_shape(r, &v[i].shape);
		v[i].into = outputs ? (int32_t)read_u32(r) : -1;
	}
	return v;
}

static bool shape_known(const struct exe_signature *s, const adze_shape *shape)
{
	for (int i = 0; i < shape->rank; i++) {
		const adze_dim *d = &shape->dim[i];
		bool known = dim_is_static(d);
		for (int k = 0; k < s->nsymbol && !known; k++)
			known = strcmp(s->symbol[k].name, d->symbol) == 0 &&
				s->symbol[k].bound == d->size / d->scale;
		if (!known)
			return false;
	}
	return true;
}

static bool signature_holds(const struct exe_signature *s)
{
	for (uint32_t i = 0; i < s->ninput; i++)
		if (!shape_known(s, &s->input[i].shape))
			return false;
	for (uint32_t i = 0; i < s->nweight + s->nprepared; i++)
		if (!shape_is_static(&exe_weight(s, i)->shape))
			return false;
	for (uint32_t i = 0; i < s->noutput; i++) {
		const struct exe_value *o = &s->output[i];
		if (!shape_known(s, &o->shape) || o->into < -1 || o->into >= (int64_t)s->ninput)
			return false;
		if (o->into >= 0 &&
		    (!shape_same_extents(&o->shape, &s->input[o->into].shape) ||
		     o->shape.dtype != s->input[o->into].shape.dtype))
			return false;
		for (uint32_t k = 0; k < i; k++)
			if (o->into >= 0 && s->output[k].into == o->into)
				return false;
	}
	return s->arena_bytes < (uint64_t)1 << 56 && s->live_bytes <= s->arena_bytes;
}

static adze_status read_signature(struct exe_file *f, struct diag *d)
{
	struct exe_signature *s = &f->signature;
	struct reader r = {f->section[EXE_SIGNATURE].at, f->section[EXE_SIGNATURE].len, 0, false};
	bool no_memory = false;
	s->graph = read_text(&r, &f->arena, &no_memory);
	s->nsymbol = (int)read_u32(&r);
	if (s->nsymbol < 0 || s->nsymbol > ADZE_MAX_SYMBOLS) {
		r.failed = true;
		s->nsymbol = 0;
	}
	for (int i = 0; i < s->nsymbol; i++) {
		read_name(&r, s->symbol[i].name, ADZE_MAX_AXIS);
		s->symbol[i].bound = (int64_t)read_u64(&r);
		if (s->symbol[i].bound < 0 || s->symbol[i].name[0] == '\0')
			r.failed = true;
	}
	s->input = read_values(&r, &f->arena, &s->ninput, false, &no_memory);
	s->weight = read_values(&r, &f->arena, &s->nweight, false, &no_memory);
	s->prepared = read_values(&r, &f->arena, &s->nprepared, false, &no_memory);
	s->output = read_values(&r, &f->arena, &s->noutput, true, &no_memory);
	s->arena_bytes = read_u64(&r);
	s->live_bytes = read_u64(&r);
	if (no_memory)
		return fail(d, ADZE_E_NOMEM, "no memory to read an executable");
	if (r.failed || r.pos != r.len || !signature_holds(s))
		return damaged(d, "the signature makes no sense");
	return ADZE_OK;
}

static adze_status read_prepare(struct exe_file *f, struct diag *d)
{
	struct reader r = {f->section[EXE_PREPARE].at, f->section[EXE_PREPARE].len, 0, false};
	uint32_t n = f->signature.nprepared;
	f->prepare = arena_new(&f->arena, n, sizeof *f->prepare);
	if (n > IR_MAX_PREPARED || f->prepare == NULL)
		return n > IR_MAX_PREPARED ? damaged(d, "it prepares too much")
					   : fail(d, ADZE_E_NOMEM, "no memory for an executable");
	for (uint32_t i = 0; i < n && !r.failed; i++) {
		struct exe_prepare *p = &f->prepare[i];
		p->nweight = read_u32(&r);
		r.failed |= p->nweight > IR_MAX_OPERANDS;
		p->weight = arena_new(&f->arena, r.failed ? 0 : p->nweight, sizeof *p->weight);
		if (p->weight == NULL)
			return fail(d, ADZE_E_NOMEM, "no memory for an executable");
		for (uint32_t k = 0; k < p->nweight && !r.failed; k++) {
			p->weight[k] = read_u32(&r);
			r.failed |= p->weight[k] >= f->signature.nweight;
		}
		p->len = read_u64(&r);
		p->at = read_bytes(&r, p->len);
		r.failed |= p->at == NULL;
	}
	return r.failed || r.pos != r.len ? damaged(d, "what prepares weights makes no sense")
					  : ADZE_OK;
}

adze_status exe_read(const adze_allocator *a, const void *bytes, size_t len, struct exe_file *out,
		     struct diag *d)
{
	memset(out, 0, sizeof *out);
	arena_init(&out->arena, a);
	TRY(read_sections(bytes, len, out, a, d));
	if (out->section[EXE_META].len == 0 || out->section[EXE_SIGNATURE].len == 0 ||
	    out->section[EXE_CODE].len == 0)
		return damaged(d, "a section is missing");
	struct reader r = {out->section[EXE_META].at, out->section[EXE_META].len, 0, false};
	read_name(&r, out->meta.device, sizeof out->meta.device);
	read_name(&r, out->meta.target, sizeof out->meta.target);
	out->meta.fingerprint = read_u64(&r);
	if (r.failed || r.pos != r.len)
		return damaged(d, "its description makes no sense");
	if (out->meta.fingerprint != exe_fingerprint())
		return fail(d, ADZE_E_VERSION,
			    "executable: made by a build with other operations or kernels");
	TRY(read_signature(out, d));
	return read_prepare(out, d);
}

void exe_file_fini(struct exe_file *f)
{
	if (f->arena.from != NULL)
		arena_fini(&f->arena);
	memset(f, 0, sizeof *f);
}
