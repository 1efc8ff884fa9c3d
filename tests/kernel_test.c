/* SPDX-License-Identifier: Apache-2.0
 *
 * Every row of impls.def against the scalar row of its family, and scalar rows against the
 * definitions: sizes around a vector's, any alignment, odd values, results between canaries,
 * and every array against a page that cannot be touched. One test for each instruction set
 * and kind of kernel; ADZE_KERNEL=function selects one row, ADZE_SEED repeats a run.
 */
#include "tests/kernel_attend.h"
#include "tests/kernel_fixture.h"
#include "tests/kernel_blocks.h"
#include "tests/kernel_products.h"
#include "kernels/window.h"

/* ---- element-wise, conversions, moves ---- */

static void magnitudes(const struct bench *t, double *out, const void *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = fabs(dtype_load_float(t->dtype, a, i));
}

static void check_ew(struct bench *t, size_t n, size_t off)
{
	static unsigned char want[LARGE * 8], again[LARGE * 8];
	static double into[LARGE];
	bool select = t->ew == EW_COUNT, pred = !select && (ew_info(t->ew)->flags & EW_PRED) != 0;
	adze_dtype out = pred ? ADZE_BOOL : t->dtype;
	size_t in = dtype_bytes(t->dtype), bytes = n * dtype_bytes(out);
	size_t first = select ? 1 : in;
	void *a = area_place(&t->a, n * first, off * first);
	void *b = area_place(&t->b, n * in, off * in), *c = area_place(&t->c, n * in, off * in);
	void *y = area_place(&t->y, bytes, off * dtype_bytes(out));
	fill_any(t, select ? ADZE_BOOL : t->dtype, a, n);
	fill_any(t, t->dtype, b, n);
	fill_any(t, t->dtype, c, n);
	/* Equal operands too, and opposite ones. */
	for (size_t i = 0; i + 3 < n; i += 4) {
		memcpy((char *)b + i * in, (char *)c + i * in, in);
		if (!select && dtype_is_float(t->dtype))
			dtype_store_float(t->dtype, b, i + 1,
					  -dtype_load_float(t->dtype, a, i + 1));
	}
	if (t->impl->isa == ISA_SCALAR && !select)
		for (size_t i = 0; i < n; i++)
			ew_element(t->ew, t->dtype, want, a, b, c, i);
	else
		((ew_fn *)t->scalar)(want, a, b, c, n);
	((ew_fn *)t->run)(y, a, b, c, n);
	check_area(t, &t->y, y, bytes, n);
	if (t->family->relative > 0)
		magnitudes(t, into, a, n);
	compare(t, out, y, want, n, t->family->relative > 0 ? into : NULL);
	/* In place, and in two strips: the same bits. */
	memcpy(again, y, bytes);
	if (!pred) {
		void *same = select ? b : a;
		size_t cut = n / 3;
		char *p = select ? (char *)a : y;
		memcpy(y, same, bytes);
		char *q = select ? y : (char *)b;
		((ew_fn *)t->run)(y, p, q, c, cut);
		((ew_fn *)t->run)((char *)y + cut * in, p + cut * first, q + cut * in,
				  (char *)c + cut * in, n - cut);
		for (size_t i = 0; i < n; i++)
			CHECK_MSG(distance(out, y, again, i) == 0,
				  "%s: n=%zu element %zu differs in place or in strips",
				  t->impl->function, n, i);
	}
}

/* The function's own kernel of the same instruction set; every chained function has one. */
static ew_fn *own_kernel(const struct bench *t, enum ew f)
{
	char name[64];
	size_t n;
	const struct kernel_impl *impl = kernels_impls(&n);
	snprintf(name, sizeof name, "%s_f32", ew_info(f)->name);
	for (size_t i = 0; i < n; i++)
		if (impl[i].isa == t->impl->isa && strcmp(impl[i].family, name) == 0)
			return (ew_fn *)impl[i].run;
	CHECK_MSG(false, "%s: no %s", t->impl->function, name);
	return NULL;
}

/* Each function that can be chained once, in every form, behind and before another one. */
static void check_chain(struct bench *t, size_t n, size_t off)
{
	static const unsigned char form[] = {0, CHAIN_OPERAND_ROW, CHAIN_OPERAND_ONE, CHAIN_SECOND,
					     CHAIN_OPERAND_ROW | CHAIN_SECOND,
					     CHAIN_OPERAND_ONE | CHAIN_SECOND};
	static float want[LARGE], one[LARGE];
	float *x = area_place(&t->a, n * 4, off * 4), *b = area_place(&t->b, n * 4, off * 4);
	float *y = area_place(&t->y, n * 4, off * 4);
	fill_any(t, ADZE_F32, x, n);
	fill_any(t, ADZE_F32, b, n);
	fill_any(t, ADZE_F32, one, 1);
	for (size_t i = 1; i < n; i++)
		one[i] = one[0];
	size_t chained = 0;
	for (int f = 0; f < EW_COUNT; f++) {
		if (!kernels_chains((enum ew)f))
			continue;
		struct chain_op op[3];
		memcpy(want, x, n * 4);
		for (size_t k = 0; k < 3; k++) {
			enum ew each = k == 1 ? (enum ew)f : EW_ADD;
			/* A function of one operand has no other. */
			unsigned char as = ew_info(each)->n == 1
						   ? 0
						   : form[check_random(&t->seed) % sizeof form];
			const float *other = as & CHAIN_OPERAND_ROW   ? b
					     : as & CHAIN_OPERAND_ONE ? one
								      : want;
			op[k] = (struct chain_op){(uint8_t)each, as, other == want ? NULL : other};
			if (as & CHAIN_SECOND)
				own_kernel(t, each)(want, other, want, NULL, n);
			else
				own_kernel(t, each)(want, want, other, NULL, n);
		}
		((chain_f32_fn *)t->run)(y, x, op, 3, n, (int)(n % 2));
		check_area(t, &t->y, y, n * 4, n);
		compare(t, ADZE_F32, y, want, n, NULL);
		chained++;
	}
	CHECK(chained > 15);
}

static void check_convert(struct bench *t, size_t n, size_t off)
{
	static unsigned char want[LARGE * 8];
	const char *name = t->family->name + strlen("convert_"), *split = strchr(name, '_');
	adze_dtype from = dtype_find(name, (size_t)(split - name));
	adze_dtype to = dtype_find(split + 1, strlen(split + 1));
	size_t bytes = n * dtype_bytes(to);
	void *x = area_place(&t->a, n * dtype_bytes(from), off * dtype_bytes(from));
	void *y = area_place(&t->y, bytes, off * dtype_bytes(to));
	fill_any(t, from, x, n);
	((convert_fn *)t->scalar)(want, x, n);
	((convert_fn *)t->run)(y, x, n);
	check_area(t, &t->y, y, bytes, n);
	compare(t, to, y, want, n, NULL);
}

static void check_move(struct bench *t, size_t n, size_t off)
{
	static const ptrdiff_t strides[] = {0, 1, 3, -1, -2};
	size_t size = (size_t)(strrchr(t->family->name, '_')[1] - '0'), bytes = n * size;
	bool fill = strcmp(t->family->type, "fill_fn") == 0;
	bool stream = strcmp(t->family->type, "stream_fn") == 0;
	for (size_t s = 0; s < COUNT_OF(strides); s++) {
		ptrdiff_t stride = fill ? 0 : stream ? 1 : strides[s];
		size_t span = n == 0 ? 1 : (size_t)(stride < 0 ? -stride : stride) * (n - 1) + 1;
		char *x = area_place(&t->a, span * size, off * size);
		char *y = area_place(&t->y, bytes, off * size);
		fill_any(t, bits_type(size), x, span);
		x += stride < 0 ? (span - 1) * size : 0;
		if (fill)
			((fill_fn *)t->run)(y, x, n);
		else if (stream)
			((stream_fn *)t->run)(y, x, n);
		else
			((gather_fn *)t->run)(y, x, n, stride);
		check_area(t, &t->y, y, bytes, n);
		for (size_t i = 0; i < n; i++)
			CHECK_MSG(memcmp(y + i * size, x + (ptrdiff_t)i * stride * (ptrdiff_t)size,
					 size) == 0,
				  "%s: n=%zu stride %td element %zu", t->impl->function, n, stride,
				  i);
	}
}

/* ---- rows ---- */

static void check_reduce(struct bench *t, size_t n, size_t off)
{
	size_t size = dtype_bytes(t->dtype);
	void *x = area_place(&t->a, n * size, off * size);
	void *y = area_place(&t->y, size, off * size);
	uint64_t want[2];
	bool sums = t->ew == EW_ADD || t->ew == EW_MUL;
	for (int odd = 0; odd < 2; odd++) {
		if (sums && t->ew == EW_ADD)
			fill_plain(t, t->dtype, x, n, 2);
		else if (sums && dtype_is_float(t->dtype)) /* products near one */
			for (size_t i = 0; i < n; i++)
				dtype_store_float(t->dtype, x, i,
						  1 + (double)check_random_float(&t->seed) / 64);
		else
			fill_any(t, t->dtype, x, n);
		if (odd && sums && n > 2 && dtype_is_float(t->dtype))
			dtype_store_float(t->dtype, x, n / 2, n % 2 ? NAN : HUGE_VAL);
		double into = 0;
		for (size_t i = 0; i < n && sums && dtype_is_float(t->dtype); i++)
			into += fabs(dtype_load_float(t->dtype, x, i));
		if (t->impl->isa == ISA_SCALAR) {
			double v = 0;
			ew_start_element(t->ew, t->dtype, want);
			for (size_t i = 0; i < n && !(sums && dtype_is_float(t->dtype)); i++)
				ew_element(t->ew, t->dtype, want, want,
					   (char *)x + i * size, NULL, 0);
			for (size_t i = 0; i < n && t->ew == EW_ADD; i++)
				v += dtype_load_float(t->dtype, x, i);
			if (sums && dtype_is_float(t->dtype) && t->ew == EW_ADD)
				dtype_store_float(t->dtype, want, 0, v);
			else if (sums && dtype_is_float(t->dtype))
				((reduce_fn *)t->scalar)(want, x, n);
		} else {
			((reduce_fn *)t->scalar)(want, x, n);
		}
		((reduce_fn *)t->run)(y, x, n);
		check_area(t, &t->y, y, size, n);
		compare(t, t->dtype, y, want, 1, &into);
	}
}

static adze_dtype sum_type(adze_dtype dtype)
{
	return dtype_is_float(dtype) && dtype_bytes(dtype) < 4 ? ADZE_F32 : dtype;
}

static void check_step(struct bench *t, size_t n, size_t off)
{
	static unsigned char want[LARGE * 8];
	adze_dtype sum = sum_type(t->dtype);
	size_t size = dtype_bytes(t->dtype), wide = dtype_bytes(sum);
	void *x = area_place(&t->a, n * size, off * size);
	void *acc = area_place(&t->y, n * wide, off * wide);
	fill_any(t, t->dtype, x, n);
	fill_any(t, sum, acc, n);
	memcpy(want, acc, n * wide);
	if (t->impl->isa == ISA_SCALAR && sum == t->dtype)
		for (size_t i = 0; i < n; i++)
			ew_element(t->ew, sum, want, want, x, NULL, i);
	else
		((reduce_step_fn *)t->scalar)(want, x, n);
	((reduce_step_fn *)t->run)(acc, x, n);
	check_area(t, &t->y, acc, n * wide, n);
	compare(t, sum, acc, want, n, NULL);
}

/* The three row kernels by their formulas in double, with what goes into each result. */
static void row_formula(const struct bench *t, double *y, double *into, const void *x,
			const void *scale, const void *bias, size_t n, double eps)
{
	bool soft = strcmp(t->family->type, "softmax_fn") == 0;
	bool layer = strcmp(t->family->type, "layer_norm_fn") == 0;
	double top = -HUGE_VAL, sum = 0, mean = 0, square = 0, size = 0;
	for (size_t i = 0; i < n; i++) {
		double v = dtype_load_float(t->dtype, x, i);
		top = v > top ? v : top;
		mean += layer ? v / (double)n : 0;
		size += layer ? fabs(v) / (double)n : 0;
	}
	for (size_t i = 0; i < n; i++) {
		double v = dtype_load_float(t->dtype, x, i);
		sum += exp(v - top);
		square += (v - mean) * (v - mean);
	}
	double by = 1 / sqrt(square / (double)n + eps);
	for (size_t i = 0; i < n; i++) {
		double v = dtype_load_float(t->dtype, x, i);
		double s = scale != NULL ? dtype_load_float(t->dtype, scale, i) : 1;
		double b = bias != NULL ? dtype_load_float(t->dtype, bias, i) : 0;
		y[i] = soft ? exp(v - top) / sum : (v - mean) * by * s + b;
		into[i] = soft ? y[i] : (fabs(v) + size) * by * fabs(s) + fabs(b);
	}
}

static void run_row(const struct bench *t, void (*run)(void), void *y, const void *x,
		    const void *scale, const void *bias, size_t n)
{
	if (strcmp(t->family->type, "softmax_fn") == 0)
		((softmax_fn *)run)(y, x, n);
	else if (strcmp(t->family->type, "layer_norm_fn") == 0)
		((layer_norm_fn *)run)(y, x, scale, bias, n, 1e-5);
	else
		((rms_norm_fn *)run)(y, x, scale, n, 1e-5);
}

static void check_row(struct bench *t, size_t n, size_t off)
{
	static unsigned char want[LARGE * 8];
	static double formula[LARGE], into[LARGE];
	size_t size = dtype_bytes(t->dtype), bytes = n * size;
	bool soft = strcmp(t->family->type, "softmax_fn") == 0;
	bool layer = strcmp(t->family->type, "layer_norm_fn") == 0;
	for (int how = 0; how < 4; how++) {
		char *x = area_place(&t->a, bytes, off * size);
		void *scale = how & 1 ? area_place(&t->b, bytes, off * size) : NULL;
		void *bias = layer && how & 2 ? area_place(&t->c, bytes, off * size) : NULL;
		void *y = area_place(&t->y, bytes, off * size);
		fill_plain(t, t->dtype, x, n, 4);
		if (scale != NULL)
			fill_plain(t, t->dtype, scale, n, 2);
		if (bias != NULL)
			fill_plain(t, t->dtype, bias, n, 2);
		for (size_t i = 0; i < n && how > 1; i += 3)
			if (soft)
				dtype_store_float(t->dtype, x, i, -HUGE_VAL);
		if (how == 3 && n > 0)
			dtype_store_float(t->dtype, x, n - 1, soft && n % 2 ? -HUGE_VAL : NAN);
		row_formula(t, formula, into, x, scale, bias, n, 1e-5);
		if (t->impl->isa == ISA_SCALAR)
			for (size_t i = 0; i < n; i++)
				dtype_store_float(t->dtype, want, i, formula[i]);
		else
			run_row(t, t->scalar, want, x, scale, bias, n);
		run_row(t, t->run, y, x, scale, bias, n);
		check_area(t, &t->y, y, bytes, n);
		compare(t, t->dtype, y, want, n, into);
		memcpy(want, y, bytes);
		run_row(t, t->run, x, x, scale, bias, n);
		CHECK_MSG(memcmp(x, want, bytes) == 0, "%s: n=%zu differs in place",
			  t->impl->function, n);
	}
}

static void check_arg(struct bench *t, size_t n, size_t off)
{
	size_t size = dtype_bytes(t->dtype), want = 0;
	bool most = strncmp(t->family->name, "argmax", 6) == 0;
	bool is_float = dtype_is_float(t->dtype);
	for (int how = 0; how < 4 && n > 0; how++) {
		void *x = area_place(&t->a, n * size, off * size);
		fill_any(t, t->dtype, x, n);
		for (size_t i = 0; i < n && is_float && how < 3; i++)
			if (isnan(dtype_load_float(t->dtype, x, i)))
				dtype_store_float(t->dtype, x, i, how);
		enum ew better = most ? EW_GT : EW_LT;
		want = 0;
		for (size_t i = 1; i < n; i++) {
			uint8_t yes = 0, same = 1, number = 1;
			ew_element(better, t->dtype, &yes, (char *)x + i * size,
				   (char *)x + want * size, NULL, 0);
			ew_element(EW_EQ, t->dtype, &same, (char *)x + i * size,
				   (char *)x + i * size, NULL, 0);
			ew_element(EW_EQ, t->dtype, &number, (char *)x + want * size,
				   (char *)x + want * size, NULL, 0);
			want = number && (yes || !same) ? i : want;
		}
		int64_t got = ((arg_fn *)t->run)(x, n);
		CHECK_MSG(got == (int64_t)want, "%s: n=%zu gives %lld, not %zu", t->impl->function,
			  n, (long long)got, want);
	}
}

/* ---- windows ---- */

static size_t draw(struct bench *t, size_t most)
{
	return check_random(&t->seed) % most + 1;
}

static struct window2d draw_window(struct bench *t, bool pool)
{
	struct window2d s = {.groups = pool ? 1 : draw(t, 3)};
	s.channels = s.groups * draw(t, 4);
	size_t outs = draw(t, 8) == 1 ? 70 : 17;
	s.out_channels = pool ? s.channels : s.groups * draw(t, outs);
	bool pointwise = !pool && draw(t, 6) == 1;
	size_t extent[2] = {draw(t, 12), draw(t, 50)}, out[2];
	for (int i = 0; i < 2; i++) {
		s.window[i] = pointwise ? 1 : draw(t, 4);
		s.stride[i] = pointwise ? 1 : draw(t, 3) % 3 + (draw(t, 2) == 1 ? 0 : 1);
		s.stride[i] = s.stride[i] == 0 ? 1 : s.stride[i];
		s.dilation[i] = draw(t, 4) == 1 ? 2 : 1;
		s.pad[i] = pointwise ? 0 : (ptrdiff_t)draw(t, 4) - 2;
		ptrdiff_t reach = (ptrdiff_t)((s.window[i] - 1) * s.dilation[i]);
		ptrdiff_t room = (ptrdiff_t)extent[i] + 2 * s.pad[i] - reach - 1;
		out[i] = room < 0 ? 0 : (size_t)room / s.stride[i] + 1;
	}
	s.height = extent[0];
	s.width = extent[1];
	s.out_height = out[0];
	s.out_width = out[1];
	return s;
}

/* Channels that a convolution says are there. */
struct told {
	size_t first, end;
	bool in_order;
};

static void tell(void *self, size_t first, size_t end)
{
	struct told *t = self;
	t->in_order &= first == t->end && end > first;
	t->end = end;
}

/* What follows a convolution: steps by the bits of `steps`. */
static struct conv_after draw_after(unsigned steps, struct told *told)
{
	static const float number[3][210] = {{1, -2, 0.5f}, {0.5f, -1, 4}, {3, -0.25f, 1}};
	static float other[1 << 18];
	for (size_t i = 0; i < COUNT_OF(other); i++)
		other[i] = (float)((int)(i * 37 % 32) - 16) / 8;
	return (struct conv_after){.sub = steps & 1 ? number[0] : NULL,
				   .mul = steps & 2 ? number[1] : NULL,
				   .add = steps & 4 ? number[2] : NULL,
				   .other = steps & 8 ? other : NULL,
				   .relu = steps & 16 ? 1 : 0,
				   .run = tell,
				   .self = told};
}

/* A convolution in up to four parts: cut at row `i` and column `j`. */
static void run_conv(void (*run)(void), float *y, const float *x, const float *w,
		     const struct window2d *s, size_t from, size_t to, size_t i, size_t j,
		     unsigned steps)
{
	static _Alignas(64) char work[1 << 20];
	for (int k = 0; k < 4; k++) {
		struct conv_part p = {from, to, k / 2 ? i : 0, k / 2 ? s->out_height : i,
				      k % 2 ? j : 0, k % 2 ? s->out_width : j};
		struct told told = {from, from, true};
		struct conv_after after = draw_after(steps, &told);
		if (p.top == p.bottom || p.left == p.right)
			continue;
		size_t need = conv_work(s, &p);
		CHECK(need + 64 <= sizeof work);
		memset(work, 0xff, sizeof work);
		((conv2d_f32_fn *)run)(y, x, w, s, &p, work, &after);
		CHECK_MSG(told.in_order && told.end == to, "channels %zu to %zu: told of %zu",
			  from, to, told.end);
		CHECK_MSG(memcmp(work + need, "\xff\xff\xff\xff\xff\xff\xff\xff", 8) == 0,
			  "wrote behind its work");
	}
}

static void run_window(void (*run)(void), float *y, const float *x, const float *w,
		       const struct window2d *s, size_t from, size_t to)
{
	if (w != NULL)
		run_conv(run, y, x, w, s, from, to, s->out_height, s->out_width, 0);
	else
		((pool_f32_fn *)run)(y, x, s, from, to);
}

/* One output of a convolution in double, by the definition. */
static double conv_formula(const float *x, const float *w, const struct window2d *s, size_t at)
{
	size_t plane = s->out_height * s->out_width, o = at / plane, i = at % plane / s->out_width;
	size_t per = s->channels / s->groups, group = o / (s->out_channels / s->groups);
	w += o * per * s->window[0] * s->window[1];
	ptrdiff_t top = (ptrdiff_t)(i * s->stride[0]) - s->pad[0];
	ptrdiff_t left = (ptrdiff_t)(at % s->out_width * s->stride[1]) - s->pad[1];
	double sum = 0;
	for (size_t c = 0; c < per; c++)
		for (size_t r = 0; r < s->window[0]; r++)
			for (size_t q = 0; q < s->window[1]; q++, w += 1) {
				ptrdiff_t y = top + (ptrdiff_t)(r * s->dilation[0]);
				ptrdiff_t z = left + (ptrdiff_t)(q * s->dilation[1]);
				if (y < 0 || z < 0 || (size_t)y >= s->height ||
				    (size_t)z >= s->width)
					continue;
				size_t row = (group * per + c) * s->height + (size_t)y;
				sum += (double)x[row * s->width + (size_t)z] * (double)*w;
			}
	return sum;
}

/* Cut anyhow, and with what follows, a convolution gives the same: to the bit where no patches are
 * packed, which are summed in blocks. */
static void check_conv_parts(struct bench *t, const struct window2d *s, const float *x,
			     const float *w, size_t from, size_t to)
{
	static float y[2][1 << 18];
	struct conv_part all = {from, to, 0, s->out_height, 0, s->out_width};
	size_t plane = s->out_height * s->out_width, at = from * plane, n = to * plane - at;
	unsigned steps = (unsigned)draw(t, 32) - 1;
	struct told told = {0, 0, true};
	struct conv_after after = draw_after(steps, &told);
	run_conv(t->run, y[0], x, w, s, from, to, s->out_height, s->out_width, 0);
	run_conv(t->run, y[1], x, w, s, from, to, draw(t, s->out_height) - 1,
		 draw(t, s->out_width) - 1, 0);
	for (size_t i = at; i < at + n; i++) {
		bool same = conv_block(s, &all).few ? fabsf(y[0][i] - y[1][i]) < 1e-4f
						    : memcmp(&y[0][i], &y[1][i], 4) == 0;
		CHECK_MSG(same, "%s: parts give %a, not %a", t->impl->function, (double)y[1][i],
			  (double)y[0][i]);
	}
	run_conv(t->run, y[1], x, w, s, from, to, s->out_height, s->out_width, steps);
	for (size_t i = at; i < at + n; i++) {
		float v = y[0][i];
		v = after.sub != NULL ? v - after.sub[i / plane] : v;
		v = after.mul != NULL ? v * after.mul[i / plane] : v;
		v = after.add != NULL ? v + after.add[i / plane] : v;
		v = after.other != NULL ? v + after.other[i] : v;
		v = after.relu && v < 0 ? 0 : v;
		CHECK_MSG(memcmp(&v, &y[1][i], 4) == 0, "%s: steps %u give %a, not %a",
			  t->impl->function, steps, (double)y[1][i], (double)v);
	}
}

static void check_window(struct bench *t)
{
	static float want[1 << 18], into[1 << 18], flip[2][1 << 18];
	static double magnitude[1 << 18];
	bool conv = strcmp(t->family->type, "conv2d_f32_fn") == 0;
	for (int turn = 0; turn < 400; turn++) {
		struct window2d s = draw_window(t, !conv);
		size_t plane = s.out_height * s.out_width, nx = s.channels * s.height * s.width;
		size_t nw = s.out_channels * (s.channels / s.groups) * s.window[0] * s.window[1];
		size_t from = draw(t, s.out_channels) - 1;
		size_t to = from + draw(t, s.out_channels - from);
		CHECK(s.out_channels * plane <= COUNT_OF(want) && nx <= COUNT_OF(*flip));
		float *x = area_place(&t->a, nx * 4, 0);
		float *w = conv ? area_place(&t->b, nw * 4, 0) : NULL;
		float *y = area_place(&t->y, to * plane * 4, 0);
		if (strcmp(t->family->name, "pool_max_f32") == 0)
			fill_any(t, ADZE_F32, x, nx);
		else
			fill_plain(t, ADZE_F32, x, nx, 1);
		for (size_t i = 0; i < nx; i++)
			flip[0][i] = fabsf(x[i]);
		if (conv)
			fill_plain(t, ADZE_F32, w, nw, 1);
		for (size_t i = 0; i < nw && conv; i++)
			flip[1][i] = fabsf(w[i]);
		run_window(t->scalar, want, x, w, &s, from, to);
		run_window(t->scalar, into, flip[0], conv ? flip[1] : NULL, &s, from, to);
		run_window(t->run, y, x, w, &s, from, to);
		check_area(t, &t->y, y, to * plane * 4, plane);
		for (size_t i = from * plane; i < to * plane; i++) {
			magnitude[i] = (double)into[i];
			if (conv && t->impl->isa == ISA_SCALAR)
				want[i] = (float)conv_formula(x, w, &s, i);
		}
		size_t at = from * plane, n = to * plane - at;
		compare(t, ADZE_F32, y + at, want + at, n, magnitude + at);
		for (size_t i = 0; i < at; i++)
			CHECK_MSG(memcmp(y + i, "\xa5\xa5\xa5\xa5", 4) == 0,
				  "%s: wrote before its channels", t->impl->function);
		for (size_t o = from; o < to; o++) {
			run_window(t->run, into, x, w, &s, o, o + 1);
			CHECK_MSG(memcmp(into + o * plane, y + o * plane, plane * 4) == 0,
				  "%s: channel %zu alone differs", t->impl->function, o);
		}
		if (conv && plane > 0)
			check_conv_parts(t, &s, x, w, from, to);
	}
}

/* ---- all rows ---- */

enum kind { KIND_EW, KIND_MOVE, KIND_ROW, KIND_PRODUCT, KIND_ATTEND, KIND_WINDOW };

/* Which kind of test a function type belongs to, and its check. */
static const struct kernel_check {
	const char *type;
	enum kind kind;
	void (*sized)(struct bench *, size_t n, size_t off);
	void (*whole)(struct bench *);
} check_of[] = {
	{"ew_fn", KIND_EW, check_ew, NULL},
	{"convert_fn", KIND_EW, check_convert, NULL},
	{"chain_f32_fn", KIND_EW, check_chain, NULL},
	{"fill_fn", KIND_MOVE, check_move, NULL},
	{"stream_fn", KIND_MOVE, check_move, NULL},
	{"gather_fn", KIND_MOVE, check_move, NULL},
	{"reduce_fn", KIND_ROW, check_reduce, NULL},
	{"reduce_step_fn", KIND_ROW, check_step, NULL},
	{"softmax_fn", KIND_ROW, check_row, NULL},
	{"layer_norm_fn", KIND_ROW, check_row, NULL},
	{"rms_norm_fn", KIND_ROW, check_row, NULL},
	{"arg_fn", KIND_ROW, check_arg, NULL},
	{"gemm_fn", KIND_PRODUCT, NULL, check_gemm},
	{"gemm_nt_fn", KIND_PRODUCT, NULL, check_nt},
	{"gemm_nt_int_fn", KIND_PRODUCT, NULL, check_nt_int},
	{"round_rows_fn", KIND_PRODUCT, NULL, check_round},
	{"gemm_nt_blocks_fn", KIND_PRODUCT, NULL, check_blocks},
	{"gemv_nn_f32_fn", KIND_PRODUCT, NULL, check_nn},
	{"attend_pack_fn", KIND_ATTEND, NULL, check_attend_pack},
	{"attend_scores_fn", KIND_ATTEND, NULL, check_attend_scores},
	{"attend_soften_fn", KIND_ATTEND, NULL, check_attend_soften},
	{"attend_values_fn", KIND_ATTEND, NULL, check_attend_values},
	{"attend_dots_fn", KIND_ATTEND, NULL, check_attend_dots},
	{"attend_few_fn", KIND_ATTEND, NULL, check_attend_few},
	{"conv2d_f32_fn", KIND_WINDOW, NULL, check_window},
	{"pool_f32_fn", KIND_WINDOW, NULL, check_window},
};

static const struct kernel_family *family_of(const struct kernel_impl *impl)
{
	size_t n;
	const struct kernel_family *f = kernels_families(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(f[i].name, impl->family) == 0)
			return &f[i];
	return NULL;
}

static const struct kernel_check *find_check(const char *type)
{
	for (size_t i = 0; i < COUNT_OF(check_of); i++)
		if (strcmp(check_of[i].type, type) == 0)
			return &check_of[i];
	return NULL;
}

/* What the family's name says about element type and function. */
static void read_name(struct bench *t)
{
	const char *name = t->family->name, *last = strrchr(name, '_') + 1;
	t->dtype = dtype_find(last, strlen(last));
	if (t->dtype == ADZE_DTYPE_COUNT)
		t->dtype = bits_type((size_t)(last[0] - '0'));
	if (strcmp(t->family->type, "reduce_step_fn") == 0)
		name += strlen("reduce_step_");
	else if (strcmp(t->family->type, "reduce_fn") == 0)
		name += strlen("reduce_");
	t->ew = ew_find(name, (size_t)(last - 1 - name));
}

static void test_rows(enum isa isa, enum kind kind)
{
	const char *only = getenv("ADZE_KERNEL");
	size_t n, tested = 0;
	const struct kernel_impl *impl = kernels_impls(&n);
	struct bench t = {.y = area_open(), .a = area_open(), .b = area_open(), .c = area_open()};
	if (isa != ISA_GENERIC && !(cpu_isa_mask() >> isa & 1))
		SKIP("no %s in this processor or build", isa_name(isa));
	for (size_t i = 0; i < n; i++) {
		t.impl = &impl[i];
		t.family = family_of(&impl[i]);
		CHECK_MSG(t.family != NULL, "%s has no family", impl[i].function);
		const struct kernel_check *check = find_check(t.family->type);
		CHECK_MSG(check != NULL, "no test of %s", t.family->type);
		if (impl[i].isa != isa || check->kind != kind ||
		    (only != NULL && strcmp(only, impl[i].function) != 0))
			continue;
		t.run = impl[i].run;
		t.scalar = kernels_find(impl[i].family, 1u << ISA_SCALAR)->run;
		t.seed = check_seed();
		read_name(&t);
		if (check->whole != NULL)
			check->whole(&t);
		else
			each_size(&t, check->sized);
		tested++;
	}
	if (only != NULL && tested == 0)
		SKIP("ADZE_KERNEL=%s selects none of these", only);
	CHECK_MSG(tested > 0, "no row was tested");
	printf("# %s: %zu rows, ADZE_SEED=%llu\n", isa_name(isa), tested,
	       (unsigned long long)check_seed());
}

TEST(kernel_scalar, ew) { test_rows(ISA_SCALAR, KIND_EW); }
TEST(kernel_scalar, move) { test_rows(ISA_SCALAR, KIND_MOVE); }
TEST(kernel_blas, product) { test_rows(ISA_BLAS, KIND_PRODUCT); }
#define TESTS(suite, isa)                                               \
	TEST(suite, row) { test_rows(isa, KIND_ROW); }                  \
	TEST(suite, product) { test_rows(isa, KIND_PRODUCT); }          \
	TEST(suite, attend) { test_rows(isa, KIND_ATTEND); }            \
	TEST(suite, window) { test_rows(isa, KIND_WINDOW); }
#define TESTS_EW(suite, isa)                                            \
	TEST(suite, ew) { test_rows(isa, KIND_EW); }                    \
	TESTS(suite, isa)
TESTS(kernel_scalar, ISA_SCALAR)
TESTS_EW(kernel_neon, ISA_NEON)
TESTS_EW(kernel_avx2, ISA_AVX2)
TESTS_EW(kernel_avx512, ISA_AVX512)
TEST(kernel_vnni, product) { test_rows(ISA_VNNI, KIND_PRODUCT); }
TESTS_EW(kernel_generic, ISA_GENERIC)

TEST(kernels, find)
{
	size_t n, families;
	const struct kernel_impl *impl = kernels_impls(&n);
	const struct kernel_family *family = kernels_families(&families);
	for (size_t i = 0; i < n; i++) {
		const struct kernel_impl *best = kernels_find(impl[i].family, 1u << impl[i].isa);
		CHECK_MSG(best == (impl[i].isa == ISA_GENERIC ? NULL : &impl[i]),
			  "%s cannot be chosen", impl[i].function);
		best = kernels_find(impl[i].family, cpu_isa_mask() | 1u << ISA_GENERIC);
		CHECK_MSG(best != NULL && (cpu_isa_mask() >> best->isa & 1), "%s", impl[i].family);
	}
	for (size_t i = 0; i < families; i++) {
		CHECK_MSG(kernels_find(family[i].name, 1u << ISA_SCALAR) != NULL,
			  "%s has no scalar row", family[i].name);
		for (size_t j = 0; j < i; j++)
			CHECK_MSG(strcmp(family[i].name, family[j].name) != 0, "%s twice",
				  family[i].name);
	}
	CHECK(kernels_find("nothing_f32", ~0u) == NULL);
	CHECK(kernels_find("", ~0u) == NULL);
}
