/* SPDX-License-Identifier: Apache-2.0 */
#include "kernels/kernels.h"

#include <string.h>

#include "kernels/elem.h"
#include "kernels/impls.h"

enum family_index {
#define KERNEL(name, type, tolerance, flops, bytes) FAMILY_##name,
#include "kernels/kernels.def"
	FAMILY_COUNT
};

static const struct kernel_family family_row[] = {
#define KERNEL(name, type, tolerance, flops, bytes) {#name, #type, tolerance, flops, bytes},
#include "kernels/kernels.def"
};

/* The lengths of the names, close together: a lookup reads these few lines of cache and
 * compares a tenth of the names. */
static const uint8_t family_len[] = {
#define KERNEL(name, type, tolerance, flops, bytes) sizeof #name - 1,
#include "kernels/kernels.def"
};

enum impl_index {
#define IMPL(family, isa, type, function, mr, nr, work) IMPL_##function,
#include "kernels/impls.def"
	IMPL_COUNT
};

static const struct kernel_impl impl_row[] = {
#define IMPL(family, isa, type, function, mr, nr, work) \
	{#family, #function, ISA_##isa, (void (*)(void))function, mr, nr, work},
#include "kernels/impls.def"
};

/* The row of a family for an instruction set, and one more; 0 where it has none. */
static const uint16_t impl_of[FAMILY_COUNT][ISA_COUNT] = {
#define IMPL(family, isa, type, function, mr, nr, work) \
	[FAMILY_##family][ISA_##isa] = IMPL_##function + 1,
#include "kernels/impls.def"
};

_Static_assert(IMPL_COUNT < UINT16_MAX, "rows are counted in 16 bits");

/* Every row's function has the type of its family. */
#define KERNEL(name, type, tolerance, flops, bytes) typedef type name##_family_fn;
#include "kernels/kernels.def"
#define IMPL(family, isa, type, function, mr, nr, work)                            \
	_Static_assert(_Generic(&function, family##_family_fn *: 1, default: 0),  \
		       #function " has not the type of its family");
#include "kernels/impls.def"

const struct kernel_impl *kernels_impls(size_t *n)
{
	*n = IMPL_COUNT;
	return impl_row;
}

const struct kernel_family *kernels_families(size_t *n)
{
	*n = FAMILY_COUNT;
	return family_row;
}

const struct kernel_family *kernels_family(const char *name)
{
	size_t len = strlen(name);
	for (size_t i = 0; i < FAMILY_COUNT; i++)
		if (family_len[i] == len && memcmp(family_row[i].name, name, len) == 0)
			return &family_row[i];
	return NULL;
}

const struct kernel_impl *kernels_find(const char *family, unsigned isa_mask)
{
	const struct kernel_family *f = kernels_family(family);
	if (f == NULL)
		return NULL;
	const uint16_t *impl = impl_of[f - family_row];
	for (int isa = ISA_COUNT - 1; isa >= 0; isa--)
		if (isa != ISA_GENERIC && (isa_mask >> isa & 1) && impl[isa] != 0)
			return &impl_row[impl[isa] - 1];
	return NULL;
}

/* elem.h has taken the word bool for an element type. */
_Bool kernels_chains(enum ew f)
{
#define COMM
#define ASSOC
#define IDEM
#define PRED TAKEN
#define CAN_CHAIN_1 1
#define CAN_CHAIN_2 1
#define CAN_CHAIN_3 0
	static const _Bool can[EW_COUNT] = {
#define EW(name, id, n, takes, flags, start, fx, ix, v, doc) \
	UNLESS_FLAG(flags)(IF_GAIN(NO_GAIN_f32_##name)([EW_##id] = CAN_CHAIN_##n,))
#include "base/ew.def"
	};
#undef COMM
#undef ASSOC
#undef IDEM
#undef PRED
	return can[f] && (ew_info(f)->takes & DTYPE_FLOAT);
}
