// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames from one port of a switch to the others. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "capture/hook.h"
#include "switch.h"

/* ---- Where to ---- */

static bool same_way(const struct switch_route *a, const struct switch_route *b)
{
	return a->vlan == b->vlan && !memcmp(a->head.mac, b->head.mac, sizeof(a->head.mac));
}

/* 01:80:c2:00:00:0x is for bridges themselves (IEEE 802.1D, table 7-10). */
static bool is_reserved(const u8 *mac)
{
	static const u8 reserved[5] = { 0x01, 0x80, 0xc2 };

	return !memcmp(mac, reserved, sizeof(reserved)) && mac[5] < 0x10;
}

static bool is_zero(const u8 *mac)
{
	static const u8 zero[6];

	return !memcmp(mac, zero, sizeof(zero));
}

static enum drop learn_and_find(struct switch_port *in, struct switch_route *r, u64 now_tsc)
{
	const u8 *to = r->head.mac, *from = to + 6;
	struct fdb *f = &in->sw->fdb;
	int port;

	if (mac_is_group(from) || is_zero(from))
		return DROP_SOURCE;
	if (is_reserved(to))
		return DROP_RESERVED;
	fdb_learn(f, fdb_key(from, r->vlan), in->index, now_tsc);
	port = mac_is_group(to) ? -1 : fdb_find(f, fdb_key(to, r->vlan), now_tsc);
	if (port == (int)in->index)
		return DROP_LOCAL;
	r->to = port < 0 ? NULL : &in->sw->port[port];
	return DROP_NONE;
}

/* Which of @to's RX queues. */
static struct rss_way way_to(const struct switch_port *in, const struct switch_port *to,
			     const struct packet *p)
{
	u32 pairs = to->rx_count ? to->rx_count : 1;

	if (unlikely(to->by_source))
		return (struct rss_way){ .pair = (u16)(to->pair_of[in->index] % pairs) };

	if (unlikely(to->rss))
		return rss_steer(to->rss, p, pairs);
	return (struct rss_way){ .pair = pairs > 1 ? (u16)(frame_hash(p) % pairs) : 0 };
}

static enum drop route(struct switch_port *in, const struct packet *p, struct switch_route *r,
		       const struct switch_route *before, u64 now_tsc)
{
	u8 front[VLAN_HEAD_BYTES];

	if (!vlan_parse(&r->head, front, frame_peek(p, front, sizeof(front))))
		return DROP_SIZE;
	r->vlan = vlan_in(&in->vlan, &r->head);
	if (!r->vlan)
		return DROP_VLAN;
	if (!before || !same_way(before, r))
		return learn_and_find(in, r, now_tsc);
	r->to = before->to;
	return DROP_NONE;
}

static void route_all(struct switch_port *in, struct batch *b, u64 now_tsc)
{
	const struct switch_route *before = NULL;
	u32 i;

	for (i = 0; i < b->n; i++) {
		struct switch_route *r = &in->sw->route[i];
		struct packet *p = &b->pkt[i];

		if (p->drop)
			continue;
		p->drop = (u8)route(in, p, r, before, now_tsc);
		before = p->drop ? NULL : r;
		if (before && r->to)
			r->way = way_to(in, r->to, p);
	}
}

/* ---- Into RX queues ---- */

static void touch(struct fwd_switch *s, struct switch_rx *rx)
{
	if (rx->touched)
		return;
	rx->touched = true;
	s->touched[s->touched_count++] = rx;
}

static void call_receivers(struct fwd_switch *s)
{
	u32 i;

	if (!s->touched_count)
		return;
	/* One for all: between publishing and the looks at their events; see flow_turn(). */
	rp_mb();
	for (i = 0; i < s->touched_count; i++) {
		struct switch_rx *rx = s->touched[i];

		rx->touched = false;
		if (rx->q->ops->peer_wants(rx->q))
			rx->q->ops->notify(rx->q);
	}
	s->touched_count = 0;
}

static bool may_hold(struct switch_rx *rx, u64 full_tsc, u64 now_tsc)
{
	if (!rx->full_since_tsc || rx->q->packets - rx->full_at >= BATCH_PACKETS) {
		rx->full_since_tsc = now_tsc;
		rx->full_at = rx->q->packets;
	}
	return now_tsc - rx->full_since_tsc < full_tsc;
}

static void prepare(struct fwd_switch *s, const struct packet *p, const struct switch_route *r,
		    enum vlan_out how)
{
	struct batch *out = &s->out;

	frame_append(out, p, s->front[out->n], &r->head, r->vlan, how);
}

/* What is prepared into @rx: how many packets are dealt with. */
static u32 put(struct fwd_switch *s, struct switch_rx *rx)
{
	u32 n;

	if (unlikely(rx->q->broken)) {
		for (n = 0; n < s->out.n; n++)
			s->out.pkt[n].drop = DROP_NO_PEER;
		return n;
	}
	n = rx->q->ops->put(rx->q, &s->out, 0);
	if (n)
		touch(s, rx);
	return n;
}

/* What became of a packet on its way to @to, dropped for @why or not. */
static void count(struct switch_port *to, const struct rss_way *way, u8 why)
{
	if (unlikely(why))
		rp_add(&to->rx[way->pair].q->dropped[why], 1);
	else if (unlikely(to->rss))
		rss_count(to->rss, way->entry);
}

/* Packets of @b from @i on that go to the same RX queue; the index behind them. */
static u32 prepare_run(struct fwd_switch *s, const struct batch *b, u32 i)
{
	struct switch_port *to = s->route[i].to;
	u32 pair = s->route[i].way.pair;

	do {
		const struct switch_route *r = &s->route[i];
		enum vlan_out how = vlan_out(&to->vlan, &r->head, r->vlan);

		prepare(s, &b->pkt[i], r, how);
		if (how == VLAN_NOT)
			s->out.pkt[s->out.n - 1].drop = DROP_VLAN;
		i++;
	} while (i < b->n && !b->pkt[i].drop && s->route[i].to == to &&
		 s->route[i].way.pair == pair);
	return i;
}

/* A run of packets for one port. The index behind what is dealt with; @i: held up. */
static u32 forward_run(struct fwd_switch *s, struct batch *b, u32 i, u64 now_tsc)
{
	struct switch_port *to = s->route[i].to;
	struct switch_rx *rx;
	u32 end, n, k;

	if (!to->rx_count) {
		b->pkt[i].drop = DROP_NO_PEER;
		return i + 1;
	}
	rx = &to->rx[s->route[i].way.pair];
	end = prepare_run(s, b, i);
	n = put(s, rx);
	if (i + n < end && !may_hold(rx, to->full_tsc, now_tsc))
		for (; i + n < end; n++)
			if (!s->out.pkt[n].drop)
				s->out.pkt[n].drop = DROP_FULL;
	capture_hook(rx->q, &s->out, 0, n);
	for (k = 0; k < n; k++) {
		b->pkt[i + k].drop = s->out.pkt[k].drop;
		count(to, &s->route[i + k].way, b->pkt[i + k].drop);
	}
	return i + n;
}

/* One copy of a frame to all; why it did not arrive. */
static enum drop copy_to(struct switch_port *in, struct switch_port *to, const struct packet *p,
			 const struct switch_route *r, enum vlan_out how)
{
	const struct rss_way way = way_to(in, to, p);
	struct fwd_switch *s = in->sw;

	s->out.n = s->out.n_seg = s->out.bytes = 0;
	prepare(s, p, r, how);
	if (!put(s, &to->rx[way.pair]))
		s->out.pkt[0].drop = DROP_FULL;
	capture_hook(to->rx[way.pair].q, &s->out, 0, 1);
	count(to, &way, s->out.pkt[0].drop);
	s->copies++;
	rp_add(&s->flood_copies, 1);
	return s->out.pkt[0].drop;
}

/* It has arrived when anybody has it. */
static enum drop flood(struct switch_port *in, const struct packet *p,
		       const struct switch_route *r)
{
	enum drop why = DROP_NO_PEER, rc;
	struct fwd_switch *s = in->sw;
	bool arrived = false;
	u32 i;

	for (i = 0; i < s->port_count; i++) {
		struct switch_port *to = &s->port[i];
		enum vlan_out how = vlan_out(&to->vlan, &r->head, r->vlan);

		if (to == in || how == VLAN_NOT || !to->rx_count)
			continue;
		rc = copy_to(in, to, p, r, how);
		arrived |= !rc;
		why = rc;
	}
	rp_add(&s->flooded, 1);
	return arrived ? DROP_NONE : why;
}

u32 switch_forward(struct switch_port *in, struct batch *b, u64 now_tsc)
{
	struct fwd_switch *s = in->sw;
	u32 i = 0, next;

	s->copies = 0;
	s->out.bounce = b->bounce;
	route_all(in, b, now_tsc);
	while (i < b->n && s->copies < SWITCH_COPIES) {
		s->out.n = s->out.n_seg = s->out.bytes = 0;
		if (b->pkt[i].drop) {
			i++;
		} else if (s->route[i].to) {
			next = forward_run(s, b, i, now_tsc);
			if (next == i)
				break;
			i = next;
		} else {
			b->pkt[i].drop = (u8)flood(in, &b->pkt[i], &s->route[i]);
			i++;
		}
	}
	call_receivers(s);
	return i;
}

/* ---- Life ---- */

void switch_attach(struct switch_port *p, u32 pair, struct port_queue *q)
{
	p->rx[pair] = (struct switch_rx){ .q = q };
	for (p->rx_count = 0; p->rx_count < p->pairs && p->rx[p->rx_count].q; p->rx_count++)
		;
	rp_mb();
	/* A backend that died before us may have owed the driver a call. */
	if (q && q->ops->peer_wants(q))
		q->ops->notify(q);
}

static int port_init(struct fwd_switch *s, u32 i, const struct switch_port_options *o)
{
	s->port[i] = (struct switch_port){
		.sw = s, .index = i, .vlan = o->vlan, .full_tsc = o->full_tsc, .pairs = o->pairs,
		.rx = calloc(o->pairs, sizeof(struct switch_rx)),
	};
	return s->port[i].rx ? 0 : -ENOMEM;
}

int switch_init(struct fwd_switch *s, u32 ports, const struct switch_port_options *o,
		u64 age_tsc, u64 fresh_tsc)
{
	u32 macs[SWITCH_PORTS_MAX], i;
	u64 secret;
	int rc;

	if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
		return -errno;
	for (i = 0; i < ports; i++) {
		macs[i] = o[i].macs;
		rc = port_init(s, s->port_count++, &o[i]);
		if (rc < 0)
			return rc;
	}
	rc = fdb_init(&s->fdb, ports, macs, secret);
	s->fdb.age = age_tsc;
	s->fdb.fresh = fresh_tsc;
	return rc;
}

void switch_fini(struct fwd_switch *s)
{
	u32 i;

	for (i = 0; i < s->port_count; i++)
		free(s->port[i].rx);
	fdb_fini(&s->fdb);
}
