/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of a port's pairs a packet goes to, by its hash and the table. */
#ifndef RINGPACED_RSS_H
#define RINGPACED_RSS_H

#include "eth/rss.h"
#include "packet.h"

/* A frame's way: a pair, and the index in ->packets. */
struct rss_way {
	u16 pair;
	u16 entry;
};

/* Where @p goes, of a port whose pairs 0..@pairs-1 receive (1 at least). */
struct rss_way rss_steer(const struct rss *r, const struct packet *p, u32 pairs);

/*
 * It has arrived. @shared: others count, too, who have queues of their own by the table
 * that was before, or by this one.
 */
static inline void rss_count(struct rss *r, u32 entry, bool shared)
{
	if (unlikely(shared))
		__atomic_fetch_add(&r->packets[entry], 1, __ATOMIC_RELAXED);
	else
		rp_add(&r->packets[entry], 1);
}

#endif /* RINGPACED_RSS_H */
