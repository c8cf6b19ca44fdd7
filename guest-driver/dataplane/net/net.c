// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames in: Ethernet and IPv4. */
#include <linux/if_ether.h>

#include "frag.h"

/* To 17 bits, so that many can be added. */
static u32 fold(u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	return (u32)((sum & 0xffff) + (sum >> 16));
}

/* Words of four bytes are two of the sum's, and carry into each other as these do. */
u32 net_sum(const u8 *data, u32 bytes, u32 sum)
{
	u64 all = sum;
	u32 i, word;

	for (i = 0; i + sizeof(word) <= bytes; i += sizeof(word)) {
		memcpy(&word, data + i, sizeof(word));
		all += word;
	}
	/* What is left, and zeros. */
	word = 0;
	memcpy(&word, data + i, bytes - i);
	return fold(all + word);
}

u16 net_sum_end(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~(sum + (sum >> 16));
}

u32 net_pseudo_sum(const u8 *ip, u8 protocol, u32 bytes)
{
	u32 from, to;

	memcpy(&from, ip + 12, sizeof(from));
	memcpy(&to, ip + 16, sizeof(to));
	/* As words are summed, the protocol is the second byte of one. */
	return fold((u64)from + to + htons(protocol) + htons((u16)bytes));
}

static void bad(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	if (g)
		dp_count(&net_group_counts(g)->malformed, 1);
	dp_release(t, p);
}

static bool from_a_station(const struct net *net, u32 ip)
{
	u32 host = ntohl(ip);

	return ip != net->cfg.ip && host >> 24 && host >> 24 != 127 && host >> 28 < 0xe &&
	       ip != (net->cfg.ip | ~net->cfg.mask);
}

/* Without options: five words, which are summed without a loop. */
static bool plain_header_is_sound(const struct iphdr *ip)
{
	u32 w[5];

	memcpy(w, ip, sizeof(w));
	return !net_sum_end(fold((u64)w[0] + w[1] + w[2] + w[3] + w[4]));
}

static bool header_is_sound(const struct net_frame *f, const struct iphdr *ip)
{
	if (likely(f->ip_bytes == sizeof(*ip)))
		return plain_header_is_sound(ip);
	return !net_sum_end(net_sum(f->front + ETH_HLEN, f->ip_bytes, 0));
}

/* For us, whole, in one piece? */
static bool ip_is_good(const struct net *net, struct net_frame *f, const struct iphdr *ip)
{
	u32 total = ntohs(ip->tot_len);

	f->ip_bytes = ip->ihl * 4u;
	if (ip->version != 4 || f->ip_bytes < sizeof(*ip) || total < f->ip_bytes ||
	    total > f->p->bytes - ETH_HLEN || f->have < ETH_HLEN + f->ip_bytes ||
	    !header_is_sound(f, ip))
		return false;
	f->l4_bytes = total - f->ip_bytes;
	return from_a_station(net, ip->saddr);
}

/*
 * To the group of its addresses, whichever queue it came by; the packet, once it is whole, to
 * its own.
 */
static void piece(struct net *net, struct dp_thread *t, struct dp_group *g, struct net_frame *f,
		  const struct iphdr *ip)
{
	struct dp_port *port = net->port;
	u32 hash = port->ops->hash_ip(port, ip->saddr, ip->daddr);
	struct dp_pkt *whole;

	if (!g || (hash & (net->groups - 1)) != g->id) {
		dp_regroup(t, f->p, hash);
		return;
	}
	whole = net_frag_add(t, g, f, ip);
	if (whole)
		dp_regroup(t, whole, net_frag_hash(port, whole));
}

static void ip_input(struct net *net, struct dp_thread *t, struct dp_group *g, struct net_frame *f)
{
	struct iphdr ip;

	if (f->have < ETH_HLEN + sizeof(ip)) {
		bad(t, g, f->p);
		return;
	}
	memcpy(&ip, f->front + ETH_HLEN, sizeof(ip));
	if (!ip_is_good(net, f, &ip))
		bad(t, g, f->p);
	else if (ip.daddr != net->cfg.ip)
		dp_release(t, f->p);
	else if (unlikely(frag_is_piece(&ip)))
		piece(net, t, g, f, &ip);
	else if (ip.protocol == IPPROTO_TCP && g)
		net_tcp_input(t, g, f);
	else if (ip.protocol == IPPROTO_UDP && g)
		net_udp_input(net, t, g, f);
	else if (ip.protocol == IPPROTO_ICMP)
		net_icmp_input(net, t, g, f);
	else
		dp_release(t, f->p);
}

static void packet(struct dp_thread *t, struct dp_group *g, struct dp_pkt *p)
{
	struct net *net = t->dp->cfg.app_arg;
	struct net_frame f;	/* of ->front no more is looked at than there is */
	struct ethhdr eth;

	f.p = p;
	f.have = p->bytes < NET_FRONT_BYTES ? p->bytes : NET_FRONT_BYTES;
	dp_copy_short(f.front, p->data, f.have);
	if (f.have < sizeof(eth)) {
		bad(t, g, p);
		return;
	}
	memcpy(&eth, f.front, sizeof(eth));
	if (eth.h_proto == htons(ETH_P_ARP))
		net_arp_input(net, t, p);
	else if (eth.h_proto == htons(ETH_P_IP) && !memcmp(eth.h_dest, net->port->mac[0], ETH_ALEN))
		ip_input(net, t, g, &f);
	else
		dp_release(t, p);
}

const struct dp_app net_app = {
	.name = "tcp",
	.open = net_group_open,
	.close = net_group_close,
	.packet = packet,
	.ahead = net_ahead,
};
