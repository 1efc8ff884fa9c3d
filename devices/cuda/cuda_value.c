/* SPDX-License-Identifier: Apache-2.0
 *
 * Values inside a kernel: loads, literals, element-wise nodes, conversions.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "devices/cuda/cuda_kernel.h"

enum cuda_kind cuda_kind_of(adze_dtype dtype)
{
	switch (dtype_info(dtype)->class) {
	case DTYPE_FLOAT: return dtype == ADZE_F64 ? KIND_DOUBLE : KIND_FLOAT;
	case DTYPE_INT: return KIND_I64;
	default: return KIND_U64;
	}
}

const char *cuda_type_of(adze_dtype dtype)
{
	static const char *const name[KIND_COUNT] = {"float", "double", "i64", "u64"};
	return name[cuda_kind_of(dtype)];
}

/* Whether an element is what formulas work with. */
static bool is_plain(adze_dtype dtype)
{
	int bits = dtype_info(dtype)->bits;
	return bits == 64 || dtype == ADZE_F32;
}

adze_dtype cuda_element(const struct cuda_kernel *k, ir_val v)
{
	static const adze_dtype raw[] = {ADZE_U8, ADZE_U16, ADZE_U32, ADZE_U64};
	adze_dtype dtype = ir_type(k->e->g, v)->dtype;
	size_t bytes = dtype_bytes(dtype);
	return k->raw && dtype_is_float(dtype) ? raw[bytes == 8 ? 3 : bytes / 2] : dtype;
}

const char *cuda_keep(struct cuda_kernel *k, adze_dtype dtype, char *out)
{
	const char *name = dtype_info(dtype)->name;
	out[0] = '\0';
	if (is_plain(dtype))
		return out;
	k->e->dtype[dtype] = true;
	snprintf(out, CUDA_SIZE_TEXT, "get_%s(put_%s(", name, name);
	return out;
}

const char *cuda_keep_end(adze_dtype dtype)
{
	return is_plain(dtype) ? "" : "))";
}

void cuda_load(struct cuda_kernel *k, struct text *out, adze_dtype dtype, uint32_t pointer,
	       const char *index)
{
	k->e->dtype[dtype] = true;
	if (is_plain(dtype))
		text_add(out, "p%" PRIu32 "[%s]", pointer, index);
	else
		text_add(out, "get_%s(p%" PRIu32 "[%s])", dtype_info(dtype)->name, pointer, index);
}

void cuda_store(struct cuda_kernel *k, adze_dtype dtype, uint32_t pointer, const char *index,
		uint32_t var)
{
	k->e->dtype[dtype] = true;
	if (is_plain(dtype))
		cuda_line(k, "p%" PRIu32 "[%s] = v%" PRIu32 ";", pointer, index, var);
	else
		cuda_line(k, "p%" PRIu32 "[%s] = put_%s(v%" PRIu32 ");", pointer, index,
			  dtype_info(dtype)->name, var);
}

/* Floats by their bits: no locale, no digits lost, no word for infinity needed. */
void cuda_literal(struct text *out, adze_dtype dtype, const void *bytes)
{
	double d = dtype_load_float(dtype, bytes, 0);
	float f = (float)d;
	uint64_t wide;
	uint32_t narrow;
	memcpy(&wide, &d, sizeof wide);
	memcpy(&narrow, &f, sizeof narrow);
	switch (cuda_kind_of(dtype)) {
	case KIND_FLOAT: text_add(out, "f32_of(0x%08" PRIx32 "u)", narrow); break;
	case KIND_DOUBLE: text_add(out, "f64_of(0x%016" PRIx64 "ull)", wide); break;
	case KIND_I64:
		text_add(out, "(i64)0x%" PRIx64 "ull", (uint64_t)dtype_load_int(dtype, bytes, 0));
		break;
	default:
		text_add(out, "0x%" PRIx64 "ull", (uint64_t)dtype_load_int(dtype, bytes, 0));
		break;
	}
}

const char *cuda_op(struct cuda_kernel *k, enum ew f, adze_dtype dtype)
{
	k->e->op[f][cuda_kind_of(dtype)] = true;
	return ew_info(f)->name;
}

/* ---- variables ---- */

uint32_t cuda_declare(struct cuda_kernel *k, ir_val v)
{
	k->e->local[v] = ++k->nvar;
	return k->nvar - 1;
}

void cuda_forget(struct cuda_kernel *k, const struct cuda_space *s)
{
	for (int i = 0; i < s->nleaf; i++)
		k->e->local[s->leaf[i]] = 0;
	for (size_t i = 0; i < k->q->nnode; i++)
		k->e->local[k->q->node[i]] = 0;
}

static bool is_single(const adze_graph *g, ir_val v, ir_val base)
{
	return ir_get(g, base)->op == OP_CONST && shape_count(ir_type(g, base)) == 1 &&
	       dtype_info(ir_type(g, base)->dtype)->bits == dtype_info(ir_type(g, v)->dtype)->bits;
}

/* Reads the leaf's element into a variable. */
static uint32_t load_leaf(struct cuda_kernel *k, const struct cuda_space *s, int i)
{
	const adze_graph *g = k->e->g;
	ir_val v = s->leaf[i], base = s->outer[i].base;
	adze_dtype dtype = cuda_element(k, v);
	char index[CUDA_INDEX];
	struct text x;
	text_init(&x, k->e->out->arena.from);
	if (is_single(g, v, base)) {
		cuda_literal(&x, dtype, IR_ATTRS(data, g, base)->data.bytes);
	} else {
		struct cuda_ref at = v == k->stored ? k->stored_at : cuda_ref_of(k->e, base);
		cuda_load(k, &x, dtype, cuda_pointer(k, at, dtype, false),
			  cuda_leaf_index(k, s, i, index));
	}
	uint32_t var = cuda_declare(k, v);
	cuda_line(k, "const %s v%" PRIu32 " = %s;", cuda_type_of(dtype), var,
		  x.at != NULL ? x.at : "");
	k->body.failed |= x.failed;
	text_fini(&x);
	return var;
}

uint32_t cuda_value(struct cuda_kernel *k, const struct cuda_space *s, ir_val v)
{
	if (k->e->local[v] != 0)
		return k->e->local[v] - 1;
	for (int i = 0; i < s->nleaf; i++)
		if (s->leaf[i] == v)
			return load_leaf(k, s, i);
	cuda_refuse(k->e, v, ADZE_E_TYPE, "its group reads a value before it is there");
	return 0;
}

uint32_t cuda_scalar(struct cuda_kernel *k, ir_val v)
{
	struct cuda_space s;
	struct ir_view dense;
	ir_view_dense(k->e->g, v, &dense);
	if (!cuda_space_fill(k, &s, v, 0, NULL, 0, v, &dense, true))
		return 0;
	uint32_t var = cuda_value(k, &s, v);
	cuda_forget(k, &s);
	return var;
}

/* ---- nodes ---- */

void cuda_convert(struct cuda_kernel *k, struct text *out, adze_dtype to, adze_dtype from,
		  const char *x)
{
	const struct dtype_info *info = dtype_info(to);
	char keep[CUDA_SIZE_TEXT];
	bool is_float = info->class == DTYPE_FLOAT;
	if (to == ADZE_BOOL)
		text_add(out, "(u64)(%s != 0)", x);
	else if (is_float && !is_plain(to)) /* put_() rounds once from any type */
		text_add(out, "%s%s%s", cuda_keep(k, to, keep), x, cuda_keep_end(to));
	else if (is_float || !dtype_is_float(from))
		text_add(out, "%s(%s)%s%s", cuda_keep(k, to, keep), cuda_type_of(to), x,
			 cuda_keep_end(to));
	else
		text_add(out, "cut_%s((double)%s, %d)",
			 info->class == DTYPE_INT ? "signed" : "unsigned", x, info->bits);
}

/* A row of ew.def. Predicates give 0 or 1, everything else is rounded to the type. */
static void print_ew(struct cuda_kernel *k, struct text *out, ir_val v, const uint32_t *var,
		     size_t n)
{
	enum ew f = op_ew((enum ir_op)ir_get(k->e->g, v)->op);
	adze_dtype dtype = ir_type(k->e->g, ir_arg(k->e->g, v, 0))->dtype;
	bool keep = !(ew_info(f)->flags & EW_PRED);
	char begin[CUDA_SIZE_TEXT];
	text_add(out, "%sop_%s(", keep ? cuda_keep(k, dtype, begin) : "", cuda_op(k, f, dtype));
	for (size_t i = 0; i < n; i++)
		text_add(out, "%sv%" PRIu32, i > 0 ? ", " : "", var[i]);
	if (!dtype_is_float(dtype))
		text_add(out, ", %d", dtype_info(dtype)->bits);
	text_add(out, ")%s", keep ? cuda_keep_end(dtype) : "");
}

static void emit_node(struct cuda_kernel *k, const struct cuda_space *s, ir_val v)
{
	const adze_graph *g = k->e->g;
	const struct ir_node *node = ir_get(g, v);
	adze_dtype dtype = ir_type(g, v)->dtype;
	uint32_t var[3] = {0, 0, 0};
	char name[CUDA_SIZE_TEXT];
	struct text x;
	for (size_t i = 0; i < node->narg && i < COUNT_OF(var); i++)
		var[i] = cuda_value(k, s, ir_arg(g, v, i));
	text_init(&x, k->e->out->arena.from);
	snprintf(name, sizeof name, "v%" PRIu32, var[0]);
	if (op_is_ew_row((enum ir_op)node->op))
		print_ew(k, &x, v, var, node->narg);
	else if (node->op == OP_SELECT)
		text_add(&x, "v%" PRIu32 " ? v%" PRIu32 " : v%" PRIu32, var[0], var[1], var[2]);
	else if (node->op == OP_CONVERT)
		cuda_convert(k, &x, dtype, ir_type(g, ir_arg(g, v, 0))->dtype, name);
	else
		cuda_refuse(k->e, v, ADZE_E_UNSUPPORTED, "CUDA cannot compute it yet");
	cuda_line(k, "const %s v%" PRIu32 " = %s;", cuda_type_of(dtype), cuda_declare(k, v),
		  x.at != NULL ? x.at : "");
	k->body.failed |= x.failed;
	text_fini(&x);
}

void cuda_nodes(struct cuda_kernel *k, const struct cuda_space *s, const ir_val *node, size_t n)
{
	for (size_t i = 0; i < n; i++)
		emit_node(k, s, node[i]);
}
