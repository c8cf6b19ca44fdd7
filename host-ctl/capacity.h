/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each configuration of a policy can carry, learned from what the dataplane did.
 *
 * An iteration costs t_iter + b * t_item. At light load b is 1 and a thread is busy
 * with overhead that full batches would not have, so that its idle time tells too
 * little of what it could still take. The ratio t_iter / t_item is fitted on line by
 * least squares with forgetting, within each step; with it what was seen at a step gives
 * the step's own t_item (the measured gain). From these follow a step's capacity at
 * full batches, the idle time in those terms, and threshold[from,to]. Until the ratio
 * is known all cost is taken to be per item, which errs towards too little capacity.
 *
 * That is what a load costs now. What outlives it is the table of gains: how much more or
 * less a step carries, beside the others, than cores, threads and clock say. A step's gain is
 * refined by little at a time, from its cost beside those of steps that were seen lately too,
 * and tells of steps that the present load has not been seen at.
 */
#ifndef HOST_CTL_CAPACITY_H
#define HOST_CTL_CAPACITY_H

#include "policy.h"

struct hc_capacity {
	const struct hc_policy *policy;
	double nominal[HC_STEPS_MAX];
	u32 batch;
	/* Sums of the fit: of squares of how far iterations and work are from their averages; plain. */
	double ii, iw, ww, in, nw, nn;
	double ratio;			/* t_iter / t_item */
	/* Averages per item: iterations, and work in ns of a thread at 1 GHz; 0: not seen. */
	double iterations[HC_STEPS_MAX], work[HC_STEPS_MAX];
	double peak;			/* busiest thread's load over the mean */
	double gain[HC_STEPS_MAX];	/* beside nominal[]; only their ratios count */
	u32 refined[HC_STEPS_MAX];	/* how many times */
	u64 learned, last[HC_STEPS_MAX];	/* observations; the last of each step, 0: none */
};

#define HC_GAIN_MIN	0.5
#define HC_GAIN_MAX	2.0

/* What a tenant's threads did together over an interval. */
struct hc_work {
	double items, iterations;
	double busy_ns;			/* all threads */
	double peak;			/* busiest thread's items over the mean, 1 when even */
};

void hc_capacity_init(struct hc_capacity *c, const struct hc_policy *p, const struct hc_host *h);
void hc_capacity_learn(struct hc_capacity *c, u32 step, u32 batch, const struct hc_work *w);
/* The gain of a step that is seen now, by 1 % at most; false: no other was seen lately. */
bool hc_capacity_refine(struct hc_capacity *c, u32 step);
/* Items per second of @step at full batches; 0 while nothing is known. */
double hc_capacity(const struct hc_capacity *c, u32 step);
/* The idle time, as a fraction, above which @from can do without what @to has less. */
double hc_threshold(const struct hc_capacity *c, u32 from, u32 to);

#endif /* HOST_CTL_CAPACITY_H */
