/* SPDX-License-Identifier: Apache-2.0
 *
 * Matrix products on the CPU device: shapes for each of its kernels and around their limits,
 * each order of axes, f32, 16-bit floats, bytes, and operands that are converted, with and without
 * something behind; against the definition in double, and the same bits on 1, 2 and 5 threads.
 */
#include <math.h>
#include <stdlib.h>

#include "base/dtype.h"
#include "base/status.h"
#include "tests/api_fixture.h"

#define MOST (1 << 19) /* elements of an operand */

struct case_ {
	int m, n, k;
	adze_dtype dtype, x, weight;
	bool x_across, w_across; /* rows lie across the sum */
	bool more;               /* relu(y + bias) */
};

/* As many bits as any type of the test but those of 8 bits holds, so that every operand is exact;
 * product() reads what these have made of it. */
static void fill(adze_dtype dtype, void *to, size_t n, uint64_t *seed)
{
	for (size_t i = 0; i < n; i++)
		if (dtype_is_float(dtype))
			dtype_store_float(dtype, to, i,
					  (double)(check_random(seed) % 255) / 128 - 1);
		else
			dtype_store_int(dtype, to, i, (int64_t)(check_random(seed) % 256) - 128);
}

static adze_tensor build(adze_graph *g, const struct case_ *c, const char *xd, const char *wd)
{
	char dims[64];
	adze_tensor x = adze_input(g, "x", c->x, xd), w = adze_input(g, "w", c->weight, wd);
	adze_tensor y = adze_dot(adze_convert(x, c->dtype), adze_convert(w, c->dtype), "k");
	if (!c->more)
		return y;
	snprintf(dims, sizeof dims, "n=%d", c->n);
	return adze_relu(adze_add(y, adze_input(g, "b", c->dtype, dims)));
}

static void say_dims(char out[64], char name, int rows, int k, bool across)
{
	if (across)
		snprintf(out, 64, "k=%d %c=%d", k, name, rows);
	else
		snprintf(out, 64, "%c=%d k=%d", name, rows, k);
}

static void run(const struct case_ *c, int threads, void *const data[3], char *result)
{
	char dims[3][64];
	struct life l;
	adze_config config;
	adze_graph *g;
	adze_config_init(&config);
	config.cache_dir = NULL;
	config.threads = threads;
	life_begin_with(&l, &config);
	say_dims(dims[0], 'm', c->m, c->k, c->x_across);
	say_dims(dims[1], 'n', c->n, c->k, c->w_across);
	snprintf(dims[2], sizeof dims[2], "n=%d", c->n);
	OK(&l, adze_graph_create(l.context, "product", &g));
	adze_tensor y = build(g, c, dims[0], dims[1]);
	adze_buffer *in[3];
	for (int i = 0; i < 3; i++)
		in[i] = buffer_of(&l, i == 0 ? c->x : i == 1 ? c->weight : c->dtype, dims[i],
				  data[i]);
	adze_buffer *out = run_once(&l, y, in, c->more ? 3 : 2);
	memcpy(result, adze_buffer_data(out), (size_t)(c->m * c->n) * dtype_bytes(c->dtype));
	for (int i = 0; i < 3; i++)
		adze_buffer_destroy(in[i]);
	adze_buffer_destroy(out);
	life_end(&l);
}

static double product(const struct case_ *c, void *const data[3], int i, int j, double *size)
{
	double sum = 0;
	for (int p = 0; p < c->k; p++) {
		size_t x = (size_t)(c->x_across ? p * c->m + i : i * c->k + p);
		size_t w = (size_t)(c->w_across ? p * c->n + j : j * c->k + p);
		double v = dtype_load_float(c->x, data[0], x) *
			   dtype_load_float(c->weight, data[1], w);
		sum += v;
		*size += fabs(v);
	}
	return sum;
}

static void check_case(const struct case_ *c, uint64_t *seed)
{
	static float x[MOST], w[MOST], b[4096];
	static char result[3][1 << 20];
	static const int threads[] = {1, 2, 5};
	void *const data[3] = {x, w, b};
	/* Of a result and of what is between the operations. */
	double unit = c->dtype == ADZE_F16    ? 0x1p-10
		      : c->dtype == ADZE_BF16 ? 0x1p-7
		      : c->dtype == ADZE_F32  ? 0x1p-23
					      : 0;
	CHECK(c->m * c->k <= MOST && c->n * c->k <= MOST && c->n <= 4096);
	size_t count = (size_t)(c->m * c->n), bytes = count * dtype_bytes(c->dtype);
	CHECK(bytes <= sizeof result[0]);
	fill(c->x, x, (size_t)(c->m * c->k), seed);
	fill(c->weight, w, (size_t)(c->n * c->k), seed);
	fill(c->dtype, b, (size_t)c->n, seed);
	for (size_t i = 0; i < COUNT_OF(threads); i++) {
		run(c, threads[i], data, result[i]);
		CHECK_MSG(memcmp(result[i], result[0], bytes) == 0,
			  "%dx%dx%d %s: %d threads give other bits", c->m, c->n, c->k,
			  dtype_info(c->weight)->name, threads[i]);
	}
	for (size_t at = 0; at < count; at += count > 5000 ? 37 : 1) {
		double size = 0, have = dtype_load_float(c->dtype, result[0], at);
		int j = (int)at % c->n;
		double want = product(c, data, (int)at / c->n, j, &size);
		double bias = c->more ? dtype_load_float(c->dtype, b, (size_t)j) : 0;
		double off = (unit > 0 ? 2e-6 : 0) * size + unit * (fabs(want) + fabs(want + bias));
		want = c->more ? fmax(want + bias, 0) : want;
		CHECK_MSG(fabs(have - want) <= off, "%dx%dx%d %s: element %zu is %g, not %g", c->m,
			  c->n, c->k, dtype_info(c->weight)->name, at, have, want);
	}
}

TEST(product, shapes)
{
	static const int shape[][3] = {{1, 1, 1},    {1, 300, 700},  {2, 97, 1030}, {3, 50, 17},
				       {5, 131, 64}, {16, 400, 333}, {33, 65, 520}, {64, 70, 300},
				       {90, 3, 200}, {65, 130, 270}, {200, 210, 90}};
	static const adze_dtype type[][3] = {
		{ADZE_F32, ADZE_F32, ADZE_F32},	   {ADZE_F16, ADZE_F16, ADZE_F16},
		{ADZE_BF16, ADZE_BF16, ADZE_BF16}, {ADZE_F32, ADZE_F32, ADZE_F16},
		{ADZE_F32, ADZE_F32, ADZE_BF16},   {ADZE_F32, ADZE_F16, ADZE_F16},
		{ADZE_F32, ADZE_BF16, ADZE_F32},   {ADZE_I32, ADZE_I8, ADZE_I8},
		{ADZE_I32, ADZE_U8, ADZE_I8},	   {ADZE_I32, ADZE_I8, ADZE_U8},
		{ADZE_F32, ADZE_F32, ADZE_I8},	   {ADZE_BF16, ADZE_BF16, ADZE_F8E4M3FN},
		{ADZE_F16, ADZE_F16, ADZE_F8E5M2},
	};
	uint64_t seed = check_seed();
	for (size_t i = 0; i < COUNT_OF(shape); i++)
		for (size_t t = 0; t < COUNT_OF(type); t++)
			for (int how = 0; how < 4; how++) {
				struct case_ c = {shape[i][0], shape[i][1],  shape[i][2],
						  type[t][0],  type[t][1],   type[t][2],
						  how & 1,     how >> 1,     (i + t) % 2};
				check_case(&c, &seed);
			}
}

/* A row alone comes out as it does among others that share its kernel. */
TEST(product, rows_alone)
{
	static float x[32 * 999], w[50 * 999], b[50];
	static char all[32 * 50 * 4], one[50 * 4];
	uint64_t seed = check_seed();
	fill(ADZE_F32, x, COUNT_OF(x), &seed);
	for (int t = 0; t < 2; t++) {
		struct case_ c = {32, 50, 999, ADZE_F32, ADZE_F32, t ? ADZE_BF16 : ADZE_F32,
				  0,  0,  0};
		fill(c.weight, w, COUNT_OF(w), &seed);
		run(&c, 2, (void *const[]){x, w, b}, all);
		c.m = 1;
		for (int i = 0; i < 32; i += 31) {
			run(&c, 2, (void *const[]){x + i * 999, w, b}, one);
			CHECK_MSG(memcmp(one, all + i * 200, sizeof one) == 0, "row %d", i);
		}
	}
}

/* Weights that a product converts have no place in f32 anywhere. */
TEST(product, weights_as_they_lie)
{
	struct life l;
	adze_graph *g;
	adze_exe *exe;
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "product", &g));
	adze_tensor x = adze_input(g, "x", ADZE_F32, "m=3 k=512");
	adze_tensor w = adze_weight(g, "w", ADZE_BF16, "n=1024 k=512");
	adze_tensor y = adze_dot(adze_exp(x), adze_convert(w, ADZE_F32), "k");
	adze_output(adze_softmax(y, "n"), "y");
	OK(&l, adze_compile(l.device, g, &exe));
	CHECK_MSG(adze_exe_arena_bytes(exe) < (size_t)1024 * 512, "%zu bytes",
		  adze_exe_arena_bytes(exe));
	adze_exe_destroy(exe);
	adze_graph_destroy(g);
	life_end(&l);
}
