// SPDX-License-Identifier: GPL-2.0-or-later
/* Other ports, links and switches while those that stay go on. */
#include <stdio.h>
#include <string.h>

#include "log/log.h"
#include "net_egress.h"
#include "net_reload.h"
#include "net_switch.h"
#include "nicopt.h"

/* ---- What is said of what there is ---- */

static const struct port_options *said_of(const struct net_options *o, const struct port *p)
{
	int i = net_option_port(o, p->opt.name);

	return i < 0 ? NULL : &o->port[i];
}

/* The same queues, and the same thing behind them? */
static bool is_kept(const struct net_options *o, const struct port *p)
{
	const struct port_options *s = said_of(o, p);

	return s && s->kind == p->opt.kind && !strcmp(s->address, p->opt.address) &&
	       s->pairs == p->opt.pairs && s->mtu == p->opt.mtu && s->rss == p->opt.rss &&
	       (s->nic.queue_bytes ? s->nic.queue_bytes : NIC_QUEUE_BYTES_DEFAULT) ==
	       (p->egress ? p->opt.nic.queue_bytes : NIC_QUEUE_BYTES_DEFAULT);
}

static bool same_limit(const struct limit_params *a, const struct limit_params *b)
{
	return a->pps == b->pps && a->bps == b->bps && a->burst_packets == b->burst_packets &&
	       a->burst_bytes == b->burst_bytes;
}

static bool same_pacing(const struct flow_params *a, const struct flow_params *b)
{
	return a->strategy == b->strategy && a->y_ns == b->y_ns && a->dmax_ns == b->dmax_ns &&
	       a->cpu_cap_percent == b->cpu_cap_percent && a->k == b->k && a->burst == b->burst &&
	       a->full_ns == b->full_ns;
}

static bool same_line(const struct nic_options *a, const struct nic_options *b)
{
	return a->link_bps == b->link_bps && a->weights == b->weights &&
	       !memcmp(a->weight, b->weight, a->weights * sizeof(a->weight[0]));
}

static bool same_place(const struct port_options *a, const struct port_options *b)
{
	return a->pacers == b->pacers && !memcmp(a->pacer, b->pacer, a->pacers);
}

/* What a switch was made with. */
static bool same_membership(const struct port_options *a, const struct port_options *b)
{
	return !memcmp(&a->vlan, &b->vlan, sizeof(a->vlan)) && a->macs == b->macs &&
	       a->nic.by_source == b->nic.by_source && a->nic.queue_set == b->nic.queue_set &&
	       a->nic.queue == b->nic.queue && a->pacing.full_ns == b->pacing.full_ns;
}

static const char *said_peer(const struct net_options *o, const struct port *p)
{
	int index = net_option_port(o, p->opt.name);
	u32 i, side;

	for (i = 0; i < o->link_count; i++)
		for (side = 0; side < 2; side++)
			if ((int)o->link[i][side] == index)
				return o->port[o->link[i][!side]].name;
	return NULL;
}

static const struct switch_options *said_switch(const struct net_options *o,
						const struct net_switch *s)
{
	u32 i;

	for (i = 0; i < o->switch_count; i++)
		if (!strcmp(o->sw[i].name, s->name))
			return &o->sw[i];
	return NULL;
}

/* Only its pacers may be others. */
static bool same_switch(const struct net_options *o, const struct net_switch *s)
{
	const struct switch_options *so = said_switch(o, s);
	u32 i;

	if (!so || so->port_count != s->port_count || so->age_s * 1000000000ULL != s->age_ns)
		return false;
	for (i = 0; i < s->port_count; i++) {
		const struct port_options *po = &o->port[so->port[i]];

		if (strcmp(po->name, s->port[i]->opt.name) || !is_kept(o, s->port[i]) ||
		    !same_membership(po, &s->port[i]->opt))
			return false;
	}
	return true;
}

static bool same_pacers(const struct switch_options *o, const struct net_switch *s)
{
	return o->pacers == s->pacers && !memcmp(o->pacer, s->pacer, s->pacers);
}

/* ---- Ports that are new ---- */

static struct port *open_port(struct net_change *c, const struct port_options *opt, char *why,
			      size_t why_bytes)
{
	struct port *p = net_new_port(c->net, opt);
	int n = snprintf(why, why_bytes, "%s: ", opt->name);

	if (!p) {
		snprintf(why + n, why_bytes - (size_t)n, "no memory");
		return NULL;
	}
	if (opt->kind->open(p, c->net->loop, c->gid, why + n, why_bytes - (size_t)n) == 0)
		return p;
	opt->kind->close(p);
	net_free_port(p);
	return NULL;
}

static bool is_held(const struct net *n, const char *address, const char *const *held, u32 count)
{
	u32 i;

	for (i = 0; i < n->port_count; i++)
		if (!strcmp(n->port[i]->opt.address, address))
			return true;
	for (i = 0; i < count; i++)
		if (!strcmp(held[i], address))
			return true;
	return false;
}

static int begin_pacers(struct net *n, const struct net_options *o, char *why, size_t why_bytes)
{
	int rc = n->pacer_count || !o->port_count ? 0 : net_start_pacers(n, o);

	if (rc < 0)
		snprintf(why, why_bytes, "cannot set up pacers: %s", strerror(-rc));
	return rc < 0 ? -1 : net_watch_pacers(n, why, why_bytes);
}

int net_reload_begin(struct net_change *c, struct net *n, const struct net_options *o, gid_t gid,
		     const char *const *held, u32 held_count, char *why, size_t why_bytes)
{
	u32 i;

	*c = (struct net_change){ .net = n, .o = o, .gid = gid };
	if (begin_pacers(n, o, why, why_bytes) < 0)
		return -1;
	for (i = 0; i < o->port_count; i++) {
		const struct port_options *opt = &o->port[i];
		struct port *p;

		if (net_find(n, opt->name) || is_held(n, opt->address, held, held_count))
			continue;
		p = open_port(c, opt, why, why_bytes);
		if (!p) {
			net_reload_abort(c);
			return -1;
		}
		c->fresh[c->fresh_count++] = p;
	}
	return 0;
}

void net_reload_abort(struct net_change *c)
{
	while (c->fresh_count) {
		struct port *p = c->fresh[--c->fresh_count];

		p->opt.kind->close(p);
		net_free_port(p);
	}
}

/* ---- Ports that go ---- */

static void close_gone(struct net_change *c)
{
	struct net *n = c->net;
	u32 i;

	for (i = 0; i < n->port_count; i++)
		if (!is_kept(c->o, n->port[i]))
			n->port[i]->opt.kind->close(n->port[i]);
}

/* ---- What is between ports ---- */

static void halt(struct port *p)
{
	u32 i;

	for (i = 0; i < 2 * p->opt.pairs; i++)
		net_halt(p, i);
}

static bool same_peer(const struct net_options *o, const struct port *p)
{
	const char *said = said_peer(o, p);

	return said && p->peer && !strcmp(said, p->peer->opt.name) && is_kept(o, p) &&
	       is_kept(o, p->peer);
}

/* All flows of a port that will have another peer, and of one that had none. */
static void unlink_changed(struct net_change *c)
{
	u32 i;

	for (i = 0; i < c->net->port_count; i++) {
		struct port *p = c->net->port[i], *peer = p->peer;

		if (p->sw || same_peer(c->o, p))
			continue;
		halt(p);
		if (!peer)
			continue;
		halt(peer);
		p->peer = peer->peer = NULL;
	}
}

static void dissolve(struct net_switch *s)
{
	u32 i;

	net_switch_halt_all(s);
	for (i = 0; i < s->port_count; i++) {
		s->port[i]->sw = NULL;
		s->port[i]->sw_port = NULL;
	}
}

static void dissolve_changed(struct net_change *c)
{
	struct net *n = c->net;
	u32 i, kept = 0;

	for (i = 0; i < n->switch_count; i++) {
		struct net_switch *s = n->sw[i];

		if (!same_switch(c->o, s)) {
			dissolve(s);
			c->ended[c->ended_count++] = s;
			continue;
		}
		if (!same_pacers(said_switch(c->o, s), s))
			net_switch_place(s, said_switch(c->o, s));
		n->sw[kept++] = s;
	}
	n->switch_count = kept;
}

static void forget_port(struct net_change *c, const struct port *p)
{
	u32 i, k;

	for (i = 0; i < c->ended_count; i++)
		for (k = 0; k < c->ended[i]->port_count; k++)
			if (c->ended[i]->port[k] == p)
				c->ended[i]->port[k] = NULL;
}

/* They are closed, and nobody has them as a peer. */
static void destroy_gone(struct net_change *c)
{
	struct net *n = c->net;
	u32 i, kept = 0;

	for (i = 0; i < n->port_count; i++) {
		struct port *p = n->port[i];
		bool again = said_of(c->o, p);

		if (is_kept(c->o, p)) {
			n->port[kept++] = p;
			continue;
		}
		log_info("%s: port closed%s", p->opt.name, again ? ", to be opened anew" : "");
		c->removed++;
		forget_port(c, p);
		net_free_port(p);
	}
	n->port_count = kept;
}

static void end_switches(struct net_change *c)
{
	u32 i;

	for (i = 0; i < c->ended_count; i++) {
		struct net_switch *s = net_switch_find(c->net, c->ended[i]->name);

		log_info("%s: switch %s", c->ended[i]->name, s ? "changed" : "ended");
		if (s)
			net_switch_inherit(s, c->ended[i]);
		net_switch_fini(c->ended[i]);
	}
	c->ended_count = 0;
}

/* ---- Ports that stay ---- */

/* What was behind one has gone: perhaps it is there again. If not it stays as it is. */
static void heal(struct net_change *c, struct port *p)
{
	char why[256];
	int rc = p->opt.kind->heal ? p->opt.kind->heal(p, why, sizeof(why)) : 0;

	if (rc < 0)
		log_warn("%s: still given up: %s", p->opt.name, why);
	if (rc <= 0)
		return;
	log_info("%s: opened again", p->opt.name);
	c->changed++;
}

static void change(struct net_change *c, struct port *p)
{
	const struct port_options *o = said_of(c->o, p);
	bool place = !same_place(o, &p->opt);
	bool pacing = !same_pacing(&o->pacing, &p->opt.pacing);
	bool limit = !same_limit(&o->limit, &p->opt.limit);
	bool line = !same_line(&o->nic, &p->opt.nic);

	if (pacing || limit || line || place || !same_membership(o, &p->opt)) {
		log_info("%s: port changed", p->opt.name);
		c->changed++;
	}
	if (pacing)
		net_halt_pacing(p);
	if (limit)
		net_take_limit(p, &o->limit);
	if (place)
		net_place(p, o);
	if (line)
		net_egress_set(p, &o->nic);
	p->opt.pacing = o->pacing;
	p->opt.vlan = o->vlan;
	p->opt.macs = o->macs;
	p->opt.nic.by_source = o->nic.by_source;
	p->opt.nic.queue = o->nic.queue;
	p->opt.nic.queue_set = o->nic.queue_set;
}

static void add(struct net_change *c, struct port *p)
{
	log_info("%s: port opened", p->opt.name);
	c->net->port[c->net->port_count++] = p;
	c->added++;
}

static void add_new(struct net_change *c, char *why, size_t why_bytes)
{
	struct port *p;
	u32 i;

	for (i = 0; i < c->fresh_count; i++)
		add(c, c->fresh[i]);
	c->fresh_count = 0;
	for (i = 0; i < c->o->port_count; i++) {
		if (net_find(c->net, c->o->port[i].name))
			continue;
		p = open_port(c, &c->o->port[i], why, why_bytes);
		if (p) {
			add(c, p);
			continue;
		}
		c->failed++;
		log_error("%s", why);
	}
}

void net_reload_end(struct net_change *c, char *why, size_t why_bytes)
{
	struct net *n = c->net;
	u32 i;
	int rc;

	/* While all is as it was: they go as if their guests had gone. */
	close_gone(c);
	dissolve_changed(c);
	unlink_changed(c);
	destroy_gone(c);
	for (i = 0; i < n->port_count; i++) {
		heal(c, n->port[i]);
		change(c, n->port[i]);
	}
	add_new(c, why, why_bytes);
	rc = net_connect(n, c->o);
	if (rc < 0) {
		snprintf(why, why_bytes, "a switch could not be made: %s", strerror(-rc));
		log_error("%s", why);
		c->failed++;
	}
	end_switches(c);
	net_settle(n);
}
