// SPDX-License-Identifier: GPL-2.0-or-later
/* The two threads that talk to libvirt. */
#include "virt.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <time.h>

#include "log/log.h"
#include "now.h"

#define RETRY_NS	1000000000ULL

/* ---- Threads ---- */

/* A connection that works, or NULL. */
static virConnectPtr connected(const struct virt *v, virConnectPtr conn)
{
	if (conn && virConnectIsAlive(conn) == 1)
		return conn;
	if (conn)
		virConnectClose(conn);
	return virConnectOpen(v->uri);
}

/* The next domain that is to be brought somewhere; NULL: not now. With the lock. */
static struct virt_domain *next_order(struct virt *v)
{
	u64 now = now_ns();
	u32 i;

	for (i = 0; i < v->domains; i++)
		if (v->domain[i].asked != v->domain[i].done && v->domain[i].retry_ns <= now)
			return &v->domain[i];
	return NULL;
}

static void wait_until(pthread_cond_t *c, pthread_mutex_t *m, u64 ns)
{
	const struct timespec at = { .tv_sec = (time_t)(ns / 1000000000),
				     .tv_nsec = (long)(ns % 1000000000) };

	pthread_cond_timedwait(c, m, &at);
}

static void carry_out(struct virt *v, struct virt_domain *d, virConnectPtr *conn)
{
	struct virt_want want = d->want;
	u64 number = d->asked;
	const char *why;
	int id = -1;

	pthread_mutex_unlock(&v->lock);
	*conn = connected(v, *conn);
	why = *conn ? virt_apply(*conn, v->undo, d->conf, &want, &id) :
		      "libvirtd does not answer";
	pthread_mutex_lock(&v->lock);
	if (why && strcmp(d->why, why))
		log_warn("%s: domain %s: %s; it will be tried again", d->conf->name,
			 d->conf->domain, why);
	snprintf(d->why, sizeof(d->why), "%s", why ? why : "");
	d->at = id;
	if (!why)
		d->done = number;
	else
		d->retry_ns = now_ns() + v->retry_ns;
}

static void *serve_orders(void *arg)
{
	struct virt *v = arg;
	struct virt_domain *d;
	virConnectPtr conn = NULL;

	pthread_mutex_lock(&v->lock);
	while (!v->stop) {
		d = next_order(v);
		if (d)
			carry_out(v, d, &conn);
		else
			wait_until(&v->work, &v->lock, now_ns() + v->retry_ns / 4);
	}
	pthread_mutex_unlock(&v->lock);
	if (conn)
		virConnectClose(conn);
	return NULL;
}

static void *serve_statistics(void *arg)
{
	struct virt *v = arg;
	virConnectPtr conn = NULL;
	u64 retry = 0;

	pthread_mutex_lock(&v->lock);
	while (!v->stop) {
		if (!v->want_stats || now_ns() < retry) {
			wait_until(&v->look, &v->lock, now_ns() + v->retry_ns);
			continue;
		}
		pthread_mutex_unlock(&v->lock);
		conn = connected(v, conn);
		if (conn)
			virt_read_stats(v, conn);
		pthread_mutex_lock(&v->lock);
		if (!conn) {
			retry = now_ns() + v->retry_ns;
			v->stats_failed++;
		}
		v->want_stats = false;
	}
	pthread_mutex_unlock(&v->lock);
	if (conn)
		virConnectClose(conn);
	return NULL;
}

/* ---- Life ---- */

/* Errors are told by who has failed, once, with what it is about. */
static void quiet(void *ctx, virErrorPtr err)
{
}

void virt_init(struct virt *v, const char *uri, u64 timeout_ns, struct undo *undo)
{
	pthread_condattr_t attr;

	*v = (struct virt){ .uri = uri, .timeout_ns = timeout_ns, .retry_ns = RETRY_NS,
			    .undo = undo };
	pthread_mutex_init(&v->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&v->work, &attr);
	pthread_cond_init(&v->look, &attr);
	pthread_condattr_destroy(&attr);
}

u32 virt_add(struct virt *v, const struct conf_tenant *t)
{
	v->domain[v->domains].conf = t;
	return v->domains++;
}

int virt_start(struct virt *v)
{
	int rc;

	virSetErrorFunc(NULL, quiet);
	if (virInitialize() < 0)
		return -ENOSYS;
	rc = pthread_create(&v->orders, NULL, serve_orders, v);
	if (rc)
		return -rc;
	rc = pthread_create(&v->statistics, NULL, serve_statistics, v);
	if (!rc) {
		v->started = true;
		return 0;
	}
	pthread_mutex_lock(&v->lock);
	v->stop = true;
	pthread_cond_signal(&v->work);
	pthread_mutex_unlock(&v->lock);
	pthread_join(v->orders, NULL);
	return -rc;
}

bool virt_stop(struct virt *v, u32 ms)
{
	struct timespec end;
	bool ended;

	if (!v->started)
		return true;
	pthread_mutex_lock(&v->lock);
	v->stop = true;
	pthread_cond_signal(&v->work);
	pthread_cond_signal(&v->look);
	pthread_mutex_unlock(&v->lock);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000 + 1;
	ended = !pthread_clockjoin_np(v->orders, NULL, CLOCK_MONOTONIC, &end);
	ended &= !pthread_clockjoin_np(v->statistics, NULL, CLOCK_MONOTONIC, &end);
	v->started = !ended;
	return ended;
}

void virt_fini(struct virt *v)
{
	if (v->started)
		return;
	pthread_cond_destroy(&v->work);
	pthread_cond_destroy(&v->look);
	pthread_mutex_destroy(&v->lock);
}

/* ---- Of the loop ---- */

enum hc_enforced virt_want(struct virt *v, u32 domain, const struct virt_want *want)
{
	struct virt_domain *d = &v->domain[domain];

	pthread_mutex_lock(&v->lock);
	d->want = *want;
	d->asked++;
	d->asked_ns = now_ns();
	d->retry_ns = 0;
	d->late = false;
	pthread_cond_signal(&v->work);
	pthread_mutex_unlock(&v->lock);
	return HC_PENDING;
}

enum hc_enforced virt_state(struct virt *v, u32 domain, char why[160])
{
	struct virt_domain *d = &v->domain[domain];
	enum hc_enforced e;

	pthread_mutex_lock(&v->lock);
	if (d->asked == d->done)
		e = d->at < 0 ? HC_NOBODY : HC_ENFORCED;
	else
		e = now_ns() - d->asked_ns > v->timeout_ns ? HC_FAILED : HC_PENDING;
	snprintf(why, 160, "%s", e == HC_FAILED && !*d->why ? "libvirt has not answered in time" :
		 d->why);
	if (e == HC_FAILED && !d->late)
		log_warn("%s: domain %s: not done in time: %s", d->conf->name, d->conf->domain, why);
	d->late = e == HC_FAILED;
	pthread_mutex_unlock(&v->lock);
	return e;
}

void virt_again(struct virt *v)
{
	u32 i;

	pthread_mutex_lock(&v->lock);
	for (i = 0; i < v->domains; i++) {
		struct virt_domain *d = &v->domain[i];

		if (d->asked && d->asked == d->done && d->stats.running && d->stats.id != d->at) {
			d->asked++;
			d->asked_ns = now_ns();
			pthread_cond_signal(&v->work);
		}
	}
	pthread_mutex_unlock(&v->lock);
}

void virt_look(struct virt *v)
{
	pthread_mutex_lock(&v->lock);
	v->want_stats = true;
	pthread_cond_signal(&v->look);
	pthread_mutex_unlock(&v->lock);
}

void virt_stats(struct virt *v, u32 domain, struct virt_stats *s)
{
	pthread_mutex_lock(&v->lock);
	*s = v->domain[domain].stats;
	pthread_mutex_unlock(&v->lock);
}
