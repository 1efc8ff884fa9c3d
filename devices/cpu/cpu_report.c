/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/cpu/cpu_report.h"

#include <string.h>

#include "kernels/kernels.h"

bool cpu_kernel_row(size_t i, unsigned isa_mask, struct cpu_kernel_row *out)
{
	size_t n, nfamily;
	const struct kernel_impl *impl = kernels_impls(&n);
	const struct kernel_family *family = kernels_families(&nfamily);
	if (i >= n)
		return false;
	out->family = impl[i].family;
	out->function = impl[i].function;
	out->isa = isa_name(impl[i].isa);
	out->usable = (isa_mask >> impl[i].isa & 1) != 0;
	out->selected = kernels_find(impl[i].family, isa_mask) == &impl[i];
	out->type = "";
	for (size_t k = 0; k < nfamily; k++)
		if (strcmp(family[k].name, impl[i].family) == 0)
			out->type = family[k].type;
	return true;
}
