/* SPDX-License-Identifier: Apache-2.0
 *
 * Executables on disk: found, damaged, stale, unwritable, shared.
 */
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/api_fixture.h"
#include "tests/temp_files.h"

struct cached {
	struct life life;
	char dir[512];
	char log[4096]; /* the lines since it was last cleared */
	pthread_mutex_t lock;
};

static void keep_line(void *self, adze_log_level level, const char *text)
{
	struct cached *k = self;
	static const char letter[] = "EWID";
	pthread_mutex_lock(&k->lock);
	size_t n = strlen(k->log);
	snprintf(k->log + n, sizeof k->log - n, "%c %s\n", letter[level], text);
	pthread_mutex_unlock(&k->lock);
}

static void begin_in(struct cached *k, const char *dir)
{
	adze_config config;
	adze_config_init(&config);
	pthread_mutex_init(&k->lock, NULL);
	k->log[0] = '\0';
	config.log = keep_line;
	config.log_self = k;
	config.log_level = ADZE_LOG_INFO;
	config.cache_dir = dir;
	config.cache_base = NULL;
	life_begin_with(&k->life, &config);
}

static void begin(struct cached *k)
{
	check_temp_dir(k->dir, sizeof k->dir);
	CHECK(k->dir[0] != '\0');
	begin_in(k, k->dir);
}

static void finish(struct cached *k)
{
	life_end(&k->life);
	temp_remove(k->dir);
}

/* Compiles x * factor, runs it, and says whether it came from the cache. */
static bool compile(struct cached *k, const char *factor)
{
	struct life *l = &k->life;
	char text[256];
	adze_graph *g;
	adze_exe *exe;
	adze_module *m;
	k->log[0] = '\0';
	snprintf(text, sizeof text,
		 "graph g(%%x: f32[4]) {\n\t%%1 = const {%s, %s, %s, %s} : f32[4]\n"
		 "\t%%2 = mul %%x, %%1 : f32[4]\n\treturn y=%%2\n}\n",
		 factor, factor, factor, factor);
	OK(l, adze_graph_parse(l->context, text, strlen(text), "g.air", &g));
	OK(l, adze_compile(l->device, g, &exe));
	adze_graph_destroy(g);
	bool hit = adze_exe_was_cached(exe);
	OK(l, adze_bind(exe, NULL, 0, &m));
	adze_exe_destroy(exe);
	const float data[4] = {1, 2, 3, 4};
	float f = strtof(factor, NULL);
	adze_buffer *x = buffer_of(l, ADZE_F32, "4", data), *y = NULL;
	OK(l, adze_call(m, &x, 1, &y, 1, NULL));
	check_floats(y, (const float[]){f, 2 * f, 3 * f, 4 * f}, 4);
	adze_buffer_destroy(x);
	adze_buffer_destroy(y);
	adze_module_destroy(m);
	return hit;
}

/* The path of the one file in the cache; also checks that nothing else is there. */
static struct temp_path only_file(const char *dir)
{
	struct temp_path found = {""};
	DIR *top = opendir(dir);
	CHECK(top != NULL);
	for (struct dirent *e = readdir(top); e != NULL; e = readdir(top)) {
		if (e->d_name[0] == '.')
			continue;
		struct temp_path sub = temp_path(dir, e->d_name);
		DIR *low = opendir(sub.text);
		CHECK(low != NULL && strlen(e->d_name) == 2);
		for (struct dirent *f = readdir(low); f != NULL; f = readdir(low)) {
			if (f->d_name[0] == '.')
				continue;
			CHECK_MSG(found.text[0] == '\0', "more than one file: %s", f->d_name);
			CHECK(strlen(f->d_name) == 37 && strcmp(f->d_name + 32, ".adze") == 0);
			found = temp_path(sub.text, f->d_name);
		}
		closedir(low);
	}
	closedir(top);
	CHECK(found.text[0] != '\0');
	return found;
}

TEST(cache, an_unchanged_graph_is_not_compiled_again)
{
	struct cached k;
	begin(&k);
	CHECK(!compile(&k, "2"));
	CHECK_MSG(strstr(k.log, "I cache: kept") != NULL, "%s", k.log);
	CHECK(compile(&k, "2"));
	CHECK_MSG(strstr(k.log, "I cache: found") != NULL, "%s", k.log);
	/* Another context, as another process has it. */
	life_end(&k.life);
	begin_in(&k, k.dir);
	CHECK(compile(&k, "2"));
	only_file(k.dir);
	CHECK(!compile(&k, "3"));
	CHECK(compile(&k, "3") && compile(&k, "2"));
	finish(&k);
}

TEST(cache, another_device_is_another_key)
{
	struct cached k;
	adze_device *trace, *cpu;
	begin(&k);
	CHECK(!compile(&k, "2"));
	only_file(k.dir);
	OK(&k.life, adze_device_open(k.life.context, "trace", &trace));
	cpu = k.life.device;
	adze_graph *g;
	adze_exe *exe;
	static const char text[] = "graph g(%x: f32[4]) {\n\t%1 = exp %x : f32[4]\n"
				   "\treturn y=%1\n}\n";
	for (int i = 0; i < 4; i++) {
		OK(&k.life, adze_graph_parse(k.life.context, text, sizeof text - 1, NULL, &g));
		OK(&k.life, adze_compile(i % 2 ? trace : cpu, g, &exe));
		CHECK(adze_exe_was_cached(exe) == (i >= 2));
		adze_exe_destroy(exe);
		adze_graph_destroy(g);
	}
	adze_device_close(trace);
	finish(&k);
}

TEST(cache, damaged_files_are_replaced)
{
	struct cached k;
	static unsigned char good[65536], bad[65536];
	begin(&k);
	CHECK(!compile(&k, "2"));
	struct temp_path path = only_file(k.dir);
	FILE *f = fopen(path.text, "rb");
	CHECK(f != NULL);
	size_t n = fread(good, 1, sizeof good, f);
	fclose(f);
	CHECK(n > 200 && n < sizeof good);
	/* Every 13th byte changed in turn; cut short; empty; longer. */
	for (size_t i = 0; i < n + 39; i += 13) {
		size_t len = n;
		memcpy(bad, good, n);
		if (i < n)
			bad[i] ^= 0x10;
		else
			len = i < n + 13 ? n / 2 : i < n + 26 ? 0 : n + 1;
		temp_write(path.text, bad, len);
		bool hit = compile(&k, "2");
		/* Padding between sections belongs to nothing, and says nothing. */
		if (hit) {
			CHECK(i < n && good[i] == 0);
			temp_write(path.text, good, n);
			continue;
		}
		CHECK_MSG(strstr(k.log, "cannot be used, compiling") != NULL, "%s", k.log);
		CHECK(compile(&k, "2"));
	}
	f = fopen(path.text, "rb");
	CHECK(f != NULL && fread(bad, 1, sizeof bad, f) == n && memcmp(good, bad, n) == 0);
	fclose(f);
	finish(&k);
}

TEST(cache, a_file_of_another_graph_is_not_believed)
{
	struct cached k;
	static unsigned char other[65536];
	begin(&k);
	CHECK(!compile(&k, "3"));
	FILE *f = fopen(only_file(k.dir).text, "rb");
	CHECK(f != NULL);
	size_t n = fread(other, 1, sizeof other, f);
	fclose(f);
	temp_remove(k.dir);
	CHECK(mkdir(k.dir, 0777) == 0);
	CHECK(!compile(&k, "2"));
	temp_write(only_file(k.dir).text, other, n);
	CHECK(!compile(&k, "2"));
	CHECK_MSG(strstr(k.log, "another graph") != NULL, "%s", k.log);
	CHECK(compile(&k, "2"));
	finish(&k);
}

TEST(cache, a_folder_that_cannot_be_written_is_a_warning)
{
	struct cached k;
	char path[600];
	begin(&k);
	life_end(&k.life);
	/* A file where the folder should be, which stops root as well. */
	snprintf(path, sizeof path, "%s/file", k.dir);
	temp_write(path, "x", 1);
	begin_in(&k, path);
	CHECK(!compile(&k, "2"));
	CHECK_MSG(strstr(k.log, "W cache: not kept") != NULL, "%s", k.log);
	CHECK(!compile(&k, "2"));
	CHECK(temp_count(k.dir) == 1);
	finish(&k);
}

TEST(cache, none_where_none_is_wanted)
{
	struct cached k;
	check_temp_dir(k.dir, sizeof k.dir);
	begin_in(&k, NULL);
	CHECK(!compile(&k, "2") && !compile(&k, "2"));
	CHECK(strstr(k.log, "cache") == NULL);
	finish(&k);
}

TEST(cache, the_environment_says_where)
{
	adze_config c;
	unsetenv("ADZE_CACHE_DIR");
	setenv("HOME", "/home/x", 1);
	setenv("XDG_CACHE_HOME", "/cache", 1);
	adze_config_init(&c);
	CHECK(strcmp(c.cache_base, "/cache") == 0 && strcmp(c.cache_dir, "adze") == 0);
	setenv("XDG_CACHE_HOME", "not/absolute", 1);
	adze_config_init(&c);
	CHECK(strcmp(c.cache_base, "/home/x") == 0 && strcmp(c.cache_dir, ".cache/adze") == 0);
	setenv("ADZE_CACHE_DIR", "/elsewhere", 1);
	adze_config_init(&c);
	CHECK(c.cache_base == NULL && strcmp(c.cache_dir, "/elsewhere") == 0);
	setenv("ADZE_CACHE_DIR", "off", 1);
	adze_config_init(&c);
	CHECK(c.cache_dir == NULL);
	unsetenv("ADZE_CACHE_DIR");
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	adze_config_init(&c);
	CHECK(c.cache_dir == NULL);
	setenv("ADZE_THREADS", "many", 1);
	adze_config_init(&c);
	CHECK(c.threads == -1);
	setenv("ADZE_THREADS", "3", 1);
	setenv("ADZE_LOG", "debug", 1);
	adze_config_init(&c);
	CHECK(c.threads == 3 && c.log_level == ADZE_LOG_DEBUG);
}

TEST(cache, a_relative_folder_lies_in_the_base)
{
	struct cached k;
	char path[600];
	struct life *l = &k.life;
	check_temp_dir(k.dir, sizeof k.dir);
	adze_config config;
	adze_config_init(&config);
	config.log = NULL;
	config.cache_base = k.dir;
	config.cache_dir = "deep/down";
	life_begin_with(l, &config);
	CHECK(!compile(&k, "2") && compile(&k, "2"));
	snprintf(path, sizeof path, "%s/deep/down", k.dir);
	only_file(path);
	finish(&k);
}

static void *compile_often(void *self)
{
	struct cached *k = self;
	struct life *l = &k->life;
	for (int i = 0; i < 40; i++) {
		char text[128];
		adze_graph *g;
		adze_exe *exe;
		snprintf(text, sizeof text,
			 "graph g(%%x: f32[%d]) {\n\t%%1 = exp %%x : f32[%d]\n\treturn y=%%1\n}\n",
			 1 + i % 5, 1 + i % 5);
		OK(l, adze_graph_parse(l->context, text, strlen(text), NULL, &g));
		OK(l, adze_compile(l->device, g, &exe));
		adze_graph_destroy(g);
		adze_exe_destroy(exe);
	}
	return NULL;
}

TEST(cache, many_compile_at_once)
{
	struct cached k;
	pthread_t thread[6];
	begin(&k);
	for (int i = 0; i < 6; i++)
		CHECK(pthread_create(&thread[i], NULL, compile_often, &k) == 0);
	for (int i = 0; i < 6; i++)
		pthread_join(thread[i], NULL);
	CHECK(strstr(k.log, "W ") == NULL && strstr(k.log, "cannot be used") == NULL);
	finish(&k);
}

TEST(cache, no_memory_at_any_point)
{
	struct cached k;
	begin(&k);
	struct life *l = &k.life;
	static const char text[] = "graph g(%x: f32[4]) {\n\t%1 = exp %x : f32[4]\n"
				   "\treturn y=%1\n}\n";
	adze_graph *g;
	adze_exe *exe;
	OK(l, adze_graph_parse(l->context, text, sizeof text - 1, NULL, &g));
	/* First it is written, then found. */
	for (int round = 0; round < 2; round++) {
		adze_status status = ADZE_E_NOMEM;
		for (long n = 0; status != ADZE_OK; n++) {
			l->memory.fail_after = l->memory.calls + n;
			status = adze_compile(l->device, g, &exe);
			l->memory.fail_after = -1;
			CHECK_MSG(status == ADZE_OK || status == ADZE_E_NOMEM, "%s %s",
				  adze_status_name(status),
				  adze_context_words(l->context, l->words, sizeof l->words));
			CHECK(n < 10000);
		}
		if (round == 1)
			CHECK(adze_exe_was_cached(exe));
		adze_exe_destroy(exe);
		OK(l, adze_compile(l->device, g, &exe));
		adze_exe_destroy(exe);
	}
	adze_graph_destroy(g);
	only_file(k.dir);
	finish(&k);
}
