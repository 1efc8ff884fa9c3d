/* SPDX-License-Identifier: Apache-2.0
 *
 * Sort. A comparator that is one comparison of the elements of one operand becomes keys: whole
 * numbers whose order is the wanted one. Any other merges runs of 1, 2, 4 ... elements, and asks
 * the body for many merges at once.
 */
#include "kernels/plain_body.h"

/* Where counting bytes begins to be faster than merging. */
#define RADIX_LEAST 64

/** A key and where its element stands. */
struct pair {
	uint64_t key;
	int64_t at;
};

/** A merge under way: from a and from b to `to`. */
struct merge {
	int64_t a, a_end, b, b_end, to;
};

struct form {
	int n;              /* operands */
	int key;            /* the operand that is compared; -1: by the body */
	bool descending;
	int64_t length, step, inner, rows; /* of a row; rows at once */
	int64_t count;      /* rows in all */
};

/* Whether the comparator is one comparison of two elements of one operand. */
static void find_key(const struct plain *p, struct form *f)
{
	const struct plain_body *b = p->body;
	bool turned = b->ew == EW_GT;
	f->key = -1;
	if (b->ew != EW_LT && b->ew != EW_GT && b->ew != EW_TOTAL_LT && b->ew != EW_BEFORE)
		return;
	if (b->arg[0] / 2 != b->arg[1] / 2 || b->arg[0] == b->arg[1])
		return;
	f->key = b->arg[0] / 2;
	f->descending = turned != (b->arg[0] > b->arg[1]);
}

static bool fill(const struct plain *p, struct form *f)
{
	const struct plain_array *x = &p->x[0];
	int64_t axis = p->param[0];
	*f = (struct form){.n = p->nx, .inner = 1, .count = 1};
	if (p->ny != p->nx || !plain_side_by_side(p, p->nx) || axis < 0 || axis >= x->rank ||
	    p->body->nin != 2 * p->nx || p->body->nout != 1 || p->body->out[0] != ADZE_BOOL ||
	    x->extent[axis] > INT32_MAX)
		return false;
	for (int i = 0; i < p->nx; i++)
		if (p->y[i].dtype != p->x[i].dtype || !plain_same_extents(&p->y[i], x) ||
		    p->body->in[2 * i] != p->x[i].dtype || p->body->in[2 * i + 1] != p->x[i].dtype)
			return false;
	f->length = x->extent[axis];
	for (int i = (int)axis + 1; i < x->rank; i++)
		f->inner = plain_wrap(f->inner, x->extent[i]);
	f->step = f->inner;
	f->count = x->count > 0 ? x->count / f->length : 0;
	f->rows = f->length > 0 && f->length < PLAIN_STRIP ? PLAIN_STRIP / f->length : 1;
	find_key(p, f);
	return true;
}

bool plain_sort_holds(const struct plain *p)
{
	struct form f;
	return fill(p, &f);
}

/* Two lists of keys and places of a row, or of places of some rows. */
static size_t list_bytes(const struct form *f)
{
	size_t n = f->length > PLAIN_STRIP ? (size_t)f->length : PLAIN_STRIP;
	return plain_bytes(n, 2 * sizeof(struct pair));
}

struct plain_plan plain_sort_plan(const struct plain *p)
{
	struct form f;
	size_t strips = PLAIN_STRIP * sizeof(struct merge) + PLAIN_STRIP_BYTES, bytes;
	fill(p, &f);
	strips += 2 * (size_t)f.n * PLAIN_STRIP_BYTES;
	if (!size_add(list_bytes(&f), strips, &bytes))
		bytes = SIZE_MAX;
	int64_t depth = 1;
	while (f.length >> depth > 0)
		depth++;
	return (struct plain_plan){(f.count + f.rows - 1) / f.rows,
				   f.length > 0 ? f.rows * f.length * depth : 1, bytes};
}

/* Where row i begins. */
static int64_t row_at(const struct form *f, int64_t i)
{
	return i / f->inner * f->inner * f->length + i % f->inner;
}

/* ---- by keys ---- */

/* The bits of a float as a number of the same order; -0 before 0. */
static uint64_t float_key(uint64_t bits, int width)
{
	uint64_t sign = (uint64_t)1 << (width - 1), all = sign | (sign - 1);
	return bits & sign ? ~bits & all : bits | sign;
}

/* The key of an element. *odd: there is none, for NaN has no place in the order. */
static uint64_t key_of(enum ew by, const struct dtype_info *t, uint64_t bits, double v, bool *odd)
{
	if (t->class == DTYPE_INT)
		return bits ^ (uint64_t)1 << (t->bits - 1);
	if (t->class != DTYPE_FLOAT)
		return bits;
	if (v != v && by == EW_TOTAL_LT) /* NaNs of a sign are one */
		return bits >> (t->bits - 1) ? 0 : UINT64_MAX;
	if (by == EW_TOTAL_LT)
		return float_key(bits, t->bits);
	if (v != v) {
		*odd |= by != EW_BEFORE;
		return UINT64_MAX;
	}
	return float_key(v == 0 ? 0 : bits, t->bits);
}

#define KEYS(ctype, value)                                                         \
	for (int64_t i = 0; i < f->length; i++) {                                  \
		ctype bits;                                                        \
		memcpy(&bits, x + i * f->step * (int64_t)sizeof bits, sizeof bits); \
		to[i].key = key_of(by, t, bits, value, &odd);                      \
	}

static double f32_value(uint32_t bits)
{
	float v;
	memcpy(&v, &bits, sizeof v);
	return (double)v;
}

static double f64_value(uint64_t bits)
{
	double v;
	memcpy(&v, &bits, sizeof v);
	return v;
}

/* False where an element has no key. */
static bool fill_keys(const struct plain *p, const struct form *f, int64_t first, struct pair *to)
{
	const struct plain_array *k = &p->x[f->key];
	const struct dtype_info *t = dtype_info(k->dtype);
	size_t size = dtype_bytes(k->dtype);
	const char *x = (const char *)k->at + first * (int64_t)size;
	enum ew by = p->body->ew;
	bool odd = false, real = t->class == DTYPE_FLOAT;
	if (size == 4 && real)
		KEYS(uint32_t, f32_value(bits))
	else if (size == 8 && real)
		KEYS(uint64_t, f64_value(bits))
	else if (size == 2)
		KEYS(uint16_t, real ? dtype_load_float(k->dtype, &bits, 0) : 0)
	else if (size == 1)
		KEYS(uint8_t, real ? dtype_load_float(k->dtype, &bits, 0) : 0)
	else if (size == 4)
		KEYS(uint32_t, 0)
	else
		KEYS(uint64_t, 0)
	for (int64_t i = 0; i < f->length; i++) {
		to[i].at = i;
		if (f->descending)
			to[i].key = ~to[i].key;
	}
	return !odd;
}

/* Orders by key, bytes from the least on; equals stay as they stand. Returns where they are. */
static struct pair *radix_sort(struct pair *a, struct pair *b, int64_t n)
{
	uint32_t count[8][256];
	memset(count, 0, sizeof count);
	for (int64_t i = 0; i < n; i++)
		for (int k = 0; k < 8; k++)
			count[k][a[i].key >> (8 * k) & 255]++;
	for (int k = 0; k < 8; k++) {
		uint32_t at = 0;
		if (count[k][a[0].key >> (8 * k) & 255] == (uint64_t)n)
			continue;
		for (int c = 0; c < 256; c++) {
			uint32_t next = at + count[k][c];
			count[k][c] = at;
			at = next;
		}
		for (int64_t i = 0; i < n; i++)
			b[count[k][a[i].key >> (8 * k) & 255]++] = a[i];
		struct pair *old = a;
		a = b;
		b = old;
	}
	return a;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static struct pair *merge_sort(struct pair *a, struct pair *b, int64_t n)
{
	for (int64_t run = 1; run < n; run *= 2) {
		for (int64_t from = 0; from < n; from += 2 * run) {
			int64_t i = from, middle = least(from + run, n);
			int64_t k = middle, end = least(from + 2 * run, n), to = from;
			while (i < middle && k < end) {
				bool second = a[k].key < a[i].key;
				b[to++] = a[second ? k : i];
				k += second;
				i += !second;
			}
			memcpy(&b[to], &a[i], (size_t)(middle - i) * sizeof *a);
			to += middle - i;
			memcpy(&b[to], &a[k], (size_t)(end - k) * sizeof *a);
		}
		struct pair *old = a;
		a = b;
		b = old;
	}
	return a;
}

/* y[i] = x[at[i]] of a row, for every operand. */
static void move_row(const struct plain *p, const struct form *f, int64_t first,
		     const struct pair *order)
{
	for (int k = 0; k < f->n; k++) {
		size_t size = dtype_bytes(p->x[k].dtype);
		const char *x = (const char *)p->x[k].at + first * (int64_t)size;
		char *y = (char *)p->y[k].at + first * (int64_t)size;
		int64_t step = f->step * (int64_t)size;
#define MOVE(bytes)                                  \
	for (int64_t i = 0; i < f->length; i++)      \
		memcpy(y + i * step, x + order[i].at * step, bytes);
		if (size == 4)
			MOVE(4)
		else if (size == 8)
			MOVE(8)
		else
			MOVE(size)
	}
}

/* False, and nothing done, where an element has no key. */
static bool sort_by_keys(const struct plain *p, const struct form *f, int64_t first,
			 struct pair *room)
{
	struct pair *other = room + f->length;
	if (!fill_keys(p, f, first, room))
		return false;
	move_row(p, f, first, f->length < RADIX_LEAST ? merge_sort(room, other, f->length)
						      : radix_sort(room, other, f->length));
	return true;
}

/* ---- by the body ---- */

/* Rows under way. Places are elements of the operands. */
struct rows {
	const struct plain *p;
	const struct form *f;
	int64_t *at, *merged;
	struct merge *merge; /* PLAIN_STRIP of them */
	char *strip;         /* what the body says, then two strips of each operand */
	int n;               /* merges under way */
};

static char *strip(const struct rows *r, int i)
{
	return r->strip + (size_t)(1 + i) * PLAIN_STRIP_BYTES;
}

/* Takes one element of every merge. */
static void step_merges(struct rows *r)
{
	const void *in[2 * PLAIN_MOST];
	const uint8_t *second = (const uint8_t *)r->strip;
	int64_t a[PLAIN_STRIP], b[PLAIN_STRIP];
	for (int i = 0; i < r->n; i++) {
		a[i] = r->at[r->merge[i].a];
		b[i] = r->at[r->merge[i].b];
	}
	for (int k = 0; k < r->f->n; k++) {
		size_t size = dtype_bytes(r->p->x[k].dtype);
		plain_pick(strip(r, 2 * k), r->p->x[k].at, b, NULL, r->n, size);
		plain_pick(strip(r, 2 * k + 1), r->p->x[k].at, a, NULL, r->n, size);
		in[2 * k] = strip(r, 2 * k);
		in[2 * k + 1] = strip(r, 2 * k + 1);
	}
	r->p->body->call(r->p->body->self, (void *[]){r->strip}, in, (size_t)r->n);
	for (int i = 0; i < r->n; i++) {
		struct merge *m = &r->merge[i];
		r->merged[m->to++] = second[i] ? b[i] : a[i];
		m->a += !second[i];
		m->b += second[i] != 0;
	}
}

/* Merges that have one run left are done. */
static void finish_merges(struct rows *r)
{
	for (int i = r->n - 1; i >= 0; i--) {
		struct merge *m = &r->merge[i];
		if (m->a < m->a_end && m->b < m->b_end)
			continue;
		int64_t from = m->a < m->a_end ? m->a : m->b;
		int64_t n = m->a < m->a_end ? m->a_end - m->a : m->b_end - m->b;
		memcpy(&r->merged[m->to], &r->at[from], (size_t)n * sizeof *r->at);
		*m = r->merge[--r->n];
	}
}

static void run_merges(struct rows *r)
{
	finish_merges(r);
	while (r->n > 0) {
		step_merges(r);
		finish_merges(r);
	}
}

/* Rows first .. first + n, all of them side by side. */
static void sort_by_body(struct rows *r, int64_t first, int64_t n)
{
	const struct form *f = r->f;
	int64_t length = f->length;
	for (int64_t i = 0; i < n; i++)
		for (int64_t k = 0; k < length; k++)
			r->at[i * length + k] = row_at(f, first + i) + k * f->step;
	for (int64_t run = 1; run < length; run *= 2) {
		r->n = 0;
		for (int64_t i = 0; i < n; i++)
			for (int64_t k = 0; k < length; k += 2 * run) {
				int64_t middle = i * length + least(k + run, length);
				int64_t end = i * length + least(k + 2 * run, length);
				r->merge[r->n++] = (struct merge){i * length + k, middle, middle,
								  end, i * length + k};
				if (r->n == PLAIN_STRIP)
					run_merges(r);
			}
		run_merges(r);
		int64_t *old = r->at;
		r->at = r->merged;
		r->merged = old;
	}
	for (int k = 0; k < f->n; k++) {
		size_t size = dtype_bytes(r->p->x[k].dtype);
		for (int64_t i = 0; i < n * length; i++) {
			int64_t to = row_at(f, first + i / length) + i % length * f->step;
			memcpy((char *)r->p->y[k].at + to * (int64_t)size,
			       (const char *)r->p->x[k].at + r->at[i] * (int64_t)size, size);
		}
	}
}

void plain_sort_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	struct form f;
	struct rows r = {.p = p, .f = &f};
	fill(p, &f);
	r.merge = (struct merge *)(void *)((char *)work + list_bytes(&f));
	r.strip = (char *)(r.merge + PLAIN_STRIP);
	for (int64_t unit = from; unit < to; unit++) {
		int64_t first = unit * f.rows, end = least(first + f.rows, f.count);
		/* Rows that have no keys are sorted one by one. */
		while (f.key >= 0 && first < end) {
			if (!sort_by_keys(p, &f, row_at(&f, first), work)) {
				r.at = work;
				r.merged = r.at + f.length;
				sort_by_body(&r, first, 1);
			}
			first++;
		}
		r.at = work;
		r.merged = r.at + f.rows * f.length;
		if (first < end)
			sort_by_body(&r, first, end - first);
	}
}
