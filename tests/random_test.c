/* SPDX-License-Identifier: Apache-2.0
 *
 * Random graphs on the CPU device against ir_eval(): with all passes on one thread and on
 * three, without fold and simplify, and with plain C kernels. A graph that differs is cut
 * down to what is needed for it and printed, and written to random-SEED.air.
 *
 *     ADZE_GRAPHS=100000 ADZE_SEED=7 ./random_test    as many graphs, from that seed on
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/device_check.h"
#include "tests/random_graph.h"

#define MOST_OUTPUTS 64

struct setting {
	const char *name, *isa;
	int threads;
	bool optimise;
	adze_context *context;
	adze_device *dev;
};

static struct setting setting[] = {
	{"all passes, one thread", NULL, 1, true, NULL, NULL},
	{"all passes, three threads", NULL, 3, true, NULL, NULL},
	{"without fold and simplify", NULL, 1, false, NULL, NULL},
	{"scalar", "scalar", 1, true, NULL, NULL},
};

static void open_settings(void)
{
	const char *target;
	const struct device_ops *ops = device_find("cpu", &target);
	CHECK(ops != NULL);
	for (size_t i = 0; i < COUNT_OF(setting); i++) {
		struct setting *s = &setting[i];
		struct diag d = {ADZE_OK, ""};
		s->context = device_check_context(s->isa, s->threads);
		CHECK_MSG(ops->open(s->context, target, &s->dev, &d) == ADZE_OK, "%s", d.text);
		s->dev->ops = ops;
		context_retain(s->context);
		atomic_init(&s->dev->refs, 1);
	}
}

static void close_settings(void)
{
	for (size_t i = 0; i < COUNT_OF(setting); i++) {
		device_release(setting[i].dev);
		device_check_context_free(setting[i].context);
	}
}

/* The operands of the call, and room for its results. */
struct call {
	const void **input, **weight;
	void *output[MOST_OUTPUTS];
	int64_t symbol[ADZE_MAX_SYMBOLS];
};

static void init_call(struct call *c, const struct random_graph *r)
{
	const adze_graph *g = r->g;
	c->input = calloc(g->ninput + 1, sizeof *c->input);
	c->weight = calloc(g->nweight + 1, sizeof *c->weight);
	for (size_t i = 0; i < g->ninput; i++)
		c->input[i] = r->value[g->input[i]].data;
	for (size_t i = 0; i < g->nweight; i++)
		c->weight[i] = r->value[g->weight[i]].data;
	for (size_t i = 0; i < g->noutput; i++)
		c->output[i] = calloc(1, r->value[g->output[i].value].bytes + 1);
	random_symbols(r, c->symbol);
}

static void fini_call(struct call *c, const struct random_graph *r)
{
	for (size_t i = 0; i < r->g->noutput; i++)
		free(c->output[i]);
	free(c->input);
	free(c->weight);
}

/* Whether all settings give what they should; else `words` say what does not. */
static bool agrees(const struct random_graph *r, char *words, size_t cap)
{
	const adze_graph *g = r->g;
	struct call call[2];
	bool ok = true;
	words[0] = '\0';
	CHECK(g->noutput <= MOST_OUTPUTS);
	init_call(&call[0], r);
	init_call(&call[1], r);
	for (size_t k = 0; k < COUNT_OF(setting) && ok; k++) {
		struct diag d = {ADZE_OK, ""};
		struct call *c = &call[k > 0];
		char element[300];
		adze_status status = device_check_run(setting[k].dev, g, setting[k].optimise, 1,
						      c->symbol, c->input, c->weight, c->output,
						      &d);
		ok = status == ADZE_OK;
		if (!ok)
			snprintf(words, cap, "%s: %s", setting[k].name, d.text);
		for (size_t i = 0; i < g->noutput && ok; i++) {
			ir_val v = g->output[i].value;
			ok = random_value_agrees(r, v, c->output[i], element, sizeof element);
			if (ok && k == 1 && memcmp(call[0].output[i], call[1].output[i],
						   r->value[v].bytes) != 0) {
				snprintf(element, sizeof element, "not the bits of one thread");
				ok = false;
			}
			if (!ok)
				snprintf(words, cap, "%s, output %s: %s", setting[k].name,
					 g->output[i].name, element);
		}
	}
	fini_call(&call[0], r);
	fini_call(&call[1], r);
	return ok;
}

/* Takes `p`, if there is one and it still differs, in the place of *r. */
static bool take_smaller(struct random_graph **r, struct random_graph *p)
{
	char words[1000];
	if (p == NULL)
		return false;
	if (agrees(p, words, sizeof words)) {
		random_graph_destroy(p);
		return false;
	}
	random_graph_destroy(*r);
	*r = p;
	return true;
}

static void minimise(struct random_graph **r)
{
	for (bool smaller = true; smaller;) {
		smaller = false;
		for (size_t i = 0; i < (*r)->g->noutput; i++)
			if (take_smaller(r, random_graph_part(*r, i, 0))) {
				smaller = true;
				i--;
			}
		/* From the end: a cut there takes away the most. */
		for (size_t v = (*r)->g->nnode; v-- > 1;) {
			if (v >= (*r)->g->nnode)
				continue;
			int op = ir_get((*r)->g, (ir_val)v)->op;
			if (op == OP_INPUT)
				continue;
			smaller |= take_smaller(r, random_graph_part(*r, SIZE_MAX, (ir_val)v));
		}
	}
}

/* The elements of a source, as a comment. */
static void print_elements(const struct random_graph *r, ir_val v, struct text *t)
{
	adze_dtype dtype = ir_type(r->g, v)->dtype;
	text_add(t, "# %%%s = {", IR_ATTRS(name, r->g, v)->name);
	for (size_t i = 0; i < r->value[v].n && i < 64; i++) {
		if (dtype_is_float(dtype))
			text_add(t, "%s%.17g", i > 0 ? ", " : "",
				  dtype_load_float(dtype, r->value[v].data, i));
		else
			text_add(t, "%s%lld", i > 0 ? ", " : "",
				  (long long)dtype_load_int(dtype, r->value[v].data, i));
	}
	text_add(t, "%s}\n", r->value[v].n > 64 ? ", ..." : "");
}

static void report(struct random_graph **r, uint64_t seed)
{
	char words[1000], path[64];
	struct text t;
	minimise(r);
	agrees(*r, words, sizeof words);
	text_init(&t, &mem_libc);
	text_add(&t, "# seed %llu: %s\n# t=%lld u=%lld\n", (unsigned long long)seed, words,
		  (long long)(*r)->chosen[0], (long long)(*r)->chosen[1]);
	for (size_t i = 0; i < (*r)->g->ninput; i++)
		print_elements(*r, (*r)->g->input[i], &t);
	for (size_t i = 0; i < (*r)->g->nweight; i++)
		print_elements(*r, (*r)->g->weight[i], &t);
	ir_print((*r)->g, &t);
	snprintf(path, sizeof path, "random-%llu.air", (unsigned long long)seed);
	FILE *f = fopen(path, "w");
	if (f != NULL) {
		fputs(t.at, f);
		fclose(f);
	}
	fprintf(stderr, "%s\n", t.at);
	text_fini(&t);
}

static volatile uint64_t current_seed;

/* A crash says which graph it was. */
static void on_crash(int number)
{
	char digits[24];
	int n = 0;
	for (uint64_t s = current_seed; s > 0 || n == 0; s /= 10)
		digits[sizeof digits - (size_t)++n] = (char)('0' + s % 10);
	ssize_t wrote = write(2, "# crash at seed ", 16);
	wrote += write(2, digits + sizeof digits - n, (size_t)n);
	wrote += write(2, "\n", 1);
	signal(number, SIG_DFL);
	raise(number);
	(void)wrote;
}

/* Operations that the maker does not draw. */
static const enum ir_op not_drawn[] = {
	OP_ATTENTION, OP_CHOLESKY, OP_TRIANGULAR_SOLVE, OP_FFT, OP_REDUCE_BODY,
	OP_REDUCE_WINDOW_BODY, OP_SELECT_AND_SCATTER, OP_MAP, OP_PREPARED,
	OP_DEQUANTIZE_BLOCKS};

static bool is_drawn(enum ir_op op)
{
	for (size_t i = 0; i < COUNT_OF(not_drawn); i++)
		if (not_drawn[i] == op)
			return false;
	return true;
}

/* Every operation is there: the maker has not lost one to the type rules. */
static void check_seen(const size_t *seen)
{
	for (int op = OP_NONE + 1; op < OP_COUNT; op++)
		CHECK_MSG(seen[op] > 0 || !is_drawn((enum ir_op)op),
			  "no graph had a %s", op_info((enum ir_op)op)->name);
}

TEST(random, graphs_against_eval)
{
	static size_t seen[OP_COUNT];
	const char *many = getenv("ADZE_GRAPHS");
	size_t n = many != NULL ? strtoull(many, NULL, 0) : 1000, bad = 0, nodes = 0, inexact = 0;
	size_t i = 0;
	uint64_t seed = check_seed();
	char words[1000];
	int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL};
	for (size_t k = 0; k < COUNT_OF(crashes); k++)
		signal(crashes[k], on_crash);
	open_settings();
	for (; i < n && bad < 20; i++) {
		current_seed = seed + i;
		struct random_graph *r = random_graph_create(seed + i);
		nodes += r->npool;
		for (size_t k = 0; k < r->npool; k++) {
			int op = ir_get(r->g, r->pool[k])->op;
			seen[op]++;
			if (op == OP_PART)
				seen[ir_get(r->g, ir_arg(r->g, r->pool[k], 0))->op]++;
		}
		for (size_t k = 0; k < r->g->noutput; k++)
			inexact += r->value[r->g->output[k].value].slack != NULL;
		if (!agrees(r, words, sizeof words)) {
			bad++;
			report(&r, seed + i);
		}
		random_graph_destroy(r);
	}
	close_settings();
	printf("# %zu graphs from seed %llu, %zu values, %zu outputs with slack\n", i,
	       (unsigned long long)seed, nodes, inexact);
	CHECK_MSG(bad == 0, "%zu graphs differ", bad);
	if (n >= 1000)
		check_seen(seen);
}
