/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: a function that gives a result it did not declare.
 */
#include "common.h"

adze_tensor wrong(struct cat m, struct cat_forward_in in);
adze_tensor wrong(struct cat m, struct cat_forward_in in)
{
	return cat_forward(m, in).cache;
}
