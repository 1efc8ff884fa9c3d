/* SPDX-License-Identifier: Apache-2.0
 *
 * Random bits: the published answers of the two generators, and streams that states walk along,
 * by the evaluator and on the CPU device.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "tests/form_case.h"

/* Counter, key and answer: the file kat_vectors that goes with the authors' Random123. */
static const uint32_t philox_answers[3][10] = {
	{0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
	{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
	 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
	{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
	 0x94fdcceb, 0x5001e420, 0x24126ea1}};
static const uint32_t threefry_answers[3][6] = {
	{0, 0, 0, 0, 0x6b200159, 0x99ba4efe},
	{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7},
	{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xc4923a9c, 0x483df7a0}};

TEST(rng, published_answers)
{
	for (int i = 0; i < 3; i++) {
		uint32_t word[4];
		memcpy(word, philox_answers[i], sizeof word);
		rng_philox(word, philox_answers[i] + 4);
		CHECK(memcmp(word, philox_answers[i] + 6, sizeof word) == 0);
		memcpy(word, threefry_answers[i], 8);
		rng_threefry(word, threefry_answers[i] + 2);
		CHECK(memcmp(word, threefry_answers[i] + 4, 8) == 0);
	}
}

/* The first `n` words of the stream of a state, one block after the other. */
static void fill_stream(const uint64_t *state, int64_t words, uint32_t *out, size_t n)
{
	uint32_t block[4];
	size_t size = words == 3 ? 4 : 2;
	for (size_t i = 0; i < n; i++) {
		if (words == 3)
			rng_philox_block(state, i / size, block);
		else
			rng_threefry_block(state, i / size, block);
		out[i] = block[i % size];
	}
}

/* Two draws of a call, and a second call that goes on from the state of the first. */
static void walk(const uint64_t *start, int64_t words)
{
	struct life l;
	adze_graph *g;
	uint32_t want[2 * 24];
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "walk", &g));
	const char *dims = words == 3 ? "3" : "2";
	adze_tensor s = adze_input(g, "s", ADZE_U64, dims), next;
	adze_output(adze_rng_bits(s, ADZE_U32, "a=4 b=4", &next), "bits");
	adze_output(adze_rng_bits(next, ADZE_U16, "9", &next), "more");
	adze_output(next, "next");
	adze_module *m = module_of(&l, g);
	adze_buffer *state = buffer_of(&l, ADZE_U64, dims, start);
	/* 16 words, and 9 halves of words, which take 5 words: blocks are not shared. */
	size_t step = words == 3 ? 24 : 22;
	fill_stream(start, words, want, 2 * step);
	for (int call = 0; call < 2; call++) {
		adze_buffer *y[3] = {NULL, NULL, NULL};
		OK(&l, adze_call(m, &state, 1, y, 3, NULL));
		CHECK(memcmp(adze_buffer_data(y[0]), want + (size_t)call * step, 64) == 0);
		CHECK(memcmp(adze_buffer_data(y[1]), want + (size_t)call * step + 16, 18) == 0);
		adze_buffer_destroy(state);
		adze_buffer_destroy(y[0]);
		adze_buffer_destroy(y[1]);
		state = y[2];
	}
	adze_buffer_destroy(state);
	adze_module_destroy(m);
	adze_graph_destroy(g);
	life_end(&l);
}

TEST(rng, states_walk_along_the_stream)
{
	walk((const uint64_t[3]){0x0123456789abcdef, 5, 7}, 3);
	walk((const uint64_t[3]){42, UINT64_MAX - 4, 1}, 3); /* the counter's low word turns */
	walk((const uint64_t[2]){0xfedcba9876543210, UINT64_MAX - 9}, 2);
}

TEST(rng, refusals)
{
	struct life l;
	adze_graph *g;
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "bad", &g));
	adze_tensor s = adze_input(g, "s", ADZE_U64, "4"), next = s;
	CHECK(!adze_is(adze_rng_bits(s, ADZE_U32, "2", &next)) && !adze_is(next));
	CHECK_MSG(strstr(adze_graph_words(g), "rng_test.c") != NULL &&
			  strstr(adze_graph_words(g), "u64[4]: a state is u64[3]") != NULL,
		  "%s", adze_graph_words(g));
	adze_graph_destroy(g);
	life_end(&l);
}

/* ---- samples ---- */

#define MANY 4096

struct draws {
	struct life life;
	adze_graph *graph;
	adze_buffer *y[16];
};

static const uint64_t seed[3] = {0x243f6a8885a308d3, 99, 0};

static adze_tensor begin_draws(struct draws *d)
{
	life_begin(&d->life);
	OK(&d->life, adze_graph_create(d->life.context, "draws", &d->graph));
	memset(d->y, 0, sizeof d->y);
	return adze_input(d->graph, "s", ADZE_U64, "3");
}

static void run_draws(struct draws *d, size_t n)
{
	adze_buffer *state = buffer_of(&d->life, ADZE_U64, "3", seed);
	CHECK_MSG(adze_graph_status(d->graph) == ADZE_OK, "%s", adze_graph_words(d->graph));
	adze_module *m = module_of(&d->life, d->graph);
	OK(&d->life, adze_call(m, &state, 1, d->y, n, NULL));
	adze_buffer_destroy(state);
	adze_module_destroy(m);
}

static void end_draws(struct draws *d)
{
	for (size_t i = 0; i < COUNT_OF(d->y); i++)
		adze_buffer_destroy(d->y[i]);
	adze_graph_destroy(d->graph);
	life_end(&d->life);
}

/* Mean and variance are those of the distribution, to four times what chance does to them. */
static void check_moments(const char *name, const float *v, double mean, double variance)
{
	double sum = 0, squares = 0;
	for (int i = 0; i < MANY; i++)
		sum += (double)v[i];
	for (int i = 0; i < MANY; i++)
		squares += ((double)v[i] - mean) * ((double)v[i] - mean);
	CHECK_MSG(fabs(sum / MANY - mean) < 4 * sqrt(variance / MANY), "%s: mean %g", name,
		  sum / MANY);
	CHECK_MSG(fabs(squares / MANY / variance - 1) < 0.2, "%s: variance %g", name,
		  squares / MANY);
}

/* Each sample goes back to its bits through the distribution. */
TEST(rng, samples_are_those_of_their_bits)
{
	struct draws d;
	adze_tensor s = begin_draws(&d), next[6];
	adze_output(adze_rng_bits(s, ADZE_U32, "4096", NULL), "bits");
	adze_output(adze_uniform(s, ADZE_F32, "n=4096", -2, 3, &next[0]), "uniform");
	adze_output(adze_normal(s, ADZE_F32, "n=4096", 1, 2, &next[1]), "normal");
	adze_output(adze_exponential(s, ADZE_F32, "4096", 0.5, &next[2]), "exponential");
	adze_output(adze_gumbel(s, ADZE_F32, "4096", &next[3]), "gumbel");
	adze_output(adze_truncated_normal(s, ADZE_F32, "4096", -1, 2, &next[4]), "truncated");
	adze_output(next[4], "next");
	CHECK(next[0].id == next[1].id && next[2].id == next[3].id && next[3].id == next[4].id);
	run_draws(&d, 7);
	const uint32_t *bits = adze_buffer_data(d.y[0]);
	const float *u = adze_buffer_data(d.y[1]), *z = adze_buffer_data(d.y[2]);
	const float *e = adze_buffer_data(d.y[3]), *g = adze_buffer_data(d.y[4]);
	const float *t = adze_buffer_data(d.y[5]);
	const uint64_t *after = adze_buffer_data(d.y[6]);
	for (int i = 0; i < MANY; i++) {
		double closed = (bits[i] >> 8) * 0x1p-24, open = ((bits[i] >> 9) + 0.5) * 0x1p-23;
		CHECK(fabs((double)u[i] - (closed * 5 - 2)) < 1e-6);
		CHECK(fabs(erf(((double)z[i] - 1) / 2 / sqrt(2)) - (2 * open - 1)) < 1e-6);
		CHECK(fabs(exp(-0.5 * (double)e[i]) - (1 - closed)) < 1e-6);
		CHECK(fabs(exp(-exp(-(double)g[i])) - open) < 1e-6);
		double from = erf(-1 / sqrt(2)), to = erf(2 / sqrt(2));
		CHECK(fabs(erf((double)t[i] / sqrt(2)) - (from + closed * (to - from))) < 1e-6);
	}
	check_moments("uniform", u, 0.5, 25.0 / 12);
	check_moments("normal", z, 1, 4);
	check_moments("exponential", e, 2, 4);
	check_moments("gumbel", g, 0.57721566490153286, 1.6449340668482264);
	CHECK(after[0] == seed[0] && after[1] == seed[1] + MANY / 4 && after[2] == 0);
	end_draws(&d);
}

TEST(rng, samples_of_whole_numbers)
{
	struct draws d;
	adze_tensor s = begin_draws(&d);
	const float weight[3] = {0, 1, 2};
	adze_shape three = {0};
	OK(&d.life, adze_shape_parse(ADZE_F32, "3", &three));
	adze_tensor logits = adze_broadcast(adze_constant(d.graph, &three, weight), "4096 3");
	adze_tensor half = adze_full(d.graph, ADZE_F16, "4096", 0.25), one = adze_ones_like(half);
	adze_output(adze_randint(s, ADZE_I8, "4096", -3, 4, NULL), "small");
	adze_output(adze_randint(s, ADZE_I64, "4096", INT64_MIN, INT64_MAX, NULL), "large");
	adze_output(adze_bernoulli(s, half, NULL), "quarter");
	adze_output(adze_bernoulli(s, one, NULL), "always");
	adze_output(adze_dropout(s, one, 0.25, NULL), "dropout");
	adze_output(adze_categorical(s, logits, "1", NULL), "category");
	adze_output(adze_uniform(s, ADZE_F64, "4096", 0, 1, NULL), "wide");
	run_draws(&d, 7);
	const int8_t *small = adze_buffer_data(d.y[0]);
	const int64_t *large = adze_buffer_data(d.y[1]);
	const uint8_t *quarter = adze_buffer_data(d.y[2]), *always = adze_buffer_data(d.y[3]);
	const uint16_t *dropped = adze_buffer_data(d.y[4]);
	const int32_t *category = adze_buffer_data(d.y[5]);
	const double *wide = adze_buffer_data(d.y[6]);
	int of[7] = {0}, negative = 0, yes = 0, zeros = 0, kind[3] = {0};
	for (int i = 0; i < MANY; i++) {
		CHECK(small[i] >= -3 && small[i] < 4 && always[i] == 1);
		CHECK(category[i] >= 0 && category[i] < 3);
		CHECK(dropped[i] == 0 || dropped[i] == 0x3d55); /* 4/3 */
		CHECK(wide[i] >= 0 && wide[i] < 1);
		of[small[i] + 3]++;
		negative += large[i] < 0;
		yes += quarter[i];
		zeros += dropped[i] == 0;
		kind[category[i]]++;
	}
	double sum = 1 + exp(1) + exp(2);
	for (int i = 0; i < 7; i++)
		CHECK_MSG(abs(of[i] - MANY / 7) < 100, "%d of %d", of[i], i - 3);
	CHECK_MSG(abs(negative - MANY / 2) < 130, "%d", negative);
	CHECK_MSG(abs(yes - MANY / 4) < 120 && yes == zeros, "%d, %d", yes, zeros);
	for (int i = 0; i < 3; i++)
		CHECK_MSG(fabs(kind[i] - MANY * exp(i) / sum) < 130, "%d of %d", kind[i], i);
	end_draws(&d);
}

TEST(rng, samples_refused)
{
	struct life l;
	adze_tensor next;
	life_begin(&l);
#define S(name) adze_tensor name = adze_input(g, #name, ADZE_U64, "3")
	REFUSED(S(s), adze_uniform(s, ADZE_I32, "4", 0, 1, &next), ADZE_E_TYPE, "uniform",
		"floats");
	REFUSED(S(s), adze_normal(s, ADZE_F32, "4 =", 0, 1, &next), ADZE_E_SYNTAX, "normal", "=");
	REFUSED(S(s), adze_truncated_normal(s, ADZE_F32, "4", 1, 1, &next), ADZE_E_ARGUMENT,
		"truncated_normal", "not below");
	REFUSED(S(s), adze_randint(s, ADZE_F32, "4", 0, 1, &next), ADZE_E_TYPE, "randint",
		"integers");
	REFUSED(S(s), adze_randint(s, ADZE_I32, "4", 1, 1, &next), ADZE_E_ARGUMENT, "randint",
		"no number");
	REFUSED(S(s); I(p, "4"), adze_bernoulli(s, p, &next), ADZE_E_TYPE, "bernoulli", "floats");
	REFUSED(S(s); X(x, "4"), adze_dropout(s, x, 1, &next), ADZE_E_ARGUMENT, "dropout",
		"chance");
	REFUSED(S(s); X(x, "4"), adze_categorical(s, x, "1", &next), ADZE_E_TYPE, "categorical",
		"no axis '1'");
	REFUSED(X(s, "3"), adze_gumbel(s, ADZE_F32, "4", &next), ADZE_E_TYPE, "gumbel",
		"a state is");
	REFUSED(X(s, "3"), adze_exponential(s, ADZE_F32, "4", 1, &next), ADZE_E_TYPE, "exponential",
		"a state is");
	CHECK(!adze_is(next));
	life_end(&l);
}
