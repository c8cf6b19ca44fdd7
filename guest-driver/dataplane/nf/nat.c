// SPDX-License-Identifier: GPL-2.0-or-later
/* The firewall with NAT. */
#include "nat.h"

#include <errno.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sodium/randombytes.h>
#include <stdlib.h>

#include "net/mem.h"

#define PORT_FIRST	1024u
#define PORTS		(65536u - PORT_FIRST)
/* Ports that are tried are so many times as many as there are groups. */
#define TRIES		16u

/* What may go wrong with a packet that is whole. */
enum verdict { PASS, REFUSED, MALFORMED, FULL };

/* Where ports and checksum are in what follows IPv4's header. */
struct layer4 {
	u32 own_port, sum;
	bool sums_addresses;
};

static const struct layer4 tcp = { offsetof(struct tcphdr, source), offsetof(struct tcphdr, check), true };
static const struct layer4 udp = { offsetof(struct udphdr, source), offsetof(struct udphdr, check), true };
static const struct layer4 icmp = { offsetof(struct icmphdr, un.echo.id),
				    offsetof(struct icmphdr, checksum), false };

static const struct layer4 *layer4_of(u8 proto)
{
	return proto == IPPROTO_TCP ? &tcp : proto == IPPROTO_UDP ? &udp :
	       proto == IPPROTO_ICMP ? &icmp : NULL;
}

u32 nat_sender_at(u8 proto)
{
	return layer4_of(proto)->own_port;
}

/* ---- What a packet is ---- */

static enum verdict look_tcp(const struct nf_packet *f)
{
	struct tcphdr th;

	if (f->l4_have < sizeof(th))
		return MALFORMED;
	memcpy(&th, f->l4, sizeof(th));
	return th.doff < 5 || th.doff * 4u > f->l4_bytes ? MALFORMED : PASS;
}

static enum verdict look_udp(const struct nf_packet *f)
{
	struct udphdr uh;

	if (f->l4_have < sizeof(uh))
		return MALFORMED;
	memcpy(&uh, f->l4, sizeof(uh));
	return ntohs(uh.len) < sizeof(uh) || ntohs(uh.len) > f->l4_bytes ? MALFORMED : PASS;
}

/* Echo, from the inside a request, from the outside a reply; and errors from there. */
static enum verdict look_icmp(const struct nf_packet *f, bool outward)
{
	if (f->l4_have < sizeof(struct icmphdr))
		return MALFORMED;
	if (!outward && nat_is_error(f))
		return f->l4_have < NF_L4_BYTES ? MALFORMED : PASS;
	return f->l4[0] == (outward ? ICMP_ECHO : ICMP_ECHOREPLY) && !f->l4[1] ? PASS : REFUSED;
}

static enum verdict look(const struct nf_packet *f, bool outward)
{
	if (nf_is_fragment(f))
		return REFUSED;
	switch (f->ip.protocol) {
	case IPPROTO_TCP: return look_tcp(f);
	case IPPROTO_UDP: return look_udp(f);
	case IPPROTO_ICMP: return look_icmp(f, outward);
	default: return REFUSED;
	}
}

/* Of one that passed look(). What is not in the packet is 0. */
static struct flow_key key_of(const struct nf_packet *f, bool outward)
{
	struct flow_key k = { .proto = f->ip.protocol };
	u16 ports[2];

	memcpy(ports, f->l4, sizeof(ports));
	if (k.proto == IPPROTO_ICMP) {
		/* There is one identifier, which is the own port both ways. */
		memcpy(&ports[outward ? 0 : 1], f->l4 + icmp.own_port, 2);
		ports[outward ? 1 : 0] = 0;
	}
	k.remote_ip = outward ? f->ip.daddr : f->ip.saddr;
	k.remote_port = ports[outward ? 1 : 0];
	if (outward) {
		k.inside_ip = f->ip.saddr;
		k.inside_port = ports[0];
	} else {
		k.outside_port = ports[1];
	}
	return k;
}

/* ---- Flows ---- */

u32 nat_reply_hash(const struct nat *nat, const struct flow_key *k, u16 outside_port)
{
	struct dp_port *port = nat->port;

	return k->proto == IPPROTO_ICMP ?
		port->ops->hash_ip(port, k->remote_ip, nat->outside.cfg.ip) :
		port->ops->hash(port, k->remote_ip, nat->outside.cfg.ip, k->remote_port,
				outside_port);
}

/* Whose reply comes to this group, and that is free. */
static bool pick_port(const struct nat *nat, struct dp_group *g, struct flow_key *k)
{
	struct nat_group *ng = g->state;
	u32 first = randombytes_uniform(PORTS), i;

	for (i = 0; i < TRIES * nat->groups; i++) {
		k->outside_port = htons((u16)(PORT_FIRST + (first + i) % PORTS));
		if ((nat_reply_hash(nat, k, k->outside_port) & (nat->groups - 1)) == g->id &&
		    !flow_find_out(&ng->flows, k))
			return true;
	}
	return false;
}

static u8 tcp_flags(const struct nf_packet *f)
{
	return f->l4[13];
}

static enum flow_class class_of(struct flow *f, const struct nf_packet *p, bool outward)
{
	u8 flags;

	if (f->key.proto != IPPROTO_TCP)
		return f->key.proto == IPPROTO_UDP ? FLOW_UDP : FLOW_ICMP;
	flags = tcp_flags(p);
	/* A new connection from the same port. */
	if (outward && (flags & (TH_SYN | TH_ACK)) == TH_SYN)
		f->seen = 0;
	if (flags & TH_SYN)
		f->seen |= outward ? FLOW_SYN_OUT : FLOW_SYN_IN;
	if (flags & TH_FIN)
		f->seen |= outward ? FLOW_FIN_OUT : FLOW_FIN_IN;
	if (flags & TH_RST)
		f->seen |= FLOW_RST;
	if ((f->seen & (FLOW_SYN_OUT | FLOW_SYN_IN)) != (FLOW_SYN_OUT | FLOW_SYN_IN) ||
	    (f->seen & (FLOW_FIN_OUT | FLOW_FIN_IN)) == (FLOW_FIN_OUT | FLOW_FIN_IN) ||
	    f->seen & FLOW_RST)
		return FLOW_TCP_BRIEF;
	return FLOW_TCP;
}

/* TCP begins with a SYN, or not at all. */
static bool may_open(const struct nf_packet *f)
{
	return f->ip.protocol != IPPROTO_TCP ||
	       (tcp_flags(f) & (TH_SYN | TH_ACK | TH_RST | TH_FIN)) == TH_SYN;
}

static struct flow *open_flow(const struct nat *nat, struct dp_group *g, const struct nf_packet *f,
			      struct flow_key *k, enum verdict *why)
{
	struct nat_group *ng = g->state;
	struct flow *flow = NULL;

	if (!may_open(f)) {
		*why = REFUSED;
		return NULL;
	}
	if (ng->flows.count < ng->flows.max && pick_port(nat, g, k))
		flow = flow_add(&ng->flows, k, FLOW_TCP_BRIEF);
	*why = FULL;
	return flow;
}

/* ---- Packets ---- */

/* And what sums them up. */
void nat_rewrite(struct nf_packet *f, u32 *ip, u32 new_ip, u32 port_at, u16 new_port)
{
	const struct layer4 *l = layer4_of(f->ip.protocol);
	struct {
		u32 ip;
		u16 port;
	} was = { .ip = *ip }, is = { new_ip, new_port };
	u32 from = l->sums_addresses ? 0 : offsetof(typeof(was), port);
	u16 sum;

	memcpy(&was.port, f->l4 + port_at, 2);
	memcpy(f->l4 + port_at, &new_port, 2);
	f->ip.check = nf_sum_changed(f->ip.check, &was.ip, &is.ip, 4);
	*ip = new_ip;
	memcpy(&sum, f->l4 + l->sum, 2);
	/* UDP without a checksum stays without. */
	if (f->ip.protocol == IPPROTO_UDP && !sum)
		return;
	sum = nf_sum_changed(sum, (u8 *)&was + from, (u8 *)&is + from,
			     offsetof(typeof(was), port) + 2 - from);
	if (f->ip.protocol == IPPROTO_UDP && !sum)
		sum = 0xffff;
	memcpy(f->l4 + l->sum, &sum, 2);
}

static void drop(struct dp_thread *t, struct nat_group *ng, struct nf_packet *f, enum verdict why)
{
	nf_drop(t, f->p, why == MALFORMED ? &ng->nf.counts.malformed :
			 why == FULL ? &ng->nf.counts.full : &ng->nf.counts.refused);
}

/* By the station's own address at that side. */
static void send_to(struct dp_thread *t, struct nat_group *ng, struct nf_packet *f, struct net *side,
		    u32 ip)
{
	u8 mac[ETH_ALEN];

	f->p->card = side->card;
	if (net_neighbour(side, t, ip, mac))
		nf_send(t, &ng->nf, f, mac);
	else
		nf_drop(t, f->p, &ng->nf.counts.no_neighbour);
}

void nat_send_inside(struct nat *nat, struct dp_thread *t, struct nat_group *ng, struct nf_packet *f)
{
	send_to(t, ng, f, &nat->inside, f->ip.daddr);
}

static void outward(struct nat *nat, struct dp_thread *t, struct dp_group *g, struct nf_packet *f)
{
	struct nat_group *ng = g->state;
	struct flow_key k = key_of(f, true);
	const struct layer4 *l = layer4_of(k.proto);
	u64 trips = dp_mem_trips();
	enum verdict why;
	struct flow *flow;

	if (!nf_hop(f)) {
		nf_expired(t, &ng->nf, f, nat->inside.cfg.ip);
		return;
	}
	flow = flow_find_in(&ng->flows, &k);
	if (!flow)
		flow = open_flow(nat, g, f, &k, &why);
	dp_count(&t->counts.shared, dp_mem_trips() - trips);
	if (!flow) {
		drop(t, ng, f, why);
		return;
	}
	flow_use(&ng->flows, flow, class_of(flow, f, true));
	nat_rewrite(f, &f->ip.saddr, nat->outside.cfg.ip, l->own_port, flow->key.outside_port);
	send_to(t, ng, f, &nat->outside, f->ip.daddr);
}

static void inward(struct nat *nat, struct dp_thread *t, struct dp_group *g, struct nf_packet *f)
{
	struct nat_group *ng = g->state;
	const struct flow_key k = key_of(f, false);
	u32 port_at = k.proto == IPPROTO_ICMP ? icmp.own_port : 2;
	struct flow *flow = flow_find_out(&ng->flows, &k);

	if (!flow) {
		nf_drop(t, f->p, &ng->nf.counts.refused);
		return;
	}
	if (!nf_hop(f)) {
		nf_expired(t, &ng->nf, f, nat->outside.cfg.ip);
		return;
	}
	flow_use(&ng->flows, flow, class_of(flow, f, false));
	nat_rewrite(f, &f->ip.daddr, flow->key.inside_ip, port_at, flow->key.inside_port);
	nat_send_inside(nat, t, ng, f);
}

static bool is_inside(const struct nat *nat, u32 ip)
{
	return !((ip ^ nat->inside.cfg.ip) & nat->inside.cfg.mask);
}

/* A flow of ICMP is at home in its reply's group; true: it was sent there. */
static bool goes_home(const struct nat *nat, struct dp_thread *t, struct dp_group *g,
		      const struct nf_packet *f)
{
	u32 hash;

	if (f->ip.protocol != IPPROTO_ICMP)
		return false;
	hash = nat->port->ops->hash_ip(nat->port, f->ip.daddr, nat->outside.cfg.ip);
	if ((hash & (nat->groups - 1)) == g->id)
		return false;
	dp_regroup(t, f->p, hash);
	return true;
}

static void ip_input(struct nat *nat, struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	struct nat_group *ng = g->state;
	struct nf_packet f;
	enum verdict why;
	bool out;

	if (!nf_parse(&f, p)) {
		nf_drop(t, p, &ng->nf.counts.malformed);
		return;
	}
	out = f.ip.daddr != nat->outside.cfg.ip;
	why = look(&f, out);
	if (out != is_inside(nat, f.ip.saddr) || is_inside(nat, f.ip.daddr) ||
	    f.ip.saddr == nat->inside.cfg.ip || p->card != (out ? nat->inside : nat->outside).card)
		why = REFUSED;
	if (why != PASS)
		drop(t, ng, &f, why);
	else if (!out && nat_is_error(&f))
		nat_error(nat, t, g, &f);
	else if (!out)
		inward(nat, t, g, &f);
	else if (!goes_home(nat, t, g, &f))
		outward(nat, t, g, &f);
}

/* Of the side whose network the sender says to be of. */
static void arp_input(struct nat *nat, struct dp_thread *t, struct dp_pkt *p)
{
	struct net *side;
	u32 from = 0;

	if (p->bytes >= ETH_HLEN + 18)
		memcpy(&from, p->data + ETH_HLEN + 14, sizeof(from));
	side = is_inside(nat, from) ? &nat->inside : &nat->outside;
	/* At the other card nobody is of that network. */
	if (p->card == side->card)
		net_arp_input(side, t, p);
	else
		dp_release(t, p);
}

static void nat_packet(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	struct nat *nat = t->dp->cfg.app_arg;

	if (g && nf_is_ipv4(p) && !memcmp(p->data, nat->port->mac[p->card], ETH_ALEN))
		ip_input(nat, t, g, p);
	else if (nf_is_arp(p))
		arp_input(nat, t, p);
	else
		dp_release(t, p);
}

void nat_init(struct nat *nat, const struct net_config *inside, const struct net_config *outside,
	      struct dp_port *port, u32 groups, u32 flows_max)
{
	*nat = (struct nat){
		.inside = { .cfg = *inside, .port = port, .card = port->cards > 1 },
		.outside = { .cfg = *outside, .port = port },
		.port = port, .groups = groups, .flows_max = flows_max,
	};
	arp_init(&nat->inside.arp);
	arp_init(&nat->outside.arp);
	randombytes_buf(nat->secret, sizeof(nat->secret));
}

static int nat_open(struct dp *dp, struct dp_group *g)
{
	const struct nat *nat = dp->cfg.app_arg;
	struct nat_group *ng = calloc(1, sizeof(*ng));

	if (!ng || flow_table_open(&ng->flows, &g->wheel, nat->flows_max, nat->secret)) {
		free(ng);
		return -ENOMEM;
	}
	g->state = ng;
	return 0;
}

static void nat_close(struct dp *dp, struct dp_group *g)
{
	struct nat_group *ng = g->state;

	flow_table_close(&ng->flows);
	g->state = NULL;
	free(ng);
}

const struct dp_app nf_nat = {
	.name = "nat",
	.open = nat_open,
	.close = nat_close,
	.packet = nat_packet,
};
