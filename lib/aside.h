/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stepping aside: a thread that waits for another one's next step lets that have the CPU.
 * User space.
 *
 * A yield costs less than falling asleep and being woken, unless somebody computes on that
 * CPU: then it costs a slice of the scheduler's, which may be milliseconds. How long one
 * took tells, and after a long one it is not tried again for a while.
 */
#ifndef RP_ASIDE_H
#define RP_ASIDE_H

#include <sched.h>
#include <stdbool.h>

#include "clock.h"

#define RP_ASIDE_LONG_NS	200000u
#define RP_ASIDE_OFF_NS		200000000u

/* A thread's own; zeroed at first. */
struct rp_aside {
	u64 off_until_ns;	/* CLOCK_MONOTONIC */
};

/* false: others need the CPU for longer, and whoever waits had better sleep. */
static inline bool rp_step_aside(struct rp_aside *a)
{
	u64 before = clock_ns(CLOCK_MONOTONIC), after;

	if (before < a->off_until_ns)
		return false;
	sched_yield();
	after = clock_ns(CLOCK_MONOTONIC);
	if (after - before > RP_ASIDE_LONG_NS)
		a->off_until_ns = after + RP_ASIDE_OFF_NS;
	return true;
}

#endif /* RP_ASIDE_H */
