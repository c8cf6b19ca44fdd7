// SPDX-License-Identifier: GPL-2.0-or-later
/* The threads that talk to libvirt, and what the loop has to do with them. */
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

virConnectPtr virt_connected(const struct virt *v, virConnectPtr conn)
{
	if (conn && virConnectIsAlive(conn) == 1)
		return conn;
	if (conn)
		virConnectClose(conn);
	return virConnectOpen(v->uri);
}

void virt_wait(struct virt *v, pthread_cond_t *c, u64 ns)
{
	u64 end = now_ns() + ns;
	const struct timespec at = { .tv_sec = (time_t)(end / 1000000000),
				     .tv_nsec = (long)(end % 1000000000) };

	pthread_cond_timedwait(c, &v->lock, &at);
}

/* The next domain that is to be brought somewhere; NULL: not now. With the lock. */
static struct virt_domain *next_order(struct virt *v)
{
	u64 now = now_ns();
	u32 i;

	for (i = 0; i < v->domains; i++)
		if (v->domain[i].asked != v->domain[i].done && v->domain[i].retry_ns <= now &&
		    !v->domain[i].vcpus.under_way)
			return &v->domain[i];
	return NULL;
}

static void carry_out(struct virt *v, struct virt_domain *d, virConnectPtr *conn)
{
	struct virt_want want = d->want;
	u64 number = d->asked;
	const char *why;
	int id = -1;

	pthread_mutex_unlock(&v->lock);
	*conn = virt_connected(v, *conn);
	why = *conn ? virt_apply(*conn, v->undo, d->conf, &want, &id) :
		      "libvirtd does not answer";
	pthread_mutex_lock(&v->lock);
	if (why && strcmp(d->why, why))
		log_warn("%s: domain %s: %s; it will be tried again", d->conf->name,
			 d->conf->domain, why);
	snprintf(d->why, sizeof(d->why), "%s", why ? why : "");
	d->at = id;
	if (why) {
		d->retry_ns = now_ns() + v->retry_ns;
		return;
	}
	d->done = number;
	pthread_cond_broadcast(&v->vcpus);
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
			virt_wait(v, &v->work, v->retry_ns / 4);
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
			virt_wait(v, &v->look, v->retry_ns);
			continue;
		}
		pthread_mutex_unlock(&v->lock);
		conn = virt_connected(v, conn);
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
	pthread_cond_init(&v->vcpus, &attr);
	pthread_condattr_destroy(&attr);
}

u32 virt_add(struct virt *v, const struct conf_tenant *t)
{
	static const struct virt_vcpus_ops *const by[] = { [CONF_AGENT] = &virt_agent_ops,
							   [CONF_HOTPLUG] = &virt_hotplug_ops };

	v->domain[v->domains] = (struct virt_domain){ .virt = v, .conf = t, .by = by[t->vcpus],
						      .vcpus.limited = -1 };
	return v->domains++;
}

static int start_thread(struct virt *v, void *(*serve)(void *), void *arg)
{
	int rc = pthread_create(&v->thread[v->threads], NULL, serve, arg);

	v->threads += !rc;
	return rc;
}

int virt_start(struct virt *v)
{
	int rc;
	u32 i;

	virSetErrorFunc(NULL, quiet);
	if (virInitialize() < 0)
		return -ENOSYS;
	rc = start_thread(v, serve_orders, v);
	if (!rc)
		rc = start_thread(v, serve_statistics, v);
	for (i = 0; i < v->domains && !rc; i++)
		if (v->domain[i].by)
			rc = start_thread(v, virt_serve_vcpus, &v->domain[i]);
	/* None has anything to do yet. */
	if (rc)
		virt_stop(v, 0);
	return -rc;
}

/* Those that still hang are kept, to be waited for again. */
bool virt_stop(struct virt *v, u32 ms)
{
	struct timespec end;
	u32 i = 0;

	pthread_mutex_lock(&v->lock);
	v->stop = true;
	pthread_cond_signal(&v->work);
	pthread_cond_signal(&v->look);
	pthread_cond_broadcast(&v->vcpus);
	pthread_mutex_unlock(&v->lock);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += ms / 1000 + 1;
	while (i < v->threads) {
		if (pthread_clockjoin_np(v->thread[i], NULL, CLOCK_MONOTONIC, &end))
			i++;
		else
			v->thread[i] = v->thread[--v->threads];
	}
	return !v->threads;
}

void virt_fini(struct virt *v)
{
	if (v->threads)
		return;
	pthread_cond_destroy(&v->work);
	pthread_cond_destroy(&v->look);
	pthread_cond_destroy(&v->vcpus);
	pthread_mutex_destroy(&v->lock);
}

/* ---- Of the loop ---- */

void virt_ask(struct virt_domain *d)
{
	d->asked++;
	d->asked_ns = d->vcpus.asked_ns = now_ns();
	pthread_cond_signal(&d->virt->work);
}

enum hc_enforced virt_want(struct virt *v, u32 domain, const struct virt_want *want)
{
	struct virt_domain *d = &v->domain[domain];

	pthread_mutex_lock(&v->lock);
	d->want = *want;
	virt_ask(d);
	d->retry_ns = 0;
	d->late = false;
	pthread_mutex_unlock(&v->lock);
	return HC_PENDING;
}

/* It did not run when it was brought there, or has ended since, even if it runs again. */
static bool is_gone(const struct virt_domain *d)
{
	return d->at < 0 || (d->stats.taken_ns && d->stats.id != d->at);
}

enum hc_enforced virt_state(struct virt *v, u32 domain, char why[160])
{
	struct virt_domain *d = &v->domain[domain];
	enum hc_enforced e;

	pthread_mutex_lock(&v->lock);
	if (d->asked == d->done)
		e = is_gone(d) ? HC_NOBODY : HC_ENFORCED;
	else
		e = now_ns() - d->asked_ns > v->timeout_ns ? HC_FAILED : HC_PENDING;
	snprintf(why, 160, "%s", e != HC_FAILED || *d->why ? d->why :
		 d->vcpus.under_way ? "libvirt waits for its guest to let go of a vCPU" :
		 "libvirt has not answered in time");
	if (e == HC_FAILED && !d->late)
		log_warn("%s: domain %s: not done in time: %s", d->conf->name, d->conf->domain, why);
	d->late = e == HC_FAILED;
	pthread_mutex_unlock(&v->lock);
	return e;
}

/* With the lock. */
static enum hc_enforced vcpus_state(const struct virt_domain *d)
{
	const struct virt_vcpus *a = &d->vcpus;

	if (is_gone(d) || !d->want.confine || !d->want.vcpus)
		return HC_NOBODY;
	if (a->done == d->asked)
		return HC_ENFORCED;
	/* One that failed before is not waited for again. */
	if (*a->why)
		return HC_FAILED;
	return d->want.hold_vcpus || now_ns() - a->asked_ns <= d->virt->timeout_ns ?
		HC_PENDING : HC_FAILED;
}

enum hc_enforced virt_vcpus_state(struct virt *v, u32 domain, u32 *online, char why[160])
{
	const struct virt_domain *d = &v->domain[domain];
	enum hc_enforced e;

	pthread_mutex_lock(&v->lock);
	e = vcpus_state(d);
	*online = d->vcpus.online;
	snprintf(why, 160, "%s", e == HC_FAILED && !*d->vcpus.why ?
		 d->by->late : d->vcpus.why);
	pthread_mutex_unlock(&v->lock);
	return e;
}

void virt_let_vcpus(struct virt *v, u32 domain)
{
	struct virt_domain *d = &v->domain[domain];

	pthread_mutex_lock(&v->lock);
	d->want.hold_vcpus = false;
	d->vcpus.asked_ns = now_ns();
	pthread_cond_broadcast(&v->vcpus);
	pthread_mutex_unlock(&v->lock);
}

void virt_again(struct virt *v)
{
	u32 i;

	pthread_mutex_lock(&v->lock);
	for (i = 0; i < v->domains; i++) {
		struct virt_domain *d = &v->domain[i];

		if (d->asked && d->asked == d->done && d->stats.running && d->stats.id != d->at)
			virt_ask(d);
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
