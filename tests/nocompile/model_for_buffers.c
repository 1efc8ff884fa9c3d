/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: tensors of a model where its buffers belong.
 */
#include "common.h"

adze_status wrong(cat_forward_exe exe, struct cat m);
adze_status wrong(cat_forward_exe exe, struct cat m)
{
	cat_forward_module module;
	return cat_forward_bind(exe, m, NULL, &module);
}
