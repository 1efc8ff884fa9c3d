/* SPDX-License-Identifier: Apache-2.0
 *
 * The floating-point mode of a thread: how sums are rounded, whether denormals count, and what
 * traps. It belongs to the program. Whatever computes works in the default mode (to nearest,
 * denormals kept, no traps) and gives the program its own back, flags included.
 */
#ifndef ADZE_FPMODE_H
#define ADZE_FPMODE_H

#include <stdint.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
#include <fenv.h>
#endif

#if defined(__x86_64__)
typedef uint32_t fp_mode;
#define FP_DEFAULT 0x1f80u /* MXCSR as a process begins: all exceptions masked */

static inline fp_mode fp_mode_enter(void)
{
	fp_mode before = __builtin_ia32_stmxcsr();
	if (before != FP_DEFAULT)
		__builtin_ia32_ldmxcsr(FP_DEFAULT);
	return before;
}

/* What the work raised is not the program's to see. */
static inline void fp_mode_leave(fp_mode before)
{
	__builtin_ia32_ldmxcsr(before);
}
#elif defined(__aarch64__)
typedef uint64_t fp_mode;

static inline fp_mode fp_mode_enter(void)
{
	fp_mode before;
	__asm__ volatile("mrs %0, fpcr" : "=r"(before)::"memory");
	if (before != 0)
		__asm__ volatile("msr fpcr, %0" ::"r"((uint64_t)0) : "memory");
	return before;
}

/* Flags are in another register, where what the work raised stays. */
static inline void fp_mode_leave(fp_mode before)
{
	if (before != 0)
		__asm__ volatile("msr fpcr, %0" ::"r"(before) : "memory");
}
#else
typedef fenv_t fp_mode;

static inline fp_mode fp_mode_enter(void)
{
	fp_mode before;
	fegetenv(&before);
	fesetenv(FE_DFL_ENV);
	return before;
}

static inline void fp_mode_leave(fp_mode before)
{
	fesetenv(&before);
}
#endif

#endif
