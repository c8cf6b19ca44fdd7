/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two guests with a network card each, which one thread plays, polling: one sends, the
 * other receives what somebody forwards between them. As fast as it goes, or open-loop:
 * frame i is due at i / rate, whatever became of those before, and its latency counts
 * from then.
 */
#ifndef PACKETS_GUESTS_H
#define PACKETS_GUESTS_H

#include "packets/forwarder.h"
#include "native/net_end.h"

struct guests {
	const struct forwarder *forwarder;
	struct net_end end[2];	/* from 0 to 1 */
};

struct guests_task {
	const struct forward_load *load;
	u64 rate_pps;		/* of an open-loop load; 0: as fast as it goes */
	u64 warmup_ns, ns;
};

/* Of the measured time; the counts of all that was sent, warm-up included. UNKNOWN: not measured. */
struct sample {
	double pps;		/* that arrived */
	double cpu;		/* of the forwarder's process, 0..1 and more */
	double cpu_ns_per_packet;
	double full_share;	/* of the attempts to send, those that found no room */
	double kicks_per_packet;	/* by both guests */
	/* ns, from when frames were due; and until they were sent */
	double p50_ns, p98_ns, p99_ns, max_ns, behind_p99_ns;
	/* ns, before and after it: of a cache line to the forwarder's CPU and back (line.h) */
	double line_before_ns, line_after_ns;
	double sent, lost, reordered, bad;
	double unsent;		/* that were due, and had found no room by the end */
};

/*
 * Connects both guests, with @queue_len slots in each of their rings, and waits until frames
 * come through. 0, or -1 after fail().
 */
int guests_open(struct guests *g, const struct forwarder *f, const struct forward_load *l,
		u32 queue_len);
void guests_close(struct guests *g);
/* On the first CPU. 0, or -1 after fail() or when stopped(). */
int guests_run(struct guests *g, const struct guests_task *t, struct sample *s);

#endif /* PACKETS_GUESTS_H */
