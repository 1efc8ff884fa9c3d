/* SPDX-License-Identifier: Apache-2.0
 *
 * What tests are written with: Criterion's where it was found, else a runner of our own with
 * the same behaviour (a process for each test, TAP on standard output) that cross builds use.
 */
#ifndef ADZE_CHECK_H
#define ADZE_CHECK_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if HAVE_CRITERION
#include <criterion/criterion.h>
#define TEST(suite, name) Test(suite, name)
#define CHECK(cond) cr_assert(cond)
#define CHECK_MSG(cond, ...) cr_assert(cond, __VA_ARGS__)
#define SKIP(...)                          \
	do {                               \
		cr_skip_test(__VA_ARGS__); \
		return;                    \
	} while (0)
#else
struct check_test {
	const char *suite, *name;
	void (*run)(void);
	struct check_test *next;
};
void check_add(struct check_test *t);
void check_fail(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4), noreturn));
void check_skip(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
#define TEST(suite_, name_)                                                           \
	static void suite_##_##name_##_run(void);                                     \
	static struct check_test suite_##_##name_##_test = {#suite_, #name_,          \
							     suite_##_##name_##_run, NULL}; \
	__attribute__((constructor)) static void suite_##_##name_##_add(void)         \
	{                                                                             \
		check_add(&suite_##_##name_##_test);                                  \
	}                                                                             \
	static void suite_##_##name_##_run(void)
#define CHECK(cond)                                                              \
	do {                                                                     \
		if (!(cond))                                                     \
			check_fail(__FILE__, __LINE__, "%s", #cond);             \
	} while (0)
#define CHECK_MSG(cond, ...)                                        \
	do {                                                        \
		if (!(cond))                                        \
			check_fail(__FILE__, __LINE__, __VA_ARGS__); \
	} while (0)
#define SKIP(...) check_skip(__VA_ARGS__)
#endif

/** ADZE_SEED, else a fixed number; printed by tests that draw from it. */
uint64_t check_seed(void);
/** A good random number (SplitMix64: Steele, Lea and Flood, OOPSLA 2014). */
uint64_t check_random(uint64_t *state);
/** Uniform in [-1, 1). */
float check_random_float(uint64_t *state);
/** Units in the last place between two floats; 0 for two NaNs; huge for one. */
double check_ulp(float a, float b);
double check_ulp64(double a, double b);
/** The folder of the sources' tests/, and ../shared/data where there is one (else NULL). */
const char *check_source_dir(void);
const char *check_shared_data(void);
/** A fresh folder for this test below the build folder's; made, and its path written. */
char *check_temp_dir(char *out, size_t cap);

/** An allocator that counts, and can fail: the nth call from now on, and all later ones. */
struct check_memory {
	long calls, live_blocks, live_bytes;
	long fail_after; /* < 0: never */
};
void *check_resize(void *self, void *ptr, size_t old_size, size_t new_size);

#endif
