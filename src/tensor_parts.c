/* SPDX-License-Identifier: Apache-2.0
 *
 * Forms that split, merge, repeat and mask axes, and products over axes by name.
 */
#include "forms.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- axes ---- */

/* Appends axes from..to of a shape, as text that adze_reshape() takes. */
static void append_axes(char *text, size_t cap, const adze_shape *s, int from, int to)
{
	adze_shape part = *s;
	char one[SHAPE_TEXT];
	size_t n = strlen(text);
	part.rank = to - from;
	memmove(part.dim, s->dim + from, (size_t)part.rank * sizeof part.dim[0]);
	shape_print(&part, one, sizeof one);
	char *open = strchr(one, '['), *close = strrchr(one, ']');
	if (open != NULL && close != NULL)
		snprintf(text + n, cap - n, " %.*s", (int)(close - open - 1), open + 1);
}

adze_tensor(adze_split_axis)(adze_tensor x, const char *axis, const char *dims)
{
	struct tensor_op op = tensor_begin("split_axis", &x, 1);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	if (k < 0)
		return form_end(&op, x);
	const adze_shape *s = tensor_type(&op, x.id);
	char text[SHAPE_TEXT] = "";
	append_axes(text, sizeof text, s, 0, k);
	size_t n = strlen(text);
	snprintf(text + n, sizeof text - n, " %.200s", dims != NULL ? dims : "");
	append_axes(text, sizeof text, s, k + 1, s->rank);
	return form_end(&op, (adze_reshape)(x, text));
}

/* x with the listed axes side by side where the first of them stands; *at is where. */
static adze_tensor gather_axes(struct tensor_op *op, adze_tensor x, const struct ir_dims *axes,
			       int *at)
{
	struct attrs_axes order;
	int rank = tensor_type(op, x.id)->rank;
	memset(&order, 0, sizeof order);
	for (int i = 0; i < rank; i++) {
		bool listed = false;
		for (int64_t k = 0; k < axes->n; k++)
			listed |= axes->at[k] == i;
		if (i == axes->at[0]) {
			*at = (int)order.axes.n;
			for (int64_t k = 0; k < axes->n; k++)
				order.axes.at[order.axes.n++] = axes->at[k];
		} else if (!listed) {
			order.axes.at[order.axes.n++] = i;
		}
	}
	bool same = true;
	for (int i = 0; i < rank; i++)
		same &= order.axes.at[i] == i;
	return same ? x : form_of(op, ir_emit1(op->graph, OP_TRANSPOSE, x.id, &order, NULL));
}

adze_tensor(adze_merge_axes)(adze_tensor x, const char *axes, const char *name)
{
	struct tensor_op op = tensor_begin("merge_axes", &x, 1);
	struct ir_dims list;
	int at = 0;
	if (!op.ok || !tensor_axes(&op, x.id, axes, &list))
		return form_end(&op, x);
	if (list.n == 0)
		return form_end(&op, form_refuse(&op, x, "no axis is listed"));
	adze_tensor y = gather_axes(&op, x, &list, &at);
	if (!adze_is(y))
		return form_end(&op, y);
	const adze_shape *s = tensor_type(&op, y.id);
	char text[SHAPE_TEXT] = "";
	append_axes(text, sizeof text, s, 0, at);
	size_t n = strlen(text);
	snprintf(text + n, sizeof text - n, " %.40s%s?", name != NULL ? name : "",
		 name != NULL && name[0] != '\0' ? "=" : "");
	append_axes(text, sizeof text, s, at + (int)list.n, s->rank);
	return form_end(&op, (adze_reshape)(y, text));
}

adze_tensor(adze_flatten)(adze_tensor x, const char *name)
{
	struct tensor_op op = tensor_begin("flatten", &x, 1);
	char text[64];
	snprintf(text, sizeof text, "%.40s%s?", name != NULL ? name : "",
		 name != NULL && name[0] != '\0' ? "=" : "");
	return form_end(&op, (adze_reshape)(x, text));
}

static adze_tensor insert(struct tensor_op *op, adze_tensor x, int at, const char *name)
{
	if (!op->ok)
		return x;
	adze_shape to = *tensor_type(op, x.id);
	int place = at < 0 ? at + to.rank + 1 : at;
	if (place < 0 || place > to.rank)
		return form_refuse(op, x, "there is no such place for an axis");
	adze_dim one = form_dim(op, 1, name);
	return form_insert(op, &to, place, one) ? form_reshape(op, x, &to) : x;
}

adze_tensor(adze_insert_axis)(adze_tensor x, int at, const char *name)
{
	struct tensor_op op = tensor_begin("insert_axis", &x, 1);
	return form_end(&op, insert(&op, x, at, name));
}

adze_tensor(adze_squeeze)(adze_tensor x, const char *axes)
{
	struct tensor_op op = tensor_begin("squeeze", &x, 1);
	struct ir_dims list;
	if (!op.ok || !tensor_axes(&op, x.id, axes, &list))
		return form_end(&op, x);
	const adze_shape *s = tensor_type(&op, x.id);
	adze_shape to = *s;
	to.rank = 0;
	for (int i = 0; i < s->rank; i++) {
		bool listed = false;
		for (int64_t k = 0; k < list.n; k++)
			listed |= list.at[k] == i;
		if (!listed)
			to.dim[to.rank++] = s->dim[i];
		else if (!dim_is_static(&s->dim[i]) || s->dim[i].size != 1)
			return form_end(&op, form_refuse(&op, x, "the extent of an axis that is "
								 "to go is not 1"));
	}
	return form_end(&op, form_reshape(&op, x, &to));
}

adze_tensor(adze_swap_axes)(adze_tensor x, const char *a, const char *b)
{
	struct tensor_op op = tensor_begin("swap_axes", &x, 1);
	int i = op.ok ? tensor_axis_of(&op, x.id, a) : -1;
	int j = i >= 0 ? tensor_axis_of(&op, x.id, b) : -1;
	struct attrs_axes attrs;
	memset(&attrs, 0, sizeof attrs);
	if (j < 0)
		return form_end(&op, x);
	attrs.axes.n = tensor_type(&op, x.id)->rank;
	for (int k = 0; k < attrs.axes.n; k++)
		attrs.axes.at[k] = k == i ? j : k == j ? i : k;
	return form_end(&op, form_of(&op, ir_emit1(op.graph, OP_TRANSPOSE, x.id, &attrs, NULL)));
}

/* ---- parts ---- */

adze_tensor(adze_choose)(adze_tensor x, const char *axis, int64_t i)
{
	struct tensor_op op = tensor_begin("choose", &x, 1);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	if (k < 0)
		return form_end(&op, x);
	int64_t extent = tensor_type(&op, x.id)->dim[k].size, at = i < 0 ? i + extent : i;
	if (at < 0 || at >= extent)
		return form_end(&op, form_refuse(&op, x, "there is no such element"));
	return form_end(&op, (adze_squeeze)((adze_slice)(x, axis, at, at + 1, 1), axis));
}

adze_tensor adze_stack_at(const char *file, int line, const adze_tensor *x, size_t n, int at,
			  const char *name)
{
	struct tensor_op op = tensor_begin("stack", x, n);
	const adze_allocator *a;
	adze_tensor y = form_of(&op, 0), *part;
	adze_graph_at(op.graph, file, line);
	if (n == 0 || !op.ok)
		return form_end(&op, y);
	a = op.graph->arena.from;
	if ((part = mem_new(a, n, sizeof *part)) == NULL) {
		tensor_fail(&op, ADZE_E_NOMEM, "no memory for %zu operands", n);
		return form_end(&op, y);
	}
	for (size_t i = 0; i < n; i++)
		part[i] = insert(&op, x[i], at, name);
	if (adze_is(part[0])) {
		char axis[16];
		int rank = tensor_type(&op, x[0].id)->rank;
		snprintf(axis, sizeof axis, "%d", at < 0 ? at + rank + 1 : at);
		y = adze_concat_at(file, line, part, n, axis);
	}
	mem_free(a, part, n, sizeof *part);
	return form_end(&op, y);
}

static adze_status split(struct tensor_op *op, adze_tensor x, const char *axis,
			 const int64_t *size, int64_t each, size_t n, adze_tensor *out)
{
	int64_t at = 0;
	for (size_t i = 0; i < n; i++) {
		int64_t part = size != NULL ? size[i] : each;
		if (op->ok)
			out[i] = (adze_slice)(x, axis, at, at + part, 1);
		at += part;
	}
	/* All or none, with the words of the form. */
	adze_tensor y = form_end(op, x);
	for (size_t i = 0; i < n && !adze_is(y); i++)
		out[i] = y;
	return adze_is(y) ? ADZE_OK : op->graph == NULL ? ADZE_E_ARGUMENT
							: op->graph->diag.status;
}

adze_status(adze_split)(adze_tensor x, const char *axis, const int64_t *size, size_t n,
			adze_tensor *out)
{
	struct tensor_op op = tensor_begin("split", &x, 1);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	int64_t sum = 0;
	bool fine = n > 0 && size != NULL;
	for (size_t i = 0; i < n && fine; i++)
		fine = size[i] >= 0 && !__builtin_add_overflow(sum, size[i], &sum);
	if (k >= 0 && (!fine || sum != tensor_type(&op, x.id)->dim[k].size))
		form_refuse(&op, x, "the parts do not add up to the axis");
	return split(&op, x, axis, size, 0, fine ? n : 0, out);
}

adze_status(adze_chunk)(adze_tensor x, const char *axis, size_t n, adze_tensor *out)
{
	struct tensor_op op = tensor_begin("chunk", &x, 1);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	int64_t extent = k >= 0 ? tensor_type(&op, x.id)->dim[k].size : 0, part = 0;
	if (k >= 0 && (n == 0 || n > INT32_MAX || extent % (int64_t)n != 0))
		form_refuse(&op, x, "the axis does not part into so many equal ones");
	else if (n > 0)
		part = extent / (int64_t)n;
	return split(&op, x, axis, NULL, part, n, out);
}

/* An axis beside axis k is made of extent n and merged with it, before it or behind it. */
static adze_tensor multiply(const char *name, adze_tensor x, const char *axis, int64_t n,
			    bool behind)
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	if (k < 0)
		return form_end(&op, x);
	if (n < 0 || n > INT32_MAX)
		return form_end(&op, form_refuse(&op, x, "that is no number of times"));
	adze_shape wide = *tensor_type(&op, x.id), to = wide;
	struct ir_dims at = {.n = wide.rank};
	for (int i = 0; i < wide.rank; i++)
		at.at[i] = i + (behind ? i > k : i >= k);
	if (__builtin_mul_overflow(to.dim[k].size, n, &to.dim[k].size) ||
	    __builtin_mul_overflow(to.dim[k].scale, n, &to.dim[k].scale))
		return form_end(&op, form_refuse(&op, x, "the extent overflows"));
	if (n == 0)
		to.dim[k] = form_dim(&op, 0, to.dim[k].name);
	if (!form_insert(&op, &wide, behind ? k + 1 : k, dim_make(n)))
		return form_end(&op, x);
	return form_end(&op, form_reshape(&op, form_spread(&op, x, &wide, &at), &to));
}

adze_tensor(adze_repeat)(adze_tensor x, const char *axis, int64_t n)
{
	return multiply("repeat", x, axis, n, false);
}

adze_tensor(adze_stutter)(adze_tensor x, const char *axis, int64_t n)
{
	return multiply("stutter", x, axis, n, true);
}

/* The axis has a symbol: places are counted in the call. */
static adze_tensor roll_symbol(struct tensor_op *op, adze_tensor x, const char *axis, int k,
			       int64_t shift)
{
	adze_shape one = *tensor_type(op, x.id);
	one.dim[0] = one.dim[k];
	one.rank = 1;
	adze_tensor n = (adze_convert)((adze_extent)(x, axis), ADZE_I64);
	adze_tensor i = f_rem(f_shift(form_iota(op, &one, ADZE_I64, 0), -(double)shift), n);
	i = (adze_select)(f_lt(i, f_num(i, 0)), f_add(i, n), i);
	return (adze_take)(x, i, axis);
}

adze_tensor(adze_roll)(adze_tensor x, const char *axis, int64_t shift)
{
	struct tensor_op op = tensor_begin("roll", &x, 1);
	int k = op.ok ? tensor_axis_of(&op, x.id, axis) : -1;
	if (k < 0)
		return form_end(&op, x);
	if (shift < -INT32_MAX || shift > INT32_MAX)
		return form_end(&op, form_refuse(&op, x, "the shift is too large"));
	const adze_dim *d = &tensor_type(&op, x.id)->dim[k];
	if (!dim_is_static(d))
		return form_end(&op, roll_symbol(&op, x, axis, k, shift));
	int64_t n = d->size, to = n > 0 ? (shift % n + n) % n : 0;
	const adze_tensor part[2] = {(adze_slice)(x, axis, n - to, n, 1),
				     (adze_slice)(x, axis, 0, n - to, 1)};
	return form_end(&op, to == 0 ? x : adze_concat_at(NULL, 0, part, 2, axis));
}

/* ---- masks ---- */

static adze_tensor masked(const char *name, adze_tensor x, const char *row, const char *column,
			  int64_t offset, adze_tensor (*compare)(adze_tensor, adze_tensor))
{
	struct tensor_op op = tensor_begin(name, &x, 1);
	int i = op.ok ? tensor_axis_of(&op, x.id, row) : -1;
	int j = i >= 0 ? tensor_axis_of(&op, x.id, column) : -1;
	if (j < 0)
		return form_end(&op, x);
	if (i == j)
		return form_end(&op, form_refuse(&op, x, "row and column are one axis"));
	if (offset < -INT32_MAX / 2 || offset > INT32_MAX / 2)
		return form_end(&op, form_refuse(&op, x, "the offset is too large"));
	const adze_shape s = *tensor_type(&op, x.id);
	adze_tensor at = form_iota(&op, &s, ADZE_I32, i), to = form_iota(&op, &s, ADZE_I32, j);
	adze_tensor keep = compare(to, f_shift(at, (double)offset));
	return form_end(&op, (adze_select)(keep, x, f_num(x, 0)));
}

adze_tensor(adze_tril)(adze_tensor x, const char *row, const char *column, int64_t offset)
{
	return masked("tril", x, row, column, offset, f_le);
}

adze_tensor(adze_triu)(adze_tensor x, const char *row, const char *column, int64_t offset)
{
	return masked("triu", x, row, column, offset, f_ge);
}

adze_tensor(adze_diagonal)(adze_tensor x, const char *row, const char *column, int64_t offset)
{
	return masked("diagonal", x, row, column, offset, f_eq);
}

adze_tensor(adze_one_hot)(adze_tensor indices, const char *dim, adze_dtype dtype)
{
	struct tensor_op op = tensor_begin("one_hot", &indices, 1);
	struct diag d = {ADZE_OK, ""};
	adze_shape more;
	if (!op.ok)
		return form_end(&op, indices);
	adze_shape to = *tensor_type(&op, indices.id);
	struct ir_dims at = {.n = to.rank};
	if (!dtype_is_int(to.dtype))
		return form_end(&op, form_refuse(&op, indices, "it takes integers"));
	if (dim == NULL || shape_parse(dim, strlen(dim), ADZE_I64, &more, &d) != ADZE_OK ||
	    more.rank != 1)
		tensor_fail(&op, d.status != ADZE_OK ? d.status : ADZE_E_ARGUMENT,
			    "'%.100s' is not one axis", dim != NULL ? dim : "");
	if (!op.ok || !form_insert(&op, &to, to.rank, more.dim[0]))
		return form_end(&op, indices);
	for (int i = 0; i < at.n; i++)
		at.at[i] = i;
	/* i64: what counts the axis must not wrap where indices are narrow. */
	adze_tensor i = form_spread(&op, (adze_convert)(indices, ADZE_I64), &to, &at);
	adze_tensor y = f_eq(i, form_iota(&op, &to, ADZE_I64, to.rank - 1));
	return form_end(&op, (adze_convert)(y, dtype));
}

adze_tensor(adze_embedding)(adze_tensor weight, adze_tensor indices)
{
	const adze_tensor x[2] = {weight, indices};
	struct tensor_op op = tensor_begin("embedding", x, 2);
	if (op.ok && tensor_type(&op, weight.id)->rank != 2)
		form_refuse(&op, weight, "the weight is [entries, width]");
	return form_end(&op, (adze_take)(weight, indices, "0"));
}

/* ---- products ---- */

adze_tensor(adze_outer)(adze_tensor a, adze_tensor b)
{
	const adze_tensor x[2] = {a, b};
	struct tensor_op op = tensor_begin("outer", x, 2);
	struct attrs_dot dot;
	memset(&dot, 0, sizeof dot);
	return form_end(&op, form_of(&op, op.ok ? ir_emit2(op.graph, OP_DOT, a.id, b.id, &dot)
						: 0));
}

/* The axes of one operand of einsum, or of its result. */
struct term {
	int n;
	char name[ADZE_MAX_RANK][ADZE_MAX_AXIS];
};

static int find_name(const struct term *t, const char *name)
{
	for (int i = 0; i < t->n; i++)
		if (strcmp(t->name[i], name) == 0)
			return i;
	return -1;
}

/* Reads names up to a comma, an arrow or the end, behind which *at then is. */
static const char *read_term(const char **at, struct term *t, bool last)
{
	memset(t, 0, sizeof *t);
	for (;;) {
		*at += strspn(*at, " \t\n");
		if (**at == '\0')
			return last ? NULL : "there is no '->', or an operand is missing";
		if (!last && (**at == ',' || strncmp(*at, "->", 2) == 0))
			return NULL;
		size_t n = strcspn(*at, " \t\n,-");
		if (n == 0 || n >= ADZE_MAX_AXIS || t->n == ADZE_MAX_RANK)
			return "a name is missing or too long, or there are too many";
		memcpy(t->name[t->n], *at, n);
		if (last && find_name(t, t->name[t->n]) >= 0)
			return "an axis of the result stands twice";
		t->n++;
		*at += n;
	}
}

/* Appends a name to a list of axes. */
static void list_name(char *list, size_t cap, const char *name)
{
	size_t n = strlen(list);
	snprintf(list + n, cap - n, "%s ", name);
}

/* x with the names of `t`, and summed over those that are in no other term. */
static adze_tensor bring(struct tensor_op *op, adze_tensor x, const struct term *t,
			 const struct term *others, size_t n, size_t self)
{
	char list[ADZE_MAX_RANK * (ADZE_MAX_AXIS + 1)] = "";
	if (!op->ok || tensor_type(op, x.id)->rank != t->n)
		return form_refuse(op, x, "the text lists another number of axes for it");
	adze_shape to = *tensor_type(op, x.id);
	for (int i = 0; i < t->n; i++) {
		bool used = false;
		memcpy(to.dim[i].name, t->name[i], ADZE_MAX_AXIS);
		for (size_t k = 0; k < n; k++)
			used |= k != self && find_name(&others[k], t->name[i]) >= 0;
		if (!used)
			list_name(list, sizeof list, t->name[i]);
	}
	x = form_reshape(op, x, &to);
	return list[0] != '\0' ? (adze_sum)(x, list) : x;
}

/* Which axes of the product so far and of b are in no term to come: they are summed. */
static void summed(const adze_shape *a, const adze_shape *b, const struct term *rest, size_t n,
		   char *list, size_t cap)
{
	list[0] = '\0';
	for (int i = 0; i < a->rank; i++) {
		bool later = shape_axis(b, a->dim[i].name, strlen(a->dim[i].name)) < 0;
		for (size_t k = 0; k < n; k++)
			later |= find_name(&rest[k], a->dim[i].name) >= 0;
		if (!later)
			list_name(list, cap, a->dim[i].name);
	}
}

static adze_tensor contract(struct tensor_op *op, const adze_tensor *x, size_t n,
			    const struct term *t)
{
	char list[ADZE_MAX_RANK * (ADZE_MAX_AXIS + 1)] = "";
	adze_tensor y = bring(op, x[0], &t[0], t, n + 1, 0);
	for (size_t i = 1; i < n && op->ok && adze_is(y); i++) {
		adze_tensor b = bring(op, x[i], &t[i], t, n + 1, i);
		if (!op->ok || !adze_is(b))
			return b;
		summed(tensor_type(op, y.id), tensor_type(op, b.id), t + i + 1, n - i, list,
		       sizeof list);
		y = (adze_dot)(y, b, list);
	}
	list[0] = '\0';
	for (int i = 0; i < t[n].n; i++)
		list_name(list, sizeof list, t[n].name[i]);
	return (adze_transpose)(y, list);
}

#define EINSUM_MOST 16

/* x with the diagonals that names mean which stand twice; they come last. */
static adze_tensor take_diagonals(struct tensor_op *op, adze_tensor x, struct term *t)
{
	for (int j = 0; j < t->n && op->ok; j++) {
		int i = find_name(t, t->name[j]);
		char row[2] = {(char)('0' + i), '\0'}, column[2] = {(char)('0' + j), '\0'};
		if (i == j)
			continue;
		const adze_shape *s = tensor_type(op, x.id);
		if (s->rank != t->n || !dim_same(&s->dim[i], &s->dim[j]))
			return form_refuse(op, x, "an axis that stands twice has two extents");
		x = (adze_diag)(x, row, column, 0);
		if (!adze_is(x))
			return x;
		struct term rest = {.n = 0};
		for (int k = 0; k < t->n; k++)
			if (k != i && k != j)
				memcpy(rest.name[rest.n++], t->name[k], ADZE_MAX_AXIS);
		memcpy(rest.name[rest.n++], t->name[j], ADZE_MAX_AXIS);
		*t = rest;
		j = -1;
	}
	return x;
}

adze_tensor adze_einsum_at(const char *file, int line, const adze_tensor *x, size_t n,
			   const char *spec)
{
	struct tensor_op op = tensor_begin("einsum", x, n);
	struct term term[EINSUM_MOST + 1];
	const char *at = spec != NULL ? spec : "", *words = NULL;
	adze_graph_at(op.graph, file, line);
	if (op.ok && (n == 0 || n > EINSUM_MOST))
		tensor_fail(&op, ADZE_E_LIMIT, "it takes 1 to %d operands", EINSUM_MOST);
	if (n == 0 || !op.ok)
		return tensor_end(&op, 0);
	for (size_t i = 0; i <= n && words == NULL; i++) {
		words = read_term(&at, &term[i], i == n);
		bool arrow = words == NULL && strncmp(at, "->", 2) == 0;
		if (words == NULL && i < n && arrow != (i == n - 1))
			words = "it lists another number of operands";
		at += i == n || words != NULL ? 0 : arrow ? 2 : 1;
	}
	if (words != NULL)
		tensor_fail(&op, ADZE_E_SYNTAX, "'%.200s': %s", spec != NULL ? spec : "", words);
	adze_tensor part[EINSUM_MOST];
	for (size_t i = 0; i < n && op.ok; i++)
		part[i] = take_diagonals(&op, x[i], &term[i]);
	return form_end(&op, op.ok ? contract(&op, part, n, term) : form_of(&op, 0));
}
