/* SPDX-License-Identifier: Apache-2.0
 *
 * What the machine can do at most: fused multiply-adds of f32, sums of products of int8, and
 * reading memory, in one stream or in 8 neighbouring rows, copying it, and reading caches. The
 * best of several runs, since a ceiling is what can be reached at all.
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
/* Of a thread, well inside of the caches of today's processors; each run reads READ_BYTES. */
#define L1_BYTES ((size_t)16 << 10)
#define L2_BYTES ((size_t)192 << 10)
#define L3_BYTES ((size_t)4 << 20)

struct probe {
	double (*run)(const struct probe *p); /* work done in one run */
	char *at;                             /* what is read */
	size_t bytes, rounds;
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

/* Four lines at a time, again and again. */
#define PROBE_CACHE(name, set, type, load, mix, zero, step)                              \
	__attribute__((target(set))) static double name(const struct probe *p)           \
	{                                                                                \
		type s0 = zero, s1 = zero, s2 = zero, s3 = zero;                         \
		for (size_t k = 0; k < p->rounds; k++)                                   \
			for (size_t i = 0; i < p->bytes; i += 4 * step) {                \
				s0 = mix(s0, load((const void *)(p->at + i)));           \
				s1 = mix(s1, load((const void *)(p->at + i + step)));    \
				s2 = mix(s2, load((const void *)(p->at + i + 2 * step))); \
				s3 = mix(s3, load((const void *)(p->at + i + 3 * step))); \
			}                                                                \
		HIDE(s0);                                                                \
		HIDE(s1);                                                                \
		HIDE(s2);                                                                \
		HIDE(s3);                                                                \
		return (double)p->bytes * (double)p->rounds;                             \
	}
PROBE_CACHE(cache_avx2, "avx2", __m256i, _mm256_load_si256, _mm256_xor_si256,
	    _mm256_setzero_si256(), 32)
PROBE_CACHE(cache_avx512, "avx512f", __m512i, _mm512_load_si512, _mm512_xor_si512,
	    _mm512_setzero_si512(), 64)

/* The first half to the second. */
__attribute__((target("avx2"))) static double copy_plain(const struct probe *p)
{
	size_t half = p->bytes / 2;
	for (size_t i = 0; i < half; i += 32)
		_mm256_store_si256((__m256i *)(p->at + half + i),
				   _mm256_load_si256((const __m256i *)(p->at + i)));
	return 2.0 * (double)half;
}

__attribute__((target("avx2"))) static double copy_past(const struct probe *p)
{
	size_t half = p->bytes / 2;
	for (size_t i = 0; i < half; i += 32)
		_mm256_stream_si256((__m256i *)(p->at + half + i),
				    _mm256_load_si256((const __m256i *)(p->at + i)));
	_mm_sfence();
	return 2.0 * (double)half;
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

/* Work a nanosecond of all threads together, each on `each` bytes (0: its part of all); 0 where
 * it cannot be measured. */
static double measure(double (*run)(const struct probe *p), char *at, int threads, size_t each)
{
	struct probe probe[MOST_THREADS] = {{0}};
	pthread_t thread[MOST_THREADS];
	pthread_barrier_t start;
	double rate = 0;
	size_t part = READ_BYTES / (size_t)threads / (ROWS * ROW_BYTES) * ROWS * ROW_BYTES;
	int n = 0;
	each = each == 0 || each > part ? part : each;
	if (run == NULL || threads > MOST_THREADS ||
	    pthread_barrier_init(&start, NULL, (unsigned)threads) != 0)
		return 0;
	for (; n < threads; n++) {
		probe[n] = (struct probe){run, at + (size_t)n * part, each,
					  READ_BYTES / 8 / each + 1, &start, 0};
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

static struct bench_ceilings measure_all(int threads)
{
	struct bench_ceilings c = {0};
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
	c.fma = measure(wide ? fma_avx512 : fma_avx2, at, threads, 0);
	c.dot = measure(vnni ? dot_vnni : dot_avx2, at, threads, 0);
	c.rows = measure(read_rows, at, threads, 0);
	c.stream = measure(read_stream, at, threads, 0);
	c.read = c.rows > c.stream ? c.rows : c.stream;
	double plain = measure(copy_plain, at, threads, 0);
	c.copy = measure(copy_past, at, threads, 0);
	c.copy = plain > c.copy ? plain : c.copy;
	double (*cache)(const struct probe *) = wide ? cache_avx512 : cache_avx2;
	c.l1 = measure(cache, at, threads, L1_BYTES);
	c.l2 = measure(cache, at, threads, L2_BYTES);
	c.l3 = measure(cache, at, threads, L3_BYTES);
	munmap(at, READ_BYTES);
#else
	(void)threads;
	(void)measure;
#endif
	return c;
}

const struct bench_ceilings *bench_ceilings(int threads)
{
	static struct bench_ceilings seen[MOST_THREADS + 1];
	static bool there[MOST_THREADS + 1];
	int i = threads < MOST_THREADS ? threads : MOST_THREADS;
	if (!there[i])
		seen[i] = measure_all(i);
	there[i] = true;
	return &seen[i];
}

int ceiling_bench(void)
{
	for (int i = 0; bench_threads(i) > 0; i++) {
		char line[512];
		const struct bench_ceilings *c = bench_ceilings(bench_threads(i));
		snprintf(line, sizeof line,
			 "\"bench\":\"ceilings\",\"threads\":%d,\"fma_gflops\":%.1f,"
			 "\"int8_gops\":%.1f,\"read_gbs\":%.1f,\"read_8_rows_gbs\":%.1f,"
			 "\"read_1_row_gbs\":%.1f,\"copy_gbs\":%.1f,\"l1_gbs\":%.0f,"
			 "\"l2_gbs\":%.0f,\"l3_gbs\":%.0f",
			 bench_threads(i), c->fma, c->dot, c->read, c->rows, c->stream, c->copy,
			 c->l1, c->l2, c->l3);
		bench_line(line);
	}
	return 0;
}
