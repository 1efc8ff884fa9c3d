/* SPDX-License-Identifier: Apache-2.0
 *
 * src/safetensors.h: what is read, what is refused and in which words, what is written.
 */
#include "safetensors.h"

#include <stdlib.h>

#include "base/dtype.h"
#include "tests/check.h"
#include "tests/temp_files.h"

static const adze_allocator *libc = &mem_libc;

/* A file made of a header and `data` bytes that count up from 0. */
struct made {
	unsigned char *at;
	size_t len;
};

static struct made make(const char *header, size_t data)
{
	size_t n = strlen(header);
	struct made m = {malloc(8 + n + data), 8 + n + data};
	CHECK(m.at != NULL);
	for (int i = 0; i < 8; i++)
		m.at[i] = (unsigned char)((uint64_t)n >> 8 * i);
	memcpy(m.at + 8, header, n);
	for (size_t i = 0; i < data; i++)
		m.at[8 + n + i] = (unsigned char)i;
	return m;
}

static void make_file(const char *path, const char *header, size_t data)
{
	struct made m = make(header, data);
	temp_write(path, m.at, m.len);
	free(m.at);
}

static struct safetensors *must_open(const char *path)
{
	struct diag d = {0};
	struct safetensors *s;
	CHECK_MSG(safetensors_open(libc, path, &d, &s) == ADZE_OK, "%s", d.text);
	return s;
}

static void must_fail(const char *path, adze_status status, const char *words)
{
	struct diag d = {0};
	struct safetensors *s;
	adze_status got = safetensors_open(libc, path, &d, &s);
	CHECK_MSG(got == status && d.status == status, "%s: status %d: %s", path, got, d.text);
	CHECK(s == NULL);
	CHECK_MSG(strstr(d.text, words) != NULL, "'%s' lacks '%s'", d.text, words);
}

static const struct safetensors_entry *must_find(const struct safetensors *s, const char *name)
{
	const struct safetensors_entry *e = safetensors_find(s, name);
	CHECK_MSG(e != NULL, "no tensor '%s'", name);
	return e;
}

#define F32_2 "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":"

TEST(safetensors, reads_what_is_legal)
{
	static const struct {
		const char *header;
		size_t data, tensors;
	} good[] = {
		{"{}", 0, 0},
		{"\t\n{}\r ", 0, 0},
		{"{\"__metadata__\":{}}  ", 0, 0},
		{"{\"a\":" F32_2 "[0,8]}}", 8, 1},
		{"{\"a\":" F32_2 "[8,16]},\"b\":" F32_2 "[0,8]}}", 16, 2},
		{"{\"\":" F32_2 "[0,8],\"extra\":[{}]}}", 8, 1},
		{"{\"a\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, 1},
		{"{\"a\":{\"dtype\":\"I32\",\"shape\":[2,0],\"data_offsets\":[0,0]}}", 0, 1},
		{"{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[8,8]},"
		 "\"b\":" F32_2 "[8,16]},\"c\":" F32_2 "[0,8]}}", 16, 3},
		{"{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1],"
		 "\"data_offsets\":[0,1]}}", 1, 1},
		{"{\"a\":{\"dtype\":\"U8\",\"shape\":[0,9223372036854775807],"
		 "\"data_offsets\":[0,0]}}", 0, 1},
	};
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct diag d = {0};
		struct safetensors *s;
		struct made m = make(good[i].header, good[i].data);
		adze_status status = safetensors_open_memory(libc, m.at, m.len, &d, &s);
		CHECK_MSG(status == ADZE_OK, "%s: %s", good[i].header, d.text);
		CHECK_MSG(s->nentry == good[i].tensors, "%s", good[i].header);
		safetensors_close(s);
		free(m.at);
	}
}

TEST(safetensors, entries)
{
	struct diag d = {0};
	struct safetensors *s;
	struct made m = make("{\"z\":{\"dtype\":\"BF16\",\"shape\":[2,1,3],"
			     "\"data_offsets\":[4,16]},"
			     "\"__metadata__\":{\"k\\u00e9y\":\"v\\\"1\",\"a\":\"\"},"
			     "\"q\\\"\\u00e9\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],"
			     "\"data_offsets\":[1,4]},"
			     "\"b\":{\"dtype\":\"BOOL\",\"shape\":[1],\"data_offsets\":[0,1]},"
			     "\"c\":{\"dtype\":\"C64\",\"shape\":[],"
			     "\"data_offsets\":[16,24]}}", 24);
	CHECK_MSG(safetensors_open_memory(libc, m.at, m.len, &d, &s) == ADZE_OK, "%s", d.text);
	CHECK(s->nentry == 4 && s->nmetadata == 2);
	const unsigned char *data = m.at + m.len - 24;
	const struct safetensors_entry *z = must_find(s, "z");
	CHECK(z->shape.dtype == ADZE_BF16 && z->shape.rank == 3);
	CHECK(z->shape.dim[0].size == 2 && z->shape.dim[1].size == 1);
	CHECK(z->shape.dim[2].size == 3 && z->shape.dim[2].name[0] == '\0');
	CHECK(z->data == data + 4 && z->bytes == 12 && strcmp(z->dtype_name, "BF16") == 0);
	const struct safetensors_entry *q = must_find(s, "q\"\xc3\xa9");
	CHECK(q->shape.dtype == ADZE_DTYPE_COUNT && strcmp(q->dtype_name, "F6_E2M3") == 0);
	CHECK(q->data == data + 1 && q->bytes == 3 && q->shape.rank == 1);
	CHECK(must_find(s, "b")->shape.dtype == ADZE_BOOL);
	CHECK(must_find(s, "c")->bytes == 8 && must_find(s, "c")->shape.rank == 0);
	CHECK(safetensors_find(s, "") == NULL && safetensors_find(s, "zz") == NULL);
	for (size_t i = 1; i < s->nentry; i++)
		CHECK(strcmp(s->entry[i - 1].name, s->entry[i].name) < 0);
	CHECK(strcmp(safetensors_metadata(s, "k\xc3\xa9y"), "v\"1") == 0);
	CHECK(strcmp(safetensors_metadata(s, "a"), "") == 0);
	CHECK(safetensors_metadata(s, "b") == NULL);
	safetensors_close(s);
	free(m.at);
}

static const struct {
	const char *header;
	size_t data;
	const char *words;
} bad[] = {
	{"", 0, "not valid"},
	{"{", 0, "not valid"},
	{"[]", 0, "not an object"},
	{"7", 0, "not an object"},
	{"{} {}", 0, "not valid"},
	{"\xff", 0, "decode byte 0xff"},
	{"{\"a\xff\":" F32_2 "[0,8]}}", 8, "decode byte 0xff"},
	{"{\"a\\u0000\":" F32_2 "[0,8]}}", 8, "not valid"},
	{"\xef\xbb\xbf{}", 0, "not valid"},
	{"{\"a\":1}", 0, "'a': is not described"},
	{"{\"a\":{}}", 0, "'a': has no dtype"},
	{"{\"a\":{\"dtype\":7,\"shape\":[],\"data_offsets\":[0,0]}}", 0, "has no dtype"},
	{"{\"a\":{\"dtype\":\"F33\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "'F33' is not"},
	{"{\"a\":{\"dtype\":\"f32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4, "'f32' is not"},
	{"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "has no shape"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, "has no shape"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4, "an integer"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "negative"},
	{"{\"a\":{\"dtype\":\"I32\",\"shape\":[2,18446744073709551614],"
	 "\"data_offsets\":[0,16]}}", 16, "too big integer"},
	{"{\"a\":{\"dtype\":\"I32\",\"shape\":[4294967296,4294967296,4294967296],"
	 "\"data_offsets\":[0,16]}}", 16, "'a': its shape is too large"},
	{"{\"a\":{\"dtype\":\"I32\",\"shape\":[2,4611686018427387904],"
	 "\"data_offsets\":[0,16]}}", 16, "'a': its shape is too large"},
	{"{\"a\":{\"dtype\":\"I32\",\"shape\":[0,9223372036854775807,9223372036854775807],"
	 "\"data_offsets\":[0,0]}}", 0, "'a': its shape is too large"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "data_offsets"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "data_offsets"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}", 4, "two integers"},
	{"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0.0,4]}}", 4, "two integers"},
	{"{\"a\":" F32_2 "[8,0]}}", 8, "'a': its data_offsets 8 to 0"},
	{"{\"a\":" F32_2 "[-8,0]}}", 8, "'a': its data_offsets -8 to 0"},
	{"{\"a\":" F32_2 "[0,8]}}", 7, "'a': its data ends at byte 8"},
	{"{\"a\":" F32_2 "[9223372036854775799,9223372036854775807]}}", 8, "truncated"},
	{"{\"a\":" F32_2 "[0,4]}}", 4, "'a': its shape and dtype F32 take 8 bytes"},
	{"{\"a\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}}", 1, "whole bytes"},
	{"{\"a\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "take 8 bytes"},
	{"{\"a\":" F32_2 "[0,8]},\"b\":" F32_2 "[0,8]}}", 8, "inside tensor"},
	{"{\"a\":" F32_2 "[0,8]},\"b\":" F32_2 "[4,12]}}", 12, "'b' begins at byte 4, inside"},
	{"{\"a\":" F32_2 "[0,8]},\"b\":" F32_2 "[12,20]}}", 20, "from byte 8 to tensor 'b'"},
	{"{\"a\":" F32_2 "[4,12]}}", 12, "from byte 0 to tensor 'a'"},
	{"{\"a\":" F32_2 "[0,8]}}", 12, "4 bytes after the last tensor"},
	{"{}", 1, "1 bytes after the last tensor"},
	{"{\"a\":" F32_2 "[0,8]},\"a\":" F32_2 "[8,16]}}", 16, "duplicate"},
	{"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4,
	 "duplicate"},
	{"{\"__metadata__\":7}", 0, "__metadata__ is not"},
	{"{\"__metadata__\":{\"a\":7}}", 0, "'a' is not a string"},
	{"{\"__metadata__\":{\"a\":\"b\",\"a\":\"b\"}}", 0, "duplicate"},
	{"{\"a\\u001b[31m\":{}}", 0, "'a?[31m': has no dtype"},
};

TEST(safetensors, refuses_what_is_not)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct diag d = {0};
		struct safetensors *s;
		struct made m = make(bad[i].header, bad[i].data);
		adze_status status = safetensors_open_memory(libc, m.at, m.len, &d, &s);
		CHECK_MSG(status == ADZE_E_FORMAT && s == NULL, "%s: status %d %s",
			  bad[i].header, status, d.text);
		CHECK_MSG(strstr(d.text, bad[i].words) != NULL, "%s: '%s' lacks '%s'",
			  bad[i].header, d.text, bad[i].words);
		free(m.at);
	}
}

TEST(safetensors, refuses_the_same_in_files)
{
	char dir[256];
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a.safetensors");
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		make_file(path.text, bad[i].header, bad[i].data);
		must_fail(path.text, ADZE_E_FORMAT, bad[i].words);
		must_fail(path.text, ADZE_E_FORMAT, path.text);
	}
	must_fail(temp_path(dir, "absent").text, ADZE_E_NOTFOUND, "No such file");
	temp_remove(dir);
}

TEST(safetensors, too_many_dimensions)
{
	struct diag d = {0};
	struct safetensors *s;
	struct made m = make("{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],"
			     "\"data_offsets\":[0,1]}}", 1);
	CHECK(safetensors_open_memory(libc, m.at, m.len, &d, &s) == ADZE_E_LIMIT);
	CHECK_MSG(strstr(d.text, "'a': has 9 dimensions") != NULL, "%s", d.text);
	free(m.at);
}

/* Long names are cut between characters. */
TEST(safetensors, words_stay_short)
{
	struct diag d = {0};
	struct safetensors *s;
	char header[2000] = "{\"x";
	for (int i = 0; i < 400; i++)
		strcat(header, "\xc3\xa9");
	strcat(header, "\":1}");
	struct made m = make(header, 0);
	CHECK(safetensors_open_memory(libc, m.at, m.len, &d, &s) == ADZE_E_FORMAT);
	CHECK_MSG(strstr(d.text, "\xc3\xa9...': is not described") != NULL, "%s", d.text);
	CHECK(strlen(d.text) < 300);
	free(m.at);
}

TEST(safetensors, header_lengths)
{
	static const struct {
		uint64_t len;
		const char *words;
	} lie[] = {
		{3, "truncated"},          {100000000, "truncated"}, {100000001, "allows"},
		{UINT64_MAX, "allows"},    {UINT64_MAX - 7, "allows"},
		{(uint64_t)1 << 63, "allows"}, {0, "not valid"},     {1, "not valid"},
	};
	for (size_t i = 0; i < COUNT_OF(lie); i++) {
		struct diag d = {0};
		struct safetensors *s;
		struct made m = make("{}", 0);
		for (int k = 0; k < 8; k++)
			m.at[k] = (unsigned char)(lie[i].len >> 8 * k);
		CHECK(safetensors_open_memory(libc, m.at, m.len, &d, &s) == ADZE_E_FORMAT);
		CHECK_MSG(strstr(d.text, lie[i].words) != NULL, "%s", d.text);
		free(m.at);
	}
}

/* Every file that is cut short, and one that is a byte too long. */
TEST(safetensors, truncated)
{
	struct made m = make("{\"a\":" F32_2 "[0,8]}}", 9);
	for (size_t len = 0; len <= m.len; len++) {
		struct diag d = {0};
		struct safetensors *s;
		/* A block of its own, so that a sanitizer sees a read past it. */
		unsigned char *part = malloc(len + (len == 0));
		CHECK(part != NULL);
		memcpy(part, m.at, len);
		adze_status status = safetensors_open_memory(libc, part, len, &d, &s);
		CHECK_MSG(status == (len == m.len - 1 ? ADZE_OK : ADZE_E_FORMAT), "%zu: %s", len,
			  d.text);
		safetensors_close(s);
		free(part);
	}
	free(m.at);
}

TEST(safetensors, nesting)
{
	size_t n = 3000000;
	char *header = malloc(n + 1);
	CHECK(header != NULL);
	for (int k = 0; k < 2; k++) {
		struct diag d = {0};
		struct safetensors *s;
		memset(header, '[', n);
		if (k == 1)
			for (size_t i = 0; i + 5 < n; i += 5)
				memcpy(header + i, "{\"a\":", 5);
		header[n] = '\0';
		struct made m = make(header, 0);
		CHECK(safetensors_open_memory(libc, m.at, m.len, &d, &s) == ADZE_E_FORMAT);
		CHECK_MSG(strstr(d.text, "nested too deep") != NULL, "%s", d.text);
		free(m.at);
	}
	free(header);
	/* Brackets within strings are not nesting. */
	struct diag d = {0};
	struct safetensors *s;
	struct made m = make("{\"__metadata__\":{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["
			     "[[[[[[[[[[[[[[\\\\\"}}", 0);
	CHECK_MSG(safetensors_open_memory(libc, m.at, m.len, &d, &s) == ADZE_OK, "%s", d.text);
	safetensors_close(s);
	free(m.at);
}

TEST(safetensors, many_tensors)
{
	enum { N = 20000 };
	size_t cap = N * 90, len = 0;
	char *header = malloc(cap);
	CHECK(header != NULL);
	for (int i = 0; i < N; i++)
		len += (size_t)snprintf(header + len, cap - len,
					"%c\"t%d\":{\"dtype\":\"U8\",\"shape\":[2],"
					"\"data_offsets\":[%d,%d]}", i == 0 ? '{' : ',', i, 2 * i,
					2 * i + 2);
	snprintf(header + len, cap - len, "}");
	struct diag d = {0};
	struct safetensors *s;
	struct made m = make(header, 2 * N);
	CHECK_MSG(safetensors_open_memory(libc, m.at, m.len, &d, &s) == ADZE_OK, "%s", d.text);
	CHECK(s->nentry == N);
	for (int i = 0; i < N; i++) {
		char name[32];
		snprintf(name, sizeof name, "t%d", i);
		CHECK(must_find(s, name)->data == m.at + m.len - 2 * N + 2 * i);
	}
	safetensors_close(s);
	free(m.at);
	free(header);
}

/* Whatever becomes of a byte, what is handed out lies within the file. */
TEST(safetensors, damaged_at_random)
{
	uint64_t seed = check_seed();
	struct made m = make("{\"__metadata__\":{\"a\":\"b\"},\"a\":" F32_2 "[0,8]},"
			     "\"b\":{\"dtype\":\"U8\",\"shape\":[2,0],\"data_offsets\":[8,8]},"
			     "\"c\":{\"dtype\":\"I16\",\"shape\":[2,1],\"data_offsets\":[8,12]}}",
			     12);
	unsigned char *copy = malloc(m.len);
	int opened = 0;
	CHECK(copy != NULL);
	for (int round = 0; round < 20000; round++) {
		struct diag d = {0};
		struct safetensors *s;
		memcpy(copy, m.at, m.len);
		int n = 1 + (int)(check_random(&seed) % 3);
		for (int i = 0; i < n; i++)
			copy[check_random(&seed) % (m.len - 12)] =
				"0123456789[]{},:\"eFIU\x80"[check_random(&seed) % 22];
		if (safetensors_open_memory(libc, copy, m.len, &d, &s) != ADZE_OK) {
			CHECK(s == NULL && d.text[0] != '\0');
			continue;
		}
		opened++;
		for (size_t i = 0; i < s->nentry; i++) {
			size_t at = (size_t)((const unsigned char *)s->entry[i].data - copy);
			CHECK(at <= m.len && s->entry[i].bytes <= m.len - at);
		}
		safetensors_close(s);
	}
	CHECK_MSG(opened > 100, "%d opened, seed %llu", opened,
		  (unsigned long long)check_seed());
	free(copy);
	free(m.at);
}

/* Pages of the mapping of `path` that are resident, in KB; -1 where it is not listed. */
static long resident(const char *path)
{
	char line[5000];
	bool mine = false;
	long kb = -1, n;
	unsigned long from, to;
	FILE *f = fopen("/proc/self/smaps", "r");
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			mine = strstr(line, path) != NULL;
		else if (mine && sscanf(line, "Rss: %ld kB", &n) == 1)
			kb = (kb < 0 ? 0 : kb) + n;
	}
	if (f != NULL)
		fclose(f);
	return kb;
}

TEST(safetensors, opening_touches_no_weight)
{
	char dir[256];
	const size_t bytes = (size_t)64 << 20;
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a.safetensors");
	make_file(path.text, "{\"a\":{\"dtype\":\"U8\",\"shape\":[67108864],"
			     "\"data_offsets\":[0,67108864]}}", 0);
	struct stat st;
	CHECK(stat(path.text, &st) == 0);
	CHECK(truncate(path.text, st.st_size + (off_t)bytes) == 0);
	struct safetensors *s = must_open(path.text);
	CHECK(must_find(s, "a")->bytes == bytes);
	long kb = resident(path.text);
	CHECK_MSG(kb <= 0, "%ld KB of the file are resident", kb);
	CHECK(((const unsigned char *)must_find(s, "a")->data)[bytes - 1] == 0);
	bool is_listed = resident(path.text) > 0;
	safetensors_close(s);
	temp_remove(dir);
	if (!is_listed)
		SKIP("%s", "/proc/self/smaps does not list the mapping");
}
