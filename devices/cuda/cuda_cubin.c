/* SPDX-License-Identifier: Apache-2.0
 *
 * Layout of ELF: the generic System V ABI, chapter 4. What CUDA puts into e_flags was found by
 * looking at files of NVRTC 12 and 13.
 */
#include "devices/cuda/cuda_cubin.h"

#include <string.h>

#define MACHINE_CUDA 190
#define SECTION_SYMTAB 2
#define SYMBOL_FUNCTION 2

struct elf {
	const unsigned char *at;
	size_t len;
};

static uint64_t little(const unsigned char *p, int bytes)
{
	uint64_t v = 0;
	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static bool inside(const struct elf *e, uint64_t at, uint64_t len)
{
	return at <= e->len && len <= e->len - at;
}

adze_status cuda_cubin_check(const void *bytes, size_t len, uint32_t *arch, struct diag *d)
{
	const unsigned char *p = bytes;
	*arch = 0;
	if (len < 64 || memcmp(p, "\177ELF\2\1", 6) != 0)
		return fail(d, ADZE_E_FORMAT, "the machine code is no ELF file");
	if (little(p + 18, 2) != MACHINE_CUDA)
		return fail(d, ADZE_E_FORMAT, "the machine code is for machine %u, not for CUDA",
			    (unsigned)little(p + 18, 2));
	uint32_t flags = (uint32_t)little(p + 48, 4);
	*arch = p[8] >= 8 ? flags >> 8 & 0xff : flags & 0xff;
	return ADZE_OK;
}

/* Section header `i`, or NULL. */
static const unsigned char *section(const struct elf *e, uint64_t i)
{
	uint64_t at = little(e->at + 40, 8), size = little(e->at + 58, 2);
	uint64_t count = little(e->at + 60, 2);
	if (i >= count || size != 64 || at > e->len || !inside(e, at + i * size, size))
		return NULL;
	return e->at + at + i * size;
}

static bool symbol_is(const struct elf *e, const unsigned char *sym, uint64_t names,
		      uint64_t names_len, const char *name)
{
	uint64_t at = little(sym, 4);
	size_t n = strlen(name) + 1;
	return (sym[4] & 15) == SYMBOL_FUNCTION && at <= names_len && n <= names_len - at &&
	       memcmp(e->at + names + at, name, n) == 0;
}

bool cuda_cubin_has(const void *bytes, size_t len, const char *name)
{
	struct elf e = {bytes, len};
	const unsigned char *s;
	for (uint64_t i = 0; (s = section(&e, i)) != NULL; i++) {
		if (little(s + 4, 4) != SECTION_SYMTAB)
			continue;
		uint64_t at = little(s + 24, 8), size = little(s + 32, 8);
		const unsigned char *t = section(&e, little(s + 40, 4));
		if (t == NULL || !inside(&e, at, size))
			return false;
		uint64_t names = little(t + 24, 8), names_len = little(t + 32, 8);
		if (!inside(&e, names, names_len))
			return false;
		for (uint64_t k = 0; k + 24 <= size; k += 24)
			if (symbol_is(&e, e.at + at + k, names, names_len, name))
				return true;
	}
	return false;
}
