/* SPDX-License-Identifier: Apache-2.0
 *
 * ONNX operators with windows, and resizing: convolutions, pools, windows of signals.
 */
#include <math.h>
#include <string.h>

#include "tests/onnx_ops.h"

/* One spatial axis of a window. */
struct span {
	int64_t size, stride, dilation, low, high, out;
};

/* Reads strides, dilations, pads, auto_pad and ceil_mode for an axis of `extent`. */
static void read_spans(struct onnx_build *b, ir_val x, const struct ir_dims *size,
		       struct span *s)
{
	int n = (int)size->n;
	struct ir_dims stride = ob_dims(b, "strides", n, 1);
	struct ir_dims dilation = ob_dims(b, "dilations", n, 1);
	const struct onnx_attr *pads = onnx_attr(b->node, "pads");
	bool upper = ob_is(b, "auto_pad", "SAME_UPPER"), lower = ob_is(b, "auto_pad", "SAME_LOWER");
	for (int i = 0; i < n; i++) {
		int64_t extent = ob_dim(b, x, 2 + i);
		struct span p = {.size = size->at[i], .stride = stride.at[i],
				 .dilation = dilation.at[i]};
		int64_t reach = (p.size - 1) * p.dilation + 1;
		if (p.stride < 1)
			p.stride = 1;
		if (upper || lower) {
			p.out = (extent + p.stride - 1) / p.stride;
			int64_t total = (p.out - 1) * p.stride + reach - extent;
			total = total < 0 ? 0 : total;
			p.low = upper ? total / 2 : total - total / 2;
			p.high = total - p.low;
		} else {
			p.low = pads != NULL ? pads->ints[i] : 0;
			p.high = pads != NULL ? pads->ints[n + i] : 0;
			int64_t more = ob_int(b, "ceil_mode", 0) ? p.stride - 1 : 0;
			p.out = (extent + p.low + p.high - reach + more) / p.stride + 1;
		}
		s[i] = p;
	}
}

ir_val onnx_conv(struct onnx_build *b, ir_val x, ir_val w)
{
	struct attrs_conv c = {.groups = ob_int(b, "group", 1)};
	struct ir_dims size = {.n = ob_rank(b, w) - 2};
	struct span s[ADZE_MAX_RANK];
	if (size.n < 1)
		return ob_skip(b, "a convolution without spatial axes");
	for (int i = 0; i < size.n; i++)
		size.at[i] = ob_dim(b, w, 2 + i);
	read_spans(b, x, &size, s);
	c.stride.n = c.low.n = c.high.n = c.dilation.n = size.n;
	for (int i = 0; i < size.n; i++) {
		c.stride.at[i] = s[i].stride;
		c.dilation.at[i] = s[i].dilation;
		c.low.at[i] = s[i].low;
		c.high.at[i] = s[i].high;
	}
	return ir_emit2(b->g, OP_CONV, x, w, &c);
}

static ir_val add_bias(struct onnx_build *b, ir_val x, size_t i)
{
	int64_t d[ADZE_MAX_RANK];
	if (!ob_has(b, i))
		return x;
	ir_val bias = ob_in(b, i);
	for (int k = 0; k < ADZE_MAX_RANK; k++)
		d[k] = k == 1 ? ob_dim(b, bias, 0) : 1;
	return ob_ew2(b, OP_ADD, x, ob_reshape(b, bias, ob_rank(b, x), d));
}

void onnx_do_conv(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), w = ob_in(b, 1);
	if (arg)
		ob_out(b, 0, onnx_conv(b, onnx_centre(b, x, 2, 1), onnx_centre(b, w, 3, 0)));
	else
		ob_out(b, 0, add_bias(b, onnx_conv(b, x, w), 2));
}

void onnx_do_qlinear_conv(struct onnx_build *b, int arg)
{
	ir_val x = onnx_centre(b, ob_in(b, 0), 2, 1), w = onnx_centre(b, ob_in(b, 3), 5, 0);
	(void)arg;
	x = ob_convert(b, add_bias(b, onnx_conv(b, x, w), 8), ADZE_F32);
	ir_val scale = ob_in(b, 4);
	int64_t d[4] = {1, ob_dim(b, scale, 0), 1, 1};
	scale = ob_rank(b, scale) == 1 ? ob_reshape(b, scale, ob_rank(b, x), d) : scale;
	x = ob_ew2(b, OP_MUL, x, ob_ew2(b, OP_MUL, ob_in(b, 1), scale));
	ob_out(b, 0, onnx_quantize(b, x, ob_in(b, 6), ob_in(b, 7), -1));
}

/* `step` - 1 zeros between the elements of an axis. */
static ir_val spread(struct onnx_build *b, ir_val x, int axis, int64_t step)
{
	int64_t d[ADZE_MAX_RANK], n = ob_dim(b, x, axis);
	int rank = ob_rank(b, x);
	if (step == 1)
		return x;
	x = ob_pad(b, ob_unsqueeze(b, x, axis + 1), axis + 1, 0, step - 1, 0);
	for (int i = 0; i < rank; i++)
		d[i] = i == axis ? n * step : ob_dim(b, x, i < axis ? i : i + 1);
	return ob_slice(b, ob_reshape(b, x, rank, d), axis, 0, (n - 1) * step + 1, 1);
}

/* The padding that is cut from one axis of a transposed convolution, and what is added. */
static void read_cut(struct onnx_build *b, struct span *s, int i, int n, int64_t extent)
{
	const struct onnx_attr *pads = onnx_attr(b->node, "pads");
	const struct onnx_attr *want = onnx_attr(b->node, "output_shape");
	bool upper = ob_is(b, "auto_pad", "SAME_UPPER"), lower = ob_is(b, "auto_pad", "SAME_LOWER");
	int64_t more = ob_dims(b, "output_padding", n, 0).at[i];
	int64_t full = s->stride * (extent - 1) + more + (s->size - 1) * s->dilation + 1;
	s->low = pads != NULL ? pads->ints[i] : 0;
	s->high = (pads != NULL ? pads->ints[n + i] : 0);
	if (want != NULL || upper || lower) {
		size_t skip = want != NULL ? want->nint - (size_t)n : 0;
		int64_t out = want != NULL ? want->ints[skip + (size_t)i] : extent * s->stride;
		int64_t total = full - out < 0 ? 0 : full - out;
		s->low = upper ? total / 2 : total - total / 2;
		s->high = full - out - s->low;
	}
	s->high -= more;
}

/* [c, m, ...] in groups of c becomes [groups * m, c / groups, ...], backwards in space. */
static ir_val turn(struct onnx_build *b, ir_val w, int64_t groups)
{
	int64_t d[ADZE_MAX_RANK + 1] = {groups, ob_dim(b, w, 0) / groups, ob_dim(b, w, 1)};
	struct attrs_axes back = {0};
	int rank = ob_rank(b, w);
	for (int i = 2; i < rank; i++) {
		d[i + 1] = ob_dim(b, w, i);
		back.axes.at[back.axes.n++] = i;
	}
	w = ir_emit1(b->g, OP_REVERSE, w, &back, NULL);
	w = ob_swap(b, ob_reshape(b, w, rank + 1, d), 1, 2);
	int64_t to[ADZE_MAX_RANK] = {groups * d[2], d[1]};
	for (int i = 2; i < rank; i++)
		to[i] = d[i + 1];
	return ob_reshape(b, w, rank, to);
}

void onnx_do_conv_transpose(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), w = ob_in(b, 1);
	int n = ob_rank(b, w) - 2;
	struct ir_dims stride = ob_dims(b, "strides", n, 1), dil = ob_dims(b, "dilations", n, 1);
	struct attrs_conv c = {.groups = ob_int(b, "group", 1), .dilation = dil};
	(void)arg;
	c.low.n = c.high.n = n;
	for (int i = 0; i < n; i++) {
		struct span s = {.size = ob_dim(b, w, 2 + i), .stride = stride.at[i],
				 .dilation = dil.at[i]};
		read_cut(b, &s, i, n, ob_dim(b, x, 2 + i));
		c.low.at[i] = (s.size - 1) * s.dilation - s.low;
		c.high.at[i] = (s.size - 1) * s.dilation - s.high;
		x = spread(b, x, 2 + i, s.stride);
	}
	x = ir_emit2(b->g, OP_CONV, x, turn(b, w, c.groups), &c);
	ob_out(b, 0, add_bias(b, x, 2));
}

static struct attrs_window window_of(struct onnx_build *b, ir_val x, enum ew by,
				     const struct span *s, int n)
{
	struct attrs_window w = {.by = by};
	int rank = n + 2;
	w.window.n = w.stride.n = w.low.n = w.high.n = w.dilation.n = rank;
	for (int i = 0; i < rank; i++) {
		bool on = i >= 2;
		const struct span *p = on ? &s[i - 2] : NULL;
		int64_t need = on ? (p->out - 1) * p->stride + (p->size - 1) * p->dilation + 1 : 0;
		int64_t high = on ? need - ob_dim(b, x, i) - p->low : 0;
		w.window.at[i] = on ? p->size : 1;
		w.stride.at[i] = on ? p->stride : 1;
		w.dilation.at[i] = on ? p->dilation : 1;
		w.low.at[i] = on ? p->low : 0;
		w.high.at[i] = high > 0 ? high : 0;
	}
	return w;
}

static ir_val slide(struct onnx_build *b, ir_val x, enum ew by, const struct span *s, int n)
{
	struct attrs_window w = window_of(b, x, by, s, n);
	return ir_emit1(b->g, OP_REDUCE_WINDOW, x, &w, NULL);
}

/* Of two elements and their places, the larger one, the first of equals. */
static int64_t larger_body(struct onnx_build *b, adze_dtype dtype)
{
	const adze_shape value = shape_make(dtype, 0, NULL), place = shape_make(ADZE_I64, 0, NULL);
	adze_graph *g = ir_body_begin(b->g, "larger");
	if (g == NULL)
		return 0;
	ir_val x = ir_input(g, "x", &value), i = ir_input(g, "i", &place);
	ir_val y = ir_input(g, "y", &value), k = ir_input(g, "k", &place);
	ir_val more[3] = {ir_emit2(g, OP_GT, y, x, NULL), y, x};
	ir_output(g, "x", ir_emit(g, OP_SELECT, more, 3, NULL, NULL), 0);
	more[1] = k;
	more[2] = i;
	ir_output(g, "i", ir_emit(g, OP_SELECT, more, 3, NULL, NULL), 0);
	return ir_body_end(g);
}

/* Places in the whole of x; the last axes turned round where `columns`. */
static ir_val places_of(struct onnx_build *b, ir_val x, bool columns)
{
	adze_shape t = ob_type(b, x);
	int64_t stride = 1;
	ir_val y = 0;
	t.dtype = ADZE_I64;
	for (int i = t.rank - 1; i >= 0; i--) {
		int axis = columns && i >= 2 ? t.rank + 1 - i : i;
		ir_val at = ob_ewk(b, OP_MUL, ob_iota(b, ADZE_I64, &t, axis), (double)stride);
		y = y == 0 ? at : ob_ew2(b, OP_ADD, y, at);
		stride *= t.dim[axis].size;
	}
	return y;
}

static void max_pool_places(struct onnx_build *b, ir_val x, const struct span *s, int n)
{
	struct attrs_window w = window_of(b, x, EW_MAX, s, n);
	struct attrs_window_body a = {.window = w.window, .stride = w.stride, .low = w.low,
				      .high = w.high, .dilation = w.dilation,
				      .body = larger_body(b, ob_dtype(b, x))};
	ir_val none = ir_scalar(b->g, ob_dtype(b, x),
				dtype_is_float(ob_dtype(b, x)) ? -INFINITY : 0);
	ir_val args[4] = {x, places_of(b, x, ob_int(b, "storage_order", 0) != 0), none,
			  ir_scalar(b->g, ADZE_I64, 0)};
	ir_val pack = ir_emit(b->g, OP_REDUCE_WINDOW_BODY, args, 4, &a, NULL);
	adze_shape t = ob_type(b, x);
	for (int i = 0; i < n; i++)
		t.dim[2 + i].size = s[i].out;
	ob_out(b, 0, ir_emit1(b->g, OP_PART, pack, &(struct attrs_part){.index = 0}, &t));
	t.dtype = ADZE_I64;
	ob_out(b, 1, ir_emit1(b->g, OP_PART, pack, &(struct attrs_part){.index = 1}, &t));
}

void onnx_do_pool(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	int n = ob_rank(b, x) - 2;
	struct ir_dims size = ob_dims(b, "kernel_shape", n, 1);
	struct span s[ADZE_MAX_RANK];
	read_spans(b, x, &size, s);
	if (ob_wants(b, 1)) {
		max_pool_places(b, x, s, n);
		return;
	}
	if (arg == EW_MAX) {
		ob_out(b, 0, slide(b, x, EW_MAX, s, n));
		return;
	}
	ir_val ones = ob_fill(b, x, 1);
	if (ob_int(b, "count_include_pad", 0) != 0)
		for (int i = 0; i < n; i++) {
			ones = ob_pad(b, ones, 2 + i, s[i].low, s[i].high, 1);
			x = ob_pad(b, x, 2 + i, s[i].low, s[i].high, 0);
			s[i].low = s[i].high = 0;
		}
	ob_out(b, 0, ob_ew2(b, OP_DIV, slide(b, x, EW_ADD, s, n), slide(b, ones, EW_ADD, s, n)));
}

void onnx_do_global_pool(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	bool axes[ADZE_MAX_RANK] = {false, false, true, true, true, true, true, true};
	double n = 1;
	for (int i = 2; i < ob_rank(b, x); i++)
		n *= (double)ob_dim(b, x, i);
	x = ob_reduce(b, (enum ew)arg, x, axes, true);
	ob_out(b, 0, arg == EW_ADD ? ob_ewk(b, OP_DIV, x, n) : x);
}

void onnx_do_lrn(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	int64_t size = ob_int(b, "size", 1);
	int n = ob_rank(b, x);
	struct attrs_window w = {.by = EW_ADD, .window.n = n, .low.n = n, .high.n = n};
	(void)arg;
	for (int i = 0; i < n; i++)
		w.window.at[i] = i == 1 ? size : 1;
	w.low.at[1] = (size - 1) / 2;
	w.high.at[1] = size / 2;
	ir_val y = ir_emit1(b->g, OP_REDUCE_WINDOW, ob_ew2(b, OP_MUL, x, x), &w, NULL);
	y = ob_ewk(b, OP_MUL, y, ob_float(b, "alpha", 1e-4) / (double)size);
	y = ob_ewk(b, OP_ADD, y, ob_float(b, "bias", 1));
	ob_out(b, 0, ob_ew2(b, OP_DIV, x, ob_ewk(b, OP_POW, y, ob_float(b, "beta", 0.75))));
}

/* Hann, Hamming and Blackman windows: sums of cosines. */
void onnx_do_window(struct onnx_build *b, int arg)
{
	static const double part[3][3] = {
		{0.5, 0.5, 0}, {25.0 / 46, 21.0 / 46, 0}, {0.42, 0.5, 0.08}};
	const double pi = 3.14159265358979323846;
	int64_t n = ob_known_int(b, ob_in(b, 0), 0);
	adze_dtype to = onnx_dtype(ob_int(b, "output_datatype", 1));
	adze_shape t = shape_make(ADZE_F32, 1, &n);
	double turn_by = 2 * pi / (double)(ob_int(b, "periodic", 1) ? n : n - 1);
	ir_val at = ob_ewk(b, OP_MUL, ob_iota(b, ADZE_F32, &t, 0), turn_by);
	ir_val y = ob_ewk(b, OP_MUL, ob_ew1(b, OP_COS, at), -part[arg][1]);
	ir_val z = ob_ew1(b, OP_COS, ob_ewk(b, OP_MUL, at, 2));
	y = ob_ew2(b, OP_ADD, y, ob_ewk(b, OP_MUL, z, part[arg][2]));
	ob_out(b, 0, ob_convert(b, ob_ewk(b, OP_ADD, y, part[arg][0]), to));
}

/* How one axis is resized. */
struct resize {
	const char *place, *nearest;
	int64_t in, out;
	double scale, cubic;
	bool exclude;
};

/* Where place `i` of the result lies in the operand. */
static double source(const struct resize *r, int64_t i)
{
	double x = (double)i, wide = r->scale * (double)r->in;
	if (strcmp(r->place, "align_corners") == 0)
		return wide == 1 ? 0 : x * (double)(r->in - 1) / (wide - 1);
	if (strcmp(r->place, "asymmetric") == 0)
		return x / r->scale;
	if (strcmp(r->place, "tf_half_pixel_for_nn") == 0)
		return (x + 0.5) / r->scale;
	if (strcmp(r->place, "pytorch_half_pixel") == 0 && r->out == 1)
		return -0.5;
	return (x + 0.5) / r->scale - 0.5;
}

static int64_t nearest(const struct resize *r, double x)
{
	double low = floor(x), y = x - low == 0.5 ? low : floor(x + 0.5);
	if (strcmp(r->nearest, "floor") == 0)
		y = low;
	else if (strcmp(r->nearest, "ceil") == 0)
		y = ceil(x);
	else if (strcmp(r->nearest, "round_prefer_ceil") == 0)
		y = floor(x + 0.5);
	return y < 0 ? 0 : y > (double)(r->in - 1) ? r->in - 1 : (int64_t)y;
}

/* Weights of the four neighbours at distance `f` behind the second (Keys, 1981). */
static void cubic_weights(double a, double f, double *w)
{
	for (int k = 0; k < 4; k++) {
		double d = fabs(f - (k - 1));
		w[k] = d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1
			      : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
	}
}

/* The matrix that takes an axis of `in` to one of `out`. */
static ir_val resize_matrix(struct onnx_build *b, const struct resize *r, bool cubic)
{
	double *m = arena_new(b->r, (size_t)(r->in * r->out) + 1, sizeof *m);
	for (int64_t i = 0; i < r->out; i++) {
		double x = source(r, i), low = floor(x), f = x - low, sum = 0;
		double w[4] = {0, 1 - f, f, 0};
		if (cubic)
			cubic_weights(r->cubic, f, w);
		for (int k = 0; k < 4; k++) {
			int64_t at = (int64_t)low + k - 1;
			bool out = at < 0 || at >= r->in;
			if (out && r->exclude)
				continue;
			at = at < 0 ? 0 : at >= r->in ? r->in - 1 : at;
			m[i * r->in + at] += w[k];
			sum += w[k];
		}
		for (int64_t k = 0; k < r->in && r->exclude; k++)
			m[i * r->in + k] /= sum;
	}
	return ob_floats(b, ADZE_F32, m, 2, (int64_t[]){r->out, r->in});
}

static ir_val resize_axis(struct onnx_build *b, ir_val x, int axis, const struct resize *r,
			  const char *mode)
{
	if (r->in == r->out && r->scale == 1)
		return x;
	if (strcmp(mode, "nearest") == 0) {
		int64_t *at = arena_new(b->r, (size_t)r->out + 1, sizeof *at);
		for (int64_t i = 0; i < r->out; i++)
			at[i] = nearest(r, source(r, i));
		return ob_take(b, x, ob_ints(b, at, r->out), axis);
	}
	struct attrs_dot d = {.sum_a = {1, {axis}}, .sum_b = {1, {1}}};
	int perm[ADZE_MAX_RANK], n = ob_rank(b, x);
	x = ir_emit2(b->g, OP_DOT, x, resize_matrix(b, r, strcmp(mode, "cubic") == 0), &d);
	for (int i = 0; i < n; i++)
		perm[i] = i < axis ? i : i == axis ? n - 1 : i - 1;
	return ob_transpose(b, x, perm);
}

void onnx_do_resize(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	bool sized = ob_has(b, 3);
	ir_val by = ob_in(b, sized ? 3 : 2);
	const char *mode = ob_text(b, "mode", "nearest");
	struct resize r = {.place = ob_text(b, "coordinate_transformation_mode", "half_pixel"),
			   .nearest = ob_text(b, "nearest_mode", "round_prefer_floor"),
			   .cubic = ob_float(b, "cubic_coeff_a", -0.75),
			   .exclude = ob_int(b, "exclude_outside", 0) != 0};
	(void)arg;
	if (strcmp(r.place, "tf_crop_and_resize") == 0) {
		ob_skip(b, "no sampling at computed places");
		return;
	}
	for (int i = 0; i < ob_rank(b, x); i++) {
		r.in = ob_dim(b, x, i);
		r.scale = sized ? (double)ob_known_int(b, by, (size_t)i) / (double)r.in
				: ob_known_float(b, by, (size_t)i);
		r.out = sized ? ob_known_int(b, by, (size_t)i)
			      : (int64_t)floor((double)r.in * r.scale);
		x = resize_axis(b, x, i, &r, mode);
	}
	ob_out(b, 0, x);
}

void onnx_do_upsample(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), by = ob_in(b, 1);
	struct resize r = {.place = "asymmetric", .nearest = "floor"};
	(void)arg;
	for (int i = 0; i < ob_rank(b, x); i++) {
		r.in = ob_dim(b, x, i);
		r.scale = ob_known_float(b, by, (size_t)i);
		r.out = (int64_t)floor((double)r.in * r.scale);
		x = resize_axis(b, x, i, &r, ob_text(b, "mode", "nearest"));
	}
	ob_out(b, 0, x);
}
