/* SPDX-License-Identifier: Apache-2.0
 *
 * What is prepared when weights are bound: against ir_eval(), with many results, refused text,
 * damaged executables.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/device_check.h"

static adze_graph *parse(const char *text)
{
	struct diag d = {ADZE_OK, ""};
	adze_graph *g = NULL;
	CHECK_MSG(ir_parse(&mem_libc, text, strlen(text), "t.air", &d, &g) == ADZE_OK, "%s",
		  d.text);
	return g;
}

static adze_device *open_cpu(int threads)
{
	struct diag d = {ADZE_OK, ""};
	adze_device *dev;
	adze_context *c = device_check_context(NULL, threads);
	CHECK_MSG(device_check_open(c, &dev, &d) == ADZE_OK, "%s", d.text);
	return dev;
}

static void close_cpu(adze_device *dev)
{
	adze_context *c = dev->context;
	device_release(dev);
	device_check_context_free(c);
}

static void check_refused(const char *text, const char *words)
{
	struct diag d = {ADZE_OK, ""};
	adze_graph *g;
	CHECK(ir_parse(&mem_libc, text, strlen(text), "t.air", &d, &g) != ADZE_OK && g == NULL);
	CHECK_MSG(strstr(d.text, words) != NULL, "'%s' is not in '%s'", words, d.text);
}

#define TWICE "body twice(%w: f32[2]) { %1 = add %w, %w return r=%1 }\n"

TEST(prepare, refused_text)
{
	check_refused("graph g(%w: weight f32[2]) {\n"
		      "body outer() {\nbody inner() { %1 = const {1} : f32[] return r=%1 }\n"
		      "%1 = prepared body=inner\nreturn r=%1 }\nreturn }",
		      "it stands in a body, which has no weights");
	check_refused("graph g(%x: f32[t<=4]) { body b() {%i = iota axis=0 : i32[t<=4] "
		      "return i=%i}\n%1 = prepared body=b return }",
		      "its extents must be known");
	check_refused("graph g(%w: weight f32[2]) {" TWICE
		      "%1 = prepared %w, body=twice, index=1\nreturn y=%1 }",
		      "its index stands twice, or one before it nowhere");
	check_refused("graph g(%w: weight f32[2], %v: weight f32[2]) {" TWICE
		      "%1 = prepared %w, body=twice\n%2 = prepared %v, body=twice\n"
		      "return y=%1, z=%2 }",
		      "its index stands twice, or one before it nowhere");
}

/* Weights and an input of `n` each; the first are scaled, rooted, and summed with the input. */
static adze_graph *make_many(int n)
{
	char *text = malloc((size_t)n * 300 + 300);
	int at = sprintf(text, "graph many(%%x: f32[4]");
	for (int i = 0; i < n; i++)
		at += sprintf(text + at, ", %%w%d: weight f32[4]", i);
	at += sprintf(text + at, ") {\n%%y0 = neg %%x\n");
	for (int i = 0; i < n; i++)
		at += sprintf(text + at, "%%s%d = mul %%w%d, %%w%d\n%%r%d = sqrt %%s%d\n"
			      "%%m%d = mul %%y%d, %%r%d\n%%y%d = add %%m%d, %%s%d\n", i, i,
			      (i + 1) % n, i, i, i, i, i, i + 1, i, i);
	sprintf(text + at, "return y=%%y%d\n}\n", n);
	adze_graph *g = parse(text);
	free(text);
	return g;
}

/* On the CPU the result is the evaluator's, and the executable prepares `nodes` values. */
static void check_many(int n, uint32_t nodes)
{
	adze_graph *g = make_many(n);
	float x[4] = {1, -2, 0.5f, 3}, y[4], want[4];
	float (*w)[4] = malloc((size_t)n * sizeof *w);
	const void **at = malloc((size_t)n * sizeof *at), *in[] = {x};
	struct diag d = {ADZE_OK, ""};
	for (int i = 0; i < n; i++) {
		for (int k = 0; k < 4; k++)
			w[i][k] = 0.25f + (float)((i * 7 + k * 3) % 11) / 16;
		at[i] = w[i];
	}
	CHECK_MSG(ir_eval(g, NULL, in, at, (void *[]){want}, &d) == ADZE_OK, "%s", d.text);
	adze_device *dev = open_cpu(1);
	struct text bytes;
	adze_exe *exe;
	text_init(&bytes, &mem_libc);
	CHECK_MSG(device_check_compile(dev, g, true, &bytes, &d) == ADZE_OK, "%s", d.text);
	void *copy = mem_new(&dev->context->mem, bytes.len, 1);
	memcpy(copy, bytes.at, bytes.len);
	CHECK_MSG(device_load(dev, copy, bytes.len, &exe, &d) == ADZE_OK, "%s", d.text);
	CHECK(exe->file.signature.nprepared == nodes);
	exe_release(exe);
	CHECK_MSG(device_check_run(dev, g, true, 3, NULL, in, at, (void *[]){y}, &d) == ADZE_OK,
		  "%s", d.text);
	for (int k = 0; k < 4; k++)
		CHECK_MSG(fabsf(y[k] - want[k]) <= 1e-4f * fabsf(want[k]), "%g is not %g", y[k],
			  want[k]);
	text_fini(&bytes);
	close_cpu(dev);
	ir_graph_destroy(g);
	free(at);
	free(w);
}

/* Two results of each weight: 64 fit one node. */
TEST(prepare, many_results)
{
	check_many(1, 1);
	check_many(2, 1);
	check_many(32, 1);
	check_many(33, 2);
	check_many(400, 13);
}

/* Loads a file and prepares; true where both are done. */
static bool prepares(adze_device *dev, const unsigned char *file, size_t len)
{
	struct diag d = {ADZE_OK, ""};
	adze_exe *x;
	float w[3][4] = {{1, 2, 3, 4}}, room[3][64];
	adze_buffer weight[3], *at[3];
	void *data[3];
	unsigned char *copy = mem_new(&dev->context->mem, len, 1);
	memcpy(copy, file, len);
	device_check_mend(copy, len);
	if (device_load(dev, copy, len, &x, &d) != ADZE_OK)
		return false;
	const struct exe_signature *s = &x->file.signature;
	bool fine = s->nweight <= 3 && s->nprepared <= 3;
	for (uint32_t i = 0; i < 3 && fine; i++) {
		memset(&weight[i], 0, sizeof weight[i]);
		weight[i].device = dev;
		if (i < s->nweight)
			weight[i].shape = s->weight[i].shape;
		weight[i].data = w[i];
		weight[i].bytes = sizeof w[i];
		at[i] = &weight[i];
		data[i] = room[i];
		fine &= i >= s->nweight || shape_bytes(&s->weight[i].shape) <= 16;
		fine &= i >= s->nprepared || shape_bytes(&s->prepared[i].shape) <= 256;
	}
	fine = fine && device_prepare(x, at, data, &d) == ADZE_OK;
	exe_release(x);
	return fine;
}

/* Whatever byte is wrong: refused, or harmless. */
TEST(prepare, damaged_file)
{
	adze_device *dev = open_cpu(1);
	adze_graph *g = make_many(2);
	struct diag d = {ADZE_OK, ""};
	struct text bytes;
	size_t refused = 0;
	text_init(&bytes, &mem_libc);
	CHECK_MSG(device_check_compile(dev, g, true, &bytes, &d) == ADZE_OK, "%s", d.text);
	unsigned char *file = (unsigned char *)bytes.at;
	CHECK(prepares(dev, file, bytes.len));
	for (size_t i = 64; i < bytes.len; i++) {
		const unsigned char was = file[i], want[] = {0, 1, 0x7f, 0xff};
		for (size_t k = 0; k < sizeof want; k++) {
			file[i] = want[k];
			refused += !prepares(dev, file, bytes.len);
		}
		file[i] = was;
	}
	CHECK_MSG(refused > 1000, "only %zu of %zu were refused", refused, 4 * bytes.len);
	text_fini(&bytes);
	ir_graph_destroy(g);
	close_cpu(dev);
}
