/* SPDX-License-Identifier: Apache-2.0
 *
 * Cholesky decomposition, row by row (Cholesky-Banachiewicz), and solving with a triangular
 * matrix by substitution; Golub and Van Loan, Matrix Computations, 3.1 and 4.2. In double
 * whatever the type, rounded once at the end.
 */
#include <math.h>
#include <string.h>

#include "kernels/plain.h"

static bool is_matrices(const struct plain_array *a)
{
	return dtype_is_float(a->dtype) && a->rank >= 2 &&
	       a->extent[a->rank - 1] == a->extent[a->rank - 2];
}

/* ---- cholesky: a unit is a matrix ---- */

bool plain_cholesky_holds(const struct plain *p)
{
	return is_matrices(&p->x[0]) && p->x[0].dtype == p->y[0].dtype &&
	       plain_same_extents(&p->x[0], &p->y[0]);
}

struct plain_plan plain_cholesky_plan(const struct plain *p)
{
	const struct plain_array *x = &p->x[0];
	size_t n = (size_t)x->extent[x->rank - 1];
	return (struct plain_plan){x->count > 0 ? plain_count(x, 0, x->rank - 2) : 0,
				   (int64_t)(n < 1024 ? n * n * n : n * n) + 1,
				   plain_bytes(plain_bytes(n, n), sizeof(double))};
}

/* Eight sums side by side, in an order that depends on n alone. */
static double dot(const double *a, const double *b, int64_t n)
{
	double s[8] = {0}, sum = 0;
	int64_t i = 0;
	for (; i + 8 <= n; i += 8)
		for (int k = 0; k < 8; k++)
			s[k] += a[i + k] * b[i + k];
	for (int k = 0; k < 8; k++)
		sum += s[k];
	for (; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/* l, row-major, has the lower triangle of a matrix and becomes its factor's. */
static void factor(double *l, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		double *row = l + i * n;
		for (int64_t k = 0; k < i; k++)
			row[k] = (row[k] - dot(row, l + k * n, k)) / l[k * n + k];
		double square = row[i] - dot(row, row, i);
		row[i] = square > 0 ? sqrt(square) : (double)NAN;
	}
}

void plain_cholesky_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	const struct plain_array *x = &p->x[0];
	int64_t n = x->extent[x->rank - 1];
	bool lower = p->param[0] != 0;
	double *l = work;
	for (int64_t unit = from; unit < to; unit++) {
		int64_t at = unit * n * n;
		for (int64_t i = 0; i < n; i++)
			plain_load_floats(l + i * n, x, at + (lower ? i * n : i), lower ? 1 : n,
					  i + 1);
		factor(l, n);
		for (int64_t i = 0; i < n; i++) {
			memset(l + i * n + i + 1, 0, (size_t)(n - i - 1) * sizeof *l);
			plain_store_floats(&p->y[0], at + (lower ? i * n : i), lower ? 1 : n,
					   l + i * n, n);
		}
	}
}

/* ---- triangular_solve: a unit is a right side, and some are done together ---- */

enum { LEFT, LOWER, UNIT, TRANSPOSE };
#define SIDES 32

bool plain_triangular_solve_holds(const struct plain *p)
{
	const struct plain_array *a = &p->x[0], *b = &p->x[1], *y = &p->y[0];
	if (!is_matrices(a) || a->dtype != b->dtype || b->dtype != y->dtype ||
	    !plain_same_extents(b, y) || a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank - 2; i++)
		if (a->extent[i] != b->extent[i])
			return false;
	int along = p->param[LEFT] ? 2 : 1;
	return b->extent[b->rank - along] == a->extent[a->rank - 1];
}

/* Right sides of a matrix. */
static int64_t sides_of(const struct plain *p)
{
	const struct plain_array *b = &p->x[1];
	return b->extent[b->rank - (p->param[LEFT] ? 1 : 2)];
}

struct plain_plan plain_triangular_solve_plan(const struct plain *p)
{
	const struct plain_array *b = &p->x[1];
	size_t n = (size_t)p->x[0].extent[b->rank - 1];
	int64_t units = b->count > 0 ? plain_count(b, 0, b->rank - 2) * sides_of(p) : 0;
	return (struct plain_plan){units, (int64_t)(n < 4096 ? n * n : n) + 1,
				   plain_bytes(n, (SIDES + 1) * sizeof(double))};
}

/* A triangle as rows: element k of row i is element at + i * row + k * col of the matrix. */
struct triangle {
	const struct plain_array *a;
	int64_t n, at, row, col;
	bool lower, unit;
};

/* x[i * SIDES + w]: right sides become solutions, row by row from the triangle's corner. */
static void substitute(const struct triangle *t, double *x, double *row)
{
	int64_t n = t->n;
	for (int64_t step = 0; step < n; step++) {
		int64_t i = t->lower ? step : n - 1 - step, first = t->lower ? 0 : i + 1;
		double *y = x + i * SIDES, pivot;
		plain_load_floats(row, t->a, t->at + i * t->row + first * t->col, t->col, step);
		plain_load_floats(&pivot, t->a, t->at + i * (t->row + t->col), 1, 1);
		for (int64_t k = 0; k < step; k++) {
			const double *known = x + (first + k) * SIDES;
			for (int w = 0; w < SIDES; w++)
				y[w] -= row[k] * known[w];
		}
		for (int w = 0; w < SIDES && !t->unit; w++)
			y[w] /= pivot;
	}
}

void plain_triangular_solve_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	const struct plain_array *a = &p->x[0], *b = &p->x[1];
	int64_t n = a->extent[a->rank - 1], sides = sides_of(p);
	bool left = p->param[LEFT] != 0, turned = p->param[TRANSPOSE] != 0;
	/* x op(a) = b is op(a)' x' = b'. */
	bool columns = turned == left;
	struct triangle t = {.a = a, .n = n, .row = columns ? 1 : n, .col = columns ? n : 1,
			     .lower = (p->param[LOWER] != 0) != columns,
			     .unit = p->param[UNIT] != 0};
	double *x = work, *row = x + n * SIDES;
	for (int64_t unit = from, m; unit < to; unit += m) {
		int64_t batch = unit / sides, side = unit % sides;
		int64_t at = batch * n * sides + (left ? side : side * n);
		m = sides - side < to - unit ? sides - side : to - unit;
		m = m < SIDES ? m : SIDES;
		t.at = batch * n * n;
		for (int64_t i = 0; i < n; i++) {
			memset(x + i * SIDES, 0, SIDES * sizeof *x);
			plain_load_floats(x + i * SIDES, b, at + (left ? i * sides : i),
					  left ? 1 : n, m);
		}
		substitute(&t, x, row);
		for (int64_t i = 0; i < n; i++)
			plain_store_floats(&p->y[0], at + (left ? i * sides : i), left ? 1 : n,
					   x + i * SIDES, m);
	}
}
