// SPDX-License-Identifier: GPL-2.0-or-later
/* vCPUs that the guest takes off line and puts on line itself, by its agent: a thread a domain. */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>

#include "cpulist.h"
#include "log/log.h"
#include "now.h"
#include "virt.h"

/* How often it is looked at again, in times of what is waited after a failure. */
#define LOOK_AGAIN	5
/* Of an answer while things are given back. */
#define GIVE_BACK_S	5

/* One try, from what was wanted when it began. */
struct try {
	struct virt_domain *of;
	virDomainPtr dom;
	u64 number;
	u32 want;		/* vCPUs */
	int vcpus;		/* that it has */
	cpu_set_t online;	/* as the guest told last */
};

/*
 * Nobody wants anything else meanwhile: a guest takes its time, and what was ordered by a
 * controller that has ended would undo what that has given back.
 */
static bool is_wanted(const struct try *t)
{
	struct virt_domain *d = t->of;
	bool wanted;

	pthread_mutex_lock(&d->virt->lock);
	wanted = !d->virt->stop && d->asked == t->number;
	pthread_mutex_unlock(&d->virt->lock);
	return wanted;
}

/*
 * Of all answers of this run's agent: libvirt gives those to its own question whether one is
 * there some seconds, and waits for all others for ever.
 */
static const char *limit(const struct try *t)
{
	struct virt_domain *d = t->of;
	u64 s = (d->virt->timeout_ns + 999999999) / 1000000000;
	int id = (int)virDomainGetID(t->dom);

	if (d->agent.limited == id)
		return NULL;
	if (virDomainAgentSetResponseTimeout(t->dom, s < INT32_MAX ? (int)s : INT32_MAX, 0) < 0)
		return virt_because("its agent cannot be given a time limit, so it is not asked");
	d->agent.limited = id;
	return NULL;
}

/* What the guest says is its own affair: anything that is no list of CPUs is refused. */
static const char *look(struct try *t)
{
	virTypedParameterPtr params = NULL;
	const char *text = NULL, *why = NULL;
	unsigned int n = 0;
	int i;

	if (virDomainGetGuestVcpus(t->dom, &params, &n, 0) < 0)
		return virt_because("its agent does not tell of its vCPUs");
	if (virTypedParamsGetString(params, (int)n, "online", &text) < 1 ||
	    !cpulist_parse(text, &t->online))
		why = "its agent tells of vCPUs that cannot be";
	virTypedParamsFree(params, (int)n);
	/* Others are none that we know of. */
	for (i = t->vcpus; i < CPU_SETSIZE; i++)
		CPU_CLR((size_t)i, &t->online);
	return why;
}

/* How many of [from, to) are on line. */
static u32 online(const struct try *t, u32 from, u32 to)
{
	u32 n = 0;

	for (; from < to; from++)
		n += CPU_ISSET(from, &t->online) != 0;
	return n;
}

static bool is_done(const struct try *t)
{
	return online(t, 0, t->want) == t->want && !online(t, t->want, (u32)t->vcpus);
}

static int set(virDomainPtr dom, u32 from, u32 to, int on)
{
	char list[32];

	snprintf(list, sizeof(list), "%u-%u", from, to - 1);
	return virDomainSetGuestVcpus(dom, list, on, 0);
}

static bool note(const struct try *t)
{
	char uuid[VIR_UUID_STRING_BUFLEN], target[UNDO_TARGET_MAX], before[CPULIST_TEXT];

	virDomainGetUUIDString(t->dom, uuid);
	snprintf(target, sizeof(target), "%s/vcpus", uuid);
	cpulist_print(&t->online, before);
	return undo_note(t->of->virt->undo, &virt_agent_kind, t->of->conf->name, target, before);
}

/* The first .want on, then the others off. */
static const char *change(struct try *t)
{
	const u32 all = (u32)t->vcpus;
	const char *why;

	if (!note(t))
		return "its vCPUs cannot be noted, so they are not changed";
	if (online(t, 0, t->want) < t->want && set(t->dom, 0, t->want, 1) < 0)
		return virt_because("its agent does not put vCPUs on line");
	if (!is_wanted(t))
		return NULL;
	if (online(t, t->want, all) && set(t->dom, t->want, all, 0) < 0)
		return virt_because("its agent does not take vCPUs off line");
	why = look(t);
	return why || is_done(t) ? why : "its agent says that it is done, and other vCPUs are on line";
}

static const char *bring(struct try *t)
{
	const char *why;

	t->vcpus = virDomainGetVcpusFlags(t->dom, VIR_DOMAIN_AFFECT_LIVE);
	if (t->vcpus <= 0 || t->vcpus > VIRT_VCPUS_MAX)
		return virt_because("its vCPUs cannot be counted");
	if (t->want > (u32)t->vcpus)
		t->want = (u32)t->vcpus;
	why = limit(t);
	if (!why)
		why = look(t);
	return why || is_done(t) || !is_wanted(t) ? why : change(t);
}

/* NULL; or why not. Of a domain that has ended nothing is wanted. */
static const char *apply(virConnectPtr conn, struct try *t)
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
	char *last = d->agent.why;

	if (why && strcmp(last, why))
		log_warn("%s: domain %s: %s; until that works its vCPUs are only pinned",
			 d->conf->name, d->conf->domain, why);
	else if (!why && *last)
		log_info("%s: domain %s: its agent has done what was wanted of its vCPUs",
			 d->conf->name, d->conf->domain);
	snprintf(last, sizeof(d->agent.why), "%s", why ? why : "");
}

static void try_once(struct virt_domain *d, virConnectPtr *conn)
{
	struct try t = { .of = d, .number = d->done, .want = d->want.vcpus };
	struct virt *v = d->virt;
	const char *why;

	pthread_mutex_unlock(&v->lock);
	*conn = virt_connected(v, *conn);
	why = *conn ? apply(*conn, &t) : "libvirtd does not answer";
	pthread_mutex_lock(&v->lock);
	if (v->stop || d->asked != t.number)
		return;
	tell(d, why);
	d->agent.tried = t.number;
	d->agent.done = why ? 0 : t.number;
	if (!why)
		d->agent.online = (u32)CPU_COUNT(&t.online);
	d->agent.look_ns = now_ns() + LOOK_AGAIN * v->retry_ns;
}

/* When all else that was wanted has been done: the guest runs, and its vCPUs are pinned. */
static bool is_due(const struct virt_domain *d)
{
	const struct virt_want *w = &d->want;

	return d->asked == d->done && d->at >= 0 && w->confine && w->vcpus && !w->hold_vcpus &&
	       (d->agent.tried != d->done || now_ns() >= d->agent.look_ns);
}

void *virt_serve_agent(void *domain)
{
	struct virt_domain *d = domain;
	struct virt *v = d->virt;
	virConnectPtr conn = NULL;

	pthread_mutex_lock(&v->lock);
	while (!v->stop) {
		if (is_due(d))
			try_once(d, &conn);
		else
			virt_wait(v, &v->agents, v->retry_ns);
	}
	pthread_mutex_unlock(&v->lock);
	if (conn)
		virConnectClose(conn);
	return NULL;
}

/* ---- Back ---- */

/* Those that were on line on, the others off, and libvirt's own patience. */
static int give_back(virDomainPtr dom, const char *what, const char *value)
{
	int vcpus = virDomainGetVcpusFlags(dom, VIR_DOMAIN_AFFECT_LIVE), i;
	char off[CPULIST_TEXT];
	cpu_set_t on, others;

	if (strcmp(what, "vcpus") || vcpus <= 0 || vcpus > VIRT_VCPUS_MAX ||
	    !cpulist_parse(value, &on))
		return -1;
	CPU_ZERO(&others);
	for (i = 0; i < vcpus; i++)
		if (!CPU_ISSET((size_t)i, &on))
			CPU_SET((size_t)i, &others);
	cpulist_print(&others, off);
	virDomainAgentSetResponseTimeout(dom, GIVE_BACK_S, 0);
	if (virDomainSetGuestVcpus(dom, value, 1, 0) < 0 ||
	    (*off && virDomainSetGuestVcpus(dom, off, 0, 0) < 0))
		return -1;
	virDomainAgentSetResponseTimeout(dom, VIR_DOMAIN_AGENT_RESPONSE_TIMEOUT_BLOCK, 0);
	return 0;
}

static enum undo_done restore(const struct undo_where *w, const char *target, const char *value)
{
	return virt_restore(w, target, value, give_back);
}

const struct undo_kind virt_agent_kind = { .name = "agent", .restore = restore, .slow = true,
					   .last = true };
