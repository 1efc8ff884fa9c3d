/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain kernels: operations whose CPU form is one function of dense operands, for every element
 * type and every rank. A row of plain.def names the operation; its three functions are
 * plain_<name>_holds(), _plan() and _run().
 *
 * As all kernels they allocate nothing, keep nothing and ask nothing of the CPU; any alignment;
 * no overlap. They are told how many independent units of work there are, and may be asked for
 * any of them in any order by several threads at once: what a unit gives does not depend on it.
 */
#ifndef ADZE_PLAIN_H
#define ADZE_PLAIN_H

#include "base/block.h"
#include "base/ew.h"
#include "base/mem.h"

#define PLAIN_MOST 16 /* operands, and results */

/** Dense and row-major. Extents are those of the call, not negative. */
struct plain_array {
	adze_dtype dtype;
	int rank;
	const int64_t *extent; /* borrowed */
	int64_t count;         /* elements */
	void *at;
};

/**
 * The body of an operation that has a sub-graph: n elements at once, operand k at in[k], result
 * k to out[k], each dense, of the types that it says; what comes out overlaps nothing else.
 * `self` is the device's, and of the thread that runs; neither it nor `call` is set in holds()
 * and plan().
 */
struct plain_body {
	void (*call)(void *self, void *const *out, const void *const *in, size_t n);
	void *self;
	int nin, nout;
	const adze_dtype *in, *out; /* types; borrowed */
	/* Where its one result is a function of two of its inputs alone: which; else EW_COUNT. */
	enum ew ew;
	int arg[2];
	int same; /* the input that its one result is; -1: none */
};

/**
 * One call. `param` is what the operation's attributes say, field by field: INT, EWFN and
 * BLOCK one number, FLOAT the bits of a double, DIMS a struct plain_dims, BODY nothing.
 */
struct plain {
	int ny, nx;
	struct plain_array y[PLAIN_MOST], x[PLAIN_MOST];
	const int64_t *param;
	const struct plain_body *body; /* one for each attribute that is a body, in their order */
};

/** Up to ADZE_MAX_RANK numbers: as many as struct ir_dims holds, in the same order. */
struct plain_dims {
	int64_t n, at[ADZE_MAX_RANK];
};
#define PLAIN_DIMS ((int)(sizeof(struct plain_dims) / sizeof(int64_t)))

static inline const struct plain_dims *plain_dims(const struct plain *p, int param)
{
	return (const struct plain_dims *)(const void *)(p->param + param);
}

/** How a call is divided. */
struct plain_plan {
	int64_t units; /* 0 .. units - 1 */
	int64_t cost;  /* of a unit, in elements that it touches; at least 1 */
	size_t work;   /* bytes of scratch a thread needs, aligned to 64; more extent, not less */
};

/**
 * A row. Before plan() and run() are called, holds() has said yes. What it may rely on: counts
 * of operands, results and parameters are the operation's, numbers in a plain_dims are at most
 * ADZE_MAX_RANK, functions are rows of ew.def, formats of block.def. All else it checks, types,
 * ranks and extents, for these come from files: so that run() stays within the arrays whatever
 * their elements are.
 * `at` is not set in holds() and plan().
 */
struct plain_kernel {
	const char *name;
	bool (*holds)(const struct plain *p);
	struct plain_plan (*plan)(const struct plain *p);
	/* Units from .. to; `work` is the thread's scratch. */
	void (*run)(const struct plain *p, int64_t from, int64_t to, void *work);
};

/** The row of an operation; NULL where there is none. */
const struct plain_kernel *plain_find(const char *name);

#define PLAIN(name)                                            \
	bool plain_##name##_holds(const struct plain *p);             \
	struct plain_plan plain_##name##_plan(const struct plain *p); \
	void plain_##name##_run(const struct plain *p, int64_t from, int64_t to, void *work);
#include "kernels/plain.def"

/* ---- for kernels ---- */

/** Product of sizes, SIZE_MAX where it is more: then there is no such scratch. */
static inline size_t plain_bytes(size_t a, size_t b)
{
	size_t n;
	return size_mul(a, b, &n) ? n : SIZE_MAX;
}

static inline bool plain_same_extents(const struct plain_array *a, const struct plain_array *b)
{
	bool same = a->rank == b->rank;
	for (int i = 0; same && i < a->rank; i++)
		same = a->extent[i] == b->extent[i];
	return same;
}

/** A product that means nothing where it wraps: of axes beside an empty one. */
static inline int64_t plain_wrap(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a * (uint64_t)b);
}
/** Row-major strides in elements. */
void plain_strides(const struct plain_array *a, int64_t *stride);

/** Elements along axes from .. to. */
static inline int64_t plain_count(const struct plain_array *a, int from, int to)
{
	int64_t n = 1;
	for (int i = from; i < to; i++)
		n *= a->extent[i];
	return n;
}

/** Which axes are listed; false where one is not there or stands twice. */
bool plain_axis_set(const struct plain_dims *d, int rank, bool *set);

/** to[i] = integer element from + i * step of `x`, kept to what int64_t holds; i < n. */
void plain_load_ints(int64_t *to, const struct plain_array *x, int64_t from, int64_t step,
		     int64_t n);
/** The same of integers and bool as their bits, u64 among them; and back, cut. */
void plain_load_bits(int64_t *to, const struct plain_array *x, int64_t from, int64_t step,
		     int64_t n);
void plain_store_bits(const struct plain_array *y, int64_t to, int64_t step, const int64_t *from,
		      int64_t n);
/** The same of floats; a store rounds once, to nearest even. */
void plain_load_floats(double *to, const struct plain_array *x, int64_t from, int64_t step,
		       int64_t n);
void plain_store_floats(const struct plain_array *y, int64_t to, int64_t step,
			const double *from, int64_t n);

#endif
