/* SPDX-License-Identifier: Apache-2.0
 *
 * A digit classifier with the installed header alone: the nine steps of the life of a model.
 *
 *     cc digits.c $(pkg-config --cflags --libs adze) -o digits
 *     ./digits data/digits.safetensors data/digits-test.safetensors
 */
#include <adze.h>
#include <stdio.h>

/* The model: a struct of tensors with the names that the weight file has. */
#define LINEAR(T, O, S, L) T(weight, "out in") O(bias, "out")
ADZE_STRUCT(linear, LINEAR);
#define DIGITS(T, O, S, L) S(linear, fc1) S(linear, fc2)
ADZE_STRUCT(digits, DIGITS);

/* Its function: from images, as many as a call has but at most 512, to answers. */
#define INPUTS(A) A(image)
#define OUTPUTS(A) A(label)
ADZE_FUNCTION(forward, digits, INPUTS, OUTPUTS);

static adze_tensor linear(struct linear l, adze_tensor x)
{
	adze_tensor y = adze_dot(x, l.weight, "-1=in");
	return adze_is(l.bias) ? adze_add(y, l.bias) : y;
}

static struct forward_out forward(struct digits m, struct forward_in in)
{
	adze_tensor x = adze_reshape(adze_convert(in.image, ADZE_F32), "n=? in=64");
	adze_tensor h = adze_relu(linear(m.fc1, adze_mul(x, adze_scalar_like(x, 1.0 / 16))));
	return (struct forward_out){adze_argmax(linear(m.fc2, h), "out")};
}

/* Compares the answers with the labels of the file. */
static adze_status count(adze_store *test, adze_buffer *label)
{
	adze_host_buffer *is = NULL, *said = NULL;
	adze_status status = adze_store_view(test, "labels", &is);
	if (status == ADZE_OK)
		status = adze_copy_out(label, &said); /* 8 copy out */
	if (status == ADZE_OK) {
		const unsigned char *right = adze_host_buffer_data(is);
		const int32_t *answer = adze_host_buffer_data(said);
		int64_t n = adze_shape_count(adze_host_buffer_shape(said)), good = 0;
		for (int64_t i = 0; i < n; i++)
			good += answer[i] == right[i];
		printf("%lld of %lld digits right: %.2f %%\n", (long long)good, (long long)n,
		       100.0 * (double)good / (double)n);
	}
	adze_host_buffer_destroy(is);
	adze_host_buffer_destroy(said);
	return status;
}

struct objects {
	adze_context *context;
	adze_device *device;
	adze_store *weights, *test;
	adze_graph *graph;
	struct digits_buffers buffers;
	forward_exe exe;
	forward_module module;
	struct forward_args args;
	struct forward_results results;
};

#define TRY(call)                                \
	do {                                     \
		adze_status status_ = (call);    \
		if (status_ != ADZE_OK)          \
			return status_;          \
	} while (0)

static adze_status run(struct objects *o, const char *weights, const char *test)
{
	struct digits model;
	TRY(adze_device_open(o->context, "cpu", &o->device));
	TRY(adze_store_open(o->context, weights, &o->weights)); /* 1 open */
	TRY(adze_store_open(o->context, test, &o->test));

	TRY(adze_graph_create(o->context, "digits", &o->graph)); /* 2 describe */
	TRY(digits_fill(o->graph, o->weights, "", &model));
	struct forward_in in = {adze_input(o->graph, "image", ADZE_U8, "n<=512 row=8 column=8")};

	TRY(forward_compile(o->device, o->graph, model, in, &o->exe));   /* 3 compile */
	TRY(digits_load(o->device, o->weights, "", &o->buffers));        /* 4 load */
	TRY(forward_bind(o->exe, o->buffers, "", &o->module));           /* 5 bind */
	TRY(adze_store_load(o->test, "images", o->device, &o->args.image)); /* 6 copy in */
	TRY(forward_call(o->module, o->args, &o->results));              /* 7 call */
	return count(o->test, o->results.label);
}

int main(int argc, char **argv)
{
	struct objects o = {0};
	char words[512];
	if (argc != 3) {
		fprintf(stderr, "usage: digits WEIGHTS.safetensors TEST.safetensors\n");
		return 2;
	}
	if (adze_context_create(NULL, &o.context) != ADZE_OK)
		return 1;
	adze_status status = run(&o, argv[1], argv[2]);
	if (status != ADZE_OK)
		fprintf(stderr, "digits: %s\n", adze_context_words(o.context, words, sizeof words));
	adze_buffer_destroy(o.results.label); /* 9 free */
	adze_buffer_destroy(o.args.image);
	forward_module_free(o.module);
	digits_free(&o.buffers);
	forward_exe_free(o.exe);
	adze_graph_destroy(o.graph);
	adze_store_close(o.test);
	adze_store_close(o.weights);
	adze_device_close(o.device);
	adze_context_destroy(o.context);
	return status != ADZE_OK;
}
