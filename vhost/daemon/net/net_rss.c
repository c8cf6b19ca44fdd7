// SPDX-License-Identifier: GPL-2.0-or-later
/* Which table of a port is in force, and how another one comes to be. */
#include <errno.h>
#include <stdlib.h>

#include "eth/rss_page.h"
#include "net_rss.h"
#include "net_switch.h"

_Static_assert(NET_PAIRS_MAX <= SPREAD_PAIRS_MAX, "every pair has its place in a spread");
_Static_assert(NET_PACERS_MAX <= RSS_PAGE_SENDERS, "every pacer has its place in a page");

int net_rss_init(struct port *p, u32 entries)
{
	p->rss = calloc(1, sizeof(*p->rss));
	if (!p->rss)
		return -ENOMEM;
	rss_default(&p->rss->set.host, entries ? entries : RSS_ENTRIES_DEFAULT, p->opt.pairs);
	p->rss->set.on = entries;
	spread_init(&p->rss->spread);
	return 0;
}

void net_rss_fini(struct port *p)
{
	if (p->rss && p->rss->made) {
		rss_end_share(p->rss->made);
		rss_free(p->rss->made);
	}
	free(p->rss);
}

/* ---- Who writes a port of a link that steers ---- */

/* Pacers that have flows into it, and if @coming those that will, a bit each. */
static u64 writers(const struct port *p, bool coming)
{
	struct port *from = p->peer;
	u64 found = 0;
	u32 i;

	for (i = 0; from && i < from->opt.pairs; i++) {
		const struct port_flow *f = &from->flow[i];

		if (f->at && f->flow.spread == &p->rss->spread)
			found |= 1ULL << f->at->index;
		if (coming && from->queue[2 * i + 1]->attached && net_rss_spread(from))
			found |= 1ULL << net_place_of(from, i)->index;
	}
	return found;
}

static void pass(const struct port *p)
{
	u64 left = writers(p, false);

	for (; left; left &= left - 1)
		pacer_pass(&p->net->pacer[__builtin_ctzll(left)]);
}

/* Of a link or a switch. */
static void pass_all(const struct port *p)
{
	if (p->sw)
		net_switch_pass(p->sw);
	else
		pass(p);
}

void net_rss_share(struct port *p)
{
	u64 found = writers(p, true);

	if (p->rss->spread.shared || !(found & (found - 1)))
		return;
	spread_share(&p->rss->spread, true);
	/* The one that is there may be in a turn in which it owns nothing. */
	pass(p);
}

void net_rss_unshare(struct port *p)
{
	u64 found = writers(p, false);

	if (p->rss->spread.shared && !(found & (found - 1)))
		spread_share(&p->rss->spread, false);
}

/* ---- What the pacers have ---- */

/* Where those who write look for it. */
static struct rss **in_force(struct port *p)
{
	return p->sw ? &p->sw_port->rss : &p->rss->spread.rss;
}

/*
 * It takes other flows to steer, and to end that; and several pacers may count by the old
 * table: none may be in a turn.
 */
static void halt(struct port *p)
{
	u32 i;

	if (p->sw)
		net_switch_halt_senders(p->sw);
	for (i = 0; p->peer && i < p->opt.pairs; i++)
		net_halt(p, 2 * i);
}

static struct rss_config *config(struct port *p)
{
	struct rss_set *s = &p->rss->set;

	return s->by_guest ? &s->guest : &s->host;
}

void net_rss_look(struct port *p)
{
	if (p->rss->made)
		rss_take_over(p->rss->made, config(p), p->opt.pairs);
}

/* Who steers by a page of what is in force is to ask for another one. */
static void end_share(struct port *p)
{
	if (p->rss->made)
		rss_end_share(p->rss->made);
	net_rss_look(p);
}

/* Counters go on, unless the table has another size. */
static void swap(struct port *p, struct rss *made)
{
	const struct rss *old = p->rss->made;

	if (old && made && old->entries == made->entries)
		memcpy(made->packets, old->packets, sizeof(old->packets));
	*in_force(p) = made;
}

/* Has what is in force carried out. */
static int apply(struct port *p)
{
	struct rss *old = p->rss->made, *made = NULL;
	u32 i;

	if (p->rss->set.on) {
		made = rss_new(config(p));
		if (!made)
			return -ENOMEM;
	}
	if (old || made)
		halt(p);
	end_share(p);
	/* Who shared the old one may have changed entries until just now. */
	for (i = 0; made && i < made->entries; i++)
		rss_put(made, i, config(p)->pair[i]);
	swap(p, made);
	p->rss->made = made;
	rss_free(old);
	return 0;
}

int net_rss_begin(struct port *p)
{
	/* Nobody writes by it who does not any more. */
	if (p->sw)
		p->rss->spread.rss = NULL;
	/* Of what stays as it is pacers may be in a turn. */
	if (*in_force(p) == p->rss->made && p->rss->set.on == !!p->rss->made)
		return 0;
	return apply(p);
}

/* As it was before, if it cannot be done. */
static int change(struct port *p, const struct rss_set *before)
{
	int rc = apply(p);

	if (rc < 0)
		p->rss->set = *before;
	else
		net_settle(p->net);
	return rc;
}

/* Do they differ in the pairs that entries name, and in nothing else? */
static bool same_hash(const struct rss_config *a, const struct rss_config *b)
{
	return a->types == b->types && a->entries == b->entries &&
	       a->unclassified == b->unclassified && !memcmp(a->key, b->key, sizeof(a->key));
}

/*
 * The pacers go on with what they have, of which each entry changes in one step. Packets of
 * one and the same turn may go by the old and the new one, in their order.
 */
static void change_pairs(struct port *p, const struct rss_config *before)
{
	const struct rss_config *c = config(p);
	u32 i;

	/* Others who steer may change the others meanwhile. */
	for (i = 0; i < c->entries; i++)
		if (c->pair[i] != before->pair[i])
			rss_put(p->rss->made, i, c->pair[i]);
	pass_all(p);
}

int net_rss_set(struct port *p, const struct rss_config *c, bool on)
{
	struct rss_set *s = &p->rss->set;
	const struct rss_set before = *s;
	bool pairs_only = on && p->rss->made && same_hash(net_rss_config(p), c);

	*config(p) = *c;
	s->on = on;
	if (!pairs_only)
		return change(p, &before);
	change_pairs(p, s->by_guest ? &before.guest : &before.host);
	return 0;
}

int net_rss_page(struct port *p)
{
	struct rss *made = p->rss->made;
	int rc;

	if (!made || made->page)
		return made ? made->shared.fd : -ENOENT;
	rc = rss_share(made);
	if (rc < 0)
		return rc;
	/* Turns in which nobody says so yet end before anybody else has it. */
	pass_all(p);
	return made->shared.fd;
}

int net_rss_guest(struct port *p, const struct rss_config *c)
{
	struct rss_set *s = &p->rss->set;
	struct rss_set before;

	if (!c && !s->by_guest)
		return 0;
	if (c && s->by_guest) {
		/* It says all entries, also those that others have moved. */
		net_rss_look(p);
		return net_rss_set(p, c, s->on);
	}
	/* What is in force until now was theirs who share it. */
	end_share(p);
	before = *s;
	s->by_guest = c;
	if (c)
		s->guest = *c;
	return change(p, &before);
}

/* ---- Flows ---- */

struct spread *net_rss_spread(const struct port *p)
{
	struct port *to = p->peer;

	return to && to->rss->made && to->rss->spread.pairs ? &to->rss->spread : NULL;
}

void net_rss_settle(struct port *p)
{
	struct spread *s = &p->rss->spread;
	struct rp_clock clock;
	u32 i;

	if (writers(p, false))
		return;
	net_rss_unshare(p);
	if (!p->peer || !p->rss->made)
		return;
	rp_clock_init(&clock, p->net->hz);
	s->full_tsc = rp_ns_to_tsc(&clock, p->opt.pacing.full_ns);
	s->pairs = net_rx_pairs(p);
	for (i = 0; i < s->pairs; i++) {
		s->rx[i].q = p->queue[2 * i];
		s->rx[i].full_since_tsc = 0;
	}
}
