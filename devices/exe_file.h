/* SPDX-License-Identifier: Apache-2.0
 *
 * The executable file, byte by byte in docs/executable-format.md: a header, a table of
 * sections, sections. The reader checks every offset, count and index before use; what it
 * gives points into the bytes it was given or into its own arena.
 */
#ifndef ADZE_EXE_FILE_H
#define ADZE_EXE_FILE_H

#include "base/text.h"
#include "ir/graph.h"

#define EXE_MAGIC "\211ADZ\r\n\032\n"
#define EXE_VERSION 2
#define EXE_ALIGN 64

enum exe_section_kind {
	EXE_META = 1,   /* device, target, fingerprint */
	EXE_SIGNATURE,  /* symbols, inputs, weights, outputs, arena */
	EXE_CODE,       /* the device's own instructions */
	EXE_CONSTS,     /* bytes that code points to, 64-aligned inside */
	EXE_CUBIN,      /* cuda: machine code */
	EXE_PTX,        /* cuda: code for newer chips */
	EXE_SOURCE,     /* the text of the graph; may be stripped */
	EXE_PREPARE,    /* executables that make what is prepared from weights */
	EXE_NAMES,      /* cpu: what its steps are in the graph; may be stripped */
	EXE_KIND_COUNT
};

struct exe_value {
	const char *name;
	adze_shape shape;
	int32_t into; /* outputs: index of the donated input, -1 for none */
};

struct exe_signature {
	char *graph; /* name */
	int nsymbol;
	struct ir_symbol symbol[ADZE_MAX_SYMBOLS];
	uint32_t ninput, nweight, nprepared, noutput;
	struct exe_value *input, *weight, *prepared, *output;
	uint64_t arena_bytes;
	uint64_t live_bytes; /* the least that it could be in the order that was chosen */
};
/** A weight, or behind the weights what is prepared. */
static inline const struct exe_value *exe_weight(const struct exe_signature *s, uint32_t i)
{
	return i < s->nweight ? &s->weight[i] : &s->prepared[i - s->nweight];
}

/** The executable of a prepared value: its inputs are these weights, its outputs the value's
 * parts, one behind the other at multiples of 64. */
struct exe_prepare {
	uint32_t nweight;
	uint32_t *weight;
	const unsigned char *at; /* the bytes of a file */
	size_t len;
};

struct exe_meta {
	char device[16];      /* "cpu", "cuda", "trace" */
	char target[64];      /* "avx512", "sm_80" */
	uint64_t fingerprint; /* of the tables it was compiled with: exe_fingerprint() */
};

struct exe_section {
	const unsigned char *at;
	size_t len; /* 0 where there is none */
};

struct exe_file {
	struct exe_meta meta;
	struct exe_signature signature;
	struct exe_section section[EXE_KIND_COUNT];
	struct exe_prepare *prepare; /* signature.nprepared */
	struct arena arena;
};

/** What stands in a file beside a graph and its code; either may be NULL. */
struct exe_beside {
	const char *source;         /* the text of the graph */
	const struct text *prepare; /* EXE_PREPARE: exe_write_prepare() of each, in order */
};

/** Collects sections and lays the file out. */
struct exe_writer {
	struct text section[EXE_KIND_COUNT]; /* append to these */
};
void exe_writer_init(struct exe_writer *w, const adze_allocator *a);
void exe_writer_fini(struct exe_writer *w);
/**
 * META and SIGNATURE from a planned graph, and what stands beside it. `arena_bytes`: what a call
 * needs, which may be more than the graph's own.
 */
void exe_write_graph(struct exe_writer *w, const adze_graph *g, uint64_t arena_bytes,
		     const char *device, const char *target, const struct exe_beside *beside);
/** Appends the executable `file` of the prepared node `v` to a section. */
void exe_write_prepare(struct text *section, const adze_graph *g, ir_val v,
		       const struct text *file);
/** Appends the file to `out`; E_NOMEM where anything failed. Deterministic. */
adze_status exe_write(const struct exe_writer *w, struct text *out, struct diag *d);

/**
 * Reads `len` bytes, which must stay. E_FORMAT for damage, E_VERSION for another version or
 * other tables, with words. exe_file_fini() in any case.
 */
adze_status exe_read(const adze_allocator *a, const void *bytes, size_t len, struct exe_file *out,
		     struct diag *d);
void exe_file_fini(struct exe_file *f);

/** A hash of every table that what is in an executable depends on. */
uint64_t exe_fingerprint(void);

/* Shapes inside sections. */
void exe_write_shape(struct text *t, const adze_shape *s);
void exe_read_shape(struct reader *r, adze_shape *s);

#endif
