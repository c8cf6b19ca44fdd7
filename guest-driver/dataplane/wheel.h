/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Timers of a flow group, in ticks of 10 ms: a wheel that moves as one object.
 *
 * A wheel has no tick of its own. Its owner advances it; while it has none, as
 * between two threads, its timers stand, and fire late, in order, once the new
 * owner advances it. So a move touches no timer, however many there are.
 *
 * A timer hangs in the slot of its tick modulo DP_WHEEL_SLOTS; one that is more
 * than a turn away is passed over until then. One owner at a time, no locks.
 */
#ifndef DP_WHEEL_H
#define DP_WHEEL_H

#include "rp.h"

#define DP_TICK_NS	10000000ULL
#define DP_WHEEL_SLOTS	256u

struct dp_timer {
	struct dp_timer *next, **link;	/* ->link NULL: does not run */
	u64 tick;
	void (*fire)(struct dp_timer *tm, void *arg);
};

struct dp_wheel {
	u64 tick;		/* the last one that was run */
	u32 timers;
	struct dp_timer *slot[DP_WHEEL_SLOTS];
};

void dp_wheel_init(struct dp_wheel *w, u64 tick);

/*
 * Starts @tm, or starts it anew, to fire @ticks after the last tick that was run;
 * 0 counts as 1. ->fire is set; it may start and stop any timer of this wheel.
 */
void dp_timer_start(struct dp_wheel *w, struct dp_timer *tm, u64 ticks);
void dp_timer_stop(struct dp_wheel *w, struct dp_timer *tm);
/* Fires what is due until @tick, with @arg; how many. */
u32 dp_wheel_advance(struct dp_wheel *w, u64 tick, void *arg);

static inline bool dp_timer_runs(const struct dp_timer *tm)
{
	return tm->link;
}

#endif /* DP_WHEEL_H */
