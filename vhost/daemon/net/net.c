// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports, links and pacers: which flow is where. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ethdev_load.h"
#include "log/log.h"
#include "net_egress.h"
#include "net_rss.h"
#include "net_switch.h"
#include "sandbox/sandbox.h"

struct port *net_find(const struct net *n, const char *name)
{
	u32 i;

	for (i = 0; i < n->port_count; i++)
		if (!strcmp(n->port[i]->opt.name, name))
			return n->port[i];
	return NULL;
}

u32 net_rx_pairs(const struct port *p)
{
	u32 i;

	for (i = 0; i < p->opt.pairs && p->queue[2 * i]->attached; i++)
		;
	return i;
}

/* The RX pair that TX pair @i of @p goes to; false: there is none. */
static bool rx_pair(const struct port *p, u32 i, u32 *pair)
{
	u32 pairs = p->peer ? net_rx_pairs(p->peer) : 0;

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
 * Whose pacer serves flow @i: those that share an RX queue share a thread, too,
 * that of the one that owns the queue, unless the peer steers.
 */
static u32 owner_of(const struct port *p, u32 i)
{
	u32 owner = i;

	/* A limit's buckets are one thread's. */
	if (p->limit.on)
		return 0;
	if (!net_rss_spread(p))
		rx_pair(p, i, &owner);
	return owner;
}

struct pacer *net_place_of(struct port *p, u32 i)
{
	return &p->net->pacer[p->flow[owner_of(p, i)].pacer];
}

static void settle(struct port *p, u32 i)
{
	struct port_flow *f = &p->flow[i];
	struct spread *spread = net_rss_spread(p);
	struct port_queue *rx = NULL;
	u32 pair = 0;
	int rc;

	if (!spread && rx_pair(p, i, &pair))
		rx = p->peer->queue[2 * pair];
	if (f->at && f->flow.rx == rx && f->flow.spread == spread && f->at == net_place_of(p, i))
		return;
	take(f);
	if (!p->queue[2 * i + 1]->attached)
		return;
	f->flow.via = p->sw_port;
	f->flow.rx = rx;
	f->flow.spread = spread;
	f->flow.owns_rx = rx && pair == i;
	f->flow.limit = p->limit.on ? &p->limit : NULL;
	flow_begin(&f->flow, &p->opt.pacing, rx ? &p->peer->opt.pacing : &p->opt.pacing,
		   p->net->hz);
	rc = pacer_give(net_place_of(p, i), &f->flow);
	if (rc == 0)
		f->at = net_place_of(p, i);
	else
		log_error("%s: queue %u: cannot be served: %s", p->opt.name, 2 * i + 1,
			  strerror(-rc));
}

/* What @p takes goes off @can, if anybody is there. */
static void limit(struct offloads *can, bool *any, const struct port *p)
{
	if (!net_rx_pairs(p))
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

	for (i = 0; i < n->port_count; i++) {
		if (n->port[i]->opt.kind->peers_can)
			tell_offloads(n->port[i]);
		net_rss_settle(n->port[i]);
		net_egress_settle(n->port[i]);
	}

	for (i = 0; i < n->port_count; i++)
		net_rss_share(n->port[i]);
	for (i = 0; i < n->switch_count; i++)
		net_switch_share(n->sw[i]);
	/* Who receives first: nothing is dropped for want of a receiver. */
	for (i = 0; i < n->port_count; i++)
		if (n->port[i]->sw)
			net_switch_settle(n->port[i]);
	for (i = 0; i < n->port_count; i++)
		for (k = 0; k < n->port[i]->opt.pairs; k++)
			settle(n->port[i], k);
	for (i = 0; i < n->port_count; i++)
		net_rss_unshare(n->port[i]);
	for (i = 0; i < n->switch_count; i++)
		net_switch_unshare(n->sw[i]);
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
		if (p->peer->flow[k].flow.rx == p->queue[i] ||
		    p->peer->flow[k].flow.spread == &p->rss->spread)
			take(&p->peer->flow[k]);
}

void net_link_down(struct port *p)
{
	/* Its addresses may turn up elsewhere, and send nothing there for long. */
	if (p->sw)
		net_switch_flush(p->sw, p, 0);
}

/* Takes all that sends. */
static void halt_tx(struct port *p)
{
	u32 i;

	for (i = 0; i < p->opt.pairs; i++)
		take(&p->flow[i]);
}

/* Of a link all that write the same RX queue stop first: two pacers must not have it unknowing. */
static void move_pair(struct port *p, u32 i, u32 pacer)
{
	i = owner_of(p, i);
	if (p->peer && !net_rss_spread(p) && i < p->peer->opt.pairs)
		net_halt(p->peer, 2 * i);
	p->flow[i].pacer = pacer;
}

int net_move(struct port *p, u32 i, u32 pacer)
{
	if (i >= p->opt.pairs || pacer >= p->net->pacer_count)
		return -EINVAL;
	/* All at once, as they share the limit. */
	if (p->limit.on)
		halt_tx(p);
	move_pair(p, i, pacer);
	net_settle(p->net);
	return 0;
}

void net_place(struct port *p, const struct port_options *o)
{
	u32 i;

	memcpy(p->opt.pacer, o->pacer, sizeof(p->opt.pacer));
	p->opt.pacers = o->pacers;
	if (!o->pacers && !p->sw)
		return;
	/* All at once: some may share a receiver, or a limit. */
	halt_tx(p);
	if (p->sw)
		net_switch_place_port(p);
	for (i = 0; i < p->opt.pairs && !p->sw; i++)
		p->flow[i].pacer = o->pacer[i % o->pacers];
	if (o->pacers)
		net_egress_place(p, o->pacer[0]);
}

void net_halt_pacing(struct port *p)
{
	u32 i;

	net_egress_halt(p);
	/* What others send into a switch is not paced by this port. */
	for (i = 0; i < 2 * p->opt.pairs; i++)
		if ((i & 1) || !p->sw)
			net_halt(p, i);
}

void net_set(struct port *p, const struct flow_params *set)
{
	net_halt_pacing(p);
	p->opt.pacing = *set;
	net_settle(p->net);
}

void net_take_limit(struct port *p, const struct limit_params *set)
{
	halt_tx(p);
	p->opt.limit = *set;
	limit_begin(&p->limit, set, p->net->hz, rp_tsc());
}

void net_set_limit(struct port *p, const struct limit_params *set)
{
	net_take_limit(p, set);
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

/* Of the options' port; NULL: it could not be opened. */
static struct port *port_at(const struct net *n, const struct net_options *o, u32 index)
{
	return net_find(n, o->port[index].name);
}

static void link_ports(struct net *n, const struct net_options *o)
{
	u32 i;

	for (i = 0; i < o->link_count; i++) {
		struct port *a = port_at(n, o, o->link[i][0]), *b = port_at(n, o, o->link[i][1]);

		if (!a || !b)
			continue;
		a->peer = b;
		b->peer = a;
	}
}

static int make_switch(struct net *n, const struct net_options *o, const struct switch_options *so)
{
	struct port *member[SWITCH_PORTS_MAX];
	struct net_switch *s = calloc(1, sizeof(*s));
	u32 i, count = 0;
	int rc;

	if (!s)
		return -ENOMEM;
	for (i = 0; i < so->port_count; i++) {
		member[count] = port_at(n, o, so->port[i]);
		count += !!member[count];
	}
	rc = net_switch_init(s, n, so, member, count);
	if (rc < 0)
		net_switch_fini(s);
	else
		n->sw[n->switch_count++] = s;
	return rc;
}

int net_connect(struct net *n, const struct net_options *o)
{
	int rc = 0;
	u32 i;

	link_ports(n, o);
	for (i = 0; i < o->switch_count && rc == 0; i++)
		if (!net_switch_find(n, o->sw[i].name))
			rc = make_switch(n, o, &o->sw[i]);
	for (i = 0; i < n->port_count && rc == 0; i++)
		rc = net_rss_begin(n->port[i]);
	return rc;
}

static void end_pacers(struct net *n)
{
	u32 i;

	for (i = 0; i < n->pacer_count; i++)
		pacer_end(&n->pacer[i]);
	free(n->pacer);
	n->pacer = NULL;
	n->pacer_count = 0;
	watchdog_fini(&n->watchdog);
}

int net_start_pacers(struct net *n, const struct net_options *o)
{
	int rc;

	rc = watchdog_init(&n->watchdog);
	if (rc < 0)
		return rc;
	n->pacer = calloc(o->pacer_count, sizeof(*n->pacer));
	rc = n->pacer ? 0 : -ENOMEM;
	while (rc == 0 && n->pacer_count < o->pacer_count) {
		u32 i = n->pacer_count++;

		rc = pacer_start(&n->pacer[i], i, o->cpu[i], NET_PORTS_MAX * NET_PAIRS_MAX, n->hz,
				 &n->watchdog);
	}
	if (rc < 0)
		end_pacers(n);
	return rc;
}

struct port *net_new_port(struct net *n, const struct port_options *opt)
{
	struct port *p = opt->kind->create(opt);
	u32 i;

	if (!p)
		return NULL;
	if (net_rss_init(p, opt->rss) < 0) {
		opt->kind->destroy(p);
		return NULL;
	}
	p->net = n;
	limit_begin(&p->limit, &p->opt.limit, n->hz, rp_tsc());
	for (i = 0; i < p->opt.pairs; i++)
		p->flow[i].pacer = p->opt.pacers ? p->opt.pacer[i % p->opt.pacers] :
				   n->next_pacer++ % n->pacer_count;
	net_egress_place(p, p->flow[0].pacer);
	return p;
}

void net_free_port(struct port *p)
{
	net_rss_fini(p);
	p->opt.kind->destroy(p);
}

int net_init(struct net *n, const struct net_options *o, u64 hz)
{
	int rc;

	memset(n, 0, sizeof(*n));
	n->hz = hz;
	n->timer.fd = n->watchdog.fd = -1;
	if (!o->port_count)
		return 0;
	rc = net_start_pacers(n, o);
	if (rc < 0)
		return rc;
	while (n->port_count < o->port_count) {
		struct port *p = net_new_port(n, &o->port[n->port_count]);

		if (!p)
			return -ENOMEM;
		n->port[n->port_count++] = p;
	}
	return net_connect(n, o);
}

int net_watch_pacers(struct net *n, char *why, size_t why_bytes)
{
	int rc;

	if (n->timer.fd >= 0 || n->watchdog.fd < 0)
		return 0;
	n->timer.fd = n->watchdog.fd;
	n->timer.ready = on_timer;
	rc = loop_add(n->loop, &n->timer, EPOLLIN);
	if (rc == 0)
		return 0;
	n->timer.fd = -1;
	snprintf(why, why_bytes, "cannot watch the pacers: %s", strerror(-rc));
	return -1;
}

int net_open(struct net *n, struct loop *loop, gid_t gid, char *why, size_t why_bytes)
{
	u32 i;

	n->loop = loop;
	if (net_watch_pacers(n, why, why_bytes) < 0)
		return -1;
	for (i = 0; i < n->port_count; i++)
		if (n->port[i]->opt.kind->open(n->port[i], loop, gid, why, why_bytes) < 0)
			return -1;
	ethdev_seal();
	net_settle(n);
	return 0;
}

static void do_sandbox(void *arg)
{
	sandbox_thread();
}

void net_sandbox(struct net *n)
{
	u32 i;

	for (i = 0; i < n->pacer_count; i++)
		pacer_call(&n->pacer[i], do_sandbox, NULL);
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
	end_pacers(n);
	for (i = 0; i < n->port_count; i++)
		net_free_port(n->port[i]);
	for (i = 0; i < n->switch_count; i++)
		net_switch_fini(n->sw[i]);
}
