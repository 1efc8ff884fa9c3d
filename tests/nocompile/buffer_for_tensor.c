/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: a buffer where the graph is built.
 */
#include "common.h"

adze_tensor wrong(adze_buffer *x, adze_tensor y);
adze_tensor wrong(adze_buffer *x, adze_tensor y)
{
	return adze_add(y, x);
}
