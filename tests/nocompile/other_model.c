/* SPDX-License-Identifier: Apache-2.0
 *
 * Must not compile: another model to compile with.
 */
#include "common.h"

adze_status wrong(adze_device *device, adze_graph *graph, struct dog m, struct cat_forward_in in);
adze_status wrong(adze_device *device, adze_graph *graph, struct dog m, struct cat_forward_in in)
{
	cat_forward_exe exe;
	return cat_forward_compile(device, graph, m, in, &exe);
}
