/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms that put elements, or weighted sums of some, at other places along an axis: padding by
 * what is there, resizing, adaptive pools.
 */
#include "forms.h"

#include <math.h>
#include <string.h>

/* For each of n places, m elements that go into it, and their weights. */
struct taps {
	int64_t n, m;
	int32_t *at;
	double *weight;
};

static bool taps_open(struct tensor_op *op, struct taps *t, int64_t n, int64_t m)
{
	size_t count;
	*t = (struct taps){n, m, NULL, NULL};
	if (!size_mul((size_t)n, (size_t)m, &count) || count > INT32_MAX / 8) {
		tensor_fail(op, ADZE_E_LIMIT, "an extent is out of range");
		return false;
	}
	const adze_allocator *a = op->graph->arena.from;
	t->at = mem_new(a, count + 1, sizeof *t->at);
	t->weight = mem_new(a, count + 1, sizeof *t->weight);
	if (t->at == NULL || t->weight == NULL)
		tensor_fail(op, ADZE_E_NOMEM, "no memory for %zu places", count);
	return op->ok;
}

static void taps_close(struct tensor_op *op, struct taps *t)
{
	size_t count = (size_t)(t->n * t->m) + 1;
	mem_free(op->graph->arena.from, t->at, count, sizeof *t->at);
	mem_free(op->graph->arena.from, t->weight, count, sizeof *t->weight);
}

/* The elements of each place along a new axis behind axis k. */
static adze_tensor spread(struct tensor_op *op, adze_tensor x, int k, const struct taps *t)
{
	return form_places(op, x, k, t->at, t->n, t->m);
}

static void name_axis(char *text, int axis)
{
	text[0] = (char)('0' + axis);
	text[1] = '\0';
}

/* The sums of elements times weights. */
static adze_tensor weigh(struct tensor_op *op, adze_tensor x, int k, const struct taps *t)
{
	const int64_t extent[2] = {t->n, t->m};
	adze_shape table = shape_make(ADZE_F64, 2, extent);
	struct ir_dims at = {.n = 2, .at = {k, k + 1}};
	char axis[4];
	adze_tensor y = spread(op, form_wide(x), k, t);
	if (!adze_is(y))
		return y;
	adze_tensor w = form_of(op, ir_const(op->graph, &table, t->weight));
	w = (adze_convert)(w, adze_tensor_shape(y).dtype);
	w = form_spread(op, w, tensor_type(op, y.id), &at);
	name_axis(axis, k + 1);
	y = (adze_sum)(f_mul(y, w), axis);
	return (adze_convert)(y, adze_tensor_shape(x).dtype);
}

/* The axis, if it is not empty and both extents are sane; -1 with words. */
static int sane_axis(struct tensor_op *op, adze_tensor x, const char *axis, int64_t wanted)
{
	int k = form_fixed(op, x, axis);
	if (k < 0)
		return -1;
	int64_t n = tensor_type(op, x.id)->dim[k].size;
	if (n < 1 || n > INT32_MAX / 4 || wanted < 0 || wanted > INT32_MAX / 4)
		form_refuse(op, x, "the axis is empty, or an extent is out of range");
	return op->ok ? k : -1;
}

/* ---- padding by what is there ---- */

enum edge { EDGE_REFLECT, EDGE_SYMMETRIC, EDGE_REPLICATE, EDGE_CIRCULAR };

/* The element, of n, that stands for place p, which may lie outside. */
static int64_t element_at(int64_t p, int64_t n, enum edge edge)
{
	int64_t turn = edge == EDGE_REFLECT ? 2 * n - 2 : edge == EDGE_SYMMETRIC ? 2 * n : n;
	if (edge == EDGE_REPLICATE || turn == 0)
		return p < 0 ? 0 : p < n ? p : n - 1;
	p = (p % turn + turn) % turn;
	return p < n ? p : edge == EDGE_REFLECT ? turn - p : turn - 1 - p;
}

static adze_tensor pad_from(const char *name, adze_tensor x, const char *axis, int64_t low,
			    int64_t high, enum edge edge)
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	struct taps t;
	bool sane = low >= 0 && high >= 0 && low <= INT32_MAX / 16 && high <= INT32_MAX / 16;
	int k = sane_axis(&op, x, axis, sane ? low + high : -1);
	int64_t n = k >= 0 ? tensor_type(&op, x.id)->dim[k].size : 0;
	int64_t most = edge == EDGE_REFLECT ? n - 1 : n;
	if (k >= 0 && edge != EDGE_REPLICATE && (low > most || high > most))
		form_refuse(&op, x, edge == EDGE_CIRCULAR ? "no more than the axis comes around"
							  : "a mirror shows fewer than the axis "
							    "has");
	if (!op.ok)
		return form_end(&op, x);
	adze_tensor y = x;
	if (taps_open(&op, &t, low + n + high, 1)) {
		for (int64_t i = 0; i < t.n; i++)
			t.at[i] = (int32_t)element_at(i - low, n, edge);
		y = form_places(&op, x, k, t.at, t.n, 0);
	}
	taps_close(&op, &t);
	return form_end(&op, y);
}

adze_tensor(adze_pad_reflect)(adze_tensor x, const char *axis, int64_t low, int64_t high)
{
	return pad_from("pad_reflect", x, axis, low, high, EDGE_REFLECT);
}

adze_tensor(adze_pad_symmetric)(adze_tensor x, const char *axis, int64_t low, int64_t high)
{
	return pad_from("pad_symmetric", x, axis, low, high, EDGE_SYMMETRIC);
}

adze_tensor(adze_pad_replicate)(adze_tensor x, const char *axis, int64_t low, int64_t high)
{
	return pad_from("pad_replicate", x, axis, low, high, EDGE_REPLICATE);
}

adze_tensor(adze_pad_circular)(adze_tensor x, const char *axis, int64_t low, int64_t high)
{
	return pad_from("pad_circular", x, axis, low, high, EDGE_CIRCULAR);
}

/* ---- resizing ---- */

/* Keys' cubic convolution at a distance (IEEE ASSP-29, 1153); a triangle. */
static double cubic(double d, double a)
{
	d = fabs(d);
	if (d <= 1)
		return ((a + 2) * d - (a + 3)) * d * d + 1;
	return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

static double triangle(double d)
{
	return fabs(d) < 1 ? 1 - fabs(d) : 0;
}

/* Where place i of `out` lies among `in`; `by`: places of the result for one of the operand. */
static double source(int64_t i, int64_t in, int64_t out, double by, adze_resize_coords coords)
{
	/* A quotient of whole numbers rounds once. */
	double at = by == 0 ? (double)i * (double)in / (double)out : (double)i / by;
	double half = (by == 0 ? 0.5 * (double)in / (double)out : 0.5 / by) - 0.5;
	switch (coords) {
	case ADZE_ASYMMETRIC: return at;
	case ADZE_ALIGN_CORNERS:
		return out > 1 ? (double)i * (double)(in - 1) / (double)(out - 1) : 0;
	case ADZE_PYTORCH_HALF_PIXEL: return out > 1 ? at + half : 0;
	case ADZE_HALF_PIXEL_SYMMETRIC: {
		double whole = by == 0 ? (double)out : by * (double)in;
		return (double)in / 2 * (1 - (double)out / whole) + at + half;
	}
	default: return at + half;
	}
}

static double to_whole(double at, adze_resize_round round)
{
	switch (round) {
	case ADZE_ROUND_PREFER_FLOOR: return ceil(at - 0.5);
	case ADZE_ROUND_PREFER_CEIL: return floor(at + 0.5);
	case ADZE_ROUND_UP: return ceil(at);
	default: return floor(at);
	}
}

static int32_t kept(double place, int64_t in)
{
	return (int32_t)(place < 0 ? 0 : place > (double)(in - 1) ? (double)(in - 1) : place);
}

static void fill_nearest(struct taps *t, int64_t in, const adze_resize_options *o)
{
	for (int64_t i = 0; i < t->n; i++)
		t->at[i] = kept(to_whole(source(i, in, t->n, o->scale, o->coords), o->round), in);
}

static void fill_taps(struct taps *t, int64_t in, double stretch, const adze_resize_options *o)
{
	double a = o->cubic != 0 ? o->cubic : -0.75;
	for (int64_t i = 0; i < t->n; i++) {
		double at = source(i, in, t->n, o->scale, o->coords), sum = 0;
		double first = floor(at) - (double)(t->m / 2) + 1;
		for (int64_t k = 0; k < t->m; k++) {
			double place = first + (double)k, d = (place - at) / stretch;
			double w = o->mode == ADZE_CUBIC ? cubic(d, a) : triangle(d);
			if (o->exclude_outside && (place < 0 || place > (double)(in - 1)))
				w = 0;
			t->at[i * t->m + k] = kept(place, in);
			t->weight[i * t->m + k] = w;
			sum += w;
		}
		for (int64_t k = 0; k < t->m; k++)
			t->weight[i * t->m + k] /= sum != 0 ? sum : 1;
	}
}

static adze_tensor resize(struct tensor_op *op, adze_tensor x, const char *axis, int64_t extent,
			  const adze_resize_options *o)
{
	int k = sane_axis(op, x, axis, extent);
	if (k < 0)
		return x;
	if ((unsigned)o->mode > ADZE_CUBIC_CORNERS || !(o->scale >= 0) ||
	    (unsigned)o->coords > ADZE_HALF_PIXEL_SYMMETRIC)
		return form_refuse(op, x, "there is no such mode");
	adze_resize_options plain = *o;
	if (o->mode == ADZE_LINEAR_CORNERS || o->mode == ADZE_CUBIC_CORNERS) {
		plain.mode = o->mode == ADZE_LINEAR_CORNERS ? ADZE_LINEAR : ADZE_CUBIC;
		plain.coords = ADZE_ALIGN_CORNERS;
	}
	struct taps t;
	int64_t in = tensor_type(op, x.id)->dim[k].size;
	double by = o->scale > 0 ? o->scale : extent > 0 ? (double)extent / (double)in : 1;
	double stretch = o->antialias && by < 1 ? 1 / by : 1;
	double reach = ceil((plain.mode == ADZE_CUBIC ? 2 : 1) * stretch);
	bool nearest = o->mode == ADZE_NEAREST;
	if (!(reach < 1e6))
		return form_refuse(op, x, "the scale is out of range");
	adze_tensor y = x;
	if (taps_open(op, &t, extent, nearest ? 1 : 2 * (int64_t)reach)) {
		if (nearest)
			fill_nearest(&t, in, &plain);
		else
			fill_taps(&t, in, stretch, &plain);
		y = nearest ? form_places(op, x, k, t.at, t.n, 0) : weigh(op, x, k, &t);
	}
	taps_close(op, &t);
	return y;
}

adze_tensor(adze_resize_with)(adze_tensor x, const char *axis, int64_t extent,
			      const adze_resize_options *options)
{
	static const adze_resize_options plain;
	const adze_resize_options *o = options != NULL ? options : &plain;
	struct tensor_op op = o->mode == ADZE_NEAREST ? tensor_begin("resize_with", &x, 1)
						      : form_floats("resize_with", &x, 1);
	return form_end(&op, resize(&op, x, axis, extent, o));
}

adze_tensor(adze_resize)(adze_tensor x, const char *axis, int64_t extent, adze_resize_mode mode)
{
	struct tensor_op op = mode == ADZE_NEAREST ? tensor_begin("resize", &x, 1)
						   : form_floats("resize", &x, 1);
	adze_resize_options o = {.mode = mode, .round = ADZE_ROUND_DOWN};
	o.coords = mode == ADZE_NEAREST ? ADZE_ASYMMETRIC : ADZE_HALF_PIXEL;
	return form_end(&op, resize(&op, x, axis, extent, &o));
}

adze_tensor(adze_resize2d)(adze_tensor x, int64_t height, int64_t width, adze_resize_mode mode)
{
	struct tensor_op op = tensor_begin("resize2d", &x, 1);
	return form_end(&op, (adze_resize)((adze_resize)(x, "-2", height, mode), "-1", width,
					   mode));
}

/* ---- adaptive pools ---- */

/* One axis: place i takes the elements from floor(i n / out) up to ceil((i + 1) n / out). */
static adze_tensor adapt(struct tensor_op *op, adze_tensor x, int k, int64_t out, bool largest)
{
	char axis[4];
	struct taps t;
	int64_t n = tensor_type(op, x.id)->dim[k].size;
	adze_tensor y = x;
	if (taps_open(op, &t, out, (n + out - 1) / out + 1)) {
		for (int64_t i = 0; i < out * t.m; i++) {
			int64_t from = i / t.m * n / out, to = ((i / t.m + 1) * n + out - 1) / out;
			int64_t at = from + i % t.m;
			t.at[i] = (int32_t)(at < to ? at : to - 1);
			t.weight[i] = at < to ? 1.0 / (double)(to - from) : 0;
		}
		name_axis(axis, k + 1);
		y = largest ? (adze_maximum)(spread(op, x, k, &t), axis) : weigh(op, x, k, &t);
	}
	taps_close(op, &t);
	return y;
}

static adze_tensor adaptive(const char *name, adze_tensor x, const int64_t *extent, bool largest)
{
	struct tensor_op op = largest ? tensor_begin(name, &x, 1) : form_floats(name, &x, 1);
	int n = op.ok ? tensor_type(&op, x.id)->rank - 2 : 0;
	bool divides = true;
	int64_t size[3] = {1, 1, 1};
	if (op.ok && (n < 1 || n > 3))
		form_refuse(&op, x, "it takes [batch, channel, 1 to 3 spatial axes]");
	for (int i = 0; i < n && op.ok; i++) {
		const adze_dim *d = &tensor_type(&op, x.id)->dim[2 + i];
		if (extent == NULL || extent[i] < 1 || !dim_is_static(d) || d->size < 1 ||
		    d->size > INT32_MAX || extent[i] > INT32_MAX)
			form_refuse(&op, x, "extents are numbers, from 1 on");
		else
			divides = divides && d->size % extent[i] == 0;
		size[i] = op.ok ? d->size / extent[i] : 1;
	}
	if (!op.ok)
		return form_end(&op, x);
	if (divides)
		return form_end(&op, largest ? (adze_max_pool)(x, size, NULL)
					     : (adze_avg_pool)(x, size, NULL));
	adze_tensor y = largest ? x : form_wide(x);
	for (int i = 0; i < n && op.ok && adze_is(y); i++)
		y = adapt(&op, y, 2 + i, extent[i], largest);
	return form_end(&op, (adze_convert)(y, adze_tensor_shape(x).dtype));
}

adze_tensor(adze_adaptive_max_pool)(adze_tensor x, const int64_t *extent)
{
	return adaptive("adaptive_max_pool", x, extent, true);
}

adze_tensor(adze_adaptive_avg_pool)(adze_tensor x, const int64_t *extent)
{
	return adaptive("adaptive_avg_pool", x, extent, false);
}
