/* SPDX-License-Identifier: Apache-2.0
 *
 * The roofline of a profile: operations a second over operations a byte, both logarithmic. No dot
 * can be above the lines of what the machine does at most (S. Williams, A. Waterman and D.
 * Patterson, Roofline: an insightful visual performance model, CACM 52(4), 2009), but for steps
 * whose operands lie in a cache.
 */
#include "config.h"

#include "cmd_profile.h"

#include <math.h>
#include <string.h>

#include "svg.h"

#define WIDTH 960.0
#define LEFT 84.0
#define RIGHT (WIDTH - 36)
#define TOP 92.0
#define BOTTOM 470.0
#define TABLE_TOP (BOTTOM + 78)
#define ROW 24.0
#define MOST_ROWS 10
#define BAR 84.0

/* Steps of a kind have a colour. */
static const struct {
	const char *name; /* what the step's name begins with */
	int colour;
} kind[] = {
	{"gemm", 0},   {"attend", 1}, {"conv", 4},    {"softmax", 2}, {"layer_norm", 2},
	{"rms_norm", 2}, {"reduce", 2}, {"columns", 2}, {"arg", 2},   {"ew", 5},
};
static const struct {
	const char *name;
	int colour;
} legend[] = {
	{"products", 0}, {"attention", 1}, {"convolutions", 4},
	{"rows and sums", 2}, {"elements", 5}, {"moves and others", 7},
};

struct drawing {
	const struct profile_view *v;
	struct svg s;
	struct svg_axis x, y; /* operations a byte, and 1e9 a second */
	struct svg_room room;
};

static int colour_of(const adze_profile_step *s)
{
	for (size_t i = 0; i < COUNT_OF(kind); i++)
		if (strncmp(s->name, kind[i].name, strlen(kind[i].name)) == 0)
			return kind[i].colour;
	return 7;
}

static double bytes_of(const adze_cost *c)
{
	return c->read + c->written;
}

static double work_of(const adze_cost *c)
{
	return c->flops + c->ops;
}

/* Those without operations or bytes have no place; the table has them. */
static bool has_place(const struct profile_row *r)
{
	return r->ns > 0 && bytes_of(&r->step.cost) > 0 && work_of(&r->step.cost) > 0;
}

static double intensity(const struct profile_row *r)
{
	return work_of(&r->step.cost) / bytes_of(&r->step.cost);
}

static double speed(const struct profile_row *r)
{
	return work_of(&r->step.cost) / (double)r->ns;
}

static double radius(const struct drawing *d, const struct profile_row *r)
{
	return 4 + 22 * sqrt((double)r->ns / ((double)d->v->steps_ns + 1));
}

/* What memory gives in bytes a nanosecond, and arithmetic in operations; 0: not known. */
static double memory_of(const struct profile_view *v)
{
	return v->top.read * 1e-9;
}

static bool uses_bytes(const struct profile_view *v)
{
	for (size_t i = 0; i < v->nrow; i++)
		if (strncmp(v->row[i].step.name, "gemm", 4) == 0 && v->row[i].step.cost.ops > 0)
			return true;
	return false;
}

static double most(double a, double b)
{
	return a > b ? a : b;
}

static void find_axes(struct drawing *d)
{
	const struct profile_view *v = d->v;
	double low_x = 1e9, high_x = 0, low_y = 1e9, high_y = 0;
	for (size_t i = 0; i < v->nrow; i++) {
		const struct profile_row *r = &v->row[i];
		if (!has_place(r))
			continue;
		low_x = fmin(low_x, intensity(r));
		high_x = most(high_x, intensity(r));
		low_y = fmin(low_y, speed(r));
		high_y = most(high_y, speed(r));
	}
	if (high_x == 0)
		low_x = high_x = low_y = high_y = 1;
	if (memory_of(v) > 0 && v->ceilings.fma > 0) /* where the roof bends is to be seen */
		high_x = most(high_x, 1.5 * v->ceilings.fma / memory_of(v));
	high_y = most(high_y, uses_bytes(v) ? v->ceilings.dot : v->ceilings.fma);
	d->x = (struct svg_axis){low_x / 1.6, most(high_x * 1.6, low_x * 20), LEFT, RIGHT, true};
	d->y = (struct svg_axis){low_y / 2, high_y * 1.5, BOTTOM, TOP, true};
	svg_axis_fit(&d->x);
	svg_axis_fit(&d->y);
}

/* ---- ceilings ---- */

/* The line of `rate` bytes a nanosecond up to `roof`, with its words along it. */
static void draw_slope(struct drawing *d, double rate, double roof, const char *class,
		       const char *format)
{
	double from = most(d->x.low, d->y.low / rate), to = fmin(d->x.high, roof / rate);
	if (rate <= 0 || roof <= 0 || from >= to)
		return;
	double x1 = svg_at(&d->x, from), y1 = svg_at(&d->y, from * rate);
	double x2 = svg_at(&d->x, to), y2 = svg_at(&d->y, to * rate);
	char words[64];
	svg_line(&d->s, class, x1, y1, x2, y2);
	snprintf(words, sizeof words, format, rate);
	double length = hypot(x2 - x1, y2 - y1), wide = svg_text_width(words, 11);
	if (length < wide + 40)
		return;
	/* A fifth along, above the line. */
	double x = x1 + 0.2 * (x2 - x1), y = y1 + 0.2 * (y2 - y1);
	double up = 6 / length;
	svg_turned(&d->s, "note", x + (y2 - y1) * up, y - (x2 - x1) * up,
		   atan2(y2 - y1, x2 - x1) * 57.29578, "%s", words);
	for (double t = 0; t <= 1; t += 0.125) {
		double at = t * wide / length;
		double px = x + at * (x2 - x1), py = y + at * (y2 - y1);
		svg_take(&d->room, px - 6, py - 16, px + 6, py + 2);
	}
}

/* A level of operations a nanosecond, from the memory line on. */
static void draw_level(struct drawing *d, double level, double memory, const char *class,
		       const char *format)
{
	if (level <= 0 || level > d->y.high || level < d->y.low)
		return;
	double from = memory > 0 ? most(level / memory, d->x.low) : d->x.low;
	double y = svg_at(&d->y, level);
	char words[64];
	if (from >= d->x.high)
		return;
	svg_line(&d->s, class, svg_at(&d->x, from), y, RIGHT, y);
	snprintf(words, sizeof words, format, level);
	/* As far to the right as no dot is in the way. */
	double wide = svg_text_width(words, 11), right = RIGHT - 6;
	while (right - wide > svg_at(&d->x, from) + 10 &&
	       !svg_is_free(&d->room, right - wide, y - 18, right, y - 4))
		right -= 10;
	svg_text(&d->s, "note end", right, y - 6, "%s", words);
	svg_take(&d->room, right - wide - 4, y - 18, right + 4, y + 2);
}

static void draw_ceilings(struct drawing *d)
{
	const struct ceilings *c = &d->v->ceilings;
	double memory = memory_of(d->v);
	bool bytes = uses_bytes(d->v);
	draw_slope(d, c->l2, bytes ? c->dot : c->fma, "line7 dash", "L2 cache %.0f GB/s");
	draw_slope(d, memory, bytes ? c->dot : c->fma, "line3", "memory %.1f GB/s");
	draw_level(d, c->fma, c->l2 > 0 ? c->l2 : memory, "line3",
		   "f32 multiply-adds %.0f GFLOP/s");
	if (bytes)
		draw_level(d, c->dot, c->l2 > 0 ? c->l2 : memory, "line3",
			   "int8 products %.0f Gop/s");
}

/* ---- dots ---- */

/* Whether the middle of a dot lies in another one. */
static bool is_covered(const struct drawing *d, size_t i)
{
	const struct profile_row *r = d->v->row;
	for (size_t k = 0; k < d->v->nrow; k++) {
		if (k == i || !has_place(&r[k]))
			continue;
		double x = svg_at(&d->x, intensity(&r[k])) - svg_at(&d->x, intensity(&r[i]));
		double y = svg_at(&d->y, speed(&r[k])) - svg_at(&d->y, speed(&r[i]));
		if (hypot(x, y) < radius(d, &r[k]) + 8)
			return true;
	}
	return false;
}

/* A number beside its dot, where there is room; a line leads there if it is far. */
static void draw_number(struct drawing *d, double x, double y, double r, size_t number)
{
	char text[16];
	snprintf(text, sizeof text, "%zu", number);
	double wide = svg_text_width(text, 13) + 2;
	if (r >= 11 && !is_covered(d, number - 1)) {
		svg_text(&d->s, "head middle", x, y + 4.5, "%s", text);
		return;
	}
	for (double far = r + 9; far < 90; far += 6)
		for (int k = 0; k < 16; k++) {
			double turn = k * 0.3926991 - 0.7853982;
			double cx = x + far * cos(turn), cy = y + far * sin(turn);
			if (cx - wide / 2 < LEFT || cx + wide / 2 > RIGHT || cy - 8 < TOP ||
			    cy + 8 > BOTTOM ||
			    !svg_is_free(&d->room, cx - wide / 2, cy - 8, cx + wide / 2, cy + 8))
				continue;
			if (far > r + 10)
				svg_line(&d->s, "axis", x + r * cos(turn), y + r * sin(turn),
					 x + (far - 8) * cos(turn), y + (far - 8) * sin(turn));
			svg_text(&d->s, "head middle", cx, cy + 4.5, "%s", text);
			svg_take(&d->room, cx - wide / 2, cy - 8, cx + wide / 2, cy + 8);
			return;
		}
}

static void tip_of(const struct profile_view *v, const struct profile_row *r, char *out, size_t cap)
{
	double ns = r->ns > 0 ? (double)r->ns : 1;
	snprintf(out, cap,
		 "%.60s: %.100s %.40s\n%.140s\n%.1f us a call, %.1f %% of the time\n%.2f GFLOP/s, "
		 "%.2f GB/s, %.2f operations a byte\n%.0f %% of the ceiling of %s",
		 r->step.name, r->step.what, r->step.value, r->step.shapes,
		 ns * 1e-3 / (double)(v->calls > 0 ? v->calls : 1),
		 100 * ns / ((double)v->calls_ns + 1), work_of(&r->step.cost) / ns,
		 bytes_of(&r->step.cost) / ns,
		 work_of(&r->step.cost) / (bytes_of(&r->step.cost) + 1e-9), 100 * r->share,
		 strcmp(r->bound, "cache") == 0 ? "memory" : r->bound);
}

static void take_dots(struct drawing *d)
{
	for (size_t i = 0; i < d->v->nrow; i++) {
		const struct profile_row *r = &d->v->row[i];
		if (!has_place(r))
			continue;
		double x = svg_at(&d->x, intensity(r)), y = svg_at(&d->y, speed(r));
		double size = radius(d, r);
		svg_take(&d->room, x - size, y - size, x + size, y + size);
	}
}

static void draw_dots(struct drawing *d)
{
	const struct profile_view *v = d->v;
	for (size_t i = 0; i < v->nrow; i++) {
		const struct profile_row *r = &v->row[i];
		double x = has_place(r) ? svg_at(&d->x, intensity(r)) : 0;
		double y = has_place(r) ? svg_at(&d->y, speed(r)) : 0, size = radius(d, r);
		char class[16], tip[640];
		if (!has_place(r))
			continue;
		tip_of(v, r, tip, sizeof tip);
		svg_open(&d->s, tip);
		snprintf(class, sizeof class, "tint%d", colour_of(&r->step));
		svg_dot(&d->s, class, x, y, size);
		snprintf(class, sizeof class, "line%d", colour_of(&r->step));
		svg_dot(&d->s, class, x, y, size);
		svg_close(&d->s);
	}
	/* Above all dots, so that none hides one. */
	for (size_t i = 0; i < v->nrow && i < MOST_ROWS; i++)
		if (has_place(&v->row[i]))
			draw_number(d, svg_at(&d->x, intensity(&v->row[i])),
				    svg_at(&d->y, speed(&v->row[i])), radius(d, &v->row[i]), i + 1);
}

/* ---- words ---- */

static void draw_head(struct drawing *d)
{
	const struct profile_view *v = d->v;
	char title[128], words[256];
	svg_text(&d->s, "title", LEFT - 48, 36, "%s",
		 svg_cut(v->graph, 20, WIDTH - 80, title, sizeof title));
	snprintf(words, sizeof words, "%.200s; %zu call%s, median %.3f ms", v->device, v->calls,
		 v->calls == 1 ? "" : "s", (double)v->median_ns * 1e-6);
	svg_text(&d->s, "note", LEFT - 48, 56, "%s", words);
	double x = LEFT - 48;
	for (size_t i = 0; i < COUNT_OF(legend); i++) {
		char class[16];
		snprintf(class, sizeof class, "fill%d", legend[i].colour);
		svg_dot(&d->s, class, x + 5, 72, 4.5);
		svg_text(&d->s, "note", x + 14, 76, "%s", legend[i].name);
		x += 14 + svg_text_width(legend[i].name, 11) + 18;
	}
}

/* Columns of the table. */
enum { AT_NUMBER = 48, AT_NAME = 84, AT_WHAT = 200, AT_TIME = 560, AT_MEMORY = 640, AT_SPEED = 720,
       AT_BAR = 744, AT_SHARE = 924 };

static void draw_table_row(struct drawing *d, const struct profile_row *r, size_t i, double y)
{
	const adze_profile_step *s = &r->step;
	double ns = r->ns > 0 ? (double)r->ns : 1, share = r->share < 1 ? r->share : 1;
	char class[16], text[256], what[256], tip[640];
	snprintf(class, sizeof class, "fill%d", colour_of(s));
	tip_of(d->v, r, tip, sizeof tip);
	svg_open(&d->s, tip);
	svg_line(&d->s, "grid", 36, y + 8, RIGHT, y + 8);
	svg_dot(&d->s, class, AT_NUMBER - 6, y - 4, 4.5);
	svg_text(&d->s, "head", AT_NUMBER + 6, y, "%zu", i + 1);
	svg_text(&d->s, "", AT_NAME, y, "%s",
		 svg_cut(s->name, 12, AT_WHAT - AT_NAME - 8, text, sizeof text));
	if (r->steps > 1)
		snprintf(what, sizeof what, "%zu x %.80s  %.120s", r->steps, s->what, s->shapes);
	else
		snprintf(what, sizeof what, "%.80s  %.120s", s->what, s->shapes);
	svg_text(&d->s, "note", AT_WHAT, y, "%s",
		 svg_cut(what, 11, AT_TIME - AT_WHAT - 56, text, sizeof text));
	svg_text(&d->s, "end", AT_TIME, y, "%.1f %%", 100 * ns / ((double)d->v->calls_ns + 1));
	svg_text(&d->s, "end", AT_MEMORY, y, "%.1f", bytes_of(&s->cost) / ns);
	if (work_of(&s->cost) > 0)
		svg_text(&d->s, "end", AT_SPEED, y, "%.1f", work_of(&s->cost) / ns);
	snprintf(class, sizeof class, "tint%d", colour_of(s));
	svg_box(&d->s, class, AT_BAR, y - 10, BAR, 12);
	snprintf(class, sizeof class, "fill%d", colour_of(s));
	svg_box(&d->s, class, AT_BAR, y - 10, BAR * share, 12);
	if (r->share > 0)
		svg_text(&d->s, "note end", AT_SHARE, y, "%.0f %% %s", 100 * r->share, r->bound);
	svg_close(&d->s);
}

static void draw_table(struct drawing *d)
{
	double y = TABLE_TOP;
	svg_text(&d->s, "head", AT_NAME, y, "step");
	svg_text(&d->s, "head", AT_WHAT, y, "operations");
	svg_text(&d->s, "head end", AT_TIME, y, "time");
	svg_text(&d->s, "head end", AT_MEMORY, y, "GB/s");
	svg_text(&d->s, "head end", AT_SPEED, y, "GFLOP/s");
	svg_text(&d->s, "head", AT_BAR, y, "share of the ceiling");
	for (size_t i = 0; i < d->v->nrow && i < MOST_ROWS; i++)
		draw_table_row(d, &d->v->row[i], i, y + ROW * (double)(i + 1));
}

bool profile_draw(const struct profile_view *v, struct text *out)
{
	struct drawing d = {.v = v};
	size_t rows = v->nrow < MOST_ROWS ? v->nrow : MOST_ROWS;
	char title[256];
	snprintf(title, sizeof title, "Roofline of %.200s", v->graph);
	svg_begin(&d.s, &mem_libc, WIDTH, TABLE_TOP + ROW * (double)(rows + 1) + 8, title);
	find_axes(&d);
	draw_head(&d);
	svg_axis_x(&d.s, &d.x, TOP, BOTTOM, "operations for each byte of memory");
	svg_axis_y(&d.s, &d.y, LEFT, RIGHT, "operations a second, GFLOP/s");
	take_dots(&d);
	draw_ceilings(&d);
	draw_dots(&d);
	draw_table(&d);
	bool good = svg_end(&d.s);
	*out = d.s.out;
	return good;
}
