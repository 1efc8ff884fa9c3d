/* prelude.cuh */

DEVICE u64 get_bool(unsigned char e) { return e != 0; }
DEVICE unsigned char put_bool(u64 v) { return (unsigned char)(v & 1); }
#define U u64
#define T float
#define F(name) name##f
#define K(x) ((float)(x))
DEVICE T op_add(T a, T b) { return a + b; }
DEVICE T op_mul(T a, T b) { return a * b; }
DEVICE T op_silu(T a) { return a / (K(1) + F(exp)(-a)); }
DEVICE T op_gelu(T a) { return K(0.5) * a * (K(1) + F(erf)(a * K(0.70710678118654752440))); }
#undef T
#undef W
#undef F
#undef K
#undef U

KERNEL __launch_bounds__(256) k0_convert(const unsigned short *p0, float *p1)
{
	typedef int idx;
	EACH_ITEM(idx, i, 24) {
		idx o = i;
		const idx o1 = o % 6;
		o /= 6;
		const idx o0 = o;
		const float v0 = get_f16(p0[o0 + o1 * 4]);
		const float v1 = (float)v0;
		p1[i] = v1;
	}
}

KERNEL __launch_bounds__(256) k1_convert(const float *p0, const float *p1, const float *p2, const unsigned char *p3, unsigned short *p4)
{
	typedef int idx;
	EACH_ITEM(idx, i, 24) {
		idx o = i;
		const idx o1 = o % 6;
		o /= 6;
		const idx o0 = o;
		const float v0 = p0[i];
		const float v1 = p1[o1];
		const float v2 = op_mul(v0, v1);
		const float v3 = p2[i];
		const float v4 = op_add(v2, v3);
		const float v5 = op_gelu(v4);
		const float v6 = f32_of(0x3f000000u);
		const float v7 = op_mul(v5, v6);
		const u64 v8 = get_bool(p3[i]);
		const float v9 = v8 ? v7 : v0;
		const float v10 = get_f16(put_f16(v9));
		p4[i] = put_f16(v10);
	}
}

KERNEL __launch_bounds__(256) k2_silu(const float *p0, float *p1)
{
	typedef int idx;
	EACH_ITEM(idx, i, 24) {
		const float v0 = p0[i];
		const float v1 = op_silu(v0);
		p1[i] = v1;
	}
}
