// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets of IPv4 that pass through. */
#include "packet.h"

#include <arpa/inet.h>
#include <netinet/ip_icmp.h>

#include "net/net.h"

static bool has_type(const struct dp_pkt *p, u16 type)
{
	u16 is;

	if (p->bytes < ETH_HLEN)
		return false;
	memcpy(&is, p->data + 2 * ETH_ALEN, 2);
	return is == htons(type);
}

bool nf_is_ipv4(const struct dp_pkt *p)
{
	return has_type(p, ETH_P_IP);
}

bool nf_is_arp(const struct dp_pkt *p)
{
	return has_type(p, ETH_P_ARP);
}

static bool is_station(u32 ip)
{
	u32 host = ntohl(ip);

	/* None, loopback, and from multicast on up to all. */
	return host >> 24 && host >> 24 != 127 && host >> 28 < 0xe;
}

bool nf_parse(struct nf_packet *f, struct dp_pkt *p)
{
	u32 total;

	f->p = p;
	if (p->bytes < ETH_HLEN + sizeof(f->ip))
		return false;
	memcpy(f->to_mac, p->data, ETH_ALEN);
	memcpy(f->from_mac, p->data + ETH_ALEN, ETH_ALEN);
	memcpy(&f->ip, p->data + ETH_HLEN, sizeof(f->ip));
	total = ntohs(f->ip.tot_len);
	if (f->ip.version != 4 || f->ip.ihl != 5 || total < sizeof(f->ip) ||
	    total > p->bytes - ETH_HLEN || !is_station(f->ip.saddr) || !is_station(f->ip.daddr) ||
	    net_sum_end(net_sum((const u8 *)&f->ip, sizeof(f->ip), 0)))
		return false;
	f->l4_bytes = total - (u32)sizeof(f->ip);
	f->l4_have = f->l4_bytes < sizeof(f->l4) ? f->l4_bytes : (u32)sizeof(f->l4);
	memcpy(f->l4, p->data + ETH_HLEN + sizeof(f->ip), f->l4_have);
	return true;
}

u16 nf_sum_changed(u16 sum, const void *was, const void *is, u32 bytes)
{
	u32 s = (u16)~sum, i;

	for (i = 0; i < bytes; i += 2) {
		u16 a, b;

		memcpy(&a, (const u8 *)was + i, 2);
		memcpy(&b, (const u8 *)is + i, 2);
		s += (u32)(u16)~a + b;
	}
	return net_sum_end(s);
}

bool nf_hop(struct nf_packet *f)
{
	u16 was, is;

	if (f->ip.ttl <= 1)
		return false;
	memcpy(&was, &f->ip.ttl, 2);
	f->ip.ttl--;
	memcpy(&is, &f->ip.ttl, 2);
	f->ip.check = nf_sum_changed(f->ip.check, &was, &is, 2);
	return true;
}

void nf_send(struct dp_thread *t, struct nf_group *ng, struct nf_packet *f, const u8 mac[ETH_ALEN])
{
	struct dp_pkt *p = f->p;

	net_ethernet(p->data, mac, t->dp->cfg.port->mac[p->card]);
	memcpy(p->data + ETH_HLEN, &f->ip, sizeof(f->ip));
	memcpy(p->data + ETH_HLEN + sizeof(f->ip), f->l4, f->l4_have);
	/* What pads the frame is not the packet's. */
	p->bytes = ETH_HLEN + (u32)sizeof(f->ip) + f->l4_bytes;
	dp_count(&ng->counts.passed, 1);
	dp_send(t, p);
}

void nf_expired(struct dp_thread *t, struct nf_group *ng, struct nf_packet *f, u32 own_ip)
{
	const struct net_error e = {
		.type = ICMP_TIME_EXCEEDED, .code = ICMP_EXC_TTL, .own_ip = own_ip,
		.to_mac = f->from_mac, .card = f->p->card, .ip = f->ip, .l4 = f->l4, .l4_bytes = f->l4_have,
	};

	dp_count(&ng->counts.expired, 1);
	if (!(f->to_mac[0] & 1) && net_icmp_tell(t, &ng->told, &e))
		dp_count(&ng->counts.told, 1);
	dp_release(t, f->p);
}
