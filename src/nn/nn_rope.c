/* SPDX-License-Identifier: Apache-2.0
 *
 * Rotary positions: how far each pair turns in a place, and the turning.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nn/nn_parts.h"

#define PI 3.14159265358979323846

/* An adze_rope() at work: x [.., d], of which `width` turn, along axis k. */
struct rope {
	struct tensor_op *op;
	adze_rope_options with; /* what 0 stands for is filled in */
	adze_shape s;
	int k, last;
	int64_t d, pairs;
	double attention;
};

/* ---- how far pairs turn ---- */

/* The pair that turns `times` in `original` places, as a fraction (arXiv:2309.00071, 3.2). */
static double pair_of(const struct rope *r, double times)
{
	return (double)r->with.width * log((double)r->with.original / (times * 2 * PI)) /
	       (2 * log(r->with.base));
}

/* Llama 3: what a pair keeps of its own pace, by how often it turns in `original` places. */
static double keep_llama3(const struct rope *r, double f)
{
	double turns = (double)r->with.original * f / (2 * PI);
	double share = (turns - r->with.low) / (r->with.high - r->with.low);
	return share < 0 ? 0 : share > 1 ? 1 : share;
}

static double keep_yarn(const struct rope *r, int64_t i)
{
	double from = pair_of(r, r->with.fast), to = pair_of(r, r->with.slow);
	if (!r->with.exact_bounds) {
		from = floor(from);
		to = ceil(to);
	}
	from = from < 0 ? 0 : from;
	to = to > (double)r->with.width - 1 ? (double)r->with.width - 1 : to;
	double ramp = ((double)i - from) / (from == to ? 0.001 : to - from);
	return 1 - (ramp < 0 ? 0 : ramp > 1 ? 1 : ramp);
}

static double pace(const struct rope *r, int64_t i, const double *divide)
{
	const adze_rope_options *w = &r->with;
	bool whole = w->scaling == ADZE_ROPE_PROPORTIONAL;
	double f = pow(w->base, -2.0 * (double)i / (double)(whole ? r->d : w->width)), keep = 1;
	if (w->scaling == ADZE_ROPE_LINEAR || whole)
		return f / w->factor;
	if (w->scaling == ADZE_ROPE_LONG)
		return f / divide[i];
	if (w->scaling == ADZE_ROPE_LLAMA3)
		keep = keep_llama3(r, f);
	else if (w->scaling == ADZE_ROPE_YARN)
		keep = keep_yarn(r, i);
	return keep * f + (1 - keep) * f / w->factor;
}

/* All of them, [pairs], as a constant. */
static adze_tensor paces(struct rope *r, const double *divide)
{
	struct arena *memory = &r->op->graph->arena;
	const adze_shape s = {.dtype = ADZE_F32, .rank = 1, .dim = {dim_make(r->pairs)}};
	float *f = arena_new(memory, (size_t)r->pairs, sizeof *f);
	for (int64_t i = 0; f != NULL && i < r->pairs; i++)
		f[i] = (float)pace(r, i, divide);
	if (f == NULL)
		tensor_fail(r->op, ADZE_E_NOMEM, "no memory for its numbers");
	return r->op->ok ? (adze_constant)(r->op->graph, &s, f) : form_of(r->op, 0);
}

/* The places of this call reach so far, as f64. */
static adze_tensor reach(adze_tensor places)
{
	return f_shift((adze_convert)((adze_maximum)(places, ""), ADZE_F64), 1);
}

/* Of a base times (factor reach / original - factor + 1)^(width / (width - 2)). */
static adze_tensor grown_paces(struct rope *r, adze_tensor places)
{
	const adze_rope_options *w = &r->with;
	const adze_shape s = {.dtype = ADZE_F64, .rank = 1, .dim = {dim_make(r->pairs)}};
	adze_tensor far = reach(places);
	far = f_max(far, f_num(far, (double)w->original));
	adze_tensor grow = f_shift(f_scale(far, w->factor / (double)w->original), 1 - w->factor);
	adze_tensor base = f_scale(f_log(grow), (double)w->width / (double)(w->width - 2));
	base = f_shift(base, log(w->base));
	adze_tensor i = f_scale(form_iota(r->op, &s, ADZE_F64, 0), -2.0 / (double)w->width);
	return (adze_convert)(f_exp(f_mul(i, base)), ADZE_F32);
}

static adze_tensor paces_of(struct rope *r, adze_tensor places)
{
	const adze_rope_options *w = &r->with;
	if (w->scaling == ADZE_ROPE_DYNAMIC)
		return grown_paces(r, places);
	if (w->scaling != ADZE_ROPE_LONG)
		return paces(r, NULL);
	adze_tensor far = reach(places), beyond = f_gt(far, f_num(far, (double)w->original));
	return (adze_select)(beyond, paces(r, w->long_factor), paces(r, w->short_factor));
}

/* ---- options ---- */

static double or_else(double v, double otherwise)
{
	return v != 0 ? v : otherwise;
}

static double yarn_scale(double factor, double mscale)
{
	return factor <= 1 ? 1 : 0.1 * mscale * log(factor) + 1;
}

static double attention_of(const adze_rope_options *w)
{
	if (w->attention != 0)
		return w->attention;
	if (w->scaling == ADZE_ROPE_YARN && w->mscale != 0 && w->mscale_all != 0)
		return yarn_scale(w->factor, w->mscale) / yarn_scale(w->factor, w->mscale_all);
	if (w->scaling == ADZE_ROPE_YARN)
		return yarn_scale(w->factor, 1);
	if (w->scaling == ADZE_ROPE_LONG && w->factor > 1)
		return sqrt(1 + log(w->factor) / log((double)w->original));
	return 1;
}

static bool refuse_options(struct rope *r, const char *words)
{
	tensor_fail(r->op, ADZE_E_ARGUMENT, "%s", words);
	return false;
}

static bool check_options(struct rope *r)
{
	const adze_rope_options *w = &r->with;
	bool bounded = w->scaling == ADZE_ROPE_DYNAMIC || w->scaling == ADZE_ROPE_LLAMA3 ||
		       w->scaling == ADZE_ROPE_YARN || w->scaling == ADZE_ROPE_LONG;
	if ((unsigned)w->scaling > ADZE_ROPE_PROPORTIONAL ||
	    (unsigned)w->layout > ADZE_ROPE_SPREAD)
		return refuse_options(r, "there is no such scaling, or layout");
	if (!(w->base > 0) || !(w->factor > 0) || !isfinite(w->base) || !isfinite(w->factor))
		return refuse_options(r, "base and factor are positive numbers");
	if (bounded && w->original < 2)
		return refuse_options(r, "this scaling needs `original`, the places of training");
	if (w->scaling == ADZE_ROPE_DYNAMIC && (w->width < 4 || w->factor < 1))
		return refuse_options(r, "dynamic scaling needs two pairs, and a factor of 1 up");
	if (w->scaling == ADZE_ROPE_LLAMA3 && !(w->low < w->high))
		return refuse_options(r, "low is not below high");
	if (w->scaling == ADZE_ROPE_YARN &&
	    (!(w->fast > 0) || !(w->slow > 0) || w->base == 1))
		return refuse_options(r, "fast and slow are positive, and base is not 1");
	if (w->scaling != ADZE_ROPE_LONG)
		return true;
	if (w->short_factor == NULL || w->long_factor == NULL)
		return refuse_options(r, "this scaling needs short_factor and long_factor");
	for (int64_t i = 0; i < r->pairs; i++)
		if (!(w->short_factor[i] > 0) || !(w->long_factor[i] > 0))
			return refuse_options(r, "short_factor and long_factor are positive");
	return true;
}

static bool begin(struct rope *r, adze_tensor x, const char *axis, const adze_rope_options *with)
{
	adze_rope_options *w = &r->with;
	r->k = r->op->ok ? tensor_axis_of(r->op, x.id, axis) : -1;
	if (r->k < 0)
		return false;
	r->s = *tensor_type(r->op, x.id);
	r->last = r->s.rank - 1;
	r->d = r->s.dim[r->last].size;
	*w = with != NULL ? *with : *w;
	w->width = w->width != 0 ? w->width : r->d;
	w->base = or_else(w->base, 10000);
	w->factor = or_else(w->factor, 1);
	w->low = or_else(w->low, 1);
	w->high = or_else(w->high, 4);
	w->fast = or_else(w->fast, 32);
	w->slow = or_else(w->slow, 1);
	r->pairs = w->width / 2;
	bool even = w->layout != ADZE_ROPE_SPREAD || r->d % 2 == 0;
	if (!dtype_is_float(r->s.dtype) || r->k == r->last ||
	    !dim_is_static(&r->s.dim[r->last]) || w->width < 2 || w->width % 2 != 0 ||
	    w->width > r->d || !even) {
		form_refuse(r->op, x, "it takes floats, and an even width of another axis, the "
				      "last");
		return false;
	}
	if (!check_options(r))
		return false;
	r->attention = attention_of(w);
	return true;
}

/* ---- turning ---- */

/* x with its pairs side by side along an axis of 2: [.., 2, pairs], or [.., pairs, 2]. */
struct turning {
	adze_shape s;
	int two, pairs; /* axes */
};

/* The angles of each place, [.., axis, pairs]. In f32: a place that is a bf16 would be off by
 * whole turns. */
static adze_tensor angles(struct rope *r, adze_tensor places)
{
	struct tensor_op *op = r->op;
	const adze_shape *s = tensor_type(op, places.id);
	if (dtype_is_float(s->dtype) || s->dtype == ADZE_BOOL || s->rank < 1 || s->rank > 2 ||
	    (s->rank == 2 && r->k == 0) || !dim_same(&s->dim[s->rank - 1], &r->s.dim[r->k]) ||
	    (s->rank == 2 && !dim_same(&s->dim[0], &r->s.dim[0])))
		return form_refuse(op, places, "places are integers [axis], or [first axis, axis]");
	adze_tensor turn = paces_of(r, places), where = (adze_convert)(places, ADZE_F32);
	return op->ok ? (adze_outer)(where, turn) : form_of(op, 0);
}

/* sin for the second of each pair, -sin for the first, [.., axis, then as pairs lie]: once for
 * all heads and layers. */
static adze_tensor signed_sines(struct rope *r, const struct turning *t, adze_tensor sines)
{
	static const float sign[2] = {-1, 1};
	struct tensor_op *op = r->op;
	adze_shape s = *tensor_type(op, sines.id), two = {.dtype = ADZE_F32, .rank = 1};
	struct ir_dims at = {.n = s.rank};
	int from = s.rank - 1;
	bool first = t->two < t->pairs;
	two.dim[0] = dim_make(2);
	if (!form_insert(op, &s, first ? from : from + 1, dim_make(2)))
		return sines;
	for (int i = 0; i < at.n; i++)
		at.at[i] = i + (first && i == from);
	const struct ir_dims of_two = {.n = 1, .at = {first ? from : from + 1}};
	adze_tensor signs = (adze_constant)(op->graph, &two, sign);
	signs = (adze_convert)(signs, s.dtype);
	sines = form_spread(op, sines, &s, &at);
	return f_mul(sines, form_spread(op, signs, &s, &of_two));
}

/* [a, b] of each pair to [a c - b s, b c + a s], read by strides in one pass. */
static adze_tensor turn(struct rope *r, const struct turning *t, adze_tensor x, adze_tensor places)
{
	struct tensor_op *op = r->op;
	struct attrs_axes swap = {.axes = {.n = 1, .at = {t->two}}};
	adze_tensor angle = angles(r, places);
	if (!op->ok || !adze_is(x) || !adze_is(angle))
		return form_of(op, 0);
	adze_tensor c = f_cos(angle), s = f_sin(angle);
	if (r->attention != 1) {
		c = f_scale(c, r->attention);
		s = f_scale(s, r->attention);
	}
	adze_tensor y = form_of(op, ir_emit1(op->graph, OP_REVERSE, x.id, &swap, NULL));
	x = form_wide(x);
	y = form_wide(y);
	c = (adze_convert)(c, adze_tensor_shape(x).dtype);
	s = (adze_convert)(s, adze_tensor_shape(x).dtype);
	int n = adze_tensor_shape(c).rank;
	struct ir_dims at = {.n = n, .at = {[0] = 0}}, at_two = {.n = n + 1};
	at.at[n - 2] = r->k;
	at.at[n - 1] = t->pairs;
	at_two.at[n - 2] = r->k;
	at_two.at[n - 1] = t->two < t->pairs ? t->two : t->pairs;
	at_two.at[n] = t->two < t->pairs ? t->pairs : t->two;
	s = signed_sines(r, t, s);
	if (!op->ok)
		return form_of(op, 0);
	c = form_spread(op, c, &t->s, &at);
	s = form_spread(op, s, &t->s, &at_two);
	return (adze_convert)(f_add(f_mul(x, c), f_mul(y, s)), r->s.dtype);
}

static adze_tensor part_of(const struct rope *r, adze_tensor x, int64_t from, int64_t to)
{
	return from == 0 && to == r->d ? x : (adze_slice)(x, "-1", from, to, 1);
}

/* x and the axis of its pairs; `*rest` what of the shape of pairs does not turn, or null. */
static adze_tensor pair_up(struct rope *r, adze_tensor x, struct turning *t, adze_tensor *rest)
{
	struct tensor_op *op = r->op;
	bool spread = r->with.layout == ADZE_ROPE_SPREAD;
	bool beside = r->with.layout == ADZE_ROPE_PAIRS;
	int64_t width = spread ? r->d : r->with.width;
	t->s = r->s;
	t->two = beside ? r->last + 1 : r->last;
	t->pairs = beside ? r->last : r->last + 1;
	t->s.dim[r->last] = dim_make(width / 2);
	if (!form_insert(op, &t->s, t->two, dim_make(2)))
		return form_of(op, 0);
	x = form_reshape(op, part_of(r, x, 0, width), &t->s);
	if (width / 2 == r->pairs)
		return x;
	*rest = (adze_slice)(x, "-1", r->pairs, width / 2, 1);
	t->s.dim[t->pairs] = dim_make(r->pairs);
	return (adze_slice)(x, "-1", 0, r->pairs, 1);
}

adze_tensor(adze_rope)(adze_tensor x, adze_tensor places, const char *axis,
		       const adze_rope_options *options)
{
	const adze_tensor all[2] = {x, places};
	struct tensor_op op = tensor_begin("rope", all, 2);
	struct rope r = {.op = &op};
	if (!begin(&r, x, axis, options))
		return form_end(&op, x);
	struct turning t;
	adze_tensor part[2] = {{0}, {0}};
	adze_tensor y = pair_up(&r, x, &t, &part[1]);
	if (op.ok && adze_is(y))
		y = turn(&r, &t, y, places);
	if (!op.ok || !adze_is(y))
		return form_end(&op, form_of(&op, 0));
	part[0] = y;
	if (adze_is(part[1]))
		y = adze_concat_at(NULL, 0, part, 2, "-1");
	adze_shape turned = r.s;
	if (r.with.layout != ADZE_ROPE_SPREAD)
		turned.dim[r.last].size = r.with.width;
	part[0] = form_reshape(&op, y, &turned);
	if (turned.dim[r.last].size == r.d)
		return form_end(&op, part[0]);
	part[1] = part_of(&r, x, r.with.width, r.d);
	return form_end(&op, op.ok ? adze_concat_at(NULL, 0, part, 2, "-1") : form_of(&op, 0));
}
