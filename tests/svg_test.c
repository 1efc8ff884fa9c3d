/* SPDX-License-Identifier: Apache-2.0
 *
 * Drawings: what is escaped, where values lie, and that ticks are where they should be.
 */
#include "tests/check.h"

#include <math.h>
#include <string.h>

#include "src/svg.h"

static int count(const char *text, const char *what)
{
	int n = 0;
	for (const char *p = text; (p = strstr(p, what)) != NULL; p++)
		n++;
	return n;
}

TEST(svg, text_is_escaped)
{
	struct svg s;
	svg_begin(&s, &mem_libc, 10, 10, "a < b & \"c\"");
	svg_open(&s, "tip > 'x'");
	svg_text(&s, "label", 1, 2, "%s", "\x01 \xff \xc3\xa9 \xe2\x82 <g>");
	svg_close(&s);
	CHECK(svg_end(&s));
	CHECK(strstr(s.out.at, "<title>a &#60; b &#38; &#34;c&#34;</title>") != NULL);
	CHECK(strstr(s.out.at, "<title>tip &#62; &#39;x&#39;</title>") != NULL);
	CHECK(strstr(s.out.at, "? ? \xc3\xa9 ?? &#60;g&#62;") != NULL);
	CHECK(count(s.out.at, "<g>") == 1 && count(s.out.at, "</g>") == 1);
	text_fini(&s.out);
}

TEST(svg, values_on_axes)
{
	struct svg_axis a = {3, 870, 100, 400, true};
	svg_axis_fit(&a);
	CHECK(fabs(a.low - 2) < 1e-9 && fabs(a.high - 1000) < 1e-6);
	CHECK(fabs(svg_at(&a, a.low) - 100) < 1e-6 && fabs(svg_at(&a, a.high) - 400) < 1e-6);
	CHECK(fabs(svg_at(&a, sqrt(a.low * a.high)) - 250) < 1e-6);
	struct svg_axis b = {0, 93, 400, 100, false};
	svg_axis_fit(&b);
	CHECK(b.low == 0 && fabs(b.high - 100) < 1e-9);
	CHECK(fabs(svg_at(&b, 50) - 250) < 1e-6);
	struct svg_axis one = {5, 5, 0, 1, false}, flat = {7, 7, 0, 1, true};
	svg_axis_fit(&one);
	svg_axis_fit(&flat);
	CHECK(one.high > one.low && flat.high > flat.low);
}

TEST(svg, ticks)
{
	struct svg s;
	struct svg_axis a = {1, 100, 0, 100, true}, b = {0, 10, 0, 100, false};
	struct svg_axis wide = {1e-3, 1e6, 0, 100, true};
	svg_begin(&s, &mem_libc, 10, 10, "");
	svg_axis_x(&s, &a, 0, 10, "x");
	CHECK(count(s.out.at, "class=\"grid\"") == 7); /* 1 2 5 10 20 50 100 */
	svg_axis_y(&s, &b, 0, 10, "y");
	CHECK(count(s.out.at, "class=\"grid\"") == 7 + 6); /* 0 2 4 6 8 10 */
	svg_axis_x(&s, &wide, 0, 10, "x");
	CHECK(count(s.out.at, "class=\"grid\"") == 7 + 6 + 10);
	CHECK(svg_end(&s));
	text_fini(&s.out);
}

TEST(svg, numbers_and_cuts)
{
	char text[64];
	CHECK(strcmp(svg_number(0.5, text, sizeof text), "0.5") == 0);
	CHECK(strcmp(svg_number(20000, text, sizeof text), "20k") == 0);
	CHECK(strcmp(svg_number(1.5e6, text, sizeof text), "1.5M") == 0);
	CHECK(strcmp(svg_number(999.7, text, sizeof text), "1k") == 0);
	CHECK(strcmp(svg_cut("short", 12, 100, text, sizeof text), "short") == 0);
	svg_cut("a text that is too long by far", 12, 60, text, sizeof text);
	CHECK(svg_text_width(text, 12) <= 60 && strstr(text, "\xe2\x80\xa6") != NULL);
	svg_cut("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 12, 30, text, sizeof text);
	CHECK(strcmp(text, "\xc3\xa9\xe2\x80\xa6") == 0);
	char tiny[8];
	svg_cut("abcdefghij", 12, 1000, tiny, sizeof tiny);
	CHECK(strcmp(tiny, "abcd\xe2\x80\xa6") == 0);
}

TEST(svg, room)
{
	struct svg_room r = {.n = 0};
	svg_take(&r, 10, 10, 20, 20);
	CHECK(!svg_is_free(&r, 15, 15, 25, 25));
	CHECK(svg_is_free(&r, 20, 10, 30, 20));
	for (int i = 0; i < 2 * SVG_MOST_TAKEN; i++)
		svg_take(&r, 100 + i, 0, 101 + i, 1);
	CHECK(r.n == SVG_MOST_TAKEN);
}

TEST(svg, no_memory)
{
	struct check_memory m = {.fail_after = 0};
	adze_allocator a = {check_resize, &m};
	struct svg s;
	svg_begin(&s, &a, 10, 10, "t");
	svg_dot(&s, "fill0", 1, 1, 1);
	CHECK(!svg_end(&s));
	text_fini(&s.out);
	CHECK(m.live_blocks == 0);
}
