/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The highest rate at which a bound holds.
 *
 * Between the highest rate that is known to keep it and the lowest that is known not to,
 * two rates are tried, which cut the range into thirds by ratio. Their runs alternate,
 * so that what disturbs the host meets both, and each is judged by its median. So every
 * step leaves a third. Knows nothing of how a rate is tried.
 */
#ifndef LOAD_SLO_H
#define LOAD_SLO_H

#include "rp.h"

#define LOAD_SLO_REPEATS_MAX	9u
#define LOAD_SLO_TRIALS_MAX	32u

struct load_slo {
	double bound_ns;
	double low, high;	/* rates between which to look, low > 0 */
	double ratio;		/* it ends when high / low is below it, > 1 */
	u32 repeats;
	/* What a run at @rate shows, ns; infinite: worse than any. False: it could not be run. */
	bool (*try)(void *ctx, double rate, double *p99_ns);
	void *ctx;
};

/* A rate that was tried. */
struct load_slo_trial {
	double rate, p99_ns;	/* median */
	bool kept;
};

struct load_slo_result {
	double rate;		/* 0: not even the lowest keeps the bound */
	double p99_ns;		/* at it */
	bool open;		/* the highest that was allowed keeps it, too */
	u32 trials;
	struct load_slo_trial trial[LOAD_SLO_TRIALS_MAX];
};

/* False: a run could not be made. */
bool load_slo_search(const struct load_slo *s, struct load_slo_result *r);

#endif /* LOAD_SLO_H */
