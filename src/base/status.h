/* SPDX-License-Identifier: Apache-2.0
 *
 * Failures: a status for the program, words for the person. The words live in the
 * `struct diag` of the object at hand; the first failure wins until diag_clear().
 */
#ifndef ADZE_STATUS_H
#define ADZE_STATUS_H

#include "base/types.h"

#define DIAG_BYTES 1024

struct diag {
	adze_status status;
	char text[DIAG_BYTES];
};

#if defined(__GNUC__)
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))
#else
#define PRINTF_LIKE(at, first)
#endif

/** Records a failure, unless one is recorded, and returns `status`. `d` may be NULL. */
adze_status fail(struct diag *d, adze_status status, const char *format, ...) PRINTF_LIKE(3, 4);

void diag_clear(struct diag *d);

/** The status' name, such as "E_TYPE", and its text. Never NULL. */
const char *status_name(adze_status status);
const char *status_text(adze_status status);

#define TRY(call)                             \
	do {                                  \
		adze_status try_ = (call);    \
		if (try_ != ADZE_OK)          \
			return try_;          \
	} while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

#endif
