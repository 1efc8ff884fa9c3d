/* SPDX-License-Identifier: Apache-2.0
 *
 * Files: mapped, read whole, written aside and renamed. The words of a failure name the
 * path and the system's reason; a path that is not there is E_NOTFOUND, memory that
 * cannot be had E_NOMEM, all else E_IO. Nothing is shared between calls, so any thread
 * may call while no other uses the same object.
 */
#ifndef ADZE_FILE_H
#define ADZE_FILE_H

#include "base/mem.h"

/**
 * A regular file mapped read-only. No page becomes resident before it is read. The file
 * may be replaced or removed while it is mapped; shortening it in place is not to be
 * survived (the system answers a read of what is gone with SIGBUS).
 */
struct file_map {
	const void *at; /* never NULL while open, with nothing to read where `bytes` is 0 */
	size_t bytes;
	int fd;         /* until file_map_detach(), else -1 */
};

/** On failure `*out` is closed. */
adze_status file_map_open(const char *path, struct diag *d, struct file_map *out);

/**
 * Bytes of the file by reading instead of through the mapping, so that the pages there
 * stay untouched; possible until file_map_detach(). `path` is for the words. A file that
 * ends too early is E_IO.
 */
adze_status file_map_read(const struct file_map *m, const char *path, size_t offset, void *to,
			  size_t len, struct diag *d);

/** Gives back the descriptor; the mapping stays. */
void file_map_detach(struct file_map *m);

/** Of a closed one: does nothing. */
void file_map_close(struct file_map *m);

/**
 * All bytes of a file, pipe or device, aligned to 64, with a zero byte behind them that
 * `*len` does not count; the caller's, for mem_free_aligned(). More than `limit` bytes:
 * E_LIMIT. NULL and 0 on failure.
 */
adze_status file_read(const adze_allocator *from, const char *path, size_t limit,
		      struct diag *d, void **out, size_t *len);

/**
 * A file that comes to be whole or not at all. Bytes go to `PATH.tmp.PID.RANDOM` in the
 * same folder, which commit renames over PATH; links are followed, and the mode of a
 * file that is replaced is kept. After a crash PATH is what it was, or complete. Where
 * PATH is a device or a pipe there is nothing to rename, and bytes go there at once.
 */
struct file_writer {
	const adze_allocator *from; /* borrowed */
	char *path, *temp;          /* owned; `temp` is NULL where bytes go there at once */
	int fd;                     /* -1: closed */
	/* The reader finds damage and can make the file again: commit does not wait for the
	 * disk. False unless set after opening. */
	bool replaceable;
};

/** On failure `*out` is closed and nothing was made. */
adze_status file_writer_open(const adze_allocator *from, const char *path, struct diag *d,
			     struct file_writer *out);

/** After a failure only discard is of use. */
adze_status file_writer_write(struct file_writer *w, const void *bytes, size_t len,
			      struct diag *d);

/** Brings the bytes to the disk, unless it is replaceable, and renames. On failure all is
 * discarded. */
adze_status file_writer_commit(struct file_writer *w, struct diag *d);

/** Removes what was written. Of a closed one: does nothing. */
void file_writer_discard(struct file_writer *w);

/** open, write and commit. */
adze_status file_write(const adze_allocator *from, const char *path, const void *bytes,
		       size_t len, struct diag *d);

/** Makes the folder and those above it; it may be there already. */
adze_status file_make_folder(const adze_allocator *from, const char *path, struct diag *d);

/** Whether there is a folder, or anything at all, at `path` (links are followed). */
bool file_is_folder(const char *path);
bool file_exists(const char *path);

/** Records the system's `error` (an errno) for "PATH: cannot WHAT: reason". */
adze_status file_fail(struct diag *d, int error, const char *what, const char *path);

#endif
