// SPDX-License-Identifier: GPL-2.0-or-later
/* Errors of ICMP to who has sent what cannot be delivered: RFC 792, RFC 1122, sec. 3.2.2. */
#include "icmp_tell.h"

#include <linux/if_ether.h>
#include <netinet/ip_icmp.h>

#include "net.h"

#define TTL	64

/* Neither of an error itself, nor of a later fragment; and not too many of them. */
static bool may_tell(const struct dp_thread *t, struct net_told *told, const struct net_error *e)
{
	u64 second = t->now_ns / 1000000000;

	if (e->ip.frag_off & htons(IP_OFFMASK) ||
	    (e->ip.protocol == IPPROTO_ICMP &&
	     (!e->l4_bytes || (e->l4[0] != ICMP_ECHO && e->l4[0] != ICMP_ECHOREPLY))))
		return false;
	if (told->second != second) {
		told->second = second;
		told->errors = 0;
	}
	return told->errors++ < NET_ERRORS_MAX;
}

/* The header without options and 8 bytes of what comes after it, as they were received. */
static void fill(struct dp_thread *t, struct dp_pkt *p, const struct net_error *e)
{
	u32 quoted = e->l4_bytes < NET_QUOTED_BYTES ? e->l4_bytes : NET_QUOTED_BYTES;
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = TTL, .protocol = IPPROTO_ICMP,
		.saddr = e->own_ip, .daddr = e->ip.saddr,
	};
	struct icmphdr icmp = { .type = e->type, .code = e->code };
	u8 *at = p->data + ETH_HLEN, *l4 = at + sizeof(ip);
	u32 bytes = (u32)(sizeof(icmp) + sizeof(e->ip)) + quoted;

	ip.tot_len = htons((u16)(sizeof(ip) + bytes));
	ip.check = net_sum_end(net_sum((u8 *)&ip, sizeof(ip), 0));
	p->card = e->card;
	net_ethernet(p->data, e->to_mac, t->dp->cfg.port->mac[e->card]);
	memcpy(at, &ip, sizeof(ip));
	memcpy(l4, &icmp, sizeof(icmp));
	memcpy(l4 + sizeof(icmp), &e->ip, sizeof(e->ip));
	memcpy(l4 + sizeof(icmp) + sizeof(e->ip), e->l4, quoted);
	icmp.checksum = net_sum_end(net_sum(l4, bytes, 0));
	memcpy(l4, &icmp, sizeof(icmp));
	p->bytes = ETH_HLEN + (u32)sizeof(ip) + bytes;
}

bool net_icmp_tell(struct dp_thread *t, struct net_told *told, const struct net_error *e)
{
	struct dp_port *port = t->dp->cfg.port;
	struct dp_pkt *p = may_tell(t, told, e) ? port->ops->alloc(port, t->id) : NULL;

	if (!p)
		return false;
	fill(t, p, e);
	dp_send(t, p);
	return true;
}
