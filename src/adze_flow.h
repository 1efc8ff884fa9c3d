/* SPDX-License-Identifier: Apache-2.0
 *
 * Control flow inside a graph; adze.h includes this. What is repeated, or done only in some
 * calls, is built by a function of the caller's, which is called once, at once, and may use any
 * tensors of the graph: those that were there before become operands. `self` is passed on to it.
 * In loops, what does not depend on what the function is given is computed once, outside. Tensors
 * that a function makes are not to be used elsewhere, but for its results.
 *
 * The functions return the graph's status; after a failure their results are null tensors.
 */
#ifndef ADZE_FLOW_H
#define ADZE_FLOW_H

/** Makes the results y of a branch; of a loop, from its values x. */
typedef void adze_branch(void *self, adze_tensor *y);
typedef void adze_body(void *self, const adze_tensor *x, adze_tensor *y);

/** y[0 .. n) by `then` where the condition, a bool scalar, is true, else by `otherwise`. */
ADZE_API adze_status adze_if_at(const char *file, int line, adze_tensor condition,
				adze_branch *then, adze_branch *otherwise, void *self,
				adze_tensor *y, size_t n);
/** y[0 .. n) by the branch that an i32 scalar counts; out of range by the last. */
ADZE_API adze_status adze_case_at(const char *file, int line, adze_tensor index,
				  adze_branch *const *branch, size_t nbranch, void *self,
				  adze_tensor *y, size_t n);
/**
 * x[0 .. n) anew by `body`, as long as `test` makes its y[0], a bool scalar, true. They keep
 * their types. A call can be cancelled between rounds.
 */
ADZE_API adze_status adze_while_at(const char *file, int line, adze_body *test, adze_body *body,
				   void *self, adze_tensor *x, size_t n);
/** x[0 .. n) anew `count` times; the body's first value is the round, an i32 scalar from 0. */
ADZE_API adze_status adze_for_at(const char *file, int line, int64_t count, adze_body *body,
				 void *self, adze_tensor *x, size_t n);

typedef struct adze_scan_how {
	const char *axis; /* of the sequences; NULL: the first */
	bool reverse;     /* from the end */
	int64_t length;   /* rounds, where there are no sequences */
} adze_scan_how;

/**
 * Goes along an axis of over[0 .. nover), which all have the same extent, a symbol maybe. The
 * body's values are the carries and one slice of each sequence, without that axis; its results
 * are new carries, and slices of results. carry[] becomes the last; y[0 .. ny) are the slices
 * stacked, along a new first axis. `how` may be NULL.
 */
ADZE_API adze_status adze_scan_at(const char *file, int line, adze_body *body, void *self,
				  adze_tensor *carry, size_t ncarry, const adze_tensor *over,
				  size_t nover, adze_tensor *y, size_t ny,
				  const adze_scan_how *how);
/** The same without carries: y[i] are of body(slices i). */
ADZE_API adze_status adze_map_at(const char *file, int line, adze_body *body, void *self,
				 const adze_tensor *over, size_t nover, adze_tensor *y, size_t ny,
				 const char *axis);

#define adze_if(...) adze_if_at(__FILE__, __LINE__, __VA_ARGS__)
#define adze_case(...) adze_case_at(__FILE__, __LINE__, __VA_ARGS__)
#define adze_while(...) adze_while_at(__FILE__, __LINE__, __VA_ARGS__)
#define adze_for(...) adze_for_at(__FILE__, __LINE__, __VA_ARGS__)
#define adze_scan(...) adze_scan_at(__FILE__, __LINE__, __VA_ARGS__)
#define adze_map(...) adze_map_at(__FILE__, __LINE__, __VA_ARGS__)

#endif
