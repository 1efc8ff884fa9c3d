/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tables ops.def and attrs.def become: ids, attribute structs, schemas.
 */
#ifndef ADZE_OP_H
#define ADZE_OP_H

#include "base/block.h"
#include "base/ew.h"

enum ir_op {
	OP_NONE,
#define OP(name, id, min, max, cls, takes, rule, attrs, flags, doc) OP_##id,
#include "ir/ops.def"
	OP_COUNT
};

/* Element-wise operations are consecutive and in the order of ew.def. */
#define OP_EW_FIRST OP_ADD
static inline bool op_is_ew_row(enum ir_op op)
{
	return op >= OP_EW_FIRST && (int)op < (int)OP_EW_FIRST + EW_COUNT;
}
static inline enum ew op_ew(enum ir_op op)
{
	return (enum ew)((int)op - (int)OP_EW_FIRST);
}
static inline enum ir_op op_from_ew(enum ew f)
{
	return (enum ir_op)((int)OP_EW_FIRST + (int)f);
}

enum op_class {
	CLASS_SRC, CLASS_EW, CLASS_REDUCE, CLASS_ROW, CLASS_GEMM, CLASS_CONV, CLASS_WINDOW,
	CLASS_VIEW, CLASS_MOVE, CLASS_ATTEND, CLASS_REGION, CLASS_PLAIN
};
enum op_flag { OP_DECLARED = 1 };
enum { OP_MANY = 0xffff };

/** Up to ADZE_MAX_RANK numbers; unused ones are 0. */
struct ir_dims {
	int64_t n;
	int64_t at[ADZE_MAX_RANK];
};

/** Elements of a constant, in the arena of the graph. */
struct ir_data {
	const void *bytes;
	size_t len;
};

/** Bodies by their number in the graph, from 1 on; unused ones are 0. */
enum { IR_MAX_BRANCHES = 32 };
struct ir_bodies {
	int64_t n;
	int64_t at[IR_MAX_BRANCHES];
};

typedef int64_t ir_attr_INT;
typedef double ir_attr_FLOAT;
typedef enum ew ir_attr_EWFN;
typedef enum block_kind ir_attr_BLOCK;
typedef struct ir_dims ir_attr_DIMS;
typedef const char *ir_attr_NAME;
typedef struct ir_data ir_attr_DATA;
typedef int64_t ir_attr_BODY;
typedef struct ir_bodies ir_attr_BODIES;

#define ATTRS(name) struct attrs_##name {
#define FIELD(name, kind, field) ir_attr_##kind field;
#define END(name) char end_; };
#include "ir/attrs.def"

/** Attributes of any operation. */
union attrs_any {
#define ATTRS(name) struct attrs_##name name;
#define FIELD(name, kind, field)
#define END(name)
#include "ir/attrs.def"
};

enum attr_kind {
	ATTR_INT, ATTR_FLOAT, ATTR_EWFN, ATTR_BLOCK, ATTR_DIMS, ATTR_NAME, ATTR_DATA, ATTR_BODY,
	ATTR_BODIES
};

struct attr_field {
	const char *name;
	enum attr_kind kind;
	size_t offset;
};

struct attr_schema {
	const char *name;
	size_t bytes;
	int nfield;
	bool has_bodies; /* a field is BODY or BODIES */
	const struct attr_field *field;
};

struct op_info {
	const char *name;
	unsigned min_args, max_args;
	enum op_class class;
	int takes; /* enum dtype_class bits, of the first operand or the result */
	int flags;
	const struct attr_schema *attrs;
	const char *rule;
	const char *doc;
};

/** The row of a valid op; OP_NONE has an empty one. */
const struct op_info *op_info(enum ir_op op);
/** OP_NONE where there is none. */
enum ir_op op_find(const char *name, size_t len);
/** "EW" and so on. */
const char *op_class_name(enum op_class c);

/** attrs of one schema: equal, and a hash of what they say. Either may be NULL. */
bool attrs_equal(const struct attr_schema *s, const void *a, const void *b);
uint64_t attrs_hash(const struct attr_schema *s, const void *a);

/** dims->at[i], or `otherwise` where `dims` is empty. */
static inline int64_t dims_or(const struct ir_dims *dims, int i, int64_t otherwise)
{
	return dims->n == 0 ? otherwise : dims->at[i];
}

#endif
