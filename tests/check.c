/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#if !HAVE_CRITERION
static struct check_test *first;

void check_add(struct check_test *t)
{
	t->next = first;
	first = t;
}

static void say(const char *before, const char *format, va_list args)
{
	fputs(before, stdout);
	vprintf(format, args);
	putchar('\n');
	fflush(stdout);
}

void check_fail(const char *file, int line, const char *format, ...)
{
	char before[512];
	snprintf(before, sizeof before, "# %s:%d: ", file, line);
	va_list args;
	va_start(args, format);
	say(before, format, args);
	va_end(args);
	_exit(1);
}

void check_skip(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	say("# skipped: ", format, args);
	va_end(args);
	_exit(77);
}

int main(int argc, char **argv)
{
	const char *only = NULL;
	int n = 0, failed = 0, at = 0;
	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "--filter") == 0)
			only = argv[i + 1];
	for (struct check_test *t = first; t != NULL; t = t->next)
		n += only == NULL || strstr(t->name, only) != NULL;
	printf("1..%d\n", n);
	for (struct check_test *t = first; t != NULL; t = t->next) {
		if (only != NULL && strstr(t->name, only) == NULL)
			continue;
		fflush(stdout);
		pid_t child = fork();
		if (child == 0) {
			t->run();
			exit(0);
		}
		int status = 1;
		waitpid(child, &status, 0);
		int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		printf("%s %d - %s::%s%s\n", code == 0 || code == 77 ? "ok" : "not ok", ++at,
		       t->suite, t->name, code == 77 ? " # SKIP see above" : "");
		failed += code != 0 && code != 77;
	}
	return failed != 0 || n == 0;
}
#endif

uint64_t check_seed(void)
{
	const char *text = getenv("ADZE_SEED");
	return text != NULL ? strtoull(text, NULL, 0) : 20240917;
}

uint64_t check_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

float check_random_float(uint64_t *state)
{
	return (float)(check_random(state) >> 40) * 0x1p-23f - 1.0f;
}

double check_ulp(float a, float b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) && isnan(b) ? 0 : 1e30;
	int32_t i, j;
	memcpy(&i, &a, sizeof i);
	memcpy(&j, &b, sizeof j);
	int64_t x = i < 0 ? (int64_t)INT32_MIN - i : i;
	int64_t y = j < 0 ? (int64_t)INT32_MIN - j : j;
	return fabs((double)(x - y));
}

double check_ulp64(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) && isnan(b) ? 0 : 1e30;
	int64_t i, j;
	memcpy(&i, &a, sizeof i);
	memcpy(&j, &b, sizeof j);
	double x = i < 0 ? (double)(INT64_MIN - i) : (double)i;
	double y = j < 0 ? (double)(INT64_MIN - j) : (double)j;
	int64_t close = (i < 0) == (j < 0) ? i - j : 0;
	return (i < 0) == (j < 0) ? fabs((double)close) : fabs(x - y);
}

const char *check_source_dir(void)
{
	const char *dir = getenv("ADZE_TESTS");
	return dir != NULL ? dir : TESTS_DIR;
}

const char *check_shared_data(void)
{
	static char path[4096];
	struct stat st;
	const char *dir = getenv("ADZE_SHARED_DATA");
	if (dir != NULL)
		snprintf(path, sizeof path, "%s", dir);
	else
		snprintf(path, sizeof path, "%s/../../shared/data", check_source_dir());
	return stat(path, &st) == 0 ? path : NULL;
}

char *check_temp_dir(char *out, size_t cap)
{
	const char *base = getenv("TMPDIR");
	snprintf(out, cap, "%s/adze-test-XXXXXX", base != NULL ? base : "/tmp");
	if (mkdtemp(out) == NULL)
		out[0] = '\0';
	return out;
}

void *check_resize(void *self, void *ptr, size_t old_size, size_t new_size)
{
	struct check_memory *m = self;
	if (new_size == 0) {
		__atomic_fetch_sub(&m->live_blocks, ptr != NULL, __ATOMIC_SEQ_CST);
		__atomic_fetch_sub(&m->live_bytes, (long)old_size, __ATOMIC_SEQ_CST);
		free(ptr);
		return NULL;
	}
	long call = __atomic_fetch_add(&m->calls, 1, __ATOMIC_SEQ_CST);
	if (m->fail_after >= 0 && call >= m->fail_after)
		return NULL;
	void *p = realloc(ptr, new_size);
	if (p != NULL) {
		__atomic_fetch_add(&m->live_blocks, ptr == NULL, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&m->live_bytes, (long)new_size - (long)old_size,
				   __ATOMIC_SEQ_CST);
	}
	return p;
}
