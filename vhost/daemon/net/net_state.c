// SPDX-License-Identifier: GPL-2.0-or-later
/* What ports' queues have learned: where it is, and how it is taken from a running flow. */
#include "net_rss.h"
#include "net_state.h"

struct port_flow *net_party_flow(const struct port *p, u32 i)
{
	if (i & 1)
		return &p->flow[i / 2];
	if (p->rss->made)
		return NULL;
	return p->peer && i / 2 < p->peer->opt.pairs ? &p->peer->flow[i / 2] : NULL;
}

struct rp_learned *net_learned(const struct port *p, u32 i)
{
	struct port_flow *f = i < 2 * p->opt.pairs ? net_party_flow(p, i) : NULL;

	if (!f)
		return NULL;
	return i & 1 ? &f->flow.c_learned : &f->flow.p_learned;
}

struct keep_order {
	struct rp_learned *learned;
	const struct rp_party *party;
};

static void do_keep(void *arg)
{
	const struct keep_order *o = arg;

	rp_learned_keep(o->learned, &o->party->strategy);
}

const struct rp_learned *net_keep_learned(const struct port *p, u32 i)
{
	struct port_flow *f = net_party_flow(p, i);
	struct keep_order o = { net_learned(p, i), NULL };
	u64 items;

	if (!f)
		return NULL;
	o.party = i & 1 ? &f->flow.c : &f->flow.p;
	items = rp_load(&o.party->stats.items);
	if (items == f->kept_items[i & 1])
		return o.learned;
	f->kept_items[i & 1] = items;
	if (f->at)
		pacer_call(f->at, do_keep, &o);
	else
		do_keep(&o);
	return o.learned;
}
