/* prelude.cuh */

DEVICE i64 get_i16(short e) { return e; }
DEVICE short put_i16(i64 v) { return (short)v; }
#define U u64
#define T float
#define F(name) name##f
#define K(x) ((float)(x))
DEVICE T op_add(T a, T b) { return a + b; }
DEVICE T op_max(T a, T b) { return a > b || a != a ? a : (a < b || b != b ? b : ew_hi(a, b)); }
DEVICE T op_relu(T a) { return a < 0 ? K(0) : a; }
#undef T
#undef W
#undef F
#undef K
#define W i64
#define K(x) (x)
DEVICE W op_min(W a, W b, unsigned BITS) { return a < b ? a : b; }
#undef T
#undef W
#undef F
#undef K
#undef U

KERNEL __launch_bounds__(256) k0_conv(const float *p0, const float *p1, const float *p2, float *p3, i64 z0)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	EACH_ITEM(idx, i, s0) {
		idx o = i;
		const idx o3 = o % 5;
		o /= 5;
		const idx o2 = o % 5;
		o /= 5;
		const idx o1 = o % 6;
		o /= 6;
		const idx o0 = o;
		float total = 0;
		for (idx w1 = 0; w1 < 2; w1++) {
			const idx x1 = o1 / 3 * 2 + w1;
			for (idx w2 = 0; w2 < 3; w2++) {
				const idx x2 = o2 * 2 - (1) + w2 * 1;
				if (x2 < 0 || x2 >= 9)
					continue;
				for (idx w3 = 0; w3 < 3; w3++) {
					const idx x3 = o3 * 1 - (1) + w3 * 2;
					if (x3 < 0 || x3 >= 8)
						continue;
					const float a = p0[o0 * 288 + x1 * 72 + x2 * 8 + x3];
					const float b = p1[o1 * 18 + w1 * 9 + w2 * 3 + w3];
					total += a * b;
				}
			}
		}
		const float v0 = (float)total;
		const float v1 = p2[o1];
		const float v2 = op_add(v0, v1);
		const float v3 = op_relu(v2);
		p3[i] = v3;
	}
}

KERNEL __launch_bounds__(256) k1_reduce_window(const float *p0, float *p1, i64 z0, i64 z1)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	const idx s1 = (idx)z1;
	EACH_ITEM(idx, i, s0) {
		idx o = i;
		const idx o3 = o % 2;
		o /= 2;
		const idx o2 = o % 2;
		o /= 2;
		const idx o1 = o % 6;
		o /= 6;
		const idx o0 = o;
		float total = f32_of(0xff800000u);
		for (idx w0 = 0; w0 < 1; w0++) {
			const idx x0 = o0 * 1 - (0) + w0 * 1;
			if (x0 < 0 || x0 >= s1)
				continue;
			for (idx w1 = 0; w1 < 1; w1++) {
				const idx x1 = o1 * 1 - (0) + w1 * 1;
				if (x1 < 0 || x1 >= 6)
					continue;
				for (idx w2 = 0; w2 < 2; w2++) {
					const idx x2 = o2 * 2 - (0) + w2 * 1;
					if (x2 < 0 || x2 >= 5)
						continue;
					for (idx w3 = 0; w3 < 2; w3++) {
						const idx x3 = o3 * 2 - (0) + w3 * 1;
						if (x3 < 0 || x3 >= 5)
							continue;
						const float a = p0[x0 * 150 + x1 * 25 + x2 * 5 + x3];
						total = op_max(total, a);
					}
				}
			}
		}
		const float v0 = (float)total;
		p1[i] = v0;
	}
}

KERNEL __launch_bounds__(256) k2_reduce_window(const float *p0, float *p1, i64 z0, i64 z1)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	const idx s1 = (idx)z1;
	EACH_ITEM(idx, i, s0) {
		idx o = i;
		const idx o3 = o % 8;
		o /= 8;
		const idx o2 = o % 9;
		o /= 9;
		const idx o1 = o % 4;
		o /= 4;
		const idx o0 = o;
		float total = f32_of(0x00000000u);
		for (idx w0 = 0; w0 < 1; w0++) {
			const idx x0 = o0 * 1 - (0) + w0 * 1;
			if (x0 < 0 || x0 >= s1)
				continue;
			for (idx w1 = 0; w1 < 1; w1++) {
				const idx x1 = o1 * 1 - (0) + w1 * 1;
				if (x1 < 0 || x1 >= 4)
					continue;
				for (idx w2 = 0; w2 < 3; w2++) {
					const idx x2 = o2 * 1 - (1) + w2 * 1;
					if (x2 < 0 || x2 >= 9)
						continue;
					for (idx w3 = 0; w3 < 3; w3++) {
						const idx x3 = o3 * 1 - (1) + w3 * 1;
						if (x3 < 0 || x3 >= 8)
							continue;
						const float a = p0[x0 * 288 + x1 * 72 + x2 * 8 + x3];
						total = op_add(total, a);
					}
				}
			}
		}
		const float v0 = (float)total;
		p1[i] = v0;
	}
}

KERNEL __launch_bounds__(256) k3_conv(const unsigned short *p0, const unsigned short *p1, unsigned short *p2)
{
	typedef int idx;
	EACH_ITEM(idx, i, 54) {
		idx o = i;
		const idx o2 = o % 9;
		o /= 9;
		const idx o1 = o % 3;
		o /= 3;
		const idx o0 = o;
		float total = 0;
		for (idx w1 = 0; w1 < 1; w1++) {
			const idx x1 = o1 / 1 * 1 + w1;
			for (idx w2 = 0; w2 < 4; w2++) {
				const idx x2 = o2 * 1 - (-1) + w2 * 1;
				if (x2 < 0 || x2 >= 11)
					continue;
				const float a = get_f16(p0[o0 * 33 + x1 * 11 + x2]);
				const float b = get_f16(p1[o1 * 4 + w2]);
				total += a * b;
			}
		}
		const float v0 = get_f16(put_f16((float)total));
		p2[i] = put_f16(v0);
	}
}

KERNEL __launch_bounds__(256) k4_conv(const short *p0, const short *p1, short *p2)
{
	typedef int idx;
	EACH_ITEM(idx, i, 54) {
		idx o = i;
		const idx o4 = o % 3;
		o /= 3;
		const idx o3 = o % 3;
		o /= 3;
		const idx o2 = o % 3;
		o /= 3;
		const idx o1 = o % 2;
		o /= 2;
		const idx o0 = o;
		u64 total = 0;
		for (idx w1 = 0; w1 < 2; w1++) {
			const idx x1 = o1 / 2 * 2 + w1;
			for (idx w2 = 0; w2 < 2; w2++) {
				const idx x2 = o2 * 1 - (0) + w2 * 1;
				if (x2 < 0 || x2 >= 4)
					continue;
				for (idx w3 = 0; w3 < 2; w3++) {
					const idx x3 = o3 * 1 - (0) + w3 * 1;
					if (x3 < 0 || x3 >= 4)
						continue;
					for (idx w4 = 0; w4 < 2; w4++) {
						const idx x4 = o4 * 1 - (0) + w4 * 1;
						if (x4 < 0 || x4 >= 4)
							continue;
						const i64 a = get_i16(p0[x1 * 64 + x2 * 16 + x3 * 4 + x4]);
						const i64 b = get_i16(p1[o1 * 16 + w1 * 8 + w2 * 4 + w3 * 2 + w4]);
						total += (u64)a * (u64)b;
					}
				}
			}
		}
		const i64 v0 = get_i16(put_i16((i64)total));
		p2[i] = put_i16(v0);
	}
}

KERNEL __launch_bounds__(256) k5_reduce_window(const short *p0, short *p1)
{
	typedef int idx;
	EACH_ITEM(idx, i, 24) {
		idx o = i;
		const idx o4 = o % 3;
		o /= 3;
		const idx o3 = o % 2;
		o /= 2;
		const idx o2 = o % 4;
		o /= 4;
		const idx o1 = o % 1;
		o /= 1;
		const idx o0 = o;
		i64 total = (i64)0x7fffull;
		for (idx w0 = 0; w0 < 1; w0++) {
			const idx x0 = o0 * 1 - (0) + w0 * 1;
			if (x0 < 0 || x0 >= 1)
				continue;
			for (idx w1 = 0; w1 < 2; w1++) {
				const idx x1 = o1 * 1 - (0) + w1 * 1;
				if (x1 < 0 || x1 >= 2)
					continue;
				for (idx w2 = 0; w2 < 1; w2++) {
					const idx x2 = o2 * 1 - (0) + w2 * 1;
					if (x2 < 0 || x2 >= 4)
						continue;
					for (idx w3 = 0; w3 < 2; w3++) {
						const idx x3 = o3 * 1 - (0) + w3 * 2;
						if (x3 < 0 || x3 >= 4)
							continue;
						for (idx w4 = 0; w4 < 2; w4++) {
							const idx x4 = o4 * 1 - (0) + w4 * 1;
							if (x4 < 0 || x4 >= 4)
								continue;
							const i64 a = get_i16(p0[x1 * 64 + x2 * 16 + x3 * 4 + x4]);
							total = op_min(total, a, 16);
						}
					}
				}
			}
		}
		const i64 v0 = get_i16(put_i16((i64)total));
		p1[i] = put_i16(v0);
	}
}
