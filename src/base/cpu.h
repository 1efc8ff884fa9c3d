/* SPDX-License-Identifier: Apache-2.0
 *
 * What this processor can do. Compiled without any instruction set's flags.
 */
#ifndef ADZE_CPU_H
#define ADZE_CPU_H

#include <stdbool.h>

/** Instruction sets of kernels; impls.def's rows later in this order are preferred. */
enum isa { ISA_SCALAR, ISA_BLAS, ISA_NEON, ISA_AVX2, ISA_AVX512, ISA_VNNI, ISA_GENERIC, ISA_COUNT };

/** "scalar", "avx2" ...; ISA_COUNT for an unknown name. */
const char *isa_name(enum isa isa);
enum isa isa_find(const char *name);

/**
 * Bits 1 << enum isa of what the processor, the system and this build have; SCALAR always,
 * BLAS where it was built in, GENERIC never. AVX512 stands for F, BW, DQ and VL; VNNI
 * for AVX512 and its VNNI.
 */
unsigned cpu_isa_mask(void);

/** The part of `mask` up to the one named; false where there is no such name. */
bool cpu_isa_cap(const char *name, unsigned *mask);

/** "AMD EPYC 9B45" and the like, for `adze devices`; never empty. */
const char *cpu_model(char *out, unsigned long cap);

#endif
