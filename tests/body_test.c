/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies and packs: their text, what the parser and the rules refuse, how passes treat them,
 * and what the evaluator makes of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/graph.h"
#include "tests/check.h"

static const char pick[] =
	"graph pick(%p: bool[], %x: f32[t<=4], %y: f32[t<=4]) {\n"
	"\tbody both(%a: f32[t<=4], %b: f32[t<=4]) {\n"
	"\t\t%1 = add %a, %b : f32[t<=4]\n"
	"\t\t%2 = mul %a, %b : f32[t<=4]\n"
	"\t\treturn s=%1, m=%2\n"
	"\t}\n"
	"\tbody swap(%a: f32[t<=4], %b: f32[t<=4]) {\n"
	"\t\treturn s=%b, m=%a\n"
	"\t}\n"
	"\t%1 = if %p, %x, %y, then=both, otherwise=swap : u8[128]\n"
	"\t%2 = part %1 : f32[t<=4]\n"
	"\t%3 = part %1, index=1 : f32[t<=4]\n"
	"\treturn a=%2, b=%3\n"
	"}\n";

static adze_graph *parse(const char *text)
{
	struct diag d = {ADZE_OK, ""};
	adze_graph *g = NULL;
	CHECK_MSG(ir_parse(&mem_libc, text, strlen(text), "t.air", &d, &g) == ADZE_OK, "%s",
		  d.text);
	return g;
}

static void check_text(const adze_graph *g, const char *want)
{
	struct text out;
	text_init(&out, &mem_libc);
	ir_print(g, &out);
	CHECK_MSG(strcmp(out.at, want) == 0, "%s", out.at);
	text_fini(&out);
}

static void check_pick(const adze_graph *g)
{
	const float x[3] = {1, 2, 3}, y[3] = {10, 20, 30};
	const float sum[3] = {11, 22, 33}, product[3] = {10, 40, 90};
	for (uint8_t p = 0; p < 2; p++) {
		float a[4] = {0}, b[4] = {0};
		const int64_t t = 3;
		struct diag d = {ADZE_OK, ""};
		CHECK_MSG(ir_eval(g, &t, (const void *[]){&p, x, y}, NULL, (void *[]){a, b}, &d) ==
				  ADZE_OK, "%s", d.text);
		CHECK(memcmp(a, p ? sum : y, sizeof sum) == 0 && a[3] == 0);
		CHECK(memcmp(b, p ? product : x, sizeof sum) == 0 && b[3] == 0);
	}
}

TEST(body, text_and_meaning)
{
	adze_graph *g = parse(pick);
	check_text(g, pick);
	check_pick(g);
	ir_graph_destroy(g);
}

TEST(body, passes_work_inside)
{
	static const char *const passes[] = {"fold,simplify,layout", NULL};
	for (size_t i = 0; i < COUNT_OF(passes); i++) {
		adze_graph *g = parse(pick), *copy;
		struct ir_pass_options options = {.passes = passes[i], .until = STAGE_PLANNED};
		struct diag d = {ADZE_OK, ""};
		CHECK_MSG(ir_run_passes(&g, &options, &d) == ADZE_OK, "%s", d.text);
		CHECK(g->body[0]->stage == g->stage && g->body[1]->stage == g->stage);
		CHECK_MSG(ir_verify(g, &d) == ADZE_OK, "%s", d.text);
		struct text out;
		text_init(&out, &mem_libc);
		ir_print(g, &out);
		copy = parse(out.at);
		check_text(copy, out.at);
		text_fini(&out);
		check_pick(copy);
		ir_graph_destroy(copy);
		ir_graph_destroy(g);
	}
}

TEST(body, dot_frames_bodies)
{
	adze_graph *g = parse(pick);
	struct text out;
	text_init(&out, &mem_libc);
	ir_print_dot(g, &out);
	CHECK(!out.failed);
	CHECK(strstr(out.at, "subgraph cluster_b1_ {\n\t\tlabel=\"both\"") != NULL);
	CHECK(strstr(out.at, "subgraph cluster_b2_ {\n\t\tlabel=\"swap\"") != NULL);
	CHECK(strstr(out.at, "b1_n1 -> b1_n3;") != NULL && strstr(out.at, "b2_o1") != NULL);
	text_fini(&out);
	ir_graph_destroy(g);
}

TEST(body, what_nothing_uses_falls_away)
{
	adze_graph *g = parse(pick), *to;
	g->noutput = 0;
	CHECK(ir_rebuild(g, NULL, NULL, NULL, 0, &to) == ADZE_OK);
	CHECK(to->nbody == 0 && g->nbody == 2);
	ir_graph_destroy(to);
	ir_graph_destroy(g);
}

static void check_refused(const char *text, const char *words)
{
	struct diag d = {ADZE_OK, ""};
	adze_graph *g;
	CHECK(ir_parse(&mem_libc, text, strlen(text), "t.air", &d, &g) != ADZE_OK && g == NULL);
	CHECK_MSG(strstr(d.text, words) != NULL, "'%s' is not in '%s'", words, d.text);
}

#define ONE "body one(%a: f32[]) { return r=%a }\n"

TEST(body, refusals)
{
	check_refused("graph g(%p: bool[]) { %1 = if %p, then=a, otherwise=a return }",
		      "t.air:1:40: no body 'a' stands before this line");
	check_refused("graph g() { " ONE ONE "return }", "t.air:2:6: body 'one' is there already");
	check_refused("graph g(%p: bool[]) { " ONE "%1 = if %p, then=one, otherwise=one return }",
		      "body 'one' has 1 inputs, not 0");
	check_refused("graph g(%p: bool[], %x: f32[2]) { " ONE
		      "%1 = if %p, %x, then=one, otherwise=one return }",
		      "input 0 of body 'one' is f32[], not f32[2]");
	check_refused("graph g(%p: bool[], %x: f32[]) { " ONE
		      "body two(%a: f32[]) { %1 = convert %a : f64[] return r=%1 }\n"
		      "%1 = if %p, %x, then=one, otherwise=two return }",
		      "output 0 of body 'two' is f64[], not f32[]");
	check_refused("graph g(%p: bool[2], %x: f32[]) { " ONE
		      "%1 = if %p, %x, then=one, otherwise=one return }",
		      "the first operand must be a scalar");
	check_refused("graph g(%p: i32[], %x: f32[]) { " ONE
		      "%1 = if %p, %x, then=one, otherwise=one return }", "it takes bool, not i32");
	check_refused("graph g(%p: bool[], %x: f32[]) { " ONE
		      "%1 = if %p, %x, then=one, otherwise=one %2 = part %1 : f32[] return }",
		      "its operand has one result alone");
	check_refused("graph g() { body b(%a: f32[t<=4]) { return r=%a } return }",
		      "symbol 't' stands in a body, but not around it");
	check_refused("graph g(%x: f32[]) { body b() { return r=%x } return }",
		      "no value %x stands before this line");
	check_refused("graph g(%x: f32[]) { body b(%w: weight f32[]) { return r=%w } return }",
		      "a body has no weights");
}

TEST(body, depth_is_bounded)
{
	char text[4000] = "graph g() {\n", words[80];
	for (int i = 0; i < IR_MAX_DEPTH + 1; i++)
		strcat(text, "body b() {\n");
	snprintf(words, sizeof words, "more than %d bodies within each other", IR_MAX_DEPTH);
	check_refused(text, words);
}

TEST(body, names_are_made_apart)
{
	adze_graph *g = ir_graph_create(&mem_libc, "g");
	for (int i = 0; i < 3; i++) {
		adze_graph *b = ir_body_begin(g, i < 2 ? "less" : NULL);
		CHECK(b != NULL && ir_body_end(b) == i + 1);
	}
	CHECK(strcmp(ir_body(g, 1)->name, "less") == 0);
	CHECK(strcmp(ir_body(g, 2)->name, "less.2") == 0);
	CHECK(strcmp(ir_body(g, 3)->name, "body") == 0);
	CHECK(ir_body_find(g, "less.2", 6) == 2 && ir_body_find(g, "more", 4) == 0);
	ir_graph_destroy(g);
}

TEST(body, failures_reach_the_parent)
{
	adze_graph *g = ir_graph_create(&mem_libc, "g");
	adze_graph *b = ir_body_begin(g, "bad");
	adze_shape s = shape_make(ADZE_F32, 1, (int64_t[]){2});
	ir_val x = ir_input(b, "x", &s);
	CHECK(ir_emit2(b, OP_AND, x, x, NULL) == 0);
	CHECK(ir_body_end(b) == 0);
	CHECK_MSG(strstr(g->diag.text, "and f32[2], f32[2]") != NULL, "%s", g->diag.text);
	CHECK(ir_body_begin(g, "late") == NULL);
	ir_graph_destroy(g);
}
