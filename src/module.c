/* SPDX-License-Identifier: Apache-2.0
 *
 * Modules: weights bound to an executable, and calls. What a running call needs is a frame;
 * a module keeps those it has made, so that later calls allocate nothing.
 */
#include <inttypes.h>
#include <string.h>

#include "internal.h"

/* What one call at a time works with. */
struct frame {
	struct frame *next;
	struct device_frame *device;
	adze_buffer **output; /* of this call, one each */
};

struct adze_module {
	adze_exe *exe;        /* retained */
	adze_buffer **weight; /* retained; behind those of the signature what is prepared */
	uint32_t nweight;     /* those that are set */
	pthread_mutex_t lock; /* of the below */
	struct frame *idle;
	_Atomic(adze_profile *) profile; /* borrowed; NULL: calls record nothing */
};

static const struct exe_signature *signature(const adze_module *m)
{
	return &m->exe->file.signature;
}

/* ---- frames ---- */

static void destroy_frame(adze_module *m, struct frame *f)
{
	adze_device *dev = m->exe->device;
	if (f->device != NULL)
		dev->ops->frame_destroy(dev, f->device);
	mem_free(&dev->context->mem, f->output, signature(m)->noutput, sizeof(adze_buffer *));
	mem_free(&dev->context->mem, f, 1, sizeof *f);
}

static adze_status create_frame(adze_module *m, struct diag *d, struct frame **out)
{
	adze_device *dev = m->exe->device;
	const adze_allocator *a = &dev->context->mem;
	*out = NULL;
	struct frame *f = mem_new(a, 1, sizeof *f);
	if (f == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a call");
	adze_status status = ADZE_OK;
	f->output = mem_new(a, signature(m)->noutput, sizeof(adze_buffer *));
	if (f->output == NULL)
		status = fail(d, ADZE_E_NOMEM, "no memory for a call");
	else
		status = dev->ops->frame_create(dev, m->exe->loaded, &f->device, d);
	if (status != ADZE_OK) {
		destroy_frame(m, f);
		return fail(d, status, "no frame for a call");
	}
	*out = f;
	return ADZE_OK;
}

static adze_status take_frame(adze_module *m, struct diag *d, struct frame **out)
{
	pthread_mutex_lock(&m->lock);
	*out = m->idle;
	if (m->idle != NULL)
		m->idle = m->idle->next;
	pthread_mutex_unlock(&m->lock);
	return *out != NULL ? ADZE_OK : create_frame(m, d, out);
}

static void give_frame(adze_module *m, struct frame *f)
{
	pthread_mutex_lock(&m->lock);
	f->next = m->idle;
	m->idle = f;
	pthread_mutex_unlock(&m->lock);
}

/* ---- binding ---- */

static bool names_agree(const adze_shape *a, const adze_shape *b)
{
	for (int i = 0; i < a->rank; i++)
		if (a->dim[i].name[0] != '\0' && b->dim[i].name[0] != '\0' &&
		    strcmp(a->dim[i].name, b->dim[i].name) != 0)
			return false;
	return true;
}

static adze_status check_weight(const adze_exe *x, const struct exe_value *want,
				const adze_buffer *have, struct diag *d)
{
	char a[SHAPE_TEXT / 2], b[SHAPE_TEXT / 2];
	const char *words = NULL;
	if (have == NULL)
		return fail(d, ADZE_E_ARGUMENT, "weight '%.200s' is missing", want->name);
	if (have->device != x->device)
		return fail(d, ADZE_E_ARGUMENT, "weight '%.200s' is on another device",
			    want->name);
	if (have->shape.dtype != want->shape.dtype)
		words = "element types differ";
	else if (!shape_same_extents(&have->shape, &want->shape))
		words = "extents differ";
	else if (!names_agree(&have->shape, &want->shape))
		words = "names of axes differ";
	if (words == NULL)
		return ADZE_OK;
	return fail(d, ADZE_E_TYPE, "weight '%.200s' is %s, and was given %s: %s", want->name,
		    shape_print(&want->shape, a, sizeof a),
		    shape_print(&have->shape, b, sizeof b), words);
}

static adze_status check_weights(const adze_exe *x, adze_buffer *const *weight, size_t n,
				 struct diag *d)
{
	const struct exe_signature *s = &x->file.signature;
	if (n != s->nweight)
		return fail(d, ADZE_E_ARGUMENT, "'%.200s' has %" PRIu32 " weights, and was given "
			    "%zu", s->graph, s->nweight, n);
	for (size_t i = 0; i < n; i++)
		TRY(check_weight(x, &s->weight[i], weight[i], d));
	if (x->device->run_words[0] != '\0')
		return fail(d, ADZE_E_DEVICE, "device %s: %s", x->device->ops->name,
			    x->device->run_words);
	return ADZE_OK;
}

/* Makes what the executable prepares from weights. */
static adze_status prepare(adze_module *m, struct diag *d)
{
	const struct exe_signature *s = signature(m);
	adze_device *dev = m->exe->device;
	void **data = mem_new(&dev->context->mem, s->nprepared, sizeof *data);
	adze_status status = ADZE_OK;
	if (data == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a module");
	for (uint32_t i = 0; i < s->nprepared && status == ADZE_OK; i++) {
		const adze_shape *shape = &s->prepared[i].shape;
		status = buffer_create(dev, shape, (size_t)shape_bytes(shape), d,
				       &m->weight[m->nweight]);
		if (status == ADZE_OK)
			data[i] = m->weight[m->nweight++]->data;
	}
	if (status == ADZE_OK)
		status = device_prepare(m->exe, m->weight, data, d);
	mem_free(&dev->context->mem, data, s->nprepared, sizeof *data);
	return status;
}

adze_status module_create(adze_exe *x, adze_buffer *const *weight, size_t nweight,
			  struct diag *d, adze_module **out)
{
	const adze_allocator *a = &x->device->context->mem;
	struct frame *f;
	*out = NULL;
	TRY(check_weights(x, weight, nweight, d));
	adze_module *m = mem_new(a, 1, sizeof *m);
	if (m == NULL)
		return fail(d, ADZE_E_NOMEM, "no memory for a module");
	size_t all = nweight + x->file.signature.nprepared;
	m->weight = mem_new(a, all, sizeof *m->weight);
	if (m->weight == NULL || pthread_mutex_init(&m->lock, NULL) != 0) {
		mem_free(a, m->weight, all, sizeof *m->weight);
		mem_free(a, m, 1, sizeof *m);
		return fail(d, ADZE_E_NOMEM, "no memory for a module");
	}
	m->exe = x;
	exe_retain(x);
	for (; m->nweight < nweight; m->nweight++) {
		m->weight[m->nweight] = weight[m->nweight];
		buffer_retain(weight[m->nweight]);
	}
	adze_status status = prepare(m, d);
	if (status == ADZE_OK)
		status = create_frame(m, d, &f);
	if (status != ADZE_OK) {
		adze_module_destroy(m);
		return status;
	}
	give_frame(m, f);
	*out = m;
	return ADZE_OK;
}

adze_status adze_bind(adze_exe *x, adze_buffer *const *weight, size_t nweight, adze_module **out)
{
	struct diag d = {ADZE_OK, ""};
	module_create(x, weight, nweight, &d, out);
	return context_keep(x->device->context, &d);
}

static adze_status load_weight(adze_store *s, const struct exe_value *want, adze_device *dev,
			       struct diag *d, adze_buffer **out)
{
	const struct safetensors_entry *e;
	adze_shape shape;
	TRY(store_find(s, want->name, &e, d));
	TRY(store_shape(s, e, &shape, d));
	return store_load(s, e, &shape, dev, d, out);
}

adze_status adze_bind_store(adze_exe *x, adze_store *store, adze_module **out)
{
	const struct exe_signature *s = &x->file.signature;
	const adze_allocator *a = &x->device->context->mem;
	struct diag d = {ADZE_OK, ""};
	*out = NULL;
	adze_buffer **weight = mem_new(a, s->nweight, sizeof *weight);
	if (weight == NULL)
		fail(&d, ADZE_E_NOMEM, "no memory for a module");
	for (uint32_t i = 0; i < s->nweight && d.status == ADZE_OK; i++)
		load_weight(store, &s->weight[i], x->device, &d, &weight[i]);
	if (d.status == ADZE_OK)
		module_create(x, weight, s->nweight, &d, out);
	for (uint32_t i = 0; weight != NULL && i < s->nweight; i++)
		adze_buffer_destroy(weight[i]);
	mem_free(a, weight, s->nweight, sizeof *weight);
	return context_keep(x->device->context, &d);
}

void adze_module_destroy(adze_module *m)
{
	if (m == NULL)
		return;
	adze_exe *x = m->exe;
	const adze_allocator *a = &x->device->context->mem;
	while (m->idle != NULL) {
		struct frame *f = m->idle;
		m->idle = f->next;
		destroy_frame(m, f);
	}
	for (uint32_t i = 0; i < m->nweight; i++)
		adze_buffer_destroy(m->weight[i]);
	mem_free(a, m->weight, signature(m)->nweight + signature(m)->nprepared,
		 sizeof *m->weight);
	pthread_mutex_destroy(&m->lock);
	mem_free(a, m, 1, sizeof *m);
	exe_release(x);
}

adze_status adze_module_profile(adze_module *m, adze_profile *p)
{
	if (p != NULL && p->exe != m->exe)
		return context_fail(m->exe->device->context, ADZE_E_ARGUMENT,
				    "profile: it is of another executable than the module");
	atomic_store(&m->profile, p);
	return ADZE_OK;
}

/* ---- cancelling ---- */

adze_status adze_cancel_create(adze_context *c, adze_cancel **out)
{
	adze_cancel *k = mem_new(&c->mem, 1, sizeof *k);
	*out = k;
	if (k == NULL)
		return context_fail(c, ADZE_E_NOMEM, "no memory for a flag");
	k->context = c;
	context_retain(c);
	atomic_init(&k->flag, false);
	return ADZE_OK;
}

void adze_cancel_set(adze_cancel *cancel, bool stop)
{
	atomic_store(&cancel->flag, stop);
}

void adze_cancel_destroy(adze_cancel *cancel)
{
	if (cancel == NULL)
		return;
	adze_context *c = cancel->context;
	mem_free(&c->mem, cancel, 1, sizeof *cancel);
	context_release(c);
}

/* ---- calls ---- */

/* One call's arguments, and the values of its symbols. */
struct call {
	adze_module *module;
	adze_buffer *const *input;
	adze_buffer **output;
	int64_t symbol[ADZE_MAX_SYMBOLS];
};

static adze_status check_inputs(const struct call *k, struct diag *d)
{
	const struct exe_signature *s = signature(k->module);
	for (uint32_t i = 0; i < s->ninput; i++) {
		if (k->input[i] == NULL)
			return fail(d, ADZE_E_ARGUMENT, "input '%.200s' is missing",
				    s->input[i].name);
		if (k->input[i]->device != k->module->exe->device)
			return fail(d, ADZE_E_ARGUMENT, "input '%.200s' is on another device",
				    s->input[i].name);
	}
	return ADZE_OK;
}

/* Whether a buffer that is to be written is something else in this call. */
static const char *find_other_use(const struct call *k, const adze_buffer *b, uint32_t output)
{
	const struct exe_signature *s = signature(k->module);
	int32_t into = s->output[output].into;
	if (b->borrowed)
		return "lies in a weight file";
	for (uint32_t i = 0; i < s->ninput; i++)
		if (k->input[i] == b && (int32_t)i != into)
			return "is an input too";
	for (uint32_t i = 0; i < s->noutput; i++)
		if (i != output && k->output[i] == b)
			return "is another output too";
	for (uint32_t i = 0; i < k->module->nweight; i++)
		if (k->module->weight[i] == b)
			return "is a weight too";
	return NULL;
}

static adze_status check_output(const struct call *k, uint32_t i, struct diag *d)
{
	const struct exe_signature *s = signature(k->module);
	const struct exe_value *want = &s->output[i];
	const adze_buffer *b = k->output[i];
	if (want->into >= 0) {
		if (b != NULL && b != k->input[want->into])
			return fail(d, ADZE_E_ARGUMENT, "output '%.200s' takes the memory of its "
				    "input: give that, or NULL", want->name);
		b = k->input[want->into];
	}
	if (b == NULL)
		return ADZE_OK;
	if (b->device != k->module->exe->device)
		return fail(d, ADZE_E_ARGUMENT, "output '%.200s' is on another device",
			    want->name);
	const char *words = find_other_use(k, b, i);
	if (words != NULL)
		return fail(d, ADZE_E_ARGUMENT, "output '%.200s': its buffer %s", want->name,
			    words);
	adze_shape shape = device_shape(s, &want->shape, k->symbol);
	char text[SHAPE_TEXT];
	if ((uint64_t)shape_bytes(&shape) > b->bytes)
		return fail(d, ADZE_E_ARGUMENT, "output '%.200s' is %s of %" PRId64 " bytes, and "
			    "its buffer has %zu", want->name,
			    shape_print(&shape, text, sizeof text), shape_bytes(&shape),
			    b->bytes);
	return ADZE_OK;
}

/* Fills the frame's outputs; those that were not given are made. */
static adze_status place_outputs(const struct call *k, struct frame *f, struct diag *d)
{
	const struct exe_signature *s = signature(k->module);
	for (uint32_t i = 0; i < s->noutput; i++) {
		const struct exe_value *want = &s->output[i];
		adze_shape shape = device_shape(s, &want->shape, k->symbol);
		f->output[i] = want->into >= 0 ? k->input[want->into] : k->output[i];
		if (f->output[i] == NULL)
			TRY(buffer_create(k->module->exe->device, &shape,
					  (size_t)shape_bytes(&want->shape), d, &f->output[i]));
		else if (want->into < 0)
			f->output[i]->shape = shape;
	}
	return ADZE_OK;
}

/* Hands the results out; after a failure what was made goes. */
static void settle_outputs(const struct call *k, struct frame *f, adze_status status)
{
	const struct exe_signature *s = signature(k->module);
	for (uint32_t i = 0; i < s->noutput; i++) {
		if (status == ADZE_OK)
			k->output[i] = f->output[i];
		else if (k->output[i] == NULL && s->output[i].into < 0)
			adze_buffer_destroy(f->output[i]);
		f->output[i] = NULL;
	}
}

/* The device's part of a call, recorded where the module has a profile. */
static adze_status run_device(const struct call *k, struct device_call *call, struct diag *d)
{
	adze_device *dev = k->module->exe->device;
	adze_profile *p = atomic_load_explicit(&k->module->profile, memory_order_acquire);
	size_t n = p != NULL ? atomic_fetch_add(&p->device.ncall, 1) : 0;
	if (p == NULL || n >= p->device.most_calls)
		return dev->ops->run(dev, k->module->exe->loaded, call, d);
	struct profile_call *c = &p->device.call[n];
	call->profile = &p->device;
	call->number = (uint32_t)n;
	memcpy(c->symbol, k->symbol, sizeof c->symbol);
	c->end = 0;
	c->start = profile_now();
	adze_status status = dev->ops->run(dev, k->module->exe->loaded, call, d);
	if (status == ADZE_OK)
		c->end = profile_now();
	return status;
}

static adze_status run_call(const struct call *k, const adze_cancel *cancel, struct diag *d)
{
	adze_module *m = k->module;
	struct frame *f;
	TRY(take_frame(m, d, &f));
	adze_status status = place_outputs(k, f, d);
	if (status == ADZE_OK) {
		struct device_call call = {.input = k->input, .weight = m->weight,
					   .output = f->output, .symbol = k->symbol,
					   .cancel = cancel != NULL ? &cancel->flag : NULL,
					   .frame = f->device};
		status = run_device(k, &call, d);
		if (status != ADZE_OK)
			fail(d, status, "'%.200s': %s", signature(m)->graph, status_text(status));
	}
	settle_outputs(k, f, status);
	give_frame(m, f);
	return status;
}

static adze_status check_call(struct call *k, size_t ninput, size_t noutput,
			      const adze_cancel *cancel, struct diag *d)
{
	const struct exe_signature *s = signature(k->module);
	if (ninput != s->ninput || noutput != s->noutput)
		return fail(d, ADZE_E_ARGUMENT, "'%.200s' takes %" PRIu32 " inputs and gives %"
			    PRIu32 " results, and was given %zu and %zu", s->graph, s->ninput,
			    s->noutput, ninput, noutput);
	TRY(check_inputs(k, d));
	TRY(device_symbols(s, k->input, k->symbol, d));
	for (uint32_t i = 0; i < s->noutput; i++)
		TRY(check_output(k, i, d));
	if (cancel != NULL && atomic_load(&cancel->flag))
		return fail(d, ADZE_E_CANCELLED, "'%.200s' was cancelled", s->graph);
	return ADZE_OK;
}

adze_status adze_call(adze_module *m, adze_buffer *const *input, size_t ninput,
		      adze_buffer **output, size_t noutput, const adze_cancel *cancel)
{
	struct diag d;
	struct call k = {.module = m, .input = input, .output = output};
	diag_clear(&d);
	adze_status status = check_call(&k, ninput, noutput, cancel, &d);
	if (status == ADZE_OK)
		status = run_call(&k, cancel, &d);
	return status == ADZE_OK ? ADZE_OK : context_keep(m->exe->device->context, &d);
}
