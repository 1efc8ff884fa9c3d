/* SPDX-License-Identifier: Apache-2.0
 *
 * Drawings as SVG.
 */
#include "svg.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Okabe and Ito's colours, darker where they would be pale on white. */
static const char *const colour[SVG_COLOURS] = {
	"#2b6cb0", "#d1701c", "#1f8a63", "#b83a4b", "#7d5ba6", "#2596a8", "#a58a1d", "#7a828c"};

static const char style[] =
	"text{font-family:'Segoe UI',Roboto,'Helvetica Neue',Arial,'DejaVu Sans',sans-serif;"
	"font-size:12px;fill:#22272e}"
	".title{font-size:20px;font-weight:600}.head{font-size:13px;font-weight:600}"
	".note{font-size:11px;fill:#667079}.end{text-anchor:end}.middle{text-anchor:middle}"
	".axis{stroke:#667079;stroke-width:1}.grid{stroke:#e7eaee;stroke-width:1}"
	".frame{fill:none;stroke:#c9ced6;stroke-width:1}.dash{stroke-dasharray:6 4}";

/* Text with what has a meaning in XML escaped. */
static void escape(struct svg *s, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
		size_t n = *p < 0x80 ? 1 : *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : *p >= 0xc2 ? 2 : 0;
		for (size_t i = 1; i < n; i++)
			n = (p[i] & 0xc0) == 0x80 ? n : 0;
		if (*p < 0x20 || *p == 0x7f || *p >= 0xf5 || n == 0) {
			text_add(&s->out, "?");
		} else if (*p == '<' || *p == '>' || *p == '&' || *p == '"' || *p == '\'') {
			text_add(&s->out, "&#%d;", *p);
		} else {
			text_bytes(&s->out, p, n);
			p += n - 1;
		}
	}
}

void svg_begin(struct svg *s, const adze_allocator *from, double width, double height,
	       const char *title)
{
	text_init(&s->out, from);
	text_add(&s->out,
		 "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%g\" height=\"%g\" "
		 "viewBox=\"0 0 %g %g\" role=\"img\">\n<title>",
		 width, height, width, height);
	escape(s, title);
	text_add(&s->out, "</title>\n<style>%s", style);
	for (int i = 0; i < SVG_COLOURS; i++)
		text_add(&s->out,
			 ".fill%d{fill:%s}.tint%d{fill:%s;fill-opacity:.18}"
			 ".line%d{stroke:%s;stroke-width:2;fill:none}",
			 i, colour[i], i, colour[i], i, colour[i]);
	text_add(&s->out, "</style>\n<rect width=\"%g\" height=\"%g\" fill=\"#fff\"/>\n", width,
		 height);
}

bool svg_end(struct svg *s)
{
	text_add(&s->out, "</svg>\n");
	return !s->out.failed;
}

void svg_open(struct svg *s, const char *tip)
{
	text_add(&s->out, "<g><title>");
	escape(s, tip);
	text_add(&s->out, "</title>\n");
}

void svg_close(struct svg *s)
{
	text_add(&s->out, "</g>\n");
}

void svg_line(struct svg *s, const char *class, double x1, double y1, double x2, double y2)
{
	text_add(&s->out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
		 class, x1, y1, x2, y2);
}

void svg_box(struct svg *s, const char *class, double x, double y, double width, double height)
{
	text_add(&s->out,
		 "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
		 class, x, y, width, height);
}

void svg_dot(struct svg *s, const char *class, double x, double y, double radius)
{
	text_add(&s->out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"/>\n", class, x,
		 y, radius);
}

static void add_text(struct svg *s, const char *format, va_list list)
{
	char text[512];
	vsnprintf(text, sizeof text, format, list);
	escape(s, text);
	text_add(&s->out, "</text>\n");
}

void svg_text(struct svg *s, const char *class, double x, double y, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	text_add(&s->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\">", class, x, y);
	add_text(s, format, list);
	va_end(list);
}

void svg_turned(struct svg *s, const char *class, double x, double y, double degrees,
		const char *format, ...)
{
	va_list list;
	va_start(list, format);
	text_add(&s->out,
		 "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" transform=\"rotate(%.1f %.1f %.1f)\">",
		 class, x, y, degrees, x, y);
	add_text(s, format, list);
	va_end(list);
}

/* Of DejaVu Sans, the widest of the usual ones; thousandths of the size. */
static int advance(unsigned char c)
{
	if ((c & 0xc0) == 0x80)
		return 0; /* inside a sequence */
	if (strchr("ijl|!'.,:;", c) != NULL)
		return 320;
	if (strchr("frt()[]/\\- I", c) != NULL)
		return 400;
	if (strchr("mwMW@%", c) != NULL)
		return 960;
	return c >= 'A' && c <= 'Z' ? 720 : c >= 0x80 ? 900 : 640;
}

double svg_text_width(const char *text, double size)
{
	int sum = 0;
	for (; *text != '\0'; text++)
		sum += advance((unsigned char)*text);
	return sum * size / 1000;
}

char *svg_cut(const char *text, double size, double width, char *out, size_t cap)
{
	static const char dots[] = "\xe2\x80\xa6";
	snprintf(out, cap, "%s", text);
	if (strlen(out) == strlen(text) && svg_text_width(text, size) <= width)
		return out;
	size_t n = strlen(out) + sizeof dots < cap ? strlen(out) : cap - sizeof dots;
	for (;; n--) {
		/* Not inside a character. */
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
		memcpy(out + n, dots, sizeof dots);
		if (n == 0 || svg_text_width(out, size) <= width)
			return out;
	}
}

/* ---- axes ---- */

double svg_at(const struct svg_axis *a, double value)
{
	double share = a->log ? log(value / a->low) / log(a->high / a->low)
			      : (value - a->low) / (a->high - a->low);
	return a->from + share * (a->to - a->from);
}

/* 1, 2 or 5 times a power of ten: the largest not above v, or the smallest not below. */
static double round_value(double v, bool up)
{
	double power = pow(10, floor(log10(v)));
	static const double step[] = {1, 2, 5, 10};
	for (int i = 0; i < 3; i++)
		if (v <= step[i] * power * (1 + 1e-9))
			return step[i] * power * (1 - 1e-9) <= v || up || i == 0
				       ? step[i] * power
				       : step[i - 1] * power;
	return (up ? 10 : 5) * power;
}

static double tick_step(const struct svg_axis *a)
{
	return round_value((a->high - a->low) / 7, true);
}

void svg_axis_fit(struct svg_axis *a)
{
	if (a->log) {
		a->low = round_value(a->low, false);
		a->high = round_value(a->high, true);
		if (a->high / a->low < 9.99)
			a->high = a->low * 10;
		return;
	}
	if (!(a->high > a->low))
		a->high = a->low + 1;
	double step = tick_step(a);
	a->low = floor(a->low / step + 1e-9) * step;
	a->high = ceil(a->high / step - 1e-9) * step;
}

char *svg_number(double v, char *out, size_t cap)
{
	double most = fabs(v);
	const char *unit = most >= 999.5e6 ? "G" : most >= 999.5e3 ? "M" : most >= 999.5 ? "k" : "";
	double by = *unit == 'G' ? 1e9 : *unit == 'M' ? 1e6 : *unit == 'k' ? 1e3 : 1;
	snprintf(out, cap, "%.3g%s", v / by, unit);
	return out;
}

/* The tick after `v`; of a logarithmic axis those at 1, 2 and 5, or at 1 where they are many. */
static double next_tick(const struct svg_axis *a, double v)
{
	if (!a->log)
		return v + tick_step(a);
	if (log10(a->high / a->low) > 4)
		return pow(10, floor(log10(v) + 1e-9) + 1);
	return round_value(v * 1.5, true);
}

static double first_tick(const struct svg_axis *a)
{
	if (!a->log)
		return ceil(a->low / tick_step(a) - 1e-9) * tick_step(a);
	return log10(a->high / a->low) > 4 ? pow(10, ceil(log10(a->low) - 1e-9)) : a->low;
}

static bool is_inside(const struct svg_axis *a, double v)
{
	return a->log ? v <= a->high * (1 + 1e-9) : v <= a->high + tick_step(a) * 1e-6;
}

void svg_axis_x(struct svg *s, const struct svg_axis *a, double top, double bottom,
		const char *label)
{
	char number[32];
	for (double v = first_tick(a); is_inside(a, v); v = next_tick(a, v)) {
		double x = svg_at(a, v);
		svg_line(s, "grid", x, top, x, bottom);
		svg_line(s, "axis", x, bottom, x, bottom + 4);
		svg_text(s, "note middle", x, bottom + 17, "%s",
			 svg_number(fabs(v) < 1e-12 ? 0 : v, number, sizeof number));
	}
	svg_line(s, "axis", a->from, bottom, a->to, bottom);
	svg_text(s, "label middle", (a->from + a->to) / 2, bottom + 38, "%s", label);
}

void svg_axis_y(struct svg *s, const struct svg_axis *a, double left, double right,
		const char *label)
{
	char number[32];
	for (double v = first_tick(a); is_inside(a, v); v = next_tick(a, v)) {
		double y = svg_at(a, v);
		svg_line(s, "grid", left, y, right, y);
		svg_line(s, "axis", left - 4, y, left, y);
		svg_text(s, "note end", left - 8, y + 4, "%s",
			 svg_number(fabs(v) < 1e-12 ? 0 : v, number, sizeof number));
	}
	svg_line(s, "axis", left, a->from, left, a->to);
	svg_turned(s, "label middle", left - 48, (a->from + a->to) / 2, -90, "%s", label);
}

/* ---- room ---- */

void svg_take(struct svg_room *r, double left, double top, double right, double bottom)
{
	if (r->n < SVG_MOST_TAKEN)
		r->at[r->n++] = (struct svg_taken){left, top, right, bottom};
}

bool svg_is_free(const struct svg_room *r, double left, double top, double right, double bottom)
{
	for (int i = 0; i < r->n; i++)
		if (left < r->at[i].right && right > r->at[i].left && top < r->at[i].bottom &&
		    bottom > r->at[i].top)
			return false;
	return true;
}
