/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

adze_status file_fail(struct diag *d, int error, const char *what, const char *path)
{
	adze_status status = error == ENOENT ? ADZE_E_NOTFOUND
			   : error == ENOMEM ? ADZE_E_NOMEM
					     : ADZE_E_IO;
	/* %m is strerror() that threads can share. */
	errno = error;
	return fail(d, status, "%s: cannot %s: %m", path, what);
}

static int open_retry(const char *path, int flags, mode_t mode)
{
	int fd;
	do
		fd = open(path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

bool file_is_folder(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool file_exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}

static adze_status map(int fd, const char *path, struct diag *d, struct file_map *out)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return file_fail(d, errno, "look at it", path);
	if (S_ISDIR(st.st_mode))
		return fail(d, ADZE_E_IO, "%s: is a folder, not a file", path);
	if (!S_ISREG(st.st_mode))
		return fail(d, ADZE_E_IO, "%s: is not a regular file, so cannot be mapped", path);
	if ((uintmax_t)st.st_size > SIZE_MAX / 2)
		return fail(d, ADZE_E_LIMIT, "%s: is larger than the address space", path);
	out->bytes = (size_t)st.st_size;
	out->at = "";
	if (out->bytes > 0) {
		void *at = mmap(NULL, out->bytes, PROT_READ, MAP_SHARED, fd, 0);
		if (at == MAP_FAILED)
			return file_fail(d, errno, "map it", path);
		out->at = at;
	}
	out->fd = fd;
	return ADZE_OK;
}

adze_status file_map_open(const char *path, struct diag *d, struct file_map *out)
{
	*out = (struct file_map){NULL, 0, -1};
	/* O_NONBLOCK: a pipe without a writer must not hang us; it is refused in map(). */
	int fd = open_retry(path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return file_fail(d, errno, "open it", path);
	adze_status status = map(fd, path, d, out);
	if (status != ADZE_OK) {
		close(fd);
		*out = (struct file_map){NULL, 0, -1};
	}
	return status;
}

adze_status file_map_read(const struct file_map *m, const char *path, size_t offset, void *to,
			  size_t len, struct diag *d)
{
	char *at = to;
	while (len > 0) {
		ssize_t n = pread(m->fd, at, len < SSIZE_MAX ? len : SSIZE_MAX, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_fail(d, errno, "read it", path);
		if (n == 0)
			return fail(d, ADZE_E_IO, "%s: became shorter while it was read", path);
		at += n;
		offset += (size_t)n;
		len -= (size_t)n;
	}
	return ADZE_OK;
}

void file_map_detach(struct file_map *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}

void file_map_close(struct file_map *m)
{
	if (m->at == NULL)
		return;
	file_map_detach(m);
	if (m->bytes > 0)
		munmap((void *)(uintptr_t)m->at, m->bytes);
	*m = (struct file_map){NULL, 0, -1};
}

/* Doubles the room of `*at`, up to one byte over the limit; the last byte is for the zero. */
static bool grow(const adze_allocator *from, char **at, size_t *cap, size_t limit)
{
	size_t want = *cap < SIZE_MAX / 4 ? 2 * *cap : SIZE_MAX / 2;
	if (limit < SIZE_MAX / 4 && want > limit + 2)
		want = limit + 2;
	char *more = mem_new_aligned(from, want, 64);
	if (more == NULL)
		return false;
	memcpy(more, *at, *cap);
	mem_free_aligned(from, *at);
	*at = more;
	*cap = want;
	return true;
}

static adze_status read_all(const adze_allocator *from, int fd, const char *path, size_t limit,
			    struct diag *d, char **at, size_t *len)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return file_fail(d, errno, "look at it", path);
	if (S_ISDIR(st.st_mode))
		return fail(d, ADZE_E_IO, "%s: is a folder, not a file", path);
	size_t cap = 4096;
	if (S_ISREG(st.st_mode) && st.st_size > 0) {
		/* One byte for the zero, and one that a read of the end wants. */
		if ((uintmax_t)st.st_size > limit || (uintmax_t)st.st_size > SIZE_MAX / 2)
			return fail(d, ADZE_E_LIMIT, "%s: has %jd bytes; at most %zu are taken",
				    path, (intmax_t)st.st_size, limit);
		cap = (size_t)st.st_size + 2;
	}
	*at = mem_new_aligned(from, cap, 64);
	for (*len = 0; *at != NULL;) {
		if (*len + 1 == cap && !grow(from, at, &cap, limit))
			break;
		size_t room = cap - *len - 1;
		ssize_t n = read(fd, *at + *len, room < SSIZE_MAX ? room : SSIZE_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_fail(d, errno, "read it", path);
		*len += (size_t)n;
		if (*len > limit)
			return fail(d, ADZE_E_LIMIT, "%s: has more than the %zu bytes taken",
				    path, limit);
		if (n == 0) {
			(*at)[*len] = '\0';
			return ADZE_OK;
		}
	}
	return fail(d, ADZE_E_NOMEM, "%s: no memory to read it", path);
}

adze_status file_read(const adze_allocator *from, const char *path, size_t limit,
		      struct diag *d, void **out, size_t *len)
{
	char *at = NULL;
	*out = NULL;
	*len = 0;
	int fd = open_retry(path, O_RDONLY, 0);
	if (fd < 0)
		return file_fail(d, errno, "open it", path);
	adze_status status = read_all(from, fd, path, limit, d, &at, len);
	close(fd);
	if (status != ADZE_OK) {
		mem_free_aligned(from, at);
		*len = 0;
		return status;
	}
	*out = at;
	return ADZE_OK;
}

static char *copy_text(const adze_allocator *from, const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = mem_new(from, len, 1);
	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

static uint64_t random_number(const void *seed)
{
	uint64_t r;
	if (getrandom(&r, sizeof r, GRND_NONBLOCK) != (ssize_t)sizeof r) {
		struct timespec now;
		clock_gettime(CLOCK_REALTIME, &now);
		r = (uint64_t)now.tv_nsec * 0x9e3779b97f4a7c15u ^ (uint64_t)now.tv_sec ^
		    (uint64_t)(uintptr_t)seed;
	}
	return r;
}

static void free_texts(struct file_writer *w)
{
	if (w->path != NULL)
		mem_free(w->from, w->path, strlen(w->path) + 1, 1);
	if (w->temp != NULL)
		mem_free_aligned(w->from, w->temp);
	w->path = w->temp = NULL;
}

static adze_status open_temp(struct file_writer *w, mode_t mode, const char *path,
			     struct diag *d)
{
	size_t cap = strlen(w->path) + 64;
	w->temp = mem_new_aligned(w->from, cap, 1);
	if (w->temp == NULL)
		return fail(d, ADZE_E_NOMEM, "%s: no memory to write it", path);
	int tries = 0;
	do {
		snprintf(w->temp, cap, "%s.tmp.%ld.%016" PRIx64, w->path, (long)getpid(),
			 random_number(w));
		w->fd = open_retry(w->temp, O_WRONLY | O_CREAT | O_EXCL, mode);
	} while (w->fd < 0 && errno == EEXIST && ++tries < 100);
	if (w->fd < 0)
		return file_fail(d, errno, "write it", path);
	return ADZE_OK;
}

adze_status file_writer_open(const adze_allocator *from, const char *path, struct diag *d,
			     struct file_writer *out)
{
	*out = (struct file_writer){from, NULL, NULL, -1, false};
	struct stat st;
	mode_t mode = 0666;
	bool is_there = stat(path, &st) == 0;
	if (is_there && S_ISDIR(st.st_mode))
		return fail(d, ADZE_E_IO, "%s: is a folder, not a file", path);
	if (is_there)
		mode = st.st_mode & 0777;
	/* The target of a link is replaced, not the link. */
	char real[PATH_MAX];
	out->path = copy_text(from, is_there && realpath(path, real) != NULL ? real : path);
	if (out->path == NULL)
		return fail(d, ADZE_E_NOMEM, "%s: no memory to write it", path);
	adze_status status = ADZE_OK;
	if (is_there && !S_ISREG(st.st_mode)) {
		out->fd = open_retry(path, O_WRONLY, 0);
		if (out->fd < 0)
			status = file_fail(d, errno, "write it", path);
	} else {
		status = open_temp(out, mode, path, d);
	}
	if (status != ADZE_OK)
		free_texts(out);
	return status;
}

adze_status file_writer_write(struct file_writer *w, const void *bytes, size_t len,
			      struct diag *d)
{
	const char *at = bytes;
	while (len > 0) {
		ssize_t n = write(w->fd, at, len < SSIZE_MAX ? len : SSIZE_MAX);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return file_fail(d, errno, "write it", w->path);
		at += n;
		len -= (size_t)n;
	}
	return ADZE_OK;
}

adze_status file_writer_commit(struct file_writer *w, struct diag *d)
{
	/* Some file systems have no fsync(); they say EINVAL. */
	if (w->temp != NULL && !w->replaceable && fsync(w->fd) != 0 && errno != EINVAL) {
		adze_status status = file_fail(d, errno, "bring it to the disk", w->path);
		file_writer_discard(w);
		return status;
	}
	/* NFS tells of a full disk as late as here. The descriptor is gone either way. */
	int error = close(w->fd) != 0 && errno != EINTR ? errno : 0;
	w->fd = -1;
	if (error == 0 && w->temp != NULL && rename(w->temp, w->path) != 0)
		error = errno;
	adze_status status = ADZE_OK;
	if (error != 0) {
		status = file_fail(d, error, "write it", w->path);
		if (w->temp != NULL)
			unlink(w->temp);
	}
	free_texts(w);
	return status;
}

void file_writer_discard(struct file_writer *w)
{
	if (w->fd < 0)
		return;
	close(w->fd);
	w->fd = -1;
	if (w->temp != NULL)
		unlink(w->temp);
	free_texts(w);
}

adze_status file_write(const adze_allocator *from, const char *path, const void *bytes,
		       size_t len, struct diag *d)
{
	struct file_writer w;
	TRY(file_writer_open(from, path, d, &w));
	adze_status status = file_writer_write(&w, bytes, len, d);
	if (status == ADZE_OK)
		return file_writer_commit(&w, d);
	file_writer_discard(&w);
	return status;
}

adze_status file_make_folder(const adze_allocator *from, const char *path, struct diag *d)
{
	if (path[0] == '\0')
		return fail(d, ADZE_E_ARGUMENT, "an empty path names no folder");
	char *part = copy_text(from, path);
	if (part == NULL)
		return fail(d, ADZE_E_NOMEM, "%s: no memory to make it", path);
	adze_status status = ADZE_OK;
	char end = '/';
	for (char *at = part + 1; status == ADZE_OK && end != '\0'; at++) {
		if (*at != '/' && *at != '\0')
			continue;
		end = *at;
		*at = '\0';
		/* What is there may be refused for another reason, such as a read-only disk. */
		if (mkdir(part, 0777) != 0 && !file_is_folder(part)) {
			int error = errno == EEXIST ? ENOTDIR : errno;
			status = file_fail(d, error, "make the folder", path);
		}
		*at = end;
	}
	mem_free(from, part, strlen(path) + 1, 1);
	return status;
}
