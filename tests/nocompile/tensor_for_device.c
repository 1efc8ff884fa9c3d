/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: a tensor where a device belongs.
 */
#include "common.h"

adze_status wrong(adze_tensor x, adze_shape shape, adze_buffer **out);
adze_status wrong(adze_tensor x, adze_shape shape, adze_buffer **out)
{
	return adze_buffer_create(x, &shape, out);
}
