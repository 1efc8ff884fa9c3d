/* SPDX-License-Identifier: Apache-2.0
 *
 * One vector of every function of ew.def by its `vector` formula: each_add(a, b, c); a mask
 * for predicates. And the names by which bodies load and store an element type. Include
 * after one simd_*.h.
 */
#ifndef ADZE_EW_EACH_H
#define ADZE_EW_EACH_H

#include "kernels/elem.h"
#include "kernels/vmath.h"

#define COMM
#define ASSOC
#define IDEM
#define PRED TAKEN
#define VECTOR_ONE(name, v, ...)                                                 \
	IF_FLAG(__VA_ARGS__)(static inline vm each_##name(vf a, vf b, vf c))     \
	UNLESS_FLAG(__VA_ARGS__)(static inline vf each_##name(vf a, vf b, vf c)) \
	{                                                                        \
		(void)a, (void)b, (void)c;                                       \
		return v;                                                        \
	}
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc) VECTOR_ONE(name, v, flags)
#include "base/ew.def"
#undef COMM
#undef ASSOC
#undef IDEM
#undef PRED

#define v_load_f32 v_load
#define v_load_f32_part v_load_part
#define v_store_f32 v_store
#define v_store_f32_part v_store_part

#endif
