/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: a tensor as an argument of a call.
 */
#include "common.h"

adze_status wrong(cat_forward_module module, adze_tensor x);
adze_status wrong(cat_forward_module module, adze_tensor x)
{
	struct cat_forward_args args;
	struct cat_forward_results results = {NULL};
	args.x = x;
	return cat_forward_call(module, args, &results);
}
