/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration of a context: defaults, the environment, checks. The one file that
 * reads the environment.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"

#define MAX_THREADS 1024
#define NO_LEVEL ((adze_log_level)(ADZE_LOG_DEBUG + 1))

static const char *const level_name[] = {"error", "warn", "info", "debug"};

static void take_text(const char **field, const char *value)
{
	*field = value;
}

/* What is no number stays for adze_context_create() to refuse. */
static void take_number(int *field, const char *value)
{
	char *end;
	long v = strtol(value, &end, 10);
	*field = *end == '\0' && end != value && v >= 1 && v <= MAX_THREADS ? (int)v : -1;
}

static void take_level(adze_log_level *field, const char *value)
{
	*field = NO_LEVEL;
	for (size_t i = 0; i < COUNT_OF(level_name); i++)
		if (strcmp(value, level_name[i]) == 0)
			*field = (adze_log_level)i;
}

static const char *set_value(const char *name)
{
	const char *v = getenv(name);
	return v != NULL && v[0] != '\0' ? v : NULL;
}

/* The folder that the XDG Base Directory Specification says. */
static void find_cache(adze_config *config)
{
	const char *base = set_value("XDG_CACHE_HOME");
	if (base != NULL && base[0] == '/') {
		config->cache_base = base;
		config->cache_dir = "adze";
	} else if ((base = set_value("HOME")) != NULL) {
		config->cache_base = base;
		config->cache_dir = ".cache/adze";
	}
}

void adze_config_init(adze_config *config)
{
	memset(config, 0, sizeof *config);
	config->log_level = ADZE_LOG_WARN;
	config->blas = config->bind = "auto";
	const char *value;
#define ENV(name, field, otherwise, doc)                       \
	if ((value = set_value(#name)) != NULL)                \
		_Generic(&config->field, const char **: take_text, int *: take_number, \
			 adze_log_level *: take_level)(&config->field, value);
#include "base/env.def"
	if (config->cache_dir == NULL)
		find_cache(config);
	else if (strcmp(config->cache_dir, "off") == 0)
		config->cache_dir = NULL;
}

static bool is_switch(const char *word)
{
	return word == NULL || strcmp(word, "auto") == 0 || strcmp(word, "on") == 0 ||
	       strcmp(word, "off") == 0;
}

/* Which instruction sets kernels may use. */
static adze_status choose_isa(adze_context *c, struct diag *d)
{
	const adze_config *config = &c->config;
	c->isa_mask = cpu_isa_mask();
	unsigned have = c->isa_mask;
	if (config->isa != NULL && !cpu_isa_cap(config->isa, &c->isa_mask))
		return fail(d, ADZE_E_ARGUMENT,
			    "config: there is no instruction set '%s' (scalar, neon, avx2, avx512)",
			    config->isa);
	if (strcmp(config->blas, "off") == 0)
		c->isa_mask &= ~(1u << ISA_BLAS);
	else if (strcmp(config->blas, "on") == 0 && (have >> ISA_BLAS & 1) == 0)
		return fail(d, ADZE_E_UNSUPPORTED, "config: this build has no OpenBLAS");
	return ADZE_OK;
}

static adze_status check(const adze_config *config, struct diag *d)
{
	if (config->threads < 0 || config->threads > MAX_THREADS)
		return fail(d, ADZE_E_ARGUMENT, "config: threads are 1 to %d, or 0", MAX_THREADS);
	if (config->lent < 0 || config->lent >= MAX_THREADS)
		return fail(d, ADZE_E_ARGUMENT, "config: lent threads are 0 to %d",
			    MAX_THREADS - 1);
	if ((unsigned)config->log_level > ADZE_LOG_DEBUG)
		return fail(d, ADZE_E_ARGUMENT,
			    "config: the log level is error, warn, info or debug");
	if (!is_switch(config->blas) || !is_switch(config->bind))
		return fail(d, ADZE_E_ARGUMENT, "config: blas and bind are auto, on or off");
	return ADZE_OK;
}

static bool keep(struct arena *arena, const char **text, const char *otherwise)
{
	const char *from = *text != NULL ? *text : otherwise;
	*text = from != NULL ? arena_text(arena, from, strlen(from)) : NULL;
	return from == NULL || *text != NULL;
}

/* Joins cache_base and cache_dir, so that the rest has one path. */
static bool keep_cache(struct arena *arena, adze_config *config)
{
	const char *base = config->cache_base, *dir = config->cache_dir;
	config->cache_base = NULL;
	if (base == NULL || dir == NULL || dir[0] == '/')
		return keep(arena, &config->cache_dir, NULL);
	size_t n = strlen(base), m = strlen(dir);
	char *path = arena_new(arena, n + m + 2, 1);
	config->cache_dir = path;
	if (path == NULL)
		return false;
	memcpy(path, base, n);
	path[n] = '/';
	memcpy(path + n + 1, dir, m);
	return true;
}

static adze_status fill(adze_context *c, const adze_config *config, struct diag *d)
{
	c->config = *config;
	c->config.allocator = c->mem;
	adze_config *k = &c->config;
	TRY(check(config, d));
	if (!keep(&c->arena, &k->isa, NULL) || !keep(&c->arena, &k->blas, "auto") ||
	    !keep(&c->arena, &k->bind, "auto") || !keep(&c->arena, &k->nvrtc, NULL) ||
	    !keep(&c->arena, &k->libcuda, NULL) || !keep(&c->arena, &k->cublaslt, NULL) ||
	    !keep_cache(&c->arena, k))
		return fail(d, ADZE_E_NOMEM, "no memory for a context");
	return choose_isa(c, d);
}

adze_status adze_context_create(const adze_config *config, adze_context **out)
{
	adze_config own;
	struct diag d = {ADZE_OK, ""};
	*out = NULL;
	if (config == NULL) {
		adze_config_init(&own);
		config = &own;
	}
	adze_allocator mem = config->allocator.resize != NULL ? config->allocator : mem_libc;
	adze_context *c = mem_new(&mem, 1, sizeof *c);
	if (c == NULL)
		return ADZE_E_NOMEM;
	c->mem = mem;
	arena_init(&c->arena, &c->mem);
	adze_status status = fill(c, config, &d);
	if (status == ADZE_OK && pthread_mutex_init(&c->lock, NULL) != 0)
		status = fail(&d, ADZE_E_NOMEM, "no mutex for a context");
	if (status != ADZE_OK) {
		/* There is no context to keep the words. */
		if (config->log != NULL)
			config->log(config->log_self, ADZE_LOG_ERROR, d.text);
		arena_fini(&c->arena);
		mem_free(&mem, c, 1, sizeof *c);
		return status;
	}
	*out = c;
	return ADZE_OK;
}

adze_status adze_context_destroy(adze_context *c)
{
	if (c == NULL)
		return ADZE_OK;
	pthread_mutex_lock(&c->lock);
	int live = c->live;
	pthread_mutex_unlock(&c->lock);
	if (live > 0)
		return context_fail(c, ADZE_E_ARGUMENT,
				    "the context cannot go: %d devices, stores or other things "
				    "of it are still there", live);
	pthread_mutex_destroy(&c->lock);
	arena_fini(&c->arena);
	adze_allocator mem = c->mem;
	mem_free(&mem, c, 1, sizeof *c);
	return ADZE_OK;
}
