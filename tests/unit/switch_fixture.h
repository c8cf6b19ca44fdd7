/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A switch between ports without guests: what is put into an RX queue is kept,
 * up to its room, and frames that are sent lie in pieces of any sizes.
 */
#ifndef TEST_SWITCH_FIXTURE_H
#define TEST_SWITCH_FIXTURE_H

#include "../../vhost/daemon/net/switch.h"

#define FIX_PORTS	4u
#define FIX_PAIRS	4u
#define FIX_KEPT	256u
#define FIX_BYTES	256u

struct kept {
	struct virtio_net_hdr_v1 hdr;
	u32 bytes;
	u8 frame[FIX_BYTES];		/* the front */
};

struct fix_rx {
	struct port_queue q;
	u32 room, n, calls;
	struct kept kept[FIX_KEPT];
};

struct fix {
	struct fwd_switch sw;
	struct fix_rx rx[FIX_PORTS][FIX_PAIRS];
	struct batch b;
	struct switch_turn turn;
};

static inline u32 fix_put(struct port_queue *q, struct batch *b, u32 from)
{
	struct fix_rx *rx = (struct fix_rx *)q;
	u32 i;

	for (i = from; i < b->n; i++) {
		const struct packet *p = &b->pkt[i];
		struct kept *k = &rx->kept[rx->n];

		if (p->drop)
			continue;
		if (rx->n == rx->room)
			break;
		k->hdr = p->hdr;
		k->bytes = p->bytes;
		frame_peek(p, k->frame, FIX_BYTES);
		rx->n++;
		q->packets++;
	}
	return i;
}

static inline bool fix_wants(struct port_queue *q)
{
	return true;
}

static inline void fix_notify(struct port_queue *q)
{
	((struct fix_rx *)q)->calls++;
}

static const struct rp_port_ops fix_ops = {
	.put = fix_put, .peer_wants = fix_wants, .notify = fix_notify,
};

static inline bool fix_init(struct fix *x, const struct switch_port_options *o)
{
	u32 i, k;

	memset(x, 0, sizeof(*x));
	if (switch_init(&x->sw, FIX_PORTS, o, INT64_MAX, 0) < 0)
		return false;
	for (i = 0; i < FIX_PORTS; i++)
		for (k = 0; k < o[i].pairs; k++) {
			x->rx[i][k].q.ops = &fix_ops;
			x->rx[i][k].room = FIX_KEPT;
			switch_attach(&x->sw.port[i], k, &x->rx[i][k].q);
			x->rx[i][k].calls = 0;
		}
	return true;
}

/* The batch, from @port: how many are dealt with. */
static inline u32 fix_forward(struct fix *x, u32 port, u64 now)
{
	return switch_forward(&x->sw.port[port], &x->turn, &x->b, now);
}

static inline void fix_begin(struct fix *x)
{
	x->b.n = x->b.n_seg = x->b.bytes = 0;
}

/* Appends a frame to the batch, in pieces of the sizes in @cut and a last one; 0 ends it. */
static inline struct packet *fix_add(struct fix *x, void *frame, u32 bytes, const u32 *cut)
{
	struct packet *p = &x->b.pkt[x->b.n++];
	u8 *at = frame;
	u32 n;

	*p = (struct packet){ .bytes = bytes, .seg = &x->b.seg[x->b.n_seg] };
	while (bytes) {
		n = cut && *cut && *cut < bytes ? *cut++ : bytes;
		x->b.seg[x->b.n_seg++] = (struct rp_seg){ at, n };
		p->n_seg++;
		at += n;
		bytes -= n;
	}
	return p;
}

#endif /* TEST_SWITCH_FIXTURE_H */
