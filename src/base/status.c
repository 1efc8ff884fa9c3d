/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	int code;
	const char *name, *text;
} row[] = {
#define STATUS(name, code, text) {code, #name, text},
#include "base/status.def"
};

adze_status fail(struct diag *d, adze_status status, const char *format, ...)
{
	if (d != NULL && d->status == ADZE_OK) {
		va_list args;
		va_start(args, format);
		vsnprintf(d->text, sizeof d->text, format, args);
		va_end(args);
		d->status = status;
	}
	return status;
}

void diag_clear(struct diag *d)
{
	d->status = ADZE_OK;
	d->text[0] = '\0';
}

const char *status_name(adze_status status)
{
	for (size_t i = 0; i < COUNT_OF(row); i++)
		if (row[i].code == (int)status)
			return row[i].name;
	return "E_UNKNOWN";
}

const char *status_text(adze_status status)
{
	for (size_t i = 0; i < COUNT_OF(row); i++)
		if (row[i].code == (int)status)
			return row[i].text;
	return "unknown status";
}
