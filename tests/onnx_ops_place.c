/* SPDX-License-Identifier: Apache-2.0
 *
 * ONNX operators that write or read at computed places, recurrent networks, and Fourier
 * transforms.
 */
#include "tests/onnx_ops.h"

/* A body of scalars: what meets at a place; `op` OP_NONE: the later one stays. */
static int64_t join(struct onnx_build *b, adze_dtype dtype, enum ir_op op)
{
	const adze_shape scalar = shape_make(dtype, 0, NULL);
	adze_graph *g = ir_body_begin(b->g, "join");
	if (g == NULL)
		return 0;
	ir_val old = ir_input(g, "a", &scalar), new = ir_input(g, "b", &scalar);
	ir_output(g, "r", op == OP_NONE ? new : ir_emit2(g, op, old, new, NULL), 0);
	return ir_body_end(g);
}

static int64_t reduction(struct onnx_build *b, adze_dtype dtype)
{
	return join(b, dtype, ob_is(b, "reduction", "add")   ? OP_ADD
			      : ob_is(b, "reduction", "mul") ? OP_MUL
			      : ob_is(b, "reduction", "max") ? OP_MAX
			      : ob_is(b, "reduction", "min") ? OP_MIN
							     : OP_NONE);
}

static ir_val scatter(struct onnx_build *b, ir_val x, ir_val at, ir_val u,
		      struct attrs_scatter *a, int64_t n)
{
	ir_val args[3] = {x, at, u};
	for (int64_t i = 0; i < n; i++)
		a->inserted.at[a->inserted.n++] = a->map.at[a->map.n++] = i;
	return ir_emit(b->g, OP_SCATTER, args, 3, a, NULL);
}

/* Indices below zero count from the end, of an axis of `size`. */
static ir_val from_start(struct onnx_build *b, ir_val at, int64_t size)
{
	ir_val below = ob_ewk(b, OP_LT, at, 0);
	return ob_select(b, below, ob_ewk(b, OP_ADD, at, (double)size), at);
}

void onnx_do_scatter_elements(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), at = ob_convert(b, ob_in(b, 1), ADZE_I64), u = ob_in(b, 2);
	ir_val column[ADZE_MAX_RANK];
	int axis = ob_axis(b, x, ob_int(b, "axis", 0)), n = ob_rank(b, x);
	adze_shape t = ob_type(b, at);
	int64_t d[2] = {shape_count(&t), 1};
	struct attrs_scatter a = {.vector = 1, .body = reduction(b, ob_dtype(b, x))};
	(void)arg;
	for (int i = 0; i < n; i++)
		column[i] = ob_reshape(b, i == axis ? from_start(b, at, ob_dim(b, x, i))
						    : ob_iota(b, ADZE_I64, &t, i), 2, d);
	u = ob_reshape(b, u, 1, d);
	ob_out(b, 0, scatter(b, x, ob_concat(b, column, (size_t)n, 1), u, &a, n));
}

void onnx_do_scatter_nd(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), at = ob_convert(b, ob_in(b, 1), ADZE_I64), u = ob_in(b, 2);
	ir_val column[ADZE_MAX_RANK];
	int last = ob_rank(b, at) - 1, k = (int)ob_dim(b, at, last);
	struct attrs_scatter a = {.vector = last, .body = reduction(b, ob_dtype(b, x))};
	(void)arg;
	for (int i = 0; i < k; i++)
		column[i] = from_start(b, ob_slice(b, at, last, i, i + 1, 1), ob_dim(b, x, i));
	for (int i = last; i < ob_rank(b, u); i++)
		a.window.at[a.window.n++] = i;
	ob_out(b, 0, scatter(b, x, ob_concat(b, column, (size_t)k, last), u, &a, k));
}

/* Indices are of what the windows cover; a larger shape that is asked for has zeros behind it. */
void onnx_do_max_unpool(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), at = ob_in(b, 1);
	adze_shape t = ob_type(b, x);
	int n = t.rank - 2;
	struct ir_dims window = ob_dims(b, "kernel_shape", n, 1);
	struct ir_dims step = ob_dims(b, "strides", n, 1);
	struct ir_dims pads = ob_dims(b, "pads", 2 * n, 0);
	int64_t d[ADZE_MAX_RANK], from = shape_count(&t), to = 1, flat[2] = {from, 1};
	struct attrs_scatter a = {.vector = 1, .body = join(b, t.dtype, OP_NONE)};
	(void)arg;
	for (int i = 0; i < t.rank; i++) {
		d[i] = t.dim[i].size;
		if (i >= 2)
			d[i] = (d[i] - 1) * step.at[i - 2] + window.at[i - 2] -
			       pads.at[i - 2] - pads.at[i - 2 + n];
		to *= d[i];
	}
	adze_shape whole = shape_make(t.dtype, 1, &to);
	ir_val zero = ob_broadcast(b, ir_scalar(b->g, t.dtype, 0), &whole);
	ir_val y = scatter(b, zero, ob_reshape(b, at, 2, flat), ob_reshape(b, x, 1, flat), &a, 1);
	y = ob_reshape(b, y, t.rank, d);
	for (int i = 0; i < t.rank && ob_has(b, 2); i++)
		y = ob_pad(b, y, i, 0, ob_known_int(b, ob_in(b, 2), (size_t)i) - d[i], 0);
	ob_out(b, 0, y);
}

/* A place beyond the outer samples, or their edges, thrown back until it is between them. */
static ir_val reflect(struct onnx_build *b, ir_val v, int64_t n, bool align)
{
	double low = align ? 0 : -0.5, span = align ? (double)n - 1 : (double)n;
	v = ob_ew1(b, OP_ABS, ob_ewk(b, OP_SUB, v, low));
	ir_val turns = ob_ew1(b, OP_FLOOR, ob_ewk(b, OP_DIV, v, span));
	ir_val rest = ob_ew2(b, OP_SUB, v, ob_ewk(b, OP_MUL, turns, span));
	ir_val odd = ob_ewk(b, OP_GT, ob_ewk(b, OP_REM, turns, 2), 0.5);
	ir_val back = ob_ewk(b, OP_ADD, ob_ew1(b, OP_NEG, rest), span);
	return ob_ewk(b, OP_ADD, ob_select(b, odd, back, rest), low);
}

static ir_val keep_inside(struct onnx_build *b, ir_val v, int64_t n)
{
	return ob_ewk(b, OP_MIN, ob_ewk(b, OP_MAX, v, 0), (double)n - 1);
}

static ir_val by_padding(struct onnx_build *b, ir_val v, int64_t n, bool align)
{
	if (ob_is(b, "padding_mode", "reflection"))
		return keep_inside(b, reflect(b, v, n, align), n);
	return ob_is(b, "padding_mode", "border") ? keep_inside(b, v, n) : v;
}

/* How much the sample `tap` of those around `part`, 0 .. 1 behind the first, counts. */
static ir_val weight(struct onnx_build *b, ir_val part, int taps, int tap)
{
	const double a = -0.75;
	if (taps == 1)
		return ob_fill(b, part, 1);
	if (taps == 2)
		return tap == 1 ? part : ob_ewk(b, OP_ADD, ob_ew1(b, OP_NEG, part), 1);
	ir_val t = ob_ew1(b, OP_ABS, ob_ewk(b, OP_SUB, part, tap - 1));
	const double near[4] = {1, 0, -(a + 3), a + 2}, far[4] = {-4 * a, 8 * a, -5 * a, a};
	const double *c = tap == 1 || tap == 2 ? near : far;
	ir_val y = ob_fill(b, t, c[3]);
	for (int i = 2; i >= 0; i--)
		y = ob_ewk(b, OP_ADD, ob_ew2(b, OP_MUL, y, t), c[i]);
	return y;
}

struct taps {
	ir_val at[4], weight[4];
	int n;
};

/* The samples along one axis, of extent n, around places of -1 .. 1. */
static struct taps find_taps(struct onnx_build *b, ir_val place, int64_t n)
{
	bool align = ob_int(b, "align_corners", 0) != 0, cubic = ob_is(b, "mode", "bicubic");
	struct taps t = {.n = cubic ? 4 : ob_is(b, "mode", "nearest") ? 1 : 2};
	double half = (align ? (double)n - 1 : (double)n) / 2;
	ir_val v = ob_ewk(b, OP_MUL, ob_ewk(b, OP_ADD, place, 1), half);
	v = align ? v : ob_ewk(b, OP_SUB, v, 0.5);
	v = cubic ? v : by_padding(b, v, n, align);
	ir_val first = ob_ew1(b, t.n == 1 ? OP_ROUND : OP_FLOOR, v);
	for (int i = 0; i < t.n; i++) {
		t.weight[i] = weight(b, ob_ew2(b, OP_SUB, v, first), t.n, i);
		ir_val at = ob_ewk(b, OP_ADD, first, i - (cubic ? 1 : 0));
		at = cubic ? by_padding(b, at, n, align) : at;
		t.at[i] = keep_inside(b, at, n);
		ir_val inside = ob_convert(b, ob_ew2(b, OP_EQ, at, t.at[i]), ob_dtype(b, v));
		t.weight[i] = ob_ew2(b, OP_MUL, t.weight[i], inside);
	}
	return t;
}

void onnx_do_grid_sample(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), grid = ob_in(b, 1), y = 0;
	adze_shape t = ob_type(b, x), s = ob_type(b, grid);
	if (t.rank != 4) {
		ob_skip(b, "samples of a volume");
		return;
	}
	int64_t h = t.dim[2].size, w = t.dim[3].size, n = t.dim[0].size, c = t.dim[1].size;
	int64_t places = s.dim[1].size * s.dim[2].size, flat[3] = {n, c, h * w};
	int64_t one[3] = {n, 1, places}, all[3] = {n, c, places};
	int64_t out[4] = {n, c, s.dim[1].size, s.dim[2].size};
	const adze_shape to = shape_make(ADZE_I64, 3, all);
	(void)arg;
	struct taps column = find_taps(b, ob_reshape(b, ob_slice(b, grid, 3, 0, 1, 1), 3, one), w);
	struct taps row = find_taps(b, ob_reshape(b, ob_slice(b, grid, 3, 1, 2, 1), 3, one), h);
	x = ob_reshape(b, x, 3, flat);
	for (int i = 0; i < row.n; i++)
		for (int k = 0; k < column.n; k++) {
			ir_val at = ob_ew2(b, OP_ADD, ob_ewk(b, OP_MUL, row.at[i], (double)w),
					   column.at[k]);
			at = ob_broadcast(b, ob_convert(b, at, ADZE_I64), &to);
			ir_val part = ob_ew2(b, OP_MUL, row.weight[i], column.weight[k]);
			part = ob_ew2(b, OP_MUL, ob_take_along(b, x, at, 2), part);
			y = y == 0 ? part : ob_ew2(b, OP_ADD, y, part);
		}
	ob_out(b, 0, ob_reshape(b, y, 4, out));
}

/* A recurrent network's weights, of `n` gates; p: how the cell looks at the gates, or 0. */
struct cell {
	ir_val w, r, wb, rb, p;
	int64_t hidden;
	int n;
};

static ir_val gate(struct onnx_build *b, const struct cell *l, ir_val v, int i)
{
	return ob_slice(b, v, ob_rank(b, v) - 1, i * l->hidden, (i + 1) * l->hidden, 1);
}

static ir_val look(struct onnx_build *b, const struct cell *l, ir_val v, ir_val c, int i)
{
	return l->p == 0 ? v : ob_ew2(b, OP_ADD, v, ob_ew2(b, OP_MUL, gate(b, l, l->p, i), c));
}

static ir_val lstm_step(struct onnx_build *b, const struct cell *l, ir_val v, ir_val *c)
{
	ir_val in = ob_ew1(b, OP_LOGISTIC, look(b, l, gate(b, l, v, 0), *c, 0));
	ir_val stay = ob_ew1(b, OP_LOGISTIC, look(b, l, gate(b, l, v, 2), *c, 2));
	ir_val new = ob_ew1(b, OP_TANH, gate(b, l, v, 3));
	*c = ob_ew2(b, OP_ADD, ob_ew2(b, OP_MUL, stay, *c), ob_ew2(b, OP_MUL, in, new));
	ir_val out = ob_ew1(b, OP_LOGISTIC, look(b, l, gate(b, l, v, 1), *c, 1));
	return ob_ew2(b, OP_MUL, out, ob_ew1(b, OP_TANH, *c));
}

static ir_val gru_step(struct onnx_build *b, const struct cell *l, ir_val vx, ir_val vh, ir_val h)
{
	ir_val sum = ob_ew2(b, OP_ADD, vx, vh);
	ir_val stay = ob_ew1(b, OP_LOGISTIC, gate(b, l, sum, 0));
	ir_val reset = ob_ew1(b, OP_LOGISTIC, gate(b, l, sum, 1)), back;
	if (ob_int(b, "linear_before_reset", 0) != 0) {
		back = ob_ew2(b, OP_MUL, reset, gate(b, l, vh, 2));
	} else {
		ir_val r = ob_slice(b, l->r, 1, 2 * l->hidden, 3 * l->hidden, 1);
		back = ob_matmul(b, ob_ew2(b, OP_MUL, reset, h), r);
		back = l->rb != 0 ? ob_ew2(b, OP_ADD, back, gate(b, l, l->rb, 2)) : back;
	}
	ir_val new = ob_ew1(b, OP_TANH, ob_ew2(b, OP_ADD, gate(b, l, vx, 2), back));
	ir_val left = ob_ewk(b, OP_ADD, ob_ew1(b, OP_NEG, stay), 1);
	return ob_ew2(b, OP_ADD, ob_ew2(b, OP_MUL, left, new), ob_ew2(b, OP_MUL, stay, h));
}

static bool is_plain(struct onnx_build *b, int64_t steps)
{
	const char *why = NULL;
	if (!ob_is(b, "direction", "forward") && onnx_attr(b->node, "direction") != NULL)
		why = "recurrent networks that run backwards";
	if (onnx_attr(b->node, "activations") != NULL || onnx_attr(b->node, "clip") != NULL)
		why = "recurrent networks of other functions";
	for (int64_t i = 0; ob_has(b, 4) && i < ob_dim(b, ob_in(b, 4), 0); i++)
		if (ob_known_int(b, ob_in(b, 4), (size_t)i) != steps)
			why = "sequences of different lengths";
	if (why != NULL)
		ob_skip(b, why);
	return why == NULL;
}

static ir_val start(struct onnx_build *b, size_t i, bool batchwise, const adze_shape *t)
{
	if (!ob_has(b, i))
		return ob_broadcast(b, ir_scalar(b->g, t->dtype, 0), t);
	return ob_squeeze(b, ob_in(b, i), batchwise ? 1 : 0);
}

/* arg: the number of gates: 1 of RNN, 3 of GRU, 4 of LSTM. */
void onnx_do_recurrent(struct onnx_build *b, int arg)
{
	bool batchwise = ob_int(b, "layout", 0) != 0;
	ir_val x = batchwise ? ob_swap(b, ob_in(b, 0), 0, 1) : ob_in(b, 0), y[64];
	int64_t steps = ob_dim(b, x, 0), batch = ob_dim(b, x, 1);
	struct cell l = {.n = arg, .hidden = ob_dim(b, ob_in(b, 2), 2)};
	l.w = ob_swap(b, ob_squeeze(b, ob_in(b, 1), 0), 0, 1);
	l.r = ob_swap(b, ob_squeeze(b, ob_in(b, 2), 0), 0, 1);
	if (ob_has(b, 3)) {
		ir_val both = ob_squeeze(b, ob_in(b, 3), 0);
		l.wb = ob_slice(b, both, 0, 0, arg * l.hidden, 1);
		l.rb = ob_slice(b, both, 0, arg * l.hidden, 2 * arg * l.hidden, 1);
	}
	l.p = ob_has(b, 7) ? ob_squeeze(b, ob_in(b, 7), 0) : 0;
	if (steps < 1 || steps > 64 || !is_plain(b, steps))
		return;
	adze_shape t = shape_make(ob_dtype(b, x), 2, (int64_t[]){batch, l.hidden});
	ir_val h = start(b, 5, batchwise, &t), c = arg == 4 ? start(b, 6, batchwise, &t) : 0;
	for (int64_t i = 0; i < steps; i++) {
		ir_val vx = ob_matmul(b, ob_squeeze(b, ob_slice(b, x, 0, i, i + 1, 1), 0), l.w);
		ir_val vh = ob_matmul(b, h, l.r);
		vx = l.wb != 0 ? ob_ew2(b, OP_ADD, vx, l.wb) : vx;
		vh = l.rb != 0 ? ob_ew2(b, OP_ADD, vh, l.rb) : vh;
		h = arg == 3   ? gru_step(b, &l, vx, vh, h)
		    : arg == 4 ? lstm_step(b, &l, ob_ew2(b, OP_ADD, vx, vh), &c)
			       : ob_ew1(b, OP_TANH, ob_ew2(b, OP_ADD, vx, vh));
		y[i] = ob_unsqueeze(b, h, batchwise ? 1 : 0);
	}
	ir_val all = ob_concat(b, y, (size_t)steps, batchwise ? 1 : 0);
	ob_out(b, 0, ob_unsqueeze(b, all, batchwise ? 2 : 1));
	ob_out(b, 1, ob_unsqueeze(b, h, batchwise ? 1 : 0));
	if (arg == 4)
		ob_out(b, 2, ob_unsqueeze(b, c, batchwise ? 1 : 0));
}

/* The transform of the last axis of f32 parts; `im` 0: none. [.., 2] with the parts apart. */
static ir_val transform(struct onnx_build *b, ir_val re, ir_val im, bool inverse, bool half)
{
	int last = ob_rank(b, re) - 1;
	int64_t n = ob_dim(b, re, last);
	struct attrs_fft a = {.lengths = {1, {n}}, .inverse = inverse};
	ir_val z = ob_ew2(b, OP_COMPLEX, re, im != 0 ? im : ob_fill(b, re, 0)), part[2];
	z = ir_emit1(b->g, OP_FFT, z, &a, NULL);
	z = half ? ob_slice(b, z, last, 0, n / 2 + 1, 1) : z;
	part[0] = ob_unsqueeze(b, ob_ew1(b, OP_REAL, z), last + 1);
	part[1] = ob_unsqueeze(b, ob_ew1(b, OP_IMAG, z), last + 1);
	return ob_concat(b, part, 2, last + 1);
}

void onnx_do_dft(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	int last = ob_rank(b, x) - 1, axis = ob_axis(b, x, ob_int(b, "axis", 1));
	bool pairs = ob_dim(b, x, last) == 2;
	(void)arg;
	if (ob_has(b, 1) || axis == last) {
		ob_skip(b, "transforms of another length");
		return;
	}
	ir_val part[2] = {0, 0};
	for (int i = 0; i <= pairs; i++)
		part[i] = ob_swap(b, ob_squeeze(b, ob_slice(b, x, last, i, i + 1, 1), last), axis,
				  last - 1);
	ir_val y = transform(b, part[0], part[1], ob_int(b, "inverse", 0) != 0,
			     ob_int(b, "onesided", 0) != 0);
	ob_out(b, 0, ob_swap(b, y, axis, last - 1));
}

void onnx_do_stft(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), frame[256];
	int64_t step = ob_known_int(b, ob_in(b, 1), 0), n = ob_dim(b, x, 1);
	int64_t size = ob_has(b, 3) ? ob_known_int(b, ob_in(b, 3), 0) : ob_dim(b, ob_in(b, 2), 0);
	int64_t count = (n - size) / step + 1;
	(void)arg;
	if (count > 256 || ob_rank(b, x) != 3 || ob_dim(b, x, 2) != 1) {
		ob_skip(b, "signals of complex numbers");
		return;
	}
	x = ob_squeeze(b, x, 2);
	for (int64_t i = 0; i < count; i++) {
		frame[i] = ob_slice(b, x, 1, i * step, i * step + size, 1);
		if (ob_has(b, 2))
			frame[i] = ob_ew2(b, OP_MUL, frame[i], ob_in(b, 2));
		frame[i] = ob_unsqueeze(b, frame[i], 1);
	}
	x = ob_concat(b, frame, (size_t)count, 1);
	ob_out(b, 0, transform(b, x, 0, false, ob_int(b, "onesided", 1) != 0));
}
