/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several latency-critical tenants and a background job on one simulated host. */
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

struct tenants {
	u32 n;
	struct hc ctl;
	struct hs_host host;
	struct tenant_run of[HS_TENANTS_MAX];
	u64 ticks;			/* since tenants_count() */
	double batch_cores;		/* mean, of the background job */
	u32 most_held;			/* cores that tenants held together at any tick, ever */
};

/*
 * @n tenants with these priorities, loads 0 and the first step of @policy each; of the
 * controller the defaults. NULL, or why not.
 */
const char *tenants_init(struct tenants *t, const s32 *priority, u32 n,
			 const struct hc_policy *policy, u64 seed);
void tenants_count(struct tenants *t);
/* Runs a whole number of seconds. */
void tenants_run(struct tenants *t, u32 seconds);

#endif /* HOSTSIM_TENANTS_H */
