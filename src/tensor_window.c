/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms on images and the like, [batch, channel, 1 to 3 spatial axes]: convolutions, pools,
 * padding, resizing.
 */
#include "forms.h"

#include <math.h>
#include <string.h>

static const adze_window3 plain;

static int64_t or_one(int64_t v)
{
	return v == 0 ? 1 : v;
}

/* How many spatial axes x has; 0 with words where that is not 1 to 3, or not `want` (0: any). */
static int spatial(struct tensor_op *op, adze_tensor x, int want)
{
	int n = op->ok ? tensor_type(op, x.id)->rank - 2 : 0;
	if (op->ok && (n < 1 || n > 3 || (want > 0 && n != want)))
		form_refuse(op, x, want == 1   ? "it takes [batch, channel, length]"
				   : want == 3 ? "it takes [batch, channel, depth, height, width]"
					       : "it takes [batch, channel, 1 to 3 spatial axes]");
	return op->ok ? n : 0;
}

static struct ir_dims numbers(const int64_t *v, int n, bool ones)
{
	struct ir_dims d = {.n = n};
	for (int i = 0; i < n; i++)
		d.at[i] = ones ? or_one(v[i]) : v[i];
	return d;
}

/* ---- convolutions ---- */

static adze_tensor conv(const char *name, adze_tensor x, adze_tensor weight, int n,
			const adze_window3 *window)
{
	const adze_tensor all[2] = {x, weight};
	struct tensor_op op = tensor_begin(name, all, 2);
	const adze_window3 *w = window != NULL ? window : &plain;
	if (spatial(&op, x, n) == 0 || spatial(&op, weight, n) == 0)
		return form_end(&op, x);
	struct attrs_conv attrs = {
		.stride = numbers(w->stride, n, true),
		.low = numbers(w->low, n, false),
		.high = numbers(w->high, n, false),
		.dilation = numbers(w->dilation, n, true),
		.groups = w->groups,
	};
	return form_end(&op, form_of(&op, ir_emit2(op.graph, OP_CONV, x.id, weight.id, &attrs)));
}

adze_tensor(adze_conv1d)(adze_tensor x, adze_tensor weight, const adze_window3 *window)
{
	return conv("conv1d", x, weight, 1, window);
}

adze_tensor(adze_conv3d)(adze_tensor x, adze_tensor weight, const adze_window3 *window)
{
	return conv("conv3d", x, weight, 3, window);
}

/* x with stride - 1 zeros between neighbours: zeros behind each element, less the last ones. */
static adze_tensor spaced(struct tensor_op *op, adze_tensor x, int n, const int64_t *stride)
{
	adze_shape s = *tensor_type(op, x.id), apart = s, to = s;
	struct attrs_pad behind, less;
	memset(&behind, 0, sizeof behind);
	memset(&less, 0, sizeof less);
	less.low.n = less.high.n = s.rank;
	behind.low.n = behind.high.n = s.rank + n;
	apart.rank = 2;
	for (int i = 0; i < n; i++) {
		int64_t more = or_one(stride[i]) - 1;
		adze_dim *d = &to.dim[2 + i];
		if (!dim_is_static(d))
			return form_refuse(op, x, "only the batch axis may be a symbol");
		apart.dim[apart.rank++] = *d;
		apart.dim[apart.rank++] = dim_make(1);
		behind.high.at[apart.rank - 1] = more;
		if (__builtin_mul_overflow(d->size, more + 1, &d->size))
			return form_refuse(op, x, "the result is too large");
		less.high.at[2 + i] = d->size > 0 ? -more : 0;
	}
	x = form_reshape(op, x, &apart);
	adze_tensor zero = f_num(x, 0);
	if (!op->ok || !adze_is(zero))
		return zero;
	x = form_reshape(op, form_of(op, ir_emit2(op->graph, OP_PAD, x.id, zero.id, &behind)),
			 &to);
	return form_of(op, adze_is(x) ? ir_emit2(op->graph, OP_PAD, x.id, zero.id, &less) : 0);
}

/* [c, o / groups, ...] as [o, c / groups, ...], backwards along its spatial axes. */
static adze_tensor turned(struct tensor_op *op, adze_tensor w, int n, int64_t groups)
{
	adze_shape s = *tensor_type(op, w.id), apart = s, to = s;
	struct attrs_axes swap, back;
	memset(&swap, 0, sizeof swap);
	memset(&back, 0, sizeof back);
	if (!shape_is_static(&s) || groups < 1 || s.dim[0].size % groups != 0)
		return form_refuse(op, w, "the groups do not divide the weight's channels");
	apart.dim[0] = dim_make(s.dim[0].size / groups);
	to.dim[1] = apart.dim[0];
	to.dim[0] = dim_make(s.dim[1].size * groups);
	if (!form_insert(op, &apart, 0, dim_make(groups)))
		return w;
	swap.axes.n = s.rank + 1;
	for (int i = 0; i <= s.rank; i++)
		swap.axes.at[i] = i == 1 ? 2 : i == 2 ? 1 : i;
	for (int i = 0; i < n; i++)
		back.axes.at[back.axes.n++] = 2 + i;
	w = form_reshape(op, w, &apart);
	if (adze_is(w))
		w = form_of(op, ir_emit1(op->graph, OP_TRANSPOSE, w.id, &swap, NULL));
	w = form_reshape(op, w, &to);
	return form_of(op, adze_is(w) ? ir_emit1(op->graph, OP_REVERSE, w.id, &back, NULL) : 0);
}

adze_tensor(adze_conv_transpose)(adze_tensor x, adze_tensor weight, const adze_window3 *window)
{
	const adze_tensor all[2] = {x, weight};
	struct tensor_op op = tensor_begin("conv_transpose", all, 2);
	const adze_window3 *w = window != NULL ? window : &plain;
	int n = spatial(&op, x, 0);
	if (n == 0 || spatial(&op, weight, n) == 0)
		return form_end(&op, x);
	struct attrs_conv attrs = {
		.dilation = numbers(w->dilation, n, true),
		.groups = w->groups,
	};
	attrs.low.n = attrs.high.n = n;
	for (int i = 0; i < n; i++) {
		const adze_dim *k = &tensor_type(&op, weight.id)->dim[2 + i];
		int64_t reach;
		if (w->stride[i] < 0 || w->stride[i] > INT32_MAX || w->dilation[i] < 0 ||
		    __builtin_mul_overflow(k->size - 1, attrs.dilation.at[i], &reach) ||
		    __builtin_sub_overflow(reach, w->low[i], &attrs.low.at[i]) ||
		    __builtin_sub_overflow(reach, w->high[i], &attrs.high.at[i]))
			return form_end(&op, form_refuse(&op, x, "the window cannot be"));
	}
	adze_tensor wide = spaced(&op, x, n, w->stride);
	adze_tensor back = op.ok ? turned(&op, weight, n, or_one(w->groups)) : wide;
	bool fine = op.ok && adze_is(wide) && adze_is(back);
	return form_end(&op, form_of(&op, fine ? ir_emit2(op.graph, OP_CONV, wide.id, back.id,
							  &attrs)
					       : 0));
}

/* ---- pools ---- */

static adze_tensor pool(struct tensor_op *op, adze_tensor x, enum ew by, const int64_t *size,
			const adze_window3 *window)
{
	const adze_window3 *w = window != NULL ? window : &plain;
	int n = spatial(op, x, 0);
	if (n > 0 && size == NULL)
		form_refuse(op, x, "there is no size");
	if (n > 0 && w->groups > 1)
		form_refuse(op, x, "a pool has no groups");
	if (!op->ok)
		return x;
	struct attrs_window attrs = {.by = by};
	attrs.window = attrs.stride = attrs.dilation = numbers((const int64_t[2]){1, 1}, 2, true);
	attrs.low = attrs.high = numbers((const int64_t[2]){0, 0}, 2, false);
	for (int i = 0; i < n; i++) {
		attrs.window.at[2 + i] = size[i];
		attrs.stride.at[2 + i] = w->stride[i] == 0 ? size[i] : w->stride[i];
		attrs.dilation.at[2 + i] = or_one(w->dilation[i]);
		attrs.low.at[2 + i] = w->low[i];
		attrs.high.at[2 + i] = w->high[i];
	}
	attrs.window.n = attrs.stride.n = attrs.dilation.n = attrs.low.n = attrs.high.n = n + 2;
	return form_of(op, ir_emit1(op->graph, OP_REDUCE_WINDOW, x.id, &attrs, NULL));
}

static adze_tensor mean_pool(struct tensor_op *op, adze_tensor x, const int64_t *size,
			     const adze_window3 *window)
{
	adze_tensor wide = form_wide(x);
	adze_tensor y = pool(op, wide, EW_ADD, size, window);
	double count = 1;
	for (int i = 0; op->ok && adze_is(y) && i < tensor_type(op, x.id)->rank - 2; i++)
		count *= (double)size[i];
	return (adze_convert)(f_div(y, f_num(y, count)), adze_tensor_shape(x).dtype);
}

adze_tensor(adze_max_pool)(adze_tensor x, const int64_t *size, const adze_window3 *window)
{
	struct tensor_op op = tensor_begin("max_pool", &x, 1);
	return form_end(&op, pool(&op, x, EW_MAX, size, window));
}

adze_tensor(adze_avg_pool)(adze_tensor x, const int64_t *size, const adze_window3 *window)
{
	struct tensor_op op = form_floats("avg_pool", &x, 1);
	return form_end(&op, mean_pool(&op, x, size, window));
}

/* The window that gives `extent` places, which divide x's. */
static bool dividing(struct tensor_op *op, adze_tensor x, const int64_t *extent, int64_t *size)
{
	int n = spatial(op, x, 0);
	for (int i = 0; i < n && op->ok; i++) {
		const adze_dim *d = &tensor_type(op, x.id)->dim[2 + i];
		if (extent == NULL || extent[i] < 1 || !dim_is_static(d) ||
		    d->size % extent[i] != 0 || d->size == 0)
			form_refuse(op, x, "the wanted extents do not divide the spatial axes");
		else
			size[i] = d->size / extent[i];
	}
	return op->ok;
}

adze_tensor(adze_adaptive_max_pool)(adze_tensor x, const int64_t *extent)
{
	struct tensor_op op = tensor_begin("adaptive_max_pool", &x, 1);
	int64_t size[3];
	bool fine = dividing(&op, x, extent, size);
	return form_end(&op, fine ? pool(&op, x, EW_MAX, size, NULL) : x);
}

adze_tensor(adze_adaptive_avg_pool)(adze_tensor x, const int64_t *extent)
{
	struct tensor_op op = form_floats("adaptive_avg_pool", &x, 1);
	int64_t size[3];
	bool fine = dividing(&op, x, extent, size);
	return form_end(&op, fine ? mean_pool(&op, x, size, NULL) : x);
}

static adze_tensor global(const char *name, adze_tensor x,
			  adze_tensor (*reduce)(adze_tensor, const char *))
{
	static const char *const axes[4] = {"", "2", "2 3", "2 3 4"};
	struct tensor_op op = tensor_begin(name, &x, 1);
	int n = spatial(&op, x, 0);
	return form_end(&op, n > 0 ? reduce(x, axes[n]) : x);
}

adze_tensor(adze_global_max_pool)(adze_tensor x)
{
	return global("global_max_pool", x, adze_maximum);
}

adze_tensor(adze_global_avg_pool)(adze_tensor x)
{
	return global("global_avg_pool", x, adze_mean);
}

/* ---- elements at other places ---- */

/* A constant of `n` elements. */
static adze_tensor table(struct tensor_op *op, adze_dtype dtype, int64_t n, const void *data)
{
	adze_shape s = shape_make(dtype, 1, &n);
	return form_of(op, op->ok ? ir_const(op->graph, &s, data) : 0);
}

/* x at places of axis k that `at` lists; the axis keeps its name. */
static adze_tensor places(struct tensor_op *op, adze_tensor x, int k, const int32_t *at, int64_t n)
{
	adze_tensor list = table(op, ADZE_I32, n, at);
	struct attrs_axis attrs = {.axis = k};
	if (!adze_is(list))
		return list;
	adze_tensor y = form_of(op, ir_emit2(op->graph, OP_TAKE, x.id, list.id, &attrs));
	if (!adze_is(y))
		return y;
	adze_shape to = *tensor_type(op, x.id);
	to.dim[k].size = n;
	return form_reshape(op, y, &to);
}

/* The axis, static and not empty, that places are taken from; -1 with words. */
static int fixed_axis(struct tensor_op *op, adze_tensor x, const char *axis, int64_t wanted)
{
	int k = op->ok ? tensor_axis_of(op, x.id, axis) : -1;
	if (k < 0)
		return -1;
	const adze_dim *d = &tensor_type(op, x.id)->dim[k];
	if (!dim_is_static(d))
		form_refuse(op, x, "the axis has a symbol");
	else if (d->size < 1 || d->size > INT32_MAX / 4 || wanted < 0 || wanted > INT32_MAX / 4)
		form_refuse(op, x, "the axis is empty, or an extent is out of range");
	return op->ok ? k : -1;
}

static adze_tensor pad_from(const char *name, adze_tensor x, const char *axis, int64_t low,
			    int64_t high, bool mirror)
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	bool sane = low >= 0 && high >= 0 && low <= INT32_MAX / 8 && high <= INT32_MAX / 8;
	int k = fixed_axis(&op, x, axis, sane ? low + high : -1);
	if (k < 0)
		return form_end(&op, x);
	int64_t last = tensor_type(&op, x.id)->dim[k].size - 1, n = low + last + 1 + high;
	if (mirror && (low > last || high > last))
		return form_end(&op, form_refuse(&op, x, "a mirror shows fewer than the axis "
							 "has"));
	const adze_allocator *a = op.graph->arena.from;
	int32_t *at = mem_new(a, (size_t)n, sizeof *at);
	if (at == NULL)
		tensor_fail(&op, ADZE_E_NOMEM, "no memory for %d places", (int)n);
	for (int64_t i = 0; i < n && at != NULL; i++) {
		int64_t p = i - low;
		if (mirror)
			at[i] = (int32_t)(p < 0 ? -p : p > last ? 2 * last - p : p);
		else
			at[i] = (int32_t)(p < 0 ? 0 : p > last ? last : p);
	}
	adze_tensor y = at != NULL ? places(&op, x, k, at, n) : x;
	mem_free(a, at, (size_t)n, sizeof *at);
	return form_end(&op, y);
}

adze_tensor(adze_pad_reflect)(adze_tensor x, const char *axis, int64_t low, int64_t high)
{
	return pad_from("pad_reflect", x, axis, low, high, true);
}

adze_tensor(adze_pad_replicate)(adze_tensor x, const char *axis, int64_t low, int64_t high)
{
	return pad_from("pad_replicate", x, axis, low, high, false);
}

/* ---- resizing ---- */

/* Keys' cubic convolution with a = -3/4, at a distance of 0 to 2 (IEEE ASSP-29, 1153). */
static double cubic(double d)
{
	const double a = -0.75;
	return d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1
		      : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
}

/* Where place i of `out` lies among `in`: a whole part, and a share of the way to the next. */
static double source(int64_t i, int64_t in, int64_t out, adze_resize_mode mode, double *share)
{
	double at;
	if (mode == ADZE_LINEAR_CORNERS || mode == ADZE_CUBIC_CORNERS)
		at = out > 1 ? (double)i * (double)(in - 1) / (double)(out - 1) : 0;
	else
		at = ((double)i + 0.5) * (double)in / (double)out - 0.5;
	if (mode == ADZE_LINEAR && at < 0)
		at = 0;
	*share = at - floor(at);
	return floor(at);
}

/* One of the `taps` places, and its weight, of each of the result's. */
static void fill_tap(int32_t *at, double *weight, int64_t in, int64_t out, int tap, int taps,
		     adze_resize_mode mode)
{
	for (int64_t i = 0; i < out; i++) {
		double share, place;
		if (taps == 1) {
			at[i] = (int32_t)(i * in / out);
			continue;
		}
		place = source(i, in, out, mode, &share) + tap - (taps == 4);
		weight[i] = taps == 4 ? cubic(fabs(tap - 1 - share)) : tap == 0 ? 1 - share : share;
		at[i] = (int32_t)(place < 0 ? 0 : place > (double)(in - 1) ? (double)(in - 1)
									  : place);
	}
}

/* The sum of the taps: elements taken, times their weights along axis k. */
static adze_tensor blend(struct tensor_op *op, adze_tensor x, int k, int64_t out,
			 adze_resize_mode mode, int32_t *at, double *weight)
{
	int taps = mode == ADZE_NEAREST ? 1 : mode <= ADZE_LINEAR_CORNERS ? 2 : 4;
	int64_t in = tensor_type(op, x.id)->dim[k].size;
	adze_tensor wide = taps > 1 ? form_wide(x) : x, sum = form_of(op, 0);
	struct ir_dims axis = {.n = 1, .at = {k}};
	for (int tap = 0; tap < taps && op->ok; tap++) {
		fill_tap(at, weight, in, out, tap, taps, mode);
		adze_tensor part = places(op, wide, k, at, out);
		if (taps == 1 || !adze_is(part))
			return part;
		adze_tensor by = (adze_convert)(table(op, ADZE_F64, out, weight),
						tensor_type(op, wide.id)->dtype);
		part = f_mul(part, form_spread(op, by, tensor_type(op, part.id), &axis));
		sum = tap == 0 ? part : f_add(sum, part);
	}
	return (adze_convert)(sum, tensor_type(op, x.id)->dtype);
}

adze_tensor(adze_resize)(adze_tensor x, const char *axis, int64_t extent, adze_resize_mode mode)
{
	struct tensor_op op = mode == ADZE_NEAREST ? tensor_begin("resize", &x, 1)
						   : form_floats("resize", &x, 1);
	int k = fixed_axis(&op, x, axis, extent);
	if (k < 0)
		return form_end(&op, x);
	if ((unsigned)mode > ADZE_CUBIC_CORNERS)
		return form_end(&op, form_refuse(&op, x, "there is no such mode"));
	const adze_allocator *a = op.graph->arena.from;
	size_t n = (size_t)extent;
	int32_t *at = mem_new(a, n + 1, sizeof *at);
	double *weight = mem_new(a, n + 1, sizeof *weight);
	adze_tensor y = x;
	if (at == NULL || weight == NULL)
		tensor_fail(&op, ADZE_E_NOMEM, "no memory for %zu places", n);
	else
		y = blend(&op, x, k, extent, mode, at, weight);
	mem_free(a, at, n + 1, sizeof *at);
	mem_free(a, weight, n + 1, sizeof *weight);
	return form_end(&op, y);
}

adze_tensor(adze_resize2d)(adze_tensor x, int64_t height, int64_t width, adze_resize_mode mode)
{
	struct tensor_op op = tensor_begin("resize2d", &x, 1);
	return form_end(&op, (adze_resize)((adze_resize)(x, "-2", height, mode), "-1", width,
					   mode));
}

/* ---- channels to space ---- */

/* [n, c, r, r, h, w] (or [n, c, h, r, w, r]) with the axes in another order, as `to`. */
static adze_tensor shuffle(struct tensor_op *op, adze_tensor x, const adze_shape *apart,
			   const int64_t *order, const adze_shape *to)
{
	struct attrs_axes attrs = {.axes = numbers(order, 6, false)};
	x = form_reshape(op, x, apart);
	if (adze_is(x))
		x = form_of(op, ir_emit1(op->graph, OP_TRANSPOSE, x.id, &attrs, NULL));
	return form_reshape(op, x, to);
}

static bool shufflable(struct tensor_op *op, adze_tensor x, int64_t r)
{
	if (op->ok && tensor_type(op, x.id)->rank != 4)
		form_refuse(op, x, "it takes [batch, channel, height, width]");
	for (int i = 1; i < 4 && op->ok; i++)
		if (!dim_is_static(&tensor_type(op, x.id)->dim[i]))
			form_refuse(op, x, "only the batch axis may be a symbol");
	if (op->ok && (r < 1 || r > 4096))
		form_refuse(op, x, "the factor is out of range");
	return op->ok;
}

adze_tensor(adze_pixel_shuffle)(adze_tensor x, int64_t r)
{
	struct tensor_op op = tensor_begin("pixel_shuffle", &x, 1);
	if (!shufflable(&op, x, r))
		return form_end(&op, x);
	adze_shape to = *tensor_type(&op, x.id), apart = to;
	if (to.dim[1].size % (r * r) != 0)
		return form_end(&op, form_refuse(&op, x, "the factor's square does not divide "
							 "the channels"));
	to.dim[1].size /= r * r;
	apart.rank = 6;
	apart.dim[1] = to.dim[1];
	apart.dim[2] = apart.dim[3] = dim_make(r);
	memcpy(&apart.dim[4], &to.dim[2], 2 * sizeof to.dim[0]);
	to.dim[2].size *= r;
	to.dim[3].size *= r;
	return form_end(&op, shuffle(&op, x, &apart, (const int64_t[]){0, 1, 4, 2, 5, 3}, &to));
}

adze_tensor(adze_pixel_unshuffle)(adze_tensor x, int64_t r)
{
	struct tensor_op op = tensor_begin("pixel_unshuffle", &x, 1);
	if (!shufflable(&op, x, r))
		return form_end(&op, x);
	adze_shape to = *tensor_type(&op, x.id), apart = to;
	if (to.dim[2].size % r != 0 || to.dim[3].size % r != 0)
		return form_end(&op, form_refuse(&op, x, "the factor does not divide height and "
							 "width"));
	to.dim[1].size *= r * r;
	to.dim[2].size /= r;
	to.dim[3].size /= r;
	apart.rank = 6;
	apart.dim[2] = to.dim[2];
	apart.dim[4] = to.dim[3];
	apart.dim[3] = apart.dim[5] = dim_make(r);
	return form_end(&op, shuffle(&op, x, &apart, (const int64_t[]){0, 1, 3, 5, 2, 4}, &to));
}
