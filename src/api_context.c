/* SPDX-License-Identifier: Apache-2.0
 *
 * Words, names, and opening devices.
 */
#include "config.h"

#include "internal.h"

#include <stdio.h>
#include <string.h>

const char *adze_context_words(adze_context *c, char *text, size_t size)
{
	if (size == 0)
		return text;
	pthread_mutex_lock(&c->lock);
	snprintf(text, size, "%s", c->last.text);
	pthread_mutex_unlock(&c->lock);
	return text;
}

const char *adze_status_text(adze_status status)
{
	return status_text(status);
}

const char *adze_status_name(adze_status status)
{
	return status_name(status);
}

const char *adze_version(void)
{
	return PACKAGE_VERSION;
}

static adze_status unknown_device(adze_context *c, const char *name)
{
	char list[256] = "";
	size_t n, at = 0;
	const struct device_ops *const *row = device_rows(&n);
	for (size_t i = 0; i < n && at < sizeof list; i++)
		at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i > 0 ? ", " : "",
				       row[i]->name);
	return context_fail(c, ADZE_E_NOTFOUND, "there is no device '%s'; there are: %s", name,
			    list);
}

adze_status adze_device_open(adze_context *c, const char *name, adze_device **out)
{
	struct diag d = {ADZE_OK, ""};
	const char *target;
	*out = NULL;
	if (name == NULL)
		return context_fail(c, ADZE_E_ARGUMENT, "a device has a name");
	const struct device_ops *ops = device_find(name, &target);
	if (ops == NULL)
		return unknown_device(c, name);
	context_retain(c);
	adze_device *dev = NULL;
	adze_status status = ops->open(c, target, &dev, &d);
	if (status != ADZE_OK) {
		context_release(c);
		fail(&d, status, "device '%s': %s", name, status_text(status));
		return context_keep(c, &d);
	}
	dev->ops = ops;
	dev->context = c;
	atomic_init(&dev->refs, 1);
	*out = dev;
	return ADZE_OK;
}

adze_status adze_device_lend(adze_device *dev, const adze_cancel *until)
{
	struct diag d = {ADZE_OK, ""};
	adze_context *c = dev->context;
	if (until == NULL)
		return context_fail(c, ADZE_E_ARGUMENT, "a thread is lent until a flag is set");
	if (dev->ops->lend == NULL)
		return context_fail(c, ADZE_E_UNSUPPORTED, "device %s has no use for threads",
				    dev->ops->name);
	device_retain(dev);
	adze_status status = dev->ops->lend(dev, &until->flag, &d);
	if (status != ADZE_OK)
		context_keep(c, &d);
	device_release(dev);
	return status;
}

void adze_device_recall(adze_device *dev)
{
	if (dev->ops->recall != NULL)
		dev->ops->recall(dev);
}

void adze_device_close(adze_device *device)
{
	device_release(device);
}
