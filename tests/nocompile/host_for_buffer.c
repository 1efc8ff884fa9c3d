/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: a host buffer where a buffer belongs.
 */
#include "common.h"

adze_status wrong(adze_host_buffer *x, adze_host_buffer **out);
adze_status wrong(adze_host_buffer *x, adze_host_buffer **out)
{
	return adze_copy_out(x, out);
}
