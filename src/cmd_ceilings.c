/* SPDX-License-Identifier: Apache-2.0
 *
 * What the machine can do at most: fused multiply-adds of f32, sums of products of int8, and
 * reading memory, in one stream or in 8 neighbouring rows, copying it, and reading caches.
 */
#include "config.h"

#include "cmd_ceilings.h"

#include <inttypes.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* A run of each probe takes milliseconds; of a quick measurement there are as many as fit in
 * QUICK_NS, and at least 3. */
enum { RUNS = 25, QUICK_RUNS = 3, STEPS = 20000, CHAINS = 12, ROWS = 8 };
#define QUICK_NS 10e6
#define ALL_BYTES ((size_t)256 << 20)
#define QUICK_BYTES ((size_t)128 << 20)
#define ROW_BYTES 8192
/* Of a thread, well inside of the caches of today's processors; each run reads an eighth of
 * all bytes. */
#define L1_BYTES ((size_t)16 << 10)
#define L2_BYTES ((size_t)192 << 10)
#define L3_BYTES ((size_t)4 << 20)

/* Threads begin together, when all are there; or end, where one could not be had. */
struct gate {
	atomic_int open; /* 1; -1: end */
	pthread_barrier_t start;
};

struct probe {
	double (*run)(const struct probe *p); /* work done in one run */
	char *at;                             /* what is read */
	size_t bytes, rounds;
	int runs;
	struct gate *gate;
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
	int open;
	while ((open = atomic_load(&p->gate->open)) == 0)
		sched_yield();
	for (int i = 0; i < p->runs && open > 0; i++) {
		pthread_barrier_wait(&p->gate->start);
		double start = now_ns(), work = p->run(p), rate = work / (now_ns() - start);
		p->rate = rate > p->rate ? rate : p->rate;
	}
	return NULL;
}

/* What is measured, on memory of `bytes`. */
struct bench {
	char *at;
	size_t bytes;
	int threads;
	bool quick;
};

/* How often a probe is run: the first, which warms up, tells how long it takes. */
static int count_runs(const struct bench *b, struct probe *p)
{
	double start = now_ns();
	if (!b->quick)
		return RUNS;
	p->run(p);
	double runs = QUICK_NS / (now_ns() - start + 1);
	return runs < QUICK_RUNS ? QUICK_RUNS : runs > RUNS ? RUNS : (int)runs;
}

/* Work a nanosecond of all threads together, each on `each` bytes (0: its part of all); 0 where
 * a thread cannot be had. */
static double measure(const struct bench *b, double (*run)(const struct probe *p), size_t each)
{
	struct probe probe[CEILINGS_THREADS] = {{0}};
	pthread_t thread[CEILINGS_THREADS];
	struct gate gate = {.open = 0};
	double rate = 0;
	int threads = b->threads, n = 1;
	size_t part = b->bytes / (size_t)threads / (ROWS * ROW_BYTES) * ROWS * ROW_BYTES;
	each = each == 0 || each > part ? part : each;
	if (pthread_barrier_init(&gate.start, NULL, (unsigned)threads) != 0)
		return 0;
	for (int i = 0; i < threads; i++)
		probe[i] = (struct probe){run, b->at + (size_t)i * part, each,
					  b->bytes / 8 / each + 1, 0, &gate, 0};
	probe[0].runs = count_runs(b, &probe[0]);
	for (; n < threads; n++) {
		probe[n].runs = probe[0].runs;
		if (pthread_create(&thread[n], NULL, run_probe, &probe[n]) != 0)
			break;
	}
	atomic_store(&gate.open, n == threads ? 1 : -1);
	run_probe(&probe[0]);
	for (int i = 0; i < n; i++) {
		if (i > 0)
			pthread_join(thread[i], NULL);
		rate += probe[i].rate;
	}
	pthread_barrier_destroy(&gate.start);
	return rate;
}

struct ceilings ceilings_measure(int threads, unsigned isa_mask, bool quick)
{
	struct ceilings c = {0};
	struct bench b = {NULL, quick ? QUICK_BYTES : ALL_BYTES,
			  threads < CEILINGS_THREADS ? threads : CEILINGS_THREADS, quick};
#if defined(__x86_64__)
	bool wide = isa_mask >> ISA_AVX512 & 1, vnni = isa_mask >> ISA_VNNI & 1;
	if (threads < 1 || !(isa_mask >> ISA_AVX2 & 1))
		return c;
	b.at = mmap(NULL, b.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (b.at == MAP_FAILED)
		return c;
	madvise(b.at, b.bytes, MADV_HUGEPAGE);
	memset(b.at, 1, b.bytes);
	c.fma = measure(&b, wide ? fma_avx512 : fma_avx2, 0);
	c.dot = measure(&b, vnni ? dot_vnni : dot_avx2, 0);
	c.rows = measure(&b, read_rows, 0);
	c.stream = measure(&b, read_stream, 0);
	c.read = c.rows > c.stream ? c.rows : c.stream;
	double (*cache)(const struct probe *) = wide ? cache_avx512 : cache_avx2;
	double plain = quick ? 0 : measure(&b, copy_plain, 0);
	c.copy = measure(&b, copy_past, 0);
	c.copy = plain > c.copy ? plain : c.copy;
	c.l1 = quick ? 0 : measure(&b, cache, L1_BYTES);
	c.l2 = measure(&b, cache, L2_BYTES);
	c.l3 = quick ? 0 : measure(&b, cache, L3_BYTES);
	munmap(b.at, b.bytes);
#else
	(void)isa_mask;
	(void)b;
	(void)measure;
#endif
	return c;
}

/* ---- kept in the cache ---- */

static const struct {
	const char *name;
	size_t offset;
} field[] = {
	{"fma", offsetof(struct ceilings, fma)},   {"dot", offsetof(struct ceilings, dot)},
	{"read", offsetof(struct ceilings, read)}, {"rows", offsetof(struct ceilings, rows)},
	{"stream", offsetof(struct ceilings, stream)},
	{"copy", offsetof(struct ceilings, copy)}, {"l1", offsetof(struct ceilings, l1)},
	{"l2", offsetof(struct ceilings, l2)},     {"l3", offsetof(struct ceilings, l3)},
};

static double *field_of(struct ceilings *c, size_t i)
{
	return (double *)(void *)((char *)c + field[i].offset);
}

static void find_path(const char *folder, int threads, unsigned isa_mask, char *out, size_t cap)
{
	char key[512], model[256];
	snprintf(key, sizeof key, "%s %x %d", cpu_model(model, sizeof model), isa_mask, threads);
	snprintf(out, cap, "%s/ceilings-%016" PRIx64 ".json", folder,
		 hash_bytes(key, strlen(key)));
}

bool ceilings_load(const char *folder, int threads, unsigned isa_mask, struct ceilings *out)
{
	char path[4096];
	memset(out, 0, sizeof *out);
	if (folder == NULL)
		return false;
	find_path(folder, threads, isa_mask, path, sizeof path);
	json_t *o = json_load_file(path, 0, NULL);
	bool good = o != NULL;
	for (size_t i = 0; i < COUNT_OF(field) && good; i++) {
		const json_t *v = json_object_get(o, field[i].name);
		good = json_is_number(v) && json_number_value(v) >= 0;
		*field_of(out, i) = good ? json_number_value(v) : 0;
	}
	json_decref(o);
	return good;
}

bool ceilings_save(const char *folder, int threads, unsigned isa_mask, const struct ceilings *c)
{
	struct ceilings copy = *c;
	struct diag d = {ADZE_OK, ""};
	char path[4096], model[256];
	struct text t;
	if (folder == NULL)
		return false;
	find_path(folder, threads, isa_mask, path, sizeof path);
	text_init(&t, &mem_libc);
	json_t *o = json_pack("{s:s, s:i}", "cpu", cpu_model(model, sizeof model), "threads",
			      threads);
	bool whole = o != NULL;
	for (size_t i = 0; i < COUNT_OF(field) && whole; i++)
		whole = json_object_set_new(o, field[i].name, json_real(*field_of(&copy, i))) == 0;
	char *line = whole ? json_dumps(o, JSON_COMPACT) : NULL;
	text_add(&t, "%s\n", line != NULL ? line : "");
	bool good = line != NULL && !t.failed &&
		    file_make_folder(&mem_libc, folder, &d) == ADZE_OK &&
		    file_write(&mem_libc, path, t.at, t.len, &d) == ADZE_OK;
	free(line);
	json_decref(o);
	text_fini(&t);
	return good;
}
