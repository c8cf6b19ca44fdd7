/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The transmit side of a NIC in software: frames wait in N queues, and go out of them
 * by deficit round robin (drr.h).
 *
 *	flows ── put() ─▶ queue 0 ─┐
 *	flows ── put() ─▶ queue 1 ─┼─ DRR ─▶ out ── get() ─▶ a flow of its own ─▶ the wire
 *	         ...               ─┘
 *
 * Theory of operation. A queue is an RX queue of the port, as others see it, and a
 * ring of bytes that put() copies frames into. Who writes it is one thread, by the rule
 * that holds for RX queues; a full one holds its senders up, or costs them frames, as
 * any RX queue does. What DRR chooses is a TX queue, ->out, that a flow of the port
 * takes from, with the port's rate as that flow's limit; that flow may be another thread's.
 *
 * A queue has one writer and one reader, who tell each other by ->tail and ->head. Beside
 * these the threads share three words: which queues were written to (->filled), whether
 * the reader sleeps (->armed), and which writers wait for room (->wanted). Each is set
 * after the index that it tells of, and looked at before it: see egress.c.
 *
 * What was chosen is chosen: it waits in ->stage, in that order, until it is sent. So other
 * weights, or a frame for a queue with more, come behind EGRESS_STAGE_BYTES at most.
 */
#ifndef RINGPACED_EGRESS_H
#define RINGPACED_EGRESS_H

#include "drr.h"
#include "port_ops.h"

#define EGRESS_QUEUE_BYTES_MIN	(128u << 10)
#define EGRESS_QUEUE_BYTES_MAX	(16u << 20)
/* So much is chosen at once, and the last frame whole. */
#define EGRESS_STAGE_BYTES	(16u << 10)

struct egress;

struct egress_queue {
	struct port_queue q;		/* as its writers see it */
	struct egress *to;
	u8 *ring;
	u32 mask;			/* its bytes, less one */
	u64 tail;			/* the writer's, released */
	u64 head;			/* the reader's, released: behind what was sent */
	u64 next;			/* the reader's: behind what was chosen */
	/* The reader's, read relaxed */
	u64 packets, bytes;		/* sent */
	u64 lost;			/* the wire did not take them */
};

struct egress {
	struct port_queue out;
	struct drr drr;			/* the reader's */
	struct egress_queue *queue;
	u32 queues;
	u64 filled, wanted;		/* a bit a queue */
	u32 armed;
	/* The reader's: [first, first + count) of them not yet given back */
	struct egress_staged {
		u64 at;			/* in its queue's ring */
		u32 queue;
	} stage[BATCH_PACKETS];
	u32 first, count;
};

/* Rings of @bytes, a power of two. 0 or -errno; egress_fini() undoes it in both cases. */
int egress_init(struct egress *e, const char *port, u32 queues, u32 bytes);
void egress_fini(struct egress *e);
/* They may be used, or not any more: then what is in them is lost. No thread has any. */
void egress_attach(struct egress *e, bool on);
/* Packets that wait in a queue, and the bytes of its ring that they take. Any thread's. */
u64 egress_waiting(const struct egress_queue *q);
static inline u64 egress_waiting_bytes(const struct egress_queue *q)
{
	/* The later one first: it never looks as if more had gone. */
	u64 head = rp_load_acquire(&q->head);

	return rp_load(&q->tail) - head;
}

#endif /* RINGPACED_EGRESS_H */
