/* SPDX-License-Identifier: Apache-2.0
 *
 * Executable files: whatever the bytes, reading, loading and running them on the CPU must not
 * leave memory. Checksums, lengths and the fingerprint are put right first, so that damage
 * reaches what they protect.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "devices/cpu/cpu_exec.h"
#include "tests/device_check.h"

#define MOST_BYTES (1 << 22)

/* Memory that ends, as everywhere: a file may ask for more than there is. */
static void *resize(void *self, void *ptr, size_t old_size, size_t new_size)
{
	(void)self;
	(void)old_size;
	if (new_size == 0) {
		free(ptr);
		return NULL;
	}
	return new_size <= 4 * MOST_BYTES ? realloc(ptr, new_size) : NULL;
}

/* A file may also ask for work without end; that is no fault to be found here. */
static bool is_small(const adze_exe *x)
{
	const struct cpu_loaded *l = x->loaded;
	for (uint32_t i = 0; i < l->code.nnumber; i++)
		if (llabs(l->code.number[i].coef) > 20000)
			return false;
	for (uint32_t i = 0; i < l->code.nstep; i++)
		for (int k = 0; k < l->code.step[i].nparam; k++)
			if (llabs(l->code.step[i].param[k]) > 100)
				return false;
	return l->code.nstep < 100;
}

static adze_buffer *make(adze_device *dev, const adze_shape *shape, size_t *total)
{
	adze_buffer *b = calloc(1, sizeof *b);
	b->device = dev;
	b->shape = *shape;
	for (int i = 0; i < b->shape.rank; i++)
		memset(b->shape.dim[i].symbol, 0, ADZE_MAX_AXIS);
	b->bytes = (size_t)shape_bytes(shape);
	*total += b->bytes;
	b->data = *total <= MOST_BYTES ? calloc(1, b->bytes + 1) : NULL;
	return b;
}

/* A loop may have no end: after a while its call is stopped. */
static atomic_bool stop;

static void on_alarm(int number)
{
	(void)number;
	atomic_store(&stop, true);
}

static void stop_soon(void)
{
	const struct itimerval soon = {.it_value = {.tv_usec = 20000}};
	atomic_store(&stop, false);
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &soon, NULL);
}

static void run_once(adze_device *dev, adze_exe *x)
{
	const struct exe_signature *s = &x->file.signature;
	uint32_t given = s->ninput + s->nweight + s->nprepared, n = given + s->noutput, k = 0;
	size_t total = s->arena_bytes;
	struct diag d = {ADZE_OK, ""};
	int64_t symbol[ADZE_MAX_SYMBOLS];
	adze_buffer **all = calloc(n + 1, sizeof *all), **at = calloc(n + 1, sizeof *at);
	for (uint32_t i = 0; i < s->ninput; i++)
		all[k++] = make(dev, &s->input[i].shape, &total);
	for (uint32_t i = 0; i < s->nweight + s->nprepared; i++)
		all[k++] = make(dev, &exe_weight(s, i)->shape, &total);
	for (uint32_t i = 0; i < s->noutput; i++)
		all[k++] = make(dev, &s->output[i].shape, &total);
	memcpy(at, all, n * sizeof *at);
	for (uint32_t i = 0; i < s->noutput; i++)
		if (s->output[i].into >= 0)
			at[given + i] = all[s->output[i].into];
	struct device_call call = {.input = at, .weight = at + s->ninput,
				   .output = at + given, .symbol = symbol,
				   .cancel = &stop};
	if (total <= MOST_BYTES && is_small(x) && device_symbols(s, at, symbol, &d) == ADZE_OK &&
	    dev->ops->frame_create(dev, x->loaded, &call.frame, &d) == ADZE_OK) {
		stop_soon();
		dev->ops->run(dev, x->loaded, &call, &d);
		dev->ops->frame_destroy(dev, call.frame);
	}
	for (uint32_t i = 0; i < n; i++) {
		free(all[i]->data);
		free(all[i]);
	}
	free(all);
	free(at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static adze_context *c;
	static adze_device *dev;
	struct diag d = {ADZE_OK, ""};
	const char *target;
	if (c == NULL) {
		c = device_check_context("scalar", 1);
		c->mem = (adze_allocator){resize, NULL};
		const struct device_ops *ops = device_find("cpu", &target);
		if (ops->open(c, NULL, &dev, &d) != ADZE_OK)
			return 0;
		dev->ops = ops;
		atomic_init(&dev->refs, 1);
	}
	if (size < 64)
		return 0;
	unsigned char *file = malloc(size);
	memcpy(file, data, size);
	device_check_mend(file, size);
	adze_exe *x;
	if (device_load(dev, file, size, &x, &d) == ADZE_OK) {
		run_once(dev, x);
		exe_release(x);
	}
	return 0;
}
