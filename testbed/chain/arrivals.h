/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What arrived of numbered flows: once, twice, late.
 *
 * A packet is reordered if one of its flow with a higher number came before it
 * (RFC 4737), and a duplicate if its own number did. Which numbers came is kept for
 * the last ARRIVALS_WINDOW of a flow; an older one counts as reordered. How many are lost
 * is known in the end: those sent, less those that arrived once.
 */
#ifndef CHAIN_ARRIVALS_H
#define CHAIN_ARRIVALS_H

#include "rp.h"

#define ARRIVALS_WINDOW	1024u

struct arrivals_flow;

struct arrivals {
	u32 flows;
	struct arrivals_flow *flow;
	/* The receiving thread's, read relaxed. */
	u64 packets;		/* those below included */
	u64 duplicates, reordered;
};

/* Aborts without memory. arrivals_free() undoes it. */
void arrivals_init(struct arrivals *t, u32 flows);
void arrivals_free(struct arrivals *t);
/* Packet @seq of @flow < ->flows has come. */
void arrivals_note(struct arrivals *t, u32 flow, u64 seq);

#endif /* CHAIN_ARRIVALS_H */
