/* SPDX-License-Identifier: Apache-2.0
 *
 * Sampling (src/nn/nn_sample.c) against the numbers of transformers, by the reference evaluator
 * and on the CPU device; that chance is as fair as it should be; and what is refused.
 */
#include <math.h>

#include "tests/form_case.h"

static void filters(struct forms *f, adze_tensor z, const adze_sample_options *all)
{
	adze_sample_options with = {.temperature = all->temperature};
	out(f, "warm", adze_nn_sample_filter(z, &with));
	with = (adze_sample_options){.top_k = all->top_k};
	out(f, "top_k", adze_nn_sample_filter(z, &with));
	with = (adze_sample_options){.top_p = all->top_p};
	out(f, "top_p", adze_nn_sample_filter(z, &with));
	with = (adze_sample_options){.min_p = all->min_p};
	out(f, "min_p", adze_nn_sample_filter(z, &with));
	out(f, "all", adze_nn_sample_filter(z, all));
}

static void samples(struct forms *f, adze_tensor z, const adze_sample_options *all)
{
	adze_sample_options with = {.seed = all->seed, .step = all->step};
	out(f, "greedy", adze_nn_sample(z, NULL));
	out(f, "sampled", adze_nn_sample(z, all));
	out(f, "plain", adze_nn_sample(z, &with));
	with.temperature = in(f, "cold_t", NULL);
	out(f, "cold", adze_nn_sample(z, &with));
}

TEST(sample, numbers)
{
	struct forms f;
	forms_begin(&f, "nn/sample");
	adze_tensor z = in(&f, "z", "n=4 v=50"), counts = in(&f, "before", "n=4 50");
	adze_tensor ids = in(&f, "tokens", "n=4 12");
	const adze_sample_options all = {in(&f, "t", "n=4"), in(&f, "k", NULL), in(&f, "p", NULL),
					 in(&f, "m", NULL), in(&f, "seed", NULL),
					 in(&f, "step", NULL)};
	filters(&f, z, &all);
	samples(&f, z, &all);
	out(&f, "counted", adze_nn_count_tokens(counts, ids));
	out(&f, "counted_next", adze_nn_count_tokens(counts, in(&f, "next", NULL)));
	counts = adze_nn_count_tokens(adze_mul(counts, adze_scalar_like(counts, 0)), ids);
	adze_penalty_options by = {.repetition = in(&f, "rep", NULL)};
	out(&f, "repeated", adze_nn_penalize(z, counts, &by));
	by = (adze_penalty_options){.presence = in(&f, "pre", NULL),
				    .frequency = in(&f, "freq", NULL)};
	out(&f, "penalised", adze_nn_penalize(z, counts, &by));
	forms_end(&f);
}

/* How often each of 8 tokens comes, of 4096 seeds, against its probability: chi-squared of 7
 * degrees is above 40 once in a million. Settings are scalars here. */
TEST(sample, is_fair)
{
	struct life l;
	adze_graph *g;
	const double share[8] = {0.3, 0.2, 0.15, 0.1, 0.1, 0.08, 0.05, 0.02};
	static uint32_t seed[4096];
	float z[8];
	double off = 0;
	int count[8] = {0};
	life_begin(&l);
	OK(&l, adze_graph_create(l.context, "g", &g));
	for (int i = 0; i < 8; i++)
		z[i] = (float)log(share[i]);
	for (uint32_t i = 0; i < 4096; i++)
		seed[i] = i;
	adze_tensor x = adze_input(g, "x", ADZE_F32, "v=8");
	x = adze_broadcast(x, "n=4096 v=8");
	adze_sample_options with = {.seed = adze_input(g, "seed", ADZE_U32, "n=4096"),
				    .temperature = adze_scalar(g, ADZE_F32, 1),
				    .top_k = adze_scalar(g, ADZE_I32, 8)};
	adze_tensor y = adze_nn_sample(x, &with);
	adze_buffer *in[2] = {buffer_of(&l, ADZE_F32, "8", z),
			      buffer_of(&l, ADZE_U32, "4096", seed)};
	adze_buffer *out = run_once(&l, y, in, 2);
	const int32_t *token = adze_buffer_data(out);
	for (int i = 0; i < 4096; i++) {
		CHECK(token[i] >= 0 && token[i] < 8);
		count[token[i]]++;
	}
	for (int i = 0; i < 8; i++)
		off += pow(count[i] - 4096 * share[i], 2) / (4096 * share[i]);
	CHECK_MSG(off < 40, "chi-squared is %g", off);
	adze_buffer_destroy(in[0]);
	adze_buffer_destroy(in[1]);
	adze_buffer_destroy(out);
	life_end(&l);
}

TEST(sample, refusals)
{
	struct life l;
	adze_sample_options by = {.top_k = {NULL, 0, 0, NULL}};
	adze_penalty_options less = {.presence = {NULL, 0, 0, NULL}};
	life_begin(&l);
	REFUSED(X(z, "2 v<=8"), adze_nn_sample(z, NULL), ADZE_E_TYPE, "nn_sample",
		"f32[2, v<=8]: it takes [.., vocabulary]");
	REFUSED(I(z, "2 8"), adze_nn_sample(z, NULL), ADZE_E_TYPE, "nn_sample", "floats");
	REFUSED(X(z, "2 8"); X(k, "2"); by.top_k = k, adze_nn_sample_filter(z, &by), ADZE_E_TYPE,
		"nn_sample_filter", "f32[2]: this setting is an integer");
	REFUSED(X(z, "2 8"); X(t, "3"); by = (adze_sample_options){.temperature = t},
		adze_nn_sample_filter(z, &by), ADZE_E_TYPE, "nn_sample_filter",
		"f32[3]: a setting is a scalar");
	REFUSED(X(z, "2 8"); X(s, ""); by = (adze_sample_options){.seed = s},
		adze_nn_sample(z, &by), ADZE_E_TYPE, "nn_sample", "f32[]: this setting is");
	REFUSED(X(z, "2 8"); X(n, "2 8"), adze_nn_penalize(z, n, &less), ADZE_E_TYPE,
		"nn_penalize", "counts are integers");
	REFUSED(X(z, "2 8"); I(n, "2 7"), adze_nn_penalize(z, n, &less), ADZE_E_TYPE,
		"nn_penalize", "i32[2, 7]: counts");
	REFUSED(I(n, "2 8"); I(t, "3"), adze_nn_count_tokens(n, t), ADZE_E_TYPE,
		"nn_count_tokens", "i32[3]: its rows");
	REFUSED(I(n, "2 8"); I(t, ""), adze_nn_count_tokens(n, t), ADZE_E_TYPE,
		"nn_count_tokens", "tokens are integers");
	life_end(&l);
}
