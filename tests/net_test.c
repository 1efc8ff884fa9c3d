/* SPDX-License-Identifier: Apache-2.0
 *
 * The models of the bench, of a small size, against the numbers of PyTorch and transformers
 * (tests/data/nets), by the reference evaluator and on the CPU device.
 */
#include "bench/nets.h"
#include "tests/form_case.h"

static void end(struct forms *f)
{
	CHECK_MSG(adze_graph_status(f->graph) == ADZE_OK, "%s", adze_graph_words(f->graph));
	f->ncase = f->graph->noutput;
	forms_end(f);
}

static void check_llama(const char *tokens)
{
	static const struct llama_shape shape = {32, 2, 4, 2, 48, 40, 8};
	struct forms f;
	forms_begin(&f, "nets/llama");
	llama_build(f.graph, &shape, "f32", tokens);
	end(&f);
}

TEST(net, llama)
{
	check_llama("s=2");
}

TEST(net, llama_of_any_length)
{
	check_llama("s<=6");
}

TEST(net, bert)
{
	static const struct bert_shape shape = {32, 2, 4, 64, 40, 16};
	struct forms f;
	forms_begin(&f, "nets/bert");
	bert_build(f.graph, &shape, 3, 7);
	end(&f);
}

TEST(net, resnet)
{
	static const struct resnet_shape shape = {2, {1, 2, 1, 1}, 5};
	struct forms f;
	forms_begin(&f, "nets/resnet");
	resnet_build(f.graph, &shape, 2, 32);
	end(&f);
}
