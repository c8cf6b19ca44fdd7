// SPDX-License-Identifier: GPL-2.0-or-later
/* Brings the number of a guest's vCPUs to what is wanted: a thread a domain. */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>

#include "log/log.h"
#include "now.h"
#include "virt.h"

/* How often it is looked at again, in times of what is waited after a failure. */
#define LOOK_AGAIN	5

/*
 * A guest takes its time, and what was ordered by a controller that has ended would undo
 * what that has given back.
 */
bool virt_is_wanted(const struct virt_try *t)
{
	struct virt_domain *d = t->of;
	bool wanted;

	pthread_mutex_lock(&d->virt->lock);
	wanted = !d->virt->stop && d->asked == t->number;
	pthread_mutex_unlock(&d->virt->lock);
	return wanted;
}

static const char *bring(struct virt_try *t)
{
	int vcpus = virDomainGetVcpusFlags(t->dom, VIR_DOMAIN_AFFECT_LIVE);

	if (vcpus <= 0 || vcpus > VIRT_VCPUS_MAX)
		return virt_because("its vCPUs cannot be counted");
	t->has = (u32)vcpus;
	return t->of->by->bring(t);
}

/* NULL; or why not. Of a domain that has ended nothing is wanted. */
static const char *apply(virConnectPtr conn, struct virt_try *t)
{
	const char *why;

	t->dom = virDomainLookupByName(conn, t->of->conf->domain);
	if (!t->dom)
		return virGetLastErrorCode() == VIR_ERR_NO_DOMAIN ? NULL :
			virt_because("it cannot be looked up");
	why = virDomainIsActive(t->dom) == 1 ? bring(t) : NULL;
	if (why && virDomainIsActive(t->dom) == 0)
		why = NULL;
	virDomainFree(t->dom);
	return why;
}

/* Each reason once. With the lock. */
static void tell(struct virt_domain *d, const char *why)
{
	char *last = d->vcpus.why;

	if (why == last)
		return;
	if (why && strcmp(last, why))
		log_warn("%s: domain %s: %s; until that works its vCPUs are only pinned",
			 d->conf->name, d->conf->domain, why);
	else if (!why && *last)
		log_info("%s: domain %s: its vCPUs are as many as wanted, by %s",
			 d->conf->name, d->conf->domain, d->by->name);
	snprintf(last, sizeof(d->vcpus.why), "%s", why ? why : "");
}

/* With the lock. */
static void take(struct virt_domain *d, const struct virt_try *t, const char *why)
{
	tell(d, why);
	d->vcpus.tried = t->number;
	d->vcpus.done = why ? 0 : t->number;
	if (t->has)
		d->vcpus.online = t->has;
	d->vcpus.look_ns = now_ns() + LOOK_AGAIN * d->virt->retry_ns;
	/* They are pinned as the others, and then it is looked at again. */
	if (t->added)
		virt_ask(d);
}

static void try_once(struct virt_domain *d, virConnectPtr *conn)
{
	struct virt_try t = { .of = d, .number = d->done, .want = d->want.vcpus };
	struct virt *v = d->virt;
	const char *why;

	d->vcpus.under_way = d->by->exclusive;
	pthread_mutex_unlock(&v->lock);
	*conn = virt_connected(v, *conn);
	why = *conn ? apply(*conn, &t) : "libvirtd does not answer";
	pthread_mutex_lock(&v->lock);
	d->vcpus.under_way = false;
	pthread_cond_signal(&v->work);
	if (!v->stop && d->asked == t.number)
		take(d, &t, why);
}

/* When all else that was wanted has been done: the guest runs, and its vCPUs are pinned. */
static bool is_due(const struct virt_domain *d)
{
	const struct virt_want *w = &d->want;

	return d->asked == d->done && d->at >= 0 && w->confine && w->vcpus && !w->hold_vcpus &&
	       (d->vcpus.tried != d->done || now_ns() >= d->vcpus.look_ns);
}

void *virt_serve_vcpus(void *domain)
{
	struct virt_domain *d = domain;
	struct virt *v = d->virt;
	virConnectPtr conn = NULL;

	pthread_mutex_lock(&v->lock);
	while (!v->stop) {
		if (is_due(d))
			try_once(d, &conn);
		else
			virt_wait(v, &v->vcpus, v->retry_ns);
	}
	pthread_mutex_unlock(&v->lock);
	if (conn)
		virConnectClose(conn);
	return NULL;
}
