/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as the text of a graph: refused with words, or a graph that goes round through its
 * text, and through every pass, with places in order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ir/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void stop(const char *what, const char *words)
{
	fprintf(stderr, "%s: %s\n", what, words);
	abort();
}

static adze_status verify_after(void *self, const char *pass, const adze_graph *g)
{
	struct diag d = {ADZE_OK, ""};
	(void)self;
	if (ir_verify(g, &d) != ADZE_OK)
		stop(pass, d.text);
	return ADZE_OK;
}

/* Printed, parsed and printed again, the text stays. */
static void go_round(const adze_graph *g)
{
	struct text first, second;
	struct diag d = {ADZE_OK, ""};
	adze_graph *again;
	text_init(&first, &mem_libc);
	text_init(&second, &mem_libc);
	ir_print(g, &first);
	if (first.failed)
		stop("print", "failed");
	if (ir_parse(&mem_libc, first.at, first.len, "printed", &d, &again) != ADZE_OK)
		stop(first.at, d.text);
	ir_print(again, &second);
	if (second.failed || strcmp(first.at, second.at) != 0)
		stop(first.at, second.at != NULL ? second.at : "");
	ir_graph_destroy(again);
	text_fini(&second);
	text_init(&second, &mem_libc);
	ir_print_dot(g, &second);
	text_fini(&first);
	text_fini(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	adze_graph *g;
	struct diag d = {ADZE_OK, ""};
	adze_status status = ir_parse(&mem_libc, (const char *)bytes, len, "fuzz", &d, &g);
	if ((status == ADZE_OK) != (g != NULL) || (status == ADZE_OK) != (d.text[0] == '\0'))
		stop("parse", "status, graph and words do not agree");
	if (g == NULL)
		return 0;
	verify_after(NULL, "parse", g);
	go_round(g);
	struct ir_pass_options options = {.until = STAGE_PLANNED, .after = verify_after};
	diag_clear(&d);
	if (ir_run_passes(&g, &options, &d) != ADZE_OK && d.text[0] == '\0')
		stop("passes", "failed without words");
	verify_after(NULL, "passes", g);
	go_round(g);
	ir_graph_destroy(g);
	return 0;
}
