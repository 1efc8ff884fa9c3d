/* SPDX-License-Identifier: Apache-2.0
 *
 * Small grey images for `adze demo`: read from IDX files, drawn with characters.
 */
#ifndef ADZE_CMD_IMAGES_H
#define ADZE_CMD_IMAGES_H

#include "base/text.h"

/** `count` images of rows x columns bytes, and their classes. */
struct images {
	size_t count, rows, columns;
	const unsigned char *pixel, *label;
	void *owned_pixel, *owned_label; /* NULL: borrowed */
};

/**
 * PREFIX-images-idx3-ubyte.gz and PREFIX-labels-idx1-ubyte.gz, as Fashion-MNIST comes
 * (github.com/zalandoresearch/fashion-mnist). E_NOTFOUND, E_FORMAT, E_IO, E_LIMIT; and
 * E_UNSUPPORTED where the build has no zlib. images_free() in any case.
 */
adze_status images_read(const char *prefix, struct diag *d, struct images *out);
void images_free(struct images *m);

/** Bytes of a line of words below a picture. */
#define IMAGES_CAPTION 32
/**
 * Prints `n` pictures beside each other: a pixel is `wide` characters wide, `low` rows of
 * pixels make one line, `most` is a full pixel. Below stand `captions` lines of words,
 * caption[line * n + picture].
 */
void images_draw(const struct images *m, const size_t *index, size_t n, int wide, int low,
		 unsigned most, char (*caption)[IMAGES_CAPTION], int captions);

#endif
