// SPDX-License-Identifier: GPL-2.0-or-later
/* Frames in: Ethernet and IPv4. */
#include <linux/if_ether.h>

#include "frag.h"

u32 net_sum(const u8 *data, u32 bytes, u32 sum)
{
	u32 i;

	for (i = 0; i + 1 < bytes; i += 2) {
		u16 word;

		memcpy(&word, data + i, 2);
		sum += word;
	}
	if (i < bytes)
		sum += data[i];
	/* Frames are shorter than what would overflow it. */
	return (sum & 0xffff) + (sum >> 16);
}

u16 net_sum_end(u32 sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (u16)~(sum + (sum >> 16));
}

u32 net_pseudo_sum(const u8 *ip, u8 protocol, u32 bytes)
{
	u32 addresses = net_sum(ip + 12, 8, 0);

	/* As words are summed, the protocol is the second byte of one. */
	return addresses + htons(protocol) + htons((u16)bytes);
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

/* For us, whole, in one piece? */
static bool ip_is_good(const struct net *net, struct net_frame *f, const struct iphdr *ip)
{
	u32 total = ntohs(ip->tot_len);

	f->ip_bytes = ip->ihl * 4u;
	if (ip->version != 4 || f->ip_bytes < sizeof(*ip) || total < f->ip_bytes ||
	    total > f->p->bytes - ETH_HLEN || f->have < ETH_HLEN + f->ip_bytes ||
	    net_sum_end(net_sum(f->front + ETH_HLEN, f->ip_bytes, 0)))
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
	struct net_frame f = { .p = p, .have = p->bytes < NET_FRONT_BYTES ? p->bytes :
								    NET_FRONT_BYTES };
	struct ethhdr eth;

	memcpy(f.front, p->data, f.have);
	if (f.have < sizeof(eth)) {
		bad(t, g, p);
		return;
	}
	memcpy(&eth, f.front, sizeof(eth));
	if (eth.h_proto == htons(ETH_P_ARP))
		net_arp_input(net, t, p);
	else if (eth.h_proto == htons(ETH_P_IP) && !memcmp(eth.h_dest, net->port->mac, ETH_ALEN))
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
