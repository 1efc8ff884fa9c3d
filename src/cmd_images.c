/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "cmd_images.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#if HAVE_ZLIB
#include <zlib.h>

/* Images of 28x28: ten times what is there. */
#define COUNT_LIMIT 600000

static unsigned big_endian(const unsigned char *b)
{
	return (unsigned)b[0] << 24 | (unsigned)b[1] << 16 | (unsigned)b[2] << 8 | b[3];
}

/* An IDX file of unsigned bytes: 0, 0, 8, rank; extents; elements. */
static adze_status read_idx(const char *path, int rank, size_t *extent, void **out,
			    struct diag *d)
{
	unsigned char head[16];
	size_t n = 4 + 4 * (size_t)rank, bytes = 1;
	errno = 0;
	gzFile f = gzopen(path, "rb");
	*out = NULL;
	if (f == NULL)
		return file_fail(d, errno != 0 ? errno : ENOMEM, "be read", path);
	adze_status status = ADZE_OK;
	if (gzread(f, head, (unsigned)n) != (int)n || head[0] != 0 || head[1] != 0 ||
	    head[2] != 8 || head[3] != rank)
		status = fail(d, ADZE_E_FORMAT, "%s: is no IDX file of %d-axis bytes", path, rank);
	for (int i = 0; i < rank && status == ADZE_OK; i++) {
		extent[i] = big_endian(head + 4 + 4 * i);
		if (extent[i] > (i == 0 ? COUNT_LIMIT : 28u))
			status = fail(d, ADZE_E_LIMIT, "%s: has too many images, or too large",
				      path);
		bytes *= extent[i];
	}
	if (status == ADZE_OK && (*out = malloc(bytes + 1)) == NULL)
		status = fail(d, ADZE_E_NOMEM, "%s: no memory for it", path);
	/* One byte more is asked for, so that a longer file is noticed. */
	if (status == ADZE_OK && gzread(f, *out, (unsigned)bytes + 1) != (int)bytes)
		status = fail(d, ADZE_E_FORMAT, "%s: is shorter or longer than it says", path);
	gzclose(f);
	return status;
}

adze_status images_read(const char *prefix, struct diag *d, struct images *out)
{
	char path[4096];
	size_t extent[3] = {0}, labels[1] = {0};
	memset(out, 0, sizeof *out);
	snprintf(path, sizeof path, "%s-images-idx3-ubyte.gz", prefix);
	TRY(read_idx(path, 3, extent, &out->owned_pixel, d));
	snprintf(path, sizeof path, "%s-labels-idx1-ubyte.gz", prefix);
	TRY(read_idx(path, 1, labels, &out->owned_label, d));
	if (labels[0] != extent[0])
		return fail(d, ADZE_E_FORMAT, "%s: has %zu labels for %zu images", path, labels[0],
			    extent[0]);
	*out = (struct images){extent[0],          extent[1],        extent[2],
			       out->owned_pixel,   out->owned_label, out->owned_pixel,
			       out->owned_label};
	return ADZE_OK;
}

#else

adze_status images_read(const char *prefix, struct diag *d, struct images *out)
{
	memset(out, 0, sizeof *out);
	return fail(d, ADZE_E_UNSUPPORTED,
		    "%s-images-idx3-ubyte.gz: this build has no zlib to read it with", prefix);
}

#endif

void images_free(struct images *m)
{
	free(m->owned_pixel);
	free(m->owned_label);
	memset(m, 0, sizeof *m);
}

static bool speaks_utf8(void)
{
	setlocale(LC_CTYPE, "");
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	setlocale(LC_CTYPE, "C");
	return utf8;
}

static void draw_line(const struct images *m, const unsigned char *pixel, size_t row, int wide,
		      int low, unsigned most, bool utf8)
{
	static const char *const block[] = {" ", "\u2591", "\u2592", "\u2593", "\u2588"};
	static const char *const ascii[] = {" ", ".", ":", "o", "#"};
	for (size_t x = 0; x < m->columns; x++) {
		unsigned sum = 0;
		for (int k = 0; k < low; k++)
			sum += pixel[(row + (size_t)k) * m->columns + x];
		unsigned shade = (sum * 4 + most * (unsigned)low / 2) / (most * (unsigned)low);
		shade = shade > 4 ? 4 : shade;
		for (int k = 0; k < wide; k++)
			fputs(utf8 ? block[shade] : ascii[shade], stdout);
	}
}

void images_draw(const struct images *m, const size_t *index, size_t n, int wide, int low,
		 unsigned most, char (*caption)[IMAGES_CAPTION], int captions)
{
	bool utf8 = speaks_utf8();
	int width = (int)m->columns * wide;
	for (size_t row = 0; row + (size_t)low <= m->rows; row += (size_t)low) {
		for (size_t i = 0; i < n; i++) {
			fputs("  ", stdout);
			draw_line(m, m->pixel + index[i] * m->rows * m->columns, row, wide, low,
				  most, utf8);
		}
		putchar('\n');
	}
	for (int line = 0; line < captions; line++) {
		for (size_t i = 0; i < n; i++)
			printf("  %-*s", i + 1 < n ? width : 0, caption[(size_t)line * n + i]);
		putchar('\n');
	}
}
