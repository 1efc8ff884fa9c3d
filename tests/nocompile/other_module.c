/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: the module of another function.
 */
#include "common.h"

adze_status wrong(dog_forward_module module, struct cat_forward_args args);
adze_status wrong(dog_forward_module module, struct cat_forward_args args)
{
	struct cat_forward_results results = {NULL};
	return cat_forward_call(module, args, &results);
}
