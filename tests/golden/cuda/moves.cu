/* prelude.cuh */

DEVICE i64 get_i32(int e) { return e; }
DEVICE int put_i32(i64 v) { return (int)v; }
DEVICE u64 get_u8(unsigned char e) { return e; }
DEVICE unsigned char put_u8(u64 v) { return (unsigned char)v; }
DEVICE u64 get_u16(unsigned short e) { return e; }
DEVICE unsigned short put_u16(u64 v) { return (unsigned short)v; }
DEVICE u64 get_u32(unsigned int e) { return e; }
DEVICE unsigned int put_u32(u64 v) { return (unsigned int)v; }
#define U u64
#define W i64
#define K(x) (x)
DEVICE W op_add(W a, W b, unsigned BITS) { return (W)((U)a + (U)b); }
#undef T
#undef W
#undef F
#undef K
#undef U

KERNEL __launch_bounds__(256) k0_dynamic_slice(const int *p0, const int *p1, const unsigned short *p2, unsigned short *p3)
{
	typedef int idx;
	EACH_ITEM(idx, i, 6) {
		idx o = i;
		const idx o1 = o % 2;
		o /= 2;
		const idx o0 = o;
		const i64 v0 = get_i32(p0[0]);
		const idx b0 = (idx)kept(v0, 8 - 3);
		const i64 v1 = get_i32(p1[0]);
		const idx b1 = (idx)kept(v1, 4 - 2);
		const u64 v2 = get_u16(p2[(o0 + b0) * 4 + (o1 + b1)]);
		p3[i] = put_u16(v2);
	}
}

KERNEL __launch_bounds__(256) k1_dynamic_update_slice(const int *p0, const int *p1, const unsigned short *p2, unsigned short *p3)
{
	typedef int idx;
	EACH_ITEM(idx, i, 4) {
		idx o = i;
		const idx o1 = o % 4;
		o /= 4;
		const idx o0 = o;
		const i64 v0 = get_i32(p0[0]);
		const idx b0 = (idx)kept(v0, 8 - 1);
		const i64 v1 = get_i32(p1[0]);
		const idx b1 = (idx)kept(v1, 4 - 4);
		const u64 v2 = get_u16(p2[i]);
		p3[(o0 + b0) * 4 + (o1 + b1)] = put_u16(v2);
	}
}

KERNEL __launch_bounds__(256) k2_pad(const unsigned int *p0, const unsigned int *p1, unsigned int *p2)
{
	typedef int idx;
	EACH_ITEM(idx, i, 36) {
		idx o = i;
		const idx o2 = o % 3;
		o /= 3;
		const idx o1 = o % 4;
		o /= 4;
		const idx o0 = o;
		bool inside = true;
		inside = inside && (o0 - 1) >= 0 && (o0 - 1) < 2;
		inside = inside && (o1 - -1) >= 0 && (o1 - -1) < 3;
		inside = inside && (o2 - 0) >= 0 && (o2 - 0) < 4;
		const u64 v0 = get_u32(p1[0]);
		const u64 v1 = inside ? get_u32(p0[(o0 - 1) * 12 + (o1 - -1) * 4 + (o2 - 0)]) : v0;
		p2[i] = put_u32(v1);
	}
}

KERNEL __launch_bounds__(256) k3_take(const unsigned char *p0, const unsigned int *p1, unsigned int *p2)
{
	typedef int idx;
	EACH_ITEM(idx, i, 32) {
		idx o = i;
		const idx o3 = o % 4;
		o /= 4;
		const idx o2 = o % 2;
		o /= 2;
		const idx o1 = o % 2;
		o /= 2;
		const idx o0 = o;
		const u64 which = get_u8(p0[o1 * 2 + o2]);
		const idx at = (idx)kept(which, 3 - 1);
		const u64 v0 = get_u32(p1[o0 * 12 + at * 4 + o3]);
		p2[i] = put_u32(v0);
	}
}

KERNEL __launch_bounds__(256) k4_concat(const unsigned int *p0, unsigned int *p1)
{
	typedef int idx;
	EACH_ITEM(idx, i, 24) {
		idx o = i;
		const idx o1 = o % 12;
		o /= 12;
		const idx o0 = o;
		const u64 v0 = get_u32(p0[i]);
		p1[o0 * 36 + o1] = put_u32(v0);
	}
}

KERNEL __launch_bounds__(256) k5_concat(const unsigned int *p0, unsigned int *p1)
{
	typedef int idx;
	EACH_ITEM(idx, i, 24) {
		idx o = i;
		const idx o1 = o % 12;
		o /= 12;
		const idx o0 = o;
		const u64 v0 = get_u32(p0[i]);
		p1[12 + o0 * 36 + o1] = put_u32(v0);
	}
}

KERNEL __launch_bounds__(256) k6_concat(const unsigned int *p0, unsigned int *p1)
{
	typedef int idx;
	EACH_ITEM(idx, i, 24) {
		idx o = i;
		const idx o1 = o % 12;
		o /= 12;
		const idx o0 = o;
		const u64 v0 = get_u32(p0[i]);
		p1[24 + o0 * 36 + o1] = put_u32(v0);
	}
}

KERNEL __launch_bounds__(256) k7_add(const long long *p0, long long *p1)
{
	typedef int idx;
	EACH_ITEM(idx, i, 1) {
		const i64 v0 = p0[0];
		const i64 v1 = (i64)0x1ull;
		const i64 v2 = op_add(v0, v1, 64);
		p1[0] = v2;
	}
}

KERNEL __launch_bounds__(256) k8_dynamic_update_slice(const int *p0, const int *p1, const unsigned int *p2, unsigned int *p3)
{
	typedef int idx;
	EACH_ITEM(idx, i, 24) {
		idx o = i;
		const idx o2 = o % 4;
		o /= 4;
		const idx o1 = o % 3;
		o /= 3;
		const idx o0 = o;
		const i64 v0 = get_i32(p0[0]);
		const idx b0 = (idx)kept(v0, 2 - 2);
		const i64 v1 = get_i32(p0[0]);
		const idx b1 = (idx)kept(v1, 3 - 3);
		const i64 v2 = get_i32(p1[0]);
		const idx b2 = (idx)kept(v2, 4 - 4);
		bool inside = true;
		inside = inside && (o0 - b0) >= 0 && (o0 - b0) < 2;
		inside = inside && (o1 - b1) >= 0 && (o1 - b1) < 3;
		inside = inside && (o2 - b2) >= 0 && (o2 - b2) < 4;
		const u64 v3 = inside ? get_u32(p2[(o0 - b0) * 12 + (o1 - b1) * 4 + (o2 - b2)]) : get_u32(p2[o0 * 12 + o1 * 4 + o2]);
		p3[i] = put_u32(v3);
	}
}

KERNEL __launch_bounds__(256) k9_slice(const unsigned int *p0, unsigned int *p1)
{
	typedef int idx;
	EACH_ITEM(idx, i, 8) {
		idx o = i;
		const idx o2 = o % 2;
		o /= 2;
		const idx o1 = o % 2;
		o /= 2;
		const idx o0 = o;
		p1[i] = p0[19 + o0 * -12 + o1 * 4 + o2 * -2];
	}
}

KERNEL __launch_bounds__(256) k10_reshape(const unsigned int *p0, unsigned int *p1)
{
	typedef int idx;
	EACH_ITEM(idx, i, 8) {
		p1[i] = p0[i];
	}
}
