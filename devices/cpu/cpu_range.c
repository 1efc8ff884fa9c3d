/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/cpu/cpu_range.h"

#include <math.h>
#include <string.h>

/* Integers up to this are exact in double, and so are sums of two. */
#define EXACT 0x1p52
/* Elements for which a kernel is worth its call. */
#define LONG_ROW 16
/* Factors with which a score stays what it is. */
#define LEAST_FACTOR 0x1p-60
#define MOST_FACTOR 0x1p60

static const struct kernel_impl *const no_kernel[2];
static const struct cpu_range any = {CPU_RANGE_ANY, 0, 0, 0};

static struct cpu_range number(double lo, double hi)
{
	struct cpu_range r = {CPU_RANGE_NUMBER, 0, lo, hi};
	return lo <= hi ? r : any; /* NaN, too */
}

static struct cpu_range score(double factor, double lo, double hi)
{
	struct cpu_range r = {CPU_RANGE_SCORE, factor, lo, hi};
	return factor >= LEAST_FACTOR && factor <= MOST_FACTOR && lo <= hi ? r : any;
}

static bool is_point(struct cpu_range r)
{
	return r.kind == CPU_RANGE_NUMBER && r.lo == r.hi;
}

/* Bounds of a type's arithmetic, which is monotonous: rounded as it rounds; ANY where integers
 * might wrap. */
static struct cpu_range in_type(adze_dtype dtype, double lo, double hi)
{
	if (dtype == ADZE_F32)
		return number((float)lo, (float)hi);
	if (dtype == ADZE_I32 && lo >= INT32_MIN && hi <= INT32_MAX)
		return number(lo, hi);
	if (dtype == ADZE_I64 && fabs(lo) <= EXACT && fabs(hi) <= EXACT)
		return number(lo, hi);
	return any;
}

/* a + b, of which the first may be a score. */
static struct cpu_range add(adze_dtype dtype, struct cpu_range a, double lo, double hi)
{
	if ((a.lo == -INFINITY && hi == INFINITY) || (a.hi == INFINITY && lo == -INFINITY))
		return any;
	struct cpu_range sum = in_type(dtype, a.lo + lo, a.hi + hi);
	if (a.kind != CPU_RANGE_SCORE || sum.kind == CPU_RANGE_ANY)
		return sum;
	return score(a.factor, sum.lo, sum.hi);
}

static struct cpu_range scale(struct cpu_range a, double by)
{
	return by > 0 ? score(a.factor * by, a.lo * by, a.hi * by) : any;
}

static struct cpu_range multiply(adze_dtype dtype, struct cpu_range a, struct cpu_range b)
{
	if (!is_point(b) || !isfinite(b.lo) || !isfinite(a.lo) || !isfinite(a.hi))
		return any;
	double x = a.lo * b.lo, y = a.hi * b.lo;
	return in_type(dtype, fmin(x, y), fmax(x, y));
}

/* Truth: 1 where it must be, 0 where it cannot be. */
static struct cpu_range truth(bool must, bool cannot)
{
	return number(must ? 1 : 0, cannot ? 0 : 1);
}

static struct cpu_range of_numbers(enum ew f, adze_dtype dtype, struct cpu_range a,
				   struct cpu_range b)
{
	bool is_bool = dtype == ADZE_BOOL;
	switch (f) {
	case EW_ADD: return add(dtype, a, b.lo, b.hi);
	case EW_SUB: return add(dtype, a, -b.hi, -b.lo);
	case EW_MUL: return is_point(a) ? multiply(dtype, b, a) : multiply(dtype, a, b);
	case EW_NEG: return in_type(dtype, -a.hi, -a.lo);
	case EW_MAX: return number(fmax(a.lo, b.lo), fmax(a.hi, b.hi));
	case EW_MIN: return number(fmin(a.lo, b.lo), fmin(a.hi, b.hi));
	case EW_LT: return truth(a.hi < b.lo, a.lo >= b.hi);
	case EW_LE: return truth(a.hi <= b.lo, a.lo > b.hi);
	case EW_GT: return truth(a.lo > b.hi, a.hi <= b.lo);
	case EW_GE: return truth(a.lo >= b.hi, a.hi < b.lo);
	case EW_EQ: return truth(is_point(a) && is_point(b) && a.lo == b.lo,
				 a.hi < b.lo || b.hi < a.lo);
	case EW_NE: return truth(a.hi < b.lo || b.hi < a.lo,
				 is_point(a) && is_point(b) && a.lo == b.lo);
	case EW_AND: return is_bool ? number(fmin(a.lo, b.lo), fmin(a.hi, b.hi)) : any;
	case EW_OR: return is_bool ? number(fmax(a.lo, b.lo), fmax(a.hi, b.hi)) : any;
	case EW_NOT: return is_bool ? number(1 - a.hi, 1 - a.lo) : any;
	default: return any;
	}
}

/* One operand is a score, the other a number. */
static struct cpu_range of_score(enum ew f, struct cpu_range a, struct cpu_range b)
{
	bool second = b.kind == CPU_RANGE_SCORE;
	struct cpu_range s = second ? b : a, x = second ? a : b;
	if (s.kind != CPU_RANGE_SCORE || x.kind != CPU_RANGE_NUMBER)
		return any;
	switch (f) {
	case EW_ADD: return add(ADZE_F32, s, x.lo, x.hi);
	case EW_SUB: return second ? any : add(ADZE_F32, s, -x.hi, -x.lo);
	case EW_MUL: return is_point(x) ? scale(s, x.lo) : any;
	case EW_DIV: return is_point(x) && !second ? scale(s, 1 / x.lo) : any;
	default: return any;
	}
}

struct cpu_range cpu_range_join(struct cpu_range a, struct cpu_range b)
{
	if (a.kind != b.kind || a.factor != b.factor)
		return any;
	a.lo = fmin(a.lo, b.lo);
	a.hi = fmax(a.hi, b.hi);
	return a;
}

static struct cpu_range of_ins(const struct cpu_ins *s, const struct cpu_range *slot)
{
	struct cpu_range a = slot[s->src[0]], b = s->nsrc > 1 ? slot[s->src[1]] : a;
	if (s->kind == CPU_INS_SELECT) {
		struct cpu_range c = slot[s->src[2]];
		return a.kind != CPU_RANGE_NUMBER ? any
		       : a.lo == 1		  ? b
		       : a.hi == 0		  ? c
						  : cpu_range_join(b, c);
	}
	if (s->kind == CPU_INS_CONVERT && a.kind == CPU_RANGE_NUMBER &&
	    !dtype_is_float((adze_dtype)s->dtype))
		return in_type((adze_dtype)s->to, a.lo, a.hi);
	if (s->kind != CPU_INS_EW || s->nsrc > 2)
		return any;
	if (a.kind == CPU_RANGE_NUMBER && b.kind == CPU_RANGE_NUMBER)
		return of_numbers((enum ew)s->ew, (adze_dtype)s->dtype, a, b);
	return s->nsrc == 2 ? of_score((enum ew)s->ew, a, b) : any;
}

struct cpu_range cpu_range_of_body(const struct cpu_body *b, const struct cpu_range *in)
{
	struct cpu_range slot[CPU_MAX_SLOTS];
	slot[0] = score(1, 0, 0);
	for (int i = 1; i < b->nin; i++)
		slot[i] = in[i - 1];
	for (int i = 0; i < b->nconst; i++)
		slot[b->nin + i] = cpu_range_of((adze_dtype)b->type[b->nin + i], no_kernel,
						(const char *)b->value[i], 0, 1);
	for (int i = 0; i < b->prog.nins; i++)
		slot[b->prog.ins[i].dst] = of_ins(&b->prog.ins[i], slot);
	return slot[b->out[0]];
}

/* `good`: what a NaN or an integer that double does not hold is not. */
#define RANGE(T, good)                                          \
	{                                                       \
		const T *p = (const void *)x;                   \
		T lo = *p, hi = *p;                             \
		bool all = true;                                \
		for (int64_t i = 0; i < n; i++) {               \
			T v = p[i * stride];                    \
			all &= (good);                          \
			lo = v < lo ? v : lo;                   \
			hi = v > hi ? v : hi;                   \
		}                                               \
		return all ? number((double)lo, (double)hi) : any; \
	}

struct cpu_range cpu_range_of(adze_dtype dtype, const struct kernel_impl *const *by,
			      const char *x, int64_t stride, int64_t n)
{
	if (n < 1)
		return any;
	if (stride == 0)
		n = 1;
	if (dtype == ADZE_BOOL && stride == 1 && n > 1) {
		bool all = memchr(x, 0, (size_t)n) == NULL;
		return number(all ? 1 : 0, all || memchr(x, 1, (size_t)n) != NULL ? 1 : 0);
	}
	if (stride == 1 && n >= LONG_ROW && by[0] != NULL && by[1] != NULL) {
		union {
			int32_t i;
			float f;
		} lo, hi;
		((reduce_fn *)by[0]->run)(&lo, x, (size_t)n);
		((reduce_fn *)by[1]->run)(&hi, x, (size_t)n);
		return dtype == ADZE_F32 ? number((double)lo.f, (double)hi.f)
					 : number(lo.i, hi.i);
	}
	switch (dtype) {
	case ADZE_BOOL: RANGE(uint8_t, true)
	case ADZE_I32: RANGE(int32_t, true)
	case ADZE_I64: RANGE(int64_t, v <= (int64_t)EXACT && v >= -(int64_t)EXACT)
	case ADZE_F32: RANGE(float, v == v)
	default: return any;
	}
}
