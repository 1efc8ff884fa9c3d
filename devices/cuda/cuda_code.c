/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/cuda/cuda_code.h"

#include <string.h>

#include "devices/cuda/cuda_cubin.h"

/* ---- writing ---- */

static void write_size(struct text *t, struct ir_size s)
{
	text_u64(t, (uint64_t)s.coef);
	text_bytes(t, s.power, ADZE_MAX_SYMBOLS);
}

static void write_ref(struct text *t, struct cuda_ref r)
{
	text_u8(t, (uint8_t)r.kind);
	text_u64(t, r.at);
}

static void write_matrix(struct text *t, const struct cuda_matrix *m)
{
	write_ref(t, m->at);
	write_size(t, m->offset);
	write_size(t, m->leading);
	text_u8(t, m->transposed);
}

static void write_launch(struct text *t, const struct cuda_launch *l)
{
	text_u32(t, l->kernel);
	text_u32(t, l->threads);
	text_u32(t, l->per_block);
	write_size(t, l->items);
	text_u32(t, l->nref);
	for (uint32_t i = 0; i < l->nref; i++)
		write_ref(t, l->ref[i]);
	text_u32(t, l->nsize);
	for (uint32_t i = 0; i < l->nsize; i++)
		write_size(t, l->size[i]);
}

static void write_gemm(struct text *t, const struct cuda_gemm *m)
{
	text_name(t, dtype_info(m->dtype)->name);
	write_size(t, m->m);
	write_size(t, m->n);
	write_size(t, m->k);
	write_matrix(t, &m->a);
	write_matrix(t, &m->b);
	write_matrix(t, &m->c);
	text_u32(t, m->nloop);
	for (uint32_t i = 0; i < m->nloop; i++) {
		write_size(t, m->loop[i]);
		write_size(t, m->loop_a[i]);
		write_size(t, m->loop_b[i]);
		write_size(t, m->loop_c[i]);
	}
}

void cuda_code_write(const struct cuda_code *code, struct text *out)
{
	text_u32(out, CUDA_CODE_VERSION);
	text_u32(out, code->arch);
	text_u64(out, code->scratch_bytes);
	text_u32(out, code->nkernel);
	for (uint32_t i = 0; i < code->nkernel; i++)
		text_name(out, code->kernel[i]);
	text_u32(out, code->nstep);
	for (uint32_t i = 0; i < code->nstep; i++) {
		const struct cuda_step *s = &code->step[i];
		text_u8(out, (uint8_t)s->kind);
		if (s->kind == CUDA_LAUNCH) {
			write_launch(out, &s->launch);
		} else if (s->kind == CUDA_GEMM) {
			write_gemm(out, &s->gemm);
		} else {
			write_ref(out, s->copy.from);
			write_ref(out, s->copy.to);
			write_size(out, s->copy.bytes);
		}
	}
}

/* ---- reading ---- */

struct loader {
	const struct exe_file *file;
	struct arena *arena;
	struct cuda_code *code;
	struct reader r;
	struct diag *d;
	adze_status status; /* sticky */
};

static adze_status bad(struct loader *l, const char *words)
{
	if (l->status == ADZE_OK)
		l->status = fail(l->d, ADZE_E_FORMAT, "the CUDA code is damaged: %s", words);
	return l->status;
}

/* A count of things of at least `each` bytes; 0 where there are not that many bytes. */
static uint32_t read_count(struct loader *l, size_t each)
{
	uint32_t n = read_u32(&l->r);
	if (n > (l->r.len - l->r.pos) / each) {
		bad(l, "a count is beyond the end");
		return 0;
	}
	return n;
}

static void *room(struct loader *l, size_t n, size_t size)
{
	void *p = arena_new(l->arena, n, size);
	if (p == NULL && l->status == ADZE_OK)
		l->status = fail(l->d, ADZE_E_NOMEM, "no memory to load CUDA code");
	return p;
}

/* A size that at the symbols' bounds fits 62 bits. */
static struct ir_size read_size(struct loader *l)
{
	const struct exe_signature *s = &l->file->signature;
	struct ir_size size = ir_size_const((int64_t)read_u64(&l->r));
	const unsigned char *p = read_bytes(&l->r, ADZE_MAX_SYMBOLS);
	int64_t v = size.coef;
	for (int i = 0; p != NULL && i < ADZE_MAX_SYMBOLS; i++) {
		size.power[i] = p[i];
		if (p[i] != 0 && i >= s->nsymbol)
			bad(l, "a size has a symbol that is not there");
		for (int k = 0; k < p[i] && i < s->nsymbol; k++)
			if (__builtin_mul_overflow(v, s->symbol[i].bound, &v))
				bad(l, "a size overflows");
	}
	if (v > INT64_MAX / 2 || v < -(INT64_MAX / 2))
		bad(l, "a size overflows");
	return size;
}

/* One that cannot be negative. */
static struct ir_size read_extent(struct loader *l)
{
	struct ir_size size = read_size(l);
	if (size.coef < 0)
		bad(l, "an extent is negative");
	return size;
}

static struct cuda_ref read_ref(struct loader *l)
{
	const struct exe_signature *s = &l->file->signature;
	struct cuda_ref ref;
	uint8_t kind = read_u8(&l->r);
	ref.kind = (enum cuda_ref_kind)kind;
	ref.at = read_u64(&l->r);
	uint64_t end = 0;
	switch (kind) {
	case CUDA_REF_INPUT: end = s->ninput; break;
	case CUDA_REF_WEIGHT: end = s->nweight + s->nprepared; break;
	case CUDA_REF_OUTPUT: end = s->noutput; break;
	/* Offsets: something without a byte may stand at the end. */
	case CUDA_REF_ARENA: end = s->arena_bytes + 1; break;
	case CUDA_REF_CONST: end = (uint64_t)l->file->section[EXE_CONSTS].len + 1; break;
	case CUDA_REF_SCRATCH: end = l->code->scratch_bytes + 1; break;
	default: bad(l, "an argument is of no kind"); break;
	}
	if (ref.at >= end)
		bad(l, "an argument is not there");
	if (kind >= CUDA_REF_ARENA && ref.at % EXE_ALIGN != 0)
		bad(l, "an argument is not aligned");
	return ref;
}

static bool is_written(struct cuda_ref r)
{
	return r.kind != CUDA_REF_WEIGHT && r.kind != CUDA_REF_CONST;
}

static void read_launch(struct loader *l, struct cuda_launch *out)
{
	out->kernel = read_u32(&l->r);
	out->threads = read_u32(&l->r);
	out->per_block = read_u32(&l->r);
	out->items = read_extent(l);
	if (out->kernel >= l->code->nkernel)
		bad(l, "a kernel is not there");
	if (out->threads < 32 || out->threads > 1024 || out->threads % 32 != 0 ||
	    out->per_block < 1 || out->per_block > 1024)
		bad(l, "a block cannot be of that size");
	out->nref = read_count(l, 9);
	out->ref = room(l, out->nref, sizeof *out->ref);
	for (uint32_t i = 0; l->status == ADZE_OK && i < out->nref; i++)
		out->ref[i] = read_ref(l);
	out->nsize = read_count(l, 16);
	out->size = room(l, out->nsize, sizeof *out->size);
	for (uint32_t i = 0; l->status == ADZE_OK && i < out->nsize; i++)
		out->size[i] = read_size(l);
}

static struct cuda_matrix read_matrix(struct loader *l)
{
	struct cuda_matrix m;
	m.at = read_ref(l);
	m.offset = read_extent(l);
	m.leading = read_extent(l);
	uint8_t t = read_u8(&l->r);
	m.transposed = t == 1;
	if (t > 1)
		bad(l, "a matrix is neither row-major nor transposed");
	return m;
}

static void read_gemm(struct loader *l, struct cuda_gemm *out)
{
	char name[16];
	read_name(&l->r, name, sizeof name);
	out->dtype = dtype_find(name, strlen(name));
	if (out->dtype != ADZE_F16 && out->dtype != ADZE_BF16 && out->dtype != ADZE_F32 &&
	    out->dtype != ADZE_F64)
		bad(l, "a product is of no type that it can be of");
	out->m = read_extent(l);
	out->n = read_extent(l);
	out->k = read_extent(l);
	out->a = read_matrix(l);
	out->b = read_matrix(l);
	out->c = read_matrix(l);
	if (!is_written(out->c.at) || out->c.transposed)
		bad(l, "a product cannot be written there");
	out->nloop = read_count(l, 64);
	if (out->nloop > ADZE_MAX_RANK)
		bad(l, "a product has too many loops");
	for (uint32_t i = 0; l->status == ADZE_OK && i < out->nloop; i++) {
		out->loop[i] = read_extent(l);
		out->loop_a[i] = read_size(l);
		out->loop_b[i] = read_size(l);
		out->loop_c[i] = read_size(l);
	}
}

static void read_step(struct loader *l, struct cuda_step *out)
{
	uint8_t kind = read_u8(&l->r);
	out->kind = (enum cuda_step_kind)kind;
	if (kind == CUDA_LAUNCH) {
		read_launch(l, &out->launch);
	} else if (kind == CUDA_GEMM) {
		read_gemm(l, &out->gemm);
	} else if (kind == CUDA_COPY) {
		out->copy.from = read_ref(l);
		out->copy.to = read_ref(l);
		out->copy.bytes = read_extent(l);
		if (!is_written(out->copy.to))
			bad(l, "a copy cannot be written there");
	} else {
		bad(l, "a step is of no kind");
	}
}

static void check_name(struct loader *l, const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	const struct exe_section *cubin = &l->file->section[EXE_CUBIN];
	if (n == 0 || name[n] != '\0' || (name[0] >= '0' && name[0] <= '9'))
		bad(l, "a kernel has no name");
	else if (!cuda_cubin_has(cubin->at, cubin->len, name))
		bad(l, "the machine code lacks a kernel");
}

static void read_kernels(struct loader *l)
{
	const struct exe_section *cubin = &l->file->section[EXE_CUBIN];
	struct cuda_code *code = l->code;
	uint32_t arch;
	code->nkernel = read_count(l, 4);
	code->kernel = room(l, code->nkernel, CUDA_NAME);
	if (code->nkernel == 0 || l->status != ADZE_OK)
		return;
	l->status = cuda_cubin_check(cubin->at, cubin->len, &arch, l->d);
	if (l->status == ADZE_OK && arch != code->arch)
		bad(l, "the machine code is for another architecture");
	for (uint32_t i = 0; l->status == ADZE_OK && i < code->nkernel; i++) {
		read_name(&l->r, code->kernel[i], CUDA_NAME);
		check_name(l, code->kernel[i]);
	}
}

adze_status cuda_code_read(const struct exe_file *file, struct arena *arena,
			   struct cuda_code *out, struct diag *d)
{
	const struct exe_section *s = &file->section[EXE_CODE];
	struct loader l = {.file = file, .arena = arena, .code = out, .d = d};
	l.r = (struct reader){.at = s->at, .len = s->len};
	memset(out, 0, sizeof *out);
	uint32_t version = read_u32(&l.r);
	if (!l.r.failed && version != CUDA_CODE_VERSION)
		return fail(d, ADZE_E_VERSION, "CUDA code of version %u; this build reads %u",
			    (unsigned)version, CUDA_CODE_VERSION);
	out->arch = read_u32(&l.r);
	out->scratch_bytes = read_u64(&l.r);
	if (out->scratch_bytes > INT64_MAX / 2)
		bad(&l, "it needs too much scratch memory");
	read_kernels(&l);
	out->nstep = read_count(&l, 17);
	out->step = room(&l, out->nstep, sizeof *out->step);
	for (uint32_t i = 0; l.status == ADZE_OK && i < out->nstep; i++)
		read_step(&l, &out->step[i]);
	if (l.r.failed)
		return bad(&l, "it ends too early");
	if (l.status == ADZE_OK && l.r.pos != l.r.len)
		return bad(&l, "there is more behind its end");
	return l.status;
}
