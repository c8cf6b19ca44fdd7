// SPDX-License-Identifier: GPL-2.0-or-later
/* Ports, pacers and their statistics as JSON. */
#include <stdio.h>

#include "kicks.h"
#include "limitopt.h"
#include "net_describe.h"
#include "net_rss.h"
#include "net_state.h"
#include "net_switch.h"
#include "vlanopt.h"
#include "pacing/report.h"
#include "pacing/status_json.h"

static json_t *string_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *describe_queue(const struct port_queue *q)
{
	return json_pack("{s:i, s:i, s:s, s:b, s:o, s:o}",
			 "queue", (int)q->index, "pair", (int)q->index / 2,
			 "dir", port_queue_is_rx(q) ? "rx" : "tx", "ready", q->attached,
			 "size", q->attached ? json_integer(q->size) : json_null(),
			 "broken", string_or_null(rp_load(&q->broken)));
}

static json_t *describe_pacing(const struct flow_params *p)
{
	return json_pack("{s:s, s:I, s:I, s:i, s:i, s:i, s:I}",
			 "strategy", rp_strategy_by_id(p->strategy)->name,
			 "dmax_ns", (json_int_t)p->dmax_ns, "y_ns", (json_int_t)p->y_ns,
			 "cpu_cap_percent", (int)p->cpu_cap_percent, "k", (int)p->k,
			 "burst", (int)p->burst, "full_ns", (json_int_t)p->full_ns);
}

json_t *describe_port(const struct port *p)
{
	json_t *queues = json_array(), *pacers = json_array();
	const char *broken = NULL;
	u32 i;

	for (i = 0; i < 2 * p->opt.pairs; i++) {
		if (!broken)
			broken = rp_load(&p->queue[i]->broken);
		json_array_append_new(queues, describe_queue(p->queue[i]));
	}
	for (i = 0; i < p->opt.pairs; i++)
		json_array_append_new(pacers, p->flow[i].at ?
			json_integer(p->flow[i].at->index) : json_null());
	return json_pack("{s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "device", p->opt.name, "kind", "net", "backend", p->opt.kind->name,
			 p->opt.kind->address, p->opt.address, "connected", port_link_up(p),
			 "peer", p->peer ? json_string(p->peer->opt.name) : json_null(),
			 "switch", p->sw ? json_string(p->sw->name) : json_null(),
			 "broken", string_or_null(broken),
			 "pacing", describe_pacing(&p->opt.pacing),
			 "limit", limit_describe(&p->opt.limit, &p->limit),
			 "pacers", pacers, "queues", queues);
}

static json_t *describe_drops(const struct port_queue *q)
{
	json_t *o = json_object();
	u32 i;

	for (i = DROP_NONE + 1; i < DROPS; i++)
		json_object_set_new(o, drop_names[i],
				    json_integer((json_int_t)rp_load(&q->dropped[i])));
	return o;
}

static json_t *describe_backlog(struct port_queue *q)
{
	u32 most, told;

	if (!port_queue_is_rx(q))
		return q->attached && q->ops->waiting && q->ops->waiting(q, &most) ?
			json_pack("{s:i}", "waiting", (int)most) : json_null();
	if (!q->attached || !q->ops->backlog || !q->ops->backlog(q, &most, &told))
		return json_null();
	return json_pack("{s:i, s:i}", "most", (int)most, "told", (int)told);
}

/*
 * The party of queue @i: the consumer of a TX queue, the producer of an RX queue; NULL:
 * it has none, as others write it, too.
 */
const struct rp_party *port_queue_party(const struct port *p, u32 i)
{
	const struct port_flow *f = net_party_flow(p, i);

	if (!f)
		return NULL;
	return i & 1 ? &f->flow.c : &f->flow.p;
}

static json_t *describe_kicks(const struct port_queue *q)
{
	s64 n = kicks_of(q->kick_fd);

	return n < 0 ? json_null() : json_integer(n);
}

bool port_queue_drops(const struct port *p, u32 i)
{
	return !port_queue_is_rx(p->queue[i]) || p->sw || p->rss->made;
}

json_t *describe_port_stats(const struct port *p, u32 i)
{
	const struct rp_party *party = port_queue_party(p, i);
	struct port_queue *q = p->queue[i];
	struct rp_report r = { 0 };
	json_t *o = json_object();

	if (party && party->clock.tsc_hz)
		rp_party_report(party, &r);
	json_object_set_new(o, "packets", json_integer((json_int_t)rp_load(&q->packets)));
	json_object_set_new(o, "bytes", json_integer((json_int_t)rp_load(&q->bytes)));
	json_object_set_new(o, "gso", json_integer((json_int_t)rp_load(&q->gso)));
	json_object_set_new(o, "kicks", describe_kicks(q));
	json_object_set_new(o, "backlog", describe_backlog(q));
	if (port_queue_drops(p, i))
		json_object_set_new(o, "dropped", describe_drops(q));
#define X(name) json_object_set_new(o, #name, json_integer((json_int_t)r.name));
	RP_REPORT_FIELDS(X)
#undef X
	json_object_set_new(o, "pacing", party && party->clock.tsc_hz ?
			    rp_party_status_json(party) : json_null());
	return o;
}

/* In few bytes: [waiting or null, packets]. The lesser of the two numbers is what nobody doubts. */
static json_t *describe_wait(struct port_queue *q)
{
	json_int_t packets = (json_int_t)rp_load(&q->packets);
	u32 most, told;

	if (!q->attached || !q->ops->backlog || !q->ops->backlog(q, &most, &told))
		return json_pack("[n, I]", packets);
	return json_pack("[i, I]", (int)(told < most ? told : most), packets);
}

/* Flow groups: where each goes, and what came by it. */
static void add_groups(json_t *o, const struct port *p)
{
	const struct rss *r = p->rss->made;
	json_t *table = json_array(), *packets = json_array();
	u32 i;

	for (i = 0; i < r->entries; i++) {
		json_array_append_new(table, json_integer(rp_load(&r->table[i]) % p->opt.pairs));
		json_array_append_new(packets, json_integer((json_int_t)rp_load(&r->packets[i])));
	}
	json_object_set_new(o, "groups", table);
	json_object_set_new(o, "group_packets", packets);
}

json_t *describe_port_backlog(const struct port *p, bool groups)
{
	json_t *queues = json_array(), *o;
	u32 i;

	for (i = 0; i < p->opt.pairs; i++)
		json_array_append_new(queues, describe_wait(p->queue[2 * i]));
	o = json_pack("{s:s, s:o}", "device", p->opt.name, "rx", queues);
	if (groups && p->rss->made)
		add_groups(o, p);
	return o;
}

json_t *describe_pacers(const struct net *n)
{
	json_t *list = json_array();
	u32 i;

	for (i = 0; i < n->pacer_count; i++) {
		const struct pacer *w = &n->pacer[i];

		json_array_append_new(list, json_pack("{s:i, s:i, s:i, s:I, s:I, s:I}",
			"pacer", (int)w->index, "cpu", w->cpu, "flows", (int)w->flows,
			"cpu_ns", (json_int_t)pacer_cpu_ns(w),
			"waits", (json_int_t)rp_load(&w->waits),
			"turns", (json_int_t)rp_load(&w->turns)));
	}
	return list;
}

/* ---- Switches ---- */

static json_t *describe_member(const struct net_switch *s, u32 i)
{
	const struct fdb_pool *pool = &s->fwd.fdb.pool[i];
	const struct vlan_port *vlan = &s->fwd.port[i].vlan;
	char list[8192];

	vlan_print_list(vlan, list, sizeof(list));
	return json_pack("{s:s, s:o, s:o, s:i, s:i, s:I, s:I, s:I}",
			 "port", s->port[i]->opt.name,
			 "vlan", vlan->untagged ? json_integer(vlan->untagged) : json_null(),
			 "trunk", string_or_null(*list ? list : NULL),
			 "macs", (int)rp_load(&pool->used), "macs_max", (int)pool->size,
			 "learned", (json_int_t)rp_load(&pool->learned),
			 "moved", (json_int_t)rp_load(&pool->moved),
			 "replaced", (json_int_t)rp_load(&pool->replaced));
}

static json_t *describe_switch(const struct net_switch *s)
{
	json_t *ports = json_array(), *pacers = json_array();
	u64 left = net_switch_placed(s, false);
	u32 i;

	for (; left; left &= left - 1)
		json_array_append_new(pacers, json_integer(__builtin_ctzll(left)));
	for (i = 0; i < s->port_count; i++)
		json_array_append_new(ports, describe_member(s, i));
	return json_pack("{s:s, s:o, s:I, s:I, s:I, s:o}", "switch", s->name,
			 "pacers", pacers, "age_ns", (json_int_t)s->age_ns,
			 "flooded", (json_int_t)rp_load(&s->fwd.flooded),
			 "flood_copies", (json_int_t)rp_load(&s->fwd.flood_copies),
			 "ports", ports);
}

json_t *describe_switches(const struct net *n)
{
	json_t *list = json_array();
	u32 i;

	for (i = 0; i < n->switch_count; i++)
		json_array_append_new(list, describe_switch(n->sw[i]));
	return list;
}

static json_t *describe_mac(const struct net_switch *s, const struct net_mac *m)
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", m->mac[0], m->mac[1],
		 m->mac[2], m->mac[3], m->mac[4], m->mac[5]);
	return json_pack("{s:s, s:i, s:s, s:I}", "mac", text, "vlan", (int)m->vlan,
			 "port", s->port[m->port]->opt.name, "age_ns", (json_int_t)m->age_ns);
}

json_t *describe_macs(struct net_switch *s)
{
	json_t *list = json_array();
	struct net_mac mac[512];
	u32 at = 0, n, i;

	/* In pieces, as nobody can learn anything meanwhile. */
	while ((n = net_switch_macs(s, &at, mac, 512)))
		for (i = 0; i < n; i++)
			json_array_append_new(list, describe_mac(s, &mac[i]));
	return list;
}
