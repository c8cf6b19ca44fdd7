/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A link into a port that steers: each TX queue of the peer goes into all RX queues
 * of the port, frame by frame, by the hash (rss.h).
 *
 * Theory of operation. Frames in a row for the same RX queue are put there at
 * once, from the sender's memory. Flows into a spread may be several pacers' (->shared):
 * then each RX queue has an owner for the length of a run (port_ops.h). Frames leave
 * the TX queue in order: one whose RX queue is full holds up those behind it, for
 * ->full_tsc, and then is dropped until that queue's guest posts buffers again.
 *
 * The main thread changes it while no pacer has a flow into it.
 */
#ifndef RINGPACED_SPREAD_H
#define RINGPACED_SPREAD_H

#include "port_ops.h"
#include "eth/rss_page.h"
#include "rss.h"

/* A bit each, of what a turn has written. */
#define SPREAD_PAIRS_MAX	64u

struct spread {
	u32 pairs;			/* of ->rx[] */
	u64 full_tsc;			/* how long a full queue may hold senders up */
	struct rss *rss;
	bool shared;			/* the main thread's: several pacers have flows into it */
	struct spread_rx {
		struct port_queue *q;
		/* The queue's owner's */
		u64 full_since_tsc;	/* 0: it is not full */
		pthread_mutex_t owner;	/* q->owner, if it is ->shared */
	} rx[SPREAD_PAIRS_MAX];
};

/* All zeroed before, and without queues. */
void spread_init(struct spread *s);
/* Flows into it are, or will be, several pacers', or one's; see port_queue_share() for when. */
void spread_share(struct spread *s, bool shared);

/* How many packets of @b, by @by, are dealt with; 0: the first one's queue is full. */
u32 spread_deliver(struct spread *s, struct rss_sender *by, struct batch *b, u64 now_tsc);
/* Calls the guest where a backend that died before us may have owed it. */
void spread_call_owed(struct spread *s);

#endif /* RINGPACED_SPREAD_H */
