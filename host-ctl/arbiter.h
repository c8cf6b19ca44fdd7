/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who gets how much when the tenants of a host want more cores than it has. */
#ifndef HOST_CTL_ARBITER_H
#define HOST_CTL_ARBITER_H

#include "capacity.h"

struct hc_claim {
	const struct hc_capacity *cap;
	s32 priority;		/* higher goes first */
	u32 min, need, want;	/* steps; @need of them the tenant would be late without */
	u32 have;		/* the present step */
	double load;		/* items per second to be carried */
	u32 granted;		/* out */
	double benefit;		/* of one step more than that, while it is done */
};

/*
 * Everybody gets his minimum, then step by step more: first what is needed, then what is
 * only kept; the highest priority first, and among equals who gains the largest part of
 * his load per core. What somebody has goes to an equal only for a tenth more than he would
 * lose: loads that are measured are never the same twice, and a core that goes to and fro
 * is nobody's meanwhile. Returns the cores that are left, or -1 when even the minima do not
 * fit (all are granted nothing else).
 */
int hc_arbitrate(struct hc_claim *claims, u32 n, u32 cores);

#endif /* HOST_CTL_ARBITER_H */
