/* SPDX-License-Identifier: Apache-2.0
 *
 * Stands in for CUDA so that generated text compiles with a C++ compiler and runs on the host:
 * blocks one after another, the threads of a block as fibres that take turns at barriers.
 * cuda_test.c includes the text behind this file and calls shim_launch() for each launch.
 * C++17.
 */
#include <math.h>
#include <string.h>
#include <ucontext.h>

#define __device__
#define __global__
#define __forceinline__ inline
#define __launch_bounds__(threads)
#define __shared__ static

struct shim_index {
	unsigned x;
};
static shim_index threadIdx, blockIdx, blockDim, gridDim;

static unsigned __float_as_uint(float v)
{
	unsigned u;
	memcpy(&u, &v, sizeof u);
	return u;
}
static float __uint_as_float(unsigned u)
{
	float v;
	memcpy(&v, &u, sizeof v);
	return v;
}
static long long __double_as_longlong(double v)
{
	long long u;
	memcpy(&u, &v, sizeof u);
	return u;
}
static double __longlong_as_double(long long u)
{
	double v;
	memcpy(&v, &u, sizeof v);
	return v;
}
static inline int __popcll(unsigned long long v) { return __builtin_popcountll(v); }
static inline int __clzll(long long v)
{
	return v == 0 ? 64 : __builtin_clzll((unsigned long long)v);
}

/* ---- threads ---- */

#define SHIM_THREADS 1024
#define SHIM_STACK 65536

static ucontext_t shim_main, shim_thread[SHIM_THREADS];
static char shim_stack[SHIM_THREADS][SHIM_STACK] __attribute__((aligned(64)));
static bool shim_done[SHIM_THREADS];
static unsigned long long shim_lane[SHIM_THREADS];
static void (*shim_kernel)(void **);
static void **shim_args;

static void __syncthreads()
{
	unsigned self = threadIdx.x;
	swapcontext(&shim_thread[self], &shim_main);
	threadIdx.x = self;
}

/* All threads of a block come here together, so that a barrier serves for the warp. */
template <class C> static C __shfl_xor_sync(unsigned, C v, int mask)
{
	unsigned long long bits = 0;
	memcpy(&bits, &v, sizeof v);
	shim_lane[threadIdx.x] = bits;
	__syncthreads();
	bits = shim_lane[threadIdx.x ^ (unsigned)mask];
	__syncthreads();
	memcpy(&v, &bits, sizeof v);
	return v;
}

static void shim_enter()
{
	unsigned self = threadIdx.x;
	shim_kernel(shim_args);
	shim_done[self] = true;
	swapcontext(&shim_thread[self], &shim_main);
}

/* False where some threads ended while others wait at a barrier. */
static bool shim_block(unsigned threads)
{
	for (unsigned i = 0; i < threads; i++) {
		getcontext(&shim_thread[i]);
		shim_thread[i].uc_stack.ss_sp = shim_stack[i];
		shim_thread[i].uc_stack.ss_size = SHIM_STACK;
		shim_thread[i].uc_link = nullptr;
		makecontext(&shim_thread[i], shim_enter, 0);
		shim_done[i] = false;
	}
	for (unsigned done = 0; done < threads;) {
		done = 0;
		for (unsigned i = 0; i < threads; i++) {
			threadIdx.x = i;
			swapcontext(&shim_main, &shim_thread[i]);
			done += shim_done[i];
		}
		if (done != 0 && done != threads)
			return false;
	}
	return true;
}

template <unsigned... I> struct shim_list {
};
template <unsigned N, unsigned... I> struct shim_count : shim_count<N - 1, N - 1, I...> {
};
template <unsigned... I> struct shim_count<0, I...> {
	typedef shim_list<I...> type;
};
template <class... A, unsigned... I>
static void shim_call(void (*kernel)(A...), void **args, shim_list<I...>)
{
	(void)args;
	kernel(*(A *)args[I]...);
}

/* A function run_<kernel>(args, blocks, threads), with args as cuLaunchKernel() takes them. */
#define SHIM_KERNEL(kernel)                                                          \
	template <class... A> static void shim_type_##kernel(void (*f)(A...), void **args) \
	{                                                                            \
		shim_call(f, args, typename shim_count<sizeof...(A)>::type());       \
	}                                                                            \
	static void shim_args_##kernel(void **args) { shim_type_##kernel(kernel, args); } \
	extern "C" bool run_##kernel(void **args, unsigned blocks, unsigned threads)  \
	{                                                                            \
		shim_kernel = shim_args_##kernel;                                    \
		shim_args = args;                                                    \
		blockDim.x = threads;                                                \
		gridDim.x = blocks;                                                  \
		for (blockIdx.x = 0; blockIdx.x < blocks; blockIdx.x++)              \
			if (!shim_block(threads))                                    \
				return false;                                        \
		return true;                                                         \
	}
