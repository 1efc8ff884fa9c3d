/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/cuda/cuda_compile.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static adze_status refuse(const struct cuda_api *api, const char *what, int result,
			  struct diag *d)
{
	const char *words = api->nvrtcGetErrorString(result);
	return fail(d, ADZE_E_DEVICE, "NVRTC: %s: %s", what, words != NULL ? words : "unknown");
}

/* The beginning of the log, from its first error on. */
static adze_status refuse_text(const struct cuda_api *api, struct nvrtc_program *program,
			       int result, const adze_allocator *a, struct diag *d)
{
	size_t n = 0;
	char *log = NULL;
	if (api->nvrtcGetProgramLogSize(program, &n) == 0 && n > 0)
		log = mem_new(a, n + 1, 1);
	if (log == NULL || api->nvrtcGetProgramLog(program, log) != 0) {
		mem_free(a, log, n + 1, 1);
		return refuse(api, "it refused generated code", result, d);
	}
	const char *error = strstr(log, "error");
	while (error != NULL && error > log && error[-1] != '\n')
		error--;
	fail(d, ADZE_E_DEVICE, "NVRTC refused generated code: %.600s",
	     error != NULL ? error : log);
	mem_free(a, log, n + 1, 1);
	return ADZE_E_DEVICE;
}

typedef int get_size(struct nvrtc_program *program, size_t *size);
typedef int get_bytes(struct nvrtc_program *program, char *bytes);

static adze_status fetch(const struct cuda_api *api, struct nvrtc_program *program,
			 get_size *size, get_bytes *bytes, struct text *out, struct diag *d)
{
	size_t n = 0, start = out->len;
	int result = size(program, &n);
	if (result != 0)
		return refuse(api, "the size of its result", result, d);
	text_zeros(out, n);
	if (out->failed)
		return fail(d, ADZE_E_NOMEM, "no memory for CUDA machine code");
	result = n > 0 ? bytes(program, out->at + start) : 0;
	return result == 0 ? ADZE_OK : refuse(api, "its result", result, d);
}

adze_status cuda_compile(const struct cuda_api *api, const char *source, uint32_t arch,
			 struct text *cubin, struct text *ptx, struct diag *d)
{
	struct nvrtc_program *program = NULL;
	char target[48];
	const char *const option[] = {target, "--std=c++17", "--fmad=false"};
	snprintf(target, sizeof target, "--gpu-architecture=sm_%" PRIu32, arch);
	int result = api->nvrtcCreateProgram(&program, source, "adze.cu", 0, NULL, NULL);
	if (result != 0)
		return refuse(api, "a new program", result, d);
	adze_status status = ADZE_OK;
	result = api->nvrtcCompileProgram(program, (int)COUNT_OF(option), option);
	if (result != 0)
		status = refuse_text(api, program, result, cubin->from, d);
	if (status == ADZE_OK)
		status = fetch(api, program, api->nvrtcGetCUBINSize, api->nvrtcGetCUBIN, cubin, d);
	if (status == ADZE_OK)
		status = fetch(api, program, api->nvrtcGetPTXSize, api->nvrtcGetPTX, ptx, d);
	api->nvrtcDestroyProgram(&program);
	return status;
}

adze_status cuda_arch_check(const struct cuda_api *api, const adze_allocator *a, uint32_t arch,
			    struct diag *d)
{
	int n = 0;
	if (api->nvrtcGetNumSupportedArchs(&n) != 0 || n < 1 || n > 1000)
		return fail(d, ADZE_E_DEVICE, "NVRTC does not say what it can compile for");
	size_t room = (size_t)n;
	int *list = mem_new(a, room, sizeof *list);
	if (list == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a CUDA device");
	adze_status status = ADZE_E_UNSUPPORTED;
	char words[512];
	size_t at = 0;
	words[0] = '\0';
	if (api->nvrtcGetSupportedArchs(list) != 0)
		n = 0;
	for (int i = 0; i < n; i++) {
		if (list[i] == (int)arch)
			status = ADZE_OK;
		if (at + 16 < sizeof words)
			at += (size_t)snprintf(words + at, sizeof words - at, " sm_%d", list[i]);
	}
	if (status != ADZE_OK)
		fail(d, status, "NVRTC cannot compile for sm_%" PRIu32 "; it can for%s", arch,
		     words);
	mem_free(a, list, room, sizeof *list);
	return status;
}
