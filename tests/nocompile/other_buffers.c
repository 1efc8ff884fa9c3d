/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: the buffers of another model.
 */
#include "common.h"

adze_status wrong(cat_forward_exe exe, struct dog_buffers buffers);
adze_status wrong(cat_forward_exe exe, struct dog_buffers buffers)
{
	cat_forward_module module;
	return cat_forward_bind(exe, buffers, NULL, &module);
}
