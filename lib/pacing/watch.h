/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A producer's watch over its notifications: one that got lost is sent again.
 *
 * Theory of operation. A consumer that blocks leaves a wish in the ring: tell me
 * from this item on. When that item has been published the wish is met by a
 * notification, and it is taken back once the consumer runs. So a wish that is
 * due, the same one for half of D_MAX while nothing came back, means that the
 * notification was lost; nothing else does: a consumer that works or sleeps has
 * no wish, and one that has just blocked has looked at the ring again itself.
 * The producer looks when it waits, before and after, and at its pulses, a
 * quarter of D_MAX apart, so that a loss is repaired within D_MAX. A timer is
 * needed only while the producer does nothing and a wish is due.
 *
 * A peer that says nothing of being awake (a stock device) looks like one whose
 * notification was lost whenever an item takes it long. It is told in vain then,
 * after twice as long each time.
 *
 * Context: the party's thread.
 */
#ifndef RP_WATCH_H
#define RP_WATCH_H

#include "rp.h"

struct rp_party;

struct rp_watch {
	u64 least_tsc;		/* D_MAX / 2; 0: nothing is watched */
	u64 most_tsc;
	u64 wait_tsc;		/* so long the present wish may be due */
	u64 look_tsc;		/* the last look */
	u64 since_tsc;		/* the wish was first seen, or told again */
	u32 wish;
	bool due;
};

/* After rp_party_init(): whether, and how long, says the strategy. */
void rp_watch_init(struct rp_party *p);
/* At p->now_tsc. True: the consumer was told again. */
bool rp_watch_look(struct rp_party *p);
/* The same without a watch's reasons: nothing comes back, whatever the consumer asked for. */
void rp_watch_tell(struct rp_party *p);
/* Until the next look is needed, ns; 0: none is, as long as nothing is published. */
u64 rp_watch_left_ns(const struct rp_party *p);

#endif /* RP_WATCH_H */
