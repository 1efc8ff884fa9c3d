/* SPDX-License-Identifier: Apache-2.0
 *
 * Declares every function that impls.def names, and makes such names.
 */
#ifndef ADZE_IMPLS_H
#define ADZE_IMPLS_H

#include "kernels/kernels.h"

#define IMPL(family, isa, type, function, mr, nr, work) type function;
#include "kernels/impls.def"

#define PASTE3_(a, b, c) a##_##b##_##c
#define PASTE3(a, b, c) PASTE3_(a, b, c)

#endif
