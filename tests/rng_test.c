/* SPDX-License-Identifier: Apache-2.0
 *
 * Random bits: the published answers of the two generators, and streams that states walk along,
 * by the evaluator and on the CPU device.
 */
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
