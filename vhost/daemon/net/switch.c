// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames from one port of a switch to the others. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "capture/hook.h"
#include "switch.h"

_Static_assert(SWITCH_PAIRS_MAX <= 64 && SWITCH_PORTS_MAX <= 64, "a bit for each");

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

static struct rss_way steer(struct switch_turn *t, const struct switch_port *to,
			    const struct packet *p, u32 pairs)
{
	/* Pairs with the release in rss_share(). */
	struct rss_page *page = rp_load_acquire(&to->rss->page);

	if (page && !(t->steered_ports >> to->index & 1)) {
		t->steered_ports |= 1ULL << to->index;
		rss_page_enter(page, &t->sender);
	}
	return rss_steer(to->rss, p, pairs);
}

/* Which of @to's RX queues, until the end of the turn; false: it receives nothing. */
static bool way_to(struct switch_turn *t, const struct switch_port *in,
		   const struct switch_port *to, const struct packet *p, struct rss_way *way)
{
	/* Pairs with the release in switch_attach(): so many queues are there. */
	u32 pairs = rp_load_acquire(&to->rx_count);

	if (unlikely(!pairs))
		return false;
	if (unlikely(to->by_source))
		*way = (struct rss_way){ .pair = (u16)(to->pair_of[in->index] % pairs) };
	else if (unlikely(to->rss))
		*way = steer(t, to, p, pairs);
	else
		*way = (struct rss_way){ .pair = pairs > 1 ? (u16)(frame_hash(p) % pairs) : 0 };
	return true;
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

static void route_all(struct switch_port *in, struct switch_turn *t, struct batch *b, u64 now_tsc)
{
	const struct switch_route *before = NULL;
	u32 i;

	for (i = 0; i < b->n; i++) {
		struct switch_route *r = &t->route[i];
		struct packet *p = &b->pkt[i];

		if (p->drop)
			continue;
		p->drop = (u8)route(in, p, r, before, now_tsc);
		before = p->drop ? NULL : r;
		if (before && r->to && !way_to(t, in, r->to, p, &r->way))
			p->drop = DROP_NO_PEER;
	}
}

/* ---- Into RX queues ---- */

static void touch(struct switch_turn *t, const struct switch_port *to, u32 pair)
{
	t->touched_ports |= 1ULL << to->index;
	t->touched[to->index] |= 1ULL << pair;
}

static void call_receiver(struct port_queue *q)
{
	if (port_queue_peer_wants(q))
		q->ops->notify(q);
}

static void call_receivers(const struct fwd_switch *s, struct switch_turn *t)
{
	/* One for all: between publishing and the looks at their events; see flow_turn(). */
	if (t->touched_ports)
		rp_mb();
	for (; t->touched_ports; t->touched_ports &= t->touched_ports - 1) {
		u32 port = (u32)__builtin_ctzll(t->touched_ports);
		u64 *pairs = &t->touched[port];

		for (; *pairs; *pairs &= *pairs - 1)
			call_receiver(s->port[port].rx[__builtin_ctzll(*pairs)].q);
	}
}

/* @rx has no buffer for a packet: its owner's. */
static bool may_hold(struct switch_rx *rx, u64 full_tsc, u64 now_tsc)
{
	if (!rx->full_since_tsc || rx->q->packets - rx->full_at >= BATCH_PACKETS) {
		rx->full_since_tsc = now_tsc;
		rx->full_at = rx->q->packets;
	}
	/* Another pacer may have begun it, in a turn that is younger than ours. */
	return (s64)(now_tsc - rx->full_since_tsc) < (s64)full_tsc;
}

static void prepare(struct switch_turn *t, const struct packet *p, const struct switch_route *r,
		    enum vlan_out how)
{
	struct batch *out = &t->out;

	frame_append(out, p, t->front[out->n], &r->head, r->vlan, how);
}

/* What is prepared into a queue of @to that is ours: how many packets are dealt with. */
static u32 put(struct switch_turn *t, const struct switch_port *to, u32 pair)
{
	struct port_queue *q = to->rx[pair].q;
	u32 n;

	if (unlikely(q->broken)) {
		for (n = 0; n < t->out.n; n++)
			t->out.pkt[n].drop = DROP_NO_PEER;
		return n;
	}
	n = q->ops->put(q, &t->out, 0);
	/* Of one that was given up only now its peer is to hear, too: not from its owner. */
	if (n || unlikely(q->broken))
		touch(t, to, pair);
	return n;
}

/* What became of a packet on its way to @to, dropped for @why or not. */
static void count(struct switch_port *to, const struct rss_way *way, u8 why, bool shared)
{
	if (unlikely(why))
		rp_add(&to->rx[way->pair].q->dropped[why], 1);
	else if (unlikely(to->rss))
		rss_count(to->rss, way->entry, shared);
}

/* Packets of @b from @i on that go to the same RX queue; the index behind them. */
static u32 prepare_run(struct switch_turn *t, const struct batch *b, u32 i)
{
	struct switch_port *to = t->route[i].to;
	u32 pair = t->route[i].way.pair;

	do {
		const struct switch_route *r = &t->route[i];
		enum vlan_out how = vlan_out(&to->vlan, &r->head, r->vlan);

		prepare(t, &b->pkt[i], r, how);
		if (how == VLAN_NOT)
			t->out.pkt[t->out.n - 1].drop = DROP_VLAN;
		i++;
	} while (i < b->n && !b->pkt[i].drop && t->route[i].to == to &&
		 t->route[i].way.pair == pair);
	return i;
}

/* A run of packets for one port. The index behind what is dealt with; @i: held up. */
static u32 forward_run(struct switch_turn *t, struct batch *b, u32 i, u64 now_tsc)
{
	struct switch_port *to = t->route[i].to;
	u32 pair = t->route[i].way.pair, end = prepare_run(t, b, i), n, k;
	struct switch_rx *rx = &to->rx[pair];
	pthread_mutex_t *owner = port_queue_own(rx->q);

	n = put(t, to, pair);
	if (i + n < end && !may_hold(rx, to->full_tsc, now_tsc))
		for (; i + n < end; n++)
			if (!t->out.pkt[n].drop)
				t->out.pkt[n].drop = DROP_FULL;
	capture_hook(rx->q, &t->out, 0, n);
	for (k = 0; k < n; k++) {
		b->pkt[i + k].drop = t->out.pkt[k].drop;
		count(to, &t->route[i + k].way, b->pkt[i + k].drop, owner);
	}
	port_queue_disown(owner);
	return i + n;
}

/* One copy of a frame to all; why it did not arrive. */
static enum drop copy_to(struct switch_turn *t, struct switch_port *to, const struct packet *p,
			 const struct rss_way *way, const struct switch_route *r, enum vlan_out how)
{
	struct port_queue *q = to->rx[way->pair].q;
	pthread_mutex_t *owner;

	t->out.n = t->out.n_seg = t->out.bytes = 0;
	prepare(t, p, r, how);
	owner = port_queue_own(q);
	if (!put(t, to, way->pair))
		t->out.pkt[0].drop = DROP_FULL;
	capture_hook(q, &t->out, 0, 1);
	count(to, way, t->out.pkt[0].drop, owner);
	port_queue_disown(owner);
	t->copies++;
	return t->out.pkt[0].drop;
}

/* It has arrived when anybody has it. */
static enum drop flood(struct switch_port *in, struct switch_turn *t, const struct packet *p,
		       const struct switch_route *r)
{
	enum drop why = DROP_NO_PEER, rc;
	struct fwd_switch *s = in->sw;
	struct rss_way way;
	bool arrived = false;
	u32 i;

	for (i = 0; i < s->port_count; i++) {
		struct switch_port *to = &s->port[i];
		enum vlan_out how = vlan_out(&to->vlan, &r->head, r->vlan);

		if (to == in || how == VLAN_NOT || !way_to(t, in, to, p, &way))
			continue;
		rc = copy_to(t, to, p, &way, r, how);
		arrived |= !rc;
		why = rc;
	}
	t->flooded++;
	return arrived ? DROP_NONE : why;
}

static void begin_turn(struct switch_turn *t, const struct batch *b)
{
	t->flooded = t->copies = 0;
	t->steered_ports = 0;
	t->out.bounce = b->bounce;
}

/* All that went by tables that are shared is where it was to go. */
static void end_steering(const struct fwd_switch *s, struct switch_turn *t)
{
	u64 left = t->steered_ports;

	if (likely(!left))
		return;
	for (; left; left &= left - 1)
		rss_page_leave(s->port[__builtin_ctzll(left)].rss->page, &t->sender);
	rss_sender_done(&t->sender);
}

/* What others add to as well is added to once a turn, and only if there is something. */
static void end_turn(struct fwd_switch *s, struct switch_turn *t)
{
	end_steering(s, t);
	call_receivers(s, t);
	if (likely(!t->flooded))
		return;
	__atomic_fetch_add(&s->flooded, t->flooded, __ATOMIC_RELAXED);
	__atomic_fetch_add(&s->flood_copies, t->copies, __ATOMIC_RELAXED);
}

u32 switch_forward(struct switch_port *in, struct switch_turn *t, struct batch *b, u64 now_tsc)
{
	u32 i = 0, next;

	begin_turn(t, b);
	route_all(in, t, b, now_tsc);
	while (i < b->n && t->copies < SWITCH_COPIES) {
		t->out.n = t->out.n_seg = t->out.bytes = 0;
		if (b->pkt[i].drop) {
			i++;
		} else if (t->route[i].to) {
			next = forward_run(t, b, i, now_tsc);
			if (next == i)
				break;
			i = next;
		} else {
			b->pkt[i].drop = (u8)flood(in, t, &b->pkt[i], &t->route[i]);
			i++;
		}
	}
	end_turn(in->sw, t);
	return i;
}

/* ---- Life ---- */

static void share_rx(struct switch_rx *rx, bool shared)
{
	if (rx->q)
		port_queue_share(rx->q, shared ? &rx->owner : NULL);
}

void switch_share(struct fwd_switch *s, bool shared)
{
	u32 i, k;

	s->shared = shared;
	for (i = 0; i < s->port_count; i++)
		for (k = 0; k < s->port[i].pairs; k++)
			share_rx(&s->port[i].rx[k], shared);
}

void switch_close(struct switch_port *p, u32 pair)
{
	/* pacer_pass() is the barrier: those who have seen more queues have ended their turns. */
	if (pair < p->rx_count)
		rp_store(&p->rx_count, pair);
}

void switch_attach(struct switch_port *p, u32 pair, struct port_queue *q)
{
	struct switch_rx *rx = &p->rx[pair];
	u32 n = 0;

	share_rx(rx, false);
	rx->q = q;
	rx->full_since_tsc = rx->full_at = 0;
	share_rx(rx, p->sw->shared);
	while (n < p->pairs && p->rx[n].q)
		n++;
	/* Pairs with the acquire in way_to(). */
	rp_store_release(&p->rx_count, n);
	rp_mb();
	/* A backend that died before us may have owed the driver a call. */
	if (q)
		call_receiver(q);
}

static int port_init(struct fwd_switch *s, u32 i, const struct switch_port_options *o)
{
	struct switch_rx *rx = aligned_alloc(SWITCH_LINE_BYTES, o->pairs * sizeof(*rx));
	u32 k;

	s->port[i] = (struct switch_port){
		.sw = s, .index = i, .vlan = o->vlan, .full_tsc = o->full_tsc, .pairs = o->pairs,
		.rx = rx,
	};
	for (k = 0; rx && k < o->pairs; k++)
		rx[k] = (struct switch_rx){ .owner = PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP };
	return rx ? 0 : -ENOMEM;
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
