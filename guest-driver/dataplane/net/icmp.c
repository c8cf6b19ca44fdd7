// SPDX-License-Identifier: GPL-2.0-or-later
/* ICMP: echo, and errors about what this station has sent. */
#include <linux/if_ether.h>
#include <netinet/ip_icmp.h>

#include "frag.h"

/* Of a packet that is quoted: IPv4's header with options, and what must follow. */
#define QUOTE_MAX	(60u + NET_QUOTED_BYTES)

static void swap(u8 *a, u8 *b, u32 n)
{
	while (n--) {
		u8 was = a[n];

		a[n] = b[n];
		b[n] = was;
	}
}

void net_send_back(struct net *net, struct dp_thread *t, struct dp_group *g, struct net_frame *f,
		   u32 l4_bytes)
{
	struct iphdr ip;

	memcpy(&ip, f->front + ETH_HLEN, sizeof(ip));
	swap((u8 *)&ip.saddr, (u8 *)&ip.daddr, 4);
	ip.ttl = 64;
	ip.frag_off = 0;
	ip.tot_len = htons((u16)(sizeof(ip) + l4_bytes));
	ip.check = 0;
	ip.check = net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0));
	memcpy(f->p->data + ETH_HLEN, &ip, sizeof(ip));
	net_ethernet(f->p->data, f->front + ETH_ALEN, f->front);
	f->p->bytes = ETH_HLEN + (u32)sizeof(ip) + l4_bytes;
	net_send_whole(net, t, g, f->p);
}

/* An echo request goes back as the reply. */
static void echo(struct net *net, struct dp_thread *t, struct dp_group *g, struct net_frame *f,
		 struct icmphdr *h)
{
	u8 *l4 = f->p->data + ETH_HLEN + f->ip_bytes;

	h->type = ICMP_ECHOREPLY;
	h->checksum = 0;
	memcpy(l4, h, sizeof(*h));
	h->checksum = net_sum_end(net_sum(l4, f->l4_bytes, 0));
	memcpy(l4, h, sizeof(*h));
	net_send_back(net, t, g, f, f->l4_bytes);
}

static bool is_error(const struct icmphdr *h)
{
	return h->type == ICMP_DEST_UNREACH || h->type == ICMP_TIME_EXCEEDED ||
	       h->type == ICMP_PARAMETERPROB;
}

/* What is quoted, of a segment of TCP that this station may have sent; false: it is none. */
static bool quoted_of(const struct net *net, const struct net_frame *f, const struct icmphdr *h,
		      struct net_quoted *q)
{
	u8 quote[QUOTE_MAX];
	u32 have = f->l4_bytes - (u32)sizeof(*h), at;
	struct iphdr ip;

	have = have < sizeof(quote) ? have : (u32)sizeof(quote);
	if (have < sizeof(ip))
		return false;
	memcpy(quote, f->p->data + ETH_HLEN + f->ip_bytes + sizeof(*h), have);
	memcpy(&ip, quote, sizeof(ip));
	at = ip.ihl * 4u;
	if (ip.version != 4 || at < sizeof(ip) || at + NET_QUOTED_BYTES > have ||
	    ip.saddr != net->cfg.ip || ip.protocol != IPPROTO_TCP ||
	    ip.frag_off & htons(IP_OFFMASK))
		return false;
	*q = (struct net_quoted){
		.type = h->type, .code = h->code, .mtu = ntohs(h->un.frag.mtu),
		.remote_ip = ip.daddr, .ip_bytes = ntohs(ip.tot_len),
	};
	memcpy(q->port, quote + at, sizeof(q->port));
	memcpy(&q->seq, quote + at + sizeof(q->port), sizeof(q->seq));
	q->seq = ntohl(q->seq);
	return true;
}

/* It comes from anywhere, and belongs to the group of the connection that it is about. */
static void error(struct net *net, struct dp_thread *t, struct dp_group *g, struct net_frame *f,
		  const struct icmphdr *h)
{
	struct net_quoted q;
	u32 hash;

	if (!quoted_of(net, f, h, &q)) {
		dp_release(t, f->p);
		return;
	}
	hash = net->port->ops->hash(net->port, q.remote_ip, net->cfg.ip, q.port[1], q.port[0]);
	if (!g || (hash & (net->groups - 1)) != g->id) {
		dp_regroup(t, f->p, hash);
		return;
	}
	net_tcp_error(t, g, &q);
	dp_release(t, f->p);
}

void net_icmp_input(struct net *net, struct dp_thread *t, struct dp_group *g, struct net_frame *f)
{
	u8 *l4 = f->p->data + ETH_HLEN + f->ip_bytes;
	struct icmphdr h;

	if (f->l4_bytes < sizeof(h) || net_sum_end(net_sum(l4, f->l4_bytes, 0))) {
		if (g)
			dp_count(&net_group_counts(g)->malformed, 1);
		dp_release(t, f->p);
		return;
	}
	memcpy(&h, f->front + ETH_HLEN + f->ip_bytes, sizeof(h));
	if (is_error(&h))
		error(net, t, g, f, &h);
	/* With options it would have to go the way that they say, or not at all. */
	else if (h.type == ICMP_ECHO && !h.code && f->ip_bytes == sizeof(struct iphdr))
		echo(net, t, g, f, &h);
	else
		dp_release(t, f->p);
}
