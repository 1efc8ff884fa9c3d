/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tolerance {
	bool exact, ulp;
	double n, rel, abs;
};

static bool read_number(const char **at, const char *word, double *out)
{
	size_t n = strlen(word);
	char *end;
	if (strncmp(*at, word, n) != 0)
		return false;
	*out = strtod(*at + n, &end);
	if (end == *at + n || (*end != '\0' && *end != ' ') || !(*out >= 0))
		return false;
	*at = end + (*end == ' ');
	return true;
}

static bool read_tolerance(const char *text, struct tolerance *t)
{
	memset(t, 0, sizeof *t);
	t->exact = strcmp(text, "exact") == 0;
	if (t->exact)
		return true;
	t->ulp = read_number(&text, "ulp:", &t->n);
	if (t->ulp)
		return *text == '\0';
	bool rel = read_number(&text, "rel:", &t->rel), abs = read_number(&text, "abs:", &t->abs);
	return (rel || abs) && *text == '\0';
}

/* The bits of element `v` as a number that grows as the element does. */
static int64_t rank_of(uint64_t bits, int width, double v)
{
	uint64_t sign = (uint64_t)1 << (width - 1);
	return signbit(v) ? -(int64_t)(bits & ~sign) : (int64_t)bits;
}

/* How far `got` is beyond what is allowed: 0 for fine, else larger for worse. */
static double excess(adze_dtype dtype, const void *got, const void *want,
		     const struct tolerance *t)
{
	size_t size = dtype_bytes(dtype);
	if (memcmp(got, want, size) == 0)
		return 0;
	if (dtype_is_complex(dtype)) {
		const char *a = got, *b = want;
		adze_dtype part = dtype_part(dtype);
		return fmax(excess(part, a, b, t), excess(part, a + size / 2, b + size / 2, t));
	}
	if (!dtype_is_float(dtype))
		return HUGE_VAL;
	double a = dtype_load_float(dtype, got, 0), b = dtype_load_float(dtype, want, 0);
	if (isnan(a) && isnan(b))
		return 0;
	if (t->exact || isnan(a) || isnan(b) || (a != b && (isinf(a) || isinf(b))))
		return HUGE_VAL;
	if (t->ulp) {
		uint64_t x = 0, y = 0;
		memcpy(&x, got, size);
		memcpy(&y, want, size);
		int bits = dtype_info(dtype)->bits;
		double apart = fabs((double)rank_of(x, bits, a) - (double)rank_of(y, bits, b));
		return apart <= t->n ? 0 : apart;
	}
	double allowed = t->abs + t->rel * fabs(b), off = fabs(a - b);
	return off <= allowed ? 0 : allowed > 0 ? off / allowed : HUGE_VAL;
}

static void print_element(adze_dtype dtype, const void *at, char *out, size_t cap)
{
	uint64_t bits = 0;
	double part[2];
	memcpy(&bits, at, dtype_bytes(dtype_part(dtype)));
	if (dtype_is_complex(dtype)) {
		dtype_load_complex(dtype, at, 0, part);
		snprintf(out, cap, "%.17g%+.17gi", part[0], part[1]);
	} else if (dtype_is_float(dtype))
		snprintf(out, cap, "%.17g (0x%llx)", dtype_load_float(dtype, at, 0),
			 (unsigned long long)bits);
	else
		snprintf(out, cap, "%lld (0x%llx)", (long long)dtype_load_int(dtype, at, 0),
			 (unsigned long long)bits);
}

bool compare_tensors(adze_dtype dtype, const void *got, const void *want, size_t n,
		     const char *tolerance, char *message, size_t cap)
{
	struct tolerance t;
	if (!read_tolerance(tolerance, &t)) {
		snprintf(message, cap, "tolerance '%s' cannot be read", tolerance);
		return false;
	}
	size_t bad = 0, worst = 0;
	uint64_t a[2] = {0, 0}, b[2] = {0, 0};
	double most = 0;
	for (size_t i = 0; i < n; i++) {
		dtype_copy_at(dtype, a, 0, got, i);
		dtype_copy_at(dtype, b, 0, want, i);
		double e = excess(dtype, a, b, &t);
		bad += e > 0;
		if (e > most) {
			most = e;
			worst = i;
		}
	}
	if (bad == 0)
		return true;
	char got_text[64], want_text[64];
	dtype_copy_at(dtype, a, 0, got, worst);
	dtype_copy_at(dtype, b, 0, want, worst);
	print_element(dtype, a, got_text, sizeof got_text);
	print_element(dtype, b, want_text, sizeof want_text);
	snprintf(message, cap, "%zu of %zu %s differ (%s), most so element %zu: got %s, want %s",
		 bad, n, dtype_info(dtype)->name, tolerance, worst, got_text, want_text);
	return false;
}
