/* SPDX-License-Identifier: Apache-2.0
 *
 * Speed of the kernels, row by row of impls.def: time of a call, bytes and operations a second,
 * how many times faster than the family's scalar row; products against OpenBLAS too. One thread.
 */
#include "config.h"

#include "bench/bench.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/dtype.h"
#include "base/status.h"
#include "kernels/kernels.h"

#if HAVE_OPENBLAS
#include <cblas.h>
#endif

#define RUNS 9
#define RUN_NS 100e3
#define BYTES ((size_t)8 << 20)
#define WIDTH 64 /* of heads */

/* One call: what is run, on what, and how much work that is. */
struct job {
	const struct kernel_family *family;
	void (*run)(void);
	void *y, *a, *b, *c, *work;
	size_t m, n, k; /* rows of numbers: n */
	struct window2d window;
	double flops, bytes;
};

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void call_conv(const struct job *j)
{
	const struct window2d *s = &j->window;
	struct conv_part all = {0, s->out_channels, 0, s->out_height, 0, s->out_width};
	struct conv_after after = {0};
	((conv2d_f32_fn *)j->run)(j->y, j->a, j->b, s, &all, j->work, &after);
}

/* Parts of attention: 64 wide, a block of keys. */
static bool call_attend(const struct job *j)
{
	const char *type = j->family->type;
	float *most = j->c, *total = most + 64, *scale = most + 128;
	if (strcmp(type, "attend_pack_fn") == 0)
		((attend_pack_fn *)j->run)(j->y, j->a, WIDTH, 1, ATTEND_KEYS, WIDTH, j->k);
	else if (strcmp(type, "attend_scores_fn") == 0)
		((attend_scores_fn *)j->run)(j->y, j->a, j->b, WIDTH, ATTEND_KEYS, j->m, j->k);
	else if (strcmp(type, "attend_soften_fn") == 0)
		((attend_soften_fn *)j->run)(j->y, j->m, ATTEND_KEYS, 0.125f, most, total, scale);
	else if (strcmp(type, "attend_values_fn") == 0)
		((attend_values_fn *)j->run)(j->y, scale, j->a, j->b,
					     (ptrdiff_t)(ATTEND_KEYS * j->k), ATTEND_KEYS, WIDTH,
					     j->m, j->k);
	else if (strcmp(type, "attend_dots_fn") == 0)
		((attend_dots_fn *)j->run)(j->y, j->a, WIDTH, j->b, WIDTH, j->m, ATTEND_KEYS,
					   WIDTH);
	else if (strcmp(type, "attend_few_fn") == 0)
		((attend_few_fn *)j->run)(j->y, WIDTH, j->a, j->b, WIDTH, j->m, ATTEND_KEYS,
					  WIDTH);
	else
		return false;
	return true;
}

static void call(const struct job *j)
{
	const char *type = j->family->type;
	if (call_attend(j))
		return;
	if (strcmp(type, "ew_fn") == 0)
		((ew_fn *)j->run)(j->y, j->a, j->b, j->c, j->n);
	else if (strcmp(type, "convert_fn") == 0)
		((convert_fn *)j->run)(j->y, j->a, j->n);
	else if (strcmp(type, "fill_fn") == 0)
		((fill_fn *)j->run)(j->y, j->a, j->n);
	else if (strcmp(type, "stream_fn") == 0)
		((stream_fn *)j->run)(j->y, j->a, j->n);
	else if (strcmp(type, "gather_fn") == 0)
		((gather_fn *)j->run)(j->y, j->a, j->n, 3);
	else if (strcmp(type, "reduce_fn") == 0)
		((reduce_fn *)j->run)(j->y, j->a, j->n);
	else if (strcmp(type, "reduce_step_fn") == 0)
		((reduce_step_fn *)j->run)(j->c, j->a, j->n);
	else if (strcmp(type, "softmax_fn") == 0)
		((softmax_fn *)j->run)(j->y, j->a, j->n);
	else if (strcmp(type, "layer_norm_fn") == 0)
		((layer_norm_fn *)j->run)(j->y, j->a, j->b, j->c, j->n, 1e-5);
	else if (strcmp(type, "rms_norm_fn") == 0)
		((rms_norm_fn *)j->run)(j->y, j->a, j->b, j->n, 1e-5);
	else if (strcmp(type, "arg_fn") == 0)
		((arg_fn *)j->run)(j->a, j->n);
	else if (strcmp(type, "gemm_fn") == 0)
		((gemm_fn *)j->run)(j->y, (ptrdiff_t)j->n, j->a, (ptrdiff_t)j->k, 1, j->b,
					(ptrdiff_t)j->n, 1, j->m, j->n, j->k, j->work);
	else if (strcmp(type, "gemm_nt_fn") == 0)
		((gemm_nt_fn *)j->run)(j->y, (ptrdiff_t)j->n, 1, j->a, (ptrdiff_t)j->k, j->b,
				       (ptrdiff_t)j->k, j->m, j->n, j->k);
	else if (strcmp(type, "gemm_nt_int_fn") == 0)
		((gemm_nt_int_fn *)j->run)(j->y, (ptrdiff_t)j->n, 1, j->a, (ptrdiff_t)j->k, j->b,
					   (ptrdiff_t)j->k, j->m, j->n, j->k);
	else if (strcmp(type, "gemv_nn_f32_fn") == 0)
		((gemv_nn_f32_fn *)j->run)(j->y, j->a, j->b, (ptrdiff_t)j->n, j->n, j->k);
	else if (strcmp(type, "conv2d_f32_fn") == 0)
		call_conv(j);
	else
		((pool_f32_fn *)j->run)(j->y, j->a, &j->window, 0, j->window.channels);
}

/* How many calls fill a run; the first warms up. */
static size_t calls_in_run(const struct job *j)
{
	double start = now_ns();
	call(j);
	start = now_ns();
	call(j);
	return 1 + (size_t)(RUN_NS / (now_ns() - start + 20));
}

static double time_run(const struct job *j, size_t calls)
{
	double start = now_ns();
	for (size_t i = 0; i < calls; i++)
		call(j);
	return (now_ns() - start) / (double)calls;
}

/* Medians of two jobs that take turns, so that both see the same machine. */
static void time_pair(const struct job *one, const struct job *other, struct bench_time t[2])
{
	double run[2][RUNS];
	size_t calls[2] = {calls_in_run(one), calls_in_run(other)};
	for (int i = 0; i < RUNS; i++) {
		run[0][i] = time_run(one, calls[0]);
		run[1][i] = time_run(other, calls[1]);
	}
	for (int i = 0; i < 2; i++) {
		qsort(run[i], RUNS, sizeof run[i][0], by_value);
		t[i] = (struct bench_time){run[i][RUNS / 2] * 1e-3,
					   (run[i][RUNS * 3 / 4] - run[i][RUNS / 4]) * 1e-3, RUNS};
	}
}

/* `dtype` values near one, so that no function sees only its corner cases. */
static void fill_values(void *to, size_t bytes, adze_dtype dtype)
{
	size_t n = bytes / dtype_bytes(dtype);
	for (size_t i = 0; i < n; i++)
		if (dtype_is_float(dtype))
			dtype_store_float(dtype, to, i, 0.25 + (double)(i * 37 % 64) / 64);
		else
			dtype_store_int(dtype, to, i, (int64_t)(i % 5 + 1));
}

static adze_dtype operand_type(const char *family)
{
	const char *last = strrchr(family, '_') + 1;
	if (strncmp(family, "convert_", 8) == 0) {
		const char *from = family + 8;
		return dtype_find(from, strcspn(from, "_"));
	}
	adze_dtype dtype = dtype_find(last, strlen(last));
	return dtype != ADZE_DTYPE_COUNT ? dtype : ADZE_U8;
}

/* Products of a few rows: bench_row() takes two sizes. */
static bool is_few(const struct kernel_family *f)
{
	return strncmp(f->type, "gemm_nt_", 8) == 0 || strncmp(f->type, "gemv", 4) == 0;
}

/* m rows and panels of k; rows of pack and of few are as common as any. */
static void shape_of_attend(struct job *j, unsigned isa_mask)
{
	const char *type = j->family->type;
	const struct kernel_impl *tile = kernels_find("attend_scores_f32", isa_mask);
	bool packs = strcmp(type, "attend_pack_fn") == 0;
	bool few = strcmp(type, "attend_few_fn") == 0 || strcmp(type, "attend_dots_fn") == 0;
	j->m = few ? 8 : tile != NULL ? tile->mr : 6;
	j->k = tile != NULL ? tile->nr : 32;
	j->n = (packs ? WIDTH : j->m) * ATTEND_KEYS;
	bool soften = strcmp(type, "attend_soften_fn") == 0;
	j->flops = packs ? 0 : soften ? 20.0 * (double)j->n : 2.0 * (double)j->n * WIDTH;
	j->bytes = packs || soften ? 8.0 * (double)j->n : 0;
}

static void shape_of(struct job *j, size_t side)
{
	const char *type = j->family->type;
	bool conv = strcmp(type, "conv2d_f32_fn") == 0;
	j->n = 2048;
	if (strcmp(type, "gemm_fn") == 0) {
		j->m = j->n = j->k = side;
		j->flops = 2.0 * (double)(side * side) * (double)side;
		j->bytes = 12.0 * (double)(side * side);
	} else if (is_few(j->family)) {
		j->m = strncmp(type, "gemm_nt_", 8) == 0 ? 4 : 1;
		j->n = j->k = side;
		j->flops = 2.0 * (double)(side * side) * (double)j->m;
		j->bytes = (double)(side * side * dtype_bytes(operand_type(j->family->name)));
	} else if (conv || strcmp(type, "pool_f32_fn") == 0) {
		size_t step = conv ? 1 : 2, edge = conv ? 3 : 2;
		j->window = (struct window2d){32, 28, 28, 32, 28 / step, 28 / step, 1,
					      {edge, edge}, {step, step}, {1, 1}, {conv, conv}};
		j->n = 32 * 28 * 28 / step / step;
		j->flops = (double)j->n * (conv ? 2.0 * 32 * 9 : 4.0);
		j->bytes = 4.0 * (double)(j->n + 32 * 28 * 28);
	} else {
		j->flops = j->family->flops * (double)j->n;
		j->bytes = j->family->bytes * (double)j->n;
	}
}

static void print_kernel(const struct kernel_impl *impl, const struct job *j,
			 const struct bench_time t[2])
{
	double ns = t[0].median * 1e3;
	const struct ceilings *most = bench_ceilings(1);
	double work = most->fma > 0 ? j->flops / most->fma : 0;
	double moved = most->l1 > 0 ? j->bytes / most->l1 : 0;
	char parameters[128], extra[256];
	snprintf(parameters, sizeof parameters, "\"kernel\":\"%s\",\"isa\":\"%s\",\"n\":%zu",
		 impl->function, isa_name(impl->isa), j->n);
	snprintf(extra, sizeof extra,
		 "\"gbs\":%.2f,\"gflops\":%.2f,\"share_of_ceiling\":%.3f,"
		 "\"ratio_scalar\":%.2f",
		 j->bytes / ns, j->flops / ns, (work > moved ? work : moved) / ns,
		 t[1].median / t[0].median);
	bench_print("kernel", parameters, &t[0], extra);
}

static void bench_row(const struct kernel_impl *impl, struct job *j)
{
	static const size_t small[] = {128, 0}, square[] = {64, 512, 0};
	bool scalar = impl->isa == ISA_SCALAR;
	const struct kernel_impl *reference = kernels_find(impl->family, 1u << ISA_SCALAR);
	bool attends = strncmp(impl->family, "attend_", 7) == 0;
	const size_t *side = attends || impl->mr || impl->isa == ISA_BLAS ? small : square;
	adze_dtype dtype = operand_type(impl->family);
	void *operand[] = {j->a, j->b, j->c};
	for (size_t i = 0; i < COUNT_OF(operand); i++)
		fill_values(operand[i], BYTES, dtype);
	/* x, and of gemm_f32_f16 and its like the left operand, are f32. */
	if (strcmp(j->family->type, "gemm_nt_fn") == 0)
		fill_values(j->a, BYTES, ADZE_F32);
	else if (strcmp(j->family->type, "gemm_fn") == 0)
		fill_values(j->a, BYTES,
			    dtype_find(impl->family + 5, strcspn(impl->family + 5, "_")));
	if (strncmp(impl->family, "reduce_step", 11) == 0)
		memset(j->c, 0, BYTES);
	for (; *side != 0; side++) {
		struct bench_time t[2];
		if (attends)
			shape_of_attend(j, 1u << impl->isa);
		else
			shape_of(j, *side);
		struct job other = *j;
		j->run = impl->run;
		other.run = reference->run;
		time_pair(j, &other, t);
		t[1] = scalar ? t[0] : t[1];
		print_kernel(impl, j, t);
		if (!is_few(j->family))
			break;
	}
}

#if HAVE_OPENBLAS
/* Own rows against OpenBLAS with one thread, by turns. */
static void bench_products(const struct kernel_impl *impl, size_t n, unsigned mask, struct job *j)
{
	static const size_t side[] = {64, 256, 512, 1024};
	const struct kernel_impl *blas = kernels_find("gemm_f32", 1u << ISA_BLAS);
	int threads = openblas_get_num_threads();
	openblas_set_num_threads(1);
	fill_values(j->a, BYTES, ADZE_F32);
	fill_values(j->b, BYTES, ADZE_F32);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(impl[i].family, "gemm_f32") != 0 || !(mask >> impl[i].isa & 1) ||
		    impl[i].isa == ISA_SCALAR || impl[i].isa == ISA_BLAS ||
		    !bench_wanted(impl[i].function))
			continue;
		for (size_t s = 0; s < COUNT_OF(side); s++) {
			char parameters[128], extra[256];
			struct bench_time t[2];
			shape_of(j, side[s]);
			struct job other = *j;
			j->run = impl[i].run;
			other.run = blas->run;
			time_pair(j, &other, t);
			snprintf(parameters, sizeof parameters,
				 "\"kernel\":\"%s\",\"isa\":\"%s\",\"n\":%zu", impl[i].function,
				 isa_name(impl[i].isa), side[s]);
			double gflops = j->flops / t[0].median * 1e-3;
			double most = bench_ceilings(1)->fma;
			snprintf(extra, sizeof extra,
				 "\"gflops\":%.1f,\"share_of_ceiling\":%.3f,\"ratio\":%.3f",
				 gflops, most > 0 ? gflops / most : 0,
				 t[1].median / t[0].median);
			bench_print("gemm", parameters, &t[0], extra);
			bench_print_peer("gemm", parameters, "openblas", &t[1]);
		}
	}
	openblas_set_num_threads(threads);
}
#endif

static const struct kernel_family *find_family(const char *name)
{
	size_t n;
	const struct kernel_family *f = kernels_families(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(f[i].name, name) == 0)
			return &f[i];
	return NULL;
}

int kernel_bench(void)
{
	unsigned mask = cpu_isa_mask();
	size_t n;
	const struct kernel_impl *impl = kernels_impls(&n);
	struct job j = {0};
	void **place[] = {&j.y, &j.a, &j.b, &j.c, &j.work};
	bool ready = true;
	for (size_t i = 0; i < COUNT_OF(place); i++)
		ready &= (*place[i] = aligned_alloc(64, BYTES)) != NULL;
	if (!ready)
		fputs("adze-bench: no memory for the operands\n", stderr);
	for (size_t i = 0; ready && i < n; i++) {
		if (!(mask >> impl[i].isa & 1) || !bench_wanted(impl[i].function))
			continue;
		j.family = find_family(impl[i].family);
		bench_row(&impl[i], &j);
	}
#if HAVE_OPENBLAS
	j.family = find_family("gemm_f32");
	if (ready)
		bench_products(impl, n, mask, &j);
#endif
	for (size_t i = 0; i < COUNT_OF(place); i++)
		free(*place[i]);
	return !ready;
}
