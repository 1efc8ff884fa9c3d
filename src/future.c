/* SPDX-License-Identifier: Apache-2.0
 *
 * Work on a thread of its own: waited for, told to stop, its result taken.
 */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "internal.h"

struct adze_future {
	adze_context *context; /* retained */
	const struct future_job *kind;
	void *job;             /* owned */
	adze_progress progress;
	atomic_bool cancel;
	pthread_t thread;
	pthread_mutex_t lock;  /* of the below, until `done` */
	pthread_cond_t ended;
	bool done, taken;
	struct diag diag;
};

adze_status work_step(const struct work *w, double share, const char *what, struct diag *d)
{
	if (w == NULL)
		return ADZE_OK;
	if (w->cancel != NULL && atomic_load(w->cancel))
		return fail(d, ADZE_E_CANCELLED, "%s: cancelled", what);
	if (w->progress.report != NULL)
		w->progress.report(w->progress.self, share, what);
	return ADZE_OK;
}

static void *run(void *self)
{
	adze_future *f = self;
	struct work w = {f->progress, &f->cancel};
	struct diag d = {ADZE_OK, ""};
	adze_status status = f->kind->run(f->job, &w, &d);
	if (status != ADZE_OK)
		fail(&d, status, "%s", status_text(status));
	context_keep(f->context, &d);
	pthread_mutex_lock(&f->lock);
	f->diag = d;
	f->done = true;
	pthread_cond_broadcast(&f->ended);
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* Waits are measured by the clock that nobody sets. */
static bool init_waiting(adze_future *f)
{
	pthread_condattr_t attr;
	if (pthread_mutex_init(&f->lock, NULL) != 0)
		return false;
	bool ok = pthread_condattr_init(&attr) == 0;
	if (ok) {
		ok = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 &&
		     pthread_cond_init(&f->ended, &attr) == 0;
		pthread_condattr_destroy(&attr);
	}
	if (!ok)
		pthread_mutex_destroy(&f->lock);
	return ok;
}

adze_status future_start(adze_context *c, const struct future_job *kind, void *job,
			 const adze_progress *progress, adze_future **out)
{
	*out = NULL;
	adze_future *f = mem_new(&c->mem, 1, sizeof *f);
	if (f == NULL || !init_waiting(f)) {
		mem_free(&c->mem, f, 1, sizeof *f);
		kind->destroy(job, false);
		return context_fail(c, ADZE_E_NOMEM, "no memory for a future");
	}
	context_retain(c);
	f->context = c;
	f->kind = kind;
	f->job = job;
	if (progress != NULL)
		f->progress = *progress;
	int error = pthread_create(&f->thread, NULL, run, f);
	if (error != 0) {
		pthread_cond_destroy(&f->ended);
		pthread_mutex_destroy(&f->lock);
		mem_free(&c->mem, f, 1, sizeof *f);
		kind->destroy(job, false);
		context_release(c);
		return context_fail(c, ADZE_E_LIMIT, "a thread cannot be started: %s",
				    error == EAGAIN ? "there are too many" : "not allowed");
	}
	*out = f;
	return ADZE_OK;
}

static void deadline(int64_t timeout_ns, struct timespec *out)
{
	clock_gettime(CLOCK_MONOTONIC, out);
	out->tv_sec += (time_t)(timeout_ns / 1000000000);
	out->tv_nsec += (long)(timeout_ns % 1000000000);
	if (out->tv_nsec >= 1000000000) {
		out->tv_sec++;
		out->tv_nsec -= 1000000000;
	}
}

adze_status adze_future_wait(adze_future *f, int64_t timeout_ns)
{
	struct timespec until = {0, 0};
	if (timeout_ns > 0)
		deadline(timeout_ns, &until);
	pthread_mutex_lock(&f->lock);
	int error = 0;
	while (!f->done && error == 0 && timeout_ns != 0)
		error = timeout_ns < 0 ? pthread_cond_wait(&f->ended, &f->lock)
				       : pthread_cond_timedwait(&f->ended, &f->lock, &until);
	adze_status status = f->done ? f->diag.status : ADZE_E_TIMEOUT;
	if (f->done && status == ADZE_OK)
		f->taken = true;
	pthread_mutex_unlock(&f->lock);
	return status;
}

void adze_future_cancel(adze_future *f)
{
	if (f != NULL)
		atomic_store(&f->cancel, true);
}

const char *adze_future_words(const adze_future *future)
{
	adze_future *f = (adze_future *)(uintptr_t)future;
	pthread_mutex_lock(&f->lock);
	const char *words = f->done ? f->diag.text : "";
	pthread_mutex_unlock(&f->lock);
	return words;
}

adze_status future_job(adze_future *f, const struct future_job *kind, void **job)
{
	pthread_mutex_lock(&f->lock);
	adze_status status = f->done ? f->diag.status : ADZE_E_TIMEOUT;
	pthread_mutex_unlock(&f->lock);
	*job = NULL;
	if (status == ADZE_OK && f->kind != kind)
		return context_fail(f->context, ADZE_E_ARGUMENT,
				    "this future has no such result");
	if (status == ADZE_OK)
		*job = f->job;
	return status;
}

adze_context *future_context(adze_future *f)
{
	return f->context;
}

void adze_future_destroy(adze_future *f)
{
	if (f == NULL)
		return;
	adze_context *c = f->context;
	atomic_store(&f->cancel, true);
	pthread_join(f->thread, NULL);
	f->kind->destroy(f->job, f->taken);
	pthread_cond_destroy(&f->ended);
	pthread_mutex_destroy(&f->lock);
	mem_free(&c->mem, f, 1, sizeof *f);
	context_release(c);
}
