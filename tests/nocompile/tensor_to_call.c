/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: a tensor in the list of inputs.
 */
#include "common.h"

adze_status wrong(adze_module *module, adze_tensor x);
adze_status wrong(adze_module *module, adze_tensor x)
{
	adze_buffer *input[1] = {x}, *output[1] = {NULL};
	return adze_call(module, input, 1, output, 1, NULL);
}
