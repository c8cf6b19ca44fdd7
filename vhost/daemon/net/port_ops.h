/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of a port, of whatever kind the port is.
 *
 * A TX queue lends packets: get() fills a batch with pieces of memory that stay
 * valid until done(). An RX queue takes them: put() copies each into its own
 * buffers. So a packet is copied once between any two kinds. One thread at a
 * time; all but the counters is the thread's that has the queue.
 *
 * An RX queue that several pacers write has an owner instead, from port_queue_own() to
 * port_queue_disown(): who puts a batch there, or asks whether the peer wants to be
 * notified. Who finds it owned waits, as a rule for one put() of each other pacer, which
 * it would wait for were they all one, too; a mutex is not fair. notify() is the one
 * operation without an owner: the peer's eventfds may block, which must not stop others,
 * nor the main thread, which gets only him out of a call whom it has given an order.
 */
#ifndef RINGPACED_PORT_OPS_H
#define RINGPACED_PORT_OPS_H

#include <pthread.h>

#include "packet.h"

struct capture_writer;
struct port_queue;

struct rp_port_ops {
	/* TX: appends up to @max packets to the empty @b, some marked as dropped. */
	void (*get)(struct port_queue *q, struct batch *b, u32 max);
	/* TX: gives the first @n of @b back; the others come again. */
	void (*done)(struct port_queue *q, const struct batch *b, u32 n);
	/* TX: publishes what done() has given back. NULL: that did. */
	void (*publish)(struct port_queue *q);
	/*
	 * RX: takes packets of @b from @from on, in order, until there is no
	 * buffer for the next one; publishes them. Marks those that it must
	 * drop. Returns the index of the first that it has not dealt with.
	 */
	u32 (*put)(struct port_queue *q, struct batch *b, u32 from);
	/* Packets that wait (TX), or buffers that are free (RX). */
	u32 (*ready)(struct port_queue *q);
	/*
	 * RX: buffers that the peer may not have looked at, *@most and, by what it
	 * has told, *@told. Any thread's, of a queue that is attached. False: it is
	 * not known. NULL: never.
	 */
	bool (*backlog)(struct port_queue *q, u32 *most, u32 *told);
	/*
	 * TX: buffers that the peer has sent and not got back. Any thread's, of a queue
	 * that is attached. False: it is not known. NULL: never.
	 */
	bool (*waiting)(struct port_queue *q, u32 *n);
	/*
	 * Does the peer want to be notified of what put() or done() published since the
	 * last call? The caller has made a full barrier in between, one for all the queues
	 * that it asks; see flow_turn().
	 */
	bool (*peer_wants)(struct port_queue *q);
	/* As in struct rp_ring_ops. */
	void (*notify)(struct port_queue *q);
	bool (*arm)(struct port_queue *q, u32 k);
	void (*disarm)(struct port_queue *q);
};

struct port_queue {
	const struct rp_port_ops *ops;
	const char *port;		/* its name, for log lines */
	u32 index;			/* in the port */
	u32 size;			/* slots */
	bool attached;			/* the main thread's: it may be used */
	int kick_fd;			/* readable edge: the peer has notified us */
	const char *broken;		/* read relaxed: why it was given up */
	/* RX: held by who writes it. NULL: one thread does. See port_queue_share(). */
	pthread_mutex_t *owner;
	/* Who wants copies; the main thread writes it: see capture_hook(). NULL: nobody. */
	struct capture_writer *capture;
	/* Counters: the thread's, read relaxed. Of what arrived. */
	u64 packets;
	u64 bytes;
	u64 gso;			/* of the packets: large ones that are to be segments, whole */
	u64 dropped[DROPS];		/* of a TX queue, and of an RX queue in a switch */
};

/* Even ones are the peer's RX, which we write (virtio 1.2, sec. 5.1.2). */
static inline bool port_queue_is_rx(const struct port_queue *q)
{
	return !(q->index & 1);
}

/*
 * The main thread's: @owner is held by all who begin a turn from now on. Those who are in
 * one may still do without, so there is one thread that writes the queue until pacer_pass()
 * of that, and there is only one again before @owner is NULL.
 */
static inline void port_queue_share(struct port_queue *q, pthread_mutex_t *owner)
{
	rp_store(&q->owner, owner);
}

/* To be given to port_queue_disown(); NULL: nobody else writes it. */
static inline pthread_mutex_t *port_queue_own(struct port_queue *q)
{
	/* Relaxed: pacer_pass() is between the store and the first who does not write alone. */
	pthread_mutex_t *owner = rp_load(&q->owner);

	if (unlikely(owner))
		pthread_mutex_lock(owner);
	return owner;
}

static inline void port_queue_disown(pthread_mutex_t *owner)
{
	if (unlikely(owner))
		pthread_mutex_unlock(owner);
}

/*
 * Does the peer want to be notified of what was published? By who has made a full barrier
 * since he did; of several the first who asks is told, for all of them.
 */
static inline bool port_queue_peer_wants(struct port_queue *q)
{
	pthread_mutex_t *owner = port_queue_own(q);
	bool wants;

	/* Others may have published behind the caller's barrier, and their calls are ours, too. */
	if (unlikely(owner))
		rp_mb();
	wants = q->ops->peer_wants(q);
	port_queue_disown(owner);
	return wants;
}

/* What a turn adds to a queue's counters. */
struct port_sum {
	u64 packets, bytes, gso;
};

/* A packet has arrived. */
static inline void port_sum_packet(struct port_sum *s, const struct packet *p)
{
	s->packets++;
	s->bytes += p->bytes;
	s->gso += !!p->hdr.gso_type;
}

/* A packet of a TX queue is dealt with. */
static inline void port_sum_done(struct port_sum *s, struct port_queue *q, const struct packet *p)
{
	if (likely(!p->drop))
		port_sum_packet(s, p);
	else
		rp_add(&q->dropped[p->drop], 1);
}

static inline void port_queue_add(struct port_queue *q, const struct port_sum *s)
{
	rp_add(&q->packets, s->packets);
	rp_add(&q->bytes, s->bytes);
	rp_add(&q->gso, s->gso);
}

#endif /* RINGPACED_PORT_OPS_H */
