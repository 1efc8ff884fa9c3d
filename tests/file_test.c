/* SPDX-License-Identifier: Apache-2.0
 *
 * src/base/file.h: mapping, reading, and writing that leaves no half of a file.
 */
#include "base/file.h"

#include <stdlib.h>

#include "tests/check.h"
#include "tests/temp_files.h"

static const adze_allocator *libc = &mem_libc;

/* What a failure must say. */
static void check_words(const struct diag *d, adze_status status, const char *path,
			const char *words)
{
	CHECK_MSG(d->status == status, "status %d, not %d: %s", d->status, status, d->text);
	CHECK_MSG(strstr(d->text, path) != NULL, "'%s' does not name %s", d->text, path);
	CHECK_MSG(strstr(d->text, words) != NULL, "'%s' lacks '%s'", d->text, words);
}

TEST(file, maps)
{
	char dir[256];
	struct diag d = {0};
	struct file_map m;
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a");
	temp_write(path.text, "hello", 5);
	CHECK(file_map_open(path.text, &d, &m) == ADZE_OK);
	CHECK(m.bytes == 5 && memcmp(m.at, "hello", 5) == 0);
	char some[3];
	CHECK(file_map_read(&m, path.text, 1, some, 3, &d) == ADZE_OK);
	CHECK(memcmp(some, "ell", 3) == 0);
	CHECK(file_map_read(&m, path.text, 4, some, 3, &d) == ADZE_E_IO);
	file_map_detach(&m);
	CHECK(m.fd == -1 && memcmp(m.at, "hello", 5) == 0);
	file_map_close(&m);
	file_map_close(&m);
	temp_write(path.text, "", 0);
	diag_clear(&d);
	CHECK(file_map_open(path.text, &d, &m) == ADZE_OK);
	CHECK(m.bytes == 0 && m.at != NULL);
	file_map_close(&m);
	temp_remove(dir);
}

TEST(file, map_failures)
{
	char dir[256];
	struct diag d = {0};
	struct file_map m;
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "absent");
	CHECK(file_map_open(path.text, &d, &m) == ADZE_E_NOTFOUND && m.at == NULL);
	check_words(&d, ADZE_E_NOTFOUND, path.text, "No such file");
	diag_clear(&d);
	CHECK(file_map_open(dir, &d, &m) == ADZE_E_IO && m.at == NULL);
	check_words(&d, ADZE_E_IO, dir, "is a folder");
	diag_clear(&d);
	CHECK(mkfifo(path.text, 0600) == 0);
	CHECK(file_map_open(path.text, &d, &m) == ADZE_E_IO);
	check_words(&d, ADZE_E_IO, path.text, "regular");
	temp_remove(dir);
}

TEST(file, reads)
{
	char dir[256];
	struct diag d = {0};
	void *at;
	size_t len;
	static char big[100000];
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a");
	memset(big, 'x', sizeof big);
	temp_write(path.text, big, sizeof big);
	CHECK(file_read(libc, path.text, sizeof big, &d, &at, &len) == ADZE_OK);
	CHECK(len == sizeof big && memcmp(at, big, len) == 0);
	CHECK((uintptr_t)at % 64 == 0 && ((char *)at)[len] == '\0');
	mem_free_aligned(libc, at);
	CHECK(file_read(libc, path.text, sizeof big - 1, &d, &at, &len) == ADZE_E_LIMIT);
	CHECK(at == NULL && len == 0);
	check_words(&d, ADZE_E_LIMIT, path.text, "99999");
	temp_write(path.text, "", 0);
	diag_clear(&d);
	CHECK(file_read(libc, path.text, 0, &d, &at, &len) == ADZE_OK);
	CHECK(len == 0 && *(char *)at == '\0');
	mem_free_aligned(libc, at);
	temp_remove(dir);
}

/* Its size is not known before its end. */
TEST(file, reads_devices)
{
	struct diag d = {0};
	void *at;
	size_t len;
	CHECK(file_read(libc, "/dev/zero", 1000000, &d, &at, &len) == ADZE_E_LIMIT);
	diag_clear(&d);
	CHECK(file_read(libc, "/dev/null", 1000000, &d, &at, &len) == ADZE_OK);
	CHECK(len == 0);
	mem_free_aligned(libc, at);
}

TEST(file, writes_aside)
{
	char dir[256];
	struct diag d = {0};
	struct file_writer w;
	void *at;
	size_t len;
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a");
	temp_write(path.text, "old", 3);
	CHECK(chmod(path.text, 0600) == 0);
	CHECK(file_writer_open(libc, path.text, &d, &w) == ADZE_OK);
	CHECK(file_writer_write(&w, "ne", 2, &d) == ADZE_OK);
	CHECK(file_writer_write(&w, "w", 1, &d) == ADZE_OK);
	CHECK(temp_count(dir) == 2);
	CHECK(file_read(libc, path.text, 100, &d, &at, &len) == ADZE_OK);
	CHECK(len == 3 && memcmp(at, "old", 3) == 0);
	mem_free_aligned(libc, at);
	CHECK(file_writer_commit(&w, &d) == ADZE_OK);
	file_writer_discard(&w);
	CHECK(temp_count(dir) == 1);
	CHECK(file_read(libc, path.text, 100, &d, &at, &len) == ADZE_OK);
	CHECK(len == 3 && memcmp(at, "new", 3) == 0);
	mem_free_aligned(libc, at);
	struct stat st;
	CHECK(stat(path.text, &st) == 0 && (st.st_mode & 0777) == 0600);
	CHECK(file_writer_open(libc, path.text, &d, &w) == ADZE_OK);
	CHECK(file_writer_write(&w, "unwanted", 8, &d) == ADZE_OK);
	file_writer_discard(&w);
	CHECK(temp_count(dir) == 1);
	CHECK(stat(path.text, &st) == 0 && st.st_size == 3);
	temp_remove(dir);
}

TEST(file, replaces_what_a_link_means)
{
	char dir[256];
	struct diag d = {0};
	struct stat st;
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a");
	struct temp_path link = temp_path(dir, "link");
	temp_write(path.text, "old", 3);
	CHECK(symlink("a", link.text) == 0);
	CHECK(file_write(libc, link.text, "newer", 5, &d) == ADZE_OK);
	CHECK(lstat(link.text, &st) == 0 && S_ISLNK(st.st_mode));
	CHECK(stat(path.text, &st) == 0 && st.st_size == 5);
	CHECK(temp_count(dir) == 2);
	temp_remove(dir);
}

TEST(file, write_failures)
{
	char dir[256];
	struct diag d = {0};
	struct file_writer w;
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "no/such");
	CHECK(file_write(libc, path.text, "x", 1, &d) == ADZE_E_NOTFOUND);
	check_words(&d, ADZE_E_NOTFOUND, path.text, "No such file");
	diag_clear(&d);
	CHECK(file_write(libc, dir, "x", 1, &d) == ADZE_E_IO);
	check_words(&d, ADZE_E_IO, dir, "is a folder");
	/* A folder comes to be at the path after the writer was opened. */
	path = temp_path(dir, "a");
	diag_clear(&d);
	CHECK(file_writer_open(libc, path.text, &d, &w) == ADZE_OK);
	CHECK(mkdir(path.text, 0700) == 0);
	CHECK(file_writer_commit(&w, &d) == ADZE_E_IO);
	check_words(&d, ADZE_E_IO, path.text, "directory");
	CHECK(temp_count(dir) == 1);
	temp_remove(dir);
}

TEST(file, full_disk)
{
	struct diag d = {0};
	struct stat before, after;
	if (stat("/dev/full", &before) != 0)
		SKIP("%s", "there is no /dev/full");
	CHECK(file_write(libc, "/dev/full", "x", 1, &d) == ADZE_E_IO);
	check_words(&d, ADZE_E_IO, "/dev/full", "No space left");
	CHECK(stat("/dev/full", &after) == 0 && after.st_rdev == before.st_rdev);
}

TEST(file, makes_folders)
{
	char dir[256];
	struct diag d = {0};
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a//b/c/");
	CHECK(file_make_folder(libc, path.text, &d) == ADZE_OK);
	CHECK(file_make_folder(libc, path.text, &d) == ADZE_OK);
	CHECK(file_is_folder(temp_path(dir, "a/b/c").text));
	CHECK(file_make_folder(libc, "/", &d) == ADZE_OK);
	struct temp_path file = temp_path(dir, "a/file");
	temp_write(file.text, "", 0);
	CHECK(!file_is_folder(file.text) && file_exists(file.text));
	path = temp_path(dir, "a/file/b");
	CHECK(file_make_folder(libc, path.text, &d) == ADZE_E_IO);
	check_words(&d, ADZE_E_IO, path.text, "Not a directory");
	diag_clear(&d);
	CHECK(file_make_folder(libc, "", &d) == ADZE_E_ARGUMENT);
	temp_remove(dir);
}

TEST(file, without_memory)
{
	char dir[256];
	struct temp_path path = temp_path(check_temp_dir(dir, sizeof dir), "a");
	long n;
	adze_status status = ADZE_E_NOMEM;
	temp_write(path.text, "old", 3);
	for (n = 0; status != ADZE_OK && n < 20; n++) {
		struct check_memory memory = {.fail_after = n};
		adze_allocator from = {check_resize, &memory};
		struct diag d = {0};
		status = file_write(&from, path.text, "new", 3, &d);
		CHECK(status == ADZE_OK || status == ADZE_E_NOMEM);
		CHECK(memory.live_blocks == 0 && temp_count(dir) == 1);
	}
	CHECK(status == ADZE_OK && n > 1);
	temp_remove(dir);
}
