/* SPDX-License-Identifier: Apache-2.0
 *
 * Model structs: the functions that the macros of adze.h make walk the fields of a model
 * and hand each to a visitor, which knows the dotted name and does one of four things.
 */
#include <stdio.h>
#include <string.h>

#include "internal.h"

enum mode { FILL, LOAD, FREE, BIND };

/* Nested structs are nested in the program's text, so depth has a limit. */
#define DEPTH_LIMIT 64

struct adze_visitor {
	enum mode mode;
	adze_context *context;
	struct diag *diag;
	struct text path;
	size_t mark[DEPTH_LIMIT]; /* length of the path at each level */
	size_t depth;
	const struct safetensors *file;
	adze_store *store;
	adze_device *device;      /* LOAD */
	const struct work *work;
	size_t done, expected;    /* tensors, for progress */
	adze_graph *graph;        /* FILL */
	const struct exe_signature *signature; /* BIND */
	adze_buffer **weight;
};

/* ---- paths ---- */

static void begin(struct adze_visitor *v, enum mode mode, adze_context *c, const char *prefix,
		  struct diag *d)
{
	memset(v, 0, sizeof *v);
	v->mode = mode;
	v->context = c;
	v->diag = d;
	if (c == NULL)
		return;
	text_init(&v->path, &c->mem);
	text_add(&v->path, "%s", prefix != NULL ? prefix : "");
}

static void end(struct adze_visitor *v)
{
	if (v->context != NULL)
		text_fini(&v->path);
}

static void push(struct adze_visitor *v, const char *name)
{
	if (v->depth < DEPTH_LIMIT)
		v->mark[v->depth] = v->path.len;
	v->depth++;
	if (v->context != NULL)
		text_add(&v->path, "%s%s", v->path.len > 0 ? "." : "", name);
}

static void pop(struct adze_visitor *v)
{
	v->depth--;
	if (v->depth >= DEPTH_LIMIT || v->context == NULL || v->path.at == NULL)
		return;
	v->path.len = v->mark[v->depth];
	v->path.at[v->path.len] = '\0';
}

void adze_visit_enter(adze_visitor *v, const char *name, ptrdiff_t index)
{
	push(v, name);
	if (index >= 0 && v->context != NULL)
		text_add(&v->path, ".%td", index);
}

void adze_visit_leave(adze_visitor *v)
{
	pop(v);
}

static adze_status check_path(const struct adze_visitor *v)
{
	if (v->depth > DEPTH_LIMIT)
		return fail(v->diag, ADZE_E_LIMIT, "structs are nested more than %d deep",
			    DEPTH_LIMIT);
	return v->path.failed ? fail(v->diag, ADZE_E_NOMEM, "no memory for a name") : ADZE_OK;
}

/* ---- tensors ---- */

/* Names the axes as the struct's declaration says: one word each, `_` for none. */
static adze_status name_axes(struct adze_visitor *v, const char *axes, adze_shape *s)
{
	char text[SHAPE_TEXT];
	const adze_shape plain = *s;
	int count = 0;
	const char *at = axes + strspn(axes, " ,");
	if (*at == '\0')
		return ADZE_OK;
	for (size_t n; *at != '\0'; at += n, at += strspn(at, " ,"), count++) {
		n = strcspn(at, " ,");
		if (n >= ADZE_MAX_AXIS)
			return fail(v->diag, ADZE_E_LIMIT,
				    "'%.200s': axis name '%.100s' is too long", v->path.at, at);
		if (count >= s->rank || (n == 1 && at[0] == '_'))
			continue;
		memcpy(s->dim[count].name, at, n);
		s->dim[count].name[n] = '\0';
	}
	if (count == s->rank)
		return shape_check(s, v->diag);
	return fail(v->diag, ADZE_E_TYPE,
		    "%.300s: tensor '%.200s' is %s, and the model's has the axes '%.100s'",
		    v->store->name, v->path.at, shape_print(&plain, text, sizeof text), axes);
}

static adze_status fill_leaf(struct adze_visitor *v, const struct safetensors_entry *e,
			     const char *axes, adze_tensor *slot)
{
	adze_shape shape;
	*slot = (adze_tensor){v->graph, 0, 0, NULL};
	if (e == NULL)
		return ADZE_OK;
	TRY(store_shape(v->store, e, &shape, v->diag));
	TRY(name_axes(v, axes, &shape));
	slot->id = ir_weight(v->graph, e->name, &shape);
	if (slot->id == 0)
		return fail(v->diag, v->graph->diag.status, "%s", v->graph->diag.text);
	return ADZE_OK;
}

static adze_status load_leaf(struct adze_visitor *v, const struct safetensors_entry *e,
			     const char *axes, adze_buffer **slot)
{
	adze_shape shape;
	if (e == NULL)
		return ADZE_OK;
	double share = v->expected > 0 ? (double)v->done / (double)v->expected : 0;
	TRY(work_step(v->work, share < 1 ? share : 1, e->name, v->diag));
	v->done++;
	TRY(store_shape(v->store, e, &shape, v->diag));
	TRY(name_axes(v, axes, &shape));
	return store_load(v->store, e, &shape, v->device, v->diag, slot);
}

static void bind_leaf(struct adze_visitor *v, adze_buffer *buffer)
{
	const struct exe_signature *s = v->signature;
	for (uint32_t i = 0; i < s->nweight; i++)
		if (strcmp(s->weight[i].name, v->path.at) == 0)
			v->weight[i] = buffer;
}

static adze_status visit_leaf(struct adze_visitor *v, const char *axes, void *slot, bool optional)
{
	const struct safetensors_entry *e = NULL;
	TRY(check_path(v));
	if (v->mode == BIND) {
		bind_leaf(v, *(adze_buffer **)slot);
		return ADZE_OK;
	}
	if (!optional)
		TRY(store_find(v->store, v->path.at, &e, v->diag));
	else
		e = safetensors_find(v->file, v->path.at);
	return v->mode == FILL ? fill_leaf(v, e, axes, slot) : load_leaf(v, e, axes, slot);
}

adze_status adze_visit_leaf(adze_visitor *v, const char *name, const char *axes, void *slot,
			    bool optional)
{
	if (v->mode == FREE) {
		adze_buffer **buffer = slot;
		adze_buffer_destroy(*buffer);
		*buffer = NULL;
		return ADZE_OK;
	}
	push(v, name);
	adze_status status = visit_leaf(v, axes, slot, optional);
	pop(v);
	return status;
}

/* ---- lists ---- */

/* Stands before the elements of a list of buffers, which is freed without its context. */
struct list_head {
	adze_allocator from;
	size_t bytes;
	size_t pad; /* elements are aligned as malloc() would */
};

static size_t first_at_least(const struct safetensors *f, const char *name)
{
	size_t low = 0, high = f->nentry;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(f->entry[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* The number that `text` begins with, if "." follows; else false. Huge ones are cut. */
static bool layer_number(const char *text, size_t *out)
{
	size_t n = 0;
	const char *at = text;
	for (; *at >= '0' && *at <= '9'; at++)
		if (n < SIZE_MAX / 20)
			n = n * 10 + (size_t)(*at - '0');
	*out = n;
	return at > text && *at == '.' && (text[0] != '0' || at == text + 1);
}

/* How many layers the store has below the path, which ends in a dot. */
static adze_status count_layers(struct adze_visitor *v, size_t *out)
{
	const struct safetensors *f = v->file;
	size_t k, found = 0;
	*out = 0;
	for (size_t i = first_at_least(f, v->path.at); i < f->nentry; i++) {
		const char *name = f->entry[i].name;
		if (strncmp(name, v->path.at, v->path.len) != 0)
			break;
		if (!layer_number(name + v->path.len, &k))
			continue;
		found++;
		if (k >= *out)
			*out = k + 1;
	}
	/* Each layer has a tensor, so a lying number asks for no memory. */
	if (*out > found)
		return fail(v->diag, ADZE_E_NOTFOUND,
			    "%.300s: tensors named '%.200s' go up to layer %zu, and there are "
			    "only %zu of them", v->store->name, v->path.at, *out - 1, found);
	return ADZE_OK;
}

static adze_status make_list(struct adze_visitor *v, size_t n, size_t element_bytes, void **at)
{
	size_t bytes;
	if (v->mode == FILL) { /* lives as long as the tensors in it */
		*at = arena_new(&v->graph->arena, n, element_bytes);
		return *at != NULL ? ADZE_OK
				   : fail(v->diag, ADZE_E_NOMEM, "no memory for %zu layers", n);
	}
	struct list_head *head = NULL;
	if (size_mul(n, element_bytes, &bytes) && size_add(bytes, sizeof *head, &bytes))
		head = mem_new(&v->context->mem, bytes, 1);
	if (head == NULL)
		return fail(v->diag, ADZE_E_NOMEM, "no memory for %zu layers", n);
	head->from = v->context->mem;
	head->bytes = bytes;
	*at = head + 1;
	return ADZE_OK;
}

adze_status adze_visit_list(adze_visitor *v, const char *name, size_t element_bytes, void **at,
			    size_t *count)
{
	size_t n = 0;
	if (v->mode == FREE || v->mode == BIND)
		return ADZE_OK;
	*at = NULL;
	*count = 0;
	push(v, name);
	text_bytes(&v->path, ".", 1);
	adze_status status = check_path(v);
	if (status == ADZE_OK)
		status = count_layers(v, &n);
	if (status == ADZE_OK && n > 0)
		status = make_list(v, n, element_bytes, at);
	pop(v);
	if (status == ADZE_OK)
		*count = n;
	return status;
}

adze_status adze_visit_end(adze_visitor *v, void **at, size_t element_bytes, size_t *count)
{
	(void)element_bytes;
	if (v->mode != FREE || *at == NULL)
		return ADZE_OK;
	struct list_head *head = (struct list_head *)*at - 1;
	adze_allocator from = head->from;
	mem_free(&from, head, head->bytes, 1);
	*at = NULL;
	*count = 0;
	return ADZE_OK;
}

/* ---- the four things ---- */

adze_status adze_model_fill(adze_graph *graph, const adze_store *store, const char *prefix,
			    void *model, size_t bytes, adze_visit_function *visit)
{
	struct adze_visitor v;
	struct diag d = {ADZE_OK, ""};
	memset(model, 0, bytes);
	if (graph->diag.status != ADZE_OK)
		return graph->diag.status;
	ir_at(graph, NULL, 0, 0);
	begin(&v, FILL, store->context, prefix, &d);
	v.graph = graph;
	v.store = (adze_store *)(uintptr_t)store;
	v.file = store->file;
	adze_status status = visit(model, &v);
	end(&v);
	if (status == ADZE_OK)
		return ADZE_OK;
	/* Compiling reports it as well, should the program go on. */
	ir_fail(graph, NULL, status, "%s", d.text);
	memset(model, 0, bytes);
	return context_keep(store->context, &d);
}

/* How many tensors have names that begin so, for progress. */
static size_t count_below(const struct safetensors *f, const char *prefix)
{
	size_t n = 0, len = prefix != NULL ? strlen(prefix) : 0;
	for (size_t i = len > 0 ? first_at_least(f, prefix) : 0; i < f->nentry; i++, n++)
		if (len > 0 && strncmp(f->entry[i].name, prefix, len) != 0)
			break;
	return n;
}

static adze_status load(adze_device *dev, adze_store *store, const char *prefix, void *buffers,
			size_t bytes, adze_visit_function *visit, const struct work *w,
			struct diag *d)
{
	struct adze_visitor v;
	memset(buffers, 0, bytes);
	begin(&v, LOAD, dev->context, prefix, d);
	v.device = dev;
	v.store = store;
	v.file = store->file;
	v.work = w;
	v.expected = count_below(store->file, prefix);
	adze_status status = visit(buffers, &v);
	end(&v);
	if (status == ADZE_OK)
		status = work_step(w, 1, "done", d);
	if (status != ADZE_OK)
		adze_model_free(buffers, bytes, visit);
	return status;
}

adze_status adze_model_load(adze_device *dev, adze_store *store, const char *prefix,
			    void *buffers, size_t bytes, adze_visit_function *visit,
			    const adze_progress *progress)
{
	struct diag d = {ADZE_OK, ""};
	struct work w = {{NULL, NULL}, NULL};
	if (progress != NULL)
		w.progress = *progress;
	load(dev, store, prefix, buffers, bytes, visit, &w, &d);
	return context_keep(dev->context, &d);
}

void adze_model_free(void *buffers, size_t bytes, adze_visit_function *visit)
{
	struct adze_visitor v;
	begin(&v, FREE, NULL, NULL, NULL);
	visit(buffers, &v);
	memset(buffers, 0, bytes);
}

adze_status adze_model_bind(adze_exe *x, void *buffers, const char *prefix,
			    adze_visit_function *visit, adze_module **out)
{
	const struct exe_signature *s = &x->file.signature;
	adze_context *c = x->device->context;
	struct adze_visitor v;
	struct diag d = {ADZE_OK, ""};
	*out = NULL;
	adze_buffer **weight = mem_new(&c->mem, s->nweight, sizeof *weight);
	if (weight == NULL)
		return context_fail(c, ADZE_E_NOMEM, "no memory for a module");
	begin(&v, BIND, c, prefix, &d);
	v.signature = s;
	v.weight = weight;
	if (visit(buffers, &v) == ADZE_OK)
		module_create(x, weight, s->nweight, &d, out);
	end(&v);
	mem_free(&c->mem, weight, s->nweight, sizeof *weight);
	return context_keep(c, &d);
}

/* ---- beside the caller ---- */

struct load_job {
	adze_device *device; /* retained */
	adze_store *store;   /* retained */
	char *prefix;
	size_t prefix_bytes;
	void *buffers;       /* the caller's */
	size_t bytes;
	adze_visit_function *visit;
	bool loaded;         /* `buffers` is this job's until somebody knows of it */
};

static adze_status run_job(void *self, const struct work *w, struct diag *d)
{
	struct load_job *job = self;
	adze_status status = load(job->device, job->store, job->prefix, job->buffers, job->bytes,
				  job->visit, w, d);
	job->loaded = status == ADZE_OK;
	return status;
}

static void destroy_job(void *self, bool taken)
{
	struct load_job *job = self;
	adze_device *dev = job->device;
	if (job->loaded && !taken)
		adze_model_free(job->buffers, job->bytes, job->visit);
	mem_free(&dev->context->mem, job->prefix, job->prefix_bytes, 1);
	adze_store_close(job->store);
	mem_free(&dev->context->mem, job, 1, sizeof *job);
	device_release(dev);
}

static const struct future_job load_kind = {run_job, destroy_job};

adze_status adze_model_load_async(adze_device *dev, adze_store *store, const char *prefix,
				  void *buffers, size_t bytes, adze_visit_function *visit,
				  const adze_progress *progress, adze_future **out)
{
	adze_context *c = dev->context;
	*out = NULL;
	memset(buffers, 0, bytes);
	struct load_job *job = mem_new(&c->mem, 1, sizeof *job);
	size_t len = prefix != NULL ? strlen(prefix) + 1 : 1;
	char *copy = mem_new(&c->mem, len, 1);
	if (job == NULL || copy == NULL) {
		mem_free(&c->mem, job, 1, sizeof *job);
		mem_free(&c->mem, copy, len, 1);
		return context_fail(c, ADZE_E_NOMEM, "no memory to load");
	}
	if (prefix != NULL)
		memcpy(copy, prefix, len);
	*job = (struct load_job){dev, store, copy, len, buffers, bytes, visit, false};
	device_retain(dev);
	store_retain(store);
	return future_start(c, &load_kind, job, progress, out);
}
