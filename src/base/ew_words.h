/* SPDX-License-Identifier: Apache-2.0
 *
 * Gives the words of ew.def's formulas their meaning for one type. Define one of
 * EW_WORDS_F32, EW_WORDS_F64, EW_WORDS_I64, EW_WORDS_U64 and include, as often as wanted;
 * BITS is the includer's. No guard, on purpose.
 */
#include <math.h>

#include "base/ew.h"

#undef T
#undef F
#undef K
#undef W
#undef U
#undef ew_hi
#undef ew_lo
#undef ew_clamp
#undef ew_key
#undef ew_erf_inv
#undef ew_reduce_precision
#undef ew_idiv
#undef ew_irem
#undef ew_ipow
#undef ew_shr
#undef ew_iabs
#undef ew_isign

#define U uint64_t

#if defined(EW_WORDS_F32)
#define T float
#define F(name) name##f
#define K(x) ((float)(x))
#define ew_hi ew_hi_f32
#define ew_lo ew_lo_f32
#define ew_clamp ew_clamp_f32
#define ew_key ew_key_f32
#define ew_erf_inv ew_erf_inv_f32
#define ew_reduce_precision ew_reduce_precision_f32
#elif defined(EW_WORDS_F64)
#define T double
#define F(name) name
#define K(x) ((double)(x))
#define ew_hi ew_hi_f64
#define ew_lo ew_lo_f64
#define ew_clamp ew_clamp_f64
#define ew_key ew_key_f64
#define ew_erf_inv ew_erf_inv_f64
#define ew_reduce_precision ew_reduce_precision_f64
#elif defined(EW_WORDS_I64)
#define W int64_t
#define K(x) (x)
#define ew_idiv ew_idiv_i64
#define ew_irem ew_irem_i64
#define ew_ipow ew_ipow_i64
#define ew_shr ew_shr_i64
#define ew_iabs ew_iabs_i64
#define ew_isign ew_isign_i64
#elif defined(EW_WORDS_U64)
#define W uint64_t
#define K(x) (x)
#define ew_idiv ew_idiv_u64
#define ew_irem ew_irem_u64
#define ew_ipow ew_ipow_u64
#define ew_shr ew_shr_u64
#define ew_iabs ew_iabs_u64
#define ew_isign ew_isign_u64
#else
#error "say which words are wanted"
#endif
#undef EW_WORDS_F32
#undef EW_WORDS_F64
#undef EW_WORDS_I64
#undef EW_WORDS_U64
