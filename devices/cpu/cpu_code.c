/* SPDX-License-Identifier: Apache-2.0
 *
 * The code section's bytes: docs/executable-format.md.
 */
#include "devices/cpu/cpu_code.h"

#include <inttypes.h>
#include <string.h>

static const char *const step_name[CPU_STEP_COUNT] = {
	"ew",   "reduce", "columns", "arg",  "row", "gemm", "conv",  "window",
	"copy", "fill",   "pick",    "put",  "take", "iota", "extent", "plain",
	"branch", "while", "scan", "convert", "attend", "blocks"};

const char *cpu_step_name(enum cpu_step_kind kind)
{
	return step_name[kind];
}

size_t cpu_step_blocks(const struct cpu_step *s, const int64_t **block)
{
	bool runs = s->kind == CPU_BRANCH || s->kind == CPU_WHILE || s->kind == CPU_SCAN;
	int first = s->kind == CPU_SCAN ? 5 : 1;
	if (!runs || s->nparam <= first)
		return 0;
	*block = s->param + first;
	return (size_t)(s->nparam - first);
}

static void write_view(const struct cpu_view *v, struct text *t)
{
	text_u8(t, v->memory);
	text_u8(t, v->dtype);
	text_u8(t, v->rank);
	text_u8(t, 0);
	text_u32(t, v->index);
	text_u64(t, v->byte);
	text_u32(t, v->offset);
	for (int i = 0; i < v->rank; i++) {
		text_u32(t, v->extent[i]);
		text_u32(t, v->stride[i]);
	}
}

static void write_ins(const struct cpu_prog *p, struct text *t)
{
	for (int i = 0; i < p->nins; i++) {
		const struct cpu_ins *s = &p->ins[i];
		text_u8(t, s->kind);
		text_u8(t, s->dtype);
		text_u8(t, s->to);
		text_u8(t, s->nsrc);
		text_name(t, s->kind == CPU_INS_EW ? ew_info((enum ew)s->ew)->name : "");
		text_u16(t, s->dst);
		for (int k = 0; k < s->nsrc; k++)
			text_u16(t, s->src[k]);
	}
}

static void write_prog(const struct cpu_prog *p, struct text *t)
{
	text_u16(t, p->nload);
	if (p->nload == 0)
		return;
	text_u16(t, p->nins);
	text_u16(t, p->nslot);
	text_u8(t, p->dtype);
	for (int i = 0; i < p->nload; i++)
		text_u16(t, p->load[i]);
	write_ins(p, t);
}

static void write_values(const struct cpu_value *v, uint32_t n, struct text *t)
{
	text_u32(t, n);
	for (uint32_t i = 0; i < n; i++) {
		text_u8(t, v[i].dtype);
		text_u32(t, v[i].count);
		text_u32(t, (uint32_t)v[i].into);
	}
}

static void write_body(const struct cpu_body *b, struct text *t)
{
	text_u16(t, b->nin);
	text_u16(t, b->nconst);
	text_u16(t, b->nout);
	text_u16(t, b->prog.nins);
	text_u16(t, b->prog.nslot);
	text_bytes(t, b->type, (size_t)b->nin + b->nconst + b->nout);
	for (int i = 0; i < b->nconst; i++) {
		text_u64(t, b->value[i][0]);
		text_u64(t, b->value[i][1]);
	}
	for (int i = 0; i < b->nout; i++)
		text_u16(t, b->out[i]);
	write_ins(&b->prog, t);
}

void cpu_code_write(const struct cpu_code *c, struct text *out)
{
	text_u32(out, c->nnumber);
	for (uint32_t i = 0; i < c->nnumber; i++) {
		text_u64(out, (uint64_t)c->number[i].coef);
		text_bytes(out, c->number[i].power, sizeof c->number[i].power);
	}
	text_u32(out, c->nblock);
	for (uint32_t i = 0; i < c->nblock; i++) {
		write_values(c->block[i].input, c->block[i].ninput, out);
		write_values(c->block[i].output, c->block[i].noutput, out);
		text_u32(out, c->block[i].nstep);
	}
	for (uint32_t i = 0; i < c->nstep; i++) {
		const struct cpu_step *s = &c->step[i];
		uint64_t eps;
		memcpy(&eps, &s->eps, sizeof eps);
		text_u8(out, s->kind);
		text_name(out, s->op ? op_info((enum ir_op)s->op)->name : "");
		text_u32(out, s->group);
		text_u64(out, eps);
		text_u16(out, s->nview);
		for (int k = 0; k < s->nview; k++)
			write_view(&s->view[k], out);
		text_u16(out, s->nparam);
		for (int k = 0; k < s->nparam; k++)
			text_u64(out, (uint64_t)s->param[k]);
		write_prog(&s->pro, out);
		write_prog(&s->epi, out);
		text_u8(out, s->nbody);
		for (int k = 0; k < s->nbody; k++)
			write_body(&s->body[k], out);
	}
}

struct code_reader {
	struct reader r;
	const struct exe_file *file;
	struct cpu_code *code;
	const struct cpu_block *block; /* whose steps are read */
	bool no_memory;
};

static void *take(struct code_reader *c, size_t n, size_t size)
{
	/* No element takes less than a byte of the file, so lies stay small. */
	bool lies = n > c->r.len;
	void *p = lies ? NULL : arena_new(c->code->arena, n, size);
	if (p == NULL) {
		c->r.failed = true;
		c->no_memory = !lies;
	}
	return p;
}

static uint32_t read_number(struct code_reader *c)
{
	uint32_t i = read_u32(&c->r);
	if (i >= c->code->nnumber) {
		c->r.failed = true;
		return 0;
	}
	return i;
}

static void read_view(struct code_reader *c, struct cpu_view *v)
{
	const struct exe_signature *s = &c->file->signature;
	v->memory = read_u8(&c->r);
	v->dtype = read_u8(&c->r);
	v->rank = read_u8(&c->r);
	read_u8(&c->r);
	v->index = read_u32(&c->r);
	v->byte = read_u64(&c->r);
	v->offset = read_number(c);
	bool body = c->block != c->code->block;
	uint32_t limit = v->memory == CPU_INPUT    ? body ? c->block->ninput : s->ninput
			 : v->memory == CPU_WEIGHT ? body ? 0 : s->nweight + s->nprepared
			 : v->memory == CPU_OUTPUT ? body ? c->block->noutput : s->noutput
						   : 1;
	bool by_byte = v->memory == CPU_ARENA || v->memory == CPU_CONST;
	if (v->memory >= CPU_MEMORY_COUNT || v->dtype >= ADZE_DTYPE_COUNT ||
	    v->rank > ADZE_MAX_RANK || v->index >= limit || (!by_byte && v->byte != 0) ||
	    v->byte % 8 != 0) {
		c->r.failed = true;
		v->rank = 0;
	}
	for (int i = 0; i < v->rank; i++) {
		v->extent[i] = read_number(c);
		v->stride[i] = read_number(c);
	}
}

/* The element type that an instruction makes; false where its operands' types are not its. */
static bool ins_types(const struct cpu_ins *s, const uint8_t *type, uint8_t *made)
{
	for (int k = 0; k < s->nsrc; k++) {
		uint8_t have = type[s->src[k]];
		if (s->kind == CPU_INS_SELECT && k == 0) {
			if (have != ADZE_BOOL)
				return false;
		} else if (have != s->dtype) {
			return false;
		}
	}
	bool other = s->kind == CPU_INS_CONVERT || s->kind == CPU_INS_COMPLEX;
	*made = other ? s->to : s->dtype;
	if (s->kind == CPU_INS_EW)
		*made = (uint8_t)ew_result((enum ew)s->ew, (adze_dtype)s->dtype);
	return s->kind != CPU_INS_COMPLEX || (dtype_is_complex((adze_dtype)s->to) &&
					      dtype_part((adze_dtype)s->to) == s->dtype);
}

static void read_ins(struct code_reader *c, struct cpu_prog *p, struct cpu_ins *s, uint8_t *type,
		     bool last)
{
	char name[32];
	s->kind = read_u8(&c->r);
	s->dtype = read_u8(&c->r);
	s->to = read_u8(&c->r);
	s->nsrc = read_u8(&c->r);
	read_name(&c->r, name, sizeof name);
	s->dst = read_u16(&c->r);
	if (s->kind >= CPU_INS_KIND_COUNT || s->dtype >= ADZE_DTYPE_COUNT ||
	    s->to >= ADZE_DTYPE_COUNT || s->nsrc > 3) {
		c->r.failed = true;
		return;
	}
	for (int k = 0; k < s->nsrc; k++) {
		s->src[k] = read_u16(&c->r);
		if (s->src[k] >= p->nslot || type[s->src[k]] == ADZE_DTYPE_COUNT) {
			c->r.failed = true;
			return;
		}
	}
	enum ew f = s->kind == CPU_INS_EW ? ew_find(name, strlen(name)) : EW_ADD;
	s->ew = (uint16_t)f;
	int want = s->kind == CPU_INS_EW && f < EW_COUNT ? ew_info(f)->n
		   : s->kind == CPU_INS_SELECT           ? 3
		   : s->kind == CPU_INS_COMPLEX          ? 2
							 : 1;
	uint8_t made;
	if (f == EW_COUNT || s->nsrc != want || !ins_types(s, type, &made) ||
	    (s->kind == CPU_INS_EW &&
	     !dtype_taken((adze_dtype)s->dtype, ew_info(f)->takes)) ||
	    (last ? s->dst != CPU_RESULT : s->dst < p->nload || s->dst >= p->nslot) ||
	    (last && made != p->dtype)) {
		c->r.failed = true;
		return;
	}
	if (!last)
		type[s->dst] = made;
}

static void read_prog(struct code_reader *c, const struct cpu_step *s, struct cpu_prog *p)
{
	uint8_t type[CPU_MAX_SLOTS];
	memset(type, ADZE_DTYPE_COUNT, sizeof type);
	p->nload = read_u16(&c->r);
	if (p->nload == 0 || c->r.failed)
		return;
	p->nins = read_u16(&c->r);
	p->nslot = read_u16(&c->r);
	p->dtype = read_u8(&c->r);
	if (p->nslot > CPU_MAX_SLOTS || p->nload > p->nslot || p->dtype >= ADZE_DTYPE_COUNT ||
	    (p->nins == 0 && p->nload != 1)) {
		c->r.failed = true;
		return;
	}
	p->load = take(c, p->nload, sizeof *p->load);
	p->ins = take(c, p->nins, sizeof *p->ins);
	for (int i = 0; i < p->nload && !c->r.failed; i++) {
		p->load[i] = read_u16(&c->r);
		if (p->load[i] >= s->nview)
			c->r.failed = true;
		else
			type[i] = s->view[p->load[i]].dtype;
	}
	for (int i = 0; i < p->nins && !c->r.failed; i++)
		read_ins(c, p, &p->ins[i], type, i + 1 == p->nins);
	if (p->nins == 0 && !c->r.failed && type[0] != p->dtype)
		c->r.failed = true;
}

/* What comes before the instructions. */
static void read_body_head(struct code_reader *c, struct cpu_body *b)
{
	size_t ntype = (size_t)b->nin + b->nconst + b->nout;
	b->type = take(c, ntype, sizeof *b->type);
	b->value = take(c, b->nconst, sizeof *b->value);
	b->out = take(c, b->nout, sizeof *b->out);
	for (size_t i = 0; i < ntype && !c->r.failed; i++) {
		b->type[i] = read_u8(&c->r);
		if (b->type[i] >= ADZE_DTYPE_COUNT ||
		    dtype_info((adze_dtype)b->type[i])->bits < 8)
			c->r.failed = true;
	}
	for (int i = 0; i < b->nconst && !c->r.failed; i++) {
		b->value[i][0] = read_u64(&c->r);
		b->value[i][1] = read_u64(&c->r);
	}
	for (int i = 0; i < b->nout && !c->r.failed; i++) {
		b->out[i] = read_u16(&c->r);
		if (b->out[i] >= b->prog.nslot)
			c->r.failed = true;
	}
}

static void read_body(struct code_reader *c, struct cpu_body *b)
{
	uint8_t type[CPU_MAX_SLOTS];
	struct cpu_prog *p = &b->prog;
	memset(type, ADZE_DTYPE_COUNT, sizeof type);
	b->nin = read_u16(&c->r);
	b->nconst = read_u16(&c->r);
	b->nout = read_u16(&c->r);
	p->nins = read_u16(&c->r);
	p->nslot = read_u16(&c->r);
	p->nload = (uint16_t)(b->nin + b->nconst);
	if (b->nin > CPU_MAX_SLOTS || b->nconst > CPU_MAX_SLOTS || b->nout > CPU_MAX_PLAIN ||
	    p->nslot > CPU_MAX_SLOTS || p->nload > p->nslot)
		c->r.failed = true;
	if (!c->r.failed)
		read_body_head(c, b);
	if (c->r.failed)
		return;
	memcpy(type, b->type, p->nload);
	p->ins = take(c, p->nins, sizeof *p->ins);
	for (int i = 0; i < p->nins && !c->r.failed; i++)
		read_ins(c, p, &p->ins[i], type, false);
	for (int i = 0; i < b->nout && !c->r.failed; i++)
		if (type[b->out[i]] != b->type[p->nload + i])
			c->r.failed = true;
}

static void read_bodies(struct code_reader *c, struct cpu_step *s)
{
	s->nbody = read_u8(&c->r);
	if (s->nbody > CPU_MAX_BODIES)
		c->r.failed = true;
	s->body = take(c, c->r.failed ? 0 : s->nbody, sizeof *s->body);
	for (int i = 0; i < s->nbody && !c->r.failed; i++)
		read_body(c, &s->body[i]);
}

static void read_step(struct code_reader *c, struct cpu_step *s)
{
	char name[32];
	s->kind = read_u8(&c->r);
	read_name(&c->r, name, sizeof name);
	s->op = (uint16_t)op_find(name, strlen(name));
	s->group = read_u32(&c->r);
	uint64_t eps = read_u64(&c->r);
	memcpy(&s->eps, &eps, sizeof eps);
	s->nview = read_u16(&c->r);
	if (s->kind >= CPU_STEP_COUNT || (s->op == OP_NONE && name[0] != '\0') ||
	    s->nview > CPU_MAX_VIEWS || s->nview == 0)
		c->r.failed = true;
	s->view = take(c, s->nview, sizeof *s->view);
	for (int k = 0; k < s->nview && !c->r.failed; k++)
		read_view(c, &s->view[k]);
	s->nparam = read_u16(&c->r);
	if (s->nparam > CPU_MAX_PARAMS)
		c->r.failed = true;
	s->param = take(c, s->nparam, sizeof *s->param);
	for (int k = 0; k < s->nparam && !c->r.failed; k++)
		s->param[k] = (int64_t)read_u64(&c->r);
	if (!c->r.failed)
		read_prog(c, s, &s->pro);
	if (!c->r.failed)
		read_prog(c, s, &s->epi);
	if (!c->r.failed)
		read_bodies(c, s);
}

static struct cpu_value *read_values(struct code_reader *c, uint32_t ninput, uint32_t most,
				     uint32_t *n)
{
	*n = read_u32(&c->r);
	if (*n > most)
		c->r.failed = true;
	struct cpu_value *v = c->r.failed ? NULL : take(c, *n, sizeof *v);
	for (uint32_t i = 0; i < *n && !c->r.failed; i++) {
		v[i].dtype = read_u8(&c->r);
		v[i].count = read_number(c);
		v[i].into = (int32_t)read_u32(&c->r);
		if (v[i].dtype >= ADZE_DTYPE_COUNT || v[i].into < -1 ||
		    v[i].into >= (int64_t)ninput)
			c->r.failed = true;
		for (uint32_t k = 0; k < i; k++)
			c->r.failed |= v[i].into >= 0 && v[k].into == v[i].into;
	}
	return v;
}

static void read_blocks(struct code_reader *c)
{
	struct cpu_code *out = c->code;
	out->nblock = read_u32(&c->r);
	out->block = take(c, out->nblock, sizeof *out->block);
	for (uint32_t i = 0; i < out->nblock && !c->r.failed; i++) {
		struct cpu_block *b = &out->block[i];
		b->input = read_values(c, 0, IR_MAX_OPERANDS, &b->ninput);
		b->output = read_values(c, b->ninput, IR_MAX_RESULTS, &b->noutput);
		b->first = out->nstep;
		b->nstep = read_u32(&c->r);
		if (__builtin_add_overflow(out->nstep, b->nstep, &out->nstep))
			c->r.failed = true;
	}
	if (out->nblock == 0 || (!c->r.failed && out->block[0].ninput + out->block[0].noutput > 0))
		c->r.failed = true;
}

/* Blocks that steps of block `i` run lie behind it, and not too deep. */
static bool blocks_hold(struct cpu_code *c, uint32_t i)
{
	for (uint32_t k = 0; k < c->block[i].nstep; k++) {
		const int64_t *block = NULL;
		size_t n = cpu_step_blocks(&c->step[c->block[i].first + k], &block);
		for (size_t j = 0; j < n; j++) {
			if (block[j] <= i || block[j] >= c->nblock)
				return false;
			int *depth = &c->block[block[j]].depth;
			if (*depth <= c->block[i].depth)
				*depth = c->block[i].depth + 1;
		}
	}
	return c->block[i].depth <= IR_MAX_DEPTH;
}

adze_status cpu_code_read(const struct exe_file *file, struct arena *arena, struct cpu_code *out,
			  struct diag *d)
{
	struct exe_section code = file->section[EXE_CODE];
	struct code_reader c = {{code.at, code.len, 0, false}, file, out, NULL, false};
	memset(out, 0, sizeof *out);
	out->arena = arena;
	out->arena_bytes = file->signature.arena_bytes;
	out->nnumber = read_u32(&c.r);
	out->number = take(&c, out->nnumber, sizeof *out->number);
	for (uint32_t i = 0; i < out->nnumber && !c.r.failed; i++) {
		out->number[i].coef = (int64_t)read_u64(&c.r);
		const void *power = read_bytes(&c.r, sizeof out->number[i].power);
		if (power != NULL)
			memcpy(out->number[i].power, power, sizeof out->number[i].power);
		for (int k = 0; k < ADZE_MAX_SYMBOLS; k++)
			if (out->number[i].power[k] > (k < file->signature.nsymbol ? 8 : 0))
				c.r.failed = true;
	}
	if (!c.r.failed)
		read_blocks(&c);
	if (!c.r.failed)
		out->step = take(&c, out->nstep, sizeof *out->step);
	c.block = out->block;
	for (uint32_t i = 0; i < out->nstep && !c.r.failed; i++) {
		while (i == c.block->first + c.block->nstep)
			c.block++;
		read_step(&c, &out->step[i]);
	}
	for (uint32_t i = 0; i < out->nblock && !c.r.failed; i++)
		c.r.failed = !blocks_hold(out, i);
	if (c.no_memory)
		return fail(d, ADZE_E_NOMEM, "no memory to load an executable");
	if (c.r.failed || c.r.pos != c.r.len)
		return fail(d, ADZE_E_FORMAT, "executable: its CPU code makes no sense");
	return ADZE_OK;
}

static void print_number(const struct cpu_code *c, uint32_t i, struct text *out)
{
	const struct ir_size *n = &c->number[i];
	text_add(out, "%" PRId64, n->coef);
	for (int k = 0; k < ADZE_MAX_SYMBOLS; k++)
		for (int j = 0; j < n->power[k]; j++)
			text_add(out, "*s%d", k);
}

static void print_view(const struct cpu_code *c, const struct cpu_view *v, struct text *out)
{
	static const char *const name[] = {"input", "weight", "output", "arena", "const"};
	text_add(out, " %s", name[v->memory]);
	if (v->memory == CPU_ARENA || v->memory == CPU_CONST)
		text_add(out, "+%" PRIu64, v->byte);
	else
		text_add(out, "%" PRIu32, v->index);
	text_add(out, ":%s[", dtype_info((adze_dtype)v->dtype)->name);
	for (int i = 0; i < v->rank; i++) {
		text_add(out, i > 0 ? ", " : "");
		print_number(c, v->extent[i], out);
		text_add(out, "/");
		print_number(c, v->stride[i], out);
	}
	text_add(out, "]");
	if (c->number[v->offset].coef != 0) {
		text_add(out, "+");
		print_number(c, v->offset, out);
	}
}

static void print_prog(const struct cpu_prog *p, const char *name, struct text *out)
{
	if (p->nload == 0)
		return;
	text_add(out, " %s{", name);
	for (int i = 0; i < p->nins; i++) {
		const struct cpu_ins *s = &p->ins[i];
		text_add(out, i > 0 ? "; " : "");
		if (s->dst == CPU_RESULT)
			text_add(out, "out = ");
		else
			text_add(out, "r%d = ", s->dst);
		const char *what = s->kind == CPU_INS_EW ? ew_info((enum ew)s->ew)->name
				   : s->kind == CPU_INS_SELECT  ? "select"
				   : s->kind == CPU_INS_COMPLEX ? "complex"
								: "convert";
		text_add(out, "%s_%s", what, dtype_info((adze_dtype)s->dtype)->name);
		if (s->kind == CPU_INS_CONVERT)
			text_add(out, "_%s", dtype_info((adze_dtype)s->to)->name);
		for (int k = 0; k < s->nsrc; k++) {
			bool load = s->src[k] < p->nload && p->load != NULL;
			text_add(out, " %s%d", load ? "v" : "r",
				 load ? p->load[s->src[k]] : s->src[k]);
		}
	}
	if (p->nins == 0 && p->load != NULL)
		text_add(out, "v%d", p->load[0]);
	text_add(out, "}");
}

void cpu_step_print(const struct cpu_code *c, const struct cpu_step *s, struct text *out)
{
	text_add(out, "@%" PRIu32 " %s", s->group, step_name[s->kind]);
	if (s->op != OP_NONE)
		text_add(out, " (%s)", op_info((enum ir_op)s->op)->name);
	for (int i = 0; i < s->nview; i++)
		print_view(c, &s->view[i], out);
	for (int i = 0; i < s->nparam; i++)
		text_add(out, "%s%" PRId64, i > 0 ? "," : " param ", s->param[i]);
	print_prog(&s->pro, "pro", out);
	print_prog(&s->epi, "epi", out);
	for (int i = 0; i < s->nbody; i++) {
		print_prog(&s->body[i].prog, "body", out);
		for (int k = 0; k < s->body[i].nout; k++)
			text_add(out, "%s r%d", k > 0 ? "," : " of", s->body[i].out[k]);
	}
}
