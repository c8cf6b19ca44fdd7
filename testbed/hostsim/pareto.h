/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The static sweep of the simulated host, and the Pareto frontier that it gives. */
#ifndef HOSTSIM_PARETO_H
#define HOSTSIM_PARETO_H

#include "hostsim.h"

#define PARETO_POINTS	(HS_CORES * 2 * 14)
#define PARETO_LEVELS	3u		/* of the load: nothing, half, all */

/* One static configuration. */
struct pareto_point {
	struct hc_config config;
	double max_pps;			/* highest load within the SLO; 0: none is */
	double watts[PARETO_LEVELS];	/* at evenly spread loads up to that */
	double batch;			/* the background job's part of its peak */
};

struct pareto {
	u32 points;
	struct pareto_point point[PARETO_POINTS];
};

enum pareto_goal {
	PARETO_ENERGY,		/* the least power */
	PARETO_BATCH,		/* the most of the background job, at the nominal clock or above */
};

void pareto_sweep(struct pareto *p, u64 seed);
double pareto_watts(const struct pareto_point *p, double load);
/* The best point for @load; the strongest when none carries it. */
const struct pareto_point *pareto_best(const struct pareto *p, enum pareto_goal goal, double load);
/* The points that are best for some load, in the order of the load: a policy. */
void pareto_derive(const struct pareto *p, enum pareto_goal goal, struct hc_policy *policy);

#endif /* HOSTSIM_PARETO_H */
