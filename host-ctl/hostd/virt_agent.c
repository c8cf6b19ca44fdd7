// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vCPUs that the guest takes off line and puts on line itself, by its agent. Each answer has as
 * long as the time-out.
 */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>

#include "cpulist.h"
#include "virt.h"

/* Of an answer while things are given back. */
#define GIVE_BACK_S	5

struct guest {
	struct virt_try *try;
	u32 vcpus;		/* that it has */
	cpu_set_t online;	/* as it told last */
};

/*
 * Of all answers of this run's agent: libvirt gives those to its own question whether one is
 * there some seconds, and waits for all others for ever.
 */
static const char *limit(const struct virt_try *t)
{
	struct virt_domain *d = t->of;
	u64 s = (d->virt->timeout_ns + 999999999) / 1000000000;
	int id = (int)virDomainGetID(t->dom);

	if (d->vcpus.limited == id)
		return NULL;
	if (virDomainAgentSetResponseTimeout(t->dom, s < INT32_MAX ? (int)s : INT32_MAX, 0) < 0)
		return virt_because("its agent cannot be given a time limit, so it is not asked");
	d->vcpus.limited = id;
	return NULL;
}

/* What the guest says is its own affair: anything that is no list of CPUs is refused. */
static const char *look(struct guest *g)
{
	virTypedParameterPtr params = NULL;
	const char *text = NULL, *why = NULL;
	unsigned int n = 0;
	int i;

	if (virDomainGetGuestVcpus(g->try->dom, &params, &n, 0) < 0)
		return virt_because("its agent does not tell of its vCPUs");
	if (virTypedParamsGetString(params, (int)n, "online", &text) < 1 ||
	    !cpulist_parse(text, &g->online))
		why = "its agent tells of vCPUs that cannot be";
	virTypedParamsFree(params, (int)n);
	/* Others are none that we know of. */
	for (i = (int)g->vcpus; i < CPU_SETSIZE; i++)
		CPU_CLR((size_t)i, &g->online);
	return why;
}

/* How many of [from, to) are on line. */
static u32 online(const struct guest *g, u32 from, u32 to)
{
	u32 n = 0;

	for (; from < to; from++)
		n += CPU_ISSET(from, &g->online) != 0;
	return n;
}

static bool is_done(const struct guest *g)
{
	return online(g, 0, g->try->want) == g->try->want && !online(g, g->try->want, g->vcpus);
}

static int set(virDomainPtr dom, u32 from, u32 to, int on)
{
	char list[32];

	snprintf(list, sizeof(list), "%u-%u", from, to - 1);
	return virDomainSetGuestVcpus(dom, list, on, 0);
}

static bool note(const struct guest *g)
{
	const struct virt_try *t = g->try;
	char before[CPULIST_TEXT];

	cpulist_print(&g->online, before);
	return virt_note(t->of->virt->undo, &virt_agent_kind, t->of->conf, t->dom, "vcpus", before);
}

/* The first .want on, then the others off. */
static const char *change(struct guest *g)
{
	const u32 all = g->vcpus;
	const char *why;

	if (!note(g))
		return "its vCPUs cannot be noted, so they are not changed";
	if (online(g, 0, g->try->want) < g->try->want && set(g->try->dom, 0, g->try->want, 1) < 0)
		return virt_because("its agent does not put vCPUs on line");
	if (!virt_is_wanted(g->try))
		return NULL;
	if (online(g, g->try->want, all) && set(g->try->dom, g->try->want, all, 0) < 0)
		return virt_because("its agent does not take vCPUs off line");
	why = look(g);
	return why || is_done(g) ? why : "its agent says that it is done, and other vCPUs are on line";
}

static const char *bring(struct virt_try *t)
{
	struct guest g = { .try = t, .vcpus = t->has };
	const char *why = limit(t);

	if (t->want > g.vcpus)
		t->want = g.vcpus;
	if (!why)
		why = look(&g);
	if (!why && !is_done(&g) && virt_is_wanted(t))
		why = change(&g);
	t->has = (u32)CPU_COUNT(&g.online);
	return why;
}

const struct virt_vcpus_ops virt_agent_ops = {
	.name = "agent", .bring = bring, .late = "its agent has not answered in time"
};

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
