/* SPDX-License-Identifier: Apache-2.0
 *
 * src/safetensors.h on disk: files nobody here wrote, several files with an index, and
 * what the writer makes of tensors.
 */
#include "safetensors.h"

#include <stdlib.h>

#include "base/dtype.h"
#include "tests/check.h"
#include "tests/temp_files.h"

static const adze_allocator *libc = &mem_libc;

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

TEST(safetensors_files, of_other_projects)
{
	const char *shared = check_shared_data();
	if (shared == NULL)
		SKIP("%s", "there is no shared test data (ADZE_SHARED_DATA)");
	struct temp_path folder = temp_path(shared, "safetensors");
	DIR *dir = opendir(folder.text);
	if (dir == NULL)
		SKIP("there is no %s", folder.text);
	int good = 0, refused = 0;
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		struct temp_path path = temp_path(folder.text, e->d_name);
		if (strncmp(e->d_name, "ok_", 3) == 0) {
			safetensors_close(must_open(path.text));
			good++;
		} else if (strncmp(e->d_name, "bad_", 4) == 0) {
			must_fail(path.text, ADZE_E_FORMAT, path.text);
			refused++;
		}
	}
	closedir(dir);
	CHECK_MSG(good >= 7 && refused >= 6, "%d good, %d bad files", good, refused);
	struct safetensors *s =
		must_open(temp_path(folder.text, "ok_swift_tensor-4d-float32.safetensors").text);
	const struct safetensors_entry *e = must_find(s, "embedding");
	CHECK(e->shape.rank == 4 && e->shape.dim[1].size == 3 && e->bytes == 72);
	CHECK(dtype_load_float(ADZE_F32, e->data, 0) == 11);
	safetensors_close(s);
}

/* As Hugging Face lays out a model: a folder. */
TEST(safetensors_files, a_model_folder)
{
	const char *shared = check_shared_data();
	struct temp_path folder = temp_path(shared != NULL ? shared : "", "models/stories260k");
	if (shared == NULL || !file_is_folder(folder.text))
		SKIP("%s", "there is no shared test data (ADZE_SHARED_DATA)");
	struct safetensors *s = must_open(folder.text);
	CHECK(strcmp(safetensors_metadata(s, "format"), "pt") == 0);
	const struct safetensors_entry *e = must_find(s, "model.embed_tokens.weight");
	CHECK(e->shape.rank == 2 && e->shape.dim[0].size == 512 && e->shape.dim[1].size == 64);
	CHECK(s->nfile == 1 && e->file == 0 && strstr(s->file[0].path, "model.safetensors"));
	safetensors_close(s);
}

static struct safetensors_entry entry(const char *name, adze_dtype dtype, int32_t rank,
				      const int64_t *size, const void *data)
{
	struct safetensors_entry e = {.name = name, .data = data};
	e.shape.dtype = dtype;
	e.shape.rank = rank;
	for (int32_t i = 0; i < rank; i++) {
		e.shape.dim[i].size = size[i];
		e.shape.dim[i].scale = 1;
	}
	return e;
}

static void write_one(const char *folder, const char *file, const char *name, uint8_t value)
{
	struct diag d = {0};
	struct safetensors_entry e = entry(name, ADZE_U8, 0, NULL, &value);
	struct safetensors_pair pair[] = {{"format", "np"}, {file, name}};
	struct temp_path path = temp_path(folder, file);
	CHECK_MSG(safetensors_write(libc, path.text, &e, 1, pair, 2, &d) == ADZE_OK, "%s",
		  d.text);
}

static struct temp_path write_index(const char *folder, const char *json)
{
	struct temp_path path = temp_path(folder, "model.safetensors.index.json");
	temp_write(path.text, json, strlen(json));
	return path;
}

TEST(safetensors_files, sharded)
{
	char dir[256];
	check_temp_dir(dir, sizeof dir);
	CHECK(mkdir(temp_path(dir, "sub").text, 0700) == 0);
	write_one(dir, "m-1.safetensors", "b", 1);
	write_one(dir, "m-2.safetensors", "a", 2);
	write_one(dir, "sub/m-3.safetensors", "c", 3);
	write_one(dir, "m-4.safetensors", "unlisted", 4);
	struct temp_path index = write_index(dir,
		"{\"metadata\":{\"total_size\":3,\"format\":\"pt\"},\"weight_map\":{"
		"\"a\":\"m-2.safetensors\",\"b\":\"m-1.safetensors\","
		"\"c\":\"sub/m-3.safetensors\"}}");
	for (int k = 0; k < 2; k++) {
		struct safetensors *s = must_open(k == 0 ? index.text : dir);
		CHECK(s->nentry == 3 && s->nfile == 3);
		CHECK(*(const uint8_t *)must_find(s, "a")->data == 2);
		CHECK(*(const uint8_t *)must_find(s, "b")->data == 1);
		CHECK(*(const uint8_t *)must_find(s, "c")->data == 3);
		CHECK(strstr(s->file[must_find(s, "a")->file].path, "m-2.safetensors"));
		CHECK(s->nmetadata == 5);
		CHECK(strcmp(safetensors_metadata(s, "total_size"), "3") == 0);
		CHECK(strcmp(safetensors_metadata(s, "format"), "pt") == 0);
		CHECK(strcmp(safetensors_metadata(s, "sub/m-3.safetensors"), "c") == 0);
		safetensors_close(s);
	}
	temp_remove(dir);
}

/* The index decides between two files that both hold a tensor. */
TEST(safetensors_files, index_decides)
{
	char dir[256];
	check_temp_dir(dir, sizeof dir);
	write_one(dir, "m-1.safetensors", "a", 1);
	write_one(dir, "m-2.safetensors", "a", 2);
	uint8_t value[2] = {7, 8};
	struct diag d = {0};
	struct safetensors_entry e[] = {entry("b", ADZE_U8, 0, NULL, &value[0]),
					entry("a", ADZE_U8, 0, NULL, &value[1])};
	CHECK(safetensors_write(libc, temp_path(dir, "m-1.safetensors").text, e, 2, NULL, 0,
				&d) == ADZE_OK);
	write_index(dir, "{\"weight_map\":{\"a\":\"m-2.safetensors\",\"b\":\"m-1.safetensors\"}}");
	struct safetensors *s = must_open(dir);
	CHECK(s->nentry == 2 && *(const uint8_t *)must_find(s, "a")->data == 2);
	CHECK(*(const uint8_t *)must_find(s, "b")->data == 7);
	safetensors_close(s);
	/* One file comes before an index. */
	write_one(dir, "model.safetensors", "only", 9);
	s = must_open(dir);
	CHECK(s->nentry == 1 && *(const uint8_t *)must_find(s, "only")->data == 9);
	safetensors_close(s);
	temp_remove(dir);
}

TEST(safetensors_files, bad_indexes)
{
	static const struct {
		const char *json;
		adze_status status;
		const char *words;
	} lie[] = {
		{"", ADZE_E_FORMAT, "not valid"},
		{"[]", ADZE_E_FORMAT, "not an object"},
		{"{}", ADZE_E_FORMAT, "no weight_map"},
		{"{\"weight_map\":{}}", ADZE_E_FORMAT, "no weight_map"},
		{"{\"weight_map\":[]}", ADZE_E_FORMAT, "no weight_map"},
		{"{\"weight_map\":{\"a\":1}}", ADZE_E_FORMAT, "'a' is not a string"},
		{"{\"weight_map\":{\"a\":\"m-1.safetensors\",\"a\":\"m-1.safetensors\"}}",
		 ADZE_E_FORMAT, "duplicate"},
		{"{\"weight_map\":{\"a\":\"gone.safetensors\"}}", ADZE_E_NOTFOUND,
		 "'gone.safetensors', which is not there"},
		{"{\"weight_map\":{\"a\":\"m-1.safetensors\",\"b\":\"m-1.safetensors\"}}",
		 ADZE_E_FORMAT, "'b' is not in 'm-1.safetensors'"},
		{"{\"weight_map\":{\"a\":\"bad.safetensors\"}}", ADZE_E_FORMAT,
		 "bad.safetensors: 3 bytes"},
		{"{\"weight_map\":{\"a\":\"folder.safetensors\"}}", ADZE_E_IO, "is a folder"},
		{"{\"weight_map\":{\"a\":\"model.safetensors.index.json\"}}", ADZE_E_FORMAT,
		 "is not a .safetensors file in the folder"},
		{"{\"weight_map\":{\"a\":\"../m-1.safetensors\"}}", ADZE_E_FORMAT, "in the folder"},
		{"{\"weight_map\":{\"a\":\"x/../m-1.safetensors\"}}", ADZE_E_FORMAT,
		 "in the folder"},
		{"{\"weight_map\":{\"a\":\"/m-1.safetensors\"}}", ADZE_E_FORMAT, "in the folder"},
		{"{\"weight_map\":{\"a\":\"..\\\\m-1.safetensors\"}}", ADZE_E_FORMAT,
		 "in the folder"},
		{"{\"weight_map\":{\"a\":\".safetensors\"}}", ADZE_E_FORMAT, "in the folder"},
		{"{\"weight_map\":{\"a\":\"\"}}", ADZE_E_FORMAT, "in the folder"},
	};
	char dir[256];
	check_temp_dir(dir, sizeof dir);
	must_fail(dir, ADZE_E_NOTFOUND, "neither model.safetensors");
	write_one(dir, "m-1.safetensors", "a", 1);
	temp_write(temp_path(dir, "bad.safetensors").text, "bad", 3);
	CHECK(mkdir(temp_path(dir, "folder.safetensors").text, 0700) == 0);
	for (size_t i = 0; i < COUNT_OF(lie); i++) {
		struct temp_path index = write_index(dir, lie[i].json);
		must_fail(index.text, lie[i].status, lie[i].words);
		must_fail(dir, lie[i].status, lie[i].words);
	}
	temp_remove(dir);
}

/* Every type, random shapes, names that need escapes: what goes in comes out. */
TEST(safetensors_files, round_trip)
{
	enum { N = 3 * ADZE_DTYPE_COUNT };
	char dir[256], name[N][40];
	uint64_t seed = check_seed();
	struct diag d = {0};
	static uint8_t data[N][8 * 8 * 8 * 8];
	struct safetensors_entry e[N];
	struct safetensors_pair pair[] = {{"q\"\n", "\\\xc3\xa9\x01"}, {"", ""}};
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a.safetensors");
	for (int i = 0; i < N; i++) {
		int64_t size[3];
		for (int k = 0; k < 3; k++)
			size[k] = (int64_t)(check_random(&seed) % 7 + (i % 5 != 0));
		for (size_t k = 0; k < sizeof data[i]; k++)
			data[i][k] = (uint8_t)check_random(&seed);
		snprintf(name[i], sizeof name[i], "%d \"\\\t\xe2\x82\xac/%d", i % 7, i);
		adze_dtype dtype = (adze_dtype)(i % ADZE_DTYPE_COUNT);
		if (dtype_info(dtype)->safetensors[0] == '\0')
			dtype = ADZE_F4E2M1;
		bool packed = dtype_is_packed(dtype);
		size[2] += packed ? size[2] % 2 : 0; /* whole bytes */
		e[i] = entry(name[i], dtype, packed ? 3 : (int32_t)(check_random(&seed) % 4), size,
			     data[i]);
	}
	for (int round = 0; round < 2; round++) {
		CHECK_MSG(safetensors_write(libc, path.text, e, N, pair, 2, &d) == ADZE_OK, "%s",
			  d.text);
		struct safetensors *s = must_open(path.text);
		CHECK(s->nentry == N && s->nmetadata == 2);
		CHECK(s->file[0].data_start % 64 == 0);
		CHECK(strcmp(safetensors_metadata(s, pair[0].key), pair[0].value) == 0);
		for (int i = 0; i < N; i++) {
			const struct safetensors_entry *got = must_find(s, name[i]);
			CHECK(memcmp(&got->shape, &e[i].shape, sizeof got->shape) == 0);
			CHECK((uintptr_t)got->data % dtype_bytes(got->shape.dtype) == 0);
			CHECK(memcmp(got->data, data[i], got->bytes) == 0);
		}
		safetensors_close(s);
	}
	CHECK(temp_count(dir) == 1);
	temp_remove(dir);
}

/* What was read is written again, over the file that is mapped meanwhile. */
TEST(safetensors_files, rewrite_in_place)
{
	char dir[256];
	struct diag d = {0};
	void *before, *after;
	size_t len, len_after;
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a.safetensors");
	write_one(dir, "a.safetensors", "x", 5);
	CHECK(file_read(libc, path.text, 10000, &d, &before, &len) == ADZE_OK);
	struct safetensors *s = must_open(path.text);
	CHECK(safetensors_write(libc, path.text, s->entry, s->nentry, s->metadata, s->nmetadata,
				&d) == ADZE_OK);
	CHECK(*(const uint8_t *)must_find(s, "x")->data == 5);
	safetensors_close(s);
	CHECK(file_read(libc, path.text, 10000, &d, &after, &len_after) == ADZE_OK);
	CHECK(len == len_after && len % 64 == 1);
	s = must_open(path.text);
	CHECK(*(const uint8_t *)must_find(s, "x")->data == 5);
	safetensors_close(s);
	mem_free_aligned(libc, before);
	mem_free_aligned(libc, after);
	temp_remove(dir);
}

TEST(safetensors_files, writer_refuses)
{
	char dir[256];
	uint8_t byte = 1;
	int64_t huge[2] = {INT64_MAX, 4}, less[1] = {-1}, two[1] = {2}, odd[1] = {3};
	struct safetensors_entry symbol = entry("a", ADZE_U8, 1, two, &byte);
	struct safetensors_entry type = entry("a", ADZE_DTYPE_COUNT, 0, NULL, &byte);
	struct safetensors_entry a = entry("a", ADZE_U8, 0, NULL, &byte);
	strcpy(symbol.shape.dim[0].symbol, "t");
	struct {
		struct safetensors_entry e[2];
		size_t n;
		struct safetensors_pair pair[2];
		adze_status status;
		const char *words;
	} lie[] = {
		{{a, a}, 2, {{0}}, ADZE_E_ARGUMENT, "two tensors 'a'"},
		{{symbol}, 1, {{0}}, ADZE_E_ARGUMENT, "no fixed size"},
		{{type}, 1, {{0}}, ADZE_E_ARGUMENT, "no valid shape"},
		{{entry("a", ADZE_U8, 1, less, &byte)}, 1, {{0}}, ADZE_E_ARGUMENT, "no fixed"},
		{{entry("a", ADZE_U8, 2, huge, &byte)}, 1, {{0}}, ADZE_E_LIMIT, "too large"},
		{{entry("a", ADZE_I4, 1, two, &byte)}, 1, {{0}}, ADZE_E_UNSUPPORTED,
		 "of i4, for which safetensors has no dtype"},
		{{entry("a", ADZE_C128, 1, two, &byte)}, 1, {{0}}, ADZE_E_UNSUPPORTED, "c128"},
		{{entry("a", ADZE_F4E2M1, 1, odd, &byte)}, 1, {{0}}, ADZE_E_UNSUPPORTED,
		 "whole bytes"},
		{{a}, 0, {{"k", "1"}, {"k", "2"}},
		 ADZE_E_ARGUMENT, "two values"},
		{{entry("a", ADZE_U8, 0, NULL, NULL)}, 1, {{0}}, ADZE_E_ARGUMENT, "no data"},
		{{entry("a\xff", ADZE_U8, 0, NULL, &byte)}, 1, {{0}}, ADZE_E_ARGUMENT, "UTF-8"},
		{{entry("__metadata__", ADZE_U8, 0, NULL, &byte)}, 1, {{0}}, ADZE_E_ARGUMENT,
		 "__metadata__"},
		{{a}, 1, {{"k", "\xff"}}, ADZE_E_ARGUMENT, "UTF-8"},
	};
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a.safetensors");
	temp_write(path.text, "old", 3);
	for (size_t i = 0; i < COUNT_OF(lie); i++) {
		struct diag d = {0};
		size_t npair = (size_t)(lie[i].pair[0].key != NULL) + (lie[i].pair[1].key != NULL);
		adze_status status = safetensors_write(libc, path.text, lie[i].e, lie[i].n,
						       lie[i].pair, npair, &d);
		CHECK_MSG(status == lie[i].status, "%zu: status %d %s", i, status, d.text);
		CHECK_MSG(strstr(d.text, lie[i].words) != NULL, "'%s' lacks '%s'", d.text,
			  lie[i].words);
		struct stat st;
		CHECK(temp_count(dir) == 1 && stat(path.text, &st) == 0 && st.st_size == 3);
	}
	temp_remove(dir);
}

TEST(safetensors_files, writer_meets_a_full_disk)
{
	static uint8_t data[100000];
	int64_t size[1] = {sizeof data};
	struct diag d = {0};
	struct safetensors_entry e = entry("a", ADZE_U8, 1, size, data);
	if (!file_exists("/dev/full"))
		SKIP("%s", "there is no /dev/full");
	CHECK(safetensors_write(libc, "/dev/full", &e, 1, NULL, 0, &d) == ADZE_E_IO);
	CHECK_MSG(strstr(d.text, "/dev/full: cannot write it: No space") != NULL, "%s", d.text);
	diag_clear(&d);
	CHECK(safetensors_write(libc, "/no/such/x", &e, 1, NULL, 0, &d) == ADZE_E_NOTFOUND);
	CHECK_MSG(strstr(d.text, "/no/such/x") != NULL, "%s", d.text);
}

/* Memory that cannot be had, at every place where it is asked for. */
TEST(safetensors_files, without_memory)
{
	char dir[256];
	check_temp_dir(dir, sizeof dir);
	write_one(dir, "m-1.safetensors", "a", 1);
	write_one(dir, "m-2.safetensors", "b", 2);
	write_index(dir, "{\"metadata\":{\"n\":1},\"weight_map\":{\"a\":\"m-1.safetensors\","
			 "\"b\":\"m-2.safetensors\"}}");
	struct temp_path out = temp_path(dir, "out.safetensors");
	for (int what = 0; what < 2; what++) {
		adze_status status = ADZE_E_NOMEM;
		long n;
		for (n = 0; status != ADZE_OK && n < 200; n++) {
			struct check_memory memory = {.fail_after = n};
			adze_allocator from = {check_resize, &memory};
			struct diag d = {0};
			struct safetensors *s = NULL;
			uint8_t byte = 1;
			struct safetensors_entry e = entry("a", ADZE_U8, 0, NULL, &byte);
			if (what == 0)
				status = safetensors_open(&from, dir, &d, &s);
			else
				status = safetensors_write(&from, out.text, &e, 1, NULL, 0, &d);
			CHECK_MSG(status == ADZE_OK || status == ADZE_E_NOMEM, "%s", d.text);
			CHECK(status == ADZE_OK || (s == NULL && d.text[0] != '\0'));
			safetensors_close(s);
			CHECK_MSG(memory.live_blocks == 0 && memory.live_bytes == 0,
				  "%ld: %ld bytes", n, memory.live_bytes);
			CHECK(temp_count(dir) == 3u + (what == 1 && status == ADZE_OK));
		}
		CHECK(status == ADZE_OK && n > 1);
	}
	temp_remove(dir);
}
