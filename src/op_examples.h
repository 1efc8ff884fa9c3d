/* SPDX-License-Identifier: Apache-2.0
 *
 * The example of an operation: examples.def's, or one made from its row of ew.def.
 */
#ifndef ADZE_OP_EXAMPLES_H
#define ADZE_OP_EXAMPLES_H

#include <stdio.h>
#include <string.h>

#include "ir/op.h"

/** A graph with these parameters and lines; `line` is that of the operation. */
struct op_example {
	const char *name, *params, *before, *line;
};

/* Texts of an element-wise operation's example, which lie in `params` and `line`. */
static inline void op_example_ew(enum ir_op op, char *params, char *line, size_t cap)
{
	const struct ew_info *f = ew_info(op_ew(op));
	bool of_floats = f->takes & DTYPE_FLOAT, of_ints = f->takes & DTYPE_INT;
	const char *type = of_floats ? "f32" : of_ints ? "i32" : "bool";
	size_t n = 0, at = (size_t)snprintf(line, cap, "%%1 = %s", f->name);
	for (int i = 0; i < f->n && n < cap && at < cap; i++) {
		n += (size_t)snprintf(params + n, cap - n, "%s%%%c: %s[4]", i > 0 ? ", " : "",
				      'a' + i, type);
		at += (size_t)snprintf(line + at, cap - at, "%s%%%c", i > 0 ? ", " : " ", 'a' + i);
	}
	if (at < cap)
		snprintf(line + at, cap - at, " : %s[4]", f->flags & EW_PRED ? "bool" : type);
}

/** False where there is none. `room` holds the texts of some. */
static inline bool op_example(enum ir_op op, struct op_example *out, char room[2][128])
{
	static const struct op_example example[] = {
#define OP_EXAMPLE(name, params, before, line) {#name, params, before, line},
#include "examples.def"
	};
	const char *name = op_info(op)->name;
	if (op_is_ew_row(op)) {
		op_example_ew(op, room[0], room[1], sizeof room[0]);
		*out = (struct op_example){name, room[0], "", room[1]};
		return true;
	}
	for (size_t i = 0; i < sizeof example / sizeof example[0]; i++)
		if (strcmp(example[i].name, name) == 0) {
			*out = example[i];
			return true;
		}
	return false;
}

#endif
