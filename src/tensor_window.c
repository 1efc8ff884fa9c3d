/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms on images and the like, [batch, channel, 1 to 3 spatial axes]: convolutions, pools,
 * channels that become places.
 */
#include "forms.h"

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

/* x with apart - 1 zeros between neighbours along its spatial axes. */
static adze_tensor spaced(struct tensor_op *op, adze_tensor x, int n, const int64_t *apart)
{
	struct attrs_pad pad;
	bool any = false;
	memset(&pad, 0, sizeof pad);
	pad.low.n = pad.high.n = pad.interior.n = n + 2;
	for (int i = 0; i < n; i++) {
		pad.interior.at[2 + i] = or_one(apart[i]) - 1;
		any = any || pad.interior.at[2 + i] != 0;
	}
	adze_tensor zero = any && op->ok ? f_num(x, 0) : x;
	bool fine = op->ok && adze_is(zero);
	return any ? form_of(op, fine ? ir_emit2(op->graph, OP_PAD, x.id, zero.id, &pad) : 0) : x;
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

/* x with those axes, each of its own, in that order; as it is where none is listed. */
static adze_tensor in_order(struct tensor_op *op, adze_tensor x, const char *axes)
{
	struct attrs_axes attrs;
	if (axes == NULL || !op->ok || !adze_is(x))
		return x;
	if (!tensor_axes(op, x.id, axes, &attrs.axes))
		return x;
	if (attrs.axes.n != tensor_type(op, x.id)->rank)
		return form_refuse(op, x, "an order lists each of the axes");
	return form_of(op, ir_emit1(op->graph, OP_TRANSPOSE, x.id, &attrs, NULL));
}

/* [groups n, c, ...] as [n, groups c, ...]. */
static adze_tensor groups_to_channels(struct tensor_op *op, adze_tensor x, int64_t groups)
{
	adze_shape to = *tensor_type(op, x.id), apart = to;
	if (groups < 1 || !dim_is_static(&to.dim[0]) || !dim_is_static(&to.dim[1]) ||
	    to.dim[0].size % groups != 0)
		return form_refuse(op, x, "the groups do not divide the batch");
	to.dim[0].size /= groups;
	apart.dim[0] = to.dim[0];
	if (__builtin_mul_overflow(to.dim[1].size, groups, &to.dim[1].size) ||
	    !form_insert(op, &apart, 0, dim_make(groups)))
		return x;
	struct attrs_axes swap = {.axes = {.n = apart.rank}};
	for (int i = 0; i < apart.rank; i++)
		swap.axes.at[i] = i < 2 ? 1 - i : i;
	x = form_reshape(op, x, &apart);
	if (adze_is(x))
		x = form_of(op, ir_emit1(op->graph, OP_TRANSPOSE, x.id, &swap, NULL));
	return form_reshape(op, x, &to);
}

adze_tensor(adze_conv)(adze_tensor x, adze_tensor kernel, const adze_conv_options *options)
{
	static const adze_conv_options none;
	const adze_conv_options *o = options != NULL ? options : &none;
	const adze_tensor all[2] = {x, kernel};
	struct tensor_op op = tensor_begin("conv", all, 2);
	int n = spatial(&op, x, 0);
	if (n == 0 || spatial(&op, kernel, n) == 0)
		return form_end(&op, x);
	struct attrs_conv attrs = {
		.stride = numbers(o->stride, n, true),
		.low = numbers(o->low, n, false),
		.high = numbers(o->high, n, false),
		.dilation = numbers(o->dilation, n, true),
		.groups = o->groups,
	};
	x = in_order(&op, x, o->input);
	kernel = in_order(&op, kernel, o->kernel);
	if (op.ok && adze_is(x) && or_one(o->batch_groups) != 1) {
		if (or_one(o->groups) != 1)
			form_refuse(&op, x, "groups are of features or of the batch");
		x = op.ok ? groups_to_channels(&op, x, o->batch_groups) : x;
		attrs.groups = o->batch_groups;
	}
	struct attrs_axes back = {.axes = {.n = 0}};
	for (int i = 0; i < n; i++)
		if (o->reverse[i])
			back.axes.at[back.axes.n++] = 2 + i;
	if (op.ok && adze_is(x) && adze_is(kernel) && back.axes.n > 0)
		kernel = form_of(&op, ir_emit1(op.graph, OP_REVERSE, kernel.id, &back, NULL));
	x = adze_is(x) ? spaced(&op, x, n, o->spacing) : x;
	bool fine = op.ok && adze_is(x) && adze_is(kernel);
	adze_tensor y = form_of(&op, fine ? ir_emit2(op.graph, OP_CONV, x.id, kernel.id, &attrs)
					  : 0);
	return form_end(&op, in_order(&op, y, o->output));
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

adze_tensor(adze_avg_pool_inside)(adze_tensor x, const int64_t *size, const adze_window3 *window)
{
	struct tensor_op op = form_floats("avg_pool_inside", &x, 1);
	adze_tensor wide = form_wide(x), sum = pool(&op, wide, EW_ADD, size, window);
	if (!op.ok || !adze_is(sum))
		return form_end(&op, sum);
	/* What lies inside is the same for all of the batch and all channels. */
	adze_shape one = *tensor_type(&op, wide.id);
	struct ir_dims none = {.n = 0};
	one.dim[0] = one.dim[1] = dim_make(1);
	adze_tensor n = pool(&op, form_spread(&op, f_num(wide, 1), &one, &none), EW_ADD, size,
			     window);
	return form_end(&op, (adze_convert)(f_div(sum, n), adze_tensor_shape(x).dtype));
}

adze_tensor(adze_lp_pool)(adze_tensor x, double p, const int64_t *size,
			  const adze_window3 *window)
{
	struct tensor_op op = form_floats("lp_pool", &x, 1);
	adze_tensor w = f_abs(form_wide(x));
	adze_tensor sum = pool(&op, f_pow(w, f_num(w, p)), EW_ADD, size, window);
	adze_tensor y = f_pow(sum, f_num(sum, 1 / p));
	return form_end(&op, (adze_convert)(y, adze_tensor_shape(x).dtype));
}

#define MOST_TAPS 1024

/* The elements of x, padded, that tap `tap` of the window meets at each place. */
static adze_tensor tap_slice(struct tensor_op *op, adze_tensor x, int n, const adze_shape *y,
			     const struct ir_dims *stride, const struct ir_dims *shift)
{
	const adze_shape *s = tensor_type(op, x.id);
	struct attrs_slice a;
	memset(&a, 0, sizeof a);
	a.start.n = a.limit.n = a.stride.n = n + 2;
	for (int i = 0; i < n + 2; i++) {
		a.start.at[i] = i < 2 ? 0 : shift->at[i - 2];
		a.stride.at[i] = i < 2 ? 1 : stride->at[i - 2];
		a.limit.at[i] = i < 2 ? s->dim[i].size
				      : a.start.at[i] + (y->dim[i].size - 1) * a.stride.at[i] + 1;
	}
	return form_of(op, ir_emit1(op->graph, OP_SLICE, x.id, &a, NULL));
}

/* x with what is no largest one around it. */
static adze_tensor pad_lowest(struct tensor_op *op, adze_tensor x, int n, const adze_window3 *w)
{
	adze_shape scalar = shape_make(tensor_type(op, x.id)->dtype, 0, NULL);
	struct attrs_pad pad;
	uint64_t lowest[2] = {0};
	memset(&pad, 0, sizeof pad);
	pad.low.n = pad.high.n = n + 2;
	memcpy(pad.low.at + 2, w->low, (size_t)n * sizeof *w->low);
	memcpy(pad.high.at + 2, w->high, (size_t)n * sizeof *w->high);
	ew_start_element(EW_MAX, scalar.dtype, lowest);
	ir_val v = ir_const(op->graph, &scalar, lowest);
	return form_of(op, v != 0 ? ir_emit2(op->graph, OP_PAD, x.id, v, &pad) : 0);
}

/* Places in the operand, row-major: of the window's first element, and of each tap after it. */
static adze_tensor flat_places(struct tensor_op *op, adze_tensor x, adze_tensor tap, int n,
			       const struct ir_dims *stride, const adze_window3 *w,
			       const int64_t *delta, int64_t taps)
{
	adze_shape table = shape_make(ADZE_I64, 1, &taps), y = *tensor_type(op, tap.id);
	struct attrs_axis first = {.axis = 0};
	ir_val list = ir_const(op->graph, &table, delta);
	adze_tensor at = form_of(op, list != 0 ? ir_emit2(op->graph, OP_TAKE, list, tap.id, &first)
					       : 0);
	int64_t inner = 1;
	for (int i = n - 1; i >= 0; i--) {
		adze_tensor p = form_iota(op, &y, ADZE_I64, 2 + i);
		p = f_shift(f_scale(p, (double)stride->at[i]), -(double)w->low[i]);
		at = f_add(at, f_scale(p, (double)inner));
		inner *= tensor_type(op, x.id)->dim[2 + i].size;
	}
	return at;
}

static adze_tensor max_places(struct tensor_op *op, adze_tensor x, adze_tensor y,
			      const int64_t *size, const adze_window3 *w)
{
	int n = tensor_type(op, x.id)->rank - 2;
	struct ir_dims stride = {.n = n}, shift = {.n = n};
	adze_tensor part[MOST_TAPS];
	int64_t delta[MOST_TAPS], taps = 1;
	const adze_shape ys = *tensor_type(op, y.id);
	for (int i = 0; i < n; i++) {
		stride.at[i] = w->stride[i] == 0 ? size[i] : w->stride[i];
		if (size[i] > MOST_TAPS || (taps *= size[i]) > MOST_TAPS || ys.dim[2 + i].size < 1)
			return form_refuse(op, x, "the window is too large, or moves nowhere");
	}
	adze_tensor wide = pad_lowest(op, x, n, w);
	for (int64_t k = 0; k < taps && adze_is(wide); k++) {
		int64_t rest = k, inner = 1;
		delta[k] = 0;
		for (int i = n - 1; i >= 0; i--) {
			shift.at[i] = rest % size[i] * or_one(w->dilation[i]);
			rest /= size[i];
			delta[k] += shift.at[i] * inner;
			inner *= tensor_type(op, x.id)->dim[2 + i].size;
		}
		part[k] = tap_slice(op, wide, n, &ys, &stride, &shift);
	}
	if (!adze_is(wide))
		return wide;
	adze_tensor tap = (adze_argmax)(adze_stack_at(NULL, 0, part, (size_t)taps, -1, NULL), "-1");
	return adze_is(tap) ? flat_places(op, x, tap, n, &stride, w, delta, taps) : tap;
}

adze_tensor(adze_max_pool_index)(adze_tensor x, const int64_t *size, const adze_window3 *window,
				 adze_tensor *index)
{
	struct tensor_op op = tensor_begin("max_pool_index", &x, 1);
	adze_tensor y = pool(&op, x, EW_MAX, size, window), at = y;
	if (op.ok && adze_is(y))
		at = max_places(&op, x, y, size, window != NULL ? window : &plain);
	at = form_end(&op, at);
	if (index != NULL)
		*index = at;
	return adze_is(at) ? y : at;
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

/* Channels to places: their factors of r are axes `at` and at + 1 of the six that they are cut to
 * with height and width, in the order of `axes`. */
static adze_tensor to_space(const char *name, adze_tensor x, int64_t r, int at, const int64_t *axes)
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	if (!shufflable(&op, x, r))
		return form_end(&op, x);
	adze_shape to = *tensor_type(&op, x.id), apart = to;
	if (to.dim[1].size % (r * r) != 0)
		return form_end(&op, form_refuse(&op, x, "the factor's square does not divide "
							 "the channels"));
	to.dim[1].size /= r * r;
	apart.rank = 6;
	apart.dim[at == 1 ? 3 : 1] = to.dim[1];
	apart.dim[at] = apart.dim[at + 1] = dim_make(r);
	memcpy(&apart.dim[4], &to.dim[2], 2 * sizeof to.dim[0]);
	to.dim[2].size *= r;
	to.dim[3].size *= r;
	return form_end(&op, shuffle(&op, x, &apart, axes, &to));
}

/* The way back, from height and width cut by r. */
static adze_tensor to_channels(const char *name, adze_tensor x, int64_t r, const int64_t *axes)
{
	struct tensor_op op = tensor_begin(name, &x, 1);
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
	return form_end(&op, shuffle(&op, x, &apart, axes, &to));
}

adze_tensor(adze_pixel_shuffle)(adze_tensor x, int64_t r)
{
	return to_space("pixel_shuffle", x, r, 2, (const int64_t[]){0, 1, 4, 2, 5, 3});
}

adze_tensor(adze_pixel_unshuffle)(adze_tensor x, int64_t r)
{
	return to_channels("pixel_unshuffle", x, r, (const int64_t[]){0, 1, 3, 5, 2, 4});
}

adze_tensor(adze_depth_to_space)(adze_tensor x, int64_t r)
{
	return to_space("depth_to_space", x, r, 1, (const int64_t[]){0, 3, 4, 1, 5, 2});
}

adze_tensor(adze_space_to_depth)(adze_tensor x, int64_t r)
{
	return to_channels("space_to_depth", x, r, (const int64_t[]){0, 3, 5, 1, 2, 4});
}

adze_tensor(adze_channel_shuffle)(adze_tensor x, int64_t groups)
{
	struct tensor_op op = tensor_begin("channel_shuffle", &x, 1);
	if (spatial(&op, x, 0) == 0)
		return form_end(&op, x);
	adze_shape to = *tensor_type(&op, x.id), apart = to;
	if (groups < 1 || !dim_is_static(&to.dim[1]) || to.dim[1].size % groups != 0)
		return form_end(&op, form_refuse(&op, x, "the groups do not divide the channels"));
	apart.dim[1] = dim_make(to.dim[1].size / groups);
	if (!form_insert(&op, &apart, 1, dim_make(groups)))
		return form_end(&op, x);
	struct attrs_axes swap = {.axes = {.n = apart.rank}};
	for (int i = 0; i < apart.rank; i++)
		swap.axes.at[i] = i == 1 ? 2 : i == 2 ? 1 : i;
	adze_tensor y = form_reshape(&op, x, &apart);
	if (adze_is(y))
		y = form_of(&op, ir_emit1(op.graph, OP_TRANSPOSE, y.id, &swap, NULL));
	return form_end(&op, form_reshape(&op, y, &to));
}
