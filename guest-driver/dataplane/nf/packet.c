// SPDX-License-Identifier: GPL-2.0-or-later
/* Packets of IPv4 that pass through. */
#include "packet.h"

#include <arpa/inet.h>
#include <netinet/ip_icmp.h>

#include "net/net.h"

#define TTL	64

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

static void put_ethernet(const struct dp_thread *t, struct dp_pkt *p, const u8 to[ETH_ALEN])
{
	memcpy(p->data, to, ETH_ALEN);
	memcpy(p->data + ETH_ALEN, t->dp->cfg.port->mac, ETH_ALEN);
	p->data[12] = ETH_P_IP >> 8;
	p->data[13] = ETH_P_IP & 255;
}

void nf_send(struct dp_thread *t, struct nf_group *ng, struct nf_packet *f, const u8 mac[ETH_ALEN])
{
	struct dp_pkt *p = f->p;

	put_ethernet(t, p, mac);
	memcpy(p->data + ETH_HLEN, &f->ip, sizeof(f->ip));
	memcpy(p->data + ETH_HLEN + sizeof(f->ip), f->l4, f->l4_have);
	/* What pads the frame is not the packet's. */
	p->bytes = ETH_HLEN + (u32)sizeof(f->ip) + f->l4_bytes;
	dp_count(&ng->counts.passed, 1);
	dp_send(t, p);
}

/* Neither an error itself, nor to many, nor a later fragment; and not too many of them. */
static bool may_tell(const struct dp_thread *t, struct nf_group *ng, const struct nf_packet *f)
{
	u64 second = t->now_ns / 1000000000;

	if (f->ip.frag_off & htons(IP_OFFMASK) || f->to_mac[0] & 1 ||
	    (f->ip.protocol == IPPROTO_ICMP && (!f->l4_have || (f->l4[0] != ICMP_ECHO &&
							       f->l4[0] != ICMP_ECHOREPLY))))
		return false;
	if (ng->second != second) {
		ng->second = second;
		ng->errors = 0;
	}
	return ng->errors++ < NF_ERRORS_MAX;
}

/* The header and 8 bytes of what comes after it, as they were received. */
static void fill_expired(struct dp_thread *t, struct dp_pkt *p, const struct nf_packet *f, u32 own_ip)
{
	u32 quoted = f->l4_have < 8 ? f->l4_have : 8;
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = TTL, .protocol = IPPROTO_ICMP,
		.saddr = own_ip, .daddr = f->ip.saddr,
	};
	struct icmphdr icmp = { .type = ICMP_TIME_EXCEEDED, .code = ICMP_EXC_TTL };
	u8 *at = p->data + ETH_HLEN, *l4 = at + sizeof(ip);
	u32 bytes = (u32)(sizeof(icmp) + sizeof(f->ip)) + quoted;

	ip.tot_len = htons((u16)(sizeof(ip) + bytes));
	ip.check = net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0));
	put_ethernet(t, p, f->from_mac);
	memcpy(at, &ip, sizeof(ip));
	memcpy(l4, &icmp, sizeof(icmp));
	memcpy(l4 + sizeof(icmp), &f->ip, sizeof(f->ip));
	memcpy(l4 + sizeof(icmp) + sizeof(f->ip), f->l4, quoted);
	icmp.checksum = net_sum_end(net_sum(l4, bytes, 0));
	memcpy(l4, &icmp, sizeof(icmp));
	p->bytes = ETH_HLEN + (u32)sizeof(ip) + bytes;
}

void nf_expired(struct dp_thread *t, struct nf_group *ng, struct nf_packet *f, u32 own_ip)
{
	struct dp_port *port = t->dp->cfg.port;
	struct dp_pkt *p = may_tell(t, ng, f) ? port->ops->alloc(port, t->id) : NULL;

	dp_count(&ng->counts.expired, 1);
	if (p) {
		fill_expired(t, p, f, own_ip);
		dp_count(&ng->counts.told, 1);
		dp_send(t, p);
	}
	dp_release(t, f->p);
}
