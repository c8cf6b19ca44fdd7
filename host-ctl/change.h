/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between deciding and carrying out. */
#ifndef HOST_CTL_CHANGE_H
#define HOST_CTL_CHANGE_H

#include "control.h"

/* One tenant's place in a round of decisions. */
struct turn {
	struct hc_decision d;
	struct hc_claim claim;
	bool asked;		/* it was looked at, and did not only keep what it has */
};

static inline const struct hc_config *hc_config_of(const struct hc_tenant *t, u32 step)
{
	return &t->cfg.policy->step[step];
}

double hc_max_load(const struct hc_tenant *t);
/* The load that @step can have, items per second. */
double hc_limit(const struct hc *c, const struct hc_tenant *t, u32 step);

/* Cores that nobody has. */
u32 hc_free_cores(const struct hc *c);
/* Did all actuators do it, or begin to? What some did is taken back when one fails. */
bool hc_act(struct hc *c, struct hc_tenant *t, struct turn *turn, const struct hc_change *ch,
	    bool grow);
/* Brings tenant @i from .from to .to of @turn, which says afterwards what it has. */
void hc_change(struct hc *c, u32 i, struct turn *turn, u64 now_ns);

#endif /* HOST_CTL_CHANGE_H */
