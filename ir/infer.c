/* SPDX-License-Identifier: Apache-2.0
 *
 * Type rules: the type of a result from the types of operands, attributes and, for
 * operations whose type is declared, from what was written. Here: the driver, sources,
 * element-wise operations, reductions, rows; infer_nn.c has products and windows, infer_move.c
 * what moves elements. A missing rule does not link. Refusals name the operation, the types and
 * the place it was called from.
 */
#include "ir/infer.h"

#include <stdio.h>

/* Refuses with the operation's name, `words`, and the operands' types. */
adze_status infer_refuse(const struct ask *q, const char *words)
{
	char list[900], one[SHAPE_TEXT];
	size_t n = 0;
	list[0] = '\0';
	for (size_t i = 0; i < q->narg && i < 3 && n + 4 < sizeof list; i++) {
		shape_print(infer_type(q, i), one, sizeof one);
		size_t len = strlen(one);
		if (n + len + 8 > sizeof list)
			break;
		memcpy(list + n, i > 0 ? ", " : " ", 2);
		n += i > 0 ? 2 : 1;
		memcpy(list + n, one, len + 1);
		n += len;
	}
	if (q->declared != NULL && (op_info(q->op)->flags & OP_DECLARED))
		return ir_fail(q->g, &q->g->at, ADZE_E_TYPE, "%s%s to %s: %s",
			       op_info(q->op)->name, list,
			       shape_print(q->declared, one, sizeof one), words);
	return ir_fail(q->g, &q->g->at, ADZE_E_TYPE, "%s%s: %s", op_info(q->op)->name, list,
		       words);
}

/* `to` takes the names that it lacks from `from`; false where both have different ones. */
bool infer_merge_names(adze_shape *to, const adze_shape *from)
{
	for (int i = 0; i < to->rank; i++) {
		if (from->dim[i].name[0] == '\0')
			continue;
		if (to->dim[i].name[0] == '\0')
			strcpy(to->dim[i].name, from->dim[i].name);
		else if (strcmp(to->dim[i].name, from->dim[i].name) != 0)
			return false;
	}
	/* A name that moved in must not meet itself on another axis. */
	for (int i = 0; i < to->rank; i++)
		for (int j = 0; j < i; j++)
			if (to->dim[i].name[0] != '\0' &&
			    strcmp(to->dim[i].name, to->dim[j].name) == 0)
				return false;
	return true;
}

void infer_drop_names(adze_shape *s)
{
	for (int i = 0; i < s->rank; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(s->dim[i].name, s->dim[j].name) == 0)
				memset(s->dim[i].name, 0, ADZE_MAX_AXIS);
}

/* Which axes are listed: false where one is not there or stands twice. */
bool infer_axis_set(const struct ir_dims *axes, int rank, bool *set)
{
	memset(set, 0, ADZE_MAX_RANK * sizeof *set);
	if (axes->n < 0 || axes->n > rank)
		return false;
	for (int i = 0; i < axes->n; i++) {
		if (axes->at[i] < 0 || axes->at[i] >= rank || set[axes->at[i]])
			return false;
		set[axes->at[i]] = true;
	}
	return true;
}

bool infer_list_ok(const struct ir_dims *d, int n, int64_t least)
{
	if (d->n != 0 && d->n != n)
		return false;
	for (int i = 0; i < d->n; i++)
		if (d->at[i] < least || d->at[i] > INT32_MAX)
			return false;
	return true;
}

/* How many places a window of `size` has along `extent`; -1 on overflow. */
int64_t infer_window_count(int64_t extent, int64_t size, int64_t stride, int64_t low,
			    int64_t high, int64_t dilation)
{
	int64_t span, padded;
	if (size == 0 || __builtin_mul_overflow(size - 1, dilation, &span) ||
	    __builtin_add_overflow(extent, low + high, &padded))
		return -1;
	return padded <= span ? 0 : (padded - span - 1) / stride + 1;
}

adze_status infer_declared(struct ask *q)
{
	*q->out = *q->declared;
	return ADZE_OK;
}

adze_status infer_const(struct ask *q)
{
	const struct attrs_data *a = q->attrs;
	if (!shape_is_static(q->declared))
		return infer_refuse(q, "a constant has no symbols");
	if ((int64_t)a->data.len != shape_bytes(q->declared))
		return infer_refuse(q, "its elements do not fill that type");
	int unused = (int)(8 * shape_bytes(q->declared) -
			   shape_count(q->declared) * dtype_info(q->declared->dtype)->bits);
	const uint8_t *bytes = a->data.bytes;
	if (unused > 0 && bytes[a->data.len - 1] >> (8 - unused) != 0)
		return infer_refuse(q, "the unused bits of its last byte are not zero");
	return infer_declared(q);
}

adze_status infer_iota(struct ask *q)
{
	if (!infer_axis_ok(q->declared, ((const struct attrs_axis *)q->attrs)->axis))
		return infer_refuse(q, "there is no such axis");
	return infer_declared(q);
}

adze_status infer_extent(struct ask *q)
{
	if (!infer_axis_ok(infer_type(q, 0), ((const struct attrs_axis *)q->attrs)->axis))
		return infer_refuse(q, "there is no such axis");
	*q->out = shape_make(ADZE_I32, 0, NULL);
	return ADZE_OK;
}

adze_status infer_ew(struct ask *q)
{
	*q->out = *infer_type(q, 0);
	for (size_t i = 1; i < q->narg; i++) {
		if (infer_type(q, i)->dtype != q->out->dtype)
			return infer_refuse(q, "element types differ");
		if (!shape_same_extents(infer_type(q, i), q->out))
			return infer_refuse(q, "shapes differ");
		if (!infer_merge_names(q->out, infer_type(q, i)))
			return infer_refuse(q, "names of axes differ");
	}
	q->out->dtype = ew_result(op_ew(q->op), q->out->dtype);
	return ADZE_OK;
}

adze_status infer_complex(struct ask *q)
{
	*q->out = *infer_type(q, 0);
	q->out->dtype = dtype_whole(q->out->dtype);
	if (!dtype_is_complex(q->out->dtype) ||
	    infer_type(q, 1)->dtype != infer_type(q, 0)->dtype)
		return infer_refuse(q, "the parts are both f32 or both f64");
	if (!shape_same_extents(infer_type(q, 1), q->out))
		return infer_refuse(q, "shapes differ");
	return infer_merge_names(q->out, infer_type(q, 1))
		       ? ADZE_OK
		       : infer_refuse(q, "names of axes differ");
}

adze_status infer_select(struct ask *q)
{
	*q->out = *infer_type(q, 1);
	if (infer_type(q, 0)->dtype != ADZE_BOOL)
		return infer_refuse(q, "the first operand must be bool");
	if (infer_type(q, 2)->dtype != q->out->dtype)
		return infer_refuse(q, "element types differ");
	for (size_t i = 0; i < 3; i += 2) {
		if (!shape_same_extents(infer_type(q, i), q->out))
			return infer_refuse(q, "shapes differ");
		if (!infer_merge_names(q->out, infer_type(q, i)))
			return infer_refuse(q, "names of axes differ");
	}
	return ADZE_OK;
}

adze_status infer_convert(struct ask *q)
{
	*q->out = *infer_type(q, 0);
	if (!shape_same_extents(q->out, q->declared))
		return infer_refuse(q, "shapes differ");
	if (!infer_merge_names(q->out, q->declared))
		return infer_refuse(q, "names of axes differ");
	q->out->dtype = q->declared->dtype;
	return ADZE_OK;
}

adze_status infer_reduce(struct ask *q)
{
	const struct attrs_reduce *a = q->attrs;
	const adze_shape *x = infer_type(q, 0);
	bool gone[ADZE_MAX_RANK];
	if ((unsigned)a->by >= EW_COUNT || !(ew_info(a->by)->flags & EW_ASSOC))
		return infer_refuse(q, "that function cannot reduce");
	if (!dtype_taken(x->dtype, ew_info(a->by)->takes))
		return infer_refuse(q, "the function does not take that element type");
	if (!infer_axis_set(&a->axes, x->rank, gone))
		return infer_refuse(q, "axes are not there, or stand twice");
	*q->out = shape_make(x->dtype, 0, NULL);
	for (int i = 0; i < x->rank; i++)
		if (!gone[i])
			q->out->dim[q->out->rank++] = x->dim[i];
	return ADZE_OK;
}

adze_status infer_arg(struct ask *q)
{
	int64_t axis = ((const struct attrs_axis *)q->attrs)->axis;
	const adze_shape *x = infer_type(q, 0);
	if (!infer_axis_ok(x, axis))
		return infer_refuse(q, "there is no such axis");
	if (x->dim[axis].size == 0 || x->dim[axis].size > INT32_MAX)
		return infer_refuse(q, "the axis is empty, or too long for an i32");
	*q->out = shape_make(ADZE_I32, 0, NULL);
	for (int i = 0; i < x->rank; i++)
		if (i != axis)
			q->out->dim[q->out->rank++] = x->dim[i];
	return ADZE_OK;
}

adze_status infer_softmax(struct ask *q)
{
	*q->out = *infer_type(q, 0);
	if (!infer_axis_ok(q->out, ((const struct attrs_axis *)q->attrs)->axis))
		return infer_refuse(q, "there is no such axis");
	return ADZE_OK;
}

adze_status infer_norm(struct ask *q)
{
	const adze_shape *x = infer_type(q, 0);
	*q->out = *x;
	if (x->rank < 1)
		return infer_refuse(q, "it works along the last axis, and there is none");
	for (size_t i = 1; i < q->narg; i++)
		if (infer_type(q, i)->dtype != x->dtype || infer_type(q, i)->rank != 1 ||
		    !dim_same(&infer_type(q, i)->dim[0], &x->dim[x->rank - 1]))
			return infer_refuse(q, "scale and bias have one number for each "
					       "element of the last axis");
	return ADZE_OK;
}

static infer_rule *const rule_of[OP_COUNT] = {
	NULL,
#define OP(name, id, min, max, cls, takes, rule, attrs, flags, doc) infer_##rule,
#include "ir/ops.def"
};

/* "it takes floats, not i32" where the table says so. */
static adze_status check_takes(const struct ask *q)
{
	const adze_shape *x = q->narg > 0 ? infer_type(q, 0) : q->declared;
	int takes = op_info(q->op)->takes;
	char words[160];
	if (x == NULL || dtype_taken(x->dtype, takes))
		return ADZE_OK;
	snprintf(words, sizeof words, "it takes %s, not %s", dtype_class_words(takes),
		 dtype_info(x->dtype)->name);
	return infer_refuse(q, words);
}

adze_status ir_infer(adze_graph *g, enum ir_op op, const ir_val *args, size_t narg,
		     const void *attrs, const adze_shape *declared, adze_shape *out)
{
	return ir_infer_results(g, op, args, narg, attrs, declared, out, NULL);
}

adze_status ir_infer_results(adze_graph *g, enum ir_op op, const ir_val *args, size_t narg,
			     const void *attrs, const adze_shape *declared, adze_shape *out,
			     struct ir_results *results)
{
	struct ask q = {g, op, args, narg, attrs, declared, out, results};
	struct diag d = {ADZE_OK, ""};
	memset(out, 0, sizeof *out);
	if (declared != NULL && shape_check(declared, &d) != ADZE_OK)
		return ir_fail(g, &g->at, d.status, "%s: %s", op_info(op)->name, d.text);
	TRY(check_takes(&q));
	return rule_of[op](&q);
}
