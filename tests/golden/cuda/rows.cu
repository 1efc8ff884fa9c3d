/* prelude.cuh */
/* row.cuh */

DEVICE u64 get_bool(unsigned char e) { return e != 0; }
DEVICE unsigned char put_bool(u64 v) { return (unsigned char)(v & 1); }
DEVICE i64 get_i8(signed char e) { return e; }
DEVICE signed char put_i8(i64 v) { return (signed char)v; }
DEVICE i64 get_i32(int e) { return e; }
DEVICE int put_i32(i64 v) { return (int)v; }
#define U u64
#define T float
#define F(name) name##f
#define K(x) ((float)(x))
DEVICE T op_add(T a, T b) { return a + b; }
DEVICE T op_sub(T a, T b) { return a - b; }
DEVICE T op_mul(T a, T b) { return a * b; }
DEVICE T op_max(T a, T b) { return a > b || a != a ? a : (a < b || b != b ? b : ew_hi(a, b)); }
DEVICE T op_neg(T a) { return -a; }
DEVICE T op_abs(T a) { return F(fabs)(a); }
DEVICE T op_exp(T a) { return F(exp)(a); }
DEVICE T op_sqrt(T a) { return F(sqrt)(a); }
#undef T
#undef W
#undef F
#undef K
#define T double
#define F(name) name
#define K(x) ((double)(x))
DEVICE T op_max(T a, T b) { return a > b || a != a ? a : (a < b || b != b ? b : ew_hi(a, b)); }
#undef T
#undef W
#undef F
#undef K
#define W i64
#define K(x) (x)
DEVICE W op_mul(W a, W b, unsigned BITS) { return (W)((U)a * (U)b); }
DEVICE W op_min(W a, W b, unsigned BITS) { return a < b ? a : b; }
DEVICE u64 op_lt(W a, W b, unsigned BITS) { return (a < b) != 0; }
#undef T
#undef W
#undef F
#undef K
#define W u64
#define K(x) (x)
DEVICE W op_or(W a, W b, unsigned BITS) { return a | b; }
#undef T
#undef W
#undef F
#undef K
#undef U

KERNEL __launch_bounds__(128) k0_softmax(const float *p0, const float *p1, float *p2)
{
	typedef int idx;
	EACH_ROW(idx, row, 15) {
		float top = -f32_of(0x7f800000u);
		EACH_IN_ROW(idx, k, 70) {
			const float v0 = p0[row * 70 + k];
			const float v1 = p1[k];
			const float v2 = op_mul(v0, v1);
			top = op_max(top, v2);
		}
		top = block_total(top, [](float a, float b) { return op_max(a, b); });
		float sum = 0;
		EACH_IN_ROW(idx, k, 70) {
			const float v3 = p0[row * 70 + k];
			const float v4 = p1[k];
			const float v5 = op_mul(v3, v4);
			sum += exp_of(v5 - top);
		}
		sum = block_total(sum, [](float a, float b) { return a + b; });
		EACH_IN_ROW(idx, k, 70) {
			const float v6 = p0[row * 70 + k];
			const float v7 = p1[k];
			const float v8 = op_mul(v6, v7);
			const float v9 = exp_of(v8 - top) / sum;
			const float v10 = op_add(v9, v6);
			p2[row * 70 + k] = v10;
		}
	}
}

KERNEL __launch_bounds__(256) k1_reduce(const float *p0, float *p1)
{
	typedef int idx;
	EACH_ROW(idx, row, 5) {
		float total = f32_of(0x00000000u);
		EACH_IN_ROW(idx, k, 210) {
			idx c = k;
			const idx c1 = c % 70;
			c /= 70;
			const idx c0 = c;
			const float v0 = p0[row * 70 + c0 * 350 + c1];
			const float v1 = op_abs(v0);
			total = op_add(total, v1);
		}
		total = block_total(total, [](float a, float b) { return op_add(a, b); });
		if (threadIdx.x == 0) {
			const float v2 = total;
			const float v3 = op_sqrt(v2);
			p1[row] = v3;
		}
	}
}

KERNEL __launch_bounds__(256) k2_reduce(const unsigned short *p0, unsigned short *p1)
{
	typedef int idx;
	EACH_ROW(idx, row, 6) {
		float total = f32_of(0xff800000u);
		EACH_IN_ROW(idx, k, 300) {
			const float v0 = get_bf16(p0[row * 300 + k]);
			total = op_max(total, v0);
		}
		total = block_total(total, [](float a, float b) { return op_max(a, b); });
		if (threadIdx.x == 0) {
			const float v1 = get_bf16(put_bf16(total));
			p1[row] = put_bf16(v1);
		}
	}
}

KERNEL __launch_bounds__(256) k3_layer_norm(const unsigned short *p0, unsigned short *p1)
{
	typedef int idx;
	EACH_ROW(idx, row, 6) {
		float mean = 0;
		EACH_IN_ROW(idx, k, 300) {
			const float v0 = get_bf16(p0[row * 300 + k]);
			mean += v0;
		}
		mean = block_total(mean, [](float a, float b) { return a + b; });
		mean /= (float)300;
		float square = 0;
		EACH_IN_ROW(idx, k, 300) {
			const float v1 = get_bf16(p0[row * 300 + k]);
			const float far = v1 - mean;
			square += far * far;
		}
		square = block_total(square, [](float a, float b) { return a + b; });
		const float root = sqrt_of(square / (float)300 + (float)f64_of(0x3f847ae147ae147bull));
		EACH_IN_ROW(idx, k, 300) {
			const float v2 = get_bf16(p0[row * 300 + k]);
			const float v3 = get_bf16(put_bf16((v2 - mean) / root));
			const float v4 = get_bf16(put_bf16(op_neg(v3)));
			p1[row * 300 + k] = put_bf16(v4);
		}
	}
}

KERNEL __launch_bounds__(32) k4_argmax(const signed char *p0, int *p1)
{
	typedef int idx;
	EACH_ROW(idx, row, 4) {
		best<i64> found = {0, -1};
		EACH_IN_ROW(idx, k, 9) {
			const i64 v0 = get_i8(p0[row * 9 + k]);
			found = better<false>(found, best<i64>{v0, (i64)k});
		}
		found = block_total(found, [](best<i64> a, best<i64> b) {
			return better<false>(a, b);
		});
		const i64 total = found.at;
		if (threadIdx.x == 0) {
			const i64 v1 = get_i32(put_i32(total));
			p1[row] = put_i32(v1);
		}
	}
}

KERNEL __launch_bounds__(32) k5_reduce(const signed char *p0, signed char *p1)
{
	typedef int idx;
	EACH_ROW(idx, row, 9) {
		i64 total = (i64)0x1ull;
		EACH_IN_ROW(idx, k, 4) {
			const i64 v0 = get_i8(p0[row + k * 9]);
			total = op_mul(total, v0, 8);
		}
		total = block_total(total, [](i64 a, i64 b) { return op_mul(a, b, 8); });
		if (threadIdx.x == 0) {
			const i64 v1 = get_i8(put_i8(total));
			p1[row] = put_i8(v1);
		}
	}
}

KERNEL __launch_bounds__(64) k6_reduce(const signed char *p0, signed char *p1)
{
	typedef int idx;
	EACH_ROW(idx, row, 1) {
		i64 total = (i64)0x7full;
		EACH_IN_ROW(idx, k, 36) {
			const i64 v0 = get_i8(p0[k]);
			total = op_min(total, v0, 8);
		}
		total = block_total(total, [](i64 a, i64 b) { return op_min(a, b, 8); });
		if (threadIdx.x == 0) {
			const i64 v1 = get_i8(put_i8(total));
			p1[0] = put_i8(v1);
		}
	}
}

KERNEL __launch_bounds__(32) k7_softmax(const double *p0, double *p1)
{
	typedef int idx;
	EACH_ROW(idx, row, 3) {
		double top = -f64_of(0x7ff0000000000000ull);
		EACH_IN_ROW(idx, k, 2) {
			const double v0 = p0[row + k * 3];
			top = op_max(top, v0);
		}
		top = block_total(top, [](double a, double b) { return op_max(a, b); });
		double sum = 0;
		EACH_IN_ROW(idx, k, 2) {
			const double v1 = p0[row + k * 3];
			sum += exp_of(v1 - top);
		}
		sum = block_total(sum, [](double a, double b) { return a + b; });
		EACH_IN_ROW(idx, k, 2) {
			const double v2 = p0[row + k * 3];
			const double v3 = exp_of(v2 - top) / sum;
			p1[row * 2 + k] = v3;
		}
	}
}

KERNEL __launch_bounds__(256) k8_transpose(const unsigned long long *p0, unsigned long long *p1)
{
	typedef int idx;
	EACH_ITEM(idx, i, 6) {
		idx o = i;
		const idx o1 = o % 3;
		o /= 3;
		const idx o0 = o;
		p1[i] = p0[o0 + o1 * 2];
	}
}

KERNEL __launch_bounds__(128) k9_reduce(const float *p0, float *p1)
{
	typedef int idx;
	EACH_ROW(idx, row, 15) {
		float total = f32_of(0x00000000u);
		EACH_IN_ROW(idx, k, 70) {
			const float v0 = p0[row * 70 + k];
			total = op_add(total, v0);
		}
		total = block_total(total, [](float a, float b) { return op_add(a, b); });
		if (threadIdx.x == 0) {
			const float v1 = total;
			p1[row] = v1;
		}
	}
}

KERNEL __launch_bounds__(256) k10_convert(const float *p0, const float *p1, unsigned short *p2)
{
	typedef int idx;
	EACH_ITEM(idx, i, 15) {
		const float v0 = p0[i];
		const float v1 = p1[i];
		const float v2 = op_sub(v0, v1);
		const float v3 = op_exp(v2);
		const float v4 = get_f16(put_f16(v3));
		p2[i] = put_f16(v4);
	}
}

KERNEL __launch_bounds__(32) k11_reduce(const signed char *p0, unsigned char *p1)
{
	typedef int idx;
	EACH_ROW(idx, row, 4) {
		u64 total = 0x0ull;
		EACH_IN_ROW(idx, k, 9) {
			const i64 v0 = get_i8(p0[row * 9 + k]);
			const u64 v1 = op_lt(v0, v0, 8);
			total = op_or(total, v1, 8);
		}
		total = block_total(total, [](u64 a, u64 b) { return op_or(a, b, 8); });
		if (threadIdx.x == 0) {
			const u64 v2 = get_bool(put_bool(total));
			p1[row] = put_bool(v2);
		}
	}
}
