/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/cpu.h"

#include <stdio.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

static const char *const name_of[ISA_COUNT] = {"scalar", "blas",       "neon",   "avx2",
					       "avx512", "avx512vnni", "generic"};

const char *isa_name(enum isa isa)
{
	return (unsigned)isa < ISA_COUNT ? name_of[isa] : "unknown";
}

enum isa isa_find(const char *name)
{
	for (int i = 0; i < ISA_COUNT; i++)
		if (strcmp(name_of[i], name) == 0)
			return (enum isa)i;
	return ISA_COUNT;
}

#if HAVE_AVX2
/* clang 14 does not know "f16c" as a feature to ask for: CPUID leaf 1, ECX bit 29. */
static bool has_f16c(void)
{
	unsigned a, b, c, d;
	return __get_cpuid(1, &a, &b, &c, &d) && (c & 1u << 29);
}
#endif

unsigned cpu_isa_mask(void)
{
	unsigned mask = 1u << ISA_SCALAR;
#if HAVE_OPENBLAS
	mask |= 1u << ISA_BLAS;
#endif
#if HAVE_NEON
	mask |= 1u << ISA_NEON; /* part of every AArch64 processor */
#endif
#if defined(__x86_64__)
	__builtin_cpu_init();
#if HAVE_AVX2
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
	    has_f16c())
		mask |= 1u << ISA_AVX2;
#endif
#if HAVE_AVX512
	if ((mask & 1u << ISA_AVX2) && __builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512vl"))
		mask |= 1u << ISA_AVX512;
#endif
#if HAVE_VNNI
	if ((mask & 1u << ISA_AVX512) && __builtin_cpu_supports("avx512vnni"))
		mask |= 1u << ISA_VNNI;
#endif
#endif
	return mask;
}

bool cpu_isa_cap(const char *name, unsigned *mask)
{
	enum isa top = isa_find(name);
	if (top == ISA_COUNT || top == ISA_BLAS || top == ISA_GENERIC)
		return false;
	*mask &= (2u << top) - 1;
	/* OpenBLAS brings its own instructions; a cap to plain C means plain C. */
	if (top == ISA_SCALAR)
		*mask = 1u << ISA_SCALAR;
	return true;
}

const char *cpu_model(char *out, unsigned long cap)
{
	char line[256];
	snprintf(out, cap, "unknown processor");
	FILE *f = fopen("/proc/cpuinfo", "re");
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		char *colon = strchr(line, ':');
		if (strncmp(line, "model name", 10) != 0 || colon == NULL)
			continue;
		line[strcspn(line, "\n")] = '\0';
		snprintf(out, cap, "%s", colon + 2);
		break;
	}
	if (f != NULL)
		fclose(f);
	return out;
}
