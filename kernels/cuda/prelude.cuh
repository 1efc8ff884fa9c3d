/* SPDX-License-Identifier: Apache-2.0
 *
 * What every generated CUDA program begins with: fixed-width names, constants by their bits,
 * floats narrower than 32 bits, conversions, the helpers that the formulas of ew.def call,
 * and the loops of kernels. No header is included: NVRTC has none.
 */
typedef long long i64;
typedef unsigned long long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

#define DEVICE __device__ __forceinline__
#define KERNEL extern "C" __global__ void

/* Each of `n` items for some thread of the grid; and each item of a row for its block's. */
#define EACH_ITEM(type, i, n)                                                    \
	for (type i = (type)blockIdx.x * (type)blockDim.x + (type)threadIdx.x; \
	     i < (n); i += (type)gridDim.x * (type)blockDim.x)
#define EACH_ROW(type, row, n) \
	for (type row = (type)blockIdx.x; row < (n); row += (type)gridDim.x)
#define EACH_IN_ROW(type, k, n) \
	for (type k = (type)threadIdx.x; k < (n); k += (type)blockDim.x)

DEVICE float f32_of(u32 bits) { return __uint_as_float(bits); }
DEVICE double f64_of(u64 bits) { return __longlong_as_double((i64)bits); }

/* ---- floats narrower than 32 bits, rounded to nearest even ---- */

/* A double with `ebits` exponent and `mbits` stored mantissa bits. What is too large becomes
 * infinity, or NaN where the format is `finite` (its NaN is all ones). */
DEVICE u32 narrow_of(double d, int ebits, int mbits, bool finite)
{
	u64 u = (u64)__double_as_longlong(d), mag = u & 0x7fffffffffffffffull;
	u32 sign = (u32)(u >> 63) << (ebits + mbits);
	u32 inf = ((1u << ebits) - 1) << mbits;
	u32 nan = finite ? inf | ((1u << mbits) - 1) : inf | 1u << (mbits - 1);
	if (mag > 0x7ff0000000000000ull)
		return sign | nan;
	if (mag == 0x7ff0000000000000ull)
		return sign | (finite ? nan : inf);
	if (mag >> 52 == 0)
		return sign;
	int exponent = (int)(mag >> 52) - 1023 + (1 << (ebits - 1)) - 1, drop = 52 - mbits;
	u64 m = (mag & 0xfffffffffffffull) | 1ull << 52;
	if (exponent <= 0) {
		drop += 1 - exponent;
		exponent = 1;
	}
	if (drop > 54)
		return sign;
	u64 rest = m & ((1ull << drop) - 1), half = 1ull << (drop - 1), kept = m >> drop;
	kept += rest > half || (rest == half && (kept & 1)) ? 1 : 0;
	u64 bits = ((u64)(exponent - 1) << mbits) + kept;
	if (bits > (u64)(finite ? nan : inf) - 1)
		return sign | (finite ? nan : inf);
	return sign | (u32)bits;
}

DEVICE float float_of_narrow(u32 h, int ebits, int mbits, bool finite)
{
	u32 sign = h >> (ebits + mbits) << 31, mag = h & ((1u << (ebits + mbits)) - 1);
	u32 e = mag >> mbits, m = mag & ((1u << mbits) - 1), top = (1u << ebits) - 1;
	int bias = (1 << (ebits - 1)) - 1;
	if (e == top && (!finite || m == (1u << mbits) - 1))
		return f32_of(sign | 0x7f800000u | (!finite && m == 0 ? 0 : 0x400000u));
	if (e != 0)
		return f32_of(sign | (e - bias + 127) << 23 | m << (23 - mbits));
	/* A subnormal is a multiple of the least one, a power of two. */
	float least = f32_of((u32)(1 - bias - mbits + 127) << 23);
	return f32_of(sign | __float_as_uint((float)m * least));
}

/* An integer as a double that rounds the same way further down: where bits fall off, the
 * lowest kept one remembers them. */
DEVICE double odd_of(u64 u)
{
	if (u >> 53 != 0)
		u = (u & ~0x7ffull) | ((u & 0x7ff) != 0 ? 0x800 : 0);
	return (double)u;
}
DEVICE double odd_of(i64 v) { return v < 0 ? -odd_of(0 - (u64)v) : odd_of((u64)v); }

/* get_<type>() widens an element to what formulas work with, put_<type>() rounds. */
#define NARROW(type, bits, ebits, mbits, finite)                                        \
	DEVICE float get_##type(bits h) { return float_of_narrow(h, ebits, mbits, finite); } \
	DEVICE bits put_##type(double v) { return (bits)narrow_of(v, ebits, mbits, finite); } \
	DEVICE bits put_##type(i64 v) { return put_##type(odd_of(v)); }                     \
	DEVICE bits put_##type(u64 v) { return put_##type(odd_of(v)); }

NARROW(f8e4m3fn, u8, 4, 3, true)
DEVICE u8 put_f8e4m3fn(float v) { return put_f8e4m3fn((double)v); }
NARROW(f8e5m2, u8, 5, 2, false)
DEVICE u8 put_f8e5m2(float v) { return put_f8e5m2((double)v); }

#ifdef __CUDA_ARCH__
DEVICE float get_f16(u16 h)
{
	float v;
	asm("cvt.f32.f16 %0, %1;" : "=f"(v) : "h"(h));
	return v;
}
DEVICE u16 put_f16(float v)
{
	u16 h;
	asm("cvt.rn.f16.f32 %0, %1;" : "=h"(h) : "f"(v));
	return h;
}
DEVICE u16 put_f16(double v) { return (u16)narrow_of(v, 5, 10, false); }
DEVICE u16 put_f16(i64 v) { return put_f16(odd_of(v)); }
DEVICE u16 put_f16(u64 v) { return put_f16(odd_of(v)); }
#else /* tests compile this text for the host */
NARROW(f16, u16, 5, 10, false)
DEVICE u16 put_f16(float v) { return put_f16((double)v); }
#endif

DEVICE float get_bf16(u16 h) { return f32_of((u32)h << 16); }
DEVICE u16 put_bf16(float v)
{
	u32 u = __float_as_uint(v);
	if ((u & 0x7fffffffu) > 0x7f800000u)
		return (u16)(u >> 16 | 0x40);
	return (u16)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}
DEVICE u16 put_bf16(double v) { return (u16)narrow_of(v, 8, 7, false); }
DEVICE u16 put_bf16(i64 v) { return put_bf16(odd_of(v)); }
DEVICE u16 put_bf16(u64 v) { return put_bf16(odd_of(v)); }

/* ---- conversions ---- */

/* Towards zero, kept to the range of an integer of `bits`; NaN gives 0. */
DEVICE i64 cut_signed(double v, int bits)
{
	double top = (double)(1ull << (bits - 1));
	if (v != v)
		return 0;
	if (v >= top)
		return (i64)(~0ull >> (65 - bits));
	return v <= -top ? (i64)(~0ull << (bits - 1)) : (i64)v;
}
DEVICE u64 cut_unsigned(double v, int bits)
{
	if (!(v > 0))
		return 0;
	return v >= 2 * (double)(1ull << (bits - 1)) ? ~0ull >> (64 - bits) : (u64)v;
}

/* The element that comes to a place when they lie `by` apart; -1 between two. */
DEVICE i64 apart(i64 at, i64 by) { return at < 0 || at % by != 0 ? -1 : at / by; }

/* An index kept to 0 .. most; 0 where `most` is negative. */
DEVICE i64 kept(i64 v, i64 most)
{
	v = v > most ? most : v;
	return v < 0 ? 0 : v;
}
DEVICE i64 kept(u64 v, i64 most)
{
	return most < 0 ? 0 : v > (u64)most ? most : (i64)v;
}

/* ---- what the formulas of ew.def call ---- */

DEVICE float ew_hi(float a, float b) { return __float_as_uint(a) >> 31 ? b : a; }
DEVICE float ew_lo(float a, float b) { return __float_as_uint(a) >> 31 ? a : b; }
DEVICE double ew_hi(double a, double b) { return __double_as_longlong(a) < 0 ? b : a; }
DEVICE double ew_lo(double a, double b) { return __double_as_longlong(a) < 0 ? a : b; }
DEVICE float ew_clamp(float a, float b, float c)
{
	if (a != a || b != b || c != c)
		return a + b + c;
	float m = b > a ? b : b < a ? a : ew_hi(a, b);
	return m < c ? m : m > c ? c : ew_lo(m, c);
}
DEVICE double ew_clamp(double a, double b, double c)
{
	if (a != a || b != b || c != c)
		return a + b + c;
	double m = b > a ? b : b < a ? a : ew_hi(a, b);
	return m < c ? m : m > c ? c : ew_lo(m, c);
}

DEVICE i64 ew_key(float a)
{
	int u = (int)(__float_as_uint(a) | (a != a ? 0x7fffffffu : 0u));
	return u < 0 ? u ^ 0x7fffffff : u;
}
DEVICE i64 ew_key(double a)
{
	i64 u = __double_as_longlong(a) | (a != a ? 0x7fffffffffffffffll : 0);
	return u < 0 ? u ^ 0x7fffffffffffffffll : u;
}
DEVICE double ew_erf_inv(double a)
{
	double x = fabs(a), y = x * 0.8862269254527580 * (1 + x * x * 0.2617993877991494);
	if (!(x < 1))
		return x > 1 ? f64_of(0x7ff8000000000000ull)
			     : x == 1 ? copysign(f64_of(0x7ff0000000000000ull), a) : a;
	if (x > 0.25) {
		double l = log((1 - x) * (1 + x)), t = 4.330746750799873 + l / 2;
		y = sqrt(sqrt(t * t - l / 0.147) - t);
	}
	for (int i = 0; i < 3 && x > 0; i++) {
		double d = x < 0.5 ? erf(y) - x : (1 - x) - erfc(y);
		d /= 1.1283791670955126 * exp(-y * y);
		y -= d / (1 + y * d);
	}
	return copysign(y, a);
}
DEVICE float ew_erf_inv(float a) { return (float)ew_erf_inv((double)a); }
DEVICE double reduce_precision(double a, double b, double c, int ebits, int mbits)
{
	const double inf = f64_of(0x7ff0000000000000ull);
	double x = fabs(a), size = fabs(b);
	int e = size >= 1 ? (size < ebits ? (int)size : ebits) : 1;
	int m = c >= 0 ? (c < mbits ? (int)c : mbits) : 0;
	int low = 2 - (1 << (e - 1)), least = 2 - (1 << (ebits - 1));
	if (!(x > 0 && x < inf))
		return a;
	int k = ilogb(x);
	k = k < least ? least : k;
	k = b < 0 && k < low ? low : k;
	double by = k > 900 ? 5.421010862427522e-20 : 1; /* 2^-64 */
	x *= by;
	double far = ldexp(by, k + 52 - m);
	x = x < far ? x + far - far : x;
	x /= by;
	if (x >= ldexp(1.0, 1 << (e - 1)))
		x = inf;
	else if (b > 0 && x < ldexp(1.0, low))
		x = 0;
	return copysign(x, a);
}
DEVICE double ew_reduce_precision(double a, double b, double c)
{
	return reduce_precision(a, b, c, 11, 52);
}
DEVICE float ew_reduce_precision(float a, float b, float c)
{
	return (float)reduce_precision(a, b, c, 8, 23);
}

DEVICE u64 ew_low(u64 a, unsigned bits) { return a & (~0ull >> (64 - bits)); }
DEVICE u64 ew_popcnt(u64 a) { return (u64)__popcll(a); }
DEVICE u64 ew_clz(u64 a, unsigned bits) { return (u64)__clzll((i64)a) - (64 - bits); }
DEVICE i64 ew_idiv(i64 a, i64 b) { return b == 0 ? -1 : b == -1 ? (i64)(0 - (u64)a) : a / b; }
DEVICE u64 ew_idiv(u64 a, u64 b) { return b == 0 ? ~0ull : a / b; }
DEVICE i64 ew_irem(i64 a, i64 b) { return b == 0 ? a : b == -1 ? 0 : a % b; }
DEVICE u64 ew_irem(u64 a, u64 b) { return b == 0 ? a : a % b; }
DEVICE u64 ew_ipow(u64 a, u64 b)
{
	u64 y = 1;
	for (; b != 0; b >>= 1, a *= a)
		if (b & 1)
			y *= a;
	return y;
}
DEVICE i64 ew_ipow(i64 a, i64 b)
{
	if (b < 0)
		return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : a == 0 ? -1 : 0;
	return (i64)ew_ipow((u64)a, (u64)b);
}
DEVICE i64 ew_shr(i64 a, i64 b, unsigned bits) { return a >> ((u64)b >= bits ? 63 : b); }
DEVICE u64 ew_shr(u64 a, u64 b, unsigned bits)
{
	i64 s = (i64)(a << (64 - bits));
	return (u64)(s >> (64 - bits) >> (b >= bits ? 63 : b));
}
DEVICE i64 ew_isign(i64 a) { return (a > 0) - (a < 0); }
DEVICE u64 ew_isign(u64 a) { return a != 0; }
DEVICE i64 ew_iabs(i64 a) { return a < 0 ? (i64)(0 - (u64)a) : a; }
DEVICE u64 ew_iabs(u64 a) { return a; }
