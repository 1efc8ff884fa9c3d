/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: the executable of another function.
 */
#include "common.h"

adze_status wrong(dog_forward_exe exe, struct cat_buffers buffers);
adze_status wrong(dog_forward_exe exe, struct cat_buffers buffers)
{
	cat_forward_module module;
	return cat_forward_bind(exe, buffers, NULL, &module);
}
