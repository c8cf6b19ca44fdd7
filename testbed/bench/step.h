/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When did a phase of a step experiment settle? From samples, a pure function. */
#ifndef BENCH_STEP_H
#define BENCH_STEP_H

#include "util.h"

#define STEP_WINDOW_NS	25000000u	/* has bursts enough for 5 % */
#define STEP_RATE_SHARE	0.05		/* of the phase's final throughput */
#define STEP_LATE_SHARE	0.02		/* more, and p98 is above D_MAX */
/* What a strategy has to settle: the longer of the two. */
#define STEP_GOAL_NS	20000000u
#define STEP_GOAL_ITEMS	2000u

/* What a side's strategy tells of itself. */
struct step_side {
	double y_ns;			/* UNKNOWN of who tells none */
	double mode_changes;		/* so far; likewise */
	const char *mode;		/* a literal; NULL likewise */
};

/* Counts since the phase began. */
struct step_sample {
	u64 t_ns;
	double items, timed, late;
	struct step_side p, c;
	double window;			/* P's; UNKNOWN of who tells none */
};

struct step_result {
	double settle_ns, settle_items;	/* UNKNOWN: it never settled */
	double like_end_ns;		/* UNKNOWN likewise */
	double final_per_s;
	double late_share;		/* of the whole phase's items; UNKNOWN: no items */
	double violations;		/* samples after settle_ns with p98 above D_MAX */
	/*
	 * In the steady state: after settle_ns, and after what the goal allows, and while
	 * throughput and latency had been so for a window; and the others after that.
	 */
	double mode_changes, odd_mode_changes;
	double odd_share;		/* of windows after settle_ns that were not so */
	double last_change_ns;		/* of a mode, in the whole phase; UNKNOWN: none changed */
};

/*
 * Settled is a phase from the first sample on after which, for STEP_WINDOW_NS,
 * throughput is within 5 % of the phase's final one (that of its second half)
 * and p98 within D_MAX. A machine that others use may be outside of that at any time,
 * whatever the strategy does. So it is also told from when on a window is like
 * those of the second half: that good, or no worse than the worst of these.
 * A mode that a step has made wrong may be there until what the goal allows is over.
 */
void step_settle(const struct step_sample *s, u32 n, struct step_result *r);

/* Rows of STEP_CSV_HEAD: what happened between the samples; times from @begin_ns on. */
void step_write(FILE *to, const char *strategy, u32 round, const char *phase, u64 begin_ns,
		const struct step_sample *s, u32 n);

#endif /* BENCH_STEP_H */
