/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The estimator: what a strategy can know of its ring, measured on line.
 *
 * Theory of operation. The party's loop counts anyway: items, time at work,
 * time spent waiting. So nothing is done per item; whenever the party waits,
 * the estimator takes the differences of the totals; where waits are short,
 * those of several at once, if the strategy wants it so. A cycle is the time
 * between two looks: the ring's items that moved in it, and how long it took,
 * give T, which is the peer's W while the peer never waits. Cycles in which it
 * did (the ring was full, or dry, when we woke) tell nothing of that; then only
 * the part after the wake-up counts. Gaps without traffic are left out.
 *
 * Means are exponential with gain 1/8. A sample counts for at most four times
 * the mean, so that a thread that lost its CPU for milliseconds is one odd
 * sample and not a new level; a real change of level gets through in some ten.
 * T and the overshoot, by which much is decided, are more careful still.
 *
 * Context: the party's thread. Values are read by others for show.
 */
#ifndef RP_ESTIMATE_H
#define RP_ESTIMATE_H

#include "pacing/pacing.h"

/* A mean and a mean deviation, in 1/16 ns; n says how far to trust them. */
struct rp_mean {
	u64 v;
	u64 dev;
	u32 n;			/* samples, up to RP_MEAN_FULL */
};

#define RP_MEAN_SHIFT	4
#define RP_MEAN_FULL	8

static inline u64 rp_mean_ns(const struct rp_mean *m)
{
	return rp_load(&m->v) >> RP_MEAN_SHIFT;
}

static inline u64 rp_mean_dev_ns(const struct rp_mean *m)
{
	return rp_load(&m->dev) >> RP_MEAN_SHIFT;
}

/*
 * One @n-th of the way from @v to @x, rounded towards @v. No branch on which side
 * @x is, which nobody can foresee; a constant divisor is a shift.
 */
static inline u64 rp_mean_step(u64 v, u64 x, u32 n)
{
	s64 diff = (s64)(x - v);

	return v + (u64)(likely(n == RP_MEAN_FULL) ? diff / RP_MEAN_FULL : diff / (s64)n);
}

/* @x in 1/16 ns. */
void rp_mean_add(struct rp_mean *m, u64 x);
/* Starts over from @ns, trusting it half. */
void rp_mean_set(struct rp_mean *m, u64 ns);

/* What happened between two looks at the totals. */
struct rp_cycle {
	u32 waits;		/* that ended in it, 1 or more */
	u64 ns;
	u64 items;
	u64 work_ns;		/* what its items take this side, without odd ones */
	u64 timed, late;	/* consumer: latencies known, and above D_MAX */
	bool peer_waited;	/* consumer: the producer says that it did */
};

/* A mean that single samples far off hardly move. */
struct rp_typical {
	struct rp_mean mean;
	u64 far_nearest;	/* of those that came in a row */
	u32 far_run;
	bool far_above;
};

struct rp_estimate {
	u32 skipped;		/* waits since the last look, that the next one stands for, too */
	struct rp_typical t;	/* T, of cycles in which the peer never waited */
	/*
	 * T as it is at least, 1/16 ns: down at once, up slowly. A sleep that
	 * is too long makes T longer; a longer sleep must not follow from that.
	 */
	u64 t_low;
	u64 t_prev;
	u64 pause_least;	/* ns an item, 1/16, of such times in a row */
	u32 pauses;		/* times in a row that are held for one of the traffic's pauses */
	struct rp_mean t_step;	/* difference of neighbouring samples of t */
	struct rp_mean t_items;	/* items (in 1/16) that a sample of t averages over */
	struct rp_mean own;	/* W of this side */
	struct rp_mean n;	/* N of this side */
	struct rp_mean start;	/* consumer: enqueue to wake-up, N_P and S_C */
	struct rp_mean y_min;	/* length of the shortest sleep */
	struct rp_typical over;	/* a sleep's length beyond what was asked for */
	struct rp_mean y_e;	/* CPU time of a sleep or block */
	struct rp_mean ready;	/* what was there after a sleep, in 1/16 items */
	u32 wait_milli;		/* share of the time spent waiting, in 1/1024 */
	bool wait_known;
	u32 late_milli;		/* share of items above D_MAX, in 1/1024 */
	/*
	 * Share of the time in which this side wanted the CPU and another had
	 * it, in 1/1024; and of the time in which the peer did nothing for so
	 * long that no item could be in time.
	 */
	u32 stolen_milli, stalled_milli;
	u32 spoiled_milli;	/* consumer: items above D_MAX after odd sleeps, in 1/1024 */
	/* What comes in a cycle, 1/16 items */
	struct rp_mean batch;		/* of cycles with items */
	u64 waits;			/* in 1/16, that such a cycle holds */
	/* For show */
	struct rp_mean count_dev;	/* how far off the mean pace's count it is */
	u64 count, count_ns;		/* means of all cycles: items, length */
	/* Of the loop */
	struct rp_totals totals[2];	/* the latest and those before, in turn */
	u32 latest;
	u64 last_ns;
	u64 sum_ns, sum_items;	/* of t's next sample */
	u64 share_ns, share_wait_ns;	/* of wait_milli's next */
	u64 busy_ns, stolen_ns;		/* of stolen_milli's next */
	u64 seen_ns, stalled_ns;	/* of stalled_milli's next */
	u64 timed_ns, spoiled_ns;	/* of spoiled_milli's next */
	/* The costs, which need the thread's CPU time, more rarely */
	struct rp_totals cost;
	u64 cost_ns;
};

void rp_estimate_init(struct rp_estimate *e);

/*
 * Ends a cycle, of a wait and those in e->skipped. False: there is nothing to
 * learn from it, because it is the first, or the statistics began anew.
 */
bool rp_estimate_cycle(struct rp_estimate *e, const struct rp_strategy *s,
		       u64 now_ns, struct rp_cycle *c);
/* @items in @ns while the peer did not wait: the next of T's samples. */
void rp_estimate_pace(struct rp_estimate *e, u64 items, u64 ns);
/* A sleep of which @asked_ns were asked took @took_ns. False: an odd one. */
bool rp_estimate_slept(struct rp_estimate *e, u64 asked_ns, u64 took_ns);
/* Sleeps of which none was odd, and which lasted @excess_ns longer in all than as many usual ones. */
void rp_estimate_slept_also(struct rp_estimate *e, u32 sleeps, s64 excess_ns);
/* By more than that beyond what was asked for a sleep is odd; ~0: not yet known. */
u64 rp_estimate_odd_ns(const struct rp_estimate *e);

/* A time of @ns without progress has ended; was it a stall? */
void rp_estimate_stall(struct rp_estimate *e, u64 ns, bool stall);
/* A cycle with c->timed > 0 has ended, after a sleep that was odd or not. */
void rp_estimate_spoiled(struct rp_estimate *e, const struct rp_cycle *c, bool odd);

/* Standard deviation of the work on one item of the slower side, ns. */
u64 rp_estimate_sigma_ns(const struct rp_estimate *e);

/* The same of this side's own work. */
u64 rp_estimate_own_sigma_ns(const struct rp_estimate *e);

/* @items came in a cycle of @ns, pauses of the traffic included. */
void rp_estimate_arrivals(struct rp_estimate *e, u64 items, u64 ns);
/* How far to trust a mean, in percent: few samples, or such that differ, count less; 0: none. */
u32 rp_mean_confidence(const struct rp_mean *m);
/* Fills in what @st has of that; @window is a producer's. Any thread. */
void rp_estimate_tell(const struct rp_estimate *e, bool producer, u32 window,
		      struct rp_status *st);

u32 rp_isqrt(u64 x);

#endif /* RP_ESTIMATE_H */
