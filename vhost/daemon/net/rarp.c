// SPDX-License-Identifier: GPL-2.0-or-later
/* Sends an announcement in a guest's name. */
#include <stdlib.h>

#include "net_switch.h"
#include "rarp.h"

void rarp_write(u8 frame[RARP_BYTES], const u8 mac[6])
{
	/* Type; Ethernet, IPv4, their addresses' lengths, "who am I?". */
	static const u8 fixed[] = { 0x80, 0x35, 0, 1, 0x08, 0, 6, 4, 0, 3 };

	memset(frame, 0, RARP_BYTES);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac, 6);
	memcpy(frame + 12, fixed, sizeof(fixed));
	memcpy(frame + 22, mac, 6);
	memcpy(frame + 32, mac, 6);
}

struct rarp_order {
	struct port *port;
	struct pacer *by;
	struct batch batch;
};

/* Like a turn: by a pacer that has flows of the switch, as others may have, too. */
static void do_forward(void *arg)
{
	struct rarp_order *o = arg;

	switch_forward(o->port->sw_port, &o->by->turn, &o->batch, rp_tsc());
}

static void to_peer(struct port *p, struct batch *b)
{
	struct port_queue *rx = p->peer->queue[0];

	if (!rx->attached)
		return;
	net_halt(p->peer, 0);
	if (!rx->broken)
		rx->ops->put(rx, b, 0);
	/* Between publishing and the look whether it wants to know: see flow_turn(). */
	rp_mb();
	/* A flow that begins calls who is owed a call; there may be none. */
	if (!rx->broken && rx->ops->peer_wants(rx))
		rx->ops->notify(rx);
	net_settle(p->net);
}

void rarp_send(struct port *p, const u8 mac[6])
{
	struct rarp_order *o = calloc(1, sizeof(*o));
	u8 frame[RARP_BYTES];
	struct batch *b;

	if (!o)
		return;
	o->port = p;
	b = &o->batch;
	rarp_write(frame, mac);
	b->n = b->n_seg = 1;
	b->bytes = RARP_BYTES;
	b->seg[0] = (struct rp_seg){ frame, RARP_BYTES };
	b->pkt[0] = (struct packet){ .bytes = RARP_BYTES, .n_seg = 1, .seg = b->seg };
	if (p->sw) {
		o->by = net_switch_pacer(p->sw);
		pacer_call(o->by, do_forward, o);
	} else if (p->peer) {
		to_peer(p, b);
	}
	free(o);
}
