/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A learning switch with VLANs between ports.
 *
 * Theory of operation. What a TX queue of a port in the switch sends is looked at
 * frame by frame, and frames in a row for the same RX queue are put there as one
 * batch, from the sender's memory: still one copy. Whatever is sent to a port is
 * put into one of its RX queues by the hash of the frame's flow, modulo the pairs
 * that its guest receives on, or by the port's own table (rss.h), so a flow stays in
 * order. A frame for a group, or
 * for an address that nobody has sent from, goes to every port of the VLAN but
 * the one that it came from, by one copy each.
 *
 * Every port writes every other one's RX queues. There is no lock: one pacer has
 * all flows of a switch, so queues, addresses and counters are one thread's. The
 * main thread changes them by pacer_call(). Ports that need more than a CPU are
 * put into several switches.
 *
 * A full RX queue must not hold up those who send to others, too. It may hold
 * up a sender only for ->full_tsc, once for every BATCH_PACKETS that it takes;
 * beyond that, and for copies to many always, frames to it are dropped. A turn
 * ends early after SWITCH_COPIES copies to many: it stays bounded.
 */
#ifndef RINGPACED_SWITCH_H
#define RINGPACED_SWITCH_H

#include "fdb.h"
#include "frame.h"
#include "port_ops.h"
#include "rss.h"

#define SWITCH_PORTS_MAX	64u
#define SWITCH_COPIES		128u

/* An RX queue of a port. */
struct switch_rx {
	struct port_queue *q;		/* NULL: not attached */
	u64 full_since_tsc;		/* 0: never */
	u64 full_at;			/* the packets that it had taken then */
	bool touched;			/* in this turn */
};

struct switch_port {
	struct fwd_switch *sw;
	u32 index;
	struct vlan_port vlan;
	u64 full_tsc;			/* how long a full queue may hold senders up */
	u32 pairs, rx_count;		/* ->rx[] from 0 on that are attached */
	struct switch_rx *rx;		/* pairs */
	struct rss *rss;		/* NULL: it does not steer */
	/* What comes from port i goes to this pair, if ->by_source */
	bool by_source;
	u8 pair_of[SWITCH_PORTS_MAX];
};

/* Where a frame goes. */
struct switch_route {
	struct vlan_head head;
	u16 vlan;
	struct switch_port *to;		/* NULL: to all */
	struct rss_way way;		/* at ->to */
};

struct fwd_switch {
	struct fdb fdb;
	u32 port_count;
	struct switch_port port[SWITCH_PORTS_MAX];
	/* Of the present turn */
	struct switch_route route[BATCH_PACKETS];
	u8 front[BATCH_PACKETS][VLAN_HEAD_BYTES];
	struct batch out;
	struct switch_rx *touched[BATCH_PACKETS + SWITCH_COPIES + SWITCH_PORTS_MAX];
	u32 touched_count;
	u32 copies;
	/* Read relaxed: frames that went to all, and their copies. */
	u64 flooded, flood_copies;
};

struct switch_port_options {
	struct vlan_port vlan;
	u32 pairs;
	u32 macs;			/* addresses that it may have */
	u64 full_tsc;
};

/* No queue yet. 0 or -errno; switch_fini() undoes it in both cases. */
int switch_init(struct fwd_switch *s, u32 ports, const struct switch_port_options *o,
		u64 age_tsc, u64 fresh_tsc);
void switch_fini(struct fwd_switch *s);

/* ---- Of the thread that has the switch ---- */

/* RX queue @pair of @p may be written from now on; NULL: not any more. */
void switch_attach(struct switch_port *p, u32 pair, struct port_queue *q);
/*
 * Forwards @b from @in. How many of its packets are dealt with, some marked as
 * dropped; 0: the first one's receiver holds it up.
 */
u32 switch_forward(struct switch_port *in, struct batch *b, u64 now_tsc);

#endif /* RINGPACED_SWITCH_H */
