/* SPDX-License-Identifier: Apache-2.0
 *
 * From a graph to an executable: a copy goes through the passes, the device makes the bytes
 * of a file of it, and the device's loader takes them. Or the cache has it.
 */
#include <string.h>

#include "cache.h"
#include "internal.h"

/* ---- the graph and its text ---- */

/* Only what results need, in the one order that its text has. */
static adze_status copy_graph(adze_context *c, const adze_graph *g, struct text *text,
			      adze_graph **out, struct diag *d)
{
	*out = NULL;
	if (g->diag.status != ADZE_OK)
		return fail(d, g->diag.status, "%s", g->diag.text);
	if (g->noutput == 0)
		return fail(d, ADZE_E_ARGUMENT, "graph '%.200s' has no result", g->name);
	/* Rebuilding would lose the columns of the later stages. */
	if (g->stage < STAGE_GROUPED) {
		adze_status status = ir_rebuild(g, NULL, NULL, NULL, 0, out);
		if (status != ADZE_OK) {
			fail(d, status, "%s", *out != NULL ? (*out)->diag.text
							   : "no memory for the graph");
			ir_graph_destroy(*out);
			*out = NULL;
			return status;
		}
	}
	ir_print(*out != NULL ? *out : g, text);
	adze_status status = text->failed ? ADZE_E_NOMEM : ADZE_OK;
	if (status == ADZE_OK && *out == NULL)
		status = ir_parse(&c->mem, text->at, text->len, g->name, d, out);
	if (status == ADZE_OK)
		return ADZE_OK;
	ir_graph_destroy(*out);
	*out = NULL;
	return fail(d, status, "no memory for the text of the graph");
}

/* ---- compiling ---- */

static adze_status after_pass(void *self, const char *pass, const adze_graph *g)
{
	static const double share = 0.5;
	(void)g;
	return work_step(self, share, pass, NULL);
}

/* The bytes as a block of their own length, as the loader wants them. */
static void *take_bytes(struct text *t)
{
	void *bytes = t->from->resize(t->from->self, t->at, t->cap, t->len);
	if (bytes == NULL)
		return NULL;
	text_init(t, t->from);
	return bytes;
}

/* `*g` may be replaced; it stays the caller's. */
static adze_status compile_new(adze_device *dev, adze_graph **g, const struct text *source,
			       const struct cache_key *key, const struct work *w, struct diag *d,
			       adze_exe **out)
{
	struct ir_pass_options options = {.until = STAGE_PLANNED, .after = after_pass,
					  .without = dev->ops->without_passes,
					  .narrow_products = dev->ops->narrow_products,
					  .self = (void *)(uintptr_t)w};
	adze_status status = ir_run_passes(g, &options, d);
	if (status != ADZE_OK)
		return fail(d, status, "compile: %s", status_text(status));
	TRY(work_step(w, 0.6, "lower", d));
	struct text bytes;
	text_init(&bytes, &dev->context->mem);
	status = device_compile(dev, *g, source->at, &bytes, d);
	if (status == ADZE_OK && bytes.failed)
		status = fail(d, ADZE_E_NOMEM, "no memory for the executable");
	if (status == ADZE_OK) {
		cache_store(dev, key, bytes.at, bytes.len);
		size_t len = bytes.len;
		void *block = take_bytes(&bytes);
		status = block != NULL ? device_load(dev, block, len, out, d)
				       : fail(d, ADZE_E_NOMEM, "no memory for the executable");
	}
	text_fini(&bytes);
	return status;
}

static adze_status compile_copy(adze_device *dev, adze_graph **g, const struct text *text,
				const struct work *w, struct diag *d, adze_exe **out)
{
	struct cache_key key;
	*out = NULL;
	TRY(work_step(w, 0, "cache", d));
	cache_find_key(dev, text, &key);
	TRY(cache_load(dev, &key, text, d, out));
	if (*out == NULL)
		TRY(compile_new(dev, g, text, &key, w, d, out));
	return work_step(w, 1, "done", NULL);
}

adze_status adze_compile(adze_device *dev, const adze_graph *graph, adze_exe **out)
{
	adze_context *c = dev->context;
	struct diag d = {ADZE_OK, ""};
	struct text text;
	adze_graph *copy;
	*out = NULL;
	text_init(&text, &c->mem);
	if (copy_graph(c, graph, &text, &copy, &d) == ADZE_OK)
		compile_copy(dev, &copy, &text, NULL, &d, out);
	ir_graph_destroy(copy);
	text_fini(&text);
	return context_keep(c, &d);
}

/* ---- beside the caller ---- */

struct compile_job {
	adze_device *device; /* retained */
	adze_graph *graph;   /* a copy */
	struct text text;
	adze_exe *exe;
};

static adze_status run_job(void *self, const struct work *w, struct diag *d)
{
	struct compile_job *job = self;
	adze_status status = compile_copy(job->device, &job->graph, &job->text, w, d, &job->exe);
	if (status != ADZE_OK) {
		exe_release(job->exe);
		job->exe = NULL;
	}
	return status;
}

static void destroy_job(void *self, bool taken)
{
	struct compile_job *job = self;
	adze_device *dev = job->device;
	(void)taken;
	exe_release(job->exe);
	ir_graph_destroy(job->graph);
	text_fini(&job->text);
	mem_free(&dev->context->mem, job, 1, sizeof *job);
	device_release(dev);
}

static const struct future_job compile_kind = {run_job, destroy_job};

adze_status adze_compile_async(adze_device *dev, const adze_graph *graph,
			       const adze_progress *progress, adze_future **out)
{
	adze_context *c = dev->context;
	struct diag d = {ADZE_OK, ""};
	*out = NULL;
	struct compile_job *job = mem_new(&c->mem, 1, sizeof *job);
	if (job == NULL)
		return context_fail(c, ADZE_E_NOMEM, "no memory to compile");
	job->device = dev;
	device_retain(dev);
	text_init(&job->text, &c->mem);
	if (copy_graph(c, graph, &job->text, &job->graph, &d) != ADZE_OK) {
		destroy_job(job, false);
		return context_keep(c, &d);
	}
	return future_start(c, &compile_kind, job, progress, out);
}

adze_status adze_future_exe(adze_future *future, adze_exe **out)
{
	void *self;
	*out = NULL;
	TRY(future_job(future, &compile_kind, &self));
	struct compile_job *job = self;
	if (job->exe == NULL)
		return context_fail(future_context(future), ADZE_E_ARGUMENT,
				    "the executable has been taken already");
	*out = job->exe;
	job->exe = NULL;
	return ADZE_OK;
}
