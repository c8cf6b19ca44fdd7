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
#include <sys/resource.h>

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

/*
 * A thread that spins, and may share its CPU with another one that does: each waits for the
 * other, for a slice at a time, unless they yield. One that is alone has no use for the system
 * calls. So it yields only after it has been preempted, which the kernel counts; and in batches,
 * after each of which that count tells whether anybody was there. If not, the other one may sleep:
 * a single yield now and then finds out when it is back, which would else wait for our slice's end.
 *
 * Where yields take long somebody computes, and to yield to that one would leave us a moment of
 * each of its slices: it is not tried for a while. One long yield may be any housekeeping, or
 * another who spins and has not been preempted yet. Of two who spin and gave up at different times
 * one tries again first; the other finds that it is preempted for moments only, and joins in.
 */
#define RP_SPIN_CHECK_NS	1000000u
#define RP_SPIN_BATCH		64u
#define RP_SPIN_LONG_NS		1000000u
/* So many long ones in a batch */
#define RP_SPIN_LONG		4u
/* Preemptions in a row, each for a moment, from which on the other one is believed to yield. */
#define RP_SPIN_BRIEF		2u
/* A sleep as short as this may have ended before the kernel would have given the CPU away. */
#define RP_SPIN_NAP_NS		5000u
/* Single yields: how far apart, how many, and what takes longer is worth a batch. */
#define RP_SPIN_TRY_NS		20000u
#define RP_SPIN_TRIES		5000u
#define RP_SPIN_NONE_NS		1500u

/* A thread's own; zeroed at first. */
struct rp_spin {
	u32 left;		/* yields of the present batch; 0: there is none */
	u32 tries;		/* single ones that are left */
	u32 longs;		/* of the batch */
	u32 brief;		/* preemptions in a row */
	long switches;		/* at the last look */
	u64 spun_ns, most_ns;	/* since the last look or try; the longest turn of that */
	u64 off_until_ns;	/* CLOCK_MONOTONIC */
};

/* Has the thread been preempted, or yielded to somebody, since the last look? */
static inline bool rp_spin_switched(struct rp_spin *s)
{
	long before = s->switches;
	struct rusage of;

	if (!getrusage(RUSAGE_THREAD, &of))
		s->switches = of.ru_nivcsw;
	return s->switches != before;
}

static inline void rp_spin_batch(struct rp_spin *s)
{
	s->left = RP_SPIN_BATCH;
	s->longs = 0;
}

/* Somebody is there. */
static inline void rp_spin_begin(struct rp_spin *s)
{
	s->tries = RP_SPIN_TRIES;
	rp_spin_batch(s);
}

static inline void rp_spin_yielded(struct rp_spin *s, u64 now_ns, u64 took_ns)
{
	if (took_ns > RP_SPIN_LONG_NS && ++s->longs == RP_SPIN_LONG) {
		s->off_until_ns = now_ns + RP_ASIDE_OFF_NS;
		s->left = s->tries = s->brief = 0;
	} else if (!--s->left && rp_spin_switched(s)) {
		rp_spin_begin(s);
	}
}

static inline void rp_spin_tried(struct rp_spin *s, u64 took_ns)
{
	s->tries--;
	/* Perhaps; the batch tells. */
	if (took_ns > RP_SPIN_NONE_NS)
		rp_spin_batch(s);
}

/* It has spun for a while: shall it begin to yield? */
static inline void rp_spin_look(struct rp_spin *s, u64 now_ns)
{
	bool brief = s->most_ns < RP_SPIN_LONG_NS;

	if (!rp_spin_switched(s))
		return;
	s->brief = brief ? s->brief + 1 : 0;
	if (now_ns >= s->off_until_ns || s->brief >= RP_SPIN_BRIEF)
		rp_spin_begin(s);
}

/*
 * After a turn that found nothing, a moment of a pause, or a nap, which took @turn_ns. For how long
 * the CPU was given away, ns; 0: it was not.
 */
static inline u64 rp_spin_aside(struct rp_spin *s, u64 turn_ns)
{
	u64 before, after;

	s->spun_ns += turn_ns;
	s->most_ns = turn_ns > s->most_ns ? turn_ns : s->most_ns;
	if (likely(!s->left && s->spun_ns < (s->tries ? RP_SPIN_TRY_NS : RP_SPIN_CHECK_NS)))
		return 0;
	before = clock_ns(CLOCK_MONOTONIC);
	if (!s->left && !s->tries)
		rp_spin_look(s, before);
	s->spun_ns = s->most_ns = 0;
	if (!s->left && !s->tries)
		return 0;
	sched_yield();
	after = clock_ns(CLOCK_MONOTONIC);
	if (s->left)
		rp_spin_yielded(s, after, after - before);
	else
		rp_spin_tried(s, after - before);
	return after - before;
}

#endif /* RP_ASIDE_H */
