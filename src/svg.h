/* SPDX-License-Identifier: Apache-2.0
 *
 * Drawings as SVG: shapes in one style, axes with ticks, and labels that find room. Appends
 * are sticky, as those of struct text; svg_end() tells. Coordinates are pixels from the top left.
 *
 * Everything is drawn with a class, which says how it looks: words divided by blanks of
 *   text     title (20 px), head (13, bold), label (12), note (11, grey), end, middle
 *   shapes   axis, grid, frame, fill0 .. fill7 (solid), tint0 .. tint7 (pale), line0 .. line7
 *            (2 px), dash (with a line)
 * Colours 0 to 7 differ for those who see few colours, too; 7 is grey.
 */
#ifndef ADZE_SVG_H
#define ADZE_SVG_H

#include "base/text.h"

#define SVG_COLOURS 8

struct svg {
	struct text out;
};

/** `title` is for those who hear the drawing. Text is escaped; what is no UTF-8 becomes `?`. */
void svg_begin(struct svg *s, const adze_allocator *from, double width, double height,
	       const char *title);
/** True where out.at has the whole drawing; text_fini(&s->out) in any case. */
bool svg_end(struct svg *s);

/** What is drawn until svg_close() shows `tip` when pointed at. */
void svg_open(struct svg *s, const char *tip);
void svg_close(struct svg *s);
void svg_line(struct svg *s, const char *class, double x1, double y1, double x2, double y2);
void svg_box(struct svg *s, const char *class, double x, double y, double width, double height);
void svg_dot(struct svg *s, const char *class, double x, double y, double radius);
/** Begins at x, or ends or has its middle there by its class; y is its base line. */
void svg_text(struct svg *s, const char *class, double x, double y, const char *format, ...)
	PRINTF_LIKE(5, 6);
/** The same, turned by `degrees` clockwise around (x, y). */
void svg_turned(struct svg *s, const char *class, double x, double y, double degrees,
		const char *format, ...) PRINTF_LIKE(6, 7);

/** What text of a size takes at most in any usual sans-serif. */
double svg_text_width(const char *text, double size);
/** `text` cut, with an ellipsis, to `width`. Returns `out`. */
char *svg_cut(const char *text, double size, double width, char *out, size_t cap);

/** Values low .. high lie at pixels from .. to. */
struct svg_axis {
	double low, high, from, to;
	bool log;
};
double svg_at(const struct svg_axis *a, double value);
/** Widens low .. high to ends that read well: 1, 2 or 5 times a power of ten. */
void svg_axis_fit(struct svg_axis *a);
/** Ticks with their numbers and lines through the field, whose other sides these are. */
void svg_axis_x(struct svg *s, const struct svg_axis *a, double top, double bottom,
		const char *label);
void svg_axis_y(struct svg *s, const struct svg_axis *a, double left, double right,
		const char *label);
/** "0.5", "20", "1.5k", "3M". Returns `out`. */
char *svg_number(double v, char *out, size_t cap);

/** Room that labels and shapes have taken. */
#define SVG_MOST_TAKEN 256
struct svg_room {
	struct svg_taken {
		double left, top, right, bottom;
	} at[SVG_MOST_TAKEN];
	int n;
};
void svg_take(struct svg_room *r, double left, double top, double right, double bottom);
bool svg_is_free(const struct svg_room *r, double left, double top, double right, double bottom);

#endif
