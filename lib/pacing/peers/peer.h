/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What several peers have in common: their answers, and the halt, which polls
 * for a while and then blocks.
 *
 * A halt begins with the first look that finds nothing and ends when there is
 * work again, or with a notification, even a spurious one. Its length decides
 * how long the next one polls. All times are nanoseconds.
 */
#ifndef RP_PEERS_PEER_H
#define RP_PEERS_PEER_H

#include "pacing/pacing.h"

static inline struct rp_decision peer_spin(void)
{
	return (struct rp_decision){ .wait = RP_WAIT_SPIN };
}

static inline struct rp_decision peer_block(const struct rp_strategy *s)
{
	return (struct rp_decision){
		.wait = RP_WAIT_BLOCK,
		.threshold = s->params.threshold,
	};
}

static inline struct rp_decision peer_sleep(u64 ns)
{
	return (struct rp_decision){ .wait = RP_WAIT_SLEEP, .wait_ns = ns };
}

struct peer_halt {
	u64 poll_ns;		/* how long a halt polls before it blocks */
	u64 start_ns;
	u64 gave_up_ns;		/* when the polling ended */
	bool on;
	bool gave_up;
};

static inline struct rp_decision peer_halt_wait(const struct rp_strategy *s,
						struct peer_halt *h, u64 now_ns)
{
	if (!h->on) {
		h->on = true;
		h->gave_up = false;
		h->start_ns = now_ns;
	}
	if (now_ns - h->start_ns < h->poll_ns)
		return peer_spin();
	h->gave_up = true;
	h->gave_up_ns = now_ns;
	return peer_block(s);
}

/*
 * Items were moved: if a halt was on, it ended by a look. Returns its length,
 * at least; 0 where there is nothing to learn. A successful poll is shorter
 * than poll_ns, which no peer changes anything for. If the poll had given up,
 * then it was the second look of the arming that found the work.
 */
static inline u64 peer_halt_moved(struct peer_halt *h)
{
	bool learn = h->on && h->gave_up;

	h->on = false;
	return learn ? h->gave_up_ns - h->start_ns + 1 : 0;
}

/* A block ended. Returns the length of the halt, or 0 as above. */
static inline u64 peer_halt_woken(struct peer_halt *h, enum rp_wake by, u64 now_ns)
{
	bool learn = h->on && by == RP_WAKE_NOTIFIED;

	h->on = false;
	return learn ? now_ns - h->start_ns : 0;
}

#endif /* RP_PEERS_PEER_H */
