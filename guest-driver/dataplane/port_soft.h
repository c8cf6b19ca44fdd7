/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A port without hardware: one thread plays the wire, which steers what comes in
 * by a table as a network card does, and takes what the dataplane sends or
 * releases. Packets are the wire's.
 */
#ifndef DP_PORT_SOFT_H
#define DP_PORT_SOFT_H

#include "port.h"

/* One writer, one reader. */
struct soft_ring {
	_Alignas(64) _Atomic u32 head;	/* the writer's */
	_Alignas(64) _Atomic u32 tail;	/* the reader's */
	u32 slots;			/* a power of two */
	struct dp_pkt **slot;
};

struct soft_queue {
	struct soft_ring rx, sent, released, spare;
};

struct soft_port {
	struct dp_port port;
	struct soft_queue *queue;
	_Atomic u16 *table;
	u32 entries;
	_Atomic u32 steering;		/* odd while the wire looks at the table */
	_Atomic int refuse;		/* an errno for ->steer, to test with; 0: none */
};

/*
 * @slots of each receive queue, and room for @packets on their way back: powers of
 * two; @packets is at least as many as there are. NULL: no memory.
 */
struct soft_port *soft_port_new(u32 queues, u32 entries, u32 slots, u32 packets, bool fenced);
void soft_port_free(struct soft_port *sp);

/* The wire's side. false: the queue is full, @p is the caller's. */
bool soft_port_input(struct soft_port *sp, struct dp_pkt *p);
/* To be filled by the dataplane; false: that queue has ->slots of them. */
bool soft_port_give(struct soft_port *sp, u32 queue, struct dp_pkt *p);
/*
 * What the dataplane has sent, or released; NULL: nothing. With ->seg_bytes others are joined
 * to it, by ->next.
 */
struct dp_pkt *soft_port_sent(struct soft_port *sp, u32 queue);
struct dp_pkt *soft_port_released(struct soft_port *sp, u32 queue);

#endif /* DP_PORT_SOFT_H */
