/* SPDX-License-Identifier: Apache-2.0
 *
 * Two models and a function of each, for programs that must not compile and the one that must.
 */
#ifndef ADZE_NOCOMPILE_COMMON_H
#define ADZE_NOCOMPILE_COMMON_H

#include "adze.h"

#define CAT(T, O, S, L) T(weight, "out in") O(bias, "out")
ADZE_STRUCT(cat, CAT);
#define DOG(T, O, S, L) T(weight, "out in") L(cat, layers) S(cat, head)
ADZE_STRUCT(dog, DOG);

#define CAT_IN(A) A(x)
#define CAT_OUT(A) A(y)
ADZE_FUNCTION(cat_forward, cat, CAT_IN, CAT_OUT);
struct cat_forward_out cat_forward(struct cat m, struct cat_forward_in in)
{
	struct cat_forward_out out;
	out.y = adze_dot(in.x, m.weight, "d=in");
	return out;
}

#define DOG_IN(A) A(x) A(cache)
#define DOG_OUT(A) A(y) A(cache)
ADZE_FUNCTION(dog_forward, dog, DOG_IN, DOG_OUT);
struct dog_forward_out dog_forward(struct dog m, struct dog_forward_in in)
{
	struct dog_forward_out out;
	out.y = adze_add(in.x, m.head.weight);
	out.cache = in.cache;
	return out;
}

#endif
