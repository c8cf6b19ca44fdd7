/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The load patterns of 000, sec. 5, and runs of the host controller under them. */
#ifndef HOSTSIM_PATTERNS_H
#define HOSTSIM_PATTERNS_H

#include "pareto.h"
#include "reaction.h"
#include "shape.h"

#define PATTERN_S	240u

#define PATTERNS	3u
extern const struct shape *const patterns[PATTERNS];

/* A run of four minutes. */
struct pattern_run {
	double watts, batch;
	double bound;		/* of watts or batch, on the Pareto frontier */
	double max_watts;	/* of the strongest static configuration */
	double p99_max_ns;	/* of the worst second */
	u32 violations;		/* seconds */
	u32 changes, migrations;
	double migration_ns;	/* mean */
	struct reaction_list reactions;	/* to steps, of the pattern that has them */
};

/* Told every second of a run, and every decision. Either may be NULL. */
struct pattern_watch {
	void (*second)(void *ctx, u32 s, const struct hs *h);
	void (*decision)(void *ctx, const struct hc_decision *d);
	void *ctx;
};

/* What is run under a pattern, and what it is compared with. */
struct pattern_setup {
	const struct hc_policy *policy;
	const struct hc_settings *set;
	enum hs_moves moves;
	u64 seed;
	enum pareto_goal goal;
	const struct pareto *pareto;
};

/* NULL, or why the policy cannot be used. @watch may be NULL. */
const char *pattern_run(const struct shape *p, const struct pattern_setup *s,
			const struct pattern_watch *watch, struct pattern_run *r);
/* The part of what the Pareto bound gains that was gained, 0..1. */
double pattern_gain(const struct pattern_run *r, enum pareto_goal goal);

#endif /* HOSTSIM_PATTERNS_H */
