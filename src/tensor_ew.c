/* SPDX-License-Identifier: Apache-2.0
 *
 * Element-wise functions, one for each row of ew.def, and how their operands come to the
 * same shape.
 */
#include "tensor.h"

#include <string.h>

/* Whether all axes have names. */
static bool all_named(const adze_shape *s)
{
	for (int i = 0; i < s->rank; i++)
		if (s->dim[i].name[0] == '\0')
			return false;
	return true;
}

static bool names_meet(const adze_dim *a, const adze_dim *b)
{
	return a->name[0] == '\0' || b->name[0] == '\0' || strcmp(a->name, b->name) == 0;
}

static bool is_one(const adze_dim *d)
{
	return dim_is_static(d) && d->size == 1;
}

/*
 * Which axis of `to` each axis of `x` meets: by names where `x` has fewer axes and all are
 * found, else the last ones. NULL, or what is wrong.
 */
static const char *align(const adze_shape *x, const adze_shape *to, struct ir_dims *out)
{
	memset(out, 0, sizeof *out);
	if (x->rank > to->rank)
		return "it has more axes";
	out->n = x->rank;
	bool found = x->rank < to->rank && all_named(x);
	for (int i = 0; i < x->rank && found; i++) {
		out->at[i] = shape_axis(to, x->dim[i].name, strlen(x->dim[i].name));
		found = out->at[i] >= 0;
	}
	for (int i = 0; i < x->rank && !found; i++) {
		out->at[i] = to->rank - x->rank + i;
		if (!names_meet(&x->dim[i], &to->dim[out->at[i]]))
			return "names of axes differ";
	}
	return NULL;
}

/* Makes `to` the common shape of itself and `x`, which has no more axes. */
static const char *widen(adze_shape *to, const adze_shape *x)
{
	struct ir_dims at;
	const char *words = align(x, to, &at);
	if (words != NULL)
		return words;
	for (int i = 0; i < x->rank; i++) {
		adze_dim *have = &to->dim[at.at[i]], more = x->dim[i];
		if (!dim_same(have, &more) && !is_one(have) && !is_one(&more))
			return "extents differ";
		if (is_one(have) && !is_one(&more)) {
			if (have->name[0] != '\0')
				memcpy(more.name, have->name, sizeof more.name);
			*have = more;
		} else if (have->name[0] == '\0') {
			memcpy(have->name, more.name, sizeof have->name);
		}
	}
	/* A name that came in may be there on another axis. */
	for (int i = 0; i < to->rank; i++)
		for (int j = 0; j < i; j++)
			if (to->dim[i].name[0] != '\0' &&
			    strcmp(to->dim[i].name, to->dim[j].name) == 0)
				return "names of axes differ";
	return NULL;
}

static const char *join(adze_shape *to, const adze_shape *x)
{
	if (x->rank <= to->rank)
		return widen(to, x);
	adze_shape wide = *x;
	const char *words = widen(&wide, to);
	*to = wide;
	return words;
}

static ir_val refuse(struct tensor_op *op, const ir_val *x, size_t n, const char *words)
{
	char a[SHAPE_TEXT / 3], b[SHAPE_TEXT / 3], c[SHAPE_TEXT / 3] = "";
	if (n > 2)
		shape_print(tensor_type(op, x[2]), c, sizeof c);
	return tensor_fail(op, ADZE_E_TYPE, "%s, %s%s%s: %s",
			   shape_print(tensor_type(op, x[0]), a, sizeof a),
			   shape_print(tensor_type(op, x[1]), b, sizeof b), n > 2 ? ", " : "", c,
			   words);
}

/* The broadcast of `x`, which align() has found to fit. */
static ir_val spread(struct tensor_op *op, ir_val x, const adze_shape *shape,
		     const struct ir_dims *at)
{
	if (shape_same_extents(tensor_type(op, x), shape))
		return x;
	adze_shape to = *shape;
	to.dtype = tensor_type(op, x)->dtype;
	struct attrs_axes attrs = {.axes = *at};
	return ir_emit1(op->graph, OP_BROADCAST, x, &attrs, &to);
}

bool tensor_join(struct tensor_op *op, ir_val *x, size_t n)
{
	adze_shape to = *tensor_type(op, x[0]);
	struct ir_dims at;
	const char *words = NULL;
	for (size_t i = 1; i < n && words == NULL; i++)
		words = join(&to, tensor_type(op, x[i]));
	for (size_t i = 0; i < n && words == NULL; i++)
		words = align(tensor_type(op, x[i]), &to, &at);
	if (words != NULL) {
		refuse(op, x, n, words);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		align(tensor_type(op, x[i]), &to, &at);
		x[i] = spread(op, x[i], &to, &at);
		op->ok = op->ok && x[i] != 0;
	}
	return op->ok;
}

ir_val tensor_fit(struct tensor_op *op, ir_val x, const adze_shape *shape)
{
	const adze_shape *have = tensor_type(op, x);
	struct ir_dims at;
	char a[SHAPE_TEXT / 2], b[SHAPE_TEXT / 2];
	const char *words = align(have, shape, &at);
	for (int i = 0; i < have->rank && words == NULL; i++)
		if (!is_one(&have->dim[i]) && !dim_same(&have->dim[i], &shape->dim[at.at[i]]))
			words = "extents differ";
	if (words != NULL)
		return tensor_fail(op, ADZE_E_TYPE, "%s to %s: %s", shape_print(have, a, sizeof a),
				   shape_print(shape, b, sizeof b), words);
	struct attrs_axes attrs = {.axes = at};
	return ir_emit1(op->graph, OP_BROADCAST, x, &attrs, shape);
}

static adze_tensor emit(enum ew f, const adze_tensor *x, size_t n)
{
	struct tensor_op op = tensor_begin(ew_info(f)->name, x, n);
	ir_val v[3] = {0}, y = 0;
	for (size_t i = 0; i < n; i++)
		v[i] = x[i].id;
	for (size_t i = 1; i < n && op.ok; i++)
		if (tensor_type(&op, v[i])->dtype != tensor_type(&op, v[0])->dtype)
			refuse(&op, v, n, "element types differ");
	if (op.ok && (n == 1 || tensor_join(&op, v, n)))
		y = ir_emit(op.graph, op_from_ew(f), v, n, NULL, NULL);
	return tensor_end(&op, y);
}

#define DEFINE_1(name, id)                            \
	adze_tensor(adze_##name)(adze_tensor a)       \
	{                                             \
		return emit(EW_##id, &a, 1);          \
	}
#define DEFINE_2(name, id)                                     \
	adze_tensor(adze_##name)(adze_tensor a, adze_tensor b) \
	{                                                      \
		const adze_tensor x[2] = {a, b};               \
		return emit(EW_##id, x, 2);                    \
	}
#define DEFINE_3(name, id)                                                    \
	adze_tensor(adze_##name)(adze_tensor a, adze_tensor b, adze_tensor c) \
	{                                                                     \
		const adze_tensor x[3] = {a, b, c};                           \
		return emit(EW_##id, x, 3);                                   \
	}
#define EW(name, id, n, takes, flags, start, f, i, v, doc) DEFINE_##n(name, id)
#include "base/ew.def"

adze_tensor(adze_select)(adze_tensor condition, adze_tensor a, adze_tensor b)
{
	const adze_tensor x[3] = {condition, a, b};
	struct tensor_op op = tensor_begin("select", x, 3);
	ir_val v[3] = {condition.id, a.id, b.id}, y = 0;
	if (op.ok && tensor_join(&op, v, 3))
		y = ir_emit(op.graph, OP_SELECT, v, 3, NULL, NULL);
	return tensor_end(&op, y);
}

adze_tensor(adze_complex)(adze_tensor re, adze_tensor im)
{
	const adze_tensor x[2] = {re, im};
	struct tensor_op op = tensor_begin("complex", x, 2);
	ir_val v[2] = {re.id, im.id}, y = 0;
	if (op.ok && tensor_join(&op, v, 2))
		y = ir_emit(op.graph, OP_COMPLEX, v, 2, NULL, NULL);
	return tensor_end(&op, y);
}

ir_val tensor_cast(struct tensor_op *op, ir_val x, adze_dtype dtype)
{
	adze_shape to = *tensor_type(op, x);
	if (to.dtype == dtype)
		return x;
	if ((unsigned)dtype >= ADZE_DTYPE_COUNT)
		return tensor_fail(op, ADZE_E_ARGUMENT, "element type %d does not exist",
				   (int)dtype);
	to.dtype = dtype;
	return ir_emit1(op->graph, OP_CONVERT, x, NULL, &to);
}

adze_tensor(adze_convert)(adze_tensor x, adze_dtype dtype)
{
	struct tensor_op op = tensor_begin("convert", &x, 1);
	return tensor_end(&op, op.ok ? tensor_cast(&op, x.id, dtype) : 0);
}
