/* SPDX-License-Identifier: Apache-2.0
 *
 * The graph from its text. One pass, no recursion; memory and time in proportion to the
 * text. The grammar is in docs/ir.md.
 */
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "ir/lexeme.h"
#include "ir/scan.h"

#define TEXT_LIMIT ((size_t)1 << 30)

/* What a name is the name of: numbers of values and names of outputs stand apart. */
enum name_kind { NAME_VALUE, NAME_NUMBER, NAME_OUTPUT };

struct name {
	const char *at; /* in the text, or in the scratch arena; NULL: a free slot */
	size_t len;
	enum name_kind kind;
	ir_val value;
};

/* Group and place of one value, as written. */
struct column {
	bool is_set;
	uint32_t group;
	struct ir_place place;
};

struct parser {
	struct scan s;
	adze_graph *g;
	struct name *name;
	size_t nname, name_cap;
	struct table names; /* 1 + index of `name`, by its text */
	ir_val *arg;
	size_t arg_cap;
	struct column *column;
	size_t column_cap;
	struct spot placed; /* the first place of a parameter */
	int depth;          /* of bodies around it */
};

/* Takes over the failure that a call on the graph has recorded. */
static bool graph_is_fine(struct parser *p)
{
	if (p->g->diag.status == ADZE_OK)
		return true;
	p->s.status = fail(p->s.diag, p->g->diag.status, "%s", p->g->diag.text);
	return false;
}

/* ---- names of values ---- */

/* %name, %"odd name" or %12. */
static bool read_value_name(struct parser *p, struct name *out)
{
	memset(out, 0, sizeof *out);
	if (!scan_next_is(&p->s, '%'))
		return scan_expected(&p->s, "a value (%name)");
	p->s.pos++;
	char c = scan_peek(&p->s);
	if (c != '"' && !scan_in_word(c))
		return scan_expected(&p->s, "a name next to '%'");
	if (c >= '0' && c <= '9') {
		out->kind = NAME_NUMBER;
		out->at = p->s.text + p->s.pos;
		out->len = scan_word(&p->s);
		p->s.pos += out->len;
		return true;
	}
	return scan_name(&p->s, "a name next to '%'", &out->at, &out->len);
}

static uint64_t name_hash(const struct name *n)
{
	return hash_bytes(n->at, n->len) + (uint64_t)n->kind;
}

static const struct name *find_name(const struct parser *p, const struct name *n)
{
	uint32_t id;
	for (size_t at = 0; (id = table_next(&p->names, name_hash(n), &at)) != 0;) {
		const struct name *s = &p->name[id - 1];
		if (s->kind == n->kind && s->len == n->len && memcmp(s->at, n->at, n->len) == 0)
			return s;
	}
	return NULL;
}

static bool add_name(struct parser *p, const struct spot *at, const struct name *n)
{
	void *grown = p->name;
	if (find_name(p, n) != NULL)
		return scan_fail(&p->s, at, ADZE_E_SYNTAX, "%s%.*s%s is there already",
				 n->kind == NAME_OUTPUT ? "output '" : "value %",
				 (int)(n->len < 80 ? n->len : 80), n->at,
				 n->kind == NAME_OUTPUT ? "'" : "");
	if (!mem_grow(p->s.from, &grown, &p->name_cap, p->nname + 1, sizeof *n))
		return scan_no_memory(&p->s);
	p->name = grown;
	p->name[p->nname++] = *n;
	return table_add(&p->names, p->s.from, name_hash(n), (uint32_t)p->nname) ||
	       scan_no_memory(&p->s);
}

/* A value that is there already, by its name. */
static bool read_value(struct parser *p, ir_val *out)
{
	struct name n;
	struct spot at = scan_here(&p->s);
	if (!read_value_name(p, &n))
		return false;
	const struct name *s = find_name(p, &n);
	if (s == NULL)
		return scan_fail(&p->s, &at, ADZE_E_SYNTAX,
				 "no value %%%.*s stands before this line",
				 (int)(n.len < 80 ? n.len : 80), n.at);
	*out = s->value;
	return true;
}

static bool same_type(const adze_shape *a, const adze_shape *b)
{
	if (a->dtype != b->dtype || !shape_same_extents(a, b))
		return false;
	for (int i = 0; i < a->rank; i++)
		if (strcmp(a->dim[i].name, b->dim[i].name) != 0)
			return false;
	return true;
}

/* ---- attributes ---- */

static bool read_dims(struct parser *p, struct ir_dims *out)
{
	memset(out, 0, sizeof *out);
	if (!scan_expect(&p->s, '['))
		return false;
	while (!scan_next_is(&p->s, ']')) {
		struct spot at = scan_here(&p->s);
		if (out->n == ADZE_MAX_RANK)
			return scan_fail(&p->s, &at, ADZE_E_LIMIT, "more than %d numbers",
					 ADZE_MAX_RANK);
		if (!scan_int(&p->s, INT64_MIN, INT64_MAX, &out->at[out->n++]))
			return false;
		if (!scan_accept(&p->s, ',') && !scan_next_is(&p->s, ']'))
			return scan_expected(&p->s, "',' or ']'");
	}
	return scan_expect(&p->s, ']');
}

static bool read_float(struct parser *p, double *out)
{
	struct spot at = scan_here(&p->s);
	size_t n = scan_number(&p->s);
	if (n == 0)
		return scan_expected(&p->s, "a number");
	if (!lex_float(p->s.text + p->s.pos, n, out))
		return scan_fail(&p->s, &at, ADZE_E_SYNTAX, "'%.*s' is no number",
				 (int)(n < 40 ? n : 40), p->s.text + p->s.pos);
	p->s.pos += n;
	return true;
}

static bool read_ew(struct parser *p, enum ew *out)
{
	struct spot at = scan_here(&p->s);
	size_t n = scan_word(&p->s);
	if (n == 0)
		return scan_expected(&p->s, "an element-wise operation");
	*out = ew_find(p->s.text + p->s.pos, n);
	if (*out == EW_COUNT)
		return scan_fail(&p->s, &at, ADZE_E_SYNTAX, "'%.*s' is no element-wise operation",
				 (int)(n < 40 ? n : 40), p->s.text + p->s.pos);
	p->s.pos += n;
	return true;
}

static bool read_format(struct parser *p, enum block_kind *out)
{
	struct spot at = scan_here(&p->s);
	size_t n = scan_word(&p->s);
	if (n == 0)
		return scan_expected(&p->s, "a block format");
	*out = block_find(p->s.text + p->s.pos, n);
	if (*out == BLOCK_NONE)
		return scan_fail(&p->s, &at, ADZE_E_SYNTAX, "'%.*s' is no block format",
				 (int)(n < 40 ? n : 40), p->s.text + p->s.pos);
	p->s.pos += n;
	return true;
}

/* A body that stands before this line, by its name. */
static bool read_body_name(struct parser *p, int64_t *out)
{
	struct spot at = scan_here(&p->s);
	const char *name;
	size_t n;
	if (!scan_name(&p->s, "the name of a body", &name, &n))
		return false;
	*out = ir_body_find(p->g, name, n);
	return *out != 0 || scan_fail(&p->s, &at, ADZE_E_SYNTAX,
				      "no body '%.*s' stands before this line",
				      (int)(n < 80 ? n : 80), name);
}

static bool read_body_names(struct parser *p, struct ir_bodies *out)
{
	memset(out, 0, sizeof *out);
	if (!scan_expect(&p->s, '['))
		return false;
	while (!scan_next_is(&p->s, ']')) {
		struct spot at = scan_here(&p->s);
		if (out->n == IR_MAX_BRANCHES)
			return scan_fail(&p->s, &at, ADZE_E_LIMIT, "more than %d bodies",
					 IR_MAX_BRANCHES);
		if (!read_body_name(p, &out->at[out->n++]))
			return false;
		if (!scan_accept(&p->s, ',') && !scan_next_is(&p->s, ']'))
			return scan_expected(&p->s, "',' or ']'");
	}
	return scan_expect(&p->s, ']');
}

static bool read_field(struct parser *p, const struct attr_field *f, void *attrs)
{
	void *at = (char *)attrs + f->offset;
	switch (f->kind) {
	case ATTR_INT: return scan_int(&p->s, INT64_MIN, INT64_MAX, at);
	case ATTR_FLOAT: return read_float(p, at);
	case ATTR_EWFN: return read_ew(p, at);
	case ATTR_BLOCK: return read_format(p, at);
	case ATTR_DIMS: return read_dims(p, at);
	case ATTR_BODY: return read_body_name(p, at);
	case ATTR_BODIES: return read_body_names(p, at);
	case ATTR_NAME:
	case ATTR_DATA: break; /* names stand in the head, data has a form of its own */
	}
	return scan_expected(&p->s, "another attribute");
}

static bool no_attribute(struct parser *p, const struct spot *at, const struct op_info *info,
			 size_t n)
{
	char known[256] = "";
	size_t k = 0;
	for (int i = 0; i < info->attrs->nfield; i++)
		k += (size_t)snprintf(known + k, sizeof known - k, "%s%s", i > 0 ? ", " : "",
				      info->attrs->field[i].name);
	return scan_fail(&p->s, at, ADZE_E_SYNTAX, "%s has no attribute '%.*s'%s%s", info->name,
			 (int)(n < 40 ? n : 40), p->s.text + p->s.pos, k > 0 ? ", but " : "",
			 known);
}

/* name=value; `seen` has a bit for each field that was there. */
static bool read_attribute(struct parser *p, const struct op_info *info, void *attrs,
			   unsigned *seen)
{
	struct spot at = scan_here(&p->s);
	size_t n = scan_word(&p->s);
	const struct attr_schema *s = info->attrs;
	const char *word = p->s.text + p->s.pos;
	if (n == 0)
		return scan_expected(&p->s, scan_next_is(&p->s, '%') ? "operands before attributes"
								     : "an attribute (name=value)");
	int i = 0;
	while (i < s->nfield &&
	       (strlen(s->field[i].name) != n || memcmp(s->field[i].name, word, n) != 0))
		i++;
	if (i == s->nfield)
		return no_attribute(p, &at, info, n);
	if (*seen & 1u << i)
		return scan_fail(&p->s, &at, ADZE_E_SYNTAX, "attribute '%s' is there twice",
				 s->field[i].name);
	*seen |= 1u << i;
	p->s.pos += n;
	return scan_expect(&p->s, '=') && read_field(p, &s->field[i], attrs);
}

/* ---- columns ---- */

static bool read_place(struct parser *p, struct ir_place *out)
{
	char c = scan_peek(&p->s);
	out->kind = c == 'a' ? PLACE_ARENA : c == 'o' ? PLACE_OUTPUT : PLACE_INPUT;
	if (c != 'a' && c != 'o' && c != 'i')
		return scan_expected(&p->s, "a place: ^a4096, ^o0 or ^i0");
	p->s.pos++;
	return scan_int(&p->s, 0, INT64_MAX, &out->at);
}

static bool keep_column(struct parser *p, const struct spot *at, ir_val v, struct column column)
{
	void *grown = p->column;
	if (!mem_grow(p->s.from, &grown, &p->column_cap, (size_t)v + 1, sizeof column))
		return scan_no_memory(&p->s);
	p->column = grown;
	struct column *old = &p->column[v];
	if (old->is_set && (old->group != column.group || old->place.kind != column.place.kind ||
			    old->place.at != column.place.at))
		return scan_fail(&p->s, at, ADZE_E_SYNTAX,
				 "the same value stands elsewhere with another group or place");
	column.is_set = true;
	*old = column;
	return true;
}

/* @group and ^place of `v`, each if it is there. */
static bool read_columns(struct parser *p, ir_val v)
{
	struct column column = {0};
	struct spot at = scan_here(&p->s), start = at;
	int64_t group = 0;
	if (scan_accept(&p->s, '@')) {
		if (p->g->stage < STAGE_GROUPED)
			return scan_fail(&p->s, &at, ADZE_E_SYNTAX,
					 "a group in a graph of stage '%s'",
					 ir_stage_name(p->g->stage));
		if (!scan_int(&p->s, 1, UINT32_MAX, &group))
			return false;
		column.group = (uint32_t)group;
	}
	at = scan_here(&p->s);
	if (scan_accept(&p->s, '^')) {
		if (p->g->stage < STAGE_PLANNED)
			return scan_fail(&p->s, &at, ADZE_E_SYNTAX,
					 "a place in a graph of stage '%s'",
					 ir_stage_name(p->g->stage));
		if (!read_place(p, &column.place))
			return false;
	}
	return p->g->stage < STAGE_GROUPED || keep_column(p, &start, v, column);
}

/* The place of a parameter. The stage is not known yet; read_settings() looks back. */
static bool read_parameter_place(struct parser *p, ir_val v, struct ir_place place)
{
	struct spot at = scan_here(&p->s);
	if (scan_accept(&p->s, '^')) {
		if (p->placed.line == 0)
			p->placed = at;
		if (!read_place(p, &place))
			return false;
	}
	return keep_column(p, &at, v, (struct column){.place = place});
}

static bool set_columns(struct parser *p)
{
	adze_graph *g = p->g;
	if (g->stage < STAGE_GROUPED)
		return true;
	g->group = arena_new(&g->arena, g->nnode, sizeof *g->group);
	if (g->stage >= STAGE_PLANNED)
		g->place = arena_new(&g->arena, g->nnode, sizeof *g->place);
	if (g->group == NULL || (g->stage >= STAGE_PLANNED && g->place == NULL))
		return scan_no_memory(&p->s);
	for (size_t v = 1; v < g->nnode && v < p->column_cap; v++) {
		g->group[v] = p->column[v].group;
		if (g->place != NULL)
			g->place[v] = p->column[v].place;
	}
	return true;
}

/* ---- the head, the lines, the end ---- */

static bool read_parameter(struct parser *p)
{
	struct name n;
	struct spot at = scan_here(&p->s);
	adze_shape type;
	if (!read_value_name(p, &n))
		return false;
	if (n.kind == NAME_NUMBER)
		return scan_fail(&p->s, &at, ADZE_E_SYNTAX,
				 "a parameter's name begins with a letter, or "
				 "stands in quotes: %%\"%.*s\"",
				 (int)(n.len < 40 ? n.len : 40), n.at);
	if (!scan_expect(&p->s, ':'))
		return false;
	bool weight = scan_accept_word(&p->s, "weight");
	char *name = arena_text(&p->s.scratch, n.at, n.len);
	if (name == NULL)
		return scan_no_memory(&p->s);
	if (!scan_type(&p->s, &type))
		return false;
	ir_at(p->g, p->s.file, at.line, at.column);
	struct ir_place place = {weight ? PLACE_NONE : PLACE_INPUT, (int64_t)p->g->ninput};
	if (weight)
		place.at = 0;
	if (!add_name(p, &at, &n))
		return false;
	n.value = weight ? ir_weight(p->g, name, &type) : ir_input(p->g, name, &type);
	if (!graph_is_fine(p))
		return false;
	p->name[p->nname - 1].value = n.value;
	return read_parameter_place(p, n.value, place);
}

static bool read_parameters(struct parser *p)
{
	if (!scan_expect(&p->s, '('))
		return false;
	while (!scan_next_is(&p->s, ')')) {
		if (!read_parameter(p))
			return false;
		if (!scan_accept(&p->s, ',') && !scan_next_is(&p->s, ')'))
			return scan_expected(&p->s, "',' or ')'");
	}
	return scan_expect(&p->s, ')');
}

static bool read_stage(struct parser *p)
{
	size_t n = scan_word(&p->s);
	for (int i = STAGE_GRAPH; i <= STAGE_PLANNED; i++) {
		const char *name = ir_stage_name((enum ir_stage)i);
		if (strlen(name) == n && memcmp(name, p->s.text + p->s.pos, n) == 0) {
			p->g->stage = (enum ir_stage)i;
			p->s.pos += n;
			return true;
		}
	}
	return scan_expected(&p->s, "graph, lowered, grouped or planned");
}

static bool read_settings(struct parser *p)
{
	if (p->depth == 0 && scan_accept_word(&p->s, "stage") &&
	    (!scan_expect(&p->s, '=') || !read_stage(p)))
		return false;
	if (p->placed.line > 0 && p->g->stage < STAGE_PLANNED)
		return scan_fail(&p->s, &p->placed, ADZE_E_SYNTAX,
				 "a place in a graph of stage '%s'", ir_stage_name(p->g->stage));
	struct spot at = scan_here(&p->s);
	if (!scan_accept_word(&p->s, "arena"))
		return true;
	if (p->g->stage < STAGE_PLANNED)
		return scan_fail(&p->s, &at, ADZE_E_SYNTAX, "an arena in a graph of stage '%s'",
				 ir_stage_name(p->g->stage));
	return scan_expect(&p->s, '=') && scan_int(&p->s, 0, INT64_MAX, &p->g->arena_bytes);
}

/* Whether `a` becomes `b` when one letter is changed, added, dropped, or two swapped. */
static bool is_near(const char *a, size_t na, const char *b)
{
	size_t nb = strlen(b), head = 0, tail = 0;
	while (head < na && head < nb && a[head] == b[head])
		head++;
	while (tail + head < na && tail + head < nb && a[na - 1 - tail] == b[nb - 1 - tail])
		tail++;
	size_t ra = na - head - tail, rb = nb - head - tail;
	return (ra <= 1 && rb <= 1) ||
	       (ra == 2 && rb == 2 && a[head] == b[head + 1] && a[head + 1] == b[head]);
}

static bool read_op(struct parser *p, enum ir_op *out)
{
	struct spot at = scan_here(&p->s);
	size_t n = scan_word(&p->s);
	const char *word = p->s.text + p->s.pos, *near = NULL;
	if (n == 0)
		return scan_expected(&p->s, "an operation");
	*out = op_find(word, n);
	if (*out == OP_INPUT || *out == OP_WEIGHT)
		return scan_fail(&p->s, &at, ADZE_E_SYNTAX, "%ss stand in the head of the graph",
				 op_info(*out)->name);
	if (*out != OP_NONE) {
		p->s.pos += n;
		return true;
	}
	for (int i = OP_INPUT; near == NULL && i < OP_COUNT; i++)
		if (is_near(word, n, op_info((enum ir_op)i)->name))
			near = op_info((enum ir_op)i)->name;
	return scan_fail(&p->s, &at, ADZE_E_SYNTAX, "no operation '%.*s'%s%s%s",
			 (int)(n < 40 ? n : 40), word, near != NULL ? "; did you mean '" : "",
			 near != NULL ? near : "", near != NULL ? "'?" : "");
}

/* What stands between the operation's name and its type. */
struct operands {
	size_t n;
	union attrs_any attrs;
	bool has_data;
	struct literal data;
};

static bool read_operand(struct parser *p, struct operands *o)
{
	void *grown = p->arg;
	ir_val v;
	if (!read_value(p, &v))
		return false;
	if (!mem_grow(p->s.from, &grown, &p->arg_cap, o->n + 1, sizeof v))
		return scan_no_memory(&p->s);
	p->arg = grown;
	p->arg[o->n++] = v;
	return true;
}

static bool read_operands(struct parser *p, enum ir_op op, struct spot at, struct operands *o)
{
	const struct op_info *info = op_info(op);
	unsigned seen = 0;
	bool in_attributes = false;
	memset(o, 0, sizeof *o);
	bool more = scan_next_is(&p->s, '%') || scan_at_literal(&p->s) ||
		    (scan_word(&p->s) > 0 && !scan_word_is(&p->s, "return"));
	for (; more; more = scan_accept(&p->s, ',')) {
		if (!in_attributes && scan_next_is(&p->s, '%')) {
			if (o->n >= info->max_args)
				break;
			if (!read_operand(p, o))
				return false;
			continue;
		}
		in_attributes = true;
		if (op == OP_CONST && !o->has_data && scan_at_literal(&p->s)) {
			o->has_data = true;
			if (!scan_literal(&p->s, &o->data))
				return false;
		} else if (!read_attribute(p, info, &o->attrs, &seen)) {
			return false;
		}
	}
	if (more)
		at = scan_here(&p->s);
	if (more || o->n < info->min_args)
		return scan_fail(&p->s, &at, ADZE_E_SYNTAX,
				 "%s takes %s%u operand%s, here are %s%zu", info->name,
				 info->min_args == info->max_args ? ""
				 : more                           ? "at most "
								  : "at least ",
				 more ? info->max_args : info->min_args,
				 (more ? info->max_args : info->min_args) == 1 ? "" : "s",
				 more ? "more than " : "", o->n);
	if (op == OP_CONST && !o->has_data)
		return scan_fail(&p->s, &at, ADZE_E_SYNTAX,
				 "const: its elements {...} must be written");
	return true;
}

/* Emits what was read; `type` NULL: not written. */
static bool emit(struct parser *p, enum ir_op op, struct operands *o, const adze_shape *type,
		 const struct spot *at, ir_val *out)
{
	const struct op_info *info = op_info(op);
	bool declared = (info->flags & OP_DECLARED) != 0;
	size_t len = 0;
	void *bytes = NULL;
	if (declared && type == NULL)
		return scan_fail(&p->s, at, ADZE_E_TYPE,
				 "%s: the type of its result must be written", info->name);
	if (op == OP_CONST) {
		bytes = scan_data(&p->s, &o->data, type, &len);
		if (bytes == NULL)
			return false;
		o->attrs.data.data = (struct ir_data){bytes, len};
	}
	ir_at(p->g, p->s.file, at->line, at->column);
	*out = ir_emit(p->g, op, p->arg, o->n, info->attrs->nfield > 0 ? &o->attrs : NULL,
		       declared ? type : NULL);
	mem_free(p->s.from, bytes, len, 1);
	return graph_is_fine(p);
}

/* %name = operation operands, attributes : type @group ^place */
static bool read_line(struct parser *p)
{
	struct name n;
	struct spot at = scan_here(&p->s), op_at, type_at;
	struct operands o;
	enum ir_op op = OP_NONE;
	adze_shape type;
	bool typed = false;
	if (!read_value_name(p, &n) || !scan_expect(&p->s, '='))
		return false;
	op_at = scan_here(&p->s);
	if (!read_op(p, &op) || !read_operands(p, op, op_at, &o))
		return false;
	if (scan_accept(&p->s, ':')) {
		type_at = scan_here(&p->s);
		if (!scan_type(&p->s, &type))
			return false;
		typed = true;
	}
	if (!emit(p, op, &o, typed ? &type : NULL, &op_at, &n.value))
		return false;
	if (typed && !same_type(&type, ir_type(p->g, n.value))) {
		char a[SHAPE_TEXT], b[SHAPE_TEXT];
		return scan_fail(&p->s, &type_at, ADZE_E_TYPE, "%s gives %s, not %s",
				 op_info(op)->name,
				 shape_print(ir_type(p->g, n.value), a, sizeof a),
				 shape_print(&type, b, sizeof b));
	}
	return add_name(p, &at, &n) && read_columns(p, n.value);
}

/* name=%value [into %input] */
static bool read_output(struct parser *p)
{
	struct name n = {.kind = NAME_OUTPUT};
	struct spot at = scan_here(&p->s);
	ir_val value, into = 0;
	if (!scan_name(&p->s, "an output (name=%value)", &n.at, &n.len) ||
	    !scan_expect(&p->s, '=') || !read_value(p, &value))
		return false;
	if (scan_accept_word(&p->s, "into") && !read_value(p, &into))
		return false;
	char *name = arena_text(&p->s.scratch, n.at, n.len);
	if (name == NULL)
		return scan_no_memory(&p->s);
	if (!add_name(p, &at, &n))
		return false;
	ir_at(p->g, p->s.file, at.line, at.column);
	ir_output(p->g, name, value, into);
	return graph_is_fine(p);
}

static void parser_fini(struct parser *p)
{
	mem_free(p->s.from, p->name, p->name_cap, sizeof *p->name);
	table_fini(&p->names, p->s.from);
	mem_free(p->s.from, p->arg, p->arg_cap, sizeof *p->arg);
	mem_free(p->s.from, p->column, p->column_cap, sizeof *p->column);
}

static bool read_block(struct parser *p);

/* body name(parameters) arena=n { ... }: a graph inside, whose values have names of their own. */
static bool read_body(struct parser *p)
{
	struct spot at = scan_here(&p->s);
	const char *name;
	size_t len;
	if (!scan_name(&p->s, "the body's name", &name, &len))
		return false;
	if (ir_body_find(p->g, name, len) != 0)
		return scan_fail(&p->s, &at, ADZE_E_SYNTAX, "body '%.*s' is there already",
				 (int)(len < 80 ? len : 80), name);
	char *kept = arena_text(&p->s.scratch, name, len);
	if (kept == NULL)
		return scan_no_memory(&p->s);
	ir_at(p->g, p->s.file, at.line, at.column);
	struct parser inner = {.s = p->s, .depth = p->depth + 1};
	inner.g = ir_body_begin(p->g, kept);
	bool ok = graph_is_fine(p);
	if (ok) {
		ok = read_parameters(&inner) && read_settings(&inner) && read_block(&inner) &&
		     set_columns(&inner);
		if (ok)
			ir_at(inner.g, NULL, 0, 0);
		p->s = inner.s;
		ok = ok && ir_body_end(inner.g) != 0;
	}
	parser_fini(&inner);
	return ok;
}

static bool read_block(struct parser *p)
{
	if (!scan_expect(&p->s, '{'))
		return false;
	while (scan_next_is(&p->s, '%') || scan_word_is(&p->s, "body"))
		if (scan_accept_word(&p->s, "body") ? !read_body(p) : !read_line(p))
			return false;
	if (!scan_accept_word(&p->s, "return"))
		return scan_expected(&p->s, "a value (%name = ...), a body or return");
	while (!scan_next_is(&p->s, '}')) {
		if (!read_output(p))
			return false;
		if (!scan_accept(&p->s, ',') && !scan_next_is(&p->s, '}'))
			return scan_expected(&p->s, "',' or '}'");
	}
	return scan_expect(&p->s, '}');
}

static bool read_graph(struct parser *p)
{
	size_t not_text = lex_not_utf8(p->s.text, p->s.len);
	if (p->s.len > TEXT_LIMIT) {
		struct spot at = {0, 1, 1};
		return scan_fail(&p->s, &at, ADZE_E_LIMIT, "a text of more than 2^30 bytes");
	}
	if (not_text < p->s.len) {
		struct spot at = scan_spot(&p->s, not_text);
		return scan_fail(&p->s, &at, ADZE_E_SYNTAX,
				 p->s.text[not_text] == '\0' ? "a zero byte in the text"
							     : "the text is not UTF-8");
	}
	struct spot start = scan_here(&p->s);
	const char *name = "";
	size_t len = 0;
	if (!scan_accept_word(&p->s, "graph"))
		return scan_expected(&p->s, "'graph'");
	if (!scan_next_is(&p->s, '(') && !scan_name(&p->s, "the graph's name or '('", &name, &len))
		return false;
	char *kept = arena_text(&p->s.scratch, name, len);
	p->g = kept != NULL ? ir_graph_create(p->s.from, kept) : NULL;
	if (p->g == NULL)
		return scan_no_memory(&p->s);
	if (!read_parameters(p) || !read_settings(p) || !read_block(p))
		return false;
	scan_skip(&p->s);
	if (p->s.pos < p->s.len)
		return scan_expected(&p->s, "nothing more behind the graph");
	if (!set_columns(p))
		return false;
	/* Groups and places are claims that nothing but the verifier has looked at. */
	struct diag d = {ADZE_OK, ""};
	bool all = p->g->stage > STAGE_GRAPH || ir_prepared(p->g, NULL) > 0;
	if (all && ir_verify(p->g, &d) != ADZE_OK)
		return scan_fail(&p->s, &start, d.status, "%s", d.text);
	ir_at(p->g, NULL, 0, 0);
	return true;
}

adze_status ir_parse(const adze_allocator *a, const char *text, size_t len, const char *file,
		     struct diag *d, adze_graph **out)
{
	struct parser p = {
		.s = {.from = a, .text = text, .len = len, .known = {0, 1, 1}, .diag = d}};
	p.s.file = file != NULL ? file : "text";
	arena_init(&p.s.scratch, a);
	*out = NULL;
	if (read_graph(&p)) {
		*out = p.g;
		p.g = NULL;
	}
	ir_graph_destroy(p.g);
	arena_fini(&p.s.scratch);
	parser_fini(&p);
	return p.s.status;
}
