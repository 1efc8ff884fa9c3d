/* SPDX-License-Identifier: Apache-2.0
 *
 * What plain kernels with bodies share: elements of any type by place, windows, and updates
 * joined into an array. Only kernels/plain_*.c include this.
 */
#ifndef ADZE_PLAIN_BODY_H
#define ADZE_PLAIN_BODY_H

#include <string.h>

#include "kernels/plain.h"

/** Elements that are worked on at once. */
#define PLAIN_STRIP 512
/** Bytes of so many elements of any type. */
#define PLAIN_STRIP_BYTES ((size_t)PLAIN_STRIP * 16)

/** to[i] = from[at[i]], of `size` bytes each; where at[i] is negative `otherwise`. */
void plain_pick(void *to, const void *from, const int64_t *at, const void *otherwise, int64_t n,
		size_t size);
/** to[at[i]] = from[i]. */
void plain_put(void *to, const int64_t *at, const void *from, int64_t n, size_t size);
/** to[i] = the one element of `from`. */
void plain_fill(void *to, const void *from, int64_t n, size_t size);

/** Whether a body takes these types, n of them twice: so far, next; and gives them once. */
bool plain_joins(const struct plain_body *b, const struct plain_array *x, int n);
/** n arrays of the extents of the first, each with a result of its type. */
bool plain_side_by_side(const struct plain *p, int n);

/* ---- windows ---- */

/** Windows of an operand, or of a part of it from axis `first` on. */
struct plain_windows {
	int rank;
	int64_t in[ADZE_MAX_RANK], out[ADZE_MAX_RANK], step[ADZE_MAX_RANK]; /* extents; strides */
	int64_t size[ADZE_MAX_RANK], stride[ADZE_MAX_RANK], low[ADZE_MAX_RANK];
	int64_t dilation[ADZE_MAX_RANK], base[ADZE_MAX_RANK];
	int64_t places; /* in a window */
};

/** Whether `windows` has one element for each window of x; lists may be NULL where empty. */
bool plain_windows(const struct plain_array *x, const struct plain_array *windows,
		   const struct plain_dims *size, const struct plain_dims *stride,
		   const struct plain_dims *low, const struct plain_dims *high,
		   const struct plain_dims *dilation, const struct plain_dims *base,
		   struct plain_windows *out);
/** Without the first `n` axes. */
void plain_windows_below(struct plain_windows *w, int n);
/** at[i] = where place `place` of window from + i is in the operand; -1: in padding. */
void plain_window_places(const struct plain_windows *w, int64_t place, int64_t from, int64_t n,
			 int64_t *at);

/* ---- updates ---- */

/** y[to[i]] = f(y[to[i]], u[from[i]]), one after the other. */
typedef void plain_native(void *y, const void *u, const int64_t *to, const int64_t *from,
			  int64_t n);
/** That of a function and a type; NULL where there is none. */
plain_native *plain_native_join(enum ew ew, adze_dtype dtype);

/** Arrays that updates are joined into by a body, in the order that they come. */
struct plain_join {
	const struct plain_body *body;
	int n;
	size_t size[PLAIN_MOST];
	char *y[PLAIN_MOST];
	const char *u[PLAIN_MOST];
	plain_native *native; /* or NULL */
	char *work; /* of plain_join_bytes() */
	uint32_t turn;
};

size_t plain_join_bytes(int n);
/** Sets all but y and u. */
void plain_join_begin(struct plain_join *j, const struct plain_body *body,
		      const struct plain_array *y, int n, char *work);
/** Element to[i] of y with element from[i] of u, one after the other; n up to PLAIN_STRIP. */
void plain_join_at(struct plain_join *j, const int64_t *to, const int64_t *from, int64_t n);
/** Elements to + i with from + i. */
void plain_join_run(struct plain_join *j, int64_t to, int64_t from, int64_t n);

#endif
