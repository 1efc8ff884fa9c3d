/* SPDX-License-Identifier: Apache-2.0
 *
 * Counter-based random bits: Philox4x32 of 10 rounds and Threefry2x32 of 20 rounds, by
 * J. Salmon, M. Moraes, R. Dror and D. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC
 * 2011, sections 3.2 and 3.3; tests hold them to the authors' published answers. A block is a
 * pure function of a key and a counter, so any part of a stream can be made on its own.
 */
#ifndef ADZE_RNG_H
#define ADZE_RNG_H

#include <stdint.h>

/** One block of four words, in place of its counter. The least significant word stands first. */
static inline void rng_philox(uint32_t word[4], const uint32_t key[2])
{
	uint32_t k0 = key[0], k1 = key[1];
	for (int round = 0; round < 10; round++) {
		uint64_t a = (uint64_t)0xd2511f53u * word[0];
		uint64_t b = (uint64_t)0xcd9e8d57u * word[2];
		word[0] = (uint32_t)(b >> 32) ^ word[1] ^ k0;
		word[1] = (uint32_t)b;
		word[2] = (uint32_t)(a >> 32) ^ word[3] ^ k1;
		word[3] = (uint32_t)a;
		k0 += 0x9e3779b9u; /* the golden ratio, and the square root of 3 less 1 */
		k1 += 0xbb67ae85u;
	}
}

static inline uint32_t rng_rotate(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

/** One block of two words, in place of its counter. */
static inline void rng_threefry(uint32_t word[2], const uint32_t key[2])
{
	static const int rotation[8] = {13, 15, 26, 6, 17, 29, 16, 24};
	const uint32_t k[3] = {key[0], key[1], 0x1bd11bdau ^ key[0] ^ key[1]};
	uint32_t x = word[0] + k[0], y = word[1] + k[1];
	for (int round = 0; round < 20; round++) {
		x += y;
		y = rng_rotate(y, rotation[round % 8]) ^ x;
		if (round % 4 == 3) {
			uint32_t n = (uint32_t)round / 4 + 1;
			x += k[n % 3];
			y += k[(n + 1) % 3] + n;
		}
	}
	word[0] = x;
	word[1] = y;
}

/**
 * Block `i` of the stream of a state. Philox: state[0] is the key, the counter is state[1] +
 * 2^64 state[2] + i; four words. Threefry: state[0] is the key, the counter is state[1] + i;
 * two words.
 */
static inline void rng_philox_block(const uint64_t state[3], uint64_t i, uint32_t word[4])
{
	uint64_t low = state[1] + i, high = state[2] + (low < i);
	const uint32_t key[2] = {(uint32_t)state[0], (uint32_t)(state[0] >> 32)};
	word[0] = (uint32_t)low;
	word[1] = (uint32_t)(low >> 32);
	word[2] = (uint32_t)high;
	word[3] = (uint32_t)(high >> 32);
	rng_philox(word, key);
}

static inline void rng_threefry_block(const uint64_t state[2], uint64_t i, uint32_t word[2])
{
	uint64_t count = state[1] + i;
	const uint32_t key[2] = {(uint32_t)state[0], (uint32_t)(state[0] >> 32)};
	word[0] = (uint32_t)count;
	word[1] = (uint32_t)(count >> 32);
	rng_threefry(word, key);
}

#endif
