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
	bool fine = op_case_run_all(evaluate, NULL, &nrun, message, sizeof message);
	CHECK_MSG(fine, "%s", message);
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
