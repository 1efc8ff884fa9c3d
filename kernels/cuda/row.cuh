/* SPDX-License-Identifier: Apache-2.0
 *
 * What kernels call that work on rows, a block of whole warps for each: totals over the block
 * by any associative function, and searches.
 */
DEVICE float lane_xor(float v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
DEVICE double lane_xor(double v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
DEVICE i64 lane_xor(i64 v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }
DEVICE u64 lane_xor(u64 v, int mask) { return __shfl_xor_sync(0xffffffffu, v, mask); }

/* by() over the `v` of all threads, the same bits in each. Every thread must come here. The
 * order is fixed: pairs of lanes, then warps in turn. */
template <class C, class By> DEVICE C block_total(C v, By by)
{
	__shared__ C part[32];
	for (int mask = 16; mask > 0; mask /= 2)
		v = by(v, lane_xor(v, mask));
	if (threadIdx.x % 32 == 0)
		part[threadIdx.x / 32] = v;
	__syncthreads();
	v = part[0];
	for (unsigned warp = 1; warp < blockDim.x / 32; warp++)
		v = by(v, part[warp]);
	__syncthreads();
	return v;
}

/* The best element so far of a search for the largest, or smallest; at < 0: none yet. */
template <class C> struct best {
	C v;
	i64 at;
};

template <class C> DEVICE best<C> lane_xor(best<C> b, int mask)
{
	best<C> o = {lane_xor(b.v, mask), lane_xor(b.at, mask)};
	return o;
}

/* NaN wins; the first of equals. */
template <bool smallest, class C> DEVICE bool beats(C a, C b)
{
	if (b != b)
		return false;
	return a != a || (smallest ? a < b : a > b);
}

template <bool smallest, class C> DEVICE best<C> better(best<C> a, best<C> b)
{
	if (a.at < 0 || b.at < 0)
		return a.at < 0 ? b : a;
	if (beats<smallest>(a.v, b.v))
		return a;
	if (beats<smallest>(b.v, a.v))
		return b;
	return a.at < b.at ? a : b;
}

DEVICE float exp_of(float v) { return expf(v); }
DEVICE double exp_of(double v) { return exp(v); }
DEVICE float sqrt_of(float v) { return sqrtf(v); }
DEVICE double sqrt_of(double v) { return sqrt(v); }
