/* SPDX-License-Identifier: Apache-2.0
 *
 * adze demo: the nine steps of the life of a model, with two networks whose weights are part
 * of this program, on images that they have not been trained with.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "cmd_images.h"
#include "demo_data.h"
#include "devices/device.h"
#include "models/net.h"

#define FASHION_FOLDER "/usr/share/datasets/fashion-mnist"
/* A share of right answers says something from so many images on. */
enum { CLASSES = 10, ENOUGH = 100, LISTED = 20, PICTURES = 4 };

enum step { OPEN, DESCRIBE, COMPILE, LOAD, BIND, COPY_IN, CALL, COPY_OUT, FREE, STEPS };
static const struct {
	const char *name, *doc;
} step_row[STEPS] = {
	{"open", "weight file: names and shapes, no weight byte"},
	{"describe", "model: a struct of tensors, a function in plain C"},
	{"compile", "function to executable"},
	{"load", "weights to the device"},
	{"bind", "weights and executable to a module"},
	{"copy in", "images to the device"},
	{"call", "the module"},
	{"copy out", "probabilities and answers to the host"},
	{"free", "all of it"},
};

/* A network, and what is asked of it. */
struct subject {
	const struct net *net;
	const char *title;
	const char *weights, *test; /* bytes of safetensors files */
	size_t weights_len, test_len;
	unsigned most;              /* value of a full pixel */
	int wide, low;              /* of pictures, as images_draw() takes them */
	size_t pictures;
	double least;               /* share of right answers below which the demo fails */
	bool more;                  /* whether the test images of Fashion-MNIST are for it */
};

static const struct subject subjects[] = {
	{&digits_net, "handwritten digits, 8x8 pixels", demo_digits, demo_digits_test,
	 sizeof demo_digits - 1, sizeof demo_digits_test - 1, 16, 2, 1, 4, 0.97, false},
	{&fashion_net, "clothes of Fashion-MNIST, 28x28 pixels", demo_fashion, demo_fashion_test,
	 sizeof demo_fashion - 1, sizeof demo_fashion_test - 1, 255, 1, 2, 2, 0.9,
	 true},
};

/* The answers on one set of images. */
struct score {
	size_t count, right;
	float *probability; /* CLASSES an image */
	int32_t *label;
	double ms[STEPS];   /* COPY_IN, CALL and COPY_OUT, of all batches together */
};

/* The test images of Fashion-MNIST, or why they are not there. */
struct more {
	struct images images;
	struct diag why_not;
};

/* One network under way. */
struct show {
	const struct subject *s;
	const struct more *more;
	adze_context *context;
	adze_device *device;
	adze_store *store, *test;
	adze_graph *graph;
	adze_exe *exe;
	adze_module *module;
	void *buffers;
	adze_host_buffer *pixel, *label; /* views into `test` */
	char class[CLASSES][IMAGES_CAPTION];
	struct images held;
	struct score score, more_score;
	double ms[STEPS];
	bool cached;
};

/* ---- running ---- */

/* The held-out images in this program, and the names of the classes. */
static adze_status open_test(struct show *w)
{
	const struct subject *s = w->s;
	TRY(adze_store_open_memory(w->context, s->test, s->test_len, &w->test));
	TRY(adze_store_view(w->test, "images", &w->pixel));
	TRY(adze_store_view(w->test, "labels", &w->label));
	w->held.count = (size_t)adze_host_buffer_shape(w->pixel)->dim[0].size;
	w->held.rows = (size_t)s->net->rows;
	w->held.columns = (size_t)s->net->columns;
	w->held.pixel = adze_host_buffer_data(w->pixel);
	w->held.label = adze_host_buffer_data(w->label);
	const char *names = adze_store_metadata(w->test, "classes");
	for (int i = 0; i < CLASSES && names != NULL; i++) {
		size_t n = strcspn(names, ",");
		snprintf(w->class[i], sizeof w->class[i], "%.*s", (int)n, names);
		names += n + strspn(names + n, ", ");
	}
	return ADZE_OK;
}

/* Does a step and keeps the time it took. */
#define STEP(ms, which, call)                        \
	do {                                         \
		double start_ = cmd_now_ms();        \
		TRY(call);                           \
		(ms)[which] += cmd_now_ms() - start_; \
	} while (0)

static adze_status build(struct show *w)
{
	const struct net *net = w->s->net;
	STEP(w->ms, OPEN,
	     adze_store_open_memory(w->context, w->s->weights, w->s->weights_len, &w->store));
	TRY(adze_graph_create(w->context, net->name, &w->graph));
	STEP(w->ms, DESCRIBE, net->describe(w->graph, w->store));
	STEP(w->ms, COMPILE, adze_compile(w->device, w->graph, &w->exe));
	w->cached = adze_exe_was_cached(w->exe);
	STEP(w->ms, LOAD, net->load(w->device, w->store, w->buffers));
	STEP(w->ms, BIND, net->bind(w->exe, w->buffers, &w->module));
	return ADZE_OK;
}

/* What one call has: the caller frees all of it. */
struct batch {
	adze_host_buffer *host, *probability, *label;
	adze_buffer *in, *out[2];
};

static adze_status classify_batch(struct show *w, const struct images *m, size_t from, size_t n,
				  struct batch *b, struct score *to)
{
	int64_t extent[] = {(int64_t)n, (int64_t)m->rows, (int64_t)m->columns};
	adze_shape shape = shape_make(ADZE_U8, 3, extent);
	/* Copying in only reads what is borrowed here. */
	void *pixel = (void *)(uintptr_t)(m->pixel + from * m->rows * m->columns);
	TRY(adze_host_buffer_borrow(w->context, &shape, pixel, &b->host));
	STEP(to->ms, COPY_IN, adze_copy_in(w->device, b->host, &b->in));
	STEP(to->ms, CALL, adze_call(w->module, &b->in, 1, b->out, 2, NULL));
	STEP(to->ms, COPY_OUT, adze_copy_out(b->out[0], &b->probability));
	STEP(to->ms, COPY_OUT, adze_copy_out(b->out[1], &b->label));
	memcpy(to->probability + from * CLASSES, adze_host_buffer_data(b->probability),
	       n * CLASSES * sizeof *to->probability);
	memcpy(to->label + from, adze_host_buffer_data(b->label), n * sizeof *to->label);
	return ADZE_OK;
}

static adze_status classify(struct show *w, const struct images *m, struct score *to)
{
	size_t most = (size_t)w->s->net->batch;
	adze_status status = ADZE_OK;
	to->count = m->count;
	to->probability = calloc(m->count + 1, CLASSES * sizeof *to->probability);
	to->label = calloc(m->count + 1, sizeof *to->label);
	if (to->probability == NULL || to->label == NULL)
		return context_fail(w->context, ADZE_E_NOMEM, "no memory for the answers");
	for (size_t i = 0; i < m->count && status == ADZE_OK; i += most) {
		struct batch b = {0};
		status = classify_batch(w, m, i, m->count - i < most ? m->count - i : most, &b, to);
		adze_host_buffer_destroy(b.host);
		adze_host_buffer_destroy(b.probability);
		adze_host_buffer_destroy(b.label);
		adze_buffer_destroy(b.in);
		adze_buffer_destroy(b.out[0]);
		adze_buffer_destroy(b.out[1]);
	}
	for (size_t i = 0; i < m->count && status == ADZE_OK; i++)
		to->right += to->label[i] == m->label[i];
	return status;
}

/* More images, where there are any for this network. */
static adze_status classify_more(struct show *w)
{
	const struct images *m = &w->more->images;
	if (!w->s->more || w->more->why_not.status != ADZE_OK)
		return ADZE_OK;
	if (m->rows != w->held.rows || m->columns != w->held.columns)
		return context_fail(w->context, ADZE_E_FORMAT,
				    "the test images have %zux%zu pixels", m->rows, m->columns);
	return classify(w, m, &w->more_score);
}

static void free_model(struct show *w)
{
	double start = cmd_now_ms();
	adze_module_destroy(w->module);
	w->s->net->unload(w->buffers);
	adze_exe_destroy(w->exe);
	adze_graph_destroy(w->graph);
	adze_store_close(w->store);
	w->ms[FREE] = cmd_now_ms() - start;
}

/* ---- showing ---- */

static double percent(const struct score *s)
{
	return s->count > 0 ? 100.0 * (double)s->right / (double)s->count : 0;
}

static float sure(const struct score *s, size_t i)
{
	return s->probability[i * CLASSES + (size_t)s->label[i]];
}

/* The class that comes second. */
static int second(const float *p, int first)
{
	int best = first == 0 ? 1 : 0;
	for (int i = 0; i < CLASSES; i++)
		if (i != first && p[i] > p[best])
			best = i;
	return best;
}

static void show_pictures(const struct show *w)
{
	char caption[3 * PICTURES][IMAGES_CAPTION];
	size_t index[PICTURES], n = w->s->pictures;
	for (size_t i = 0; i < n; i++) {
		size_t k = index[i] = i * w->held.count / n;
		const float *p = w->score.probability + k * CLASSES;
		int first = w->score.label[k], next = second(p, first);
		snprintf(caption[i], IMAGES_CAPTION, "%.16s: %.1f %%", w->class[first],
			 100 * (double)p[first]);
		snprintf(caption[n + i], IMAGES_CAPTION, "%.16s: %.1f %%", w->class[next],
			 100 * (double)p[next]);
		snprintf(caption[2 * n + i], IMAGES_CAPTION, "it is: %.16s",
			 w->class[w->held.label[k]]);
	}
	images_draw(&w->held, index, n, w->s->wide, w->s->low, w->s->most, caption, 3);
	putchar('\n');
}

static void show_answers(const struct show *w)
{
	struct cmd_table t = {.columns = 3};
	CMD_ROW(&t, "IT IS", "ANSWER", "PROBABILITY");
	for (size_t i = 0; i < w->held.count; i++) {
		char p[32];
		snprintf(p, sizeof p, "%5.1f %%", 100 * (double)sure(&w->score, i));
		CMD_ROW(&t, w->class[w->held.label[i]], w->class[w->score.label[i]], p);
	}
	cmd_table_print(&t, "  ");
	putchar('\n');
}

static void show_steps(const struct show *w)
{
	double all = 0;
	for (int i = 0; i < STEPS; i++) {
		double ms = w->ms[i] + w->score.ms[i];
		all += ms;
		printf("  %d %-9s %8.3f ms  %s", i + 1, step_row[i].name, ms, step_row[i].doc);
		if (i == COMPILE && w->cached)
			printf(" (found in the cache)");
		if (i == CALL)
			printf(", %.2f us an image", 1e3 * ms / (double)w->score.count);
		putchar('\n');
	}
	printf("    %-9s %8.3f ms\n", "together", all);
}

static void show(const struct show *w)
{
	char size[32];
	printf("%s: %s; %s of weights, on %s:%s\n\n", w->s->net->name, w->s->title,
	       cmd_bytes((double)w->s->weights_len, size, sizeof size), w->device->ops->name,
	       w->device->target);
	show_pictures(w);
	if (w->held.count <= LISTED)
		show_answers(w);
	printf("  %zu of %zu held-out images right: %.2f %%\n\n", w->score.right, w->score.count,
	       percent(&w->score));
	show_steps(w);
	if (w->more_score.count > 0)
		printf("\n  %zu of %zu test images right: %.2f %%, calls took %.1f ms, %.2f us an "
		       "image\n",
		       w->more_score.right, w->more_score.count, percent(&w->more_score),
		       w->more_score.ms[CALL],
		       1e3 * w->more_score.ms[CALL] / (double)w->more_score.count);
	else if (w->s->more)
		printf("\n  The 10,000 test images are not used: %s.\n"
		       "  Debian has them: apt-get install dataset-fashion-mnist\n",
		       w->more->why_not.text);
	putchar('\n');
}

static json_t *score_json(const struct score *s)
{
	json_t *o = json_object();
	cmd_put(o, "images", json_integer((json_int_t)s->count));
	cmd_put(o, "right", json_integer((json_int_t)s->right));
	cmd_put(o, "accuracy", json_real(percent(s) / 100));
	cmd_put(o, "call_ms", json_real(s->ms[CALL]));
	return o;
}

static json_t *show_json(const struct show *w)
{
	json_t *o = json_object(), *steps = json_array(), *examples = json_array();
	for (int i = 0; i < STEPS; i++) {
		json_t *v = json_object();
		cmd_put(v, "step", json_string(step_row[i].name));
		cmd_put(v, "ms", json_real(w->ms[i] + w->score.ms[i]));
		cmd_append(steps, v);
	}
	size_t n = w->held.count <= LISTED ? w->held.count : w->s->pictures;
	for (size_t i = 0; i < n; i++) {
		size_t k = i * w->held.count / n;
		const float *share = w->score.probability + k * CLASSES;
		json_t *v = json_object(), *p = json_array();
		for (int c = 0; c < CLASSES; c++)
			cmd_append(p, cmd_json_real((double)share[c]));
		cmd_put(v, "image", json_integer((json_int_t)k));
		cmd_put(v, "is", cmd_json_text(w->class[w->held.label[k]]));
		cmd_put(v, "answer", cmd_json_text(w->class[w->score.label[k]]));
		cmd_put(v, "probabilities", p);
		cmd_append(examples, v);
	}
	cmd_put(o, "network", json_string(w->s->net->name));
	cmd_put(o, "device", json_string(w->device->ops->name));
	cmd_put(o, "target", cmd_json_text(w->device->target));
	cmd_put(o, "weights_bytes", json_integer((json_int_t)w->s->weights_len));
	cmd_put(o, "cached", json_boolean(w->cached));
	cmd_put(o, "steps", steps);
	cmd_put(o, "examples", examples);
	cmd_put(o, "held_out", score_json(&w->score));
	if (w->s->more)
		cmd_put(o, "test_images",
			w->more_score.count > 0 ? score_json(&w->more_score) : json_null());
	return o;
}

/* ---- both networks ---- */

static bool good_enough(const struct show *w, const struct score *s)
{
	if (s->count < ENOUGH || percent(s) >= 100 * w->s->least)
		return true;
	cmd_error("%s: only %.2f %% of the answers are right, and %.0f %% should be",
		  w->s->net->name, percent(s), 100 * w->s->least);
	return false;
}

static int run_subject(const struct subject *s, adze_context *context, adze_device *device,
		       const struct more *more, json_t *json)
{
	struct show w = {.s = s, .more = more, .context = context, .device = device};
	w.buffers = calloc(1, s->net->buffers_bytes);
	adze_status status = w.buffers == NULL ? ADZE_E_NOMEM : open_test(&w);
	if (status == ADZE_OK)
		status = build(&w);
	if (status == ADZE_OK)
		status = classify(&w, &w.held, &w.score);
	if (status == ADZE_OK)
		status = classify_more(&w);
	if (w.buffers != NULL)
		free_model(&w);
	int code = status == ADZE_OK ? CMD_OK : cmd_failed(context, status);
	if (code == CMD_OK && json != NULL)
		cmd_append(json, show_json(&w));
	else if (code == CMD_OK)
		show(&w);
	if (code == CMD_OK && (!good_enough(&w, &w.score) || !good_enough(&w, &w.more_score)))
		code = CMD_FAILED;
	adze_host_buffer_destroy(w.pixel);
	adze_host_buffer_destroy(w.label);
	adze_store_close(w.test);
	free(w.score.probability);
	free(w.score.label);
	free(w.more_score.probability);
	free(w.more_score.label);
	free(w.buffers);
	return code;
}

static int run_all(adze_context *context, const struct more *more, json_t *json)
{
	adze_device *device;
	adze_status status = adze_device_open(context, "cpu", &device);
	int code = status == ADZE_OK ? CMD_OK : cmd_failed(context, status);
	for (size_t i = 0; i < COUNT_OF(subjects) && code == CMD_OK; i++)
		code = run_subject(&subjects[i], context, device, more, json);
	adze_device_close(device);
	return code;
}

/* `folder` NULL: where the distribution has it, or not at all. */
static int demo(const char *folder, bool json)
{
	char prefix[4000];
	struct more more = {.why_not = {ADZE_OK, ""}};
	snprintf(prefix, sizeof prefix, "%s/t10k", folder != NULL ? folder : FASHION_FOLDER);
	adze_status status = images_read(prefix, &more.why_not, &more.images);
	int code = status != ADZE_OK && folder != NULL ? cmd_failed_diag(&more.why_not) : CMD_OK;
	adze_context *context = code == CMD_OK ? cmd_context(0, ADZE_LOG_ERROR) : NULL;
	if (context != NULL) {
		json_t *list = json ? json_array() : NULL;
		code = run_all(context, &more, list);
		if (json && code == CMD_OK) {
			json_t *o = json_object();
			cmd_put(o, "version", json_string(adze_version()));
			cmd_put(o, "networks", list);
			cmd_json_print(o);
		} else {
			json_decref(list);
		}
		adze_context_destroy(context);
	}
	images_free(&more.images);
	return context != NULL ? code : CMD_FAILED;
}

static int run_demo(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
						{"images", required_argument, NULL, 'i'},
						CMD_HELP_OPTION,
						{NULL, 0, NULL, 0}};
	const char *folder = NULL;
	bool json = false;
	int c;
	while ((c = cmd_option(&cmd_demo, argc, argv, "i:h", options)) != -1) {
		switch (c) {
		case 'j': json = true; break;
		case 'i': folder = optarg; break;
		case 'h': return cmd_print_help(&cmd_demo);
		default: return CMD_USAGE;
		}
	}
	if (optind < argc)
		return cmd_usage(&cmd_demo, "takes no operand, not '%s'", argv[optind]);
	return demo(folder, json);
}

const struct cmd cmd_demo = {
	"demo", "[OPTION]...", "Classifies images with two small networks, step by step.",
	"      --json        as JSON\n"
	"  -i, --images DIR  folder of the 10,000 test images of Fashion-MNIST, for the second\n"
	"                    network; else " FASHION_FOLDER "\n",
	run_demo};
