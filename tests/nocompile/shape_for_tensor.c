/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: a shape where a tensor belongs.
 */
#include "common.h"

adze_tensor wrong(adze_shape x, adze_tensor y);
adze_tensor wrong(adze_shape x, adze_tensor y)
{
	return adze_add(x, y);
}
