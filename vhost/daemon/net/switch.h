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
 * Every port writes every other one's RX queues. While one pacer has all flows of a
 * switch nothing is locked. Those of several (->shared) have a queue each for the length
 * of a run of frames, by its ->owner (port_ops.h); addresses can be looked up by all
 * (fdb.h); and what a turn needs is each pacer's own (struct switch_turn).
 *
 * The main thread takes a queue away in two steps: switch_close(), and when pacer_pass() of
 * all pacers that have flows of the switch has come back, switch_attach() with NULL. The
 * queue's memory is there until then, so a turn goes on with what it has seen.
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
#include "eth/rss_page.h"
#include "rss.h"

/* A bit each, of struct switch_turn */
#define SWITCH_PORTS_MAX	64u
#define SWITCH_PAIRS_MAX	64u
#define SWITCH_COPIES		128u
#define SWITCH_LINE_BYTES	64u

/* An RX queue of a port: its owner's. */
struct switch_rx {
	struct port_queue *q;		/* NULL: not attached */
	u64 full_since_tsc;		/* 0: never */
	u64 full_at;			/* the packets that it had taken then */
	pthread_mutex_t owner;		/* q->owner, of a switch that is ->shared */
} __attribute__((aligned(SWITCH_LINE_BYTES)));

struct switch_port {
	struct fwd_switch *sw;
	u32 index;
	struct vlan_port vlan;
	u64 full_tsc;			/* how long a full queue may hold senders up */
	u32 pairs;
	u32 rx_count;			/* ->rx[] from 0 on that may be written; released */
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
	bool shared;			/* the main thread's: several pacers have flows of it */
	u32 port_count;
	struct switch_port port[SWITCH_PORTS_MAX];
	/* Frames that went to all, and their copies: added to atomically, once a turn. */
	u64 flooded, flood_copies;
};

/* What a turn needs, of any switch: each pacer's own. */
struct switch_turn {
	struct switch_route route[BATCH_PACKETS];
	u8 front[BATCH_PACKETS][VLAN_HEAD_BYTES];
	struct batch out;
	/* Queues to be called: a bit for each pair of a port, and which ports have some */
	u64 touched[SWITCH_PORTS_MAX];
	u64 touched_ports;
	u64 steered_ports;		/* by tables that are shared */
	u32 flooded, copies;
	struct rss_sender sender;	/* not of one turn */
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

/*
 * The main thread's: flows of it are, or will be, several pacers', or one's again. See
 * port_queue_share() for when.
 */
void switch_share(struct fwd_switch *s, bool shared);
/*
 * One thread's at a time, and that one may be held up by the peer's eventfd: RX queue
 * @pair of @p may be written from now on; NULL: nobody writes it any more.
 */
void switch_attach(struct switch_port *p, u32 pair, struct port_queue *q);
/* The main thread's: turns that begin from now on do not write it, nor those behind it. */
void switch_close(struct switch_port *p, u32 pair);
/*
 * Forwards @b from @in, which is the calling thread's, as @t is. How many of its packets are
 * dealt with, some marked as dropped; 0: the first one's receiver holds it up.
 */
u32 switch_forward(struct switch_port *in, struct switch_turn *t, struct batch *b, u64 now_tsc);

#endif /* RINGPACED_SWITCH_H */
