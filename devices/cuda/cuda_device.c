/* SPDX-License-Identifier: Apache-2.0
 *
 * The driver for NVIDIA GPUs. This build compiles for them, which needs NVRTC and no GPU; it
 * does not run there, and says so wherever it is asked to.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "devices/cuda/cuda_compile.h"
#include "devices/cuda/cuda_emit.h"
#include "devices/device.h"

#define DEFAULT_ARCH 80
#define CANNOT_RUN "this build compiles for CUDA but does not run there"

/* Attributes of cuDeviceGetAttribute(). */
enum { ATTRIBUTE_MAJOR = 75, ATTRIBUTE_MINOR = 76 };

struct cuda_device {
	struct adze_device base;
	struct cuda_api api;
	uint32_t arch;
};

struct cuda_loaded {
	struct arena arena;
	struct cuda_code code;
};

static adze_status parse_target(const char *target, uint32_t *arch, struct diag *d)
{
	*arch = DEFAULT_ARCH;
	if (target == NULL)
		return ADZE_OK;
	size_t n = strncmp(target, "sm_", 3) == 0 ? strspn(target + 3, "0123456789") : 0;
	if (n < 2 || n > 3 || target[3 + n] != '\0' || target[3] == '0')
		return fail(d, ADZE_E_ARGUMENT,
			    "device cuda: '%.60s' is no target; one is sm_ and two or three "
			    "digits, such as sm_%d", target, DEFAULT_ARCH);
	*arch = 0;
	for (size_t i = 0; i < n; i++)
		*arch = 10 * *arch + (uint32_t)(target[3 + i] - '0');
	return ADZE_OK;
}

/* ---- what there is on this machine ---- */

/* Words on the driver and its first device; false where there is none. */
static bool describe_driver(adze_context *c, struct text *out)
{
	struct cuda_api api = {0};
	struct diag d = {ADZE_OK, ""};
	int version = 0, n = 0, device = 0, major = 0, minor = 0;
	char name[128] = "";
	bool found = false;
	if (cuda_api_open(&api, c, CUDA_LIBRARY_CUDA, &d) != ADZE_OK) {
		text_add(out, "no driver (%s)", d.text);
		return false;
	}
	int result = api.cuInit(0);
	if (result != 0)
		text_add(out, "the driver does not start (cuInit gives %d)", result);
	else if (api.cuDeviceGetCount(&n) != 0 || n < 1)
		text_add(out, "the driver reports no device");
	else if (api.cuDriverGetVersion(&version) != 0 || api.cuDeviceGet(&device, 0) != 0 ||
		 api.cuDeviceGetName(name, sizeof name, device) != 0 ||
		 api.cuDeviceGetAttribute(&major, ATTRIBUTE_MAJOR, device) != 0 ||
		 api.cuDeviceGetAttribute(&minor, ATTRIBUTE_MINOR, device) != 0)
		text_add(out, "the driver does not describe its device");
	else
		found = true;
	name[sizeof name - 1] = '\0';
	if (found)
		text_add(out, "driver for CUDA %d.%d, %d device%s, the first: %s, sm_%d%d",
			 version / 1000, version % 1000 / 10, n, n == 1 ? "" : "s", name, major,
			 minor);
	cuda_api_close(&api);
	return found;
}

static void describe_compiler(adze_context *c, struct text *out)
{
	struct cuda_api api = {0};
	struct diag d = {ADZE_OK, ""};
	int major = 0, minor = 0;
	if (cuda_api_open(&api, c, CUDA_LIBRARY_NVRTC, &d) != ADZE_OK)
		text_add(out, "cannot compile: NVRTC not found (%s)", d.text);
	else if (api.nvrtcVersion(&major, &minor) != 0)
		text_add(out, "cannot compile: NVRTC does not give its version");
	else
		text_add(out, "can compile, with NVRTC %d.%d", major, minor);
	cuda_api_close(&api);
}

/* Only where there is a device: opening this library takes long. */
static void describe_products(adze_context *c, struct text *out)
{
	struct cuda_api api = {0};
	struct diag d = {ADZE_OK, ""};
	if (cuda_api_open(&api, c, CUDA_LIBRARY_CUBLASLT, &d) != ADZE_OK)
		text_add(out, "; no matrix products (%s)", d.text);
	else
		text_add(out, "; cuBLASLt %zu", api.cublasLtGetVersion());
	cuda_api_close(&api);
}

static bool describe(adze_context *c, struct text *out)
{
	text_add(out, "cannot run: ");
	if (describe_driver(c, out)) {
		describe_products(c, out);
		text_add(out, "; " CANNOT_RUN);
	}
	text_add(out, "; ");
	describe_compiler(c, out);
	return false;
}

/* ---- open, close ---- */

static adze_status open_device(adze_context *c, const char *target, adze_device **out,
			       struct diag *d)
{
	struct diag why = {ADZE_OK, ""};
	uint32_t arch;
	*out = NULL;
	TRY(parse_target(target, &arch, d));
	struct cuda_device *dev = mem_new(&c->mem, 1, sizeof *dev);
	if (dev == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a CUDA device");
	adze_status status = cuda_api_open(&dev->api, c, CUDA_LIBRARY_NVRTC, &why);
	if (status != ADZE_OK)
		fail(d, status, "device cuda: NVRTC not found: %s", why.text);
	else if ((status = cuda_arch_check(&dev->api, &c->mem, arch, &why)) != ADZE_OK)
		fail(d, status, "device cuda: %s", why.text);
	if (status != ADZE_OK) {
		cuda_api_close(&dev->api);
		mem_free(&c->mem, dev, 1, sizeof *dev);
		return status;
	}
	dev->arch = arch;
	dev->base.context = c;
	snprintf(dev->base.target, sizeof dev->base.target, "sm_%" PRIu32, arch);
	snprintf(dev->base.run_words, sizeof dev->base.run_words, "%s", CANNOT_RUN);
	*out = &dev->base;
	return ADZE_OK;
}

static void close_device(adze_device *d)
{
	struct cuda_device *dev = (struct cuda_device *)d;
	cuda_api_close(&dev->api);
	mem_free(&d->context->mem, dev, 1, sizeof *dev);
}

/* ---- compile, load ---- */

static adze_status compile(adze_device *d, const adze_graph *g, const struct exe_beside *beside,
			   struct text *out, struct diag *diag)
{
	const struct cuda_device *dev = (const struct cuda_device *)d;
	struct cuda_program program;
	struct exe_writer w;
	exe_writer_init(&w, out->from);
	adze_status status = cuda_emit(g, dev->arch, &program, diag);
	if (status == ADZE_OK && program.source.len > 0)
		status = cuda_compile(&dev->api, program.source.at, dev->arch,
				      &w.section[EXE_CUBIN], &w.section[EXE_PTX], diag);
	if (status == ADZE_OK) {
		cuda_code_write(&program.code, &w.section[EXE_CODE]);
		text_bytes(&w.section[EXE_CONSTS], program.consts.at, program.consts.len);
		exe_write_graph(&w, g, (uint64_t)g->arena_bytes, "cuda", d->target, beside);
		context_log(d->context, ADZE_LOG_INFO,
			    "cuda: %" PRIu32 " kernels in %" PRIu32 " steps, %zu bytes for %s",
			    program.code.nkernel, program.code.nstep, w.section[EXE_CUBIN].len,
			    d->target);
		status = exe_write(&w, out, diag);
	}
	cuda_program_fini(&program);
	exe_writer_fini(&w);
	return status;
}

static adze_status load(adze_device *d, const struct exe_file *file, void **out,
			struct diag *diag)
{
	struct cuda_loaded *l = mem_new(&d->context->mem, 1, sizeof *l);
	*out = NULL;
	if (l == NULL)
		return fail(diag, ADZE_E_NOMEM, "no memory to load CUDA code");
	arena_init(&l->arena, &d->context->mem);
	adze_status status = cuda_code_read(file, &l->arena, &l->code, diag);
	if (status == ADZE_OK && l->code.arch != ((struct cuda_device *)d)->arch)
		status = fail(diag, ADZE_E_VERSION, "CUDA code for sm_%" PRIu32 ", and this is %s",
			      l->code.arch, d->target);
	if (status != ADZE_OK) {
		arena_fini(&l->arena);
		mem_free(&d->context->mem, l, 1, sizeof *l);
		return status;
	}
	*out = l;
	return ADZE_OK;
}

static void unload(adze_device *d, void *loaded)
{
	struct cuda_loaded *l = loaded;
	arena_fini(&l->arena);
	mem_free(&d->context->mem, l, 1, sizeof *l);
}

/* ---- what needs a GPU ---- */

static adze_status cannot_run(struct diag *d)
{
	return fail(d, ADZE_E_UNSUPPORTED, "device cuda: " CANNOT_RUN);
}

static adze_status frame_create(adze_device *dev, void *loaded, struct device_frame **out,
				struct diag *d)
{
	(void)dev;
	(void)loaded;
	*out = NULL;
	return cannot_run(d);
}

static void frame_destroy(adze_device *dev, struct device_frame *frame)
{
	(void)dev;
	(void)frame;
}

static adze_status run(adze_device *dev, void *loaded, const struct device_call *call,
		       struct diag *d)
{
	(void)dev;
	(void)loaded;
	(void)call;
	return cannot_run(d);
}

static adze_status alloc(adze_device *dev, size_t bytes, void **out, struct diag *d)
{
	(void)dev;
	(void)bytes;
	*out = NULL;
	return cannot_run(d);
}

static void release(adze_device *dev, void *data)
{
	(void)dev;
	(void)data;
}

static adze_status copy_in(adze_device *dev, void *to, const void *host, size_t bytes,
			   struct diag *d)
{
	(void)dev;
	(void)to;
	(void)host;
	(void)bytes;
	return cannot_run(d);
}

static adze_status copy_out(adze_device *dev, void *host, const void *from, size_t bytes,
			    struct diag *d)
{
	(void)dev;
	(void)host;
	(void)from;
	(void)bytes;
	return cannot_run(d);
}

const struct device_ops cuda_device_ops = {
	.name = "cuda",
	.doc = "NVIDIA GPUs; compiles for cuda:sm_NN anywhere that NVRTC is found.",
	.open = open_device,
	.close = close_device,
	.describe = describe,
	.compile = compile,
	.load = load,
	.unload = unload,
	.frame_create = frame_create,
	.frame_destroy = frame_destroy,
	.run = run,
	.alloc = alloc,
	.free = release,
	.copy_in = copy_in,
	.copy_out = copy_out,
	.without_passes = "attend",
};
