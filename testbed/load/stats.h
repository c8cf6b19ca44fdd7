/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one thread of the load generator counts.
 *
 * offered = sent + unsent, sent = done + failed + still out. A request belongs to the
 * interval in which it was due, whenever it is sent or answered; ->sent and ->done of an
 * interval are of those that were sent or answered in it. The thread writes, others
 * may read the plain counters, relaxed.
 */
#ifndef LOAD_STATS_H
#define LOAD_STATS_H

#include "hist/hist.h"
#include "load/proto.h"

#define LOAD_POINTS_MAX	1000u

struct load_point {
	u64 offered, sent, done, failed;
	u64 missed;		/* late or unsent */
	struct rp_hist *latency;	/* of those due in it; NULL: none */
};

struct load_stats {
	/* Since the load's begin on the clock: only what is due from measure on counts. */
	u64 begin_ns, measure_ns, interval_ns;
	u64 late_ns;		/* sent so much after it was due: late */
	u64 offered, sent, done, failed;
	u64 late, unsent;
	u64 errors[LOAD_OUTCOMES];
	u64 connects;
	u64 connection_errors[LOAD_OUTCOMES];
	int last_errno;		/* of a LOAD_FAULT */
	struct rp_hist latency;	/* ns from when a request was due until it was answered */
	struct rp_hist behind;	/* ns from when it was due until it was sent */
	u32 points;
	struct load_point *point;
};

/* False: no memory. load_stats_free() undoes it in both cases. */
bool load_stats_init(struct load_stats *s, u64 measured_ns, u64 interval_ns, u64 late_ns);
void load_stats_free(struct load_stats *s);
/* The load begins, and measuring @warmup_ns later. */
void load_stats_begin(struct load_stats *s, u64 begin_ns, u64 warmup_ns);
static inline bool load_stats_counts(const struct load_stats *s, u64 due_ns)
{
	return due_ns >= s->measure_ns;
}

/* Of requests with ->measured; others change nothing. */
void load_stats_sent(struct load_stats *s, const struct load_request *r);
void load_stats_unsent(struct load_stats *s, u64 due_ns);
/* It was answered, or it never will. */
void load_stats_ended(struct load_stats *s, const struct load_request *r, enum load_outcome outcome,
		      u64 now_ns);

/* Of threads with the same intervals. False: no memory. */
bool load_stats_merge(struct load_stats *to, const struct load_stats *from);

/*
 * As rp_hist_quantile(), of all that were offered: those that were not answered well
 * count as longer than any. UINT64_MAX: it is one of them.
 */
u64 load_stats_quantile(const struct load_stats *s, u32 permille);

#endif /* LOAD_STATS_H */
