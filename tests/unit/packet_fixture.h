/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two guests and ringpaced's forwarding between them, without sockets: the
 * sender's TX ring and the receiver's RX ring, each in its own guarded memory.
 */
#ifndef TEST_PACKET_FIXTURE_H
#define TEST_PACKET_FIXTURE_H

#include "../../vhost/daemon/net/vq.h"
#include "ring_fixture.h"

#define PAIR_SLOTS	128u
#define PAIR_BYTES	(64u * GUEST_PAGE)

struct pair {
	struct guest a, b;	/* sender, receiver */
	struct rp_drv da, db;
	struct vq tx, rx;
	struct batch batch;
	u8 bounce[PACKET_MAX_BYTES];
};

static inline struct queue_ring pair_ring(const struct guest *g)
{
	return (struct queue_ring){
		.vring = g->ring, .mem = &g->mem, .event_idx = true,
		.kick_fd = -1, .call_fd = -1, .err_fd = -1,
	};
}

/* False when memory is short. */
static inline bool pair_attach(struct pair *p, const struct offloads *tx_can,
			       const struct offloads *rx_can)
{
	struct queue_ring ra = pair_ring(&p->a), rb = pair_ring(&p->b);

	vq_init(&p->tx, "a", 1);
	vq_init(&p->rx, "b", 0);
	p->batch.bounce = p->bounce;
	return !vq_attach(&p->tx, &ra, tx_can) && !vq_attach(&p->rx, &rb, rx_can);
}

static inline bool pair_init(struct pair *p, const struct offloads *tx_can,
			     const struct offloads *rx_can)
{
	memset(p, 0, sizeof(*p));
	return guest_init(&p->a, PAIR_SLOTS, PAIR_BYTES) &&
	       guest_init(&p->b, PAIR_SLOTS, PAIR_BYTES) &&
	       !rp_drv_init(&p->da, &p->a.ring, true, guest_delta(&p->a)) &&
	       !rp_drv_init(&p->db, &p->b.ring, true, guest_delta(&p->b)) &&
	       pair_attach(p, tx_can, rx_can);
}

static inline void pair_free(struct pair *p)
{
	rp_drv_free(&p->da);
	rp_drv_free(&p->db);
	guest_free(&p->a);
	guest_free(&p->b);
}

/* One turn, as a flow does it: how many packets are dealt with. */
static inline u32 pair_turn(struct pair *p)
{
	struct batch *b = &p->batch;
	u32 n = 0;

	b->n = b->n_seg = b->bytes = 0;
	vq_ops.get(&p->tx.q, b, BATCH_PACKETS);
	if (b->n)
		n = vq_ops.put(&p->rx.q, b, 0);
	vq_ops.done(&p->tx.q, b, n);
	if (n)
		vq_ops.publish(&p->tx.q);
	return n;
}

#endif /* TEST_PACKET_FIXTURE_H */
