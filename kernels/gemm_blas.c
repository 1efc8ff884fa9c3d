/* SPDX-License-Identifier: Apache-2.0
 *
 * The f32 matrix product by OpenBLAS. An operand whose rows or columns are adjacent goes as
 * it is, with a flag for transposed; any other is copied through `work`, a block at a time.
 * The order of sums is OpenBLAS's own. The number of its threads is the caller's business.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include <cblas.h>
#include <limits.h>
#include <string.h>

#include "kernels/gemm_blocks.h"
#include "kernels/impls.h"

/* Blocks while an operand is copied: both copies fit into work. */
#define SIDE 512
#define STEPS 256
#define MOST ((size_t)1 << 30)
_Static_assert(2 * SIDE * STEPS * sizeof(float) <= GEMM_WORK_OPENBLAS, "copies fit");

/* How OpenBLAS is to read an operand of rows x columns. */
struct operand {
	const float *at;
	ptrdiff_t row, col;
	int copied;
};

static int leads(ptrdiff_t one, ptrdiff_t lead, size_t across, size_t along)
{
	return (one == 1 || across <= 1) && lead <= INT_MAX &&
	       (lead >= (ptrdiff_t)across || along <= 1);
}

static int usable(const struct operand *x, size_t rows, size_t columns)
{
	return leads(x->col, x->row, columns, rows) || leads(x->row, x->col, rows, columns);
}

/* The block at (i, j) of rows x columns as OpenBLAS takes it, copied if it must be. */
static const float *view(const struct operand *x, size_t i, size_t j, size_t rows, size_t columns,
			 float *copy, enum CBLAS_TRANSPOSE *flag, blasint *lead)
{
	const float *at = x->at + (ptrdiff_t)i * x->row + (ptrdiff_t)j * x->col;
	size_t least = 1;
	*flag = CblasNoTrans;
	if (x->copied) {
		for (size_t r = 0; r < rows; r++)
			for (size_t q = 0; q < columns; q++)
				copy[r * columns + q] =
					at[(ptrdiff_t)r * x->row + (ptrdiff_t)q * x->col];
		*lead = (blasint)columns;
		return copy;
	}
	if (leads(x->col, x->row, columns, rows)) {
		least = columns > least ? columns : least;
		*lead = rows <= 1 ? (blasint)least : (blasint)x->row;
	} else {
		*flag = CblasTrans;
		least = rows > least ? rows : least;
		*lead = columns <= 1 ? (blasint)least : (blasint)x->col;
	}
	return at;
}

void gemm_f32_openblas(float *c, ptrdiff_t c_row, const void *left_at, ptrdiff_t a_row,
		       ptrdiff_t a_col, const void *right_at, ptrdiff_t b_row, ptrdiff_t b_col,
		       size_t m, size_t n, size_t k, void *work)
{
	const float *a = left_at, *b = right_at;
	if (c_row < 0 && m > 1) { /* from the last row up */
		c += (ptrdiff_t)(m - 1) * c_row;
		a += (ptrdiff_t)(m - 1) * a_row;
		c_row = -c_row;
		a_row = -a_row;
	}
	struct operand left = {a, a_row, a_col, 0}, right = {b, b_row, b_col, 0};
	left.copied = !usable(&left, m, k);
	right.copied = !usable(&right, k, n);
	int copied = left.copied || right.copied;
	size_t mb = c_row > INT_MAX ? 1 : copied ? SIDE : MOST;
	size_t nb = copied ? SIDE : MOST, kb = copied ? STEPS : MOST;
	for (size_t i = 0; k == 0 && i < m; i++)
		memset(c + (ptrdiff_t)i * c_row, 0, n * sizeof *c);
	for (size_t j = 0; j < n; j += nb)
		for (size_t p = 0; p < k; p += kb)
			for (size_t i = 0; i < m; i += mb) {
				size_t cols = n - j < nb ? n - j : nb;
				size_t steps = k - p < kb ? k - p : kb;
				size_t rows = m - i < mb ? m - i : mb;
				enum CBLAS_TRANSPOSE ta, tb;
				blasint lda, ldb;
				const float *pa = view(&left, i, p, rows, steps, work, &ta, &lda);
				const float *pb = view(&right, p, j, steps, cols,
						       (float *)work + SIDE * STEPS, &tb, &ldb);
				cblas_sgemm(CblasRowMajor, ta, tb, (blasint)rows, (blasint)cols,
					    (blasint)steps, 1, pa, lda, pb, ldb, p != 0,
					    c + (ptrdiff_t)i * c_row + j,
					    rows <= 1 ? (blasint)cols : (blasint)c_row);
			}
}
