/* prelude.cuh */

DEVICE i64 get_i8(signed char e) { return e; }
DEVICE signed char put_i8(i64 v) { return (signed char)v; }
#define U u64
#define T float
#define F(name) name##f
#define K(x) ((float)(x))
DEVICE T op_add(T a, T b) { return a + b; }
DEVICE T op_relu(T a) { return a < 0 ? K(0) : a; }
#undef T
#undef W
#undef F
#undef K
#define W i64
#define K(x) (x)
DEVICE W op_neg(W a, unsigned BITS) { return (W)(0 - (U)a); }
#undef T
#undef W
#undef F
#undef K
#undef U

KERNEL __launch_bounds__(256) k0_relu(const float *p0, const float *p1, float *p2, i64 z0)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	EACH_ITEM(idx, i, s0) {
		idx o = i;
		const idx o1 = o % 16;
		o /= 16;
		const idx o0 = o;
		const float v0 = p0[i];
		const float v1 = p1[o1];
		const float v2 = op_add(v0, v1);
		const float v3 = op_relu(v2);
		p2[i] = v3;
	}
}

KERNEL __launch_bounds__(256) k1_convert(const unsigned short *p0, float *p1)
{
	typedef int idx;
	EACH_ITEM(idx, i, 210) {
		const float v0 = get_f16(p0[i]);
		const float v1 = (float)v0;
		p1[i] = v1;
	}
}

KERNEL __launch_bounds__(256) k2_dot(const signed char *p0, const signed char *p1, signed char *p2)
{
	typedef int idx;
	EACH_ITEM(idx, i, 12) {
		idx o = i;
		const idx o1 = o % 3;
		o /= 3;
		const idx o0 = o;
		u64 total = 0;
		for (idx k0 = 0; k0 < 5; k0++) {
			const i64 a = get_i8(p0[o0 * 5 + k0]);
			const i64 b = get_i8(p1[k0 * 3 + o1]);
			total += (u64)a * (u64)b;
		}
		const i64 v0 = get_i8(put_i8((i64)total));
		const i64 v1 = get_i8(put_i8(op_neg(v0, 8)));
		p2[i] = put_i8(v1);
	}
}

KERNEL __launch_bounds__(256) k3_dot(const unsigned char *p0, unsigned char *p1)
{
	typedef int idx;
	EACH_ITEM(idx, i, 16) {
		idx o = i;
		const idx o1 = o % 4;
		o /= 4;
		const idx o0 = o;
		float total = 0;
		for (idx k0 = 0; k0 < 4; k0++) {
			const float a = get_f8e4m3fn(p0[o0 * 4 + k0]);
			const float b = get_f8e4m3fn(p0[o1 * 4 + k0]);
			total += a * b;
		}
		const float v0 = get_f8e4m3fn(put_f8e4m3fn((float)total));
		p1[i] = put_f8e4m3fn(v0);
	}
}
