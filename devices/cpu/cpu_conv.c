/* SPDX-License-Identifier: Apache-2.0
 *
 * Convolutions, cut into parts: of images, rows and channels.
 */
#include <string.h>

#include "devices/cpu/cpu_window.h"

static struct any_window conv_window(const struct cpu_step *step,
				     const struct cpu_box *box)
{
	const int64_t *p = step->param;
	struct any_window s = {.rank = box[0].rank - 2};
	for (int i = 0; i < s.rank; i++) {
		s.in[i] = box[1].extent[2 + i];
		s.out[i] = box[0].extent[2 + i];
		s.window[i] = box[2].extent[2 + i];
		s.stride[i] = p[i];
		s.low[i] = p[s.rank + i];
		s.dilation[i] = p[2 * s.rank + i];
	}
	return s;
}

/* ---- convolutions ---- */

/* Floats of the image that a part reads, so that they stay in the second cache; more where the
 * weights would else be packed again for few places. */
#define PART_FLOATS (96 << 10)
#define PART_MOST (256 << 10)
#define PART_PLACES 200
/* Parts for each thread, so that a late one does not hold the rest; and what their channels are
 * a multiple of. */
#define PARTS_A_THREAD 2
#define CHANNELS 32

static int64_t round_up(int64_t v, int64_t to)
{
	return (v + to - 1) / to * to;
}

static size_t read_by(const struct window2d *s, const struct conv_part *p)
{
	struct conv_block b = conv_block(s, p);
	return b.copies ? b.image : s->channels / s->groups * (p->bottom - p->top) * s->width;
}

/* The most rows of a part that read no more than that; at least one. */
static size_t most_rows(const struct window2d *s, size_t floats)
{
	struct conv_part p = {0, s->out_channels, 0, 1, 0, s->out_width};
	size_t low = 1, high = s->out_height;
	while (low < high) {
		p.bottom = (low + high + 1) / 2;
		if (read_by(s, &p) <= floats)
			low = p.bottom;
		else
			high = p.bottom - 1;
	}
	return low;
}

/* The part of one image that is made at a time, without its channels: rows, and where one row
 * is too much, a piece of it. */
static struct conv_part first_part(const struct window2d *s)
{
	size_t rows = most_rows(s, PART_FLOATS), more = PART_PLACES / s->out_width;
	if (rows < more) {
		rows = most_rows(s, PART_MOST);
		rows = rows < more ? rows : more;
	}
	size_t parts = (s->out_height + rows - 1) / rows;
	rows = (s->out_height + parts - 1) / parts;
	struct conv_part p = {0, s->out_channels, 0, rows, 0, s->out_width};
	while (rows == 1 && read_by(s, &p) > PART_FLOATS && p.right > CONV_COLUMNS)
		p.right = (p.right + 1) / 2;
	return p;
}

/* Scratch that a worker may take for it; what would need more goes to plain loops. */
#define MOST_WORK ((size_t)256 << 20)

static bool has_kernel(const struct cpu_bound *b, const struct window2d *s)
{
	struct conv_part p = first_part(s);
	return b->root != NULL && conv_work(s, &p) <= MOST_WORK;
}

/* Parts: of images, rows, columns and channels, the last ones fastest. Several of channels only
 * so that all threads have some, since each copies the image for itself. */
static void cut_conv(struct cpu_work *w, const struct window2d *s)
{
	struct conv_part p = first_part(s);
	int threads = w->pool != NULL ? cpu_pool_threads(w->pool) : 1;
	int64_t outs = (int64_t)s->out_channels, plane = (int64_t)(s->out_height * s->out_width);
	w->block_m = (int64_t)p.bottom;
	w->block_n = (int64_t)p.right;
	w->blocks_m = ((int64_t)s->out_height + w->block_m - 1) / w->block_m;
	w->blocks_n = ((int64_t)s->out_width + w->block_n - 1) / w->block_n;
	w->outer = w->box[0].extent[0];
	int64_t units = w->outer * w->blocks_m * w->blocks_n, want = 1;
	int64_t products = outs * plane * w->box[2].extent[1] *
			   (int64_t)(s->window[0] * s->window[1]) * w->outer;
	if (threads > 1 && units < PARTS_A_THREAD * (int64_t)threads)
		want = round_up(PARTS_A_THREAD * (int64_t)threads, units) / units;
	if (want > products / units / TASK_PRODUCTS + 1)
		want = products / units / TASK_PRODUCTS + 1;
	w->inner = round_up((outs + want - 1) / want, outs / want >= CHANNELS ? CHANNELS : 1);
	w->length = (outs + w->inner - 1) / w->inner;
	w->units = units * w->length;
}

/* Part `unit` of image *image. */
static struct conv_part find_part(const struct cpu_work *w, const struct window2d *s,
				  int64_t unit, int64_t *image)
{
	int64_t o = unit % w->length * w->inner;
	unit /= w->length;
	int64_t j = unit % w->blocks_n * w->block_n;
	unit /= w->blocks_n;
	int64_t i = unit % w->blocks_m * w->block_m;
	*image = unit / w->blocks_m;
	struct conv_part p = {(size_t)o, (size_t)(o + w->inner), (size_t)i,
			      (size_t)(i + w->block_m), (size_t)j, (size_t)(j + w->block_n)};
	p.to = p.to < s->out_channels ? p.to : s->out_channels;
	p.bottom = p.bottom < s->out_height ? p.bottom : s->out_height;
	p.right = p.right < s->out_width ? p.right : s->out_width;
	return p;
}

/* ---- what follows ---- */

/* Whether a load is one number for each channel of w's result. */
static bool by_channel(const struct cpu_work *w, const struct cpu_box *b)
{
	int64_t plane = w->box[0].count / w->box[0].extent[0] / w->box[0].extent[1];
	int c = b->rank - 2;
	return (b->rank == 2 || b->rank == 3) && b->extent[c] == w->box[0].extent[1] &&
	       b->extent[c + 1] == plane && b->stride[c] == 1 && b->stride[c + 1] == 0 &&
	       (b->rank == 2 || b->stride[0] == 0);
}

/* The epilogue as what the kernel does itself; false where it is something else. */
static bool find_after(const struct cpu_work *w, struct conv_after *out)
{
	const struct cpu_prog *p = &w->step->epi;
	const float **place[] = {&out->sub, &out->mul, &out->add, &out->other};
	static const enum ew step[] = {EW_SUB, EW_MUL, EW_ADD, EW_ADD};
	int at = 0, carried = 0;
	memset(out, 0, sizeof *out);
	for (int i = 0; i < p->nins; i++) {
		const struct cpu_ins *s = &p->ins[i];
		int second = s->src[0] != carried;
		if (s->kind != CPU_INS_EW || s->dtype != ADZE_F32 || out->relu ||
		    s->src[second] != carried)
			return false;
		carried = s->dst;
		out->relu = s->ew == EW_RELU;
		if (out->relu)
			continue;
		const struct cpu_box *b = s->nsrc == 2 && s->src[!second] < p->nload
						  ? &w->box[p->load[s->src[!second]]]
						  : NULL;
		if (b == NULL || s->src[!second] == 0 || (second && s->ew == EW_SUB))
			return false;
		while (at < 4 && (s->ew != step[at] || !(at < 3 ? by_channel(w, b) : b->dense)))
			at++;
		if (at == 4)
			return false;
		*place[at++] = (const float *)b->at;
	}
	return true;
}

/* A part under way, for what is done to its channels while they are in the cache. */
struct conv_job {
	const struct cpu_work *w;
	char *scratch;
	int64_t image, plane, width;
	const struct conv_part *part;
};

static void finish(void *self, size_t first, size_t end)
{
	const struct conv_job *j = self;
	const struct conv_part *p = j->part;
	int64_t rows = (int64_t)(p->bottom - p->top), columns = (int64_t)(p->right - p->left);
	int64_t channels = (int64_t)(end - first);
	int64_t at = (j->image * j->w->box[0].extent[1] + (int64_t)first) * j->plane +
		     (int64_t)p->top * j->width + (int64_t)p->left;
	if (rows * columns == j->plane) {
		cpu_run_epilogue(j->w, j->scratch, at, channels * j->plane);
		return;
	}
	for (int64_t o = 0; o < channels; o++, at += j->plane) {
		if (columns == j->width)
			cpu_run_epilogue(j->w, j->scratch, at, rows * j->width);
		for (int64_t i = 0; i < rows && columns != j->width; i++)
			cpu_run_epilogue(j->w, j->scratch, at + i * j->width, columns);
	}
}

/* Unit: a part. */
static void conv_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	const struct cpu_box *y = &w->box[0], *x = &w->box[1];
	struct any_window any = conv_window(w->step, w->box);
	struct window2d s = cpu_flat_window(&any, x->extent[1], y->extent[1],
					    w->step->param[3 * any.rank]);
	int64_t from, to, in_plane = cpu_plane(any.in, any.rank) * x->extent[1];
	char *scratch = cpu_scratch(w, worker);
	char *work = scratch + size_round_up(cpu_prog_bytes(&w->step->epi), 64);
	struct conv_job j = {.w = w, .scratch = scratch, .plane = cpu_plane(any.out, any.rank),
			     .width = (int64_t)s.out_width};
	struct conv_after after;
	const float *other = NULL;
	cpu_range(w, task, &from, &to);
	if (find_after(w, &after)) {
		other = after.other;
	} else {
		cpu_prog_begin(w, &w->step->epi, scratch);
		after = (struct conv_after){.run = finish, .self = &j};
	}
	for (int64_t unit = from; unit < to; unit++) {
		struct conv_part p = find_part(w, &s, unit, &j.image);
		j.part = &p;
		if (other != NULL)
			after.other = other + j.image * y->extent[1] * j.plane;
		((conv2d_f32_fn *)w->bound->root->run)(
			(float *)y->at + j.image * y->extent[1] * j.plane,
			(float *)x->at + j.image * in_plane, (float *)w->box[2].at, &s, &p, work,
			&after);
	}
}

/* Unit: one output channel of one image, of any type. */
static void any_conv_task(void *job, size_t task, int worker)
{
	const struct cpu_work *w = job;
	const struct cpu_box *y = &w->box[0], *x = &w->box[1], *k = &w->box[2];
	struct any_window s = conv_window(w->step, w->box);
	int64_t groups = w->step->param[3 * s.rank], channels = x->extent[1];
	int64_t outs = y->extent[1], of_group = outs / groups, each = channels / groups;
	int64_t in_plane = cpu_plane(s.in, s.rank), out_plane = cpu_plane(s.out, s.rank);
	int64_t taps = cpu_plane(s.window, s.rank), from, to, size = (int64_t)y->size;
	char *scratch = cpu_scratch(w, worker);
	cpu_range(w, task, &from, &to);
	if (w->step->epi.nload > 0)
		cpu_prog_begin(w, &w->step->epi, scratch);
	for (int64_t unit = from; unit < to; unit++) {
		int64_t image = unit / outs, o = unit % outs;
		any_conv((adze_dtype)w->step->view[0].dtype, y->at + unit * out_plane * size,
			 x->at + (image * channels + o / of_group * each) * in_plane * size,
			 k->at + o * each * taps * size, each, &s);
		cpu_run_epilogue(w, scratch, unit * out_plane, out_plane);
	}
}

void cpu_run_conv(struct cpu_work *w)
{
	const struct cpu_box *y = &w->box[0], *x = &w->box[1];
	struct any_window any = conv_window(w->step, w->box);
	int64_t each = cpu_plane(any.out, any.rank) * cpu_plane(any.window, any.rank) *
		       w->box[2].extent[1];
	if (y->count == 0)
		return;
	struct window2d s = cpu_flat_window(&any, x->extent[1], y->extent[1],
					    w->step->param[3 * any.rank]);
	if (!has_kernel(w->bound, &s)) {
		cpu_run_tasks(w, any_conv_task, y->extent[0] * y->extent[1],
			      TASK_PRODUCTS / (each + 1) + 1);
		return;
	}
	cut_conv(w, &s);
	each = each * y->extent[0] * y->extent[1] / w->units;
	cpu_run_tasks(w, conv_task, w->units, TASK_PRODUCTS / (each + 1) + 1);
}

size_t cpu_conv_scratch(const struct cpu_step *step, const struct cpu_bound *b,
			const struct cpu_box *box)
{
	struct any_window any = conv_window(step, box);
	struct window2d s = cpu_flat_window(&any, box[1].extent[1], box[0].extent[1],
					    step->param[3 * any.rank]);
	if (box[0].count == 0 || !has_kernel(b, &s))
		return 0;
	struct conv_part p = first_part(&s);
	return conv_work(&s, &p) + 64;
}
