/* SPDX-License-Identifier: Apache-2.0
 *
 * Speed of the kernels, row by row of impls.def.
 */
#ifndef ADZE_KERNEL_BENCH_H
#define ADZE_KERNEL_BENCH_H

/**
 * Prints a JSON object a line for every row that this processor can run and whose function's
 * name contains argv[1] (all without one): time of a call, bytes and operations a second, how
 * many times faster than the family's scalar row. For matrix products also the ratio to
 * OpenBLAS's time in the same process, alternating with it. Medians of nine runs after one
 * to warm up; one thread. Returns an exit code.
 */
int kernel_bench(int argc, char **argv);

#endif
