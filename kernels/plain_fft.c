/* SPDX-License-Identifier: Apache-2.0
 *
 * Discrete Fourier transforms over the last one to three axes, in double whatever the type. A
 * line of n, n a product of 2, 3, 5, 7, 11 and 13, takes Stockham's passes, which need no
 * reordering, one for each factor (Van Loan, Computational Frameworks for the Fast Fourier
 * Transform, 1.7); any other n becomes a convolution with a chirp, of a power of two (Bluestein,
 * IEEE Trans. Audio Electroacoust. 18, 1970). Both take n log n steps. A unit is all that is
 * transformed together.
 */
#include <math.h>
#include <string.h>

#include "kernels/plain_complex.h"

#define TURN 6.283185307179586476925286766559
#define MOST_FACTORS 64

enum { LENGTHS = 0, INVERSE = PLAIN_DIMS, REAL };

/* ---- one line ---- */

/* How lines of n are done: tables, and room for two copies of a line. */
struct line {
	int64_t n, m; /* m: what passes work on, n or a power of two */
	bool inverse;
	int nfactor;
	int factor[MOST_FACTORS];
	struct complex *turn;   /* m: powers of the m-th root of 1 */
	struct complex *chirp;  /* n, and its transform, m; none where m is n */
	struct complex *spectrum;
	struct complex *a, *b;  /* m each */
};

/* How many factors n has; -1 where one is above those that have a pass. */
static int find_factors(int64_t n, int *factor)
{
	static const int try[] = {4, 2, 3, 5, 7, 11, 13};
	int k = 0;
	for (size_t i = 0; i < COUNT_OF(try); i++)
		while (n % try[i] == 0) {
			factor[k++] = try[i];
			n /= try[i];
		}
	return n == 1 ? k : -1;
}

static int64_t passes_of(int64_t n, int *factor, int *nfactor)
{
	int64_t m = n;
	*nfactor = find_factors(n, factor);
	if (*nfactor >= 0)
		return n;
	for (m = 1; m < 2 * n - 1;)
		m *= 2;
	*nfactor = find_factors(m, factor);
	return m;
}

/* Complex numbers that a line of n needs; n is that of an array in memory, so small. */
static size_t line_room(int64_t n)
{
	int factor[MOST_FACTORS], nfactor;
	int64_t m = passes_of(n, factor, &nfactor);
	return (size_t)(m == n ? 3 * n : 4 * m + n);
}

/* A pass: n of the line's m points are left to transform, in `stride` interleaved parts. */
static void pass_2(const struct line *l, int64_t n, int64_t stride, const struct complex *x,
		   struct complex *y)
{
	int64_t half = n / 2;
	for (int64_t p = 0; p < half; p++) {
		struct complex w = l->turn[p * stride];
		const struct complex *a = x + stride * p, *b = a + stride * half;
		struct complex *to = y + stride * 2 * p;
		for (int64_t q = 0; q < stride; q++) {
			to[q] = complex_add(a[q], b[q]);
			to[q + stride] = complex_mul(complex_sub(a[q], b[q]), w);
		}
	}
}

static void pass_4(const struct line *l, int64_t n, int64_t stride, const struct complex *x,
		   struct complex *y)
{
	int64_t part = n / 4, step = stride * part;
	double side = l->inverse ? 1 : -1;
	for (int64_t p = 0; p < part; p++) {
		struct complex w1 = l->turn[p * stride], w2 = l->turn[2 * p * stride];
		struct complex w3 = l->turn[3 * p * stride];
		const struct complex *at = x + stride * p;
		struct complex *to = y + stride * 4 * p;
		for (int64_t q = 0; q < stride; q++) {
			struct complex a = at[q], b = at[q + step], c = at[q + 2 * step];
			struct complex d = at[q + 3 * step];
			struct complex even = complex_add(a, c), odd = complex_sub(a, c);
			struct complex sum = complex_add(b, d), apart = complex_sub(b, d);
			struct complex turned = {-side * apart.im, side * apart.re};
			to[q] = complex_add(even, sum);
			to[q + stride] = complex_mul(complex_add(odd, turned), w1);
			to[q + 2 * stride] = complex_mul(complex_sub(even, sum), w2);
			to[q + 3 * stride] = complex_mul(complex_sub(odd, turned), w3);
		}
	}
}

/* Any small factor, by its definition. */
static void pass_any(const struct line *l, int64_t n, int64_t stride, int r,
		     const struct complex *x, struct complex *y)
{
	int64_t part = n / r, root = l->m / r;
	for (int64_t p = 0; p < part; p++)
		for (int64_t q = 0; q < stride; q++)
			for (int j = 0; j < r; j++) {
				struct complex sum = x[q + stride * p];
				for (int k = 1, jk = j; k < r; k++) {
					struct complex v = x[q + stride * (p + k * part)];
					sum = complex_add(sum, complex_mul(v, l->turn[jk * root]));
					jk = jk + j < r ? jk + j : jk + j - r;
				}
				y[q + stride * (r * p + j)] = complex_mul(sum,
								    l->turn[p * stride * j]);
			}
}

/* All passes over the m points at l->a; where the result is, l->a or l->b. */
static struct complex *run_passes(const struct line *l)
{
	struct complex *x = l->a, *y = l->b;
	int64_t n = l->m, stride = 1;
	for (int i = 0; i < l->nfactor; i++) {
		int r = l->factor[i];
		if (r == 4)
			pass_4(l, n, stride, x, y);
		else if (r == 2)
			pass_2(l, n, stride, x, y);
		else
			pass_any(l, n, stride, r, x, y);
		struct complex *t = x;
		x = y;
		y = t;
		n /= r;
		stride *= r;
	}
	return x;
}

static struct complex turn_by(int64_t k, int64_t n, bool inverse)
{
	double angle = TURN * (double)k / (double)n;
	return (struct complex){cos(angle), inverse ? sin(angle) : -sin(angle)};
}

/* exp(-+ i pi k^2 / n) for k < n, and the transform of its conjugate, around the end. */
static void make_chirp(struct line *l)
{
	int64_t square = 0; /* modulo 2 n */
	memset(l->a, 0, (size_t)l->m * sizeof *l->a);
	for (int64_t k = 0; k < l->n; k++) {
		struct complex c = turn_by(square, 2 * l->n, l->inverse);
		l->chirp[k] = c;
		l->a[k] = l->a[k > 0 ? l->m - k : 0] = (struct complex){c.re, -c.im};
		square = (square + 2 * k + 1) % (2 * l->n);
	}
	memcpy(l->spectrum, run_passes(l), (size_t)l->m * sizeof *l->spectrum);
}

static void make_line(struct line *l, int64_t n, bool inverse, struct complex *room)
{
	l->n = n;
	l->inverse = inverse;
	l->m = passes_of(n, l->factor, &l->nfactor);
	l->turn = room;
	l->a = room + l->m;
	l->b = l->a + l->m;
	for (int64_t k = 0; k < l->m; k++)
		l->turn[k] = turn_by(k, l->m, inverse);
	if (l->m == n)
		return;
	l->spectrum = l->b + l->m;
	l->chirp = l->spectrum + l->m;
	make_chirp(l);
}

/* The convolution's way back is a way there: conj(F(conj(x))). */
static struct complex *convolve(const struct line *l)
{
	int64_t n = l->n, m = l->m;
	for (int64_t k = 0; k < n; k++)
		l->a[k] = complex_mul(l->a[k], l->chirp[k]);
	memset(l->a + n, 0, (size_t)(m - n) * sizeof *l->a);
	const struct complex *f = run_passes(l);
	for (int64_t k = 0; k < m; k++) {
		struct complex v = complex_mul(f[k], l->spectrum[k]);
		l->a[k] = (struct complex){v.re, -v.im};
	}
	struct complex *y = run_passes(l);
	for (int64_t k = 0; k < n; k++) {
		struct complex v = {y[k].re / (double)m, -y[k].im / (double)m};
		y[k] = complex_mul(v, l->chirp[k]);
	}
	return y;
}

/* Transforms the n points at l->a, not scaled; where they are afterwards. */
static struct complex *transform(const struct line *l)
{
	return l->m == l->n ? run_passes(l) : convolve(l);
}

/* ---- a unit ---- */

static int64_t half_of(int64_t n)
{
	return n > 0 ? n / 2 + 1 : 0;
}

/* The axes that are transformed: lengths, and extents of what is complex; the last is [2]. */
struct block {
	int64_t n[3], extent[3], count, room;
};

static void set_block(const struct plain *p, struct block *b)
{
	const struct plain_dims *d = plain_dims(p, LENGTHS);
	b->count = 1;
	b->room = 0;
	for (int i = 0; i < 3; i++) {
		int k = i - 3 + (int)d->n;
		b->n[i] = b->extent[i] = k >= 0 ? d->at[k] : 1;
		if (i == 2 && p->param[REAL])
			b->extent[i] = half_of(b->n[i]);
		b->count *= b->extent[i];
	}
}

/* Whether `a` ends in the axes of a block, the last one being `last`. */
static bool ends_in(const struct plain_array *a, const struct plain_dims *d, int64_t last)
{
	for (int i = 0; i < d->n; i++)
		if (a->extent[a->rank - d->n + i] != (i + 1 < d->n ? d->at[i] : last))
			return false;
	return true;
}

bool plain_fft_holds(const struct plain *p)
{
	const struct plain_dims *d = plain_dims(p, LENGTHS);
	const struct plain_array *x = &p->x[0], *y = &p->y[0];
	bool inverse = p->param[INVERSE] != 0, real = p->param[REAL] != 0;
	const struct plain_array *whole = real && !inverse ? x : y, *part = inverse ? x : y;
	if (d->n < 1 || d->n > 3 || x->rank < d->n || y->rank != x->rank ||
	    !dtype_is_complex(part->dtype) ||
	    whole->dtype != (real ? dtype_part(part->dtype) : part->dtype) ||
	    (!real && x->dtype != y->dtype))
		return false;
	for (int i = 0; i < d->n; i++)
		if (d->at[i] < 0)
			return false;
	for (int i = 0; i < x->rank - d->n; i++)
		if (x->extent[i] != y->extent[i])
			return false;
	int64_t last = d->at[d->n - 1], half = real ? half_of(last) : last;
	return ends_in(x, d, real && inverse ? half : last) &&
	       ends_in(y, d, real && !inverse ? half : last);
}

struct plain_plan plain_fft_plan(const struct plain *p)
{
	const struct plain_array *x = &p->x[0];
	struct block b;
	size_t room = 0;
	set_block(p, &b);
	if (x->count == 0 || p->y[0].count == 0)
		return (struct plain_plan){0, 1, 0};
	for (int i = 0; i < 3; i++)
		room = line_room(b.n[i]) > room ? line_room(b.n[i]) : room;
	int64_t units = plain_count(x, 0, x->rank - (int)plain_dims(p, LENGTHS)->n);
	return (struct plain_plan){units, 16 * b.count + 1,
				   plain_bytes(room + (size_t)b.count, sizeof(struct complex))};
}

static void store(const struct plain_array *y, int64_t to, struct complex *from, int64_t n,
		  double scale)
{
	for (int64_t i = 0; i < n; i++)
		from[i] = (struct complex){from[i].re * scale, from[i].im * scale};
	plain_store_complex(y, to, 1, from, n);
}

/* Tables for lines of n, where those that are there are others. */
static void want_line(struct line *l, int64_t n, bool inverse, struct complex *room)
{
	if (l->n != n)
		make_line(l, n, inverse, room);
}

/* Along an axis but the last. */
static void transform_axis(const struct line *l, struct complex *data, const struct block *b,
			   int axis)
{
	int64_t inner = b->extent[2] * (axis == 0 ? b->extent[1] : 1), n = b->n[axis];
	for (int64_t i = 0; i < b->count / n; i++) {
		struct complex *at = data + i / inner * inner * n + i % inner;
		for (int64_t k = 0; k < n; k++)
			l->a[k] = at[k * inner];
		const struct complex *y = transform(l);
		for (int64_t k = 0; k < n; k++)
			at[k * inner] = y[k];
	}
}

/* What a real line's half says of its other half; what must be real is taken so. */
static void mirror(struct complex *a, int64_t n)
{
	a[0].im = 0;
	if (n % 2 == 0)
		a[n / 2].im = 0;
	for (int64_t k = 1; k <= (n - 1) / 2; k++)
		a[n - k] = (struct complex){a[k].re, -a[k].im};
}

static void forward(const struct plain *p, struct line *l, const struct block *b,
		    struct complex *data, struct complex *room, int64_t unit)
{
	bool inverse = p->param[INVERSE] != 0;
	int64_t n = b->n[2], each = b->extent[2], lines = b->count / each;
	double scale = inverse ? 1 / ((double)b->n[0] * (double)b->n[1] * (double)n) : 1;
	want_line(l, n, inverse, room);
	for (int64_t i = 0; i < lines; i++) {
		plain_load_complex(l->a, &p->x[0], (unit * lines + i) * n, 1, n);
		memcpy(data + i * each, transform(l), (size_t)each * sizeof *data);
	}
	for (int axis = 1; axis >= 0; axis--) {
		if (b->n[axis] == 1)
			continue;
		want_line(l, b->n[axis], inverse, room);
		transform_axis(l, data, b, axis);
	}
	store(&p->y[0], unit * b->count, data, b->count, scale);
}

static void back_to_real(const struct plain *p, struct line *l, const struct block *b,
			 struct complex *data, struct complex *room, int64_t unit)
{
	int64_t n = b->n[2], each = b->extent[2], lines = b->count / each;
	double scale = 1 / ((double)b->n[0] * (double)b->n[1] * (double)n);
	plain_load_complex(data, &p->x[0], unit * b->count, 1, b->count);
	for (int axis = 0; axis < 2; axis++) {
		if (b->n[axis] == 1)
			continue;
		want_line(l, b->n[axis], true, room);
		transform_axis(l, data, b, axis);
	}
	want_line(l, n, true, room);
	for (int64_t i = 0; i < lines; i++) {
		memcpy(l->a, data + i * each, (size_t)each * sizeof *data);
		mirror(l->a, n);
		store(&p->y[0], (unit * lines + i) * n, transform(l), n, scale);
	}
}

void plain_fft_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	struct block b;
	struct line l = {.n = -1};
	set_block(p, &b);
	struct complex *data = work, *room = data + b.count;
	for (int64_t unit = from; unit < to; unit++)
		if (p->param[REAL] && p->param[INVERSE])
			back_to_real(p, &l, &b, data, room, unit);
		else
			forward(p, &l, &b, data, room, unit);
}
