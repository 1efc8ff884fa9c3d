/* SPDX-License-Identifier: Apache-2.0
 *
 * adze: from a weight file to an answer.
 *
 * The life of a model:
 *   1 open      adze_store_open()         a weight file is mapped; names and shapes are read
 *   2 describe  ADZE_STRUCT, forward()    a struct of tensors, a function in plain C
 *   3 compile   adze_compile()            the function becomes an executable for one device
 *   4 load      MODEL_load()              weights as buffers (on a CPU: the mapped pages)
 *   5 bind      adze_bind()               executable and weights become a module
 *   6 copy in   adze_copy_in()            host buffers become buffers
 *   7 call      adze_call()
 *   8 copy out  adze_copy_out()
 *   9 free      the destroy, close and release functions
 *
 * Unless said otherwise: functions that can fail return a status and leave NULL or 0 in
 * their last parameter; the words of a failure are had from adze_context_words(), those of
 * building a graph from adze_graph_words(). Nothing here aborts, exits, prints, installs a
 * handler or keeps a global. NULL may be given to every destroy, close and release.
 * Strings and structs that are handed in are copied. Objects are used by one thread at a
 * time, but for contexts, devices, stores, executables, modules and buffers, which many
 * threads may use at once (a buffer must not be written while it is read).
 */
#ifndef ADZE_H
#define ADZE_H

#include "base/types.h"

#if defined(__GNUC__)
#define ADZE_API __attribute__((visibility("default")))
#define ADZE_UNUSED __attribute__((unused))
#else
#define ADZE_API
#define ADZE_UNUSED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- contexts ---------------------------------------------------------------------- */

/** Fills in the defaults, and what the environment says: `adze env` lists the variables. */
ADZE_API void adze_config_init(adze_config *config);

/** Everything hangs off a context. `config` NULL: adze_config_init()'s. */
ADZE_API adze_status adze_context_create(const adze_config *config, adze_context **out);

/**
 * E_ARGUMENT, and nothing is freed, while devices, stores, host buffers, futures or cancel
 * flags of it are there, or buffers, executables and modules, which keep their device. Graphs
 * are not counted: they go before their context.
 */
ADZE_API adze_status adze_context_destroy(adze_context *context);

/**
 * The words of the latest failure in this context, cut to `size` bytes. Returns `text`. With
 * several threads failing at once it is one of theirs.
 */
ADZE_API const char *adze_context_words(adze_context *context, char *text, size_t size);

/** "success", "types or shapes do not agree" ... and the name, "E_TYPE". Never NULL. */
ADZE_API const char *adze_status_text(adze_status status);
ADZE_API const char *adze_status_name(adze_status status);

/** "0.1.0". */
ADZE_API const char *adze_version(void);

/* ---- shapes ------------------------------------------------------------------------ */

/**
 * A shape from text: axes divided by blanks or commas, each `128`, `s=128` (named), `t<=512`
 * (a symbol: at most 512, chosen by each call; the axis is named t as well), `s=t<=512`, or
 * `_=4*t<=512` (four times the symbol, no name). "" is a scalar. E_SYNTAX, E_LIMIT.
 */
ADZE_API adze_status adze_shape_parse(adze_dtype dtype, const char *dims, adze_shape *out);
/** "f32[s=128, d=768]", cut to `size`. Returns `text`. */
ADZE_API char *adze_shape_print(const adze_shape *shape, char *text, size_t size);
/** Elements, and bytes, at the symbols' bounds. */
ADZE_API int64_t adze_shape_count(const adze_shape *shape);
ADZE_API int64_t adze_shape_bytes(const adze_shape *shape);
/** Index of an axis by name or number ("d", "0", "-1"); -1 where there is none. */
ADZE_API int adze_shape_axis(const adze_shape *shape, const char *axis);

/**
 * "f32" and the like; bytes of an element that stands alone (an array of a type of less than 8
 * bits is packed: see adze_shape_bytes()); its bits; ADZE_DTYPE_COUNT for an unknown name.
 */
ADZE_API const char *adze_dtype_name(adze_dtype dtype);
ADZE_API size_t adze_dtype_bytes(adze_dtype dtype);
ADZE_API int adze_dtype_bits(adze_dtype dtype);
ADZE_API adze_dtype adze_dtype_find(const char *name);

/**
 * Block formats, in which GGUF files pack weights: "q8_0", "q4_k" and so on, all in lower case
 * (`adze blocks` lists them). Bytes of n numbers; 0 for an unknown name, or where n is not whole
 * blocks. Packing: E_UNSUPPORTED for formats that can be read alone. See
 * adze_dequantize_blocks() for their use in graphs.
 */
ADZE_API size_t adze_block_bytes(const char *format, size_t n);
ADZE_API adze_status adze_block_quantize(const char *format, const float *x, size_t n, void *out);
ADZE_API adze_status adze_block_dequantize(const char *format, const void *x, size_t n, float *out);

/* ---- host buffers: bytes on the host with a shape ----------------------------------- */

typedef struct adze_host_buffer adze_host_buffer;

/** Owns zeroed memory, aligned to 64 bytes. The shape has no symbols. */
ADZE_API adze_status adze_host_buffer_create(adze_context *context, const adze_shape *shape,
					     adze_host_buffer **out);
/** Borrows `data`, which must outlive it and hold adze_shape_bytes(). */
ADZE_API adze_status adze_host_buffer_borrow(adze_context *context, const adze_shape *shape,
					     void *data, adze_host_buffer **out);
ADZE_API void adze_host_buffer_destroy(adze_host_buffer *buffer);
ADZE_API void *adze_host_buffer_data(const adze_host_buffer *buffer);
ADZE_API const adze_shape *adze_host_buffer_shape(const adze_host_buffer *buffer);

/** A tensor in NumPy's .npy format. The writer leaves the old file or the whole new one. */
ADZE_API adze_status adze_npy_read(adze_context *context, const char *path,
				   adze_host_buffer **out);
ADZE_API adze_status adze_npy_write(const adze_host_buffer *buffer, const char *path);

/* ---- devices ----------------------------------------------------------------------- */

/** "cpu", "cuda", "cuda:sm_80", "trace". E_NOTFOUND, E_DEVICE with words. */
ADZE_API adze_status adze_device_open(adze_context *context, const char *name,
				      adze_device **out);
/** Buffers and executables keep a device alive by themselves. */
ADZE_API void adze_device_close(adze_device *device);

/**
 * The calling thread works for calls on the CPU, as a worker of the context, until the flag is
 * set and adze_device_recall() was called after; meanwhile it sleeps when there is nothing to
 * do. A context whose configuration has `lent` = n keeps places for n such threads and starts
 * n fewer of its own. Where a thread runs stays its program's affair. E_LIMIT where no place
 * is left, E_UNSUPPORTED on other devices. See docs/threads.md.
 */
ADZE_API adze_status adze_device_lend(adze_device *device, const adze_cancel *until);
/** Wakes the lent threads of the context; those whose flag is set return. */
ADZE_API void adze_device_recall(adze_device *device);

/* ---- buffers: device memory with a shape --------------------------------------------- */

/** Memory for `shape` (no symbols), its content undefined. */
ADZE_API adze_status adze_buffer_create(adze_device *device, const adze_shape *shape,
					adze_buffer **out);
/** A new buffer with a copy of what `from` holds. */
ADZE_API adze_status adze_copy_in(adze_device *device, const adze_host_buffer *from,
				  adze_buffer **out);
/** As adze_copy_in(), into a buffer that is there; shapes must have the same extents. */
ADZE_API adze_status adze_copy_to(adze_buffer *to, const adze_host_buffer *from);
/** A new host buffer with a copy of what `from` holds. */
ADZE_API adze_status adze_copy_out(adze_buffer *from, adze_host_buffer **out);
/** As adze_copy_out(), into a host buffer of the same extents. */
ADZE_API adze_status adze_copy_from(adze_host_buffer *to, adze_buffer *from);
/* To C, pointers to unlike structs differ by a warning; here they differ by an error. */
#ifdef __cplusplus
#define ADZE_POINTER(type, x) (x)
#else
#define ADZE_POINTER(type, x) _Generic((x), type *: (x), const type *: (x), void *: (x))
#endif
#define adze_copy_in(device, from, out) \
	adze_copy_in(device, ADZE_POINTER(adze_host_buffer, from), ADZE_POINTER(adze_buffer *, out))
#define adze_copy_to(to, from) \
	adze_copy_to(ADZE_POINTER(adze_buffer, to), ADZE_POINTER(adze_host_buffer, from))
#define adze_copy_out(from, out) \
	adze_copy_out(ADZE_POINTER(adze_buffer, from), ADZE_POINTER(adze_host_buffer *, out))
#define adze_copy_from(to, from) \
	adze_copy_from(ADZE_POINTER(adze_host_buffer, to), ADZE_POINTER(adze_buffer, from))
ADZE_API void adze_buffer_destroy(adze_buffer *buffer);
/** The buffer's shape; for a result, with the extents of the latest call. */
ADZE_API const adze_shape *adze_buffer_shape(const adze_buffer *buffer);
/** Its memory where the device shares the host's (cpu), else NULL. */
ADZE_API void *adze_buffer_data(adze_buffer *buffer);

/* ---- stores: weight files ------------------------------------------------------------ */

typedef struct adze_store adze_store;

/**
 * Maps a weight file: .safetensors, the .index.json of a sharded one, or a folder that holds
 * model.safetensors or its index. Touches no weight byte. Words name the file and the tensor.
 */
ADZE_API adze_status adze_store_open(adze_context *context, const char *path, adze_store **out);
/** A safetensors file in memory, which must outlive the store and what is loaded from it. */
ADZE_API adze_status adze_store_open_memory(adze_context *context, const void *bytes,
					    size_t size, adze_store **out);
/** Buffers that were loaded from it keep what they need. */
ADZE_API void adze_store_close(adze_store *store);
ADZE_API size_t adze_store_count(const adze_store *store);
/** Name and shape of a tensor, in the order of names. False where `i` is past the end. */
ADZE_API bool adze_store_entry(const adze_store *store, size_t i, const char **name,
			       adze_shape *shape);
/** E_NOTFOUND with words that name the store and what is there of a similar name. */
ADZE_API adze_status adze_store_find(const adze_store *store, const char *name,
				     adze_shape *shape);
/** The value of a metadata key; NULL where there is none. */
ADZE_API const char *adze_store_metadata(const adze_store *store, const char *key);
/** One tensor as a buffer; on a CPU the mapped pages themselves, which must not be written. */
ADZE_API adze_status adze_store_load(adze_store *store, const char *name, adze_device *device,
				     adze_buffer **out);
/** One tensor as a borrowed host buffer; read only; valid until the store is closed. */
ADZE_API adze_status adze_store_view(adze_store *store, const char *name,
				     adze_host_buffer **out);

/* ---- graphs and tensors --------------------------------------------------------------- */

/**
 * A value in a graph under construction. A plain value; useless after the graph is gone.
 * Building is sticky: an operation on a broken tensor is a broken tensor, and
 * adze_graph_status() or compiling reports the first failure, with its source line.
 * `file` and `line` say where it is handed to an operation; the macros below set them.
 */
typedef struct adze_tensor {
	adze_graph *graph;
	uint32_t id; /* 0: none, or broken */
	int32_t line;
	const char *file;
} adze_tensor;

static inline ADZE_UNUSED adze_tensor adze_tensor_at(adze_tensor x, const char *file, int line)
{
	x.file = file;
	x.line = line;
	return x;
}
#define ADZE_AT(x) adze_tensor_at((x), __FILE__, __LINE__)

ADZE_API adze_status adze_graph_create(adze_context *context, const char *name,
				       adze_graph **out);
/** From its text: docs/ir.md. `file` is for messages. */
ADZE_API adze_status adze_graph_parse(adze_context *context, const char *text, size_t size,
				      const char *file, adze_graph **out);
ADZE_API void adze_graph_destroy(adze_graph *graph);
/** The first failure, and its words; ADZE_OK and "" where there is none. */
ADZE_API adze_status adze_graph_status(const adze_graph *graph);
ADZE_API const char *adze_graph_words(const adze_graph *graph);
/** The canonical text as a host buffer of u8 without a final zero. */
ADZE_API adze_status adze_graph_print(adze_context *context, const adze_graph *graph,
				      adze_host_buffer **out);

/** False for the null tensor: an optional weight that is absent, or a broken value. */
static inline ADZE_UNUSED bool adze_is(adze_tensor x) { return x.id != 0; }
/** The shape; that of a scalar for a broken tensor. */
ADZE_API adze_shape adze_tensor_shape(adze_tensor x);

/** A value given at each call: adze_input(g, "x", ADZE_F32, "t<=512 d=768"). */
ADZE_API adze_tensor adze_input_at(adze_graph *graph, const char *name, adze_dtype dtype,
				   const char *dims, const char *file, int line);
#define adze_input(graph, name, dtype, dims) \
	adze_input_at((graph), (name), (dtype), (dims), __FILE__, __LINE__)
/** A value bound once, by name. `dims` as for inputs, without symbols. */
ADZE_API adze_tensor adze_weight_at(adze_graph *graph, const char *name, adze_dtype dtype,
				    const char *dims, const char *file, int line);
#define adze_weight(graph, name, dtype, dims) \
	adze_weight_at((graph), (name), (dtype), (dims), __FILE__, __LINE__)
/**
 * Makes `x` a result. A result with the name of an input takes that input's memory: state that
 * lives from call to call. Its shape must be the input's.
 */
ADZE_API adze_status adze_output(adze_tensor x, const char *name);
#define adze_output(x, name) adze_output(ADZE_AT(x), (name))

/** Says from where the graph is built next, for messages; the macros do it. Returns `graph`. */
ADZE_API adze_graph *adze_graph_at(adze_graph *graph, const char *file, int line);
#define ADZE_GRAPH_AT(graph) adze_graph_at((graph), __FILE__, __LINE__)

/** A constant with the bytes of `shape`; a scalar; a scalar of x's type and graph. */
ADZE_API adze_tensor adze_constant(adze_graph *graph, const adze_shape *shape, const void *data);
ADZE_API adze_tensor adze_scalar(adze_graph *graph, adze_dtype dtype, double value);
ADZE_API adze_tensor adze_scalar_like(adze_tensor x, double value);
/** 0, 1, 2 ... along `axis` of the shape that `dims` says. */
ADZE_API adze_tensor adze_iota(adze_graph *graph, adze_dtype dtype, const char *dims,
			       const char *axis);
/** The extent that an axis has in a call, as an i32 scalar. */
ADZE_API adze_tensor adze_extent(adze_tensor x, const char *axis);
#define adze_constant(graph, ...) adze_constant(ADZE_GRAPH_AT(graph), __VA_ARGS__)
#define adze_scalar(graph, dtype, value) adze_scalar(ADZE_GRAPH_AT(graph), dtype, value)
#define adze_iota(graph, dtype, dims, axis) adze_iota(ADZE_GRAPH_AT(graph), dtype, dims, axis)

/*
 * Element-wise operations: one function for each row of ew.def. Operands are broadcast: a
 * scalar to every shape; otherwise axes of the operand with fewer axes find those of the same
 * name, or, where it has no names, the last ones; extents must be equal, or 1. Names of axes
 * that meet must be equal, and one without a name meets any.
 */
#include "ew_api.h"

/** y = condition ? a : b; broadcast as element-wise operations are. */
ADZE_API adze_tensor adze_select(adze_tensor condition, adze_tensor a, adze_tensor b);
/** re + i im, both f32 (giving c64) or both f64 (c128); broadcast likewise. */
ADZE_API adze_tensor adze_complex(adze_tensor re, adze_tensor im);
/** The values as another type: to nearest even; to integers cut and kept to the range. */
ADZE_API adze_tensor adze_convert(adze_tensor x, adze_dtype dtype);
/** The bits as another type: narrower elements take a new last axis, the least significant
 * first; wider ones eat the last axis (NumPy's view). */
ADZE_API adze_tensor adze_bitcast(adze_tensor x, adze_dtype dtype);
/** x itself, computed and kept in memory: nothing is simplified or fused across. */
ADZE_API adze_tensor adze_barrier(adze_tensor x);

/*
 * `axes` below: names or numbers divided by blanks, such as "s", "h d", "-1". Where an axis is
 * not there, the words say which there are.
 */

/**
 * Over those axes, which fall away; "" over all. The mean of floats: their sum (of the narrow
 * ones in f32) divided by how many they are in this call. any and all take whether not zero.
 */
ADZE_API adze_tensor adze_sum(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_prod(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_maximum(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_minimum(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_mean(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_any(adze_tensor x, const char *axes);
ADZE_API adze_tensor adze_all(adze_tensor x, const char *axes);
/** Index (i32) of the largest, or smallest, along one axis; the first of equals; NaN wins. */
ADZE_API adze_tensor adze_argmax(adze_tensor x, const char *axis);
ADZE_API adze_tensor adze_argmin(adze_tensor x, const char *axis);
ADZE_API adze_tensor adze_softmax(adze_tensor x, const char *axis);
/** Along the last axis; scale and bias may be null tensors. */
ADZE_API adze_tensor adze_layer_norm(adze_tensor x, adze_tensor scale, adze_tensor bias,
				     double eps);
ADZE_API adze_tensor adze_rms_norm(adze_tensor x, adze_tensor scale, double eps);

/**
 * Sum of products over `axes`: "d" is an axis of that name in both, "d=in" axis d of a with
 * axis `in` of b, numbers too ("-1=1"). Axes that have the same name in both and are not
 * summed are batch axes; result axes: batch, rest of a, rest of b.
 */
ADZE_API adze_tensor adze_dot(adze_tensor a, adze_tensor b, const char *axes);

/** Numbers of a 2-D window; zero-initialise: 0 stands for 1 in stride, dilation and groups. */
typedef struct adze_window {
	int64_t stride[2], dilation[2];
	int64_t low[2], high[2]; /* padding before and after each spatial axis */
	int64_t groups;
} adze_window;

/** [n, c, h, w] with [o, c / groups, h, w]; `window` NULL: stride 1, no padding. */
ADZE_API adze_tensor adze_conv2d(adze_tensor x, adze_tensor weight, const adze_window *window);
/** Largest, or mean, over height x width windows of [n, c, h, w]; stride 0: the window's. The
 * mean divides by the whole window's size. */
ADZE_API adze_tensor adze_max_pool2d(adze_tensor x, int64_t height, int64_t width,
				     const adze_window *window);
ADZE_API adze_tensor adze_avg_pool2d(adze_tensor x, int64_t height, int64_t width,
				     const adze_window *window);

/** The same elements under other axes: "b=2 h=12 d=64"; one extent may be `?`, as in "n=?". */
ADZE_API adze_tensor adze_reshape(adze_tensor x, const char *dims);
/** The same shape with other names: "s d", one for each axis; `_` for none. */
ADZE_API adze_tensor adze_rename(adze_tensor x, const char *names);
/** Axes in another order, each listed once. */
ADZE_API adze_tensor adze_transpose(adze_tensor x, const char *axes);
/** To the shape `dims` says, by the rule of element-wise operations. */
ADZE_API adze_tensor adze_broadcast(adze_tensor x, const char *dims);
/** Elements from, from + step ... below `to` of one axis; negative from and to count from its
 * end. */
ADZE_API adze_tensor adze_slice(adze_tensor x, const char *axis, int64_t from, int64_t to,
				int64_t step);
ADZE_API adze_tensor adze_reverse(adze_tensor x, const char *axes);
/** `n` tensors behind each other along an axis. */
ADZE_API adze_tensor adze_concat_at(const char *file, int line, const adze_tensor *x, size_t n,
				    const char *axis);
#define adze_concat(...) adze_concat_at(__FILE__, __LINE__, __VA_ARGS__)
/** `low` before and `high` after along one axis, of `value`; negative cuts. */
ADZE_API adze_tensor adze_pad(adze_tensor x, const char *axis, int64_t low, int64_t high,
			      double value);
/** The same, and `between` of it between neighbours. */
ADZE_API adze_tensor adze_pad_between(adze_tensor x, const char *axis, int64_t low, int64_t high,
				      int64_t between, double value);
/** Slices along an axis, picked by integers, whose axes take its place; kept to the range. */
ADZE_API adze_tensor adze_take(adze_tensor x, adze_tensor indices, const char *axis);
/** `size` elements along an axis from an integer scalar on; kept inside. */
ADZE_API adze_tensor adze_dynamic_slice(adze_tensor x, const char *axis, adze_tensor start,
					int64_t size);
/** x with `update` written along an axis from an integer scalar on; kept inside. */
ADZE_API adze_tensor adze_dynamic_update(adze_tensor x, adze_tensor update, const char *axis,
					 adze_tensor start);

/* Three dots where an argument may be a compound literal, whose commas part macro arguments. */
#define adze_extent(x, axis) adze_extent(ADZE_AT(x), axis)
#define adze_scalar_like(x, value) adze_scalar_like(ADZE_AT(x), value)
#define adze_complex(re, im) adze_complex(ADZE_AT(re), im)
#define adze_select(condition, a, b) adze_select(ADZE_AT(condition), a, b)
#define adze_convert(x, dtype) adze_convert(ADZE_AT(x), dtype)
#define adze_bitcast(x, dtype) adze_bitcast(ADZE_AT(x), dtype)
#define adze_barrier(x) adze_barrier(ADZE_AT(x))
#define adze_sum(x, axes) adze_sum(ADZE_AT(x), axes)
#define adze_prod(x, axes) adze_prod(ADZE_AT(x), axes)
#define adze_maximum(x, axes) adze_maximum(ADZE_AT(x), axes)
#define adze_minimum(x, axes) adze_minimum(ADZE_AT(x), axes)
#define adze_mean(x, axes) adze_mean(ADZE_AT(x), axes)
#define adze_any(x, axes) adze_any(ADZE_AT(x), axes)
#define adze_all(x, axes) adze_all(ADZE_AT(x), axes)
#define adze_argmax(x, axis) adze_argmax(ADZE_AT(x), axis)
#define adze_argmin(x, axis) adze_argmin(ADZE_AT(x), axis)
#define adze_softmax(x, axis) adze_softmax(ADZE_AT(x), axis)
#define adze_layer_norm(x, scale, bias, eps) adze_layer_norm(ADZE_AT(x), scale, bias, eps)
#define adze_rms_norm(x, scale, eps) adze_rms_norm(ADZE_AT(x), scale, eps)
#define adze_dot(a, b, axes) adze_dot(ADZE_AT(a), b, axes)
#define adze_conv2d(x, ...) adze_conv2d(ADZE_AT(x), __VA_ARGS__)
#define adze_max_pool2d(x, ...) adze_max_pool2d(ADZE_AT(x), __VA_ARGS__)
#define adze_avg_pool2d(x, ...) adze_avg_pool2d(ADZE_AT(x), __VA_ARGS__)
#define adze_reshape(x, dims) adze_reshape(ADZE_AT(x), dims)
#define adze_rename(x, names) adze_rename(ADZE_AT(x), names)
#define adze_transpose(x, axes) adze_transpose(ADZE_AT(x), axes)
#define adze_broadcast(x, dims) adze_broadcast(ADZE_AT(x), dims)
#define adze_slice(x, axis, from, to, step) adze_slice(ADZE_AT(x), axis, from, to, step)
#define adze_reverse(x, axes) adze_reverse(ADZE_AT(x), axes)
#define adze_pad(x, axis, low, high, value) adze_pad(ADZE_AT(x), axis, low, high, value)
#define adze_pad_between(x, axis, low, high, between, value) \
	adze_pad_between(ADZE_AT(x), axis, low, high, between, value)
#define adze_take(x, indices, axis) adze_take(ADZE_AT(x), indices, axis)
#define adze_dynamic_slice(x, axis, start, size) \
	adze_dynamic_slice(ADZE_AT(x), axis, start, size)
#define adze_dynamic_update(x, update, axis, start) \
	adze_dynamic_update(ADZE_AT(x), update, axis, start)

/* ---- more forms: functions composed of those above ---------------------------------------- */
#include "adze_forms.h"
#include "adze_math.h"
#include "adze_picks.h"
#include "adze_windows.h"

/* ---- branches and loops -------------------------------------------------------------------- */
#include "adze_flow.h"
#include "adze_order.h"

/* ---- futures ----------------------------------------------------------------------------- */

/** Work under way on a thread of its own. */
typedef struct adze_future adze_future;

/** Told how far the work is, 0 to 1, and at what; from the work's thread. May be NULL. */
typedef struct adze_progress {
	void (*report)(void *self, double share, const char *what);
	void *self;
} adze_progress;

/**
 * Waits up to `timeout_ns` nanoseconds (negative: as long as it takes; 0: not at all).
 * E_TIMEOUT while it is under way; then the work's own status, again and again.
 */
ADZE_API adze_status adze_future_wait(adze_future *future, int64_t timeout_ns);
/** Asks the work to stop: it then ends with E_CANCELLED, soon, unless it was done. Any thread. */
ADZE_API void adze_future_cancel(adze_future *future);
/** The words of a failure, "" otherwise. Once it is done. */
ADZE_API const char *adze_future_words(const adze_future *future);
/**
 * Cancels, waits, and frees; a result nobody took is freed too. Buffers that were loaded count
 * as taken once a wait has returned ADZE_OK.
 */
ADZE_API void adze_future_destroy(adze_future *future);

/* ---- executables ------------------------------------------------------------------------- */

/**
 * Compiles a graph for a device, or finds it in the cache of the context. `graph` is only
 * read. The first failure of building is reported here too. E_UNSUPPORTED names an operation
 * that the device cannot do.
 */
ADZE_API adze_status adze_compile(adze_device *device, const adze_graph *graph, adze_exe **out);
/** The same beside the caller, who may destroy the graph at once. */
ADZE_API adze_status adze_compile_async(adze_device *device, const adze_graph *graph,
					const adze_progress *progress, adze_future **out);
/** Takes the executable out of a future that is done. */
ADZE_API adze_status adze_future_exe(adze_future *future, adze_exe **out);
/** Whether it came from the cache. */
ADZE_API bool adze_exe_was_cached(const adze_exe *exe);
ADZE_API void adze_exe_destroy(adze_exe *exe);

/** Writes, and reads, an executable file: docs/executable-format.md. */
ADZE_API adze_status adze_exe_save(const adze_exe *exe, const char *path);
ADZE_API adze_status adze_exe_open(adze_device *device, const char *path, adze_exe **out);

/** What an executable takes and gives. */
typedef enum adze_role { ADZE_ROLE_INPUT, ADZE_ROLE_WEIGHT, ADZE_ROLE_OUTPUT } adze_role;
ADZE_API size_t adze_exe_count(const adze_exe *exe, adze_role role);
/** False where `i` is past the end. Shapes may have symbols. */
ADZE_API bool adze_exe_value(const adze_exe *exe, adze_role role, size_t i, const char **name,
			     adze_shape *shape);
/** For an output that takes an input's memory, that input's index; else -1. */
ADZE_API int adze_exe_donated(const adze_exe *exe, size_t output);
/** Bytes that one running call needs for what lies between inputs and outputs. */
ADZE_API size_t adze_exe_arena_bytes(const adze_exe *exe);
/** The least that it could be: what lives at the same time in the order that was chosen. */
ADZE_API size_t adze_exe_live_bytes(const adze_exe *exe);
/** Bytes of all weights. */
ADZE_API size_t adze_exe_weight_bytes(const adze_exe *exe);

/* ---- modules: executable and weights ------------------------------------------------------- */

typedef struct adze_module adze_module;

/** `weight` in the order of the executable's weights, kept alive; E_TYPE with words. */
ADZE_API adze_status adze_bind(adze_exe *exe, adze_buffer *const *weight, size_t nweight,
			       adze_module **out);
/** By name, from a store; loads what the executable asks for. */
ADZE_API adze_status adze_bind_store(adze_exe *exe, adze_store *store, adze_module **out);
ADZE_API void adze_module_destroy(adze_module *module);

/** A flag that stops a call from another thread. */
ADZE_API adze_status adze_cancel_create(adze_context *context, adze_cancel **out);
ADZE_API void adze_cancel_set(adze_cancel *cancel, bool stop);
ADZE_API void adze_cancel_destroy(adze_cancel *cancel);

/**
 * Runs it. `input` and `output` are in the order of the executable's. An output that is NULL
 * is created, with room for the symbols' bounds; one that is not must have room for the result,
 * whose shape it then has; nothing is allocated then, but for the first calls that run at the
 * same time. A buffer that is written must be no other output, input or weight, nor a store's.
 * For an output that takes an input's memory, give NULL or the input: it becomes the input's
 * pointer, which still has one owner. `cancel` may be NULL. E_TYPE names the input and both
 * shapes. After a failure or E_CANCELLED, outputs that were NULL are NULL again, and donated
 * inputs are undefined if the run had begun.
 */
ADZE_API adze_status adze_call(adze_module *module, adze_buffer *const *input, size_t ninput,
			       adze_buffer **output, size_t noutput, const adze_cancel *cancel);

/* ---- profiles ---------------------------------------------------------------------------- */
#include "adze_profile.h"

/* ---- model structs -------------------------------------------------------------------------
 *
 * A list names the fields of a model: T(weight, "out in") a tensor and its axes ("" for no
 * names), O(...) one that may be absent, S(type, name) a nested struct, L(type, name) a list
 * of them, as long as the store has layers.
 *
 *     #define LINEAR(T, O, S, L) T(weight, "out in") O(bias, "out")
 *     ADZE_STRUCT(linear, LINEAR);
 *     #define LM(T, O, S, L) T(embed, "v d") L(linear, layers) S(linear, head)
 *     ADZE_STRUCT(lm, LM);
 *
 * gives struct lm (of tensors), struct lm_buffers (of buffers) and
 *     lm_fill(graph, store, prefix, &model)      tensors by their names, "layers.3.weight"
 *     lm_load(device, store, prefix, &buffers)   buffers, beside the compile if one likes
 *     lm_free(&buffers)
 */

typedef struct adze_visitor adze_visitor;
typedef adze_status adze_visit_function(void *model, adze_visitor *visitor);

/* Called by what the macros make. */
ADZE_API adze_status adze_visit_leaf(adze_visitor *v, const char *name, const char *axes,
				     void *slot, bool optional);
ADZE_API adze_status adze_visit_list(adze_visitor *v, const char *name, size_t element_bytes,
				     void **at, size_t *count);
ADZE_API void adze_visit_enter(adze_visitor *v, const char *name, ptrdiff_t index);
ADZE_API void adze_visit_leave(adze_visitor *v);
ADZE_API adze_status adze_visit_end(adze_visitor *v, void **at, size_t element_bytes,
				    size_t *count);

ADZE_API adze_status adze_model_fill(adze_graph *graph, const adze_store *store,
				     const char *prefix, void *model, size_t bytes,
				     adze_visit_function *visit);
ADZE_API adze_status adze_model_load(adze_device *device, adze_store *store, const char *prefix,
				     void *buffers, size_t bytes, adze_visit_function *visit,
				     const adze_progress *progress);
ADZE_API adze_status adze_model_load_async(adze_device *device, adze_store *store,
					   const char *prefix, void *buffers, size_t bytes,
					   adze_visit_function *visit,
					   const adze_progress *progress, adze_future **out);
ADZE_API void adze_model_free(void *buffers, size_t bytes, adze_visit_function *visit);
ADZE_API adze_status adze_model_bind(adze_exe *exe, void *buffers, const char *prefix,
				     adze_visit_function *visit, adze_module **out);

#define ADZE_T_TENSOR(name, axes) adze_tensor name;
#define ADZE_S_TENSOR(type, name) struct type name;
#define ADZE_L_TENSOR(type, name) \
	struct {                  \
		struct type *at;  \
		size_t count;     \
	} name;
#define ADZE_T_BUFFER(name, axes) adze_buffer *name;
#define ADZE_S_BUFFER(type, name) struct type##_buffers name;
#define ADZE_L_BUFFER(type, name)          \
	struct {                           \
		struct type##_buffers *at; \
		size_t count;              \
	} name;
#define ADZE_T_VISIT(name, axes)                                                 \
	if (status_ == ADZE_OK)                                                  \
		status_ = adze_visit_leaf(visitor_, #name, axes, &m_->name, false);
#define ADZE_O_VISIT(name, axes)                                                 \
	if (status_ == ADZE_OK)                                                  \
		status_ = adze_visit_leaf(visitor_, #name, axes, &m_->name, true);
#define ADZE_S_VISIT_(visit, name)                       \
	if (status_ == ADZE_OK) {                        \
		adze_visit_enter(visitor_, #name, -1);   \
		status_ = visit(&m_->name, visitor_);    \
		adze_visit_leave(visitor_);              \
	}
#define ADZE_L_VISIT_(visit, name)                                                            \
	if (status_ == ADZE_OK) {                                                             \
		void *at_ = m_->name.at;                                                      \
		status_ = adze_visit_list(visitor_, #name, sizeof *m_->name.at, &at_,         \
					  &m_->name.count);                                   \
		m_->name.at = (ADZE_TYPEOF(m_->name.at))at_;                                  \
		for (size_t i_ = 0; status_ == ADZE_OK && i_ < m_->name.count; i_++) {        \
			adze_visit_enter(visitor_, #name, (ptrdiff_t)i_);                     \
			status_ = visit(&m_->name.at[i_], visitor_);                          \
			adze_visit_leave(visitor_);                                           \
		}                                                                             \
		if (status_ == ADZE_OK)                                                       \
			status_ = adze_visit_end(visitor_, &at_, sizeof *m_->name.at,         \
						 &m_->name.count);                            \
		m_->name.at = (ADZE_TYPEOF(m_->name.at))at_;                                  \
	}
#define ADZE_S_VISIT_T(type, name) ADZE_S_VISIT_(type##_visit, name)
#define ADZE_S_VISIT_B(type, name) ADZE_S_VISIT_(type##_buffers_visit, name)
#define ADZE_L_VISIT_T(type, name) ADZE_L_VISIT_(type##_visit, name)
#define ADZE_L_VISIT_B(type, name) ADZE_L_VISIT_(type##_buffers_visit, name)
#ifdef __cplusplus
#define ADZE_TYPEOF(x) decltype(x)
#else
#define ADZE_TYPEOF(x) void *
#endif

#define ADZE_STRUCT(name, FIELDS)                                                              \
	struct name {                                                                          \
		FIELDS(ADZE_T_TENSOR, ADZE_T_TENSOR, ADZE_S_TENSOR, ADZE_L_TENSOR)             \
	};                                                                                     \
	struct name##_buffers {                                                                \
		FIELDS(ADZE_T_BUFFER, ADZE_T_BUFFER, ADZE_S_BUFFER, ADZE_L_BUFFER)             \
	};                                                                                     \
	static inline ADZE_UNUSED adze_status name##_visit(void *model_, adze_visitor *visitor_) \
	{                                                                                      \
		struct name *m_ = (struct name *)model_;                                       \
		adze_status status_ = ADZE_OK;                                                 \
		FIELDS(ADZE_T_VISIT, ADZE_O_VISIT, ADZE_S_VISIT_T, ADZE_L_VISIT_T)             \
		return status_;                                                                \
	}                                                                                      \
	static inline ADZE_UNUSED adze_status name##_buffers_visit(void *model_,               \
								   adze_visitor *visitor_)     \
	{                                                                                      \
		struct name##_buffers *m_ = (struct name##_buffers *)model_;                   \
		adze_status status_ = ADZE_OK;                                                 \
		FIELDS(ADZE_T_VISIT, ADZE_O_VISIT, ADZE_S_VISIT_B, ADZE_L_VISIT_B)             \
		return status_;                                                                \
	}                                                                                      \
	static inline ADZE_UNUSED adze_status name##_fill(                                     \
		adze_graph *graph, const adze_store *store, const char *prefix,                \
		struct name *out)                                                              \
	{                                                                                      \
		return adze_model_fill(graph, store, prefix, out, sizeof *out, name##_visit);  \
	}                                                                                      \
	static inline ADZE_UNUSED adze_status name##_load(                                     \
		adze_device *device, adze_store *store, const char *prefix,                    \
		struct name##_buffers *out)                                                    \
	{                                                                                      \
		return adze_model_load(device, store, prefix, out, sizeof *out,                \
				       name##_buffers_visit, NULL);                            \
	}                                                                                      \
	static inline ADZE_UNUSED adze_status name##_load_async(                               \
		adze_device *device, adze_store *store, const char *prefix,                    \
		struct name##_buffers *out, const adze_progress *progress,                     \
		adze_future **future)                                                          \
	{                                                                                      \
		return adze_model_load_async(device, store, prefix, out, sizeof *out,          \
					     name##_buffers_visit, progress, future);          \
	}                                                                                      \
	static inline ADZE_UNUSED void name##_free(struct name##_buffers *buffers)             \
	{                                                                                      \
		adze_model_free(buffers, sizeof *buffers, name##_buffers_visit);               \
	}                                                                                      \
	struct name

/*
 * A function of a model with types of its own. The lists name inputs and results; the function
 * is defined after the macro:
 *
 *     #define LM_IN(A) A(tokens) A(cache)
 *     #define LM_OUT(A) A(logits) A(cache)
 *     ADZE_FUNCTION(lm_forward, lm, LM_IN, LM_OUT);
 *     struct lm_forward_out lm_forward(struct lm m, struct lm_forward_in in) { ... }
 *
 * gives lm_forward_compile(device, model, in, &exe) of an lm_forward_exe, with `in` made by
 * adze_input() in the list's order under its names; lm_forward_bind(exe, buffers, prefix,
 * &module); lm_forward_call(module, args, &results). Structs go by value, so that buffers of
 * another model, arguments of another function or tensors do not compile.
 */
ADZE_API adze_status adze_function_inputs(adze_graph *graph, const adze_tensor *in,
					  const char *const *name, size_t n);
ADZE_API void adze_function_output(adze_graph *graph, adze_tensor x, const char *name);

#define ADZE_FIELD_TENSOR(name) adze_tensor name;
#define ADZE_FIELD_BUFFER(name) adze_buffer *name;
#define ADZE_FIELD_IN(name) in.name,
#define ADZE_FIELD_NAME(name) #name,
#define ADZE_FIELD_OUTPUT(name) adze_function_output(graph, ADZE_AT(out_.name), #name);
#define ADZE_FIELD_ARG(name) args.name,
#define ADZE_FIELD_RESULT(name) results->name,
#define ADZE_FIELD_COUNT(name) +1
#define ADZE_FIELD_STORE(name) results->name = result_[k_++];

#define ADZE_FUNCTION(fn, model, INS, OUTS)                                                    \
	struct fn##_in { INS(ADZE_FIELD_TENSOR) };                                             \
	struct fn##_args { INS(ADZE_FIELD_BUFFER) };                                           \
	struct fn##_out { OUTS(ADZE_FIELD_TENSOR) };                                           \
	struct fn##_results { OUTS(ADZE_FIELD_BUFFER) };                                       \
	typedef struct { adze_exe *exe; } fn##_exe;                                            \
	typedef struct { adze_module *module; } fn##_module;                                   \
	static struct fn##_out fn(struct model m, struct fn##_in in);                          \
	/* Builds the graph: inputs checked, the function called, its results named. */        \
	static inline ADZE_UNUSED adze_status fn##_build(adze_graph *graph, struct model m,    \
							 struct fn##_in in)                    \
	{                                                                                      \
		const adze_tensor in_[] = {INS(ADZE_FIELD_IN)};                                \
		const char *const name_[] = {INS(ADZE_FIELD_NAME)};                            \
		adze_status status_ = adze_function_inputs(graph, in_, name_,                  \
							   0 INS(ADZE_FIELD_COUNT));           \
		if (status_ == ADZE_OK) {                                                      \
			struct fn##_out out_ = fn(m, in);                                      \
			OUTS(ADZE_FIELD_OUTPUT)                                                \
			status_ = adze_graph_status(graph);                                    \
		}                                                                              \
		return status_;                                                                \
	}                                                                                      \
	static inline ADZE_UNUSED adze_status fn##_compile(                                    \
		adze_device *device, adze_graph *graph, struct model m, struct fn##_in in,     \
		fn##_exe *out)                                                                 \
	{                                                                                      \
		(void)fn##_build(graph, m, in);                                                \
		return adze_compile(device, graph, &out->exe);                                 \
	}                                                                                      \
	static inline ADZE_UNUSED adze_status fn##_bind(                                       \
		fn##_exe exe, struct model##_buffers buffers, const char *prefix,              \
		fn##_module *out)                                                              \
	{                                                                                      \
		return adze_model_bind(exe.exe, &buffers, prefix, model##_buffers_visit,       \
				       &out->module);                                          \
	}                                                                                      \
	static inline ADZE_UNUSED adze_status fn##_call(                                       \
		fn##_module module, struct fn##_args args, struct fn##_results *results)       \
	{                                                                                      \
		adze_buffer *arg_[] = {INS(ADZE_FIELD_ARG)};                                   \
		adze_buffer *result_[] = {OUTS(ADZE_FIELD_RESULT)};                            \
		size_t k_ = 0;                                                                 \
		adze_status status_ = adze_call(module.module, arg_, 0 INS(ADZE_FIELD_COUNT),  \
						result_, 0 OUTS(ADZE_FIELD_COUNT), NULL);      \
		OUTS(ADZE_FIELD_STORE)                                                         \
		return status_;                                                                \
	}                                                                                      \
	static inline ADZE_UNUSED void fn##_exe_free(fn##_exe exe) { adze_exe_destroy(exe.exe); } \
	static inline ADZE_UNUSED void fn##_module_free(fn##_module module)                    \
	{                                                                                      \
		adze_module_destroy(module.module);                                            \
	}                                                                                      \
	struct fn##_in

/* ---- layers --------------------------------------------------------------------------- */
#include "nn/adze_nn.h"

#ifdef __cplusplus
}
#endif

#endif
