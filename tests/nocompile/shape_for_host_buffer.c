/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: a shape copied in as if it had bytes.
 */
#include "common.h"

adze_status wrong(adze_device *device, adze_shape x, adze_buffer **out);
adze_status wrong(adze_device *device, adze_shape x, adze_buffer **out)
{
	return adze_copy_in(device, x, out);
}
