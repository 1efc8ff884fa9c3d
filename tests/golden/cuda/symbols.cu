/* prelude.cuh */
/* row.cuh */

DEVICE i64 get_i32(int e) { return e; }
DEVICE int put_i32(i64 v) { return (int)v; }
DEVICE u64 get_u32(unsigned int e) { return e; }
DEVICE unsigned int put_u32(u64 v) { return (unsigned int)v; }
#define U u64
#define T float
#define F(name) name##f
#define K(x) ((float)(x))
DEVICE T op_add(T a, T b) { return a + b; }
DEVICE T op_max(T a, T b) { return a > b || a != a ? a : (a < b || b != b ? b : ew_hi(a, b)); }
#undef T
#undef W
#undef F
#undef K
#undef U

KERNEL __launch_bounds__(32) k0_reduce(const float *p0, float *p1, i64 z0)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	EACH_ROW(idx, row, s0) {
		float total = f32_of(0x00000000u);
		EACH_IN_ROW(idx, k, 6) {
			const float v0 = p0[row * 6 + k];
			total = op_add(total, v0);
		}
		total = block_total(total, [](float a, float b) { return op_add(a, b); });
		if (threadIdx.x == 0) {
			const float v1 = total;
			p1[row] = v1;
		}
	}
}

KERNEL __launch_bounds__(32) k1_softmax(const float *p0, const float *p1, float *p2, i64 z0, i64 z1)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	const idx s1 = (idx)z1;
	EACH_ROW(idx, row, s0) {
		float top = -f32_of(0x7f800000u);
		EACH_IN_ROW(idx, k, s1) {
			const float v0 = p0[row];
			const float v1 = p1[row + k * s0];
			const float v2 = op_add(v0, v1);
			top = op_max(top, v2);
		}
		top = block_total(top, [](float a, float b) { return op_max(a, b); });
		float sum = 0;
		EACH_IN_ROW(idx, k, s1) {
			const float v3 = p0[row];
			const float v4 = p1[row + k * s0];
			const float v5 = op_add(v3, v4);
			sum += exp_of(v5 - top);
		}
		sum = block_total(sum, [](float a, float b) { return a + b; });
		EACH_IN_ROW(idx, k, s1) {
			const float v6 = p0[row];
			const float v7 = p1[row + k * s0];
			const float v8 = op_add(v6, v7);
			const float v9 = exp_of(v8 - top) / sum;
			p2[row * s1 + k] = v9;
		}
	}
}

KERNEL __launch_bounds__(32) k2_rms_norm(const float *p0, const float *p1, float *p2, i64 z0)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	EACH_ROW(idx, row, s0) {
		float square = 0;
		EACH_IN_ROW(idx, k, 6) {
			const float v0 = p0[row * 6 + k];
			const float far = v0;
			square += far * far;
		}
		square = block_total(square, [](float a, float b) { return a + b; });
		const float root = sqrt_of(square / (float)6 + (float)f64_of(0x3f50624dd2f1a9fcull));
		EACH_IN_ROW(idx, k, 6) {
			const float v1 = p0[row * 6 + k];
			const float v2 = p1[k];
			const float v3 = (v1) / root * v2;
			p2[row * 6 + k] = v3;
		}
	}
}

KERNEL __launch_bounds__(32) k3_reduce(const float *p0, float *p1, i64 z0, i64 z1)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	const idx s1 = (idx)z1;
	EACH_ROW(idx, row, s0) {
		float total = f32_of(0xff800000u);
		EACH_IN_ROW(idx, k, s1) {
			const float v0 = p0[row + k * s0];
			total = op_max(total, v0);
		}
		total = block_total(total, [](float a, float b) { return op_max(a, b); });
		if (threadIdx.x == 0) {
			const float v1 = total;
			p1[row] = v1;
		}
	}
}

KERNEL __launch_bounds__(256) k4_take(const int *p0, const unsigned int *p1, unsigned int *p2, i64 z0, i64 z1)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	const idx s1 = (idx)z1;
	EACH_ITEM(idx, i, s0) {
		idx o = i;
		const idx o1 = o % 6;
		o /= 6;
		const idx o0 = o;
		const i64 which = get_i32(p0[o0]);
		const idx at = (idx)kept(which, s1 - 1);
		const u64 v0 = s1 == 0 ? 0 : get_u32(p1[at * 6 + o1]);
		p2[i] = put_u32(v0);
	}
}

KERNEL __launch_bounds__(256) k5_concat(const unsigned int *p0, unsigned int *p1, i64 z0)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	EACH_ITEM(idx, i, s0) {
		idx o = i;
		const idx o1 = o % 6;
		o /= 6;
		const idx o0 = o;
		const u64 v0 = get_u32(p0[i]);
		p1[o0 * 12 + o1] = put_u32(v0);
	}
}

KERNEL __launch_bounds__(256) k6_concat(const unsigned int *p0, unsigned int *p1, i64 z0)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	EACH_ITEM(idx, i, s0) {
		idx o = i;
		const idx o1 = o % 6;
		o /= 6;
		const idx o0 = o;
		const u64 v0 = get_u32(p0[i]);
		p1[6 + o0 * 12 + o1] = put_u32(v0);
	}
}

KERNEL __launch_bounds__(256) k7_iota(long long *p0, i64 z0, i64 z1)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	const idx s1 = (idx)z1;
	EACH_ITEM(idx, i, s0) {
		idx o = i;
		const idx o1 = o % s1;
		o /= s1;
		const idx o0 = o;
		const i64 v0 = (i64)(i64)o1;
		p0[i] = v0;
	}
}

KERNEL __launch_bounds__(256) k8_extent(int *p0, i64 z0)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	EACH_ITEM(idx, i, 1) {
		const i64 v0 = get_i32(put_i32((i64)(i64)s0));
		p0[0] = put_i32(v0);
	}
}

KERNEL __launch_bounds__(256) k9_reshape(const unsigned int *p0, unsigned int *p1, i64 z0)
{
	typedef int idx;
	const idx s0 = (idx)z0;
	EACH_ITEM(idx, i, s0) {
		p1[i] = p0[i];
	}
}
