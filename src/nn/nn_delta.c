/* SPDX-License-Identifier: Apache-2.0
 *
 * The gated delta rule (arXiv:2412.06464), step by step and in chunks, and the parts of a layer
 * around it. Names as in the paper: state S, and of a step k, v, q, decay g, rate beta.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/nn_parts.h"

/* ---- shapes and products of [.., n, m] ---- */

struct delta {
	struct tensor_op op;
	int lead;         /* axes before those of positions and widths, heads among them */
	int64_t s, chunk; /* positions (-1: a symbol), and of a chunk */
	double scale;
};

/* a b, a b' or a' b of the last two axes: `flip` says of which operand they are swapped. */
enum flip { FLIP_NONE, FLIP_A, FLIP_B };

static adze_tensor product(struct tensor_op *op, adze_tensor a, adze_tensor b, enum flip flip)
{
	struct attrs_dot dot;
	memset(&dot, 0, sizeof dot);
	if (!op->ok || !adze_is(a) || !adze_is(b))
		return form_of(op, 0);
	int batch = tensor_type(op, a.id)->rank - 2;
	for (int i = 0; i < batch; i++) {
		dot.batch_a.at[dot.batch_a.n++] = i;
		dot.batch_b.at[dot.batch_b.n++] = i;
	}
	dot.sum_a.at[dot.sum_a.n++] = flip == FLIP_A ? batch : batch + 1;
	dot.sum_b.at[dot.sum_b.n++] = flip == FLIP_B ? batch + 1 : batch;
	return form_of(op, ir_emit2(op->graph, OP_DOT, a.id, b.id, &dot));
}

/* A number for each row, [.., n], times [.., n, m]. */
static adze_tensor by_row(struct tensor_op *op, adze_tensor x, adze_tensor v)
{
	if (!op->ok || !adze_is(x) || !adze_is(v))
		return form_of(op, 0);
	const adze_shape s = *tensor_type(op, x.id);
	struct ir_dims at = {.n = tensor_type(op, v.id)->rank};
	for (int i = 0; i < at.n; i++)
		at.at[i] = i;
	return f_mul(x, form_spread(op, v, &s, &at));
}

/* Each head's k [d] times its S [d, e]; k and v as [d, e]. */
static adze_tensor of_state(struct delta *d, adze_tensor k, adze_tensor s)
{
	adze_tensor row = (adze_insert_axis)(k, d->lead, NULL);
	adze_tensor y = product(&d->op, row, s, FLIP_NONE);
	return d->op.ok && adze_is(y) ? (adze_choose)(y, "-2", 0) : y;
}

static adze_tensor by_head(struct delta *d, adze_tensor k, adze_tensor v)
{
	return product(&d->op, (adze_insert_axis)(k, d->lead, NULL),
		       (adze_insert_axis)(v, d->lead, NULL), FLIP_A);
}

/* Positions from, ... below `to`. */
static adze_tensor some(const struct delta *d, adze_tensor x, int64_t from, int64_t to)
{
	char axis[16];
	snprintf(axis, sizeof axis, "%d", d->lead);
	return (adze_slice)(x, axis, from, to, 1);
}

/* ---- one step after another ---- */

/* S, then q, k, v [.., h, d], g and beta [.., h]: the next S, and y. */
static void run_step(void *self, const adze_tensor *x, adze_tensor *y)
{
	struct delta *d = self;
	struct tensor_op *op = &d->op;
	adze_tensor q = x[1], k = x[2], v = x[3];
	adze_tensor s = by_row(op, x[0], f_exp(x[4]));
	adze_tensor change = by_row(op, f_sub(v, of_state(d, k, s)), x[5]);
	y[0] = f_add(s, by_head(d, k, change));
	y[1] = of_state(d, q, y[0]);
}

static adze_tensor run_steps(struct delta *d, const adze_tensor x[5], adze_tensor *state)
{
	struct tensor_op *op = &d->op;
	char axis[16];
	snprintf(axis, sizeof axis, "%d", d->lead);
	const adze_scan_how how = {.axis = axis};
	adze_tensor y = form_of(op, 0), one[6] = {*state}, next[2] = {y, y};
	if (d->s != 1) {
		if (op->ok && op->graph->diag.status == ADZE_OK)
			(void)adze_scan_at(NULL, 0, run_step, d, state, 1, x, 5, &y, 1, &how);
		return nn_first_to(op, y, d->lead);
	}
	for (int i = 0; i < 5; i++)
		one[i + 1] = (adze_choose)(x[i], axis, 0);
	if (op->ok && op->graph->diag.status == ADZE_OK)
		run_step(d, one, next);
	*state = next[0];
	return (adze_insert_axis)(next[1], d->lead, NULL);
}

/* ---- in chunks ---- */

/* Row i and column j of [.., c, c] as i32. */
static void places(struct tensor_op *op, adze_tensor x, adze_tensor *i, adze_tensor *j)
{
	adze_shape square = adze_tensor_shape(x);
	int rank = square.rank;
	if (rank < 2) {
		*i = *j = form_of(op, 0);
		return;
	}
	*i = form_iota(op, &square, ADZE_I32, rank - 2);
	*j = form_iota(op, &square, ADZE_I32, rank - 1);
}

/*
 * The inverse of I + A, where A is 0 on and above the diagonal: of blocks of 1, then of 2, 4 ...
 * [[X, 0], [-Y B X, Y]] for each two that are done, X and Y, with B of A below and left of them.
 */
static adze_tensor invert(struct delta *d, adze_tensor a)
{
	struct tensor_op *op = &d->op;
	adze_tensor i, j, x;
	places(op, a, &i, &j);
	x = (adze_convert)(f_eq(i, j), ADZE_F32);
	for (int bit = 0; (int64_t)1 << bit < d->chunk && op->ok; bit++) {
		adze_tensor u = f_ushr(i, f_num(i, bit)), v = f_ushr(j, f_num(j, bit));
		adze_tensor odd = f_eq(f_and(u, f_num(u, 1)), f_num(u, 1));
		adze_tensor beside = f_and(odd, f_eq(u, f_shift(v, 1)));
		adze_tensor b = (adze_select)(beside, a, f_num(a, 0));
		b = bit == 0 ? b : product(op, product(op, x, b, FLIP_NONE), x, FLIP_NONE);
		x = f_sub(x, b);
	}
	return x;
}

/* [.., s, m], or [.., s], as [.., chunks, chunk, m], with zeros behind the last. */
static adze_tensor chunked(struct delta *d, adze_tensor x)
{
	struct tensor_op *op = &d->op;
	char axis[16];
	int64_t n = (d->s + d->chunk - 1) / d->chunk;
	snprintf(axis, sizeof axis, "%d", d->lead);
	if (n * d->chunk > d->s)
		x = (adze_pad)(x, axis, 0, n * d->chunk - d->s, 0);
	if (!op->ok || !adze_is(x))
		return form_of(op, 0);
	adze_shape to = *tensor_type(op, x.id);
	to.dim[d->lead] = dim_make(d->chunk);
	return form_insert(op, &to, d->lead, dim_make(n)) ? form_reshape(op, x, &to)
							  : form_of(op, 0);
}

/* g summed over the places up to each of a chunk. */
static adze_tensor sum_decay(struct tensor_op *op, adze_tensor g)
{
	adze_shape s = adze_tensor_shape(g), square = s;
	square.rank = 2;
	square.dim[0] = square.dim[1] = s.dim[s.rank - 1];
	adze_tensor i = form_iota(op, &square, ADZE_I32, 0);
	adze_tensor j = form_iota(op, &square, ADZE_I32, 1);
	return (adze_dot)(g, (adze_convert)(f_le(i, j), ADZE_F32), "-1=0");
}

/* `v` of [.., c] as rows, and as columns, of [.., c, c]. */
static adze_tensor spread_square(struct tensor_op *op, adze_tensor v, const adze_shape *square,
				 bool rows)
{
	struct ir_dims at = {.n = square->rank - 1};
	for (int i = 0; i < at.n; i++)
		at.at[i] = i;
	at.at[at.n - 1] = rows ? square->rank - 2 : square->rank - 1;
	return form_spread(op, v, square, &at);
}

/*
 * What chunks need, all at once. c[0] and c[1]: the new values, and what of them is taken from
 * the state; c[2]: q k' decayed, for places not behind; c[3] and c[4]: q decayed from the chunk's
 * start, k to its end; c[5]: the decay of a whole chunk, [.., chunks].
 */
static void prepare(struct delta *d, const adze_tensor x[5], adze_tensor c[6])
{
	struct tensor_op *op = &d->op;
	adze_tensor q = chunked(d, x[0]), k = chunked(d, x[1]), v = chunked(d, x[2]);
	adze_tensor g = chunked(d, x[3]), beta = chunked(d, x[4]), i, j;
	adze_tensor kk = product(op, k, k, FLIP_B), qk = product(op, q, k, FLIP_B);
	if (!op->ok || !adze_is(kk) || !adze_is(g) || !adze_is(qk))
		return;
	const adze_shape square = *tensor_type(op, kk.id);
	places(op, kk, &i, &j);
	g = sum_decay(op, g);
	adze_tensor far = f_sub(spread_square(op, g, &square, true),
				spread_square(op, g, &square, false));
	/* The other side of the diagonal could overflow. */
	far = f_exp((adze_select)(f_le(j, i), far, f_num(far, -INFINITY)));
	c[2] = f_mul(qk, far);
	adze_tensor a = (adze_select)(f_lt(j, i), f_mul(by_row(op, kk, beta), far), f_num(kk, 0));
	adze_tensor inverse = invert(d, a), since = f_exp(g);
	c[0] = product(op, inverse, by_row(op, v, beta), FLIP_NONE);
	c[1] = product(op, inverse, by_row(op, k, f_mul(beta, since)), FLIP_NONE);
	c[3] = by_row(op, q, since);
	adze_tensor end = (adze_slice)(g, "-1", d->chunk - 1, d->chunk, 1);
	c[4] = by_row(op, k, f_exp(f_sub(end, g)));
	c[5] = (adze_choose)(f_exp(end), "-1", 0);
}

/* S, then u, w, inside, q, k of a chunk and its decay: the next S, and y. */
static void run_chunk(void *self, const adze_tensor *x, adze_tensor *y)
{
	struct delta *d = self;
	struct tensor_op *op = &d->op;
	const adze_shape s = adze_tensor_shape(x[0]);
	struct ir_dims at = {.n = d->lead};
	for (int i = 0; i < d->lead; i++)
		at.at[i] = i;
	adze_tensor v = f_sub(x[1], product(op, x[2], x[0], FLIP_NONE));
	adze_tensor kept = f_mul(x[0], form_spread(op, x[6], &s, &at));
	y[0] = f_add(kept, product(op, x[5], v, FLIP_A));
	y[1] = f_add(product(op, x[4], x[0], FLIP_NONE), product(op, x[3], v, FLIP_NONE));
}

static adze_tensor run_chunks(struct delta *d, const adze_tensor x[5], adze_tensor *state)
{
	struct tensor_op *op = &d->op;
	char axis[16];
	snprintf(axis, sizeof axis, "%d", d->lead);
	const adze_scan_how how = {.axis = axis};
	adze_tensor c[6] = {form_of(op, 0)}, y = form_of(op, 0);
	prepare(d, x, c);
	if (op->ok && op->graph->diag.status == ADZE_OK)
		(void)adze_scan_at(NULL, 0, run_chunk, d, state, 1, c, 6, &y, 1, &how);
	y = nn_first_to(op, y, d->lead);
	if (!adze_is(y))
		return y;
	adze_shape to = adze_tensor_shape(y);
	to.dim[d->lead] = dim_make(to.dim[d->lead].size * d->chunk);
	memmove(to.dim + d->lead + 1, to.dim + d->lead + 2, sizeof to.dim[0]);
	to.rank--;
	return some(d, form_reshape(op, y, &to), 0, d->s);
}

/* ---- the rule ---- */

static bool check_delta(struct delta *d, const adze_tensor x[6])
{
	struct tensor_op *op = &d->op;
	const adze_shape *t[6];
	for (int i = 0; i < 6; i++)
		t[i] = tensor_type(op, x[i].id);
	int r = t[0]->rank;
	if (r < 3 || r >= ADZE_MAX_RANK || t[1]->rank != r || t[2]->rank != r ||
	    t[3]->rank != r - 1 || t[4]->rank != r - 1 || t[5]->rank != r) {
		form_refuse(op, x[0], "it takes [.., heads, positions, width] three times, decay "
				      "and rate [.., heads, positions], and a state of widths");
		return false;
	}
	d->lead = r - 2;
	d->s = dim_is_static(&t[0]->dim[r - 2]) ? t[0]->dim[r - 2].size : -1;
	if (d->s == 0 || (d->s < 0 && d->chunk != 1)) {
		form_refuse(op, x[0], "the positions are not none, and a symbol of them goes step "
				      "by step: chunk 1");
		return false;
	}
	const adze_dim *heads = &t[2]->dim[r - 3], *few = &t[0]->dim[r - 3];
	bool fits = shape_same_extents(t[0], t[1]) && dim_is_static(heads) &&
		    dim_is_static(few) && few->size > 0 && heads->size % few->size == 0 &&
		    dim_is_static(&t[0]->dim[r - 1]) && t[0]->dim[r - 1].size > 0;
	for (int i = 0; i < r - 1 && fits; i++)
		fits = (i == r - 3 || dim_same(&t[0]->dim[i], &t[2]->dim[i])) &&
		       dim_same(&t[2]->dim[i], &t[3]->dim[i]) &&
		       dim_same(&t[2]->dim[i], &t[4]->dim[i]) &&
		       (i == r - 2 || dim_same(&t[2]->dim[i], &t[5]->dim[i]));
	fits = fits && dim_same(&t[5]->dim[r - 2], &t[0]->dim[r - 1]) &&
	       dim_same(&t[5]->dim[r - 1], &t[2]->dim[r - 1]);
	if (!fits)
		form_refuse(op, x[2], "the values' shape does not go with the others'");
	return fits;
}

/* q, k (to unit length where that is asked), v, g and beta as f32, with as many heads. */
static void widen_all(struct delta *d, const adze_tensor x[6], const adze_delta_options *with,
		      adze_tensor wide[5])
{
	struct tensor_op *op = &d->op;
	int64_t width = tensor_type(op, x[0].id)->dim[d->lead + 1].size;
	int64_t each = tensor_type(op, x[2].id)->dim[d->lead - 1].size /
		       tensor_type(op, x[0].id)->dim[d->lead - 1].size;
	const struct ir_dims last = {.n = 1, .at = {d->lead + 1}};
	char axis[16];
	snprintf(axis, sizeof axis, "%d", d->lead - 1);
	for (int i = 0; i < 5; i++) {
		wide[i] = nn_unnamed(op, (adze_convert)(x[i], ADZE_F32));
		if (i < 2 && with->normalize && op->ok && adze_is(wide[i]))
			wide[i] = nn_unit(op, wide[i], &last, "-1", 1e-6);
		if (i < 2 && each > 1)
			wide[i] = (adze_stutter)(wide[i], axis, each);
	}
	d->scale = with->scale != 0 ? with->scale : 1 / sqrt((double)width);
	wide[0] = f_scale(wide[0], d->scale);
}

adze_tensor(adze_nn_delta_rule)(adze_tensor q, adze_tensor k, adze_tensor v, adze_tensor g,
				adze_tensor beta, adze_tensor state,
				const adze_delta_options *options, adze_tensor *next_state)
{
	static const adze_delta_options none;
	const adze_delta_options *with = options != NULL ? options : &none;
	const adze_tensor x[6] = {q, k, v, g, beta, state};
	adze_tensor wide[5], s, y;
	struct delta d = {.op = form_floats("nn_delta_rule", x, 6)};
	*next_state = (adze_tensor){q.graph, 0, 0, NULL};
	if (d.op.ok && with->chunk < 0)
		tensor_fail(&d.op, ADZE_E_ARGUMENT, "a chunk of %lld positions",
			    (long long)with->chunk);
	d.chunk = with->chunk != 0 ? with->chunk : 64;
	if (!d.op.ok || !check_delta(&d, x))
		return form_end(&d.op, form_of(&d.op, 0));
	if (d.s > 0 && d.chunk > d.s)
		d.chunk = d.s;
	widen_all(&d, x, with, wide);
	s = nn_unnamed(&d.op, (adze_convert)(state, ADZE_F32));
	y = d.chunk == 1 ? run_steps(&d, wide, &s) : run_chunks(&d, wide, &s);
	y = form_reshape(&d.op, (adze_convert)(y, adze_tensor_shape(v).dtype),
			 tensor_type(&d.op, v.id));
	s = form_reshape(&d.op, (adze_convert)(s, adze_tensor_shape(state).dtype),
			 tensor_type(&d.op, state.id));
	y = form_end(&d.op, y);
	*next_state = adze_is(y) ? s : y;
	return y;
}

adze_tensor(adze_nn_delta_decay)(adze_tensor x, adze_tensor a_log, adze_tensor dt_bias)
{
	const adze_tensor all[3] = {x, a_log, dt_bias};
	struct tensor_op op = form_floats("nn_delta_decay", all, 3);
	if (!op.ok)
		return form_end(&op, x);
	adze_tensor y = nn_bias(&op, (adze_convert)(x, ADZE_F32), (adze_convert)(dt_bias, ADZE_F32),
				-1);
	const adze_shape s = *tensor_type(&op, x.id), *t = tensor_type(&op, a_log.id);
	if (op.ok && (t->rank != 1 || !dim_same(&t->dim[0], &s.dim[s.rank - 1])))
		return form_end(&op, form_refuse(&op, a_log, "it has one number for each head"));
	const struct ir_dims at = {.n = 1, .at = {s.rank - 1}};
	adze_tensor a = f_neg(f_exp((adze_convert)(a_log, ADZE_F32)));
	return form_end(&op, f_mul((adze_softplus)(y), form_spread(&op, a, &s, &at)));
}

/* ---- causal convolution ---- */

adze_tensor(adze_nn_causal_conv)(struct adze_nn_conv l, adze_tensor x, adze_tensor state,
				 adze_tensor *next_state)
{
	const adze_tensor more[2] = {l.bias, state};
	struct tensor_op op = nn_begin("nn_causal_conv", x, &l.weight, 1, more, 2);
	adze_tensor y = x, next = x;
	if (next_state != NULL)
		*next_state = (adze_tensor){x.graph, 0, 0, NULL};
	if (op.ok) {
		const adze_shape *s = tensor_type(&op, x.id), *w = tensor_type(&op, l.weight.id);
		if (s->rank != 3 || w->rank != 3 || w->dim[1].size != 1 || w->dim[2].size < 1 ||
		    !dim_same(&s->dim[1], &w->dim[0]) || !dim_is_static(&s->dim[2]))
			form_refuse(&op, x, "it takes [n, c, positions] and a weight [c, 1, k]");
	}
	if (!op.ok)
		return form_end(&op, form_of(&op, 0));
	int64_t c = tensor_type(&op, l.weight.id)->dim[0].size;
	int64_t back = tensor_type(&op, l.weight.id)->dim[2].size - 1;
	const adze_tensor both[2] = {nn_unnamed(&op, state), nn_unnamed(&op, x)};
	if (adze_is(state))
		next = adze_concat_at(NULL, 0, both, 2, "2");
	else
		next = (adze_pad)(both[1], "2", back, 0, 0);
	int64_t n = adze_is(next) ? adze_tensor_shape(next).dim[2].size : 0;
	if (op.ok && adze_is(next) && n != back + tensor_type(&op, x.id)->dim[2].size)
		form_refuse(&op, state, "the state is [n, c, k - 1]");
	y = (adze_conv1d)(next, l.weight, &(adze_window3){.groups = c});
	y = form_end(&op, form_reshape(&op, nn_bias(&op, y, l.bias, 1),
				       tensor_type(&op, x.id)));
	if (next_state != NULL)
		*next_state = adze_is(y) ? (adze_slice)(next, "2", n - back, n, 1) : y;
	return y;
}
