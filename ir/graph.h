/* SPDX-License-Identifier: Apache-2.0
 *
 * The graph. Nodes stand in one array in topological order; a value is the index of its
 * node, 0 is no value. Types are interned, nodes immutable and hash-consed: the same
 * operation on the same operands is the same value. Passes that transform read one graph
 * and emit another; passes that analyse fill columns. docs/ir.md describes the text form.
 *
 * Emitting is sticky: an operation on the null value is the null value; the first failure
 * is in the graph's `diag`, with the place that it was called from.
 *
 * One thread at a time.
 */
#ifndef ADZE_GRAPH_H
#define ADZE_GRAPH_H

#include "base/mem.h"
#include "base/table.h"
#include "base/text.h"
#include "ir/op.h"

typedef uint32_t ir_val;

/** Where a node was asked for: a C source line, or line and column of a text. */
struct ir_where {
	const char *file; /* in the arena; NULL where not known */
	int line, column;
};

struct ir_node {
	uint16_t op;     /* enum ir_op */
	uint16_t narg;
	uint32_t type;   /* index of an interned type */
	uint32_t arg;    /* first operand in graph->arg; of an input or weight: its index */
	uint32_t where;  /* index in graph->where, 0 unknown */
	const void *attrs; /* struct attrs_<schema> in the arena, NULL for `none` */
};

struct ir_symbol {
	char name[ADZE_MAX_AXIS];
	int64_t bound;
};

struct ir_output {
	const char *name; /* in the arena */
	ir_val value;
	ir_val into;      /* the donated input whose memory it takes, or 0 */
};

/** Where the planned graph keeps a value. */
enum ir_place_kind {
	PLACE_NONE,   /* inside a group, or a view: no memory of its own */
	PLACE_ARENA,  /* `at`: offset in bytes */
	PLACE_OUTPUT, /* `at`: index of the output */
	PLACE_INPUT   /* `at`: index of the input; sources, and donated results */
};
struct ir_place {
	enum ir_place_kind kind;
	int64_t at;
};

/** What passes have established; each later stage keeps the earlier ones. */
enum ir_stage { STAGE_GRAPH, STAGE_LOWERED, STAGE_GROUPED, STAGE_PLANNED };

struct adze_graph {
	struct arena arena;
	struct diag diag;
	char *name;
	enum ir_stage stage;

	struct ir_node *node; /* [0] is no node */
	size_t nnode, node_cap;
	ir_val *arg;
	size_t narg, arg_cap;
	adze_shape *type;
	size_t ntype, type_cap;
	struct ir_where *where; /* [0] is nowhere */
	size_t nwhere, where_cap;
	struct ir_symbol symbol[ADZE_MAX_SYMBOLS];
	int nsymbol;

	/* Sub-graphs of operations, owned; body k is body[k - 1]. Their stage is the graph's. */
	adze_graph **body;
	size_t nbody, body_cap;
	adze_graph *parent; /* of a body that is being built; else NULL */
	int depth;          /* bodies around it */

	ir_val *input; /* in the order of the signature */
	size_t ninput, input_cap;
	ir_val *weight;
	size_t nweight, weight_cap;
	struct ir_output *output;
	size_t noutput, output_cap;

	/* Columns, by node; NULL before the stage that fills them. */
	uint32_t *group;        /* 1, 2 ... in order of execution; 0: a view, a source, or a
				 * conversion that products do */
	uint8_t *why;           /* by operand, as `arg`: enum ir_reason, why it is of another
				 * group; NULL where groups stood in the text */
	bool narrow_products;   /* set by ir_run_passes() */
	struct ir_place *place;
	int64_t arena_bytes;    /* planned: what all arena places need */

	/* What is equal is found by hash: nodes, types, inputs and weights and outputs by name. */
	struct table nodes, types, parameters, outputs;
	struct ir_where at; /* for nodes emitted next */
};

/** NULL without memory. `name` may be NULL. */
adze_graph *ir_graph_create(const adze_allocator *a, const char *name);
void ir_graph_destroy(adze_graph *g);

/** Says where the nodes that follow come from; `file` NULL: unknown. */
void ir_at(adze_graph *g, const char *file, int line, int column);

/**
 * Emits a node, or finds the equal one. `attrs` is the schema's struct or NULL; `declared`
 * is the type of a DECLARED operation, and NULL or a type to be checked elsewhere. What
 * attrs points to is copied. Returns 0 and records why on any failure.
 */
ir_val ir_emit(adze_graph *g, enum ir_op op, const ir_val *args, size_t narg,
	       const void *attrs, const adze_shape *declared);

/**
 * A body of `g` under way: a graph of its own, whose inputs and outputs are what the operation
 * that takes it says. It sees no value of `g`; its symbols are those of `g`. `name` NULL: one is
 * made up; a name that is taken gets a number. NULL, with words in g->diag, on failure.
 */
adze_graph *ir_body_begin(adze_graph *g, const char *name);
/**
 * Ends it: the body's number for BODY attributes. 0 after a failure in the body, whose words are
 * then in its parent.
 */
int64_t ir_body_end(adze_graph *body);
/** Takes a finished body over; its number, 0 (and the body still the caller's) without memory. */
int64_t ir_body_add(adze_graph *g, adze_graph *body);
static inline const adze_graph *ir_body(const adze_graph *g, int64_t number)
{
	return g->body[number - 1];
}
/** The number of the body of that name; 0 where there is none. */
int64_t ir_body_find(const adze_graph *g, const char *name, size_t len);
/** Whether an attribute of `v` is that body. */
bool ir_has_body(const adze_graph *g, ir_val v, int64_t number);
/** Bodies within bodies, at most; and operands of an operation for its bodies. */
#define IR_MAX_DEPTH 16
#define IR_MAX_OPERANDS 512

/** Short forms of ir_emit(). */
ir_val ir_emit1(adze_graph *g, enum ir_op op, ir_val x, const void *attrs,
		const adze_shape *declared);
ir_val ir_emit2(adze_graph *g, enum ir_op op, ir_val x, ir_val y, const void *attrs);

/** Inputs keep the order of their calls; names of inputs and weights are unique. */
ir_val ir_input(adze_graph *g, const char *name, const adze_shape *type);
ir_val ir_weight(adze_graph *g, const char *name, const adze_shape *type);
ir_val ir_const(adze_graph *g, const adze_shape *type, const void *bytes);
/** A constant scalar of `dtype`: `v` rounded, or cut, to it. */
ir_val ir_scalar(adze_graph *g, adze_dtype dtype, double v);
/** `into`: 0, or an input of the same type that the result replaces. */
void ir_output(adze_graph *g, const char *name, ir_val value, ir_val into);

/** Records a failure at a place in the source: "file:line:column: words". */
adze_status ir_fail(adze_graph *g, const struct ir_where *where, adze_status status,
		    const char *format, ...) PRINTF_LIKE(4, 5);

static inline const struct ir_node *ir_get(const adze_graph *g, ir_val v)
{
	return &g->node[v];
}
static inline const adze_shape *ir_type(const adze_graph *g, ir_val v)
{
	return &g->type[g->node[v].type];
}
static inline ir_val ir_arg(const adze_graph *g, ir_val v, size_t i)
{
	return g->arg[g->node[v].arg + i];
}
static inline enum op_class ir_class(const adze_graph *g, ir_val v)
{
	return op_info((enum ir_op)g->node[v].op)->class;
}
/** The attributes of `v` as the struct of its schema. */
#define IR_ATTRS(schema, g, v) ((const struct attrs_##schema *)(g)->node[v].attrs)

/** The index among the inputs (weights, with what is prepared behind them) of such a node; -1
 * for others. */
int ir_input_index(const adze_graph *g, ir_val v);
int ir_weight_index(const adze_graph *g, ir_val v);
/** The number of prepared nodes at most. */
#define IR_MAX_PREPARED 1024
/** Whether the value is given to every call: an input, a weight, a constant, or prepared. */
bool ir_is_given(const adze_graph *g, ir_val v);
/** Prepared nodes by their index, at most IR_MAX_PREPARED; their number. */
size_t ir_prepared(const adze_graph *g, ir_val *out);

/** The index of a symbol; -1 where there is none. */
int ir_symbol_find(const adze_graph *g, const char *name);

/** Interns a type after checking it, with its symbols; its index, 0 on failure. */
uint32_t ir_intern(adze_graph *g, const adze_shape *type, const struct ir_where *where);

/* ---- types: ir/shape.c ---- */

/** A shape from "s=128 d=768" or "[s=128, t<=512, _=4*t<=512]"; words into `d`. */
adze_status shape_parse(const char *text, size_t len, adze_dtype dtype, adze_shape *out,
			struct diag *d);
/** "f32[s=128, t<=512]", cut to fit `cap`. Returns `out`. */
char *shape_print(const adze_shape *s, char *out, size_t cap);
#define SHAPE_TEXT 512

/** A shape of static extents without names. */
adze_shape shape_make(adze_dtype dtype, int rank, const int64_t *extent);
adze_dim dim_make(int64_t extent);
/** E_TYPE or E_LIMIT with words where a shape cannot be: rank, extents, overflow of its bytes. */
adze_status shape_check(const adze_shape *s, struct diag *d);
/** Same extents, symbols included; names do not count. */
bool dim_same(const adze_dim *a, const adze_dim *b);
bool shape_same_extents(const adze_shape *a, const adze_shape *b);
static inline bool dim_is_static(const adze_dim *d) { return d->symbol[0] == '\0'; }
bool shape_is_static(const adze_shape *s);
/** Elements and bytes at the bound; of a shape that shape_check() accepts. */
int64_t shape_count(const adze_shape *s);
int64_t shape_bytes(const adze_shape *s);
/** Axis of that name, or number ("0", "-1"); -1 where there is none. */
int shape_axis(const adze_shape *s, const char *name, size_t len);

/* ---- ir/infer.c ---- */

/** The type of a node that is not there yet; words, with the place, into the graph. */
adze_status ir_infer(adze_graph *g, enum ir_op op, const ir_val *args, size_t narg,
		     const void *attrs, const adze_shape *declared, adze_shape *out);

/** The types of all results of an operation: [0] the node's own where there is one alone. */
#define IR_MAX_RESULTS 64
struct ir_results {
	size_t n;
	adze_shape type[IR_MAX_RESULTS];
};
/** As ir_infer(); `results` NULL, or what infer_results() was told: n 0 where nothing was. */
adze_status ir_infer_results(adze_graph *g, enum ir_op op, const ir_val *args, size_t narg,
			     const void *attrs, const adze_shape *declared, adze_shape *out,
			     struct ir_results *results);

/** Those of a node that is there. False where the rule refuses, which it did not before. */
bool ir_results(const adze_graph *g, ir_val v, struct ir_results *out);
/** Bytes from the start of a pack to its result `index`. */
int64_t ir_part_offset(const struct ir_results *r, size_t index);

/* ---- ir/verify.c ---- */

/** Whether the graph is what its stage promises; E_TYPE and words in `d` where not. */
adze_status ir_verify(const adze_graph *g, struct diag *d);

/* ---- ir/live.c ---- */

/**
 * Of a planned graph: the most bytes that are alive at the same time in its order, each value in
 * whole places of 64. No plan for that order can do without them. Bodies do not count. -1 without
 * memory to find out.
 */
int64_t ir_live_bytes(const adze_graph *g);

/* ---- ir/parse.c, ir/print.c ---- */

/**
 * A graph from its text. `file` is for messages. On failure *out is NULL and `d` has
 * "file:line:column: words".
 */
adze_status ir_parse(const adze_allocator *a, const char *text, size_t len, const char *file,
		     struct diag *d, adze_graph **out);
/** Appends the canonical text: ir_print(ir_parse(x)) is x for canonical x. */
void ir_print(const adze_graph *g, struct text *out);
/** A value as the text calls it: `%3`. Counts its number anew: for reports. */
void ir_print_value(const adze_graph *g, ir_val v, struct text *out);
/** One node's line without its end, for messages and reports. */
void ir_print_node(const adze_graph *g, ir_val v, struct text *out);
/** The graph for Graphviz, boxes by group. */
void ir_print_dot(const adze_graph *g, struct text *out);

/* ---- ir/rebuild.c ---- */

/** A new graph under way, and what became of each value of the old one. */
struct ir_map {
	const adze_graph *from;
	adze_graph *to;
	ir_val *at; /* by value of `from`; 0: not there (yet) */
	int64_t *body; /* by body of `from`, likewise */
	void *self; /* the rule's */
};

/** What becomes of `v`, whose operands are mapped: a value of map->to, or ir_clone(). */
typedef ir_val ir_rule(struct ir_map *map, ir_val v);

/** The node `v` in the new graph with its operands mapped and nothing else changed. */
ir_val ir_clone(struct ir_map *map, ir_val v);

/**
 * Rebuilds the live part of `from` through `rule` (NULL: clone). All inputs stay, in order;
 * weights stay where something uses them. `order` NULL: as they stand, else the values in
 * the order to emit. Columns are not copied.
 */
adze_status ir_rebuild(const adze_graph *from, ir_rule *rule, void *self, const ir_val *order,
		       size_t norder, adze_graph **out);

/** Users of each value, outputs included: a new array of g->nnode, from the allocator. */
uint32_t *ir_count_uses(const adze_graph *g);

/* ---- ir/outline.c: bodies from values of the graph itself ---- */

/** A value that stands for an input of a body while what is in it is built. */
ir_val ir_hole(adze_graph *g, const adze_shape *type);

/**
 * What was built since `mark` (g->nnode then) and `mark_body` (g->nbody) for some bodies.
 * `all`: all of it belongs to them; else what depends on a hole, and the rest stays. Bodies have
 * inputs for the holes, then for what they take from outside, the same for all of them.
 */
struct ir_outline_body {
	const char *name;
	const ir_val *result;
	size_t nresult;
	int64_t number; /* to fill */
};
struct ir_outline {
	ir_val mark;
	size_t mark_body;
	const ir_val *hole;
	size_t nhole;
	bool all;
	struct ir_outline_body *body;
	size_t nbody; /* at most IR_MAX_BRANCHES */
};

/**
 * Moves it into bodies of g, and lists the values from outside, for which `captured` has
 * IR_MAX_OPERANDS places. Constants and views of what is outside are copied into bodies. Values
 * that moved are no values of g any more: their operation is OP_NONE, until the next rebuilding.
 * On failure the words are in g->diag.
 */
adze_status ir_outline(adze_graph *g, const struct ir_outline *o, ir_val *captured, size_t *n);

/* ---- ir/pass.c: the pipeline of passes.def ---- */

/** Words between passes: a dump, a report; NULL fields are skipped. */
struct ir_pass_options {
	const char *passes; /* "fold,fuse": only these; NULL: all up to `until` */
	enum ir_stage until;
	const char *without; /* "attend": not these, where `passes` is NULL; or NULL */
	/* The device's products convert operands themselves: ir_dot_converts(). */
	bool narrow_products;
	/* Called after each pass; a status but ADZE_OK ends the run with it. */
	adze_status (*after)(void *self, const char *pass, const adze_graph *g);
	void *self;
};

/**
 * Runs passes over *g, which may be replaced; the old graph is destroyed. On failure *g is
 * a valid graph of some earlier stage and `d` has the words.
 */
adze_status ir_run_passes(adze_graph **g, const struct ir_pass_options *options, struct diag *d);

struct ir_pass {
	const char *name, *doc;
	enum ir_stage needs, gives;
	adze_status (*run)(adze_graph **g, struct diag *d);
};
const struct ir_pass *ir_passes(size_t *n);
/** "graph", "lowered", "grouped", "planned". */
const char *ir_stage_name(enum ir_stage stage);

/* ---- ir/eval.c ---- */

/**
 * The definition of every operation: evaluates the graph, naively, in double and wide
 * integers. inputs, weights and outputs are dense bytes in the order of the signature, in the
 * shapes for the symbols' values `symbol` (g->nsymbol of them). outputs must not overlap
 * inputs.
 */
adze_status ir_eval(const adze_graph *g, const int64_t *symbol, const void *const *inputs,
		    const void *const *weights, void *const *outputs, struct diag *d);
/** One node with constant operands: fold.c's. `out` has the bytes of its type. */
adze_status ir_eval_node(const adze_graph *g, ir_val v, const int64_t *symbol,
			 const void *const *args, void *out, struct diag *d);

/** The extent of `dim` for these values of the graph's symbols. */
int64_t ir_extent(const adze_graph *g, const adze_dim *dim, const int64_t *symbol);

#endif
