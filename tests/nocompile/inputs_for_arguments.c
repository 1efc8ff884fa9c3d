/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: the tensors of the inputs where buffers belong.
 */
#include "common.h"

adze_status wrong(cat_forward_module module, struct cat_forward_in in);
adze_status wrong(cat_forward_module module, struct cat_forward_in in)
{
	struct cat_forward_results results = {NULL};
	return cat_forward_call(module, in, &results);
}
