/* SPDX-License-Identifier: Apache-2.0
 *
 * What the machine can do at most: fused multiply-adds of f32, sums of products of int8, and
 * reading memory, in one stream or in 8 neighbouring rows. The best of several runs, since a
 * ceiling is what can be reached at all.
 */
#include "config.h"

#include "bench/bench.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

enum { RUNS = 25, STEPS = 20000, CHAINS = 12, ROWS = 8, MOST_THREADS = 64 };
#define READ_BYTES ((size_t)256 << 20)
#define ROW_BYTES 8192

struct probe {
	double (*run)(const struct probe *p); /* work done in one run */
	const char *at;                       /* what is read */
	size_t bytes;
	pthread_barrier_t *start;
	double rate; /* best, work a nanosecond */
};

static double now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Keeps the compiler from seeing through a value. */
#define HIDE(x) __asm__ volatile("" : "+v"(x))

#if defined(__x86_64__)
#define PROBE(name, set, type, zero, step, last, ops)                                     \
	__attribute__((target(set))) static double name(const struct probe *p)            \
	{                                                                                 \
		type s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero;    \
		type s6 = zero, s7 = zero, s8 = zero, s9 = zero, sa = zero, sb = zero;    \
		type x = zero, y = zero;                                                  \
		(void)p;                                                                  \
		HIDE(x);                                                                  \
		HIDE(y);                                                                  \
		for (int i = 0; i < STEPS; i++) {                                         \
			step(s0) step(s1) step(s2) step(s3) step(s4) step(s5) step(s6)    \
			step(s7) step(s8) step(s9) step(sa) step(sb)                      \
		}                                                                         \
		return (double)STEPS * CHAINS * ops;                                      \
	}
#define FMA8(s) s = _mm256_fmadd_ps(x, y, s); HIDE(s);
#define FMA16(s) s = _mm512_fmadd_ps(x, y, s); HIDE(s);
#define DOT64(s) s = _mm512_dpbusd_epi32(s, x, y); HIDE(s);
#define DOT32(s) s = _mm256_add_epi32(s, _mm256_madd_epi16(x, y)); HIDE(s);
PROBE(fma_avx2, "avx2,fma", __m256, _mm256_setzero_ps(), FMA8, , 16)
PROBE(fma_avx512, "avx512f", __m512, _mm512_setzero_ps(), FMA16, , 32)
PROBE(dot_avx2, "avx2", __m256i, _mm256_setzero_si256(), DOT32, , 32)
PROBE(dot_vnni, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(), DOT64, , 128)

/* A line of each of some neighbouring rows in turn. */
__attribute__((target("avx2"), always_inline)) static inline double read_some(const struct probe *p,
									      size_t rows)
{
	__m256i sum = _mm256_setzero_si256();
	for (size_t o = 0; o + rows * ROW_BYTES <= p->bytes; o += rows * ROW_BYTES)
		for (size_t i = 0; i < ROW_BYTES; i += 64)
			for (size_t r = 0; r < rows; r++) {
				const char *at = p->at + o + r * ROW_BYTES + i;
				__m256i a = _mm256_load_si256((const __m256i *)at);
				__m256i b = _mm256_load_si256((const __m256i *)(at + 32));
				sum = _mm256_xor_si256(sum, _mm256_xor_si256(a, b));
			}
	HIDE(sum);
	return (double)p->bytes;
}

__attribute__((target("avx2"))) static double read_rows(const struct probe *p)
{
	return read_some(p, ROWS);
}

__attribute__((target("avx2"))) static double read_stream(const struct probe *p)
{
	return read_some(p, 1);
}
#endif

static void *run_probe(void *self)
{
	struct probe *p = self;
	for (int i = 0; i < RUNS; i++) {
		pthread_barrier_wait(p->start);
		double start = now_ns(), work = p->run(p), rate = work / (now_ns() - start);
		p->rate = rate > p->rate ? rate : p->rate;
	}
	return NULL;
}

/* Work a nanosecond of all threads together; 0 where it cannot be measured. */
static double measure(double (*run)(const struct probe *p), const char *at, int threads)
{
	struct probe probe[MOST_THREADS] = {{0}};
	pthread_t thread[MOST_THREADS];
	pthread_barrier_t start;
	double rate = 0;
	int n = 0;
	if (run == NULL || threads > MOST_THREADS ||
	    pthread_barrier_init(&start, NULL, (unsigned)threads) != 0)
		return 0;
	for (; n < threads; n++) {
		size_t each = READ_BYTES / (size_t)threads / (ROWS * ROW_BYTES) * ROWS * ROW_BYTES;
		probe[n] = (struct probe){run, at + (size_t)n * each, each, &start, 0};
		if (n > 0 && pthread_create(&thread[n], NULL, run_probe, &probe[n]) != 0) {
			fputs("adze-bench: no thread\n", stderr);
			exit(1);
		}
	}
	run_probe(&probe[0]);
	for (int i = 0; i < threads; i++) {
		if (i > 0)
			pthread_join(thread[i], NULL);
		rate += probe[i].rate;
	}
	pthread_barrier_destroy(&start);
	return rate;
}

struct bench_ceilings bench_ceilings(int threads)
{
	struct bench_ceilings c = {0, 0, 0};
#if defined(__x86_64__)
	bool wide = __builtin_cpu_supports("avx512f"), vnni = __builtin_cpu_supports("avx512vnni");
	if (!__builtin_cpu_supports("avx2"))
		return c;
	char *at = mmap(NULL, READ_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			0);
	if (at == MAP_FAILED)
		return c;
	madvise(at, READ_BYTES, MADV_HUGEPAGE);
	memset(at, 1, READ_BYTES);
	c.fma = measure(wide ? fma_avx512 : fma_avx2, at, threads);
	c.dot = measure(vnni ? dot_vnni : dot_avx2, at, threads);
	double rows = measure(read_rows, at, threads), stream = measure(read_stream, at, threads);
	c.read = rows > stream ? rows : stream;
	munmap(at, READ_BYTES);
#else
	(void)threads;
	(void)measure;
#endif
	return c;
}
