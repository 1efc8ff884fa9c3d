/* SPDX-License-Identifier: Apache-2.0
 *
 * What a step takes, from its own description. Bytes: every element that it reads or writes
 * counts once, however often it is used; what stays inside the step, in registers and strips,
 * does not count. Operations of element-wise functions, reductions and rows are those of
 * kernels.def; a product or convolution counts two for each multiply-add; operations of class
 * PLAIN, which are loops of all kinds, count none. Loops and branches count nothing themselves:
 * their bodies' steps do.
 */
#include <stdio.h>
#include <string.h>

#include "devices/cpu/cpu_exec.h"
#include "devices/device_profile.h"

struct coster {
	const struct cpu_step *s;
	const int64_t *number;
	adze_cost cost;
};

static double extent(const struct coster *c, int view, int axis)
{
	return (double)c->number[c->s->view[view].extent[axis]];
}

static double elements(const struct coster *c, int view)
{
	double n = 1;
	for (int i = 0; i < c->s->view[view].rank; i++)
		n *= extent(c, view, i);
	return n;
}

/* Different elements of a view: a broadcast axis has one, and axes may overlap. */
static double different(const struct coster *c, const struct cpu_view *v)
{
	double n = 1, span = 1;
	for (int i = 0; i < v->rank; i++) {
		double e = (double)c->number[v->extent[i]];
		double stride = (double)c->number[v->stride[i]];
		if (e == 0)
			return 0;
		n *= stride != 0 ? e : 1;
		span += (e - 1) * (stride < 0 ? -stride : stride);
	}
	return n < span ? n : span;
}

static double bytes_of(const struct cpu_view *v, double n)
{
	return n * dtype_info((adze_dtype)v->dtype)->bits / 8;
}

static void read_view(struct coster *c, int view)
{
	const struct cpu_view *v = &c->s->view[view];
	c->cost.read += bytes_of(v, different(c, v));
}

static void write_view(struct coster *c, int view)
{
	const struct cpu_view *v = &c->s->view[view];
	c->cost.written += bytes_of(v, different(c, v));
}

static bool same_view(const struct cpu_view *a, const struct cpu_view *b)
{
	if (a->memory != b->memory || a->dtype != b->dtype || a->rank != b->rank ||
	    a->index != b->index || a->byte != b->byte || a->offset != b->offset)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->extent[i] != b->extent[i] || a->stride[i] != b->stride[i])
			return false;
	return true;
}

/* Views from `from` on are read, but for the result that the epilogue goes on with. */
static void read_from(struct coster *c, int from)
{
	const struct cpu_step *s = c->s;
	for (int i = from; i < s->nview; i++) {
		bool again = s->epi.nload > 0 && i == s->epi.load[0];
		for (int k = from; k < i; k++)
			again |= same_view(&s->view[k], &s->view[i]);
		if (!again)
			read_view(c, i);
	}
}

static void count_as(struct coster *c, int dtype, double n)
{
	if (dtype_is_float((adze_dtype)dtype) || dtype_is_complex((adze_dtype)dtype))
		c->cost.flops += n;
	else
		c->cost.ops += n;
}

/* What kernels.def says for an element; 1 where it has no row, as for complex numbers. */
static double family_flops(const char *function, const char *type)
{
	char name[64];
	snprintf(name, sizeof name, "%s_%s", function, type);
	const struct kernel_family *f = kernels_family(name);
	return f != NULL ? f->flops : 1;
}

static const char *type_name(int dtype)
{
	return dtype_info((adze_dtype)dtype)->name;
}

static void count_prog(struct coster *c, const struct cpu_prog *p, double n)
{
	for (int i = 0; i < p->nins; i++) {
		const struct cpu_ins *s = &p->ins[i];
		if (s->kind == CPU_INS_EW)
			count_as(c, s->dtype,
				 n * family_flops(ew_info((enum ew)s->ew)->name,
						  type_name(s->dtype)));
	}
}

/* Elements that go into reductions, and into each result. */
static void count_reduce(struct coster *c)
{
	const struct cpu_step *s = c->s;
	double n = elements(c, 0) * (double)c->number[s->param[1]];
	char function[32];
	if (s->kind == CPU_ARG)
		snprintf(function, sizeof function, s->param[0] ? "argmin" : "argmax");
	else
		snprintf(function, sizeof function, "reduce_%s",
			 ew_info((enum ew)s->param[0])->name);
	count_prog(c, &s->pro, n);
	count_as(c, s->pro.dtype, n * family_flops(function, type_name(s->pro.dtype)));
}

static void count_product(struct coster *c)
{
	const struct cpu_view *v = c->s->view;
	double k = extent(c, 1, v[1].rank - 1);
	/* Blocks stand for f32; where the other side may be rounded, products are of bytes. */
	bool blocks = c->s->kind == CPU_BLOCKS;
	count_as(c, !blocks ? v[2].dtype : c->s->param[1] ? ADZE_I8 : ADZE_F32,
		 (dtype_is_complex((adze_dtype)v[2].dtype) ? 8 : 2) * elements(c, 0) * k);
}

static void count_conv(struct coster *c)
{
	double out = extent(c, 2, 0);
	if (out > 0)
		count_as(c, c->s->view[0].dtype, 2 * elements(c, 0) * elements(c, 2) / out);
}

static void count_window(struct coster *c)
{
	double n = elements(c, 0);
	for (int i = 0; i < c->s->view[0].rank; i++)
		n *= (double)c->s->param[1 + i];
	count_as(c, c->s->view[0].dtype, n);
}

/* Two products, what the body does to a score, and the softmax. All scores count, though tiles
 * that a mask hides are passed over. */
static void count_attend(struct coster *c)
{
	const struct cpu_step *s = c->s;
	int last = s->view[0].rank - 1;
	double rows = elements(c, 1) / (extent(c, 1, last) > 0 ? extent(c, 1, last) : 1);
	double scores = rows * extent(c, 2, s->view[2].rank - 2);
	count_as(c, s->view[0].dtype, 2 * scores * (extent(c, 1, last) + extent(c, 0, last)));
	for (int i = 0; i < s->nbody; i++)
		count_prog(c, &s->body[i].prog, scores);
	count_as(c, s->view[0].dtype,
		 scores * family_flops("softmax", type_name(s->view[0].dtype)));
}

/* What moves reads as much as it writes. */
static void count_move(struct coster *c)
{
	const struct cpu_step *s = c->s;
	const struct cpu_view *moved = &s->view[s->kind == CPU_PUT ? 1 : 0];
	double bytes = bytes_of(moved, different(c, moved));
	c->cost.read += bytes;
	c->cost.written += bytes;
	for (int i = s->kind == CPU_COPY ? s->nview : 2; i < s->nview; i++)
		read_view(c, i);
}

static void count_plain(struct coster *c)
{
	const struct cpu_step *s = c->s;
	int nresult = (int)s->param[0];
	for (int i = 0; i < nresult; i++)
		write_view(c, i);
	read_from(c, nresult);
	/* What is gathered, not all of what it is gathered from. */
	double all = bytes_of(&s->view[1], different(c, &s->view[1]));
	if (s->op == OP_GATHER && all > c->cost.written)
		c->cost.read -= all - c->cost.written;
}

adze_cost cpu_step_cost(const struct cpu_step *s, const int64_t *number)
{
	struct coster c = {s, number, {0, 0, 0, 0}};
	switch ((enum cpu_step_kind)s->kind) {
	case CPU_BRANCH:
	case CPU_WHILE:
	case CPU_SCAN: return c.cost;
	case CPU_COPY:
	case CPU_PICK:
	case CPU_PUT:
	case CPU_TAKE: count_move(&c); return c.cost;
	case CPU_PLAIN: count_plain(&c); return c.cost;
	case CPU_EW: count_prog(&c, &s->pro, elements(&c, 0)); break;
	case CPU_REDUCE:
	case CPU_COLUMNS:
	case CPU_ARG: count_reduce(&c); break;
	case CPU_ROW:
		count_prog(&c, &s->pro, elements(&c, 0));
		count_as(&c, s->view[0].dtype,
			 elements(&c, 0) * family_flops(op_info((enum ir_op)s->op)->name,
							type_name(s->view[0].dtype)));
		break;
	case CPU_GEMM:
	case CPU_BLOCKS: count_product(&c); break;
	case CPU_CONV: count_conv(&c); break;
	case CPU_WINDOW: count_window(&c); break;
	case CPU_ATTEND: count_attend(&c); break;
	default: break; /* FILL, IOTA, EXTENT, CONVERT: bytes alone */
	}
	count_prog(&c, &s->epi, elements(&c, 0));
	write_view(&c, 0);
	read_from(&c, 1);
	return c.cost;
}
