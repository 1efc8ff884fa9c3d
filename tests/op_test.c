/* SPDX-License-Identifier: Apache-2.0
 *
 * The reference evaluator against numbers that were worked out independently, and the
 * comparing itself.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tests/check.h"
#include "tests/compare.h"
#include "tests/op_case.h"

static adze_status evaluate(void *self, const struct op_case *c, struct diag *d)
{
	(void)self;
	return ir_eval(c->graph, c->symbol, c->inputs, NULL, c->outputs, d);
}

TEST(op, numbers)
{
	char message[4096] = "";
	size_t nrun;
	bool fine = op_case_run_all(NULL, evaluate, NULL, &nrun, message, sizeof message);
	CHECK_MSG(fine, "%s", message);
}

/* Operations that need no numbers of their own for some element types, and why. */
static const struct {
	enum ir_op op;
	adze_dtype from, to; /* the types that are left out, in the order of dtype.def */
	const char *why;
} no_numbers[] = {
	{OP_WEIGHT, 0, ADZE_DTYPE_COUNT, "a case has no weights; bound as an input is"},
	{OP_DEQUANTIZE_BLOCKS, 0, ADZE_DTYPE_COUNT, "block_test has the numbers of each format"},
	{OP_PREPARED, 0, ADZE_DTYPE_COUNT, "a case has no weights; prepare_test"},
	{OP_PART, 0, ADZE_U4, "a pack is u8"},
	{OP_PART, ADZE_U16, ADZE_DTYPE_COUNT, "a pack is u8"},
	{OP_RNG_PHILOX, 0, ADZE_DTYPE_COUNT, "rng_test has its authors' numbers"},
	{OP_RNG_THREEFRY, 0, ADZE_DTYPE_COUNT, "rng_test has its authors' numbers"},
	{OP_ATTENTION, 0, ADZE_BF16, "f32 alone"},
	{OP_ATTENTION, ADZE_F64, ADZE_F64, "f32 alone"},
	{OP_COMPLEX, 0, ADZE_BF16, "parts are f32 or f64"},
	{OP_FFT, 0, ADZE_BF16, "parts are f32 or f64"},
	{OP_IMAG, ADZE_F8E8M0FNU, ADZE_F8E8M0FNU, "it has no 0"},
	{OP_SELECT_AND_SCATTER, ADZE_F8E8M0FNU, ADZE_F8E8M0FNU, "it has no 0 to begin with"},
	{OP_SELECT_AND_SCATTER, ADZE_BOOL, ADZE_BOOL, "nothing to select by"},
	{OP_SELECT_AND_SCATTER, ADZE_C64, ADZE_C128, "nothing to select by"},
	{OP_IF, 0, ADZE_DTYPE_COUNT, "bodies are operations; region_test"},
	{OP_CASE, 0, ADZE_DTYPE_COUNT, "bodies are operations; region_test"},
	{OP_WHILE, 0, ADZE_DTYPE_COUNT, "bodies are operations; region_test"},
	{OP_SCAN, 0, ADZE_DTYPE_COUNT, "bodies are operations; region_test"},
};

typedef bool seen_table[OP_COUNT][ADZE_DTYPE_COUNT];

/* Notes which operations a case has, by the type that the column `takes` speaks of. */
static adze_status note(void *self, const struct op_case *c, struct diag *d)
{
	seen_table *seen = self;
	const adze_graph *g = c->graph;
	(void)d;
	for (ir_val v = 1; v < g->nnode; v++) {
		const struct ir_node *n = ir_get(g, v);
		ir_val x = n->narg > 0 ? ir_arg(g, v, n->op == OP_SELECT) : v;
		(*seen)[n->op][ir_type(g, x)->dtype] = true;
	}
	op_case_take_want(c);
	return ADZE_OK;
}

static bool needs_numbers(enum ir_op op, adze_dtype dtype)
{
	bool needs = dtype_taken(dtype, op_info(op)->takes);
	for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++)
		needs &= no_numbers[i].op != op || dtype < no_numbers[i].from ||
			 dtype > no_numbers[i].to;
	return needs;
}

TEST(op, every_operation_and_type_has_numbers)
{
	static seen_table seen;
	char message[4096] = "";
	size_t nrun, n = 0, missing = 0;
	CHECK_MSG(op_case_run_all(NULL, note, &seen, &nrun, message, sizeof message), "%s",
		  message);
	for (int op = OP_NONE + 1; op < OP_COUNT; op++)
		for (int t = 0; t < ADZE_DTYPE_COUNT; t++) {
			if (!needs_numbers((enum ir_op)op, (adze_dtype)t) || seen[op][t])
				continue;
			missing++;
			if (n < sizeof message)
				n += (size_t)snprintf(message + n, sizeof message - n, " %s:%s",
						      op_info((enum ir_op)op)->name,
						      dtype_info((adze_dtype)t)->name);
		}
	CHECK_MSG(missing == 0, "%zu have no numbers (make_jax_numbers.py, or a row here):%s",
		  missing, message);
}

static bool agree(const char *tolerance, float got, float want)
{
	char words[400];
	return compare_tensors(ADZE_F32, &got, &want, 1, tolerance, words, sizeof words);
}

TEST(compare, exact)
{
	CHECK(agree("exact", 1, 1));
	CHECK(agree("exact", NAN, -NAN));
	CHECK(!agree("exact", 0.0f, -0.0f));
	CHECK(!agree("exact", 1, nextafterf(1, 2)));
	CHECK(!agree("exact", NAN, 1));
}

TEST(compare, ulp)
{
	CHECK(agree("ulp:1", 1, nextafterf(1, 2)));
	CHECK(agree("ulp:0", 0.0f, -0.0f));
	CHECK(agree("ulp:2", nextafterf(0, 1), nextafterf(0, -1)));
	CHECK(!agree("ulp:1", nextafterf(0, 1), nextafterf(0, -1)));
	CHECK(!agree("ulp:1", 1, nextafterf(nextafterf(1, 2), 2)));
	CHECK(!agree("ulp:4", INFINITY, 3.4028235e38f));
	CHECK(!agree("ulp:4", NAN, 1));
}

TEST(compare, relative)
{
	CHECK(agree("rel:1e-3", 1000.9f, 1000));
	CHECK(!agree("rel:1e-3", 1002, 1000));
	CHECK(agree("rel:1e-3 abs:2", 1002, 1000));
	CHECK(agree("abs:0.5", -0.5f, 0));
	CHECK(!agree("abs:0.5", -0.6f, 0));
	CHECK(!agree("rel:1 abs:1", INFINITY, 1));
	CHECK(!agree("rel:1 abs:1", 1, INFINITY));
	CHECK(!agree("rel:1 abs:1", INFINITY, -INFINITY));
	CHECK(agree("rel:0 abs:0", INFINITY, INFINITY));
}

TEST(compare, words)
{
	char words[400];
	int16_t got[5] = {1, 2, 3, 4, 5}, want[5] = {1, 2, 9, 4, 6};
	CHECK(!compare_tensors(ADZE_I16, got, want, 5, "rel:1 abs:100", words, sizeof words));
	CHECK_MSG(strstr(words, "2 of 5 i16") != NULL, "%s", words);
	CHECK_MSG(strstr(words, "element 2: got 3") != NULL, "%s", words);
	CHECK(compare_tensors(ADZE_I16, got, want, 2, "exact", words, sizeof words));
	CHECK(!agree("ulp", 1, 1));
	CHECK(!agree("about right", 1, 1));
	CHECK(!agree("rel:1e-3 x", 1, 1));
	uint16_t half[2] = {0x3c00, 0x3c01};
	CHECK(compare_tensors(ADZE_F16, &half[0], &half[1], 1, "ulp:1", words, sizeof words));
	CHECK(!compare_tensors(ADZE_F16, &half[0], &half[1], 1, "ulp:0", words, sizeof words));
}
