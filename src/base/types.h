/* SPDX-License-Identifier: Apache-2.0
 *
 * The public types that every layer shares. src/adze.h includes this file; `make` pastes
 * it, and the tables that it includes, into the installed header.
 */
#ifndef ADZE_TYPES_H
#define ADZE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What became of a call. The text of a status is adze_status_text(). */
typedef enum adze_status {
#define STATUS(name, code, text) ADZE_##name = code,
#include "base/status.def"
} adze_status;

/** The type of an element. */
typedef enum adze_dtype {
#define DTYPE(name, id, bits, cls, format, ctype, cuda, st, gguf) ADZE_##id,
#include "base/dtype.def"
	ADZE_DTYPE_COUNT
} adze_dtype;

/** Most axes of a shape. */
#define ADZE_MAX_RANK 8
/** Bytes of the name of an axis or symbol with its final zero. */
#define ADZE_MAX_AXIS 16
/** Most different symbols in one graph. */
#define ADZE_MAX_SYMBOLS 8

/**
 * One axis. Where `symbol` is empty, `size` is the extent. Otherwise the extent is
 * `scale` times the value that a call gives the symbol, and `size` is the most it can
 * be (`scale` times the symbol's bound). `name` is empty for an axis without a name.
 */
typedef struct adze_dim {
	int64_t size;
	int64_t scale;
	char name[ADZE_MAX_AXIS];
	char symbol[ADZE_MAX_AXIS];
} adze_dim;

/**
 * Metadata of a value: element type, extents, names of axes. A plain value, copied
 * freely; unused bytes are zero. Data in this shape is row-major and dense. Types of less than
 * 8 bits are packed: element 0 in the lowest bits of byte 0, rows not padded, the unused high
 * bits of the last byte zero.
 */
typedef struct adze_shape {
	adze_dtype dtype;
	int32_t rank;
	adze_dim dim[ADZE_MAX_RANK];
} adze_shape;

/**
 * Where adze takes its memory from. `resize` is realloc() that is told the old size:
 * `ptr` NULL asks for memory, `new_size` 0 gives it back and returns NULL; NULL where
 * memory cannot be had, and the old block then stays. Alignment as malloc(). Called
 * from any thread.
 */
typedef struct adze_allocator {
	void *(*resize)(void *self, void *ptr, size_t old_size, size_t new_size);
	void *self;
} adze_allocator;

/** How much a log line matters. */
typedef enum adze_log_level {
	ADZE_LOG_ERROR,
	ADZE_LOG_WARN,
	ADZE_LOG_INFO,
	ADZE_LOG_DEBUG
} adze_log_level;

/** Receives log lines (no newline at the end), from any thread. `text` is borrowed. */
typedef void (*adze_log_function)(void *self, adze_log_level level, const char *text);

/**
 * What a context is made with. adze_config_init() fills in the defaults and what the
 * environment says (the names of the variables are those of `adze env`); a program then
 * changes what it wants. Strings are copied by adze_context_create().
 */
typedef struct adze_config {
	adze_allocator allocator;   /* resize NULL: the C library's */
	adze_log_function log;      /* NULL: nothing is logged */
	void *log_self;
	adze_log_level log_level;   /* the least that is logged */
	int threads;                /* most threads a call uses; 0: one per core allowed */
	int lent;                   /* of these, threads that adze_device_lend() brings */
	const char *isa;            /* caps the CPU kernels: "scalar", "avx2" ...; NULL: best */
	const char *cache_dir;      /* of executables; NULL: none is kept */
	const char *cache_base;     /* where a relative cache_dir lies; NULL: where one works */
	const char *blas;           /* "auto", "on", "off" */
	const char *bind;           /* threads to cores: "auto", "on", "off" */
	const char *nvrtc;          /* paths of libraries that are looked for at run time */
	const char *libcuda;
	const char *cublaslt;
	void *reserved[7];          /* NULL */
} adze_config;

/**
 * What work takes: bytes that must be read and written at least once, operations on floats, and
 * on integers and bools. A multiply-add counts two.
 */
typedef struct adze_cost {
	double read, written, flops, ops;
} adze_cost;

/** Opaque; see adze.h. */
typedef struct adze_context adze_context;
typedef struct adze_device adze_device;
typedef struct adze_buffer adze_buffer;
typedef struct adze_exe adze_exe;
typedef struct adze_graph adze_graph;
typedef struct adze_profile adze_profile;
typedef struct adze_cancel adze_cancel;

#endif
