/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What ringpaced's control socket gives orders to, without guests: a virtio-pc device, and
 * ports that are linked, steer, are in a switch and have an egress, whose pacers have no
 * threads but are turned by the caller. What must hold after any order aborts if it does
 * not, so that a fuzzer finds it, too. Included once by a program: it takes pacer.c's place.
 */
#ifndef TEST_CONTROL_NET_H
#define TEST_CONTROL_NET_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../vhost/daemon/devices.h"
#include "../../vhost/daemon/net/net_egress.h"
#include "../../vhost/daemon/net/net_rss.h"
#include "../../vhost/daemon/net/net_switch.h"
#include "../../vhost/daemon/worker.h"
#include "eth/rss_page.h"

#define NET_BED_HZ	2000000000u
#define NET_BED_PAIRS	4u
#define NET_BED_FLOWS	32u
#define NET_BED_FRAME	60u

/* ---- Pacers without threads ---- */

struct pacer_entry {
	struct flow *flow;
};

int pacer_start(struct pacer *w, u32 index, int cpu, u32 room, u64 hz, struct watchdog *d)
{
	memset(w, 0, sizeof(*w));
	w->index = index;
	w->turn.sender.index = index;
	w->cpu = cpu;
	w->room = room < NET_BED_FLOWS ? room : NET_BED_FLOWS;
	w->watchdog = d;
	rp_clock_init(&w->clock, hz);
	w->batch.bounce = malloc(PACKET_MAX_BYTES);
	w->entry = calloc(w->room, sizeof(*w->entry));
	return w->batch.bounce && w->entry ? 0 : -ENOMEM;
}

void pacer_end(struct pacer *w)
{
	if (w->flows)
		abort();
	free(w->batch.bounce);
	free(w->entry);
}

int pacer_give(struct pacer *w, struct flow *f)
{
	if (w->flows == w->room)
		return -ENOSPC;
	w->entry[w->flows++].flow = f;
	f->turn = &w->turn;
	f->alone = w->flows == 1;
	flow_start(f);
	return 0;
}

void pacer_take(struct pacer *w, struct flow *f)
{
	u32 i;

	for (i = 0; i < w->flows && w->entry[i].flow != f; i++)
		;
	if (i == w->flows)
		abort();
	if (f->state != FLOW_RUNS)
		flow_resume(f, RP_WAKE_STOP);
	flow_stop(f);
	w->entry[i] = w->entry[--w->flows];
}

void pacer_call(struct pacer *w, void (*call)(void *arg), void *arg)
{
	call(arg);
}

/* No turn is ever on its way while there is an order. */
void pacer_pass(struct pacer *w)
{
}

bool pacer_check(struct pacer *w)
{
	return false;
}

u64 pacer_cpu_ns(const struct pacer *w)
{
	return 0;
}

static inline void net_bed_turn(struct pacer *w)
{
	u32 i;

	for (i = 0; i < w->flows; i++) {
		struct flow *f = w->entry[i].flow;

		if (f->state != FLOW_RUNS)
			flow_resume(f, f->blocked ? RP_WAKE_NOTIFIED : RP_WAKE_TIMEOUT);
		flow_turn(f, &w->batch, rp_tsc());
	}
}

/* ---- A port whose queues have frames, or room for some, as the caller says ---- */

struct bed_queue {
	struct port_queue q;
	u32 left;		/* frames that wait (TX), or buffers (RX) */
	u32 seq;
};

struct bed_port {
	struct port port;
	bool nic;		/* what others send to it goes through an egress, to ->wire */
	struct net_egress egress;
	struct bed_queue wire;
	struct bed_queue queue[2 * NET_BED_PAIRS];
};

static struct bed_queue *bed_queue_of(struct port_queue *q)
{
	return container_of(q, struct bed_queue, q);
}

/* UDP of some flow, from a station behind the queue's port to one behind another. */
static void bed_frame(const struct bed_queue *q, u8 *f)
{
	memset(f, 0, NET_BED_FRAME);
	f[0] = f[6] = 2;
	f[5] = (u8)("abcdn"[q->seq % 5]);
	f[10] = (u8)(q->seq / 5 % 3);
	f[11] = (u8)q->q.port[0];
	f[12] = 0x08;
	f[14] = 0x45;
	f[23] = 17;
	f[29] = (u8)q->seq;
}

static void bed_get(struct port_queue *pq, struct batch *b, u32 max)
{
	static u8 frame[BATCH_PACKETS][NET_BED_FRAME];
	struct bed_queue *q = bed_queue_of(pq);

	/* What done() does not give back comes again: it is the same frame then. */
	for (; b->n < max && b->n < q->left; b->n++) {
		const struct bed_queue at = { .q = q->q, .seq = q->seq + b->n };

		bed_frame(&at, frame[b->n]);
		b->seg[b->n_seg] = (struct rp_seg){ frame[b->n], NET_BED_FRAME };
		b->pkt[b->n] = (struct packet){
			.bytes = NET_BED_FRAME, .n_seg = 1, .seg = &b->seg[b->n_seg++],
		};
		b->bytes += NET_BED_FRAME;
	}
}

static void bed_done(struct port_queue *pq, const struct batch *b, u32 n)
{
	struct bed_queue *q = bed_queue_of(pq);
	struct port_sum sum = { 0 };
	u32 i;

	if (n > q->left || n > b->n)
		abort();
	for (i = 0; i < n; i++)
		port_sum_done(&sum, pq, &b->pkt[i]);
	port_queue_add(pq, &sum);
	q->left -= n;
	q->seq += n;
}

static u32 bed_put(struct port_queue *pq, struct batch *b, u32 from)
{
	struct bed_queue *q = bed_queue_of(pq);
	struct port_sum sum = { 0 };

	for (; from < b->n; from++) {
		if (b->pkt[from].drop)
			continue;
		if (!q->left)
			break;
		q->left--;
		port_sum_packet(&sum, &b->pkt[from]);
	}
	port_queue_add(pq, &sum);
	return from;
}

static u32 bed_ready(struct port_queue *q)
{
	return bed_queue_of(q)->left;
}

static bool bed_backlog(struct port_queue *q, u32 *most, u32 *told)
{
	*most = *told = bed_queue_of(q)->left;
	return true;
}

static bool bed_waiting(struct port_queue *q, u32 *n)
{
	*n = bed_queue_of(q)->left;
	return true;
}

static bool bed_wants(struct port_queue *q)
{
	return bed_queue_of(q)->left & 1;
}

static void bed_notify(struct port_queue *q)
{
}

static bool bed_arm(struct port_queue *q, u32 k)
{
	return bed_queue_of(q)->left < k;
}

static void bed_disarm(struct port_queue *q)
{
}

static const struct rp_port_ops bed_ops = {
	.get = bed_get, .done = bed_done, .put = bed_put, .ready = bed_ready,
	.backlog = bed_backlog, .waiting = bed_waiting, .peer_wants = bed_wants,
	.notify = bed_notify, .arm = bed_arm, .disarm = bed_disarm,
};

static void bed_queue_init(struct bed_queue *q, const struct port *p, u32 index)
{
	q->q = (struct port_queue){
		.ops = &bed_ops, .port = p->opt.name, .index = index, .size = 256, .kick_fd = -1,
	};
}

static void bed_destroy(struct port *port)
{
	struct bed_port *p = container_of(port, struct bed_port, port);

	if (p->nic)
		net_egress_fini(&p->egress);
	port_fini(port);
	free(p);
}

static struct port *bed_create(const struct port_options *o)
{
	struct bed_port *p = calloc(1, sizeof(*p));
	u32 i;

	if (!p || o->pairs > NET_BED_PAIRS || !port_init(&p->port, o))
		abort();
	for (i = 0; i < 2 * o->pairs; i++) {
		bed_queue_init(&p->queue[i], &p->port, i);
		p->port.queue[i] = &p->queue[i].q;
	}
	p->nic = !strcmp(o->name, "n");
	if (p->nic) {
		bed_queue_init(&p->wire, &p->port, 0);
		if (net_egress_init(&p->egress, &p->port, &p->wire.q))
			abort();
		for (i = 0; i < o->pairs; i++)
			p->port.queue[2 * i] = &p->egress.egress.queue[i].q;
	}
	port_begin(&p->port);
	return &p->port;
}

static int bed_attach(struct port *port, struct loop *loop, gid_t gid, char *why,
		      size_t why_bytes)
{
	struct bed_port *p = container_of(port, struct bed_port, port);
	u32 i;

	for (i = 0; i < 2 * port->opt.pairs; i++)
		port->queue[i]->attached = true;
	p->wire.q.attached = true;
	if (p->nic)
		egress_attach(&p->egress.egress, true);
	return 0;
}

static void bed_detach(struct port *port)
{
	struct bed_port *p = container_of(port, struct bed_port, port);
	u32 i;

	for (i = 0; i < 2 * port->opt.pairs; i++) {
		net_halt(port, i);
		port->queue[i]->attached = false;
	}
	net_egress_halt(port);
	if (p->nic)
		egress_attach(&p->egress.egress, false);
}

static bool bed_link_up(const struct port *port)
{
	return true;
}

static const struct port_kind bed_kind = {
	.name = "bed", .address = "socket", .create = bed_create, .destroy = bed_destroy,
	.open = bed_attach, .close = bed_detach, .link_up = bed_link_up,
};

/* ---- All of it ---- */

static struct device bed_pc;
static struct net bed_net;
static struct devices bed_devices = { .count = 1, .dev = { &bed_pc }, .net = &bed_net };

static inline void net_bed_options(struct net_options *o)
{
	static const char *const port[] = {
		"a,socket=/nowhere/a,pairs=4,rss=16", "b,socket=/nowhere/b,pairs=2",
		"c,socket=/nowhere/c,pairs=2,vlan=7,rss=8,macs=8",
		"d,socket=/nowhere/d,trunk=7+9-12,macs=8", "n,socket=/nowhere/n,pairs=3,vlan=7,macs=8",
		"v,socket=/nowhere/v,pairs=2",
	};
	static char text[8][64];
	u32 i;

	memset(o, 0, sizeof(*o));
	for (i = 0; i < sizeof(port) / sizeof(port[0]); i++) {
		if (net_parse_port(strcpy(text[i], port[i]), o))
			abort();
		/* The last one stays what it is: of a guest that never comes. */
		if (port[i][0] != 'v')
			o->port[i].kind = &bed_kind;
		o->port[i].nic.queue_bytes = EGRESS_QUEUE_BYTES_MIN;
	}
	if (net_parse_link(strcpy(text[i], "a,b"), o) ||
	    net_parse_switch(strcpy(text[i + 1], "s,ports=c+d+n,age-s=60"), o))
		abort();
	o->cpu[0] = o->cpu[1] = -1;
	o->pacer_count = 2;
}

static inline void net_bed_open(struct loop *loop)
{
	static const struct device_options pc = {
		.name = "pc0", .socket = "/nowhere/pc0", .pairs = 1, .item_bytes = 64,
	};
	static struct net_options o;
	char why[320];

	worker_setup();
	queue_tsc_hz = NET_BED_HZ;
	net_bed_options(&o);
	if (device_init(&bed_pc, &pc) || net_init(&bed_net, &o, NET_BED_HZ) ||
	    net_open(&bed_net, loop, (gid_t)-1, why, sizeof(why)))
		abort();
}

static inline void net_bed_close(void)
{
	net_fini(&bed_net);
	device_fini(&bed_pc);
}

/* @n frames at each TX queue, @room buffers at each RX queue, and a turn of all. */
static inline void net_bed_play(u32 n, u32 room)
{
	u32 i, k;

	for (i = 0; i < bed_net.port_count; i++) {
		struct bed_port *p = container_of(bed_net.port[i], struct bed_port, port);

		for (k = 0; p->port.opt.kind == &bed_kind && k < 2 * p->port.opt.pairs; k++)
			p->queue[k].left = k & 1 ? n : room;
		if (p->port.opt.kind == &bed_kind)
			p->wire.left = room;
	}
	for (i = 0; i < bed_net.pacer_count; i++)
		net_bed_turn(&bed_net.pacer[i]);
}

/* Who shares the table of the @i-th port that does writes @pair, whatever it is, into it. */
static inline void net_bed_steer(u32 i, u32 entry, u16 pair)
{
	u32 k;

	for (k = 0; k < bed_net.port_count; k++) {
		const struct rss *r = bed_net.port[k]->rss->made;

		if (r && r->page && !i--)
			rp_store(&r->page->pair[entry % RSS_ENTRIES_MAX], pair);
	}
}

/* ---- What must hold ---- */

/* Pacers that write RX queue @q of @to, a bit each. */
static inline u64 net_bed_writers(const struct port *to, const struct port_queue *q)
{
	u64 found = 0;
	u32 i, k;

	for (i = 0; i < bed_net.port_count; i++) {
		const struct port *p = bed_net.port[i];

		for (k = 0; k < p->opt.pairs; k++) {
			const struct flow *f = &p->flow[k].flow;

			if (p->flow[k].at && (f->via ? p->sw == to->sw :
					      f->spread ? f->spread == &to->rss->spread : f->rx == q))
				found |= 1ULL << p->flow[k].at->index;
		}
	}
	return found;
}

/* Nobody is in a turn, nor has it ended while it is in use. */
static inline void net_bed_check_page(const struct rss_page *page)
{
	u32 i;

	for (i = 0; i < RSS_PAGE_SENDERS; i++)
		if (page->sender[i].turn & 1)
			abort();
	if (page->ended)
		abort();
}

static inline void net_bed_check_port(struct port *p)
{
	const struct rss_config *c = net_rss_config(p);
	u64 writers;
	u32 i;

	for (i = 0; i < p->opt.pairs; i++) {
		/* What can be sent is some pacer's, and the right one's. */
		if (!!p->flow[i].at != p->queue[2 * i + 1]->attached ||
		    (p->flow[i].at && p->flow[i].at != net_place_of(p, i)))
			abort();
		/* A limit is one pacer's. */
		if (p->flow[i].at && (p->flow[i].flow.limit != (p->limit.on ? &p->limit : NULL) ||
				      (p->limit.on && p->flow[i].at != p->flow[0].at)))
			abort();
		/* Where several pacers write there is a lock. */
		writers = net_bed_writers(p, p->queue[2 * i]);
		if (p->queue[2 * i]->attached && writers & (writers - 1) && !p->queue[2 * i]->owner)
			abort();
	}
	if (!c->entries || c->entries > RSS_ENTRIES_MAX || c->unclassified >= p->opt.pairs ||
	    p->rss->set.on != !!p->rss->made)
		abort();
	/* Who shares it may have written any number. */
	for (i = 0; i < c->entries; i++)
		if (c->pair[i] >= p->opt.pairs ||
		    (p->rss->made && p->rss->made->pair[i] % p->opt.pairs != c->pair[i]))
			abort();
	if (p->rss->made && p->rss->made->page)
		net_bed_check_page(p->rss->made->page);
	if (p->egress && p->egress->at != &bed_net.pacer[p->egress->pacer])
		abort();
}

static inline void net_bed_check(void)
{
	u32 i;

	for (i = 0; i < bed_net.port_count; i++)
		net_bed_check_port(bed_net.port[i]);
}

#endif /* TEST_CONTROL_NET_H */
