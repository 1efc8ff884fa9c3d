/* SPDX-License-Identifier: Apache-2.0
 *
 * Element types: every conversion against digests of what NumPy and ml_dtypes give
 * (scripts/make_dtype_numbers.py), and against a search for the nearest number; packed
 * arrays; what the table says of itself.
 */
#include "base/dtype.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ew.h"
#include "base/hash.h"
#include "base/mem.h"
#include "tests/check.h"

/* What make_dtype_numbers.py calls so. */
#define WIDE 3000

static uint64_t mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static void wide_bits(adze_dtype dtype, void *out, size_t n)
{
	unsigned bits = (unsigned)dtype_info(dtype)->bits;
	unsigned mbits = (unsigned)dtype_info(dtype)->format.mbits;
	uint64_t state = 1, all = UINT64_MAX >> (64 - bits);
	for (size_t i = 0; i < n; i++) {
		uint64_t r = mix(&state), s = mix(&state), v = r & all;
		if (mbits != 0 && i % 4 != 0) {
			uint64_t bias = ((uint64_t)1 << (bits - 2 - mbits)) - 1;
			uint64_t m = r & (((uint64_t)1 << mbits) - 1) &
				     ~(((uint64_t)1 << s % mbits) - 1);
			uint64_t e = i % 4 != 3 ? bias - 36 + (s >> 8) % 72
						: bias - 140 + (s >> 8) % 270;
			v = (r >> 63) << (bits - 1) | (e << mbits | m);
			v += (s >> 32) % 3 - 1;
		} else if (mbits == 0 && i % 4 != 0) {
			v = r >> (64 - bits) >> s % bits;
			v &= ~(((uint64_t)1 << (s >> 8) % bits) - 1);
			v += (s >> 32) % 3 - 1;
			v = s >> 63 ? v : 0 - v;
		}
		v &= all;
		memcpy((char *)out + i * (bits / 8), &v, bits / 8);
	}
}

/* The values of a type that digests are of; their number. */
static size_t values(adze_dtype dtype, void *out)
{
	const struct dtype_info *t = dtype_info(dtype);
	if (t->bits > 16) {
		bool two = dtype_is_complex(dtype);
		wide_bits(dtype_part(dtype), out, two ? 2 * WIDE : WIDE);
		return WIDE;
	}
	size_t n = dtype == ADZE_BOOL ? 2 : (size_t)1 << t->bits;
	for (size_t i = 0; i < n; i++) {
		uint16_t code = (uint16_t)i;
		dtype_copy_at(dtype, out, i, &code, 0);
	}
	return n;
}

/* One byte for each packed element, any NaN as one: as digests are taken. */
static uint64_t digest(adze_dtype dtype, void *at, size_t n)
{
	static uint8_t loose[1 << 16];
	adze_dtype part = dtype_part(dtype);
	n *= part != dtype ? 2 : 1;
	for (size_t i = 0; i < n && dtype_is_float(part); i++)
		if (isnan(dtype_load_float(part, at, i)))
			dtype_store_float(part, at, i, (double)NAN);
	if (!dtype_is_packed(part))
		return hash_bytes(at, n * dtype_bytes(part));
	for (size_t i = 0; i < n; i++) {
		loose[i] = 0;
		dtype_copy_at(part, &loose[i], 0, at, i);
	}
	return hash_bytes(loose, n);
}

TEST(dtype, every_conversion_against_digests)
{
	static uint64_t x[1 << 17], y[1 << 17];
	char path[512], from_name[32], to_name[32], want[32], got[32];
	snprintf(path, sizeof path, "%s/data/dtypes.txt", check_source_dir());
	FILE *f = fopen(path, "r");
	CHECK_MSG(f != NULL, "%s cannot be read", path);
	int rows = 0;
	while (fscanf(f, "%31s %31s %31s", from_name, to_name, want) == 3) {
		adze_dtype from = dtype_find(from_name, strlen(from_name));
		adze_dtype to = dtype_find(to_name, strlen(to_name));
		CHECK_MSG(from != ADZE_DTYPE_COUNT && to != ADZE_DTYPE_COUNT, "%s to %s", from_name,
			  to_name);
		size_t n = values(from, x);
		memset(y, 0, sizeof y);
		for (size_t i = 0; i < n; i++)
			dtype_convert(to, y, from, x, i);
		snprintf(got, sizeof got, "%016llx", (unsigned long long)digest(to, y, n));
		CHECK_MSG(strcmp(got, want) == 0, "%s to %s: digest %s, not %s", from_name, to_name,
			  got, want);
		rows++;
	}
	fclose(f);
	CHECK_MSG(rows == ADZE_DTYPE_COUNT * ADZE_DTYPE_COUNT, "%d pairs", rows);
}

/* ---- the nearest number, by looking at all of them ---- */

struct number {
	double v;
	unsigned code;
};

static int by_value(const void *a, const void *b)
{
	const struct number *x = a, *y = b;
	return (x->v > y->v) - (x->v < y->v);
}

/* The numbers of a narrow float that are not negative, in order. */
static size_t list_numbers(adze_dtype dtype, struct number *out)
{
	size_t n = 0, all = (size_t)1 << dtype_info(dtype)->bits;
	for (size_t i = 0; i < all; i++) {
		uint16_t code = (uint16_t)i;
		double v = dtype_load_float(dtype, &code, 0);
		if (isfinite(v) && !signbit(v))
			out[n++] = (struct number){v, (unsigned)i};
	}
	qsort(out, n, sizeof *out, by_value);
	return n;
}

/* The nearest to |v|, ties to the even code; n beyond all. Powers of two have an odd significand
 * of one bit: their ties go up. Differences are exact in long double for what is tried. */
static size_t nearest(const struct number *list, size_t n, long double v, bool powers)
{
	size_t low = 0, high = n;
	while (low + 1 < high) {
		size_t k = (low + high) / 2;
		if ((long double)list[k].v <= v)
			low = k;
		else
			high = k;
	}
	if (powers && v < (long double)list[0].v)
		return 0;
	long double top = powers ? 2 * (long double)list[n - 1].v
				 : 2 * (long double)list[n - 1].v - (long double)list[n - 2].v;
	long double above = low + 1 < n ? (long double)list[low + 1].v : top;
	long double down = v - (long double)list[low].v, up = above - v;
	bool odd = powers || (list[low].code & 1);
	return down > up || (down == up && odd) ? low + 1 : low;
}

static void check_nearest(adze_dtype to, adze_dtype from, const void *x, size_t i)
{
	static struct number list[ADZE_DTYPE_COUNT][1 << 16];
	static size_t n[ADZE_DTYPE_COUNT];
	uint32_t y = 0;
	bool powers = dtype_info(to)->format.special == SMALL_SCALE;
	bool wide = from == ADZE_U64, whole = dtype_is_int(from);
	int64_t k = whole ? dtype_load_int(from, x, i) : 0;
	long double v = wide ? (long double)(uint64_t)k
			: whole ? (long double)k : (long double)dtype_load_float(from, x, i);
	if (n[to] == 0)
		n[to] = list_numbers(to, list[to]);
	dtype_convert_at(to, &y, 0, from, x, i);
	double got = dtype_load_float(to, &y, 0);
	if (isnan(v) || isinf(v) || (powers && v <= 0))
		return; /* as the digests say */
	size_t at = nearest(list[to], n[to], fabsl(v), powers);
	double beyond = (double)NAN;
	dtype_store_float(to, &y, 0, copysign(HUGE_VAL, (double)v));
	beyond = dtype_load_float(to, &y, 0);
	double want = at == n[to] ? beyond : copysign(list[to][at].v, (double)v);
	CHECK_MSG(got == want || (isnan(got) && isnan(want)), "%s to %s: %.21Lg became %g, not %g",
		  dtype_info(from)->name, dtype_info(to)->name, v, got, want);
}

#if __LDBL_MANT_DIG__ >= 64
TEST(dtype, conversions_find_the_nearest)
{
	static const adze_dtype from[] = {ADZE_I32, ADZE_I64, ADZE_U64, ADZE_F32, ADZE_F64};
	static uint64_t x[20000];
	uint64_t seed = check_seed();
	for (size_t k = 0; k < COUNT_OF(from); k++) {
		wide_bits(from[k], x, COUNT_OF(x));
		for (size_t i = 0; i < COUNT_OF(x) / 2; i++)
			if (from[k] == ADZE_I64 || from[k] == ADZE_U64)
				x[i] = check_random(&seed) >> check_random(&seed) % 64;
		for (int to = 0; to < ADZE_DTYPE_COUNT; to++)
			if (dtype_is_float((adze_dtype)to) &&
			    dtype_info((adze_dtype)to)->bits <= 16)
				for (size_t i = 0; i < COUNT_OF(x); i++)
					check_nearest((adze_dtype)to, from[k], x, i);
	}
}
#endif

/* ---- packed arrays ---- */

TEST(dtype, packed_elements_keep_their_neighbours)
{
	uint64_t seed = check_seed();
	for (int t = 0; t < ADZE_DTYPE_COUNT; t++) {
		adze_dtype dtype = (adze_dtype)t;
		int bits = dtype_info(dtype)->bits;
		uint8_t bytes[64], want[64];
		if (!dtype_is_packed(dtype))
			continue;
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = want[i] = (uint8_t)check_random(&seed);
		for (int k = 0; k < 1000; k++) {
			size_t n = sizeof bytes * 8 / (size_t)bits, i = check_random(&seed) % n;
			uint8_t code = (uint8_t)check_random(&seed);
			for (int b = 0; b < bits; b++) {
				size_t bit = i * (size_t)bits + (size_t)b;
				want[bit / 8] &= (uint8_t)~(1u << bit % 8);
				want[bit / 8] |= (uint8_t)((unsigned)(code >> b & 1) << bit % 8);
			}
			dtype_copy_at(dtype, bytes, i, &code, 0);
			CHECK(memcmp(bytes, want, sizeof want) == 0);
			uint8_t again = 0;
			dtype_copy_at(dtype, &again, 0, bytes, i);
			CHECK(again == (code & ((1 << bits) - 1)));
		}
	}
}

TEST(dtype, bytes_of_arrays)
{
	size_t bytes;
	CHECK(dtype_array_bytes(ADZE_I4, 5, &bytes) && bytes == 3);
	CHECK(dtype_array_bytes(ADZE_U2, 5, &bytes) && bytes == 2);
	CHECK(dtype_array_bytes(ADZE_F4E2M1, 0, &bytes) && bytes == 0);
	CHECK(dtype_array_bytes(ADZE_I2, SIZE_MAX, &bytes) && bytes == SIZE_MAX / 4 + 1);
	CHECK(dtype_array_bytes(ADZE_C128, 3, &bytes) && bytes == 48);
	CHECK(!dtype_array_bytes(ADZE_F32, SIZE_MAX / 2, &bytes) && bytes == 0);
	for (int t = 0; t < ADZE_DTYPE_COUNT; t++)
		CHECK(dtype_bytes((adze_dtype)t) * 8 ==
		      (dtype_info((adze_dtype)t)->bits < 8
			       ? 8
			       : (size_t)dtype_info((adze_dtype)t)->bits));
}

/* ---- the table ---- */

TEST(dtype, names_are_found)
{
	for (int t = 0; t < ADZE_DTYPE_COUNT; t++) {
		const struct dtype_info *info = dtype_info((adze_dtype)t);
		CHECK(dtype_find(info->name, strlen(info->name)) == (adze_dtype)t);
		if (info->safetensors[0] != '\0')
			CHECK(dtype_find_safetensors(info->safetensors) == (adze_dtype)t);
		CHECK(dtype_whole(dtype_part((adze_dtype)t)) == (adze_dtype)t ||
		      !dtype_is_complex((adze_dtype)t));
		if (info->class == DTYPE_FLOAT && info->format.special != SMALL_SCALE)
			CHECK_MSG(info->format.ebits + info->format.mbits + 1 == info->bits, "%s",
				  info->name);
	}
	CHECK(dtype_find_safetensors("") == ADZE_DTYPE_COUNT);
	CHECK(dtype_find_safetensors("F6_E2M3") == ADZE_DTYPE_COUNT);
}

TEST(dtype, starts_of_reductions_change_nothing)
{
	static const enum ew by[] = {EW_ADD, EW_MUL, EW_MAX, EW_MIN};
	for (int t = 0; t < ADZE_DTYPE_COUNT; t++) {
		adze_dtype dtype = (adze_dtype)t;
		if (!dtype_is_float(dtype) || dtype_info(dtype)->bits > 16)
			continue;
		for (size_t k = 0; k < COUNT_OF(by); k++)
			for (unsigned c = 0; c < 1u << dtype_info(dtype)->bits; c++) {
				uint16_t code = (uint16_t)c;
				double v = dtype_load_float(dtype, &code, 0);
				double with = ew_f64(by[k], ew_start_float(by[k], dtype), v, 0);
				CHECK_MSG(with == v || isnan(v), "%s: %g became %g",
					  dtype_info(dtype)->name, v, with);
			}
	}
}
