/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the cores that no latency-critical tenant has each batch tenant gets. */
#ifndef HOST_CTL_BATCH_H
#define HOST_CTL_BATCH_H

#include "rp.h"

struct hc_batch {
	s32 priority;			/* higher goes first */
	u32 min_cores, max_cores;	/* with fewer it stands; at most, 0: all */
	u32 first, cores;		/* out: of the list of free cores; 0 cores: it stands */
};

/*
 * Shares out a list of @free cores. The highest priority takes as many as it may, the next one
 * of what is left. Those of one priority have the same cores, as far as their maxima reach:
 * the kernel divides these by the tenants' weights, and what one does not use is the others'.
 * Higher priorities have the end of the list: where it is the lowest free cores that come and
 * go, it is the lowest priority that moves.
 */
void hc_share_out(struct hc_batch *b, u32 n, u32 free);

#endif /* HOST_CTL_BATCH_H */
