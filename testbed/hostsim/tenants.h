/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several latency-critical and several batch tenants on one simulated host. */
#ifndef HOSTSIM_TENANTS_H
#define HOSTSIM_TENANTS_H

#include "hostsim.h"

/* One tenant, and what became of it since tenants_count(). */
struct tenant_run {
	s32 priority;
	double load;			/* offered, requests per second; may be set at any time */
	struct hs h;
	double cores;			/* mean */
	u32 seconds, violations, changes, turns, denied;
	int direction;			/* of the last change; 0: none */
};

/*
 * A batch tenant, which always has something to do. Of a core that several have each does in
 * proportion to its weight, as the kernel divides it.
 */
struct batch_run {
	s32 priority;
	u32 min_cores, max_cores;	/* as struct hc_batch */
	double weight;
	/* Since tenants_count(). */
	double cores;			/* mean of its work, in that of a core that is its own */
	u32 changes, turns;		/* of the number of cores that it may use */
	int direction;
};

struct tenants {
	u32 n;
	struct hc ctl;
	struct hs_host host;
	struct tenant_run of[HS_TENANTS_MAX];
	struct batch_run batch[HS_TENANTS_MAX];	/* as many as host.batches */
	struct hc_batch has[HS_TENANTS_MAX];	/* cores of each at the last tick */
	u64 ticks;			/* since tenants_count() */
	double batch_cores;		/* mean, that batch tenants may have together */
	/* At any tick, ever: cores that tenants with a bound held; that anybody was given. */
	u32 most_held, most_given;
};

/*
 * @n tenants with these priorities, loads 0 and the first step of @policy each; of the
 * controller the defaults. NULL, or why not.
 */
const char *tenants_init(struct tenants *t, const s32 *priority, u32 n,
			 const struct hc_policy *policy, u64 seed);
/* Adds a batch tenant, before the first run. NULL, or why not. */
const char *tenants_batch(struct tenants *t, const struct batch_run *b);
void tenants_count(struct tenants *t);
/* Runs a whole number of seconds. */
void tenants_run(struct tenants *t, u32 seconds);

#endif /* HOSTSIM_TENANTS_H */
