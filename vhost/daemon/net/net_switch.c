// SPDX-License-Identifier: GPL-2.0-or-later
/* What the main thread does to switches beside their pacers, and has these do. */
#include <stdlib.h>
#include <string.h>

#include "net_switch.h"

/* ->seen of an address is exact to so much. */
#define FRESH_NS	1000000000ULL

struct net_switch *net_switch_find(const struct net *n, const char *name)
{
	u32 i;

	for (i = 0; i < n->switch_count; i++)
		if (!strcmp(n->sw[i]->name, name))
			return n->sw[i];
	return NULL;
}

/* ---- Pacers ---- */

_Static_assert(NET_PACERS_MAX <= 64, "a bit for each pacer");

u64 net_switch_served_by(const struct net_switch *s)
{
	u64 found = 0;
	u32 i, k;

	for (i = 0; i < s->port_count; i++)
		for (k = 0; s->port[i] && k < s->port[i]->opt.pairs; k++)
			if (s->port[i]->flow[k].at)
				found |= 1ULL << s->port[i]->flow[k].at->index;
	return found;
}

struct pacer *net_switch_pacer(const struct net_switch *s)
{
	u64 found = net_switch_served_by(s);

	return &s->net->pacer[found ? (u32)__builtin_ctzll(found) : s->pacer[0]];
}

void net_switch_pass(const struct net_switch *s)
{
	u64 left = net_switch_served_by(s);

	for (; left; left &= left - 1)
		pacer_pass(&s->net->pacer[__builtin_ctzll(left)]);
}

u64 net_switch_placed(const struct net_switch *s, bool ready)
{
	u64 found = 0;
	u32 i, k;

	for (i = 0; i < s->port_count; i++)
		for (k = 0; k < s->port[i]->opt.pairs; k++)
			if (!ready || s->port[i]->queue[2 * k + 1]->attached)
				found |= 1ULL << net_place_of(s->port[i], k)->index;
	return found;
}

void net_switch_share(struct net_switch *s)
{
	u64 found = net_switch_served_by(s) | net_switch_placed(s, true);

	if (s->fwd.shared || !(found & (found - 1)))
		return;
	switch_share(&s->fwd, true);
	/* The one that is there may be in a turn in which it owns nothing. */
	net_switch_pass(s);
}

void net_switch_unshare(struct net_switch *s)
{
	u64 found = net_switch_served_by(s);

	if (s->fwd.shared && !(found & (found - 1)))
		switch_share(&s->fwd, false);
}

/* ---- Queues ---- */

struct attach_order {
	struct switch_port *port;
	u32 pair;
	struct port_queue *q;
};

static void do_attach(void *arg)
{
	const struct attach_order *o = arg;

	switch_attach(o->port, o->pair, o->q);
}

static void attach(struct port *p, u32 pair, struct port_queue *q)
{
	struct attach_order o = { p->sw_port, pair, q };

	/* Queues are attached and detached by us only: reading is no race. */
	if (p->sw_port->rx[pair].q != q)
		pacer_call(net_switch_pacer(p->sw), do_attach, &o);
}

void net_switch_halt(struct port *p, u32 i)
{
	if (!p->sw_port->rx[i / 2].q)
		return;
	switch_close(p->sw_port, i / 2);
	net_switch_pass(p->sw);
	/* Nobody is in a turn that has seen it. */
	switch_attach(p->sw_port, i / 2, NULL);
}

void net_switch_settle(struct port *p)
{
	u32 i;

	for (i = 0; i < p->opt.pairs; i++)
		if (p->queue[2 * i]->attached)
			attach(p, i, p->queue[2 * i]);
}

static void halt_all(struct net_switch *s, bool senders)
{
	u32 i, k;

	for (i = 0; i < s->port_count; i++)
		for (k = 0; k < s->port[i]->opt.pairs; k++)
			net_halt(s->port[i], 2 * k + senders);
}

void net_switch_halt_senders(struct net_switch *s)
{
	halt_all(s, true);
}

void net_switch_halt_all(struct net_switch *s)
{
	/* Those who send first: nothing is dropped for want of a receiver. */
	halt_all(s, true);
	halt_all(s, false);
}

/* Who says himself where he is served: a NIC's pacers are its line's. */
static bool names_pacers(const struct port *p)
{
	return p->opt.pacers && !p->egress;
}

/* Pairs of port @i; @next: how many before it have the switch's pacers in turn. */
static u32 place_port(struct net_switch *s, u32 i, u32 next)
{
	struct port *p = s->port[i];
	u32 k;

	for (k = 0; k < p->opt.pairs; k++)
		p->flow[k].pacer = names_pacers(p) ? p->opt.pacer[k % p->opt.pacers] :
				   s->pacer[next++ % s->pacers];
	return next;
}

void net_switch_place_port(struct port *p)
{
	u32 i, next = 0;

	for (i = 0; p->sw->port[i] != p; i++)
		next += names_pacers(p->sw->port[i]) ? 0 : p->sw->port[i]->opt.pairs;
	place_port(p->sw, i, next);
}

static void place_all(struct net_switch *s)
{
	u32 i, next = 0;

	for (i = 0; i < s->port_count; i++)
		next = place_port(s, i, next);
}

void net_switch_place(struct net_switch *s, const struct switch_options *o)
{
	net_switch_halt_senders(s);
	memcpy(s->pacer, o->pacer, sizeof(s->pacer));
	s->pacers = o->pacers;
	place_all(s);
}

/* ---- Addresses ---- */

u32 net_switch_flush(struct net_switch *s, const struct port *p, u16 vlan)
{
	u32 flushed = fdb_flush(&s->fwd.fdb, p ? (int)p->sw_port->index : -1, vlan);

	/* No frame goes by what was known any more. */
	net_switch_pass(s);
	return flushed;
}

static void inherit_port(struct switch_port *to, const struct fdb *f, u32 port)
{
	const struct fdb_entry *e;
	u32 i;

	/* The oldest first, so that those make room first here, too. */
	for (i = f->pool[port].oldest; i; i = e->newer) {
		u16 vlan = (u16)(f->entry[i].key >> 48);

		e = &f->entry[i];
		if (vlan == to->vlan.untagged || vlan_allowed(&to->vlan, vlan))
			fdb_learn(&to->sw->fdb, e->key, to->index, e->seen);
	}
}

void net_switch_inherit(struct net_switch *s, const struct net_switch *from)
{
	u32 i;

	for (i = 0; i < from->port_count; i++)
		if (from->port[i] && from->port[i]->sw == s)
			inherit_port(from->port[i]->sw_port, &from->fwd.fdb, i);
}

static void tell_mac(const struct fdb_entry *e, const struct rp_clock *clock, u64 now,
		     struct net_mac *to)
{
	u64 age = (s64)(now - e->seen) > 0 ? now - e->seen : 0;

	memcpy(to->mac, &e->key, sizeof(to->mac));
	to->vlan = (u16)(e->key >> 48);
	to->port = e->port;
	to->age_ns = rp_tsc_to_ns(clock, age);
}

u32 net_switch_macs(struct net_switch *s, u32 *at, struct net_mac *mac, u32 max)
{
	const struct rp_clock *clock = &net_switch_pacer(s)->clock;
	struct fdb *f = &s->fwd.fdb;
	u64 now = rp_tsc();
	u32 n = 0;

	pthread_mutex_lock(&f->lock);
	for (*at += !*at; *at <= f->entries && n < max; ++*at)
		if (fdb_valid(f, *at, now))
			tell_mac(&f->entry[*at], clock, now, &mac[n++]);
	pthread_mutex_unlock(&f->lock);
	return n;
}

/* ---- Life ---- */

/* Of NIC @to: each port has the queue that it says, or the next one, round and round. */
static void class_by_source(struct net_switch *s, u32 to)
{
	struct switch_port *nic = &s->fwd.port[to];
	u32 i, next = 0;

	nic->by_source = true;
	for (i = 0; i < s->port_count; i++) {
		const struct nic_options *o = &s->port[i]->opt.nic;

		if (i != to)
			nic->pair_of[i] = (u8)(o->queue_set ? o->queue : next++ % nic->pairs);
	}
}

int net_switch_init(struct net_switch *s, struct net *n, const struct switch_options *o,
		    struct port *const *port, u32 count)
{
	struct switch_port_options opt[SWITCH_PORTS_MAX] = { 0 };
	struct rp_clock clock;
	u32 i;
	int rc;

	rp_clock_init(&clock, n->hz);
	strcpy(s->name, o->name);
	s->net = n;
	memcpy(s->pacer, o->pacer, sizeof(s->pacer));
	s->pacers = o->pacers;
	s->age_ns = o->age_s * 1000000000ULL;
	s->port_count = count;
	for (i = 0; i < count; i++) {
		const struct port *p = s->port[i] = port[i];

		opt[i] = (struct switch_port_options){
			.vlan = p->opt.vlan, .pairs = p->opt.pairs, .macs = p->opt.macs,
			.full_tsc = rp_ns_to_tsc(&clock, p->opt.pacing.full_ns),
		};
	}
	rc = switch_init(&s->fwd, count, opt, rp_ns_to_tsc(&clock, s->age_ns),
			 rp_ns_to_tsc(&clock, FRESH_NS));
	if (rc < 0)
		return rc;
	for (i = 0; i < count; i++) {
		s->port[i]->sw = s;
		s->port[i]->sw_port = &s->fwd.port[i];
		if (s->port[i]->opt.nic.by_source)
			class_by_source(s, i);
	}
	place_all(s);
	return 0;
}

void net_switch_fini(struct net_switch *s)
{
	switch_fini(&s->fwd);
	free(s);
}
