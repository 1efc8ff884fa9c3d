/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "devices/cuda/cuda_api.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

#define MAX_NAMES 4

/* The names of each library, the default first. */
static const char *const names[CUDA_LIBRARY_COUNT][MAX_NAMES] = {
#define LIBRARY(id, config, ...) {__VA_ARGS__},
#define CALL(library, result, name, params)
#include "devices/cuda/cuda_api.def"
};

static const char *configured(const adze_context *c, enum cuda_library which)
{
	switch (which) {
#define LIBRARY(id, member, ...) \
	case CUDA_LIBRARY_##id: return c->config.member;
#define CALL(library, result, name, params)
#include "devices/cuda/cuda_api.def"
	default: return NULL;
	}
}

/* Where a call is looked up, and where its address goes. */
struct call {
	enum cuda_library library;
	const char *name;
	size_t at;
};

static const struct call calls[] = {
#define LIBRARY(id, config, ...)
#define CALL(library, result, name, params) \
	{CUDA_LIBRARY_##library, #name, offsetof(struct cuda_api, name)},
#include "devices/cuda/cuda_api.def"
};

/* Looks at the program itself, which comes first. */
static int find_loader(struct dl_phdr_info *info, size_t size, void *self)
{
	bool *found = self;
	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		*found |= info->dlpi_phdr[i].p_type == PT_INTERP;
	return 1;
}

/* NVRTC crashes in a program that is linked without the dynamic loader. */
static bool has_loader(void)
{
	bool found = false;
	dl_iterate_phdr(find_loader, &found);
	return found;
}

static adze_status open_one(struct cuda_api *api, enum cuda_library which, const char *name,
			    struct diag *d)
{
	/* They stay mapped: NVRTC leaves memory behind each time it is unloaded. */
	void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (library == NULL)
		return fail(d, ADZE_E_DEVICE, "%s not found", name);
	for (size_t i = 0; i < COUNT_OF(calls); i++) {
		if (calls[i].library != which)
			continue;
		void *address = dlsym(library, calls[i].name);
		if (address == NULL) {
			dlclose(library);
			return fail(d, ADZE_E_DEVICE, "%s lacks %s", name, calls[i].name);
		}
		/* POSIX lets a data pointer of dlsym() hold a function. */
		memcpy((char *)api + calls[i].at, &address, sizeof address);
	}
	api->library[which] = library;
	return ADZE_OK;
}

adze_status cuda_api_open(struct cuda_api *api, const adze_context *c, enum cuda_library which,
			  struct diag *d)
{
	const char *wanted = configured(c, which);
	if (api->library[which] != NULL)
		return ADZE_OK;
	if (!has_loader())
		return fail(d, ADZE_E_DEVICE, "a statically linked program cannot open %s",
			    names[which][0]);
	if (wanted != NULL && wanted[0] != '\0' && strcmp(wanted, names[which][0]) != 0)
		return open_one(api, which, wanted, d);
	struct diag first = {ADZE_OK, ""};
	for (int i = 0; i < MAX_NAMES && names[which][i] != NULL; i++)
		if (open_one(api, which, names[which][i], &first) == ADZE_OK)
			return ADZE_OK;
	return fail(d, first.status, "%s", first.text);
}

void cuda_api_close(struct cuda_api *api)
{
	for (int i = 0; i < CUDA_LIBRARY_COUNT; i++)
		if (api->library[i] != NULL)
			dlclose(api->library[i]);
	memset(api, 0, sizeof *api);
}
