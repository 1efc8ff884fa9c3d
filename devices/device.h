/* SPDX-License-Identifier: Apache-2.0
 *
 * The device contract. A driver is a row of devices.def and the functions below; compile
 * gives the bytes of an executable file and load takes them, so that every run goes through
 * the format. What a running call needs belongs to a frame; an executable never changes.
 */
#ifndef ADZE_DEVICE_H
#define ADZE_DEVICE_H

#include <stdatomic.h>

#include "base/context.h"
#include "devices/exe_file.h"

struct device_step;  /* devices/device_profile.h, as is the next */
struct device_profile;
struct device_frame; /* a driver's own: arena and scratch of one call at a time */

/** One call: buffers in the order of the signature, and the values of symbols. */
struct device_call {
	adze_buffer *const *input;
	adze_buffer *const *weight;
	adze_buffer *const *output; /* donated ones: the input's buffer */
	const int64_t *symbol;
	const atomic_bool *cancel;  /* polled between steps; NULL: never */
	struct device_frame *frame;
	struct device_profile *profile; /* what is recorded goes there; NULL: nothing is */
	uint32_t number;                /* of the call in the profile */
};

struct device_ops {
	const char *name;
	const char *doc;
	bool narrow_products; /* ir_pass_options: its graphs are planned so */

	/**
	 * Makes `*out`, with the driver's own data behind it. `target`: what follows "name:",
	 * or NULL. A driver that can compile but not run here opens, and `run_words` tells why.
	 */
	adze_status (*open)(adze_context *c, const char *target, adze_device **out,
			    struct diag *d);
	void (*close)(adze_device *d);

	/**
	 * Words on whether the device can be used on this machine, appended to `out`; true
	 * where it can run. Needs no open device.
	 */
	bool (*describe)(adze_context *c, struct text *out);

	/** Pure: from a planned graph, which it may not change, to the bytes of a file. */
	adze_status (*compile)(adze_device *dev, const adze_graph *g,
			       const struct exe_beside *beside, struct text *out, struct diag *d);

	/** `file` was read from bytes that stay as long as the executable. */
	adze_status (*load)(adze_device *dev, const struct exe_file *file, void **out,
			    struct diag *d);
	void (*unload)(adze_device *dev, void *loaded);

	/** NULL without memory, with words. */
	adze_status (*frame_create)(adze_device *dev, void *loaded, struct device_frame **out,
				    struct diag *d);
	void (*frame_destroy)(adze_device *dev, struct device_frame *frame);
	adze_status (*run)(adze_device *dev, void *loaded, const struct device_call *call,
			   struct diag *d);

	/**
	 * For profiles; NULL: calls of this device cannot be recorded. How many steps an executable
	 * has, and what they are: `nstep` of them to `out`, with costs for these values of the
	 * symbols.
	 */
	size_t (*count_steps)(adze_device *dev, void *loaded);
	adze_status (*describe_steps)(adze_device *dev, void *loaded, const int64_t *symbol,
				      struct device_step *out, struct diag *d);

	/** Memory for buffers, aligned to 64 bytes; and copies between it and the host. */
	adze_status (*alloc)(adze_device *dev, size_t bytes, void **out, struct diag *d);
	void (*free)(adze_device *dev, void *data);
	adze_status (*copy_in)(adze_device *dev, void *to, const void *host, size_t bytes,
			       struct diag *d);
	adze_status (*copy_out)(adze_device *dev, void *host, const void *from, size_t bytes,
				struct diag *d);
	/** The calling thread works for calls until `until` is set and recall() was called after;
	 * NULL: the device has no use for it. */
	adze_status (*lend)(adze_device *dev, const atomic_bool *until, struct diag *d);
	void (*recall)(adze_device *dev);
	/** Passes that make what it cannot run: "attend"; NULL: none. */
	const char *without_passes;
	/** True where host memory is the device's memory, and can be used in place. */
	bool shares_host_memory;
};

struct adze_device {
	const struct device_ops *ops;
	adze_context *context;
	atomic_int refs;
	char target[64];    /* "avx512", "sm_80": part of the cache key */
	char run_words[256]; /* why it cannot run here; empty where it can */
};

struct adze_buffer {
	adze_device *device; /* retained */
	adze_shape shape;    /* actual extents, no symbols */
	void *data;          /* host memory only where ops->shares_host_memory */
	size_t bytes;        /* capacity */
	bool borrowed;       /* `data` belongs to a store that is kept by `keep` */
	void *keep;
	void (*release)(void *keep);
	atomic_int refs;
};

struct adze_exe {
	adze_device *device; /* retained */
	atomic_int refs;
	struct exe_file file;
	void *bytes;         /* the file, owned */
	size_t nbytes;
	void *loaded;
	bool cached;         /* found in the cache */
};

/** Rows of devices.def. */
const struct device_ops *const *device_rows(size_t *n);
/** By "cpu" or "cuda:sm_80"; `*target` is what follows the colon, or NULL. */
const struct device_ops *device_find(const char *name, const char **target);

void device_retain(adze_device *d);
void device_release(adze_device *d);

/**
 * The bytes of the file of a planned graph, with what prepares its weights; `source` is its text
 * or NULL.
 */
adze_status device_compile(adze_device *dev, const adze_graph *g, const char *source,
			   struct text *out, struct diag *d);

/**
 * Runs what prepares weights: `weight` are those of the signature, of shapes that fit; data[i] is
 * memory of the device for prepared value i, of its bytes.
 */
adze_status device_prepare(const adze_exe *x, adze_buffer *const *weight, void *const *data,
			   struct diag *d);

/** A file's executable. Takes `bytes` (of `d`'s context's allocator) in any case. */
adze_status device_load(adze_device *dev, void *bytes, size_t len, adze_exe **out,
			struct diag *d);
void exe_retain(adze_exe *x);
void exe_release(adze_exe *x);

/**
 * The symbols' values from the inputs' shapes; E_TYPE with words that name the input and
 * both shapes where they do not fit the signature.
 */
adze_status device_symbols(const struct exe_signature *s, adze_buffer *const *input,
			   int64_t *symbol, struct diag *d);
/** E_UNSUPPORTED, with words, where a value has an element type that `has` says no to. */
adze_status device_check_types(const adze_graph *g, const char *device, bool (*has)(adze_dtype),
			       struct diag *d);
/** `shape` of a signature with its symbols replaced by their values. */
adze_shape device_shape(const struct exe_signature *s, const adze_shape *shape,
			const int64_t *symbol);
/** E_TYPE where a buffer of shape `have` cannot stand for `want` (static). */
bool device_fits(const adze_shape *have, const adze_shape *want);

#endif
