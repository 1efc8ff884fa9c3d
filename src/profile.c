/* SPDX-License-Identifier: Apache-2.0
 *
 * Profiles: made before the calls that they record, read after them.
 */
#include <string.h>

#include "internal.h"

#define MOST_RECORDS ((size_t)1 << 30)

static const adze_allocator *memory_of(const adze_profile *p)
{
	return &p->exe->device->context->mem;
}

adze_status adze_profile_create(adze_exe *x, size_t calls, size_t records, adze_profile **out)
{
	adze_device *dev = x->device;
	const adze_allocator *a = &dev->context->mem;
	*out = NULL;
	if (dev->ops->describe_steps == NULL)
		return context_fail(dev->context, ADZE_E_UNSUPPORTED,
				    "profile: the device %s cannot tell what its steps take",
				    dev->ops->name);
	if (calls == 0 || records == 0 || calls > MOST_RECORDS || records > MOST_RECORDS)
		return context_fail(dev->context, ADZE_E_ARGUMENT,
				    "profile: 1 to %zu calls and records, not %zu and %zu",
				    MOST_RECORDS, calls, records);
	adze_profile *p = mem_new(a, 1, sizeof *p);
	if (p == NULL)
		return context_fail(dev->context, ADZE_E_NOMEM, "no memory for a profile");
	p->exe = x;
	exe_retain(x);
	p->device.most_calls = calls;
	p->device.most_records = records;
	p->nstep = dev->ops->count_steps(dev, x->loaded);
	p->device.call = mem_new(a, calls, sizeof *p->device.call);
	p->device.record = mem_new(a, records, sizeof *p->device.record);
	p->sorted = mem_new(a, records, sizeof *p->sorted);
	p->step = mem_new(a, p->nstep, sizeof *p->step);
	p->total = mem_new(a, p->nstep, sizeof *p->total);
	if (p->device.call == NULL || p->device.record == NULL || p->sorted == NULL ||
	    p->step == NULL || p->total == NULL) {
		adze_profile_destroy(p);
		return context_fail(dev->context, ADZE_E_NOMEM,
				    "no memory for a profile of %zu records", records);
	}
	*out = p;
	return ADZE_OK;
}

void adze_profile_destroy(adze_profile *p)
{
	if (p == NULL)
		return;
	adze_exe *x = p->exe;
	const adze_allocator *a = memory_of(p);
	mem_free(a, p->device.call, p->device.most_calls, sizeof *p->device.call);
	mem_free(a, p->device.record, p->device.most_records, sizeof *p->device.record);
	mem_free(a, p->sorted, p->device.most_records, sizeof *p->sorted);
	mem_free(a, p->step, p->nstep, sizeof *p->step);
	mem_free(a, p->total, p->nstep, sizeof *p->total);
	mem_free(a, p, 1, sizeof *p);
	exe_release(x);
}

void adze_profile_clear(adze_profile *p)
{
	atomic_store(&p->device.nrecord, 0);
	atomic_store(&p->device.ncall, 0);
	p->totalled = 0;
}

static size_t count(const atomic_size_t *asked, size_t most, size_t *lost)
{
	size_t n = atomic_load(asked);
	if (lost != NULL)
		*lost = n > most ? n - most : 0;
	return n < most ? n : most;
}

size_t adze_profile_calls(const adze_profile *p, size_t *lost)
{
	return count(&p->device.ncall, p->device.most_calls, lost);
}

size_t adze_profile_records(const adze_profile *p, size_t *lost)
{
	return count(&p->device.nrecord, p->device.most_records, lost);
}

bool adze_profile_call_at(const adze_profile *p, size_t i, uint64_t *start_ns, uint64_t *end_ns)
{
	if (i >= adze_profile_calls(p, NULL))
		return false;
	*start_ns = p->device.call[i].start;
	*end_ns = p->device.call[i].end;
	return true;
}

/* The steps for the symbols of a call; costs of 0 where they cannot be worked out. */
static void describe(adze_profile *p, const int64_t *symbol)
{
	adze_device *dev = p->exe->device;
	struct diag d = {ADZE_OK, ""};
	size_t bytes = sizeof(int64_t) * (size_t)p->exe->file.signature.nsymbol;
	if (p->described && memcmp(p->of, symbol, bytes) == 0)
		return;
	memcpy(p->of, symbol, bytes);
	p->described = dev->ops->describe_steps(dev, p->exe->loaded, symbol, p->step, &d) ==
		       ADZE_OK;
	if (!p->described) {
		memset(p->step, 0, p->nstep * sizeof *p->step);
		context_keep(dev->context, &d);
	}
}

bool adze_profile_record_at(adze_profile *p, size_t i, adze_profile_record *out)
{
	if (i >= adze_profile_records(p, NULL))
		return false;
	const struct profile_record *r = &p->device.record[i];
	describe(p, p->device.call[r->call].symbol);
	*out = (adze_profile_record){r->call, r->step, r->worker, r->inside,
				     r->start, r->end, p->step[r->step].cost,
				     p->step[r->step].shapes};
	return true;
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static void sift(uint64_t *at, size_t from, size_t n)
{
	uint64_t v = at[from];
	for (size_t child; (child = 2 * from + 1) < n; from = child) {
		child += child + 1 < n && at[child + 1] > at[child];
		if (at[child] <= v)
			break;
		at[from] = at[child];
	}
	at[from] = v;
}

/* Heapsort: no memory, no bad case. */
static void sort(uint64_t *at, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sift(at, i, n);
	for (size_t i = n; i-- > 1;) {
		uint64_t first = at[0];
		at[0] = at[i];
		at[i] = first;
		sift(at, 0, i);
	}
}

static void add_cost(adze_cost *to, const adze_cost *c)
{
	to->read += c->read;
	to->written += c->written;
	to->flops += c->flops;
	to->ops += c->ops;
}

/* All records at once: times side by side for each step, where total_ns counts their places while
 * they are filled in. */
static void add_up(adze_profile *p, size_t n)
{
	const struct profile_record *r = p->device.record;
	memset(p->total, 0, p->nstep * sizeof *p->total);
	for (size_t i = 0; i < n; i++)
		p->total[r[i].step].runs += r[i].worker < 0;
	for (size_t i = 0, at = 0; i < p->nstep; i++) {
		p->total[i].total_ns = at;
		at += (size_t)p->total[i].runs;
	}
	for (size_t i = 0; i < n; i++) {
		adze_profile_step *t = &p->total[r[i].step];
		uint64_t ns = r[i].end - r[i].start;
		if (r[i].worker >= 0)
			continue;
		p->sorted[t->total_ns++] = ns;
		if (r[i].inside != PROFILE_NONE)
			p->total[r[r[i].inside].step].inside_ns += ns;
		describe(p, p->device.call[r[i].call].symbol);
		add_cost(&t->cost, &p->step[r[i].step].cost);
	}
	for (size_t i = 0; i < p->nstep; i++) {
		adze_profile_step *t = &p->total[i];
		uint64_t *at = p->sorted + t->total_ns - t->runs;
		t->total_ns = 0;
		if (t->runs == 0)
			continue;
		sort(at, (size_t)t->runs);
		for (size_t k = 0; k < t->runs; k++)
			t->total_ns += at[k];
		t->min_ns = at[0];
		t->median_ns = at[t->runs / 2];
	}
	p->totalled = n;
}

bool adze_profile_step_at(adze_profile *p, size_t i, adze_profile_step *out)
{
	static const int64_t none[ADZE_MAX_SYMBOLS];
	size_t n = adze_profile_records(p, NULL);
	if (i >= p->nstep)
		return false;
	if (!p->described)
		describe(p, n > 0 ? p->device.call[p->device.record[0].call].symbol : none);
	if (n != p->totalled || n == 0)
		add_up(p, n);
	const struct device_step *s = &p->step[i];
	*out = p->total[i];
	out->name = or_empty(s->name);
	out->kernel = or_empty(s->kernel);
	out->value = or_empty(s->value);
	out->what = or_empty(s->what);
	out->shapes = s->shapes;
	out->file = or_empty(s->file);
	out->line = s->line;
	return true;
}

double adze_cost_seconds(const adze_cost *c, const adze_ceilings *top, adze_bound *bound)
{
	double both = c->read < c->written ? c->read : c->written;
	double memory = 0, compute = 0;
	/* What is written is read and written as a copy is; what is read besides only read. */
	if (top->copy > 0)
		memory += (c->written + both) / top->copy;
	if (top->read > 0)
		memory += (c->read - both) / top->read;
	if (top->flops > 0)
		compute += c->flops / top->flops;
	if (top->ops > 0)
		compute += c->ops / top->ops;
	if (bound != NULL)
		*bound = memory == 0 && compute == 0 ? ADZE_BOUND_NONE
			 : memory >= compute          ? ADZE_BOUND_MEMORY
						      : ADZE_BOUND_COMPUTE;
	return memory > compute ? memory : compute;
}
