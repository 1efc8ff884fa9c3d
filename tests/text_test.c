/* SPDX-License-Identifier: Apache-2.0
 *
 * The text form beyond what golden files show: names that collide, every bit pattern of narrow
 * elements, texts that are cut anywhere, memory that ends anywhere, graphs that no text could
 * give, size.
 */
#include "tests/check.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "ir/graph.h"
#include "ir/lexeme.h"

static adze_graph *parse(const char *text, size_t len, struct diag *d)
{
	adze_graph *g;
	diag_clear(d);
	adze_status status = ir_parse(&mem_libc, text, len, "t.air", d, &g);
	CHECK((status == ADZE_OK) == (g != NULL));
	CHECK((status == ADZE_OK) == (d->status == ADZE_OK));
	return g;
}

static adze_graph *parse_good(const char *text)
{
	struct diag d;
	adze_graph *g = parse(text, strlen(text), &d);
	CHECK_MSG(g != NULL, "%s", d.text);
	return g;
}

/* The graph's text, which the caller frees, after it was seen to go round. */
static char *print(const adze_graph *g)
{
	struct text first, second;
	text_init(&first, &mem_libc);
	text_init(&second, &mem_libc);
	ir_print(g, &first);
	CHECK(!first.failed);
	adze_graph *again = parse_good(first.at);
	ir_print(again, &second);
	CHECK_MSG(strcmp(first.at, second.at) == 0, "printed\n%s\nand again\n%s", first.at,
		  second.at);
	ir_graph_destroy(again);
	char *text = strdup(first.at);
	text_fini(&first);
	text_fini(&second);
	return text;
}

static const char planned[] =
	"graph g(%x: f32[t<=4, 3], %n: i32[], %\"w 1\": weight f32[3, 4]) stage=planned arena=128 "
	"{\n"
	"\t%1 = dot %x, %\"w 1\", sum_a=[1], sum_b=[0] : f32[t<=4, 4] @1 ^a0\n"
	"\t%2 = softmax %1, axis=1 : f32[t<=4, 4] @2 ^a64\n"
	"\t%3 = layer_norm %2, eps=1e-05 : f32[t<=4, 4] @3 ^o0\n"
	"\t%4 = const {-1} : i32[]\n"
	"\t%5 = reduce %2, by=max, axes=[0, 1] : f32[] @4 ^o1\n"
	"\t%6 = add %n, %4 : i32[] @5 ^i1\n"
	"\treturn y=%3, m=%5, n=%6 into %n\n"
	"}\n";

TEST(text, canonical_text_stays)
{
	adze_graph *g = parse_good(planned);
	char *text = print(g);
	CHECK_MSG(strcmp(text, planned) == 0, "%s", text);
	CHECK(g->stage == STAGE_PLANNED && g->arena_bytes == 128 && g->nsymbol == 1);
	CHECK(g->group[g->output[2].value] == 5);
	CHECK(g->place[g->output[2].value].kind == PLACE_INPUT);
	CHECK(g->place[g->input[0]].kind == PLACE_INPUT && g->place[g->input[0]].at == 0);
	CHECK(g->place[g->weight[0]].kind == PLACE_NONE);
	free(text);
	ir_graph_destroy(g);
}

/* A node that was asked for by a text knows its line. */
TEST(text, lines_are_kept)
{
	adze_graph *g = parse_good("graph g(%x: f32[2]) {\n\n  %1 = neg %x\n return y=%1 }");
	const struct ir_where *w = &g->where[g->node[g->output[0].value].where];
	CHECK(strcmp(w->file, "t.air") == 0 && w->line == 3 && w->column == 8);
	ir_graph_destroy(g);
}

TEST(text, every_operation_parses_by_name)
{
	for (int i = 1; i < OP_COUNT; i++) {
		const struct op_info *info = op_info((enum ir_op)i);
		CHECK(op_find(info->name, strlen(info->name)) == (enum ir_op)i);
		CHECK(lex_is_identifier(info->name, strlen(info->name)));
	}
}

/* One constant of n elements through text and back: the same bits. */
static void constant_goes_round(adze_dtype dtype, const void *bytes, int64_t n)
{
	adze_graph *g = ir_graph_create(&mem_libc, NULL);
	adze_shape type = shape_make(dtype, 1, &n);
	ir_output(g, "y", ir_const(g, &type, bytes), 0);
	CHECK_MSG(g->diag.status == ADZE_OK, "%s", g->diag.text);
	char *text = print(g);
	adze_graph *again = parse_good(text);
	const struct ir_data *d = &IR_ATTRS(data, again, again->output[0].value)->data;
	CHECK_MSG(d->len == (size_t)shape_bytes(&type) && memcmp(d->bytes, bytes, d->len) == 0,
		  "%s", text);
	ir_graph_destroy(again);
	ir_graph_destroy(g);
	free(text);
}

/* All bit patterns of 8- and 16-bit types, random ones of wider types, few and many at once. */
TEST(text, constants_keep_their_bits)
{
	uint64_t seed = check_seed();
	for (int i = 0; i < ADZE_DTYPE_COUNT; i++) {
		adze_dtype dtype = (adze_dtype)i;
		size_t size = dtype_bytes(dtype), n = size == 1 ? 256 : size == 2 ? 65536 : 20000;
		uint64_t bytes[2 * 64], alone[2] = {0, 0};
		for (size_t k = 0; k < n; k += 64) {
			for (size_t e = 0; e < 64; e++) {
				uint64_t bits = size <= 2 ? k + e : check_random(&seed);
				if (size == 4 && e % 4 == 0) /* small, and around 1 */
					bits = (bits & 0x80ffffff) | 0x3f000000;
				if (dtype == ADZE_BOOL)
					bits &= 1;
				uint64_t both[2] = {bits, check_random(&seed)};
				dtype_copy_at(dtype, bytes, e, both, 0);
			}
			/* Where a NaN has a payload all would be hex: one by one, now and then. */
			for (size_t e = 0; e < 64 && k % 1024 == 0; e++) {
				dtype_copy_at(dtype, alone, 0, bytes, e);
				constant_goes_round(dtype, alone, 1);
			}
			constant_goes_round(dtype, bytes, 64);
		}
	}
}

TEST(text, floats_take_the_fewest_digits)
{
	static const struct {
		double v;
		const char *text;
	} row[] = {{0, "0"},           {-0.0, "-0"},
		   {0.1, "0.1"},       {100, "100"},
		   {1e6, "1e+06"},     {1e-5, "1e-05"},
		   {123456, "123456"}, {1e300 * 1e10, "inf"},
		   {0.5, "0.5"},       {1.0 / 3, "0.3333333333333333"},
		   {5e-324, "5e-324"}};
	char text[LEX_NUMBER];
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		lex_print_float(row[i].v, text);
		CHECK_MSG(strcmp(text, row[i].text) == 0, "%s, not %s", text, row[i].text);
	}
}

TEST(text, numbers_that_are_none)
{
	static const char *const bad[] = {"",    "-",    ".5",   "1e",	"1e+", "0x10",	  "1.5.2",
					  "+1",  "infinity", "NAN", "1 ",  " 1", "1e5e5", "--1"};
	double f;
	int64_t n;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		CHECK_MSG(!lex_float(bad[i], strlen(bad[i]), &f), "'%s'", bad[i]);
		CHECK_MSG(!lex_int(bad[i], strlen(bad[i]), &n), "'%s'", bad[i]);
	}
	CHECK(lex_int("-9223372036854775808", 20, &n) && n == INT64_MIN);
	CHECK(!lex_int("-9223372036854775809", 20, &n));
	CHECK(lex_float("1e999", 5, &f) && f > 1e308);
}

/* A program may have set a locale in which numbers look otherwise. */
TEST(text, locale_does_not_matter)
{
	static const char *const name[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE",
					   "pt_BR.UTF-8"};
	const char *set = NULL;
	for (size_t i = 0; i < COUNT_OF(name) && set == NULL; i++)
		set = setlocale(LC_ALL, name[i]);
	if (set == NULL || strcmp(localeconv()->decimal_point, ".") == 0)
		SKIP("no locale with a decimal comma is installed");
	adze_graph *g = parse_good("graph g() { %1 = const {0.5, 1.5e-3} : f32[2]\n return y=%1 }");
	char *text = print(g);
	CHECK_MSG(strstr(text, "{0.5, 0.0015}") != NULL, "%s", text);
	free(text);
	ir_graph_destroy(g);
	setlocale(LC_ALL, "C");
}

TEST(text, builder_names_are_printed_as_they_are)
{
	static const char *const name[] = {"1", "a b",   "\"", "\\",     "\n\t\x01\x7f",
					   "é", "x.y_9", ".",  "weight", "return"};
	adze_graph *g = ir_graph_create(&mem_libc, "1");
	adze_shape type = shape_make(ADZE_F32, 0, NULL);
	ir_val x = 0;
	for (size_t i = 0; i < COUNT_OF(name); i++) {
		x = i % 2 ? ir_weight(g, name[i], &type) : ir_input(g, name[i], &type);
		ir_output(g, name[i], ir_emit1(g, OP_NEG, x, NULL, NULL), 0);
	}
	char *text = print(g);
	adze_graph *again = parse_good(text);
	CHECK(again->noutput == COUNT_OF(name) && again->ninput == g->ninput);
	for (size_t i = 0; i < COUNT_OF(name); i++) {
		CHECK(strcmp(again->output[i].name, name[i]) == 0);
		ir_val from = ir_arg(again, again->output[i].value, 0);
		CHECK(strcmp(IR_ATTRS(name, again, from)->name, name[i]) == 0);
	}
	ir_graph_destroy(again);
	ir_graph_destroy(g);
	free(text);
}

/* Every beginning of a text but the whole is refused, with a place, and without a leak. */
TEST(text, cut_texts_are_refused)
{
	struct check_memory memory = {.fail_after = -1};
	adze_allocator a = {check_resize, &memory};
	for (size_t len = 0; len + 2 < sizeof planned; len++) {
		struct diag d = {ADZE_OK, ""};
		adze_graph *g;
		char *cut = malloc(len + 1); /* so that a read past the end is found */
		memcpy(cut, planned, len);
		adze_status status = ir_parse(&a, cut, len, "t.air", &d, &g);
		free(cut);
		CHECK_MSG(status != ADZE_OK && g == NULL, "%zu bytes", len);
		CHECK_MSG(strncmp(d.text, "t.air:", 6) == 0, "%s", d.text);
		CHECK(memory.live_blocks == 0);
	}
}

/* A byte changed anywhere: refused, or a graph that goes round. */
TEST(text, changed_bytes_do_no_harm)
{
	static const char with[] = "%@^={}[](),:#\"\\ \n0a-<*\x80";
	char text[sizeof planned];
	struct diag d;
	for (size_t i = 0; i + 1 < sizeof planned; i++) {
		for (size_t k = 0; k < sizeof with; k++) {
			memcpy(text, planned, sizeof planned);
			text[i] = with[k];
			adze_graph *g = parse(text, sizeof planned - 1, &d);
			if (g != NULL)
				free(print(g));
			ir_graph_destroy(g);
		}
	}
}

TEST(text, memory_may_end_anywhere)
{
	struct check_memory memory = {.fail_after = -1};
	adze_allocator a = {check_resize, &memory};
	adze_status status = ADZE_E_NOMEM;
	long n = 0;
	for (; status != ADZE_OK && n < 10000; n++) {
		struct diag d = {ADZE_OK, ""};
		adze_graph *g;
		memory.calls = 0;
		memory.fail_after = n;
		status = ir_parse(&a, planned, sizeof planned - 1, "t.air", &d, &g);
		CHECK_MSG(status == ADZE_OK || (status == ADZE_E_NOMEM && g == NULL), "%s", d.text);
		memory.fail_after = -1;
		ir_graph_destroy(g);
		CHECK_MSG(memory.live_blocks == 0, "a leak when call %ld fails", n);
	}
	CHECK(n > 10 && n < 10000);
}

TEST(text, printing_without_memory_says_so)
{
	struct check_memory memory = {.fail_after = -1};
	adze_allocator a = {check_resize, &memory};
	adze_graph *g = parse_good(planned);
	struct text out;
	memory.fail_after = 0;
	text_init(&out, &a);
	ir_print(g, &out);
	CHECK(out.failed);
	text_fini(&out);
	text_init(&out, &a);
	ir_print_dot(g, &out);
	CHECK(out.failed);
	text_fini(&out);
	ir_graph_destroy(g);
}

TEST(text, dot_has_boxes_and_frames)
{
	adze_graph *g = parse_good(planned);
	struct text out;
	text_init(&out, &mem_libc);
	ir_print_dot(g, &out);
	CHECK(!out.failed);
	CHECK(strstr(out.at, "digraph \"g\"") == out.at);
	CHECK(strstr(out.at, "cluster_5") != NULL && strstr(out.at, "cluster_6") == NULL);
	CHECK(strstr(out.at, "softmax\\nf32[t<=4, 4]") != NULL);
	size_t open = 0, close = 0;
	for (const char *c = out.at; *c != '\0'; c++) {
		open += *c == '{';
		close += *c == '}';
	}
	CHECK(open == close && open == 6);
	text_fini(&out);
	ir_graph_destroy(g);
}

TEST(text, one_line_of_a_node)
{
	adze_graph *g = parse_good(planned);
	struct text out;
	text_init(&out, &mem_libc);
	ir_print_node(g, g->output[1].value, &out);
	CHECK(strcmp(out.at, "%5 = reduce %2, by=max, axes=[0, 1] : f32[] @4 ^o1") == 0);
	text_fini(&out);
	text_init(&out, &mem_libc);
	ir_print_node(g, g->weight[0], &out);
	CHECK(strcmp(out.at, "%\"w 1\": weight f32[3, 4]") == 0);
	text_fini(&out);
	ir_graph_destroy(g);
}

/* What verify must find, one change at a time, each on a fresh graph. */
enum damage {
	OPERAND_LATER, OPERATION, TYPE_INDEX, TYPE_OTHER, NO_ATTRS, OUTPUT_VALUE, OUTPUT_INTO,
	INPUT_LOST, NO_GROUP, GROUP_GAP, GROUP_HUGE, GROUP_LATER, GROUP_SHARED, NO_PLACE,
	PLACE_AWAY, PLACE_ODD, PLACE_SHARED, PLACE_OUTPUT_OTHER, PLACE_INPUT_READ, SYMBOL_BOUND,
	DAMAGES
};

static void damage(adze_graph *g, enum damage what)
{
	ir_val dot = g->input[1] + 2, softmax = dot + 1, norm = dot + 2;
	switch (what) {
	case OPERAND_LATER: g->arg[g->node[dot].arg] = softmax; break;
	case OPERATION: g->node[dot].op = OP_COUNT; break;
	case TYPE_INDEX: g->node[dot].type = (uint32_t)g->ntype; break;
	case TYPE_OTHER: g->node[softmax].type = g->node[g->input[0]].type; break;
	case NO_ATTRS: g->node[softmax].attrs = NULL; break;
	case OUTPUT_VALUE: g->output[0].value = (ir_val)g->nnode; break;
	case OUTPUT_INTO: g->output[0].into = g->input[1]; break;
	case INPUT_LOST: g->ninput--; break;
	case NO_GROUP: g->group[softmax] = 0; break;
	case GROUP_GAP: g->group[g->output[2].value] = 6; break;
	case GROUP_HUGE: g->group[norm] = UINT32_MAX; break;
	case GROUP_LATER: g->group[dot] = 2; g->group[softmax] = 1; break;
	case GROUP_SHARED: g->group[dot] = 2; break;
	case NO_PLACE: g->place[softmax].kind = PLACE_NONE; break;
	case PLACE_AWAY: g->place[softmax].at = 128; break;
	case PLACE_ODD: g->place[softmax].at = 4; break;
	case PLACE_SHARED: g->place[softmax].at = 0; break;
	case PLACE_OUTPUT_OTHER: g->place[norm].at = 1; break;
	case PLACE_INPUT_READ: g->place[g->output[2].value].at = 0; break;
	case SYMBOL_BOUND: g->symbol[0].bound = 5; break;
	case DAMAGES: break;
	}
}

TEST(verify, finds_each_damage)
{
	for (int what = 0; what <= DAMAGES; what++) {
		struct diag d = {ADZE_OK, ""};
		adze_graph *g = parse_good(planned);
		CHECK(g->node[g->input[1] + 2].op == OP_DOT);
		damage(g, (enum damage)what);
		adze_status status = ir_verify(g, &d);
		/* The last one damages nothing. */
		CHECK_MSG((status == ADZE_OK) == (what == DAMAGES), "damage %d: %s", what, d.text);
		CHECK_MSG(what == DAMAGES || (status == ADZE_E_TYPE && d.text[0] != '\0'),
			  "damage %d: %s", what, d.text);
		g->ninput = 2;
		ir_graph_destroy(g);
	}
}

/* Time and memory in proportion to the text: a chain, many weights, one long line. */
TEST(text, long_texts)
{
	struct text t;
	text_init(&t, &mem_libc);
	text_add(&t, "graph g(%%x: f32[4]");
	for (int i = 0; i < 500; i++)
		text_add(&t, ", %%w%d: weight f32[4]", i);
	text_add(&t, ") { %%0 = add %%x, %%w0");
	for (int i = 1; i < 100000; i++)
		text_add(&t, " %%%d = add %%%d, %%w%d", i, i - 1, i % 500);
	text_add(&t, " return y=%%99999 }");
	adze_graph *g = parse_good(t.at);
	CHECK(g->nnode == 1 + 501 + 100000);
	free(print(g));
	ir_graph_destroy(g);
	text_fini(&t);
}
