/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: a buffer copied in as if it were a host buffer.
 */
#include "common.h"

adze_status wrong(adze_device *device, adze_buffer *x, adze_buffer **out);
adze_status wrong(adze_device *device, adze_buffer *x, adze_buffer **out)
{
	return adze_copy_in(device, x, out);
}
