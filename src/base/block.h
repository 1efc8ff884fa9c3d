/* SPDX-License-Identifier: Apache-2.0
 *
 * Block formats: what block.def says, and what a block holds. Source of the layouts: the Python
 * package gguf, whose numbers are those of the tests.
 */
#ifndef ADZE_BLOCK_H
#define ADZE_BLOCK_H

#include "base/half.h"
#include "base/types.h"

enum block_kind {
	BLOCK_NONE,
#define BLOCK(name, id, gguf, elements, bytes, part, least, most, minimum, packs, doc) BLOCK_##id,
#include "base/block.def"
	BLOCK_COUNT
};

struct block_format {
	const char *name;     /* "q4_0" */
	int gguf;
	int elements, bytes;  /* of one block */
	int part;             /* elements that share a scale: 16 or 32 */
	int least, most;      /* of the integers */
	bool has_min, packs;
	const char *doc;
};

/** Most elements, and parts, of a block. */
enum { BLOCK_ELEMENTS = 256, BLOCK_PARTS = 16 };

/**
 * Element i is scale[i / part] * q[i] - min[i / part] in f32: the product rounded, then the
 * difference. `min` is 0 where the format has none; scales of damaged files may be NaN.
 */
struct block_parts {
	int8_t q[BLOCK_ELEMENTS];
	float scale[BLOCK_PARTS], min[BLOCK_PARTS];
};

/** The row of a format; of BLOCK_NONE an empty one. */
const struct block_format *block_format(enum block_kind b);
/** BLOCK_NONE where there is none. */
enum block_kind block_find(const char *name, size_t len);
static inline bool block_is(int64_t b) { return b > BLOCK_NONE && b < BLOCK_COUNT; }

/** What one block says. `at` has the format's bytes, at any address. */
void block_unpack(enum block_kind b, const void *at, struct block_parts *out);
/** n blocks as f32: their elements one behind the other. */
void block_decode(enum block_kind b, const void *at, size_t n, float *y);
/**
 * n blocks of f32, packed; false where the format cannot be packed here. Of the formats for 32,
 * the bytes that gguf makes; of the others, nearest steps of a plain choice of scales. NaN and
 * infinities give some block.
 */
bool block_pack(enum block_kind b, const float *x, size_t n, void *at);

/** The steps of iq4_nl and iq4_xs; twice those of f4e2m1, and the scale that goes with them. */
extern const int8_t block_steps_iq4[16], block_steps_fp4[16];
static inline float block_scale_mxfp4(uint8_t e)
{
	return bits_float(e < 2 ? 0x00200000u << e : (uint32_t)(e - 1) << 23);
}

/* Tables of the iq formats, as gguf has them: 8 fields of 2 bits, or 4 of 4, the first lowest. */
extern const uint16_t block_grid_iq1_s[2048], block_grid_iq2_xxs[256], block_grid_iq2_xs[512],
	block_grid_iq2_s[1024], block_grid_iq3_xxs[256], block_grid_iq3_s[512];

#endif
