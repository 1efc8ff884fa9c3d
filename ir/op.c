/* SPDX-License-Identifier: Apache-2.0 */
#include "ir/op.h"

#include <string.h>

#include "base/hash.h"
#include "base/status.h"

/* Every schema gets one field more than it has, so that `none` is no empty array. */
#define ATTRS(name) static const struct attr_field fields_##name[] = {
#define FIELD(name, kind, field) {#field, ATTR_##kind, offsetof(struct attrs_##name, field)},
#define END(name) {NULL, ATTR_INT, 0}};
#include "ir/attrs.def"

#define ATTRS(name) \
	static const struct attr_schema schema_##name = { \
		#name, sizeof(struct attrs_##name), (int)COUNT_OF(fields_##name) - 1, \
		(0
#define FIELD(name, kind, field) | (ATTR_##kind >= ATTR_BODY)
#define END(name) ) != 0, fields_##name};
#include "ir/attrs.def"

enum { DECLARED = OP_DECLARED, MANY = OP_MANY };
enum {
	B = DTYPE_BOOL, I = DTYPE_INT | DTYPE_UINT, F = DTYPE_FLOAT, C = DTYPE_COMPLEX,
	P = DTYPE_PACKED, ANY = B | I | F | C | P
};

static const struct op_info row[OP_COUNT] = {
	{"none", 0, 0, CLASS_SRC, 0, 0, &schema_none, "none", "No operation."},
#define OP(name, id, min, max, cls, takes, rule, attrs, flags, doc) \
	{#name, min, max, CLASS_##cls, takes, flags, &schema_##attrs, #rule, doc},
#include "ir/ops.def"
};

const struct op_info *op_info(enum ir_op op)
{
	return &row[op];
}

enum ir_op op_find(const char *name, size_t len)
{
	for (int i = 1; i < OP_COUNT; i++)
		if (strlen(row[i].name) == len && memcmp(row[i].name, name, len) == 0)
			return (enum ir_op)i;
	return OP_NONE;
}

const char *op_class_name(enum op_class c)
{
	static const char *const name[] = {"SRC",  "EW",     "REDUCE", "ROW", "GEMM",
					   "CONV", "WINDOW", "VIEW",   "MOVE",
					   "ATTEND", "REGION", "PLAIN"};
	return name[c];
}

static const void *field_at(const struct attr_field *f, const void *attrs)
{
	return (const char *)attrs + f->offset;
}

static size_t field_bytes(enum attr_kind kind)
{
	switch (kind) {
	case ATTR_INT: return sizeof(ir_attr_INT);
	case ATTR_FLOAT: return sizeof(ir_attr_FLOAT);
	case ATTR_EWFN: return sizeof(ir_attr_EWFN);
	case ATTR_BLOCK: return sizeof(ir_attr_BLOCK);
	case ATTR_DIMS: return sizeof(ir_attr_DIMS);
	case ATTR_NAME: return sizeof(ir_attr_NAME);
	case ATTR_DATA: return sizeof(ir_attr_DATA);
	case ATTR_BODY: return sizeof(ir_attr_BODY);
	case ATTR_BODIES: return sizeof(ir_attr_BODIES);
	}
	return 0;
}

/* What a field says, as bytes: what it points to where it points. */
static const void *field_content(const struct attr_field *f, const void *attrs, size_t *len)
{
	const void *at = field_at(f, attrs);
	if (f->kind == ATTR_NAME) {
		const char *name = *(const char *const *)at;
		*len = name != NULL ? strlen(name) : 0;
		return name;
	}
	if (f->kind == ATTR_DATA) {
		const struct ir_data *d = at;
		*len = d->len;
		return d->bytes;
	}
	*len = field_bytes(f->kind);
	return at;
}

bool attrs_equal(const struct attr_schema *s, const void *a, const void *b)
{
	if (a == b)
		return true;
	if (a == NULL || b == NULL)
		return false;
	for (int i = 0; i < s->nfield; i++) {
		size_t na, nb;
		const void *pa = field_content(&s->field[i], a, &na);
		const void *pb = field_content(&s->field[i], b, &nb);
		if (na != nb || (na > 0 && pa != pb && memcmp(pa, pb, na) != 0))
			return false;
	}
	return true;
}

uint64_t attrs_hash(const struct attr_schema *s, const void *a)
{
	uint64_t h = 0;
	for (int i = 0; a != NULL && i < s->nfield; i++) {
		size_t n;
		const void *p = field_content(&s->field[i], a, &n);
		h = h * 0x9e3779b97f4a7c15u + hash_bytes(p, n) + 1;
	}
	return h;
}
