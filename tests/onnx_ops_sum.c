/* SPDX-License-Identifier: Apache-2.0
 *
 * ONNX operators that sum: reductions, norms, products of matrices, losses.
 */
#include <math.h>
#include <string.h>

#include "tests/onnx_ops.h"

/* The numbers of elements that a reduction over `axes` makes one of. */
static double reduced(struct onnx_build *b, ir_val x, const bool *axes)
{
	double n = 1;
	for (int i = 0; i < ob_rank(b, x); i++)
		n *= axes[i] ? (double)ob_dim(b, x, i) : 1;
	return n;
}

static ir_val mean(struct onnx_build *b, ir_val x, const bool *axes)
{
	return ob_ewk(b, OP_DIV, ob_reduce(b, EW_ADD, x, axes, true), reduced(b, x, axes));
}

/* The mean of squares of what is left without the mean. */
static ir_val variance(struct onnx_build *b, ir_val x, ir_val middle, const bool *axes)
{
	ir_val left = ob_ew2(b, OP_SUB, x, middle);
	return mean(b, ob_ew2(b, OP_MUL, left, left), axes);
}

void onnx_do_reduce(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), y;
	struct ir_dims list = ob_list(b, "axes", 1);
	bool axes[ADZE_MAX_RANK], keep = ob_int(b, "keepdims", 1) != 0;
	if (list.n <= 0 && ob_int(b, "noop_with_empty_axes", 0) != 0) {
		ob_out(b, 0, x);
		return;
	}
	memset(axes, list.n <= 0, sizeof axes);
	for (int i = 0; i < list.n; i++)
		axes[ob_axis(b, x, list.at[i])] = true;
	switch (arg) {
	case 'a': y = ob_reduce(b, EW_ADD, ob_ew1(b, OP_ABS, x), axes, keep); break;
	case 'q': case 'r':
		y = ob_reduce(b, EW_ADD, ob_ew2(b, OP_MUL, x, x), axes, keep);
		y = arg == 'r' ? ob_ew1(b, OP_SQRT, y) : y;
		break;
	case 'l': y = ob_ew1(b, OP_LOG, ob_reduce(b, EW_ADD, x, axes, keep)); break;
	case 'e':
		y = ob_ew1(b, OP_LOG, ob_reduce(b, EW_ADD, ob_ew1(b, OP_EXP, x), axes, keep));
		break;
	case 'M': y = ob_reduce(b, EW_MAX, x, axes, keep); break;
	case 'N': y = ob_reduce(b, EW_MIN, x, axes, keep); break;
	case 'p': y = ob_reduce(b, EW_MUL, x, axes, keep); break;
	default:
		y = ob_reduce(b, EW_ADD, x, axes, keep);
		y = arg == 'm' ? ob_ewk(b, OP_DIV, y, reduced(b, x, axes)) : y;
		break;
	}
	ob_out(b, 0, y);
}

void onnx_do_arg(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	int axis = ob_axis(b, x, ob_int(b, "axis", 0));
	bool last = ob_int(b, "select_last_index", 0) != 0;
	double n = (double)ob_dim(b, x, axis);
	struct attrs_axes back = {.axes = {1, {axis}}};
	struct attrs_axis along = {.axis = axis};
	if (last)
		x = ir_emit1(b->g, OP_REVERSE, x, &back, NULL);
	ir_val y = ob_convert(b, ir_emit1(b->g, (enum ir_op)arg, x, &along, NULL), ADZE_I64);
	if (last)
		y = ob_ewk(b, OP_ADD, ob_ew1(b, OP_NEG, y), n - 1);
	ob_out(b, 0, ob_int(b, "keepdims", 1) ? ob_unsqueeze(b, y, axis) : y);
}

/* The k largest, or smallest, by taking the best away k times. */
void onnx_do_top_k(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), value[16], index[16];
	int64_t k = ob_known_int(b, ob_in(b, 1), 0);
	int axis = ob_axis(b, x, ob_int(b, "axis", -1));
	bool largest = ob_int(b, "largest", 1) != 0;
	adze_shape t = ob_type(b, x);
	struct attrs_axis along = {.axis = axis};
	(void)arg;
	if (k < 1 || k > 16 || !dtype_is_float(t.dtype)) {
		ob_skip(b, "no sort");
		return;
	}
	ir_val place = ob_iota(b, ADZE_I32, &t, axis);
	for (int64_t i = 0; i < k; i++) {
		ir_val at = ir_emit1(b->g, largest ? OP_ARGMAX : OP_ARGMIN, x, &along, NULL);
		at = ob_unsqueeze(b, at, axis);
		index[i] = ob_convert(b, at, ADZE_I64);
		value[i] = ob_take_along(b, x, at, axis);
		x = ob_select(b, ob_ew2(b, OP_EQ, place, at),
			      ob_fill(b, x, largest ? -INFINITY : INFINITY), x);
	}
	ob_out(b, 0, ob_concat(b, value, (size_t)k, axis));
	ob_out(b, 1, ob_concat(b, index, (size_t)k, axis));
}

ir_val onnx_log_softmax(struct onnx_build *b, ir_val x, int axis)
{
	x = ob_ew2(b, OP_SUB, x, ob_reduce1(b, EW_MAX, x, axis, true));
	ir_val sum = ob_reduce1(b, EW_ADD, ob_ew1(b, OP_EXP, x), axis, true);
	return ob_ew2(b, OP_SUB, x, ob_ew1(b, OP_LOG, sum));
}

/* Before version 13, all axes from `axis` on are one. */
void onnx_do_softmax(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	bool flat = b->model->opset < 13;
	int axis = ob_axis(b, x, ob_int(b, "axis", flat ? 1 : -1));
	adze_shape t = ob_type(b, x);
	int64_t d[2] = {1, 1}, back[ADZE_MAX_RANK];
	for (int i = 0; i < t.rank; i++) {
		d[i >= axis] *= t.dim[i].size;
		back[i] = t.dim[i].size;
	}
	if (flat) {
		x = ob_reshape(b, x, 2, d);
		axis = 1;
	}
	x = arg ? onnx_log_softmax(b, x, axis)
		: ir_emit1(b->g, OP_SOFTMAX, x, &(struct attrs_axis){.axis = axis}, NULL);
	ob_out(b, 0, ob_reshape(b, x, t.rank, back));
}

void onnx_do_hardmax(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	int axis = ob_axis(b, x, ob_int(b, "axis", -1));
	adze_shape t = ob_type(b, x);
	(void)arg;
	ir_val at = ir_emit1(b->g, OP_ARGMAX, x, &(struct attrs_axis){.axis = axis}, NULL);
	at = ob_unsqueeze(b, at, axis);
	ob_out(b, 0, ob_convert(b, ob_ew2(b, OP_EQ, at, ob_iota(b, ADZE_I32, &t, axis)), t.dtype));
}

/* A list with one number a channel, for operands whose axis 1 is the channels. */
static ir_val channels(struct onnx_build *b, ir_val x, int rank)
{
	int64_t d[ADZE_MAX_RANK];
	for (int i = 0; i < ADZE_MAX_RANK; i++)
		d[i] = i == 1 ? ob_dim(b, x, 0) : 1;
	return ob_reshape(b, x, rank, d);
}

/* (x - mean) / sqrt(variance + eps) */
static ir_val normal(struct onnx_build *b, ir_val x, ir_val middle, ir_val spread, double eps)
{
	ir_val by = ob_ew1(b, OP_SQRT, ob_ewk(b, OP_ADD, spread, eps));
	return ob_ew2(b, OP_DIV, ob_ew2(b, OP_SUB, x, middle), by);
}

void onnx_do_batch_norm(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), middle, spread;
	int n = ob_rank(b, x);
	double eps = ob_float(b, "epsilon", 1e-5), momentum = ob_float(b, "momentum", 0.9);
	bool axes[ADZE_MAX_RANK];
	(void)arg;
	if (ob_int(b, "training_mode", 0) != 0) {
		int64_t c = ob_dim(b, x, 1);
		memset(axes, true, sizeof axes);
		axes[1] = false;
		middle = mean(b, x, axes);
		spread = variance(b, x, middle, axes);
		for (size_t i = 0; i < 2; i++) {
			ir_val now = ob_reshape(b, i == 0 ? middle : spread, 1, &c);
			ir_val old = ob_ewk(b, OP_MUL, ob_in(b, 3 + i), momentum);
			ob_out(b, 1 + i, ob_ew2(b, OP_ADD, old,
						ob_ewk(b, OP_MUL, now, 1 - momentum)));
		}
	} else {
		middle = channels(b, ob_in(b, 3), n);
		spread = channels(b, ob_in(b, 4), n);
	}
	x = normal(b, x, middle, spread, eps);
	x = ob_ew2(b, OP_MUL, x, channels(b, ob_in(b, 1), n));
	ob_out(b, 0, ob_ew2(b, OP_ADD, x, channels(b, ob_in(b, 2), n)));
}

void onnx_do_instance_norm(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	bool axes[ADZE_MAX_RANK] = {false, false, true, true, true, true, true, true};
	ir_val middle = mean(b, x, axes);
	int n = ob_rank(b, x);
	(void)arg;
	x = normal(b, x, middle, variance(b, x, middle, axes), ob_float(b, "epsilon", 1e-5));
	x = ob_ew2(b, OP_MUL, x, channels(b, ob_in(b, 1), n));
	ob_out(b, 0, ob_ew2(b, OP_ADD, x, channels(b, ob_in(b, 2), n)));
}

void onnx_do_mvn(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	const struct onnx_attr *a = onnx_attr(b->node, "axes");
	bool axes[ADZE_MAX_RANK] = {true, false, true, true};
	(void)arg;
	if (a != NULL) {
		memset(axes, false, sizeof axes);
		for (size_t i = 0; i < a->nint; i++)
			axes[ob_axis(b, x, a->ints[i])] = true;
	}
	ir_val middle = mean(b, x, axes);
	ir_val by = ob_ew1(b, OP_SQRT, variance(b, x, middle, axes));
	ob_out(b, 0, ob_ew2(b, OP_DIV, ob_ew2(b, OP_SUB, x, middle), ob_ewk(b, OP_ADD, by, 1e-9)));
}

void onnx_do_layer_norm(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), args[3] = {0};
	adze_shape t = ob_type(b, x);
	int axis = ob_axis(b, x, ob_int(b, "axis", -1));
	double eps = ob_float(b, "epsilon", 1e-5);
	bool axes[ADZE_MAX_RANK];
	int64_t d[2] = {1, 1}, back[ADZE_MAX_RANK];
	size_t n = ob_has(b, 2) ? 3 : 2;
	(void)arg;
	for (int i = 0; i < t.rank; i++) {
		axes[i] = i >= axis;
		d[axes[i]] *= t.dim[i].size;
		back[i] = t.dim[i].size;
	}
	args[0] = ob_reshape(b, x, 2, d);
	for (size_t i = 1; i < n; i++)
		args[i] = ob_reshape(b, ob_in(b, i), 1, &d[1]);
	ir_val y = ir_emit(b->g, OP_LAYER_NORM, args, n, &(struct attrs_eps){.eps = eps}, NULL);
	ob_out(b, 0, ob_reshape(b, y, t.rank, back));
	ir_val middle = mean(b, x, axes);
	ob_out(b, 1, middle);
	ob_out(b, 2, ob_ew1(b, OP_RSQRT, ob_ewk(b, OP_ADD, variance(b, x, middle, axes), eps)));
}

void onnx_do_cumsum(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0);
	int axis = ob_axis(b, x, ob_known_int(b, ob_in(b, 1), 0)), n = ob_rank(b, x);
	int64_t extent = ob_dim(b, x, axis);
	bool back = ob_int(b, "reverse", 0) != 0;
	struct attrs_axes flip = {.axes = {1, {axis}}};
	struct attrs_window w = {.by = EW_ADD, .window.n = n, .low.n = n};
	(void)arg;
	for (int i = 0; i < n; i++) {
		w.window.at[i] = i == axis ? extent : 1;
		w.low.at[i] = i == axis ? extent - 1 : 0;
	}
	if (back)
		x = ir_emit1(b->g, OP_REVERSE, x, &flip, NULL);
	x = ir_emit1(b->g, OP_REDUCE_WINDOW, x, &w, NULL);
	if (ob_int(b, "exclusive", 0) != 0)
		x = ob_pad(b, x, axis, 1, -1, 0);
	if (back)
		x = ir_emit1(b->g, OP_REVERSE, x, &flip, NULL);
	ob_out(b, 0, x);
}

/* MatMul; with `arg` of integers less their zero points. */
void onnx_do_matmul(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), y = ob_in(b, 1);
	if (arg) {
		x = onnx_centre(b, x, 2, ob_rank(b, x) - 2);
		y = onnx_centre(b, y, 3, ob_rank(b, y) - 1);
	}
	ob_out(b, 0, ob_matmul(b, x, y));
}

void onnx_do_qlinear_matmul(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), y = ob_in(b, 3);
	(void)arg;
	x = onnx_centre(b, x, 2, ob_rank(b, x) - 2);
	y = onnx_centre(b, y, 5, ob_rank(b, y) - 1);
	ir_val z = ob_convert(b, ob_matmul(b, x, y), ADZE_F32);
	z = ob_ew2(b, OP_MUL, z, ob_ew2(b, OP_MUL, ob_in(b, 1), ob_in(b, 4)));
	ob_out(b, 0, onnx_quantize(b, z, ob_in(b, 6), ob_in(b, 7), -1));
}

void onnx_do_gemm(struct onnx_build *b, int arg)
{
	struct attrs_dot d = {.sum_a = {1, {ob_int(b, "transA", 0) ? 0 : 1}},
			      .sum_b = {1, {ob_int(b, "transB", 0) ? 1 : 0}}};
	ir_val x = ir_emit2(b->g, OP_DOT, ob_in(b, 0), ob_in(b, 1), &d);
	(void)arg;
	x = ob_ewk(b, OP_MUL, x, ob_float(b, "alpha", 1));
	if (ob_has(b, 2))
		x = ob_ew2(b, OP_ADD, x, ob_ewk(b, OP_MUL, ob_in(b, 2), ob_float(b, "beta", 1)));
	ob_out(b, 0, x);
}

/* The target's share of x (log-probabilities, or made to be), weighted, then reduced. */
void onnx_do_loss(struct onnx_build *b, int arg)
{
	ir_val x = ob_in(b, 0), target = ob_in(b, 1);
	const struct onnx_attr *ignore = onnx_attr(b->node, "ignore_index");
	const char *how = ob_text(b, "reduction", "mean");
	bool all[ADZE_MAX_RANK];
	memset(all, true, sizeof all);
	if (arg) {
		x = onnx_log_softmax(b, x, 1);
		ob_out(b, 1, x);
	}
	ir_val skip = ignore != NULL ? ob_ewk(b, OP_EQ, target, (double)ignore->i) : 0;
	if (ignore != NULL)
		target = ob_select(b, skip, ob_fill(b, target, 0), target);
	ir_val part = ob_take_along(b, x, ob_unsqueeze(b, target, 1), 1);
	part = ob_ew1(b, OP_NEG, ob_squeeze(b, part, 1));
	ir_val weight = ob_has(b, 2) ? ob_take(b, ob_in(b, 2), target, 0) : ob_fill(b, part, 1);
	if (ignore != NULL)
		weight = ob_select(b, skip, ob_fill(b, weight, 0), weight);
	part = ob_ew2(b, OP_MUL, part, weight);
	if (strcmp(how, "none") != 0)
		part = ob_reduce(b, EW_ADD, part, all, false);
	if (strcmp(how, "mean") == 0)
		part = ob_ew2(b, OP_DIV, part, ob_reduce(b, EW_ADD, weight, all, false));
	ob_out(b, 0, part);
}

/* One operand's axes as letters; those of an ellipsis are digits, from the right. */
struct labels {
	char at[ADZE_MAX_RANK + 1];
	int n;
};

static struct labels read_labels(const char **text, int rank)
{
	struct labels l = {0};
	int letters = 0;
	for (const char *c = *text; *c != '\0' && *c != ',' && *c != '-'; c++)
		letters += *c != ' ' && *c != '.';
	for (; **text != '\0' && **text != ',' && **text != '-'; (*text)++) {
		if (**text == '.' && (*text)[1] == '.') {
			for (int k = rank - letters; k-- > 0 && l.n < ADZE_MAX_RANK;)
				l.at[l.n++] = (char)('0' + k);
			*text += 2;
		} else if (**text != ' ' && l.n < ADZE_MAX_RANK) {
			l.at[l.n++] = **text;
		}
	}
	return l;
}

/* Keeps the diagonal of axes that have the same letter, and sums the rest away. */
static ir_val diagonals(struct onnx_build *b, ir_val x, struct labels *l)
{
	for (int i = 0; i < l->n; i++)
		for (int j = l->n; j-- > i + 1;) {
			if (l->at[i] != l->at[j])
				continue;
			adze_shape t = ob_type(b, x);
			ir_val on = ob_ew2(b, OP_EQ, ob_iota(b, ADZE_I32, &t, i),
					   ob_iota(b, ADZE_I32, &t, j));
			x = ob_select(b, on, x, ob_fill(b, x, 0));
			x = ob_reduce1(b, EW_ADD, x, j, false);
			memmove(&l->at[j], &l->at[j + 1], (size_t)(l->n - j));
			l->n--;
		}
	return x;
}

static ir_val contract(struct onnx_build *b, ir_val x, struct labels *p, ir_val y,
		       const struct labels *q, const char *out)
{
	struct attrs_dot d = {0};
	struct labels l = {0};
	for (int i = 0; i < p->n; i++) {
		const char *in = strchr(q->at, p->at[i]);
		struct ir_dims *to = strchr(out, p->at[i]) != NULL ? &d.batch_a : &d.sum_a;
		if (in == NULL)
			continue;
		(to == &d.batch_a ? &d.batch_b : &d.sum_b)->at[to->n] = in - q->at;
		to->at[to->n++] = i;
		if (to == &d.batch_a)
			l.at[l.n++] = p->at[i];
	}
	d.batch_b.n = d.batch_a.n;
	d.sum_b.n = d.sum_a.n;
	for (int i = 0; i < p->n; i++)
		if (strchr(q->at, p->at[i]) == NULL)
			l.at[l.n++] = p->at[i];
	for (int i = 0; i < q->n; i++)
		if (strchr(p->at, q->at[i]) == NULL)
			l.at[l.n++] = q->at[i];
	*p = l;
	return ir_emit2(b->g, OP_DOT, x, y, &d);
}

/* The result's axes: as written, or, where nothing is, letters that stand once, in order. */
static struct labels read_result(const char *equation, const struct labels *x)
{
	const char *arrow = strstr(equation, "->");
	struct labels out = {0};
	int letters = 0, digits = 0;
	if (arrow == NULL) {
		for (char c = 'A'; c <= 'z'; c++) {
			const char *at = strchr(equation, c);
			if (at != NULL && strchr(at + 1, c) == NULL && out.n < ADZE_MAX_RANK)
				out.at[out.n++] = c;
		}
		return out;
	}
	arrow += 2;
	for (const char *c = arrow; *c != '\0'; c++)
		letters += *c != ' ' && *c != '.';
	for (int i = 0; i < x->n; i++)
		digits += x->at[i] >= '0' && x->at[i] <= '9';
	return read_labels(&arrow, letters + digits);
}

void onnx_do_einsum(struct onnx_build *b, int arg)
{
	const char *equation = ob_text(b, "equation", ""), *at = equation;
	struct labels l[2];
	ir_val x = ob_in(b, 0), y;
	int perm[ADZE_MAX_RANK];
	(void)arg;
	if (b->node->ninput > 2) {
		ob_skip(b, "an einsum of more than two operands");
		return;
	}
	l[0] = read_labels(&at, ob_rank(b, x));
	struct labels out = read_result(equation, &l[0]);
	x = diagonals(b, x, &l[0]);
	if (*at == ',') {
		at++;
		y = ob_in(b, 1);
		l[1] = read_labels(&at, ob_rank(b, y));
		y = diagonals(b, y, &l[1]);
		x = contract(b, x, &l[0], y, &l[1], out.at);
	}
	for (int i = l[0].n; i-- > 0;)
		if (strchr(out.at, l[0].at[i]) == NULL) {
			x = ob_reduce1(b, EW_ADD, x, i, false);
			memmove(&l[0].at[i], &l[0].at[i + 1], (size_t)(l[0].n - i));
			l[0].n--;
		}
	for (int i = 0; i < out.n; i++) {
		const char *from = strchr(l[0].at, out.at[i]);
		perm[i] = from != NULL ? (int)(from - l[0].at) : 0;
	}
	ob_out(b, 0, out.n > 0 ? ob_transpose(b, x, perm) : x);
}
