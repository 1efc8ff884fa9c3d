/* SPDX-License-Identifier: Apache-2.0
 *
 * Expands EW_DO(type, name, ID, n, start, flags) for every row of ew.def and every element
 * type that the row takes. EW_BOOLS, EW_INTS and EW_FLOATS narrow the types (default: all of
 * elem.h's lists); all four are forgotten at the end. In EW_DO, IF_FLAG(flags)(text) keeps
 * the text if a flag among them was defined as TAKEN. No guard, on purpose.
 */
#include "kernels/elem.h"

#ifndef EW_BOOLS
#define EW_BOOLS FOR_BOOL
#endif
#ifndef EW_INTS
#define EW_INTS FOR_INTS
#endif
#ifndef EW_FLOATS
#define EW_FLOATS FOR_FLOATS
#endif

#undef B
#undef I
#undef F

#define B TAKEN
#define I
#define F
#define EW(name, id, n, takes, flags, start, f, i, v, doc) \
	IF_TAKES(takes)(EW_BOOLS(EW_DO, name, id, n, start, flags))
#include "base/ew.def"

#undef B
#undef I
#define B
#define I TAKEN
#define EW(name, id, n, takes, flags, start, f, i, v, doc) \
	IF_TAKES(takes)(EW_INTS(EW_DO, name, id, n, start, flags))
#include "base/ew.def"

#undef I
#undef F
#define I
#define F TAKEN
#define EW(name, id, n, takes, flags, start, f, i, v, doc) \
	IF_TAKES(takes)(EW_FLOATS(EW_DO, name, id, n, start, flags))
#include "base/ew.def"

#undef B
#undef I
#undef F
#undef EW_DO
#undef EW_BOOLS
#undef EW_INTS
#undef EW_FLOATS
