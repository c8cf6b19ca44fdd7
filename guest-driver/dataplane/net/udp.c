// SPDX-License-Identifier: GPL-2.0-or-later
/* UDP: RFC 768. */
#include <linux/if_ether.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>

#include "net.h"

static u16 sum_of(const struct net_frame *f, const u8 *l4, u32 bytes)
{
	return net_sum_end(net_sum(l4, bytes,
				   net_pseudo_sum(f->front + ETH_HLEN, IPPROTO_UDP, bytes)));
}

/* Whole, and as it was sent? Without a checksum nobody can tell. */
static bool is_good(const struct net_frame *f, const struct udphdr *h, const u8 *l4)
{
	u32 bytes = ntohs(h->len);

	return bytes >= sizeof(*h) && bytes <= f->l4_bytes && h->source &&
	       (!h->check || f->p->sound || !sum_of(f, l4, bytes));
}

static void nobody_there(struct net *net, struct dp_thread *t, struct dp_group *g,
			 const struct net_frame *f)
{
	struct net_error e = {
		.type = ICMP_DEST_UNREACH, .code = ICMP_PORT_UNREACH, .own_ip = net->cfg.ip,
		.to_mac = f->front + ETH_ALEN, .l4 = f->front + ETH_HLEN + f->ip_bytes,
		.l4_bytes = sizeof(struct udphdr),
	};

	memcpy(&e.ip, f->front + ETH_HLEN, sizeof(e.ip));
	/* Without options, as it is quoted. */
	e.ip.ihl = sizeof(e.ip) / 4;
	dp_count(&net_group_counts(g)->refused, 1);
	net_icmp_tell(t, &net_group_slow(g)->told, &e);
	dp_release(t, f->p);
}

static void send_answer(struct net *net, struct dp_thread *t, struct dp_group *g,
			struct net_frame *f, struct udphdr *h, u32 bytes)
{
	u8 *l4 = f->p->data + ETH_HLEN + f->ip_bytes;
	u16 source = h->source, sum;

	h->source = h->dest;
	h->dest = source;
	h->len = htons((u16)bytes);
	h->check = 0;
	memcpy(l4, h, sizeof(*h));
	/* Which address is whose does not matter to the sum. */
	sum = sum_of(f, l4, bytes);
	h->check = sum ? sum : 0xffff;
	memcpy(l4, h, sizeof(*h));
	dp_count(&net_group_counts(g)->datagrams, 1);
	net_send_back(net, t, g, f, bytes);
}

void net_udp_input(struct net *net, struct dp_thread *t, struct dp_group *g, struct net_frame *f)
{
	u8 *l4 = f->p->data + ETH_HLEN + f->ip_bytes;
	struct udphdr h;
	int n = -1;

	if (f->l4_bytes >= sizeof(h))
		memcpy(&h, f->front + ETH_HLEN + f->ip_bytes, sizeof(h));
	if (f->l4_bytes < sizeof(h) || !is_good(f, &h, l4)) {
		dp_count(&net_group_counts(g)->malformed, 1);
		dp_release(t, f->p);
		return;
	}
	if (!net->cfg.udp || h.dest != htons(net->cfg.port)) {
		nobody_there(net, t, g, f);
		return;
	}
	/* With options it would have to go the way that they say, or not at all. */
	if (ntohs(h.source) >= UDP_PORT_MIN && f->ip_bytes == sizeof(struct iphdr))
		n = net->cfg.udp->answer(net->cfg.app_arg, l4 + sizeof(h),
					 ntohs(h.len) - (u32)sizeof(h));
	if (n >= 0)
		send_answer(net, t, g, f, &h, (u32)n + (u32)sizeof(h));
	else
		dp_release(t, f->p);
}
