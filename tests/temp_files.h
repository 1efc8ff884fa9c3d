/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders and files for one test: made, filled, listed and removed.
 */
#ifndef ADZE_TEMP_FILES_H
#define ADZE_TEMP_FILES_H

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/check.h"

struct temp_path {
	char text[4096];
};

/* FOLDER/NAME, to be used within the expression or kept by value. */
static inline struct temp_path temp_path(const char *folder, const char *name)
{
	struct temp_path p;
	int n = snprintf(p.text, sizeof p.text, "%s/%s", folder, name);
	CHECK(n > 0 && (size_t)n < sizeof p.text);
	return p;
}

static inline void temp_write(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");
	CHECK_MSG(f != NULL, "cannot make %s", path);
	CHECK(fwrite(bytes, 1, len, f) == len);
	CHECK(fclose(f) == 0);
}

/* Entries of the folder, of which there are none after a write that failed. */
static inline size_t temp_count(const char *folder)
{
	size_t n = 0;
	DIR *dir = opendir(folder);
	CHECK(dir != NULL);
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(dir);
	return n;
}

static inline void temp_remove(const char *path)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return;
	if (!S_ISDIR(st.st_mode)) {
		unlink(path);
		return;
	}
	DIR *dir = opendir(path);
	CHECK(dir != NULL);
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			temp_remove(temp_path(path, e->d_name).text);
	closedir(dir);
	rmdir(path);
}

#endif
