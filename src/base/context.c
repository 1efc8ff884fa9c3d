/* SPDX-License-Identifier: Apache-2.0 */
#include "base/context.h"

#include <stdarg.h>
#include <stdio.h>

bool context_logs(const adze_context *c, adze_log_level level)
{
	return c->config.log != NULL && level <= c->config.log_level;
}

void context_log(adze_context *c, adze_log_level level, const char *format, ...)
{
	char text[DIAG_BYTES];
	if (!context_logs(c, level))
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	c->config.log(c->config.log_self, level, text);
}

adze_status context_keep(adze_context *c, const struct diag *d)
{
	if (d->status == ADZE_OK)
		return ADZE_OK;
	pthread_mutex_lock(&c->lock);
	c->last = *d;
	pthread_mutex_unlock(&c->lock);
	return d->status;
}

adze_status context_fail(adze_context *c, adze_status status, const char *format, ...)
{
	struct diag d = {status, ""};
	va_list args;
	va_start(args, format);
	vsnprintf(d.text, sizeof d.text, format, args);
	va_end(args);
	return context_keep(c, &d);
}

void context_retain(adze_context *c)
{
	pthread_mutex_lock(&c->lock);
	c->live++;
	pthread_mutex_unlock(&c->lock);
}

void context_release(adze_context *c)
{
	pthread_mutex_lock(&c->lock);
	c->live--;
	pthread_mutex_unlock(&c->lock);
}
