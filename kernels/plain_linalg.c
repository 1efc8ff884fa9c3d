/* SPDX-License-Identifier: Apache-2.0
 *
 * Cholesky decomposition, row by row (Cholesky-Banachiewicz), and solving with a triangular
 * matrix by substitution; Golub and Van Loan, Matrix Computations, 3.1 and 4.2. In double
 * whatever the type, rounded once at the end.
 */
#include <math.h>
#include <string.h>

#include "kernels/plain_complex.h"

enum { LOWER_ONLY, LEFT = 0, LOWER, UNIT, TRANSPOSE };

/* Right sides that are solved together. */
#define SIDES 32

/* A triangle as rows: element k of row i is element at + i * row + k * col of the matrix. */
struct triangle {
	const struct plain_array *a;
	int64_t n, at, row, col;
	bool lower, unit, adjoint;
};

/* ---- real numbers, then complex ones, in the same words ---- */

#define NAME(word) word##_real
#define NUMBER double
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define MUL(a, b) ((a) * (b))
#define DIV(a, b) ((a) / (b))
#define CONJ(a) (a)
#define RE(a) (a)
#define OF_REAL(a) (a)
#define LOAD plain_load_floats
#define STORE plain_store_floats
#include "kernels/linalg.inc"

#define NAME(word) word##_complex
#define NUMBER struct complex
#define ADD complex_add
#define SUB complex_sub
#define MUL complex_mul
#define DIV complex_div
#define CONJ complex_conj
#define RE(a) (a).re
#define OF_REAL(a) ((struct complex){a, 0})
#define LOAD plain_load_complex
#define STORE plain_store_complex
#include "kernels/linalg.inc"

static bool is_matrices(const struct plain_array *a)
{
	return (dtype_is_float(a->dtype) || dtype_is_complex(a->dtype)) && a->rank >= 2 &&
	       a->extent[a->rank - 1] == a->extent[a->rank - 2];
}

static size_t number_bytes(const struct plain_array *a)
{
	return dtype_is_complex(a->dtype) ? sizeof(struct complex) : sizeof(double);
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
				   plain_bytes(plain_bytes(n, n), number_bytes(x))};
}

void plain_cholesky_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	for (int64_t unit = from; unit < to; unit++)
		if (dtype_is_complex(p->x[0].dtype))
			cholesky_complex(p, unit, work);
		else
			cholesky_real(p, unit, work);
}

/* ---- triangular_solve: a unit is a right side, and some are done together ---- */

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
				   plain_bytes(n, (SIDES + 1) * number_bytes(b))};
}

void plain_triangular_solve_run(const struct plain *p, int64_t from, int64_t to, void *work)
{
	const struct plain_array *a = &p->x[0];
	int64_t n = a->extent[a->rank - 1], sides = sides_of(p);
	bool left = p->param[LEFT] != 0, turned = p->param[TRANSPOSE] != 0;
	/* x op(a) = b is op(a)' x' = b'. */
	bool columns = turned == left;
	struct triangle t = {.a = a, .n = n, .row = columns ? 1 : n, .col = columns ? n : 1,
			     .lower = (p->param[LOWER] != 0) != columns,
			     .unit = p->param[UNIT] != 0, .adjoint = p->param[TRANSPOSE] == 2};
	for (int64_t unit = from, m; unit < to; unit += m) {
		int64_t batch = unit / sides, side = unit % sides;
		int64_t at = batch * n * sides + (left ? side : side * n);
		m = sides - side < to - unit ? sides - side : to - unit;
		m = m < SIDES ? m : SIDES;
		t.at = batch * n * n;
		if (dtype_is_complex(a->dtype))
			solve_complex(p, &t, at, m, work);
		else
			solve_real(p, &t, at, m, work);
	}
}
