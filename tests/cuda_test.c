/* SPDX-License-Identifier: Apache-2.0
 *
 * The CUDA device on a machine without a GPU: what it generates, that NVRTC compiles it, that
 * the same graph gives the same bytes, that damage is refused; and that the generated text
 * computes the right thing, run on the host (tests/cuda_host.h).
 */
#include "tests/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/cuda/cuda_api.h"
#include "devices/cuda/cuda_cubin.h"
#include "devices/cuda/cuda_kernel.h"
#include "devices/device.h"
#include "tests/compare.h"
#include "tests/cuda_host.h"
#include "tests/op_case.h"
#include "tests/temp_files.h"

extern const struct device_ops cuda_device_ops;

/* ---- a context, devices, graphs ---- */

static struct adze_context context = {.lock = PTHREAD_MUTEX_INITIALIZER};

static adze_context *test_context(void)
{
	context.mem = mem_libc;
	context.config.nvrtc = getenv("ADZE_NVRTC");
	return &context;
}

static bool has_nvrtc(void)
{
	struct cuda_api api = {0};
	bool there = cuda_api_open(&api, test_context(), CUDA_LIBRARY_NVRTC, NULL) == ADZE_OK;
	cuda_api_close(&api);
	return there;
}

static adze_device *open_device(const char *target)
{
	struct diag d = {ADZE_OK, ""};
	adze_device *dev = NULL;
	adze_status status = cuda_device_ops.open(test_context(), target, &dev, &d);
	CHECK_MSG(status == ADZE_OK, "%s", d.text);
	dev->ops = &cuda_device_ops;
	return dev;
}

static char *read_text(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *text = NULL;
	*len = 0;
	for (size_t n = 1; f != NULL && n > 0; *len += n) {
		text = realloc(text, *len + 65536 + 1);
		CHECK(text != NULL);
		n = fread(text + *len, 1, 65536, f);
	}
	if (f != NULL)
		fclose(f);
	if (text != NULL)
		text[*len] = '\0';
	return text;
}

static adze_graph *plan_text(const char *text, size_t len, const char *name)
{
	struct diag d = {ADZE_OK, ""};
	struct ir_pass_options options = {.until = STAGE_PLANNED, .without = "attend"};
	adze_graph *g = NULL;
	CHECK_MSG(ir_parse(&mem_libc, text, len, name, &d, &g) == ADZE_OK, "%s", d.text);
	if (g->stage != STAGE_PLANNED)
		CHECK_MSG(ir_run_passes(&g, &options, &d) == ADZE_OK, "%s: %s", name, d.text);
	return g;
}

static adze_graph *plan_file(const char *path)
{
	size_t len;
	char *text = read_text(path, &len);
	CHECK_MSG(text != NULL, "cannot read %s", path);
	adze_graph *g = plan_text(text, len, path);
	free(text);
	return g;
}

/* Calls `visit` for each graph of tests/golden/<folder>; how many there were. */
static size_t each_golden(const char *folder, void (*visit)(void *self, const char *path),
			  void *self)
{
	struct dirent **entry;
	char path[5000];
	size_t count = 0;
	snprintf(path, sizeof path, "%s/golden/%s", check_source_dir(), folder);
	int n = scandir(path, &entry, NULL, alphasort);
	CHECK_MSG(n >= 0, "cannot read %s", path);
	for (int i = 0; i < n; i++) {
		const char *name = entry[i]->d_name, *dot = strrchr(name, '.');
		if (dot != NULL && strcmp(dot, ".air") == 0 && strncmp(name, "error_", 6) != 0) {
			snprintf(path, sizeof path, "%s/golden/%s%s", check_source_dir(), folder,
				 name);
			adze_graph *g = plan_file(path);
			if (!cuda_host_refuses(g))
				visit(self, path);
			ir_graph_destroy(g);
			count++;
		}
		free(entry[i]);
	}
	free(entry);
	return count;
}

/* ---- executables ---- */

static void compile(adze_device *dev, const adze_graph *g, const char *name, struct text *out)
{
	struct diag d = {ADZE_OK, ""};
	text_init(out, &mem_libc);
	adze_status status = device_compile(dev, g, "the source", out, &d);
	CHECK_MSG(status == ADZE_OK, "%s for %s: %s", name, dev->target, d.text);
}

/* By eye rather than by cuda_cubin.c: an ELF file for CUDA, and for that chip. */
static void check_elf(const struct exe_section *cubin, unsigned arch)
{
	CHECK(cubin->len > 64);
	CHECK(memcmp(cubin->at, "\177ELF", 4) == 0);
	CHECK(cubin->at[18] == 190 && cubin->at[19] == 0);
	unsigned found = cubin->at[8] >= 8 ? cubin->at[49] : cubin->at[48];
	CHECK_MSG(found == arch, "machine code for sm_%u, not sm_%u", found, arch);
}

static void check_file(adze_device *dev, const struct text *bytes, const char *name)
{
	struct diag d = {ADZE_OK, ""};
	struct exe_file file;
	struct arena arena;
	struct cuda_code code;
	void *loaded = NULL;
	CHECK_MSG(exe_read(&mem_libc, bytes->at, bytes->len, &file, &d) == ADZE_OK, "%s: %s", name,
		  d.text);
	CHECK(strcmp(file.meta.device, "cuda") == 0);
	CHECK(strcmp(file.meta.target, dev->target) == 0);
	arena_init(&arena, &mem_libc);
	CHECK_MSG(cuda_code_read(&file, &arena, &code, &d) == ADZE_OK, "%s: %s", name, d.text);
	CHECK(code.arch == (unsigned)atoi(dev->target + 3));
	const struct exe_section *cubin = &file.section[EXE_CUBIN], *ptx = &file.section[EXE_PTX];
	CHECK((code.nkernel > 0) == (cubin->len > 0));
	if (code.nkernel > 0) {
		check_elf(cubin, code.arch);
		CHECK(ptx->len > 0 && ptx->at[ptx->len - 1] == '\0');
		CHECK(strstr((const char *)ptx->at, dev->target) != NULL);
	}
	for (uint32_t i = 0; i < code.nkernel; i++) {
		CHECK(cuda_cubin_has(cubin->at, cubin->len, code.kernel[i]));
		CHECK(strstr((const char *)ptx->at, code.kernel[i]) != NULL);
		char other[CUDA_NAME + 1];
		snprintf(other, sizeof other, "%sx", code.kernel[i]);
		CHECK(!cuda_cubin_has(cubin->at, cubin->len, other));
	}
	CHECK_MSG(cuda_device_ops.load(dev, &file, &loaded, &d) == ADZE_OK, "%s: %s", name, d.text);
	cuda_device_ops.unload(dev, loaded);
	arena_fini(&arena);
	exe_file_fini(&file);
}

static void compile_golden(void *self, const char *path)
{
	adze_device *dev = self;
	struct text first, second;
	for (int i = 0; i < 2; i++) {
		adze_graph *g = plan_file(path);
		compile(dev, g, path, i == 0 ? &first : &second);
		ir_graph_destroy(g);
	}
	CHECK_MSG(first.len == second.len && memcmp(first.at, second.at, first.len) == 0,
		  "%s gives other bytes the second time", path);
	check_file(dev, &first, path);
	text_fini(&first);
	text_fini(&second);
}

static void compile_all(const char *target)
{
	adze_device *dev = open_device(target);
	CHECK(each_golden("cuda/", compile_golden, dev) > 0);
	CHECK(each_golden("", compile_golden, dev) > 0);
	cuda_device_ops.close(dev);
}

TEST(cuda, compiles_for_sm_80)
{
	if (!has_nvrtc())
		SKIP("NVRTC is not there");
	compile_all("sm_80");
}

TEST(cuda, compiles_for_sm_90)
{
	if (!has_nvrtc())
		SKIP("NVRTC is not there");
	compile_all("sm_90");
}

/* ---- golden text ---- */

/* The source without what is pasted from kernels/cuda/. */
static void print_own(const struct cuda_program *p, struct text *out)
{
	const char *at = p->source.at;
	text_init(out, &mem_libc);
	if (at == NULL)
		return;
	CHECK(strncmp(at, cuda_prelude, strlen(cuda_prelude)) == 0);
	text_add(out, "/* prelude.cuh */\n");
	at += strlen(cuda_prelude);
	if (strncmp(at, cuda_rows, strlen(cuda_rows)) == 0) {
		text_add(out, "/* row.cuh */\n");
		at += strlen(cuda_rows);
	}
	CHECK(strstr(at, "#include") == NULL);
	text_add(out, "%s", at);
}

static void check_text(void *self, const char *path)
{
	struct diag d = {ADZE_OK, ""};
	struct cuda_program p;
	struct text got;
	char expect[5008];
	size_t len;
	snprintf(expect, sizeof expect, "%.*s.cu", (int)strlen(path) - 4, path);
	char *want = read_text(expect, &len);
	bool bless = getenv("ADZE_BLESS") != NULL;
	adze_graph *g = plan_file(path);
	CHECK_MSG(cuda_emit(g, 80, &p, &d) == ADZE_OK, "%s", d.text);
	print_own(&p, &got);
	if (want != NULL && bless)
		temp_write(expect, got.at, got.len);
	else if (want != NULL)
		CHECK_MSG(len == got.len && memcmp(want, got.at, len) == 0,
			  "%s is not what is generated; ADZE_BLESS=1 writes it anew", expect);
	*(size_t *)self += want != NULL;
	free(want);
	text_fini(&got);
	cuda_program_fini(&p);
	ir_graph_destroy(g);
}

TEST(cuda, golden_text)
{
	size_t checked = 0;
	each_golden("cuda/", check_text, &checked);
	CHECK_MSG(checked > 0, "no .cu file in tests/golden/cuda");
}

/* What the steps of a golden graph are. */
static void count_steps(const char *name, size_t *launches, size_t *gemms, size_t *copies,
			size_t *kernels)
{
	struct diag d = {ADZE_OK, ""};
	struct cuda_program p;
	char path[5000];
	snprintf(path, sizeof path, "%s/golden/cuda/%s.air", check_source_dir(), name);
	adze_graph *g = plan_file(path);
	CHECK_MSG(cuda_emit(g, 80, &p, &d) == ADZE_OK, "%s", d.text);
	*launches = *gemms = *copies = 0;
	*kernels = p.code.nkernel;
	for (uint32_t i = 0; i < p.code.nstep; i++) {
		*launches += p.code.step[i].kind == CUDA_LAUNCH;
		*gemms += p.code.step[i].kind == CUDA_GEMM;
		*copies += p.code.step[i].kind == CUDA_COPY;
	}
	cuda_program_fini(&p);
	ir_graph_destroy(g);
}

TEST(cuda, steps)
{
	size_t launches, gemms, copies, kernels;
	count_steps("products", &launches, &gemms, &copies, &kernels);
	CHECK_MSG(gemms == 6, "%zu of the products are for cuBLASLt", gemms);
	count_steps("elements", &launches, &gemms, &copies, &kernels);
	CHECK_MSG(launches == 4 && kernels == 3, "equal groups have %zu kernels in %zu launches",
		  kernels, launches);
	count_steps("operations", &launches, &gemms, &copies, &kernels);
	CHECK_MSG(copies == 1, "%zu copies of inputs to outputs", copies);
}

/* A group that fusion does not make, but a text may have. */
TEST(cuda, unsupported)
{
	static const char text[] = "graph no(%x: f32[4, 5]) stage=planned {\n"
				   "	%1 = concat %x, %x, axis=1 @1\n"
				   "	%2 = neg %1 @1 ^o0\n"
				   "	return y=%2\n"
				   "}\n";
	struct diag d = {ADZE_OK, ""};
	struct cuda_program p;
	adze_graph *g = plan_text(text, strlen(text), "no.air");
	CHECK(cuda_emit(g, 80, &p, &d) == ADZE_E_UNSUPPORTED);
	CHECK_MSG(strstr(d.text, "no.air:2:7: concat: CUDA cannot") != NULL, "%s", d.text);
	cuda_program_fini(&p);
	ir_graph_destroy(g);
}

/* ---- refusals ---- */

static void check_refused(const char *target, adze_status want, const char *words)
{
	struct diag d = {ADZE_OK, ""};
	adze_device *dev = NULL;
	adze_status status = cuda_device_ops.open(test_context(), target, &dev, &d);
	CHECK_MSG(status == want && dev == NULL, "%s: status %d", target, (int)status);
	CHECK_MSG(strstr(d.text, words) != NULL, "%s: %s", target, d.text);
}

TEST(cuda, bad_target)
{
	static const char *const malformed[] = {"sm_9x", "sm_", "sm_8", "sm_8000", "80", "",
						"sm_08", "compute_80", "sm_80 "};
	for (size_t i = 0; i < COUNT_OF(malformed); i++)
		check_refused(malformed[i], ADZE_E_ARGUMENT, "is no target");
	if (!has_nvrtc())
		SKIP("NVRTC is not there");
	check_refused("sm_10", ADZE_E_UNSUPPORTED, "cannot compile for sm_10; it can for sm_");
	check_refused("sm_999", ADZE_E_UNSUPPORTED, "cannot compile for sm_999");
}

TEST(cuda, no_library)
{
	struct diag d = {ADZE_OK, ""};
	adze_device *dev = NULL;
	adze_context *c = test_context();
	struct text words;
	c->config.nvrtc = "/nowhere/libnvrtc.so";
	c->config.libcuda = "/nowhere/libcuda.so";
	CHECK(cuda_device_ops.open(c, "sm_80", &dev, &d) == ADZE_E_DEVICE);
	CHECK_MSG(strstr(d.text, "NVRTC not found: /nowhere/libnvrtc.so") != NULL, "%s", d.text);
	text_init(&words, &mem_libc);
	CHECK(!cuda_device_ops.describe(c, &words));
	CHECK_MSG(strcmp(words.at, "cannot run: no driver (/nowhere/libcuda.so not found); cannot "
				   "compile: NVRTC not found "
				   "(/nowhere/libnvrtc.so not found)") == 0,
		  "%s", words.at);
	text_fini(&words);
	/* A library, but not the one. */
	struct diag other = {ADZE_OK, ""};
	c->config.nvrtc = "libc.so.6";
	CHECK(cuda_device_ops.open(c, "sm_80", &dev, &other) == ADZE_E_DEVICE);
	CHECK_MSG(strstr(other.text, "libc.so.6 lacks nvrtcVersion") != NULL, "%s", other.text);
	c->config.libcuda = c->config.nvrtc = NULL;
}

static const char fake_driver[] =
	"int cuInit(unsigned f) { return START; }\n"
	"int cuDriverGetVersion(int *v) { *v = 13000; return 0; }\n"
	"int cuDeviceGetCount(int *n) { *n = DEVICES; return 0; }\n"
	"int cuDeviceGet(int *d, int i) { *d = i; return 0; }\n"
	"int cuDeviceGetName(char *n, int cap, int d)\n"
	"{ for (int i = 0; i < 5; i++) n[i] = \"Fake\"[i]; return 0; }\n"
	"int cuDeviceGetAttribute(int *v, int a, int d) { *v = a == 75 ? 9 : 0; return 0; }\n";

/* What is said with a driver that behaves as the macros say. */
static void check_driver(const char *folder, const char *name, const char *macros,
			 const char *want)
{
	char command[16384], library[4200];
	const char *cc = getenv("CC");
	adze_context *c = test_context();
	struct text words;
	snprintf(library, sizeof library, "%s/%s.so", folder, name);
	snprintf(command, sizeof command, "%s -w %s -shared -fPIC -o '%s' '%s/fake.c'",
		 cc != NULL && cc[0] != '\0' ? cc : "cc", macros, library, folder);
	CHECK_MSG(system(command) == 0, "%s", command);
	c->config.libcuda = library;
	c->config.nvrtc = "/nowhere/libnvrtc.so";
	c->config.cublaslt = "/nowhere/libcublasLt.so";
	text_init(&words, &mem_libc);
	CHECK(!cuda_device_ops.describe(c, &words));
	CHECK_MSG(strncmp(words.at, want, strlen(want)) == 0, "%s", words.at);
	text_fini(&words);
	c->config.libcuda = c->config.nvrtc = c->config.cublaslt = NULL;
}

TEST(cuda, describes_the_driver)
{
	char folder[4096];
	if (!cuda_host_is_there())
		SKIP("no compiler");
	check_temp_dir(folder, sizeof folder);
	temp_write(temp_path(folder, "fake.c").text, fake_driver, strlen(fake_driver));
	check_driver(folder, "bad", "-DSTART=34 -DDEVICES=1",
		     "cannot run: the driver does not start (cuInit gives 34); cannot compile");
	check_driver(folder, "none", "-DSTART=0 -DDEVICES=0",
		     "cannot run: the driver reports no device; cannot compile");
	check_driver(folder, "good", "-DSTART=0 -DDEVICES=2",
		     "cannot run: driver for CUDA 13.0, 2 devices, the first: Fake, sm_90; "
		     "no matrix products (/nowhere/libcublasLt.so not found); this build "
		     "compiles for CUDA but does not run there; cannot compile");
	check_driver(folder, "old", "-DSTART=0 -DDEVICES=2 -DcuDeviceGetName=cuOther",
		     "cannot run: no driver (");
	temp_remove(folder);
}

TEST(cuda, cannot_run)
{
	if (!has_nvrtc())
		SKIP("NVRTC is not there");
	adze_device *dev = open_device(NULL);
	CHECK(strcmp(dev->target, "sm_80") == 0);
	CHECK(strstr(dev->run_words, "does not run") != NULL);
	struct diag d[5];
	struct device_frame *frame;
	void *memory = dev;
	memset(d, 0, sizeof d);
	CHECK(dev->ops->frame_create(dev, NULL, &frame, &d[0]) == ADZE_E_UNSUPPORTED);
	CHECK(dev->ops->run(dev, NULL, NULL, &d[1]) == ADZE_E_UNSUPPORTED);
	CHECK(dev->ops->alloc(dev, 64, &memory, &d[2]) == ADZE_E_UNSUPPORTED && memory == NULL);
	CHECK(dev->ops->copy_in(dev, NULL, NULL, 0, &d[3]) == ADZE_E_UNSUPPORTED);
	CHECK(dev->ops->copy_out(dev, NULL, NULL, 0, &d[4]) == ADZE_E_UNSUPPORTED);
	for (int i = 0; i < 5; i++)
		CHECK(strstr(d[i].text, "does not run") != NULL);
	CHECK(!dev->ops->shares_host_memory);
	dev->ops->close(dev);
}

/* Every allocation of the emitter in turn fails: words, no crash, nothing left behind. */
static void fail_everywhere(void *self, const char *path)
{
	struct check_memory memory = {.fail_after = -1};
	const adze_allocator a = {check_resize, &memory};
	struct ir_pass_options options = {.until = STAGE_PLANNED, .without = "attend"};
	struct diag d = {ADZE_OK, ""};
	adze_graph *g = NULL;
	size_t len;
	char *text = read_text(path, &len);
	CHECK(ir_parse(&a, text, len, path, &d, &g) == ADZE_OK);
	CHECK_MSG(ir_run_passes(&g, &options, &d) == ADZE_OK, "%s", d.text);
	free(text);
	adze_status status = ADZE_E_NOMEM;
	for (long n = 0; status != ADZE_OK; n++, ++*(size_t *)self) {
		struct cuda_program p;
		struct diag why = {ADZE_OK, ""};
		long blocks = memory.live_blocks;
		memory.fail_after = memory.calls + n;
		status = cuda_emit(g, 80, &p, &why);
		CHECK_MSG(status == ADZE_OK || status == ADZE_E_NOMEM, "%s: %s", path, why.text);
		CHECK(status == why.status && (status == ADZE_OK) == (why.text[0] == '\0'));
		cuda_program_fini(&p);
		memory.fail_after = -1;
		CHECK_MSG(memory.live_blocks == blocks, "%s: %ld blocks are left", path,
			  memory.live_blocks - blocks);
	}
	ir_graph_destroy(g);
	CHECK(memory.live_blocks == 0);
}

TEST(cuda, no_memory)
{
	size_t runs = 0;
	CHECK(each_golden("cuda/", fail_everywhere, &runs) > 0);
	CHECK(runs > 100);
}

/* ---- damage ---- */

/* Reads the code of `file` with other bytes; the bytes end where their block ends. */
static adze_status read_code(const struct exe_file *file, const unsigned char *at, size_t len)
{
	struct diag d = {ADZE_OK, ""};
	struct exe_file other = *file;
	struct cuda_code code;
	struct arena arena;
	unsigned char *copy = malloc(len + 1);
	CHECK(copy != NULL);
	unsigned char *exact = realloc(copy, len > 0 ? len : 1);
	CHECK(exact != NULL);
	memcpy(exact, at, len);
	other.section[EXE_CODE] = (struct exe_section){exact, len};
	arena_init(&arena, &mem_libc);
	adze_status status = cuda_code_read(&other, &arena, &code, &d);
	CHECK((status == ADZE_OK) == (d.text[0] == '\0'));
	arena_fini(&arena);
	free(exact);
	return status;
}

static size_t count_refused(const struct exe_file *file)
{
	const struct exe_section *s = &file->section[EXE_CODE];
	unsigned char *bytes = malloc(s->len + 1);
	size_t refused = 0;
	CHECK(bytes != NULL);
	memcpy(bytes, s->at, s->len);
	CHECK(read_code(file, bytes, s->len) == ADZE_OK);
	for (size_t n = 0; n < s->len; n++)
		CHECK_MSG(read_code(file, bytes, n) == ADZE_E_FORMAT, "cut at %zu", n);
	bytes[s->len] = 0;
	CHECK(read_code(file, bytes, s->len + 1) == ADZE_E_FORMAT);
	for (size_t i = 0; i < s->len; i++) {
		for (int bit = 0; bit < 8; bit++) {
			bytes[i] ^= (unsigned char)(1 << bit);
			refused += read_code(file, bytes, s->len) != ADZE_OK;
			bytes[i] ^= (unsigned char)(1 << bit);
		}
	}
	free(bytes);
	return refused;
}

static const char damage_graph[] =
	"graph damage(%x: f32[t<=64, d=8], %w: weight f32[8, d=8]) {\n"
	"	%1 = dot %x, %w, sum_a=[1], sum_b=[1]\n"
	"	%2 = relu %1\n"
	"	%c = const {1, 2, 3, 4, 5, 6, 7, 8} : f32[8]\n"
	"	%3 = broadcast %c, axes=[1] : f32[t<=64, 8]\n"
	"	%4 = add %2, %3\n"
	"	%5 = softmax %4, axis=1\n"
	"	return y=%5, x=%x\n"
	"}\n";

TEST(cuda, damaged_code)
{
	struct diag d = {ADZE_OK, ""};
	struct text bytes;
	struct exe_file file;
	if (!has_nvrtc())
		SKIP("NVRTC is not there");
	adze_device *dev = open_device("sm_80");
	adze_graph *g = plan_text(damage_graph, strlen(damage_graph), "damage");
	compile(dev, g, "damage", &bytes);
	check_file(dev, &bytes, "damage");
	CHECK(exe_read(&mem_libc, bytes.at, bytes.len, &file, &d) == ADZE_OK);
	size_t refused = count_refused(&file), bits = 8 * file.section[EXE_CODE].len;
	/* Other bits make other sizes, which only a call can find wrong. */
	CHECK_MSG(refused > bits / 3, "%zu of %zu flipped bits refused", refused, bits);
	struct exe_file bare = file;
	struct cuda_code code;
	struct arena arena;
	arena_init(&arena, &mem_libc);
	bare.section[EXE_CUBIN].len = 0;
	CHECK(cuda_code_read(&bare, &arena, &code, &d) == ADZE_E_FORMAT);
	arena_fini(&arena);
	exe_file_fini(&file);
	text_fini(&bytes);
	ir_graph_destroy(g);
	cuda_device_ops.close(dev);
}

TEST(cuda, damaged_cubin)
{
	struct diag d = {ADZE_OK, ""};
	struct text bytes;
	struct exe_file file;
	uint32_t arch;
	uint64_t seed = check_seed();
	if (!has_nvrtc())
		SKIP("NVRTC is not there");
	adze_device *dev = open_device("sm_90");
	adze_graph *g = plan_text(damage_graph, strlen(damage_graph), "damage");
	compile(dev, g, "damage", &bytes);
	CHECK(exe_read(&mem_libc, bytes.at, bytes.len, &file, &d) == ADZE_OK);
	const struct exe_section *s = &file.section[EXE_CUBIN];
	unsigned char *copy = malloc(s->len);
	CHECK(copy != NULL);
	memcpy(copy, s->at, s->len);
	CHECK(cuda_cubin_check(copy, s->len, &arch, &d) == ADZE_OK && arch == 90);
	CHECK(cuda_cubin_check(copy, 63, &arch, NULL) == ADZE_E_FORMAT);
	/* Headers of the file and of its sections, byte by byte and at random. */
	for (size_t i = 0; i < 20000; i++) {
		size_t at = i < 64 ? i : check_random(&seed) % s->len;
		unsigned char old = copy[at];
		copy[at] = (unsigned char)check_random(&seed);
		if (cuda_cubin_check(copy, s->len, &arch, NULL) == ADZE_OK)
			CHECK(!cuda_cubin_has(copy, s->len, "no_kernel_of_that_name"));
		copy[at] = old;
	}
	free(copy);
	exe_file_fini(&file);
	text_fini(&bytes);
	ir_graph_destroy(g);
	cuda_device_ops.close(dev);
}

/* ---- every row of ew.def ---- */

/* A graph that has every function of an element type, and convert to every other type. */
static adze_graph *every_function(adze_dtype dtype, int64_t n)
{
	struct diag d = {ADZE_OK, ""};
	struct ir_pass_options options = {.until = STAGE_PLANNED, .without = "attend"};
	adze_shape shape = shape_make(dtype, 1, &n), to, of_bool = shape_make(ADZE_BOOL, 1, &n);
	adze_graph *g = ir_graph_create(&mem_libc, dtype_info(dtype)->name);
	CHECK(g != NULL);
	ir_val x[3] = {ir_input(g, "a", &shape), ir_input(g, "b", &shape),
		       ir_input(g, "c", &shape)};
	ir_val which = ir_input(g, "which", &of_bool);
	for (int i = 0; i < EW_COUNT; i++) {
		const struct ew_info *info = ew_info((enum ew)i);
		enum ir_op op = op_from_ew((enum ew)i);
		if (dtype_taken(dtype, info->takes))
			ir_output(g, info->name, ir_emit(g, op, x, (size_t)info->n, NULL, NULL), 0);
	}
	ir_val select[3] = {which, x[0], x[1]};
	ir_output(g, "select", ir_emit(g, OP_SELECT, select, 3, NULL, NULL), 0);
	for (int i = 0; i < ADZE_DTYPE_COUNT; i++) {
		char name[40];
		to = shape_make((adze_dtype)i, 1, &n);
		snprintf(name, sizeof name, "to_%s", dtype_info((adze_dtype)i)->name);
		if ((adze_dtype)i != dtype && dtype_info((adze_dtype)i)->cuda != NULL)
			ir_output(g, name, ir_emit1(g, OP_CONVERT, x[0], NULL, &to), 0);
	}
	CHECK_MSG(g->diag.status == ADZE_OK, "%s", g->diag.text);
	CHECK_MSG(ir_run_passes(&g, &options, &d) == ADZE_OK, "%s", d.text);
	return g;
}

TEST(cuda, compiles_every_function)
{
	static const adze_dtype types[] = {ADZE_F32, ADZE_F64, ADZE_F16, ADZE_BF16,
					   ADZE_I32, ADZE_U8,  ADZE_BOOL, ADZE_F8E4M3FN};
	if (!has_nvrtc())
		SKIP("NVRTC is not there");
	adze_device *dev = open_device("sm_80");
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		struct text bytes;
		adze_graph *g = every_function(types[i], 1000);
		compile(dev, g, g->name, &bytes);
		check_file(dev, &bytes, g->name);
		text_fini(&bytes);
		ir_graph_destroy(g);
	}
	cuda_device_ops.close(dev);
}

/* ---- numbers, on the host ---- */

struct call {
	const adze_graph *g;
	int64_t symbol[ADZE_MAX_SYMBOLS];
	void **input, **weight, **got, **want;
	struct arena memory;
};

static size_t count_of(const struct call *c, ir_val v)
{
	size_t n = 1;
	for (int i = 0; i < ir_type(c->g, v)->rank; i++)
		n *= (size_t)ir_extent(c->g, &ir_type(c->g, v)->dim[i], c->symbol);
	return n;
}

static void *room(struct call *c, ir_val v)
{
	void *p = arena_new(&c->memory, count_of(c, v) * dtype_bytes(ir_type(c->g, v)->dtype), 1);
	CHECK(p != NULL);
	return p;
}

/* Small numbers for most elements; any bits, NaN and infinity with them, for some. */
static void fill(const struct call *c, ir_val v, void *at, uint64_t *seed, bool wild)
{
	adze_dtype dtype = ir_type(c->g, v)->dtype;
	for (size_t i = 0; i < count_of(c, v); i++) {
		uint64_t bits = check_random(seed);
		if (wild && bits % 4 == 0)
			memcpy((char *)at + i * dtype_bytes(dtype), seed, dtype_bytes(dtype));
		else if (dtype_is_float(dtype))
			dtype_store_float(dtype, at, i, 2 * (double)check_random_float(seed));
		else
			dtype_store_int(dtype, at, i, (int64_t)(bits >> 8) % 6 - 1);
		if (dtype == ADZE_BOOL)
			((uint8_t *)at)[i] &= 1;
	}
}

/* Runs a planned graph on the host and by ir_eval(). */
static void call_both(struct call *c, uint64_t *seed, bool wild)
{
	const adze_graph *g = c->g;
	struct diag d = {ADZE_OK, ""};
	char folder[4096];
	arena_init(&c->memory, &mem_libc);
	size_t most = g->ninput + g->nweight + 2 * g->noutput + 1;
	c->input = arena_new(&c->memory, most, sizeof *c->input);
	CHECK(c->input != NULL);
	c->weight = c->input + g->ninput;
	c->got = c->weight + g->nweight;
	c->want = c->got + g->noutput;
	for (size_t i = 0; i < g->ninput; i++)
		fill(c, g->input[i], c->input[i] = room(c, g->input[i]), seed, wild);
	for (size_t i = 0; i < g->nweight; i++)
		fill(c, g->weight[i], c->weight[i] = room(c, g->weight[i]), seed, wild);
	for (size_t i = 0; i < g->noutput; i++) {
		c->got[i] = room(c, g->output[i].value);
		c->want[i] = room(c, g->output[i].value);
	}
	check_temp_dir(folder, sizeof folder);
	adze_status status = cuda_host_run(g, folder, c->symbol, (const void *const *)c->input,
					   (const void *const *)c->weight, c->got, &d);
	temp_remove(folder);
	CHECK_MSG(status == ADZE_OK, "%s: %s", g->name, d.text);
	CHECK(ir_eval(g, c->symbol, (const void *const *)c->input, (const void *const *)c->weight,
		      c->want, &d) == ADZE_OK);
}

static void check_call(const adze_graph *g, const int64_t *symbol, bool wild,
		       const char *tolerance)
{
	uint64_t seed = check_seed();
	struct call c = {.g = g};
	char words[400];
	for (int i = 0; i < g->nsymbol; i++)
		c.symbol[i] = symbol != NULL ? symbol[i] : g->symbol[i].bound;
	call_both(&c, &seed, wild);
	for (size_t i = 0; i < g->noutput; i++) {
		ir_val v = g->output[i].value;
		CHECK_MSG(compare_tensors(ir_type(g, v)->dtype, c.got[i], c.want[i],
					  count_of(&c, v), tolerance, words, sizeof words),
			  "%s: output '%s': %s", g->name, g->output[i].name, words);
	}
	arena_fini(&c.memory);
}

/* One formula for both: the same bits wherever the host's functions are the same. */
TEST(cuda, every_function_on_the_host)
{
	if (!cuda_host_is_there())
		SKIP("no C++ compiler");
	for (int i = 0; i < ADZE_DTYPE_COUNT; i++) {
		adze_graph *g = every_function((adze_dtype)i, 300);
		if (dtype_info((adze_dtype)i)->cuda != NULL)
			check_call(g, NULL, true, "exact");
		ir_graph_destroy(g);
	}
}

static void host_golden(void *self, const char *path)
{
	adze_graph *g = plan_file(path);
	int64_t symbol[ADZE_MAX_SYMBOLS];
	(void)self;
	check_call(g, NULL, false, "rel:2e-6 abs:2e-6");
	for (int i = 0; i < g->nsymbol; i++)
		symbol[i] = g->symbol[i].bound / 3;
	if (g->nsymbol > 0)
		check_call(g, symbol, false, "rel:2e-6 abs:2e-6");
	for (int i = 0; i < g->nsymbol; i++)
		symbol[i] = 0;
	if (g->nsymbol > 0)
		check_call(g, symbol, false, "rel:2e-6 abs:2e-6");
	ir_graph_destroy(g);
}

TEST(cuda, golden_on_the_host)
{
	if (!cuda_host_is_there())
		SKIP("no C++ compiler");
	CHECK(each_golden("cuda/", host_golden, NULL) > 0);
	CHECK(each_golden("", host_golden, NULL) > 0);
}

static adze_status run_case(void *self, const struct op_case *c, struct diag *d)
{
	struct ir_pass_options options = {.until = STAGE_PLANNED, .without = "attend"};
	adze_graph *g = NULL;
	TRY(ir_rebuild(c->graph, NULL, NULL, NULL, 0, &g));
	adze_status status = ir_run_passes(&g, &options, d);
	if (status == ADZE_OK && cuda_host_refuses(g))
		op_case_take_want(c);
	else if (status == ADZE_OK)
		status = cuda_host_run(g, self, c->symbol, c->inputs, NULL, c->outputs, d);
	ir_graph_destroy(g);
	return status;
}

/* Against numbers that were worked out independently; all of them would take minutes. */
TEST(cuda, numbers_on_the_host)
{
	char temp[4096], message[4096] = "";
	size_t nrun;
	if (!cuda_host_is_there())
		SKIP("no C++ compiler");
	check_temp_dir(temp, sizeof temp);
	bool fine = op_case_run_all("ops", run_case, temp, &nrun, message, sizeof message);
	temp_remove(temp);
	CHECK_MSG(fine, "%s", message);
}
