/* SPDX-License-Identifier: Apache-2.0
 *
 * What the entry points share: the structs behind the public handles, and work that may run
 * beside its caller.
 */
#ifndef ADZE_INTERNAL_H
#define ADZE_INTERNAL_H

#include "adze.h"
#include "devices/device_profile.h"
#include "safetensors.h"

struct adze_host_buffer {
	adze_context *context; /* retained */
	adze_shape shape;
	void *data;
	bool owned;
};

struct adze_store {
	adze_context *context; /* retained */
	atomic_int refs;       /* its opener, and the buffers that lie in it */
	struct safetensors *file;
	char *name;            /* for words: its path */
	size_t name_len;
};

struct adze_cancel {
	adze_context *context; /* retained */
	atomic_bool flag;
};

struct adze_profile {
	adze_exe *exe; /* retained */
	struct device_profile device;
	struct device_step *step; /* with costs for the symbols `of`, where `described` */
	size_t nstep;
	int64_t of[ADZE_MAX_SYMBOLS];
	bool described;
	adze_profile_step *total; /* by step: of the first `totalled` records */
	size_t totalled;
	uint64_t *sorted;         /* times, step by step */
};

/* ---- buffer.c ---- */

/** A host buffer around `data`, which it frees by mem_free_aligned() where `owned`. */
adze_status host_buffer_make(adze_context *c, const adze_shape *shape, void *data, bool owned,
			     struct diag *d, adze_host_buffer **out);
/** A buffer of `shape` with room for `bytes`. */
adze_status buffer_create(adze_device *dev, const adze_shape *shape, size_t bytes,
			  struct diag *d, adze_buffer **out);
/** A buffer in memory that `keep` keeps until release(keep). Takes `keep` on success. */
adze_status buffer_borrow(adze_device *dev, const adze_shape *shape, void *data, void *keep,
			  void (*release)(void *keep), struct diag *d, adze_buffer **out);
void buffer_retain(adze_buffer *b);
/** What adze_copy_in() does, from bytes of `shape`. */
adze_status buffer_fill_new(adze_device *dev, const adze_shape *shape, const void *bytes,
			    struct diag *d, adze_buffer **out);

/* ---- store.c ---- */

void store_retain(adze_store *s);
/** E_NOTFOUND with words that tell what is there of a similar name. */
adze_status store_find(const adze_store *s, const char *name,
		       const struct safetensors_entry **out, struct diag *d);
/** The shape of an entry; E_UNSUPPORTED for an element type that adze has not. */
adze_status store_shape(const adze_store *s, const struct safetensors_entry *e, adze_shape *out,
			struct diag *d);
/** `shape`: that of the entry, perhaps with names. */
adze_status store_load(adze_store *s, const struct safetensors_entry *e, const adze_shape *shape,
		       adze_device *dev, struct diag *d, adze_buffer **out);

/* ---- future.c ---- */

/** How work tells how far it is, and hears that it should stop. */
struct work {
	adze_progress progress;
	const atomic_bool *cancel; /* NULL: never */
};

/** Reports; E_CANCELLED where the work should stop. `w` NULL: does nothing. */
adze_status work_step(const struct work *w, double share, const char *what, struct diag *d);

/** What a future runs on its thread. */
struct future_job {
	adze_status (*run)(void *job, const struct work *w, struct diag *d);
	/** Frees the job; `taken`: its success has been seen by who waited. */
	void (*destroy)(void *job, bool taken);
};

/** Takes `job` in any case. */
adze_status future_start(adze_context *c, const struct future_job *kind, void *job,
			 const adze_progress *progress, adze_future **out);
/** The job of a future of that kind that ended well; else why there is none. */
adze_status future_job(adze_future *f, const struct future_job *kind, void **job);
adze_context *future_context(adze_future *f);

/* ---- module.c ---- */

/** adze_bind() with the words in `d`. */
adze_status module_create(adze_exe *x, adze_buffer *const *weight, size_t nweight,
			  struct diag *d, adze_module **out);

#endif
