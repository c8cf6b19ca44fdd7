// SPDX-License-Identifier: GPL-2.0-or-later
/* What the main thread has done to switches by their pacers. */
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
	attach(p, i / 2, NULL);
}

void net_switch_settle(struct port *p)
{
	u32 i;

	for (i = 0; i < p->opt.pairs; i++)
		if (p->queue[2 * i]->attached)
			attach(p, i, p->queue[2 * i]);
}

void net_switch_halt_all(struct net_switch *s)
{
	u32 i, k, rx;

	/* Those who send first: nothing is dropped for want of a receiver. */
	for (rx = 0; rx < 2; rx++)
		for (i = 0; i < s->port_count; i++)
			for (k = 0; k < s->port[i]->opt.pairs; k++)
				net_halt(s->port[i], 2 * k + !rx);
}

void net_switch_move(struct net_switch *s, u32 pacer)
{
	net_switch_halt_all(s);
	s->pacer = pacer;
}

/* ---- Addresses ---- */

struct flush_order {
	struct fdb *fdb;
	int port;
	u16 vlan;
	u32 flushed;
};

static void do_flush(void *arg)
{
	struct flush_order *o = arg;

	o->flushed = fdb_flush(o->fdb, o->port, o->vlan);
}

u32 net_switch_flush(struct net_switch *s, const struct port *p, u16 vlan)
{
	struct flush_order o = { &s->fwd.fdb, p ? (int)p->sw_port->index : -1, vlan, 0 };

	pacer_call(net_switch_pacer(s), do_flush, &o);
	return o.flushed;
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

struct macs_order {
	const struct net_switch *s;
	u32 at, max, count;
	struct net_mac *mac;
};

static void do_macs(void *arg)
{
	struct macs_order *o = arg;
	const struct net_switch *s = o->s;
	const struct fdb *f = &s->fwd.fdb;
	u64 now = rp_tsc(), age;

	for (; o->at <= f->entries && o->count < o->max; o->at++) {
		const struct fdb_entry *e = &f->entry[o->at];
		struct net_mac *to = &o->mac[o->count];

		if (!fdb_valid(f, o->at, now))
			continue;
		age = (s64)(now - e->seen) > 0 ? now - e->seen : 0;
		memcpy(to->mac, &e->key, sizeof(to->mac));
		to->vlan = (u16)(e->key >> 48);
		to->port = e->port;
		to->age_ns = rp_tsc_to_ns(&net_switch_pacer(s)->clock, age);
		o->count++;
	}
}

u32 net_switch_macs(struct net_switch *s, u32 *at, struct net_mac *mac, u32 max)
{
	struct macs_order o = { s, *at ? *at : 1, max, 0, mac };

	pacer_call(net_switch_pacer(s), do_macs, &o);
	*at = o.at;
	return o.count;
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
	s->pacer = o->pacer;
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
	return 0;
}

void net_switch_fini(struct net_switch *s)
{
	switch_fini(&s->fwd);
	free(s);
}
