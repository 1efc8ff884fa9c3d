/* SPDX-License-Identifier: Apache-2.0
 *
 * Recurrent cells, one step or along a sequence. The gates of a step are those of x, which for a
 * sequence are one product, and those of the state.
 */
#include "nn/nn_parts.h"

#include <stdio.h>

struct cells {
	struct tensor_op op;
	adze_cell cell;
	bool lstm;
};

/* x W' + b over the last axis. */
static adze_tensor linear(adze_tensor x, adze_tensor weight, adze_tensor bias)
{
	adze_tensor y = (adze_dot)(x, weight, "-1=1");
	return adze_is(bias) ? f_add(y, bias) : y;
}

/* Gate i of all that lie behind each other, in the shape of h. */
static adze_tensor gate(struct cells *r, adze_tensor all, int i, adze_tensor h)
{
	const adze_shape s = adze_tensor_shape(h);
	int64_t n = s.rank > 0 ? s.dim[s.rank - 1].size : 0;
	return form_reshape(&r->op, (adze_slice)(all, "-1", i * n, (i + 1) * n, 1), &s);
}

/* The next state from the gates of x: state[0] is h, state[1] an LSTM's c. */
static void step(struct cells *r, adze_tensor a, const adze_tensor *state, adze_tensor *next)
{
	adze_tensor h = state[0], b = linear(h, r->cell.weight_h, r->cell.bias_h), g[4];
	for (int i = 0; i < 4 && r->lstm; i++)
		g[i] = f_add(gate(r, a, i, h), gate(r, b, i, h));
	if (r->lstm) {
		next[1] = f_add(f_mul(f_logistic(g[1]), state[1]),
				f_mul(f_logistic(g[0]), f_tanh(g[2])));
		next[0] = f_mul(f_logistic(g[3]), f_tanh(next[1]));
		return;
	}
	adze_tensor reset = f_logistic(f_add(gate(r, a, 0, h), gate(r, b, 0, h)));
	adze_tensor update = f_logistic(f_add(gate(r, a, 1, h), gate(r, b, 1, h)));
	adze_tensor new = f_tanh(f_add(gate(r, a, 2, h), f_mul(reset, gate(r, b, 2, h))));
	next[0] = f_add(new, f_mul(update, f_sub(h, new)));
}

/* x has `more` axes more than the states: that of a sequence. */
static bool begin(struct cells *r, const char *name, adze_tensor x, const adze_tensor *state,
		  adze_cell cell, int more)
{
	const adze_tensor all[5] = {x, state[0], cell.weight_x, cell.weight_h, state[r->lstm]};
	r->op = form_floats(name, all, 5);
	if (!r->op.ok)
		return false;
	r->cell = (adze_cell){nn_weight(&r->op, cell.weight_x, x),
			      nn_weight(&r->op, cell.weight_h, x),
			      nn_weight(&r->op, cell.bias_x, x),
			      nn_weight(&r->op, cell.bias_h, x)};
	struct tensor_op *op = &r->op;
	const adze_shape *h = tensor_type(op, state[0].id);
	int gates = r->lstm ? 4 : 3;
	if (h->rank < 1 || tensor_type(op, x.id)->rank != h->rank + more)
		form_refuse(op, state[0], "x and the state have as many axes, the last of "
					  "features; a sequence has one before it");
	for (int i = 0; i < 2 && op->ok; i++) {
		adze_tensor w = i == 0 ? cell.weight_x : cell.weight_h;
		const adze_shape *s = tensor_type(op, w.id);
		if (s->rank != 2 || s->dim[0].size != gates * h->dim[h->rank - 1].size)
			form_refuse(op, w, "a weight is [gates of the state's width, width]");
	}
	return op->ok;
}

adze_tensor(adze_gru_cell)(adze_tensor x, adze_tensor h, adze_cell cell)
{
	struct cells r = {.lstm = false};
	adze_tensor y = x;
	if (begin(&r, "gru_cell", x, &h, cell, 0))
		step(&r, linear(x, r.cell.weight_x, r.cell.bias_x), &h, &y);
	return form_end(&r.op, y);
}

adze_tensor(adze_lstm_cell)(adze_tensor x, adze_tensor h, adze_tensor c, adze_cell cell,
			    adze_tensor *next_c)
{
	struct cells r = {.lstm = true};
	const adze_tensor state[2] = {h, c};
	adze_tensor next[2] = {x, x};
	if (begin(&r, "lstm_cell", x, state, cell, 0))
		step(&r, linear(x, r.cell.weight_x, r.cell.bias_x), state, next);
	next[0] = form_end(&r.op, next[0]);
	if (next_c != NULL)
		*next_c = adze_is(next[0]) ? next[1] : next[0];
	return next[0];
}

static adze_cell cell_of(struct adze_nn_cell l)
{
	return (adze_cell){l.weight_ih, l.weight_hh, l.bias_ih, l.bias_hh};
}

adze_tensor(adze_nn_gru_cell)(struct adze_nn_cell l, adze_tensor x, adze_tensor h)
{
	return (adze_gru_cell)(x, h, cell_of(l));
}

adze_tensor(adze_nn_lstm_cell)(struct adze_nn_cell l, adze_tensor x, adze_tensor h,
			       adze_tensor c, adze_tensor *next_c)
{
	return (adze_lstm_cell)(x, h, c, cell_of(l), next_c);
}

/* ---- sequences ---- */

static void scan_step(void *self, const adze_tensor *x, adze_tensor *y)
{
	struct cells *r = self;
	int n = r->lstm ? 2 : 1;
	step(r, x[n], x, y);
	y[n] = y[0];
}

/* y [.., s, d], and the states become the last ones. */
static adze_tensor run(struct cells *r, const char *name, struct adze_nn_cell l, adze_tensor x,
		       adze_tensor *state, bool reverse)
{
	char axis[16];
	if (!begin(r, name, x, state, cell_of(l), 1))
		return form_end(&r->op, form_of(&r->op, 0));
	int at = tensor_type(&r->op, x.id)->rank - 2;
	snprintf(axis, sizeof axis, "%d", at);
	adze_tensor a = linear(x, r->cell.weight_x, r->cell.bias_x), y = form_of(&r->op, 0);
	const adze_scan_how how = {.axis = axis, .reverse = reverse};
	if (adze_is(a))
		(void)adze_scan_at(NULL, 0, scan_step, r, state, r->lstm ? 2 : 1, &a, 1, &y, 1,
				   &how);
	return form_end(&r->op, nn_first_to(&r->op, y, at));
}

adze_tensor(adze_nn_gru)(struct adze_nn_cell l, adze_tensor x, adze_tensor h, bool reverse,
			 adze_tensor *next_h)
{
	struct cells r = {.lstm = false};
	adze_tensor state[1] = {h};
	adze_tensor y = run(&r, "nn_gru", l, x, state, reverse);
	if (next_h != NULL)
		*next_h = adze_is(y) ? state[0] : y;
	return y;
}

adze_tensor(adze_nn_lstm)(struct adze_nn_cell l, adze_tensor x, adze_tensor h, adze_tensor c,
			  bool reverse, adze_tensor *next_h, adze_tensor *next_c)
{
	struct cells r = {.lstm = true};
	adze_tensor state[2] = {h, c};
	adze_tensor y = run(&r, "nn_lstm", l, x, state, reverse);
	if (next_h != NULL)
		*next_h = adze_is(y) ? state[0] : y;
	if (next_c != NULL)
		*next_c = adze_is(y) ? state[1] : y;
	return y;
}
