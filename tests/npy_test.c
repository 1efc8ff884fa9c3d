/* SPDX-License-Identifier: Apache-2.0
 *
 * src/npy.h against files that NumPy made (tests/data/make_npy.py), and headers that
 * it would not make.
 */
#include "npy.h"

#include <stdlib.h>

#include "base/dtype.h"
#include "base/file.h"
#include "tests/check.h"
#include "tests/temp_files.h"

static const adze_allocator *libc = &mem_libc;

static struct temp_path fixture(const char *name)
{
	struct temp_path p = temp_path(check_source_dir(), "data/npy/");
	CHECK(strlen(p.text) + strlen(name) + 5 < sizeof p.text);
	strcat(p.text, name);
	strcat(p.text, ".npy");
	return p;
}

static const struct {
	const char *name;
	adze_dtype dtype;
	int32_t rank;
	int64_t size[ADZE_MAX_RANK];
	bool is_ours; /* written by us, it is the same file */
} ok[] = {
	{"ok_b1", ADZE_BOOL, 2, {2, 3}, true},
	{"ok_i1", ADZE_I8, 2, {2, 3}, true},
	{"ok_i2", ADZE_I16, 2, {2, 3}, true},
	{"ok_i4", ADZE_I32, 2, {2, 3}, true},
	{"ok_i8", ADZE_I64, 2, {2, 3}, true},
	{"ok_u1", ADZE_U8, 2, {2, 3}, true},
	{"ok_u2", ADZE_U16, 2, {2, 3}, true},
	{"ok_u4", ADZE_U32, 2, {2, 3}, true},
	{"ok_u8", ADZE_U64, 2, {2, 3}, true},
	{"ok_f2", ADZE_F16, 2, {2, 3}, true},
	{"ok_f4", ADZE_F32, 2, {2, 3}, true},
	{"ok_f8", ADZE_F64, 2, {2, 3}, true},
	{"ok_c8", ADZE_C64, 2, {2, 3}, true},
	{"ok_c16", ADZE_C128, 2, {2, 3}, true},
	{"ok_scalar", ADZE_F64, 0, {0}, true},
	{"ok_vector", ADZE_F32, 1, {5}, true},
	{"ok_empty", ADZE_I32, 2, {0, 4}, true},
	{"ok_rank8", ADZE_U8, 8, {1, 2, 1, 2, 1, 2, 1, 2}, true},
	{"ok_version2", ADZE_F32, 2, {2, 3}, false},
	{"ok_version3", ADZE_F32, 2, {2, 3}, false},
};

static double expected(adze_dtype dtype, size_t i)
{
	switch (dtype_info(dtype)->class) {
	case DTYPE_BOOL: return (double)(i % 2);
	case DTYPE_UINT: return (double)i * 3;
	case DTYPE_INT: return (double)i * 3 - 4;
	default: return ((double)i * 3 - 4) / 2;
	}
}

TEST(npy, reads_numpy)
{
	for (size_t k = 0; k < COUNT_OF(ok); k++) {
		struct temp_path path = fixture(ok[k].name);
		struct diag d = {0};
		struct npy n;
		size_t count = 1;
		CHECK_MSG(npy_read(libc, path.text, &d, &n) == ADZE_OK, "%s", d.text);
		CHECK_MSG(n.shape.dtype == ok[k].dtype && n.shape.rank == ok[k].rank, "%s",
			  ok[k].name);
		for (int32_t i = 0; i < n.shape.rank; i++) {
			CHECK_MSG(n.shape.dim[i].size == ok[k].size[i], "%s", ok[k].name);
			count *= (size_t)ok[k].size[i];
		}
		CHECK(n.bytes == count * dtype_bytes(n.shape.dtype));
		CHECK((uintptr_t)n.data % 64 == 0);
		for (size_t i = 0; i < count; i++) {
			double v = dtype_is_float(n.shape.dtype) ||
						   dtype_is_complex(n.shape.dtype)
					   ? dtype_load_float(n.shape.dtype, n.data, i)
					   : (double)dtype_load_int(n.shape.dtype, n.data, i);
			CHECK_MSG(v == expected(n.shape.dtype, i), "%s[%zu] is %g", ok[k].name,
				  i, v);
		}
		npy_close(&n);
		npy_close(&n);
	}
}

TEST(npy, writes_what_numpy_writes)
{
	char dir[256];
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a.npy");
	for (size_t k = 0; k < COUNT_OF(ok); k++) {
		struct diag d = {0};
		struct npy n;
		void *ours, *theirs;
		size_t len, len_theirs;
		if (!ok[k].is_ours)
			continue;
		CHECK(npy_read(libc, fixture(ok[k].name).text, &d, &n) == ADZE_OK);
		CHECK_MSG(npy_write(libc, path.text, &n.shape, n.data, &d) == ADZE_OK, "%s",
			  d.text);
		CHECK(file_read(libc, path.text, 10000, &d, &ours, &len) == ADZE_OK);
		CHECK(file_read(libc, fixture(ok[k].name).text, 10000, &d, &theirs,
				&len_theirs) == ADZE_OK);
		CHECK_MSG(len == len_theirs && memcmp(ours, theirs, len) == 0, "%s", ok[k].name);
		mem_free_aligned(libc, ours);
		mem_free_aligned(libc, theirs);
		npy_close(&n);
	}
	CHECK(temp_count(dir) == 1);
	temp_remove(dir);
}

TEST(npy, refuses_with_words)
{
	static const struct {
		const char *name;
		adze_status status;
		const char *words;
	} no[] = {
		{"no_rank9", ADZE_E_LIMIT, "more than 8 dimensions"},
		{"no_fortran", ADZE_E_UNSUPPORTED, "Fortran order"},
		{"no_big_endian", ADZE_E_UNSUPPORTED, "'>f4' are big-endian"},
		{"no_text", ADZE_E_UNSUPPORTED, "type '<U2'"},
		{"no_record", ADZE_E_UNSUPPORTED, "records"},
		{"absent", ADZE_E_NOTFOUND, "No such file"},
	};
	for (size_t k = 0; k < COUNT_OF(no); k++) {
		struct temp_path path = fixture(no[k].name);
		struct diag d = {0};
		struct npy n;
		adze_status status = npy_read(libc, path.text, &d, &n);
		CHECK_MSG(status == no[k].status, "%s: status %d %s", no[k].name, status, d.text);
		CHECK_MSG(strstr(d.text, no[k].words) != NULL && strstr(d.text, path.text) != NULL,
			  "'%s' lacks '%s' or the path", d.text, no[k].words);
		CHECK(n.data == NULL && n.owned == NULL);
	}
}

#define SMALL(shape) "{'descr': '|u1', 'fortran_order': False, 'shape': " shape "}"

/* A file of version 1.0 with this header and 6 bytes of data, in a block of its own. */
static adze_status read_text(const char *header, struct diag *d, struct npy *n)
{
	size_t len = strlen(header);
	char *file = malloc(10 + len + 6);
	CHECK(file != NULL);
	memcpy(file, "\x93NUMPY\x01\x00", 8);
	file[8] = (char)len;
	file[9] = (char)(len >> 8);
	memcpy(file + 10, header, len);
	memset(file + 10 + len, 7, 6);
	adze_status status = npy_read_memory(file, 10 + len + 6, d, n);
	free(file);
	return status;
}

TEST(npy, headers)
{
	static const struct {
		const char *header;
		adze_status status;
		const char *words;
	} row[] = {
		{SMALL("(6,)"), ADZE_OK, ""},
		{SMALL("(2, 3)") "\n", ADZE_OK, ""},
		{" {\"shape\":(2,3,),\"descr\":'<u1','fortran_order':False,}  \n", ADZE_OK, ""},
		{"{'descr': '>i1', 'fortran_order': False, 'shape': (6,)}", ADZE_OK, ""},
		{SMALL("(7,)"), ADZE_E_FORMAT, "takes 7 bytes, but the file has 6"},
		{SMALL("(5,)"), ADZE_E_FORMAT, "takes 5 bytes, but the file has 6"},
		{SMALL("()"), ADZE_E_FORMAT, "takes 1 bytes"},
		{SMALL("(0, 6)"), ADZE_E_FORMAT, "takes 0 bytes"},
		{SMALL("(6)"), ADZE_E_FORMAT, "not a tuple"},
		{SMALL("(,)"), ADZE_E_FORMAT, "not a tuple"},
		{SMALL("(2 3)"), ADZE_E_FORMAT, "not a tuple"},
		{SMALL("(2,,3)"), ADZE_E_FORMAT, "not a tuple"},
		{SMALL("(-6,)"), ADZE_E_FORMAT, "not a tuple"},
		{SMALL("(6.0,)"), ADZE_E_FORMAT, "not a tuple"},
		{SMALL("[6]"), ADZE_E_FORMAT, "not a tuple"},
		{SMALL("(6"), ADZE_E_FORMAT, "not a tuple"},
		{SMALL("(9223372036854775808,)"), ADZE_E_FORMAT, "not a tuple"},
		{SMALL("(4294967296, 4294967296, 4294967296)"), ADZE_E_FORMAT, "too large"},
		{SMALL("(0, 4294967296, 4294967296, 4294967296)"), ADZE_E_FORMAT, "too large"},
		{SMALL("(1,1,1,1,1,1,1,1,6)"), ADZE_E_LIMIT, "more than 8"},
		{SMALL("(6,)") "x", ADZE_E_FORMAT, "behind"},
		{SMALL("(6,), 'shape': (6,)"), ADZE_E_FORMAT, "'shape' twice"},
		{SMALL("(6,), 'more': 1"), ADZE_E_FORMAT, "'more' that no header has"},
		{"", ADZE_E_FORMAT, "not a dictionary"},
		{"{", ADZE_E_FORMAT, "not a dictionary"},
		{"{}", ADZE_E_FORMAT, "lacks"},
		{"{,}", ADZE_E_FORMAT, "not a dictionary"},
		{"{'descr': '|u1', 'shape': (6,)}", ADZE_E_FORMAT, "lacks"},
		{"{'descr': '|u1' 'shape': (6,)}", ADZE_E_FORMAT, "not a dictionary"},
		{"{'descr': '|u1', 'fortran_order': 0, 'shape': (6,)}", ADZE_E_FORMAT, "neither"},
		{"{'descr': |u1, 'fortran_order': False, 'shape': (6,)}", ADZE_E_FORMAT, "string"},
		{"{'descr': '|u\\x31', 'fortran_order': False, 'shape': (6,)}", ADZE_E_FORMAT,
		 "string"},
		{"{'descr': '', 'fortran_order': False, 'shape': (6,)}", ADZE_E_UNSUPPORTED, "''"},
		{"{'descr': '|O', 'fortran_order': False, 'shape': (6,)}", ADZE_E_UNSUPPORTED,
		 "'|O'"},
		{"{'descr': '|u2', 'fortran_order': False, 'shape': (3,)}", ADZE_E_UNSUPPORTED,
		 "'|u2'"},
		{"{'descr': '<f1', 'fortran_order': False, 'shape': (6,)}", ADZE_E_UNSUPPORTED,
		 "'<f1'"},
		{"{'descr': '=u1', 'fortran_order': False, 'shape': (6,)}", ADZE_E_UNSUPPORTED,
		 "'=u1'"},
		{"__import__('os')", ADZE_E_FORMAT, "not a dictionary"},
	};
	for (size_t k = 0; k < COUNT_OF(row); k++) {
		struct diag d = {0};
		struct npy n;
		adze_status status = read_text(row[k].header, &d, &n);
		CHECK_MSG(status == row[k].status, "%s: status %d %s", row[k].header, status,
			  d.text);
		CHECK_MSG(strstr(d.text, row[k].words) != NULL, "%s: '%s' lacks '%s'",
			  row[k].header, d.text, row[k].words);
	}
}

TEST(npy, truncated)
{
	static const char good[] = "\x93NUMPY\x02\x00\x3d\x00\x00\x00"
				   "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }   \n"
				   "ab";
	CHECK(sizeof good - 1 == 12 + 0x3d + 2);
	for (size_t len = 0; len < sizeof good; len++) {
		struct diag d = {0};
		struct npy n;
		char *part = malloc(len + (len == 0));
		CHECK(part != NULL);
		memcpy(part, good, len);
		adze_status status = npy_read_memory(part, len, &d, &n);
		CHECK_MSG(status == (len == sizeof good - 1 ? ADZE_OK : ADZE_E_FORMAT), "%zu: %s",
			  len, d.text);
		free(part);
	}
	char newer[sizeof good];
	memcpy(newer, good, sizeof good);
	newer[6] = 4;
	struct diag d = {0};
	struct npy n;
	CHECK(npy_read_memory(newer, sizeof good - 1, &d, &n) == ADZE_E_VERSION);
	CHECK_MSG(strstr(d.text, "version 4.0") != NULL, "%s", d.text);
}

/* Data that a header of an odd length puts between two elements is moved. */
TEST(npy, odd_header)
{
	char dir[256], file[200];
	struct diag d = {0};
	struct npy n;
	const char *header = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }";
	double value[2] = {1.5, -2};
	size_t len = strlen(header);
	CHECK((10 + len) % 8 != 0);
	memcpy(file, "\x93NUMPY\x01\x00", 8);
	file[8] = (char)len;
	file[9] = 0;
	memcpy(file + 10, header, len);
	memcpy(file + 10 + len, value, sizeof value);
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a.npy");
	temp_write(path.text, file, 10 + len + sizeof value);
	CHECK_MSG(npy_read(libc, path.text, &d, &n) == ADZE_OK, "%s", d.text);
	CHECK((uintptr_t)n.data % 8 == 0 && memcmp(n.data, value, sizeof value) == 0);
	npy_close(&n);
	temp_remove(dir);
}

TEST(npy, writer_refuses)
{
	char dir[256];
	uint8_t byte[8] = {0};
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a.npy");
	struct {
		adze_shape shape;
		const void *data;
		adze_status status;
		const char *words;
	} no[] = {
		{{.dtype = ADZE_BF16}, byte, ADZE_E_UNSUPPORTED, "no type for bf16"},
		{{.dtype = ADZE_F8E4M3FN}, byte, ADZE_E_UNSUPPORTED, "write a .safetensors"},
		{{.dtype = ADZE_U4}, byte, ADZE_E_UNSUPPORTED, "no type for u4"},
		{{.dtype = ADZE_F4E2M1}, byte, ADZE_E_UNSUPPORTED, "no type for f4e2m1"},
		{{.dtype = ADZE_F8E5M2}, byte, ADZE_E_UNSUPPORTED, "f8e5m2"},
		{{.dtype = ADZE_DTYPE_COUNT}, byte, ADZE_E_ARGUMENT, "no valid shape"},
		{{.rank = ADZE_MAX_RANK + 1}, byte, ADZE_E_ARGUMENT, "no valid shape"},
		{{.dtype = ADZE_F32}, NULL, ADZE_E_ARGUMENT, "no data"},
		{{.dtype = ADZE_F32, .rank = 1, .dim = {{.size = 2, .symbol = "t"}}}, byte,
		 ADZE_E_ARGUMENT, "no fixed size"},
		{{.dtype = ADZE_F32, .rank = 1, .dim = {{.size = -2}}}, byte, ADZE_E_ARGUMENT,
		 "no fixed size"},
		{{.dtype = ADZE_F32, .rank = 1, .dim = {{.size = INT64_MAX}}}, byte, ADZE_E_LIMIT,
		 "too large"},
	};
	for (size_t k = 0; k < COUNT_OF(no); k++) {
		struct diag d = {0};
		adze_status status = npy_write(libc, path.text, &no[k].shape, no[k].data, &d);
		CHECK_MSG(status == no[k].status, "%zu: status %d %s", k, status, d.text);
		CHECK_MSG(strstr(d.text, no[k].words) != NULL, "'%s' lacks '%s'", d.text,
			  no[k].words);
		CHECK(temp_count(dir) == 0);
	}
	adze_shape scalar = {.dtype = ADZE_F32};
	struct diag d = {0};
	if (file_exists("/dev/full")) {
		CHECK(npy_write(libc, "/dev/full", &scalar, byte, &d) == ADZE_E_IO);
		CHECK_MSG(strstr(d.text, "/dev/full: cannot write it: No space") != NULL, "%s",
			  d.text);
	}
	diag_clear(&d);
	path = temp_path(dir, "no/such.npy");
	CHECK(npy_write(libc, path.text, &scalar, byte, &d) == ADZE_E_NOTFOUND);
	CHECK(temp_count(dir) == 0);
	temp_remove(dir);
}

TEST(npy, without_memory)
{
	char dir[256];
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a.npy");
	for (int what = 0; what < 2; what++) {
		adze_status status = ADZE_E_NOMEM;
		long k;
		for (k = 0; status != ADZE_OK && k < 50; k++) {
			struct check_memory memory = {.fail_after = k};
			adze_allocator from = {check_resize, &memory};
			struct diag d = {0};
			struct npy n = {0};
			adze_shape scalar = {.dtype = ADZE_F32};
			float one = 1;
			if (what == 0)
				status = npy_write(&from, path.text, &scalar, &one, &d);
			else
				status = npy_read(&from, path.text, &d, &n);
			CHECK_MSG(status == ADZE_OK || status == ADZE_E_NOMEM, "%s", d.text);
			npy_close(&n);
			CHECK(memory.live_blocks == 0 && memory.live_bytes == 0);
			CHECK(temp_count(dir) == (status == ADZE_OK || what == 1));
		}
		CHECK(status == ADZE_OK && k > 1);
	}
	temp_remove(dir);
}
