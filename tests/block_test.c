/* SPDX-License-Identifier: Apache-2.0
 *
 * Block formats: every decoder and packer against digests of what the Python package gguf gives
 * (scripts/block_numbers.py); products with weights in every format against sums in double, exact
 * ones and such as round their activations, with the bound that kernels.h states, and the same
 * bits on 1, 2 and 5 threads.
 */
#include "base/block.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/status.h"
#include "tests/api_fixture.h"

/* What block_numbers.py calls so. */
#define BLOCKS 64

static uint64_t mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t digest(uint64_t h, uint32_t word)
{
	return (h ^ word) * 0x100000001b3u;
}
#define DIGEST_START 0xcbf29ce484222325u

static uint64_t digest_values(enum block_kind b)
{
	const struct block_format *f = block_format(b);
	unsigned char at[BLOCKS * 256];
	float y[BLOCKS * BLOCK_ELEMENTS];
	uint64_t state = 1, h = DIGEST_START;
	for (int i = 0; i < BLOCKS * f->bytes; i++)
		at[i] = (unsigned char)(mix(&state) >> 56);
	block_decode(b, at, BLOCKS, y);
	for (int i = 0; i < BLOCKS * f->elements; i++)
		h = digest(h, isnan(y[i]) ? 0x7fc00000 : float_bits(y[i]));
	return h;
}

static uint64_t digest_packed(enum block_kind b)
{
	const struct block_format *f = block_format(b);
	unsigned char at[BLOCKS * 256];
	float x[BLOCKS * 32];
	uint64_t state = 1, h = DIGEST_START;
	for (int i = 0; i < BLOCKS * 32; i++) {
		float v = (float)((int)(mix(&state) >> 40) - (1 << 23));
		x[i] = i / 32 == 2 ? 0 : ldexpf(v, -(18 + i / 32 % 11));
	}
	CHECK(block_pack(b, x, BLOCKS, at));
	for (int i = 0; i < BLOCKS * f->bytes; i++)
		h = digest(h, at[i]);
	return h;
}

TEST(block, numbers)
{
	char path[1024], line[256], name[32], values[32], packed[32], have[32];
	int gguf, elements, bytes, n = 0;
	snprintf(path, sizeof path, "%s/data/blocks.txt", check_source_dir());
	FILE *file = fopen(path, "r");
	CHECK_MSG(file != NULL, "%s", path);
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		CHECK(sscanf(line, "%31s %d %d %d %31s %31s", name, &gguf, &elements, &bytes,
			     values, packed) == 6);
		enum block_kind b = block_find(name, strlen(name));
		const struct block_format *f = block_format(b);
		CHECK_MSG(b != BLOCK_NONE, "%s", name);
		CHECK_MSG(f->gguf == gguf && f->elements == elements && f->bytes == bytes, "%s",
			  name);
		snprintf(have, sizeof have, "%016llx", (unsigned long long)digest_values(b));
		CHECK_MSG(strcmp(have, values) == 0, "%s: values", name);
		if (packed[0] != '-') {
			snprintf(have, sizeof have, "%016llx",
				 (unsigned long long)digest_packed(b));
			CHECK_MSG(strcmp(have, packed) == 0, "%s: packed", name);
		}
		n++;
	}
	CHECK(n == BLOCK_COUNT - 1);
	if (file != NULL)
		fclose(file);
}

TEST(block, table)
{
	struct block_parts p;
	for (int b = BLOCK_NONE + 1; b < BLOCK_COUNT; b++) {
		const struct block_format *f = block_format((enum block_kind)b);
		unsigned char at[256];
		uint64_t state = 5;
		CHECK(f->elements <= BLOCK_ELEMENTS && f->elements / f->part <= BLOCK_PARTS);
		CHECK(f->elements % 32 == 0 && (f->part == 16 || f->part == 32));
		CHECK(!f->has_min || f->least == 0);
		for (int round = 0; round < 200; round++) {
			for (int i = 0; i < f->bytes; i++)
				at[i] = (unsigned char)mix(&state);
			block_unpack((enum block_kind)b, at, &p);
			for (int i = 0; i < f->elements; i++)
				CHECK_MSG(p.q[i] >= f->least && p.q[i] <= f->most, "%s: %d",
					  f->name, p.q[i]);
			for (int i = 0; i < f->elements / f->part; i++)
				CHECK_MSG(f->has_min || p.min[i] == 0, "%s", f->name);
		}
	}
}

/* Packed numbers stand near what they were. */
TEST(block, packs)
{
	static const struct {
		const char *name;
		double error; /* mean, as a share of the mean magnitude */
	} format[] = {{"q4_0", 0.12}, {"q4_1", 0.12}, {"q5_0", 0.06}, {"q5_1", 0.06},
		      {"q8_0", 0.01}, {"q4_k", 0.12}, {"q6_k", 0.03}};
	static float x[2048], y[2048];
	static char at[4096];
	uint64_t seed = check_seed();
	for (size_t k = 0; k < COUNT_OF(format); k++) {
		double error = 0, size = 0;
		for (size_t i = 0; i < COUNT_OF(x); i++)
			x[i] = check_random_float(&seed) * (i / 256 == 3 ? 1e-3f : 1);
		CHECK(adze_block_quantize(format[k].name, x, COUNT_OF(x), at) == ADZE_OK);
		CHECK(adze_block_bytes(format[k].name, COUNT_OF(x)) <= sizeof at);
		CHECK(adze_block_dequantize(format[k].name, at, COUNT_OF(x), y) == ADZE_OK);
		for (size_t i = 0; i < COUNT_OF(x); i++) {
			error += fabs((double)x[i] - (double)y[i]);
			size += fabs((double)x[i]);
		}
		CHECK_MSG(error > 0 && error < format[k].error * size, "%s: %g", format[k].name,
			  error / size);
	}
	CHECK(adze_block_quantize("q2_k", x, 256, at) == ADZE_E_UNSUPPORTED);
	CHECK(adze_block_quantize("q4_0", x, 33, at) == ADZE_E_ARGUMENT);
	CHECK(adze_block_quantize("f32", x, 32, at) == ADZE_E_ARGUMENT);
	CHECK(adze_block_dequantize(NULL, at, 32, x) == ADZE_E_ARGUMENT);
	CHECK(adze_block_bytes("q6_k", 512) == 420 && adze_block_bytes("q6_k", 500) == 0);
	CHECK(adze_block_bytes("q4", 32) == 0 && adze_block_bytes(NULL, 32) == 0);
	x[0] = NAN;
	x[1] = INFINITY;
	for (size_t k = 0; k < COUNT_OF(format); k++)
		CHECK(adze_block_quantize(format[k].name, x, 256, at) == ADZE_OK);
}

/* ---- products ---- */

/* y = x w' of m x k and n x k; or w x', with `across` both of x's axes turned; `more`: relu(y + b).
 * Outer: that many of all of them. */
struct case_ {
	int outer, m, n, k;
	bool quick, turned, across, more;
};

/* A block whose numbers are all small and not all tiny. */
static void random_block(enum block_kind b, unsigned char *at, uint64_t *seed)
{
	const struct block_format *f = block_format(b);
	float y[BLOCK_ELEMENTS], most;
	bool finite;
	do {
		for (int i = 0; i < f->bytes; i++)
			at[i] = (unsigned char)(check_random(seed) >> 20);
		block_decode(b, at, 1, y);
		most = 0;
		finite = true;
		for (int i = 0; i < f->elements; i++) {
			finite = finite && isfinite(y[i]);
			most = fmaxf(most, fabsf(y[i]));
		}
	} while (!finite || most < 1e-3f || most > 100);
}

struct data {
	float *x, *w, *b, *y; /* w: what the blocks stand for */
	unsigned char *blocks;
};

static void make_data(const struct case_ *c, enum block_kind b, struct data *d, uint64_t *seed)
{
	const struct block_format *f = block_format(b);
	size_t nx = (size_t)(c->outer * c->m * c->k), nw = (size_t)(c->outer * c->n * c->k);
	size_t count = nw / (size_t)f->elements;
	d->x = calloc(nx + 1, sizeof *d->x);
	d->w = calloc(nw + 1, sizeof *d->w);
	d->b = calloc((size_t)c->n + 1, sizeof *d->b);
	d->y = calloc((size_t)(c->outer * c->m * c->n) + 1, sizeof *d->y);
	d->blocks = calloc(count + 1, (size_t)f->bytes);
	for (size_t i = 0; i < nx; i++)
		d->x[i] = check_random_float(seed);
	for (int i = 0; i < c->n; i++)
		d->b[i] = check_random_float(seed);
	for (size_t i = 0; i < count; i++)
		random_block(b, d->blocks + i * (size_t)f->bytes, seed);
	block_decode(b, d->blocks, count, d->w);
}

static void free_data(struct data *d)
{
	free(d->x);
	free(d->w);
	free(d->b);
	free(d->y);
	free(d->blocks);
}

static adze_tensor build(adze_graph *g, const struct case_ *c, const char *format,
			 char dims[3][64])
{
	adze_tensor x = adze_input(g, "x", ADZE_F32, dims[0]);
	adze_tensor w = adze_input(g, "w", ADZE_U8, dims[1]);
	adze_tensor v = c->quick ? adze_nn_packed(w, format) : adze_dequantize_blocks(w, format);
	adze_tensor y = c->turned ? adze_dot(v, x, "k") : adze_dot(x, v, "k");
	if (c->turned)
		y = adze_transpose(y, "o m n");
	if (c->more) {
		y = adze_add(y, adze_input(g, "b", ADZE_F32, dims[2]));
		y = adze_relu(y);
	}
	return y;
}

static void run(const struct case_ *c, enum block_kind b, int threads, struct data *d,
		float *result)
{
	const struct block_format *f = block_format(b);
	char dims[3][64];
	struct life l;
	adze_config config;
	adze_graph *g;
	adze_config_init(&config);
	config.cache_dir = NULL;
	config.threads = threads;
	life_begin_with(&l, &config);
	snprintf(dims[0], 64, c->across ? "o=%d k=%d m=%d" : "o=%d m=%d k=%d", c->outer,
		 c->across ? c->k : c->m, c->across ? c->m : c->k);
	snprintf(dims[1], 64, "o=%d n=%d k=%d", c->outer, c->n, c->k / f->elements * f->bytes);
	snprintf(dims[2], 64, "n=%d", c->n);
	OK(&l, adze_graph_create(l.context, "product", &g));
	adze_tensor y = build(g, c, f->name, dims);
	adze_buffer *in[3] = {buffer_of(&l, ADZE_F32, dims[0], d->x),
			      buffer_of(&l, ADZE_U8, dims[1], d->blocks),
			      buffer_of(&l, ADZE_F32, dims[2], d->b)};
	adze_buffer *out = run_once(&l, y, in, c->more ? 3 : 2);
	memcpy(result, adze_buffer_data(out), (size_t)(c->outer * c->m * c->n) * sizeof *result);
	for (int i = 0; i < 3; i++)
		adze_buffer_destroy(in[i]);
	adze_buffer_destroy(out);
	life_end(&l);
}

/* Element (o, i, j) in double, the magnitudes that go into it, and what rounding x may add. */
static double element(const struct case_ *c, const struct data *d, int o, int i, int j,
		      double *size, double *rounding)
{
	const float *w = d->w + (size_t)(o * c->n + j) * (size_t)c->k, *x = d->x;
	double sum = 0;
	*size = *rounding = 0;
	for (int from = 0; from < c->k; from += 32) {
		double most = 0, weights = 0;
		for (int p = from; p < from + 32; p++) {
			int at = c->across ? (o * c->k + p) * c->m + i : (o * c->m + i) * c->k + p;
			sum += (double)x[at] * (double)w[p];
			*size += fabs((double)x[at] * (double)w[p]);
			most = fmax(most, fabs((double)x[at]));
			weights += fabs((double)w[p]);
		}
		*rounding += most / 254 * weights;
	}
	return sum;
}

static void check_case(const struct case_ *c, enum block_kind b, uint64_t *seed)
{
	struct data d;
	make_data(c, b, &d, seed);
	size_t count = (size_t)(c->outer * c->m * c->n);
	float *again = calloc(count + 1, sizeof *again);
	double worst = 0, size, rounding;
	run(c, b, 1, &d, d.y);
	for (int o = 0; o < c->outer; o++)
		for (int i = 0; i < c->m; i++)
			for (int j = 0; j < c->n; j++) {
				double want = element(c, &d, o, i, j, &size, &rounding);
				double may = 1e-5 * size + (c->quick ? rounding * 1.001 : 0);
				double got = d.y[(o * c->m + i) * c->n + j];
				if (c->more)
					want = fmax(want + (double)d.b[j], 0);
				worst = fmax(worst, fabs(got - want) / (may + 1e-30));
				CHECK_MSG(fabs(got - want) <= may + 1e-6,
					  "%s of %d x %d x %d at %d, %d: %g, not %g +- %g",
					  block_format(b)->name, c->m, c->n, c->k, i, j, got, want,
					  may);
			}
	for (int threads = 2; threads <= 5; threads += 3) {
		run(c, b, threads, &d, again);
		CHECK_MSG(memcmp(again, d.y, count * sizeof *again) == 0,
			  "%s of %d x %d x %d: %d threads", block_format(b)->name, c->m, c->n, c->k,
			  threads);
	}
	free(again);
	free_data(&d);
}

static const struct case_ shape[] = {
	{1, 1, 1, 256, false, false, false, false},
	{1, 1, 70, 512, false, false, false, true},
	{1, 5, 33, 256, false, false, false, false},
	{1, 3, 17, 256, false, true, false, true},
	{2, 4, 9, 512, false, false, true, false},
	{1, 19, 100, 768, false, false, false, true},
	{1, 131, 40, 256, false, false, false, false},
};

TEST(block, exact_products)
{
	uint64_t seed = check_seed();
	for (int b = BLOCK_NONE + 1; b < BLOCK_COUNT; b++)
		for (size_t i = 0; i < COUNT_OF(shape); i++)
			if (b == BLOCK_Q4_0 || b == BLOCK_Q6_K || i % 3 == (size_t)b % 3)
				check_case(&shape[i], (enum block_kind)b, &seed);
}

TEST(block, quick_products)
{
	uint64_t seed = check_seed();
	for (int b = BLOCK_NONE + 1; b < BLOCK_COUNT; b++)
		for (size_t i = 0; i < COUNT_OF(shape); i++) {
			struct case_ c = shape[i];
			c.quick = true;
			check_case(&c, (enum block_kind)b, &seed);
		}
}
