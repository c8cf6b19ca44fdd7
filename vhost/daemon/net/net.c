// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports, links and pacers: which flow is where. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "net_switch.h"

struct port *net_find(const struct net *n, const char *name)
{
	u32 i;

	for (i = 0; i < n->port_count; i++)
		if (!strcmp(n->port[i]->opt.name, name))
			return n->port[i];
	return NULL;
}

/* How many pairs, from 0 on, the guest can receive on. */
static u32 rx_pairs(const struct port *p)
{
	u32 i;

	for (i = 0; i < p->opt.pairs && p->queue[2 * i]->attached; i++)
		;
	return i;
}

/* The RX pair that TX pair @i of @p goes to; false: there is none. */
static bool rx_pair(const struct port *p, u32 i, u32 *pair)
{
	u32 pairs = p->peer ? rx_pairs(p->peer) : 0;

	if (pairs)
		*pair = i % pairs;
	return pairs;
}

static void take(struct port_flow *f)
{
	if (f->at)
		pacer_take(f->at, &f->flow);
	f->at = NULL;
}

/*
 * The pacer for a flow. Those that share an RX queue share a thread, too: that
 * of the one that owns the queue, or of the switch.
 */
static struct pacer *place(struct port *p, u32 i)
{
	u32 owner = i;

	if (p->sw)
		return net_switch_pacer(p->sw);
	rx_pair(p, i, &owner);
	return &p->net->pacer[p->flow[owner].pacer];
}

static void settle(struct port *p, u32 i)
{
	struct port_flow *f = &p->flow[i];
	struct port_queue *rx = NULL;
	u32 pair = 0;
	int rc;

	if (rx_pair(p, i, &pair))
		rx = p->peer->queue[2 * pair];
	if (f->at && f->flow.rx == rx && f->at == place(p, i))
		return;
	take(f);
	if (!p->queue[2 * i + 1]->attached)
		return;
	f->flow.via = p->sw_port;
	f->flow.rx = rx;
	f->flow.owns_rx = rx && pair == i;
	flow_begin(&f->flow, &p->opt.pacing, rx ? &p->peer->opt.pacing : &p->opt.pacing,
		   p->net->hz);
	rc = pacer_give(place(p, i), &f->flow);
	if (rc == 0)
		f->at = place(p, i);
	else
		log_error("%s: queue %u: cannot be served: %s", p->opt.name, 2 * i + 1,
			  strerror(-rc));
}

/* What @p takes goes off @can, if anybody is there. */
static void limit(struct offloads *can, bool *any, const struct port *p)
{
	if (!rx_pairs(p))
		return;
	*any = true;
	can->csum &= p->rx_can.csum;
	can->tso4 &= p->rx_can.tso4;
	can->tso6 &= p->rx_can.tso6;
	can->ecn &= p->rx_can.ecn;
}

static void tell_offloads(struct port *p)
{
	struct offloads can = { .csum = true, .tso4 = true, .tso6 = true, .ecn = true };
	bool any = false;
	u32 i;

	if (p->peer)
		limit(&can, &any, p->peer);
	for (i = 0; p->sw && i < p->sw->port_count; i++)
		if (p->sw->port[i] != p)
			limit(&can, &any, p->sw->port[i]);
	p->opt.kind->peers_can(p, any ? &can : &(struct offloads){ 0 });
}

void net_settle(struct net *n)
{
	u32 i, k;

	for (i = 0; i < n->port_count; i++)
		if (n->port[i]->opt.kind->peers_can)
			tell_offloads(n->port[i]);

	for (i = 0; i < n->port_count; i++) {
		if (n->port[i]->sw)
			net_switch_settle(n->port[i]);
		for (k = 0; k < n->port[i]->opt.pairs; k++)
			settle(n->port[i], k);
	}
}

void net_halt(struct port *p, u32 i)
{
	u32 k;

	if (i & 1) {
		take(&p->flow[i / 2]);
		return;
	}
	if (p->sw)
		net_switch_halt(p, i);
	for (k = 0; p->peer && k < p->peer->opt.pairs; k++)
		if (p->peer->flow[k].flow.rx == p->queue[i])
			take(&p->peer->flow[k]);
}

void net_link_down(struct port *p)
{
	/* Its addresses may turn up elsewhere, and send nothing there for long. */
	if (p->sw)
		net_switch_flush(p->sw, p, 0);
}

int net_move(struct port *p, u32 i, u32 pacer)
{
	if (i >= p->opt.pairs || pacer >= p->net->pacer_count)
		return -EINVAL;
	if (p->sw)
		net_switch_move(p->sw, pacer);
	else
		p->flow[i].pacer = pacer;
	net_settle(p->net);
	return 0;
}

void net_set(struct port *p, const struct flow_params *set)
{
	u32 i;

	/* What others send into a switch is not paced by this port. */
	for (i = 0; i < 2 * p->opt.pairs; i++)
		if ((i & 1) || !p->sw)
			net_halt(p, i);
	p->opt.pacing = *set;
	net_settle(p->net);
}

/* ---- Life ---- */

static void on_timer(struct loop_source *src, u32 events)
{
	struct net *n = container_of(src, struct net, timer);
	bool busy = false;
	u64 times;
	u32 i;

	if (read(src->fd, &times, sizeof(times)) != sizeof(times))
		return;
	rp_store(&n->watchdog.armed, 0);
	/* Armed before busy: see watchdog.h. */
	rp_mb();
	for (i = 0; i < n->pacer_count; i++)
		busy |= pacer_check(&n->pacer[i]);
	if (busy)
		watchdog_start(&n->watchdog);
}

static void link_ports(struct net *n, const struct net_options *o)
{
	u32 i;

	for (i = 0; i < o->link_count; i++) {
		struct port *a = n->port[o->link[i][0]], *b = n->port[o->link[i][1]];

		a->peer = b;
		b->peer = a;
	}
}

static int make_switches(struct net *n, const struct net_options *o)
{
	int rc;

	n->sw = calloc(o->switch_count, sizeof(*n->sw));
	if (!n->sw)
		return o->switch_count ? -ENOMEM : 0;
	while (n->switch_count < o->switch_count) {
		u32 i = n->switch_count++;

		rc = net_switch_init(&n->sw[i], n, &o->sw[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int start_pacers(struct net *n, const struct net_options *o, u32 flows)
{
	int rc;

	n->pacer = calloc(o->pacer_count, sizeof(*n->pacer));
	if (!n->pacer)
		return -ENOMEM;
	while (n->pacer_count < o->pacer_count) {
		u32 i = n->pacer_count++;

		rc = pacer_start(&n->pacer[i], i, o->cpu[i], flows, n->hz, &n->watchdog);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int net_init(struct net *n, const struct net_options *o, u64 hz)
{
	u32 k, flows = 0;
	int rc;

	memset(n, 0, sizeof(*n));
	n->hz = hz;
	n->timer.fd = n->watchdog.fd = -1;
	if (!o->port_count)
		return 0;
	rc = watchdog_init(&n->watchdog);
	if (rc < 0)
		return rc;
	n->port = calloc(o->port_count, sizeof(*n->port));
	if (!n->port)
		return -ENOMEM;
	while (n->port_count < o->port_count) {
		const struct port_options *opt = &o->port[n->port_count];
		struct port *p = opt->kind->create(opt);

		if (!p)
			return -ENOMEM;
		p->net = n;
		n->port[n->port_count++] = p;
		for (k = 0; k < p->opt.pairs; k++)
			p->flow[k].pacer = flows++ % o->pacer_count;
	}
	link_ports(n, o);
	rc = make_switches(n, o);
	return rc < 0 ? rc : start_pacers(n, o, flows);
}

int net_open(struct net *n, struct loop *loop, gid_t gid, char *why, size_t why_bytes)
{
	u32 i;
	int rc;

	n->loop = loop;
	n->timer.fd = n->watchdog.fd;
	n->timer.ready = on_timer;
	rc = n->port_count ? loop_add(loop, &n->timer, EPOLLIN) : 0;
	if (rc < 0) {
		snprintf(why, why_bytes, "cannot watch the pacers: %s", strerror(-rc));
		return -1;
	}
	for (i = 0; i < n->port_count; i++)
		if (n->port[i]->opt.kind->open(n->port[i], loop, gid, why, why_bytes) < 0)
			return -1;
	net_settle(n);
	return 0;
}

void net_check_memory(struct net *n)
{
	u32 i;

	for (i = 0; i < n->port_count; i++)
		if (n->port[i]->opt.kind->check_memory)
			n->port[i]->opt.kind->check_memory(n->port[i]);
}

void net_fini(struct net *n)
{
	u32 i;

	for (i = 0; i < n->port_count; i++)
		n->port[i]->opt.kind->close(n->port[i]);
	for (i = 0; i < n->pacer_count; i++)
		pacer_end(&n->pacer[i]);
	if (n->port_count)
		watchdog_fini(&n->watchdog);
	for (i = 0; i < n->port_count; i++)
		n->port[i]->opt.kind->destroy(n->port[i]);
	for (i = 0; i < n->switch_count; i++)
		net_switch_fini(&n->sw[i]);
	free(n->sw);
	free(n->pacer);
	free(n->port);
}
