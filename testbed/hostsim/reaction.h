/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How soon the controller answers a load that steps up beyond what its threads carry, in
 * simulated time. A thread is overloaded when it is given more than it can do; a flow group on
 * its way counts as where it comes from.
 */
#ifndef HOSTSIM_REACTION_H
#define HOSTSIM_REACTION_H

#include "hostsim.h"

#define REACTIONS_MAX	32u

/* Of each step of the load that overloaded a thread. */
struct reaction_list {
	u32 n;
	double decided_ns[REACTIONS_MAX];	/* from the step to the decision to give more */
	double placed_ns[REACTIONS_MAX];	/* from there to when no thread is overloaded */
};

struct reaction {
	struct reaction_list *list;
	u64 stepped_ns, decided_ns;		/* of the step that is awaited; 0: none, not yet */
};

/* The load has just been raised by a step. One that is still awaited goes on to be. */
void reaction_step(struct reaction *r, const struct hs *h);
void reaction_decision(struct reaction *r, const struct hc_decision *d);
/* After each tick. */
void reaction_tick(struct reaction *r, const struct hs *h);

/* The greatest, and the 95th percentile (nearest rank), of @n; NAN of none. */
double reaction_max(const double *ns, u32 n);
double reaction_p95(const double *ns, u32 n);

#endif /* HOSTSIM_REACTION_H */
