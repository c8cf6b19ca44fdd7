// SPDX-License-Identifier: GPL-2.0-or-later
/* Statistics of all listed domains by one call. */
#include <libvirt/libvirt.h>
#include <stdio.h>

#include "now.h"
#include "virt.h"

static struct virt_domain *find(struct virt *v, const char *name)
{
	u32 i;

	for (i = 0; i < v->domains; i++)
		if (name && !strcmp(v->domain[i].conf->domain, name))
			return &v->domain[i];
	return NULL;
}

/* A domain that is not told of any more is gone. */
static void none_runs(struct virt *v)
{
	u32 i;

	for (i = 0; i < v->domains; i++) {
		v->domain[i].stats.running = false;
		v->domain[i].stats.id = -1;
	}
}

/* What has been added since it was @before; less than that is another vCPU's in its place. */
static u64 more(u64 before, u64 now)
{
	return now >= before ? now - before : now;
}

static u64 of_vcpu(virDomainStatsRecordPtr r, u32 vcpu, const char *what)
{
	unsigned long long value = 0;
	char name[48];

	snprintf(name, sizeof(name), "vcpu.%u.%s", vcpu, what);
	virTypedParamsGetULLong(r->params, r->nparams, name, &value);
	return value;
}

static void take(struct virt_domain *d, virDomainStatsRecordPtr r, u64 now)
{
	struct virt_stats s = { .taken_ns = now, .cpu_ns = d->stats.cpu_ns,
				.steal_ns = d->stats.steal_ns };
	unsigned int vcpus = 0, i;
	int state = 0;

	virTypedParamsGetInt(r->params, r->nparams, "state.state", &state);
	virTypedParamsGetUInt(r->params, r->nparams, "vcpu.maximum", &vcpus);
	s.running = state == VIR_DOMAIN_RUNNING;
	for (i = 0; i < vcpus && i < VIRT_VCPUS_MAX; i++) {
		struct virt_vcpu_time *before = &d->time[i];
		struct virt_vcpu_time told = { of_vcpu(r, i, "time"), of_vcpu(r, i, "delay") };

		s.cpu_ns += more(before->cpu_ns, told.cpu_ns);
		s.steal_ns += more(before->steal_ns, told.steal_ns);
		*before = told;
	}
	s.vcpus = vcpus;
	s.id = (int)virDomainGetID(r->dom);
	d->stats = s;
}

void virt_read_stats(struct virt *v, virConnectPtr conn)
{
	virDomainStatsRecordPtr *all = NULL, *r;
	u64 now = now_ns();
	int n;

	/* Of a domain that another call is busy with, only what does not wait for that. */
	n = virConnectGetAllDomainStats(conn, VIR_DOMAIN_STATS_STATE | VIR_DOMAIN_STATS_VCPU, &all,
					VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT);
	/* Drivers that know no such flag, or not all of the groups. */
	if (n < 0)
		n = virConnectGetAllDomainStats(conn, VIR_DOMAIN_STATS_STATE, &all, 0);
	pthread_mutex_lock(&v->lock);
	v->stats_failed += n < 0;
	if (n >= 0)
		none_runs(v);
	for (r = all; n > 0 && *r; r++) {
		struct virt_domain *d = find(v, virDomainGetName((*r)->dom));

		if (d)
			take(d, *r, now);
	}
	pthread_mutex_unlock(&v->lock);
	if (all)
		virDomainStatsRecordListFree(all);
}
