// SPDX-License-Identifier: GPL-2.0-or-later
/* What is wrong with a configuration whose keys are right each by itself. */
#include "conf.h"

#include "config_doc.h"
#include "topo.h"

static u32 backends(const struct conf_tenant *t)
{
	return !!*t->domain + !!*t->pidfile + !!*t->cgroup;
}

/* NULL, or what is wrong with a tenant that has a bound. */
static const char *check_latency(const struct conf *c, const struct conf_tenant *t)
{
	if (!t->bound_ns)
		return "bound-ns: missing: a latency tenant has a bound of its queueing delay";
	if (!t->ports && !*t->dataplane)
		return "ports: missing: say which ports of ringpaced it receives by, or the socket "
		       "of its dataplane (dataplane:)";
	if (t->ports && !*c->ringpaced)
		return "ports: ringpaced: is missing: say where its control socket is";
	if (c->clocks == CLOCKS_QUOTA && *t->pidfile)
		return "pidfile: clocks: quota is a quota of a cgroup: say cgroup:, or clocks: no";
	return NULL;
}

static const char *check_batch(const struct conf_tenant *t)
{
	if (t->bound_ns)
		return "bound-ns: a batch tenant has none: leave it out, or make it class: latency";
	if (t->ports || *t->dataplane)
		return t->ports ? "ports: a batch tenant has none: leave them out" :
				  "dataplane: a batch tenant has none: leave it out";
	return NULL;
}

/* All that a share needs, or nothing of it. */
static const char *check_nic(const struct conf_tenant *t)
{
	u32 i;

	if (!*t->nic && !t->nic_share && !t->nic_queues)
		return NULL;
	if (!*t->nic)
		return "nic: missing: say whose queues nic-queues are";
	if (!t->nic_share)
		return "nic-share: missing: say what part of the line it has, 1..100";
	if (!t->nic_queues)
		return "nic-queues: missing: say by which queues of the NIC it sends";
	if (strpbrk(t->nic, "\"\\/ \t\n") || *t->nic == '.')
		return "nic: no name of a port or an interface";
	for (i = 1; i < t->nic_queues; i++)
		if (conf_is_class(t->nic_queue[i]) != conf_is_class(t->nic_queue[0]))
			return "nic-queues: numbers and classes: take one kind";
	return NULL;
}

/* A queue of both. */
static bool nic_clash(const struct conf_tenant *a, const struct conf_tenant *b)
{
	u32 i, k;

	if (strcmp(a->nic, b->nic))
		return false;
	for (i = 0; i < a->nic_queues; i++)
		for (k = 0; k < b->nic_queues; k++)
			if (a->nic_queue[i] == b->nic_queue[k])
				return true;
	/* The NIC is one thing or the other. */
	return a->nic_queues && b->nic_queues &&
	       conf_is_class(a->nic_queue[0]) != conf_is_class(b->nic_queue[0]);
}

static bool repeats(const struct conf_tenant *t)
{
	u32 i, k;

	for (i = 0; i < t->nic_queues; i++)
		for (k = 0; k < i; k++)
			if (t->nic_queue[i] == t->nic_queue[k])
				return true;
	return false;
}

static const char *check(const struct conf *c, const struct conf_tenant *t)
{
	if (t->class == UINT32_MAX)
		return "class: missing: latency or batch";
	if (backends(t) != 1)
		return backends(t) ? "domain, pidfile, cgroup: more than one: a tenant is one of them" :
			"domain: missing: say which domain it is, or a pidfile or cgroup";
	if (t->max_cores && t->max_cores < t->min_cores)
		return "max-cores: less than min-cores";
	if (t->quota_percent && (!*t->domain || t->class == CONF_LATENCY))
		return "cpu-quota-percent: only of a batch tenant that is a domain: one with a bound "
		       "would be late by it, a cgroup's is set where it is made";
	if (!*t->domain && (t->vcpus || t->cpu_shares || t->emulator))
		return t->vcpus ? "vcpus: only a domain has them" : t->cpu_shares ?
			"cpu-shares: only of a domain: set a cgroup's where it is made" :
			"emulator: only a domain has one";
	if (check_nic(t) || repeats(t))
		return check_nic(t) ?: "nic-queues: one of them twice";
	if (strpbrk(t->name, "\"\\/ \t\n"))
		return "name: with a space, a quote or a slash: take another";
	return t->class == CONF_LATENCY ? check_latency(c, t) : check_batch(t);
}

/* Whom two tenants both mean. */
static const char *clash(const struct conf_tenant *a, const struct conf_tenant *b)
{
	if (!strcmp(a->name, b->name))
		return "name";
	if (*a->domain && !strcmp(a->domain, b->domain))
		return "domain";
	if (*a->pidfile && !strcmp(a->pidfile, b->pidfile))
		return "pidfile";
	if (*a->cgroup && !strcmp(a->cgroup, b->cgroup))
		return "cgroup";
	if (*a->dataplane && !strcmp(a->dataplane, b->dataplane))
		return "dataplane";
	if (nic_clash(a, b))
		return "nic-queues";
	return NULL;
}

void conf_check(struct config *doc, const struct conf *c)
{
	const char *why;
	u32 i, k;

	if (!c->has_cpus)
		config_complain(doc, 0, "cpus: missing: say which CPUs tenants may be given; no "
				"other is touched");
	for (i = 0; i < c->tenants; i++) {
		const struct conf_tenant *t = &c->tenant[i];

		why = check(c, t);
		if (why)
			config_complain(doc, t->line, "tenants: %s: %s", t->name, why);
		for (k = 0; k < i; k++) {
			why = clash(t, &c->tenant[k]);
			if (why)
				config_complain(doc, t->line, "tenants: %s: %s: tenant %s has the "
						"same: take one of them out", t->name, why,
						c->tenant[k].name);
		}
	}
}
