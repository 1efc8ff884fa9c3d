/* SPDX-License-Identifier: Apache-2.0
 *
 * Running totals along an axis by an associative function, in one pass: floats in double,
 * rounded on every store, integers in 64 bits and cut, a tile at a time. A unit is a line along
 * the axis, or several that lie side by side.
 */
#include "kernels/plain.h"

/* Functions of floats as expressions, which the compiler sees through. */
#define EW_WORDS_F64
#include "base/ew_words.h"
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc)                \
	static inline double one_##name(double a, double b, double c)       \
	{                                                                   \
		(void)a, (void)b, (void)c;                                  \
		return (double)(fx);                                        \
	}
#include "base/ew.def"

#define TILE 1024
#define LINES 64

enum { BY, AXIS, EXCLUSIVE, REVERSE };

bool plain_cumulative_holds(const struct plain *p)
{
	const struct plain_array *x = &p->x[0], *y = &p->y[0];
	const struct ew_info *f = ew_info((enum ew)p->param[BY]);
	return x->dtype == y->dtype && plain_same_extents(x, y) && p->param[AXIS] >= 0 &&
	       p->param[AXIS] < x->rank && (f->flags & EW_ASSOC) &&
	       dtype_taken(x->dtype, f->takes);
}

static int64_t strips_of(int64_t inner)
{
	return (inner + LINES - 1) / LINES;
}

struct plain_plan plain_cumulative_plan(const struct plain *p)
{
	const struct plain_array *x = &p->x[0];
	int axis = (int)p->param[AXIS];
	int64_t inner = plain_count(x, axis + 1, x->rank), n = x->extent[axis];
	int64_t outer = x->count > 0 ? plain_count(x, 0, axis) : 0;
	int64_t cost = 1 + n * (inner < LINES ? inner : LINES);
	return (struct plain_plan){outer * strips_of(inner), cost, 0};
}

union wide {
	double f;
	int64_t i;
};

/* What is done to the lines of a tile. */
struct lines {
	enum ew by;
	adze_dtype dtype;
	bool floats, exclusive, reverse;
	unsigned bits;
	int64_t n; /* of them */
	union wide start, total[LINES];
};

static void start(struct lines *l)
{
	for (int64_t i = 0; i < l->n; i++)
		l->total[i] = l->start;
}

/* Adds a row of a tile, element i to line i; `f` is in terms of a and b. */
#define ROW(T, m, f)                                            \
	for (int64_t i = 0; i < n; i++) {                       \
		T a = l->total[i].m, b = v[i].m, both = (f);    \
		v[i].m = exclusive ? a : both;                  \
		l->total[i].m = both;                           \
	}

/* The same along a single line, whose total then stays in a register. */
#define LINE(T, m, f)                                                       \
	do {                                                                \
		T a = l->total[0].m;                                        \
		for (int64_t k = 0; k < rows; k++) {                        \
			union wide *v = tile + (reverse ? rows - 1 - k : k); \
			T b = v->m, both = (f);                             \
			v->m = exclusive ? a : both;                        \
			a = both;                                           \
		}                                                           \
		l->total[0].m = a;                                          \
	} while (0)

#define SCAN(T, m, f)                                                        \
	do {                                                                 \
		if (n == 1)                                                  \
			LINE(T, m, f);                                       \
		else                                                         \
			for (int64_t k = 0; k < rows; k++) {                 \
				union wide *v = tile + (reverse ? rows - 1 - k : k) * n; \
				ROW(T, m, f)                                 \
			}                                                    \
	} while (0)

static void scan_floats(struct lines *l, union wide *tile, int64_t rows)
{
	int64_t n = l->n;
	bool exclusive = l->exclusive, reverse = l->reverse;
	switch (l->by) {
	case EW_ADD: SCAN(double, f, one_add(a, b, 0)); break;
	case EW_MUL: SCAN(double, f, one_mul(a, b, 0)); break;
	case EW_MAX: SCAN(double, f, one_max(a, b, 0)); break;
	case EW_MIN: SCAN(double, f, one_min(a, b, 0)); break;
	default: SCAN(double, f, ew_f64(l->by, a, b, 0)); break;
	}
}

static void scan_ints(struct lines *l, union wide *tile, int64_t rows)
{
	int64_t n = l->n;
	bool exclusive = l->exclusive, reverse = l->reverse;
	bool is_signed = dtype_info(l->dtype)->class == DTYPE_INT;
	if (l->by == EW_ADD) /* the same bits, whatever the sign */
		SCAN(int64_t, i, (int64_t)((uint64_t)a + (uint64_t)b));
	else if (is_signed)
		SCAN(int64_t, i, ew_i64(l->by, a, b, 0, l->bits));
	else
		SCAN(int64_t, i, (int64_t)ew_u64(l->by, (uint64_t)a, (uint64_t)b, 0, l->bits));
}

static void scan(struct lines *l, union wide *tile, int64_t rows)
{
	if (l->floats)
		scan_floats(l, tile, rows);
	else
		scan_ints(l, tile, rows);
}

static void load(const struct plain *p, bool floats, union wide *tile, int64_t at, int64_t n)
{
	if (floats)
		plain_load_floats(&tile->f, &p->x[0], at, 1, n);
	else
		plain_load_bits(&tile->i, &p->x[0], at, 1, n);
}

static void store(const struct plain *p, bool floats, const union wide *tile, int64_t at,
		  int64_t n)
{
	if (floats)
		plain_store_floats(&p->y[0], at, 1, &tile->f, n);
	else
		plain_store_bits(&p->y[0], at, 1, &tile->i, n);
}

/* Several units, which lie one behind the other, in one tile. */
static void run_short(const struct plain *p, struct lines *l, int64_t each, int64_t from,
		      int64_t to)
{
	union wide tile[TILE];
	for (int64_t unit = from, m; unit < to; unit += m) {
		m = TILE / each < to - unit ? TILE / each : to - unit;
		load(p, l->floats, tile, unit * each, m * each);
		for (int64_t i = 0; i < m; i++) {
			start(l);
			scan(l, tile + i * each, each / l->n);
		}
		store(p, l->floats, tile, unit * each, m * each);
	}
}

/* A unit of n rows of l->n elements, `step` apart; the first is element `at`. */
static void run_long(const struct plain *p, struct lines *l, int64_t at, int64_t step, int64_t n)
{
	union wide tile[TILE];
	start(l);
	for (int64_t done = 0, rows; done < n; done += rows) {
		rows = n - done < TILE / l->n ? n - done : TILE / l->n;
		int64_t first = at + (l->reverse ? n - done - rows : done) * step;
		bool whole = l->n == step;
		int64_t parts = whole ? 1 : rows, each = whole ? rows * l->n : l->n;
		for (int64_t k = 0; k < parts; k++)
			load(p, l->floats, tile + k * each, first + k * step, each);
		scan(l, tile, rows);
		for (int64_t k = 0; k < parts; k++)
			store(p, l->floats, tile + k * each, first + k * step, each);
	}
}

static union wide start_of(enum ew by, adze_dtype dtype)
{
	uint64_t element[2] = {0, 0};
	union wide v;
	ew_start_element(by, dtype, element);
	if (dtype_is_float(dtype))
		v.f = dtype_load_float(dtype, element, 0);
	else
		v.i = dtype_load_int(dtype, element, 0);
	return v;
}

void plain_cumulative_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	const struct plain_array *x = &p->x[0];
	int axis = (int)p->param[AXIS];
	int64_t n = x->extent[axis], inner = plain_count(x, axis + 1, x->rank);
	int64_t strips = strips_of(inner);
	struct lines l = {.by = (enum ew)p->param[BY], .dtype = x->dtype,
			  .floats = dtype_is_float(x->dtype),
			  .exclusive = p->param[EXCLUSIVE] != 0, .reverse = p->param[REVERSE] != 0,
			  .bits = (unsigned)dtype_info(x->dtype)->bits};
	(void)work;
	if (from == to)
		return;
	l.start = start_of(l.by, l.dtype);
	if (strips == 1 && n <= TILE / inner) {
		l.n = inner;
		run_short(p, &l, n * inner, from, to);
		return;
	}
	for (int64_t unit = from; unit < to; unit++) {
		int64_t outer = unit / strips, first = unit % strips * LINES;
		l.n = inner - first < LINES ? inner - first : LINES;
		run_long(p, &l, outer * n * inner + first, inner, n);
	}
}
